/* policy-pct: probabilistic concurrency testing (Burckhardt, Kothari, Musuvathi, Nagarakatte, "A
 * Randomized Scheduler with Probabilistic Guarantees of Finding Bugs", ASPLOS 2010).
 *
 * Threads get distinct priorities by chance, and of all that can run, on whatever hardware thread, only
 * the highest does: the others are held at their next kernel call. At depth - 1 calls of the first
 * `horizon`, drawn beforehand, the thread that comes to it becomes the lowest. A bug that needs `depth`
 * ordered events shows with a chance of at least 1 / (threads * horizon^(depth - 1)) for each seed.
 *
 * A thread that spins for what a lower one has would keep it out for ever. Who is held for `patience_us`
 * makes the one that runs the lowest of all (the paper's own remedy); the kernel's limit comes later. */
#include <stdlib.h>

#include "pick.h"
#include "roster.h"

#define DEPTH_MAX 16

/* Priorities: by chance from INITIAL; CHANGED + i of the i-th change; below, later ones lower, of those
 * that ran for too long. */
#define INITIAL (UINT64_C(1) << 48)
#define CHANGED (UINT64_C(1) << 32)

enum { STREAM_PRIORITY, STREAM_CHANGE };

typedef struct pct {
    uint64_t seed, patience; /* the latter in ticks */
    uint64_t change_at[DEPTH_MAX];
    uint32_t changes;
    uint64_t steps, tired;
    roster threads; /* since: held from that tick on */
} pct;

static void destroy(void *instance)
{
    pct *p = instance;
    roster_free(&p->threads);
    free(p);
}

static weft_status create(const weft_host *host, void **instance)
{
    pct *p = calloc(1, sizeof *p);
    if (!p) {
        return host->fail(host, WEFT_E_NO_MEMORY, "no memory for policy-pct");
    }
    p->seed = (uint64_t)host->option_int(host, "seed");
    p->patience = (uint64_t)host->option_int(host, "patience_us") * TICKS_PER_US;
    p->changes = (uint32_t)host->option_int(host, "depth") - 1;
    for (uint32_t i = 0; i < p->changes; i++) {
        p->change_at[i] =
            pick_draw(p->seed, STREAM_CHANGE, i) % (uint64_t)host->option_int(host, "horizon");
    }
    *instance = p;
    return WEFT_OK;
}

/* NULL without memory. */
static roster_entry *entry_of(pct *p, uint64_t thread)
{
    int fresh;
    roster_entry *e = roster_add(&p->threads, thread, &fresh);
    if (e && fresh) {
        e->priority = INITIAL + pick_draw(p->seed, STREAM_PRIORITY, thread) % INITIAL;
    }
    return e;
}

/* The highest of the others that can run, held ones included; NULL: nobody. Adding an entry moves
 * entries. */
static roster_entry *highest_other(pct *p, const weft_sched_view *view, uint64_t than)
{
    uint64_t best = 0, best_priority = 0;
    for (uint32_t i = 0; i < view->thread_count; i++) {
        const weft_sched_thread *thread = weft_view_thread(view, i);
        roster_entry *e = thread->id == than ? NULL : entry_of(p, thread->id);
        int can_run = e && (thread->state <= WEFT_THREAD_RUNNING || e->held);
        if (can_run && e->priority > best_priority) {
            best = e->id;
            best_priority = e->priority;
        }
    }
    return best ? roster_find(&p->threads, best) : NULL;
}

static void step(pct *p, roster_entry *e)
{
    for (uint32_t i = 0; i < p->changes; i++) {
        if (p->change_at[i] == p->steps) {
            e->priority = CHANGED + i;
        }
    }
    p->steps++;
}

static uint32_t before(void *instance, const weft_sched_view *view, const weft_sync_op *op,
                       uint64_t *amount)
{
    pct *p = instance;
    roster_entry *other = highest_other(p, view, op->thread);
    roster_entry *e = entry_of(p, op->thread);
    if (!e) {
        return WEFT_ANSWER_GO;
    }
    other = other ? roster_find(&p->threads, other->id) : NULL;
    if (!e->held) {
        step(p, e);
        e->since = view->now;
    }
    if (other && other->priority > e->priority && !other->held && view->now > e->since &&
        view->now - e->since >= p->patience) {
        other->priority = CHANGED - ++p->tired;
        e->since = view->now;
        other = highest_other(p, view, op->thread);
        e = entry_of(p, op->thread);
    }
    e->held = other && other->priority > e->priority;
    return e->held ? WEFT_ANSWER_HOLD : WEFT_ANSWER_GO;
}

/* The kernel let it go on: it is held no more. */
static void after(void *instance, const weft_sched_view *view, const weft_sync_op *op)
{
    roster_entry *e = roster_find(&((pct *)instance)->threads, op->thread);
    if (e) {
        e->held = 0;
    }
}

static uint32_t subscribe(void *instance)
{
    return 1u << WEFT_SYNC_CALL;
}

static uint64_t stuck(void *instance, const weft_sched_view *view)
{
    const pct *p = instance;
    const roster_entry *best = NULL;
    for (uint32_t i = 0; i < p->threads.count; i++) {
        const roster_entry *e = &p->threads.entries[i];
        if (e->held && (!best || e->priority > best->priority)) {
            best = e;
        }
    }
    return best ? best->id : 0;
}

static void thread_end(void *instance, uint64_t thread)
{
    roster_remove(&((pct *)instance)->threads, thread);
}

static const weft_option options[] = {
    {
        .key = "seed",
        .type = WEFT_OPTION_INT,
        .default_value = "1",
        .minimum = 0,
        .maximum = INT64_MAX,
        .help = "start of the generator",
    },
    {
        .key = "depth",
        .type = WEFT_OPTION_INT,
        .default_value = "3",
        .minimum = 1,
        .maximum = DEPTH_MAX,
        .help = "ordered events that the bug needs: 1 + the number of changes",
    },
    {
        .key = "horizon",
        .type = WEFT_OPTION_INT,
        .default_value = "100",
        .minimum = 1,
        .maximum = INT64_MAX,
        .help = "kernel calls among which the changes fall",
    },
    {
        .key = "patience_us",
        .type = WEFT_OPTION_INT,
        .default_value = "1000",
        .minimum = 1,
        .maximum = 10000000,
        .help =
            "us of guest time that a thread is held before the one that runs becomes the lowest",
    },
};

static const weft_policy_ops ops = {
    .size = sizeof ops,
    .subscribe = subscribe,
    .before = before,
    .after = after,
    .stuck = stuck,
    .thread_end = thread_end,
};

WEFT_EXPORT const weft_plugin_desc weft_plugin = {
    .size = sizeof(weft_plugin_desc),
    .abi_major = WEFT_ABI_MAJOR,
    .abi_minor = WEFT_ABI_MINOR,
    .role = WEFT_ROLE_POLICY,
    .id = "policy-pct",
    .version = "0.1",
    .summary = "priorities by chance, changed at a few calls: finds bugs of order",
    .sanitizers = WEFT_SANITIZERS,
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .option_stride = sizeof(weft_option),
    .ops = &ops,
    .create = create,
    .destroy = destroy,
};
