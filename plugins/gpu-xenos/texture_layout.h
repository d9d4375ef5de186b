/* A texture fetch constant taken apart: what it describes, and where each level, slice and block of
 * it lies in memory.
 *
 * Fields: xenia src/xenia/gpu/xenos.h xe_gpu_texture_fetch_t, Mesa a2xx.xml A2XX_SQ_TEX_0..5. Layout:
 * xenia texture_util.{h,cc} and texture_address.h:
 *  - Level 0 is at the base address, with the pitch that the constant names. Levels from 1 are behind
 *    one another at the mip address; their sizes for addressing are the next power of two of level
 *    0's, halved, and not below 1.
 *  - Rows and heights are whole 32 blocks, depths whole 4 slices, slices of an array whole 4 KiB; rows
 *    of linear textures whole 256 bytes.
 *  - With packed mips the levels whose smaller side is 16 texels or less share the storage of the
 *    first of them, at the offsets of xenos_texture_packed_offset.
 *
 * Where sources are silent or disagree: depths of a volume's levels are halved like the other sides
 * (texture_address.h's text; texture_util.cc keeps level 0's depth); a pitch of 0 is the width; a
 * border of texels around the image (border_size) is not in memory. */
#ifndef XENOS_TEXTURE_LAYOUT_H
#define XENOS_TEXTURE_LAYOUT_H

#include <stdint.h>

/* Data dimensions of a constant. A fetch instruction has its own (ucode.h, XENOS_DIMENSION_*). */
enum {
    XENOS_TEXTURE_1D = 0,
    XENOS_TEXTURE_2D = 1, /* or stacked: an array */
    XENOS_TEXTURE_3D = 2,
    XENOS_TEXTURE_CUBE = 3,
};

#define XENOS_TEXTURE_LEVELS 14u /* 8192 texels have that many */

typedef struct xenos_texture_level {
    uint32_t width, height, depth;     /* texels; depth of a volume, else slices */
    uint32_t blocks_across, blocks_up; /* blocks that the texels take */
    uint64_t start;                    /* physical address of the storage that it lies in */
    uint64_t slice_bytes;              /* from one slice of an array to the next */
    uint32_t pitch;                    /* blocks in a row of the storage */
    uint32_t row_bytes;                /* linear: from one row of blocks to the next */
    uint32_t rows;                     /* block rows in a slice of the storage */
    uint32_t x, y, z;                  /* blocks; where in the storage it begins */
} xenos_texture_level;

typedef struct xenos_texture {
    uint32_t dimension;            /* XENOS_TEXTURE_* */
    uint32_t width, height, depth; /* texels; depth of a volume, slices of an array, 6 for a cube */
    uint32_t format, endian, tiled, packed;
    uint32_t block_width, block_height;               /* texels */
    uint32_t block_bytes;                             /* 1 to 16 */
    uint32_t min_level, max_level;                    /* that are in memory and may be read */
    xenos_texture_level levels[XENOS_TEXTURE_LEVELS]; /* min_level..max_level are filled */
} xenos_texture;

/* 0 when the constant is no texture, or one without an address. Any other bits give a texture; its
 * blocks may lie anywhere in 2^40 bytes. */
int xenos_texture_decode(xenos_texture *texture, const uint32_t fetch[6]);

/* Physical address of a block. `slice` is a volume's z or an array's slice. */
uint64_t xenos_texture_address(const xenos_texture *texture, uint32_t level, uint32_t x, uint32_t y,
                               uint32_t slice);

/* Bytes start..end that hold the blocks of a level and its padding. */
void xenos_texture_range(const xenos_texture *texture, uint32_t level, uint64_t *start,
                         uint64_t *end);

/* The first level that is packed. */
uint32_t xenos_texture_packed_level(uint32_t width, uint32_t height);

/* Where a packed level begins, in texels of x and y and in slices. Sizes are those of level 0. */
void xenos_texture_packed_offset(uint32_t width, uint32_t height, uint32_t depth, uint32_t level,
                                 uint32_t *x, uint32_t *y, uint32_t *z);

#endif
