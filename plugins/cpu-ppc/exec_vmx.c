/* exec_vmx.c: vector integers, permutes, loads and stores (AltiVec PEM, chapter 6). VMX128 forms
 * use the same handlers on the wider register file. */
#include "vector.h"

/* Add, subtract: modulo, carry, saturating. */
VMX_EACH(op_vaddubm, 16, d.b[i] = (uint8_t)(a.b[i] + b.b[i]))
VMX_EACH(op_vadduhm, 8, d.h[i] = (uint16_t)(a.h[i] + b.h[i]))
VMX_EACH(op_vadduwm, 4, d.w[i] = a.w[i] + b.w[i])
VMX_EACH(op_vaddcuw, 4, d.w[i] = a.w[i] + b.w[i] < a.w[i])
VMX_EACH(op_vaddubs, 16, d.b[i] = SAT_UB(a.b[i] + b.b[i]))
VMX_EACH(op_vadduhs, 8, d.h[i] = SAT_UH(a.h[i] + b.h[i]))
VMX_EACH(op_vadduws, 4, d.w[i] = SAT_UW((int64_t)a.w[i] + b.w[i]))
VMX_EACH(op_vaddsbs, 16, d.sb[i] = SAT_SB(a.sb[i] + b.sb[i]))
VMX_EACH(op_vaddshs, 8, d.sh[i] = SAT_SH(a.sh[i] + b.sh[i]))
VMX_EACH(op_vaddsws, 4, d.sw[i] = SAT_SW((int64_t)a.sw[i] + b.sw[i]))
VMX_EACH(op_vsububm, 16, d.b[i] = (uint8_t)(a.b[i] - b.b[i]))
VMX_EACH(op_vsubuhm, 8, d.h[i] = (uint16_t)(a.h[i] - b.h[i]))
VMX_EACH(op_vsubuwm, 4, d.w[i] = a.w[i] - b.w[i])
VMX_EACH(op_vsubcuw, 4, d.w[i] = a.w[i] >= b.w[i])
VMX_EACH(op_vsububs, 16, d.b[i] = SAT_UB(a.b[i] - b.b[i]))
VMX_EACH(op_vsubuhs, 8, d.h[i] = SAT_UH(a.h[i] - b.h[i]))
VMX_EACH(op_vsubuws, 4, d.w[i] = SAT_UW((int64_t)a.w[i] - b.w[i]))
VMX_EACH(op_vsubsbs, 16, d.sb[i] = SAT_SB(a.sb[i] - b.sb[i]))
VMX_EACH(op_vsubshs, 8, d.sh[i] = SAT_SH(a.sh[i] - b.sh[i]))
VMX_EACH(op_vsubsws, 4, d.sw[i] = SAT_SW((int64_t)a.sw[i] - b.sw[i]))

/* Averages, rounded up. */
VMX_EACH(op_vavgub, 16, d.b[i] = (uint8_t)((a.b[i] + b.b[i] + 1) >> 1))
VMX_EACH(op_vavguh, 8, d.h[i] = (uint16_t)((a.h[i] + b.h[i] + 1) >> 1))
VMX_EACH(op_vavguw, 4, d.w[i] = (uint32_t)(((uint64_t)a.w[i] + b.w[i] + 1) >> 1))
VMX_EACH(op_vavgsb, 16, d.sb[i] = (int8_t)((a.sb[i] + b.sb[i] + 1) >> 1))
VMX_EACH(op_vavgsh, 8, d.sh[i] = (int16_t)((a.sh[i] + b.sh[i] + 1) >> 1))
VMX_EACH(op_vavgsw, 4, d.sw[i] = (int32_t)(((int64_t)a.sw[i] + b.sw[i] + 1) >> 1))

#define MAX(x, y) ((x) > (y) ? (x) : (y))
#define MIN(x, y) ((x) < (y) ? (x) : (y))
VMX_EACH(op_vmaxub, 16, d.b[i] = MAX(a.b[i], b.b[i]))
VMX_EACH(op_vmaxuh, 8, d.h[i] = MAX(a.h[i], b.h[i]))
VMX_EACH(op_vmaxuw, 4, d.w[i] = MAX(a.w[i], b.w[i]))
VMX_EACH(op_vmaxsb, 16, d.sb[i] = MAX(a.sb[i], b.sb[i]))
VMX_EACH(op_vmaxsh, 8, d.sh[i] = MAX(a.sh[i], b.sh[i]))
VMX_EACH(op_vmaxsw, 4, d.sw[i] = MAX(a.sw[i], b.sw[i]))
VMX_EACH(op_vminub, 16, d.b[i] = MIN(a.b[i], b.b[i]))
VMX_EACH(op_vminuh, 8, d.h[i] = MIN(a.h[i], b.h[i]))
VMX_EACH(op_vminuw, 4, d.w[i] = MIN(a.w[i], b.w[i]))
VMX_EACH(op_vminsb, 16, d.sb[i] = MIN(a.sb[i], b.sb[i]))
VMX_EACH(op_vminsh, 8, d.sh[i] = MIN(a.sh[i], b.sh[i]))
VMX_EACH(op_vminsw, 4, d.sw[i] = MIN(a.sw[i], b.sw[i]))

VMX_COMPARE(op_vcmpequb, 16, b, uint8_t, a.b[i] == b.b[i])
VMX_COMPARE(op_vcmpequh, 8, h, uint16_t, a.h[i] == b.h[i])
VMX_COMPARE(op_vcmpequw, 4, w, uint32_t, a.w[i] == b.w[i])
VMX_COMPARE(op_vcmpgtub, 16, b, uint8_t, a.b[i] > b.b[i])
VMX_COMPARE(op_vcmpgtuh, 8, h, uint16_t, a.h[i] > b.h[i])
VMX_COMPARE(op_vcmpgtuw, 4, w, uint32_t, a.w[i] > b.w[i])
VMX_COMPARE(op_vcmpgtsb, 16, b, uint8_t, a.sb[i] > b.sb[i])
VMX_COMPARE(op_vcmpgtsh, 8, h, uint16_t, a.sh[i] > b.sh[i])
VMX_COMPARE(op_vcmpgtsw, 4, w, uint32_t, a.sw[i] > b.sw[i])

/* Multiplies. Even elements of the guest are the upper ones of a pair here. */
VMX_EACH(op_vmuleub, 8, d.h[i] = (uint16_t)(a.b[2 * i + 1] * b.b[2 * i + 1]))
VMX_EACH(op_vmuloub, 8, d.h[i] = (uint16_t)(a.b[2 * i] * b.b[2 * i]))
VMX_EACH(op_vmulesb, 8, d.sh[i] = (int16_t)(a.sb[2 * i + 1] * b.sb[2 * i + 1]))
VMX_EACH(op_vmulosb, 8, d.sh[i] = (int16_t)(a.sb[2 * i] * b.sb[2 * i]))
VMX_EACH(op_vmuleuh, 4, d.w[i] = (uint32_t)a.h[2 * i + 1] * b.h[2 * i + 1])
VMX_EACH(op_vmulouh, 4, d.w[i] = (uint32_t)a.h[2 * i] * b.h[2 * i])
VMX_EACH(op_vmulesh, 4, d.sw[i] = a.sh[2 * i + 1] * b.sh[2 * i + 1])
VMX_EACH(op_vmulosh, 4, d.sw[i] = a.sh[2 * i] * b.sh[2 * i])
VMX_EACH(op_vmhaddshs, 8, d.sh[i] = SAT_SH(((a.sh[i] * b.sh[i]) >> 15) + k.sh[i]))
VMX_EACH(op_vmhraddshs, 8, d.sh[i] = SAT_SH(((a.sh[i] * b.sh[i] + 0x4000) >> 15) + k.sh[i]))
VMX_EACH(op_vmladduhm, 8, d.h[i] = (uint16_t)((uint32_t)a.h[i] * b.h[i] + k.h[i]))

#define SUM4(type, x, y)                                                                           \
    ((type)a.x[4 * i] * b.y[4 * i] + (type)a.x[4 * i + 1] * b.y[4 * i + 1] +                       \
     (type)a.x[4 * i + 2] * b.y[4 * i + 2] + (type)a.x[4 * i + 3] * b.y[4 * i + 3])
#define SUM2(type, x) ((type)a.x[2 * i] * b.x[2 * i] + (type)a.x[2 * i + 1] * b.x[2 * i + 1])
VMX_EACH(op_vmsumubm, 4, d.w[i] = SUM4(uint32_t, b, b) + k.w[i])
VMX_EACH(op_vmsummbm, 4, d.w[i] = (uint32_t)SUM4(int32_t, sb, b) + k.w[i])
VMX_EACH(op_vmsumuhm, 4, d.w[i] = (uint32_t)(SUM2(uint64_t, h) + k.w[i]))
VMX_EACH(op_vmsumuhs, 4, d.w[i] = SAT_UW((int64_t)(SUM2(uint64_t, h) + k.w[i])))
VMX_EACH(op_vmsumshm, 4, d.w[i] = (uint32_t)(SUM2(int64_t, sh) + k.sw[i]))
VMX_EACH(op_vmsumshs, 4, d.sw[i] = SAT_SW(SUM2(int64_t, sh) + k.sw[i]))

#define ADD4(x) ((int64_t)a.x[4 * i] + a.x[4 * i + 1] + a.x[4 * i + 2] + a.x[4 * i + 3])
VMX_EACH(op_vsum4ubs, 4, d.w[i] = SAT_UW(ADD4(b) + b.w[i]))
VMX_EACH(op_vsum4sbs, 4, d.sw[i] = SAT_SW(ADD4(sb) + b.sw[i]))
VMX_EACH(op_vsum4shs, 4, d.sw[i] = SAT_SW((int64_t)a.sh[2 * i] + a.sh[2 * i + 1] + b.sw[i]))
VMX(op_vsum2sws, {
    d.sw[2] = SAT_SW((int64_t)a.sw[3] + a.sw[2] + b.sw[2]);
    d.sw[0] = SAT_SW((int64_t)a.sw[1] + a.sw[0] + b.sw[0]);
    d.w[1] = d.w[3] = 0;
})
VMX(op_vsumsws, {
    d.sw[0] = SAT_SW((int64_t)a.sw[3] + a.sw[2] + a.sw[1] + a.sw[0] + b.sw[0]);
    d.w[1] = d.w[2] = d.w[3] = 0;
})

/* Logic. vsel: ones in k select b. */
VMX_EACH(op_vand, 2, d.d[i] = a.d[i] & b.d[i])
VMX_EACH(op_vandc, 2, d.d[i] = a.d[i] & ~b.d[i])
VMX_EACH(op_vor, 2, d.d[i] = a.d[i] | b.d[i])
VMX_EACH(op_vnor, 2, d.d[i] = ~(a.d[i] | b.d[i]))
VMX_EACH(op_vxor, 2, d.d[i] = a.d[i] ^ b.d[i])
VMX_EACH(op_vsel, 2, d.d[i] = (a.d[i] & ~k.d[i]) | (b.d[i] & k.d[i]))

/* Shifts and rotates by element. */
VMX_EACH(op_vslb, 16, d.b[i] = (uint8_t)(a.b[i] << (b.b[i] & 7)))
VMX_EACH(op_vslh, 8, d.h[i] = (uint16_t)(a.h[i] << (b.h[i] & 15)))
VMX_EACH(op_vslw, 4, d.w[i] = a.w[i] << (b.w[i] & 31))
VMX_EACH(op_vsrb, 16, d.b[i] = (uint8_t)(a.b[i] >> (b.b[i] & 7)))
VMX_EACH(op_vsrh, 8, d.h[i] = (uint16_t)(a.h[i] >> (b.h[i] & 15)))
VMX_EACH(op_vsrw, 4, d.w[i] = a.w[i] >> (b.w[i] & 31))
VMX_EACH(op_vsrab, 16, d.sb[i] = (int8_t)(a.sb[i] >> (b.b[i] & 7)))
VMX_EACH(op_vsrah, 8, d.sh[i] = (int16_t)(a.sh[i] >> (b.h[i] & 15)))
VMX_EACH(op_vsraw, 4, d.sw[i] = a.sw[i] >> (b.w[i] & 31))
VMX_EACH(op_vrlb, 16, d.b[i] = (uint8_t)(a.b[i] << (b.b[i] & 7) | a.b[i] >> (-b.b[i] & 7)))
VMX_EACH(op_vrlh, 8, d.h[i] = (uint16_t)(a.h[i] << (b.h[i] & 15) | a.h[i] >> (-b.h[i] & 15)))
VMX_EACH(op_vrlw, 4, d.w[i] = a.w[i] << (b.w[i] & 31) | a.w[i] >> (-b.w[i] & 31))

/* Shifts of the whole register, by the count in the last byte. */
typedef unsigned __int128 u128;

static inline u128 whole(vec v)
{
    return (u128)v.d[1] << 64 | v.d[0];
}

static inline vec split(u128 x)
{
    return (vec){.d = {(uint64_t)x, (uint64_t)(x >> 64)}};
}

VMX(op_vsl, d = split(whole(a) << (b.b[0] & 7)))
VMX(op_vsr, d = split(whole(a) >> (b.b[0] & 7)))
VMX(op_vslo, d = split(whole(a) << (b.b[0] & 0x78)))
VMX(op_vsro, d = split(whole(a) >> (b.b[0] & 0x78)))
VMX(op_vsldoi, {
    unsigned by = 8 * (o->imm & 15);
    d = by ? split(whole(a) << by | whole(b) >> (128 - by)) : a;
})

/* Merges, splats, permutes. */
VMX(
    op_vmrghb, for (unsigned i = 0; i < 8; i++) {
        BYTE(d, 2 * i) = BYTE(a, i);
        BYTE(d, 2 * i + 1) = BYTE(b, i);
    })
VMX(
    op_vmrglb, for (unsigned i = 0; i < 8; i++) {
        BYTE(d, 2 * i) = BYTE(a, i + 8);
        BYTE(d, 2 * i + 1) = BYTE(b, i + 8);
    })
VMX(
    op_vmrghh, for (unsigned i = 0; i < 4; i++) {
        HALF(d, 2 * i) = HALF(a, i);
        HALF(d, 2 * i + 1) = HALF(b, i);
    })
VMX(
    op_vmrglh, for (unsigned i = 0; i < 4; i++) {
        HALF(d, 2 * i) = HALF(a, i + 4);
        HALF(d, 2 * i + 1) = HALF(b, i + 4);
    })
VMX(
    op_vmrghw, for (unsigned i = 0; i < 2; i++) {
        WORD(d, 2 * i) = WORD(a, i);
        WORD(d, 2 * i + 1) = WORD(b, i);
    })
VMX(
    op_vmrglw, for (unsigned i = 0; i < 2; i++) {
        WORD(d, 2 * i) = WORD(a, i + 2);
        WORD(d, 2 * i + 1) = WORD(b, i + 2);
    })
VMX_EACH(op_vspltb, 16, d.b[i] = BYTE(b, o->imm & 15))
VMX_EACH(op_vsplth, 8, d.h[i] = HALF(b, o->imm & 7))
VMX_EACH(op_vspltw, 4, d.w[i] = WORD(b, o->imm & 3))
VMX_EACH(op_vspltisb, 16, d.b[i] = (uint8_t)o->imm)
VMX_EACH(op_vspltish, 8, d.h[i] = (uint16_t)o->imm)
VMX_EACH(op_vspltisw, 4, d.w[i] = o->imm)
VMX(
    op_vperm, for (unsigned i = 0; i < 16; i++) {
        unsigned from = BYTE(k, i) & 31;
        BYTE(d, i) = from < 16 ? BYTE(a, from) : BYTE(b, from - 16);
    })

/* Packs: a's elements first. */
#define PACK(name, count, to, from, expression)                                                    \
    VMX(name, for (unsigned i = 0; i < (count); i++) {                                             \
        {                                                                                          \
            int64_t x = a.from[i];                                                                 \
            d.to[i + (count)] = expression;                                                        \
    }                                                                                              \
    {                                                                                              \
        int64_t x = b.from[i];                                                                     \
        d.to[i] = expression;                                                                      \
    }                                                                                              \
    })
PACK(op_vpkuhum, 8, b, h, (uint8_t)x)
PACK(op_vpkuhus, 8, b, h, SAT_UB(x))
PACK(op_vpkshus, 8, b, sh, SAT_UB(x))
PACK(op_vpkshss, 8, sb, sh, SAT_SB(x))
PACK(op_vpkuwum, 4, h, w, (uint16_t)x)
PACK(op_vpkuwus, 4, h, w, SAT_UH(x))
PACK(op_vpkswus, 4, h, sw, SAT_UH(x))
PACK(op_vpkswss, 4, sh, sw, SAT_SH(x))
/* 8888 to 1555: bits 7, 8-12, 16-20, 24-28 of the word (LESSONS 17). */
PACK(op_vpkpx, 4, h, w, (uint16_t)((x >> 9 & 0xFC00) | (x >> 6 & 0x3E0) | (x >> 3 & 0x1F)))

VMX(
    op_vupkhsb, for (unsigned i = 0; i < 8; i++) { d.sh[i] = b.sb[i + 8]; })
VMX(
    op_vupklsb, for (unsigned i = 0; i < 8; i++) { d.sh[i] = b.sb[i]; })
VMX(
    op_vupkhsh, for (unsigned i = 0; i < 4; i++) { d.sw[i] = b.sh[i + 4]; })
VMX(
    op_vupklsh, for (unsigned i = 0; i < 4; i++) { d.sw[i] = b.sh[i]; })

static inline uint32_t pixel(uint16_t h)
{
    return (h & 0x8000 ? 0xFF000000u : 0) | (uint32_t)(h >> 10 & 31) << 16 |
           (uint32_t)(h >> 5 & 31) << 8 | (h & 31);
}

VMX(
    op_vupkhpx, for (unsigned i = 0; i < 4; i++) { d.w[i] = pixel(b.h[i + 4]); })
VMX(
    op_vupklpx, for (unsigned i = 0; i < 4; i++) { d.w[i] = pixel(b.h[i]); })

HANDLER(op_mfvscr)
{
    c->v[o->d] = (vec){.w = {c->s.vscr}};
    NEXT();
}

HANDLER(op_mtvscr)
{
    c->s.vscr = c->v[o->b].w[0] & (VSCR_NJ | VSCR_SAT);
    NEXT();
}

/* Control vectors for unaligned access: bytes sh, sh+1 ... and 16-sh, 17-sh ... */
HANDLER(op_lvsl)
{
    unsigned sh = (unsigned)EA_INDEX & 15;
    vec d;
    for (unsigned i = 0; i < 16; i++) {
        BYTE(d, i) = (uint8_t)(sh + i);
    }
    c->v[o->d] = d;
    NEXT();
}

HANDLER(op_lvsr)
{
    unsigned sh = (unsigned)EA_INDEX & 15;
    vec d;
    for (unsigned i = 0; i < 16; i++) {
        BYTE(d, i) = (uint8_t)(16 - sh + i);
    }
    c->v[o->d] = d;
    NEXT();
}

/* Whole registers: the address is rounded down. */
static inline void set_vector(uint8_t *p, vec v)
{
    guest_store64(p, v.d[1]);
    guest_store64(p + 8, v.d[0]);
}

#define VD           (c->v[o->d])
#define PUT_V(value) (VD = (value))
LOAD(op_lvx, 16, guest_vector, PUT_V, EA_INDEX & ~UINT64_C(15), 0)
STORE(op_stvx, 16, set_vector, VD, EA_INDEX & ~UINT64_C(15), 0)

/* One element, at its place in the line; a load leaves the other elements as they were (undefined
 * in the PEM), a store touches no other byte (LESSONS 18). */
#define EA_ALIGNED(size) (EA_INDEX & ~(uint64_t)((size)-1))
#define PUT_BYTE(value)  (VD.b[15 - ((unsigned)EA_INDEX & 15)] = (uint8_t)(value))
#define PUT_HALF(value)  (VD.h[7 - ((unsigned)EA_INDEX >> 1 & 7)] = (uint16_t)(value))
#define PUT_WORD(value)  (VD.w[3 - ((unsigned)EA_INDEX >> 2 & 3)] = (uint32_t)(value))
LOAD(op_lvebx, 1, guest_load8, PUT_BYTE, EA_INDEX, 0)
LOAD(op_lvehx, 2, guest_load16, PUT_HALF, EA_ALIGNED(2), 0)
LOAD(op_lvewx, 4, guest_load32, PUT_WORD, EA_ALIGNED(4), 0)
STORE(op_stvebx, 1, guest_store8, VD.b[15 - (ea & 15)], EA_INDEX, 0)
STORE(op_stvehx, 2, guest_store16, VD.h[7 - (ea >> 1 & 7)], EA_ALIGNED(2), 0)
STORE(op_stvewx, 4, guest_store32, VD.w[3 - (ea >> 2 & 3)], EA_ALIGNED(4), 0)

/* Left and right parts of a line: lvlx takes the bytes from EA to the line's end, lvrx those before
 * EA; what is missing is zero. lvrx and stvrx at a line's start touch no memory (CPU-FACTS.md). */
static PPC_NOINLINE int load_part(core *c, const op *o, uint64_t left, uint32_t at, uint32_t length,
                                  unsigned first)
{
    uint8_t bytes[16];
    vec d = {.d = {0, 0}};
    int how = length ? ppc_read(c, o, left, at, length, bytes) : MEM_DONE;
    if (how == MEM_FAULT) {
        return how;
    }
    for (uint32_t i = 0; i < length; i++) {
        BYTE(d, first + i) = bytes[i];
    }
    VD = d;
    return how;
}

static PPC_NOINLINE int store_part(core *c, const op *o, uint64_t left, uint32_t at,
                                   uint32_t length, unsigned first)
{
    uint8_t bytes[16];
    for (uint32_t i = 0; i < length; i++) {
        bytes[i] = BYTE(VD, first + i);
    }
    return length ? ppc_write(c, o, left, at, length, bytes) : MEM_DONE;
}

#define PART(name, function, at, length, first)                                                    \
    HANDLER(name)                                                                                  \
    {                                                                                              \
        uint32_t ea = (uint32_t)EA_INDEX, in = ea & 15;                                            \
        int how = function(c, o, left, at, length, first);                                         \
        if (how == MEM_FAULT) {                                                                    \
            return (step){NULL, 0};                                                                \
        }                                                                                          \
        if (how != MEM_DONE) {                                                                     \
            return ppc_retire(c, o, left, how);                                                    \
        }                                                                                          \
        NEXT();                                                                                    \
    }

PART(op_lvlx, load_part, ea, 16 - in, 0)
PART(op_lvrx, load_part, ea - in, in, 16 - in)
PART(op_stvlx, store_part, ea, 16 - in, 0)
PART(op_stvrx, store_part, ea - in, in, 16 - in)
