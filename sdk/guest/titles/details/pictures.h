/* The textures of details, and the colours that they are made of. */
#ifndef DETAILS_PICTURES_H
#define DETAILS_PICTURES_H

#include "gpu.h"

#define MIPPED_SIZE   64u
#define MIPPED_LEVELS 7u
#define FACE_SIZE     32u
#define FACES         6u
#define SLICES        4u
#define ALPHA_SIZE    32u

typedef struct pictures {
    gpu_texture mipped; /* DXT1, level n all of colour n + 1 */
    gpu_texture cube;   /* face n all of colour n + 1 */
    gpu_texture volume; /* slice n all of colour n + 1 */
    gpu_texture alpha;  /* white, alpha 8 * x */
    gpu_texture seen;   /* what the screen showed; the CPU reads it */
} pictures;

/* Colour n has red where bit 0 is set, green for bit 1, blue for bit 2. As the words of 8_8_8_8. */
u32 picture_color(u32 n);

/* False: out of memory. */
bool pictures_make(pictures *p, u32 width, u32 height);

#endif
