/* Slow paths of guest memory: page crossings, MMIO, watched pages, faults. In exec_mem.c. */
#ifndef PPC_MEM_H
#define PPC_MEM_H

#include "threaded.h"

/* What a slow access came to. */
#define MEM_FAULT  0 /* nothing was done; the core has left with the reason */
#define MEM_DONE   1
#define MEM_STOP   2 /* done; the MMIO callback wants run to return */
#define MEM_CALLED 3 /* done, and others were called: run() looks around before what follows */

/* Reads or writes 1..16 bytes in guest order. pc and retired are exact at callbacks. */
int ppc_read(core *c, const op *o, uint64_t left, uint32_t address, uint32_t length,
             uint8_t *bytes);
int ppc_write(core *c, const op *o, uint64_t left, uint32_t address, uint32_t length,
              const uint8_t *bytes);

/* Retires the instruction after a slow access, and leaves to run(). */
step ppc_retire(core *c, const op *o, uint64_t left, int how);

/* Ranges of more than 16 bytes (multiple, string, dcbz): all or nothing, RAM only. NULL after a
 * fault. */
uint8_t *ppc_range(core *c, const op *o, uint64_t left, uint32_t address, uint32_t length,
                   int store);

/* Tells the memory service of a store that went through ppc_range; run() has to look around next. */
void ppc_range_written(core *c, const op *o, uint64_t left, uint32_t address, uint32_t length);

static inline int ppc_is_mmio(const weft_memory *memory, uint32_t address)
{
    return guest_page(memory->access, address) & WEFT_PAGE_MMIO;
}

static inline int can_load(const uint8_t *access, uint32_t address, uint32_t length)
{
    return page_readable(access, address) & in_page(address, length);
}

static inline int can_store(const uint8_t *access, uint32_t address, uint32_t length)
{
    return page_writable(access, address) & in_page(address, length);
}

/* A line as a register, written at once: its next reader takes all of it. */
static inline vec guest_vector(const uint8_t *p)
{
    typedef uint64_t both __attribute__((vector_size(16)));
    both words = {guest_load64(p + 8), guest_load64(p)};
    vec v;
    memcpy(&v, &words, sizeof v);
    return v;
}

/* Effective addresses: all 64 bits of the sum go to an updated register, the low 32 to memory
 * (PowerISA 2.03 book I, 1.10.3). */
#define EA_DISP  (RA + (uint64_t)SI)
#define EA_INDEX (RA + RB)

/* A load as a handler and its slow half. `get(pointer)` converts guest bytes, `put(value)` writes
 * the result; `update` says whether RA takes the address. */
#define LOAD(name, length, get, put, ea_, update)                                                  \
    static PPC_NOINLINE step name##_slow(PPC_ARGS)                                                 \
    {                                                                                              \
        uint64_t ea = ea_;                                                                         \
        uint8_t bytes[16];                                                                         \
        int how = ppc_read(c, o, left, (uint32_t)ea, length, bytes);                               \
        if (how == MEM_FAULT) {                                                                    \
            return (step){NULL, 0};                                                                \
        }                                                                                          \
        put(get(bytes));                                                                           \
        if (update) {                                                                              \
            RA = ea;                                                                               \
        }                                                                                          \
        return ppc_retire(c, o, left, how);                                                        \
    }                                                                                              \
    HANDLER(name)                                                                                  \
    {                                                                                              \
        uint64_t ea = ea_;                                                                         \
        uint32_t at = (uint32_t)ea;                                                                \
        if (UNLIKELY(!can_load(access, at, length))) {                                             \
            return name##_slow(c, o, left, base, access);                                          \
        }                                                                                          \
        put(get(base + at));                                                                       \
        if (update) {                                                                              \
            RA = ea;                                                                               \
        }                                                                                          \
        NEXT();                                                                                    \
    }

/* The same for stores: `set(pointer, value)` writes guest bytes. */
#define STORE(name, length, set, value, ea_, update)                                               \
    static PPC_NOINLINE step name##_slow(PPC_ARGS)                                                 \
    {                                                                                              \
        uint64_t ea = ea_;                                                                         \
        uint8_t bytes[16];                                                                         \
        set(bytes, value);                                                                         \
        int how = ppc_write(c, o, left, (uint32_t)ea, length, bytes);                              \
        if (how == MEM_FAULT) {                                                                    \
            return (step){NULL, 0};                                                                \
        }                                                                                          \
        if (update) {                                                                              \
            RA = ea;                                                                               \
        }                                                                                          \
        return ppc_retire(c, o, left, how);                                                        \
    }                                                                                              \
    HANDLER(name)                                                                                  \
    {                                                                                              \
        uint64_t ea = ea_;                                                                         \
        uint32_t at = (uint32_t)ea;                                                                \
        if (UNLIKELY(!can_store(access, at, length))) {                                            \
            return name##_slow(c, o, left, base, access);                                          \
        }                                                                                          \
        set(base + at, value);                                                                     \
        if (update) {                                                                              \
            RA = ea;                                                                               \
        }                                                                                          \
        NEXT();                                                                                    \
    }

#endif
