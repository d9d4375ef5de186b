/* generate.c: random instructions of a table row, with states that make them interesting. Operand
 * letters are those of forms.def. */
#include "oracle.h"

#include <string.h>

uint64_t generate_next(generator *g)
{
    g->random ^= g->random << 13;
    g->random ^= g->random >> 7;
    g->random ^= g->random << 17;
    return g->random;
}

#define NEXT()     generate_next(g)
#define PICK(list) ((list)[NEXT() % (sizeof(list) / sizeof *(list))])

uint64_t generate_integer(generator *g)
{
    static const uint64_t edges[] = {0,
                                     1,
                                     2,
                                     31,
                                     32,
                                     63,
                                     64,
                                     127,
                                     UINT64_MAX,
                                     INT64_MAX,
                                     0x7FFFFFFF,
                                     0x80000000,
                                     0xFFFFFFFF,
                                     UINT64_C(0x100000000),
                                     UINT64_C(0xFFFFFFFF80000000),
                                     UINT64_C(0xFFFFFFFF7FFFFFFF),
                                     UINT64_C(1) << 63,
                                     UINT64_C(0x8000000000000001)};
    switch (NEXT() & 3) {
    case 0:
        return PICK(edges);
    case 1:
        return NEXT() >> (NEXT() & 63);
    case 2: /* a word, sign-extended or not */
        return NEXT() & 1 ? (uint64_t)(int64_t)(int32_t)NEXT() : (uint32_t)NEXT();
    default:
        return NEXT();
    }
}

uint64_t generate_double(generator *g)
{
    static const uint64_t edges[] = {0,
                                     UINT64_C(1) << 63, /* zeros */
                                     UINT64_C(0x7FF0000000000000),
                                     UINT64_C(0xFFF0000000000000), /* infinities */
                                     UINT64_C(0x7FF8000000000001),
                                     UINT64_C(0xFFF0000000001000),
                                     UINT64_C(0xFFFC000020000000),
                                     UINT64_C(0x7FF4000000000000), /* quiet and signalling NaNs */
                                     UINT64_C(0x3FF0000000000000),
                                     UINT64_C(0xBFF0000000000000),
                                     UINT64_C(0x3FE0000000000000),
                                     UINT64_C(0x0010000000000000),
                                     UINT64_C(0x000FFFFFFFFFFFFF),
                                     UINT64_C(0x7FEFFFFFFFFFFFFF),
                                     1,
                                     UINT64_C(0x8000000000000001), /* ends of the range */
                                     UINT64_C(0x3810000000000000),
                                     UINT64_C(0x380FFFFFFFFFFFFF),
                                     UINT64_C(0x47EFFFFFE0000000),
                                     UINT64_C(0x47EFFFFFF0000000),
                                     UINT64_C(0x36A0000000000000), /* of singles */
                                     UINT64_C(0x41DFFFFFFFC00000),
                                     UINT64_C(0xC1E0000000000000),
                                     UINT64_C(0x41E0000000000000),
                                     UINT64_C(0x43E0000000000000),
                                     UINT64_C(0xC3E0000000000000)}; /* of integers */
    uint64_t sign = NEXT() << 63;
    switch (NEXT() & 7) {
    case 0:
        return PICK(edges);
    case 1: /* few significant bits: exact results and ties */
        return sign | (0x3E8 + NEXT() % 48) << 52 | (NEXT() & 7) << 49 | (NEXT() & 1) << 23;
    case 2: /* a single */
        return sign | (0x380 + NEXT() % 255) << 52 | (NEXT() & UINT64_C(0xFFFFFE0000000));
    case 3:
        return NEXT();
    case 4: /* near the ends of the range */
        return sign | (NEXT() & 1 ? NEXT() % 60 : 0x7FE - NEXT() % 60) << 52 | NEXT() >> 12;
    case 5: /* near the ends of the range of singles */
        return sign | (NEXT() & 1 ? 0x369 + NEXT() % 40 : 0x47E - NEXT() % 8) << 52 | NEXT() >> 12;
    default:
        return sign | (0x3F0 + NEXT() % 32) << 52 | NEXT() >> 12;
    }
}

uint32_t generate_single(generator *g)
{
    static const uint32_t edges[] = {
        0,          0x80000000, 0x7F800000, 0xFF800000, 0x7FC00001, 0xFF800100, 0x3F800000,
        0xBF800000, 0x00800000, 0x80800000, 0x007FFFFF, 0x807FFFFF, 0x00000001, 0x7F7FFFFF,
        0xFF7FFFFF, 0x4F000000, 0xCF000000, 0x4F800000, 0x3F000000, 0xBF000000, 0x4B000001};
    uint32_t sign = (uint32_t)NEXT() << 31;
    switch (NEXT() & 7) {
    case 0:
    case 1:
        return PICK(edges);
    case 2:
        return (uint32_t)NEXT();
    case 3: /* near the ends of the range */
        return sign | (uint32_t)(NEXT() & 1 ? NEXT() % 30 : 254 - NEXT() % 30) << 23 |
               ((uint32_t)NEXT() & 0x7FFFFF);
    case 4: /* few significant bits */
        return sign | (uint32_t)(115 + NEXT() % 24) << 23 | (uint32_t)(NEXT() & 7) << 20;
    default:
        return sign | (uint32_t)(112 + NEXT() % 32) << 23 | ((uint32_t)NEXT() & 0x7FFFFF);
    }
}

void generate_vector(generator *g, int floats, uint8_t *v)
{
    uint32_t word = (uint32_t)NEXT();
    for (unsigned j = 0; j < 4; j++) {
        switch (floats ? 9 : NEXT() % 5) {
        case 0: /* bytes near their ends */
            word = 0;
            for (unsigned k = 0; k < 4; k++) {
                static const uint8_t ends[] = {0, 1, 0x7F, 0x80, 0xFF, 0x81};
                word = word << 8 | PICK(ends);
            }
            break;
        case 1: {
            static const uint16_t ends[] = {0, 1, 0x7FFF, 0x8000, 0xFFFF, 0x00FF, 0x0080, 0xFF80};
            word = (uint32_t)PICK(ends) << 16 | PICK(ends);
            break;
        }
        case 2:
            word = (uint32_t)generate_integer(g);
            break;
        case 3: /* as the one before */
            break;
        case 9:
            word = generate_single(g);
            break;
        default:
            word = (uint32_t)NEXT();
            break;
        }
        weft_store32(v + 4 * j, word);
    }
}

static const char *const forms[] = {
#define FORM(name, text) text,
#include "forms.def"
#undef FORM
};

static int named(const ppc_row *row, const char *list)
{
    char text[32] = " ";
    strcat(strncat(text, row->name, 28), " ");
    return strstr(list, text) != NULL;
}

static int has(const char *form, char letter)
{
    return strchr(form, letter) != NULL;
}

/* A word of the row, every operand field random. */
static uint32_t random_word(generator *g, const ppc_row *row)
{
    const char *form = forms[row->form];
    uint32_t w = row->value, x = (uint32_t)(NEXT() >> 20), fields = 0;
    w |= row->variants & PPC_VARIANT_RC ? x & 1 : 0;
    w |= row->variants & (PPC_VARIANT_OE | PPC_VARIANT_VC) ? x & 0x400 : 0;
    w |= row->variants & PPC_VARIANT_VR ? x & 0x40 : 0;
    for (const char *p = form; *p; p++) {
        static const struct {
            char letters[16];
            uint32_t mask;
        } bits[] = {
            {"TfvpocV", 31u << 21},
            {"AZgwqUGCWP", 31u << 16},
            {"BhxrsNX", 31u << 11},
            {"kymHM", 31u << 6},
            {"e", 31u << 1},
            {"iud", 0xFFFF},
            {"D", 0xFFFC},
            {"S", 31u << 11 | 2},
            {"M", 32},
            {"F", 0xFFu << 12},
            {"z", 0xFFu << 17},
            {"I", 15u << 12},
            {"V", 3u << 2},
            {"W", 1u << 5 | 1u << 10},
            {"X", 3},
            {"Y", 7u << 6},
            {"j", 31u << 16 | 7u << 6},
            {"R", 3u << 6},
            {"cC", 0},
            {"t", 0x03FFFFFE},
            {"n", 0xFFFE},
            {"E", 1u << 16},
            {"P", 31u << 11},
            {"l", 0},
        };
        for (unsigned i = 0; i < sizeof bits / sizeof *bits; i++) {
            if (memchr(bits[i].letters, *p, strlen(bits[i].letters))) {
                fields |= bits[i].mask;
            }
        }
    }
    if (has(form, 'c')) {
        fields &= ~(3u << 21);
    }
    if (has(form, 'C')) {
        fields &= ~(3u << 16);
    }
    return w | ((uint32_t)NEXT() & fields & ~row->mask);
}

static uint32_t field(uint32_t w, unsigned shift)
{
    return w >> shift & 31;
}

static void set_field(uint32_t *w, unsigned shift, uint32_t value)
{
    *w = (*w & ~(31u << shift)) | value << shift;
}

/* High halves of addresses do not count with SF=0. */
static uint64_t address(generator *g, uint32_t low)
{
    return g->sf ? low : (NEXT() & 1 ? NEXT() << 32 : 0) | low;
}

/* Registers r..r+count-1, after r31 comes r0: is n among them? */
static int among(uint32_t first, uint32_t count, uint32_t n)
{
    return ((n - first) & 31) < count;
}

/* Are the registers of this memory instruction a valid form whose result is defined? */
static int valid_memory(const ppc_row *row, uint32_t w, const oracle_case *c)
{
    const char *form = forms[row->form];
    uint32_t t = field(w, 21), a = field(w, 16), b = field(w, 11);
    int load = row->name[0] == 'l', zero_base = !has(form, 'A');
    if (!zero_base && (a == 0 || (load && has(form, 'T') && a == t))) {
        return 0; /* update forms */
    }
    if (named(row, " lmw ")) {
        return a < t && a != 0;
    }
    if (named(row, " stmw ")) {
        return a != 0;
    }
    if (row->form == FORM_LSWI) {
        uint32_t count = ((b ? b : 32) + 3) / 4;
        return !load || !among(t, count, a);
    }
    if (named(row, " lswx ")) {
        uint32_t count = ((c->xer & 127) + 3) / 4;
        return !among(t, count, a) && !among(t, count, b);
    }
    return 1;
}

/* Points base and index into the window of the case (or, with RA=0, into low memory). */
static int aim(generator *g, const ppc_row *row, uint32_t index, oracle_case *c)
{
    const char *form = forms[row->form];
    uint32_t w = c->words[0];
    uint32_t a = field(w, 16), b = field(w, 11), zero = a == 0 && has(form, 'Z');
    uint32_t ea = ORACLE_DATA + index * ORACLE_WINDOW + 128 + (uint32_t)(NEXT() % 200);
    uint32_t align = named(row, " lwarx stwcx. ") ? 3 : named(row, " ldarx stdcx. ") ? 7 : 0;
    if (align &&
        (NEXT() % 8 || row->name[0] == 's')) { /* qemu's stwcx. asks for a reservation first */
        ea &= ~align;
    }
    if (has(form, 'd') || has(form, 'D')) {
        uint32_t low = ORACLE_LOW + 64 + (uint32_t)(NEXT() % 0x700);
        uint32_t d = has(form, 'D') ? w & 0xFFFC : w & 0xFFFF;
        if (zero) {
            w = (w & ~0xFFFFu) | (has(form, 'D') ? (low & 0xFFFC) | (w & 3) : low);
        } else {
            c->r[a] = address(g, ea - (uint32_t)(int32_t)(int16_t)d);
        }
    } else if (row->form == FORM_LSWI) {
        if (zero) {
            return 0; /* address 0 */
        }
        c->r[a] = address(g, ea);
    } else if (zero) {
        c->r[b] = address(g, ea);
    } else if (a == b) {
        ea &= ~1u;
        c->r[a] = address(g, ea / 2);
    } else {
        c->r[b] = address(g, g->sf ? (uint32_t)(NEXT() % 4096) : (uint32_t)NEXT());
        c->r[a] = address(g, ea - (uint32_t)c->r[b]);
    }
    c->words[0] = w;
    return 1;
}

static int memory_case(generator *g, const ppc_row *row, uint32_t index, oracle_case *c)
{
    if (named(row, " stfs stfsu stfsx stfsux ")) { /* what no single can hold is undefined */
        c->f[field(c->words[0], 21)] = UINT64_C(0x3FF8000000000000) ^ NEXT() << 63;
        uint32_t x = generate_single(g);
        float narrow;
        memcpy(&narrow, &x, 4);
        double wide = narrow;
        if (narrow == narrow) {
            memcpy(&c->f[field(c->words[0], 21)], &wide, 8);
        }
    }
    if (!valid_memory(row, c->words[0], c) || !aim(g, row, index, c)) {
        return 0;
    }
    if (named(row, " stwcx. stdcx. ")) { /* most with the reservation they want */
        uint32_t w = c->words[0], xo = named(row, " stdcx. ") ? 84u : 20u;
        uint32_t t = 7;
        while (t == field(w, 21) || t == field(w, 16) || t == field(w, 11)) {
            t++;
        }
        c->words[1] = NEXT() % 4 ? w : 0;
        if (c->words[1]) {
            c->words[0] = 31u << 26 | t << 21 | (w & (31u << 16 | 31u << 11)) | xo << 1;
            c->words[2] = NEXT() & 1 ? w : 0; /* a second one fails */
        }
    }
    return 1;
}

/* A word-aligned place without code near the slot. */
static uint32_t landing(generator *g, uint32_t slot)
{
    uint32_t to = slot - 0x4000 + ((uint32_t)NEXT() & 0x7FFC);
    return (to & 127) < 4 * ORACLE_WORDS ? to | 64 : to;
}

static void branch_case(generator *g, const ppc_row *row, oracle_case *c)
{
    static const uint64_t counts[] = {0, 1, 2, UINT64_C(0x100000000), UINT64_C(0x100000001)};
    uint32_t w = c->words[0], slot = (uint32_t)c->slot, to = landing(g, slot);
    if (NEXT() & 1) {
        c->ctr = PICK(counts);
    }
    if (row->form == FORM_I) {
        uint32_t li = w & 2 ? ORACLE_ZERO + ((uint32_t)NEXT() & 0xFFFC) : to - slot;
        c->words[0] = (w & ~0x03FFFFFCu) | (li & 0x03FFFFFC);
    } else if (row->form == FORM_BCN) {
        uint32_t bd = w & 2 ? ORACLE_LOW + 0x800 + ((uint32_t)NEXT() & 0x7FC) : to - slot;
        c->words[0] = (w & ~0xFFFCu) | (bd & 0xFFFC);
    } else {
        uint64_t target = address(g, to | ((uint32_t)NEXT() & 3));
        if (named(row, " bcctr bcctrl ")) {
            c->words[0] = w | 4u << 21; /* counting is an invalid form */
            c->ctr = target;
        } else {
            c->lr = target;
        }
    }
}

/* Moves to MSR: whatever keeps the machine running; then MSR is read back. */
static void msr_case(generator *g, const ppc_row *row, oracle_case *c)
{
    uint32_t s = field(c->words[0], 21);
    if (c->words[0] >> 16 & 1) {
        c->r[s] = NEXT();
    } else {
        c->r[s] = ORACLE_MSR | (NEXT() & (0x8000 | ORACLE_FE)) | (NEXT() & 1) << 63;
        c->r[s] &= NEXT() & 1 ? UINT64_MAX : ~UINT64_C(2);
    }
    c->words[1] = 31u << 26 | (s ^ 1) << 21 | 83u << 1; /* mfmsr */
}

static int is_memory(const ppc_row *row)
{
    switch (row->form) {
    case FORM_LD:
    case FORM_LDU:
    case FORM_LDS:
    case FORM_LDSU:
    case FORM_LX:
    case FORM_LXU:
    case FORM_LSWI:
    case FORM_ZB:
    case FORM_FLD:
    case FORM_FLDU:
    case FORM_FLX:
    case FORM_FLXU:
    case FORM_VLX:
        return 1;
    default:
        return 0;
    }
}

static void random_state(generator *g, const ppc_row *row, uint32_t index, oracle_case *c)
{
    int floats = strstr(row->name, "fp") || strstr(row->name, "vrfi") || strstr(row->name, "vct") ||
                 NEXT() % 8 == 0;
    memset(c, 0, sizeof *c);
    c->slot = ORACLE_SLOT(index);
    c->msr = ORACLE_MSR | (uint64_t)g->sf << 63;
    c->cr = (uint32_t)NEXT();
    c->xer = (NEXT() & 0xE0000000) | (NEXT() & 0x7F);
    c->lr = generate_integer(g);
    c->ctr = generate_integer(g);
    c->vrsave = (uint32_t)NEXT();
    c->fpscr = NEXT() & 3;
    if (NEXT() & 1) { /* earlier exceptions */
        c->fpscr |= NEXT() & 0x9FFFF700;
        c->fpscr |= c->fpscr & 0x1F80700 ? 0x20000000 : 0; /* VX */
    } else if (NEXT() & 1) {                               /* enabled ones that interrupt */
        c->fpscr |= NEXT() & 0xF8;
        c->msr |= ORACLE_FE;
    }
    weft_store32(c->vscr + 12, (uint32_t)((NEXT() & 1) << 16 | (NEXT() & 1)));
    for (unsigned i = 0; i < 32; i++) {
        c->r[i] = generate_integer(g);
        c->f[i] = NEXT() & 15 ? generate_double(g) : generate_integer(g);
        generate_vector(g, floats, c->v[i]);
    }
}

int generate_case(generator *g, const ppc_row *row, uint32_t index, oracle_case *c)
{
    static const uint32_t sprs[] = {1, 8, 9, 256};
    for (unsigned tries = 0; tries < 100; tries++) {
        random_state(g, row, index, c);
        c->words[0] = random_word(g, row);
        if (named(row, " mftb ")) {
            return 0;
        }
        if (c->words[0] == 0x7FFFFB78) { /* or r31,r31,r31 ends the run: db16cyc */
            continue;
        }
        if (row->form == FORM_TSPR || row->form == FORM_SPRT) {
            uint32_t spr = PICK(sprs);
            set_field(&c->words[0], 16, spr & 31);
            set_field(&c->words[0], 11, spr >> 5);
        } else if (row->form == FORM_MSRL) {
            msr_case(g, row, c);
        } else if (row->form == FORM_I || row->form == FORM_BCN || row->form == FORM_BOBI) {
            branch_case(g, row, c);
        } else if (named(row, " mtocrf mfocrf ")) { /* one field, or the result is undefined */
            c->words[0] = (c->words[0] & ~0xFF000u) | 0x1000u << (NEXT() & 7);
        } else if (row->form == FORM_SC) {
            c->words[0] &= ~0xFE0u;
        } else if (is_memory(row) && !named(row, " lvsl lvsr ") && !memory_case(g, row, index, c)) {
            continue;
        }
        return 1;
    }
    return 0;
}
