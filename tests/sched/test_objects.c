/* Objects by pointer and by handle: Ke* semaphores, mutants and timers, time-outs at their edges,
 * and lives that end while somebody waits. Expectations: Microsoft's documentation of the Ke and Nt
 * functions, LESSONS 29-37, arithmetic. */
#include "ordinals.h"
#include "script.h"

#define PROGRAM(n) (SCRIPT_BASE + (n)*4 * SCRIPT_STEPS)

static script *s;
static uint32_t H, T, OUT, SEM, MUTANT, TIMER, EVENT, LIST;

static int setup(void **state)
{
    s = script_open();
    H = s->scratch;
    T = s->scratch + 0x10;
    OUT = s->scratch + 0x20;
    LIST = s->scratch + 0x40;
    EVENT = s->scratch + 0x80;
    SEM = s->scratch + 0x100;
    MUTANT = s->scratch + 0x140;
    TIMER = s->scratch + 0x180;
    return 0;
}

static int teardown(void **state)
{
    script_close(s);
    return 0;
}

/* ---- by pointer --------------------------------------------------------------------------------
 */

/* KeReleaseSemaphore answers the state before; a wait takes one. */
static void raw_semaphore_counts(void **state)
{
    const script_step p[] = {
        CALL(KeInitializeSemaphore, SEM, 1, 3),       CALL(KeReleaseSemaphore, SEM, 0, 2, 0),
        CALL(KeWaitForSingleObject, SEM, 0, 0, 0, T), CALL(KeReleaseSemaphore, SEM, 0, 1, 0),
        CALL(KeReleaseSemaphore, SEM, 0, 1, 0),       END};
    script_thread(s, 0, p, 0);
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->k->memory->base[SEM], 5); /* SemaphoreObject */
    assert_int_equal(word(s, SEM + 0x10), 3);
    assert_int_equal(s->returned[0][1], 1);
    assert_int_equal(s->returned[0][2], STATUS_WAIT_0);
    assert_int_equal(s->returned[0][3], 2);
    assert_int_equal(s->returned[0][4], 3); /* at its limit: unchanged */
    assert_int_equal(word(s, SEM + 4), 3);
}

/* One release of two wakes two of three waiters, the first two. */
static void release_wakes_as_many_as_it_adds(void **state)
{
    const script_step p[] = {CALL(KeInitializeSemaphore, SEM, 0, 9), WORK(1 * MS),
                             CALL(KeReleaseSemaphore, SEM, 0, 2, 0), WORK(1 * MS), END};
    script_step q[3][4];
    script_thread(s, 0, p, ON(0));
    for (uint32_t i = 0; i < 3; i++) {
        q[i][0] = (script_step)WORK(10000 * (i + 1));
        q[i][1] = (script_step)CALL(KeWaitForSingleObject, SEM, 0, 0, 0, 0);
        q[i][2] = (script_step)MARK(i);
        q[i][3] = (script_step)END;
        script_thread(s, 1 + i, q[i], ON(1 + i));
    }
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->log_count, 2);
    assert_int_equal(s->log[0] + s->log[1], 0 + 1);
    assert_int_equal(word(s, SEM + 4), 0);
}

/* KMUTANT: state 1 when free, 0 held, less for each time more; owner at 0x18. */
static void raw_mutant_is_recursive(void **state)
{
    const script_step p[] = {CALL(KeInitializeMutant, MUTANT, 0),
                             CALL(KeWaitForSingleObject, MUTANT, 0, 0, 0, T),
                             CALL(KeWaitForSingleObject, MUTANT, 0, 0, 0, T),
                             CALL(KeReleaseMutant, MUTANT, 0, 0, 0),
                             WORK(1 * MS),
                             CALL(KeReleaseMutant, MUTANT, 0, 0, 0),
                             END};
    kthread *t = script_thread(s, 0, p, 0);
    script_run(s, 500000);
    assert_int_equal(word(s, MUTANT + 4), 0);
    assert_int_equal(word(s, MUTANT + 0x18), t->object->body);
    s->k->end = WEFT_END_NONE;
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal((int32_t)s->returned[0][3], -1);
    assert_int_equal((int32_t)s->returned[0][5], 0);
    assert_int_equal(word(s, MUTANT + 4), 1);
    assert_int_equal(word(s, MUTANT + 0x18), 0);
}

static void raw_mutant_of_another_stays_held(void **state)
{
    const script_step p[] = {CALL(KeInitializeMutant, MUTANT, 1), WORK(1 * MS), END};
    const script_step q[] = {WORK(10000), CALL(KeReleaseMutant, MUTANT, 0, 0, 0), END};
    kthread *t = script_thread(s, 0, p, ON(0));
    script_thread(s, 1, q, ON(1));
    script_run(s, 500000);
    assert_int_equal(word(s, MUTANT + 4), 0);
    assert_int_equal(word(s, MUTANT + 0x18), t->object->body);
}

/* A mutant that was initialised as owned is abandoned with its owner, though nobody waited before.
 */
static void raw_mutant_is_abandoned(void **state)
{
    const script_step p[] = {WORK(1 * MS), CALL(KeWaitForSingleObject, MUTANT, 0, 0, 0, 0), END};
    const script_step q[] = {CALL(KeInitializeMutant, MUTANT, 1), END};
    script_thread(s, 0, p, ON(0));
    script_thread(s, 1, q, ON(1));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->returned[0][1], 0x80); /* STATUS_ABANDONED_WAIT_0 */
}

/* KePulseEvent: who waits goes on, and the event is not signalled after it. */
static void raw_pulse_wakes_and_resets(void **state)
{
    const script_step p[] = {CALL(KeInitializeEvent, EVENT, 0, 0), WORK(1 * MS),
                             CALL(KePulseEvent, EVENT, 0, 0), WORK(1 * MS), END};
    const script_step q[] = {WORK(10000), CALL(KeWaitForSingleObject, EVENT, 0, 0, 0, 0), MARK(1),
                             CALL(KeWaitForSingleObject, EVENT, 0, 0, 0, T), END};
    script_thread(s, 0, p, ON(0));
    script_thread(s, 1, q, ON(1));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->returned[0][2], 0);
    assert_int_equal(s->log_count, 1);
    assert_int_equal(s->returned[1][3], STATUS_TIMEOUT);
}

/* KeSetTimerEx: due after 2 ms, then every 3 ms without drift. KeCancelTimer: TRUE while set. */
static void raw_timer_is_periodic(void **state)
{
    const script_step p[] = {CALL(KeInitializeTimerEx, TIMER, 1, 0),
                             CALL(KeSetTimerEx, TIMER, RELATIVE_MS(2), 3, 0),
                             CALL(KeWaitForSingleObject, TIMER, 0, 0, 0, 0),
                             MARK(1),
                             CALL(KeWaitForSingleObject, TIMER, 0, 0, 0, 0),
                             MARK(2),
                             CALL(KeWaitForSingleObject, TIMER, 0, 0, 0, 0),
                             MARK(3),
                             CALL(KeSetTimerEx, TIMER, RELATIVE_MS(2), 0, 0),
                             CALL(KeCancelTimer, TIMER),
                             CALL(KeCancelTimer, TIMER),
                             END};
    script_thread(s, 0, p, 0);
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    for (uint32_t i = 0; i < 3; i++) {
        uint64_t due = (2 + 3 * i) * MS;
        assert_in_range(s->log_ticks[i], due, due + 5000);
    }
    assert_int_equal(s->returned[0][8], 1);
    assert_int_equal(s->returned[0][9], 1);
    assert_int_equal(s->returned[0][10], 0);
}

/* KeTryToAcquireSpinLockAtRaisedIrql: TRUE and taken, or FALSE. */
static void try_acquire_does_not_spin(void **state)
{
    const script_step p[] = {CALL(KeTryToAcquireSpinLockAtRaisedIrql, OUT),
                             CALL(KeTryToAcquireSpinLockAtRaisedIrql, OUT),
                             CALL(KeReleaseSpinLockFromRaisedIrql, OUT), END};
    script_thread(s, 0, p, 0);
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->returned[0][0], 1);
    assert_int_equal(s->returned[0][1], 0);
    assert_int_equal(word(s, OUT), 0);
}

/* 100 ns since power-on. */
static void interrupt_time_counts_from_power_on(void **state)
{
    const script_step p[] = {WORK(2 * MS), CALL(KeQueryInterruptTime), END};
    script_thread(s, 0, p, 0);
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_in_range(s->returned[0][1], 20000, 20001);
}

/* Memory that held an event now holds a semaphore: another object, and a handle to the first one
 * still closes. */
static void reused_memory_is_another_object(void **state)
{
    const script_step p[] = {
        CALL(KeInitializeEvent, SEM, 1, 0),        CALL(KeSetEvent, SEM, 0, 0),
        CALL(ObOpenObjectByPointer, SEM, 0, 0, H), CALL(KeInitializeSemaphore, SEM, 4, 9),
        CALL(KeReleaseSemaphore, SEM, 0, 1, 0),    CALL(NtClose, AT(H)),
        CALL(KeReleaseSemaphore, SEM, 0, 1, 0),    END};
    script_thread(s, 0, p, 0);
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->returned[0][2], STATUS_SUCCESS);
    assert_int_equal(s->returned[0][4], 4);
    assert_int_equal(s->returned[0][5], STATUS_SUCCESS);
    assert_int_equal(s->returned[0][6], 5);
}

/* A header at the very end of readable memory, whose body would reach beyond it, is none. */
static void body_must_be_readable_as_a_whole(void **state)
{
    uint32_t end = s->scratch + 0x10000 - 0x10;
    set_word(s, end, 0x02000000); /* a mutant is 0x20 bytes long */
    assert_null(kobject_at(s->k, NULL, end));
    set_word(s, end, 0); /* an event 0x10 */
    assert_non_null(kobject_at(s->k, NULL, end));
}

/* ---- time-outs ---------------------------------------------------------------------------------
 */

static uint32_t wait_with(uint64_t timeout, uint64_t limit, uint64_t *ended)
{
    set_quad(s, T, timeout);
    const script_step p[] = {CALL(NtCreateEvent, H, 0, 1, 0),
                             CALL(NtWaitForSingleObjectEx, AT(H), 1, 0, T), MARK(1), END};
    script_thread(s, 0, p, 0);
    script_run(s, limit);
    *ended = s->log_ticks[0];
    return s->log_count;
}

/* -1 is 100 ns from now. */
static void smallest_relative_timeout(void **state)
{
    uint64_t ended;
    assert_int_equal(wait_with(UINT64_MAX, 1 * MS, &ended), 1);
    assert_in_range(ended, 200, 400); /* two calls of 100, and a tick or two */
    assert_int_equal(s->returned[0][1], STATUS_TIMEOUT);
}

/* A time that is over ends the wait at once. */
static void absolute_timeout_in_the_past(void **state)
{
    uint64_t ended;
    assert_int_equal(wait_with(1, 1 * MS, &ended), 1);
    assert_int_equal(s->returned[0][1], STATUS_TIMEOUT);
    assert_true(ended < 1000);
}

/* The year 30828 does not come early, nor do 29,000 years from now. */
static void farthest_timeouts_do_not_wrap(void **state)
{
    uint64_t ended;
    assert_int_equal(wait_with(INT64_MAX, 4000 * (uint64_t)MS, &ended), 0);
    assert_int_equal(s->k->threads->state, WEFT_THREAD_WAITING);
}

static void longest_relative_timeout_does_not_wrap(void **state)
{
    uint64_t ended;
    assert_int_equal(wait_with(UINT64_C(1) << 63, 4000 * (uint64_t)MS, &ended), 0);
    assert_int_equal(s->k->threads->state, WEFT_THREAD_WAITING);
}

/* ---- several objects ---------------------------------------------------------------------------
 */

/* NtWaitForMultipleObjects: STATUS_INVALID_PARAMETER_MIX where a wait for all names one twice. */
static void wait_all_refuses_duplicates(void **state)
{
    const script_step p[] = {CALL(NtCreateEvent, LIST, 0, 1, 1),
                             CALL(NtDuplicateObject, AT(LIST), LIST + 4, 0),
                             CALL(NtWaitForMultipleObjectsEx, 2, LIST, 0, 1, 0, 0),
                             CALL(NtWaitForMultipleObjectsEx, 2, LIST, 1, 1, 0, 0), END};
    script_thread(s, 0, p, 0);
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal((uint32_t)s->returned[0][2], UINT32_C(0xC0000030));
    assert_int_equal(s->returned[0][3], STATUS_WAIT_0); /* any: the first */
}

/* A wait for any that names an object twice ends once, and leaves no waiter behind. */
static void wait_any_with_duplicates(void **state)
{
    const script_step p[] = {CALL(NtCreateEvent, LIST, 0, 1, 0),
                             CALL(NtDuplicateObject, AT(LIST), LIST + 4, 0),
                             CALL(NtWaitForMultipleObjectsEx, 2, LIST, 1, 1, 0, 0),
                             MARK(1),
                             CALL(NtWaitForMultipleObjectsEx, 2, LIST, 1, 1, 0, T),
                             END};
    const script_step q[] = {WORK(1 * MS), CALL(NtSetEvent, AT(LIST), 0), END};
    script_thread(s, 0, p, ON(0));
    script_thread(s, 1, q, ON(1));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->returned[0][2], STATUS_WAIT_0);
    assert_int_equal(s->returned[0][4], STATUS_TIMEOUT);
}

/* An abandoned mutant among all: STATUS_ABANDONED_WAIT_0; among any: plus its index. */
static void abandoned_mutant_in_a_wait_for_any(void **state)
{
    const script_step p[] = {WORK(1 * MS), CALL(NtCreateEvent, LIST, 0, 1, 0),
                             CALL(NtWaitForMultipleObjectsEx, 2, LIST, 1, 1, 0, 0), END};
    const script_step q[] = {CALL(NtCreateMutant, LIST + 4, 0, 1), END};
    script_thread(s, 0, p, ON(0));
    script_thread(s, 1, q, ON(1));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->returned[0][2], 0x81);
}

/* ---- the last reference ------------------------------------------------------------------------
 */

/* The handle is closed while a thread waits: the owner's end reaches the waiter all the same. */
static void abandoned_mutant_without_a_handle(void **state)
{
    const script_step p[] = {WORK(10000), CALL(NtWaitForSingleObjectEx, AT(H), 1, 0, 0), END};
    const script_step q[] = {CALL(NtCreateMutant, H, 0, 1), WORK(1 * MS), CALL(NtClose, AT(H)),
                             END};
    script_thread(s, 0, p, ON(0));
    script_thread(s, 1, q, ON(1));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->returned[0][1], 0x80);
}

static void timer_without_a_handle_still_fires(void **state)
{
    set_quad(s, T, RELATIVE_MS(3));
    const script_step p[] = {WORK(10000), CALL(NtWaitForSingleObjectEx, AT(H), 1, 0, 0), MARK(1),
                             END};
    const script_step q[] = {CALL(NtCreateTimer, H, 0, 1),
                             CALL(NtSetTimerEx, AT(H), T, PROGRAM(2), 1, 0, 0, 4, 0),
                             WORK(1 * MS),
                             CALL(NtClose, AT(H)),
                             WORK(9 * MS),
                             END};
    script_thread(s, 0, p, ON(0));
    script_thread(s, 1, q, ON(1));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_in_range(s->log_ticks[0], 3 * MS, 3 * MS + 50000);
}

/* A closed timer that nobody waits for is off the clock. */
static void closed_timer_does_not_fire(void **state)
{
    set_quad(s, T, RELATIVE_MS(3));
    const script_step p[] = {CALL(NtCreateTimer, H, 0, 1),
                             CALL(NtSetTimerEx, AT(H), T, PROGRAM(1), 1, 0, 0, 0, 0),
                             CALL(NtClose, AT(H)), CALL(KeDelayExecutionThread, 1, 1, T + 8), END};
    const script_step routine[] = {MARK(1), END};
    s->programs[1] = routine;
    set_quad(s, T + 8, RELATIVE_MS(9));
    script_thread(s, 0, p, 0);
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->log_count, 0);
    assert_int_equal(s->returned[0][3], STATUS_SUCCESS);
}

/* A periodic timer may be cancelled by its own APC. */
static void timer_cancelled_in_its_apc(void **state)
{
    set_quad(s, T, RELATIVE_MS(1));
    set_quad(s, T + 8, RELATIVE_MS(9));
    const script_step p[] = {
        CALL(NtCreateTimer, H, 0, 1), CALL(NtSetTimerEx, AT(H), T, PROGRAM(1), 1, 0, 0, 1, 0),
        CALL(KeDelayExecutionThread, 1, 1, T + 8), CALL(KeDelayExecutionThread, 1, 1, T + 8), END};
    const script_step routine[] = {MARK(1), CALL(NtCancelTimer, AT(H), 0), END};
    s->programs[1] = routine;
    script_thread(s, 0, p, 0);
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->log_count, 1);
    assert_int_equal(s->returned[0][2], STATUS_USER_APC);
    assert_int_equal(s->returned[0][3], STATUS_SUCCESS);
}

/* A timer has one APC (NT): firings that find it queued add none, and NtCancelTimer, NtSetTimerEx and
 * the end of the timer take it off the queue. `last` is a call while it is there. */
static void apc_of_timer(script_step last, uint32_t delivered)
{
    set_quad(s, T, RELATIVE_MS(1));
    set_quad(s, T + 8, RELATIVE_MS(9));
    set_quad(s, T + 16, RELATIVE_MS(1000));
    const script_step p[] = {CALL(NtCreateTimer, H, 0, 1),
                             CALL(NtSetTimerEx, AT(H), T, PROGRAM(1), 1, 0, 0, 2, 0),
                             CALL(KeDelayExecutionThread, 1, 0, T + 8),
                             last,
                             CALL(KeDelayExecutionThread, 1, 1, T),
                             END};
    const script_step routine[] = {MARK(1), END};
    s->programs[1] = routine;
    script_thread(s, 0, p, 0);
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->log_count, delivered);
    assert_int_equal(s->returned[0][4], delivered ? STATUS_USER_APC : STATUS_SUCCESS);
}

static void firings_queue_one_apc(void **state)
{
    apc_of_timer((script_step)WORK(10), 1);
}

static void a_cancelled_timer_has_no_apc(void **state)
{
    apc_of_timer((script_step)CALL(NtCancelTimer, AT(H), 0), 0);
}

static void a_timer_set_anew_has_no_apc(void **state)
{
    apc_of_timer((script_step)CALL(NtSetTimerEx, AT(H), T + 16, PROGRAM(1), 1, 0, 0, 0, 0), 0);
}

static void a_closed_timer_has_no_apc(void **state)
{
    apc_of_timer((script_step)CALL(NtClose, AT(H)), 0);
}

/* ZwSetTimer, PreviousState: whether the timer was signalled. */
static void set_timer_says_whether_it_was_signalled(void **state)
{
    set_quad(s, T, RELATIVE_MS(1));
    const script_step p[] = {CALL(NtCreateTimer, H, 0, 0),
                             CALL(NtSetTimerEx, AT(H), T, 0, 0, 0, 0, 0, OUT),
                             CALL(NtWaitForSingleObjectEx, AT(H), 1, 0, 0),
                             CALL(NtSetTimerEx, AT(H), T, 0, 0, 0, 0, 0, OUT + 4),
                             CALL(NtCancelTimer, AT(H), OUT + 8),
                             END};
    set_word(s, OUT, 9);
    script_thread(s, 0, p, 0);
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(word(s, OUT), 0);
    assert_int_equal(word(s, OUT + 4), 1);
    assert_int_equal(word(s, OUT + 8), 0);
}

/* ---- critical sections -------------------------------------------------------------------------
 */

/* Five threads, fifteen times each: nobody is lost, and at the end the section is free. */
static void many_waiters_lose_no_wakeup(void **state)
{
    uint32_t cs = s->scratch + 0x400;
    kcs_init(s->k, cs, 0);
    script_step p[SCRIPT_STEPS];
    uint32_t n = 0;
    for (uint32_t i = 0; i < 15; i++) {
        p[n++] = (script_step)CALL(RtlEnterCriticalSection, cs);
        p[n++] = (script_step)WORK(700);
        p[n++] = (script_step)CALL(RtlLeaveCriticalSection, cs);
        p[n++] = (script_step)MARK(i);
    }
    p[n] = (script_step)END;
    for (uint32_t i = 0; i < 5; i++) {
        script_thread(s, i, p, ON(i));
    }
    s->k->first_thread = NULL;
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->log_count, 75);
    assert_int_equal(word(s, cs + 0x10), UINT32_MAX);
    assert_int_equal(word(s, cs + 0x14), 0);
    assert_int_equal(word(s, cs + 0x18), 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(raw_semaphore_counts),
        T(release_wakes_as_many_as_it_adds),
        T(raw_mutant_is_recursive),
        T(raw_mutant_of_another_stays_held),
        T(raw_mutant_is_abandoned),
        T(raw_pulse_wakes_and_resets),
        T(raw_timer_is_periodic),
        T(try_acquire_does_not_spin),
        T(interrupt_time_counts_from_power_on),
        T(reused_memory_is_another_object),
        T(body_must_be_readable_as_a_whole),
        T(smallest_relative_timeout),
        T(absolute_timeout_in_the_past),
        T(farthest_timeouts_do_not_wrap),
        T(longest_relative_timeout_does_not_wrap),
        T(wait_all_refuses_duplicates),
        T(wait_any_with_duplicates),
        T(abandoned_mutant_in_a_wait_for_any),
        T(abandoned_mutant_without_a_handle),
        T(timer_without_a_handle_still_fires),
        T(closed_timer_does_not_fire),
        T(timer_cancelled_in_its_apc),
        T(firings_queue_one_apc),
        T(a_cancelled_timer_has_no_apc),
        T(a_timer_set_anew_has_no_apc),
        T(a_closed_timer_has_no_apc),
        T(set_timer_says_whether_it_was_signalled),
        T(many_waiters_lose_no_wakeup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
