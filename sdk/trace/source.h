/* source.h: a trace file as something to look things up in: who is there, how much, with which
 * chains, and the events of any stretch of a thread.
 *
 * A whole binary trace answers from its footer index and reads only the blocks it is asked for. Any
 * other file (JSONL, a cut binary trace, a foreign log, WEFT_CANON_SHARED) is read once from front to
 * back; places to start again from are kept on the way, a bounded number of them. Memory does not
 * grow with the number of events but for 16 bytes in 4096 of them. Files only, no pipes. */
#ifndef WEFT_TRACE_SOURCE_H
#define WEFT_TRACE_SOURCE_H

#include "canon.h"

#define WEFT_TRACE_STEP UINT32_C(4096) /* canonical events of a thread between two chain values */

typedef struct weft_trace_thread {
    uint64_t id;
    uint32_t tid;        /* of its first event that has one */
    uint64_t events;     /* of all classes */
    uint64_t guest;      /* of class GUEST */
    uint64_t canonical;  /* with a canonical form */
    uint64_t first_call; /* FNV-1a of the bare name of the first export it calls, 0: none */
    uint64_t chain;      /* after its last canonical event */
    uint64_t *steps;     /* chain after WEFT_TRACE_STEP, 2 * WEFT_TRACE_STEP ... canonical events */
    size_t step_count;
    char *name; /* text of the identity, or NULL */
} weft_trace_thread;

/* How often an export was called (kind import.call), an object signalled (signal.match), or an event
 * of a kind without a row seen (kind 0, by the kind's name). Ordered by (kind, id). */
typedef struct weft_trace_tally {
    uint16_t kind;
    uint64_t id; /* export, object or kind name */
    uint64_t times;
    char *name; /* text of the identity, or NULL */
} weft_trace_tally;

typedef struct weft_trace_summary {
    weft_trace_info info;       /* with what is known at the end */
    weft_trace_thread *threads; /* in order of first appearance */
    size_t thread_count;
    weft_trace_tally *tallies;
    size_t tally_count;
    uint64_t kinds[WEFT_EVENT_KIND_END]; /* events by kind */
    uint64_t events, guest;
    uint64_t first_tick, last_tick;
    char canon_digest[33];
} weft_trace_summary;

typedef struct weft_trace_source weft_trace_source;

/* Opens and surveys a file. `progress`, which may be NULL, is called now and then with the events so
 * far. Never NULL but without memory; weft_trace_source_failed says why it cannot be used. */
weft_trace_source *weft_trace_source_open(const char *path, int mode,
                                          void (*progress)(uint64_t events));
const char *weft_trace_source_failed(const weft_trace_source *source, const char **where);
const weft_trace_summary *weft_trace_source_summary(const weft_trace_source *source);
void weft_trace_source_close(weft_trace_source *source);

/* The text of an identity, or NULL. */
const char *weft_trace_source_name(const weft_trace_source *source, uint64_t id);

/* A stretch to be read: canonical events from..from+count-1 of a thread, with the events of other
 * classes and kinds that stand among them; or, with thread WEFT_TRACE_ALL, all events with sequence
 * from..from+count-1. */
#define WEFT_TRACE_ALL SIZE_MAX
typedef struct weft_trace_window {
    size_t thread; /* index in the summary's threads */
    uint64_t from, count;
} weft_trace_window;

/* Gets each event of each window; those of one window come in order, windows in any order.
 * `canonical` is its number among the thread's canonical events, UINT64_MAX where it has no canonical
 * form; `hash` is its canonical hash. `trace` gives names and kinds (weft_trace_kind) for it. Return 0
 * to stop. */
typedef int (*weft_trace_window_fn)(void *context, size_t window, const weft_trace *trace,
                                    const weft_event *event, uint64_t canonical, uint64_t hash);

/* Within `fn`: the canonical form of the event, as weft_canon_words. NULL where it has none, or where
 * it was not needed for the hash. */
const uint64_t *weft_trace_source_words(weft_trace_source *source, const uint8_t **fields,
                                        uint32_t *count);

/* 0 after a failure or where `fn` stopped it. */
int weft_trace_source_fetch(weft_trace_source *source, const weft_trace_window *windows,
                            size_t count, weft_trace_window_fn fn, void *context);

#endif
