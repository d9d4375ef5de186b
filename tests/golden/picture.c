#include "picture.h"

#include <png.h>
#include <stdlib.h>
#include <string.h>

picture picture_read(const char *path)
{
    picture p = {0, 0, NULL};
    png_image image;
    memset(&image, 0, sizeof image);
    image.version = PNG_IMAGE_VERSION;
    if (!png_image_begin_read_from_file(&image, path)) {
        return p;
    }
    image.format = PNG_FORMAT_RGB;
    p.rgb = malloc(PNG_IMAGE_SIZE(image));
    if (p.rgb == NULL || !png_image_finish_read(&image, NULL, p.rgb, 0, NULL)) {
        png_image_free(&image);
        free(p.rgb);
        return (picture){0, 0, NULL};
    }
    p.width = image.width;
    p.height = image.height;
    return p;
}

int picture_write(const char *path, const picture *p)
{
    png_image image;
    memset(&image, 0, sizeof image);
    image.version = PNG_IMAGE_VERSION;
    image.width = p->width;
    image.height = p->height;
    image.format = PNG_FORMAT_RGB;
    return png_image_write_to_file(&image, path, 0, p->rgb, 0, NULL);
}

void picture_free(picture *p)
{
    free(p->rgb);
    p->rgb = NULL;
}

uint32_t picture_at(const picture *p, uint32_t x, uint32_t y)
{
    const uint8_t *at = p->rgb + 3 * ((size_t)y * p->width + x);
    return (uint32_t)at[0] << 16 | (uint32_t)at[1] << 8 | at[2];
}

static uint32_t distance(uint32_t a, uint32_t b)
{
    uint32_t most = 0;
    for (uint32_t shift = 0; shift < 24; shift += 8) {
        int by = (int)(a >> shift & 0xFF) - (int)(b >> shift & 0xFF);
        uint32_t size = (uint32_t)abs(by);
        most = size > most ? size : most;
    }
    return most;
}

difference picture_compare(const picture *found, const picture *expected)
{
    difference d;
    memset(&d, 0, sizeof d);
    if (found->width != expected->width || found->height != expected->height) {
        d.pixels = expected->width * expected->height;
        d.largest = 255;
        return d;
    }
    for (uint32_t y = 0; y < found->height; y++) {
        for (uint32_t x = 0; x < found->width; x++) {
            uint32_t a = picture_at(found, x, y), b = picture_at(expected, x, y);
            if (a == b) {
                continue;
            }
            if (d.pixels++ == 0) {
                d.first_x = x;
                d.first_y = y;
                d.found = a;
                d.expected = b;
            }
            uint32_t size = distance(a, b);
            d.largest = size > d.largest ? size : d.largest;
        }
    }
    return d;
}
