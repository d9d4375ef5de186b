/* exec_vmxfp.c: vector floating point (AltiVec PEM 3.2; CPU-FACTS.md, LESSONS 19-22).
 *
 * Always rounds to nearest, raises nothing. With VSCR[NJ] denormal operands count as zero, and a
 * result that is tiny before rounding becomes zero. The result NaN is the first NaN operand,
 * quieted; a generated one is 0x7FC00000. Sums and products are computed in double precision, where
 * a product of singles is exact, and rounded once; only IEEE +, -, *, / and sqrt of the host are
 * used. */
#include "vector.h"

#include <math.h>

#define NAN32   UINT32_C(0x7FC00000)
#define QUIET32 UINT32_C(0x00400000)
#define SIGN32  UINT32_C(0x80000000)
#define INF32   UINT32_C(0x7F800000)
#define LEAST32 0x1p-126 /* the smallest normal number */

static inline int is_nan32(uint32_t w)
{
    return (w & ~SIGN32) > INF32;
}

static inline double value_of(uint32_t w)
{
    float f;
    memcpy(&f, &w, 4);
    return f;
}

static inline uint32_t bits_of(float f)
{
    uint32_t w;
    memcpy(&w, &f, 4);
    return w;
}

static inline int denormals_off(const core *c)
{
    return (c->s.vscr & VSCR_NJ) != 0;
}

/* An operand: a denormal is a zero of its sign with NJ. */
static inline uint32_t operand(uint32_t w, int nj)
{
    return nj && !(w & INF32) ? w & SIGN32 : w;
}

/* Rounds a double that holds the exact result, or one rounded to odd. */
static inline uint32_t result(double d, int nj)
{
    if (nj && fabs(d) < LEAST32) {
        return signbit(d) ? SIGN32 : 0;
    }
    uint32_t w = bits_of((float)d);
    return is_nan32(w) ? NAN32 : w;
}

/* x + y rounded to odd, so that rounding again to single gives what one rounding would. The error
 * of a sum is exact (Knuth's two-sum); it says on which side of the even neighbour the sum lies. */
static inline double add_odd(double x, double y)
{
    double sum = x + y, part = sum - x;
    double error = (x - (sum - part)) + (y - part);
    uint64_t bits;
    memcpy(&bits, &sum, 8);
    if (error != 0 && !(bits & 1)) {
        bits += (error > 0) == (sum > 0) ? 1 : UINT64_MAX;
        memcpy(&sum, &bits, 8);
    }
    return sum;
}

static inline uint32_t nan_first(uint32_t a, uint32_t b, uint32_t k)
{
    return (is_nan32(a) ? a : is_nan32(b) ? b : k) | QUIET32;
}

static inline uint32_t add32(uint32_t a, uint32_t b, uint32_t minus, int nj)
{
    if (is_nan32(a) || is_nan32(b)) {
        return nan_first(a, b, 0);
    }
    double x = value_of(operand(a, nj)), y = value_of(operand(b, nj) ^ minus);
    double sum = add_odd(x, y);
    return result(isfinite(x) && isfinite(y) ? sum : x + y, nj);
}

static inline uint32_t mul32(uint32_t a, uint32_t b, int nj)
{
    if (is_nan32(a) || is_nan32(b)) {
        return nan_first(a, b, 0);
    }
    return result(value_of(operand(a, nj)) * value_of(operand(b, nj)), nj);
}

/* a * k + b; `minus` turns the sign of b. */
static inline uint32_t fma32(uint32_t a, uint32_t k, uint32_t b, uint32_t minus, int nj)
{
    if (is_nan32(a) || is_nan32(b) || is_nan32(k)) {
        return nan_first(a, b, k);
    }
    double product = value_of(operand(a, nj)) * value_of(operand(k, nj));
    double addend = value_of(operand(b, nj) ^ minus);
    if (!isfinite(product) || !isfinite(addend)) {
        return result(product + addend, nj);
    }
    return result(add_odd(product, addend), nj);
}

static inline uint32_t negate32(uint32_t w)
{
    return is_nan32(w) ? w : w ^ SIGN32;
}

/* vnmsubfp: -(a * k - b), negated after the one rounding. */
#define FLOATS(name, expression)                                                                   \
    static PPC_NOINLINE void name##_do(core *c, const op *o)                                       \
    {                                                                                              \
        const vec a = c->v[o->a], b = c->v[o->b], k = c->v[o->c & 127];                            \
        int nj = denormals_off(c);                                                                 \
        vec d;                                                                                     \
        (void)a, (void)b, (void)k, (void)nj;                                                       \
        for (unsigned i = 0; i < 4; i++) {                                                         \
            d.w[i] = expression;                                                                   \
        }                                                                                          \
        c->v[o->d] = d;                                                                            \
    }                                                                                              \
    HANDLER(name)                                                                                  \
    {                                                                                              \
        name##_do(c, o);                                                                           \
        NEXT();                                                                                    \
    }

FLOATS(op_vaddfp, add32(a.w[i], b.w[i], 0, nj))
FLOATS(op_vsubfp, add32(a.w[i], b.w[i], SIGN32, nj))
FLOATS(op_vmulfp, mul32(a.w[i], b.w[i], nj))
FLOATS(op_vmaddfp, fma32(a.w[i], k.w[i], b.w[i], 0, nj))
FLOATS(op_vnmsubfp, negate32(fma32(a.w[i], k.w[i], b.w[i], SIGN32, nj)))

/* Dot products: products are exact in double precision, the sums (0 + 2) + (1 + 3) are doubles, and
 * the end is rounded to single. What overflows the single there is a NaN, not an infinity. No
 * document says so: xenia pull request 1565 (collisions of titles need the NaN) and xenia-canary's
 * src/xenia/cpu/backend/x64/x64_sequences.cc (doubles, and their order) are the best evidence. */
static inline uint32_t dot(vec a, vec b, unsigned count, int nj)
{
    double product[4] = {0};
    int finite = 1;
    for (unsigned i = 0; i < count; i++) {
        uint32_t x = WORD(a, i), y = WORD(b, i);
        if (is_nan32(x) || is_nan32(y)) {
            return nan_first(x, y, 0);
        }
        product[i] = value_of(operand(x, nj)) * value_of(operand(y, nj));
        finite &= isfinite(product[i]) != 0;
    }
    double even = product[0] + product[2], odd = count == 4 ? product[1] + product[3] : product[1];
    uint32_t w = result(even + odd, nj);
    return finite && (w & ~SIGN32) == INF32 ? NAN32 : w;
}

#define DOT(name, count)                                                                           \
    static PPC_NOINLINE void name##_do(core *c, const op *o)                                       \
    {                                                                                              \
        uint32_t w = dot(c->v[o->a], c->v[o->b], count, denormals_off(c));                         \
        c->v[o->d] = (vec){.w = {w, w, w, w}};                                                     \
    }                                                                                              \
    HANDLER(name)                                                                                  \
    {                                                                                              \
        name##_do(c, o);                                                                           \
        NEXT();                                                                                    \
    }

DOT(op_vmsum3fp, 3)
DOT(op_vmsum4fp, 4)

/* A number as an integer of the same order; -0 just below +0. */
static inline int32_t ordered32(uint32_t w)
{
    return w & SIGN32 ? (int32_t)(0x7FFFFFFF - (w & ~SIGN32)) - 0x7FFFFFFF - 1 : (int32_t)w;
}

/* Maximum and minimum: -0 is less than +0; a NaN operand is the result. */
static inline uint32_t max32(uint32_t a, uint32_t b, int nj)
{
    if (is_nan32(a) || is_nan32(b)) {
        return nan_first(a, b, 0);
    }
    a = operand(a, nj), b = operand(b, nj);
    return ordered32(a) >= ordered32(b) ? a : b;
}

static inline uint32_t min32(uint32_t a, uint32_t b, int nj)
{
    if (is_nan32(a) || is_nan32(b)) {
        return nan_first(a, b, 0);
    }
    a = operand(a, nj), b = operand(b, nj);
    return ordered32(a) <= ordered32(b) ? a : b;
}

FLOATS(op_vmaxfp, max32(a.w[i], b.w[i], nj))
FLOATS(op_vminfp, min32(a.w[i], b.w[i], nj))

/* Compares see flushed operands; any NaN makes them false. */
#define OPERAND(v) ((float)value_of(operand((v).w[i], denormals_off(c))))
VMX_COMPARE(op_vcmpeqfp, 4, w, uint32_t, OPERAND(a) == OPERAND(b))
VMX_COMPARE(op_vcmpgefp, 4, w, uint32_t, OPERAND(a) >= OPERAND(b))
VMX_COMPARE(op_vcmpgtfp, 4, w, uint32_t, OPERAND(a) > OPERAND(b))

/* vcmpbfp: bit 0 not (a <= b), bit 1 not (a >= -b); CR6 says whether all are within bounds. */
static inline vec bounds(const core *c, vec a, vec b)
{
    vec d;
    for (unsigned i = 0; i < 4; i++) {
        float x = OPERAND(a), y = OPERAND(b);
        d.w[i] = (x <= y ? 0 : SIGN32) | (x >= -y ? 0 : SIGN32 >> 1);
    }
    return d;
}

HANDLER(op_vcmpbfp)
{
    c->v[o->d] = bounds(c, c->v[o->a], c->v[o->b]);
    NEXT();
}

HANDLER(op_vcmpbfp_rc)
{
    vec d = bounds(c, c->v[o->a], c->v[o->b]);
    c->v[o->d] = d;
    set_cr6(c, 0, (d.d[0] | d.d[1]) == 0);
    NEXT();
}

/* Rounds to an integral value. Numbers of 2^23 and more are integral already. */
static inline uint32_t integral(uint32_t w, int nj, unsigned mode)
{
    w = operand(w, nj);
    if (is_nan32(w)) {
        return w | QUIET32;
    }
    double x = value_of(w);
    if (fabs(x) >= 0x1p23) {
        return w;
    }
    int32_t whole = (int32_t)x;
    double rest = x - whole; /* the sign of x */
    if (mode == 0) {
        whole += rest > 0.5 || (rest == 0.5 && whole & 1);
        whole -= rest < -0.5 || (rest == -0.5 && whole & 1);
    } else if (mode == 2) {
        whole += rest > 0;
    } else if (mode == 3) {
        whole -= rest < 0;
    }
    return bits_of((float)whole) | (w & SIGN32);
}

FLOATS(op_vrfin, integral(b.w[i], nj, 0))
FLOATS(op_vrfiz, integral(b.w[i], nj, 1))
FLOATS(op_vrfip, integral(b.w[i], nj, 2))
FLOATS(op_vrfim, integral(b.w[i], nj, 3))

/* 2^-n as a double, for the scale of conversions. */
static inline double scale_of(unsigned n)
{
    uint64_t bits = (uint64_t)(1023 + n) << 52;
    double d;
    memcpy(&d, &bits, 8);
    return d;
}

FLOATS(op_vcfux, bits_of((float)((double)b.w[i] / scale_of(o->imm))))
FLOATS(op_vcfsx, bits_of((float)((double)b.sw[i] / scale_of(o->imm))))

/* To integers: scaled, truncated, saturated; a NaN gives 0 (LESSONS 22). */
static PPC_NOINLINE void to_unsigned(core *c, const op *o)
{
    vec b = c->v[o->b], d;
    uint32_t sat = 0;
    for (unsigned i = 0; i < 4; i++) {
        double x = value_of(b.w[i]) * scale_of(o->imm);
        sat |= x <= -1.0 || x >= 4294967296.0;
        d.w[i] = !(x > 0) ? 0 : x >= 4294967296.0 ? UINT32_MAX : (uint32_t)x;
    }
    c->v[o->d] = d;
    c->s.vscr |= sat;
}

static PPC_NOINLINE void to_signed(core *c, const op *o)
{
    vec b = c->v[o->b], d;
    uint32_t sat = 0;
    for (unsigned i = 0; i < 4; i++) {
        double x = value_of(b.w[i]) * scale_of(o->imm);
        sat |= x <= -2147483649.0 || x >= 2147483648.0;
        d.sw[i] = x >= 2147483648.0   ? INT32_MAX
                  : x < -2147483648.0 ? INT32_MIN
                  : x == x            ? (int32_t)x
                                      : 0;
    }
    c->v[o->d] = d;
    c->s.vscr |= sat;
}

HANDLER(op_vctuxs)
{
    to_unsigned(c, o);
    NEXT();
}

HANDLER(op_vctsxs)
{
    to_signed(c, o);
    NEXT();
}

/* Estimates. The PEM bounds their errors (1/4096, 1/4096, 1/16 relative, 1/32 absolute); these are
 * near the rounded values, and the same on every host. */
static inline uint32_t reciprocal32(uint32_t w, int nj)
{
    if (is_nan32(w)) {
        return w | QUIET32;
    }
    return result(1.0 / value_of(operand(w, nj)), nj);
}

static inline uint32_t reciprocal_root32(uint32_t w, int nj)
{
    w = operand(w, nj);
    if (is_nan32(w)) {
        return w | QUIET32;
    }
    if (w << 1 == 0) {
        return (w & SIGN32) | INF32;
    }
    return w & SIGN32 ? NAN32 : result(1.0 / sqrt(value_of(w)), nj);
}

/* 2^x: the power of the whole part, and a series in the fraction (0 <= f < 1). */
static inline uint32_t exponential32(uint32_t w, int nj)
{
    w = operand(w, nj);
    if (is_nan32(w)) {
        return w | QUIET32;
    }
    double x = value_of(w);
    if (x >= 128) {
        return INF32;
    }
    if (x < -150) {
        return 0;
    }
    int whole = (int)x;
    whole -= x < whole;
    double t = (x - whole) * 0x1.62e42fefa39efp-1, power = 1; /* ln 2 */
    for (int n = 10; n > 0; n--) {
        power = 1 + power * t / n;
    }
    return result(
        whole < 0 ? power / scale_of((unsigned)-whole) : power * scale_of((unsigned)whole), nj);
}

/* log2 x: the exponent, and a series in (m - 1) / (m + 1). */
static inline uint32_t logarithm32(uint32_t w, int nj)
{
    w = operand(w, nj);
    if (is_nan32(w)) {
        return w | QUIET32;
    }
    if (w << 1 == 0) {
        return SIGN32 | INF32;
    }
    if (w & SIGN32) {
        return NAN32;
    }
    if (w == INF32) {
        return w;
    }
    double x = value_of(w), m;
    uint64_t bits;
    memcpy(&bits, &x, 8);
    int exponent = (int)(bits >> 52) - 1023;
    bits = (bits & UINT64_C(0x000FFFFFFFFFFFFF)) | UINT64_C(0x3FF0000000000000);
    memcpy(&m, &bits, 8);
    double s = (m - 1) / (m + 1), square = s * s, sum = 0;
    for (int n = 15; n > 0; n -= 2) {
        sum = sum * square + 1.0 / n;
    }
    return result(exponent + 2 * s * sum * 0x1.71547652b82fep+0, nj); /* 1 / ln 2 */
}

FLOATS(op_vrefp, reciprocal32(b.w[i], nj))
FLOATS(op_vrsqrtefp, reciprocal_root32(b.w[i], nj))
FLOATS(op_vexptefp, exponential32(b.w[i], nj))
FLOATS(op_vlogefp, logarithm32(b.w[i], nj))
