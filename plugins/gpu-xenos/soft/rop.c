#include "rop.h"

#include "../registers.h"
#include "../state.h"
#include "rop_state.h"

size_t soft_rop_size(void)
{
    return sizeof(soft_rop);
}

int soft_rop_early(const soft_rop *rop)
{
    return (int)rop->early;
}

uint32_t soft_rop_samples(const soft_rop *rop)
{
    return rop->samples;
}

uint32_t soft_rop_pitch(const soft_rop *rop)
{
    return rop->width;
}

/* ---- RB_DEPTHCONTROL ---- */

static void prepare_stencil(soft_stencil *out, uint32_t control, uint32_t shift, uint32_t masks)
{
    *out = (soft_stencil){
        .function = xenos_bits(control, shift, 3),
        .operation = {xenos_bits(control, shift + 3, 3), xenos_bits(control, shift + 9, 3),
                      xenos_bits(control, shift + 6, 3)},
        .reference = xenos_bits(masks, 0, 8),
        .read_mask = xenos_bits(masks, 8, 8),
        .write_mask = xenos_bits(masks, 16, 8),
    };
}

static void prepare_depth(soft_rop *rop, const uint32_t *registers)
{
    uint32_t control = registers[XENOS_RB_DEPTHCONTROL];
    uint32_t test = xenos_bits(control, 1, 1);
    xenos_target_depth(&rop->depth, registers);
    rop->depth_float = xenos_bits(registers[XENOS_RB_DEPTH_INFO], 16, 1);
    rop->depth_function = test ? xenos_bits(control, 4, 3) : XENOS_ALWAYS;
    rop->depth_write = test && xenos_bits(control, 2, 1);
    rop->stencil_used = xenos_bits(control, 0, 1);
    rop->depth_used = rop->stencil_used || rop->depth_write || rop->depth_function != XENOS_ALWAYS;
    prepare_stencil(&rop->stencil[0], control, 8, registers[XENOS_RB_STENCILREFMASK]);
    rop->stencil[1] = rop->stencil[0];
    if (xenos_bits(control, 7, 1)) {
        prepare_stencil(&rop->stencil[1], control, 20, registers[XENOS_RB_STENCILREFMASK_BF]);
    }
}

/* ---- RB_COLORCONTROL ---- */

/* The alpha from which on a sample is covered: base - offset / 4 / samples, the offset by the pixel's
 * place in its quad (xenia registers.h, RB_COLORCONTROL; dxbc_shader_translator_om.cc,
 * CompletePixelShader_AlphaToMask). */
static void prepare_alpha(soft_rop *rop, const uint32_t *registers)
{
    static const float base[3][4] = {{1.0f}, {0.5f, 1.0f}, {0.75f, 0.25f, 0.5f, 1.0f}};
    uint32_t control = registers[XENOS_RB_COLORCONTROL];
    rop->alpha_function = xenos_bits(control, 3, 1) ? xenos_bits(control, 0, 3) : XENOS_ALWAYS;
    rop->alpha_reference = xenos_float(registers[XENOS_RB_ALPHA_REF]);
    rop->to_mask = xenos_bits(control, 4, 1);
    for (uint32_t s = 0; s < rop->samples; s++) {
        for (uint32_t lane = 0; lane < SOFT_LANES; lane++) {
            uint32_t place = (lane & 1) << 1 | (lane >> 1 & 1); /* x is the high bit */
            float offset = (float)xenos_bits(control, 24 + 2 * place, 2);
            rop->threshold[s][lane] =
                base[rop->samples >> 1][s] - offset * (0.25f / (float)rop->samples);
        }
    }
}

/* ---- RB_COLOR_INFO and RB_BLENDCONTROL ---- */

static float clamped(float value, float low, float high)
{
    if (value != value) {
        return 0.0f;
    }
    return value < low ? low : value > high ? high : value;
}

/* Bits of both dwords whose component is not in `mask`. */
static void keep_bits(const xenos_color_format *format, uint32_t mask, uint32_t keep[2])
{
    uint32_t bit = 0;
    keep[0] = 0;
    keep[1] = 0;
    for (uint32_t c = 0; c < format->components; c++) {
        if (!(mask >> c & 1)) {
            keep[bit >> 5] |= xenos_bits(UINT32_MAX, 0, format->width[c]) << (bit & 31);
        }
        bit += format->width[c];
    }
}

static void prepare_target(soft_rop *rop, const uint32_t *registers, uint32_t index, uint32_t mask)
{
    static const uint16_t info_number[4] = {XENOS_RB_COLOR_INFO, XENOS_RB_COLOR1_INFO,
                                            XENOS_RB_COLOR2_INFO, XENOS_RB_COLOR3_INFO};
    static const uint16_t blend_number[4] = {XENOS_RB_BLENDCONTROL0, XENOS_RB_BLENDCONTROL1,
                                             XENOS_RB_BLENDCONTROL2, XENOS_RB_BLENDCONTROL3};
    uint32_t info = registers[info_number[index]];
    const xenos_color_format *format = xenos_color_format_of(xenos_bits(info, 16, 4));
    mask &= (1u << format->components) - 1;
    if (format->name == NULL || mask == 0) {
        return;
    }
    soft_color_target *target = &rop->target[rop->target_count++];
    int32_t bias = xenos_signed_bits(info, 20, 6);
    xenos_target_color(&target->place, registers, index);
    target->index = index;
    target->format = format->storage;
    target->control = format->blends ? registers[blend_number[index]] : SOFT_BLEND_OFF;
    target->samples = rop->samples;
    target->wide = format->wide;
    target->scaled = bias != 0;
    target->scale = xenos_float((uint32_t)(127 + bias) << 23);
    keep_bits(format, mask, target->keep);

    /* The same clamp as the source gets (xenia: the constant of a fixed-point target). */
    int fixed = format->storage != XENOS_COLOR_2_10_10_10_FLOAT;
    float high = format->storage == XENOS_COLOR_16_16 || format->storage == XENOS_COLOR_16_16_16_16
                     ? 32.0f
                     : 1.0f;
    float low = high > 1.0f ? -high : 0.0f;
    for (uint32_t c = 0; c < 4; c++) {
        float value = xenos_float(registers[XENOS_RB_BLEND_RED + c]);
        target->constant[c] = fixed || c == 3 ? clamped(value, low, high) : value;
    }
    target->write = soft_color_choose(target);
}

/* ---- aliasing ---- */

/* Tiles that rows 0..height of a target reach from its base. */
static uint32_t reach(const xenos_target *target, uint32_t height)
{
    uint32_t rows =
        ((height << target->y_log2) + XENOS_EDRAM_TILE_HEIGHT - 1) / XENOS_EDRAM_TILE_HEIGHT;
    return rows * target->pitch;
}

static int overlap(const xenos_target *a, const xenos_target *b, uint32_t height)
{
    if (a->base == b->base && a->wide == b->wide && a->swapped == b->swapped) {
        return 0; /* each pixel shares with itself alone */
    }
    uint32_t ahead = (b->base - a->base) % XENOS_EDRAM_TILES;
    uint32_t behind = (a->base - b->base) % XENOS_EDRAM_TILES;
    return ahead < reach(a, height) || behind < reach(b, height);
}

int soft_rop_aliases(const soft_rop *rop, uint32_t height)
{
    const xenos_target *used[5];
    uint32_t count = 0;
    height = (height + 3) & ~3u; /* blocks are read and written whole */
    if (rop->depth_used) {
        used[count++] = &rop->depth;
    }
    for (uint32_t i = 0; i < rop->target_count; i++) {
        used[count++] = &rop->target[i].place;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (reach(used[i], height) > XENOS_EDRAM_TILES) {
            return 1;
        }
        for (uint32_t j = 0; j < i; j++) {
            if (overlap(used[i], used[j], height)) {
                return 1;
            }
        }
    }
    return 0;
}

/* ---- all of it ---- */

void soft_rop_prepare(soft_rop *rop, const uint32_t *registers, const xenos_program *pixel,
                      uint8_t *edram)
{
    memset(rop, 0, sizeof *rop);
    rop->edram = edram;
    uint32_t mode = xenos_bits(registers[XENOS_RB_MODECONTROL], 0, 3);
    uint32_t log2 = xenos_bits(registers[XENOS_RB_SURFACE_INFO], 16, 2);
    uint64_t exports = pixel != NULL ? pixel->exports : 0;
    rop->samples = 1u << (log2 < 2 ? log2 : 2);
    rop->width = xenos_bits(registers[XENOS_RB_SURFACE_INFO], 0, 14);
    rop->alpha_function = XENOS_ALWAYS;
    rop->depth_function = XENOS_ALWAYS;
    if (mode == XENOS_MODE_COLOR_DEPTH || mode == XENOS_MODE_DEPTH) {
        prepare_depth(rop, registers);
    }
    if (mode == XENOS_MODE_COLOR_DEPTH) {
        /* A shader that writes no colour 0 has no alpha to test (xenia, GetNormalizedColorMask and
         * CompleteFragmentShaderInMain). */
        if (exports & 1) {
            prepare_alpha(rop, registers);
        }
        for (uint32_t i = 0; i < 4; i++) {
            if (exports >> i & 1) {
                prepare_target(rop, registers, i,
                               xenos_bits(registers[XENOS_RB_COLOR_MASK], 4 * i, 4));
            }
        }
    }
    rop->early = pixel == NULL ||
                 (!pixel->kills && !pixel->memory_export && !(exports >> XENOS_EXPORT_DEPTH & 1) &&
                  rop->alpha_function == XENOS_ALWAYS && !rop->to_mask);
}

/* ---- alpha ---- */

static soft_mask alpha_passes(uint32_t function, float reference, const soft_f *alpha)
{
    int32_t less = function & XENOS_LESS ? -1 : 0;
    int32_t equal = function & XENOS_EQUAL ? -1 : 0;
    int32_t greater = function & XENOS_GREATER ? -1 : 0;
    part_i pass[SOFT_PARTS];
    for (uint32_t n = 0; n < SOFT_PARTS; n++) {
        part_f a = part_of(alpha, n);
        if (function == XENOS_NOT_EQUAL) {
            pass[n] = a != reference; /* true for NaN, as less or greater are not */
        } else {
            pass[n] =
                ((a < reference) & less) | ((a == reference) & equal) | ((a > reference) & greater);
        }
    }
    return part_gather(pass);
}

void soft_rop_alpha(const soft_rop *rop, soft_fragment *fragment)
{
    const soft_f *alpha = &fragment->color[0].c[3];
    if (rop->alpha_function != XENOS_ALWAYS) {
        soft_mask mask = alpha_passes(rop->alpha_function, rop->alpha_reference, alpha);
        for (uint32_t s = 0; s < rop->samples; s++) {
            fragment->coverage[s] &= mask;
        }
    }
    if (rop->to_mask) {
        for (uint32_t s = 0; s < rop->samples; s++) {
            part_i pass[SOFT_PARTS];
            for (uint32_t n = 0; n < SOFT_PARTS; n++) {
                pass[n] = part_of(alpha, n) >= part_of(&rop->threshold[s], n);
            }
            fragment->coverage[s] &= part_gather(pass);
        }
    }
}
