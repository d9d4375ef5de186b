/* qemu.c: qemu-system-ppc64 as a processor that runs cases. Its memory is a file that both
 * processes map; guest.S waits for a count in its mailbox. */
#include "oracle.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RAM     (UINT64_C(2304) << 20) /* up to 0x90000000, above ORACLE_CODE */
#define MAILBOX 0x6000u
#define CASES   0x1000000u

struct oracle {
    uint8_t *ram;
    pid_t child;
};

static void swap_case(oracle_case *c)
{
    uint64_t *first = (uint64_t *)c;
    for (size_t i = 0; i < offsetof(oracle_case, v) / 8; i++) {
        if (i >= offsetof(oracle_case, words) / 8 && i < offsetof(oracle_case, cr) / 8) {
            uint32_t *w = (uint32_t *)&first[i];
            w[0] = __builtin_bswap32(w[0]);
            w[1] = __builtin_bswap32(w[1]);
        } else if (i < offsetof(oracle_case, vscr) / 8 || i >= offsetof(oracle_case, cause) / 8) {
            first[i] = __builtin_bswap64(first[i]);
        }
    }
}

static int load_binary(uint8_t *ram, const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f) {
        return 0;
    }
    size_t n = fread(ram, 1, MAILBOX, f);
    fclose(f);
    return n > 0x4000;
}

static pid_t start(const char *ram)
{
    char object[512];
    snprintf(object, sizeof object,
             "memory-backend-file,id=ram,size=2304M,mem-path=%s,share=on,prealloc=off", ram);
    pid_t child = fork();
    if (child == 0) {
        int null = open("/dev/null", O_RDWR);
        dup2(null, 0);
        dup2(null, 1);
        dup2(null, 2);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        execlp("qemu-system-ppc64", "qemu-system-ppc64", "-machine", "none,memory-backend=ram",
               "-cpu", "970fx", "-m", "2304M", "-object", object, "-nodefaults", "-display", "none",
               "-accel", "tcg,thread=single", "-device", "loader,addr=0x4000,cpu-num=0",
               (char *)NULL);
        _exit(127);
    }
    return child;
}

/* Gives the guest `count` cases and waits until it is done. */
static int handshake(oracle *o, uint32_t count)
{
    uint32_t *flag = (uint32_t *)(o->ram + MAILBOX);
    weft_store64(o->ram + MAILBOX + 8, CASES);
    __atomic_store_n(flag, __builtin_bswap32(count), __ATOMIC_SEQ_CST);
    for (unsigned i = 0; i < 20000; i++) { /* 1 ms each */
        struct timespec pause = {0, 1000000};
        if (__atomic_load_n(flag, __ATOMIC_SEQ_CST) == 0) {
            return 0;
        }
        if (waitpid(o->child, NULL, WNOHANG) == o->child) {
            o->child = 0;
            return -1;
        }
        nanosleep(&pause, NULL);
    }
    return -1;
}

oracle *oracle_open(const char *binary, const char *ram)
{
    oracle *o = calloc(1, sizeof *o);
    int fd = open(ram, O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (fd < 0 || ftruncate(fd, (off_t)RAM) != 0) {
        free(o);
        return NULL;
    }
    o->ram = mmap(NULL, RAM, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (o->ram == MAP_FAILED || !load_binary(o->ram, binary)) {
        unlink(ram);
        if (o->ram != MAP_FAILED) {
            munmap(o->ram, RAM);
        }
        free(o);
        return NULL;
    }
    o->child = start(ram);
    oracle_case one = {.slot = ORACLE_SLOT(0), .msr = ORACLE_MSR, .words = {WORD_NOP}};
    int status = o->child > 0 ? oracle_run(o, &one, 1) : -1;
    unlink(ram);
    if (status != 0 || oracle_exit(&one) != WEFT_CPU_SYSCALL) {
        oracle_close(o);
        return NULL;
    }
    return o;
}

void oracle_close(oracle *o)
{
    if (!o) {
        return;
    }
    if (o->child > 0) {
        kill(o->child, SIGKILL);
        waitpid(o->child, NULL, 0);
    }
    munmap(o->ram, RAM);
    free(o);
}

uint8_t *oracle_at(oracle *o, uint32_t address)
{
    return o->ram + address;
}

int oracle_run(oracle *o, oracle_case *cases, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        oracle_case *c = (oracle_case *)(o->ram + CASES) + i;
        *c = cases[i];
        for (unsigned k = 1; k < ORACLE_WORDS; k++) {
            c->words[k] = c->words[k] ? c->words[k] : WORD_SC;
        }
        swap_case(c);
    }
    if (handshake(o, count) != 0) {
        return -1;
    }
    for (uint32_t i = 0; i < count; i++) {
        cases[i] = ((oracle_case *)(o->ram + CASES))[i];
        swap_case(&cases[i]);
    }
    return 0;
}

/* Vectors and SRR1 bits: PowerISA 2.03 book III, 6.5. */
uint32_t oracle_exit(const oracle_case *c)
{
    switch (c->cause) {
    case 0xC00:
        return WEFT_CPU_SYSCALL;
    case 0x600:
        return WEFT_CPU_ALIGNMENT;
    case 0x700:
        return c->srr1 & 0x100000  ? WEFT_CPU_FP
               : c->srr1 & 0x80000 ? WEFT_CPU_ILLEGAL
               : c->srr1 & 0x40000 ? WEFT_CPU_PRIVILEGED
               : c->srr1 & 0x20000 ? WEFT_CPU_TRAP
                                   : UINT32_MAX;
    case 0x300:
    case 0x400:
        return WEFT_CPU_FAULT;
    default:
        return UINT32_MAX;
    }
}

uint32_t oracle_pc(const oracle_case *c)
{
    return (uint32_t)(c->srr0 - (c->cause == 0xC00 ? 4 : 0));
}
