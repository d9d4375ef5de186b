/* tracks.h: a trace as something to look at: tracks in guest time, with slices, instants, flows and
 * counters. Perfetto, Chrome and the timeline draw what this model says, so that all show the same.
 *
 * Tracks: one for each guest thread, one for each hardware thread (who runs there), one for each
 * periodic source, one for the GPU (frames, with draws and resolves in them), one for the machine,
 * and counters. A call is a slice from kernel.call to kernel.return, a wait one inside it; all else
 * is an instant. A flow joins two instants: a signal and the wait that it ended, a release and the
 * acquisition after it, the creation of a thread and its first event, a request and its
 * completion, VdSwap and the swap.
 *
 * Input is hostile: a track's ticks never go back (they are held at the latest), slices nest and all
 * end, a flow that has a beginning gets an end, texts are UTF-8 without control characters. Memory
 * is bounded by the limits below. */
#ifndef WEFT_TRACE_TRACKS_H
#define WEFT_TRACE_TRACKS_H

#include <stddef.h>

#include "weft/tracer.h"

#define WEFT_TRACKS_THREADS 65536   /* guest threads; events of more are counted and left out */
#define WEFT_TRACKS_DEPTH   256     /* slices open on one track; deeper ones are left out */
#define WEFT_TRACKS_OPEN    1048576 /* slices open on all tracks; the same */

enum {
    WEFT_TRACK_THREAD,
    WEFT_TRACK_HARDWARE,
    WEFT_TRACK_SOURCE,
    WEFT_TRACK_GPU,
    WEFT_TRACK_MACHINE,
    WEFT_TRACK_COUNTER,
};

typedef struct weft_track {
    uint32_t number; /* from 0, in order of appearance */
    uint32_t kind;   /* WEFT_TRACK_* */
    uint32_t tid;    /* of a thread; unique: the guest's where it can be. Else 0 */
    uint32_t rank;   /* to sort those of one kind by */
    uint64_t thread; /* identity, where it is of one */
    const char *name;
} weft_track;

/* An argument: a number or a text. Bytes that `text` points to live until the call returns. */
typedef struct weft_track_arg {
    const char *name;
    uint32_t name_length;
    char type; /* u: unsigned, i: signed, x: address or bits, s: text */
    uint64_t value;
    const char *text;
    size_t length;
} weft_track_arg;

#define WEFT_TRACK_FLOWS 4

/* A slice's beginning or end, or an instant. */
typedef struct weft_track_mark {
    uint32_t track;
    uint64_t tick;
    const char *name; /* NULL at an end */
    size_t name_length;
    const char *category; /* a literal: call, wait, run, frame, sync, thread, io, ... */
    const weft_track_arg *args;
    uint32_t arg_count;
    uint32_t flow_in_count;
    uint64_t flow_in[WEFT_TRACK_FLOWS]; /* flows that end here */
    uint64_t flow_out;                  /* flow that begins here; 0: none */
} weft_track_mark;

/* Who draws. Ops come in the order of the trace; those of one track in order of ticks. A track is
 * told before its first mark. */
typedef struct weft_tracks_sink {
    void *context;
    void (*track)(void *context, const weft_track *track);
    void (*begin)(void *context, const weft_track_mark *mark);
    void (*end)(void *context, const weft_track_mark *mark);
    void (*instant)(void *context, const weft_track_mark *mark);
    void (*counter)(void *context, uint32_t track, uint64_t tick, uint64_t value);
} weft_tracks_sink;

typedef struct weft_tracks weft_tracks;

/* `begin` lives as long as the model. NULL without memory. */
weft_tracks *weft_tracks_new(const weft_tracks_sink *sink, const weft_trace_begin *begin);

/* The next event. With `show` 0 the model follows it and draws nothing; what is open when events
 * are shown again is drawn from `show_from` on. */
void weft_tracks_add(weft_tracks *tracks, const weft_event *event, int show);

/* Where a range begins that is shown, if not with the first event shown. */
void weft_tracks_show_from(weft_tracks *tracks, uint64_t tick);

/* Ends what is open, at the last tick shown or at `tick` where that is later. */
void weft_tracks_finish(weft_tracks *tracks, uint64_t tick);

/* Events that were left out because of a limit, or a payload that does not match its kind;
 * *no_memory is 1 once an allocation failed. */
uint64_t weft_tracks_left_out(const weft_tracks *tracks, int *no_memory);

/* What the process is called: the title, as UTF-8 without control characters, in `room`. */
#define WEFT_TRACKS_TITLE 800
const char *weft_tracks_title(const weft_trace_begin *begin, char room[WEFT_TRACKS_TITLE]);

void weft_tracks_free(weft_tracks *tracks);

#endif
