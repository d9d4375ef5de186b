/* bench.c: guest MIPS of a CPU plugin on the kernels of kernels.c.
 * Usage: bench-cpu KERNELS.bin [SCALE]. Prints `name MIPS checksum`, one line a kernel. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "../machine.h"

extern const weft_plugin_desc weft_plugin;

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        uint32_t entry, count;
    } kernels[] = {{"integer", 0, 20000}, {"memory", 0x1000, 2000}, {"float", 0x2000, 2000000}};
    static const uint32_t sc = WORD_SC;
    unsigned scale = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 0) : 1;
    machine *m = machine_make(&weft_plugin);
    FILE *file = argc > 1 ? fopen(argv[1], "rb") : NULL;

    if (!file) {
        fprintf(stderr, "usage: bench-cpu KERNELS.bin [SCALE]\n");
        return 2;
    }
    m->memory.protect(&m->memory, MACHINE_CODE, 0x100000, WEFT_PAGE_READ | WEFT_PAGE_WRITE);
    size_t length = fread(machine_at(m, MACHINE_CODE), 1, 0xFF000, file);
    fclose(file);
    m->code_at = MACHINE_DATA;
    machine_code(m, &sc, 1);
    m->memory.written(&m->memory, MACHINE_CODE, (uint32_t)length);
    for (unsigned i = 0; i < sizeof kernels / sizeof *kernels; i++) {
        uint64_t before = m->state->retired;
        double start = seconds();
        m->state->pc = MACHINE_CODE + kernels[i].entry;
        m->state->lr = MACHINE_DATA;
        m->state->r[1] = MACHINE_DATA + MACHINE_SIZE - 256;
        m->state->r[3] = kernels[i].count * scale;
        uint32_t exit = machine_continue(m, UINT64_C(1) << 40);
        double took = seconds() - start;
        printf("%-8s %8.1f MIPS  %llu instructions  checksum %08x%s\n", kernels[i].name,
               (double)(m->state->retired - before) / took * 1e-6,
               (unsigned long long)(m->state->retired - before), (uint32_t)m->state->r[3],
               exit == WEFT_CPU_SYSCALL ? "" : "  (ended early)");
        if (exit != WEFT_CPU_SYSCALL) {
            char text[64];
            m->cpu->disassemble(m->engine, m->state->pc, weft_load32(machine_at(m, m->state->pc)),
                                text, sizeof text);
            printf("  exit %u at %08x: %s\n", exit, m->state->pc, text);
        }
    }
    machine_free(m);
    return 0;
}
