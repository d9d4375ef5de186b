/* exec_int.c: fixed-point arithmetic, compares, logic, rotates and shifts.
 *
 * Results are 64 bits wide in both modes; CR0, CA and OV look at the low 32 bits with MSR[SF]=0
 * (LESSONS 1-8; PowerISA 2.03 book I, 3.3). mode_shift moves the operands' live bits to the top of
 * a 64-bit word, so that one carry and one overflow test serve both modes. */
#include "threaded.h"

/* a + b + carry, of which only the mode's bits count. */
static inline uint8_t carry_out(const core *c, uint64_t a, uint64_t b, uint64_t carry)
{
    unsigned shift = c->mode_shift;
    uint64_t x = a << shift, y = b << shift, sum;
    unsigned out = __builtin_add_overflow(x, y, &sum);
    out |= __builtin_add_overflow(sum, carry << shift, &sum);
    return (uint8_t)out;
}

/* Overflow of a + b (+ carry) = sum: both operands have the sign that the sum has not. */
static inline void set_ov(core *c, uint64_t a, uint64_t b, uint64_t sum)
{
    c->ov = (uint8_t)((((a ^ sum) & (b ^ sum)) << c->mode_shift) >> 63);
    c->so |= c->ov;
}

static inline void put_ov(core *c, int overflow)
{
    c->ov = (uint8_t)overflow;
    c->so |= c->ov;
}

/* An instruction as two handlers: plain, and with CR0. */
#define HANDLER_RC(name, body)                                                                     \
    HANDLER(name)                                                                                  \
    {                                                                                              \
        body;                                                                                      \
        NEXT();                                                                                    \
    }                                                                                              \
    HANDLER(name##_rc)                                                                             \
    {                                                                                              \
        body;                                                                                      \
        set_cr0(c, RD);                                                                            \
        NEXT();                                                                                    \
    }

/* As four handlers: x + y + carry with and without overflow and CR0. `ca` keeps the carry out. */
#define ADDER(name, x_, y_, in_, ca_)                                                              \
    ADDER_ONE(name, x_, y_, in_, ca_, 0, 0)                                                        \
    ADDER_ONE(name##_rc, x_, y_, in_, ca_, 0, 1)                                                   \
    ADDER_ONE(name##_oe, x_, y_, in_, ca_, 1, 0)                                                   \
    ADDER_ONE(name##_oe_rc, x_, y_, in_, ca_, 1, 1)
#define ADDER_ONE(name, x_, y_, in_, ca_, oe_, rc_)                                                \
    HANDLER(name)                                                                                  \
    {                                                                                              \
        uint64_t x = x_, y = y_, in = in_, sum = x + y + in;                                       \
        if (ca_) {                                                                                 \
            c->ca = carry_out(c, x, y, in);                                                        \
        }                                                                                          \
        if (oe_) {                                                                                 \
            set_ov(c, x, y, sum);                                                                  \
        }                                                                                          \
        RD = sum;                                                                                  \
        if (rc_) {                                                                                 \
            set_cr0(c, sum);                                                                       \
        }                                                                                          \
        NEXT();                                                                                    \
    }

ADDER(op_add, RA, RB, 0, 0)
ADDER(op_subf, ~RA, RB, 1, 0)
ADDER(op_addc, RA, RB, 0, 1)
ADDER(op_subfc, ~RA, RB, 1, 1)
ADDER(op_adde, RA, RB, c->ca, 1)
ADDER(op_subfe, ~RA, RB, c->ca, 1)
ADDER(op_addme, RA, UINT64_MAX, c->ca, 1)
ADDER(op_subfme, ~RA, UINT64_MAX, c->ca, 1)
ADDER(op_addze, RA, 0, c->ca, 1)
ADDER(op_subfze, ~RA, 0, c->ca, 1)
ADDER(op_neg, ~RA, 0, 1, 0)
ADDER_ONE(op_addic, RA, (uint64_t)SI, 0, 1, 0, 0)
ADDER_ONE(op_addic_rc, RA, (uint64_t)SI, 0, 1, 0, 1)
ADDER_ONE(op_subfic, ~RA, (uint64_t)SI, 1, 1, 0, 0)

HANDLER(op_addi)
{
    RD = RA + (uint64_t)SI;
    NEXT();
}

HANDLER(op_li)
{
    RD = (uint64_t)SI;
    NEXT();
}

HANDLER(op_mulli)
{
    RD = RA * (uint64_t)SI;
    NEXT();
}

/* Multiplies and divides: `result`, and `over` for the OE forms. */
#define MULDIV(name, result_, over_)                                                               \
    MULDIV_ONE(name, result_, over_, 0, 0)                                                         \
    MULDIV_ONE(name##_rc, result_, over_, 0, 1)                                                    \
    MULDIV_ONE(name##_oe, result_, over_, 1, 0)                                                    \
    MULDIV_ONE(name##_oe_rc, result_, over_, 1, 1)
#define MULDIV_ONE(name, result_, over_, oe_, rc_)                                                 \
    HANDLER(name)                                                                                  \
    {                                                                                              \
        uint64_t a = RA, b = RB;                                                                   \
        uint64_t result = result_;                                                                 \
        if (oe_) {                                                                                 \
            put_ov(c, over_);                                                                      \
        }                                                                                          \
        RD = result;                                                                               \
        if (rc_) {                                                                                 \
            set_cr0(c, result);                                                                    \
        }                                                                                          \
        NEXT();                                                                                    \
    }

static inline int mulld_overflows(uint64_t a, uint64_t b)
{
    int64_t product;
    return __builtin_mul_overflow((int64_t)a, (int64_t)b, &product);
}

static inline int divw_overflows(uint64_t a, uint64_t b)
{
    return (uint32_t)b == 0 || ((uint32_t)a == 0x80000000u && (uint32_t)b == UINT32_MAX);
}

static inline int divd_overflows(uint64_t a, uint64_t b)
{
    return b == 0 || (a == UINT64_C(1) << 63 && b == UINT64_MAX);
}

MULDIV(op_mullw, (uint64_t)((int64_t)(int32_t)a *(int32_t)b), (int64_t)result != (int32_t)result)
MULDIV(op_mulld, a *b, mulld_overflows(a, b))
/* The ISA leaves the result of an overflowing division, and the upper half of a word division,
 * undefined; 0 and zero-extension here. */
MULDIV(op_divw, divw_overflows(a, b) ? 0 : (uint32_t)((int32_t)a / (int32_t)b),
       divw_overflows(a, b))
MULDIV(op_divwu, (uint32_t)b ? (uint32_t)a / (uint32_t)b : 0, (uint32_t)b == 0)
MULDIV(op_divd, divd_overflows(a, b) ? 0 : (uint64_t)((int64_t)a / (int64_t)b),
       divd_overflows(a, b))
MULDIV(op_divdu, b ? a / b : 0, b == 0)

/* The upper half of mulhw's result is undefined in the ISA; sign-extended here (zero-extended for
 * the unsigned one). */
HANDLER_RC(op_mulhw, RD = (uint64_t)(((int64_t)(int32_t)RA * (int32_t)RB) >> 32))
HANDLER_RC(op_mulhwu, RD = ((uint64_t)(uint32_t)RA * (uint32_t)RB) >> 32)
HANDLER_RC(op_mulhd, RD = (uint64_t)(((__int128)(int64_t)RA * (int64_t)RB) >> 64))
HANDLER_RC(op_mulhdu, RD = (uint64_t)(((unsigned __int128)RA * RB) >> 64))

#define COMPARE(name, type, x_, y_)                                                                \
    HANDLER(name)                                                                                  \
    {                                                                                              \
        type x = (type)x_, y = (type)y_;                                                           \
        set_cr(c, o->d, x<y, x> y, x == y);                                                        \
        NEXT();                                                                                    \
    }

COMPARE(op_cmpw, int32_t, RA, RB)
COMPARE(op_cmpd, int64_t, RA, RB)
COMPARE(op_cmplw, uint32_t, RA, RB)
COMPARE(op_cmpld, uint64_t, RA, RB)
COMPARE(op_cmpwi, int32_t, RA, SI)
COMPARE(op_cmpdi, int64_t, RA, SI)
COMPARE(op_cmplwi, uint32_t, RA, o->imm)
COMPARE(op_cmpldi, uint64_t, RA, o->imm)

/* ori and andi. share handlers with their shifted forms: the immediate is ready-made. */
HANDLER(op_ori)
{
    RD = RA | o->imm;
    NEXT();
}

HANDLER(op_xori)
{
    RD = RA ^ o->imm;
    NEXT();
}

HANDLER(op_andi_rc)
{
    uint64_t result = RA & o->imm;
    RD = result;
    set_cr0(c, result);
    NEXT();
}

HANDLER_RC(op_and, RD = RA & RB)
HANDLER_RC(op_andc, RD = RA & ~RB)
HANDLER_RC(op_or, RD = RA | RB)
HANDLER_RC(op_mr, RD = RA)
HANDLER_RC(op_orc, RD = RA | ~RB)
HANDLER_RC(op_xor, RD = RA ^ RB)
HANDLER_RC(op_eqv, RD = ~(RA ^ RB))
HANDLER_RC(op_nor, RD = ~(RA | RB))
HANDLER_RC(op_nand, RD = ~(RA & RB))
HANDLER_RC(op_extsb, RD = (uint64_t)(int64_t)(int8_t)RA)
HANDLER_RC(op_extsh, RD = (uint64_t)(int64_t)(int16_t)RA)
HANDLER_RC(op_extsw, RD = (uint64_t)(int64_t)(int32_t)RA)
HANDLER_RC(op_cntlzw, RD = (uint32_t)RA ? (uint64_t)__builtin_clz((uint32_t)RA) : 32)
HANDLER_RC(op_cntlzd, RD = RA ? (uint64_t)__builtin_clzll(RA) : 64)

static inline uint32_t rotate32(uint32_t value, unsigned by)
{
    return value << (by & 31) | value >> (-by & 31);
}

static inline uint64_t rotate64(uint64_t value, unsigned by)
{
    return value << (by & 63) | value >> (-by & 63);
}

/* ROTL32 of the ISA: the rotated word in both halves. */
static inline uint64_t twice(uint32_t value)
{
    return (uint64_t)value << 32 | value;
}

/* A wrapping mask MASK(MB+32, ME+32) covers the whole upper half. */
static inline uint64_t wide_mask(uint32_t mask, unsigned wraps)
{
    return mask | (uint64_t)(0u - wraps) << 32;
}

HANDLER_RC(op_rlwinm, RD = rotate32((uint32_t)RA, o->c) & o->imm)
HANDLER_RC(op_rlwinm_wrap, RD = twice(rotate32((uint32_t)RA, o->c)) & wide_mask(o->imm, 1))
HANDLER_RC(op_rlwnm, RD = twice(rotate32((uint32_t)RA, (unsigned)RB)) & wide_mask(o->imm, o->c))
HANDLER_RC(op_rlwimi, RD = (twice(rotate32((uint32_t)RA, o->c)) & wide_mask(o->imm, o->b)) |
                           (RD & ~wide_mask(o->imm, o->b)))

/* Masks of the doubleword rotates: from bit `mb` to the end, and from the start to bit `me`. */
static inline uint64_t mask_from(unsigned mb)
{
    return UINT64_MAX >> mb;
}

static inline uint64_t mask_to(unsigned me)
{
    return UINT64_MAX << (63 - me);
}

/* mb..me, wrapping. */
static inline uint64_t mask64(unsigned mb, unsigned me)
{
    return mb <= me ? mask_from(mb) & mask_to(me) : mask_from(mb) | mask_to(me);
}

HANDLER_RC(op_rldicl, RD = rotate64(RA, o->c) & mask_from(o->b))
HANDLER_RC(op_rldicr, RD = rotate64(RA, o->c) & mask_to(o->b))
HANDLER_RC(op_rldic, RD = rotate64(RA, o->c) & mask64(o->b, 63u - o->c))
HANDLER_RC(op_rldimi,
           RD = (rotate64(RA, o->c) & mask64(o->b, 63u - o->c)) | (RD & ~mask64(o->b, 63u - o->c)))
HANDLER_RC(op_rldcl, RD = rotate64(RA, (unsigned)RB) & mask_from(o->c))
HANDLER_RC(op_rldcr, RD = rotate64(RA, (unsigned)RB) & mask_to(o->c))

HANDLER_RC(op_slw, RD = RB & 32 ? 0 : (uint32_t)((uint32_t)RA << (RB & 31)))
HANDLER_RC(op_srw, RD = RB & 32 ? 0 : (uint32_t)RA >> (RB & 31))
HANDLER_RC(op_sld, RD = RB & 64 ? 0 : RA << (RB & 63))
HANDLER_RC(op_srd, RD = RB & 64 ? 0 : RA >> (RB & 63))

/* Arithmetic right shifts: CA says whether one bits fell out of a negative number. The word forms
 * fill the upper half with the sign in both modes. */
static inline uint64_t shift_word(core *c, uint64_t value, unsigned by)
{
    int64_t v = (int32_t)value;
    by = by > 31 ? 32 : by;
    c->ca = v < 0 && (uint32_t)(v & ((INT64_C(1) << by) - 1)) != 0;
    return (uint64_t)(v >> by);
}

static inline uint64_t shift_double(core *c, uint64_t value, unsigned by)
{
    int64_t v = (int64_t)value;
    if (by > 63) {
        c->ca = v < 0;
        return v < 0 ? UINT64_MAX : 0;
    }
    c->ca = v < 0 && (value & ((UINT64_C(1) << by) - 1)) != 0;
    return (uint64_t)(v >> by);
}

HANDLER_RC(op_sraw, RD = shift_word(c, RA, RB & 63))
HANDLER_RC(op_srawi, RD = shift_word(c, RA, o->c))
HANDLER_RC(op_srad, RD = shift_double(c, RA, RB & 127))
HANDLER_RC(op_sradi, RD = shift_double(c, RA, o->c))

HANDLER(op_nop)
{
    NEXT();
}
