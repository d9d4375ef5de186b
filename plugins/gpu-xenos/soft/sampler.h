/* Between the two halves of the sampler: what a fetch asks for, and what samples it. */
#ifndef SOFT_SAMPLER_H
#define SOFT_SAMPLER_H

#include "texture_image.h"

/* Address modes (Mesa a2xx.xml sq_tex_clamp, xenia xenos.h ClampMode). */
enum {
    SOFT_REPEAT,
    SOFT_MIRRORED_REPEAT,
    SOFT_CLAMP_EDGE,
    SOFT_MIRROR_EDGE,
    SOFT_CLAMP_HALFWAY,
    SOFT_MIRROR_HALFWAY,
    SOFT_CLAMP_BORDER,
    SOFT_MIRROR_BORDER,
};

/* What all samples of a fetch share. Arrays are by lane. */
typedef struct soft_sampling {
    float coordinate[3][SOFT_LANES] __attribute__((aligned(64)));
    int32_t lod[SOFT_LANES] __attribute__((aligned(64)));   /* 1/64 */
    int32_t slice[SOFT_LANES] __attribute__((aligned(64))); /* where no direction chooses it */
    const soft_texture *texture;
    const soft_image *image;
    uint8_t mode[3];    /* address modes */
    uint8_t directions; /* 1 to 3 that have an address */
    uint8_t normalized;
    uint8_t borders;      /* some mode has borders */
    uint8_t tame;         /* normalised, all coordinates finite and below 1024, sizes to 8192 */
    uint8_t flat;         /* all lanes read slice 0 */
    uint8_t mip_filter;   /* XENOS_FILTER_* */
    uint8_t linear[2][2]; /* filter at lod <= 0 and above: within a slice; between slices */
    int8_t offset[3];     /* half texels */
    float base[3];        /* sizes of level 0 */
} soft_sampling;

/* A filtered sample at each lane's coordinates: numbers, texture_image.h. */
void soft_sample(const soft_sampling *sampling, soft_vec4 *number);

/* The weights that a sample would have: of the second texel in each direction and of the second
 * level; and the share of the first level's that the border has. */
void soft_sample_weights(const soft_sampling *sampling, soft_vec4 *weights, soft_f *border);

#endif
