/* Texture formats by number: block sizes, and how a block splits into texels and components.
 * Numbers and names: xenia src/xenia/gpu/xenos.h TextureFormat, block sizes
 * texture_info_formats.cc, meanings shaders/pixel_formats.xesli. Component 0 (x) is the lowest bits
 * of the little-endian pixel.
 *
 * No public source says what the MPEG and the interlaced kinds hold; the EDRAM kinds are render
 * targets only. They have block sizes and no texels here. What k_1, k_1_REVERSE, k_32_AS_8 and
 * k_32_AS_8_8 hold is read from their names and from the Radeon R600's formats of the same names. */
#ifndef XENOS_FORMAT_H
#define XENOS_FORMAT_H

#include <stdint.h>

#define XENOS_FORMAT_COUNT 64u

enum {
    XENOS_FORMAT_5_6_5 = 4,
    XENOS_FORMAT_8_8_8_8 = 6,
    XENOS_FORMAT_2_10_10_10 = 7,
    XENOS_FORMAT_16_16_16_16 = 26,
    XENOS_FORMAT_8_8_8_8_AS_16 = 50,
    XENOS_FORMAT_2_10_10_10_AS_16 = 54,
};

/* How a block's bits become texels. */
enum {
    XENOS_TEXELS_NONE = 0, /* unknown, or not for textures */
    XENOS_TEXELS_FIXED,    /* one texel of `width` bits per component */
    XENOS_TEXELS_FIXED32,  /* components of 32 bits */
    XENOS_TEXELS_FLOAT16,  /* s10e5 without infinities and NaNs: exponent 31 counts on */
    XENOS_TEXELS_FLOAT32,  /* IEEE single */
    XENOS_TEXELS_BITS,     /* eight texels of a bit, the lowest first */
    XENOS_TEXELS_BITS_HIGH_FIRST,
    XENOS_TEXELS_BYTES,       /* texels of `stored` bytes side by side in a dword */
    XENOS_TEXELS_CR_Y1_CB_Y0, /* two texels (Cr, Y, Cb); the name has the highest byte first */
    XENOS_TEXELS_Y1_CR_Y0_CB,
    XENOS_TEXELS_DEPTH,       /* 24 bits above 8 of stencil */
    XENOS_TEXELS_DEPTH_FLOAT, /* 20e4 above 8 of stencil, below 2 */
    XENOS_TEXELS_DXT1,
    XENOS_TEXELS_DXT3,
    XENOS_TEXELS_DXT5,
    XENOS_TEXELS_DXN,        /* two DXT5 alpha blocks: x, y */
    XENOS_TEXELS_DXT3A,      /* the alpha half of a DXT3 block */
    XENOS_TEXELS_DXT5A,      /* the alpha half of a DXT5 block */
    XENOS_TEXELS_CTX1,       /* DXT1 colour of two components with ends of 8 bits */
    XENOS_TEXELS_DXT3A_BITS, /* four bits a texel: x the highest, w the lowest */
};

typedef struct xenos_format {
    const char *name;
    uint8_t bits;         /* of one block; 0: the number is not used for textures */
    uint8_t block_width;  /* texels */
    uint8_t block_height; /* texels */
    uint8_t components;   /* 0: not a format of unsigned fixed-point components */
    uint8_t width[4];     /* bits of x, y, z, w, from bit 0 up */
    uint8_t kind;         /* XENOS_TEXELS_* */
    uint8_t stored;       /* components that a texel has; the last stands for those that it lacks */
} xenos_format;

/* The row of a number below 64. */
const xenos_format *xenos_format_of(uint32_t number);

#endif
