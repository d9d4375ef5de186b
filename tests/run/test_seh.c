/* The title seh: guest exceptions end to end. Codes are NT's ([MS-ERREF] 2.3.1); the order of
 * filters, termination handlers and __except blocks is that of the C language's structured
 * exception handling (Microsoft, "Structured Exception Handling (C/C++)"): filters first, from the
 * inside out, then termination handlers in the same order, then the block. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "weft_run.h"

/* The lines must come in this order, whole, with nothing between them. */
static void assert_lines(const char *out, const char *lines)
{
    if (!strstr(out, lines)) {
        fail_msg("not found:\n%s\nin:\n%s", lines, out);
    }
}

static weft_run seh(void)
{
    weft_run r = weft_json(title("seh"), NULL);
    assert_int_equal(r.status, 0);
    assert_string_equal(r.err, "");
    return r;
}

static void all_checks_hold(void **state)
{
    weft_run r = seh();
    assert_non_null(strstr(r.out, "seh: 0 checks failed\n"));
    assert_null(strstr(r.out, "FAILED"));
    assert_int_equal((int)report_number(&r, "exit_code"), 0);
    weft_free(&r);
}

static void cpu_exceptions_have_their_codes(void **state)
{
    weft_run r = seh();
    assert_lines(r.out, "seh: store gives 0xc0000005\n");
    assert_lines(r.out, "seh: divide gives 0xc0000094\n");
    assert_lines(r.out, "seh: overflow gives 0xc0000095\n");
    assert_lines(r.out, "seh: illegal gives 0xc000001d\n");
    assert_lines(r.out, "seh: trap gives 0x80000003\n");
    assert_lines(r.out, "seh: misaligned gives 0x80000002\n");
    weft_free(&r);
}

static void execution_goes_on_after_mapping(void **state)
{
    weft_run r = seh();
    assert_lines(r.out, "seh: fault 1: store\n"
                        "seh: stored 0xcafe after 1 fault, handler code 0\n");
    weft_free(&r);
}

static void noncontinuable_is_not_continued(void **state)
{
    weft_run r = seh();
    assert_lines(r.out, "seh: ignoring the noncontinuable gives 0xc0000025\n");
    weft_free(&r);
}

static void bad_pointer_in_an_export_is_the_titles(void **state)
{
    weft_run r = seh();
    assert_lines(r.out, "seh: a bad record gives 0xc0000005\n");
    weft_free(&r);
}

static void finally_blocks_run_in_order(void **state)
{
    weft_run r = seh();
    assert_lines(r.out, "seh: finally 1, abnormal 0\n"
                        "seh: sum 3\n"
                        "seh: filter declines 0xe0000002\n"
                        "seh: filter sees 0xe0000002, flags 0, 0 parameters\n"
                        "seh: finally 2, abnormal 1\n"
                        "seh: finally 3, abnormal 1\n"
                        "seh: nested gives 0xe0000002\n");
    weft_free(&r);
}

/* A finally block that raises replaces the exception; no block runs twice. */
static void raising_in_finally_goes_on_outside(void **state)
{
    weft_run r = seh();
    assert_lines(r.out, "seh: finally 4, abnormal 1\n"
                        "seh: filter sees 0xe0000004, flags 16, 0 parameters\n"
                        "seh: finally 5, abnormal 1\n"
                        "seh: collided gives 0xe0000004\n");
    weft_free(&r);
}

static void registers_survive_an_unwind(void **state)
{
    weft_run r = seh();
    assert_lines(r.out, "seh: registers preserved: 1, code 0xe0000005\n");
    weft_free(&r);
}

/* RtlUnwind called by the title, as longjmp does: finally runs, no filter is asked. */
static void unwinding_to_a_place_of_ones_own(void **state)
{
    weft_run r = seh();
    assert_lines(r.out, "seh: finally 6, abnormal 1\n"
                        "seh: landed with 77\n");
    weft_free(&r);
}

static void exception_inside_a_filter(void **state)
{
    weft_run r = seh();
    assert_lines(r.out, "seh: 0xc0000005 while filtering 0x80000003\n");
    weft_free(&r);
}

/* throw 41 through two frames with objects; the middle frame's catch is of another type. */
static void thrown_is_caught_behind_two_frames(void **state)
{
    weft_run r = seh();
    assert_lines(r.out, "seh: inner asked for type 1\n"
                        "seh: middle asked for type 1\n"
                        "seh: outer asked for type 1\n"
                        "seh: inner destroyed\n"
                        "seh: middle destroyed\n"
                        "seh: caught 42\n");
    weft_free(&r);
}

static void unhandled_ends_the_title(void **state)
{
    weft_run r = weft_json(title("seh"), "--", "unhandled", NULL);
    assert_int_equal(r.status, 1);
    assert_string_equal(r.out, "seh: filter declines 0x80000003\n");
    assert_int_equal(lines_with(r.err, "weft: error:"), 1);
    assert_non_null(strstr(r.err, "trap at 0x"));
    weft_free(&r);
}

static void nesting_is_bounded(void **state)
{
    weft_run r = weft_json(title("seh"), "--", "nested", NULL);
    assert_int_equal(r.status, 1);
    assert_int_equal(r.signal, 0);
    assert_int_equal(lines_with(r.err, "weft: error:"), 1);
    assert_non_null(strstr(r.err, "too many nested"));
    weft_free(&r);
}

static void runs_are_equal(void **state)
{
    weft_run a = seh(), b = seh();
    assert_string_equal(report_text(&a, "trace_digest"), report_text(&b, "trace_digest"));
    assert_string_equal(report_text(&a, "state_digest"), report_text(&b, "state_digest"));
    weft_free(&a);
    weft_free(&b);
}

static void engines_agree(void **state)
{
    weft_run a = weft_json("--set", "cpu.engine=interp-plain", title("seh"), NULL);
    weft_run b = weft_json("--set", "cpu.engine=interp-blocks", title("seh"), NULL);
    assert_int_equal(a.status, 0);
    assert_string_equal(report_text(&a, "trace_digest"), report_text(&b, "trace_digest"));
    assert_string_equal(report_text(&a, "state_digest"), report_text(&b, "state_digest"));
    weft_free(&a);
    weft_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_checks_hold),
        cmocka_unit_test(cpu_exceptions_have_their_codes),
        cmocka_unit_test(execution_goes_on_after_mapping),
        cmocka_unit_test(noncontinuable_is_not_continued),
        cmocka_unit_test(bad_pointer_in_an_export_is_the_titles),
        cmocka_unit_test(finally_blocks_run_in_order),
        cmocka_unit_test(raising_in_finally_goes_on_outside),
        cmocka_unit_test(registers_survive_an_unwind),
        cmocka_unit_test(unwinding_to_a_place_of_ones_own),
        cmocka_unit_test(exception_inside_a_filter),
        cmocka_unit_test(thrown_is_caught_behind_two_frames),
        cmocka_unit_test(unhandled_ends_the_title),
        cmocka_unit_test(nesting_is_bounded),
        cmocka_unit_test(runs_are_equal),
        cmocka_unit_test(engines_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
