/* A part of colours to and from the bits of a render target. `format` is a storage format
 * (xenos_color_format), a constant wherever speed matters.
 *
 * Sources: xenia src/xenia/gpu/spirv_shader_translator_rb.cc (FSI_ClampAndPackColor,
 * FSI_UnpackColor), shaders/pixel_formats.xesli, after the Direct3D 11.3 functional specification.
 * Packing clamps to what the format holds, NaN gives 0, fractions round half up, signed ones half
 * away from zero, 7e3 and halves to nearest even. Unpacking gives the float nearest to the value;
 * 16_16 is -32..32 (its 0x8000 is -32 too). Components that are not stored unpack as 0, 0, 0, 1. */
#ifndef SOFT_COLOR_H
#define SOFT_COLOR_H

#include "../edram.h"
#include "block.h"

/* max(v, 0) then min(v, high); NaN gives 0. */
SOFT_INLINE part_f soft_clamp_positive(part_f v, float high)
{
    part_f positive = (part_f)((part_i)v & (v > 0.0f));
    return part_select(positive < high, positive, part_number(high));
}

/* -high..high; NaN gives 0. */
SOFT_INLINE part_f soft_clamp_signed(part_f v, float high)
{
    part_f number = (part_f)((part_i)v & (v == v));
    part_f low = part_select(number > -high, number, part_number(-high));
    return part_select(low < high, low, part_number(high));
}

/* A fraction of `high`, a clamped value's nearest integer, halves up. */
SOFT_INLINE part_u soft_pack_fraction(part_f v, float high)
{
    return part_to_int(soft_clamp_positive(v, 1.0f) * high + 0.5f);
}

SOFT_INLINE part_u soft_pack_signed(part_f v, float range, float scale)
{
    part_f scaled = soft_clamp_signed(v, range) * scale;
    part_f half = part_select(scaled < 0.0f, part_number(-0.5f), part_number(0.5f));
    return part_to_int(scaled + half) & 0xFFFFu;
}

/* The small float of `bits` (below its largest, not negative): see edram.c, shrink. A denormal is
 * value * 2^(149 - rebias) cut to an integer, before rounding. */
SOFT_INLINE part_u soft_shrink(part_f v, uint32_t rebias, uint32_t dropped)
{
    part_u bits = (part_u)v;
    part_i small = (part_i)(bits < (rebias + 1) << 23);
    part_f cut = part_select(small, v, part_number(0.0f));
    uint32_t exponent = (127 + 149 - rebias) << 23;
    float scale;
    memcpy(&scale, &exponent, sizeof scale);
    part_u denormal = part_to_int(cut * scale);
    part_u normal = bits - (rebias << 23);
    part_u number = (part_u)part_select_i(small, (part_i)denormal, (part_i)normal);
    return (number + ((1u << (dropped - 1)) - 1) + (number >> dropped & 1)) >> dropped;
}

/* The way back for numbers with `mantissa` bits of mantissa. */
SOFT_INLINE part_f soft_grow(part_u bits, uint32_t rebias, uint32_t mantissa)
{
    part_f normal = (part_f)((bits << (23 - mantissa)) + (rebias << 23));
    uint32_t exponent = (rebias + 1 - mantissa) << 23;
    float scale;
    memcpy(&scale, &exponent, sizeof scale);
    part_f denormal = part_to_float(bits) * scale;
    return part_select((part_i)(bits < 1u << mantissa), denormal, normal);
}

SOFT_INLINE part_u soft_pack_7e3(part_f v)
{
    return soft_shrink(soft_clamp_positive(v, 31.875f), 124, 16);
}

SOFT_INLINE part_u soft_pack_half(part_f v)
{
    part_u bits = (part_u)soft_clamp_signed(v, 131008.0f);
    part_f magnitude = (part_f)(bits & 0x7FFFFFFFu);
    return soft_shrink(magnitude, 112, 13) | (bits >> 16 & 0x8000u);
}

SOFT_INLINE part_f soft_unpack_half(part_u bits)
{
    part_f magnitude = soft_grow(bits & 0x7FFFu, 112, 10);
    return (part_f)((part_u)magnitude | (bits & 0x8000u) << 16);
}

SOFT_INLINE part_f soft_unpack_signed(part_u bits, uint32_t shift)
{
    part_f value = __builtin_convertvector((part_i)(bits << (16 - shift)) >> 16, part_f);
    return soft_clamp_signed(value * 32.0f / 32767.0f, 32.0f);
}

/* edram.c, xenos_gamma_to_linear and xenos_gamma_from_linear. */
SOFT_INLINE part_f soft_unpack_gamma(part_u gamma)
{
    part_i g = (part_i)gamma;
    part_i third = 4 * g - 256;
    part_i fourth = 8 * g - 1024;
    part_i linear = part_select_i(g < 64, g, 2 * g - 64);
    linear = part_select_i(g < 96, linear, third + (third >> 8));
    linear = part_select_i(g < 192, linear, fourth + (fourth >> 7));
    return __builtin_convertvector(linear, part_f) / 1023.0f;
}

/* Each threshold that is reached halves the scale and adds to the base. */
SOFT_INLINE part_u soft_pack_gamma(part_f v)
{
    part_f scaled = soft_clamp_positive(v, 1.0f) * 1023.0f;
    part_i second = scaled >= 64.0f;
    part_i third = scaled >= 128.0f;
    part_i fourth = scaled >= 512.0f;
    part_f scale = (part_f)(((part_u)(second + third + fourth) << 23) + 0x3F800000u);
    part_i base = (second & 32) + (third & 32) + (fourth & 64);
    return part_to_int(scaled * scale) + (part_u)base;
}

SOFT_INLINE void soft_color_pack(uint32_t format, const part_f c[4], part_u word[2])
{
    switch (format) {
    case XENOS_COLOR_8_8_8_8:
        word[0] = soft_pack_fraction(c[0], 255.0f) | soft_pack_fraction(c[1], 255.0f) << 8 |
                  soft_pack_fraction(c[2], 255.0f) << 16 | soft_pack_fraction(c[3], 255.0f) << 24;
        break;
    case XENOS_COLOR_8_8_8_8_GAMMA:
        word[0] = soft_pack_gamma(c[0]) | soft_pack_gamma(c[1]) << 8 | soft_pack_gamma(c[2]) << 16 |
                  soft_pack_fraction(c[3], 255.0f) << 24;
        break;
    case XENOS_COLOR_2_10_10_10:
        word[0] = soft_pack_fraction(c[0], 1023.0f) | soft_pack_fraction(c[1], 1023.0f) << 10 |
                  soft_pack_fraction(c[2], 1023.0f) << 20 | soft_pack_fraction(c[3], 3.0f) << 30;
        break;
    case XENOS_COLOR_2_10_10_10_FLOAT:
        word[0] = soft_pack_7e3(c[0]) | soft_pack_7e3(c[1]) << 10 | soft_pack_7e3(c[2]) << 20 |
                  soft_pack_fraction(c[3], 3.0f) << 30;
        break;
    case XENOS_COLOR_16_16:
    case XENOS_COLOR_16_16_16_16:
        word[0] = soft_pack_signed(c[0], 32.0f, 32767.0f / 32.0f) |
                  soft_pack_signed(c[1], 32.0f, 32767.0f / 32.0f) << 16;
        if (format == XENOS_COLOR_16_16_16_16) {
            word[1] = soft_pack_signed(c[2], 32.0f, 32767.0f / 32.0f) |
                      soft_pack_signed(c[3], 32.0f, 32767.0f / 32.0f) << 16;
        }
        break;
    case XENOS_COLOR_16_16_FLOAT:
    case XENOS_COLOR_16_16_16_16_FLOAT:
        word[0] = soft_pack_half(c[0]) | soft_pack_half(c[1]) << 16;
        if (format == XENOS_COLOR_16_16_16_16_FLOAT) {
            word[1] = soft_pack_half(c[2]) | soft_pack_half(c[3]) << 16;
        }
        break;
    case XENOS_COLOR_32_32_FLOAT:
        word[1] = (part_u)c[1];
        word[0] = (part_u)c[0];
        break;
    default:
        word[0] = (part_u)c[0];
        break;
    }
}

SOFT_INLINE void soft_color_unpack(uint32_t format, const part_u word[2], part_f c[4])
{
    part_u low = word[0];
    c[1] = part_number(0.0f);
    c[2] = part_number(0.0f);
    c[3] = part_number(1.0f);
    switch (format) {
    case XENOS_COLOR_8_8_8_8:
        c[0] = part_to_float(low & 255u) / 255.0f;
        c[1] = part_to_float(low >> 8 & 255u) / 255.0f;
        c[2] = part_to_float(low >> 16 & 255u) / 255.0f;
        c[3] = part_to_float(low >> 24) / 255.0f;
        break;
    case XENOS_COLOR_8_8_8_8_GAMMA:
        c[0] = soft_unpack_gamma(low & 255u);
        c[1] = soft_unpack_gamma(low >> 8 & 255u);
        c[2] = soft_unpack_gamma(low >> 16 & 255u);
        c[3] = part_to_float(low >> 24) / 255.0f;
        break;
    case XENOS_COLOR_2_10_10_10:
        c[0] = part_to_float(low & 1023u) / 1023.0f;
        c[1] = part_to_float(low >> 10 & 1023u) / 1023.0f;
        c[2] = part_to_float(low >> 20 & 1023u) / 1023.0f;
        c[3] = part_to_float(low >> 30) / 3.0f;
        break;
    case XENOS_COLOR_2_10_10_10_FLOAT:
        c[0] = soft_grow(low & 1023u, 124, 7);
        c[1] = soft_grow(low >> 10 & 1023u, 124, 7);
        c[2] = soft_grow(low >> 20 & 1023u, 124, 7);
        c[3] = part_to_float(low >> 30) / 3.0f;
        break;
    case XENOS_COLOR_16_16_16_16:
        c[2] = soft_unpack_signed(word[1], 0);
        c[3] = soft_unpack_signed(word[1], 16);
        c[0] = soft_unpack_signed(low, 0);
        c[1] = soft_unpack_signed(low, 16);
        break;
    case XENOS_COLOR_16_16:
        c[0] = soft_unpack_signed(low, 0);
        c[1] = soft_unpack_signed(low, 16);
        break;
    case XENOS_COLOR_16_16_16_16_FLOAT:
        c[2] = soft_unpack_half(word[1]);
        c[3] = soft_unpack_half(word[1] >> 16);
        c[0] = soft_unpack_half(low);
        c[1] = soft_unpack_half(low >> 16);
        break;
    case XENOS_COLOR_16_16_FLOAT:
        c[0] = soft_unpack_half(low);
        c[1] = soft_unpack_half(low >> 16);
        break;
    case XENOS_COLOR_32_32_FLOAT:
        c[1] = (part_f)word[1];
        c[0] = (part_f)low;
        break;
    default:
        c[0] = (part_f)low;
        break;
    }
}

#endif
