/* cone.c: what other threads did that a divergence may come from: the last edges between threads that
 * lead into it, and into those edges' origins in turn.
 *
 * An edge says that one event had to come before another of another thread: a wake before the end of
 * the wait, a creation before the first event, a release before the acquisition, a completed operation
 * before the wait for it ends. Edges are found in a bounded stretch of the trace, forwards; the cone is
 * gathered backwards: an edge belongs to it if its end is not behind what is known of that thread. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "diff_parts.h"

#define ARENA_WORDS (UINT64_C(3) << 20) /* of the events kept: 24 MiB a side */
#define DEPTH       8                   /* calls within calls (an APC within a wait) */

enum { NO_ROLE, ACQUIRES, TRIES, WAITS, RELEASES };

/* Exports that take or give their first argument. Of those that try, an answer other than 0 is a
 * success; of waits it is 0. */
static const struct {
    const char *name;
    uint64_t role;
} roles[] = {
    {"RtlEnterCriticalSection", ACQUIRES},
    {"RtlTryEnterCriticalSection", TRIES},
    {"RtlLeaveCriticalSection", RELEASES},
    {"KeAcquireSpinLockAtRaisedIrql", ACQUIRES},
    {"KfAcquireSpinLock", ACQUIRES},
    {"KeTryToAcquireSpinLockAtRaisedIrql", TRIES},
    {"KeReleaseSpinLockFromRaisedIrql", RELEASES},
    {"KfReleaseSpinLock", RELEASES},
    {"ExAcquireReadWriteLockExclusive", ACQUIRES},
    {"ExAcquireReadWriteLockShared", ACQUIRES},
    {"ExReleaseReadWriteLock", RELEASES},
    {"KeWaitForSingleObject", WAITS},
    {"NtWaitForSingleObjectEx", WAITS},
    {"KeReleaseMutant", RELEASES},
    {"NtReleaseMutant", RELEASES},
    {"KeReleaseSemaphore", RELEASES},
    {"NtReleaseSemaphore", RELEASES},
    {"KeSetEvent", RELEASES},
    {"NtSetEvent", RELEASES},
    {"KePulseEvent", RELEASES},
    {"NtPulseEvent", RELEASES},
};

typedef struct cone_event {
    size_t at;       /* in the arena, in words */
    uint64_t number; /* canonical events of its thread before it; UINT64_MAX: not known */
    uint64_t sequence;
    uint32_t thread; /* in `threads` */
} cone_event;

typedef struct cone_thread {
    uint64_t id, number;      /* canonical events so far; UINT64_MAX: none was seen */
    uint32_t wake, start, io; /* events that its next fitting one comes from, from 1 */
    struct {
        uint64_t role, key;
    } calls[DEPTH];
    uint32_t depth;   /* of all calls, those beyond DEPTH too */
    int woken;        /* 1: a wake has ended the wait of the current call */
    uint32_t horizon; /* latest event of the cone, from 1 */
} cone_thread;

typedef struct edge {
    uint32_t from, to;
    const char *what;
} edge;

typedef struct gathering {
    diff_work *w;
    int side, no_memory;
    uint64_t *arena;
    size_t used, room;
    cone_event *events;
    size_t count, event_room;
    size_t dropped;
    cone_thread *threads;
    size_t thread_count;
    live_map places;   /* of threads by identity */
    live_map exports;  /* roles by identity */
    live_map releases; /* latest release by key: event, from 1 */
    edge *edges;
    size_t edge_count;
} gathering;

/* Forgets the older half of what is kept. */
static void drop_half(gathering *g)
{
    size_t half = g->count / 2, words = g->events[half].at;
    memmove(g->arena, g->arena + words, (g->used - words) * sizeof *g->arena);
    memmove(g->events, g->events + half, (g->count - half) * sizeof *g->events);
    g->count -= half;
    g->used -= words;
    g->dropped += half;
    for (size_t i = 0; i < g->count; i++) {
        g->events[i].at -= words;
    }
}

static uint32_t thread_of(gathering *g, uint64_t id)
{
    uint64_t *place = live_map_find(&g->places, id);
    if (place) {
        return (uint32_t)place[0];
    }
    cone_thread *more = diff_grown(&g->no_memory, g->threads, g->thread_count, sizeof *more);
    if (!more || !live_map_put(&g->places, id, (const uint64_t[]){g->thread_count, 0})) {
        g->threads = more ? more : g->threads;
        g->no_memory = 1;
        return UINT32_MAX;
    }
    g->threads = more;
    g->threads[g->thread_count] = (cone_thread){.id = id, .number = UINT64_MAX};
    return (uint32_t)g->thread_count++;
}

static int take_event(void *context, size_t window, const weft_trace *trace,
                      const weft_event *event, uint64_t canonical, uint64_t hash)
{
    gathering *g = context;
    size_t words = event->size / 8;
    if (g->used + words > ARENA_WORDS && g->count > 1) {
        drop_half(g);
    }
    if (g->used + words > g->room) {
        size_t room = (g->used + words) * 2;
        uint64_t *more = realloc(g->arena, room * sizeof *more);
        g->no_memory |= !more;
        g->arena = more ? more : g->arena;
        g->room = more ? room : g->room;
    }
    if (g->count == g->event_room) {
        size_t room = g->event_room ? g->event_room * 2 : 1024;
        cone_event *more = realloc(g->events, room * sizeof *more);
        g->no_memory |= !more;
        g->events = more ? more : g->events;
        g->event_room = more ? room : g->event_room;
    }
    uint32_t thread = thread_of(g, event->thread);
    if (g->no_memory) {
        return 0;
    }
    cone_thread *t = &g->threads[thread];
    cone_event *e = &g->events[g->count++];
    *e = (cone_event){.at = g->used, .sequence = event->sequence, .thread = thread};
    e->number = canonical != UINT64_MAX ? canonical : t->number;
    t->number = canonical != UINT64_MAX ? canonical + 1 : t->number;
    memcpy(g->arena + g->used, event, event->size);
    g->used += words;
    return 1;
}

static const weft_event *event_of(const gathering *g, size_t n)
{
    return (const weft_event *)(g->arena + g->events[n].at);
}

/* Events before their thread's first canonical one get its number too. */
static void number_the_first(gathering *g)
{
    for (size_t i = 0; i < g->thread_count; i++) {
        g->threads[i].number = UINT64_MAX;
    }
    for (size_t i = g->count; i-- > 0;) {
        uint64_t *number = &g->threads[g->events[i].thread].number;
        if (g->events[i].number == UINT64_MAX) {
            g->events[i].number = *number;
        }
        *number = g->events[i].number;
    }
}

static uint64_t role_of(gathering *g, const weft_event *event)
{
    uint64_t id = ((const uint64_t *)(event + 1))[0], *known = live_map_find(&g->exports, id);
    size_t length;
    if (known) {
        return known[0];
    }
    uint64_t role = NO_ROLE;
    const char *name = diff_export_name(g->w, g->side, event, &length);
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++) {
        if (strlen(roles[i].name) == length && memcmp(roles[i].name, name, length) == 0) {
            role = roles[i].role;
        }
    }
    g->no_memory |= !live_map_put(&g->exports, id, (const uint64_t[]){role, 0});
    return role;
}

static void add_edge(gathering *g, uint32_t from, size_t to, const char *what)
{
    if (from == 0 || g->events[from - 1].thread == g->events[to].thread) {
        return;
    }
    edge *more = diff_grown(&g->no_memory, g->edges, g->edge_count, sizeof *more);
    g->no_memory |= !more;
    if (more) {
        g->edges = more;
        g->edges[g->edge_count++] = (edge){.from = from - 1, .to = (uint32_t)to, .what = what};
    }
}

/* The thread that a word identifies; one that is not in the stretch is of no interest. */
static cone_thread *known_thread(const gathering *g, uint64_t id)
{
    const uint64_t *place = live_map_find(&g->places, id);
    return place ? &g->threads[place[0]] : NULL;
}

/* wake.requested of another engine has a thread id alone. */
static uint64_t woken_by_tid(uint64_t tid)
{
    char text[32];
    int length = snprintf(text, sizeof text, "tid:%" PRIu64, tid);
    return weft_fnv1a(text, (size_t)length);
}

static void call(gathering *g, cone_thread *t, size_t n, const weft_event *event)
{
    uint32_t count;
    const uint64_t *words = weft_trace_words(event, &count);
    uint64_t role = count > 2 && words[1] > 0 ? role_of(g, event) : NO_ROLE;
    if (t->depth < DEPTH) {
        t->calls[t->depth].role = role;
        t->calls[t->depth].key = role ? words[2] : 0;
    }
    t->depth++;
    t->woken = 0;
    if (role == RELEASES) {
        g->no_memory |= !live_map_put(&g->releases, words[2], (const uint64_t[]){n + 1, 0});
    }
}

static void call_ends(gathering *g, cone_thread *t, size_t n, const weft_event *event)
{
    uint32_t count;
    const uint64_t *words = weft_trace_words(event, &count);
    if (t->depth == 0 || --t->depth >= DEPTH) {
        return; /* its call lies before the stretch */
    }
    uint64_t role = t->calls[t->depth].role, value = count > 1 ? (uint32_t)words[1] : 0;
    if (role == ACQUIRES || (role == TRIES && value != 0) || (role == WAITS && value == 0)) {
        uint64_t *release = live_map_find(&g->releases, t->calls[t->depth].key);
        uint64_t taker = g->events[n].thread + UINT64_C(1);
        /* Once for each taker, which may enter again; and not where the wake has said it. */
        if (release && release[1] != taker && !t->woken) {
            add_edge(g, (uint32_t)release[0], n, "release");
        }
        if (release) {
            release[1] = taker;
        }
    }
}

static void find_edges(gathering *g)
{
    for (size_t n = 0; n < g->count && !g->no_memory; n++) {
        const weft_event *event = event_of(g, n);
        uint32_t count;
        const uint64_t *words = weft_trace_words(event, &count);
        cone_thread *t = &g->threads[g->events[n].thread], *other = NULL;
        uint32_t place = (uint32_t)n + 1;
        if (t->start) {
            add_edge(g, t->start, n, "start");
            t->start = 0;
        }
        switch (event->kind) {
        case WEFT_EVENT_WAKE_REQUESTED: /* target, handle, transitioned, new_state, target_tid */
            other = count > 0 && words[0] ? known_thread(g, words[0])
                    : count > 4           ? known_thread(g, woken_by_tid(words[4]))
                                          : NULL;
            if (other) {
                other->wake = place;
            }
            break;
        case WEFT_EVENT_SIGNAL_MATCH: /* object, woken */
            other = count > 1 ? known_thread(g, words[1]) : NULL;
            if (other) {
                other->wake = place;
            }
            break;
        case WEFT_EVENT_THREAD_CREATE: /* child */
        case WEFT_EVENT_THREAD_RESUME: /* target */
            other = count > 0 ? known_thread(g, words[0]) : NULL;
            if (other && (event->kind == WEFT_EVENT_THREAD_CREATE || words[count - 1] > 0)) {
                other->start = place;
            }
            break;
        case WEFT_EVENT_IO_COMPLETE: /* object, requester */
            other = count > 1 ? known_thread(g, words[1]) : NULL;
            if (other) {
                other->io = place;
            }
            break;
        case WEFT_EVENT_WAIT_END:
            add_edge(g, t->wake, n, "wake");
            t->woken = t->wake != 0;
            if (!t->wake) {
                add_edge(g, t->io, n, "io");
            }
            t->wake = t->io = 0;
            break;
        case WEFT_EVENT_APC_DELIVER:
            add_edge(g, t->io, n, "io");
            t->io = 0;
            break;
        case WEFT_EVENT_KERNEL_CALL:
            call(g, t, n, event);
            break;
        case WEFT_EVENT_KERNEL_RETURN:
        case WEFT_EVENT_KERNEL_RETURN_VOID:
            call_ends(g, t, n, event);
            break;
        default:
            break;
        }
    }
}

/* What both sides know of an edge: its kind, the pairs, and where in them it begins and ends. */
static uint64_t edge_key(const gathering *g, const edge *e)
{
    const diff_side *s = &g->w->sides[g->side];
    uint32_t ends[2] = {e->from, e->to};
    uint64_t words[5] = {weft_fnv1a(e->what, strlen(e->what)), 0, 0, 0, 0};
    for (int i = 0; i < 2; i++) {
        const cone_event *event = &g->events[ends[i]];
        uint64_t id = g->threads[event->thread].id;
        const uint64_t *pair = live_map_find(&s->known, id);
        words[1 + 2 * i] = pair ? pair[0] : id;
        words[2 + 2 * i] = event->number;
    }
    return weft_fnv1a(words, sizeof words);
}

static void keep_edge(gathering *g, const edge *e, weft_diff_cone *cone)
{
    uint32_t ends[2] = {e->from, e->to};
    weft_diff_edge *to = &cone->edges[cone->count++];
    *to = (weft_diff_edge){.what = e->what};
    for (int i = 0; i < 2; i++) {
        const cone_event *event = &g->events[ends[i]];
        const weft_event *full = event_of(g, ends[i]);
        const char *name =
            weft_trace_source_name(g->w->sides[g->side].source, g->threads[event->thread].id);
        to->threads[i] = g->threads[event->thread].id;
        to->tids[i] = full->tid;
        to->numbers[i] = event->number;
        to->names[i] = name ? strdup(name) : NULL;
        g->no_memory |= name && !to->names[i];
        diff_show(g->w, g->side,
                  &(diff_kept){.event = (weft_event *)(uintptr_t)full, .canonical = event->number},
                  &to->events[i]);
    }
}

/* The edges that lead into the latest event of a thread, nearest first. `other` holds the keys of the
 * other side's edges. */
static void gather_cone(gathering *g, uint64_t thread, const live_map *other, weft_diff_cone *cone)
{
    cone_thread *t = known_thread(g, thread);
    cone->edges = calloc(DIFF_EDGES, sizeof *cone->edges);
    if (!cone->edges) {
        g->no_memory = 1;
        return;
    }
    cone->present = 1;
    cone->looked_at = g->count;
    cone->whole = g->dropped == 0 && g->count > 0 &&
                  g->events[0].sequence == g->w->sides[g->side].sum->info.first;
    if (t) {
        t->horizon = (uint32_t)g->count;
    }
    for (size_t i = g->edge_count; i-- > 0;) {
        const edge *e = &g->edges[i];
        if (e->to >= g->threads[g->events[e->to].thread].horizon) {
            continue;
        }
        uint32_t *horizon = &g->threads[g->events[e->from].thread].horizon;
        *horizon = *horizon > e->from + 1 ? *horizon : e->from + 1;
        if (cone->count == DIFF_EDGES) {
            cone->more++;
            continue;
        }
        keep_edge(g, e, cone);
        cone->edges[cone->count - 1].alone = !live_map_find(other, edge_key(g, e));
    }
}

static void gathering_free(gathering *g)
{
    free(g->arena);
    free(g->events);
    free(g->threads);
    free(g->places.entries);
    free(g->exports.entries);
    free(g->releases.entries);
    free(g->edges);
}

int diff_cones(diff_work *w, weft_trace_diff_pair *pair, const uint64_t sequences[2])
{
    gathering g[2];
    weft_trace_window windows[2];
    live_map keys[2] = {{0}, {0}};
    diff_fetch fetch = {.fn = take_event};
    for (int n = 0; n < 2; n++) {
        uint64_t from = sequences[n] >= DIFF_CONE ? sequences[n] - DIFF_CONE + 1 : 0;
        g[n] = (gathering){.w = w, .side = n};
        windows[n] = (weft_trace_window){
            .thread = WEFT_TRACE_ALL, .from = from, .count = sequences[n] - from + 1};
        fetch.windows[n] = &windows[n];
        fetch.counts[n] = sequences[n] != UINT64_MAX;
        fetch.contexts[n] = &g[n];
    }
    int good = diff_fetch_both(w, &fetch);
    for (int n = 0; n < 2 && good; n++) {
        number_the_first(&g[n]);
        find_edges(&g[n]);
        for (size_t i = 0; i < g[n].edge_count; i++) {
            g[n].no_memory |=
                !live_map_put(&keys[n], edge_key(&g[n], &g[n].edges[i]), (const uint64_t[]){1, 0});
        }
    }
    for (int n = 0; n < 2 && good; n++) {
        gather_cone(&g[n], pair->threads[n], &keys[!n], &pair->cones[n]);
    }
    for (int n = 0; n < 2; n++) {
        w->no_memory |= g[n].no_memory;
        gathering_free(&g[n]);
        free(keys[n].entries);
    }
    return good && !w->no_memory;
}
