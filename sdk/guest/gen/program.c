/* The program that a seed stands for, and what it comes to. */
#include "random.h"

/* How often each operation is drawn, of 64. Exchanges and racy ones are put in apart. */
static const struct {
    u8 op, weight, rare;
    const char *name;
} drawn[] = {
    {OP_LOCK, 12, 0, "lock"},   {OP_NEST, 6, 0, "nest"},         {OP_BRANCH, 8, 0, "branch"},
    {OP_TRY, 6, 0, "try"},      {OP_LIMIT, 5, 0, "limit"},       {OP_ANY, 5, 0, "any"},
    {OP_ALL, 4, 0, "all"},      {OP_ALLOCATE, 4, 0, "allocate"}, {OP_ATOMIC, 5, 0, "atomic"},
    {OP_WORK, 5, 0, "work"},    {OP_YIELD, 2, 0, "yield"},       {OP_SLEEP, 1, 15, "sleep"},
    {OP_SPAWN, 1, 63, "spawn"}, {OP_EXCHANGE, 0, 0, "exchange"}, {OP_RACY, 0, 0, "racy"},
};
#define DRAWN (sizeof drawn / sizeof drawn[0])

#define EXCHANGES 4u /* in each program */
#define RACES     8u /* in each program, if asked for */

static void draw(instruction *i, u32 *chance)
{
    u32 at = weft_random(chance) >> 8 & 63, row = 0;
    for (; at >= drawn[row].weight; row++) {
        at -= drawn[row].weight;
    }
    *i = (instruction){.op = drawn[row].op, .rare = drawn[row].rare};
    i->value = weft_random(chance) >> 12 | 1;
    u32 a = weft_random(chance) >> 8, b = weft_random(chance) >> 8;
    switch (i->op) {
    case OP_NEST:
    case OP_BRANCH: /* two ranks, the lower first */
        i->a = (u8)(a % (RESOURCES - 1));
        i->b = (u8)(i->a + 1 + b % (RESOURCES - 1 - i->a));
        break;
    case OP_TRY:
    case OP_SPAWN:
        i->a = (u8)(a % SECTIONS);
        break;
    case OP_LIMIT: /* not a section: those know no time-outs */
        i->a = (u8)(RANK_TOKEN + a % (RESOURCES - SECTIONS));
        i->b = (u8)(b % 2);
        break;
    case OP_ALL:
        i->a = (u8)(RANK_TOKEN + a % (TOKENS - 1));
        i->b = (u8)(i->a + 1 + b % (RANK_PERMIT - 1 - i->a));
        break;
    case OP_ALLOCATE:
    case OP_WORK:
        i->a = (u8)a;
        break;
    default:
        i->a = (u8)(a % RESOURCES);
        break;
    }
}

/* Puts `count` of an operation in places that are spread over the program. */
static void put(instruction *code, u8 op, u32 count, u32 *chance)
{
    for (u32 n = 0; n < count; n++) {
        u32 width = LENGTH / count, at = n * width + (weft_random(chance) >> 8) % width;
        code[at].op = op;
        code[at].rare = 0;
    }
}

void program_make(program *p, u32 seed, u32 threads, u32 steps, bool racy)
{
    p->seed = seed;
    p->threads = threads;
    p->racy = racy;
    u32 all = threads * LENGTH;
    p->repetitions = (steps + all - 1) / all;
    for (u32 t = 0; t < threads; t++) {
        u32 chance = weft_mix(seed * 0x9E3779B9u + t + 1);
        for (u32 at = 0; at < LENGTH; at++) {
            draw(&p->code[t][at], &chance);
        }
        if (racy) {
            put(p->code[t], OP_RACY, RACES, &chance);
        }
        put(p->code[t], OP_EXCHANGE, EXCHANGES, &chance);
    }
}

void program_print(const program *p)
{
    for (u32 t = 0; t < p->threads; t++) {
        for (u32 at = 0; at < LENGTH; at++) {
            const instruction *i = &p->code[t][at];
            u32 row = 0;
            while (drawn[row].op != i->op) {
                row++;
            }
            DbgPrint("random: %2u.%02u %-8s %3u %3u %u\n", t, at, drawn[row].name, i->a, i->b,
                     i->value);
        }
    }
}

u32 exchange_value(const program *p, u32 thread, u32 n)
{
    return weft_mix(p->seed ^ (thread << 28 | n));
}

u32 block_value(const program *p, u32 thread, u32 at)
{
    return weft_mix(p->seed + (thread << 16 | at));
}

/* ---- what it comes to -------------------------------------------------------------------------
 */

/* Repetitions 0..n - 1 whose number has the bits of `rare` clear; rare + 1 is a power of two. */
static u32 times(u32 repetitions, u32 rare)
{
    return rare == 0 ? repetitions : (repetitions + rare) / (rare + 1);
}

/* Adds what one instruction adds in all its repetitions. */
static void expect(const program *p, u32 thread, u32 at, u32 *sums)
{
    const instruction *i = &p->code[thread][at];
    u32 n = times(p->repetitions, i->rare), value = i->value * n;
    switch (i->op) {
    case OP_NEST:
    case OP_ALL:
        sums[i->a] += value;
        sums[i->b] += value;
        break;
    case OP_LOCK:
    case OP_BRANCH: /* what it does more leaves no trace in b's sum */
    case OP_TRY:
    case OP_LIMIT:
        sums[i->a] += value;
        break;
    case OP_ANY:
        sums[SUM_ANY] += value;
        break;
    case OP_ATOMIC:
        sums[SUM_ATOMIC] += value;
        break;
    case OP_ALLOCATE:
        sums[SUM_ALLOCATED] += block_value(p, thread, at) * n;
        break;
    case OP_SPAWN:
        sums[i->a] += value;
        sums[SUM_SPAWNED] += n;
        break;
    default:
        break;
    }
}

void program_expect(const program *p, u32 *sums)
{
    for (u32 i = 0; i < SUMS; i++) {
        sums[i] = 0;
    }
    for (u32 t = 0; t < p->threads; t++) {
        for (u32 at = 0; at < LENGTH; at++) {
            expect(p, t, at, sums);
        }
        for (u32 n = 0; n < EXCHANGES * p->repetitions; n++) {
            sums[SUM_EXCHANGED] += exchange_value(p, t, n);
        }
    }
}
