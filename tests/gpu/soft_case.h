/* A draw's context without a draw: registers that pass vertices through as pixels, and a list of what
 * was covered. Its program defines soft_pixel_begin, soft_pixel_block and soft_rop_* itself, so that
 * geometry is tested without what follows it. */
#ifndef TESTS_GPU_SOFT_CASE_H
#define TESTS_GPU_SOFT_CASE_H

#include <stdlib.h>
#include <string.h>

#include "soft/soft.h"
#include "test.h"

#define CASE_WIDTH  256
#define CASE_HEIGHT 256

typedef struct soft_case {
    uint32_t registers[XENOS_REGISTER_COUNT];
    xenos_program vertex;
    xenos_draw draw;
    soft_context context;
    soft_worker *worker;
    soft_setup setup;
    soft_triangle triangles[1024];
    uint8_t *cuts;
} soft_case;

/* What the stand-ins for rop.c answer. */
static uint32_t case_samples = 1;
static uint8_t case_covered[4][CASE_HEIGHT][CASE_WIDTH];
static uint32_t case_outside; /* samples beyond the picture */

uint32_t soft_rop_samples(const soft_rop *rop)
{
    (void)rop;
    return case_samples;
}

uint32_t soft_rop_pitch(const soft_rop *rop)
{
    (void)rop;
    return 8192;
}

void soft_pixel_begin(const soft_context *c, soft_worker *worker, const soft_triangle *t)
{
    (void)c;
    worker->triangle = t;
}

void soft_pixel_block(const soft_context *c, soft_worker *worker, int32_t x, int32_t y,
                      const soft_mask coverage[4])
{
    (void)worker;
    for (uint32_t s = 0; s < c->samples; s++) {
        for (int lane = 0; lane < SOFT_LANES; lane++) {
            /* lanes.h: quads of 2x2 in a block of 4x4. */
            int px = x + (lane & 1) + (lane >> 2 & 1) * 2;
            int py = y + (lane >> 1 & 1) + (lane >> 3) * 2;
            if (coverage[s] >> lane & 1) {
                if (px < CASE_WIDTH && py < CASE_HEIGHT) {
                    case_covered[s][py][px]++;
                } else {
                    case_outside++;
                }
            }
        }
    }
}

static inline void case_clear(void)
{
    memset(case_covered, 0, sizeof case_covered);
    case_outside = 0;
}

/* Positions are pixels, divided, W is W; no clipping, no culling, 1/16 pixel to even, pixel centres at
 * .5, and a scissor as large as the picture. */
static inline soft_case *case_new(void)
{
    soft_case *c = calloc(1, sizeof *c);
    uint32_t *r = c->registers;
    r[XENOS_PA_CL_VTE_CNTL] = 0x700;
    r[XENOS_PA_CL_CLIP_CNTL] = 1u << 16;
    r[XENOS_PA_SU_VTX_CNTL] = 1 | 2 << 1;
    r[XENOS_PA_SC_WINDOW_SCISSOR_BR] = CASE_WIDTH | CASE_HEIGHT << 16;
    r[XENOS_PA_SC_SCREEN_SCISSOR_BR] = 8192 | 8192u << 16;
    r[XENOS_PA_SU_SC_MODE_CNTL] = 1u << 15;
    r[XENOS_VGT_MAX_VTX_INDX] = 0xFFFFFF;
    c->draw = (xenos_draw){.registers = r, .vertex = &c->vertex};
    c->worker = aligned_alloc(64, (sizeof(soft_worker) + 63) & ~(size_t)63);
    memset(c->worker, 0, sizeof *c->worker);
    c->cuts = malloc(4096 * sizeof(soft_vertex));
    return c;
}

static inline void case_free(soft_case *c)
{
    free(c->worker);
    free(c->cuts);
    free(c);
}

/* Sample positions as pixel.c documents them, in 1/16. */
static const int case_positions[5][4][2] = {
    [1] = {{8, 8}},
    [2] = {{4, 4}, {12, 12}},
    [4] = {{6, 2}, {2, 10}, {14, 6}, {10, 14}},
};

/* After the registers have been set. */
static inline void case_prepare(soft_case *c)
{
    memset(&c->context, 0, sizeof c->context);
    c->context.draw = &c->draw;
    c->context.samples = case_samples;
    for (uint32_t s = 0; s < case_samples; s++) {
        c->context.sample[s][0] = case_positions[case_samples][s][0];
        c->context.sample[s][1] = case_positions[case_samples][s][1];
        c->context.mask[s] = SOFT_ALL;
    }
    soft_setup_prepare(&c->context);
    soft_vertex_prepare(&c->context);
    c->setup = (soft_setup){
        .context = &c->context,
        .cuts = {.bytes = c->cuts, .limit = 4096},
        .triangle = c->triangles,
        .limit = 1024,
    };
}

static inline soft_vertex case_vertex(const soft_case *c, float x, float y, float z, float w)
{
    soft_vertex v = {.size = -1.0f};
    soft_vertex_position(&c->context, &v, (const float[]){x, y, z, w});
    return v;
}

/* Rasterises what has been set up. */
static inline void case_raster(soft_case *c)
{
    for (uint32_t i = 0; i < c->setup.triangles; i++) {
        for (int32_t y = 0; y < 512; y += (int32_t)SOFT_TILE) {
            for (int32_t x = 0; x < 512; x += (int32_t)SOFT_TILE) {
                soft_raster_tile(&c->context, c->worker, &c->triangles[i], x, y);
            }
        }
    }
    c->setup.triangles = 0;
    c->setup.cuts.used = 0;
}

static inline void case_shape(soft_case *c, uint32_t shape, const soft_vertex *a,
                              const soft_vertex *b, const soft_vertex *d)
{
    xenos_primitive p = {.shape = (uint8_t)shape, .edges = 7};
    soft_setup_primitive(&c->setup, &p, (const soft_vertex *[]){a, b, d});
}

static inline void case_triangle(soft_case *c, const float p[6])
{
    soft_vertex v[3];
    for (int i = 0; i < 3; i++) {
        v[i] = case_vertex(c, p[2 * i], p[2 * i + 1], 0.5f, 1.0f);
    }
    case_shape(c, XENOS_SHAPE_TRIANGLE, &v[0], &v[1], &v[2]);
    case_raster(c);
}

/* xorshift: the same numbers everywhere. */
static inline uint32_t case_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

#endif
