/* The shader processor's control flow: xenia src/xenia/gpu/ucode.h (which quotes the IPR2015-00325
 * sequencer specification), shader_interpreter.cc. */
#include "exec_test.h"

static void set_boolean(fixture *f, uint32_t number)
{
    f->registers[0x4900 + number / 32] |= 1u << number % 32;
}

static void set_loop(fixture *f, uint32_t number, uint32_t count, uint32_t start, int step)
{
    f->registers[0x4908 + number] = count | start << 8 | (uint32_t)(step & 255) << 16;
}

/* An exec that adds constant 0 to r1. */
static void add_counter(fixture *f)
{
    add_cf(f, XENOS_CF_EXEC);
    add_vector(f, XENOS_V_ADD, 1, 15, temporary(1), constant(0), constant(0));
}

/* p0 = r0.w != 0 */
static void add_predicate(fixture *f)
{
    add_cf(f, XENOS_CF_EXEC);
    add_scalar(f, XENOS_S_SETP_NE, 2, 1, temporary(0));
}

static void odd_lanes(fixture *f)
{
    for (int lane = 0; lane < SOFT_LANES; lane++) {
        f->group.r[0].c[3][lane] = (float)(lane & 1);
    }
}

static void test_bool_constants_choose_execs(void **state)
{
    fixture *f = *state;
    set_constant(f, 0, 1.0f, 1.0f, 1.0f, 1.0f);
    set_boolean(f, 37);
    static const uint8_t opcodes[4] = {3, 13, 3, 13};
    for (int n = 0; n < 4; n++) {
        add_counter(f);
        xenos_cf *cf = &f->cf[f->program.cf_count - 1];
        cf->opcode = opcodes[n];
        cf->boolean = 37;
        cf->condition = n < 2;
    }
    run(f);
    assert_true(R(f, 1, 0, 3) == 2.0f);
}

/* "Execution ends only if the condition is actually met." */
static void test_conditional_end_ends_only_if_met(void **state)
{
    fixture *f = *state;
    set_constant(f, 0, 1.0f, 1.0f, 1.0f, 1.0f);
    add_counter(f);
    f->cf[0].opcode = XENOS_CF_COND_EXEC_END;
    f->cf[0].condition = 1;
    add_counter(f);
    f->cf[1].opcode = XENOS_CF_EXEC_END;
    add_counter(f);
    run(f);
    assert_true(R(f, 1, 0, 0) == 1.0f);
    set_boolean(f, 0);
    set_all(f, 1, 0, 0, 0, 0);
    run(f);
    assert_true(R(f, 1, 0, 0) == 1.0f);
}

static void test_a_predicated_end_ends_its_lanes(void **state)
{
    fixture *f = *state;
    set_constant(f, 0, 1.0f, 1.0f, 1.0f, 1.0f);
    odd_lanes(f);
    add_predicate(f);
    add_counter(f);
    f->cf[1].opcode = XENOS_CF_COND_EXEC_PRED_END;
    f->cf[1].condition = 1;
    add_counter(f);
    add_counter(f);
    run(f);
    for (int lane = 0; lane < SOFT_LANES; lane++) {
        assert_true(R(f, 1, 0, lane) == (lane & 1 ? 1.0f : 2.0f));
    }
}

/* aL = start + iteration * step, for registers and constants. */
static void test_a_loop_counts_and_addresses(void **state)
{
    fixture *f = *state;
    for (uint32_t n = 0; n < 64; n++) {
        set_constant(f, n, (float)n, 0, 0, 0);
    }
    set_loop(f, 5, 4, 10, -3);
    xenos_cf *cf = add_cf(f, XENOS_CF_LOOP_START);
    cf->loop = 5;
    cf->address = 3;
    add_cf(f, XENOS_CF_EXEC);
    xenos_source relative = constant(20);
    relative.relative = XENOS_ADDRESS_LOOP;
    add_move(f, 20, 1, relative)->vector_relative = 1;
    add_cf(f, XENOS_CF_LOOP_END)->address = 1;
    f->cf[2].loop = 5;
    add_cf(f, XENOS_CF_EXEC_END);
    add_move(f, 40, 1, relative); /* outside, aL is 0 */
    run(f);
    static const int written[] = {30, 27, 24, 21};
    for (int n = 0; n < 4; n++) {
        assert_true(R(f, written[n], 0, 7) == (float)written[n]);
    }
    assert_true(R(f, 20, 0, 7) == 0.0f && R(f, 18, 0, 7) == 0.0f);
    assert_true(R(f, 40, 0, 7) == 20.0f);
    assert_int_equal(f->group.executed, 5);
}

static void test_a_loop_of_no_turns_is_skipped(void **state)
{
    fixture *f = *state;
    set_constant(f, 0, 1.0f, 1.0f, 1.0f, 1.0f);
    add_cf(f, XENOS_CF_LOOP_START)->address = 3;
    add_counter(f);
    add_cf(f, XENOS_CF_LOOP_END)->address = 1;
    add_counter(f);
    run(f);
    assert_true(R(f, 1, 0, 0) == 1.0f);
}

/* Lanes leave when their own count runs out: r1.x goes up until it is lane + 1, six turns at most. */
static void test_each_lane_breaks_out_alone(void **state)
{
    fixture *f = *state;
    set_constant(f, 0, 1.0f, 1.0f, 1.0f, 1.0f);
    set_loop(f, 0, 6, 0, 1);
    for (int lane = 0; lane < SOFT_LANES; lane++) {
        f->group.r[0].c[3][lane] = (float)lane;
    }
    add_cf(f, XENOS_CF_LOOP_START)->address = 4;
    add_counter(f);
    add_cf(f, XENOS_CF_EXEC); /* p0 = lane + 1 - r1 == 0 */
    add_vector(f, XENOS_V_ADD, 3, 8, temporary(0), constant(0), constant(0));
    xenos_source negative = component(temporary(1), 3);
    negative.negate = 1;
    add_vector(f, XENOS_V_ADD, 3, 8, temporary(3), negative, negative);
    add_scalar(f, XENOS_S_SETP_EQ, 4, 1, temporary(3));
    xenos_cf *cf = add_cf(f, XENOS_CF_LOOP_END);
    cf->address = 1;
    cf->predicated = cf->condition = 1;
    add_cf(f, XENOS_CF_EXEC_END);
    add_vector(f, XENOS_V_ADD, 5, 1, temporary(1), constant(0), constant(0));
    run(f);
    for (int lane = 0; lane < SOFT_LANES; lane++) {
        float turns = lane < 6 ? (float)lane + 1.0f : 6.0f;
        assert_true(R(f, 1, 0, lane) == turns);
        assert_true(R(f, 5, 0, lane) == turns + 1.0f);
    }
    /* Those that left waited: what stands behind the loop ran once for all. */
    assert_int_equal(f->group.executed, 6 * 4 + 1);
}

static void test_nested_loops_use_the_inner_address(void **state)
{
    fixture *f = *state;
    for (uint32_t n = 0; n < 64; n++) {
        set_constant(f, n, (float)n, 0, 0, 0);
    }
    set_loop(f, 0, 3, 8, 1);
    set_loop(f, 1, 2, 0, 1);
    xenos_source relative = constant(0);
    relative.relative = XENOS_ADDRESS_LOOP;
    add_cf(f, XENOS_CF_LOOP_START)->address = 6;
    add_cf(f, XENOS_CF_LOOP_START)->address = 4;
    f->cf[1].loop = 1;
    add_cf(f, XENOS_CF_EXEC);
    add_vector(f, XENOS_V_ADD, 1, 1, temporary(1), relative, relative);
    add_cf(f, XENOS_CF_LOOP_END)->address = 2;
    add_cf(f, XENOS_CF_EXEC);
    add_vector(f, XENOS_V_ADD, 2, 1, temporary(2), relative, relative);
    add_cf(f, XENOS_CF_LOOP_END)->address = 1;
    run(f);
    assert_true(R(f, 1, 0, 0) == 3.0f);          /* three times 0 + 1 */
    assert_true(R(f, 2, 0, 0) == 8 + 9 + 10.0f); /* the outer one is back */
}

static void test_a_loop_that_repeats_goes_on_counting(void **state)
{
    fixture *f = *state;
    set_constant(f, 0, 1.0f, 1.0f, 1.0f, 1.0f);
    set_loop(f, 0, 2, 0, 1);
    set_loop(f, 1, 5, 0, 1);
    add_cf(f, XENOS_CF_LOOP_START)->address = 2;
    add_cf(f, XENOS_CF_LOOP_END)->address = 1;
    add_cf(f, XENOS_CF_LOOP_START)->address = 5;
    f->cf[2].loop = f->cf[2].repeat = 1;
    add_counter(f);
    add_cf(f, XENOS_CF_LOOP_END)->address = 3;
    run(f);
    assert_true(R(f, 1, 0, 0) == 3.0f); /* 2, 3, 4 */
}

/* Four calls deep; a fifth is not made, and each return goes back where its call stood. */
static void test_calls_nest_four_deep(void **state)
{
    fixture *f = *state;
    set_constant(f, 0, 1.0f, 1.0f, 1.0f, 1.0f);
    add_cf(f, XENOS_CF_COND_CALL)->address = 3;
    f->cf[0].unconditional = 1;
    add_counter(f);
    f->cf[1].opcode = XENOS_CF_EXEC_END;
    add_cf(f, XENOS_CF_NOP);
    add_counter(f); /* 3: a subroutine that calls itself */
    add_cf(f, XENOS_CF_COND_CALL)->address = 3;
    f->cf[4].unconditional = 1;
    add_counter(f);
    add_cf(f, XENOS_CF_RETURN);
    run(f);
    assert_true(R(f, 1, 0, 0) == 4 + 4 + 1.0f);
}

static void test_returns_outside_of_calls_do_nothing(void **state)
{
    fixture *f = *state;
    set_constant(f, 0, 1.0f, 1.0f, 1.0f, 1.0f);
    add_cf(f, XENOS_CF_RETURN);
    add_cf(f, XENOS_CF_LOOP_END);
    add_counter(f);
    run(f);
    assert_true(R(f, 1, 0, 0) == 1.0f);
}

/* if (odd) r1 += 1, 1 else r1 += 1; then both: the way back together runs once. */
static void test_diverging_jumps_join_again(void **state)
{
    fixture *f = *state;
    set_constant(f, 0, 1.0f, 1.0f, 1.0f, 1.0f);
    odd_lanes(f);
    add_predicate(f);
    xenos_cf *cf = add_cf(f, XENOS_CF_COND_JMP); /* 1: even lanes go to 5 */
    cf->predicated = 1;
    cf->address = 5;
    add_counter(f);
    add_counter(f);
    add_cf(f, XENOS_CF_COND_JMP)->address = 6;
    f->cf[4].unconditional = 1;
    add_counter(f); /* 5 */
    add_counter(f); /* 6: all */
    run(f);
    for (int lane = 0; lane < SOFT_LANES; lane++) {
        assert_true(R(f, 1, 0, lane) == (lane & 1 ? 3.0f : 2.0f));
    }
    assert_int_equal(f->group.executed, 1 + 2 + 1 + 1);
}

static void test_a_lane_that_hangs_stops_and_others_finish(void **state)
{
    fixture *f = *state;
    set_constant(f, 0, 1.0f, 1.0f, 1.0f, 1.0f);
    odd_lanes(f);
    add_predicate(f);
    xenos_cf *cf = add_cf(f, XENOS_CF_COND_JMP); /* odd lanes stand still here */
    cf->predicated = cf->condition = 1;
    cf->address = 1;
    add_counter(f);
    run(f);
    for (int lane = 0; lane < SOFT_LANES; lane++) {
        assert_true(R(f, 1, 0, lane) == (lane & 1 ? 0.0f : 1.0f));
    }
}

static void test_flow_that_leaves_the_program_ends(void **state)
{
    fixture *f = *state;
    set_constant(f, 0, 1.0f, 1.0f, 1.0f, 1.0f);
    add_counter(f);
    add_cf(f, XENOS_CF_COND_JMP)->address = 8191;
    f->cf[1].unconditional = 1;
    add_counter(f);
    run(f);
    assert_true(R(f, 1, 0, 0) == 1.0f);
    f->program.cf_count = 0;
    run(f);
    f->group.active = 0;
    run(f);
}

static void test_an_exec_beyond_the_instructions_runs_what_there_is(void **state)
{
    fixture *f = *state;
    set_constant(f, 0, 1.0f, 1.0f, 1.0f, 1.0f);
    add_counter(f);
    f->cf[0].count = 7;
    add_cf(f, XENOS_CF_EXEC_END)->count = 7;
    f->cf[1].first = 1000;
    run(f);
    assert_true(R(f, 1, 0, 0) == 1.0f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PIXEL_TEST(test_bool_constants_choose_execs),
        PIXEL_TEST(test_conditional_end_ends_only_if_met),
        PIXEL_TEST(test_a_predicated_end_ends_its_lanes),
        PIXEL_TEST(test_a_loop_counts_and_addresses),
        PIXEL_TEST(test_a_loop_of_no_turns_is_skipped),
        PIXEL_TEST(test_each_lane_breaks_out_alone),
        PIXEL_TEST(test_nested_loops_use_the_inner_address),
        PIXEL_TEST(test_a_loop_that_repeats_goes_on_counting),
        PIXEL_TEST(test_calls_nest_four_deep),
        PIXEL_TEST(test_returns_outside_of_calls_do_nothing),
        PIXEL_TEST(test_diverging_jumps_join_again),
        PIXEL_TEST(test_a_lane_that_hangs_stops_and_others_finish),
        PIXEL_TEST(test_flow_that_leaves_the_program_ends),
        PIXEL_TEST(test_an_exec_beyond_the_instructions_runs_what_there_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
