/* reader.c: what a file is, and what its readers have in common. */
#include "reader.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "wtr.h"

static size_t place_of(const names *n, uint64_t id)
{
    size_t at = (size_t)(id * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (n->room - 1);
    while (n->places[at].text && n->places[at].id != id) {
        at = (at + 1) & (n->room - 1);
    }
    return at;
}

const char *names_find(const names *n, uint64_t id)
{
    return n->room ? n->places[place_of(n, id)].text : NULL;
}

static int grow(names *n)
{
    names bigger = {.room = n->room ? n->room * 2 : 256, .used = n->used};
    bigger.places = calloc(bigger.room, sizeof *bigger.places);
    if (!bigger.places) {
        return 0;
    }
    for (size_t i = 0; i < n->room; i++) {
        if (n->places[i].text) {
            bigger.places[place_of(&bigger, n->places[i].id)] = n->places[i];
        }
    }
    free(n->places);
    *n = bigger;
    return 1;
}

int names_add(names *n, uint64_t id, const char *text, size_t length)
{
    if (n->used * 2 >= n->room && !grow(n)) {
        return 0;
    }
    struct name *place = &n->places[place_of(n, id)];
    if (place->text) {
        return 1;
    }
    place->text = malloc(length + 1);
    if (!place->text) {
        return 0;
    }
    memcpy(place->text, text, length);
    place->text[length] = 0;
    place->id = id;
    n->used++;
    return 1;
}

void names_free(names *n)
{
    for (size_t i = 0; i < n->room; i++) {
        free(n->places[i].text);
    }
    free(n->places);
}

static void fail(weft_trace *t, char *where, const char *format, va_list list)
{
    if (t->error[0]) {
        free(where);
        return;
    }
    vsnprintf(t->error, sizeof t->error, format, list);
    free(t->where);
    t->where = where;
}

void *trace_fail_line(weft_trace *t, uint64_t line, const char *format, ...)
{
    char *where = NULL;
    va_list list;
    if (asprintf(&where, "%s:%llu", t->path, (unsigned long long)line) < 0) {
        where = NULL;
    }
    va_start(list, format);
    fail(t, where, format, list);
    va_end(list);
    return NULL;
}

void *trace_fail_offset(weft_trace *t, uint64_t offset, const char *format, ...)
{
    char *where = NULL;
    va_list list;
    if (asprintf(&where, "%s+0x%llx", t->path, (unsigned long long)offset) < 0) {
        where = NULL;
    }
    va_start(list, format);
    fail(t, where, format, list);
    va_end(list);
    return NULL;
}

/* Keeps what a define says: id, what, text (weft/event.h). */
static void learn(weft_trace *t, const weft_event *event)
{
    uint32_t count;
    const uint64_t *words = weft_trace_words(event, &count);
    if (count < 3 || words[1] > (count - 3) * UINT64_C(8)) {
        return;
    }
    uint64_t at = 2 + (words[1] + 7) / 8;
    if (at >= count || words[at] > (count - at - 1) * 8) {
        return;
    }
    names_add(&t->names, words[0], (const char *)&words[at + 1], (size_t)words[at]);
}

weft_trace *trace_from(FILE *file, const char *path, trace_follow *follow)
{
    weft_trace *t = calloc(1, sizeof *t);
    if (!t || !(t->path = strdup(path))) {
        free(t);
        free(follow);
        fclose(file);
        return NULL;
    }
    t->where = strdup(path);
    t->file = file;
    t->follow = follow;
    struct stat status;
    if (!follow && fileno(file) >= 0 && fstat(fileno(file), &status) == 0 &&
        S_ISREG(status.st_mode)) {
        t->size = (uint64_t)status.st_size;
    }
    char head[sizeof WTR_MAGIC - 1];
    size_t length = trace_read_all(t, head, sizeof head);
    if (length == 0) {
        snprintf(t->error, sizeof t->error, "cannot read (found %s, expected a trace)",
                 ferror(file) ? strerror(errno) : "an empty file");
    } else if (length == sizeof head && memcmp(head, WTR_MAGIC, sizeof head) == 0) {
        t->info.binary = 1;
        t->binary = binary_open(t, head, length);
    } else if (memcmp(head, WTR_MAGIC, length) == 0) {
        trace_fail_offset(t, length, "file ends inside its header (found %zu bytes, expected %zu)",
                          length, (size_t)WTR_HEAD);
    } else {
        t->jsonl = jsonl_open(t, head, length);
    }
    return t;
}

weft_trace *weft_trace_from(FILE *file, const char *path)
{
    return trace_from(file, path, NULL);
}

weft_trace *weft_trace_open(const char *path)
{
    FILE *file = strcmp(path, "-") == 0 ? fdopen(dup(0), "rb") : fopen(path, "rb");
    if (file) {
        return weft_trace_from(file, path);
    }
    weft_trace *t = calloc(1, sizeof *t);
    if (t) {
        snprintf(t->error, sizeof t->error, "cannot open (found %s, expected a trace)",
                 strerror(errno));
        t->where = strdup(path);
    }
    return t;
}

const weft_trace_info *weft_trace_info_of(const weft_trace *t)
{
    return &t->info;
}

const weft_event *weft_trace_next(weft_trace *t)
{
    if (t->error[0]) {
        return NULL;
    }
    const weft_event *event = t->binary ? binary_next(t) : jsonl_next(t);
    if (event && event->kind == WEFT_EVENT_DEFINE) {
        learn(t, event);
    }
    return event;
}

const char *weft_trace_failed(const weft_trace *t, const char **where)
{
    if (where) {
        *where = t->where ? t->where : "trace";
    }
    return t->error[0] ? t->error : NULL;
}

const char *weft_trace_name(const weft_trace *t, uint64_t id)
{
    return names_find(&t->names, id);
}

const char *weft_trace_name_of(void *trace, uint64_t id)
{
    return weft_trace_name(trace, id);
}

const char *weft_trace_kind(const weft_trace *t, const weft_event *event, char room[16])
{
    const weft_event_kind *row = weft_event_kind_of(event->kind);
    uint32_t count;
    const uint64_t *words = weft_trace_words(event, &count);
    const char *name = event->kind == 0 && count == 2 ? weft_trace_name(t, words[0]) : NULL;
    if (row || name) {
        return row ? row->name : name;
    }
    snprintf(room, 16, "kind.%u", event->kind);
    return room;
}

const char *weft_trace_line(const weft_trace *t, size_t *length)
{
    return t->jsonl ? jsonl_line(t->jsonl, length) : NULL;
}

const char *weft_trace_fields(weft_trace *t, size_t *length)
{
    return t->jsonl ? jsonl_fields(t->jsonl, length) : NULL;
}

uint64_t weft_trace_progress(const weft_trace *t, uint64_t *size)
{
    *size = t->size;
    return t->bytes;
}

void weft_trace_close(weft_trace *t)
{
    if (t) {
        jsonl_close(t->jsonl);
        binary_close(t->binary);
        if (t->file) {
            fclose(t->file);
        }
        names_free(&t->names);
        free(t->follow);
        free(t->path);
        free(t->where);
        free(t);
    }
}

struct weft_trace_digest {
    XXH3_state_t *state;
    uint64_t count;
};

weft_trace_digest *weft_trace_digest_new(void)
{
    weft_trace_digest *d = calloc(1, sizeof *d);
    if (d && (d->state = XXH3_createState()) != NULL) {
        XXH3_128bits_reset(d->state);
        return d;
    }
    free(d);
    return NULL;
}

void weft_trace_digest_add(weft_trace_digest *d, const weft_event *event)
{
    if (event->category == WEFT_CLASS_GUEST) {
        uint64_t head[5] = {event->kind, event->hw, event->thread, event->index, event->tick};
        XXH3_128bits_update(d->state, head, sizeof head);
        XXH3_128bits_update(d->state, event + 1, event->size - sizeof *event);
        d->count++;
    }
}

void weft_trace_digest_now(const weft_trace_digest *d, char hex[33])
{
    XXH128_hash_t hash = XXH3_128bits_digest(d->state);
    snprintf(hex, 33, "%016llx%016llx", (unsigned long long)hash.high64,
             (unsigned long long)hash.low64);
}

uint64_t weft_trace_digest_end(weft_trace_digest *d, char hex[33])
{
    uint64_t count = d->count;
    weft_trace_digest_now(d, hex);
    XXH3_freeState(d->state);
    free(d);
    return count;
}
