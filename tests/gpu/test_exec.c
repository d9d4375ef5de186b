/* The shader processor's arithmetic. Expectations by hand from the operation's description in xenia
 * src/xenia/gpu/ucode.h, and random programs against the oracle. */
#include "exec_test.h"

#include <float.h>
#include <math.h>

/* ---- by hand ---- */

static void test_zero_times_anything_is_plus_zero(void **state)
{
    fixture *f = *state;
    add_cf(f, XENOS_CF_EXEC_END);
    set_all(f, 0, 0.0f, -0.0f, bits_float(0x00000005u), -3.0f);
    set_all(f, 1, INFINITY, NAN, -INFINITY, 0.0f);
    add_vector(f, XENOS_V_MUL, 2, 15, temporary(0), temporary(1), temporary(1));
    set_constant(f, 0, -0.0f, -0.0f, -0.0f, -0.0f);
    add_vector(f, XENOS_V_MAD, 3, 15, temporary(0), temporary(1), constant(0));
    add_vector(f, XENOS_V_DP4, 4, 1, temporary(0), temporary(1), temporary(1));
    run(f);
    for (int c = 0; c < 4; c++) {
        assert_bits(R(f, 2, c, 3), 0);
        assert_bits(R(f, 3, c, 3), 0); /* +0 + -0 = +0 */
    }
    assert_bits(R(f, 4, 0, 3), 0);
}

static void test_denormals_are_flushed_both_ways(void **state)
{
    fixture *f = *state;
    add_cf(f, XENOS_CF_EXEC_END);
    set_all(f, 0, bits_float(0x007FFFFFu), bits_float(0x807FFFFFu), FLT_MIN, -FLT_MIN);
    add_move(f, 1, 15, temporary(0));
    set_constant(f, 0, 0.5f, 0.5f, 0.5f, 0.5f);
    add_vector(f, XENOS_V_MUL, 2, 15, temporary(0), constant(0), constant(0));
    set_constant(f, 1, 1e-40f, -1e-40f, 1.0f, 2.0f);
    add_move(f, 3, 15, constant(1));
    run(f);
    assert_bits(R(f, 1, 0, 0), 0);
    assert_bits(R(f, 1, 1, 0), 0x80000000u);
    assert_bits(R(f, 1, 2, 0), 0x00800000u);
    assert_bits(R(f, 2, 2, 0), 0); /* 2^-127 */
    assert_bits(R(f, 2, 3, 0), 0x80000000u);
    assert_bits(R(f, 3, 0, 0), 0);
    assert_bits(R(f, 3, 1, 0), 0x80000000u);
}

/* 1 + 2^-12 squared is 1 + 2^-11 + 2^-24; rounded to 24 bits the last term goes (a tie to even), so
 * less 1 + 2^-11 is 0, where a fused operation has 2^-24. */
static void test_multiply_and_add_round_apart(void **state)
{
    fixture *f = *state;
    add_cf(f, XENOS_CF_EXEC_END);
    float a = 1.0f + 0x1p-12f;
    set_all(f, 0, a, a, a, a);
    float c = -(1.0f + 0x1p-11f);
    set_constant(f, 0, c, c, c, c);
    add_vector(f, XENOS_V_MAD, 1, 15, temporary(0), temporary(0), constant(0));
    run(f);
    assert_bits(R(f, 1, 0, 15), 0);
}

/* 2^24 + 1 + 1 loses both ones from the left, and keeps 2 from the right. */
static void test_dot_products_add_from_the_left(void **state)
{
    fixture *f = *state;
    add_cf(f, XENOS_CF_EXEC_END);
    set_all(f, 0, 0x1p24f, 1.0f, 1.0f, 0.0f);
    set_constant(f, 0, 1.0f, 1.0f, 1.0f, 1.0f);
    add_vector(f, XENOS_V_DP3, 1, 1, temporary(0), constant(0), constant(0));
    run(f);
    assert_true(R(f, 1, 0, 0) == 0x1p24f);
}

static void test_maximum_and_minimum_choose_by_comparison(void **state)
{
    fixture *f = *state;
    add_cf(f, XENOS_CF_EXEC_END);
    set_all(f, 0, NAN, 1.0f, -0.0f, 0.0f);
    set_all(f, 1, 1.0f, NAN, 0.0f, -0.0f);
    add_vector(f, XENOS_V_MAX, 2, 15, temporary(0), temporary(1), temporary(1));
    add_vector(f, XENOS_V_MIN, 3, 15, temporary(0), temporary(1), temporary(1));
    run(f);
    assert_bits(R(f, 2, 0, 0), 0x3F800000u); /* NaN >= 1 is false: the second */
    assert_true(isnan(R(f, 2, 1, 0)));
    assert_bits(R(f, 2, 2, 0), 0x80000000u); /* -0 >= 0: the first */
    assert_bits(R(f, 2, 3, 0), 0);
    assert_bits(R(f, 3, 0, 0), 0x3F800000u);
    assert_true(isnan(R(f, 3, 1, 0)));
    assert_bits(R(f, 3, 2, 0), 0); /* -0 < 0 is false: the second */
}

static void test_both_operations_read_before_either_writes(void **state)
{
    fixture *f = *state;
    add_cf(f, XENOS_CF_EXEC_END);
    set_all(f, 0, 1.0f, 2.0f, 3.0f, 4.0f);
    xenos_alu *alu = add_alu(f, XENOS_V_MAX, XENOS_S_ADDS);
    alu->vector_dest = alu->scalar_dest = 0;
    alu->vector_mask = 7;
    alu->scalar_mask = 8;
    alu->source[0] = alu->source[1] = (xenos_source){.swizzle = {3, 2, 1, 0}};
    run(f);
    assert_true(R(f, 0, 0, 9) == 4.0f);
    assert_true(R(f, 0, 1, 9) == 3.0f);
    assert_true(R(f, 0, 2, 9) == 2.0f);
    assert_true(R(f, 0, 3, 9) == 5.0f); /* the old w and x */
}

/* AMD Southern Islands ISA, CUBEID and so on: (1, 0.5, -0.25) looks at face 0 (+x): sc = -z, tc = -y. */
static void test_cube(void **state)
{
    fixture *f = *state;
    add_cf(f, XENOS_CF_EXEC_END);
    set_all(f, 0, 1.0f, 0.5f, -0.25f, 0.0f);
    xenos_source a = {.swizzle = {2, 2, 0, 1}}, b = {.swizzle = {1, 0, 2, 2}};
    add_vector(f, XENOS_V_CUBE, 1, 15, a, b, b);
    set_all(f, 2, 0.25f, 0.5f, -2.0f, 0.0f);
    a.index = b.index = 2;
    add_vector(f, XENOS_V_CUBE, 3, 15, a, b, b);
    run(f);
    assert_true(R(f, 1, 0, 0) == -0.5f && R(f, 1, 1, 0) == 0.25f && R(f, 1, 2, 0) == 2.0f &&
                R(f, 1, 3, 0) == 0.0f);
    assert_true(R(f, 3, 0, 0) == -0.5f && R(f, 3, 1, 0) == -0.25f && R(f, 3, 2, 0) == -4.0f &&
                R(f, 3, 3, 0) == 5.0f);
}

static void test_previous_scalar_is_kept_unclamped_per_lane(void **state)
{
    fixture *f = *state;
    add_cf(f, XENOS_CF_EXEC_END);
    for (int lane = 0; lane < SOFT_LANES; lane++) {
        f->group.r[0].c[3][lane] = (float)lane;
    }
    set_constant(f, 0, 1.0f, 0.0f, 0.0f, 3.0f);
    add_scalar(f, XENOS_S_ADDS, 1, 1, constant(0))->scalar_clamp = 1; /* ps = 4, r1.x = 1 */
    add_scalar(f, XENOS_S_MULS_PREV, 1, 2, temporary(0));
    add_scalar(f, XENOS_S_RETAIN_PREV, 1, 4, temporary(0));
    run(f);
    for (int lane = 0; lane < SOFT_LANES; lane++) {
        assert_true(R(f, 1, 0, lane) == 1.0f);
        assert_true(R(f, 1, 1, lane) == 4.0f * (float)lane);
        assert_true(R(f, 1, 2, lane) == 4.0f * (float)lane);
    }
}

static void test_clamp_makes_nan_zero(void **state)
{
    fixture *f = *state;
    add_cf(f, XENOS_CF_EXEC_END);
    set_all(f, 0, NAN, -0.0f, INFINITY, 0.25f);
    add_move(f, 1, 15, temporary(0))->vector_clamp = 1;
    run(f);
    assert_bits(R(f, 1, 0, 0), 0);
    assert_bits(R(f, 1, 1, 0), 0);
    assert_bits(R(f, 1, 2, 0), 0x3F800000u);
    assert_bits(R(f, 1, 3, 0), 0x3E800000u);
}

static void test_nan_of_arithmetic_is_one(void **state)
{
    fixture *f = *state;
    add_cf(f, XENOS_CF_EXEC_END);
    set_all(f, 0, bits_float(0x7FC00001u), INFINITY, bits_float(0xFFC54321u), 1.0f);
    set_all(f, 1, bits_float(0x7FC00002u), -INFINITY, 2.0f, bits_float(0x7F800001u));
    add_vector(f, XENOS_V_ADD, 2, 15, temporary(0), temporary(1), temporary(1));
    add_move(f, 3, 15, temporary(1));
    run(f);
    for (int c = 0; c < 4; c++) {
        assert_bits(R(f, 2, c, 0), UINT32_MAX);
    }
    assert_bits(R(f, 3, 3, 0), 0x7F800001u); /* a move does not touch it */
}

/* a0 = clamp(floor(x + 0.5), -256, 255) */
static void test_constants_relative_to_a0(void **state)
{
    fixture *f = *state;
    add_cf(f, XENOS_CF_EXEC_END);
    for (uint32_t i = 0; i < 256; i++) {
        set_constant(f, i, (float)i, -(float)i, 0.5f, 0.0f);
    }
    const float address[SOFT_LANES] = {0.0f,   0.49f,     0.5f,  1.5f,   -1.0f,  -10.0f,
                                       300.0f, NAN,       -0.5f, 245.0f, 246.0f, 1e30f,
                                       -1e30f, -INFINITY, 2.75f, 7.0f};
    const int a0[SOFT_LANES] = {0, 0, 1, 2, -1, -10, 255, -256, 0, 245, 246, 255, -256, -256, 3, 7};
    for (int lane = 0; lane < SOFT_LANES; lane++) {
        f->group.r[0].c[3][lane] = address[lane];
    }
    add_scalar(f, XENOS_S_MAXAS, 0, 0, temporary(0));
    xenos_source relative = constant(10);
    relative.relative = XENOS_ADDRESS_A0;
    add_move(f, 1, 15, relative);
    run(f);
    for (int lane = 0; lane < SOFT_LANES; lane++) {
        int index = 10 + a0[lane];
        float want = index < 0 || index > 255 ? 0.0f : (float)index;
        assert_true(R(f, 1, 0, lane) == want);
        assert_true(R(f, 1, 1, lane) == -want);
    }
}

static void test_constants_beyond_the_stage_are_zero(void **state)
{
    fixture *f = *state;
    add_cf(f, XENOS_CF_EXEC_END);
    f->stage.constant_base = 500;
    f->stage.constant_count = 20;
    for (uint32_t i = 0; i < 12; i++) {
        set_constant(f, i, 1.0f, 1.0f, 1.0f, 1.0f);
    }
    add_move(f, 1, 1, constant(11));
    add_move(f, 2, 1, constant(12)); /* 512 does not exist */
    add_move(f, 3, 1, constant(20));
    f->stage.constant_base = 500;
    run(f);
    assert_true(R(f, 1, 0, 0) == 1.0f);
    assert_true(R(f, 2, 0, 0) == 0.0f);
    assert_true(R(f, 3, 0, 0) == 0.0f);
}

static void test_exports_take_constants_and_both_operations(void **state)
{
    fixture *f = *state;
    add_cf(f, XENOS_CF_EXEC_END);
    set_all(f, 0, 2.0f, 3.0f, 5.0f, 7.0f);
    xenos_alu *alu = add_alu(f, XENOS_V_MAX, XENOS_S_ADDS);
    alu->exports = 1;
    alu->vector_dest = 2;
    alu->vector_mask = 1;
    alu->scalar_mask = 2;
    alu->one_mask = 4;
    alu->zero_mask = 8;
    f->group.exports[2].c[3] = soft_splat(9.0f);
    f->group.exports[5].c[0] = soft_splat(9.0f);
    run(f);
    assert_true(E(f, 2, 0, 4) == 2.0f && E(f, 2, 1, 4) == 9.0f && E(f, 2, 2, 4) == 1.0f &&
                E(f, 2, 3, 4) == 0.0f);
    assert_true(f->group.exported == 4);
    assert_true(E(f, 5, 0, 4) == 9.0f); /* the program has no such export */
}

static void test_pixels_are_killed_vertices_are_not(void **state)
{
    fixture *f = *state;
    add_cf(f, XENOS_CF_EXEC_END);
    for (int lane = 0; lane < SOFT_LANES; lane++) {
        f->group.r[0].c[3][lane] = lane % 3 == 0 ? -1.0f : 1.0f;
    }
    f->group.active = 0x0FFF;
    add_scalar(f, XENOS_S_KILLS_GT, 1, 1, temporary(0));
    run(f);
    assert_int_equal(f->group.killed, 0x0FFF & ~0x1249u);
    assert_true(R(f, 1, 0, 1) == 1.0f && R(f, 1, 0, 3) == 0.0f);
    f->program.stage = XENOS_STAGE_VERTEX;
    run(f);
    assert_int_equal(f->group.killed, 0);
}

static void test_predicated_instructions_leave_other_lanes_alone(void **state)
{
    fixture *f = *state;
    add_cf(f, XENOS_CF_EXEC_END);
    for (int lane = 0; lane < SOFT_LANES; lane++) {
        f->group.r[0].c[3][lane] = (float)(lane & 1);
    }
    set_all(f, 1, 1.0f, 1.0f, 1.0f, 1.0f);
    add_scalar(f, XENOS_S_SETP_NE, 0, 0, temporary(0));
    set_constant(f, 0, 8.0f, 8.0f, 8.0f, 8.0f);
    xenos_alu *alu = add_vector(f, XENOS_V_ADD, 1, 3, temporary(1), constant(0), constant(0));
    alu->predicated = alu->condition = 1;
    alu = add_scalar(f, XENOS_S_ADDS, 1, 4, constant(0));
    alu->predicated = 1;
    add_scalar(f, XENOS_S_RETAIN_PREV, 2, 1, temporary(0));
    run(f);
    for (int lane = 0; lane < SOFT_LANES; lane++) {
        assert_true(R(f, 1, 0, lane) == (lane & 1 ? 9.0f : 1.0f));
        assert_true(R(f, 1, 2, lane) == (lane & 1 ? 1.0f : 16.0f));
        /* ps: what setp left (0 where it set the predicate), else the sum */
        assert_true(R(f, 2, 0, lane) == (lane & 1 ? 0.0f : 16.0f));
    }
}

static void test_scalar_with_constant_and_register(void **state)
{
    fixture *f = *state;
    add_cf(f, XENOS_CF_EXEC_END);
    set_constant(f, 7, 0.0f, 0.0f, 0.0f, 10.0f);
    set_all(f, 5, 4.0f, 0.0f, 0.0f, 0.0f);
    xenos_alu *alu = add_scalar(f, XENOS_S_SUBSC_1, 1, 1, constant(7));
    alu->scalar_temporary = temporary(5);
    run(f);
    assert_true(R(f, 1, 0, 0) == 6.0f);
}

/* ---- against the oracle ---- */

static xenos_source random_source(uint64_t *seed, int relative)
{
    xenos_source s = {
        .constant = draw(seed) % 3 == 0,
        .index = (uint8_t)(draw(seed) % 8),
        .absolute = draw(seed) % 4 == 0,
        .negate = draw(seed) % 3 == 0,
    };
    if (relative && draw(seed) % 4 == 0) {
        s.relative = s.constant ? (uint8_t)(draw(seed) % 3) : 1;
    }
    for (int c = 0; c < 4; c++) {
        s.swizzle[c] = draw(seed) % 2 ? (uint8_t)c : (uint8_t)(draw(seed) % 4);
    }
    return s;
}

static void random_alu(fixture *f, uint64_t *seed, int relative)
{
    xenos_alu *alu = add_alu(f, draw(seed) % 32, draw(seed) % 64);
    for (int n = 0; n < 3; n++) {
        alu->source[n] = random_source(seed, relative);
    }
    if (draw(seed) % 4 == 0) {
        alu->source[1] = alu->source[0];
    }
    alu->vector_dest = (uint8_t)(draw(seed) % 8);
    alu->scalar_dest = (uint8_t)(draw(seed) % 8);
    alu->vector_mask = (uint8_t)(draw(seed) % 16);
    alu->scalar_mask = (uint8_t)(draw(seed) % 16);
    alu->vector_clamp = draw(seed) % 6 == 0;
    alu->scalar_clamp = draw(seed) % 6 == 0;
    alu->predicated = draw(seed) % 3 == 0;
    alu->condition = (uint8_t)(draw(seed) & 1);
    if (draw(seed) % 5 == 0) {
        alu->exports = 1;
        uint32_t raw_vector = alu->vector_mask, raw_scalar = alu->scalar_mask;
        alu->vector_mask = (uint8_t)(raw_vector & ~raw_scalar);
        alu->scalar_mask = (uint8_t)(raw_scalar & ~raw_vector);
        alu->one_mask = (uint8_t)(raw_vector & raw_scalar);
        alu->zero_mask = draw(seed) & 1 ? (uint8_t)(15 & ~(raw_vector | raw_scalar)) : 0;
    } else if (relative) {
        alu->vector_relative = draw(seed) % 6 == 0;
        alu->scalar_relative = draw(seed) % 6 == 0;
    }
    if (alu->scalar_opcode >= XENOS_S_MULSC_0 && alu->scalar_opcode <= XENOS_S_SUBSC_1) {
        alu->source[2].constant = 1;
        alu->scalar_temporary = alu->source[2];
        alu->scalar_temporary.constant = 0;
        alu->scalar_temporary.relative = 0;
    }
}

static void random_lanes(fixture *f, uint64_t *seed)
{
    for (uint32_t n = 0; n < 64; n++) {
        for (uint32_t c = 0; c < 4; c++) {
            for (uint32_t lane = 0; lane < SOFT_LANES; lane++) {
                ((float *)&f->group.r[n].c[c])[lane] = n < 8 ? draw_float(seed) : 0.0f;
            }
        }
    }
    for (uint32_t n = 0; n < 16 * 4; n++) {
        f->registers[0x4000 + 4 * f->stage.constant_base + n] = float_bits(draw_float(seed));
    }
    f->group.active = draw(seed) % 3 == 0 ? draw(seed) & SOFT_ALL : SOFT_ALL;
}

static void test_random_instructions_against_the_oracle(void **state)
{
    fixture *f = *state;
    uint64_t seed = 0x9E3779B97F4A7C15u;
    for (int round = 0; round < 3000; round++) {
        f->program.cf_count = f->program.instruction_count = 0;
        f->stage.constant_count = 6 + draw(&seed) % 8;
        random_lanes(f, &seed);
        add_cf(f, XENOS_CF_EXEC_END);
        for (uint32_t n = 0; n < 6; n++) {
            random_alu(f, &seed, 1);
        }
        run_and_compare(f);
    }
}

/* Forward jumps, calls and loops of a few turns, so that every lane ends. */
static void random_flow(fixture *f, uint64_t *seed)
{
    uint32_t depth = 0, starts[4];
    for (uint32_t n = 0; n < 20; n++) {
        uint32_t what = draw(seed) % 10;
        xenos_cf *cf;
        if (what < 5) {
            static const uint8_t execs[] = {1, 1, 1, 3, 5, 5, 13, 6};
            cf = add_cf(f, execs[draw(seed) % sizeof execs]);
            for (uint32_t i = 0; i < 2; i++) {
                random_alu(f, seed, 1);
            }
        } else if (what < 7 && depth < 4) {
            starts[depth++] = n;
            cf = add_cf(f, XENOS_CF_LOOP_START);
            cf->repeat = draw(seed) % 8 == 0;
        } else if (what < 8 && depth > 0) {
            cf = add_cf(f, XENOS_CF_LOOP_END);
            cf->address = (uint16_t)(starts[--depth] + 1);
            f->cf[starts[depth]].address = (uint16_t)(n + 1);
            cf->predicated = (uint8_t)(draw(seed) & 1);
        } else {
            cf = add_cf(f, draw(seed) % 3 ? XENOS_CF_COND_JMP : XENOS_CF_RETURN);
            cf->predicated = (uint8_t)(draw(seed) & 1);
            cf->unconditional = draw(seed) % 16 == 0;
            cf->address = (uint16_t)(n + 1 + draw(seed) % 3);
            if (cf->opcode == XENOS_CF_COND_JMP && draw(seed) % 4 == 0) {
                cf->opcode = XENOS_CF_COND_CALL;
                cf->address = (uint16_t)(20 + draw(seed) % 2 * 3);
            }
        }
        cf->condition = (uint8_t)(draw(seed) & 1);
        cf->boolean = (uint8_t)draw(seed);
        cf->loop = (uint8_t)(draw(seed) % 32);
    }
    while (depth > 0) {
        f->cf[starts[--depth]].address = 20;
    }
    for (uint32_t n = 0; n < 2; n++) { /* subroutines at 20 and 23; running into them is no harm */
        add_cf(f, XENOS_CF_EXEC);
        random_alu(f, seed, 1);
        add_cf(f, XENOS_CF_COND_EXEC_PRED)->condition = (uint8_t)(draw(seed) & 1);
        random_alu(f, seed, 0);
        add_cf(f, XENOS_CF_RETURN);
    }
    add_cf(f, XENOS_CF_EXEC_END);
    random_alu(f, seed, 0);
}

static void test_random_flow_against_the_oracle(void **state)
{
    fixture *f = *state;
    uint64_t seed = 0xD1B54A32D192ED03u;
    for (int round = 0; round < 1500; round++) {
        f->program.cf_count = f->program.instruction_count = 0;
        f->stage.constant_count = 16;
        random_lanes(f, &seed);
        for (uint32_t n = 0; n < 8; n++) {
            f->registers[0x4900 + n] = draw(&seed);
        }
        for (uint32_t n = 0; n < 32; n++) { /* count 0..3, start, step */
            f->registers[0x4908 + n] = draw(&seed) % 4 | (draw(&seed) & 0xFFFF00u);
        }
        random_flow(f, &seed);
        run_and_compare(f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PIXEL_TEST(test_zero_times_anything_is_plus_zero),
        PIXEL_TEST(test_denormals_are_flushed_both_ways),
        PIXEL_TEST(test_multiply_and_add_round_apart),
        PIXEL_TEST(test_dot_products_add_from_the_left),
        PIXEL_TEST(test_maximum_and_minimum_choose_by_comparison),
        PIXEL_TEST(test_both_operations_read_before_either_writes),
        PIXEL_TEST(test_cube),
        PIXEL_TEST(test_previous_scalar_is_kept_unclamped_per_lane),
        PIXEL_TEST(test_clamp_makes_nan_zero),
        PIXEL_TEST(test_nan_of_arithmetic_is_one),
        PIXEL_TEST(test_constants_relative_to_a0),
        PIXEL_TEST(test_constants_beyond_the_stage_are_zero),
        PIXEL_TEST(test_exports_take_constants_and_both_operations),
        PIXEL_TEST(test_pixels_are_killed_vertices_are_not),
        PIXEL_TEST(test_predicated_instructions_leave_other_lanes_alone),
        PIXEL_TEST(test_scalar_with_constant_and_register),
        PIXEL_TEST(test_random_instructions_against_the_oracle),
        PIXEL_TEST(test_random_flow_against_the_oracle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
