#include "seh.h"

    .section .text
    .globl raise_store, raise_divide, raise_overflow, raise_illegal, raise_trap, raise_misaligned

/* Leaves have no table entry: lr and r1 are the caller's. */
raise_store:
    lwz 4,0(3)
    lwz 5,4(3)
    stw 5,0(4)
    lwz 3,0(4)
    blr

raise_divide:
    lwz 4,0(3)
    lwz 5,4(3)
    twllei 5,0
    divw 3,4,5
    blr

raise_overflow:
    lwz 4,0(3)
    twlgei 4,-1
    li 3,6
    blr

raise_illegal:
    .long 0
    li 3,8
    blr

raise_trap:
    twi 31,0,1
    li 3,7
    blr

raise_misaligned:
    lwz 4,0(3)
    lwarx 3,0,4
    blr

    seh_function raise_record
    mflr 12
    stw 12,-8(1)
    stwu 1,-96(1)
    seh_prologue_end raise_record
    bl __thunk_RtlRaiseException
    li 3,5
    addi 1,1,96
    lwz 12,-8(1)
    mtlr 12
    blr
    seh_function_end raise_record

/* 152 bytes of general registers, 144 of floating-point ones, 112 of its own. */
    seh_function raise_deep
    mflr 12
    bl __savegprlr_14
    addi 12,1,-152
    bl __savefpr_14
    addi 31,1,-416
    stwu 1,-416(1)
    seh_prologue_end raise_deep
    .irp n,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30
    li \n,-\n
    .endr
    lis 11,.Lzero@ha
    .irp n,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    lfd \n,.Lzero@l(11)
    .endr
    bl raise_record
    addi 1,31,416
    addi 12,1,-152
    bl __restfpr_14
    b __restgprlr_14
    seh_function_end raise_deep

/* Fills the registers, calls seh_try over raise_deep, and looks at them: 1 if all are as they were. r31
 * is seh_try's frame pointer and the sum here. */
    seh_function raise_preserved
    mflr 12
    bl __savegprlr_14
    addi 12,1,-152
    bl __savefpr_14
    stwu 1,-416(1)
    seh_prologue_end raise_preserved
    .irp n,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    li \n,\n
    sldi \n,\n,40
    std \n,96(1)
    lfd \n,96(1)
    .endr
    bl seh_try
    li 3,0
    .irp n,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    li 4,\n
    sldi 4,4,40
    xor 5,4,\n
    or 3,3,5
    stfd \n,96(1)
    ld 5,96(1)
    xor 5,5,4
    or 3,3,5
    .endr
    cntlzd 3,3
    srdi 3,3,6
    addi 1,1,416
    addi 12,1,-152
    bl __restfpr_14
    b __restgprlr_14
    seh_function_end raise_preserved

/* record {block->user, 0, 0, 0, 0} in its frame */
    seh_function raise_in_finally
    mflr 12
    stw 12,-8(1)
    stwu 1,-192(1)
    seh_prologue_end raise_in_finally
    lwz 5,20(4)
    li 0,0
    stw 5,96(1)
    stw 0,100(1)
    stw 0,104(1)
    stw 0,112(1)
    addi 3,1,96
    bl __thunk_RtlRaiseException
    addi 1,1,192
    lwz 12,-8(1)
    mtlr 12
    blr
    seh_function_end raise_in_finally

    seh_function raise_landing
    mflr 12
    stw 12,-8(1)
    std 31,-16(1)
    addi 31,1,-112
    stwu 1,-112(1)
    seh_prologue_end raise_landing
    addi 5,31,112
    lis 6,.Llanding_frame@ha
    stw 5,.Llanding_frame@l(6)
    lwz 12,0(3)
    lwz 3,4(3)
    mtctr 12
    bctrl
    li 3,1
.Llanding:
    addi 1,31,112
    lwz 12,-8(1)
    mtlr 12
    ld 31,-16(1)
    blr
    seh_function_end raise_landing

    seh_function raise_jump
    mflr 12
    stw 12,-8(1)
    stwu 1,-96(1)
    seh_prologue_end raise_jump
    lis 3,.Llanding_frame@ha
    lwz 3,.Llanding_frame@l(3)
    lis 4,.Llanding@ha
    addi 4,4,.Llanding@l
    li 5,0
    li 6,77
    bl __thunk_RtlUnwind
    trap
    seh_function_end raise_jump

    seh_function raise_capture
    mflr 12
    stw 12,-8(1)
    std 20,-16(1)
    stfd 20,-24(1)
    stwu 1,-112(1)
    seh_prologue_end raise_capture
    lis 11,.Lvalues@ha
    addi 11,11,.Lvalues@l
    ld 20,0(11)
    lfd 20,8(11)
    bl __thunk_RtlCaptureContext
    addi 1,1,112
    lwz 12,-8(1)
    mtlr 12
    ld 20,-16(1)
    lfd 20,-24(1)
    blr
    seh_function_end raise_capture

    .section .rodata
    .balign 8
.Lzero:
    .long 0,0
.Lvalues:
    .long 0x11223344,0x55667788,0x3FF80000,0
    .section .data
    .balign 4
.Llanding_frame:
    .long 0

    .section .note.GNU-stack,"",@progbits
