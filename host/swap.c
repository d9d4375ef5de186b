/* swap.c: exchanging the tracer of a running title without losing an event.
 *
 * The drain does it between two events. The newcomer is opened first: if that fails, the old one
 * has not noticed anything. Then the old one is closed, and the newcomer is told every identity
 * that was defined so far; those repeats carry sequence 0 and are part of no numbering. */
#include "swap.h"

#include <string.h>

#include "lock.h"

static void replay_definitions(const events *e)
{
    for (size_t i = 0; i < e->definition_count; i++) {
        const definition *d = &e->definitions[i];
        weft_event_buffer event;
        weft_event_begin(&event, WEFT_EVENT_DEFINE);
        weft_event_word(&event, d->id);
        weft_event_text(&event, d->what, strlen(d->what));
        weft_event_text(&event, d->text, strlen(d->text));
        e->tracer.ops->event(e->tracer.instance, &event.head);
    }
}

static void exchange(events *e, swap_request *swap)
{
    swap->old = e->tracer;
    swap->first = e->sequence;
    swap->status = events_open_tracer(e, &swap->next);
    if (swap->status != WEFT_OK) {
        return;
    }
    e->tracer = swap->old;
    swap->closed = events_close_tracer(e);
    e->tracer = swap->next;
    replay_definitions(e);
    weft_event_buffer event;
    weft_event_begin(&event, WEFT_EVENT_TRACER_SWAP);
    weft_event_text(&event, swap->old.id, strlen(swap->old.id));
    weft_event_word(&event, swap->first - 1);
    events_deliver(e, &event.head);
}

static void do_swap(events *e, drain_request *request)
{
    exchange(e, (swap_request *)request);
}

static void do_look(events *e, drain_request *request)
{
    look_request *look = (look_request *)request;
    if (look->flush) {
        e->tracer.ops->flush(e->tracer.instance);
    }
    look->tracer = e->tracer;
    look->sequence = e->sequence;
    look->first = e->begin[e->current].first;
    look->guest = e->guest;
    look->tick = e->tick;
    look->frames = e->frames;
}

swap_request swap_request_of(const tracer_slot *next)
{
    return (swap_request){.request.work = do_swap, .next = *next};
}

look_request look_request_of(int flush)
{
    return (look_request){.request.work = do_look, .flush = flush};
}

int events_post(events *e, drain_request *request)
{
    leaf_take(&e->lock, "events");
    int busy = e->request != NULL;
    if (!busy) {
        e->request = request;
    }
    leaf_give(&e->lock);
    if (!busy) {
        ring_wake(&e->ring);
    }
    return busy ? -1 : 0;
}

int events_done(events *e, drain_request *request)
{
    leaf_take(&e->lock, "events");
    int done = request->done;
    leaf_give(&e->lock);
    return done;
}

void events_wait(events *e, drain_request *request)
{
    leaf_take(&e->lock, "events");
    while (request ? !request->done : e->request != NULL) {
        pthread_cond_wait(&e->answered, &e->lock);
    }
    leaf_give(&e->lock);
}

void events_ask(events *e, drain_request *request)
{
    while (events_post(e, request)) {
        events_wait(e, NULL);
    }
    events_wait(e, request);
}

weft_status events_swap(events *e, const tracer_slot *next)
{
    swap_request swap = swap_request_of(next);
    events_ask(e, &swap.request);
    return swap.status;
}

typedef struct plan_request {
    drain_request request; /* must be first */
    swap_plan *plan;
} plan_request;

static void do_plan(events *e, drain_request *request)
{
    e->plan = ((plan_request *)request)->plan;
}

void events_plan(events *e, swap_plan *plan)
{
    plan_request request = {.request.work = do_plan, .plan = plan};
    if (plan->count > 0) {
        events_ask(e, &request.request);
    }
}

static int is_due(const events *e, const swap_step *step, const weft_event *event)
{
    switch (step->what) {
    case SWAP_AT_EVENTS:
        return e->sequence >= step->at;
    case SWAP_AT_TICKS:
        return event->category == WEFT_CLASS_GUEST && event->tick >= step->at;
    default:
        return e->frames >= step->at;
    }
}

void swap_when_due(events *e, const weft_event *event)
{
    swap_plan *plan = e->plan;
    while (plan->next < plan->count && is_due(e, &plan->steps[plan->next], event)) {
        swap_step *step = &plan->steps[plan->next++];
        e->plan = NULL; /* the event that tells of the exchange is no place for the next one */
        exchange(e, &step->swap);
        e->plan = plan;
        leaf_take(&e->lock, "events");
        step->swap.request.done = 1;
        leaf_give(&e->lock);
    }
    if (plan->next == plan->count) {
        e->plan = NULL;
    }
}
