#include "order.h"

#include <sched.h>

#include "dispatcher.h"
#include "parallel.h"
#include "uncontended.h"

#define SECTION_SPIN 1 /* u8 in a critical section: spin count / 256 (sync.c) */

/* ---- operations --------------------------------------------------------------------------------
 */

/* Operations so far, by kind, of who acts. */
static inline uint64_t *counts(kernel *k, kthread *t)
{
    return t ? t->sync_index : ksource_counts(k);
}

static inline weft_sync_op describe(kernel *k, kthread *t, uint32_t kind, const kobject *o)
{
    return (weft_sync_op){
        .size = sizeof(weft_sync_op),
        .kind = kind,
        .thread = t ? t->id : k->acting,
        .object = o ? o->id : 0,
        .index = counts(k, t)[kind],
        .sequence = o ? __atomic_load_n(&o->operations, __ATOMIC_RELAXED) : 0,
        .site = kcall_site(t),
        .pointer = o ? o->body : 0,
        .event = t ? t->events : 0,
    };
}

/* The thread's operation is over: what the policy said of it is. */
static void done(kthread *t, uint32_t kind)
{
    t->sync_index[kind]++;
    t->granted = 0;
    t->granted_objects = 0;
    t->held_at = 0;
}

/* sync.op, and the policy is told. */
static void leave(kernel *k, kthread *t, const weft_sync_op *op)
{
    weft_event_buffer event;
    weft_event_begin(&event, WEFT_EVENT_SYNC_OP);
    weft_event_word(&event, op->kind);
    weft_event_word(&event, op->object);
    weft_event_word(&event, op->sequence);
    weft_event_word(&event, op->index);
    kemit(k, t, &event);
    if (t) {
        k->behind -= t->held_at != 0;
        done(t, op->kind);
    } else {
        counts(k, t)[op->kind]++;
    }
    if (kpolicy_told(k, op->kind)) {
        kpolicy_after(k, op);
    }
}

/* The object's next number is taken. Others may be looking; who counts is alone in that. */
static uint64_t take_number(kernel *k, kobject *o)
{
    uint64_t number = __atomic_load_n(&o->operations, __ATOMIC_RELAXED);
    __atomic_store_n(&o->operations, number + 1, __ATOMIC_RELAXED);
    if (o->awaited && number + 1 >= o->awaited) {
        kpolicy_awaited(k, o);
    }
    return number;
}

bool korder_before(kcall *call, uint32_t kind, kobject *o)
{
    if (call->unlocked || kpolicy_passes(call->k, call->thread, kind, 0)) {
        return true; /* the former: of a kind that the policy does not ask for */
    }
    weft_sync_op op = describe(call->k, call->thread, kind, o);
    op.site = call->caller;
    if (kind == WEFT_SYNC_ENTER_CONTENDED && o) {
        op.spin = call->k->memory->base[o->body + SECTION_SPIN] * 256u;
    }
    return kpolicy_before(call, &op, 0, o);
}

bool korder_before_wait(kcall *call, kobject *const *objects, uint32_t count)
{
    for (uint32_t i = 0; i < count || i == 0; i++) {
        if (kpolicy_passes(call->k, call->thread, WEFT_SYNC_WAIT, i)) {
            continue;
        }
        weft_sync_op op =
            describe(call->k, call->thread, WEFT_SYNC_WAIT, count ? objects[i] : NULL);
        op.index += i;
        op.site = call->caller;
        if (!kpolicy_before(call, &op, i, count ? objects[i] : NULL)) {
            return false;
        }
    }
    return true;
}

void korder_take(kernel *k, kthread *t, uint32_t kind, kobject *o)
{
    weft_sync_op op = describe(k, t, kind, o);
    if (o) {
        (void)take_number(k, o);
    }
    leave(k, t, &op);
}

bool korder_source_held(kernel *k, uint32_t source, kobject *o, uint64_t due)
{
    uint64_t before = ksource_act(k, source);
    weft_sync_op op = describe(k, NULL, WEFT_SYNC_SIGNAL, o);
    bool held = !kpolicy_before_source(k, &op, due);
    ksource_end(k, before);
    return held;
}

/* ---- the end of a wait -------------------------------------------------------------------------
 */

void korder_end_wait(kthread *t, uint32_t kind, kobject *o)
{
    t->ended[t->ended_count++] = (kended){
        .object = o->id,
        .sequence = take_number(t->k, o),
        .pointer = o->body,
        .kind = kind,
    };
}

static weft_sync_op end_op(const kcall *call, uint32_t i)
{
    const kended *e = &call->thread->ended[i];
    return (weft_sync_op){
        .size = sizeof(weft_sync_op),
        .kind = e->kind,
        .thread = call->thread->id,
        .object = e->object,
        .index = call->thread->sync_index[e->kind],
        .sequence = e->sequence,
        .site = call->caller,
        .pointer = e->pointer,
        .event = call->thread->events,
    };
}

bool korder_resume(kcall *call)
{
    kthread *t = call->thread;
    for (uint32_t i = 0; i < t->ended_count; i++) {
        if (kpolicy_passes(call->k, t, t->ended[i].kind, i)) {
            continue;
        }
        weft_sync_op op = end_op(call, i);
        op.index += i;
        if (!kpolicy_before(call, &op, i, NULL)) {
            return false;
        }
    }
    for (uint32_t i = 0; i < t->ended_count; i++) {
        weft_sync_op op = end_op(call, i);
        leave(call->k, t, &op);
    }
    t->ended_count = 0;
    return true;
}

/* ---- locks -------------------------------------------------------------------------------------
 * The numbers of a lock's operations, in parallel mode. A lock's words change, and its next number is
 * taken, only by who has claimed the lock's object, and both before it is dropped. So numbers are in
 * the order of the changes, and what a number's operation found is what the one before had left:
 *  - Two calls without the dispatcher lock exclude each other by the claim alone. One that does not
 *    get it has done nothing, and takes the dispatcher lock.
 *  - A call with the dispatcher lock waits for the claim. Who has it is on its way through a dozen
 *    instructions without that lock, and needs nothing that is held here.
 *  - That a number lies between the change and the drop, not only between an enter and its leave, is
 *    what the attempts of others need, and their failed tries: they take numbers while the owner has
 *    the section. An attempt at a section that is being left comes before or after the leave as a
 *    whole; before, the owner finds that somebody waits, and hands over with the dispatcher lock.
 *  - What only the owner may change, a recursion, takes no number and no claim; the lock's count goes
 *    up and down in one piece for it (sync.c).
 * The moment of an operation is read after the claim as well, so ticks have the order of the numbers. */

bool korder_claim(kcall *call, kobject *o)
{
    kernel *k = call->k;
    if (!k->uncontended || !o) {
        return true;
    }
    while (__atomic_exchange_n(&o->claimed, 1, __ATOMIC_ACQUIRE)) {
        if (call->unlocked) {
            return false;
        }
        sched_yield(); /* if it takes so long, the host has put the other thread off */
    }
    if (call->unlocked) {
        kuncontended_moment(call);
    } else {
        kparallel_moment(k);
    }
    return true;
}

void korder_drop(kcall *call, kobject *o)
{
    if (call->k->uncontended && o) {
        __atomic_store_n(&o->claimed, 0, __ATOMIC_RELEASE);
    }
}

void korder_take_lock(kcall *call, uint32_t kind, kobject *o)
{
    if (!call->unlocked) {
        korder_take(call->k, call->thread, kind, o);
        return;
    }
    weft_sync_op op = describe(call->k, call->thread, kind, o);
    __atomic_store_n(&o->operations, op.sequence + 1, __ATOMIC_RELAXED);
    kuncontended_operation(call, &op);
    done(call->thread, kind);
}

/* Where a hardware thread remembers the object at an address. */
static kobject **known(kernel *k, uint32_t hw, uint32_t address)
{
    return &k->hw[hw].known[(address >> 2 ^ address >> 9) % KNOWN_LOCKS];
}

/* What is remembered is there for a call without the dispatcher lock too: nobody forgets it while one
 * is under way. */
kobject *korder_section(kcall *call, uint32_t address)
{
    kernel *k = call->k;
    kobject **slot = known(k, call->cpu->hw, address);
    kobject *o = *slot;
    if (o && o->body == address && o->type == KOBJECT_EVENT &&
        __atomic_load_n(k->memory->base + address, __ATOMIC_RELAXED) <= TYPE_EVENT_AUTO) {
        return o;
    }
    if (call->unlocked) {
        return NULL;
    }
    o = kobject_at(k, call->thread, address);
    *slot = o ? o : *slot;
    return o;
}

kobject *korder_spin_lock(kcall *call, uint32_t address)
{
    kernel *k = call->k;
    kobject **slot = known(k, call->cpu->hw, address);
    kobject *o = *slot;
    if (o && o->body == address && o->type == KOBJECT_SPIN_LOCK) {
        return o;
    }
    if (call->unlocked) {
        return NULL;
    }
    o = kobject_spin_lock(k, address);
    *slot = o ? o : *slot;
    return o;
}

void korder_forget(kernel *k, const kobject *o)
{
    for (uint32_t i = 0; i < WEFT_HW_COUNT; i++) {
        kobject **slot = known(k, i, o->body);
        if (*slot != o) {
            continue;
        }
        if (k->uncontended) {
            kuncontended_close(k);
        }
        *slot = NULL;
    }
}
