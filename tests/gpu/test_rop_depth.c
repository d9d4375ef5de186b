/* Depth and stencil. Rules: xenia src/xenia/gpu/registers.h (RB_DEPTHCONTROL, RB_STENCILREFMASK),
 * xenos.h (CompareFunction, StencilOp), spirv_shader_translator_rb.cc (FSI_DepthStencilTest). */
#include "rop_fixture.h"

/* RB_DEPTHCONTROL */
#define STENCIL         1u
#define TEST            2u
#define WRITE           4u
#define FUNCTION(n)     ((uint32_t)(n) << 4)
#define BACK            (1u << 7)
#define STENCIL_FUNC(n) ((uint32_t)(n) << 8)
#define ON_FAIL(n)      ((uint32_t)(n) << 11)
#define ON_PASS(n)      ((uint32_t)(n) << 14)
#define ON_Z_FAIL(n)    ((uint32_t)(n) << 17)

static uint8_t *depth_at(rop_fixture *f, uint32_t msaa, uint32_t lane, uint32_t sample)
{
    return sample_at(f, 1024, msaa, 0, 1, f->fragment->x + lane_x(lane),
                     f->fragment->y + lane_y(lane), sample, 0);
}

static void fill(rop_fixture *f, uint32_t word)
{
    for (uint32_t lane = 0; lane < 16; lane++) {
        write32(depth_at(f, 0, lane, 0), word);
    }
}

/* One run with everything covered and one depth; the word it leaves, the same in every lane. */
static uint32_t run(rop_fixture *f, uint32_t control, uint32_t word, float z)
{
    fill(f, word);
    f->registers[XENOS_RB_DEPTHCONTROL] = control;
    f->fragment->coverage[0] = 0xFFFF;
    f->fragment->depth[0] = soft_splat(z);
    memset(&f->counts, 0, sizeof f->counts);
    fixture_prepare(f);
    soft_rop_depth(f->rop, f->fragment, &f->counts);
    uint32_t left = read32(depth_at(f, 0, 0, 0));
    for (uint32_t lane = 1; lane < 16; lane++) {
        assert_int_equal(read32(depth_at(f, 0, lane, 0)), left);
    }
    return left;
}

#define HALF 0x800000u /* 0.5 in D24S8: 8388607.5 to the even neighbour */

static void every_function_compares_new_with_old(void **state)
{
    rop_fixture *f = *state;
    static const float z[3] = {0.25f, 0.5f, 0.75f}; /* less, equal, greater */
    for (uint32_t function = 0; function < 8; function++) {
        for (uint32_t i = 0; i < 3; i++) {
            uint32_t left = run(f, TEST | WRITE | FUNCTION(function), HALF << 8 | 0x5A, z[i]);
            int pass = function >> i & 1;
            assert_int_equal(f->fragment->coverage[0], pass ? 0xFFFF : 0);
            assert_int_equal(left >> 8 == HALF, !pass || i == 1);
            assert_int_equal(left & 255, 0x5A);
            assert_int_equal(f->counts.total, 16);
            assert_int_equal(f->counts.z_pass, pass ? 16 : 0);
            assert_int_equal(f->counts.z_fail, pass ? 0 : 16);
            assert_int_equal(f->counts.stencil_fail, 0);
        }
    }
}

static void nothing_is_written_without_leave(void **state)
{
    rop_fixture *f = *state;
    assert_int_equal(run(f, TEST | FUNCTION(XENOS_ALWAYS), 0x12345678, 0.1f), 0x12345678);
    assert_int_equal(run(f, WRITE | FUNCTION(XENOS_NEVER), 0x12345678, 0.1f), 0x12345678);
    assert_int_equal(f->counts.z_pass, 16); /* no test: all pass */
    f->registers[XENOS_RB_MODECONTROL] = 0;
    assert_int_equal(run(f, TEST | WRITE | FUNCTION(XENOS_NEVER), 0x12345678, 0.1f), 0x12345678);
}

/* All 2^24 values of both formats come out as they went in. */
static void every_depth_is_stored(void **state, uint32_t is_float)
{
    rop_fixture *f = *state;
    f->registers[XENOS_RB_DEPTH_INFO] |= is_float << 16;
    f->registers[XENOS_RB_DEPTHCONTROL] = TEST | WRITE | FUNCTION(XENOS_ALWAYS);
    fixture_prepare(f);
    uint32_t most = is_float ? 0xF00000 : 0xFFFFFF; /* 1.0 */
    for (uint32_t n = 0; n <= most; n += 16) {
        for (uint32_t lane = 0; lane < 16; lane++) {
            f->fragment->depth[0][lane] =
                is_float ? xenos_float_from_20e4(n + lane) : (float)((n + lane) / 16777215.0);
        }
        f->fragment->coverage[0] = 0xFFFF;
        soft_rop_depth(f->rop, f->fragment, &f->counts);
        for (uint32_t lane = 0; lane < 16; lane++) {
            uint32_t expected = n + lane < most ? n + lane : most;
            if (read32(depth_at(f, 0, lane, 0)) >> 8 != expected) {
                fail_msg("%06x gave %06x", expected, read32(depth_at(f, 0, lane, 0)) >> 8);
            }
        }
    }
}

static void every_fraction_is_stored(void **state)
{
    every_depth_is_stored(state, 0);
}

static void every_float_is_stored(void **state)
{
    every_depth_is_stored(state, 1);
}

/* Whatever the float, the lanes round as the scalar functions, whose tests are in test_edram.c. */
static void depth_rounds_and_clamps(void **state)
{
    rop_fixture *f = *state;
    f->registers[XENOS_RB_DEPTHCONTROL] = TEST | WRITE | FUNCTION(XENOS_ALWAYS);
    for (uint32_t is_float = 0; is_float < 2; is_float++) {
        f->registers[XENOS_RB_DEPTH_INFO] = 1024 | is_float << 16;
        fixture_prepare(f);
        for (int i = 0; i < 20000; i++) {
            float z[16];
            for (uint32_t lane = 0; lane < 16; lane++) {
                uint32_t bits = fixture_random(f);
                z[lane] = xenos_float(i & 1 ? bits : (bits & 0x0FFFFFFF) | 0x30000000);
                f->fragment->depth[0][lane] = z[lane];
            }
            soft_rop_depth(f->rop, f->fragment, &f->counts);
            for (uint32_t lane = 0; lane < 16; lane++) {
                float clamped = z[lane] < 1.0f ? z[lane] : z[lane] == z[lane] ? 1.0f : 0.0f;
                uint32_t expected =
                    is_float ? xenos_float_to_20e4(clamped) : xenos_float_to_unorm24(clamped);
                assert_int_equal(read32(depth_at(f, 0, lane, 0)) >> 8, expected);
            }
        }
    }
}

/* ---- stencil ---- */

static const struct {
    uint32_t operation, from, to;
} operations[] = {
    {0, 0x37, 0x37},                               /* keep */
    {1, 0x37, 0x00},                               /* zero */
    {2, 0x37, 0xC4},                               /* replace */
    {3, 0x37, 0x38}, {3, 254, 255}, {3, 255, 255}, /* increment and clamp */
    {4, 0x37, 0x36}, {4, 1, 0},     {4, 0, 0},     /* decrement and clamp */
    {5, 0x37, 0xC8},                               /* invert */
    {6, 0x37, 0x38}, {6, 255, 0},                  /* increment and wrap */
    {7, 0x37, 0x36}, {7, 0, 255},                  /* decrement and wrap */
};

static void every_operation_in_every_case(void **state)
{
    rop_fixture *f = *state;
    f->registers[XENOS_RB_STENCILREFMASK] = 0xC4 | 0xFF << 8 | 0xFF << 16;
    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++) {
        uint32_t op = operations[i].operation;
        uint32_t word = HALF << 8 | operations[i].from;
        uint32_t other = op == 0 ? 1 : 0; /* what the other cases would do differs */
        uint32_t control = STENCIL | TEST | STENCIL_FUNC(XENOS_ALWAYS);
        uint32_t left =
            run(f, control | FUNCTION(XENOS_LESS) | ON_PASS(op) | ON_FAIL(other) | ON_Z_FAIL(other),
                word, 0.25f);
        assert_int_equal(left, HALF << 8 | operations[i].to);
        assert_int_equal(f->fragment->coverage[0], 0xFFFF);
        left =
            run(f, control | FUNCTION(XENOS_LESS) | ON_Z_FAIL(op) | ON_FAIL(other) | ON_PASS(other),
                word, 0.75f);
        assert_int_equal(left, HALF << 8 | operations[i].to);
        assert_int_equal(f->fragment->coverage[0], 0);
        assert_int_equal(f->counts.z_fail, 16);
        left = run(f,
                   STENCIL | TEST | STENCIL_FUNC(XENOS_NEVER) | FUNCTION(XENOS_LESS) | ON_FAIL(op) |
                       ON_Z_FAIL(other) | ON_PASS(other),
                   word, 0.25f);
        assert_int_equal(left, HALF << 8 | operations[i].to);
        assert_int_equal(f->fragment->coverage[0], 0);
        assert_int_equal(f->counts.stencil_fail, 16);
        assert_int_equal(f->counts.z_fail, 0);
    }
}

/* (reference & mask) function (stored & mask), as in Direct3D. */
static void every_function_compares_the_reference_with_the_stored(void **state)
{
    rop_fixture *f = *state;
    static const uint32_t stored[3] = {0x2F, 0x1F, 0x0F}; /* & 0xF0: reference 0x1A less, ... */
    f->registers[XENOS_RB_STENCILREFMASK] = 0x1A | 0xF0 << 8;
    for (uint32_t function = 0; function < 8; function++) {
        for (uint32_t i = 0; i < 3; i++) {
            run(f, STENCIL | STENCIL_FUNC(function), stored[i], 0);
            assert_int_equal(f->fragment->coverage[0], function >> i & 1 ? 0xFFFF : 0);
        }
    }
}

static void the_write_mask_keeps_bits(void **state)
{
    rop_fixture *f = *state;
    f->registers[XENOS_RB_STENCILREFMASK] = 0xAB | 0xFF << 8 | 0x3C << 16;
    uint32_t left = run(f, STENCIL | STENCIL_FUNC(XENOS_ALWAYS) | ON_PASS(2), 0x12345600 | 0x41, 0);
    assert_int_equal(left, 0x12345600 | (0x41 & 0xC3) | (0xAB & 0x3C));
}

static void back_faces_have_their_own_stencil(void **state)
{
    rop_fixture *f = *state;
    uint32_t control = STENCIL | STENCIL_FUNC(XENOS_ALWAYS) | ON_PASS(2) |
                       STENCIL_FUNC(XENOS_ALWAYS) << 12 | ON_PASS(5) << 12;
    f->registers[XENOS_RB_STENCILREFMASK] = 0x11 | 0xFF << 8 | 0xFF << 16;
    f->registers[XENOS_RB_STENCILREFMASK_BF] = 0x22 | 0xFF << 8 | 0x0F << 16;
    f->fragment->back = 1;
    assert_int_equal(run(f, control | BACK, 0x33, 0), 0x3C); /* inverted, low nibble written */
    assert_int_equal(run(f, control, 0x33, 0), 0x11);        /* backface_enable off: as the front */
    f->fragment->back = 0;
    assert_int_equal(run(f, control | BACK, 0x33, 0), 0x11);
}

/* ---- lanes and samples ---- */

static void lanes_that_are_not_covered_stay(void **state)
{
    rop_fixture *f = *state;
    f->registers[XENOS_RB_DEPTHCONTROL] =
        STENCIL | TEST | WRITE | FUNCTION(XENOS_ALWAYS) | STENCIL_FUNC(XENOS_ALWAYS) | ON_PASS(5);
    f->registers[XENOS_RB_STENCILREFMASK] = 0xFFFFFF;
    f->fragment->x = 76;
    f->fragment->y = 20;
    fill(f, 0x11111111);
    f->fragment->coverage[0] = 0x8421;
    f->fragment->depth[0] = soft_splat(1.0f);
    fixture_prepare(f);
    soft_rop_depth(f->rop, f->fragment, &f->counts);
    for (uint32_t lane = 0; lane < 16; lane++) {
        assert_int_equal(read32(depth_at(f, 0, lane, 0)),
                         0x8421 >> lane & 1 ? 0xFFFFFFEE : 0x11111111);
    }
    assert_int_equal(f->counts.total, 4);
    assert_int_equal(f->fragment->coverage[0], 0x8421);
}

static void each_sample_is_tested_alone(void **state)
{
    rop_fixture *f = *state;
    for (uint32_t msaa = 1; msaa < 3; msaa++) {
        uint32_t samples = 1u << msaa;
        f->registers[XENOS_RB_SURFACE_INFO] = 160 | msaa << 16;
        f->registers[XENOS_RB_DEPTHCONTROL] = TEST | WRITE | FUNCTION(XENOS_GREATER);
        for (uint32_t s = 0; s < samples; s++) {
            f->fragment->coverage[s] = 0xFFFF;
            for (uint32_t lane = 0; lane < 16; lane++) {
                write32(depth_at(f, msaa, lane, s), (lane * 4 + s) << 8);
                f->fragment->depth[s][lane] = (float)((2 * lane + 4 * s + 9) / 16777215.0);
            }
        }
        memset(&f->counts, 0, sizeof f->counts);
        fixture_prepare(f);
        soft_rop_depth(f->rop, f->fragment, &f->counts);
        uint64_t passes = 0;
        for (uint32_t s = 0; s < samples; s++) {
            for (uint32_t lane = 0; lane < 16; lane++) {
                uint32_t old = lane * 4 + s;
                uint32_t new = 2 * lane + 4 * s + 9;
                passes += new > old;
                assert_int_equal(read32(depth_at(f, msaa, lane, s)) >> 8, new > old ? new : old);
                assert_int_equal(f->fragment->coverage[s] >> lane & 1, new > old);
            }
        }
        assert_int_equal(f->counts.total, 16 * samples);
        assert_int_equal(f->counts.z_pass, passes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROP_TEST(every_function_compares_new_with_old),
        ROP_TEST(nothing_is_written_without_leave),
        ROP_TEST(every_fraction_is_stored),
        ROP_TEST(every_float_is_stored),
        ROP_TEST(depth_rounds_and_clamps),
        ROP_TEST(every_operation_in_every_case),
        ROP_TEST(every_function_compares_the_reference_with_the_stored),
        ROP_TEST(the_write_mask_keeps_bits),
        ROP_TEST(back_faces_have_their_own_stencil),
        ROP_TEST(lanes_that_are_not_covered_stay),
        ROP_TEST(each_sample_is_tested_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
