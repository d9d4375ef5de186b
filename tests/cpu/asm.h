/* asm.h: instruction words for tests, built from the ISA's field positions (PowerISA 2.03 book
 * I, 1.7) and not from the table under test. */
#ifndef ASM_H
#define ASM_H

#include <stdint.h>

/* D: opcode, first field, second field, 16 bits. */
static inline uint32_t D_(uint32_t op, uint32_t t, uint32_t a, int32_t d)
{
    return op << 26 | t << 21 | a << 16 | ((uint32_t)d & 0xFFFF);
}

/* X: opcode 31, three fields, ten bits of extended opcode, Rc. */
static inline uint32_t X_(uint32_t xo, uint32_t t, uint32_t a, uint32_t b, uint32_t rc)
{
    return 31u << 26 | t << 21 | a << 16 | b << 11 | xo << 1 | rc;
}

/* A: opcodes 59 and 63, four registers. */
static inline uint32_t A_(uint32_t op, uint32_t xo, uint32_t t, uint32_t a, uint32_t b, uint32_t c)
{
    return op << 26 | t << 21 | a << 16 | b << 11 | c << 6 | xo << 1;
}

static inline uint32_t X63_(uint32_t xo, uint32_t t, uint32_t a, uint32_t b)
{
    return 63u << 26 | t << 21 | a << 16 | b << 11 | xo << 1;
}

/* M: rotate by a constant. */
static inline uint32_t M_(uint32_t op, uint32_t a, uint32_t s, uint32_t sh, uint32_t mb,
                          uint32_t me)
{
    return op << 26 | s << 21 | a << 16 | sh << 11 | mb << 6 | me << 1;
}

/* MD: sh and mb are six bits, split. xo: 0 rldicl, 1 rldicr, 2 rldic, 3 rldimi. */
static inline uint32_t MD_(uint32_t xo, uint32_t a, uint32_t s, uint32_t sh, uint32_t mb)
{
    return 30u << 26 | s << 21 | a << 16 | (sh & 31) << 11 | (mb & 31) << 6 | (mb >> 5) << 5 |
           xo << 2 | (sh >> 5) << 1;
}

/* VX: 11 bits of extended opcode (LESSONS 23). VA: six bits and a fourth register. */
static inline uint32_t VX_(uint32_t xo, uint32_t d, uint32_t a, uint32_t b)
{
    return 4u << 26 | d << 21 | a << 16 | b << 11 | xo;
}

static inline uint32_t VA_(uint32_t xo, uint32_t d, uint32_t a, uint32_t b, uint32_t c)
{
    return 4u << 26 | d << 21 | a << 16 | b << 11 | c << 6 | xo;
}

/* VMX128 registers (LESSONS 13): VD 6-10 and 28-29, VA 11-15, 26 and 21, VB 16-20 and 30-31. */
static inline uint32_t V128_(uint32_t word, uint32_t d, uint32_t a, uint32_t b)
{
    return word | (d & 31) << 21 | (d >> 5) << 2 | (a & 31) << 16 | (a >> 5 & 1) << 5 |
           (a >> 6) << 10 | (b & 31) << 11 | b >> 5;
}

#define addi(d, a, i)   D_(14, d, a, i)
#define addis(d, a, i)  D_(15, d, a, i)
#define addic(d, a, i)  D_(12, d, a, i)
#define subfic(d, a, i) D_(8, d, a, i)
#define mulli(d, a, i)  D_(7, d, a, i)
#define ori(a, s, u)    D_(24, s, a, u)
#define oris(a, s, u)   D_(25, s, a, u)
#define cmpwi(cr, a, i) D_(11, (cr) << 2, a, i)
#define lwz(d, a, i)    D_(32, d, a, i)
#define lwzu(d, a, i)   D_(33, d, a, i)
#define lbz(d, a, i)    D_(34, d, a, i)
#define stw(s, a, i)    D_(36, s, a, i)
#define stwu(s, a, i)   D_(37, s, a, i)
#define stb(s, a, i)    D_(38, s, a, i)
#define lha(d, a, i)    D_(42, d, a, i)
#define lmw(d, a, i)    D_(46, d, a, i)
#define stmw(s, a, i)   D_(47, s, a, i)
#define lfs(d, a, i)    D_(48, d, a, i)
#define stfs(s, a, i)   D_(52, s, a, i)
#define std(s, a, i)    D_(62, s, a, i)
#define ld(d, a, i)     D_(58, d, a, i)
#define add(d, a, b)    X_(266, d, a, b, 0)
#define branch(to)      (18u << 26 | ((uint32_t)(to)&0x3FFFFFC))
#define bc(bo, bi, to)  D_(16, bo, bi, (to)&0xFFFC)
#define blr             0x4E800020u
#define bctr            0x4E800420u
#define mtctr(s)        X_(467, s, 9, 0, 0)
#define mtlr(s)         X_(467, s, 8, 0, 0)
#define mflr(d)         X_(339, d, 8, 0, 0)
#define mtxer(s)        X_(467, s, 1, 0, 0)
#define mtmsrd(s, l)    X_(178, s, l, 0, 0)
#define mfmsr(d)        X_(83, d, 0, 0, 0)
#define nop             0x60000000u

#endif
