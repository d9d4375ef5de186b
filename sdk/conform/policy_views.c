/* policy_views.c: see policy_kit.h. */
#include "policy_kit.h"

#include <string.h>

/* Knuth's MMIX linear congruence; the high bits are good enough to make up views. */
uint32_t kit_next(kit *k, uint32_t below)
{
    k->state = k->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(k->state >> 33) % below;
}

static uint32_t count_of(kit *k)
{
    return k->shape == VIEW_ONE ? 1 : k->shape == VIEW_MANY ? KIT_MANY : 1 + kit_next(k, 12);
}

static uint32_t state_of(kit *k, uint32_t i)
{
    switch (k->shape) {
    case VIEW_NOBODY:
        return kit_next(k, 2) ? WEFT_THREAD_WAITING : WEFT_THREAD_SUSPENDED;
    case VIEW_HELD:
        return i == 0 ? WEFT_THREAD_READY : WEFT_THREAD_WAITING;
    default:
        return i == 0 ? WEFT_THREAD_READY : kit_next(k, 4);
    }
}

static weft_sched_thread make_thread(kit *k, uint32_t i)
{
    return (weft_sched_thread){
        .id = KIT_THREAD(i),
        .ready_since = 900000 + kit_next(k, k->shape == VIEW_LATE ? 2000000 : 100000),
        .retired = kit_next(k, 1000000),
        .order = kit_next(k, 1000) * 1024 + i,
        .state = state_of(k, i),
        .hw = k->shape == VIEW_EQUAL ? 3 : kit_next(k, WEFT_HW_COUNT),
        .affinity = k->shape == VIEW_WRONG_CPU ? kit_next(k, 64) : 0x3F,
        .priority = k->shape == VIEW_EQUAL ? 8 : (int32_t)kit_next(k, 32),
        .tid = 6 + i,
    };
}

static void make_threads(kit *k, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        weft_sched_thread *t = &k->threads[i];
        *t = make_thread(k, i);
        weft_sched_hw *hw = &k->hw[t->hw];
        if (t->state == WEFT_THREAD_RUNNING && hw->current >= 0) {
            t->state = WEFT_THREAD_READY;
        }
        if (t->state == WEFT_THREAD_RUNNING) {
            hw->current = (int32_t)i;
        }
        hw->ready += t->state <= WEFT_THREAD_RUNNING;
    }
}

/* Interrupts are off wherever somebody runs; where nobody is, a DPC waits. */
static void pin(kit *k)
{
    int dpc = 0;
    for (uint32_t i = 0; i < WEFT_HW_COUNT; i++) {
        k->hw[i].pinned = k->hw[i].current >= 0;
        if (!dpc && k->hw[i].ready == 0) {
            k->hw[i].ready = k->hw[i].pinned = 1;
            dpc = 1;
        }
    }
}

/* Copies the records into longer ones, which end in what nobody can know yet. */
static void lengthen(kit *k)
{
    memset(k->long_threads, 0xFF, sizeof k->long_threads);
    memset(k->long_hw, 0xFF, sizeof k->long_hw);
    for (uint32_t i = 0; i < k->view.thread_count; i++) {
        k->long_threads[i].now = k->threads[i];
    }
    for (uint32_t i = 0; i < WEFT_HW_COUNT; i++) {
        k->long_hw[i].now = k->hw[i];
    }
    k->view.threads = &k->long_threads[0].now;
    k->view.thread_stride = sizeof k->long_threads[0];
    k->view.hw = &k->long_hw[0].now;
    k->view.hw_stride = sizeof k->long_hw[0];
}

static void set_now(kit *k)
{
    k->view.now = UINT64_MAX;
    for (uint32_t i = 0; i < WEFT_HW_COUNT; i++) {
        if (k->hw[i].ready && k->hw[i].time < k->view.now) {
            k->view.now = k->hw[i].time;
        }
    }
}

void kit_view(kit *k, uint32_t round)
{
    k->shape = round % VIEW_SHAPES;
    memset(k->hw, 0, sizeof k->hw);
    k->view = (weft_sched_view){
        .size = sizeof k->view,
        .thread_count = count_of(k),
        .thread_stride = sizeof k->threads[0],
        .hw_stride = sizeof k->hw[0],
        .next_deadline = kit_next(k, 2) ? UINT64_MAX : 1100000,
        .threads = k->threads,
        .hw = k->hw,
    };
    for (uint32_t i = 0; i < WEFT_HW_COUNT; i++) {
        k->hw[i].time = 1000000 + kit_next(k, 50000) + UINT64_C(60000) * round;
        k->hw[i].time = k->shape == VIEW_LATE ? UINT64_MAX - 1 - kit_next(k, 50000) : k->hw[i].time;
        k->hw[i].current = -1;
    }
    make_threads(k, k->view.thread_count);
    if (k->shape == VIEW_PINNED) {
        pin(k);
    }
    set_now(k);
    if (k->shape == VIEW_STRIDES) {
        lengthen(k);
    }
}

weft_sync_op kit_op(kit *k, uint32_t kind)
{
    uint32_t object = kit_next(k, KIT_OBJECTS);
    k->events += 1 + kit_next(k, 3);
    return (weft_sync_op){
        .size = sizeof(weft_sync_op),
        .kind = kind,
        .thread = k->threads[kit_next(k, k->view.thread_count)].id,
        .object = UINT64_C(0x2000) + object,
        .index = k->indices[kind]++,
        .sequence = kind == WEFT_SYNC_CALL ? 0 : k->sequences[object]++,
        .site = 0x82000000 + kit_next(k, 64) * 4,
        .pointer = kind == WEFT_SYNC_CALL ? 0 : 0x70000000 + object * 0x20,
        .event = k->events,
    };
}
