/* policy-round_robin: the threads of a hardware thread take turns of one length, whatever their
 * priorities. The kernel puts a thread whose turn is over behind the others; the first in line goes
 * next. */
#include <stdlib.h>

#include "pick.h"

typedef struct round_robin {
    uint64_t quantum; /* ticks */
} round_robin;

static weft_status create(const weft_host *host, void **instance)
{
    round_robin *p = calloc(1, sizeof *p);
    if (!p) {
        return host->fail(host, WEFT_E_NO_MEMORY, "no memory for policy-round_robin");
    }
    p->quantum = (uint64_t)host->option_int(host, "quantum_us") * TICKS_PER_US;
    *instance = p;
    return WEFT_OK;
}

static int32_t pick_next(void *instance, const weft_sched_view *view, uint32_t hw)
{
    return pick_first_in_line(view, hw);
}

static uint64_t quantum(void *instance, const weft_sched_view *view, int32_t thread)
{
    return ((round_robin *)instance)->quantum;
}

/* No state but the option. */
static weft_status save(void *instance, void *buffer, uint64_t *length)
{
    *length = 0;
    return WEFT_OK;
}

static weft_status load(void *instance, const void *buffer, uint64_t length)
{
    return length == 0 ? WEFT_OK : WEFT_E_FORMAT;
}

static const weft_option options[] = {
    {
        .key = "quantum_us",
        .type = WEFT_OPTION_INT,
        .default_value = "5000",
        .minimum = 1,
        .maximum = 10000000,
        .help = "us of guest time of one turn",
    },
};

static const weft_policy_ops ops = {
    .size = sizeof ops,
    .pick_next = pick_next,
    .quantum = quantum,
    .save = save,
    .load = load,
};

WEFT_EXPORT const weft_plugin_desc weft_plugin = {
    .size = sizeof(weft_plugin_desc),
    .abi_major = WEFT_ABI_MAJOR,
    .abi_minor = WEFT_ABI_MINOR,
    .role = WEFT_ROLE_POLICY,
    .id = "policy-round_robin",
    .version = "0.1",
    .summary = "turns of one length, whatever the priorities",
    .sanitizers = WEFT_SANITIZERS,
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .option_stride = sizeof(weft_option),
    .ops = &ops,
    .create = create,
    .destroy = free,
};
