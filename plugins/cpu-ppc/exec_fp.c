/* exec_fp.c: scalar floating point and FPSCR (PowerISA 2.03 book I, chapter 4). */
#include "mem.h"
#include "softfp.h"

#define MSR_FE UINT64_C(0x900) /* FE0, FE1: enabled exceptions interrupt */

#define FD (c->s.f[o->d])
#define FA (c->s.f[o->a])
#define FB (c->s.f[o->b])
#define FC (c->s.f[o->c])

/* FEX and VX are what the other bits say. */
static inline uint32_t summarise(uint32_t fpscr)
{
    fpscr &= ~(FP_FEX | FP_VX);
    fpscr |= fpscr & FP_VX_ALL ? FP_VX : 0;
    /* VX OX UX ZX XX lie 22 bits above VE OE UE ZE XE */
    fpscr |= (fpscr >> 22) & fpscr & (FP_VE | FP_OE | FP_UE | FP_ZE | FP_XE) ? FP_FEX : 0;
    return fpscr;
}

/* Raises exception bits; FX records that one went from 0 to 1. */
static inline uint32_t raised(uint32_t fpscr, uint32_t bits)
{
    uint32_t sticky = bits & ~(FP_FR | FP_FI | FP_FPRF);
    return summarise(fpscr | sticky | (sticky & ~fpscr ? FP_FX : 0));
}

/* Class and sign of a result, 4.2.2 figure 26. */
static inline uint32_t fprf_of(uint64_t bits, int single)
{
    uint32_t negative = (uint32_t)(bits >> 63);
    uint64_t magnitude = bits & ~FP_SIGN;
    uint64_t least = single ? UINT64_C(0x3810000000000000) : UINT64_C(0x0010000000000000);
    if (magnitude - least < FP_INF - least) {
        return negative ? 0x8000 : 0x4000;
    }
    if (magnitude > FP_INF) {
        return 0x11000;
    }
    if (magnitude == FP_INF) {
        return negative ? 0x9000 : 0x5000;
    }
    if (magnitude == 0) {
        return negative ? 0x12000 : 0x2000;
    }
    return negative ? 0x18000 : 0x14000;
}

/* Ends an arithmetic instruction. An enabled invalid operation or division by zero leaves the
 * target and FPRF alone. */
static inline void finish(core *c, uint64_t *target, fp_result r, int single)
{
    uint32_t fpscr = c->s.fpscr & ~(FP_FR | FP_FI);
    int blocked = (r.flags & FP_VX_ALL && fpscr & FP_VE) || (r.flags & FP_ZX && fpscr & FP_ZE);
    if (!blocked) {
        *target = r.bits;
        fpscr = (fpscr & ~FP_FPRF) | (r.flags & (FP_FR | FP_FI)) | fprf_of(r.bits, single);
    }
    c->s.fpscr = raised(fpscr, r.flags);
}

/* The first NaN operand, quieted (CPU-FACTS.md); VXSNAN when any is signalling. */
static PPC_NOINLINE fp_result nan_of(uint64_t a, uint64_t b, uint64_t third)
{
    uint64_t nan = fp_is_nan(a) ? a : fp_is_nan(b) ? b : third;
    uint32_t flags = fp_is_snan(a) | fp_is_snan(b) | fp_is_snan(third) ? FP_VXSNAN : 0;
    return (fp_result){nan | FP_QUIET, flags};
}

static inline fp_result invalid(uint32_t flag)
{
    return (fp_result){FP_DEFAULT, flag};
}

/* Biased exponent of a number that is neither zero, denormal, infinite nor a NaN? */
static inline int is_normal(uint64_t a)
{
    return (((a >> 52) + 1) & 0x7FF) > 1;
}

static fp_result add_special(uint64_t a, uint64_t b, int single, uint32_t fpscr)
{
    a = fp_operand(a, fpscr), b = fp_operand(b, fpscr);
    if (fp_is_nan(a) || fp_is_nan(b)) {
        return nan_of(a, b, 0);
    }
    if (fp_is_inf(a) && fp_is_inf(b) && a != b) {
        return invalid(FP_VXISI);
    }
    if (fp_is_inf(a) || fp_is_inf(b)) {
        return (fp_result){fp_is_inf(a) ? a : b, 0};
    }
    if (fp_is_zero(a) && fp_is_zero(b)) {
        return (fp_result){a == b ? a : fp_zero_sum(fpscr), 0};
    }
    if (fp_is_zero(a) || fp_is_zero(b)) {
        fp_number n = fp_unpack(fp_is_zero(a) ? b : a);
        return fp_round(n.sign, n.exp, n.sig, single, fpscr);
    }
    return fp_add(fp_unpack(a), fp_unpack(b), single, fpscr);
}

static inline fp_result add(uint64_t a, uint64_t b, int single, uint32_t fpscr)
{
    if (is_normal(a) && is_normal(b)) {
        return fp_add(fp_unpack(a), fp_unpack(b), single, fpscr);
    }
    return add_special(a, b, single, fpscr);
}

/* b's sign turned, unless it is a NaN, which passes as it is. */
static inline fp_result subtract(uint64_t a, uint64_t b, int single, uint32_t fpscr)
{
    return add(a, fp_is_nan(b) ? b : b ^ FP_SIGN, single, fpscr);
}

static inline fp_result multiply(uint64_t a, uint64_t b, int single, uint32_t fpscr)
{
    uint64_t sign = (a ^ b) & FP_SIGN;
    if (is_normal(a) && is_normal(b)) {
        return fp_mul(fp_unpack(a), fp_unpack(b), single, fpscr);
    }
    a = fp_operand(a, fpscr), b = fp_operand(b, fpscr);
    if (fp_is_nan(a) || fp_is_nan(b)) {
        return nan_of(a, b, 0);
    }
    if (fp_is_inf(a) || fp_is_inf(b)) {
        return fp_is_zero(a) || fp_is_zero(b) ? invalid(FP_VXIMZ) : (fp_result){sign | FP_INF, 0};
    }
    if (fp_is_zero(a) || fp_is_zero(b)) {
        return (fp_result){sign, 0};
    }
    return fp_mul(fp_unpack(a), fp_unpack(b), single, fpscr);
}

static inline fp_result divide(uint64_t a, uint64_t b, int single, uint32_t fpscr)
{
    uint64_t sign = (a ^ b) & FP_SIGN;
    if (is_normal(a) && is_normal(b)) {
        return fp_div(fp_unpack(a), fp_unpack(b), single, fpscr);
    }
    a = fp_operand(a, fpscr), b = fp_operand(b, fpscr);
    if (fp_is_nan(a) || fp_is_nan(b)) {
        return nan_of(a, b, 0);
    }
    if (fp_is_inf(a)) {
        return fp_is_inf(b) ? invalid(FP_VXIDI) : (fp_result){sign | FP_INF, 0};
    }
    if (fp_is_inf(b)) {
        return (fp_result){sign, 0};
    }
    if (fp_is_zero(b)) {
        return fp_is_zero(a) ? invalid(FP_VXZDZ) : (fp_result){sign | FP_INF, FP_ZX};
    }
    if (fp_is_zero(a)) {
        return (fp_result){sign, 0};
    }
    return fp_div(fp_unpack(a), fp_unpack(b), single, fpscr);
}

/* a * k + b; NaNs are chosen in the order a, b, k. Infinity times zero is invalid even where a NaN
 * addend is the result. */
static PPC_NOINLINE fp_result fma_special(uint64_t a, uint64_t k, uint64_t b, int single,
                                          uint32_t fpscr)
{
    a = fp_operand(a, fpscr), k = fp_operand(k, fpscr), b = fp_operand(b, fpscr);
    uint64_t sign = (a ^ k) & FP_SIGN;
    int imz = (fp_is_inf(a) && fp_is_zero(k)) || (fp_is_zero(a) && fp_is_inf(k));
    if (fp_is_nan(a) || fp_is_nan(b) || fp_is_nan(k)) {
        fp_result r = nan_of(a, b, k);
        r.flags |= imz ? FP_VXIMZ : 0;
        return r;
    }
    if (imz) {
        return invalid(FP_VXIMZ);
    }
    if (fp_is_inf(a) || fp_is_inf(k)) {
        return fp_is_inf(b) && (b & FP_SIGN) != sign ? invalid(FP_VXISI)
                                                     : (fp_result){sign | FP_INF, 0};
    }
    if (fp_is_inf(b)) {
        return (fp_result){b, 0};
    }
    if (fp_is_zero(a) || fp_is_zero(k)) {
        return add_special(sign, b, single, fpscr);
    }
    if (fp_is_zero(b)) {
        return fp_mul(fp_unpack(a), fp_unpack(k), single, fpscr);
    }
    return fp_fma(fp_unpack(a), fp_unpack(k), fp_unpack(b), single, fpscr);
}

static inline fp_result multiply_add(uint64_t a, uint64_t k, uint64_t b, int single, uint32_t fpscr)
{
    if (is_normal(a) && is_normal(k) && is_normal(b)) {
        return fp_fma(fp_unpack(a), fp_unpack(k), fp_unpack(b), single, fpscr);
    }
    return fma_special(a, k, b, single, fpscr);
}

static inline fp_result multiply_sub(uint64_t a, uint64_t k, uint64_t b, int single, uint32_t fpscr)
{
    return multiply_add(a, k, fp_is_nan(b) ? b : b ^ FP_SIGN, single, fpscr);
}

/* The negative forms negate after rounding, and leave NaNs alone (4.6.5.2). */
static inline fp_result negated(fp_result r)
{
    r.bits ^= fp_is_nan(r.bits) ? 0 : FP_SIGN;
    return r;
}

static PPC_NOINLINE fp_result square_root(uint64_t b, int single, uint32_t fpscr)
{
    b = fp_operand(b, fpscr);
    if (fp_is_nan(b)) {
        return nan_of(b, 0, 0);
    }
    if (fp_is_zero(b) || b == FP_INF) {
        return (fp_result){b, 0};
    }
    if (b & FP_SIGN) {
        return invalid(FP_VXSQRT);
    }
    return fp_sqrt(fp_unpack(b), single, fpscr);
}

static fp_result to_single(uint64_t b, uint32_t fpscr)
{
    b = fp_operand(b, fpscr);
    if (fp_is_nan(b)) {
        fp_result r = nan_of(b, 0, 0);
        r.bits &= ~UINT64_C(0x1FFFFFFF);
        return r;
    }
    if (fp_is_inf(b) || fp_is_zero(b)) {
        return (fp_result){b, 0};
    }
    fp_number n = fp_unpack(b);
    return fp_round(n.sign, n.exp, n.sig, 1, fpscr);
}

/* fres: the reciprocal, rounded to single; its architected bound is 1/256. FI, FR and XX are left
 * alone by the estimates. */
static fp_result reciprocal(uint64_t b, int single, uint32_t fpscr)
{
    fp_result r = divide(UINT64_C(0x3FF0000000000000), b, single, fpscr);
    r.flags &= ~(FP_XX | FP_FI | FP_FR);
    return r;
}

/* frsqrte: 1 / sqrt, rounded twice; its architected bound is 1/32. */
static fp_result reciprocal_root(uint64_t b, int single, uint32_t fpscr)
{
    fp_result root = square_root(b, single, fpscr & FP_NI);
    if (root.flags & FP_VX_ALL || fp_is_nan(b)) {
        return root;
    }
    fp_result r = divide(UINT64_C(0x3FF0000000000000), root.bits, single, fpscr & ~(FP_OE | FP_UE));
    r.flags &= ~(FP_XX | FP_FI | FP_FR);
    return r;
}

/* Rounds to a signed integer of `width` bits; out of range saturates (4.6.6). */
static PPC_NOINLINE fp_result to_integer(uint64_t b, unsigned width, uint32_t mode)
{
    uint64_t least = UINT64_MAX << (width - 1), most = ~least;
    if (fp_is_nan(b)) {
        return (fp_result){least, FP_VXCVI | (fp_is_snan(b) ? FP_VXSNAN : 0)};
    }
    uint32_t sign = (uint32_t)(b >> 63), flags = 0;
    if (fp_is_zero(b)) {
        return (fp_result){0, 0};
    }
    if (fp_is_inf(b)) {
        return (fp_result){sign ? least : most, FP_VXCVI};
    }
    fp_number n = fp_unpack(b);
    if (n.exp > 63) {
        return (fp_result){sign ? least : most, FP_VXCVI};
    }
    /* fixed point with 64 bits on either side */
    u128 fixed =
        n.exp < -1 ? fp_jam128((u128)n.sig, (uint32_t)(-1 - n.exp)) : (u128)n.sig << (n.exp + 1);
    uint64_t whole = (uint64_t)(fixed >> 64), rest = (uint64_t)fixed, half = UINT64_C(1) << 63;
    unsigned up = mode == RN_NEAREST
                      ? rest > half || (rest == half && whole & 1)
                      : rest && ((mode == RN_UP && !sign) || (mode == RN_DOWN && sign));
    if (up && whole == UINT64_MAX) {
        return (fp_result){sign ? least : most, FP_VXCVI};
    }
    whole += up;
    if (whole > most + sign) {
        return (fp_result){sign ? least : most, FP_VXCVI};
    }
    if (rest) {
        flags = FP_XX | FP_FI | (up ? FP_FR : 0);
    }
    return (fp_result){sign ? 0 - whole : whole, flags};
}

/* FPRF is undefined after conversions to integers; it stays as it was. */
static void finish_integer(core *c, uint64_t *target, fp_result r)
{
    uint32_t fpscr = c->s.fpscr & ~(FP_FR | FP_FI);
    if (!(r.flags & FP_VX_ALL && fpscr & FP_VE)) {
        *target = r.bits;
        fpscr |= r.flags & (FP_FR | FP_FI);
    }
    c->s.fpscr = raised(fpscr, r.flags);
}

static fp_result from_integer(uint64_t b, uint32_t fpscr)
{
    uint32_t sign = (uint32_t)(b >> 63);
    uint64_t magnitude = sign ? 0 - b : b;
    if (b == 0) {
        return (fp_result){0, 0};
    }
    int lead = __builtin_clzll(magnitude);
    return fp_round(sign, 63 - lead, magnitude << lead, 0, fpscr);
}

static inline void set_cr1(core *c)
{
    for (unsigned i = 0; i < 4; i++) {
        c->cr[4 + i] = c->s.fpscr >> (31 - i) & 1;
    }
}

/* Retires, or interrupts when an enabled exception is up. */
#define FP_NEXT()                                                                                  \
    do {                                                                                           \
        if (UNLIKELY(c->s.fpscr & FP_FEX) && c->s.msr & MSR_FE) {                                  \
            return ppc_leave(c, o, left, WEFT_CPU_FP);                                             \
        }                                                                                          \
        NEXT();                                                                                    \
    } while (0)

/* `body` as a function of its own, so that the handlers need no stack. */
#define FP_HANDLERS(name, body)                                                                    \
    static PPC_NOINLINE void name##_do(core *c, const op *o)                                       \
    {                                                                                              \
        uint32_t fpscr = c->s.fpscr;                                                               \
        (void)fpscr;                                                                               \
        body;                                                                                      \
    }                                                                                              \
    HANDLER(name)                                                                                  \
    {                                                                                              \
        name##_do(c, o);                                                                           \
        FP_NEXT();                                                                                 \
    }                                                                                              \
    HANDLER(name##_rc)                                                                             \
    {                                                                                              \
        name##_do(c, o);                                                                           \
        set_cr1(c);                                                                                \
        FP_NEXT();                                                                                 \
    }

#define FP_ARITH(name, expression)                                                                 \
    FP_HANDLERS(op_##name, {                                                                       \
        const int single = 0;                                                                      \
        finish(c, &FD, expression, 0);                                                             \
    })                                                                                             \
    FP_HANDLERS(op_##name##s, {                                                                    \
        const int single = 1;                                                                      \
        finish(c, &FD, expression, 1);                                                             \
    })

FP_ARITH(fadd, add(FA, FB, single, fpscr))
FP_ARITH(fsub, subtract(FA, FB, single, fpscr))
FP_ARITH(fmul, multiply(FA, FC, single, fpscr))
FP_ARITH(fdiv, divide(FA, FB, single, fpscr))
FP_ARITH(fsqrt, square_root(FB, single, fpscr))
FP_ARITH(fmadd, multiply_add(FA, FC, FB, single, fpscr))
FP_ARITH(fmsub, multiply_sub(FA, FC, FB, single, fpscr))
FP_ARITH(fnmadd, negated(multiply_add(FA, FC, FB, single, fpscr)))
FP_ARITH(fnmsub, negated(multiply_sub(FA, FC, FB, single, fpscr)))
FP_HANDLERS(op_fres, finish(c, &FD, reciprocal(FB, 1, fpscr), 1))
FP_HANDLERS(op_frsqrte, finish(c, &FD, reciprocal_root(FB, 0, fpscr), 0))
FP_HANDLERS(op_frsp, finish(c, &FD, to_single(FB, fpscr), 1))
FP_HANDLERS(op_fcfid, finish(c, &FD, from_integer(FB, fpscr), 0))
FP_HANDLERS(op_fctiw, finish_integer(c, &FD, to_integer(fp_operand(FB, fpscr), 32, fpscr &FP_RN)))
FP_HANDLERS(op_fctiwz, finish_integer(c, &FD, to_integer(fp_operand(FB, fpscr), 32, RN_ZERO)))
FP_HANDLERS(op_fctid, finish_integer(c, &FD, to_integer(fp_operand(FB, fpscr), 64, fpscr &FP_RN)))
FP_HANDLERS(op_fctidz, finish_integer(c, &FD, to_integer(fp_operand(FB, fpscr), 64, RN_ZERO)))

/* fsel: a >= -0 selects C, less or NaN selects B (4.6.8). */
#define FP_MOVE(name, expression)                                                                  \
    HANDLER(name)                                                                                  \
    {                                                                                              \
        FD = expression;                                                                           \
        NEXT();                                                                                    \
    }                                                                                              \
    HANDLER(name##_rc)                                                                             \
    {                                                                                              \
        FD = expression;                                                                           \
        set_cr1(c);                                                                                \
        NEXT();                                                                                    \
    }

FP_MOVE(op_fmr, FB)
FP_MOVE(op_fneg, FB ^ FP_SIGN)
FP_MOVE(op_fabs, FB & ~FP_SIGN)
FP_MOVE(op_fnabs, FB | FP_SIGN)
FP_MOVE(op_fsel, !fp_is_nan(FA) && (!(FA & FP_SIGN) || fp_is_zero(FA)) ? FC : FB)

/* A number as an integer of the same order; -0 equals +0. */
static inline int64_t ordered(uint64_t a)
{
    return a & FP_SIGN ? (int64_t)(0 - (a & ~FP_SIGN)) : (int64_t)a;
}

static PPC_NOINLINE void compare(core *c, const op *o, int is_ordered)
{
    uint64_t a = fp_operand(FA, c->s.fpscr), b = fp_operand(FB, c->s.fpscr);
    int nan = fp_is_nan(a) || fp_is_nan(b);
    int lt = !nan && ordered(a) < ordered(b), gt = !nan && ordered(a) > ordered(b);
    uint32_t fpscr = c->s.fpscr & ~FP_FPCC, flags = 0;

    fpscr |= lt ? 0x8000 : gt ? 0x4000 : nan ? 0x1000 : 0x2000;
    if (nan && (fp_is_snan(a) || fp_is_snan(b))) {
        flags = FP_VXSNAN | (is_ordered && !(fpscr & FP_VE) ? FP_VXVC : 0);
    } else if (nan && is_ordered) {
        flags = FP_VXVC;
    }
    c->s.fpscr = raised(fpscr, flags);
    c->cr[o->d] = (uint8_t)lt;
    c->cr[o->d + 1] = (uint8_t)gt;
    c->cr[o->d + 2] = !lt && !gt && !nan;
    c->cr[o->d + 3] = (uint8_t)nan;
}

HANDLER(op_fcmpu)
{
    compare(c, o, 0);
    FP_NEXT();
}

HANDLER(op_fcmpo)
{
    compare(c, o, 1);
    FP_NEXT();
}

/* FPSCR moves, 4.6.9. Fields count from the left. */
#define FP_EXCEPTIONS (FP_OX | FP_UX | FP_ZX | FP_XX | FP_VX_ALL)

FP_HANDLERS(op_mffs, FD = fpscr)

FP_HANDLERS(op_mtfsb0, {
    uint32_t bit = UINT32_C(1) << (31 - o->d);
    c->s.fpscr = summarise(fpscr & ~(bit & ~(FP_FEX | FP_VX)));
})

FP_HANDLERS(op_mtfsb1, {
    uint32_t bit = (UINT32_C(1) << (31 - o->d)) & ~(FP_FEX | FP_VX | FP_RESERVED);
    fpscr |= bit & FP_EXCEPTIONS & ~fpscr ? FP_FX : 0;
    c->s.fpscr = summarise(fpscr | bit);
})

/* Bits under `mask` come from `value`; FEX and VX follow the others. */
static void fpscr_write(core *c, uint32_t value, uint32_t mask)
{
    mask &= ~(FP_FEX | FP_VX | FP_RESERVED);
    c->s.fpscr = summarise((c->s.fpscr & ~mask) | (value & mask));
}

FP_HANDLERS(op_mtfsfi, {
    unsigned shift = 28u - o->d;
    fpscr_write(c, (o->imm >> 12 & 15) << shift, UINT32_C(15) << shift);
})

FP_HANDLERS(op_mtfsf, {
    uint32_t mask = 0;
    for (unsigned i = 0; i < 8; i++) {
        mask |= o->imm >> (24 - i) & 1 ? UINT32_C(0xF0000000) >> (4 * i) : 0;
    }
    fpscr_write(c, (uint32_t)FB, mask);
})

/* Copies a field to CR and clears the exception bits in it. */
HANDLER(op_mcrfs)
{
    unsigned shift = 28u - (o->imm >> 16 & 0x1C);
    uint32_t field = c->s.fpscr >> shift & 15;
    for (unsigned i = 0; i < 4; i++) {
        c->cr[o->d + i] = field >> (3 - i) & 1;
    }
    c->s.fpscr = summarise(c->s.fpscr & ~((FP_EXCEPTIONS | FP_FX) & UINT32_C(15) << shift));
    NEXT();
}

/* lfs widens without quieting (4.6.2); stfs narrows by moving bits (4.6.3). */
static inline uint64_t widen(uint32_t w)
{
    uint64_t sign = (uint64_t)(w >> 31) << 63;
    uint32_t e = w >> 23 & 0xFF, m = w & 0x7FFFFF;
    if (e - 1 < 0xFE) {
        return sign | (uint64_t)(e + 896) << 52 | (uint64_t)m << 29;
    }
    if (e == 0xFF) {
        return sign | FP_INF | (uint64_t)m << 29;
    }
    if (m == 0) {
        return sign;
    }
    int lead = __builtin_clz(m) - 8;
    return sign | (uint64_t)(897 - lead) << 52 | ((uint64_t)m << (29 + lead) & ~(FP_INF | FP_SIGN));
}

static inline uint32_t narrow(uint64_t d)
{
    uint32_t e = (uint32_t)(d >> 52 & 0x7FF);
    uint32_t word = (uint32_t)(d >> 32 & 0xC0000000) | (uint32_t)(d >> 29 & 0x3FFFFFFF);
    if (e > 896 || d << 1 == 0) {
        return word;
    }
    if (e < 874) { /* below the denormals, undefined in the ISA: zero */
        return (uint32_t)(d >> 32 & 0x80000000);
    }
    uint64_t m = (d & UINT64_C(0x000FFFFFFFFFFFFF)) | UINT64_C(1) << 52;
    return (uint32_t)(d >> 32 & 0x80000000) | (uint32_t)(m >> (29 + 897 - e));
}

static inline uint64_t get_single(const uint8_t *p)
{
    return widen(guest_load32(p));
}

static inline void set_single(uint8_t *p, uint64_t d)
{
    guest_store32(p, narrow(d));
}

static inline void set_low_word(uint8_t *p, uint64_t d)
{
    guest_store32(p, (uint32_t)d);
}

#define PUT_F(value) (FD = (value))

LOAD(op_lfs, 4, get_single, PUT_F, EA_DISP, 0)
LOAD(op_lfsu, 4, get_single, PUT_F, EA_DISP, 1)
LOAD(op_lfsx, 4, get_single, PUT_F, EA_INDEX, 0)
LOAD(op_lfsux, 4, get_single, PUT_F, EA_INDEX, 1)
LOAD(op_lfd, 8, guest_load64, PUT_F, EA_DISP, 0)
LOAD(op_lfdu, 8, guest_load64, PUT_F, EA_DISP, 1)
LOAD(op_lfdx, 8, guest_load64, PUT_F, EA_INDEX, 0)
LOAD(op_lfdux, 8, guest_load64, PUT_F, EA_INDEX, 1)
STORE(op_stfs, 4, set_single, FD, EA_DISP, 0)
STORE(op_stfsu, 4, set_single, FD, EA_DISP, 1)
STORE(op_stfsx, 4, set_single, FD, EA_INDEX, 0)
STORE(op_stfsux, 4, set_single, FD, EA_INDEX, 1)
STORE(op_stfd, 8, guest_store64, FD, EA_DISP, 0)
STORE(op_stfdu, 8, guest_store64, FD, EA_DISP, 1)
STORE(op_stfdx, 8, guest_store64, FD, EA_INDEX, 0)
STORE(op_stfdux, 8, guest_store64, FD, EA_INDEX, 1)
STORE(op_stfiwx, 4, set_low_word, FD, EA_INDEX, 0)
