/* The software back-end from the inside: what one draw's stages hand to each other.
 *
 * A draw goes through in chunks of a bounded number of primitives: indices -> vertices (sixteen at a
 * time, each index once a chunk) -> clip -> setup -> tiles of 64x64 pixels, each of which one worker
 * rasterises and shades, primitive after primitive. Tiles share no bytes of EDRAM, so which worker
 * takes which tile does not matter; where they might (soft_rop_aliases, memory export) one thread
 * takes primitive after primitive. */
#ifndef SOFT_SOFT_H
#define SOFT_SOFT_H

#include "../primitive.h"
#include "../state.h"
#include "exec.h"
#include "rop.h"
#include "texture.h"

#define SOFT_TILE_LOG2  6u
#define SOFT_TILE       (1u << SOFT_TILE_LOG2)
#define SOFT_GRID       256u /* tiles in each direction: the scissor's 14 bits */
#define SOFT_PRIMITIVES 2048u
#define SOFT_VERTICES   4096u /* of a chunk, from indices */
#define SOFT_CUT        2048u /* more, from clipping */
#define SOFT_TRIANGLES  4096u
#define SOFT_PATCH      512u   /* primitives of one patch at most */
#define SOFT_ONE        128u   /* cut vertices and triangles that one primitive makes at most */
#define SOFT_BLOCKS     73728u /* of bins, 13 triangles each; more than SOFT_GRID squared */
#define SOFT_SUB        16 /* sub-pixel steps of all coordinates, whatever they were rounded to */

/* What a draw may cost before the rest of it is left out, so that no packet hangs the host. It counts
 * in group.executed: an instruction for sixteen lanes is one, some nanoseconds; a texture fetch, a block of
 * 4x4 pixels and a tile that a triangle's box touches are COSTs. It is 230 screens of 1280x720 with 50
 * instructions a pixel, or 100 with two textures: more than a console fills in a frame. What is left
 * out depends on the draw alone: the triangles of a flush share what is left by the tiles they touch. */
#if !defined(SOFT_DRAW_LIMIT)
#define SOFT_DRAW_LIMIT (UINT64_C(1) << 30)
#endif
#define SOFT_BLOCK_COST 32u
#define SOFT_TILE_COST  32u

/* Screen coordinates beyond this are cut off, whether clipping is enabled or not: with it every edge
 * function fits 64 bits, and 32 within a tile. Pixels; the last three that a scissor can name are lost. */
#define SOFT_FAR 16380.0

/* A double per lane. */
typedef double soft_lanes_d[SOFT_LANES] __attribute__((aligned(64)));

/* A vertex after its shader. */
typedef struct soft_vertex {
    double clip[4]; /* W is W, X, Y and Z are not divided */
    double x, y, z; /* pixels from the window's corner; depth after the viewport */
    double inverse_w;
    float size;       /* points: diameter from the shader; below 0: none */
    uint16_t outside; /* bit per plane for trivial rejection */
    uint8_t inside;   /* of all planes, and within SOFT_FAR */
    uint8_t bad;      /* no position: its primitives are not drawn */
    uint8_t killed;
    float parameter[][4];
} soft_vertex;

/* What is rasterised: three or four edges. `edge`: c + dx x + dy y >= 0 inside, in sub-pixels, the
 * top-left rule in c. Weights of vertex 1 and 2 are the last and the first edge without the rule. */
typedef struct soft_triangle {
    int64_t c[4];
    int64_t weight_c[2];
    int32_t dx[4], dy[4];
    int32_t edges;
    int32_t x0, y0, x1, y1; /* pixels, within the scissor; x1 and y1 beyond the last */
    double area;
    double z, dz[2]; /* depth is z + weight 1 * dz[0] + weight 2 * dz[1] */
    double k[3];     /* 1/W of each vertex, or 1 */
    double least;    /* what the divisor of perspective is at least */
    const soft_vertex *v[3];
    const soft_vertex *flat; /* provoking */
    uint8_t perspective, back, point, line;
} soft_triangle;

typedef struct soft_interpolator {
    uint8_t reg;  /* r0..r15 */
    uint8_t slot; /* soft_vertex.parameter */
    uint8_t flat, centroid;
} soft_interpolator;

/* A draw's state, taken apart once; read-only for workers. */
typedef struct soft_context {
    const xenos_draw *draw;
    soft_stage vertex, pixel;
    const soft_rop *rop;

    /* vertices */
    uint32_t parameters; /* of a vertex */
    uint8_t parameter_export[16];
    uint64_t wraps; /* of each parameter's components, from bit 4 * parameter on: cylindrical */
    size_t stride;  /* of a vertex, bytes */
    uint32_t xy_divided, z_divided, w_direct;
    double scale[3], offset[3];
    double window[2]; /* added after the viewport */
    uint32_t clips, cull_only, dx_space, kill_any;
    double guard[2], discard[2];
    uint32_t planes;    /* user planes, bit each */
    double plane[6][4]; /* by number */

    /* setup */
    uint32_t mode;                 /* PA_SU_SC_MODE_CNTL */
    uint32_t step;                 /* vertices are rounded to 1 / 2^step pixels */
    uint32_t rounding;             /* PA_SU_VTX_CNTL.ROUND_MODE */
    int32_t center;                /* sub-pixels added after rounding */
    int32_t point[2], line;        /* half sizes, sub-pixels */
    int32_t start, end;            /* of lines: how far they reach beyond their ends, sub-pixels */
    float point_least, point_most; /* diameters, pixels */
    double slope[3], bias[3];      /* polygon offset: front, back, points and lines */
    int32_t x0, y0, x1, y1;        /* scissor */

    /* pixels */
    uint32_t shades, early, tests_depth, writes_color, kills, writes_depth;
    uint32_t samples;
    int32_t sample[4][2]; /* sub-pixels from the pixel's corner */
    soft_mask mask[4];    /* of each sample: the lanes where PA_SC_AA_MASK has it */
    uint32_t interpolators;
    soft_interpolator interpolator[16];
    int32_t generated; /* register of pixel parameters; -1: none */
    uint64_t color_exports;
    uint32_t clear;   /* pixel shader: registers that start at 0 */
    uint32_t ordered; /* primitive after primitive on one thread */
} soft_context;

/* What a worker writes to. */
typedef struct soft_worker {
    soft_group group;
    soft_fragment fragment;
    soft_lanes_d weight[2]; /* of a triangle at lanes' centres, from its block's corner */
    double shift[4][2];     /* the same weights from centre to sample */
    const soft_triangle *triangle;
    xenos_counts counts;
    int cut; /* it reached the limit of a job in this draw */
} soft_worker;

/* ---- workers.c ---- */

typedef struct soft_workers soft_workers;
typedef void (*soft_job)(void *context, soft_worker *worker, uint32_t item);
soft_workers *soft_workers_new(uint32_t threads); /* 0: one a core, 8 at most; NULL: no memory */
void soft_workers_free(soft_workers *workers);
/* Calls the job for items 0..items-1 and returns when all are done; `alone`: in order, here. */
void soft_workers_run(soft_workers *workers, soft_job job, void *context, uint32_t items,
                      int alone);
uint32_t soft_workers_count(const soft_workers *workers);
soft_worker *soft_workers_at(soft_workers *workers, uint32_t index);

/* ---- vertex.c ---- */

/* What a tessellated vertex starts with: r0, r1. */
typedef float soft_start[8];

/* Runs the vertex shader for up to sixteen indices, or starts where that is not NULL; vertices lie
 * `stride` bytes apart. */
void soft_vertex_shade(const soft_context *c, soft_worker *worker, const uint32_t *indices,
                       const soft_start *starts, uint32_t count, uint8_t *vertices);

/* ---- viewport.c ---- */

/* Takes the vertex side of the registers apart: formats, viewport, clipping, parameters. */
void soft_vertex_prepare(soft_context *c);
/* Clip coordinates and screen position of what the shader wrote. */
void soft_vertex_position(const soft_context *c, soft_vertex *v, const float position[4]);
/* The screen position of clip coordinates, and the planes' bits. */
void soft_vertex_place(const soft_context *c, soft_vertex *v);

/* ---- clip.c ---- */

/* Room for cut vertices. */
typedef struct soft_cuts {
    uint8_t *bytes;
    uint32_t used, limit;
} soft_cuts;

#define SOFT_POLYGON 24u /* corners of a clipped triangle at most */

/* Clips a convex polygon in place; answers its corners, 0: nothing is left. The vertices are not
 * changed; new ones come from `cuts`. A line is two corners. */
uint32_t soft_clip(const soft_context *c, soft_cuts *cuts, const soft_vertex *corner[SOFT_POLYGON],
                   uint32_t count);

/* ---- patch.c ---- */

/* Cuts a patch into triangles: writes at most 289 starts and SOFT_PATCH primitives, whose slots count
 * from `first`. Answers the number of primitives, sets that of starts. */
uint32_t soft_patch_cut(const xenos_draw *draw, const xenos_patch *patch, uint32_t first,
                        soft_start *starts, uint32_t *start_count, uint32_t (*slots)[3]);

/* ---- setup.c ---- */

typedef struct soft_setup {
    const soft_context *context;
    soft_cuts cuts;
    soft_triangle *triangle;
    uint32_t triangles, limit;
    xenos_extents
        *extents; /* of all that is set up, whatever the scissor leaves of it; NULL: none */
} soft_setup;

void soft_setup_prepare(soft_context *c);
/* Appends what a primitive becomes. */
void soft_setup_primitive(soft_setup *setup, const xenos_primitive *primitive,
                          const soft_vertex *const v[3]);
/* A coordinate to sub-pixels: rounded to the draw's grid, then moved by its centre. */
int32_t soft_setup_snap(const soft_context *c, double pixels);

/* ---- raster.c ---- */

/* Whether any of the tile at (x, y) in pixels may be covered. */
int soft_raster_touches(const soft_triangle *t, int32_t x, int32_t y);
/* Covers the part of a triangle in the tile at (x, y); blocks that have samples go to pixel.c. */
void soft_raster_tile(const soft_context *c, soft_worker *worker, const soft_triangle *t, int32_t x,
                      int32_t y);

/* ---- pixel.c ---- */

void soft_pixel_prepare(soft_context *c);
void soft_pixel_begin(const soft_context *c, soft_worker *worker, const soft_triangle *t);
void soft_pixel_block(const soft_context *c, soft_worker *worker, int32_t x, int32_t y,
                      const soft_mask coverage[4]);

#endif
