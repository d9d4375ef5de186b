/* Resolves: what arrives in tiled memory, by way of tiling.c, whose tests are in test_surface.c. Rules:
 * xenia src/xenia/gpu/xenos.h ("Xenos copies EDRAM contents"), draw_util.cc (GetResolveInfo),
 * shaders/resolve.xesli and pixel_formats.xesli, endian.xesli. */
#include "rop_fixture.h"
#include "soft/soft.h"

#include "tiling.h"

#define MEMORY   (8u << 20)
#define VERTICES 0x1000u
#define DEST     0x100000u
#define PITCH    192u

typedef struct resolve_case {
    rop_fixture *f;
    uint8_t *bytes;
    xenos_memory memory;
    xenos_resolved done;
    uint32_t calls, start, length; /* of `written` */
} resolve_case;

static void written(void *context, uint32_t start, uint32_t length)
{
    resolve_case *c = context;
    c->calls++;
    c->start = start;
    c->length = length;
}

static void set_rectangle(resolve_case *c, float x0, float y0, float x1, float y1)
{
    const float v[6] = {x0, y0, x1, y0, x0, y1};
    for (uint32_t i = 0; i < 6; i++) {
        uint32_t bits = xenos_float_bits(v[i]);
        for (uint32_t b = 0; b < 4; b++) { /* big-endian, as 8in32 reads it */
            c->bytes[VERTICES + 4 * i + b] = (uint8_t)(bits >> (24 - 8 * b));
        }
    }
}

/* 160x48 of 8_8_8_8 without MSAA, copied as 8_8_8_8 to a pitch of 192. */
static int setup(void **state)
{
    void *fixture;
    fixture_setup(&fixture);
    resolve_case *c = calloc(1, sizeof *c);
    c->f = fixture;
    c->bytes = fixture_alloc(MEMORY);
    c->memory = (xenos_memory){.bytes = c->bytes, .size = MEMORY, .context = c, .written = written};
    uint32_t *r = c->f->registers;
    r[XENOS_RB_MODECONTROL] = XENOS_MODE_COPY;
    r[XENOS_CONSTANT_FETCH] = VERTICES | 3;
    r[XENOS_CONSTANT_FETCH + 1] = 6 << 2 | 2;
    r[XENOS_RB_COPY_DEST_BASE] = DEST;
    r[XENOS_RB_COPY_DEST_PITCH] = PITCH | 64 << 16;
    r[XENOS_RB_COPY_DEST_INFO] = 6 << 7;
    r[XENOS_RB_COPY_CONTROL] = 1 << 20; /* convert */
    set_rectangle(c, -0.5f, -0.5f, 159.5f, 47.5f);
    *state = c;
    return 0;
}

static int teardown(void **state)
{
    resolve_case *c = *state;
    void *fixture = c->f;
    fixture_teardown(&fixture);
    free(c->bytes);
    free(c);
    return 0;
}

#define RESOLVE_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

static void resolve(resolve_case *c)
{
    c->calls = 0;
    soft_resolve(c->f->registers, c->f->edram, &c->memory, NULL, &c->done);
    if (c->done.length != 0) {
        assert_int_equal(c->calls, 1);
        assert_int_equal(c->start, c->done.start);
        assert_int_equal(c->length, c->done.length);
    } else {
        assert_int_equal(c->calls, 0);
    }
}

static void random_edram(resolve_case *c)
{
    for (uint32_t i = 0; i < XENOS_EDRAM_BYTES; i += 4) {
        write32(c->f->edram + i, fixture_random(c->f));
    }
}

static uint8_t *texel(resolve_case *c, uint32_t x, uint32_t y, uint32_t bytes_log2)
{
    return c->bytes + DEST + xenos_tiled_offset(x, y, PITCH, bytes_log2);
}

static uint32_t source(resolve_case *c, uint32_t msaa, int wide, uint32_t x, uint32_t y,
                       uint32_t sample, uint32_t word)
{
    return read32(sample_at(c->f, 0, msaa, wide, 0, x, y, sample, word));
}

/* ---- copying ---- */

static void a_rectangle_arrives_tiled(void **state)
{
    resolve_case *c = *state;
    set_rectangle(c, -0.5f, -0.5f, 159.5f, 143.5f); /* more than one band of rows */
    random_edram(c);
    resolve(c);
    uint8_t *out = malloc(160 * 144 * 4);
    assert_true(xenos_untile(out, 160 * 4, c->bytes + DEST, MEMORY - DEST, PITCH, 160, 144, 2));
    for (uint32_t i = 0; i < 160 * 144; i++) {
        assert_int_equal(read32(out + 4 * i), source(c, 0, 0, i % 160, i / 160, 0, 0));
    }
    free(out);
    assert_int_equal(c->done.start, DEST);
    /* Nothing beyond the rectangle, nothing outside what was announced. */
    uint32_t changed = 0;
    for (uint32_t i = DEST; i < MEMORY; i += 4) {
        changed += read32(c->bytes + i) != 0;
        assert_true(read32(c->bytes + i) == 0 || i - DEST < c->done.length);
    }
    assert_in_range(changed, 160 * 144 - 4, 160 * 144);
}

/* One sample of each multisampled surface, and 64 bits a sample. */
static void every_layout_of_samples_is_read(void **state)
{
    resolve_case *c = *state;
    random_edram(c);
    for (uint32_t i = 0; i < 6; i++) {
        uint32_t msaa = i % 3;
        uint32_t wide = i / 3;
        c->f->registers[XENOS_RB_SURFACE_INFO] = 160 | msaa << 16;
        c->f->registers[XENOS_RB_COLOR_INFO] = (wide ? XENOS_COLOR_32_32_FLOAT : 0) << 16;
        c->f->registers[XENOS_RB_COPY_DEST_INFO] = (wide ? 37u : 6u) << 7;
        for (uint32_t s = 0; s < 1u << msaa; s++) {
            c->f->registers[XENOS_RB_COPY_CONTROL] = s << 4;
            resolve(c);
            for (uint32_t n = 0; n < 160 * 48; n++) {
                uint8_t *at = texel(c, n % 160, n / 160, 2 + wide);
                assert_int_equal(read32(at), source(c, msaa, (int)wide, n % 160, n / 160, s, 0));
                if (wide) {
                    assert_int_equal(read32(at + 4), source(c, msaa, 1, n % 160, n / 160, s, 1));
                }
            }
        }
    }
}

static void depth_is_copied_as_words(void **state)
{
    resolve_case *c = *state;
    c->f->registers[XENOS_RB_DEPTH_INFO] = 0;
    for (uint32_t msaa = 0; msaa < 3; msaa++) {
        random_edram(c);
        c->f->registers[XENOS_RB_SURFACE_INFO] = 160 | msaa << 16;
        /* samples 2 and 3 averaged, swapped, biased: of depth the first of them is taken */
        c->f->registers[XENOS_RB_COPY_CONTROL] = 4 | 5 << 4 | 1 << 20;
        c->f->registers[XENOS_RB_COPY_DEST_INFO] = 2 | 6 << 7 | 3 << 16 | 1 << 24;
        resolve(c);
        for (uint32_t n = 0; n < 160 * 48; n++) {
            uint32_t s = msaa == 2 ? 2 : 0;
            uint32_t word = read32(sample_at(c->f, 0, msaa, 0, 1, n % 160, n / 160, s, 0));
            assert_int_equal(__builtin_bswap32(read32(texel(c, n % 160, n / 160, 2))), word);
        }
    }
}

static void a_target_wraps_round_the_edram(void **state)
{
    resolve_case *c = *state;
    random_edram(c);
    c->f->registers[XENOS_RB_COLOR_INFO] = 2045;
    resolve(c);
    for (uint32_t n = 0; n < 160 * 48; n++) {
        assert_int_equal(read32(texel(c, n % 160, n / 160, 2)),
                         read32(sample_at(c->f, 2045, 0, 0, 0, n % 160, n / 160, 0, 0)));
    }
}

static void slices_of_a_volume(void **state)
{
    resolve_case *c = *state;
    random_edram(c);
    for (uint32_t z = 0; z < 8; z += 5) {
        c->f->registers[XENOS_RB_COPY_DEST_INFO] = 6 << 7 | 8 | z << 4;
        resolve(c);
        for (uint32_t n = 0; n < 160 * 48; n++) {
            uint64_t at = xenos_tiled_offset_3d(n % 160, n / 160, z, PITCH, 64, 2);
            assert_int_equal(read32(c->bytes + DEST + at), source(c, 0, 0, n % 160, n / 160, 0, 0));
        }
    }
}

/* ---- bytes ---- */

static void check_endian(resolve_case *c, uint32_t color, uint32_t format, uint32_t mode,
                         uint32_t bytes, const char *order)
{
    random_edram(c);
    c->f->registers[XENOS_RB_COLOR_INFO] = color << 16;
    c->f->registers[XENOS_RB_COPY_DEST_INFO] = format << 7;
    resolve(c);
    uint8_t plain[16];
    uint32_t log2 = (uint32_t)__builtin_ctz(bytes);
    memcpy(plain, texel(c, 9, 5, log2), bytes);
    c->f->registers[XENOS_RB_COPY_DEST_INFO] = format << 7 | mode;
    resolve(c);
    for (uint32_t i = 0; i < bytes; i++) {
        uint32_t from =
            order[i] <= '9' ? (uint32_t)(order[i] - '0') : (uint32_t)(order[i] - 'a' + 10);
        assert_int_equal(texel(c, 9, 5, log2)[i], plain[from]);
    }
}

static void bytes_turn_as_the_mode_says(void **state)
{
    resolve_case *c = *state;
    check_endian(c, 0, 6, 1, 4, "1032");
    check_endian(c, 0, 6, 2, 4, "3210");
    check_endian(c, 0, 6, 3, 4, "2301");
    check_endian(c, 0, 6, 4, 4, "0123"); /* wider than the texel */
    check_endian(c, 15, 37, 2, 8, "32107654");
    check_endian(c, 15, 37, 4, 8, "76543210");
    check_endian(c, 15, 37, 5, 8, "01234567");
    check_endian(c, 5, 38, 5, 16, "fedcba9876543210");
    check_endian(c, 5, 38, 4, 16, "76543210fedcba98");
    check_endian(c, 0, 4, 1, 2, "10");
    check_endian(c, 0, 4, 2, 2, "01");
    check_endian(c, 0, 2, 1, 1, "0");
    check_endian(c, 0, 6, 7, 4, "0123");
}

static void red_and_blue_change_places(void **state)
{
    resolve_case *c = *state;
    random_edram(c);
    c->f->registers[XENOS_RB_COPY_DEST_INFO] = 6 << 7 | 1 << 24;
    resolve(c);
    uint32_t word = source(c, 0, 0, 17, 3, 0, 0);
    uint32_t swapped = (word & 0xFF00FF00) | (word & 255) << 16 | (word >> 16 & 255);
    assert_int_equal(read32(texel(c, 17, 3, 2)), swapped);
    c->f->registers[XENOS_RB_COPY_DEST_INFO] = 38 << 7 | 1 << 24; /* converted: to floats */
    resolve(c);
    assert_int_equal(read32(texel(c, 17, 3, 4)),
                     xenos_float_bits((float)(word >> 16 & 255) / 255.0f));
    assert_int_equal(read32(texel(c, 17, 3, 4) + 8),
                     xenos_float_bits((float)(word & 255) / 255.0f));
    c->f->registers[XENOS_RB_COLOR_INFO] = XENOS_COLOR_2_10_10_10 << 16;
    c->f->registers[XENOS_RB_COPY_DEST_INFO] = 7 << 7 | 1 << 24;
    resolve(c);
    assert_int_equal(read32(texel(c, 17, 3, 2)),
                     (word & 0xC00FFC00) | (word & 1023) << 20 | (word >> 20 & 1023));
    c->f->registers[XENOS_RB_COLOR_INFO] = XENOS_COLOR_16_16_16_16_FLOAT << 16;
    c->f->registers[XENOS_RB_COPY_DEST_INFO] = 32 << 7 | 1 << 24;
    resolve(c);
    uint32_t low = source(c, 0, 1, 17, 3, 0, 0);
    uint32_t high = source(c, 0, 1, 17, 3, 0, 1);
    assert_int_equal(read32(texel(c, 17, 3, 3)), (low & 0xFFFF0000) | (high & 0xFFFF));
    assert_int_equal(read32(texel(c, 17, 3, 3) + 4), (high & 0xFFFF0000) | (low & 0xFFFF));
}

/* ---- conversion ---- */

/* Fields from bit 0 up, as pixel_formats.xesli lists them; 'u' fractions, 'h' halves, 'f' floats. */
static const struct {
    uint32_t format, bytes;
    char kind;
    uint32_t width[4];
} destinations[26] = {
    {2, 1, 'u', {8}},
    {3, 2, 'u', {5, 5, 5, 1}},
    {4, 2, 'u', {5, 6, 5}},
    {5, 2, 'u', {5, 5, 6}},
    {6, 4, 'u', {8, 8, 8, 8}},
    {7, 4, 'u', {10, 10, 10, 2}},
    {8, 1, 'u', {8}},
    {9, 1, 'u', {8}},
    {10, 2, 'u', {8, 8}},
    {14, 4, 'u', {8, 8, 8, 8}},
    {15, 2, 'u', {4, 4, 4, 4}},
    {16, 4, 'u', {11, 11, 10}},
    {17, 4, 'u', {10, 11, 11}},
    {24, 2, 'u', {16}},
    {25, 4, 'u', {16, 16}},
    {26, 8, 'u', {16, 16, 16, 16}},
    {30, 2, 'h', {16}},
    {31, 4, 'h', {16, 16}},
    {32, 8, 'h', {16, 16, 16, 16}},
    {36, 4, 'f', {32}},
    {37, 8, 'f', {32, 32}},
    {38, 16, 'f', {32, 32, 32, 32}},
    {50, 4, 'u', {8, 8, 8, 8}},
    {54, 4, 'u', {10, 10, 10, 2}},
    {55, 4, 'u', {11, 11, 10}},
    {56, 4, 'u', {10, 11, 11}},
};

static uint32_t field(const uint8_t *p, uint32_t bit, uint32_t width)
{
    uint32_t out = 0;
    for (uint32_t i = 0; i < width; i++) {
        out |= (uint32_t)(p[(bit + i) / 8] >> (bit + i) % 8 & 1) << i;
    }
    return out;
}

static void check_component(char kind, uint32_t width, uint32_t bits, double value)
{
    if (kind == 'u') {
        double most = (double)((UINT64_C(1) << width) - 1);
        double clamped = value < 0 ? 0 : value > 1 ? 1 : value;
        assert_true(fabs(clamped * most - bits) <= 0.51);
    } else if (kind == 'h') {
        assert_int_equal(bits, xenos_float_to_half((float)value));
    } else {
        assert_int_equal(bits, xenos_float_bits((float)value));
    }
}

/* Every destination from 8_8_8_8, 7e3 (beyond 1) and 16_16 (negative; blue 0, alpha 1). */
static void every_format_is_converted(void **state)
{
    resolve_case *c = *state;
    static const uint32_t colors[3] = {XENOS_COLOR_8_8_8_8, XENOS_COLOR_2_10_10_10_FLOAT,
                                       XENOS_COLOR_16_16};
    for (uint32_t d = 0; d < 26; d++) {
        for (uint32_t k = 0; k < 3; k++) {
            random_edram(c);
            c->f->registers[XENOS_RB_COLOR_INFO] = colors[k] << 16;
            c->f->registers[XENOS_RB_COPY_DEST_INFO] = destinations[d].format << 7;
            resolve(c);
            for (uint32_t n = 0; n < 16 * 16; n++) {
                uint32_t word = source(c, 0, 0, n % 16, n / 16, 0, 0);
                double value[4];
                for (uint32_t i = 0; i < 4; i++) {
                    uint32_t bits = word >> 10 * i;
                    value[i] =
                        k == 0 ? (float)(word >> 8 * i & 255) / 255.0f
                        : k == 2
                            ? (i == 2 ? 0
                               : i == 3
                                   ? 1
                                   : (float)fmax((int16_t)(word >> 16 * i) * 32.0 / 32767.0, -32))
                        : i == 3 ? (float)(word >> 30) / 3.0f
                                 : xenos_float_from_7e3(bits & 1023);
                }
                const uint8_t *at =
                    texel(c, n % 16, n / 16, (uint32_t)__builtin_ctz(destinations[d].bytes));
                uint32_t bit = 0;
                for (uint32_t i = 0; i < 4 && destinations[d].width[i]; i++) {
                    uint32_t width = destinations[d].width[i];
                    check_component(destinations[d].kind, width, field(at, bit, width), value[i]);
                    bit += width;
                }
            }
        }
    }
}

static void other_formats_are_not_written(void **state)
{
    resolve_case *c = *state;
    random_edram(c);
    for (uint32_t format = 0; format < 64; format++) {
        int known = 0;
        for (uint32_t d = 0; d < 26; d++) {
            known |= destinations[d].format == format;
        }
        c->f->registers[XENOS_RB_COPY_DEST_INFO] = format << 7;
        resolve(c);
        assert_int_equal(c->done.length != 0, known);
    }
}

static void the_exponent_bias_scales(void **state)
{
    resolve_case *c = *state;
    write32(c->f->edram, 0x00FF8040);
    c->f->registers[XENOS_RB_COPY_DEST_INFO] = 38 << 7 | 3 << 16;
    resolve(c);
    assert_int_equal(read32(texel(c, 0, 0, 4)), xenos_float_bits(64 / 255.0f * 8));
    c->f->registers[XENOS_RB_COPY_DEST_INFO] = 6 << 7 | 0x3Fu << 16; /* halves: 32, 64, 127.5 */
    resolve(c);
    assert_int_equal(read32(texel(c, 0, 0, 2)), 0x00804020);
}

static void signed_fractions(void **state)
{
    resolve_case *c = *state;
    c->f->registers[XENOS_RB_COLOR_INFO] = XENOS_COLOR_16_16 << 16;
    write32(c->f->edram, (uint32_t)(uint16_t)-512 << 16 | 512); /* half a unit each way */
    c->f->registers[XENOS_RB_COPY_DEST_INFO] = 25 << 7 | 1 << 13;
    resolve(c);
    /* 512 * 32 / 32767 * 32767 = 16384 */
    assert_int_equal(read32(texel(c, 0, 0, 2)), 0xC0004000);
    c->f->registers[XENOS_RB_COPY_DEST_INFO] = 25 << 7;
    resolve(c);
    assert_int_equal(read32(texel(c, 0, 0, 2)), 0x00008001); /* 0.500015 * 65535 = 32768.5 */
}

static void constant_one(void **state)
{
    resolve_case *c = *state;
    c->f->registers[XENOS_RB_COPY_CONTROL] = 2 << 20;
    resolve(c);
    assert_int_equal(read32(texel(c, 159, 47, 2)), 0xFFFFFFFF);
    c->f->registers[XENOS_RB_COPY_DEST_INFO] = 36 << 7;
    resolve(c);
    assert_int_equal(read32(texel(c, 159, 47, 2)), 0x3F800000);
}

/* ---- samples ---- */

static void samples_are_averaged(void **state)
{
    resolve_case *c = *state;
    static const struct {
        uint32_t msaa, select, set;
    } selects[] = {
        {2, 4, 3}, {2, 5, 12}, {2, 6, 15}, {2, 7, 15}, {1, 4, 3},
        {1, 6, 3}, {1, 2, 1},  {1, 3, 2},  {0, 6, 1},  {0, 3, 1},
    };
    for (size_t i = 0; i < sizeof selects / sizeof selects[0]; i++) {
        random_edram(c);
        c->f->registers[XENOS_RB_SURFACE_INFO] = 160 | selects[i].msaa << 16;
        c->f->registers[XENOS_RB_COPY_CONTROL] = selects[i].select << 4 | 1 << 20;
        resolve(c);
        for (uint32_t n = 0; n < 160 * 48; n += 7) {
            for (uint32_t shift = 0; shift < 32; shift += 8) {
                uint32_t sum = 0;
                uint32_t count = 0;
                for (uint32_t s = 0; s < 4; s++) {
                    if (selects[i].set >> s & 1) {
                        sum += source(c, selects[i].msaa, 0, n % 160, n / 160, s, 0) >> shift & 255;
                        count++;
                    }
                }
                /* Halfway cases are exact in integers only: 255 * (sum / 255) rounds either way. */
                uint32_t mean = (2 * sum + count) / (2 * count);
                uint32_t bits = read32(texel(c, n % 160, n / 160, 2)) >> shift & 255;
                int half = 2 * (sum % count) == count;
                assert_true(bits == mean || (half && bits + 1 == mean));
            }
        }
    }
}

/* Microsoft, "Xbox 360 Surface Formats": gamma becomes linear where it is read. */
static void gamma_is_averaged_in_linear_light(void **state)
{
    resolve_case *c = *state;
    c->f->registers[XENOS_RB_SURFACE_INFO] = 160 | 1 << 16;
    c->f->registers[XENOS_RB_COLOR_INFO] = XENOS_COLOR_8_8_8_8_GAMMA << 16;
    c->f->registers[XENOS_RB_COPY_CONTROL] = 4 << 4 | 1 << 20;
    write32(sample_at(c->f, 0, 1, 0, 0, 0, 0, 0, 0), 0x00C000FF); /* blue 516, red 1023 */
    write32(sample_at(c->f, 0, 1, 0, 0, 0, 0, 1, 0), 0xFF000000);
    resolve(c);
    /* red (1023 + 0) / 2 = 511.5: code 64 + 127; blue 258: code 64 + 64; alpha 127.5 rounds up */
    assert_int_equal(read32(texel(c, 0, 0, 2)), 0x808000BF);
}

static void equal_samples_average_to_themselves(void **state)
{
    resolve_case *c = *state;
    static const uint32_t colors[3] = {XENOS_COLOR_8_8_8_8, XENOS_COLOR_8_8_8_8_GAMMA,
                                       XENOS_COLOR_2_10_10_10};
    c->f->registers[XENOS_RB_SURFACE_INFO] = 160 | 2 << 16;
    c->f->registers[XENOS_RB_COPY_CONTROL] = 6 << 4 | 1 << 20;
    for (uint32_t k = 0; k < 3; k++) {
        c->f->registers[XENOS_RB_COLOR_INFO] = colors[k] << 16;
        c->f->registers[XENOS_RB_COPY_DEST_INFO] = (k == 2 ? 7u : 6u) << 7;
        for (uint32_t n = 0; n < 1024; n++) {
            uint32_t word = k == 2 ? n * 0x00100401u | n << 30 : (n & 255) * 0x01010101u;
            for (uint32_t s = 0; s < 4; s++) {
                write32(sample_at(c->f, 0, 2, 0, 0, n % 32, n / 32, s, 0), word);
            }
        }
        resolve(c);
        for (uint32_t n = 0; n < 1024; n++) {
            uint32_t word = k == 2 ? n * 0x00100401u | n << 30 : (n & 255) * 0x01010101u;
            assert_int_equal(read32(texel(c, n % 32, n / 32, 2)), word);
        }
    }
}

/* ---- the rectangle ---- */

/* Which pixels of 160x128 were written. */
static void check_area(resolve_case *c, uint32_t x0, uint32_t y0, uint32_t x1, uint32_t y1)
{
    memset(c->f->edram, 0xFF, XENOS_EDRAM_BYTES);
    memset(c->bytes + DEST, 0, MEMORY - DEST);
    resolve(c);
    for (uint32_t y = 0; y < 128; y++) {
        for (uint32_t x = 0; x < 160; x++) {
            int inside = x >= x0 && x < x1 && y >= y0 && y < y1;
            assert_int_equal(read32(texel(c, x, y, 2)) != 0, inside);
        }
    }
}

static void the_rectangle_is_widened_to_eights(void **state)
{
    resolve_case *c = *state;
    set_rectangle(c, 8.5f, 15.5f, 20.5f, 30.5f); /* 9..21, 16..31 */
    check_area(c, 8, 16, 24, 32);
}

static void pixel_centres_may_be_at_halves(void **state)
{
    resolve_case *c = *state;
    set_rectangle(c, 7.6f, 0.0f, 16.4f, 8.0f);
    check_area(c, 8, 0, 24, 8); /* with 0.5 added 8.1, 0.5, 16.9, 8.5: .5 is in at the top only */
    c->f->registers[XENOS_PA_SU_VTX_CNTL] = 1;
    check_area(c, 8, 0, 16, 8); /* 7.6 starts at pixel 8; 16.4 ends before pixel 16 */
}

static void vertices_may_come_in_any_order(void **state)
{
    resolve_case *c = *state;
    set_rectangle(c, 39.5f, 31.5f, -0.5f, 7.5f);
    check_area(c, 0, 8, 40, 32);
}

static void offset_and_scissor_cut(void **state)
{
    resolve_case *c = *state;
    uint32_t *r = c->f->registers;
    set_rectangle(c, -0.5f, -0.5f, 639.5f, 719.5f);
    r[XENOS_PA_SC_WINDOW_SCISSOR_TL] = 1u << 31 | 16 | 8 << 16;
    r[XENOS_PA_SC_WINDOW_SCISSOR_BR] = 64 | 40 << 16;
    check_area(c, 16, 8, 64, 40);
    r[XENOS_PA_SC_WINDOW_OFFSET] = (uint32_t)(-616 & 0x7FFF);
    check_area(c, 16, 8, 64, 40); /* vtx_window_offset_enable is off */
    r[XENOS_PA_SU_SC_MODE_CNTL] = 1 << 16;
    check_area(c, 16, 8, 24, 40);
}

static void the_pitch_cuts(void **state)
{
    resolve_case *c = *state;
    c->f->registers[XENOS_RB_SURFACE_INFO] = 101;
    set_rectangle(c, -0.5f, -0.5f, 159.5f, 7.5f);
    check_area(c, 0, 0, 96, 8);
}

static void an_empty_or_strange_rectangle_does_nothing(void **state)
{
    resolve_case *c = *state;
    c->f->registers[XENOS_RB_COPY_CONTROL] |= 1 << 8 | 1 << 9;
    c->f->registers[XENOS_RB_DEPTH_INFO] = 0;
    set_rectangle(c, 3.5f, 3.5f, 3.5f, 3.5f);
    check_area(c, 0, 0, 0, 0);
    set_rectangle(c, NAN, NAN, NAN, NAN);
    check_area(c, 0, 0, 0, 0); /* all are 0 */
    set_rectangle(c, -0.5f, -0.5f, 159.5f, 47.5f);
    c->f->registers[XENOS_CONSTANT_FETCH + 1] = 4 << 2 | 2;
    check_area(c, 0, 0, 0, 0);
    c->f->registers[XENOS_CONSTANT_FETCH + 1] = 6 << 2 | 2;
    c->f->registers[XENOS_CONSTANT_FETCH] = VERTICES | 2;
    check_area(c, 0, 0, 0, 0);
    c->f->registers[XENOS_CONSTANT_FETCH] = (MEMORY - 8) | 3;
    check_area(c, 0, 0, 0, 0);
    c->f->registers[XENOS_CONSTANT_FETCH] = VERTICES | 3;
    c->f->registers[XENOS_RB_SURFACE_INFO] = 0;
    check_area(c, 0, 0, 0, 0);
}

static void the_base_may_lie_before_the_texture(void **state)
{
    resolve_case *c = *state;
    random_edram(c);
    /* Direct3D 9 moves the base back so that the target's corner is its (0, 0). */
    set_rectangle(c, 63.5f, 31.5f, 95.5f, 63.5f);
    uint32_t ahead = (uint32_t)xenos_tiled_offset(64, 32, PITCH, 2);
    c->f->registers[XENOS_RB_COPY_DEST_BASE] = 0x2000 - ahead;
    resolve(c);
    for (uint32_t n = 0; n < 32 * 32; n++) {
        uint64_t at = 0x2000 + xenos_tiled_offset(64 + n % 32, 32 + n / 32, PITCH, 2) - ahead;
        assert_int_equal(read32(c->bytes + at), source(c, 0, 0, 64 + n % 32, 32 + n / 32, 0, 0));
    }
    assert_int_equal(c->done.start, 0x2000);
    assert_int_equal(c->done.length, 0x1000);
}

/* The CPU's mirrors of physical memory: 29 bits count. */
static void the_base_s_high_bits_do_not_count(void **state)
{
    resolve_case *c = *state;
    random_edram(c);
    c->f->registers[XENOS_RB_COPY_DEST_BASE] = 0xA0000000 + DEST;
    resolve(c);
    assert_int_equal(c->done.start, DEST);
    assert_int_equal(read32(texel(c, 5, 5, 2)), source(c, 0, 0, 5, 5, 0, 0));
}

static void texels_beyond_memory_are_left_out(void **state)
{
    resolve_case *c = *state;
    random_edram(c);
    c->f->registers[XENOS_RB_COPY_DEST_BASE] = MEMORY - 0x1000;
    resolve(c);
    assert_int_equal(c->done.start, MEMORY - 0x1000);
    assert_int_equal(c->done.length, 0x1000);
    assert_int_equal(read32(c->bytes + MEMORY - 0x1000), source(c, 0, 0, 0, 0, 0, 0));
    c->f->registers[XENOS_RB_COPY_DEST_BASE] = 0x10000000;
    resolve(c);
    assert_int_equal(c->done.length, 0);
    c->memory.size = 0;
    resolve(c);
    assert_int_equal(c->done.length, 0);
}

/* ---- clearing ---- */

static void a_clear_comes_after_the_copy(void **state)
{
    resolve_case *c = *state;
    uint32_t *r = c->f->registers;
    memset(c->f->edram, 0x33, XENOS_EDRAM_BYTES);
    r[XENOS_RB_COPY_CONTROL] |= 1 << 8 | 1 << 9;
    r[XENOS_RB_COLOR_CLEAR] = 0x11223344;
    r[XENOS_RB_DEPTH_CLEAR] = 0xFFFFFF07;
    set_rectangle(c, 7.5f, 7.5f, 23.5f, 23.5f);
    resolve(c);
    assert_int_equal(read32(texel(c, 8, 8, 2)), 0x33333333);
    for (uint32_t n = 0; n < 160 * 48; n++) {
        uint32_t x = n % 160;
        uint32_t y = n / 160;
        int inside = x >= 8 && x < 24 && y >= 8 && y < 24;
        assert_int_equal(source(c, 0, 0, x, y, 0, 0), inside ? 0x11223344 : 0x33333333);
        assert_int_equal(read32(sample_at(c->f, 1024, 0, 0, 1, x, y, 0, 0)),
                         inside ? 0xFFFFFF07 : 0x33333333);
    }
}

static void every_sample_is_cleared(void **state)
{
    resolve_case *c = *state;
    uint32_t *r = c->f->registers;
    r[XENOS_RB_COPY_CONTROL] = 3 << 20 | 1 << 8 | 1 << 9; /* nothing is copied */
    r[XENOS_RB_COLOR_CLEAR] = 0x11223344;
    r[XENOS_RB_COLOR_CLEAR_LO] = 0x55667788;
    r[XENOS_RB_DEPTH_CLEAR] = 0xABCDEF01;
    for (uint32_t i = 0; i < 6; i++) {
        uint32_t msaa = i % 3;
        uint32_t wide = i / 3;
        memset(c->f->edram, 0, XENOS_EDRAM_BYTES);
        r[XENOS_RB_SURFACE_INFO] = 160 | msaa << 16;
        r[XENOS_RB_COLOR_INFO] = 100 | (wide ? XENOS_COLOR_16_16_16_16 : 0) << 16;
        resolve(c);
        assert_int_equal(c->done.length, 0);
        for (uint32_t n = 0; n < 160 * 48; n++) {
            for (uint32_t s = 0; s < 1u << msaa; s++) {
                uint8_t *at = sample_at(c->f, 100, msaa, (int)wide, 0, n % 160, n / 160, s, 0);
                assert_int_equal(read32(at), 0x11223344);
                if (wide) {
                    assert_int_equal(read32(at + 4), 0x55667788);
                }
                at = sample_at(c->f, 1024, msaa, 0, 1, n % 160, n / 160, s, 0);
                assert_int_equal(read32(at), 0xABCDEF01);
            }
        }
        uint32_t changed = 0;
        for (uint32_t at = 0; at < XENOS_EDRAM_BYTES; at += 4) {
            changed += read32(c->f->edram + at) != 0;
        }
        assert_int_equal(changed, (160 * 48 << msaa) * (2 + wide));
    }
}

static void a_depth_copy_clears_no_colour(void **state)
{
    resolve_case *c = *state;
    c->f->registers[XENOS_RB_COPY_CONTROL] = 4 | 1 << 8;
    c->f->registers[XENOS_RB_COLOR_CLEAR] = 0x11223344;
    resolve(c);
    assert_int_equal(read32(c->f->edram), 0);
}

/* Nothing outside EDRAM and memory whatever the registers hold (sanitizers), in bounded time. */
static void any_registers_will_do(void **state)
{
    resolve_case *c = *state;
    for (int i = 0; i < 60; i++) {
        for (uint32_t n = 0x2000; n < 0x2400; n++) {
            c->f->registers[n] = fixture_random(c->f);
        }
        c->f->registers[XENOS_RB_SURFACE_INFO] &= i & 1 ? UINT32_MAX : 0x3007F;
        c->f->registers[XENOS_PA_SC_SCREEN_SCISSOR_TL] = 0;
        set_rectangle(c, 0, 0, (float)(fixture_random(c->f) & 1023), 300);
        soft_resolve(c->f->registers, c->f->edram, &c->memory, NULL, &c->done);
        assert_true(c->done.start <= MEMORY && c->done.length <= MEMORY - c->done.start);
    }
}

/* Threads share the rows: the same bytes in memory and in EDRAM, whatever the registers hold. */
static void threads_change_nothing(void **state)
{
    resolve_case *c = *state;
    soft_workers *workers = soft_workers_new(4);
    uint8_t *edram = malloc(XENOS_EDRAM_BYTES), *bytes = malloc(MEMORY);
    assert_true(workers && edram && bytes);
    for (int i = 0; i < 60; i++) {
        for (uint32_t n = 0x2000; n < 0x2400; n++) {
            c->f->registers[n] = fixture_random(c->f);
        }
        c->f->registers[XENOS_RB_SURFACE_INFO] &= i & 1 ? UINT32_MAX : 0x3047F;
        c->f->registers[XENOS_RB_COPY_DEST_BASE] &= MEMORY / 2 - 1;
        c->f->registers[XENOS_RB_COPY_DEST_PITCH] &= i & 2 ? UINT32_MAX : 0x01FF03FF;
        c->f->registers[XENOS_RB_COPY_CONTROL] |= i & 4 ? 0x300 : 0;
        c->f->registers[XENOS_PA_SC_SCREEN_SCISSOR_TL] = 0;
        c->f->registers[XENOS_PA_SC_SCREEN_SCISSOR_BR] = 0x20002000;
        c->f->registers[XENOS_PA_SC_WINDOW_SCISSOR_TL] = UINT32_C(1) << 31;
        c->f->registers[XENOS_PA_SC_WINDOW_SCISSOR_BR] = 0x20002000;
        c->f->registers[XENOS_PA_SU_SC_MODE_CNTL] = 0;
        set_rectangle(c, 0, 0, (float)(fixture_random(c->f) & 1023), 300);
        for (uint32_t n = 0; n < XENOS_EDRAM_BYTES; n += 4) {
            uint32_t word = fixture_random(c->f);
            memcpy(c->f->edram + n, &word, 4);
        }
        memcpy(edram, c->f->edram, XENOS_EDRAM_BYTES);
        memcpy(bytes, c->bytes, MEMORY);
        soft_resolve(c->f->registers, c->f->edram, &c->memory, NULL, &c->done);
        xenos_resolved done;
        const xenos_memory memory = {.bytes = bytes, .size = MEMORY};
        soft_resolve(c->f->registers, edram, &memory, workers, &done);
        assert_int_equal(done.start, c->done.start);
        assert_int_equal(done.length, c->done.length);
        assert_int_equal(memcmp(edram, c->f->edram, XENOS_EDRAM_BYTES), 0);
        assert_int_equal(memcmp(bytes, c->bytes, MEMORY), 0);
    }
    soft_workers_free(workers);
    free(edram);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RESOLVE_TEST(a_rectangle_arrives_tiled),
        RESOLVE_TEST(every_layout_of_samples_is_read),
        RESOLVE_TEST(depth_is_copied_as_words),
        RESOLVE_TEST(a_target_wraps_round_the_edram),
        RESOLVE_TEST(slices_of_a_volume),
        RESOLVE_TEST(bytes_turn_as_the_mode_says),
        RESOLVE_TEST(red_and_blue_change_places),
        RESOLVE_TEST(every_format_is_converted),
        RESOLVE_TEST(other_formats_are_not_written),
        RESOLVE_TEST(the_exponent_bias_scales),
        RESOLVE_TEST(signed_fractions),
        RESOLVE_TEST(constant_one),
        RESOLVE_TEST(samples_are_averaged),
        RESOLVE_TEST(gamma_is_averaged_in_linear_light),
        RESOLVE_TEST(equal_samples_average_to_themselves),
        RESOLVE_TEST(the_rectangle_is_widened_to_eights),
        RESOLVE_TEST(pixel_centres_may_be_at_halves),
        RESOLVE_TEST(vertices_may_come_in_any_order),
        RESOLVE_TEST(offset_and_scissor_cut),
        RESOLVE_TEST(the_pitch_cuts),
        RESOLVE_TEST(an_empty_or_strange_rectangle_does_nothing),
        RESOLVE_TEST(the_base_may_lie_before_the_texture),
        RESOLVE_TEST(the_base_s_high_bits_do_not_count),
        RESOLVE_TEST(texels_beyond_memory_are_left_out),
        RESOLVE_TEST(a_clear_comes_after_the_copy),
        RESOLVE_TEST(every_sample_is_cleared),
        RESOLVE_TEST(a_depth_copy_clears_no_colour),
        RESOLVE_TEST(any_registers_will_do),
        RESOLVE_TEST(threads_change_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
