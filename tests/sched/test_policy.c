/* What a policy sees and may answer: sdk/include/weft/policy.h, sentence by sentence. */
#include <string.h>

#include "ordinals.h"
#include "script.h"

static script *s;
static uint32_t H, T, OUT, CS, EVENT;

/* What the policy under test has been asked, and how it answers. */
static struct {
    uint32_t mask, answer, kind;
    uint64_t amount, delay;
    uint32_t answers; /* how many more times it gives `answer` */
    uint32_t before, after, stuck, deadlock;
    weft_sync_op ops[64];
    uint64_t now[64];
    weft_sync_op done[64];
} policy;

static uint32_t subscribe(void *instance)
{
    return policy.mask;
}

static uint32_t before(void *instance, const weft_sched_view *view, const weft_sync_op *op,
                       uint64_t *amount)
{
    policy.now[policy.before % 64] = view->now;
    policy.ops[policy.before++ % 64] = *op;
    *amount = policy.amount;
    if (op->kind != policy.kind || !policy.answers) {
        return WEFT_ANSWER_GO;
    }
    policy.answers--;
    return policy.answer;
}

static void after(void *instance, const weft_sched_view *view, const weft_sync_op *op)
{
    policy.done[policy.after++ % 64] = *op;
}

static uint64_t stuck(void *instance, const weft_sched_view *view)
{
    policy.stuck++;
    return 0;
}

static void deadlock(void *instance, const weft_sched_view *view)
{
    policy.deadlock++;
}

static uint64_t delay(void *instance, uint32_t kind, uint64_t thread, uint64_t natural)
{
    return kind == WEFT_DELAY_WAKE ? policy.delay : natural;
}

static const weft_policy_ops ops = {
    .size = sizeof ops,
    .subscribe = subscribe,
    .before = before,
    .after = after,
    .stuck = stuck,
    .deadlock = deadlock,
    .delay = delay,
};

static int setup(void **state)
{
    s = script_open();
    memset(&policy, 0, sizeof policy);
    policy.kind = UINT32_MAX;
    s->k->policy = &ops;
    H = s->scratch;
    T = s->scratch + 0x10;
    OUT = s->scratch + 0x20;
    EVENT = s->scratch + 0x40;
    CS = s->scratch + 0x80;
    kcs_init(s->k, CS, 0);
    return 0;
}

static int teardown(void **state)
{
    script_close(s);
    return 0;
}

/* Two threads that are held whenever they ask: `stuck` is asked, and both go on in the end. */
static void held_threads_do_not_release_each_other(void **state)
{
    policy.mask = 1u << WEFT_SYNC_SIGNAL;
    policy.kind = WEFT_SYNC_SIGNAL;
    policy.answer = WEFT_ANSWER_HOLD;
    policy.answers = UINT32_MAX;
    const script_step p[] = {CALL(NtCreateEvent, H, 0, 1, 0), CALL(NtSetEvent, AT(H), 0), MARK(1),
                             END};
    const script_step q[] = {CALL(NtCreateEvent, EVENT, 0, 1, 0), CALL(NtSetEvent, AT(EVENT), 0),
                             MARK(2), END};
    script_thread(s, 0, p, ON(0));
    script_thread(s, 1, q, ON(1));
    s->k->first_thread = NULL;
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->log_count, 2);
    assert_true(policy.stuck >= 1);
}

/* A contended section that is held waits once, and its lock count is right afterwards. */
static void held_contention_counts_once(void **state)
{
    policy.mask = 1u << WEFT_SYNC_ENTER_CONTENDED | 1u << WEFT_SYNC_WAIT;
    policy.kind = WEFT_SYNC_WAIT;
    policy.answer = WEFT_ANSWER_HOLD;
    policy.answers = 3;
    const script_step p[] = {CALL(RtlEnterCriticalSection, CS), WORK(1 * MS),
                             CALL(RtlLeaveCriticalSection, CS), WORK(1 * MS), END};
    const script_step q[] = {WORK(10000), CALL(RtlEnterCriticalSection, CS), MARK(1),
                             CALL(RtlLeaveCriticalSection, CS), END};
    script_thread(s, 0, p, ON(0));
    script_thread(s, 1, q, ON(1));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->log_count, 1);
    assert_int_equal(word(s, CS + 0x10), UINT32_MAX);
    assert_int_equal(s->fake->events[WEFT_EVENT_CONTENTION_OBSERVED], 1);
}

static void held_enter_is_made_again(void **state)
{
    policy.mask = 1u << WEFT_SYNC_ENTER_CONTENDED;
    policy.kind = WEFT_SYNC_ENTER_CONTENDED;
    policy.answer = WEFT_ANSWER_HOLD;
    policy.answers = 5;
    const script_step p[] = {CALL(RtlEnterCriticalSection, CS), WORK(1 * MS),
                             CALL(RtlLeaveCriticalSection, CS), WORK(1 * MS), END};
    const script_step q[] = {WORK(10000), CALL(RtlEnterCriticalSection, CS), MARK(1),
                             CALL(RtlLeaveCriticalSection, CS), END};
    script_thread(s, 0, p, ON(0));
    script_thread(s, 1, q, ON(1));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_true(policy.answers < 5);
    assert_int_equal(s->log_count, 1);
    assert_int_equal(word(s, CS + 0x10), UINT32_MAX);
}

/* NtSignalAndWait... signals once, whatever is held. */
static void held_signal_and_wait_signals_once(void **state)
{
    policy.mask = 1u << WEFT_SYNC_WAIT | 1u << WEFT_SYNC_SIGNAL;
    policy.kind = WEFT_SYNC_SIGNAL;
    policy.answer = WEFT_ANSWER_HOLD;
    policy.answers = 2;
    const script_step p[] = {CALL(NtCreateSemaphore, H, 0, 0, 9),
                             CALL(NtCreateEvent, EVENT, 0, 1, 1),
                             CALL(NtSignalAndWaitForSingleObjectEx, AT(H), AT(EVENT), 0, 1, 0),
                             CALL(NtReleaseSemaphore, AT(H), 1, OUT), END};
    script_thread(s, 0, p, ON(0));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(word(s, OUT), 1);
    assert_int_equal(s->returned[0][2], STATUS_WAIT_0);
}

/* "The low 32 bits of *amount are instructions' worth of ticks." */
static void spin_lets_ticks_pass(void **state)
{
    policy.mask = 1u << WEFT_SYNC_SIGNAL;
    policy.kind = WEFT_SYNC_SIGNAL;
    policy.answer = WEFT_ANSWER_SPIN;
    policy.answers = 1;
    policy.amount = UINT64_C(7) << 32 | 3 * MS;
    const script_step p[] = {CALL(NtCreateEvent, H, 0, 1, 0), CALL(NtSetEvent, AT(H), 0), MARK(1),
                             END};
    script_thread(s, 0, p, ON(0));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_in_range(s->log_ticks[0], 3 * MS, 3 * MS + 1000);
}

/* YIELD: equals of the same hardware thread run first. */
static void yield_lets_equals_run(void **state)
{
    policy.mask = 1u << WEFT_SYNC_SIGNAL;
    policy.kind = WEFT_SYNC_SIGNAL;
    policy.answer = WEFT_ANSWER_YIELD;
    policy.answers = 1;
    const script_step p[] = {CALL(NtCreateEvent, H, 0, 1, 0), CALL(NtSetEvent, AT(H), 0), MARK(2),
                             END};
    const script_step q[] = {MARK(1), END};
    script_thread(s, 0, p, ON(0));
    script_thread(s, 1, q, ON(0));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->log[0], 1);
    assert_int_equal(s->log[1], 2);
}

/* An answer that is none, or BLOCK where nothing is contended: GO in its place, and counted. */
static void illegal_answers_are_counted(void **state)
{
    policy.mask = 1u << WEFT_SYNC_SIGNAL;
    policy.kind = WEFT_SYNC_SIGNAL;
    policy.answers = 1;
    policy.answer = 77;
    const script_step p[] = {CALL(NtCreateEvent, H, 0, 1, 0), CALL(NtSetEvent, AT(H), 0),
                             WORK(1 * MS), CALL(NtSetEvent, AT(H), OUT), END};
    script_thread(s, 0, p, ON(0));
    script_run(s, 500000);
    assert_int_equal(s->fake->events[WEFT_EVENT_POLICY_ANSWER], 1);
    policy.answers = 1;
    policy.answer = WEFT_ANSWER_BLOCK;
    s->k->end = WEFT_END_NONE;
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->fake->events[WEFT_EVENT_POLICY_ANSWER], 2);
    assert_int_equal(word(s, OUT), 1);
}

static void block_is_legal_on_contention(void **state)
{
    policy.mask = 1u << WEFT_SYNC_ENTER_CONTENDED;
    policy.kind = WEFT_SYNC_ENTER_CONTENDED;
    policy.answer = WEFT_ANSWER_BLOCK;
    policy.answers = 9;
    const script_step p[] = {CALL(RtlEnterCriticalSection, CS), WORK(1 * MS),
                             CALL(RtlLeaveCriticalSection, CS), WORK(1 * MS), END};
    const script_step q[] = {WORK(10000), CALL(RtlEnterCriticalSection, CS), MARK(1), END};
    script_thread(s, 0, p, ON(0));
    script_thread(s, 1, q, ON(1));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->log_count, 1);
    assert_int_equal(s->fake->events[WEFT_EVENT_POLICY_ANSWER], 0);
}

/* CALL: the export's identity, and an index that counts this thread's calls from 0. */
static void calls_are_counted(void **state)
{
    policy.mask = 1u << WEFT_SYNC_CALL;
    const script_step p[] = {CALL(NtCreateEvent, H, 0, 1, 0), CALL(NtSetEvent, AT(H), 0),
                             CALL(NtSetEvent, AT(H), 0), END};
    script_thread(s, 0, p, ON(0));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(policy.before, 3);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(policy.ops[i].kind, WEFT_SYNC_CALL);
        assert_int_equal(policy.ops[i].index, i);
        assert_int_not_equal(policy.ops[i].object, 0);
        assert_int_equal(policy.ops[i].site, SCRIPT_BASE + 4 * (i + 1));
    }
    assert_int_equal(policy.ops[1].object, policy.ops[2].object);
    assert_int_not_equal(policy.ops[0].object, policy.ops[1].object);
}

/* A call that is held is asked about, announced and counted once when it goes. */
static void held_call_is_announced_once(void **state)
{
    policy.mask = 1u << WEFT_SYNC_CALL;
    policy.kind = WEFT_SYNC_CALL;
    policy.answer = WEFT_ANSWER_HOLD;
    policy.answers = 3;
    const script_step p[] = {CALL(NtCreateEvent, H, 0, 1, 0), END};
    script_thread(s, 0, p, ON(0));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->fake->events[WEFT_EVENT_KERNEL_CALL], 1);
    assert_int_equal(s->k->imports_called, 1);
}

/* WAIT and WAKE of a thread that really waits: one of each, with the time that is now. */
static void wait_and_wake_are_shown(void **state)
{
    policy.mask = 1u << WEFT_SYNC_WAIT | 1u << WEFT_SYNC_WAKE;
    const script_step p[] = {CALL(NtCreateEvent, H, 0, 1, 0), WORK(1 * MS),
                             CALL(NtSetEvent, AT(H), 0), WORK(1 * MS), END};
    const script_step q[] = {WORK(10000), CALL(NtWaitForSingleObjectEx, AT(H), 1, 0, 0), END};
    script_thread(s, 0, p, ON(0));
    kthread *t = script_thread(s, 1, q, ON(1));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(policy.before, 2);
    assert_int_equal(policy.ops[0].kind, WEFT_SYNC_WAIT);
    assert_int_equal(policy.ops[1].kind, WEFT_SYNC_WAKE);
    assert_int_equal(policy.ops[0].object, policy.ops[1].object);
    assert_int_equal(policy.ops[1].thread, t->id);
    assert_in_range(policy.now[0], 1, 20001); /* a lookahead before or after its own 10000 */
    assert_int_equal(policy.after, 2);
}

/* HOLD of a WAKE: the thread has its signal, and goes on when it is let go. */
static void held_wake_goes_on_later(void **state)
{
    policy.mask = 1u << WEFT_SYNC_WAKE;
    policy.kind = WEFT_SYNC_WAKE;
    policy.answer = WEFT_ANSWER_HOLD;
    policy.answers = 4;
    const script_step p[] = {CALL(NtCreateEvent, H, 0, 1, 0), WORK(1 * MS),
                             CALL(NtSetEvent, AT(H), 0), WORK(5 * MS), END};
    const script_step q[] = {WORK(10000), CALL(NtWaitForSingleObjectEx, AT(H), 1, 0, 0), MARK(1),
                             END};
    script_thread(s, 0, p, ON(0));
    script_thread(s, 1, q, ON(1));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->log_count, 1);
    assert_int_equal(policy.answers, 0);
    assert_int_equal(s->returned[1][1], STATUS_WAIT_0);
}

/* One thread sets after 1 ms what the other waits for, and is still there 5 ms later. */
static void delayed_wake(uint64_t delay)
{
    policy.delay = delay;
    const script_step p[] = {CALL(NtCreateEvent, H, 0, 1, 0), WORK(1 * MS),
                             CALL(NtSetEvent, AT(H), 0), WORK(5 * MS), END};
    const script_step q[] = {WORK(10000), CALL(NtWaitForSingleObjectEx, AT(H), 1, 0, 0), MARK(1),
                             END};
    script_thread(s, 0, p, ON(0));
    script_thread(s, 1, q, ON(1));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
}

/* The longest legal delay: it is still under way. */
static void longest_delay_is_taken(void **state)
{
    delayed_wake(WEFT_DELAY_MOST);
    assert_int_equal(s->log_count, 0);
    assert_int_equal(s->k->policy_faults, 0);
}

/* One beyond the end of time is none: the thread goes on as if nobody had been asked. */
static void endless_delay_is_illegal(void **state)
{
    delayed_wake(UINT64_MAX);
    assert_int_equal(s->log_count, 1);
    assert_true(s->k->policy_faults > 0);
}

static uint32_t pick_five(void *instance, const weft_sched_view *view, uint64_t *slice)
{
    return view->hw[5].ready ? 5 : 0;
}

/* pick_cpu may run one hardware thread ahead, but no event of the clock comes late by it: a
 * deadline of another thread is met while hardware thread 5 is preferred. */
static void preferred_hardware_thread_delays_no_event(void **state)
{
    static const weft_policy_ops prefer = {.size = sizeof prefer, .pick_cpu = pick_five};
    s->k->policy = &prefer;
    set_quad(s, T, RELATIVE_MS(2));
    const script_step p[] = {CALL(KeDelayExecutionThread, 0, 0, T), MARK(1), WORK(50 * MS), END};
    const script_step q[] = {WORK(40 * MS), MARK(2), END};
    script_thread(s, 0, p, ON(0));
    script_thread(s, 1, q, ON(5));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->log[0], 1);
    /* the clock's next event, of each millisecond, ends the preference */
    assert_in_range(s->log_ticks[0], 2 * MS, 3 * MS);
}

/* weft/policy.h: what the records of a view mean, held against one another and against the registers. */
static void check_view(const weft_sched_view *view)
{
    uint32_t ready[WEFT_HW_COUNT] = {0};
    assert_int_equal(view->thread_count, s->k->live_threads);
    const kthread *live = s->k->live;
    for (uint32_t i = 0; i < view->thread_count; i++, live = live->live_next) {
        const weft_sched_thread *t = weft_view_thread(view, i);
        assert_int_equal(t->id, live->id);
        assert_int_equal(t->retired, live->cpu->retired);
        assert_int_equal(t->order, live->order);
        assert_int_equal(t->ready_since, live->ready_since);
        assert_int_equal(t->priority, live->priority);
        assert_int_equal(t->hw, live->hw);
        ready[t->hw] += t->state <= WEFT_THREAD_RUNNING;
        if (t->state == WEFT_THREAD_RUNNING) {
            assert_int_equal(weft_view_hw(view, t->hw)->current, i);
        }
    }
    uint64_t least = UINT64_MAX;
    for (uint32_t i = 0; i < WEFT_HW_COUNT; i++) {
        const weft_sched_hw *hw = weft_view_hw(view, i);
        assert_int_equal(hw->ready, ready[i]);
        const khw *own = &s->k->hw[i]; /* DISPATCH_LEVEL is 2 */
        bool off = hw->current >= 0 && !(own->current->cpu->msr & WEFT_MSR_EE);
        assert_int_equal(hw->pinned, hw->current >= 0 && (own->irql >= 2 || off));
        assert_true(hw->time >= s->k->hw[i].time);
        least = hw->ready && hw->time < least ? hw->time : least;
    }
    assert_int_equal(view->now, least);
    assert_int_equal(view->next_deadline, s->k->clock->next(s->k->clock));
}

static uint32_t views_seen;

static uint32_t check_then_least(void *instance, const weft_sched_view *view, uint64_t *slice)
{
    uint32_t best = WEFT_HW_COUNT;
    check_view(view);
    views_seen++;
    for (uint32_t i = 0; i < WEFT_HW_COUNT; i++) {
        const weft_sched_hw *hw = weft_view_hw(view, i);
        if (hw->ready && (best == WEFT_HW_COUNT || hw->time < weft_view_hw(view, best)->time)) {
            best = i;
        }
    }
    return best;
}

static uint64_t short_turns(void *instance, const weft_sched_view *view, int32_t thread)
{
    return 7000;
}

/* Each slice's view is right, whether the slice before did nothing but execute or called the kernel:
 * turns of equals, locks, waits, raised IRQL, interrupts off, ends. */
static void check_slices(const weft_policy_ops *checks)
{
    s->k->policy = checks;
    s->fake->machine.lookahead = 500;
    views_seen = 0;
    set_quad(s, T, RELATIVE_MS(1));
    const script_step p[] = {WORK(30000),
                             CALL(RtlEnterCriticalSection, CS),
                             WORK(20000),
                             CALL(RtlLeaveCriticalSection, CS),
                             CALL(KeRaiseIrqlToDpcLevel, 0),
                             WORK(9000),
                             CALL(KfLowerIrql, 0),
                             WORK(40000),
                             END};
    const script_step q[] = {WORK(25000),
                             CALL(RtlEnterCriticalSection, CS),
                             WORK(3000),
                             CALL(RtlLeaveCriticalSection, CS),
                             CALL(KeDelayExecutionThread, 0, 0, T),
                             WORK(50000),
                             END};
    const script_step r[] = {EE(0),       WORK(5000), EE(1), WORK(60000), CALL(NtYieldExecution, 0),
                             WORK(60000), END};
    script_thread(s, 0, p, ON(0));
    script_thread(s, 1, q, ON(0));
    script_thread(s, 2, r, ON(3));
    script_thread(s, 3, r, ON(3));
    s->k->first_thread = NULL; /* it runs until all have ended */
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_in_range(views_seen, 200, UINT32_MAX); /* 100,000 ticks of each, 1,000 a slice */
}

static void views_are_exact_slice_by_slice(void **state)
{
    static const weft_policy_ops checks = {.size = sizeof checks, .pick_cpu = check_then_least};
    check_slices(&checks);
}

static void views_are_exact_when_equals_take_turns(void **state)
{
    static const weft_policy_ops checks = {
        .size = sizeof checks, .pick_cpu = check_then_least, .quantum = short_turns};
    check_slices(&checks);
}

/* Without a pick_cpu the least time goes next, of equals the lowest number. */
static uint32_t asked[8], askings;

static int32_t note_hw(void *instance, const weft_sched_view *view, uint32_t hw)
{
    for (uint32_t i = 0; i < WEFT_HW_COUNT; i++) {
        const weft_sched_hw *other = weft_view_hw(view, i);
        uint64_t mine = weft_view_hw(view, hw)->time;
        assert_true(!other->ready || other->time > mine || (other->time == mine && i >= hw));
    }
    asked[askings < 8 ? askings : 7] = hw;
    askings++;
    return weft_view_hw(view, hw)->current >= 0 ? weft_view_hw(view, hw)->current
                                                : (hw == 1   ? 0
                                                   : hw == 3 ? 1
                                                             : 2);
}

static void least_time_goes_next_by_default(void **state)
{
    static const weft_policy_ops notes = {.size = sizeof notes, .pick_next = note_hw};
    s->k->policy = &notes;
    askings = 0;
    const script_step p[] = {WORK(200000), END};
    script_thread(s, 0, p, ON(1));
    script_thread(s, 1, p, ON(3));
    script_thread(s, 2, p, ON(5));
    s->k->first_thread = NULL;
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(asked[0], 1); /* all stand at 0 */
    assert_int_equal(asked[1], 3);
    assert_int_equal(asked[2], 5);
    assert_true(askings > 20);
}

static void deadlock_is_told(void **state)
{
    const script_step p[] = {CALL(NtCreateEvent, H, 0, 1, 0),
                             CALL(NtWaitForSingleObjectEx, AT(H), 1, 0, 0), END};
    script_thread(s, 0, p, ON(0));
    assert_int_equal(script_run(s, 0), WEFT_END_DEADLOCK);
    assert_int_equal(policy.deadlock, 1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(held_threads_do_not_release_each_other),
        T(held_contention_counts_once),
        T(held_enter_is_made_again),
        T(held_signal_and_wait_signals_once),
        T(spin_lets_ticks_pass),
        T(yield_lets_equals_run),
        T(illegal_answers_are_counted),
        T(block_is_legal_on_contention),
        T(calls_are_counted),
        T(held_call_is_announced_once),
        T(wait_and_wake_are_shown),
        T(held_wake_goes_on_later),
        T(longest_delay_is_taken),
        T(endless_delay_is_illegal),
        T(preferred_hardware_thread_delays_no_event),
        T(views_are_exact_slice_by_slice),
        T(views_are_exact_when_equals_take_turns),
        T(least_time_goes_next_by_default),
        T(deadlock_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
