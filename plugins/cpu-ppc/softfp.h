/* softfp.h: IEEE 754 arithmetic on integers, rounded once, in the guest's rounding mode.
 *
 * Scalar floating point does not use the host's: FPSCR wants, per instruction, whether the result
 * was rounded and whether upwards, tininess before rounding (PowerISA 2.03 book I, 4.4), wrapped
 * exponents for enabled exceptions, and NaNs chosen by its own rule; and nothing here depends on
 * the host's rounding mode, so callbacks never have to restore it.
 *
 * A finite non-zero number is sign, exp, sig with the top bit of sig set: sig * 2^(exp - 63). Bits
 * that do not fit are folded into the lowest bit ("jammed"): with 11 bits or more below the
 * result's last place this rounds as the exact value would. */
#ifndef PPC_SOFTFP_H
#define PPC_SOFTFP_H

#include <math.h>
#include <stdint.h>

typedef unsigned __int128 u128;

/* FPSCR, PowerISA 2.03 book I, 4.2.2. */
#define FP_FX       UINT32_C(0x80000000)
#define FP_FEX      UINT32_C(0x40000000)
#define FP_VX       UINT32_C(0x20000000)
#define FP_OX       UINT32_C(0x10000000)
#define FP_UX       UINT32_C(0x08000000)
#define FP_ZX       UINT32_C(0x04000000)
#define FP_XX       UINT32_C(0x02000000)
#define FP_VXSNAN   UINT32_C(0x01000000)
#define FP_VXISI    UINT32_C(0x00800000)
#define FP_VXIDI    UINT32_C(0x00400000)
#define FP_VXZDZ    UINT32_C(0x00200000)
#define FP_VXIMZ    UINT32_C(0x00100000)
#define FP_VXVC     UINT32_C(0x00080000)
#define FP_FR       UINT32_C(0x00040000)
#define FP_FI       UINT32_C(0x00020000)
#define FP_FPRF     UINT32_C(0x0001F000)
#define FP_FPCC     UINT32_C(0x0000F000)
#define FP_RESERVED UINT32_C(0x00000800) /* bit 20: reads as zero */
#define FP_VXSOFT   UINT32_C(0x00000400)
#define FP_VXSQRT   UINT32_C(0x00000200)
#define FP_VXCVI    UINT32_C(0x00000100)
#define FP_VE       UINT32_C(0x00000080)
#define FP_OE       UINT32_C(0x00000040)
#define FP_UE       UINT32_C(0x00000020)
#define FP_ZE       UINT32_C(0x00000010)
#define FP_XE       UINT32_C(0x00000008)
#define FP_NI       UINT32_C(0x00000004)
#define FP_RN       UINT32_C(0x00000003)
#define FP_VX_ALL                                                                                  \
    (FP_VXSNAN | FP_VXISI | FP_VXIDI | FP_VXZDZ | FP_VXIMZ | FP_VXVC | FP_VXSOFT | FP_VXSQRT |     \
     FP_VXCVI)

#define FP_SIGN    (UINT64_C(1) << 63)
#define FP_INF     UINT64_C(0x7FF0000000000000)
#define FP_QUIET   UINT64_C(0x0008000000000000)
#define FP_DEFAULT UINT64_C(0x7FF8000000000000) /* the NaN that operations generate */

enum { RN_NEAREST, RN_ZERO, RN_UP, RN_DOWN };

/* Bits of the double that results, and FPSCR bits to raise, FI and FR among them. */
typedef struct fp_result {
    uint64_t bits;
    uint32_t flags;
} fp_result;

typedef struct fp_number {
    uint64_t sig;
    int32_t exp;
    uint32_t sign;
} fp_number;

static inline int fp_is_nan(uint64_t a)
{
    return a << 1 > FP_INF << 1;
}

static inline int fp_is_snan(uint64_t a)
{
    return fp_is_nan(a) && !(a & FP_QUIET);
}

static inline int fp_is_inf(uint64_t a)
{
    return a << 1 == FP_INF << 1;
}

static inline int fp_is_zero(uint64_t a)
{
    return a << 1 == 0;
}

/* An operand: with NI a denormal counts as zero (docs/cpu.md). */
static inline uint64_t fp_operand(uint64_t a, uint32_t fpscr)
{
    return fpscr & FP_NI && !(a & FP_INF) ? a & FP_SIGN : a;
}

static inline fp_number fp_unpack(uint64_t a)
{
    fp_number n = {.sign = (uint32_t)(a >> 63)};
    uint64_t m = a & UINT64_C(0x000FFFFFFFFFFFFF);
    int32_t e = (int32_t)(a >> 52 & 0x7FF);
    if (e) {
        n.sig = (m | UINT64_C(1) << 52) << 11;
        n.exp = e - 1023;
    } else {
        int lead = __builtin_clzll(m);
        n.sig = m << lead;
        n.exp = -1011 - lead;
    }
    return n;
}

static inline uint64_t fp_jam(uint64_t sig, uint32_t by)
{
    if (by == 0) {
        return sig;
    }
    return by < 64 ? sig >> by | (sig << (64 - by) != 0) : sig != 0;
}

static inline u128 fp_jam128(u128 sig, uint32_t by)
{
    if (by == 0) {
        return sig;
    }
    return by < 128 ? sig >> by | (sig << (128 - by) != 0) : sig != 0;
}

/* Rounds to double, or to single in double format. */
static inline __attribute__((always_inline)) fp_result
fp_round(uint32_t sign, int32_t exp, uint64_t sig, int single, uint32_t fpscr)
{
    const int precision = single ? 24 : 53, drop = 64 - precision;
    const int32_t emin = single ? -126 : -1022, emax = single ? 127 : 1023;
    const int32_t wrap = single ? 192 : 1536; /* of enabled overflow and underflow, 4.4.3, 4.4.4 */
    const uint64_t top = (uint64_t)sign << 63;
    uint32_t flags = 0, mode = fpscr & FP_RN;
    int tiny = exp < emin;

    /* The common case: to nearest, a double of the normal range before and after rounding. */
    if (!single && mode == RN_NEAREST && exp >= emin && exp < emax) {
        uint64_t rest = sig & 0x7FF;
        uint64_t up = (rest + ((sig >> 11) & 1)) > 0x400;
        flags = rest ? FP_XX | FP_FI | (up ? FP_FR : 0) : 0;
        /* the leading one adds 1 to the exponent; a carry out of the fraction adds another */
        return (fp_result){(top | (uint64_t)(exp + 1022) << 52) + (sig >> 11) + up, flags};
    }

    if (tiny && fpscr & FP_UE) {
        flags |= FP_UX;
        exp += wrap;
        tiny = 0;
    } else if (tiny && fpscr & FP_NI) { /* denormals are zeros, docs/cpu.md */
        return (fp_result){top, FP_UX | FP_XX | FP_FI};
    } else if (tiny) {
        sig = fp_jam(sig, (uint32_t)(emin - exp));
        exp = emin;
    }
    uint64_t rest = sig & ((UINT64_C(1) << drop) - 1), half = UINT64_C(1) << (drop - 1);
    uint64_t q = sig >> drop;
    unsigned up = mode == RN_NEAREST
                      ? rest > half || (rest == half && q & 1)
                      : rest && ((mode == RN_UP && !sign) || (mode == RN_DOWN && sign));
    q += up;
    if (rest) {
        flags |= FP_XX | FP_FI | (up ? FP_FR : 0) | (tiny ? FP_UX : 0);
    }
    if (q >> precision) {
        q >>= 1;
        exp++;
    }
    if (exp > emax) {
        flags |= FP_OX;
        if (fpscr & FP_OE) {
            exp -= wrap;
        } else {
            int infinite = mode == RN_NEAREST || mode == (sign ? RN_DOWN : RN_UP);
            uint64_t most = single ? UINT64_C(0x47EFFFFFE0000000) : FP_INF - 1;
            flags = (flags & ~FP_FR) | FP_XX | FP_FI | (infinite ? FP_FR : 0);
            return (fp_result){top | (infinite ? FP_INF : most), flags};
        }
    }
    if (!single) {
        uint64_t biased = q >> 52 ? (uint64_t)((exp + 1023) & 0x7FF) << 52 : 0;
        return (fp_result){top | biased | (q & UINT64_C(0x000FFFFFFFFFFFFF)), flags};
    }
    if (q == 0) {
        return (fp_result){top, flags};
    }
    int lead = __builtin_clzll(q) - 11; /* to bit 52 */
    /* a wrapped exponent may still lie outside even of doubles; what results then is undefined */
    uint64_t biased = (uint64_t)((exp + 29 - lead + 1023) & 0x7FF) << 52;
    return (fp_result){top | biased | (q << lead & UINT64_C(0x000FFFFFFFFFFFFF)), flags};
}

/* Sign of an exact zero that came from opposite signs (4.3.2). */
static inline uint64_t fp_zero_sum(uint32_t fpscr)
{
    return (fpscr & FP_RN) == RN_DOWN ? FP_SIGN : 0;
}

/* x + y, both finite and not zero. */
static inline fp_result fp_add(fp_number x, fp_number y, int single, uint32_t fpscr)
{
    if (x.exp < y.exp || (x.exp == y.exp && x.sig < y.sig)) {
        fp_number t = x;
        x = y;
        y = t;
    }
    uint64_t big = x.sig >> 1, small = fp_jam(y.sig >> 1, (uint32_t)(x.exp - y.exp));
    uint64_t sum = x.sign == y.sign ? big + small : big - small;
    if (sum == 0) {
        return (fp_result){fp_zero_sum(fpscr), 0};
    }
    int lead = __builtin_clzll(sum);
    return fp_round(x.sign, x.exp + 1 - lead, sum << lead, single, fpscr);
}

static inline fp_result fp_mul(fp_number x, fp_number y, int single, uint32_t fpscr)
{
    u128 product = (u128)x.sig * y.sig;
    int32_t exp = x.exp + y.exp + 1;
    if (!(product >> 127)) {
        product <<= 1;
        exp--;
    }
    return fp_round(x.sign ^ y.sign, exp, (uint64_t)(product >> 64) | ((uint64_t)product != 0),
                    single, fpscr);
}

/* n / d where the quotient fits 64 bits: one instruction where the host has it. */
static inline uint64_t fp_quotient(u128 n, uint64_t d)
{
#if defined(__x86_64__)
    uint64_t q, rest;
    __asm__("divq %4"
            : "=a"(q), "=d"(rest)
            : "0"((uint64_t)n), "1"((uint64_t)(n >> 64)), "rm"(d)
            : "cc");
    return q;
#else
    return (uint64_t)(n / d);
#endif
}

static inline fp_result fp_div(fp_number x, fp_number y, int single, uint32_t fpscr)
{
    int less = x.sig < y.sig;
    u128 n = (u128)x.sig << (63 + less);
    uint64_t q = fp_quotient(n, y.sig);
    return fp_round(x.sign ^ y.sign, x.exp - y.exp - less, q | ((u128)q * y.sig != n), single,
                    fpscr);
}

/* Square root of a positive number: an integer root of 128 bits, Newton from the host's root. */
static inline fp_result fp_sqrt(fp_number x, int single, uint32_t fpscr)
{
    int odd = x.exp & 1;
    u128 n = (u128)x.sig << (63 + odd);
    double guess = sqrt((double)(uint64_t)(n >> 64)) * 4294967296.0;
    uint64_t r = guess >= 18446744073709551615.0 ? UINT64_MAX : (uint64_t)guess;
    u128 next = ((u128)r + n / r) >> 1;
    r = next > UINT64_MAX ? UINT64_MAX : (uint64_t)next;
    while ((u128)r * r > n) {
        r--;
    }
    while (r != UINT64_MAX && (u128)(r + 1) * (r + 1) <= n) {
        r++;
    }
    return fp_round(0, (x.exp - odd) / 2, r | ((u128)r * r != n), single, fpscr);
}

/* x * y + z, rounded once; all finite and not zero. */
static inline fp_result fp_fma(fp_number x, fp_number y, fp_number z, int single, uint32_t fpscr)
{
    u128 big = (u128)x.sig * y.sig, small = (u128)z.sig << 64;
    uint32_t sign = x.sign ^ y.sign, other = z.sign;
    int32_t exp = x.exp + y.exp + 1, exp2 = z.exp;
    if (!(big >> 127)) {
        big <<= 1;
        exp--;
    }
    if (exp < exp2 || (exp == exp2 && big < small)) {
        u128 t = big;
        int32_t e = exp;
        uint32_t s = sign;
        big = small, small = t;
        exp = exp2, exp2 = e;
        sign = other, other = s;
    }
    big >>= 1; /* 22 low bits of either are clear */
    small = fp_jam128(small >> 1, (uint32_t)(exp - exp2));
    u128 sum = sign == other ? big + small : big - small;
    if (sum == 0) {
        return (fp_result){fp_zero_sum(fpscr), 0};
    }
    int lead =
        sum >> 64 ? __builtin_clzll((uint64_t)(sum >> 64)) : 64 + __builtin_clzll((uint64_t)sum);
    sum <<= lead;
    return fp_round(sign, exp + 1 - lead, (uint64_t)(sum >> 64) | ((uint64_t)sum != 0), single,
                    fpscr);
}

#endif
