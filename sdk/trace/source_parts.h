/* source_parts.h: a source as its two halves see it: source_stream.c reads files from front to back,
 * source_index.c whole binary traces by their index. source.c chooses. */
#ifndef WEFT_TRACE_SOURCE_PARTS_H
#define WEFT_TRACE_SOURCE_PARTS_H

#include "reader.h"
#include "source.h"
#include "survey.h"

/* Where a file can be read on from, with all that has to be known there. */
typedef struct source_point {
    uint64_t offset, line; /* line: of JSONL */
    uint64_t events;       /* before it */
    uint64_t sequence;     /* of the first event behind it */
    weft_canon *canon;
    uint64_t *canonical; /* of each thread that was there, before it */
    size_t thread_count, bytes;
} source_point;

#define SOURCE_POINTS   32
#define SOURCE_INTERVAL (UINT64_C(1) << 19)  /* events between two points, at first */
#define SOURCE_BYTES    (UINT32_C(48) << 20) /* of all points' canonical states together */

struct weft_trace_source {
    weft_trace *trace; /* has all names */
    int mode;
    char error[160]; /* "": ask `trace` */
    weft_trace_summary summary;
    live_map places; /* of threads by identity */

    /* Read from front to back: places to start from, twice as far apart each time there are too many. */
    source_point points[SOURCE_POINTS];
    size_t point_count;
    uint64_t interval;

    /* Read from front to back: the canonical form of the event that a fetch is giving out. */
    const uint64_t *words;
    const uint8_t *fields;
    uint32_t word_count;

    struct source_index *index; /* NULL: read from front to back */
};

/* Each fills the summary; 0 after a failure. */
int source_stream_open(weft_trace_source *s, void (*progress)(uint64_t events));
int source_stream_fetch(weft_trace_source *s, const weft_trace_window *windows, size_t count,
                        weft_trace_window_fn fn, void *context);
void source_stream_close(weft_trace_source *s);

/* 0 with nothing said where the file was cut, and has to be read from front to back; `index` is NULL
 * then. */
int source_index_open(weft_trace_source *s);
int source_index_fetch(weft_trace_source *s, const weft_trace_window *windows, size_t count,
                       weft_trace_window_fn fn, void *context);
const uint64_t *source_index_words(weft_trace_source *s, uint32_t *count);
void source_index_close(weft_trace_source *s);

/* The first number behind a window. */
static inline uint64_t source_window_end(const weft_trace_window *w)
{
    return w->count > UINT64_MAX - w->from ? UINT64_MAX : w->from + w->count;
}

/* Whether an event is in a window: `at` is its number there, UINT64_MAX for one without, `next` the
 * number that the next one will have. */
static inline int source_window_has(const weft_trace_window *w, uint64_t at, uint64_t next)
{
    uint64_t end = source_window_end(w);
    return at != UINT64_MAX ? at >= w->from && at < end : next > w->from && next < end;
}

/* Sets the failure of the source itself. Always returns 0. */
int source_fail(weft_trace_source *s, const char *why);

#endif
