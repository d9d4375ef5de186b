/* gpu_names.c: see gpu_names.h. */
#include "gpu_names.h"

#include <stddef.h>

/* Opcodes of type-3 packets (Mesa adreno_pm4.xml, xenia xenos.h). */
static const char *const packets[128] = {
    [0x10] = "NOP",
    [0x21] = "REG_RMW",
    [0x22] = "DRAW_INDX",
    [0x23] = "VIZ_QUERY",
    [0x25] = "SET_STATE",
    [0x26] = "WAIT_FOR_IDLE",
    [0x27] = "IM_LOAD",
    [0x2B] = "IM_LOAD_IMMEDIATE",
    [0x2C] = "IM_STORE",
    [0x2D] = "SET_CONSTANT",
    [0x2E] = "LOAD_CONSTANT_CONTEXT",
    [0x2F] = "LOAD_ALU_CONSTANT",
    [0x34] = "DRAW_INDX_BIN",
    [0x35] = "DRAW_INDX_2_BIN",
    [0x36] = "DRAW_INDX_2",
    [0x37] = "INDIRECT_BUFFER_PFD",
    [0x3B] = "INVALIDATE_STATE",
    [0x3C] = "WAIT_REG_MEM",
    [0x3D] = "MEM_WRITE",
    [0x3E] = "REG_TO_MEM",
    [0x3F] = "INDIRECT_BUFFER",
    [0x44] = "COND_EXEC",
    [0x45] = "COND_WRITE",
    [0x46] = "EVENT_WRITE",
    [0x48] = "ME_INIT",
    [0x4A] = "SET_SHADER_BASES",
    [0x4B] = "SET_BIN_BASE_OFFSET",
    [0x4F] = "MEM_WRITE_CNTR",
    [0x50] = "SET_BIN_MASK",
    [0x51] = "SET_BIN_SELECT",
    [0x52] = "WAIT_REG_EQ",
    [0x53] = "WAIT_REG_GTE",
    [0x54] = "INTERRUPT",
    [0x55] = "SET_CONSTANT2",
    [0x56] = "SET_SHADER_CONSTANTS",
    [0x58] = "EVENT_WRITE_SHD",
    [0x59] = "EVENT_WRITE_CFL",
    [0x5A] = "EVENT_WRITE_EXT",
    [0x5B] = "EVENT_WRITE_ZPD",
    [0x5C] = "WAIT_UNTIL_READ",
    [0x5D] = "WAIT_IB_PFD_COMPLETE",
    [0x5E] = "CONTEXT_UPDATE",
    [0x60] = "SET_BIN_MASK_LO",
    [0x61] = "SET_BIN_MASK_HI",
    [0x62] = "SET_BIN_SELECT_LO",
    [0x63] = "SET_BIN_SELECT_HI",
    [0x64] = "XE_SWAP",
};

/* VGT_DRAW_INITIATOR's primitive types (Mesa a2xx.xml, xenia xenos.h). */
static const char *const primitives[] = {
    [1] = "points",
    [2] = "lines",
    [3] = "line strip",
    [4] = "triangles",
    [5] = "triangle fan",
    [6] = "triangle strip",
    [7] = "triangles with w flags",
    [8] = "rectangles",
    [12] = "line loop",
    [13] = "quads",
    [14] = "quad strip",
    [15] = "polygon",
};

/* With an explicit major mode: patches. */
static const char *const patches[] = {"line patches", "triangle patches", "quad patches"};

#define FIRST_PATCH 16u

const char *gpu_packet_name(uint64_t header)
{
    switch (header >> 30 & 3) {
    case 0:
        return "registers";
    case 1:
        return "two registers";
    case 2:
        return "filler";
    default:
        return packets[header >> 8 & 0x7F];
    }
}

const char *gpu_primitive_name(uint64_t initiator)
{
    uint64_t type = initiator & 0x3F;
    if (type >= FIRST_PATCH && (initiator >> 8 & 3) == 1) {
        type -= FIRST_PATCH;
        return type < sizeof patches / sizeof patches[0] ? patches[type] : NULL;
    }
    return type < sizeof primitives / sizeof primitives[0] ? primitives[type] : NULL;
}

const char *gpu_copy_source(uint64_t control)
{
    static const char *const sources[] = {"colour 0", "colour 1", "colour 2", "colour 3", "depth"};
    uint64_t source = control & 7;
    return source < sizeof sources / sizeof sources[0] ? sources[source] : NULL;
}
