/* The loop in which everything happens, and who runs in it.
 *
 * Each of the six hardware threads has its own guest time. The loop takes the one that the policy
 * picks (by default the one with the least time) and runs its thread until the next event of the
 * clock, or until it is `lookahead` ahead of the others, or until its quantum ends. Clock events
 * fire between slices, once no hardware thread with work is behind them. A woken thread carries its
 * wake's tick and never runs earlier. In parallel mode each hardware thread has a loop of its own
 * (parallel.c) around the same slices, and all have the host's time. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exception.h"
#include "parallel.h"
#include "sched.h"

/* CONTRACTS.md, exit code 4: this long with only periodic sources and no wait that ended. */
#define DEADLOCK_TICKS (5 * WEFT_TICKS_PER_SECOND)

/* ---- time --------------------------------------------------------------------------------------
 */

/* Ticks for `count` instructions, carrying the division's remainder in *remainder. */
static uint64_t instruction_ticks(const kernel *k, uint64_t count, uint64_t *remainder)
{
    uint64_t num = k->machine->instruction_cost_num, den = k->machine->instruction_cost_den;
    uint64_t total = count * num + *remainder;
    if (den == 1) { /* nearly always, and a division takes long */
        *remainder = 0;
        return total;
    }
    *remainder = total % den;
    return total / den;
}

/* Makes the running hardware thread's time exact. */
static inline void sync(kernel *k)
{
    khw *hw = k->running_hw;
    if (!hw || !k->running) {
        return;
    }
    uint64_t count = k->running->cpu->retired - hw->started;
    if (k->parallel) {
        hw->time = kparallel_now(k);
    } else if (count == 0) {
        return;
    } else {
        hw->time += instruction_ticks(k, count, &hw->remainder);
    }
    hw->started = k->running->cpu->retired;
    k->instructions += count;
}

/* Every way from a slice into the kernel begins with this (system calls, device registers, clock
 * reads), so that from here on more may change than the thread that runs. Whatever changes another
 * thread, or another hardware thread, says so (`touched`, or `stale` where that is rare). */
void ksched_sync(kernel *k)
{
    k->entered = true;
    sync(k);
}

uint64_t know(kernel *k)
{
    if (k->parallel) {
        return kparallel_now(k);
    }
    ksched_sync(k);
    uint64_t time = k->running_hw ? k->running_hw->time : k->clock->now(k->clock);
    if (time > k->last_read) {
        k->last_read = time;
    }
    return k->last_read;
}

/* Lowers or raises the running state's limit to where its slice ends. */
static void set_limit(kernel *k)
{
    khw *hw = k->running_hw;
    weft_cpu_state *cpu = k->running->cpu;
    uint64_t left = k->slice_end > hw->time ? k->slice_end - hw->time : 0;
    uint64_t num = k->machine->instruction_cost_num, den = k->machine->instruction_cost_den;
    uint64_t parts = left * den - (left ? hw->remainder : 0);
    uint64_t count = k->parallel ? KPARALLEL_SLICE : num == 1 ? parts : (parts + num - 1) / num;
    if (k->instruction_limit) {
        uint64_t allowed =
            k->instruction_limit > k->instructions ? k->instruction_limit - k->instructions : 0;
        count = count < allowed ? count : allowed;
    }
    cpu->limit = cpu->retired + count;
}

void kcharge(kernel *k, uint64_t ticks)
{
    if (k->running_hw && !k->parallel) { /* there, things take the time that they take */
        ksched_sync(k);
        k->running_hw->time += ticks;
        set_limit(k);
    }
}

void ksched_pass(kernel *k, kthread *t, uint64_t ticks)
{
    if (k->parallel) {
        uint64_t now = know(k), most = WEFT_TICK_NEVER - 1 - now;
        t->ready_at = now + (ticks < most ? ticks : most);
    } else {
        kcharge(k, ticks);
    }
}

void ksched_bound(kernel *k)
{
    uint64_t next = k->clock->next(k->clock);
    if (!k->parallel && k->running_hw && k->running && next < k->slice_end) {
        k->slice_end = next;
        set_limit(k);
    }
}

void ksched_yield(kernel *k)
{
    k->reschedule = true;
    if (k->running_hw) {
        k->running_hw->yielded = true;
    }
}

/* ---- queues ------------------------------------------------------------------------------------
 */

/* Where the IRQL of the current thread is kept: a DPC in progress has the other one. */
static uint32_t *current_irql(khw *hw)
{
    return hw->in_dpc ? &hw->dpc_irql : &hw->irql;
}

/* The current thread goes off its hardware thread, and takes its IRQL along. */
static void put_off(khw *hw)
{
    kthread *t = hw->current;
    uint32_t *irql = current_irql(hw);
    if (t->state == WEFT_THREAD_RUNNING) {
        t->state = WEFT_THREAD_READY;
    }
    t->irql = *irql;
    *irql = 0;
    hw->current = NULL;
    hw->pin_start = WEFT_TICK_NEVER;
}

/* A thread is suspended by a normal kernel APC (NT): at IRQL 0 and outside critical regions, else
 * as soon as it gets there. */
static bool suspendable(kernel *k, const kthread *t)
{
    khw *hw = &k->hw[t->hw];
    uint32_t irql = hw->current == t ? *current_irql(hw) : t->irql;
    return irql == 0 && !t->critical_region && ksched_ee_on(t);
}

void ksched_suspend(kernel *k, kthread *t)
{
    if (t->suspended && ksched_active(t) && suspendable(k, t)) {
        t->state = WEFT_THREAD_SUSPENDED;
        k->stale = true;
        if (t == k->running) {
            k->reschedule = true;
        }
    }
}

/* It joins another hardware thread's queue. */
static void move(kernel *k, kthread *thread, uint32_t hw)
{
    ksched_touch(k, thread);
    if (k->hw[thread->hw].current == thread) {
        put_off(&k->hw[thread->hw]);
    }
    thread->hw = hw;
    ksched_touch(k, thread);
}

void ksched_place(kernel *k, kthread *thread)
{
    ksched_touch(k, thread);
    uint32_t hw = kpolicy_place(k, thread);
    if (hw == thread->hw) {
        return;
    }
    uint64_t now = know(k);
    move(k, thread, hw);
    thread->ready_at = thread->ready_at > now ? thread->ready_at : now;
    thread->order = ++k->order;
    if (thread == k->running) {
        k->reschedule = true;
    }
}

void ksched_ready(kernel *k, kthread *thread, uint64_t tick, uint32_t delay_kind)
{
    uint64_t delay = kpolicy_delay(k, thread, delay_kind, 0);
    uint32_t hw = kpolicy_place(k, thread);
    if (hw != thread->hw) {
        move(k, thread, hw);
    }
    delay = delay < WEFT_TICK_NEVER - 1 - tick ? delay : WEFT_TICK_NEVER - 1 - tick;
    thread->state = WEFT_THREAD_READY;
    ksched_touch(k, thread);
    ksched_suspend(k, thread);
    thread->ready_at = tick + delay;
    thread->ready_since = tick + delay;
    thread->order = ++k->order;
    thread->slice_used = 0;
    k->last_progress = tick;
    k->last_wake = thread->id == k->audio.worker ? k->last_wake : tick;
    ksched_run_up_to(k, thread);
}

void ksched_run_up_to(kernel *k, const kthread *t)
{
    if (!k->running_hw || !k->running) {
        return;
    }
    if (t->hw == k->running->hw) {
        if (t->priority > k->running->priority) {
            k->reschedule = true;
        }
    } else if (!k->parallel && k->slice_end > t->ready_at + k->machine->lookahead) {
        k->slice_end = t->ready_at + k->machine->lookahead;
        ksched_sync(k);
        set_limit(k);
    }
}

void ksched_emit_wake(kernel *k, const kthread *t, uint64_t by, bool waited)
{
    weft_event_buffer event;
    weft_event_begin(&event, WEFT_EVENT_WAKE_REQUESTED);
    weft_event_word(&event, t->id);
    weft_event_word(&event, by);
    weft_event_word(&event, waited);
    weft_event_word(&event, t->state);
    weft_event_word(&event, t->tid);
    weft_event_word(&event, t->hw);
    kemit(k, k->running, &event);
}

/* ---- who runs ----------------------------------------------------------------------------------
 */

/* sched.switch's `reason`: why the one before does not go on (docs/trace.md). */
enum {
    STOP_NONE, /* nobody ran */
    STOP_SLICE,
    STOP_WAITS,
    STOP_ENDED,
    STOP_SUSPENDED,
    STOP_YIELDED,
    STOP_PREEMPTED,
    STOP_INTERRUPT, /* an interrupt or DPC comes in between */
    STOP_RETURNED,  /* that is over */
    STOP_HELD,      /* by the policy */
    STOP_MOVED,     /* to another hardware thread */
};

static uint32_t stop_reason(const khw *hw, uint32_t index, const kthread *to)
{
    const kthread *from = hw->shown;
    if (to && kthread_is_interrupt(to)) {
        return STOP_INTERRUPT;
    }
    if (!from) {
        return STOP_NONE;
    }
    if (kthread_is_interrupt(from)) {
        return STOP_RETURNED;
    }
    switch (from->state) {
    case WEFT_THREAD_WAITING:
        return STOP_WAITS;
    case WEFT_THREAD_TERMINATED:
        return STOP_ENDED;
    case WEFT_THREAD_SUSPENDED:
        return STOP_SUSPENDED;
    default:
        return from->hw != index                     ? STOP_MOVED
               : from->held                          ? STOP_HELD
               : to && to->priority > from->priority ? STOP_PREEMPTED
               : hw->yielded                         ? STOP_YIELDED
                                                     : STOP_SLICE;
    }
}

static void show_another(kernel *k, uint32_t index, const kthread *to)
{
    khw *hw = &k->hw[index];
    if (kwanted(k->host, WEFT_EVENT_SCHED_SWITCH)) {
        uint32_t ready = 0;
        for (const kthread *t = k->live; t; t = t->live_next) {
            ready += t != to && t->hw == index && ksched_runnable(t) && t->ready_at <= hw->time;
        }
        weft_event_buffer event;
        weft_event_begin(&event, WEFT_EVENT_SCHED_SWITCH);
        weft_event_word(&event, hw->shown ? hw->shown->id : 0);
        weft_event_word(&event, to ? to->id : 0);
        weft_event_word(&event, stop_reason(hw, index, to));
        weft_event_word(&event, ready);
        event.head.hw = (uint8_t)index;
        kemit(k, NULL, &event);
    }
    hw->shown = to;
}

/* A hardware thread goes on with `to`, NULL: with nothing. Says so where it is another one than
 * before. */
static inline void show(kernel *k, uint32_t index, const kthread *to)
{
    if (k->hw[index].shown != to) {
        show_another(k, index, to);
    }
}

/* Nobody can run on the hardware thread, now or a little later. */
static bool idle(const kernel *k, uint32_t index)
{
    for (const kthread *t = k->live; t; t = t->live_next) {
        if (t->hw == index && ksched_runnable(t)) {
            return false;
        }
    }
    return true;
}

/* ---- DPCs and interrupts -----------------------------------------------------------------------
 */

void ksched_dpc(kernel *k, uint32_t hw, kdpc *dpc)
{
    khw *h = &k->hw[hw];
    dpc->next = NULL;
    *(h->last_dpc ? &h->last_dpc->next : &h->first_dpc) = dpc;
    h->last_dpc = dpc;
    k->touched |= UINT32_C(1) << hw;
    if (h->current) {
        __atomic_store_n(&h->current->cpu->interrupt, 1, __ATOMIC_RELAXED);
    }
    if (h == k->running_hw) {
        k->reschedule = true;
    } else if (!k->parallel && k->running_hw && k->slice_end > dpc->tick + k->machine->lookahead) {
        k->slice_end = dpc->tick + k->machine->lookahead;
        ksched_sync(k);
        set_limit(k);
    }
}

static void start_dpc(kernel *k, khw *hw)
{
    kdpc *dpc = hw->first_dpc;
    kthread *t = hw->interrupt;
    hw->first_dpc = dpc->next;
    if (!hw->first_dpc) {
        hw->last_dpc = NULL;
    }
    if (hw->time < dpc->tick) {
        hw->time = dpc->tick;
    }
    hw->in_dpc = true;
    hw->dpc_irql = hw->irql;
    hw->irql = KSCHED_DISPATCH;
    t->state = WEFT_THREAD_READY;
    t->cpu->msr = WEFT_MSR_EE;
    for (unsigned i = 0; i < 4; i++) {
        t->cpu->r[3 + i] = dpc->arguments[i];
    }
    t->cpu->r[1] = t->stack_base + t->stack_size - 0x100;
    t->cpu->lr = k->dpc_thunk;
    t->cpu->pc = dpc->routine;
    weft_event_buffer event;
    k->running_hw = hw;
    show(k, (uint32_t)(hw - k->hw), t);
    if (dpc->interrupt) {
        weft_event_begin(&event, WEFT_EVENT_INTERRUPT);
        weft_event_word(&event, dpc->source);
        weft_event_word(&event, (uint64_t)(hw - k->hw));
    } else {
        weft_event_begin(&event, WEFT_EVENT_DPC_RUN);
        weft_event_word(&event, dpc->routine);
    }
    kemit(k, t, &event);
    if (!dpc->interrupt && dpc->body && weft_memory_ok(k->memory, dpc->body, 28, WEFT_PAGE_WRITE)) {
        weft_store32(k->memory->base + dpc->body + 24, 0); /* no longer queued */
        kwritten(k, dpc->body + 24, 4);
    }
    free(dpc);
}

void ksched_dpc_done(kernel *k)
{
    khw *hw = k->running_hw;
    ksched_sync(k);
    hw->in_dpc = false;
    hw->irql = hw->dpc_irql;
    hw->interrupt->state = WEFT_THREAD_WAITING;
    k->reschedule = true;
}

uint32_t kirql_set(kernel *k, uint32_t irql)
{
    khw *hw = k->running_hw;
    uint32_t previous = hw->irql;
    hw->irql = irql;
    k->memory->base[hw->pcr + KSCHED_PCR_IRQL] = (uint8_t)irql;
    if (irql < KSCHED_DISPATCH) {
        hw->pin_start = WEFT_TICK_NEVER;
    }
    if (irql < previous) {
        k->reschedule |= ksched_dpc_deliverable(hw);
        if (hw->current) {
            ksched_suspend(k, hw->current);
        }
    }
    return previous;
}

khw *kcall_hw(kcall *call)
{
    return call->k->running_hw;
}

/* ---- one slice ---------------------------------------------------------------------------------
 */

static void account(kernel *k, kthread *t, uint64_t before)
{
    khw *hw = k->running_hw;
    t->slice_used += hw->time - before;
    uint64_t quantum = kthread_is_interrupt(t) ? KSCHED_QUANTUM : kpolicy_quantum(k, t);
    if (t->slice_used >= quantum) {
        t->slice_used = 0;
        t->order = ++k->order;
    }
    t->ready_since = hw->time;
}

static void exception(kernel *k, kthread *t, uint32_t reason)
{
    static const char *const causes[] = {
        [WEFT_CPU_ILLEGAL] = "illegal instruction",
        [WEFT_CPU_PRIVILEGED] = "privileged instruction",
        [WEFT_CPU_FAULT] = "access violation",
        [WEFT_CPU_ALIGNMENT] = "misaligned access",
        [WEFT_CPU_FP] = "floating-point exception",
        [WEFT_CPU_TRAP] = "trap",
    };
    char cause[96];
    snprintf(cause, sizeof cause, "%s", causes[reason]);
    if (reason == WEFT_CPU_ILLEGAL && weft_memory_ok(k->memory, t->cpu->pc, 4, WEFT_PAGE_READ)) {
        uint32_t word = weft_load32(k->memory->base + t->cpu->pc);
        char text[48] = "";
        if (k->cpu->disassemble) {
            k->cpu->disassemble(k->cpu_instance, t->cpu->pc, word, text, sizeof text);
        }
        snprintf(cause, sizeof cause, "illegal instruction 0x%08x %s", word, text);
    } else if (reason == WEFT_CPU_FAULT && t->cpu->fault_flags & WEFT_FAULT_FETCH) {
        snprintf(cause, sizeof cause, "access violation on instruction fetch");
    } else if (reason == WEFT_CPU_FAULT && t->cpu->fault_flags & WEFT_FAULT_STORE) {
        snprintf(cause, sizeof cause, "access violation on store");
    }
    kexception_cpu(k, t, reason, cause);
}

/* `twi 31,r0,N`: the kernel's debug services. 20 and 26 print the string of r4 bytes at r3, 22 is a
 * breakpoint (xenia src/xenia/cpu/backend/x64/x64_emitter.cc, trap types). */
static bool debug_service(kernel *k, kthread *t)
{
    uint32_t code = t->cpu->trap_code;
    if (code == 20 || code == 26) {
        uint32_t text = (uint32_t)t->cpu->r[3], length = (uint32_t)t->cpu->r[4] & 0xFFFF;
        if (weft_memory_ok(k->memory, text, length, WEFT_PAGE_READ)) {
            k->host->print(k->host, t->id, t->tid, k->running_hw->time,
                           (const char *)k->memory->base + text, length);
        }
    } else if (code != 22) {
        return false;
    }
    t->cpu->pc += 4;
    t->cpu->retired++;
    return true;
}

/* Runs one thread until its slice ends. */
static void execute(kernel *k, kthread *t)
{
    khw *hw = k->running_hw;
    uint32_t grace = (uint32_t)k->machine->reservation_grace;
    while (k->end == WEFT_END_NONE && ksched_runnable(t)) {
        uint32_t reason =
            k->parallel ? kparallel_execute(k, t) : k->cpu->run(k->cpu_instance, t->cpu);
        sync(k);
        if (reason == WEFT_CPU_LIMIT) {
            bool limited = k->instruction_limit && k->instructions >= k->instruction_limit;
            if (t->cpu->reservation && !k->parallel && grace > 0 && !limited) {
                grace--;
                t->cpu->limit = t->cpu->retired + 1;
                continue;
            }
            return;
        }
        if (reason == WEFT_CPU_YIELD) {
            hw->time += k->machine->yield_cost;
            hw->yielded = true;
            t->order = ++k->order;
            return;
        }
        k->entered = true;
        if (reason == WEFT_CPU_TRAP && debug_service(k, t)) {
            continue;
        }
        if (reason >= WEFT_CPU_TRAP && reason <= WEFT_CPU_FP) {
            k->stale = true;
            exception(k, t, reason);
            return;
        }
        return; /* SYSCALL, STOPPED, INTERRUPT: the callback has done what there was to do */
    }
}

bool ksched_slice(kernel *k, uint32_t index, uint64_t end)
{
    khw *hw = &k->hw[index];
    k->running_hw = hw;
    k->running = NULL;
    k->ran = index;
    k->stale |= hw->first_dpc || hw->in_dpc;
    if (ksched_dpc_deliverable(hw) && (!hw->first_dpc->tick || hw->first_dpc->tick <= hw->time)) {
        start_dpc(k, hw);
    }
    kthread *t = hw->in_dpc ? hw->interrupt : kpolicy_pick_thread(k, index);
    if (!t || t->executing) { /* the latter: moved here, and not off the other yet */
        k->running_hw = NULL;
        k->stale = true;
        return false;
    }
    if (!hw->in_dpc && hw->current != t) {
        if (hw->current) {
            put_off(hw);
        }
        if (k->cpu->reservation_clear) {
            k->cpu->reservation_clear(k->cpu_instance, t->cpu);
        }
        hw->current = t;
        hw->irql = t->irql;
    }
    show(k, index, t);
    t->state = WEFT_THREAD_RUNNING;
    hw->yielded = false;
    k->running = t;
    k->reschedule = false;
    k->slice_end = end;
    hw->started = t->cpu->retired;
    t->last_slice = ++k->slices;
    t->cpu->hw = index;
    __atomic_store_n(&t->cpu->interrupt, hw->first_dpc != NULL, __ATOMIC_RELAXED);
    kthread_dispatch(k, t, index);
    uint64_t before = hw->time, retired = t->cpu->retired;
    bool resumed = t->cont_ready;
    if (resumed) {
        k->entered = true;
        kcall_resume(k, t);
    }
    if (k->end == WEFT_END_NONE && ksched_runnable(t) && !(resumed && k->reschedule)) {
        set_limit(k);
        k->reschedule = false;
        execute(k, t);
    }
    sync(k);
    t->seen_retired = t->cpu->retired;
    t->seen_msr = t->cpu->msr;
    if (ksched_active(t)) {
        account(k, t, before);
        if (t->suspended) {
            ksched_suspend(k, t);
        }
    }
    if (!ksched_pinned(hw)) {
        hw->pin_start = WEFT_TICK_NEVER;
    } else if (hw->pin_start == WEFT_TICK_NEVER) {
        hw->pin_start = before;
    }
    /* Others have run: those that are held are asked again. A slice that did nothing but be held
     * does not count, or two held threads would release each other for ever. */
    if (!t->held || t->cpu->retired != retired || hw->time != before) {
        ksched_ask_again(k, t->held ? t : NULL, hw->time);
    }
    if (!ksched_runnable(t) && idle(k, index)) {
        show(k, index, NULL);
    }
    k->running = NULL;
    k->running_hw = NULL;
    return resumed || t->cpu->retired != retired || !ksched_runnable(t);
}

/* ---- the loop ----------------------------------------------------------------------------------
 */

/* What is not the kernel's there is the GPU's. */
void ksched_advance(kernel *k, uint64_t tick)
{
    k->stale = true;
    uint64_t before = ksource_act(k, KSOURCE_GPU);
    k->clock->advance(k->clock, tick);
    ksource_end(k, before);
}

/* A deadline, a file or a timer that somebody waits for is still to come. */
static bool something_due(kernel *k)
{
    for (const kthread *t = k->live; t; t = t->live_next) {
        if (t->wait_deadline) {
            return true;
        }
    }
    return k->io_pending || kwait_timer_due(k);
}

static void deadlock(kernel *k)
{
    if (k->policy && k->policy->deadlock) {
        kpolicy_view(k);
        k->policy->deadlock(k->policy_instance, &k->view);
        (void)kpolicy_broken(k);
    }
    kdeadlock(k);
}

bool ksched_all_idle(kernel *k)
{
    uint64_t deadline = k->clock->next(k->clock);
    k->stale = true;
    if (k->held > 0 && kpolicy_release_held(k, something_due(k) ? deadline : WEFT_TICK_NEVER)) {
        return true;
    }
    if (deadline == WEFT_TICK_NEVER ||
        (deadline > k->last_progress + DEADLOCK_TICKS && !something_due(k))) {
        deadlock(k);
        return true;
    }
    if (deadline > k->last_wake + DEADLOCK_TICKS && !something_due(k)) {
        /* callbacks of the audio run, and may set an event, but not leave another one's section */
        k->last_wake = deadline;
        if (kdeadlock_certain(k)) {
            deadlock(k);
            return true;
        }
    }
    return false;
}

bool ksched_limits_hold(kernel *k, uint64_t now)
{
    if (k->host->stop_requested(k->host)) {
        kend(k, WEFT_END_CONDITION, 0, "stop requested");
    } else if (k->instruction_limit && k->instructions >= k->instruction_limit) {
        kend(k, WEFT_END_CONDITION, 0, "instruction limit reached");
    } else if (k->tick_limit && now != WEFT_TICK_NEVER && now >= k->tick_limit) {
        ksched_advance(k, k->tick_limit); /* what is due at the limit has happened */
        kend(k, WEFT_END_CONDITION, 0, "tick limit reached");
    }
    return k->end != WEFT_END_NONE;
}

/* Where a slice of a hardware thread ends at the latest: `end`, or `lookahead` ahead of the others.
 * One that a policy picks though it is that far ahead already gets `lookahead` once more. */
static uint64_t slice_bound(const kernel *k, uint32_t index, const koutlook *o, uint64_t end)
{
    const khw *hw = &k->hw[index];
    uint64_t bound = hw->time + KSCHED_QUANTUM;
    uint64_t others = index == o->at ? o->second : o->least;
    if (others != WEFT_TICK_NEVER) {
        uint64_t ahead = others + k->machine->lookahead;
        ahead = ahead > hw->time ? ahead : hw->time + k->machine->lookahead;
        bound = ahead < bound ? ahead : bound;
    }
    if (hw->first_dpc && hw->first_dpc->tick > hw->time && hw->first_dpc->tick < bound) {
        bound = hw->first_dpc->tick;
    }
    return bound < end ? bound : end;
}

weft_status ksched_run(kernel *k, const weft_run_limits *limits)
{
    k->instruction_limit = limits->instructions;
    k->tick_limit = limits->ticks;
    k->stale = true;
    kpolicy_welcome(k);
    if (k->parallel) {
        kparallel_run(k);
    }
    while (k->end == WEFT_END_NONE) {
        const koutlook *next = ksched_look(k);
        uint64_t deadline = next->deadline;
        uint64_t event_bound = k->tick_limit && k->tick_limit < deadline ? k->tick_limit : deadline;
        if (ksched_limits_hold(k, next->least < event_bound ? next->least : event_bound)) {
            break;
        }
        if (ksched_exchange_asked(k)) {
            kpolicy_exchange_due(k, next->least < deadline ? next->least : deadline);
            k->stale = true;
            next = ksched_look(k); /* for the newcomer */
        }
        if (next->least == WEFT_TICK_NEVER && ksched_all_idle(k)) {
            continue;
        }
        if (deadline <= next->least) {
            ksched_advance(k, deadline);
            continue;
        }
        uint64_t length;
        uint32_t index = kpolicy_pick_hw(k, next, event_bound, &length);
        khw *hw = &k->hw[index];
        if (hw->time < next->times[index]) {
            hw->time = next->times[index];
            hw->remainder = 0;
        }
        uint64_t end = slice_bound(k, index, next, event_bound);
        if (length < end - hw->time) {
            end = hw->time + length;
        }
        (void)ksched_slice(k, index, end > hw->time ? end : hw->time + 1);
    }
    return k->end == WEFT_END_PLUGIN ? WEFT_E_STATE : WEFT_OK;
}
