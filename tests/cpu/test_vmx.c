/* test_vmx.c: vectors by the AltiVec PEM, VMX128 by CPU-FACTS.md, LESSONS 13-23; D3D formats by
 * arithmetic on their definition (3.0 + n * 2^-22). */
#include "check.h"

#define F1 0x3F800000u
#define F2 0x40000000u
#define F3 0x40400000u
#define F4 0x40800000u

/* Primary 5 and 6 words of xenia docs/ppc/vmx128.txt. */
#define VMADDFP128  0x140000D0u
#define VMADDCFP128 0x14000110u
#define VNMSUBFP128 0x14000150u
#define VMSUM3FP128 0x14000190u
#define VMSUM4FP128 0x140001D0u
#define VSEL128     0x14000350u

static void floats(machine *m)
{
    machine_vector(m, 2, F1, F2, F3, F4);
    machine_vector(m, 3, F2, F2, F2, F2);
    machine_vector(m, 4, F1, F1, F1, F1);
}

/* LESSONS 19: vmaddfp = A*C+B. */
TEST(vmaddfp_multiplies_a_and_c)
{
    floats(m);
    OK(m, VA_(46, 5, 2, 4, 3)); /* fields D A B C: a=v2 b=v4 c=v3 */
    assert_vector(m, 5, F3, 0x40A00000, 0x40E00000, 0x41100000); /* 3 5 7 9 */
}

/* LESSONS 19: vmaddfp128 = A*B+D, vmaddcfp128 = A*D+B. */
TEST(vmx128_multiply_adds)
{
    floats(m);
    OK(m, V128_(VMADDFP128, 4, 2, 3));
    assert_vector(m, 4, F3, 0x40A00000, 0x40E00000, 0x41100000);
    floats(m);
    machine_vector(m, 5, F3, F3, F3, F3);
    OK(m, V128_(VMADDCFP128, 5, 2, 4));                          /* v2 * v5 + v4 */
    assert_vector(m, 5, F4, 0x40E00000, 0x41200000, 0x41500000); /* 4 7 10 13 */
}

/* LESSONS 20: one rounding, then the sign: -(a*b - d). */
TEST(vnmsubfp128_rounds_once)
{
    machine_vector(m, 2, F1 | 1, F2, F1, F1);
    machine_vector(m, 3, F1 | 1, F2, F1, F1);
    machine_vector(m, 4, F1 | 2, F1, F1, F2);
    OK(m, V128_(VNMSUBFP128, 4, 2, 3));
    assert_u64(machine_word(m, 4, 0), 0xA8800000); /* -(2^-46) */
    assert_u64(machine_word(m, 4, 1), 0xC0400000); /* -(4 - 1) */
    assert_u64(machine_word(m, 4, 2), 0x80000000); /* -(+0) */
    assert_u64(machine_word(m, 4, 3), F1);
}

/* LESSONS 21: NJ flushes operands and results, each product of a dot product too. */
TEST(denormals_are_flushed)
{
    machine_vector(m, 2, 0x00000001, 0x80000001, 0x00800000, 0x007FFFFF);
    machine_vector(m, 3, 0x00000000, 0x80000000, 0x80400000, 0x00800000);
    OK(m, VX_(10, 4, 2, 3)); /* vaddfp */
    assert_vector(m, 4, 0, 0x80000000, 0x00800000, 0x00800000);
    machine_vector(m, 2, 0x20000000, F1, F1, F1); /* 2^-63 squared is tiny */
    machine_vector(m, 3, 0x1F800000, 0, 0, 0);
    OK(m, V128_(VMSUM3FP128, 5, 2, 3));
    assert_vector(m, 5, 0, 0, 0, 0);
}

TEST(denormals_count_without_nj)
{
    machine_vector(m, 2, 1, 1, 1, 1);
    s->vscr = 0;
    OK(m, VX_(10, 4, 2, 2));
    assert_vector(m, 4, 2, 2, 2, 2);
}

TEST(dot_products)
{
    floats(m);
    OK(m, V128_(VMSUM3FP128, 70, 2, 3), V128_(VMSUM4FP128, 127, 2, 3));
    assert_vector(m, 70, 0x41400000, 0x41400000, 0x41400000, 0x41400000);  /* 12 */
    assert_vector(m, 127, 0x41A00000, 0x41A00000, 0x41A00000, 0x41A00000); /* 20 */
}

TEST(first_vector_nan_is_quieted)
{
    machine_vector(m, 2, 0x7F800001, F1, 0x7F800000, 0x7FC00005);
    machine_vector(m, 3, 0x7FC00002, 0xFF800003, 0xFF800000, 0x7FC00006);
    OK(m, VX_(10, 4, 2, 3));
    assert_vector(m, 4, 0x7FC00001, 0xFFC00003, 0x7FC00000, 0x7FC00005);
}

/* LESSONS 22: the ISA's 0 for a NaN; saturation is noted. */
TEST(conversion_of_nan_is_zero)
{
    machine_vector(m, 2, 0x7FC00000, 0x4F800000, 0xCF800000, 0xC0200000);
    OK(m, VX_(970, 4, 0, 2) /* vctsxs */, VX_(906, 5, 0, 2) /* vctuxs */);
    assert_vector(m, 4, 0, 0x7FFFFFFF, 0x80000000, (uint32_t)-2);
    assert_vector(m, 5, 0, 0xFFFFFFFF, 0, 0);
    assert_u64(s->vscr, 0x00010001);
}

TEST(conversion_scales)
{
    machine_vector(m, 2, 3, 0xFFFFFFFF, 0x80000000, 5);
    OK(m, VX_(842, 4, 1, 2) /* vcfsx v4,v2,1 */, VX_(778, 5, 0, 2) /* vcfux */);
    assert_vector(m, 4, 0x3FC00000, 0xBF000000, 0xCE800000, 0x40200000);
    assert_u64(machine_word(m, 5, 1), 0x4F800000);
}

TEST(rounding_to_integral_values)
{
    machine_vector(m, 2, 0x40200000, 0xBF000000, 0x3F400000, 0xC0200000); /* 2.5 -0.5 0.75 -2.5 */
    OK(m, VX_(522, 4, 0, 2), VX_(586, 5, 0, 2), VX_(650, 6, 0, 2), VX_(714, 7, 0, 2));
    assert_vector(m, 4, F2, 0x80000000, F1, 0xC0000000); /* nearest, ties to even */
    assert_vector(m, 5, F2, 0x80000000, 0, 0xC0000000);  /* zero */
    assert_vector(m, 6, F3, 0x80000000, F1, 0xC0000000); /* up */
    assert_vector(m, 7, F2, 0xBF800000, 0, 0xC0400000);  /* down */
}

/* LESSONS 14: Rc of VC form is bit 21, of VX128_R bit 25; CR6 is all, 0, none, 0. */
TEST(compare_dot_forms_set_cr6)
{
    machine_vector(m, 2, 1, 2, 3, 4);
    machine_vector(m, 3, 1, 2, 3, 5);
    OK(m, VX_(134, 4, 2, 2) | 0x400);
    assert_u64(s->cr, 0x80);
    assert_vector(m, 4, ~0u, ~0u, ~0u, ~0u);
    OK(m, V128_(0x18000200 | 0x40, 4, 2, 3)); /* vcmpequw128. */
    assert_u64(s->cr, 0);
    assert_vector(m, 4, ~0u, ~0u, ~0u, 0);
    OK(m, VX_(646, 4, 2, 3) | 0x400); /* vcmpgtuw. */
    assert_u64(s->cr, 0x20);
    s->cr = 0;
    OK(m, V128_(0x18000200, 4, 2, 2));
    assert_u64(s->cr, 0);
}

TEST(vcmpbfp_tells_bounds)
{
    machine_vector(m, 2, F1, F3, 0xC0400000, 0x7FC00000);
    machine_vector(m, 3, F2, F2, F2, F2);
    OK(m, VX_(966, 4, 2, 3) | 0x400);
    assert_vector(m, 4, 0, 0x80000000, 0x40000000, 0xC0000000);
    assert_u64(s->cr, 0);
}

/* LESSONS 15: mask 8 is word 0; z rotates left by words. */
TEST(vrlimi128_rotates_and_inserts)
{
    machine_vector(m, 2, 0xA0, 0xA1, 0xA2, 0xA3);
    machine_vector(m, 3, 0xB0, 0xB1, 0xB2, 0xB3);
    OK(m, V128_(0x18000710 | 1 << 6, 3, 9, 2)); /* mask 1001, z 1 */
    assert_vector(m, 3, 0xA1, 0xB1, 0xB2, 0xA0);
}

TEST(vpermwi128_selects_words)
{
    machine_vector(m, 2, 0xA0, 0xA1, 0xA2, 0xA3);
    OK(m, V128_(0x18000210 | 4 << 6, 3, 0x1B & 31, 2)); /* 0x9B = 2 1 2 3 */
    assert_vector(m, 3, 0xA2, 0xA1, 0xA2, 0xA3);
}

TEST(vsel128_takes_its_mask_from_d)
{
    machine_vector(m, 2, 0x11111111, 0x11111111, 0x11111111, 0x11111111);
    machine_vector(m, 3, 0x22222222, 0x22222222, 0x22222222, 0x22222222);
    machine_vector(m, 4, 0, ~0u, 0xFFFF0000, 0);
    OK(m, V128_(VSEL128, 4, 2, 3));
    assert_vector(m, 4, 0x11111111, 0x22222222, 0x22221111, 0x11111111);
}

TEST(vperm_reaches_both_registers)
{
    machine_vector(m, 2, 0x00010203, 0x04050607, 0x08090A0B, 0x0C0D0E0F);
    machine_vector(m, 3, 0x10111213, 0x14151617, 0x18191A1B, 0x1C1D1E1F);
    machine_vector(m, 4, 0x1F00101E, 0xFFE00102, 0x0F0E0D0C, 0x07060504);
    OK(m, VA_(43, 5, 2, 3, 4));
    assert_vector(m, 5, 0x1F00101E, 0x1F000102, 0x0F0E0D0C, 0x07060504);
}

/* LESSONS 17: bits 7, 8-12, 16-20, 24-28 of the word. */
TEST(vpkpx_packs_1555)
{
    machine_vector(m, 2, 0x01FF0000, 0x0000F800, 0x000000F8, 0xFEF8F8F8);
    OK(m, VX_(782, 3, 2, 2));
    assert_u64(machine_word(m, 3, 0), 0xFC0003E0);
    assert_u64(machine_word(m, 3, 1), 0x001F7FFF);
}

TEST(packs_saturate)
{
    machine_vector(m, 2, 0x7FFFFFFF, 0x80000000, 0x00001234, 0xFFFFFFFF);
    OK(m, VX_(462, 3, 2, 2) /* vpkswss */, VX_(334, 4, 2, 2) /* vpkswus */);
    assert_u64(machine_word(m, 3, 0), 0x7FFF8000);
    assert_u64(machine_word(m, 3, 1), 0x1234FFFF);
    assert_u64(machine_word(m, 4, 0), 0xFFFF0000);
    assert_u64(machine_word(m, 4, 1), 0x12340000);
    assert_u64(s->vscr & 1, 1);
}

TEST(halfword_unpacks_of_vmx128_have_va_60)
{
    machine_vector(m, 2, 0x80017FFF, 0x00020003, 0xFFFF0004, 0x00050006);
    OK(m, V128_(0x18000380, 3, 0x60, 2), V128_(0x180003C0, 4, 0x60, 2), V128_(0x18000380, 5, 0, 2));
    assert_vector(m, 3, 0xFFFF8001, 0x7FFF, 2, 3);
    assert_vector(m, 4, 0xFFFFFFFF, 4, 5, 6);
    assert_u64(machine_word(m, 5, 0), 0xFF800001);
}

static uint32_t vpkd3d(uint32_t type, uint32_t pack, uint32_t z)
{
    return V128_(0x18000610 | z << 6, 3, type << 2 | pack, 2);
}

/* LESSONS 16: pack 1 puts word 3 at 3 - z; 2 and 3 put words 2, 3; 3 with z 3 puts word 2 last. */
TEST(vpkd3d128_places_its_words)
{
    machine_vector(m, 2, F3 + 1, F3 + 2, F3 + 3, F3 + 4);
    for (uint32_t z = 0; z < 4; z++) {
        machine_vector(m, 3, ~0u, ~0u, ~0u, ~0u);
        OK(m, vpkd3d(0, 1, z)); /* colour: W X Y Z */
        for (uint32_t i = 0; i < 4; i++) {
            assert_u64(machine_word(m, 3, i), i == 3 - z ? 0x04010203 : ~0u);
        }
    }
    machine_vector(m, 3, ~0u, ~0u, ~0u, ~0u);
    OK(m, vpkd3d(4, 2, 1)); /* four shorts at words 1, 2 */
    assert_vector(m, 3, ~0u, 0x00010002, 0x00030004, ~0u);
    machine_vector(m, 3, ~0u, ~0u, ~0u, ~0u);
    OK(m, vpkd3d(4, 3, 3));
    assert_vector(m, 3, ~0u, ~0u, ~0u, 0x00010002);
}

TEST(d3d_formats_round_trip)
{
    static const struct {
        uint32_t type, in[4], out[4];
    } cases[] = {
        {0, {F3 + 1, F3 + 255, F3, F3 + 7}, {F1 + 1, F1 + 255, F1, F1 + 7}},
        {1, {F3 + 5, F3 - 5, 0, 0}, {F3 + 5, F3 - 5, 0, F1}},
        {2, {F3 + 511, F3 - 511, F3 + 3, F3 + 2}, {F3 + 511, F3 - 511, F3 + 3, F1 + 2}},
        {3, {0x3FC00000, 0xC0000000, 0, 0}, {0x3FC00000, 0xC0000000, 0, F1}},
        {4, {F3 + 1, F3 - 32767, F3 + 32767, F3}, {F3 + 1, F3 - 32767, F3 + 32767, F3}},
        {5, {F1, 0x477FE000, 0x33800000, 0x80000000}, {F1, 0x477FE000, 0x33800000, 0x80000000}},
        {6,
         {F3 + 524287, F3 - 524287, F3 + 9, F3 + 15},
         {F3 + 524287, F3 - 524287, F3 + 9, F1 + 15}},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        const uint32_t *in = cases[i].in, *out = cases[i].out;
        machine_vector(m, 2, in[0], in[1], in[2], in[3]);
        OK(m, vpkd3d(cases[i].type, 2, 0), V128_(0x180007F0, 4, cases[i].type << 2, 3));
        assert_vector(m, 4, out[0], out[1], out[2], out[3]);
    }
}

TEST(d3d_packs_saturate)
{
    machine_vector(m, 2, 0x43000000, 0xC3000000, 0x7FC00000, 0); /* far above, far below, NaN */
    OK(m, vpkd3d(4, 2, 0), vpkd3d(0, 1, 3));
    assert_u64(machine_word(m, 3, 2), 0x7FFF8001);
    assert_u64(machine_word(m, 3, 3), 0x80018001);
    assert_u64(machine_word(m, 3, 0), 0x00FF0000);
}

TEST(whole_register_shifts)
{
    machine_vector(m, 2, 0x00112233, 0x44556677, 0x8899AABB, 0xCCDDEEFF);
    machine_vector(m, 3, 0x0C0C0C0C, 0x0C0C0C0C, 0x0C0C0C0C, 0x0C0C0C0C); /* 1 byte, 4 bits */
    OK(m, VX_(452, 4, 2, 3) /* vsl */, VX_(708, 5, 2, 3) /* vsr */, VX_(1036, 6, 2, 3) /* vslo */,
       VX_(1100, 7, 2, 3) /* vsro */, VA_(44, 8, 2, 2, 5) /* vsldoi 5 */);
    assert_vector(m, 4, 0x01122334, 0x45566778, 0x899AABBC, 0xCDDEEFF0);
    assert_vector(m, 5, 0x00011223, 0x34455667, 0x78899AAB, 0xBCCDDEEF);
    assert_vector(m, 6, 0x11223344, 0x55667788, 0x99AABBCC, 0xDDEEFF00);
    assert_vector(m, 7, 0x00001122, 0x33445566, 0x778899AA, 0xBBCCDDEE);
    assert_vector(m, 8, 0x55667788, 0x99AABBCC, 0xDDEEFF00, 0x11223344);
}

TEST(vscr_moves)
{
    machine_vector(m, 2, ~0u, ~0u, ~0u, 0x00000001);
    OK(m, VX_(1604, 0, 0, 2) /* mtvscr */, VX_(1540, 3, 0, 0) /* mfvscr */);
    assert_vector(m, 3, 0, 0, 0, 1);
    assert_u64(s->vscr, 1);
}

static float lane(machine *m, unsigned n, unsigned i)
{
    uint32_t w = machine_word(m, n, i);
    float f;
    memcpy(&f, &w, 4);
    return f;
}

/* PEM: 1/4096 relative for vrefp and vrsqrtefp, 1/16 for vexptefp, 1/32 absolute for vlogefp. */
TEST(vector_estimates_are_within_bounds)
{
    for (unsigned i = 1; i < 500; i++) {
        float x = (float)i * 0.173f;
        uint32_t w;
        memcpy(&w, &x, 4);
        machine_vector(m, 2, w, w, w, w);
        OK(m, VX_(266, 3, 0, 2), VX_(330, 4, 0, 2), VX_(458, 5, 0, 2), VX_(394, 6, 0, 5));
        assert_true(lane(m, 3, 0) * x > 1 - 1.0f / 4096 && lane(m, 3, 0) * x < 1 + 1.0f / 4096);
        float r = lane(m, 4, 1);
        assert_true(r * r * x > 1 - 1.0f / 2048 && r * r * x < 1 + 1.0f / 2048);
        assert_true(lane(m, 6, 2) / x > 1 - 1.0f / 16 && lane(m, 6, 2) / x < 1 + 1.0f / 16);
    }
}

TEST(estimates_of_powers_of_two_are_exact)
{
    machine_vector(m, 2, F3, 0xC0400000, 0, 0x42FE0000); /* 3, -3, 0, 127 */
    machine_vector(m, 3, F4, 0x3E000000, F1, 0x7F000000);
    OK(m, VX_(394, 4, 0, 2) /* vexptefp */, VX_(458, 5, 0, 3) /* vlogefp */);
    assert_vector(m, 4, 0x41000000, 0x3E000000, F1, 0x7F000000);
    assert_vector(m, 5, F2, 0xC0400000, 0, 0x42FE0000);
}

TEST(estimates_of_special_numbers)
{
    machine_vector(m, 2, 0, 0x80000000, 0x7F800000, 0xBF800000);
    OK(m, VX_(266, 3, 0, 2), VX_(330, 4, 0, 2), VX_(458, 5, 0, 2), VX_(394, 6, 0, 2));
    assert_vector(m, 3, 0x7F800000, 0xFF800000, 0, 0xBF800000);
    assert_vector(m, 4, 0x7F800000, 0xFF800000, 0, 0x7FC00000);
    assert_vector(m, 5, 0xFF800000, 0xFF800000, 0x7F800000, 0x7FC00000);
    assert_vector(m, 6, F1, F1, 0x7F800000, 0x3F000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ENTRY(vmaddfp_multiplies_a_and_c),
        ENTRY(vmx128_multiply_adds),
        ENTRY(vnmsubfp128_rounds_once),
        ENTRY(denormals_are_flushed),
        ENTRY(denormals_count_without_nj),
        ENTRY(dot_products),
        ENTRY(first_vector_nan_is_quieted),
        ENTRY(conversion_of_nan_is_zero),
        ENTRY(conversion_scales),
        ENTRY(rounding_to_integral_values),
        ENTRY(compare_dot_forms_set_cr6),
        ENTRY(vcmpbfp_tells_bounds),
        ENTRY(vrlimi128_rotates_and_inserts),
        ENTRY(vpermwi128_selects_words),
        ENTRY(vsel128_takes_its_mask_from_d),
        ENTRY(vperm_reaches_both_registers),
        ENTRY(vpkpx_packs_1555),
        ENTRY(packs_saturate),
        ENTRY(halfword_unpacks_of_vmx128_have_va_60),
        ENTRY(vpkd3d128_places_its_words),
        ENTRY(d3d_formats_round_trip),
        ENTRY(d3d_packs_saturate),
        ENTRY(whole_register_shifts),
        ENTRY(vscr_moves),
        ENTRY(vector_estimates_are_within_bounds),
        ENTRY(estimates_of_powers_of_two_are_exact),
        ENTRY(estimates_of_special_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
