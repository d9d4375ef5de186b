#include "vertex_format.h"

#include "part.h"

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

/* Fields of `width` bits in the low bits. */
static part_f fixed(const xenos_fetch *fetch, part_u field, uint32_t width)
{
    double maximum = (double)((UINT64_C(1) << width) - 1u);
    if (!fetch->is_signed) {
        part_d value = width < 32 ? PART_WIDEN((part_i)field) : PART_WIDEN(field);
        return __builtin_convertvector(fetch->integer ? value : value / maximum, part_f);
    }
    part_i extended = (part_i)(field << (32 - width)) >> (32 - width);
    part_d value = PART_WIDEN(extended);
    if (fetch->integer) {
        return __builtin_convertvector(value, part_f);
    }
    if (fetch->zero_clamp_minus_one_free) { /* no zero: steps lie symmetric about it */
        return __builtin_convertvector((2.0 * value + 1.0) / maximum, part_f);
    }
    part_f result = __builtin_convertvector(value / ((maximum - 1.0) / 2.0), part_f);
    return part_select(result < -1.0f, (part_f){0} - 1.0f, result);
}

static part_f half(part_u field)
{
    part_u magnitude = ((field & 0x7FFFu) << 13) + 0x38000000u;
    part_u normal = (part_u)((field & 0x7C00u) != 0u);
    return (part_f)((field & 0x8000u) << 16 | (magnitude & normal));
}

void soft_vertex_unpack(const xenos_fetch *fetch, const uint32_t data[4][SOFT_LANES],
                        soft_vec4 *out)
{
    const struct vertex_row *row = &rows[fetch->format & 63u];
    part_f scale = part_splat((uint32_t)(127 + fetch->exponent) << 23);
    uint32_t at = 0;
    for (uint32_t c = 0; c < 4; c++) {
        uint32_t width = row->width[c];
        if (width == 0) {
            out->c[c] = (soft_f){0};
            continue;
        }
        for (int i = 0; i < SOFT_PARTS; i++) {
            part_u field = ((const part_u *)data[at >> 5])[i] >> (at & 31u);
            field &= UINT32_MAX >> (32u - width);
            part_f value = row->kind == KIND_FIXED  ? fixed(fetch, field, width)
                           : row->kind == KIND_HALF ? half(field)
                                                    : (part_f)field;
            ((part_f *)&out->c[c])[i] =
                fetch->exponent != 0 ? part_settle(value * scale) : part_flush(value);
        }
        at += width;
    }
}
