/* Events, semaphores and mutants: their exports. Waiting for them is wait.c's. */
#include <stdlib.h>
#include <string.h>

#include "dispatcher.h"
#include "exports.h"
#include "names.h"
#include "order.h"

/* ---- events ------------------------------------------------------------------------------------
 */

int32_t ksignal_event(kernel *k, kobject *event)
{
    int32_t previous = state_get(k, event);
    state_set(k, event, 1);
    korder_take(k, k->running, WEFT_SYNC_SIGNAL, event);
    kwait_signal(k, event);
    return previous;
}

void kreset_event(kernel *k, kobject *event)
{
    state_set(k, event, 0);
    korder_take(k, k->running, WEFT_SYNC_RESET, event);
}

/* The policy lets the object be signalled; else the export answers K_AGAIN. */
static bool signal_allowed(kcall *call, kobject *o)
{
    return korder_before(call, WEFT_SYNC_SIGNAL, o);
}

kobject *dispatcher_argument(kcall *call, uint32_t type)
{
    kobject *o = kobject_at(call->k, call->thread, karg(call, 0));
    if (!o || o->type != type) {
        kfault(call, karg(call, 0), true);
        return NULL;
    }
    return o;
}

bool header_make(kcall *call, uint32_t body, uint8_t type, int32_t state, uint32_t size)
{
    if (!kwrite(call, body, size)) {
        return false;
    }
    kput8(call, body, type);
    kput32(call, body + HEADER_STATE, (uint32_t)state);
    kput32(call, body + HEADER_LIST, body + HEADER_LIST);
    kput32(call, body + HEADER_LIST + 4, body + HEADER_LIST);
    return true;
}

uint32_t ex_KeInitializeEvent(kcall *call)
{
    header_make(call, karg(call, 0), karg(call, 1) ? TYPE_EVENT_AUTO : TYPE_EVENT_MANUAL,
                (int32_t)karg(call, 2), HEADER_SIZE);
    return K_DONE;
}

/* KeSetEvent and KePulseEvent answer the previous state, as NT does (LESSONS 31). */
static uint32_t signal_raw_event(kcall *call, bool pulse)
{
    kobject *o = dispatcher_argument(call, KOBJECT_EVENT);
    if (!o) {
        return kret(call, 0);
    }
    if (!signal_allowed(call, o)) {
        return K_AGAIN;
    }
    kobject_retain(o); /* a waiter may hold the last reference */
    int32_t previous = ksignal_event(call->k, o);
    if (pulse) { /* part of the same operation */
        state_set(call->k, o, 0);
    }
    kobject_release(call->k, o);
    return kret(call, (uint32_t)previous);
}

uint32_t ex_KeSetEvent(kcall *call)
{
    return signal_raw_event(call, false);
}

uint32_t ex_KePulseEvent(kcall *call)
{
    return signal_raw_event(call, true);
}

uint32_t ex_KeResetEvent(kcall *call)
{
    kobject *o = dispatcher_argument(call, KOBJECT_EVENT);
    if (!o) {
        return kret(call, 0);
    }
    if (!korder_before(call, WEFT_SYNC_RESET, o)) {
        return K_AGAIN;
    }
    int32_t previous = state_get(call->k, o);
    kreset_event(call->k, o);
    return kret(call, (uint32_t)previous);
}

uint32_t dispatcher_create(kcall *call, uint32_t type, uint8_t header, uint32_t size, int32_t state,
                           kobject **made)
{
    return dispatcher_create_named(call, karg(call, 1), type, header, size, state, made);
}

uint32_t dispatcher_create_named(kcall *call, uint32_t attributes, uint32_t type, uint8_t header,
                                 uint32_t size, int32_t state, kobject **made)
{
    *made = NULL;
    uint32_t out = karg(call, 0);
    char name[KNAME_BYTES];
    kobject *found = NULL;
    if (!kwrite(call, out, 4)) {
        return kret_status(call, STATUS_ACCESS_VIOLATION);
    }
    kstatus status = kname_claim(call, attributes, type, name, &found);
    if (status == STATUS_OBJECT_NAME_EXISTS) {
        uint32_t handle = khandle_open(call->k, call->thread, found);
        kput32(call, out, handle);
        return kret_status(call, handle ? status : STATUS_INSUFFICIENT_RESOURCES);
    }
    if (status != STATUS_SUCCESS) {
        return kret_status(call, status);
    }
    kobject *o = kobject_create(call->k, call->thread, type, call->caller, size);
    if (!o) {
        return kret_status(call, STATUS_INSUFFICIENT_RESOURCES);
    }
    call->k->memory->base[o->body] = header;
    state_set(call->k, o, state);
    body_set(call->k, o, 8, o->body + 8);
    body_set(call->k, o, 12, o->body + 8);
    memcpy(o->name, name, sizeof name);
    uint32_t handle = khandle_open(call->k, call->thread, o);
    *made = handle ? o : NULL;
    kobject_release(call->k, o); /* the handle holds it */
    kput32(call, out, handle);
    return kret_status(call, handle ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES);
}

/* type: 0 notification (manual reset), 1 synchronization (auto reset) (LESSONS 29). */
uint32_t ex_NtCreateEvent(kcall *call)
{
    kobject *o = NULL;
    if (karg(call, 2) > 1) {
        return kret_status(call, STATUS_INVALID_PARAMETER);
    }
    return dispatcher_create(call, KOBJECT_EVENT,
                             karg(call, 2) ? TYPE_EVENT_AUTO : TYPE_EVENT_MANUAL, HEADER_SIZE,
                             karg(call, 3) != 0, &o);
}

static uint32_t event_op(kcall *call, bool pulse)
{
    kobject *o = khandle_get(call->k, call->thread, karg(call, 0), KOBJECT_EVENT);
    if (!o) {
        return kret_status(call, khandle_error(call->k, call->thread, karg(call, 0)));
    }
    if (!signal_allowed(call, o)) {
        return K_AGAIN;
    }
    int32_t previous = ksignal_event(call->k, o);
    if (pulse) { /* part of the same operation */
        state_set(call->k, o, 0);
    }
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
        return kret_status(call, khandle_error(call->k, call->thread, karg(call, 0)));
    }
    if (!korder_before(call, WEFT_SYNC_RESET, o)) {
        return K_AGAIN;
    }
    kreset_event(call->k, o);
    return kret_status(call, STATUS_SUCCESS);
}

/* ---- semaphores --------------------------------------------------------------------------------
 */

uint32_t ex_NtCreateSemaphore(kcall *call)
{
    int32_t count = (int32_t)karg(call, 2), limit = (int32_t)karg(call, 3);
    if (limit <= 0 || count < 0 || count > limit) {
        return kret_status(call, STATUS_INVALID_PARAMETER);
    }
    kobject *o = NULL;
    uint32_t answer =
        dispatcher_create(call, KOBJECT_SEMAPHORE, TYPE_SEMAPHORE, SEMAPHORE_SIZE, count, &o);
    if (o) {
        body_set(call->k, o, SEMAPHORE_LIMIT, (uint32_t)limit);
    }
    return answer;
}

/* Adds to a semaphore and releases who can go; false past its limit, which changes nothing. */
static bool semaphore_add(kernel *k, kobject *o, int32_t count, int32_t *previous)
{
    *previous = state_get(k, o);
    korder_take(k, k->running, WEFT_SYNC_SIGNAL, o); /* also where it fails: order decides that */
    if ((int64_t)*previous + count > (int32_t)body_word(k, o, SEMAPHORE_LIMIT)) {
        return false;
    }
    state_set(k, o, *previous + count);
    kwait_signal(k, o);
    return true;
}

uint32_t ex_NtReleaseSemaphore(kcall *call)
{
    kobject *o = khandle_get(call->k, call->thread, karg(call, 0), KOBJECT_SEMAPHORE);
    int32_t count = (int32_t)karg(call, 1), previous;
    if (!o) {
        return kret_status(call, khandle_error(call->k, call->thread, karg(call, 0)));
    }
    if (count <= 0) {
        return kret_status(call, STATUS_INVALID_PARAMETER);
    }
    if (!signal_allowed(call, o)) {
        return K_AGAIN;
    }
    if (!semaphore_add(call->k, o, count, &previous)) {
        return kret_status(call, STATUS_SEMAPHORE_LIMIT_EXCEEDED);
    }
    if (karg(call, 2)) {
        kput32(call, karg(call, 2), (uint32_t)previous);
    }
    return kret_status(call, STATUS_SUCCESS);
}

uint32_t ex_KeInitializeSemaphore(kcall *call)
{
    uint32_t body = karg(call, 0);
    if (header_make(call, body, TYPE_SEMAPHORE, (int32_t)karg(call, 1), SEMAPHORE_SIZE)) {
        kput32(call, body + SEMAPHORE_LIMIT, karg(call, 2));
    }
    return K_DONE;
}

uint32_t ex_KeReleaseSemaphore(kcall *call)
{
    kobject *o = dispatcher_argument(call, KOBJECT_SEMAPHORE);
    int32_t previous = 0;
    if (!o) {
        return kret(call, 0);
    }
    if (!signal_allowed(call, o)) {
        return K_AGAIN;
    }
    kobject_retain(o);
    if (!semaphore_add(call->k, o, (int32_t)karg(call, 2), &previous)) {
        call->k->host->log(call->k->host, WEFT_LOG_WARN,
                           "KeReleaseSemaphore: past the semaphore's limit, nothing is released");
    }
    kobject_release(call->k, o);
    return kret(call, (uint32_t)previous);
}

/* ---- mutants -----------------------------------------------------------------------------------
 */

static void mutant_free(kernel *k, kobject *o)
{
    body_set(k, o, MUTANT_OWNER, 0);
    state_set(k, o, 1);
    korder_take(k, k->running, WEFT_SYNC_SIGNAL, o);
    kwait_signal(k, o);
}

static bool mutant_owned(const kcall *call, const kobject *o)
{
    return call->thread->object && mutant_owner(call->k, o) == call->thread->object->body;
}

/* One release by its owner; previous state: 0, or less by one for each time it is held more. */
static int32_t mutant_release(kernel *k, kobject *o)
{
    int32_t previous = state_get(k, o);
    if (previous >= 0) {
        mutant_free(k, o);
    } else {
        state_set(k, o, previous + 1);
        korder_take(k, k->running, WEFT_SYNC_SIGNAL, o);
    }
    return previous;
}

static void mutant_mark(kernel *k, kobject *o)
{
    k->memory->base[o->body + MUTANT_ABANDONED] = 1;
    kwritten(k, o->body + MUTANT_ABANDONED, 1);
}

uint32_t ex_NtCreateMutant(kcall *call)
{
    kobject *o = NULL;
    bool owned = karg(call, 2) != 0;
    if (owned && !call->thread->object) {
        return kwait_in_dpc(call->k);
    }
    uint32_t answer = dispatcher_create(call, KOBJECT_MUTANT, TYPE_MUTANT, MUTANT_SIZE, !owned, &o);
    if (o && owned) {
        body_set(call->k, o, MUTANT_OWNER, call->thread->object->body);
    }
    return answer;
}

uint32_t ex_NtReleaseMutant(kcall *call)
{
    kobject *o = khandle_get(call->k, call->thread, karg(call, 0), KOBJECT_MUTANT);
    if (!o) {
        return kret_status(call, khandle_error(call->k, call->thread, karg(call, 0)));
    }
    if (!mutant_owned(call, o)) {
        return kret_status(call, STATUS_MUTANT_NOT_OWNED);
    }
    if (!signal_allowed(call, o)) {
        return K_AGAIN;
    }
    int32_t previous = mutant_release(call->k, o);
    if (karg(call, 1)) {
        kput32(call, karg(call, 1), (uint32_t)previous);
    }
    return kret_status(call, STATUS_SUCCESS);
}

uint32_t ex_KeInitializeMutant(kcall *call)
{
    uint32_t body = karg(call, 0);
    bool owned = karg(call, 1) != 0 && call->thread->object;
    if (header_make(call, body, TYPE_MUTANT, !owned, MUTANT_SIZE)) {
        kput32(call, body + MUTANT_OWNER, owned ? call->thread->object->body : 0);
        kput32(call, body + MUTANT_ABANDONED, 0);
        kobject_at(call->k, call->thread, body); /* known, should its owner end with it */
    }
    return K_DONE;
}

/* KeReleaseMutant(mutant, increment, abandoned, wait): previous state. */
uint32_t ex_KeReleaseMutant(kcall *call)
{
    kobject *o = dispatcher_argument(call, KOBJECT_MUTANT);
    bool abandon = karg(call, 2) != 0;
    if (!o) {
        return kret(call, 0);
    }
    if (!abandon && !mutant_owned(call, o)) {
        call->k->host->log(call->k->host, WEFT_LOG_WARN,
                           "KeReleaseMutant: the caller does not own it, nothing is released");
        return kret(call, (uint32_t)state_get(call->k, o));
    }
    if (!signal_allowed(call, o)) {
        return K_AGAIN;
    }
    kobject_retain(o);
    int32_t previous = state_get(call->k, o);
    if (abandon) {
        mutant_mark(call->k, o);
        mutant_free(call->k, o);
    } else {
        mutant_release(call->k, o);
    }
    kobject_release(call->k, o);
    return kret(call, (uint32_t)previous);
}

/* In order of the table: of guest addresses, then latest first, the same in every run. */
void kwait_abandon(kernel *k, kthread *t)
{
    for (uint32_t i = 0; i < sizeof k->objects / sizeof k->objects[0]; i++) {
        for (kobject *o = k->objects[i], *next; o; o = next) {
            kobject_retain(o); /* its waiters may hold the last references */
            if (o->type == KOBJECT_MUTANT && mutant_owner(k, o) == t->object->body) {
                mutant_mark(k, o);
                mutant_free(k, o);
            }
            next = o->next;
            kobject_release(k, o);
        }
    }
}

/* ---- signal and wait ---------------------------------------------------------------------------
 */

uint32_t ex_NtSignalAndWaitForSingleObjectEx(kcall *call)
{
    kernel *k = call->k;
    kobject *signal = khandle_get(k, call->thread, karg(call, 0), 0);
    kobject *wait = khandle_get(k, call->thread, karg(call, 1), 0);
    if (!signal || !wait || !wait->body) {
        return kret_status(call, STATUS_INVALID_HANDLE);
    }
    if (!signal_allowed(call, signal) || !korder_before_wait(call, &wait, 1)) {
        return K_AGAIN;
    }
    int32_t previous;
    switch (signal->type) {
    case KOBJECT_EVENT:
        ksignal_event(k, signal);
        break;
    case KOBJECT_SEMAPHORE:
        if (!semaphore_add(k, signal, 1, &previous)) {
            return kret_status(call, STATUS_SEMAPHORE_LIMIT_EXCEEDED);
        }
        break;
    case KOBJECT_MUTANT:
        if (!mutant_owned(call, signal)) {
            return kret_status(call, STATUS_MUTANT_NOT_OWNED);
        }
        mutant_release(k, signal);
        break;
    default:
        return kret_status(call, STATUS_OBJECT_TYPE_MISMATCH);
    }
    return wait_one(call, wait, false, karg(call, 2) != 0, karg(call, 4));
}
