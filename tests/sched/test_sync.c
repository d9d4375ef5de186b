/* Critical sections, spin locks, IRQL, DPCs, TLS. Expectations: Microsoft's documentation, LESSONS.md
 * 24-42, and the layout of RTL_CRITICAL_SECTION on the console (owner at 0x18, lock count -1 free). */
#include "ordinals.h"
#include "script.h"

static script *s;
static uint32_t CS, LOCK, H, T, OUT;

static int setup(void **state)
{
    s = script_open();
    CS = s->scratch + 0x100;
    LOCK = s->scratch + 0x200;
    H = s->scratch;
    T = s->scratch + 0x10;
    OUT = s->scratch + 0x20;
    return 0;
}

static int teardown(void **state)
{
    script_close(s);
    return 0;
}

static void critical_section_starts_free(void **state)
{
    const script_step p[] = {CALL(RtlInitializeCriticalSection, CS), END};
    script_thread(s, 0, p, 0);
    script_run(s, 0);
    assert_int_equal(word(s, CS + 0x10), UINT32_MAX);
    assert_int_equal(word(s, CS + 0x14), 0);
    assert_int_equal(word(s, CS + 0x18), 0);
}

static void enter_is_recursive(void **state)
{
    const script_step p[] = {CALL(RtlInitializeCriticalSection, CS),
                             CALL(RtlEnterCriticalSection, CS),
                             CALL(RtlEnterCriticalSection, CS),
                             CALL(KeDelayExecutionThread, 0, 0, T),
                             CALL(RtlLeaveCriticalSection, CS),
                             CALL(RtlLeaveCriticalSection, CS),
                             END};
    set_quad(s, T, RELATIVE_MS(1));
    kthread *t = script_thread(s, 0, p, 0);
    script_run(s, 500000);
    assert_int_equal(word(s, CS + 0x10), 1); /* two enters: -1 + 2 */
    assert_int_equal(word(s, CS + 0x14), 2);
    assert_int_equal(word(s, CS + 0x18), t->object->body);
    s->k->end = WEFT_END_NONE;
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(word(s, CS + 0x10), UINT32_MAX);
    assert_int_equal(word(s, CS + 0x18), 0);
}

/* Two threads, 1 ms of work each under the lock: never at once, nobody lost. */
static void contended_enter_waits_for_the_owner(void **state)
{
    const script_step p[] = {CALL(RtlInitializeCriticalSection, CS),
                             CALL(RtlEnterCriticalSection, CS),
                             WORK(1 * MS),
                             MARK(1),
                             CALL(RtlLeaveCriticalSection, CS),
                             WORK(5 * MS),
                             END};
    const script_step q[] = {WORK(50000), CALL(RtlEnterCriticalSection, CS), MARK(2), WORK(1 * MS),
                             MARK(3),     CALL(RtlLeaveCriticalSection, CS), END};
    script_thread(s, 0, p, ON(0));
    script_thread(s, 1, q, ON(1));
    script_thread(s, 1, q, ON(2));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    const uint32_t expected[] = {1, 2, 3, 2, 3};
    assert_int_equal(s->log_count, 5);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(s->log[i], expected[i]);
    }
    assert_int_equal(word(s, CS + 0x10), UINT32_MAX);
    assert_int_equal(s->fake->events[WEFT_EVENT_CONTENTION_OBSERVED], 2);
}

static void try_enter_does_not_wait(void **state)
{
    const script_step p[] = {CALL(RtlInitializeCriticalSection, CS),
                             CALL(RtlTryEnterCriticalSection, CS),
                             WORK(1 * MS),
                             CALL(RtlLeaveCriticalSection, CS),
                             WORK(1 * MS),
                             END};
    const script_step q[] = {WORK(50000),
                             CALL(RtlTryEnterCriticalSection, CS),
                             WORK(1500000),
                             CALL(RtlTryEnterCriticalSection, CS),
                             CALL(RtlTryEnterCriticalSection, CS),
                             END};
    script_thread(s, 0, p, ON(0));
    script_thread(s, 1, q, ON(1));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->returned[0][1], 1);
    assert_int_equal(s->returned[1][1], 0);
    assert_int_equal(s->returned[1][3], 1);
    assert_int_equal(s->returned[1][4], 1);
}

/* A section in the title's data that nobody initialised through the kernel works all the same. */
static void static_critical_section_works(void **state)
{
    set_word(s, CS, 0x01000000);
    set_word(s, CS + 0x10, UINT32_MAX);
    const script_step p[] = {CALL(RtlEnterCriticalSection, CS), WORK(1 * MS),
                             CALL(RtlLeaveCriticalSection, CS), WORK(1 * MS), END};
    const script_step q[] = {WORK(1000), CALL(RtlEnterCriticalSection, CS), MARK(1),
                             CALL(RtlLeaveCriticalSection, CS), END};
    script_thread(s, 0, p, ON(0));
    script_thread(s, 1, q, ON(1));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->log_count, 1);
    assert_true(s->log_ticks[0] >= 1 * MS);
}

/* An export given a bad pointer is the caller's access violation. */
static void bad_pointer_is_the_callers_fault(void **state)
{
    const script_step p[] = {CALL(RtlEnterCriticalSection, 0x1234), END};
    script_thread(s, 0, p, 0);
    assert_int_equal(script_run(s, 0), WEFT_END_EXCEPTION);
    assert_int_equal(s->fake->events[WEFT_EVENT_FAULT], 1);
}

/* LESSONS 37: the lock word is 1 while held and 0 when free; KfAcquireSpinLock answers the old IRQL. */
static void spin_lock_writes_its_word(void **state)
{
    const script_step p[] = {
        CALL(KfAcquireSpinLock, LOCK),     WORK(300000),
        CALL(KfAcquireSpinLock, LOCK + 4), CALL(KfReleaseSpinLock, LOCK + 4, 2),
        CALL(KfReleaseSpinLock, LOCK, 0),  END};
    script_thread(s, 0, p, 0);
    script_run(s, 100000);
    assert_int_equal(word(s, LOCK), 1);
    assert_int_equal(s->k->hw[0].irql, 2);
    s->k->end = WEFT_END_NONE;
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->returned[0][0], 0);
    assert_int_equal(s->returned[0][2], 2);
    assert_int_equal(word(s, LOCK), 0);
    assert_int_equal(s->k->hw[0].irql, 0);
}

static void spin_lock_excludes_other_hardware_threads(void **state)
{
    const script_step p[] = {CALL(KfAcquireSpinLock, LOCK),    WORK(1 * MS), MARK(1),
                             CALL(KfReleaseSpinLock, LOCK, 0), WORK(1 * MS), END};
    const script_step q[] = {WORK(1000), CALL(KfAcquireSpinLock, LOCK), MARK(2),
                             CALL(KfReleaseSpinLock, LOCK, 0), END};
    script_thread(s, 0, p, ON(0));
    script_thread(s, 1, q, ON(1));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->log[0], 1);
    assert_int_equal(s->log[1], 2);
}

/* At raised IRQL the thread is not replaced, whatever becomes ready on its hardware thread. */
static void raised_irql_pins_the_thread(void **state)
{
    set_quad(s, T, RELATIVE_MS(1));
    const script_step p[] = {CALL(KfAcquireSpinLock, LOCK),
                             WORK(3 * MS),
                             MARK(1),
                             CALL(KfReleaseSpinLock, LOCK, 0),
                             WORK(1 * MS),
                             MARK(3),
                             END};
    const script_step q[] = {CALL(KeDelayExecutionThread, 0, 0, T), MARK(2), END};
    kthread *high = script_thread(s, 1, q, ON(0));
    high->priority = high->base_priority = 15;
    s->k->first_thread = NULL;
    script_thread(s, 0, p, ON(0));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    const uint32_t expected[] = {1, 2, 3};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(s->log[i], expected[i]);
    }
}

/* A DPC interrupts the thread that queued it, once IRQL is below DISPATCH. */
static void dpc_runs_at_dispatch(void **state)
{
    uint32_t dpc = s->scratch + 0x300;
    const script_step p[] = {CALL(KeInitializeDpc, dpc, SCRIPT_BASE + 4 * SCRIPT_STEPS, 99),
                             CALL(KfAcquireSpinLock, LOCK),
                             CALL(KeInsertQueueDpc, dpc, 5, 6),
                             CALL(KeInsertQueueDpc, dpc, 5, 6),
                             WORK(100000),
                             MARK(1),
                             CALL(KfReleaseSpinLock, LOCK, 0),
                             WORK(100),
                             MARK(3),
                             END};
    const script_step routine[] = {MARK(2), END};
    s->programs[1] = routine;
    script_thread(s, 0, p, 0);
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->returned[0][2], 1);
    assert_int_equal(s->returned[0][3], 0); /* already queued */
    const uint32_t expected[] = {1, 2, 3};
    assert_int_equal(s->log_count, 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(s->log[i], expected[i]);
    }
}

/* With MSR[EE] off nothing interrupts; setting it lets the DPC in at once. */
static void dpc_waits_for_ee(void **state)
{
    uint32_t dpc = s->scratch + 0x300;
    const script_step p[] = {CALL(KeInitializeDpc, dpc, SCRIPT_BASE + 4 * SCRIPT_STEPS, 0),
                             EE(0),
                             CALL(KeInsertQueueDpc, dpc, 0, 0),
                             WORK(100000),
                             MARK(1),
                             EE(1),
                             MARK(3),
                             END};
    const script_step routine[] = {MARK(2), END};
    s->programs[1] = routine;
    script_thread(s, 0, p, 0);
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->log[0], 1);
    assert_int_equal(s->log[1], 2);
    assert_int_equal(s->log[2], 3);
}

static void tls_is_per_thread_and_starts_zero(void **state)
{
    const script_step p[] = {CALL(KeTlsAlloc, 0),    CALL(KeTlsSetValue, 0, 41),
                             WORK(1 * MS),           CALL(KeTlsGetValue, 0),
                             CALL(KeTlsFree, 0),     CALL(KeTlsAlloc, 0),
                             CALL(KeTlsGetValue, 0), END};
    const script_step q[] = {WORK(10000), CALL(KeTlsGetValue, 0), CALL(KeTlsSetValue, 0, 42), END};
    script_thread(s, 0, p, ON(0));
    script_thread(s, 1, q, ON(1));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->returned[0][0], 0);
    assert_int_equal(s->returned[1][1], 0);
    assert_int_equal(s->returned[0][3], 41);
    assert_int_equal(s->returned[0][5], 0); /* the freed index comes back, with zeroes */
    assert_int_equal(s->returned[0][6], 0);
}

/* LESSONS 39: one clock, in 100 ns since 1601, and the bundle advances with it. */
static void system_time_follows_guest_time(void **state)
{
    const script_step p[] = {WORK(7 * MS), CALL(KeQuerySystemTime, OUT), END};
    script_thread(s, 0, p, 0);
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    uint64_t time = (uint64_t)word(s, OUT) << 32 | word(s, OUT + 4);
    assert_in_range(time, s->fake->machine.rtc + 70000, s->fake->machine.rtc + 70100);
    uint32_t bundle = kvariable(s->k, KMODULE_KRNL, 0x0AD);
    assert_int_equal(word(s, bundle + 16), 7); /* milliseconds */
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(critical_section_starts_free),
        T(enter_is_recursive),
        T(contended_enter_waits_for_the_owner),
        T(try_enter_does_not_wait),
        T(static_critical_section_works),
        T(bad_pointer_is_the_callers_fault),
        T(spin_lock_writes_its_word),
        T(spin_lock_excludes_other_hardware_threads),
        T(raised_irql_pins_the_thread),
        T(dpc_runs_at_dispatch),
        T(dpc_waits_for_ee),
        T(tls_is_per_thread_and_starts_zero),
        T(system_time_follows_guest_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
