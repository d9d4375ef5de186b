/* policy-host_like: all runnable threads advance together, as they do in an emulator that gives each
 * guest thread a host thread and ignores priorities and affinities (xenia's default:
 * ignore_thread_priorities, ignore_thread_affinities).
 *
 * The host's cores are the first hardware threads. A thread that becomes ready joins the one with the
 * fewest others; those of one core take turns that are short beside anything that they do to each
 * other, and the cores keep within the kernel's lookahead. The waits are such an emulator's too: 10 ms
 * before a new thread runs, a spin before the wait for a section, time-outs cut to whole ms, 100 ms for XAM's overlapped requests (xenia
 * kernel/xthread.cc, kernel/kernel_state.cc). */
#include <stdlib.h>

#include "pick.h"

typedef struct host_like {
    uint32_t cores;                      /* 0: the guest's affinities count */
    uint64_t slice, start, wake;         /* ticks */
    uint64_t timeout_grain, timer_grain; /* ticks; 0: exact */
    uint64_t turn;                       /* ticks of a spin\'s */
    int64_t io, overlapped;              /* ticks; -1: the kernel's figure */
} host_like;

static int64_t figure(const weft_host *host, const char *key)
{
    int64_t us = host->option_int(host, key);
    return us < 0 ? -1 : us * (int64_t)TICKS_PER_US;
}

static weft_status create(const weft_host *host, void **instance)
{
    host_like *p = calloc(1, sizeof *p);
    if (!p) {
        return host->fail(host, WEFT_E_NO_MEMORY, "no memory for policy-host_like");
    }
    p->cores = (uint32_t)host->option_int(host, "cores");
    p->slice = (uint64_t)figure(host, "slice_us");
    p->start = (uint64_t)figure(host, "start_us");
    p->wake = (uint64_t)figure(host, "wake_us");
    p->timeout_grain = (uint64_t)figure(host, "timeout_us");
    p->timer_grain = (uint64_t)figure(host, "timer_us");
    p->turn = (uint64_t)host->option_int(host, "spin_ns");
    p->io = figure(host, "io_us");
    p->overlapped = figure(host, "overlapped_us");
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

/* The core with the fewest others that can run; of equals the one where it was, else the first. */
static uint32_t place(void *instance, const weft_sched_view *view, int32_t thread)
{
    const host_like *p = instance;
    const weft_sched_thread *t = weft_view_thread(view, (uint32_t)thread);
    uint32_t others[WEFT_HW_COUNT] = {0};
    if (p->cores == 0) {
        return pick_natural_place(t);
    }
    for (uint32_t i = 0; i < view->thread_count; i++) {
        const weft_sched_thread *other = weft_view_thread(view, i);
        others[other->hw] += other != t && other->state <= WEFT_THREAD_RUNNING;
    }
    uint32_t best = t->hw < p->cores ? t->hw : 0;
    for (uint32_t hw = 0; hw < p->cores; hw++) {
        best = others[hw] < others[best] ? hw : best;
    }
    return best;
}

static uint64_t delay(void *instance, uint32_t kind, uint64_t thread, uint64_t natural)
{
    const host_like *p = instance;
    uint64_t rest;
    switch (kind) {
    case WEFT_DELAY_START:
        return pick_add(natural, p->start);
    case WEFT_DELAY_WAKE:
        return pick_add(natural, p->wake);
    case WEFT_DELAY_IO:
        return p->io < 0 ? natural : (uint64_t)p->io;
    case WEFT_DELAY_TIMEOUT: /* cut: what is shorter than a grain is over at once */
        return p->timeout_grain ? natural - natural % p->timeout_grain : natural;
    case WEFT_DELAY_TIMER: /* the host's timer looks once a grain */
        rest = p->timer_grain ? natural % p->timer_grain : 0;
        return rest ? pick_add(natural, p->timer_grain - rest) : natural;
    case WEFT_DELAY_OVERLAPPED:
        return p->overlapped < 0 ? natural : (uint64_t)p->overlapped;
    default:
        return natural;
    }
}

static uint32_t subscribe(void *instance)
{
    const host_like *p = instance;
    return p->turn ? UINT32_C(1) << WEFT_SYNC_ENTER_CONTENDED | WEFT_SYNC_NO_VIEW : 0;
}

/* The section is looked at again behind the spin, and then waited for. */
static uint32_t before(void *instance, const weft_sched_view *view, const weft_sync_op *op,
                       uint64_t *amount)
{
    const host_like *p = instance;
    *amount = op->spin * p->turn;
    return *amount ? WEFT_ANSWER_SPIN : WEFT_ANSWER_GO;
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
        .key = "cores",
        .type = WEFT_OPTION_INT,
        .default_value = "6",
        .minimum = 0,
        .maximum = WEFT_HW_COUNT,
        .help = "cores of the host that threads share, whatever their affinities; 0: these count",
    },
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
    {
        .key = "overlapped_us",
        .type = WEFT_OPTION_INT,
        .default_value = "100000",
        .minimum = -1,
        .maximum = 10000000,
        .help = "us that an overlapped request of XAM takes; -1: the kernel's figure",
    },
    {
        .key = "spin_ns",
        .type = WEFT_OPTION_INT,
        .default_value = "5", /* of a compare-and-swap on a host */
        .minimum = 0,
        .maximum = 10000,
        .help = "ns of a turn of the spin that a held section asks for; 0: no spin",
    },
    {
        .key = "timeout_us",
        .type = WEFT_OPTION_INT,
        .default_value = "1000",
        .minimum = 0,
        .maximum = 1000000,
        .help = "us that time-outs and delays are cut to multiples of; 0: exact",
    },
    {
        .key = "timer_us",
        .type = WEFT_OPTION_INT,
        .default_value = "1000",
        .minimum = 0,
        .maximum = 1000000,
        .help = "us that the first signal of a timer is put off to a multiple of; 0: exact",
    },
};

static const weft_policy_ops ops = {
    .size = sizeof ops,
    .pick_next = pick_next,
    .quantum = quantum,
    .delay = delay,
    .subscribe = subscribe,
    .before = before,
    .place = place,
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
