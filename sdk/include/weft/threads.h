/* weft/threads.h: which host thread may call what.
 *
 * Every op and service in these headers ends its comment with one tag in square brackets, which
 * names the only host threads that may call it. host/checked enforces the tags at run time
 * (`[machine] checked = yes`), and a test fails the build where an op has none.
 *
 * | tag     | thread                                                                              |
 * |---------|-------------------------------------------------------------------------------------|
 * | [main]  | the process's first thread: profile, loading, create/destroy, the frontend's window |
 * | [guest] | runs guest code: the kernel's loop, the CPU, policy, MMIO, clock handlers. In        |
 * |         | lockstep there is one; in parallel mode one per hardware thread, serialised by the   |
 * |         | kernel's dispatcher lock wherever this says nothing else.                            |
 * | [gpu]   | a GPU plugin's own workers, joined before guest time passes their results            |
 * | [drain] | hands events to the tracer                                                          |
 * | [any]   | any of the above; the callee locks                                                   |
 *
 * create and destroy of every role run on [main] while no guest thread exists. */
#ifndef WEFT_THREADS_H
#define WEFT_THREADS_H

#include <stdint.h>

#define WEFT_THREAD_MAIN  UINT32_C(1)
#define WEFT_THREAD_GUEST UINT32_C(2)
#define WEFT_THREAD_GPU   UINT32_C(4)
#define WEFT_THREAD_DRAIN UINT32_C(8)
#define WEFT_THREAD_ANY   UINT32_C(15)

#endif
