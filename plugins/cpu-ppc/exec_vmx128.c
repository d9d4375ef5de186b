/* exec_vmx128.c: what only VMX128 has (CPU-FACTS.md; the D3D formats by the public cases of xenia
 * src/xenia/cpu/ppc/testing/instr_vpkd3d128.s and instr_vupkd3d128.s). */
#include "vector.h"

/* Word i is the word of b that the i-th two-bit field of the immediate names. */
VMX(
    op_vpermwi,
    for (unsigned i = 0; i < 4; i++) { WORD(d, i) = WORD(b, o->imm >> (6 - 2 * i) & 3); })

/* Rotates b left by words, inserts where the mask has a one (8 is word 0). LESSONS 15. */
VMX(
    op_vrlimi, for (unsigned i = 0; i < 4; i++) {
        if (o->imm >> (3 - i) & 1) {
            WORD(d, i) = WORD(b, (i + o->c) & 3);
        }
    })

static inline float as_float(uint32_t w)
{
    float f;
    memcpy(&f, &w, 4);
    return f;
}

/* Bounds by the order of floats; a NaN is the lower bound. */
static inline uint32_t bounded(uint32_t w, uint32_t least, uint32_t most)
{
    w = as_float(w) > as_float(least) ? w : least;
    return as_float(w) < as_float(most) ? w : most;
}

/* Numbers near 3.0 carry an integer in their low bits: 3.0 + n * 2^-22. */
#define THREE UINT32_C(0x40400000)
#define ONE   UINT32_C(0x3F800000)

/* The signed integer of `bits` bits, saturated; the most negative value is never made. */
static inline uint32_t signed_field(uint32_t w, unsigned bits)
{
    uint32_t most = (UINT32_C(1) << (bits - 1)) - 1;
    return bounded(w, THREE - most, THREE + most) & (most * 2 + 1);
}

static inline uint32_t unsigned_field(uint32_t w, unsigned bits)
{
    uint32_t most = (UINT32_C(1) << bits) - 1;
    return bounded(w, THREE, THREE + most) & most;
}

/* Back: 3.0 + n * 2^-22, a quiet NaN for the most negative n. */
static inline uint32_t signed_number(uint32_t field, unsigned bits)
{
    uint32_t sign = UINT32_C(1) << (bits - 1);
    field &= 2 * sign - 1;
    return field == sign ? UINT32_C(0x7FC00000) : THREE + ((field ^ sign) - sign);
}

/* Single to half precision, truncated; what is too large is the largest half. */
static inline uint32_t half_of(uint32_t w)
{
    uint32_t sign = w >> 16 & 0x8000, magnitude = w & 0x7FFFFFFF;
    if (magnitude > 0x7F800000) {
        return sign | 0x7E00 | (magnitude >> 13 & 0x3FF);
    }
    if (magnitude == 0x7F800000) {
        return sign | 0x7C00;
    }
    if (magnitude >= 0x47800000) {
        return sign | 0x7BFF;
    }
    if (magnitude >= 0x38800000) {
        return sign | ((magnitude - 0x38000000) >> 13);
    }
    uint32_t shift = 126 - (magnitude >> 23); /* 14 and more: a denormal half */
    return shift > 24 ? sign : sign | (((magnitude & 0x7FFFFF) | 0x800000) >> shift);
}

static inline uint32_t single_of(uint32_t h)
{
    uint32_t sign = (h & 0x8000) << 16, e = h >> 10 & 31, m = h & 0x3FF;
    if (e == 31) {
        return sign | 0x7F800000 | m << 13 | (m ? 0x400000 : 0);
    }
    if (e) {
        return sign | (e + 112) << 23 | m << 13;
    }
    if (m == 0) {
        return sign;
    }
    uint32_t lead = (uint32_t)__builtin_clz(m) - 21;
    return sign | (113 - lead) << 23 | (m << (13 + lead) & 0x7FFFFF);
}

enum { D3D_COLOR, D3D_SHORT2, D3D_2101010, D3D_HALF2, D3D_SHORT4, D3D_HALF4, D3D_4202020 };

/* The packed number, in the low 32 or 64 bits. */
static inline uint64_t pack_d3d(vec b, uint32_t type)
{
    uint32_t x = WORD(b, 0), y = WORD(b, 1), z = WORD(b, 2), w = WORD(b, 3);
    switch (type) {
    case D3D_COLOR: /* ARGB */
        return unsigned_field(w, 8) << 24 | unsigned_field(x, 8) << 16 | unsigned_field(y, 8) << 8 |
               unsigned_field(z, 8);
    case D3D_SHORT2:
        return signed_field(x, 16) << 16 | signed_field(y, 16);
    case D3D_2101010:
        return unsigned_field(w, 2) << 30 | signed_field(z, 10) << 20 | signed_field(y, 10) << 10 |
               signed_field(x, 10);
    case D3D_HALF2:
        return half_of(x) << 16 | half_of(y);
    case D3D_SHORT4:
        return (uint64_t)(signed_field(x, 16) << 16 | signed_field(y, 16)) << 32 |
               signed_field(z, 16) << 16 | signed_field(w, 16);
    case D3D_HALF4:
        return (uint64_t)(half_of(x) << 16 | half_of(y)) << 32 | half_of(z) << 16 | half_of(w);
    default:
        return (uint64_t)unsigned_field(w, 4) << 60 | (uint64_t)signed_field(z, 20) << 40 |
               (uint64_t)signed_field(y, 20) << 20 | signed_field(x, 20);
    }
}

/* Inserts 32 (pack 1) or 64 bits (2, 3) at word shift z; LESSONS 16. */
static PPC_NOINLINE void pack(core *c, const op *o)
{
    uint64_t packed = pack_d3d(c->v[o->b], o->imm >> 2);
    uint32_t high = (uint32_t)(packed >> 32), low = (uint32_t)packed;
    uint32_t form = o->imm & 3, shift = o->c;
    vec d = c->v[o->d];
    if (form == 3 && shift == 3) {
        WORD(d, 3) = high;
    } else if (form != 0) {
        WORD(d, 3 - shift) = low;
        if (form != 1 && shift != 3) {
            WORD(d, 2 - shift) = high;
        }
    }
    c->v[o->d] = d;
}

HANDLER(op_vpkd3d)
{
    if (o->imm >> 2 == 7) {
        return ppc_leave(c, o, left, WEFT_CPU_ILLEGAL);
    }
    pack(c, o);
    NEXT();
}

static PPC_NOINLINE void unpack(core *c, const op *o)
{
    vec b = c->v[o->b], d;
    uint32_t low = WORD(b, 3), high = WORD(b, 2);
    uint64_t both = (uint64_t)high << 32 | low;
    WORD(d, 2) = 0;
    WORD(d, 3) = ONE;
    switch (o->imm >> 2) {
    case D3D_COLOR:
        WORD(d, 0) = ONE | (low >> 16 & 255);
        WORD(d, 1) = ONE | (low >> 8 & 255);
        WORD(d, 2) = ONE | (low & 255);
        WORD(d, 3) = ONE | low >> 24;
        break;
    case D3D_SHORT2:
        WORD(d, 0) = signed_number(low >> 16, 16);
        WORD(d, 1) = signed_number(low, 16);
        break;
    case D3D_2101010:
        WORD(d, 0) = signed_number(low, 10);
        WORD(d, 1) = signed_number(low >> 10, 10);
        WORD(d, 2) = signed_number(low >> 20, 10);
        WORD(d, 3) = ONE | low >> 30;
        break;
    case D3D_HALF2:
        WORD(d, 0) = single_of(low >> 16);
        WORD(d, 1) = single_of(low);
        break;
    case D3D_SHORT4:
        WORD(d, 0) = signed_number(high >> 16, 16);
        WORD(d, 1) = signed_number(high, 16);
        WORD(d, 2) = signed_number(low >> 16, 16);
        WORD(d, 3) = signed_number(low, 16);
        break;
    case D3D_HALF4:
        WORD(d, 0) = single_of(high >> 16);
        WORD(d, 1) = single_of(high);
        WORD(d, 2) = single_of(low >> 16);
        WORD(d, 3) = single_of(low);
        break;
    default:
        WORD(d, 0) = signed_number((uint32_t)both, 20);
        WORD(d, 1) = signed_number((uint32_t)(both >> 20), 20);
        WORD(d, 2) = signed_number((uint32_t)(both >> 40), 20);
        WORD(d, 3) = ONE | (uint32_t)(both >> 60);
        break;
    }
    c->v[o->d] = d;
}

HANDLER(op_vupkd3d)
{
    if (o->imm >> 2 == 7) {
        return ppc_leave(c, o, left, WEFT_CPU_ILLEGAL);
    }
    unpack(c, o);
    NEXT();
}
