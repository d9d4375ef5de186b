/* reference.c: see reference.h. */
#include "reference.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define WINDOW     4096 /* hashes that are read again at a time */
#define MOST_WORDS 200  /* bytes of an event in a few words */

__attribute__((format(printf, 2, 3))) static int fail(reference *r, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    if (!r->error[0]) {
        vsnprintf(r->error, sizeof r->error, format, list);
    }
    va_end(list);
    return 0;
}

static int fail_trace(reference *r, const char *why, const char *where)
{
    return fail(r, "%.200s: %.280s", where ? where : r->path, why);
}

int reference_open(reference *r, const char *path, uint64_t limit)
{
    const char *where = NULL, *why;
    struct stat status;
    *r = (reference){.limit = limit, .asking = REFERENCE_NONE};
    if (stat(path, &status) != 0) {
        return fail(r, "%.200s: cannot be opened (found %s, expected a trace)", path,
                    strerror(errno));
    }
    if (!S_ISREG(status.st_mode)) {
        return fail(r, "%.200s: cannot go back in it (found no regular file, expected one)", path);
    }
    r->path = strdup(path);
    r->trace = weft_trace_open(path);
    if (!r->path || !r->trace) {
        return fail(r, "no memory for the reference");
    }
    if ((why = weft_trace_failed(r->trace, &where)) != NULL) {
        return fail_trace(r, why, where);
    }
    const weft_trace_info *info = weft_trace_info_of(r->trace);
    if (info->partial) {
        return fail(r,
                    "%.200s: filters hid some of its events (found a part, expected a whole "
                    "trace)",
                    path);
    }
    if (info->first != 0) {
        return fail(r,
                    "%.200s: it does not begin with its run (found first event %llu, expected 0)",
                    path, (unsigned long long)info->first);
    }
    r->mode = info->foreign ? WEFT_CANON_SHARED : WEFT_CANON_OWN;
    r->canon = weft_canon_new(r->mode);
    return r->canon ? 1 : fail(r, "no memory for the reference");
}

void reference_close(reference *r)
{
    for (size_t i = 0; i < r->count; i++) {
        free(r->threads[i].hashes);
    }
    free(r->threads);
    idmap_free(&r->places);
    weft_canon_free(r->canon);
    weft_trace_close(r->trace);
    weft_trace_source_close(r->source);
    free(r->path);
    *r = (reference){0};
}

uint64_t call_of(const weft_trace *trace, const weft_event *event)
{
    uint32_t count;
    const uint64_t *words = weft_trace_words(event, &count);
    if ((event->kind != WEFT_EVENT_IMPORT_CALL && event->kind != WEFT_EVENT_KERNEL_CALL) ||
        count == 0) {
        return 0;
    }
    const char *text = weft_trace_name(trace, words[0]);
    if (!text) {
        return 0;
    }
    line_export export = line_export_of(text);
    return weft_fnv1a(export.name, export.name_length);
}

void describe_event(out *o, pretty *p, const weft_trace *trace, const weft_event *event)
{
    char room[16];
    const char *kind = weft_trace_kind(trace, event, room);
    out line = {0};
    pretty_event(&line, p, trace, event);
    out_raw(&line, "", 1);
    const char *at = line.no_memory ? NULL : strstr(line.bytes, kind);
    size_t start = o->used;
    for (at = at ? at : kind; *at && o->used - start < MOST_WORDS; at++) {
        if (at[0] != ' ' || at[1] != ' ') { /* columns are for lines among lines */
            out_raw(o, at, 1);
        }
    }
    if (*at) {
        out_str(o, "...");
    }
    out_free(&line);
}

/* The place of a thread, which may be new; REFERENCE_NONE without memory. */
static size_t thread_at(reference *r, uint64_t id)
{
    int fresh;
    uint64_t *place = idmap_at(&r->places, id, &fresh);
    if (!place) {
        return REFERENCE_NONE;
    }
    if (fresh) {
        *place = r->count;
        if (r->count == r->room) {
            size_t room = r->room ? r->room * 2 : 16;
            reference_thread *threads = realloc(r->threads, room * sizeof *threads);
            if (!threads) {
                return REFERENCE_NONE;
            }
            r->threads = threads;
            r->room = room;
        }
        r->threads[r->count++] = (reference_thread){.id = id};
    }
    return (size_t)*place < r->count ? (size_t)*place : REFERENCE_NONE;
}

/* Room for `more` hashes behind those that wait. */
static int reserve(reference_thread *t, size_t more)
{
    if (t->head > 0 && t->head + t->count + more > t->room) {
        memmove(t->hashes, t->hashes + t->head, t->count * sizeof *t->hashes);
        t->head = 0;
    }
    if (t->count + more > t->room) {
        size_t room = t->room ? t->room * 2 : 64;
        room = room < t->count + more ? t->count + more : room;
        uint64_t *hashes = realloc(t->hashes, room * sizeof *hashes);
        if (!hashes) {
            return 0;
        }
        t->hashes = hashes;
        t->room = room;
    }
    return 1;
}

/* Keeps the hash of a thread's next event, if the run will ask for it and there is room. What the
 * run waits for at this moment has room in any case. */
static void take_hash(reference *r, size_t place, uint64_t hash)
{
    reference_thread *t = &r->threads[place];
    uint64_t number = t->seen++;
    if (r->counting || t->dropped) {
        return;
    }
    if (t->count == 0) {
        t->base = number; /* what lies before was not kept */
    }
    if (number != t->base + t->count || (r->waiting >= r->limit && place != r->asking)) {
        return;
    }
    if (!reserve(t, 1)) {
        fail(r, "no memory for the reference");
        return;
    }
    t->hashes[t->head + t->count++] = hash;
    r->waiting++;
}

int reference_read(reference *r)
{
    uint64_t hash;
    const char *where = NULL;
    if (r->ended || r->error[0]) {
        return 0;
    }
    const weft_event *event = weft_trace_next(r->trace);
    if (!event) {
        const char *why = weft_trace_failed(r->trace, &where);
        r->ended = 1;
        return why ? fail_trace(r, why, where) : 0;
    }
    size_t place = thread_at(r, event->thread);
    int canonical = weft_canon_add(r->canon, r->trace, event, &hash);
    if (place == REFERENCE_NONE || weft_canon_no_memory(r->canon)) {
        return fail(r, "no memory for the reference");
    }
    reference_thread *t = &r->threads[place];
    if (!t->tid && event->tid) {
        t->tid = event->tid;
        r->changes++;
    }
    if (!t->first_call && (t->first_call = call_of(r->trace, event)) != 0) {
        r->changes++;
    }
    if (canonical) {
        take_hash(r, place, hash);
    }
    return !r->error[0];
}

size_t reference_by_id(reference *r, uint64_t id)
{
    for (;;) {
        const uint64_t *place = idmap_find(&r->places, id);
        if (place) {
            return (size_t)*place;
        }
        if (!reference_read(r)) {
            return REFERENCE_NONE;
        }
    }
}

/* Reads until something about the threads is known that was not. */
static int read_change(reference *r)
{
    uint64_t before = r->changes;
    while (r->changes == before) {
        if (!reference_read(r)) {
            return 0;
        }
    }
    return 1;
}

size_t reference_by_tid(reference *r, uint32_t tid)
{
    do {
        for (size_t i = 0; i < r->count; i++) {
            if (r->threads[i].tid == tid && !r->threads[i].claimed) {
                return i;
            }
        }
    } while (read_change(r));
    return REFERENCE_NONE;
}

size_t reference_by_call(reference *r, uint64_t first_call,
                         int (*skip)(void *context, const reference_thread *thread), void *context)
{
    do {
        for (size_t i = 0; i < r->count; i++) {
            const reference_thread *t = &r->threads[i];
            if (t->first_call == first_call && !t->claimed && !skip(context, t)) {
                return i;
            }
        }
    } while (read_change(r));
    return REFERENCE_NONE;
}

/* ---- reading again ------------------------------------------------------------------------------
 */

/* The place of a thread in the source's own list. */
static int find_again(reference *r, size_t thread, size_t *place)
{
    const char *where = NULL, *why;
    if (!r->source) {
        r->source = weft_trace_source_open(r->path, r->mode, NULL);
        if (!r->source) {
            return fail(r, "no memory for the reference");
        }
    }
    if ((why = weft_trace_source_failed(r->source, &where)) != NULL) {
        return fail_trace(r, why, where);
    }
    const weft_trace_summary *summary = weft_trace_source_summary(r->source);
    for (size_t i = 0; i < summary->thread_count; i++) {
        if (summary->threads[i].id == r->threads[thread].id) {
            *place = i;
            return 1;
        }
    }
    return fail(r, "%.200s: it changed while it was read (found no thread %016llx, expected it)",
                r->path, (unsigned long long)r->threads[thread].id);
}

typedef struct again {
    reference *r;
    reference_thread *t;
    uint64_t end;
} again;

static int keep_again(void *context, size_t window, const weft_trace *trace,
                      const weft_event *event, uint64_t canonical, uint64_t hash)
{
    again *a = context;
    if (canonical != UINT64_MAX && canonical == a->t->base + a->t->count && canonical < a->end) {
        a->t->hashes[a->t->count++] = hash;
    }
    return 1;
}

/* Hashes from `number` on that were read before and did not wait. */
static int read_again(reference *r, size_t thread, uint64_t number)
{
    reference_thread *t = &r->threads[thread];
    weft_trace_window window = {.from = number, .count = WINDOW};
    const char *where = NULL, *why;
    r->waiting -= t->count;
    t->head = 0;
    t->count = 0;
    t->base = number;
    window.count = t->seen - number < WINDOW ? t->seen - number : WINDOW;
    if (!find_again(r, thread, &window.thread)) {
        return 0;
    }
    if (!reserve(t, (size_t)window.count)) {
        return fail(r, "no memory for the reference");
    }
    again a = {.r = r, .t = t, .end = number + window.count};
    int done = weft_trace_source_fetch(r->source, &window, 1, keep_again, &a);
    r->waiting += t->count;
    if (!done && (why = weft_trace_source_failed(r->source, &where)) != NULL) {
        return fail_trace(r, why, where);
    }
    return t->count > 0 ? 1 : fail(r, "%.200s: it changed while it was read", r->path);
}

int reference_hash(reference *r, size_t thread, uint64_t number, uint64_t *hash)
{
    r->asking = thread;
    for (;;) {
        reference_thread *t = &r->threads[thread];
        if (t->count > 0 && number >= t->base && number - t->base < t->count) {
            uint64_t before = number - t->base;
            *hash = t->hashes[t->head + before];
            t->head += before + 1;
            t->count -= before + 1;
            t->base = number + 1;
            r->waiting -= before + 1;
            if (t->count == 0) {
                t->head = 0;
            }
            return 1;
        }
        if (number < t->seen ? !read_again(r, thread, number) : !reference_read(r)) {
            return 0;
        }
    }
}

void reference_drop(reference *r, size_t thread)
{
    reference_thread *t = &r->threads[thread];
    r->waiting -= t->count;
    free(t->hashes);
    t->hashes = NULL;
    t->head = t->count = t->room = 0;
    t->dropped = 1;
}

typedef struct picture {
    uint64_t number;
    pretty *p;
    out *line, *words;
    int found;
} picture;

static int describe(void *context, size_t window, const weft_trace *trace, const weft_event *event,
                    uint64_t canonical, uint64_t hash)
{
    picture *d = context;
    if (canonical == d->number) {
        pretty_event(d->line, d->p, trace, event);
        describe_event(d->words, d->p, trace, event);
        d->found = 1;
    }
    return !d->found;
}

int reference_describe(reference *r, size_t thread, uint64_t number, pretty *p, out *line,
                       out *words)
{
    picture d = {.number = number, .p = p, .line = line, .words = words};
    weft_trace_window window = {.from = number, .count = 1};
    if (find_again(r, thread, &window.thread)) {
        weft_trace_source_fetch(r->source, &window, 1, describe, &d);
    }
    return d.found;
}

const char *reference_name(const reference *r, size_t thread)
{
    return weft_trace_name(r->trace, r->threads[thread].id);
}
