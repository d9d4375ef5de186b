/* Decoding: every encryption with every compression, digests, damage and truncation. */
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

static const struct {
    unsigned compression, encryption;
} forms[] = {
    {WEFT_MKXEX_NONE, WEFT_MKXEX_PLAIN},   {WEFT_MKXEX_NONE, WEFT_MKXEX_DEVKIT},
    {WEFT_MKXEX_NONE, WEFT_MKXEX_RETAIL},  {WEFT_MKXEX_BASIC, WEFT_MKXEX_PLAIN},
    {WEFT_MKXEX_BASIC, WEFT_MKXEX_DEVKIT}, {WEFT_MKXEX_BASIC, WEFT_MKXEX_RETAIL},
    {WEFT_MKXEX_LZX, WEFT_MKXEX_PLAIN},    {WEFT_MKXEX_LZX, WEFT_MKXEX_DEVKIT},
    {WEFT_MKXEX_LZX, WEFT_MKXEX_RETAIL},
};

#define FORM_COUNT (sizeof forms / sizeof forms[0])

static test_file make_form(const uint8_t image[IMAGE_SIZE], unsigned form)
{
    weft_mkxex_spec spec = make_spec(image);
    spec.compression = forms[form].compression;
    spec.encryption = forms[form].encryption;
    return file_make(&spec);
}

static void check_form(unsigned form)
{
    uint8_t bytes[IMAGE_SIZE];
    weft_xex_image image;
    char err[256] = "";
    make_image(bytes);
    test_file file = make_form(bytes, form);
    if (weft_xex_decode(file.xex, &image, err)) {
        fail_msg("%s", err);
    }
    assert_int_equal(image.size, IMAGE_SIZE);
    assert_int_equal(image.base, IMAGE_BASE);
    assert_memory_equal(image.bytes, bytes, IMAGE_SIZE);
    assert_int_equal(image.key, forms[form].encryption); /* the numbers are the same on purpose */
    assert_int_equal(image.pages.ok, 3);
    assert_int_equal(image.pages.total, 3);
    assert_int_equal(image.blocks.ok, image.blocks.total);
    assert_int_equal(image.blocks.total, forms[form].compression == WEFT_MKXEX_LZX);
    weft_xex_image_free(&image);
    file_close(&file);
}

static void test_plain_uncompressed(void **state)
{
    check_form(0);
}

static void test_devkit_uncompressed(void **state)
{
    check_form(1);
}

static void test_retail_uncompressed(void **state)
{
    check_form(2);
}

static void test_plain_basic(void **state)
{
    check_form(3);
}

static void test_devkit_basic(void **state)
{
    check_form(4);
}

static void test_retail_basic(void **state)
{
    check_form(5);
}

static void test_plain_lzx(void **state)
{
    check_form(6);
}

static void test_devkit_lzx(void **state)
{
    check_form(7);
}

static void test_retail_lzx(void **state)
{
    check_form(8);
}

/* An image of many frames, blocks of a few frames each: the chain of block digests has links. */
static void test_lzx_over_many_blocks(void **state)
{
    const uint32_t size = 0x60000;
    uint8_t *bytes = calloc(1, size);
    weft_xex_image image;
    uint32_t seed = 5;
    make_image(bytes);
    for (uint32_t i = 0x4000; i < size; i++) {
        bytes[i] = random_next(&seed) % 8 ? (uint8_t)(i >> 4) : (uint8_t)seed;
    }
    for (unsigned encryption = 0; encryption <= 1; encryption++) {
        weft_mkxex_spec spec = make_spec(bytes);
        spec.image_size = size;
        spec.small_pages = false;
        spec.compression = WEFT_MKXEX_LZX;
        spec.encryption = encryption;
        spec.lzx_block = 0x4000;
        test_file file = file_make(&spec);
        assert_int_equal(weft_xex_decode(file.xex, &image, NULL), 0);
        assert_memory_equal(image.bytes, bytes, size);
        assert_true(image.blocks.total > 3);
        assert_int_equal(image.blocks.ok, image.blocks.total);
        assert_int_equal(image.pages.ok, 6);
        weft_xex_image_free(&image);
        file_close(&file);
    }
    free(bytes);
}

/*
 * The digests of the file, recomputed here from the format's description: each is over a run of
 * pages and its descriptor, which holds the next one.
 */
static void test_page_digests_are_the_documented_chain(void **state)
{
    uint8_t bytes[IMAGE_SIZE], kinds[3] = {3, 1, 2};
    make_image(bytes);
    weft_mkxex_spec spec = make_spec(bytes);
    spec.page_kinds = kinds;
    test_file file = file_make(&spec);
    const uint8_t *security = file.bytes + be32(file.bytes + 0x10);
    const uint8_t *expected = security + 0x114;
    assert_int_equal(be32(security + 0x180), 3);
    for (unsigned i = 0; i < 3; i++) {
        const uint8_t *descriptor = security + 0x184 + 24 * i;
        uint8_t joined[0x1000 + 24], digest[20];
        assert_int_equal(be32(descriptor), 0x10u | kinds[i]);
        memcpy(joined, bytes + 0x1000 * i, 0x1000);
        memcpy(joined + 0x1000, descriptor, 24);
        assert_int_equal(mbedtls_sha1_ret(joined, sizeof joined, digest), 0);
        assert_memory_equal(digest, expected, 20);
        expected = descriptor + 4;
    }
    file_close(&file);
}

static void test_page_kinds_are_read(void **state)
{
    uint8_t bytes[IMAGE_SIZE], kinds[3] = {3, 1, 2};
    make_image(bytes);
    weft_mkxex_spec spec = make_spec(bytes);
    spec.page_kinds = kinds;
    test_file file = file_make(&spec);
    assert_int_equal(file.xex->page_run_count, 3);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(file.xex->page_runs[i].kind, kinds[i]);
        assert_int_equal(file.xex->page_runs[i].count, 1);
    }
    file_close(&file);
}

/* One descriptor may stand for several pages. */
static void test_a_run_of_pages_has_one_digest(void **state)
{
    uint8_t bytes[IMAGE_SIZE];
    weft_xex_image image;
    make_image(bytes);
    weft_mkxex_spec spec = make_spec(bytes);
    test_file file = file_make(&spec);
    uint8_t *security = file.bytes + file.xex->security.offset;
    uint8_t joined[IMAGE_SIZE + 24] = {0};
    memcpy(joined, bytes, IMAGE_SIZE);
    put_be32(joined + IMAGE_SIZE, 3 << 4 | 2);
    put_be32(security + 0x180, 1);
    memcpy(security + 0x184, joined + IMAGE_SIZE, 24);
    assert_int_equal(mbedtls_sha1_ret(joined, sizeof joined, security + 0x114), 0);
    weft_xex_close(file.xex);
    assert_int_equal(weft_xex_open(file.bytes, file.size, &file.xex, NULL), 0);
    assert_int_equal(weft_xex_decode(file.xex, &image, NULL), 0);
    assert_int_equal(image.pages.ok, 1);
    assert_int_equal(image.pages.total, 1);
    weft_xex_image_free(&image);
    file_close(&file);
}

static void test_a_changed_page_is_a_warning(void **state)
{
    uint8_t bytes[IMAGE_SIZE];
    weft_xex_image image;
    make_image(bytes);
    test_file file = make_form(bytes, 0);
    file.bytes[file.xex->header_size + 0x1100] ^= 0x40;
    assert_int_equal(weft_xex_decode(file.xex, &image, NULL), 0);
    assert_int_equal(image.pages.ok, 2);
    assert_int_equal(image.pages.total, 3);
    weft_xex_image_free(&image);
    file_close(&file);
}

static void test_a_changed_block_is_a_warning(void **state)
{
    uint8_t bytes[IMAGE_SIZE];
    weft_xex_image image;
    make_image(bytes);
    test_file file = make_form(bytes, 6);
    file.bytes[file.size - 1] ^= 1; /* the padding behind the last chunk */
    assert_int_equal(weft_xex_decode(file.xex, &image, NULL), 0);
    assert_int_equal(image.blocks.ok, 0);
    assert_int_equal(image.blocks.total, 1);
    assert_int_equal(image.pages.ok, 3);
    weft_xex_image_free(&image);
    file_close(&file);
}

/* Pages patched after signing: the key that gives a PE image wins although not all digests match.
 */
static void test_key_is_chosen_despite_a_changed_page(void **state)
{
    uint8_t bytes[IMAGE_SIZE];
    weft_xex_image image;
    make_image(bytes);
    for (unsigned form = 1; form <= 2; form++) {
        test_file file = make_form(bytes, form);
        file.bytes[file.xex->header_size + 0x2900] ^= 1;
        assert_int_equal(weft_xex_decode(file.xex, &image, NULL), 0);
        assert_int_equal(image.key, form);
        assert_int_equal(image.pages.ok, 2);
        weft_xex_image_free(&image);
        file_close(&file);
    }
}

static void test_an_image_under_no_key_is_an_error(void **state)
{
    uint8_t bytes[IMAGE_SIZE];
    char err[256] = "";
    weft_xex_image image;
    make_image(bytes);
    for (unsigned form = 1; form < FORM_COUNT; form += 3) {
        test_file file = make_form(bytes, form);
        file.bytes[file.xex->security.offset + 0x150] ^= 1; /* the file's key */
        weft_xex_close(file.xex);
        assert_int_equal(weft_xex_open(file.bytes, file.size, &file.xex, NULL), 0);
        assert_int_equal(weft_xex_decode(file.xex, &image, err), WEFT_XEX_E_FORMAT);
        assert_null(image.bytes);
        assert_non_null(strstr(err, "retail key"));
        file_close(&file);
    }
}

static void test_delta_patches_are_refused(void **state)
{
    uint8_t bytes[IMAGE_SIZE];
    char err[256] = "";
    weft_xex_image image;
    make_image(bytes);
    weft_mkxex_spec spec = make_spec(bytes);
    spec.module_flags = 0x50; /* module patch, delta patch */
    test_file file = file_make(&spec);
    assert_int_equal(weft_xex_decode(file.xex, &image, err), WEFT_XEX_E_UNSUPPORTED);
    assert_non_null(strstr(err, "patch"));
    file_close(&file);
    spec.module_flags = 0;
    spec.compression = 3;
    file = file_make(&spec);
    assert_int_equal(weft_xex_decode(file.xex, &image, err), WEFT_XEX_E_UNSUPPORTED);
    file_close(&file);
}

/* By hand: one block of 0x100 bytes and 0xF00 zeros, one of 0x1800 zeros alone, one of data. */
static void test_basic_blocks_expand_zeros(void **state)
{
    uint8_t bytes[IMAGE_SIZE], blocks[32] = {0};
    weft_xex_image image;
    make_image(bytes);
    put_be32(blocks, 32);
    put_be32(blocks + 4, 0x00000001);
    put_be32(blocks + 8, 0x200);
    put_be32(blocks + 12, 0xE00);
    put_be32(blocks + 20, 0x1800);
    put_be32(blocks + 24, 0x10);
    weft_mkxex_spec spec = make_spec(bytes);
    spec.header_align = 0x1000; /* room for the longer list */
    spec.compression = WEFT_MKXEX_BASIC;
    test_file file = file_make(&spec);
    for (uint32_t i = 0; i < file.xex->header_count; i++) {
        if (file.xex->headers[i].key == 0x000003FF) {
            memcpy(file.bytes + file.xex->headers[i].value, blocks, sizeof blocks);
        }
    }
    weft_xex_close(file.xex);
    assert_int_equal(weft_xex_open(file.bytes, file.size, &file.xex, NULL), 0);
    assert_int_equal(file.xex->format.block_count, 3);
    assert_int_equal(weft_xex_decode(file.xex, &image, NULL), 0);
    assert_memory_equal(image.bytes, bytes, 0x200);
    assert_memory_equal(image.bytes + 0x2800, bytes + 0x200, 0x10);
    for (uint32_t i = 0x200; i < 0x2800; i++) {
        assert_int_equal(image.bytes[i], 0);
    }
    weft_xex_image_free(&image);
    file_close(&file);
}

/* Sets one word of the basic block list of a fresh file and expects the decoder to refuse it. */
static void refuse_basic_word(uint32_t offset, uint32_t value)
{
    uint8_t bytes[IMAGE_SIZE];
    weft_xex_image image;
    make_image(bytes);
    test_file file = make_form(bytes, 3);
    uint8_t *word = file.bytes + (file.xex->format.blocks - file.bytes) + offset;
    put_be32(word, value);
    assert_int_equal(weft_xex_decode(file.xex, &image, NULL), WEFT_XEX_E_FORMAT);
    file_close(&file);
}

static void test_basic_blocks_stay_in_file_and_image(void **state)
{
    refuse_basic_word(0, 0x3010); /* more data than the file has */
    refuse_basic_word(0, 0xFFFFFFFF);
    refuse_basic_word(4, 0x10);       /* one zero too many for the image */
    refuse_basic_word(4, 0xFFFFD001); /* wraps to 1 in 32 bits */
}

static void test_lzx_chunks_stay_in_their_block(void **state)
{
    uint8_t bytes[IMAGE_SIZE];
    char err[256] = "";
    weft_xex_image image;
    make_image(bytes);
    test_file file = make_form(bytes, 6);
    put_be16(file.bytes + file.xex->header_size + 24, 0xFFFF);
    assert_int_equal(weft_xex_decode(file.xex, &image, err), WEFT_XEX_E_FORMAT);
    assert_non_null(strstr(err, "chunk"));
    file_close(&file);
}

static void test_lzx_block_chain_stays_in_the_file(void **state)
{
    const uint32_t sizes[] = {1, 23, 24, 0x10000, 0xFFFFFFF0};
    uint8_t bytes[IMAGE_SIZE];
    weft_xex_image image;
    make_image(bytes);
    for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        test_file file = make_form(bytes, 6);
        put_be32(file.bytes + file.xex->header_size, sizes[i]);
        assert_int_equal(weft_xex_decode(file.xex, &image, NULL), WEFT_XEX_E_FORMAT);
        file_close(&file);
    }
}

/* Every prefix of every form: an error and no read past the end (the copy is of the exact size). */
static void test_every_truncation_is_an_error(void **state)
{
    uint8_t bytes[IMAGE_SIZE];
    make_image(bytes);
    for (unsigned form = 0; form < FORM_COUNT; form++) {
        test_file file = make_form(bytes, form);
        size_t step = 1;
        for (size_t n = 0; n < file.size; n += step) {
            uint8_t *cut = malloc(n + 1);
            weft_xex *xex;
            weft_xex_image image;
            char err[256] = "";
            memcpy(cut, file.bytes, n);
            int status = weft_xex_open(cut, n, &xex, err);
            if (!status) {
                status = weft_xex_decode(xex, &image, err);
                weft_xex_close(xex);
                step = n + 40 < file.size ? 7 : 1; /* dense in the headers and at the end */
            }
            assert_int_not_equal(status, 0);
            assert_string_not_equal(err, "");
            free(cut);
        }
        file_close(&file);
    }
}

/* One bit anywhere: an error or a decoded image, never a crash; the digests notice page damage. */
static void test_bit_flips_end_in_an_answer(void **state)
{
    uint8_t bytes[IMAGE_SIZE];
    make_image(bytes);
    for (unsigned form = 0; form < FORM_COUNT; form++) {
        test_file file = make_form(bytes, form);
        uint32_t seed = form + 1;
        for (unsigned i = 0; i < 600; i++) {
            size_t at = random_next(&seed) % (i % 2 ? file.size : file.xex->header_size);
            uint8_t bit = (uint8_t)(1u << random_next(&seed) % 8);
            weft_xex *xex;
            weft_xex_image image;
            file.bytes[at] ^= bit;
            if (!weft_xex_open(file.bytes, file.size, &xex, NULL)) {
                if (xex->security.image_size <= 0x100000 && !weft_xex_decode(xex, &image, NULL)) {
                    weft_xex_import_list imports;
                    weft_xex_export *exports;
                    uint32_t count;
                    if (!weft_xex_imports(xex, &image, &imports, NULL)) {
                        weft_xex_imports_free(&imports);
                    }
                    if (!weft_xex_exports(xex, &image, &exports, &count, NULL)) {
                        free(exports);
                    }
                    weft_xex_image_free(&image);
                }
                weft_xex_close(xex);
            }
            file.bytes[at] ^= bit;
        }
        file_close(&file);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_uncompressed),
        cmocka_unit_test(test_devkit_uncompressed),
        cmocka_unit_test(test_retail_uncompressed),
        cmocka_unit_test(test_plain_basic),
        cmocka_unit_test(test_devkit_basic),
        cmocka_unit_test(test_retail_basic),
        cmocka_unit_test(test_plain_lzx),
        cmocka_unit_test(test_devkit_lzx),
        cmocka_unit_test(test_retail_lzx),
        cmocka_unit_test(test_lzx_over_many_blocks),
        cmocka_unit_test(test_page_digests_are_the_documented_chain),
        cmocka_unit_test(test_page_kinds_are_read),
        cmocka_unit_test(test_a_run_of_pages_has_one_digest),
        cmocka_unit_test(test_a_changed_page_is_a_warning),
        cmocka_unit_test(test_a_changed_block_is_a_warning),
        cmocka_unit_test(test_key_is_chosen_despite_a_changed_page),
        cmocka_unit_test(test_an_image_under_no_key_is_an_error),
        cmocka_unit_test(test_delta_patches_are_refused),
        cmocka_unit_test(test_basic_blocks_expand_zeros),
        cmocka_unit_test(test_basic_blocks_stay_in_file_and_image),
        cmocka_unit_test(test_lzx_chunks_stay_in_their_block),
        cmocka_unit_test(test_lzx_block_chain_stays_in_the_file),
        cmocka_unit_test(test_every_truncation_is_an_error),
        cmocka_unit_test(test_bit_flips_end_in_an_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
