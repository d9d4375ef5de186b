/* The headers of an XEX: what weft_xex_open and the typed accessors say about bytes made by hand.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support.h"
#include "xex_bytes.h"

/*
 * The smallest file, by hand from the format's description and without the writer: no pages, no
 * optional header but those given, security info at 0x40, headers of 0x200 bytes, image of 0x100.
 */
#define TINY_SIZE 0x300u

static void make_tiny(uint8_t file[TINY_SIZE], uint32_t key, uint32_t value)
{
    memset(file, 0, TINY_SIZE);
    memcpy(file, "XEX2", 4);
    put_be32(file + 0x04, 0x00000009);
    put_be32(file + 0x08, 0x200);
    put_be32(file + 0x10, 0x40);
    put_be32(file + 0x14, 1);
    put_be32(file + 0x18, key);
    put_be32(file + 0x1C, value);
    put_be32(file + 0x40 + 0x004, 0x100);
    put_be32(file + 0x40 + 0x110, 0x90000000);
    put_be32(file + 0x40 + 0x10C, 0x10000000); /* pages of 4 KiB */
}

static void expect_refused(const uint8_t *bytes, size_t size, int status, const char *word)
{
    weft_xex *xex;
    char err[256] = "";
    assert_int_equal(weft_xex_open(bytes, size, &xex, err), status);
    assert_null(xex);
    assert_non_null(strstr(err, word));
}

static void test_opens_a_file_made_by_hand(void **state)
{
    uint8_t file[TINY_SIZE];
    weft_xex *xex;
    make_tiny(file, 0x00010100, 0x90001234);
    assert_int_equal(weft_xex_open(file, sizeof file, &xex, NULL), 0);
    assert_int_equal(xex->module_flags, 9);
    assert_int_equal(xex->header_size, 0x200);
    assert_int_equal(xex->header_count, 1);
    assert_int_equal(xex->security.offset, 0x40);
    assert_int_equal(xex->security.image_size, 0x100);
    assert_int_equal(xex->page_size, 0x1000);
    assert_int_equal(xex->image_base, 0x90000000);
    assert_int_equal(weft_xex_entry_point(xex), 0x90001234);
    assert_false(xex->header_digest_ok);
    weft_xex_close(xex);
}

static void test_image_base_header_wins_over_load_address(void **state)
{
    uint8_t file[TINY_SIZE];
    weft_xex *xex;
    make_tiny(file, 0x00010201, 0x82000000);
    assert_int_equal(weft_xex_open(file, sizeof file, &xex, NULL), 0);
    assert_int_equal(xex->image_base, 0x82000000);
    assert_int_equal(xex->security.load_address, 0x90000000);
    weft_xex_close(xex);
}

static void test_pages_are_64k_without_the_flag(void **state)
{
    uint8_t file[TINY_SIZE];
    weft_xex *xex;
    make_tiny(file, 0x00010100, 0);
    put_be32(file + 0x40 + 0x10C, 0);
    assert_int_equal(weft_xex_open(file, sizeof file, &xex, NULL), 0);
    assert_int_equal(xex->page_size, 0x10000);
    weft_xex_close(xex);
}

static void test_refuses_other_magics(void **state)
{
    uint8_t file[TINY_SIZE];
    make_tiny(file, 0x00010100, 0);
    file[3] = '1';
    expect_refused(file, sizeof file, WEFT_XEX_E_UNSUPPORTED, "pre-release");
    memcpy(file, "MZ\0\0", 4);
    expect_refused(file, sizeof file, WEFT_XEX_E_FORMAT, "magic");
    expect_refused(file, 0, WEFT_XEX_E_FORMAT, "found 0 bytes");
}

static void test_refuses_headers_larger_than_the_file(void **state)
{
    uint8_t file[TINY_SIZE];
    make_tiny(file, 0x00010100, 0);
    put_be32(file + 8, TINY_SIZE + 1);
    expect_refused(file, sizeof file, WEFT_XEX_E_FORMAT, "header size");
    put_be32(file + 8, 0x17);
    expect_refused(file, sizeof file, WEFT_XEX_E_FORMAT, "header size");
}

static void test_refuses_too_many_optional_headers(void **state)
{
    uint8_t file[TINY_SIZE];
    make_tiny(file, 0x00010100, 0);
    put_be32(file + 0x14, 0x20000001); /* times 8 is 8 in 32 bits */
    expect_refused(file, sizeof file, WEFT_XEX_E_FORMAT, "optional header count");
}

static void test_refuses_a_structure_outside_the_headers(void **state)
{
    uint8_t file[TINY_SIZE];
    make_tiny(file, 0x00040006, 0x1EC); /* 24 bytes, of which 20 are there */
    expect_refused(file, sizeof file, WEFT_XEX_E_FORMAT, "0x00040006");
    make_tiny(file, 0x000183FF, 0xFFFFFFFE);
    expect_refused(file, sizeof file, WEFT_XEX_E_FORMAT, "0x000183ff");
    make_tiny(file, 0x000183FF, 0x1F0);
    put_be32(file + 0x1F0, 0x11);
    expect_refused(file, sizeof file, WEFT_XEX_E_FORMAT, "0x000183ff");
    put_be32(file + 0x1F0, 3); /* smaller than its own size word */
    expect_refused(file, sizeof file, WEFT_XEX_E_FORMAT, "0x000183ff");
}

static void test_refuses_security_info_outside_the_headers(void **state)
{
    uint8_t file[TINY_SIZE];
    make_tiny(file, 0x00010100, 0);
    put_be32(file + 0x10, 0x200 - 0x183);
    expect_refused(file, sizeof file, WEFT_XEX_E_FORMAT, "security info");
    put_be32(file + 0x10, 0xFFFFFFF0);
    expect_refused(file, sizeof file, WEFT_XEX_E_FORMAT, "security info");
}

static void test_refuses_images_over_256_mib(void **state)
{
    uint8_t file[TINY_SIZE];
    make_tiny(file, 0x00010100, 0);
    put_be32(file + 0x44, 0x10000001);
    expect_refused(file, sizeof file, WEFT_XEX_E_FORMAT, "image size");
    put_be32(file + 0x44, 0);
    expect_refused(file, sizeof file, WEFT_XEX_E_FORMAT, "image size");
}

static void test_refuses_an_image_across_4_gib(void **state)
{
    uint8_t file[TINY_SIZE];
    make_tiny(file, 0x00010201, 0xFFFFFF01);
    expect_refused(file, sizeof file, WEFT_XEX_E_FORMAT, "image base");
}

static void test_refuses_page_descriptors_past_the_headers(void **state)
{
    uint8_t file[TINY_SIZE];
    make_tiny(file, 0x00010100, 0);
    put_be32(file + 0x40 + 0x180, 3); /* (0x200 - 0x1C4) / 24 is 2 */
    expect_refused(file, sizeof file, WEFT_XEX_E_FORMAT, "page descriptor");
}

static void test_refuses_unknown_encryption_and_compression(void **state)
{
    uint8_t file[TINY_SIZE];
    make_tiny(file, 0x000003FF, 0x1E0);
    put_be32(file + 0x1E0, 8);
    put_be32(file + 0x1E4, 0x00020000);
    expect_refused(file, sizeof file, WEFT_XEX_E_FORMAT, "encryption 2");
    put_be32(file + 0x1E4, 0x00000004);
    expect_refused(file, sizeof file, WEFT_XEX_E_FORMAT, "compression 4");
    put_be32(file + 0x1E4, 0x00000002); /* LZX, but no window and block */
    expect_refused(file, sizeof file, WEFT_XEX_E_FORMAT, "36 for LZX");
    put_be32(file + 0x1E0, 4);
    expect_refused(file, sizeof file, WEFT_XEX_E_FORMAT, "at least 8");
}

static void test_values_and_raw_headers(void **state)
{
    static const uint8_t lan_key[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    static const uint8_t heap[4] = {0, 0x10, 0, 0};
    uint8_t image[IMAGE_SIZE], ratings[64];
    const uint8_t *raw;
    uint32_t size;
    memset(ratings, 0xFF, sizeof ratings);
    ratings[0] = 6;
    const weft_mkxex_header extra[] = {
        {0x00040404, lan_key, 16}, {0x00040310, ratings, 64}, {0x00020401, heap, 4}};
    make_image(image);
    weft_mkxex_spec spec = make_spec(image);
    spec.stack_size = 0x20000;
    spec.system_flags = 0x1C;
    spec.headers = extra;
    spec.header_count = 3;
    test_file file = file_make(&spec);
    assert_int_equal(weft_xex_header_u32(file.xex, 0x00020200, 0), 0x20000);
    assert_int_equal(weft_xex_header_u32(file.xex, 0x00030000, 0), 0x1C);
    assert_int_equal(weft_xex_header_u32(file.xex, 0x00020401, 0), 0x100000);
    assert_int_equal(weft_xex_header_u32(file.xex, 0x00020301, 77), 77);
    assert_int_equal(weft_xex_header_raw(file.xex, 0x00040404, &raw, &size), 0);
    assert_int_equal(size, 16);
    assert_memory_equal(raw, lan_key, 16);
    assert_int_equal(weft_xex_header_raw(file.xex, 0x00040310, &raw, &size), 0);
    assert_int_equal(size, 64);
    assert_memory_equal(raw, ratings, 64);
    assert_int_equal(weft_xex_header_raw(file.xex, 0x00020401, &raw, &size), 0);
    assert_int_equal(size, 4);
    assert_memory_equal(raw, heap, 4);
    assert_int_equal(weft_xex_header_raw(file.xex, 0x000405FF, &raw, &size), WEFT_XEX_E_NOT_FOUND);
    file_close(&file);
}

static void test_tls_info(void **state)
{
    uint8_t file[TINY_SIZE];
    weft_xex *xex;
    weft_xex_tls tls;
    make_tiny(file, 0x00020104, 0x1F0);
    put_be32(file + 0x1F0, 64);
    put_be32(file + 0x1F4, 0x82001000);
    put_be32(file + 0x1F8, 0x40);
    put_be32(file + 0x1FC, 0x10);
    assert_int_equal(weft_xex_open(file, sizeof file, &xex, NULL), 0);
    assert_int_equal(weft_xex_tls_info(xex, &tls), 0);
    assert_int_equal(tls.slot_count, 64);
    assert_int_equal(tls.data_address, 0x82001000);
    assert_int_equal(tls.data_size, 0x40);
    assert_int_equal(tls.raw_size, 0x10);
    weft_xex_close(xex);
}

static void test_execution_info(void **state)
{
    uint8_t file[TINY_SIZE];
    weft_xex *xex;
    weft_xex_execution e;
    make_tiny(file, 0x00040006, 0x1E8);
    for (uint32_t i = 0; i < 24; i++) {
        file[0x1E8 + i] = (uint8_t)(i + 1);
    }
    assert_int_equal(weft_xex_open(file, sizeof file, &xex, NULL), 0);
    assert_int_equal(weft_xex_execution_info(xex, &e), 0);
    assert_int_equal(e.media_id, 0x01020304);
    assert_int_equal(e.version, 0x05060708);
    assert_int_equal(e.base_version, 0x090A0B0C);
    assert_int_equal(e.title_id, 0x0D0E0F10);
    assert_int_equal(e.platform, 0x11);
    assert_int_equal(e.executable_type, 0x12);
    assert_int_equal(e.disc_number, 0x13);
    assert_int_equal(e.disc_count, 0x14);
    assert_int_equal(e.savegame_id, 0x15161718);
    weft_xex_close(xex);
}

static void test_absent_headers_are_not_found(void **state)
{
    uint8_t file[TINY_SIZE];
    weft_xex *xex;
    weft_xex_tls tls;
    weft_xex_execution execution;
    weft_xex_resource resource;
    weft_xex_static_library library;
    uint32_t a, b;
    char name[8];
    make_tiny(file, 0x00030000, 0);
    assert_int_equal(weft_xex_open(file, sizeof file, &xex, NULL), 0);
    assert_int_equal(weft_xex_tls_info(xex, &tls), WEFT_XEX_E_NOT_FOUND);
    assert_int_equal(weft_xex_execution_info(xex, &execution), WEFT_XEX_E_NOT_FOUND);
    assert_int_equal(weft_xex_checksum_timestamp(xex, &a, &b), WEFT_XEX_E_NOT_FOUND);
    assert_int_equal(weft_xex_pe_name(xex, name, sizeof name), WEFT_XEX_E_NOT_FOUND);
    assert_int_equal(weft_xex_resource_at(xex, 0, &resource), WEFT_XEX_E_NOT_FOUND);
    assert_int_equal(weft_xex_static_library_at(xex, 0, &library), WEFT_XEX_E_NOT_FOUND);
    assert_int_equal(weft_xex_entry_point(xex), 0);
    weft_xex_close(xex);
}

static void test_checksum_and_timestamp(void **state)
{
    uint8_t file[TINY_SIZE];
    weft_xex *xex;
    uint32_t checksum, timestamp;
    make_tiny(file, 0x00018002, 0x1F8);
    put_be32(file + 0x1F8, 0x002992F0);
    put_be32(file + 0x1FC, 0x59A6E70C);
    assert_int_equal(weft_xex_open(file, sizeof file, &xex, NULL), 0);
    assert_int_equal(weft_xex_checksum_timestamp(xex, &checksum, &timestamp), 0);
    assert_int_equal(checksum, 0x002992F0);
    assert_int_equal(timestamp, 0x59A6E70C);
    weft_xex_close(xex);
}

static void test_pe_name_is_cut_and_terminated(void **state)
{
    uint8_t file[TINY_SIZE];
    weft_xex *xex;
    char name[16], small[4];
    make_tiny(file, 0x000183FF, 0x1F4);
    put_be32(file + 0x1F4, 12);
    memcpy(file + 0x1F8, "abcd.exe", 8); /* no NUL inside the structure */
    assert_int_equal(weft_xex_open(file, sizeof file, &xex, NULL), 0);
    assert_int_equal(weft_xex_pe_name(xex, name, sizeof name), 0);
    assert_string_equal(name, "abcd.exe");
    assert_int_equal(weft_xex_pe_name(xex, small, sizeof small), 0);
    assert_string_equal(small, "abc");
    weft_xex_close(xex);
}

static void test_static_libraries(void **state)
{
    uint8_t file[TINY_SIZE];
    weft_xex *xex;
    weft_xex_static_library l;
    make_tiny(file, 0x000200FF, 0x1D0);
    put_be32(file + 0x1D0, 0x24); /* two entries */
    memcpy(file + 0x1D4, "XBOXKRNL\0\2\0\0\x52\x7F\x40\0", 16);
    memcpy(file + 0x1E4, "D3D9\0\0\0\0\0\2\0\1\x2E\x6E\4\3", 16);
    assert_int_equal(weft_xex_open(file, sizeof file, &xex, NULL), 0);
    assert_int_equal(weft_xex_static_library_at(xex, 0, &l), 0);
    assert_string_equal(l.name, "XBOXKRNL");
    assert_int_equal(l.version[0], 2);
    assert_int_equal(l.version[1], 0);
    assert_int_equal(l.version[2], 21119);
    assert_int_equal(l.approval, 0x40);
    assert_int_equal(weft_xex_static_library_at(xex, 1, &l), 0);
    assert_string_equal(l.name, "D3D9");
    assert_int_equal(l.version[1], 1);
    assert_int_equal(l.qfe, 3);
    assert_int_equal(weft_xex_static_library_at(xex, 2, &l), WEFT_XEX_E_NOT_FOUND);
    weft_xex_close(xex);
}

static void test_resources_by_name(void **state)
{
    uint8_t file[TINY_SIZE];
    weft_xex *xex;
    weft_xex_resource r;
    make_tiny(file, 0x000002FF, 0x1D0);
    put_be32(file + 0x1D0, 0x24);
    memcpy(file + 0x1D4, "58410800", 8); /* eight characters, no NUL */
    put_be32(file + 0x1DC, 0x82100000);
    put_be32(file + 0x1E0, 0x1000);
    memcpy(file + 0x1E4, "icon", 4);
    put_be32(file + 0x1EC, 0x82200000);
    put_be32(file + 0x1F0, 0x20);
    assert_int_equal(weft_xex_open(file, sizeof file, &xex, NULL), 0);
    assert_int_equal(weft_xex_resource_find(xex, "icon", &r), 0);
    assert_int_equal(r.address, 0x82200000);
    assert_int_equal(r.size, 0x20);
    assert_int_equal(weft_xex_resource_find(xex, "58410800", &r), 0);
    assert_int_equal(r.address, 0x82100000);
    assert_int_equal(weft_xex_resource_find(xex, "ICON", &r), WEFT_XEX_E_NOT_FOUND);
    weft_xex_close(xex);
}

static void test_header_names(void **state)
{
    assert_string_equal(weft_xex_header_name(0x00010100), "ENTRY_POINT");
    assert_string_equal(weft_xex_header_name(0x00E10402), "EXPORTS_BY_NAME");
    assert_null(weft_xex_header_name(0x12345678));
}

static void test_header_digest_covers_every_header_byte(void **state)
{
    uint8_t image[IMAGE_SIZE];
    make_image(image);
    weft_mkxex_spec spec = make_spec(image);
    test_file file = file_make(&spec);
    assert_true(file.xex->header_digest_ok);
    uint32_t security = file.xex->security.offset;
    uint32_t checked = 0;
    for (uint32_t i = 4; i < file.xex->header_size; i++) {
        bool covered = i < security + 8 || i >= security + 0x17C; /* the rest is signed itself */
        weft_xex *xex;
        file.bytes[i] ^= 1;
        if (!weft_xex_open(file.bytes, file.size, &xex, NULL)) {
            assert_int_equal(xex->header_digest_ok,
                             i >= security + 8 && !covered &&
                                 (i < security + 0x164 || i >= security + 0x178));
            weft_xex_close(xex);
            checked++;
        }
        file.bytes[i] ^= 1;
    }
    assert_true(checked > 300);
    file_close(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_opens_a_file_made_by_hand),
        cmocka_unit_test(test_image_base_header_wins_over_load_address),
        cmocka_unit_test(test_pages_are_64k_without_the_flag),
        cmocka_unit_test(test_refuses_other_magics),
        cmocka_unit_test(test_refuses_headers_larger_than_the_file),
        cmocka_unit_test(test_refuses_too_many_optional_headers),
        cmocka_unit_test(test_refuses_a_structure_outside_the_headers),
        cmocka_unit_test(test_refuses_security_info_outside_the_headers),
        cmocka_unit_test(test_refuses_images_over_256_mib),
        cmocka_unit_test(test_refuses_an_image_across_4_gib),
        cmocka_unit_test(test_refuses_page_descriptors_past_the_headers),
        cmocka_unit_test(test_refuses_unknown_encryption_and_compression),
        cmocka_unit_test(test_values_and_raw_headers),
        cmocka_unit_test(test_tls_info),
        cmocka_unit_test(test_execution_info),
        cmocka_unit_test(test_absent_headers_are_not_found),
        cmocka_unit_test(test_checksum_and_timestamp),
        cmocka_unit_test(test_pe_name_is_cut_and_terminated),
        cmocka_unit_test(test_static_libraries),
        cmocka_unit_test(test_resources_by_name),
        cmocka_unit_test(test_header_names),
        cmocka_unit_test(test_header_digest_covers_every_header_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
