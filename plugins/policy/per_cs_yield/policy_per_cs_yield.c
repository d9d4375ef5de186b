/* policy-per_cs_yield: conservative's turns, and a thread that enters one of the named critical sections
 * (or any, from one of the named call sites, or where a contention manifest says that the reference
 * found it taken) lets the others go first: YIELD, or where `spin` says so, so many ticks.
 *
 * YIELD gives way to threads of the same hardware thread. Where the rivals run on others, as in most
 * titles, only `spin` lets them get ahead. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "strategy.h"

#define NAMES_MAX 64

/* Hexadecimal numbers of an option. */
typedef struct names {
    uint64_t values[NAMES_MAX];
    uint32_t count;
} names;

typedef struct per_cs_yield {
    strategy strategy; /* the first member */
    names sections;    /* guest addresses, and identities where they are longer */
    names sites;       /* guest addresses of callers */
    uint64_t spin;     /* ticks; 0: YIELD */
} per_cs_yield;

/* "0x82030000, 9affffc08904a027, ..." */
static weft_status read_names(names *list, const weft_host *host, const char *key)
{
    char sentence[256];
    for (const char *text = host->option_text(host, key); *text;) {
        char *end;
        errno = 0;
        unsigned long long value = strtoull(text, &end, 16);
        if (end == text || errno || value == 0 || list->count == NAMES_MAX ||
            (*end && *end != ',')) {
            snprintf(sentence, sizeof sentence,
                     "%s cannot be read (found %.60s, expected at most %u hexadecimal numbers with "
                     "commas between them)",
                     key, text, (unsigned)NAMES_MAX);
            return host->fail(host, WEFT_E_INVALID, sentence);
        }
        list->values[list->count++] = value;
        text = *end ? end + 1 : end;
    }
    return WEFT_OK;
}

static int has(const names *list, uint64_t value)
{
    for (uint32_t i = 0; i < list->count; i++) {
        if (list->values[i] == value) {
            return 1;
        }
    }
    return 0;
}

static weft_status create(const weft_host *host, void **instance)
{
    weft_status status;
    per_cs_yield *p = strategy_create(host, sizeof *p, REPLAY_YIELD, &status);
    if (!p) {
        return status;
    }
    p->spin = (uint64_t)host->option_int(host, "spin");
    status = read_names(&p->sections, host, "sections");
    status = status == WEFT_OK ? read_names(&p->sites, host, "sites") : status;
    if (status != WEFT_OK) {
        strategy_destroy(p);
        return status;
    }
    *instance = p;
    return WEFT_OK;
}

static uint32_t subscribe(void *instance)
{
    uint32_t replayed = strategy_subscribe(instance);
    return ENTERS | (replayed ? replayed : WEFT_SYNC_NO_VIEW);
}

static uint32_t before(void *instance, const weft_sched_view *view, const weft_sync_op *op,
                       uint64_t *amount)
{
    per_cs_yield *p = instance;
    if (!(ENTERS >> op->kind & 1)) {
        return WEFT_ANSWER_GO;
    }
    int named = has(&p->sections, op->pointer) || has(&p->sections, op->object) ||
                has(&p->sites, op->site) ||
                (p->strategy.replay && replay_meets(p->strategy.replay, view, op));
    if (!named) {
        return WEFT_ANSWER_GO;
    }
    *amount = p->spin;
    return p->spin ? WEFT_ANSWER_SPIN : WEFT_ANSWER_YIELD;
}

/* Whether somebody had it by then shows in what the operation became. */
static void after(void *instance, const weft_sched_view *view, const weft_sync_op *op)
{
    replay *r = ((per_cs_yield *)instance)->strategy.replay;
    if (r && replay_meets(r, view, op)) {
        int contended = op->kind == WEFT_SYNC_ENTER_CONTENDED;
        replay_tell(r, view, op, contended ? REPLAY_REPLAYED : REPLAY_FREE);
    }
    strategy_after(instance, view, op);
}

static const weft_option options[] = {
    {
        .key = "sections",
        .type = WEFT_OPTION_STRING,
        .default_value = "",
        .help = "critical sections: addresses or 16-digit identities in hexadecimal, with commas",
    },
    {
        .key = "sites",
        .type = WEFT_OPTION_STRING,
        .default_value = "",
        .help = "call sites of the enters: addresses in hexadecimal, with commas",
    },
    {
        .key = "spin",
        .type = WEFT_OPTION_INT,
        .default_value = "0",
        .minimum = 0,
        .maximum = 1000000000,
        .help =
            "ticks (ns) that pass before such an enter; 0: a yield to the hardware thread's others",
    },
    STRATEGY_OPTIONS,
};

static const weft_policy_ops ops = {
    .size = sizeof ops,
    .pick_next = strategy_pick_next,
    .quantum = strategy_quantum,
    .subscribe = subscribe,
    .before = before,
    .after = after,
    .thread_end = strategy_thread_end,
};

WEFT_EXPORT const weft_plugin_desc weft_plugin = {
    .size = sizeof(weft_plugin_desc),
    .abi_major = WEFT_ABI_MAJOR,
    .abi_minor = WEFT_ABI_MINOR,
    .role = WEFT_ROLE_POLICY,
    .id = "policy-per_cs_yield",
    .version = "0.1",
    .summary = "conservative, and named critical sections are entered after others",
    .sanitizers = WEFT_SANITIZERS,
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .option_stride = sizeof(weft_option),
    .ops = &ops,
    .create = create,
    .destroy = strategy_destroy,
};
