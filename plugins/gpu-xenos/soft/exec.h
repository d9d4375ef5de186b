/* The shader processor: runs decoded microcode for sixteen lanes at a time.
 *
 * Arithmetic as the console's documents say it (ucode.h's sources): 0 * anything is +0, denormals are
 * flushed to zero of their sign on the way in and out, multiply and add round separately, exp2, log2,
 * sin, cos and reciprocal roots come from our own polynomials, never from libm. Whatever NaN arithmetic
 * meets or makes, it gives the one with all bits set; moves, selections and fetches keep a NaN's bits. */
#ifndef SOFT_EXEC_H
#define SOFT_EXEC_H

#include "../draw.h"
#include "lanes.h"

struct soft_texture;

/* A program made ready to run: one for each xenos_program, read-only, shared by workers. Lives no
 * longer than the xenos_program. NULL: no memory. */
typedef struct soft_program soft_program;
soft_program *soft_program_new(const xenos_program *program);
void soft_program_free(soft_program *program);

/* Constants that the program names, each component in all lanes: made once a draw. At most this many,
 * and how many there are. */
#define SOFT_SPLATS 1024u
uint32_t soft_program_splats(const soft_program *program);

/* What all lanes of a draw share. */
typedef struct soft_stage {
    const xenos_program *program;
    const soft_program *code;  /* of `program`; NULL: made ready at every call, which is slow */
    const uint32_t *registers; /* bool, loop and vertex fetch constants */
    const xenos_memory *memory;
    const struct soft_texture *const *textures; /* 32; prepared for those the program uses */
    const soft_vec4
        *splats; /* as soft_splat_constants left them; NULL: made at every call, which is slow */
    uint32_t
        constant_base; /* first float constant of the stage (SQ_VS_CONST, SQ_PS_CONST), 0..511 */
    uint32_t constant_count; /* those beyond read as 0 */
} soft_stage;

/* Writes the splats of `code`: soft_program_splats of them, aligned to 64 bytes. */
void soft_splat_constants(const soft_stage *stage, soft_vec4 *splats);

/* Sixteen lanes on their way. Big: keep one per worker. */
typedef struct soft_group {
    soft_vec4 r[XENOS_TEMPORARIES]; /* in: inputs; the caller sets those it has, the rest are 0 */
    soft_vec4 exports[64]; /* out, by export register: 0 where the program did not get to it;
                              registers that it writes nowhere are left alone */
    uint64_t exported;     /* out: bit n, some lane wrote export register n */
    soft_mask active;      /* in: lanes that run, whole quads for pixels */
    soft_mask real; /* in: lanes that count; the others only feed gradients and export no memory */
    soft_mask killed;  /* out */
    uint64_t executed; /* adds up: instructions; a texture fetch counts as SOFT_FETCH_COST */
    uint64_t limit;    /* lanes stop when `executed` has reached it; 0: none */
} soft_group;

static inline int soft_group_done(const soft_group *group)
{
    return group->limit != 0 && group->executed >= group->limit;
}

/* Runs the program to its end for each lane as if it were alone. A lane that has executed
 * SOFT_EXEC_LIMIT control-flow instructions (or came together with one that has) stops there: a
 * console would hang. Memory exports write at once and call memory->written:
 * a program with memory_export runs on one worker, group after group. */
#define SOFT_EXEC_LIMIT 65536u
#define SOFT_FETCH_COST 64u
void soft_exec(const soft_stage *stage, soft_group *group);

#endif
