/* The order of synchronisation operations, object by object.
 *
 * Each operation on an object takes the object's next number where it takes effect, whoever asks for
 * it, and leaves sync.op in the stream of who did it. That order, and nothing else, decides what the
 * next operation finds. docs/kernel.md says which operation of which export that is. */
#ifndef WEFT_KERNEL_ORDER_H
#define WEFT_KERNEL_ORDER_H

#include "kernel.h"

/* Asks the policy about an operation of the calling thread on `o` (NULL: on no object). False: answer
 * K_AGAIN. Nothing may have been changed before. */
bool korder_before(kcall *call, uint32_t op, kobject *o);
/* The same for a wait: each object in argument order; none: once, without an object. */
bool korder_before_wait(kcall *call, kobject *const *objects, uint32_t count);
/* The operation takes effect now: takes the object's next number. `t` NULL: the source that acts. */
void korder_take(kernel *k, kthread *t, uint32_t op, kobject *o);

/* A source is to signal `o`, and was to at `due`. True: the policy puts that off by
 * WEFT_SYNC_PATIENCE. Nothing may have been changed before. */
bool korder_source_held(kernel *k, uint32_t source, kobject *o, uint64_t due);

/* A wait of `t` ends by `op`, WAKE or TIMEOUT, on one of its objects: the number is taken now, the
 * event comes when the thread goes on. */
void korder_end_wait(kthread *t, uint32_t op, kobject *o);
/* The thread comes out of its wait. False: the policy holds it. */
bool korder_resume(kcall *call);

/* The object of the critical section or spin lock at `address`, which the guest may read; NULL: the
 * section's first byte is no event's, or out of memory, or, without the dispatcher lock, this hardware
 * thread has not met it before. */
kobject *korder_section(kcall *call, uint32_t address);
kobject *korder_spin_lock(kcall *call, uint32_t address);
/* From here to korder_drop the words of the lock in guest memory, and its next number, are the
 * caller's alone. False: somebody else has it claimed, and the call has no dispatcher lock: K_LOCK.
 * `o` NULL: nothing is claimed. */
bool korder_claim(kcall *call, kobject *o);
void korder_drop(kcall *call, kobject *o);
/* korder_take for an operation of the calling thread on a lock that it has claimed. */
void korder_take_lock(kcall *call, uint32_t op, kobject *o);
/* Nothing is found by the object's address any more. */
void korder_forget(kernel *k, const kobject *o);

#endif
