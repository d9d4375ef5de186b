/* tracks_flow.c: flows, and locks that change hands without a wait (tracks_state.h). */
#include "tracks_state.h"

/* ----------------------------------------------------------------------------------------- flows
 */

uint64_t flow_new(weft_tracks *t)
{
    return t->show ? ++t->next_flow : 0;
}

/* A flow that ends when `id` goes on: from now on its own business. */
void flow_send(weft_tracks *t, uint64_t id, uint64_t flow, uint64_t by, uint64_t tick)
{
    thread *to = tracks_thread(t, id);
    if (flow && to && to->pending_count < WEFT_TRACK_FLOWS) {
        to->pending[to->pending_count++] = flow;
        to->waker = by;
        to->waker_tick = tick;
    }
}

/* Whether a flow to `id` has a place. */
int flow_has_room(weft_tracks *t, uint64_t id)
{
    const thread *to = tracks_thread(t, id);
    return to && to->pending_count < WEFT_TRACK_FLOWS;
}

static void take_flows(weft_tracks *t, thread *th)
{
    mark *m = &t->mark;
    for (uint32_t i = 0; i < th->pending_count; i++) {
        m->head.flow_in[m->head.flow_in_count++] = th->pending[i];
    }
    th->pending_count = 0;
}

void tracks_tell_instant(weft_tracks *t)
{
    t->sink.instant(t->sink.context, &t->mark.head);
}

/* An instant with only a name, that ends the thread's flows. */
void flow_receive(weft_tracks *t, thread *th, uint64_t tick, const char *name)
{
    if (t->show && th->pending_count > 0) {
        mark_start(&t->mark, th->lane.track, lane_forward(&th->lane, tick), "sync");
        mark_name(&t->mark, name, "", 0);
        take_flows(t, th);
        tracks_tell_instant(t);
    }
}

void flow_end(weft_tracks *t, lane *l, uint64_t tick, const char *name, uint64_t flow)
{
    mark_start(&t->mark, l->track, lane_forward(l, tick), "sync");
    mark_name(&t->mark, name, "", 0);
    t->mark.head.flow_in[t->mark.head.flow_in_count++] = flow;
    tracks_tell_instant(t);
}

/* A thread met a lock that another one holds: a handing-over is to come. */
void lock_met(weft_tracks *t, uint64_t lock, uint64_t id)
{
    handed *free_one = NULL;
    for (uint32_t i = 0; i < MANY_HANDED; i++) {
        handed *h = &t->handed[i];
        if (h->thread == id && h->flow) {
            return; /* that one ends first */
        }
        if (h->thread == id || (h->thread == 0 && !free_one)) {
            free_one = h;
        }
    }
    if (free_one && id) {
        *free_one = (handed){.lock = lock, .thread = id};
    }
}

/* It waits instead: the signal that ends the wait has a flow of its own. */
void lock_left(weft_tracks *t, uint64_t id)
{
    for (uint32_t i = 0; i < MANY_HANDED; i++) {
        if (t->handed[i].thread == id && t->handed[i].flow == 0) {
            t->handed[i].thread = 0;
        }
    }
}

void lock_released(weft_tracks *t, thread *th, uint64_t tick, uint64_t lock)
{
    for (uint32_t i = 0; t->show && i < MANY_HANDED; i++) {
        handed *h = &t->handed[i];
        if (h->thread && h->thread != th->id && h->lock == lock && h->flow == 0) {
            mark_start(&t->mark, th->lane.track, lane_forward(&th->lane, tick), "sync");
            mark_name(&t->mark, "released", "", 0);
            t->mark.head.flow_out = h->flow = flow_new(t);
            tracks_tell_instant(t);
            return;
        }
    }
}

/* A call of the thread returns: it has the lock that it met, or has given up. */
void lock_settled(weft_tracks *t, thread *th, uint64_t tick, int acquired, uint64_t lock)
{
    for (uint32_t i = 0; i < MANY_HANDED; i++) {
        handed *h = &t->handed[i];
        if (h->thread == th->id && (t->show || h->flow == 0)) {
            if (h->flow) {
                flow_end(t, &th->lane, tick, acquired && h->lock == lock ? "acquired" : "not taken",
                         h->flow);
            }
            h->thread = 0;
        }
    }
}
