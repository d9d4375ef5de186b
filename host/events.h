/* events.h: the stream of everything that happened: writer, drain thread, digest, tracer.
 *
 * One thread writes (the guest's; before and after it, the main thread; in parallel mode the holder of
 * the kernel's dispatcher lock, whose order is then the order of the stream). The drain thread numbers
 * the events, keeps the names of identities, computes the trace_digest and hands each event to the
 * tracer. Other threads can only add LOCAL events, through a side queue. */
#ifndef WEFT_HOST_EVENTS_H
#define WEFT_HOST_EVENTS_H

#include "canon.h"
#include "canon_own.h"
#include "digest.h"
#include "filter.h"
#include "map.h"
#include "ring.h"
#include "weft/tracer.h"

#define EVENTS_RING_WORDS  (UINT32_C(1) << 18) /* 2 MiB */
#define EVENTS_WANTED      4                   /* words of kinds, as weft_host.wanted has them */
#define EVENTS_STAGE_WORDS 1024                /* hashed at once */

/* A tracer in service: its full-size ops and its instance. */
typedef struct tracer_slot {
    const weft_tracer_ops *ops;
    void *instance;
    const char *id;      /* lives as long as the slot */
    void *owner;         /* whose it is; not looked at here */
    uint32_t deaf;       /* the built-in one: nobody wants LOCAL and DECISION events */
    weft_filter *filter; /* what it wants to see (profile_tracer_filter); NULL: all but what must be
                            asked for. The owner's, and the drain's to use while in service */
} tracer_slot;

/* A text that an identity stands for; the drain's. */
typedef struct definition {
    uint64_t id;
    char *what, *text;
} definition;

typedef struct side_event {
    struct side_event *next;
    weft_event_buffer *event;
} side_event;

typedef struct events {
    ring ring;
    pthread_t drain;
    _Atomic(pthread_t) drain_id; /* set by the drain itself */
    _Atomic uint32_t started;
    _Atomic uint32_t ending;
    _Atomic uint64_t wanted[EVENTS_WANTED]; /* read by all as weft_host.wanted */

    /* the writer's */
    map index;            /* by thread identity: its next GUEST index */
    uint64_t last_thread; /* whose event was the latest, */
    uint64_t *last_index; /* and the place of its index; NULL before the first */
    map defined;          /* identities whose DEFINE is on its way */

    /* shared, under the lock */
    pthread_mutex_t lock;
    pthread_cond_t answered;
    side_event *side_first, **side_last;
    struct drain_request *request; /* on its way to the drain (swap.h) */
    int opened;
    weft_status status; /* of the tracer: the first failure */
    char *failed;       /* "tracer-jsonl.open": which op it was */

    /* the drain's */
    tracer_slot tracer;
    uint64_t passing[EVENTS_WANTED]; /* kinds of which it gets every event, */
    uint64_t asking[EVENTS_WANTED];  /* and those of which its filter says for each */
    weft_trace_begin begin[2]; /* of the tracer in service, and of the one before or after it */
    char digest_before[2][33], profile_digest[33];
    uint32_t current; /* which of the two is in service */
    char *title;
    digest_stream hash;                  /* lacks what is staged */
    uint64_t staged[EVENTS_STAGE_WORDS]; /* canonical bytes on their way to it */
    uint32_t staged_words;
    canon_own *canon;
    weft_canon_chains *chains;
    uint64_t canon_hash;    /* of the event that is being delivered, */
    int canonical;          /* if it has one */
    uint64_t sequence;      /* of the next event */
    uint64_t guest;         /* GUEST events so far */
    uint64_t flushed;       /* sequence at the latest flush */
    uint64_t tick;          /* of the latest GUEST event */
    uint64_t frames;        /* gpu.swap events so far */
    struct swap_plan *plan; /* exchanges that are still to come; NULL: none (swap.h) */
    definition *definitions;
    size_t definition_count;
    map names; /* identity to index + 1 in definitions */
} events;

/* Starts the drain with its first tracer; returns what its `open` returned. `ring_words` is a power
 * of two, 0 for the usual size. */
weft_status events_start(events *e, const tracer_slot *tracer, const char *title,
                         const char *profile_digest, uint32_t ring_words);

/* Drains the rest, closes the tracer. Returns the tracer's first failure. */
weft_status events_finish(events *e);
void events_free(events *e);

/* The writer's thread: sets `index` of a GUEST event and hands a copy on. */
void events_emit(events *e, weft_event *event);

/* The writer's thread: an identity's hash, with a DEFINE the first time. */
uint64_t events_define(events *e, const char *what, const char *text);

/* Any other thread: a LOCAL event. */
void events_emit_aside(events *e, const weft_event *event);

/* The trace_digest so far: the drain's, and after events_finish anybody's. `hex` holds 33 bytes. */
void events_digest(events *e, char *hex);

/* The same for the canon_digest (canon.h); "" where memory was short. */
void events_canon_digest(const events *e, char *hex);

/* Any thread but the drain and the guest: puts another tracer into service between two events, and
 * waits for it. The old one is closed, or stays when the new one's `open` fails. */
weft_status events_swap(events *e, const tracer_slot *next);

/* The drain's, for swap.c */
weft_status events_open_tracer(events *e, const tracer_slot *tracer);
weft_status events_close_tracer(events *e);
void events_deliver(events *e, weft_event *event);

#endif
