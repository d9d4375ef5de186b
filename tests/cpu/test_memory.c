/* test_memory.c: loads and stores by PowerISA 2.03 book I, 3.3.2-3.3.6, and LESSONS 8, 11, 12. */
#include "check.h"

#define AT(offset) machine_at(m, MACHINE_DATA + (offset))

static void fill(machine *m)
{
    for (unsigned i = 0; i < 256; i++) {
        *AT(i) = (uint8_t)(0x80 + i);
    }
    m->state->r[4] = MACHINE_DATA;
}

TEST(loads_extend_as_named)
{
    fill(m);
    OK(m, lbz(5, 4, 1), lha(6, 4, 2), lwz(7, 4, 4), D_(58, 8, 4, 4 | 2) /* lwa */, ld(9, 4, 8));
    assert_u64(s->r[5], 0x81);
    assert_u64(s->r[6], UINT64_C(0xFFFFFFFFFFFF8283));
    assert_u64(s->r[7], 0x84858687);
    assert_u64(s->r[8], UINT64_C(0xFFFFFFFF84858687));
    assert_u64(s->r[9], UINT64_C(0x88898A8B8C8D8E8F));
}

TEST(byte_reversed_loads_and_stores)
{
    fill(m);
    s->r[10] = 16;
    s->r[11] = UINT64_C(0x0102030405060708);
    OK(m, X_(534, 5, 0, 4, 0), X_(790, 6, 0, 4, 0), X_(532, 7, 0, 4, 0), X_(662, 11, 4, 10, 0));
    assert_u64(s->r[5], 0x83828180);
    assert_u64(s->r[6], 0x8180);
    assert_u64(s->r[7], UINT64_C(0x8786858483828180));
    assert_u64(weft_load32(AT(16)), 0x08070605);
}

TEST(update_forms_write_the_whole_sum)
{
    fill(m);
    s->r[4] += 0x20;
    s->r[6] = 4;
    OK(m, lwzu(5, 4, -16), X_(55, 7, 4, 6, 0) /* lwzux */);
    assert_u64(s->r[4], MACHINE_DATA + 0x14);
    assert_u64(s->r[7], 0x94959697);
}

TEST(addresses_wrap_at_32_bits)
{
    fill(m);
    s->r[4] = UINT64_C(0xABCD000000000000) | MACHINE_DATA;
    OK(m, lwz(5, 4, 0));
    assert_u64(s->r[5], 0x80818283);
}

TEST(base_zero_means_zero)
{
    s->r[0] = 0x1234;
    assert_int_equal(RUN(m, lwz(5, 0, 0x40)), WEFT_CPU_FAULT);
    assert_u64(s->fault_address, 0x40);
}

/* LESSONS 8 */
TEST(lmw_keeps_its_base)
{
    fill(m);
    s->r[30] = MACHINE_DATA;
    OK(m, lmw(29, 30, 0));
    assert_u64(s->r[29], 0x80818283);
    assert_u64(s->r[30], MACHINE_DATA);
    assert_u64(s->r[31], 0x88898A8B);
}

TEST(stmw_stores_words)
{
    s->r[4] = MACHINE_DATA;
    s->r[30] = UINT64_C(0x1111111122222222);
    s->r[31] = 0x33333333;
    OK(m, stmw(30, 4, 4));
    assert_u64(weft_load64(AT(4)), UINT64_C(0x2222222233333333));
}

/* LESSONS 8: XER's byte count drives lswx and stswx. */
TEST(string_forms_by_count)
{
    fill(m);
    s->xer = 7;
    s->r[10] = 64;
    OK(m, X_(533, 5, 0, 4, 0), X_(661, 5, 4, 10, 0));
    assert_u64(s->r[5], 0x80818283);
    assert_u64(s->r[6], 0x84858600);
    assert_u64(weft_load64(AT(64)), UINT64_C(0x80818283848586C7)); /* the eighth byte stays */
}

TEST(lswi_wraps_to_r0_and_counts_32)
{
    fill(m);
    OK(m, X_(597, 31, 4, 6, 0) /* 6 bytes: r31, r0 */);
    assert_u64(s->r[31], 0x80818283);
    assert_u64(s->r[0], 0x84850000);
    OK(m, X_(597, 20, 4, 0, 0) /* NB 0 is 32 */);
    assert_u64(s->r[27], 0x9C9D9E9F);
}

/* LESSONS 12, CPU-FACTS.md */
TEST(dcbz_clears_32_and_dcbz128_clears_128)
{
    fill(m);
    s->r[5] = MACHINE_DATA + 0x25;
    OK(m, X_(1014, 0, 0, 5, 0));
    assert_u64(weft_load32(AT(0x1C)), 0x9C9D9E9F);
    assert_u64(weft_load64(AT(0x20)) | weft_load64(AT(0x38)), 0);
    assert_u64(weft_load32(AT(0x40)), 0xC0C1C2C3);
    OK(m, X_(1014, 1, 0, 5, 0));
    assert_u64(weft_load64(AT(0)) | weft_load64(AT(0x78)), 0);
    assert_u64(*AT(0x80), 0x00);
    assert_u64(*AT(0x81), 0x01);
}

/* LESSONS 11: all barriers and hints do nothing that one thread sees. */
TEST(barriers_and_hints_retire)
{
    fill(m);
    OK(m, 0x7C0004AC /* sync */, 0x7C2004AC /* lwsync */, 0x7C0006AC /* eieio */,
       0x4C00012C /* isync */, X_(278, 0, 0, 4, 0), X_(246, 0, 0, 4, 0), X_(86, 0, 0, 4, 0),
       X_(54, 0, 0, 4, 0), X_(982, 0, 0, 4, 0));
    assert_u64(s->retired, 9);
}

TEST(lfs_widens_and_stfs_narrows)
{
    s->r[4] = MACHINE_DATA;
    static const struct {
        uint32_t single;
        uint64_t wide;
    } cases[] = {
        {0x3F800000, UINT64_C(0x3FF0000000000000)}, {0x80000000, UINT64_C(0x8000000000000000)},
        {0x7F800001, UINT64_C(0x7FF0000020000000)}, /* signalling NaNs stay so */
        {0x00000001, UINT64_C(0x36A0000000000000)}, {0x807FFFFF, UINT64_C(0xB80FFFFFC0000000)},
        {0x7F7FFFFF, UINT64_C(0x47EFFFFFE0000000)}, {0xFF800000, UINT64_C(0xFFF0000000000000)},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        weft_store32(AT(0), cases[i].single);
        OK(m, lfs(1, 4, 0), stfs(1, 4, 8));
        assert_u64(s->f[1], cases[i].wide);
        assert_u64(weft_load32(AT(8)), cases[i].single);
    }
}

TEST(stfiwx_stores_the_low_word)
{
    s->r[4] = MACHINE_DATA;
    s->f[1] = UINT64_C(0x1122334455667788);
    OK(m, X_(983, 1, 0, 4, 0));
    assert_u64(weft_load64(AT(0)), UINT64_C(0x5566778800000000));
}

TEST(vector_loads_round_the_address_down)
{
    fill(m);
    s->r[5] = MACHINE_DATA + 0x1B;
    OK(m, X_(103, 3, 0, 5, 0));
    assert_vector(m, 3, 0x90919293, 0x94959697, 0x98999A9B, 0x9C9D9E9F);
}

/* CPU-FACTS.md: lvlx left-justifies from EA, lvrx right-justifies what lies before EA. */
TEST(left_and_right_loads_join_an_unaligned_vector)
{
    fill(m);
    s->r[5] = MACHINE_DATA + 0x13;
    s->r[6] = MACHINE_DATA + 0x23;
    s->r[7] = MACHINE_DATA + 0x20;
    OK(m, X_(519, 3, 0, 5, 0), X_(551, 4, 0, 6, 0), X_(551, 5, 0, 7, 0));
    assert_vector(m, 3, 0x93949596, 0x9798999A, 0x9B9C9D9E, 0x9F000000);
    assert_vector(m, 4, 0, 0, 0, 0x00A0A1A2);
    assert_vector(m, 5, 0, 0, 0, 0);
}

TEST(left_and_right_stores_touch_their_part)
{
    fill(m);
    s->r[5] = MACHINE_DATA + 0x1D;
    machine_vector(m, 3, 0x01020304, 0x05060708, 0x090A0B0C, 0x0D0E0F10);
    OK(m, X_(647, 3, 0, 5, 0) /* stvlx */);
    assert_u64(weft_load64(AT(0x18)), UINT64_C(0x98999A9B9C010203));
    assert_u64(*AT(0x20), 0xA0);
    s->r[5] = MACHINE_DATA + 0x32;
    OK(m, X_(679, 3, 0, 5, 0) /* stvrx */);
    assert_u64(weft_load32(AT(0x30)), 0x0F10B2B3);
    assert_u64(*AT(0x2F), 0xAF);
}

/* LESSONS 18: element stores touch the element alone. */
TEST(element_stores_touch_the_element)
{
    fill(m);
    s->r[5] = MACHINE_DATA + 0x16; /* word 1 */
    machine_vector(m, 3, 0x01020304, 0x05060708, 0x090A0B0C, 0x0D0E0F10);
    OK(m, V128_(0x10000183, 3, 0, 0) | 5u << 11 /* stvewx128 */, X_(135, 3, 0, 5, 0) /* stvebx */);
    assert_u64(weft_load64(AT(0x10)), UINT64_C(0x9091929305060708));
    assert_u64(weft_load64(AT(0x18)), UINT64_C(0x98999A9B9C9D9E9F));
}

TEST(element_loads_fill_their_place)
{
    fill(m);
    s->r[5] = MACHINE_DATA + 0x1A;
    OK(m, X_(71, 3, 0, 5, 0) /* lvewx */, X_(39, 4, 0, 5, 0) /* lvehx */);
    assert_u64(machine_word(m, 3, 2), 0x98999A9B);
    assert_u64(machine_word(m, 4, 2) & 0xFFFF, 0x9A9B);
}

TEST(shift_controls)
{
    s->r[5] = 3;
    OK(m, X_(6, 3, 0, 5, 0) /* lvsl */, X_(38, 4, 0, 5, 0) /* lvsr */);
    assert_vector(m, 3, 0x03040506, 0x0708090A, 0x0B0C0D0E, 0x0F101112);
    assert_vector(m, 4, 0x0D0E0F10, 0x11121314, 0x15161718, 0x191A1B1C);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ENTRY(loads_extend_as_named),
        ENTRY(byte_reversed_loads_and_stores),
        ENTRY(update_forms_write_the_whole_sum),
        ENTRY(addresses_wrap_at_32_bits),
        ENTRY(base_zero_means_zero),
        ENTRY(lmw_keeps_its_base),
        ENTRY(stmw_stores_words),
        ENTRY(string_forms_by_count),
        ENTRY(lswi_wraps_to_r0_and_counts_32),
        ENTRY(dcbz_clears_32_and_dcbz128_clears_128),
        ENTRY(barriers_and_hints_retire),
        ENTRY(lfs_widens_and_stfs_narrows),
        ENTRY(stfiwx_stores_the_low_word),
        ENTRY(vector_loads_round_the_address_down),
        ENTRY(left_and_right_loads_join_an_unaligned_vector),
        ENTRY(left_and_right_stores_touch_their_part),
        ENTRY(element_stores_touch_the_element),
        ENTRY(element_loads_fill_their_place),
        ENTRY(shift_controls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
