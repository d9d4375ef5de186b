/* cmocka in the order it wants, and floats by their bits. */
#ifndef TESTS_GPU_SOFT_TEST_H
#define TESTS_GPU_SOFT_TEST_H

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
/* clang-format on */

static inline float bits_float(uint32_t bits)
{
    float out;
    memcpy(&out, &bits, sizeof out);
    return out;
}

static inline uint32_t float_bits(float value)
{
    uint32_t out;
    memcpy(&out, &value, sizeof out);
    return out;
}

#define assert_bits(VALUE, BITS) assert_int_equal(float_bits(VALUE), (BITS))

#endif
