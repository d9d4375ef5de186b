#include "pictures.h"

u32 picture_color(u32 n)
{
    return 0xFF000000u | (n & 1 ? 0xFF0000u : 0) | (n & 2 ? 0xFF00u : 0) | (n & 4 ? 0xFFu : 0);
}

/* The same of five, six and five bits. */
static u16 color_565(u32 n)
{
    return (u16)((n & 1 ? 0xF800 : 0) | (n & 2 ? 0x07E0 : 0) | (n & 4 ? 0x001F : 0));
}

static void fill_mipped(const gpu_texture *t)
{
    for (u32 level = 0; level < t->levels; level++) {
        u32 side = t->width >> level;
        for (u32 y = 0; y < side; y += 4) {
            for (u32 x = 0; x < side; x += 4) {
                u16 *block = gpu_texel(t, level, x, y, 0); /* indices 0: the first colour */
                block[0] = color_565(level + 1);
            }
        }
    }
}

static void fill(const gpu_texture *t, u32 layers)
{
    for (u32 z = 0; z < layers; z++) {
        for (u32 i = 0; i < t->width * t->height; i++) {
            u32 *texel = gpu_texel(t, 0, i % t->width, i / t->width, z);
            *texel = picture_color(z + 1);
        }
    }
}

static void fill_alpha(const gpu_texture *t)
{
    for (u32 i = 0; i < t->width * t->height; i++) {
        u32 *texel = gpu_texel(t, 0, i % t->width, i / t->width, 0);
        *texel = (i % t->width * 8) << 24 | 0xFFFFFF;
    }
}

bool pictures_make(pictures *p, u32 width, u32 height)
{
    p->mipped = (gpu_texture){.width = MIPPED_SIZE,
                              .height = MIPPED_SIZE,
                              .levels = MIPPED_LEVELS,
                              .format = GPU_TEXTURE_DXT1};
    p->cube = (gpu_texture){.width = FACE_SIZE,
                            .height = FACE_SIZE,
                            .levels = 1,
                            .format = GPU_TEXTURE_8_8_8_8,
                            .kind = GPU_CUBE};
    p->volume = (gpu_texture){.width = FACE_SIZE,
                              .height = FACE_SIZE,
                              .levels = 1,
                              .format = GPU_TEXTURE_8_8_8_8,
                              .kind = GPU_3D,
                              .depth = SLICES};
    p->alpha = (gpu_texture){
        .width = ALPHA_SIZE, .height = ALPHA_SIZE, .levels = 1, .format = GPU_TEXTURE_8_8_8_8};
    p->seen =
        (gpu_texture){.width = width, .height = height, .levels = 1, .format = GPU_TEXTURE_8_8_8_8};
    if (!gpu_texture_make(&p->mipped) || !gpu_texture_make(&p->cube) ||
        !gpu_texture_make(&p->volume) || !gpu_texture_make(&p->alpha) ||
        !gpu_texture_make(&p->seen)) {
        return false;
    }
    fill_mipped(&p->mipped);
    fill(&p->cube, FACES);
    fill(&p->volume, SLICES);
    fill_alpha(&p->alpha);
    return true;
}
