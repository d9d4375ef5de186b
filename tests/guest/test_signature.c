/* Signatures of the export table (plugins/kernel/kernel.h, struct kexport) and where their
 * arguments lie. Places are worked out by hand from the System V ABI's PowerPC supplement, 3-18,
 * and from LESSONS 24. */
#include "test.h"

#include "signature.h"

static signature parse(const char *text)
{
    signature s;
    char error[256] = "";
    if (!signature_parse(text, &s, error, sizeof error)) {
        fail_msg("%s", error);
    }
    return s;
}

static void refuse(const char *text, const char *reason)
{
    signature s;
    char error[256] = "";
    assert_false(signature_parse(text, &s, error, sizeof error));
    assert_non_null(strstr(error, reason));
    assert_non_null(strstr(error, text));
}

static void reads_result_names_and_types(void **state)
{
    signature s = parse("u(handle_out:p,count:i,mask:q)");
    assert_int_equal(s.result, 'u');
    assert_int_equal(s.count, 3);
    assert_false(s.variadic);
    assert_string_equal(s.arguments[0].name, "handle_out");
    assert_int_equal(s.arguments[1].type, 'i');
    assert_int_equal(s.arguments[2].type, 'q');
}

static void reads_an_empty_list(void **state)
{
    signature s = parse("v()");
    assert_int_equal(s.result, 'v');
    assert_int_equal(s.count, 0);
}

static void reads_variable_arguments(void **state)
{
    signature s = parse("i(buffer:p,...)");
    assert_true(s.variadic);
    assert_int_equal(s.count, 1);
    assert_true(parse("u(...)").variadic);
}

static void refuses_an_unknown_result(void **state)
{
    refuse("x()", "the result must be");
    refuse("", "the result must be");
}

static void refuses_an_unknown_type(void **state)
{
    refuse("u(a:z)", "the type must be");
    refuse("u(a:", "the type must be");
}

static void refuses_what_is_cut_off_or_goes_on(void **state)
{
    refuse("u", "expected (");
    refuse("u(a:u", "expected ,");
    refuse("u(a:u,", "expected a name");
    refuse("u(a)", "expected :");
    refuse("u(a:u))", "expected the end");
    refuse("u(...,a:u)", "expected )");
}

static void refuses_names_that_c_would_not_take(void **state)
{
    refuse("u(:u)", "expected a name");
    refuse("u(2x:u)", "expected a name");
    refuse("u(a_name_of_more_than_31_characters_x:u)", "expected a name");
}

static void refuses_more_than_sixteen_arguments(void **state)
{
    char text[256] = "v(a:u";
    for (int i = 0; i < 16; i++) {
        strcat(text, ",a:u");
    }
    strcat(text, ")");
    refuse(text, "more than 16");
}

static void refuses_pairs_before_variable_arguments(void **state)
{
    refuse("u(a:q,...)", "32-bit arguments only");
    refuse("u(a:d,...)", "32-bit arguments only");
}

static void eight_words_need_no_stack(void **state)
{
    signature s = parse("u(a:u,b:u,c:u,d:u,e:u,f:u,g:u,h:u)");
    signature_place places[SIGNATURE_ARGUMENTS];
    assert_int_equal(signature_places(&s, places), 0);
    for (unsigned i = 0; i < 8; i++) {
        assert_int_equal(places[i].sysv_register, 3 + i);
        assert_int_equal(places[i].console_register, 3 + i);
    }
}

static void the_ninth_word_is_on_both_stacks(void **state)
{
    signature s = parse("u(a:u,b:u,c:u,d:u,e:u,f:u,g:u,h:u,i:u,j:u)");
    signature_place places[SIGNATURE_ARGUMENTS];
    assert_int_equal(signature_places(&s, places), 2);
    assert_int_equal(places[8].sysv_register, 0);
    assert_int_equal(places[8].sysv_stack, 8);
    assert_int_equal(places[8].console_register, 0);
    assert_int_equal(places[8].console_stack, 0x50); /* the word itself is at 0x54 */
    assert_int_equal(places[9].sysv_stack, 12);
    assert_int_equal(places[9].console_stack, 0x58);
}

static void a_pair_starts_at_an_odd_register(void **state)
{
    signature s = parse("u(a:u,b:q,c:u)");
    signature_place places[SIGNATURE_ARGUMENTS];
    assert_int_equal(signature_places(&s, places), 0);
    assert_int_equal(places[1].sysv_register, 5); /* r4 is left out */
    assert_int_equal(places[1].console_register, 4);
    assert_int_equal(places[2].sysv_register, 7);
    assert_int_equal(places[2].console_register, 5);
}

static void a_pair_that_does_not_fit_closes_the_registers(void **state)
{
    signature s = parse("u(a:u,b:u,c:u,d:u,e:u,f:u,g:u,h:q,i:u)");
    signature_place places[SIGNATURE_ARGUMENTS];
    assert_int_equal(signature_places(&s, places), 1);
    assert_int_equal(places[7].sysv_stack, 8);
    assert_int_equal(places[7].console_register, 10);
    assert_int_equal(places[8].sysv_register, 0); /* r10 stays empty */
    assert_int_equal(places[8].sysv_stack, 16);
    assert_int_equal(places[8].console_stack, 0x50);
}

static void a_pair_on_the_stack_is_aligned(void **state)
{
    signature s = parse("u(a:u,b:u,c:u,d:u,e:u,f:u,g:u,h:u,i:u,j:q)");
    signature_place places[SIGNATURE_ARGUMENTS];
    assert_int_equal(signature_places(&s, places), 2);
    assert_int_equal(places[8].sysv_stack, 8);
    assert_int_equal(places[9].sysv_stack, 16); /* 12 is not a multiple of 8 */
}

static void a_double_uses_up_a_console_slot_only(void **state)
{
    signature s = parse("u(a:u,b:d,c:u)");
    signature_place places[SIGNATURE_ARGUMENTS];
    assert_int_equal(signature_places(&s, places), 0);
    assert_int_equal(places[1].sysv_register, 0);
    assert_int_equal(places[1].console_register, 0);
    assert_int_equal(places[2].sysv_register, 4);
    assert_int_equal(places[2].console_register, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_result_names_and_types),
        cmocka_unit_test(reads_an_empty_list),
        cmocka_unit_test(reads_variable_arguments),
        cmocka_unit_test(refuses_an_unknown_result),
        cmocka_unit_test(refuses_an_unknown_type),
        cmocka_unit_test(refuses_what_is_cut_off_or_goes_on),
        cmocka_unit_test(refuses_names_that_c_would_not_take),
        cmocka_unit_test(refuses_more_than_sixteen_arguments),
        cmocka_unit_test(refuses_pairs_before_variable_arguments),
        cmocka_unit_test(eight_words_need_no_stack),
        cmocka_unit_test(the_ninth_word_is_on_both_stacks),
        cmocka_unit_test(a_pair_starts_at_an_odd_register),
        cmocka_unit_test(a_pair_that_does_not_fit_closes_the_registers),
        cmocka_unit_test(a_pair_on_the_stack_is_aligned),
        cmocka_unit_test(a_double_uses_up_a_console_slot_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
