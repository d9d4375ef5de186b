/* EDRAM's addresses by hand from xenia's description (src/xenia/gpu/xenos.h, "The EDRAM is an opaque
 * block"), its small numbers against ldexp. */
#include "rop_fixture.h"

static xenos_target color(rop_fixture *f, uint32_t width, uint32_t msaa, uint32_t format,
                          uint32_t base)
{
    xenos_target target;
    f->registers[XENOS_RB_SURFACE_INFO] = width | msaa << 16;
    f->registers[XENOS_RB_COLOR_INFO] = base | format << 16;
    xenos_target_color(&target, f->registers, 0);
    return target;
}

static void a_tile_is_80_by_16_samples(void **state)
{
    xenos_target t = color(*state, 1280, 0, XENOS_COLOR_8_8_8_8, 100);
    assert_int_equal(t.pitch, 16);
    assert_int_equal(xenos_target_offset(&t, 0, 0), 100 * 5120);
    assert_int_equal(xenos_target_offset(&t, 79, 15), 100 * 5120 + 15 * 320 + 79 * 4);
    assert_int_equal(xenos_target_offset(&t, 81, 17), (100 + 16 + 1) * 5120 + 320 + 4);
}

static void a_pitch_is_whole_tiles(void **state)
{
    xenos_target t = color(*state, 256, 0, XENOS_COLOR_8_8_8_8, 0); /* stored as 320 */
    assert_int_equal(t.pitch, 4);
    assert_int_equal(t.width, 256);
    assert_int_equal(xenos_target_offset(&t, 0, 16), 4 * 5120);
}

static void two_samples_are_below_each_other(void **state)
{
    xenos_target t = color(*state, 160, 1, XENOS_COLOR_8_8_8_8, 0);
    assert_int_equal(t.pitch, 2);
    assert_int_equal(xenos_target_offset(&t, 3, 2), 4 * 320 + 12);
    assert_int_equal(xenos_target_sample(&t, 1), 320);
    assert_int_equal(xenos_target_offset(&t, 0, 8), 2 * 5120);
}

static void four_samples_are_two_by_two(void **state)
{
    xenos_target t = color(*state, 160, 2, XENOS_COLOR_8_8_8_8, 0);
    assert_int_equal(t.pitch, 4);
    assert_int_equal(xenos_target_offset(&t, 3, 2), 4 * 320 + 24);
    assert_int_equal(xenos_target_sample(&t, 1), 320);
    assert_int_equal(xenos_target_sample(&t, 2), 4);
    assert_int_equal(xenos_target_sample(&t, 3), 324);
    assert_int_equal(xenos_target_offset(&t, 40, 0), 5120);
}

static void wide_samples_take_twice_the_tiles(void **state)
{
    xenos_target t = color(*state, 160, 0, XENOS_COLOR_16_16_16_16, 7);
    assert_int_equal(t.pitch, 4);
    assert_int_equal(xenos_target_offset(&t, 39, 0), 7 * 5120 + 39 * 8);
    assert_int_equal(xenos_target_offset(&t, 40, 0), 8 * 5120);
    assert_int_equal(xenos_target_offset(&t, 0, 16), 11 * 5120);
}

static void depth_swaps_the_halves_of_a_tile(void **state)
{
    rop_fixture *f = *state;
    xenos_target t;
    f->registers[XENOS_RB_DEPTH_INFO] = 3;
    xenos_target_depth(&t, f->registers);
    assert_int_equal(xenos_target_offset(&t, 0, 0), 3 * 5120 + 160);
    assert_int_equal(xenos_target_offset(&t, 39, 1), 3 * 5120 + 320 + 316);
    assert_int_equal(xenos_target_offset(&t, 40, 0), 3 * 5120);
    assert_int_equal(xenos_target_offset(&t, 80, 0), 4 * 5120 + 160);
}

static void tile_numbers_wrap_at_2048(void **state)
{
    /* 4D5307F1: 1120x720 of 2x at tile 1008 reaches tile 2268, which is 220. */
    xenos_target t = color(*state, 1120, 1, XENOS_COLOR_8_8_8_8, 1008);
    assert_int_equal(t.pitch, 14);
    assert_int_equal(xenos_target_offset(&t, 1119, 719),
                     219 * 5120 + (1438 % 16) * 320 + (1119 % 80) * 4);
}

static void every_sample_has_a_place_of_its_own(void **state)
{
    rop_fixture *f = *state;
    static const uint32_t formats[2] = {XENOS_COLOR_8_8_8_8, XENOS_COLOR_32_32_FLOAT};
    for (uint32_t msaa = 0; msaa < 3; msaa++) {
        for (uint32_t wide = 0; wide < 2; wide++) {
            xenos_target t = color(f, 200, msaa, formats[wide], 2000);
            for (uint32_t i = 0; i < 200 * 48; i++) {
                uint32_t x = i % 200;
                uint32_t y = i / 200;
                for (uint32_t s = 0; s < 1u << msaa; s++) {
                    uint32_t at = xenos_target_offset(&t, x, y) + xenos_target_sample(&t, s);
                    uint8_t *expected = sample_at(f, 2000, msaa, (int)wide, 0, x, y, s, 0);
                    assert_ptr_equal(f->edram + at, expected);
                    assert_int_equal(f->edram[at], 0);
                    f->edram[at] = 1;
                }
            }
            memset(f->edram, 0, XENOS_EDRAM_BYTES);
        }
    }
}

static void a_fourth_sample_count_is_4x(void **state)
{
    xenos_target t = color(*state, 80, 3, XENOS_COLOR_8_8_8_8, 0);
    assert_int_equal(t.x_log2, 1);
    assert_int_equal(t.y_log2, 1);
}

/* xenia registers.h: window scissor plus offset, cut by the screen scissor. */
static void the_scissor_is_window_and_screen(void **state)
{
    rop_fixture *f = *state;
    xenos_rectangle r;
    f->registers[XENOS_PA_SC_WINDOW_SCISSOR_TL] = 10 | 20 << 16;
    f->registers[XENOS_PA_SC_WINDOW_SCISSOR_BR] = 100 | 200 << 16;
    f->registers[XENOS_PA_SC_WINDOW_OFFSET] = (uint32_t)(-30 & 0x7FFF) | 5 << 16;
    f->registers[XENOS_PA_SC_SCREEN_SCISSOR_TL] = 0;
    f->registers[XENOS_PA_SC_SCREEN_SCISSOR_BR] = 8192 | 202 << 16;
    xenos_scissor(f->registers, &r);
    assert_int_equal(r.x0, 0);
    assert_int_equal(r.y0, 25);
    assert_int_equal(r.x1, 70);
    assert_int_equal(r.y1, 202);
    f->registers[XENOS_PA_SC_WINDOW_SCISSOR_TL] |= 1u << 31; /* no offset */
    xenos_scissor(f->registers, &r);
    assert_int_equal(r.x0, 10);
    assert_int_equal(r.x1, 100);
    f->registers[XENOS_PA_SC_WINDOW_SCISSOR_BR] = 5 | 200 << 16; /* inverted: empty */
    xenos_scissor(f->registers, &r);
    assert_int_equal(r.x1, r.x0);
}

/* ---- numbers ---- */

/* A float of `mantissa` bits and exponent bias `bias`: 0.m * 2^(1 - bias) or 1.m * 2^(e - bias). */
static double small_float(uint32_t bits, uint32_t mantissa, int bias)
{
    uint32_t m = bits & ((1u << mantissa) - 1);
    int e = (int)(bits >> mantissa);
    return e == 0 ? ldexp(m, 1 - bias - (int)mantissa)
                  : ldexp(m + (1u << mantissa), e - bias - (int)mantissa);
}

static void numbers_of_7e3(void **state)
{
    for (uint32_t n = 0; n < 1024; n++) {
        double value = small_float(n, 7, 3);
        assert_true(xenos_float_from_7e3(n) == value);
        assert_int_equal(xenos_float_to_7e3((float)value), n);
        if (n < 1023) {
            double middle = (value + small_float(n + 1, 7, 3)) / 2;
            assert_int_equal(xenos_float_to_7e3((float)middle), n & 1 ? n + 1 : n);
            assert_int_equal(xenos_float_to_7e3(nextafterf((float)middle, 0)), n);
        }
        if (n >= 128 && n < 1023) { /* denormals are cut before they are rounded */
            double middle = (value + small_float(n + 1, 7, 3)) / 2;
            assert_int_equal(xenos_float_to_7e3(nextafterf((float)middle, 99)), n + 1);
        }
    }
    assert_true(xenos_float_from_7e3(1023) == 31.875f);
    assert_int_equal(xenos_float_to_7e3(1e30f), 1023);
    assert_int_equal(xenos_float_to_7e3(INFINITY), 1023);
    assert_int_equal(xenos_float_to_7e3(-1.0f), 0);
    assert_int_equal(xenos_float_to_7e3(NAN), 0);
}

static void numbers_of_20e4(void **state)
{
    for (uint32_t n = 0; n < 1u << 24; n++) {
        float value = xenos_float_from_20e4(n);
        if (value != small_float(n, 20, 15) || xenos_float_to_20e4(value) != n) {
            fail_msg("%06x gives %a", n, (double)value);
        }
    }
    for (uint32_t n = 1u << 20; n < (1u << 24) - 1; n += 997) {
        double middle = (small_float(n, 20, 15) + small_float(n + 1, 20, 15)) / 2;
        assert_int_equal(xenos_float_to_20e4((float)middle), n & 1 ? n + 1 : n);
        assert_int_equal(xenos_float_to_20e4(nextafterf((float)middle, 0)), n);
        assert_int_equal(xenos_float_to_20e4(nextafterf((float)middle, 9)), n + 1);
    }
    assert_int_equal(xenos_float_to_20e4(1.0f), 0xF00000);
    assert_int_equal(xenos_float_to_20e4(2.0f), 0xFFFFFF);
    assert_int_equal(xenos_float_to_20e4(-0.0f), 0);
    assert_int_equal(xenos_float_to_20e4(NAN), 0);
}

static void fractions_of_24_bits(void **state)
{
    for (uint32_t n = 0; n < 1u << 24; n++) {
        if (xenos_float_to_unorm24((float)(n / 16777215.0)) != n) {
            fail_msg("%06x", n);
        }
    }
    /* Halfway between 0 and 1, 1 and 2: to the even one. Products are exact here. */
    assert_int_equal(xenos_float_to_unorm24(0x1p-25f), 0);
    assert_int_equal(xenos_float_to_unorm24(0x1.8p-24f), 1); /* 1.4999999 */
    assert_int_equal(xenos_float_to_unorm24(0x1.4p-23f), 2); /* 2.4999998 */
    assert_int_equal(xenos_float_to_unorm24(1.5f), 0xFFFFFF);
    assert_int_equal(xenos_float_to_unorm24(-1.0f), 0);
    assert_int_equal(xenos_float_to_unorm24(NAN), 0);
}

/* xenia base/math.h: exponent 31 is a binade like the others. */
static void halves(void **state)
{
    for (uint32_t n = 0; n < 0x8000; n++) {
        double value = small_float(n, 10, 15);
        assert_true(xenos_float_from_half(n) == value);
        assert_true(xenos_float_from_half(n | 0x8000) == -value);
        assert_int_equal(xenos_float_to_half((float)value), n);
        assert_int_equal(xenos_float_to_half((float)-value), n | 0x8000);
    }
    assert_true(xenos_float_from_half(0x7FFF) == 131008.0f);
    assert_int_equal(xenos_float_to_half(1e9f), 0x7FFF);
    assert_int_equal(xenos_float_to_half(-INFINITY), 0xFFFF);
    assert_int_equal(xenos_float_to_half(NAN), 0);
    assert_int_equal(xenos_float_to_half(1.0f + 0x1p-11f), 0x3C00); /* halfway, to even */
    assert_int_equal(xenos_float_to_half(1.0f + 0x3p-11f), 0x3C02);
}

/* xenia xenos.cc after Direct3D 9: 0..63 at 1, 64..95 at 2, 96..191 at 4, 192..255 at 8 a step. */
static void gamma_is_piecewise_linear(void **state)
{
    assert_int_equal(xenos_gamma_to_linear(0), 0);
    assert_int_equal(xenos_gamma_to_linear(63), 63);
    assert_int_equal(xenos_gamma_to_linear(64), 64);
    assert_int_equal(xenos_gamma_to_linear(95), 126);
    assert_int_equal(xenos_gamma_to_linear(96), 128);
    assert_int_equal(xenos_gamma_to_linear(160), 4 * 160 - 256 + 1);
    assert_int_equal(xenos_gamma_to_linear(192), 512 + 4);
    assert_int_equal(xenos_gamma_to_linear(255), 1023);
    for (uint32_t n = 0; n < 256; n++) {
        uint32_t linear = xenos_gamma_to_linear(n);
        assert_int_equal(xenos_gamma_from_linear((float)linear / 1023.0f), n);
        assert_true(n == 0 || linear > xenos_gamma_to_linear(n - 1));
    }
    assert_int_equal(xenos_gamma_from_linear(2.0f), 255);
    assert_int_equal(xenos_gamma_from_linear(NAN), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROP_TEST(a_tile_is_80_by_16_samples),
        ROP_TEST(a_pitch_is_whole_tiles),
        ROP_TEST(two_samples_are_below_each_other),
        ROP_TEST(four_samples_are_two_by_two),
        ROP_TEST(wide_samples_take_twice_the_tiles),
        ROP_TEST(depth_swaps_the_halves_of_a_tile),
        ROP_TEST(tile_numbers_wrap_at_2048),
        ROP_TEST(every_sample_has_a_place_of_its_own),
        ROP_TEST(a_fourth_sample_count_is_4x),
        ROP_TEST(the_scissor_is_window_and_screen),
        cmocka_unit_test(numbers_of_7e3),
        cmocka_unit_test(numbers_of_20e4),
        cmocka_unit_test(fractions_of_24_bits),
        cmocka_unit_test(halves),
        cmocka_unit_test(gamma_is_piecewise_linear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
