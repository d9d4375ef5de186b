/* What soft_rop_prepare makes of RB_*: shared by rop.c, rop_depth.c and rop_color.c. */
#ifndef SOFT_ROP_STATE_H
#define SOFT_ROP_STATE_H

#include "../edram.h"
#include "block.h"
#include "rop.h"

/* RB_BLENDCONTROL's fields (xenia xenos.h, BlendFactor and BlendOp). Factors 2, 3 and from 17 on
 * count as 1, operations from 5 on as addition. */
enum {
    SOFT_FACTOR_ZERO = 0,
    SOFT_FACTOR_ONE = 1,
    SOFT_FACTOR_SOURCE_COLOR = 4,
    SOFT_FACTOR_SOURCE_ALPHA = 6,
    SOFT_FACTOR_TARGET_COLOR = 8,
    SOFT_FACTOR_TARGET_ALPHA = 10,
    SOFT_FACTOR_CONSTANT_COLOR = 12,
    SOFT_FACTOR_CONSTANT_ALPHA = 14,
    SOFT_FACTOR_SATURATE = 16, /* from 4 on, bit 0: 1 minus the factor */
};
enum { SOFT_BLEND_ADD, SOFT_BLEND_SUBTRACT, SOFT_BLEND_MIN, SOFT_BLEND_MAX, SOFT_BLEND_REVERSE };

/* 1 * source + 0 * target: no blending. */
#define SOFT_BLEND_OFF 0x00010001u

typedef struct soft_color_target soft_color_target;
typedef void soft_color_write(const soft_color_target *target, const soft_block *block,
                              const soft_vec4 *color, const soft_mask coverage[4]);

struct soft_color_target {
    xenos_target place;
    uint32_t index;   /* colour export */
    uint32_t format;  /* storage */
    uint32_t control; /* RB_BLENDCONTROL */
    uint32_t samples;
    uint32_t wide;
    uint32_t keep[2];  /* bits that the write mask leaves alone */
    uint32_t scaled;   /* `scale` is not 1 */
    float scale;       /* 2^exponent bias */
    float constant[4]; /* RB_BLEND_*, clamped as the format wants */
    soft_color_write *write;
};

typedef struct soft_stencil {
    uint32_t function;     /* XENOS_NEVER .. XENOS_ALWAYS */
    uint32_t operation[3]; /* stencil fails, depth fails, both pass */
    uint32_t reference, read_mask, write_mask;
} soft_stencil;

struct soft_rop {
    soft_f threshold[4]; /* alpha to mask, per sample: the alpha that covers it */
    uint8_t *edram;
    uint32_t samples; /* 1, 2, 4 */
    uint32_t width;   /* pixels */
    uint32_t early;

    xenos_target depth;
    uint32_t depth_used;  /* 0: every sample passes and nothing is written */
    uint32_t depth_float; /* D24FS8 */
    uint32_t depth_function, depth_write;
    uint32_t stencil_used;
    soft_stencil stencil[2]; /* front, back */

    uint32_t alpha_function; /* XENOS_ALWAYS: no test */
    float alpha_reference;
    uint32_t to_mask;

    uint32_t target_count;
    soft_color_target target[4];
};

/* rop_color.c: the function that writes this target. */
soft_color_write *soft_color_choose(const soft_color_target *target);

#endif
