/* fiber_switch(from, to) and where a new fiber begins. */
#include "fiber.h"

    .section .text
    .globl fiber_switch
    .type fiber_switch,@function
fiber_switch:
    mflr 0
    stwu 1,-FRAME_SIZE(1)
    stw 0,FRAME_LR(1)
    mfcr 0
    stw 0,FRAME_CR(1)
    .irp n,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    std \n,FRAME_GPR+(\n-14)*8(1)
    .endr
    stw 1,FIBER_SP(3)
    lwz 3,FIBER_SP(4)
    lwz 5,FIBER_ALLOC(4)
    lwz 6,FIBER_HIGH(4)
    lwz 7,FIBER_LOW(4)
    lwz 4,0x100(13) /* KPCR: the thread that runs */
    bl KeSetCurrentStackPointers
    /* r1 is the other one's */
    .irp n,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    ld \n,FRAME_GPR+(\n-14)*8(1)
    .endr
    lwz 0,FRAME_CR(1)
    mtcr 0
    lwz 0,FRAME_LR(1)
    mtlr 0
    addi 1,1,FRAME_SIZE
    blr
    .size fiber_switch,.-fiber_switch

/* r30 is the entry, r31 its argument, as fiber_make left them in the frame. */
    .globl fiber_begin
    .type fiber_begin,@function
fiber_begin:
    mr 3,31
    mtctr 30
    bctrl
    trap
    .size fiber_begin,.-fiber_begin

    .section .note.GNU-stack,"",@progbits
