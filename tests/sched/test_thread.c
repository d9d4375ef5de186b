/* Threads: creation, suspension, priorities, ends. Expectations: NT's documentation, the XDK's, and
 * the layout of X_KTHREAD (xenia src/xenia/kernel/xthread.h). */
#include "ordinals.h"
#include "script.h"

#define CURRENT  UINT32_C(0xFFFFFFFE)
#define CHILD(n) (SCRIPT_BASE + (n)*4 * SCRIPT_STEPS)

static script *s;
static uint32_t H, T, OUT, FLAG, EVENT, LOCK;

static int setup(void **state)
{
    s = script_open();
    H = s->scratch;
    T = s->scratch + 0x10;
    OUT = s->scratch + 0x20;
    FLAG = s->scratch + 0x40;
    EVENT = s->scratch + 0x50;
    LOCK = s->scratch + 0x60;
    return 0;
}

static int teardown(void **state)
{
    script_close(s);
    return 0;
}

/* ExCreateThread's thread id is the one at KTHREAD+0x14C; start address and flags beside it. */
static void kthread_says_what_was_asked_for(void **state)
{
    const script_step p[] = {
        CALL(ExCreateThread, H, 0x8000, OUT, 0, CHILD(1), 7, ON(2) | SUSPENDED),
        CALL(ObReferenceObjectByHandle, AT(H), 0, OUT + 4), END};
    const script_step child[] = {END};
    s->programs[1] = child;
    script_thread(s, 0, p, ON(0));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    uint32_t body = word(s, OUT + 4);
    assert_int_equal(s->k->memory->base[body], 6); /* ThreadObject */
    assert_int_equal(word(s, body + 0x14C), word(s, OUT));
    assert_int_equal(word(s, body + 0x150), CHILD(1));
    assert_int_equal(word(s, body + 0x16C), ON(2) | SUSPENDED);
    assert_int_equal(word(s, body + 0x5C) - word(s, body + 0x60), 0x8000);
}

/* Flag 0x80 asks for the KTHREAD in place of a handle; it is the caller's reference. */
static void flag_returns_the_kthread(void **state)
{
    const script_step p[] = {
        CALL(ExCreateThread, OUT, 0x4000, 0, 0, CHILD(1), 0, ON(1) | SUSPENDED | 0x80),
        CALL(KeResumeThread, AT(OUT)), CALL(KeWaitForSingleObject, AT(OUT), 0, 0, 0, 0),
        CALL(ObDereferenceObject, AT(OUT)), END};
    const script_step child[] = {MARK(1), END};
    s->programs[1] = child;
    script_thread(s, 0, p, ON(0));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->log_count, 1);
    assert_int_equal(s->fake->events[WEFT_EVENT_HANDLE_CREATE], 0);
    assert_int_equal(s->returned[0][1], 1); /* KeResumeThread: the count before */
}

/* Bits 24..31 are a mask of processors; the lowest of them is where it starts. */
static void creation_mask_is_the_affinity(void **state)
{
    const script_step p[] = {END};
    kthread *t = script_thread(s, 0, p, ON(3) | ON(5));
    assert_int_equal(t->hw, 3);
    assert_int_equal(t->affinity, 1 << 3 | 1 << 5);
}

static void empty_affinity_is_refused(void **state)
{
    const script_step p[] = {CALL(ObReferenceObjectByHandle, CURRENT, 0, OUT),
                             CALL(KeSetAffinityThread, AT(OUT), 0, 0),
                             CALL(KeSetAffinityThread, AT(OUT), 0xC0, 0), END};
    script_thread(s, 0, p, ON(1));
    script_run(s, 0);
    assert_int_equal((uint32_t)s->returned[0][1], STATUS_INVALID_PARAMETER);
    assert_int_equal((uint32_t)s->returned[0][2], STATUS_INVALID_PARAMETER);
}

/* Suspended while it waits: its wait ends with the signal, and it runs once it is resumed. */
static void wait_ends_while_suspended(void **state)
{
    const script_step p[] = {CALL(NtCreateEvent, EVENT, 0, 1, 0),
                             CALL(ExCreateThread, H, 0x4000, 0, 0, CHILD(1), 0, ON(1)),
                             WORK(1 * MS),
                             CALL(NtSuspendThread, AT(H), 0),
                             CALL(NtSetEvent, AT(EVENT), 0),
                             WORK(5 * MS),
                             MARK(1),
                             CALL(NtResumeThread, AT(H), 0),
                             CALL(NtWaitForSingleObjectEx, AT(H), 1, 0, 0),
                             END};
    const script_step child[] = {CALL(NtWaitForSingleObjectEx, AT(EVENT), 1, 0, 0), MARK(2), END};
    s->programs[1] = child;
    script_thread(s, 0, p, ON(0));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->log[0], 1);
    assert_int_equal(s->log[1], 2);
    assert_int_equal(s->returned[1][0], STATUS_WAIT_0);
    assert_int_equal(s->fake->events[WEFT_EVENT_SIGNAL_MATCH], 2); /* the event, and the end */
}

/* Resuming a thread that waits does not end its wait. */
static void resume_does_not_end_a_wait(void **state)
{
    const script_step p[] = {CALL(NtCreateEvent, EVENT, 0, 1, 0),
                             CALL(ExCreateThread, H, 0x4000, 0, 0, CHILD(1), 0, ON(1)),
                             WORK(1 * MS),
                             CALL(NtSuspendThread, AT(H), 0),
                             CALL(NtResumeThread, AT(H), 0),
                             WORK(3 * MS),
                             MARK(1),
                             CALL(NtSetEvent, AT(EVENT), 0),
                             CALL(NtWaitForSingleObjectEx, AT(H), 1, 0, 0),
                             END};
    const script_step child[] = {CALL(NtWaitForSingleObjectEx, AT(EVENT), 1, 0, 0), MARK(2), END};
    s->programs[1] = child;
    script_thread(s, 0, p, ON(0));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->log[0], 1);
    assert_int_equal(s->log[1], 2);
}

/* KeEnterCriticalRegion puts off normal kernel APCs, and suspension is one (Microsoft, "Disabling
 * APCs"). */
static void critical_region_puts_suspension_off(void **state)
{
    const script_step p[] = {CALL(ExCreateThread, H, 0x4000, 0, 0, CHILD(1), 0, ON(1)),
                             WORK(1 * MS),
                             CALL(NtSuspendThread, AT(H), OUT),
                             WORK(9 * MS),
                             MARK(3),
                             CALL(NtResumeThread, AT(H), 0),
                             CALL(NtWaitForSingleObjectEx, AT(H), 1, 0, 0),
                             END};
    const script_step child[] = {CALL(KeEnterCriticalRegion), WORK(3 * MS), MARK(1),
                                 CALL(KeLeaveCriticalRegion), MARK(4),      END};
    s->programs[1] = child;
    script_thread(s, 0, p, ON(0));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    const uint32_t expected[] = {1, 3, 4};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(s->log[i], expected[i]);
    }
}

/* An APC, so also a suspension, waits until IRQL is below APC_LEVEL. */
static void raised_irql_puts_suspension_off(void **state)
{
    const script_step p[] = {CALL(ExCreateThread, H, 0x4000, 0, 0, CHILD(1), 0, ON(1)),
                             WORK(1 * MS),
                             CALL(NtSuspendThread, AT(H), OUT),
                             WORK(9 * MS),
                             MARK(3),
                             CALL(NtResumeThread, AT(H), 0),
                             CALL(NtWaitForSingleObjectEx, AT(H), 1, 0, 0),
                             END};
    const script_step child[] = {CALL(KeRaiseIrqlToDpcLevel), WORK(3 * MS), MARK(1),
                                 CALL(KfLowerIrql, 0),        MARK(4),      END};
    s->programs[1] = child;
    script_thread(s, 0, p, ON(0));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    const uint32_t expected[] = {1, 3, 4};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(s->log[i], expected[i]);
    }
}

/* A thread that suspends itself goes on where it was. */
static void a_thread_suspends_itself(void **state)
{
    const script_step p[] = {CALL(ExCreateThread, H, 0x4000, 0, 0, CHILD(1), 0, ON(0)),
                             WORK(30 * MS),
                             MARK(2),
                             CALL(NtResumeThread, AT(H), OUT),
                             CALL(NtWaitForSingleObjectEx, AT(H), 1, 0, 0),
                             END};
    const script_step child[] = {MARK(1), CALL(NtSuspendThread, CURRENT, 0), MARK(3), END};
    s->programs[1] = child;
    script_thread(s, 0, p, ON(0));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    const uint32_t expected[] = {1, 2, 3};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(s->log[i], expected[i]);
    }
    assert_int_equal(s->returned[1][1], STATUS_SUCCESS);
    assert_int_equal(word(s, OUT), 1);
}

/* NT: MAXIMUM_SUSPEND_COUNT 127, then STATUS_SUSPEND_COUNT_EXCEEDED (0xC000004A). */
static void suspend_count_has_a_limit(void **state)
{
    const script_step p[] = {CALL(ExCreateThread, H, 0x4000, 0, 0, CHILD(1), 0, ON(1) | SUSPENDED),
                             WORK(1 * MS), CALL(NtSuspendThread, AT(H), OUT), END};
    const script_step child[] = {END};
    s->programs[1] = child;
    script_thread(s, 0, p, ON(0));
    script_run(s, 500000);
    s->k->threads->next->suspended = 127;
    s->k->end = WEFT_END_NONE;
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal((uint32_t)s->returned[0][2], UINT32_C(0xC000004A));
    assert_int_equal(s->k->threads->next->suspended, 127);
}

static void an_ended_thread_cannot_be_suspended(void **state)
{
    const script_step p[] = {CALL(ExCreateThread, H, 0x4000, 0, 0, CHILD(1), 0, ON(1)),
                             CALL(NtWaitForSingleObjectEx, AT(H), 1, 0, 0),
                             CALL(NtSuspendThread, AT(H), OUT), CALL(NtResumeThread, AT(H), OUT),
                             END};
    const script_step child[] = {END};
    s->programs[1] = child;
    script_thread(s, 0, p, ON(0));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal((uint32_t)s->returned[0][2], UINT32_C(0xC000004B)); /* THREAD_IS_TERMINATING */
}

/* XDK: priorities are relative to the process, -15..15 at the ends; the old one is answered. */
static void base_priority_is_relative(void **state)
{
    const script_step p[] = {CALL(ObReferenceObjectByHandle, CURRENT, 0, OUT),
                             CALL(KeSetBasePriorityThread, AT(OUT), 2),
                             CALL(KeQueryBasePriorityThread, AT(OUT)),
                             CALL(KeSetBasePriorityThread, AT(OUT), (uint64_t)-2 & 0xFFFFFFFF),
                             CALL(KeSetBasePriorityThread, AT(OUT), 0),
                             CALL(KeSetBasePriorityThread, AT(OUT), 15),
                             CALL(KeQueryBasePriorityThread, AT(OUT)),
                             END};
    script_thread(s, 0, p, 0);
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal((int32_t)s->returned[0][1], 0);
    assert_int_equal((int32_t)s->returned[0][2], 2);
    assert_int_equal((int32_t)s->returned[0][3], 2);
    assert_int_equal((int32_t)s->returned[0][4], -2);
    assert_int_equal((int32_t)s->returned[0][6], 15);
}

/* Raised above the running thread of the same hardware thread, it runs at once. */
static void raising_a_priority_preempts(void **state)
{
    const script_step p[] = {CALL(ExCreateThread, H, 0x4000, 0, 0, CHILD(1), 0, ON(0)),
                             CALL(ObReferenceObjectByHandle, AT(H), 0, OUT),
                             MARK(1),
                             CALL(KeSetBasePriorityThread, AT(OUT), 1),
                             MARK(3),
                             CALL(NtWaitForSingleObjectEx, AT(H), 1, 0, 0),
                             END};
    const script_step child[] = {MARK(2), END};
    s->programs[1] = child;
    script_thread(s, 0, p, ON(0));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    const uint32_t expected[] = {1, 2, 3};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(s->log[i], expected[i]);
    }
}

/* The exit code is in the KTHREAD (0x140), and the thread stays signalled for every waiter. */
static void an_ended_thread_stays_signalled(void **state)
{
    const script_step p[] = {CALL(ExCreateThread, H, 0x4000, 0, 0, CHILD(1), 0, ON(1)),
                             CALL(ObReferenceObjectByHandle, AT(H), 0, OUT),
                             CALL(NtWaitForSingleObjectEx, AT(H), 1, 0, 0),
                             CALL(NtWaitForSingleObjectEx, AT(H), 1, 0, 0), END};
    const script_step child[] = {CALL(ExTerminateThread, 77), END};
    s->programs[1] = child;
    script_thread(s, 0, p, ON(0));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->returned[0][2], STATUS_WAIT_0);
    assert_int_equal(s->returned[0][3], STATUS_WAIT_0);
    assert_int_equal(word(s, word(s, OUT) + 0x140), 77);
}

static void first_thread_ends_the_title(void **state)
{
    const script_step p[] = {CALL(ExTerminateThread, 5), END};
    const script_step q[] = {WORK(1000 * MS), END};
    script_thread(s, 0, p, ON(0));
    script_thread(s, 1, q, ON(1));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->k->exit_code, 5);
}

/* IRQL is of what runs: a thread that waits at DISPATCH does not leave it to the next one. */
static void irql_goes_with_its_thread(void **state)
{
    set_quad(s, T, RELATIVE_MS(2));
    const script_step p[] = {CALL(KeRaiseIrqlToDpcLevel), CALL(KeDelayExecutionThread, 0, 0, T),
                             CALL(KeRaiseIrqlToDpcLevel), CALL(KfLowerIrql, 0), END};
    const script_step q[] = {CALL(KfRaiseIrql, 1), CALL(KfLowerIrql, 0), WORK(1 * MS), END};
    script_thread(s, 0, p, ON(0));
    script_thread(s, 1, q, ON(0));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->returned[0][0], 0);
    assert_int_equal(s->returned[1][0], 0);
    assert_int_equal(s->returned[0][2], 2);
}

/* One that ends at DISPATCH leaves its hardware thread usable. */
static void ending_at_raised_irql_frees_the_hardware_thread(void **state)
{
    const script_step p[] = {CALL(NtWaitForSingleObjectEx, AT(H), 1, 0, 0), WORK(100),
                             CALL(KeRaiseIrqlToDpcLevel), END};
    const script_step q[] = {CALL(KfAcquireSpinLock, LOCK), CALL(ExTerminateThread, 0), END};
    script_thread(s, 0, p, ON(0));
    kthread *t = script_thread(s, 1, q, ON(0));
    set_word(s, H, khandle_open(s->k, NULL, t->object));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->returned[0][2], 0);
}

/* ARCHITECTURE.md: not replaced while EE=0, but bounded and counted. A console hangs here. */
static void interrupts_off_do_not_keep_others_out_for_ever(void **state)
{
    const script_step p[] = {EE(0), SPIN(FLAG, 1), MARK(1), EE(1), END};
    const script_step q[] = {STORE(FLAG, 1), END};
    script_thread(s, 0, p, ON(0));
    script_thread(s, 1, q, ON(0));
    assert_int_equal(script_run(s, 1000 * (uint64_t)MS), WEFT_END_EXIT);
    assert_int_equal(s->k->pins_broken, 1);
    assert_true(s->log_ticks[0] >= s->fake->machine.starve);
    assert_true(s->log_ticks[0] < s->fake->machine.starve + 25 * MS);
}

/* A lock that an IRQL-0 thread took, wanted at DISPATCH on the same hardware thread: the same. */
static void spinning_at_dispatch_ends_in_the_end(void **state)
{
    const script_step p[] = {CALL(KeAcquireSpinLockAtRaisedIrql, LOCK), WORK(21 * MS),
                             CALL(KeReleaseSpinLockFromRaisedIrql, LOCK), WORK(1 * MS), END};
    const script_step q[] = {CALL(KfAcquireSpinLock, LOCK), MARK(1),
                             CALL(KfReleaseSpinLock, LOCK, 0), END};
    s->fake->machine.starve = 2 * MS;
    script_thread(s, 0, p, ON(0));
    kthread *t = script_thread(s, 1, q, ON(0));
    t->priority = 9;
    t->state = WEFT_THREAD_WAITING;
    script_run(s, 1 * MS);
    t->state = WEFT_THREAD_READY;
    s->k->end = WEFT_END_NONE;
    assert_int_equal(script_run(s, 1000 * (uint64_t)MS), WEFT_END_EXIT);
    assert_int_equal(s->log_count, 1);
    assert_true(s->k->pins_broken > 0);
    assert_int_equal(s->returned[1][0], 0); /* the IRQL before the first try */
}

/* NT: STATUS_NO_YIELD_PERFORMED (0x40000024) when nobody else could run. */
static void yield_says_whether_it_did(void **state)
{
    const script_step p[] = {CALL(NtYieldExecution), MARK(1), CALL(NtYieldExecution), END};
    const script_step q[] = {MARK(2), WORK(1 * MS), MARK(3), END};
    script_thread(s, 0, p, ON(0));
    script_thread(s, 1, q, ON(0));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->returned[0][0], STATUS_SUCCESS);
    const uint32_t expected[] = {2, 3, 1};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(s->log[i], expected[i]);
    }
    assert_int_equal((uint32_t)s->returned[0][2], UINT32_C(0x40000024));
}

/* winnt.h: TLS_MINIMUM_AVAILABLE is 64; an index that was not given out is refused. */
static void tls_has_at_least_64_indices(void **state)
{
    script_step p[SCRIPT_STEPS + 1];
    for (uint32_t i = 0; i < SCRIPT_STEPS - 3; i++) {
        p[i] = (script_step)CALL(KeTlsAlloc);
    }
    p[SCRIPT_STEPS - 3] = (script_step)CALL(KeTlsFree, 1000);
    p[SCRIPT_STEPS - 2] = (script_step)CALL(KeTlsSetValue, 1000, 1);
    p[SCRIPT_STEPS - 1] = (script_step)END;
    for (uint32_t i = 0; i < 5; i++) { /* 61 calls and these */
        s->k->tls_used[31] |= 1u << i;
    }
    script_thread(s, 0, p, 0);
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    for (uint32_t i = 0; i < SCRIPT_STEPS - 3; i++) {
        assert_int_equal(s->returned[0][i], i);
    }
    assert_int_equal(s->returned[0][SCRIPT_STEPS - 3], 0);
    assert_int_equal(s->returned[0][SCRIPT_STEPS - 2], 0);
}

static void thread_is_found_by_its_id(void **state)
{
    const script_step p[] = {CALL(ObLookupThreadByThreadId, 1, OUT),
                             CALL(ObDereferenceObject, AT(OUT)),
                             CALL(ObLookupThreadByThreadId, 999, OUT + 4), END};
    kthread *t = script_thread(s, 0, p, 0);
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->returned[0][0], STATUS_SUCCESS);
    assert_int_equal(word(s, OUT), t->object->body);
    assert_int_equal((uint32_t)s->returned[0][2], STATUS_INVALID_PARAMETER);
}

/* A title that gives back more references than it was given does not take the thread away. */
static void too_many_dereferences_do_no_harm(void **state)
{
    const script_step p[] = {CALL(ExCreateThread, H, 0x4000, 0, 0, CHILD(1), 0, ON(1)),
                             CALL(ObReferenceObjectByHandle, AT(H), 0, OUT),
                             CALL(ObDereferenceObject, AT(OUT)),
                             CALL(ObDereferenceObject, AT(OUT)),
                             CALL(ObDereferenceObject, AT(OUT)),
                             CALL(NtClose, AT(H)),
                             WORK(5 * MS),
                             END};
    const script_step child[] = {WORK(1 * MS), MARK(1), END};
    s->programs[1] = child;
    script_thread(s, 0, p, ON(0));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->log_count, 1);
    assert_int_equal(s->fake->events[WEFT_EVENT_THREAD_EXIT], 2);
}

/* Threads that have ended leave the scheduler's lists, not the report. */
static void ended_threads_are_not_scheduled(void **state)
{
    const script_step p[] = {CALL(ExCreateThread, H, 0x4000, 0, 0, CHILD(1), 0, ON(1)),
                             CALL(NtWaitForSingleObjectEx, AT(H), 1, 0, 0),
                             CALL(ExCreateThread, H, 0x4000, 0, 0, CHILD(1), 0, ON(1)),
                             CALL(NtWaitForSingleObjectEx, AT(H), 1, 0, 0),
                             WORK(1 * MS),
                             END};
    const script_step child[] = {END};
    s->programs[1] = child;
    script_thread(s, 0, p, ON(0));
    script_run(s, 500000);
    assert_int_equal(s->k->live_threads, 1);
    assert_null(s->k->live->live_next);
    assert_int_equal(s->k->thread_count, 3);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(kthread_says_what_was_asked_for),
        T(flag_returns_the_kthread),
        T(creation_mask_is_the_affinity),
        T(empty_affinity_is_refused),
        T(wait_ends_while_suspended),
        T(resume_does_not_end_a_wait),
        T(critical_region_puts_suspension_off),
        T(raised_irql_puts_suspension_off),
        T(a_thread_suspends_itself),
        T(suspend_count_has_a_limit),
        T(an_ended_thread_cannot_be_suspended),
        T(base_priority_is_relative),
        T(raising_a_priority_preempts),
        T(an_ended_thread_stays_signalled),
        T(first_thread_ends_the_title),
        T(irql_goes_with_its_thread),
        T(ending_at_raised_irql_frees_the_hardware_thread),
        T(interrupts_off_do_not_keep_others_out_for_ever),
        T(spinning_at_dispatch_ends_in_the_end),
        T(yield_says_whether_it_did),
        T(tls_has_at_least_64_indices),
        T(thread_is_found_by_its_id),
        T(too_many_dereferences_do_no_harm),
        T(ended_threads_are_not_scheduled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
