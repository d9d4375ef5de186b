/* qemu's stack lies above 4 GiB, where pointers of 32 bits do not reach: the probe has its own.
 * System calls: Linux's for PowerPC, number in r0. */
    .section .text._start,"ax",@progbits
    .globl _start
_start:
    lis 1,stack_top@ha
    addi 1,1,stack_top@l
    stwu 1,-128(1)
    bl probe_main
    li 0,4                      /* write */
    li 3,1
    lis 4,probe_record@ha
    addi 4,4,probe_record@l
    lis 5,record_bytes@ha
    lwz 5,record_bytes@l(5)
    sc
    li 0,1                      /* exit */
    li 3,0
    sc

/* Stands for an export: stores its arguments, spoils what a callee may, and answers. */
    .globl probe_capture
probe_capture:
    lis 12,probe_next@ha
    lwz 12,probe_next@l(12)
    std 3,0(12)
    std 4,8(12)
    std 5,16(12)
    std 6,24(12)
    std 7,32(12)
    std 8,40(12)
    std 9,48(12)
    std 10,56(12)
    .set i,0
    .rept 8
    ld 0,0x50+8*i(1)
    std 0,64+8*i(12)
    .set i,i+1
    .endr
    stfd 1,128(12)
    lis 3,answer@ha
    ld 3,answer@l(3)
    li 0,-1
    mr 4,0
    mr 5,0
    mr 6,0
    mr 7,0
    mr 8,0
    mr 9,0
    mr 10,0
    mr 11,0
    mtctr 0
    blr

    .section .data
    .balign 8
answer:
    .quad 0x8877665544332211
record_bytes:
    .long 9*18*8
    .section .bss
    .balign 16
    .skip 0x10000
stack_top:
    .skip 256
    .section .note.GNU-stack,"",@progbits
