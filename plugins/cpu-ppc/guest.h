/* guest.h: guest memory and its page table as the engine touches them. Other host threads do so at
 * the same time, in parallel mode guest code among them: every access is a relaxed atomic of its
 * own size where it is aligned (PowerISA 2.03 book II, 1.4 asks for no more), and in pieces else.
 * Where the host's moves take any address, there is nothing to ask. Hosts are little-endian. */
#ifndef PPC_GUEST_H
#define PPC_GUEST_H

#include <stdint.h>

#include "weft/memory.h"

#if defined(__x86_64__) && !defined(__clang__) && !defined(__SANITIZE_THREAD__)
#define GUEST_WHOLE(p, size) 1
#define GUEST_TYPE(bits)     uint##bits##_t __attribute__((aligned(1), may_alias))
#else
#define GUEST_WHOLE(p, size) (((uintptr_t)(p) & ((size)-1)) == 0)
#define GUEST_TYPE(bits)     uint##bits##_t __attribute__((may_alias))
#endif
typedef GUEST_TYPE(16) guest_word16;
typedef GUEST_TYPE(32) guest_word32;
typedef GUEST_TYPE(64) guest_word64;

static inline uint8_t guest_load8(const uint8_t *p)
{
    return __atomic_load_n(p, __ATOMIC_RELAXED);
}

static inline void guest_store8(uint8_t *p, uint8_t value)
{
    __atomic_store_n(p, value, __ATOMIC_RELAXED);
}

/* Moves in the host's order, and in the guest's. */
#define GUEST_ACCESS(bits)                                                                         \
    static inline uint##bits##_t guest_move##bits(const uint8_t *p)                                \
    {                                                                                              \
        if (GUEST_WHOLE(p, bits / 8)) {                                                            \
            return __atomic_load_n((const guest_word##bits *)(const void *)p, __ATOMIC_RELAXED);   \
        }                                                                                          \
        uint64_t value = 0;                                                                        \
        for (unsigned i = 0; i < bits / 8; i++) {                                                  \
            value |= (uint64_t)guest_load8(p + i) << 8 * i;                                        \
        }                                                                                          \
        return (uint##bits##_t)value;                                                              \
    }                                                                                              \
    static inline void guest_put##bits(uint8_t *p, uint##bits##_t value)                           \
    {                                                                                              \
        if (GUEST_WHOLE(p, bits / 8)) {                                                            \
            __atomic_store_n((guest_word##bits *)(void *)p, value, __ATOMIC_RELAXED);              \
            return;                                                                                \
        }                                                                                          \
        for (unsigned i = 0; i < bits / 8; i++) {                                                  \
            guest_store8(p + i, (uint8_t)(value >> 8 * i));                                        \
        }                                                                                          \
    }                                                                                              \
    static inline uint##bits##_t guest_load##bits(const uint8_t *p)                                \
    {                                                                                              \
        return __builtin_bswap##bits(guest_move##bits(p));                                         \
    }                                                                                              \
    static inline void guest_store##bits(uint8_t *p, uint##bits##_t value)                         \
    {                                                                                              \
        guest_put##bits(p, __builtin_bswap##bits(value));                                          \
    }
GUEST_ACCESS(16)
GUEST_ACCESS(32)
GUEST_ACCESS(64)

/* The bits of the page that an address lies in. */
static inline uint8_t guest_page(const uint8_t *access, uint32_t address)
{
    return __atomic_load_n(&access[address >> WEFT_PAGE_SHIFT], __ATOMIC_RELAXED);
}

static inline uint32_t guest_version(const weft_memory *memory, uint32_t address)
{
    return __atomic_load_n(&memory->version[address >> WEFT_PAGE_SHIFT], __ATOMIC_RELAXED);
}

#endif
