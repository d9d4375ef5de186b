/* Between the files of the shader processor: a program made ready to run, and sixteen lanes that run
 * it. */
#ifndef SOFT_EXEC_PRIVATE_H
#define SOFT_EXEC_PRIVATE_H

#include "exec.h"
#include "part.h"
#include "texture.h"

/* ---- what a program becomes ---- */

typedef enum soft_source_kind {
    SOFT_TEMPORARY,
    SOFT_TEMPORARY_LOOP, /* r[aL + n] */
    SOFT_CONSTANT,
    SOFT_CONSTANT_LOOP, /* c[aL + n] */
    SOFT_CONSTANT_A0,   /* c[a0 + n] */
} soft_source_kind;

/* An operand. Its components stand at base + at[place], where the base is the temporaries or the
 * program's splats (exec.h); what does not stand there is put together first. */
typedef struct soft_source {
    uint8_t kind;
    uint8_t index;
    uint8_t copied;        /* a temporary whose modifiers the kernel does not apply */
    uint8_t plain;         /* the kernel reads it where it is */
    uint8_t splat;         /* it stands among the splats */
    uint16_t component[4]; /* by place in the call, the swizzle applied */
    uint16_t at[4];        /* of a plain one */
    uint32_t keep, flip;   /* |x| and -x: bits = (bits & keep) ^ flip */
} soft_source;

/* A vector operation's call. Component-wise kernels get the written components in a row, others x, y,
 * z, w. */
typedef struct soft_call {
    const soft_f *base[3];
    const uint16_t *at[3];    /* from the base */
    const uint32_t *sign;     /* kernels with signs: xor, by operand */
    soft_f *out;              /* a register's x */
    const uint8_t *component; /* of it, that are written */
    uint32_t count;           /* of those */
    soft_mask flag;           /* out: the predicate, or who is killed */
    int32_t a0[SOFT_LANES];   /* out: of maxa */
} soft_call;

typedef struct soft_scalar_call {
    const part_f *a, *b;
    const part_f *ps;
    part_f *out;
    soft_mask flag;
    int32_t a0[SOFT_LANES];
} soft_scalar_call;

typedef void soft_vector_kernel(soft_call *call);
typedef void soft_scalar_kernel(soft_scalar_call *call);

typedef struct soft_alu {
    soft_vector_kernel *vector; /* NULL: nothing to do */
    soft_scalar_kernel *scalar; /* NULL: ps stays */
    uint8_t predicated, condition, exports;
    uint8_t vector_dest, vector_relative, vector_clamp, vector_count, vector_effect;
    uint8_t scalar_dest, scalar_relative, scalar_clamp, scalar_mask, scalar_effect;
    uint8_t zero_mask, one_mask;
    uint8_t operands, scalar_operands;
    uint8_t places; /* components of the vector operation's operands */
    uint8_t detour; /* the scalar operation reads what the vector one writes */
    uint8_t simple; /* a vector operation alone, in all lanes, to components named here */
    uint8_t with_signs;
    uint8_t component[4];
    uint32_t sign[3];
    soft_source source[3];
    soft_source scalar_source[2]; /* a, b: component[0] */
} soft_alu;

typedef struct soft_operation {
    uint8_t fetches;
    union {
        soft_alu alu;
        xenos_fetch fetch;
    };
} soft_operation;

struct soft_program {
    const xenos_cf *cf;
    uint32_t cf_count;
    uint32_t operation_count;
    uint64_t exports; /* registers that something writes */
    /* Components that may be read before they are written: register * 4 + component. */
    uint32_t input_count;
    uint8_t inputs[XENOS_TEMPORARIES * 4];
    int memory_export;
    int addresses; /* vertex fetches: they keep addresses */
    int registers; /* texture fetches that something else sets up */
    /* 0: there are jumps or conditions; else the control flow that runs, from the first on. */
    uint32_t straight;
    uint64_t whole; /* exports of which it writes all, always */
    /* Constants that operands name without an address register, each with its modifiers: number,
     * 0x100: absolute, 0x200: negative. */
    uint32_t splat_count;
    uint16_t splats[SOFT_SPLATS];
    int repeats; /* some loop goes on counting where the last one at its depth stopped */
    soft_operation operations[];
};

/* Makes an instruction ready; constants get their places in the program. */
void soft_alu_prepare(const xenos_alu *alu, soft_program *program, soft_alu *out);

/* ---- lanes under way ---- */

typedef struct soft_machine {
    const soft_stage *stage;
    soft_group *group;
    const soft_f *splats;
    int memory_export;
    soft_mask all; /* lanes that were active at the start: nobody looks at the others */
    soft_mask predicate;
    int32_t loop_address; /* aL of the lanes that run */
    int32_t a0[SOFT_LANES];
    soft_mask written[5]; /* eM0..eM4 since the last memory export */
    soft_f ps;
    soft_fetch_state fetch;               /* 0 at the start, where the program wants it */
    int64_t vertex_address[SOFT_LANES];   /* dwords: what mini fetches start from */
    uint8_t vertex_constant[SOFT_LANES];  /* of the last full fetch */
    soft_vec4 scratch[3], result, scalar; /* operands, and results on their way */
} soft_machine;

/* A constant of the stage, flushed, with modifiers. */
typedef uint32_t soft_constant __attribute__((vector_size(16)));
soft_constant soft_constant_of(const soft_stage *stage, int32_t index, uint32_t keep,
                               uint32_t flip);

/* Runs operations from `at` on that are simple, for all lanes; returns the first that is not. */
const soft_operation *soft_alu_run_simple(soft_machine *m, const soft_operation *at,
                                          const soft_operation *end);
/* Both execute one instruction for the lanes of `mask`, which is not empty. */
void soft_alu_run(soft_machine *m, const soft_alu *alu, soft_mask mask);
void soft_fetch_run(soft_machine *m, const xenos_fetch *fetch, soft_mask mask);

/* Writes out what the lanes of `mask` exported to memory since the last time. */
void soft_memory_export(soft_machine *m, soft_mask mask);

/* Lanes of a predicated instruction. */
SOFT_INLINE soft_mask soft_predicated(const soft_machine *m, uint32_t predicated,
                                      uint32_t condition, soft_mask mask)
{
    return predicated ? mask & (condition ? m->predicate : ~m->predicate) : mask;
}

SOFT_INLINE uint32_t soft_temporary(const soft_machine *m, uint32_t index, uint32_t relative)
{
    return (index + (relative ? (uint32_t)m->loop_address : 0u)) & (XENOS_TEMPORARIES - 1u);
}

#endif
