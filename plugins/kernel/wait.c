/* Waits on dispatcher objects: one queue an object, first come first served. */
#include <stdlib.h>
#include <string.h>

#include "dispatcher.h"
#include "exports.h"
#include "order.h"

/* ATTEMPTED_SWITCH_FROM_DPC (Microsoft, bug check codes). */
#define BUGCHECK_SWITCH_FROM_DPC 0xB8

static bool signalled_for(kernel *k, const kobject *o, const kthread *t)
{
    return state_get(k, o) > 0 ||
           (o->type == KOBJECT_MUTANT && t->object && mutant_owner(k, o) == t->object->body);
}

/* The wait takes what it was satisfied by. Returns STATUS_WAIT_0 or STATUS_ABANDONED_WAIT_0. */
static uint32_t consume(kernel *k, kobject *o, kthread *t)
{
    switch (o->type) {
    case KOBJECT_EVENT:
        if (header_type(k, o) == TYPE_EVENT_AUTO) {
            state_set(k, o, 0);
        }
        return STATUS_WAIT_0;
    case KOBJECT_TIMER:
        if (header_type(k, o) == TYPE_TIMER_AUTO) {
            state_set(k, o, 0);
        }
        return STATUS_WAIT_0;
    case KOBJECT_SEMAPHORE:
    case KOBJECT_IO_COMPLETION: /* counts its packets */
        state_set(k, o, state_get(k, o) - 1);
        return STATUS_WAIT_0;
    case KOBJECT_MUTANT: {
        state_set(k, o, state_get(k, o) - 1);
        body_set(k, o, MUTANT_OWNER, t->object ? t->object->body : 0);
        bool abandoned = k->memory->base[o->body + MUTANT_ABANDONED] != 0;
        k->memory->base[o->body + MUTANT_ABANDONED] = 0;
        return abandoned ? STATUS_ABANDONED_WAIT_0 : STATUS_WAIT_0;
    }
    default: /* threads, files, ...: stay as they are */
        return STATUS_WAIT_0;
    }
}

/* ---- waiting -----------------------------------------------------------------------------------
 */

static void queue_add(kwait *w)
{
    kobject *o = w->object;
    w->next = NULL;
    w->previous = o->last_wait;
    *(o->last_wait ? &o->last_wait->next : &o->first_wait) = w;
    o->last_wait = w;
}

static void queue_remove(kwait *w)
{
    kobject *o = w->object;
    *(w->previous ? &w->previous->next : &o->first_wait) = w->next;
    *(w->next ? &w->next->previous : &o->last_wait) = w->previous;
}

void kwait_cancel(kernel *k, kthread *t)
{
    for (uint32_t i = 0; i < t->wait_count; i++) {
        queue_remove(&t->waits[i]);
        kobject_release(k, t->waits[i].object);
    }
    t->wait_count = 0;
    if (t->wait_deadline) {
        k->clock->cancel(k->clock, t->wait_deadline);
        t->wait_deadline = 0;
    }
}

void kwait_end(kernel *k, kthread *t, uint32_t status, uint64_t by, uint64_t tick)
{
    for (uint32_t i = 0; i < t->wait_count; i++) {
        if (status == STATUS_TIMEOUT || status == STATUS_USER_APC || status == STATUS_ALERTED) {
            korder_end_wait(t, WEFT_SYNC_TIMEOUT, t->waits[i].object);
        }
    }
    kwait_cancel(k, t);
    t->wait_status = status;
    t->wait_woken_by = by;
    t->cont_ready = true;
    ksched_ready(k, t, tick, WEFT_DELAY_WAKE);
    ksched_emit_wake(k, t, by, true);
}

/* Index of the object that satisfies the thread's wait, or -1; a wait for all gives 0. */
static int32_t satisfied(kernel *k, const kthread *t)
{
    for (uint32_t i = 0; i < t->wait_count; i++) {
        bool yes = signalled_for(k, t->waits[i].object, t);
        if (yes && !t->wait_all) {
            return (int32_t)i;
        }
        if (!yes && t->wait_all) {
            return -1;
        }
    }
    return t->wait_all && t->wait_count ? 0 : -1;
}

static uint32_t take(kernel *k, kthread *t, int32_t index)
{
    if (!t->wait_all) {
        return consume(k, t->waits[index].object, t) + (uint32_t)index;
    }
    uint32_t status = STATUS_WAIT_0;
    for (uint32_t i = 0; i < t->wait_count; i++) {
        uint32_t one = consume(k, t->waits[i].object, t);
        status = one == STATUS_WAIT_0 ? status : one;
    }
    return status;
}

void kwait_signal(kernel *k, kobject *o)
{
    uint64_t tick = know(k);
    kobject_retain(o); /* a wait may hold the last reference */
    for (kwait *w = o->first_wait; w;) {
        kwait *next = w->next;
        kthread *t = w->thread;
        int32_t index = satisfied(k, t);
        if (index >= 0) {
            weft_event_buffer event;
            weft_event_begin(&event, WEFT_EVENT_SIGNAL_MATCH);
            weft_event_word(&event, o->id);
            weft_event_word(&event, t->id);
            kemit(k, k->running, &event);
            uint32_t status = take(k, t, index);
            for (uint32_t i = 0; i < t->wait_count; i++) {
                if (t->wait_all || i == (uint32_t)index) {
                    korder_end_wait(t, WEFT_SYNC_WAKE, t->waits[i].object);
                }
            }
            kwait_end(k, t, status, o->id, tick);
            next = o->first_wait; /* the thread may have waited for it twice */
        }
        w = next;
    }
    kobject_release(k, o);
}

static void deadline_fired(void *context, uint64_t tick, uint64_t argument)
{
    kernel *k = context;
    for (kthread *t = k->live; t; t = t->live_next) {
        if (t->tid == argument && t->wait_deadline) {
            t->wait_deadline = 0;
            uint64_t before = ksource_begin(k, KSOURCE_TIMER);
            kwait_end(k, t, STATUS_TIMEOUT, 0, tick);
            ksource_end(k, before);
            return;
        }
    }
}

static void emit_begin(kcall *call, kobject **objects, uint32_t count, bool all, bool alertable,
                       const int64_t *timeout)
{
    uint64_t ids[KWAIT_MAX];
    for (uint32_t i = 0; i < count; i++) {
        ids[i] = objects[i]->id;
    }
    weft_event_buffer event;
    weft_event_begin(&event, WEFT_EVENT_WAIT_BEGIN);
    weft_event_array(&event, ids, count);
    weft_event_word(&event, timeout ? (uint64_t)*timeout * 100 : UINT64_MAX);
    weft_event_word(&event, all);
    weft_event_word(&event, alertable);
    kemit(call->k, call->thread, &event);
}

static void emit_end(kcall *call, uint32_t status, uint64_t by, uint64_t ticks)
{
    weft_event_buffer event;
    weft_event_begin(&event, WEFT_EVENT_WAIT_END);
    weft_event_word(&event, status);
    weft_event_word(&event, by);
    weft_event_word(&event, ticks);
    kemit(call->k, call->thread, &event);
}

static uint32_t status_in_r3(kcall *call, uint32_t status)
{
    return kret_status(call, status);
}

uint64_t deadline_of(kernel *k, int64_t timeout, uint64_t now)
{
    uint64_t system = ktime_system(k, now), units;
    if (timeout < 0) {
        units = (uint64_t)0 - (uint64_t)timeout;
    } else {
        units = (uint64_t)timeout > system ? (uint64_t)timeout - system : 0;
    }
    return units > (WEFT_TICK_NEVER - 1 - now) / 100 ? WEFT_TICK_NEVER : now + units * 100;
}

uint32_t kwait_in_dpc(kernel *k)
{
    kend(k, WEFT_END_BUGCHECK, BUGCHECK_SWITCH_FROM_DPC,
         "bug check 0xB8: a DPC or interrupt routine waits or ends its thread");
    return K_GONE;
}

/* The wait needs no waiting: status, and on with the continuation. */
static uint32_t end_at_once(kcall *call, uint32_t status, const kobject *by)
{
    kthread *t = call->thread;
    t->wait_count = 0;
    emit_end(call, status, by ? by->id : 0, 0);
    return status == STATUS_USER_APC ? kwait_deliver_apc(call, status) : t->cont(call, status);
}

static uint32_t begin(kcall *call, uint32_t op, kobject **objects, uint32_t count, bool all,
                      bool alertable, const int64_t *timeout, kcontinuation cont)
{
    kernel *k = call->k;
    kthread *t = call->thread;
    emit_begin(call, objects, count, all, alertable, timeout);
    for (uint32_t i = 0; i < count; i++) {
        t->waits[i] = (kwait){.thread = t, .object = objects[i]};
        korder_take(k, t, op, objects[i]);
    }
    if (!count) {
        korder_take(k, t, op, NULL);
    }
    t->wait_count = count;
    t->wait_all = all;
    t->wait_alertable = alertable;
    t->cont = cont ? cont : status_in_r3;
    t->cont_export = call->export;
    t->cont_export_id = call->export_id;
    t->cont_caller = call->caller;
    uint64_t now = know(k);
    t->wait_begun = now;
    int32_t index = satisfied(k, t);
    if (index >= 0) {
        return end_at_once(call, take(k, t, index), objects[index]);
    }
    if (alertable && t->alerted && !t->critical_region) {
        t->alerted = false;
        return end_at_once(call, STATUS_ALERTED, NULL);
    }
    if (alertable && t->first_apc && !t->critical_region) {
        return end_at_once(call, STATUS_USER_APC, NULL);
    }
    if (timeout && *timeout == 0 && count) {
        return end_at_once(call, STATUS_TIMEOUT, NULL);
    }
    if (kthread_is_interrupt(t)) {
        t->wait_count = 0;
        return kwait_in_dpc(k);
    }
    for (uint32_t i = 0; i < count; i++) {
        kobject_retain(objects[i]);
        queue_add(&t->waits[i]);
    }
    uint64_t deadline = timeout ? deadline_of(k, *timeout, now) : WEFT_TICK_NEVER;
    if (deadline != WEFT_TICK_NEVER) {
        deadline = kpolicy_deadline(k, t, WEFT_DELAY_TIMEOUT, now, deadline);
        t->wait_deadline = k->clock->schedule(k->clock, k->source_deadline, deadline, t->tid);
    }
    t->state = WEFT_THREAD_WAITING;
    ksched_yield(k);
    return K_WAIT;
}

uint32_t kwait_begin(kcall *call, kobject **objects, uint32_t count, bool all, bool alertable,
                     const int64_t *timeout, kcontinuation cont)
{
    return begin(call, WEFT_SYNC_WAIT, objects, count, all, alertable, timeout, cont);
}

uint32_t kwait_section(kcall *call, kobject *section, kcontinuation cont)
{
    return begin(call, WEFT_SYNC_ENTER_CONTENDED, &section, 1, false, false, NULL, cont);
}

uint32_t kwait_objects(kcall *call, kobject **objects, uint32_t count, bool all, bool alertable,
                       const int64_t *timeout, kcontinuation cont)
{
    if (!korder_before_wait(call, objects, count)) {
        return K_AGAIN;
    }
    return kwait_begin(call, objects, count, all, alertable, timeout, cont);
}

uint32_t kwait_resume(kcall *call)
{
    kthread *t = call->thread;
    emit_end(call, t->wait_status, t->wait_woken_by, call->k->running_hw->time - t->wait_begun);
    return kwait_deliver_apc(call, t->wait_status);
}

/* ---- wait exports ------------------------------------------------------------------------------
 */

/* A timeout argument: pointer to 100 ns units, 0 for ever. */
static const int64_t *timeout_at(kcall *call, uint32_t address, int64_t *value)
{
    if (!address) {
        return NULL;
    }
    *value = (int64_t)kget64(call, address);
    return value;
}

uint32_t wait_one(kcall *call, kobject *o, bool ask, bool alertable, uint32_t timeout)
{
    int64_t value;
    return (ask ? kwait_objects : kwait_begin)(call, &o, 1, false, alertable,
                                               timeout_at(call, timeout, &value), NULL);
}

uint32_t ex_KeWaitForSingleObject(kcall *call)
{
    kobject *o = kobject_at(call->k, call->thread, karg(call, 0));
    if (!o) {
        return kret_status(call, STATUS_INVALID_PARAMETER);
    }
    return wait_one(call, o, true, karg(call, 3) != 0, karg(call, 4));
}

uint32_t ex_NtWaitForSingleObjectEx(kcall *call)
{
    kobject *o = khandle_get(call->k, call->thread, karg(call, 0), 0);
    if (!o) {
        return kret_status(call, STATUS_INVALID_HANDLE);
    }
    if (!o->body) {
        return kret_status(call, STATUS_OBJECT_TYPE_MISMATCH);
    }
    return wait_one(call, o, true, karg(call, 2) != 0, karg(call, 3));
}

static uint32_t wait_many(kcall *call, bool by_handle, uint32_t type, bool alertable,
                          uint32_t timeout)
{
    kobject *objects[KWAIT_MAX];
    uint32_t count = karg(call, 0), list = karg(call, 1);
    if (count == 0 || count > KWAIT_MAX || type > 1) { /* NT: the first, the third argument */
        return kret_status(call, !by_handle  ? STATUS_INVALID_PARAMETER
                                 : type <= 1 ? STATUS_INVALID_PARAMETER_1
                                             : STATUS_INVALID_PARAMETER_3);
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t name = kget32(call, list + 4 * i);
        objects[i] = by_handle ? khandle_get(call->k, call->thread, name, 0)
                               : kobject_at(call->k, call->thread, name);
        if (!objects[i] || !objects[i]->body) {
            return kret_status(call, !by_handle   ? STATUS_INVALID_PARAMETER
                                     : objects[i] ? STATUS_OBJECT_TYPE_MISMATCH
                                                  : STATUS_INVALID_HANDLE);
        }
        for (uint32_t j = 0; by_handle && type == 0 && j < i; j++) {
            if (objects[j] == objects[i]) { /* NT: all of them, one of them twice */
                return kret_status(call, STATUS_INVALID_PARAMETER_MIX);
            }
        }
    }
    int64_t value;
    /* wait_type: 0 all, 1 any (NT's WaitAll, WaitAny) */
    return kwait_objects(call, objects, count, type == 0, alertable,
                         timeout_at(call, timeout, &value), NULL);
}

uint32_t ex_KeWaitForMultipleObjects(kcall *call)
{
    return wait_many(call, false, karg(call, 2), karg(call, 5) != 0, karg(call, 6));
}

uint32_t ex_NtWaitForMultipleObjectsEx(kcall *call)
{
    return wait_many(call, true, karg(call, 2), karg(call, 4) != 0, karg(call, 5));
}

uint32_t ex_KeDelayExecutionThread(kcall *call)
{
    int64_t interval = (int64_t)kget64(call, karg(call, 2));
    bool apc = karg(call, 1) && call->thread->first_apc;
    if (interval == 0 && !apc) { /* yields, to equals of this hardware thread too */
        call->thread->order = ++call->k->order;
        ksched_yield(call->k);
        return kret_status(call, STATUS_SUCCESS);
    }
    return kwait_objects(call, NULL, 0, false, karg(call, 1) != 0, &interval, kdelay_done);
}

uint32_t kdelay_done(kcall *call, uint32_t status)
{
    return kret_status(call, status == STATUS_TIMEOUT ? STATUS_SUCCESS : status);
}

void kwait_init(kernel *k)
{
    k->clock->source_add(k->clock, "wait deadline", WEFT_RANK_TIMER, deadline_fired, k,
                         &k->source_deadline);
    k->clock->source_add(k->clock, "timer", WEFT_RANK_TIMER, timer_fired, k, &k->source_timer);
}
