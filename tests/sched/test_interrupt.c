/* DPCs, graphics interrupts, IRQL, and what counts as a deadlock. Expectations: NT's documentation
 * of DPCs, LESSONS 27, 36, 41, CONTRACTS.md "Exit codes", and arithmetic. */
#include <string.h>

#include "ordinals.h"
#include "script.h"

#define PROGRAM(n) (SCRIPT_BASE + (n)*4 * SCRIPT_STEPS)
#define SECOND     UINT64_C(1000000000)

static script *s;
static uint32_t H, T, OUT, DPC, FLAG, EVENT, TIMER;

static int setup(void **state)
{
    s = script_open();
    H = s->scratch;
    T = s->scratch + 0x10;
    OUT = s->scratch + 0x20;
    FLAG = s->scratch + 0x30;
    EVENT = s->scratch + 0x40;
    DPC = s->scratch + 0x80;
    TIMER = s->scratch + 0xC0;
    return 0;
}

static int teardown(void **state)
{
    script_close(s);
    return 0;
}

/* KDEFERRED_ROUTINE(Dpc, DeferredContext, SystemArgument1, SystemArgument2). */
static void dpc_gets_its_four_arguments(void **state)
{
    const script_step p[] = {CALL(KeInitializeDpc, DPC, PROGRAM(1), 0x77),
                             CALL(KeInsertQueueDpc, DPC, 5, 6), WORK(100), END};
    const script_step routine[] = {ARG(3), ARG(4), ARG(5), ARG(6), END};
    s->programs[1] = routine;
    script_thread(s, 0, p, ON(4));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    const uint32_t expected[] = {DPC, 0x77, 5, 6};
    assert_int_equal(s->log_count, 4);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(s->log[i], expected[i]);
    }
}

/* In a DPC the PCR says IRQL 2, and DPC active (X_KPCR+0x150); afterwards neither. */
static void dpc_runs_at_dispatch_on_its_processor(void **state)
{
    const script_step p[] = {CALL(KeInitializeDpc, DPC, PROGRAM(1), 0),
                             CALL(KeInsertQueueDpc, DPC, 0, 0), CALL(KeRaiseIrqlToDpcLevel),
                             CALL(KfLowerIrql, 0), END};
    const script_step routine[] = {CALL(KeRaiseIrqlToDpcLevel), ARG(13), END};
    s->programs[1] = routine;
    script_thread(s, 0, p, ON(4));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->returned[1][0], 2);
    assert_int_equal(s->returned[0][2], 0);
    assert_int_equal(s->log[0], s->k->hw[4].pcr);
    assert_int_equal(s->k->memory->base[s->k->hw[4].pcr + 0x10C], 4);
    assert_int_equal(word(s, s->k->hw[4].pcr + 0x150), 0);
}

/* Microsoft, bug check 0xB8: a wait was attempted from a DPC routine. */
static void waiting_in_a_dpc_is_a_bug_check(void **state)
{
    const script_step p[] = {CALL(NtCreateEvent, EVENT, 0, 1, 0),
                             CALL(KeInitializeDpc, DPC, PROGRAM(1), 0),
                             CALL(KeInsertQueueDpc, DPC, 0, 0), WORK(1 * MS), END};
    const script_step routine[] = {CALL(NtWaitForSingleObjectEx, AT(EVENT), 1, 0, 0), END};
    s->programs[1] = routine;
    script_thread(s, 0, p, 0);
    assert_int_equal(script_run(s, 0), WEFT_END_BUGCHECK);
    assert_int_equal(s->k->exit_code, 0xB8);
}

static void ending_the_thread_in_a_dpc_is_a_bug_check(void **state)
{
    const script_step p[] = {CALL(KeInitializeDpc, DPC, PROGRAM(1), 0),
                             CALL(KeInsertQueueDpc, DPC, 0, 0), WORK(1 * MS), END};
    const script_step routine[] = {CALL(ExTerminateThread, 0), END};
    s->programs[1] = routine;
    script_thread(s, 0, p, 0);
    assert_int_equal(script_run(s, 0), WEFT_END_BUGCHECK);
}

/* KeWaitForSingleObject at DISPATCH_LEVEL is allowed with a time-out of 0. */
static void polling_in_a_dpc_is_allowed(void **state)
{
    const script_step p[] = {CALL(NtCreateEvent, EVENT, 0, 1, 0),
                             CALL(KeInitializeDpc, DPC, PROGRAM(1), 0),
                             CALL(KeInsertQueueDpc, DPC, 0, 0), WORK(1 * MS), END};
    const script_step routine[] = {CALL(NtWaitForSingleObjectEx, AT(EVENT), 1, 0, T),
                                   CALL(NtSetEvent, AT(EVENT), 0),
                                   CALL(NtWaitForSingleObjectEx, AT(EVENT), 1, 0, T), END};
    s->programs[1] = routine;
    script_thread(s, 0, p, 0);
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->returned[1][0], STATUS_TIMEOUT);
    assert_int_equal(s->returned[1][2], STATUS_WAIT_0);
}

static void dpc_wakes_a_thread(void **state)
{
    const script_step p[] = {CALL(NtCreateEvent, EVENT, 0, 1, 0),
                             WORK(1000),
                             CALL(KeInitializeDpc, DPC, PROGRAM(1), 0),
                             CALL(KeInsertQueueDpc, DPC, 0, 0),
                             CALL(NtWaitForSingleObjectEx, AT(EVENT), 1, 0, 0),
                             MARK(1),
                             END};
    const script_step routine[] = {WORK(1 * MS), CALL(NtSetEvent, AT(EVENT), 0), END};
    s->programs[1] = routine;
    script_thread(s, 0, p, 0);
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_true(s->log_ticks[0] >= 1 * MS);
}

/* A mutex is owned by threads: a DPC can neither release one nor crash on it. */
static void dpc_owns_no_mutant(void **state)
{
    const script_step p[] = {CALL(NtCreateMutant, H, 0, 1),
                             CALL(KeInitializeDpc, DPC, PROGRAM(1), 0),
                             CALL(KeInsertQueueDpc, DPC, 0, 0), WORK(1 * MS), END};
    const script_step routine[] = {CALL(NtReleaseMutant, AT(H), 0),
                                   CALL(NtWaitForSingleObjectEx, AT(H), 1, 0, T), END};
    s->programs[1] = routine;
    script_thread(s, 0, p, 0);
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal((uint32_t)s->returned[1][0], STATUS_MUTANT_NOT_OWNED);
    assert_int_equal(s->returned[1][1], STATUS_TIMEOUT);
}

/* KeRemoveQueueDpc: TRUE while it is queued, and it does not run. */
static void removed_dpc_does_not_run(void **state)
{
    const script_step p[] = {CALL(KeInitializeDpc, DPC, PROGRAM(1), 0),
                             CALL(KeRaiseIrqlToDpcLevel),
                             CALL(KeInsertQueueDpc, DPC, 0, 0),
                             CALL(KeRemoveQueueDpc, DPC),
                             CALL(KeRemoveQueueDpc, DPC),
                             CALL(KfLowerIrql, 0),
                             WORK(1000),
                             END};
    const script_step routine[] = {MARK(1), END};
    s->programs[1] = routine;
    script_thread(s, 0, p, 0);
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->returned[0][3], 1);
    assert_int_equal(s->returned[0][4], 0);
    assert_int_equal(s->log_count, 0);
}

/* A DPC is off the queue when it runs, so that it may queue itself again. */
static void dpc_may_queue_itself(void **state)
{
    const script_step p[] = {CALL(KeInitializeDpc, DPC, PROGRAM(1), 0),
                             CALL(KeInsertQueueDpc, DPC, 0, 0), WORK(20000), END};
    const script_step routine[] = {MARK(1), WORK(5000), CALL(KeInsertQueueDpc, DPC, 0, 0), END};
    s->programs[1] = routine;
    script_thread(s, 0, p, 0);
    script_run(s, 60000);
    assert_int_equal(s->returned[1][2], 1);
    assert_true(s->log_count >= 3);
}

/* DPCs of one processor run one after the other, first queued first. */
static void dpcs_run_in_order(void **state)
{
    const script_step p[] = {CALL(KeInitializeDpc, DPC, PROGRAM(1), 1),
                             CALL(KeInitializeDpc, DPC + 0x20, PROGRAM(1), 2),
                             CALL(KeRaiseIrqlToDpcLevel),
                             CALL(KeInsertQueueDpc, DPC + 0x20, 0, 0),
                             CALL(KeInsertQueueDpc, DPC, 0, 0),
                             CALL(KfLowerIrql, 0),
                             WORK(5000),
                             END};
    const script_step routine[] = {ARG(4), WORK(100), ARG(4), END};
    s->programs[1] = routine;
    script_thread(s, 0, p, 0);
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    const uint32_t expected[] = {2, 2, 1, 1};
    for (int i = 0; i < 4; i++) {
        assert_int_equal(s->log[i], expected[i]);
    }
}

/* ---- graphics interrupts -----------------------------------------------------------------------
 */

/* Vertical blanks go to hardware thread 2 with source 0 and the title's context (LESSONS 27), the
 * k-th at floor(k * 10^9 / 60), also when every thread waits (LESSONS 41). */
static void vblank_interrupts_at_60_hz(void **state)
{
    set_quad(s, T, RELATIVE_MS(1001));
    const script_step p[] = {CALL(VdSetGraphicsInterruptCallback, PROGRAM(1), 0x55),
                             CALL(KeDelayExecutionThread, 0, 0, T), END};
    const script_step isr[] = {ARG(3), ARG(4), ARG(13), END};
    s->programs[1] = isr;
    script_thread(s, 0, p, ON(0));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->log_count, 60 * 3);
    for (uint32_t i = 0; i < 60; i++) {
        assert_int_equal(s->log[3 * i], 0);
        assert_int_equal(s->log[3 * i + 1], 0x55);
        assert_int_equal(s->log[3 * i + 2], s->k->hw[2].pcr);
        assert_int_equal(s->log_ticks[3 * i], (i + 1) * SECOND / 60);
    }
    assert_int_equal(s->fake->events[WEFT_EVENT_INTERRUPT], 60);
}

/* While its processor is pinned for five frames only one is kept (LESSONS 41: no bursts). */
static void vblanks_do_not_burst(void **state)
{
    const script_step p[] = {CALL(VdSetGraphicsInterruptCallback, PROGRAM(1), 0),
                             CALL(KeRaiseIrqlToDpcLevel),
                             WORK(84 * MS),
                             MARK(9),
                             CALL(KfLowerIrql, 0),
                             WORK(10 * MS),
                             END};
    const script_step isr[] = {MARK(1), END};
    s->programs[1] = isr;
    script_thread(s, 0, p, ON(2));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->log_count, 2);
    assert_int_equal(s->log[0], 9);
    assert_int_equal(s->log[1], 1);
}

/* PM4_INTERRUPT's mask names the processors, bit by bit (LESSONS 27); source 1. */
static void command_processor_interrupts_by_mask(void **state)
{
    const script_step p[] = {CALL(VdSetGraphicsInterruptCallback, PROGRAM(1), 0), WORK(1 * MS),
                             END};
    const script_step isr[] = {ARG(3), ARG(13), END};
    s->programs[1] = isr;
    script_thread(s, 0, p, ON(1));
    script_run(s, 1000);
    s->k->gpu_calls.interrupt(s->k->gpu_calls.context, 1, 1 << 0 | 1 << 5, 1000);
    s->k->end = WEFT_END_NONE;
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->log_count, 4);
    assert_int_equal(s->log[0], 1);
    assert_int_equal(s->log[2], 1);
    assert_int_equal(s->log[1], s->k->hw[0].pcr);
    assert_int_equal(s->log[3], s->k->hw[5].pcr);
}

/* Two interrupts of the command processor are two calls: each stands for a fence. */
static void command_processor_interrupts_add_up(void **state)
{
    const script_step p[] = {CALL(VdSetGraphicsInterruptCallback, PROGRAM(1), 0), WORK(1 * MS),
                             END};
    const script_step isr[] = {MARK(1), END};
    s->programs[1] = isr;
    script_thread(s, 0, p, ON(1));
    script_run(s, 1000);
    s->k->gpu_calls.interrupt(s->k->gpu_calls.context, 1, 1 << 1, 1000);
    s->k->gpu_calls.interrupt(s->k->gpu_calls.context, 1, 1 << 1, 1000);
    s->k->end = WEFT_END_NONE;
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->log_count, 2);
}

/* They do not without end: a title that keeps interrupts out and makes the command processor raise them
 * fills no memory of the host's. A controller remembers one of a source; a thousand is more than any
 * title waits for. */
static void waiting_interrupts_are_bounded(void **state)
{
    const script_step p[] = {CALL(VdSetGraphicsInterruptCallback, PROGRAM(1), 0), EE(0),
                             WORK(1 * MS), END};
    const script_step isr[] = {MARK(1), END};
    s->programs[1] = isr;
    script_thread(s, 0, p, ON(1));
    script_run(s, 1000);
    for (uint32_t i = 0; i < 100000; i++) {
        s->k->gpu_calls.interrupt(s->k->gpu_calls.context, 1, 1 << 1, 1000);
    }
    uint32_t waiting = 0;
    for (const kdpc *d = s->k->hw[1].first_dpc; d; d = d->next) {
        waiting++;
    }
    assert_in_range(waiting, 2, 10000);
}

/* ---- timers with DPCs --------------------------------------------------------------------------
 */

/* KeSetTimer queues the DPC when the timer is due; FALSE: it was not set before. */
static void timer_queues_its_dpc(void **state)
{
    const script_step p[] = {CALL(KeInitializeDpc, DPC, PROGRAM(1), 0x31),
                             CALL(KeInitializeTimerEx, TIMER, 0, 0),
                             CALL(KeSetTimer, TIMER, RELATIVE_MS(3), DPC),
                             CALL(KeWaitForSingleObject, TIMER, 0, 0, 0, 0),
                             MARK(2),
                             WORK(1000),
                             END};
    const script_step routine[] = {ARG(4), END};
    s->programs[1] = routine;
    script_thread(s, 0, p, ON(3));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->returned[0][2], 0);
    assert_int_equal(s->log_count, 2);
    assert_int_equal(s->log[0] + s->log[1], 0x31 + 2);
    assert_in_range(s->log_ticks[0], 3 * MS, 3 * MS + 20000);
}

/* ---- deadlock ----------------------------------------------------------------------------------
 */

/* A deadline ten seconds away is a deadline. */
static void a_long_delay_is_no_deadlock(void **state)
{
    set_quad(s, T, RELATIVE_MS(10000));
    const script_step p[] = {CALL(KeDelayExecutionThread, 0, 0, T), MARK(1), END};
    script_thread(s, 0, p, 0);
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_in_range(s->log_ticks[0], 10 * SECOND, 10 * SECOND + 10000);
}

/* So is a timer that somebody waits for. */
static void a_long_timer_is_no_deadlock(void **state)
{
    set_quad(s, T, RELATIVE_MS(8000));
    const script_step p[] = {CALL(NtCreateTimer, H, 0, 1),
                             CALL(NtSetTimerEx, AT(H), T, 0, 0, 0, 0, 0, 0),
                             CALL(NtWaitForSingleObjectEx, AT(H), 1, 0, 0), MARK(1), END};
    script_thread(s, 0, p, 0);
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_in_range(s->log_ticks[0], 8 * SECOND, 8 * SECOND + 10000);
}

/* Vertical blanks with a callback, and a periodic timer that nobody waits for, wake nobody. */
static void periodic_sources_do_not_hide_a_deadlock(void **state)
{
    set_quad(s, T, RELATIVE_MS(1));
    const script_step p[] = {
        CALL(VdSetGraphicsInterruptCallback, PROGRAM(1), 0), CALL(NtCreateTimer, H, 0, 1),
        CALL(NtSetTimerEx, AT(H), T, 0, 0, 0, 0, 10, 0),     CALL(NtCreateEvent, EVENT, 0, 1, 0),
        CALL(NtWaitForSingleObjectEx, AT(EVENT), 1, 0, 0),   END};
    const script_step isr[] = {WORK(10), END};
    s->programs[1] = isr;
    script_thread(s, 0, p, 0);
    assert_int_equal(script_run(s, 0), WEFT_END_DEADLOCK);
    assert_in_range(s->k->clock->now(s->k->clock), 5 * SECOND - 20 * MS, 5 * SECOND + 20 * MS);
}

static void a_suspended_title_is_a_deadlock(void **state)
{
    const script_step p[] = {CALL(NtSuspendThread, 0xFFFFFFFE, 0), END};
    script_thread(s, 0, p, 0);
    assert_int_equal(script_run(s, 0), WEFT_END_DEADLOCK);
    assert_non_null(strstr(s->k->reason, "suspended"));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(dpc_gets_its_four_arguments),
        T(dpc_runs_at_dispatch_on_its_processor),
        T(waiting_in_a_dpc_is_a_bug_check),
        T(ending_the_thread_in_a_dpc_is_a_bug_check),
        T(polling_in_a_dpc_is_allowed),
        T(dpc_wakes_a_thread),
        T(dpc_owns_no_mutant),
        T(removed_dpc_does_not_run),
        T(dpc_may_queue_itself),
        T(dpcs_run_in_order),
        T(vblank_interrupts_at_60_hz),
        T(vblanks_do_not_burst),
        T(command_processor_interrupts_by_mask),
        T(command_processor_interrupts_add_up),
        T(waiting_interrupts_are_bounded),
        T(timer_queues_its_dpc),
        T(a_long_delay_is_no_deadlock),
        T(a_long_timer_is_no_deadlock),
        T(periodic_sources_do_not_hide_a_deadlock),
        T(a_suspended_title_is_a_deadlock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
