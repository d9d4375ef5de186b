/* policy-chaos: orders that a host would seldom give, by the recipe of rr's chaos mode (rr
 * src/Scheduler.cc; O'Callahan, "Introducing rr Chaos Mode", 2016), its constants as defaults.
 *
 * Of its traits each can be turned off by 0: some threads are of low priority and go on only while no
 * other can; now and then they do not even then (a window of starvation); some slices are short, some
 * very short; priorities are drawn again after a while. rr counts seconds of a program; here the
 * intervals are of every size between 1 us and 2 ms of guest time, equally often, since a bug's window
 * may be of any. One trait is not rr's: a thread may stand still for such an interval before a kernel
 * call (scx_chaos, a scheduler of Linux's sched_ext, delays so). The hardware thread that goes next is drawn from those that are near each other. */
#include <stdlib.h>

#include "pick.h"

#define SHORTEST   UINT64_C(1024) /* ticks; an interval is this times 2^0 .. 2^(DOUBLINGS - 1) */
#define DOUBLINGS  12             /* rr's, of its windows */
#define VERY_SHORT 100            /* ticks at most; rr: of its counter */
#define SHORT      10000
#define ALL        100 /* per cent */

enum { STREAM_LOW, STREAM_INTERVAL, STREAM_WINDOW, STREAM_SLICE, STREAM_CPU, STREAM_STALL };

typedef struct chaos {
    uint64_t seed, lookahead;
    uint64_t low, main_low, short_slices, very_short_slices, windows, stalls; /* per cent */
    uint64_t main;             /* identity of the first thread; 0: not seen yet */
    uint64_t epoch, epoch_end; /* priorities hold until then */
    uint64_t window, window_from, window_end;
    uint64_t slices, calls;
} chaos;

static weft_status create(const weft_host *host, void **instance)
{
    chaos *p = calloc(1, sizeof *p);
    if (!p) {
        return host->fail(host, WEFT_E_NO_MEMORY, "no memory for policy-chaos");
    }
    p->seed = (uint64_t)host->option_int(host, "seed");
    p->lookahead = host->machine->lookahead;
    p->low = (uint64_t)host->option_int(host, "low");
    p->main_low = (uint64_t)host->option_int(host, "main_low");
    p->short_slices = (uint64_t)host->option_int(host, "short");
    p->very_short_slices = (uint64_t)host->option_int(host, "very_short");
    p->windows = (uint64_t)host->option_int(host, "windows");
    p->stalls = (uint64_t)host->option_int(host, "stalls");
    *instance = p;
    return WEFT_OK;
}

/* Of every order of magnitude equally often. */
static uint64_t interval(const chaos *p, uint64_t stream, uint64_t nth)
{
    uint64_t draw = pick_draw(p->seed, stream, nth);
    return SHORTEST << draw % DOUBLINGS;
}

/* Brings epoch and window to `now`. After a window comes what makes it `windows` per cent. */
static void catch_up(chaos *p, uint64_t now)
{
    if (p->epoch_end <= now) {
        p->epoch++;
        p->epoch_end = pick_add(now, interval(p, STREAM_INTERVAL, p->epoch));
    }
    if (p->windows > 0 && p->window_end <= now) {
        uint64_t length = interval(p, STREAM_WINDOW, ++p->window);
        p->window_from = pick_add(now, length * (ALL - p->windows) / p->windows);
        p->window_end = pick_add(p->window_from, length);
    }
}

static int is_low(const chaos *p, uint64_t thread)
{
    uint64_t draw = pick_draw(p->seed ^ thread, STREAM_LOW, p->epoch) % ALL;
    return draw < (thread == p->main ? p->main_low : p->low);
}

static int in_window(const chaos *p, uint64_t now)
{
    return p->windows > 0 && now >= p->window_from && now < p->window_end;
}

/* Anyone near the least time; the slice may be cut short. */
static uint32_t pick_cpu(void *instance, const weft_sched_view *view, uint64_t *slice)
{
    chaos *p = instance;
    uint32_t least = pick_least_time(view), near[WEFT_HW_COUNT], count = 0;
    uint64_t limit = pick_add(weft_view_hw(view, least)->time, p->lookahead);
    uint64_t draw = pick_draw(p->seed, STREAM_SLICE, p->slices) % ALL;
    uint64_t most = draw < p->very_short_slices                     ? VERY_SHORT
                    : draw < p->very_short_slices + p->short_slices ? SHORT
                                                                    : 0;
    for (uint32_t i = 0; i < WEFT_HW_COUNT; i++) {
        const weft_sched_hw *hw = weft_view_hw(view, i);
        if (hw->ready > 0 && hw->time < limit) {
            near[count++] = i;
        }
    }
    if (most > 0) {
        most = 1 + pick_draw(p->seed, STREAM_SLICE, ~p->slices) % most;
        *slice = most < *slice ? most : *slice;
    }
    uint64_t chosen = pick_draw(p->seed, STREAM_CPU, p->slices++);
    return count > 0 ? near[chosen % count] : least;
}

/* First in line among those that are not low, then among all. */
static int32_t pick_next(void *instance, const weft_sched_view *view, uint32_t hw)
{
    chaos *p = instance;
    int32_t best = -1;
    int best_low = 0;
    catch_up(p, view->now);
    for (uint32_t i = 0; i < view->thread_count; i++) {
        const weft_sched_thread *thread = weft_view_thread(view, i);
        if (!pick_can_run(thread, hw)) {
            continue;
        }
        int low = is_low(p, thread->id);
        if (best < 0 || low < best_low ||
            (low == best_low && thread->order < weft_view_thread(view, (uint32_t)best)->order)) {
            best = (int32_t)i;
            best_low = low;
        }
    }
    return best;
}

static uint32_t subscribe(void *instance)
{
    return 1u << WEFT_SYNC_CALL;
}

/* Somebody else who is not low can run. */
static int has_better(const chaos *p, const weft_sched_view *view, uint64_t thread)
{
    for (uint32_t i = 0; i < view->thread_count; i++) {
        const weft_sched_thread *other = weft_view_thread(view, i);
        if (other->id != thread && other->state <= WEFT_THREAD_RUNNING && !is_low(p, other->id)) {
            return 1;
        }
    }
    return 0;
}

static uint32_t before(void *instance, const weft_sched_view *view, const weft_sync_op *op,
                       uint64_t *amount)
{
    chaos *p = instance;
    catch_up(p, view->now);
    if (!is_low(p, op->thread)) {
        uint64_t call = p->calls++;
        *amount = interval(p, STREAM_STALL, call);
        return pick_draw(p->seed, STREAM_STALL, ~call) % ALL < p->stalls ? WEFT_ANSWER_SPIN
                                                                         : WEFT_ANSWER_GO;
    }
    if (has_better(p, view, op->thread)) {
        return WEFT_ANSWER_HOLD;
    }
    if (in_window(p, view->now)) {
        *amount = p->window_end - view->now;
        return WEFT_ANSWER_SPIN;
    }
    return WEFT_ANSWER_GO;
}

static void thread_start(void *instance, uint64_t thread, uint64_t parent)
{
    chaos *p = instance;
    p->main = p->main ? p->main : thread;
}

#define PER_CENT(name, value, text)                                                                \
    {                                                                                              \
        .key = name, .type = WEFT_OPTION_INT, .default_value = value, .minimum = 0,                \
        .maximum = ALL, .help = text,                                                              \
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
    PER_CENT("low", "10", "chance of a thread to be of low priority, in per cent"),
    PER_CENT("main_low", "30", "the same of the first thread"),
    PER_CENT("short", "10", "slices of at most 10,000 ticks, in per cent"),
    PER_CENT("very_short", "10", "slices of at most 100 ticks, in per cent"),
    PER_CENT("stalls", "3", "kernel calls before which a thread stands still, in per cent"),
    PER_CENT("windows", "20", "time in which low ones do not run at all, in per cent"),
};

static const weft_policy_ops ops = {
    .size = sizeof ops,
    .pick_cpu = pick_cpu,
    .pick_next = pick_next,
    .subscribe = subscribe,
    .before = before,
    .thread_start = thread_start,
};

WEFT_EXPORT const weft_plugin_desc weft_plugin = {
    .size = sizeof(weft_plugin_desc),
    .abi_major = WEFT_ABI_MAJOR,
    .abi_minor = WEFT_ABI_MINOR,
    .role = WEFT_ROLE_POLICY,
    .id = "policy-chaos",
    .version = "0.1",
    .summary = "low priorities, short slices and starvation by chance, as in rr",
    .sanitizers = WEFT_SANITIZERS,
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .option_stride = sizeof(weft_option),
    .ops = &ops,
    .create = create,
    .destroy = free,
};
