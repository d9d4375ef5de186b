/* A block of 4x4 pixels in EDRAM: its dwords part by part (part.h), and back. The bytes are little
 * endian, as the host is. */
#ifndef SOFT_BLOCK_H
#define SOFT_BLOCK_H

#include "../edram.h"
#include "part.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "EDRAM is read as little-endian dwords");

SOFT_INLINE part_i part_select_i(part_i condition, part_i yes, part_i no)
{
    return (condition & yes) | (~condition & no);
}

SOFT_INLINE part_f part_number(float v)
{
    uint32_t bits;
    memcpy(&bits, &v, sizeof bits);
    return part_splat(bits);
}

SOFT_INLINE part_i part_integer(int32_t v)
{
    return (part_i){0} + v;
}

SOFT_INLINE part_u part_to_int(part_f v)
{
    return (part_u) __builtin_convertvector(v, part_i);
}

SOFT_INLINE part_f part_to_float(part_u v)
{
    return __builtin_convertvector((part_i)v, part_f);
}

/* Part n of sixteen lanes. */
SOFT_INLINE part_f part_of(const soft_f *lanes, uint32_t n)
{
    return ((const part_f *)lanes)[n];
}

/* All ones in the lanes of part n that are in the mask. */
SOFT_INLINE part_i part_expand(soft_mask mask, uint32_t n)
{
    static const int32_t bit[SOFT_LANES]
        __attribute__((aligned(64))) = {1,     2,     4,     8,     0x10,   0x20,   0x40,   0x80,
                                        0x100, 0x200, 0x400, 0x800, 0x1000, 0x2000, 0x4000, 0x8000};
    part_i bits = ((const part_i *)bit)[n];
    return (((part_i){0} + (int32_t)mask) & bits) == bits;
}

typedef uint32_t soft_quad __attribute__((vector_size(16)));

#define SOFT_SHUFFLE(a, b, w, x, y, z) __builtin_shufflevector(a, b, w, x, y, z)

/* Where a block's dwords lie: pixel (x, y) has dword `x * stride + pick` of the row at y * row. */
typedef struct soft_block {
    uint8_t *at;     /* of the first pixel's first dword */
    uint32_t row;    /* bytes from one row of pixels to the next */
    uint32_t stride; /* dwords from one pixel to the next: 1, 2 or 4 */
} soft_block;

SOFT_INLINE soft_block soft_block_at(uint8_t *edram, const xenos_target *target, uint32_t x,
                                     uint32_t y)
{
    soft_block block = {
        .at = edram + xenos_target_offset(target, x, y),
        .row = XENOS_EDRAM_ROW_BYTES << target->y_log2,
        .stride = 1u << target->x_log2 << target->wide,
    };
    return block;
}

SOFT_INLINE uint64_t soft_load64(const uint8_t *at)
{
    uint64_t v;
    memcpy(&v, at, sizeof v);
    return v;
}

SOFT_INLINE soft_quad soft_load128(const uint8_t *at)
{
    soft_quad v;
    memcpy(&v, at, sizeof v);
    return v;
}

/* The first pixel of quad n (lanes.h) in sample row `down` (0, 1). */
SOFT_INLINE uint8_t *soft_quad_at(const soft_block *block, uint32_t stride, uint32_t down,
                                  uint32_t n)
{
    return block->at + down * XENOS_EDRAM_ROW_BYTES + (n >> 1) * 2 * block->row +
           (n & 1) * 8 * stride;
}

/* `stride` is block->stride, apart so that it can be a constant. */
SOFT_INLINE soft_quad soft_quad_load(const uint8_t *at, uint32_t row, uint32_t stride,
                                     uint32_t pick)
{
    if (stride == 1) {
        typedef uint64_t pair __attribute__((vector_size(16)));
        pair both = {soft_load64(at), soft_load64(at + row)};
        return (soft_quad)both;
    }
    if (stride == 2) {
        soft_quad a = soft_load128(at);
        soft_quad b = soft_load128(at + row);
        return pick == 0 ? SOFT_SHUFFLE(a, b, 0, 2, 4, 6) : SOFT_SHUFFLE(a, b, 1, 3, 5, 7);
    }
    uint32_t dword[4];
    for (uint32_t i = 0; i < 4; i++) {
        memcpy(&dword[i], at + (i >> 1) * row + ((i & 1) * stride + pick) * 4, 4);
    }
    return (soft_quad){dword[0], dword[1], dword[2], dword[3]};
}

SOFT_INLINE void soft_quad_store(uint8_t *at, uint32_t row, uint32_t stride, uint32_t pick,
                                 soft_quad value)
{
    if (stride == 1) {
        memcpy(at, &value, 8);
        memcpy(at + row, (const char *)&value + 8, 8);
    } else if (stride == 2) {
        soft_quad other = soft_quad_load(at, row, 2, pick ^ 1);
        soft_quad even = pick == 0 ? value : other;
        soft_quad odd = pick == 0 ? other : value;
        soft_quad a = SOFT_SHUFFLE(even, odd, 0, 4, 1, 5);
        soft_quad b = SOFT_SHUFFLE(even, odd, 2, 6, 3, 7);
        memcpy(at, &a, sizeof a);
        memcpy(at + row, &b, sizeof b);
    } else {
        for (uint32_t i = 0; i < 4; i++) {
            uint32_t dword = value[i];
            memcpy(at + (i >> 1) * row + ((i & 1) * stride + pick) * 4, &dword, 4);
        }
    }
}

/* Part n of the dwords with index `pick` in each pixel's sample row `down`. */
SOFT_INLINE part_u soft_block_load(const soft_block *block, uint32_t stride, uint32_t down,
                                   uint32_t pick, uint32_t n)
{
    soft_quad quad[SOFT_PART / 4];
    for (uint32_t i = 0; i < SOFT_PART / 4; i++) {
        const uint8_t *at = soft_quad_at(block, stride, down, n * (SOFT_PART / 4) + i);
        quad[i] = soft_quad_load(at, block->row, stride, pick);
    }
#if SOFT_PART == 4
    return (part_u)quad[0];
#else
    typedef uint32_t eight __attribute__((vector_size(32)));
    eight low = __builtin_shufflevector(quad[0], quad[1], 0, 1, 2, 3, 4, 5, 6, 7);
#if SOFT_PART == 8
    return (part_u)low;
#else
    eight high = __builtin_shufflevector(quad[2], quad[3], 0, 1, 2, 3, 4, 5, 6, 7);
    return (part_u)PART_JOIN(low, high);
#endif
#endif
}

SOFT_INLINE void soft_block_store(const soft_block *block, uint32_t stride, uint32_t down,
                                  uint32_t pick, uint32_t n, part_u value)
{
    soft_quad quad[SOFT_PART / 4];
    memcpy(quad, &value, sizeof quad);
    for (uint32_t i = 0; i < SOFT_PART / 4; i++) {
        uint8_t *at = soft_quad_at(block, stride, down, n * (SOFT_PART / 4) + i);
        soft_quad_store(at, block->row, stride, pick, quad[i]);
    }
}

#endif
