/* tracks_state.h: the model's state, for tracks*.c alone.
 *
 * Each thread has a stack of open slices; a slice is told to the sink when the first event that is
 * shown needs it, so that an event before the range costs a push and no more. */
#ifndef WEFT_TRACE_TRACKS_STATE_H
#define WEFT_TRACE_TRACKS_STATE_H

#include "mark.h"

#define NO_TRACK     UINT32_MAX
#define HARDWARE     6
#define MANY_HANDED  32      /* locks being handed over without a wait */
#define MANY_ASKED   256     /* requests that have not completed */
#define MANY_SWAPS   8       /* VdSwap calls whose swap is to come */
#define FIRST_NUMBER 1000000 /* tid of a thread that has none of its own */

/* What a slice is. */
enum { CALL, WAIT, RUN, FRAME };

/* What an export is to flows. */
enum { PLAIN, ENTER, LEAVE, SWAP };

typedef struct slice {
    uint64_t tick;
    uint64_t id; /* CALL: export; WAIT: first object, or 1: a time; RUN: thread; FRAME: number */
    uint64_t argument; /* CALL: the first one; WAIT: number of objects */
    uint8_t what;
    uint8_t role;  /* of the export */
    uint8_t shown; /* 1: the sink was told */
} slice;

/* What has a track and slices. */
typedef struct lane {
    uint32_t track; /* NO_TRACK: not told yet */
    uint32_t depth, room;
    uint32_t over; /* calls and waits that the limits left out and that are still open */
    uint64_t last; /* tick of the latest mark */
    slice *stack;
} lane;

typedef struct thread {
    uint64_t id;
    lane lane;
    uint32_t tid;
    uint32_t waits; /* among the open slices */
    uint32_t pending_count;
    uint8_t kind;                       /* WEFT_TRACK_* */
    uint64_t pending[WEFT_TRACK_FLOWS]; /* flows that end when it goes on */
    uint64_t waker;                     /* thread and tick of the latest of them */
    uint64_t waker_tick;
    uint64_t caller; /* return address of the call that is about to begin */
} thread;

typedef struct handed {
    uint64_t lock, thread, flow; /* thread 0: free; flow 0: not released yet */
} handed;

typedef struct asked {
    uint64_t object, thread, flow; /* flow 0: free */
} asked;

typedef struct counter {
    uint32_t track;
    uint64_t last;
} counter;

struct weft_tracks {
    weft_tracks_sink sink;
    const weft_trace_begin *begin;
    line_table table;
    mark mark;
    thread *threads;
    uint32_t thread_count, thread_room;
    uint32_t *places; /* from an identity to its thread + 1, open addressing; a power of two */
    uint32_t place_room;
    uint64_t *tids; /* those given to tracks, sorted by nothing: open addressing, 0 is free */
    uint32_t tid_room, tid_count;
    uint32_t track_count;
    uint64_t open; /* slices on all stacks */
    lane gpu, hardware[HARDWARE];
    uint64_t hardware_last[HARDWARE]; /* tick of the latest event there */
    counter ready[HARDWARE], frames, draws, outstanding, rate;
    handed handed[MANY_HANDED];
    asked asked[MANY_ASKED];
    uint32_t asked_at; /* where to look for a free one first */
    uint64_t swaps[MANY_SWAPS];
    uint32_t swap_count;
    uint64_t vblank;         /* thread of the source of vertical blanks, 0: not seen */
    uint64_t raised_tick[2]; /* of what may raise an interrupt: vertical blank, command processor */
    uint64_t next_flow, left_out;
    uint64_t frame; /* number of the one that is being made, 0: not known */
    uint64_t draws_now, outstanding_now;
    uint64_t bucket, bucket_events; /* guest ms, and events in it */
    uint64_t first_tick;            /* of the first event */
    uint64_t from, to;              /* ticks shown */
    int has_first, has_from, show, switches, no_memory;
};

/* tracks_lane.c */

/* NULL where there are too many, or no memory. What it returns moves when another is made. */
thread *tracks_thread(weft_tracks *t, uint64_t id);

/* Make sure that the sink was told of a track. */
void tracks_need_thread(weft_tracks *t, thread *th);
void tracks_need(weft_tracks *t, lane *l, uint32_t kind, uint32_t rank, const char *name);
void tracks_count(weft_tracks *t, counter *c, const char *name, uint32_t rank, uint64_t tick,
                  uint64_t value);

line_export tracks_export(const weft_tracks *t, uint64_t id, char room[17]);

/* The tick of a mark: a track never goes back. */
uint64_t lane_forward(lane *l, uint64_t tick);

/* Tells the sink of slices that were opened while nothing was shown. */
void lane_show(weft_tracks *t, lane *l);

/* Opens a slice and, where events are shown, leaves its mark begun for arguments; the caller ends
 * with tracks_tell_begin. NULL where the limits leave it out. */
slice *lane_push(weft_tracks *t, lane *l, slice s);
void tracks_tell_begin(weft_tracks *t);
void tracks_tell_instant(weft_tracks *t);

/* End the topmost slice: with what is in the mark already, or with no arguments. */
void lane_pop_marked(weft_tracks *t, lane *l);
void lane_pop(weft_tracks *t, lane *l, uint64_t tick);
void tracks_pop_thread(weft_tracks *t, thread *th, uint64_t tick);

/* tracks_flow.c */

uint64_t flow_new(weft_tracks *t); /* 0 where nothing is shown */

/* A flow that ends when `id` goes on; `by` whose event of `tick`. */
void flow_send(weft_tracks *t, uint64_t id, uint64_t flow, uint64_t by, uint64_t tick);
int flow_has_room(weft_tracks *t, uint64_t id);

/* An instant with only a name, that ends the thread's flows, or one. */
void flow_receive(weft_tracks *t, thread *th, uint64_t tick, const char *name);
void flow_end(weft_tracks *t, lane *l, uint64_t tick, const char *name, uint64_t flow);

/* A thread met a lock that another one holds; it waits instead, and the signal that ends the wait
 * has a flow of its own; a thread released the lock; a call of the thread returns: it has the lock
 * that it met, or has given up. */
void lock_met(weft_tracks *t, uint64_t lock, uint64_t id);
void lock_left(weft_tracks *t, uint64_t id);
void lock_released(weft_tracks *t, thread *th, uint64_t tick, uint64_t lock);
void lock_settled(weft_tracks *t, thread *th, uint64_t tick, int acquired, uint64_t lock);

#endif
