/* tracks_lane.c: threads, tracks and the stacks of open slices (tracks_state.h). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tracks_state.h"

/* --------------------------------------------------------------------------------------- threads
 */

static uint32_t place_of(const weft_tracks *t, uint64_t id)
{
    uint64_t hash = id * UINT64_C(0x9e3779b97f4a7c15);
    uint32_t at = (uint32_t)(hash >> 32) & (t->place_room - 1);
    while (t->places[at] && t->threads[t->places[at] - 1].id != id) {
        at = (at + 1) & (t->place_room - 1);
    }
    return at;
}

static int grow_threads(weft_tracks *t)
{
    uint32_t room = t->thread_room ? t->thread_room * 2 : 64;
    thread *threads = realloc(t->threads, room * sizeof *threads);
    if (threads) {
        t->threads = threads;
    }
    uint32_t *places = threads ? calloc((size_t)room * 2, sizeof *places) : NULL;
    if (!places) {
        t->no_memory = 1;
        return 0;
    }
    free(t->places);
    t->places = places;
    t->place_room = room * 2;
    t->thread_room = room;
    for (uint32_t i = 0; i < t->thread_count; i++) {
        t->places[place_of(t, t->threads[i].id)] = i + 1;
    }
    return 1;
}

static uint8_t kind_of_thread(const weft_tracks *t, uint64_t id)
{
    char room[17];
    if (id == 0) {
        return WEFT_TRACK_MACHINE;
    }
    return strncmp(mark_identity_text(&t->mark, id, room), "source:", 7) == 0 ? WEFT_TRACK_SOURCE
                                                                              : WEFT_TRACK_THREAD;
}

/* NULL where there are too many, or no memory. What it returns moves when another is made. */
thread *tracks_thread(weft_tracks *t, uint64_t id)
{
    uint32_t place = t->place_room ? t->places[place_of(t, id)] : 0;
    if (place) {
        return &t->threads[place - 1];
    }
    if (t->thread_count == WEFT_TRACKS_THREADS ||
        (t->thread_count == t->thread_room && !grow_threads(t))) {
        return NULL;
    }
    thread *made = &t->threads[t->thread_count++];
    *made = (thread){.id = id, .lane = {.track = NO_TRACK}, .kind = kind_of_thread(t, id)};
    t->places[place_of(t, id)] = t->thread_count;
    return made;
}

/* ---------------------------------------------------------------------------------------- tracks
 */

/* 1 where the number was free, and is taken now. */
static int take_tid(weft_tracks *t, uint64_t tid)
{
    uint64_t *old = t->tids;
    uint32_t room = t->tid_room;
    if (t->tid_count * 2 >= room) {
        uint64_t *tids = calloc(room ? (size_t)room * 2 : 64, sizeof *tids);
        if (!tids) {
            t->no_memory = 1;
            return 0;
        }
        t->tids = tids;
        t->tid_room = room ? room * 2 : 64;
        t->tid_count = 0;
        for (uint32_t i = 0; i < room; i++) {
            if (old[i]) {
                take_tid(t, old[i]);
            }
        }
        free(old);
    }
    uint32_t at = (uint32_t)(tid * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (t->tid_room - 1);
    while (t->tids[at] && t->tids[at] != tid) {
        at = (at + 1) & (t->tid_room - 1);
    }
    if (t->tids[at]) {
        return 0;
    }
    t->tids[at] = tid;
    t->tid_count++;
    return 1;
}

static uint32_t tell_track(weft_tracks *t, uint32_t kind, uint32_t rank, const thread *of,
                           const char *name)
{
    weft_track track = {
        .number = t->track_count++,
        .kind = kind,
        .rank = rank,
        .thread = of ? of->id : 0,
        .name = name,
    };
    if (of) { /* a viewer takes two threads of one number for one */
        int own = of->tid > 0 && of->tid < FIRST_NUMBER && take_tid(t, of->tid);
        track.tid = own ? of->tid : FIRST_NUMBER + track.number;
    }
    t->sink.track(t->sink.context, &track);
    return track.number;
}

void tracks_need_thread(weft_tracks *t, thread *th)
{
    char room[17], name[400];
    if (th->lane.track != NO_TRACK) {
        return;
    }
    const char *text = th->id ? mark_identity_text(&t->mark, th->id, room) : "machine";
    size_t length = mark_utf8(name, 360, text, strlen(text));
    snprintf(name + length, sizeof name - length, th->tid ? " (tid %u)" : "", (unsigned)th->tid);
    th->lane.track = tell_track(t, th->kind, (uint32_t)(th - t->threads),
                                th->kind == WEFT_TRACK_THREAD ? th : NULL, name);
}

void tracks_need(weft_tracks *t, lane *l, uint32_t kind, uint32_t rank, const char *name)
{
    if (l->track == NO_TRACK) {
        l->track = tell_track(t, kind, rank, NULL, name);
    }
}

void tracks_count(weft_tracks *t, counter *c, const char *name, uint32_t rank, uint64_t tick,
                  uint64_t value)
{
    if (!t->show) {
        return;
    }
    if (c->track == NO_TRACK) {
        c->track = tell_track(t, WEFT_TRACK_COUNTER, rank, NULL, name);
    }
    c->last = tick > c->last ? tick : c->last;
    t->sink.counter(t->sink.context, c->track, c->last, value);
}

/* ---------------------------------------------------------------------------------------- slices
 */

/* The tick of a mark: a track never goes back. */
uint64_t lane_forward(lane *l, uint64_t tick)
{
    l->last = tick > l->last ? tick : l->last;
    return l->last;
}

line_export tracks_export(const weft_tracks *t, uint64_t id, char room[17])
{
    return line_export_of(mark_identity_text(&t->mark, id, room));
}

/* Starts the mark of a slice, with its name. */
static void slice_mark(weft_tracks *t, const lane *l, const slice *s, uint64_t tick)
{
    static const char *const categories[] = {"call", "wait", "run", "frame"};
    mark *m = &t->mark;
    char room[32];
    const char *text;
    line_export e;
    mark_start(m, l->track, tick, categories[s->what]);
    switch (s->what) {
    case CALL:
        e = tracks_export(t, s->id, room);
        mark_name(m, "", e.name, e.name_length);
        break;
    case WAIT:
        text = s->argument == 1 ? mark_identity_text(m, s->id, room) : room;
        if (s->argument == 0) {
            text = s->id ? "for a time" : "for completion";
        } else if (s->argument > 1) {
            snprintf(room, sizeof room, "%llu objects", (unsigned long long)s->argument);
        }
        mark_name(m, "wait ", text, strlen(text));
        break;
    case RUN:
        text = mark_identity_text(m, s->id, room);
        mark_name(m, "", text, strlen(text));
        break;
    default:
        snprintf(room, sizeof room, s->id ? "frame %llu" : "frame", (unsigned long long)s->id);
        mark_name(m, room, "", 0);
        break;
    }
}

/* Tells the sink of slices that were opened while nothing was shown. */
void lane_show(weft_tracks *t, lane *l)
{
    for (uint32_t i = 0; i < l->depth; i++) {
        slice *s = &l->stack[i];
        if (!s->shown) {
            uint64_t tick = s->tick > t->from ? s->tick : t->from;
            s->shown = 1;
            slice_mark(t, l, s, lane_forward(l, tick));
            mark_word(&t->mark, "began", 'u', s->tick);
            t->sink.begin(t->sink.context, &t->mark.head);
        }
    }
}

/* Opens a slice and, where events are shown, leaves its mark begun for arguments; the caller ends
 * with tell_begin. NULL where the limits leave it out. */
slice *lane_push(weft_tracks *t, lane *l, slice s)
{
    if (l->over > 0 || l->depth == WEFT_TRACKS_DEPTH || t->open == WEFT_TRACKS_OPEN) {
        l->over++;
        t->left_out++;
        return NULL;
    }
    if (l->depth == l->room) {
        uint32_t room = l->room ? l->room * 2 : 4;
        slice *stack = realloc(l->stack, room * sizeof *stack);
        if (!stack) {
            t->no_memory = 1;
            l->over++;
            return NULL;
        }
        l->stack = stack;
        l->room = room;
    }
    s.shown = (uint8_t)t->show;
    slice *at = &l->stack[l->depth++];
    *at = s;
    t->open++;
    if (t->show) {
        at->tick = lane_forward(l, s.tick);
        slice_mark(t, l, at, at->tick);
    }
    return at;
}

void tracks_tell_begin(weft_tracks *t)
{
    if (t->show) {
        t->sink.begin(t->sink.context, &t->mark.head);
    }
}

/* Ends the topmost slice. Its arguments, where there are any, are in the mark already. */
void lane_pop_marked(weft_tracks *t, lane *l)
{
    slice *s = &l->stack[--l->depth];
    t->open--;
    if (s->shown) {
        if (!t->show) { /* ticks that went back: it ends where it is */
            mark_start(&t->mark, l->track, l->last, "");
        }
        t->sink.end(t->sink.context, &t->mark.head);
    }
}

void lane_pop(weft_tracks *t, lane *l, uint64_t tick)
{
    if (t->show) {
        mark_start(&t->mark, l->track, lane_forward(l, tick), "");
    }
    lane_pop_marked(t, l);
}

void tracks_pop_thread(weft_tracks *t, thread *th, uint64_t tick)
{
    th->waits -= th->lane.stack[th->lane.depth - 1].what == WAIT;
    lane_pop(t, &th->lane, tick);
}
