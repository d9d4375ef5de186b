/* diff_parts.h: what the parts of the comparison share. diff.c leads; diff_pair.c says which threads
 * belong together, diff_stream.c finds where they part, diff_event.c says what differs, align.c what
 * matches again, diff_absorb.c what is passed over, cone.c what led there. */
#ifndef WEFT_TRACE_DIFF_PARTS_H
#define WEFT_TRACE_DIFF_PARTS_H

#include "diff.h"
#include "json.h"
#include "line.h"
#include "live.h"

/* An event kept for a while, with its canonical form where that is known. */
typedef struct diff_kept {
    weft_event *event; /* a copy with its payload */
    uint64_t canonical, hash;
    uint64_t *words; /* canonical: the kind, then the fields; NULL: not known */
    uint8_t *fields; /* of each word: place of its field in the row; UINT8_MAX: none */
    uint32_t word_count;
    char *payload; /* of another engine's line, as it stands there; NULL: none, or long */
} diff_kept;

typedef struct diff_list {
    diff_kept *at;
    size_t count, room;
} diff_list;

void diff_kept_free(diff_kept *kept);
void diff_list_free(diff_list *list);

/* What is looked at of one thread around a place. */
typedef struct diff_view {
    diff_list before; /* the last ones before it */
    size_t most_before;
    diff_list kept; /* from it on, the first ones */
    size_t most_kept;
    uint64_t *hashes; /* from it on */
    size_t hash_count, most_hashes;
    uint64_t from; /* canonical number of the place */
} diff_view;

/* An event of a stream. */
typedef struct diff_entry {
    uint64_t hash, alike; /* alike: as a return without a value; 0: it is no return */
    uint64_t canonical;
    uint16_t kind;
} diff_entry;

/* One thread on one side, as it is being compared. */
typedef struct diff_flow {
    size_t thread; /* in the summary */
    uint64_t next; /* first canonical event not yet fetched */
    uint64_t total;
    uint64_t ignored;
    diff_entry *entries; /* fetched and not yet compared: `at` to `count` */
    size_t at, count, room;
} diff_flow;

typedef struct diff_stream {
    size_t pair;
    diff_flow flows[2];
    int done;
} diff_stream;

typedef struct diff_side {
    const char *path;
    weft_trace_source *source;
    const weft_trace_summary *sum;
    size_t *pairs;  /* of each thread: its pair, SIZE_MAX: none */
    live_map known; /* pair by identity */
    json_tree tree; /* of the line at hand */
} diff_side;

typedef struct diff_work {
    weft_trace_diff *diff;
    const weft_diff_options *options;
    diff_side sides[2];
    int mode; /* WEFT_CANON_* */
    line_table lines;
    live_map sids[2]; /* identities of objects: a thread that has to do with it, 1: others too */
    int no_memory;
} diff_work;

/* Grows a list of `count` elements to hold one more; NULL and *no_memory 1 without memory. */
void *diff_grown(int *no_memory, void *list, size_t count, size_t size);
int diff_is_ignored(const diff_work *w, uint16_t kind);

/* Fetches both sides at once, each by a thread of its own. 0 after a failure. */
typedef struct diff_fetch {
    const weft_trace_window *windows[2];
    size_t counts[2];
    weft_trace_window_fn fn; /* gets contexts[side] */
    void *contexts[2];
} diff_fetch;

int diff_fetch_both(diff_work *w, const diff_fetch *fetch);

/* Both threads of a pair around where its stream stands. */
typedef struct diff_sight {
    const diff_stream *stream;
    diff_view views[2]; /* with what is wanted of them */
} diff_sight;

/* Fills the sights, all of them at once. 0 after a failure. */
int diff_look(diff_work *w, diff_sight *sights, size_t count);
void diff_sight_free(diff_sight *sight);

/* diff_pair.c */
void diff_pair_threads(diff_work *w);
void diff_list_missing(diff_work *w);

/* diff_stream.c: compares on from where the streams stand; each ends at its divergence or its end.
 * 0 after a failure. */
int diff_run_streams(diff_work *w, diff_stream *streams, size_t count);

/* diff_absorb.c: what can be passed over at a mismatch: the side, and how many of its entries; 0:
 * nothing. `views` are around the mismatch. */
int diff_absorb(diff_work *w, const diff_view views[2], int *side, const char **rule);
int diff_absorb_prepare(diff_work *w); /* 0 after a failure */

/* diff_event.c */
void diff_show(diff_work *w, int side, const diff_kept *kept, weft_diff_event *to);
int diff_keep(diff_work *w, int side, diff_list *list, const weft_trace *trace,
              const weft_event *event, uint64_t canonical, uint64_t hash);
void diff_describe(diff_work *w, const diff_kept *a, const diff_kept *b,
                   weft_trace_diff_pair *pair);
const char *diff_export_name(const diff_work *w, int side, const weft_event *event, size_t *length);

/* align.c: what matches again behind a divergence. */
void diff_align(diff_work *w, const diff_view views[2], weft_trace_diff_pair *pair);

/* cone.c: `sequences` are those of the divergence, UINT64_MAX: none. 0 after a failure. */
int diff_cones(diff_work *w, weft_trace_diff_pair *pair, const uint64_t sequences[2]);

#endif
