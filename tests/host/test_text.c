/* test_text.c: words, JSON texts and the types of option values. */
#include "support.h"

#include "host/option.h"
#include "host/text.h"

static void test_nearest_word(void **state)
{
    static const char *const words[] = {"engine", "seed", "machine"};
    assert_string_equal(text_nearest("enginee", words, 3), "engine");
    assert_string_equal(text_nearest("sead", words, 3), "seed");
    assert_null(text_nearest("completely-else", words, 3));
    assert_null(text_nearest("x", words, 0));
}

static void test_paths(void **state)
{
    static const char *const rows[][3] = {{"a/b/c.ini", "a/b", "c.ini"},
                                          {"c.ini", ".", "c.ini"},
                                          {"/c.ini", "/", "c.ini"},
                                          {"a/b/", "a/b", "b"}};
    for (size_t i = 0; i < 4; i++) {
        char *folder = text_folder(rows[i][0]), *name = text_file_name(rows[i][0]);
        assert_string_equal(folder, rows[i][1]);
        assert_string_equal(name, rows[i][2]);
        free(folder);
        free(name);
    }
}

static void test_json_text(void **state)
{
    buffer b = {0};
    buffer_json(&b, "a\"\\\n\x7f\xC3\xA9\xFF\xED\xA0\x80");
    /* RFC 8259, 7; RFC 3629: FF and the surrogate ED A0 80 are no UTF-8 */
    assert_string_equal(b.bytes, "\"a\\\"\\\\\\u000a\x7f\xC3\xA9\\u00ff\\u00ed\\u00a0\\u0080\"");
    buffer_free(&b);
}

static void test_errors_stay_one_line(void **state)
{
    errors list = {0};
    errors_add(&list, "p.ini:1", "found %s", "a\nb\x1b[31m");
    assert_string_equal(list.lines[0], "p.ini:1: found a?b?[31m");
    errors_free(&list);
}

/* Parses as `type`; the number, or -999 when refused. */
static int64_t parsed(uint32_t type, const char *text)
{
    const weft_option o = {
        .key = "k", .type = type, .minimum = INT64_MIN, .maximum = INT64_MAX, .choices = "a|bc"};
    option_value v;
    char expected[160];
    if (option_parse(&o, text, &v, expected, sizeof expected)) {
        return -999;
    }
    free(v.text);
    return v.number;
}

static void test_integers(void **state)
{
    assert_int_equal(parsed(WEFT_OPTION_INT, "42"), 42);
    assert_int_equal(parsed(WEFT_OPTION_INT, "-0x10"), -16);
    assert_int_equal(parsed(WEFT_OPTION_INT, "010"), 10); /* no octal */
    assert_int_equal(parsed(WEFT_OPTION_INT, "9223372036854775807"), INT64_MAX);
    assert_int_equal(parsed(WEFT_OPTION_INT, "9223372036854775808"), -999);
    assert_int_equal(parsed(WEFT_OPTION_INT, ""), -999);
    assert_int_equal(parsed(WEFT_OPTION_INT, " 1"), -999);
    assert_int_equal(parsed(WEFT_OPTION_INT, "1 "), -999);
    assert_int_equal(parsed(WEFT_OPTION_INT, "0x"), -999);
    assert_int_equal(parsed(WEFT_OPTION_INT, "--1"), -999);
}

static void test_bools(void **state)
{
    static const char *const yes[] = {"yes", "true", "on", "1", "Yes"};
    static const char *const no[] = {"no", "false", "off", "0", "OFF"};
    for (int i = 0; i < 5; i++) {
        assert_int_equal(parsed(WEFT_OPTION_BOOL, yes[i]), 1);
        assert_int_equal(parsed(WEFT_OPTION_BOOL, no[i]), 0);
    }
    assert_int_equal(parsed(WEFT_OPTION_BOOL, "2"), -999);
    assert_int_equal(parsed(WEFT_OPTION_BOOL, ""), -999);
}

static void test_choices(void **state)
{
    assert_int_equal(parsed(WEFT_OPTION_CHOICE, "a"), 0);
    assert_int_equal(parsed(WEFT_OPTION_CHOICE, "bc"), 0);
    assert_int_equal(parsed(WEFT_OPTION_CHOICE, "b"), -999);
    assert_int_equal(parsed(WEFT_OPTION_CHOICE, "a|bc"), -999);
    assert_int_equal(parsed(WEFT_OPTION_CHOICE, ""), -999);
}

static void test_times(void **state)
{
    /* Microsoft, FILETIME: 1601-01-01 is 0, the Unix epoch 116444736000000000 */
    assert_int_equal(parsed(OPTION_TIME, "1601-01-01T00:00:00Z"), 0);
    assert_int_equal(parsed(OPTION_TIME, "1970-01-01T00:00:00Z"), INT64_C(116444736000000000));
    assert_int_equal(parsed(OPTION_TIME, "2000-02-29T12:30:15Z"), /* Python datetime */
                     INT64_C(125963010150000000));
    assert_int_equal(parsed(OPTION_TIME, "1900-02-29T00:00:00Z"), -999);
    assert_int_equal(parsed(OPTION_TIME, "2005-11-22"), -999);
    assert_int_equal(parsed(OPTION_TIME, "2005-11-22T24:00:00Z"), -999);
    assert_int_equal(parsed(OPTION_TIME, "2005-11-22T00:00:00Zx"), -999);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nearest_word), cmocka_unit_test(test_paths),
        cmocka_unit_test(test_json_text),    cmocka_unit_test(test_errors_stay_one_line),
        cmocka_unit_test(test_integers),     cmocka_unit_test(test_bools),
        cmocka_unit_test(test_choices),      cmocka_unit_test(test_times),
    };
    return cmocka_run_group_tests_name("host text", tests, NULL, NULL);
}
