/* swap.h: what the drain is asked to do between two events: exchange the tracer, flush it, tell how
 * far the run has come; and a plan of exchanges at places that the run itself determines. */
#ifndef WEFT_HOST_SWAP_H
#define WEFT_HOST_SWAP_H

#include "events.h"

/* Work for the drain; lives until it is done. */
typedef struct drain_request {
    void (*work)(events *e, struct drain_request *request); /* on the drain */
    int done;                                               /* under events.lock */
} drain_request;

/* An exchange. The newcomer is opened first: where that fails the old one stays, and has noticed
 * nothing. */
typedef struct swap_request {
    drain_request request; /* must be first */
    tracer_slot next;
    tracer_slot old;    /* after: the one that was in service */
    uint64_t first;     /* after: sequence of the newcomer's first event */
    weft_status status; /* after: of next's open */
    weft_status closed; /* after: of old's close */
} swap_request;

swap_request swap_request_of(const tracer_slot *next);

/* Where the run is, as the drain sees it. */
typedef struct look_request {
    drain_request request; /* must be first */
    int flush;             /* have the tracer hand on what it holds */
    tracer_slot tracer;
    uint64_t sequence, first; /* of the next event, and of the tracer's first */
    uint64_t guest, tick, frames;
} look_request;

look_request look_request_of(int flush);

/* Any thread but the drain and the guest. 0: the request is on its way; -1: another one is. */
int events_post(events *e, drain_request *request);

/* Whether a request that was posted is done. */
int events_done(events *e, drain_request *request);

/* Waits until a request that was posted is done; NULL: until none is on its way. */
void events_wait(events *e, drain_request *request);

/* Posts, and waits until it is done. */
void events_ask(events *e, drain_request *request);

/* A plan: steps that are taken one after another, each as soon as its condition holds. Which event
 * comes after a step depends on the events alone, so equal runs have it at the same place. */
enum {
    SWAP_AT_EVENTS,    /* before the event with sequence `at` */
    SWAP_AT_TICKS,     /* before the first event of class GUEST at that tick or a later one */
    SWAP_AT_FRAMES,    /* behind the gpu.swap of that frame, counted from 1 */
    SWAP_AT_DECISIONS, /* of a policy: once so many slices have been given out */
};

typedef struct swap_step {
    uint32_t what; /* SWAP_AT_* */
    uint64_t at;
    swap_request swap;
} swap_step;

typedef struct swap_plan {
    swap_step *steps;
    size_t count;
    size_t next; /* the drain's: the step that is waited for */
} swap_plan;

/* Before the first event: hands a plan to the drain, which uses it until events_finish. */
void events_plan(events *e, swap_plan *plan);

/* The drain's: takes the steps whose condition holds before `event` is delivered. */
void swap_when_due(events *e, const weft_event *event);

#endif
