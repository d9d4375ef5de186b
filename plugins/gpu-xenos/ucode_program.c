/* A whole shader: where its control flow ends, the instructions of its execs, and what it uses.
 *
 * The words do not say how many control-flow instructions there are. As in freedreno and xenia the
 * triples of the lowest exec end them; what stands behind the exec that ends the shader belongs to them
 * still (subroutines live there). A shader whose execs are all empty ends at the first exece. */
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "ucode_text.h"

/* Exec addresses have 12 bits, jumps 13 (two to a triple): more code cannot be reached. */
#define TRIPLES_MAX 4096u

static uint32_t count_cfs(const uint32_t *code, uint32_t triples)
{
    uint32_t bound = triples, empty_end = UINT32_MAX;
    for (uint32_t i = 0; i < bound; i++) {
        xenos_cf pair[2];
        xenos_cf_decode(code + 3 * i, pair);
        for (uint32_t j = 0; j < 2; j++) {
            if (!ucode_is_exec(pair[j].opcode)) {
                continue;
            }
            if (pair[j].count != 0) { /* an exec of control-flow triples does not take them away */
                uint32_t address = pair[j].address > i ? pair[j].address : i + 1;
                bound = address < bound ? address : bound;
            } else if (pair[j].opcode == XENOS_CF_EXEC_END && empty_end == UINT32_MAX) {
                empty_end = 2 * i + j + 1;
            }
        }
    }
    return bound == triples && empty_end < 2 * bound ? empty_end : 2 * bound;
}

static void touch(xenos_program *program, uint32_t index, uint32_t relative)
{
    uint32_t end = relative ? XENOS_TEMPORARIES : index + 1;
    program->temporaries = end > program->temporaries ? end : program->temporaries;
}

static void analyse_source(xenos_program *program, const xenos_source *source)
{
    if (source->constant) {
        program->relative_constants |= source->relative != XENOS_ADDRESS_ABSOLUTE;
    } else {
        touch(program, source->index, source->relative);
    }
}

static void analyse_alu(xenos_program *program, const xenos_alu *alu)
{
    const xenos_alu_info *vector = xenos_vector_info(alu->vector_opcode);
    const xenos_alu_info *scalar = xenos_scalar_info(alu->scalar_opcode);
    if ((vector->effects | scalar->effects) & XENOS_EFFECT_KILL) {
        program->kills = 1;
    }
    if (alu->vector_mask != 0 || vector->effects != 0) {
        for (uint32_t i = 0; i < vector->operands; i++) {
            analyse_source(program, &alu->source[i]);
        }
    }
    if (scalar->operands != 0) { /* whatever the mask: it is the next one's ps */
        analyse_source(program, &alu->source[2]);
    }
    if (scalar->operands == 3) {
        analyse_source(program, &alu->scalar_temporary);
    }
    if (alu->exports) {
        if (alu->vector_mask | alu->scalar_mask | alu->zero_mask | alu->one_mask) {
            program->exports |= UINT64_C(1) << alu->vector_dest;
            if (alu->vector_dest >= XENOS_EXPORT_DATA0 &&
                alu->vector_dest < XENOS_EXPORT_DATA0 + 5) {
                program->memory_export = 1;
            }
        }
        return;
    }
    if (alu->vector_mask != 0) {
        touch(program, alu->vector_dest, alu->vector_relative);
    }
    if (alu->scalar_mask != 0) {
        touch(program, alu->scalar_dest, alu->scalar_relative);
    }
}

static void analyse_fetch(xenos_program *program, const xenos_fetch *fetch)
{
    if (xenos_fetch_name(fetch->opcode) == NULL) {
        return;
    }
    touch(program, fetch->source, fetch->source_relative);
    if (fetch->opcode < XENOS_FETCH_SET_LOD) {
        touch(program, fetch->dest, fetch->dest_relative);
    }
    switch (fetch->opcode) {
    case XENOS_FETCH_VERTEX:
        program->vertex_fetches[fetch->constant / 32] |= 1u << fetch->constant % 32;
        break;
    case XENOS_FETCH_TEXTURE:
    case XENOS_FETCH_BORDER_FRACTION:
    case XENOS_FETCH_WEIGHTS:
        program->textures |= 1u << fetch->constant;
        program->gradients |= program->stage == XENOS_STAGE_PIXEL && fetch->computed_lod &&
                              !fetch->register_gradients;
        break;
    case XENOS_FETCH_COMPUTED_LOD:
        program->textures |= 1u << fetch->constant;
        program->gradients |= program->stage == XENOS_STAGE_PIXEL && !fetch->register_gradients;
        break;
    case XENOS_FETCH_GRADIENTS:
        program->textures |= 1u << fetch->constant;
        program->gradients |= program->stage == XENOS_STAGE_PIXEL;
        break;
    default:
        break;
    }
}

/* What a mini fetch takes from the full one before it, in the order of the words. */
static void complete_mini(xenos_fetch *mini, const xenos_fetch *full)
{
    mini->source = full->source;
    mini->source_relative = full->source_relative;
    mini->source_swizzle[0] = full->source_swizzle[0];
    mini->constant = full->constant;
    mini->stride = full->stride;
    mini->round_index = full->round_index;
}

static void decode_execs(xenos_program *program, xenos_cf *cfs, xenos_instruction *instructions)
{
    const xenos_fetch *full = NULL;
    uint32_t next = 0;
    for (uint32_t i = 0; i < program->cf_count; i++) {
        xenos_cf *cf = &cfs[i];
        cf->first = next;
        for (uint32_t j = 0; j < cf->count; j++) {
            xenos_instruction *instruction = &instructions[next++];
            instruction->address = (uint16_t)(cf->address + j);
            const uint32_t *words = program->code + 3 * (size_t)instruction->address;
            uint32_t sequence = (uint32_t)cf->sequence >> 2 * j;
            instruction->kind = sequence & 1 ? XENOS_KIND_FETCH : XENOS_KIND_ALU;
            instruction->serialize = sequence >> 1 & 1;
            if (instruction->kind == XENOS_KIND_ALU) {
                xenos_alu_decode(words, &instruction->alu);
                analyse_alu(program, &instruction->alu);
                continue;
            }
            xenos_fetch *fetch = &instruction->fetch;
            xenos_fetch_decode(words, fetch);
            if (fetch->opcode == XENOS_FETCH_VERTEX) {
                if (!fetch->mini) {
                    full = fetch;
                } else if (full != NULL) {
                    complete_mini(fetch, full);
                }
            }
            analyse_fetch(program, fetch);
        }
    }
}

xenos_program *xenos_program_new(uint32_t stage, const uint32_t *code, uint32_t dwords)
{
    uint32_t triples = dwords / 3 < TRIPLES_MAX ? dwords / 3 : TRIPLES_MAX;
    uint32_t cf_count = count_cfs(code, triples);
    uint32_t instruction_count = 0;
    xenos_cf *cfs = calloc(cf_count + 1, sizeof *cfs); /* the last pair may be cut in half */
    uint32_t *copy = malloc((triples ? triples : 1) * 12u);
    uint32_t *big = malloc((triples ? triples : 1) * 12u);
    xenos_program *program = calloc(1, sizeof *program);
    xenos_instruction *instructions = NULL;
    if (cfs != NULL && copy != NULL && big != NULL && program != NULL) {
        for (uint32_t i = 0; i < cf_count; i += 2) {
            xenos_cf_decode(code + 3 * (i / 2), &cfs[i]);
        }
        for (uint32_t i = 0; i < cf_count; i++) {
            uint32_t room = cfs[i].address < triples ? triples - cfs[i].address : 0;
            if (cfs[i].count > room) {
                cfs[i].count = (uint8_t)room;
            }
            instruction_count += cfs[i].count;
        }
        instructions = calloc(instruction_count + 1, sizeof *instructions);
    }
    if (instructions == NULL) {
        free(cfs);
        free(copy);
        free(big);
        free(program);
        return NULL;
    }
    for (uint32_t i = 0; i < 3 * triples; i++) {
        copy[i] = code[i];
        uint8_t bytes[4] = {(uint8_t)(code[i] >> 24), (uint8_t)(code[i] >> 16),
                            (uint8_t)(code[i] >> 8), (uint8_t)code[i]};
        memcpy(&big[i], bytes, 4);
    }
    *program = (xenos_program){
        .stage = stage,
        .dwords = 3 * triples,
        .hash = XXH3_64bits(big, 12 * (size_t)triples),
        .code = copy,
        .cf_count = cf_count,
        .instruction_count = instruction_count,
        .cf = cfs,
        .instructions = instructions,
    };
    free(big);
    decode_execs(program, cfs, instructions);
    return program;
}

void xenos_program_free(xenos_program *program)
{
    if (program != NULL) {
        free((void *)program->code);
        free((void *)program->cf);
        free((void *)program->instructions);
        free(program);
    }
}
