/* live_diff.h: a comparison under way, and what it amounts to. */
#ifndef WEFT_LIVE_DIFF_H
#define WEFT_LIVE_DIFF_H

#include "manifest.h"
#include "reader.h"
#include "reference.h"
#include "weft/host.h"

#define MAP_ROOM  1024
#define NAME_ROOM 128 /* bytes of a thread's name that are shown */

enum state {
    WAITING,  /* its counterpart is not known yet */
    COMPARED, /* equal so far */
    DIVERGED,
    EXTRA,   /* the reference has no such thread */
    PAST_END /* equal up to where the reference was cut off */
};

/* A thread of the run. */
typedef struct live_thread {
    uint64_t id;
    uint32_t tid;
    uint64_t first_call;
    enum state state;
    size_t counterpart;
    uint64_t matched, total; /* canonical events */
    uint64_t *pending;       /* hashes while WAITING */
    size_t pending_count, pending_room;
    weft_event **kept; /* copies of the latest canonical events, in a circle */
    uint64_t kept_count;
} live_thread;

typedef struct tracer_live_diff {
    const weft_host *host;
    int file;                      /* of `path`; -1: none */
    const weft_trace_begin *begin; /* NULL: not open */
    reference reference;
    weft_canon *canon;
    struct weft_trace names; /* no file: what weft_trace_name knows of this run */
    live_thread *threads;    /* in order of first appearance */
    size_t count, room;
    idmap places;
    live_thread *last; /* of the event before; moves with `threads` */
    weft_trace_pair map[MAP_ROOM];
    uint32_t map_count, context;
    int stop, stopped, failed; /* failed: no memory here */
    pretty pretty;
} tracer_live_diff;

/* "thread:main/0", or the identity where the text is unknown or empty; never more than a line. */
const char *live_thread_name(const tracer_live_diff *t, const live_thread *l, char room[NAME_ROOM]);

/* The summary at the end: on stderr, and as one JSON object (docs/trace.md, "tracer-live-diff"). */
void summary_print(const tracer_live_diff *t);
void summary_json(const tracer_live_diff *t, out *o);

#endif
