/* decode.c: from an instruction word to an op. */
#include "threaded.h"

#include <stdlib.h>

#define ROW(name, value, mask, form, handler) {#name, mask, value, FORM_##form, 0, {handler}},
#define ROWR(name, value, mask, form, handler)                                                     \
    {#name, mask, value, FORM_##form, PPC_VARIANT_RC, {handler, handler##_rc}},
#define ROWV(name, value, mask, form, handler)                                                     \
    {#name, mask, value, FORM_##form, PPC_VARIANT_VC, {handler, handler##_rc}},
#define ROWW(name, value, mask, form, handler)                                                     \
    {#name, mask, value, FORM_##form, PPC_VARIANT_VR, {handler, handler##_rc}},
#define ROWO(name, value, mask, form, handler)                                                     \
    {#name,                                                                                        \
     mask,                                                                                         \
     value,                                                                                        \
     FORM_##form,                                                                                  \
     PPC_VARIANT_RC | PPC_VARIANT_OE,                                                              \
     {handler, handler##_rc, handler##_oe, handler##_oe_rc}},
static const ppc_row rows[] = {
#include "table.def"
};

const ppc_row *ppc_rows(uint32_t *count)
{
    *count = sizeof rows / sizeof *rows;
    return rows;
}

/* Bucket of a word: primary opcode, and the 11 low bits, where nearly all extended opcodes are. */
static uint32_t bucket(uint32_t word)
{
    return (word >> 26) << 11 | (word & 0x7FF);
}

uint16_t *ppc_lookup_make(void)
{
    uint16_t *lookup = calloc(64u << 11, sizeof *lookup);
    if (!lookup) {
        return NULL;
    }
    for (uint32_t i = sizeof rows / sizeof *rows; i-- > 0;) {
        for (uint32_t low = 0; low < 0x800; low++) {
            if (((low ^ rows[i].value) & rows[i].mask & 0x7FF) == 0) {
                lookup[bucket((rows[i].value & 0xFC000000u) | low)] = (uint16_t)(i + 1);
            }
        }
    }
    return lookup;
}

const ppc_row *ppc_row_find(const uint16_t *lookup, uint32_t word)
{
    uint32_t first = lookup[bucket(word)];
    if (first == 0) {
        return NULL;
    }
    for (uint32_t i = first - 1; i < sizeof rows / sizeof *rows; i++) {
        if ((word & rows[i].mask) == rows[i].value) {
            return &rows[i];
        }
    }
    return NULL;
}

/* Mask of bits from..to of a word, wrapping: PowerISA 2.03 book I, 3.3.12. */
static uint32_t mask32(uint32_t from, uint32_t to)
{
    uint32_t head = UINT32_MAX >> from;
    uint32_t tail = UINT32_MAX << (31 - to);
    return from <= to ? head & tail : head | tail;
}

static uint32_t vd128(uint32_t w)
{
    return (w >> 21 & 31) | (w >> 2 & 3) << 5;
}

static uint32_t va128(uint32_t w)
{
    return (w >> 16 & 31) | (w >> 5 & 1) << 5 | (w >> 10 & 1) << 6;
}

static uint32_t vb128(uint32_t w)
{
    return (w >> 11 & 31) | (w & 3) << 5;
}

/* Fills d, a, b, c and imm. Register operands of the general file are one higher than the field. */
static void operands(uint32_t form, uint32_t w, op *out)
{
    uint8_t t = w >> 21 & 31;
    uint8_t a = w >> 16 & 31;
    uint8_t b = w >> 11 & 31;
    uint8_t c = w >> 6 & 31;
    uint8_t a0 = a ? (uint8_t)(a + 1) : 0;
    uint32_t simm = (uint32_t)(int32_t)(int16_t)w;
    uint32_t mb6 = (w >> 6 & 31) | (w & 0x20);
    uint32_t sh6 = b | (w & 2) << 4;

    out->imm = w;
    switch (form) {
    case FORM_TAB:
    case FORM_LXU:
        out->d = t + 1, out->a = a + 1, out->b = b + 1;
        break;
    case FORM_TA:
    case FORM_T:
    case FORM_TSPR:
    case FORM_SPRT:
    case FORM_FXMT:
    case FORM_TFXM:
    case FORM_MSRL:
        out->d = t + 1, out->a = a + 1;
        break;
    case FORM_ASB:
    case FORM_AS:
        out->d = a + 1, out->a = t + 1, out->b = b + 1;
        break;
    case FORM_TAI:
    case FORM_LDU:
        out->d = t + 1, out->a = a + 1, out->imm = simm;
        break;
    case FORM_TZI:
    case FORM_LD:
        out->d = t + 1, out->a = a0, out->imm = simm;
        break;
    case FORM_TZIS:
        out->d = t + 1, out->a = a0, out->imm = w << 16;
        break;
    case FORM_ASU:
        out->d = a + 1, out->a = t + 1, out->imm = w & 0xFFFF;
        break;
    case FORM_ASUS:
        out->d = a + 1, out->a = t + 1, out->imm = w << 16;
        break;
    case FORM_CAB:
    case FORM_CFAB:
        out->d = t & 0x1C, out->a = a + 1, out->b = b + 1;
        if (form == FORM_CFAB) {
            out->a = a, out->b = b;
        }
        break;
    case FORM_CAI:
        out->d = t & 0x1C, out->a = a + 1, out->imm = simm;
        break;
    case FORM_CAU:
        out->d = t & 0x1C, out->a = a + 1, out->imm = w & 0xFFFF;
        break;
    case FORM_OAB:
        out->d = t, out->a = a + 1, out->b = b + 1;
        break;
    case FORM_OAI:
        out->d = t, out->a = a + 1, out->imm = simm;
        break;
    case FORM_M:
        out->d = a + 1, out->a = t + 1, out->c = b;
        out->b = (w >> 6 & 31) > (w >> 1 & 31); /* mask wraps: it covers the upper half too */
        out->imm = mask32(w >> 6 & 31, w >> 1 & 31);
        break;
    case FORM_MB:
        out->d = a + 1, out->a = t + 1, out->b = b + 1;
        out->c = (w >> 6 & 31) > (w >> 1 & 31);
        out->imm = mask32(w >> 6 & 31, w >> 1 & 31);
        break;
    case FORM_MD:
        out->d = a + 1, out->a = t + 1, out->b = (uint8_t)mb6, out->c = (uint8_t)sh6;
        break;
    case FORM_MDS:
        out->d = a + 1, out->a = t + 1, out->b = b + 1, out->c = (uint8_t)mb6;
        break;
    case FORM_ASS:
        out->d = a + 1, out->a = t + 1, out->c = b;
        break;
    case FORM_XS:
        out->d = a + 1, out->a = t + 1, out->c = (uint8_t)sh6;
        break;
    case FORM_BCN:
    case FORM_BOBI:
    case FORM_CRB:
        out->d = t, out->a = a, out->b = b;
        break;
    case FORM_CRF:
    case FORM_CRD:
    case FORM_FSFI:
        out->d = t & 0x1C, out->a = a & 0x1C;
        break;
    case FORM_LDS:
        out->d = t + 1, out->a = a0, out->imm = simm & ~3u;
        break;
    case FORM_LDSU:
        out->d = t + 1, out->a = a + 1, out->imm = simm & ~3u;
        break;
    case FORM_LX:
        out->d = t + 1, out->a = a0, out->b = b + 1, out->c = a;
        break;
    case FORM_LSWI:
        out->d = t + 1, out->a = a0, out->b = b + 1, out->c = b ? b : 32;
        break;
    case FORM_ZB:
        out->a = a0, out->b = b + 1;
        break;
    case FORM_FLD:
        out->d = t, out->a = a0, out->imm = simm;
        break;
    case FORM_FLDU:
        out->d = t, out->a = a + 1, out->imm = simm;
        break;
    case FORM_FLX:
    case FORM_VLX:
        out->d = t, out->a = a0, out->b = b + 1;
        break;
    case FORM_FLXU:
        out->d = t, out->a = a + 1, out->b = b + 1;
        break;
    case FORM_XLX:
        out->d = (uint8_t)vd128(w), out->a = a0, out->b = b + 1;
        break;
    case FORM_XABD: /* D = A * B + D: the plain form's VB is the addend */
        out->d = (uint8_t)vd128(w), out->a = (uint8_t)va128(w), out->b = (uint8_t)vd128(w);
        out->c = (uint8_t)vb128(w);
        break;
    case FORM_XADB:
    case FORM_XABV:
        out->d = (uint8_t)vd128(w), out->a = (uint8_t)va128(w), out->b = (uint8_t)vb128(w);
        out->c = (uint8_t)vd128(w);
        break;
    case FORM_XAB:
    case FORM_XB:
        out->d = (uint8_t)vd128(w), out->a = (uint8_t)va128(w), out->b = (uint8_t)vb128(w);
        break;
    case FORM_XABC:
        out->d = (uint8_t)vd128(w), out->a = (uint8_t)va128(w), out->b = (uint8_t)vb128(w);
        out->c = w >> 6 & 7;
        break;
    case FORM_XABH:
        out->d = (uint8_t)vd128(w), out->a = (uint8_t)va128(w), out->b = (uint8_t)vb128(w);
        out->imm = w >> 6 & 15;
        break;
    case FORM_XBU:
        out->d = (uint8_t)vd128(w), out->b = (uint8_t)vb128(w), out->imm = a;
        break;
    case FORM_XSI:
        out->d = (uint8_t)vd128(w), out->imm = (uint32_t)((int32_t)(w << 11) >> 27);
        break;
    case FORM_XBP:
        out->d = (uint8_t)vd128(w), out->b = (uint8_t)vb128(w), out->imm = a | (w >> 6 & 7) << 5;
        break;
    case FORM_XBR:
        out->d = (uint8_t)vd128(w), out->b = (uint8_t)vb128(w), out->imm = a, out->c = w >> 6 & 3;
        break;
    case FORM_VSI:
        out->d = t, out->imm = (uint32_t)((int32_t)(w << 11) >> 27);
        break;
    case FORM_VBU:
        out->d = t, out->b = b, out->imm = a;
        break;
    case FORM_VABH:
        out->d = t, out->a = a, out->b = b, out->imm = c & 15;
        break;
    default: /* floating point and VMX: the fields as they are */
        out->d = t, out->a = a, out->b = b, out->c = c;
        break;
    }
}

/* Distance in ops from `address` to `target`, or 0 when that is another page. */
static int32_t near_distance(uint32_t address, uint32_t target)
{
    if ((address ^ target) & ~(WEFT_PAGE_SIZE - 1)) {
        return 0;
    }
    return ((int32_t)(target & ~3u) - (int32_t)address) / 4;
}

/* Replaces a general handler by one for the operands at hand; same results, less to look at. */
static void specialise(uint32_t address, uint32_t w, op *out)
{
    uint32_t bo = w >> 21 & 31;

    if (out->run == op_addi && out->a == 0) {
        out->run = op_li;
    } else if (w == 0x7FFFFB78u) { /* or r31,r31,r31: db16cyc, LESSONS 10 */
        out->run = op_yield;
    } else if (w == 0x60000000u) {
        out->run = op_nop;
    } else if (out->run == op_or && out->a == out->b) {
        out->run = op_mr;
    } else if (out->run == op_or_rc && out->a == out->b) {
        out->run = op_mr_rc;
    } else if (out->run == op_rlwinm && out->b) {
        out->run = op_rlwinm_wrap;
    } else if (out->run == op_rlwinm_rc && out->b) {
        out->run = op_rlwinm_wrap_rc;
    } else if (out->run == op_b || out->run == op_bl) {
        uint32_t offset = (uint32_t)((int32_t)(w << 6) >> 6) & ~3u;
        uint32_t target = (w & 2 ? 0 : address) + offset;
        int32_t near = near_distance(address, target);
        out->imm = target;
        if (near) {
            out->run = out->run == op_b ? op_b_near : op_bl_near;
            out->imm = (uint32_t)near;
        }
    } else if (out->run == op_bc) {
        uint32_t target = (w & 2 ? 0 : address) + (uint32_t)(int32_t)(int16_t)(w & 0xFFFC);
        int32_t near = near_distance(address, target);
        out->imm = target;
        out->c = w & 1;
        if (near && !(w & 1)) {
            if ((bo & 0x1E) == 0x10) {
                out->run = op_bdnz_near;
                out->imm = (uint32_t)near;
            } else if ((bo & 0x14) == 0x04) {
                out->run = bo & 8 ? op_bt_near : op_bf_near;
                out->imm = (uint32_t)near;
            }
        }
    } else if (out->run == op_bclr) {
        out->run = (bo & 0x14) == 0x14 && !(w & 1) ? op_blr : op_bclr;
    } else if (out->run == op_bcctr && (bo & 0x14) == 0x14) {
        out->run = w & 1 ? op_bctrl : op_bctr;
    } else if (out->run == op_mfspr || out->run == op_mtspr) {
        uint32_t spr = (w >> 16 & 31) | (w >> 6 & 0x3E0);
        int from = out->run == op_mfspr;
        out->imm = spr;
        if (spr == 8) {
            out->run = from ? op_mflr : op_mtlr;
        } else if (spr == 9) {
            out->run = from ? op_mfctr : op_mtctr;
        }
    }
}

void ppc_decode(const uint16_t *lookup, uint32_t address, uint32_t word, op *out)
{
    const ppc_row *row = ppc_row_find(lookup, word);
    uint32_t variant = 0;
    *out = (op){.run = op_illegal, .imm = word};
    if (!row) {
        return;
    }
    if (row->variants & PPC_VARIANT_RC) {
        variant |= word & 1;
    }
    if (row->variants & PPC_VARIANT_OE) {
        variant |= word >> 9 & 2;
    }
    if (row->variants & PPC_VARIANT_VC) {
        variant |= word >> 10 & 1;
    }
    if (row->variants & PPC_VARIANT_VR) {
        variant |= word >> 6 & 1;
    }
    out->run = row->run[variant];
    operands(row->form, word, out);
    specialise(address, word, out);
}
