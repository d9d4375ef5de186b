/* survey.c: see survey.h. */
#include "survey.h"

#include <stdlib.h>
#include <string.h>

#include "line.h"

const uint16_t survey_tally_kinds[SURVEY_TALLIES] = {
    [SURVEY_UNKNOWN] = 0,
    [SURVEY_CALL] = WEFT_EVENT_IMPORT_CALL,
    [SURVEY_SIGNAL] = WEFT_EVENT_SIGNAL_MATCH,
};

static size_t add_thread(survey *s, uint64_t id)
{
    if (s->thread_count == s->thread_room) {
        size_t room = s->thread_room ? s->thread_room * 2 : 32;
        survey_thread *more = realloc(s->threads, room * sizeof *more);
        if (!more) {
            return SIZE_MAX;
        }
        s->threads = more;
        s->thread_room = room;
    }
    if (!live_map_put(&s->places, id, (const uint64_t[]){s->thread_count, 0})) {
        return SIZE_MAX;
    }
    s->threads[s->thread_count] = (survey_thread){.id = id};
    return s->thread_count++;
}

size_t survey_find(const survey *s, uint64_t thread)
{
    const uint64_t *place = live_map_find(&s->places, thread);
    return place ? (size_t)place[0] : SIZE_MAX;
}

static void count_one(survey *s, int tally, uint64_t id)
{
    uint64_t *times = live_map_find(&s->tallies[tally], id);
    if (times) {
        times[0]++;
    } else if (!live_map_put(&s->tallies[tally], id, (const uint64_t[]){1, 0})) {
        s->no_memory = 1;
    }
}

static void tally(survey *s, survey_thread *t, const weft_event *event)
{
    uint64_t id = event->size > sizeof *event ? *(const uint64_t *)(event + 1) : 0;
    switch (event->kind) {
    case 0:
        count_one(s, SURVEY_UNKNOWN, id);
        break;
    case WEFT_EVENT_SIGNAL_MATCH:
        count_one(s, SURVEY_SIGNAL, id);
        break;
    case WEFT_EVENT_IMPORT_CALL:
        count_one(s, SURVEY_CALL, id);
        /* fall through */
    case WEFT_EVENT_KERNEL_CALL:
        t->first_export = t->first_export ? t->first_export : id;
        break;
    default:
        break;
    }
}

static void step(survey *s, survey_thread *t)
{
    if (t->step_count == t->step_room) {
        size_t room = t->step_room ? t->step_room * 2 : 16;
        uint64_t *more = realloc(t->steps, room * sizeof *more);
        if (!more) {
            s->no_memory = 1;
            return;
        }
        t->steps = more;
        t->step_room = room;
    }
    t->steps[t->step_count++] = t->chain;
}

size_t survey_add(survey *s, const weft_event *event, int canonical, uint64_t hash)
{
    if (s->last >= s->thread_count || s->threads[s->last].id != event->thread) {
        s->last = survey_find(s, event->thread);
        if (s->last == SIZE_MAX && (s->last = add_thread(s, event->thread)) == SIZE_MAX) {
            s->no_memory = 1;
            return SIZE_MAX;
        }
    }
    survey_thread *t = &s->threads[s->last];
    t->events++;
    t->tid = t->tid ? t->tid : event->tid;
    s->events++;
    if (event->kind < WEFT_EVENT_KIND_END) {
        s->kinds[event->kind]++;
        tally(s, t, event);
    }
    if (event->category == WEFT_CLASS_GUEST) {
        if (s->guest == 0) {
            s->first_tick = s->last_tick = event->tick;
        }
        s->first_tick = event->tick < s->first_tick ? event->tick : s->first_tick;
        s->last_tick = event->tick > s->last_tick ? event->tick : s->last_tick;
        s->guest++;
        t->guest++;
    }
    if (canonical) {
        t->chain = weft_canon_chain(t->chain, hash);
        if (++t->canonical % WEFT_TRACE_STEP == 0) {
            step(s, t);
        }
    }
    return s->last;
}

void survey_digest(const survey *s, char hex[33])
{
    weft_canon_chains *chains = weft_canon_chains_new();
    hex[0] = 0;
    if (chains) {
        for (size_t i = 0; i < s->thread_count; i++) {
            const survey_thread *t = &s->threads[i];
            if (t->canonical > 0) {
                weft_canon_chains_set(chains, t->id, t->canonical, t->chain);
            }
        }
        weft_canon_chains_digest(chains, hex);
        weft_canon_chains_free(chains);
    }
}

static char *copy_name(const weft_trace *trace, uint64_t id)
{
    const char *text = weft_trace_name(trace, id);
    return text ? strdup(text) : NULL;
}

static int by_kind_and_id(const void *a, const void *b)
{
    const weft_trace_tally *x = a, *y = b;
    if (x->kind != y->kind) {
        return x->kind < y->kind ? -1 : 1;
    }
    return x->id < y->id ? -1 : x->id > y->id;
}

static int finish_tallies(survey *s, const weft_trace *trace, weft_trace_summary *to)
{
    size_t count = 0;
    for (int k = 0; k < SURVEY_TALLIES; k++) {
        count += s->tallies[k].count;
    }
    to->tallies = calloc(count + 1, sizeof *to->tallies);
    if (!to->tallies) {
        return 0;
    }
    for (int k = 0; k < SURVEY_TALLIES; k++) {
        for (size_t i = 0; i < s->tallies[k].room; i++) {
            const struct live_entry *e = &s->tallies[k].entries[i];
            if (e->used) {
                to->tallies[to->tally_count++] = (weft_trace_tally){
                    .kind = survey_tally_kinds[k],
                    .id = e->key,
                    .times = e->value[0],
                    .name = copy_name(trace, e->key),
                };
            }
        }
    }
    qsort(to->tallies, to->tally_count, sizeof *to->tallies, by_kind_and_id);
    return 1;
}

int survey_finish(survey *s, const weft_trace *trace, weft_trace_summary *to)
{
    to->threads = calloc(s->thread_count + 1, sizeof *to->threads);
    if (s->no_memory || !to->threads || !finish_tallies(s, trace, to)) {
        return 0;
    }
    for (size_t i = 0; i < s->thread_count; i++) {
        survey_thread *t = &s->threads[i];
        const char *called = t->first_export ? weft_trace_name(trace, t->first_export) : NULL;
        line_export export = called ? line_export_of(called) : (line_export){0};
        to->threads[i] = (weft_trace_thread){
            .id = t->id,
            .tid = t->tid,
            .events = t->events,
            .guest = t->guest,
            .canonical = t->canonical,
            .first_call = called ? weft_fnv1a(export.name, export.name_length) : 0,
            .chain = t->chain,
            .steps = t->steps,
            .step_count = t->step_count,
            .name = copy_name(trace, t->id),
        };
        t->steps = NULL;
    }
    to->thread_count = s->thread_count;
    memcpy(to->kinds, s->kinds, sizeof to->kinds);
    to->events = s->events;
    to->guest = s->guest;
    to->first_tick = s->first_tick;
    to->last_tick = s->last_tick;
    return 1;
}

void survey_free(survey *s)
{
    for (size_t i = 0; i < s->thread_count; i++) {
        free(s->threads[i].steps);
    }
    for (int k = 0; k < SURVEY_TALLIES; k++) {
        free(s->tallies[k].entries);
    }
    free(s->threads);
    free(s->places.entries);
    memset(s, 0, sizeof *s);
}

void survey_free_summary(weft_trace_summary *summary)
{
    for (size_t i = 0; summary->threads && i < summary->thread_count; i++) {
        free(summary->threads[i].steps);
        free(summary->threads[i].name);
    }
    for (size_t i = 0; i < summary->tally_count; i++) {
        free(summary->tallies[i].name);
    }
    free(summary->threads);
    free(summary->tallies);
}
