/* diff.c: see diff.h. Two passes: who is there, then the comparison, in which each thread's events
 * wait for those of its counterpart. The side that has less waiting is read on, so that traces of
 * like runs wait for little. */
#include "diff.h"

#include <stdlib.h>
#include <string.h>

#include "line.h"

#define MAX_WAITING (UINT64_C(128) << 20) /* bytes of events that may wait for their counterpart */
#define PROGRESS    65536

/* Exports whose answer is an address that the kernel chose: the n-th answer on a thread stands for
 * the n-th on the other side. */
static const char *const allocators[] = {
    "ExAllocatePool",
    "ExAllocatePoolTypeWithTag",
    "ExAllocatePoolWithTag",
    "MmAllocatePhysicalMemory",
    "MmAllocatePhysicalMemoryEx",
    "MmCreateKernelStack",
    "MmGetPhysicalAddress",
    "RtlAllocateHeap",
};

typedef struct held {
    struct held *next;
    weft_event event; /* its payload behind it */
} held;

typedef struct queue {
    held *first, **last;
} queue;

/* A thread on one side. */
typedef struct party {
    uint64_t id, total;
    uint32_t tid;
    uint64_t first_call; /* hash of the first export's name */
    size_t pair;         /* where it is compared; SIZE_MAX: not yet known */
} party;

/* Something counted by identity. */
typedef struct tally {
    uint64_t id, times;
    const char *what;
    char *name;
} tally;

typedef struct table { /* open addressing over the list's numbers */
    uint32_t *places;
    size_t room;
} table;

typedef struct side {
    const char *path;
    weft_trace *trace;
    weft_trace_begin begin;
    party *parties;
    size_t party_count;
    table party_table;
    tally *tallies;
    size_t tally_count;
    table tally_table;
    uint64_t waiting;
    int foreign, ended;
} side;

typedef struct work {
    weft_trace_diff *diff;
    side sides[2];
    int foreign; /* one of them is */
    queue (*queues)[2];
    held *(*before)[DIFF_BEFORE];
    line_table lines;
    struct twin { /* addresses that stand for each other */
        uint64_t of[2];
    } * twins;
    size_t twin_count, twin_room;
    int no_memory;
} work;

static void *grown(work *w, void *list, size_t count, size_t size)
{
    if (count & (count - 1)) {
        return list; /* not a power of two: there is room */
    }
    void *more = realloc(list, (count ? count * 2 : 1) * size);
    w->no_memory |= !more;
    return more;
}

/* The place of an identity in a table over a list whose elements begin with it. */
static uint32_t *find(work *w, table *t, const void *list, size_t size, size_t count, uint64_t id)
{
    if (count * 2 >= t->room) {
        size_t room = t->room ? t->room * 2 : 64;
        uint32_t *places = calloc(room, sizeof *places);
        if (!places) {
            w->no_memory = 1;
            return NULL;
        }
        free(t->places);
        *t = (table){places, room};
        for (size_t i = 0; i < count; i++) {
            uint64_t key = *(const uint64_t *)((const char *)list + i * size);
            *find(w, t, list, size, 0, key) = (uint32_t)(i + 1);
        }
    }
    size_t at = (size_t)(id * UINT64_C(0x9e3779b97f4a7c15) >> 32);
    while (t->places[at &= t->room - 1] &&
           *(const uint64_t *)((const char *)list + (t->places[at] - 1) * size) != id) {
        at++;
    }
    return &t->places[at];
}

static party *party_of(work *w, side *s, uint64_t id)
{
    uint32_t *place = find(w, &s->party_table, s->parties, sizeof *s->parties, s->party_count, id);
    if (place && !*place) {
        party *more = grown(w, s->parties, s->party_count, sizeof *s->parties);
        if (!more) {
            return NULL;
        }
        s->parties = more;
        s->parties[s->party_count++] = (party){.id = id, .pair = SIZE_MAX};
        *place = (uint32_t)s->party_count;
    }
    return place ? &s->parties[*place - 1] : NULL;
}

static void count_thing(work *w, side *s, const char *what, uint64_t id, const char *name,
                        size_t length)
{
    uint64_t key = id ^ (uint64_t)(unsigned char)what[0] << 56;
    uint32_t *place = find(w, &s->tally_table, s->tallies, sizeof *s->tallies, s->tally_count, key);
    if (place && !*place) {
        tally *more = grown(w, s->tallies, s->tally_count, sizeof *s->tallies);
        char *copy = strndup(name, length);
        if (!more || !copy) {
            free(copy);
            w->no_memory = 1;
            return;
        }
        s->tallies = more;
        s->tallies[s->tally_count++] = (tally){.id = key, .what = what, .name = copy};
        *place = (uint32_t)s->tally_count;
    }
    if (place) {
        s->tallies[*place - 1].times++;
    }
}

/* The export's name within "module!name(...)#n", or the whole text. */
static const char *export_name(const weft_trace *t, uint64_t id, size_t *length)
{
    const char *text = weft_trace_name(t, id);
    const char *bang = text ? strchr(text, '!') : NULL;
    text = bang ? bang + 1 : text ? text : "";
    *length = strcspn(text, "(");
    return text;
}

static uint64_t word(const weft_event *event, uint32_t n)
{
    uint32_t count;
    const uint64_t *words = weft_trace_words(event, &count);
    return n < count ? words[n] : 0;
}

/* Whether an event is compared at all. */
static int counts(const work *w, const weft_event *event)
{
    if (event->category != WEFT_CLASS_GUEST) {
        return 0;
    }
    return !w->foreign || (event->kind != 0 && event->kind != WEFT_EVENT_CONTENTION_OBSERVED &&
                           event->kind != WEFT_EVENT_SIGNAL_MATCH);
}

static int fail(work *w, int n)
{
    const char *where, *why = weft_trace_failed(w->sides[n].trace, &where);
    if (w->no_memory) {
        where = w->sides[n].path;
        why = "no memory for the comparison";
    }
    if (why && !w->diff->error[0]) {
        snprintf(w->diff->where, sizeof w->diff->where, "%s", where);
        snprintf(w->diff->error, sizeof w->diff->error, "%s", why);
    }
    return why != NULL;
}

static void open_side(work *w, int n)
{
    side *s = &w->sides[n];
    weft_trace_close(s->trace);
    s->trace = weft_trace_open(s->path);
    w->no_memory |= !s->trace;
    s->ended = 0;
    if (s->trace) {
        s->foreign = weft_trace_info_of(s->trace)->foreign;
        w->foreign |= s->foreign;
        s->begin =
            (weft_trace_begin){.engine = "weft", .name = weft_trace_name_of, .names = s->trace};
    }
}

/* First pass: threads, exports and signals of one side. */
static void survey(work *w, int n, void (*progress)(uint64_t))
{
    side *s = &w->sides[n];
    const weft_event *event;
    uint64_t events = 0;
    while (!w->no_memory && (event = weft_trace_next(s->trace)) != NULL) {
        size_t length;
        if (++events % PROGRESS == 0 && progress) {
            progress(events);
        }
        if (event->kind == WEFT_EVENT_IMPORT_CALL) {
            const char *name = export_name(s->trace, word(event, 0), &length);
            count_thing(w, s, "export", weft_fnv1a(name, length), name, length);
        } else if (event->kind == WEFT_EVENT_SIGNAL_MATCH && !w->foreign) {
            const char *name = weft_trace_name(s->trace, word(event, 0));
            name = name ? name : "an object without a text";
            count_thing(w, s, "signal", word(event, 0), name, strlen(name));
        }
        if (!counts(w, event)) {
            continue;
        }
        party *p = party_of(w, s, event->thread);
        if (p) {
            p->total++;
            p->tid = event->tid;
            if (event->kind == WEFT_EVENT_KERNEL_CALL && !p->first_call) {
                const char *name = export_name(s->trace, word(event, 0), &length);
                p->first_call = weft_fnv1a(name, length);
            }
        }
    }
}

static void add_pair(work *w, party *a, party *b)
{
    weft_trace_diff *d = w->diff;
    weft_trace_diff_pair *more = grown(w, d->pairs, d->pair_count, sizeof *d->pairs);
    party *both[2] = {a, b};
    if (!more) {
        return;
    }
    d->pairs = more;
    weft_trace_diff_pair *p = &d->pairs[d->pair_count];
    *p = (weft_trace_diff_pair){.field = ""};
    for (int n = 0; n < 2; n++) {
        if (both[n]) {
            const char *name = weft_trace_name(w->sides[n].trace, both[n]->id);
            p->threads[n] = both[n]->id;
            p->tids[n] = both[n]->tid;
            p->totals[n] = both[n]->total;
            p->present[n] = 1;
            p->names[n] = name ? strdup(name) : NULL;
            both[n]->pair = d->pair_count;
        }
    }
    d->divergent |= !a || !b;
    d->pair_count++;
}

static int mapped(const weft_trace_pair *map, uint32_t count, const party *a, const party *b)
{
    for (uint32_t i = 0; i < count; i++) {
        if (map[i].reference == a->tid && map[i].ours == b->tid) {
            return 1;
        }
    }
    return 0;
}

static int in_map(const weft_trace_pair *map, uint32_t count, const party *p, int n)
{
    for (uint32_t i = 0; i < count; i++) {
        if ((n ? map[i].ours : map[i].reference) == p->tid) {
            return 1;
        }
    }
    return 0;
}

/* Pairs the threads: by the map; else by identity, or by the first export called where the engines
 * differ. The machine's own sources are identity 0. */
static void pair_threads(work *w, const weft_trace_pair *map, uint32_t count)
{
    side *s = w->sides;
    for (size_t i = 0; i < s[0].party_count; i++) {
        party *a = &s[0].parties[i], *match = NULL;
        int named = in_map(map, count, a, 0);
        for (size_t j = 0; j < s[1].party_count && !match; j++) {
            party *b = &s[1].parties[j];
            int alike =
                w->foreign ? a->first_call && a->first_call == b->first_call : a->id == b->id;
            if (b->pair == SIZE_MAX &&
                (named ? mapped(map, count, a, b) : alike && !in_map(map, count, b, 1))) {
                match = b;
            }
        }
        if (match || !w->foreign || a->first_call || named) {
            add_pair(w, a, match);
        }
    }
    for (size_t j = 0; j < s[1].party_count; j++) {
        party *b = &s[1].parties[j];
        if (b->pair == SIZE_MAX && (!w->foreign || b->first_call)) {
            add_pair(w, NULL, b);
        }
    }
}

/* What only one side has. */
static void list_missing(work *w)
{
    weft_trace_diff *d = w->diff;
    for (int n = 0; n < 2; n++) {
        side *s = &w->sides[n], *o = &w->sides[!n];
        for (size_t i = 0; i < s->tally_count && !w->no_memory; i++) {
            uint32_t *place = find(w, &o->tally_table, o->tallies, sizeof *o->tallies,
                                   o->tally_count, s->tallies[i].id);
            if (!place || *place) {
                continue;
            }
            weft_trace_diff_missing *more =
                grown(w, d->missing, d->missing_count, sizeof *d->missing);
            if (more) {
                d->missing = more;
                d->missing[d->missing_count++] =
                    (weft_trace_diff_missing){.side = n,
                                              .what = s->tallies[i].what,
                                              .name = s->tallies[i].name,
                                              .times = s->tallies[i].times};
                s->tallies[i].name = NULL;
            }
        }
    }
}

/* Two addresses count as equal if they are, or if they came from the same allocation. */
static int same_address(const work *w, uint64_t a, uint64_t b)
{
    if (a == b) {
        return 1;
    }
    for (size_t i = w->twin_count; i-- > 0 && w->twin_count - i <= 4096;) {
        if (w->twins[i].of[0] == a) {
            return w->twins[i].of[1] == b; /* the latest: addresses are given out again */
        }
    }
    return 0;
}

static void learn_address(work *w, uint64_t a, uint64_t b)
{
    if (a != b) {
        struct twin *more = grown(w, w->twins, w->twin_count, sizeof *w->twins);
        if (more) {
            w->twins = more;
            w->twins[w->twin_count++] = (struct twin){{a, b}};
        }
    }
}

static int is_allocator(const work *w, const weft_event *event)
{
    size_t length;
    const char *name = export_name(w->sides[0].trace, word(event, 0), &length);
    for (size_t i = 0; i < sizeof allocators / sizeof allocators[0]; i++) {
        if (strlen(allocators[i]) == length && memcmp(allocators[i], name, length) == 0) {
            return 1;
        }
    }
    return 0;
}

static int same_export(const work *w, uint64_t a, uint64_t b)
{
    size_t la, lb;
    if (!w->foreign) {
        return a == b;
    }
    const char *na = export_name(w->sides[0].trace, a, &la);
    const char *nb = export_name(w->sides[1].trace, b, &lb);
    return la == lb && memcmp(na, nb, la) == 0;
}

/* Fields that are never compared, and those that another engine's lines lack or fill otherwise. */
static int skipped(const work *w, const char *name)
{
    static const char never[] =
        " raw_handle_id wait_ticks woken_by_semantic_id parent_tid child_tid ";
    static const char other[] = " caller handle_semantic_id handles_semantic_ids child alertable "
                                "stack_size affinity suspended site object hash ";
    char key[64];
    snprintf(key, sizeof key, " %.*s ", (int)strcspn(name, ":"), name);
    return strstr(never, key) || (w->foreign && strstr(other, key));
}

/* NULL where the events count as equal, else the name of the first field that differs. */
static const char *compare(work *w, const weft_event *a, const weft_event *b)
{
    uint32_t counts_[2], at[2] = {0, 0};
    const uint64_t *words[2] = {weft_trace_words(a, &counts_[0]), weft_trace_words(b, &counts_[1])};
    int returns = a->kind == WEFT_EVENT_KERNEL_RETURN || a->kind == WEFT_EVENT_KERNEL_RETURN_VOID;
    int other = b->kind == WEFT_EVENT_KERNEL_RETURN || b->kind == WEFT_EVENT_KERNEL_RETURN_VOID;
    if (a->kind != b->kind) {
        /* What r3 holds behind a void export is nobody's answer. */
        return w->foreign && returns && other && same_export(w, word(a, 0), word(b, 0)) ? NULL
                                                                                        : "kind";
    }
    const line_kind *kind = a->kind < WEFT_EVENT_KIND_END ? &w->lines.kinds[a->kind] : NULL;
    for (uint32_t i = 0; kind && kind->row && i < kind->count; i++) {
        const char *name = kind->fields[i].name;
        uint64_t count[2];
        for (int n = 0; n < 2; n++) {
            uint64_t value = at[n] < counts_[n] ? words[n][at[n]] : 0;
            count[n] = kind->fields[i].type == 's'           ? (value + 7) / 8
                       : strchr("UXDP", kind->fields[i].type) ? value
                                                             : 0;
            if (at[n] >= counts_[n] || count[n] > counts_[n] - at[n] - 1) {
                return "payload";
            }
        }
        const uint64_t *x = words[0] + at[0], *y = words[1] + at[1];
        at[0] += 1 + (uint32_t)count[0];
        at[1] += 1 + (uint32_t)count[1];
        if (skipped(w, name)) {
            continue;
        }
        if (strncmp(name, "export:", 7) == 0) {
            if (!same_export(w, *x, *y)) {
                return name;
            }
        } else if (strncmp(name, "ctx_ptr:", 8) == 0 ||
                   (strncmp(name, "return_value:", 13) == 0 && is_allocator(w, a))) {
            learn_address(w, *x, *y);
        } else if (kind->fields[i].type == 'X') {
            for (uint64_t k = 1; *x == *y && k <= count[0]; k++) {
                if (!same_address(w, x[k], y[k])) {
                    return name;
                }
            }
            if (*x != *y) {
                return name;
            }
        } else if (count[0] != count[1] || memcmp(x, y, (count[0] + 1) * 8) != 0) {
            return name;
        }
    }
    return NULL;
}

static char *text_of(work *w, int n, const weft_event *event)
{
    char head[96], room[16];
    line_context context = {.table = &w->lines, .begin = &w->sides[n].begin};
    out o = {0};
    snprintf(head, sizeof head, "%llu %llu ", (unsigned long long)event->sequence,
             (unsigned long long)event->index);
    out_str(&o, head);
    out_str(&o, weft_trace_kind(w->sides[n].trace, event, room));
    out_str(&o, " {");
    line_payload(&o, &context, event);
    out_raw(&o, "}", 2); /* with its NUL */
    return o.bytes;
}

static held *pop(work *w, size_t pair, int n)
{
    queue *q = &w->queues[pair][n];
    held *h = q->first;
    if (h) {
        q->first = h->next;
        if (!q->first) {
            q->last = &q->first;
        }
        w->sides[n].waiting -= sizeof *h + h->event.size;
    }
    return h;
}

static void keep_before(work *w, size_t pair, held *h)
{
    held **ring = w->before[pair];
    free(ring[0]);
    memmove(ring, ring + 1, (DIFF_BEFORE - 1) * sizeof *ring);
    ring[DIFF_BEFORE - 1] = h;
}

static void diverge(work *w, size_t pair, held *a, held *b, const char *field)
{
    weft_trace_diff_pair *p = &w->diff->pairs[pair];
    held *both[2] = {a, b};
    p->diverged = 1;
    p->field = field;
    w->diff->divergent = 1;
    for (int i = 0; i < DIFF_BEFORE; i++) {
        p->before[i] = w->before[pair][i] ? text_of(w, 0, &w->before[pair][i]->event) : NULL;
    }
    for (int n = 0; n < 2; n++) {
        p->at[n] = both[n] ? text_of(w, n, &both[n]->event) : NULL;
        held *next = pop(w, pair, n);
        p->next[n] = next ? text_of(w, n, &next->event) : NULL;
        free(next);
        for (held *h; (h = pop(w, pair, n)) != NULL;) {
            free(h);
        }
    }
}

/* Takes what has arrived on both sides. */
static void advance(work *w, size_t pair)
{
    weft_trace_diff_pair *p = &w->diff->pairs[pair];
    while (!p->diverged && w->queues[pair][0].first && w->queues[pair][1].first) {
        held *a = pop(w, pair, 0), *b = pop(w, pair, 1);
        const char *field = compare(w, &a->event, &b->event);
        if (field) {
            diverge(w, pair, a, b, field);
            free(a);
        } else {
            p->matched++;
            keep_before(w, pair, a);
        }
        free(b);
    }
}

/* Queues one event of a side. The event behind a divergence is still wanted. */
static void arrive(work *w, int n, const weft_event *event)
{
    party *p = counts(w, event) ? party_of(w, &w->sides[n], event->thread) : NULL;
    if (!p || p->pair == SIZE_MAX) {
        return;
    }
    weft_trace_diff_pair *pair = &w->diff->pairs[p->pair];
    if (pair->diverged) {
        if (pair->at[n] && !pair->next[n]) {
            pair->next[n] = text_of(w, n, event);
        }
        return;
    }
    if (!pair->present[!n]) {
        return;
    }
    held *h = malloc(sizeof *h - sizeof h->event + event->size);
    if (!h) {
        w->no_memory = 1;
        return;
    }
    h->next = NULL;
    memcpy(&h->event, event, event->size);
    queue *q = &w->queues[p->pair][n];
    *q->last = h;
    q->last = &h->next;
    w->sides[n].waiting += sizeof *h + h->event.size;
    advance(w, p->pair);
}

static int compare_all(work *w, void (*progress)(uint64_t))
{
    uint64_t events = 0;
    while (!w->sides[0].ended || !w->sides[1].ended) {
        side *s = w->sides;
        int n = s[0].ended ? 1 : s[1].ended ? 0 : s[0].waiting > s[1].waiting;
        const weft_event *event = weft_trace_next(s[n].trace);
        if (!event) {
            s[n].ended = 1;
            if (fail(w, n)) {
                return 0;
            }
            continue;
        }
        arrive(w, n, event);
        if (++events % PROGRESS == 0 && progress) {
            progress(events);
        }
        if (w->no_memory || s[0].waiting + s[1].waiting > MAX_WAITING) {
            snprintf(w->diff->where, sizeof w->diff->where, "%s", s[n].path);
            snprintf(w->diff->error, sizeof w->diff->error,
                     "threads run too far apart to be compared (found over %llu MiB of events that "
                     "wait for their counterpart)",
                     (unsigned long long)(MAX_WAITING >> 20));
            return 0;
        }
    }
    for (size_t i = 0; i < w->diff->pair_count; i++) { /* one side ended first */
        weft_trace_diff_pair *p = &w->diff->pairs[i];
        held *a = p->diverged ? NULL : pop(w, i, 0), *b = p->diverged ? NULL : pop(w, i, 1);
        if (a || b) {
            diverge(w, i, a, b, "end");
        }
        free(a);
        free(b);
    }
    return 1;
}

static void end_work(work *w)
{
    for (size_t i = 0; i < w->diff->pair_count && w->queues && w->before; i++) {
        for (int n = 0; n < 2; n++) {
            for (held *h; (h = pop(w, i, n)) != NULL;) {
                free(h);
            }
        }
        for (int k = 0; k < DIFF_BEFORE; k++) {
            free(w->before[i][k]);
        }
    }
    for (int n = 0; n < 2; n++) {
        side *s = &w->sides[n];
        for (size_t i = 0; i < s->tally_count; i++) {
            free(s->tallies[i].name);
        }
        free(s->tallies);
        free(s->parties);
        free(s->party_table.places);
        free(s->tally_table.places);
        weft_trace_close(s->trace);
    }
    free(w->queues);
    free(w->before);
    free(w->twins);
    free(w);
}

int weft_trace_diff_run(weft_trace_diff *diff, const char *const paths[2],
                        const weft_trace_pair *map, uint32_t map_count,
                        void (*progress)(uint64_t events))
{
    work *w = calloc(1, sizeof *w);
    memset(diff, 0, sizeof *diff);
    if (!w) {
        snprintf(diff->error, sizeof diff->error, "no memory for the comparison");
        return 0;
    }
    w->diff = diff;
    line_table_init(&w->lines);
    int good = 1;
    for (int n = 0; n < 2; n++) {
        w->sides[n].path = paths[n];
        open_side(w, n);
    }
    for (int n = 0; n < 2 && good; n++) {
        survey(w, n, progress);
        good = !fail(w, n);
    }
    if (good) {
        pair_threads(w, map, map_count);
        list_missing(w);
        w->queues = calloc(diff->pair_count + 1, sizeof *w->queues);
        w->before = calloc(diff->pair_count + 1, sizeof *w->before);
        w->no_memory |= !w->queues || !w->before;
        for (size_t i = 0; i < diff->pair_count && w->queues; i++) {
            w->queues[i][0].last = &w->queues[i][0].first;
            w->queues[i][1].last = &w->queues[i][1].first;
        }
        open_side(w, 0);
        open_side(w, 1);
        good = !fail(w, 0) && compare_all(w, progress);
    }
    end_work(w);
    return good;
}

void weft_trace_diff_free(weft_trace_diff *diff)
{
    for (size_t i = 0; i < diff->pair_count; i++) {
        weft_trace_diff_pair *p = &diff->pairs[i];
        for (int k = 0; k < DIFF_BEFORE; k++) {
            free(p->before[k]);
        }
        for (int n = 0; n < 2; n++) {
            free(p->names[n]);
            free(p->at[n]);
            free(p->next[n]);
        }
    }
    for (size_t i = 0; i < diff->missing_count; i++) {
        free(diff->missing[i].name);
    }
    free(diff->pairs);
    free(diff->missing);
    memset(diff, 0, sizeof *diff);
}
