/* Whole draws on the software back-end: registers, memory, shaders from listings, and the picture read
 * out of EDRAM. */
#ifndef TESTS_GPU_PICTURE_H
#define TESTS_GPU_PICTURE_H

#include <stdlib.h>
#include <string.h>

#include "draw.h"
#include "state.h"
#include "test.h"

#define PICTURE_WIDTH  320u
#define PICTURE_HEIGHT 180u
#define PICTURE_MEMORY (1u << 20)
#define PICTURE_DEPTH  256u /* tile where depth begins */

typedef struct picture {
    uint32_t registers[XENOS_REGISTER_COUNT];
    uint8_t bytes[PICTURE_MEMORY];
    xenos_memory memory;
    xenos_program *vertex, *pixel;
    void *soft;
    uint32_t used; /* of memory */
    uint64_t draws;
} picture;

static inline xenos_program *picture_program(const char *listing)
{
    char error[256] = "";
    uint32_t stage, dwords;
    uint32_t *words = xenos_assemble(listing, strlen(listing), &stage, &dwords, error);
    if (!words) {
        fail_msg("%s", error);
    }
    xenos_program *program = xenos_program_new(stage, words, dwords);
    free(words);
    assert_non_null(program);
    return program;
}

static inline void picture_nothing(void *context, uint32_t start, uint32_t length)
{
}

/* 320x180, colour 8_8_8_8 at tile 0, D24S8 behind it; positions in pixels, everything on but depth. */
static inline picture *picture_new(uint32_t threads)
{
    picture *p = calloc(1, sizeof *p);
    p->memory = (xenos_memory){
        .bytes = p->bytes,
        .size = PICTURE_MEMORY,
        .written = picture_nothing,
        .watch = picture_nothing,
    };
    uint32_t *r = p->registers;
    r[XENOS_RB_MODECONTROL] = XENOS_MODE_COLOR_DEPTH;
    r[XENOS_RB_SURFACE_INFO] = PICTURE_WIDTH;
    r[XENOS_RB_DEPTH_INFO] = PICTURE_DEPTH;
    r[XENOS_RB_COLOR_MASK] = 0xF;
    r[XENOS_RB_BLENDCONTROL0] = 0x00010001; /* ONE, ZERO */
    r[XENOS_RB_COLORCONTROL] = XENOS_ALWAYS;
    r[XENOS_PA_SC_WINDOW_SCISSOR_BR] = PICTURE_WIDTH | PICTURE_HEIGHT << 16;
    r[XENOS_PA_SC_SCREEN_SCISSOR_BR] = 8192 | 8192u << 16;
    r[XENOS_PA_CL_VTE_CNTL] = 0x700;
    r[XENOS_PA_CL_CLIP_CNTL] = 1u << 16;
    r[XENOS_PA_SU_VTX_CNTL] = 1 | 2 << 1;
    r[XENOS_PA_SU_SC_MODE_CNTL] = 1u << 15;
    r[XENOS_VGT_MAX_VTX_INDX] = 0xFFFFFF;
    r[XENOS_PA_SC_AA_MASK] = 0xFFFF;
    r[XENOS_SQ_INTERPOLATOR_CNTL] = 0xFFFFFFFF;
    r[XENOS_SQ_VS_CONST] = 255u << 12;
    r[XENOS_SQ_PS_CONST] = 255u << 12 | 256;
    p->soft = xenos_soft_backend.create(&p->memory, threads);
    assert_non_null(p->soft);
    return p;
}

static inline void picture_free(picture *p)
{
    xenos_soft_backend.destroy(p->soft);
    xenos_program_free(p->vertex);
    xenos_program_free(p->pixel);
    free(p);
}

static inline void picture_shaders(picture *p, const char *vertex, const char *pixel)
{
    if (p->vertex) {
        xenos_soft_backend.forget(p->soft, p->vertex);
    }
    if (p->pixel) {
        xenos_soft_backend.forget(p->soft, p->pixel);
    }
    xenos_program_free(p->vertex);
    xenos_program_free(p->pixel);
    p->vertex = picture_program(vertex);
    p->pixel = pixel ? picture_program(pixel) : NULL;
}

/* Floats as big-endian words behind what memory has already; vertex fetch constant 0 names them. */
static inline void picture_vertices(picture *p, const float *floats, uint32_t count)
{
    uint32_t address = p->used;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t bits = xenos_float_bits(floats[i]);
        uint8_t *to = p->bytes + address + 4 * i;
        to[0] = (uint8_t)(bits >> 24);
        to[1] = (uint8_t)(bits >> 16);
        to[2] = (uint8_t)(bits >> 8);
        to[3] = (uint8_t)bits;
    }
    /* Type 3; address; 8in32; dwords (xenia xenos.h, xe_gpu_vertex_fetch_t). */
    p->registers[XENOS_CONSTANT_FETCH] = address | 3;
    p->registers[XENOS_CONSTANT_FETCH + 1] = count << 2 | 2;
    p->used = (address + count * 4 + 63) & ~63u;
    if (p->used > PICTURE_MEMORY / 2) {
        p->used = 0;
    }
}

static inline void picture_draw(picture *p, uint32_t primitive, uint32_t count)
{
    xenos_draw draw = {
        .registers = p->registers,
        .vertex = p->vertex,
        .pixel = p->pixel,
        .number = p->draws++,
        .primitive = primitive,
        .source = XENOS_INDICES_AUTO,
        .count = count,
    };
    xenos_soft_backend.draw(p->soft, &draw);
}

/* A pixel of a 1x target of 32 bits: tiles of 80x16, rows of 320 bytes (xenia xenos.h, "The EDRAM is
 * an opaque block"). A depth target has the halves of its tiles swapped. */
static inline uint32_t picture_word(const picture *p, uint32_t tile, int is_depth, uint32_t x,
                                    uint32_t y)
{
    uint32_t column = (x % 80 + (is_depth ? 40 : 0)) % 80;
    const uint8_t *at = xenos_soft_backend.edram(p->soft) +
                        (tile + y / 16 * (PICTURE_WIDTH / 80) + x / 80) * 5120 + y % 16 * 320 +
                        column * 4;
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static inline uint32_t picture_color(const picture *p, uint32_t x, uint32_t y)
{
    return picture_word(p, 0, 0, x, y);
}

/* x y z w, then a colour. vf95 is the first constant: listings count from the end. */
#define PICTURE_VERTEX                                                                             \
    "xvs_3_0\nexec\n"                                                                              \
    "vfetch_full r1, r0.x, vf95, DataFormat=FMT_32_32_32_32_FLOAT, Stride=8\n"                     \
    "vfetch_mini r2, DataFormat=FMT_32_32_32_32_FLOAT, Offset=4\n"                                 \
    "alloc position\nexec\nmax oPos, r1, r1\n"                                                     \
    "alloc interpolators\nexece\nmax o0, r2, r2\n"
#define PICTURE_PIXEL "xps_3_0\nalloc colors\nexece\nmax oC0, r0, r0\n"

#endif
