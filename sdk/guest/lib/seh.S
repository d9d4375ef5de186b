/* seh_try and seh_finally, with tables in the XDK's form, and the routines that its prologues call. */
#include "seh.h"

/* ---- registers ---------------------------------------------------------------------------------
 * r14-r31 go to -152(r1)...-16(r1), lr (in r12) to -8(r1); f14-f31 to -144(r12)...-8(r12). */
    .section .text
    .balign 8
__savegprlr:
    .irp n,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    .globl __savegprlr_\n
__savegprlr_\n:
    std \n,(\n-33)*8(1)
    .endr
    stw 12,-8(1)
    blr
.Lend___savegprlr:
    seh_routine_end __savegprlr, 0

__restgprlr:
    .irp n,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    .globl __restgprlr_\n
__restgprlr_\n:
    ld \n,(\n-33)*8(1)
    .endr
    lwz 12,-8(1)
    mtlr 12
    blr
.Lend___restgprlr:
    seh_routine_end __restgprlr, 0x80000000

__savefpr:
    .irp n,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    .globl __savefpr_\n
__savefpr_\n:
    stfd \n,(\n-32)*8(12)
    .endr
    blr
.Lend___savefpr:
    seh_routine_end __savefpr, 0

__restfpr:
    .irp n,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    .globl __restfpr_\n
__restfpr_\n:
    lfd \n,(\n-32)*8(12)
    .endr
    blr
.Lend___restfpr:
    seh_routine_end __restfpr, 0x80000000

/* ---- __try/__except ----------------------------------------------------------------------------
 * r31 is the frame, 128 bytes; the block is kept in r30 and, for the filter, at 80(r31). */
    seh_function seh_try, __thunk___C_specific_handler, .Ltry_scopes
    mflr 12
    bl __savegprlr_30
    addi 31,1,-128
    stwu 1,-128(1)
    seh_prologue_end seh_try
    mr 30,3
    stw 30,80(31)
    lwz 12,0(30)
    lwz 3,4(30)
    mtctr 12
.Ltry_begin:
    bctrl
.Ltry_end:
    b .Ltry_out
.Ltry_except:
    stw 3,16(30)
.Ltry_out:
    addi 1,31,128
    b __restgprlr_30
    seh_function_end seh_try

    seh_function seh_try_filter
    std 31,-8(1)
    addi 31,12,-128
    mflr 12
    stw 12,-16(1)
    stwu 1,-112(1)
    seh_prologue_end seh_try_filter
    lwz 4,80(31)
    lwz 12,8(4)
    mtctr 12
    bctrl
    lwz 1,0(1)
    ld 31,-8(1)
    lwz 12,-16(1)
    mtlr 12
    blr
    seh_function_end seh_try_filter

    .section .rodata
    .balign 4
.Ltry_scopes:
    .long 1, .Ltry_begin, .Ltry_end, seh_try_filter, .Ltry_except

/* ---- __try/__finally ---------------------------------------------------------------------------
 * The same routine serves both ways out: the body's end calls it with r3 = 0. */
    seh_function seh_finally, __thunk___C_specific_handler, .Lfinally_scopes
    mflr 12
    stw 12,-8(1)
    std 30,-24(1)
    std 31,-16(1)
    addi 31,1,-112
    stwu 1,-112(1)
    seh_prologue_end seh_finally
    stw 3,80(31)
    lwz 12,0(3)
    lwz 3,4(3)
    mtctr 12
.Lfinally_begin:
    bctrl
.Lfinally_end:
    mr 30,3
    li 3,0
    addi 12,31,112
    bl seh_finally_block
    mr 3,30
    addi 1,31,112
    lwz 12,-8(1)
    mtlr 12
    ld 30,-24(1)
    ld 31,-16(1)
    blr
    seh_function_end seh_finally

    seh_function seh_finally_block
    std 31,-8(1)
    addi 31,12,-112
    mflr 12
    stw 12,-16(1)
    stwu 1,-112(1)
    seh_prologue_end seh_finally_block
    lwz 4,80(31)
    lwz 12,12(4)
    mtctr 12
    bctrl
    lwz 1,0(1)
    ld 31,-8(1)
    lwz 12,-16(1)
    mtlr 12
    blr
    seh_function_end seh_finally_block

    .section .rodata
    .balign 4
.Lfinally_scopes:
    .long 1, .Lfinally_begin, .Lfinally_end, seh_finally_block, 0

    .section .note.GNU-stack,"",@progbits
