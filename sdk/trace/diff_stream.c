/* diff_stream.c: threads compared event by event, a stretch of all of them at a time, so that memory
 * stays the same however they interleave. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "diff_parts.h"

#define ROUND              (UINT64_C(1) << 19) /* events of a side that are fetched at once: 16 MiB */
#define LEAST              256                 /* of one thread */
#define MOST_ABSORBED_KEPT 64

int diff_is_ignored(const diff_work *w, uint16_t kind)
{
    return kind < 128 && w->options->ignored[kind / 64] >> kind % 64 & 1;
}

typedef struct fetch_job {
    weft_trace_source *source;
    const weft_trace_window *windows;
    size_t count;
    weft_trace_window_fn fn;
    void *context;
    int good;
} fetch_job;

static void *run_fetch(void *context)
{
    fetch_job *job = context;
    job->good = job->count == 0 || weft_trace_source_fetch(job->source, job->windows, job->count,
                                                           job->fn, job->context);
    return NULL;
}

int diff_fetch_both(diff_work *w, const diff_fetch *fetch)
{
    fetch_job jobs[2];
    pthread_t other;
    for (int n = 0; n < 2; n++) {
        jobs[n] = (fetch_job){.source = w->sides[n].source,
                              .windows = fetch->windows[n],
                              .count = fetch->counts[n],
                              .fn = fetch->fn,
                              .context = fetch->contexts[n]};
    }
    int threaded = pthread_create(&other, NULL, run_fetch, &jobs[1]) == 0;
    run_fetch(&jobs[0]);
    if (threaded) {
        pthread_join(other, NULL);
    } else {
        run_fetch(&jobs[1]);
    }
    return jobs[0].good && jobs[1].good;
}

/* ---- stretches of all threads ---------------------------------------------------------------- */

typedef struct round_side {
    diff_work *w;
    int side;
    diff_stream **streams; /* of each window */
    weft_trace_window *windows;
    size_t count;
    int no_memory;
} round_side;

/* A return's hash without what was in r3: of its export alone. */
static uint64_t alike(const diff_work *w, int side, const weft_event *event)
{
    size_t length;
    if (w->mode != WEFT_CANON_SHARED ||
        (event->kind != WEFT_EVENT_KERNEL_RETURN && event->kind != WEFT_EVENT_KERNEL_RETURN_VOID)) {
        return 0;
    }
    const char *name = diff_export_name(w, side, event, &length);
    return length ? weft_fnv1a(name, length) : 0;
}

static int take_entry(void *context, size_t window, const weft_trace *trace,
                      const weft_event *event, uint64_t canonical, uint64_t hash)
{
    round_side *r = context;
    diff_flow *f = &r->streams[window]->flows[r->side];
    if (canonical == UINT64_MAX) {
        return 1;
    }
    if (diff_is_ignored(r->w, event->kind)) {
        f->ignored++;
        return 1;
    }
    if (f->count == f->room) {
        size_t room = f->room ? f->room * 2 : 64;
        diff_entry *more = realloc(f->entries, room * sizeof *more);
        if (!more) {
            r->no_memory = 1;
            return 0;
        }
        f->entries = more;
        f->room = room;
    }
    f->entries[f->count++] = (diff_entry){.hash = hash,
                                          .alike = alike(r->w, r->side, event),
                                          .canonical = canonical,
                                          .kind = event->kind};
    return 1;
}

static int wants(const diff_stream *s, int n)
{
    const diff_flow *f = &s->flows[n];
    return !s->done && f->at == f->count && f->next < f->total;
}

/* The next stretch of each thread that has none waiting: longer for one with more events, so that all
 * move through the file together. */
static int fetch_round(diff_work *w, diff_stream *streams, size_t count, int first)
{
    round_side sides[2];
    uint64_t all[2] = {0, 0};
    diff_fetch fetch = {.fn = take_entry};
    int good = 1;
    for (int n = 0; n < 2; n++) {
        sides[n] = (round_side){.w = w, .side = n};
        sides[n].streams = calloc(count + 1, sizeof *sides[n].streams);
        sides[n].windows = calloc(count + 1, sizeof *sides[n].windows);
        good &= sides[n].streams && sides[n].windows;
        for (size_t i = 0; i < count; i++) {
            all[n] +=
                wants(&streams[i], n) ? streams[i].flows[n].total - streams[i].flows[n].next : 0;
        }
    }
    for (int n = 0; n < 2 && good; n++) {
        for (size_t i = 0; i < count; i++) {
            diff_flow *f = &streams[i].flows[n];
            if (!wants(&streams[i], n)) {
                continue;
            }
            uint64_t left = f->total - f->next;
            uint64_t part = (uint64_t)((double)left / (double)all[n] * (double)ROUND);
            part = first          ? WEFT_TRACE_STEP /* where chains have told the step */
                   : part < LEAST ? LEAST
                                  : part;
            part = part < left ? part : left;
            f->at = f->count = 0;
            sides[n].windows[sides[n].count] =
                (weft_trace_window){.thread = f->thread, .from = f->next, .count = part};
            sides[n].streams[sides[n].count++] = &streams[i];
            f->next += part;
        }
        fetch.windows[n] = sides[n].windows;
        fetch.counts[n] = sides[n].count;
        fetch.contexts[n] = &sides[n];
    }
    good = good && diff_fetch_both(w, &fetch);
    for (int n = 0; n < 2; n++) {
        w->no_memory |= sides[n].no_memory || !sides[n].streams || !sides[n].windows;
        free(sides[n].streams);
        free(sides[n].windows);
    }
    return good;
}

/* ---- one pair -------------------------------------------------------------------------------- */

static void keep_absorbed(diff_work *w, weft_trace_diff_pair *p, int side, const char *rule,
                          const diff_kept *kept)
{
    if (p->absorbed_count == MOST_ABSORBED_KEPT) {
        p->absorbed_more++;
        return;
    }
    weft_diff_absorbed *more =
        diff_grown(&w->no_memory, p->absorbed, p->absorbed_count, sizeof *p->absorbed);
    if (more) {
        p->absorbed = more;
        weft_diff_absorbed *a = &p->absorbed[p->absorbed_count++];
        *a = (weft_diff_absorbed){.side = side, .rule = rule, .matched = p->matched};
        diff_show(w, side, kept, &a->event);
    }
}

/* Passes over what the user has asked to pass over. 1: go on comparing; 0: it is a divergence; -1: a
 * failure. */
static int absorb(diff_work *w, diff_stream *s, weft_trace_diff_pair *p)
{
    const diff_view wanted = {.most_before = 64, .most_kept = 16, .most_hashes = 16};
    diff_sight sight = {.stream = s, .views = {wanted, wanted}};
    int side, count = 0;
    const char *rule;
    if (!w->options->absorb) {
        return 0;
    }
    int good = diff_look(w, &sight, 1);
    if (good) {
        count = diff_absorb(w, sight.views, &side, &rule);
        for (int i = 0; i < count; i++) {
            keep_absorbed(w, p, side, rule, &sight.views[side].kept.at[i]);
        }
    }
    if (good && count > 0) {
        /* What was passed over may reach beyond the stretch that is here. */
        diff_flow *f = &s->flows[side];
        uint64_t last = sight.views[side].kept.at[count - 1].canonical;
        while (f->at < f->count && f->entries[f->at].canonical <= last) {
            f->at++;
        }
        f->next = f->next > last ? f->next : last + 1;
    }
    diff_sight_free(&sight);
    return !good ? -1 : count > 0;
}

/* Compares what is here of a pair. */
static int advance(diff_work *w, diff_stream *s)
{
    weft_trace_diff_pair *p = &w->diff->pairs[s->pair];
    diff_flow *a = &s->flows[0], *b = &s->flows[1];
    while (!s->done) {
        while (a->at < a->count && b->at < b->count) {
            const diff_entry *x = &a->entries[a->at], *y = &b->entries[b->at];
            if (x->hash != y->hash) {
                /* r3 behind an export that one side calls void is nobody's answer. */
                if (!x->alike || x->alike != y->alike || x->kind == y->kind) {
                    break;
                }
                p->tolerated++;
            }
            p->matched++;
            a->at++;
            b->at++;
        }
        int more[2] = {a->at == a->count && a->next < a->total,
                       b->at == b->count && b->next < b->total};
        if (more[0] || more[1]) {
            return 1;
        }
        if (a->at == a->count && b->at == b->count) {
            s->done = 1;
            break;
        }
        int passed = absorb(w, s, p);
        if (passed < 0) {
            return 0;
        }
        if (!passed) {
            s->done = p->diverged = 1;
        }
    }
    return 1;
}

int diff_run_streams(diff_work *w, diff_stream *streams, size_t count)
{
    int open = 1;
    for (int round = 0; open; round++) {
        if (!fetch_round(w, streams, count, round == 0)) {
            return 0;
        }
        uint64_t matched = 0;
        open = 0;
        for (size_t i = 0; i < count; i++) {
            if (!streams[i].done && !advance(w, &streams[i])) {
                return 0;
            }
            open |= !streams[i].done;
            matched += w->diff->pairs[streams[i].pair].matched;
        }
        if (open && w->options->progress) {
            w->options->progress(matched);
        }
    }
    for (size_t i = 0; i < count; i++) {
        for (int n = 0; n < 2; n++) {
            w->diff->pairs[streams[i].pair].ignored[n] = streams[i].flows[n].ignored;
        }
    }
    return !w->no_memory;
}

/* ---- around one place ------------------------------------------------------------------------ */

typedef struct look {
    diff_work *w;
    int side;
    diff_sight *sights;
    weft_trace_window *windows; /* one for each */
    int no_memory;
} look;

static int take_view(void *context, size_t window, const weft_trace *trace, const weft_event *event,
                     uint64_t canonical, uint64_t hash)
{
    look *l = context;
    diff_view *v = &l->sights[window].views[l->side];
    diff_list *before = &v->before;
    if (canonical == UINT64_MAX || diff_is_ignored(l->w, event->kind)) {
        return 1;
    }
    int good = 1;
    if (canonical < v->from) {
        if (v->most_before == 0) {
            return 1;
        }
        if (before->count == v->most_before) {
            diff_kept_free(&before->at[0]);
            memmove(before->at, before->at + 1, --before->count * sizeof *before->at);
        }
        good = diff_keep(l->w, l->side, before, trace, event, canonical, hash);
    } else {
        if (v->hash_count == v->most_hashes) {
            return 1;
        }
        v->hashes[v->hash_count++] = hash;
        if (v->kept.count < v->most_kept) {
            good = diff_keep(l->w, l->side, &v->kept, trace, event, canonical, hash);
        }
    }
    l->no_memory |= !good;
    return good;
}

/* What of a thread is to be fetched, so that its view can be filled. */
static weft_trace_window window_of(const diff_work *w, const diff_flow *f, diff_view *v)
{
    int ignoring = w->options->ignored[0] || w->options->ignored[1];
    uint64_t wider = ignoring ? 16 : 1, back = v->most_before * wider;
    v->from = f->at < f->count ? f->entries[f->at].canonical : f->next;
    v->hashes = malloc((v->most_hashes + 1) * sizeof *v->hashes);
    uint64_t start = v->from > back ? v->from - back : 0;
    return (weft_trace_window){
        .thread = f->thread, .from = start, .count = v->from - start + v->most_hashes * wider};
}

int diff_look(diff_work *w, diff_sight *sights, size_t count)
{
    look looks[2];
    diff_fetch fetch = {.fn = take_view};
    for (int n = 0; n < 2; n++) {
        looks[n] = (look){.w = w, .side = n, .sights = sights};
        looks[n].windows = malloc((count + 1) * sizeof *looks[n].windows);
        looks[n].no_memory = !looks[n].windows;
        for (size_t i = 0; i < count && looks[n].windows; i++) {
            looks[n].windows[i] = window_of(w, &sights[i].stream->flows[n], &sights[i].views[n]);
            looks[n].no_memory |= !sights[i].views[n].hashes;
        }
        fetch.windows[n] = looks[n].windows;
        fetch.counts[n] = count;
        fetch.contexts[n] = &looks[n];
    }
    int good = !looks[0].no_memory && !looks[1].no_memory && diff_fetch_both(w, &fetch);
    for (int n = 0; n < 2; n++) {
        w->no_memory |= looks[n].no_memory;
        free(looks[n].windows);
    }
    return good;
}

void diff_sight_free(diff_sight *sight)
{
    for (int n = 0; n < 2; n++) {
        diff_list_free(&sight->views[n].before);
        diff_list_free(&sight->views[n].kept);
        free(sight->views[n].hashes);
        sight->views[n].hashes = NULL;
    }
}
