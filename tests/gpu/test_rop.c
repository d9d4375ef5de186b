/* What a draw's registers say before a pixel is touched, and the tests of alpha. Rules: xenia
 * src/xenia/gpu/registers.h (RB_COLORCONTROL), spirv_shader_translator_rb.cc, draw_util.cc. */
#include "rop_fixture.h"

static void set_alpha(rop_fixture *f)
{
    static const float values[16] = {0.0f,  0.25f, 0.5f, 0.75f, 1.0f,  -1.0f,   2.0f,     0.49f,
                                     0.51f, NAN,   0.3f, 0.6f,  0.12f, 0.0625f, INFINITY, 0.9f};
    for (uint32_t lane = 0; lane < 16; lane++) {
        f->fragment->color[0].c[3][lane] = values[lane];
    }
}

static void every_function_tests_alpha(void **state)
{
    rop_fixture *f = *state;
    set_alpha(f);
    f->registers[XENOS_RB_ALPHA_REF] = xenos_float_bits(0.5f);
    for (uint32_t function = 0; function < 8; function++) {
        f->registers[XENOS_RB_COLORCONTROL] = 8 | function;
        f->fragment->coverage[0] = 0xFFFF;
        fixture_prepare(f);
        soft_rop_alpha(f->rop, f->fragment);
        for (uint32_t lane = 0; lane < 16; lane++) {
            float a = f->fragment->color[0].c[3][lane];
            uint32_t pass = a < 0.5f ? function & 1 : a == 0.5f ? function & 2 : function & 4;
            if (a != a) { /* NaN is not equal, and always passes */
                pass = function == XENOS_NOT_EQUAL || function == XENOS_ALWAYS;
            }
            assert_int_equal(f->fragment->coverage[0] >> lane & 1, pass != 0);
        }
    }
}

static void alpha_is_not_tested_unless_enabled(void **state)
{
    rop_fixture *f = *state;
    set_alpha(f);
    f->registers[XENOS_RB_COLORCONTROL] = XENOS_NEVER;
    fixture_prepare(f);
    soft_rop_alpha(f->rop, f->fragment);
    assert_int_equal(f->fragment->coverage[0], 0xFFFF);
    f->registers[XENOS_RB_COLORCONTROL] = 8 | XENOS_NEVER;
    f->pixel.exports = 2; /* no colour 0, no alpha */
    fixture_prepare(f);
    soft_rop_alpha(f->rop, f->fragment);
    assert_int_equal(f->fragment->coverage[0], 0xFFFF);
}

static void alpha_kills_every_sample(void **state)
{
    rop_fixture *f = *state;
    f->registers[XENOS_RB_SURFACE_INFO] = 160 | 2 << 16;
    f->registers[XENOS_RB_COLORCONTROL] = 8 | XENOS_GREATER;
    f->fragment->color[0].c[3][3] = 1.0f;
    fixture_prepare(f);
    soft_rop_alpha(f->rop, f->fragment);
    for (int s = 0; s < 4; s++) {
        assert_int_equal(f->fragment->coverage[s], 8);
    }
}

/* registers.h: with no offsets a sample is covered from 0.75, 0.25, 0.5, 1 (4x), 0.5, 1 (2x), 1 on. */
static void alpha_to_mask_without_offsets(void **state)
{
    rop_fixture *f = *state;
    static const float from[3][4] = {{1.0f}, {0.5f, 1.0f}, {0.75f, 0.25f, 0.5f, 1.0f}};
    set_alpha(f);
    for (uint32_t msaa = 0; msaa < 3; msaa++) {
        f->registers[XENOS_RB_SURFACE_INFO] = 160 | msaa << 16;
        f->registers[XENOS_RB_COLORCONTROL] = 16;
        fixture_prepare(f);
        for (int s = 0; s < 4; s++) {
            f->fragment->coverage[s] = 0xFFFF;
        }
        soft_rop_alpha(f->rop, f->fragment);
        for (uint32_t s = 0; s < 1u << msaa; s++) {
            for (uint32_t lane = 0; lane < 16; lane++) {
                float a = f->fragment->color[0].c[3][lane];
                assert_int_equal(f->fragment->coverage[s] >> lane & 1, a >= from[msaa][s]);
            }
        }
    }
}

/* Offsets 0..3 for pixels (0, 0), (0, 1), (1, 0), (1, 1) of a quad; each takes 1/4 of a step off. */
static void alpha_to_mask_dithers_by_place_in_the_quad(void **state)
{
    rop_fixture *f = *state;
    f->registers[XENOS_RB_COLORCONTROL] = 16 | 3u << 24 | 1u << 26 | 0u << 28 | 2u << 30;
    fixture_prepare(f);
    static const float from[2][2] = {{0.25f, 1.0f}, {0.75f, 0.5f}}; /* [y][x] */
    for (int i = 0; i < 2; i++) {
        f->fragment->coverage[0] = 0xFFFF;
        for (uint32_t lane = 0; lane < 16; lane++) {
            float at = from[lane_y(lane) & 1][lane_x(lane) & 1];
            f->fragment->color[0].c[3][lane] = i ? nextafterf(at, 0) : at;
        }
        soft_rop_alpha(f->rop, f->fragment);
        assert_int_equal(f->fragment->coverage[0], i ? 0 : 0xFFFF);
    }
}

static void samples_and_pitch_are_the_surface_s(void **state)
{
    rop_fixture *f = *state;
    static const uint32_t samples[4] = {1, 2, 4, 4};
    for (uint32_t i = 0; i < 4; i++) {
        f->registers[XENOS_RB_SURFACE_INFO] = 1280 | i << 16;
        fixture_prepare(f);
        assert_int_equal(soft_rop_samples(f->rop), samples[i]);
        assert_int_equal(soft_rop_pitch(f->rop), 1280);
    }
}

static int early(rop_fixture *f)
{
    fixture_prepare(f);
    return soft_rop_early(f->rop);
}

static void depth_is_early_unless_the_shader_or_alpha_decide(void **state)
{
    rop_fixture *f = *state;
    assert_true(early(f));
    f->pixel.kills = 1;
    assert_false(early(f));
    f->pixel.kills = 0;
    f->pixel.memory_export = 1; /* exports of pixels that depth hides still happen */
    assert_false(early(f));
    f->pixel.memory_export = 0;
    f->pixel.exports |= UINT64_C(1) << XENOS_EXPORT_DEPTH;
    assert_false(early(f));
    f->pixel.exports = 1;
    f->registers[XENOS_RB_COLORCONTROL] = 8 | XENOS_GREATER;
    assert_false(early(f));
    f->registers[XENOS_RB_COLORCONTROL] = 8 | XENOS_ALWAYS;
    assert_true(early(f));
    f->registers[XENOS_RB_COLORCONTROL] = 16;
    assert_false(early(f));
    soft_rop_prepare(f->rop, f->registers, NULL, f->edram);
    assert_true(soft_rop_early(f->rop));
}

static int aliases(rop_fixture *f)
{
    fixture_prepare(f);
    return soft_rop_aliases(f->rop, 256);
}

/* 160 pixels by 256: 2 tiles by 16. */
static void targets_alias_where_their_tiles_meet(void **state)
{
    rop_fixture *f = *state;
    f->pixel.exports = 3;
    f->registers[XENOS_RB_COLOR_INFO] = 100;
    f->registers[XENOS_RB_COLOR1_INFO] = 132;
    assert_false(aliases(f));
    f->registers[XENOS_RB_COLOR1_INFO] = 131;
    assert_true(aliases(f));
    f->registers[XENOS_RB_COLOR1_INFO] = 69;
    assert_true(aliases(f));
    f->registers[XENOS_RB_COLOR1_INFO] = 68;
    assert_false(aliases(f));
    f->registers[XENOS_RB_COLOR1_INFO] = 100; /* the same place: a pixel meets itself only */
    assert_false(aliases(f));
    f->registers[XENOS_RB_COLOR1_INFO] = 100 | XENOS_COLOR_32_32_FLOAT << 16;
    assert_true(aliases(f));
    f->registers[XENOS_RB_COLOR_MASK] = 0x0F; /* colour 1 is not written */
    assert_false(aliases(f));
}

static void depth_aliases_only_when_it_is_used(void **state)
{
    rop_fixture *f = *state;
    f->registers[XENOS_RB_COLOR_INFO] = 100;
    f->registers[XENOS_RB_DEPTH_INFO] = 100;
    assert_false(aliases(f));
    f->registers[XENOS_RB_DEPTHCONTROL] = 2 | XENOS_LESS << 4;
    assert_true(aliases(f)); /* the halves of each tile are swapped */
    f->registers[XENOS_RB_DEPTH_INFO] = 200;
    assert_false(aliases(f));
}

static void a_target_that_goes_round_aliases_itself(void **state)
{
    rop_fixture *f = *state;
    f->registers[XENOS_RB_SURFACE_INFO] = 320; /* 4 tiles a row: 512 rows of 16 fill the EDRAM */
    fixture_prepare(f);
    assert_false(soft_rop_aliases(f->rop, 8192));
    assert_true(soft_rop_aliases(f->rop, 8193));
    f->registers[XENOS_RB_COLOR_INFO] = 2047; /* wrapping alone is no alias */
    fixture_prepare(f);
    assert_false(soft_rop_aliases(f->rop, 8192));
    f->registers[XENOS_RB_SURFACE_INFO] = 321;
    fixture_prepare(f);
    assert_true(soft_rop_aliases(f->rop, 8192));
    assert_false(soft_rop_aliases(f->rop, 4096));
}

/* Registers of every kind, pixels of every kind: nothing outside the EDRAM is touched (sanitizers),
 * and what is prepared answers. */
static void any_registers_will_do(void **state)
{
    rop_fixture *f = *state;
    for (int i = 0; i < 3000; i++) {
        for (uint32_t n = 0x2000; n < 0x2400; n++) {
            f->registers[n] = fixture_random(f);
        }
        f->registers[XENOS_RB_MODECONTROL] = 4 + (uint32_t)(i & 1);
        f->pixel.exports = fixture_random(f);
        for (uint32_t *p = (uint32_t *)f->fragment->depth; p < (uint32_t *)(f->fragment->color + 4);
             p++) {
            *p = fixture_random(f);
        }
        f->fragment->x = fixture_random(f) & 0x3FFC;
        f->fragment->y = fixture_random(f) & 0x3FFC;
        fixture_prepare(f);
        for (int s = 0; s < 4; s++) {
            f->fragment->coverage[s] = fixture_random(f) & 0xFFFF;
        }
        soft_rop_alpha(f->rop, f->fragment);
        soft_rop_depth(f->rop, f->fragment, &f->counts);
        soft_rop_color(f->rop, f->fragment, fixture_random(f));
        assert_in_range(soft_rop_samples(f->rop), 1, 4);
    }
    assert_true(f->counts.total == f->counts.z_pass + f->counts.z_fail + f->counts.stencil_fail);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROP_TEST(every_function_tests_alpha),
        ROP_TEST(alpha_is_not_tested_unless_enabled),
        ROP_TEST(alpha_kills_every_sample),
        ROP_TEST(alpha_to_mask_without_offsets),
        ROP_TEST(alpha_to_mask_dithers_by_place_in_the_quad),
        ROP_TEST(samples_and_pitch_are_the_surface_s),
        ROP_TEST(depth_is_early_unless_the_shader_or_alpha_decide),
        ROP_TEST(targets_alias_where_their_tiles_meet),
        ROP_TEST(depth_aliases_only_when_it_is_used),
        ROP_TEST(a_target_that_goes_round_aliases_itself),
        ROP_TEST(any_registers_will_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
