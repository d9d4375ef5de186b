/* test_integer.c: fixed-point results by hand from PowerISA 2.03 book I, and LESSONS 1-8. MSR[SF]
 * is 0, as titles run, where a test does not say otherwise. */
#include "check.h"

#define ALL UINT64_MAX

/* LESSONS 1: a 16 ms timeout, -160000, computed by 32-bit code stays 64-bit. */
TEST(word_results_are_64_bits_wide)
{
    s->r[4] = 16;
    OK(m, mulli(3, 4, -10000), addic(5, 3, -1), subfic(6, 4, 0), X_(104, 7, 4, 0, 0) /* neg */);
    assert_u64(s->r[3], (uint64_t)-160000);
    assert_u64(s->r[5], (uint64_t)-160001);
    assert_u64(s->r[6], (uint64_t)-16);
    assert_u64(s->r[7], (uint64_t)-16);
}

TEST(mullw_is_the_whole_product)
{
    s->r[3] = 0x7FFFFFFF;
    s->r[4] = 0x7FFFFFFF;
    OK(m, X_(235, 5, 3, 4, 0));
    assert_u64(s->r[5], UINT64_C(0x3FFFFFFF00000001));
}

/* LESSONS 2 */
TEST(lis_sign_extends)
{
    OK(m, addis(3, 0, 0x8000), ori(4, 3, 0x1234));
    assert_u64(s->r[3], UINT64_C(0xFFFFFFFF80000000));
    assert_u64(s->r[4], UINT64_C(0xFFFFFFFF80001234));
}

/* LESSONS 3: complements and sign extensions keep 64 bits; CR0 looks at 32. */
TEST(logic_is_64_bits_wide)
{
    s->r[3] = 1;
    s->r[4] = 0xFFFF;
    OK(m, X_(124, 3, 5, 3, 0) /* nor */, X_(954, 4, 6, 0, 0) /* extsb */,
       X_(922, 4, 7, 0, 0) /* extsh */, X_(60, 4, 8, 3, 0) /* andc */,
       X_(284, 3, 9, 4, 0) /* eqv */);
    assert_u64(s->r[5], UINT64_C(0xFFFFFFFFFFFFFFFE));
    assert_u64(s->r[6], ALL);
    assert_u64(s->r[7], ALL);
    assert_u64(s->r[8], 0xFFFE);
    assert_u64(s->r[9], UINT64_C(0xFFFFFFFFFFFF0001));
}

TEST(cr0_looks_at_32_bits)
{
    s->r[3] = UINT64_C(0x80000000);
    s->r[4] = UINT64_C(0x100000000);
    OK(m, X_(444, 3, 5, 3, 1) /* mr. */);
    assert_int_equal(s->cr >> 28, 8); /* negative in 32 bits */
    OK(m, X_(444, 4, 5, 4, 1));
    assert_int_equal(s->cr >> 28, 2); /* zero in 32 bits */
}

TEST(cr0_looks_at_64_bits_in_64_bit_mode)
{
    s->msr = WEFT_MSR_SF;
    s->r[3] = UINT64_C(0x80000000);
    OK(m, X_(444, 3, 5, 3, 1));
    assert_int_equal(s->cr >> 28, 4);
}

TEST(cr0_copies_so)
{
    s->xer = 0x80000000;
    OK(m, X_(444, 3, 5, 3, 1));
    assert_int_equal(s->cr >> 28, 3);
}

/* LESSONS 4: mtctr; neg gives all 64 bits; bdnz counts the low 32. */
TEST(bdnz_tests_32_bits)
{
    s->r[3] = UINT64_C(0xFFFFFFFF00000003);
    OK(m, mtctr(3), addi(4, 4, 1), bc(16, 0, -4));
    assert_u64(s->r[4], 3);
    assert_u64(s->ctr & 0xFFFFFFFF, 0);
}

TEST(bdnz_tests_64_bits_in_64_bit_mode)
{
    s->msr = WEFT_MSR_SF;
    s->r[3] = UINT64_C(0x100000000);
    assert_int_equal(RUN(m, mtctr(3), addi(4, 4, 1), bc(16, 0, -4)), WEFT_CPU_LIMIT);
    assert_u64(s->ctr >> 32, 0);
}

/* LESSONS 5 */
TEST(clrldi_clears_the_upper_half)
{
    s->r[3] = ALL;
    OK(m, MD_(0, 4, 3, 0, 32));
    assert_u64(s->r[4], 0xFFFFFFFF);
}

/* LESSONS 6: six-bit shifts are split; 35 = 1 in SH5, 3 in SH. */
TEST(sradi_takes_six_bits)
{
    s->r[3] = UINT64_C(0x8000000000000000);
    OK(m, 31u << 26 | 3 << 21 | 4 << 16 | 3 << 11 | 413 << 2 | 1 << 1);
    assert_u64(s->r[4], UINT64_C(0xFFFFFFFFF0000000));
    assert_u64(s->xer, 0);
}

TEST(sradi_sets_carry_for_lost_ones)
{
    s->r[3] = UINT64_C(0x8000000000000001);
    OK(m, 31u << 26 | 3 << 21 | 4 << 16 | 1 << 11 | 413 << 2);
    assert_u64(s->r[4], UINT64_C(0xC000000000000000));
    assert_u64(s->xer, 0x20000000);
}

TEST(doubleword_rotates)
{
    s->r[3] = UINT64_C(0x0123456789ABCDEF);
    OK(m, MD_(0, 4, 3, 8, 8), MD_(1, 5, 3, 36, 31), MD_(2, 6, 3, 4, 8), MD_(3, 7, 3, 32, 16));
    assert_u64(s->r[4], UINT64_C(0x23456789ABCDEF01) & (ALL >> 8));
    assert_u64(s->r[5], UINT64_C(0x9ABCDEF000000000) & ~UINT64_C(0xFFFFFFFF));
    assert_u64(s->r[6], UINT64_C(0x003456789ABCDEF0));
    assert_u64(s->r[7], UINT64_C(0x0000CDEF00000000));
}

/* LESSONS 7 */
TEST(subfme_carry_edge)
{
    s->r[3] = ALL;
    s->xer = 0; /* ~(-1) + 0 - 1 = -1, no carry */
    OK(m, X_(232, 4, 3, 0, 0));
    assert_u64(s->r[4], ALL);
    assert_u64(s->xer & 0x20000000, 0);
    s->xer = 0x20000000; /* 0 + 1 - 1 = 0, carry */
    OK(m, X_(232, 4, 3, 0, 0));
    assert_u64(s->r[4], 0);
    assert_u64(s->xer & 0x20000000, 0x20000000);
}

TEST(neg_overflows_for_the_least_word_alone)
{
    s->r[3] = 0x80000000;
    OK(m, X_(104 | 512, 4, 3, 0, 0));
    assert_u64(s->xer, 0xC0000000);
    s->r[3] = 0x80000001;
    OK(m, X_(104 | 512, 4, 3, 0, 0));
    assert_u64(s->xer, 0x80000000); /* SO stays */
}

TEST(subtract_carry_is_on_32_bits)
{
    s->r[3] = 1;
    s->r[4] = UINT64_C(0xFFFFFFFF00000000);
    OK(m, X_(8, 5, 3, 4, 0)); /* subfc: 0 - 1 in 32 bits borrows */
    assert_u64(s->xer, 0);
    s->r[4] = 1;
    OK(m, X_(8, 5, 3, 4, 0));
    assert_u64(s->xer, 0x20000000);
}

TEST(add_overflow_is_on_32_bits)
{
    s->r[3] = 0x7FFFFFFF;
    s->r[4] = 1;
    OK(m, X_(266 | 512, 5, 3, 4, 0));
    assert_u64(s->r[5], 0x80000000);
    assert_u64(s->xer, 0xC0000000);
}

TEST(add_overflow_is_on_64_bits_in_64_bit_mode)
{
    s->msr = WEFT_MSR_SF;
    s->r[3] = 0x7FFFFFFF;
    s->r[4] = 1;
    OK(m, X_(266 | 512, 5, 3, 4, 0));
    assert_u64(s->xer, 0);
    s->r[3] = INT64_MAX;
    OK(m, X_(266 | 512, 5, 3, 4, 0));
    assert_u64(s->xer, 0xC0000000);
}

TEST(carry_chain_adds_128_bits)
{
    s->msr = WEFT_MSR_SF;
    s->r[3] = ALL, s->r[4] = 5;
    s->r[5] = 1, s->r[6] = 7;
    OK(m, X_(10, 7, 3, 5, 0), X_(138, 8, 4, 6, 0));
    assert_u64(s->r[7], 0);
    assert_u64(s->r[8], 13);
}

TEST(division_by_zero_sets_overflow_alone)
{
    s->r[3] = 100;
    s->r[4] = 7;
    OK(m, X_(491, 5, 3, 4, 0), X_(459, 6, 3, 4, 0));
    assert_u64(s->r[5], 14);
    assert_u64(s->r[6], 14);
    s->r[4] = 0;
    OK(m, X_(491 | 512, 5, 3, 4, 0));
    assert_u64(s->xer, 0xC0000000);
}

TEST(high_multiplies)
{
    s->r[3] = UINT64_C(0x8000000000000000);
    s->r[4] = 6;
    OK(m, X_(73, 5, 3, 4, 0), X_(9, 6, 3, 4, 0));
    assert_u64(s->r[5], (uint64_t)-3);
    assert_u64(s->r[6], 3);
}

TEST(compares_of_words_and_doublewords)
{
    s->r[3] = UINT64_C(0x00000001FFFFFFFF);
    s->r[4] = 0;
    OK(m, X_(0, 0, 3, 4, 0), X_(0, 1 << 2 | 1, 3, 4, 0), X_(32, 2 << 2, 3, 4, 0));
    assert_u64(s->cr >> 20, 0x844); /* -1 < 0; big > 0; 0xFFFFFFFF > 0 */
}

TEST(rlwinm_with_a_wrapped_mask_fills_both_halves)
{
    s->r[3] = 0x12345678;
    OK(m, M_(21, 4, 3, 0, 24, 7), M_(21, 5, 3, 4, 28, 31));
    assert_u64(s->r[4], UINT64_C(0x1234567812000078));
    assert_u64(s->r[5], 1);
}

TEST(rlwimi_inserts_under_the_mask)
{
    s->r[3] = 0xAB;
    s->r[4] = UINT64_C(0x1111111122222222);
    OK(m, M_(20, 4, 3, 8, 16, 23));
    assert_u64(s->r[4], UINT64_C(0x111111112222AB22));
}

TEST(word_shifts_beyond_31_give_zero)
{
    s->r[3] = 0x80000001;
    s->r[4] = 32;
    OK(m, X_(24, 3, 5, 4, 0), X_(536, 3, 6, 4, 0), X_(792, 3, 7, 4, 0));
    assert_u64(s->r[5], 0);
    assert_u64(s->r[6], 0);
    assert_u64(s->r[7], ALL);
    assert_u64(s->xer, 0x20000000);
}

TEST(count_leading_zeros)
{
    s->r[3] = UINT64_C(0xFF00000000000001);
    OK(m, X_(26, 3, 4, 0, 0), X_(58, 3, 5, 0, 0), X_(58, 8, 6, 0, 0), X_(26, 8, 7, 0, 0));
    assert_u64(s->r[4], 31);
    assert_u64(s->r[5], 0);
    assert_u64(s->r[6], 64);
    assert_u64(s->r[7], 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ENTRY(word_results_are_64_bits_wide),
        ENTRY(mullw_is_the_whole_product),
        ENTRY(lis_sign_extends),
        ENTRY(logic_is_64_bits_wide),
        ENTRY(cr0_looks_at_32_bits),
        ENTRY(cr0_looks_at_64_bits_in_64_bit_mode),
        ENTRY(cr0_copies_so),
        ENTRY(bdnz_tests_32_bits),
        ENTRY(bdnz_tests_64_bits_in_64_bit_mode),
        ENTRY(clrldi_clears_the_upper_half),
        ENTRY(sradi_takes_six_bits),
        ENTRY(sradi_sets_carry_for_lost_ones),
        ENTRY(doubleword_rotates),
        ENTRY(subfme_carry_edge),
        ENTRY(neg_overflows_for_the_least_word_alone),
        ENTRY(subtract_carry_is_on_32_bits),
        ENTRY(add_overflow_is_on_32_bits),
        ENTRY(add_overflow_is_on_64_bits_in_64_bit_mode),
        ENTRY(carry_chain_adds_128_bits),
        ENTRY(division_by_zero_sets_overflow_alone),
        ENTRY(high_multiplies),
        ENTRY(compares_of_words_and_doublewords),
        ENTRY(rlwinm_with_a_wrapped_mask_fills_both_halves),
        ENTRY(rlwimi_inserts_under_the_mask),
        ENTRY(word_shifts_beyond_31_give_zero),
        ENTRY(count_leading_zeros),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
