/* policy-conservative: strict priorities, round robin within a priority, nobody starves.
 *
 * The order is the one that NT describes: the highest priority that can run, runs; equals take
 * turns of one quantum. Strict priorities alone let a spinning thread keep out the very one that it
 * waits for, so a thread that was ready for `starve_ms` without running is put first, and keeps its
 * hardware thread for one quantum of guest time (NT's balance set manager does the like). Whom and
 * until when is the only state. */
#include <stdlib.h>
#include <string.h>

#include "weft/host.h"

#define TICKS_PER_MS UINT64_C(1000000)

/* One hardware thread's starved thread, being made up to. */
typedef struct boost {
    uint64_t thread; /* identity; 0: none */
    uint64_t until;  /* tick of the hardware thread at which it ends */
} boost;

typedef struct policy_conservative {
    uint64_t quantum; /* ticks */
    uint64_t starve;  /* ticks; 0: never */
    boost boosts[WEFT_HW_COUNT];
} policy_conservative;

static weft_status create(const weft_host *host, void **instance)
{
    policy_conservative *p = calloc(1, sizeof *p);
    if (!p) {
        return host->fail(host, WEFT_E_NO_MEMORY, "no memory for policy-conservative");
    }
    p->quantum = (uint64_t)host->option_int(host, "quantum_ms") * TICKS_PER_MS;
    p->starve = (uint64_t)host->option_int(host, "starve_ms") * TICKS_PER_MS;
    *instance = p;
    return WEFT_OK;
}

/* The least time goes on, so that hardware threads stay as close together as slices allow. */
static uint32_t pick_cpu(void *instance, const weft_sched_view *view, uint64_t *slice)
{
    uint32_t best = 0;
    int found = 0;
    for (uint32_t i = 0; i < WEFT_HW_COUNT; i++) {
        const weft_sched_hw *hw = weft_view_hw(view, i);
        if (hw->ready > 0 && (!found || hw->time < weft_view_hw(view, best)->time)) {
            best = i;
            found = 1;
        }
    }
    return best;
}

static int can_run(const weft_sched_thread *thread, uint32_t hw)
{
    return thread->hw == hw && thread->state <= WEFT_THREAD_RUNNING;
}

static int has_affinity(const weft_sched_thread *thread, uint32_t hw)
{
    return (thread->affinity >> hw & 1) != 0;
}

/* Whether `a` goes before `b`: affinity, which a thread in the wrong queue lacks until the kernel
 * moves it, then priority, then the longer stand in the queue. Ties keep the order of creation. */
static int goes_before(const weft_sched_thread *a, const weft_sched_thread *b, uint32_t hw)
{
    if (has_affinity(a, hw) != has_affinity(b, hw)) {
        return has_affinity(a, hw);
    }
    if (a->priority != b->priority) {
        return a->priority > b->priority;
    }
    return a->order < b->order;
}

/* The thread that this hardware thread owes time: the boosted one while its time lasts, else the
 * one that has starved longest, which is boosted from here on; -1 if there is none. */
static int32_t pick_starved(policy_conservative *p, const weft_sched_view *view, uint32_t hw)
{
    uint64_t time = weft_view_hw(view, hw)->time;
    boost *owed = &p->boosts[hw];
    int32_t oldest = -1;
    uint64_t oldest_since = 0;
    for (uint32_t i = 0; i < view->thread_count; i++) {
        const weft_sched_thread *thread = weft_view_thread(view, i);
        if (!can_run(thread, hw) || !has_affinity(thread, hw)) {
            continue;
        }
        if (thread->id == owed->thread && time < owed->until) {
            return (int32_t)i;
        }
        uint64_t since = thread->ready_since;
        int starved =
            thread->state == WEFT_THREAD_READY && since < time && time - since >= p->starve;
        if (starved && (oldest < 0 || since < oldest_since)) {
            oldest = (int32_t)i;
            oldest_since = since;
        }
    }
    if (oldest >= 0) {
        owed->thread = weft_view_thread(view, (uint32_t)oldest)->id;
        owed->until = time > UINT64_MAX - p->quantum ? UINT64_MAX : time + p->quantum;
    } else {
        owed->thread = 0;
    }
    return oldest;
}

static int32_t pick_next(void *instance, const weft_sched_view *view, uint32_t hw)
{
    policy_conservative *p = instance;
    int32_t best = p->starve > 0 ? pick_starved(p, view, hw) : -1;
    if (best >= 0) {
        return best;
    }
    for (uint32_t i = 0; i < view->thread_count; i++) {
        const weft_sched_thread *thread = weft_view_thread(view, i);
        if (can_run(thread, hw) &&
            (best < 0 || goes_before(thread, weft_view_thread(view, (uint32_t)best), hw))) {
            best = (int32_t)i;
        }
    }
    return best;
}

static uint64_t quantum(void *instance, const weft_sched_view *view, int32_t thread)
{
    return ((policy_conservative *)instance)->quantum;
}

/* Forgets a boost of the thread that ends: identities are not reused, but state should not name
 * what is gone. */
static void thread_end(void *instance, uint64_t thread)
{
    policy_conservative *p = instance;
    for (uint32_t i = 0; i < WEFT_HW_COUNT; i++) {
        if (p->boosts[i].thread == thread) {
            memset(&p->boosts[i], 0, sizeof p->boosts[i]);
        }
    }
}

/* State: the boosts. Options come back from the profile. With buffer NULL, the length alone. */
static weft_status save(void *instance, void *buffer, uint64_t *length)
{
    policy_conservative *p = instance;
    if (buffer && *length < sizeof p->boosts) {
        return WEFT_E_LIMIT;
    }
    *length = sizeof p->boosts;
    if (buffer) {
        memcpy(buffer, p->boosts, sizeof p->boosts);
    }
    return WEFT_OK;
}

static weft_status load(void *instance, const void *buffer, uint64_t length)
{
    policy_conservative *p = instance;
    if (length != sizeof p->boosts) {
        return WEFT_E_FORMAT;
    }
    memcpy(p->boosts, buffer, sizeof p->boosts);
    return WEFT_OK;
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
        .key = "starve_ms",
        .type = WEFT_OPTION_INT,
        .default_value = "80", /* below the host's own starve_ticks, 100 ms by default */
        .minimum = 0,
        .maximum = 100000,
        .help = "a thread ready for so many ms gets one quantum before all others; 0: never",
    },
};

static const weft_policy_ops ops = {
    .size = sizeof ops,
    .pick_cpu = pick_cpu,
    .pick_next = pick_next,
    .quantum = quantum,
    .thread_end = thread_end,
    .save = save,
    .load = load,
};

WEFT_EXPORT const weft_plugin_desc weft_plugin = {
    .size = sizeof(weft_plugin_desc),
    .abi_major = WEFT_ABI_MAJOR,
    .abi_minor = WEFT_ABI_MINOR,
    .role = WEFT_ROLE_POLICY,
    .id = "policy-conservative",
    .version = "0.1",
    .summary = "priorities, round robin within a priority, no starvation",
    .sanitizers = WEFT_SANITIZERS,
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .option_stride = sizeof(weft_option),
    .ops = &ops,
    .create = create,
    .destroy = free,
};
