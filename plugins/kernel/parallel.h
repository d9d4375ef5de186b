/* The kernel's second mode: a host thread per hardware thread, and the host's clock.
 *
 * One lock, the dispatcher lock, guards all of the kernel: the code of the other files runs with it
 * held, as it runs alone in lockstep. It is given back only around the CPU's `run`, and taken again
 * by everything that the CPU calls, but for locks that nobody else wants (uncontended.h). So guest code
 * runs in parallel and operations of the kernel one after the other. */
#ifndef WEFT_KERNEL_PARALLEL_H
#define WEFT_KERNEL_PARALLEL_H

#include "kernel.h"

/* Makes k->parallel where the machine's mode asks for it, before the CPU is attached: the CPU's
 * callbacks into the kernel are then parallel ones. False: out of memory. */
bool kparallel_create(kernel *k);
void kparallel_destroy(kernel *k);

/* Replaces the callbacks by ones that take the lock. */
void kparallel_callbacks(kernel *k);

/* Runs until the run ends; the caller's host thread is that of hardware thread 0. */
void kparallel_run(kernel *k);

/* The tick at which the lock's holder took it: what it does happens at that moment. */
uint64_t kparallel_now(const kernel *k);

/* The same again now: of what comes next. */
void kparallel_moment(kernel *k);

/* The tick by the host's clock, without the lock too. */
uint64_t kparallel_clock(const kernel *k);

/* The CPU's `run` without the lock, which the caller holds before and after; WEFT_CPU_*. */
uint32_t kparallel_execute(kernel *k, kthread *thread);

/* Instructions of a slice: so often a hardware thread looks at the clock and at its queue. */
#define KPARALLEL_SLICE 100000

#endif
