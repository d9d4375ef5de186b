/* harness.c: runs in qemu-ppc64. Reads cases from standard input, executes each one's instruction
 * with the state that the case holds, and writes the state after it. Freestanding; the layout of a
 * case is struct oracle_case of test_qemu.c. */
typedef unsigned long u64;

struct oracle_case {
    unsigned word, cr;
    u64 fpscr, xer, pad;
    unsigned char vscr[16];
    u64 r[8];
    u64 f[4];
    unsigned char v[4][16];
};

void oracle_run(struct oracle_case *c);

__asm__(".text\n"
        ".align 4\n"
        ".globl oracle_body\n"
        "oracle_body:\n"
        "  mflr 0; std 0,16(1); stdu 1,-160(1); std 14,112(1); mfcr 0; std 0,120(1)\n"
        "  mr 14,3\n"
        "  lfd 0,8(14); mtfsf 255,0\n"
        "  lwz 0,4(14); mtcr 0\n"
        "  ld 0,16(14); mtxer 0\n"
        "  addi 5,14,32; lvx 0,0,5; mtvscr 0\n"
        "  addi 5,14,144; lvx 0,0,5; addi 5,5,16; lvx 1,0,5; addi 5,5,16; lvx 2,0,5\n"
        "  addi 5,5,16; lvx 3,0,5\n"
        "  lfd 1,112(14); lfd 2,120(14); lfd 3,128(14); lfd 4,136(14)\n"
        "  ld 3,48(14); ld 4,56(14); ld 5,64(14); ld 6,72(14)\n"
        "  ld 7,80(14); ld 8,88(14); ld 9,96(14); ld 10,104(14)\n"
        "  bl oracle_slot\n"
        "  std 3,48(14); std 4,56(14); std 5,64(14); std 6,72(14)\n"
        "  std 7,80(14); std 8,88(14); std 9,96(14); std 10,104(14)\n"
        "  mfcr 0; stw 0,4(14); mfxer 0; std 0,16(14)\n"
        "  stfd 1,112(14); stfd 2,120(14); stfd 3,128(14); stfd 4,136(14)\n"
        "  mffs 0; stfd 0,8(14)\n"
        "  addi 5,14,144; stvx 0,0,5; addi 5,5,16; stvx 1,0,5; addi 5,5,16; stvx 2,0,5\n"
        "  addi 5,5,16; stvx 3,0,5\n"
        "  mfvscr 0; addi 5,14,32; stvx 0,0,5\n"
        "  ld 0,120(1); mtcr 0; ld 14,112(1); addi 1,1,160; ld 0,16(1); mtlr 0; blr\n"
        ".align 7\n"
        ".globl oracle_slot\n"
        "oracle_slot: nop; blr\n"
        ".align 7\n");

extern unsigned oracle_slot[];

static long call(long number, long a, long b, long c)
{
    register long r0 __asm__("r0") = number, r3 __asm__("r3") = a, r4 __asm__("r4") = b,
                     r5 __asm__("r5") = c;
    __asm__ volatile("sc"
                     : "+r"(r0), "+r"(r3), "+r"(r4), "+r"(r5)
                     :
                     : "r6", "r7", "r8", "r9", "r10", "r11", "r12", "cr0", "ctr", "memory");
    return r3;
}

static struct oracle_case cases[256] __attribute__((aligned(16)));

void _start(void)
{
    for (;;) {
        long have = 0, n;
        while (have < (long)sizeof cases &&
               (n = call(3, 0, (long)((char *)cases + have), (long)sizeof cases - have)) > 0) {
            have += n;
        }
        long count = have / (long)sizeof *cases;
        for (long i = 0; i < count; i++) {
            unsigned *slot = oracle_slot;
            *slot = cases[i].word;
            __asm__ volatile("dcbst 0,%0; sync; icbi 0,%0; isync" : : "r"(slot) : "memory");
            register struct oracle_case *r3 __asm__("r3") = &cases[i];
            __asm__ volatile("bl oracle_body"
                             : "+r"(r3)
                             :
                             : "r0", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "lr",
                               "ctr", "cr0", "cr1", "cr5", "cr6", "cr7", "xer", "fr0", "fr1", "fr2",
                               "fr3", "fr4", "v0", "v1", "v2", "v3", "memory");
        }
        for (long done = 0; done < count * (long)sizeof *cases; done += n) {
            n = call(4, 1, (long)((char *)cases + done), count * (long)sizeof *cases - done);
            if (n <= 0) {
                call(1, 1, 0, 0);
            }
        }
        if (count < 256) {
            call(1, 0, 0, 0);
        }
    }
}
