/* exact.c: see exact.h. */
#include "exact.h"

#include <string.h>

typedef unsigned __int128 u128;

const format exact_double = {53, -1022, 1023, 1536};
const format exact_single = {24, -126, 127, 192};

static big big_from(u128 value, int shift)
{
    big b = {{0}};
    if (shift < 0) {
        value = -shift < 128 ? value >> -shift : 0;
        shift = 0;
    }
    int word = shift / 64, bit = shift % 64;
    uint64_t parts[3] = {(uint64_t)value << bit,
                         (uint64_t)(value >> 64) << bit | (bit ? (uint64_t)value >> (64 - bit) : 0),
                         bit ? (uint64_t)(value >> 64) >> (64 - bit) : 0};
    for (int i = 0; i < 3; i++) {
        if (word + i < BIG_WORDS) {
            b.w[word + i] = parts[i];
        }
    }
    return b;
}

static int big_compare(const big *a, const big *b)
{
    for (int i = BIG_WORDS; i-- > 0;) {
        if (a->w[i] != b->w[i]) {
            return a->w[i] < b->w[i] ? -1 : 1;
        }
    }
    return 0;
}

static big big_add(const big *a, const big *b, int minus)
{
    big sum;
    u128 carry = minus;
    for (int i = 0; i < BIG_WORDS; i++) {
        carry += (u128)a->w[i] + (minus ? ~b->w[i] : b->w[i]);
        sum.w[i] = (uint64_t)carry;
        carry >>= 64;
    }
    return sum;
}

/* Significand and exponent of a finite double: sig * 2^exp. */
static uint64_t split(uint64_t bits, int *exp)
{
    int e = (int)(bits >> 52 & 0x7FF);
    *exp = (e ? e : 1) - 1075;
    return (bits & UINT64_C(0xFFFFFFFFFFFFF)) | (e ? UINT64_C(1) << 52 : 0);
}

exact exact_of(uint64_t bits)
{
    int exp;
    uint64_t sig = split(bits, &exp);
    return (exact){big_from(sig, exp + BIG_POINT), 1, 0, (int)(bits >> 63), sig == 0};
}

exact exact_of_integer(int64_t value)
{
    uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    return (exact){big_from(magnitude, BIG_POINT), 1, 0, value < 0, value == 0};
}

exact exact_sum(exact a, exact b)
{
    exact sum = {.den = 1};
    if (a.negative == b.negative) {
        sum.num = big_add(&a.num, &b.num, 0);
        sum.negative = a.negative;
    } else if (big_compare(&a.num, &b.num) >= 0) {
        sum.num = big_add(&a.num, &b.num, 1);
        sum.negative = a.negative;
    } else {
        sum.num = big_add(&b.num, &a.num, 1);
        sum.negative = b.negative;
    }
    big none = {{0}};
    sum.zero = big_compare(&sum.num, &none) == 0;
    return sum;
}

exact exact_product(uint64_t a, uint64_t b)
{
    int x, y;
    u128 product = (u128)split(a, &x) * split(b, &y);
    return (exact){big_from(product, x + y + BIG_POINT), 1, 0, (int)((a ^ b) >> 63), product == 0};
}

exact exact_quotient(uint64_t a, uint64_t b)
{
    int x, y;
    uint64_t n = split(a, &x), d = split(b, &y);
    return (exact){big_from(n, x - y + BIG_POINT), d, 0, (int)((a ^ b) >> 63), n == 0};
}

exact exact_root(uint64_t a)
{
    exact e = exact_of(a);
    e.root = 1;
    return e;
}

int exact_compare(const exact *x, uint64_t q, int k)
{
    big b = x->root ? big_from((u128)q * q, 2 * k + BIG_POINT)
                    : big_from((u128)q * x->den, k + BIG_POINT);
    /* below the smallest step nothing is cut off: such q are never asked for but as 0 */
    return big_compare(&x->num, &b);
}

/* Largest e with |x| >= 2^e. */
static int exponent_of(const exact *x)
{
    int low = -2200, high = 2150;
    while (high - low > 1) {
        int middle = (low + high) / 2;
        /* written as a whole number of steps where the root halves the exponent */
        if (exact_compare(x, 1, middle) >= 0) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

#define OX 0x10000000u
#define UX 0x08000000u
#define ZX 0x04000000u
#define XX 0x02000000u
#define FR 0x00040000u
#define FI 0x00020000u
#define NI 4u
#define UE 0x20u
#define OE 0x40u

static uint64_t encode(int negative, uint64_t q, int k)
{
    /* q * 2^k as a double; q has at most 53 bits */
    uint64_t sign = (uint64_t)negative << 63;
    if (q == 0) {
        return sign;
    }
    while (!(q >> 52) && k > -1074) {
        q <<= 1;
        k--;
    }
    uint64_t biased = q >> 52 ? (uint64_t)((k + 1075) & 0x7FF) : 0;
    return sign | biased << 52 | (q & UINT64_C(0xFFFFFFFFFFFFF));
}

/* The two neighbours of |x| at step 2^k are q and q + 1: which one, by the mode. */
static uint64_t choose(const exact *x, uint64_t q, int k, unsigned mode, uint32_t *flags)
{
    if (exact_compare(x, q, k) == 0) {
        return q;
    }
    int half = exact_compare(x, 2 * q + 1, k - 1);
    int up = mode == 0   ? half > 0 || (half == 0 && (q & 1))
             : mode == 2 ? !x->negative
             : mode == 3 ? x->negative
                         : 0;
    *flags |= XX | FI | (up ? FR : 0);
    return q + (uint64_t)up;
}

static uint64_t floor_at(const exact *x, int k, int bits)
{
    uint64_t q = 0;
    for (int i = bits - 1; i >= 0; i--) {
        uint64_t trial = q | UINT64_C(1) << i;
        if (exact_compare(x, trial, k) >= 0) {
            q = trial;
        }
    }
    return q;
}

rounded exact_round(const exact *x, const format *f, uint32_t fpscr)
{
    uint32_t flags = 0;
    unsigned mode = fpscr & 3;
    if (x->zero) {
        return (rounded){(uint64_t)x->negative << 63, 0, 0};
    }
    int e = exponent_of(x), tiny = e < f->emin, adjust = 0;
    if (tiny && fpscr & UE) {
        flags |= UX;
        adjust = f->wrap;
    } else if (tiny && fpscr & NI) {
        return (rounded){(uint64_t)x->negative << 63, UX | XX | FI, 0};
    }
    int k = (tiny && !adjust ? f->emin : e) - f->precision + 1;
    uint64_t q = choose(x, floor_at(x, k, f->precision), k, mode, &flags);
    flags |= tiny && !adjust && flags & XX ? UX : 0;
    if (q >> f->precision) {
        q >>= 1;
        k++;
    }
    if (!adjust && k + f->precision - 1 > f->emax && q >> (f->precision - 1)) {
        flags |= OX;
        if (fpscr & OE) {
            adjust = -f->wrap;
        } else {
            int infinite = mode == 0 || mode == (x->negative ? 3u : 2u);
            uint64_t most =
                encode(0, (UINT64_C(1) << f->precision) - 1, f->emax - f->precision + 1);
            flags = (flags & ~FR) | XX | FI | (infinite ? FR : 0);
            return (rounded){(uint64_t)x->negative << 63 |
                                 (infinite ? UINT64_C(0x7FF0000000000000) : most),
                             flags, 0};
        }
    }
    int top = k + adjust + f->precision - 1;
    return (rounded){encode(x->negative, q, k + adjust), flags,
                     adjust && (top < -1022 || top > 1023)};
}

rounded exact_to_integer(const exact *x, unsigned width, unsigned mode)
{
    uint64_t least = UINT64_MAX << (width - 1), most = ~least, limit = most + (uint64_t)x->negative;
    rounded invalid = {x->negative ? least : most, 0x100, 0}; /* VXCVI */
    uint32_t flags = 0;
    if (x->zero) {
        return (rounded){0, 0, 0};
    }
    if (exponent_of(x) > 63) {
        return invalid;
    }
    uint64_t whole = floor_at(x, 0, 64);
    if (whole > limit) {
        return invalid;
    }
    whole = whole >> 63 ? whole : choose(x, whole, 0, mode, &flags); /* 2^63 has no fraction */
    if (whole > limit) {
        return invalid;
    }
    return (rounded){x->negative ? 0 - whole : whole, flags, 0};
}
