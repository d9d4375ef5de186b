/* Waits on dispatcher objects, and the exports of events, semaphores, mutants and timers.
 *
 * The state of an object is in its dispatcher header in guest memory (type u8@0, signal state
 * s32@4). Offsets behind it: semaphore limit s32@0x10; mutant owner u32@0x18, abandoned u8@0x1C (NT's
 * KSEMAPHORE and KMUTANT with the console's 8-byte list entries). */
#include <stdlib.h>
#include <string.h>

#include "exports.h"
#include "kernel.h"

#define HEADER_STATE    4
#define SEMAPHORE_LIMIT 0x10
#define MUTANT_OWNER    0x18
#define MUTANT_ABANDONED 0x1C

#define TYPE_EVENT_MANUAL 0
#define TYPE_EVENT_AUTO   1
#define TYPE_MUTANT       2
#define TYPE_SEMAPHORE    5
#define TYPE_TIMER_MANUAL 8
#define TYPE_TIMER_AUTO   9

#define MUTANT_SIZE 0x20

/* ---- object state ------------------------------------------------------------------------------ */

static int32_t state_get(kernel *k, const kobject *o)
{
    return (int32_t)weft_load32(k->memory->base + o->body + HEADER_STATE);
}

static void state_set(kernel *k, const kobject *o, int32_t state)
{
    weft_store32(k->memory->base + o->body + HEADER_STATE, (uint32_t)state);
    kwritten(k, o->body + HEADER_STATE, 4);
}

static uint8_t header_type(kernel *k, const kobject *o)
{
    return k->memory->base[o->body];
}

static uint32_t body_word(kernel *k, const kobject *o, uint32_t offset)
{
    return weft_load32(k->memory->base + o->body + offset);
}

static void body_set(kernel *k, const kobject *o, uint32_t offset, uint32_t value)
{
    weft_store32(k->memory->base + o->body + offset, value);
    kwritten(k, o->body + offset, 4);
}

static bool signalled_for(kernel *k, const kobject *o, const kthread *t)
{
    if (o->type == KOBJECT_MUTANT) {
        return state_get(k, o) > 0 || body_word(k, o, MUTANT_OWNER) == t->object->body;
    }
    return state_get(k, o) > 0;
}

/* The wait takes what it was satisfied by. Returns STATUS_WAIT_0 or STATUS_ABANDONED_WAIT_0. */
static uint32_t consume(kernel *k, kobject *o, kthread *t)
{
    o->operations++;
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
        state_set(k, o, state_get(k, o) - 1);
        return STATUS_WAIT_0;
    case KOBJECT_MUTANT: {
        state_set(k, o, state_get(k, o) - 1);
        body_set(k, o, MUTANT_OWNER, t->object->body);
        bool abandoned = k->memory->base[o->body + MUTANT_ABANDONED] != 0;
        k->memory->base[o->body + MUTANT_ABANDONED] = 0;
        return abandoned ? STATUS_ABANDONED_WAIT_0 : STATUS_WAIT_0;
    }
    default: /* threads, files, ...: stay as they are */
        return STATUS_WAIT_0;
    }
}

/* ---- waiting ----------------------------------------------------------------------------------- */

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
    kwait_cancel(k, t);
    t->wait_status = status;
    t->wait_woken_by = by;
    t->cont_ready = true;
    ksched_ready(k, t, tick, WEFT_DELAY_WAKE);
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
            kwait_end(k, t, status, o->id, tick);
            next = o->first_wait; /* the thread may have waited for it twice */
        }
        w = next;
    }
}

static void deadline_fired(void *context, uint64_t tick, uint64_t argument)
{
    kernel *k = context;
    for (kthread *t = k->threads; t; t = t->next) {
        if (t->tid == argument && t->wait_deadline) {
            t->wait_deadline = 0;
            kwait_end(k, t, STATUS_TIMEOUT, 0, tick);
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

/* Tick at which a timeout of the NT form ends; a delay of 0 ends now. */
static uint64_t deadline_of(kernel *k, int64_t timeout, uint64_t now)
{
    if (timeout < 0) {
        uint64_t units = (uint64_t)0 - (uint64_t)timeout;
        return units > (WEFT_TICK_NEVER - now) / 100 - 1 ? WEFT_TICK_NEVER - 1 : now + units * 100;
    }
    uint64_t system = ktime_system(k, now);
    return (uint64_t)timeout <= system ? now : now + ((uint64_t)timeout - system) * 100;
}

uint32_t kwait_objects(kcall *call, kobject **objects, uint32_t count, bool all, bool alertable,
                       const int64_t *timeout, kcontinuation cont)
{
    kernel *k = call->k;
    kthread *t = call->thread;
    cont = cont ? cont : status_in_r3;
    if (!kpolicy_before(call, WEFT_SYNC_WAIT, count ? objects[0]->id : 0,
                        count ? objects[0]->operations : 0, count ? objects[0]->body : 0)) {
        return K_AGAIN;
    }
    emit_begin(call, objects, count, all, alertable, timeout);
    for (uint32_t i = 0; i < count; i++) {
        t->waits[i] = (kwait){.thread = t, .object = objects[i]};
    }
    t->wait_count = count;
    t->wait_all = all;
    t->wait_alertable = alertable;
    t->cont = cont;
    t->cont_export = call->export;
    t->cont_caller = call->caller;
    uint64_t now = know(k);
    t->wait_begun = now;
    int32_t index = satisfied(k, t);
    if (index >= 0) {
        uint64_t by = objects[index]->id;
        uint32_t status = take(k, t, index);
        t->wait_count = 0;
        emit_end(call, status, by, 0);
        kpolicy_after(call, WEFT_SYNC_WAIT, by, objects[index]->operations, objects[index]->body);
        return cont(call, status);
    }
    bool apc = alertable && t->first_apc && !t->critical_region;
    if (apc || (timeout && *timeout == 0 && count)) {
        t->wait_count = 0;
        uint32_t status = apc ? STATUS_USER_APC : STATUS_TIMEOUT;
        emit_end(call, status, 0, 0);
        return apc ? kwait_deliver_apc(call, status) : cont(call, status);
    }
    for (uint32_t i = 0; i < count; i++) {
        kobject_retain(objects[i]);
        queue_add(&t->waits[i]);
    }
    if (timeout) {
        t->wait_deadline = k->clock->schedule(k->clock, k->source_deadline,
                                              deadline_of(k, *timeout, now), t->tid);
    }
    t->state = WEFT_THREAD_WAITING;
    ksched_yield(k);
    return K_WAIT;
}

/* ---- APCs -------------------------------------------------------------------------------------- */

void kapc_queue(kernel *k, kthread *t, uint32_t routine, uint32_t context, uint32_t argument1,
                uint32_t argument2)
{
    kapc *apc = calloc(1, sizeof *apc);
    if (!apc) {
        kend(k, WEFT_END_PLUGIN, 0, "kernel-hle: out of memory for an APC");
        return;
    }
    *apc = (kapc){
        .routine = routine,
        .context = context,
        .argument1 = argument1,
        .argument2 = argument2,
    };
    *(t->last_apc ? &t->last_apc->next : &t->first_apc) = apc;
    t->last_apc = apc;
    if (t->state == WEFT_THREAD_WAITING && t->wait_alertable && !t->critical_region) {
        kwait_end(k, t, STATUS_USER_APC, 0, know(k));
    }
}

static uint32_t apc_returned(kcall *call, uint32_t result)
{
    (void)result;
    return kwait_deliver_apc(call, STATUS_USER_APC);
}

uint32_t kwait_deliver_apc(kcall *call, uint32_t status)
{
    kthread *t = call->thread;
    kapc *apc = status == STATUS_USER_APC ? t->first_apc : NULL;
    if (!apc) {
        return t->cont(call, status);
    }
    t->first_apc = apc->next;
    if (!t->first_apc) {
        t->last_apc = NULL;
    }
    uint64_t arguments[3] = {apc->context, apc->argument1, apc->argument2};
    uint32_t routine = apc->routine;
    free(apc);
    return kframe_push(call, routine, arguments, 3, apc_returned);
}

uint32_t kwait_resume(kcall *call)
{
    kthread *t = call->thread;
    emit_end(call, t->wait_status, t->wait_woken_by, call->k->running_hw->time - t->wait_begun);
    return kwait_deliver_apc(call, t->wait_status);
}

/* ---- wait exports ------------------------------------------------------------------------------ */

/* A timeout argument: pointer to 100 ns units, 0 for ever. */
static const int64_t *timeout_at(kcall *call, uint32_t address, int64_t *value)
{
    if (!address) {
        return NULL;
    }
    *value = (int64_t)kget64(call, address);
    return value;
}

static uint32_t wait_one(kcall *call, kobject *o, bool alertable, uint32_t timeout)
{
    int64_t value;
    return kwait_objects(call, &o, 1, false, alertable, timeout_at(call, timeout, &value), NULL);
}

uint32_t ex_KeWaitForSingleObject(kcall *call)
{
    kobject *o = kobject_at(call->k, call->thread, karg(call, 0));
    if (!o) {
        return kret_status(call, STATUS_INVALID_PARAMETER);
    }
    return wait_one(call, o, karg(call, 3) != 0, karg(call, 4));
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
    return wait_one(call, o, karg(call, 2) != 0, karg(call, 3));
}

static uint32_t wait_many(kcall *call, bool by_handle, uint32_t type, bool alertable,
                          uint32_t timeout)
{
    kobject *objects[KWAIT_MAX];
    uint32_t count = karg(call, 0), list = karg(call, 1);
    if (count == 0 || count > KWAIT_MAX || type > 1) {
        return kret_status(call, STATUS_INVALID_PARAMETER);
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t name = kget32(call, list + 4 * i);
        objects[i] = by_handle ? khandle_get(call->k, call->thread, name, 0)
                               : kobject_at(call->k, call->thread, name);
        if (!objects[i] || !objects[i]->body) {
            return kret_status(call, by_handle ? STATUS_INVALID_HANDLE : STATUS_INVALID_PARAMETER);
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
    if (interval == 0) { /* yields, to equals of this hardware thread too */
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

/* ---- events ------------------------------------------------------------------------------------ */

int32_t ksignal_event(kernel *k, kobject *event)
{
    int32_t previous = state_get(k, event);
    event->operations++;
    state_set(k, event, 1);
    kwait_signal(k, event);
    return previous;
}

void kreset_event(kernel *k, kobject *event)
{
    state_set(k, event, 0);
}

static bool signal_allowed(kcall *call, kobject *o)
{
    return kpolicy_before(call, WEFT_SYNC_SIGNAL, o->id, o->operations, o->body);
}

uint32_t ex_KeInitializeEvent(kcall *call)
{
    uint32_t event = karg(call, 0);
    kput8(call, event, karg(call, 1) ? TYPE_EVENT_AUTO : TYPE_EVENT_MANUAL);
    kput32(call, event + HEADER_STATE, karg(call, 2));
    kput32(call, event + 8, event + 8);
    kput32(call, event + 12, event + 8);
    return K_DONE;
}

uint32_t ex_KeSetEvent(kcall *call)
{
    kobject *o = kobject_at(call->k, call->thread, karg(call, 0));
    if (!o || o->type != KOBJECT_EVENT) {
        kfault(call, karg(call, 0), true);
        return kret(call, 0);
    }
    if (!signal_allowed(call, o)) {
        return K_AGAIN;
    }
    int32_t previous = ksignal_event(call->k, o);
    kpolicy_after(call, WEFT_SYNC_SIGNAL, o->id, o->operations, o->body);
    return kret(call, (uint32_t)previous);
}

uint32_t ex_KeResetEvent(kcall *call)
{
    kobject *o = kobject_at(call->k, call->thread, karg(call, 0));
    if (!o || o->type != KOBJECT_EVENT) {
        kfault(call, karg(call, 0), true);
        return kret(call, 0);
    }
    int32_t previous = state_get(call->k, o);
    kreset_event(call->k, o);
    return kret(call, (uint32_t)previous);
}

/* Makes an object with a dispatcher header and a handle in *out. */
static uint32_t create_object(kcall *call, uint32_t type, uint8_t header, uint32_t size,
                              int32_t state, kobject **made)
{
    uint32_t out = karg(call, 0);
    if (!kwrite(call, out, 4)) {
        return kret_status(call, STATUS_ACCESS_VIOLATION);
    }
    kobject *o = kobject_create(call->k, call->thread, type, call->caller, size);
    if (!o) {
        return kret_status(call, STATUS_INSUFFICIENT_RESOURCES);
    }
    call->k->memory->base[o->body] = header;
    state_set(call->k, o, state);
    body_set(call->k, o, 8, o->body + 8);
    body_set(call->k, o, 12, o->body + 8);
    uint32_t handle = khandle_open(call->k, call->thread, o);
    *made = o;
    if (!handle) {
        *made = NULL;
    }
    kobject_release(call->k, o); /* the handle holds it */
    kput32(call, out, handle);
    return kret_status(call, handle ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES);
}

/* type: 0 notification (manual reset), 1 synchronization (auto reset) (LESSONS 29). */
uint32_t ex_NtCreateEvent(kcall *call)
{
    kobject *o = NULL;
    return create_object(call, KOBJECT_EVENT,
                         karg(call, 2) ? TYPE_EVENT_AUTO : TYPE_EVENT_MANUAL, 16,
                         karg(call, 3) != 0, &o);
}

static uint32_t event_op(kcall *call, bool pulse)
{
    kobject *o = khandle_get(call->k, call->thread, karg(call, 0), KOBJECT_EVENT);
    if (!o) {
        return kret_status(call, STATUS_INVALID_HANDLE);
    }
    if (!signal_allowed(call, o)) {
        return K_AGAIN;
    }
    int32_t previous = ksignal_event(call->k, o);
    if (pulse) {
        kreset_event(call->k, o);
    }
    kpolicy_after(call, WEFT_SYNC_SIGNAL, o->id, o->operations, o->body);
    if (karg(call, 1)) {
        kput32(call, karg(call, 1), (uint32_t)previous);
    }
    return kret_status(call, STATUS_SUCCESS);
}

uint32_t ex_NtSetEvent(kcall *call)
{
    return event_op(call, false);
}

uint32_t ex_NtPulseEvent(kcall *call)
{
    return event_op(call, true);
}

uint32_t ex_NtClearEvent(kcall *call)
{
    kobject *o = khandle_get(call->k, call->thread, karg(call, 0), KOBJECT_EVENT);
    if (!o) {
        return kret_status(call, STATUS_INVALID_HANDLE);
    }
    kreset_event(call->k, o);
    return kret_status(call, STATUS_SUCCESS);
}

/* ---- semaphores -------------------------------------------------------------------------------- */

uint32_t ex_NtCreateSemaphore(kcall *call)
{
    int32_t count = (int32_t)karg(call, 2), limit = (int32_t)karg(call, 3);
    if (limit <= 0 || count < 0 || count > limit) {
        return kret_status(call, STATUS_INVALID_PARAMETER);
    }
    kobject *o = NULL;
    uint32_t answer = create_object(call, KOBJECT_SEMAPHORE, TYPE_SEMAPHORE, 20, count, &o);
    if (o) {
        body_set(call->k, o, SEMAPHORE_LIMIT, (uint32_t)limit);
    }
    return answer;
}

uint32_t ex_NtReleaseSemaphore(kcall *call)
{
    kobject *o = khandle_get(call->k, call->thread, karg(call, 0), KOBJECT_SEMAPHORE);
    int32_t count = (int32_t)karg(call, 1);
    if (!o) {
        return kret_status(call, STATUS_INVALID_HANDLE);
    }
    if (count <= 0) {
        return kret_status(call, STATUS_INVALID_PARAMETER);
    }
    int32_t previous = state_get(call->k, o);
    int32_t limit = (int32_t)body_word(call->k, o, SEMAPHORE_LIMIT);
    if ((int64_t)previous + count > limit) {
        return kret_status(call, STATUS_SEMAPHORE_LIMIT_EXCEEDED);
    }
    if (!signal_allowed(call, o)) {
        return K_AGAIN;
    }
    o->operations++;
    state_set(call->k, o, previous + count);
    kwait_signal(call->k, o);
    kpolicy_after(call, WEFT_SYNC_SIGNAL, o->id, o->operations, o->body);
    if (karg(call, 2)) {
        kput32(call, karg(call, 2), (uint32_t)previous);
    }
    return kret_status(call, STATUS_SUCCESS);
}

/* ---- mutants ----------------------------------------------------------------------------------- */

uint32_t ex_NtCreateMutant(kcall *call)
{
    kobject *o = NULL;
    bool owned = karg(call, 2) != 0;
    uint32_t answer = create_object(call, KOBJECT_MUTANT, TYPE_MUTANT, MUTANT_SIZE, !owned, &o);
    if (o && owned) {
        body_set(call->k, o, MUTANT_OWNER, call->thread->object->body);
    }
    return answer;
}

static void mutant_free(kernel *k, kobject *o)
{
    body_set(k, o, MUTANT_OWNER, 0);
    o->operations++;
    state_set(k, o, 1);
    kwait_signal(k, o);
}

uint32_t ex_NtReleaseMutant(kcall *call)
{
    kobject *o = khandle_get(call->k, call->thread, karg(call, 0), KOBJECT_MUTANT);
    if (!o) {
        return kret_status(call, STATUS_INVALID_HANDLE);
    }
    if (body_word(call->k, o, MUTANT_OWNER) != call->thread->object->body) {
        return kret_status(call, STATUS_MUTANT_NOT_OWNED);
    }
    if (!signal_allowed(call, o)) {
        return K_AGAIN;
    }
    int32_t previous = state_get(call->k, o);
    if (previous + 1 == 1) {
        mutant_free(call->k, o);
    } else {
        state_set(call->k, o, previous + 1);
    }
    kpolicy_after(call, WEFT_SYNC_SIGNAL, o->id, o->operations, o->body);
    if (karg(call, 1)) {
        kput32(call, karg(call, 1), (uint32_t)previous);
    }
    return kret_status(call, STATUS_SUCCESS);
}

/* A thread ends: the mutants that it owns are abandoned. */
void kwait_abandon(kernel *k, kthread *t)
{
    for (uint32_t i = 0; i < sizeof k->objects / sizeof k->objects[0]; i++) {
        for (kobject *o = k->objects[i]; o; o = o->next) {
            if (o->type == KOBJECT_MUTANT && o->body &&
                weft_memory_ok(k->memory, o->body, MUTANT_SIZE, WEFT_PAGE_READ) &&
                body_word(k, o, MUTANT_OWNER) == t->object->body) {
                k->memory->base[o->body + MUTANT_ABANDONED] = 1;
                mutant_free(k, o);
            }
        }
    }
}

/* ---- timers ------------------------------------------------------------------------------------ */

typedef struct ktimer {
    uint64_t pending; /* clock handle, 0: not set */
    uint64_t period;  /* ticks, 0: once */
    uint64_t due;
    kthread *apc_thread;
    uint32_t routine, context;
} ktimer;

static void timer_fired(void *context, uint64_t tick, uint64_t argument)
{
    kernel *k = context;
    kobject *o = kobject_at(k, NULL, (uint32_t)argument);
    if (!o || o->type != KOBJECT_TIMER || !o->data) {
        return;
    }
    ktimer *timer = o->data;
    timer->pending = 0;
    o->operations++;
    state_set(k, o, 1);
    kwait_signal(k, o);
    if (timer->routine && timer->apc_thread &&
        timer->apc_thread->state != WEFT_THREAD_TERMINATED) {
        uint64_t system = ktime_system(k, tick);
        kapc_queue(k, timer->apc_thread, timer->routine, timer->context, (uint32_t)system,
                   (uint32_t)(system >> 32));
    }
    if (timer->period) {
        timer->due += timer->period;
        timer->pending = k->clock->schedule(k->clock, k->source_timer, timer->due, o->body);
    }
}

static void timer_close(kernel *k, kobject *o)
{
    ktimer *timer = o->data;
    if (timer && timer->pending) {
        k->clock->cancel(k->clock, timer->pending);
    }
    free(timer);
    o->data = NULL;
}

uint32_t ex_NtCreateTimer(kcall *call)
{
    kobject *o = NULL;
    uint32_t answer =
        create_object(call, KOBJECT_TIMER, karg(call, 2) ? TYPE_TIMER_AUTO : TYPE_TIMER_MANUAL,
                      0x28, 0, &o);
    if (o) {
        o->data = calloc(1, sizeof(ktimer));
        o->close = timer_close;
    }
    return answer;
}

uint32_t ex_NtSetTimerEx(kcall *call)
{
    kernel *k = call->k;
    kobject *o = khandle_get(k, call->thread, karg(call, 0), KOBJECT_TIMER);
    if (!o || !o->data) {
        return kret_status(call, STATUS_INVALID_HANDLE);
    }
    int64_t due = (int64_t)kget64(call, karg(call, 1));
    int32_t period = (int32_t)karg(call, 6); /* milliseconds */
    if (period < 0) {
        return kret_status(call, STATUS_INVALID_PARAMETER);
    }
    ktimer *timer = o->data;
    bool was_set = timer->pending != 0;
    if (was_set) {
        k->clock->cancel(k->clock, timer->pending);
    }
    state_set(k, o, 0);
    timer->routine = karg(call, 2);
    timer->context = karg(call, 4);
    timer->apc_thread = call->thread;
    timer->period = (uint64_t)period * 1000000;
    timer->due = deadline_of(k, due, know(k));
    timer->pending = k->clock->schedule(k->clock, k->source_timer, timer->due, o->body);
    if (karg(call, 7)) {
        kput32(call, karg(call, 7), was_set);
    }
    return kret_status(call, STATUS_SUCCESS);
}

uint32_t ex_NtCancelTimer(kcall *call)
{
    kernel *k = call->k;
    kobject *o = khandle_get(k, call->thread, karg(call, 0), KOBJECT_TIMER);
    if (!o || !o->data) {
        return kret_status(call, STATUS_INVALID_HANDLE);
    }
    ktimer *timer = o->data;
    bool was_set = timer->pending && k->clock->cancel(k->clock, timer->pending);
    timer->pending = 0;
    if (karg(call, 1)) {
        kput32(call, karg(call, 1), was_set);
    }
    return kret_status(call, STATUS_SUCCESS);
}

/* ---- signal and wait --------------------------------------------------------------------------- */

uint32_t ex_NtSignalAndWaitForSingleObjectEx(kcall *call)
{
    kernel *k = call->k;
    kobject *signal = khandle_get(k, call->thread, karg(call, 0), 0);
    kobject *wait = khandle_get(k, call->thread, karg(call, 1), 0);
    if (!signal || !wait || !wait->body) {
        return kret_status(call, STATUS_INVALID_HANDLE);
    }
    if (!signal_allowed(call, signal)) {
        return K_AGAIN;
    }
    switch (signal->type) {
    case KOBJECT_EVENT:
        ksignal_event(k, signal);
        break;
    case KOBJECT_SEMAPHORE:
        if (state_get(k, signal) >= (int32_t)body_word(k, signal, SEMAPHORE_LIMIT)) {
            return kret_status(call, STATUS_SEMAPHORE_LIMIT_EXCEEDED);
        }
        state_set(k, signal, state_get(k, signal) + 1);
        kwait_signal(k, signal);
        break;
    case KOBJECT_MUTANT:
        if (body_word(k, signal, MUTANT_OWNER) != call->thread->object->body) {
            return kret_status(call, STATUS_MUTANT_NOT_OWNED);
        }
        if (state_get(k, signal) + 1 == 1) {
            mutant_free(k, signal);
        } else {
            state_set(k, signal, state_get(k, signal) + 1);
        }
        break;
    default:
        return kret_status(call, STATUS_OBJECT_TYPE_MISMATCH);
    }
    return wait_one(call, wait, karg(call, 2) != 0, karg(call, 4));
}

void kwait_init(kernel *k)
{
    k->clock->source_add(k->clock, "wait deadline", WEFT_RANK_TIMER, deadline_fired, k,
                         &k->source_deadline);
    k->clock->source_add(k->clock, "timer", WEFT_RANK_TIMER, timer_fired, k, &k->source_timer);
}
