/* The register file by number: names for logs and tests, numbers for the code.
 *
 * A register's number is its byte offset from the start of the block divided by 4. Shader constants
 * have numbers, and no rows: they are arrays. */
#ifndef XENOS_REGISTERS_H
#define XENOS_REGISTERS_H

#include <stddef.h>
#include <stdint.h>

/* What a type-0 packet's 15-bit base can name. */
#define XENOS_REGISTER_COUNT UINT32_C(0x8000)

/* The registers that this plugin acts on; the rest is stored. */
enum {
    XENOS_CP_RB_RPTR = 0x01C4,
    XENOS_CP_RB_WPTR = 0x01C5,
    XENOS_SCRATCH_UMSK = 0x01DC,
    XENOS_SCRATCH_ADDR = 0x01DD,
    XENOS_CP_STAT = 0x047F,
    XENOS_SCRATCH_REG0 = 0x0578,
    XENOS_SCRATCH_REG7 = 0x057F,
    XENOS_RBBM_STATUS = 0x05D0,
    XENOS_COHER_STATUS_HOST = 0x0A31,
    XENOS_VIZ_QUERY_STATUS_0 = 0x0C44,
    XENOS_VIZ_QUERY_STATUS_1 = 0x0C45,
    XENOS_RB_EDRAM_TIMING = 0x0F00,
    XENOS_RB_BC_CONTROL = 0x0F01,
    XENOS_DC_LUT_RW_MODE = 0x1921,
    XENOS_DC_LUT_RW_INDEX = 0x1922,
    XENOS_DC_LUT_SEQ_COLOR = 0x1923,
    XENOS_DC_LUT_PWL_DATA = 0x1924,
    XENOS_DC_LUT_30_COLOR = 0x1925,
    XENOS_DC_LUT_WRITE_EN_MASK = 0x1927,
    XENOS_D1MODE_V_COUNTER = 0x194C,
    XENOS_D1MODE_VBLANK_STATUS = 0x1951,
    XENOS_D1MODE_VIEWPORT_SIZE = 0x1961,
    XENOS_RB_COLOR_INFO = 0x2001,
    XENOS_RB_DEPTH_INFO = 0x2002,
    XENOS_RB_COLOR1_INFO = 0x2003, /* and two more behind it */
    XENOS_VGT_EVENT_INITIATOR = 0x21F9,
    XENOS_VGT_DMA_BASE = 0x21FA,
    XENOS_VGT_DMA_SIZE = 0x21FB,
    XENOS_VGT_DRAW_INITIATOR = 0x21FC,
    XENOS_RB_MODECONTROL = 0x2208,
    XENOS_RB_COPY_CONTROL = 0x2318,
    XENOS_RB_COPY_DEST_BASE = 0x2319,
    XENOS_RB_COPY_DEST_PITCH = 0x231A,
    XENOS_RB_COPY_DEST_INFO = 0x231B,
    XENOS_RB_SAMPLE_COUNT_ADDR = 0x2325,

    /* Arrays (xenia register_table.inc): 512 float4, 32 texture or 96 vertex fetch constants, 256
     * bits, 32 loops. */
    XENOS_CONSTANT_ALU = 0x4000,
    XENOS_CONSTANT_FETCH = 0x4800,
    XENOS_CONSTANT_BOOL = 0x4900,
    XENOS_CONSTANT_LOOP = 0x4908,
};

typedef struct xenos_register {
    uint32_t number;
    const char *name;
    const char *remark;
} xenos_register;

/* All rows, ascending by number. */
const xenos_register *xenos_register_table(size_t *count);

/* The row of a number, or NULL. */
const xenos_register *xenos_register_find(uint32_t number);

#endif
