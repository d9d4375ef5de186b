/* kernel.h: what every kernel shares. One source is built for the guest (the interpreter's flat
 * image and an ELF for qemu-ppc64) and for the host; all must return the same checksum.
 *
 * Freestanding: no libc, no 64-bit division, no initialised data that a second call would find
 * changed. A kernel sets up what it works on, works `count` rounds, and returns a checksum. */
#ifndef BENCH_KERNEL_H
#define BENCH_KERNEL_H

#include <stdint.h>

#ifdef __powerpc__
/* The image's first bytes are the entry (kernel.ld). */
#define KERNEL(name)                                                                               \
    uint32_t kernel(uint32_t count);                                                               \
    __attribute__((section(".entry"))) uint32_t kernel(uint32_t count)
#else
#define KERNEL(name)                                                                               \
    uint32_t kernel_##name(uint32_t count);                                                        \
    uint32_t kernel_##name(uint32_t count)
#endif

/* Numerical Recipes' linear congruential generator; the upper bits are the good ones. */
static inline uint32_t draw(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

static inline uint32_t mix(uint32_t sum, uint32_t value)
{
    return (sum << 5 | sum >> 27) ^ value;
}

#endif
