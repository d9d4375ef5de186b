/* Who runs when: ARCHITECTURE.md "Scheduling and time", and the policy's contract in policy.h. */
#include <string.h>

#include "ordinals.h"
#include "script.h"

static script *s;
static uint32_t H, T, OUT, FLAG;

static int setup(void **state)
{
    s = script_open();
    H = s->scratch;
    T = s->scratch + 0x10;
    OUT = s->scratch + 0x20;
    FLAG = s->scratch + 0x30;
    return 0;
}

static int teardown(void **state)
{
    script_close(s);
    return 0;
}

/* 1 ns an instruction by default: a million of them and an export's cost end at their sum. */
static void instructions_cost_ticks(void **state)
{
    const script_step p[] = {WORK(1 * MS), END};
    script_thread(s, 0, p, 0);
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->k->hw[0].time, 1 * MS + 2); /* END's return and the thread's last sc */
    assert_int_equal(s->k->instructions, 1 * MS + 2);
}

static void instruction_cost_is_a_fraction(void **state)
{
    s->fake->machine.instruction_cost_num = 1;
    s->fake->machine.instruction_cost_den = 3;
    const script_step p[] = {WORK(3 * MS), END};
    script_thread(s, 0, p, 0);
    script_run(s, 0);
    assert_int_equal(s->k->hw[0].time, 1 * MS);
}

/* Threads of different hardware threads advance together, never more than the lookahead apart. */
static void hardware_threads_advance_together(void **state)
{
    script_step p[SCRIPT_STEPS];
    for (int i = 0; i < 40; i++) {
        p[i] = i % 2 ? (script_step)MARK(1) : (script_step)WORK(10000);
    }
    p[40] = (script_step)END;
    script_step q[SCRIPT_STEPS];
    memcpy(q, p, sizeof q);
    for (int i = 1; i < 40; i += 2) {
        q[i].number = 2;
    }
    script_thread(s, 0, p, ON(0));
    script_thread(s, 1, q, ON(5));
    script_run(s, 0);
    for (uint32_t i = 1; i < s->log_count; i++) {
        uint64_t a = s->log_ticks[i - 1], b = s->log_ticks[i];
        assert_true((a > b ? a - b : b - a) <= s->fake->machine.lookahead + 10001);
    }
    assert_true(s->log_count >= 38);
}

/* `--until instructions=N` stops at the N-th instruction, not near it. */
static void instruction_limit_is_exact(void **state)
{
    const script_step p[] = {WORK(1 * MS), END};
    script_thread(s, 0, p, ON(0));
    script_thread(s, 1, p, ON(1));
    weft_run_limits limits = {.size = sizeof limits, .instructions = 123457};
    ksched_run(s->k, &limits);
    assert_int_equal(s->k->end, WEFT_END_CONDITION);
    assert_int_equal(s->k->instructions, 123457);
}

static void tick_limit_is_exact(void **state)
{
    const script_step p[] = {WORK(10 * MS), END};
    script_thread(s, 0, p, ON(0));
    assert_int_equal(script_run(s, 2345678), WEFT_END_CONDITION);
    assert_int_equal(s->k->hw[0].time, 2345678);
}

static void higher_priority_preempts(void **state)
{
    set_quad(s, T, RELATIVE_MS(1));
    const script_step low[] = {WORK(3 * MS), MARK(2), END};
    const script_step high[] = {CALL(KeDelayExecutionThread, 0, 0, T), MARK(1), END};
    script_thread(s, 0, low, ON(0));
    kthread *t = script_thread(s, 1, high, ON(0));
    t->priority = 12;
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->log[0], 1);
    assert_in_range(s->log_ticks[0], 1 * MS, 1 * MS + 10000);
}

/* Equals take turns of one quantum (20 ms). */
static void equals_take_turns(void **state)
{
    const script_step p[] = {WORK(30 * MS), MARK(1), END};
    const script_step q[] = {WORK(30 * MS), MARK(2), END};
    script_thread(s, 0, p, ON(0));
    script_thread(s, 1, q, ON(0));
    script_run(s, 0);
    /* 20 of p, 20 of q, then p's last 10 */
    assert_in_range(s->log_ticks[0], 50 * MS, 50 * MS + 50000);
    assert_int_equal(s->log[0], 1);
}

/* A spinner of higher priority cannot starve what it waits for (LESSONS 10, machine.starve). */
static void starved_thread_runs_in_the_end(void **state)
{
    const script_step spinner[] = {SPIN(FLAG, 1), MARK(1), END};
    const script_step producer[] = {STORE(FLAG, 1), END};
    kthread *t = script_thread(s, 0, spinner, ON(0));
    t->priority = 15;
    script_thread(s, 1, producer, ON(0));
    assert_int_equal(script_run(s, 1000 * (uint64_t)MS), WEFT_END_EXIT);
    assert_int_equal(s->log_count, 1);
    assert_true(s->log_ticks[0] >= s->fake->machine.starve);
}

static void affinity_moves_a_thread(void **state)
{
    const script_step p[] = {CALL(ObReferenceObjectByHandle, 0xFFFFFFFE, 0, OUT),
                             WORK(100),
                             CALL(KeSetAffinityThread, AT(OUT), 1 << 4, OUT + 4),
                             WORK(100),
                             MARK(1),
                             END};
    kthread *t = script_thread(s, 0, p, ON(1));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(t->hw, 4);
    assert_int_equal(word(s, OUT + 4), 1 << 1); /* the previous mask */
}

static void a_thread_starts_on_its_creators_hardware_thread(void **state)
{
    const script_step p[] = {
        CALL(ExCreateThread, H, 0x4000, 0, 0, SCRIPT_BASE + 4 * SCRIPT_STEPS, 0, 0),
        CALL(NtWaitForSingleObjectEx, AT(H), 1, 0, 0), END};
    const script_step child[] = {END};
    s->programs[1] = child;
    script_thread(s, 0, p, ON(3));
    script_run(s, 0);
    assert_int_equal(s->k->threads->next->hw, 3);
}

static void suspended_thread_runs_after_resume(void **state)
{
    const script_step p[] = {
        CALL(ExCreateThread, H, 0x4000, 0, 0, SCRIPT_BASE + 4 * SCRIPT_STEPS, 0, ON(1) | SUSPENDED),
        WORK(1 * MS),
        MARK(1),
        CALL(NtResumeThread, AT(H), OUT),
        CALL(NtWaitForSingleObjectEx, AT(H), 1, 0, 0),
        END};
    const script_step child[] = {MARK(2), END};
    s->programs[1] = child;
    script_thread(s, 0, p, ON(0));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->log[0], 1);
    assert_int_equal(s->log[1], 2);
    assert_int_equal(word(s, OUT), 1);
}

/* Suspended while it waits: the signal is taken, and it runs when resumed. */
static void suspension_counts(void **state)
{
    const script_step p[] = {
        CALL(ExCreateThread, H, 0x4000, 0, 0, SCRIPT_BASE + 4 * SCRIPT_STEPS, 0, ON(1)),
        WORK(1000),
        CALL(NtSuspendThread, AT(H), OUT),
        CALL(NtSuspendThread, AT(H), OUT + 4),
        CALL(NtResumeThread, AT(H), OUT + 8),
        WORK(9 * MS),
        MARK(1),
        CALL(NtResumeThread, AT(H), OUT + 12),
        CALL(NtWaitForSingleObjectEx, AT(H), 1, 0, 0),
        END};
    const script_step child[] = {WORK(1 * MS), MARK(2), END};
    s->programs[1] = child;
    script_thread(s, 0, p, ON(0));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(word(s, OUT), 0);
    assert_int_equal(word(s, OUT + 4), 1);
    assert_int_equal(word(s, OUT + 8), 2);
    assert_int_equal(word(s, OUT + 12), 1);
    assert_int_equal(s->log[0], 1);
    assert_int_equal(s->log[1], 2);
}

/* ---- policies ---------------------------------------------------------------------------------- */

static int32_t pick_last(void *instance, const weft_sched_view *view, uint32_t hw)
{
    int32_t answer = -1;
    for (uint32_t i = 0; i < view->thread_count; i++) {
        const weft_sched_thread *t = weft_view_thread(view, i);
        if (t->hw == hw && t->state <= WEFT_THREAD_RUNNING) {
            answer = (int32_t)i;
        }
    }
    return answer;
}

static void policy_chooses_the_thread(void **state)
{
    static const weft_policy_ops ops = {.size = sizeof ops, .pick_next = pick_last};
    s->k->policy = &ops;
    const script_step p[] = {WORK(1 * MS), MARK(1), END};
    const script_step q[] = {WORK(1 * MS), MARK(2), END};
    script_thread(s, 0, p, ON(0));
    script_thread(s, 1, q, ON(0));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->log[0], 2);
    assert_int_equal(s->log[1], 1);
}

static int32_t pick_nonsense(void *instance, const weft_sched_view *view, uint32_t hw)
{
    return 12345;
}

/* An illegal answer is replaced, counted, and ends the policy's service at last. */
static void illegal_answers_eject_the_policy(void **state)
{
    static const weft_policy_ops ops = {.size = sizeof ops, .pick_next = pick_nonsense};
    s->k->policy = &ops;
    const script_step p[] = {WORK(400 * MS), MARK(1), END};
    script_thread(s, 0, p, ON(0));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->log_count, 1);
    assert_int_equal(s->fake->events[WEFT_EVENT_POLICY_ANSWER], s->fake->machine.policy_faults);
    assert_int_equal(s->fake->events[WEFT_EVENT_POLICY_EJECTED], 1);
    assert_null(s->k->policy);
}

static uint32_t held_thread;

static uint32_t signal_mask(void *instance)
{
    return 1u << WEFT_SYNC_SIGNAL;
}

static uint32_t hold_signals(void *instance, const weft_sched_view *view, const weft_sync_op *op,
                             uint64_t *amount)
{
    return held_thread ? WEFT_ANSWER_HOLD : WEFT_ANSWER_GO;
}

static void release_then(void *instance, const weft_sched_view *view, const weft_sync_op *op)
{
}

static uint64_t stuck(void *instance, const weft_sched_view *view)
{
    held_thread = 0;
    return 0;
}

/* HOLD retires nothing; when nothing else can run, `stuck` is asked and one thread is let go. */
static void held_operation_happens_once(void **state)
{
    static const weft_policy_ops ops = {
        .size = sizeof ops,
        .subscribe = signal_mask,
        .before = hold_signals,
        .after = release_then,
        .stuck = stuck,
    };
    held_thread = 1;
    s->k->policy = &ops;
    const script_step p[] = {CALL(NtCreateEvent, H, 0, 1, 0), CALL(NtSetEvent, AT(H), OUT),
                             CALL(NtSetEvent, AT(H), OUT), END};
    script_thread(s, 0, p, ON(0));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(word(s, OUT), 1);
    assert_int_equal(s->fake->events[WEFT_EVENT_KERNEL_CALL], 3); /* announced once each */
    assert_int_equal(s->fake->events[WEFT_EVENT_KERNEL_RETURN], 3);
}

static uint64_t start_delay(void *instance, uint32_t kind, uint64_t thread, uint64_t natural)
{
    return kind == WEFT_DELAY_START ? 10 * MS : natural;
}

static void policy_delays_a_start(void **state)
{
    static const weft_policy_ops ops = {.size = sizeof ops, .delay = start_delay};
    s->k->policy = &ops;
    const script_step p[] = {MARK(1), END};
    script_thread(s, 0, p, ON(0));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_in_range(s->log_ticks[0], 10 * MS, 10 * MS + 100);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(instructions_cost_ticks),
        T(instruction_cost_is_a_fraction),
        T(hardware_threads_advance_together),
        T(instruction_limit_is_exact),
        T(tick_limit_is_exact),
        T(higher_priority_preempts),
        T(equals_take_turns),
        T(starved_thread_runs_in_the_end),
        T(affinity_moves_a_thread),
        T(a_thread_starts_on_its_creators_hardware_thread),
        T(suspended_thread_runs_after_resume),
        T(suspension_counts),
        T(policy_chooses_the_thread),
        T(illegal_answers_eject_the_policy),
        T(held_operation_happens_once),
        T(policy_delays_a_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
