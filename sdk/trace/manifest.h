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

#define WEFT_TRACE_NO_ENTER UINT64_MAX

/* Thread `tid` met contention at its event `index`, at the place `site`, for the critical section at
 * `pointer`. */
typedef struct weft_trace_contention {
    uint64_t index, site, pointer;
    uint64_t enter; /* n-th call of RtlEnterCriticalSection on its thread, or NO_ENTER: not told */
    uint64_t order; /* of the entries as they came, from 0 */
    uint32_t tid;
} weft_trace_contention;

typedef struct weft_trace_manifest weft_trace_manifest;

/* With `count` pairs, threads are renamed by them and all others left out; with 0, all are kept.
 * `pairs` is the caller's and stays. NULL without memory. */
weft_trace_manifest *weft_trace_manifest_new(const weft_trace_pair *pairs, uint32_t count);

/* Entries get `enter` too, a member that is not the reference system's. Before the first event. */
void weft_trace_manifest_count_enters(weft_trace_manifest *manifest);

/* Counts the event, and keeps it if it is a contended contention.observed. One whose line lacks
 * tid, tid_event_idx, cs_ptr, contended or its site, or has them in no readable form, is counted as a
 * bad line instead. `event` is the latest of `trace`. 0 without memory. */
int weft_trace_manifest_add(weft_trace_manifest *manifest, const weft_trace *trace,
                            const weft_event *event);

/* Writes the manifest; 0 if the file did not take it. `sha256` is of the source, 64 hex digits. */
int weft_trace_manifest_write(weft_trace_manifest *manifest, FILE *file, const char *source,
                              const char *sha256, int64_t built_at_unix);

/* Reads a manifest, ours or the reference system's. NULL with the reason in `why`, and with the place
 * in the text in *at where it is no JSON, else SIZE_MAX. */
#define WEFT_TRACE_MANIFEST_BYTES (UINT32_C(1) << 24) /* the longest text that is read */
weft_trace_manifest *weft_trace_manifest_read(const char *text, size_t length, char *why,
                                              size_t room, size_t *at);

/* The entries, by thread and index; none has the key of another. */
const weft_trace_contention *weft_trace_manifest_entries(weft_trace_manifest *manifest,
                                                         size_t *count);

void weft_trace_manifest_free(weft_trace_manifest *manifest);

#endif
