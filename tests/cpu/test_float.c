/* test_float.c: scalar floating point by PowerISA 2.03 book I, chapter 4: results and FPSCR. Bits:
 * FX 80000000 VX 20000000 OX 10000000 UX 08000000 ZX 04000000 XX 02000000 FR 00040000 FI 00020000.
 */
#include "check.h"

#define ONE  UINT64_C(0x3FF0000000000000)
#define TWO  UINT64_C(0x4000000000000000)
#define INF  UINT64_C(0x7FF0000000000000)
#define NEG  UINT64_C(0x8000000000000000)
#define QNAN UINT64_C(0x7FF8000000000000)
#define TINY UINT64_C(0x0010000000000000) /* smallest normal */

#define fadd(d, a, b)     A_(63, 21, d, a, b, 0)
#define fmul(d, a, c)     A_(63, 25, d, a, 0, c)
#define fdiv(d, a, b)     A_(63, 18, d, a, b, 0)
#define fsqrt(d, b)       A_(63, 22, d, 0, b, 0)
#define fmadd(d, a, c, b) A_(63, 29, d, a, b, c)

TEST(one_third_in_four_modes)
{
    static const uint64_t expected[] = {UINT64_C(0x3FD5555555555555), UINT64_C(0x3FD5555555555555),
                                        UINT64_C(0x3FD5555555555556), UINT64_C(0x3FD5555555555555)};
    s->f[2] = ONE;
    s->f[3] = UINT64_C(0x4008000000000000);
    for (uint32_t rn = 0; rn < 4; rn++) {
        s->fpscr = rn;
        OK(m, fdiv(1, 2, 3));
        assert_u64(s->f[1], expected[rn]);
        /* FX XX FI, FR when rounded up, FPRF +normal */
        assert_u64(s->fpscr, 0x82024000u | (rn == 2 ? 0x40000 : 0) | rn);
    }
}

TEST(exact_results_clear_fi)
{
    s->f[2] = ONE;
    s->fpscr = 0x00060000;
    OK(m, fadd(1, 2, 2));
    assert_u64(s->f[1], TWO);
    assert_u64(s->fpscr, 0x4000);
}

TEST(division_by_zero)
{
    s->f[2] = ONE | NEG;
    OK(m, fdiv(1, 2, 3));
    assert_u64(s->f[1], INF | NEG);
    assert_u64(s->fpscr, 0x84009000);
}

TEST(enabled_division_by_zero_keeps_the_target)
{
    s->f[1] = TWO;
    s->f[2] = ONE;
    s->fpscr = 0x10;      /* ZE */
    OK(m, fdiv(1, 2, 3)); /* MSR[FE0,FE1] = 0: no interrupt */
    assert_u64(s->f[1], TWO);
    assert_u64(s->fpscr, 0xC4000010);
}

TEST(enabled_exception_interrupts)
{
    s->f[2] = ONE;
    s->fpscr = 0x10;
    s->msr = 0x900;
    assert_int_equal(RUN(m, fdiv(1, 2, 3)), WEFT_CPU_FP);
    assert_u64(s->pc, MACHINE_CODE);
}

TEST(invalid_operations_name_themselves)
{
    s->f[2] = INF;
    s->f[3] = INF | NEG;
    OK(m, fadd(1, 2, 3));
    assert_u64(s->f[1], QNAN);
    assert_u64(s->fpscr, 0xA0811000); /* VXISI */
    s->fpscr = 0;
    OK(m, fdiv(1, 2, 3));
    assert_u64(s->fpscr, 0xA0411000); /* VXIDI */
    s->fpscr = 0;
    OK(m, fdiv(1, 4, 5));
    assert_u64(s->fpscr, 0xA0211000); /* VXZDZ */
    s->fpscr = 0;
    OK(m, fmul(1, 2, 4));
    assert_u64(s->fpscr, 0xA0111000); /* VXIMZ */
    s->fpscr = 0;
    OK(m, fsqrt(1, 3));
    assert_u64(s->fpscr, 0xA0011200); /* VXSQRT */
}

/* CPU-FACTS.md: the first NaN of A, B, C, quieted. */
TEST(first_nan_operand_is_the_result)
{
    s->f[2] = QNAN | 2;
    s->f[3] = INF | 3; /* signalling */
    s->f[4] = QNAN | NEG | 4;
    OK(m, fadd(1, 2, 3), fadd(5, 3, 2), fmadd(6, 7, 4, 3), fmadd(8, 7, 4, 7));
    assert_u64(s->f[1], QNAN | 2);
    assert_u64(s->f[5], QNAN | 3);
    assert_u64(s->f[6], QNAN | 3); /* B before C */
    assert_u64(s->f[8], QNAN | NEG | 4);
    assert_u64(s->fpscr & 0x01000000, 0x01000000);
}

TEST(overflow_by_mode)
{
    static const uint64_t expected[] = {INF, INF - 1, INF, INF - 1};
    s->f[2] = INF - 1;
    for (uint32_t rn = 0; rn < 4; rn++) {
        s->fpscr = rn;
        OK(m, fadd(1, 2, 2));
        assert_u64(s->f[1], expected[rn]);
        assert_u64(s->fpscr & 0x92020000, 0x92020000);
    }
}

/* 4.4.3: enabled overflow delivers the result with the exponent lowered by 1536. */
TEST(enabled_overflow_wraps_the_exponent)
{
    s->f[2] = INF - 1;
    s->f[3] = TWO;
    s->fpscr = 0x40;
    OK(m, fmul(1, 2, 3));
    assert_u64(s->f[1], UINT64_C(0x1FFFFFFFFFFFFFFF)); /* 2^1024 (2 - ulp) -> 2^-512 (2 - ulp) */
    assert_u64(s->fpscr & 0x10000000, 0x10000000);
}

/* Tininess is found before rounding: the result rounds up to the smallest normal, UX all the same.
 */
TEST(underflow_before_rounding)
{
    s->f[2] = TINY | 1;                     /* 2^-1022 (1 + 2^-52) */
    s->f[3] = UINT64_C(0x3FEFFFFFFFFFFFFE); /* 1 - 2^-52 */
    OK(m, fmul(1, 2, 3));
    assert_u64(s->f[1], TINY);
    assert_u64(s->fpscr & 0x0A000000, 0x0A000000);
}

TEST(exact_denormals_do_not_underflow)
{
    s->f[2] = TINY;
    s->f[3] = UINT64_C(0x3FE0000000000000);
    OK(m, fmul(1, 2, 3));
    assert_u64(s->f[1], TINY >> 1);
    assert_u64(s->fpscr, 0x14000); /* +denormal */
}

/* Scalar operands and results are not flushed (CPU-FACTS.md). */
TEST(denormal_operands_count)
{
    s->f[2] = 1;
    s->f[3] = 2;
    OK(m, fadd(1, 2, 3));
    assert_u64(s->f[1], 3);
}

/* (1 + 2^-52)^2 - (1 + 2^-51) = 2^-104: two roundings would give 0. */
TEST(fused_multiply_rounds_once)
{
    s->f[2] = ONE | 1;
    s->f[3] = ONE | 2;
    OK(m, A_(63, 28, 1, 2, 3, 2)); /* fmsub */
    assert_u64(s->f[1], UINT64_C(0x3970000000000000));
    assert_u64(s->fpscr & 0x20000, 0);
}

/* fnmadd rounds, then negates: towards +infinity the sum rounds up (CPU-FACTS.md on qemu). */
TEST(negative_forms_negate_after_rounding)
{
    s->f[2] = ONE;
    s->f[3] = UINT64_C(0x3C00000000000000); /* 2^-63 */
    s->fpscr = 2;
    OK(m, A_(63, 31, 1, 2, 3, 2)); /* fnmadd: -(1 * 1 + 2^-63) */
    assert_u64(s->f[1], NEG | ONE | 1);
}

/* 1 + 2^-24 + 2^-54 is just above the middle: rounded to double first it would tie and go down. */
TEST(single_results_round_once)
{
    s->f[2] = ONE;
    s->f[3] = UINT64_C(0x3E70000000400000); /* 2^-24 (1 + 2^-30) */
    OK(m, A_(59, 21, 1, 2, 3, 0));
    assert_u64(s->f[1], UINT64_C(0x3FF0000020000000));
}

TEST(zero_signs)
{
    s->f[2] = NEG;
    OK(m, fadd(1, 2, 2), fadd(3, 2, 4));
    assert_u64(s->f[1], NEG);
    assert_u64(s->f[3], 0);
    s->f[4] = 0;
    s->fpscr = 3;
    OK(m, fadd(3, 2, 4));
    assert_u64(s->f[3], NEG);
}

TEST(square_roots)
{
    s->f[2] = TWO;
    s->f[3] = UINT64_C(0x4022000000000000); /* 9 */
    s->f[4] = 1;                            /* 2^-1074 */
    OK(m, fsqrt(1, 2), fsqrt(5, 3), fsqrt(6, 4));
    assert_u64(s->f[1], UINT64_C(0x3FF6A09E667F3BCD));
    assert_u64(s->f[5], UINT64_C(0x4008000000000000));
    assert_u64(s->f[6], UINT64_C(0x1E60000000000000)); /* 2^-537 */
}

TEST(conversions_to_integers)
{
    static const struct {
        uint64_t in, nearest, zero;
    } cases[] = {
        {UINT64_C(0x4004000000000000), 2, 2},                       /* 2.5 ties to even */
        {UINT64_C(0xC00C000000000000), (uint64_t)-4, (uint64_t)-3}, /* -3.5 */
        {UINT64_C(0x41F0000000000000), 0x7FFFFFFF, 0x7FFFFFFF},     /* 2^32 saturates */
        {UINT64_C(0xC1F0000000000000), 0x80000000, 0x80000000},
        {QNAN, 0x80000000, 0x80000000},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        s->f[2] = cases[i].in;
        OK(m, X63_(14, 1, 0, 2), X63_(15, 3, 0, 2));
        assert_u64((uint32_t)s->f[1], (uint32_t)cases[i].nearest);
        assert_u64((uint32_t)s->f[3], (uint32_t)cases[i].zero);
    }
    assert_u64(s->fpscr & 0x100, 0x100); /* VXCVI */
}

TEST(doubleword_conversions)
{
    s->f[2] = (uint64_t)-1234567;
    s->f[3] = UINT64_C(0x7FFFFFFFFFFFFFFF);
    OK(m, X63_(846, 1, 0, 2), X63_(846, 4, 0, 3), X63_(814, 5, 0, 1), X63_(814, 6, 0, 4));
    assert_u64(s->f[1], UINT64_C(0xC132D68700000000));
    assert_u64(s->f[4], UINT64_C(0x43E0000000000000));
    assert_u64(s->f[5], (uint64_t)-1234567);
    assert_u64(s->f[6], INT64_MAX);
}

TEST(frsp_rounds_to_single)
{
    s->f[2] = UINT64_C(0x3FF0000010000000); /* a tie: to even */
    s->f[3] = UINT64_C(0x3FF0000030000000);
    s->f[4] = UINT64_C(0x7FF8000010000001);
    OK(m, X63_(12, 1, 0, 2), X63_(12, 5, 0, 3), X63_(12, 6, 0, 4));
    assert_u64(s->f[1], ONE);
    assert_u64(s->f[5], UINT64_C(0x3FF0000040000000));
    assert_u64(s->f[6], QNAN); /* NaN payloads lose 29 bits */
}

TEST(compares)
{
    s->f[2] = ONE;
    s->f[3] = TWO;
    s->f[4] = QNAN;
    s->f[5] = NEG;
    OK(m, X63_(0, 0, 2, 3), X63_(0, 1 << 2, 3, 2), X63_(0, 2 << 2, 5, 6), X63_(0, 3 << 2, 4, 2));
    assert_u64(s->cr >> 16, 0x8421);
    assert_u64(s->fpscr, 0x1000);
    OK(m, X63_(32, 0, 4, 2)); /* fcmpo: VXVC */
    assert_u64(s->fpscr, 0xA0081000);
}

TEST(moves_touch_signs_alone)
{
    s->f[2] = INF | 1; /* a signalling NaN passes */
    OK(m, X63_(72, 1, 0, 2), X63_(40, 3, 0, 2), X63_(136, 4, 0, 2), X63_(264, 5, 0, 4));
    assert_u64(s->f[1], INF | 1);
    assert_u64(s->f[3], NEG | INF | 1);
    assert_u64(s->f[4], NEG | INF | 1);
    assert_u64(s->f[5], INF | 1);
    assert_u64(s->fpscr, 0);
}

TEST(fsel_takes_minus_zero_as_not_less)
{
    s->f[2] = NEG;
    s->f[3] = ONE;
    s->f[4] = TWO;
    s->f[5] = QNAN;
    OK(m, A_(63, 23, 1, 2, 4, 3), A_(63, 23, 6, 5, 4, 3));
    assert_u64(s->f[1], ONE);
    assert_u64(s->f[6], TWO);
}

/* Bounds of the estimates: 1/256 for fres, 1/32 for frsqrte. */
TEST(estimates_are_within_bounds)
{
    double x, r;
    for (unsigned i = 1; i < 1000; i++) {
        x = i * 0.37;
        memcpy(&s->f[2], &x, 8);
        OK(m, A_(59, 24, 1, 0, 2, 0), A_(63, 26, 3, 0, 2, 0));
        memcpy(&r, &s->f[1], 8);
        assert_true(r * x > 1 - 1.0 / 256 && r * x < 1 + 1.0 / 256);
        memcpy(&r, &s->f[3], 8);
        assert_true(r * r * x > 0.94 && r * r * x < 1.06);
    }
}

TEST(fpscr_moves)
{
    s->f[2] = UINT64_C(0xFFFFFFFF000000F3);
    OK(m, 63u << 26 | 0x01 << 17 | 2 << 11 | 711 << 1 /* mtfsf 1: the last field */);
    assert_u64(s->fpscr, 3);
    OK(m, 63u << 26 | 7u << 23 | 1u << 12 | 134 << 1 /* mtfsfi 7,1 */,
       X63_(38, 6, 0, 0) /* mtfsb1 XX */);
    assert_u64(s->fpscr, 0x82000001);
    OK(m, X63_(64, 1 << 2, 1 << 2, 0) /* mcrfs cr1,1: OX UX ZX XX? field 1 */, X63_(583, 1, 0, 0));
    assert_u64(s->cr >> 24 & 15, 2);
    assert_u64(s->f[1] & 0xFFFFFFFF, 0x80000001);
    OK(m, X63_(70, 0, 0, 0) /* mtfsb0 FX */);
    assert_u64(s->fpscr, 1);
}

TEST(record_forms_copy_fpscr_to_cr1)
{
    s->f[2] = ONE;
    OK(m, fdiv(1, 2, 3) | 1);
    assert_u64(s->cr, 0x08000000); /* FX; FEX VX OX clear */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ENTRY(one_third_in_four_modes),
        ENTRY(exact_results_clear_fi),
        ENTRY(division_by_zero),
        ENTRY(enabled_division_by_zero_keeps_the_target),
        ENTRY(enabled_exception_interrupts),
        ENTRY(invalid_operations_name_themselves),
        ENTRY(first_nan_operand_is_the_result),
        ENTRY(overflow_by_mode),
        ENTRY(enabled_overflow_wraps_the_exponent),
        ENTRY(underflow_before_rounding),
        ENTRY(exact_denormals_do_not_underflow),
        ENTRY(denormal_operands_count),
        ENTRY(fused_multiply_rounds_once),
        ENTRY(negative_forms_negate_after_rounding),
        ENTRY(single_results_round_once),
        ENTRY(zero_signs),
        ENTRY(square_roots),
        ENTRY(conversions_to_integers),
        ENTRY(doubleword_conversions),
        ENTRY(frsp_rounds_to_single),
        ENTRY(compares),
        ENTRY(moves_touch_signs_alone),
        ENTRY(fsel_takes_minus_zero_as_not_less),
        ENTRY(estimates_are_within_bounds),
        ENTRY(fpscr_moves),
        ENTRY(record_forms_copy_fpscr_to_cr1),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
