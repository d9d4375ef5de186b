/* What the front end hands to a back-end: memory, a draw, a resolve. Registers keep their meaning;
 * state.h takes them apart. */
#ifndef XENOS_DRAW_H
#define XENOS_DRAW_H

#include <stdint.h>

#include "registers.h"
#include "ucode.h"

/* Physical memory as the GPU sees it. */
typedef struct xenos_memory {
    uint8_t *bytes;
    uint32_t size; /* bytes; addresses at or beyond it do not exist */
    void *context;
    /* The GPU changed bytes. */
    void (*written)(void *context, uint32_t start, uint32_t length);
    /* Asks that the back-end's `written` be called at the next change of the range by anybody. The
     * answer may cover more than was asked for. */
    void (*watch)(void *context, uint32_t start, uint32_t length);
} xenos_memory;

/* VGT_DRAW_INITIATOR 5:0 (xenia xenos.h, PrimitiveType). */
enum {
    XENOS_POINTS = 1,
    XENOS_LINES = 2,
    XENOS_LINE_STRIP = 3,
    XENOS_TRIANGLES = 4,
    XENOS_TRIANGLE_FAN = 5,
    XENOS_TRIANGLE_STRIP = 6,
    XENOS_TRIANGLES_W_FLAGS = 7,
    XENOS_RECTANGLES = 8,
    XENOS_LINE_LOOP = 12,
    XENOS_QUADS = 13,
    XENOS_QUAD_STRIP = 14,
    XENOS_POLYGON = 15,
    XENOS_COPY_RECTANGLES_2D = 16, /* 16..22: the 2D engine's types */
    XENOS_LINE_PATCHES = 16,       /* 16..18 with explicit major mode and tessellation */
    XENOS_TRIANGLE_PATCHES = 17,
    XENOS_QUAD_PATCHES = 18,
};

/* VGT_DRAW_INITIATOR 7:6. */
enum { XENOS_INDICES_MEMORY = 0, XENOS_INDICES_IMMEDIATE = 1, XENOS_INDICES_AUTO = 2 };

/* One draw. Everything it points to stays as it is until the back-end has returned. */
typedef struct xenos_draw {
    const uint32_t *registers;   /* XENOS_REGISTER_COUNT */
    const xenos_program *vertex; /* never NULL */
    const xenos_program *pixel;  /* NULL: none (depth-only modes) */
    uint64_t number;             /* draws so far, from 0 */
    uint32_t primitive;          /* XENOS_* type */
    uint32_t source;             /* XENOS_INDICES_* */
    uint32_t count;              /* indices */
    uint32_t wide;               /* indices of 32 bits, else 16 */
    uint32_t endian;             /* of the indices (endian.h) */
    uint32_t base;               /* physical address of the indices in memory */
    const uint32_t *immediate;   /* XENOS_INDICES_IMMEDIATE: their dwords in host order */
    uint32_t immediate_dwords;
    uint64_t limit; /* of work, in soft/soft.h's units; 0: SOFT_DRAW_LIMIT */
} xenos_draw;

/* Samples that reached the depth/stencil test since create: EVENT_WRITE_ZPD's numbers. */
typedef struct xenos_counts {
    uint64_t total; /* all that were tested */
    uint64_t z_fail;
    uint64_t z_pass;
    uint64_t stencil_fail;
} xenos_counts;

/* What a resolve did, for the event and for captures. */
typedef struct xenos_resolved {
    uint32_t start, length; /* bytes of physical memory written; length 0: none */
} xenos_resolved;

/* Screen extents of what was drawn since the last reset, for EVENT_WRITE_EXT, before the window
 * scissor: pixels, x1 and y1 beyond the last. */
typedef struct xenos_extents {
    uint32_t x0, y0, x1, y1;
    float z0, z1;
} xenos_extents;

/* Work in pieces that may be done in any order and at the same time. */
typedef void (*xenos_job)(void *context, uint32_t item);

/* A back-end. All calls come from one thread at a time; each returns when its effect is complete.
 * NULL stands for: counts, extents: there are no pixels; written, forget: nothing is kept; edram: none;
 * run: it has no threads. */
typedef struct xenos_backend {
    const char *name;
    void *(*create)(const xenos_memory *memory, uint32_t threads); /* NULL: no memory */
    void (*destroy)(void *self);
    /* A draw; in RB_MODECONTROL modes that do not draw it only has extents and exports memory, which
     * is there when it returns. 0: it reached its limit, and some of it was left out. */
    int (*draw)(void *self, const xenos_draw *draw);
    /* A draw in RB_MODECONTROL mode 6: copies and clears as RB_COPY_* say. The rectangle is in the
     * three vertices of vertex fetch constant 0. */
    void (*resolve)(void *self, const xenos_draw *draw, xenos_resolved *done);
    void (*counts)(void *self, xenos_counts *counts);
    void (*extents)(void *self, xenos_extents *extents, int reset);
    /* Memory that was watched has changed, whole pages of it; before the draw that follows. */
    void (*written)(void *self, uint32_t start, uint32_t length);
    /* A program is about to be freed: nothing that is kept about it may be used again. */
    void (*forget)(void *self, const xenos_program *program);
    /* 10 MiB of EDRAM as bytes, or NULL where the back-end keeps none; for digest and captures. */
    uint8_t *(*edram)(void *self);
    /* Lends its threads: calls the job for items 0..items-1 and returns when all are done. */
    void (*run)(void *self, xenos_job job, void *context, uint32_t items);
} xenos_backend;

extern const xenos_backend xenos_null_backend;
extern const xenos_backend xenos_soft_backend;

#define XENOS_EDRAM_BYTES (10u << 20)

#endif
