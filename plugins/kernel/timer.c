/* Timers: Nt ones with an APC, Ke ones with a DPC. */
#include <stdlib.h>

#include "dispatcher.h"
#include "exports.h"
#include "order.h"

/* On the clock, and off it. */
static void timer_on(kernel *k, const kobject *o, ktimer *timer)
{
    timer->pending = k->clock->schedule(k->clock, k->source_timer, timer->due, o->body);
    k->timers_pending++;
}

static void timer_off(kernel *k, ktimer *timer)
{
    k->timers_pending -= timer->pending != 0;
    timer->pending = 0;
}

/* The object is signalled, its APC and DPC are queued, and a periodic one goes on without drift. */
void timer_fired(void *context, uint64_t tick, uint64_t argument)
{
    kernel *k = context;
    kobject *o = kobject_at(k, NULL, (uint32_t)argument);
    if (!o || o->type != KOBJECT_TIMER || !o->data) {
        return;
    }
    ktimer *timer = o->data;
    if (korder_source_held(k, KSOURCE_TIMER, o, timer->due)) {
        timer->pending =
            k->clock->schedule(k->clock, k->source_timer, tick + WEFT_SYNC_PATIENCE, o->body);
        return;
    }
    uint64_t before = ksource_begin(k, KSOURCE_TIMER);
    kobject_retain(o); /* a waiter may hold the last reference */
    timer_off(k, timer);
    if (timer->period) {
        timer->due += timer->period;
        timer_on(k, o, timer);
    }
    state_set(k, o, 1);
    korder_take(k, NULL, WEFT_SYNC_SIGNAL, o);
    kwait_signal(k, o);
    uint64_t system = ktime_system(k, tick);
    if (timer->routine && timer->apc_thread->state != WEFT_THREAD_TERMINATED) {
        kapc_timer_queue(k, timer->apc_thread, o->body, timer->routine, timer->context,
                         (uint32_t)system, (uint32_t)(system >> 32));
    }
    if (timer->dpc) {
        dpc_queue(k, timer->hw, timer->dpc, (uint32_t)system, (uint32_t)(system >> 32));
    }
    kobject_release(k, o);
    ksource_end(k, before);
}

/* Takes the timer off the clock, and its APC off its queue (NT); whether it was on the clock. */
static bool timer_stop(kernel *k, const kobject *o)
{
    ktimer *timer = o->data;
    bool was_set = timer->pending != 0;
    if (timer->apc_thread && k->threads) { /* at the very end threads go before objects */
        kapc_timer_remove(timer->apc_thread, o->body);
    }
    if (was_set) {
        k->clock->cancel(k->clock, timer->pending);
    }
    timer_off(k, timer);
    return was_set;
}

static void timer_close(kernel *k, kobject *o)
{
    ktimer *timer = o->data;
    if (timer) {
        timer_stop(k, o);
    }
    free(timer);
    o->data = NULL;
}

/* The object's timer, made when it is first set; NULL: out of memory. */
static ktimer *timer_of(kobject *o)
{
    if (!o->data) {
        o->data = calloc(1, sizeof(ktimer));
        o->close = timer_close;
    }
    return o->data;
}

/* Sets it anew: not signalled, due at `due` (NT form), then every `period` ms. */
static bool timer_set(kernel *k, kobject *o, ktimer *timer, int64_t due, uint32_t period)
{
    bool was_set = timer_stop(k, o);
    state_set(k, o, 0);
    korder_take(k, k->running, WEFT_SYNC_RESET, o);
    timer->period = (uint64_t)period * 1000000;
    uint64_t now = know(k);
    timer->due = deadline_of(k, due, now);
    if (timer->due != WEFT_TICK_NEVER) {
        timer->due = kpolicy_deadline(k, k->running, WEFT_DELAY_TIMER, now, timer->due);
        timer_on(k, o, timer);
    }
    return was_set;
}

bool kwait_timer_due(kernel *k)
{
    uint32_t buckets = sizeof k->objects / sizeof k->objects[0];
    for (uint32_t i = 0; i < buckets && k->timers_pending > 0; i++) {
        for (const kobject *o = k->objects[i]; o; o = o->next) {
            const ktimer *timer = o->type == KOBJECT_TIMER ? o->data : NULL;
            if (timer && timer->pending &&
                (o->first_wait || o->awaited || timer->dpc ||
                 (timer->routine && timer->apc_thread->state != WEFT_THREAD_TERMINATED))) {
                return true;
            }
        }
    }
    return false;
}

/* ---- by handle ---------------------------------------------------------------------------------
 */

uint32_t ex_NtCreateTimer(kcall *call)
{
    kobject *o = NULL;
    if (karg(call, 2) > 1) { /* NT names the argument: there it is the fourth */
        return kret_status(call, STATUS_INVALID_PARAMETER_4);
    }
    return dispatcher_create(call, KOBJECT_TIMER,
                             karg(call, 2) ? TYPE_TIMER_AUTO : TYPE_TIMER_MANUAL, TIMER_SIZE, 0,
                             &o);
}

/* *previous_out is the signal state, as NT's PreviousState and CurrentState are. */
uint32_t ex_NtSetTimerEx(kcall *call)
{
    kernel *k = call->k;
    kobject *o = khandle_get(k, call->thread, karg(call, 0), KOBJECT_TIMER);
    if (!o) {
        return kret_status(call, khandle_error(call->k, call->thread, karg(call, 0)));
    }
    int64_t due = (int64_t)kget64(call, karg(call, 1));
    int32_t period = (int32_t)karg(call, 6), previous = state_get(k, o);
    if (period < 0) {
        return kret_status(call, STATUS_INVALID_PARAMETER);
    }
    ktimer *timer = timer_of(o);
    if (!timer) {
        return kret_status(call, STATUS_INSUFFICIENT_RESOURCES);
    }
    if (!korder_before(call, WEFT_SYNC_RESET, o)) {
        return K_AGAIN;
    }
    timer_stop(k, o); /* also the APC of the thread that set it before */
    timer->routine = kthread_is_interrupt(call->thread) ? 0 : karg(call, 2);
    timer->context = karg(call, 4);
    timer->apc_thread = call->thread;
    timer_set(k, o, timer, due, (uint32_t)period);
    if (karg(call, 7)) {
        kput32(call, karg(call, 7), previous > 0);
    }
    return kret_status(call, STATUS_SUCCESS);
}

uint32_t ex_NtCancelTimer(kcall *call)
{
    kernel *k = call->k;
    kobject *o = khandle_get(k, call->thread, karg(call, 0), KOBJECT_TIMER);
    if (!o) {
        return kret_status(call, khandle_error(call->k, call->thread, karg(call, 0)));
    }
    if (!korder_before(call, WEFT_SYNC_RESET, o)) {
        return K_AGAIN;
    }
    korder_take(k, call->thread, WEFT_SYNC_RESET, o);
    if (o->data) {
        timer_stop(k, o);
    }
    if (karg(call, 1)) {
        kput32(call, karg(call, 1), state_get(k, o) > 0);
    }
    return kret_status(call, STATUS_SUCCESS);
}

/* ---- by pointer --------------------------------------------------------------------------------
 */

/* KeInitializeTimerEx(timer, type: 0 notification, 1 synchronization, process type). */
uint32_t ex_KeInitializeTimerEx(kcall *call)
{
    uint32_t body = karg(call, 0);
    if (header_make(call, body, karg(call, 1) ? TYPE_TIMER_AUTO : TYPE_TIMER_MANUAL, 0,
                    TIMER_SIZE)) {
        for (uint32_t at = HEADER_SIZE; at < TIMER_SIZE; at += 4) {
            kput32(call, body + at, 0);
        }
    }
    return K_DONE;
}

static uint32_t set_raw_timer(kcall *call, uint32_t period, uint32_t dpc)
{
    kobject *o = dispatcher_argument(call, KOBJECT_TIMER);
    ktimer *timer = o ? timer_of(o) : NULL;
    if (!timer) {
        return kret(call, 0);
    }
    if (!korder_before(call, WEFT_SYNC_RESET, o)) {
        return K_AGAIN;
    }
    timer->routine = 0;
    timer->dpc = dpc;
    timer->hw = call->thread->hw;
    return kret(call, timer_set(call->k, o, timer, (int64_t)karg64(call, 1), period));
}

uint32_t ex_KeSetTimer(kcall *call)
{
    return set_raw_timer(call, 0, karg(call, 2));
}

uint32_t ex_KeSetTimerEx(kcall *call)
{
    int32_t period = (int32_t)karg(call, 2);
    return set_raw_timer(call, period > 0 ? (uint32_t)period : 0, karg(call, 3));
}

uint32_t ex_KeCancelTimer(kcall *call)
{
    kobject *o = dispatcher_argument(call, KOBJECT_TIMER);
    if (!o) {
        return kret(call, 0);
    }
    if (!korder_before(call, WEFT_SYNC_RESET, o)) {
        return K_AGAIN;
    }
    korder_take(call->k, call->thread, WEFT_SYNC_RESET, o);
    return kret(call, o->data && timer_stop(call->k, o));
}
