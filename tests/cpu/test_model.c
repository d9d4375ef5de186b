/* test_model.c: what qemu does not have or gets wrong, against models made from the documents: all
 * scalar arithmetic with exact rational values (rounding modes, FPSCR with FR, enabled exceptions,
 * NI), vector arithmetic likewise, what only VMX128 has, lvlx and its kin, byte-reversed
 * doublewords, and the error bounds of estimates. Random states with edge values, seeded. */
#include "check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model/exact.h"
#include "oracle/oracle.h"

#define STATES 2000

typedef struct fixture {
    machine *m;
    generator g;
} fixture;

static int set_up_engine(void **state, const char *choice)
{
    fixture *f = calloc(1, sizeof *f);
    f->m = machine_make_engine(&weft_plugin, choice);
    oracle_prepare(f->m);
    f->g.random = UINT64_C(0xD1B54A32D192ED03);
    *state = f;
    return 0;
}

static int set_up_blocks(void **state)
{
    return set_up_engine(state, "interp-blocks");
}

static int set_up_plain(void **state)
{
    return set_up_engine(state, "interp-plain");
}

static int tear_down(void **state)
{
    fixture *f = *state;
    machine_free(f->m);
    free(f);
    return 0;
}

static uint32_t random_fpscr(generator *g)
{
    uint32_t x = (uint32_t)generate_next(g);
    uint32_t fpscr = (x & 3) | (x & 0x10 ? x >> 8 & 0xF8 : 0) | (x & 0xE0 ? 0 : 4);
    if (x & 8) {
        fpscr |= (uint32_t)generate_next(g) & 0x9FF9F700;
    }
    fpscr |= fpscr & 0x1F80700 ? 0x20000000 : 0;
    for (unsigned i = 0; i < 5; i++) {
        fpscr |= fpscr >> (29 - i) & fpscr >> (7 - i) & 1 ? 0x40000000 : 0;
    }
    return fpscr;
}

/* One scalar row, all states: target, FPSCR, CR1 or the compare's field, and the interrupt. */
static void scalar_row(fixture *f, const ppc_row *row)
{
    weft_cpu_state *s = f->m->state;
    for (unsigned i = 0; i < STATES; i++) {
        uint64_t x = generate_next(&f->g), a = generate_double(&f->g), b = generate_double(&f->g);
        uint64_t c = generate_double(&f->g), old = generate_double(&f->g);
        uint32_t fpscr = random_fpscr(&f->g), rc = row->variants & PPC_VARIANT_RC ? x & 1 : 0;
        int enabled = x >> 1 & 1, compares = row->form == FORM_CFAB;
        fp_model want;
        if ((x >> 2 & 15) == 0) { /* cancel */
            b = a ^ (x >> 6 & 1) << 63;
        }
        if (strcmp(row->name, "fcfid") == 0) {
            b = generate_integer(&f->g);
        }
        assert_true(model_float(row->name, a, b, c, old, fpscr, &want));
        s->f[1] = a, s->f[2] = b, s->f[3] = c, s->f[4] = old;
        s->fpscr = fpscr;
        s->cr = (uint32_t)x;
        s->msr = enabled ? ORACLE_FE : 0;
        uint32_t word =
            row->value | (compares ? 2u << 23 : 4u << 21) | 1 << 16 | 2 << 11 | 3 << 6 | rc;
        if (compares) {
            word = (word & ~0x7C0u) | (row->value & 0x7C0);
        }
        if (row->form == FORM_FB) {
            word &= ~(31u << 16 | 31u << 6) | (row->value & (31u << 16 | 31u << 6));
        } else if (row->form == FORM_FAB) {
            word &= ~(31u << 6) | (row->value & 31u << 6);
        } else if (row->form == FORM_FAC) {
            word &= ~(31u << 11) | (row->value & 31u << 11);
        }
        uint32_t exit = machine_run(f->m, &word, 1);
        uint32_t cr = (uint32_t)x;
        cr = rc ? (cr & 0xF0FFFFFF) | (want.fpscr >> 28) << 24 : cr;
        cr = compares ? (cr & 0xFF0FFFFF) | want.cr_field << 20 : cr;
        uint32_t ends = enabled && want.fpscr & 0x40000000 ? WEFT_CPU_FP : WEFT_CPU_SYSCALL;
        if (want.undefined) {
            want.target = s->f[4];
            want.fpscr = (want.fpscr & ~0x1F000u) | (s->fpscr & 0x1F000);
        }
        if (exit != ends || s->f[4] != want.target || s->fpscr != want.fpscr || s->cr != cr) {
            fail_msg(
                "%s a %016llx b %016llx c %016llx fpscr %08x: %016llx fpscr %08x cr %08x exit %u, "
                "model %016llx fpscr %08x cr %08x exit %u",
                row->name, (unsigned long long)a, (unsigned long long)b, (unsigned long long)c,
                fpscr, (unsigned long long)s->f[4], s->fpscr, s->cr, exit,
                (unsigned long long)want.target, want.fpscr, cr, ends);
        }
    }
}

static void scalar_arithmetic(void **state)
{
    fixture *f = *state;
    uint32_t count, tested = 0;
    const ppc_row *rows = ppc_rows(&count);
    for (uint32_t i = 0; i < count; i++) {
        fp_model out;
        if ((rows[i].value >> 26 == 59 || rows[i].value >> 26 == 63) &&
            model_float(rows[i].name, 0, 0, 0, 0, 0, &out)) {
            scalar_row(f, &rows[i]);
            tested++;
        }
    }
    assert_int_equal(tested, 26); /* 9 in both precisions, frsp, 5 conversions, 2 compares */
}

static const ppc_row *row_named(const char *name)
{
    uint32_t count;
    const ppc_row *rows = ppc_rows(&count);
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(rows[i].name, name) == 0) {
            return &rows[i];
        }
    }
    fail_msg("no row %s", name);
    return NULL;
}

/* Vector arithmetic, plain and VMX128, every element, both NJ. vmaddfp128 D = A*B + D, vmaddcfp128
 * D = A*D + B, vnmsubfp128 D = -(A*B - D): CPU-FACTS.md. */
static void vector_arithmetic(void **state)
{
    static const char *const names[] = {"vaddfp",      "vsubfp",     "vmaddfp",   "vnmsubfp",
                                        "vaddfp128",   "vsubfp128",  "vmulfp128", "vmaddfp128",
                                        "vmaddcfp128", "vnmsubfp128"};
    fixture *f = *state;
    weft_cpu_state *s = f->m->state;
    for (unsigned n = 0; n < sizeof names / sizeof *names; n++) {
        const char *name = names[n];
        int wide = strstr(name, "128") != NULL,
            carry = strstr(name, "madd") || strstr(name, "nmsub");
        uint32_t value = row_named(name)->value;
        for (unsigned i = 0; i < STATES / 2; i++) {
            uint8_t v[5][16]; /* d a b c */
            int nj = generate_next(&f->g) & 1;
            for (unsigned k = 1; k < 5; k++) {
                generate_vector(&f->g, 1, s->v[k]);
                memcpy(v[k], s->v[k], 16);
            }
            s->vscr = nj ? 0x10000 : 0;
            uint32_t word = value | 1 << 21 | 2 << 16 | 3 << 11 | (carry && !wide ? 4 << 6 : 0);
            assert_int_equal(machine_run(f->m, &word, 1), WEFT_CPU_SYSCALL);
            for (unsigned k = 0; k < 4; k++) {
                uint32_t d = weft_load32(v[1] + 4 * k), a = weft_load32(v[2] + 4 * k);
                uint32_t b = weft_load32(v[3] + 4 * k), c = weft_load32(v[4] + 4 * k);
                if (wide && carry) { /* a * c + b of the plain form */
                    int swap = strcmp(name, "vmaddcfp128") != 0;
                    c = swap ? b : d;
                    b = swap ? d : b;
                }
                uint32_t want = model_vector_float(name, a, b, c, nj);
                if (machine_word(f->m, 1, k) != want) {
                    fail_msg("%s a %08x b %08x c %08x nj %d: %08x, model %08x", name, a, b, c, nj,
                             machine_word(f->m, 1, k), want);
                }
            }
        }
    }
}

static double as_double(uint32_t w)
{
    float f;
    memcpy(&f, &w, 4);
    return f;
}

/* vmsum3fp128 and vmsum4fp128 as docs/cpu.md decides: double sums (0 + 2) + (1 + 3), one rounding
 * to single, NaN on overflow. */
static void dot_products(void **state)
{
    fixture *f = *state;
    weft_cpu_state *s = f->m->state;
    for (unsigned i = 0; i < 4 * STATES; i++) {
        int four = i & 1, nj = i >> 1 & 1, infinite = 0;
        double p[4] = {0};
        uint32_t nan = 0, want;
        generate_vector(&f->g, 1, s->v[2]);
        generate_vector(&f->g, 1, s->v[3]);
        s->vscr = nj ? 0x10000 : 0;
        for (unsigned k = 0; k < (four ? 4u : 3u); k++) {
            uint32_t a = weft_load32(s->v[2] + 4 * k), b = weft_load32(s->v[3] + 4 * k);
            nan = nan ? nan : isnan(as_double(a)) ? a : isnan(as_double(b)) ? b : 0;
            a = nj && !(a & 0x7F800000) ? a & 0x80000000 : a;
            b = nj && !(b & 0x7F800000) ? b & 0x80000000 : b;
            p[k] = as_double(a) * as_double(b);
            infinite |= isinf(p[k]) || isnan(p[k]);
        }
        double sum = (p[0] + p[2]) + (four ? p[1] + p[3] : p[1]);
        float single = nj && fabs(sum) < 0x1p-126 ? (float)copysign(0, sum) : (float)sum;
        memcpy(&want, &single, 4);
        want = isnan(single) || (isinf(single) && !infinite) ? 0x7FC00000 : want;
        want = nan ? nan | 0x400000 : want;
        uint32_t word = V128_(row_named(four ? "vmsum4fp128" : "vmsum3fp128")->value, 1, 2, 3);
        assert_int_equal(machine_run(f->m, &word, 1), WEFT_CPU_SYSCALL);
        for (unsigned k = 0; k < 4; k++) {
            assert_int_equal(machine_word(f->m, 1, k), want);
        }
    }
}

/* vpermwi128, vrlimi128: CPU-FACTS.md. Fields: immediate of bits 11-15 and 23-25; 11-15 and 24-25
 */
static void word_permutes(void **state)
{
    fixture *f = *state;
    weft_cpu_state *s = f->m->state;
    for (unsigned i = 0; i < 512; i++) {
        uint32_t d[4], b[4], imm = i & 255;
        int permute = i < 256;
        uint32_t word =
            permute ? row_named("vpermwi128")->value | (imm & 31) << 16 | (imm >> 5) << 6
                    : row_named("vrlimi128")->value | (imm & 31) << 16 | (imm >> 5 & 3) << 6;
        generate_vector(&f->g, 0, s->v[97]);
        generate_vector(&f->g, 0, s->v[70]);
        for (unsigned k = 0; k < 4; k++) {
            d[k] = machine_word(f->m, 97, k);
            b[k] = machine_word(f->m, 70, k);
        }
        word = V128_(word, 97, 0, 70);
        assert_int_equal(machine_run(f->m, &word, 1), WEFT_CPU_SYSCALL);
        for (unsigned k = 0; k < 4; k++) {
            uint32_t want = permute              ? b[imm >> (6 - 2 * k) & 3]
                            : imm >> (3 - k) & 1 ? b[(k + (imm >> 5)) % 4]
                                                 : d[k];
            assert_int_equal(machine_word(f->m, 97, k), want);
        }
    }
}

/* Half precision, decoded by definition. */
static double half_value(uint32_t h)
{
    uint32_t e = h >> 10 & 31, m = h & 1023;
    double magnitude = e == 0    ? ldexp(m, -24)
                       : e == 31 ? (m ? NAN : INFINITY)
                                 : ldexp(1024 + m, (int)e - 25);
    return h & 0x8000 ? -magnitude : magnitude;
}

/* The D3D formats: fields of (width, signed) filled from words as listed, most significant first;
 * an integer n travels as 3.0 + n * 2^-22, in the unpacked unsigned fields as 1.0 + n * 2^-23
 * (xenia's cases instr_vpkd3d128.s, instr_vupkd3d128.s). width 16 with half: a half float. */
static const struct d3d {
    uint32_t fields, width[4], is_signed[4], word[4], half;
} d3d[7] = {
    {4, {8, 8, 8, 8}, {0, 0, 0, 0}, {3, 0, 1, 2}, 0},     /* COLOR */
    {2, {16, 16}, {1, 1}, {0, 1}, 0},                     /* SHORT2 */
    {4, {2, 10, 10, 10}, {0, 1, 1, 1}, {3, 2, 1, 0}, 0},  /* 2101010 */
    {2, {16, 16}, {0, 0}, {0, 1}, 1},                     /* HALF2 */
    {4, {16, 16, 16, 16}, {1, 1, 1, 1}, {0, 1, 2, 3}, 0}, /* SHORT4 */
    {4, {16, 16, 16, 16}, {0, 0, 0, 0}, {0, 1, 2, 3}, 1}, /* HALF4 */
    {4, {4, 20, 20, 20}, {0, 1, 1, 1}, {3, 2, 1, 0}, 0},  /* 4202020 */
};

/* The field of a float: clamped, and the distance from 3.0 in steps; a half is the nearest one
 * towards zero. */
static uint32_t pack_field(uint32_t w, uint32_t width, int is_signed, int half)
{
    double x = as_double(w);
    if (half) {
        uint32_t best = 0, sign = w >> 16 & 0x8000;
        if (isnan(x)) {
            return sign | 0x7E00 | (w >> 13 & 0x3FF);
        }
        if (isinf(x)) {
            return sign | 0x7C00;
        }
        for (uint32_t bit = 0x4000; bit; bit >>= 1) {
            uint32_t trial = best + bit;
            best = trial < 0x7C00 && half_value(trial) <= fabs(x) ? trial : best;
        }
        return sign | best;
    }
    double most = is_signed ? ldexp(1, (int)width - 1) - 1 : ldexp(1, (int)width) - 1;
    double least = is_signed ? -most : 0, n = (x - 3.0) * 0x1p22;
    n = !(n > least) ? least : n > most ? most : n; /* a NaN is the least */
    return (uint32_t)(int64_t)floor(n) & ((UINT32_C(1) << width) - 1);
}

static void d3d_packs(void **state)
{
    fixture *f = *state;
    weft_cpu_state *s = f->m->state;
    for (unsigned i = 0; i < 4 * STATES; i++) {
        uint32_t type = i % 7, form = i / 7 % 4, shift = i / 28 % 4, d[4], b[4];
        generate_vector(&f->g, 1, s->v[65]);
        generate_vector(&f->g, 1, s->v[40]);
        for (unsigned k = 0; k < 4; k++) {
            if (generate_next(&f->g) & 1) { /* near 3.0 */
                weft_store32(s->v[40] + 4 * k,
                             0x40400000 + (uint32_t)(generate_next(&f->g) % 200000) - 100000);
            } else if (generate_next(&f->g) & 1) { /* near the halves */
                weft_store32(s->v[40] + 4 * k, ((uint32_t)generate_next(&f->g) & 0x80FFFFFF) |
                                                   (uint32_t)(100 + generate_next(&f->g) % 45)
                                                       << 23);
            }
            d[k] = machine_word(f->m, 65, k);
            b[k] = machine_word(f->m, 40, k);
        }
        uint64_t packed = 0;
        for (unsigned k = 0; k < d3d[type].fields; k++) {
            packed = packed << d3d[type].width[k] |
                     pack_field(b[d3d[type].word[k]], d3d[type].width[k],
                                (int)d3d[type].is_signed[k], (int)d3d[type].half);
        }
        /* LESSONS 16 */
        if (form == 3 && shift == 3) {
            d[3] = (uint32_t)(packed >> 32);
        } else if (form) {
            d[3 - shift] = (uint32_t)packed;
            if (form > 1 && shift < 3) {
                d[2 - shift] = (uint32_t)(packed >> 32);
            }
        }
        uint32_t word =
            V128_(row_named("vpkd3d128")->value | (type << 2 | form) << 16 | shift << 6, 65, 0, 40);
        assert_int_equal(machine_run(f->m, &word, 1), WEFT_CPU_SYSCALL);
        for (unsigned k = 0; k < 4; k++) {
            if (machine_word(f->m, 65, k) != d[k]) {
                fail_msg("type %u form %u shift %u from %08x %08x %08x %08x: word %u is %08x, "
                         "model %08x",
                         type, form, shift, b[0], b[1], b[2], b[3], k, machine_word(f->m, 65, k),
                         d[k]);
            }
        }
    }
}

static void d3d_unpacks(void **state)
{
    fixture *f = *state;
    weft_cpu_state *s = f->m->state;
    for (unsigned i = 0; i < 2 * STATES; i++) {
        uint32_t type = i % 7, want[4] = {0, 0, 0, 0x3F800000};
        generate_vector(&f->g, 0, s->v[40]);
        uint64_t packed = weft_load64(s->v[40] + 8);
        for (unsigned k = d3d[type].fields; k-- > 0;) {
            uint32_t width = d3d[type].width[k], field = packed & ((UINT64_C(1) << width) - 1);
            int64_t n = d3d[type].is_signed[k] && field >> (width - 1)
                            ? (int64_t)field - (INT64_C(1) << width)
                            : (int64_t)field;
            float x = d3d[type].half           ? (float)half_value(field)
                      : d3d[type].is_signed[k] ? (float)(3.0 + (double)n * 0x1p-22)
                                               : (float)(1.0 + (double)n * 0x1p-23);
            uint32_t *w = &want[d3d[type].word[k]];
            memcpy(w, &x, 4);
            if (d3d[type].half && isnan(x)) {
                *w = (field & 0x8000) << 16 | 0x7FC00000 | (field & 0x3FF) << 13;
            }
            if (d3d[type].is_signed[k] && field == UINT32_C(1) << (width - 1)) {
                *w = 0x7FC00000; /* the most negative value stands for a NaN */
            }
            packed >>= width;
        }
        uint32_t word = V128_(row_named("vupkd3d128")->value | type << 18, 65, 0, 40);
        assert_int_equal(machine_run(f->m, &word, 1), WEFT_CPU_SYSCALL);
        for (unsigned k = 0; k < 4; k++) {
            if (machine_word(f->m, 65, k) != want[k]) {
                fail_msg("type %u from %016llx: word %u is %08x, model %08x", type,
                         (unsigned long long)weft_load64(s->v[40] + 8), k,
                         machine_word(f->m, 65, k), want[k]);
            }
        }
    }
}

/* lvlx, lvrx, stvlx, stvrx, their hints and VMX128 twins, and the plain vector loads and stores on
 * v32..v127: CPU-FACTS.md. */
static void vector_memory(void **state)
{
    static const char *const names[] = {
        "lvlx",    "lvlxl",    "lvlx128",  "lvlxl128",  "lvrx",     "lvrxl",
        "lvrx128", "lvrxl128", "stvlx",    "stvlxl",    "stvlx128", "stvlxl128",
        "stvrx",   "stvrxl",   "stvrx128", "stvrxl128", "lvx128",   "lvxl128",
        "stvx128", "stvxl128", "lvewx128", "stvewx128", "lvsl128",  "lvsr128"};
    fixture *f = *state;
    weft_cpu_state *s = f->m->state;
    for (unsigned n = 0; n < sizeof names / sizeof *names; n++) {
        const ppc_row *row = row_named(names[n]);
        int wide = strstr(names[n], "128") != NULL;
        for (unsigned i = 0; i < 64; i++) {
            uint32_t d = (uint32_t)generate_next(&f->g) % (wide ? 128 : 32);
            uint32_t ea = MACHINE_DATA + 64 + i % 48, in = ea & 15, line = ea - in;
            uint8_t v[16], memory[160], *ram = machine_at(f->m, MACHINE_DATA);
            for (unsigned k = 0; k < 160; k++) {
                ram[k] = (uint8_t)generate_next(&f->g);
            }
            generate_vector(&f->g, 0, s->v[d]);
            memcpy(v, s->v[d], 16);
            memcpy(memory, ram, 160);
            s->msr = 0;
            s->r[3] = (generate_next(&f->g) << 32) | (ea - 5);
            s->r[4] = 5;
            for (unsigned k = 0; k < 16; k++) {
                uint8_t *at = memory + (line - MACHINE_DATA) + k;
                if (strncmp(names[n], "lvl", 3) == 0) {
                    v[k] = k + in < 16 ? memory[ea - MACHINE_DATA + k] : 0;
                } else if (strncmp(names[n], "lvr", 3) == 0) {
                    v[k] = k + in >= 16 ? memory[line - MACHINE_DATA + k + in - 16] : 0;
                } else if (strncmp(names[n], "lvx", 3) == 0) {
                    v[k] = *at;
                } else if (strncmp(names[n], "lve", 3) == 0) {
                    v[k] = k / 4 == in / 4 ? *at : v[k];
                } else if (strncmp(names[n], "lvsl", 4) == 0) {
                    v[k] = (uint8_t)(in + k);
                } else if (strncmp(names[n], "lvsr", 4) == 0) {
                    v[k] = (uint8_t)(16 - in + k);
                } else if (strncmp(names[n], "stvl", 4) == 0) {
                    *at = k >= in ? v[k - in] : *at;
                } else if (strncmp(names[n], "stvr", 4) == 0) {
                    *at = k < in ? v[16 - in + k] : *at;
                } else if (strncmp(names[n], "stvx", 4) == 0) {
                    *at = v[k];
                } else {
                    *at = k / 4 == in / 4 ? v[k] : *at;
                }
            }
            uint32_t word = row->value | (d & 31) << 21 | (d >> 5) << 2 | 3 << 16 | 4 << 11;
            assert_int_equal(machine_run(f->m, &word, 1), WEFT_CPU_SYSCALL);
            if (memcmp(v, s->v[d], 16) || memcmp(memory, ram, 160)) {
                fail_msg("%s at line + %u", names[n], in);
            }
        }
    }
}

/* ldbrx and stdbrx: eight bytes, the other way round (PowerISA 2.03 book I, 3.3.4). */
static void reversed_doublewords(void **state)
{
    fixture *f = *state;
    weft_cpu_state *s = f->m->state;
    for (unsigned i = 0; i < 64; i++) {
        uint8_t *ram = machine_at(f->m, MACHINE_DATA + i);
        uint64_t want = 0;
        s->msr = 0;
        s->r[4] = MACHINE_DATA + i;
        s->r[5] = generate_next(&f->g);
        for (unsigned k = 0; k < 8; k++) {
            ram[k] = (uint8_t)generate_next(&f->g);
            want |= (uint64_t)ram[k] << (8 * k);
        }
        uint32_t words[2] = {X_(532, 3, 0, 4, 0), X_(660, 5, 0, 4, 0)};
        assert_int_equal(machine_run(f->m, words, 2), WEFT_CPU_SYSCALL);
        assert_int_equal(s->r[3], want);
        for (unsigned k = 0; k < 8; k++) {
            assert_int_equal(ram[k], (uint8_t)(s->r[5] >> (8 * k)));
        }
    }
}

/* Estimates: fres within 1/256, frsqrte within 1/32 (book I, 4.6.5.1); vrefp and vrsqrtefp within
 * 1/4096, vexptefp within 1/16, vlogefp within 1/32 absolute but for x near 1 (PEM 4.2.2.3). */
static void estimates(void **state)
{
    static const struct {
        const char *name;
        double bound;
    } kinds[] = {{"fres", 1.0 / 256},       {"frsqrte", 1.0 / 32},        {"vrefp", 1.0 / 4096},
                 {"vrsqrtefp", 1.0 / 4096}, {"vexptefp", 1.0 / 16},       {"vlogefp", 1.0 / 32},
                 {"vrefp128", 1.0 / 4096},  {"vrsqrtefp128", 1.0 / 4096}, {"vexptefp128", 1.0 / 16},
                 {"vlogefp128", 1.0 / 32}};
    fixture *f = *state;
    weft_cpu_state *s = f->m->state;
    for (unsigned n = 0; n < sizeof kinds / sizeof *kinds; n++) {
        const char *name = kinds[n].name;
        for (unsigned i = 0; i < STATES; i++) {
            uint32_t w = (uint32_t)(64 + generate_next(&f->g) % 127) << 23 |
                         ((uint32_t)generate_next(&f->g) & 0x7FFFFF);
            w = strstr(name, "exp") ? (w & 0x807FFFFF) | (uint32_t)(110 + w % 23) << 23 |
                                          (uint32_t)generate_next(&f->g) << 31
                                    : w;
            double x = as_double(w), got, want;
            uint32_t word = row_named(name)->value | 4 << 21 | 3 << 11;
            memcpy(&s->f[3], &x, 8);
            weft_store32(s->v[3], w);
            s->fpscr = 0;
            s->vscr = 0x10000;
            assert_int_equal(machine_run(f->m, &word, 1), WEFT_CPU_SYSCALL);
            if (name[0] == 'f') {
                memcpy(&got, &s->f[4], 8);
            } else {
                got = as_double(machine_word(f->m, 4, 0));
            }
            want = strstr(name, "sqrt")  ? 1 / sqrt(x)
                   : strstr(name, "exp") ? exp2(x)
                   : strstr(name, "log") ? log2(x)
                                         : 1 / x;
            double error = fabs(got - want) / (strstr(name, "log") ? 1 : fabs(want));
            if (!(error <= kinds[n].bound)) {
                fail_msg("%s of %a is %a, exact %a", name, x, got, want);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scalar_arithmetic), cmocka_unit_test(vector_arithmetic),
        cmocka_unit_test(dot_products),      cmocka_unit_test(word_permutes),
        cmocka_unit_test(d3d_packs),         cmocka_unit_test(d3d_unpacks),
        cmocka_unit_test(vector_memory),     cmocka_unit_test(reversed_doublewords),
        cmocka_unit_test(estimates),
    };
    int failed = cmocka_run_group_tests_name("interp-blocks", tests, set_up_blocks, tear_down);
    return failed + cmocka_run_group_tests_name("interp-plain", tests, set_up_plain, tear_down);
}
