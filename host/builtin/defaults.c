/* defaults.c: what a NULL op means, per role, as the comment beside each op in the public headers
 * says. save and load stay NULL: it means that saving is refused. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "../loader.h"

static void no_flush(void *instance, weft_cpu_state *state)
{
}

static void reservation_clear(void *instance, weft_cpu_state *state)
{
    state->reservation = 0;
}

static void disassemble(void *instance, uint32_t address, uint32_t word, char *text,
                        uint32_t capacity)
{
    snprintf(text, capacity, ".long 0x%08x", word);
}

static void no_vblank(void *instance, uint64_t count, uint64_t tick)
{
}

static void no_gamma(void *instance, const uint32_t *table)
{
}

static weft_status tracer_open(void *instance, const weft_trace_begin *begin)
{
    return WEFT_OK;
}

static void tracer_flush(void *instance)
{
}

static weft_status tracer_close(void *instance, uint64_t last, const char *digest)
{
    return WEFT_OK;
}

static uint32_t subscribe(void *instance)
{
    return 0;
}

static uint32_t before(void *instance, const weft_sched_view *view, const weft_sync_op *op,
                       uint64_t *amount)
{
    return WEFT_ANSWER_GO;
}

static void after(void *instance, const weft_sched_view *view, const weft_sync_op *op)
{
}

static uint64_t delay(void *instance, uint32_t kind, uint64_t thread, uint64_t natural)
{
    return natural;
}

/* 0 is no identity: the kernel then releases the one held longest. */
static uint64_t stuck(void *instance, const weft_sched_view *view)
{
    return 0;
}

static void deadlock(void *instance, const weft_sched_view *view)
{
}

static void thread_start(void *instance, uint64_t thread, uint64_t parent)
{
}

static void thread_end(void *instance, uint64_t thread)
{
}

static weft_status frontend_open(void *instance, const char *title)
{
    return WEFT_OK;
}

static int32_t pump(void *instance, uint32_t milliseconds)
{
    struct timespec time = {milliseconds / 1000, (long)(milliseconds % 1000) * 1000000};
    nanosleep(&time, NULL);
    return 0;
}

static void present(void *instance, const weft_frame *frame)
{
}

static void pads(void *instance, weft_pad *pad)
{
    memset(pad, 0, WEFT_PAD_COUNT * sizeof *pad);
}

static void rumble(void *instance, uint32_t port, uint16_t left, uint16_t right)
{
}

static void frontend_close(void *instance)
{
}

void builtin_defaults(uint32_t role, role_ops *ops)
{
    memset(ops, 0, sizeof *ops);
    switch (role) {
    case WEFT_ROLE_CPU:
        ops->cpu = (weft_cpu_ops){.flush = no_flush,
                                  .reload = no_flush,
                                  .reservation_clear = reservation_clear,
                                  .disassemble = disassemble};
        break;
    case WEFT_ROLE_GPU:
        ops->gpu = (weft_gpu_ops){.vblank = no_vblank, .gamma = no_gamma};
        break;
    case WEFT_ROLE_TRACER:
        ops->tracer =
            (weft_tracer_ops){.open = tracer_open, .flush = tracer_flush, .close = tracer_close};
        break;
    case WEFT_ROLE_POLICY:
        /* pick_cpu, pick_next and quantum stay NULL: the kernel knows the answers, and need not show
         * who has none of them a view for each slice */
        ops->policy = (weft_policy_ops){.subscribe = subscribe,
                                        .before = before,
                                        .after = after,
                                        .delay = delay,
                                        .stuck = stuck,
                                        .deadlock = deadlock,
                                        .thread_start = thread_start,
                                        .thread_end = thread_end};
        break;
    case WEFT_ROLE_FRONTEND:
        ops->frontend = (weft_frontend_ops){.open = frontend_open,
                                            .pump = pump,
                                            .present = present,
                                            .pads = pads,
                                            .rumble = rumble,
                                            .close = frontend_close};
        break;
    default:
        break;
    }
}
