#include "gamma.h"

#include <string.h>

#include "registers.h"

void xenos_gamma_linear(xenos_gamma *gamma)
{
    memset(gamma, 0, sizeof *gamma);
    xenos_gamma_table(gamma, NULL);
    for (uint32_t i = 0; i < 128; i++) {
        /* Segment i starts at i/128 of full scale and rises 8 steps of 0x200/8: (i << 9) + 0x200.
         */
        for (uint32_t c = 0; c < 3; c++) {
            gamma->segment[i][c] = i << 9 | 0x200u << 16;
        }
    }
}

void xenos_gamma_table(xenos_gamma *gamma, const uint32_t *table)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t v = i * 1023 / 255;
        gamma->table[i] = table != NULL ? table[i] & 0x3FFFFFFFu : v << 20 | v << 10 | v;
    }
}

/* The write mask counts blue, green, red from bit 0; sequential writes come red first. */
static int enabled(uint32_t mask, uint32_t component)
{
    return mask >> (2 - component) & 1;
}

static void table_set(xenos_gamma *gamma, uint32_t entry, uint32_t component, uint32_t value)
{
    uint32_t shift = 20 - component * 10;
    uint32_t *row = &gamma->table[entry];
    *row = (*row & ~(0x3FFu << shift)) | (value & 0x3FF) << shift;
}

uint32_t xenos_gamma_write(xenos_gamma *gamma, uint32_t number, uint32_t value, uint32_t index,
                           uint32_t mask)
{
    uint32_t entry = index & 0xFF;
    switch (number) {
    case XENOS_DC_LUT_RW_INDEX:
        gamma->component = 0;
        return value;
    case XENOS_DC_LUT_SEQ_COLOR:
        if (enabled(mask, gamma->component)) {
            table_set(gamma, entry, gamma->component, (value & 0xFFFF) >> 6);
        }
        break;
    case XENOS_DC_LUT_PWL_DATA:
        if (enabled(mask, gamma->component)) {
            gamma->segment[entry & 0x7F][gamma->component] = value & 0xFFC0FFC0u;
        }
        break;
    case XENOS_DC_LUT_30_COLOR:
        for (uint32_t c = 0; c < 3; c++) {
            if (enabled(mask, c)) {
                table_set(gamma, entry, c, value >> (20 - c * 10));
            }
        }
        gamma->component = 2; /* the whole entry is done */
        break;
    default:
        return index;
    }
    gamma->component = (gamma->component + 1) % 3;
    if (gamma->component != 0) {
        return index;
    }
    /* The piecewise ramp has 128 entries: bit 7 of the index stays as it is. */
    uint32_t span = number == XENOS_DC_LUT_PWL_DATA ? 0x7F : 0xFF;
    return (index & ~span) | ((index + 1) & span);
}

uint8_t xenos_gamma_apply(const xenos_gamma *gamma, uint32_t component, uint32_t value,
                          uint32_t bits)
{
    if (bits <= 8) {
        uint32_t full = (1u << bits) - 1;
        uint32_t entry = (value * 255 + full / 2) / full;
        return (uint8_t)((gamma->table[entry] >> (20 - component * 10) & 0x3FF) >> 2);
    }
    uint32_t ten = value >> (bits - 10);
    uint32_t segment = gamma->segment[ten >> 3][component];
    uint32_t v = (segment & 0xFFFF) + (ten & 7) * (segment >> 16) / 8;
    return (uint8_t)((v > 0xFFFF ? 0xFFFF : v) >> 8);
}
