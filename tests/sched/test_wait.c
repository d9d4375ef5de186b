/* Waits. Expectations: Microsoft's documentation of the Nt and Ke routines and LESSONS.md 29-42. */
#include "ordinals.h"
#include "script.h"

static script *s;
static uint32_t H, H2, H3, T, OUT; /* guest words: handles, a timeout, an out parameter */

static int setup(void **state)
{
    s = script_open();
    H = s->scratch;
    H2 = s->scratch + 4;
    H3 = s->scratch + 8;
    T = s->scratch + 0x10;
    OUT = s->scratch + 0x20;
    return 0;
}

static int teardown(void **state)
{
    script_close(s);
    return 0;
}

/* LESSONS 29: type 0 is a notification event: it stays set, and lets every wait through. */
static void manual_event_stays_signalled(void **state)
{
    const script_step p[] = {CALL(NtCreateEvent, H, 0, 0, 1),
                             CALL(NtWaitForSingleObjectEx, AT(H), 1, 0, 0),
                             CALL(NtWaitForSingleObjectEx, AT(H), 1, 0, 0), END};
    script_thread(s, 0, p, 0);
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->returned[0][1], 0);
    assert_int_equal(s->returned[0][2], 0);
}

/* LESSONS 29: type 1 is a synchronization event: one wait takes the signal. */
static void auto_event_is_taken_once(void **state)
{
    set_quad(s, T, 0);
    const script_step p[] = {CALL(NtCreateEvent, H, 0, 1, 1),
                             CALL(NtWaitForSingleObjectEx, AT(H), 1, 0, T),
                             CALL(NtWaitForSingleObjectEx, AT(H), 1, 0, T), END};
    script_thread(s, 0, p, 0);
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->returned[0][1], 0);
    assert_int_equal(s->returned[0][2], STATUS_TIMEOUT); /* LESSONS 36: 0x102 */
}

/* An auto-reset event releases one waiter, in order of arrival; a manual one all of them. */
static void auto_event_wakes_the_first_waiter(void **state)
{
    const script_step main_[] = {CALL(NtCreateEvent, H, 0, 1, 0),
                                 WORK(1000000),
                                 CALL(NtSetEvent, AT(H), 0),
                                 WORK(1000000),
                                 CALL(NtSetEvent, AT(H), 0),
                                 WORK(1000000),
                                 END};
    const script_step first[] = {WORK(1000), CALL(NtWaitForSingleObjectEx, AT(H), 1, 0, 0), MARK(1),
                                 END};
    const script_step second[] = {WORK(100000), CALL(NtWaitForSingleObjectEx, AT(H), 1, 0, 0),
                                  MARK(2), END};
    script_thread(s, 0, main_, ON(0));
    script_thread(s, 1, second, ON(1));
    script_thread(s, 2, first, ON(2));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->log_count, 2);
    assert_int_equal(s->log[0], 1);
    assert_int_equal(s->log[1], 2);
    /* a woken thread never runs before its wake: 1 ms of work came first */
    assert_true(s->log_ticks[0] >= 1 * MS);
    assert_true(s->log_ticks[1] >= 2 * MS);
}

static void manual_event_wakes_all(void **state)
{
    const script_step main_[] = {CALL(NtCreateEvent, H, 0, 0, 0), WORK(500000),
                                 CALL(NtSetEvent, AT(H), OUT), WORK(500000), END};
    const script_step waiter[] = {WORK(1000), CALL(NtWaitForSingleObjectEx, AT(H), 1, 0, 0),
                                  MARK(7), END};
    script_thread(s, 0, main_, ON(0));
    script_thread(s, 1, waiter, ON(1));
    script_thread(s, 1, waiter, ON(2));
    script_thread(s, 1, waiter, ON(1));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->log_count, 3);
    assert_int_equal(word(s, OUT), 0); /* the previous state */
}

/* A pulse releases who waits and leaves the event reset. */
static void pulse_leaves_the_event_reset(void **state)
{
    set_quad(s, T, 0);
    const script_step main_[] = {CALL(NtCreateEvent, H, 0, 0, 0),
                                 WORK(500000),
                                 CALL(NtPulseEvent, AT(H), 0),
                                 CALL(NtWaitForSingleObjectEx, AT(H), 1, 0, T),
                                 WORK(100000),
                                 END};
    const script_step waiter[] = {WORK(1000), CALL(NtWaitForSingleObjectEx, AT(H), 1, 0, 0),
                                  MARK(7), END};
    script_thread(s, 0, main_, ON(0));
    script_thread(s, 1, waiter, ON(1));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->log_count, 1);
    assert_int_equal(s->returned[0][3], STATUS_TIMEOUT);
}

/* LESSONS 40: a relative time-out is negative, in 100 ns. */
static void relative_timeout_ends_on_time(void **state)
{
    set_quad(s, T, RELATIVE_MS(16));
    const script_step p[] = {CALL(NtCreateEvent, H, 0, 1, 0),
                             CALL(NtWaitForSingleObjectEx, AT(H), 1, 0, T), MARK(1), END};
    script_thread(s, 0, p, 0);
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->returned[0][1], STATUS_TIMEOUT);
    assert_in_range(s->log_ticks[0], 16 * MS, 16 * MS + 10000);
}

/* A positive time-out is a system time: 100 ns since 1601. */
static void absolute_timeout_ends_on_time(void **state)
{
    set_quad(s, T, s->fake->machine.rtc + 25 * 10000);
    const script_step p[] = {CALL(NtCreateEvent, H, 0, 1, 0),
                             CALL(NtWaitForSingleObjectEx, AT(H), 1, 0, T), MARK(1), END};
    script_thread(s, 0, p, 0);
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->returned[0][1], STATUS_TIMEOUT);
    assert_in_range(s->log_ticks[0], 25 * MS, 25 * MS + 10000);
}

/* LESSONS 30: deadlines are met under load, not only when everything is idle. */
static void deadline_is_met_under_load(void **state)
{
    set_quad(s, T, RELATIVE_MS(5));
    const script_step main_[] = {WORK(50 * MS), END};
    const script_step sleeper[] = {CALL(KeDelayExecutionThread, 0, 0, T), MARK(1), END};
    script_thread(s, 0, main_, ON(0));
    script_thread(s, 1, sleeper, ON(1));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_in_range(s->log_ticks[0], 5 * MS, 5 * MS + 100000);
    assert_int_equal(s->returned[1][0], 0); /* a delay that ended is a success */
}

/* A signal before the deadline takes the deadline back. */
static void signal_cancels_the_deadline(void **state)
{
    set_quad(s, T, RELATIVE_MS(10));
    const script_step main_[] = {CALL(NtCreateEvent, H, 0, 1, 0), WORK(2 * MS),
                                 CALL(NtSetEvent, AT(H), 0), WORK(30 * MS), END};
    const script_step waiter[] = {WORK(1000), CALL(NtWaitForSingleObjectEx, AT(H), 1, 0, T),
                                  CALL(NtWaitForSingleObjectEx, AT(H), 1, 0, T), MARK(1), END};
    script_thread(s, 0, main_, ON(0));
    script_thread(s, 1, waiter, ON(1));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->returned[1][1], 0);
    assert_int_equal(s->returned[1][2], STATUS_TIMEOUT);
    assert_in_range(s->log_ticks[0], 12 * MS, 12 * MS + 100000); /* 2 ms + a new 10 ms */
}

static void semaphore_counts(void **state)
{
    set_quad(s, T, 0);
    const script_step p[] = {CALL(NtCreateSemaphore, H, 0, 2, 3),
                             CALL(NtWaitForSingleObjectEx, AT(H), 1, 0, T),
                             CALL(NtWaitForSingleObjectEx, AT(H), 1, 0, T),
                             CALL(NtWaitForSingleObjectEx, AT(H), 1, 0, T),
                             CALL(NtReleaseSemaphore, AT(H), 3, OUT),
                             CALL(NtReleaseSemaphore, AT(H), 1, 0),
                             END};
    script_thread(s, 0, p, 0);
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->returned[0][1], 0);
    assert_int_equal(s->returned[0][2], 0);
    assert_int_equal(s->returned[0][3], STATUS_TIMEOUT);
    assert_int_equal(s->returned[0][4], 0);
    assert_int_equal(word(s, OUT), 0);
    assert_int_equal((uint32_t)s->returned[0][5], STATUS_SEMAPHORE_LIMIT_EXCEEDED);
}

static void semaphore_refuses_bad_counts(void **state)
{
    const script_step p[] = {CALL(NtCreateSemaphore, H, 0, 4, 3),
                             CALL(NtCreateSemaphore, H, 0, 0, 0), END};
    script_thread(s, 0, p, 0);
    script_run(s, 0);
    assert_int_equal((uint32_t)s->returned[0][0], STATUS_INVALID_PARAMETER);
    assert_int_equal((uint32_t)s->returned[0][1], STATUS_INVALID_PARAMETER);
}

static void mutant_is_recursive(void **state)
{
    const script_step main_[] = {CALL(NtCreateMutant, H, 0, 1),
                                 CALL(NtWaitForSingleObjectEx, AT(H), 1, 0, 0),
                                 WORK(2 * MS),
                                 CALL(NtReleaseMutant, AT(H), 0),
                                 WORK(2 * MS),
                                 CALL(NtReleaseMutant, AT(H), 0),
                                 CALL(NtReleaseMutant, AT(H), 0),
                                 WORK(1 * MS),
                                 END};
    const script_step other[] = {WORK(1000), CALL(NtWaitForSingleObjectEx, AT(H), 1, 0, 0), MARK(1),
                                 END};
    script_thread(s, 0, main_, ON(0));
    script_thread(s, 1, other, ON(1));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_true(s->log_ticks[0] >= 4 * MS); /* only after the second release */
    assert_int_equal((uint32_t)s->returned[0][6], STATUS_MUTANT_NOT_OWNED);
}

static void mutant_of_a_dead_thread_is_abandoned(void **state)
{
    const script_step main_[] = {CALL(NtCreateMutant, H, 0, 0), WORK(2 * MS),
                                 CALL(NtWaitForSingleObjectEx, AT(H), 1, 0, 0), END};
    const script_step owner[] = {WORK(1000), CALL(NtWaitForSingleObjectEx, AT(H), 1, 0, 0), END};
    script_thread(s, 0, main_, ON(0));
    script_thread(s, 1, owner, ON(1));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->returned[0][2], STATUS_ABANDONED_WAIT_0);
}

/* WaitAny returns the lowest index that is signalled. */
static void wait_any_tells_which(void **state)
{
    const script_step p[] = {CALL(NtCreateEvent, H, 0, 1, 0),
                             CALL(NtCreateEvent, H2, 0, 1, 1),
                             CALL(NtCreateEvent, H3, 0, 1, 1),
                             CALL(NtWaitForMultipleObjectsEx, 3, H, 1, 1, 0, 0),
                             CALL(NtWaitForMultipleObjectsEx, 3, H, 1, 1, 0, 0),
                             END};
    script_thread(s, 0, p, 0);
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->returned[0][3], 1);
    assert_int_equal(s->returned[0][4], 2);
}

/* WaitAll takes nothing until all are signalled. */
static void wait_all_takes_together(void **state)
{
    set_quad(s, T, 0);
    const script_step main_[] = {
        CALL(NtCreateEvent, H, 0, 1, 1),
        CALL(NtCreateEvent, H2, 0, 1, 0),
        WORK(1 * MS),
        CALL(NtWaitForSingleObjectEx, AT(H), 1, 0, T), /* the waiter has not taken it */
        CALL(NtSetEvent, AT(H), 0),
        CALL(NtSetEvent, AT(H2), 0),
        WORK(1 * MS),
        CALL(NtWaitForSingleObjectEx, AT(H), 1, 0, T),
        END};
    const script_step waiter[] = {WORK(1000), CALL(NtWaitForMultipleObjectsEx, 2, H, 0, 1, 0, 0),
                                  MARK(1), END};
    script_thread(s, 0, main_, ON(0));
    script_thread(s, 1, waiter, ON(1));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->log_count, 1);
    assert_int_equal(s->returned[1][1], 0);
    assert_int_equal(s->returned[0][3], 0);
    assert_int_equal(s->returned[0][7], STATUS_TIMEOUT);
}

static void waiting_for_nothing_known_is_refused(void **state)
{
    set_word(s, H, 0xF8001230);
    const script_step p[] = {CALL(NtWaitForSingleObjectEx, AT(H), 1, 0, 0),
                             CALL(NtWaitForMultipleObjectsEx, 65, H, 1, 1, 0, 0),
                             CALL(NtWaitForMultipleObjectsEx, 0, H, 1, 1, 0, 0),
                             CALL(NtWaitForMultipleObjectsEx, 1, H, 2, 1, 0, 0), END};
    script_thread(s, 0, p, 0);
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal((uint32_t)s->returned[0][0], STATUS_INVALID_HANDLE);
    assert_int_equal((uint32_t)s->returned[0][1], STATUS_INVALID_PARAMETER_1);
    assert_int_equal((uint32_t)s->returned[0][2], STATUS_INVALID_PARAMETER_1);
    assert_int_equal((uint32_t)s->returned[0][3], STATUS_INVALID_PARAMETER_3);
}

/* ObReferenceObjectByHandle: the handle of an object of another type is not one of nothing
 * (Microsoft, STATUS_OBJECT_TYPE_MISMATCH). */
static void handle_of_another_type_is_told(void **state)
{
    const script_step p[] = {
        CALL(NtCreateMutant, H, 0, 0),    CALL(NtCreateEvent, H2, 0, 0, 0),
        CALL(NtSetEvent, AT(H), 0),       CALL(NtPulseEvent, AT(H), 0),
        CALL(NtClearEvent, AT(H)),        CALL(NtReleaseSemaphore, AT(H), 1, 0),
        CALL(NtReleaseMutant, AT(H2), 0), CALL(NtCancelTimer, AT(H), 0),
        CALL(NtResumeThread, AT(H), 0),   END};
    script_thread(s, 0, p, 0);
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    for (uint32_t i = 2; i < 9; i++) {
        assert_int_equal((uint32_t)s->returned[0][i], STATUS_OBJECT_TYPE_MISMATCH);
    }
}

/* By the objects' addresses: any says which, all takes both, and a time-out takes none. */
static void wait_for_objects_by_address(void **state)
{
    uint32_t a = s->scratch + 0x200, b = s->scratch + 0x220, both = s->scratch + 0x240,
             at_once = s->scratch + 0x248;
    set_word(s, both, a);
    set_word(s, both + 4, b);
    set_word(s, at_once, 0);
    set_word(s, at_once + 4, 0);
    const script_step p[] = {
        CALL(KeInitializeEvent, a, 1, 0), /* automatic, not set */
        CALL(KeInitializeEvent, b, 1, 1), /* automatic, set */
        CALL(KeWaitForMultipleObjects, 2, both, 0, 3, 1, 0, at_once, 0),
        CALL(KeWaitForMultipleObjects, 2, both, 1, 3, 1, 0, at_once, 0),
        CALL(KeWaitForMultipleObjects, 2, both, 1, 3, 1, 0, at_once, 0),
        CALL(KeSetEvent, b, 0, 0),
        WORK(1 * MS),
        CALL(KeWaitForMultipleObjects, 2, both, 0, 3, 1, 0, 0, 0),
        MARK(1),
        CALL(KeResetEvent, a),
        CALL(KeResetEvent, b),
        END,
    };
    const script_step q[] = {WORK(10 * MS), CALL(KeSetEvent, a, 0, 0), END};
    script_thread(s, 0, p, ON(0));
    script_thread(s, 1, q, ON(1));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->returned[0][2], STATUS_TIMEOUT); /* all: b alone stays as it is */
    assert_int_equal(s->returned[0][3], STATUS_WAIT_0 + 1);
    assert_int_equal(s->returned[0][4], STATUS_TIMEOUT);
    assert_int_equal(s->returned[0][7], STATUS_WAIT_0);
    assert_int_equal(s->log_count, 1);
    assert_true(s->ticks[0][9] >= 10 * MS);
    assert_int_equal(s->returned[0][9], 0); /* taken */
    assert_int_equal(s->returned[0][10], 0);
}

/* Two types of each: NT's NtCreateEvent and NtCreateTimer know no third. */
static void third_type_is_refused(void **state)
{
    const script_step p[] = {CALL(NtCreateEvent, H, 0, 2, 0), CALL(NtCreateTimer, H, 0, 2), END};
    script_thread(s, 0, p, 0);
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal((uint32_t)s->returned[0][0], STATUS_INVALID_PARAMETER);
    assert_int_equal((uint32_t)s->returned[0][1], STATUS_INVALID_PARAMETER_4);
}

static void apc_interrupts_an_alertable_wait(void **state)
{
    const script_step main_[] = {
        CALL(NtCreateEvent, H, 0, 1, 0),
        CALL(ExCreateThread, H2, 0x4000, 0, 0, SCRIPT_BASE + 4 * SCRIPT_STEPS, 0, ON(1)),
        WORK(1 * MS),
        CALL(NtQueueApcThread, AT(H2), SCRIPT_BASE + 8 * SCRIPT_STEPS, 11, 22, 33),
        WORK(1 * MS),
        END};
    const script_step waiter[] = {CALL(NtWaitForSingleObjectEx, AT(H), 1, 1, 0), MARK(2), END};
    const script_step apc[] = {MARK(1), END};
    s->programs[1] = waiter;
    s->programs[2] = apc;
    script_thread(s, 0, main_, ON(0));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->log_count, 2);
    assert_int_equal(s->log[0], 1); /* the APC runs before the wait returns */
    assert_int_equal(s->log[1], 2);
    assert_int_equal(s->returned[1][0], STATUS_USER_APC);
}

/* A wait that is not alertable is not interrupted; the APC runs at the next alertable one. */
static void apc_waits_for_an_alertable_wait(void **state)
{
    set_quad(s, T, RELATIVE_MS(3));
    const script_step main_[] = {
        CALL(ExCreateThread, H2, 0x4000, 0, 0, SCRIPT_BASE + 4 * SCRIPT_STEPS, 0, ON(1)),
        WORK(1 * MS), CALL(NtQueueApcThread, AT(H2), SCRIPT_BASE + 8 * SCRIPT_STEPS, 0, 0, 0),
        WORK(9 * MS), END};
    const script_step waiter[] = {CALL(KeDelayExecutionThread, 0, 0, T), MARK(2),
                                  CALL(KeDelayExecutionThread, 0, 1, T), MARK(3), END};
    const script_step apc[] = {MARK(1), END};
    s->programs[1] = waiter;
    s->programs[2] = apc;
    script_thread(s, 0, main_, ON(0));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->log_count, 3);
    assert_int_equal(s->log[0], 2);
    assert_int_equal(s->log[1], 1);
    assert_int_equal(s->log[2], 3);
    assert_in_range(s->log_ticks[0], 3 * MS, 3 * MS + 50000);
    assert_true(s->log_ticks[2] < 4 * MS);
    assert_int_equal(s->returned[1][2], STATUS_USER_APC);
}

static void timer_fires_once_and_periodically(void **state)
{
    set_quad(s, T, RELATIVE_MS(4));
    const script_step p[] = {CALL(NtCreateTimer, H, 0, 1),
                             CALL(NtSetTimerEx, AT(H), T, 0, 0, 0, 0, 5, 0),
                             CALL(NtWaitForSingleObjectEx, AT(H), 1, 0, 0),
                             MARK(1),
                             CALL(NtWaitForSingleObjectEx, AT(H), 1, 0, 0),
                             MARK(2),
                             CALL(NtWaitForSingleObjectEx, AT(H), 1, 0, 0),
                             MARK(3),
                             CALL(NtCancelTimer, AT(H), OUT),
                             END};
    script_thread(s, 0, p, 0);
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_in_range(s->log_ticks[0], 4 * MS, 4 * MS + 10000);
    assert_in_range(s->log_ticks[1], 9 * MS, 9 * MS + 10000);
    assert_in_range(s->log_ticks[2], 14 * MS, 14 * MS + 10000);
    assert_int_equal(word(s, OUT), 0); /* NtCancelTimer, CurrentState: not signalled */
}

static void timer_runs_its_apc(void **state)
{
    set_quad(s, T, RELATIVE_MS(2));
    const script_step p[] = {
        CALL(NtCreateTimer, H, 0, 0),
        CALL(NtSetTimerEx, AT(H), T, SCRIPT_BASE + 4 * SCRIPT_STEPS, 1, 77, 0, 0, 0),
        CALL(NtCreateEvent, H2, 0, 1, 0), CALL(NtWaitForSingleObjectEx, AT(H2), 1, 1, 0), END};
    const script_step apc[] = {MARK(5), END};
    s->programs[1] = apc;
    script_thread(s, 0, p, 0);
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->log_count, 1);
    assert_in_range(s->log_ticks[0], 2 * MS, 2 * MS + 10000);
    assert_int_equal(s->returned[0][3], STATUS_USER_APC);
}

/* LESSONS 33: a duplicate is another handle to the same object. */
static void duplicate_keeps_the_object_alive(void **state)
{
    const script_step main_[] = {CALL(NtCreateEvent, H, 0, 0, 0),
                                 CALL(NtDuplicateObject, AT(H), H2, 0),
                                 CALL(NtClose, AT(H)),
                                 WORK(1 * MS),
                                 CALL(NtSetEvent, AT(H2), 0),
                                 WORK(1 * MS),
                                 CALL(NtClose, AT(H2)),
                                 CALL(NtClose, AT(H2)),
                                 END};
    const script_step waiter[] = {WORK(100000), CALL(NtWaitForSingleObjectEx, AT(H2), 1, 0, 0),
                                  MARK(1), END};
    script_thread(s, 0, main_, ON(0));
    script_thread(s, 1, waiter, ON(1));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_not_equal(word(s, H), word(s, H2));
    assert_int_equal(s->log_count, 1);
    assert_int_equal(s->returned[0][6], 0);
    assert_int_equal((uint32_t)s->returned[0][7], STATUS_INVALID_HANDLE);
}

/* LESSONS 33: option 1 closes the source. */
static void duplicate_can_close_the_source(void **state)
{
    const script_step p[] = {CALL(NtCreateEvent, H, 0, 0, 0), CALL(NtDuplicateObject, AT(H), H2, 1),
                             CALL(NtSetEvent, AT(H), 0), CALL(NtSetEvent, AT(H2), 0), END};
    script_thread(s, 0, p, 0);
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal((uint32_t)s->returned[0][2], STATUS_INVALID_HANDLE);
    assert_int_equal(s->returned[0][3], 0);
}

/* LESSONS 35: a slot is reused, but the object that a thread waits for lives on. */
static void closing_a_handle_does_not_disturb_its_waiter(void **state)
{
    set_quad(s, T, RELATIVE_MS(5));
    const script_step main_[] = {CALL(NtCreateEvent, H, 0, 0, 0),
                                 WORK(1 * MS),
                                 CALL(NtClose, AT(H)),
                                 CALL(NtCreateEvent, H2, 0, 0, 0),
                                 CALL(NtSetEvent, AT(H2), 0),
                                 WORK(9 * MS),
                                 END};
    const script_step waiter[] = {WORK(1000), CALL(NtWaitForSingleObjectEx, AT(H), 1, 0, T),
                                  MARK(1), END};
    script_thread(s, 0, main_, ON(0));
    script_thread(s, 1, waiter, ON(1));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(word(s, H), word(s, H2)); /* the slot came back */
    assert_int_equal(s->returned[1][1], STATUS_TIMEOUT);
}

/* LESSONS 32: a raw dispatcher header in the title's memory is adopted by Ke*. */
static void raw_header_is_adopted(void **state)
{
    uint32_t event = s->scratch + 0x100;
    set_word(s, event, 0x01000000); /* type 1: auto reset */
    const script_step main_[] = {WORK(1 * MS),
                                 CALL(KeSetEvent, event, 0, 0),
                                 WORK(1 * MS),
                                 CALL(KeSetEvent, event, 0, 0),
                                 CALL(KeResetEvent, event),
                                 END};
    const script_step waiter[] = {CALL(KeWaitForSingleObject, event, 3, 0, 0, 0), MARK(1), END};
    script_thread(s, 0, main_, ON(0));
    script_thread(s, 1, waiter, ON(1));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->log_count, 1);
    assert_int_equal(s->returned[0][1], 0); /* NT: the previous state */
    assert_int_equal(s->returned[0][3], 0); /* the waiter had taken it */
    assert_int_equal(s->returned[0][4], 1);
    assert_int_equal(word(s, event + 4), 0);
}

static void signal_and_wait_is_one_step(void **state)
{
    const script_step main_[] = {CALL(NtCreateEvent, H, 0, 1, 0),
                                 CALL(NtCreateEvent, H2, 0, 1, 0),
                                 WORK(1 * MS),
                                 CALL(NtSignalAndWaitForSingleObjectEx, AT(H), AT(H2), 0, 1, 0),
                                 MARK(2),
                                 END};
    const script_step other[] = {WORK(1000), CALL(NtWaitForSingleObjectEx, AT(H), 1, 0, 0), MARK(1),
                                 CALL(NtSetEvent, AT(H2), 0), END};
    script_thread(s, 0, main_, ON(0));
    script_thread(s, 1, other, ON(1));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->log_count, 2);
    assert_int_equal(s->log[0], 1);
    assert_int_equal(s->log[1], 2);
}

static void a_thread_is_signalled_when_it_ends(void **state)
{
    const script_step main_[] = {
        CALL(ExCreateThread, H, 0x4000, OUT, 0, SCRIPT_BASE + 4 * SCRIPT_STEPS, 0, ON(3)),
        CALL(NtWaitForSingleObjectEx, AT(H), 1, 0, 0), MARK(2), END};
    const script_step child[] = {WORK(3 * MS), MARK(1), END};
    s->programs[1] = child;
    script_thread(s, 0, main_, ON(0));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->log[0], 1);
    assert_int_equal(s->log[1], 2);
    assert_int_equal(word(s, OUT), 2); /* thread ids count from 1 */
}

/* CONTRACTS, exit code 4. */
static void a_wait_for_ever_is_a_deadlock(void **state)
{
    const script_step p[] = {CALL(NtCreateEvent, H, 0, 1, 0),
                             CALL(NtWaitForSingleObjectEx, AT(H), 1, 0, 0), END};
    script_thread(s, 0, p, 0);
    assert_int_equal(script_run(s, 0), WEFT_END_DEADLOCK);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(manual_event_stays_signalled),
        T(auto_event_is_taken_once),
        T(auto_event_wakes_the_first_waiter),
        T(manual_event_wakes_all),
        T(pulse_leaves_the_event_reset),
        T(relative_timeout_ends_on_time),
        T(absolute_timeout_ends_on_time),
        T(deadline_is_met_under_load),
        T(signal_cancels_the_deadline),
        T(semaphore_counts),
        T(semaphore_refuses_bad_counts),
        T(mutant_is_recursive),
        T(mutant_of_a_dead_thread_is_abandoned),
        T(wait_any_tells_which),
        T(wait_all_takes_together),
        T(waiting_for_nothing_known_is_refused),
        T(handle_of_another_type_is_told),
        T(third_type_is_refused),
        T(wait_for_objects_by_address),
        T(apc_interrupts_an_alertable_wait),
        T(apc_waits_for_an_alertable_wait),
        T(timer_fires_once_and_periodically),
        T(timer_runs_its_apc),
        T(duplicate_keeps_the_object_alive),
        T(duplicate_can_close_the_source),
        T(closing_a_handle_does_not_disturb_its_waiter),
        T(raw_header_is_adopted),
        T(signal_and_wait_is_one_step),
        T(a_thread_is_signalled_when_it_ends),
        T(a_wait_for_ever_is_a_deadlock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
