/* Control flow. Lanes that stand at the same place with the same loops and calls behind them are a
 * flow; a condition on the predicate splits one, and the flow at the lowest instruction goes first, so
 * that those ahead wait where paths join again.
 *
 * Choices where the documents (ucode.h of xenia) are silent or differ:
 * - A predicate is asked for each lane alone: the console enters an exec if any of 64 lanes passes, but
 *   its compilers predicate the instructions inside as well.
 * - aL outside of loops is 0; a loop inside four others is skipped; a call inside four others is not
 *   made; leaving a loop or a subroutine where there is none does nothing.
 * - Control flow that leaves the program ends it. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "exec_private.h"

/* ---- making ready ---- */

/* Components of temporaries that are certainly written when an instruction runs. */
typedef struct reach {
    soft_program *program;
    uint8_t written[XENOS_TEMPORARIES];
    uint8_t inputs[XENOS_TEMPORARIES];
    uint8_t exported[64];
} reach;

static void read_component(reach *r, uint32_t index, uint32_t relative, uint32_t component)
{
    uint32_t first = relative ? 0 : index & (XENOS_TEMPORARIES - 1u);
    uint32_t last = relative ? XENOS_TEMPORARIES - 1u : first;
    for (uint32_t i = first; i <= last; i++) {
        r->inputs[i] |= (uint8_t)(1u << component & ~(uint32_t)r->written[i]);
    }
}

static void read_source(reach *r, const soft_source *source, uint32_t count)
{
    if (source->kind == SOFT_TEMPORARY || source->kind == SOFT_TEMPORARY_LOOP) {
        for (uint32_t j = 0; j < count; j++) {
            read_component(r, source->index, source->kind == SOFT_TEMPORARY_LOOP,
                           source->component[j]);
        }
    }
}

/* `certain`: the instruction runs in all lanes. */
static void reach_alu(reach *r, const soft_alu *alu, int certain)
{
    for (uint32_t n = 0; n < alu->operands; n++) {
        read_source(r, &alu->source[n], alu->places);
    }
    for (uint32_t n = 0; n < alu->scalar_operands; n++) {
        read_source(r, &alu->scalar_source[n], 1);
    }
    if (alu->exports) {
        if (alu->vector_count != 0 || (alu->scalar_mask | alu->zero_mask | alu->one_mask) != 0) {
            r->program->exports |= UINT64_C(1) << alu->vector_dest;
        }
        uint8_t *exported = &r->exported[alu->vector_dest];
        for (uint32_t j = 0; j < alu->vector_count && certain && !alu->predicated; j++) {
            *exported |= (uint8_t)(1u << alu->component[j]);
        }
        if (certain && !alu->predicated) {
            *exported |= alu->scalar_mask | alu->zero_mask | alu->one_mask;
        }
        return;
    }
    if (!certain || alu->predicated) {
        return;
    }
    for (uint32_t j = 0; j < alu->vector_count && !alu->vector_relative; j++) {
        r->written[alu->vector_dest] |= (uint8_t)(1u << alu->component[j]);
    }
    if (!alu->scalar_relative) {
        r->written[alu->scalar_dest] |= alu->scalar_mask;
    }
}

static void reach_fetch(reach *r, const xenos_fetch *fetch, int certain)
{
    r->program->addresses |= fetch->opcode == XENOS_FETCH_VERTEX;
    r->program->registers |=
        fetch->opcode != XENOS_FETCH_VERTEX &&
        (fetch->register_lod || fetch->register_gradients || fetch->opcode >= XENOS_FETCH_SET_LOD);
    uint32_t sources = fetch->opcode == XENOS_FETCH_VERTEX ? 1 : 3;
    for (uint32_t c = 0; c < sources && !fetch->mini; c++) {
        read_component(r, fetch->source, fetch->source_relative, fetch->source_swizzle[c] & 3u);
    }
    if (!certain || fetch->predicated || fetch->dest_relative ||
        fetch->opcode >= XENOS_FETCH_SET_LOD || xenos_fetch_name(fetch->opcode) == NULL) {
        return;
    }
    for (uint32_t c = 0; c < 4; c++) {
        if (fetch->dest_swizzle[c] != XENOS_SWIZZLE_KEEP) {
            r->written[fetch->dest & (XENOS_TEMPORARIES - 1u)] |= (uint8_t)(1u << c);
        }
    }
}

/* Walks the program in the order of its words; once something jumps, nothing more is certain. */
static void find_inputs(soft_program *program)
{
    reach r = {.program = program};
    int certain = 1;
    for (uint32_t n = 0; n < program->cf_count; n++) {
        const xenos_cf *cf = &program->cf[n];
        switch (cf->opcode) {
        case XENOS_CF_NOP:
        case XENOS_CF_ALLOC:
        case XENOS_CF_MARK_VS_FETCH_DONE:
            continue;
        case XENOS_CF_EXEC:
        case XENOS_CF_EXEC_END:
        case XENOS_CF_COND_EXEC:
        case XENOS_CF_COND_EXEC_PRED:
        case XENOS_CF_COND_EXEC_PRED_CLEAN:
        case XENOS_CF_COND_EXEC_END:
        case XENOS_CF_COND_EXEC_PRED_END:
        case XENOS_CF_COND_EXEC_PRED_CLEAN_END:
            break;
        default:
            program->repeats |= cf->opcode == XENOS_CF_LOOP_START && cf->repeat;
            certain = 0;
            continue;
        }
        int runs = certain && (cf->opcode == XENOS_CF_EXEC || cf->opcode == XENOS_CF_EXEC_END);
        for (uint32_t i = 0; i < cf->count && cf->first + i < program->operation_count; i++) {
            const soft_operation *operation = &program->operations[cf->first + i];
            if (operation->fetches) {
                reach_fetch(&r, &operation->fetch, runs);
            } else {
                reach_alu(&r, &operation->alu, runs);
            }
        }
    }
    for (uint32_t n = 0; n < 64; n++) {
        program->whole |= (uint64_t)(r.exported[n] == 15) << n;
    }
    for (uint32_t n = 0; n < XENOS_TEMPORARIES * 4; n++) {
        if (r.inputs[n / 4] >> n % 4 & 1) {
            program->inputs[program->input_count++] = (uint8_t)n;
        }
    }
}

/* Control flow up to the end of a program that always takes the same way, 0 for others. */
static uint32_t straight(const soft_program *program)
{
    for (uint32_t n = 0; n < program->cf_count && n < SOFT_EXEC_LIMIT; n++) {
        switch (program->cf[n].opcode) {
        case XENOS_CF_NOP:
        case XENOS_CF_EXEC:
        case XENOS_CF_ALLOC:
        case XENOS_CF_MARK_VS_FETCH_DONE:
            continue;
        case XENOS_CF_EXEC_END:
            return n + 1;
        default:
            return 0;
        }
    }
    return 0;
}

soft_program *soft_program_new(const xenos_program *program)
{
    soft_program *out =
        calloc(1, sizeof *out + program->instruction_count * sizeof out->operations[0]);
    if (out == NULL) {
        return NULL;
    }
    out->cf = program->cf;
    out->cf_count = program->cf_count;
    out->operation_count = program->instruction_count;
    for (uint32_t i = 0; i < program->instruction_count; i++) {
        const xenos_instruction *instruction = &program->instructions[i];
        if (instruction->kind == XENOS_KIND_FETCH) {
            out->operations[i].fetches = 1;
            out->operations[i].fetch = instruction->fetch;
        } else {
            soft_alu_prepare(&instruction->alu, out, &out->operations[i].alu);
        }
    }
    find_inputs(out);
    out->memory_export = (out->exports >> XENOS_EXPORT_DATA0 & 0x1Fu) != 0;
    out->straight = out->memory_export ? 0 : straight(out);
    return out;
}

uint32_t soft_program_splats(const soft_program *program)
{
    return program->splat_count;
}

void soft_splat_constants(const soft_stage *stage, soft_vec4 *splats)
{
    const soft_program *program = stage->code;
    for (uint32_t n = 0; n < program->splat_count; n++) {
        uint32_t named = program->splats[n];
        soft_constant value = soft_constant_of(stage, (int32_t)(named & 0xFFu),
                                               named & 0x100u ? 0x7FFFFFFFu : UINT32_MAX,
                                               named & 0x200u ? 0x80000000u : 0);
        for (uint32_t c = 0; c < 4; c++) {
            for (int i = 0; i < SOFT_PARTS; i++) {
                ((part_f *)&splats[n].c[c])[i] = part_splat(value[c]);
            }
        }
    }
}

void soft_program_free(soft_program *program)
{
    free(program);
}

/* ---- flows ---- */

typedef struct flow {
    soft_mask mask;
    uint32_t at; /* control-flow instruction */
    uint32_t steps;
    uint8_t loops, calls; /* depths */
    uint8_t iteration[XENOS_LOOP_DEPTH];
    uint32_t constant[XENOS_LOOP_DEPTH]; /* of each loop */
    uint32_t back[XENOS_LOOP_DEPTH];     /* of each call */
} flow;

/* aL of the innermost loop: start + step * iteration, in -256..256 (xenia xenos.h, LoopConstant). */
static int32_t loop_address(const flow *f)
{
    if (f->loops == 0) {
        return 0;
    }
    uint32_t constant = f->constant[f->loops - 1];
    int32_t step = (int32_t)(constant >> 16 & 0x7Fu) - (int32_t)(constant >> 16 & 0x80u);
    int32_t address = (int32_t)(constant >> 8 & 0xFFu) + step * (int32_t)f->iteration[f->loops - 1];
    return address < -256 ? -256 : address > 256 ? 256 : address;
}

/* Counts of loops that were left matter only to programs that take them up again. */
static int same_place(const flow *a, const flow *b, int repeats)
{
    return a->at == b->at && a->loops == b->loops && a->calls == b->calls &&
           memcmp(a->iteration, b->iteration, repeats ? XENOS_LOOP_DEPTH : a->loops) == 0 &&
           memcmp(a->constant, b->constant, a->loops * sizeof a->constant[0]) == 0 &&
           memcmp(a->back, b->back, a->calls * sizeof a->back[0]) == 0;
}

static int boolean(const soft_stage *stage, uint32_t number)
{
    return stage->registers[XENOS_CONSTANT_BOOL + number / 32u] >> number % 32u & 1u;
}

/* Lanes that take a conditional call or jump. */
static soft_mask taken(const soft_machine *m, const flow *f, const xenos_cf *cf)
{
    if (cf->unconditional) {
        return f->mask;
    }
    if (cf->predicated) {
        return f->mask & (cf->condition ? m->predicate : ~m->predicate);
    }
    return boolean(m->stage, cf->boolean) == cf->condition ? f->mask : 0;
}

/* Lanes that an exec is for. */
static soft_mask asked(const soft_machine *m, const flow *f, const xenos_cf *cf)
{
    switch (cf->opcode) {
    case XENOS_CF_EXEC:
    case XENOS_CF_EXEC_END:
        return f->mask;
    case XENOS_CF_COND_EXEC_PRED:
    case XENOS_CF_COND_EXEC_PRED_END:
        return f->mask & (cf->condition ? m->predicate : ~m->predicate);
    default:
        return boolean(m->stage, cf->boolean) == cf->condition ? f->mask : 0;
    }
}

static void run_operations(soft_machine *m, const soft_program *program, const xenos_cf *cf,
                           soft_mask mask)
{
    uint32_t room = cf->first < program->operation_count ? program->operation_count - cf->first : 0;
    uint32_t count = cf->count < room ? cf->count : room;
    const soft_operation *operation = &program->operations[room != 0 ? cf->first : 0];
    const soft_operation *end = operation + count;
    while (operation < end) {
        if (mask == m->all) {
            operation = soft_alu_run_simple(m, operation, end);
            if (operation == end) {
                break;
            }
        }
        if (operation->fetches) {
            soft_fetch_run(m, &operation->fetch, mask);
        } else {
            soft_alu_run(m, &operation->alu, mask);
        }
        operation++;
    }
    m->group->executed += count;
}

static void loop_start(const soft_stage *stage, flow *f, const xenos_cf *cf)
{
    uint32_t constant = stage->registers[XENOS_CONSTANT_LOOP + (cf->loop & 31u)];
    if (f->loops == XENOS_LOOP_DEPTH) {
        f->at = cf->address;
        return;
    }
    if (!cf->repeat) {
        f->iteration[f->loops] = 0;
    }
    if (f->iteration[f->loops] >= (constant & 0xFFu)) {
        f->at = cf->address;
        return;
    }
    f->constant[f->loops++] = constant;
    f->at++;
}

/* Returns the lanes that leave the loop. The count goes up before anything is asked. */
static soft_mask loop_end(const soft_machine *m, flow *f, const xenos_cf *cf)
{
    if (f->loops == 0) {
        return f->mask;
    }
    uint32_t level = f->loops - 1u;
    f->iteration[level]++;
    if (f->iteration[level] >= (f->constant[level] & 0xFFu)) {
        return f->mask;
    }
    return cf->predicated ? f->mask & (cf->condition ? m->predicate : ~m->predicate) : 0;
}

typedef struct flows {
    flow f[SOFT_LANES];
    uint32_t count;
} flows;

/* Cuts the lanes of `mask` out of a flow into one of their own, which is returned; the flow itself if
 * all of its lanes are meant. */
static flow *split(flows *all, flow *f, soft_mask mask)
{
    if (mask == f->mask) {
        return f;
    }
    flow *out = &all->f[all->count++]; /* each flow has a lane, so there is room */
    *out = *f;
    out->mask = mask;
    f->mask &= ~mask;
    return out;
}

static void step(soft_machine *m, const soft_program *program, flows *all, flow *f)
{
    const xenos_cf *cf = &program->cf[f->at];
    switch (cf->opcode) {
    case XENOS_CF_EXEC:
    case XENOS_CF_EXEC_END:
    case XENOS_CF_COND_EXEC:
    case XENOS_CF_COND_EXEC_END:
    case XENOS_CF_COND_EXEC_PRED:
    case XENOS_CF_COND_EXEC_PRED_END:
    case XENOS_CF_COND_EXEC_PRED_CLEAN:
    case XENOS_CF_COND_EXEC_PRED_CLEAN_END: {
        soft_mask mask = asked(m, f, cf);
        int ends = cf->opcode == XENOS_CF_EXEC_END || cf->opcode == XENOS_CF_COND_EXEC_END ||
                   cf->opcode == XENOS_CF_COND_EXEC_PRED_END ||
                   cf->opcode == XENOS_CF_COND_EXEC_PRED_CLEAN_END;
        if (mask != 0) {
            run_operations(m, program, cf, mask);
        }
        f->at++;
        if (ends && mask != 0) {
            split(all, f, mask)->at = UINT32_MAX;
        }
        return;
    }
    case XENOS_CF_LOOP_START:
        loop_start(m->stage, f, cf);
        return;
    case XENOS_CF_LOOP_END: {
        soft_mask leave = loop_end(m, f, cf);
        uint32_t next = f->at + 1;
        f->at = cf->address;
        if (leave != 0) {
            flow *out = split(all, f, leave);
            out->at = next;
            out->loops -= out->loops != 0;
        }
        return;
    }
    case XENOS_CF_COND_CALL:
    case XENOS_CF_COND_JMP: {
        soft_mask mask = taken(m, f, cf);
        int calls = cf->opcode == XENOS_CF_COND_CALL;
        f->at++;
        if (mask == 0 || (calls && f->calls == XENOS_LOOP_DEPTH)) {
            return;
        }
        flow *out = split(all, f, mask);
        if (calls) {
            out->back[out->calls++] = out->at;
        }
        out->at = cf->address;
        return;
    }
    case XENOS_CF_RETURN:
        f->at = f->calls != 0 ? f->back[--f->calls] : f->at + 1;
        return;
    case XENOS_CF_ALLOC:
        if (m->memory_export) {
            soft_memory_export(m, f->mask);
        }
        f->at++;
        return;
    default:
        f->at++;
        return;
    }
}

/* The flow that goes next, after those that stand at its place have joined it. */
static flow *next_flow(flows *all, int repeats)
{
    flow *lowest = &all->f[0]; /* the first of those at its place: it does not move */
    for (uint32_t i = 1; i < all->count; i++) {
        lowest = all->f[i].at < lowest->at ? &all->f[i] : lowest;
    }
    for (uint32_t i = 0; i < all->count;) {
        flow *other = &all->f[i];
        if (other != lowest && same_place(other, lowest, repeats)) {
            lowest->mask |= other->mask;
            lowest->steps = other->steps > lowest->steps ? other->steps : lowest->steps;
            *other = all->f[--all->count];
        } else {
            i++;
        }
    }
    return lowest;
}

static void run(soft_machine *m, const soft_program *program)
{
    flows all;
    all.count = 1;
    all.f[0] = (flow){.mask = m->all};
    while (all.count != 0) {
        flow *f = all.count == 1 ? &all.f[0] : next_flow(&all, program->repeats);
        if (f->at >= program->cf_count || f->steps >= SOFT_EXEC_LIMIT ||
            soft_group_done(m->group)) {
            if (m->memory_export) {
                soft_memory_export(m, f->mask);
            }
            all.count--;
            if (f != &all.f[all.count]) {
                *f = all.f[all.count];
            }
            continue;
        }
        f->steps++;
        m->loop_address = loop_address(f);
        step(m, program, &all, f);
    }
}

static void run_straight(soft_machine *m, const soft_program *program)
{
    for (uint32_t n = 0; n < program->straight; n++) {
        const xenos_cf *cf = &program->cf[n];
        if (cf->opcode == XENOS_CF_EXEC || cf->opcode == XENOS_CF_EXEC_END) {
            run_operations(m, program, cf, m->all);
        }
    }
}

static void run_prepared(const soft_stage *stage, const soft_program *program,
                         const soft_vec4 *splats, soft_group *group)
{
    soft_machine m;
    memset(&m, 0, offsetof(soft_machine, fetch));
    if (program->registers) {
        memset(&m.fetch, 0, sizeof m.fetch);
    }
    if (program->addresses) {
        memset(m.vertex_address, 0, sizeof m.vertex_address);
        memset(m.vertex_constant, 0, sizeof m.vertex_constant);
    }
    m.stage = stage;
    m.group = group;
    m.splats = (const soft_f *)splats;
    m.memory_export = program->memory_export;
    m.all = group->active & SOFT_ALL;
    m.fetch.vertices = stage->program->stage == XENOS_STAGE_VERTEX;
    group->exported = 0;
    group->killed = 0;
    for (uint64_t left = program->exports & ~program->whole; left != 0; left &= left - 1) {
        group->exports[__builtin_ctzll(left)] = (soft_vec4){0};
    }
    for (uint32_t n = 0; n < program->input_count; n++) {
        part_f *value = (part_f *)&group->r[program->inputs[n] / 4].c[program->inputs[n] % 4];
        for (int i = 0; i < SOFT_PARTS; i++) {
            value[i] = part_flush(value[i]);
        }
    }
    if (m.all == 0) {
        return;
    }
    if (program->straight != 0) {
        run_straight(&m, program);
    } else {
        run(&m, program);
    }
}

/* Makes ready what the caller did not. */
static void run_unprepared(const soft_stage *given, soft_group *group)
{
    soft_stage stage = *given;
    soft_program *own = stage.code == NULL ? soft_program_new(stage.program) : NULL;
    stage.code = stage.code != NULL ? stage.code : own;
    soft_vec4 *splats = stage.code != NULL ? aligned_alloc(64, SOFT_SPLATS * sizeof *splats) : NULL;
    if (splats != NULL) {
        soft_splat_constants(&stage, splats);
        run_prepared(&stage, stage.code, splats, group);
    }
    free(splats);
    soft_program_free(own);
}

void soft_exec(const soft_stage *stage, soft_group *group)
{
    if (stage->code != NULL && stage->splats != NULL) {
        run_prepared(stage, stage->code, stage->splats, group);
    } else {
        run_unprepared(stage, group);
    }
}
