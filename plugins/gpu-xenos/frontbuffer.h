/* From texture fetch constant and guest memory to the pixels of a frame. */
#ifndef XENOS_FRONTBUFFER_H
#define XENOS_FRONTBUFFER_H

#include <stdint.h>

#include "draw.h"
#include "gamma.h"

/* Largest frame in either direction, pixels. The display controller's modes end at 1920x1080. */
#define XENOS_FRAME_MAX 4096u

/* What a texture fetch constant says about a 2D surface (xenia xenos.h, xe_gpu_texture_fetch_t). */
typedef struct xenos_surface {
    uint32_t type;   /* dword 0, 1:0; 2 is a texture */
    uint32_t pitch;  /* dword 0, 30:22, in texels (the field counts 32) */
    uint32_t tiled;  /* dword 0, 31 */
    uint32_t format; /* dword 1, 5:0 */
    uint32_t endian; /* dword 1, 7:6 */
    uint32_t base;   /* dword 1, 31:12, physical byte address */
    uint32_t width;  /* dword 2, 12:0, plus 1 */
    uint32_t height; /* dword 2, 25:13, plus 1 */
    uint32_t
        swizzle; /* dword 3, 12:1: for red, green, blue, alpha 3 bits: 0..3 xyzw, 4 zero, 5 one */
} xenos_surface;

void xenos_surface_decode(xenos_surface *surface, const uint32_t fetch[6]);

/* Why a surface cannot be shown with width x height texels, or NULL when it can: every byte that
 * xenos_surface_read touches lies within `memory_size`. */
const char *xenos_surface_problem(const xenos_surface *surface, uint32_t width, uint32_t height,
                                  uint32_t memory_size);

/* Who calls a job for each item: xenos_drawing_run, or NULL: here, one after the other. */
typedef struct xenos_runner {
    void (*run)(void *self, xenos_job job, void *context, uint32_t items);
    void *self;
} xenos_runner;

/* Writes width * height pixels, red, green, blue, 255, through the gamma ramps. The surface has no
 * problem. `runner` may be NULL. */
void xenos_surface_read(const xenos_surface *surface, const uint8_t *memory, uint32_t width,
                        uint32_t height, const xenos_gamma *gamma, const xenos_runner *runner,
                        uint8_t *rgba);

#endif
