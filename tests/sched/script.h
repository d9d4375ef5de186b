/* Guest threads as scripts: a CPU plugin whose instructions are "work n", "call an export", "end".
 *
 * A program is an array of steps. Each step sits at a guest address of its own, so that the kernel
 * sees ordinary pcs, links and thunks. What calls returned is kept per step for the test. */
#ifndef WEFT_TEST_SCRIPT_H
#define WEFT_TEST_SCRIPT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake.h"
#include "kernel.h"
#include "mm.h"

#define SCRIPT_BASE  UINT32_C(0x82000000)
#define SCRIPT_STEPS 64 /* of one program */

#define STEP_END     0 /* return to whoever called: ends a thread, an APC, a DPC */
#define STEP_WORK    1 /* retire `number` instructions */
#define STEP_CALL    2 /* call export `number` of xboxkrnl with `arguments` */
#define STEP_MARK    3 /* append `number` to the script's log */
#define STEP_SPIN    4 /* stay here until the word at arguments[0] is `number` */
#define STEP_MSR     5 /* set MSR[EE] to `number` */
#define STEP_STORE   6 /* store `number` at arguments[0] */
#define STEP_ARG     7 /* append register `number`, low word, to the log */
#define STEP_CLOBBER 8 /* change every register that a callee may, and all vector ones */
#define STEP_MEET    9 /* wait on the host until `number` states are at such a step */

/* An argument that is the word at a guest address when the call is made (handles). */
#define AT(address) (AT_TAG | (address))
#define AT_TAG      (UINT64_C(0x5AFE) << 48)

typedef struct script_step {
    uint32_t kind;
    uint32_t number;
    uint64_t arguments[8];
} script_step;

#define END                                                                                        \
    {                                                                                              \
        STEP_END, 0,                                                                               \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }
#define WORK(n)                                                                                    \
    {                                                                                              \
        STEP_WORK, n,                                                                              \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }
#define CALL(o, ...)                                                                               \
    {                                                                                              \
        STEP_CALL, o,                                                                              \
        {                                                                                          \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }
#define MARK(n)                                                                                    \
    {                                                                                              \
        STEP_MARK, n,                                                                              \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }
#define SPIN(a, value)                                                                             \
    {                                                                                              \
        STEP_SPIN, value,                                                                          \
        {                                                                                          \
            a                                                                                      \
        }                                                                                          \
    }
#define EE(on)                                                                                     \
    {                                                                                              \
        STEP_MSR, on,                                                                              \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }
#define STORE(a, v)                                                                                \
    {                                                                                              \
        STEP_STORE, v,                                                                             \
        {                                                                                          \
            a                                                                                      \
        }                                                                                          \
    }
#define ARG(n)                                                                                     \
    {                                                                                              \
        STEP_ARG, n,                                                                               \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }
#define CLOBBER                                                                                    \
    {                                                                                              \
        STEP_CLOBBER, 0,                                                                           \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }

#define MEET(n)                                                                                    \
    {                                                                                              \
        STEP_MEET, n,                                                                              \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }

typedef struct script {
    fake_host *fake;
    kernel *k;
    const script_step *programs[16];
    uint64_t returned[16][SCRIPT_STEPS]; /* r3 after a CALL step, by program and step */
    uint64_t ticks[16][SCRIPT_STEPS];    /* guest time when a step was last reached */
    uint32_t log[1024];
    uint64_t log_ticks[1024];
    uint32_t log_count;
    uint32_t scratch; /* 64 KiB of guest memory for the test */

    /* parallel mode: `run` works without the kernel's lock */
    uint32_t thunks[0x400];       /* by ordinal, looked up before the run */
    uint32_t inside, most_inside; /* states in `run` now, and at most so far */
    uint32_t met;                 /* states that have come to a MEET */
    bool deaf;                    /* the CPU does not look at `pending` before its slice ends */
    uint32_t overlaps;            /* times that one state was run by two host threads */
} script;

/* A booted kernel without threads. */
script *script_open(void);
/* The same in parallel mode; cpu_flags: WEFT_CPU_PARALLEL or 0. `ticks` of the steps and of the log
 * stay 0. */
script *script_open_parallel(uint32_t cpu_flags);
void script_close(script *s);

/* Guest address of a program, for entries, APC and DPC routines. */
uint32_t script_entry(uint32_t program);

/* Makes a thread that runs `program`; flags as ExCreateThread's. The first one made ends the run
 * when it ends. */
kthread *script_thread(script *s, uint32_t program, const script_step *steps, uint32_t flags);

/* Runs until everything has ended, or `ticks` of guest time (0: no limit). Returns WEFT_END_*. */
uint32_t script_run(script *s, uint64_t ticks);

uint32_t word(script *s, uint32_t address);
void set_word(script *s, uint32_t address, uint32_t value);
void set_quad(script *s, uint32_t address, uint64_t value);

#endif
