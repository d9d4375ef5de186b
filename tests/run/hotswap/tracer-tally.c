/* tracer-tally.c: the smallest tracer that can notice a loss: it counts, and at its end holds the
 * count against the sequence numbers that it was told. */
#include <stdlib.h>

#include "weft/host.h"

typedef struct tally {
    const weft_host *host;
    uint64_t first, count;
} tally;

static weft_status create(const weft_host *host, void **instance)
{
    tally *t = calloc(1, sizeof *t);
    if (!t) {
        return host->fail(host, WEFT_E_NO_MEMORY, "no memory for tracer-tally");
    }
    t->host = host;
    *instance = t;
    return WEFT_OK;
}

static void destroy(void *instance)
{
    free(instance);
}

static weft_status open_trace(void *instance, const weft_trace_begin *begin)
{
    ((tally *)instance)->first = begin->first;
    return WEFT_OK;
}

static void event(void *instance, const weft_event *e)
{
    tally *t = instance;
    t->count += e->sequence >= t->first && (e->kind != WEFT_EVENT_DEFINE || e->sequence > 0);
}

static weft_status close_trace(void *instance, uint64_t last, const char *digest)
{
    tally *t = instance;
    if (t->first > 0 && t->count != last + 1 - t->first) {
        return t->host->fail(t->host, WEFT_E_STATE,
                             "events are missing (found another count, expected last - first + 1)");
    }
    return WEFT_OK;
}

static const weft_tracer_ops ops = {
    .size = sizeof ops, .open = open_trace, .event = event, .close = close_trace};

WEFT_EXPORT const weft_plugin_desc weft_plugin = {
    .size = sizeof(weft_plugin_desc),
    .abi_major = WEFT_ABI_MAJOR,
    .abi_minor = WEFT_ABI_MINOR,
    .role = WEFT_ROLE_TRACER,
    .id = "tracer-tally",
    .version = "1.0",
    .summary = "counts",
    .sanitizers = WEFT_SANITIZERS,
    .option_stride = sizeof(weft_option),
    .ops = &ops,
    .create = create,
    .destroy = destroy,
};
