#include "order.h"

#include "dispatcher.h"

/* ---- operations --------------------------------------------------------------------------------
 */

/* Operations so far, by kind, of who acts. */
static uint64_t *counts(kernel *k, kthread *t)
{
    return t ? t->sync_index : ksource_counts(k);
}

static weft_sync_op describe(kernel *k, kthread *t, uint32_t kind, const kobject *o)
{
    return (weft_sync_op){
        .size = sizeof(weft_sync_op),
        .kind = kind,
        .thread = t ? t->id : k->acting,
        .object = o ? o->id : 0,
        .index = counts(k, t)[kind],
        .sequence = o ? o->operations : 0,
        .site = kcall_site(t),
        .pointer = o ? o->body : 0,
        .event = t ? t->events : 0,
    };
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
    counts(k, t)[op->kind]++;
    if (t) {
        t->granted = 0;
        t->granted_objects = 0;
        t->held_at = 0;
    }
    kpolicy_after(k, op);
}

/* The object's next number is taken. */
static uint64_t take_number(kernel *k, kobject *o)
{
    uint64_t number = o->operations++;
    if (o->awaited && o->operations >= o->awaited) {
        kpolicy_awaited(k, o);
    }
    return number;
}

bool korder_before(kcall *call, uint32_t kind, kobject *o)
{
    weft_sync_op op = describe(call->k, call->thread, kind, o);
    op.site = call->caller;
    return kpolicy_before(call, &op, 0, o);
}

bool korder_before_wait(kcall *call, kobject *const *objects, uint32_t count)
{
    for (uint32_t i = 0; i < count || i == 0; i++) {
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
 */

/* Where a hardware thread remembers the object at an address. */
static kobject **known(khw *hw, uint32_t address)
{
    return &hw->known[(address >> 2 ^ address >> 9) % KNOWN_LOCKS];
}

kobject *korder_section(kcall *call, uint32_t address)
{
    kernel *k = call->k;
    kobject **slot = known(k->running_hw, address);
    kobject *o = *slot;
    if (o && o->body == address && o->type == KOBJECT_EVENT &&
        k->memory->base[address] <= TYPE_EVENT_AUTO) {
        return o;
    }
    o = kobject_at(k, call->thread, address);
    *slot = o ? o : *slot;
    return o;
}

kobject *korder_spin_lock(kcall *call, uint32_t address)
{
    kernel *k = call->k;
    kobject **slot = known(k->running_hw, address);
    kobject *o = *slot;
    if (o && o->body == address && o->type == KOBJECT_SPIN_LOCK) {
        return o;
    }
    o = kobject_spin_lock(k, address);
    *slot = o ? o : *slot;
    return o;
}

void korder_forget(kernel *k, const kobject *o)
{
    for (uint32_t i = 0; i < WEFT_HW_COUNT; i++) {
        kobject **slot = known(&k->hw[i], o->body);
        *slot = *slot == o ? NULL : *slot;
    }
}
