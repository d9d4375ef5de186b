/* PM4 packets.
 *
 *     type 0   00 nnnnnnnnnnnnnn o rrrrrrrrrrrrrrr  n+1 values to registers r, r+1 ... (o: all to
 * r) type 1   01 -------- ssssssssssss rrrrrrrrrrr one value to r and one to s, 11 bits each type 2
 * 10 ------------------------------    nothing type 3   11 nnnnnnnnnnnnnn - ooooooo -------p opcode
 * o with n+1 dwords; p: predicated by bins
 *
 * (xenia src/xenia/gpu/xenos.h; names after freedreno's amd-gpu gsl_pm4types.h.) A header of 0 is
 * one dword of nothing (xenia command_processor.cc). */
#ifndef XENOS_PM4_H
#define XENOS_PM4_H

#include <stdint.h>

#include "cp.h"

/* Type-3 opcodes. */
enum {
    XENOS_PM4_NOP = 0x10,
    XENOS_PM4_REG_RMW = 0x21,
    XENOS_PM4_DRAW_INDX = 0x22,
    XENOS_PM4_VIZ_QUERY = 0x23,
    XENOS_PM4_SET_STATE = 0x25,
    XENOS_PM4_WAIT_FOR_IDLE = 0x26,
    XENOS_PM4_IM_LOAD = 0x27,
    XENOS_PM4_IM_LOAD_IMMEDIATE = 0x2B,
    XENOS_PM4_IM_STORE = 0x2C,
    XENOS_PM4_SET_CONSTANT = 0x2D,
    XENOS_PM4_LOAD_CONSTANT_CONTEXT = 0x2E,
    XENOS_PM4_LOAD_ALU_CONSTANT = 0x2F,
    XENOS_PM4_DRAW_INDX_BIN = 0x34,
    XENOS_PM4_DRAW_INDX_2_BIN = 0x35,
    XENOS_PM4_DRAW_INDX_2 = 0x36,
    XENOS_PM4_INDIRECT_BUFFER_PFD = 0x37,
    XENOS_PM4_INVALIDATE_STATE = 0x3B,
    XENOS_PM4_WAIT_REG_MEM = 0x3C,
    XENOS_PM4_MEM_WRITE = 0x3D,
    XENOS_PM4_REG_TO_MEM = 0x3E,
    XENOS_PM4_INDIRECT_BUFFER = 0x3F,
    XENOS_PM4_COND_EXEC = 0x44,
    XENOS_PM4_COND_WRITE = 0x45,
    XENOS_PM4_EVENT_WRITE = 0x46,
    XENOS_PM4_ME_INIT = 0x48,
    XENOS_PM4_SET_SHADER_BASES = 0x4A,
    XENOS_PM4_SET_BIN_BASE_OFFSET = 0x4B,
    XENOS_PM4_MEM_WRITE_CNTR = 0x4F,
    XENOS_PM4_SET_BIN_MASK = 0x50,
    XENOS_PM4_SET_BIN_SELECT = 0x51,
    XENOS_PM4_WAIT_REG_EQ = 0x52,
    XENOS_PM4_WAIT_REG_GTE = 0x53,
    XENOS_PM4_INTERRUPT = 0x54,
    XENOS_PM4_SET_CONSTANT2 = 0x55,
    XENOS_PM4_SET_SHADER_CONSTANTS = 0x56,
    XENOS_PM4_EVENT_WRITE_SHD = 0x58,
    XENOS_PM4_EVENT_WRITE_CFL = 0x59,
    XENOS_PM4_EVENT_WRITE_EXT = 0x5A,
    XENOS_PM4_EVENT_WRITE_ZPD = 0x5B,
    XENOS_PM4_WAIT_UNTIL_READ = 0x5C,
    XENOS_PM4_WAIT_IB_PFD_COMPLETE = 0x5D,
    XENOS_PM4_CONTEXT_UPDATE = 0x5E,
    XENOS_PM4_SET_BIN_MASK_LO = 0x60,
    XENOS_PM4_SET_BIN_MASK_HI = 0x61,
    XENOS_PM4_SET_BIN_SELECT_LO = 0x62,
    XENOS_PM4_SET_BIN_SELECT_HI = 0x63,
    XENOS_PM4_XE_SWAP = 0x64,
};

/* Headers, for whoever writes packets. `count` is that of the dwords after the header, 1..16384. */
#define XENOS_TYPE0(number, count) ((((uint32_t)(count)-1) & 0x3FFF) << 16 | (uint32_t)(number))
#define XENOS_TYPE2                UINT32_C(0x80000000)
#define XENOS_TYPE3(opcode, count)                                                                 \
    (UINT32_C(0xC0000000) | (((uint32_t)(count)-1) & 0x3FFF) << 16 | (uint32_t)(opcode) << 8)

/* What a handler answers. */
typedef enum xenos_outcome {
    XENOS_DONE,
    XENOS_WAIT, /* the packet stays: look again after a while */
} xenos_outcome;

#define XENOS_PACKET_VISIBLE  1u /* runs at its own tick */
#define XENOS_PACKET_REGISTER 2u /* visible if the registers it sets are */
#define XENOS_PACKET_DRAW     4u /* visible if what is drawn changes memory */

typedef struct xenos_packet {
    uint8_t opcode;
    uint8_t minimum; /* dwords after the header without which it means nothing */
    uint8_t flags;   /* XENOS_PACKET_* */
    const char *name;
    xenos_outcome (*run)(xenos_cp *cp, uint32_t count); /* never NULL */
    const char *remark;
} xenos_packet;

/* All rows, ascending by opcode. */
const xenos_packet *xenos_packet_table(uint32_t *count);

/* The row of an opcode below 128, or NULL. */
const xenos_packet *xenos_packet_find(uint32_t opcode);

/* Where SET_CONSTANT's and LOAD_ALU_CONSTANT's offset word points: the first register, or
 * UINT32_MAX for a type that does not exist. */
uint32_t xenos_constant_register(uint32_t offset_type);

#endif
