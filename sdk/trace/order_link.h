/* order_link.h: what a wait for all asks of an order manifest.
 *
 * Such a wait takes all of its objects or none, so whether a signal of one ends it depends on the state of
 * the others: while somebody waits for several objects at once, the operations on them are one sequence,
 * and not one for each object. Neighbours in it, of different objects and threads, are linked. */
#ifndef WEFT_TRACE_ORDER_LINK_H
#define WEFT_TRACE_ORDER_LINK_H

#include "order.h"

#define ORDER_WAIT_MOST 64 /* objects of one wait (NT, MAXIMUM_WAIT_OBJECTS) */

typedef struct order_waiter order_waiter;
typedef struct order_joint order_joint;

typedef struct order_links {
    order_waiter *waiters; /* threads in a wait for all */
    uint32_t waiter_count, waiter_room;
    order_joint *joints;
    uint32_t joint_count, joint_room;
} order_links;

/* A thread (identity in the trace) begins to wait for all of these objects (places in the manifest); ends
 * it; somebody performs an operation, as the events come. 0 without memory. */
int order_links_begin(order_links *l, uint64_t thread, const uint32_t *objects, uint32_t count);
void order_links_end(order_links *l, uint64_t thread);
int order_links_operation(order_links *l, uint64_t thread, uint32_t object, uint64_t number);

/* Gives the manifest's objects, all made, their links. Those whose numbers have gaps get none. 0 without
 * memory. */
int order_links_give(order_links *l, weft_order *order);

void order_links_free(order_links *l);

#endif
