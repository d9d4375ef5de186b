/* memory.c: copies that turn the byte order of 16, 32 and 64-bit elements, and sums over bytes. */
#include "kernel.h"

enum { WORDS = 8192 };

static uint32_t from[WORDS], to[WORDS];
static uint64_t wide[WORDS / 2];

KERNEL(memory)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < WORDS; i++) {
        from[i] = i * 2654435761u;
    }
    for (uint32_t round = 0; round < count; round++) {
        for (uint32_t i = 0; i < WORDS; i++) {
            to[i] = __builtin_bswap32(from[i]) + round;
        }
        for (uint32_t i = 0; i < WORDS; i += 2) {
            uint64_t pair = (uint64_t)to[i] << 32 | to[i + 1];
            wide[i / 2] = pair ^ (pair >> 7);
        }
        for (uint32_t i = 0; i < WORDS / 2; i++) {
            uint32_t x = (uint32_t)wide[i];
            uint16_t low = __builtin_bswap16((uint16_t)x);
            sum = (sum << 1 | sum >> 31) ^ low ^ (uint8_t)(x >> 24);
        }
    }
    return sum;
}
