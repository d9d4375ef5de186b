/* Dispatcher headers in guest memory, and what lies behind them: the truth about the state of
 * events, semaphores, mutants and timers, since titles read and initialise them inline.
 *
 * Header: type u8@0, signal state s32@4, wait list @8. Offsets behind it are NT's KSEMAPHORE,
 * KMUTANT and KTIMER with the console's 8-byte list entries. */
#ifndef WEFT_KERNEL_DISPATCHER_H
#define WEFT_KERNEL_DISPATCHER_H

#include "kernel.h"

#define HEADER_SIZE      0x10
#define HEADER_STATE     4
#define HEADER_LIST      8
#define SEMAPHORE_LIMIT  0x10
#define SEMAPHORE_SIZE   0x14
#define MUTANT_OWNER     0x18 /* KTHREAD */
#define MUTANT_ABANDONED 0x1C /* u8 */
#define MUTANT_SIZE      0x20
#define TIMER_SIZE       0x28

/* Type bytes (NT's KOBJECTS). */
#define TYPE_EVENT_MANUAL 0
#define TYPE_EVENT_AUTO   1
#define TYPE_MUTANT       2
#define TYPE_SEMAPHORE    5
#define TYPE_TIMER_MANUAL 8
#define TYPE_TIMER_AUTO   9

/* What a timer object is apart from its header: kobject.data. */
typedef struct ktimer {
    uint64_t pending; /* clock handle, 0: not set */
    uint64_t period;  /* ticks, 0: once */
    uint64_t due;     /* tick */
    kthread *apc_thread;
    uint32_t routine, context; /* of the APC; routine 0: none */
    uint32_t dpc;              /* guest KDPC to queue, 0: none */
    uint32_t hw;               /* where it is queued: the setter's hardware thread */
} ktimer;

static inline int32_t state_get(kernel *k, const kobject *o)
{
    return (int32_t)weft_load32(k->memory->base + o->body + HEADER_STATE);
}

static inline void state_set(kernel *k, const kobject *o, int32_t state)
{
    weft_store32(k->memory->base + o->body + HEADER_STATE, (uint32_t)state);
    kwritten(k, o->body + HEADER_STATE, 4);
}

static inline uint8_t header_type(kernel *k, const kobject *o)
{
    return k->memory->base[o->body];
}

static inline uint32_t body_word(kernel *k, const kobject *o, uint32_t offset)
{
    return weft_load32(k->memory->base + o->body + offset);
}

static inline void body_set(kernel *k, const kobject *o, uint32_t offset, uint32_t value)
{
    weft_store32(k->memory->base + o->body + offset, value);
    kwritten(k, o->body + offset, 4);
}

static inline uint32_t mutant_owner(kernel *k, const kobject *o)
{
    return body_word(k, o, MUTANT_OWNER);
}

/* The dispatcher's own: dispatcher.c, timer.c, wait.c. */

/* Writes a header at `body`, with nobody waiting. Faults the call if it cannot; false then. */
bool header_make(kcall *call, uint32_t body, uint8_t type, int32_t state, uint32_t size);
/* An Nt...Create export: an object with a header, and its handle where r3 says. *made is NULL when
 * that failed. */
uint32_t dispatcher_create(kcall *call, uint32_t type, uint8_t header, uint32_t size, int32_t state,
                           kobject **made);
/* The same with the OBJECT_ATTRIBUTES elsewhere than in r4; one that has the name already is opened,
 * and *made stays NULL. */
uint32_t dispatcher_create_named(kcall *call, uint32_t attributes, uint32_t type, uint8_t header,
                                 uint32_t size, int32_t state, kobject **made);
/* The dispatcher object of that type at the pointer r3; NULL, and the call faulted, if there is
 * none. */
kobject *dispatcher_argument(kcall *call, uint32_t type);
/* Tick at which a timeout of the NT form ends: negative relative, else absolute system time. NEVER
 * where guest time cannot reach it. */
uint64_t deadline_of(kernel *k, int64_t timeout, uint64_t now);
/* Waits for one object, asking the policy first or not; timeout: guest pointer, 0 for ever. */
uint32_t wait_one(kcall *call, kobject *o, bool ask, bool alertable, uint32_t timeout);
/* Queues the DPC at `body` on a hardware thread, unless it is queued. */
bool dpc_queue(kernel *k, uint32_t hw, uint32_t body, uint32_t argument1, uint32_t argument2);
void timer_fired(void *context, uint64_t tick, uint64_t argument);

#endif
