/* The scheduler's other half: what the policy is shown, what it is asked, and what becomes of its
 * answers. An illegal one is replaced by the default and counted; after `policy_faults` of them the
 * built-in policy serves. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sched.h"

/* policy.answer's `op`: the place of the op in weft_policy_ops. */
#define OP_PICK_CPU  0
#define OP_PICK_NEXT 1
#define OP_BEFORE    4

void ksched_times(const kernel *k, uint64_t *times)
{
    bool open[WEFT_HW_COUNT]; /* any thread of its queue may run */
    for (uint32_t i = 0; i < WEFT_HW_COUNT; i++) {
        const khw *hw = &k->hw[i];
        const kthread *only = hw->in_dpc ? hw->interrupt : ksched_pinned(hw) ? hw->current : NULL;
        open[i] = !only;
        times[i] = only && ksched_runnable(only) ? hw->time : WEFT_TICK_NEVER;
        if (ksched_dpc_deliverable(hw)) {
            times[i] = hw->first_dpc->tick > hw->time ? hw->first_dpc->tick : hw->time;
        }
    }
    for (const kthread *t = k->live; t; t = t->live_next) {
        if (open[t->hw] && ksched_runnable(t)) {
            uint64_t hw_time = k->hw[t->hw].time;
            uint64_t at = t->ready_at > hw_time ? t->ready_at : hw_time;
            times[t->hw] = at < times[t->hw] ? at : times[t->hw];
        }
    }
}

static bool view_grow(kernel *k)
{
    if (k->view_capacity >= k->live_threads) {
        return true;
    }
    uint32_t capacity = k->live_threads + 32;
    weft_sched_thread *threads = realloc(k->view_threads, capacity * sizeof *threads);
    kthread **order = realloc(k->view_order, capacity * sizeof *order);
    k->view_threads = threads ? threads : k->view_threads;
    k->view_order = order ? order : k->view_order;
    if (!threads || !order) {
        kend(k, WEFT_END_PLUGIN, 0, "kernel-hle: out of memory for the policy's view");
        return false;
    }
    k->view_capacity = capacity;
    return true;
}

bool kpolicy_view(kernel *k, const uint64_t *times)
{
    if (!view_grow(k)) {
        return false;
    }
    uint64_t present[WEFT_HW_COUNT], now = WEFT_TICK_NEVER;
    if (!times) {
        ksched_times(k, present);
        times = present;
    }
    for (uint32_t i = 0; i < WEFT_HW_COUNT; i++) {
        now = times[i] < now ? times[i] : now;
        /* interrupts and DPCs count as ready: the hardware thread has something to run */
        k->view_hw[i] = (weft_sched_hw){
            .time = times[i] == WEFT_TICK_NEVER ? k->hw[i].time : times[i],
            .current = -1,
            .ready = ksched_dpc_deliverable(&k->hw[i]) || k->hw[i].in_dpc,
            .pinned = ksched_pinned(&k->hw[i]) || k->hw[i].in_dpc,
        };
    }
    uint32_t count = 0;
    for (kthread *t = k->live; t; t = t->live_next) {
        weft_sched_hw *hw = &k->view_hw[t->hw];
        if (k->hw[t->hw].current == t && ksched_runnable(t)) {
            hw->current = (int32_t)count;
        }
        hw->ready += ksched_runnable(t);
        t->view_index = count;
        k->view_order[count] = t;
        k->view_threads[count++] = (weft_sched_thread){
            .id = t->id,
            .ready_since = t->ready_since,
            .retired = t->cpu->retired,
            .order = t->order,
            .state = t->held ? WEFT_THREAD_WAITING : t->state,
            .hw = t->hw,
            .affinity = t->affinity,
            .priority = t->priority,
            .tid = t->tid,
        };
    }
    k->view = (weft_sched_view){
        .size = sizeof k->view,
        .thread_count = count,
        .thread_stride = sizeof(weft_sched_thread),
        .hw_stride = sizeof(weft_sched_hw),
        .now = now,
        .next_deadline = k->clock->next(k->clock),
        .threads = k->view_threads,
        .hw = k->view_hw,
    };
    return true;
}

static void policy_fault(kernel *k, uint32_t op, uint64_t answer, uint64_t instead)
{
    weft_event_buffer event;
    weft_event_begin(&event, WEFT_EVENT_POLICY_ANSWER);
    weft_event_word(&event, op);
    weft_event_word(&event, answer);
    weft_event_word(&event, instead);
    weft_event_word(&event, 0);
    kemit(k, NULL, &event);
    if (++k->policy_faults >= k->machine->policy_faults && !k->policy_ejected) {
        static const char reason[] = "too many illegal answers; the built-in policy serves";
        k->policy_ejected = true;
        k->policy_mask = 0;
        k->policy = NULL;
        weft_event_begin(&event, WEFT_EVENT_POLICY_EJECTED);
        weft_event_text(&event, reason, strlen(reason));
        kemit(k, NULL, &event);
        k->host->log(k->host, WEFT_LOG_WARN, reason);
    }
}

static kthread *default_next(const kernel *k, uint32_t index)
{
    kthread *best = NULL;
    for (kthread *t = k->live; t; t = t->live_next) {
        if (t->hw != index || !ksched_runnable(t) || t->ready_at > k->hw[index].time) {
            continue;
        }
        if (!best || t->priority > best->priority ||
            (t->priority == best->priority && t->order < best->order)) {
            best = t;
        }
    }
    return best;
}

/* The thread that was ready longest beyond the starvation limit, or NULL. */
static kthread *starving(const kernel *k, uint32_t index)
{
    kthread *worst = NULL;
    for (kthread *t = k->live; t; t = t->live_next) {
        if (t->hw == index && ksched_runnable(t) && t != k->hw[index].current &&
            t->ready_since + k->machine->starve <= k->hw[index].time &&
            (!worst || t->ready_since < worst->ready_since)) {
            worst = t;
        }
    }
    return worst;
}

/* Interrupts off or IRQL raised for as long as nobody may be kept waiting: on a console this hangs,
 * here others get their turn, and the run says so. */
static kthread *break_pin(kernel *k, khw *hw, kthread *starved)
{
    if (k->pins_broken++ == 0) {
        char line[160];
        snprintf(line, sizeof line,
                 "thread %u keeps hardware thread %u at IRQL %u for %" PRIu64
                 " ms while thread %u is ready: they take turns",
                 hw->current->tid, hw->current->hw, hw->irql,
                 (hw->time - hw->pin_start) / UINT64_C(1000000), starved->tid);
        k->host->log(k->host, WEFT_LOG_WARN, line);
    }
    return starved;
}

kthread *kpolicy_pick_thread(kernel *k, uint32_t index)
{
    khw *hw = &k->hw[index];
    if (ksched_pinned(hw) &&
        (hw->pin_start == WEFT_TICK_NEVER || hw->time - hw->pin_start < k->machine->starve)) {
        return hw->current;
    }
    kthread *starved = starving(k, index);
    if (ksched_pinned(hw)) {
        return starved ? break_pin(k, hw, starved) : hw->current;
    }
    if (starved) {
        return starved;
    }
    kthread *fallback = default_next(k, index);
    if (!k->policy || !k->policy->pick_next) {
        return fallback;
    }
    int32_t answer = k->policy->pick_next(k->policy_instance, &k->view, index);
    if (answer >= 0 && (uint32_t)answer < k->view.thread_count) {
        kthread *t = k->view_order[answer];
        if (t->hw == index && ksched_runnable(t)) {
            return t->ready_at <= hw->time ? t : fallback;
        }
    }
    policy_fault(k, OP_PICK_NEXT, (uint64_t)(int64_t)answer, fallback ? fallback->id : 0);
    return fallback;
}

uint32_t kpolicy_pick_hw(kernel *k, const uint64_t *times, uint64_t deadline, uint64_t *slice)
{
    uint32_t least = 0;
    for (uint32_t i = 1; i < WEFT_HW_COUNT; i++) {
        least = times[i] < times[least] ? i : least;
    }
    *slice = WEFT_TICK_NEVER;
    if (!k->policy || !k->policy->pick_cpu) {
        return least;
    }
    uint32_t answer = k->policy->pick_cpu(k->policy_instance, &k->view, slice);
    if (answer < WEFT_HW_COUNT && times[answer] != WEFT_TICK_NEVER &&
        times[answer]<deadline && * slice> 0) {
        return answer;
    }
    if (answer >= WEFT_HW_COUNT || times[answer] == WEFT_TICK_NEVER || *slice == 0) {
        policy_fault(k, OP_PICK_CPU, answer, least);
    }
    *slice = WEFT_TICK_NEVER;
    return least;
}

bool kpolicy_asked(const kernel *k, uint32_t kind)
{
    return (k->policy_mask >> kind & 1) != 0;
}

/* It has been let go already, in this call: after YIELD or SPIN, or because it was held too long. */
static bool granted(const kthread *t, uint32_t kind, uint32_t position)
{
    return t->granted_at == t->cpu->retired + 1 && (t->granted >> kind & 1) &&
           (t->granted_objects >> position & 1);
}

static void grant(kthread *t, uint32_t kind, uint32_t position)
{
    bool more = t->granted_at == t->cpu->retired + 1;
    t->granted_at = t->cpu->retired + 1;
    t->granted = (more ? t->granted : 0) | 1u << kind;
    t->granted_objects = (more ? t->granted_objects : 0) | UINT64_C(1) << position;
}

bool kpolicy_before(kcall *call, const weft_sync_op *op, uint32_t position)
{
    kernel *k = call->k;
    kthread *t = call->thread;
    if (!k->policy || !k->policy->before || kthread_is_interrupt(t)) {
        return true; /* also in a DPC: nothing else may run there before it returns */
    }
    if (granted(t, op->kind, position)) {
        return true;
    }
    uint64_t amount = 0;
    if (!kpolicy_view(k, NULL)) {
        return true;
    }
    uint32_t answer = k->policy->before(k->policy_instance, &k->view, op, &amount);
    switch (answer) {
    case WEFT_ANSWER_HOLD:
        t->held = true;
        t->held_kind = op->kind;
        t->held_position = position;
        t->held_since = k->running_hw->time;
        break;
    case WEFT_ANSWER_YIELD:
        grant(t, op->kind, position);
        t->order = ++k->order;
        break;
    case WEFT_ANSWER_SPIN:
        grant(t, op->kind, position);
        kcharge(k, (uint32_t)amount);
        break;
    default:
        if (answer > WEFT_ANSWER_BLOCK ||
            (answer == WEFT_ANSWER_BLOCK && op->kind != WEFT_SYNC_ENTER_CONTENDED)) {
            policy_fault(k, OP_BEFORE, answer, WEFT_ANSWER_GO);
        }
        return true;
    }
    k->reschedule = true;
    return false;
}

void kpolicy_after(kernel *k, const weft_sync_op *op)
{
    if (kpolicy_asked(k, op->kind) && k->policy && k->policy->after && kpolicy_view(k, NULL)) {
        k->policy->after(k->policy_instance, &k->view, op);
    }
}

bool kpolicy_release_held(kernel *k)
{
    kthread *oldest = NULL;
    for (kthread *t = k->live; t; t = t->live_next) {
        if (t->held && (!oldest || t->held_since < oldest->held_since)) {
            oldest = t;
        }
    }
    if (!oldest) {
        return false;
    }
    if (k->policy && k->policy->stuck && kpolicy_view(k, NULL)) {
        uint64_t answer = k->policy->stuck(k->policy_instance, &k->view);
        for (kthread *t = k->live; t; t = t->live_next) {
            if (t->held && t->id == answer) {
                oldest = t;
                break;
            }
        }
    }
    oldest->held = false;
    grant(oldest, oldest->held_kind, oldest->held_position);
    return true;
}
