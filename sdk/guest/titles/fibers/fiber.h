/* A fiber is a stack that any thread may go on with, as the console's XAPI makes them: registers on
 * the stack, and KeSetCurrentStackPointers to change it. Fibers here use no floating-point
 * registers. */
#ifndef FIBER_H
#define FIBER_H

/* Offsets in a fiber. */
#define FIBER_SP    0
#define FIBER_ALLOC 4
#define FIBER_HIGH  8
#define FIBER_LOW   12

/* A saved frame: r14..r31 as doublewords, CR, LR, below them the back chain. */
#define FRAME_GPR  16
#define FRAME_CR   160
#define FRAME_LR   164
#define FRAME_SIZE 176

#ifndef __ASSEMBLER__

#include "threads.h"

typedef struct fiber {
    u32 sp;    /* while it does not run */
    u32 alloc; /* what KTHREAD says of the stack of whoever runs it */
    u32 high, low;
} fiber;

_Static_assert(sizeof(fiber) == 16, "FIBER_* in assembly");

/* The running thread as a fiber: what fiber_switch needs to come back to it. */
void fiber_from_thread(fiber *f);

/* A fiber that runs entry(argument) on a stack of its own at its first switch; the entry never
 * returns. False: no memory. */
bool fiber_make(fiber *f, void (*entry)(void *), void *argument);
void fiber_free(fiber *f);

/* Goes on with `to`; returns when something goes on with `from`, perhaps on another thread. */
void fiber_switch(fiber *from, fiber *to);

#endif
#endif
