/* A texture's texels on the host, between the files that decode, keep and sample them.
 *
 * Texels are kept after the constant's swizzle, as numbers that a filter may weigh: what a shader gets
 * is (number - offset) / divisor, for each of its four components. Numbers are integers where the
 * format has integers, so filtering them loses nothing that the format had:
 *
 *   BYTES    four of 8 bits in a dword, x lowest: components of 8 bits or less
 *   WORDS    four of 16 bits: components of up to 16 bits, and gamma (10 bits when linear)
 *   FLOATS   four singles: floats, depths and components of 32 bits; offset 0
 *   MEMORY   nothing is kept: each fetch decodes its block (textures that are too big to keep)
 *
 * Choices where sources are silent:
 *  - Gamma components become linear before they are filtered; the piecewise-linear curve maps 8 bits
 *    to 10 (xenia xenos.cc PWLGammaToLinear). A "gamma" sign on floats and depths does nothing.
 *  - The *_AS_16_16_16_16 formats hold what their namesakes hold.
 *  - Biased (2x - 1) and gamma look at fractions whatever the number format says.
 *  - The exponent adjustment scales components, not the swizzle's constants 0 and 1.
 *  - DXN and DXT5A with a signed component interpolate signed ends; -128 counts as -127. */
#ifndef SOFT_TEXTURE_IMAGE_H
#define SOFT_TEXTURE_IMAGE_H

#include "../format.h"
#include "../texture_layout.h"
#include "texture.h"

enum { SOFT_BYTES, SOFT_WORDS, SOFT_FLOATS, SOFT_MEMORY };

/* Signs of components (xenia xenos.h TextureSign). */
enum { SOFT_UNSIGNED = 0, SOFT_SIGNED = 1, SOFT_BIASED = 2, SOFT_GAMMA = 3 };

/* How one of the four outputs is made. */
typedef struct soft_channel {
    uint8_t constant; /* the swizzle asks for a constant; `number` is it */
    uint8_t component;
    uint8_t width; /* bits of the component */
    uint8_t sign;
    uint8_t integer;
    uint16_t number;
    uint16_t lut[256]; /* by the component's bits, where there are 8 or less */
} soft_channel;

typedef struct soft_image {
    xenos_texture layout;
    const xenos_format *format;
    uint8_t storage;       /* SOFT_*: how texels are kept */
    uint8_t numbers;       /* SOFT_BYTES..FLOATS: what they are */
    uint8_t signed_blocks; /* bit n: alpha block n of DXN, DXT5A interpolates signed ends */
    soft_channel channels[4];
    float offset[4], divisor[4];
    void *texels;                        /* by `storage`; rows, then slices, then levels */
    int32_t first[XENOS_TEXTURE_LEVELS]; /* texel where a level begins */
    uint64_t bytes;                      /* of texels */
    const xenos_memory *memory;
    uint32_t key[6];          /* what of the constant made it */
    uint64_t range[2][2];     /* bytes of memory that it was made from: level 0, the others */
    uint64_t used;            /* draw that last used it */
    uint8_t stale;            /* memory has changed since */
    struct soft_image *chain; /* same bucket */
    struct soft_image *newer, *older;
} soft_image;

struct soft_texture {
    const soft_image *image; /* NULL: reads as zero */
    uint8_t clamp[3];
    uint8_t mag_filter, min_filter, mip_filter, aniso_filter;
    uint8_t vol_mag_filter, vol_min_filter;
    int32_t lod_bias;        /* 1/65536 */
    float gradient_scale[2]; /* 2^grad_exp_adjust_h, _v */
    float border[4];         /* in the image's numbers */
};

/* Sets an image up for a constant: layout, channels, sizes. 0: it is no texture. */
int soft_image_describe(soft_image *image, const uint32_t fetch[6], const xenos_memory *memory);

/* Decodes all levels to `texels`. */
void soft_image_decode(soft_image *image);

/* One texel of a level straight from memory, as numbers. */
void soft_image_texel(const soft_image *image, uint32_t level, uint32_t x, uint32_t y,
                      uint32_t slice, float out[4]);

/* How large a texture appears: one number for each lane, and how to walk along its footprint. */
typedef struct soft_footprint {
    int32_t lod[SOFT_LANES];      /* 1/64, with all biases, not limited to the levels there are */
    int32_t computed[SOFT_LANES]; /* 1/65536, from gradients alone; 0 where there are none */
    uint32_t samples;             /* most of any lane */
    uint32_t count[SOFT_LANES];   /* samples along the longer axis, 1 but for anisotropic filters */
    float axis[3][SOFT_LANES];    /* that axis, in coordinates */
} soft_footprint;

void soft_texture_footprint(const soft_texture *texture, const xenos_fetch *fetch,
                            const soft_fetch_state *state, const soft_f coordinate[3],
                            soft_footprint *out);

/* log2(x) in 1/65536, less than 2/65536 off, exact for powers of two; -128 * 65536 for zero, denormals, negatives and NaN. */
int32_t soft_level_log2(float x);

/* Bytes of decoded texels that may be kept at once. Images that do not fit beside what the draw
 * already uses are read from memory. */
#define SOFT_TEXTURE_BYTES (UINT64_C(256) << 20)
void soft_textures_limit(soft_textures *textures, uint64_t bytes);

#endif
