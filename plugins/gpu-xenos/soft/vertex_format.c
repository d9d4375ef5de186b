#include "vertex_format.h"

#include <float.h>
#include <string.h>

enum { KIND_NONE, KIND_FIXED, KIND_HALF, KIND_FLOAT };

/* By format. `width` of x, y, z, w, packed from bit 0 up across dwords. */
static const struct vertex_row {
    uint8_t kind, dwords;
    uint8_t width[4];
} rows[64] = {
    [SOFT_VERTEX_8_8_8_8] = {KIND_FIXED, 1, {8, 8, 8, 8}},
    [SOFT_VERTEX_2_10_10_10] = {KIND_FIXED, 1, {10, 10, 10, 2}},
    [SOFT_VERTEX_10_11_11] = {KIND_FIXED, 1, {11, 11, 10}},
    [SOFT_VERTEX_11_11_10] = {KIND_FIXED, 1, {10, 11, 11}},
    [SOFT_VERTEX_16_16] = {KIND_FIXED, 1, {16, 16}},
    [SOFT_VERTEX_16_16_16_16] = {KIND_FIXED, 2, {16, 16, 16, 16}},
    [SOFT_VERTEX_16_16_FLOAT] = {KIND_HALF, 1, {16, 16}},
    [SOFT_VERTEX_16_16_16_16_FLOAT] = {KIND_HALF, 2, {16, 16, 16, 16}},
    [SOFT_VERTEX_32] = {KIND_FIXED, 1, {32}},
    [SOFT_VERTEX_32_32] = {KIND_FIXED, 2, {32, 32}},
    [SOFT_VERTEX_32_32_32_32] = {KIND_FIXED, 4, {32, 32, 32, 32}},
    [SOFT_VERTEX_32_FLOAT] = {KIND_FLOAT, 1, {32}},
    [SOFT_VERTEX_32_32_FLOAT] = {KIND_FLOAT, 2, {32, 32}},
    [SOFT_VERTEX_32_32_32_32_FLOAT] = {KIND_FLOAT, 4, {32, 32, 32, 32}},
    [SOFT_VERTEX_32_32_32_FLOAT] = {KIND_FLOAT, 3, {32, 32, 32}},
};

uint32_t soft_vertex_dwords(uint32_t format)
{
    return rows[format & 63u].dwords;
}

static float from_bits(uint32_t bits)
{
    float out;
    memcpy(&out, &bits, sizeof out);
    return out;
}

static uint32_t to_bits(float value)
{
    uint32_t out;
    memcpy(&out, &value, sizeof out);
    return out;
}

/* Times 2^exponent; NaN becomes arithmetic's one. */
static uint32_t scale(uint32_t bits, int32_t exponent)
{
    if ((bits & 0x7FFFFFFFu) > 0x7F800000u) {
        return UINT32_MAX;
    }
    return to_bits(from_bits(bits) * from_bits((uint32_t)(127 + exponent) << 23));
}

float soft_half_to_float(uint32_t half)
{
    uint32_t sign = (half & 0x8000u) << 16;
    uint32_t exponent = half >> 10 & 0x1Fu;
    if (exponent == 0) {
        return from_bits(sign);
    }
    return from_bits(sign | (exponent + 112u) << 23 | (half & 0x3FFu) << 13);
}

uint32_t soft_float_to_half(uint32_t bits)
{
    uint32_t sign = bits >> 16 & 0x8000u;
    uint32_t magnitude = bits & 0x7FFFFFFFu;
    if (magnitude < 0x38800000u) { /* below 2^-14 */
        return sign;
    }
    magnitude += 0xFFFu + (magnitude >> 13 & 1u);
    if (magnitude >= 0x48000000u) { /* 2^17 and more, infinities, NaN */
        return sign | 0x7FFFu;
    }
    return sign | ((magnitude - 0x38000000u) >> 13);
}

static float fixed(const xenos_fetch *fetch, uint32_t field, uint32_t width)
{
    double value = field;
    double maximum = (double)((UINT64_C(1) << width) - 1u);
    if (!fetch->is_signed) {
        return (float)(fetch->integer ? value : value / maximum);
    }
    if (field >> (width - 1) & 1u) {
        value -= maximum + 1.0;
    }
    if (fetch->integer) {
        return (float)value;
    }
    if (fetch->zero_clamp_minus_one_free) { /* no zero: steps lie symmetric about it */
        return (float)((2.0 * value + 1.0) / maximum);
    }
    value /= (maximum - 1.0) / 2.0;
    return (float)(value < -1.0 ? -1.0 : value);
}

void soft_vertex_unpack(const xenos_fetch *fetch, const uint32_t data[4], float out[4])
{
    const struct vertex_row *row = &rows[fetch->format & 63u];
    uint32_t at = 0;
    for (uint32_t i = 0; i < 4; i++) {
        uint32_t width = row->width[i];
        if (width == 0) {
            out[i] = 0.0f;
            continue;
        }
        uint32_t field = data[at >> 5] >> (at & 31u) & (UINT32_MAX >> (32u - width));
        at += width;
        /* As bits: compilers may quiet a NaN that passes as a float. */
        uint32_t bits = row->kind == KIND_FIXED  ? to_bits(fixed(fetch, field, width))
                        : row->kind == KIND_HALF ? to_bits(soft_half_to_float(field))
                                                 : field;
        if (fetch->exponent != 0) {
            bits = scale(bits, fetch->exponent);
        }
        if ((bits & 0x7F800000u) == 0) {
            bits &= 0x80000000u;
        }
        memcpy(&out[i], &bits, sizeof bits);
    }
}
