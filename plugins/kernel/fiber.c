/* Guest fibers: a thread goes on with another stack of the title's making.
 *
 * Arguments and the words of the KTHREAD and the processor block: xenia
 * src/xenia/kernel/xboxkrnl/xboxkrnl_threading.cc. The title's own SwitchToFiber saves and loads
 * the other registers. */
#include "exports.h"

#define KTHREAD_STACK_BASE  0x5C /* highest address */
#define KTHREAD_STACK_LIMIT 0x60
#define KTHREAD_STACK_ALLOC 0xD0

/* (stack pointer, thread, allocation, base, limit): the caller's return continues on the new stack.
 * The thread's own stack, which ends with the thread, stays where it is. */
uint32_t ex_KeSetCurrentStackPointers(kcall *call)
{
    kthread *t = call->thread;
    uint32_t thread = karg(call, 1);
    if (!t->object || thread != t->object->body) {
        return kret_status(call, STATUS_INVALID_PARAMETER);
    }
    kput32(call, thread + KTHREAD_STACK_ALLOC, karg(call, 2));
    kput32(call, thread + KTHREAD_STACK_BASE, karg(call, 3));
    kput32(call, thread + KTHREAD_STACK_LIMIT, karg(call, 4));
    call->cpu->r[1] = karg(call, 0);
    kthread_dispatch(call->k, t, (uint32_t)(kcall_hw(call) - call->k->hw));
    return K_DONE;
}
