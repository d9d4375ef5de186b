/* Sixteen vertices or pixels side by side. Vectors are the compiler's (gcc and clang): it splits them
 * into what the host has. Arithmetic is IEEE single precision, one rounding an operation, no fused
 * multiply-add: every host and every width gives the same bits.
 *
 * Between files vectors go by pointer: how they are passed by value depends on the host's instruction
 * set. They are aligned to 64 bytes; so is whatever holds them (aligned_alloc).
 *
 * Pixels of a 4x4 block lie in quads of 2x2: lane = quad * 4 + (y & 1) * 2 + (x & 1), and
 * quad = (y >> 1) * 2 + (x >> 1). */
#ifndef SOFT_LANES_H
#define SOFT_LANES_H

#include <stdint.h>
#include <string.h>

#define SOFT_LANES  16
#define SOFT_INLINE static inline __attribute__((always_inline))

typedef float soft_f __attribute__((vector_size(SOFT_LANES * 4)));
typedef int32_t soft_i __attribute__((vector_size(SOFT_LANES * 4)));
typedef uint32_t soft_u __attribute__((vector_size(SOFT_LANES * 4)));

typedef struct soft_vec4 {
    soft_f c[4];
} soft_vec4;

/* Bit n: lane n. */
typedef uint32_t soft_mask;
#define SOFT_ALL 0xFFFFu

SOFT_INLINE soft_f soft_splat(float v)
{
    uint32_t bits; /* 0 + v would turn -0 into +0 */
    memcpy(&bits, &v, sizeof bits);
    return (soft_f)((soft_u){0} + bits);
}

SOFT_INLINE soft_i soft_splat_i(int32_t v)
{
    return (soft_i){0} + v;
}

SOFT_INLINE soft_f soft_as_f(soft_i v)
{
    return (soft_f)v;
}

SOFT_INLINE soft_i soft_as_i(soft_f v)
{
    return (soft_i)v;
}

/* `condition` is all ones or all zeros in each lane, as comparisons give. */
SOFT_INLINE soft_f soft_select(soft_i condition, soft_f yes, soft_f no)
{
    return (soft_f)((condition & (soft_i)yes) | (~condition & (soft_i)no));
}

SOFT_INLINE soft_i soft_select_i(soft_i condition, soft_i yes, soft_i no)
{
    return (condition & yes) | (~condition & no);
}

/* All ones in the lanes of a mask. */
SOFT_INLINE soft_i soft_expand(soft_mask mask)
{
    static const soft_i bit = {1,     2,     4,     8,     0x10,   0x20,   0x40,   0x80,
                               0x100, 0x200, 0x400, 0x800, 0x1000, 0x2000, 0x4000, 0x8000};
    return (soft_splat_i((int32_t)mask) & bit) != 0;
}

/* The way back: one bit for each lane that is not zero. */
SOFT_INLINE soft_mask soft_gather(soft_i condition)
{
    soft_mask mask = 0;
    for (int i = 0; i < SOFT_LANES; i++) {
        mask |= (condition[i] != 0 ? 1u : 0u) << i;
    }
    return mask;
}

#endif
