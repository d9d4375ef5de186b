/* The run-time library exports: expectations from the NT documentation and [MS-ERREF], dates from a
 * calendar, settings and privileges from LESSONS 51. */
#include "fixture.h"

#include <stdlib.h>
#include <string.h>

#include "exports.h"

#define U(x) ((uint64_t)(x))

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

/* A counted string at `address`. */
static uint32_t counted(fixture *f, uint32_t address, uint16_t length, uint16_t capacity,
                        uint32_t buffer)
{
    weft_store16(at(f, address), length);
    weft_store16(at(f, address + 2), capacity);
    set_word(f, address + 4, buffer);
    return address;
}

static void test_init_ansi_string(void **state)
{
    fixture *f = *state;
    uint32_t s = f->scratch, text = set_text(f, f->scratch + 0x100, "hello");
    invoke(f, ex_RtlInitAnsiString, 2, U(s), U(text));
    assert_int_equal(weft_load16(at(f, s)), 5);
    assert_int_equal(weft_load16(at(f, s + 2)), 6);
    assert_int_equal(word(f, s + 4), text);
    invoke(f, ex_RtlInitAnsiString, 2, U(s), U(0));
    assert_int_equal(quad(f, s), 0);
}

static void test_init_unicode_string(void **state)
{
    fixture *f = *state;
    uint32_t s = f->scratch, text = set_wide(f, f->scratch + 0x100, "hello");
    invoke(f, ex_RtlInitUnicodeString, 2, U(s), U(text));
    assert_int_equal(weft_load16(at(f, s)), 10);
    assert_int_equal(weft_load16(at(f, s + 2)), 12);
    assert_int_equal(word(f, s + 4), text);
}

static void test_strings_longer_than_64_kib_are_cut(void **state)
{
    fixture *f = *state;
    memset(at(f, f->scratch + 0x1000), 'a', 0x20000);
    invoke(f, ex_RtlInitAnsiString, 2, U(f->scratch), U(f->scratch + 0x1000));
    assert_int_equal(weft_load16(at(f, f->scratch)), 0xFFFE);
    assert_int_equal(weft_load16(at(f, f->scratch + 2)), 0xFFFF);
}

static void test_unicode_to_ansi_with_allocation(void **state)
{
    fixture *f = *state;
    uint32_t to = f->scratch, text = set_wide(f, f->scratch + 0x100, "wide");
    uint32_t from = counted(f, f->scratch + 16, 8, 10, text);
    assert_int_equal(invoke(f, ex_RtlUnicodeStringToAnsiString, 3, U(to), U(from), U(1)),
                     STATUS_SUCCESS);
    assert_int_equal(weft_load16(at(f, to)), 4);
    assert_int_equal(weft_load16(at(f, to + 2)), 5);
    assert_string_equal((char *)at(f, word(f, to + 4)), "wide");
    invoke(f, ex_RtlFreeAnsiString, 1, U(to));
    assert_int_equal(quad(f, to), 0);
}

static void test_unicode_to_ansi_that_does_not_fit(void **state)
{
    fixture *f = *state;
    uint32_t to = counted(f, f->scratch, 0, 4, f->scratch + 0x200);
    uint32_t from = counted(f, f->scratch + 16, 8, 10, set_wide(f, f->scratch + 0x100, "wide"));
    set_text(f, f->scratch + 0x200, "@@@@@@");
    assert_int_equal((kstatus)invoke(f, ex_RtlUnicodeStringToAnsiString, 3, U(to), U(from), U(0)),
                     STATUS_BUFFER_OVERFLOW);
    assert_memory_equal(at(f, f->scratch + 0x200), "wid\0@@", 6);
    assert_int_equal(weft_load16(at(f, to)), 3);
}

static void test_ansi_to_unicode(void **state)
{
    fixture *f = *state;
    uint32_t to = f->scratch;
    uint32_t from = counted(f, f->scratch + 16, 3, 4, set_text(f, f->scratch + 0x100, "a\xE9z"));
    assert_int_equal(invoke(f, ex_RtlAnsiStringToUnicodeString, 3, U(to), U(from), U(1)),
                     STATUS_SUCCESS);
    assert_int_equal(weft_load16(at(f, to)), 6);
    assert_memory_equal(at(f, word(f, to + 4)), "\0a\0\xE9\0z\0\0", 8);
    invoke(f, ex_RtlFreeUnicodeString, 1, U(to));
}

/* Sizes are bytes; what does not fit is left out, and the count says so. */
static void test_multi_byte_and_back(void **state)
{
    fixture *f = *state;
    uint32_t text = set_text(f, f->scratch + 0x100, "abcdef"), wide = f->scratch + 0x200;
    uint32_t written = f->scratch;
    invoke(f, ex_RtlMultiByteToUnicodeN, 5, U(wide), U(8), U(written), U(text), U(6));
    assert_int_equal(word(f, written), 8);
    assert_memory_equal(at(f, wide), "\0a\0b\0c\0d\0\0", 10);
    weft_store16(at(f, wide + 2), 0x3042); /* has no place in Latin-1 */
    invoke(f, ex_RtlUnicodeToMultiByteN, 5, U(text), U(3), U(written), U(wide), U(8));
    assert_int_equal(word(f, written), 3);
    assert_memory_equal(at(f, text), "a?cdef", 6);
    invoke(f, ex_RtlMultiByteToUnicodeSize, 3, U(written), U(text), U(7));
    assert_int_equal(word(f, written), 14);
    invoke(f, ex_RtlUnicodeToMultiByteSize, 3, U(written), U(wide), U(14));
    assert_int_equal(word(f, written), 7);
}

static void test_case_of_characters(void **state)
{
    fixture *f = *state;
    assert_int_equal(invoke(f, ex_RtlUpcaseUnicodeChar, 1, U('q')), 'Q');
    assert_int_equal(invoke(f, ex_RtlUpcaseUnicodeChar, 1, U(0xE4)), 0xC4);
    assert_int_equal(invoke(f, ex_RtlUpcaseUnicodeChar, 1, U(0xF7)), 0xF7); /* division sign */
    assert_int_equal(invoke(f, ex_RtlDowncaseUnicodeChar, 1, U('Q')), 'q');
    assert_int_equal(invoke(f, ex_RtlDowncaseUnicodeChar, 1, U(0xD7)), 0xD7); /* times sign */
    assert_int_equal(invoke(f, ex_RtlUpperChar, 1, U('z')), 'Z');
    assert_int_equal(invoke(f, ex_RtlLowerChar, 1, U('[')), '[');
}

static void test_compare_string(void **state)
{
    fixture *f = *state;
    uint32_t a = counted(f, f->scratch, 3, 4, set_text(f, f->scratch + 0x100, "abc"));
    uint32_t b = counted(f, f->scratch + 16, 4, 5, set_text(f, f->scratch + 0x200, "ABCD"));
    assert_true((int32_t)invoke(f, ex_RtlCompareString, 3, U(a), U(b), U(0)) > 0); /* 'a' > 'A' */
    assert_int_equal((int32_t)invoke(f, ex_RtlCompareString, 3, U(a), U(b), U(1)), -1);
    assert_int_equal((int32_t)invoke(f, ex_RtlCompareStringN, 5, U(f->scratch + 0x100), U(3),
                                     U(f->scratch + 0x200), U(3), U(1)),
                     0);
    /* 0xFFFF: up to the NUL */
    assert_int_equal((int32_t)invoke(f, ex_RtlCompareStringN, 5, U(f->scratch + 0x100), U(0xFFFF),
                                     U(f->scratch + 0x200), U(0xFFFF), U(1)),
                     -1);
}

static void test_copy_string_is_bounded(void **state)
{
    fixture *f = *state;
    uint32_t to = counted(f, f->scratch, 0, 3, f->scratch + 0x200);
    uint32_t from = counted(f, f->scratch + 16, 5, 6, set_text(f, f->scratch + 0x100, "hello"));
    invoke(f, ex_RtlCopyString, 2, U(to), U(from));
    assert_int_equal(weft_load16(at(f, to)), 3);
    assert_memory_equal(at(f, f->scratch + 0x200), "hel\0", 4);
    invoke(f, ex_RtlCopyString, 2, U(to), U(0));
    assert_int_equal(weft_load16(at(f, to)), 0);
}

/* "The number of bytes that match": up to the first difference. */
static void test_compare_memory(void **state)
{
    fixture *f = *state;
    set_text(f, f->scratch, "abcXef");
    set_text(f, f->scratch + 0x100, "abcYef");
    assert_int_equal(invoke(f, ex_RtlCompareMemory, 3, U(f->scratch), U(f->scratch + 0x100), U(6)),
                     3);
    assert_int_equal(invoke(f, ex_RtlCompareMemory, 3, U(f->scratch), U(f->scratch), U(6)), 6);
}

/* RtlCompareMemoryUlong counts bytes, in words. */
static void test_compare_and_fill_words(void **state)
{
    fixture *f = *state;
    invoke(f, ex_RtlFillMemoryUlong, 3, U(f->scratch), U(11), U(0xDEADBEEF));
    assert_int_equal(word(f, f->scratch + 4), 0xDEADBEEF);
    assert_int_equal(word(f, f->scratch + 8), 0);
    assert_int_equal(invoke(f, ex_RtlCompareMemoryUlong, 3, U(f->scratch), U(16), U(0xDEADBEEF)),
                     8);
    assert_int_equal(
        invoke(f, ex_RtlCompareMemoryUlong, 3, U(f->scratch + 1), U(16), U(0xDEADBEEF)), 0);
}

/* CRC-32's check value: "123456789" gives CBF43926. */
static void test_crc32(void **state)
{
    fixture *f = *state;
    set_text(f, f->scratch, "123456789");
    assert_int_equal(invoke(f, ex_RtlComputeCrc32, 3, U(0), U(f->scratch), U(9)), 0xCBF43926);
    uint64_t part = invoke(f, ex_RtlComputeCrc32, 3, U(0), U(f->scratch), U(4));
    assert_int_equal(invoke(f, ex_RtlComputeCrc32, 3, part, U(f->scratch + 4), U(5)), 0xCBF43926);
}

static void check_fields(fixture *f, uint64_t time, const uint16_t *fields)
{
    set_quad(f, f->scratch, time);
    invoke(f, ex_RtlTimeToTimeFields, 2, U(f->scratch), U(f->scratch + 16));
    for (uint32_t i = 0; i < 8; i++) {
        assert_int_equal(weft_load16(at(f, f->scratch + 16 + i * 2)), fields[i]);
    }
    set_quad(f, f->scratch, 0);
    assert_int_equal(invoke(f, ex_RtlTimeFieldsToTime, 2, U(f->scratch + 16), U(f->scratch)), 1);
    assert_int_equal(quad(f, f->scratch), time);
}

/* 1601-01-01 was a Monday; 1970-01-01, 116444736000000000, a Thursday; 2005-11-22 a Tuesday. */
static void test_times(void **state)
{
    check_fields(*state, 0, (uint16_t[]){1601, 1, 1, 0, 0, 0, 0, 1});
    check_fields(*state, UINT64_C(116444736000000000), (uint16_t[]){1970, 1, 1, 0, 0, 0, 0, 4});
    check_fields(*state, UINT64_C(127770912000000000), (uint16_t[]){2005, 11, 22, 0, 0, 0, 0, 2});
    /* 2000-02-29T23:59:59.999, a Tuesday: 951868799 s after 1970 */
    check_fields(*state, UINT64_C(116444736000000000) + UINT64_C(951868799) * 10000000 + 9990000,
                 (uint16_t[]){2000, 2, 29, 23, 59, 59, 999, 2});
    /* 2004-12-31, a Friday: 1104451200 s */
    check_fields(*state, UINT64_C(116444736000000000) + UINT64_C(1104451200) * 10000000,
                 (uint16_t[]){2004, 12, 31, 0, 0, 0, 0, 5});
}

static void test_impossible_dates(void **state)
{
    fixture *f = *state;
    const uint16_t bad[][7] = {
        {1600, 1, 1},  {2001, 2, 29}, {1900, 2, 29},          {2001, 0, 1},
        {2001, 13, 1}, {2001, 4, 31}, {2001, 1, 1, 24, 0, 0}, {2001, 1, 1, 0, 60, 0},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        for (uint32_t j = 0; j < 7; j++) {
            weft_store16(at(f, f->scratch + j * 2), bad[i][j]);
        }
        assert_int_equal(invoke(f, ex_RtlTimeFieldsToTime, 2, U(f->scratch), U(f->scratch + 64)),
                         0);
    }
}

static void test_status_to_dos_error(void **state)
{
    const struct {
        uint32_t status, error;
    } rows[] = {
        {STATUS_SUCCESS, 0},
        {STATUS_PENDING, 997},      /* ERROR_IO_PENDING */
        {STATUS_NO_MORE_FILES, 18}, /* ERROR_NO_MORE_FILES */
        {STATUS_END_OF_FILE, 38},   /* ERROR_HANDLE_EOF */
        {STATUS_NO_SUCH_FILE, 2},   /* ERROR_FILE_NOT_FOUND */
        {STATUS_OBJECT_NAME_NOT_FOUND, 2},
        {STATUS_OBJECT_PATH_NOT_FOUND, 3}, /* ERROR_PATH_NOT_FOUND */
        {STATUS_INVALID_HANDLE, 6},
        {STATUS_ACCESS_DENIED, 5},
        {STATUS_OBJECT_NAME_COLLISION, 183}, /* ERROR_ALREADY_EXISTS */
        {STATUS_NO_MEMORY, 8},
        {0x80070057, 87},         /* HRESULT of ERROR_INVALID_PARAMETER */
        {0xD000000D, 87},         /* STATUS_INVALID_PARAMETER as an HRESULT */
        {0xC0FFFFFF, 317},        /* ERROR_MR_MID_NOT_FOUND */
        {0x20000123, 0x20000123}, /* customer codes stay */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(invoke(*state, ex_RtlNtStatusToDosError, 1, U(rows[i].status)),
                         rows[i].error);
    }
}

/* ---- settings -------------------------------------------------------------------------------- */

static kstatus setting(fixture *f, uint32_t category, uint32_t number, uint32_t buffer,
                       uint32_t size)
{
    return (kstatus)invoke(f, ex_ExGetXConfigSetting, 5, U(category), U(number), U(buffer), U(size),
                           U(f->scratch));
}

static void test_settings(void **state)
{
    fixture *f = *state;
    uint32_t out = f->scratch + 16;
    assert_int_equal(setting(f, 3, 9, out, 4), STATUS_SUCCESS);
    assert_int_equal(word(f, out), 1); /* English */
    assert_int_equal(weft_load16(at(f, f->scratch)), 4);
    assert_int_equal(setting(f, 3, 14, out, 4), STATUS_SUCCESS);
    assert_int_equal(*at(f, out), 103); /* USA, one byte */
    assert_int_equal(weft_load16(at(f, f->scratch)), 1);
    assert_int_equal(setting(f, 2, 2, out, 4), STATUS_SUCCESS);
    assert_int_equal(word(f, out), 0x1000);                   /* NTSC-M */
    assert_int_equal(setting(f, 3, 9, 0, 0), STATUS_SUCCESS); /* only the size */
    assert_int_equal(setting(f, 3, 9, out, 3), STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(setting(f, 3, 9, 0, 4), STATUS_INVALID_PARAMETER_3);
    assert_int_equal(setting(f, 3, 999, out, 4), STATUS_INVALID_PARAMETER_2);
    assert_int_equal(setting(f, 99, 1, out, 4), STATUS_INVALID_PARAMETER_1);
}

/* LESSONS 51: bit p of the system flags, 0 from 32 on. */
static void test_privileges(void **state)
{
    fixture *f = *state;
    kmodule title = {.system_flags = 0x80000402};
    assert_int_equal(invoke(f, ex_XexCheckExecutablePrivilege, 1, U(1)), 0); /* no title */
    f->k->title = &title;
    assert_int_equal(invoke(f, ex_XexCheckExecutablePrivilege, 1, U(1)), 1);
    assert_int_equal(invoke(f, ex_XexCheckExecutablePrivilege, 1, U(10)), 1);
    assert_int_equal(invoke(f, ex_XexCheckExecutablePrivilege, 1, U(31)), 1);
    assert_int_equal(invoke(f, ex_XexCheckExecutablePrivilege, 1, U(0)), 0);
    assert_int_equal(invoke(f, ex_XexCheckExecutablePrivilege, 1, U(32)), 0);
    assert_int_equal(invoke(f, ex_XexCheckExecutablePrivilege, 1, U(33)), 0);
    f->k->title = NULL;
}

/* ---- the export table ------------------------------------------------------------------------ */

/* Ordinals as in shared/reference/exports-needed.tsv. */
static void test_ordinals_have_names(void **state)
{
    assert_string_equal(kexport_ordinal_name(KMODULE_KRNL, 0xF0), "NtReadFile");
    assert_string_equal(kexport_ordinal_name(KMODULE_KRNL, 0x01), "DbgBreakPoint");
    assert_string_equal(kexport_ordinal_name(KMODULE_XAM, 0x191), "XamInputGetState");
    assert_null(kexport_ordinal_name(KMODULE_KRNL, 0xFFFF));
    assert_null(kexport_ordinal_name(7, 1));
}

/* Every row is called what its ordinal is called, and stands once. */
static void test_rows_agree_with_the_names(void **state)
{
    uint32_t count;
    const kexport *rows = kexport_rows(&count);
    for (uint32_t i = 0; i < count; i++) {
        const char *name = kexport_ordinal_name(rows[i].module, rows[i].ordinal);
        if (!name || strcmp(name, rows[i].name) != 0) {
            fail_msg("row %s has ordinal %u, which is %s", rows[i].name, rows[i].ordinal,
                     name ? name : "unknown");
        }
        for (uint32_t j = 0; j < i; j++) {
            if (rows[i].module == rows[j].module && rows[i].ordinal == rows[j].ordinal) {
                fail_msg("%s stands twice", rows[i].name);
            }
        }
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_init_ansi_string),
        TEST(test_init_unicode_string),
        TEST(test_strings_longer_than_64_kib_are_cut),
        TEST(test_unicode_to_ansi_with_allocation),
        TEST(test_unicode_to_ansi_that_does_not_fit),
        TEST(test_ansi_to_unicode),
        TEST(test_multi_byte_and_back),
        TEST(test_case_of_characters),
        TEST(test_compare_string),
        TEST(test_copy_string_is_bounded),
        TEST(test_compare_memory),
        TEST(test_compare_and_fill_words),
        TEST(test_crc32),
        TEST(test_times),
        TEST(test_impossible_dates),
        TEST(test_status_to_dos_error),
        TEST(test_settings),
        TEST(test_privileges),
        cmocka_unit_test(test_ordinals_have_names),
        cmocka_unit_test(test_rows_agree_with_the_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
