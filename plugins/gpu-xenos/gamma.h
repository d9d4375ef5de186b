/* The display's gamma ramps: a table of 256 entries for 8-bit front buffers, and 128 straight
 * segments for deeper ones (xenia src/xenia/gpu/command_processor.cc, WriteRegister of DC_LUT_*;
 * after AMD's M56 register reference). */
#ifndef XENOS_GAMMA_H
#define XENOS_GAMMA_H

#include <stdint.h>

typedef struct xenos_gamma {
    uint32_t table[256];      /* 29:20 red, 19:10 green, 9:0 blue, as DC_LUT_30_COLOR */
    uint32_t segment[128][3]; /* red, green, blue; 15:0 base, 31:16 delta, low 6 bits of each 0 */
    uint32_t component;       /* 0..2: which one a sequential write sets next */
    uint32_t reserved;
} xenos_gamma;

/* Both ramps become linear. */
void xenos_gamma_linear(xenos_gamma *gamma);

/* Replaces the 256 entries; NULL means linear. The segments stay. */
void xenos_gamma_table(xenos_gamma *gamma, const uint32_t *table);

/* A write to one of DC_LUT_RW_INDEX, _SEQ_COLOR, _PWL_DATA and _30_COLOR; `index` and `mask` are
 * DC_LUT_RW_INDEX and DC_LUT_WRITE_EN_MASK. Returns the new DC_LUT_RW_INDEX. */
uint32_t xenos_gamma_write(xenos_gamma *gamma, uint32_t number, uint32_t value, uint32_t index,
                           uint32_t mask);

/* What the display makes of a component (0 red, 1 green, 2 blue) that is `value` of `bits` bits:
 * 8 bits. Up to 8 bits go through the table, more through the segments. */
uint8_t xenos_gamma_apply(const xenos_gamma *gamma, uint32_t component, uint32_t value,
                          uint32_t bits);

#endif
