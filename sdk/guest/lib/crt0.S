/* Where a title starts, and where its threads do. The kernel has set r1 (stack), r2 and r13; the
 * kernel's caller frame is not ours, so each entry makes one of its own before any C function, whose
 * prologue stores lr at 4(r1), runs. 128 bytes: variadic stubs read eight words above a frame. */
    .section .text._start,"ax",@progbits
    .globl _start
    .type _start,@function
_start:
    stwu 1,-128(1)
    bl weft_main
    bl ExTerminateThread
    trap
    .size _start,.-_start

/* What ExCreateThread's xapi_startup points to: r3 is the thread's function, r4 its argument, as
 * the console's XAPI has it (xenia src/xenia/kernel/xthread.cc). */
    .globl weft_thread_startup
    .type weft_thread_startup,@function
weft_thread_startup:
    stwu 1,-128(1)
    mtctr 3
    mr 3,4
    bctrl
    bl ExTerminateThread
    trap
    .size weft_thread_startup,.-weft_thread_startup

    .section .note.GNU-stack,"",@progbits
