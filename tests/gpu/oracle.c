#include "oracle.h"

#include <float.h>
#include <math.h>
#include <string.h>

typedef struct state {
    const oracle_stage *stage;
    oracle_lane *lane;
    int predicate, a0;
    float ps;
    int loops, calls;
    uint32_t loop_constant[4];
    int iteration[4];
    uint32_t back[4];
    int64_t vertex_address;
    uint32_t vertex_constant;
} state;

static uint32_t bits_of(float v)
{
    uint32_t b;
    memcpy(&b, &v, 4);
    return b;
}

static float float_of(uint32_t b)
{
    float v;
    memcpy(&v, &b, 4);
    return v;
}

/* Denormals do not exist. */
static float flush(float v)
{
    return fpclassify(v) == FP_SUBNORMAL ? copysignf(0.0f, v) : v;
}

/* The result of arithmetic, from a wider type that holds it exactly or nearly. */
static float settle(long double wide)
{
    float v = (float)wide;
    return isnan(v) ? float_of(UINT32_MAX) : flush(v);
}

/* Single-precision steps: sums and products of floats are exact in 64-bit mantissas or lose only what
 * cannot change the rounding to 24 bits. */
static float times(float a, float b)
{
    return a == 0 || b == 0 ? 0.0f : (float)((double)a * (double)b);
}

static float plus(float a, float b)
{
    volatile float sum = a + b;
    return sum;
}

/* ---- operands ---- */

static int loop_register(const state *s)
{
    if (s->loops == 0) {
        return 0;
    }
    uint32_t constant = s->loop_constant[s->loops - 1];
    int value =
        (int)(constant >> 8 & 255) + s->iteration[s->loops - 1] * (int8_t)(uint8_t)(constant >> 16);
    return value < -256 ? -256 : value > 256 ? 256 : value;
}

static void operand(const state *s, const xenos_source *source, float out[4])
{
    float whole[4] = {0, 0, 0, 0};
    int index = source->index;
    if (source->constant) {
        index += source->relative == XENOS_ADDRESS_A0     ? s->a0
                 : source->relative == XENOS_ADDRESS_LOOP ? loop_register(s)
                                                          : 0;
        int inside = index >= 0 && index < (int)s->stage->constant_count &&
                     index + (int)s->stage->constant_base < 512;
        for (int c = 0; c < 4 && inside; c++) {
            whole[c] = float_of(
                s->stage->registers[0x4000 + 4 * (index + (int)s->stage->constant_base) + c]);
        }
    } else {
        index += source->relative ? loop_register(s) : 0;
        memcpy(whole, s->lane->r[index & 63], sizeof whole);
    }
    for (int c = 0; c < 4; c++) {
        float v = flush(whole[source->swizzle[c]]);
        uint32_t b = bits_of(v);
        b &= source->absolute ? 0x7FFFFFFFu : UINT32_MAX;
        b ^= source->negate ? 0x80000000u : 0;
        out[c] = float_of(b);
    }
}

static int address_of(float v, double bias)
{
    double x = !(v >= -256.0f) ? -256.0 : v > 255.0f ? 255.0 : v;
    return (int)floor(x + bias);
}

/* ---- operations ---- */

static float floor_of(float v)
{
    return floorf(v);
}

static int compare(int kind, float a, float b)
{
    return kind == 0 ? a == b : kind == 1 ? a > b : kind == 2 ? a >= b : a != b;
}

static void cube(const float a[4], float d[4])
{
    float x = a[2], y = a[3], z = a[0], major;
    if (fabsf(z) >= fabsf(x) && fabsf(z) >= fabsf(y)) {
        d[0] = -y;
        d[1] = z < 0 ? -x : x;
        major = z;
        d[3] = z < 0 ? 5 : 4;
    } else if (fabsf(y) >= fabsf(x)) {
        d[0] = y < 0 ? -z : z;
        d[1] = x;
        major = y;
        d[3] = y < 0 ? 3 : 2;
    } else {
        d[0] = -y;
        d[1] = x < 0 ? z : -z;
        major = x;
        d[3] = x < 0 ? 1 : 0;
    }
    d[2] = settle((long double)major * 2);
}

static void replicate(float d[4], float v)
{
    d[0] = d[1] = d[2] = d[3] = v;
}

static float largest(const float a[4])
{
    if (a[0] >= a[1] && a[0] >= a[2] && a[0] >= a[3]) {
        return a[0];
    }
    if (a[1] >= a[2] && a[1] >= a[3]) {
        return a[1];
    }
    return a[2] >= a[3] ? a[2] : a[3];
}

/* Of the operations that work on each component alone. */
static float component(int opcode, float a, float b, float c)
{
    switch (opcode) {
    case XENOS_V_ADD:
        return settle(plus(a, b));
    case XENOS_V_MUL:
        return settle(times(a, b));
    case XENOS_V_MAX:
    case XENOS_V_MAXA:
        return a >= b ? a : b;
    case XENOS_V_MIN:
        return a < b ? a : b;
    case XENOS_V_SEQ:
        return a == b;
    case XENOS_V_SGT:
        return a > b;
    case XENOS_V_SGE:
        return a >= b;
    case XENOS_V_SNE:
        return a != b;
    case XENOS_V_FRC:
        return settle(plus(a, -floor_of(a)));
    case XENOS_V_TRUNC:
        return settle(a >= 0 ? floor_of(a) : -floor_of(-a));
    case XENOS_V_FLOOR:
        return settle(floor_of(a));
    case XENOS_V_MAD:
        return settle(plus(times(a, b), c));
    case XENOS_V_CNDEQ:
        return a == 0 ? b : c;
    case XENOS_V_CNDGE:
        return a >= 0 ? b : c;
    case XENOS_V_CNDGT:
        return a > 0 ? b : c;
    default:
        return 0;
    }
}

static void vector(const state *s, const xenos_alu *alu, float d[4], state *after)
{
    float a[4], b[4], c[4];
    operand(s, &alu->source[0], a);
    operand(s, &alu->source[1], b);
    operand(s, &alu->source[2], c);
    int opcode = alu->vector_opcode;
    switch (opcode) {
    case XENOS_V_DP4:
        replicate(d,
                  settle(plus(plus(plus(times(a[0], b[0]), times(a[1], b[1])), times(a[2], b[2])),
                              times(a[3], b[3]))));
        return;
    case XENOS_V_DP3:
        replicate(d, settle(plus(plus(times(a[0], b[0]), times(a[1], b[1])), times(a[2], b[2]))));
        return;
    case XENOS_V_DP2ADD:
        replicate(d, settle(plus(plus(times(a[0], b[0]), times(a[1], b[1])), c[0])));
        return;
    case XENOS_V_CUBE:
        cube(a, d);
        return;
    case XENOS_V_MAX4:
        replicate(d, largest(a));
        return;
    case XENOS_V_SETP_EQ_PUSH:
    case XENOS_V_SETP_NE_PUSH:
    case XENOS_V_SETP_GT_PUSH:
    case XENOS_V_SETP_GE_PUSH: {
        static const int kinds[4] = {0, 3, 1, 2};
        int kind = kinds[opcode - XENOS_V_SETP_EQ_PUSH];
        after->predicate = a[3] == 0 && compare(kind, b[3], 0);
        replicate(d, a[0] == 0 && compare(kind, b[0], 0) ? 0.0f : settle(plus(a[0], 1)));
        return;
    }
    case XENOS_V_KILL_EQ:
    case XENOS_V_KILL_GT:
    case XENOS_V_KILL_GE:
    case XENOS_V_KILL_NE: {
        int any = 0;
        for (int i = 0; i < 4; i++) {
            any |= compare(opcode - XENOS_V_KILL_EQ, a[i], b[i]);
        }
        after->lane->killed |= any && s->stage->program->stage == XENOS_STAGE_PIXEL;
        replicate(d, (float)any);
        return;
    }
    case XENOS_V_DST:
        d[0] = 1;
        d[1] = settle(times(a[1], b[1]));
        d[2] = a[2];
        d[3] = b[3];
        return;
    default:
        if (opcode == XENOS_V_MAXA) {
            after->a0 = address_of(a[3], 0.5);
        }
        for (int i = 0; i < 4; i++) {
            d[i] = component(opcode, a[i], b[i], c[i]);
        }
        return;
    }
}

static float no_infinity(float v, float instead)
{
    return isinf(v) ? copysignf(instead, v) : v;
}

static float set_predicate(state *after, int value, float otherwise)
{
    after->predicate = value;
    return value ? 0.0f : otherwise;
}

static float kill_if(const state *s, state *after, int value)
{
    after->lane->killed |= value && s->stage->program->stage == XENOS_STAGE_PIXEL;
    return (float)value;
}

static float logarithm(float a)
{
    return a == 0 ? -INFINITY : a < 0 ? float_of(UINT32_MAX) : settle(log2l(a));
}

static float root(float a)
{
    return a < 0 ? float_of(UINT32_MAX) : settle(1.0L / sqrtl(a));
}

static float scalar(const state *s, const xenos_alu *alu, state *after)
{
    float v[4], t[4];
    operand(s, &alu->source[2], v);
    int opcode = alu->scalar_opcode;
    float a = v[3], b = v[0], ps = s->ps;
    if (opcode >= XENOS_S_MULSC_0 && opcode <= XENOS_S_SUBSC_1) {
        operand(s, &alu->scalar_temporary, t);
        b = t[0];
    }
    switch (opcode) {
    case XENOS_S_ADDS:
    case XENOS_S_ADDSC_0:
    case XENOS_S_ADDSC_1:
        return settle(plus(a, b));
    case XENOS_S_ADDS_PREV:
        return settle(plus(a, ps));
    case XENOS_S_MULS:
    case XENOS_S_MULSC_0:
    case XENOS_S_MULSC_1:
        return settle(times(a, b));
    case XENOS_S_MULS_PREV:
        return settle(times(a, ps));
    case XENOS_S_MULS_PREV2:
        return ps == -FLT_MAX || !isfinite(ps) || !isfinite(b) || b <= 0 ? -FLT_MAX
                                                                         : settle(times(a, ps));
    case XENOS_S_MAXAS:
    case XENOS_S_MAXASF:
        after->a0 = address_of(a, opcode == XENOS_S_MAXAS ? 0.5 : 0.0);
        return a >= b ? a : b;
    case XENOS_S_MAXS:
        return a >= b ? a : b;
    case XENOS_S_MINS:
        return a < b ? a : b;
    case XENOS_S_SEQS:
        return a == 0;
    case XENOS_S_SGTS:
        return a > 0;
    case XENOS_S_SGES:
        return a >= 0;
    case XENOS_S_SNES:
        return a != 0;
    case XENOS_S_FRCS:
        return settle(plus(a, -floor_of(a)));
    case XENOS_S_TRUNCS:
        return settle(a >= 0 ? floor_of(a) : -floor_of(-a));
    case XENOS_S_FLOORS:
        return settle(floor_of(a));
    case XENOS_S_EXP:
        return settle(exp2l(a) < FLT_MIN ? 0.0L : exp2l(a));
    case XENOS_S_LOGC:
        return logarithm(a) == -INFINITY ? -FLT_MAX : logarithm(a);
    case XENOS_S_LOG:
        return logarithm(a);
    case XENOS_S_RCPC:
        return no_infinity(settle(1.0L / a), FLT_MAX);
    case XENOS_S_RCPF:
        return no_infinity(settle(1.0L / a), 0);
    case XENOS_S_RCP:
        return settle(1.0L / a);
    case XENOS_S_RSQC:
        return no_infinity(root(a), FLT_MAX);
    case XENOS_S_RSQF:
        return no_infinity(root(a), 0);
    case XENOS_S_RSQ:
        return root(a);
    case XENOS_S_SUBS:
    case XENOS_S_SUBSC_0:
    case XENOS_S_SUBSC_1:
        return settle(plus(a, -b));
    case XENOS_S_SUBS_PREV:
        return settle(plus(a, -ps));
    case XENOS_S_SETP_EQ:
        return set_predicate(after, a == 0, 1);
    case XENOS_S_SETP_NE:
        return set_predicate(after, a != 0, 1);
    case XENOS_S_SETP_GT:
        return set_predicate(after, a > 0, 1);
    case XENOS_S_SETP_GE:
        return set_predicate(after, a >= 0, 1);
    case XENOS_S_SETP_INV:
        return set_predicate(after, a == 1, a == 0 ? 1 : a);
    case XENOS_S_SETP_POP:
        return set_predicate(after, a - 1 <= 0, settle(plus(a, -1)));
    case XENOS_S_SETP_CLR:
        return set_predicate(after, 0, FLT_MAX);
    case XENOS_S_SETP_RSTR:
        return set_predicate(after, a == 0, a);
    case XENOS_S_KILLS_EQ:
        return kill_if(s, after, a == 0);
    case XENOS_S_KILLS_GT:
        return kill_if(s, after, a > 0);
    case XENOS_S_KILLS_GE:
        return kill_if(s, after, a >= 0);
    case XENOS_S_KILLS_NE:
        return kill_if(s, after, a != 0);
    case XENOS_S_KILLS_ONE:
        return kill_if(s, after, a == 1);
    case XENOS_S_SQRT:
        return a < 0 ? float_of(UINT32_MAX) : settle(sqrtl(a));
    case XENOS_S_SIN:
        return a == 0 ? a : settle(sinl(a));
    case XENOS_S_COS:
        return settle(cosl(a));
    case XENOS_S_RETAIN_PREV:
        return ps;
    default:
        return 0;
    }
}

static float clamp(float v, int wanted)
{
    return !wanted ? v : v > 0 ? (v < 1 ? v : 1.0f) : 0.0f;
}

static void run_alu(state *s, const xenos_alu *alu)
{
    if (alu->predicated && alu->condition != s->predicate) {
        return;
    }
    state before = *s, after_vector = *s, after_scalar = *s;
    float v[4] = {0, 0, 0, 0};
    vector(&before, alu, v, &after_vector);
    float p = scalar(&before, alu, &after_scalar);
    uint32_t vector_effects = xenos_vector_info(alu->vector_opcode)->effects;
    uint32_t scalar_effects = xenos_scalar_info(alu->scalar_opcode)->effects;
    s->predicate = scalar_effects & XENOS_EFFECT_PREDICATE   ? after_scalar.predicate
                   : vector_effects & XENOS_EFFECT_PREDICATE ? after_vector.predicate
                                                             : s->predicate;
    s->a0 = scalar_effects & XENOS_EFFECT_A0   ? after_scalar.a0
            : vector_effects & XENOS_EFFECT_A0 ? after_vector.a0
                                               : s->a0;
    s->ps = p;
    int aL = loop_register(s);
    float *vector_to = s->lane->r[(alu->vector_dest + (alu->vector_relative ? aL : 0)) & 63];
    float *scalar_to = s->lane->r[(alu->scalar_dest + (alu->scalar_relative ? aL : 0)) & 63];
    if (alu->exports) {
        vector_to = scalar_to = s->lane->exports[alu->vector_dest];
        if (alu->vector_mask | alu->scalar_mask | alu->zero_mask | alu->one_mask) {
            s->lane->exported |= UINT64_C(1) << alu->vector_dest;
        }
    }
    for (int c = 0; c < 4; c++) {
        if (alu->vector_mask >> c & 1) {
            vector_to[c] = clamp(v[c], alu->vector_clamp);
        }
        if (alu->scalar_mask >> c & 1) {
            scalar_to[c] = clamp(p, alu->scalar_clamp);
        }
        if (alu->exports && alu->one_mask >> c & 1) {
            vector_to[c] = 1;
        }
        if (alu->exports && alu->zero_mask >> c & 1) {
            vector_to[c] = 0;
        }
    }
}

/* ---- vertex fetches ---- */

static float integer_field(const xenos_fetch *fetch, uint32_t field, uint32_t width)
{
    if (!fetch->is_signed) {
        return (float)(fetch->integer ? (long double)field
                                      : (long double)field / (powl(2, (int)width) - 1));
    }
    long double v = field >= (1u << (width - 1)) ? (long double)field - powl(2, (int)width) : field;
    if (fetch->integer) {
        return (float)v;
    }
    if (fetch->zero_clamp_minus_one_free) {
        return (float)((2 * v + 1) / (powl(2, (int)width) - 1));
    }
    return (float)fmaxl(-1, v / (powl(2, (int)width - 1) - 1));
}

/* 1 sign, 5 exponent (bias 15, the top one too), 10 mantissa; no denormals. */
static float half_field(uint32_t h)
{
    int exponent = (int)(h >> 10 & 31);
    float v = exponent == 0 ? 0.0f : ldexpf(1024.0f + (float)(h & 1023), exponent - 25);
    return h >> 15 & 1 ? -v : v;
}

void oracle_unpack(const xenos_fetch *fetch, const uint32_t data[4], float out[4])
{
    uint32_t d = data[0];
    memset(out, 0, 16);
    switch (fetch->format) {
    case 6:
        for (int c = 0; c < 4; c++) {
            out[c] = integer_field(fetch, d >> 8 * c & 255, 8);
        }
        break;
    case 7:
        for (int c = 0; c < 3; c++) {
            out[c] = integer_field(fetch, d >> 10 * c & 1023, 10);
        }
        out[3] = integer_field(fetch, d >> 30, 2);
        break;
    case 16:
        out[0] = integer_field(fetch, d & 2047, 11);
        out[1] = integer_field(fetch, d >> 11 & 2047, 11);
        out[2] = integer_field(fetch, d >> 22, 10);
        break;
    case 17:
        out[0] = integer_field(fetch, d & 1023, 10);
        out[1] = integer_field(fetch, d >> 10 & 2047, 11);
        out[2] = integer_field(fetch, d >> 21, 11);
        break;
    case 26:
        out[2] = integer_field(fetch, data[1] & 65535, 16);
        out[3] = integer_field(fetch, data[1] >> 16, 16); /* fall through */
    case 25:
        out[0] = integer_field(fetch, d & 65535, 16);
        out[1] = integer_field(fetch, d >> 16, 16);
        break;
    case 32:
        out[2] = half_field(data[1] & 65535);
        out[3] = half_field(data[1] >> 16); /* fall through */
    case 31:
        out[0] = half_field(d & 65535);
        out[1] = half_field(d >> 16);
        break;
    case 33:
    case 34:
    case 35:
        for (int c = 0; c < 1 << (fetch->format - 33); c++) {
            out[c] = integer_field(fetch, data[c], 32);
        }
        break;
    case 36:
    case 37:
    case 38:
        for (int c = 0; c < 1 << (fetch->format - 36); c++) {
            out[c] = float_of(data[c]);
        }
        break;
    case 57:
        for (int c = 0; c < 3; c++) {
            out[c] = float_of(data[c]);
        }
        break;
    default:
        break;
    }
    for (int c = 0; c < 4; c++) {
        if (fetch->exponent != 0) {
            out[c] = settle(ldexpl(out[c], fetch->exponent));
        }
        out[c] = flush(out[c]);
    }
}

static uint32_t memory_dword(const oracle_stage *stage, uint64_t dword, uint32_t endian)
{
    static const uint8_t order[4][4] = {{0, 1, 2, 3}, {1, 0, 3, 2}, {3, 2, 1, 0}, {2, 3, 0, 1}};
    uint32_t v = 0;
    if (4 * dword + 4 > stage->memory_size) {
        return 0;
    }
    for (int i = 0; i < 4; i++) {
        v |= (uint32_t)stage->memory[4 * dword + order[endian][i]] << 8 * i;
    }
    return v;
}

static void run_fetch(state *s, const xenos_fetch *fetch)
{
    if ((fetch->predicated && fetch->condition != s->predicate) ||
        xenos_fetch_name(fetch->opcode) == NULL || fetch->opcode >= XENOS_FETCH_SET_LOD) {
        return;
    }
    float v[4] = {0, 0, 0, 0};
    if (fetch->opcode == XENOS_FETCH_VERTEX) {
        int aL = loop_register(s);
        if (!fetch->mini) {
            float index = flush(s->lane->r[(fetch->source + (fetch->source_relative ? aL : 0)) & 63]
                                          [fetch->source_swizzle[0]]);
            double whole = floor(fetch->round_index ? plus(index, 0.5f) : index);
            whole = isnan(whole) ? -2147483648.0 : fmin(fmax(whole, -2147483648.0), 2147483647.0);
            s->vertex_address = (int64_t)whole * fetch->stride;
            s->vertex_constant = fetch->constant;
        }
        const uint32_t *constant = s->stage->registers + 0x4800 + 2 * s->vertex_constant;
        int64_t first = (constant[0] & 0x1FFFFFFF) / 4, size = constant[1] >> 2 & 0xFFFFFF;
        uint32_t data[4];
        for (int i = 0; i < 4; i++) {
            int64_t offset = s->vertex_address + fetch->offset + i;
            int inside = offset >= 0 && offset < size && constant[0] & 1;
            data[i] =
                inside ? memory_dword(s->stage, (uint64_t)(first + offset), constant[1] & 3) : 0;
        }
        oracle_unpack(fetch, data, v);
    }
    float *to = s->lane->r[(fetch->dest + (fetch->dest_relative ? loop_register(s) : 0)) & 63];
    for (int c = 0; c < 4; c++) {
        int swizzle = fetch->dest_swizzle[c];
        if (swizzle != 7) {
            to[c] = swizzle < 4 ? v[swizzle] : swizzle == 5 ? 1.0f : 0.0f;
        }
    }
}

/* ---- control flow ---- */

static int holds(const state *s, const xenos_cf *cf, int by_predicate)
{
    uint32_t word = s->stage->registers[0x4900 + cf->boolean / 32];
    int value = by_predicate ? s->predicate : (int)(word >> cf->boolean % 32 & 1);
    return value == cf->condition;
}

static void run_exec(state *s, const xenos_cf *cf)
{
    for (uint32_t i = 0; i < cf->count; i++) {
        const xenos_instruction *instruction = &s->stage->program->instructions[cf->first + i];
        if (instruction->kind == XENOS_KIND_FETCH) {
            run_fetch(s, &instruction->fetch);
        } else {
            run_alu(s, &instruction->alu);
        }
    }
}

/* The next instruction after `at`; UINT32_MAX ends. */
static uint32_t step(state *s, uint32_t at)
{
    const xenos_cf *cf = &s->stage->program->cf[at];
    int run = 1, ends = 0;
    switch (cf->opcode) {
    case XENOS_CF_EXEC_END:
        ends = 1;
        break;
    case XENOS_CF_EXEC:
        break;
    case XENOS_CF_COND_EXEC_END:
    case XENOS_CF_COND_EXEC_PRED_CLEAN_END:
        ends = run = holds(s, cf, 0);
        break;
    case XENOS_CF_COND_EXEC:
    case XENOS_CF_COND_EXEC_PRED_CLEAN:
        run = holds(s, cf, 0);
        break;
    case XENOS_CF_COND_EXEC_PRED_END:
        ends = run = holds(s, cf, 1);
        break;
    case XENOS_CF_COND_EXEC_PRED:
        run = holds(s, cf, 1);
        break;
    case XENOS_CF_LOOP_START: {
        uint32_t constant = s->stage->registers[0x4908 + cf->loop];
        if (s->loops == 4) {
            return cf->address;
        }
        s->iteration[s->loops] = cf->repeat ? s->iteration[s->loops] : 0;
        if (s->iteration[s->loops] >= (int)(constant & 255)) {
            return cf->address;
        }
        s->loop_constant[s->loops++] = constant;
        return at + 1;
    }
    case XENOS_CF_LOOP_END: {
        if (s->loops == 0) {
            return at + 1;
        }
        int again = ++s->iteration[s->loops - 1] < (int)(s->loop_constant[s->loops - 1] & 255);
        if (again && !(cf->predicated && holds(s, cf, 1))) {
            return cf->address;
        }
        s->loops--;
        return at + 1;
    }
    case XENOS_CF_COND_CALL:
        if (s->calls == 4 || !(cf->unconditional || holds(s, cf, cf->predicated))) {
            return at + 1;
        }
        s->back[s->calls++] = at + 1;
        return cf->address;
    case XENOS_CF_RETURN:
        return s->calls == 0 ? at + 1 : s->back[--s->calls];
    case XENOS_CF_COND_JMP:
        return cf->unconditional || holds(s, cf, cf->predicated) ? cf->address : at + 1;
    default:
        return at + 1;
    }
    if (run) {
        run_exec(s, cf);
    }
    return ends ? UINT32_MAX : at + 1;
}

void oracle_run(const oracle_stage *stage, oracle_lane *lane)
{
    state s = {.stage = stage, .lane = lane};
    uint32_t at = 0;
    for (int steps = 0; at < stage->program->cf_count && steps < 65536; steps++) {
        at = step(&s, at);
    }
}
