/* What blocks of each texture format hold: values by hand from the formats' definitions. */
#include "test.h"

#include "texels.h"
#include "tiling.h"

/* Reads texel (x, y) of the plain texture whose first block is `words`. */
static void read_words(const texels_constant *c, const uint32_t *words, size_t count, uint32_t x,
                       uint32_t y, float out[4])
{
    texels t;
    texels_open(&t);
    texels_put(&t, TEXELS_BASE, words, count);
    texels_read(&t, c, x, y, out);
    texels_close(&t);
}

static void assert_texel(const float is[4], double x, double y, double z, double w)
{
    const float want[4] = {(float)x, (float)y, (float)z, (float)w};
    for (int i = 0; i < 4; i++) {
        if (memcmp(&is[i], &want[i], 4) != 0) {
            print_error("component %d is %.9g, not %.9g\n", i, is[i], want[i]);
            fail();
        }
    }
}

typedef struct fixed_row {
    uint32_t format;
    uint32_t words[2];
    double x, y, z, w;
} fixed_row;

/* Unsigned fractions v / (2^n - 1), from the lowest bits up; what a format lacks is its last
 * component (xenia texture cache host swizzles RRRR, RGGG, RGBB). */
static void unsigned_fractions(void **state)
{
    (void)state;
    static const fixed_row rows[] = {
        {2, {0x40}, 64 / 255., 64 / 255., 64 / 255., 64 / 255.},
        {8, {0xFF}, 1, 1, 1, 1},
        {9, {0x01}, 1 / 255., 1 / 255., 1 / 255., 1 / 255.},
        /* 1_5_5_5: w = 1, z = 16, y = 8, x = 31 */
        {3, {1 << 15 | 16 << 10 | 8 << 5 | 31}, 1, 8 / 31., 16 / 31., 1},
        {4, {31 << 11 | 32 << 5 | 1}, 1 / 31., 32 / 63., 1, 1},
        /* 6_5_5: the six bits are the highest */
        {5, {33 << 10 | 7 << 5 | 3}, 3 / 31., 7 / 31., 33 / 63., 33 / 63.},
        {6, {0x04030201}, 1 / 255., 2 / 255., 3 / 255., 4 / 255.},
        {14, {0x04030201}, 1 / 255., 2 / 255., 3 / 255., 4 / 255.},
        {50, {0x04030201}, 1 / 255., 2 / 255., 3 / 255., 4 / 255.},
        {7, {1u << 30 | 3 << 20 | 2 << 10 | 1023}, 1, 2 / 1023., 3 / 1023., 1 / 3.},
        {54, {2u << 30 | 3 << 20 | 2 << 10 | 1}, 1 / 1023., 2 / 1023., 3 / 1023., 2 / 3.},
        {10, {0x80FF}, 1, 128 / 255., 128 / 255., 128 / 255.},
        {15, {0xF842}, 2 / 15., 4 / 15., 8 / 15., 1},
        /* 10_11_11: z has ten bits, the highest; 11_11_10: x has ten, the lowest */
        {16, {5u << 22 | 6 << 11 | 7}, 7 / 2047., 6 / 2047., 5 / 1023., 5 / 1023.},
        {55, {5u << 22 | 6 << 11 | 7}, 7 / 2047., 6 / 2047., 5 / 1023., 5 / 1023.},
        {17, {5u << 21 | 6 << 10 | 7}, 7 / 1023., 6 / 2047., 5 / 2047., 5 / 2047.},
        {56, {5u << 21 | 6 << 10 | 7}, 7 / 1023., 6 / 2047., 5 / 2047., 5 / 2047.},
        {24, {0x8000}, 32768 / 65535., 32768 / 65535., 32768 / 65535., 32768 / 65535.},
        {25, {0x0002FFFF}, 1, 2 / 65535., 2 / 65535., 2 / 65535.},
        {26, {0x00020001, 0x00040003}, 1 / 65535., 2 / 65535., 3 / 65535., 4 / 65535.},
        {33, {0xFFFFFFFF}, 1, 1, 1, 1},
        {34, {0x80000000, 0}, 2147483648. / 4294967295., 0, 0, 0},
        /* 24_8: depth above stencil */
        {22, {0xFFFFFFAB}, 1, 1, 1, 1},
        {22, {0x00000100}, 1 / 16777216., 1 / 16777216., 1 / 16777216., 1 / 16777216.},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        texels_constant c = texels_plain(rows[i].format, 1, 1);
        float is[4];
        read_words(&c, rows[i].words, 2, 0, 0, is);
        assert_texel(is, rows[i].x, rows[i].y, rows[i].z, rows[i].w);
    }
}

/* Two's complement; the lowest number is -1 like the one above it (xenia: signed repeating fractions
 * use the ZERO_CLAMP_MINUS_ONE mode). */
static void signed_fractions(void **state)
{
    (void)state;
    texels_constant c = texels_plain(6, 1, 1);
    c.signs = 0x55;
    float is[4];
    read_words(&c, (uint32_t[]){0x7F8081FF}, 1, 0, 0, is);
    assert_texel(is, -1 / 127., -1, -1, 1);
    c.format = 7;
    read_words(&c, (uint32_t[]){2u << 30 | 512 << 20 | 511 << 10 | 1}, 1, 0, 0, is);
    assert_texel(is, 1 / 511., 1, -1, -1);
    c.format = 26;
    read_words(&c, (uint32_t[]){0x80007FFF, 0x0001FFFF}, 2, 0, 0, is);
    assert_texel(is, 1, -1, -1 / 32767., 1 / 32767.);
    c.format = 33;
    read_words(&c, (uint32_t[]){0x80000000}, 1, 0, 0, is);
    assert_texel(is, -1, -1, -1, -1);
}

/* 2x - 1 of the unsigned fraction. */
static void biased_numbers(void **state)
{
    (void)state;
    texels_constant c = texels_plain(6, 1, 1);
    c.signs = 0xAA;
    float is[4];
    read_words(&c, (uint32_t[]){0x80FF0001}, 1, 0, 0, is);
    assert_texel(is, 2 / 255. - 1, -1, 1, (2 * 128 - 255) / 255.);
}

/* Integers are what the bits say. */
static void integers(void **state)
{
    (void)state;
    texels_constant c = texels_plain(6, 1, 1);
    c.integer = 1;
    float is[4];
    read_words(&c, (uint32_t[]){0xFF800201}, 1, 0, 0, is);
    assert_texel(is, 1, 2, 128, 255);
    c.signs = 0x55;
    read_words(&c, (uint32_t[]){0xFF800201}, 1, 0, 0, is);
    assert_texel(is, 1, 2, -128, -1);
    c.format = 25;
    read_words(&c, (uint32_t[]){0x80007FFF}, 1, 0, 0, is);
    assert_texel(is, 32767, -32768, -32768, -32768);
    c.format = 33;
    read_words(&c, (uint32_t[]){0x80000000}, 1, 0, 0, is);
    assert_texel(is, -2147483648., -2147483648., -2147483648., -2147483648.);
}

/* The curve of four straight pieces with slopes 1, 2, 4, 8 from 0, 64, 96, 192 (of 255) to 1023
 * (xenia xenos.cc), plus the truncated slope / 1024 of the result: 64 -> 64, 96 -> 128, 128 -> 256 + 1,
 * 192 -> 512 + 4, 255 -> 1016 + 7. */
static void gamma_is_piecewise_linear(void **state)
{
    (void)state;
    texels_constant c = texels_plain(6, 1, 1);
    c.signs = 0xFF;
    float is[4];
    read_words(&c, (uint32_t[]){192u << 24 | 96 << 16 | 64 << 8 | 63}, 1, 0, 0, is);
    assert_texel(is, 63 / 1023., 64 / 1023., 128 / 1023., 516 / 1023.);
    c.signs = 0x3F; /* not w */
    read_words(&c, (uint32_t[]){64u << 24 | 255 << 16 | 0 << 8 | 128}, 1, 0, 0, is);
    assert_texel(is, 257 / 1023., 0, 1, 64 / 255.);
}

/* Signs are of components after the last has stood in for those that are missing, and before the
 * swizzle. */
static void signs_go_with_components(void **state)
{
    (void)state;
    texels_constant c = texels_plain(2, 1, 1);
    c.signs = 1 << 4;                         /* z */
    c.swizzle = 2 | 0 << 3 | 4 << 6 | 5 << 9; /* z x 0 1 */
    float is[4];
    read_words(&c, (uint32_t[]){0x81}, 1, 0, 0, is);
    assert_texel(is, -1, 129 / 255., 0, 1);
}

static void exponents_scale(void **state)
{
    (void)state;
    texels_constant c = texels_plain(6, 1, 1);
    c.exponent = 5;
    c.swizzle = 0 | 1 << 3 | 2 << 6 | 5 << 9;
    float is[4];
    read_words(&c, (uint32_t[]){0x000055FF}, 1, 0, 0, is);
    assert_texel(is, 32, 32 * 85 / 255., 0, 1);
    c.exponent = (uint32_t)-32;
    read_words(&c, (uint32_t[]){0xFF}, 1, 0, 0, is);
    assert_texel(is, 0x1p-32, 0, 0, 1);
}

/* s10e5: 0x3C00 is 1, 0xC000 is -2, 0x0001 is 2^-24; exponent 31 goes on to 65536 and beyond. */
static void halves(void **state)
{
    (void)state;
    texels_constant c = texels_plain(32, 1, 1);
    float is[4];
    read_words(&c, (uint32_t[]){0xC0003C00, 0x7C000001}, 2, 0, 0, is);
    assert_texel(is, 1, -2, 0x1p-24, 65536);
    c.format = 31;
    read_words(&c, (uint32_t[]){0x7FFF8001}, 1, 0, 0, is);
    assert_texel(is, -0x1p-24, 131008, 131008, 131008);
    c.format = 28; /* EXPAND */
    read_words(&c, (uint32_t[]){0x38003C00}, 1, 0, 0, is);
    assert_texel(is, 1, 0.5, 0.5, 0.5);
    c.format = 30;
    read_words(&c, (uint32_t[]){0x3555}, 1, 0, 0, is);
    assert_texel(is, 0.333251953125, 0.333251953125, 0.333251953125, 0.333251953125);
}

static void singles(void **state)
{
    (void)state;
    static const uint32_t words[4] = {0x3F800000, 0xC1200000, 0x40490FDB, 0x7F7FFFFF};
    texels_constant c = texels_plain(38, 1, 1);
    float is[4];
    read_words(&c, words, 4, 0, 0, is);
    assert_texel(is, 1, -10, 3.14159274101257324, 3.4028234663852886e38);
    c.format = 57; /* three: rows are 32 * 12 bytes */
    c.width = c.height = 2;
    texels t;
    texels_open(&t);
    texels_put(&t, TEXELS_BASE + 32 * 12 + 12, words, 3);
    texels_read(&t, &c, 1, 1, is);
    texels_close(&t);
    assert_texel(is, 1, -10, 3.14159274101257324, 3.14159274101257324);
}

/* 20e4 above the stencil: exponent 15 and mantissa 0 are 2^0 = 1; the largest is just below 2; the
 * smallest 2^-14 * 2^-20. */
static void float_depths(void **state)
{
    (void)state;
    texels_constant c = texels_plain(23, 1, 1);
    float is[4];
    read_words(&c, (uint32_t[]){0xF00000AB}, 1, 0, 0, is);
    assert_texel(is, 1, 1, 1, 1);
    read_words(&c, (uint32_t[]){0xFFFFFF00}, 1, 0, 0, is);
    double top = 2 - 0x1p-20;
    assert_texel(is, top, top, top, top);
    read_words(&c, (uint32_t[]){0x000001FF}, 1, 0, 0, is);
    assert_texel(is, 0x1p-34, 0x1p-34, 0x1p-34, 0x1p-34);
}

/* Bytes from the highest: Cr Y1 Cb Y0, and Y1 Cr Y0 Cb; x is Cr, y is Y, z is Cb. */
static void video(void **state)
{
    (void)state;
    float is[4];
    texels_constant c = texels_plain(11, 2, 1);
    read_words(&c, (uint32_t[]){0x40302010}, 1, 0, 0, is);
    assert_texel(is, 64 / 255., 16 / 255., 32 / 255., 32 / 255.);
    read_words(&c, (uint32_t[]){0x40302010}, 1, 1, 0, is);
    assert_texel(is, 64 / 255., 48 / 255., 32 / 255., 32 / 255.);
    c.format = 12;
    read_words(&c, (uint32_t[]){0x40302010}, 1, 0, 0, is);
    assert_texel(is, 48 / 255., 32 / 255., 16 / 255., 16 / 255.);
    read_words(&c, (uint32_t[]){0x40302010}, 1, 1, 0, is);
    assert_texel(is, 48 / 255., 64 / 255., 16 / 255., 16 / 255.);
}

static void bits_and_bytes(void **state)
{
    (void)state;
    float is[4];
    texels_constant c = texels_plain(1, 16, 1);
    read_words(&c, (uint32_t[]){0x8002}, 1, 1, 0, is);
    assert_texel(is, 1, 1, 1, 1);
    read_words(&c, (uint32_t[]){0x8002}, 1, 15, 0, is);
    assert_texel(is, 1, 1, 1, 1);
    read_words(&c, (uint32_t[]){0x8002}, 1, 8, 0, is);
    assert_texel(is, 0, 0, 0, 0);
    c.format = 0; /* reversed */
    read_words(&c, (uint32_t[]){0x8002}, 1, 8, 0, is);
    assert_texel(is, 1, 1, 1, 1);
    c = texels_plain(39, 4, 1);
    read_words(&c, (uint32_t[]){0x00FF0000}, 1, 2, 0, is);
    assert_texel(is, 1, 1, 1, 1);
    c = texels_plain(40, 2, 1);
    read_words(&c, (uint32_t[]){0x00FF0000}, 1, 1, 0, is);
    assert_texel(is, 1, 0, 0, 0);
}

/* S3TC (EXT_texture_compression_s3tc): red and blue ends, four colours where the first is greater;
 * thirds are (2 * 255 + 0) / 3 = 170 and 85. Indices are two bits, the first texel lowest. */
static void dxt1_of_four_colours(void **state)
{
    (void)state;
    static const uint32_t words[2] = {0x001FF800, 0x000000E4}; /* row 0: 0, 1, 2, 3 */
    texels_constant c = texels_plain(18, 4, 4);
    float is[4];
    read_words(&c, words, 2, 0, 0, is);
    assert_texel(is, 1, 0, 0, 1);
    read_words(&c, words, 2, 1, 0, is);
    assert_texel(is, 0, 0, 1, 1);
    read_words(&c, words, 2, 2, 0, is);
    assert_texel(is, 170 / 255., 0, 85 / 255., 1);
    read_words(&c, words, 2, 3, 0, is);
    assert_texel(is, 85 / 255., 0, 170 / 255., 1);
    read_words(&c, words, 2, 3, 3, is);
    assert_texel(is, 1, 0, 0, 1);
}

/* Where the first end is not greater: three colours, the half and transparent black. */
static void dxt1_of_three_colours(void **state)
{
    (void)state;
    static const uint32_t words[2] = {0xF800001F, 0xE4000000}; /* row 3 */
    texels_constant c = texels_plain(51, 4, 4);
    float is[4];
    read_words(&c, words, 2, 2, 3, is);
    assert_texel(is, 127 / 255., 0, 127 / 255., 1);
    read_words(&c, words, 2, 3, 3, is);
    assert_texel(is, 0, 0, 0, 0);
}

/* Five and six bits widen by repeating: 1 -> 8, 16 -> 132; green 1 -> 4, 32 -> 130. */
static void dxt_ends_widen(void **state)
{
    (void)state;
    static const uint32_t words[2] = {16u << 11 | 32 << 5 | 1 | (uint32_t)(1 << 5) << 16, 0x1};
    texels_constant c = texels_plain(18, 4, 4);
    float is[4];
    read_words(&c, words, 2, 1, 0, is);
    assert_texel(is, 132 / 255., 130 / 255., 8 / 255., 1);
    read_words(&c, words, 2, 0, 0, is);
    assert_texel(is, 0, 4 / 255., 0, 1);
}

/* Alpha of four bits in the first half; colours are four even if the first end is smaller. */
static void dxt3(void **state)
{
    (void)state;
    static const uint32_t words[4] = {0x000000A0, 0xF0000000, 0xF800001F, 0x00000008};
    texels_constant c = texels_plain(19, 4, 4);
    float is[4];
    read_words(&c, words, 4, 1, 0, is);
    assert_texel(is, 85 / 255., 0, 170 / 255., 10 / 15.);
    read_words(&c, words, 4, 3, 3, is);
    assert_texel(is, 0, 0, 1, 1);
}

/* Ends 210 and 70, step 20: index 2 is (210 * 6 + 70) / 7 = 190, index 7 (210 + 70 * 6) / 7 = 90.
 * Texel 1's index is bits 21:19 of the block, texel 15's bits 63:61. */
static void dxt5_of_eight_steps(void **state)
{
    (void)state;
    static const uint32_t words[4] = {70 << 8 | 210 | 2 << 19, 7u << 29, 0xF800F800, 0};
    texels_constant c = texels_plain(20, 4, 4);
    float is[4];
    read_words(&c, words, 4, 1, 0, is);
    assert_texel(is, 1, 0, 0, 190 / 255.);
    read_words(&c, words, 4, 3, 3, is);
    assert_texel(is, 1, 0, 0, 90 / 255.);
    read_words(&c, words, 4, 0, 0, is);
    assert_texel(is, 1, 0, 0, 210 / 255.);
}

/* Ends 50 and 100: index 3 is (50 * 3 + 100 * 2) / 5 = 70, index 6 is 0, index 7 is 255. */
static void dxt5a_of_six_steps(void **state)
{
    (void)state;
    static const uint32_t words[2] = {100 << 8 | 50 | 3u << 16 | 6u << 19 | 7u << 22, 0};
    texels_constant c = texels_plain(59, 4, 4);
    float is[4];
    read_words(&c, words, 2, 0, 0, is);
    assert_texel(is, 70 / 255., 70 / 255., 70 / 255., 70 / 255.);
    read_words(&c, words, 2, 1, 0, is);
    assert_texel(is, 0, 0, 0, 0);
    read_words(&c, words, 2, 2, 0, is);
    assert_texel(is, 1, 1, 1, 1);
}

/* Two alpha blocks, x first; signed ones interpolate signed ends: -100 to 40 has step 28 where the
 * first is smaller: index 2 is (-100 * 4 + 40) / 5 = -72. */
static void dxn(void **state)
{
    (void)state;
    static const uint32_t words[4] = {0x0000FF00, 0, 2u << 16 | 40 << 8 | 0x9C, 0};
    texels_constant c = texels_plain(49, 4, 4);
    float is[4];
    read_words(&c, words, 4, 0, 0, is);
    /* unsigned: 156 > 40, seven steps: (156 * 6 + 40) / 7 = 139 */
    assert_texel(is, 0, 139 / 255., 139 / 255., 139 / 255.);
    c.signs = 0x55;
    read_words(&c, words, 4, 0, 0, is);
    assert_texel(is, 0, -72 / 127., -72 / 127., -72 / 127.);
}

static void dxt3a(void **state)
{
    (void)state;
    static const uint32_t words[2] = {0x00000010, 0x00050000};
    texels_constant c = texels_plain(58, 4, 4);
    float is[4];
    read_words(&c, words, 2, 1, 0, is);
    assert_texel(is, 1 / 15., 1 / 15., 1 / 15., 1 / 15.);
    c.format = 61; /* x highest, w lowest: 0101 */
    read_words(&c, words, 2, 0, 3, is);
    assert_texel(is, 0, 1, 0, 1);
}

/* Doggett's slides, after xenia texture_load_ctx1: each end is rrrrrrrrgggggggg. */
static void ctx1(void **state)
{
    (void)state;
    static const uint32_t words[2] = {0x40FF1003, 0x00000024}; /* indices 0, 1, 2 */
    texels_constant c = texels_plain(60, 4, 4);
    float is[4];
    read_words(&c, words, 2, 0, 0, is);
    assert_texel(is, 16 / 255., 3 / 255., 3 / 255., 3 / 255.);
    read_words(&c, words, 2, 1, 0, is);
    assert_texel(is, 64 / 255., 1, 1, 1);
    read_words(&c, words, 2, 2, 0, is); /* (2 * 16 + 64) / 3, (2 * 3 + 255) / 3 */
    assert_texel(is, 32 / 255., 87 / 255., 87 / 255., 87 / 255.);
}

/* The swap is of dwords, or of halfwords for texels of 16 bits, before anything else. */
static void endian_swaps_come_first(void **state)
{
    (void)state;
    float is[4];
    texels_constant c = texels_plain(6, 1, 1);
    c.endian = 2;
    read_words(&c, (uint32_t[]){0x04030201}, 1, 0, 0, is);
    assert_texel(is, 4 / 255., 3 / 255., 2 / 255., 1 / 255.);
    c.endian = 3;
    read_words(&c, (uint32_t[]){0x04030201}, 1, 0, 0, is);
    assert_texel(is, 3 / 255., 4 / 255., 1 / 255., 2 / 255.);
    c = texels_plain(4, 1, 1);
    c.endian = 1;
    read_words(&c, (uint32_t[]){0x00F8}, 1, 0, 0, is);
    assert_texel(is, 0, 0, 1, 1);
    c = texels_plain(18, 4, 4);
    c.endian = 1;
    read_words(&c, (uint32_t[]){0x1F0000F8, 0x00000000}, 2, 0, 0, is);
    assert_texel(is, 1, 0, 0, 1);
}

/* Formats without texels give zeros; so do constants that are no textures, and memory that is not
 * there. The swizzle's 1 stays where there is a texture. */
static void nothing_reads_as_zero(void **state)
{
    (void)state;
    static const uint32_t none[] = {13, 21, 41, 42, 43, 44, 45, 46, 47, 48, 62, 63};
    static const uint32_t words[4] = {~0u, ~0u, ~0u, ~0u};
    float is[4];
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        texels_constant c = texels_plain(none[i], 1, 1);
        read_words(&c, words, 4, 0, 0, is);
        assert_texel(is, 0, 0, 0, 0);
    }
    texels_constant c = texels_plain(6, 1, 1);
    c.base = TEXELS_MEMORY;
    read_words(&c, words, 4, 0, 0, is);
    assert_texel(is, 0, 0, 0, 0);
    texels t;
    texels_open(&t);
    const uint32_t vertex[6] = {3, 0, 0, 0, 0, 0};
    xenos_fetch f = texels_fetch(XENOS_DIMENSION_2D);
    texels_at(soft_textures_prepare(t.textures, vertex), &f, 0.5f, 0.5f, 0, is);
    texels_close(&t);
    assert_texel(is, 0, 0, 0, 0);
}

/* Every texel of a tiled texture is where xenos_tile put it; 16-byte blocks to single bytes. */
static void tiled_textures(void **state)
{
    (void)state;
    texels t;
    texels_open(&t);
    texels_constant c = texels_plain(24, 50, 40);
    c.tiled = 1;
    c.integer = 1;
    uint16_t rows[40][64];
    for (uint32_t y = 0; y < 40; y++) {
        for (uint32_t x = 0; x < 64; x++) {
            rows[y][x] = (uint16_t)(y << 8 | x);
        }
    }
    assert_int_equal(xenos_tile(t.memory.bytes + TEXELS_BASE, 0x4000, (uint8_t *)rows,
                                sizeof rows[0], 64, 50, 40, 1),
                     1);
    for (uint32_t y = 0; y < 40; y += 3) {
        for (uint32_t x = 0; x < 50; x++) {
            float is[4];
            texels_read(&t, &c, x, y, is);
            assert_true(is[0] == (float)(y << 8 | x));
        }
    }
    texels_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unsigned_fractions),
        cmocka_unit_test(signed_fractions),
        cmocka_unit_test(biased_numbers),
        cmocka_unit_test(integers),
        cmocka_unit_test(gamma_is_piecewise_linear),
        cmocka_unit_test(signs_go_with_components),
        cmocka_unit_test(exponents_scale),
        cmocka_unit_test(halves),
        cmocka_unit_test(singles),
        cmocka_unit_test(float_depths),
        cmocka_unit_test(video),
        cmocka_unit_test(bits_and_bytes),
        cmocka_unit_test(dxt1_of_four_colours),
        cmocka_unit_test(dxt1_of_three_colours),
        cmocka_unit_test(dxt_ends_widen),
        cmocka_unit_test(dxt3),
        cmocka_unit_test(dxt5_of_eight_steps),
        cmocka_unit_test(dxt5a_of_six_steps),
        cmocka_unit_test(dxn),
        cmocka_unit_test(dxt3a),
        cmocka_unit_test(ctx1),
        cmocka_unit_test(endian_swaps_come_first),
        cmocka_unit_test(nothing_reads_as_zero),
        cmocka_unit_test(tiled_textures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
