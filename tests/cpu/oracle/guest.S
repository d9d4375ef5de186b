/* guest.S: the bare-metal program under qemu-system-ppc64 (-M none, no firmware): runs cases.
 *
 * Loaded at address 0, so that the exception vectors lie where the ISA has them (PowerISA 2.03,
 * book III, 6.4). It waits for a count in the mailbox, then for each case: writes the case's words
 * and an `sc` to its slot, loads every register, and enters the slot by rfid with the case's MSR.
 * Whatever exception comes first, the vector saves every register into the case. Layout of a case:
 * struct oracle_case of oracle.h. */
#define MAILBOX 0x6000 /* +0 count, cleared when done; +8 address of the first case */
#define SIZE 1280
#define SLOT 0
#define MSR 8
#define WORDS 16
#define CR 48
#define XER 56
#define LR 64
#define CTR 72
#define FPSCR 80
#define VRSAVE 88
#define VSCR 96
#define CAUSE 112
#define SRR0_ 120
#define SRR1_ 128
#define DAR_ 136
#define DSISR_ 144
#define GPR 160
#define FPR 416
#define VR 672

        .machine power4
        .machine altivec
        .text
/* A vector keeps r1 in SPRG1 and says its number. */
        .macro vector at
        .org \at
        mtsprg 1, 1
        li 1, \at
        b save
        .endm

        .irp at, 0x100, 0x200, 0x300, 0x380, 0x400, 0x480, 0x500, 0x600, 0x700, 0x800, 0x900, 0xC00, 0xD00, 0xF00, 0xF20
        vector \at
        .endr

        .org 0x4000
        .globl _start
_start:
        /* HID5: dcbz clears 32 bytes, dcbzl 128, as the console has it */
        li 0, 0x80
        mtspr 1014, 0
        lis 10, 0
        ori 10, 10, MAILBOX
wait:
        lwz 11, 0(10)
        cmpwi 11, 0
        beq wait
        ld 20, 8(10)
next:   /* r20 the case, r11 how many are left */
        mtsprg 0, 20
        mtsprg 3, 11
        mfmsr 0
        ori 0, 0, 0x2000
        oris 0, 0, 0x200
        mtmsrd 0
        isync
        ld 3, SLOT(20)
        addi 4, 20, WORDS
        li 5, 8
        mtctr 5
        mr 6, 3
copy:   lwz 7, 0(4)
        stw 7, 0(6)
        addi 4, 4, 4
        addi 6, 6, 4
        bdnz copy
        dcbst 0, 3
        sync
        icbi 0, 3
        isync
        lfd 0, FPSCR(20)
        mtfsf 255, 0
        addi 4, 20, VSCR
        lvx 0, 0, 4
        mtvscr 0
        ld 0, VRSAVE(20)
        mtspr 256, 0
        .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
        lfd \n, (FPR + 8 * \n)(20)
        addi 4, 20, VR + 16 * \n
        lvx \n, 0, 4
        .endr
        ld 0, SLOT(20)
        mtsrr0 0
        ld 0, MSR(20)
        mtsrr1 0
        ld 0, CR(20)
        mtcr 0
        ld 0, XER(20)
        mtxer 0
        ld 0, LR(20)
        mtlr 0
        ld 0, CTR(20)
        mtctr 0
        .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 20
        ld \n, (GPR + 8 * \n)(20)
        .endr
        rfid

save:
        mtsprg 2, 2
        mfsprg 2, 0
        std 1, CAUSE(2)
        .irp n, 0, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
        std \n, (GPR + 8 * \n)(2)
        .endr
        mfsprg 0, 1
        std 0, (GPR + 8)(2)
        mfsprg 0, 2
        std 0, (GPR + 16)(2)
        mfcr 0
        std 0, CR(2)
        mfxer 0
        std 0, XER(2)
        mflr 0
        std 0, LR(2)
        mfctr 0
        std 0, CTR(2)
        mfsrr0 0
        std 0, SRR0_(2)
        mfsrr1 0
        std 0, SRR1_(2)
        mfdar 0
        std 0, DAR_(2)
        mfdsisr 0
        std 0, DSISR_(2)
        mfspr 0, 256
        std 0, VRSAVE(2)
        mr 20, 2
        mfmsr 0
        ori 0, 0, 0x2000
        oris 0, 0, 0x200
        mtmsrd 0
        isync
        .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
        stfd \n, (FPR + 8 * \n)(20)
        addi 4, 20, VR + 16 * \n
        stvx \n, 0, 4
        .endr
        mffs 0
        stfd 0, FPSCR(20)
        mfvscr 0
        addi 4, 20, VSCR
        stvx 0, 0, 4
        /* no exception bits or reservation pass into the next case */
        li 4, 0x6800
        lfd 0, 0(4)
        mtfsf 255, 0
        stwcx. 0, 0, 4
        addi 20, 20, SIZE
        mfsprg 11, 3
        addi 11, 11, -1
        cmpwi 11, 0
        bne next
        lis 10, 0
        ori 10, 10, MAILBOX
        sync
        stw 11, 0(10)
        b wait
