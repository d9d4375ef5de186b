/* The formats that a resolve writes (RB_COPY_DEST_INFO 12:7, xenia xenos.h ColorFormat and
 * shaders/pixel_formats.xesli for the layouts). */
#ifndef SOFT_COPY_FORMAT_H
#define SOFT_COPY_FORMAT_H

#include <stdint.h>

enum { SOFT_COPY_NONE, SOFT_COPY_FRACTION, SOFT_COPY_HALF, SOFT_COPY_FLOAT };

typedef struct soft_copy_format {
    uint8_t kind;       /* SOFT_COPY_*; NONE: a resolve cannot write it */
    uint8_t bytes_log2; /* of a texel */
    uint8_t width[4];   /* bits of red, green, blue, alpha from bit 0 up */
    uint16_t same;      /* bit n: storage format n (edram.h) has the same bits */
} soft_copy_format;

/* The row of a texture format below 64. 8_A and 8_B take red as 8 does, 8_8_8_8_A is 8_8_8_8: no
 * document says what sets them apart. */
const soft_copy_format *soft_copy_format_of(uint32_t number);

#endif
