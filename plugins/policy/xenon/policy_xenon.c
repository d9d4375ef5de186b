/* policy-xenon: the console's kind of scheduler, which descends from NT's: 32 priorities, round robin
 * of one quantum within each, affinity honoured by the kernel.
 *
 * A thread of priority 0..15 gets a boost of one level when its wait ends, and loses it with its turn;
 * 16..31 are real time and stay as they are (Microsoft, "Priority Boosts", Win32 documentation). NT's
 * remedy for starvation, priority 15 after four seconds, is too slow where the kernel ends starvation
 * after `[schedule] starve_ticks`; here a thread of priority 0..15 rises a level for each `age_ms` that
 * it is kept waiting. Neither lifts above 15.
 *
 * A thread that says db16cyc again and again is spinning on what another has: after `spins` of these it
 * passes one turn, whatever its priority, or it could keep out the owner for ever. */
#include <stdlib.h>

#include "pick.h"
#include "roster.h"

#define DYNAMIC_TOP 15 /* the highest priority that is ever boosted */
#define WAKE_BOOST  1  /* NT's EVENT_INCREMENT, SEMAPHORE_INCREMENT, MUTANT_INCREMENT */

typedef struct xenon {
    uint64_t quantum, age; /* ticks */
    uint32_t spins;        /* 0: never */
    roster threads;        /* priority: boost; order, since: when picked; count: turns given away */
} xenon;

static void destroy(void *instance)
{
    xenon *p = instance;
    roster_free(&p->threads);
    free(p);
}

static weft_status create(const weft_host *host, void **instance)
{
    xenon *p = calloc(1, sizeof *p);
    if (!p) {
        return host->fail(host, WEFT_E_NO_MEMORY, "no memory for policy-xenon");
    }
    p->quantum = (uint64_t)host->option_int(host, "quantum_ms") * TICKS_PER_MS;
    p->age = (uint64_t)host->option_int(host, "age_ms") * TICKS_PER_MS;
    p->spins = (uint32_t)host->option_int(host, "spins");
    *instance = p;
    return WEFT_OK;
}

/* What counts at `time`: the base priority, a boost, and age. */
static int32_t effective(const xenon *p, const weft_sched_thread *thread, uint64_t time)
{
    int64_t priority = thread->priority;
    if (priority > DYNAMIC_TOP) {
        return thread->priority;
    }
    const roster_entry *e = roster_find(&p->threads, thread->id);
    priority += e ? (int64_t)e->priority : 0;
    if (p->age > 0 && thread->state == WEFT_THREAD_READY && thread->ready_since < time) {
        uint64_t levels = (time - thread->ready_since) / p->age;
        priority += levels > DYNAMIC_TOP ? DYNAMIC_TOP : (int64_t)levels;
    }
    return priority > DYNAMIC_TOP ? DYNAMIC_TOP : (int32_t)priority;
}

/* Looks back at the turn of the one that ran last: over, it costs the boost; over before its time, it was
 * given away. Its index if it has to pass now, else -1. */
static int32_t look_back(xenon *p, const weft_sched_view *view, const weft_sched_hw *hw)
{
    if (hw->current < 0 || (uint32_t)hw->current >= view->thread_count) {
        return -1;
    }
    const weft_sched_thread *thread = weft_view_thread(view, (uint32_t)hw->current);
    roster_entry *e = roster_find(&p->threads, thread->id);
    if (!e || thread->order == e->order) {
        return -1; /* its turn goes on */
    }
    int given = hw->time >= e->since && hw->time - e->since < p->quantum;
    e->priority = 0;
    e->order = thread->order;
    e->count = given ? e->count + 1 : 0;
    if (p->spins == 0 || e->count < p->spins) {
        return -1;
    }
    e->count = 0;
    return hw->current;
}

static int32_t pick_next(void *instance, const weft_sched_view *view, uint32_t hw)
{
    xenon *p = instance;
    const weft_sched_hw *own = weft_view_hw(view, hw);
    int32_t passes = look_back(p, view, own), best = -1, best_priority = 0;
    for (uint32_t i = 0; i < view->thread_count; i++) {
        const weft_sched_thread *thread = weft_view_thread(view, i);
        if (!pick_can_run(thread, hw) || ((int32_t)i == passes && own->ready > 1)) {
            continue;
        }
        int32_t priority = effective(p, thread, own->time);
        if (best < 0 || priority > best_priority ||
            (priority == best_priority &&
             thread->order < weft_view_thread(view, (uint32_t)best)->order)) {
            best = (int32_t)i;
            best_priority = priority;
        }
    }
    if (best < 0) {
        return passes; /* interrupts and DPCs count as ready too */
    }
    int fresh;
    const weft_sched_thread *chosen = weft_view_thread(view, (uint32_t)best);
    roster_entry *e = roster_add(&p->threads, chosen->id, &fresh);
    if (e && (fresh || e->order != chosen->order || best != own->current)) {
        e->order = chosen->order;
        e->since = own->time;
    }
    return best;
}

static uint64_t quantum(void *instance, const weft_sched_view *view, int32_t thread)
{
    return ((xenon *)instance)->quantum;
}

static uint32_t subscribe(void *instance)
{
    return 1u << WEFT_SYNC_WAKE;
}

static uint32_t before(void *instance, const weft_sched_view *view, const weft_sync_op *op,
                       uint64_t *amount)
{
    return WEFT_ANSWER_GO;
}

static void after(void *instance, const weft_sched_view *view, const weft_sync_op *op)
{
    xenon *p = instance;
    int fresh;
    const weft_sched_thread *thread = pick_thread(view, op->thread);
    roster_entry *e = thread ? roster_add(&p->threads, op->thread, &fresh) : NULL;
    if (e) {
        e->priority = WAKE_BOOST;
        e->order = thread->order;
        e->since = view->now;
        e->count = 0;
    }
}

static void thread_end(void *instance, uint64_t thread)
{
    roster_remove(&((xenon *)instance)->threads, thread);
}

static const weft_option options[] = {
    {
        .key = "quantum_ms",
        .type = WEFT_OPTION_INT,
        .default_value = "20",
        .minimum = 1,
        .maximum = 10000,
        .help = "ms of guest time that a thread runs before it goes behind its equals",
    },
    {
        .key = "age_ms",
        .type = WEFT_OPTION_INT,
        .default_value = "10",
        .minimum = 0,
        .maximum = 100000,
        .help = "a ready thread of priority 0..15 rises a level for each so many ms; 0: never",
    },
    {
        .key = "spins",
        .type = WEFT_OPTION_INT,
        .default_value = "16",
        .minimum = 0,
        .maximum = 1000000,
        .help = "db16cyc in a row after which a thread passes one turn; 0: never",
    },
};

static const weft_policy_ops ops = {
    .size = sizeof ops,
    .pick_next = pick_next,
    .quantum = quantum,
    .subscribe = subscribe,
    .before = before,
    .after = after,
    .thread_end = thread_end,
};

WEFT_EXPORT const weft_plugin_desc weft_plugin = {
    .size = sizeof(weft_plugin_desc),
    .abi_major = WEFT_ABI_MAJOR,
    .abi_minor = WEFT_ABI_MINOR,
    .role = WEFT_ROLE_POLICY,
    .id = "policy-xenon",
    .version = "0.1",
    .summary = "32 priorities with boost and ageing, as NT's descendants have them",
    .sanitizers = WEFT_SANITIZERS,
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .option_stride = sizeof(weft_option),
    .ops = &ops,
    .create = create,
    .destroy = destroy,
};
