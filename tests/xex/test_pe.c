/* The PE headers of a decoded image: fields by hand, and bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pe.h"
#include "support.h"
#include "xex_bytes.h"

#define NT 0x80u /* where make_image puts the NT headers */

static void refuse(const uint8_t *image, size_t size, const char *word)
{
    weft_pe pe;
    char err[256] = "";
    assert_int_equal(weft_pe_parse(image, size, &pe, err), WEFT_XEX_E_FORMAT);
    assert_non_null(strstr(err, word));
}

static void test_reads_the_headers(void **state)
{
    uint8_t image[IMAGE_SIZE];
    weft_pe pe;
    make_image(image);
    assert_int_equal(weft_pe_parse(image, sizeof image, &pe, NULL), 0);
    assert_int_equal(pe.machine, 0x1F2);
    assert_int_equal(pe.characteristics, 0x0102);
    assert_int_equal(pe.subsystem, 14);
    assert_int_equal(pe.timestamp, 0x12345678);
    assert_int_equal(pe.entry_rva, 0x1000);
    assert_int_equal(pe.image_base, IMAGE_BASE);
    assert_int_equal(pe.section_alignment, 0x1000);
    assert_int_equal(pe.file_alignment, 0x200);
    assert_int_equal(pe.image_size, IMAGE_SIZE);
    assert_int_equal(pe.headers_size, 0x400);
    assert_int_equal(pe.stack_reserve, 0x40000);
}

static void test_reads_the_sections(void **state)
{
    uint8_t image[IMAGE_SIZE];
    weft_pe pe;
    make_image(image);
    assert_int_equal(weft_pe_parse(image, sizeof image, &pe, NULL), 0);
    assert_int_equal(pe.section_count, 2);
    const weft_pe_section *text = weft_pe_section_find(&pe, ".text");
    assert_non_null(text);
    assert_int_equal(text->rva, 0x1000);
    assert_int_equal(text->virtual_size, 0x800);
    assert_int_equal(text->raw_size, 0x800);
    assert_int_equal(text->raw_pointer, 0x600);
    assert_int_equal(text->flags, 0x60000020);
    assert_int_equal(text->present, 0x800);
    assert_null(weft_pe_section_find(&pe, ".nope"));
}

/* .data claims 0x1800 bytes at 0x2000 of an image of 0x3000; a section may also begin past the end.
 */
static void test_sections_may_leave_the_image(void **state)
{
    uint8_t image[IMAGE_SIZE];
    weft_pe pe;
    make_image(image);
    put_le32(image + NT + 24 + 0xE0 + 12, 0xFFFFF000); /* .text */
    assert_int_equal(weft_pe_parse(image, sizeof image, &pe, NULL), 0);
    assert_int_equal(weft_pe_section_find(&pe, ".data")->present, 0x1000);
    assert_int_equal(weft_pe_section_find(&pe, ".text")->present, 0);
}

static void test_a_section_name_of_eight_is_terminated(void **state)
{
    uint8_t image[IMAGE_SIZE];
    weft_pe pe;
    make_image(image);
    memcpy(image + NT + 24 + 0xE0, ".XBMOVIE", 8);
    assert_int_equal(weft_pe_parse(image, sizeof image, &pe, NULL), 0);
    assert_string_equal(pe.sections[0].name, ".XBMOVIE");
}

static void test_refuses_wrong_magics(void **state)
{
    uint8_t image[IMAGE_SIZE];
    make_image(image);
    image[0] = 'N';
    refuse(image, sizeof image, "DOS");
    make_image(image);
    image[NT] = 'N';
    refuse(image, sizeof image, "NT magic");
    make_image(image);
    put_le16(image + NT + 4, 0x14C); /* i386 */
    refuse(image, sizeof image, "machine");
    make_image(image);
    put_le16(image + NT + 24, 0x20B); /* PE32+ */
    refuse(image, sizeof image, "optional header magic");
}

static void test_refuses_headers_outside_the_image(void **state)
{
    uint8_t image[IMAGE_SIZE];
    make_image(image);
    put_le32(image + 0x3C, IMAGE_SIZE - 0xF7); /* the NT headers take 0xF8 */
    refuse(image, sizeof image, "NT headers");
    put_le32(image + 0x3C, 0xFFFFFFFF);
    refuse(image, sizeof image, "NT headers");
    make_image(image);
    put_le16(image + NT + 20, 0xDF);
    refuse(image, sizeof image, "optional header size");
    put_le16(image + NT + 20, 0xFFFF);
    refuse(image, sizeof image, "section table");
}

static void test_refuses_too_many_sections_and_directories(void **state)
{
    uint8_t image[IMAGE_SIZE];
    make_image(image);
    put_le16(image + NT + 6, 97);
    refuse(image, sizeof image, "97 sections");
    put_le16(image + NT + 6, 9);
    refuse(image, 0x178 + 8 * 40, "9 sections");
    make_image(image);
    put_le32(image + NT + 24 + 92, 17);
    refuse(image, sizeof image, "data directories");
}

static void test_every_truncation_of_the_headers_is_an_error(void **state)
{
    uint8_t image[IMAGE_SIZE];
    weft_pe pe;
    make_image(image);
    const size_t end = NT + 24 + 0xE0 + 2 * 40;
    for (size_t n = 0; n < end; n++) {
        uint8_t *cut = malloc(n + 1);
        memcpy(cut, image, n);
        assert_int_equal(weft_pe_parse(cut, n, &pe, NULL), WEFT_XEX_E_FORMAT);
        free(cut);
    }
    assert_int_equal(weft_pe_parse(image, end, &pe, NULL), 0);
}

static void test_pdata_is_directory_three(void **state)
{
    uint8_t image[IMAGE_SIZE];
    weft_pe pe;
    uint32_t rva = 0, size = 0;
    make_image(image);
    put_le32(image + NT + 24 + 96 + 24, 0x2100);
    put_le32(image + NT + 24 + 96 + 28, 0x40);
    assert_int_equal(weft_pe_parse(image, sizeof image, &pe, NULL), 0);
    assert_int_equal(weft_pe_directory(&pe, 3, sizeof image, &rva, &size), 0);
    assert_int_equal(rva, 0x2100);
    assert_int_equal(size, 0x40);
    assert_int_equal(weft_pe_directory(&pe, 3, 0x213F, &rva, &size), WEFT_XEX_E_NOT_FOUND);
    assert_int_equal(weft_pe_directory(&pe, 4, sizeof image, &rva, &size), WEFT_XEX_E_NOT_FOUND);
    assert_int_equal(weft_pe_directory(&pe, 16, sizeof image, &rva, &size), WEFT_XEX_E_NOT_FOUND);
}

/* An export directory at 0x2400 with one function of ordinal 5 named at 0x2FFC. */
static void put_exports(uint8_t *image)
{
    uint8_t *d = image + 0x2400;
    put_le32(d + 16, 5);
    put_le32(d + 20, 1);
    put_le32(d + 24, 1);
    put_le32(d + 28, 0x2440);
    put_le32(d + 32, 0x2450);
    put_le32(d + 36, 0x2460);
    put_le32(image + 0x2440, 0x1040);
    put_le32(image + 0x2450, 0x2FFC);
    memcpy(image + 0x2FFC, "end", 4);
}

static void test_reads_an_export_directory(void **state)
{
    uint8_t image[IMAGE_SIZE];
    weft_pe_export *list;
    uint32_t count;
    make_image(image);
    put_exports(image);
    assert_int_equal(weft_pe_exports(image, sizeof image, 0x2400, 0, &list, &count, NULL), 0);
    assert_int_equal(count, 1);
    assert_int_equal(list[0].ordinal, 5);
    assert_int_equal(list[0].rva, 0x1040);
    assert_string_equal(list[0].name, "end");
    free(list);
}

static void refuse_exports(uint32_t offset, uint32_t value)
{
    uint8_t image[IMAGE_SIZE];
    weft_pe_export *list;
    uint32_t count;
    make_image(image);
    put_exports(image);
    put_le32(image + offset, value);
    assert_int_equal(weft_pe_exports(image, sizeof image, 0x2400, 0, &list, &count, NULL),
                     WEFT_XEX_E_FORMAT);
    assert_null(list);
}

static void test_refuses_export_tables_outside_the_image(void **state)
{
    uint8_t image[IMAGE_SIZE];
    weft_pe_export *list;
    uint32_t count;
    make_image(image);
    assert_int_equal(weft_pe_exports(image, sizeof image, IMAGE_SIZE - 39, 0, &list, &count, NULL),
                     WEFT_XEX_E_FORMAT);
    refuse_exports(0x2414, 0x40000000); /* times four is 0 in 32 bits */
    refuse_exports(0x2418, 0x40000000);
    refuse_exports(0x241C, 0x2FFD);
    refuse_exports(0x2420, 0xFFFFFFFC);
    refuse_exports(0x2424, 0x2FFF);
}

static void test_refuses_bad_export_names(void **state)
{
    refuse_exports(0x2450, 0x3000);     /* no string there */
    refuse_exports(0x2460, 1);          /* of function 1, where only 0 exists */
    refuse_exports(0x2FFC, 0x41414141); /* not terminated before the image ends */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_the_headers),
        cmocka_unit_test(test_reads_the_sections),
        cmocka_unit_test(test_sections_may_leave_the_image),
        cmocka_unit_test(test_a_section_name_of_eight_is_terminated),
        cmocka_unit_test(test_refuses_wrong_magics),
        cmocka_unit_test(test_refuses_headers_outside_the_image),
        cmocka_unit_test(test_refuses_too_many_sections_and_directories),
        cmocka_unit_test(test_every_truncation_of_the_headers_is_an_error),
        cmocka_unit_test(test_pdata_is_directory_three),
        cmocka_unit_test(test_reads_an_export_directory),
        cmocka_unit_test(test_refuses_export_tables_outside_the_image),
        cmocka_unit_test(test_refuses_bad_export_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
