#include "texture_layout.h"

#include <string.h>

#include "format.h"
#include "state.h"
#include "tiling.h"

#define PAGE      UINT64_C(4096)
#define ROW_ALIGN 256u /* bytes of a linear row (xenia xenos.h, kTextureLinearRowAlignmentBytes) */

static uint32_t log2_floor(uint32_t v)
{
    uint32_t n = 0;
    while (v > 1) {
        v >>= 1;
        n++;
    }
    return n;
}

/* Of a size from 1 to 2^24. */
static uint32_t log2_ceil(uint32_t v)
{
    return v <= 1 ? 0 : log2_floor(v - 1) + 1;
}

static uint32_t min_u(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static uint32_t max_u(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static uint32_t blocks(uint32_t texels, uint32_t block)
{
    return (texels + block - 1) / block;
}

uint32_t xenos_texture_packed_level(uint32_t width, uint32_t height)
{
    uint32_t size = min_u(log2_ceil(width), log2_ceil(height));
    return size > 4 ? size - 4 : 0;
}

/* The tail as xenia's GetPackedMipOffset draws it: levels of 16, 8 and 4 texels lie beside each
 * other across the longer side's direction, smaller ones along it, each at its own size's multiple,
 * so that none shares a block with another. */
void xenos_texture_packed_offset(uint32_t width, uint32_t height, uint32_t depth, uint32_t level,
                                 uint32_t *x, uint32_t *y, uint32_t *z)
{
    uint32_t log2_width = log2_ceil(width);
    uint32_t log2_height = log2_ceil(height);
    uint32_t first = xenos_texture_packed_level(width, height);
    uint32_t wide = log2_width > log2_height;
    uint32_t tail = level > first ? level - first : 0;
    *x = *y = *z = 0;
    if (min_u(log2_width, log2_height) > 4 + level) {
        return; /* not packed */
    }
    if (tail < 3) {
        *(wide ? y : x) = 16u >> tail;
        return;
    }
    uint32_t longer = (wide ? log2_width : log2_height) - first;
    uint32_t offset = (UINT32_C(1) << longer) >> min_u(tail - 2, 31);
    *(wide ? x : y) = offset;
    if (offset < 4) { /* no block is left beside: along z */
        uint32_t log2_depth = log2_ceil(depth);
        *z = log2_depth > 1 + tail ? (log2_depth - tail) * 4 : 4;
    }
}

/* The storage that a level lies in: its row and slice strides. `pitch` and `rows` are in texels. */
static void set_storage(const xenos_texture *texture, xenos_texture_level *level, uint32_t pitch,
                        uint32_t rows, uint32_t depth, int is_base)
{
    int is_1d = texture->dimension == XENOS_TEXTURE_1D;
    level->pitch = xenos_tile_align(blocks(pitch, texture->block_width));
    level->rows = is_1d ? 1 : xenos_tile_align(blocks(rows, texture->block_height));
    level->row_bytes = level->pitch * texture->block_bytes;
    if (!texture->tiled && !is_base) {
        level->row_bytes = (level->row_bytes + ROW_ALIGN - 1) & ~(ROW_ALIGN - 1);
    }
    uint64_t bytes = (uint64_t)level->row_bytes * level->rows;
    if (texture->dimension == XENOS_TEXTURE_3D) {
        bytes *= (depth + XENOS_TILE_DEPTH - 1) & ~(XENOS_TILE_DEPTH - 1);
    }
    level->slice_bytes = (bytes + PAGE - 1) & ~(PAGE - 1);
}

static void set_size(const xenos_texture *texture, xenos_texture_level *level, uint32_t number)
{
    level->width = max_u(texture->width >> number, 1);
    level->height = max_u(texture->height >> number, 1);
    level->depth = texture->dimension == XENOS_TEXTURE_3D ? max_u(texture->depth >> number, 1)
                                                          : texture->depth;
    level->blocks_across = blocks(level->width, texture->block_width);
    level->blocks_up = blocks(level->height, texture->block_height);
}

static void set_packed(const xenos_texture *texture, xenos_texture_level *level, uint32_t number)
{
    uint32_t depth = texture->dimension == XENOS_TEXTURE_3D ? texture->depth : 1;
    xenos_texture_packed_offset(texture->width, texture->height, depth, number, &level->x,
                                &level->y, &level->z);
    level->x /= texture->block_width;
    level->y /= texture->block_height;
}

static void set_mips(xenos_texture *texture, uint64_t start, uint32_t first_packed)
{
    int volume = texture->dimension == XENOS_TEXTURE_3D;
    uint32_t width = log2_ceil(texture->width);
    uint32_t height = log2_ceil(texture->height);
    uint32_t depth = log2_ceil(texture->depth);
    uint64_t slices = volume ? 1 : texture->depth;
    for (uint32_t n = 1; n <= texture->max_level; n++) {
        xenos_texture_level *level = &texture->levels[n];
        uint32_t stored = min_u(n, first_packed); /* 0: the tail of a small texture */
        set_size(texture, level, n);
        set_storage(texture, level, 1u << (width > stored ? width - stored : 0),
                    1u << (height > stored ? height - stored : 0),
                    volume ? 1u << (depth > stored ? depth - stored : 0) : 1, 0);
        level->start = start;
        if (n >= first_packed) {
            set_packed(texture, level, n);
        } else {
            start += level->slice_bytes * slices;
        }
    }
}

static void set_sizes(xenos_texture *texture, uint32_t size, uint32_t stacked)
{
    switch (texture->dimension) {
    case XENOS_TEXTURE_1D:
        texture->width = xenos_bits(size, 0, 24) + 1;
        texture->height = texture->depth = 1;
        break;
    case XENOS_TEXTURE_3D:
        texture->width = xenos_bits(size, 0, 11) + 1;
        texture->height = xenos_bits(size, 11, 11) + 1;
        texture->depth = xenos_bits(size, 22, 10) + 1;
        break;
    default:
        texture->width = xenos_bits(size, 0, 13) + 1;
        texture->height = xenos_bits(size, 13, 13) + 1;
        texture->depth = texture->dimension == XENOS_TEXTURE_CUBE ? 6
                         : stacked                                ? xenos_bits(size, 26, 6) + 1
                                                                  : 1;
        break;
    }
}

/* Which levels exist: as the addresses, the constant's limits and the size allow. */
static void set_levels(xenos_texture *texture, uint32_t limits, uint32_t base, uint32_t mips)
{
    uint32_t longest = max_u(texture->width, texture->height);
    if (texture->dimension == XENOS_TEXTURE_3D) {
        longest = max_u(longest, texture->depth);
    }
    uint32_t last = min_u(log2_floor(longest), XENOS_TEXTURE_LEVELS - 1);
    texture->min_level = texture->max_level = 0;
    if (mips != 0) {
        texture->min_level = min_u(xenos_bits(limits, 2, 4), last);
        texture->max_level = max_u(min_u(xenos_bits(limits, 6, 4), last), texture->min_level);
        if (texture->max_level != 0 && base == 0 && texture->min_level == 0) {
            texture->min_level = 1;
        }
    }
}

int xenos_texture_decode(xenos_texture *texture, const uint32_t fetch[6])
{
    memset(texture, 0, sizeof *texture);
    uint32_t base = fetch[1] & 0x1FFFF000u;
    uint32_t mips = fetch[5] & 0x1FFFF000u;
    if ((fetch[0] & 3) != 2 || (base == 0 && mips == 0)) {
        return 0;
    }
    texture->dimension = xenos_bits(fetch[5], 9, 2);
    texture->format = xenos_bits(fetch[1], 0, 6);
    texture->endian = xenos_bits(fetch[1], 6, 2);
    texture->tiled = fetch[0] >> 31;
    texture->packed = xenos_bits(fetch[5], 11, 1);
    if (texture->dimension == XENOS_TEXTURE_1D) { /* neither has a meaning there */
        texture->tiled = texture->packed = 0;
    }
    const xenos_format *format = xenos_format_of(texture->format);
    texture->block_width = format->block_width;
    texture->block_height = format->block_height;
    texture->block_bytes = format->bits / 8u;
    set_sizes(texture, fetch[2], xenos_bits(fetch[1], 10, 1));
    set_levels(texture, fetch[4], base, mips);
    if (texture->max_level == 0 && base == 0) {
        return 0;
    }

    uint32_t first_packed = texture->packed
                                ? xenos_texture_packed_level(texture->width, texture->height)
                                : XENOS_TEXTURE_LEVELS;
    if (texture->min_level == 0) {
        xenos_texture_level *level = &texture->levels[0];
        uint32_t pitch = xenos_bits(fetch[0], 22, 9) * 32;
        set_size(texture, level, 0);
        set_storage(texture, level, pitch != 0 ? pitch : texture->width, texture->height,
                    texture->depth, pitch != 0);
        level->start = base;
        if (first_packed == 0) {
            set_packed(texture, level, 0);
        }
    }
    set_mips(texture, mips, first_packed);
    return 1;
}

/* Blocks of 12 bytes are addressed as if of 8 where they are tiled, as Direct3D computes it (xenia
 * texture_util.h). */
static uint32_t bytes_log2(const xenos_texture *texture)
{
    return log2_floor(texture->block_bytes);
}

uint64_t xenos_texture_address(const xenos_texture *texture, uint32_t number, uint32_t x,
                               uint32_t y, uint32_t slice)
{
    const xenos_texture_level *level = &texture->levels[number];
    int volume = texture->dimension == XENOS_TEXTURE_3D;
    uint64_t at = level->start + (volume ? 0 : slice * level->slice_bytes);
    x += level->x;
    y += level->y;
    if (!texture->tiled) {
        uint64_t row = volume ? (uint64_t)(slice + level->z) * level->rows + y : y;
        return at + row * level->row_bytes + (uint64_t)x * texture->block_bytes;
    }
    if (volume) {
        return at + xenos_tiled_offset_3d(x, y, slice + level->z, level->pitch, level->rows,
                                          bytes_log2(texture));
    }
    return at + xenos_tiled_offset(x, y, level->pitch, bytes_log2(texture));
}

void xenos_texture_range(const xenos_texture *texture, uint32_t number, uint64_t *start,
                         uint64_t *end)
{
    const xenos_texture_level *level = &texture->levels[number];
    int volume = texture->dimension == XENOS_TEXTURE_3D;
    uint32_t x = level->blocks_across - 1;
    uint32_t y = level->blocks_up - 1;
    uint32_t slice = level->depth - 1;
    *start = level->start;
    if (!texture->tiled) {
        *end = xenos_texture_address(texture, number, x, y, slice) + texture->block_bytes;
        return;
    }
    /* Macro tiles are in ascending order; the last one's origin and the span of a tile bound them
     * all (xenia texture_util.cc, GetTiledAddressUpperBound2D and 3D). */
    uint32_t log2 = bytes_log2(texture);
    x = (x + level->x) & ~31u;
    y = (y + level->y) & ~31u;
    if (volume) {
        uint64_t span = (((uint64_t)level->pitch << 6) + 0x800) << log2;
        slice = (slice + level->z) & ~3u;
        *end = *start + xenos_tiled_offset_3d(x, y, slice, level->pitch, level->rows, log2) +
               (span > PAGE ? span : PAGE);
    } else {
        uint64_t span = UINT64_C(0x400) << log2;
        *end = *start + slice * level->slice_bytes + xenos_tiled_offset(x, y, level->pitch, log2) +
               (span > PAGE ? span : PAGE);
    }
}
