#include "tiling.h"

#include <string.h>

/* Puts the bits of an address where the memory channels want them. */
static uint64_t spread(uint64_t inner, uint32_t y, uint64_t pipe, uint64_t bank)
{
    return (inner & 0xF) | (uint64_t)(y & 1) << 4 | (inner >> 4 & 1) << 5 | pipe << 6 |
           (inner >> 5 & 7) << 8 | bank << 11 | inner >> 8 << 12;
}

uint64_t xenos_tiled_offset(uint32_t x, uint32_t y, uint32_t pitch, uint32_t bytes_log2)
{
    uint64_t macro = (uint64_t)(y >> 5) * (pitch >> 5) + (x >> 5);
    uint64_t inner = (macro << 6 | ((y >> 1) & 7) << 3 | (x & 7)) << bytes_log2;
    uint64_t pipe = ((x >> 3) & 3) ^ ((y >> 3) & 1) << 1;
    return spread(inner, y, pipe, (y >> 4) & 1);
}

uint64_t xenos_tiled_offset_3d(uint32_t x, uint32_t y, uint32_t z, uint32_t pitch, uint32_t height,
                               uint32_t bytes_log2)
{
    uint64_t row = (uint64_t)(z >> 2) * (height >> 4) + (y >> 4);
    uint64_t macro = row * (pitch >> 5) + (x >> 5);
    uint64_t inner = (macro << 7 | (z & 3) << 5 | ((y >> 1) & 3) << 3 | (x & 7)) << bytes_log2;
    uint64_t bank = ((y >> 3) ^ (z >> 2)) & 1;
    return spread(inner, y, ((x >> 3) & 3) ^ bank << 1, bank);
}

void xenos_tiled_position(uint64_t offset, uint32_t pitch, uint32_t bytes_log2, uint32_t *x,
                          uint32_t *y)
{
    uint64_t inner =
        (offset & 0xF) | (offset >> 5 & 1) << 4 | (offset >> 8 & 7) << 5 | offset >> 12 << 8;
    inner >>= bytes_log2;
    uint32_t macro = (uint32_t)(inner >> 6);
    uint32_t across = pitch >> 5;
    uint32_t row = (uint32_t)(inner >> 3 & 7) << 1 | (uint32_t)(offset >> 4 & 1) |
                   (uint32_t)(offset >> 11 & 1) << 4;
    uint32_t pipe = (uint32_t)(offset >> 6 & 3) ^ ((row >> 3) & 1) << 1;
    *x = macro % across * 32 + (pipe << 3) + (uint32_t)(inner & 7);
    *y = macro / across * 32 + row;
}

uint64_t xenos_tiled_extent(uint32_t pitch, uint32_t width, uint32_t height, uint32_t bytes_log2)
{
    if (width == 0 || height == 0) {
        return 0;
    }
    uint32_t last_x = width - 1;
    uint32_t last_y = height - 1;
    if (bytes_log2 < 2) {
        /* Up to four macro tiles share a page: the end of the last tile's page bounds them all. */
        return (xenos_tiled_offset(last_x | 31, last_y | 31, pitch, bytes_log2) | 0xFFF) + 1;
    }
    /* From 4 bytes per block on, a macro tile has pages of its own, and the last tile the last. */
    uint64_t end = 0;
    for (uint32_t y = last_y & ~31u; y <= last_y; y++) {
        for (uint32_t x = last_x & ~31u; x <= last_x; x++) {
            uint64_t at = xenos_tiled_offset(x, y, pitch, bytes_log2) + (1u << bytes_log2);
            end = at > end ? at : end;
        }
    }
    return end;
}

/* One row moves in runs of 16 bytes: address bits 3:0 are bits 3:0 of the row. */
static uint32_t run_blocks(uint32_t bytes_log2, uint32_t left)
{
    uint32_t run = 16u >> bytes_log2;
    return run < left ? run : left;
}

int xenos_untile(uint8_t *out, uint64_t out_stride, const uint8_t *tiled, uint64_t size,
                 uint32_t pitch, uint32_t width, uint32_t height, uint32_t bytes_log2)
{
    if (width > pitch || xenos_tiled_extent(pitch, width, height, bytes_log2) > size) {
        return 0;
    }
    for (uint32_t y = 0; y < height; y++) {
        uint8_t *row = out + y * out_stride;
        for (uint32_t x = 0; x < width;) {
            uint32_t run = run_blocks(bytes_log2, width - x);
            if (bytes_log2 == 0) {
                run = run > 8 ? 8 : run; /* x[2:0] is all that I holds of a row */
            }
            memcpy(row + ((uint64_t)x << bytes_log2),
                   tiled + xenos_tiled_offset(x, y, pitch, bytes_log2), (size_t)run << bytes_log2);
            x += run;
        }
    }
    return 1;
}

int xenos_tile(uint8_t *tiled, uint64_t size, const uint8_t *in, uint64_t in_stride, uint32_t pitch,
               uint32_t width, uint32_t height, uint32_t bytes_log2)
{
    if (width > pitch || xenos_tiled_extent(pitch, width, height, bytes_log2) > size) {
        return 0;
    }
    for (uint32_t y = 0; y < height; y++) {
        const uint8_t *row = in + y * in_stride;
        for (uint32_t x = 0; x < width; x++) {
            memcpy(tiled + xenos_tiled_offset(x, y, pitch, bytes_log2),
                   row + ((uint64_t)x << bytes_log2), (size_t)1 << bytes_log2);
        }
    }
    return 1;
}
