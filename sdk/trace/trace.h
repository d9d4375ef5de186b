/* trace.h: event logs from files, in both formats of docs/trace.md, as a stream of weft_event.
 *
 * Everything read is hostile until checked. Memory is bounded by one line (JSONL) or one group of
 * blocks (binary), and by the texts of the identities that the file defines. No call blocks but for
 * the file; a trace belongs to one thread at a time. */
#ifndef WEFT_TRACE_H
#define WEFT_TRACE_H

#include <stdio.h>

#include "weft/tracer.h"

typedef struct weft_trace weft_trace;

/* What the file says of itself. Texts are cut to fit. */
typedef struct weft_trace_info {
    int binary;   /* 1: .wtr, 0: JSONL */
    int foreign;  /* 1: the engine is not weft, so lines need not have our additions to schema v1 */
    int partial;  /* 1: filters of the profile hid some events */
    int parallel; /* 1: a binary trace of parallel mode, where values may depend on timing */
    uint64_t first;
    char engine[32], build[64], title[256], profile_digest[40];
    char before[40]; /* trace_digest of all events before `first` */

    /* Known once weft_trace_next has returned NULL. */
    int complete;      /* 1: the file's end is there */
    uint64_t last;     /* as the end says */
    char digest[40];   /* trace_digest as the end says, "" if it says none */
    char missing[448]; /* what is missing, as a sentence; "" if nothing is known to be */
} weft_trace_info;

/* Opens a file by what it contains, not by its name; "-" is stdin. Never NULL but without memory:
 * a file that cannot be read gives a trace whose weft_trace_failed says why. */
weft_trace *weft_trace_open(const char *path);

/* The same from an open file, which the trace then owns; `path` is for messages. */
weft_trace *weft_trace_from(FILE *file, const char *path);

const weft_trace_info *weft_trace_info_of(const weft_trace *trace);

/* The next event in the file's order (by sequence), valid until the next call; NULL at the end and
 * after an error. Events of a foreign log that have no row in the table come as kind 0, class
 * GUEST, with two words: the identity of the kind's name and the hash of the payload's text. */
const weft_event *weft_trace_next(weft_trace *trace);

/* NULL, or why the file cannot be read (on): one sentence. *where is FILE:LINE for JSONL, FILE+0xN
 * for a binary file. */
const char *weft_trace_failed(const weft_trace *trace, const char **where);

/* The text of an identity that the file has defined so far, or NULL. */
const char *weft_trace_name(const weft_trace *trace, uint64_t id);

/* weft_trace_name in the form that weft_trace_begin.name has; `names` is the trace. */
const char *weft_trace_name_of(void *names, uint64_t id);

/* The kind's name: the table's; for kind 0 what the foreign log said; else "kind.N" in `room`. */
const char *weft_trace_kind(const weft_trace *trace, const weft_event *event, char room[16]);

/* The line that the latest event came from, without its newline; NULL from a binary file. */
const char *weft_trace_line(const weft_trace *trace, size_t *length);

/* The latest event's line without its members host_ns and guest_cycle and without space between the
 * others, which keep their order and text; valid until the next call. NULL from a binary file. */
const char *weft_trace_fields(weft_trace *trace, size_t *length);

/* Bytes read so far, and the file's size, 0 where it has none (a pipe). */
uint64_t weft_trace_progress(const weft_trace *trace, uint64_t *size);

void weft_trace_close(weft_trace *trace);

/* trace_digest over events as they come; other classes than GUEST do not count. */
typedef struct weft_trace_digest weft_trace_digest;
weft_trace_digest *weft_trace_digest_new(void);
void weft_trace_digest_add(weft_trace_digest *digest, const weft_event *event);
void weft_trace_digest_now(const weft_trace_digest *digest, char hex[33]); /* so far */
uint64_t weft_trace_digest_end(weft_trace_digest *digest, char hex[33]); /* frees; events counted */

/* An event's payload: its words and their number. */
static inline const uint64_t *weft_trace_words(const weft_event *event, uint32_t *count)
{
    *count = (event->size - (uint32_t)sizeof *event) / 8;
    return (const uint64_t *)(event + 1);
}

#endif
