/* Critical sections, spin locks, IRQL, DPCs. */
#include <stdlib.h>
#include <string.h>

#include "dispatcher.h"
#include "exports.h"
#include "order.h"
#include "uncontended.h"

/* RTL_CRITICAL_SECTION: an auto-reset event's header, then lock count -1 when free (Wine and NT's
 * layout on the console's 28 bytes: xenia src/xenia/kernel/xboxkrnl/xboxkrnl_rtl.cc). */
#define CS_SPIN      1 /* u8: spin count / 256 */
#define CS_LOCK      0x10
#define CS_RECURSION 0x14
#define CS_OWNER     0x18 /* KTHREAD of the owner */
#define CS_SIZE      0x1C

#define IRQL_DISPATCH 2
#define SPIN_COST     8 /* ticks for one turn of a spin on a held lock */

/* ---- words of locks ----------------------------------------------------------------------------
 * A call without the dispatcher lock (uncontended.h) does the same as one with it. What it may not do
 * is to report stores, so it keeps off pages that somebody watches. */

/* The words of a lock, which the guest may write. NULL: the call is over, by a fault or K_LOCK. */
static uint8_t *lock_words(kcall *call, uint32_t address, uint32_t size)
{
    uint8_t *p = kwrite(call, address, size);
    const uint8_t *access = call->k->memory->access;
    uint32_t first = address >> WEFT_PAGE_SHIFT, last = (address + size - 1) >> WEFT_PAGE_SHIFT;
    bool watched = p && call->unlocked &&
                   ((__atomic_load_n(&access[first], __ATOMIC_RELAXED) |
                     __atomic_load_n(&access[last], __ATOMIC_RELAXED)) &
                    WEFT_PAGE_WATCH);
    if (watched) {
        kfault(call, address, true); /* for uncontended.c: it takes the lock */
        return NULL;
    }
    return p;
}

static void word_put(kcall *call, uint32_t address, uint32_t value)
{
    weft_store32(call->k->memory->base + address, value);
    if (!call->unlocked) {
        kwritten(call->k, address, 4);
    }
}

/* Adds in one piece, where others may add too: an owner that enters again, and who begins to wait.
 * The new value. */
static uint32_t word_add(kcall *call, uint32_t address, uint32_t change)
{
    uint8_t *p = call->k->memory->base + address;
    if (!call->k->uncontended || (uintptr_t)p % sizeof(uint32_t)) {
        uint32_t value = weft_load32(p) + change;
        word_put(call, address, value);
        return value;
    }
    uint32_t *word = (uint32_t *)p, old = __atomic_load_n(word, __ATOMIC_RELAXED), value;
    do {
        value = __builtin_bswap32(old) + change;
    } while (!__atomic_compare_exchange_n(word, &old, __builtin_bswap32(value), 1, __ATOMIC_RELAXED,
                                          __ATOMIC_RELAXED));
    if (!call->unlocked) {
        kwritten(call->k, address, 4);
    }
    return value;
}

/* ---- critical sections -------------------------------------------------------------------------
 */

void kcs_init(kernel *k, uint32_t cs, uint32_t spin)
{
    uint8_t *p = k->memory->base + cs;
    uint32_t units = (spin + 255) >> 8;
    weft_store32(p, 1u << 24 | (units > 255 ? 255 : units) << (8 * (3 - CS_SPIN)));
    for (uint32_t at = 4; at < CS_SIZE; at += 4) {
        weft_store32(p + at, at == CS_LOCK ? UINT32_MAX : 0);
    }
    kwritten(k, cs, CS_SIZE);
}

uint32_t ex_RtlInitializeCriticalSection(kcall *call)
{
    if (kwrite(call, karg(call, 0), CS_SIZE)) {
        kcs_init(call->k, karg(call, 0), 0);
    }
    return K_DONE;
}

uint32_t ex_RtlInitializeCriticalSectionAndSpinCount(kcall *call)
{
    if (kwrite(call, karg(call, 0), CS_SIZE)) {
        kcs_init(call->k, karg(call, 0), karg(call, 1));
    }
    return kret_status(call, STATUS_SUCCESS);
}

static uint32_t self(const kcall *call)
{
    return call->thread->object ? call->thread->object->body : 0;
}

static void observe(kcall *call, uint32_t cs, bool contended)
{
    weft_event_buffer event;
    weft_event_begin(&event, WEFT_EVENT_CONTENTION_OBSERVED);
    weft_event_word(&event, cs);
    weft_event_word(&event, contended);
    weft_event_word(&event, call->caller);
    kemit(call->k, call->thread, &event);
}

/* The wait for a contended section is over: it is ours. */
static uint32_t cs_acquired(kcall *call, uint32_t status)
{
    uint32_t cs = (uint32_t)call->thread->cont_data[0];
    kput32(call, cs + CS_OWNER, self(call));
    kput32(call, cs + CS_RECURSION, 1);
    return K_DONE;
}

uint32_t kcs_awaited(const kthread *t)
{
    bool waits = t->state == WEFT_THREAD_WAITING && t->cont == cs_acquired;
    return waits ? (uint32_t)t->cont_data[0] : 0;
}

uint32_t kcs_owner(kernel *k, uint32_t cs)
{
    return weft_memory_ok(k->memory, cs, CS_SIZE, WEFT_PAGE_READ)
               ? weft_load32(k->memory->base + cs + CS_OWNER)
               : 0;
}

/* The section is the caller's already: once more. */
static bool cs_again(kcall *call, uint32_t cs, const uint8_t *p)
{
    if (weft_load32(p + CS_OWNER) != self(call) || (int32_t)weft_load32(p + CS_LOCK) < 0) {
        return false;
    }
    word_add(call, cs + CS_LOCK, 1);
    word_put(call, cs + CS_RECURSION, weft_load32(p + CS_RECURSION) + 1);
    return true;
}

/* It was free, and is the caller's. */
static void cs_own(kcall *call, uint32_t cs)
{
    word_put(call, cs + CS_LOCK, 0);
    word_put(call, cs + CS_RECURSION, 1);
    word_put(call, cs + CS_OWNER, self(call));
}

static bool cs_is_free(const uint8_t *p)
{
    return weft_load32(p + CS_LOCK) == UINT32_MAX;
}

/* Not free: the caller waits for it, with the section claimed. */
static uint32_t cs_wait(kcall *call, uint32_t cs, kobject *o)
{
    if (!o) { /* not a critical section at all */
        kfault(call, cs, true);
        return K_DONE;
    }
    if (kthread_is_interrupt(call->thread)) {
        return kwait_in_dpc(call->k);
    }
    observe(call, cs, true);
    word_add(call, cs + CS_LOCK, 1);
    call->thread->cont_data[0] = cs;
    return kwait_section(call, o, cs_acquired);
}

uint32_t ex_RtlEnterCriticalSection(kcall *call)
{
    uint32_t cs = karg(call, 0), answer = K_DONE;
    uint8_t *p = lock_words(call, cs, CS_SIZE);
    if (!p || cs_again(call, cs, p)) {
        return K_DONE;
    }
    kobject *o = korder_section(call, cs);
    bool contended;
    do { /* once, but where it was left or entered since it was looked at */
        contended = !cs_is_free(p);
        if (call->unlocked && (contended || !o)) {
            return K_LOCK;
        }
        if (o && !korder_before(call, contended ? WEFT_SYNC_ENTER_CONTENDED : WEFT_SYNC_ENTER, o)) {
            return K_AGAIN;
        }
        if (!korder_claim(call, o)) {
            return K_LOCK;
        }
        if (cs_is_free(p) != contended) {
            break;
        }
        korder_drop(call, o);
    } while (true);
    if (contended) {
        answer = cs_wait(call, cs, o);
    } else {
        cs_own(call, cs);
        if (o) {
            korder_take_lock(call, WEFT_SYNC_ENTER, o);
        }
    }
    korder_drop(call, o);
    return answer;
}

uint32_t ex_RtlTryEnterCriticalSection(kcall *call)
{
    uint32_t cs = karg(call, 0);
    uint8_t *p = lock_words(call, cs, CS_SIZE);
    if (!p) {
        return kret(call, 0);
    }
    if (!cs_is_free(p) && cs_again(call, cs, p)) {
        return kret(call, 1);
    }
    kobject *o = korder_section(call, cs);
    if (o && !korder_before(call, WEFT_SYNC_TRY, o)) {
        return K_AGAIN;
    }
    if ((call->unlocked && !o) || !korder_claim(call, o)) {
        return K_LOCK;
    }
    bool free = cs_is_free(p);
    if (free) {
        cs_own(call, cs);
    }
    if (o) {
        korder_take_lock(call, WEFT_SYNC_TRY, o);
    }
    korder_drop(call, o);
    return kret(call, free);
}

/* The last leave, with the section claimed. */
static uint32_t cs_leave(kcall *call, uint32_t cs, kobject *o)
{
    kernel *k = call->k;
    if (call->unlocked && weft_load32(k->memory->base + cs + CS_LOCK) != 0) {
        return K_LOCK; /* somebody waits */
    }
    int32_t lock = (int32_t)word_add(call, cs + CS_LOCK, UINT32_MAX);
    word_put(call, cs + CS_RECURSION, 0);
    word_put(call, cs + CS_OWNER, 0);
    if (o) {
        korder_take_lock(call, WEFT_SYNC_LEAVE, o);
    }
    if (o && lock >= 0) { /* somebody waits: hand it over through the header's event */
        state_set(k, o, 1);
        kwait_signal(k, o);
    }
    return K_DONE;
}

uint32_t ex_RtlLeaveCriticalSection(kcall *call)
{
    uint32_t cs = karg(call, 0);
    uint8_t *p = lock_words(call, cs, CS_SIZE);
    if (!p) {
        return K_DONE;
    }
    /* The owner is not checked, on the console neither: leaving a section that is free puts it out
     * of order. */
    uint32_t recursion = weft_load32(p + CS_RECURSION);
    if (call->unlocked && weft_load32(p + CS_OWNER) != self(call)) {
        return K_LOCK;
    }
    if (recursion != 1) {
        word_add(call, cs + CS_LOCK, UINT32_MAX);
        word_put(call, cs + CS_RECURSION, recursion - 1);
        return K_DONE;
    }
    kobject *o = korder_section(call, cs);
    if (o && !korder_before(call, WEFT_SYNC_LEAVE, o)) {
        return K_AGAIN;
    }
    if ((call->unlocked && !o) || !korder_claim(call, o)) {
        return K_LOCK;
    }
    uint32_t answer = cs_leave(call, cs, o);
    korder_drop(call, o);
    return answer;
}

/* ---- spin locks and IRQL -----------------------------------------------------------------------
 */

/* A lock word is 0 when free and 1 when taken (LESSONS 37). On a held one guest time passes, and
 * the call is made again. */
static uint32_t spin_turn(kcall *call)
{
    if (call->unlocked) {
        return K_LOCK;
    }
    kcharge(call->k, SPIN_COST);
    ksched_yield(call->k);
    return K_AGAIN;
}

static uint32_t spin_take(kcall *call, uint32_t lock)
{
    bool taken = kget32(call, lock) != 0;
    if (call->faulted) {
        return K_DONE; /* the call becomes an access violation */
    }
    if (taken) {
        return spin_turn(call);
    }
    kobject *o = korder_spin_lock(call, lock);
    if (o && !korder_before(call, WEFT_SYNC_ENTER, o)) {
        return K_AGAIN;
    }
    if ((call->unlocked && !o) || !korder_claim(call, o)) {
        return K_LOCK;
    }
    taken = kget32(call, lock) != 0; /* since it was looked at */
    if (!taken && lock_words(call, lock, 4)) {
        word_put(call, lock, 1);
        if (o) {
            korder_take_lock(call, WEFT_SYNC_ENTER, o);
        }
    }
    korder_drop(call, o);
    return taken ? spin_turn(call) : K_DONE;
}

/* K_AGAIN: the policy holds the release back. */
static uint32_t spin_leave(kcall *call, uint32_t lock)
{
    (void)kget32(call, lock);
    kobject *o = call->faulted ? NULL : korder_spin_lock(call, lock);
    if (o && !korder_before(call, WEFT_SYNC_LEAVE, o)) {
        return K_AGAIN;
    }
    if ((call->unlocked && !o) || !korder_claim(call, o)) {
        return K_LOCK;
    }
    if (lock_words(call, lock, 4)) {
        word_put(call, lock, 0);
        if (o) {
            korder_take_lock(call, WEFT_SYNC_LEAVE, o);
        }
    }
    korder_drop(call, o);
    return K_DONE;
}

static uint32_t acquire_unlocked(kcall *call)
{
    uint32_t previous = kuncontended_irql(call), answer = spin_take(call, karg(call, 0));
    if (answer != K_DONE || call->faulted) {
        return answer;
    }
    if (previous < IRQL_DISPATCH) {
        kuncontended_irql_set(call, IRQL_DISPATCH);
    }
    return kret(call, previous);
}

/* IRQL is raised before the first try (NT), so that nothing comes between the spinner's getting the
 * lock and its use; without the dispatcher lock nothing does, and there is one try. Answers the IRQL
 * before the call, over all its tries. */
uint32_t ex_KfAcquireSpinLock(kcall *call)
{
    kthread *t = call->thread;
    if (call->unlocked) {
        return acquire_unlocked(call);
    }
    if (!t->spin_irql) {
        uint32_t previous = kcall_hw(call)->irql;
        t->spin_irql = previous + 1;
        kirql_set(call->k, previous < IRQL_DISPATCH ? IRQL_DISPATCH : previous);
    }
    if (spin_take(call, karg(call, 0)) == K_AGAIN) {
        return K_AGAIN;
    }
    uint32_t previous = t->spin_irql - 1;
    t->spin_irql = 0;
    return kret(call, previous);
}

uint32_t ex_KfReleaseSpinLock(kcall *call)
{
    uint32_t irql = karg(call, 1) & 0x1F;
    if (call->unlocked && !kuncontended_irql_may(call, irql)) {
        return K_LOCK;
    }
    uint32_t answer = spin_leave(call, karg(call, 0));
    if (answer == K_AGAIN || (call->unlocked && (answer != K_DONE || call->faulted))) {
        return answer;
    }
    if (call->unlocked) {
        kuncontended_irql_set(call, irql);
    } else {
        kirql_set(call->k, irql);
    }
    return K_DONE;
}

uint32_t ex_KeAcquireSpinLockAtRaisedIrql(kcall *call)
{
    return spin_take(call, karg(call, 0));
}

uint32_t ex_KeTryToAcquireSpinLockAtRaisedIrql(kcall *call)
{
    uint32_t lock = karg(call, 0);
    (void)kget32(call, lock);
    kobject *o = call->faulted ? NULL : korder_spin_lock(call, lock);
    if (o && !korder_before(call, WEFT_SYNC_TRY, o)) {
        return K_AGAIN;
    }
    if ((call->unlocked && !o) || !korder_claim(call, o)) {
        return K_LOCK;
    }
    bool free = kget32(call, lock) == 0;
    if (free && lock_words(call, lock, 4)) {
        word_put(call, lock, 1);
    }
    if (o && !call->faulted) {
        korder_take_lock(call, WEFT_SYNC_TRY, o);
    }
    korder_drop(call, o);
    return kret(call, free);
}

uint32_t ex_KeReleaseSpinLockFromRaisedIrql(kcall *call)
{
    return spin_leave(call, karg(call, 0));
}

uint32_t ex_KfRaiseIrql(kcall *call)
{
    uint32_t wanted = karg(call, 0) & 0x1F;
    uint32_t previous = kcall_hw(call)->irql;
    kirql_set(call->k, wanted > previous ? wanted : previous);
    return kret(call, previous);
}

uint32_t ex_KeRaiseIrqlToDpcLevel(kcall *call)
{
    uint32_t previous = kcall_hw(call)->irql;
    kirql_set(call->k, previous < IRQL_DISPATCH ? IRQL_DISPATCH : previous);
    return kret(call, previous);
}

uint32_t ex_KfLowerIrql(kcall *call)
{
    kirql_set(call->k, karg(call, 0) & 0x1F);
    return K_DONE;
}

/* ---- DPCs --------------------------------------------------------------------------------------
 */

/* KDPC: type u8@1, routine@0x0C, context@0x10, arguments@0x14 and 0x18 (NT's with 4-byte pointers
 * and the type where xenia's XDPC, xboxkrnl_threading.cc, does not look). */
#define KDPC_TYPE    19
#define KDPC_ROUTINE 0x0C
#define KDPC_CONTEXT 0x10
#define KDPC_SIZE    0x1C

uint32_t ex_KeInitializeDpc(kcall *call)
{
    uint32_t dpc = karg(call, 0);
    uint8_t *p = kwrite(call, dpc, KDPC_SIZE);
    if (p) {
        memset(p, 0, KDPC_SIZE);
        p[1] = KDPC_TYPE;
        weft_store32(p + KDPC_ROUTINE, karg(call, 1));
        weft_store32(p + KDPC_CONTEXT, karg(call, 2));
        kwritten(call->k, dpc, KDPC_SIZE);
    }
    return K_DONE;
}

static kdpc **queued(kernel *k, uint32_t body, khw **where)
{
    for (uint32_t hw = 0; hw < WEFT_HW_COUNT; hw++) {
        for (kdpc **p = &k->hw[hw].first_dpc; *p; p = &(*p)->next) {
            if ((*p)->body == body) {
                *where = &k->hw[hw];
                return p;
            }
        }
    }
    return NULL;
}

/* DPC routine(dpc, context, argument1, argument2). */
bool dpc_queue(kernel *k, uint32_t hw, uint32_t body, uint32_t argument1, uint32_t argument2)
{
    khw *where;
    if (!weft_memory_ok(k->memory, body, KDPC_SIZE, WEFT_PAGE_READ) || queued(k, body, &where)) {
        return false;
    }
    kdpc *dpc = calloc(1, sizeof *dpc);
    if (!dpc) {
        kend(k, WEFT_END_PLUGIN, 0, "kernel-hle: out of memory for a DPC");
        return false;
    }
    const uint8_t *p = k->memory->base + body;
    dpc->routine = weft_load32(p + KDPC_ROUTINE);
    dpc->arguments[0] = body;
    dpc->arguments[1] = weft_load32(p + KDPC_CONTEXT);
    dpc->arguments[2] = argument1;
    dpc->arguments[3] = argument2;
    dpc->body = body;
    dpc->tick = know(k);
    ksched_dpc(k, hw, dpc);
    return true;
}

uint32_t ex_KeInsertQueueDpc(kcall *call)
{
    if (!kread(call, karg(call, 0), KDPC_SIZE)) {
        return kret(call, 0);
    }
    uint32_t hw = (uint32_t)(kcall_hw(call) - call->k->hw);
    return kret(call, dpc_queue(call->k, hw, karg(call, 0), karg(call, 1), karg(call, 2)));
}

uint32_t ex_KeRemoveQueueDpc(kcall *call)
{
    khw *hw;
    kdpc **p = queued(call->k, karg(call, 0), &hw);
    if (!p) {
        return kret(call, 0);
    }
    kdpc *dpc = *p;
    *p = dpc->next;
    hw->last_dpc = NULL;
    for (kdpc *d = hw->first_dpc; d; d = d->next) {
        hw->last_dpc = d;
    }
    free(dpc);
    return kret(call, 1);
}
