/* diff_pair.c: which threads of two traces belong together, and what only one of them has. */
#include <stdlib.h>
#include <string.h>

#include "canon_shared.h"
#include "diff_parts.h"

void *diff_grown(int *no_memory, void *list, size_t count, size_t size)
{
    if (count & (count - 1)) {
        return list; /* not a power of two: there is room */
    }
    void *more = realloc(list, (count ? count * 2 : 1) * size);
    *no_memory |= !more;
    return more;
}

static void add_pair(diff_work *w, size_t a, size_t b, const char *how)
{
    weft_trace_diff *d = w->diff;
    weft_trace_diff_pair *more =
        diff_grown(&w->no_memory, d->pairs, d->pair_count, sizeof *d->pairs);
    size_t both[2] = {a, b};
    if (!more) {
        return;
    }
    d->pairs = more;
    weft_trace_diff_pair *p = &d->pairs[d->pair_count];
    *p = (weft_trace_diff_pair){0};
    snprintf(p->how, sizeof p->how, "%s", how);
    for (int n = 0; n < 2; n++) {
        if (both[n] != SIZE_MAX) {
            const weft_trace_thread *t = &w->sides[n].sum->threads[both[n]];
            p->threads[n] = t->id;
            p->tids[n] = t->tid;
            p->totals[n] = t->canonical;
            p->events[n] = t->events;
            p->present[n] = 1;
            p->names[n] = t->name ? strdup(t->name) : NULL;
            w->no_memory |= t->name && !p->names[n];
            w->sides[n].pairs[both[n]] = d->pair_count;
            w->no_memory |=
                !live_map_put(&w->sides[n].known, t->id, (const uint64_t[]){d->pair_count, 0});
        }
    }
    d->divergent |= a == SIZE_MAX || b == SIZE_MAX;
    d->pair_count++;
}

/* Whether the map has something to say of a thread of side n. */
static int in_map(const diff_work *w, const weft_trace_thread *t, int n)
{
    for (uint32_t i = 0; i < w->options->map_count; i++) {
        if ((n ? w->options->map[i].ours : w->options->map[i].reference) == t->tid) {
            return 1;
        }
    }
    return 0;
}

/* How well two threads go together that the map does not name; 0: not at all. Ways that say more
 * come last. */
enum { NO_MATCH, BY_CALL, BY_STEP, BY_CHAIN, BY_IDENTITY, BY_MAP };

#define CANDIDATES 256 /* threads that begin alike and are looked at for one */

static int same_engine(const diff_work *w)
{
    return strcmp(w->diff->info[0].engine, w->diff->info[1].engine) == 0;
}

/* What must be equal; 0: nothing can be. */
static uint64_t key_of(const diff_work *w, const weft_trace_thread *t)
{
    return same_engine(w) ? t->id ^ 1 : t->first_call; /* the machine is 0 */
}

static int rank(const diff_work *w, const weft_trace_thread *a, const weft_trace_thread *b)
{
    if (same_engine(w)) {
        return BY_IDENTITY;
    }
    /* Several threads may begin alike: workers of one pool. */
    if (a->canonical == b->canonical && a->chain == b->chain) {
        return BY_CHAIN;
    }
    return a->step_count > 0 && b->step_count > 0 && a->steps[0] == b->steps[0] ? BY_STEP : BY_CALL;
}

/* The bare name of the export that a thread calls first, among those that are known by name. */
static const char *first_call_name(const diff_work *w, uint64_t hash, size_t *length)
{
    for (int n = 0; n < 2; n++) { /* in a log of another engine the name is the export's identity */
        const char *text = weft_trace_source_name(w->sides[n].source, hash);
        if (text) {
            *length = strlen(text);
            return text;
        }
    }
    for (int n = 0; n < 2; n++) {
        const weft_trace_summary *sum = w->sides[n].sum;
        for (size_t i = 0; i < sum->tally_count; i++) {
            const char *text =
                sum->tallies[i].kind == WEFT_EVENT_IMPORT_CALL ? sum->tallies[i].name : NULL;
            const char *name = text ? canon_shared_export(text, length) : NULL;
            if (name && weft_fnv1a(name, *length) == hash) {
                return name;
            }
        }
    }
    *length = 0;
    return "";
}

static void say_how(const diff_work *w, int how, const weft_trace_thread *t, char *to, size_t room)
{
    size_t length;
    const char *call = first_call_name(w, t->first_call, &length);
    switch (how) {
    case BY_MAP:
        snprintf(to, room, "map");
        break;
    case BY_IDENTITY:
        snprintf(to, room, "identity");
        break;
    default:
        snprintf(to, room, "first call%s%.*s%s", length ? " " : "", (int)length, call,
                 how == BY_CHAIN  ? ", same events"
                 : how == BY_STEP ? ", same beginning"
                                  : "");
        break;
    }
}

/* Whether a thread without a counterpart is worth a line: between engines only one that does what
 * both can know of. */
static int counts_alone(const diff_work *w, const weft_trace_thread *t)
{
    return w->mode == WEFT_CANON_OWN || t->canonical > 0;
}

/* Threads of one side and their partners on the other. */
typedef struct matching {
    size_t *partner; /* of each thread of the reference */
    int *how;
    char *taken;    /* of ours */
    size_t *next;   /* of ours: the next one with the same key */
    live_map first; /* by key */
} matching;

static void match_by_map(diff_work *w, matching *m)
{
    const weft_trace_summary *a = w->sides[0].sum, *b = w->sides[1].sum;
    for (uint32_t k = 0; k < w->options->map_count; k++) {
        const weft_trace_pair *pair = &w->options->map[k];
        size_t j = 0;
        for (size_t i = 0; i < a->thread_count; i++) {
            if (a->threads[i].tid != pair->reference || m->partner[i] != SIZE_MAX) {
                continue;
            }
            while (j < b->thread_count && (b->threads[j].tid != pair->ours || m->taken[j])) {
                j++;
            }
            if (j < b->thread_count) {
                m->partner[i] = j;
                m->how[i] = BY_MAP;
                m->taken[j] = 1;
            }
        }
    }
}

static void match_by_key(diff_work *w, matching *m)
{
    const weft_trace_summary *a = w->sides[0].sum, *b = w->sides[1].sum;
    for (size_t j = b->thread_count; j-- > 0;) {
        uint64_t key = key_of(w, &b->threads[j]);
        if (key && !in_map(w, &b->threads[j], 1)) {
            uint64_t *first = live_map_find(&m->first, key);
            m->next[j] = first ? (size_t)first[0] : SIZE_MAX;
            w->no_memory |= !live_map_put(&m->first, key, (const uint64_t[]){j, 0});
        }
    }
    for (int wanted = BY_IDENTITY; wanted > NO_MATCH; wanted--) {
        for (size_t i = 0; i < a->thread_count; i++) {
            uint64_t key = key_of(w, &a->threads[i]);
            uint64_t *first =
                key && !in_map(w, &a->threads[i], 0) ? live_map_find(&m->first, key) : NULL;
            while (first && first[0] != SIZE_MAX && m->taken[first[0]]) {
                first[0] = m->next[first[0]];
            }
            size_t j = first ? (size_t)first[0] : SIZE_MAX;
            for (int n = 0; j != SIZE_MAX && m->partner[i] == SIZE_MAX && n < CANDIDATES;
                 n++, j = m->next[j]) {
                if (!m->taken[j] && rank(w, &a->threads[i], &b->threads[j]) == wanted) {
                    m->partner[i] = j;
                    m->how[i] = wanted;
                    m->taken[j] = 1;
                }
            }
        }
    }
}

static void list_pairs(diff_work *w, const matching *m)
{
    const weft_trace_summary *a = w->sides[0].sum, *b = w->sides[1].sum;
    for (size_t i = 0; i < a->thread_count; i++) {
        char text[96];
        if (m->partner[i] != SIZE_MAX) {
            say_how(w, m->how[i], &a->threads[i], text, sizeof text);
            add_pair(w, i, m->partner[i], text);
        } else if (counts_alone(w, &a->threads[i])) {
            add_pair(w, i, SIZE_MAX, "only in the reference");
        }
    }
    for (size_t j = 0; j < b->thread_count; j++) {
        if (!m->taken[j] && counts_alone(w, &b->threads[j])) {
            add_pair(w, SIZE_MAX, j, "only in ours");
        }
    }
}

void diff_pair_threads(diff_work *w)
{
    size_t a = w->sides[0].sum->thread_count, b = w->sides[1].sum->thread_count;
    matching m = {.partner = malloc((a + 1) * sizeof *m.partner),
                  .how = calloc(a + 1, sizeof *m.how),
                  .taken = calloc(b + 1, 1),
                  .next = malloc((b + 1) * sizeof *m.next)};
    if (m.partner && m.how && m.taken && m.next) {
        memset(m.partner, 0xFF, (a + 1) * sizeof *m.partner);
        match_by_map(w, &m);
        match_by_key(w, &m);
        list_pairs(w, &m);
    } else {
        w->no_memory = 1;
    }
    free(m.partner);
    free(m.how);
    free(m.taken);
    free(m.next);
    free(m.first.entries);
}

static void add_missing(diff_work *w, int side, const char *what, const char *name, size_t length,
                        uint64_t times)
{
    weft_trace_diff *d = w->diff;
    weft_trace_diff_missing *more =
        diff_grown(&w->no_memory, d->missing, d->missing_count, sizeof *d->missing);
    char *copy = strndup(name, length);
    if (!more || !copy) {
        free(copy);
        w->no_memory = 1;
        d->missing = more ? more : d->missing;
        return;
    }
    d->missing = more;
    d->missing[d->missing_count++] =
        (weft_trace_diff_missing){.side = side, .what = what, .name = copy, .times = times};
}

/* What a tally is of, as both sides know it: an export by its bare name between engines. */
static uint64_t tally_key(const diff_work *w, const weft_trace_tally *t)
{
    uint64_t key = t->id;
    if (w->mode == WEFT_CANON_SHARED && t->kind == WEFT_EVENT_IMPORT_CALL && t->name) {
        size_t length;
        const char *name = canon_shared_export(t->name, &length);
        key = weft_fnv1a(name, length);
    }
    return key ^ (uint64_t)t->kind << 56;
}

void diff_list_missing(diff_work *w)
{
    weft_trace_diff *d = w->diff;
    for (size_t i = 0; i < d->pair_count; i++) {
        weft_trace_diff_pair *p = &d->pairs[i];
        if (!p->present[0] || !p->present[1]) {
            int n = p->present[0] ? 0 : 1;
            char digits[32];
            snprintf(digits, sizeof digits, "%016llx", (unsigned long long)p->threads[n]);
            const char *name = p->names[n] ? p->names[n] : p->threads[n] ? digits : "the machine";
            add_missing(w, n, "thread", name, strlen(name), p->events[n]);
        }
    }
    for (int n = 0; n < 2; n++) {
        const weft_trace_summary *mine = w->sides[n].sum, *other = w->sides[!n].sum;
        live_map keys = {0};
        for (size_t i = 0; i < other->tally_count; i++) {
            w->no_memory |=
                !live_map_put(&keys, tally_key(w, &other->tallies[i]), (const uint64_t[]){1, 0});
        }
        for (size_t i = 0; i < mine->tally_count; i++) {
            const weft_trace_tally *t = &mine->tallies[i];
            int is_export = t->kind == WEFT_EVENT_IMPORT_CALL;
            if ((is_export && other->kinds[WEFT_EVENT_IMPORT_CALL] == 0) || /* it logs none */
                (!is_export &&
                 (t->kind != WEFT_EVENT_SIGNAL_MATCH || w->mode == WEFT_CANON_SHARED)) ||
                live_map_find(&keys, tally_key(w, t))) {
                continue;
            }
            char digits[32];
            snprintf(digits, sizeof digits, "%016llx", (unsigned long long)t->id);
            size_t length = strlen(t->name ? t->name : digits);
            const char *name = t->name && is_export ? canon_shared_export(t->name, &length)
                               : t->name            ? t->name
                                                    : digits;
            add_missing(w, n, is_export ? "export" : "signal", name, length, t->times);
        }
        free(keys.entries);
    }
}
