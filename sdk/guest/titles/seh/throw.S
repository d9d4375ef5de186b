/* Three functions as a C++ compiler might make them. cxx_handler is their frame handler; the word
 * before each names its table (throw.c). */
#include "seh.h"

    .macro cxx_prologue name
    mflr 12
    stw 12,-8(1)
    std 31,-16(1)
    addi 31,1,-112
    stwu 1,-112(1)
    seh_prologue_end \name
    .endm
    .macro cxx_epilogue
    addi 1,31,112
    lwz 12,-8(1)
    mtlr 12
    ld 31,-16(1)
    blr
    .endm

/* try { cxx_middle(value); return 0; } catch (int x) { return x + 1; } */
    seh_function cxx_outer, cxx_handler, .Louter
    cxx_prologue cxx_outer
.Louter_try:
    bl cxx_middle
.Louter_try_end:
    li 3,0
    b .Louter_out
.Louter_catch:
    lwz 3,0(3)
    addi 3,3,1
.Louter_out:
    cxx_epilogue
    seh_function_end cxx_outer

/* { object middle; try { cxx_inner(value); } catch (char *) {} } */
    seh_function cxx_middle, cxx_handler, .Lmiddle
    cxx_prologue cxx_middle
.Lmiddle_try:
    bl cxx_inner
.Lmiddle_try_end:
.Lmiddle_catch:
    li 3,-1
    cxx_epilogue
    seh_function_end cxx_middle

/* { object inner; throw value; } */
    seh_function cxx_inner, cxx_handler, .Linner
    cxx_prologue cxx_inner
.Linner_try:
    bl cxx_throw
.Linner_try_end:
    cxx_epilogue
    seh_function_end cxx_inner

/* _CxxThrowException(object, type): parameters {0x19930520, object, type} (xenia
 * src/xenia/kernel/xboxkrnl/xboxkrnl_debug.cc); the object lies in the throwing frame. */
    seh_function cxx_throw
    mflr 12
    stw 12,-8(1)
    stwu 1,-208(1)
    seh_prologue_end cxx_throw
    stw 3,184(1)
    lis 5,0xE06D
    ori 5,5,0x7363
    stw 5,96(1)
    li 5,1
    stw 5,100(1)
    li 5,0
    stw 5,104(1)
    li 5,3
    stw 5,112(1)
    lis 5,0x1993
    ori 5,5,0x0520
    stw 5,116(1)
    addi 5,1,184
    stw 5,120(1)
    li 5,1
    stw 5,124(1)
    addi 3,1,96
    bl __thunk_RtlRaiseException
    trap
    seh_function_end cxx_throw

/* cxx_decide answers the catch block to go to, or 0. */
    seh_function cxx_handler
    mflr 12
    bl __savegprlr_28
    stwu 1,-128(1)
    seh_prologue_end cxx_handler
    mr 28,3
    mr 29,4
    bl cxx_decide
    cmpwi 3,0
    beq 1f
    mr 4,3
    mr 3,29
    mr 5,28
    lwz 6,24(28)
    bl __thunk_RtlUnwind
    trap
1:  li 3,1
    addi 1,1,128
    b __restgprlr_28
    seh_function_end cxx_handler

    .section .rodata
    .balign 4
/* {name, try begin, end, catch block or 0, type that it takes, destroy an object?} */
.Louter:
    .long .Louter_name, .Louter_try, .Louter_try_end, .Louter_catch, 1, 0
.Lmiddle:
    .long .Lmiddle_name, .Lmiddle_try, .Lmiddle_try_end, .Lmiddle_catch, 2, 1
.Linner:
    .long .Linner_name, .Linner_try, .Linner_try_end, 0, 0, 1
.Louter_name:
    .asciz "outer"
.Lmiddle_name:
    .asciz "middle"
.Linner_name:
    .asciz "inner"

    .section .note.GNU-stack,"",@progbits
