/* Parallel mode: locks that nobody else wants (ARCHITECTURE.md: "an uncontended critical section takes
 * none"), and that they leave the same words, numbers and events as with the dispatcher lock
 * (docs/kernel.md, "The order of operations", "Parallel mode"). */
#include <string.h>
#include <time.h>

#include "ordinals.h"
#include "script.h"
#include "section_model.h"

static script *s;
static uint32_t GO, READY, DONE, EVENT, LOCK, SPINLOCK, OTHER; /* guest words */

static int setup(void **state)
{
    s = script_open_parallel(WEFT_CPU_PARALLEL);
    GO = s->scratch;
    READY = s->scratch + 0x10;
    DONE = s->scratch + 0x20;
    EVENT = s->scratch + 0x30;
    LOCK = s->scratch + 0x50;
    SPINLOCK = s->scratch + 0x80;
    OTHER = s->scratch + 0x90;
    kcs_init(s->k, LOCK, 0);
    return 0;
}

static int teardown(void **state)
{
    assert_int_equal(s->overlaps, 0); /* no state is ever in two `run`s: cpu.h */
    script_close(s);
    return 0;
}

/* ---- a policy whose `after` keeps the dispatcher lock ------------------------------------------ */

static struct {
    uint32_t turns; /* 1 + how often it has kept it */
    uint32_t seen;  /* times that DONE came meanwhile */
    uint32_t asked; /* about enters */
} keeper;

static uint32_t signals(void *instance)
{
    return 1u << WEFT_SYNC_SIGNAL;
}

static void keep_lock(void *instance, const weft_sched_view *view, const weft_sync_op *op)
{
    struct timespec nap = {.tv_nsec = 1000000};
    if (op->pointer != EVENT) {
        return; /* a thread's end */
    }
    set_word(s, GO, ++keeper.turns);
    for (int i = 0; i < 100 && word(s, DONE) != keeper.turns; i++) { /* or 0.1 s */
        nanosleep(&nap, NULL);
    }
    keeper.seen += word(s, DONE) == keeper.turns;
}

/* One thread is inside the kernel; the other enters and leaves, tries and leaves meanwhile. It has done
 * each before, which takes the lock. Several turns, since a slice that ends meanwhile takes it too. */
static void enters_and_leaves_need_no_lock(void **state)
{
    static const weft_policy_ops policy = {
        .size = sizeof policy, .subscribe = signals, .after = keep_lock};
    const script_step first[] = {CALL(KeInitializeEvent, EVENT, 0, 0),
                                 SPIN(READY, 1),
                                 CALL(KeSetEvent, EVENT, 0, 0),
                                 SPIN(DONE, 1),
                                 CALL(KeSetEvent, EVENT, 0, 0),
                                 SPIN(DONE, 2),
                                 CALL(KeSetEvent, EVENT, 0, 0),
                                 SPIN(DONE, 3),
                                 END};
#define ALL_OF_THEM                                                                                \
    CALL(RtlEnterCriticalSection, LOCK), CALL(RtlEnterCriticalSection, LOCK),                      \
        CALL(RtlLeaveCriticalSection, LOCK), CALL(RtlLeaveCriticalSection, LOCK),                  \
        CALL(RtlTryEnterCriticalSection, LOCK), CALL(RtlLeaveCriticalSection, LOCK),               \
        CALL(KeAcquireSpinLockAtRaisedIrql, SPINLOCK),                                             \
        CALL(KeTryToAcquireSpinLockAtRaisedIrql, SPINLOCK),                                        \
        CALL(KeReleaseSpinLockFromRaisedIrql, SPINLOCK), CALL(KfAcquireSpinLock, SPINLOCK),        \
        CALL(KfAcquireSpinLock, OTHER), CALL(KfReleaseSpinLock, OTHER, 2),                         \
        CALL(KfReleaseSpinLock, SPINLOCK, 0)
    const script_step second[] = {ALL_OF_THEM,    STORE(READY, 1), SPIN(GO, 1),    ALL_OF_THEM,
                                  STORE(DONE, 1), SPIN(GO, 2),     ALL_OF_THEM,    STORE(DONE, 2),
                                  SPIN(GO, 3),    ALL_OF_THEM,     STORE(DONE, 3), END};
    memset(&keeper, 0, sizeof keeper);
    s->k->policy = &policy;
    script_thread(s, 0, first, ON(0));
    script_thread(s, 1, second, ON(1));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(keeper.turns, 3);
    assert_true(keeper.seen >= 1);
    for (uint32_t i = 0; i < 4; i++) {
        const uint64_t *set = &s->returned[1][15 * i];
        assert_int_equal(set[4], 1); /* TRUE */
        assert_int_equal(set[7], 0); /* it is taken */
        assert_int_equal(set[9], 0); /* the IRQL before */
        assert_int_equal(set[10], 2);
    }
    assert_int_equal(s->k->hw[1].irql, 0);
    assert_int_equal(word(s, LOCK + 0x10), UINT32_MAX); /* free: RTL_CRITICAL_SECTION (NT) */
    assert_int_equal(word(s, LOCK + 0x14), 0);
    assert_int_equal(word(s, LOCK + 0x18), 0);
    assert_int_equal(word(s, SPINLOCK), 0);
}

static uint32_t lock_kinds(void *instance)
{
    return 1u << WEFT_SYNC_ENTER | 1u << WEFT_SYNC_LEAVE;
}

static uint32_t counts_enters(void *instance, const weft_sched_view *view, const weft_sync_op *op,
                              uint64_t *amount)
{
    keeper.asked += op->kind == WEFT_SYNC_ENTER;
    return WEFT_ANSWER_GO;
}

/* docs/policy.md: `before` sees each operation that it has subscribed to. */
static void policy_that_wants_enters_sees_all(void **state)
{
    static const weft_policy_ops policy = {
        .size = sizeof policy, .subscribe = lock_kinds, .before = counts_enters};
#define PAIR CALL(RtlEnterCriticalSection, LOCK), CALL(RtlLeaveCriticalSection, LOCK)
    const script_step p[] = {PAIR, PAIR, PAIR, PAIR, PAIR, PAIR, END};
    memset(&keeper, 0, sizeof keeper);
    s->k->policy = &policy;
    script_thread(s, 0, p, ON(0));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(keeper.asked, 6);
}

/* ---- order --------------------------------------------------------------------------------------
 */

/* A thread's events come in the order of its instructions, each call as a whole, also where some calls
 * take the lock and others do not. */
static void events_of_a_thread_are_in_order(void **state)
{
    const script_step first[] = {MEET(2), PAIR, PAIR, PAIR, PAIR, SPIN(DONE, 1), END};
    const script_step p[] = {MEET(2),    PAIR, PAIR,           CALL(KeTlsAlloc, 0), PAIR,
                             WORK(1000), PAIR, STORE(DONE, 1), WORK(200000),        END};
    static const uint16_t call[] = {WEFT_EVENT_IMPORT_CALL, WEFT_EVENT_KERNEL_CALL,
                                    WEFT_EVENT_SYNC_OP, WEFT_EVENT_KERNEL_RETURN_VOID};
    script_thread(s, 0, first, ON(0));
    uint64_t id = script_thread(s, 1, p, ON(1))->id, cycle = 0, tick = 0, enters = 0;
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    uint32_t place = 0, calls = 0, whole = 0;
    for (uint32_t i = 0; i < s->fake->kept_count; i++) {
        const weft_event *e = &s->fake->kept[i].head;
        if (e->thread != id || e->category != WEFT_CLASS_GUEST) {
            continue;
        }
        assert_true(e->cycle >= cycle && e->tick >= tick);
        cycle = e->cycle;
        tick = e->tick;
        if (e->kind == WEFT_EVENT_IMPORT_CALL) {
            place = 0;
            calls++;
        }
        whole += place == 3 && e->kind == call[3];
        place += place < 4 && e->kind == call[place];
        if (e->kind == WEFT_EVENT_SYNC_OP && s->fake->kept[i].words[0] == WEFT_SYNC_ENTER) {
            assert_int_equal(s->fake->kept[i].words[3], enters++);
        }
    }
    assert_int_equal(calls, 4 * 2 + 1);
    assert_in_range(whole, 4, 8); /* an enter that waits has a wait before its return */
}

/* Six hardware threads want one section: its operations, in the order of their numbers, are what a
 * section can do. */
static void numbers_are_in_the_order_of_what_happened(void **state)
{
#define FOUR PAIR, PAIR, PAIR, PAIR
    const script_step p[] = {MEET(6), FOUR, FOUR, FOUR, FOUR, FOUR, FOUR, FOUR, MEET(12), END};
    static const fake_event *by_number[2048];
    uint32_t count = 0;
    const fake_event *e;
    for (uint32_t i = 0; i < 6; i++) {
        script_thread(s, i, p, ON(i));
    }
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    memset(by_number, 0, sizeof by_number);
    for (uint32_t n = 0; (e = fake_event_at(s->fake, WEFT_EVENT_SYNC_OP, n)) != NULL; n++) {
        if (strstr(fake_name(s->fake, e->words[1]), "event:")) { /* the section's */
            assert_true(e->words[2] < sizeof by_number / sizeof by_number[0]);
            assert_null(by_number[e->words[2]]);
            by_number[e->words[2]] = e;
            count++;
        }
    }
    assert_true(s->fake->kept_count < FAKE_KEPT && count >= 6 * 28 * 2);
    section_model m = {0};
    uint64_t tick = 0;
    for (uint32_t n = 0; n < count; n++) {
        assert_non_null(by_number[n]);
        uint32_t kind = (uint32_t)by_number[n]->words[0];
        assert_true(section_follows(&m, kind, by_number[n]->head.thread, false));
        if (kind != WEFT_SYNC_WAKE) { /* told later than it was numbered */
            assert_true(by_number[n]->head.tick >= tick);
            tick = by_number[n]->head.tick;
        }
    }
    assert_int_equal(m.owner, 0);
    assert_int_equal(m.waiting, 0);
}

/* The memory of a section is taken back and given out again: what is there then is another section, also
 * for hardware threads that have met the one before. */
static void section_in_memory_that_was_freed_is_another(void **state)
{
    uint32_t base = 0, size = 0x10000, place = s->scratch + 0x100, length = s->scratch + 0x110;
    assert_int_equal(
        mm_virtual_alloc(s->k->mm, NULL, &base, &size, MM_COMMIT | MM_RESERVE, MM_PAGE_READWRITE),
        STATUS_SUCCESS);
    LOCK = base + 0x40;
    kcs_init(s->k, LOCK, 0);
    set_word(s, place, base);
    const script_step first[] = {
        PAIR, STORE(READY, 1), SPIN(GO, 1), PAIR, STORE(READY, 2), SPIN(GO, 2), PAIR, END};
    const script_step second[] = {
        SPIN(READY, 1),
        PAIR,
        PAIR,
        STORE(GO, 1),
        SPIN(READY, 2),
        CALL(NtFreeVirtualMemory, place, length, 0x8000, 0), /* MEM_RELEASE */
        STORE(length, size),
        CALL(NtAllocateVirtualMemory, place, length, MM_COMMIT | MM_RESERVE, MM_PAGE_READWRITE, 0),
        CALL(RtlInitializeCriticalSection, LOCK),
        PAIR,
        PAIR,
        STORE(GO, 2),
        WORK(1000),
        END};
    script_thread(s, 0, first, ON(0));
    script_thread(s, 1, second, ON(1));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->returned[1][7], STATUS_SUCCESS);
    assert_int_equal(s->returned[1][9], STATUS_SUCCESS);
    assert_int_equal(word(s, place), base);
    uint64_t object[2] = {0};
    uint32_t count[2] = {0};
    bool freed = false;
    for (uint32_t i = 0; i < s->fake->kept_count; i++) {
        const fake_event *e = &s->fake->kept[i];
        freed |= e->head.kind == WEFT_EVENT_MEMORY_FREE;
        if (e->head.kind == WEFT_EVENT_SYNC_OP &&
            (e->words[0] == WEFT_SYNC_ENTER || e->words[0] == WEFT_SYNC_LEAVE)) {
            if (!object[freed]) {
                object[freed] = e->words[1];
            }
            assert_true(e->words[1] == object[freed]);
            count[freed]++;
        }
    }
    assert_true(object[0] != object[1]);
    assert_int_equal(count[0], 2 * (1 + 2 + 1)); /* pairs of the first, the second, the first */
    assert_int_equal(count[1], 2 * (2 + 1));
}

/* NT: a thread is suspended at IRQL 0. Here it has raised its IRQL where nobody saw it. */
static void spin_lock_puts_a_suspension_off(void **state)
{
    const uint32_t T = s->scratch + 0xA0;
#define HELD(...)                                                                                  \
    CALL(KfAcquireSpinLock, SPINLOCK), __VA_ARGS__, CALL(KfReleaseSpinLock, SPINLOCK, 0)
    const script_step holder[] = {HELD(WORK(1)), /* takes the lock */
                                  HELD(STORE(READY, 1), SPIN(GO, 1), STORE(DONE, 1)), MARK(2),
                                  STORE(DONE, 2), END};
    script_step first[] = {SPIN(READY, 1),
                           CALL(KeSuspendThread, 0),
                           STORE(GO, 1),
                           SPIN(DONE, 1),
                           CALL(KeDelayExecutionThread, 0, 0, T),
                           MARK(1),
                           CALL(KeResumeThread, 0),
                           SPIN(DONE, 2),
                           END};
    set_quad(s, T, RELATIVE_MS(20));
    script_thread(s, 0, first, ON(0));
    kthread *other = script_thread(s, 1, holder, ON(1));
    first[1].arguments[0] = first[6].arguments[0] = other->object->body;
    assert_int_equal(script_run(s, 5000 * (uint64_t)MS), WEFT_END_EXIT);
    assert_int_equal(s->log_count, 2);
    assert_int_equal(s->log[0], 1);
    assert_int_equal(s->log[1], 2);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(enters_and_leaves_need_no_lock),
        CASE(policy_that_wants_enters_sees_all),
        CASE(events_of_a_thread_are_in_order),
        CASE(numbers_are_in_the_order_of_what_happened),
        CASE(section_in_memory_that_was_freed_is_another),
        CASE(spin_lock_puts_a_suspension_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
