/* When things come and where threads are queued, by the policy: weft/policy.h, WEFT_DELAY_* and `place`,
 * sentence by sentence. Times are worked out by hand; calls cost little beside them. */
#include <string.h>

#include "ordinals.h"
#include "sched.h"
#include "script.h"

#define NEAR UINT64_C(20000) /* what the calls on the way cost at most */

static script *s;
static uint32_t T, TIMER, OUT;

static struct {
    uint32_t kind; /* of the delays that are answered */
    uint64_t answer;
    uint32_t asked, placed, hw;
    uint64_t natural; /* of the last one */
} policy;

static uint64_t delay(void *instance, uint32_t kind, uint64_t thread, uint64_t natural)
{
    if (kind != policy.kind) {
        return natural;
    }
    policy.asked++;
    policy.natural = natural;
    return policy.answer;
}

static uint32_t place(void *instance, const weft_sched_view *view, int32_t thread)
{
    assert_in_range(thread, 0, view->thread_count - 1);
    policy.placed++;
    return policy.hw;
}

static uint32_t subscribe(void *instance)
{
    return 1u << WEFT_SYNC_ENTER_CONTENDED | 1u << WEFT_SYNC_ENTER;
}

static uint32_t before(void *instance, const weft_sched_view *view, const weft_sync_op *op,
                       uint64_t *amount)
{
    bool held = op->kind == WEFT_SYNC_ENTER_CONTENDED;
    policy.asked += held;
    assert_int_equal(op->spin, held ? 1024 : 0);
    *amount = op->spin * 100;
    return held ? WEFT_ANSWER_SPIN : WEFT_ANSWER_GO;
}

/* Puts signals of sources off `policy.answer` times. */
static uint32_t subscribe_sources(void *instance)
{
    return 1u << WEFT_SYNC_SIGNAL | WEFT_SYNC_NO_VIEW | WEFT_SYNC_SOURCES;
}

static uint32_t subscribe_signals(void *instance)
{
    return 1u << WEFT_SYNC_SIGNAL;
}

static uint32_t before_sources(void *instance, const weft_sched_view *view, const weft_sync_op *op,
                               uint64_t *amount)
{
    assert_int_equal(op->kind, WEFT_SYNC_SIGNAL);
    assert_int_equal(op->thread, weft_fnv1a("source:timer", 12));
    assert_int_equal(op->sequence, 2); /* behind its being set and waited for */
    policy.natural = view->now;
    return policy.asked++ < policy.answer ? WEFT_ANSWER_HOLD : WEFT_ANSWER_GO;
}

static const weft_policy_ops sources = {
    .size = sizeof sources, .subscribe = subscribe_sources, .before = before_sources};
/* The wait has its turn behind the timer's signal. */
static uint32_t subscribe_waits(void *instance)
{
    return 1u << WEFT_SYNC_WAIT | WEFT_SYNC_NO_VIEW;
}

static uint32_t before_waits(void *instance, const weft_sched_view *view, const weft_sync_op *op,
                             uint64_t *amount)
{
    *amount = 2; /* set, signalled */
    return op->sequence < 2 ? WEFT_ANSWER_HOLD : WEFT_ANSWER_GO;
}

static uint64_t stuck(void *instance, const weft_sched_view *view)
{
    policy.asked++;
    return 0;
}

static const weft_policy_ops waits = {
    .size = sizeof waits, .subscribe = subscribe_waits, .before = before_waits, .stuck = stuck};
static const weft_policy_ops spins = {
    .size = sizeof spins, .subscribe = subscribe, .before = before};
static const weft_policy_ops times = {.size = sizeof times, .delay = delay};
static const weft_policy_ops places = {.size = sizeof places, .place = place};

static int setup(void **state)
{
    s = script_open();
    memset(&policy, 0, sizeof policy);
    T = s->scratch + 0x10;
    TIMER = s->scratch + 0x40;
    OUT = s->scratch + 0x80;
    s->k->policy = &times;
    s->fake->wanted[WEFT_EVENT_POLICY_ANSWER / 64] |= UINT64_C(1) << WEFT_EVENT_POLICY_ANSWER % 64;
    set_quad(s, T, RELATIVE_MS(2));
    return 0;
}

static int teardown(void **state)
{
    script_close(s);
    return 0;
}

static void a_delay_ends_when_the_policy_says(void **state)
{
    policy.kind = WEFT_DELAY_TIMEOUT;
    policy.answer = 5 * MS;
    const script_step p[] = {CALL(KeDelayExecutionThread, 0, 0, T), MARK(1), END};
    script_thread(s, 0, p, ON(0));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(policy.asked, 1);
    assert_int_equal(policy.natural, 2 * MS);
    assert_in_range(s->log_ticks[0], 5 * MS, 5 * MS + NEAR);
}

/* Who waits for ever has no time-out to ask for, nor has a wait that is over at once. */
static void only_what_waits_is_asked_for(void **state)
{
    policy.kind = WEFT_DELAY_TIMEOUT;
    const script_step p[] = {CALL(KeInitializeEvent, OUT, 0, 1),
                             CALL(KeWaitForSingleObject, OUT, 3, 1, 0, T),
                             CALL(KeWaitForSingleObject, OUT, 3, 1, 0, 0), END};
    script_thread(s, 0, p, ON(0));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(policy.asked, 0);
}

/* A time-out that is over at once still is one: STATUS_TIMEOUT, and guest time does not stand still. */
static void a_time_out_may_be_over_at_once(void **state)
{
    policy.kind = WEFT_DELAY_TIMEOUT;
    policy.answer = 0;
    const script_step p[] = {CALL(KeInitializeEvent, OUT, 0, 0),
                             CALL(KeWaitForSingleObject, OUT, 3, 1, 0, T), MARK(1), END};
    script_thread(s, 0, p, ON(0));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->returned[0][1], STATUS_TIMEOUT);
    assert_in_range(s->log_ticks[0], 0, NEAR);
}

static void a_timer_comes_when_the_policy_says(void **state)
{
    policy.kind = WEFT_DELAY_TIMER;
    policy.answer = 3 * MS;
    const script_step p[] = {CALL(KeInitializeTimerEx, TIMER, 0),
                             CALL(KeSetTimer, TIMER, RELATIVE_MS(2), 0),
                             CALL(KeWaitForSingleObject, TIMER, 3, 1, 0, 0), MARK(1), END};
    script_thread(s, 0, p, ON(0));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(policy.asked, 1);
    assert_int_equal(policy.natural, 2 * MS);
    assert_in_range(s->log_ticks[0], 3 * MS, 3 * MS + NEAR);
}

/* Affinity 1, and yet on hardware thread 5: from its start on, and after its wake. */
static void a_thread_is_where_the_policy_puts_it(void **state)
{
    s->k->policy = &places;
    policy.hw = 5;
    const script_step p[] = {CALL(KeDelayExecutionThread, 0, 0, T), END};
    kthread *t = script_thread(s, 0, p, ON(0));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(policy.placed, 2);
    assert_int_equal(t->affinity, 1);
    assert_int_equal(fake_event_at(s->fake, WEFT_EVENT_IMPORT_CALL, 0)->head.hw, 5);
    const fake_event *e = fake_event_at(s->fake, WEFT_EVENT_POLICY_ANSWER, 0);
    assert_int_equal(e->words[0], WEFT_POLICY_OP_PLACE);
    assert_int_equal(e->words[1], 5);
    assert_int_equal(e->words[2], 0); /* where it would have been */
    assert_int_equal(e->words[5], 1);
    assert_int_equal(e->head.thread, t->id);
    /* it was on 5 then, which its affinity lacks: the kernel would have taken it back */
    assert_int_equal(s->fake->events[WEFT_EVENT_POLICY_ANSWER], 2);
}

static void there_are_six_places(void **state)
{
    s->k->policy = &places;
    policy.hw = WEFT_HW_COUNT;
    const script_step p[] = {CALL(KeDelayExecutionThread, 0, 0, T), END};
    script_thread(s, 0, p, ON(3));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->k->policy_faults, 2);
    assert_int_equal(fake_event_at(s->fake, WEFT_EVENT_IMPORT_CALL, 0)->head.hw, 3);
    assert_int_equal(fake_event_at(s->fake, WEFT_EVENT_POLICY_ANSWER, 0)->words[5], 0);
}

/* Moved away from a thread that goes on, it runs beside it and not after it. */
static void threads_of_one_affinity_run_side_by_side(void **state)
{
    s->k->policy = &places;
    policy.hw = 0;
    const script_step p[] = {WORK(4 * MS), MARK(1), END}, q[] = {WORK(3 * MS), MARK(2), END};
    script_thread(s, 0, p, ON(0));
    policy.hw = 1;
    script_thread(s, 1, q, ON(0));
    s->k->first_thread = NULL;
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->log[0], 2);
    assert_in_range(s->log_ticks[0], 3 * MS, 3 * MS + NEAR);
    assert_in_range(s->log_ticks[1], 4 * MS, 4 * MS + NEAR);
}

/* A count of 1000 turns is kept in steps of 256. 0.1 ms of spin outlast the owner's 0.05 ms: nobody waits. */
static void a_held_section_says_how_long_to_spin(void **state)
{
    s->k->policy = &spins;
    kcs_init(s->k, OUT, 1000);
    const script_step p[] = {CALL(RtlEnterCriticalSection, OUT), WORK(50000),
                             CALL(RtlLeaveCriticalSection, OUT), END};
    const script_step q[] = {WORK(10000), CALL(RtlEnterCriticalSection, OUT), MARK(1), END};
    script_thread(s, 0, p, ON(0));
    script_thread(s, 1, q, ON(1));
    s->k->first_thread = NULL;
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(policy.asked, 1);
    assert_in_range(s->log_ticks[0], 112400, 112400 + NEAR); /* 10000 + 1024 * 100 */
    assert_int_equal(s->fake->events[WEFT_EVENT_WAIT_BEGIN], 0);
}

/* A timer of 2 ms, put off three times by 10 us; nothing of it has happened before: one source.fire. */
static void a_source_is_put_off(void **state)
{
    s->k->policy = &sources;
    policy.answer = 3;
    const script_step p[] = {CALL(KeInitializeTimerEx, TIMER, 0),
                             CALL(KeSetTimer, TIMER, RELATIVE_MS(2), 0),
                             CALL(KeWaitForSingleObject, TIMER, 3, 1, 0, 0), MARK(1), END};
    script_thread(s, 0, p, ON(0));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(policy.asked, 4);
    assert_in_range(s->log_ticks[0], 2 * MS + 3 * WEFT_SYNC_PATIENCE,
                    2 * MS + 3 * WEFT_SYNC_PATIENCE + NEAR);
    assert_int_equal(s->fake->events[WEFT_EVENT_POLICY_ANSWER], 3);
    const fake_event *e = fake_event_at(s->fake, WEFT_EVENT_POLICY_ANSWER, 0);
    assert_int_equal(e->head.thread, weft_fnv1a("source:timer", 12));
    assert_int_equal(e->words[0], WEFT_POLICY_OP_BEFORE | WEFT_SYNC_SIGNAL << 8);
    assert_int_equal(e->words[1], WEFT_ANSWER_HOLD);
}

/* No longer than anybody may be kept waiting ([schedule] starve_ticks). */
static void a_source_is_not_put_off_for_ever(void **state)
{
    s->k->policy = &sources;
    policy.answer = UINT64_MAX;
    const script_step p[] = {CALL(KeInitializeTimerEx, TIMER, 0),
                             CALL(KeSetTimer, TIMER, RELATIVE_MS(2), 0),
                             CALL(KeWaitForSingleObject, TIMER, 3, 1, 0, 0), MARK(1), END};
    script_thread(s, 0, p, ON(0));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    uint64_t latest = 2 * MS + s->k->machine->starve;
    assert_in_range(s->log_ticks[0], latest, latest + WEFT_SYNC_PATIENCE + NEAR);
}

/* Who is held for what a timer does is not stuck, though nobody waits for the timer yet. */
static void a_timer_that_somebody_is_held_for_is_due(void **state)
{
    s->k->policy = &waits;
    const script_step p[] = {CALL(KeInitializeTimerEx, TIMER, 0),
                             CALL(KeSetTimer, TIMER, RELATIVE_MS(2), 0),
                             CALL(KeWaitForSingleObject, TIMER, 3, 1, 0, 0), MARK(1), END};
    script_thread(s, 0, p, ON(0));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(policy.asked, 0);
    assert_in_range(s->log_ticks[0], 2 * MS, 2 * MS + NEAR);
}

/* Who does not ask for sources is not asked about them. */
static void sources_are_asked_about_for_those_who_want_that(void **state)
{
    static const weft_policy_ops plain = {
        .size = sizeof plain, .subscribe = subscribe_signals, .before = before_sources};
    s->k->policy = &plain;
    const script_step p[] = {CALL(KeInitializeTimerEx, TIMER, 0),
                             CALL(KeSetTimer, TIMER, RELATIVE_MS(2), 0),
                             CALL(KeWaitForSingleObject, TIMER, 3, 1, 0, 0), END};
    script_thread(s, 0, p, ON(0));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(policy.asked, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_delay_ends_when_the_policy_says),
        TEST(only_what_waits_is_asked_for),
        TEST(a_time_out_may_be_over_at_once),
        TEST(a_timer_comes_when_the_policy_says),
        TEST(a_held_section_says_how_long_to_spin),
        TEST(a_source_is_put_off),
        TEST(a_source_is_not_put_off_for_ever),
        TEST(a_timer_that_somebody_is_held_for_is_due),
        TEST(sources_are_asked_about_for_those_who_want_that),
        TEST(a_thread_is_where_the_policy_puts_it),
        TEST(there_are_six_places),
        TEST(threads_of_one_affinity_run_side_by_side),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
