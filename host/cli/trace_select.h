/* trace_select.h: which events of a trace a command wants: flags for the lists of sdk/trace/filter.h,
 * and ranges of sequences and ticks. */
#ifndef WEFT_HOST_TRACE_SELECT_H
#define WEFT_HOST_TRACE_SELECT_H

#include "args.h"
#include "filter.h"

/* The first flags of a command that selects; its own follow from SELECT_FLAGS on. */
enum {
    SELECT_KIND,
    SELECT_THREAD,
    SELECT_EXPORT,
    SELECT_OBJECT,
    SELECT_RANGE,
    SELECT_TICKS,
    SELECT_FLAGS
};

#define SELECT_ROWS                                                                                \
    [SELECT_KIND] = {"--kind", "K,...",                                                            \
                     "events of these kinds; * stands for any text, !K for not"},                  \
    [SELECT_THREAD] = {"--thread", "T,...", "of these threads: tid, identity, its text, machine"}, \
    [SELECT_EXPORT] = {"--export", "E,...", "calls of these exports and what stands within them"}, \
    [SELECT_OBJECT] = {"--object", "O,...", "that tell of these objects: identity or its text"},   \
    [SELECT_RANGE] = {"--range", "A..B",                                                           \
                      "sequence A to B, both included; either may be left out"},                   \
    [SELECT_TICKS] = {"--ticks", "A..B", "guest time A to B in ns"}

typedef struct span {
    uint64_t from, to; /* both included */
    int given;
} span;

typedef struct selection {
    weft_filter_texts texts;
    char *kinds; /* the list as the filter gets it */
    weft_filter *filter;
    span sequence, ticks;
    int definitions; /* 1: they are wanted for themselves */
} selection;

/* A flag below SELECT_FLAGS. Non-zero: refused, and a message was printed. */
int selection_take(selection *s, int index, const char *value);

/* Once all flags are there: 0, or the exit code after a message. */
int selection_open(selection *s);

/* "A..B", "A.." or "..B". 0 where it is none. */
int span_read(span *s, const char *text);

/* Sees every event in order: 1 wanted, 0 not, -1 neither this one nor any later one is. */
int selection_wants(selection *s, const weft_trace *trace, const weft_event *event);

/* Whether an event lies in the ranges. */
int selection_reaches(const selection *s, const weft_event *event);

/* 1 where every event is wanted. */
int selection_is_all(const selection *s);

/* 1 where a list, and not a range alone, leaves events out. */
int selection_has_lists(const selection *s);
void selection_end(selection *s);

#endif
