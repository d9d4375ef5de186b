/* The GPU's byte swaps. The Xenos is little-endian and sits on big-endian memory: each access names
 * how its bytes are turned (xenia src/xenia/gpu/xenos.h, Endian and GpuSwap). A value written with
 * 8in32 is what the CPU's lwz reads. */
#ifndef XENOS_ENDIAN_H
#define XENOS_ENDIAN_H

#include <stdint.h>

enum {
    XENOS_ENDIAN_NONE = 0,
    XENOS_ENDIAN_8IN16 = 1,
    XENOS_ENDIAN_8IN32 = 2,
    XENOS_ENDIAN_16IN32 = 3,
};

static inline uint32_t xenos_swap32(uint32_t value, uint32_t mode)
{
    switch (mode & 3) {
    case XENOS_ENDIAN_8IN16:
        return ((value << 8) & 0xFF00FF00u) | ((value >> 8) & 0x00FF00FFu);
    case XENOS_ENDIAN_8IN32:
        return (value << 24) | ((value << 8) & 0x00FF0000u) | ((value >> 8) & 0x0000FF00u) |
               (value >> 24);
    case XENOS_ENDIAN_16IN32:
        return (value << 16) | (value >> 16);
    default:
        return value;
    }
}

/* A 16-bit element alone: 8in16 turns its two bytes; the 32-bit modes have nothing to act on. */
static inline uint16_t xenos_swap16(uint16_t value, uint32_t mode)
{
    return mode == XENOS_ENDIAN_8IN16 ? (uint16_t)((value << 8) | (value >> 8)) : value;
}

/* Little-endian dwords in memory, as the GPU's own bus sees them. */
static inline uint32_t xenos_load32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline void xenos_store32(uint8_t *p, uint32_t value)
{
    p[0] = (uint8_t)value;
    p[1] = (uint8_t)(value >> 8);
    p[2] = (uint8_t)(value >> 16);
    p[3] = (uint8_t)(value >> 24);
}

#endif
