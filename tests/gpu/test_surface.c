/* Byte order, tiling, formats, gamma and front buffers: the parts without a command stream. */
#include <stdlib.h>
#include <string.h>

#include "endian.h"
#include "format.h"
#include "frontbuffer.h"
#include "test.h"
#include "tiling.h"

/* ---- byte order: xenia xenos.h, Endian ---- */

static void swaps_of_32_bits(void **state)
{
    assert_int_equal(xenos_swap32(0x11223344, XENOS_ENDIAN_NONE), 0x11223344);
    assert_int_equal(xenos_swap32(0x11223344, XENOS_ENDIAN_8IN16), 0x22114433);
    assert_int_equal(xenos_swap32(0x11223344, XENOS_ENDIAN_8IN32), 0x44332211);
    assert_int_equal(xenos_swap32(0x11223344, XENOS_ENDIAN_16IN32), 0x33441122);
}

static void every_swap_is_its_own_inverse(void **state)
{
    for (uint32_t mode = 0; mode < 4; mode++) {
        assert_int_equal(xenos_swap32(xenos_swap32(0xDEADBEEF, mode), mode), 0xDEADBEEF);
    }
}

static void halfwords_turn_with_8in16_alone(void **state)
{
    assert_int_equal(xenos_swap16(0x1234, XENOS_ENDIAN_8IN16), 0x3412);
    assert_int_equal(xenos_swap16(0x1234, XENOS_ENDIAN_NONE), 0x1234);
    assert_int_equal(xenos_swap16(0x1234, XENOS_ENDIAN_16IN32), 0x1234);
}

static void gpu_dwords_are_little_endian(void **state)
{
    const uint8_t bytes[] = {1, 2, 3, 4};
    assert_int_equal(xenos_load32(bytes), 0x04030201);
    uint8_t out[4];
    xenos_store32(out, 0x04030201);
    assert_memory_equal(out, bytes, 4);
}

/* ---- tiling ---- */

/* One bit of x or y at a time, worked out by hand from the bit layout in tiling.h's source
 * (texture_address.h: pipe, bank and interleave bits), 4 bytes per block, pitch 64. */
static void single_bits_of_a_tiled_address(void **state)
{
    static const struct {
        uint32_t x, y, offset;
    } rows[] = {
        {0, 0, 0},     {1, 0, 4},     {2, 0, 8},      {4, 0, 32},      {8, 0, 64},    {16, 0, 128},
        {0, 1, 16},    {0, 2, 256},   {0, 4, 512},    {0, 8, 1152},    {0, 16, 2048}, {32, 0, 4096},
        {0, 32, 8192}, {16, 8, 1024}, {31, 31, 3964}, {32, 32, 12288},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(xenos_tiled_offset(rows[i].x, rows[i].y, 64, 2), rows[i].offset);
    }
}

/* Numbers from the address formula of the XDK's XGAddress2DTiledOffset as public tools have it
 * (crunch crn_decomp.h), evaluated apart from this code. {x, y, pitch, log2 bytes, offset} */
static void offsets_of_the_public_formula(void **state)
{
    static const uint32_t rows[][5] = {
        {31, 31, 64, 2, 3964},        {100, 50, 1280, 2, 178464}, {1279, 719, 1280, 2, 3766140},
        {640, 360, 1280, 2, 1885312}, {77, 123, 640, 1, 129786},  {319, 239, 320, 1, 161662},
        {5, 9, 128, 0, 405},          {127, 127, 128, 0, 16255},  {33, 65, 256, 3, 139288},
        {255, 100, 256, 3, 255464},   {17, 40, 64, 4, 40992},     {63, 63, 64, 4, 65392},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(xenos_tiled_offset(rows[i][0], rows[i][1], rows[i][2], rows[i][3]),
                         rows[i][4]);
    }
}

/* A surface whose size is whole tiles of whole pages uses every block of memory once. */
static void tiling_is_a_bijection(void **state)
{
    enum { SIDE = 128 };
    for (uint32_t log2 = 0; log2 <= 4; log2++) {
        uint8_t *seen = calloc(SIDE, SIDE);
        for (uint32_t y = 0; y < SIDE; y++) {
            for (uint32_t x = 0; x < SIDE; x++) {
                uint64_t offset = xenos_tiled_offset(x, y, SIDE, log2);
                assert_int_equal(offset & ((1u << log2) - 1), 0);
                assert_true(offset >> log2 < SIDE * SIDE);
                assert_int_equal(seen[offset >> log2]++, 0);
            }
        }
        free(seen);
    }
}

static void position_inverts_offset(void **state)
{
    for (uint32_t log2 = 0; log2 <= 4; log2++) {
        for (uint32_t y = 0; y < 96; y++) {
            for (uint32_t x = 0; x < 160; x++) {
                uint32_t back_x, back_y;
                xenos_tiled_position(xenos_tiled_offset(x, y, 160, log2), 160, log2, &back_x,
                                     &back_y);
                assert_int_equal(back_x, x);
                assert_int_equal(back_y, y);
            }
        }
    }
}

static void extent_covers_the_farthest_block(void **state)
{
    static const uint32_t sizes[][2] = {{1, 1}, {31, 5}, {33, 40}, {64, 64}, {100, 17}, {127, 100}};
    for (uint32_t log2 = 0; log2 <= 4; log2++) {
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            uint64_t farthest = 0;
            for (uint32_t y = 0; y < sizes[i][1]; y++) {
                for (uint32_t x = 0; x < sizes[i][0]; x++) {
                    uint64_t end = xenos_tiled_offset(x, y, 128, log2) + (1u << log2);
                    farthest = end > farthest ? end : farthest;
                }
            }
            uint64_t extent = xenos_tiled_extent(128, sizes[i][0], sizes[i][1], log2);
            if (log2 >= 2) {
                assert_int_equal(extent, farthest);
            } else {
                assert_true(extent >= farthest && extent - farthest < 0x4000);
                assert_int_equal(extent % 4096, 0);
            }
        }
    }
    assert_int_equal(xenos_tiled_extent(128, 0, 10, 2), 0);
}

/* Each block of a tiled surface holds its own coordinates; the untiled rows are in order. */
static void untile_puts_rows_in_order(void **state)
{
    enum { W = 96, H = 50 };
    uint64_t size = xenos_tiled_extent(W, W, H, 2);
    uint8_t *tiled = calloc(1, size);
    for (uint32_t y = 0; y < H; y++) {
        for (uint32_t x = 0; x < W; x++) {
            weft_store32(tiled + xenos_tiled_offset(x, y, W, 2), y << 16 | x);
        }
    }
    uint8_t *rows = malloc(W * H * 4);
    assert_true(xenos_untile(rows, W * 4, tiled, size, W, W, H, 2));
    for (uint32_t y = 0; y < H; y++) {
        for (uint32_t x = 0; x < W; x++) {
            assert_int_equal(weft_load32(rows + (y * W + x) * 4), y << 16 | x);
        }
    }
    free(rows);
    free(tiled);
}

static void tile_then_untile_gives_the_same(void **state)
{
    enum { W = 61, H = 37, PITCH = 64 };
    for (uint32_t log2 = 0; log2 <= 4; log2++) {
        uint32_t stride = W << log2;
        uint64_t size = xenos_tiled_extent(PITCH, W, H, log2);
        uint8_t *in = malloc(stride * H), *out = calloc(1, stride * H), *tiled = calloc(1, size);
        for (uint32_t i = 0; i < stride * H; i++) {
            in[i] = (uint8_t)(i * 131 + (i >> 8));
        }
        assert_true(xenos_tile(tiled, size, in, stride, PITCH, W, H, log2));
        assert_true(xenos_untile(out, stride, tiled, size, PITCH, W, H, log2));
        assert_memory_equal(in, out, stride * H);
        free(in);
        free(out);
        free(tiled);
    }
}

static void untile_refuses_a_surface_that_is_too_small(void **state)
{
    uint8_t out[16 * 16 * 4], tiled[4096] = {0};
    assert_false(
        xenos_untile(out, 64, tiled, xenos_tiled_extent(32, 16, 16, 2) - 1, 32, 16, 16, 2));
    assert_false(xenos_untile(out, 64, tiled, sizeof tiled, 32, 33, 1, 2));
    assert_false(xenos_tile(tiled, 100, out, 64, 32, 16, 16, 2));
}

/* ---- formats: xenia xenos.h TextureFormat, texture_info_formats.cc ---- */

static void format_numbers_and_sizes(void **state)
{
    static const struct {
        uint32_t number;
        const char *name;
        uint32_t bits;
    } rows[] = {
        {2, "k_8", 8},
        {4, "k_5_6_5", 16},
        {6, "k_8_8_8_8", 32},
        {7, "k_2_10_10_10", 32},
        {18, "k_DXT1", 64},
        {20, "k_DXT4_5", 128},
        {26, "k_16_16_16_16", 64},
        {38, "k_32_32_32_32_FLOAT", 128},
        {50, "k_8_8_8_8_AS_16_16_16_16", 32},
        {54, "k_2_10_10_10_AS_16_16_16_16", 32},
        {62, "k_8_8_8_8_GAMMA_EDRAM", 32},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_string_equal(xenos_format_of(rows[i].number)->name, rows[i].name);
        assert_int_equal(xenos_format_of(rows[i].number)->bits, rows[i].bits);
    }
}

static void components_fill_the_pixel(void **state)
{
    for (uint32_t n = 0; n < XENOS_FORMAT_COUNT; n++) {
        const xenos_format *format = xenos_format_of(n);
        uint32_t sum = 0;
        for (uint32_t c = 0; c < format->components; c++) {
            sum += format->width[c];
        }
        assert_non_null(format->name);
        assert_true(format->components == 0 || sum == format->bits);
    }
}

/* ---- gamma ---- */

static void linear_ramps_change_nothing(void **state)
{
    xenos_gamma gamma;
    xenos_gamma_linear(&gamma);
    for (uint32_t v = 0; v < 256; v++) {
        assert_int_equal(xenos_gamma_apply(&gamma, v % 3, v, 8), v);
    }
    for (uint32_t v = 0; v < 1024; v++) {
        assert_int_equal(xenos_gamma_apply(&gamma, v % 3, v, 10), v >> 2);
    }
    assert_int_equal(xenos_gamma_apply(&gamma, 0, 31, 5), 255);
    assert_int_equal(xenos_gamma_apply(&gamma, 0, 0, 5), 0);
}

/* DC_LUT_30_COLOR: red 29:20, green 19:10, blue 9:0; the index moves on by one. */
static void a_30_bit_entry_sets_three_components(void **state)
{
    xenos_gamma gamma;
    xenos_gamma_linear(&gamma);
    uint32_t next =
        xenos_gamma_write(&gamma, XENOS_DC_LUT_30_COLOR, 0x3FFu << 20 | 0x200u << 10 | 4u, 10, 7);
    assert_int_equal(next, 11);
    assert_int_equal(xenos_gamma_apply(&gamma, 0, 10, 8), 0xFF);
    assert_int_equal(xenos_gamma_apply(&gamma, 1, 10, 8), 0x80);
    assert_int_equal(xenos_gamma_apply(&gamma, 2, 10, 8), 1);
}

/* Sequential writes: red, green, blue, then the next entry; 16 bits of which the upper 10 count. */
static void sequential_writes_go_red_green_blue(void **state)
{
    xenos_gamma gamma;
    xenos_gamma_linear(&gamma);
    uint32_t index = xenos_gamma_write(&gamma, XENOS_DC_LUT_RW_INDEX, 255, 0, 7);
    index = xenos_gamma_write(&gamma, XENOS_DC_LUT_SEQ_COLOR, 0x1000, index, 7);
    index = xenos_gamma_write(&gamma, XENOS_DC_LUT_SEQ_COLOR, 0x2000, index, 7);
    assert_int_equal(index, 255);
    index = xenos_gamma_write(&gamma, XENOS_DC_LUT_SEQ_COLOR, 0x3000, index, 7);
    assert_int_equal(index, 0); /* wraps in 8 bits */
    assert_int_equal(xenos_gamma_apply(&gamma, 0, 255, 8), 0x10);
    assert_int_equal(xenos_gamma_apply(&gamma, 1, 255, 8), 0x20);
    assert_int_equal(xenos_gamma_apply(&gamma, 2, 255, 8), 0x30);
}

/* The mask's bit 0 is blue, bit 2 red. */
static void the_write_mask_protects_components(void **state)
{
    xenos_gamma gamma;
    xenos_gamma_linear(&gamma);
    xenos_gamma_write(&gamma, XENOS_DC_LUT_30_COLOR, 0, 200, 1);
    assert_int_equal(xenos_gamma_apply(&gamma, 0, 200, 8), 200);
    assert_int_equal(xenos_gamma_apply(&gamma, 1, 200, 8), 200);
    assert_int_equal(xenos_gamma_apply(&gamma, 2, 200, 8), 0);
}

/* A segment covers 8 values of 10 bits: base + step * delta / 8; index bit 7 stays. */
static void piecewise_segments_interpolate(void **state)
{
    xenos_gamma gamma;
    xenos_gamma_linear(&gamma);
    uint32_t index = 0x80 | 3;
    for (uint32_t c = 0; c < 3; c++) {
        index = xenos_gamma_write(&gamma, XENOS_DC_LUT_PWL_DATA, 0x8000u << 16 | 0x4000u, index, 7);
    }
    assert_int_equal(index, 0x84);
    assert_int_equal(xenos_gamma_apply(&gamma, 0, 3 * 8, 10), 0x40);
    assert_int_equal(xenos_gamma_apply(&gamma, 0, 3 * 8 + 4, 10), 0x80);
    assert_int_equal(xenos_gamma_apply(&gamma, 0, 4 * 8, 10), 32 >> 2);
}

/* ---- front buffers ---- */

/* Red from z, green from y, blue from x, alpha from w: D3DFMT_A8R8G8B8, a big-endian 0xAARRGGBB. */
#define SWIZZLE_ARGB (2u | 1u << 3 | 0u << 6 | 3u << 9)

/* A fetch constant by the fields of xenia's xe_gpu_texture_fetch_t. */
static void make_fetch(uint32_t fetch[6], uint32_t tiled, uint32_t pitch, uint32_t format,
                       uint32_t endian, uint32_t base, uint32_t width, uint32_t height,
                       uint32_t swizzle)
{
    fetch[0] = 2u | (pitch / 32) << 22 | tiled << 31;
    fetch[1] = format | endian << 6 | (base & 0xFFFFF000u);
    fetch[2] = (width - 1) | (height - 1) << 13;
    fetch[3] = swizzle << 1;
    fetch[4] = 0;
    fetch[5] = 1u << 9;
}

static void fetch_constant_fields(void **state)
{
    uint32_t fetch[6];
    xenos_surface s;
    make_fetch(fetch, 1, 1408, 54, 2, 0x1ABCD000, 1280, 720, SWIZZLE_ARGB);
    xenos_surface_decode(&s, fetch);
    assert_int_equal(s.type, 2);
    assert_int_equal(s.tiled, 1);
    assert_int_equal(s.pitch, 1408);
    assert_int_equal(s.format, 54);
    assert_int_equal(s.endian, 2);
    assert_int_equal(s.base, 0x1ABCD000);
    assert_int_equal(s.width, 1280);
    assert_int_equal(s.height, 720);
    assert_int_equal(s.swizzle, SWIZZLE_ARGB);
}

static void read_one(const uint32_t fetch[6], const uint8_t *memory, uint32_t w, uint32_t h,
                     uint8_t *rgba)
{
    xenos_surface surface;
    xenos_gamma gamma;
    xenos_gamma_linear(&gamma);
    xenos_surface_decode(&surface, fetch);
    assert_null(xenos_surface_problem(&surface, w, h, 1u << 20));
    xenos_surface_read(&surface, memory, w, h, &gamma, NULL, rgba);
}

static void linear_8888_with_row_padding(void **state)
{
    uint8_t *memory = calloc(1, 1 << 20), rgba[40 * 2 * 4];
    uint32_t fetch[6];
    make_fetch(fetch, 0, 64, 6, XENOS_ENDIAN_8IN32, 0x1000, 40, 2, SWIZZLE_ARGB);
    weft_store32(memory + 0x1000, 0xFF112233);
    weft_store32(memory + 0x1000 + 39 * 4, 0x00445566);
    weft_store32(memory + 0x1000 + 256, 0xFF778899); /* 64 texels of 4 bytes: rows of 256 bytes */
    read_one(fetch, memory, 40, 2, rgba);
    assert_memory_equal(rgba, ((uint8_t[]){0x11, 0x22, 0x33, 255}), 4);
    assert_memory_equal(rgba + 39 * 4, ((uint8_t[]){0x44, 0x55, 0x66, 255}), 4);
    assert_memory_equal(rgba + 40 * 4, ((uint8_t[]){0x77, 0x88, 0x99, 255}), 4);
    free(memory);
}

/* Rows of a linear surface start at multiples of 256 bytes: 32 texels of 16 bits are padded. */
static void linear_565_rows_are_256_bytes_apart(void **state)
{
    uint8_t *memory = calloc(1, 1 << 20), rgba[32 * 2 * 4];
    uint32_t fetch[6];
    make_fetch(fetch, 0, 32, 4, XENOS_ENDIAN_8IN16, 0x2000, 32, 2, SWIZZLE_ARGB);
    weft_store16(memory + 0x2000, 0xF800);       /* all red: bits 15:11 are z */
    weft_store16(memory + 0x2000 + 256, 0x07E0); /* all green */
    read_one(fetch, memory, 32, 2, rgba);
    assert_memory_equal(rgba, ((uint8_t[]){255, 0, 0, 255}), 4);
    assert_memory_equal(rgba + 32 * 4, ((uint8_t[]){0, 255, 0, 255}), 4);
    free(memory);
}

static void tiled_8888_by_hand_made_offsets(void **state)
{
    uint8_t *memory = calloc(1, 1 << 20), rgba[64 * 33 * 4];
    uint32_t fetch[6];
    make_fetch(fetch, 1, 64, 6, XENOS_ENDIAN_8IN32, 0x3000, 64, 33, SWIZZLE_ARGB);
    weft_store32(memory + 0x3000 + 3964, 0xFF010203); /* (31, 31) */
    weft_store32(memory + 0x3000 + 4096, 0xFF040506); /* (32, 0) */
    weft_store32(memory + 0x3000 + 8192, 0xFF070809); /* (0, 32) */
    weft_store32(memory + 0x3000 + 1152, 0xFF0A0B0C); /* (0, 8) */
    read_one(fetch, memory, 64, 33, rgba);
    assert_memory_equal(rgba + (31 * 64 + 31) * 4, ((uint8_t[]){1, 2, 3, 255}), 4);
    assert_memory_equal(rgba + 32 * 4, ((uint8_t[]){4, 5, 6, 255}), 4);
    assert_memory_equal(rgba + 32 * 64 * 4, ((uint8_t[]){7, 8, 9, 255}), 4);
    assert_memory_equal(rgba + 8 * 64 * 4, ((uint8_t[]){10, 11, 12, 255}), 4);
    free(memory);
}

/* 2:10:10:10 from the top: x is bits 9:0. */
static void ten_bit_pixels_lose_two_bits(void **state)
{
    uint8_t *memory = calloc(1, 1 << 20), rgba[4];
    uint32_t fetch[6];
    make_fetch(fetch, 1, 32, 54, XENOS_ENDIAN_8IN32, 0x1000, 1, 1, SWIZZLE_ARGB);
    weft_store32(memory + 0x1000, 3u << 30 | 0x3FFu << 20 | 0x200u << 10 | 0x007u);
    read_one(fetch, memory, 1, 1, rgba);
    assert_memory_equal(rgba, ((uint8_t[]){255, 128, 1, 255}), 4);
    free(memory);
}

/* Four halfwords in memory order x, y, z, w; 8in16 makes each of them big-endian. */
static void sixteen_bit_pixels_keep_their_top_byte(void **state)
{
    uint8_t *memory = calloc(1, 1 << 20), rgba[4];
    uint32_t fetch[6];
    make_fetch(fetch, 0, 32, 26, XENOS_ENDIAN_8IN16, 0x1000, 1, 1,
               0u | 1u << 3 | 2u << 6 | 3u << 9);
    weft_store16(memory + 0x1000, 0xC0FF);
    weft_store16(memory + 0x1002, 0x8000);
    weft_store16(memory + 0x1004, 0x4001);
    read_one(fetch, memory, 1, 1, rgba);
    assert_memory_equal(rgba, ((uint8_t[]){0xC0, 0x80, 0x40, 255}), 4);
    free(memory);
}

static void swizzle_constants_zero_and_one(void **state)
{
    uint8_t *memory = calloc(1, 1 << 20), rgba[4];
    uint32_t fetch[6];
    make_fetch(fetch, 0, 32, 6, XENOS_ENDIAN_8IN32, 0x1000, 1, 1, 4u | 5u << 3 | 1u << 6);
    weft_store32(memory + 0x1000, 0x12345678);
    read_one(fetch, memory, 1, 1, rgba);
    assert_memory_equal(rgba, ((uint8_t[]){0, 255, 0x56, 255}), 4);
    free(memory);
}

static const char *problem_of(const uint32_t fetch[6], uint32_t w, uint32_t h, uint32_t memory)
{
    xenos_surface surface;
    xenos_surface_decode(&surface, fetch);
    return xenos_surface_problem(&surface, w, h, memory);
}

static void surfaces_that_cannot_be_shown(void **state)
{
    uint32_t fetch[6];
    make_fetch(fetch, 1, 1280, 6, 2, 0x100000, 1280, 720, SWIZZLE_ARGB);
    assert_null(problem_of(fetch, 1280, 720, 0x100000 + 1280 * 736 * 4));
    assert_non_null(problem_of(fetch, 1280, 720, 0x100000 + 1280 * 719 * 4));
    assert_non_null(problem_of(fetch, 0, 720, 1u << 29));
    assert_non_null(problem_of(fetch, 1280, 0, 1u << 29));
    assert_non_null(problem_of(fetch, 1281, 720, 1u << 29));
    assert_non_null(problem_of(fetch, 0xFFFFFFFF, 0xFFFFFFFF, 1u << 29));
    fetch[0] = (fetch[0] & ~3u) | 3; /* a vertex fetch constant */
    assert_non_null(problem_of(fetch, 1280, 720, 1u << 29));
    make_fetch(fetch, 1, 1280, 18, 2, 0x100000, 1280, 720, SWIZZLE_ARGB); /* DXT1 */
    assert_non_null(problem_of(fetch, 1280, 720, 1u << 29));
}

/* A linear picture may end with its last pixel: the padding behind it need not exist (xenia
 * texture_address.h notes a title that allots exactly 1280x720). */
static void a_linear_surface_may_be_tight(void **state)
{
    uint32_t fetch[6];
    make_fetch(fetch, 0, 1280, 6, 2, 0, 1280, 720, SWIZZLE_ARGB);
    assert_null(problem_of(fetch, 1280, 720, 1280 * 720 * 4));
    assert_non_null(problem_of(fetch, 1280, 720, 1280 * 720 * 4 - 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(swaps_of_32_bits),
        cmocka_unit_test(every_swap_is_its_own_inverse),
        cmocka_unit_test(halfwords_turn_with_8in16_alone),
        cmocka_unit_test(gpu_dwords_are_little_endian),
        cmocka_unit_test(single_bits_of_a_tiled_address),
        cmocka_unit_test(offsets_of_the_public_formula),
        cmocka_unit_test(tiling_is_a_bijection),
        cmocka_unit_test(position_inverts_offset),
        cmocka_unit_test(extent_covers_the_farthest_block),
        cmocka_unit_test(untile_puts_rows_in_order),
        cmocka_unit_test(tile_then_untile_gives_the_same),
        cmocka_unit_test(untile_refuses_a_surface_that_is_too_small),
        cmocka_unit_test(format_numbers_and_sizes),
        cmocka_unit_test(components_fill_the_pixel),
        cmocka_unit_test(linear_ramps_change_nothing),
        cmocka_unit_test(a_30_bit_entry_sets_three_components),
        cmocka_unit_test(sequential_writes_go_red_green_blue),
        cmocka_unit_test(the_write_mask_protects_components),
        cmocka_unit_test(piecewise_segments_interpolate),
        cmocka_unit_test(fetch_constant_fields),
        cmocka_unit_test(linear_8888_with_row_padding),
        cmocka_unit_test(linear_565_rows_are_256_bytes_apart),
        cmocka_unit_test(tiled_8888_by_hand_made_offsets),
        cmocka_unit_test(ten_bit_pixels_lose_two_bits),
        cmocka_unit_test(sixteen_bit_pixels_keep_their_top_byte),
        cmocka_unit_test(swizzle_constants_zero_and_one),
        cmocka_unit_test(surfaces_that_cannot_be_shown),
        cmocka_unit_test(a_linear_surface_may_be_tight),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
