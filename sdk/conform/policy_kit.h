/* policy_kit.h: what the kit of policies asks about: views and operations made up by a fixed recurrence,
 * so that every run asks the same questions. */
#ifndef WEFT_CONFORM_POLICY_KIT_H
#define WEFT_CONFORM_POLICY_KIT_H

#include "conform.h"

#define KIT_MANY    1000 /* threads of the largest view */
#define KIT_OBJECTS 8

/* What is odd about a view. */
enum {
    VIEW_MIXED,     /* up to 12 threads, in any state */
    VIEW_NOBODY,    /* no thread can run */
    VIEW_ONE,       /* one thread */
    VIEW_MANY,      /* 1000 threads */
    VIEW_EQUAL,     /* all on one hardware thread, with one priority */
    VIEW_HELD,      /* most are held: they show as WAITING */
    VIEW_PINNED,    /* current threads may not be replaced; one hardware thread has a DPC alone */
    VIEW_STRIDES,   /* records of a later, longer version */
    VIEW_LATE,      /* times at the end of the clock, and ready_since behind them */
    VIEW_WRONG_CPU, /* affinities that leave out the hardware thread that a thread is queued on */
    VIEW_SHAPES
};

/* A record of a later version of the header. */
typedef struct kit_thread {
    weft_sched_thread now;
    uint64_t later[2];
} kit_thread;

typedef struct kit_hw {
    weft_sched_hw now;
    uint64_t later;
} kit_hw;

typedef struct kit {
    uint64_t state; /* of the recurrence */
    uint32_t shape;
    weft_sched_thread threads[KIT_MANY];
    kit_thread long_threads[KIT_MANY];
    weft_sched_hw hw[WEFT_HW_COUNT];
    kit_hw long_hw[WEFT_HW_COUNT];
    weft_sched_view view;
    uint64_t sequences[KIT_OBJECTS];
    uint64_t indices[WEFT_SYNC_KINDS];
    uint64_t events;
} kit;

/* Identity of the n-th thread, from 0. */
#define KIT_THREAD(n) (UINT64_C(0x1000) + (n))

/* A number below `below`. */
uint32_t kit_next(kit *k, uint32_t below);
/* The view of a round; rounds go through the shapes in turn. */
void kit_view(kit *k, uint32_t round);
/* An operation of a kind by somebody of the view, with the object's next number. */
weft_sync_op kit_op(kit *k, uint32_t kind);

#endif
