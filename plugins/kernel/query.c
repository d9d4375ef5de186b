/* What a dispatcher object is in: NtQueryEvent and the like, with NT's information structures. */
#include "dispatcher.h"
#include "exports.h"
#include "order.h"

static kobject *get(kcall *call, uint32_t type, uint32_t size)
{
    kobject *o = khandle_get(call->k, call->thread, karg(call, 0), type);
    if (o && !kwrite(call, karg(call, 1), size)) {
        return NULL;
    }
    return o && korder_before(call, WEFT_SYNC_TRY, o) ? o : NULL;
}

/* Why `get` gave nothing. */
static uint32_t none(kcall *call, uint32_t type)
{
    if (call->faulted) {
        return kret_status(call, STATUS_ACCESS_VIOLATION);
    }
    if (khandle_get(call->k, call->thread, karg(call, 0), type)) {
        return K_AGAIN; /* the policy holds it */
    }
    return kret_status(call, khandle_error(call->k, call->thread, karg(call, 0)));
}

static uint32_t done(kcall *call, kobject *o)
{
    korder_take(call->k, call->thread, WEFT_SYNC_TRY, o);
    return kret_status(call, STATUS_SUCCESS);
}

/* {type, state} */
uint32_t ex_NtQueryEvent(kcall *call)
{
    uint32_t out = karg(call, 1);
    kobject *o = get(call, KOBJECT_EVENT, 8);
    if (!o) {
        return none(call, KOBJECT_EVENT);
    }
    kput32(call, out, header_type(call->k, o) == TYPE_EVENT_AUTO);
    kput32(call, out + 4, (uint32_t)state_get(call->k, o));
    return done(call, o);
}

/* {count, limit} */
uint32_t ex_NtQuerySemaphore(kcall *call)
{
    uint32_t out = karg(call, 1);
    kobject *o = get(call, KOBJECT_SEMAPHORE, 8);
    if (!o) {
        return none(call, KOBJECT_SEMAPHORE);
    }
    kput32(call, out, (uint32_t)state_get(call->k, o));
    kput32(call, out + 4, body_word(call->k, o, SEMAPHORE_LIMIT));
    return done(call, o);
}

/* {count, owned by the caller u8, abandoned u8} */
uint32_t ex_NtQueryMutant(kcall *call)
{
    uint32_t out = karg(call, 1);
    kobject *o = get(call, KOBJECT_MUTANT, 8);
    if (!o) {
        return none(call, KOBJECT_MUTANT);
    }
    uint32_t self = call->thread->object ? call->thread->object->body : 0;
    kput32(call, out, (uint32_t)state_get(call->k, o));
    kput8(call, out + 4, self && mutant_owner(call->k, o) == self);
    kput8(call, out + 5, call->k->memory->base[o->body + MUTANT_ABANDONED] != 0);
    return done(call, o);
}

/* {time left in 100 ns, 0 where it is not set; signalled u32} */
uint32_t ex_NtQueryTimer(kcall *call)
{
    uint32_t out = karg(call, 1);
    kobject *o = get(call, KOBJECT_TIMER, 16);
    if (!o) {
        return none(call, KOBJECT_TIMER);
    }
    const ktimer *timer = o->data;
    uint64_t now = know(call->k);
    bool set = timer && timer->pending && timer->due > now;
    kput64(call, out, set ? (timer->due - now) / 100 : 0);
    kput32(call, out + 8, state_get(call->k, o) > 0);
    kput32(call, out + 12, 0);
    return done(call, o);
}

/* (port, depth out) */
uint32_t ex_NtQueryIoCompletion(kcall *call)
{
    uint32_t out = karg(call, 1);
    kobject *o = get(call, KOBJECT_IO_COMPLETION, 4);
    if (!o) {
        return none(call, KOBJECT_IO_COMPLETION);
    }
    kput32(call, out, (uint32_t)state_get(call->k, o));
    return done(call, o);
}
