/* weft/cpu.h: the role that executes guest instructions.
 *
 * The contract in one paragraph: run(state) executes until state->retired == state->limit, at
 * whichever instruction that is, or returns earlier with a reason. No block, trace or tier of an
 * engine is visible from outside: single step, preemption points and instruction limits are all
 * `run`. Before anything outside the engine is called, pc and retired are exact and the host's
 * floating-point environment is the default one. The engine makes the state's `head` current at
 * every exit and callback; the `tail` (cr, xer, fpscr, vscr, v) after `flush`.
 *
 * Addresses: pc, lr and ctr as the guest sees them. With MSR[SF]=0 (titles) effective addresses are
 * the low 32 bits; registers stay 64 bits wide.
 *
 * Reservations: lost to another hardware thread's store to the granule and to any stwcx.; in
 * lockstep also whenever another state runs (legal, and free of checks per store). In parallel mode
 * an engine may see plain stores of others by value only: one that puts the old value back goes
 * unnoticed. Any stwcx. that stores is noticed, through the address that was reserved.
 *
 * Code is coherent: a store into decoded code acts on the next instruction. An engine marks pages
 * that it decoded with memory->watch and listens to writes. In parallel mode that holds for the
 * storing hardware thread; others get the new words at their next isync, run or, some thousands of
 * instructions later, anyway. Where two store into one page of code at once, icbi makes sure, as the
 * architecture asks.
 *
 * Parallel mode (weft_machine.mode) has a host thread per hardware thread. With WEFT_CPU_PARALLEL in
 * weft_cpu_ops.flags, `run` is entered for several states at once, each on the host thread of its
 * state's `hw`; no state is ever in two of them. Every other op, and every listener of memory, is
 * called under the kernel's dispatcher lock, while other states may be inside `run`. The callbacks
 * of weft_cpu_host take that lock, so an engine holds no lock of its own when it calls one. Guest
 * memory and its page table are read and written by relaxed atomics. Without the flag the kernel
 * keeps the lock while `run` works: one state at a time. */
#ifndef WEFT_CPU_H
#define WEFT_CPU_H

#include "plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Why run returned. */
#define WEFT_CPU_LIMIT      UINT32_C(0) /* retired == limit */
#define WEFT_CPU_SYSCALL    UINT32_C(1) /* at an `sc` that the callback did not take, or stopped at */
#define WEFT_CPU_YIELD      UINT32_C(2) /* a spin hint (db16cyc, or r31,r31,r31) has retired */
#define WEFT_CPU_TRAP       UINT32_C(3) /* a trap instruction's condition held; pc is at it */
#define WEFT_CPU_ILLEGAL    UINT32_C(4) /* no such instruction, or not implemented; pc is at it */
#define WEFT_CPU_PRIVILEGED UINT32_C(5) /* not allowed in this state; pc is at it */
#define WEFT_CPU_FAULT      UINT32_C(6) /* a load, store or fetch was refused: fault_address/_flags */
#define WEFT_CPU_ALIGNMENT  UINT32_C(7) /* misaligned lwarx/stwcx./... : fault_address */
#define WEFT_CPU_FP         UINT32_C(8) /* an enabled floating-point exception */
#define WEFT_CPU_STOPPED    UINT32_C(9) /* a callback answered WEFT_CPU_STOP, or `pending` was set */
#define WEFT_CPU_INTERRUPT  UINT32_C(10) /* an mtmsr(d) set EE while `interrupt` is non-zero */

#define WEFT_FAULT_STORE UINT32_C(1) /* the access was a store */
#define WEFT_FAULT_FETCH UINT32_C(2) /* the access was an instruction fetch */

/* Answers of a callback. */
#define WEFT_CPU_CONTINUE UINT32_C(0) /* go on at state->pc */
#define WEFT_CPU_STOP     UINT32_C(1) /* return from run, reason as written at the callback */

/* weft_cpu_ops.flags */
#define WEFT_CPU_PARALLEL UINT32_C(1) /* `run` may be entered for several states at once */

#define WEFT_MSR_EE UINT64_C(0x8000)             /* external interrupts enabled */
#define WEFT_MSR_SF UINT64_C(0x8000000000000000) /* 64-bit mode */

/* One hardware context's registers. The engine allocates it, usually inside a larger struct of its
 * own; everybody may read and write it between runs. */
typedef struct weft_cpu_state {
    /* head: current at every exit and callback */
    uint64_t r[32];
    uint64_t f[32]; /* the IEEE double's bits */
    uint64_t lr, ctr;
    uint64_t msr;
    uint64_t retired; /* instructions since the state was made; only grows */
    uint64_t limit;   /* run stops when retired reaches it; callbacks may lower it */
    uint32_t pc;
    uint32_t hw;          /* hardware thread 0..5 it runs on: PIR, set before run */
    uint32_t pending;     /* set non-zero (relaxed) by anyone: run returns STOPPED soon. Only for
                              stops that need not be exact: lockstep mode never sets it mid-run */
    uint32_t interrupt;   /* non-zero: an external interrupt line is up (see INTERRUPT); changed by
                              others (relaxed) in parallel mode */
    uint32_t reservation; /* 1 while a lwarx/ldarx reservation is held */
    uint32_t fault_address; /* of FAULT and ALIGNMENT */
    uint32_t fault_flags;   /* of FAULT: WEFT_FAULT_* */
    uint32_t trap_code;     /* of TRAP: the immediate of twi/tdi, 0xFFFF of tw/td */

    /* tail: current after flush, taken over by reload */
    uint32_t cr;  /* CR0 in the top four bits */
    uint32_t xer; /* SO 0x80000000, OV 0x40000000, CA 0x20000000, byte count low 7 bits */
    uint32_t fpscr;
    uint32_t vscr; /* NJ 0x00010000, SAT 1 */
    uint32_t vrsave;
    uint32_t reserved;
    uint8_t v[128][16]; /* guest byte order: v[n][0] is the most significant byte */
    uint64_t sprg[4];
} weft_cpu_state;

/* What an engine calls; filled by the kernel plugin, valid from attach on. */
typedef struct weft_cpu_host {
    uint32_t size;
    uint32_t reserved;
    void *context;

    /* `sc` with level `lev` at state->pc, not yet retired. The callee owns pc and retired: it moves
     * both when the call is done (pc += 4 or elsewhere, retired += 1) or leaves both to have it made
     * again. STOP: run returns SYSCALL. NULL: every sc ends run with SYSCALL. The tail is current
     * only after the callee calls flush, and is taken over only after reload. [guest] */
    uint32_t (*syscall)(void *context, weft_cpu_state *state, uint32_t lev);

    /* A load of 1..16 bytes from an MMIO page at guest address `address`: fill bytes in guest order.
     * pc is at the instruction, which has not retired. STOP: it retires, then run returns STOPPED.
     * [guest] */
    uint32_t (*mmio_read)(void *context, weft_cpu_state *state, uint32_t address, uint32_t length,
                          uint8_t *bytes);

    /* The store to match. [guest] */
    uint32_t (*mmio_write)(void *context, weft_cpu_state *state, uint32_t address, uint32_t length,
                           const uint8_t *bytes);

    /* mftb: the 50 MHz time base at this instruction. [guest] */
    uint64_t (*timebase)(void *context, weft_cpu_state *state);

    /* The instruction has stored to guest pages with WATCH: stands for memory->written, which only
     * the dispatcher lock's holder may call. NULL (always in lockstep): call memory->written.
     * [guest] */
    void (*written)(void *context, weft_cpu_state *state, uint32_t address, uint32_t length);
} weft_cpu_host;

typedef struct weft_cpu_ops {
    uint32_t size;  /* sizeof(weft_cpu_ops) */
    uint32_t flags; /* WEFT_CPU_PARALLEL */

    /* Gives the engine its callbacks; before any other op, once. `calls` lives as long as the
     * instance. Memory and options come from weft_host. [main][guest] */
    weft_status (*attach)(void *instance, const weft_cpu_host *calls);

    /* Makes a state: all zero but msr = 0 and vscr = 0x00010000 (NJ). [main][guest] */
    weft_status (*state_create)(void *instance, weft_cpu_state **state);

    /* Frees it. NULL state is fine. [main][guest] */
    void (*state_destroy)(void *instance, weft_cpu_state *state);

    /* Executes; returns WEFT_CPU_*. limit <= retired returns LIMIT at once. Never entered from
     * inside itself. [guest] */
    uint32_t (*run)(void *instance, weft_cpu_state *state);

    /* Makes the tail current. NULL: the tail is always current. [guest] */
    void (*flush)(void *instance, weft_cpu_state *state);

    /* Takes over a tail that was changed from outside. NULL: nothing to do. [guest] */
    void (*reload)(void *instance, weft_cpu_state *state);

    /* Drops the state's reservation (context switch, interrupt). [guest] */
    void (*reservation_clear)(void *instance, weft_cpu_state *state);

    /* Text of one instruction word at `address` into `text` (capacity > 0, always ended by NUL), as
     * `mnemonic operands`. Unknown words give `.long 0x...`. NULL: no disassembler. [any] */
    void (*disassemble)(void *instance, uint32_t address, uint32_t word, char *text,
                        uint32_t capacity);

    /* Engine's own state that is not in weft_cpu_state, for save files; none is defined in 0.1.
     * NULL: saving is refused, by the plugin's id. [guest] */
    weft_status (*save)(void *instance, void *buffer, uint64_t *length);

    /* Takes back what save wrote. NULL: loading is refused. [guest] */
    weft_status (*load)(void *instance, const void *buffer, uint64_t length);
} weft_cpu_ops;

WEFT_STATIC_ASSERT(offsetof(weft_cpu_state, lr) == 512, "ABI: weft_cpu_state.lr");
WEFT_STATIC_ASSERT(offsetof(weft_cpu_state, pc) == 552, "ABI: weft_cpu_state.pc");
WEFT_STATIC_ASSERT(offsetof(weft_cpu_state, cr) == 584, "ABI: weft_cpu_state.cr");
WEFT_STATIC_ASSERT(offsetof(weft_cpu_state, v) == 608, "ABI: weft_cpu_state.v");
WEFT_STATIC_ASSERT(sizeof(weft_cpu_state) == 2688, "ABI: weft_cpu_state");
WEFT_STATIC_ASSERT(sizeof(weft_cpu_host) == 56, "ABI: weft_cpu_host");
WEFT_STATIC_ASSERT(sizeof(weft_cpu_ops) == 88, "ABI: weft_cpu_ops");

#ifdef __cplusplus
}
#endif
#endif
