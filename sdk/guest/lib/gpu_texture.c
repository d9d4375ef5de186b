/* Textures: where their texels lie, and their fetch constants. Sources: xenia xenos.h
 * (xe_gpu_texture_fetch_t), texture_address.h, texture_util.cc (GetPackedMipOffset). */
#include "gpu.h"

#define TILE       32u /* blocks; sides of tiled surfaces are whole tiles */
#define TILE_DEPTH 4u  /* slices of a volume that lie together */
#define PAGE       4096u
#define FACES      6u
#define TAIL_LOG2  4u /* levels of 16 texels and less share their storage */

/* How the texels of a format lie in memory, and how a shader gets their components: of 8_8_8_8 memory
 * holds ARGB words; depth and 8 go to red, green and blue; what is not there is 0, alpha 1. */
typedef struct texel_format {
    u8 format, bytes_log2; /* of a block */
    u8 side_log2;          /* texels of a block */
    u8 endian;
    u16 swizzle;
} texel_format;

static const texel_format formats[] = {
    {GPU_TEXTURE_8_8_8_8, 2, 0, ENDIAN_8_IN_32, 0x60A},
    {GPU_TEXTURE_8, 0, 0, ENDIAN_NONE, 0xA00},
    {GPU_TEXTURE_24_8, 2, 0, ENDIAN_8_IN_32, 0xA00},
    {GPU_TEXTURE_16_16, 2, 0, ENDIAN_8_IN_32, 0xB08},
    {GPU_TEXTURE_16_16_FLOAT, 2, 0, ENDIAN_8_IN_32, 0xB08},
    {GPU_TEXTURE_32_FLOAT, 2, 0, ENDIAN_8_IN_32, 0xB20},
    {GPU_TEXTURE_32_32_FLOAT, 3, 0, ENDIAN_8_IN_32, 0xB08},
    {GPU_TEXTURE_16_16_16_16, 3, 0, ENDIAN_8_IN_32, 0x688},
    {GPU_TEXTURE_16_16_16_16_FLOAT, 3, 0, ENDIAN_8_IN_32, 0x688},
    {GPU_TEXTURE_DXT1, 3, 2, ENDIAN_8_IN_16, 0x688},
    {GPU_TEXTURE_DXT2_3, 4, 2, ENDIAN_8_IN_16, 0x688},
    {GPU_TEXTURE_DXT4_5, 4, 2, ENDIAN_8_IN_16, 0x688},
};

static const texel_format *format_of(u32 format)
{
    static const texel_format other = {0, 2, 0, ENDIAN_8_IN_32, 0x688};
    for (u32 i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        if (formats[i].format == format) {
            return &formats[i];
        }
    }
    return &other;
}

static u32 log2_up(u32 value)
{
    return value <= 1 ? 0 : 32 - (u32)__builtin_clz(value - 1);
}

static bool has_mips(const gpu_texture *t)
{
    return t->levels > 1 && t->kind != GPU_3D;
}

/* The level from which on all lie in one storage; without mips none does. */
static u32 first_of_tail(const gpu_texture *t)
{
    u32 width = log2_up(t->width);
    u32 height = log2_up(t->height);
    u32 shorter = width < height ? width : height;
    return !has_mips(t) ? 32 : shorter > TAIL_LOG2 ? shorter - TAIL_LOG2 : 0;
}

/* Blocks of a side, whole tiles; levels behind the first are as if the first were a power of two. */
static u32 tiled_side(u32 side, u32 level, u32 block_log2)
{
    if (level > 0) {
        u32 log2 = log2_up(side);
        side = log2 > level ? 1u << (log2 - level) : 1;
    }
    u32 blocks = (side + (1u << block_log2) - 1) >> block_log2;
    return (blocks + TILE - 1) & ~(TILE - 1);
}

/* Bytes of a level, of one face, and its sides. */
static u32 level_bytes(const gpu_texture *t, u32 level, u32 *across, u32 *down)
{
    const texel_format *f = format_of(t->format);
    *across = tiled_side(t->width, level, f->side_log2);
    *down = tiled_side(t->height, level, f->side_log2);
    u32 slices = t->kind == GPU_3D ? (t->depth + TILE_DEPTH - 1) & ~(TILE_DEPTH - 1) : 1;
    u32 bytes = (*across * *down * slices) << f->bytes_log2;
    return (bytes + PAGE - 1) & ~(PAGE - 1);
}

static u32 faces(const gpu_texture *t)
{
    return t->kind == GPU_CUBE ? FACES : 1;
}

u32 gpu_texture_bytes(const gpu_texture *t)
{
    u32 across;
    u32 down;
    return level_bytes(t, 0, &across, &down) * faces(t);
}

/* Bytes of the storages of mips before the one that holds `level`. */
static u32 bytes_before(const gpu_texture *t, u32 level)
{
    u32 across;
    u32 down;
    u32 bytes = 0;
    for (u32 n = 1; n < level; n++) {
        bytes += level_bytes(t, n, &across, &down) * faces(t);
    }
    return bytes;
}

static u32 stored_level(const gpu_texture *t, u32 level)
{
    u32 tail = first_of_tail(t);
    return level < tail ? level : tail;
}

u32 gpu_mip_bytes(const gpu_texture *t)
{
    u32 across;
    u32 down;
    u32 last = stored_level(t, t->levels - 1);
    return bytes_before(t, last) + level_bytes(t, last, &across, &down) * faces(t);
}

bool gpu_texture_make(gpu_texture *t)
{
    t->base = gpu_alloc(gpu_texture_bytes(t));
    t->mips = has_mips(t) ? gpu_alloc(gpu_mip_bytes(t)) : NULL;
    return t->base != NULL && (t->mips != NULL || !has_mips(t));
}

/* Where a level of the tail begins, in texels: 16, 8 and 4 beside each other across the direction of the
 * longer side, smaller ones along it. */
static void tail_offset(const gpu_texture *t, u32 level, u32 *x, u32 *y)
{
    u32 first = first_of_tail(t);
    if (level < first) {
        return;
    }
    u32 n = level - first;
    bool wide = log2_up(t->width) > log2_up(t->height);
    u32 longer = 1u << (log2_up(wide ? t->width : t->height) - first);
    if (n < 3) {
        *(wide ? y : x) += 16u >> n;
    } else {
        *(wide ? x : y) += longer >> (n - 2);
    }
}

/* Bits of an address within the surface: 3..0 from the row, 4 is y bit 0, 5 from the row, 7..6 choose the
 * memory channel, 10..8 from the row, 11 the bank, the rest from the row. */
static u32 spread(u32 row, u32 y, u32 channel, u32 bank)
{
    return (row & 15) | (y & 1) << 4 | (row >> 4 & 1) << 5 | channel << 6 | (row >> 5 & 7) << 8 |
           bank << 11 | row >> 8 << 12;
}

static u32 offset_2d(u32 x, u32 y, u32 across, u32 bytes_log2)
{
    u32 tile = y / TILE * (across / TILE) + x / TILE;
    u32 row = (tile << 6 | (y >> 1 & 7) << 3 | (x & 7)) << bytes_log2;
    return spread(row, y, (x >> 3 & 3) ^ (y >> 3 & 1) << 1, y >> 4 & 1);
}

static u32 offset_3d(u32 x, u32 y, u32 z, u32 across, u32 down, u32 bytes_log2)
{
    u32 tile = (z / TILE_DEPTH * (down / 16) + y / 16) * (across / TILE) + x / TILE;
    u32 row = (tile << 7 | (z & 3) << 5 | (y >> 1 & 3) << 3 | (x & 7)) << bytes_log2;
    u32 bank = (y >> 3 ^ z >> 2) & 1;
    return spread(row, y, (x >> 3 & 3) ^ bank << 1, bank);
}

u32 gpu_tile_offset(u32 x, u32 y, u32 width)
{
    return offset_2d(x, y, (width + TILE - 1) & ~(TILE - 1), 2);
}

/* Most texels that a title stores are of level 0 of a flat texture: nothing is computed for those that they
 * do not need. */
void *gpu_texel(const gpu_texture *t, u32 level, u32 x, u32 y, u32 z)
{
    const texel_format *f = format_of(t->format);
    u32 stored = 0;
    u8 *storage = t->base;
    u32 across;
    u32 down;
    if (level > 0) {
        stored = stored_level(t, level);
        storage = (u8 *)t->mips + bytes_before(t, stored);
    }
    if (has_mips(t)) {
        tail_offset(t, level, &x, &y);
    }
    if (z > 0 || t->kind == GPU_3D) {
        u32 bytes = level_bytes(t, stored, &across, &down);
        if (t->kind == GPU_3D) {
            return storage + offset_3d(x, y, z, across, down, f->bytes_log2);
        }
        storage += z * bytes;
    }
    across = tiled_side(t->width, stored, f->side_log2);
    return storage + offset_2d(x >> f->side_log2, y >> f->side_log2, across, f->bytes_log2);
}

void gpu_set_texture(gpu *g, u32 slot, const gpu_texture *t, const gpu_sampler *s)
{
    static const u32 dimensions[] = {DIMENSION_2D, DIMENSION_3D, DIMENSION_CUBE};
    const texel_format *f = format_of(t->format);
    u32 pitch = (tiled_side(t->width, 0, f->side_log2) << f->side_log2) / 32;
    u32 addresses = s->addresses;
    u32 signs = t->sign * (t->sign == GPU_SIGNED ? 0x55 : 0x15) << 2; /* two bits a component */
    u32 size = t->kind == GPU_3D ? (t->width - 1) | (t->height - 1) << 11 | (t->depth - 1) << 22
                                 : (t->width - 1) | (t->height - 1) << 13 | (faces(t) - 1) << 26;
    const u32 fetch[6] = {
        FETCH_TEXTURE | signs | addresses << 10 | addresses << 13 | addresses << 16 | pitch << 22 |
            FETCH_TILED,
        t->format | f->endian << 6 | gpu_address(t->base),
        size,
        f->swizzle << 1 | ((u32)t->exponent & 63) << 13 | s->linear << 19 | s->linear << 21 |
            s->mip << 23,
        (has_mips(t) ? t->levels - 1 : 0) << 6 | s->linear | s->linear << 1,
        dimensions[t->kind] | (has_mips(t) ? FETCH_PACKED | gpu_address(t->mips) : 0),
    };
    if (slot == 0) {
        memcpy(g->fetch0, fetch, sizeof fetch);
    }
    gpu_write(g, CONSTANT_FETCH + 6 * slot, fetch, 6);
}
