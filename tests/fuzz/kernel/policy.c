#include "policy.h"

/* Splitmix64. */
static uint64_t draw(void *instance)
{
    fuzz_policy *p = instance;
    uint64_t z = p->state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

/* A slice or an amount: from nothing to more than any run has. */
static uint64_t ticks(void *instance)
{
    uint64_t r = draw(instance);
    return (r & 0xFFF) >> (r >> 12 & 7) << (r >> 15 & 31);
}

static uint32_t pick_cpu(void *instance, const weft_sched_view *view, uint64_t *slice)
{
    uint64_t r = draw(instance);
    if (r >> 32 & 1) {
        *slice = ticks(instance);
    }
    for (uint32_t i = 0; i < WEFT_HW_COUNT && r % 64; i++) {
        uint32_t hw = (uint32_t)((r >> 8) + i) % WEFT_HW_COUNT;
        if (weft_view_hw(view, hw)->ready > 0) {
            return hw;
        }
    }
    return (uint32_t)(r >> 16 & 7);
}

static int32_t pick_next(void *instance, const weft_sched_view *view, uint32_t hw)
{
    uint64_t r = draw(instance);
    for (uint32_t i = 0; i < view->thread_count && r % 64; i++) {
        uint32_t index = (uint32_t)((r >> 8 & 0xFFFF) + i) % view->thread_count;
        const weft_sched_thread *t = weft_view_thread(view, index);
        if (t->hw == hw && t->state <= WEFT_THREAD_RUNNING) {
            return (int32_t)index;
        }
    }
    return (int32_t)(r >> 16 & 15) - 1;
}

static uint64_t quantum(void *instance, const weft_sched_view *view, int32_t thread)
{
    return ticks(instance);
}

static uint32_t subscribe(void *instance)
{
    return (uint32_t)draw(instance);
}

static uint32_t before(void *instance, const weft_sched_view *view, const weft_sync_op *op,
                       uint64_t *amount)
{
    static const uint32_t answers[] = {WEFT_ANSWER_GO,    WEFT_ANSWER_GO,   WEFT_ANSWER_GO,
                                       WEFT_ANSWER_GO,    WEFT_ANSWER_HOLD, WEFT_ANSWER_YIELD,
                                       WEFT_ANSWER_BLOCK, WEFT_ANSWER_SPIN};
    uint64_t r = draw(instance);
    if (r % 128 == 0) {
        return (uint32_t)(r >> 32);
    }
    *amount = r & 0x100 ? ticks(instance) : 0;
    return answers[r >> 16 & 7];
}

static void after(void *instance, const weft_sched_view *view, const weft_sync_op *op)
{
}

static uint64_t delay(void *instance, uint32_t kind, uint64_t thread, uint64_t natural)
{
    return draw(instance) & 1 ? natural : ticks(instance);
}

static uint64_t stuck(void *instance, const weft_sched_view *view)
{
    uint64_t r = draw(instance);
    return view->thread_count ? weft_view_thread(view, (uint32_t)r % view->thread_count)->id : r;
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

static uint32_t place(void *instance, const weft_sched_view *view, int32_t thread)
{
    uint64_t r = draw(instance);
    return r % 64 ? (uint32_t)(r >> 8) % WEFT_HW_COUNT : (uint32_t)r;
}

const weft_policy_ops *fuzz_policy_ops(void)
{
    static const weft_policy_ops ops = {
        .size = sizeof ops,
        .pick_cpu = pick_cpu,
        .pick_next = pick_next,
        .quantum = quantum,
        .subscribe = subscribe,
        .before = before,
        .after = after,
        .delay = delay,
        .stuck = stuck,
        .deadlock = deadlock,
        .thread_start = thread_start,
        .thread_end = thread_end,
        .place = place,
    };
    return &ops;
}
