/* Fields of the microcode's instructions, one instruction at a time, and the tables of operations.
 *
 * Layouts and what the operations compute: xenia src/xenia/gpu/ucode.h (which names the XNA assembler,
 * MSDN and the R400 sequencer specification as its sources), Mesa src/gallium/drivers/freedreno/a2xx/
 * instr-a2xx.h.
 *
 * Choices where those are silent:
 * - An unassigned vector or scalar operation reads nothing and its result is 0.
 * - mulsc, addsc and subsc take the bit that says "source 3 is a temporary" as a bit of the register
 *   number; source 3 is a constant then, for a vector operation beside it too.
 * - While exporting, the bits that make destinations relative do nothing (the scalar one means "write
 *   0 where nothing else is written"). */
#include "ucode.h"

#include <string.h>

static uint32_t bits(uint32_t word, uint32_t low, uint32_t width)
{
    return (word >> low) & ((1u << width) - 1u);
}

static int32_t signed_bits(uint32_t word, uint32_t low, uint32_t width)
{
    uint32_t sign = 1u << (width - 1u);
    return (int32_t)(bits(word, low, width) ^ sign) - (int32_t)sign;
}

/* ---- control flow ---- */

static void decode_exec(uint32_t low, uint32_t high, xenos_cf *out)
{
    out->address = (uint16_t)bits(low, 0, 12);
    out->count = (uint8_t)bits(low, 12, 3);
    out->yield = (uint8_t)bits(low, 15, 1);
    out->sequence = (uint16_t)bits(low, 16, 12);
    out->vertex_cache = (uint8_t)(bits(low, 28, 4) | bits(high, 0, 2) << 4);
    out->absolute = (uint8_t)bits(high, 11, 1);
    switch (out->opcode) {
    case XENOS_CF_EXEC:
    case XENOS_CF_EXEC_END:
        out->clean = (uint8_t)bits(high, 9, 1);
        break;
    case XENOS_CF_COND_EXEC_PRED:
    case XENOS_CF_COND_EXEC_PRED_END:
        out->clean = (uint8_t)bits(high, 9, 1);
        out->condition = (uint8_t)bits(high, 10, 1);
        break;
    default: /* those that ask a bool constant; 13 and 14 differ by being clean */
        out->clean = out->opcode >= XENOS_CF_COND_EXEC_PRED_CLEAN;
        out->boolean = (uint8_t)bits(high, 2, 8);
        out->condition = (uint8_t)bits(high, 10, 1);
        break;
    }
}

static void decode_branch(uint32_t low, uint32_t high, xenos_cf *out)
{
    out->address = (uint16_t)bits(low, 0, 13);
    out->unconditional = (uint8_t)bits(low, 13, 1);
    out->predicated = (uint8_t)bits(low, 14, 1);
    out->boolean = (uint8_t)bits(high, 2, 8);
    out->condition = (uint8_t)bits(high, 10, 1);
    out->absolute = (uint8_t)bits(high, 11, 1);
}

/* `low` has the low 32 of the 48 bits. */
static void decode_cf(uint32_t low, uint32_t high, xenos_cf *out)
{
    *out = (xenos_cf){.opcode = (uint8_t)bits(high, 12, 4)};
    switch (out->opcode) {
    case XENOS_CF_NOP:
    case XENOS_CF_MARK_VS_FETCH_DONE:
        break;
    case XENOS_CF_LOOP_START:
        out->address = (uint16_t)bits(low, 0, 13);
        out->repeat = (uint8_t)bits(low, 13, 1);
        out->loop = (uint8_t)bits(low, 16, 5);
        out->absolute = (uint8_t)bits(high, 11, 1);
        break;
    case XENOS_CF_LOOP_END:
        out->address = (uint16_t)bits(low, 0, 13);
        out->loop = (uint8_t)bits(low, 16, 5);
        out->predicated = (uint8_t)bits(low, 21, 1);
        out->condition = (uint8_t)bits(high, 10, 1);
        out->absolute = (uint8_t)bits(high, 11, 1);
        break;
    case XENOS_CF_COND_CALL:
        decode_branch(low, high, out);
        break;
    case XENOS_CF_COND_JMP:
        decode_branch(low, high, out);
        out->backward = (uint8_t)bits(high, 1, 1);
        break;
    case XENOS_CF_RETURN:
        out->absolute = (uint8_t)bits(high, 11, 1);
        break;
    case XENOS_CF_ALLOC:
        out->alloc_size = (uint8_t)bits(low, 0, 3);
        out->unserialized = (uint8_t)bits(high, 8, 1);
        out->alloc = (uint8_t)bits(high, 9, 2);
        break;
    default:
        decode_exec(low, high, out);
        break;
    }
}

void xenos_cf_decode(const uint32_t words[3], xenos_cf out[2])
{
    decode_cf(words[0], words[1] & 0xFFFFu, &out[0]);
    decode_cf(words[1] >> 16 | words[2] << 16, words[2] >> 16, &out[1]);
}

/* ---- ALU ---- */

static int takes_constant_and_register(uint32_t scalar_opcode)
{
    return scalar_opcode >= XENOS_S_MULSC_0 && scalar_opcode <= XENOS_S_SUBSC_1;
}

/* `constants_before`: an earlier source is a constant. The first constant of an instruction has its own
 * relative bit, all later ones share the other. */
static xenos_source decode_source(const uint32_t words[3], uint32_t number, uint32_t constant,
                                  int constants_before)
{
    uint32_t index = bits(words[2], 16 - 8 * number, 8);
    uint32_t swizzle = bits(words[1], 16 - 8 * number, 8);
    xenos_source source = {
        .constant = (uint8_t)constant,
        .negate = (uint8_t)bits(words[1], 26 - number, 1),
    };
    if (constant) {
        source.index = (uint8_t)index;
        source.absolute = (uint8_t)bits(words[0], 7, 1);
        if (bits(words[1], constants_before ? 30 : 31, 1)) {
            source.relative = bits(words[1], 29, 1) ? XENOS_ADDRESS_A0 : XENOS_ADDRESS_LOOP;
        }
    } else {
        source.index = (uint8_t)bits(index, 0, 6);
        source.relative = bits(index, 6, 1) ? XENOS_ADDRESS_LOOP : XENOS_ADDRESS_ABSOLUTE;
        source.absolute = (uint8_t)bits(index, 7, 1);
    }
    for (uint32_t i = 0; i < 4; i++) { /* swizzles count from the component that reads */
        source.swizzle[i] = (uint8_t)((bits(swizzle, 2 * i, 2) + i) & 3u);
    }
    return source;
}

void xenos_alu_decode(const uint32_t words[3], xenos_alu *out)
{
    uint32_t vector_mask = bits(words[0], 16, 4), scalar_mask = bits(words[0], 20, 4);
    *out = (xenos_alu){
        .vector_opcode = (uint8_t)bits(words[2], 24, 5),
        .scalar_opcode = (uint8_t)bits(words[0], 26, 6),
        .predicated = (uint8_t)bits(words[1], 28, 1),
        .condition = (uint8_t)bits(words[1], 27, 1),
        .exports = (uint8_t)bits(words[0], 15, 1),
        .vector_dest = (uint8_t)bits(words[0], 0, 6),
        .vector_mask = (uint8_t)vector_mask,
        .vector_clamp = (uint8_t)bits(words[0], 24, 1),
        .scalar_dest = (uint8_t)bits(words[0], 8, 6),
        .scalar_mask = (uint8_t)scalar_mask,
        .scalar_clamp = (uint8_t)bits(words[0], 25, 1),
        .raw_vector_mask = (uint8_t)vector_mask,
        .raw_scalar_mask = (uint8_t)scalar_mask,
    };
    if (out->exports) { /* both masks set: 1; none: 0 if the scalar's relative bit is set */
        out->vector_mask = (uint8_t)(vector_mask & ~scalar_mask);
        out->scalar_mask = (uint8_t)(scalar_mask & ~vector_mask);
        out->one_mask = (uint8_t)(vector_mask & scalar_mask);
        out->zero_mask =
            (uint8_t)(bits(words[0], 14, 1) ? 0xFu & ~(vector_mask | scalar_mask) : 0u);
    } else {
        out->vector_relative = (uint8_t)bits(words[0], 6, 1);
        out->scalar_relative = (uint8_t)bits(words[0], 14, 1);
    }

    int mixed = takes_constant_and_register(out->scalar_opcode);
    uint32_t constant[3] = {!bits(words[2], 31, 1), !bits(words[2], 30, 1),
                            mixed || !bits(words[2], 29, 1)};
    out->source[0] = decode_source(words, 0, constant[0], 0);
    out->source[1] = decode_source(words, 1, constant[1], constant[0] != 0);
    out->source[2] = decode_source(words, 2, constant[2], constant[0] || constant[1]);
    if (mixed) {
        xenos_source *temporary = &out->scalar_temporary;
        *temporary = out->source[2];
        temporary->constant = 0;
        temporary->relative = XENOS_ADDRESS_ABSOLUTE;
        temporary->index =
            (uint8_t)((out->scalar_opcode & 1u) | bits(words[2], 29, 1) << 1 | (words[1] & 0x3Cu));
    }
}

/* ---- fetches ---- */

static void decode_vertex_fetch(const uint32_t words[3], xenos_fetch *out)
{
    uint32_t constant = bits(words[0], 20, 5) * 3u + bits(words[0], 25, 2);
    out->constant = (uint8_t)(constant < 96 ? constant : 95); /* 31 * 3 + 3 does not exist */
    out->prefetch = (uint8_t)bits(words[0], 27, 3);
    out->source_swizzle[0] = (uint8_t)bits(words[0], 30, 2);
    out->is_signed = (uint8_t)bits(words[1], 12, 1);
    out->integer = (uint8_t)bits(words[1], 13, 1);
    out->zero_clamp_minus_one_free = (uint8_t)bits(words[1], 14, 1);
    out->round_index = (uint8_t)bits(words[1], 15, 1);
    out->format = (uint8_t)bits(words[1], 16, 6);
    out->exponent = (int8_t)signed_bits(words[1], 24, 6);
    out->mini = (uint8_t)bits(words[1], 30, 1);
    out->stride = (uint8_t)bits(words[2], 0, 8);
    out->offset = signed_bits(words[2], 8, 23);
}

static void decode_texture_fetch(const uint32_t words[3], xenos_fetch *out)
{
    out->valid_only = (uint8_t)bits(words[0], 19, 1);
    out->constant = (uint8_t)bits(words[0], 20, 5);
    out->unnormalized = (uint8_t)bits(words[0], 25, 1);
    for (uint32_t i = 0; i < 3; i++) {
        out->source_swizzle[i] = (uint8_t)bits(words[0], 26 + 2 * i, 2);
    }
    out->mag_filter = (uint8_t)bits(words[1], 12, 2);
    out->min_filter = (uint8_t)bits(words[1], 14, 2);
    out->mip_filter = (uint8_t)bits(words[1], 16, 2);
    out->aniso_filter = (uint8_t)bits(words[1], 18, 3);
    out->arbitrary_filter = (uint8_t)bits(words[1], 21, 3);
    out->vol_mag_filter = (uint8_t)bits(words[1], 24, 2);
    out->vol_min_filter = (uint8_t)bits(words[1], 26, 2);
    out->computed_lod = (uint8_t)bits(words[1], 28, 1);
    out->register_lod = (uint8_t)bits(words[1], 29, 1);
    out->register_gradients = (uint8_t)bits(words[2], 0, 1);
    out->sample_center = (uint8_t)bits(words[2], 1, 1);
    out->lod_bias = (int8_t)signed_bits(words[2], 2, 7);
    out->dimension = (uint8_t)bits(words[2], 14, 2);
    out->offset_x = (int8_t)signed_bits(words[2], 16, 5);
    out->offset_y = (int8_t)signed_bits(words[2], 21, 5);
    out->offset_z = (int8_t)signed_bits(words[2], 26, 5);
}

void xenos_fetch_decode(const uint32_t words[3], xenos_fetch *out)
{
    *out = (xenos_fetch){
        .opcode = (uint8_t)bits(words[0], 0, 5),
        .source = (uint8_t)bits(words[0], 5, 6),
        .source_relative = (uint8_t)bits(words[0], 11, 1),
        .dest = (uint8_t)bits(words[0], 12, 6),
        .dest_relative = (uint8_t)bits(words[0], 18, 1),
        .predicated = (uint8_t)bits(words[1], 31, 1),
        .condition = (uint8_t)bits(words[2], 31, 1),
    };
    for (uint32_t i = 0; i < 4; i++) {
        out->dest_swizzle[i] = (uint8_t)bits(words[1], 3 * i, 3);
    }
    if (out->opcode == XENOS_FETCH_VERTEX) {
        decode_vertex_fetch(words, out);
    } else {
        decode_texture_fetch(words, out);
    }
}

/* ---- tables ---- */

#define A0        XENOS_EFFECT_A0
#define PREDICATE XENOS_EFFECT_PREDICATE
#define KILL      XENOS_EFFECT_KILL

static const xenos_alu_info vector_infos[32] = {
    [XENOS_V_ADD] = {"add", 2, 0, "a + b"},
    [XENOS_V_MUL] = {"mul", 2, 0, "a * b"},
    [XENOS_V_MAX] = {"max", 2, 0, "a >= b ? a : b"},
    [XENOS_V_MIN] = {"min", 2, 0, "a < b ? a : b"},
    [XENOS_V_SEQ] = {"seq", 2, 0, "a == b ? 1 : 0"},
    [XENOS_V_SGT] = {"sgt", 2, 0, "a > b ? 1 : 0"},
    [XENOS_V_SGE] = {"sge", 2, 0, "a >= b ? 1 : 0"},
    [XENOS_V_SNE] = {"sne", 2, 0, "a != b ? 1 : 0"},
    [XENOS_V_FRC] = {"frc", 1, 0, "a - floor(a)"},
    [XENOS_V_TRUNC] = {"trunc", 1, 0, "a toward 0"},
    [XENOS_V_FLOOR] = {"floor", 1, 0, "a toward -infinity"},
    [XENOS_V_MAD] = {"mad", 3, 0, "a * b + c"},
    [XENOS_V_CNDEQ] = {"cndeq", 3, 0, "a == 0 ? b : c"},
    [XENOS_V_CNDGE] = {"cndge", 3, 0, "a >= 0 ? b : c"},
    [XENOS_V_CNDGT] = {"cndgt", 3, 0, "a > 0 ? b : c"},
    [XENOS_V_DP4] = {"dp4", 2, 0, "sum of a * b over xyzw"},
    [XENOS_V_DP3] = {"dp3", 2, 0, "sum of a * b over xyz"},
    [XENOS_V_DP2ADD] = {"dp2add", 3, 0, "sum of a * b over xy, + c.x"},
    [XENOS_V_CUBE] = {"cube", 2, 0, "T, S, 2 * major axis, face of a = .zzxy, b = .yxzz"},
    [XENOS_V_MAX4] = {"max4", 1, 0, "greatest of xyzw"},
    [XENOS_V_SETP_EQ_PUSH] = {"setp_eq_push", 2, PREDICATE, "p0 = a.w == 0 && b.w == 0"},
    [XENOS_V_SETP_NE_PUSH] = {"setp_ne_push", 2, PREDICATE, "p0 = a.w == 0 && b.w != 0"},
    [XENOS_V_SETP_GT_PUSH] = {"setp_gt_push", 2, PREDICATE, "p0 = a.w == 0 && b.w > 0"},
    [XENOS_V_SETP_GE_PUSH] = {"setp_ge_push", 2, PREDICATE, "p0 = a.w == 0 && b.w >= 0"},
    [XENOS_V_KILL_EQ] = {"kill_eq", 2, KILL, "discards if any a == b"},
    [XENOS_V_KILL_GT] = {"kill_gt", 2, KILL, "discards if any a > b"},
    [XENOS_V_KILL_GE] = {"kill_ge", 2, KILL, "discards if any a >= b"},
    [XENOS_V_KILL_NE] = {"kill_ne", 2, KILL, "discards if any a != b"},
    [XENOS_V_DST] = {"dst", 2, 0, "1, a.y * b.y, a.z, b.w"},
    [XENOS_V_MAXA] = {"maxa", 2, A0, "as max; a0 = a.w rounded, in -256..255"},
};

static const xenos_alu_info scalar_infos[64] = {
    [XENOS_S_ADDS] = {"adds", 2, 0, "a + b"},
    [XENOS_S_ADDS_PREV] = {"adds_prev", 1, 0, "a + ps"},
    [XENOS_S_MULS] = {"muls", 2, 0, "a * b"},
    [XENOS_S_MULS_PREV] = {"muls_prev", 1, 0, "a * ps"},
    [XENOS_S_MULS_PREV2] = {"muls_prev2", 2, 0, "a * ps; -FLT_MAX if ps or b is not usable"},
    [XENOS_S_MAXS] = {"maxs", 2, 0, "a >= b ? a : b"},
    [XENOS_S_MINS] = {"mins", 2, 0, "a < b ? a : b"},
    [XENOS_S_SEQS] = {"seqs", 1, 0, "a == 0 ? 1 : 0"},
    [XENOS_S_SGTS] = {"sgts", 1, 0, "a > 0 ? 1 : 0"},
    [XENOS_S_SGES] = {"sges", 1, 0, "a >= 0 ? 1 : 0"},
    [XENOS_S_SNES] = {"snes", 1, 0, "a != 0 ? 1 : 0"},
    [XENOS_S_FRCS] = {"frcs", 1, 0, "a - floor(a)"},
    [XENOS_S_TRUNCS] = {"truncs", 1, 0, "a toward 0"},
    [XENOS_S_FLOORS] = {"floors", 1, 0, "a toward -infinity"},
    [XENOS_S_EXP] = {"exp", 1, 0, "2^a"},
    [XENOS_S_LOGC] = {"logc", 1, 0, "log2(a), -infinity becomes -FLT_MAX"},
    [XENOS_S_LOG] = {"log", 1, 0, "log2(a)"},
    [XENOS_S_RCPC] = {"rcpc", 1, 0, "1 / a, infinities become FLT_MAX"},
    [XENOS_S_RCPF] = {"rcpf", 1, 0, "1 / a, infinities become 0"},
    [XENOS_S_RCP] = {"rcp", 1, 0, "1 / a"},
    [XENOS_S_RSQC] = {"rsqc", 1, 0, "1 / sqrt(a), infinities become FLT_MAX"},
    [XENOS_S_RSQF] = {"rsqf", 1, 0, "1 / sqrt(a), infinities become 0"},
    [XENOS_S_RSQ] = {"rsq", 1, 0, "1 / sqrt(a)"},
    [XENOS_S_MAXAS] = {"maxas", 2, A0, "as maxs; a0 = a rounded, in -256..255"},
    [XENOS_S_MAXASF] = {"maxasf", 2, A0, "as maxs; a0 = floor(a), in -256..255"},
    [XENOS_S_SUBS] = {"subs", 2, 0, "a - b"},
    [XENOS_S_SUBS_PREV] = {"subs_prev", 1, 0, "a - ps"},
    [XENOS_S_SETP_EQ] = {"setp_eq", 1, PREDICATE, "p0 = a == 0; !p0"},
    [XENOS_S_SETP_NE] = {"setp_ne", 1, PREDICATE, "p0 = a != 0; !p0"},
    [XENOS_S_SETP_GT] = {"setp_gt", 1, PREDICATE, "p0 = a > 0; !p0"},
    [XENOS_S_SETP_GE] = {"setp_ge", 1, PREDICATE, "p0 = a >= 0; !p0"},
    [XENOS_S_SETP_INV] = {"setp_inv", 1, PREDICATE, "p0 = a == 1; 0 and 1 change places"},
    [XENOS_S_SETP_POP] = {"setp_pop", 1, PREDICATE, "p0 = a - 1 <= 0; p0 ? 0 : a - 1"},
    [XENOS_S_SETP_CLR] = {"setp_clr", 0, PREDICATE, "p0 = 0; FLT_MAX"},
    [XENOS_S_SETP_RSTR] = {"setp_rstr", 1, PREDICATE, "p0 = a == 0; p0 ? 0 : a"},
    [XENOS_S_KILLS_EQ] = {"kills_eq", 1, KILL, "discards if a == 0"},
    [XENOS_S_KILLS_GT] = {"kills_gt", 1, KILL, "discards if a > 0"},
    [XENOS_S_KILLS_GE] = {"kills_ge", 1, KILL, "discards if a >= 0"},
    [XENOS_S_KILLS_NE] = {"kills_ne", 1, KILL, "discards if a != 0"},
    [XENOS_S_KILLS_ONE] = {"kills_one", 1, KILL, "discards if a == 1"},
    [XENOS_S_SQRT] = {"sqrt", 1, 0, "sqrt(a)"},
    [XENOS_S_MULSC_0] = {"mulsc", 3, 0, "constant.a * register.b"},
    [XENOS_S_MULSC_1] = {"mulsc", 3, 0, "the register's odd numbers"},
    [XENOS_S_ADDSC_0] = {"addsc", 3, 0, "constant.a + register.b"},
    [XENOS_S_ADDSC_1] = {"addsc", 3, 0, "the register's odd numbers"},
    [XENOS_S_SUBSC_0] = {"subsc", 3, 0, "constant.a - register.b"},
    [XENOS_S_SUBSC_1] = {"subsc", 3, 0, "the register's odd numbers"},
    [XENOS_S_SIN] = {"sin", 1, 0, "sin(a)"},
    [XENOS_S_COS] = {"cos", 1, 0, "cos(a)"},
    [XENOS_S_RETAIN_PREV] = {"retain_prev", 0, 0, "ps, and ps stays"},
};

static const char *const fetch_names[32] = {
    [XENOS_FETCH_VERTEX] = "vfetch",
    [XENOS_FETCH_TEXTURE] = "tfetch",
    [XENOS_FETCH_BORDER_FRACTION] = "getBCF",
    [XENOS_FETCH_COMPUTED_LOD] = "getCompTexLOD",
    [XENOS_FETCH_GRADIENTS] = "getGradients",
    [XENOS_FETCH_WEIGHTS] = "getWeights",
    [XENOS_FETCH_SET_LOD] = "setTexLOD",
    [XENOS_FETCH_SET_GRADIENTS_H] = "setGradientH",
    [XENOS_FETCH_SET_GRADIENTS_V] = "setGradientV",
};

static const char *const cf_names[16] = {
    [XENOS_CF_NOP] = "cnop",
    [XENOS_CF_EXEC] = "exec",
    [XENOS_CF_EXEC_END] = "exece",
    [XENOS_CF_COND_EXEC] = "cexec",
    [XENOS_CF_COND_EXEC_END] = "cexece",
    [XENOS_CF_COND_EXEC_PRED] = "exec", /* after (p0) or (!p0) */
    [XENOS_CF_COND_EXEC_PRED_END] = "exece",
    [XENOS_CF_LOOP_START] = "loop",
    [XENOS_CF_LOOP_END] = "endloop",
    [XENOS_CF_COND_CALL] = "ccall",
    [XENOS_CF_RETURN] = "ret",
    [XENOS_CF_COND_JMP] = "cjmp",
    [XENOS_CF_ALLOC] = "alloc",
    [XENOS_CF_COND_EXEC_PRED_CLEAN] = "cexec",
    [XENOS_CF_COND_EXEC_PRED_CLEAN_END] = "cexece",
    [XENOS_CF_MARK_VS_FETCH_DONE] = "vfetchdone",
};

const xenos_alu_info *xenos_vector_info(uint32_t opcode)
{
    return &vector_infos[opcode & 31u];
}

const xenos_alu_info *xenos_scalar_info(uint32_t opcode)
{
    return &scalar_infos[opcode & 63u];
}

const char *xenos_fetch_name(uint32_t opcode)
{
    return fetch_names[opcode & 31u];
}

const char *xenos_cf_name(uint32_t opcode)
{
    return cf_names[opcode & 15u];
}
