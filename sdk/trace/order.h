/* order.h: the order manifest, version 2: for each object of a reference run, who performed its 0th,
 * 1st, 2nd ... synchronisation operation, and what it was. That order decides what each operation
 * finds (docs/kernel.md, "The order of operations"), so a run that keeps to it goes the same way.
 *
 * docs/trace.md ("Order manifest, version 2") has the file to the letter. What is read is hostile
 * until checked; memory is 4 bytes for each operation, and 8 for every sixteenth. */
#ifndef WEFT_TRACE_ORDER_H
#define WEFT_TRACE_ORDER_H

#include "trace.h"

#define WEFT_ORDER_VERSION UINT32_C(2)
#define WEFT_ORDER_BYTES   (UINT32_C(1) << 29) /* the longest file that is read */
#define WEFT_ORDER_MOST    (UINT32_C(1) << 26) /* operations of a manifest */
#define WEFT_ORDER_STEP    UINT32_C(16)        /* operations between two places in the reference */

/* One operation: thread's place in the list << 8 | WEFT_ORDER_SOFT | WEFT_SYNC_*. Soft: the
 * reference does not say for sure that it came before its neighbours. */
#define WEFT_ORDER_SOFT   UINT32_C(0x80)
#define WEFT_ORDER_KIND   UINT32_C(0x0F)
#define WEFT_ORDER_THREAD 8

typedef struct weft_order_thread {
    uint64_t id;
    uint64_t operations;
    char *name; /* text of the identity, or NULL */
} weft_order_thread;

/* An operation that comes no earlier than one on another object: both by their places in the lists. */
typedef struct weft_order_link {
    uint32_t entry, after_object, after_entry;
} weft_order_link;

typedef struct weft_order_object {
    uint64_t id;
    char *name;     /* text of the identity, or NULL */
    uint64_t first; /* number of its first operation here: not 0 in a cut trace */
    uint32_t count, room;
    uint32_t *operations;
    uint64_t *places;       /* where in the reference operation 0, WEFT_ORDER_STEP, ... stands */
    weft_order_link *links; /* of its operations, in their order (order_link.h) */
    uint32_t link_count, link_room;
} weft_order_object;

typedef struct weft_order {
    weft_order_thread *threads;
    uint32_t thread_count;
    weft_order_object *objects;
    uint32_t object_count;
    uint64_t operations, soft, links;
    uint64_t missing;    /* numbers between others that no operation had */
    uint64_t duplicates; /* operations with a number that another one had */
    uint64_t events;     /* of the reference */
    uint64_t resolution; /* ticks; 0: exact, by numbers */
} weft_order;

/* Makes a manifest from a trace's events, in the file's order. `resolution` 0: by the numbers of
 * sync.op; else the numbers are not looked at, and the order comes from when the calls that the
 * operations belong to began and ended, in steps of so many ticks. */
typedef struct weft_order_builder weft_order_builder;
weft_order_builder *weft_order_builder_new(uint64_t resolution); /* NULL without memory */
void weft_order_builder_free(weft_order_builder *builder);

/* A thread of the reference by the name that it has in the manifest instead. 0 without memory. */
int weft_order_builder_map(weft_order_builder *builder, uint64_t from, uint64_t to,
                           const char *name);

/* 0 without memory, or beyond WEFT_ORDER_MOST. */
int weft_order_builder_add(weft_order_builder *builder, const weft_trace *trace,
                           const weft_event *event);

/* The manifest of what was added; the caller frees it. NULL without memory. */
weft_order *weft_order_builder_end(weft_order_builder *builder);

/* 0 if the file did not take it. `sha256` is of the source, 64 hex digits. */
int weft_order_write(const weft_order *order, FILE *file, const char *source, const char *sha256);

/* NULL with the reason in `why`, and with the place in the text in *at where it is no JSON, else
 * SIZE_MAX. */
weft_order *weft_order_read(const char *text, size_t length, char *why, size_t room, size_t *at);

/* The same from a file; *at counts lines then, from 1, and is 0 where there is none to name. */
weft_order *weft_order_read_file(const char *path, char *why, size_t room, size_t *at);

/* Where operation n of an object stands in the reference: a number to compare with. Exact for each
 * WEFT_ORDER_STEP-th, evenly spread between. */
uint64_t weft_order_place(const weft_order_object *object, uint32_t n);

void weft_order_free(weft_order *order);

#endif
