/* manifest.c: see manifest.h. */
#include "manifest.h"

#include <stdlib.h>
#include <string.h>

#include "out.h"

typedef struct entry {
    uint64_t index, site, pointer;
    size_t order; /* as it came */
    uint32_t tid;
} entry;

struct weft_trace_manifest {
    const weft_trace_pair *pairs;
    uint32_t pair_count;
    entry *entries;
    size_t count, room;
    uint64_t events, bad, duplicates;
};

int weft_trace_read_pairs(const char *text, weft_trace_pair *pairs, uint32_t room)
{
    uint32_t count = 0;
    for (;;) {
        uint64_t values[2];
        for (int i = 0; i < 2; i++) {
            size_t digits = strspn(text, "0123456789");
            values[i] = digits > 0 && digits <= 10 ? strtoull(text, NULL, 10) : UINT64_MAX;
            text += digits;
            if (values[i] > UINT32_MAX || (i == 0 && *text++ != '=')) {
                return -1;
            }
        }
        if (count == room) {
            return -1;
        }
        pairs[count++] = (weft_trace_pair){(uint32_t)values[0], (uint32_t)values[1]};
        if (*text == 0) {
            return (int)count;
        }
        if (*text++ != ',') {
            return -1;
        }
    }
}

weft_trace_manifest *weft_trace_manifest_new(const weft_trace_pair *pairs, uint32_t count)
{
    weft_trace_manifest *m = calloc(1, sizeof *m);
    if (m) {
        m->pairs = pairs;
        m->pair_count = count;
    }
    return m;
}

/* The tid that stands in the manifest; 0 where the thread is left out. */
static int rename_thread(const weft_trace_manifest *m, uint32_t *tid)
{
    for (uint32_t i = 0; i < m->pair_count; i++) {
        if (m->pairs[i].reference == *tid) {
            *tid = m->pairs[i].ours;
            return 1;
        }
    }
    return m->pair_count == 0;
}

int weft_trace_manifest_add(weft_trace_manifest *m, const weft_event *event)
{
    uint32_t count, tid = event->tid;
    const uint64_t *words = weft_trace_words(event, &count);
    m->events++;
    if (event->kind != WEFT_EVENT_CONTENTION_OBSERVED) {
        return 1;
    }
    if (count != 3 || words[0] == 0) { /* cs_ptr, contended, site; a log may lack the first */
        m->bad++;
        return 1;
    }
    if (words[1] != 1 || !rename_thread(m, &tid)) {
        return 1;
    }
    if (m->count == m->room) {
        size_t room = m->room ? m->room * 2 : 64;
        entry *more = realloc(m->entries, room * sizeof *more);
        if (!more) {
            return 0;
        }
        m->entries = more;
        m->room = room;
    }
    m->entries[m->count] = (entry){.index = event->index,
                                   .site = words[2],
                                   .pointer = words[0],
                                   .order = m->count,
                                   .tid = tid};
    m->count++;
    return 1;
}

static int by_key(const void *a, const void *b)
{
    const entry *x = a, *y = b;
    if (x->tid != y->tid) {
        return x->tid < y->tid ? -1 : 1;
    }
    if (x->index != y->index) {
        return x->index < y->index ? -1 : 1;
    }
    return x->order < y->order ? -1 : x->order > y->order;
}

/* Sorts by thread and index; of several with one key the first that came stays. */
static void settle(weft_trace_manifest *m)
{
    size_t kept = 0;
    if (m->count > 0) {
        qsort(m->entries, m->count, sizeof *m->entries, by_key);
    }
    for (size_t i = 0; i < m->count; i++) {
        const entry *last = kept ? &m->entries[kept - 1] : NULL;
        if (last && last->tid == m->entries[i].tid && last->index == m->entries[i].index) {
            m->duplicates++;
        } else {
            m->entries[kept++] = m->entries[i];
        }
    }
    m->count = kept;
}

static void put_count(out *o, const char *name, uint64_t value)
{
    out_str(o, name);
    out_u64(o, value);
}

int weft_trace_manifest_write(weft_trace_manifest *m, FILE *file, const char *source,
                              const char *sha256, int64_t built_at_unix)
{
    out o = {0};
    settle(m);
    out_str(&o, "{\"version\":1,\"source_canary_jsonl\":");
    out_string(&o, source, strlen(source));
    out_str(&o, ",\"source_canary_sha256\":");
    out_string(&o, sha256, strlen(sha256));
    out_str(&o, ",\"built_at_host_unix\":");
    out_i64(&o, built_at_unix);
    put_count(&o, ",\n\"summary\":{\"total_input_events\":", m->events);
    put_count(&o, ",\"total_contention_events_kept\":", m->count);
    put_count(&o, ",\"skipped_bad_lines\":", m->bad);
    put_count(&o, ",\"skipped_duplicate_keys\":", m->duplicates);
    out_str(&o, ",\"per_tid_counts\":{");
    for (size_t i = 0, from = 0; i < m->count; i++) {
        if (i + 1 == m->count || m->entries[i + 1].tid != m->entries[i].tid) {
            put_count(&o, from ? ",\"" : "\"", m->entries[i].tid);
            put_count(&o, "\":", i + 1 - from);
            from = i + 1;
        }
    }
    out_str(&o, "}},\n\"entries\":[");
    for (size_t i = 0; i < m->count; i++) {
        put_count(&o, i ? ",\n{\"tid\":" : "\n{\"tid\":", m->entries[i].tid);
        put_count(&o, ",\"tid_event_idx\":", m->entries[i].index);
        out_str(&o, ",\"site_sid\":");
        out_id(&o, m->entries[i].site);
        out_str(&o, ",\"cs_ptr\":");
        out_hex(&o, m->entries[i].pointer, 1);
        out_str(&o, ",\"contended\":true}");
    }
    out_str(&o, "\n]}\n");
    int good = !o.no_memory && fwrite(o.bytes, 1, o.used, file) == o.used && fflush(file) == 0;
    out_free(&o);
    return good;
}

void weft_trace_manifest_free(weft_trace_manifest *m)
{
    if (m) {
        free(m->entries);
        free(m);
    }
}
