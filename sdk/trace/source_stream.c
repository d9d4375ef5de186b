/* source_stream.c: a trace read from front to back, once to survey it, and from the nearest of some
 * kept points for each stretch of it. */
#include <stdlib.h>
#include <string.h>

#include "source_parts.h"

static void drop_point(source_point *p)
{
    weft_canon_free(p->canon);
    free(p->canonical);
    *p = (source_point){0};
}

/* Where the next event comes from; 0 where reading cannot begin there. */
static int place(const weft_trace *t, uint64_t *offset, uint64_t *line)
{
    *line = 0;
    if (t->jsonl) {
        jsonl_place(t, offset, line);
        return 1;
    }
    return binary_place(t, offset);
}

static size_t kept_bytes(const weft_trace_source *s)
{
    size_t bytes = 0;
    for (size_t i = 0; i < s->point_count; i++) {
        bytes += s->points[i].bytes;
    }
    return bytes;
}

/* Drops every other point; the first one stays. */
static void thin_out(weft_trace_source *s)
{
    for (size_t i = 0; i < s->point_count; i++) {
        if (i % 2 == 0) {
            source_point kept = s->points[i];
            s->points[i] = (source_point){0};
            s->points[i / 2] = kept;
        } else {
            drop_point(&s->points[i]);
        }
    }
    s->point_count = (s->point_count + 1) / 2;
    s->interval *= 2;
}

/* Keeps the place behind the latest event, if that is one. */
static int keep_point(weft_trace_source *s, const weft_canon *canon, const survey *so_far,
                      uint64_t sequence)
{
    source_point p = {.events = so_far->events, .sequence = sequence};
    if (!place(s->trace, &p.offset, &p.line)) {
        return 1;
    }
    p.bytes = weft_canon_bytes(canon);
    while (s->point_count == SOURCE_POINTS ||
           (s->point_count > 1 && kept_bytes(s) + p.bytes > SOURCE_BYTES)) {
        thin_out(s);
    }
    p.thread_count = so_far->thread_count;
    p.canonical = malloc((p.thread_count + 1) * sizeof *p.canonical);
    p.canon = weft_canon_clone(canon);
    if (!p.canonical || !p.canon) {
        drop_point(&p);
        return 0;
    }
    for (size_t i = 0; i < p.thread_count; i++) {
        p.canonical[i] = so_far->threads[i].canonical;
    }
    s->points[s->point_count++] = p;
    return 1;
}

static int read_all(weft_trace_source *s, weft_canon *canon, survey *so_far,
                    void (*progress)(uint64_t events))
{
    const weft_event *event;
    uint64_t hash, next = 0;
    int good = keep_point(s, canon, so_far, s->trace->info.first);
    while (good && (event = weft_trace_next(s->trace)) != NULL) {
        int canonical = weft_canon_add(canon, s->trace, event, &hash);
        survey_add(so_far, event, canonical, hash);
        if (so_far->events - s->points[s->point_count - 1].events >= s->interval) {
            good = keep_point(s, canon, so_far, event->sequence + 1);
        }
        if (progress && so_far->events >= next) {
            progress(so_far->events);
            next = so_far->events + 65536;
        }
    }
    return good && !so_far->no_memory && !weft_canon_no_memory(canon);
}

int source_stream_open(weft_trace_source *s, void (*progress)(uint64_t events))
{
    survey all = {0};
    weft_canon *canon = weft_canon_new(s->mode);
    s->interval = SOURCE_INTERVAL;
    int good = canon && read_all(s, canon, &all, progress);
    good = good && survey_finish(&all, s->trace, &s->summary);
    if (good) {
        survey_digest(&all, s->summary.canon_digest);
        s->places = all.places;
        all.places = (live_map){0};
    }
    s->summary.info = *weft_trace_info_of(s->trace);
    survey_free(&all);
    weft_canon_free(canon);
    if (weft_trace_failed(s->trace, NULL)) {
        return 0;
    }
    return good && s->summary.canon_digest[0] ? 1 : source_fail(s, "no memory for what it holds");
}

/* A fetch under way. */
typedef struct fetch {
    weft_trace_source *source;
    const weft_trace_window *windows;
    size_t *point; /* of each window: where to read from */
    size_t *after; /* of each window: the next one of its thread that is open */
    size_t *open;  /* of each thread, and behind them of all threads: first open window */
    size_t open_count;
    uint64_t *canonical; /* of each thread, so far */
    weft_trace_window_fn fn;
    void *context;
    int stopped;
} fetch;

#define NO_WINDOW SIZE_MAX

/* The last point that is not behind the window's beginning. */
static size_t point_of(const weft_trace_source *s, const weft_trace_window *w)
{
    size_t best = 0;
    for (size_t i = 1; i < s->point_count; i++) {
        const source_point *p = &s->points[i];
        uint64_t there = w->thread == WEFT_TRACE_ALL   ? p->sequence
                         : w->thread < p->thread_count ? p->canonical[w->thread]
                                                       : 0;
        if (there > w->from) {
            break;
        }
        best = i;
    }
    return best;
}

/* Gives an event to the open windows of one list; closes those that it ends. `at` is the event's
 * number there, UINT64_MAX for one without; `next` is the number that the next one will have. */
static void give(fetch *f, size_t *list, const weft_event *event, uint64_t at, uint64_t next,
                 uint64_t canonical, uint64_t hash)
{
    while (*list != NO_WINDOW && !f->stopped) {
        size_t i = *list;
        const weft_trace_window *w = &f->windows[i];
        if (source_window_has(w, at, next) &&
            !f->fn(f->context, i, f->source->trace, event, canonical, hash)) {
            f->stopped = 1;
        }
        if (next >= source_window_end(w)) {
            *list = f->after[i];
            f->open_count--;
        } else {
            list = &f->after[i];
        }
    }
}

/* Reads on from a point until no window is open; those of later points are opened as they are
 * reached. Returns the point that is next. */
static size_t read_from(fetch *f, size_t p, size_t count)
{
    weft_trace_source *s = f->source;
    const source_point *point = &s->points[p];
    weft_canon *canon = weft_canon_clone(point->canon);
    int placed = s->trace->jsonl ? jsonl_seek(s->trace, point->offset, point->line)
                                 : binary_seek(s->trace, point->offset, point->events);
    if (!canon || !placed) {
        weft_canon_free(canon);
        f->stopped = 1;
        source_fail(s, "no memory to read on");
        return p;
    }
    memset(f->canonical, 0, s->summary.thread_count * sizeof *f->canonical);
    memcpy(f->canonical, point->canonical, point->thread_count * sizeof *f->canonical);
    uint64_t events = point->events;
    const weft_event *event = NULL;
    do {
        if (p < s->point_count && events == s->points[p].events) {
            for (size_t i = 0; i < count; i++) {
                if (f->point[i] == p) {
                    size_t list = f->windows[i].thread < s->summary.thread_count
                                      ? f->windows[i].thread
                                      : s->summary.thread_count;
                    f->after[i] = f->open[list];
                    f->open[list] = i;
                    f->open_count++;
                }
            }
            p++;
        }
        if (f->open_count == 0 || !(event = weft_trace_next(s->trace))) {
            break;
        }
        uint64_t hash = 0, number = UINT64_MAX;
        int canonical = weft_canon_add(canon, s->trace, event, &hash);
        s->words = weft_canon_words(canon, &s->fields, &s->word_count);
        s->words = canonical ? s->words : NULL;
        const uint64_t *thread = live_map_find(&s->places, event->thread);
        events++;
        if (thread) {
            uint64_t *there = &f->canonical[thread[0]];
            number = canonical ? (*there)++ : UINT64_MAX;
            give(f, &f->open[thread[0]], event, number, *there, number, hash);
        }
        give(f, &f->open[s->summary.thread_count], event, event->sequence, event->sequence + 1,
             number, hash);
    } while (!f->stopped);
    if (weft_canon_no_memory(canon)) {
        f->stopped = 1;
        source_fail(s, "no memory for what is live");
    }
    weft_canon_free(canon);
    s->words = NULL;
    if (!event) { /* the file's end: windows that reach beyond it are through */
        return s->point_count;
    }
    return p;
}

int source_stream_fetch(weft_trace_source *s, const weft_trace_window *windows, size_t count,
                        weft_trace_window_fn fn, void *context)
{
    size_t threads = s->summary.thread_count;
    fetch f = {.source = s, .windows = windows, .fn = fn, .context = context};
    f.point = calloc(count + 1, sizeof *f.point);
    f.after = calloc(count + 1, sizeof *f.after);
    f.open = calloc(threads + 1, sizeof *f.open);
    f.canonical = calloc(threads + 1, sizeof *f.canonical);
    if (!f.point || !f.after || !f.open || !f.canonical) {
        f.stopped = 1;
        source_fail(s, "no memory to read stretches of it");
    }
    for (size_t i = 0; i < count && !f.stopped; i++) {
        int empty = windows[i].count == 0 ||
                    (windows[i].thread >= threads && windows[i].thread != WEFT_TRACE_ALL);
        f.point[i] = empty ? NO_WINDOW : point_of(s, &windows[i]);
    }
    for (size_t p = 0; p < s->point_count && !f.stopped;) {
        size_t first = NO_WINDOW; /* the next point that a window wants */
        for (size_t i = 0; i < count; i++) {
            if (f.point[i] != NO_WINDOW && f.point[i] >= p && f.point[i] < first) {
                first = f.point[i];
            }
        }
        if (first == NO_WINDOW) {
            break;
        }
        memset(f.open, 0xFF, (threads + 1) * sizeof *f.open);
        f.open_count = 0;
        p = read_from(&f, first, count);
    }
    free(f.point);
    free(f.after);
    free(f.open);
    free(f.canonical);
    return !f.stopped && !weft_trace_failed(s->trace, NULL);
}

void source_stream_close(weft_trace_source *s)
{
    for (size_t i = 0; i < s->point_count; i++) {
        drop_point(&s->points[i]);
    }
}
