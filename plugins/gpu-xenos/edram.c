#include "edram.h"

#include <stddef.h>
#include <string.h>

#include "registers.h"
#include "state.h"

/* Which formats blend: Microsoft, "Xbox 360 Surface Formats" (XNA Game Studio): all but those of 16
 * and 32 bit floats. */
static const xenos_color_format color_formats[16] = {
    [0] = {"8_8_8_8", 4, 0, 0, 1, {8, 8, 8, 8}},
    [1] = {"8_8_8_8_GAMMA", 4, 0, 1, 1, {8, 8, 8, 8}},
    [2] = {"2_10_10_10", 4, 0, 2, 1, {10, 10, 10, 2}},
    [3] = {"2_10_10_10_FLOAT", 4, 0, 3, 1, {10, 10, 10, 2}},
    [4] = {"16_16", 2, 0, 4, 1, {16, 16}},
    [5] = {"16_16_16_16", 4, 1, 5, 1, {16, 16, 16, 16}},
    [6] = {"16_16_FLOAT", 2, 0, 6, 0, {16, 16}},
    [7] = {"16_16_16_16_FLOAT", 4, 1, 7, 0, {16, 16, 16, 16}},
    [10] = {"2_10_10_10_AS_10_10_10_10", 4, 0, 2, 1, {10, 10, 10, 2}},
    [12] = {"2_10_10_10_FLOAT_AS_16_16_16_16", 4, 0, 3, 1, {10, 10, 10, 2}},
    [14] = {"32_FLOAT", 1, 0, 14, 0, {32}},
    [15] = {"32_32_FLOAT", 2, 1, 15, 0, {32, 32}},
};

const xenos_color_format *xenos_color_format_of(uint32_t number)
{
    return &color_formats[number & 15];
}

static void target_of(xenos_target *out, uint32_t surface, uint32_t info, uint32_t wide)
{
    uint32_t samples = xenos_bits(surface, 16, 2);
    *out = (xenos_target){
        .base = xenos_bits(info, 0, 11),
        .width = xenos_bits(surface, 0, 14),
        .x_log2 = samples >= 2,
        .y_log2 = samples >= 1,
        .wide = (uint8_t)wide,
    };
    uint32_t across = out->width << out->x_log2;
    out->pitch = (across + XENOS_EDRAM_TILE_WIDTH - 1) / XENOS_EDRAM_TILE_WIDTH << wide;
}

void xenos_target_color(xenos_target *out, const uint32_t *registers, uint32_t index)
{
    static const uint16_t number[4] = {XENOS_RB_COLOR_INFO, XENOS_RB_COLOR1_INFO,
                                       XENOS_RB_COLOR2_INFO, XENOS_RB_COLOR3_INFO};
    uint32_t info = registers[number[index & 3]];
    target_of(out, registers[XENOS_RB_SURFACE_INFO], info,
              xenos_color_format_of(xenos_bits(info, 16, 4))->wide);
}

void xenos_target_depth(xenos_target *out, const uint32_t *registers)
{
    target_of(out, registers[XENOS_RB_SURFACE_INFO], registers[XENOS_RB_DEPTH_INFO], 0);
    out->swapped = 1;
}

static int32_t larger(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

static int32_t smaller(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

void xenos_scissor(const uint32_t *registers, xenos_rectangle *out)
{
    uint32_t top = registers[XENOS_PA_SC_WINDOW_SCISSOR_TL];
    uint32_t bottom = registers[XENOS_PA_SC_WINDOW_SCISSOR_BR];
    uint32_t screen_top = registers[XENOS_PA_SC_SCREEN_SCISSOR_TL];
    uint32_t screen_bottom = registers[XENOS_PA_SC_SCREEN_SCISSOR_BR];
    uint32_t offset = xenos_bits(top, 31, 1) ? 0 : registers[XENOS_PA_SC_WINDOW_OFFSET];
    int32_t dx = xenos_signed_bits(offset, 0, 15);
    int32_t dy = xenos_signed_bits(offset, 16, 15);
    int32_t x0 = (int32_t)xenos_bits(top, 0, 14) + dx;
    int32_t y0 = (int32_t)xenos_bits(top, 16, 14) + dy;
    int32_t x1 = (int32_t)xenos_bits(bottom, 0, 14) + dx;
    int32_t y1 = (int32_t)xenos_bits(bottom, 16, 14) + dy;
    out->x0 = larger(larger(x0, xenos_signed_bits(screen_top, 0, 15)), 0);
    out->y0 = larger(larger(y0, xenos_signed_bits(screen_top, 16, 15)), 0);
    out->x1 = larger(smaller(x1, xenos_signed_bits(screen_bottom, 0, 15)), out->x0);
    out->y1 = larger(smaller(y1, xenos_signed_bits(screen_bottom, 16, 15)), out->y0);
}

/* ---- small floats ---- */

/* value / 2^shift for a finite value >= 0 and shift below 63: the bits of a float of which `dropped`
 * mantissa bits go, rounded to nearest even. `rebias` is the difference of the exponents' biases. */
static uint32_t shrink(uint32_t bits, uint32_t rebias, uint32_t dropped)
{
    if (bits >> 23 <= rebias) {
        /* A denormal of the small format: the mantissa with its hidden bit, cut to what rounding
         * looks at. */
        uint32_t shift = rebias + 1 - (bits >> 23);
        bits = shift > 24 ? 0 : (0x800000u | (bits & 0x7FFFFFu)) >> shift;
    } else {
        bits -= rebias << 23;
    }
    return (bits + (UINT32_C(1) << (dropped - 1)) - 1 + (bits >> dropped & 1)) >> dropped;
}

/* The way back, exact: `mantissa` bits of mantissa. */
static float grow(uint32_t bits, uint32_t rebias, uint32_t mantissa)
{
    uint32_t dropped = 23 - mantissa;
    if (bits >> mantissa != 0) {
        return xenos_float((bits << dropped) + (rebias << 23));
    }
    /* bits * 2^(1 - bias - mantissa), by a power of two: exact, and 0 stays 0. */
    return (float)bits * xenos_float((rebias + 1 - mantissa) << 23);
}

float xenos_float_from_7e3(uint32_t bits)
{
    return grow(bits & 0x3FF, 124, 7);
}

uint32_t xenos_float_to_7e3(float value)
{
    if (!(value > 0.0f)) {
        return 0;
    }
    return value >= 31.875f ? 0x3FF : shrink(xenos_float_bits(value), 124, 16);
}

float xenos_float_from_20e4(uint32_t bits)
{
    return grow(bits & 0xFFFFFF, 112, 20);
}

uint32_t xenos_float_to_20e4(float value)
{
    if (!(value > 0.0f)) {
        return 0;
    }
    uint32_t bits = xenos_float_bits(value);
    return bits >= 0x3FFFFFF8u ? 0xFFFFFF : shrink(bits, 112, 3);
}

uint32_t xenos_float_to_unorm24(float value)
{
    if (!(value > 0.0f)) {
        return 0;
    }
    if (value >= 1.0f) {
        return 0xFFFFFF;
    }
    float scaled = value * 16777215.0f;
    if (scaled < 8388608.0f) {
        scaled = (scaled + 8388608.0f) - 8388608.0f; /* rounds as addition does: to nearest even */
    }
    return (uint32_t)scaled;
}

float xenos_float_from_half(uint32_t bits)
{
    float magnitude = grow(bits & 0x7FFF, 112, 10);
    return bits & 0x8000 ? -magnitude : magnitude;
}

uint32_t xenos_float_to_half(float value)
{
    uint32_t bits = xenos_float_bits(value);
    uint32_t sign = bits >> 16 & 0x8000;
    uint32_t magnitude = bits & 0x7FFFFFFF;
    if (magnitude > 0x7F800000u) {
        return 0;
    }
    return sign | (magnitude >= 0x47FFE000u ? 0x7FFF : shrink(magnitude, 112, 13));
}

/* ---- gamma ---- */

uint32_t xenos_gamma_to_linear(uint32_t gamma)
{
    if (gamma < 64) {
        return gamma;
    }
    if (gamma < 96) {
        return 2 * gamma - 64;
    }
    uint32_t linear = gamma < 192 ? 4 * gamma - 256 : 8 * gamma - 1024;
    return linear + (linear >> (gamma < 192 ? 8 : 7));
}

uint32_t xenos_gamma_from_linear(float linear)
{
    if (!(linear > 0.0f)) {
        return 0;
    }
    float scaled = (linear < 1.0f ? linear : 1.0f) * 1023.0f;
    if (scaled < 64.0f) {
        return (uint32_t)scaled;
    }
    if (scaled < 128.0f) {
        return 32 + (uint32_t)(scaled * 0.5f);
    }
    return scaled < 512.0f ? 64 + (uint32_t)(scaled * 0.25f) : 128 + (uint32_t)(scaled * 0.125f);
}
