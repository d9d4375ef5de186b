/* The printf family. Plain conversions are compared with what the C standard prints; where the
 * console's Microsoft runtime differs (three-digit exponents, 1.#INF, %p, I64, %S, _snprintf's
 * truncation) the expectation is MSDN's "Format Specification Syntax" and "_snprintf". */
#include "fixture.h"

#include <stdlib.h>
#include <string.h>

#include "exports.h"

#define U(x)   ((uint64_t)(x))
#define OUT    (f->scratch + 0x1000)
#define FORMAT (f->scratch + 0x100)
#define TEXT_A (f->scratch + 0x400)
#define TEXT_B (f->scratch + 0x600)

static int setup(void **state)
{
    *state = fixture_open();
    return 0;
}

static int teardown(void **state)
{
    fixture_close(*state);
    return 0;
}

/* sprintf with up to three arguments; the text. */
static const char *print(fixture *f, const char *format, uint64_t a, uint64_t b, uint64_t c)
{
    set_text(f, FORMAT, format);
    memset(at(f, OUT), '@', 64);
    uint64_t count = invoke(f, ex_sprintf, 5, U(OUT), U(FORMAT), a, b, c);
    const char *text = (const char *)at(f, OUT);
    assert_int_equal((int32_t)count, strlen(text));
    return text;
}

static const char *print_real(fixture *f, const char *format, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return print(f, format, bits, 0, 0);
}

static void test_integers(void **state)
{
    fixture *f = *state;
    assert_string_equal(print(f, "%d %i %u", U(-5), U(7), U(UINT32_MAX)), "-5 7 4294967295");
    assert_string_equal(print(f, "%x %X %o", U(0xBEEF), U(0xBEEF), U(8)), "beef BEEF 10");
    assert_string_equal(print(f, "%d", U(0x80000000), 0, 0), "-2147483648");
    assert_string_equal(print(f, "%d", UINT64_C(0x1234567800000001), 0, 0), "1"); /* low word */
}

static void test_flags_and_widths(void **state)
{
    fixture *f = *state;
    assert_string_equal(print(f, "[%5d|%-5d|%05d]", U(42), U(42), U(-42)), "[   42|42   |-0042]");
    assert_string_equal(print(f, "[%+d|% d|%+d]", U(1), U(2), U(-3)), "[+1| 2|-3]");
    assert_string_equal(print(f, "[%#x|%#X|%#o]", U(255), U(255), U(8)), "[0xff|0XFF|010]");
    assert_string_equal(print(f, "[%#x|%#o|%06x]", U(0), U(0), U(0xAB)), "[0|0|0000ab]");
    assert_string_equal(print(f, "[%-05d|%08.3d]", U(7), U(7), 0), "[7    |     007]");
}

static void test_precision_of_integers(void **state)
{
    fixture *f = *state;
    assert_string_equal(print(f, "[%.3d|%.0d|%.d]", U(5), U(0), U(0)), "[005||]");
    assert_string_equal(print(f, "[%6.3x|%-6.3u|", U(10), U(10), 0), "[   00a|010   |");
}

static void test_stars(void **state)
{
    fixture *f = *state;
    assert_string_equal(print(f, "[%*d]", U(4), U(7), 0), "[   7]");
    assert_string_equal(print(f, "[%*d]", U(-4), U(7), 0), "[7   ]");
    assert_string_equal(print(f, "[%.*s]", U(2), U(set_text(f, TEXT_A, "abc")), 0), "[ab]");
    assert_string_equal(print(f, "[%.*s]", U(-1), U(TEXT_A), 0), "[abc]");
}

static void test_sizes(void **state)
{
    fixture *f = *state;
    assert_string_equal(print(f, "%hd %hu %hhd", U(0x18000), U(0x1FFFF), U(0x1FF)),
                        "-32768 65535 -1");
    assert_string_equal(print(f, "%I64d %I64x", U(-1), UINT64_C(0x123456789ABCDEF0), 0),
                        "-1 123456789abcdef0");
    assert_string_equal(print(f, "%lld %llu", UINT64_C(1) << 40, UINT64_MAX, 0),
                        "1099511627776 18446744073709551615");
    assert_string_equal(print(f, "%I32d %ld %Iu", UINT64_C(0xFF00000001), U(2), U(3)), "1 2 3");
}

static void test_characters_and_strings(void **state)
{
    fixture *f = *state;
    set_text(f, TEXT_A, "text");
    assert_string_equal(print(f, "[%c|%3c|%-3c]", U('a'), U('b'), U('c')), "[a|  b|c  ]");
    assert_string_equal(print(f, "[%s|%6s|%-6s]", U(TEXT_A), U(TEXT_A), U(TEXT_A)),
                        "[text|  text|text  ]");
    assert_string_equal(print(f, "[%.2s|%5.1s]", U(TEXT_A), U(TEXT_A), 0), "[te|    t]");
    assert_string_equal(print(f, "%s", 0, 0, 0), "(null)");
    assert_string_equal(print(f, "100%% %y", 0, 0, 0), "100% y"); /* unknown: the character */
}

static void test_wide_strings_in_narrow_formats(void **state)
{
    fixture *f = *state;
    set_wide(f, TEXT_A, "wide");
    set_text(f, TEXT_B, "narrow");
    assert_string_equal(print(f, "%S %ls %ws", U(TEXT_A), U(TEXT_A), U(TEXT_A)), "wide wide wide");
    assert_string_equal(print(f, "%hs %.2S", U(TEXT_B), U(TEXT_A), 0), "narrow wi");
    weft_store16(at(f, TEXT_A), 0x3042);
    assert_string_equal(print(f, "%S%C", U(TEXT_A), U('x'), 0), "?idex");
}

static void test_counted_strings(void **state)
{
    fixture *f = *state;
    uint32_t ansi = f->scratch, unicode = f->scratch + 8;
    weft_store16(at(f, ansi), 3);
    set_word(f, ansi + 4, set_text(f, TEXT_A, "abcdef"));
    weft_store16(at(f, unicode), 4);
    set_word(f, unicode + 4, set_wide(f, TEXT_B, "uvwxyz"));
    assert_string_equal(print(f, "%Z %wZ %Z", U(ansi), U(unicode), 0), "abc uv (null)");
}

/* Eight hexadecimal digits in capitals, no prefix. */
static void test_pointers(void **state)
{
    assert_string_equal(print(*state, "%p %p", U(0x82001ABC), U(0), 0), "82001ABC 00000000");
}

static void test_reals(void **state)
{
    fixture *f = *state;
    assert_string_equal(print_real(f, "%f", 3.25), "3.250000");
    assert_string_equal(print_real(f, "%.2f", -0.125), "-0.12"); /* a tie goes to even */
    assert_string_equal(print_real(f, "%08.3f", -3.14159), "-003.142");
    assert_string_equal(print_real(f, "%+.0f", 2.0), "+2");
    assert_string_equal(print_real(f, "%#.0f", 2.0), "2.");
    assert_string_equal(print_real(f, "%g", 0.0001), "0.0001");
    assert_string_equal(print_real(f, "%g", 100000.0), "100000");
    assert_string_equal(print_real(f, "[%10.3f]", 1.0), "[     1.000]");
    assert_string_equal(print_real(f, "[%-10.3f]", 1.0), "[1.000     ]");
    /* 2^80, exactly */
    assert_string_equal(print_real(f, "%.0f", 1208925819614629174706176.0),
                        "1208925819614629174706176");
}

static void test_exponents_have_three_digits(void **state)
{
    fixture *f = *state;
    assert_string_equal(print_real(f, "%e", 12345.678), "1.234568e+004");
    assert_string_equal(print_real(f, "%.2E", 1e-10), "1.00E-010");
    assert_string_equal(print_real(f, "%g", 1e100), "1e+100");
    assert_string_equal(print_real(f, "%G", 1e-5), "1E-005");
}

static void test_infinities_and_nans(void **state)
{
    fixture *f = *state;
    assert_string_equal(print(f, "%f", UINT64_C(0x7FF0000000000000), 0, 0), "1.#INF00");
    assert_string_equal(print(f, "%g", UINT64_C(0xFFF0000000000000), 0, 0), "-1.#INF");
    assert_string_equal(print(f, "%g", UINT64_C(0xFFF8000000000000), 0, 0), "-1.#IND");
    assert_string_equal(print(f, "%g", UINT64_C(0x7FF8000000000000), 0, 0), "1.#QNAN");
}

static void test_count_of_characters(void **state)
{
    fixture *f = *state;
    assert_string_equal(print(f, "abc%nde", U(f->scratch), 0, 0), "abcde");
    assert_int_equal(word(f, f->scratch), 3);
}

/* r3..r10 hold eight arguments; the ninth is on the stack (LESSONS 24). */
static void test_arguments_go_on_on_the_stack(void **state)
{
    fixture *f = *state;
    set_text(f, FORMAT, "%d %d %d %d %d %d %d %d %d");
    invoke(f, ex_sprintf, 11, U(OUT), U(FORMAT), U(1), U(2), U(3), U(4), U(5), U(6), U(7), U(8),
           U(9));
    assert_string_equal((char *)at(f, OUT), "1 2 3 4 5 6 7 8 9");
}

static int32_t bounded(fixture *f, uint32_t count, const char *text)
{
    memset(at(f, OUT), '@', 16);
    set_text(f, FORMAT, "%s");
    return (int32_t)invoke(f, ex__snprintf, 4, U(OUT), U(count), U(FORMAT),
                           U(set_text(f, TEXT_A, text)));
}

/* _snprintf: shorter: NUL and the length; equal: no NUL; longer: cut without NUL, and -1. */
static void test_snprintf_truncation(void **state)
{
    fixture *f = *state;
    assert_int_equal(bounded(f, 8, "abcd"), 4);
    assert_memory_equal(at(f, OUT), "abcd\0@", 6);
    assert_int_equal(bounded(f, 4, "abcd"), 4);
    assert_memory_equal(at(f, OUT), "abcd@@", 6);
    assert_int_equal(bounded(f, 3, "abcd"), -1);
    assert_memory_equal(at(f, OUT), "abc@@@", 6);
    assert_int_equal(bounded(f, 0, "abcd"), -1);
    assert_memory_equal(at(f, OUT), "@@@@@@", 6);
}

/* A va_list points at 8-byte slots. */
static void test_argument_lists(void **state)
{
    fixture *f = *state;
    uint32_t list = f->scratch;
    set_quad(f, list, 42);
    set_quad(f, list + 8, set_text(f, TEXT_A, "list"));
    set_quad(f, list + 16, UINT64_C(0x4004000000000000)); /* 2.5 */
    set_text(f, FORMAT, "%d %s %.1f");
    assert_int_equal(invoke(f, ex_vsprintf, 3, U(OUT), U(FORMAT), U(list)), 11);
    assert_string_equal((char *)at(f, OUT), "42 list 2.5");
    assert_int_equal((int32_t)invoke(f, ex__vsnprintf, 4, U(OUT), U(5), U(FORMAT), U(list)), -1);
    assert_int_equal(invoke(f, ex__vscprintf, 2, U(FORMAT), U(list)), 11);
}

static void test_wide_functions(void **state)
{
    fixture *f = *state;
    set_wide(f, FORMAT, "%d %s %S");
    set_wide(f, TEXT_A, "wide");
    set_text(f, TEXT_B, "thin");
    assert_int_equal(invoke(f, ex_swprintf, 5, U(OUT), U(FORMAT), U(7), U(TEXT_A), U(TEXT_B)), 11);
    set_wide(f, f->scratch + 0x800, "7 wide thin");
    assert_memory_equal(at(f, OUT), at(f, f->scratch + 0x800), 24);
    assert_int_equal(
        (int32_t)invoke(f, ex__snwprintf, 6, U(OUT), U(3), U(FORMAT), U(7), U(TEXT_A), U(TEXT_B)),
        -1);
    set_quad(f, f->scratch, 7);
    set_quad(f, f->scratch + 8, TEXT_A);
    set_quad(f, f->scratch + 16, TEXT_B);
    assert_int_equal(invoke(f, ex_vswprintf, 3, U(OUT), U(FORMAT), U(f->scratch)), 11);
    assert_int_equal(invoke(f, ex__vsnwprintf, 4, U(OUT), U(64), U(FORMAT), U(f->scratch)), 11);
    assert_int_equal(invoke(f, ex__vscwprintf, 2, U(FORMAT), U(f->scratch)), 11);
}

static void test_debug_print(void **state)
{
    fixture *f = *state;
    set_text(f, FORMAT, "frame %d\n");
    assert_int_equal(invoke(f, ex_DbgPrint, 2, U(FORMAT), U(3)), STATUS_SUCCESS);
    assert_string_equal(f->fake->printed, "frame 3\n");
}

/* Widths from outside must not cost time or memory. */
static void test_hostile_widths(void **state)
{
    fixture *f = *state;
    set_text(f, FORMAT, "%2000000000d%999999999999999.99999999999f");
    assert_int_equal(invoke(f, ex__scprintf, 3, U(FORMAT), U(1), U(0)),
                     (uint32_t)(2000000000u + 2147483647u));
    assert_int_equal(invoke(f, ex_DbgPrint, 3, U(FORMAT), U(1), U(0)), STATUS_SUCCESS);
    assert_int_equal((int32_t)invoke(f, ex__snprintf, 5, U(OUT), U(16), U(FORMAT), U(1), U(0)), -1);
    invoke(f, ex_sprintf, 4, U(OUT), U(FORMAT), U(1), U(0));
    assert_true(f->call.faulted); /* ran out of the memory that is there */
}

static void test_wild_strings_fault(void **state)
{
    fixture *f = *state;
    set_text(f, FORMAT, "%s");
    invoke(f, ex_sprintf, 3, U(OUT), U(FORMAT), U(0x00001000));
    assert_true(f->call.faulted);
    assert_int_equal(f->call.fault_address, 0x00001000);
    invoke(f, ex_vsprintf, 3, U(OUT), U(FORMAT), U(0));
    assert_true(f->call.faulted);
    invoke(f, ex_sprintf, 3, U(OUT), U(0x00002000), U(0));
    assert_true(f->call.faulted);
}

static void test_formats_that_end_early(void **state)
{
    fixture *f = *state;
    assert_string_equal(print(f, "abc%", 0, 0, 0), "abc");
    assert_string_equal(print(f, "abc%-5.3l", 0, 0, 0), "abc");
    assert_string_equal(print(f, "", 0, 0, 0), "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_integers),
        TEST(test_flags_and_widths),
        TEST(test_precision_of_integers),
        TEST(test_stars),
        TEST(test_sizes),
        TEST(test_characters_and_strings),
        TEST(test_wide_strings_in_narrow_formats),
        TEST(test_counted_strings),
        TEST(test_pointers),
        TEST(test_reals),
        TEST(test_exponents_have_three_digits),
        TEST(test_infinities_and_nans),
        TEST(test_count_of_characters),
        TEST(test_arguments_go_on_on_the_stack),
        TEST(test_snprintf_truncation),
        TEST(test_argument_lists),
        TEST(test_wide_functions),
        TEST(test_debug_print),
        TEST(test_hostile_widths),
        TEST(test_wild_strings_fault),
        TEST(test_formats_that_end_early),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
