/* What the scheduler leaves in the trace: who woke whom, suspension, procedure calls, interrupts,
 * sources, switches, and the memory that threads are made of. Expectations: ARCHITECTURE.md
 * ("Identity is stable"), docs/trace.md, NT's rules for APCs, and arithmetic on guest time: a
 * console call costs 100 ns here, an instruction 1 ns. */
#include <stdio.h>
#include <string.h>

#include "ordinals.h"
#include "script.h"

#define CURRENT    UINT32_C(0xFFFFFFFE)
#define PROGRAM(n) (SCRIPT_BASE + (n)*4 * SCRIPT_STEPS)
#define STEP(n)    (PROGRAM(0) + 4 * (n)) /* of the first thread's program */

static script *s;
static uint32_t H, T, OUT, EVENT, APC, DPC, TIMER;

static int setup(void **state)
{
    s = script_open();
    H = s->scratch;
    T = s->scratch + 0x10;
    OUT = s->scratch + 0x20;
    EVENT = s->scratch + 0x40;
    APC = s->scratch + 0x80;
    DPC = s->scratch + 0xC0;
    TIMER = s->scratch + 0x100;
    set_quad(s, T, RELATIVE_MS(1));
    return 0;
}

static int teardown(void **state)
{
    script_close(s);
    return 0;
}

static uint64_t id_of(const char *text)
{
    return weft_fnv1a(text, strlen(text));
}

static const fake_event *event(uint16_t kind, uint32_t n)
{
    const fake_event *e = fake_event_at(s->fake, kind, n);
    assert_non_null(e);
    return e;
}

static void assert_by(const fake_event *e, const char *thread)
{
    assert_string_equal(fake_name(s->fake, e->head.thread), thread);
}

/* A pseudo-thread has no thread id and no hardware thread. */
static void assert_by_source(const fake_event *e, const char *source)
{
    assert_by(e, source);
    assert_int_equal(e->head.tid, 0);
    assert_int_equal(e->head.hw, WEFT_HW_NONE);
    assert_int_equal(e->head.cycle, 0);
}

/* wake.requested: target, handle, transitioned, new state, tid, hardware thread. */
static void assert_wake(const fake_event *e, uint64_t target, uint64_t handle, uint32_t waited,
                        uint32_t new_state, uint32_t tid, uint32_t hw)
{
    const uint64_t expected[] = {target, handle, waited, new_state, tid, hw};
    assert_int_equal(e->head.category, WEFT_CLASS_GUEST);
    for (int i = 0; i < 6; i++) {
        assert_int_equal(e->words[i], expected[i]);
    }
}

/* ---- wakes -------------------------------------------------------------------------------------
 */

static void a_signal_names_waker_woken_and_object(void **state)
{
    const script_step p[] = {CALL(NtCreateEvent, EVENT, 0, 1, 0),
                             CALL(ExCreateThread, H, 0x4000, 0, 0, PROGRAM(1), 0, ON(1)),
                             WORK(1 * MS), CALL(NtSetEvent, AT(EVENT), 0), END};
    const script_step child[] = {CALL(NtWaitForSingleObjectEx, AT(EVENT), 1, 0, 0), END};
    s->programs[1] = child;
    kthread *main = script_thread(s, 0, p, ON(0));
    script_run(s, 0);
    assert_int_equal(s->fake->events[WEFT_EVENT_WAKE_REQUESTED], 1);
    const fake_event *e = event(WEFT_EVENT_WAKE_REQUESTED, 0), *match = e - 1;
    uint64_t object = event(WEFT_EVENT_HANDLE_CREATE, 0)->words[0];
    assert_wake(e, id_of("thread:main/0"), object, 1, WEFT_THREAD_READY, 2, 1);
    assert_by(e, "thread:main");
    assert_int_equal(e->head.tid, main->tid);
    assert_int_equal(e->head.hw, 0);
    assert_int_equal(match->head.kind, WEFT_EVENT_SIGNAL_MATCH);
    assert_int_equal(match->words[0], object);
    /* before the call that woke it returns */
    assert_int_equal(e[1].head.kind, WEFT_EVENT_KERNEL_RETURN);
}

/* The delay ends exactly 1 ms after its call began: by the source, not by the thread. */
static void a_timeout_is_the_timer_sources_wake(void **state)
{
    const script_step p[] = {WORK(1000), CALL(KeDelayExecutionThread, 1, 0, T), END};
    script_thread(s, 0, p, ON(3));
    script_run(s, 0);
    const fake_event *fire = event(WEFT_EVENT_SOURCE_FIRE, 0);
    const fake_event *wake = event(WEFT_EVENT_WAKE_REQUESTED, 0);
    assert_int_equal(s->fake->events[WEFT_EVENT_SOURCE_FIRE], 1);
    assert_by_source(fire, "source:timer");
    assert_int_equal(fire->words[0], 0);
    assert_int_equal(fire->head.tick, event(WEFT_EVENT_WAIT_BEGIN, 0)->head.tick + MS);
    assert_ptr_equal(wake, fire + 1);
    assert_by_source(wake, "source:timer");
    assert_wake(wake, id_of("thread:main"), 0, 1, WEFT_THREAD_READY, 1, 3);
}

static void a_timer_wakes_by_its_object(void **state)
{
    const script_step p[] = {CALL(KeInitializeTimerEx, TIMER, 1, 0),
                             CALL(KeSetTimerEx, TIMER, RELATIVE_MS(2), 2, 0),
                             CALL(KeWaitForSingleObject, TIMER, 0, 0, 0, 0),
                             CALL(KeWaitForSingleObject, TIMER, 0, 0, 0, 0), END};
    script_thread(s, 0, p, 0);
    script_run(s, 0);
    uint64_t timer = event(WEFT_EVENT_WAIT_BEGIN, 0)->words[1];
    assert_int_equal(s->fake->events[WEFT_EVENT_SOURCE_FIRE], 2);
    for (uint32_t i = 0; i < 2; i++) {
        assert_by_source(event(WEFT_EVENT_SOURCE_FIRE, i), "source:timer");
        assert_int_equal(event(WEFT_EVENT_SOURCE_FIRE, i)->words[0], i);
        assert_by_source(event(WEFT_EVENT_SIGNAL_MATCH, i), "source:timer");
        assert_wake(event(WEFT_EVENT_WAKE_REQUESTED, i), id_of("thread:main"), timer, 1,
                    WEFT_THREAD_READY, 1, 0);
    }
    assert_int_equal(event(WEFT_EVENT_SOURCE_FIRE, 1)->head.tick -
                         event(WEFT_EVENT_SOURCE_FIRE, 0)->head.tick,
                     2 * MS);
}

/* An alert has no object: the APC ends the wait. */
static void an_apc_wakes_without_an_object(void **state)
{
    const script_step p[] = {CALL(NtCreateEvent, EVENT, 0, 1, 0),
                             CALL(ExCreateThread, H, 0x4000, 0, 0, PROGRAM(1), 0, ON(1)),
                             WORK(1 * MS),
                             CALL(NtQueueApcThread, AT(H), PROGRAM(2), 0, 0, 0),
                             CALL(NtWaitForSingleObjectEx, AT(H), 1, 0, 0),
                             END};
    const script_step child[] = {CALL(NtWaitForSingleObjectEx, AT(EVENT), 1, 1, 0), END};
    const script_step routine[] = {MARK(1), END};
    s->programs[1] = child;
    s->programs[2] = routine;
    script_thread(s, 0, p, ON(0));
    script_run(s, 0);
    assert_by(event(WEFT_EVENT_WAKE_REQUESTED, 0), "thread:main");
    assert_wake(event(WEFT_EVENT_WAKE_REQUESTED, 0), id_of("thread:main/0"), 0, 1,
                WEFT_THREAD_READY, 2, 1);
    const fake_event *apc = event(WEFT_EVENT_APC_DELIVER, 0);
    assert_by(apc, "thread:main/0");
    assert_int_equal(apc->words[0], PROGRAM(2));
    assert_int_equal(apc->words[1], 1);
    assert_int_equal((apc - 1)->head.kind, WEFT_EVENT_WAIT_END);
    /* the second wake: the end of the thread, by that thread */
    assert_by(event(WEFT_EVENT_WAKE_REQUESTED, 1), "thread:main/0");
}

/* ---- suspension --------------------------------------------------------------------------------
 */

static void suspension_is_told_with_the_count_before(void **state)
{
    const script_step p[] = {CALL(NtCreateEvent, EVENT, 0, 1, 0),
                             CALL(ExCreateThread, H, 0x4000, 0, 0, PROGRAM(1), 0, ON(1)),
                             WORK(1 * MS),
                             CALL(NtSuspendThread, AT(H), 0),
                             CALL(ObReferenceObjectByHandle, AT(H), 0, OUT),
                             CALL(KeSuspendThread, AT(OUT)),
                             CALL(NtSetEvent, AT(EVENT), 0),
                             CALL(KeResumeThread, AT(OUT)),
                             CALL(NtResumeThread, AT(H), 0),
                             CALL(NtResumeThread, AT(H), 0),
                             END};
    const script_step child[] = {CALL(NtWaitForSingleObjectEx, AT(EVENT), 1, 0, 0), WORK(9 * MS),
                                 END};
    s->programs[1] = child;
    script_thread(s, 0, p, ON(0));
    script_run(s, 0);
    uint64_t target = id_of("thread:main/0");
    assert_int_equal(s->fake->events[WEFT_EVENT_THREAD_SUSPEND], 2);
    assert_int_equal(s->fake->events[WEFT_EVENT_THREAD_RESUME], 3);
    static const uint32_t resumed[] = {2, 1, 0};
    for (uint32_t i = 0; i < 2; i++) {
        assert_by(event(WEFT_EVENT_THREAD_SUSPEND, i), "thread:main");
        assert_int_equal(event(WEFT_EVENT_THREAD_SUSPEND, i)->words[0], target);
        assert_int_equal(event(WEFT_EVENT_THREAD_SUSPEND, i)->words[1], i);
    }
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(event(WEFT_EVENT_THREAD_RESUME, i)->words[0], target);
        assert_int_equal(event(WEFT_EVENT_THREAD_RESUME, i)->words[1], resumed[i]);
    }
    /* its wait ended while it was suspended; it is ready when the count is 0 */
    uint64_t object = event(WEFT_EVENT_SIGNAL_MATCH, 0)->words[0];
    assert_int_equal(s->fake->events[WEFT_EVENT_WAKE_REQUESTED], 2);
    assert_wake(event(WEFT_EVENT_WAKE_REQUESTED, 0), target, object, 1, WEFT_THREAD_SUSPENDED, 2,
                1);
    assert_wake(event(WEFT_EVENT_WAKE_REQUESTED, 1), target, 0, 0, WEFT_THREAD_READY, 2, 1);
}

/* ---- procedure calls, interrupts, sources ------------------------------------------------------
 */

/* A KAPC: its kernel routine (mode 0), then the normal routine in the mode that it was made with. */
static void both_routines_of_a_kernel_apc_are_told(void **state)
{
    const script_step p[] = {CALL(ObReferenceObjectByHandle, CURRENT, 0, OUT),
                             CALL(KeInitializeApc, APC, AT(OUT), PROGRAM(1), 0, PROGRAM(2), 0, 7),
                             CALL(KeInsertQueueApc, APC, 1, 2, 0),
                             CALL(KeDelayExecutionThread, 1, 1, T),
                             CALL(KeInitializeApc, APC, AT(OUT), PROGRAM(1), 0, PROGRAM(2), 1, 7),
                             CALL(KeInsertQueueApc, APC, 1, 2, 0),
                             CALL(KeDelayExecutionThread, 1, 1, T),
                             END};
    const script_step routine[] = {WORK(10), END};
    s->programs[1] = routine;
    s->programs[2] = routine;
    script_thread(s, 0, p, 0);
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    const uint64_t expected[4][2] = {
        {PROGRAM(1), 0}, {PROGRAM(2), 0}, {PROGRAM(1), 0}, {PROGRAM(2), 1}};
    assert_int_equal(s->fake->events[WEFT_EVENT_APC_DELIVER], 4);
    for (uint32_t i = 0; i < 4; i++) {
        assert_by(event(WEFT_EVENT_APC_DELIVER, i), "thread:main");
        assert_int_equal(event(WEFT_EVENT_APC_DELIVER, i)->words[0], expected[i][0]);
        assert_int_equal(event(WEFT_EVENT_APC_DELIVER, i)->words[1], expected[i][1]);
    }
}

static void a_dpc_runs_in_its_hardware_threads_name(void **state)
{
    const script_step p[] = {CALL(KeInitializeDpc, DPC, PROGRAM(1), 0x77),
                             CALL(KeInsertQueueDpc, DPC, 5, 6), WORK(100), END};
    const script_step routine[] = {WORK(1), END};
    s->programs[1] = routine;
    script_thread(s, 0, p, ON(4));
    script_run(s, 0);
    assert_int_equal(s->fake->events[WEFT_EVENT_DPC_RUN], 1);
    assert_int_equal(s->fake->events[WEFT_EVENT_INTERRUPT], 0);
    assert_by(event(WEFT_EVENT_DPC_RUN, 0), "thread:interrupt/4");
    assert_int_equal(event(WEFT_EVENT_DPC_RUN, 0)->head.hw, 4);
    assert_int_equal(event(WEFT_EVENT_DPC_RUN, 0)->words[0], PROGRAM(1));
}

/* 60 Hz: the k-th blank is at floor(k * 1e9 / 60); 16,666,666 and 33,333,333. */
static void vertical_blanks_are_a_source(void **state)
{
    const script_step p[] = {CALL(VdSetGraphicsInterruptCallback, PROGRAM(1), 0), WORK(40 * MS),
                             END};
    const script_step routine[] = {WORK(1), END};
    s->programs[1] = routine;
    script_thread(s, 0, p, ON(0));
    script_run(s, 0);
    assert_int_equal(s->fake->events[WEFT_EVENT_SOURCE_FIRE], 2);
    assert_int_equal(s->fake->events[WEFT_EVENT_INTERRUPT], 2);
    assert_int_equal(s->fake->events[WEFT_EVENT_DPC_RUN], 0);
    static const uint64_t ticks[] = {16666666, 33333333};
    for (uint32_t i = 0; i < 2; i++) {
        const fake_event *fire = event(WEFT_EVENT_SOURCE_FIRE, i);
        assert_by_source(fire, "source:vblank");
        assert_int_equal(fire->words[0], i);
        assert_int_equal(fire->head.tick, ticks[i]);
        assert_by(event(WEFT_EVENT_INTERRUPT, i), "thread:interrupt/2");
    }
}

/* ---- switches ----------------------------------------------------------------------------------
 */

static void want_switches(void)
{
    s->fake->wanted[WEFT_EVENT_SCHED_SWITCH / 64] |= UINT64_C(1) << WEFT_EVENT_SCHED_SWITCH % 64;
}

/* The n-th switch of a hardware thread. */
static const fake_event *switch_of(uint32_t hw, uint32_t n)
{
    for (uint32_t i = 0;; i++) {
        const fake_event *e = event(WEFT_EVENT_SCHED_SWITCH, i);
        if (e->head.hw == hw && n-- == 0) {
            return e;
        }
    }
}

/* from, to ("-": idle), reason, ready. */
static void assert_switch(const fake_event *e, const char *from, const char *to, uint32_t reason,
                          uint32_t ready)
{
    assert_int_equal(e->head.category, WEFT_CLASS_DECISION);
    assert_int_equal(e->words[0], *from == '-' ? 0 : id_of(from));
    assert_int_equal(e->words[1], *to == '-' ? 0 : id_of(to));
    assert_int_equal(e->words[2], reason);
    assert_int_equal(e->words[3], ready);
}

/* Numbers of the reasons: docs/trace.md. */
static void switches_say_who_and_why(void **state)
{
    const script_step p[] = {CALL(ExCreateThread, H, 0x4000, 0, 0, PROGRAM(1), 0, ON(0)),
                             WORK(1000),
                             CALL(NtWaitForSingleObjectEx, AT(H), 1, 0, 0),
                             CALL(KeDelayExecutionThread, 1, 0, T),
                             CALL(NtSuspendThread, CURRENT, 0),
                             END};
    const script_step child[] = {WORK(10), END};
    want_switches();
    s->programs[1] = child;
    script_thread(s, 0, p, ON(0));
    assert_int_equal(script_run(s, 100 * MS), WEFT_END_CONDITION);
    assert_switch(switch_of(0, 0), "-", "thread:main", 0, 0);
    assert_switch(switch_of(0, 1), "thread:main", "thread:main/0", 2, 0);
    assert_switch(switch_of(0, 2), "thread:main/0", "thread:main", 3, 0);
    assert_switch(switch_of(0, 3), "thread:main", "-", 2, 0);
    assert_switch(switch_of(0, 4), "-", "thread:main", 0, 0);
    assert_switch(switch_of(0, 5), "thread:main", "-", 4, 0);
    assert_int_equal(s->fake->events[WEFT_EVENT_SCHED_SWITCH], 6);
}

/* 20 ms is a slice; equals take turns, one that yields gives its turn away. */
static void turns_end_by_slice_or_yield(void **state)
{
    const script_step p[] = {CALL(ExCreateThread, H, 0x4000, 0, 0, PROGRAM(1), 0, ON(0)),
                             WORK(30 * MS), END};
    const script_step child[] = {WORK(5 * MS), CALL(NtYieldExecution), WORK(1 * MS), END};
    want_switches();
    s->programs[1] = child;
    script_thread(s, 0, p, ON(0));
    script_run(s, 0);
    assert_switch(switch_of(0, 1), "thread:main", "thread:main/0", 1, 1);
    assert_switch(switch_of(0, 2), "thread:main/0", "thread:main", 5, 1);
    assert_true(switch_of(0, 2)->head.tick - switch_of(0, 1)->head.tick >= 5 * MS);
}

/* A thread of higher priority becomes ready: KeSetBasePriorityThread(thread, 2). */
static void a_higher_priority_preempts(void **state)
{
    const script_step p[] = {CALL(ExCreateThread, H, 0x4000, 0, 0, PROGRAM(1), 0, ON(0)),
                             CALL(ObReferenceObjectByHandle, AT(H), 0, OUT),
                             CALL(KeSetBasePriorityThread, AT(OUT), 2), WORK(1 * MS), END};
    const script_step child[] = {WORK(10), END};
    want_switches();
    s->programs[1] = child;
    script_thread(s, 0, p, ON(0));
    script_run(s, 0);
    assert_switch(switch_of(0, 1), "thread:main", "thread:main/0", 6, 1);
    assert_switch(switch_of(0, 2), "thread:main/0", "thread:main", 3, 0);
}

static void an_interrupt_comes_in_between(void **state)
{
    const script_step p[] = {CALL(KeInitializeDpc, DPC, PROGRAM(1), 0),
                             CALL(KeInsertQueueDpc, DPC, 0, 0), WORK(1 * MS), END};
    const script_step routine[] = {WORK(10), END};
    want_switches();
    s->programs[1] = routine;
    script_thread(s, 0, p, ON(5));
    script_run(s, 0);
    assert_switch(switch_of(5, 1), "thread:main", "thread:interrupt/5", 7, 1);
    assert_switch(switch_of(5, 2), "thread:interrupt/5", "thread:main", 8, 0);
}

static void a_thread_that_moves_leaves_its_place(void **state)
{
    const script_step p[] = {CALL(ObReferenceObjectByHandle, CURRENT, 0, OUT),
                             CALL(KeSetAffinityThread, AT(OUT), 1 << 3, 0), WORK(1 * MS), END};
    const script_step other[] = {WORK(2 * MS), END};
    want_switches();
    script_thread(s, 0, p, ON(0));
    script_thread(s, 1, other, ON(0));
    script_run(s, 0);
    assert_switch(switch_of(0, 1), "thread:main", "thread:kernel/1", 10, 0);
    assert_switch(switch_of(3, 0), "-", "thread:main", 0, 0);
}

static uint32_t holds_left;

static uint32_t subscribe(void *instance)
{
    return 1u << WEFT_SYNC_SIGNAL;
}

static uint32_t hold_once(void *instance, const weft_sched_view *view, const weft_sync_op *op,
                          uint64_t *amount)
{
    return holds_left && holds_left-- ? WEFT_ANSWER_HOLD : WEFT_ANSWER_GO;
}

/* A held thread keeps its place; with nobody else there, its hardware thread is idle until others
 * have run. */
static void a_held_thread_leaves_it_idle(void **state)
{
    static const weft_policy_ops ops = {
        .size = sizeof ops, .subscribe = subscribe, .before = hold_once};
    const script_step p[] = {CALL(NtCreateEvent, EVENT, 0, 1, 0), CALL(NtSetEvent, AT(EVENT), 0),
                             WORK(100), END};
    const script_step other[] = {WORK(1 * MS), END};
    want_switches();
    holds_left = 1;
    s->k->policy = &ops;
    script_thread(s, 0, p, ON(0));
    script_thread(s, 1, other, ON(1));
    script_run(s, 0);
    assert_switch(switch_of(0, 1), "thread:main", "-", 9, 0);
    assert_switch(switch_of(0, 2), "-", "thread:main", 0, 0);
}

/* Nobody wants them: none comes, and the run is the same to the tick. */
static void switches_cost_no_guest_time(void **state)
{
    const script_step p[] = {CALL(ExCreateThread, H, 0x4000, 0, 0, PROGRAM(1), 0, ON(0)),
                             CALL(NtWaitForSingleObjectEx, AT(H), 1, 0, 0), END};
    const script_step child[] = {WORK(10), END};
    uint32_t counts[2], kept[2];
    uint64_t ticks[2];
    for (int wanted = 0; wanted < 2; wanted++) {
        if (wanted) {
            teardown(NULL);
            setup(NULL);
            want_switches();
        }
        s->programs[1] = child;
        script_thread(s, 0, p, ON(0));
        script_run(s, 0);
        counts[wanted] = s->fake->events[WEFT_EVENT_SCHED_SWITCH];
        kept[wanted] = s->fake->kept_count - counts[wanted];
        ticks[wanted] = s->k->hw[0].time;
    }
    assert_int_equal(counts[0], 0);
    assert_true(counts[1] > 0);
    assert_int_equal(kept[0], kept[1]);
    assert_int_equal(ticks[0], ticks[1]);
}

/* ---- memory ------------------------------------------------------------------------------------
 */

/* memory.alloc: identity, address, size, alias, site, nth, what. */
static void assert_alloc(const fake_event *e, uint32_t site, uint32_t nth, const char *what)
{
    char text[80];
    snprintf(text, sizeof text, "alloc:thread:main/%08x/%u", site, nth);
    assert_int_equal(e->words[0], id_of(text));
    assert_int_equal(e->words[4], site);
    assert_int_equal(e->words[5], nth);
    assert_int_equal(e->words[6], strlen(what));
    assert_memory_equal(&e->words[7], what, strlen(what));
    assert_by(e, "thread:main");
}

/* Stack, KTHREAD and TLS block, by the creator, at the place of its call; the thread gives back
 * stack and TLS block when it ends, the KTHREAD goes with its last handle. */
static void a_thread_is_made_of_three_allocations(void **state)
{
    const script_step p[] = {CALL(ExCreateThread, H, 0x4000, 0, 0, PROGRAM(1), 0, ON(1)),
                             CALL(NtWaitForSingleObjectEx, AT(H), 1, 0, 0), CALL(NtClose, AT(H)),
                             END};
    const script_step child[] = {WORK(10), END};
    s->programs[1] = child;
    script_thread(s, 0, p, ON(0));
    uint32_t before = s->fake->events[WEFT_EVENT_MEMORY_ALLOC];
    script_run(s, 0);
    assert_int_equal(s->fake->events[WEFT_EVENT_MEMORY_ALLOC], before + 3);
    static const char *const whats[] = {"stack", "thread", "tls"};
    uint64_t address[3];
    for (uint32_t i = 0; i < 3; i++) {
        const fake_event *e = event(WEFT_EVENT_MEMORY_ALLOC, before + i);
        assert_alloc(e, STEP(1), i, whats[i]);
        assert_int_equal(e->words[3], 0); /* virtual memory has one address */
        address[i] = e->words[1];
    }
    assert_int_equal(event(WEFT_EVENT_MEMORY_ALLOC, before)->words[2], 0x4000);
    /* the main thread's own come after */
    static const uint32_t freed[] = {0, 2, 1};
    for (uint32_t i = 0; i < 3; i++) {
        const fake_event *e = event(WEFT_EVENT_MEMORY_FREE, i);
        assert_int_equal(e->words[1], address[freed[i]]);
        assert_int_equal(e->words[0], event(WEFT_EVENT_MEMORY_ALLOC, before + freed[i])->words[0]);
        assert_by(e, i < 2 ? "thread:main/0" : "thread:main");
    }
}

/* Whom its end wakes and what it gives back comes before. */
static void the_end_is_a_threads_last_event(void **state)
{
    const script_step p[] = {CALL(ExCreateThread, H, 0x4000, 0, 0, PROGRAM(1), 0, ON(1)),
                             CALL(NtWaitForSingleObjectEx, AT(H), 1, 0, 0), WORK(100), END};
    const script_step child[] = {WORK(10), END};
    s->programs[1] = child;
    script_thread(s, 0, p, ON(0));
    script_run(s, 0);
    uint64_t ended = id_of("thread:main/0");
    const fake_event *last = NULL;
    for (uint32_t i = 0; i < s->fake->kept_count; i++) {
        last = s->fake->kept[i].head.thread == ended ? &s->fake->kept[i] : last;
    }
    assert_ptr_equal(last, event(WEFT_EVENT_THREAD_EXIT, 0));
    assert_by(event(WEFT_EVENT_WAKE_REQUESTED, 0), "thread:main/0");
}

/* The body of an event object, to which ObReferenceObjectByHandle gives a pointer. */
static void objects_have_memory_too(void **state)
{
    const script_step p[] = {CALL(NtCreateEvent, EVENT, 0, 1, 0),
                             CALL(ObReferenceObjectByHandle, AT(EVENT), 0, OUT),
                             CALL(ObDereferenceObject, AT(OUT)), CALL(NtClose, AT(EVENT)), END};
    script_thread(s, 0, p, ON(0));
    uint32_t before = s->fake->events[WEFT_EVENT_MEMORY_ALLOC];
    script_run(s, 0);
    const fake_event *e = event(WEFT_EVENT_MEMORY_ALLOC, before);
    assert_alloc(e, STEP(1), 0, "object");
    assert_int_equal(e->words[1], word(s, OUT));
    assert_int_equal(event(WEFT_EVENT_MEMORY_FREE, 0)->words[0], e->words[0]);
}

/* What is there before the title is the machine's: no thread, no site. */
static void the_kernels_own_memory_is_the_machines(void **state)
{
    const fake_event *e = event(WEFT_EVENT_MEMORY_ALLOC, 0);
    assert_int_equal(e->head.thread, 0);
    assert_int_equal(e->words[0], id_of("alloc:kernel/00000000/0"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_signal_names_waker_woken_and_object),
        TEST(a_timeout_is_the_timer_sources_wake),
        TEST(a_timer_wakes_by_its_object),
        TEST(an_apc_wakes_without_an_object),
        TEST(suspension_is_told_with_the_count_before),
        TEST(both_routines_of_a_kernel_apc_are_told),
        TEST(a_dpc_runs_in_its_hardware_threads_name),
        TEST(vertical_blanks_are_a_source),
        TEST(switches_say_who_and_why),
        TEST(turns_end_by_slice_or_yield),
        TEST(a_higher_priority_preempts),
        TEST(an_interrupt_comes_in_between),
        TEST(a_thread_that_moves_leaves_its_place),
        TEST(a_held_thread_leaves_it_idle),
        TEST(switches_cost_no_guest_time),
        TEST(a_thread_is_made_of_three_allocations),
        TEST(the_end_is_a_threads_last_event),
        TEST(objects_have_memory_too),
        TEST(the_kernels_own_memory_is_the_machines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
