/* manifest.c: see manifest.h. */
#include "manifest.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "out.h"

typedef struct enter_count {
    uint32_t tid;
    uint64_t calls;
} enter_count;

struct weft_trace_manifest {
    const weft_trace_pair *pairs;
    uint32_t pair_count;
    weft_trace_contention *entries;
    size_t count, room;
    int settled; /* 1: sorted, and without duplicates */
    uint64_t events, bad, duplicates;
    json_tree tree;
    int counting;        /* calls of RtlEnterCriticalSection */
    uint64_t enter;      /* identity of that export, 0: not seen yet */
    enter_count *enters; /* of each thread of the reference */
    size_t enter_count, enter_room, enter_last;
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

void weft_trace_manifest_count_enters(weft_trace_manifest *m)
{
    m->counting = 1;
}

/* The thread's count; threads beyond THREADS_MAX have none. NULL: none, or no memory. */
#define THREADS_MAX 4096
static enter_count *enters_of(weft_trace_manifest *m, uint32_t tid)
{
    if (m->enter_last < m->enter_count && m->enters[m->enter_last].tid == tid) {
        return &m->enters[m->enter_last];
    }
    for (size_t i = 0; i < m->enter_count; i++) {
        if (m->enters[i].tid == tid) {
            m->enter_last = i;
            return &m->enters[i];
        }
    }
    if (m->enter_count == m->enter_room && m->enter_room < THREADS_MAX) {
        size_t room = m->enter_room ? m->enter_room * 2 : 64;
        enter_count *more = realloc(m->enters, room * sizeof *more);
        m->enters = more ? more : m->enters;
        m->enter_room = more ? room : m->enter_room;
    }
    if (m->enter_count == m->enter_room) {
        return NULL;
    }
    m->enter_last = m->enter_count;
    m->enters[m->enter_count] = (enter_count){.tid = tid};
    return &m->enters[m->enter_count++];
}

static void count_enter(weft_trace_manifest *m, const weft_trace *trace, const weft_event *event,
                        uint64_t export)
{
    if (m->enter == 0) {
        const char *name = weft_trace_name(trace, export);
        m->enter = name && strstr(name, "RtlEnterCriticalSection") ? export : 0;
    }
    enter_count *count = export == m->enter ? enters_of(m, event->tid) : NULL;
    if (count) {
        count->calls++;
    }
}

/* The one that is going on. */
static uint64_t latest_enter(weft_trace_manifest *m, uint32_t tid)
{
    enter_count *count = m->counting ? enters_of(m, tid) : NULL;
    return count && count->calls > 0 ? count->calls - 1 : WEFT_TRACE_NO_ENTER;
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

static int keep(weft_trace_manifest *m, const weft_trace_contention *entry)
{
    if (m->count == m->room) {
        size_t room = m->room ? m->room * 2 : 64;
        weft_trace_contention *more = realloc(m->entries, room * sizeof *more);
        if (!more) {
            return 0;
        }
        m->entries = more;
        m->room = room;
    }
    m->entries[m->count] = *entry;
    m->entries[m->count].order = m->count;
    m->count++;
    m->settled = 0;
    return 1;
}

/* An integer, or one as hex digits with "0x" before them; `bare`: as hex digits alone. */
static int number_of(const json_node *node, int bare, uint64_t *value)
{
    if (node && node->type == JSON_NUMBER) {
        *value = node->number;
        return node->exact && !node->negative;
    }
    uint32_t skip = bare ? 0 : 2;
    if (!node || node->type != JSON_STRING || node->length <= skip || node->length > skip + 16 ||
        (!bare && memcmp(node->text, "0x", 2) != 0)) {
        return 0;
    }
    *value = 0;
    for (uint32_t i = skip; i < node->length; i++) {
        const char *digits = "0123456789abcdef0123456789ABCDEF";
        const char *digit = node->text[i] ? strchr(digits, node->text[i]) : NULL;
        if (!digit) {
            return 0;
        }
        *value = *value << 4 | (uint64_t)((digit - digits) % 16);
    }
    return 1;
}

/* Whether a line has all that an entry is made of. What the reader puts in the place of a field that
 * is not there looks like any other value. */
static int is_whole(weft_trace_manifest *m, const char *line, size_t length)
{
    const json_tree *t = &m->tree;
    const json_node *root = json_read(&m->tree, line, length);
    const json_node *payload = root ? json_get(t, root, "payload") : NULL;
    const json_node *contended = payload ? json_get(t, payload, "contended") : NULL;
    uint64_t value, pointer;
    return payload && number_of(json_get(t, root, "tid"), 0, &value) &&
           number_of(json_get(t, root, "tid_event_idx"), 0, &value) &&
           number_of(json_get(t, payload, "cs_ptr"), 0, &pointer) && pointer != 0 && contended &&
           contended->type >= JSON_FALSE && contended->type <= JSON_NUMBER &&
           (number_of(json_get(t, payload, "site"), 0, &value) ||
            number_of(json_get(t, payload, "site_sid"), 1, &value) ||
            number_of(json_get(t, payload, "site_sid"), 0, &value));
}

int weft_trace_manifest_add(weft_trace_manifest *m, const weft_trace *trace,
                            const weft_event *event)
{
    uint32_t count, tid = event->tid;
    size_t length;
    const uint64_t *words = weft_trace_words(event, &count);
    m->events++;
    if (m->counting && event->kind == WEFT_EVENT_KERNEL_CALL && count > 0) {
        count_enter(m, trace, event, words[0]);
    }
    if (event->kind != WEFT_EVENT_CONTENTION_OBSERVED) {
        return 1;
    }
    const char *line = weft_trace_line(trace, &length);
    if (count != 3 || (line && !is_whole(m, line, length))) { /* cs_ptr, contended, site */
        m->bad++;
        return 1;
    }
    if (words[1] != 1 || !rename_thread(m, &tid)) {
        return 1;
    }
    return keep(m, &(weft_trace_contention){
                       .index = event->index,
                       .site = words[2],
                       .pointer = words[0],
                       .enter = latest_enter(m, event->tid),
                       .tid = tid,
                   });
}

static int by_key(const void *a, const void *b)
{
    const weft_trace_contention *x = a, *y = b;
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
    if (m->settled) {
        return;
    }
    m->settled = 1;
    if (m->count > 0) {
        qsort(m->entries, m->count, sizeof *m->entries, by_key);
    }
    for (size_t i = 0; i < m->count; i++) {
        const weft_trace_contention *last = kept ? &m->entries[kept - 1] : NULL;
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
        if (m->entries[i].enter != WEFT_TRACE_NO_ENTER) {
            put_count(&o, ",\"enter\":", m->entries[i].enter);
        }
        out_str(&o, ",\"contended\":true}");
    }
    out_str(&o, "\n]}\n");
    int good = !o.no_memory && fwrite(o.bytes, 1, o.used, file) == o.used && fflush(file) == 0;
    out_free(&o);
    return good;
}

static weft_trace_manifest *refuse(weft_trace_manifest *m, char *why, size_t room,
                                   const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why, room, format, arguments);
    va_end(arguments);
    weft_trace_manifest_free(m);
    return NULL;
}

/* Reads one entry; NULL, or the member that cannot be used. */
static const char *read_entry(const json_tree *t, const json_node *node,
                              weft_trace_contention *entry)
{
    uint64_t tid;
    const json_node *contended = json_get(t, node, "contended");
    if (!number_of(json_get(t, node, "tid"), 0, &tid) || tid > UINT32_MAX) {
        return "tid";
    }
    entry->tid = (uint32_t)tid;
    const json_node *enter = json_get(t, node, "enter");
    entry->enter = WEFT_TRACE_NO_ENTER;
    if (enter && !number_of(enter, 0, &entry->enter)) {
        return "enter";
    }
    return !number_of(json_get(t, node, "tid_event_idx"), 0, &entry->index) ? "tid_event_idx"
           : !number_of(json_get(t, node, "site_sid"), 1, &entry->site)     ? "site_sid"
           : !number_of(json_get(t, node, "cs_ptr"), 0, &entry->pointer) || entry->pointer == 0
               ? "cs_ptr"
           : !contended || contended->type != JSON_TRUE ? "contended"
                                                        : NULL;
}

weft_trace_manifest *weft_trace_manifest_read(const char *text, size_t length, char *why,
                                              size_t room, size_t *at)
{
    weft_trace_manifest *m = weft_trace_manifest_new(NULL, 0);
    uint64_t version = 0;
    size_t number = 0;
    *at = SIZE_MAX;
    if (!m || length > WEFT_TRACE_MANIFEST_BYTES) {
        return refuse(m, why, room, "manifest is too long (found %zu bytes, expected at most %u)",
                      length, (unsigned)WEFT_TRACE_MANIFEST_BYTES);
    }
    const json_tree *t = &m->tree;
    const json_node *root = json_read(&m->tree, text, length);
    const json_node *entries = root ? json_get(t, root, "entries") : NULL;
    if (!root) {
        *at = m->tree.error_at;
        snprintf(why, room, "%s", m->tree.error);
        weft_trace_manifest_free(m);
        return NULL;
    }
    if (!number_of(json_get(t, root, "version"), 0, &version) || version != 1) {
        return refuse(m, why, room, "manifest cannot be read (found version %llu, expected 1)",
                      (unsigned long long)version);
    }
    if (!entries || entries->type != JSON_ARRAY) {
        return refuse(m, why, room, "manifest has no array of entries (expected one)");
    }
    for (const json_node *n = json_child(t, entries); n; n = json_next(t, n), number++) {
        weft_trace_contention entry = {0};
        const char *bad = read_entry(t, n, &entry);
        if (bad) {
            return refuse(m, why, room,
                          "entry %zu has no usable %s (expected what a manifest of "
                          "version 1 has)",
                          number, bad);
        }
        if (!keep(m, &entry)) {
            return refuse(m, why, room, "no memory for a manifest");
        }
    }
    settle(m);
    if (m->duplicates > 0) {
        return refuse(m, why, room,
                      "entries have the same tid and tid_event_idx (found %llu "
                      "duplicates, expected none)",
                      (unsigned long long)m->duplicates);
    }
    return m;
}

const weft_trace_contention *weft_trace_manifest_entries(weft_trace_manifest *m, size_t *count)
{
    settle(m);
    *count = m->count;
    return m->entries;
}

void weft_trace_manifest_free(weft_trace_manifest *m)
{
    if (m) {
        json_free(&m->tree);
        free(m->entries);
        free(m->enters);
        free(m);
    }
}
