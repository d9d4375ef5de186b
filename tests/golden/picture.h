/* PNG files as pixels, and what is different between two. */
#ifndef GOLDEN_PICTURE_H
#define GOLDEN_PICTURE_H

#include <stdint.h>

typedef struct picture {
    uint32_t width, height;
    uint8_t *rgb; /* NULL: there is none */
} picture;

typedef struct difference {
    uint32_t pixels; /* that differ; all where the sizes do */
    uint32_t first_x, first_y;
    uint32_t found, expected; /* of the first, 0xRRGGBB */
    uint32_t largest;         /* of any component */
} difference;

picture picture_read(const char *path);
/* 0: it could not be written. */
int picture_write(const char *path, const picture *p);
void picture_free(picture *p);

/* 0xRRGGBB. */
uint32_t picture_at(const picture *p, uint32_t x, uint32_t y);

/* Zeros where nothing differs. */
difference picture_compare(const picture *found, const picture *expected);

#endif
