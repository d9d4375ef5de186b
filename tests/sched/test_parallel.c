/* Parallel mode: what ARCHITECTURE.md ("Two modes of one kernel") and docs/kernel.md promise of it.
 * Nothing here depends on how fast the host is: threads wait for each other, and a time is only ever
 * held to be long enough. */
#include <string.h>
#include <time.h>

#include "ordinals.h"
#include "script.h"

static script *s;
static uint32_t H, GO, READY, DONE, T, LOCK; /* guest words */

static void open_with(uint32_t cpu_flags)
{
    s = script_open_parallel(cpu_flags);
    H = s->scratch;
    GO = s->scratch + 0x10;
    READY = s->scratch + 0x20;
    DONE = s->scratch + 0x30;
    T = s->scratch + 0x40;
    LOCK = s->scratch + 0x50;
}

static int setup(void **state)
{
    open_with(WEFT_CPU_PARALLEL);
    return 0;
}

static int teardown(void **state)
{
    assert_int_equal(s->overlaps, 0); /* no state is ever in two `run`s: cpu.h */
    script_close(s);
    return 0;
}

static uint64_t host_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Six hardware threads are six host threads: each waits in guest code for the other five. */
static void hardware_threads_run_at_once(void **state)
{
    const script_step p[] = {MEET(6), END};
    const script_step first[] = {MEET(6), SPIN(DONE, 0), END};
    script_thread(s, 0, first, ON(0));
    for (uint32_t i = 1; i < 6; i++) {
        script_thread(s, i, p, ON(i));
    }
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->met, 6);
    assert_int_equal(s->most_inside, 6);
}

/* weft/cpu.h: an engine that does not say WEFT_CPU_PARALLEL is entered for one state at a time. */
static void cpu_that_cannot_runs_one_at_a_time(void **state)
{
    script_close(s);
    open_with(0);
    const script_step first[] = {WORK(300000), SPIN(GO, 1), SPIN(READY, 1), END};
    const script_step second[] = {WORK(300000), STORE(GO, 1), END};
    const script_step third[] = {WORK(300000), STORE(READY, 1), END};
    script_thread(s, 0, first, ON(0));
    script_thread(s, 1, second, ON(1));
    script_thread(s, 2, third, ON(5));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->most_inside, 1);
}

static void signal_wakes_another_hardware_thread(void **state)
{
    const script_step first[] = {CALL(NtCreateEvent, H, 0, 1, 0), STORE(READY, 1),
                                 CALL(NtSetEvent, AT(H), 0), SPIN(DONE, 1), END};
    const script_step second[] = {SPIN(READY, 1), CALL(NtWaitForSingleObjectEx, AT(H), 1, 0, 0),
                                  MARK(1), STORE(DONE, 1), END};
    script_thread(s, 0, first, ON(0));
    script_thread(s, 1, second, ON(1));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->log_count, 1);
    assert_int_equal(s->returned[1][2], 0);
}

/* Guest time is the host's, 1:1: what waits for 30 ms waits for no less. */
static void time_is_the_hosts(void **state)
{
    set_quad(s, T, RELATIVE_MS(30));
    const script_step p[] = {CALL(KeDelayExecutionThread, 0, 0, T), END};
    script_thread(s, 0, p, ON(0));
    uint64_t begun = host_ns();
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_true(host_ns() - begun >= 30 * (uint64_t)MS);
}

/* A limit of ticks is one of the host's time then, and ends a title that never calls. */
static void tick_limit_ends_a_busy_title(void **state)
{
    const script_step p[] = {SPIN(GO, 1), END};
    script_thread(s, 0, p, ON(0));
    uint64_t begun = host_ns();
    assert_int_equal(script_run(s, 20 * MS), WEFT_END_CONDITION);
    assert_true(host_ns() - begun >= 20 * (uint64_t)MS);
}

/* NT: the first thread's end is the title's, whatever others are busy with. */
static void end_stops_the_others(void **state)
{
    const script_step first[] = {SPIN(READY, 1), END};
    const script_step busy[] = {STORE(READY, 1), SPIN(GO, 1), MARK(1), END};
    script_thread(s, 0, first, ON(0));
    script_thread(s, 1, busy, ON(1));
    script_thread(s, 2, busy, ON(3));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->log_count, 0);
}

/* A thread of higher priority that wakes takes the hardware thread from one that never calls. */
static void higher_priority_comes_in(void **state)
{
    const script_step first[] = {CALL(NtCreateEvent, H, 0, 1, 0), STORE(READY, 1), SPIN(DONE, 2),
                                 CALL(NtSetEvent, AT(H), 0),      SPIN(DONE, 1),   END};
    const script_step low[] = {SPIN(READY, 1), STORE(DONE, 2), SPIN(GO, 1), STORE(DONE, 1), END};
    const script_step high[] = {SPIN(READY, 1), CALL(NtWaitForSingleObjectEx, AT(H), 1, 0, 0),
                                STORE(GO, 1), END};
    script_thread(s, 0, first, ON(0));
    kthread *above = script_thread(s, 1, high, ON(1));
    above->priority = above->base_priority = 20;
    script_thread(s, 2, low, ON(1));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
}

/* Moved while it executes, to where it would run next: it goes on there only once it is off its old
 * place (teardown). The CPU sees late that it should stop. */
static void thread_moves_while_it_executes(void **state)
{
    const script_step busy[] = {STORE(READY, 1), SPIN(GO, 1), STORE(DONE, 1), END};
    const script_step filler[] = {SPIN(GO, 1), END};
    script_step mover[64] = {SPIN(READY, 1)};
    s->deaf = true;
    script_thread(s, 0, mover, ON(0));
    kthread *moved = script_thread(s, 1, busy, ON(1));
    moved->priority = moved->base_priority = 20;
    for (uint32_t hw = 1; hw < 6; hw++) {
        script_thread(s, 1 + hw, filler, ON(hw));
    }
    uint32_t n = 1;
    for (uint32_t i = 1; i <= 20; i++) { /* hardware threads 2 to 5 and 1, again and again */
        mover[n++] = (script_step)CALL(KeSetAffinityThread, moved->object->body, 2u << i % 5, 0);
        mover[n++] = (script_step)CALL(KeDelayExecutionThread, 0, 0, T);
    }
    mover[n++] = (script_step)STORE(GO, 1);
    mover[n++] = (script_step)SPIN(DONE, 1);
    mover[n] = (script_step)END;
    set_quad(s, T, RELATIVE_MS(2));
    static const uint32_t used[] = {KeSetAffinityThread, KeDelayExecutionThread};
    for (uint32_t i = 0; i < 2; i++) {
        s->thunks[used[i]] = kthunk(s->k, KMODULE_KRNL, used[i]);
    }
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(moved->hw, 1 + 20 % 5);
}

/* Suspended while it executes: the call that it comes to is not made, and is once it is resumed. */
static void suspended_thread_makes_no_call(void **state)
{
    set_quad(s, T, RELATIVE_MS(20));
    const script_step busy[] = {STORE(READY, 1), SPIN(GO, 1), CALL(NtSetEvent, AT(H), 0),
                                STORE(DONE, 1), END};
    script_step first[] = {CALL(NtCreateEvent, H, 0, 1, 0),
                           SPIN(READY, 1),
                           CALL(KeSuspendThread, 0),
                           STORE(GO, 1),
                           CALL(NtWaitForSingleObjectEx, AT(H), 1, 0, T),
                           CALL(KeResumeThread, 0),
                           CALL(NtWaitForSingleObjectEx, AT(H), 1, 0, 0),
                           SPIN(DONE, 1),
                           END};
    s->deaf = true; /* so that it comes to the call */
    script_thread(s, 0, first, ON(0));
    kthread *other = script_thread(s, 1, busy, ON(1));
    first[2].arguments[0] = first[5].arguments[0] = other->object->body;
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->returned[0][4], STATUS_TIMEOUT);
    assert_int_equal(s->returned[0][6], STATUS_SUCCESS);
}

/* A spin lock that another hardware thread holds, at raised IRQL. */
static void spin_lock_keeps_others_out(void **state)
{
    const script_step first[] = {
        CALL(KfAcquireSpinLock, LOCK),    STORE(READY, 1), SPIN(GO, 1), WORK(500000), MARK(1),
        CALL(KfReleaseSpinLock, LOCK, 0), SPIN(DONE, 1),   END};
    const script_step second[] = {SPIN(READY, 1),
                                  STORE(GO, 1),
                                  CALL(KfAcquireSpinLock, LOCK),
                                  MARK(2),
                                  CALL(KfReleaseSpinLock, LOCK, 0),
                                  STORE(DONE, 1),
                                  END};
    script_thread(s, 0, first, ON(0));
    script_thread(s, 1, second, ON(1));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->log_count, 2);
    assert_int_equal(s->log[0], 1);
    assert_int_equal(s->log[1], 2);
}

static uint32_t spins(void *instance, const weft_sched_view *view, const weft_sync_op *op,
                      uint64_t *amount)
{
    *amount = 25 * (uint64_t)MS;
    return WEFT_ANSWER_SPIN;
}

static uint32_t enters(void *instance)
{
    return 1u << WEFT_SYNC_ENTER;
}

/* weft/policy.h: SPIN lets so many ticks pass, which are the host's here. */
static void policy_spins_in_the_hosts_time(void **state)
{
    static const weft_policy_ops policy = {
        .size = sizeof policy, .subscribe = enters, .before = spins};
    const script_step p[] = {CALL(RtlEnterCriticalSection, LOCK), END};
    kcs_init(s->k, LOCK, 0);
    s->k->policy = &policy;
    script_thread(s, 0, p, ON(0));
    uint64_t begun = host_ns();
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_true(host_ns() - begun >= 25 * (uint64_t)MS);
}

/* LESSONS 27: vblanks interrupt hardware thread 2, also one that is busy in guest code. */
static void interrupt_comes_to_a_busy_hardware_thread(void **state)
{
    const script_step first[] = {CALL(VdSetGraphicsInterruptCallback, script_entry(2), 0),
                                 SPIN(DONE, 1), END};
    const script_step busy[] = {SPIN(GO, 1), STORE(DONE, 1), END};
    const script_step routine[] = {STORE(GO, 1), END};
    s->programs[2] = routine;
    script_thread(s, 0, first, ON(0));
    script_thread(s, 1, busy, ON(2));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
}

/* The routine wakes a thread of the hardware thread that it interrupts, where another one ran last, and
 * has more to do: it ends first, whatever the thread's priority. */
static void interrupt_wakes_its_own_hardware_thread(void **state)
{
    uint32_t event = s->scratch + 0x80, never = s->scratch + 0xA0;
    const script_step first[] = {SPIN(READY, 2),
                                 CALL(VdSetGraphicsInterruptCallback, script_entry(3), 0),
                                 SPIN(DONE, 1), END};
    const script_step waiter[] = {CALL(KeInitializeEvent, event, 1, 0), STORE(READY, 1),
                                  CALL(KeWaitForSingleObject, event, 3, 1, 0, 0), STORE(DONE, 1),
                                  END};
    const script_step last[] = {SPIN(READY, 1), CALL(KeInitializeEvent, never, 1, 0),
                                STORE(READY, 2), CALL(KeWaitForSingleObject, never, 3, 1, 0, 0),
                                END};
    const script_step routine[] = {CALL(KeSetEvent, event, 0, 0), WORK(1 * MS), STORE(GO, 1), END};
    s->programs[3] = routine;
    s->thunks[KeSetEvent] = kthunk(s->k, KMODULE_KRNL, KeSetEvent); /* no thread's program has it */
    script_thread(s, 0, first, ON(0));
    script_thread(s, 1, waiter, ON(2));
    script_thread(s, 2, last, ON(2));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(word(s, GO), 1);
}

/* Six hardware threads want one critical section: the numbers of its operations have no gap and no
 * double (docs/kernel.md, "The order of operations"). */
static void operations_have_one_order(void **state)
{
    const script_step p[] = {CALL(RtlEnterCriticalSection, LOCK),
                             WORK(1000),
                             CALL(RtlLeaveCriticalSection, LOCK),
                             CALL(RtlEnterCriticalSection, LOCK),
                             WORK(1000),
                             CALL(RtlLeaveCriticalSection, LOCK),
                             CALL(RtlEnterCriticalSection, LOCK),
                             WORK(1000),
                             CALL(RtlLeaveCriticalSection, LOCK),
                             MEET(6),
                             END};
    kcs_init(s->k, LOCK, 0);
    for (uint32_t i = 0; i < 6; i++) {
        script_thread(s, i, p, ON(i));
    }
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    uint8_t seen[128] = {0};
    uint32_t count = 0;
    const fake_event *e;
    for (uint32_t n = 0; (e = fake_event_at(s->fake, WEFT_EVENT_SYNC_OP, n)) != NULL; n++) {
        if (strstr(fake_name(s->fake, e->words[1]), "event:")) { /* the section's */
            assert_true(e->words[2] < sizeof seen);
            assert_int_equal(seen[e->words[2]]++, 0);
            count++;
        }
    }
    assert_true(count >= 6 * 6);
    for (uint32_t n = 0; n < count; n++) {
        assert_int_equal(seen[n], 1);
    }
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(hardware_threads_run_at_once),
        CASE(cpu_that_cannot_runs_one_at_a_time),
        CASE(signal_wakes_another_hardware_thread),
        CASE(time_is_the_hosts),
        CASE(tick_limit_ends_a_busy_title),
        CASE(end_stops_the_others),
        CASE(higher_priority_comes_in),
        CASE(thread_moves_while_it_executes),
        CASE(suspended_thread_makes_no_call),
        CASE(spin_lock_keeps_others_out),
        CASE(policy_spins_in_the_hosts_time),
        CASE(interrupt_comes_to_a_busy_hardware_thread),
        CASE(interrupt_wakes_its_own_hardware_thread),
        CASE(operations_have_one_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
