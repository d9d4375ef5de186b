/* Guest threads: making, ending, priorities, affinity, TLS, suspension. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exception.h"
#include "exports.h"
#include "kernel.h"
#include "order.h"
#include "sched.h"

/* KTHREAD offsets (xenia src/xenia/kernel/xthread.h, X_KTHREAD). */
#define KTHREAD_SIZE        0xAB0
#define KTHREAD_STACK_BASE  0x5C /* highest address */
#define KTHREAD_STACK_LIMIT 0x60
#define KTHREAD_TLS         0x68
#define KTHREAD_CPU         0xBF
#define KTHREAD_STACK_ALLOC 0xD0
#define KTHREAD_EXIT_STATUS 0x140
#define KTHREAD_ID          0x14C
#define KTHREAD_START       0x150
#define KTHREAD_LAST_ERROR  0x160
#define KTHREAD_FLAGS       0x16C

/* KPCR offsets (X_KPCR there). r13 points to it; the current IRQL's place is canary's. */
#define KPCR_SIZE        0x2D8
#define KPCR_TLS         0x00
#define KPCR_IRQL        0x18
#define KPCR_SELF        0x30
#define KPCR_STACK_BASE  0x70
#define KPCR_STACK_LIMIT 0x74
#define KPCR_THREAD      0x100
#define KPCR_CPU         0x10C
#define KPCR_DPC_ACTIVE  0x150

#define HEADER_THREAD     6
#define CREATE_SUSPENDED  1u
#define SUSPEND_MAX       127u /* NT's MAXIMUM_SUSPEND_COUNT */
#define RETURN_KTHREAD    0x80u
#define TLS_DYNAMIC_BYTES (64 * 4)
#define DPC_STACK         0x10000

static void put32(kernel *k, uint32_t address, uint32_t value)
{
    weft_store32(k->memory->base + address, value);
}

kthread *kthread_of(kobject *object)
{
    return object && object->type == KOBJECT_THREAD ? object->data : NULL;
}

static uint32_t make_tls(kernel *k, const kthread *creator, uint32_t site)
{
    const kmodule *m = k->title;
    uint32_t size = m ? (m->tls_data_size + 15) & ~15u : 0;
    uint32_t tls = kalloc_for(k, creator, site, size + TLS_DYNAMIC_BYTES, KALLOCATION_TLS);
    if (tls && m && m->tls_raw_size &&
        weft_memory_ok(k->memory, m->tls_data, m->tls_raw_size, WEFT_PAGE_READ)) {
        memcpy(k->memory->base + tls, k->memory->base + m->tls_data, m->tls_raw_size);
        kwritten(k, tls, m->tls_raw_size);
    }
    return tls;
}

static void thread_free(kernel *k, kthread *t)
{
    while (t->frame_count) {
        free(t->frames[--t->frame_count]);
    }
    kexception_free(t);
    while (t->first_apc) {
        kapc *next = t->first_apc->next;
        free(t->first_apc);
        t->first_apc = next;
    }
    t->last_apc = NULL;
    k->cpu->state_destroy(k->cpu_instance, t->cpu);
    free(t);
}

/* What every context has: state, stack, identity. */
static kthread *make_context(kernel *k, const kthread *creator, uint32_t site, uint32_t stack_size)
{
    kthread *t = aligned_alloc(_Alignof(kthread), sizeof *t); /* its size is a multiple of that */
    if (!t) {
        return NULL;
    }
    memset(t, 0, sizeof *t);
    t->k = k;
    t->stack_size = stack_size;
    t->stack_base = mm_stack_alloc(k->mm, creator, site, stack_size);
    if (!t->stack_base || k->cpu->state_create(k->cpu_instance, &t->cpu) != WEFT_OK) {
        if (t->stack_base) {
            mm_stack_free(k->mm, t->stack_base, stack_size);
        }
        free(t);
        return NULL;
    }
    t->cpu->msr = t->seen_msr = WEFT_MSR_EE;
    t->cpu->r[1] = t->stack_base + stack_size - 0x100;
    t->affinity = 0x3F;
    return t;
}

static void emit_create(kernel *k, kthread *creator, const kthread *t, const kthread_request *r)
{
    weft_event_buffer event;
    weft_event_begin(&event, WEFT_EVENT_THREAD_CREATE);
    weft_event_word(&event, t->id);
    weft_event_word(&event, creator ? creator->tid : 0);
    weft_event_word(&event, t->tid);
    weft_event_word(&event, r->entry);
    weft_event_word(&event, r->parameter);
    weft_event_word(&event, r->stack_size);
    weft_event_word(&event, t->affinity);
    weft_event_word(&event, t->suspended);
    kemit(k, creator, &event);
}

kthread *kthread_create(kernel *k, const kthread_request *r)
{
    kthread *creator = r->creator;
    kthread *t = NULL;
    if (ksched_live_room(k)) {
        t = make_context(k, creator, r->site, r->stack_size);
    }
    if (!t) {
        return NULL;
    }
    if (creator) {
        snprintf(t->name, sizeof t->name, "%.50s/%u", creator->name, creator->children++);
    } else {
        snprintf(t->name, sizeof t->name, k->thread_count ? "kernel/%u" : "main", k->thread_count);
    }
    char text[80];
    snprintf(text, sizeof text, "thread:%s", t->name);
    t->id = k->host->define(k->host, "thread", text);
    t->object = kobject_create(k, creator, KOBJECT_THREAD, r->site, KTHREAD_SIZE);
    t->tls = make_tls(k, creator, r->site);
    if (!t->object || !t->tls) {
        if (t->object) {
            kobject_release(k, t->object);
        }
        kfree(k, t->tls);
        mm_stack_free(k->mm, t->stack_base, t->stack_size);
        thread_free(k, t);
        return NULL;
    }
    t->object->data = t;
    t->parent = creator ? creator->id : 0;
    t->created = k->thread_count++;
    t->tid = t->created + 1;
    t->entry = r->entry;
    t->parameter = r->parameter;
    t->startup = r->startup;
    t->process_type = 1;
    t->priority = t->base_priority = 8;
    t->suspended = r->flags & CREATE_SUSPENDED;
    /* The processor bits of the creation flags; without them the creator's hardware thread (XDK,
     * "XSetThreadProcessor": a thread starts on its creator's). */
    uint32_t mask = r->flags >> 24 & 0x3F;
    t->hw = creator ? creator->hw : 0;
    t->affinity = mask ? mask : 1u << t->hw;
    for (uint32_t hw = 0; hw < WEFT_HW_COUNT && mask; hw++) {
        if (mask >> hw & 1) {
            t->hw = hw;
            break;
        }
    }
    if (r->flags & 0x60) { /* 0x20 raises, 0x40 lowers the start priority */
        t->priority = t->base_priority = r->flags & 0x20 ? 9 : 7;
    }
    t->cpu->pc = r->startup ? r->startup : r->entry;
    t->cpu->lr = k->exit_thunk;
    t->cpu->r[3] = r->startup ? r->entry : r->parameter;
    t->cpu->r[4] = r->startup ? r->parameter : 0;
    uint32_t body = t->object->body;
    k->memory->base[body] = HEADER_THREAD;
    put32(k, body + 8, body + 8);
    put32(k, body + 12, body + 8);
    put32(k, body + KTHREAD_STACK_BASE, t->stack_base + t->stack_size);
    put32(k, body + KTHREAD_STACK_LIMIT, t->stack_base);
    put32(k, body + KTHREAD_STACK_ALLOC, t->stack_base + t->stack_size);
    put32(k, body + KTHREAD_TLS, t->tls);
    put32(k, body + KTHREAD_ID, t->tid);
    put32(k, body + KTHREAD_START, r->entry);
    put32(k, body + KTHREAD_FLAGS, r->flags);
    kwritten(k, body, KTHREAD_SIZE);
    *(k->last_thread ? &k->last_thread->next : &k->threads) = t;
    k->last_thread = t;
    ksched_live_add(k, t);
    kobject_retain(t->object); /* it holds itself until it ends (LESSONS 34) */
    emit_create(k, creator, t, r);
    if (k->policy && k->policy->thread_start) {
        k->policy->thread_start(k->policy_instance, t->id, t->parent);
        (void)kpolicy_broken(k);
    }
    ksched_ready(k, t, know(k), WEFT_DELAY_START);
    return t;
}

kthread *kthread_create_interrupt(kernel *k, uint32_t hw)
{
    kthread *t = make_context(k, NULL, 0, DPC_STACK);
    if (!t) {
        return NULL;
    }
    snprintf(t->name, sizeof t->name, "interrupt/%u", hw);
    char text[80];
    snprintf(text, sizeof text, "thread:%s", t->name);
    t->id = k->host->define(k->host, "thread", text);
    t->hw = hw;
    t->affinity = 1u << hw;
    t->process_type = 1; /* D3D's callback chooses between the title's device and XAM's by it */
    t->state = WEFT_THREAD_WAITING;
    t->tls = make_tls(k, NULL, 0);
    uint32_t pcr = kalloc_for(k, NULL, 0, KPCR_SIZE, KALLOCATION_SYSTEM);
    if (!pcr || !t->tls) {
        thread_free(k, t);
        return NULL;
    }
    k->hw[hw].pcr = pcr;
    k->hw[hw].pin_start = WEFT_TICK_NEVER;
    put32(k, pcr + KPCR_SELF, pcr);
    k->memory->base[pcr + KPCR_CPU] = (uint8_t)hw;
    kwritten(k, pcr, KPCR_SIZE);
    return t;
}

void kthread_dispatch(kernel *k, kthread *t, uint32_t hw)
{
    khw *h = &k->hw[hw];
    uint8_t *pcr = k->memory->base + h->pcr;
    t->cpu->r[13] = h->pcr;
    pcr[KPCR_IRQL] = (uint8_t)h->irql;
    weft_store32(pcr + KPCR_TLS, t->tls);
    weft_store32(pcr + KPCR_STACK_BASE, t->stack_base + t->stack_size);
    weft_store32(pcr + KPCR_STACK_LIMIT, t->stack_base);
    weft_store32(pcr + KPCR_DPC_ACTIVE, h->in_dpc);
    if (t->object) { /* a DPC sees the thread that it interrupted */
        const uint8_t *thread = k->memory->base + t->object->body; /* a fiber has its own stack */
        weft_store32(pcr + KPCR_STACK_BASE, weft_load32(thread + KTHREAD_STACK_BASE));
        weft_store32(pcr + KPCR_STACK_LIMIT, weft_load32(thread + KTHREAD_STACK_LIMIT));
        weft_store32(pcr + KPCR_THREAD, t->object->body);
        k->memory->base[t->object->body + KTHREAD_CPU] = (uint8_t)hw;
    }
}

void kthread_exit(kernel *k, kthread *t, uint32_t exit_code)
{
    if (kthread_is_interrupt(t)) {
        kwait_in_dpc(k);
        return;
    }
    t->exit_code = exit_code;
    kwait_cancel(k, t);
    kwait_abandon(k, t);
    t->state = WEFT_THREAD_TERMINATED;
    k->held -= t->held;
    k->behind -= t->held_at != 0;
    t->held = false;
    t->held_at = 0;
    ksched_live_remove(k, t);
    if (k->policy && k->policy->thread_end) {
        k->policy->thread_end(k->policy_instance, t->id);
        (void)kpolicy_broken(k);
    }
    uint32_t body = t->object->body;
    put32(k, body + KTHREAD_EXIT_STATUS, exit_code);
    put32(k, body + 4, 1);
    kwritten(k, body, KTHREAD_SIZE);
    korder_take(k, t, WEFT_SYNC_SIGNAL, t->object);
    kwait_signal(k, t->object);
    khw *hw = &k->hw[t->hw];
    if (hw->current == t) {
        hw->current = NULL;
        hw->irql = 0;
    }
    mm_stack_free(k->mm, t->stack_base, t->stack_size);
    kfree(k, t->tls);
    t->tls = 0;
    kobject_release(k, t->object);
    k->reschedule = true;
    weft_event_buffer event;
    weft_event_begin(&event, WEFT_EVENT_THREAD_EXIT);
    weft_event_word(&event, exit_code);
    kemit(k, t, &event); /* the last that it leaves */
    if (t == k->first_thread) {
        char text[64];
        snprintf(text, sizeof text, "the title's first thread ended with code %u", exit_code);
        kend(k, WEFT_END_EXIT, exit_code, text);
    } else if (k->live_threads == 0) {
        kend(k, WEFT_END_EXIT, 0, "every thread has ended");
    }
}

void kthread_free_all(kernel *k)
{
    while (k->threads) {
        kthread *next = k->threads->next;
        thread_free(k, k->threads);
        k->threads = next;
    }
    for (uint32_t i = 0; i < WEFT_HW_COUNT; i++) {
        if (k->hw[i].interrupt) {
            thread_free(k, k->hw[i].interrupt);
        }
        while (k->hw[i].first_dpc) {
            kdpc *next = k->hw[i].first_dpc->next;
            free(k->hw[i].first_dpc);
            k->hw[i].first_dpc = next;
        }
    }
}

/* ---- exports -----------------------------------------------------------------------------------
 */

/* Asked before the thread is made, since a thread that exists runs. */
static bool handle_left(const kernel *k)
{
    uint32_t i = k->handle_hint;
    while (i < KHANDLE_MAX && k->handles[i]) {
        i++;
    }
    return i < KHANDLE_MAX;
}

uint32_t ex_ExCreateThread(kcall *call)
{
    kernel *k = call->k;
    uint32_t size = karg(call, 1), flags = karg(call, 6);
    if (karg(call, 0) && !(flags & RETURN_KTHREAD) && !handle_left(k)) {
        return kret_status(call, STATUS_INSUFFICIENT_RESOURCES);
    }
    size = size ? size : k->title ? k->title->stack_size : 0;
    size = size > 0x4000000 ? 0x4000000 : (size + 0xFFF) & ~UINT32_C(0xFFF);
    kthread_request request = {
        .stack_size = size < 0x4000 ? 0x4000 : size, /* at least 16 KiB */
        .startup = karg(call, 3),
        .entry = karg(call, 4),
        .parameter = karg(call, 5),
        .flags = flags,
        .creator = call->thread,
        .site = call->caller,
    };
    kthread *t = kthread_create(k, &request);
    if (!t) {
        return kret_status(call, STATUS_NO_MEMORY);
    }
    if (karg(call, 0)) {
        uint32_t handle =
            flags & RETURN_KTHREAD ? t->object->body : khandle_open(k, call->thread, t->object);
        kput32(call, karg(call, 0), handle);
    }
    if (flags & RETURN_KTHREAD) {
        t->object->pointers++; /* ObDereferenceObject gives it back */
    } else {
        kobject_release(k, t->object); /* handle and thread hold it */
    }
    if (karg(call, 2)) {
        kput32(call, karg(call, 2), t->tid);
    }
    return kret_status(call, STATUS_SUCCESS);
}

/* Lets equals of this hardware thread run. NT: STATUS_NO_YIELD_PERFORMED where there is none. */
uint32_t ex_NtYieldExecution(kcall *call)
{
    kthread *self = call->thread;
    for (kthread *t = call->k->live; t; t = t->live_next) {
        if (t != self && t->hw == self->hw && t->state == WEFT_THREAD_READY &&
            t->priority >= self->priority) {
            self->order = ++call->k->order;
            ksched_yield(call->k);
            return kret_status(call, STATUS_SUCCESS);
        }
    }
    return kret_status(call, STATUS_NO_YIELD_PERFORMED);
}

uint32_t ex_ExTerminateThread(kcall *call)
{
    /* who waits for the thread finds it ended, or not yet: an operation on it like any other */
    if (!kthread_is_interrupt(call->thread) &&
        !korder_before(call, WEFT_SYNC_SIGNAL, call->thread->object)) {
        return K_AGAIN;
    }
    kthread_exit(call->k, call->thread, karg(call, 0));
    return K_GONE;
}

uint32_t ex_ExRegisterTitleTerminateNotification(kcall *call)
{
    return kret(call, 0);
}

uint32_t ex_KeGetCurrentProcessType(kcall *call)
{
    return kret(call, call->thread->process_type);
}

uint32_t ex_KeSetCurrentProcessType(kcall *call)
{
    call->thread->process_type = karg(call, 0) & 3;
    return K_DONE;
}

static kthread *thread_argument(kcall *call)
{
    return kthread_of(kobject_at(call->k, call->thread, karg(call, 0)));
}

uint32_t ex_KeSetAffinityThread(kcall *call)
{
    kthread *t = thread_argument(call);
    uint32_t mask = karg(call, 1) & 0x3F;
    if (!t || !mask) {
        return kret_status(call, STATUS_INVALID_PARAMETER);
    }
    if (karg(call, 2)) {
        kput32(call, karg(call, 2), t->affinity);
    }
    t->affinity = mask;
    ksched_place(call->k, t);
    return kret_status(call, STATUS_SUCCESS);
}

uint32_t ex_KeSetBasePriorityThread(kcall *call)
{
    kthread *t = thread_argument(call);
    if (!t) {
        return kret(call, 0);
    }
    int32_t previous = t->base_priority - 8, increment = (int32_t)karg(call, 1);
    int32_t wanted = 8 + (increment < -16 ? -16 : increment > 16 ? 16 : increment);
    t->base_priority = t->priority = wanted < 1 ? 1 : wanted > 31 ? 31 : wanted;
    call->k->stale = true;
    ksched_yield(call->k);
    return kret(call, (uint32_t)previous);
}

uint32_t ex_KeQueryBasePriorityThread(kcall *call)
{
    kthread *t = thread_argument(call);
    return kret(call, t ? (uint32_t)(t->base_priority - 8) : 0);
}

uint32_t ex_KeSetDisableBoostThread(kcall *call)
{
    return kret(call, 0);
}

/* THREAD_SUSPEND or THREAD_RESUME, by the thread that asks for it. */
static void emit_count(kernel *k, uint16_t kind, const kthread *target, uint32_t previous)
{
    weft_event_buffer event;
    weft_event_begin(&event, kind);
    weft_event_word(&event, target->id);
    weft_event_word(&event, previous);
    kemit(k, k->running, &event);
}

static uint32_t resume(kernel *k, kthread *t)
{
    uint32_t previous = t->suspended;
    emit_count(k, WEFT_EVENT_THREAD_RESUME, t, previous);
    if (previous && --t->suspended == 0 && t->state == WEFT_THREAD_SUSPENDED) {
        ksched_ready(k, t, know(k), WEFT_DELAY_START);
        ksched_emit_wake(k, t, 0, false);
    }
    return previous;
}

static uint32_t suspend(kernel *k, kthread *t)
{
    uint32_t previous = t->suspended++;
    emit_count(k, WEFT_EVENT_THREAD_SUSPEND, t, previous);
    ksched_suspend(k, t);
    return previous;
}

uint32_t ex_KeResumeThread(kcall *call)
{
    kthread *t = thread_argument(call);
    return kret(call, t ? resume(call->k, t) : 0);
}

uint32_t ex_KeSuspendThread(kcall *call)
{
    kthread *t = thread_argument(call);
    bool can = t && t->state != WEFT_THREAD_TERMINATED && t->suspended < SUSPEND_MAX;
    return kret(call, can ? suspend(call->k, t) : 0);
}

static uint32_t by_handle(kcall *call, uint32_t (*op)(kernel *, kthread *), bool adds)
{
    kthread *t = kthread_of(khandle_get(call->k, call->thread, karg(call, 0), KOBJECT_THREAD));
    if (!t) {
        return kret_status(call, khandle_error(call->k, call->thread, karg(call, 0)));
    }
    if (adds && t->state == WEFT_THREAD_TERMINATED) {
        return kret_status(call, STATUS_THREAD_IS_TERMINATING);
    }
    if (adds && t->suspended >= SUSPEND_MAX) {
        return kret_status(call, STATUS_SUSPEND_COUNT_EXCEEDED);
    }
    uint32_t previous = op(call->k, t);
    if (karg(call, 1)) {
        kput32(call, karg(call, 1), previous);
    }
    return kret_status(call, STATUS_SUCCESS);
}

uint32_t ex_NtResumeThread(kcall *call)
{
    return by_handle(call, resume, false);
}

uint32_t ex_NtSuspendThread(kcall *call)
{
    return by_handle(call, suspend, true);
}

/* ---- TLS ---------------------------------------------------------------------------------------
 */

uint32_t ex_KeTlsAlloc(kcall *call)
{
    kernel *k = call->k;
    for (uint32_t i = 0; i < KTLS_SLOTS; i++) {
        if (!(k->tls_used[i / 32] >> (i % 32) & 1)) {
            k->tls_used[i / 32] |= 1u << (i % 32);
            for (kthread *t = k->threads; t; t = t->next) {
                t->dynamic_tls[i] = 0;
            }
            return kret(call, i);
        }
    }
    return kret(call, UINT32_MAX);
}

static bool tls_valid(kcall *call, uint32_t slot)
{
    return slot < KTLS_SLOTS && (call->k->tls_used[slot / 32] >> (slot % 32) & 1);
}

uint32_t ex_KeTlsFree(kcall *call)
{
    uint32_t slot = karg(call, 0);
    bool valid = tls_valid(call, slot);
    if (valid) {
        call->k->tls_used[slot / 32] &= ~(1u << (slot % 32));
    }
    return kret(call, valid);
}

uint32_t ex_KeTlsGetValue(kcall *call)
{
    uint32_t slot = karg(call, 0);
    return kret(call, tls_valid(call, slot) ? call->thread->dynamic_tls[slot] : 0);
}

uint32_t ex_KeTlsSetValue(kcall *call)
{
    uint32_t slot = karg(call, 0);
    if (!tls_valid(call, slot)) {
        return kret(call, 0);
    }
    call->thread->dynamic_tls[slot] = karg(call, 1);
    return kret(call, 1);
}

/* ---- the rest ----------------------------------------------------------------------------------
 */

uint32_t ex_KeEnableFpuExceptions(kcall *call)
{
    return K_DONE; /* the FPSCR's own enable bits rule */
}

uint32_t ex_KeEnterCriticalRegion(kcall *call)
{
    call->thread->critical_region++;
    return K_DONE;
}

uint32_t ex_KeLeaveCriticalRegion(kcall *call)
{
    kthread *t = call->thread;
    if (t->critical_region && --t->critical_region == 0 && !kthread_is_interrupt(t)) {
        ksched_suspend(call->k, t); /* what the region has put off */
    }
    return K_DONE;
}

uint32_t ex_KeLockL2(kcall *call)
{
    return K_DONE; /* caches are not modelled */
}

uint32_t ex_KeUnlockL2(kcall *call)
{
    return K_DONE;
}

uint32_t ex_KeFlushEntireTb(kcall *call)
{
    return K_DONE;
}

uint32_t ex_KeStallExecutionProcessor(kcall *call)
{
    kcharge(call->k, (uint64_t)karg(call, 0) * 1000);
    return K_DONE;
}

uint32_t ex_ObLookupThreadByThreadId(kcall *call)
{
    for (kthread *t = call->k->live; t; t = t->live_next) {
        if (t->tid == karg(call, 0)) {
            kobject_retain(t->object);
            t->object->pointers++;
            kput32(call, karg(call, 1), t->object->body);
            return kret_status(call, STATUS_SUCCESS);
        }
    }
    return kret_status(call, STATUS_INVALID_PARAMETER);
}
