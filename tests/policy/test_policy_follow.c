/* policy-follow against a kernel of a few lines: threads with lists of operations, which take turns and
 * are held, asked again and let go as weft/policy.h says. The manifests are written by hand, right ones
 * and ones that are wrong in a known way; what must come of each was worked out from docs/policy.md,
 * "policy-follow". A run never stands still: the kernel counts its steps. */
#include <unistd.h>

#include "run/weft_run.h"
#include "tracer/fake_host.h"

#include "views.h"

#define THREADS 3
#define MOST    64
#define STEPS   100000
#define E       WEFT_SYNC_ENTER
#define L       WEFT_SYNC_LEAVE
#define S       WEFT_SYNC_SIGNAL
#define T       WEFT_SYNC_TRY
#define A       UINT64_C(0xa) /* objects */
#define B       UINT64_C(0xb)

/* policy.replay's `what` (docs/policy.md). */
enum {
    STUCK = 1,
    AGED,
    STARVED,
    EARLY,
    LATE,
    SKIPPED,
    OFF_SCRIPT,
    EXTRA,
    NO_OBJECT,
    NO_THREAD,
    ABSENT,
    GAVE_UP,
    POSTPONED
};

typedef struct planned {
    uint64_t object;
    uint32_t kind;
} planned;

typedef struct toy {
    fake_host fake;
    const weft_policy_ops *ops;
    views v;
    planned plans[THREADS][MOST];
    uint32_t planned[THREADS], done[THREADS], granted[THREADS];
    uint64_t step_ticks;                /* of guest time that a turn takes */
    int source;                         /* 1: thread 2 is no thread: it is not asked */
    int busy;                           /* 1: something is always due, so nobody is ever stuck */
    char order[2 * THREADS * MOST + 1]; /* thread and object of each operation */
    uint32_t what[16];                  /* events by what */
    uint64_t outcome[16];               /* of the last of each */
} toy;

static toy *now_running;

static void on_emit(const weft_host *host, weft_event *event)
{
    const uint64_t *words = (const uint64_t *)(event + 1);
    assert_int_equal(event->kind, WEFT_EVENT_POLICY_REPLAY);
    assert_int_equal(event->category, WEFT_CLASS_DECISION);
    assert_int_equal(event->size, sizeof *event + 4 * 8);
    assert_in_range(words[0], 0, 15);
    now_running->what[words[0]]++;
    now_running->outcome[words[0]] = words[1];
}

static int setup(void **state)
{
    toy *t = calloc(1, sizeof *t);
    fake_load(&t->fake, "policy-follow");
    t->fake.host.emit = on_emit;
    t->step_ticks = 1000;
    views_init(&t->v);
    for (uint32_t i = 0; i < THREADS; i++) {
        views_thread(&t->v, i, 8, i); /* identities 0xa0, 0xa1, 0xa2 */
    }
    now_running = t;
    *state = t;
    return 0;
}

static int teardown(void **state)
{
    toy *t = *state;
    fake_close(&t->fake);
    free(t);
    return 0;
}

/* Objects with their orders; threads 0..2 are those of the toy, 3 is one that never comes. */
static void follow(toy *t, const char *order_a, int a, const char *order_b, int b)
{
    char *path = scratch_file("order.json");
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fprintf(file, "{\"version\":2,\"resolution\":0,\"threads\":[");
    for (unsigned i = 0; i < 4; i++) {
        fprintf(file, "%s{\"id\":\"00000000000000%02x\"}", i ? "," : "", i < 3 ? 0xa0 + i : 0xff);
    }
    fprintf(file, "],\"objects\":[");
    fprintf(file,
            "{\"id\":\"000000000000000a\",\"first\":0,\"operations\":%d,\"at\":\"%s\","
            "\"order\":\"%s\"}",
            a, a > 16 ? "10 90" : "10", order_a);
    if (order_b) {
        fprintf(file,
                ",{\"id\":\"000000000000000b\",\"first\":0,\"operations\":%d,\"at\":\"20\","
                "\"order\":\"%s\"}",
                b, order_b);
    }
    fprintf(file, "]}\n");
    fclose(file);
    fake_set(&t->fake, "order", path);
    t->ops = fake_create(&t->fake);
    free(path);
}

static void plan(toy *t, uint32_t thread, uint64_t object, uint32_t kind)
{
    t->plans[thread][t->planned[thread]++] = (planned){object, kind};
}

static weft_sync_op next_of(toy *t, uint32_t thread, const uint64_t *numbers)
{
    const planned *p = &t->plans[thread][t->done[thread]];
    return (weft_sync_op){
        .size = sizeof(weft_sync_op),
        .kind = p->kind,
        .thread = t->v.threads[thread].id,
        .object = p->object,
        .sequence = numbers[p->object],
    };
}

/* The threads take turns in order of number, one operation each, for as long as they are let. */
static void run(toy *t)
{
    uint64_t numbers[16] = {0}, amount;
    uint32_t left = 0, idle = 0, at = 0;
    for (uint32_t i = 0; i < THREADS; i++) {
        left += t->planned[i];
        if (t->planned[i]) {
            t->ops->thread_start(t->fake.instance, t->v.threads[i].id, 0);
        }
    }
    for (uint32_t step = 0; left > 0; step++) {
        uint32_t i = step % THREADS;
        assert_true(step < STEPS);
        t->v.view.now += t->step_ticks;
        if (t->done[i] == t->planned[i]) {
            idle++;
        } else {
            weft_sync_op op = next_of(t, i, numbers);
            int asked = !t->granted[i] && !(t->source && i == 2);
            if (asked &&
                t->ops->before(t->fake.instance, &t->v.view, &op, &amount) == WEFT_ANSWER_HOLD) {
                idle++;
            } else {
                t->order[at++] = (char)('0' + i);
                t->order[at++] = op.object == A ? 'a' : 'b';
                numbers[op.object]++;
                t->done[i]++;
                t->granted[i] = 0;
                idle = 0;
                left--;
                t->ops->after(t->fake.instance, &t->v.view, &op);
                if (t->done[i] == t->planned[i]) {
                    t->ops->thread_end(t->fake.instance, op.thread);
                }
            }
        }
        if (idle >= THREADS && left > 0 && !t->busy) {
            uint64_t id = t->ops->stuck(t->fake.instance, &t->v.view);
            assert_in_range(id, 0xa0, 0xa2);
            assert_true(t->done[id - 0xa0] < t->planned[id - 0xa0]);
            t->granted[id - 0xa0] = 1;
            idle = 0;
        }
    }
}

static void both(toy *t, uint32_t times)
{
    for (uint32_t i = 0; i < times; i++) {
        for (uint32_t thread = 0; thread < 2; thread++) {
            plan(t, thread, A, E);
            plan(t, thread, A, L);
        }
    }
}

static uint32_t relaxed(const toy *t)
{
    return t->what[STUCK] + t->what[AGED] + t->what[STARVED];
}

static void nothing_but(const toy *t, uint32_t what)
{
    for (uint32_t i = 1; i < 16; i++) {
        if (i != what && t->what[i]) {
            fail_msg("%u events of what %u (expected none)", t->what[i], i);
        }
    }
}

/* ---- who runs ---------------------------------------------------------------------------------- */

static void on_its_own(toy *t, uint32_t thread, uint64_t time)
{
    t->v.threads[thread].hw = thread;
    t->v.threads[thread].affinity = 1u << thread;
    t->v.hw[thread] = (weft_sched_hw){.time = time, .current = -1, .ready = 1};
}

static uint32_t pick(toy *t)
{
    uint64_t slice = WEFT_TICK_NEVER;
    uint32_t hw = t->ops->pick_cpu(t->fake.instance, &t->v.view, &slice);
    assert_true(slice == WEFT_TICK_NEVER);
    assert_int_equal(t->ops->pick_next(t->fake.instance, &t->v.view, hw), hw);
    return hw;
}

static uint32_t attempt(toy *t, uint32_t thread, uint32_t kind, uint64_t number)
{
    uint64_t amount = 0;
    weft_sync_op op = {.size = sizeof op,
                       .kind = kind,
                       .thread = t->v.threads[thread].id,
                       .object = A,
                       .sequence = number};
    uint32_t answer = t->ops->before(t->fake.instance, &t->v.view, &op, &amount);
    if (answer == WEFT_ANSWER_GO) {
        t->ops->after(t->fake.instance, &t->v.view, &op);
    }
    t->v.threads[thread].state = answer == WEFT_ANSWER_GO ? WEFT_THREAD_READY : WEFT_THREAD_WAITING;
    t->v.hw[thread].ready = answer == WEFT_ANSWER_GO;
    return answer;
}

/* "Whom the held ones wait for goes first, then who of them need not wait any more", within 100 us;
 * else the least time. Thread 2 has that all along. */
static void who_is_waited_for_goes_first(void **state)
{
    toy *t = *state;
    follow(t, "1el0el2el", 6, NULL, 0);
    for (uint32_t i = 0; i < THREADS; i++) {
        on_its_own(t, i, 60000 - 20000 * i);
        t->ops->thread_start(t->fake.instance, t->v.threads[i].id, 0);
    }
    t->v.view.now = 20000;
    assert_int_equal(pick(t), 2);
    assert_int_equal(attempt(t, 0, E, 0), WEFT_ANSWER_HOLD);
    assert_int_equal(pick(t), 1);
    t->v.hw[1].time = 120001;
    assert_int_equal(pick(t), 2);
    t->v.hw[1].time = 120000;
    assert_int_equal(attempt(t, 1, E, 0), WEFT_ANSWER_GO);
    assert_int_equal(pick(t), 1);
    assert_int_equal(attempt(t, 1, L, 1), WEFT_ANSWER_GO);
    t->v.threads[0].state = WEFT_THREAD_READY; /* its number has come */
    t->v.hw[0].ready = 1;
    assert_int_equal(pick(t), 0);
    assert_int_equal(attempt(t, 0, E, 2), WEFT_ANSWER_GO);
    assert_int_equal(pick(t), 2);
    nothing_but(t, 0);
}

/* ---- in order ---------------------------------------------------------------------------------- */

/* Left alone they take turns, 0 first: 0 1 0 1 0 1 0 1. */
static void order_of_the_reference_is_kept(void **state)
{
    toy *t = *state;
    follow(t, "1elel0elel", 8, NULL, 0);
    both(t, 2);
    run(t);
    assert_string_equal(t->order, "1a1a1a1a0a0a0a0a");
    nothing_but(t, 0);
}

static void another_order_is_kept_as_well(void **state)
{
    toy *t = *state;
    follow(t, "0el1el1el0el", 8, NULL, 0);
    both(t, 2);
    run(t);
    assert_string_equal(t->order, "0a0a1a1a1a1a0a0a");
    nothing_but(t, 0);
}

/* Whether a section is found held is what the order decides: c in the file is an enter too. */
static void contended_enters_are_enters(void **state)
{
    toy *t = *state;
    follow(t, "1e0c1l0l", 4, NULL, 0);
    both(t, 1);
    run(t);
    assert_string_equal(t->order, "1a0a1a0a");
    nothing_but(t, 0);
}

/* docs/trace.md, `after`: left alone 0 goes first, and nothing on its object keeps it. */
static void links_order_objects(void **state)
{
    toy *t = *state;
    follow(t, "1s", 1, "0s\",\"after\":\"0<0.0", 1);
    plan(t, 0, B, S);
    plan(t, 1, A, S);
    run(t);
    assert_string_equal(t->order, "1a0b");
    nothing_but(t, 0);
}

/* Also where nobody else has done anything since the thread's latest turn there. */
static void links_bind_later_operations(void **state)
{
    toy *t = *state;
    uint64_t numbers[16] = {0}, amount;
    follow(t, "1s1s", 2, "0s0s0s\",\"after\":\"2<0.1", 3);
    for (int i = 0; i < 3; i++) {
        plan(t, 0, B, S);
    }
    t->ops->thread_start(t->fake.instance, t->v.threads[0].id, 0);
    t->ops->thread_start(t->fake.instance, t->v.threads[1].id, 0);
    for (; t->done[0] < 2; t->done[0]++, numbers[B]++) {
        weft_sync_op op = next_of(t, 0, numbers);
        assert_int_equal(t->ops->before(t->fake.instance, &t->v.view, &op, &amount),
                         WEFT_ANSWER_GO);
        t->ops->after(t->fake.instance, &t->v.view, &op);
    }
    weft_sync_op op = next_of(t, 0, numbers);
    assert_int_equal(t->ops->before(t->fake.instance, &t->v.view, &op, &amount), WEFT_ANSWER_HOLD);
}

/* Each after the other, which cannot be: one is let go, once. */
static void links_in_a_circle_are_relaxed(void **state)
{
    toy *t = *state;
    follow(t, "1s\",\"after\":\"0<1.0", 1, "0s\",\"after\":\"0<0.0", 1);
    plan(t, 0, B, S);
    plan(t, 1, A, S);
    run(t);
    assert_int_equal(strlen(t->order), 4);
    assert_int_equal(t->what[STUCK], 1);
    nothing_but(t, STUCK);
}

static void objects_are_ordered_one_by_one(void **state)
{
    toy *t = *state;
    follow(t, "1s0s", 2, "0s1s", 2);
    plan(t, 0, B, S);
    plan(t, 0, A, S);
    plan(t, 1, A, S);
    plan(t, 1, B, S);
    run(t);
    assert_string_equal(t->order, "0b1a0a1b");
    nothing_but(t, 0);
}

static void beyond_the_reference_everybody_goes(void **state)
{
    toy *t = *state;
    follow(t, "1s", 1, NULL, 0);
    plan(t, 0, A, S);
    plan(t, 1, A, S);
    plan(t, 1, A, S);
    run(t);
    assert_int_equal(t->done[0] + t->done[1], 3);
    nothing_but(t, 0);
}

/* ---- the ladder -------------------------------------------------------------------------------- */

/* 0 holds back for 1 on A, 1 for 0 on B: no order of the reference was like that. Of the two A's stands
 * earlier in it (10 and 20). */
static void stuck_lets_the_earliest_go(void **state)
{
    toy *t = *state;
    follow(t, "1s0s", 2, "0s1s", 2);
    plan(t, 0, A, S);
    plan(t, 0, B, S);
    plan(t, 1, B, S);
    plan(t, 1, A, S);
    run(t);
    assert_string_equal(t->order, "0a0b1b1a");
    assert_int_equal(t->what[STUCK], 1);
    assert_int_equal(t->outcome[STUCK], 1);
    nothing_but(t, STUCK);
}

/* The same, but the reference is not sure of B's. */
static void stuck_lets_soft_ones_go_first(void **state)
{
    toy *t = *state;
    follow(t, "1s0s", 2, "0S1S", 2);
    plan(t, 0, A, S);
    plan(t, 0, B, S);
    plan(t, 1, B, S);
    plan(t, 1, A, S);
    run(t);
    assert_string_equal(t->order, "1b1a0a0b");
    assert_int_equal(t->what[STUCK], 1);
    nothing_but(t, STUCK);
}

/* A thread of the reference that never comes is waited for once, and then no more: its other entries
 * bind nobody. */
static void absent_threads_are_waited_for_once(void **state)
{
    toy *t = *state;
    follow(t, "3el0el3el1el3el0el1el", 14, NULL, 0);
    both(t, 2);
    run(t);
    assert_string_equal(t->order, "0a0a1a1a0a0a1a1a");
    assert_int_equal(t->what[STUCK], 1);
    assert_int_equal(t->what[ABSENT], 1);
    assert_int_equal(t->outcome[ABSENT], 3);
    t->what[ABSENT] = 0;
    nothing_but(t, STUCK);
}

/* Something is always due, so nobody is stuck; 20 ms of guest time are the limit, at 1 ms a turn. */
static void waiting_ends_by_guest_time(void **state)
{
    toy *t = *state;
    follow(t, "3s0s", 2, NULL, 0);
    t->busy = 1;
    t->step_ticks = 1000000;
    plan(t, 0, A, S);
    run(t);
    assert_int_equal(t->what[AGED], 1);
    assert_in_range(t->v.view.now, 20000000, 20000000 + 3 * 1000000 + 1000000);
    t->what[ABSENT] = 0;
    nothing_but(t, AGED);
}

/* Ten operations of others are the limit here. */
static void waiting_ends_by_operations(void **state)
{
    toy *t = *state;
    fake_set(&t->fake, "age_operations", "10");
    follow(t, "3s0s", 2, NULL, 0);
    t->busy = 1;
    t->step_ticks = 1;
    plan(t, 0, A, S);
    for (int i = 0; i < 30; i++) {
        plan(t, 1, B, S); /* which the manifest lacks */
    }
    run(t);
    assert_int_equal(t->what[AGED], 1);
    assert_int_equal(t->what[NO_OBJECT], 1);
    assert_int_equal(strstr(t->order, "0a") - t->order, 20); /* after ten of thread 1 */
}

/* Threads swapped: each still has all its entries, so the order is kept, the other way round. */
static void swapped_threads_are_followed(void **state)
{
    toy *t = *state;
    follow(t, "0elel1elel", 8, NULL, 0);
    both(t, 2);
    run(t);
    assert_string_equal(t->order, "0a0a0a0a1a1a1a1a");
    nothing_but(t, 0);
}

/* The reference has a try of thread 1 that does not come here: it is left out, and all is as before. */
static void an_entry_too_many_is_left_out(void **state)
{
    toy *t = *state;
    follow(t, "1t1el0el", 5, NULL, 0);
    both(t, 1);
    run(t);
    assert_string_equal(t->order, "1a1a0a0a");
    assert_int_equal(t->what[SKIPPED], 1);
    assert_int_equal(t->outcome[SKIPPED], 1);
    nothing_but(t, SKIPPED);
}

/* Here it does what the reference never did there: its entries bind nobody from then on. */
static void other_operations_put_a_thread_off_script(void **state)
{
    toy *t = *state;
    follow(t, "1elel0el", 6, NULL, 0);
    plan(t, 0, A, E);
    plan(t, 0, A, L);
    plan(t, 1, A, T);
    plan(t, 1, A, E);
    plan(t, 1, A, L);
    run(t);
    assert_int_equal(t->what[OFF_SCRIPT], 1);
    assert_int_equal(t->outcome[OFF_SCRIPT], T);
    assert_int_equal(relaxed(t), 0);
    nothing_but(t, OFF_SCRIPT);
}

/* With at most 16 left out: the 17th after 16 others fits, the 18th after 17 does not. */
static void only_so_many_are_left_out(void **state)
{
    toy *t = *state;
    follow(t, "1e.16 1t0t", 18, NULL, 0);
    plan(t, 1, A, T);
    plan(t, 0, A, T);
    run(t);
    assert_string_equal(t->order, "1a0a");
    assert_int_equal(t->outcome[SKIPPED], 16);
    nothing_but(t, SKIPPED);
}

static void one_more_is_off_script(void **state)
{
    toy *t = *state;
    follow(t, "1e.17 1t0t", 19, NULL, 0);
    plan(t, 1, A, T);
    plan(t, 0, A, T);
    run(t);
    assert_int_equal(t->what[OFF_SCRIPT], 1);
    nothing_but(t, OFF_SCRIPT);
}

/* Two of two threads do something else: more than half. */
static void too_many_off_script_ends_it(void **state)
{
    toy *t = *state;
    follow(t, "1elel0elel", 8, NULL, 0);
    for (int i = 0; i < 4; i++) {
        plan(t, 0, A, T);
        plan(t, 1, A, T);
    }
    run(t);
    assert_int_equal(t->what[OFF_SCRIPT], 2);
    assert_int_equal(t->what[GAVE_UP], 1);
    assert_int_equal(t->outcome[GAVE_UP], 2);
    assert_non_null(strstr(t->fake.log_text, "followed no longer"));
}

/* Thread 2 cannot be held, as a clock source: it comes first, though the reference has it last. */
static void who_cannot_be_held_is_early(void **state)
{
    toy *t = *state;
    follow(t, "0s1s2s", 3, NULL, 0);
    t->source = 1;
    plan(t, 1, A, S);
    plan(t, 2, A, S);
    plan(t, 0, B, S);
    plan(t, 0, A, S);
    run(t);
    assert_string_equal(t->order, "0b2a0a1a");
    assert_int_equal(t->what[EARLY], 1);
    assert_int_equal(t->outcome[EARLY], 2);
}

/* A wake has its number before it is told of. Thread 1's wake stands between 0's signal and 0's next
 * one; it is not told before that, but its number is taken. */
static void wakes_count_before_they_are_told(void **state)
{
    toy *t = *state;
    uint64_t amount;
    follow(t, "1w0s1k0s", 4, NULL, 0);
    weft_sync_op op = {.size = sizeof op, .object = A};
#define OP(n, k, number) (op.thread = 0xa0 + (n), op.kind = (k), op.sequence = (number), &op)
    t->ops->after(t->fake.instance, &t->v.view, OP(1, WEFT_SYNC_WAIT, 0));
    t->ops->after(t->fake.instance, &t->v.view, OP(0, S, 1));
    assert_int_equal(t->ops->before(t->fake.instance, &t->v.view, OP(0, S, 2), &amount),
                     WEFT_ANSWER_HOLD); /* nobody was woken: the wake is to come */
    assert_int_equal(t->ops->before(t->fake.instance, &t->v.view, OP(0, S, 3), &amount),
                     WEFT_ANSWER_GO);
    t->ops->after(t->fake.instance, &t->v.view, OP(0, S, 3));
    t->ops->after(t->fake.instance, &t->v.view, OP(1, WEFT_SYNC_WAKE, 2));
    nothing_but(t, 0);
}

static uint64_t time_out(toy *t, uint64_t thread, uint64_t natural)
{
    return t->ops->delay(t->fake.instance, WEFT_DELAY_TIMEOUT, thread, natural);
}

/* The reference was woken: the time-out of 2 ms comes 5 ms later, if it is not woken before. */
static void a_time_out_that_was_not_seen_is_put_off(void **state)
{
    toy *t = *state;
    fake_set(&t->fake, "late_ms", "5");
    follow(t, "0w1s0k0w1s0k0w0s", 8, NULL, 0);
    weft_sync_op op = {.size = sizeof op, .object = A};
    t->v.view.now = 1000000;
    t->ops->after(t->fake.instance, &t->v.view, OP(0, WEFT_SYNC_WAIT, 0));
    assert_int_equal(time_out(t, 0xa0, 2000000), 7000000);
    t->v.view.now = 4000000;
    t->ops->after(t->fake.instance, &t->v.view, OP(1, S, 1));
    t->ops->after(t->fake.instance, &t->v.view, OP(0, WEFT_SYNC_WAKE, 2));
    assert_int_equal(t->what[POSTPONED], 1);
    assert_int_equal(t->outcome[POSTPONED], 1000000); /* 4 ms against 1 + 2 */
    /* a wait for ever, which asks for no time-out, says nothing of the delay behind it */
    t->ops->after(t->fake.instance, &t->v.view, OP(0, WEFT_SYNC_WAIT, 3));
    t->ops->after(t->fake.instance, &t->v.view, OP(1, S, 4));
    t->ops->after(t->fake.instance, &t->v.view, OP(0, WEFT_SYNC_WAKE, 5));
    weft_sync_op pause = {
        .size = sizeof pause, .kind = WEFT_SYNC_WAIT, .thread = 0xa0, .event = 10};
    t->ops->after(t->fake.instance, &t->v.view, &pause);
    assert_int_equal(time_out(t, 0xa0, 2000000), 2000000);
    /* over at once in the reference: nothing is known of its end */
    t->ops->after(t->fake.instance, &t->v.view, OP(0, WEFT_SYNC_WAIT, 6));
    assert_int_equal(time_out(t, 0xa0, 2000000), 2000000);
    nothing_but(t, POSTPONED);
}

/* The reference saw the time-out, of 30 ms. It comes when it is due; the signal that came behind it waits
 * for that and 20 ms more (age_ms), not 20 from where it was held. */
static void a_time_out_that_was_seen_is_waited_for(void **state)
{
    toy *t = *state;
    uint64_t amount;
    follow(t, "0wo1s", 3, NULL, 0);
    weft_sync_op op = {.size = sizeof op, .object = A};
    t->v.view.now = 0;
    t->ops->after(t->fake.instance, &t->v.view, OP(0, WEFT_SYNC_WAIT, 0));
    assert_int_equal(time_out(t, 0xa0, 30000000), 30000000);
    t->v.view.now = 1000000;
    assert_int_equal(t->ops->before(t->fake.instance, &t->v.view, OP(1, S, 1), &amount),
                     WEFT_ANSWER_HOLD);
    t->v.view.now = 49999999;
    assert_int_equal(t->ops->before(t->fake.instance, &t->v.view, OP(1, S, 1), &amount),
                     WEFT_ANSWER_HOLD);
    t->v.view.now = 50000000;
    assert_int_equal(t->ops->before(t->fake.instance, &t->v.view, OP(1, S, 1), &amount),
                     WEFT_ANSWER_GO);
    assert_int_equal(t->what[AGED], 1);
}

/* ---- files and reports ------------------------------------------------------------------------- */

static void file_that_is_no_manifest_is_refused(void **state)
{
    toy *t = *state;
    char *path = scratch_file("bad.json");
    FILE *file = fopen(path, "wb");
    fprintf(file, "{\"version\":2,\n\"resolution\":0,\n\"threads\":[}");
    fclose(file);
    fake_set(&t->fake, "order", path);
    assert_int_equal(t->fake.desc->create(&t->fake.host, &t->fake.instance), WEFT_E_FORMAT);
    assert_non_null(strstr(t->fake.sentence, "bad.json:3: "));
    fake_set(&t->fake, "order", "/nowhere/order.json");
    assert_int_equal(t->fake.desc->create(&t->fake.host, &t->fake.instance), WEFT_E_FORMAT);
    assert_non_null(strstr(t->fake.sentence, "/nowhere/order.json"));
    t->fake.instance = NULL;
    free(path);
}

/* Without a manifest all is as under the built-in policy: they take turns. */
static void without_a_manifest_everybody_goes(void **state)
{
    toy *t = *state;
    t->ops = fake_create(&t->fake);
    both(t, 1);
    run(t);
    assert_string_equal(t->order, "0a1a0a1a");
    assert_non_null(strstr(t->fake.log_text, "no order to follow"));
    nothing_but(t, 0);
}

static void log_says_nothing_of_a_run_in_order(void **state)
{
    toy *t = *state;
    follow(t, "1s0s", 2, NULL, 0);
    plan(t, 0, A, S);
    plan(t, 1, A, S);
    run(t);
    t->fake.desc->destroy(t->fake.instance);
    t->fake.instance = NULL;
    assert_non_null(strstr(t->fake.log_text, "2 operations followed, 0 relaxed"));
    assert_null(strstr(t->fake.log_text, "does not determine"));
}

static void log_sums_up(void **state)
{
    toy *t = *state;
    follow(t, "3s1s0s", 3, NULL, 0);
    plan(t, 0, A, S);
    plan(t, 1, A, S);
    plan(t, 1, B, S);
    run(t);
    t->fake.desc->destroy(t->fake.instance);
    t->fake.instance = NULL;
    assert_non_null(strstr(t->fake.log_text, "1 operations followed"));
    assert_non_null(strstr(t->fake.log_text, "1 relaxed (1 stuck, 0 aged, 0 starved)"));
    assert_non_null(
        strstr(t->fake.log_text, "it lacks 1 objects and 0 threads, the run 1 threads"));
}

/* ---- a title ----------------------------------------------------------------------------------- */

/* wedge's clean-ups depend on the order of all pushes. Under another lookahead it runs otherwise; in the
 * order of that run its threads do the same, event for event. */
static void wedge_goes_as_the_reference(void **state)
{
    char *reference = scratch_file("ref.wtr"), *ours = scratch_file("ours.wtr"),
         *manifest = scratch_file("m.json"), *alone = scratch_file("alone.wtr"), order[512];
    const char *wedge = title("wedge");
    snprintf(order, sizeof order, "policy.order=%s", manifest);
    weft_run runs[] = {
        weft("run", "--headless", "--set", "schedule.lookahead=2000", "--trace", reference, wedge,
             "--", "rounds=20", NULL),
        weft("run", "--headless", "--trace", alone, wedge, "--", "rounds=20", NULL),
        weft("trace", "manifest", "--order", "--out", manifest, reference, NULL),
        weft("run", "--headless", "--set", "policy.plugin=follow", "--set", order, "--set",
             "machine.log=info", "--trace", ours, wedge, "--", "rounds=20", NULL),
        weft("trace", "diff", "--ignore", "wake.requested,signal.match", reference, alone, NULL),
        weft("trace", "diff", "--ignore", "wake.requested,signal.match", reference, ours, NULL),
    };
    static const int expected[] = {0, 0, 0, 0, 6, 0};
    for (size_t i = 0; i < sizeof runs / sizeof runs[0]; i++) {
        if (runs[i].status != expected[i]) {
            fail_msg("run %zu: %d %s", i, runs[i].status, runs[i].err);
        }
    }
    assert_int_equal(lines_with(runs[3].err, " 0 relaxed "), 1);
    for (size_t i = 0; i < sizeof runs / sizeof runs[0]; i++) {
        weft_free(&runs[i]);
    }
    free(reference);
    free(ours);
    free(manifest);
    free(alone);
}

int main(void)
{
#define U(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        U(who_is_waited_for_goes_first),
        U(order_of_the_reference_is_kept),
        U(another_order_is_kept_as_well),
        U(contended_enters_are_enters),
        U(links_order_objects),
        U(links_bind_later_operations),
        U(links_in_a_circle_are_relaxed),
        U(objects_are_ordered_one_by_one),
        U(beyond_the_reference_everybody_goes),
        U(stuck_lets_the_earliest_go),
        U(stuck_lets_soft_ones_go_first),
        U(absent_threads_are_waited_for_once),
        U(waiting_ends_by_guest_time),
        U(waiting_ends_by_operations),
        U(swapped_threads_are_followed),
        U(an_entry_too_many_is_left_out),
        U(other_operations_put_a_thread_off_script),
        U(only_so_many_are_left_out),
        U(one_more_is_off_script),
        U(too_many_off_script_ends_it),
        U(who_cannot_be_held_is_early),
        U(wakes_count_before_they_are_told),
        U(a_time_out_that_was_not_seen_is_put_off),
        U(a_time_out_that_was_seen_is_waited_for),
        U(file_that_is_no_manifest_is_refused),
        U(without_a_manifest_everybody_goes),
        U(log_says_nothing_of_a_run_in_order),
        U(log_sums_up),
        cmocka_unit_test(wedge_goes_as_the_reference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
