/* What is said of a title that cannot go on: the cycle of threads, objects and call sites, or who
 * waits for what. docs/kernel.md ("Deadlock"); the cycles here are made by hand. */
#include <stdio.h>
#include <string.h>

#include "ordinals.h"
#include "sched.h"
#include "script.h"

#define PROGRAM(n) (SCRIPT_BASE + (n)*4 * SCRIPT_STEPS)

static script *s;
static uint32_t H, M, A, B, LIST;

static int setup(void **state)
{
    s = script_open();
    H = LIST = s->scratch;
    M = s->scratch + 4;
    A = s->scratch + 0x80;
    B = s->scratch + 0xC0;
    kcs_init(s->k, A, 0);
    kcs_init(s->k, B, 0);
    return 0;
}

static int teardown(void **state)
{
    script_close(s);
    return 0;
}

static void assert_reason(const char *const *parts, uint32_t count)
{
    const char *at = s->k->reason;
    for (uint32_t i = 0; i < count; i++) {
        const char *found = strstr(at, parts[i]);
        if (!found) {
            fail_msg("'%s' lacks '%s' behind '%s'", s->k->reason, parts[i],
                     i ? parts[i - 1] : "its beginning");
        }
        at = found + strlen(parts[i]);
    }
}
#define REASON(...)                                                                                \
    assert_reason((const char *const[]){__VA_ARGS__},                                              \
                  sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

/* "0x82000014": behind the call that is step n of a program. */
static const char *site(uint32_t program, uint32_t step)
{
    static char texts[4][16];
    static uint32_t next;
    char *text = texts[next++ % 4];
    snprintf(text, sizeof texts[0], "0x%08x", PROGRAM(program) + 4 * (step + 1));
    return text;
}

/* The textbook's: each has one lock and wants the other's. A third thread that waits for one of them
 * is no part of the cycle, but of the log. */
static void two_locks_taken_in_both_orders(void **state)
{
    const script_step p[] = {CALL(RtlEnterCriticalSection, A), WORK(1 * MS),
                             CALL(RtlEnterCriticalSection, B), END};
    const script_step q[] = {CALL(RtlEnterCriticalSection, B), WORK(1 * MS),
                             CALL(RtlEnterCriticalSection, A), END};
    const script_step r[] = {WORK(2 * MS), CALL(RtlEnterCriticalSection, A), END};
    script_thread(s, 0, p, ON(0));
    script_thread(s, 1, q, ON(1));
    script_thread(s, 2, r, ON(2));
    assert_int_equal(script_run(s, 0), WEFT_END_DEADLOCK);
    REASON("thread 1 (main) waits at", site(0, 2), "for critical section event:",
           "+0xc0~0, which thread 2 has; thread 2 (kernel/1) waits at", site(1, 2),
           "for critical section event:", "+0x80~0, which thread 1 has");
    assert_null(strstr(s->k->reason, "thread 3"));
    assert_non_null(strstr(s->fake->logged, "thread 3 (kernel/2) waits at")); /* the last line */
    assert_non_null(strstr(s->fake->logged, "which thread 1 has"));
}

/* Round three corners: a mutant, a critical section, and the end of a thread. */
static void cycle_through_mutant_section_and_thread(void **state)
{
    const script_step p[] = {CALL(NtCreateMutant, M, 0, 1),
                             CALL(ExCreateThread, H, 0x4000, 0, 0, PROGRAM(1), 0, ON(1)),
                             CALL(ExCreateThread, H + 8, 0x4000, 0, 0, PROGRAM(2), 0, ON(2)),
                             CALL(NtWaitForSingleObjectEx, AT(H), 1, 0, 0), END};
    const script_step child[] = {WORK(1 * MS), CALL(RtlEnterCriticalSection, A), END};
    const script_step holder[] = {CALL(RtlEnterCriticalSection, A),
                                  CALL(NtWaitForSingleObjectEx, AT(M), 1, 0, 0), END};
    s->programs[1] = child;
    s->programs[2] = holder;
    script_thread(s, 0, p, ON(0));
    assert_int_equal(script_run(s, 0), WEFT_END_DEADLOCK);
    REASON("thread 1 (main) waits at", site(0, 3), "for thread:main@",
           ", which is thread 2; thread 2 (main/0) waits at", site(1, 1),
           "for critical section event:", "which thread 3 has; thread 3 (main/1) waits at",
           site(2, 1), "for mutant:main@", "which thread 1 has");
}

/* Nobody has an event: no cycle, and every thread is in the reason. */
static void no_cycle_names_every_thread(void **state)
{
    const script_step p[] = {CALL(NtCreateEvent, H, 0, 1, 0), CALL(NtCreateSemaphore, M, 0, 0, 1),
                             WORK(1 * MS), CALL(NtWaitForMultipleObjectsEx, 2, LIST, 1, 1, 0, 0),
                             END};
    const script_step q[] = {END};
    script_thread(s, 0, p, ON(0));
    script_thread(s, 1, q, ON(1) | SUSPENDED);
    assert_int_equal(script_run(s, 0), WEFT_END_DEADLOCK);
    REASON("no thread can run and nothing is due; thread 1 (main) waits at", site(0, 3),
           " for event:main@", " or semaphore:main@", "; thread 2 (kernel/1) is suspended");
}

/* A thread that ended inside: the section has an owner that will never leave it. */
static void owner_that_has_ended(void **state)
{
    const script_step p[] = {WORK(1 * MS), CALL(RtlEnterCriticalSection, A), END};
    const script_step q[] = {CALL(RtlEnterCriticalSection, A), END};
    script_thread(s, 0, p, ON(0));
    script_thread(s, 1, q, ON(1));
    assert_int_equal(script_run(s, 0), WEFT_END_DEADLOCK);
    REASON("no thread can run", "for critical section event:", "which a thread that has ended has");
}

/* With any of several objects it could go on: what one of them lacks is no link of a cycle. */
static void wait_for_any_is_no_link(void **state)
{
    const script_step p[] = {CALL(NtCreateMutant, H, 0, 1), CALL(NtCreateEvent, M, 0, 1, 0),
                             WORK(100000), CALL(RtlEnterCriticalSection, A), END};
    const script_step q[] = {CALL(RtlEnterCriticalSection, A), WORK(1 * MS),
                             CALL(NtWaitForMultipleObjectsEx, 2, LIST, 1, 1, 0, 0), END};
    script_thread(s, 1, q, ON(1));
    script_thread(s, 0, p, ON(0));
    assert_int_equal(script_run(s, 0), WEFT_END_DEADLOCK);
    REASON("no thread can run", " or event:", "which thread 1 has");
}

/* ---- while callbacks run -----------------------------------------------------------------------
 * A thread of the audio's kind: a source wakes it twice a second, which is no sign that anybody else
 * will ever go on, but what it does may be what somebody waits for. */

static uint32_t source;

static void beat(void *context, uint64_t tick, uint64_t count)
{
    kernel *k = context;
    uint64_t before = ksource_begin(k, KSOURCE_AUDIO);
    ksignal_event(k, kobject_at(k, NULL, s->scratch + 0x100));
    k->clock->schedule(k->clock, source, tick + 500 * MS, count + 1);
    ksource_end(k, before);
}

#define BEAT   CALL(KeWaitForSingleObject, s->scratch + 0x100, 3, 1, 0, 0)
#define BEATS  BEAT, BEAT, BEAT, BEAT, BEAT, BEAT, BEAT, BEAT
#define WORKER CALL(KeInitializeEvent, s->scratch + 0x100, 1, 0), BEATS, BEATS

static void start_worker(uint32_t number, const script_step *program)
{
    s->k->audio.worker = script_thread(s, number, program, ON(5))->id;
    s->k->clock->source_add(s->k->clock, "beat", WEFT_RANK_AUDIO, beat, s->k, &source);
    s->k->clock->schedule(s->k->clock, source, 500 * MS, 1);
}

static void cycle_beside_the_audio(void **state)
{
    const script_step p[] = {CALL(RtlEnterCriticalSection, A), WORK(1 * MS),
                             CALL(RtlEnterCriticalSection, B), END};
    const script_step q[] = {CALL(RtlEnterCriticalSection, B), WORK(1 * MS),
                             CALL(RtlEnterCriticalSection, A), END};
    const script_step worker[] = {WORKER, BEATS, BEATS, END};
    script_thread(s, 0, p, ON(0));
    script_thread(s, 1, q, ON(1));
    start_worker(2, worker);
    assert_int_equal(script_run(s, 0), WEFT_END_DEADLOCK);
    assert_int_equal(s->k->live_threads, 3); /* the worker, too */
    REASON("thread 1 (main) waits at", "which thread 2 has; thread 2 (kernel/1) waits at",
           "which thread 1 has");
}

/* After 8 s it sets an event: nobody may call that a deadlock before. */
static void audio_may_be_waited_for(void **state)
{
    const script_step p[] = {CALL(NtCreateEvent, H, 0, 1, 0), WORK(1 * MS),
                             CALL(NtWaitForSingleObjectEx, AT(H), 1, 0, 0), MARK(1), END};
    const script_step worker[] = {WORKER, CALL(NtSetEvent, AT(H), 0), BEATS, END};
    script_thread(s, 0, p, ON(0));
    start_worker(1, worker);
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->log_count, 1);
}

/* A cycle that does not keep the first thread from ending the title: told at the second look. */
static void cycle_beside_others_is_told(void **state)
{
    const script_step p[] = {WORK(5 * MS), END};
    const script_step q[] = {CALL(RtlEnterCriticalSection, A), WORK(1 * MS),
                             CALL(RtlEnterCriticalSection, B), END};
    const script_step r[] = {CALL(RtlEnterCriticalSection, B), WORK(1 * MS),
                             CALL(RtlEnterCriticalSection, A), END};
    script_thread(s, 0, p, ON(0));
    script_thread(s, 1, q, ON(1));
    script_thread(s, 2, r, ON(2));
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    kdeadlock_watch(s->k);
    assert_null(strstr(s->fake->logged, "for ever"));
    kdeadlock_watch(s->k);
    assert_non_null(strstr(s->fake->logged, "threads wait for each other for ever: thread 2"));
    s->fake->logged[0] = 0;
    kdeadlock_watch(s->k);
    assert_null(strstr(s->fake->logged, "for ever"));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(two_locks_taken_in_both_orders), T(cycle_through_mutant_section_and_thread),
        T(no_cycle_names_every_thread),    T(owner_that_has_ended),
        T(wait_for_any_is_no_link),        T(cycle_beside_the_audio),
        T(audio_may_be_waited_for),        T(cycle_beside_others_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
