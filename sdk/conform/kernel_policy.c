/* kernel_policy.c: two policies for the kit of kernels: one that answers the defaults and checks every view
 * and operation that it is shown (weft/policy.h), one that answers nothing that is legal. */
#include "kernel_kit.h"

static void bad(kit_machine *m, const char *op, const char *what, uint64_t found)
{
    kit_offence(m, KIT_OF_POLICY, "%s: got %s %lld", op, what, (long long)found);
}

static int runnable(const weft_sched_thread *t)
{
    return t->state == WEFT_THREAD_READY || t->state == WEFT_THREAD_RUNNING;
}

static kit_source *living(kit_machine *m, uint64_t thread)
{
    kit_source *s = kit_source_of(m, thread);
    return s && s->started == 1 ? s : NULL;
}

static void check_threads(kit_machine *m, const char *op, const weft_sched_view *v,
                          uint32_t ready[])
{
    const kit_source *last = NULL;
    for (uint32_t i = 0; i < v->thread_count; i++) {
        const weft_sched_thread *t = weft_view_thread(v, i);
        const kit_source *s = living(m, t->id);
        if (!s) {
            bad(m, op, "a thread that has not started or has ended:", t->id);
        } else if (last && s <= last) {
            bad(m, op, "threads out of the order of creation, at", i);
        }
        last = s ? s : last;
        if (t->state >= WEFT_THREAD_TERMINATED) {
            bad(m, op, "a thread of state", t->state);
        }
        if (t->priority < 0 || t->priority > 31) {
            bad(m, op, "a thread of priority", (uint64_t)(int64_t)t->priority);
        }
        if (t->affinity == 0 || t->affinity >> WEFT_HW_COUNT) {
            bad(m, op, "a thread of affinity", t->affinity);
        }
        if (t->hw >= WEFT_HW_COUNT) {
            bad(m, op, "a thread on hardware thread", t->hw);
        } else {
            ready[t->hw] += (uint32_t)runnable(t);
        }
    }
}

static int check_view(kit_machine *m, const char *op, const weft_sched_view *v)
{
    uint32_t ready[WEFT_HW_COUNT] = {0};
    m->asked++;
    if (!v || v->size < sizeof *v || v->thread_stride < sizeof(weft_sched_thread) ||
        v->hw_stride < sizeof(weft_sched_hw) || !v->hw || (v->thread_count && !v->threads)) {
        bad(m, op, "no whole view, size", v ? v->size : 0);
        return 0;
    }
    check_threads(m, op, v, ready);
    for (uint32_t i = 0; i < WEFT_HW_COUNT; i++) {
        const weft_sched_hw *hw = weft_view_hw(v, i);
        if (hw->ready > ready[i]) {
            bad(m, op, "more threads ready than there are:", hw->ready);
        }
        if (hw->current < -1 || hw->current >= (int32_t)v->thread_count ||
            (hw->current >= 0 && weft_view_thread(v, (uint32_t)hw->current)->hw != i)) {
            bad(m, op, "a current thread that is not there:", (uint64_t)(int64_t)hw->current);
        }
    }
    return 1;
}

static uint32_t pick_cpu(void *instance, const weft_sched_view *view, uint64_t *slice)
{
    kit_machine *m = instance;
    uint32_t best = WEFT_HW_COUNT;
    if (!check_view(m, "policy.pick_cpu", view)) {
        return 0;
    }
    for (uint32_t i = 0; i < WEFT_HW_COUNT; i++) {
        const weft_sched_hw *hw = weft_view_hw(view, i);
        if (hw->ready && (best == WEFT_HW_COUNT || hw->time < weft_view_hw(view, best)->time)) {
            best = i;
        }
    }
    if (best == WEFT_HW_COUNT) {
        bad(m, "policy.pick_cpu", "no hardware thread with work, threads:", view->thread_count);
        return 0;
    }
    if (!slice || *slice == 0) {
        bad(m, "policy.pick_cpu", "a slice of", 0);
    }
    return best;
}

static int32_t pick_next(void *instance, const weft_sched_view *view, uint32_t hw)
{
    kit_machine *m = instance;
    int32_t best = -1;
    if (!check_view(m, "policy.pick_next", view)) {
        return -1;
    }
    if (hw >= WEFT_HW_COUNT || weft_view_hw(view, hw)->pinned) {
        bad(m, "policy.pick_next", "a hardware thread that is none or is pinned:", hw);
        return -1;
    }
    for (uint32_t i = 0; i < view->thread_count; i++) {
        const weft_sched_thread *t = weft_view_thread(view, i);
        const weft_sched_thread *b = best < 0 ? NULL : weft_view_thread(view, (uint32_t)best);
        if (t->hw == hw && runnable(t) &&
            (!b || t->priority > b->priority ||
             (t->priority == b->priority && t->order < b->order))) {
            best = (int32_t)i;
        }
    }
    if (best < 0) {
        bad(m, "policy.pick_next", "no thread to choose on hardware thread", hw);
    }
    return best;
}

static uint64_t quantum(void *instance, const weft_sched_view *view, int32_t thread)
{
    kit_machine *m = instance;
    if (check_view(m, "policy.quantum", view) &&
        (thread < 0 || thread >= (int32_t)view->thread_count)) {
        bad(m, "policy.quantum", "a thread that is not there:", (uint64_t)(int64_t)thread);
    }
    return 0;
}

static uint32_t subscribe(void *instance)
{
    return (1u << WEFT_SYNC_KINDS) - 1;
}

/* The thread that does it, or NULL: a clock source, or an operation that is none. */
static kit_source *check_op(kit_machine *m, const char *op, const weft_sched_view *view,
                            const weft_sync_op *sync)
{
    if (!check_view(m, op, view) || !sync || sync->size < sizeof *sync ||
        sync->kind >= WEFT_SYNC_KINDS) {
        bad(m, op, "no operation of kind", sync ? sync->kind : 0);
        return NULL;
    }
    kit_source *s = kit_source_of(m, sync->thread);
    if (s && sync->index != s->operations[sync->kind]) {
        bad(m, op, "operations of the thread miscounted, at", sync->index);
    }
    if (sync->object && !kit_name(m, sync->object)) {
        bad(m, op, "an object that no define told of:", sync->object);
    }
    return s;
}

static uint32_t before(void *instance, const weft_sched_view *view, const weft_sync_op *op,
                       uint64_t *amount)
{
    kit_machine *m = instance;
    const kit_source *s = check_op(m, "policy.before", view, op);
    if (s && !living(m, op->thread)) {
        bad(m, "policy.before", "a thread that does not live:", op->thread);
    } else if (s && op->event != s->index) {
        bad(m, "policy.before", "an event that is not the thread's next one:", op->event);
    }
    return WEFT_ANSWER_GO;
}

static void after(void *instance, const weft_sched_view *view, const weft_sync_op *op)
{
    kit_source *s = check_op(instance, "policy.after", view, op);
    if (s) {
        s->operations[op->kind] = op->index + 1;
    }
}

static uint64_t delay(void *instance, uint32_t kind, uint64_t thread, uint64_t natural)
{
    if (kind >= WEFT_DELAY_KINDS) {
        bad(instance, "policy.delay", "kind", kind);
    }
    return natural;
}

static void deadlock(void *instance, const weft_sched_view *view)
{
    kit_machine *m = instance;
    check_view(m, "policy.deadlock", view);
    m->deadlocks++;
}

static void thread_start(void *instance, uint64_t thread, uint64_t parent)
{
    kit_machine *m = instance;
    kit_source *s = kit_source_of(m, thread);
    if (!thread || !kit_name(m, thread) || (s && s->started)) {
        bad(m, "policy.thread_start", "a thread without a name, or twice:", thread);
    }
    if (s) {
        s->started = 1;
    }
}

static void thread_end(void *instance, uint64_t thread)
{
    kit_source *s = living(instance, thread);
    if (!s) {
        bad(instance, "policy.thread_end", "a thread that does not live:", thread);
    } else {
        s->started = 2;
    }
}

const weft_policy_ops kit_policy_looks = {
    .size = sizeof kit_policy_looks,
    .pick_cpu = pick_cpu,
    .pick_next = pick_next,
    .quantum = quantum,
    .subscribe = subscribe,
    .before = before,
    .after = after,
    .delay = delay,
    .deadlock = deadlock,
    .thread_start = thread_start,
    .thread_end = thread_end,
};

static uint32_t no_cpu(void *instance, const weft_sched_view *view, uint64_t *slice)
{
    return 99;
}

static int32_t no_thread(void *instance, const weft_sched_view *view, uint32_t hw)
{
    return INT32_MIN;
}

static uint32_t no_answer(void *instance, const weft_sched_view *view, const weft_sync_op *op,
                          uint64_t *amount)
{
    return 77;
}

const weft_policy_ops kit_policy_illicit = {
    .size = sizeof kit_policy_illicit,
    .pick_cpu = no_cpu,
    .pick_next = no_thread,
    .subscribe = subscribe,
    .before = no_answer,
};
