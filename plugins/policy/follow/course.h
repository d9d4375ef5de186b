/* course.h: how far a run has come in an order manifest.
 *
 * Each object has its entries in the reference's order and a head: entries before it bind nobody any
 * more. An operation may go if its thread's next entry there is the first that still binds. Entries are
 * used up by operations as they happen, whatever let them; those that somebody was let past stay
 * there for the thread that they belong to, but do not keep others waiting. */
#ifndef WEFT_POLICY_COURSE_H
#define WEFT_POLICY_COURSE_H

#include "order.h"
#include "weft/policy.h"

#define COURSE_NONE UINT32_MAX

/* A thread of the manifest. */
typedef struct course_thread {
    uint64_t id;
    uint32_t seen;  /* 1: it exists or existed in this run */
    uint32_t off;   /* 1: it does other things than the reference; its entries bind nobody */
    uint32_t ended; /* 1: the same, since it is gone */
    /* What it is held at; held_object COURSE_NONE: nothing. */
    uint32_t held_object, held_entry;
    uint64_t held_since, held_turn;
    uint32_t relaxed_object, relaxed_entry; /* let go before its turn, and not gone yet */
} course_thread;

typedef struct course_lane {
    uint32_t thread, next; /* its first entry that is not used up, or COURSE_NONE */
} course_lane;

typedef struct course_object {
    uint64_t id;
    weft_order_object *order;
    uint32_t *following; /* by entry: the next of the same thread */
    course_lane *lanes;
    uint32_t lane_count, head;
    /* Ends of waits have their numbers before they are told of. */
    uint64_t told;  /* operations told of, from where the policy came on */
    uint32_t met;   /* 1: told counts */
    uint32_t ahead; /* entries of such ends that the head has passed though they were not told of */
} course_object;

typedef struct course {
    weft_order *order;
    course_thread *threads;
    course_object *objects;
    uint32_t thread_count, object_count;
    uint32_t *thread_slots, *object_slots; /* open addressing; place + 1 */
    uint32_t thread_mask, object_mask;
    uint32_t ahead; /* entries of a thread that are looked at where the next one does not fit */
} course;

/* Takes the manifest over. 0 without memory. */
int course_start(course *c, weft_order *order, uint32_t ahead);
void course_end(course *c);

/* By identity; NULL where the manifest lacks it. */
course_thread *course_thread_of(const course *c, uint64_t id);
course_object *course_object_of(const course *c, uint64_t id);

/* The entry of this operation of the thread: its next one on the object, or one of the same sort at most
 * `ahead` further on. *skipped: how many it would leave out. COURSE_NONE: none fits. */
uint32_t course_find(const course *c, const course_object *o, uint32_t thread, uint32_t kind,
                     uint32_t *skipped);

/* Whether the thread has no entry left on the object. */
int course_is_over(const course_object *o, uint32_t thread);

/* The object's next operation has this number. What was taken and not told of are ends of waits: so
 * many of them do not bind at the head. */
void course_meet(const course *c, course_object *o, uint64_t sequence);
/* An operation was told of. */
void course_tell(course_object *o, uint32_t kind, uint64_t sequence);

/* The first entry that still binds, or the object's number of entries. */
uint32_t course_head(const course *c, course_object *o);

/* How many of the entries from the head up to `entry` bind, as far as is worth a look: at least 1. */
uint32_t course_distance(const course *c, const course_object *o, uint32_t entry);

/* Entries up to `entry` bind nobody any more. */
void course_pass(course_object *o, uint32_t entry);

/* Uses up an entry, and what the thread left out before it. */
void course_use(const course *c, course_object *o, uint32_t thread, uint32_t entry);

/* The place in the list of threads that an entry belongs to. */
static inline uint32_t course_owner(const course_object *o, uint32_t entry)
{
    return o->order->operations[entry] >> WEFT_ORDER_THREAD;
}

/* Whether it is the end of a wait, whose number was taken before the thread knows. */
static inline int course_is_end(uint32_t kind)
{
    return kind == WEFT_SYNC_WAKE || kind == WEFT_SYNC_TIMEOUT;
}

#endif
