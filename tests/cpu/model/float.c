/* float.c: the model of scalar and vector floating-point instructions, on exact.c. */
#include "exact.h"

#include <string.h>

#define INF    UINT64_C(0x7FF0000000000000)
#define QUIET  UINT64_C(0x0008000000000000)
#define NAN_   UINT64_C(0x7FF8000000000000)
#define SIGN   (UINT64_C(1) << 63)
#define VXSNAN 0x01000000u
#define VXISI  0x00800000u
#define VXIDI  0x00400000u
#define VXZDZ  0x00200000u
#define VXIMZ  0x00100000u
#define VXVC   0x00080000u
#define VXSQRT 0x00000200u
#define VXCVI  0x00000100u
#define VX_ALL 0x01F80700u
#define ZX     0x04000000u
#define VE     0x80u
#define ZE     0x10u
#define NI     4u

static int is_nan(uint64_t a)
{
    return (a & ~SIGN) > INF;
}

static int is_snan(uint64_t a)
{
    return is_nan(a) && !(a & QUIET);
}

static int is_inf(uint64_t a)
{
    return (a & ~SIGN) == INF;
}

static int is_zero(uint64_t a)
{
    return (a & ~SIGN) == 0;
}

/* What an operation gives, before FPSCR's summary bits. */
typedef struct outcome {
    uint64_t bits;
    uint32_t flags;
    int undefined;
} outcome;

static outcome gives(uint64_t bits, uint32_t flags)
{
    return (outcome){.bits = bits, .flags = flags};
}

static outcome from_rounded(rounded r)
{
    return (outcome){r.bits, r.flags, r.undefined};
}

/* a * c + b with a NaN or an infinity among them, or none: every arithmetic operation is a case of
 * it. `product` and `sum` say which operands take part. */
static outcome multiply_add(uint64_t a, uint64_t c, uint64_t b, int product, int sum,
                            const format *f, uint32_t fpscr)
{
    uint32_t flags = is_snan(a) || (product && is_snan(c)) || (sum && is_snan(b)) ? VXSNAN : 0;
    uint64_t sign = product ? (a ^ c) & SIGN : a & SIGN;
    int infinite = is_inf(a) || (product && is_inf(c));
    if (product && ((is_inf(a) && is_zero(c)) || (is_zero(a) && is_inf(c)))) {
        flags |= VXIMZ;
    }
    uint64_t nan = is_nan(a) ? a : sum && is_nan(b) ? b : product && is_nan(c) ? c : 0;
    if (nan || flags & VXIMZ) {
        return gives(nan ? nan | QUIET : NAN_, flags);
    }
    if (infinite) {
        return sum && is_inf(b) && (b & SIGN) != sign ? gives(NAN_, VXISI) : gives(sign | INF, 0);
    }
    if (sum && is_inf(b)) {
        return gives(b, 0);
    }
    exact x = product ? exact_product(a, c) : exact_of(a);
    if (sum) {
        exact y = exact_of(b);
        int both_negative = x.negative && y.negative, both_zero = x.zero && y.zero;
        int same = x.negative == y.negative;
        x = exact_sum(x, y);
        if (x.zero) { /* 4.3.2: of like signs that sign, else + but when rounding down */
            x.negative = both_zero && same ? both_negative : (fpscr & 3) == 3;
        }
    }
    return from_rounded(exact_round(&x, f, fpscr));
}

static outcome divide(uint64_t a, uint64_t b, const format *f, uint32_t fpscr)
{
    uint64_t sign = (a ^ b) & SIGN;
    if (is_nan(a) || is_nan(b)) {
        return gives((is_nan(a) ? a : b) | QUIET, is_snan(a) || is_snan(b) ? VXSNAN : 0);
    }
    if (is_inf(a) && is_inf(b)) {
        return gives(NAN_, VXIDI);
    }
    if (is_zero(a) && is_zero(b)) {
        return gives(NAN_, VXZDZ);
    }
    if (is_inf(a) || is_inf(b)) {
        return gives(sign | (is_inf(a) ? INF : 0), 0);
    }
    if (is_zero(b)) {
        return gives(sign | INF, ZX);
    }
    exact x = exact_quotient(a, b);
    return from_rounded(exact_round(&x, f, fpscr));
}

static outcome square_root(uint64_t b, const format *f, uint32_t fpscr)
{
    if (is_nan(b)) {
        return gives(b | QUIET, is_snan(b) ? VXSNAN : 0);
    }
    if (is_zero(b) || b == INF) {
        return gives(b, 0);
    }
    if (b & SIGN) {
        return gives(NAN_, VXSQRT);
    }
    exact x = exact_root(b);
    return from_rounded(exact_round(&x, f, fpscr));
}

static outcome to_integer(uint64_t b, unsigned width, unsigned mode)
{
    uint64_t least = UINT64_MAX << (width - 1);
    if (is_nan(b)) {
        return gives(least, VXCVI | (is_snan(b) ? VXSNAN : 0));
    }
    if (is_inf(b)) {
        return gives(b & SIGN ? least : ~least, VXCVI);
    }
    exact x = exact_of(b);
    return from_rounded(exact_to_integer(&x, width, mode));
}

static uint32_t summary(uint32_t fpscr)
{
    fpscr &= ~0x60000000u;
    fpscr |= fpscr & VX_ALL ? 0x20000000 : 0;
    for (unsigned i = 0; i < 5; i++) { /* VX OX UX ZX XX and their enables */
        fpscr |= fpscr >> (29 - i) & fpscr >> (7 - i) & 1 ? 0x40000000 : 0;
    }
    return fpscr;
}

/* FPRF of a result, 4.2.2. */
static uint32_t class_of(uint64_t bits, const format *f)
{
    uint64_t magnitude = bits & ~SIGN, negative = bits >> 63;
    uint64_t least = (uint64_t)(f->emin + 1023) << 52;
    uint32_t code = is_nan(bits)        ? 0x11
                    : magnitude == INF  ? (negative ? 0x09 : 0x05)
                    : magnitude == 0    ? (negative ? 0x12 : 0x02)
                    : magnitude < least ? (negative ? 0x18 : 0x14)
                                        : (negative ? 0x08 : 0x04);
    return code << 12;
}

static void finish(outcome r, uint64_t old, uint32_t fpscr, const format *f, fp_model *out)
{
    uint32_t before = fpscr, sticky = r.flags & ~0x60000u;
    int blocked = (r.flags & VX_ALL && fpscr & VE) || (r.flags & ZX && fpscr & ZE);
    fpscr = (fpscr & ~0x60000u) | sticky;
    if (!blocked) {
        fpscr |= r.flags & 0x60000;
        fpscr = f ? (fpscr & ~0x1F000u) | class_of(r.bits, f) : fpscr;
    }
    fpscr |= sticky & ~before ? 0x80000000 : 0;
    out->undefined = r.undefined;
    out->target = blocked ? old : r.bits;
    out->fpscr = summary(fpscr);
}

static void compare(uint64_t a, uint64_t b, int ordered, uint32_t fpscr, fp_model *out)
{
    uint32_t field = 1, flags = 0;
    if (is_nan(a) || is_nan(b)) {
        if (is_snan(a) || is_snan(b)) {
            flags = VXSNAN | (ordered && !(fpscr & VE) ? VXVC : 0);
        } else if (ordered) {
            flags = VXVC;
        }
    } else if (is_inf(a) || is_inf(b)) {
        int x = is_inf(a) ? (a & SIGN ? -1 : 1) : 0, y = is_inf(b) ? (b & SIGN ? -1 : 1) : 0;
        field = x < y ? 8 : x > y ? 4 : 2;
    } else {
        exact x = exact_of(a), y = exact_of(b);
        y.negative = !y.negative;
        exact d = exact_sum(x, y);
        field = d.zero ? 2 : d.negative ? 8 : 4;
    }
    uint32_t after = (fpscr & ~0xF000u) | field << 12 | flags;
    after |= flags & ~fpscr ? 0x80000000 : 0;
    out->fpscr = summary(after);
    out->cr_field = field;
}

/* With FPSCR[NI] denormal operands count as zeros (docs/cpu.md). */
static uint64_t operand(uint64_t a, uint32_t fpscr)
{
    return fpscr & NI && !(a & INF) ? a & SIGN : a;
}

int model_float(const char *name, uint64_t a, uint64_t b, uint64_t c, uint64_t old, uint32_t fpscr,
                fp_model *out)
{
    char base[16] = "";
    size_t n = strlen(name);
    int negate = strncmp(name, "fn", 2) == 0 && name[2] == 'm', minus, single = 0;
    outcome r;
    strncpy(base, name, sizeof base - 1);
    if (n > 4 && base[n - 1] == 's' && strcmp(name, "fabs") != 0 && strcmp(name, "fres") != 0) {
        base[n - 1] = 0;
        single = 1;
    }
    const format *f = single ? &exact_single : &exact_double;
    if (strcmp(name, "fcfid") != 0) {
        a = operand(a, fpscr), b = operand(b, fpscr), c = operand(c, fpscr);
    }
    minus = strstr(base, "sub") != NULL && !is_nan(b);
    out->cr_field = 0;
    out->undefined = 0;
    out->target = old;
    if (strcmp(base, "fadd") == 0 || strcmp(base, "fsub") == 0) {
        r = multiply_add(a, 0, minus ? b ^ SIGN : b, 0, 1, f, fpscr);
    } else if (strcmp(base, "fmul") == 0) {
        r = multiply_add(a, c, 0, 1, 0, f, fpscr);
    } else if (strcmp(base + (negate ? 2 : 1), "madd") == 0 ||
               strcmp(base + (negate ? 2 : 1), "msub") == 0) {
        r = multiply_add(a, c, minus ? b ^ SIGN : b, 1, 1, f, fpscr);
        r.bits ^= negate && !is_nan(r.bits) ? SIGN : 0;
    } else if (strcmp(base, "fdiv") == 0) {
        r = divide(a, b, f, fpscr);
    } else if (strcmp(base, "fsqrt") == 0) {
        r = square_root(b, f, fpscr);
    } else if (strcmp(name, "frsp") == 0) {
        f = &exact_single;
        r = multiply_add(b, 0, 0, 0, 0, f, fpscr);
        r.bits &= is_nan(r.bits) ? ~UINT64_C(0x1FFFFFFF) : UINT64_MAX;
    } else if (strcmp(name, "fcfid") == 0) {
        exact x = exact_of_integer((int64_t)b);
        r = from_rounded(exact_round(&x, f, fpscr));
    } else if (strncmp(name, "fctid", 5) == 0 || strncmp(name, "fctiw", 5) == 0) {
        r = to_integer(b, name[4] == 'd' ? 64 : 32, name[5] == 'z' ? 1 : fpscr & 3);
        f = NULL; /* FPRF undefined: as it was */
    } else if (strcmp(name, "fcmpu") == 0 || strcmp(name, "fcmpo") == 0) {
        compare(a, b, name[4] == 'o', fpscr, out);
        return 1;
    } else {
        return 0;
    }
    finish(r, old, fpscr, f, out);
    return 1;
}

/* Vectors: single precision, to nearest, no flags; NJ counts denormals as zeros, going in and
 * coming out. A NaN keeps its sign and payload. */
static uint64_t widen(uint32_t w)
{
    float f;
    double d;
    uint64_t bits;
    if ((w & 0x7FFFFFFF) > 0x7F800000) {
        return (uint64_t)(w >> 31) << 63 | INF | (uint64_t)(w & 0x7FFFFF) << 29;
    }
    memcpy(&f, &w, 4);
    d = f;
    memcpy(&bits, &d, 8);
    return bits;
}

static uint32_t narrow(uint64_t bits)
{
    float f;
    double d;
    uint32_t w;
    if (is_nan(bits)) {
        return (uint32_t)(bits >> 63) << 31 | 0x7F800000 | (uint32_t)(bits >> 29 & 0x7FFFFF);
    }
    memcpy(&d, &bits, 8);
    f = (float)d; /* exact */
    memcpy(&w, &f, 4);
    return w;
}

uint32_t model_vector_float(const char *name, uint32_t wa, uint32_t wb, uint32_t wc, int nj)
{
    uint32_t mode = nj ? NI : 0;
    uint64_t a = operand(widen(wa), 0), b = widen(wb), c = widen(wc);
    const uint32_t words[3] = {wa, wb, wc};
    uint64_t *const values[3] = {&a, &b, &c};
    for (unsigned i = 0; i < 3; i++) {
        if (nj && !(words[i] & 0x7F800000)) {
            *values[i] = (uint64_t)(words[i] >> 31) << 63;
        }
    }
    int minus = strstr(name, "sub") != NULL && !is_nan(b);
    uint64_t addend = minus ? b ^ SIGN : b;
    outcome r = gives(0, 0);
    if (strncmp(name, "vadd", 4) == 0 || strncmp(name, "vsubfp", 6) == 0) {
        r = multiply_add(a, 0, addend, 0, 1, &exact_single, mode);
    } else if (strncmp(name, "vmul", 4) == 0) {
        r = multiply_add(a, b, 0, 1, 0, &exact_single, mode);
    } else { /* vmadd, vnmsub: a * c + b */
        r = multiply_add(a, c, addend, 1, 1, &exact_single, mode);
        r.bits ^= name[1] == 'n' && !is_nan(r.bits) ? SIGN : 0;
    }
    return narrow(r.bits);
}
