/* Read-write locks and sequenced lists.
 *
 * ERWLOCK, 0x38 bytes (xenia src/xenia/kernel/xboxkrnl/xboxkrnl_threading.cc, X_ERWLOCK): count @0
 * (-1 free), writers waiting @4, readers waiting @8, readers inside @0xC, the writers' event @0x10,
 * the readers' semaphore @0x20, a spin lock @0x34. Kernel calls do not come between each other, so
 * the spin lock is never seen taken. The lock's order of operations is kept under its event's name. */
#include <string.h>

#include "dispatcher.h"
#include "exports.h"
#include "order.h"

#define LOCK_COUNT     0x00
#define LOCK_WRITERS   0x04
#define LOCK_READERS   0x08
#define LOCK_INSIDE    0x0C
#define LOCK_EVENT     0x10
#define LOCK_SEMAPHORE 0x20
#define LOCK_SIZE      0x38
#define SEMAPHORE_MOST UINT32_C(0x7FFFFFFF)

typedef struct rwlock {
    uint32_t at;
    kobject *event, *semaphore;
} rwlock;

/* False, and the call faulted, where there is no lock. */
static bool lock_get(kcall *call, rwlock *lock)
{
    lock->at = karg(call, 0);
    if (!kwrite(call, lock->at, LOCK_SIZE)) {
        return false;
    }
    lock->event = kobject_at(call->k, call->thread, lock->at + LOCK_EVENT);
    lock->semaphore = kobject_at(call->k, call->thread, lock->at + LOCK_SEMAPHORE);
    if (!lock->event || lock->event->type != KOBJECT_EVENT || !lock->semaphore ||
        lock->semaphore->type != KOBJECT_SEMAPHORE) {
        kfault(call, lock->at, true);
        return false;
    }
    return true;
}

static uint32_t field(kcall *call, const rwlock *lock, uint32_t offset)
{
    return weft_load32(call->k->memory->base + lock->at + offset);
}

static void add(kcall *call, const rwlock *lock, uint32_t offset, uint32_t change)
{
    kput32(call, lock->at + offset, field(call, lock, offset) + change);
}

uint32_t ex_ExInitializeReadWriteLock(kcall *call)
{
    uint32_t at = karg(call, 0);
    uint8_t *p = kwrite(call, at, LOCK_SIZE);
    if (!p) {
        return K_DONE;
    }
    memset(p, 0, LOCK_SIZE);
    weft_store32(p, UINT32_MAX);
    kwritten(call->k, at, LOCK_SIZE);
    header_make(call, at + LOCK_EVENT, TYPE_EVENT_AUTO, 0, HEADER_SIZE);
    header_make(call, at + LOCK_SEMAPHORE, TYPE_SEMAPHORE, 0, SEMAPHORE_SIZE);
    kput32(call, at + LOCK_SEMAPHORE + SEMAPHORE_LIMIT, SEMAPHORE_MOST);
    return K_DONE;
}

/* Readers come in while others are in and no writer waits. */
static bool lock_open(kcall *call, const rwlock *lock, bool shared)
{
    return field(call, lock, LOCK_COUNT) == UINT32_MAX ||
           (shared && field(call, lock, LOCK_INSIDE) && !field(call, lock, LOCK_WRITERS));
}

static uint32_t acquired(kcall *call, uint32_t status)
{
    (void)call;
    (void)status;
    return K_DONE;
}

static void enter(kcall *call, const rwlock *lock, bool shared, uint32_t op)
{
    add(call, lock, LOCK_COUNT, 1);
    add(call, lock, LOCK_INSIDE, shared);
    korder_take(call->k, call->thread, op, lock->event);
}

static uint32_t acquire(kcall *call, bool shared)
{
    rwlock lock;
    if (!lock_get(call, &lock)) {
        return K_DONE;
    }
    if (lock_open(call, &lock, shared)) {
        if (!korder_before(call, WEFT_SYNC_ENTER, lock.event)) {
            return K_AGAIN;
        }
        enter(call, &lock, shared, WEFT_SYNC_ENTER);
        return K_DONE;
    }
    kobject *o = shared ? lock.semaphore : lock.event;
    if (!korder_before_wait(call, &o, 1)) {
        return K_AGAIN;
    }
    if (kthread_is_interrupt(call->thread)) {
        return kwait_in_dpc(call->k);
    }
    add(call, &lock, LOCK_COUNT, 1);
    add(call, &lock, shared ? LOCK_READERS : LOCK_WRITERS, 1);
    return kwait_begin(call, &o, 1, false, false, NULL, acquired);
}

uint32_t ex_ExAcquireReadWriteLockExclusive(kcall *call)
{
    return acquire(call, false);
}

uint32_t ex_ExAcquireReadWriteLockShared(kcall *call)
{
    return acquire(call, true);
}

static uint32_t try_acquire(kcall *call, bool shared)
{
    rwlock lock;
    if (!lock_get(call, &lock)) {
        return kret(call, 0);
    }
    if (!korder_before(call, WEFT_SYNC_TRY, lock.event)) {
        return K_AGAIN;
    }
    if (!lock_open(call, &lock, shared)) {
        korder_take(call->k, call->thread, WEFT_SYNC_TRY, lock.event);
        return kret(call, 0);
    }
    enter(call, &lock, shared, WEFT_SYNC_TRY);
    return kret(call, 1);
}

uint32_t ex_ExTryToAcquireReadWriteLockExclusive(kcall *call)
{
    return try_acquire(call, false);
}

uint32_t ex_ExTryToAcquireReadWriteLockShared(kcall *call)
{
    return try_acquire(call, true);
}

static void hand_over(kcall *call, kobject *o, int32_t state)
{
    kobject_retain(o); /* a waiter may hold the last reference */
    state_set(call->k, o, state);
    korder_take(call->k, call->thread, WEFT_SYNC_SIGNAL, o);
    kwait_signal(call->k, o);
    kobject_release(call->k, o);
}

/* A writer lets all readers in that wait, the last reader a writer; with no readers waiting a writer
 * goes to the next writer. */
uint32_t ex_ExReleaseReadWriteLock(kcall *call)
{
    rwlock lock;
    if (!lock_get(call, &lock)) {
        return K_DONE;
    }
    if (!korder_before(call, WEFT_SYNC_LEAVE, lock.event)) {
        return K_AGAIN;
    }
    korder_take(call->k, call->thread, WEFT_SYNC_LEAVE, lock.event);
    add(call, &lock, LOCK_COUNT, UINT32_MAX);
    if ((int32_t)field(call, &lock, LOCK_COUNT) < 0) {
        kput32(call, lock.at + LOCK_INSIDE, 0);
        return K_DONE;
    }
    uint32_t inside = field(call, &lock, LOCK_INSIDE), readers = field(call, &lock, LOCK_READERS);
    if (inside == 0 && readers != 0) {
        kput32(call, lock.at + LOCK_READERS, 0);
        kput32(call, lock.at + LOCK_INSIDE, readers);
        hand_over(call, lock.semaphore, (int32_t)(readers & SEMAPHORE_MOST));
        return K_DONE;
    }
    if (inside > 1) {
        kput32(call, lock.at + LOCK_INSIDE, inside - 1);
        return K_DONE;
    }
    kput32(call, lock.at + LOCK_INSIDE, 0);
    add(call, &lock, LOCK_WRITERS, UINT32_MAX);
    hand_over(call, lock.event, 1);
    return K_DONE;
}

/* ---- sequenced lists ---------------------------------------------------------------------------
 */

/* SLIST_HEADER: first entry u32@0, depth u16@4, sequence u16@6; an entry begins with the next one's
 * address. */
static void list_put(kcall *call, uint32_t list, uint32_t first, uint16_t depth, uint16_t sequence)
{
    kput32(call, list, first);
    kput16(call, list + 4, depth);
    kput16(call, list + 6, sequence);
}

uint32_t ex_InterlockedPushEntrySList(kcall *call)
{
    uint32_t list = karg(call, 0), entry = karg(call, 1), first = kget32(call, list);
    uint16_t depth = kget16(call, list + 4), sequence = kget16(call, list + 6);
    if (!call->faulted && kwrite(call, entry, 4) && kwrite(call, list, 8)) {
        kput32(call, entry, first);
        list_put(call, list, entry, (uint16_t)(depth + 1), (uint16_t)(sequence + 1));
    }
    return kret(call, first);
}

uint32_t ex_InterlockedPopEntrySList(kcall *call)
{
    uint32_t list = karg(call, 0), first = kget32(call, list);
    uint16_t depth = kget16(call, list + 4), sequence = kget16(call, list + 6);
    uint32_t next = first ? kget32(call, first) : 0;
    if (first && !call->faulted) {
        list_put(call, list, next, (uint16_t)(depth - 1), sequence);
    }
    return kret(call, first);
}

uint32_t ex_InterlockedFlushSList(kcall *call)
{
    uint32_t list = karg(call, 0), first = kget32(call, list);
    if (!call->faulted) {
        list_put(call, list, 0, 0, 0);
    }
    return kret(call, first);
}
