/* clock.c: the event queue of guest time: a binary heap of slots, ordered by (tick, rank, source,
 * order of scheduling). A handle is an order number and a slot, so that an old one names nothing.
 */
#include "clock.h"

#include <stdlib.h>

#include "text.h"

#define SOURCE_LIMIT 64
#define SLOT_BITS    20 /* at most a million firings pending; 2^44 orders */
#define SLOT_LIMIT   (UINT32_C(1) << SLOT_BITS)
#define NOT_QUEUED   UINT32_MAX

typedef struct source {
    const char *name;
    uint32_t rank;
    weft_clock_fn fn;
    void *context;
} source;

typedef struct slot {
    uint64_t tick, order, argument;
    uint32_t source;
    uint32_t at; /* place in the heap, or NOT_QUEUED */
} slot;

typedef struct queue {
    weft_clock face; /* must be first */
    source sources[SOURCE_LIMIT];
    uint32_t source_count;
    slot *slots;
    uint32_t *heap; /* slot numbers */
    uint32_t *free; /* slot numbers */
    uint32_t slot_count, heap_count, free_count;
    uint64_t order; /* of the next event; from 1 */
    uint64_t now;
} queue;

static queue *of(weft_clock *face)
{
    return (queue *)face;
}

static int goes_first(const queue *q, uint32_t left, uint32_t right)
{
    const slot *a = &q->slots[left], *b = &q->slots[right];
    if (a->tick != b->tick) {
        return a->tick < b->tick;
    }
    uint32_t rank_a = q->sources[a->source].rank, rank_b = q->sources[b->source].rank;
    if (rank_a != rank_b) {
        return rank_a < rank_b;
    }
    return a->source != b->source ? a->source < b->source : a->order < b->order;
}

static void put(queue *q, uint32_t at, uint32_t number)
{
    q->heap[at] = number;
    q->slots[number].at = at;
}

static void sift_up(queue *q, uint32_t at)
{
    uint32_t number = q->heap[at];
    while (at > 0 && goes_first(q, number, q->heap[(at - 1) / 2])) {
        put(q, at, q->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    put(q, at, number);
}

static void sift_down(queue *q, uint32_t at)
{
    uint32_t number = q->heap[at];
    for (;;) {
        uint32_t child = at * 2 + 1;
        if (child >= q->heap_count) {
            break;
        }
        if (child + 1 < q->heap_count && goes_first(q, q->heap[child + 1], q->heap[child])) {
            child++;
        }
        if (!goes_first(q, q->heap[child], number)) {
            break;
        }
        put(q, at, q->heap[child]);
        at = child;
    }
    put(q, at, number);
}

static void take_out(queue *q, uint32_t at)
{
    uint32_t number = q->heap[at];
    uint32_t last = q->heap[--q->heap_count];
    q->slots[number].at = NOT_QUEUED;
    q->free[q->free_count++] = number;
    if (last != number) {
        put(q, at, last);
        sift_up(q, at);
        sift_down(q, q->slots[last].at);
    }
}

static weft_status source_add(weft_clock *face, const char *name, uint32_t rank, weft_clock_fn fn,
                              void *context, uint32_t *id)
{
    queue *q = of(face);
    if (q->source_count == SOURCE_LIMIT) {
        return WEFT_E_LIMIT;
    }
    *id = q->source_count;
    q->sources[q->source_count++] = (source){name, rank, fn, context};
    return WEFT_OK;
}

static uint32_t new_slot(queue *q)
{
    if (q->free_count > 0) {
        return q->free[--q->free_count];
    }
    if ((q->slot_count & (q->slot_count - 1)) == 0) { /* full: room is a power of two */
        size_t room = q->slot_count ? (size_t)q->slot_count * 2 : 1;
        q->slots = text_grow(q->slots, room * sizeof *q->slots);
        q->heap = text_grow(q->heap, room * sizeof *q->heap);
        q->free = text_grow(q->free, room * sizeof *q->free);
    }
    if (q->slot_count == SLOT_LIMIT - 1) {
        error_print("clock", "too many firings are pending (found %u, expected fewer)",
                    q->slot_count);
        abort();
    }
    return q->slot_count++;
}

static uint64_t schedule(weft_clock *face, uint32_t id, uint64_t tick, uint64_t argument)
{
    queue *q = of(face);
    if (id >= q->source_count) {
        error_print("clock.schedule", "source is not registered (found %u, expected less than %u)",
                    id, q->source_count);
        abort();
    }
    uint32_t number = new_slot(q);
    q->slots[number] =
        (slot){.tick = tick, .order = q->order++, .argument = argument, .source = id};
    put(q, q->heap_count, number);
    sift_up(q, q->heap_count++);
    return q->slots[number].order << SLOT_BITS | number;
}

static int32_t cancel(weft_clock *face, uint64_t handle)
{
    queue *q = of(face);
    uint32_t number = (uint32_t)(handle & (SLOT_LIMIT - 1));
    if (number >= q->slot_count || q->slots[number].order != handle >> SLOT_BITS ||
        q->slots[number].at == NOT_QUEUED) {
        return 0;
    }
    take_out(q, q->slots[number].at);
    return 1;
}

static uint64_t next_tick(weft_clock *face)
{
    queue *q = of(face);
    return q->heap_count ? q->slots[q->heap[0]].tick : WEFT_TICK_NEVER;
}

static uint64_t advance(weft_clock *face, uint64_t until)
{
    queue *q = of(face);
    uint64_t fired = 0;
    while (q->heap_count && q->slots[q->heap[0]].tick <= until) {
        slot event = q->slots[q->heap[0]]; /* by value: the handler may reuse the slot */
        take_out(q, 0);
        q->now = event.tick;
        q->sources[event.source].fn(q->sources[event.source].context, event.tick, event.argument);
        fired++;
    }
    q->now = until;
    return fired;
}

static uint64_t now(weft_clock *face)
{
    return of(face)->now;
}

weft_clock *clock_create(void)
{
    queue *q = text_need(sizeof *q);
    q->order = 1;
    q->face = (weft_clock){.size = sizeof(weft_clock),
                           .impl = q,
                           .source_add = source_add,
                           .schedule = schedule,
                           .cancel = cancel,
                           .next = next_tick,
                           .advance = advance,
                           .now = now};
    return &q->face;
}

void clock_destroy(weft_clock *face)
{
    if (!face) {
        return;
    }
    queue *q = of(face);
    free(q->slots);
    free(q->heap);
    free(q->free);
    free(q);
}
