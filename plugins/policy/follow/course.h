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

typedef struct course_lane {
    uint32_t thread, next; /* its first entry that is not used up, or COURSE_NONE */
} course_lane;

struct course_object;

/* Where a thread has found an object, and its own entries there, last. */
#define COURSE_NEAR 32
typedef struct course_near {
    _Alignas(32) uint64_t id;     /* of the object; 0: nothing */
    struct course_object *object; /* NULL: the manifest lacks it */
    course_lane *lane;            /* NULL: the thread has no entry there */
} course_near;

/* A thread of the manifest. */
typedef struct course_thread {
    uint64_t id;
    uint32_t seen;  /* 1: it exists or existed in this run */
    uint32_t off;   /* 1: it does other things than the reference; its entries bind nobody */
    uint32_t ended; /* 1: the same, since it is gone */
    uint32_t
        plain; /* 1: it has been seen, is on script, and neither held nor let go before its turn */
    /* What it is held at; held_object COURSE_NONE: nothing. */
    uint32_t held_object, held_entry;
    uint32_t held_place; /* in the list of those that are held */
    uint64_t held_since, held_turn;
    uint32_t relaxed_object, relaxed_entry; /* let go before its turn, and not gone yet */
    /* Its latest wait, and how that ended in the reference, as the entries behind it say. */
    uint64_t wait_event;
    uint32_t foreseen; /* bits 1 << WEFT_SYNC_WAKE, _TIMEOUT */
    uint64_t deadline; /* tick at which it is over of itself, 0: at none */
    course_near *near; /* COURSE_NEAR by the low bits of the identity; made for threads that come */
} course_thread;

/* One operation of the reference. */
typedef struct course_entry {
    uint32_t operation; /* as the order has it, and COURSE_USED */
    uint32_t next;      /* the next of the same thread */
} course_entry;

typedef struct course_object {
    /* What each operation looks at fills a line of the host's cache. */
    _Alignas(64) course_entry *entries;
    /* Ends of waits have their numbers before they are told of. */
    uint64_t told;  /* operations told of, from where the policy came on */
    uint64_t first; /* number of the first entry */
    uint32_t count; /* of the entries */
    uint32_t head;
    uint32_t ahead; /* entries of such ends that the head has passed though they were not told of */
    uint32_t plain; /* 1: told counts, and no entry waits for one of another object */
    uint32_t met;   /* 1: told counts */
    uint32_t link_count;
    const weft_order_link *links; /* the order's */

    uint64_t id;
    weft_order_object *order;
    course_lane *lanes;
    uint32_t lane_count;
} course_object;

typedef struct course {
    weft_order *order;
    course_thread *threads;
    course_object *objects;
    uint32_t thread_count, object_count;
    uint32_t *thread_slots, *object_slots; /* open addressing; place + 1 */
    uint32_t thread_mask, object_mask;
    uint32_t ahead; /* entries of a thread that are looked at where the next one does not fit */
    uint32_t freed; /* 1: entries of some thread bind nobody */
} course;

/* In an operation of the manifest: its entry has been used up. */
#define COURSE_USED UINT32_C(0x40)

/* Takes the manifest over. 0 without memory. */
int course_start(course *c, weft_order *order, uint32_t ahead);
void course_end(course *c);

/* By identity; NULL where the manifest lacks it. */
course_thread *course_thread_of(const course *c, uint64_t id);
course_object *course_object_of(const course *c, uint64_t id);

/* What has been changed of a thread, or of an object, may make it plain or not. */
static inline void course_weigh(course_thread *t)
{
    t->plain = t->near && t->seen && !t->off && (t->held_object & t->relaxed_object) == COURSE_NONE;
}

static inline void course_weigh_object(course_object *o)
{
    o->plain = o->met && o->link_count == 0 && o->told >= o->first;
}

/* The thread's place for an object. NULL without memory. */
const course_near *course_look_up(const course *c, course_thread *t, uint64_t object);

/* The thread goes its own way, or has ended: its entries bind nobody. */
static inline void course_free(course *c, uint32_t *why)
{
    *why = 1;
    c->freed = 1;
}

/* Whether the thread has no entry left on the object. */
static inline int course_is_over(const course_lane *lane)
{
    return !lane || lane->next == COURSE_NONE;
}

/* How many of the entries from the head up to `entry` bind, as far as is worth a look: at least 1. */
uint32_t course_distance(const course *c, const course_object *o, uint32_t entry);

/* Whether an entry, whose turn it is on its object, still has to wait for one of another object. */
int course_waits(const course *c, const course_object *o, uint32_t entry);

/* Entries up to `entry` bind nobody any more. */
void course_pass(course_object *o, uint32_t entry);

/* The place in the list of threads that an entry belongs to. */
static inline uint32_t course_owner(const course_object *o, uint32_t entry)
{
    return o->entries[entry].operation >> WEFT_ORDER_THREAD;
}

/* The thread's place for an object that it has met, mostly; else as course_look_up. */
static inline const course_near *course_near_of(const course *c, course_thread *t, uint64_t object)
{
    const course_near *n = t->near ? &t->near[object % COURSE_NEAR] : NULL;
    return n && n->id == object ? n : course_look_up(c, t, object);
}

/* Whether it is the end of a wait, whose number was taken before the thread knows. */
static inline int course_is_end(uint32_t kind)
{
    return kind == WEFT_SYNC_WAKE || kind == WEFT_SYNC_TIMEOUT;
}

/* An operation that enters a section may stand for an entry of either kind: whether it is found free
 * or held is what the order decides. */
static inline int course_is_alike(uint32_t kind, uint32_t other)
{
    return kind == other ||
           (kind <= WEFT_SYNC_ENTER_CONTENDED && other <= WEFT_SYNC_ENTER_CONTENDED);
}

/* What follows is asked for each operation, and mostly answered by one look. */

/* The entry of this operation of the lane's thread (NULL: it has none): its next one on the object, or
 * one of the same sort at most `ahead` further on. *skipped: how many it would leave out. COURSE_NONE:
 * none fits. */
uint32_t course_search(const course *c, const course_object *o, const course_lane *lane,
                       uint32_t kind, uint32_t *skipped);

static inline uint32_t course_find(const course *c, const course_object *o, const course_lane *lane,
                                   uint32_t kind, uint32_t *skipped)
{
    *skipped = 0;
    if (course_is_over(lane)) {
        return COURSE_NONE;
    }
    return course_is_alike(kind, o->entries[lane->next].operation & WEFT_ORDER_KIND)
               ? lane->next
               : course_search(c, o, lane, kind, skipped);
}

/* The first entry that still binds, or the object's number of entries. */
uint32_t course_seek_head(const course *c, course_object *o);

static inline uint32_t course_head(const course *c, course_object *o)
{
    int binds = o->head < o->count && !c->freed && !(o->entries[o->head].operation & COURSE_USED);
    return binds ? o->head : course_seek_head(c, o);
}

/* The object's next operation has this number. What was taken and not told of are ends of waits: so
 * many of them do not bind at the head. */
void course_make_up(const course *c, course_object *o, uint64_t taken);

static inline void course_meet(const course *c, course_object *o, uint64_t sequence)
{
    if (!o->met) {
        o->met = 1;
        o->told = sequence;
    }
    course_weigh_object(o);
    if (sequence > o->told) {
        course_make_up(c, o, sequence - o->told);
    }
}

/* An operation was told of. */
static inline void course_tell(course_object *o, uint32_t kind, uint64_t sequence)
{
    if (!o->met && !course_is_end(kind)) {
        o->met = 1;
        o->told = sequence;
    }
    o->told += o->met;
}

/* Uses up an entry, and what the thread left out before it. */
static inline void course_use(const course *c, course_object *o, course_lane *lane, uint32_t entry)
{
    while (lane->next != COURSE_NONE && lane->next <= entry) {
        uint32_t *operation = &o->entries[lane->next].operation;
        int was_ahead = lane->next < o->head && course_is_end(*operation & WEFT_ORDER_KIND);
        o->ahead -= was_ahead && o->ahead > 0;
        *operation |= COURSE_USED;
        lane->next = o->entries[lane->next].next;
    }
    (void)course_head(c, o);
}

#endif
