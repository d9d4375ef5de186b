/* policy.c: the policy's contract (weft/policy.h). An illegal answer is not judged here: the kernel
 * replaces and counts it. What is checked is who calls, and that a policy gets well-formed views.
 */
#include "checked.h"

static void check_view(const checked *c, const char *op, const weft_sched_view *view)
{
    checked_thread(c, op, WEFT_THREAD_GUEST);
    CHECK(c, op, view != NULL && view->size >= sizeof(weft_sched_view),
          "view has no size (found %u, expected %zu)", view ? view->size : 0,
          sizeof(weft_sched_view));
    CHECK(c, op,
          view->thread_stride >= sizeof(weft_sched_thread) &&
              view->hw_stride >= sizeof(weft_sched_hw) && view->hw != NULL,
          "view's strides are too small (found %u and %u, expected %zu and %zu)",
          view->thread_stride, view->hw_stride, sizeof(weft_sched_thread), sizeof(weft_sched_hw));
    for (uint32_t i = 0; i < WEFT_HW_COUNT; i++) {
        int32_t current = weft_view_hw(view, i)->current;
        CHECK(c, op, current >= -1 && current < (int32_t)view->thread_count,
              "current thread of %u is in no list (found %d, expected less than %u)", i, current,
              view->thread_count);
    }
}

static uint32_t pick_cpu(void *self, const weft_sched_view *view, uint64_t *slice)
{
    checked *c = self;
    check_view(c, "pick_cpu", view);
    return c->ops.policy.pick_cpu(c->instance, view, slice);
}

static int32_t pick_next(void *self, const weft_sched_view *view, uint32_t hw)
{
    checked *c = self;
    check_view(c, "pick_next", view);
    CHECK(c, "pick_next", hw < WEFT_HW_COUNT, "no such hardware thread (found %u, expected 0 to 5)",
          hw);
    return c->ops.policy.pick_next(c->instance, view, hw);
}

static uint64_t quantum(void *self, const weft_sched_view *view, int32_t thread)
{
    checked *c = self;
    check_view(c, "quantum", view);
    CHECK(c, "quantum", thread >= 0 && (uint32_t)thread < view->thread_count,
          "no such thread (found %d, expected less than %u)", thread, view->thread_count);
    return c->ops.policy.quantum(c->instance, view, thread);
}

static uint32_t subscribe(void *self)
{
    checked *c = self;
    checked_thread(c, "subscribe", WEFT_THREAD_MAIN | WEFT_THREAD_GUEST);
    return c->ops.policy.subscribe(c->instance);
}

static uint32_t before(void *self, const weft_sched_view *view, const weft_sync_op *op,
                       uint64_t *amount)
{
    checked *c = self;
    check_view(c, "before", view);
    CHECK(c, "before", op->kind < WEFT_SYNC_KINDS, "kind is unknown (found %u, expected 0 to %u)",
          op->kind, WEFT_SYNC_KINDS - 1);
    return c->ops.policy.before(c->instance, view, op, amount);
}

static void after(void *self, const weft_sched_view *view, const weft_sync_op *op)
{
    checked *c = self;
    check_view(c, "after", view);
    c->ops.policy.after(c->instance, view, op);
}

static uint64_t delay(void *self, uint32_t kind, uint64_t thread, uint64_t natural)
{
    checked *c = self;
    checked_thread(c, "delay", WEFT_THREAD_GUEST);
    CHECK(c, "delay", kind <= WEFT_DELAY_IO, "kind is unknown (found %u, expected 0 to %u)", kind,
          WEFT_DELAY_IO);
    return c->ops.policy.delay(c->instance, kind, thread, natural);
}

static uint64_t stuck(void *self, const weft_sched_view *view)
{
    checked *c = self;
    check_view(c, "stuck", view);
    return c->ops.policy.stuck(c->instance, view);
}

static void deadlock(void *self, const weft_sched_view *view)
{
    checked *c = self;
    check_view(c, "deadlock", view);
    c->ops.policy.deadlock(c->instance, view);
}

static void thread_start(void *self, uint64_t thread, uint64_t parent)
{
    checked *c = self;
    checked_thread(c, "thread_start", WEFT_THREAD_GUEST);
    CHECK(c, "thread_start", thread != 0, "thread has no identity (found 0, expected another)");
    c->ops.policy.thread_start(c->instance, thread, parent);
}

static void thread_end(void *self, uint64_t thread)
{
    checked *c = self;
    checked_thread(c, "thread_end", WEFT_THREAD_GUEST);
    c->ops.policy.thread_end(c->instance, thread);
}

void checked_policy(role_ops *ops)
{
    ops->policy.pick_cpu = pick_cpu;
    ops->policy.pick_next = pick_next;
    ops->policy.quantum = quantum;
    ops->policy.subscribe = subscribe;
    ops->policy.before = before;
    ops->policy.after = after;
    ops->policy.delay = delay;
    ops->policy.stuck = stuck;
    ops->policy.deadlock = deadlock;
    ops->policy.thread_start = thread_start;
    ops->policy.thread_end = thread_end;
}
