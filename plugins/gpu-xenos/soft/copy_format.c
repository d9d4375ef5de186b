#include "copy_format.h"

#include "../edram.h"

#define BIT(n)    (1u << (n))
#define SAME_8888 (BIT(XENOS_COLOR_8_8_8_8) | BIT(XENOS_COLOR_8_8_8_8_GAMMA))

static const soft_copy_format formats[64] = {
    [2] = {SOFT_COPY_FRACTION, 0, {8}, 0},                   /* 8 */
    [3] = {SOFT_COPY_FRACTION, 1, {5, 5, 5, 1}, 0},          /* 1_5_5_5 */
    [4] = {SOFT_COPY_FRACTION, 1, {5, 6, 5}, 0},             /* 5_6_5 */
    [5] = {SOFT_COPY_FRACTION, 1, {5, 5, 6}, 0},             /* 6_5_5 */
    [6] = {SOFT_COPY_FRACTION, 2, {8, 8, 8, 8}, SAME_8888},  /* 8_8_8_8 */
    [7] = {SOFT_COPY_FRACTION, 2, {10, 10, 10, 2}, BIT(2)},  /* 2_10_10_10 */
    [8] = {SOFT_COPY_FRACTION, 0, {8}, 0},                   /* 8_A */
    [9] = {SOFT_COPY_FRACTION, 0, {8}, 0},                   /* 8_B */
    [10] = {SOFT_COPY_FRACTION, 1, {8, 8}, 0},               /* 8_8 */
    [14] = {SOFT_COPY_FRACTION, 2, {8, 8, 8, 8}, SAME_8888}, /* 8_8_8_8_A */
    [15] = {SOFT_COPY_FRACTION, 1, {4, 4, 4, 4}, 0},         /* 4_4_4_4 */
    [16] = {SOFT_COPY_FRACTION, 2, {11, 11, 10}, 0},         /* 10_11_11 */
    [17] = {SOFT_COPY_FRACTION, 2, {10, 11, 11}, 0},         /* 11_11_10 */
    [24] = {SOFT_COPY_FRACTION, 1, {16}, 0},                 /* 16 */
    [25] = {SOFT_COPY_FRACTION, 2, {16, 16}, 0},             /* 16_16 */
    [26] = {SOFT_COPY_FRACTION, 3, {16, 16, 16, 16}, 0},     /* 16_16_16_16 */
    [30] = {SOFT_COPY_HALF, 1, {16}, 0},                     /* 16_FLOAT */
    [31] = {SOFT_COPY_HALF, 2, {16, 16}, BIT(6)},            /* 16_16_FLOAT */
    [32] = {SOFT_COPY_HALF, 3, {16, 16, 16, 16}, BIT(7)},    /* 16_16_16_16_FLOAT */
    [36] = {SOFT_COPY_FLOAT, 2, {32}, BIT(14)},              /* 32_FLOAT */
    [37] = {SOFT_COPY_FLOAT, 3, {32, 32}, BIT(15)},          /* 32_32_FLOAT */
    [38] = {SOFT_COPY_FLOAT, 4, {32, 32, 32, 32}, 0},        /* 32_32_32_32_FLOAT */
    [50] = {SOFT_COPY_FRACTION, 2, {8, 8, 8, 8}, SAME_8888}, /* 8_8_8_8_AS_16_16_16_16 */
    [54] = {SOFT_COPY_FRACTION, 2, {10, 10, 10, 2}, BIT(2)}, /* 2_10_10_10_AS_16_16_16_16 */
    [55] = {SOFT_COPY_FRACTION, 2, {11, 11, 10}, 0},         /* 10_11_11_AS_16_16_16_16 */
    [56] = {SOFT_COPY_FRACTION, 2, {10, 11, 11}, 0},         /* 11_11_10_AS_16_16_16_16 */
};

const soft_copy_format *soft_copy_format_of(uint32_t number)
{
    return &formats[number & 63];
}
