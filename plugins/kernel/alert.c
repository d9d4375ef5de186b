/* Alerts, and priorities beside the base: what is left of NT's thread functions.
 *
 * An alert ends an alertable wait with STATUS_ALERTED; one that finds its thread not waiting so stays,
 * for the thread's next alertable wait or KeTestAlertThread (NT documentation; the console's threads
 * have one mode, so there is one alert, whatever mode is given). */
#include "dispatcher.h"
#include "exports.h"
#include "sched.h"

static kthread *thread_argument(kcall *call)
{
    return kthread_of(kobject_at(call->k, call->thread, karg(call, 0)));
}

/* Alerts the thread; whether it was alerted already. */
static bool alert(kernel *k, kthread *t)
{
    bool before = t->alerted;
    if (t->state == WEFT_THREAD_WAITING && t->wait_alertable && !t->critical_region) {
        kwait_end(k, t, STATUS_ALERTED, 0, know(k));
    } else if (t->state != WEFT_THREAD_TERMINATED) {
        t->alerted = true;
    }
    return before;
}

/* (thread, mode): the previous state. */
uint32_t ex_KeAlertThread(kcall *call)
{
    kthread *t = thread_argument(call);
    return kret(call, t ? alert(call->k, t) : 0);
}

/* (thread): also takes back one suspension; the previous count. */
uint32_t ex_KeAlertResumeThread(kcall *call)
{
    kthread *t = thread_argument(call);
    if (t) {
        alert(call->k, t);
    }
    return ex_KeResumeThread(call);
}

/* (mode): whether the caller was alerted, which it is no longer. */
uint32_t ex_KeTestAlertThread(kcall *call)
{
    bool before = call->thread->alerted;
    call->thread->alerted = false;
    return kret(call, before);
}

/* (thread, priority 0 to 31): the previous one. */
uint32_t ex_KeSetPriorityThread(kcall *call)
{
    kthread *t = thread_argument(call);
    int32_t priority = (int32_t)karg(call, 1);
    if (!t) {
        return kret(call, 0);
    }
    int32_t before = t->priority;
    t->priority = priority < 1 ? 1 : priority > 31 ? 31 : priority;
    call->k->stale = true;
    ksched_yield(call->k);
    return kret(call, (uint32_t)before);
}

/* (event, thread out): sets the event, and says who waited for it first. */
uint32_t ex_KeSetEventBoostPriority(kcall *call)
{
    kobject *event = kobject_at(call->k, call->thread, karg(call, 0));
    uint32_t out = karg(call, 1);
    if (out && event && event->type == KOBJECT_EVENT) {
        const kthread *first = event->first_wait ? event->first_wait->thread : NULL;
        kput32(call, out, first && first->object ? first->object->body : 0);
    }
    return ex_KeSetEvent(call);
}
