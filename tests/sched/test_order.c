/* sync.op: which operation takes which number of its object, and in whose stream. Expectations:
 * docs/kernel.md ("The order of operations"), each case worked out by hand; a console call costs
 * 100 ns here, an instruction 1 ns. */
#include <string.h>

#include "ordinals.h"
#include "script.h"

#define PROGRAM(n) (SCRIPT_BASE + (n)*4 * SCRIPT_STEPS)

#define ENTER     WEFT_SYNC_ENTER
#define CONTENDED WEFT_SYNC_ENTER_CONTENDED
#define LEAVE     WEFT_SYNC_LEAVE
#define WAIT      WEFT_SYNC_WAIT
#define SIGNAL    WEFT_SYNC_SIGNAL
#define WAKE      WEFT_SYNC_WAKE
#define TRY       WEFT_SYNC_TRY
#define RESET     WEFT_SYNC_RESET
#define TIMEOUT   WEFT_SYNC_TIMEOUT

static script *s;
static uint32_t H, H2, T, OUT, CS, LOCK, TIMER, LIST;

static int setup(void **state)
{
    s = script_open();
    H = s->scratch;
    H2 = s->scratch + 4;
    LIST = H;
    T = s->scratch + 0x10;
    OUT = s->scratch + 0x20;
    CS = s->scratch + 0x80;
    LOCK = s->scratch + 0xC0;
    TIMER = s->scratch + 0x100;
    kcs_init(s->k, CS, 0);
    set_quad(s, T, RELATIVE_MS(1));
    return 0;
}

static int teardown(void **state)
{
    script_close(s);
    return 0;
}

/* The n-th operation on an object, whichever stream it is in. */
static const fake_event *op_of(uint64_t object, uint64_t sequence)
{
    for (uint32_t i = 0;; i++) {
        const fake_event *e = fake_event_at(s->fake, WEFT_EVENT_SYNC_OP, i);
        if (!e || (e->words[1] == object && e->words[2] == sequence)) {
            return e;
        }
    }
}

typedef struct row {
    uint64_t op;
    const char *thread; /* text of its identity */
} row;

/* The object's operations, from 0, are these and no others. */
static void assert_history(uint64_t object, const row *rows, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const fake_event *e = op_of(object, i);
        assert_non_null(e);
        assert_int_equal(e->words[0], rows[i].op);
        assert_string_equal(fake_name(s->fake, e->head.thread), rows[i].thread);
    }
    assert_null(op_of(object, count));
}
#define HISTORY(object, ...)                                                                       \
    assert_history(object, (const row[]){__VA_ARGS__},                                             \
                   sizeof((const row[]){__VA_ARGS__}) / sizeof(row))

/* Identity of the object whose text begins so; the only one. */
static uint64_t named(const char *prefix)
{
    uint64_t found = 0;
    for (uint32_t i = 0; i < s->fake->name_count; i++) {
        if (strncmp(s->fake->names[i].text, prefix, strlen(prefix)) == 0) {
            assert_int_equal(found, 0);
            found = s->fake->names[i].id;
        }
    }
    assert_int_not_equal(found, 0);
    return found;
}

static uint64_t created(uint32_t n)
{
    const fake_event *e = fake_event_at(s->fake, WEFT_EVENT_HANDLE_CREATE, n);
    assert_non_null(e);
    return e->words[0];
}

#define MAIN  "thread:main"
#define OTHER "thread:kernel/1"

/* ---- locks -------------------------------------------------------------------------------------
 */

static void recursion_is_no_operation(void **state)
{
    const script_step p[] = {
        CALL(RtlEnterCriticalSection, CS),    CALL(RtlEnterCriticalSection, CS),
        CALL(RtlTryEnterCriticalSection, CS), CALL(RtlLeaveCriticalSection, CS),
        CALL(RtlLeaveCriticalSection, CS),    CALL(RtlLeaveCriticalSection, CS),
        CALL(RtlEnterCriticalSection, CS),    END};
    script_thread(s, 0, p, ON(0));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    uint64_t cs = kobject_at(s->k, NULL, CS)->id;
    HISTORY(cs, {ENTER, MAIN}, {LEAVE, MAIN}, {ENTER, MAIN});
    assert_int_equal(op_of(cs, 0)->words[3], 0); /* n-th of its kind on the thread */
    assert_int_equal(op_of(cs, 1)->words[3], 0);
    assert_int_equal(op_of(cs, 2)->words[3], 1);
}

/* The attempt counts when it is made, the acquisition when the owner hands over. */
static void contended_section_is_handed_over(void **state)
{
    const script_step p[] = {CALL(RtlEnterCriticalSection, CS), WORK(1 * MS),
                             CALL(RtlLeaveCriticalSection, CS), WORK(1 * MS), END};
    const script_step q[] = {WORK(10000), CALL(RtlEnterCriticalSection, CS),
                             CALL(RtlLeaveCriticalSection, CS), END};
    script_thread(s, 0, p, ON(0));
    script_thread(s, 1, q, ON(1));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    uint64_t cs = kobject_at(s->k, NULL, CS)->id;
    HISTORY(cs, {ENTER, MAIN}, {CONTENDED, OTHER}, {LEAVE, MAIN}, {WAKE, OTHER}, {LEAVE, OTHER});
    /* in the waiter's stream the hand-over stands between the wait's begin and its end */
    const fake_event *attempt = op_of(cs, 1), *wake = op_of(cs, 3);
    assert_int_equal(attempt[-1].head.kind, WEFT_EVENT_WAIT_BEGIN);
    assert_int_equal(wake[1].head.kind, WEFT_EVENT_WAIT_END);
    assert_true(wake->head.tick >= op_of(cs, 2)->head.tick);
}

static void try_counts_whatever_comes_of_it(void **state)
{
    const script_step p[] = {CALL(RtlTryEnterCriticalSection, CS), WORK(1 * MS),
                             CALL(RtlLeaveCriticalSection, CS), WORK(1 * MS), END};
    const script_step q[] = {WORK(10000), CALL(RtlTryEnterCriticalSection, CS), END};
    script_thread(s, 0, p, ON(0));
    script_thread(s, 1, q, ON(1));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->returned[1][1], 0);
    HISTORY(kobject_at(s->k, NULL, CS)->id, {TRY, MAIN}, {TRY, OTHER}, {LEAVE, MAIN});
}

/* A spin has no queue: only that the lock was got counts, and it does when it was. */
static void spin_lock_counts_what_is_got(void **state)
{
    const script_step p[] = {CALL(KfAcquireSpinLock, LOCK), WORK(1 * MS),
                             CALL(KfReleaseSpinLock, LOCK, 0), WORK(1 * MS), END};
    const script_step q[] = {WORK(10000),
                             CALL(KeRaiseIrqlToDpcLevel, 0),
                             CALL(KeTryToAcquireSpinLockAtRaisedIrql, LOCK),
                             CALL(KeAcquireSpinLockAtRaisedIrql, LOCK),
                             CALL(KeReleaseSpinLockFromRaisedIrql, LOCK),
                             CALL(KfLowerIrql, 0),
                             END};
    script_thread(s, 0, p, ON(0));
    script_thread(s, 1, q, ON(1));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    HISTORY(named("spinlock:"), {ENTER, MAIN}, {TRY, OTHER}, {LEAVE, MAIN}, {ENTER, OTHER},
            {LEAVE, OTHER});
}

/* ---- waits -------------------------------------------------------------------------------------
 */

/* One operation where the wait is over at once: what it found was settled by its number. */
static void satisfied_wait_is_one_operation(void **state)
{
    const script_step p[] = {CALL(NtCreateEvent, H, 0, 1, 1),
                             CALL(NtWaitForSingleObjectEx, AT(H), 1, 0, 0), END};
    script_thread(s, 0, p, ON(0));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    HISTORY(created(0), {WAIT, MAIN});
}

static void poll_is_one_operation(void **state)
{
    set_quad(s, T, 0);
    const script_step p[] = {CALL(NtCreateEvent, H, 0, 1, 0),
                             CALL(NtWaitForSingleObjectEx, AT(H), 1, 0, T), END};
    script_thread(s, 0, p, ON(0));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->returned[0][1], STATUS_TIMEOUT);
    HISTORY(created(0), {WAIT, MAIN});
}

static void wait_for_any_wakes_by_one(void **state)
{
    const script_step p[] = {CALL(NtCreateEvent, H, 0, 1, 0),
                             CALL(NtCreateEvent, H2, 0, 1, 0),
                             WORK(1 * MS),
                             CALL(NtSetEvent, AT(H2), 0),
                             WORK(1 * MS),
                             END};
    const script_step q[] = {WORK(10000), CALL(NtWaitForMultipleObjectsEx, 2, LIST, 1, 1, 0, 0),
                             END};
    script_thread(s, 0, p, ON(0));
    script_thread(s, 1, q, ON(1));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->returned[1][1], STATUS_WAIT_0 + 1);
    HISTORY(created(0), {WAIT, OTHER});
    HISTORY(created(1), {WAIT, OTHER}, {SIGNAL, MAIN}, {WAKE, OTHER});
    /* in argument order */
    assert_int_equal(op_of(created(0), 0)->words[3], 0);
    assert_int_equal(op_of(created(1), 0)->words[3], 1);
}

/* All are taken at once, when the last of them is signalled. */
static void wait_for_all_wakes_by_all(void **state)
{
    const script_step p[] = {CALL(NtCreateEvent, H, 0, 1, 0),
                             CALL(NtCreateSemaphore, H2, 0, 0, 9),
                             WORK(1 * MS),
                             CALL(NtReleaseSemaphore, AT(H2), 1, 0),
                             CALL(NtSetEvent, AT(H), 0),
                             WORK(1 * MS),
                             END};
    const script_step q[] = {WORK(10000), CALL(NtWaitForMultipleObjectsEx, 2, LIST, 0, 1, 0, 0),
                             END};
    script_thread(s, 0, p, ON(0));
    script_thread(s, 1, q, ON(1));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    HISTORY(created(0), {WAIT, OTHER}, {SIGNAL, MAIN}, {WAKE, OTHER});
    HISTORY(created(1), {WAIT, OTHER}, {SIGNAL, MAIN}, {WAKE, OTHER});
}

/* The number is that of the moment at which time ran out: a signal that comes before the thread goes
 * on again has a later one. */
static void timeout_has_its_place_among_signals(void **state)
{
    const script_step p[] = {CALL(NtCreateEvent, H, 0, 1, 0), WORK(2 * MS),
                             CALL(NtSetEvent, AT(H), 0), WORK(1 * MS), END};
    const script_step q[] = {WORK(10000), CALL(NtWaitForSingleObjectEx, AT(H), 1, 0, T),
                             CALL(NtWaitForSingleObjectEx, AT(H), 1, 0, 0), END};
    script_thread(s, 0, p, ON(0));
    script_thread(s, 1, q, ON(1));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->returned[1][1], STATUS_TIMEOUT);
    HISTORY(created(0), {WAIT, OTHER}, {TIMEOUT, OTHER}, {WAIT, OTHER}, {SIGNAL, MAIN},
            {WAKE, OTHER});
}

/* Object 0: it is no operation on an order, but one of the thread's waits. */
static void delay_waits_for_no_object(void **state)
{
    const script_step p[] = {CALL(KeDelayExecutionThread, 0, 0, T),
                             CALL(KeDelayExecutionThread, 0, 0, T), END};
    script_thread(s, 0, p, ON(0));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    const fake_event *first = fake_event_at(s->fake, WEFT_EVENT_SYNC_OP, 0);
    const fake_event *second = fake_event_at(s->fake, WEFT_EVENT_SYNC_OP, 1);
    const uint64_t expected[2][4] = {{WAIT, 0, 0, 0}, {WAIT, 0, 0, 1}};
    assert_memory_equal(first->words, expected[0], sizeof expected[0]);
    assert_memory_equal(second->words, expected[1], sizeof expected[1]);
}

/* ---- signals -----------------------------------------------------------------------------------
 */

static void resets_and_failed_releases_count(void **state)
{
    const script_step p[] = {CALL(NtCreateEvent, H, 0, 1, 0),
                             CALL(NtSetEvent, AT(H), 0),
                             CALL(NtClearEvent, AT(H)),
                             CALL(NtPulseEvent, AT(H), 0),
                             CALL(NtCreateSemaphore, H2, 0, 1, 1),
                             CALL(NtReleaseSemaphore, AT(H2), 1, 0),
                             END};
    script_thread(s, 0, p, ON(0));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    HISTORY(created(0), {SIGNAL, MAIN}, {RESET, MAIN}, {SIGNAL, MAIN});
    assert_int_equal(s->returned[0][5],
                     (uint64_t)(int64_t)(int32_t)STATUS_SEMAPHORE_LIMIT_EXCEEDED);
    HISTORY(created(1), {SIGNAL, MAIN});
}

/* What no thread does is in the stream of the source that does it. */
static void timer_is_signalled_by_its_source(void **state)
{
    const script_step p[] = {
        CALL(KeInitializeTimerEx, TIMER, 1, 0), CALL(KeSetTimer, TIMER, RELATIVE_MS(1), 0),
        CALL(KeWaitForSingleObject, TIMER, 0, 0, 0, 0), CALL(KeCancelTimer, TIMER), END};
    script_thread(s, 0, p, ON(0));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    HISTORY(named("timer:"), {RESET, MAIN}, {WAIT, MAIN}, {SIGNAL, "source:timer"}, {WAKE, MAIN},
            {RESET, MAIN});
}

/* A thread that ends signals itself and the mutants that it still has; thread.exit stays its last. */
static void end_of_a_thread_signals(void **state)
{
    const script_step p[] = {CALL(NtCreateMutant, OUT, 0, 0),
                             CALL(ExCreateThread, H, 0x4000, 0, 0, PROGRAM(1), 0, ON(1)),
                             CALL(NtWaitForSingleObjectEx, AT(H), 1, 0, 0), END};
    const script_step child[] = {CALL(NtWaitForSingleObjectEx, AT(OUT), 1, 0, 0), WORK(1000), END};
    s->programs[1] = child;
    script_thread(s, 0, p, ON(0));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    HISTORY(created(0), {WAIT, "thread:main/0"}, {SIGNAL, "thread:main/0"});
    HISTORY(created(1), {WAIT, MAIN}, {SIGNAL, "thread:main/0"}, {WAKE, MAIN});
    const fake_event *exit = fake_event_at(s->fake, WEFT_EVENT_THREAD_EXIT, 0);
    assert_true(exit > op_of(created(1), 1));
}

/* ---- identity ----------------------------------------------------------------------------------
 */

/* Memory that is given out again holds other objects, whatever their address. */
static void freed_memory_holds_new_objects(void **state)
{
    uint64_t ids[2];
    for (int i = 0; i < 2; i++) {
        uint32_t address = 0x40400000, size = 0x1000;
        assert_int_equal(mm_virtual_alloc(s->k->mm, NULL, &address, &size, MM_COMMIT | MM_RESERVE,
                                          MM_PAGE_READWRITE),
                         STATUS_SUCCESS);
        assert_int_equal(address, 0x40400000);
        kcs_init(s->k, address + 0x40, 0);
        kobject *o = kobject_at(s->k, NULL, address + 0x40);
        assert_non_null(o);
        ids[i] = o->id;
        assert_int_equal(o->operations, 0);
        o->operations = 7;
        size = 0;
        assert_int_equal(mm_virtual_free(s->k->mm, &address, &size, MM_RELEASE), STATUS_SUCCESS);
    }
    assert_int_not_equal(ids[0], ids[1]);
}

/* What the header says is there, also where the kernel has met something else at the place before. */
static void memory_that_holds_something_else_has_another_name(void **state)
{
    const script_step p[] = {CALL(RtlEnterCriticalSection, CS), CALL(RtlLeaveCriticalSection, CS),
                             STORE(CS, 0x05000000), /* a semaphore's type */
                             CALL(RtlEnterCriticalSection, CS), END};
    script_thread(s, 0, p, ON(0));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    HISTORY(named("event:"), {ENTER, MAIN}, {LEAVE, MAIN});
    HISTORY(named("semaphore:"), {ENTER, MAIN});
}

/* The policy is asked about each operation with the number that the event then has. */
static struct {
    uint32_t count;
    weft_sync_op ops[64];
} seen;

static uint32_t all_kinds(void *instance)
{
    return ((1u << WEFT_SYNC_KINDS) - 1) & ~(1u << WEFT_SYNC_CALL);
}

static uint32_t note(void *instance, const weft_sched_view *view, const weft_sync_op *op,
                     uint64_t *amount)
{
    seen.ops[seen.count++ % 64] = *op;
    return WEFT_ANSWER_GO;
}

/* Lets a thread end only once somebody waits for it. */
static uint32_t hold_end(void *instance, const weft_sched_view *view, const weft_sync_op *op,
                         uint64_t *amount)
{
    *amount = 0;
    return op->kind == WEFT_SYNC_SIGNAL && op->sequence == 0 ? WEFT_ANSWER_HOLD : WEFT_ANSWER_GO;
}

/* docs/policy.md: a thread's end is asked about as the signal that it is; held, it changes nothing. */
static void end_of_a_thread_is_asked_about(void **state)
{
    static const weft_policy_ops ops = {
        .size = sizeof ops, .subscribe = all_kinds, .before = hold_end};
    script_step first[] = {WORK(50000), CALL(KeWaitForSingleObject, 0, 3, 1, 0, 0), END};
    const script_step other[] = {CALL(ExTerminateThread, 7), END};
    s->k->policy = &ops;
    script_thread(s, 0, first, ON(0));
    kthread *t = script_thread(s, 1, other, ON(1));
    first[1].arguments[0] = t->object->body;
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->returned[0][1], STATUS_SUCCESS);
    const fake_event *wait = fake_event_at(s->fake, WEFT_EVENT_SYNC_OP, 0);
    const fake_event *end = fake_event_at(s->fake, WEFT_EVENT_SYNC_OP, 1);
    assert_int_equal(wait->words[0], WEFT_SYNC_WAIT);
    assert_int_equal(end->words[0], WEFT_SYNC_SIGNAL);
    assert_int_equal(end->words[1], wait->words[1]);
    assert_int_equal(end->words[2], 1);
}

static void policy_is_asked_about_each(void **state)
{
    static const weft_policy_ops ops = {
        .size = sizeof ops,
        .subscribe = all_kinds,
        .before = note,
    };
    memset(&seen, 0, sizeof seen);
    s->k->policy = &ops;
    const script_step p[] = {CALL(NtCreateEvent, H, 0, 1, 0),
                             CALL(NtCreateEvent, H2, 0, 1, 0),
                             CALL(RtlEnterCriticalSection, CS),
                             CALL(RtlLeaveCriticalSection, CS),
                             CALL(RtlTryEnterCriticalSection, CS),
                             CALL(KfAcquireSpinLock, LOCK),
                             CALL(KfReleaseSpinLock, LOCK, 0),
                             CALL(NtSetEvent, AT(H), 0),
                             CALL(NtClearEvent, AT(H)),
                             CALL(NtWaitForMultipleObjectsEx, 2, LIST, 1, 1, 0, T),
                             CALL(KeInitializeTimerEx, TIMER, 1, 0),
                             CALL(KeSetTimer, TIMER, RELATIVE_MS(1), 0),
                             CALL(KeCancelTimer, TIMER),
                             END};
    script_thread(s, 0, p, ON(0));
    s->k->first_thread = NULL;
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    const uint32_t kinds[] = {ENTER, LEAVE, TRY,     ENTER,   LEAVE, SIGNAL, RESET,
                              WAIT,  WAIT,  TIMEOUT, TIMEOUT, RESET, RESET};
    uint32_t count = sizeof kinds / sizeof kinds[0];
    assert_int_equal(seen.count, count);
    for (uint32_t i = 0; i < count; i++) {
        const fake_event *e = fake_event_at(s->fake, WEFT_EVENT_SYNC_OP, i);
        assert_int_equal(seen.ops[i].kind, kinds[i]);
        assert_int_equal(e->words[0], seen.ops[i].kind);
        assert_int_equal(e->words[1], seen.ops[i].object);
        assert_int_equal(e->words[2], seen.ops[i].sequence);
        assert_int_equal(e->words[3], seen.ops[i].index);
        assert_int_equal(e->head.thread, seen.ops[i].thread);
    }
    /* the end of the thread is its last operation, and nothing that could be held */
    const fake_event *end = fake_event_at(s->fake, WEFT_EVENT_SYNC_OP, count);
    assert_int_equal(end->words[0], SIGNAL);
    assert_null(fake_event_at(s->fake, WEFT_EVENT_SYNC_OP, count + 1));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(recursion_is_no_operation),
        T(contended_section_is_handed_over),
        T(try_counts_whatever_comes_of_it),
        T(spin_lock_counts_what_is_got),
        T(satisfied_wait_is_one_operation),
        T(poll_is_one_operation),
        T(wait_for_any_wakes_by_one),
        T(wait_for_all_wakes_by_all),
        T(timeout_has_its_place_among_signals),
        T(delay_waits_for_no_object),
        T(resets_and_failed_releases_count),
        T(timer_is_signalled_by_its_source),
        T(end_of_a_thread_signals),
        T(freed_memory_holds_new_objects),
        T(memory_that_holds_something_else_has_another_name),
        T(end_of_a_thread_is_asked_about),
        T(policy_is_asked_about_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
