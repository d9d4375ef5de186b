/* What a policy decides, and what is left of it: docs/policy.md ("The rules", "Decisions as events")
 * and weft/policy.h, sentence by sentence. */
#include <stdlib.h>
#include <string.h>

#include "ordinals.h"
#include "sched.h"
#include "script.h"

static script *s;
static uint32_t H, H2, T, OUT, CS, LOCK, TRIED;

/* What the policy under test answers to operations of a kind, and what it was asked. */
static struct {
    uint32_t mask, kind, answer;
    uint64_t amount;
    uint32_t answers; /* how many more times */
    uint64_t object;  /* only for this one; 0: any */
    uint32_t before, stuck;
    weft_sync_op ops[64];
} policy;

static uint32_t subscribe(void *instance)
{
    return policy.mask;
}

static uint32_t before(void *instance, const weft_sched_view *view, const weft_sync_op *op,
                       uint64_t *amount)
{
    policy.ops[policy.before++ % 64] = *op;
    if (op->kind != policy.kind || (policy.object && op->object != policy.object) ||
        !policy.answers) {
        return WEFT_ANSWER_GO;
    }
    policy.answers--;
    *amount = policy.amount;
    return policy.answer;
}

static uint64_t stuck(void *instance, const weft_sched_view *view)
{
    policy.stuck++;
    return 0;
}

static const weft_policy_ops ops = {
    .size = sizeof ops,
    .subscribe = subscribe,
    .before = before,
    .stuck = stuck,
};

static void want_answers(void)
{
    s->fake->wanted[WEFT_EVENT_POLICY_ANSWER / 64] |= UINT64_C(1) << WEFT_EVENT_POLICY_ANSWER % 64;
}

static void open_script(void)
{
    s = script_open();
    H = s->scratch;
    H2 = s->scratch + 4;
    T = s->scratch + 0x10;
    OUT = s->scratch + 0x20;
    CS = s->scratch + 0x80;
    LOCK = s->scratch + 0xC0;
    TRIED = s->scratch + 0x100;
    kcs_init(s->k, CS, 0);
    kcs_init(s->k, TRIED, 0);
    set_quad(s, T, RELATIVE_MS(1));
    want_answers();
}

static int setup(void **state)
{
    open_script();
    memset(&policy, 0, sizeof policy);
    s->k->policy = &ops;
    return 0;
}

static int teardown(void **state)
{
    script_close(s);
    return 0;
}

static void answer_to(uint32_t kind, uint32_t answer, uint32_t times)
{
    policy.mask |= 1u << kind;
    policy.kind = kind;
    policy.answer = answer;
    policy.answers = times;
}

static void assert_log(const uint32_t *expected, uint32_t count)
{
    assert_int_equal(s->log_count, count);
    assert_memory_equal(s->log, expected, count * sizeof *expected);
}

/* op, answer, instead_of, amount, nth, taken. */
static void assert_answer(uint32_t n, const uint64_t *expected, const kthread *t)
{
    const fake_event *e = fake_event_at(s->fake, WEFT_EVENT_POLICY_ANSWER, n);
    assert_non_null(e);
    assert_int_equal(e->head.category, WEFT_CLASS_DECISION);
    assert_int_equal(e->head.thread, t ? t->id : 0);
    for (int i = 0; i < 6; i++) {
        assert_int_equal(e->words[i], expected[i]);
    }
}
#define ANSWER(n, t, ...) assert_answer(n, (const uint64_t[]){__VA_ARGS__}, t)

/* ---- YIELD and HOLD ----------------------------------------------------------------------------
 */

/* YIELD: each other thread that is ready there runs a slice first, also one of lower priority. */
static void yield_lets_lower_priorities_run(void **state)
{
    answer_to(WEFT_SYNC_SIGNAL, WEFT_ANSWER_YIELD, 1);
    const script_step p[] = {CALL(NtCreateEvent, H, 0, 1, 0), CALL(NtSetEvent, AT(H), 0), MARK(3),
                             END};
    const script_step q[] = {MARK(1), END}, r[] = {MARK(2), END};
    script_thread(s, 0, p, ON(0))->priority = 12;
    script_thread(s, 1, q, ON(0))->priority = 9;
    script_thread(s, 2, r, ON(0))->priority = 4;
    s->k->first_thread = NULL;
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_log((const uint32_t[]){1, 2, 3}, 3);
}

/* Nobody else is ready there: it goes at once. */
static void yield_alone_goes(void **state)
{
    answer_to(WEFT_SYNC_SIGNAL, WEFT_ANSWER_YIELD, 1);
    const script_step p[] = {CALL(NtCreateEvent, H, 0, 1, 0), CALL(NtSetEvent, AT(H), 0), MARK(1),
                             END};
    const script_step q[] = {WORK(5 * MS), MARK(2), END};
    script_thread(s, 0, p, ON(0));
    script_thread(s, 1, q, ON(1));
    s->k->first_thread = NULL;
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_log((const uint32_t[]){1, 2}, 2);
    assert_in_range(s->log_ticks[0], 0, 1000);
    assert_int_equal(policy.stuck, 0);
}

/* "One that was held for as long goes on": 100 ms here, while another thread works. */
static void hold_ends_after_the_starvation_limit(void **state)
{
    answer_to(WEFT_SYNC_SIGNAL, WEFT_ANSWER_HOLD, UINT32_MAX);
    const script_step p[] = {CALL(NtCreateEvent, H, 0, 1, 0), CALL(NtSetEvent, AT(H), 0), MARK(1),
                             END};
    const script_step q[] = {WORK(500 * MS), MARK(2), END};
    kthread *t = script_thread(s, 0, p, ON(0));
    script_thread(s, 1, q, ON(1));
    s->k->first_thread = NULL;
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_log((const uint32_t[]){1, 2}, 2);
    assert_in_range(s->log_ticks[0], 100 * MS, 125 * MS); /* a quantum late at most */
    assert_int_equal(s->k->holds_broken, 1);
    assert_int_equal(policy.stuck, 0);
    assert_non_null(strstr(s->fake->logged, "was held by the policy for 1"));
    uint32_t asked = policy.before;
    ANSWER(asked - 1, t, WEFT_POLICY_OP_BEFORE | WEFT_SYNC_SIGNAL << 8, WEFT_ANSWER_HOLD,
           WEFT_ANSWER_GO, 0, asked - 1, 0);
}

static uint32_t alternate(void *instance, const weft_sched_view *view, const weft_sync_op *op,
                          uint64_t *amount)
{
    policy.stuck += op->index == 0; /* how often it was asked about the first object */
    return op->index == policy.stuck % 2 ? WEFT_ANSWER_HOLD : WEFT_ANSWER_GO;
}

/* The limit is the call's: to hold it at one object now and at another then is no way round it. */
static void holds_in_turn_end_too(void **state)
{
    static const weft_policy_ops turns = {
        .size = sizeof turns,
        .subscribe = subscribe,
        .before = alternate,
    };
    s->k->policy = &turns;
    policy.mask = 1u << WEFT_SYNC_WAIT;
    const script_step p[] = {CALL(NtCreateEvent, H, 0, 1, 1), CALL(NtCreateEvent, H2, 0, 1, 1),
                             CALL(NtWaitForMultipleObjectsEx, 2, H, 0, 1, 0, 0), MARK(1), END};
    const script_step q[] = {WORK(500 * MS), MARK(2), END};
    script_thread(s, 0, p, ON(0));
    script_thread(s, 1, q, ON(1));
    s->k->first_thread = NULL;
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_log((const uint32_t[]){1, 2}, 2);
    assert_in_range(s->log_ticks[0], 100 * MS, 145 * MS);
}

/* Somebody will come who may change the policy's mind: it is not stuck. */
static void hold_waits_for_what_is_due(void **state)
{
    answer_to(WEFT_SYNC_SIGNAL, WEFT_ANSWER_HOLD, 2); /* once more after q has begun its delay */
    const script_step p[] = {CALL(NtCreateEvent, H, 0, 1, 0), CALL(NtSetEvent, AT(H), 0), MARK(2),
                             END};
    const script_step q[] = {CALL(KeDelayExecutionThread, 0, 0, T), MARK(1), END};
    script_thread(s, 0, p, ON(0));
    script_thread(s, 1, q, ON(1));
    s->k->first_thread = NULL;
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_log((const uint32_t[]){1, 2}, 2);
    /* no earlier than what it waited for, and long before the limit */
    assert_in_range(s->log_ticks[1], s->log_ticks[0], 2 * MS);
    assert_int_equal(policy.stuck, 0);
}

/* "HOLD: a number of the object's that is to come": the other's operation takes 0, and q works for
 * many slices before it, after none of which p is asked. */
static void hold_for_a_number_is_asked_when_that_comes(void **state)
{
    answer_to(WEFT_SYNC_SIGNAL, WEFT_ANSWER_HOLD, 1);
    policy.amount = 1;
    const script_step p[] = {CALL(NtCreateEvent, H, 0, 1, 0), CALL(NtSetEvent, AT(H), 0), MARK(2),
                             END};
    const script_step q[] = {WORK(60000), MARK(1), CALL(NtSetEvent, AT(H), 0), WORK(60000), END};
    const script_step r[] = {WORK(120000), END};
    script_thread(s, 0, p, ON(0));
    script_thread(s, 1, q, ON(1));
    script_thread(s, 2, r, ON(2)); /* or q worked in one slice */
    s->k->first_thread = NULL;
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_log((const uint32_t[]){1, 2}, 2);
    assert_in_range(s->log_ticks[1], s->log_ticks[0], s->log_ticks[0] + 2000);
    assert_int_equal(policy.before, 3); /* p, q, and p again */
    assert_int_equal(policy.ops[2].sequence, 1);
    assert_int_equal(policy.stuck, 0);
}

/* "or after 256 slices or 1 ms of others, or when nobody else can run" (docs/policy.md). */
static void hold_for_a_number_that_does_not_come(void **state)
{
    answer_to(WEFT_SYNC_SIGNAL, WEFT_ANSWER_HOLD, 2);
    policy.amount = 99;
    const script_step p[] = {CALL(NtCreateEvent, H, 0, 1, 0),
                             CALL(NtSetEvent, AT(H), 0),
                             MARK(1),
                             CALL(NtSetEvent, AT(H), 0),
                             MARK(3),
                             END};
    const script_step q[] = {WORK(1500000), MARK(2), END}, r[] = {WORK(1400000), END};
    script_thread(s, 0, p, ON(0));
    script_thread(s, 1, q, ON(1));
    script_thread(s, 2, r, ON(2));
    s->k->first_thread = NULL;
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_log((const uint32_t[]){2, 1, 3}, 3);
    assert_in_range(s->log_ticks[1], 1500000, 1520000); /* once at 1 ms, once when q had ended */
    assert_int_equal(policy.stuck, 0);
}

static struct {
    uint32_t cpus, threads, waiting;
    uint64_t first, last; /* times of the first and the last asking */
} picks;

static uint32_t note_cpu(void *instance, const weft_sched_view *view, uint64_t *slice)
{
    uint32_t best = WEFT_HW_COUNT;
    picks.first = picks.cpus++ ? picks.first : view->now;
    picks.last = view->now;
    picks.waiting += weft_view_thread(view, 0)->state == WEFT_THREAD_WAITING;
    for (uint32_t i = 0; i < WEFT_HW_COUNT; i++) {
        const weft_sched_hw *hw = weft_view_hw(view, i);
        best = hw->ready && (best == WEFT_HW_COUNT || hw->time < weft_view_hw(view, best)->time)
                   ? i
                   : best;
    }
    return best;
}

static int32_t note_thread(void *instance, const weft_sched_view *view, uint32_t hw)
{
    picks.threads++;
    return (int32_t)hw; /* the n-th thread is on hardware thread n */
}

static uint32_t when_held(void *instance)
{
    return policy.mask | WEFT_PICK_HELD;
}

/* WEFT_PICK_HELD: who runs is asked from when the first operation is held until it has gone, and the
 * view is that time's. p is held at 100,000, and goes when q's operation has taken number 0. */
static void who_runs_is_asked_while_one_is_held(void **state)
{
    static const weft_policy_ops helds = {
        .size = sizeof helds,
        .pick_cpu = note_cpu,
        .pick_next = note_thread,
        .subscribe = when_held,
        .before = before,
    };
    memset(&picks, 0, sizeof picks);
    answer_to(WEFT_SYNC_SIGNAL, WEFT_ANSWER_HOLD, 1);
    policy.amount = 1;
    s->k->policy = &helds;
    const script_step p[] = {CALL(NtCreateEvent, H, 0, 1, 0), WORK(100000),
                             CALL(NtSetEvent, AT(H), 0), WORK(100000), END};
    const script_step q[] = {WORK(200000), CALL(NtSetEvent, AT(H), 0), WORK(200000), END};
    script_thread(s, 0, p, ON(0));
    script_thread(s, 1, q, ON(1));
    script_thread(s, 2, q + 2, ON(2));
    s->k->first_thread = NULL;
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_in_range(picks.first, 80000, 120000); /* the lookahead is 20,000 */
    assert_in_range(picks.last, 180000, 220000);
    assert_in_range(picks.cpus, 2, 40);
    assert_int_equal(picks.threads, picks.cpus);
    assert_in_range(picks.waiting, picks.cpus - 4, picks.cpus);
}

/* Held at raised IRQL the thread keeps its place, and nothing has happened to the lock. */
static void spin_lock_is_held_back(void **state)
{
    answer_to(WEFT_SYNC_ENTER, WEFT_ANSWER_HOLD, 3);
    const script_step p[] = {CALL(KfAcquireSpinLock, LOCK), MARK(3),
                             CALL(KfReleaseSpinLock, LOCK, 0), END};
    const script_step q[] = {CALL(KeRaiseIrqlToDpcLevel, 0),
                             CALL(KeTryToAcquireSpinLockAtRaisedIrql, LOCK),
                             MARK(1),
                             WORK(1 * MS),
                             MARK(2),
                             CALL(KeReleaseSpinLockFromRaisedIrql, LOCK),
                             CALL(KfLowerIrql, 0),
                             WORK(1 * MS),
                             END};
    script_thread(s, 0, p, ON(0));
    script_thread(s, 1, q, ON(1));
    s->k->first_thread = NULL;
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->returned[1][1], 1);
    assert_log((const uint32_t[]){1, 2, 3}, 3);
    assert_int_equal(s->returned[0][0], 0); /* the IRQL before the call, over all tries */
}

/* A wait is asked about object by object; one that is held takes none of them. */
static void wait_is_held_as_a_whole(void **state)
{
    const script_step p[] = {CALL(NtCreateSemaphore, H, 0, 1, 1),
                             CALL(NtCreateSemaphore, H2, 0, 1, 1),
                             CALL(NtWaitForMultipleObjectsEx, 2, H, 0, 1, 0, 0),
                             CALL(NtReleaseSemaphore, AT(H), 1, OUT), END};
    answer_to(WEFT_SYNC_WAIT, WEFT_ANSWER_HOLD, 0);
    script_thread(s, 0, p, ON(0));
    script_run(s, 150); /* in the second call: both have their names */
    policy.answers = 2;
    policy.object = fake_event_at(s->fake, WEFT_EVENT_HANDLE_CREATE, 1)->words[0];
    s->k->end = WEFT_END_NONE;
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->returned[0][2], STATUS_WAIT_0);
    assert_int_equal(word(s, OUT), 0);
    /* asked about both, held at the second; released by `stuck` the second is not asked again */
    assert_int_equal(policy.stuck, 1);
    assert_int_equal(policy.before, 3);
    assert_int_equal(policy.ops[1].object, policy.object);
    assert_int_equal(policy.ops[0].object, policy.ops[2].object);
    assert_int_equal(policy.ops[0].index, 0);
    assert_int_equal(policy.ops[1].index, 1);
    assert_int_equal(s->fake->events[WEFT_EVENT_WAIT_BEGIN], 1);
}

static uint64_t seen_now[4];

static uint32_t note_now(void *instance, const weft_sched_view *view, const weft_sync_op *op,
                         uint64_t *amount)
{
    seen_now[policy.before++ % 4] = view->now;
    return WEFT_ANSWER_GO;
}

static uint32_t signals_without_view(void *instance)
{
    return WEFT_SYNC_NO_VIEW | 1u << WEFT_SYNC_SIGNAL;
}

/* WEFT_SYNC_NO_VIEW: `now` is the time of the hardware thread. 1000 of work here, and 1 ms there, which
 * a whole view's least time would not show. */
static void without_a_view_now_is_there(void **state)
{
    static const weft_policy_ops sparing = {
        .size = sizeof sparing,
        .subscribe = signals_without_view,
        .before = note_now,
    };
    s->k->policy = &sparing;
    const script_step p[] = {CALL(NtCreateEvent, H, 0, 1, 0), WORK(1000),
                             CALL(NtSetEvent, AT(H), 0), WORK(10 * MS), END};
    const script_step q[] = {CALL(NtCreateEvent, H2, 0, 1, 0), WORK(1 * MS),
                             CALL(NtSetEvent, AT(H2), 0), END};
    script_thread(s, 0, p, ON(0));
    script_thread(s, 1, q, ON(1));
    s->k->first_thread = NULL;
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(policy.before, 2);
    assert_in_range(seen_now[0], 1000, 1500);
    assert_in_range(seen_now[1], 1 * MS, 1 * MS + 500);
}

/* ---- decisions as events -----------------------------------------------------------------------
 */

static void operations_leave_their_answers(void **state)
{
    answer_to(WEFT_SYNC_SIGNAL, WEFT_ANSWER_SPIN, 1);
    policy.amount = UINT64_C(5) << 32 | 700;
    const script_step p[] = {CALL(NtCreateEvent, H, 0, 1, 0), CALL(NtSetEvent, AT(H), 0),
                             CALL(NtSetEvent, AT(H), 0), END};
    kthread *t = script_thread(s, 0, p, ON(0));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(policy.before, 2);
    assert_int_equal(s->fake->events[WEFT_EVENT_POLICY_ANSWER], 1);
    ANSWER(0, t, WEFT_POLICY_OP_BEFORE | WEFT_SYNC_SIGNAL << 8, WEFT_ANSWER_SPIN, WEFT_ANSWER_GO,
           700, 0, 1);
    /* the place: the thread, and the instructions that it had retired at the call */
    const fake_event *e = fake_event_at(s->fake, WEFT_EVENT_POLICY_ANSWER, 0);
    assert_int_equal(e->head.cycle, fake_event_at(s->fake, WEFT_EVENT_IMPORT_CALL, 1)->head.cycle);
}

static uint64_t fixed_quantum(void *instance, const weft_sched_view *view, int32_t thread)
{
    return 3 * MS;
}

static uint64_t wake_later(void *instance, uint32_t kind, uint64_t thread, uint64_t natural)
{
    return kind == WEFT_DELAY_WAKE ? 5000 : natural;
}

/* An answer that stays is left once. Asked before are the thread's start and its time-out. */
static void quantum_and_delay_leave_their_answers(void **state)
{
    static const weft_policy_ops timing = {
        .size = sizeof timing,
        .quantum = fixed_quantum,
        .delay = wake_later,
    };
    s->k->policy = &timing;
    const script_step p[] = {CALL(KeDelayExecutionThread, 0, 0, T), WORK(50 * MS), END};
    kthread *t = script_thread(s, 0, p, ON(0));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->fake->events[WEFT_EVENT_POLICY_ANSWER], 2);
    ANSWER(0, t, WEFT_POLICY_OP_DELAY, 5000, 0, WEFT_DELAY_WAKE, 2, 1);
    ANSWER(1, t, WEFT_POLICY_OP_QUANTUM, 3 * MS, 20 * MS, 0, 0, 1);
}

/* ---- a run from its decisions ------------------------------------------------------------------
 */

static uint64_t chaos_state;

static uint32_t chance(uint32_t of)
{
    chaos_state = chaos_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(chaos_state >> 33) % of;
}

static uint32_t default_cpu(const weft_sched_view *view)
{
    uint32_t best = WEFT_HW_COUNT;
    for (uint32_t i = 0; i < WEFT_HW_COUNT; i++) {
        const weft_sched_hw *hw = weft_view_hw(view, i);
        if (hw->ready && (best == WEFT_HW_COUNT || hw->time < weft_view_hw(view, best)->time)) {
            best = i;
        }
    }
    return best;
}

static uint32_t chaos_cpu(void *instance, const weft_sched_view *view, uint64_t *slice)
{
    uint32_t hw = chance(WEFT_HW_COUNT);
    if (chance(3) == 0) {
        *slice = 1 + chance(20000);
    }
    return weft_view_hw(view, hw)->ready ? hw : default_cpu(view);
}

static int32_t default_thread(const weft_sched_view *view, uint32_t hw, uint64_t id)
{
    int32_t best = -1;
    for (uint32_t i = 0; i < view->thread_count; i++) {
        const weft_sched_thread *t = weft_view_thread(view, i);
        const weft_sched_thread *b = best < 0 ? NULL : weft_view_thread(view, (uint32_t)best);
        if (t->hw == hw && t->state <= WEFT_THREAD_RUNNING) {
            if (t->id == id) {
                return (int32_t)i;
            }
            if (!b || t->priority > b->priority ||
                (t->priority == b->priority && t->order < b->order)) {
                best = (int32_t)i;
            }
        }
    }
    return best;
}

static int32_t chaos_thread(void *instance, const weft_sched_view *view, uint32_t hw)
{
    const weft_sched_thread *t = weft_view_thread(view, chance(view->thread_count));
    if (chance(50) == 0) {
        return 99; /* not legal, and replaced */
    }
    return default_thread(view, hw, t->id);
}

static uint64_t chaos_quantum(void *instance, const weft_sched_view *view, int32_t thread)
{
    return chance(4) ? 0 : 1000 + chance(100000);
}

static uint32_t all_kinds(void *instance)
{
    return (1u << WEFT_SYNC_KINDS) - 1;
}

static uint32_t chaos_before(void *instance, const weft_sched_view *view, const weft_sync_op *op,
                             uint64_t *amount)
{
    *amount = chance(3000);
    uint32_t answer = chance(12);
    if (answer == WEFT_ANSWER_HOLD) {
        *amount = chance(2) ? 0 : op->sequence + 1;
    }
    return answer <= WEFT_ANSWER_SPIN ? answer : WEFT_ANSWER_GO;
}

static uint64_t chaos_delay(void *instance, uint32_t kind, uint64_t thread, uint64_t natural)
{
    return natural + (chance(3) ? 0 : chance(50000));
}

static uint64_t chaos_stuck(void *instance, const weft_sched_view *view)
{
    return weft_view_thread(view, chance(view->thread_count))->id;
}

static const weft_policy_ops chaos = {
    .size = sizeof chaos,
    .pick_cpu = chaos_cpu,
    .pick_next = chaos_thread,
    .quantum = chaos_quantum,
    .subscribe = all_kinds,
    .before = chaos_before,
    .delay = chaos_delay,
    .stuck = chaos_stuck,
};

/* The recording: the run's events, decisions among them; and how often each op was asked so far. */
static fake_event recorded[FAKE_KEPT];
static uint32_t recorded_count;
static uint64_t askings[0x1000];

static const fake_event *decided(uint32_t op)
{
    uint64_t nth = askings[op]++;
    for (uint32_t i = 0; i < recorded_count; i++) {
        const fake_event *e = &recorded[i];
        if (e->head.kind == WEFT_EVENT_POLICY_ANSWER && e->words[0] == op && e->words[4] == nth &&
            e->words[5]) {
            return e;
        }
    }
    return NULL;
}

static uint32_t replay_cpu(void *instance, const weft_sched_view *view, uint64_t *slice)
{
    const fake_event *e = decided(WEFT_POLICY_OP_PICK_CPU);
    *slice = e ? e->words[3] : *slice;
    return e ? (uint32_t)e->words[1] : default_cpu(view);
}

static int32_t replay_thread(void *instance, const weft_sched_view *view, uint32_t hw)
{
    const fake_event *e = decided(WEFT_POLICY_OP_PICK_NEXT);
    return default_thread(view, hw, e ? e->words[1] : 0);
}

static uint64_t quanta[64]; /* by thread id of the guest: the latest answer */

static uint64_t replay_quantum(void *instance, const weft_sched_view *view, int32_t thread)
{
    const fake_event *e = decided(WEFT_POLICY_OP_QUANTUM);
    uint64_t *latest = &quanta[weft_view_thread(view, (uint32_t)thread)->tid];
    *latest = e ? e->words[1] : *latest;
    return *latest;
}

static uint32_t replay_before(void *instance, const weft_sched_view *view, const weft_sync_op *op,
                              uint64_t *amount)
{
    const fake_event *e = decided(WEFT_POLICY_OP_BEFORE | op->kind << 8);
    *amount = e ? e->words[3] : 0;
    return e ? (uint32_t)e->words[1] : WEFT_ANSWER_GO;
}

static uint64_t replay_delay(void *instance, uint32_t kind, uint64_t thread, uint64_t natural)
{
    const fake_event *e = decided(WEFT_POLICY_OP_DELAY);
    return e ? e->words[1] : natural;
}

static uint64_t replay_stuck(void *instance, const weft_sched_view *view)
{
    const fake_event *e = decided(WEFT_POLICY_OP_STUCK);
    return e ? e->words[1] : 0;
}

static const weft_policy_ops replay = {
    .size = sizeof replay,
    .pick_cpu = replay_cpu,
    .pick_next = replay_thread,
    .quantum = replay_quantum,
    .subscribe = all_kinds,
    .before = replay_before,
    .delay = replay_delay,
    .stuck = replay_stuck,
};

static void run_under(const weft_policy_ops *policy_ops, uint64_t seed)
{
    chaos_state = seed;
    s->k->policy = policy_ops;
    s->fake->machine.policy_faults = 1000;
    const script_step p[] = {CALL(NtCreateEvent, H, 0, 1, 0),
                             CALL(NtCreateSemaphore, H2, 0, 0, 9),
                             CALL(RtlEnterCriticalSection, CS),
                             WORK(3000),
                             CALL(RtlLeaveCriticalSection, CS),
                             CALL(NtSetEvent, AT(H), 0),
                             CALL(NtWaitForSingleObjectEx, AT(H2), 1, 0, 0),
                             CALL(KfAcquireSpinLock, LOCK),
                             WORK(500),
                             CALL(KfReleaseSpinLock, LOCK, 0),
                             CALL(KeDelayExecutionThread, 0, 0, T),
                             END};
    const script_step q[] = {WORK(2000),
                             CALL(RtlEnterCriticalSection, CS),
                             WORK(4000),
                             CALL(RtlLeaveCriticalSection, CS),
                             CALL(NtWaitForSingleObjectEx, AT(H), 1, 0, T),
                             CALL(NtReleaseSemaphore, AT(H2), 1, 0),
                             CALL(KfAcquireSpinLock, LOCK),
                             WORK(500),
                             CALL(KfReleaseSpinLock, LOCK, 0),
                             CALL(RtlTryEnterCriticalSection, TRIED),
                             END};
    script_thread(s, 0, p, ON(0));
    script_thread(s, 1, q, ON(0));
    script_thread(s, 2, q, ON(1));
    script_thread(s, 3, q, ON(2));
    s->k->first_thread = NULL;
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_true(s->fake->kept_count < FAKE_KEPT);
}

/* "With the same default and the same inputs these make the whole run": without the policy, and
 * without knowing more than its answers. The recording is s's; s is a fresh one afterwards. */
static void assert_made_again(void)
{
    recorded_count = s->fake->kept_count;
    memcpy(recorded, s->fake->kept, recorded_count * sizeof *recorded);
    script_close(s);
    open_script();
    memset(askings, 0, sizeof askings);
    memset(quanta, 0, sizeof quanta);
    run_under(&replay, 0);
    uint32_t at = 0;
    for (uint32_t i = 0; i < recorded_count; i++) {
        if (recorded[i].head.category != WEFT_CLASS_GUEST) {
            continue;
        }
        while (at < s->fake->kept_count && s->fake->kept[at].head.category != WEFT_CLASS_GUEST) {
            at++;
        }
        assert_true(at < s->fake->kept_count);
        assert_memory_equal(&recorded[i], &s->fake->kept[at++], sizeof recorded[i]);
    }
    script_close(s);
    open_script();
}

static void answers_make_the_run(void **state)
{
    uint32_t holds = 0, illegal = 0;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        run_under(&chaos, seed);
        assert_made_again();
        for (uint32_t i = 0; i < recorded_count; i++) {
            const fake_event *e = &recorded[i];
            if (e->head.kind == WEFT_EVENT_POLICY_ANSWER) {
                holds += (e->words[0] & 0xFF) == WEFT_POLICY_OP_BEFORE &&
                         e->words[1] == WEFT_ANSWER_HOLD;
                illegal += !e->words[5];
            }
        }
    }
    assert_true(holds > 10 && illegal > 0); /* the runs had what they were made for */
}

/* ---- exchanging the policy ---------------------------------------------------------------------
 */

static struct {
    uint32_t told, started;
    uint64_t slices, ids[8], parents[8];
} swapped;

static void told(weft_policy_exchange *exchange, uint64_t slices)
{
    swapped.told++;
    swapped.slices = slices;
}

static void thread_start(void *instance, uint64_t thread, uint64_t parent)
{
    swapped.ids[swapped.started] = thread;
    swapped.parents[swapped.started++] = parent;
}

static const weft_policy_ops newcomer = {.size = sizeof newcomer, .thread_start = thread_start};

static weft_policy_exchange exchange_at(uint32_t what, uint64_t at, const weft_policy_ops *next)
{
    memset(&swapped, 0, sizeof swapped);
    return (weft_policy_exchange){
        .size = sizeof(weft_policy_exchange),
        .what = what,
        .at = at,
        .ops = next,
        .id = "policy-next",
        .told = told,
    };
}

/* "The newcomer gets thread_start for each thread that lives, in order of creation." What the one
 * before holds is asked about anew: here nobody holds it any more. */
static void newcomer_is_told_of_the_threads(void **state)
{
    answer_to(WEFT_SYNC_SIGNAL, WEFT_ANSWER_HOLD, UINT32_MAX);
    const script_step p[] = {CALL(ExCreateThread, H, 0x4000, 0, 0, script_entry(1), 0, ON(1)),
                             CALL(NtCreateEvent, H2, 0, 1, 0), CALL(NtSetEvent, AT(H2), 0), MARK(1),
                             END};
    const script_step child[] = {WORK(50 * MS), END}, gone[] = {END};
    s->programs[1] = child;
    kthread *main = script_thread(s, 0, p, ON(0));
    script_thread(s, 2, gone, ON(2));
    weft_policy_exchange next = exchange_at(WEFT_POLICY_AT_TICKS, 3 * MS, &newcomer);
    assert_int_equal(kpolicy_exchange(s->k, &next), WEFT_OK);
    assert_int_equal(kpolicy_exchange(s->k, &next), WEFT_E_STATE);
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(swapped.told, 1);
    assert_int_equal(swapped.started, 2);
    assert_int_equal(swapped.ids[0], main->id);
    assert_int_equal(swapped.parents[0], 0);
    assert_string_equal(fake_name(s->fake, swapped.ids[1]), "thread:main/0");
    assert_int_equal(swapped.parents[1], main->id);
    assert_in_range(s->log_ticks[0], 3 * MS - 20000, 4 * MS);
    const fake_event *e = fake_event_at(s->fake, WEFT_EVENT_POLICY_SWAP, 0);
    assert_int_equal(e->head.category, WEFT_CLASS_DECISION);
    assert_int_equal(e->words[0], strlen("policy-next"));
    assert_memory_equal(&e->words[1], "policy-next", 11);
    assert_int_equal(e->words[3], swapped.slices);
}

static uint32_t short_slices(void *instance, const weft_sched_view *view, uint64_t *slice)
{
    *slice = 500;
    return default_cpu(view);
}

/* "A swap to the same policy at any point changes nothing in guest events": at every third of
 * the run's slices. */
static void swap_to_itself_changes_nothing(void **state)
{
    static const weft_policy_ops plain = {.size = sizeof plain, .pick_cpu = short_slices};
    run_under(&plain, 0);
    uint32_t count = s->fake->kept_count;
    assert_in_range(s->k->slices, 100, 140);
    memcpy(recorded, s->fake->kept, count * sizeof *recorded);
    for (uint64_t at = 0; at < 140; at += 3) {
        script_close(s);
        open_script();
        weft_policy_exchange next = exchange_at(WEFT_POLICY_AT_DECISIONS, at, &plain);
        assert_int_equal(kpolicy_exchange(s->k, &next), WEFT_OK);
        run_under(&plain, 0);
        uint32_t same = 0;
        for (uint32_t i = 0; i < s->fake->kept_count; i++) {
            const fake_event *e = &s->fake->kept[i];
            if (e->head.kind != WEFT_EVENT_POLICY_SWAP) {
                assert_memory_equal(e, &recorded[same++], sizeof *e);
            }
        }
        assert_int_equal(same, count);
        assert_true(!swapped.told || swapped.slices == at);
    }
}

/* The recording of a run under several policies is made again without any exchange. */
static void answers_of_several_policies_make_the_run(void **state)
{
    static const weft_policy_ops plain = {.size = sizeof plain};
    uint32_t exchanges = 0;
    for (uint64_t at = 1; at < 40; at += 2) {
        weft_policy_exchange next = exchange_at(WEFT_POLICY_AT_DECISIONS, at, &plain);
        assert_int_equal(kpolicy_exchange(s->k, &next), WEFT_OK);
        run_under(&chaos, at);
        exchanges += swapped.told;
        assert_made_again();
    }
    assert_in_range(exchanges, 10, 20); /* some runs are over before */
}

/* Ejected from within an op: that answer counts as none, and the reason is in the trace. */
static int32_t breaks(void *instance, const weft_sched_view *view, uint32_t hw)
{
    kpolicy_eject_later(s->k, "it has broken");
    return -5;
}

static void ejection_from_within_counts_no_answer(void **state)
{
    static const weft_policy_ops breaking = {.size = sizeof breaking, .pick_next = breaks};
    s->k->policy = &breaking;
    const script_step p[] = {WORK(50 * MS), MARK(1), END};
    script_thread(s, 0, p, ON(0));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->log_count, 1);
    assert_null(s->k->policy);
    assert_int_equal(s->fake->events[WEFT_EVENT_POLICY_ANSWER], 0);
    assert_int_equal(s->fake->events[WEFT_EVENT_POLICY_EJECTED], 1);
    assert_string_equal(s->fake->logged, "it has broken; the built-in policy serves");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(yield_lets_lower_priorities_run),
        T(yield_alone_goes),
        T(hold_ends_after_the_starvation_limit),
        T(holds_in_turn_end_too),
        T(hold_waits_for_what_is_due),
        T(hold_for_a_number_is_asked_when_that_comes),
        T(hold_for_a_number_that_does_not_come),
        T(who_runs_is_asked_while_one_is_held),
        T(spin_lock_is_held_back),
        T(wait_is_held_as_a_whole),
        T(without_a_view_now_is_there),
        T(operations_leave_their_answers),
        T(quantum_and_delay_leave_their_answers),
        T(answers_make_the_run),
        T(newcomer_is_told_of_the_threads),
        T(swap_to_itself_changes_nothing),
        T(answers_of_several_policies_make_the_run),
        T(ejection_from_within_counts_no_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
