/* The transcendental unit against the C library's long double functions, which carry 11 bits more than
 * double and reduce arguments of any size (glibc manual, "Errors in Math Functions": 1 ulp of long
 * double). Allowed: one ulp of single precision from the exact value. */
#include "soft_test.h"

#include <float.h>
#include <math.h>

#include "soft/math.h"

typedef void unit(const soft_f *in, soft_f *out);
typedef long double exact(long double x);

static float one(unit *f, float x)
{
    soft_f in = soft_splat(x), out;
    f(&in, &out);
    return out[5];
}

/* Distance from the exact value in units of the result's last place. */
static double ulps(float got, long double want)
{
    int exponent;
    frexpl(fabsl(want), &exponent);
    long double ulp = ldexpl(1.0L, exponent - 24 < -149 ? -149 : exponent - 24);
    return (double)(fabsl((long double)got - want) / ulp);
}

/* Every `step`th bit pattern from `first` to `last`; returns the largest distance. */
static double worst(unit *f, exact *truth, uint32_t first, uint32_t last, uint32_t step)
{
    double most = 0;
    for (uint64_t at = first; at <= last; at += 16 * (uint64_t)step) {
        soft_f in, out;
        for (uint32_t i = 0; i < 16; i++) {
            uint64_t bits = at + (uint64_t)i * step;
            in[i] = bits_float((uint32_t)(bits <= last ? bits : last));
        }
        f(&in, &out);
        for (uint32_t i = 0; i < 16; i++) {
            long double want = truth(in[i]);
            if (fabsl(want) < FLT_MIN || fabsl(want) > FLT_MAX) {
                continue; /* flushed or infinite: other tests */
            }
            double distance = ulps(out[i], want);
            most = distance > most ? distance : most;
        }
    }
    return most;
}

static long double exact_rsq(long double x)
{
    return 1.0L / sqrtl(x);
}

static long double exact_rcp(long double x)
{
    return 1.0L / x;
}

#define BITS_MIN 0x00800000u /* the smallest normal number */
#define BITS_MAX 0x7F7FFFFFu /* FLT_MAX */

static void test_exp2_is_within_an_ulp(void **state)
{
    (void)state;
    assert_true(worst(soft_exp2, exp2l, BITS_MIN, 0x43000000u, 4999) < 0.51);
    assert_true(worst(soft_exp2, exp2l, 0x80000000u | BITS_MIN, 0xC2FC0000u, 4999) < 0.51);
}

static void test_exp2_meets_whole_numbers_exactly(void **state)
{
    (void)state;
    for (int n = -126; n <= 127; n++) {
        assert_true(one(soft_exp2, (float)n) == ldexpf(1.0f, n));
    }
}

static void test_exp2_at_its_ends(void **state)
{
    (void)state;
    assert_bits(one(soft_exp2, 128.0f), 0x7F800000u);
    assert_bits(one(soft_exp2, INFINITY), 0x7F800000u);
    assert_bits(one(soft_exp2, -INFINITY), 0);
    assert_bits(one(soft_exp2, -127.0f), 0); /* 2^-127 is denormal */
    assert_bits(one(soft_exp2, -126.0f), BITS_MIN);
    assert_bits(one(soft_exp2, -0.0f), 0x3F800000u);
    assert_bits(one(soft_exp2, bits_float(0x7FC12345u)), UINT32_MAX);
    assert_bits(one(soft_exp2, bits_float(0x42FFFFFFu)), 0x7F7FFFA7u); /* 2^(128 - 2^-17) */
}

static void test_log2_is_within_an_ulp(void **state)
{
    (void)state;
    assert_true(worst(soft_log2, log2l, BITS_MIN, BITS_MAX, 9973) < 0.51);
    assert_true(worst(soft_log2, log2l, 0x3F700000u, 0x3F900000u, 97) < 0.51); /* about 1 */
}

static void test_log2_at_its_ends(void **state)
{
    (void)state;
    assert_bits(one(soft_log2, 1.0f), 0);
    assert_bits(one(soft_log2, 0.0f), 0xFF800000u);
    assert_bits(one(soft_log2, -0.0f), 0xFF800000u);
    assert_bits(one(soft_log2, -1.0f), UINT32_MAX);
    assert_bits(one(soft_log2, -INFINITY), UINT32_MAX);
    assert_bits(one(soft_log2, INFINITY), 0x7F800000u);
    assert_bits(one(soft_log2, bits_float(0xFFFFFFFFu)), UINT32_MAX);
    for (int n = -126; n <= 127; n++) {
        assert_true(one(soft_log2, ldexpf(1.0f, n)) == (float)n);
    }
}

static void test_rcp_is_division(void **state)
{
    (void)state;
    assert_true(worst(soft_rcp, exact_rcp, BITS_MIN, BITS_MAX, 9973) <= 0.5);
    assert_bits(one(soft_rcp, 0.0f), 0x7F800000u);
    assert_bits(one(soft_rcp, -0.0f), 0xFF800000u);
    assert_bits(one(soft_rcp, -INFINITY), 0x80000000u);
    assert_bits(one(soft_rcp, bits_float(0xFF000000u)), 0x80000000u); /* -2^-127: denormal */
    assert_bits(one(soft_rcp, bits_float(0x7E800000u)), BITS_MIN);
    assert_bits(one(soft_rcp, NAN), UINT32_MAX);
}

static void test_roots(void **state)
{
    (void)state;
    assert_true(worst(soft_sqrt, sqrtl, BITS_MIN, BITS_MAX, 9973) <= 0.5);
    assert_true(worst(soft_rsq, exact_rsq, BITS_MIN, BITS_MAX, 9973) < 0.51);
    assert_bits(one(soft_sqrt, -0.0f), 0x80000000u);
    assert_bits(one(soft_sqrt, -1.0f), UINT32_MAX);
    assert_bits(one(soft_rsq, 0.0f), 0x7F800000u);
    assert_bits(one(soft_rsq, -0.0f), 0xFF800000u);
    assert_bits(one(soft_rsq, INFINITY), 0);
    assert_bits(one(soft_rsq, -4.0f), UINT32_MAX);
    assert_bits(one(soft_rsq, 4.0f), 0x3F000000u);
}

static void test_sine_is_within_an_ulp(void **state)
{
    (void)state;
    assert_true(worst(soft_sin, sinl, BITS_MIN, 0x49800000u, 6007) < 0.51);
    assert_true(worst(soft_cos, cosl, BITS_MIN, 0x49800000u, 6007) < 0.51);
    assert_true(worst(soft_sin, sinl, 0x80000000u | BITS_MIN, 0xC9800000u, 6007) < 0.51);
}

/* Arguments beyond 2^20 go another way. */
static void test_sine_of_large_arguments(void **state)
{
    (void)state;
    assert_true(worst(soft_sin, sinl, 0x49700000u, BITS_MAX, 6007) < 0.51);
    assert_true(worst(soft_cos, cosl, 0xC9700000u, 0x80000000u | BITS_MAX, 6007) < 0.51);
    /* 16367173 * 2^72 is the single closest to a multiple of pi/2 (Muller, Elementary Functions). */
    float close = ldexpf(16367173.0f, 72);
    assert_true(ulps(one(soft_cos, close), cosl(close)) < 0.51);
    assert_true(ulps(one(soft_sin, close), sinl(close)) < 0.51);
}

static void test_sine_at_its_ends(void **state)
{
    (void)state;
    assert_bits(one(soft_sin, 0.0f), 0);
    assert_bits(one(soft_sin, -0.0f), 0x80000000u);
    assert_bits(one(soft_cos, -0.0f), 0x3F800000u);
    assert_bits(one(soft_sin, INFINITY), UINT32_MAX);
    assert_bits(one(soft_cos, -INFINITY), UINT32_MAX);
    assert_bits(one(soft_cos, NAN), UINT32_MAX);
    assert_bits(one(soft_sin, FLT_MIN), BITS_MIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exp2_is_within_an_ulp),
        cmocka_unit_test(test_exp2_meets_whole_numbers_exactly),
        cmocka_unit_test(test_exp2_at_its_ends),
        cmocka_unit_test(test_log2_is_within_an_ulp),
        cmocka_unit_test(test_log2_at_its_ends),
        cmocka_unit_test(test_rcp_is_division),
        cmocka_unit_test(test_roots),
        cmocka_unit_test(test_sine_is_within_an_ulp),
        cmocka_unit_test(test_sine_of_large_arguments),
        cmocka_unit_test(test_sine_at_its_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
