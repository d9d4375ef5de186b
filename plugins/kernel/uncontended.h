/* Parallel mode: calls that need no dispatcher lock.
 *
 * A lock's state is a few words of guest memory, so entering and leaving one that nobody else wants
 * concerns nobody else. Such a call runs the export that the dispatcher lock's holder would run, with
 * call->unlocked set; where it finds that it concerns others after all it answers K_LOCK, having
 * changed nothing, and is made again with the lock. Its events wait beside the ring, which is the lock
 * holder's, until their hardware thread next takes the lock: after at most a slice. */
#ifndef WEFT_KERNEL_UNCONTENDED_H
#define WEFT_KERNEL_UNCONTENDED_H

#include "kernel.h"

/* Makes k->uncontended, in parallel mode. False: out of memory. */
bool kuncontended_create(kernel *k);
void kuncontended_destroy(kernel *k);

/* The lock's holder: calls through the thunk at `address` may be made without it from now on, if its
 * row is one of those; `id`: the export's identity. */
void kuncontended_learn(kernel *k, const kexport *row, uint64_t id, uint32_t address,
                        uint32_t argument_count);

/* The lock's holder: what is behind a thunk may be another one from here on; closes. */
void kuncontended_forget(kernel *k);

/* A call of the thread that executes on `cpu`'s hardware thread. False: nothing has happened, it takes
 * the lock. */
bool kuncontended_call(kernel *k, kthread *thread, weft_cpu_state *cpu);

/* The lock's holder, before it gives the lock back for the CPU to execute a thread. */
void kuncontended_leave(kernel *k, kthread *thread);

/* The lock's holder: hands on what a hardware thread has done without it, before anything else that
 * its thread does. */
void kuncontended_flush(kernel *k, uint32_t hw);

/* The lock's holder: from here until kuncontended_open no call goes without the lock, none is under
 * way, and what they all have done is handed on. */
void kuncontended_close(kernel *k);
/* Open again, but for what the policy wants to be asked about. */
void kuncontended_open(kernel *k);

/* ---- for order.c: inside a call without the lock ---- */

/* Its moment, from the object's being claimed on. */
void kuncontended_moment(kcall *call);
/* An operation of it. */
void kuncontended_operation(kcall *call, const weft_sync_op *op);

/* ---- for sync.c: likewise ---- */

/* The hardware thread's IRQL. */
uint32_t kuncontended_irql(const kcall *call);
/* Whether it can be this one without the lock; and be it. */
bool kuncontended_irql_may(const kcall *call, uint32_t irql);
void kuncontended_irql_set(kcall *call, uint32_t irql);

#endif
