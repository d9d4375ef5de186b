/* What the parts of `random` share: the program that a seed stands for, and the machine that runs
 * it. */
#ifndef RANDOM_H
#define RANDOM_H

#include "threads.h"

#define THREADS_MAX 12u
#define LENGTH      64u /* instructions of a thread's program, which it repeats */

/* ---- resources --------------------------------------------------------------------------------
 * Whoever holds one asks only for those of higher rank, so nobody can wait in a circle. What each
 * protects are sums: in which order they are added to does not matter. */
enum {
    SECTIONS = 6, /* ranks 0..5, critical sections */
    TOKENS = 4,   /* ranks 6..9, automatic events: whoever waited successfully sets it again */
    PERMITS = 2,  /* ranks 10..11, semaphores of two */
    MUTANTS = 2,  /* ranks 12..13 */
    RESOURCES = SECTIONS + TOKENS + PERMITS + MUTANTS,
    RANK_TOKEN = SECTIONS,
    RANK_PERMIT = RANK_TOKEN + TOKENS,
    RANK_MUTANT = RANK_PERMIT + PERMITS,
};

/* ---- instructions -----------------------------------------------------------------------------
 * `a` is a rank or a number, `b` another, `value` what is added to a sum. */
typedef enum operation {
    OP_LOCK,   /* hold a, add value */
    OP_NEST,   /* hold a, inside it b > a, add value to both */
    OP_BRANCH, /* hold a, add value; hold b > a as well if a's turn is odd: order decides */
    OP_TRY,    /* try to enter section a, spin and wait if it is held, add value */
    OP_LIMIT,  /* hold a, waiting at most b ms at first and for ever after a time-out, add value */
    OP_ANY,    /* wait for any token or permit, add value to what is common to them */
    OP_ALL,    /* wait for all of tokens a and b, and a permit, add value to the tokens' sums */
    OP_EXCHANGE, /* give the next thread a block, wait for the previous one's */
    OP_ALLOCATE, /* a block of 16 + a bytes; frees the one that was in its place */
    OP_ATOMIC,   /* lwarx and stwcx. on a sum */
    OP_WORK,     /* a instructions */
    OP_YIELD,
    OP_SLEEP, /* 10 us; once in 16 repetitions */
    OP_SPAWN, /* a thread that adds value under section a, and wait for it; once in 64 */
    OP_RACY,  /* reads, adds and branches without a lock */
    OPERATIONS
} operation;

typedef struct instruction {
    u8 op;
    u8 a, b;
    u8 rare; /* done in repetitions whose number has these bits clear */
    u32 value;
} instruction;

/* The sums: of each resource, of what is common to OP_ANY, of atomics, of blocks exchanged, of
 * blocks allocated. */
enum { SUM_ANY = RESOURCES, SUM_ATOMIC, SUM_EXCHANGED, SUM_ALLOCATED, SUM_SPAWNED, SUMS };

typedef struct program {
    u32 seed, threads, repetitions;
    bool racy;
    instruction code[THREADS_MAX][LENGTH];
} program;

/* What the seed stands for; `steps` are spread over the threads and rounded up to whole
 * repetitions. Every thread's program has the same number of exchanges. */
void program_make(program *p, u32 seed, u32 threads, u32 steps, bool racy);

/* One line an instruction. */
void program_print(const program *p);

/* The sums that it comes to under every schedule, by arithmetic alone. */
void program_expect(const program *p, u32 *sums);

/* What thread `thread` gives at its n-th exchange. */
u32 exchange_value(const program *p, u32 thread, u32 n);

/* What thread `thread` writes into the block of its instruction at `at`. */
u32 block_value(const program *p, u32 thread, u32 at);

/* Runs it; the sums, and the number of states that cannot be. False: no threads (said). */
bool program_run(const program *p, u32 *sums, u32 *errors);

#endif
