#include "order_link.h"

#include <stdlib.h>
#include <string.h>

struct order_waiter {
    uint64_t thread;
    uint32_t objects[ORDER_WAIT_MOST], count;
    /* the latest operation on one of them; last_object UINT32_MAX: none yet */
    uint32_t last_object;
    uint64_t last_thread, last_number;
};

/* An operation that comes after one on another object. */
struct order_joint {
    uint32_t object, after_object;
    uint64_t number, after_number;
};

static int grow(void **rows, uint32_t count, uint32_t *room, size_t size)
{
    if (count < *room) {
        return 1;
    }
    uint32_t wanted = *room ? *room * 2 : 16;
    void *more = realloc(*rows, wanted * size);
    if (more) {
        *rows = more;
        *room = wanted;
    }
    return more != NULL;
}

int order_links_begin(order_links *l, uint64_t thread, const uint32_t *objects, uint32_t count)
{
    if (count < 2 || count > ORDER_WAIT_MOST) {
        return 1;
    }
    order_links_end(l, thread); /* in a trace with gaps */
    if (!grow((void **)&l->waiters, l->waiter_count, &l->waiter_room, sizeof *l->waiters)) {
        return 0;
    }
    order_waiter *w = &l->waiters[l->waiter_count++];
    *w = (order_waiter){.thread = thread, .count = count, .last_object = UINT32_MAX};
    memcpy(w->objects, objects, count * sizeof *objects);
    return 1;
}

void order_links_end(order_links *l, uint64_t thread)
{
    for (uint32_t i = 0; i < l->waiter_count; i++) {
        if (l->waiters[i].thread == thread) {
            l->waiters[i] = l->waiters[--l->waiter_count];
            return;
        }
    }
}

static int waits_for(const order_waiter *w, uint32_t object)
{
    uint32_t i = 0;
    while (i < w->count && w->objects[i] != object) {
        i++;
    }
    return i < w->count;
}

int order_links_operation(order_links *l, uint64_t thread, uint32_t object, uint64_t number)
{
    for (uint32_t i = 0; i < l->waiter_count; i++) {
        order_waiter *w = &l->waiters[i];
        if (!waits_for(w, object)) {
            continue;
        }
        if (w->last_object != UINT32_MAX && w->last_object != object && w->last_thread != thread) {
            if (!grow((void **)&l->joints, l->joint_count, &l->joint_room, sizeof *l->joints)) {
                return 0;
            }
            l->joints[l->joint_count++] = (order_joint){
                .object = object,
                .number = number,
                .after_object = w->last_object,
                .after_number = w->last_number,
            };
        }
        w->last_object = object;
        w->last_thread = thread;
        w->last_number = number;
    }
    return 1;
}

/* By object, number, and what it comes after. */
static int in_order(const void *a, const void *b)
{
    const order_joint *x = a, *y = b;
    if (x->object != y->object) {
        return x->object < y->object ? -1 : 1;
    }
    if (x->number != y->number) {
        return x->number < y->number ? -1 : 1;
    }
    if (x->after_object != y->after_object) {
        return x->after_object < y->after_object ? -1 : 1;
    }
    return x->after_number < y->after_number ? -1 : x->after_number > y->after_number;
}

/* The place of a number among an object's operations. */
static int entry_of(const weft_order_object *o, uint64_t number, uint32_t *entry)
{
    *entry = (uint32_t)(number - o->first);
    return number >= o->first && number - o->first < o->count;
}

int order_links_give(order_links *l, weft_order *order)
{
    if (order->missing + order->duplicates > 0 || l->joint_count == 0) {
        return 1; /* a number is not its place then */
    }
    qsort(l->joints, l->joint_count, sizeof *l->joints, in_order);
    for (uint32_t i = 0; i < l->joint_count; i++) {
        const order_joint *j = &l->joints[i];
        weft_order_object *o = &order->objects[j->object];
        weft_order_link link = {.after_object = j->after_object};
        if ((i > 0 && in_order(j, j - 1) == 0) || !entry_of(o, j->number, &link.entry) ||
            !entry_of(&order->objects[j->after_object], j->after_number, &link.after_entry)) {
            continue;
        }
        if (!grow((void **)&o->links, o->link_count, &o->link_room, sizeof *o->links)) {
            return 0;
        }
        o->links[o->link_count++] = link;
        order->links++;
    }
    return 1;
}

void order_links_free(order_links *l)
{
    free(l->waiters);
    free(l->joints);
    *l = (order_links){0};
}
