/* Helpers for tests of textures: memory, fetch constants field by field, and single fetches. */
#ifndef TEST_TEXELS_H
#define TEST_TEXELS_H

#include <stdlib.h>
#include <string.h>

#include "soft/texture_image.h"

#define TEXELS_MEMORY (1u << 20)
#define TEXELS_BASE   0x10000u
#define TEXELS_MIPS   0x40000u
#define SWIZZLE_XYZW  0x688u /* w z y x in octal: 3 2 1 0 */

/* The fields that tests set; zeros elsewhere are the console's zeros. Sizes are in texels. */
typedef struct texels_constant {
    uint32_t format, endian, dimension, width, height, depth;
    uint32_t pitch; /* texels / 32 */
    uint32_t tiled, stacked, packed, base, mips;
    uint32_t signs, clamp[3], integer, swizzle, exponent;
    uint32_t mag, min, mip, aniso, vol_mag, vol_min;
    uint32_t min_level, max_level, bias, adjust_h, adjust_v;
    uint32_t border, force_w;
} texels_constant;

/* A texture of `format` with level 0 alone, at TEXELS_BASE. */
static inline texels_constant texels_plain(uint32_t format, uint32_t width, uint32_t height)
{
    texels_constant c = {.format = format,
                         .dimension = XENOS_TEXTURE_2D,
                         .width = width,
                         .height = height,
                         .depth = 1,
                         .pitch = (width + 31) / 32,
                         .base = TEXELS_BASE,
                         .swizzle = SWIZZLE_XYZW};
    return c;
}

static inline void texels_pack(const texels_constant *c, uint32_t fetch[6])
{
    fetch[0] = 2 | c->signs << 2 | c->clamp[0] << 10 | c->clamp[1] << 13 | c->clamp[2] << 16 |
               c->pitch << 22 | c->tiled << 31;
    fetch[1] = c->format | c->endian << 6 | c->stacked << 10 | c->base;
    fetch[2] = c->dimension == XENOS_TEXTURE_1D ? c->width - 1
               : c->dimension == XENOS_TEXTURE_3D
                   ? (c->width - 1) | (c->height - 1) << 11 | (c->depth - 1) << 22
                   : (c->width - 1) | (c->height - 1) << 13 | (c->depth - 1) << 26;
    fetch[3] = c->integer | c->swizzle << 1 | (c->exponent & 63) << 13 | c->mag << 19 |
               c->min << 21 | c->mip << 23 | c->aniso << 25;
    fetch[4] = c->vol_mag | c->vol_min << 1 | c->min_level << 2 | c->max_level << 6 |
               (c->bias & 0x3FF) << 12 | (c->adjust_h & 31) << 22 | (c->adjust_v & 31) << 27;
    fetch[5] = c->border | c->force_w << 2 | c->dimension << 9 | c->packed << 11 | c->mips;
}

typedef struct texels {
    xenos_memory memory;
    soft_textures *textures;
} texels;

static inline void texels_open(texels *t)
{
    memset(t, 0, sizeof *t);
    t->memory.size = TEXELS_MEMORY;
    t->memory.bytes = calloc(1, TEXELS_MEMORY);
    t->textures = soft_textures_new(&t->memory);
}

static inline void texels_close(texels *t)
{
    soft_textures_free(t->textures);
    free(t->memory.bytes);
}

static inline const soft_texture *texels_prepare(texels *t, const texels_constant *c)
{
    uint32_t fetch[6];
    texels_pack(c, fetch);
    return soft_textures_prepare(t->textures, fetch);
}

/* A fetch that takes everything from the constant. */
static inline xenos_fetch texels_fetch(uint32_t dimension)
{
    xenos_fetch f = {.opcode = XENOS_FETCH_TEXTURE,
                     .dimension = (uint8_t)dimension,
                     .mag_filter = XENOS_FILTER_CONSTANT,
                     .min_filter = XENOS_FILTER_CONSTANT,
                     .mip_filter = XENOS_FILTER_CONSTANT,
                     .aniso_filter = XENOS_ANISO_CONSTANT,
                     .vol_mag_filter = XENOS_FILTER_CONSTANT,
                     .vol_min_filter = XENOS_FILTER_CONSTANT,
                     .computed_lod = 1};
    return f;
}

/* One fetch with the same coordinates in all lanes, so that gradients are 0. */
static inline void texels_at(const soft_texture *texture, const xenos_fetch *f, float x, float y,
                             float z, float out[4])
{
    soft_fetch_state state;
    memset(&state, 0, sizeof state);
    soft_f coordinate[3] = {soft_splat(x), soft_splat(y), soft_splat(z)};
    soft_vec4 result;
    soft_texture_fetch(texture, f, &state, coordinate, SOFT_ALL, &result);
    for (int i = 0; i < 4; i++) {
        out[i] = result.c[i][5];
    }
}

/* The texel (x, y) of a plain texture, by an unnormalised point fetch. */
static inline void texels_read(texels *t, const texels_constant *c, uint32_t x, uint32_t y,
                               float out[4])
{
    xenos_fetch f = texels_fetch(XENOS_DIMENSION_2D);
    f.unnormalized = 1;
    texels_at(texels_prepare(t, c), &f, (float)x + 0.5f, (float)y + 0.5f, 0, out);
}

/* Little-endian dwords at an address. */
static inline void texels_put(texels *t, uint32_t at, const uint32_t *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (int b = 0; b < 4; b++) {
            t->memory.bytes[at + i * 4 + (size_t)b] = (uint8_t)(words[i] >> (8 * b));
        }
    }
}

#endif
