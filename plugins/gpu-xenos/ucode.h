/* Shader microcode: what its words mean, decoded once for the interpreter, the disassembler, the
 * assembler and the tools.
 *
 * A shader is an array of 96-bit triples. The first triples hold two control-flow instructions of 48
 * bits each; exec instructions among them name runs of further triples, each a fetch or an ALU
 * instruction as the exec's sequence bits say. Field layouts: xenia src/xenia/gpu/ucode.h, Mesa
 * src/gallium/drivers/freedreno/a2xx/instr-a2xx.h (Adreno 200 is the same family). */
#ifndef XENOS_UCODE_H
#define XENOS_UCODE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { XENOS_STAGE_VERTEX = 0, XENOS_STAGE_PIXEL = 1 };

#define XENOS_TEMPORARIES 64u
#define XENOS_LOOP_DEPTH  4u /* loops, and calls, inside each other */

/* ---- control flow ---- */

enum {
    XENOS_CF_NOP = 0,
    XENOS_CF_EXEC = 1,
    XENOS_CF_EXEC_END = 2,
    XENOS_CF_COND_EXEC = 3, /* if bool constant == condition */
    XENOS_CF_COND_EXEC_END = 4,
    XENOS_CF_COND_EXEC_PRED = 5, /* if predicate == condition */
    XENOS_CF_COND_EXEC_PRED_END = 6,
    XENOS_CF_LOOP_START = 7,
    XENOS_CF_LOOP_END = 8,
    XENOS_CF_COND_CALL = 9,
    XENOS_CF_RETURN = 10,
    XENOS_CF_COND_JMP = 11,
    XENOS_CF_ALLOC = 12,
    XENOS_CF_COND_EXEC_PRED_CLEAN = 13,
    XENOS_CF_COND_EXEC_PRED_CLEAN_END = 14,
    XENOS_CF_MARK_VS_FETCH_DONE = 15,
};

enum {
    XENOS_ALLOC_NONE = 0,
    XENOS_ALLOC_POSITION = 1,
    XENOS_ALLOC_PARAMETERS = 2, /* interpolators of a vertex shader, colours of a pixel shader */
    XENOS_ALLOC_MEMORY = 3,
};

/* One control-flow instruction. Fields that its opcode does not have are 0. */
typedef struct xenos_cf {
    uint8_t opcode;        /* XENOS_CF_* */
    uint8_t absolute;      /* addressing mode: 0 relative, 1 absolute */
    uint8_t count;         /* exec: triples, 0..7 */
    uint8_t yield;         /* exec */
    uint8_t boolean;       /* conditional exec, call, jump: bool constant 0..255 */
    uint8_t condition;     /* the value that is asked for */
    uint8_t clean;         /* exec: the predicate is clean */
    uint8_t predicated;    /* call, jump, loop end: asks the predicate, not the bool constant */
    uint8_t unconditional; /* call, jump */
    uint8_t backward;      /* jump: the direction bit */
    uint8_t loop;          /* loop constant 0..31 */
    uint8_t repeat;        /* loop start */
    uint8_t alloc;         /* XENOS_ALLOC_* */
    uint8_t alloc_size;    /* memory: eM registers; else mostly 0 */
    uint8_t unserialized;  /* alloc */
    uint8_t vertex_cache;  /* exec: a bit per triple */
    uint16_t sequence;     /* exec: 2 bits per triple: bit 0 fetch, bit 1 serialize */
    uint16_t address;      /* exec: triple; jump, call, loop: control-flow instruction */
    uint32_t first;        /* exec: its first entry in xenos_program.instructions */
} xenos_cf;

/* ---- ALU ---- */

enum {
    XENOS_V_ADD,
    XENOS_V_MUL,
    XENOS_V_MAX,
    XENOS_V_MIN,
    XENOS_V_SEQ,
    XENOS_V_SGT,
    XENOS_V_SGE,
    XENOS_V_SNE,
    XENOS_V_FRC,
    XENOS_V_TRUNC,
    XENOS_V_FLOOR,
    XENOS_V_MAD,
    XENOS_V_CNDEQ,
    XENOS_V_CNDGE,
    XENOS_V_CNDGT,
    XENOS_V_DP4,
    XENOS_V_DP3,
    XENOS_V_DP2ADD,
    XENOS_V_CUBE,
    XENOS_V_MAX4,
    XENOS_V_SETP_EQ_PUSH,
    XENOS_V_SETP_NE_PUSH,
    XENOS_V_SETP_GT_PUSH,
    XENOS_V_SETP_GE_PUSH,
    XENOS_V_KILL_EQ,
    XENOS_V_KILL_GT,
    XENOS_V_KILL_GE,
    XENOS_V_KILL_NE,
    XENOS_V_DST,
    XENOS_V_MAXA,
    XENOS_V_COUNT,
};

enum {
    XENOS_S_ADDS,
    XENOS_S_ADDS_PREV,
    XENOS_S_MULS,
    XENOS_S_MULS_PREV,
    XENOS_S_MULS_PREV2,
    XENOS_S_MAXS,
    XENOS_S_MINS,
    XENOS_S_SEQS,
    XENOS_S_SGTS,
    XENOS_S_SGES,
    XENOS_S_SNES,
    XENOS_S_FRCS,
    XENOS_S_TRUNCS,
    XENOS_S_FLOORS,
    XENOS_S_EXP,
    XENOS_S_LOGC,
    XENOS_S_LOG,
    XENOS_S_RCPC,
    XENOS_S_RCPF,
    XENOS_S_RCP,
    XENOS_S_RSQC,
    XENOS_S_RSQF,
    XENOS_S_RSQ,
    XENOS_S_MAXAS,
    XENOS_S_MAXASF,
    XENOS_S_SUBS,
    XENOS_S_SUBS_PREV,
    XENOS_S_SETP_EQ,
    XENOS_S_SETP_NE,
    XENOS_S_SETP_GT,
    XENOS_S_SETP_GE,
    XENOS_S_SETP_INV,
    XENOS_S_SETP_POP,
    XENOS_S_SETP_CLR,
    XENOS_S_SETP_RSTR,
    XENOS_S_KILLS_EQ,
    XENOS_S_KILLS_GT,
    XENOS_S_KILLS_GE,
    XENOS_S_KILLS_NE,
    XENOS_S_KILLS_ONE,
    XENOS_S_SQRT,
    XENOS_S_MULSC_0 = 42,
    XENOS_S_MULSC_1,
    XENOS_S_ADDSC_0,
    XENOS_S_ADDSC_1,
    XENOS_S_SUBSC_0,
    XENOS_S_SUBSC_1,
    XENOS_S_SIN,
    XENOS_S_COS,
    XENOS_S_RETAIN_PREV,
    XENOS_S_COUNT,
};

/* What a register or constant index is added to. */
enum { XENOS_ADDRESS_ABSOLUTE = 0, XENOS_ADDRESS_LOOP = 1 /* aL */, XENOS_ADDRESS_A0 = 2 };

/* An operand. Order of the modifiers: swizzle, |x|, -x. */
typedef struct xenos_source {
    uint8_t constant; /* 0: temporary r0..r63; 1: float constant c0..c255 of the stage */
    uint8_t index;
    uint8_t relative; /* XENOS_ADDRESS_*; temporaries only know aL */
    uint8_t absolute; /* |x| */
    uint8_t negate;
    uint8_t swizzle[4]; /* component 0..3 that x, y, z, w read */
} xenos_source;

/* Export registers (of xenos_alu.vector_dest while `exports`). */
enum {
    XENOS_EXPORT_PARAMETER0 = 0, /* vertex: interpolators 0..15; pixel: colours 0..3 */
    XENOS_EXPORT_ADDRESS = 32,   /* eA of a memory export */
    XENOS_EXPORT_DATA0 = 33,     /* eM0..eM4 */
    XENOS_EXPORT_DEPTH = 61,     /* pixel: x */
    XENOS_EXPORT_POSITION = 62,  /* vertex */
    XENOS_EXPORT_MISC = 63,      /* vertex: x point size, y edge flag, z kill flag */
};

/* A vector and a scalar operation that are issued together. Both read their operands before either
 * writes. A mask is of the components that the operation itself writes, bit 0 x. */
typedef struct xenos_alu {
    uint8_t vector_opcode, scalar_opcode;
    uint8_t predicated, condition; /* runs where predicate == condition */
    uint8_t exports; /* both write export register vector_dest instead of temporaries */
    uint8_t vector_dest, vector_relative, vector_mask, vector_clamp; /* relative: + aL */
    uint8_t scalar_dest, scalar_relative, scalar_mask, scalar_clamp; /* clamp: to 0..1 */
    uint8_t zero_mask, one_mask; /* exports: components that get the constants 0 and 1 */
    uint8_t raw_vector_mask, raw_scalar_mask; /* as encoded, for the disassembler */
    xenos_source source[3]; /* of the vector operation; most scalar ones read source[2]: a is its
                               swizzle[3], b its swizzle[0] */
    xenos_source scalar_temporary; /* mulsc, addsc, subsc: the second operand (b = swizzle[0]); the
                                      first is source[2] as a constant, a = swizzle[3] */
} xenos_alu;

/* ---- fetches ---- */

enum {
    XENOS_FETCH_VERTEX = 0,
    XENOS_FETCH_TEXTURE = 1,
    XENOS_FETCH_BORDER_FRACTION = 16,
    XENOS_FETCH_COMPUTED_LOD = 17,
    XENOS_FETCH_GRADIENTS = 18,
    XENOS_FETCH_WEIGHTS = 19,
    XENOS_FETCH_SET_LOD = 24,
    XENOS_FETCH_SET_GRADIENTS_H = 25,
    XENOS_FETCH_SET_GRADIENTS_V = 26,
};

/* A fetch's destination swizzle: component, constant, or nothing written. */
enum { XENOS_SWIZZLE_0 = 4, XENOS_SWIZZLE_1 = 5, XENOS_SWIZZLE_KEEP = 7 };

/* Filters: 3 everywhere (aniso: 7) takes the fetch constant's. */
enum {
    XENOS_FILTER_POINT = 0,
    XENOS_FILTER_LINEAR = 1,
    XENOS_FILTER_BASE_MAP = 2,
    XENOS_FILTER_CONSTANT = 3,
    XENOS_ANISO_CONSTANT = 7
};

enum {
    XENOS_DIMENSION_1D = 0,
    XENOS_DIMENSION_2D = 1,
    XENOS_DIMENSION_3D = 2 /* or stacked */,
    XENOS_DIMENSION_CUBE = 3
};

typedef struct xenos_fetch {
    uint8_t opcode; /* XENOS_FETCH_* */
    uint8_t predicated, condition;
    uint8_t dest, dest_relative; /* relative: + aL */
    uint8_t dest_swizzle[4];     /* 0..3 component of the result, 4, 5 or 7 as above */
    uint8_t source, source_relative;
    uint8_t source_swizzle[3]; /* components of the source; a vertex fetch uses the first */
    uint8_t constant;          /* vertex fetch constant 0..95, texture fetch constant 0..31 */

    /* vertex fetches */
    uint8_t mini;   /* address, constant and stride are those of the last full fetch */
    uint8_t format; /* XENOS_VERTEX_* of format.h */
    uint8_t is_signed;
    uint8_t integer;                   /* num_format: not normalised */
    uint8_t zero_clamp_minus_one_free; /* signed_rf_mode: 0 zero clamp -1, 1 no zero */
    uint8_t round_index;               /* floor(index + 0.5) instead of floor(index) */
    uint8_t stride;                    /* dwords */
    uint8_t prefetch;                  /* count less 1 */
    int8_t exponent;                   /* result times 2^exponent */
    int32_t offset;                    /* dwords */

    /* texture fetches */
    uint8_t dimension; /* XENOS_DIMENSION_* */
    uint8_t valid_only;
    uint8_t unnormalized;
    uint8_t mag_filter, min_filter, mip_filter, aniso_filter, arbitrary_filter;
    uint8_t vol_mag_filter, vol_min_filter;
    uint8_t computed_lod, register_lod, register_gradients;
    uint8_t sample_center;               /* sample_location: 0 centroid, 1 center */
    int8_t lod_bias;                     /* 1/16 */
    int8_t offset_x, offset_y, offset_z; /* half texels */
} xenos_fetch;

enum { XENOS_KIND_ALU = 0, XENOS_KIND_FETCH = 1 };

typedef struct xenos_instruction {
    uint8_t kind;      /* XENOS_KIND_* */
    uint8_t serialize; /* waits for what was fetched */
    uint16_t address;  /* triple */
    union {
        xenos_alu alu;
        xenos_fetch fetch;
    };
} xenos_instruction;

/* ---- a whole shader ---- */

typedef struct xenos_program {
    uint32_t stage;  /* XENOS_STAGE_* */
    uint32_t dwords; /* of `code`, a multiple of 3 after decoding (a rest is dropped) */
    uint64_t hash;   /* XXH3 of the code as big-endian bytes */
    const uint32_t *code;
    uint32_t cf_count;
    uint32_t instruction_count;
    const xenos_cf *cf;
    const xenos_instruction *instructions; /* those of each exec behind one another */

    /* What it uses; relative addressing counts as everything of the kind. */
    uint32_t temporaries;       /* highest register touched + 1 */
    uint64_t exports;           /* bit n: export register n is written somewhere */
    uint32_t textures;          /* texture fetch constants */
    uint32_t vertex_fetches[3]; /* vertex fetch constants, 96 bits */
    uint8_t kills;              /* has an operation that can discard a pixel */
    uint8_t memory_export;
    uint8_t gradients; /* some fetch depends on neighbouring pixels */
    uint8_t relative_constants;
} xenos_program;

/* Decodes `dwords` words in host order. Whatever they hold gives a program: control flow ends at the
 * first exec that ends the shader or where the first exec's triples begin, and execs that leave the
 * code are cut. NULL only without memory. The caller frees with xenos_program_free. */
xenos_program *xenos_program_new(uint32_t stage, const uint32_t *code, uint32_t dwords);
void xenos_program_free(xenos_program *program);

/* One instruction each; `words` are three dwords. Control flow: two out of a triple. */
void xenos_cf_decode(const uint32_t words[3], xenos_cf out[2]);
void xenos_alu_decode(const uint32_t words[3], xenos_alu *out);
void xenos_fetch_decode(const uint32_t words[3], xenos_fetch *out);

/* Rows by opcode; name NULL where the number means nothing. */
typedef struct xenos_alu_info {
    const char *name;
    uint8_t operands;   /* vector: 1..3; scalar: 0, 1 (a), 2 (a and b), 3 (constant and register) */
    uint8_t effects;    /* XENOS_EFFECT_* */
    const char *remark; /* what it computes */
} xenos_alu_info;
#define XENOS_EFFECT_A0        1u
#define XENOS_EFFECT_PREDICATE 2u
#define XENOS_EFFECT_KILL      4u
const xenos_alu_info *xenos_vector_info(uint32_t opcode); /* below 32 */
const xenos_alu_info *xenos_scalar_info(uint32_t opcode); /* below 64 */
const char *xenos_fetch_name(uint32_t opcode);            /* below 32 */
const char *xenos_cf_name(uint32_t opcode);               /* below 16 */

/* Writes the listing, in the syntax that docs/ucode.md describes and the assembler reads. */
void xenos_disassemble(const xenos_program *program, FILE *out);

/* Assembles a listing. Returns the words (free() them), sets stage and count; NULL with a message
 * "line N: what (found X, expected Y)" in `error`. */
uint32_t *xenos_assemble(const char *text, size_t length, uint32_t *stage, uint32_t *dwords,
                         char error[256]);

/* The constants of a listing's lines "def cN, x, y, z, w", which xenos_assemble passes over: they are
 * no microcode, the loader sets them. 0 with a message as above. */
typedef struct xenos_constant {
    uint32_t index;
    uint32_t bits[4]; /* of x, y, z, w as IEEE single */
} xenos_constant;
int xenos_assemble_constants(const char *text, size_t length, xenos_constant constants[256],
                             uint32_t *count, char error[256]);

#endif
