/* tracer.c: the tracer's contract (weft/tracer.h): the drain thread alone, no gap but what a filter
 * of the profile hides, nothing after close. */
#include "checked.h"

static weft_status open_trace(void *self, const weft_trace_begin *begin)
{
    checked *c = self;
    checked_thread(c, "open", WEFT_THREAD_DRAIN);
    CHECK(c, "open", !c->opened, "called again (found 2 calls, expected 1)");
    weft_status status = c->ops.tracer.open(c->instance, begin);
    c->opened = status == WEFT_OK;
    c->last_sequence = begin->first;
    c->partial = begin->partial != 0;
    return status;
}

static void event(void *self, const weft_event *e)
{
    checked *c = self;
    checked_thread(c, "event", WEFT_THREAD_DRAIN);
    CHECK(c, "event", c->opened, "called too early (found no open, expected one before)");
    int repeated = e->kind == WEFT_EVENT_DEFINE && e->sequence == 0 && c->last_sequence != 0;
    CHECK(c, "event",
          repeated || e->sequence == c->last_sequence ||
              (c->partial && e->sequence > c->last_sequence),
          "an event is lost (found sequence %llu, expected %llu)", (unsigned long long)e->sequence,
          (unsigned long long)c->last_sequence);
    c->last_sequence = repeated ? c->last_sequence : e->sequence + 1;
    c->ops.tracer.event(c->instance, e);
}

static void flush(void *self)
{
    checked *c = self;
    checked_thread(c, "flush", WEFT_THREAD_DRAIN);
    c->ops.tracer.flush(c->instance);
}

static weft_status close_trace(void *self, uint64_t last, const char *digest)
{
    checked *c = self;
    checked_thread(c, "close", WEFT_THREAD_DRAIN);
    CHECK(c, "close", c->opened, "called too early (found no open, expected one before)");
    CHECK(c, "close", last + 1 == c->last_sequence || (c->partial && last + 1 > c->last_sequence),
          "an event is lost (found last %llu, expected %llu)", (unsigned long long)last,
          (unsigned long long)(c->last_sequence - 1));
    c->opened = 0;
    return c->ops.tracer.close(c->instance, last, digest);
}

void checked_tracer(role_ops *ops)
{
    ops->tracer.open = open_trace;
    ops->tracer.event = event;
    ops->tracer.flush = flush;
    ops->tracer.close = close_trace;
}
