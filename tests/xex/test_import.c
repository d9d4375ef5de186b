/* Import libraries and exports: records and tables by hand, and what mkxex's writer makes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <mbedtls/sha1.h>

#include "support.h"
#include "xex_bytes.h"

/* Two libraries in the wrong order, functions and variables mixed. */
static const weft_mkxex_import some_imports[] = {
    {"xboxkrnl.exe", 1, 0x59, IMAGE_BASE + 0x2010, IMAGE_BASE + 0x1100},
    {"xam.xex", 1, 0x2DC, IMAGE_BASE + 0x2000, IMAGE_BASE + 0x1120},
    {"xboxkrnl.exe", 0, 0x266, IMAGE_BASE + 0x2014, 0},
    {"xboxkrnl.exe", 1, 0x03, IMAGE_BASE + 0x2018, IMAGE_BASE + 0x1140},
};

static test_file make_with_imports(const weft_mkxex_import *imports, uint32_t count,
                                   weft_xex_image *image)
{
    uint8_t bytes[IMAGE_SIZE];
    make_image(bytes);
    weft_mkxex_spec spec = make_spec(bytes);
    spec.imports = imports;
    spec.import_count = count;
    test_file file = file_make(&spec);
    assert_int_equal(weft_xex_decode(file.xex, image, NULL), 0);
    return file;
}

static void test_a_file_without_imports_has_an_empty_list(void **state)
{
    weft_xex_image image;
    weft_xex_import_list list;
    test_file file = make_with_imports(NULL, 0, &image);
    assert_int_equal(weft_xex_imports(file.xex, &image, &list, NULL), 0);
    assert_int_equal(list.library_count, 0);
    assert_true(file.xex->import_digest_ok);
    weft_xex_imports_free(&list);
    weft_xex_image_free(&image);
    file_close(&file);
}

static void test_libraries_are_sorted_and_versioned(void **state)
{
    weft_xex_image image;
    weft_xex_import_list list;
    test_file file = make_with_imports(some_imports, 4, &image);
    assert_int_equal(weft_xex_imports(file.xex, &image, &list, NULL), 0);
    assert_int_equal(list.library_count, 2);
    assert_string_equal(list.libraries[0].name, "xam.xex");
    assert_string_equal(list.libraries[1].name, "xboxkrnl.exe");
    assert_int_equal(list.libraries[0].import_count, 1);
    assert_int_equal(list.libraries[1].import_count, 3);
    assert_int_equal(list.libraries[0].version, 0x20527F00);
    assert_int_equal(list.libraries[1].version_min, 0x20074500);
    assert_int_equal(file.xex->security.import_count, 2);
    weft_xex_imports_free(&list);
    weft_xex_image_free(&image);
    file_close(&file);
}

static void test_imports_say_kind_ordinal_and_addresses(void **state)
{
    weft_xex_image image;
    weft_xex_import_list list;
    test_file file = make_with_imports(some_imports, 4, &image);
    assert_int_equal(weft_xex_imports(file.xex, &image, &list, NULL), 0);
    const weft_xex_import *m = list.libraries[1].imports;
    assert_int_equal(m[0].ordinal, 3);
    assert_int_equal(m[0].kind, WEFT_XEX_FUNCTION);
    assert_int_equal(m[0].record_address, IMAGE_BASE + 0x2018);
    assert_int_equal(m[0].thunk_address, IMAGE_BASE + 0x1140);
    assert_int_equal(m[1].ordinal, 0x59);
    assert_int_equal(m[1].kind, WEFT_XEX_FUNCTION);
    assert_int_equal(m[2].ordinal, 0x266);
    assert_int_equal(m[2].kind, WEFT_XEX_VARIABLE);
    assert_int_equal(m[2].record_address, IMAGE_BASE + 0x2014);
    assert_int_equal(m[2].thunk_address, 0);
    weft_xex_imports_free(&list);
    weft_xex_image_free(&image);
    file_close(&file);
}

/* The words that a public XDK sample has at such addresses, for library 1 and ordinal 0x59. */
static void test_image_holds_the_words_of_real_titles(void **state)
{
    weft_xex_image image;
    test_file file = make_with_imports(some_imports, 4, &image);
    assert_int_equal(be32(image.bytes + 0x2010), 0x00010059);
    assert_int_equal(be32(image.bytes + 0x1100), 0x01010059);
    assert_int_equal(be32(image.bytes + 0x1104), 0x02010059);
    assert_int_equal(be32(image.bytes + 0x1108), 0x7D6903A6); /* mtctr r11 */
    assert_int_equal(be32(image.bytes + 0x110C), 0x4E800420); /* bctr */
    assert_int_equal(be32(image.bytes + 0x2014), 0x00010266);
    assert_int_equal(be32(image.bytes + 0x2000), 0x000002DC);
    weft_xex_image_free(&image);
    file_close(&file);
}

/* Recomputed from the description: over each record but its size word, the next digest inside. */
static void test_import_digests_are_the_documented_chain(void **state)
{
    weft_xex_image image;
    const uint8_t *header;
    uint32_t size;
    test_file file = make_with_imports(some_imports, 4, &image);
    assert_int_equal(weft_xex_header_raw(file.xex, 0x000103FF, &header, &size), 0);
    const uint8_t *record = header + 12 + be32(header + 4);
    const uint8_t *expected = file.xex->security.import_digest;
    for (unsigned i = 0; i < 2; i++) {
        uint8_t digest[20];
        uint32_t length = be32(record);
        assert_int_equal(mbedtls_sha1_ret(record + 4, length - 4, digest), 0);
        assert_memory_equal(digest, expected, 20);
        expected = record + 4;
        record += length;
    }
    assert_ptr_equal(record, header + size);
    assert_true(file.xex->import_digest_ok);
    weft_xex_image_free(&image);
    file_close(&file);
}

static void test_a_changed_record_breaks_the_digest(void **state)
{
    weft_xex_image image;
    const uint8_t *header;
    uint32_t size;
    test_file file = make_with_imports(some_imports, 4, &image);
    assert_int_equal(weft_xex_header_raw(file.xex, 0x000103FF, &header, &size), 0);
    file.bytes[header - file.bytes + size - 1] ^= 4;
    weft_xex_close(file.xex);
    assert_int_equal(weft_xex_open(file.bytes, file.size, &file.xex, NULL), 0);
    assert_false(file.xex->import_digest_ok);
    weft_xex_image_free(&image);
    file_close(&file);
}

/* Puts a word into the import header of a fresh file; the reader must refuse it with that sentence.
 */
static void refuse_import_word(uint32_t offset, uint32_t value, const char *word)
{
    weft_xex_image image;
    weft_xex_import_list list;
    const uint8_t *header;
    uint32_t size;
    char err[256] = "";
    test_file file = make_with_imports(some_imports, 4, &image);
    assert_int_equal(weft_xex_header_raw(file.xex, 0x000103FF, &header, &size), 0);
    put_be32(file.bytes + (header - file.bytes) + offset, value);
    assert_int_equal(weft_xex_imports(file.xex, &image, &list, err), WEFT_XEX_E_FORMAT);
    assert_int_equal(list.library_count, 0);
    assert_non_null(strstr(err, word));
    weft_xex_image_free(&image);
    file_close(&file);
}

/* Strings take 24 bytes ("xam.xex", "xboxkrnl.exe" padded), so the first record is at 36. */
static void test_refuses_malformed_import_headers(void **state)
{
    refuse_import_word(4, 0xFFFFFFF0, "names");
    refuse_import_word(36, 0x27, "library");       /* shorter than a record */
    refuse_import_word(36, 0x7FFFFFFF, "library"); /* past the header */
    refuse_import_word(36 + 0x24, 0x00000100, "256 records");
    refuse_import_word(36 + 0x24, 0x00020002, "missing");
}

static void test_refuses_records_outside_the_image(void **state)
{
    refuse_import_word(36 + 0x28, IMAGE_BASE + IMAGE_SIZE, "record 0");
    refuse_import_word(36 + 0x28, IMAGE_BASE - 4, "record 0");
    refuse_import_word(36 + 0x2C, IMAGE_BASE + 2, "record 1");
}

static void test_refuses_records_of_unknown_type(void **state)
{
    weft_xex_image image;
    weft_xex_import_list list;
    test_file file = make_with_imports(some_imports, 4, &image);
    image.bytes[0x2000] = 2;
    assert_int_equal(weft_xex_imports(file.xex, &image, &list, NULL), WEFT_XEX_E_FORMAT);
    image.bytes[0x2000] = 0;
    /* A thunk at the image's end has no room for its 16 bytes. */
    put_be32(image.bytes + IMAGE_SIZE - 4, 0x01000005);
    const uint8_t *header;
    uint32_t size;
    assert_int_equal(weft_xex_header_raw(file.xex, 0x000103FF, &header, &size), 0);
    put_be32(file.bytes + (header - file.bytes) + 36 + 0x2C, IMAGE_BASE + IMAGE_SIZE - 4);
    assert_int_equal(weft_xex_imports(file.xex, &image, &list, NULL), WEFT_XEX_E_FORMAT);
    weft_xex_image_free(&image);
    file_close(&file);
}

/* A thunk whose variable record does not precede it stands for itself. */
static void test_a_lone_thunk_is_a_function(void **state)
{
    weft_xex_image image;
    weft_xex_import_list list;
    test_file file = make_with_imports(some_imports, 4, &image);
    put_be32(image.bytes + 0x2000, 0x00000111); /* another ordinal than its thunk */
    assert_int_equal(weft_xex_imports(file.xex, &image, &list, NULL), 0);
    assert_int_equal(list.libraries[0].import_count, 2);
    assert_int_equal(list.libraries[0].imports[0].kind, WEFT_XEX_VARIABLE);
    assert_int_equal(list.libraries[0].imports[1].kind, WEFT_XEX_FUNCTION);
    assert_int_equal(list.libraries[0].imports[1].ordinal, 0x2DC);
    assert_int_equal(list.libraries[0].imports[1].record_address, 0);
    weft_xex_imports_free(&list);
    weft_xex_image_free(&image);
    file_close(&file);
}

static void test_writer_refuses_bad_imports(void **state)
{
    static const weft_mkxex_import bad[] = {
        {"xam.xex", 2, 1, IMAGE_BASE + 0x2000, 0},
        {"xam.xex", 0, 0x10000, IMAGE_BASE + 0x2000, 0},
        {"xam.xex", 0, 1, IMAGE_BASE + 0x2001, 0},
        {"xam.xex", 0, 1, IMAGE_BASE + IMAGE_SIZE, 0},
        {"xam.xex", 0, 1, IMAGE_BASE + 0x2000, IMAGE_BASE + 0x1000},
        {"xam.xex", 1, 1, IMAGE_BASE + 0x2000, 0},
        {"xam.xex", 1, 1, IMAGE_BASE + 0x2000, IMAGE_BASE + IMAGE_SIZE - 12},
        {"", 0, 1, IMAGE_BASE + 0x2000, 0},
        {"sixteen-chars-xx", 0, 1, IMAGE_BASE + 0x2000, 0},
    };
    uint8_t bytes[IMAGE_SIZE];
    make_image(bytes);
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint8_t *out;
        size_t size;
        weft_mkxex_spec spec = make_spec(bytes);
        spec.imports = &bad[i];
        spec.import_count = 1;
        assert_int_equal(weft_mkxex_write(&spec, &out, &size, NULL), WEFT_XEX_E_FORMAT);
    }
}

/* ---- exports ---- */

/* A table by ordinal at 0x2200: ordinals 10 to 12, of which 11 is a hole. */
static void put_table(uint8_t *image)
{
    static const uint32_t words[] = {
        0x48000000, 0x00485645,       0x48000000, 0,  0,      0, 0,
        0,          IMAGE_BASE >> 16, 3,          10, 0x1000, 0, 0x1080,
    };
    for (unsigned i = 0; i < sizeof words / sizeof words[0]; i++) {
        put_be32(image + 0x2200 + 4 * i, words[i]);
    }
}

static test_file make_with_table(uint32_t table, weft_xex_image *image)
{
    uint8_t bytes[IMAGE_SIZE];
    make_image(bytes);
    put_table(bytes);
    weft_mkxex_spec spec = make_spec(bytes);
    spec.export_table = table;
    test_file file = file_make(&spec);
    assert_int_equal(weft_xex_decode(file.xex, image, NULL), 0);
    return file;
}

static void test_exports_by_ordinal(void **state)
{
    weft_xex_image image;
    weft_xex_export *list;
    uint32_t count;
    test_file file = make_with_table(IMAGE_BASE + 0x2200, &image);
    assert_int_equal(weft_xex_exports(file.xex, &image, &list, &count, NULL), 0);
    assert_int_equal(count, 2);
    assert_int_equal(weft_xex_export_find(list, count, 10), IMAGE_BASE + 0x1000);
    assert_int_equal(weft_xex_export_find(list, count, 11), 0);
    assert_int_equal(weft_xex_export_find(list, count, 12), IMAGE_BASE + 0x1080);
    assert_int_equal(weft_xex_export_find(list, count, 13), 0);
    assert_null(list[0].name);
    free(list);
    weft_xex_image_free(&image);
    file_close(&file);
}

static void test_no_table_means_no_exports(void **state)
{
    weft_xex_image image;
    weft_xex_export *list;
    uint32_t count;
    test_file file = make_with_table(0, &image);
    assert_int_equal(weft_xex_exports(file.xex, &image, &list, &count, NULL), 0);
    assert_int_equal(count, 0);
    assert_null(list);
    assert_int_equal(weft_xex_export_find(list, count, 10), 0);
    weft_xex_image_free(&image);
    file_close(&file);
}

static void test_refuses_malformed_export_tables(void **state)
{
    weft_xex_image image;
    weft_xex_export *list;
    uint32_t count;
    char err[256] = "";
    test_file file = make_with_table(IMAGE_BASE + 0x2200, &image);
    put_be32(image.bytes + 0x2224, 0x376); /* (0x3000 - 0x222C) / 4 is 0x375 */
    assert_int_equal(weft_xex_exports(file.xex, &image, &list, &count, err), WEFT_XEX_E_FORMAT);
    assert_non_null(strstr(err, "886 entries"));
    put_be32(image.bytes + 0x2224, 0xFFFFFFFF);
    assert_int_equal(weft_xex_exports(file.xex, &image, &list, &count, err), WEFT_XEX_E_FORMAT);
    put_be32(image.bytes + 0x2204, 0);
    assert_int_equal(weft_xex_exports(file.xex, &image, &list, &count, err), WEFT_XEX_E_FORMAT);
    assert_non_null(strstr(err, "magic"));
    weft_xex_image_free(&image);
    file_close(&file);
    file = make_with_table(IMAGE_BASE + IMAGE_SIZE - 43, &image);
    assert_int_equal(weft_xex_exports(file.xex, &image, &list, &count, NULL), WEFT_XEX_E_FORMAT);
    weft_xex_image_free(&image);
    file_close(&file);
}

/*
 * A PE export directory at 0x2400: base ordinal 11, three functions, names "one" for the first and
 * "two" for the second; its offsets are relative to `origin`.
 */
static void put_directory(uint8_t *image, uint32_t origin)
{
    uint8_t *d = image + 0x2400;
    put_le32(d + 16, 11);
    put_le32(d + 20, 3);
    put_le32(d + 24, 2);
    put_le32(d + 28, 0x2440 - origin);
    put_le32(d + 32, 0x2450 - origin);
    put_le32(d + 36, 0x2460 - origin);
    put_le32(image + 0x2440, 0x1010);
    put_le32(image + 0x2444, 0x1020);
    put_le32(image + 0x2448, 0x1030);
    put_le32(image + 0x2450, 0x2470 - origin);
    put_le32(image + 0x2454, 0x2478 - origin);
    put_le16(image + 0x2460, 0);
    put_le16(image + 0x2462, 1);
    memcpy(image + 0x2470, "one", 4);
    memcpy(image + 0x2478, "two", 4);
}

/* The table by ordinal gives 10 and 12; the directory adds 11 and 13 and names 11 and 12. */
static void check_merged(test_file *file, weft_xex_image *image)
{
    weft_xex_export *list;
    uint32_t count;
    char err[256] = "";
    if (weft_xex_exports(file->xex, image, &list, &count, err)) {
        fail_msg("%s", err);
    }
    assert_int_equal(count, 4);
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(list[i].ordinal, 10 + i);
    }
    assert_null(list[0].name);
    assert_string_equal(list[1].name, "one");
    assert_int_equal(list[1].address, IMAGE_BASE + 0x1010);
    assert_string_equal(list[2].name, "two");
    assert_int_equal(list[2].address, IMAGE_BASE + 0x1080); /* the table's, not the directory's */
    assert_int_equal(list[3].address, IMAGE_BASE + 0x1030);
    free(list);
}

static void test_pe_directory_adds_names(void **state)
{
    weft_xex_image image;
    test_file file = make_with_table(IMAGE_BASE + 0x2200, &image);
    put_directory(image.bytes, 0);
    put_le32(image.bytes + 0x80 + 24 + 96, 0x2400); /* data directory 0 */
    put_le32(image.bytes + 0x80 + 24 + 100, 0x80);
    check_merged(&file, &image);
    weft_xex_image_free(&image);
    file_close(&file);
}

static void test_exports_by_name_header_is_relative_to_itself(void **state)
{
    static const uint8_t where[8] = {0, 0, 0x24, 0, 0, 0, 0, 0x80};
    static const weft_mkxex_header header = {0x00E10402, where, 8};
    uint8_t bytes[IMAGE_SIZE];
    weft_xex_image image;
    make_image(bytes);
    put_table(bytes);
    put_directory(bytes, 0x2400);
    weft_mkxex_spec spec = make_spec(bytes);
    spec.export_table = IMAGE_BASE + 0x2200;
    spec.headers = &header;
    spec.header_count = 1;
    test_file file = file_make(&spec);
    assert_int_equal(weft_xex_decode(file.xex, &image, NULL), 0);
    check_merged(&file, &image);
    weft_xex_image_free(&image);
    file_close(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_file_without_imports_has_an_empty_list),
        cmocka_unit_test(test_libraries_are_sorted_and_versioned),
        cmocka_unit_test(test_imports_say_kind_ordinal_and_addresses),
        cmocka_unit_test(test_image_holds_the_words_of_real_titles),
        cmocka_unit_test(test_import_digests_are_the_documented_chain),
        cmocka_unit_test(test_a_changed_record_breaks_the_digest),
        cmocka_unit_test(test_refuses_malformed_import_headers),
        cmocka_unit_test(test_refuses_records_outside_the_image),
        cmocka_unit_test(test_refuses_records_of_unknown_type),
        cmocka_unit_test(test_a_lone_thunk_is_a_function),
        cmocka_unit_test(test_writer_refuses_bad_imports),
        cmocka_unit_test(test_exports_by_ordinal),
        cmocka_unit_test(test_no_table_means_no_exports),
        cmocka_unit_test(test_refuses_malformed_export_tables),
        cmocka_unit_test(test_pe_directory_adds_names),
        cmocka_unit_test(test_exports_by_name_header_is_relative_to_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
