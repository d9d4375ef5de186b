/* cpu_kit.h: what the CPU kit's two halves share: a machine with memory, one engine, its callbacks.
 */
#ifndef CPU_KIT_H
#define CPU_KIT_H

#include "conform.h"

/* Where things lie: RAM that vectors may use (CONTRACTS.md), code, the sentinel that LR holds, a
 * page without access and a page of MMIO. */
#define KIT_RAM       UINT32_C(0x10000000) /* its first page stays without access */
#define KIT_RAM_SIZE  UINT32_C(0x10000)
#define KIT_CODE      UINT32_C(0x20000000)
#define KIT_CODE_SIZE UINT32_C(0x10000)
#define KIT_SENTINEL  (KIT_CODE + KIT_CODE_SIZE - 0x1000) /* an sc */
#define KIT_MMIO      UINT32_C(0x7FC80000)
#define KIT_SC        UINT32_C(0x44000002)

/* Instruction words. */
#define ADDI(d, a, imm) (0x38000000u | (d) << 21 | (a) << 16 | ((uint32_t)(imm)&0xFFFF))
#define LWZ(d, a, imm)  (0x80000000u | (d) << 21 | (a) << 16 | ((uint32_t)(imm)&0xFFFF))
#define LWZU(d, a, imm) (0x84000000u | (d) << 21 | (a) << 16 | ((uint32_t)(imm)&0xFFFF))
#define STW(s, a, imm)  (0x90000000u | (s) << 21 | (a) << 16 | ((uint32_t)(imm)&0xFFFF))
#define STWU(s, a, imm) (0x94000000u | (s) << 21 | (a) << 16 | ((uint32_t)(imm)&0xFFFF))
#define LWARX(d, a, b)  (0x7C000028u | (d) << 21 | (a) << 16 | (b) << 11)
#define STWCX(s, a, b)  (0x7C00012Du | (s) << 21 | (a) << 16 | (b) << 11)
#define BLR             0x4E800020u
#define NOP             0x60000000u

typedef struct cpu_kit {
    const weft_cpu_ops *ops;
    weft_memory *memory;
    void *engine;
    weft_cpu_host calls;
    weft_conform_report *report;
    /* the last callback, and what it answers */
    uint32_t mmio_calls, mmio_address, mmio_length, mmio_store, mmio_pc, answer;
    uint64_t mmio_retired, lower_limit;
    uint8_t mmio_bytes[16];
    uint32_t syscalls;
} cpu_kit;

/* Writes words at `address` and tells the engine. */
void cpu_kit_code(cpu_kit *kit, uint32_t address, const uint32_t *words, uint32_t count);

/* A state at KIT_CODE with LR at the sentinel; NULL when the engine makes none. */
weft_cpu_state *cpu_kit_state(cpu_kit *kit);

/* `run` with the tail taken over before and made current after. */
uint32_t cpu_kit_run(cpu_kit *kit, weft_cpu_state *state, uint64_t limit);

/* One check: a value against the contract's. */
void cpu_kit_expect(weft_conform_report *report, const char *what, uint64_t got, uint64_t expected);

/* Parallel mode, with an instance of its own in memory that the kit has set up. */
void cpu_kit_parallel(const weft_plugin_desc *desc, const weft_cpu_ops *ops, const weft_host *host,
                      weft_conform_report *report);

/* Runs a vectors file; 0, or -1 when it is malformed. */
int cpu_kit_vectors(cpu_kit *kit, const char *path);

#endif
