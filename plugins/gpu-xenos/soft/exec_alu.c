/* Vector and scalar operations.
 *
 * Choices where the documents (ucode.h of xenia, its shader_interpreter.cc) are silent or differ:
 * - dp4, dp3 and dp2add add from left to right, x first, as MSDN writes them.
 * - Products inside mad and dot products are rounded, not flushed; the result is flushed.
 * - max4 compares with >=, as max does.
 * - An a0 of NaN is -256: MSDN's `if (!(x >= -256)) x = -256`.
 * - The clamp to 0..1 makes NaN and -0 +0.
 * - Operations without a name give 0. */
#include <string.h>

#include "exec_private.h"
#include "math.h"

/* ---- vector kernels ---- */

/* Component j of an operand in part i. */
SOFT_INLINE part_f in(const soft_call *k, uint32_t operand, uint32_t j, size_t i)
{
    return ((const part_f *)(k->base[operand] + k->at[operand][j]))[i];
}

SOFT_INLINE part_i sign_of(const soft_call *k, uint32_t operand)
{
    return (part_i)((part_u){0} + k->sign[operand]);
}

/* Where the j-th written component goes. */
SOFT_INLINE part_f *out(const soft_call *k, uint32_t j)
{
    return (part_f *)(k->out + k->component[j]);
}

#define SIGNED(OPERAND) ((part_f)((part_i)in(k, OPERAND, j, i) ^ sign_of(k, OPERAND)))
#define A               in(k, 0, j, i)
#define B               in(k, 1, j, i)
#define C               in(k, 2, j, i)

/* A kernel whose component j of the result comes from components j of the operands: one for each
 * number of components. */
#define EACH_OF(NAME, COUNT, EXPRESSION)                                                           \
    static void NAME##_##COUNT(soft_call *k)                                                       \
    {                                                                                              \
        for (size_t i = 0; i < SOFT_PARTS; i++) {                                                  \
            part_f result[COUNT];                                                                  \
            UNROLL for (uint32_t j = 0; j < COUNT; j++)                                            \
            {                                                                                      \
                result[j] = EXPRESSION;                                                            \
            }                                                                                      \
            UNROLL for (uint32_t j = 0; j < COUNT; j++)                                            \
            {                                                                                      \
                out(k, j)[i] = result[j];                                                          \
            }                                                                                      \
        }                                                                                          \
    }
#define EACH(NAME, EXPRESSION)                                                                     \
    EACH_OF(NAME, 1, EXPRESSION)                                                                   \
    EACH_OF(NAME, 2, EXPRESSION)                                                                   \
    EACH_OF(NAME, 3, EXPRESSION)                                                                   \
    EACH_OF(NAME, 4, EXPRESSION)                                                                   \
    static soft_vector_kernel *const NAME[4] = {NAME##_1, NAME##_2, NAME##_3, NAME##_4};

EACH(each_add, part_settle(A + B))
EACH(each_add_signed, part_settle(SIGNED(0) + SIGNED(1)))
EACH(each_mul, part_settle(part_multiply(A, B)))
EACH(each_mul_signed, part_settle(part_multiply(SIGNED(0), SIGNED(1))))
EACH(each_mad, part_settle(part_multiply(A, B) + C))
EACH(each_mad_signed, part_settle(part_multiply(SIGNED(0), SIGNED(1)) + SIGNED(2)))
EACH(each_move, A)
EACH(each_move_signed, SIGNED(0))
EACH(each_max, part_select(A >= B, A, B))
EACH(each_min, part_select(A < B, A, B))
EACH(each_seq, part_boolean(A == B))
EACH(each_sgt, part_boolean(A > B))
EACH(each_sge, part_boolean(A >= B))
EACH(each_sne, part_boolean(A != B))
EACH(each_frc, part_settle(A - part_floor(A)))
EACH(each_trunc, part_truncate(A))
EACH(each_floor, part_floor(A))
EACH(each_cndeq, part_select(A == 0.0f, B, C))
EACH(each_cndge, part_select(A >= 0.0f, B, C))
EACH(each_cndgt, part_select(A > 0.0f, B, C))

#undef A
#undef B
#undef C

SOFT_INLINE void store(const soft_call *k, size_t i, part_f value)
{
    for (uint32_t j = 0; j < k->count; j++) {
        out(k, j)[i] = value;
    }
}

SOFT_INLINE part_f product(const soft_call *k, uint32_t j, size_t i, int with_sign)
{
    part_f a = in(k, 0, j, i);
    if (with_sign) {
        a = (part_f)((part_i)a ^ sign_of(k, 0) ^ sign_of(k, 1));
    }
    return part_multiply(a, in(k, 1, j, i));
}

SOFT_INLINE void dot(soft_call *k, const uint32_t terms, const int add, const int with_sign)
{
    for (size_t i = 0; i < SOFT_PARTS; i++) {
        part_f sum = product(k, 0, i, with_sign);
        UNROLL for (uint32_t j = 1; j < terms; j++)
        {
            sum += product(k, j, i, with_sign);
        }
        if (add) {
            sum += (part_f)((part_i)in(k, 2, 0, i) ^ sign_of(k, 2));
        }
        store(k, i, part_settle(sum));
    }
}

static void all_dp4(soft_call *k)
{
    dot(k, 4, 0, 0);
}

static void all_dp4_signed(soft_call *k)
{
    dot(k, 4, 0, 1);
}

static void all_dp3(soft_call *k)
{
    dot(k, 3, 0, 0);
}

static void all_dp3_signed(soft_call *k)
{
    dot(k, 3, 0, 1);
}

static void all_dp2add(soft_call *k)
{
    dot(k, 2, 1, 1);
}

/* AMD Southern Islands ISA, V_CUBE*: the operand comes as .zzxy. */
static void all_cube(soft_call *k)
{
    for (size_t i = 0; i < SOFT_PARTS; i++) {
        part_f x = in(k, 0, 2, i), y = in(k, 0, 3, i), z = in(k, 0, 0, i);
        part_f ax = part_absolute(x), ay = part_absolute(y), az = part_absolute(z);
        part_i on_z = (az >= ax) & (az >= ay);
        part_i on_y = ~on_z & (ay >= ax);
        part_f major = part_select(on_z, z, part_select(on_y, y, x));
        part_i back = major < 0.0f;
        part_i flip = back & PART_SIGN;
        part_f t = part_select(on_y, (part_f)((part_i)z ^ flip), (part_f)((part_i)y ^ PART_SIGN));
        part_f s = (part_f)((part_i)x ^ flip);
        s = part_select(on_y, x, s);
        s = part_select(on_z | on_y, s, (part_f)((part_i)z ^ flip ^ PART_SIGN));
        part_f face = (part_f)(on_z & (part_i)((part_f){0} + 4.0f));
        face = part_select(on_y, (part_f){0} + 2.0f, face) + part_boolean(back);
        part_f result[4] = {t, s, part_settle(major * 2.0f), face};
        for (uint32_t j = 0; j < k->count; j++) {
            out(k, j)[i] = result[k->component[j]];
        }
    }
}

static void all_max4(soft_call *k)
{
    for (size_t i = 0; i < SOFT_PARTS; i++) {
        part_f x = in(k, 0, 0, i), y = in(k, 0, 1, i), z = in(k, 0, 2, i), w = in(k, 0, 3, i);
        part_f greatest = part_select(z >= w, z, w);
        greatest = part_select((y >= z) & (y >= w), y, greatest);
        store(k, i, part_select((x >= y) & (x >= z) & (x >= w), x, greatest));
    }
}

static void all_dst(soft_call *k)
{
    for (size_t i = 0; i < SOFT_PARTS; i++) {
        part_f result[4] = {(part_f){0} + 1.0f,
                            part_settle(part_multiply(in(k, 0, 1, i), in(k, 1, 1, i))),
                            in(k, 0, 2, i), in(k, 1, 3, i)};
        for (uint32_t j = 0; j < k->count; j++) {
            out(k, j)[i] = result[k->component[j]];
        }
    }
}

/* Predicate counters: w decides the predicate, x counts. */
#define PUSH(NAME, OPERATOR)                                                                       \
    static void NAME(soft_call *k)                                                                 \
    {                                                                                              \
        part_i set[SOFT_PARTS];                                                                    \
        for (size_t i = 0; i < SOFT_PARTS; i++) {                                                  \
            part_f x = in(k, 0, 0, i);                                                             \
            set[i] = (in(k, 0, 3, i) == 0.0f) & (in(k, 1, 3, i)OPERATOR 0.0f);                     \
            part_i zero = (x == 0.0f) & (in(k, 1, 0, i)OPERATOR 0.0f);                             \
            store(k, i, (part_f)(~zero & (part_i)part_settle(x + 1.0f)));                          \
        }                                                                                          \
        k->flag = part_gather(set);                                                                \
    }

PUSH(push_eq, ==)
PUSH(push_ne, !=)
PUSH(push_gt, >)
PUSH(push_ge, >=)

#define KILL(NAME, OPERATOR)                                                                       \
    static void NAME(soft_call *k)                                                                 \
    {                                                                                              \
        part_i set[SOFT_PARTS];                                                                    \
        for (size_t i = 0; i < SOFT_PARTS; i++) {                                                  \
            set[i] = (in(k, 0, 0, i)OPERATOR in(k, 1, 0, i)) |                                     \
                     (in(k, 0, 1, i)OPERATOR in(k, 1, 1, i)) |                                     \
                     (in(k, 0, 2, i)OPERATOR in(k, 1, 2, i)) |                                     \
                     (in(k, 0, 3, i)OPERATOR in(k, 1, 3, i));                                      \
            store(k, i, part_boolean(set[i]));                                                     \
        }                                                                                          \
        k->flag = part_gather(set);                                                                \
    }

KILL(kill_eq, ==)
KILL(kill_gt, >)
KILL(kill_ge, >=)
KILL(kill_ne, !=)

/* a0 = floor(value + bias), in -256..255. */
static void address(const part_f *value, float bias, int32_t a0[SOFT_LANES])
{
    for (int lane = 0; lane < SOFT_LANES; lane++) {
        float v = ((const float *)value)[lane];
        v = v >= -256.0f ? v : -256.0f;
        v = v > 255.0f ? 255.0f : v;
        v += bias;
        int32_t whole = (int32_t)v; /* towards zero */
        a0[lane] = whole - ((float)whole > v);
    }
}

static void all_maxa(soft_call *k)
{
    address((const part_f *)(k->base[0] + k->at[0][3]), 0.5f, k->a0);
    for (size_t i = 0; i < SOFT_PARTS; i++) {
        part_f result[4];
        for (uint32_t j = 0; j < 4; j++) {
            part_f a = in(k, 0, j, i), b = in(k, 1, j, i);
            result[j] = part_select(a >= b, a, b);
        }
        for (uint32_t j = 0; j < k->count; j++) {
            out(k, j)[i] = result[k->component[j]];
        }
    }
}

static void all_zero(soft_call *k)
{
    for (size_t i = 0; i < SOFT_PARTS; i++) {
        store(k, i, (part_f){0});
    }
}

/* The same whatever the number of components. */
#define ANY(NAME) static soft_vector_kernel *const NAME##_any[4] = {NAME, NAME, NAME, NAME};

ANY(all_cube)
ANY(all_dp2add)
ANY(all_dp3)
ANY(all_dp3_signed)
ANY(all_dp4)
ANY(all_dp4_signed)
ANY(all_dst)
ANY(all_max4)
ANY(all_maxa)
ANY(all_zero)
ANY(kill_eq)
ANY(kill_ge)
ANY(kill_gt)
ANY(kill_ne)
ANY(push_eq)
ANY(push_ge)
ANY(push_gt)
ANY(push_ne)

/* By opcode. `each`: component-wise. `with_signs`: applies signs itself. */
static const struct vector_row {
    soft_vector_kernel *const *kernel, *const *with_signs; /* by number of components less 1 */
    uint8_t each;
} vector_rows[32] = {
    [XENOS_V_ADD] = {each_add, each_add_signed, 1},
    [XENOS_V_MUL] = {each_mul, each_mul_signed, 1},
    [XENOS_V_MAX] = {each_max, NULL, 1},
    [XENOS_V_MIN] = {each_min, NULL, 1},
    [XENOS_V_SEQ] = {each_seq, NULL, 1},
    [XENOS_V_SGT] = {each_sgt, NULL, 1},
    [XENOS_V_SGE] = {each_sge, NULL, 1},
    [XENOS_V_SNE] = {each_sne, NULL, 1},
    [XENOS_V_FRC] = {each_frc, NULL, 1},
    [XENOS_V_TRUNC] = {each_trunc, NULL, 1},
    [XENOS_V_FLOOR] = {each_floor, NULL, 1},
    [XENOS_V_MAD] = {each_mad, each_mad_signed, 1},
    [XENOS_V_CNDEQ] = {each_cndeq, NULL, 1},
    [XENOS_V_CNDGE] = {each_cndge, NULL, 1},
    [XENOS_V_CNDGT] = {each_cndgt, NULL, 1},
    [XENOS_V_DP4] = {all_dp4_any, all_dp4_signed_any, 0},
    [XENOS_V_DP3] = {all_dp3_any, all_dp3_signed_any, 0},
    [XENOS_V_DP2ADD] = {all_dp2add_any, all_dp2add_any, 0},
    [XENOS_V_CUBE] = {all_cube_any, NULL, 0},
    [XENOS_V_MAX4] = {all_max4_any, NULL, 0},
    [XENOS_V_SETP_EQ_PUSH] = {push_eq_any, NULL, 0},
    [XENOS_V_SETP_NE_PUSH] = {push_ne_any, NULL, 0},
    [XENOS_V_SETP_GT_PUSH] = {push_gt_any, NULL, 0},
    [XENOS_V_SETP_GE_PUSH] = {push_ge_any, NULL, 0},
    [XENOS_V_KILL_EQ] = {kill_eq_any, NULL, 0},
    [XENOS_V_KILL_GT] = {kill_gt_any, NULL, 0},
    [XENOS_V_KILL_GE] = {kill_ge_any, NULL, 0},
    [XENOS_V_KILL_NE] = {kill_ne_any, NULL, 0},
    [XENOS_V_DST] = {all_dst_any, NULL, 0},
    [XENOS_V_MAXA] = {all_maxa_any, NULL, 0},
    [30] = {all_zero_any, NULL, 0},
    [31] = {all_zero_any, NULL, 0},
};

/* ---- scalar kernels ---- */

#define A  (k->a[i])
#define B  (k->b[i])
#define PS (k->ps[i])

#define SCALAR(NAME, EXPRESSION)                                                                   \
    static void NAME(soft_scalar_call *k)                                                          \
    {                                                                                              \
        for (size_t i = 0; i < SOFT_PARTS; i++) {                                                  \
            k->out[i] = EXPRESSION;                                                                \
        }                                                                                          \
    }

SCALAR(s_adds, part_settle(A + B))
SCALAR(s_adds_prev, part_settle(A + PS))
SCALAR(s_muls, part_settle(part_multiply(A, B)))
SCALAR(s_muls_prev, part_settle(part_multiply(A, PS)))
SCALAR(s_maxs, part_select(A >= B, A, B))
SCALAR(s_mins, part_select(A < B, A, B))
SCALAR(s_seqs, part_boolean(A == 0.0f))
SCALAR(s_sgts, part_boolean(A > 0.0f))
SCALAR(s_sges, part_boolean(A >= 0.0f))
SCALAR(s_snes, part_boolean(A != 0.0f))
SCALAR(s_frcs, part_settle(A - part_floor(A)))
SCALAR(s_truncs, part_truncate(A))
SCALAR(s_floors, part_floor(A))
SCALAR(s_subs, part_settle(A - B))
SCALAR(s_subs_prev, part_settle(A - PS))
SCALAR(s_zero, (part_f){0})

/* LIT's specular term: -FLT_MAX unless ps is finite and above -FLT_MAX and b finite and positive. */
SCALAR(s_muls_prev2,
       part_select((part_absolute(PS) <= FLT_MAX) & (PS != -FLT_MAX) & (B <= FLT_MAX) & (B > 0.0f),
                   part_settle(part_multiply(A, PS)), (part_f){0} - FLT_MAX))

/* Operations that set the predicate (value 0 where it is set) or kill (value 1). */
#define SCALAR_FLAG(NAME, CONDITION, EXPRESSION)                                                   \
    static void NAME(soft_scalar_call *k)                                                          \
    {                                                                                              \
        part_i set[SOFT_PARTS];                                                                    \
        for (size_t i = 0; i < SOFT_PARTS; i++) {                                                  \
            set[i] = CONDITION;                                                                    \
            k->out[i] = EXPRESSION;                                                                \
        }                                                                                          \
        k->flag = part_gather(set);                                                                \
    }
#define OTHERWISE(VALUE) ((part_f)(~set[i] & (part_i)(VALUE)))

SCALAR_FLAG(s_setp_eq, A == 0.0f, part_boolean(~set[i]))
SCALAR_FLAG(s_setp_ne, A != 0.0f, part_boolean(~set[i]))
SCALAR_FLAG(s_setp_gt, A > 0.0f, part_boolean(~set[i]))
SCALAR_FLAG(s_setp_ge, A >= 0.0f, part_boolean(~set[i]))
SCALAR_FLAG(s_setp_inv, A == 1.0f, OTHERWISE(part_select(A == 0.0f, (part_f){0} + 1.0f, A)))
SCALAR_FLAG(s_setp_pop, A - 1.0f <= 0.0f, OTHERWISE(part_settle(A - 1.0f)))
SCALAR_FLAG(s_setp_clr, (part_i){0}, (part_f){0} + FLT_MAX)
SCALAR_FLAG(s_setp_rstr, A == 0.0f, OTHERWISE(A))
SCALAR_FLAG(s_kills_eq, A == 0.0f, part_boolean(set[i]))
SCALAR_FLAG(s_kills_gt, A > 0.0f, part_boolean(set[i]))
SCALAR_FLAG(s_kills_ge, A >= 0.0f, part_boolean(set[i]))
SCALAR_FLAG(s_kills_ne, A != 0.0f, part_boolean(set[i]))
SCALAR_FLAG(s_kills_one, A == 1.0f, part_boolean(set[i]))

#undef A
#undef B
#undef PS

static void s_maxas(soft_scalar_call *k)
{
    address(k->a, 0.5f, k->a0);
    s_maxs(k);
}

static void s_maxasf(soft_scalar_call *k)
{
    address(k->a, 0.0f, k->a0);
    s_maxs(k);
}

/* What becomes of infinities: they stay, become FLT_MAX (c), or 0 (f), each with its sign. */
enum { INFINITY_STAYS, INFINITY_CLAMPS, INFINITY_VANISHES };

SOFT_INLINE void transcendental(soft_scalar_call *k, void (*function)(const soft_f *, soft_f *),
                                int infinity)
{
    soft_f argument, result;
    for (size_t i = 0; i < SOFT_PARTS; i++) {
        ((part_f *)&argument)[i] = k->a[i];
    }
    function(&argument, &result);
    for (size_t i = 0; i < SOFT_PARTS; i++) {
        part_f v = ((const part_f *)&result)[i];
        part_i infinite = ((part_i)v & ~PART_SIGN) == 0x7F800000;
        part_i sign = (part_i)v & PART_SIGN;
        if (infinity == INFINITY_CLAMPS) {
            v = part_select(infinite, (part_f)(sign | 0x7F7FFFFF), v);
        } else if (infinity == INFINITY_VANISHES) {
            v = part_select(infinite, (part_f)sign, v);
        }
        k->out[i] = v;
    }
}

#define TRANSCENDENTAL(NAME, FUNCTION, INFINITE)                                                   \
    static void NAME(soft_scalar_call *k)                                                          \
    {                                                                                              \
        transcendental(k, FUNCTION, INFINITE);                                                     \
    }

TRANSCENDENTAL(s_exp, soft_exp2, INFINITY_STAYS)
TRANSCENDENTAL(s_log, soft_log2, INFINITY_STAYS)
TRANSCENDENTAL(s_rcpc, soft_rcp, INFINITY_CLAMPS)
TRANSCENDENTAL(s_rcpf, soft_rcp, INFINITY_VANISHES)
TRANSCENDENTAL(s_rcp, soft_rcp, INFINITY_STAYS)
TRANSCENDENTAL(s_rsqc, soft_rsq, INFINITY_CLAMPS)
TRANSCENDENTAL(s_rsqf, soft_rsq, INFINITY_VANISHES)
TRANSCENDENTAL(s_rsq, soft_rsq, INFINITY_STAYS)
TRANSCENDENTAL(s_sqrt, soft_sqrt, INFINITY_STAYS)
TRANSCENDENTAL(s_sin, soft_sin, INFINITY_STAYS)
TRANSCENDENTAL(s_cos, soft_cos, INFINITY_STAYS)

/* logc turns only -infinity into -FLT_MAX. */
static void s_logc(soft_scalar_call *k)
{
    transcendental(k, soft_log2, INFINITY_STAYS);
    for (size_t i = 0; i < SOFT_PARTS; i++) {
        part_i low = (part_u)k->out[i] == 0xFF800000u;
        k->out[i] = part_select(low, (part_f){0} - FLT_MAX, k->out[i]);
    }
}

static soft_scalar_kernel *const scalar_kernels[64] = {
    [XENOS_S_ADDS] = s_adds,
    [XENOS_S_ADDS_PREV] = s_adds_prev,
    [XENOS_S_MULS] = s_muls,
    [XENOS_S_MULS_PREV] = s_muls_prev,
    [XENOS_S_MULS_PREV2] = s_muls_prev2,
    [XENOS_S_MAXS] = s_maxs,
    [XENOS_S_MINS] = s_mins,
    [XENOS_S_SEQS] = s_seqs,
    [XENOS_S_SGTS] = s_sgts,
    [XENOS_S_SGES] = s_sges,
    [XENOS_S_SNES] = s_snes,
    [XENOS_S_FRCS] = s_frcs,
    [XENOS_S_TRUNCS] = s_truncs,
    [XENOS_S_FLOORS] = s_floors,
    [XENOS_S_EXP] = s_exp,
    [XENOS_S_LOGC] = s_logc,
    [XENOS_S_LOG] = s_log,
    [XENOS_S_RCPC] = s_rcpc,
    [XENOS_S_RCPF] = s_rcpf,
    [XENOS_S_RCP] = s_rcp,
    [XENOS_S_RSQC] = s_rsqc,
    [XENOS_S_RSQF] = s_rsqf,
    [XENOS_S_RSQ] = s_rsq,
    [XENOS_S_MAXAS] = s_maxas,
    [XENOS_S_MAXASF] = s_maxasf,
    [XENOS_S_SUBS] = s_subs,
    [XENOS_S_SUBS_PREV] = s_subs_prev,
    [XENOS_S_SETP_EQ] = s_setp_eq,
    [XENOS_S_SETP_NE] = s_setp_ne,
    [XENOS_S_SETP_GT] = s_setp_gt,
    [XENOS_S_SETP_GE] = s_setp_ge,
    [XENOS_S_SETP_INV] = s_setp_inv,
    [XENOS_S_SETP_POP] = s_setp_pop,
    [XENOS_S_SETP_CLR] = s_setp_clr,
    [XENOS_S_SETP_RSTR] = s_setp_rstr,
    [XENOS_S_KILLS_EQ] = s_kills_eq,
    [XENOS_S_KILLS_GT] = s_kills_gt,
    [XENOS_S_KILLS_GE] = s_kills_ge,
    [XENOS_S_KILLS_NE] = s_kills_ne,
    [XENOS_S_KILLS_ONE] = s_kills_one,
    [XENOS_S_SQRT] = s_sqrt,
    [XENOS_S_MULSC_0] = s_muls,
    [XENOS_S_MULSC_1] = s_muls,
    [XENOS_S_ADDSC_0] = s_adds,
    [XENOS_S_ADDSC_1] = s_adds,
    [XENOS_S_SUBSC_0] = s_subs,
    [XENOS_S_SUBSC_1] = s_subs,
    [XENOS_S_SIN] = s_sin,
    [XENOS_S_COS] = s_cos,
};

/* ---- making ready ---- */

/* The place of a constant among the program's splats. */
static uint32_t splat_of(soft_program *program, const xenos_source *source)
{
    uint16_t wanted = (uint16_t)(source->index | (source->absolute ? 0x100u : 0u) |
                                 (source->negate ? 0x200u : 0u));
    uint32_t n = 0;
    while (n < program->splat_count && program->splats[n] != wanted) {
        n++;
    }
    if (n == program->splat_count) {
        program->splats[program->splat_count++] = wanted; /* ten bits: SOFT_SPLATS at most */
    }
    return n;
}

static soft_source prepare_source(soft_program *program, const xenos_source *source)
{
    soft_source out = {.index = source->index};
    if (source->constant) {
        out.kind = source->relative == XENOS_ADDRESS_A0     ? SOFT_CONSTANT_A0
                   : source->relative == XENOS_ADDRESS_LOOP ? SOFT_CONSTANT_LOOP
                                                            : SOFT_CONSTANT;
    } else {
        out.index &= XENOS_TEMPORARIES - 1u;
        out.kind = source->relative ? SOFT_TEMPORARY_LOOP : SOFT_TEMPORARY;
    }
    out.keep = source->absolute ? 0x7FFFFFFFu : UINT32_MAX;
    out.flip = source->negate ? 0x80000000u : 0;
    out.copied = !source->constant && (source->absolute || source->negate);
    out.splat = out.kind == SOFT_CONSTANT;
    out.at[0] = out.splat ? (uint16_t)splat_of(program, source) : out.index;
    return out;
}

static int is_temporary(const soft_source *source)
{
    return source->kind == SOFT_TEMPORARY || source->kind == SOFT_TEMPORARY_LOOP;
}

/* Where the components stand of an operand that needs nothing done. */
static void place(soft_source *source)
{
    uint16_t first = source->at[0];
    source->plain = source->splat || (source->kind == SOFT_TEMPORARY && !source->copied);
    for (uint32_t j = 0; j < 4; j++) {
        source->at[j] = (uint16_t)(first * 4u + source->component[j]);
    }
}

static void prepare_vector(const xenos_alu *alu, soft_program *program, soft_alu *out)
{
    uint32_t opcode = alu->vector_opcode & 31u;
    const struct vector_row *row = &vector_rows[opcode];
    out->vector_effect = xenos_vector_info(opcode)->effects;
    for (uint32_t c = 0; c < 4; c++) {
        if (alu->vector_mask >> c & 1) {
            out->component[out->vector_count++] = (uint8_t)c;
        }
    }
    if (out->vector_count == 0 && out->vector_effect == 0) {
        return;
    }
    uint32_t variant = out->vector_count != 0 ? out->vector_count - 1u : 0;
    out->vector = row->kernel[variant];
    out->places = row->each ? out->vector_count : 4;
    out->operands = opcode < XENOS_V_COUNT ? xenos_vector_info(opcode)->operands : 0;
    soft_vector_kernel *const *with_signs = row->with_signs;
    if (opcode == XENOS_V_MAX &&
        memcmp(&alu->source[0], &alu->source[1], sizeof alu->source[0]) == 0) {
        out->vector =
            each_move[variant]; /* how a shader moves; max of one value is that value, NaN too */
        with_signs = each_move_signed;
        out->operands = 1;
    }
    for (uint32_t n = 0; n < out->operands; n++) {
        const xenos_source *source = &alu->source[n];
        out->source[n] = prepare_source(program, source);
        for (uint32_t j = 0; j < 4; j++) {
            uint32_t component = row->each ? out->component[j] : j;
            out->source[n].component[j] = source->swizzle[component] & 3u;
        }
        if (with_signs != NULL && out->source[n].copied && !source->absolute) {
            out->vector = with_signs[variant];
            out->sign[n] = out->source[n].flip;
            out->source[n].copied = 0;
            out->with_signs = 1;
        }
        place(&out->source[n]);
    }
    out->with_signs |= row->with_signs == row->kernel; /* one kernel for both */
}

static void prepare_scalar(const xenos_alu *alu, soft_program *program, soft_alu *out)
{
    uint32_t opcode = alu->scalar_opcode & 63u;
    out->scalar_mask = alu->scalar_mask;
    out->scalar_effect = xenos_scalar_info(opcode)->effects;
    if (opcode == XENOS_S_RETAIN_PREV) {
        return;
    }
    out->scalar = scalar_kernels[opcode] != NULL ? scalar_kernels[opcode] : s_zero;
    uint32_t operands = xenos_scalar_info(opcode)->operands;
    out->scalar_operands = (uint8_t)(operands > 2 ? 2 : operands);
    if (operands >= 1) {
        xenos_source source = alu->source[2];
        source.constant = operands == 3 ? 1 : source.constant;
        out->scalar_source[0] = prepare_source(program, &source);
        out->scalar_source[0].component[0] = source.swizzle[3] & 3u;
        place(&out->scalar_source[0]);
    }
    if (operands >= 2) {
        const xenos_source *source = operands == 3 ? &alu->scalar_temporary : &alu->source[2];
        out->scalar_source[1] = prepare_source(program, source);
        out->scalar_source[1].component[0] = source->swizzle[0] & 3u;
        place(&out->scalar_source[1]);
    }
    for (uint32_t n = 0; n < out->scalar_operands && !alu->exports; n++) {
        const soft_source *source = &out->scalar_source[n];
        if (is_temporary(source) && alu->vector_mask != 0 &&
            (source->kind == SOFT_TEMPORARY_LOOP || alu->vector_relative ||
             (source->index == (alu->vector_dest & 63u) &&
              alu->vector_mask >> source->component[0] & 1))) {
            out->detour = 1;
        }
    }
}

void soft_alu_prepare(const xenos_alu *alu, soft_program *program, soft_alu *out)
{
    *out = (soft_alu){
        .predicated = alu->predicated,
        .condition = alu->condition,
        .exports = alu->exports,
        .vector_dest = alu->vector_dest & 63u,
        .vector_relative = alu->vector_relative,
        .vector_clamp = alu->vector_clamp,
        .scalar_dest = alu->scalar_dest & 63u,
        .scalar_relative = alu->scalar_relative,
        .scalar_clamp = alu->scalar_clamp,
        .zero_mask = alu->exports ? alu->zero_mask : 0,
        .one_mask = alu->exports ? alu->one_mask : 0,
    };
    prepare_vector(alu, program, out);
    prepare_scalar(alu, program, out);
    out->simple = out->vector != NULL && out->scalar == NULL && !out->predicated && !out->exports &&
                  !out->vector_relative && !out->vector_clamp && out->vector_effect == 0 &&
                  out->scalar_mask == 0;
}

/* ---- operands ---- */

soft_constant soft_constant_of(const soft_stage *stage, int32_t index, uint32_t keep, uint32_t flip)
{
    soft_constant value = {0};
    if (index >= 0 && (uint32_t)index < stage->constant_count &&
        stage->constant_base + (uint32_t)index < 512u) {
        memcpy(
            &value,
            &stage->registers[XENOS_CONSTANT_ALU + 4u * (stage->constant_base + (uint32_t)index)],
            sizeof value);
    }
    soft_constant tiny = (soft_constant)((value & 0x7F800000u) == 0u);
    value &= ~tiny | 0x80000000u;
    return (value & keep) ^ flip;
}

/* c[a0 + n], a0 not the same in all lanes. */
static void gather_constants(const soft_machine *m, const soft_source *source, uint32_t count,
                             uint32_t (*out)[SOFT_LANES])
{
    for (uint32_t lane = 0; lane < SOFT_LANES; lane++) {
        soft_constant value =
            soft_constant_of(m->stage, m->a0[lane] + source->index, source->keep, source->flip);
        for (uint32_t j = 0; j < count; j++) {
            out[j][lane] = value[source->component[j]];
        }
    }
}

static int same_a0(const soft_machine *m)
{
    int32_t differs = 0;
    for (int lane = 1; lane < SOFT_LANES; lane++) {
        differs |= m->a0[lane] ^ m->a0[0];
    }
    return differs == 0;
}

/* Where `count` components of an operand can be read that is not plain; `at` says how far from there
 * each stands. */
static const soft_f *resolve_other(soft_machine *m, const soft_source *source, uint32_t count,
                                   soft_vec4 *scratch, const uint16_t **at)
{
    static const uint16_t in_order[4] = {0, 1, 2, 3};
    int32_t index = source->index;
    *at = in_order;
    if (source->kind == SOFT_TEMPORARY || source->kind == SOFT_TEMPORARY_LOOP) {
        uint32_t number = soft_temporary(m, source->index, source->kind == SOFT_TEMPORARY_LOOP);
        const soft_f *r = m->group->r[number].c;
        if (!source->copied) {
            *at = source->component;
            return r;
        }
        for (uint32_t j = 0; j < count; j++) {
            const part_u *from = (const part_u *)(r + source->component[j]);
            part_u *copy = (part_u *)&scratch->c[j];
            for (int i = 0; i < SOFT_PARTS; i++) {
                copy[i] = (from[i] & source->keep) ^ source->flip;
            }
        }
        return scratch->c;
    }
    if (source->kind == SOFT_CONSTANT_LOOP) {
        index += m->loop_address;
    } else if (same_a0(m)) {
        index += m->a0[0];
    } else {
        gather_constants(m, source, count, (uint32_t(*)[SOFT_LANES])scratch);
        return scratch->c;
    }
    soft_constant value = soft_constant_of(m->stage, index, source->keep, source->flip);
    for (uint32_t j = 0; j < count; j++) {
        part_f *splat = (part_f *)&scratch->c[j];
        for (int i = 0; i < SOFT_PARTS; i++) {
            splat[i] = part_splat(value[source->component[j]]);
        }
    }
    return scratch->c;
}

SOFT_INLINE const soft_f *resolve(soft_machine *m, const soft_source *source, uint32_t count,
                                  soft_vec4 *scratch, const uint16_t **at)
{
    if (source->plain) {
        *at = source->at;
        return source->splat ? m->splats : m->group->r[0].c;
    }
    return resolve_other(m, source, count, scratch, at);
}

/* ---- execution ---- */

/* to = from in the lanes of `lanes`, all of them where it is NULL. */
SOFT_INLINE void copy_lanes(soft_f *to, const soft_f *from, const soft_i *lanes)
{
    for (int i = 0; i < SOFT_PARTS; i++) {
        part_f value = ((const part_f *)from)[i];
        part_f *at = (part_f *)to + i;
        *at = lanes == NULL ? value : part_select(((const part_i *)lanes)[i], value, *at);
    }
}

static void apply_effect(soft_machine *m, uint32_t effect, soft_mask flag, const int32_t *a0,
                         soft_mask mask)
{
    if (effect & XENOS_EFFECT_PREDICATE) {
        m->predicate = (m->predicate & ~mask) | (flag & mask);
    }
    if (effect & XENOS_EFFECT_A0) {
        for (int lane = 0; lane < SOFT_LANES; lane++) {
            if (mask >> lane & 1) {
                m->a0[lane] = a0[lane];
            }
        }
    }
    if (effect & XENOS_EFFECT_KILL && m->stage->program->stage == XENOS_STAGE_PIXEL) {
        soft_mask now = flag & mask & ~m->group->killed;
        if (now != 0 && m->memory_export) {
            soft_memory_export(m, now); /* what a pixel exported before it died is not taken back */
        }
        m->group->killed |= now;
    }
}

SOFT_INLINE void call_vector(soft_machine *m, const soft_alu *alu, soft_call *call)
{
    call->component = alu->component;
    call->count = alu->vector_count;
    call->sign = alu->sign;
    for (uint32_t n = 0; n < alu->operands; n++) {
        call->base[n] = resolve(m, &alu->source[n], alu->places, &m->scratch[n], &call->at[n]);
    }
    alu->vector(call);
}

static void run_vector(soft_machine *m, const soft_alu *alu, soft_call *call, soft_vec4 *to,
                       int detour)
{
    call->out = detour ? m->result.c : to->c;
    call_vector(m, alu, call);
    if (alu->vector_clamp) {
        for (uint32_t j = 0; j < alu->vector_count; j++) {
            for (int i = 0; i < SOFT_PARTS; i++) {
                out(call, j)[i] = part_saturate(out(call, j)[i]);
            }
        }
    }
}

static void run_scalar(soft_machine *m, const soft_alu *alu, soft_scalar_call *call,
                       const soft_i *lanes)
{
    const uint16_t *at;
    if (alu->scalar_operands >= 1) {
        const soft_f *base = resolve(m, &alu->scalar_source[0], 1, &m->scratch[0], &at);
        call->a = (const part_f *)(base + at[0]);
    }
    if (alu->scalar_operands >= 2) {
        const soft_f *base = resolve(m, &alu->scalar_source[1], 1, &m->scratch[1], &at);
        call->b = (const part_f *)(base + at[0]);
    }
    call->ps = (const part_f *)&m->ps;
    call->out = (part_f *)(lanes != NULL ? &m->scalar.c[0] : &m->ps);
    alu->scalar(call);
    if (lanes != NULL) {
        copy_lanes(&m->ps, &m->scalar.c[0], lanes);
    }
}

static void write_scalar(soft_machine *m, const soft_alu *alu, soft_vec4 *to, const soft_i *lanes)
{
    const soft_f *value = &m->ps;
    if (alu->scalar_clamp) {
        for (int i = 0; i < SOFT_PARTS; i++) {
            ((part_f *)&m->scalar.c[1])[i] = part_saturate(((const part_f *)&m->ps)[i]);
        }
        value = &m->scalar.c[1];
    }
    for (uint32_t c = 0; c < 4; c++) {
        if (alu->scalar_mask >> c & 1) {
            copy_lanes(&to->c[c], value, lanes);
        }
    }
}

static void write_constants(const soft_alu *alu, soft_vec4 *to, const soft_i *lanes)
{
    static const float ones[SOFT_LANES]
        __attribute__((aligned(64))) = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    static const float zeros[SOFT_LANES] __attribute__((aligned(64)));
    for (uint32_t c = 0; c < 4; c++) {
        if (alu->one_mask >> c & 1) {
            copy_lanes(&to->c[c], (const soft_f *)ones, lanes);
        } else if (alu->zero_mask >> c & 1) {
            copy_lanes(&to->c[c], (const soft_f *)zeros, lanes);
        }
    }
}

const soft_operation *soft_alu_run_simple(soft_machine *m, const soft_operation *at,
                                          const soft_operation *end)
{
    soft_call call;
    for (; at < end && !at->fetches && at->alu.simple; at++) {
        call.out = m->group->r[at->alu.vector_dest].c;
        call_vector(m, &at->alu, &call);
    }
    return at;
}

void soft_alu_run(soft_machine *m, const soft_alu *alu, soft_mask mask)
{
    mask = soft_predicated(m, alu->predicated, alu->condition, mask);
    if (mask == 0) {
        return;
    }
    soft_group *group = m->group;
    soft_i some;
    const soft_i *lanes = NULL;
    if (mask != m->all) {
        some = soft_expand(mask);
        lanes = &some;
    }
    soft_vec4 *vector_to, *scalar_to;
    if (alu->exports) {
        vector_to = scalar_to = &group->exports[alu->vector_dest];
        if (alu->vector_count != 0 || (alu->scalar_mask | alu->zero_mask | alu->one_mask) != 0) {
            group->exported |= UINT64_C(1) << alu->vector_dest;
            uint32_t data = (uint32_t)alu->vector_dest - XENOS_EXPORT_DATA0;
            if (data < 5) {
                m->written[data] |= mask;
            }
        }
    } else {
        vector_to = &group->r[soft_temporary(m, alu->vector_dest, alu->vector_relative)];
        scalar_to = &group->r[soft_temporary(m, alu->scalar_dest, alu->scalar_relative)];
    }

    soft_call call;
    soft_scalar_call scalar_call;
    int detour = lanes != NULL || alu->detour;
    if (alu->vector != NULL) {
        run_vector(m, alu, &call, vector_to, detour);
    }
    if (alu->scalar != NULL) {
        run_scalar(m, alu, &scalar_call, lanes);
    }
    if (alu->vector != NULL && detour) {
        for (uint32_t j = 0; j < alu->vector_count; j++) {
            copy_lanes(&vector_to->c[alu->component[j]], &m->result.c[alu->component[j]], lanes);
        }
    }
    if (alu->scalar_mask != 0) {
        write_scalar(m, alu, scalar_to, lanes);
    }
    if ((alu->zero_mask | alu->one_mask) != 0) {
        write_constants(alu, vector_to, lanes);
    }
    if (alu->vector_effect != 0) {
        apply_effect(m, alu->vector_effect, call.flag, call.a0, mask);
    }
    if (alu->scalar_effect != 0) {
        apply_effect(m, alu->scalar_effect, scalar_call.flag, scalar_call.a0, mask);
    }
}
