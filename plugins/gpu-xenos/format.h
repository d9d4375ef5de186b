/* Texture formats by number, and how a pixel of those that a display shows splits into components.
 * Numbers and names: xenia src/xenia/gpu/xenos.h TextureFormat, block sizes
 * texture_info_formats.cc. Component 0 (x) is the lowest bits of the little-endian pixel. */
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

typedef struct xenos_format {
    const char *name;
    uint8_t bits;         /* of one block; 0: the number is not used for textures */
    uint8_t block_width;  /* texels */
    uint8_t block_height; /* texels */
    uint8_t components;   /* 0: not a format of unsigned fixed-point components */
    uint8_t width[4];     /* bits of x, y, z, w, from bit 0 up */
} xenos_format;

/* The row of a number below 64. */
const xenos_format *xenos_format_of(uint32_t number);

#endif
