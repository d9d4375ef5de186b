/* policy-dice: for the tests of titles. Threads get priorities by chance, the highest that can run
 * goes first at every operation, and at `changes` operations of the first `length`, drawn
 * beforehand, the one that comes to it becomes the lowest: PCT (Burckhardt et al., 2010) with
 * changes + 1 as depth. */
#include <stdlib.h>
#include <weft/host.h>

#define CHANGES_MAX 8
#define HELD_MAX    64

typedef struct dice {
    uint64_t seed;
    uint64_t length, changes;
    uint64_t change_at[CHANGES_MAX];
    uint64_t changed[CHANGES_MAX]; /* the thread that the i-th change demoted */
    uint64_t operations;
    uint64_t held[HELD_MAX]; /* they are shown as waiting, but could run */
    uint32_t held_count;
} dice;

/* splitmix64 (Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", 2014) */
static uint64_t mix(uint64_t x)
{
    x += UINT64_C(0x9E3779B97F4A7C15);
    x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
    return x ^ x >> 31;
}

static uint64_t priority(const dice *d, uint64_t thread)
{
    for (uint64_t i = d->changes; i-- > 0;) {
        if (d->changed[i] == thread) {
            return d->changes - i; /* below all others, later ones below earlier ones */
        }
    }
    return CHANGES_MAX + 1 + mix(d->seed ^ thread) % (UINT64_MAX / 2);
}

static int is_held(const dice *d, uint64_t thread)
{
    for (uint32_t i = 0; i < d->held_count; i++) {
        if (d->held[i] == thread) {
            return 1;
        }
    }
    return 0;
}

static void let_go(dice *d, uint64_t thread)
{
    for (uint32_t i = 0; i < d->held_count; i++) {
        if (d->held[i] == thread) {
            d->held[i] = d->held[--d->held_count];
            return;
        }
    }
}

static uint32_t subscribe(void *instance)
{
    (void)instance;
    return 1u << WEFT_SYNC_CALL;
}

static uint32_t before(void *instance, const weft_sched_view *view, const weft_sync_op *op,
                       uint64_t *amount)
{
    (void)amount;
    dice *d = instance;
    if (!is_held(d, op->thread)) {
        for (uint64_t i = 0; i < d->changes; i++) {
            if (d->change_at[i] == d->operations) {
                d->changed[i] = op->thread;
            }
        }
        d->operations++;
    }
    let_go(d, op->thread);
    uint64_t own = priority(d, op->thread);
    for (uint32_t i = 0; i < view->thread_count; i++) {
        const weft_sched_thread *t = weft_view_thread(view, i);
        if (t->id != op->thread && (t->state <= WEFT_THREAD_RUNNING || is_held(d, t->id)) &&
            priority(d, t->id) > own && d->held_count < HELD_MAX) {
            d->held[d->held_count++] = op->thread;
            return WEFT_ANSWER_HOLD;
        }
    }
    return WEFT_ANSWER_GO;
}

static uint64_t stuck(void *instance, const weft_sched_view *view)
{
    (void)view;
    dice *d = instance;
    uint64_t best = 0;
    for (uint32_t i = 0; i < d->held_count; i++) {
        if (best == 0 || priority(d, d->held[i]) > priority(d, best)) {
            best = d->held[i];
        }
    }
    return best;
}

static void thread_end(void *instance, uint64_t thread)
{
    let_go(instance, thread);
}

static weft_status create(const weft_host *host, void **instance)
{
    dice *d = calloc(1, sizeof *d);
    if (!d) {
        return host->fail(host, WEFT_E_NO_MEMORY, "no memory for policy-dice");
    }
    d->seed = mix((uint64_t)host->option_int(host, "seed"));
    d->length = (uint64_t)host->option_int(host, "length");
    d->changes = (uint64_t)host->option_int(host, "changes");
    for (uint64_t i = 0; i < d->changes; i++) {
        d->change_at[i] = mix(d->seed + 1 + i) % d->length;
    }
    *instance = d;
    return WEFT_OK;
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
        .key = "length",
        .type = WEFT_OPTION_INT,
        .default_value = "100",
        .minimum = 1,
        .maximum = INT64_MAX,
        .help = "operations among which the changes fall",
    },
    {
        .key = "changes",
        .type = WEFT_OPTION_INT,
        .default_value = "2",
        .minimum = 0,
        .maximum = CHANGES_MAX,
        .help = "operations at which a thread becomes the lowest",
    },
};

static const weft_policy_ops ops = {
    .size = sizeof ops,
    .subscribe = subscribe,
    .before = before,
    .stuck = stuck,
    .thread_end = thread_end,
};

WEFT_EXPORT const weft_plugin_desc weft_plugin = {
    .size = sizeof weft_plugin,
    .abi_major = WEFT_ABI_MAJOR,
    .abi_minor = WEFT_ABI_MINOR,
    .role = WEFT_ROLE_POLICY,
    .id = "policy-dice",
    .version = "1",
    .summary = "priorities by chance, changed at a few operations",
    .sanitizers = WEFT_SANITIZERS,
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .option_stride = sizeof options[0],
    .ops = &ops,
    .create = create,
    .destroy = free,
};
