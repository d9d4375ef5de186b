/* Taking registers apart. A field is named by its lowest bit and its width, beside the register's
 * layout: xenia src/xenia/gpu/registers.h, Mesa src/freedreno/registers/adreno/a2xx.xml. */
#ifndef XENOS_STATE_H
#define XENOS_STATE_H

#include <stdint.h>
#include <string.h>

#include "registers.h"

static inline uint32_t xenos_bits(uint32_t value, uint32_t low, uint32_t width)
{
    return value >> low & (width < 32 ? (UINT32_C(1) << width) - 1 : UINT32_MAX);
}

static inline int32_t xenos_signed_bits(uint32_t value, uint32_t low, uint32_t width)
{
    uint32_t field = xenos_bits(value, low, width);
    uint32_t sign = UINT32_C(1) << (width - 1);
    return (int32_t)(field ^ sign) - (int32_t)sign;
}

/* A register that holds a float. */
static inline float xenos_float(uint32_t value)
{
    float out;
    memcpy(&out, &value, sizeof out);
    return out;
}

static inline uint32_t xenos_float_bits(float value)
{
    uint32_t out;
    memcpy(&out, &value, sizeof out);
    return out;
}

/* RB_MODECONTROL 2:0 (xenia xenos.h, EdramMode). */
enum { XENOS_MODE_COLOR_DEPTH = 4, XENOS_MODE_DEPTH = 5, XENOS_MODE_COPY = 6 };

/* Comparisons of alpha, depth and stencil: bit 0 less, bit 1 equal, bit 2 greater passes. */
enum {
    XENOS_NEVER,
    XENOS_LESS,
    XENOS_EQUAL,
    XENOS_LESS_EQUAL,
    XENOS_GREATER,
    XENOS_NOT_EQUAL,
    XENOS_GREATER_EQUAL,
    XENOS_ALWAYS,
};

#endif
