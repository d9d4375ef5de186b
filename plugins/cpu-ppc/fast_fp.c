/* fast_fp.c: scalar floating point by the host's, for interp-blocks.
 *
 * The host's operation gives the result rounded to nearest; error-free transforms (Dekker, Knuth;
 * for a * b + c: Boldo and Muller, "Exact and approximated error of the FMA", 2011) give the exact
 * rest, and with it FI and FR. Everything else is left to the plain handlers and their integers:
 * other rounding modes, NI, enabled exceptions, operands or results that are not well inside the
 * normal range. Results are IEEE's, so no bit depends on the host; the engine uses this file only
 * on hosts that have a fused multiply-add in hardware, because it would be slow on others. */
#include "fuse.h"
#include "softfp.h"

#define MODES (FP_VE | FP_OE | FP_UE | FP_ZE | FP_XE | FP_NI | FP_RN)

/* A double, and a number with the sign of what rounding took away from it (0: exact). */
typedef struct rounded {
    double value, rest;
} rounded;

static inline double as_double(uint64_t bits)
{
    double d;
    memcpy(&d, &bits, 8);
    return d;
}

static inline uint64_t as_bits(double d)
{
    uint64_t bits;
    memcpy(&bits, &d, 8);
    return bits;
}

/* Exponents of -423..423: no product, quotient or rest of such numbers leaves the normal range. */
static inline int is_tame(uint64_t a)
{
    return (a >> 52 & 0x7FF) - 600 <= 846;
}

static inline int is_tame_or_zero(uint64_t a)
{
    return is_tame(a) || fp_is_zero(a);
}

/* What a + b = sum lost. */
static inline double sum_rest(double a, double b, double sum)
{
    double part = sum - a;
    return (a - (sum - part)) + (b - part);
}

static inline rounded sum_of(double a, double b)
{
    double sum = a + b;
    return (rounded){sum, sum_rest(a, b, sum)};
}

static inline rounded product_of(double a, double b)
{
    double product = a * b;
    return (rounded){product, __builtin_fma(a, b, -product)};
}

static inline rounded quotient_of(double a, double b)
{
    double quotient = a / b, rest = __builtin_fma(-quotient, b, a);
    return (rounded){quotient, b < 0 ? -rest : rest};
}

static inline rounded root_of(double a)
{
    double root = __builtin_sqrt(a);
    return (rounded){root, __builtin_fma(-root, root, a)};
}

static inline rounded fused_of(double a, double k, double b)
{
    double value = __builtin_fma(a, k, b);
    rounded product = product_of(a, k), low = sum_of(b, product.rest);
    rounded high = sum_of(product.value, low.value);
    return (rounded){value, ((high.value - value) + high.rest) + low.rest};
}

/* Writes a normal result. FPRF is its sign; FX records that XX went up. */
static inline void put_result(core *c, uint64_t *target, uint64_t bits, int inexact, int up)
{
    uint32_t fpscr = c->s.fpscr & ~(FP_FR | FP_FI | FP_FPRF | FP_FEX | FP_VX);
    fpscr |= bits & FP_SIGN ? 0x8000 : 0x4000;
    fpscr |= fpscr & FP_VX_ALL ? FP_VX : 0;
    if (inexact) {
        fpscr |= FP_FI | (up ? FP_FR : 0) | (fpscr & FP_XX ? 0 : FP_FX) | FP_XX;
    }
    *target = bits;
    c->s.fpscr = fpscr;
}

/* A result in double: 1 if it was written. */
static inline int put_double(core *c, uint64_t *target, rounded r, uint64_t turn)
{
    if (UNLIKELY(r.value == 0)) {
        return 0;
    }
    put_result(c, target, as_bits(r.value) ^ turn, r.rest != 0, (r.rest < 0) == (r.value > 0));
    return 1;
}

/* A result in single. Rounding to odd first makes the second rounding the only one that counts. */
static inline int put_single(core *c, uint64_t *target, rounded r, uint64_t turn)
{
    uint64_t odd = as_bits(r.value);
    if (r.rest != 0 && !(odd & 1)) {
        odd += (r.rest > 0) == (r.value > 0) ? 1 : UINT64_MAX;
    }
    uint64_t bits = as_bits((double)(float)as_double(odd));
    if (UNLIKELY((bits >> 52 & 0x7FF) - 898 > 252)) { /* exponents -125..127 */
        return 0;
    }
    put_result(c, target, bits ^ turn, bits != odd, (bits & ~FP_SIGN) > (odd & ~FP_SIGN));
    return 1;
}

#define A          (c->s.f[o->a])
#define B          (c->s.f[o->b])
#define K          (c->s.f[o->c])
#define X(operand) as_double(operand)

/* A handler: where the operands suit and the result was written, on; else the plain one. */
#define FAST(name, suit, result, put, turn)                                                        \
    static HANDLER(fast_##name)                                                                    \
    {                                                                                              \
        if (UNLIKELY(c->s.fpscr & MODES) || UNLIKELY(!(suit)) ||                                   \
            UNLIKELY(!put(c, &c->s.f[o->d], result, turn))) {                                      \
            return op_##name(c, o, left, base, access);                                            \
        }                                                                                          \
        NEXT();                                                                                    \
    }
#define FAST_BOTH(name, suit, result, turn)                                                        \
    FAST(name, suit, result, put_double, turn)                                                     \
    FAST(name##s, suit, result, put_single, turn)

#define SUITS_2 (is_tame_or_zero(A) && is_tame_or_zero(B))
#define SUITS_3 (is_tame_or_zero(A) && is_tame_or_zero(K) && is_tame_or_zero(B))

FAST_BOTH(fadd, SUITS_2, sum_of(X(A), X(B)), 0)
FAST_BOTH(fsub, SUITS_2, sum_of(X(A), -X(B)), 0)
FAST_BOTH(fmul, is_tame(A) && is_tame(K), product_of(X(A), X(K)), 0)
FAST_BOTH(fdiv, is_tame(A) && is_tame(B), quotient_of(X(A), X(B)), 0)
FAST_BOTH(fsqrt, !(B & FP_SIGN) && is_tame(B), root_of(X(B)), 0)
FAST_BOTH(fmadd, SUITS_3, fused_of(X(A), X(K), X(B)), 0)
FAST_BOTH(fmsub, SUITS_3, fused_of(X(A), X(K), -X(B)), 0)
FAST_BOTH(fnmadd, SUITS_3, fused_of(X(A), X(K), X(B)), FP_SIGN)
FAST_BOTH(fnmsub, SUITS_3, fused_of(X(A), X(K), -X(B)), FP_SIGN)
FAST(frsp, is_tame(B), ((rounded){X(B), 0}), put_single, 0)

/* FPRF stays as it is, FR is 0: truncation never rounds up. */
static HANDLER(fast_fctiwz)
{
    double b = X(B);
    uint32_t fpscr = c->s.fpscr;
    if (UNLIKELY(fpscr & MODES) || UNLIKELY(!(b > -2147483648.0 && b < 2147483648.0))) {
        return op_fctiwz(c, o, left, base, access);
    }
    int32_t whole = (int32_t)b;
    fpscr &= ~(FP_FR | FP_FI | FP_FEX | FP_VX);
    fpscr |= fpscr & FP_VX_ALL ? FP_VX : 0;
    if (whole != b) {
        fpscr |= FP_FI | (fpscr & FP_XX ? 0 : FP_FX) | FP_XX;
    }
    c->s.f[o->d] = (uint64_t)(int64_t)whole;
    c->s.fpscr = fpscr;
    NEXT();
}

static HANDLER(fast_fcmpu)
{
    double a = X(A), b = X(B);
    uint32_t fpscr = c->s.fpscr;
    if (UNLIKELY(fpscr & MODES) || UNLIKELY(__builtin_isunordered(a, b))) {
        return op_fcmpu(c, o, left, base, access);
    }
    fpscr &= ~(FP_FPCC | FP_FEX | FP_VX);
    fpscr |= fpscr & FP_VX_ALL ? FP_VX : 0;
    fpscr |= a < b ? 0x8000 : a > b ? 0x4000 : 0x2000;
    c->s.fpscr = fpscr;
    set_cr(c, o->d, a<b, a> b, a == b);
    c->cr[o->d + 3] = 0;
    NEXT();
}

static const struct fast {
    ppc_handler *plain, *run;
} fast[] = {
#define BOTH(name)                                                                                 \
    {op_##name, fast_##name},                                                                      \
    {                                                                                              \
        op_##name##s, fast_##name##s                                                               \
    }
    BOTH(fadd),
    BOTH(fsub),
    BOTH(fmul),
    BOTH(fdiv),
    BOTH(fsqrt),
    BOTH(fmadd),
    BOTH(fmsub),
    BOTH(fnmadd),
    BOTH(fnmsub),
    {op_frsp, fast_frsp},
    {op_fctiwz, fast_fctiwz},
    {op_fcmpu, fast_fcmpu},
};

ppc_handler *ppc_fast_fp(ppc_handler *plain)
{
    for (size_t i = 0; i < sizeof fast / sizeof *fast; i++) {
        if (fast[i].plain == plain) {
            return fast[i].run;
        }
    }
    return NULL;
}
