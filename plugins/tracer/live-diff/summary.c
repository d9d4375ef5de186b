/* summary.c: what a comparison amounts to, by thread and in all. */
#include <stdio.h>
#include <string.h>

#include "live_diff.h"

#define MAX_ROWS 20 /* threads that the summary on stderr lists */

/* "thread:main/0", or the identity where the text is unknown or empty; never more than a line. */
static const char *name_of(const char *text, uint64_t id, char room[NAME_ROOM])
{
    if (!text || !*text) {
        snprintf(room, NAME_ROOM, id ? "thread %016llx" : "machine", (unsigned long long)id);
        return room;
    }
    snprintf(room, NAME_ROOM, "%s", text);
    for (char *c = room; *c; c++) {
        *c = (unsigned char)*c < 0x20 || (unsigned char)*c > 0x7e ? '?' : *c;
    }
    return room;
}

const char *live_thread_name(const tracer_live_diff *t, const live_thread *l, char room[NAME_ROOM])
{
    return name_of(weft_trace_name(&t->names, l->id), l->id, room);
}

/* Sums over all threads. */
typedef struct sums {
    uint64_t equal, shorter, diverged, extra, missing;
    uint64_t matched, here, there;
} sums;

static const char *state_of(const tracer_live_diff *t, const live_thread *l)
{
    switch (l->state) {
    case DIVERGED:
        return "diverged";
    case EXTRA:
        return "extra";
    case PAST_END:
        return "past_end";
    default:
        return l->counterpart == REFERENCE_NONE || t->stopped ||
                       l->matched == t->reference.threads[l->counterpart].seen
                   ? "equal"
                   : "shorter";
    }
}

/* A thread of the reference that never came; who knows, where the run was stopped. Between engines
 * a thread without a call has no counterpart to begin with. */
static int is_missing(const tracer_live_diff *t, const reference_thread *thread)
{
    return !thread->claimed && thread->seen > 0 && !t->stopped &&
           (thread->first_call || t->reference.mode == WEFT_CANON_OWN);
}

static sums sum_up(const tracer_live_diff *t)
{
    sums s = {0};
    for (size_t i = 0; i < t->count; i++) {
        const live_thread *l = &t->threads[i];
        const char *state = state_of(t, l);
        s.matched += l->matched;
        s.here += l->total;
        s.diverged += l->state == DIVERGED;
        s.extra += l->state == EXTRA;
        s.shorter += strcmp(state, "shorter") == 0;
        s.equal += strcmp(state, "equal") == 0 && l->total > 0;
    }
    for (size_t i = 0; i < t->reference.count; i++) {
        const reference_thread *r = &t->reference.threads[i];
        s.missing += is_missing(t, r);
        s.there += r->seen;
    }
    return s;
}

static uint64_t seen_of(const tracer_live_diff *t, const live_thread *l)
{
    return l->counterpart == REFERENCE_NONE ? 0 : t->reference.threads[l->counterpart].seen;
}

void summary_print(const tracer_live_diff *t)
{
    sums s = sum_up(t);
    fprintf(
        stderr,
        "tracer-live-diff: %s: %llu threads equal, %llu shorter, %llu diverged, %llu only here, "
        "%llu only there; %llu events equal of %llu here and %llu there%s\n",
        t->reference.path, (unsigned long long)s.equal, (unsigned long long)s.shorter,
        (unsigned long long)s.diverged, (unsigned long long)s.extra, (unsigned long long)s.missing,
        (unsigned long long)s.matched, (unsigned long long)s.here, (unsigned long long)s.there,
        t->stopped ? ", then stopped" : "");
    uint32_t rows = 0;
    for (size_t i = 0; i < t->count; i++) {
        const live_thread *l = &t->threads[i];
        const char *state = state_of(t, l);
        char room[NAME_ROOM];
        if (strcmp(state, "equal") != 0 && rows++ < MAX_ROWS) {
            fprintf(stderr, "  %s: %s, %llu equal of %llu here and %llu there\n",
                    live_thread_name(t, l, room),
                    strcmp(state, "past_end") == 0 ? "cut off" : state,
                    (unsigned long long)l->matched, (unsigned long long)l->total,
                    (unsigned long long)seen_of(t, l));
        }
    }
    for (size_t i = 0; i < t->reference.count; i++) {
        const reference_thread *r = &t->reference.threads[i];
        char room[NAME_ROOM];
        if (is_missing(t, r) && rows++ < MAX_ROWS) {
            fprintf(stderr, "  %s (tid %u): missing, %llu there\n",
                    name_of(reference_name(&t->reference, i), r->id, room), r->tid,
                    (unsigned long long)r->seen);
        }
    }
    if (rows > MAX_ROWS) {
        fprintf(stderr, "  and %u more threads, which `path` would list\n", rows - MAX_ROWS);
    }
}

static void member(out *o, const char *name, uint64_t value)
{
    out_str(o, ",\"");
    out_str(o, name);
    out_str(o, "\":");
    out_u64(o, value);
}

void summary_json(const tracer_live_diff *t, out *o)
{
    sums s = sum_up(t);
    int some = 0;
    out_str(o, "{\"reference\":");
    out_string(o, t->reference.path, strlen(t->reference.path));
    out_str(o, t->stopped ? ",\"stopped\":true" : ",\"stopped\":false");
    out_str(o, t->reference.ended ? ",\"read_to_end\":true" : ",\"read_to_end\":false");
    member(o, "equal", s.equal);
    member(o, "shorter", s.shorter);
    member(o, "diverged", s.diverged);
    member(o, "extra", s.extra);
    member(o, "missing", s.missing);
    member(o, "events_equal", s.matched);
    member(o, "events_here", s.here);
    member(o, "events_there", s.there);
    out_str(o, ",\"threads\":[");
    for (size_t i = 0; i < t->count; i++) {
        const live_thread *l = &t->threads[i];
        const char *text = weft_trace_name(&t->names, l->id);
        if (l->total == 0) {
            continue; /* nothing that could be compared */
        }
        out_str(o, some++ ? ",{\"thread\":" : "{\"thread\":");
        out_id(o, l->id);
        out_str(o, ",\"name\":");
        out_string(o, text ? text : "", text ? strlen(text) : 0);
        member(o, "tid", l->tid);
        out_str(o, ",\"state\":\"");
        out_str(o, state_of(t, l));
        out_str(o, "\"");
        member(o, "equal", l->matched);
        member(o, "here", l->total);
        member(o, "there", seen_of(t, l));
        out_str(o, "}");
    }
    for (size_t i = 0; i < t->reference.count; i++) {
        const reference_thread *r = &t->reference.threads[i];
        const char *text = reference_name(&t->reference, i);
        if (is_missing(t, r)) {
            out_str(o, some++ ? ",{\"thread\":" : "{\"thread\":");
            out_id(o, r->id);
            out_str(o, ",\"name\":");
            out_string(o, text ? text : "", text ? strlen(text) : 0);
            member(o, "tid", r->tid);
            out_str(o, ",\"state\":\"missing\"");
            member(o, "equal", 0);
            member(o, "here", 0);
            member(o, "there", r->seen);
            out_str(o, "}");
        }
    }
    out_str(o, "]}\n");
}
