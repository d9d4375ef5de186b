/* filter.h: which events somebody wants to see: by kind, thread, export and object. `[tracer] kinds`
 * and its like, and `weft trace dump`, `cut` and `export` ask here.
 *
 * Lists are comma-separated, of at most 64 entries; an entry matches whole or, with `*`, any text
 * there ("kernel.*"); one that begins with `!` takes away what those before it gave, and a list that
 * begins with one begins with everything. An empty list wants everything.
 *
 *     kinds    names of kinds; "all" is every kind, those of flag ASKED too; "kernel.return" has
 *              those without a value; another engine's kind only by a wildcard
 *     threads  a tid, an identity (16 hex digits) or its text ("thread:main/0"); a machine event is
 *              thread "machine"
 *     exports  bare names ("NtCreateFile", "Rtl*"): of the kinds that have an export, those alone;
 *              other kinds of events pass only where they stand between the call and the return of
 *              one that passes, on its thread
 *     objects  an identity or its text: events with a field of type d or D that holds it
 *
 * Where memory runs out while events pass, nothing is hidden any more.
 *
 * Definitions (kind define) always pass. */
#ifndef WEFT_TRACE_FILTER_H
#define WEFT_TRACE_FILTER_H

#include "trace.h"

typedef struct weft_filter_texts {
    const char *kinds, *threads, *exports, *objects; /* "" or NULL: everything */
} weft_filter_texts;

typedef struct weft_filter weft_filter;

/* NULL with *why (static or in `room`) where a list names a kind that is none or has a bad entry. */
weft_filter *weft_filter_new(const weft_filter_texts *texts, char *why, size_t room);

/* Sees every event in order; 1 where it passes. `name` is as weft_trace_begin has it. */
int weft_filter_pass(weft_filter *filter, const weft_event *event,
                     const char *(*name)(void *names, uint64_t id), void *names);

/* Bits of kinds (1 << kind % 64 of [kind / 64]) that can pass; for weft_host.wanted. */
void weft_filter_kinds(const weft_filter *filter, uint64_t *bits, size_t words);

/* 1 where the kind alone decides on events of Weft's own kinds: weft_filter_kinds says all. */
int weft_filter_by_kind(const weft_filter *filter);

/* 1 where every event passes but those of flag ASKED. */
int weft_filter_is_empty(const weft_filter *filter);
void weft_filter_free(weft_filter *filter);

#endif
