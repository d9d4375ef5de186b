/* diff.h: two traces compared, thread by thread: how far each pair agrees, where it first does not,
 * what matches again behind that, and what other threads did that led there.
 *
 * Compared is the canonical form (canon.h) of each thread's events in their order: between traces of
 * Weft by identity, between engines by what schema v1 has. docs/trace.md, "Comparing two traces",
 * says it to the user.
 *
 * Memory does not grow with the traces: chains of hashes tell where a pair parts, and only the events
 * around that place are read. */
#ifndef WEFT_TRACE_DIFF_H
#define WEFT_TRACE_DIFF_H

#include "manifest.h"
#include "source.h"

#define DIFF_BEFORE 5    /* events before a divergence that are kept */
#define DIFF_GAP    64   /* events that may lie between a divergence and what matches again */
#define DIFF_WINDOW 4096 /* events behind a divergence in which that is looked for */
#define DIFF_CONE   UINT64_C(65536) /* events before a divergence that its cone is made from */
#define DIFF_EDGES  16              /* edges of a cone that are kept, the nearest ones */

/* What the reference system's diff passes over; each only where asked for. */
enum { DIFF_ABSORB_CREATE = 1, DIFF_ABSORB_WAIT = 2, DIFF_ABSORB_NESTED = 4 };

typedef struct weft_diff_options {
    const weft_trace_pair *map; /* threads to be paired, by thread id */
    uint32_t map_count;
    uint64_t ignored[2]; /* bits of kinds that are left out: bit kind % 64 of [kind / 64] */
    unsigned absorb;     /* DIFF_ABSORB_* */
    int cones;           /* 1: a cone for each divergence, not for the first alone */
    void (*progress)(uint64_t events); /* may be NULL; called from a thread of its own */
} weft_diff_options;

/* An event as the report shows it: what `weft trace dump` prints, and the names of what it is about,
 * those that are weak marked so. */
typedef struct weft_diff_event {
    char *text; /* NULL: there is none, the trace tells no more of the thread */
    uint64_t sequence, index, tick, canonical;
} weft_diff_event;

/* One step from the divergence to where both match again. */
typedef struct weft_diff_change {
    char
        what; /* '-' only the reference has it, '+' only ours, '~' both, and they differ, '=' both */
    weft_diff_event events[2];
} weft_diff_change;

/* An event that was passed over, and the rule that did it. */
typedef struct weft_diff_absorbed {
    int side; /* that has it */
    const char *rule;
    uint64_t matched; /* events of the pair before it */
    weft_diff_event event;
} weft_diff_absorbed;

/* Something that another thread did first: `from` had to come before `to`. */
typedef struct weft_diff_edge {
    const char *what;                /* "wake", "start", "release", "io" */
    uint64_t threads[2], numbers[2]; /* from, to: identity, canonical events of it before */
    uint32_t tids[2];
    char *names[2];            /* of the threads, or NULL */
    weft_diff_event events[2]; /* from, to */
    int alone;                 /* 1: the other side has no such edge */
} weft_diff_edge;

typedef struct weft_diff_cone {
    int present;
    uint64_t looked_at;    /* events, those before the divergence */
    int whole;             /* 1: these reach back to the trace's first event */
    weft_diff_edge *edges; /* nearest first */
    size_t count, more;    /* more: edges that were found beyond these */
} weft_diff_cone;

/* Matched threads. */
typedef struct weft_trace_diff_pair {
    uint64_t threads[2]; /* identities; [0] of the reference */
    uint32_t tids[2];
    char *names[2];     /* texts of the identities, or NULL */
    int present[2];     /* 0: the thread is missing on that side */
    char how[96];       /* how the pair was made: "identity", "map", "first call NAME" ... */
    uint64_t totals[2]; /* events with a canonical form */
    uint64_t events[2]; /* of all kinds */
    uint64_t matched;
    uint64_t tolerated;  /* of these: returns with a value that the other side calls void */
    uint64_t ignored[2]; /* events passed by because of their kind */
    int diverged;
    weft_diff_event before[DIFF_BEFORE]; /* of the reference, oldest first */
    weft_diff_event at[2], next[2];
    char field[96];  /* what differs: "kind", "export", a field's name, "end" */
    char *values[2]; /* of it: found in the reference and in ours, or NULL */
    char *category;  /* "[return_value mismatch] kernel.return name=NtOpenFile" */

    uint64_t window[2]; /* events behind the divergence that were looked through for a match */
    int resynced;       /* 1: something matches again within DIFF_GAP events */
    uint64_t resync[2]; /* canonical numbers where that is */
    weft_diff_change *changes; /* up to there */
    size_t change_count;
    uint64_t again; /* events that match from there on within the window */
    uint64_t later; /* further divergences within it */

    weft_diff_absorbed *absorbed;
    size_t absorbed_count, absorbed_more; /* more: not kept */
    weft_diff_cone cones[2];
} weft_trace_diff_pair;

/* A thing that only one side has. */
typedef struct weft_trace_diff_missing {
    int side;         /* that has it: 0 the reference */
    const char *what; /* "thread", "export", "signal" */
    char *name;
    uint64_t times; /* for a thread: its events */
} weft_trace_diff_missing;

typedef struct weft_trace_diff {
    weft_trace_info info[2];
    int shared; /* 1: compared as between engines */
    weft_trace_diff_pair *pairs;
    size_t pair_count;
    size_t first; /* of the pairs, the one that diverges first in the reference; SIZE_MAX: none */
    weft_trace_diff_missing *missing;
    size_t missing_count;
    int divergent;               /* 1: some pair diverged or is missing on one side */
    char where[256], error[384]; /* "": none */
} weft_trace_diff;

/* Compares the files, neither of which can be a pipe. 0 with `error` set where a file cannot be
 * read. */
int weft_trace_diff_run(weft_trace_diff *diff, const char *const paths[2],
                        const weft_diff_options *options);
void weft_trace_diff_free(weft_trace_diff *diff);

/* Reads "create,wait,nested" and "KIND,...". 0 with *bad set to the entry that is none. */
int weft_diff_read_absorb(const char *text, unsigned *absorb, const char **bad);
int weft_diff_read_kinds(const char *text, uint64_t kinds[2], const char **bad);

/* 1 where the text of an identity is weak: it lies in memory that the title divides itself. */
int weft_diff_is_weak(const char *text);

#endif
