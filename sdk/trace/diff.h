/* diff.h: two traces compared, thread by thread: how far each pair agrees and where it first does
 * not.
 *
 * Compared are the events of class guest of a thread, in its order; what depends on guest time or
 * on the order between threads (tick, hardware thread, index, sequence, tid, raw handle, length of
 * a wait and who ended it) is not. A pointer that an allocation gave out counts as equal to the one
 * that the same allocation gave on the other side. If one trace is of another engine, the kinds
 * that only its engine has, identities and what its lines lack do not count either, and exports go
 * by name. */
#ifndef WEFT_TRACE_DIFF_H
#define WEFT_TRACE_DIFF_H

#include "manifest.h"
#include "trace.h"

#define DIFF_BEFORE 5 /* events before a divergence that are kept */

/* Matched threads. Events are kept as text: what `weft trace dump` prints. */
typedef struct weft_trace_diff_pair {
    uint64_t threads[2]; /* identities; [0] of the reference */
    uint32_t tids[2];
    char *names[2];     /* texts of the identities, or NULL */
    int present[2];     /* 0: the thread is missing on that side */
    uint64_t totals[2]; /* events compared or to be compared */
    uint64_t matched;
    int diverged;
    char *before[DIFF_BEFORE]; /* of the reference, oldest first; NULL where there are fewer */
    char *at[2], *next[2];     /* NULL: that side has ended */
    const char *field;         /* what differs: "kind", a field's name, "end" */
} weft_trace_diff_pair;

/* A thing that only one side has. */
typedef struct weft_trace_diff_missing {
    int side;         /* that has it: 0 the reference */
    const char *what; /* "thread", "export", "signal" */
    char *name;
    uint64_t times;
} weft_trace_diff_missing;

typedef struct weft_trace_diff {
    weft_trace_diff_pair *pairs;
    size_t pair_count;
    weft_trace_diff_missing *missing;
    size_t missing_count;
    int divergent;               /* 1: some pair diverged or is missing on one side */
    char where[256], error[384]; /* "": none */
} weft_trace_diff;

/* Compares the files. Both are read twice, so neither can be a pipe. `progress`, which may be NULL,
 * is called now and then. 0 with `error` set where a file cannot be read. */
int weft_trace_diff_run(weft_trace_diff *diff, const char *const paths[2],
                        const weft_trace_pair *map, uint32_t map_count,
                        void (*progress)(uint64_t events));
void weft_trace_diff_free(weft_trace_diff *diff);

#endif
