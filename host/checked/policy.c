/* policy.c: the policy's contract (weft/policy.h). An illegal answer is not judged here: the kernel
 * replaces and counts it. What is checked is who calls, that a policy gets well-formed views, and
 * that it comes back: one that crashes or loops is ejected (guard.h).
 */
#include "guard.h"

#include <stdlib.h>
#include <string.h>

/* Calls an op; `does` is not reached, or not to its end, where the policy breaks. */
#define GUARDED(c, op, does)                                                                       \
    do {                                                                                           \
        guard g;                                                                                   \
        if (guard_enter(&g, c, op) && sigsetjmp(g.place, 0) == 0) {                                \
            does;                                                                                  \
            guard_leave(&g);                                                                       \
        } else {                                                                                   \
            guard_broken(&g);                                                                      \
        }                                                                                          \
    } while (0)

/* The policy gets a copy, so that it cannot write into the kernel's. Where `before` and `after` are told
 * of no view, its records may be gone, and are left alone. */
static const weft_sched_view *show(checked *c, const weft_sched_view *view, int whole)
{
    size_t threads = (size_t)view->thread_count * view->thread_stride;
    size_t hw = (size_t)WEFT_HW_COUNT * view->hw_stride;
    c->view = *view;
    if (whole) {
        if (c->view_room < threads + hw) {
            free(c->view_records);
            c->view_room = 2 * (threads + hw);
            c->view_records = text_need(c->view_room);
        }
        char *records = c->view_records;
        memcpy(records, view->hw, hw);
        memcpy(records + hw, view->threads, threads);
        c->view.hw = c->view_records;
        c->view.threads = (const void *)(records + hw);
    }
    return &c->view;
}

static void unchanged(checked *c, const char *op, const weft_sched_view *view, int whole)
{
    weft_sched_view expected = *view;
    size_t threads = (size_t)view->thread_count * view->thread_stride;
    size_t hw = (size_t)WEFT_HW_COUNT * view->hw_stride;
    const char *records = c->view_records;
    if (c->broken) {
        return;
    }
    if (whole) {
        expected.hw = c->view_records;
        expected.threads = (const void *)(records + hw);
    }
    if (memcmp(&expected, &c->view, sizeof expected) != 0 ||
        (whole && (memcmp(records, view->hw, hw) != 0 ||
                   memcmp(records + hw, view->threads, threads) != 0))) {
        guard_eject(c, "wrote into the view of", op);
    }
}

/* The same with a view, of which the op sees `shown`. */
#define VIEWED(c, op, view, whole, does)                                                           \
    do {                                                                                           \
        const weft_sched_view *shown = show(c, view, whole);                                       \
        GUARDED(c, op, does);                                                                      \
        unchanged(c, op, view, whole);                                                             \
    } while (0)

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
    volatile uint32_t answer = UINT32_MAX;
    VIEWED(c, "pick_cpu", view, 1, answer = c->ops.policy.pick_cpu(c->instance, shown, slice));
    return answer;
}

static int32_t pick_next(void *self, const weft_sched_view *view, uint32_t hw)
{
    checked *c = self;
    check_view(c, "pick_next", view);
    CHECK(c, "pick_next", hw < WEFT_HW_COUNT, "no such hardware thread (found %u, expected 0 to 5)",
          hw);
    volatile int32_t answer = -1;
    VIEWED(c, "pick_next", view, 1, answer = c->ops.policy.pick_next(c->instance, shown, hw));
    return answer;
}

static uint64_t quantum(void *self, const weft_sched_view *view, int32_t thread)
{
    checked *c = self;
    check_view(c, "quantum", view);
    CHECK(c, "quantum", thread >= 0 && (uint32_t)thread < view->thread_count,
          "no such thread (found %d, expected less than %u)", thread, view->thread_count);
    volatile uint64_t answer = 0;
    VIEWED(c, "quantum", view, 1, answer = c->ops.policy.quantum(c->instance, shown, thread));
    return answer;
}

static uint32_t subscribe(void *self)
{
    checked *c = self;
    checked_thread(c, "subscribe", WEFT_THREAD_MAIN | WEFT_THREAD_GUEST);
    volatile uint32_t answer = 0;
    GUARDED(c, "subscribe", answer = c->ops.policy.subscribe(c->instance));
    c->few_views = (answer & WEFT_SYNC_NO_VIEW) != 0;
    return answer;
}

static uint32_t before(void *self, const weft_sched_view *view, const weft_sync_op *op,
                       uint64_t *amount)
{
    checked *c = self;
    check_view(c, "before", view);
    CHECK(c, "before", op->kind < WEFT_SYNC_KINDS, "kind is unknown (found %u, expected 0 to %u)",
          op->kind, WEFT_SYNC_KINDS - 1);
    volatile uint32_t answer = WEFT_ANSWER_GO;
    weft_sync_op told = *op;
    VIEWED(c, "before", view, !c->few_views,
           answer = c->ops.policy.before(c->instance, shown, &told, amount));
    return answer;
}

static void after(void *self, const weft_sched_view *view, const weft_sync_op *op)
{
    checked *c = self;
    check_view(c, "after", view);
    weft_sync_op told = *op;
    VIEWED(c, "after", view, !c->few_views, c->ops.policy.after(c->instance, shown, &told));
}

static uint64_t delay(void *self, uint32_t kind, uint64_t thread, uint64_t natural)
{
    checked *c = self;
    checked_thread(c, "delay", WEFT_THREAD_GUEST);
    CHECK(c, "delay", kind < WEFT_DELAY_KINDS, "kind is unknown (found %u, expected 0 to %u)", kind,
          WEFT_DELAY_KINDS - 1);
    volatile uint64_t answer = natural;
    GUARDED(c, "delay", answer = c->ops.policy.delay(c->instance, kind, thread, natural));
    return answer;
}

static uint64_t stuck(void *self, const weft_sched_view *view)
{
    checked *c = self;
    check_view(c, "stuck", view);
    volatile uint64_t answer = 0;
    VIEWED(c, "stuck", view, 1, answer = c->ops.policy.stuck(c->instance, shown));
    return answer;
}

static void deadlock(void *self, const weft_sched_view *view)
{
    checked *c = self;
    check_view(c, "deadlock", view);
    VIEWED(c, "deadlock", view, 1, c->ops.policy.deadlock(c->instance, shown));
}

static void thread_start(void *self, uint64_t thread, uint64_t parent)
{
    checked *c = self;
    checked_thread(c, "thread_start", WEFT_THREAD_GUEST);
    CHECK(c, "thread_start", thread != 0, "thread has no identity (found 0, expected another)");
    GUARDED(c, "thread_start", c->ops.policy.thread_start(c->instance, thread, parent));
}

static void thread_end(void *self, uint64_t thread)
{
    checked *c = self;
    checked_thread(c, "thread_end", WEFT_THREAD_GUEST);
    GUARDED(c, "thread_end", c->ops.policy.thread_end(c->instance, thread));
}

static uint32_t place(void *self, const weft_sched_view *view, int32_t thread)
{
    checked *c = self;
    check_view(c, "place", view);
    CHECK(c, "place", thread >= 0 && (uint32_t)thread < view->thread_count,
          "no such thread (found %d, expected less than %u)", thread, view->thread_count);
    volatile uint32_t answer = 0;
    VIEWED(c, "place", view, 1, answer = c->ops.policy.place(c->instance, shown, thread));
    return answer;
}

/* What is NULL is the kernel's to answer. */
void checked_policy(role_ops *ops)
{
    ops->policy.pick_cpu = ops->policy.pick_cpu ? pick_cpu : NULL;
    ops->policy.pick_next = ops->policy.pick_next ? pick_next : NULL;
    ops->policy.quantum = ops->policy.quantum ? quantum : NULL;
    ops->policy.subscribe = subscribe;
    ops->policy.before = before;
    ops->policy.after = after;
    ops->policy.delay = delay;
    ops->policy.stuck = stuck;
    ops->policy.deadlock = deadlock;
    ops->policy.thread_start = thread_start;
    ops->policy.thread_end = thread_end;
    ops->policy.place = ops->policy.place ? place : NULL;
}
