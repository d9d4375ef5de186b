/* Registers, EDRAM and a block of pixels, for the tests of the soft back-end's output side. */
#ifndef TESTS_GPU_ROP_FIXTURE_H
#define TESTS_GPU_ROP_FIXTURE_H

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "edram.h"
#include "soft/rop.h"
#include "state.h"

typedef struct rop_fixture {
    uint32_t *registers;
    uint8_t *edram;
    soft_rop *rop;
    soft_fragment *fragment;
    xenos_program pixel;
    xenos_counts counts;
    uint32_t seed;
} rop_fixture;

static inline void *fixture_alloc(size_t size)
{
    size = (size + 63) & ~(size_t)63;
    void *p = aligned_alloc(64, size);
    memset(p, 0, size);
    return p;
}

/* A colour-and-depth draw on a surface of 160 pixels, one sample, writing colour 0 as 8_8_8_8. */
static inline int fixture_setup(void **state)
{
    rop_fixture *f = calloc(1, sizeof *f);
    f->registers = fixture_alloc(XENOS_REGISTER_COUNT * 4);
    f->edram = fixture_alloc(XENOS_EDRAM_BYTES);
    f->rop = fixture_alloc(soft_rop_size());
    f->fragment = fixture_alloc(sizeof *f->fragment);
    f->pixel.exports = 1;
    f->seed = 1;
    f->registers[XENOS_RB_MODECONTROL] = XENOS_MODE_COLOR_DEPTH;
    f->registers[XENOS_RB_SURFACE_INFO] = 160;
    f->registers[XENOS_RB_COLOR_MASK] = 0xFFFF;
    for (int i = 0; i < 4; i++) {
        static const uint32_t blend[4] = {XENOS_RB_BLENDCONTROL0, XENOS_RB_BLENDCONTROL1,
                                          XENOS_RB_BLENDCONTROL2, XENOS_RB_BLENDCONTROL3};
        f->registers[blend[i]] = 0x00010001;
    }
    f->registers[XENOS_RB_DEPTH_INFO] = 1024;
    f->registers[XENOS_PA_SC_SCREEN_SCISSOR_BR] = 256 | 256 << 16;
    f->registers[XENOS_PA_SC_WINDOW_SCISSOR_BR] = 256 | 256 << 16;
    for (int s = 0; s < 4; s++) {
        f->fragment->coverage[s] = 0xFFFF;
    }
    *state = f;
    return 0;
}

static inline int fixture_teardown(void **state)
{
    rop_fixture *f = *state;
    free(f->registers);
    free(f->edram);
    free(f->rop);
    free(f->fragment);
    free(f);
    return 0;
}

#define ROP_TEST(function)                                                                         \
    cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)

static inline void fixture_prepare(rop_fixture *f)
{
    soft_rop_prepare(f->rop, f->registers, &f->pixel, f->edram);
}

/* Numbers without a pattern (xorshift). */
static inline uint32_t fixture_random(rop_fixture *f)
{
    f->seed ^= f->seed << 13;
    f->seed ^= f->seed >> 17;
    f->seed ^= f->seed << 5;
    return f->seed;
}

/* Pixel n of a block: rop.h, lanes.h. */
static inline uint32_t lane_x(uint32_t lane)
{
    return (lane & 1) | (lane >> 2 & 1) << 1;
}

static inline uint32_t lane_y(uint32_t lane)
{
    return (lane >> 1 & 1) | (lane >> 3 & 1) << 1;
}

/* Where dword `word` of a sample lies, written from xenia's description of EDRAM without tiles'
 * help: samples across and down, 80 by 16 dwords a tile, rows of tiles `tiles` apart. */
static inline uint8_t *sample_at(rop_fixture *f, uint32_t base, uint32_t msaa, int wide, int depth,
                                 uint32_t x, uint32_t y, uint32_t sample, uint32_t word)
{
    uint32_t width = f->registers[XENOS_RB_SURFACE_INFO] & 0x3FFF;
    uint32_t sx = msaa == 2 ? 2 * x + sample / 2 : x;
    uint32_t sy = msaa >= 1 ? 2 * y + sample % 2 : y;
    uint32_t tiles = ((msaa == 2 ? 2 * width : width) + 79) / 80 * (wide ? 2 : 1);
    uint32_t dx = wide ? 2 * sx + word : sx;
    uint32_t tile = (base + sy / 16 * tiles + dx / 80) % 2048;
    uint32_t column = dx % 80;
    column = depth ? (column + 40) % 80 : column;
    return f->edram + ((tile * 16 + sy % 16) * 80 + column) * 4;
}

static inline uint32_t read32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline void write32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++) {
        p[i] = (uint8_t)(v >> 8 * i);
    }
}

#endif
