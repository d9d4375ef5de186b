/* Blending and colour formats against arithmetic in doubles, which is exact for what is tested.
 *
 * Rules: xenia src/xenia/gpu/spirv_shader_translator_rb.cc, xenos.h (BlendFactor, BlendOp), registers.h;
 * Microsoft, "Xbox 360 Surface Formats" (no blending of 16 and 32 bit floats). */
#include "rop_fixture.h"

/* One stored component as a real number; `kind` 'u' fraction, 's' -32..32, 'f' 7e3. */
static double decode(char kind, uint32_t bits, uint32_t width)
{
    switch (kind) {
    case 'u':
        return bits / (double)((1u << width) - 1);
    case 's': {
        double v = (int16_t)bits * 32.0 / 32767.0;
        return v < -32 ? -32 : v;
    }
    default:
        return bits >> 7 == 0 ? ldexp(bits & 127, -9)
                              : ldexp((bits & 127) + 128, (int)(bits >> 7) - 10);
    }
}

/* 1 when `bits` is what `value` rounds to, give or take a thousandth of a step. */
static int rounds_to(char kind, double value, uint32_t bits, uint32_t width)
{
    if (kind == 'u') {
        double most = (1u << width) - 1;
        value = value < 0 ? 0 : value > 1 ? 1 : value;
        return fabs(value * most - bits) <= 0.501;
    }
    if (kind == 's') {
        value = value < -32 ? -32 : value > 32 ? 32 : value;
        return fabs(value * 32767 / 32 - (int16_t)bits) <= 0.51;
    }
    value = value < 0 ? 0 : value > 31.875 ? 31.875 : value;
    double low = bits == 0 ? 0 : decode('f', bits - 1, 10);
    double high = bits == 1023 ? 31.875 : decode('f', bits + 1, 10);
    double at = decode('f', bits, 10);
    return value >= (low + at) / 2 - 1e-4 && value <= (high + at) / 2 + 1e-4;
}

static double factor_of(uint32_t factor, int c, const double *source, const double *target,
                        const double *constant)
{
    switch (factor) {
    case 0:
        return 0;
    case 4:
        return source[c];
    case 5:
        return 1 - source[c];
    case 6:
        return source[3];
    case 7:
        return 1 - source[3];
    case 8:
        return target[c];
    case 9:
        return 1 - target[c];
    case 10:
        return target[3];
    case 11:
        return 1 - target[3];
    case 12:
        return constant[c];
    case 13:
        return 1 - constant[c];
    case 14:
        return constant[3];
    case 15:
        return 1 - constant[3];
    case 16:
        return c == 3 ? 1 : source[3] < 1 - target[3] ? source[3] : 1 - target[3];
    default:
        return 1;
    }
}

static double blend(uint32_t control, int c, const double *source, const double *target,
                    const double *constant, double range)
{
    uint32_t operation = control >> 5 & 7;
    if (operation == 2) {
        return fmin(source[c], target[c]);
    }
    if (operation == 3) {
        return fmax(source[c], target[c]);
    }
    double a = source[c] * factor_of(control & 31, c, source, target, constant);
    double b = target[c] * factor_of(control >> 8 & 31, c, source, target, constant);
    if (range > 0) {
        a = fmax(-range, fmin(range, a));
        b = fmax(-range, fmin(range, b));
    }
    return operation == 1 ? a - b : operation == 4 ? b - a : a + b;
}

typedef struct format_case {
    uint32_t format;
    int wide;
    int components;
    char kind[5];
    uint32_t width[4];
    double range; /* of sources; negative: -range..range */
} format_case;

static const format_case cases[] = {
    {XENOS_COLOR_8_8_8_8, 0, 4, "uuuu", {8, 8, 8, 8}, 1},
    {XENOS_COLOR_2_10_10_10, 0, 4, "uuuu", {10, 10, 10, 2}, 1},
    {XENOS_COLOR_2_10_10_10_AS_10_10_10_10, 0, 4, "uuuu", {10, 10, 10, 2}, 1},
    {XENOS_COLOR_2_10_10_10_FLOAT, 0, 4, "fffu", {10, 10, 10, 2}, 4},
    {XENOS_COLOR_2_10_10_10_FLOAT_AS_16_16_16_16, 0, 4, "fffu", {10, 10, 10, 2}, 4},
    {XENOS_COLOR_16_16, 0, 2, "ss", {16, 16}, -32},
    {XENOS_COLOR_16_16_16_16, 1, 4, "ssss", {16, 16, 16, 16}, -32},
};

static uint32_t component(const format_case *k, const uint32_t word[2], int c)
{
    uint32_t bit = 0;
    for (int i = 0; i < c; i++) {
        bit += k->width[i];
    }
    return word[bit >> 5] >> (bit & 31) & ((1u << k->width[c]) - 1);
}

/* A number that the format or its source can hold, the same as float and as double. */
static double pick(rop_fixture *f, const format_case *k, int c)
{
    uint32_t r = fixture_random(f);
    if (k->range < 0) {
        return (float)((int)(r % 65537) - 32768) / 1024.0f;
    }
    uint32_t most = (1u << (c < k->components ? k->width[c] : 8)) - 1;
    double top = k->kind[c] == 'f' ? k->range : 1.0;
    return (float)(r % (most + 1) / (double)most * top);
}

/* Blends a block with random colours over random contents and checks every pixel. */
static void check_blend(rop_fixture *f, const format_case *k, uint32_t control, uint32_t msaa)
{
    double source[16][4], constant[4];
    uint32_t before[4][16][2];
    f->registers[XENOS_RB_SURFACE_INFO] = 160 | msaa << 16;
    f->registers[XENOS_RB_COLOR_INFO] = k->format << 16 | 5;
    f->registers[XENOS_RB_BLENDCONTROL0] = control;
    for (int c = 0; c < 4; c++) {
        constant[c] = pick(f, k, c);
        f->registers[XENOS_RB_BLEND_RED + c] = xenos_float_bits((float)constant[c]);
    }
    for (uint32_t lane = 0; lane < 16; lane++) {
        for (int c = 0; c < 4; c++) {
            source[lane][c] = pick(f, k, c);
            f->fragment->color[0].c[c][lane] = (float)source[lane][c];
        }
    }
    f->fragment->x = 84;
    f->fragment->y = 12;
    for (uint32_t s = 0; s < 1u << msaa; s++) {
        f->fragment->coverage[s] = fixture_random(f) & 0xFFFF;
        for (uint32_t lane = 0; lane < 16; lane++) {
            for (uint32_t w = 0; w <= (uint32_t)k->wide; w++) {
                before[s][lane][w] = fixture_random(f);
                write32(
                    sample_at(f, 5, msaa, k->wide, 0, 84 + lane_x(lane), 12 + lane_y(lane), s, w),
                    before[s][lane][w]);
            }
        }
    }
    fixture_prepare(f);
    soft_rop_color(f->rop, f->fragment, 1);
    for (uint32_t s = 0; s < 1u << msaa; s++) {
        for (uint32_t lane = 0; lane < 16; lane++) {
            uint32_t after[2] = {0, 0};
            double target[4] = {0, 0, 0, 1};
            for (uint32_t w = 0; w <= (uint32_t)k->wide; w++) {
                after[w] = read32(
                    sample_at(f, 5, msaa, k->wide, 0, 84 + lane_x(lane), 12 + lane_y(lane), s, w));
            }
            if (!(f->fragment->coverage[s] >> lane & 1)) {
                assert_memory_equal(after, before[s][lane], 4u << k->wide);
                continue;
            }
            for (int c = 0; c < k->components; c++) {
                target[c] = decode(k->kind[c], component(k, before[s][lane], c), k->width[c]);
            }
            for (int c = 0; c < k->components; c++) {
                double value = blend(c < 3 ? control : control >> 16, c, source[lane], target,
                                     constant, k->range < 0 ? 32 : 0);
                uint32_t bits = component(k, after, c);
                if (!rounds_to(k->kind[c], value, bits, k->width[c])) {
                    fail_msg("format %u control %08x component %d: %g gave %x", k->format, control,
                             c, value, bits);
                }
            }
        }
    }
}

static const uint32_t factors[15] = {0, 1, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

static void every_factor_and_operation_blends(void **state)
{
    rop_fixture *f = *state;
    for (uint32_t i = 0; i < 15 * 15 * 5; i++) {
        uint32_t color = factors[i % 15] | i / 225 << 5 | factors[i / 15 % 15] << 8;
        uint32_t j = fixture_random(f) % (15 * 15 * 5);
        uint32_t alpha = factors[j % 15] | j / 225 << 5 | factors[j / 15 % 15] << 8;
        for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
            check_blend(f, &cases[k], color | alpha << 16, i % 3);
            check_blend(f, &cases[k], alpha | color << 16, 0);
        }
    }
}

/* The blends that have functions of their own, and no blending. */
static void common_blends_are_no_exception(void **state)
{
    rop_fixture *f = *state;
    static const uint32_t controls[] = {0x07060706, 0x07010701, 0x01010101,
                                        0x01060106, 0x00080008, 0x00010001};
    for (size_t i = 0; i < 6; i++) {
        for (uint32_t msaa = 0; msaa < 3; msaa++) {
            for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
                check_blend(f, &cases[k], controls[i], msaa);
            }
        }
    }
}

/* xenia: "make one the default factor", "make addition the default". */
static void unnamed_factors_are_one(void **state)
{
    rop_fixture *f = *state;
    check_blend(f, &cases[0], 0x02030203, 0);
    check_blend(f, &cases[0], 0x1F111F11, 0);
    check_blend(f, &cases[0], 0x01A101C1, 0);
}

/* ---- formats by hand ---- */

static void set_color(rop_fixture *f, uint32_t lane, float r, float g, float b, float a)
{
    const float v[4] = {r, g, b, a};
    for (int c = 0; c < 4; c++) {
        f->fragment->color[0].c[c][lane] = v[c];
    }
}

static void write_block(rop_fixture *f, uint32_t info)
{
    f->registers[XENOS_RB_COLOR_INFO] = info;
    fixture_prepare(f);
    soft_rop_color(f->rop, f->fragment, 1);
}

static void check_word(rop_fixture *f, uint32_t format, float r, float g, float b, float a,
                       uint32_t low, uint32_t high)
{
    for (uint32_t lane = 0; lane < 16; lane++) {
        set_color(f, lane, r, g, b, a);
    }
    write_block(f, format << 16);
    int wide = xenos_color_format_of(format)->wide;
    for (uint32_t lane = 0; lane < 16; lane++) {
        uint8_t *at = sample_at(f, 0, 0, wide, 0, lane_x(lane), lane_y(lane), 0, 0);
        assert_int_equal(read32(at), low);
        if (wide) {
            assert_int_equal(read32(at + 4), high);
        }
    }
}

static void fractions_round_half_up(void **state)
{
    rop_fixture *f = *state;
    check_word(f, XENOS_COLOR_8_8_8_8, 0.0f, 1.0f, 0.5f, 2.0f, 0xFF80FF00, 0);
    check_word(f, XENOS_COLOR_8_8_8_8, NAN, -1.0f, INFINITY, -INFINITY, 0x00FF0000, 0);
    check_word(f, XENOS_COLOR_2_10_10_10, 1.0f, 0.5f, 0.0f, 0.5f, 2u << 30 | 512 << 10 | 1023, 0);
}

static void gamma_is_encoded_when_stored(void **state)
{
    /* linear 128/1023 is code 96, 516/1023 code 192; alpha stays a fraction. */
    check_word(*state, XENOS_COLOR_8_8_8_8_GAMMA, 128 / 1023.0f, 516 / 1023.0f, 1.0f, 0.5f,
               0x80FFC060, 0);
}

static void gamma_blends_in_linear_light(void **state)
{
    rop_fixture *f = *state;
    check_word(f, XENOS_COLOR_8_8_8_8_GAMMA, 128 / 1023.0f, 0.0f, 0.0f, 0.0f, 0x60, 0);
    f->registers[XENOS_RB_BLENDCONTROL0] = 0x01010101; /* 128 + 128 = 256: code 64 + 256 / 4 */
    check_word(f, XENOS_COLOR_8_8_8_8_GAMMA, 128 / 1023.0f, 0.0f, 0.0f, 0.0f, 0x80, 0);
}

/* Every code survives a blend that keeps the target. */
static void every_code_of_gamma_survives(void **state)
{
    rop_fixture *f = *state;
    f->registers[XENOS_RB_BLENDCONTROL0] = 0x01000100; /* 0 * source + 1 * target */
    for (uint32_t first = 0; first < 256; first += 16) {
        for (uint32_t lane = 0; lane < 16; lane++) {
            write32(sample_at(f, 0, 0, 0, 0, lane_x(lane), lane_y(lane), 0, 0),
                    (first + lane) * 0x01010101u);
        }
        write_block(f, XENOS_COLOR_8_8_8_8_GAMMA << 16);
        for (uint32_t lane = 0; lane < 16; lane++) {
            assert_int_equal(read32(sample_at(f, 0, 0, 0, 0, lane_x(lane), lane_y(lane), 0, 0)),
                             (first + lane) * 0x01010101u);
        }
    }
}

/* Takes all but 16.5 / 1023 off each code's light: code 16 is left. */
static void every_code_of_gamma_has_its_light(void **state)
{
    rop_fixture *f = *state;
    f->registers[XENOS_RB_BLENDCONTROL0] = 0x01810181; /* target - source */
    for (uint32_t first = 32; first < 256; first += 16) {
        for (uint32_t lane = 0; lane < 16; lane++) {
            float light = ((float)xenos_gamma_to_linear(first + lane) - 16.5f) / 1023.0f;
            set_color(f, lane, light, light, light, 0.0f);
            write32(sample_at(f, 0, 0, 0, 0, lane_x(lane), lane_y(lane), 0, 0),
                    (first + lane) * 0x00010101u);
        }
        write_block(f, XENOS_COLOR_8_8_8_8_GAMMA << 16);
        for (uint32_t lane = 0; lane < 16; lane++) {
            assert_int_equal(read32(sample_at(f, 0, 0, 0, 0, lane_x(lane), lane_y(lane), 0, 0)),
                             0x00101010);
        }
    }
}

static void seven_e_three(void **state)
{
    rop_fixture *f = *state;
    /* 1.0 = 2^(3-3): exponent 3, mantissa 0; 31.875 is the largest; 1/512 the least. */
    check_word(f, XENOS_COLOR_2_10_10_10_FLOAT, 1.0f, 40.0f, 1 / 512.0f, 1.0f,
               3u << 30 | 1 << 20 | 1023 << 10 | 3 << 7, 0);
    check_word(f, XENOS_COLOR_2_10_10_10_FLOAT, NAN, -2.0f, 0.25f, 0.0f, 1 << 7 << 20, 0);
}

/* The sixteen lanes agree with the scalar functions, which have tests of their own. */
static void lanes_and_scalars_pack_alike(void **state)
{
    rop_fixture *f = *state;
    for (int i = 0; i < 20000; i++) {
        float v[16];
        for (uint32_t lane = 0; lane < 16; lane++) {
            uint32_t bits = fixture_random(f);
            bits = i & 1 ? bits : (bits & 0x8FFFFFFF) | 0x30000000; /* near the formats' range */
            v[lane] = xenos_float(bits);
            set_color(f, lane, v[lane], v[lane], v[lane], 0);
        }
        write_block(f, XENOS_COLOR_2_10_10_10_FLOAT << 16);
        for (uint32_t lane = 0; lane < 16; lane++) {
            uint32_t at = read32(sample_at(f, 0, 0, 0, 0, lane_x(lane), lane_y(lane), 0, 0));
            assert_int_equal(at & 1023, xenos_float_to_7e3(v[lane]));
        }
        write_block(f, XENOS_COLOR_16_16_FLOAT << 16);
        for (uint32_t lane = 0; lane < 16; lane++) {
            uint32_t at = read32(sample_at(f, 0, 0, 0, 0, lane_x(lane), lane_y(lane), 0, 0));
            assert_int_equal(at & 0xFFFF, xenos_float_to_half(v[lane]));
            assert_int_equal(at >> 16, at & 0xFFFF);
        }
        write_block(f, XENOS_COLOR_8_8_8_8_GAMMA << 16);
        for (uint32_t lane = 0; lane < 16; lane++) {
            uint32_t at = read32(sample_at(f, 0, 0, 0, 0, lane_x(lane), lane_y(lane), 0, 0));
            assert_int_equal(at & 255, xenos_gamma_from_linear(v[lane]));
        }
    }
}

static void fixed_point_of_32(void **state)
{
    rop_fixture *f = *state;
    /* 1 is 32767 / 32 = 1023.97; halves go away from zero: 16383.5. */
    check_word(f, XENOS_COLOR_16_16, 1.0f, -1.0f, 0, 0, 0xFC000400, 0);
    check_word(f, XENOS_COLOR_16_16_16_16, 32.0f, -33.0f, 16.0f, -16.0f, 0x80017FFF, 0xC0004000);
    check_word(f, XENOS_COLOR_16_16, NAN, INFINITY, 0, 0, 0x7FFF0000, 0);
}

static void halves_have_no_infinity(void **state)
{
    rop_fixture *f = *state;
    check_word(f, XENOS_COLOR_16_16_FLOAT, 1.0f, -65536.0f, 0, 0, 0xFC003C00, 0);
    check_word(f, XENOS_COLOR_16_16_16_16_FLOAT, NAN, INFINITY, 0.5f, -1e9f, 0x7FFF0000,
               0xFFFF3800);
}

static void floats_are_stored_as_they_are(void **state)
{
    rop_fixture *f = *state;
    check_word(f, XENOS_COLOR_32_FLOAT, 1e30f, 0, 0, 0, xenos_float_bits(1e30f), 0);
    check_word(f, XENOS_COLOR_32_FLOAT, xenos_float(0x7F812345), 0, 0, 0, 0x7F812345, 0);
    check_word(f, XENOS_COLOR_32_32_FLOAT, -0.0f, INFINITY, 0, 0, 0x80000000, 0x7F800000);
}

static void floats_do_not_blend(void **state)
{
    rop_fixture *f = *state;
    f->registers[XENOS_RB_BLENDCONTROL0] = 0x01010101;
    check_word(f, XENOS_COLOR_32_FLOAT, 1.0f, 0, 0, 0, 0x3F800000, 0);
    check_word(f, XENOS_COLOR_32_FLOAT, 1.0f, 0, 0, 0, 0x3F800000, 0);
    check_word(f, XENOS_COLOR_16_16_FLOAT, 1.0f, 1.0f, 0, 0, 0x3C003C00, 0);
    check_word(f, XENOS_COLOR_16_16_FLOAT, 1.0f, 1.0f, 0, 0, 0x3C003C00, 0);
}

static void the_exponent_bias_scales_the_source(void **state)
{
    rop_fixture *f = *state;
    check_word(f, XENOS_COLOR_8_8_8_8 | 0x3Fu << 4, 1.0f, 2.0f, 0.5f, 0.0f, 0x0040FF80, 0);
    check_word(f, XENOS_COLOR_32_FLOAT | 5u << 4, 1.0f, 0, 0, 0, 0x42000000, 0); /* 32 */
}

/* ---- what is written ---- */

static void the_write_mask_keeps_components(void **state)
{
    rop_fixture *f = *state;
    memset(f->edram, 0x11, 5120);
    f->registers[XENOS_RB_COLOR_MASK] = 0x5; /* red and blue */
    check_word(f, XENOS_COLOR_8_8_8_8, 1.0f, 1.0f, 1.0f, 1.0f, 0x11FF11FF, 0);
    memset(f->edram, 0x11, 5120);
    f->registers[XENOS_RB_COLOR_MASK] = 0x8;
    check_word(f, XENOS_COLOR_2_10_10_10, 1.0f, 1.0f, 1.0f, 1.0f, 0xD1111111, 0);
    memset(f->edram, 0x11, 5120);
    f->registers[XENOS_RB_COLOR_MASK] = 0x4;
    check_word(f, XENOS_COLOR_16_16_16_16, 1.0f, 1.0f, 32.0f, 1.0f, 0x11111111, 0x11117FFF);
    memset(f->edram, 0x11, 5120);
    f->registers[XENOS_RB_COLOR_MASK] = 0xC; /* neither of the two it has */
    check_word(f, XENOS_COLOR_16_16, 1.0f, 1.0f, 1.0f, 1.0f, 0x11111111, 0);
}

static void only_the_block_changes(void **state)
{
    rop_fixture *f = *state;
    static const uint32_t formats[2] = {XENOS_COLOR_8_8_8_8, XENOS_COLOR_32_32_FLOAT};
    for (uint32_t i = 0; i < 6; i++) {
        uint32_t msaa = i % 3;
        uint32_t wide = i / 3;
        memset(f->edram, 0, XENOS_EDRAM_BYTES);
        f->registers[XENOS_RB_SURFACE_INFO] = 160 | msaa << 16;
        f->fragment->x = 156;
        f->fragment->y = 28;
        for (uint32_t lane = 0; lane < 16; lane++) {
            set_color(f, lane, 1, 1, 1, 1);
        }
        write_block(f, formats[wide] << 16 | 2040);
        uint32_t changed = 0;
        for (uint32_t at = 0; at < XENOS_EDRAM_BYTES; at += 4) {
            changed += read32(f->edram + at) != 0;
        }
        assert_int_equal(changed, 16u << msaa << wide);
        for (uint32_t lane = 0; lane < 16; lane++) {
            for (uint32_t s = 0; s < 1u << msaa; s++) {
                assert_int_not_equal(
                    read32(sample_at(f, 2040, msaa, (int)wide, 0, 156 + lane_x(lane),
                                     28 + lane_y(lane), s, wide)),
                    0);
            }
        }
    }
}

static void each_sample_has_its_coverage(void **state)
{
    rop_fixture *f = *state;
    f->registers[XENOS_RB_SURFACE_INFO] = 160 | 2 << 16;
    f->fragment->coverage[0] = 0x0001;
    f->fragment->coverage[1] = 0x8000;
    f->fragment->coverage[2] = 0;
    f->fragment->coverage[3] = 0x00F0;
    for (uint32_t lane = 0; lane < 16; lane++) {
        set_color(f, lane, 1, 1, 1, 1);
    }
    write_block(f, 0);
    for (uint32_t lane = 0; lane < 16; lane++) {
        for (uint32_t s = 0; s < 4; s++) {
            uint32_t word = read32(sample_at(f, 0, 2, 0, 0, lane_x(lane), lane_y(lane), s, 0));
            assert_int_equal(word, f->fragment->coverage[s] >> lane & 1 ? 0xFFFFFFFF : 0);
        }
    }
}

static void targets_have_their_own_blending(void **state)
{
    rop_fixture *f = *state;
    f->pixel.exports = 0xB; /* not colour 2 */
    f->registers[XENOS_RB_COLOR_INFO] = 0;
    f->registers[XENOS_RB_COLOR1_INFO] = 100 | XENOS_COLOR_32_FLOAT << 16;
    f->registers[XENOS_RB_COLOR2_INFO] = 200;
    f->registers[XENOS_RB_COLOR3_INFO] = 300;
    f->registers[XENOS_RB_BLENDCONTROL3] = 0x01000100; /* the target stays */
    write32(f->edram + 300 * 5120, 0x12345678);
    for (int t = 0; t < 4; t++) {
        for (int c = 0; c < 4; c++) {
            f->fragment->color[t].c[c] = soft_splat(1.0f);
        }
    }
    fixture_prepare(f);
    soft_rop_color(f->rop, f->fragment, 0xB);
    assert_int_equal(read32(f->edram), 0xFFFFFFFF);
    assert_int_equal(read32(f->edram + 100 * 5120), 0x3F800000);
    assert_int_equal(read32(f->edram + 200 * 5120), 0);
    assert_int_equal(read32(f->edram + 300 * 5120), 0x12345678);
}

static void a_colour_that_was_not_exported_is_not_written(void **state)
{
    rop_fixture *f = *state;
    f->fragment->color[0].c[0] = soft_splat(1.0f);
    fixture_prepare(f);
    soft_rop_color(f->rop, f->fragment, 0xE);
    assert_int_equal(read32(f->edram), 0);
}

static void depth_mode_writes_no_colour(void **state)
{
    rop_fixture *f = *state;
    f->fragment->color[0].c[0] = soft_splat(1.0f);
    f->registers[XENOS_RB_MODECONTROL] = XENOS_MODE_DEPTH;
    fixture_prepare(f);
    soft_rop_color(f->rop, f->fragment, 1);
    assert_int_equal(read32(f->edram), 0);
}

static void a_format_without_a_name_is_not_written(void **state)
{
    rop_fixture *f = *state;
    static const uint32_t unnamed[4] = {8, 9, 11, 13};
    f->fragment->color[0].c[0] = soft_splat(1.0f);
    for (int i = 0; i < 4; i++) {
        write_block(f, unnamed[i] << 16);
        assert_int_equal(read32(f->edram), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROP_TEST(every_factor_and_operation_blends),
        ROP_TEST(common_blends_are_no_exception),
        ROP_TEST(unnamed_factors_are_one),
        ROP_TEST(fractions_round_half_up),
        ROP_TEST(gamma_is_encoded_when_stored),
        ROP_TEST(gamma_blends_in_linear_light),
        ROP_TEST(every_code_of_gamma_survives),
        ROP_TEST(every_code_of_gamma_has_its_light),
        ROP_TEST(seven_e_three),
        ROP_TEST(lanes_and_scalars_pack_alike),
        ROP_TEST(fixed_point_of_32),
        ROP_TEST(halves_have_no_infinity),
        ROP_TEST(floats_are_stored_as_they_are),
        ROP_TEST(floats_do_not_blend),
        ROP_TEST(the_exponent_bias_scales_the_source),
        ROP_TEST(the_write_mask_keeps_components),
        ROP_TEST(only_the_block_changes),
        ROP_TEST(each_sample_has_its_coverage),
        ROP_TEST(targets_have_their_own_blending),
        ROP_TEST(a_colour_that_was_not_exported_is_not_written),
        ROP_TEST(depth_mode_writes_no_colour),
        ROP_TEST(a_format_without_a_name_is_not_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
