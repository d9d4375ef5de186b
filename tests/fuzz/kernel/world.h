/* A console for the fuzz target `kernel`: the whole kernel in lockstep, the host's own guest memory
 * and clock, the interpreter, the VFS over a folder of a few files. Only the GPU is a dummy. */
#ifndef WEFT_FUZZ_KERNEL_WORLD_H
#define WEFT_FUZZ_KERNEL_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel.h"

/* The title's image. What a program is and what lies in the data: program.h. */
#define WORLD_BASE     UINT32_C(0x82000000)
#define WORLD_HANDLER  (WORLD_BASE + 0x3000) /* exception handler of all programs */
#define WORLD_CODE     (WORLD_BASE + 0x10000)
#define WORLD_CODE_MAX UINT32_C(0x6000) /* bytes of each program, two words before it included */
#define WORLD_DATA     (WORLD_BASE + 0x40000)
#define WORLD_DATA_MAX UINT32_C(0x30000)
#define WORLD_SIZE     UINT32_C(0x70000) /* nothing is mapped behind it */
#define WORLD_PROGRAMS 8
#define WORLD_THREADS  4 /* the first programs are threads'; the others are for callbacks */

/* Guest address of a program's first instruction; before it are its handler and the handler's
 * data. */
static inline uint32_t world_entry(uint32_t program)
{
    return WORLD_CODE + program % WORLD_PROGRAMS * WORLD_CODE_MAX + 8;
}

#define WORLD_WANTS  1u /* somebody listens to every kind of event */
#define WORLD_POLICY 2u /* a policy serves that answers by a generator (policy.h) */
#define WORLD_WATCH  4u /* changes in the title's data are told of */

typedef struct world world;

/* The environment's FUZZ_KERNEL_PARALLEL is set: six host threads, real time, and no digest. */
bool world_is_parallel(void);

/* A console that has been switched on, with a title and its threads. `how`: WORLD_*; `seed` is the
 * policy's. */
world *world_open(uint32_t how, uint64_t seed);
void world_close(world *w);

kernel *world_kernel(world *w);
/* Thread n of the title, from 0. */
kthread *world_thread(world *w, uint32_t n);

/* Runs until the title ends, or a limit. */
void world_run(world *w, uint64_t instructions, uint64_t ticks);

/* All that the run has left: its events, its end, guest memory. */
uint64_t world_digest(world *w);

#endif
