/* source_index.c: a whole binary trace, by its footer: what it holds is known without reading it, and
 * of a stretch only the blocks are read that have a part of it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "source_parts.h"
#include "wtr.h"

struct source_index {
    wtr_footer footer;
    uint64_t size; /* of the file */
    wtr_bytes body, raw;
    wtr_packer packer;
    canon_kind kinds[WEFT_EVENT_KIND_END];
    wtr_group group;
    const struct wtr_place *given; /* the event that a fetch is giving out */
};

/* `length` bytes at an offset; 0 where the file does not have them. */
static int read_at(const weft_trace_source *s, void *to, size_t length, uint64_t offset)
{
    size_t done = 0;
    while (done < length) {
        ssize_t n =
            pread(fileno(s->trace->file), (char *)to + done, length - done, (off_t)(offset + done));
        if (n <= 0 && !(n < 0 && errno == EINTR)) {
            return 0;
        }
        done += n > 0 ? (size_t)n : 0;
    }
    return 1;
}

/* Unpacks the record at an offset into `raw`; *next gets what is behind it. NULL, or what is wrong. */
static const char *read_record(weft_trace_source *s, uint64_t offset, uint8_t type, uint64_t *next)
{
    struct source_index *x = s->index;
    uint8_t header[WTR_RECORD];
    wtr_record record;
    if (offset > x->size || x->size - offset < WTR_RECORD ||
        !read_at(s, header, sizeof header, offset)) {
        return "it is behind the file's end";
    }
    if (!wtr_parse_record(header, &record) || record.type != type) {
        return "it is no such record";
    }
    *next = offset + WTR_RECORD + record.stored;
    if (*next > x->size) {
        return "it ends behind the file";
    }
    x->body.used = 0;
    uint8_t *body = wtr_room(&x->body, (size_t)record.stored + 1);
    if (!body) {
        return "no memory";
    }
    if (!read_at(s, body, record.stored, offset + WTR_RECORD)) {
        return "it cannot be read from the file";
    }
    return wtr_unpack(header, &record, body, &x->raw, &x->packer);
}

/* The footer's parts, which end where the tail begins. */
static const char *read_footer(weft_trace_source *s, uint64_t offset)
{
    struct source_index *x = s->index;
    wtr_bytes footer = {0};
    const char *why = NULL;
    uint64_t at = offset, next;
    int more = 1;
    while (!why && more) {
        why = read_record(s, at, WTR_FOOTER, &next);
        if (!why && x->raw.used < 2) {
            why = "it is empty";
        }
        if (!why) {
            more = x->raw.at[0];
            wtr_put(&footer, x->raw.at + 1, x->raw.used - 1);
            at = next;
            why = footer.no_memory                         ? "no memory"
                  : footer.used > WTR_FOOTER_LIMIT(offset) ? "it is longer than such a file needs"
                                                           : NULL;
        }
    }
    if (!why && at != x->size - WTR_TAIL) {
        why = "it does not end where the tail begins";
    }
    why = why ? why : wtr_footer_read(&x->footer, &footer, offset);
    wtr_bytes_free(&footer);
    return why;
}

/* The texts of all definitions. */
static const char *read_names(weft_trace_source *s, uint64_t offset)
{
    uint64_t next;
    const char *why = read_record(s, offset, WTR_NAMES, &next);
    if (why) {
        return why;
    }
    wtr_view v = {.at = s->index->raw.at, .end = s->index->raw.at + s->index->raw.used};
    for (uint64_t count = wtr_take_varint(&v); count > 0 && !v.bad; count--) {
        uint64_t id = wtr_take_u64(&v), length = wtr_take_varint(&v);
        const uint8_t *text = wtr_take(&v, length);
        if (text && !names_add(&s->trace->names, id, (const char *)text, (size_t)length)) {
            return "no memory";
        }
    }
    return v.bad || v.at != v.end ? "its texts do not fill it" : NULL;
}

static int fill_summary(weft_trace_source *s)
{
    wtr_footer *f = &s->index->footer;
    weft_trace_info *info = &s->trace->info;
    info->complete = 1;
    info->last = f->last;
    memcpy(info->digest, f->digest, sizeof info->digest);
    s->summary.info = *info;
    memcpy(s->summary.canon_digest, f->canon_digest, sizeof s->summary.canon_digest);
    if (!survey_finish(&f->survey, s->trace, &s->summary)) {
        return source_fail(s, "no memory for what it holds");
    }
    s->places = f->survey.places;
    f->survey.places = (live_map){0};
    return 1;
}

int source_index_open(weft_trace_source *s)
{
    uint8_t tail[WTR_TAIL];
    struct source_index *x = calloc(1, sizeof *x);
    if (!x) {
        return source_fail(s, "no memory for an index");
    }
    x->size = s->trace->size;
    s->index = x;
    if (x->size < WTR_HEAD + WTR_TAIL || !read_at(s, tail, sizeof tail, x->size - WTR_TAIL) ||
        memcmp(tail + 8, WTR_TAIL_MAGIC, 8) != 0) {
        source_index_close(s); /* it was cut: what it has is to be read */
        return 0;
    }
    canon_own_kinds(x->kinds);
    wtr_view v = {.at = tail, .end = tail + 8};
    uint64_t offset = wtr_take_u64(&v);
    const char *why = read_footer(s, offset);
    if (why) {
        trace_fail_offset(s->trace, offset, "footer cannot be read (%s)", why);
        return 0;
    }
    for (size_t i = 0; i < x->footer.name_count; i++) {
        why = read_names(s, x->footer.names[i]);
        if (why) {
            trace_fail_offset(s->trace, x->footer.names[i], "texts cannot be read (%s)", why);
            return 0;
        }
    }
    return fill_summary(s);
}

/* Decodes a block behind what the group has, and holds it against the footer. */
static const char *load(weft_trace_source *s, const wtr_index_block *of)
{
    struct source_index *x = s->index;
    wtr_block block;
    uint64_t next;
    size_t from = x->group.events;
    const char *why = read_record(s, of->offset, WTR_BLOCK, &next);
    why = why ? why : wtr_block_read(&x->group, x->kinds, &x->raw, 1, &block);
    if (why) {
        return why;
    }
    int same = block.thread == s->summary.threads[of->thread].id && block.events == of->events &&
               block.canonical_count == of->canonical &&
               block.canonical_before == of->canonical_before;
    for (size_t i = from; i < x->group.events; i++) {
        uint64_t sequence = x->group.places[i].sequence;
        same &= sequence >= of->first && sequence <= of->last;
    }
    return same ? NULL : "the footer says that another one is there";
}

/* A fetch under way. */
typedef struct fetch {
    weft_trace_source *source;
    const weft_trace_window *windows;
    size_t count;
    size_t *next;  /* of each window: the next one of its thread */
    size_t *first; /* of each thread, and behind them of all: its first window */
    weft_trace_window_fn fn;
    void *context;
} fetch;

/* Whether a window has events of a block. */
static int wants(const weft_trace_window *w, const wtr_index_block *b)
{
    if (w->thread == WEFT_TRACE_ALL) {
        return b->last >= w->from && b->first < source_window_end(w);
    }
    return b->canonical_before + b->canonical > w->from &&
           b->canonical_before < source_window_end(w);
}

static int any_wants(const fetch *f, size_t list, const wtr_index_block *b)
{
    for (size_t i = f->first[list]; i != SIZE_MAX; i = f->next[i]) {
        if (wants(&f->windows[i], b)) {
            return 1;
        }
    }
    return 0;
}

static int give(const fetch *f, size_t window, const struct wtr_place *p)
{
    const wtr_group *g = &f->source->index->group;
    f->source->index->given = p;
    return f->fn(f->context, window, f->source->trace, (const weft_event *)&g->words[p->at],
                 p->canonical, p->hash);
}

/* Gives the events from..to of the group, which are those of a block, to the thread's windows. */
static int give_block(const fetch *f, const wtr_index_block *b, size_t from, size_t to)
{
    const wtr_group *g = &f->source->index->group;
    for (size_t w = f->first[b->thread]; w != SIZE_MAX; w = f->next[w]) {
        uint64_t next = b->canonical_before;
        for (size_t i = from; i < to && wants(&f->windows[w], b); i++) {
            const struct wtr_place *p = &g->places[i];
            next += p->canonical != UINT64_MAX;
            if (source_window_has(&f->windows[w], p->canonical, next) && !give(f, w, p)) {
                return 0;
            }
        }
    }
    return 1;
}

static int give_all(const fetch *f)
{
    const wtr_group *g = &f->source->index->group;
    for (size_t w = f->first[f->source->summary.thread_count]; w != SIZE_MAX; w = f->next[w]) {
        for (size_t i = 0; i < g->events; i++) {
            uint64_t sequence = g->places[i].sequence;
            if (source_window_has(&f->windows[w], sequence, sequence + 1) &&
                !give(f, w, &g->places[i])) {
                return 0;
            }
        }
    }
    return 1;
}

/* The blocks from..to are a group: loads those that are wanted, and gives their events. */
static int fetch_group(const fetch *f, size_t from, size_t to)
{
    weft_trace_source *s = f->source;
    wtr_group *g = &s->index->group;
    int all = 0;
    wtr_group_empty(g);
    for (size_t i = from; i < to; i++) {
        const wtr_index_block *b = &s->index->footer.blocks[i];
        int by_sequence = any_wants(f, s->summary.thread_count, b);
        int by_thread = any_wants(f, b->thread, b);
        if (by_sequence || by_thread) {
            size_t at = g->events;
            const char *why = load(s, b);
            if (why) {
                trace_fail_offset(s->trace, b->offset, "block cannot be read (%s)", why);
                return 0;
            }
            if (by_thread && !give_block(f, b, at, g->events)) {
                return 0;
            }
            all |= by_sequence;
        }
    }
    if (all && !wtr_group_sort(g)) {
        return source_fail(s, "no memory for a group");
    }
    return !all || give_all(f);
}

int source_index_fetch(weft_trace_source *s, const weft_trace_window *windows, size_t count,
                       weft_trace_window_fn fn, void *context)
{
    const wtr_footer *footer = &s->index->footer;
    size_t threads = s->summary.thread_count;
    fetch f = {.source = s, .windows = windows, .count = count, .fn = fn, .context = context};
    f.next = malloc((count + 1) * sizeof *f.next);
    f.first = malloc((threads + 1) * sizeof *f.first);
    int good = f.next && f.first;
    if (!good) {
        source_fail(s, "no memory to read stretches of it");
    }
    for (size_t i = 0; good && i <= threads; i++) {
        f.first[i] = SIZE_MAX;
    }
    for (size_t i = count; good && i-- > 0;) {
        size_t list = windows[i].thread == WEFT_TRACE_ALL ? threads : windows[i].thread;
        if (list <= threads && (list < threads || windows[i].thread == WEFT_TRACE_ALL) &&
            windows[i].count > 0) {
            f.next[i] = f.first[list];
            f.first[list] = i;
        }
    }
    for (size_t from = 0, to; good && from < footer->block_count; from = to) {
        to = from + 1;
        while (to < footer->block_count && !footer->blocks[to].begins) {
            to++;
        }
        good = fetch_group(&f, from, to);
    }
    s->index->given = NULL;
    free(f.next);
    free(f.first);
    return good;
}

const uint64_t *source_index_words(weft_trace_source *s, uint32_t *count)
{
    struct source_index *x = s->index;
    return x->given ? wtr_group_canon(&x->group, x->kinds, x->given, count) : NULL;
}

void source_index_close(weft_trace_source *s)
{
    struct source_index *x = s->index;
    if (x) {
        wtr_footer_end(&x->footer);
        wtr_bytes_free(&x->body);
        wtr_bytes_free(&x->raw);
        wtr_packer_end(&x->packer);
        wtr_group_end(&x->group);
        free(x);
        s->index = NULL;
    }
}
