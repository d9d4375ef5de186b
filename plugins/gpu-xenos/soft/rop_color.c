/* Blending and writing colours: one function per target, chosen when a draw begins.
 *
 * Sources: xenia src/xenia/gpu/spirv_shader_translator_rb.cc (CompleteFragmentShaderInMain and the
 * FSI_ functions): the source is scaled by the exponent bias; fixed-point targets clamp source,
 * constant and both products to their range; a factor of 0 makes the term 0 whatever it would
 * multiply; minimum and maximum take no factors; the exponent bias is not taken off the target's
 * colour. Microsoft, "Xbox 360 Surface Formats": targets of 16 and 32 bit floats do not blend. All
 * is single precision, each operation rounded; the console's own precision is not documented. */
#include "color.h"
#include "rop.h"
#include "rop_state.h"

typedef struct blend_inputs {
    const part_f *source, *target;
    const float *constant;
    float range; /* 32 for 16_16 and 16_16_16_16: terms are clamped to it; else 0 */
} blend_inputs;

/* value * factor for component c. */
SOFT_INLINE part_f term(const blend_inputs *in, uint32_t factor, uint32_t c, part_f value)
{
    part_f by;
    switch (factor >= SOFT_FACTOR_SATURATE ? factor : factor & ~1u) {
    case SOFT_FACTOR_SOURCE_COLOR:
        by = in->source[c];
        break;
    case SOFT_FACTOR_SOURCE_ALPHA:
        by = in->source[3];
        break;
    case SOFT_FACTOR_TARGET_COLOR:
        by = in->target[c];
        break;
    case SOFT_FACTOR_TARGET_ALPHA:
        by = in->target[3];
        break;
    case SOFT_FACTOR_CONSTANT_COLOR:
        by = part_number(in->constant[c]);
        break;
    case SOFT_FACTOR_CONSTANT_ALPHA:
        by = part_number(in->constant[3]);
        break;
    case SOFT_FACTOR_SATURATE: {
        if (c == 3) {
            return value;
        }
        part_f left = 1.0f - in->target[3];
        by = part_select(in->source[3] < left, in->source[3], left);
        break;
    }
    default:
        return factor == SOFT_FACTOR_ZERO ? part_number(0.0f) : value;
    }
    if (factor < SOFT_FACTOR_SATURATE && (factor & 1)) {
        by = 1.0f - by;
    }
    part_f product = value * by;
    return in->range > 0.0f ? soft_clamp_signed(product, in->range) : product;
}

/* One component; `control` has source factor 4:0, operation 7:5, target factor 12:8. */
SOFT_INLINE part_f blend(const blend_inputs *in, uint32_t control, uint32_t c)
{
    part_f source = in->source[c];
    part_f target = in->target[c];
    uint32_t operation = control >> 5 & 7;
    if (operation == SOFT_BLEND_MIN) {
        return part_select(source < target, source, target);
    }
    if (operation == SOFT_BLEND_MAX) {
        return part_select(source > target, source, target);
    }
    part_f a = term(in, control & 31, c, source);
    part_f b = term(in, control >> 8 & 31, c, target);
    switch (operation) {
    case SOFT_BLEND_SUBTRACT:
        return a - b;
    case SOFT_BLEND_REVERSE:
        return b - a;
    default:
        return a + b;
    }
}

/* The same where the control is known only at run time: one copy for all formats. */
static __attribute__((noinline)) void blend_any(const blend_inputs *in, uint32_t control,
                                                uint32_t c, part_f *result)
{
    *result = blend(in, control, c);
}

SOFT_INLINE void scale_source(const soft_color_target *target, const soft_vec4 *color, uint32_t n,
                              part_f out[4])
{
    for (uint32_t c = 0; c < 4; c++) {
        part_f value = part_of(&color->c[c], n);
        out[c] = value;
        if (target->scaled) {
            out[c] = value * target->scale;
        }
    }
}

/* Writes words to the covered lanes of a part. `old`: what is there, or NULL. */
SOFT_INLINE void merge(const soft_color_target *target, const soft_block *block, uint32_t stride,
                       uint32_t wide, uint32_t sample, uint32_t n, soft_mask coverage,
                       const part_u *old, const part_u *word)
{
    for (uint32_t w = 0; w <= wide; w++) {
        uint32_t pick = (sample >> 1 << wide) + w;
        part_u value = word[w];
        if (coverage != SOFT_ALL || target->keep[w] != 0) {
            part_u there = old ? old[w] : soft_block_load(block, stride, sample & 1, pick, n);
            part_u change = (part_u)part_expand(coverage, n) & ~target->keep[w];
            value = (value & change) | (there & ~change);
        }
        soft_block_store(block, stride, sample & 1, pick, n, value);
    }
}

SOFT_INLINE void write_plain(const soft_color_target *target, const soft_block *block,
                             const soft_vec4 *color, const soft_mask coverage[4], uint32_t format,
                             uint32_t stride, uint32_t wide)
{
    for (uint32_t n = 0; n < SOFT_PARTS; n++) {
        part_f source[4];
        part_u word[2];
        scale_source(target, color, n, source);
        soft_color_pack(format, source, word);
        for (uint32_t s = 0; s < target->samples; s++) {
            if (coverage[s] != 0) {
                merge(target, block, stride, wide, s, n, coverage[s], NULL, word);
            }
        }
    }
}

SOFT_INLINE void blend_part(const soft_color_target *target, const soft_block *block,
                            part_f source[4], const soft_mask coverage[4], uint32_t format,
                            uint32_t stride, uint32_t wide, uint32_t control, uint32_t n)
{
    int wide_range = format == XENOS_COLOR_16_16 || format == XENOS_COLOR_16_16_16_16;
    for (uint32_t c = 0; c < 4; c++) {
        if (wide_range) {
            source[c] = soft_clamp_signed(source[c], 32.0f);
        } else if (format != XENOS_COLOR_2_10_10_10_FLOAT || c == 3) {
            source[c] = soft_clamp_positive(source[c], 1.0f);
        }
    }
    for (uint32_t s = 0; s < target->samples; s++) {
        if (coverage[s] == 0) {
            continue;
        }
        part_u old[2], word[2];
        part_f there[4], result[4];
        for (uint32_t w = 0; w <= wide; w++) {
            old[w] = soft_block_load(block, stride, s & 1, (s >> 1 << wide) + w, n);
        }
        soft_color_unpack(format, old, there);
        blend_inputs in = {source, there, target->constant, wide_range ? 32.0f : 0.0f};
        for (uint32_t c = 0; c < 4; c++) {
            uint32_t half = c < 3 ? control : control >> 16;
            if (__builtin_constant_p(control)) {
                result[c] = blend(&in, half, c);
            } else {
                blend_any(&in, half, c, &result[c]);
            }
        }
        soft_color_pack(format, result, word);
        merge(target, block, stride, wide, s, n, coverage[s], old, word);
    }
}

SOFT_INLINE void write_blended(const soft_color_target *target, const soft_block *block,
                               const soft_vec4 *color, const soft_mask coverage[4], uint32_t format,
                               uint32_t stride, uint32_t wide, uint32_t control)
{
    for (uint32_t n = 0; n < SOFT_PARTS; n++) {
        part_f source[4];
        scale_source(target, color, n, source);
        blend_part(target, block, source, coverage, format, stride, wide, control, n);
    }
}

/* ---- the functions ---- */

#define PLAIN(name, format, wide)                                                                  \
    static void name(const soft_color_target *target, const soft_block *block,                     \
                     const soft_vec4 *color, const soft_mask coverage[4])                          \
    {                                                                                              \
        write_plain(target, block, color, coverage, format, block->stride, wide);                  \
    }

PLAIN(plain_8888, XENOS_COLOR_8_8_8_8, 0)
PLAIN(plain_gamma, XENOS_COLOR_8_8_8_8_GAMMA, 0)
PLAIN(plain_1010102, XENOS_COLOR_2_10_10_10, 0)
PLAIN(plain_7e3, XENOS_COLOR_2_10_10_10_FLOAT, 0)
PLAIN(plain_16_16, XENOS_COLOR_16_16, 0)
PLAIN(plain_16_16_16_16, XENOS_COLOR_16_16_16_16, 1)
PLAIN(plain_half2, XENOS_COLOR_16_16_FLOAT, 0)
PLAIN(plain_half4, XENOS_COLOR_16_16_16_16_FLOAT, 1)
PLAIN(plain_float, XENOS_COLOR_32_FLOAT, 0)
PLAIN(plain_float2, XENOS_COLOR_32_32_FLOAT, 1)

/* Rows of a tile and no second sample across: what is drawn most. */
#define FAST(name, body)                                                                           \
    static void name(const soft_color_target *target, const soft_block *block,                     \
                     const soft_vec4 *color, const soft_mask coverage[4])                          \
    {                                                                                              \
        body;                                                                                      \
    }
#define FAST_BLEND(name, control)                                                                  \
    FAST(name, write_blended(target, block, color, coverage, XENOS_COLOR_8_8_8_8, 1, 0, control))

FAST(fast_8888, write_plain(target, block, color, coverage, XENOS_COLOR_8_8_8_8, 1, 0))
FAST_BLEND(fast_alpha, 0x07060706)         /* source alpha, 1 - source alpha */
FAST_BLEND(fast_premultiplied, 0x07010701) /* 1, 1 - source alpha */
FAST_BLEND(fast_add, 0x01010101)           /* 1, 1 */
FAST_BLEND(fast_add_alpha, 0x01060106)     /* source alpha, 1 */
FAST_BLEND(fast_modulate, 0x00080008)      /* target colour, 0 */

#define BLENDED(name, format, wide)                                                                \
    static void name(const soft_color_target *target, const soft_block *block,                     \
                     const soft_vec4 *color, const soft_mask coverage[4])                          \
    {                                                                                              \
        write_blended(target, block, color, coverage, format, block->stride, wide,                 \
                      target->control);                                                            \
    }

BLENDED(blend_8888, XENOS_COLOR_8_8_8_8, 0)
BLENDED(blend_gamma, XENOS_COLOR_8_8_8_8_GAMMA, 0)
BLENDED(blend_1010102, XENOS_COLOR_2_10_10_10, 0)
BLENDED(blend_7e3, XENOS_COLOR_2_10_10_10_FLOAT, 0)
BLENDED(blend_16_16, XENOS_COLOR_16_16, 0)
BLENDED(blend_16_16_16_16, XENOS_COLOR_16_16_16_16, 1)

static soft_color_write *const plain_writes[16] = {
    plain_8888,  plain_gamma, plain_1010102, plain_7e3,    plain_16_16, plain_16_16_16_16,
    plain_half2, plain_half4, NULL,          NULL,         NULL,        NULL,
    NULL,        NULL,        plain_float,   plain_float2,
};

static soft_color_write *const blended_writes[8] = {
    blend_8888, blend_gamma, blend_1010102, blend_7e3, blend_16_16, blend_16_16_16_16, NULL, NULL,
};

static const struct {
    uint32_t control;
    soft_color_write *write;
} fast_blends[] = {
    {0x07060706, fast_alpha},     {0x07010701, fast_premultiplied}, {0x01010101, fast_add},
    {0x01060106, fast_add_alpha}, {0x00080008, fast_modulate},
};

#define BLEND_FIELDS 0x1FFF1FFFu

soft_color_write *soft_color_choose(const soft_color_target *target)
{
    uint32_t control = target->control & BLEND_FIELDS;
    int fast = target->format == XENOS_COLOR_8_8_8_8 && target->place.x_log2 == 0;
    if (control == SOFT_BLEND_OFF) {
        return fast ? fast_8888 : plain_writes[target->format];
    }
    if (fast) {
        for (size_t i = 0; i < sizeof fast_blends / sizeof fast_blends[0]; i++) {
            if (fast_blends[i].control == control) {
                return fast_blends[i].write;
            }
        }
    }
    return blended_writes[target->format];
}

void soft_rop_color(const soft_rop *rop, const soft_fragment *fragment, uint64_t exported)
{
    for (uint32_t i = 0; i < rop->target_count; i++) {
        const soft_color_target *target = &rop->target[i];
        if (exported >> target->index & 1) {
            soft_block block = soft_block_at(rop->edram, &target->place, fragment->x, fragment->y);
            target->write(target, &block, &fragment->color[target->index], fragment->coverage);
        }
    }
}
