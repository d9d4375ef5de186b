/* test_input.c: the input script as docs/input.md describes it. */
#include "support.h"

#include "host/input.h"

static void gives(const char *text, const char *error)
{
    input_script s;
    errors list = {0};
    assert_int_equal(input_parse(&s, "keys.txt", text, strlen(text), &list), -1);
    assert_int_equal(list.count, 1);
    assert_string_equal(list.lines[0], error);
    errors_free(&list);
    input_free(&s);
}

static void test_script_drives_pads(void **state)
{
    static const char text[] = "# comment\n\n2 0 buttons=0x1000 lx=-32768\r\n"
                               "2 1 lt=255 ry=32767\n\t5 0 buttons=0\n9 0 connected=0";
    input_script s;
    errors list = {0};
    weft_pad pads[WEFT_PAD_COUNT] = {{0}};
    assert_int_equal(input_parse(&s, "keys.txt", text, sizeof text - 1, &list), 0);
    input_apply(&s, 1, pads);
    assert_int_equal(pads[0].connected, 0);
    input_apply(&s, 3, pads); /* a vblank that no line names: the ones before hold */
    assert_int_equal(pads[0].connected, 1);
    assert_int_equal(pads[0].buttons, 0x1000);
    assert_int_equal(pads[0].left_x, -32768);
    assert_int_equal(pads[1].left_trigger, 255);
    assert_int_equal(pads[1].right_y, 32767);
    assert_int_equal(pads[2].connected, 0);
    input_apply(&s, 5, pads);
    assert_int_equal(pads[0].buttons, 0);
    assert_int_equal(pads[0].left_x, -32768); /* a key that is not named keeps its value */
    input_apply(&s, 100, pads);
    assert_int_equal(pads[0].connected, 0);
    assert_int_equal(pads[0].left_x, 0); /* what is not there is not pressed */
    input_free(&s);
}

static void test_errors_name_their_line(void **state)
{
    gives("x 0 buttons=1\n",
          "keys.txt:1: vblank is no number or falls (found x, expected 0 or more)");
    gives("\n5 0\n4 0\n", "keys.txt:3: vblank is no number or falls (found 4, expected 5 or more)");
    gives("1\n", "keys.txt:1: port is out of range (found nothing, expected 0 to 3)");
    gives("1 4\n", "keys.txt:1: port is out of range (found 4, expected 0 to 3)");
    gives("1 0 lx\n", "keys.txt:1: word is no assignment (found lx, expected key=value)");
    gives("1 0 lx=32768\n",
          "keys.txt:1: lx is out of range (found 32768, expected -32768 to 32767)");
    gives("1 0 lt=-1\n", "keys.txt:1: lt is out of range (found -1, expected 0 to 255)");
    gives("1 0 buttons=\n", "keys.txt:1: buttons is out of range (found , expected 0 to 65535)");
    gives("1 0 butons=1\n", "keys.txt:1: unknown key (found butons, expected buttons)");
}

static void test_every_error_is_collected(void **state)
{
    static const char text[] = "1 9\n2 0\n3 8\n";
    input_script s;
    errors list = {0};
    input_parse(&s, "keys.txt", text, sizeof text - 1, &list);
    assert_int_equal(list.count, 2);
    errors_free(&list);
    input_free(&s);
}

static void test_nul_byte_is_refused(void **state)
{
    static const char text[] = "1 0 lx=1\0 ly=2\n";
    input_script s;
    errors list = {0};
    assert_int_equal(input_parse(&s, "keys.txt", text, sizeof text - 1, &list), -1);
    assert_contains(list.lines[0], "keys.txt:1: line holds a NUL byte");
    errors_free(&list);
    input_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_script_drives_pads),
        cmocka_unit_test(test_errors_name_their_line),
        cmocka_unit_test(test_every_error_is_collected),
        cmocka_unit_test(test_nul_byte_is_refused),
    };
    return cmocka_run_group_tests_name("host input", tests, NULL, NULL);
}
