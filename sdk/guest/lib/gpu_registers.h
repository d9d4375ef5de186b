/* Numbers of the GPU's registers, packets and fields that gpu.h's functions write. Sources: xenia
 * src/xenia/gpu/{xenos,registers}.h and register_table.inc, Mesa's a2xx.xml. */
#ifndef WEFT_GUEST_GPU_REGISTERS_H
#define WEFT_GUEST_GPU_REGISTERS_H

/* ---- registers --------------------------------------------------------------------------------
 */

enum {
    COHER_SIZE_HOST = 0x0A2F, /* with the two behind it */
    COHER_BASE_HOST = 0x0A30,
    COHER_STATUS_HOST = 0x0A31,

    RB_SURFACE_INFO = 0x2000,
    RB_COLOR_INFO = 0x2001,
    RB_DEPTH_INFO = 0x2002,
    RB_COLOR1_INFO = 0x2003, /* and two behind it */
    PA_SC_SCREEN_SCISSOR_TL = 0x200E,
    PA_SC_WINDOW_OFFSET = 0x2080,
    PA_SC_WINDOW_SCISSOR_TL = 0x2081,
    PA_SC_WINDOW_SCISSOR_BR = 0x2082,
    VGT_MAX_VTX_INDX = 0x2100,
    RB_COLOR_MASK = 0x2104,
    RB_STENCILREFMASK_BF = 0x210C,
    RB_STENCILREFMASK = 0x210D,
    RB_ALPHA_REF = 0x210E,
    PA_CL_VPORT_XSCALE = 0x210F, /* scale and offset of x, y, z */
    SQ_PROGRAM_CNTL = 0x2180,
    SQ_CONTEXT_MISC = 0x2181,
    SQ_INTERPOLATOR_CNTL = 0x2182,
    RB_DEPTHCONTROL = 0x2200,
    RB_BLENDCONTROL0 = 0x2201,
    RB_COLORCONTROL = 0x2202,
    RB_HIZCONTROL = 0x2203,
    PA_CL_CLIP_CNTL = 0x2204,
    PA_SU_SC_MODE_CNTL = 0x2205,
    PA_CL_VTE_CNTL = 0x2206,
    RB_MODECONTROL = 0x2208,
    RB_BLENDCONTROL1 = 0x2209, /* and two behind it */
    PA_SU_POINT_SIZE = 0x2280,
    PA_SC_LINE_CNTL = 0x2300,
    PA_SC_AA_CONFIG = 0x2301,
    PA_SC_AA_MASK = 0x2312,
    RB_COPY_CONTROL = 0x2318,
    RB_COPY_DEST_BASE = 0x2319,
    RB_COPY_DEST_PITCH = 0x231A,
    RB_COPY_DEST_INFO = 0x231B,
    RB_DEPTH_CLEAR = 0x231D,
    RB_COLOR_CLEAR = 0x231E,
    RB_COLOR_CLEAR_LO = 0x231F,
    RB_SAMPLE_COUNT_CTL = 0x2324,
    RB_SAMPLE_COUNT_ADDR = 0x2325,

    CONSTANT_ALU = 0x4000, /* four a constant: 256 of vertex shaders, then 256 of pixel shaders */
    CONSTANT_FETCH = 0x4800,
};

/* ---- packets ----------------------------------------------------------------------------------
 */

#define PACKET0(first, count)  (((count)-1u) << 16 | (first)) /* registers in a row */
#define PACKET2                0x80000000u                    /* one dword of nothing */
#define PACKET3(opcode, count) (0xC0000000u | ((count)-1u) << 16 | (opcode) << 8)

enum {
    PM4_NOP = 0x10,
    PM4_DRAW_INDX = 0x22,
    PM4_IM_LOAD_IMMEDIATE = 0x2B,
    PM4_DRAW_INDX_2 = 0x36,
    PM4_INVALIDATE_STATE = 0x3B,
    PM4_WAIT_REG_MEM = 0x3C,
    PM4_INDIRECT_BUFFER = 0x3F,
    PM4_EVENT_WRITE = 0x46,
    PM4_INTERRUPT = 0x54,
    PM4_EVENT_WRITE_SHD = 0x58,
    PM4_EVENT_WRITE_ZPD = 0x5B,
};

/* Events (xenia xenos.h; 3 and 6 are what Direct3D writes behind its commands and its resolves). */
enum { EVENT_CACHE_FLUSH_TS = 3, EVENT_CACHE_FLUSH = 6, EVENT_ZPASS_DONE = 0x15 };

/* ---- fields -----------------------------------------------------------------------------------
 */

#define ENDIAN_NONE    0u
#define ENDIAN_8_IN_16 1u
#define ENDIAN_8_IN_32 2u

#define STENCIL_BACK  0x80u /* RB_DEPTHCONTROL: back faces have a test of their own */
#define ALPHA_TEST    0x8u  /* RB_COLORCONTROL */
#define ALPHA_TO_MASK 0x10u

#define MODE_COLOR_DEPTH 4u /* RB_MODECONTROL */
#define MODE_COPY        6u

#define DRAW_SOURCE_AUTO 0x80u
#define DRAW_RECTANGLES  8u

#define CLIP_DISABLE  0x00010000u /* PA_CL_CLIP_CNTL */
#define CLIP_DX_SPACE 0x00080000u
#define MODE_WINDOW   0x00010000u /* PA_SU_SC_MODE_CNTL: PA_SC_WINDOW_OFFSET counts */
#define MODE_MSAA     0x00008000u
#define VTE_VIEWPORT  0x0000043Fu /* PA_CL_VTE_CNTL: scale and offset of all; W is W */
#define VTE_SCREEN    0x00000300u /* positions are pixels already */

#define COPY_CONVERT     0x00100000u /* RB_COPY_CONTROL */
#define COPY_NULL        0x00300000u
#define COPY_COLOR_CLEAR 0x00000100u
#define COPY_DEPTH_CLEAR 0x00000200u
#define COPY_SIGNED      0x00002000u /* RB_COPY_DEST_INFO: signed fractions */
#define COPY_SWAP        0x01000000u /* red and blue change places */

#define FETCH_TEXTURE  2u
#define FETCH_VERTEX   3u
#define FETCH_TILED    0x80000000u
#define FETCH_PACKED   0x800u      /* the smallest mips share a tile */
#define FETCH_REQUEST  0x10000000u /* Direct3D sets it in vertex constants */
#define DIMENSION_2D   0x200u
#define DIMENSION_3D   0x400u
#define DIMENSION_CUBE 0x600u

#endif
