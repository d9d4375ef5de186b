/* What sched.c (the mechanism) and sched_policy.c (who is asked) share. */
#ifndef WEFT_KERNEL_SCHED_H
#define WEFT_KERNEL_SCHED_H

#include "kernel.h"

#define KSCHED_QUANTUM  UINT64_C(20000000) /* 20 ms, the console's (NT client quantum) */
#define KSCHED_PCR_IRQL 0x18 /* u8 in the KPCR: the current IRQL (thread.c, KPCR offsets) */
#define KSCHED_DISPATCH 2    /* the IRQL from which on no thread is replaced */

/* Neither waits, nor is suspended, nor has ended. */
static inline bool ksched_active(const kthread *t)
{
    return t->state == WEFT_THREAD_READY || t->state == WEFT_THREAD_RUNNING;
}

static inline bool ksched_runnable(const kthread *t)
{
    return ksched_active(t) && !t->held;
}

/* Of a thread that does not run, or not with the lock: what it had when its slice ended, or when it
 * gave the lock back. */
static inline bool ksched_ee_on(const kthread *t)
{
    return ((t == t->k->running ? t->cpu->msr : t->seen_msr) & WEFT_MSR_EE) != 0;
}

/* The current thread may not be replaced: interrupts off, or IRQL raised. One that the policy holds
 * keeps its place, and the hardware thread idles. */
static inline bool ksched_pinned(const khw *hw)
{
    return hw->current && ksched_active(hw->current) &&
           (hw->irql >= KSCHED_DISPATCH || !ksched_ee_on(hw->current));
}

/* A hardware thread whose current thread waits is idle, at IRQL 0 and with interrupts on. */
static inline bool ksched_dpc_deliverable(const khw *hw)
{
    return hw->first_dpc && !hw->in_dpc && !ksched_pinned(hw);
}

/* A thread has changed that may be another one than the one that runs: the next look takes in the queue
 * of its hardware thread. */
static inline void ksched_touch(kernel *k, const kthread *t)
{
    k->touched |= UINT32_C(1) << t->hw;
}

/* sched.c, for parallel.c */
/* Lets the clock fire up to a tick. */
void ksched_advance(kernel *k, uint64_t tick);
/* Ends the run where a limit has been reached or the host asks; whether it has ended. */
bool ksched_limits_hold(kernel *k, uint64_t now);
/* Nobody can run on any hardware thread. True: somebody who was held can now, or the run has ended,
 * since nothing is due; false: something is. */
bool ksched_all_idle(kernel *k);
/* Runs whoever is next on a hardware thread until `end`. False: that got nowhere. */
bool ksched_slice(kernel *k, uint32_t index, uint64_t end);

/* sched_policy.c */
/* Looks at all threads, or at what the latest slice has changed; with a policy, k->view is current
 * then. What it returns is until the next look. */
const koutlook *ksched_look(kernel *k);
/* Who runs next on a hardware thread; NULL: nobody can. Nothing has changed since ksched_look. */
kthread *kpolicy_pick_thread(kernel *k, uint32_t index);
/* Which hardware thread runs next, and for how long at most (*slice, NEVER: as long as it may).
 * `o` is current, and its least time before `deadline`. */
uint32_t kpolicy_pick_hw(kernel *k, const koutlook *o, uint64_t deadline, uint64_t *slice);
/* Every runnable thread is held, and nothing that anybody waits for comes before `due` (NEVER: at
 * all). Lets one go: the policy, or the longest wait, says which. False: nobody is held, or `due` is
 * worth waiting for. */
bool kpolicy_release_held(kernel *k, uint64_t due);
/* The running thread goes on no earlier than `ticks` from now. */
void ksched_pass(kernel *k, kthread *t, uint64_t ticks);
/* The thread can go on, from its ready_at on: the running slice is not to get too far ahead of it. */
void ksched_run_up_to(kernel *k, const kthread *t);
/* Others have run, up to `tick`: those that are held, all but `ran`, are asked again. */
void ksched_ask_held(kernel *k, const kthread *ran, uint64_t tick);
static inline void ksched_ask_again(kernel *k, const kthread *ran, uint64_t tick)
{
    k->rounds++;
    k->round_tick = tick;
    if (k->held > 0 && (k->rounds >= k->ask_round || tick >= k->ask_tick)) {
        ksched_ask_held(k, ran, tick);
    }
}
/* The thread has given way, and others that were to run first have not yet. */
bool ksched_yields(const kernel *k, const kthread *t);
/* deadlock.c: ends the run, and says who waits for what. */
void kdeadlock(kernel *k);
/* Whether every thread but the audio's waits for one of a cycle, whatever callbacks do. */
bool kdeadlock_certain(kernel *k);
/* Now and then: says so once, while others run. */
void kdeadlock_watch(kernel *k);

/* policy_swap.c */
/* weft_policy_extension's ops. */
weft_status kpolicy_exchange(kernel *k, weft_policy_exchange *exchange);
void kpolicy_eject_later(kernel *k, const char *reason);
/* An op has just returned: the policy is ejected where somebody asked for that meanwhile, and its
 * answer is none. */
static inline bool kpolicy_broken(kernel *k)
{
    return k->ejection[0] && kpolicy_break(k);
}
/* The policy begins to serve: what does it want to see? */
void kpolicy_welcome(kernel *k);
/* Between slices; `now`: tick of what happens next, NEVER: nothing. */
void kpolicy_exchange_due(kernel *k, uint64_t now);

static inline bool ksched_exchange_asked(kernel *k)
{
    return k->exchange_planned || __atomic_load_n(&k->exchange_posted, __ATOMIC_RELAXED);
}

/* sched_policy.c */
/* Ticks that a thread runs before it goes behind its equals. */
uint64_t kpolicy_quantum(kernel *k, kthread *t);

#endif
