/* The scheduler's other half: what the policy is shown, what it is asked, and what becomes of its
 * answers. An illegal one is replaced by the default and counted; after `policy_faults` of them the
 * built-in policy serves. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sched.h"

/* A thread that is held for an object's number is asked again all the same after so many ticks, or
 * slices of others: these may be waiting for it. */
#define PATIENT_TICKS  UINT64_C(1000000)
#define PATIENT_SLICES 256

#define ALL_QUEUES ((UINT32_C(1) << WEFT_HW_COUNT) - 1)

/* Who may run where, and when, on the hardware threads of which `which` has a bit. The copies in the
 * view are made on the way. */
static inline void look_at_threads(kernel *k, uint32_t which, bool shows)
{
    for (uint32_t bits = which; bits; bits &= bits - 1) {
        k->queues[__builtin_ctz(bits)] = (kqueue){.first = WEFT_TICK_NEVER};
    }
    for (uint32_t i = 0; i < k->live_threads; i++) {
        const kthread *t = k->view_order[i];
        if (!(which >> t->hw & 1)) {
            continue;
        }
        uint64_t runs = ksched_runnable(t), at = runs ? t->ready_at : WEFT_TICK_NEVER;
        kqueue *q = &k->queues[t->hw];
        q->first = at < q->first ? at : q->first;
        q->ready += (uint32_t)runs;
        q->bits |= i < 64 ? runs << i : 0;
        if (shows) {
            k->view_threads[i] = t->shown;
            k->view_threads[i].state = t->held ? WEFT_THREAD_WAITING : t->state;
        }
    }
}

/* When the hardware thread could next run something, or NEVER. */
static inline uint64_t time_of(const khw *hw, const kqueue *q, bool pinned)
{
    uint64_t at = q->first;
    if (hw->in_dpc || pinned) { /* one that was held goes on no earlier than others did */
        const kthread *only = hw->in_dpc ? hw->interrupt : hw->current;
        at = ksched_runnable(only) ? only->ready_at : WEFT_TICK_NEVER;
    } else if (hw->first_dpc) {
        at = hw->first_dpc->tick;
    }
    return at > hw->time ? at : hw->time;
}

static inline void show_hw(weft_sched_hw *shown, const khw *hw, const kqueue *q, bool pinned,
                           uint64_t time)
{
    const kthread *current = hw->current;
    bool can = time != WEFT_TICK_NEVER;
    bool deliverable = hw->first_dpc && !pinned;
    shown->time = can ? time : hw->time;
    shown->current = current && ksched_runnable(current) ? (int32_t)current->view_index : -1;
    /* interrupts and DPCs count: it has something to run; one that is pinned by a thread that is held
     * has not */
    shown->ready = can ? q->ready + (deliverable || hw->in_dpc) : 0;
    shown->pinned = hw->in_dpc || pinned;
}

static inline void look_at_hw(kernel *k, uint32_t i, bool shows)
{
    const khw *hw = &k->hw[i];
    bool pinned = ksched_pinned(hw);
    uint64_t time = time_of(hw, &k->queues[i], pinned);
    k->outlook.times[i] = time;
    k->queues[i].pinned = pinned;
    if (shows) {
        show_hw(&k->view_hw[i], hw, &k->queues[i], pinned, time);
    }
}

/* Which hardware thread has the least time; of equals the lowest. */
static inline void rank(koutlook *o)
{
    uint64_t least = WEFT_TICK_NEVER, second = WEFT_TICK_NEVER;
    uint32_t at = 0;
#pragma GCC unroll 6
    for (uint32_t i = 0; i < WEFT_HW_COUNT; i++) {
        /* no branch: which one is the least is hard to foretell */
        uint64_t time = o->times[i], later = time > least ? time : least;
        second = later < second ? later : second;
        at ^= (at ^ i) & (0 - (uint32_t)(time < least));
        least = time < least ? time : least;
    }
    o->least = least;
    o->second = second;
    o->at = at;
}

static inline void look(kernel *k, uint32_t which, bool shows)
{
    look_at_threads(k, which, shows);
    for (uint32_t bits = which; bits; bits &= bits - 1) {
        look_at_hw(k, (uint32_t)__builtin_ctz(bits), shows);
    }
    rank(&k->outlook);
    k->outlook.deadline = k->clock->next(k->clock);
}

/* After a slice that did nothing but execute instructions: the one that ran and the one that it
 * replaced are what has changed. No DPC is queued there, so that its queue says all. */
static inline void look_at_slice(kernel *k, bool shows)
{
    uint32_t index = k->ran;
    const khw *hw = &k->hw[index];
    const kthread *t = hw->current;
    kqueue *q = &k->queues[index];
    q->pinned = ksched_pinned(hw);
    uint64_t first = q->pinned ? t->ready_at : q->first;
    uint64_t time = first > hw->time ? first : hw->time;
    k->outlook.times[index] = time;
    if (shows) {
        weft_sched_hw *place = &k->view_hw[index];
        weft_sched_thread *shown = &k->view_threads[t->view_index];
        if (place->current >= 0) {
            k->view_threads[place->current].state = k->view_order[place->current]->state;
        }
        place->time = time;
        place->current = (int32_t)t->view_index;
        place->pinned = q->pinned;
        shown->ready_since = t->ready_since;
        shown->retired = t->seen_retired;
        shown->order = t->order;
        shown->state = t->state;
    }
    rank(&k->outlook);
}

/* ---- the view ----------------------------------------------------------------------------------
 */

bool ksched_live_room(kernel *k)
{
    if (k->view_capacity > k->live_threads) {
        return true;
    }
    uint32_t capacity = k->live_threads + 32;
    weft_sched_thread *threads = realloc(k->view_threads, capacity * sizeof *threads);
    kthread **order = realloc(k->view_order, capacity * sizeof *order);
    k->view_threads = threads ? threads : k->view_threads;
    k->view_order = order ? order : k->view_order;
    if (!threads || !order) {
        return false;
    }
    k->view_capacity = capacity;
    return true;
}

void ksched_live_add(kernel *k, kthread *t)
{
    *(k->last_live ? &k->last_live->live_next : &k->live) = t;
    k->last_live = t;
    k->stale = true;
    t->view_index = k->live_threads;
    k->view_order[k->live_threads++] = t;
}

void ksched_live_remove(kernel *k, kthread *t)
{
    uint32_t place = t->view_index;
    kthread *previous = place ? k->view_order[place - 1] : NULL;
    *(previous ? &previous->live_next : &k->live) = t->live_next;
    k->last_live = k->last_live == t ? previous : k->last_live;
    k->live_threads--;
    for (uint32_t i = place; i < k->live_threads; i++) {
        k->view_order[i] = k->view_order[i + 1];
        k->view_order[i]->view_index = i;
    }
    k->stale = true;
    k->view.size = 0; /* what it shows is elsewhere now */
}

static bool in_view(const kernel *k, const kthread *t)
{
    return t && k->view.size > 0 && t->view_index < k->view.thread_count &&
           k->view_order[t->view_index] == t;
}

static void look_and_show(kernel *k, uint32_t which)
{
    look(k, which, true);
    k->view.now = k->outlook.least;
    k->view.next_deadline = k->outlook.deadline;
    k->view.size = sizeof k->view;
    k->view.thread_count = k->live_threads;
    k->view.thread_stride = sizeof(weft_sched_thread);
    k->view.hw_stride = sizeof(weft_sched_hw);
    k->view.threads = k->view_threads;
    k->view.hw = k->view_hw;
    if (in_view(k, k->running)) { /* it has gone on since its latest slice */
        k->view_threads[k->running->view_index].retired = kthread_retired(k->running);
    }
}

/* Whether the policy is asked who runs, if it has ops for that. */
static inline bool picks(const kernel *k)
{
    return k->policy && (k->behind > 0 || !(k->policy_mask & WEFT_PICK_HELD));
}

/* Whether it looks at the view before the next slice, or at its end. */
static inline bool looks(const kernel *k)
{
    return (picks(k) && (k->policy->pick_cpu || k->policy->pick_next)) ||
           (k->policy && k->policy->quantum);
}

const koutlook *ksched_look(kernel *k)
{
    bool shows = looks(k);
    bool begins = shows && !k->shown; /* what the view has is of some earlier time */
    k->shown = shows;
    if (k->stale || k->entered || k->touched || k->parallel || begins) {
        bool all = k->stale || k->parallel || begins || (shows && k->view.size == 0);
        uint32_t which = all ? ALL_QUEUES : k->touched | UINT32_C(1) << k->ran;
        k->stale = k->entered = false;
        k->touched = 0;
        if (shows) {
            look_and_show(k, which);
        } else {
            look(k, which, false);
        }
    } else if (shows) {
        look_at_slice(k, true);
        k->view.now = k->outlook.least;
    } else {
        look_at_slice(k, false);
    }
    return &k->outlook;
}

void kpolicy_view(kernel *k)
{
    k->stale = true; /* a slice may be under way */
    look_and_show(k, ALL_QUEUES);
}

/* The view of the slice that has just been: of what is in it, `now` and what the thread has retired
 * are current. */
static void view_of_slice(kernel *k, const kthread *t)
{
    if (!in_view(k, t)) {
        kpolicy_view(k);
    }
    k->view_threads[t->view_index].retired = kthread_retired(t);
    k->view.now = k->running_hw->time;
}

/* ---- answers -----------------------------------------------------------------------------------
 */

typedef struct answer {
    uint32_t op;             /* WEFT_POLICY_OP_* */
    uint64_t asking;         /* how many there were before */
    const kthread *thread;   /* whom it concerns, NULL: nobody */
    uint64_t value, natural; /* the policy's, the built-in one's */
    uint64_t amount;
} answer;

static void emit_answer(kernel *k, const answer *a, bool taken)
{
    weft_event_buffer event;
    weft_event_begin(&event, WEFT_EVENT_POLICY_ANSWER);
    weft_event_word(&event, a->op);
    weft_event_word(&event, a->value);
    weft_event_word(&event, a->natural);
    weft_event_word(&event, a->amount);
    weft_event_word(&event, a->asking);
    weft_event_word(&event, taken);
    kemit(k, a->thread, &event);
}

/* An answer counts; it is left where it is not what the built-in policy would have said. */
static void accept(kernel *k, const answer *a, bool differs)
{
    if (differs && kwanted(k->host, WEFT_EVENT_POLICY_ANSWER)) {
        emit_answer(k, a, true);
    }
}

void kpolicy_eject(kernel *k, const char *reason)
{
    if (!k->policy) {
        return;
    }
    weft_event_buffer event;
    char line[256];
    snprintf(line, sizeof line, "%s; the built-in policy serves", reason);
    __atomic_store_n(&k->policy_ejected, true, __ATOMIC_RELAXED);
    k->policy_mask = k->ask_mask = k->tell_mask = 0;
    k->policy = NULL;
    weft_event_begin(&event, WEFT_EVENT_POLICY_EJECTED);
    weft_event_text(&event, line, strlen(line));
    kemit(k, NULL, &event);
    k->host->log(k->host, WEFT_LOG_WARN, line);
}

/* An answer that is none of the legal ones. */
static void refuse(kernel *k, const answer *a)
{
    emit_answer(k, a, false);
    if (++k->policy_faults >= k->machine->policy_faults) {
        kpolicy_eject(k, "too many illegal answers");
    }
}

/* ---- who runs ----------------------------------------------------------------------------------
 */

/* The best so far of who runs next by default, and of who was ready longest beyond the starvation
 * limit. */
typedef struct choice {
    kthread *best, *starved;
    uint64_t time, starve;
} choice;

static void consider(choice *c, const khw *hw, kthread *t)
{
    if (t->ready_at <= c->time &&
        (!c->best || t->priority > c->best->priority ||
         (t->priority == c->best->priority && t->order < c->best->order))) {
        c->best = t;
    }
    if (t->ready_since + c->starve <= c->time && t != hw->current &&
        (!c->starved || t->ready_since < c->starved->ready_since)) {
        c->starved = t;
    }
}

/* Nothing has changed since ksched_look. */
static choice default_next(const kernel *k, uint32_t index)
{
    const khw *hw = &k->hw[index];
    choice c = {.time = hw->time, .starve = k->machine->starve};
    for (uint64_t bits = k->queues[index].bits; bits; bits &= bits - 1) {
        consider(&c, hw, k->view_order[__builtin_ctzll(bits)]);
    }
    for (uint32_t i = 64; i < k->live_threads; i++) {
        kthread *t = k->view_order[i];
        if (t->hw == index && ksched_runnable(t)) {
            consider(&c, hw, t);
        }
    }
    return c;
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

/* The policy has said something else than the built-in one would. */
static kthread *other_next(kernel *k, uint32_t index, int32_t chosen, kthread *fallback,
                           uint64_t asking)
{
    answer a = {
        .op = WEFT_POLICY_OP_PICK_NEXT,
        .asking = asking,
        .value = (uint64_t)(int64_t)chosen,
        .natural = fallback ? fallback->id : 0,
        .amount = index,
    };
    if (chosen >= 0 && (uint32_t)chosen < k->view.thread_count) {
        kthread *t = k->view_order[chosen];
        if (t->hw == index && ksched_runnable(t)) {
            t = t->ready_at <= k->hw[index].time ? t : fallback;
            a.thread = t;
            a.value = t ? t->id : 0;
            accept(k, &a, t != fallback);
            return t;
        }
    }
    refuse(k, &a);
    return fallback;
}

kthread *kpolicy_pick_thread(kernel *k, uint32_t index)
{
    khw *hw = &k->hw[index];
    bool pinned = k->queues[index].pinned;
    if (pinned &&
        (hw->pin_start == WEFT_TICK_NEVER || hw->time - hw->pin_start < k->machine->starve)) {
        return hw->current;
    }
    choice c = default_next(k, index);
    if (pinned) {
        return c.starved ? break_pin(k, hw, c.starved) : hw->current;
    }
    if (c.starved) {
        return c.starved;
    }
    uint64_t asking = k->askings[WEFT_POLICY_OP_PICK_NEXT]++;
    if (!picks(k) || !k->policy->pick_next) {
        return c.best;
    }
    int32_t chosen = k->policy->pick_next(k->policy_instance, &k->view, index);
    if (kpolicy_broken(k) || (c.best && chosen == (int32_t)c.best->view_index)) {
        return c.best;
    }
    return other_next(k, index, chosen, c.best, asking);
}

uint32_t kpolicy_pick_hw(kernel *k, const koutlook *o, uint64_t deadline, uint64_t *slice)
{
    uint32_t least = o->at;
    *slice = WEFT_TICK_NEVER;
    uint64_t asking = k->askings[WEFT_POLICY_OP_PICK_CPU]++;
    if (!picks(k) || !k->policy->pick_cpu) {
        return least;
    }
    uint32_t chosen = k->policy->pick_cpu(k->policy_instance, &k->view, slice);
    if (kpolicy_broken(k)) {
        *slice = WEFT_TICK_NEVER;
        return least;
    }
    answer a = {
        .op = WEFT_POLICY_OP_PICK_CPU,
        .asking = asking,
        .value = chosen,
        .natural = least,
        .amount = *slice,
    };
    if (chosen >= WEFT_HW_COUNT || o->times[chosen] == WEFT_TICK_NEVER || *slice == 0) {
        refuse(k, &a);
    } else if (o->times[chosen] < deadline) {
        accept(k, &a, chosen != least || *slice != WEFT_TICK_NEVER);
        return chosen;
    }
    *slice = WEFT_TICK_NEVER;
    return least;
}

uint64_t kpolicy_quantum(kernel *k, kthread *t)
{
    uint64_t ticks = 0, asking = k->askings[WEFT_POLICY_OP_QUANTUM]++;
    if (k->policy && k->policy->quantum) {
        view_of_slice(k, t);
        ticks = k->policy->quantum(k->policy_instance, &k->view, (int32_t)t->view_index);
        ticks = kpolicy_broken(k) ? 0 : ticks;
    }
    ticks = ticks ? ticks : KSCHED_QUANTUM;
    if (ticks != (t->quantum ? t->quantum : KSCHED_QUANTUM)) {
        /* the same quantum slice after slice is one answer */
        answer a = {
            .op = WEFT_POLICY_OP_QUANTUM,
            .asking = asking,
            .thread = t,
            .value = ticks,
            .natural = KSCHED_QUANTUM,
        };
        accept(k, &a, true);
    }
    t->quantum = ticks;
    return ticks;
}

uint64_t kpolicy_delay(kernel *k, const kthread *t, uint32_t kind, uint64_t natural)
{
    answer a = {
        .op = WEFT_POLICY_OP_DELAY,
        .asking = k->askings[WEFT_POLICY_OP_DELAY]++,
        .thread = t,
        .value = natural,
        .natural = natural,
        .amount = kind,
    };
    if (k->policy && k->policy->delay) {
        uint64_t ticks = k->policy->delay(k->policy_instance, kind, t->id, natural);
        if (kpolicy_broken(k)) {
            return natural;
        }
        a.value = ticks;
        if (ticks > natural && ticks - natural > WEFT_DELAY_MOST) {
            refuse(k, &a);
            return natural;
        }
        accept(k, &a, a.value != natural);
    }
    return a.value;
}

uint64_t kpolicy_deadline(kernel *k, const kthread *t, uint32_t kind, uint64_t now, uint64_t due)
{
    uint64_t ticks = kpolicy_delay(k, t, kind, due - now), most = WEFT_TICK_NEVER - 1 - now;
    return now + (ticks < most ? ticks : most);
}

/* The kernel's own choice: where the thread is, if its affinity has that, else the lowest that it has. */
static uint32_t natural_place(const kthread *t)
{
    uint32_t mask = t->affinity >> t->hw & 1 ? 1u << t->hw : t->affinity;
    return mask ? (uint32_t)__builtin_ctz(mask) : t->hw;
}

uint32_t kpolicy_place(kernel *k, const kthread *t)
{
    uint32_t natural = natural_place(t);
    answer a = {
        .op = WEFT_POLICY_OP_PLACE,
        .asking = k->askings[WEFT_POLICY_OP_PLACE]++,
        .thread = t,
        .value = natural,
        .natural = natural,
    };
    if (k->policy && k->policy->place && !kthread_is_interrupt(t)) {
        kpolicy_view(k);
        a.value = k->policy->place(k->policy_instance, &k->view, (int32_t)t->view_index);
        if (kpolicy_broken(k)) {
            return natural;
        }
        if (a.value >= WEFT_HW_COUNT) {
            refuse(k, &a);
            return natural;
        }
        accept(k, &a, a.value != natural);
    }
    return (uint32_t)a.value;
}

/* ---- operations --------------------------------------------------------------------------------
 */

static void grant(kthread *t, uint32_t kind, uint32_t position)
{
    bool more = t->granted_at == t->cpu->retired + 1;
    t->granted_at = t->cpu->retired + 1;
    t->granted = (more ? t->granted : 0) | 1u << kind;
    t->granted_objects = (more ? t->granted_objects : 0) | UINT64_C(1) << position;
}

/* For longer than anybody may be kept waiting: it goes on, and the run says so. */
static bool held_too_long(kernel *k, const kthread *t, uint64_t now)
{
    if (now < t->held_since || now - t->held_since < k->machine->starve) {
        return false;
    }
    if (k->holds_broken++ == 0) {
        char line[160];
        snprintf(line, sizeof line,
                 "thread %u was held by the policy for %" PRIu64 " ms: it goes on", t->tid,
                 (now - t->held_since) / UINT64_C(1000000));
        k->host->log(k->host, WEFT_LOG_WARN, line);
    }
    return true;
}

/* When a held thread is to be asked again: others have run for so many slices, or for so long. */
static void expect(kernel *k, const kthread *t)
{
    uint64_t round = t->held_until ? t->held_round + PATIENT_SLICES : 0;
    uint64_t tick = t->held_until ? t->held_asked + PATIENT_TICKS : 0;
    k->ask_round = round < k->ask_round ? round : k->ask_round;
    k->ask_tick = tick < k->ask_tick ? tick : k->ask_tick;
}

static void expect_nobody(kernel *k)
{
    k->ask_round = k->ask_tick = UINT64_MAX;
}

/* The thread stays before its operation until it is asked again: when `o` has come to number `until`,
 * or (0) once others have run. */
static void keep(kernel *k, kthread *t, const weft_sync_op *op, uint32_t position, uint64_t until,
                 kobject *o)
{
    if (k->held == 0) {
        expect_nobody(k);
    }
    k->held += !t->held;
    t->held = true;
    t->held_kind = op->kind;
    t->held_position = position;
    t->held_until = until;
    if (until) {
        t->held_object = o->id;
        t->held_asked = k->running_hw->time;
        t->held_round = k->rounds;
        o->awaited = o->awaited && o->awaited < until ? o->awaited : until;
    }
    expect(k, t);
}

/* Not yet, and not before `o` has come to number `until`. False: that was said too often. */
static bool hold(kernel *k, kthread *t, const weft_sync_op *op, uint32_t position, uint64_t until,
                 kobject *o)
{
    uint64_t now = k->running_hw->time;
    bool again = t->held_at == t->cpu->retired + 1; /* this call, at whichever object */
    if (again && held_too_long(k, t, now)) {
        return false;
    }
    if (!again) {
        t->held_since = now;
    }
    k->behind += t->held_at == 0;
    t->held_at = t->cpu->retired + 1;
    t->yield_since = WEFT_TICK_NEVER;
    keep(k, t, op, position, o && until > o->operations ? until : 0, o);
    return true;
}

/* Others of its hardware thread wait to run: they go first. False: nobody does, or may. */
static bool yield(kernel *k, kthread *t)
{
    t->yield_since = k->slices;
    t->order = ++k->order;
    return !ksched_pinned(k->running_hw) && ksched_yields(k, t);
}

bool ksched_yields(const kernel *k, const kthread *t)
{
    for (const kthread *other = k->live; other; other = other->live_next) {
        if (other != t && other->hw == t->hw && ksched_runnable(other) &&
            other->ready_at <= k->hw[t->hw].time && other->last_slice <= t->yield_since) {
            return true;
        }
    }
    return false;
}

bool kpolicy_goes_otherwise(kcall *call, const weft_sync_op *op, uint32_t position, kobject *o,
                            uint32_t value, uint64_t amount)
{
    kernel *k = call->k;
    kthread *t = call->thread;
    if (kpolicy_broken(k)) {
        return true;
    }
    bool goes = value == WEFT_ANSWER_BLOCK && op->kind == WEFT_SYNC_ENTER_CONTENDED;
    answer a = {
        .op = WEFT_POLICY_OP_BEFORE | op->kind << 8,
        .asking = k->before_askings[op->kind] - 1,
        .thread = t,
        .value = value,
        .natural = WEFT_ANSWER_GO,
        .amount = value == WEFT_ANSWER_SPIN        ? (uint32_t)amount
                  : value == WEFT_ANSWER_HOLD && o ? amount
                                                   : 0,
    };
    switch (value) {
    case WEFT_ANSWER_HOLD:
        if (!hold(k, t, op, position, a.amount, o)) {
            emit_answer(k, &a, false);
            return true;
        }
        break;
    case WEFT_ANSWER_YIELD:
        grant(t, op->kind, position);
        if (!yield(k, t)) {
            accept(k, &a, true);
            return true;
        }
        keep(k, t, op, position, 0, NULL);
        t->held_since = k->running_hw->time;
        break;
    case WEFT_ANSWER_SPIN:
        grant(t, op->kind, position);
        ksched_pass(k, t, a.amount);
        break;
    default:
        if (!goes) {
            refuse(k, &a);
            return true;
        }
    }
    accept(k, &a, true);
    k->reschedule |= !goes;
    return goes;
}

bool kpolicy_before_source(kernel *k, const weft_sync_op *op, uint64_t due)
{
    uint64_t now = k->clock->now(k->clock);
    answer a = {
        .op = WEFT_POLICY_OP_BEFORE | op->kind << 8,
        .asking = k->before_askings[op->kind]++,
        .natural = WEFT_ANSWER_GO,
    };
    if (!(k->policy_mask & WEFT_SYNC_SOURCES) || !kpolicy_asked(k, op->kind)) {
        return true;
    }
    kpolicy_view_operation(k);
    a.value = k->policy->before(k->policy_instance, &k->view, op, &a.amount);
    if (kpolicy_broken(k)) {
        return true;
    }
    a.amount = 0;
    if (a.value != WEFT_ANSWER_HOLD) {
        return true;
    }
    if (now >= due && now - due >= k->machine->starve) {
        emit_answer(k, &a, false);
        return true;
    }
    accept(k, &a, true);
    return false;
}

/* ---- held threads ------------------------------------------------------------------------------
 */

static void release(kernel *k, kthread *t, uint64_t tick)
{
    ksched_touch(k, t);
    k->held -= t->held;
    t->held = false;
    t->held_until = 0;
    t->ready_at = tick > t->ready_at ? tick : t->ready_at;
}

void kpolicy_awaited(kernel *k, kobject *o)
{
    uint64_t now = k->running_hw ? k->running_hw->time : k->clock->now(k->clock);
    o->awaited = 0;
    for (kthread *t = k->live; t; t = t->live_next) {
        if (!t->held || !t->held_until || t->held_object != o->id) {
            continue;
        }
        if (o->operations >= t->held_until) {
            release(k, t, now);
            ksched_run_up_to(k, t);
        } else if (!o->awaited || t->held_until < o->awaited) {
            o->awaited = t->held_until;
        }
    }
}

/* Whether others have run for it to be asked again. */
static bool asks_again(const kernel *k, const kthread *t, uint64_t tick)
{
    if (t->held_until) {
        return k->rounds - t->held_round >= PATIENT_SLICES ||
               (tick >= t->held_asked && tick - t->held_asked >= PATIENT_TICKS);
    }
    return t->yield_since == WEFT_TICK_NEVER || !ksched_yields(k, t);
}

void ksched_ask_held(kernel *k, const kthread *ran, uint64_t tick)
{
    expect_nobody(k);
    for (kthread *t = k->live; t; t = t->live_next) {
        if (t->held && t != ran && asks_again(k, t, tick)) {
            release(k, t, t->yield_since == WEFT_TICK_NEVER ? tick : 0);
        }
        if (t->held) {
            expect(k, t);
        }
    }
}

/* Those that wait for an object's number are asked, if anything has happened since they last were, and
 * nothing is to happen before it is their time. Whether there were any. */
static bool ask_patient(kernel *k, uint64_t due)
{
    bool found = false;
    for (kthread *t = k->live; t; t = t->live_next) {
        if (t->held && t->held_until && t->held_round != k->rounds &&
            (due == WEFT_TICK_NEVER || due >= t->held_asked + PATIENT_TICKS)) {
            release(k, t, k->round_tick);
            found = true;
        }
    }
    return found;
}

static kthread *longest_held(const kernel *k)
{
    kthread *oldest = NULL;
    for (kthread *t = k->live; t; t = t->live_next) {
        if (t->held && (!oldest || t->held_since < oldest->held_since)) {
            oldest = t;
        }
    }
    return oldest;
}

bool kpolicy_release_held(kernel *k, uint64_t due)
{
    kthread *oldest = longest_held(k), *chosen = oldest;
    if (!oldest) {
        return false;
    }
    if (ask_patient(k, due)) {
        return true;
    }
    if (due != WEFT_TICK_NEVER) {
        uint64_t limit = oldest->held_since + k->machine->starve;
        if (limit > due) {
            return false; /* somebody may come who lets it go */
        }
        held_too_long(k, oldest, limit);
        grant(oldest, oldest->held_kind, oldest->held_position);
        release(k, oldest, limit);
        return true;
    }
    answer a = {
        .op = WEFT_POLICY_OP_STUCK,
        .asking = k->askings[WEFT_POLICY_OP_STUCK]++,
        .natural = oldest->id,
    };
    if (k->policy && k->policy->stuck) {
        kpolicy_view(k);
        a.value = k->policy->stuck(k->policy_instance, &k->view);
        a.value = kpolicy_broken(k) ? 0 : a.value;
        for (kthread *t = k->live; t; t = t->live_next) {
            if (t->held && t->id == a.value) {
                chosen = t;
                break;
            }
        }
        a.value = chosen->id;
    }
    a.thread = chosen;
    accept(k, &a, chosen != oldest);
    grant(chosen, chosen->held_kind, chosen->held_position);
    release(k, chosen, 0);
    return true;
}
