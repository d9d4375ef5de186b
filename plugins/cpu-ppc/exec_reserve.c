/* exec_reserve.c: lwarx, ldarx, stwcx., stdcx. (PowerISA 2.03 book II, 1.7.3.1).
 *
 * A reservation remembers value, width and its page's version: a write that the memory service was
 * told of, or another value there, makes stwcx. fail. In lockstep no plain store of another
 * hardware thread can come between, because its run drops the reservation.
 *
 * In parallel mode plain stores of others are seen by value only, but every stwcx. that stores moves
 * the counter of its granule on: what another hardware thread took off a list and put back is not
 * mistaken for never touched. Counters are shared by granules of one hash; that, like anything else
 * that moves them, only makes a stwcx. fail that need not have. */
#include "mem.h"

#include <sched.h>

#define LOOKS 64 /* at a granule that somebody else is storing to */

static step misaligned(core *c, const op *o, uint64_t left, uint32_t address)
{
    c->s.fault_address = address;
    return ppc_leave(c, o, left, WEFT_CPU_ALIGNMENT);
}

static uint64_t *granule_of(engine *e, uint32_t address)
{
    uint32_t number = address / PPC_GRANULE;
    return &e->granules[number * UINT32_C(0x9E3779B1) >> (32 - PPC_GRANULES_LOG)];
}

/* The granule's counter before the value is loaded. Odd: a stwcx. there is not done yet. Waits for
 * it a while; a reservation with an odd counter is lost. */
static PPC_NOINLINE uint64_t granule_look(engine *e, uint32_t address)
{
    const uint64_t *granule = granule_of(e, address);
    uint64_t seen = __atomic_load_n(granule, __ATOMIC_ACQUIRE);
    for (int i = 0; seen & 1 && i < LOOKS; i++) {
        if (i == LOOKS - 1) {
            sched_yield(); /* its host thread does not run */
        }
        seen = __atomic_load_n(granule, __ATOMIC_ACQUIRE);
    }
    return seen;
}

static PPC_NOINLINE void reserve(core *c, uint32_t address, uint32_t length)
{
    engine *e = c->engine;
    c->s.reservation = 1;
    c->reserve_address = address;
    c->reserve_length = length;
    c->reserve_granule = e->parallel ? granule_look(e, address) : 0;
    c->reserve_version = guest_version(e->memory, address);
}

#define LOAD_RESERVED(name, length, bits)                                                          \
    HANDLER(name)                                                                                  \
    {                                                                                              \
        uint32_t at = (uint32_t)EA_INDEX;                                                          \
        if (at & ((length)-1) || ppc_is_mmio(c->engine->memory, at)) {                             \
            return misaligned(c, o, left, at);                                                     \
        }                                                                                          \
        if (!page_readable(access, at)) {                                                          \
            return ppc_leave_fault(c, o, left, at, 0);                                             \
        }                                                                                          \
        reserve(c, at, length);                                                                    \
        const void *p = base + at;                                                                 \
        c->reserve_value = __atomic_load_n((const guest_word##bits *)p, __ATOMIC_SEQ_CST);         \
        RD = __builtin_bswap##bits((uint##bits##_t)c->reserve_value);                              \
        NEXT();                                                                                    \
    }

LOAD_RESERVED(op_lwarx, 4, 32)
LOAD_RESERVED(op_ldarx, 8, 64)

/* Stores if memory still holds the value that was loaded. */
static int exchange(core *c, uint32_t at, uint32_t length, uint64_t value)
{
    void *p = c->engine->memory->base + at;
    if (length == 4) {
        uint32_t expected = (uint32_t)c->reserve_value;
        return __atomic_compare_exchange_n((guest_word32 *)p, &expected,
                                           __builtin_bswap32((uint32_t)value), 0, __ATOMIC_SEQ_CST,
                                           __ATOMIC_SEQ_CST);
    }
    uint64_t expected = c->reserve_value;
    return __atomic_compare_exchange_n((guest_word64 *)p, &expected, __builtin_bswap64(value), 0,
                                       __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

/* The same while no other stwcx. is between its look at the granule and its store. */
static int exchange_alone(core *c, uint32_t at, uint32_t length, uint64_t value)
{
    uint64_t *granule = granule_of(c->engine, at), seen = c->reserve_granule;
    if (seen & 1 || !__atomic_compare_exchange_n(granule, &seen, seen | 1, 0, __ATOMIC_SEQ_CST,
                                                 __ATOMIC_RELAXED)) {
        c->cache->lost++;
        return 0;
    }
    int stored = exchange(c, at, length, value);
    c->cache->changed += !stored;
    __atomic_store_n(granule, stored ? seen + 2 : seen, __ATOMIC_RELEASE);
    return stored;
}

/* Stores if the reservation still stands; returns whether it did. Drops it either way. */
static PPC_NOINLINE int store_conditional(core *c, uint32_t at, uint32_t length, uint64_t value)
{
    const weft_memory *memory = c->engine->memory;
    int held = c->s.reservation && c->reserve_address == at && c->reserve_length == length &&
               c->reserve_version == guest_version(memory, at);
    c->s.reservation = 0;
    if (!c->engine->parallel) {
        return held && exchange(c, at, length, value);
    }
    c->cache->conditionals++;
    c->cache->lost += !held;
    return held && exchange_alone(c, at, length, value);
}

#define STORE_CONDITIONAL(name, length)                                                            \
    HANDLER(name)                                                                                  \
    {                                                                                              \
        uint32_t at = (uint32_t)EA_INDEX;                                                          \
        if ((at & (length - 1)) || ppc_is_mmio(c->engine->memory, at)) {                           \
            return misaligned(c, o, left, at);                                                     \
        }                                                                                          \
        if (!(guest_page(access, at) & WEFT_PAGE_WRITE)) {                                         \
            return ppc_leave_fault(c, o, left, at, WEFT_FAULT_STORE);                              \
        }                                                                                          \
        int stored = store_conditional(c, at, length, RD);                                         \
        set_cr(c, 0, 0, 0, stored);                                                                \
        if (UNLIKELY(stored && guest_page(access, at) & WEFT_PAGE_WATCH)) {                        \
            ppc_range_written(c, o, left, at, length);                                             \
            NEXT_SLOWLY();                                                                         \
        }                                                                                          \
        NEXT();                                                                                    \
    }

STORE_CONDITIONAL(op_stwcx, 4)
STORE_CONDITIONAL(op_stdcx, 8)
