/* APCs: asynchronous procedure calls, delivered to a thread that waits alertably. */
#include <stdlib.h>

#include "dispatcher.h"
#include "exports.h"

/* KAPC of the console, 40 bytes (xenia src/xenia/kernel/xthread.h, XAPC). */
#define KAPC_SIZE    0x28
#define KAPC_TYPE    18 /* u8@0 */
#define KAPC_MODE    2  /* u8: 0 kernel, 1 user */
#define KAPC_QUEUED  3  /* u8 */
#define KAPC_THREAD  0x04
#define KAPC_KERNEL  0x10 /* kernel, rundown and normal routine, normal context, two arguments */
#define KAPC_RUNDOWN 0x14
#define KAPC_NORMAL  0x18
#define KAPC_CONTEXT 0x1C

/* Below the caller's stack pointer, inside what kframe_push skips: the four words that a kernel
 * routine may change. */
#define SCRATCH_BELOW 0x80

static void enqueue(kernel *k, kthread *t, const kapc *wanted)
{
    kapc *apc = calloc(1, sizeof *apc);
    if (!apc) {
        kend(k, WEFT_END_PLUGIN, 0, "kernel-hle: out of memory for an APC");
        return;
    }
    *apc = *wanted;
    *(t->last_apc ? &t->last_apc->next : &t->first_apc) = apc;
    t->last_apc = apc;
    t->apc_count++;
    if (t->state == WEFT_THREAD_WAITING && t->wait_alertable && !t->critical_region) {
        kwait_end(k, t, STATUS_USER_APC, 0, know(k));
    }
}

bool kapc_room(const kthread *t)
{
    return t->apc_count < KAPC_MOST;
}

void kapc_queue(kernel *k, kthread *t, uint32_t routine, uint32_t context, uint32_t argument1,
                uint32_t argument2)
{
    kapc apc = {
        .routine = routine,
        .context = context,
        .argument1 = argument1,
        .argument2 = argument2,
    };
    enqueue(k, t, &apc);
}

static kapc **queued(kthread *t, uint32_t body, uint32_t timer)
{
    for (kapc **p = &t->first_apc; *p; p = &(*p)->next) {
        if ((*p)->body == body && (*p)->timer == timer) {
            return p;
        }
    }
    return NULL;
}

static void dequeue(kthread *t, kapc **p)
{
    kapc *apc = *p;
    *p = apc->next;
    t->last_apc = NULL;
    for (kapc *other = t->first_apc; other; other = other->next) {
        t->last_apc = other;
    }
    t->apc_count--;
    free(apc);
}

void kapc_timer_queue(kernel *k, kthread *t, uint32_t timer, uint32_t routine, uint32_t context,
                      uint32_t argument1, uint32_t argument2)
{
    kapc apc = {
        .routine = routine,
        .context = context,
        .argument1 = argument1,
        .argument2 = argument2,
        .timer = timer,
    };
    if (!queued(t, 0, timer)) {
        enqueue(k, t, &apc);
    }
}

void kapc_timer_remove(kthread *t, uint32_t timer)
{
    kapc **p = queued(t, 0, timer);
    if (p) {
        dequeue(t, p);
    }
}

/* A routine of an APC is about to run; mode 0 kernel, 1 user. */
static void emit_deliver(kcall *call, uint32_t routine, uint32_t mode)
{
    weft_event_buffer event;
    weft_event_begin(&event, WEFT_EVENT_APC_DELIVER);
    weft_event_word(&event, routine);
    weft_event_word(&event, mode);
    kemit(call->k, call->thread, &event);
}

static uint32_t apc_returned(kcall *call, uint32_t result)
{
    (void)result;
    return kwait_deliver_apc(call, STATUS_USER_APC);
}

static uint32_t scratch_of(const kcall *call)
{
    return ((uint32_t)call->cpu->r[1] & ~UINT32_C(15)) - SCRATCH_BELOW;
}

/* The kernel routine has run, and may have changed what follows; no normal routine: nothing does.
 */
static uint32_t kernel_returned(kcall *call, uint32_t result)
{
    (void)result;
    uint32_t at = scratch_of(call), routine = kget32(call, at);
    uint64_t arguments[3] = {kget32(call, at + 4), kget32(call, at + 8), kget32(call, at + 12)};
    if (!routine || call->faulted) {
        return apc_returned(call, 0);
    }
    emit_deliver(call, routine, call->thread->apc_mode);
    return kframe_push(call, routine, arguments, 3, apc_returned);
}

uint32_t kwait_deliver_apc(kcall *call, uint32_t status)
{
    kthread *t = call->thread;
    kapc *first = status == STATUS_USER_APC ? t->first_apc : NULL;
    if (!first) {
        return t->cont(call, status);
    }
    kapc apc = *first;
    t->first_apc = apc.next;
    if (!t->first_apc) {
        t->last_apc = NULL;
    }
    t->apc_count--;
    free(first);
    uint64_t arguments[5] = {apc.context, apc.argument1, apc.argument2};
    if (!apc.body) {
        emit_deliver(call, apc.routine, 1);
        return kframe_push(call, apc.routine, arguments, 3, apc_returned);
    }
    /* kernel_routine(apc, &normal_routine, &context, &argument1, &argument2) (NT) */
    uint32_t at = scratch_of(call), routine = kget32(call, apc.body + KAPC_KERNEL);
    t->apc_mode = kget8(call, apc.body + KAPC_MODE) & 1;
    kput8(call, apc.body + KAPC_QUEUED, 0);
    kput32(call, at, kget32(call, apc.body + KAPC_NORMAL));
    kput32(call, at + 4, kget32(call, apc.body + KAPC_CONTEXT));
    kput32(call, at + 8, apc.argument1);
    kput32(call, at + 12, apc.argument2);
    if (!routine || call->faulted) {
        return kernel_returned(call, 0);
    }
    arguments[0] = apc.body;
    for (unsigned i = 0; i < 4; i++) {
        arguments[1 + i] = at + 4 * i;
    }
    emit_deliver(call, routine, 0);
    return kframe_push(call, routine, arguments, 5, kernel_returned);
}

/* ---- exports -----------------------------------------------------------------------------------
 */

uint32_t ex_NtQueueApcThread(kcall *call)
{
    kthread *t = kthread_of(khandle_get(call->k, call->thread, karg(call, 0), KOBJECT_THREAD));
    if (!t) {
        return kret_status(call, khandle_error(call->k, call->thread, karg(call, 0)));
    }
    if (t->state == WEFT_THREAD_TERMINATED) {
        return kret_status(call, STATUS_UNSUCCESSFUL);
    }
    if (!kapc_room(t)) { /* NT: no pool for a KAPC (ReactOS ntoskrnl/ps/state.c) */
        return kret_status(call, STATUS_NO_MEMORY);
    }
    kapc_queue(call->k, t, karg(call, 1), karg(call, 2), karg(call, 3), karg(call, 4));
    return kret_status(call, STATUS_SUCCESS);
}

/* KeInitializeApc(apc, thread, kernel_routine, rundown_routine, normal_routine, mode, context). */
uint32_t ex_KeInitializeApc(kcall *call)
{
    uint32_t body = karg(call, 0), normal = karg(call, 4);
    if (!kwrite(call, body, KAPC_SIZE)) {
        return K_DONE;
    }
    for (uint32_t at = 0; at < KAPC_SIZE; at += 4) {
        kput32(call, body + at, 0);
    }
    kput8(call, body, KAPC_TYPE);
    kput8(call, body + KAPC_MODE, (uint8_t)karg(call, 5));
    kput32(call, body + KAPC_THREAD, karg(call, 1));
    kput32(call, body + KAPC_KERNEL, karg(call, 2));
    kput32(call, body + KAPC_RUNDOWN, karg(call, 3));
    kput32(call, body + KAPC_NORMAL, normal);
    kput32(call, body + KAPC_CONTEXT, normal ? karg(call, 6) : 0);
    return K_DONE;
}

static kthread *apc_thread(kcall *call, uint32_t body)
{
    uint32_t thread = kget32(call, body + KAPC_THREAD);
    kthread *t = kthread_of(kobject_at(call->k, call->thread, thread));
    return t && t->state != WEFT_THREAD_TERMINATED ? t : NULL;
}

/* KeInsertQueueApc(apc, argument1, argument2, increment): FALSE when it is queued already. */
uint32_t ex_KeInsertQueueApc(kcall *call)
{
    uint32_t body = karg(call, 0);
    if (!kwrite(call, body, KAPC_SIZE)) {
        return kret(call, 0);
    }
    kthread *t = apc_thread(call, body);
    if (!t || queued(t, body, 0)) {
        return kret(call, 0);
    }
    kapc apc = {.body = body, .argument1 = karg(call, 1), .argument2 = karg(call, 2)};
    kput8(call, body + KAPC_QUEUED, 1);
    enqueue(call->k, t, &apc);
    return kret(call, 1);
}

uint32_t ex_KeRemoveQueueApc(kcall *call)
{
    uint32_t body = karg(call, 0);
    kthread *t = apc_thread(call, body);
    kapc **p = t ? queued(t, body, 0) : NULL;
    if (!p) {
        return kret(call, 0);
    }
    dequeue(t, p);
    kput8(call, body + KAPC_QUEUED, 0);
    return kret(call, 1);
}

uint32_t ex_KiApcNormalRoutineNop(kcall *call)
{
    return K_DONE;
}
