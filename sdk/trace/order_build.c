/* order_build.c: the order manifest of a trace (order.h).
 *
 * Numbers are exact, wherever the events stand in the file. Without them the order of operations on an
 * object has to come from when the calls began (b) and ended (e), which is all that a log with time
 * stamps tells; an operation lies anywhere between. What an acquisition finds is known when it ends,
 * what a release does when it begins, so these stand for them. Where the intervals of neighbours of
 * different threads overlap, their order is a guess, and soft. */
#include <stdlib.h>
#include <string.h>

#include "order.h"
#include "order_link.h"
#include "weft/policy.h"

#define NEVER         UINT64_MAX
#define MOST_OVERLAPS 32 /* neighbours that are looked at for each operation */

typedef struct taken {
    uint64_t number; /* of the object; without numbers the time that stands for it */
    uint64_t place;  /* sequence of the event */
    uint64_t from, to;
    uint32_t operation;
} taken;

typedef struct pile {
    taken *taken;
    uint32_t count, room;
} pile;

/* Identities and their places in a list. */
typedef struct places {
    uint64_t *ids;
    uint32_t *at; /* + 1; 0: free */
    uint32_t used, room;
} places;

/* A thread that is in a call: operations whose end is not known yet. */
typedef struct caller {
    uint64_t began; /* NEVER: in none */
    uint32_t *open; /* object, place in its pile */
    uint32_t open_count, open_room;
} caller;

typedef struct renamed {
    uint64_t from, to;
    char *name;
} renamed;

struct weft_order_builder {
    weft_order *order;
    places threads, objects;
    order_links links;
    pile *piles;     /* by object */
    caller *callers; /* by thread */
    renamed *renamed;
    uint32_t renamed_count;
    uint32_t thread_room, object_room;
    uint64_t resolution;
};

weft_order_builder *weft_order_builder_new(uint64_t resolution)
{
    weft_order_builder *b = calloc(1, sizeof *b);
    if (b) {
        b->order = calloc(1, sizeof *b->order);
        b->resolution = resolution;
        if (!b->order) {
            free(b);
            return NULL;
        }
        b->order->resolution = resolution;
    }
    return b;
}

void weft_order_builder_free(weft_order_builder *b)
{
    if (!b) {
        return;
    }
    for (uint32_t i = 0; b->order && i < b->order->object_count; i++) {
        free(b->piles[i].taken);
    }
    for (uint32_t i = 0; b->order && i < b->order->thread_count; i++) {
        free(b->callers[i].open);
    }
    for (uint32_t i = 0; i < b->renamed_count; i++) {
        free(b->renamed[i].name);
    }
    weft_order_free(b->order);
    order_links_free(&b->links);
    free(b->threads.ids);
    free(b->threads.at);
    free(b->objects.ids);
    free(b->objects.at);
    free(b->piles);
    free(b->callers);
    free(b->renamed);
    free(b);
}

int weft_order_builder_map(weft_order_builder *b, uint64_t from, uint64_t to, const char *name)
{
    renamed *more = realloc(b->renamed, (b->renamed_count + 1) * sizeof *more);
    if (!more) {
        return 0;
    }
    b->renamed = more;
    char *copy = strdup(name);
    if (!copy) {
        return 0;
    }
    more[b->renamed_count++] = (renamed){.from = from, .to = to, .name = copy};
    return 1;
}

/* ---- lists ------------------------------------------------------------------------------------- */

static uint32_t slot_of(const places *p, uint64_t id)
{
    uint32_t slot = (uint32_t)((id * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (p->room - 1);
    while (p->at[slot] && p->ids[slot] != id) {
        slot = (slot + 1) & (p->room - 1);
    }
    return slot;
}

static int places_grow(places *p)
{
    places more = {.room = p->room ? p->room * 2 : 64, .used = p->used};
    more.ids = calloc(more.room, sizeof *more.ids);
    more.at = calloc(more.room, sizeof *more.at);
    if (!more.ids || !more.at) {
        free(more.ids);
        free(more.at);
        return 0;
    }
    for (uint32_t i = 0; i < p->room; i++) {
        if (p->at[i]) {
            uint32_t slot = slot_of(&more, p->ids[i]);
            more.ids[slot] = p->ids[i];
            more.at[slot] = p->at[i];
        }
    }
    free(p->ids);
    free(p->at);
    *p = more;
    return 1;
}

/* The place of an identity, a new one if it has none; UINT32_MAX without memory. */
static uint32_t place_of(places *p, uint64_t id)
{
    if (p->used * 2 >= p->room && !places_grow(p)) {
        return UINT32_MAX;
    }
    uint32_t slot = slot_of(p, id);
    if (!p->at[slot]) {
        p->ids[slot] = id;
        p->at[slot] = ++p->used;
    }
    return p->at[slot] - 1;
}

/* Room for one more of two lists that grow together. */
static int grow(uint32_t count, uint32_t *room, void **one, size_t one_size, void **two,
                size_t two_size)
{
    if (count < *room) {
        return 1;
    }
    uint32_t wanted = *room ? *room * 2 : 16;
    void *more = realloc(*one, wanted * one_size);
    *one = more ? more : *one;
    void *other = more ? realloc(*two, wanted * two_size) : NULL;
    *two = other ? other : *two;
    if (!other) {
        return 0;
    }
    memset((char *)more + count * one_size, 0, (wanted - count) * one_size);
    memset((char *)other + count * two_size, 0, (wanted - count) * two_size);
    *room = wanted;
    return 1;
}

static char *copy_name(const char *name)
{
    return name ? strdup(name) : NULL;
}

static uint32_t thread_of(weft_order_builder *b, const weft_trace *trace, uint64_t id)
{
    const char *name = weft_trace_name(trace, id);
    for (uint32_t i = 0; i < b->renamed_count; i++) {
        if (b->renamed[i].from == id) {
            id = b->renamed[i].to;
            name = b->renamed[i].name;
            break;
        }
    }
    weft_order *o = b->order;
    uint32_t at = place_of(&b->threads, id);
    if (at == UINT32_MAX || at < o->thread_count) {
        return at;
    }
    if (!grow(at, &b->thread_room, (void **)&o->threads, sizeof *o->threads, (void **)&b->callers,
              sizeof *b->callers)) {
        return UINT32_MAX;
    }
    o->threads[at] = (weft_order_thread){.id = id, .name = copy_name(name)};
    b->callers[at].began = NEVER;
    o->thread_count++;
    return at;
}

static uint32_t object_of(weft_order_builder *b, const weft_trace *trace, uint64_t id)
{
    weft_order *o = b->order;
    uint32_t at = place_of(&b->objects, id);
    if (at == UINT32_MAX || at < o->object_count) {
        return at;
    }
    if (!grow(at, &b->object_room, (void **)&o->objects, sizeof *o->objects, (void **)&b->piles,
              sizeof *b->piles)) {
        return UINT32_MAX;
    }
    o->objects[at] = (weft_order_object){.id = id, .name = copy_name(weft_trace_name(trace, id))};
    o->object_count++;
    return at;
}

/* ---- events ------------------------------------------------------------------------------------ */

static int keep(pile *p, const taken *t)
{
    if (p->count == p->room) {
        uint32_t room = p->room ? p->room * 2 : 16;
        taken *more = realloc(p->taken, room * sizeof *more);
        if (!more) {
            return 0;
        }
        p->taken = more;
        p->room = room;
    }
    p->taken[p->count++] = *t;
    return 1;
}

/* The call is over: what happened in it happened before now. */
static void call_ends(weft_order_builder *b, caller *c, uint64_t tick)
{
    for (uint32_t i = 0; i < c->open_count; i += 2) {
        b->piles[c->open[i]].taken[c->open[i + 1]].to = tick;
    }
    c->open_count = 0;
    c->began = NEVER;
}

static int stays_open(caller *c, uint32_t object, uint32_t at)
{
    if (c->open_count + 2 > c->open_room) {
        uint32_t room = c->open_room ? c->open_room * 2 : 8;
        uint32_t *more = realloc(c->open, room * sizeof *more);
        if (!more) {
            return 0;
        }
        c->open = more;
        c->open_room = room;
    }
    c->open[c->open_count++] = object;
    c->open[c->open_count++] = at;
    return 1;
}

static int add_operation(weft_order_builder *b, const weft_trace *trace, const weft_event *event,
                         uint32_t thread)
{
    uint32_t count;
    const uint64_t *words = weft_trace_words(event, &count);
    /* op, object, sequence, nth */
    if (count != 4 || words[0] >= WEFT_SYNC_KINDS || words[0] == WEFT_SYNC_CALL || words[1] == 0) {
        return 1; /* a delay is on no object */
    }
    if (b->resolution && (words[0] == WEFT_SYNC_WAKE || words[0] == WEFT_SYNC_TIMEOUT)) {
        return 1; /* time stamps tell of a call's end, not of what ended the wait, nor when */
    }
    uint32_t object = object_of(b, trace, words[1]);
    if (object == UINT32_MAX || thread >= 1u << (32 - WEFT_ORDER_THREAD) ||
        b->order->operations == WEFT_ORDER_MOST) {
        return 0;
    }
    caller *c = &b->callers[thread];
    taken t = {
        .number = words[2],
        .place = event->sequence,
        .from = c->began == NEVER ? event->tick : c->began,
        .to = event->tick,
        .operation = thread << WEFT_ORDER_THREAD | (uint32_t)words[0],
    };
    b->order->operations++;
    if (!keep(&b->piles[object], &t)) {
        return 0;
    }
    /* the end of a wait has its number from the signal before it, and stands later in the file */
    if (!b->resolution && words[0] != WEFT_SYNC_WAKE && words[0] != WEFT_SYNC_TIMEOUT &&
        !order_links_operation(&b->links, event->thread, object, words[2])) {
        return 0;
    }
    return !b->resolution || c->began == NEVER || stays_open(c, object, b->piles[object].count - 1);
}

/* A wait begins. 0 without memory. */
static int add_wait(weft_order_builder *b, const weft_trace *trace, const weft_event *event)
{
    uint32_t count, objects[ORDER_WAIT_MOST];
    const uint64_t *words = weft_trace_words(event, &count);
    /* the objects, their number first; timeout, all, alertable */
    if (count < 6 || words[0] != count - 4 || words[0] > ORDER_WAIT_MOST || !words[count - 2]) {
        return 1;
    }
    for (uint32_t i = 0; i < count - 4; i++) {
        objects[i] = object_of(b, trace, words[1 + i]);
        if (objects[i] == UINT32_MAX) {
            return 0;
        }
    }
    return order_links_begin(&b->links, event->thread, objects, count - 4);
}

int weft_order_builder_add(weft_order_builder *b, const weft_trace *trace, const weft_event *event)
{
    b->order->events++;
    if (!b->resolution && event->kind == WEFT_EVENT_WAIT_BEGIN) {
        return add_wait(b, trace, event);
    }
    if (event->kind == WEFT_EVENT_WAIT_END) {
        order_links_end(&b->links, event->thread);
        return 1;
    }
    if (event->kind != WEFT_EVENT_SYNC_OP &&
        (!b->resolution || event->kind < WEFT_EVENT_KERNEL_CALL ||
         event->kind > WEFT_EVENT_KERNEL_RETURN_VOID)) {
        return 1;
    }
    uint32_t thread = thread_of(b, trace, event->thread);
    if (thread == UINT32_MAX) {
        return 0;
    }
    if (event->kind == WEFT_EVENT_KERNEL_CALL) {
        b->callers[thread].began = event->tick;
    } else if (event->kind != WEFT_EVENT_SYNC_OP) {
        call_ends(b, &b->callers[thread], event->tick);
    } else {
        return add_operation(b, trace, event, thread);
    }
    return 1;
}

/* ---- the order --------------------------------------------------------------------------------- */

static int by_number(const void *a, const void *b)
{
    const taken *x = a, *y = b;
    if (x->number != y->number) {
        return x->number < y->number ? -1 : 1;
    }
    return x->place < y->place ? -1 : x->place > y->place;
}

/* Where times are the same, nothing says who was first: the threads go one after the other. The place
 * in the file is looked at within a thread alone; between threads it would give away the order. */
static int by_time(const void *a, const void *b)
{
    const taken *x = a, *y = b;
    uint32_t one = x->operation >> WEFT_ORDER_THREAD, other = y->operation >> WEFT_ORDER_THREAD;
    if (x->number != y->number) {
        return x->number < y->number ? -1 : 1;
    }
    if (one != other) {
        return one < other ? -1 : 1;
    }
    return x->place < y->place ? -1 : x->place > y->place;
}

/* The time that stands for an operation, in steps: an acquisition's is its call's end, when it has
 * what it asked for; of all others the beginning. */
static void stamp(weft_order_builder *b, pile *p)
{
    for (uint32_t i = 0; i < p->count; i++) {
        taken *t = &p->taken[i];
        uint32_t kind = t->operation & WEFT_ORDER_KIND;
        t->from /= b->resolution;
        t->to /= b->resolution;
        t->number = kind == WEFT_SYNC_ENTER || kind == WEFT_SYNC_TRY ? t->to : t->from;
    }
}

/* Each whose interval touches that of one of another thread might have been the other way round; but an
 * acquisition and the release that made it possible cannot. */
static void soften(pile *p)
{
    for (uint32_t i = 0; i < p->count; i++) {
        taken *t = &p->taken[i];
        for (uint32_t n = i + 1; n < p->count && n <= i + MOST_OVERLAPS; n++) {
            taken *u = &p->taken[n];
            uint32_t first = t->operation & WEFT_ORDER_KIND,
                     second = u->operation & WEFT_ORDER_KIND;
            if (u->from > t->to) {
                break;
            }
            if (t->operation >> WEFT_ORDER_THREAD == u->operation >> WEFT_ORDER_THREAD ||
                (n == i + 1 && first == WEFT_SYNC_LEAVE && second == WEFT_SYNC_ENTER)) {
                continue;
            }
            t->operation |= WEFT_ORDER_SOFT;
            u->operation |= WEFT_ORDER_SOFT;
        }
    }
}

static int settle(weft_order_builder *b, pile *p, weft_order_object *o)
{
    uint64_t place = 0;
    if (b->resolution) {
        stamp(b, p);
    }
    qsort(p->taken, p->count, sizeof *p->taken, b->resolution ? by_time : by_number);
    if (b->resolution) {
        soften(p);
    } else {
        o->first = p->taken[0].number;
    }
    o->operations = malloc(p->count * sizeof *o->operations);
    o->places = malloc((p->count / WEFT_ORDER_STEP + 1) * sizeof *o->places);
    if (!o->operations || !o->places) {
        return 0;
    }
    for (uint32_t i = 0; i < p->count; i++) {
        const taken *t = &p->taken[i];
        if (!b->resolution && i > 0 && t->number == t[-1].number) {
            b->order->duplicates++;
            b->order->operations--;
            continue;
        }
        b->order->missing += !b->resolution && i > 0 ? t->number - t[-1].number - 1 : 0;
        b->order->soft += (t->operation & WEFT_ORDER_SOFT) != 0;
        b->order->threads[t->operation >> WEFT_ORDER_THREAD].operations++;
        place = t->place > place ? t->place : place; /* a wake's number is older than its event */
        if (o->count % WEFT_ORDER_STEP == 0) {
            o->places[o->count / WEFT_ORDER_STEP] = place;
        }
        o->operations[o->count++] = t->operation;
    }
    free(p->taken);
    *p = (pile){0};
    return 1;
}

weft_order *weft_order_builder_end(weft_order_builder *b)
{
    for (uint32_t i = 0; i < b->order->object_count; i++) {
        if (b->piles[i].count > 0 && !settle(b, &b->piles[i], &b->order->objects[i])) {
            return NULL;
        }
    }
    weft_order *order = b->order;
    if (!order_links_give(&b->links, order)) {
        return NULL;
    }
    for (uint32_t i = 0; i < order->thread_count; i++) {
        free(b->callers[i].open);
    }
    b->order = NULL;
    return order;
}
