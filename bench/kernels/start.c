/* start.c: the program around a kernel that qemu-ppc64 runs: `kernel COUNT` prints the checksum in
 * hexadecimal and the nanoseconds of processor time that the kernel took. */
#include <stdint.h>

uint32_t kernel(uint32_t count);
void start(const uint64_t *stack);

/* ELFv1: the entry is a descriptor; the stack at entry holds argc, argv. */
__asm__(".section .opd,\"aw\"\n.globl _start\n_start: .quad .Lstart,.TOC.@tocbase,0\n.text\n"
        ".Lstart: mr 3,1\n stdu 1,-128(1)\n bl start\n nop\n");

/* Linux for powerpc64: number in r0, arguments from r3. */
static long call(long number, long a, const void *b, long length)
{
    register long r0 __asm__("r0") = number, r3 __asm__("r3") = a, r5 __asm__("r5") = length;
    register const void *r4 __asm__("r4") = b;
    __asm__ volatile("sc"
                     : "+r"(r0), "+r"(r3), "+r"(r4), "+r"(r5)
                     :
                     : "r6", "r7", "r8", "r9", "r10", "r11", "r12", "cr0", "ctr", "memory");
    return r3;
}

enum { SYS_exit = 1, SYS_write = 4, SYS_clock_gettime = 246, CPUTIME = 2 };

static uint64_t now(void)
{
    volatile uint64_t t[2];
    call(SYS_clock_gettime, CPUTIME, (const void *)t, 0);
    return t[0] * 1000000000u + t[1];
}

void start(const uint64_t *stack)
{
    const char *text = (const char *)stack[2]; /* argv[1] */
    char line[32];
    uint32_t count = 0, at = sizeof line;
    while (*text) {
        count = count * 10 + (uint32_t)(*text++ - '0');
    }
    uint64_t before = now();
    uint32_t sum = kernel(count);
    uint64_t took = now() - before;

    line[--at] = '\n';
    do {
        line[--at] = (char)('0' + took % 10);
    } while (took /= 10);
    line[--at] = ' ';
    for (uint32_t i = 0; i < 8; i++, sum >>= 4) {
        line[--at] = "0123456789abcdef"[sum & 15];
    }
    call(SYS_write, 1, line + at, (long)sizeof line - at);
    call(SYS_exit, 0, 0, 0);
}
