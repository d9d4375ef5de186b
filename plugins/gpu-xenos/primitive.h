/* From a draw's indices to points, lines, triangles and rectangles.
 *
 * An index is read, compared with the reset index, offset and clamped, in that order and in 24 bits
 * (xenia src/xenia/gpu/registers.h, VGT_MULTI_PRIM_IB_RESET_INDX, VGT_INDX_OFFSET: the upper bits of a
 * 32-bit index have no effect; a 16-bit index is compared as a whole). Automatic indices are never
 * the reset index. A reset ends the primitive that is being put together, in lists as well.
 *
 * Order and provoking vertex are those of Direct3D 9 (first) or OpenGL (last), as
 * PA_SU_SC_MODE_CNTL.PROVOKING_VTX_LAST says; quads split so that both halves have the provoking
 * vertex. */
#ifndef XENOS_PRIMITIVE_H
#define XENOS_PRIMITIVE_H

#include "draw.h"

enum {
    XENOS_SHAPE_POINT = 1,
    XENOS_SHAPE_LINE = 2,
    XENOS_SHAPE_TRIANGLE = 3,
    XENOS_SHAPE_RECTANGLE = 4, /* three corners; the fourth is across the longest side */
};

typedef struct xenos_primitive {
    uint8_t shape;
    uint8_t provoking; /* which of `index` */
    uint8_t edges;     /* triangles: bit n, the side from n to n + 1 is of the original polygon */
    uint32_t index[3]; /* after offset and clamp: what the vertex shader gets */
} xenos_primitive;

/* A reader; its fields are its own. */
typedef struct xenos_primitives {
    const xenos_draw *draw;
    const xenos_memory *memory;
    uint32_t position; /* indices read */
    uint32_t reset;    /* 0xFFFFFFFF: none */
    uint32_t offset, least, most;
    uint32_t last;    /* provoking vertex last */
    uint32_t held;    /* vertices since the start or the last reset */
    uint32_t kept[4]; /* those that further primitives need */
    uint32_t ready, taken;
    xenos_primitive queue[4];
} xenos_primitives;

/* 1: a type that the reader knows. The 2D engine's types and patches are not. */
int xenos_primitives_known(const xenos_draw *draw);

void xenos_primitives_begin(xenos_primitives *reader, const xenos_draw *draw,
                            const xenos_memory *memory);
/* 1 with the next, 0 at the end. Reads each index once. */
int xenos_primitives_next(xenos_primitives *reader, xenos_primitive *out);

/* VGT_HOS_CNTL 1:0 (xenia xenos.h, TessellationMode). */
enum { XENOS_PATCHES_DISCRETE, XENOS_PATCHES_CONTINUOUS, XENOS_PATCHES_ADAPTIVE };

/* A patch of a tessellated draw: the corners' indices, or the patch's own in index[0]. In adaptive
 * mode what would be indices are the factors of its sides, from corner n to the next, and patches are
 * numbered from 0 (xenia xenos.h, PrimitiveType; shaders/adaptive_*.hs.hlsl). */
typedef struct xenos_patch {
    uint8_t corners; /* 3 or 4 */
    uint8_t indexed; /* 1: by corner */
    uint32_t index[4];
    uint32_t factor[4]; /* floats, as they were read */
} xenos_patch;

/* 1: VGT_OUTPUT_PATH_CNTL asks for tessellation and is looked at (explicit major mode), and the type
 * is triangles (list, fan, strip), quads (list, strip), or patches of 3 or 4 corners; adaptive: only
 * patches, whose factors are 32-bit "indices". */
int xenos_patches_known(const xenos_draw *draw);
/* 1 with the next patch, 0 at the end. */
int xenos_patches_next(xenos_primitives *reader, xenos_patch *out);

/* The index at a position, raw: 16 or 32 bits, byte order undone. What does not lie in memory or in
 * the packet reads as 0. */
uint32_t xenos_index_read(const xenos_draw *draw, const xenos_memory *memory, uint32_t position);

#endif
