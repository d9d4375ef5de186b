/* vector.h: shape of the vector handlers. In exec_vmx*.c. */
#ifndef PPC_VECTOR_H
#define PPC_VECTOR_H

#include "mem.h"

#define VSCR_NJ  UINT32_C(0x00010000)
#define VSCR_SAT UINT32_C(1)

/* Elements by the guest's number, 0 leftmost. */
#define BYTE(v, i) ((v).b[15 - (i)])
#define HALF(v, i) ((v).h[7 - (i)])
#define WORD(v, i) ((v).w[3 - (i)])

/* A handler of d = f(a, b, k); `sat` collects saturation for VSCR. */
#define VMX(name, body)                                                                            \
    HANDLER(name)                                                                                  \
    {                                                                                              \
        const vec a = c->v[o->a], b = c->v[o->b], k = c->v[o->c & 127];                            \
        vec d = c->v[o->d];                                                                        \
        uint32_t sat = 0;                                                                          \
        (void)a, (void)b, (void)k;                                                                 \
        body;                                                                                      \
        c->v[o->d] = d;                                                                            \
        c->s.vscr |= sat;                                                                          \
        NEXT();                                                                                    \
    }

/* The same, element by element in the engine's order, where the order does not matter. */
#define VMX_EACH(name, count, statement)                                                           \
    VMX(                                                                                           \
        name, for (unsigned i = 0; i < (count); i++) { statement; })

/* Compares: all ones where the condition holds; the record form tells CR6 all and none. */
#define VMX_COMPARE(name, count, member, type, condition)                                          \
    VMX_EACH(name, count, d.member[i] = (type)((condition) ? -1 : 0))                              \
    HANDLER(name##_rc)                                                                             \
    {                                                                                              \
        const vec a = c->v[o->a], b = c->v[o->b];                                                  \
        vec d;                                                                                     \
        for (unsigned i = 0; i < (count); i++) {                                                   \
            d.member[i] = (type)((condition) ? -1 : 0);                                            \
        }                                                                                          \
        c->v[o->d] = d;                                                                            \
        set_cr6(c, (d.d[0] & d.d[1]) == UINT64_MAX, (d.d[0] | d.d[1]) == 0);                       \
        NEXT();                                                                                    \
    }

static inline void set_cr6(core *c, int all, int none)
{
    c->cr[24] = (uint8_t)all;
    c->cr[25] = 0;
    c->cr[26] = (uint8_t)none;
    c->cr[27] = 0;
}

/* Saturation: the value within bounds; *sat remembers that it was not. */
static inline int64_t clamp(int64_t value, int64_t least, int64_t most, uint32_t *sat)
{
    if (value < least) {
        *sat = VSCR_SAT;
        return least;
    }
    if (value > most) {
        *sat = VSCR_SAT;
        return most;
    }
    return value;
}

#define SAT_SB(x) ((int8_t)clamp((x), -128, 127, &sat))
#define SAT_UB(x) ((uint8_t)clamp((x), 0, 255, &sat))
#define SAT_SH(x) ((int16_t)clamp((x), -32768, 32767, &sat))
#define SAT_UH(x) ((uint16_t)clamp((x), 0, 65535, &sat))
#define SAT_SW(x) ((int32_t)clamp((x), INT32_MIN, INT32_MAX, &sat))
#define SAT_UW(x) ((uint32_t)clamp((x), 0, UINT32_MAX, &sat))

#endif
