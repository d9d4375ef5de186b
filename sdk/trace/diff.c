/* diff.c: see diff.h. Both files are surveyed at once, each by a thread; chains of hashes tell the
 * step in which each pair parts; from there on the events are compared. */
#include "diff.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "diff_parts.h"

static int fail(diff_work *w)
{
    weft_trace_diff *d = w->diff;
    for (int n = 0; n < 2 && !d->error[0]; n++) {
        const char *where = w->sides[n].path, *why = "no memory to open it";
        if (w->sides[n].source) {
            why = weft_trace_source_failed(w->sides[n].source, &where);
        }
        if (why) {
            snprintf(d->where, sizeof d->where, "%s", where);
            snprintf(d->error, sizeof d->error, "%s", why);
        }
    }
    if (!d->error[0]) {
        snprintf(d->where, sizeof d->where, "%s", w->sides[0].path);
        snprintf(d->error, sizeof d->error, "no memory for the comparison");
    }
    return 0;
}

/* What the files say of themselves, which tells how they can be compared. */
static int read_headers(diff_work *w)
{
    for (int n = 0; n < 2; n++) {
        struct stat status;
        if (stat(w->sides[n].path, &status) == 0 && !S_ISREG(status.st_mode)) {
            /* told before it is opened: a pipe would wait for whoever writes */
            snprintf(w->diff->where, sizeof w->diff->where, "%s", w->sides[n].path);
            snprintf(w->diff->error, sizeof w->diff->error,
                     "cannot go back in it (found no regular file, expected one)");
            return 0;
        }
        weft_trace *t = weft_trace_open(w->sides[n].path);
        const char *where = w->sides[n].path,
                   *why = t ? weft_trace_failed(t, &where) : "no memory to open it";
        if (why) {
            snprintf(w->diff->where, sizeof w->diff->where, "%s", where);
            snprintf(w->diff->error, sizeof w->diff->error, "%s", why);
            weft_trace_close(t);
            return 0;
        }
        w->diff->info[n] = *weft_trace_info_of(t);
        weft_trace_close(t);
    }
    w->diff->shared = w->diff->info[0].foreign || w->diff->info[1].foreign;
    w->mode = w->diff->shared ? WEFT_CANON_SHARED : WEFT_CANON_OWN;
    return 1;
}

typedef struct opening {
    diff_work *w;
    int side;
    void (*progress)(uint64_t events);
} opening;

static void *open_side(void *context)
{
    opening *o = context;
    diff_side *s = &o->w->sides[o->side];
    s->source = weft_trace_source_open(s->path, o->w->mode, o->progress);
    return NULL;
}

static int open_both(diff_work *w)
{
    /* One of the two tells how far it is: they are of like size, and read side by side. */
    opening sides[2] = {{w, 0, w->options->progress}, {w, 1, NULL}};
    pthread_t other;
    int threaded = pthread_create(&other, NULL, open_side, &sides[1]) == 0;
    open_side(&sides[0]);
    if (threaded) {
        pthread_join(other, NULL);
    } else {
        open_side(&sides[1]);
    }
    for (int n = 0; n < 2; n++) {
        diff_side *s = &w->sides[n];
        if (!s->source || weft_trace_source_failed(s->source, NULL)) {
            return 0;
        }
        s->sum = weft_trace_source_summary(s->source);
        s->pairs = malloc((s->sum->thread_count + 1) * sizeof *s->pairs);
        if (!s->pairs) {
            return 0;
        }
        memset(s->pairs, 0xFF, (s->sum->thread_count + 1) * sizeof *s->pairs);
        w->diff->info[n] = s->sum->info;
    }
    return 1;
}

/* The canonical event up to which both are known to agree. Once chains differ they stay so. */
static uint64_t agreed(const weft_trace_thread *a, const weft_trace_thread *b)
{
    size_t low = 0, high = a->step_count < b->step_count ? a->step_count : b->step_count;
    if (a->canonical == b->canonical && a->chain == b->chain) {
        return a->canonical;
    }
    while (low < high) { /* how many steps agree */
        size_t half = low + (high - low) / 2;
        if (a->steps[half] == b->steps[half]) {
            low = half + 1;
        } else {
            high = half;
        }
    }
    return (uint64_t)low * WEFT_TRACE_STEP;
}

/* The thread of each pair on each side. */
static size_t (*threads_of_pairs(diff_work *w))[2]
{
    size_t(*threads)[2] = malloc((w->diff->pair_count + 1) * sizeof *threads);
    w->no_memory |= !threads;
    for (int n = 0; n < 2 && threads; n++) {
        const diff_side *s = &w->sides[n];
        for (size_t i = 0; i < s->sum->thread_count; i++) {
            if (s->pairs[i] != SIZE_MAX) {
                threads[s->pairs[i]][n] = i;
            }
        }
    }
    return threads;
}

/* Pairs that are not known to be equal, as streams from where they may part. */
static diff_stream *make_streams(diff_work *w, size_t *count)
{
    weft_trace_diff *d = w->diff;
    int whole = w->options->absorb || w->options->ignored[0] || w->options->ignored[1];
    diff_stream *streams = calloc(d->pair_count + 1, sizeof *streams);
    size_t(*threads)[2] = threads_of_pairs(w);
    *count = 0;
    w->no_memory |= !streams;
    for (size_t i = 0; i < d->pair_count && streams && threads; i++) {
        weft_trace_diff_pair *p = &d->pairs[i];
        if (!p->present[0] || !p->present[1]) {
            continue;
        }
        const weft_trace_thread *a = &w->sides[0].sum->threads[threads[i][0]];
        const weft_trace_thread *b = &w->sides[1].sum->threads[threads[i][1]];
        p->matched = whole ? 0 : agreed(a, b);
        diff_stream *s = &streams[*count];
        *s = (diff_stream){.pair = i};
        for (int n = 0; n < 2; n++) {
            s->flows[n] = (diff_flow){
                .thread = threads[i][n], .next = p->matched, .total = (n ? b : a)->canonical};
        }
        *count += a->canonical > p->matched || b->canonical > p->matched;
    }
    free(threads);
    return streams;
}

static void free_streams(diff_stream *streams, size_t count)
{
    for (size_t i = 0; streams && i < count; i++) {
        free(streams[i].flows[0].entries);
        free(streams[i].flows[1].entries);
    }
    free(streams);
}

/* All that the report says of a divergence but its cone. */
static void show_divergence(diff_work *w, const diff_sight *sight)
{
    weft_trace_diff_pair *p = &w->diff->pairs[sight->stream->pair];
    const diff_list *before = &sight->views[0].before;
    const diff_kept *at[2];
    for (size_t i = 0; i < before->count; i++) {
        diff_show(w, 0, &before->at[i], &p->before[DIFF_BEFORE - before->count + i]);
    }
    for (int n = 0; n < 2; n++) {
        const diff_view *view = &sight->views[n];
        const diff_list *kept = &view->kept;
        at[n] = kept->count > 0 ? &kept->at[0] : NULL;
        if (kept->count > 0) {
            diff_show(w, n, &kept->at[0], &p->at[n]);
        } else if (view->before.count > 0) { /* its end: where it was last seen */
            const diff_kept *last = &view->before.at[view->before.count - 1];
            p->at[n].sequence = last->event->sequence;
            p->at[n].index = last->event->index + 1;
            p->at[n].tick = last->event->tick;
            p->at[n].canonical = view->from;
        } else {
            p->at[n].sequence = UINT64_MAX;
        }
        if (kept->count > 1) {
            diff_show(w, n, &kept->at[1], &p->next[n]);
        }
    }
    diff_describe(w, at[0], at[1], p);
    diff_align(w, sight->views, p);
}

#define SIGHTS 512 /* divergences looked at together: 50 MiB where all threads are long */

static int show_divergences(diff_work *w, const diff_stream *streams, size_t count)
{
    const diff_view wanted = {
        .most_before = DIFF_BEFORE, .most_kept = DIFF_GAP + 2, .most_hashes = DIFF_WINDOW};
    diff_sight *sights = malloc(SIGHTS * sizeof *sights);
    int good = sights != NULL;
    w->no_memory |= !sights;
    for (size_t i = 0; i < count && good;) {
        size_t n = 0;
        for (; i < count && n < SIGHTS; i++) {
            if (w->diff->pairs[streams[i].pair].diverged) {
                w->diff->divergent = 1;
                sights[n++] = (diff_sight){.stream = &streams[i], .views = {wanted, wanted}};
            }
        }
        good = n == 0 || diff_look(w, sights, n);
        for (size_t k = 0; k < n; k++) {
            if (good) {
                show_divergence(w, &sights[k]);
            }
            diff_sight_free(&sights[k]);
        }
    }
    free(sights);
    return good && !w->no_memory;
}

static int show_cones(diff_work *w)
{
    weft_trace_diff *d = w->diff;
    for (size_t i = 0; i < d->pair_count; i++) {
        const weft_diff_event *at = d->pairs[i].at;
        if (d->pairs[i].diverged &&
            (d->first == SIZE_MAX || at[0].sequence < d->pairs[d->first].at[0].sequence)) {
            d->first = i;
        }
    }
    for (size_t i = 0; i < d->pair_count; i++) {
        weft_trace_diff_pair *p = &d->pairs[i];
        if (p->diverged && (i == d->first || w->options->cones)) {
            const uint64_t sequences[2] = {p->at[0].sequence, p->at[1].sequence};
            if (!diff_cones(w, p, sequences)) {
                return 0;
            }
        }
    }
    return 1;
}

static int compare(diff_work *w)
{
    size_t count;
    diff_pair_threads(w);
    diff_list_missing(w);
    diff_stream *streams = w->no_memory ? NULL : make_streams(w, &count);
    unsigned by_sid = DIFF_ABSORB_CREATE | DIFF_ABSORB_WAIT;
    int good = streams && (!(w->options->absorb & by_sid) || diff_absorb_prepare(w)) &&
               diff_run_streams(w, streams, count) && show_divergences(w, streams, count);
    if (streams) {
        free_streams(streams, count);
    }
    return good && show_cones(w) && !w->no_memory;
}

int weft_trace_diff_run(weft_trace_diff *diff, const char *const paths[2],
                        const weft_diff_options *options)
{
    diff_work w = {.diff = diff, .options = options};
    memset(diff, 0, sizeof *diff);
    diff->first = SIZE_MAX;
    line_table_init(&w.lines);
    w.sides[0].path = paths[0];
    w.sides[1].path = paths[1];
    int good = read_headers(&w) && open_both(&w) && compare(&w);
    if (!good) {
        fail(&w);
    }
    for (int n = 0; n < 2; n++) {
        free(w.sides[n].pairs);
        free(w.sides[n].known.entries);
        json_free(&w.sides[n].tree);
        free(w.sids[n].entries);
        weft_trace_source_close(w.sides[n].source);
    }
    return good;
}

static void free_event(weft_diff_event *event)
{
    free(event->text);
}

static void free_cone(weft_diff_cone *cone)
{
    for (size_t i = 0; i < cone->count; i++) {
        for (int n = 0; n < 2; n++) {
            free(cone->edges[i].names[n]);
            free_event(&cone->edges[i].events[n]);
        }
    }
    free(cone->edges);
}

static void free_pair(weft_trace_diff_pair *p)
{
    for (int k = 0; k < DIFF_BEFORE; k++) {
        free_event(&p->before[k]);
    }
    for (size_t i = 0; i < p->change_count; i++) {
        free_event(&p->changes[i].events[0]);
        free_event(&p->changes[i].events[1]);
    }
    for (size_t i = 0; i < p->absorbed_count; i++) {
        free_event(&p->absorbed[i].event);
    }
    for (int n = 0; n < 2; n++) {
        free(p->names[n]);
        free(p->values[n]);
        free_event(&p->at[n]);
        free_event(&p->next[n]);
        free_cone(&p->cones[n]);
    }
    free(p->category);
    free(p->changes);
    free(p->absorbed);
}

void weft_trace_diff_free(weft_trace_diff *diff)
{
    for (size_t i = 0; i < diff->pair_count; i++) {
        free_pair(&diff->pairs[i]);
    }
    for (size_t i = 0; i < diff->missing_count; i++) {
        free(diff->missing[i].name);
    }
    free(diff->pairs);
    free(diff->missing);
    memset(diff, 0, sizeof *diff);
}

/* The next entry of a list into *from; 0 at the end. A comma promises another one. */
static int entry(const char **text, const char **from, size_t *length)
{
    if (!*text) {
        return 0;
    }
    *from = *text;
    *length = strcspn(*from, ",");
    *text = (*from)[*length] ? *from + *length + 1 : NULL;
    return 1;
}

int weft_diff_read_absorb(const char *text, unsigned *absorb, const char **bad)
{
    static const char *const rules[] = {"create", "wait", "nested"};
    const char *from;
    size_t length;
    *absorb = 0;
    while (entry(&text, &from, &length)) {
        int known = 0;
        for (unsigned i = 0; i < 3; i++) {
            if (strlen(rules[i]) == length && memcmp(rules[i], from, length) == 0) {
                *absorb |= 1u << i;
                known = 1;
            }
        }
        if (!known) {
            *bad = from;
            return 0;
        }
    }
    return 1;
}

int weft_diff_read_kinds(const char *text, uint64_t kinds[2], const char **bad)
{
    const char *from;
    size_t length;
    kinds[0] = kinds[1] = 0;
    while (entry(&text, &from, &length)) {
        int known = 0;
        for (uint16_t number = 1; number < WEFT_EVENT_KIND_END && number < 128; number++) {
            const char *name = weft_event_kind_of(number)->name;
            /* a return that returns nothing goes under the name of one that does */
            name = number == WEFT_EVENT_KERNEL_RETURN_VOID ? "kernel.return" : name;
            if (strlen(name) == length && memcmp(name, from, length) == 0) {
                kinds[number / 64] |= UINT64_C(1) << number % 64;
                known = 1;
            }
        }
        if (!known) {
            *bad = from;
            return 0;
        }
    }
    return 1;
}
