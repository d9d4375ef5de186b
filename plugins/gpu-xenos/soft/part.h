/* Sixteen lanes cut into what one register of the host holds. Loops over parts keep everything in
 * registers where whole soft_f's would be spilled; a lane's bits do not depend on the cut. */
#ifndef SOFT_PART_H
#define SOFT_PART_H

#include <float.h>

#include "lanes.h"

#if defined(__AVX512F__)
#define SOFT_PART 16
#elif defined(__AVX2__)
#define SOFT_PART 8
#else
#define SOFT_PART 4
#endif
#define SOFT_PARTS (SOFT_LANES / SOFT_PART)

typedef float part_f __attribute__((vector_size(SOFT_PART * 4), may_alias));
typedef int32_t part_i __attribute__((vector_size(SOFT_PART * 4), may_alias));
typedef uint32_t part_u __attribute__((vector_size(SOFT_PART * 4), may_alias));
typedef double part_d __attribute__((vector_size(SOFT_PART * 8)));
typedef uint64_t part_l __attribute__((vector_size(SOFT_PART * 8)));

/* Doubles that fill a register of the host, the singles they become, and how many such there are. */
#define SOFT_HALVES (2 * SOFT_PARTS)
typedef double half_d __attribute__((vector_size(SOFT_PART * 4), may_alias));
typedef uint64_t half_l __attribute__((vector_size(SOFT_PART * 4), may_alias));
typedef float half_f __attribute__((vector_size(SOFT_PART * 2), may_alias));

/* Two halves side by side: what is stored in halves is not soon loaded whole. */
#if SOFT_PART == 16
#define PART_JOIN(a, b)                                                                            \
    __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
#elif SOFT_PART == 8
#define PART_JOIN(a, b) __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7)
#else
#define PART_JOIN(a, b) __builtin_shufflevector(a, b, 0, 1, 2, 3)
#endif

/* Integers as doubles, exactly. gcc 12 without optimisation fails on sixteen at once. */
#if defined(__OPTIMIZE__) || defined(__clang__)
#define PART_WIDEN(v) __builtin_convertvector(v, part_d)
#else
#define PART_WIDEN(v)                                                                              \
    __extension__({                                                                                \
        __typeof__(v) part_from = (v);                                                             \
        part_d part_to;                                                                            \
        for (int part_at = 0; part_at < SOFT_PART; part_at++) {                                    \
            part_to[part_at] = (double)part_from[part_at];                                         \
        }                                                                                          \
        part_to;                                                                                   \
    })
#endif

#define PART_SIGN ((int32_t)0x80000000)

/* Ahead of a loop of a constant few turns. */
#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

/* Every bit as it is: adding a float to zero would lose the sign of -0. */
SOFT_INLINE part_f part_splat(uint32_t bits)
{
    return (part_f)((part_u){0} + bits);
}

SOFT_INLINE part_f part_select(part_i condition, part_f yes, part_f no)
{
    return (part_f)((condition & (part_i)yes) | (~condition & (part_i)no));
}

SOFT_INLINE part_f part_absolute(part_f v)
{
    return (part_f)((part_i)v & ~PART_SIGN);
}

/* Denormals become the zero of their sign. */
SOFT_INLINE part_f part_flush(part_f v)
{
    part_i tiny = ((part_i)v & 0x7F800000) == 0;
    return (part_f)((part_i)v & (~tiny | PART_SIGN));
}

/* What arithmetic gives: denormals flushed, and one NaN, all bits set. Which operand's NaN comes out
 * of an addition depends on how the compiler orders it. */
SOFT_INLINE part_f part_settle(part_f v)
{
    part_i normal = part_absolute(v) >= FLT_MIN;
    return (part_f)(((part_i)v & (normal | PART_SIGN)) | (v != v));
}

/* 0 * anything is +0. Operands are flushed; the result is not settled. */
SOFT_INLINE part_f part_multiply(part_f a, part_f b)
{
    part_i zero = (a == 0.0f) | (b == 0.0f);
    return (part_f)(~zero & (part_i)(a * b));
}

/* Towards 0. 2^23 + |v| rounds |v| to an integer; from 2^23 on everything is one. */
SOFT_INLINE part_f part_truncate(part_f v)
{
    part_f magnitude = part_absolute(v);
    part_f rounded = (magnitude + 8388608.0f) - 8388608.0f;
    rounded -= (part_f)((part_i)((part_f){0} + 1.0f) & (rounded > magnitude));
    rounded = (part_f)((part_i)rounded | ((part_i)v & PART_SIGN));
    rounded = part_select(magnitude < 8388608.0f, rounded, v);
    return (part_f)((part_i)rounded | (v != v));
}

/* Towards -infinity. */
SOFT_INLINE part_f part_floor(part_f v)
{
    part_f whole = part_truncate(v);
    part_i above = whole > v;
    /* -0 less 1 is -1; where nothing is above, the bits stay */
    return part_select(above, whole - 1.0f, whole);
}

/* 1.0 where `condition`, else 0.0. */
SOFT_INLINE part_f part_boolean(part_i condition)
{
    return (part_f)(condition & 0x3F800000);
}

/* To 0..1; NaN and -0 become +0. */
SOFT_INLINE part_f part_saturate(part_f v)
{
    v = (part_f)((part_i)v & (v > 0.0f));
    return part_select(v < 1.0f, v, (part_f){0} + 1.0f);
}

/* A bit per lane of sixteen conditions that are all ones or all zeros. */
SOFT_INLINE soft_mask part_gather(const part_i condition[SOFT_PARTS])
{
    static const int32_t bit[SOFT_LANES]
        __attribute__((aligned(64))) = {1,     2,     4,     8,     0x10,   0x20,   0x40,   0x80,
                                        0x100, 0x200, 0x400, 0x800, 0x1000, 0x2000, 0x4000, 0x8000};
    part_i sum = {0};
    for (int i = 0; i < SOFT_PARTS; i++) {
        sum |= condition[i] & ((const part_i *)bit)[i];
    }
    soft_mask mask = 0;
    for (int i = 0; i < SOFT_PART; i++) {
        mask |= (uint32_t)sum[i];
    }
    return mask;
}

#endif
