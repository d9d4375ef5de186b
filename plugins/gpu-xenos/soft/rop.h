/* The end of the pipeline: depth, stencil, blending, and EDRAM, 10 MiB of bytes in tiles of 80x16
 * samples of 32 bits. Targets are addresses in it and alias freely. */
#ifndef SOFT_ROP_H
#define SOFT_ROP_H

#include "../draw.h"
#include "lanes.h"

/* A draw's view of RB_*: decoded once, read-only for workers. */
typedef struct soft_rop soft_rop;

/* A block of 4x4 pixels at (x, y), both multiples of 4, in the window. Lanes as lanes.h says.
 * Samples: bit n of coverage[s] is sample s of pixel n. With 1x only [0] is used, with 2x two. */
typedef struct soft_fragment {
    uint32_t x, y;
    uint32_t back;         /* 1: of a back-facing triangle (stencil) */
    soft_mask coverage[4]; /* in and out: samples that still live */
    soft_f depth[4];       /* per sample, 0..1 after viewport and offset */
    soft_vec4 color[4];    /* as the pixel shader exported them, per target */
} soft_fragment;

/* Bytes of a soft_rop. */
size_t soft_rop_size(void);

/* Takes the registers apart. `pixel` may be NULL (depth only). */
void soft_rop_prepare(soft_rop *rop, const uint32_t *registers, const xenos_program *pixel,
                      uint8_t *edram);

/* 1: depth and stencil may be done before the pixel shader, with the same result (no kill, no depth
 * export, no alpha test or alpha to mask ahead of writes). */
int soft_rop_early(const soft_rop *rop);
/* 1: pixels above row `height` that differ in position may share EDRAM bytes (targets that overlap or
 * wrap): one worker must do them all, in order. */
int soft_rop_aliases(const soft_rop *rop, uint32_t height);
/* Samples per pixel (1, 2, 4), pixels per row of the targets: nothing is drawn at x beyond. */
uint32_t soft_rop_samples(const soft_rop *rop);
uint32_t soft_rop_pitch(const soft_rop *rop);

/* Depth and stencil test and write; what fails leaves the coverage. Counts into `counts`, which is
 * the worker's own. */
void soft_rop_depth(const soft_rop *rop, soft_fragment *fragment, xenos_counts *counts);

/* Alpha test and alpha to mask (they look at color[0]'s alpha); what fails leaves the coverage. */
void soft_rop_alpha(const soft_rop *rop, soft_fragment *fragment);

/* Blends and writes the colours of what is covered. `exported` bit n: the shader wrote colour n. */
void soft_rop_color(const soft_rop *rop, const soft_fragment *fragment, uint64_t exported);

/* RB_MODECONTROL mode 6. `workers` share the rows; NULL: here alone. */
struct soft_workers;
void soft_resolve(const uint32_t *registers, uint8_t *edram, const xenos_memory *memory,
                  struct soft_workers *workers, xenos_resolved *done);

#endif
