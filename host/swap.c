/* swap.c: exchanging the tracer of a running title without losing an event.
 *
 * The drain does it between two events. The newcomer is opened first: if that fails, the old one
 * has not noticed anything. Then the old one is closed, and the newcomer is told every identity
 * that was defined so far; those repeats carry sequence 0 and are part of no numbering. */
#include "events.h"

#include <string.h>

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

void events_do_swap(events *e, swap_request *request)
{
    tracer_slot old = e->tracer;
    uint64_t last = e->sequence - 1;
    weft_status status = events_open_tracer(e, &request->next);
    if (status == WEFT_OK) {
        tracer_slot next = e->tracer;
        e->tracer = old;
        events_close_tracer(e);
        e->tracer = next;
        replay_definitions(e);
        weft_event_buffer event;
        weft_event_begin(&event, WEFT_EVENT_TRACER_SWAP);
        weft_event_text(&event, old.id, strlen(old.id));
        weft_event_word(&event, last);
        events_deliver(e, &event.head);
    }
    pthread_mutex_lock(&e->lock);
    request->status = status;
    request->done = 1;
    pthread_cond_broadcast(&e->answered);
    pthread_mutex_unlock(&e->lock);
}

weft_status events_swap(events *e, const tracer_slot *next)
{
    swap_request request = {.next = *next};
    pthread_mutex_lock(&e->lock);
    while (e->swap) { /* somebody else's is on its way */
        pthread_cond_wait(&e->answered, &e->lock);
    }
    e->swap = &request;
    ring_wake(&e->ring);
    while (!request.done) {
        pthread_cond_wait(&e->answered, &e->lock);
    }
    pthread_mutex_unlock(&e->lock);
    return request.status;
}
