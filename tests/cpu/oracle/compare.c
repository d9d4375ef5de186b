/* compare.c: the plugin's answer beside qemu's, under masks for what the ISA leaves undefined and
 * for what qemu 7.2 gets wrong; model/ covers the latter. */
#include "oracle.h"

#include <stdio.h>

static int named(const ppc_row *row, const char *list)
{
    char text[32];
    snprintf(text, sizeof text, " %s ", row->name);
    return strstr(list, text) != NULL;
}

static int divides_badly(const ppc_row *row, uint64_t a, uint64_t b)
{
    return (named(row, " divw divwu ") && (uint32_t)b == 0) ||
           (named(row, " divw ") && (uint32_t)a == 0x80000000 && (uint32_t)b == UINT32_MAX) ||
           (named(row, " divd divdu ") && b == 0) ||
           (named(row, " divd ") && a == UINT64_C(1) << 63 && b == UINT64_MAX);
}

static int is_float(const ppc_row *row)
{
    return row->value >> 26 == 59 || row->value >> 26 == 63;
}

/* What the ISA leaves undefined (PowerISA 2.03 book I, by the instructions' descriptions), and what
 * qemu 7.2 does not do; the latter is compared in test_model.c. */
oracle_mask oracle_mask_of(const ppc_row *row, const oracle_case *in, const oracle_case *here)
{
    oracle_mask m = {UINT64_MAX, UINT64_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX};
    uint32_t w = in->words[0];
    uint64_t a = in->r[w >> 16 & 31], b = in->r[w >> 11 & 31];
    int sf = in->msr >> 63;

    m.fpscr &= ~UINT64_C(0x40000); /* FR: qemu has none */
    if (named(row, " mulhw mulhwu divw divwu ")) {
        m.r = UINT32_MAX; /* upper half undefined, and so CR0 in 64-bit mode */
        m.cr = sf ? 0x0FFFFFFF : m.cr;
    }
    if (divides_badly(row, a, b)) {
        m.r = 0;
        m.cr = 0x1FFFFFFF; /* SO is defined */
    }
    if (named(row, " mfocrf ")) {
        m.r = 0;
        for (unsigned i = 0; i < 8; i++) {
            m.r |= w >> (12 + i) & 1 ? UINT64_C(15) << (4 * i) : 0;
        }
    }
    if (named(row, " mtspr ")) {
        m.xer = 0xE000007F; /* qemu keeps the reserved bits */
    }
    if (is_float(row) && w & 1) {
        m.cr = 0xF0FFFFFF; /* CR1 follows from FPSCR, see difference */
    }
    if (named(row, " mtfsb1 ")) {
        m.fpscr &= ~UINT64_C(4); /* qemu does not let it set NI */
    }
    if (w >> 26 == 59 || named(row, " frsp ")) {
        /* qemu classifies single results as doubles, the ISA by the target precision (4.2.2); and
         * it cuts the payload of NaN operands, which the ISA copies but for frsp (4.4.1) */
        uint64_t result = here->f[w >> 21 & 31];
        m.fpscr &= ~UINT64_C(0x10000);
        m.f = result << 1 > UINT64_C(0xFFE0000000000000) ? ~UINT64_C(0x1FFFFFFF) : m.f;
    }
    if (named(row, " fctiw fctiwz fctid fctidz ")) {
        m.fpscr &= ~UINT64_C(0x1F000); /* FPRF undefined */
        m.f = named(row, " fctid fctidz ") ? UINT64_MAX : UINT32_MAX;
    }
    if (named(row, " fcmpu fcmpo ")) {
        /* qemu writes C and FI, the ISA FPCC alone; and qemu raises VXVC beside an enabled VXSNAN,
         * the ISA does not (4.6.7) */
        m.fpscr &= ~UINT64_C(0x30000) & ~(in->fpscr & 0x80 ? UINT64_C(0x80000) : 0);
    }
    if (named(row, " fcfid frsp ") && oracle_exit(here) == WEFT_CPU_FP) {
        /* qemu interrupts fcfid before it writes, and adds something else than 192 for frsp */
        m.f = 0;
        m.fpscr &= ~UINT64_C(0x1F000);
    }
    if (named(row, " mtvscr ")) {
        m.vscr = 0x10001; /* qemu keeps the reserved bits */
    }
    return m;
}

/* FX by the ISA's rule (book I, 4.2.2): it joins whatever exception bit went from 0 to 1. qemu sets
 * it also when the bit was up already. */
static uint64_t with_fx(const ppc_row *row, const oracle_case *in, uint64_t fpscr)
{
    uint64_t before = in->fpscr;
    const uint64_t exceptions = 0x1FF80700;
    before |= named(row, " mtfsb1 ") && !(in->words[0] >> 21 & 31) ? 0x80000000 : 0;
    return (fpscr & 0x7FFFFFFF) | (before & 0x80000000) |
           (fpscr & ~before & exceptions ? 0x80000000 : 0);
}

static int writes_fpscr(const ppc_row *row)
{
    return named(row, " mtfsf mtfsfi mtfsb0 mcrfs ");
}

static int is_update(const ppc_row *row)
{
    return row->form == FORM_LDU || row->form == FORM_LDSU || row->form == FORM_LXU ||
           row->form == FORM_FLDU || row->form == FORM_FLXU;
}

/* What an update form adds to its base. */
static uint64_t offset_of(const ppc_row *row, const oracle_case *in)
{
    uint32_t w = in->words[0];
    if (row->form == FORM_LXU || row->form == FORM_FLXU) {
        return in->r[w >> 11 & 31];
    }
    return (uint64_t)(int64_t)(int16_t)(row->form == FORM_LDSU ? w & 0xFFFC : w & 0xFFFF);
}

const char *oracle_difference(const ppc_row *row, const oracle_case *in, const oracle_case *here,
                              const oracle_case *there, char *text, size_t capacity)
{
    oracle_mask m = oracle_mask_of(row, in, here);
    uint32_t target = in->words[0] >> 21 & 31;
    uint64_t fpscr = with_fx(row, in, there->fpscr);
#define CHECK(label, index, h, t, mask)                                                            \
    do {                                                                                           \
        if (((h) ^ (t)) & (mask)) {                                                                \
            snprintf(text, capacity, label " is %016llx, qemu %016llx", index,                     \
                     (unsigned long long)(h), (unsigned long long)(t));                            \
            return text;                                                                           \
        }                                                                                          \
    } while (0)
    if (named(row, " fnmadd fnmadds fnmsub fnmsubs ") && in->fpscr & 2) {
        return NULL; /* qemu negates before it rounds up or down, the ISA after (4.6.5.2) */
    }
    CHECK("exit%s", "", (uint64_t)oracle_exit(here), (uint64_t)oracle_exit(there), UINT64_MAX);
    CHECK("pc%s", "", (uint64_t)oracle_pc(here), (uint64_t)oracle_pc(there), UINT64_MAX);
    if (oracle_exit(here) == WEFT_CPU_ALIGNMENT) {
        CHECK("dar%s", "", here->dar, there->dar, UINT32_MAX);
    }
    const uint32_t w = in->words[0], ra = w >> 16 & 31;
    CHECK("msr%s", "", here->srr1, there->srr1, ORACLE_MSR | ORACLE_FE | 0x8000 | WEFT_MSR_SF);
    for (unsigned i = 0; i < 32; i++) {
        if (is_update(row) && i == ra && !(in->msr >> 63)) {
            /* the whole sum, of which qemu keeps 32 bits (Linux commit d120cdbce68c) */
            CHECK("r%u", i, here->r[i], in->r[ra] + offset_of(row, in), UINT64_MAX);
            CHECK("r%u", i, here->r[i], there->r[i], UINT32_MAX);
            continue;
        }
        CHECK("r%u", i, here->r[i], there->r[i], i == target ? m.r : UINT64_MAX);
    }
    for (unsigned i = 0; i < 32; i++) {
        CHECK("f%u", i, here->f[i], there->f[i], i == target ? m.f : UINT64_MAX);
    }
    for (unsigned i = 0; i < 32; i++) {
        for (unsigned j = 0; j < 4; j++) {
            CHECK("v%u", i, (uint64_t)weft_load32(here->v[i] + 4 * j),
                  (uint64_t)weft_load32(there->v[i] + 4 * j), UINT32_MAX);
        }
    }
    CHECK("cr%s", "", here->cr, there->cr, m.cr);
    if (m.cr == 0xF0FFFFFF) {
        CHECK("cr1%s", "", here->cr >> 24 & 15, here->fpscr >> 28 & 15, 15);
    }
    CHECK("xer%s", "", here->xer, there->xer, m.xer);
    CHECK("lr%s", "", here->lr, there->lr, UINT64_MAX);
    CHECK("ctr%s", "", here->ctr, there->ctr, UINT64_MAX);
    CHECK("fpscr%s", "", here->fpscr, writes_fpscr(row) ? there->fpscr : fpscr, m.fpscr);
    CHECK("vrsave%s", "", here->vrsave, there->vrsave, UINT32_MAX);
    CHECK("vscr%s", "", (uint64_t)weft_load32(here->vscr + 12),
          (uint64_t)weft_load32(there->vscr + 12), m.vscr);
    return NULL;
}
