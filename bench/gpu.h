/* Between the files of `./dev bench gpu`: the loads, and who draws them. */
#ifndef BENCH_GPU_H
#define BENCH_GPU_H

#include <stdint.h>

#define GPU_WIDTH  1280u
#define GPU_HEIGHT 720u

#define GPU_TEXTURE 256u /* texels a side */
#define GPU_CELLS_X 160u /* of the grid that small triangles fill: two in each cell */
#define GPU_CELLS_Y 45u

typedef enum gpu_shader {
    GPU_COLOR,    /* the interpolated colour */
    GPU_TEXTURED, /* times one filtered texel */
    GPU_HEAVY,    /* that, and 60 multiply-adds of four components */
} gpu_shader;

/* What is drawn in a frame, whoever draws it. */
typedef struct gpu_load {
    const char *name;
    gpu_shader shader;
    uint32_t passes;
    uint32_t small; /* the picture in 14,400 triangles, else in one rectangle of two */
    uint32_t blend; /* source alpha, 1 - source alpha */
    uint32_t depth; /* less or equal, written */
    uint32_t samples;
} gpu_load;

extern const gpu_load gpu_loads[];
extern const uint32_t gpu_load_count;

/* Corners of a pass: x and y in pixels, z, then red, green, blue, alpha; red and green are the
 * texture's coordinates too. */
#define GPU_CORNER_FLOATS 8u                                     /* x y z w, colour */
uint32_t gpu_load_corners(const gpu_load *load, float *corners); /* NULL: how many */

/* Texel of the texture, red lowest. */
static inline uint32_t gpu_texel(uint32_t x, uint32_t y)
{
    return 0xFF000000u | ((x ^ y) & 255u) << 16 | (y & 255u) << 8 | (x & 255u);
}

/* Draws a frame of what it was made for. 0: it cannot, and said why. */
typedef struct gpu_bench {
    int (*frame)(struct gpu_bench *bench);
    void (*end)(struct gpu_bench *bench);
    uint32_t middle; /* after a frame: the pixel in the middle, red lowest */
} gpu_bench;

/* Ours: through the command processor. */
gpu_bench *gpu_ours(const gpu_load *load, uint32_t threads);
/* A frame that `weft run --capture` wrote, again and again. */
gpu_bench *gpu_captured(const char *path, uint32_t threads);
/* lavapipe; NULL with the reason in `why`. */
gpu_bench *gpu_lavapipe(const gpu_load *load, uint32_t threads, const char **why);

#endif
