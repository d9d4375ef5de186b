/* fast_vmx.c: vector floating point by the host's single precision, for interp-blocks.
 *
 * VMX rounds to nearest and raises nothing, so the host's result is the guest's as long as no lane
 * meets what the two treat differently: NaNs, infinities, and denormals, which NJ flushes. A group
 * of lanes with one of these, or with a result at or below the least normal number (tiny before
 * rounding?) or beyond the greatest, is left to the plain handler. As in fast_fp.c, the engine asks
 * for these handlers on hosts with a fused multiply-add in hardware. */
#include "fuse.h"

typedef uint32_t words __attribute__((vector_size(16)));
typedef float lanes __attribute__((vector_size(16)));

#define EXPONENT 0x7F800000u

static inline words load(const vec *v)
{
    words w;
    memcpy(&w, v, 16);
    return w;
}

static inline int any(words mask)
{
    uint64_t d[2];
    memcpy(d, &mask, 16);
    return (d[0] | d[1]) != 0;
}

/* Lanes of an operand that are neither normal nor zero. */
static inline words wild(words w)
{
    words e = w & EXPONENT;
    return (words)(e == EXPONENT) | ((words)(e == 0) & (words)(w << 1 != 0));
}

/* Lanes of a result that are neither safely normal nor zero. */
static inline words wild_result(words w)
{
    words e = w & EXPONENT;
    return (words)(e == EXPONENT) | ((words)(e <= 0x00800000u) & (words)(w << 1 != 0));
}

static inline lanes fused(lanes a, lanes k, lanes b)
{
    lanes r;
    for (unsigned i = 0; i < 4; i++) {
        r[i] = __builtin_fmaf(a[i], k[i], b[i]);
    }
    return r;
}

#define SIGNS ((words){0x80000000u, 0x80000000u, 0x80000000u, 0x80000000u})
#define NONE  ((words){0, 0, 0, 0})

/* `third` is what a third operand adds to the wild lanes, `turn` the signs that a result changes.
 */
#define FAST(name, third, result, turn)                                                            \
    static HANDLER(fast_##name)                                                                    \
    {                                                                                              \
        words a = load(&c->v[o->a]), b = load(&c->v[o->b]), k = load(&c->v[o->c & 127]);           \
        words r = (words)(result);                                                                 \
        if (UNLIKELY(any(wild(a) | wild(b) | (third) | wild_result(r)))) {                         \
            return op_##name(c, o, left, base, access);                                            \
        }                                                                                          \
        r ^= (turn);                                                                               \
        memcpy(&c->v[o->d], &r, 16);                                                               \
        (void)k;                                                                                   \
        NEXT();                                                                                    \
    }

FAST(vaddfp, NONE, (lanes)a + (lanes)b, NONE)
FAST(vsubfp, NONE, (lanes)a - (lanes)b, NONE)
FAST(vmulfp, NONE, (lanes)a *(lanes)b, NONE)
FAST(vmaddfp, wild(k), fused((lanes)a, (lanes)k, (lanes)b), NONE)
FAST(vnmsubfp, wild(k), fused((lanes)a, (lanes)k, (lanes)(b ^ SIGNS)), SIGNS)

ppc_handler *ppc_fast_vmx(ppc_handler *plain)
{
    static const struct {
        ppc_handler *plain, *run;
    } fast[] = {
        {op_vaddfp, fast_vaddfp},   {op_vsubfp, fast_vsubfp},     {op_vmulfp, fast_vmulfp},
        {op_vmaddfp, fast_vmaddfp}, {op_vnmsubfp, fast_vnmsubfp},
    };
    for (size_t i = 0; i < sizeof fast / sizeof *fast; i++) {
        if (fast[i].plain == plain) {
            return fast[i].run;
        }
    }
    return NULL;
}
