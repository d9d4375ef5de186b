/* tracer-null: takes every event and writes none. It keeps the tracer's path alive (ring, drain,
 * swap) at the least cost, so that a run with it measures what tracing itself costs. */
#include <stdlib.h>

#include "weft/host.h"

static weft_status create(const weft_host *host, void **instance)
{
    void *made = malloc(1); /* no state: a byte makes each instance one of its own */
    if (!made) {
        return host->fail(host, WEFT_E_NO_MEMORY, "no memory for tracer-null");
    }
    *instance = made;
    return WEFT_OK;
}

static void event(void *instance, const weft_event *record)
{
}

static const weft_tracer_ops ops = {
    .size = sizeof ops,
    .event = event,
};

WEFT_EXPORT const weft_plugin_desc weft_plugin = {
    .size = sizeof(weft_plugin_desc),
    .abi_major = WEFT_ABI_MAJOR,
    .abi_minor = WEFT_ABI_MINOR,
    .role = WEFT_ROLE_TRACER,
    .id = "tracer-null",
    .version = "0.1",
    .summary = "receives every event and writes nothing",
    .sanitizers = WEFT_SANITIZERS,
    .option_stride = sizeof(weft_option),
    .ops = &ops,
    .create = create,
    .destroy = free,
};
