/* manifest.h: the contention manifest, version 1: where a reference run found a critical section
 * taken by another thread. Its fields are the reference system's, whose replayer reads them. */
#ifndef WEFT_TRACE_MANIFEST_H
#define WEFT_TRACE_MANIFEST_H

#include "trace.h"

/* A thread id of the reference, and ours in its place. */
typedef struct weft_trace_pair {
    uint32_t reference, ours;
} weft_trace_pair;

/* Reads "A=B,...": decimal thread ids. Returns how many pairs there are, at most `room`, or -1. */
int weft_trace_read_pairs(const char *text, weft_trace_pair *pairs, uint32_t room);

typedef struct weft_trace_manifest weft_trace_manifest;

/* With `count` pairs, threads are renamed by them and all others left out; with 0, all are kept.
 * `pairs` is the caller's and stays. NULL without memory. */
weft_trace_manifest *weft_trace_manifest_new(const weft_trace_pair *pairs, uint32_t count);

/* Counts the event, and keeps it if it is a contended contention.observed. 0 without memory. */
int weft_trace_manifest_add(weft_trace_manifest *manifest, const weft_event *event);

/* Writes the manifest; 0 if the file did not take it. `sha256` is of the source, 64 hex digits. */
int weft_trace_manifest_write(weft_trace_manifest *manifest, FILE *file, const char *source,
                              const char *sha256, int64_t built_at_unix);

void weft_trace_manifest_free(weft_trace_manifest *manifest);

#endif
