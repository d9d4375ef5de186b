/* A machine for processor tests: a host with 4 GiB of fake guest memory, one engine, one state.
 * RAM is readable and writable at MACHINE_CODE (64 KiB) and MACHINE_DATA (64 KiB). */
#ifndef MACHINE_H
#define MACHINE_H

#include "weft/host.h"

#define MACHINE_CODE UINT32_C(0x20000000)
#define MACHINE_DATA UINT32_C(0x10000000)
#define MACHINE_SIZE UINT32_C(0x10000)
#define MACHINE_MMIO UINT32_C(0x7FC80000)

#define WORD_SC  UINT32_C(0x44000002)
#define WORD_BLR UINT32_C(0x4E800020)
#define WORD_NOP UINT32_C(0x60000000)

typedef struct machine_mmio {
    uint32_t address, length, store, pc;
    uint64_t retired;
    uint8_t bytes[16];
} machine_mmio;

typedef struct machine {
    weft_host host;
    weft_memory memory;
    weft_cpu_host calls;
    const weft_plugin_desc *desc;
    const weft_cpu_ops *cpu;
    const char *engine_name; /* answer to the option `engine`; NULL: the default */
    void *engine;
    weft_cpu_state *state;
    struct {
        weft_written_fn fn;
        void *context;
    } listeners[8];
    uint32_t listener_count;
    uint32_t code_at; /* where the next word of machine_code goes */
    /* callbacks as they came */
    machine_mmio mmio[64];
    uint32_t mmio_count;
    uint32_t mmio_answer;
    uint8_t mmio_bytes[16]; /* what a load gets */
    uint32_t syscalls, syscall_pc, syscall_lev, syscall_answer;
    uint64_t syscall_retired;
    uint64_t timebase;
    uintptr_t stack;         /* where the host's stack was at the last time base read */
    uint64_t callback_limit; /* non-zero: a callback lowers the limit to this */
    char failure[256];
} machine;

machine *machine_make(const weft_plugin_desc *desc);
machine *machine_make_engine(const weft_plugin_desc *desc, const char *engine_name);
void machine_free(machine *m);

/* The host alone, without RAM, engine or state: for the conformance kit. */
machine *machine_bare(const weft_plugin_desc *desc);
void machine_bare_free(machine *m);

/* Appends words to the program at MACHINE_CODE, telling the engine. */
void machine_code(machine *m, const uint32_t *words, uint32_t count);

/* Runs from MACHINE_CODE until the first sc after `words`, or another exit; at most 100000
 * instructions. The tail is reloaded before and flushed after. Returns the exit. */
uint32_t machine_run(machine *m, const uint32_t *words, uint32_t count);
#define RUN(m, ...)                                                                                \
    machine_run((m), (const uint32_t[]){__VA_ARGS__},                                              \
                (uint32_t)(sizeof((const uint32_t[]){__VA_ARGS__}) / 4))

/* Goes on from where the state stands. */
uint32_t machine_continue(machine *m, uint64_t instructions);

uint8_t *machine_at(machine *m, uint32_t address);

/* Sets vector n from four words, most significant first; word i of it. */
void machine_vector(machine *m, unsigned n, uint32_t a, uint32_t b, uint32_t c, uint32_t d);
uint32_t machine_word(const machine *m, unsigned n, unsigned i);

#endif
