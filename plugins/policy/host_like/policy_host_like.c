/* policy-host_like: all runnable threads advance together, as they do in an emulator that gives each
 * guest thread a host thread and ignores priorities (xenia's default: ignore_thread_priorities).
 *
 * The threads of a hardware thread take turns that are short beside anything that they do to each
 * other; the hardware threads keep within the kernel's lookahead. Such an emulator also lets
 * 10 ms pass before a new thread runs (xenia kernel/xthread.cc, XThread::Execute). What no op of a policy
 * reaches stays the kernel's: affinity, time-outs, XAM's overlapped requests. */
#include <stdlib.h>

#include "pick.h"

typedef struct host_like {
    uint64_t slice, start, wake; /* ticks */
    int64_t io;                  /* ticks; -1: the kernel's figure */
} host_like;

static weft_status create(const weft_host *host, void **instance)
{
    host_like *p = calloc(1, sizeof *p);
    if (!p) {
        return host->fail(host, WEFT_E_NO_MEMORY, "no memory for policy-host_like");
    }
    int64_t io = host->option_int(host, "io_us");
    p->slice = (uint64_t)host->option_int(host, "slice_us") * TICKS_PER_US;
    p->start = (uint64_t)host->option_int(host, "start_us") * TICKS_PER_US;
    p->wake = (uint64_t)host->option_int(host, "wake_us") * TICKS_PER_US;
    p->io = io < 0 ? -1 : io * (int64_t)TICKS_PER_US;
    *instance = p;
    return WEFT_OK;
}

static int32_t pick_next(void *instance, const weft_sched_view *view, uint32_t hw)
{
    return pick_first_in_line(view, hw);
}

static uint64_t quantum(void *instance, const weft_sched_view *view, int32_t thread)
{
    return ((host_like *)instance)->slice;
}

static uint64_t delay(void *instance, uint32_t kind, uint64_t thread, uint64_t natural)
{
    const host_like *p = instance;
    switch (kind) {
    case WEFT_DELAY_START:
        return pick_add(natural, p->start);
    case WEFT_DELAY_WAKE:
        return pick_add(natural, p->wake);
    default:
        return p->io < 0 ? natural : (uint64_t)p->io;
    }
}

/* No state but the options. */
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
        .key = "slice_us",
        .type = WEFT_OPTION_INT,
        .default_value =
            "20", /* the stock lookahead: threads of one queue are as close as queues */
        .minimum = 1,
        .maximum = 1000000,
        .help = "us of guest time of one turn",
    },
    {
        .key = "start_us",
        .type = WEFT_OPTION_INT,
        .default_value = "10000",
        .minimum = 0,
        .maximum = 10000000,
        .help = "us from a thread's start to its first instruction",
    },
    {
        .key = "wake_us",
        .type = WEFT_OPTION_INT,
        .default_value = "0",
        .minimum = 0,
        .maximum = 10000000,
        .help = "us from a signal to the waiter's being ready",
    },
    {
        .key = "io_us",
        .type = WEFT_OPTION_INT,
        .default_value = "-1",
        .minimum = -1,
        .maximum = 10000000,
        .help = "us that a file request takes; -1: as the profile says",
    },
};

static const weft_policy_ops ops = {
    .size = sizeof ops,
    .pick_next = pick_next,
    .quantum = quantum,
    .delay = delay,
    .save = save,
    .load = load,
};

WEFT_EXPORT const weft_plugin_desc weft_plugin = {
    .size = sizeof(weft_plugin_desc),
    .abi_major = WEFT_ABI_MAJOR,
    .abi_minor = WEFT_ABI_MINOR,
    .role = WEFT_ROLE_POLICY,
    .id = "policy-host_like",
    .version = "0.1",
    .summary = "all threads advance together, whatever their priorities",
    .sanitizers = WEFT_SANITIZERS,
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .option_stride = sizeof(weft_option),
    .ops = &ops,
    .create = create,
    .destroy = free,
};
