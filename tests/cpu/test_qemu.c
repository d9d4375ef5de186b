/* test_qemu.c: random instructions and states against qemu-ppc64, an independent implementation.
 *
 * Each row of the table that needs no memory, branch or privilege is executed with random operands
 * in 64-bit mode by both; all registers must agree. What the ISA leaves undefined is masked, and so
 * is FPSCR[FR], which qemu does not model (CPU-FACTS.md). Skipped where qemu-user or the cross
 * compiler is not installed. */
#include "check.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ppc.h"

struct oracle_case { /* all big-endian */
    uint32_t word, cr;
    uint64_t fpscr, xer, pad;
    uint8_t vscr[16];
    uint64_t r[8]; /* r3..r10 */
    uint64_t f[4]; /* f1..f4 */
    uint8_t v[4][16];
};

#define EACH 160 /* cases per row */

typedef struct oracle {
    machine *m;
    char harness[256];
    uint64_t random;
} oracle;

static uint64_t next(oracle *o)
{
    o->random ^= o->random << 13;
    o->random ^= o->random >> 7;
    o->random ^= o->random << 17;
    return o->random;
}

static int set_up(void **state)
{
    oracle *o = calloc(1, sizeof *o);
    char command[1024];
    o->random = UINT64_C(0x9E3779B97F4A7C15);
    snprintf(o->harness, sizeof o->harness, "%s/tests/qemu-harness-%ld", WEFT_BUILD_DIR,
             (long)getpid());
    snprintf(command, sizeof command,
             "command -v qemu-ppc64 >/dev/null && "
             "powerpc64-linux-gnu-gcc -O1 -mcpu=970 -maltivec -mabi=altivec -ffreestanding "
             "-nostdlib -static -w -Wl,-N -Wl,--build-id=none '%s/tests/cpu/qemu/harness.c' "
             "-o '%s' 2>/dev/null",
             WEFT_SOURCE_DIR, o->harness);
    if (system(command) != 0) {
        o->harness[0] = 0;
    }
    o->m = machine_make(&weft_plugin);
    *state = o;
    return 0;
}

static int tear_down(void **state)
{
    oracle *o = *state;
    if (o->harness[0]) {
        unlink(o->harness);
    }
    machine_free(o->m);
    free(o);
    return 0;
}

/* Interesting integers as often as random ones. */
static uint64_t integer(oracle *o)
{
    static const uint64_t edges[] = {
        0,         1,  UINT64_MAX, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, UINT64_C(1) << 63,
        INT64_MAX, 31, 32,         63,         64};
    uint64_t x = next(o);
    return x & 1 ? next(o) : x & 2 ? edges[next(o) % 12] : next(o) >> (next(o) & 63);
}

static uint64_t number(oracle *o)
{
    static const uint64_t edges[] = {0,
                                     UINT64_C(1) << 63,
                                     UINT64_C(0x7FF0000000000000),
                                     UINT64_C(0xFFF0000000000000),
                                     UINT64_C(0x7FF8000000000001),
                                     UINT64_C(0xFFF0000000001000),
                                     UINT64_C(0x3FF0000000000000),
                                     UINT64_C(0xBFF0000000000000),
                                     UINT64_C(0x0010000000000000),
                                     UINT64_C(0x000FFFFFFFFFFFFF),
                                     UINT64_C(0x7FEFFFFFFFFFFFFF),
                                     1,
                                     UINT64_C(0x3810000000000000),
                                     UINT64_C(0x47EFFFFFE0000000),
                                     UINT64_C(0x41DFFFFFFFC00000),
                                     UINT64_C(0x43E0000000000000),
                                     UINT64_C(0x36A0000000000000)};
    uint64_t x = next(o), sign = next(o) << 63;
    switch (x & 7) {
    case 0:
        return edges[next(o) % 17];
    case 1: /* few significant bits: exact results and ties */
        return sign | (0x3E8 + next(o) % 48) << 52 | (next(o) & 7) << 49 | (next(o) & 1) << 23;
    case 2: /* a single */
        return sign | (0x380 + next(o) % 255) << 52 | (next(o) & UINT64_C(0xFFFFFE0000000));
    case 3: /* anything */
        return next(o);
    case 4: /* near the ends of the range */
        return sign | (next(o) & 1 ? next(o) % 60 : 0x7FE - next(o) % 60) << 52 | next(o) >> 12;
    default:
        return sign | (0x3F0 + next(o) % 32) << 52 | next(o) >> 12;
    }
}

static uint32_t single(oracle *o)
{
    static const uint32_t edges[] = {0,          0x80000000, 0x7F800000, 0xFF800000, 0x7FC00001,
                                     0xFF800100, 0x3F800000, 0x00800000, 0x007FFFFF, 0x7F7FFFFF,
                                     0x4F000000, 0xCF000000, 0x4F800000, 0x3F000000};
    uint32_t x = (uint32_t)next(o), sign = (uint32_t)next(o) << 31;
    switch (x & 3) {
    case 0:
        return edges[next(o) % 14];
    case 1:
        return (uint32_t)next(o);
    default:
        return sign | (uint32_t)(112 + next(o) % 32) << 23 | ((uint32_t)next(o) & 0x7FFFFF);
    }
}

/* A word of the row with random operands: each letter of its form is a field. */
static uint32_t word_of(oracle *o, const ppc_row *row)
{
    static const char *const forms[] = {
#define FORM(name, text) text,
#include "forms.def"
#undef FORM
    };
    uint32_t w = row->value, x = (uint32_t)(next(o) >> 20);
    w |= row->variants & PPC_VARIANT_RC ? x & 1 : 0;
    w |= row->variants & (PPC_VARIANT_OE | PPC_VARIANT_VC) ? x & 0x400 : 0;
    for (const char *p = forms[row->form]; *p; p++) {
        uint32_t y = (uint32_t)(next(o) >> 20);
        switch (*p) {
        case 'T':
            w |= (3 + (y & 7)) << 21;
            break;
        case 'A':
        case 'Z':
            w |= (3 + (y & 7)) << 16;
            break;
        case 'B':
            w |= (3 + (y & 7)) << 11;
            break;
        case 'f':
            w |= (1 + (y & 3)) << 21;
            break;
        case 'g':
            w |= (1 + (y & 3)) << 16;
            break;
        case 'h':
            w |= (1 + (y & 3)) << 11;
            break;
        case 'k':
            w |= (1 + (y & 3)) << 6;
            break;
        case 'v':
            w |= (y & 3) << 21;
            break;
        case 'w':
            w |= (y & 3) << 16;
            break;
        case 'x':
            w |= (y & 3) << 11;
            break;
        case 'y':
            w |= (y & 3) << 6;
            break;
        case 'i':
        case 'u':
            w |= y & 0xFFFF;
            break;
        case 's':
        case 'r':
            w |= (y & 31) << 11;
            break;
        case 'S':
            w |= (y & 31) << 11 | (y >> 4 & 2);
            break;
        case 'm':
            w |= (y & 31) << 6;
            break;
        case 'H':
            w |= (y & 15) << 6;
            break;
        case 'e':
            w |= (y & 31) << 1;
            break;
        case 'M':
            w |= (y & 63) << 5;
            break;
        case 'c':
            w |= (y & 7) << 23;
            break;
        case 'C':
            w |= (y & 7) << 18;
            break;
        case 'p':
            w |= (y & 31) << 21;
            break;
        case 'q':
        case 'G':
            w |= (y & 31) << 16;
            break;
        case 'U':
            w |= (y & (strncmp(row->name, "vsplt", 5) == 0 ? 3 : 31)) << 16;
            break;
        case 'F':
            w |= (y & 0xFF) << 12;
            break;
        default:
            break;
        }
    }
    return w;
}

static void make_case(oracle *o, const ppc_row *row, struct oracle_case *c, int floats)
{
    memset(c, 0, sizeof *c);
    c->word = __builtin_bswap32(word_of(o, row));
    c->cr = (uint32_t)next(o);
    c->fpscr = __builtin_bswap64(next(o) & 3);
    c->xer = __builtin_bswap64((next(o) & 0xE0000000) | (next(o) & 0x7F));
    c->vscr[13] = 1; /* NJ */
    c->vscr[15] = next(o) & 1;
    for (unsigned i = 0; i < 8; i++) {
        c->r[i] = __builtin_bswap64(integer(o));
    }
    for (unsigned i = 0; i < 4; i++) {
        c->f[i] = __builtin_bswap64(next(o) & 15 ? number(o) : integer(o));
        for (unsigned j = 0; j < 4; j++) {
            weft_store32(c->v[i] + 4 * j,
                         floats ? single(o) : (uint32_t)(integer(o) ^ next(o) << 5));
        }
    }
}

/* Executes the case here, in place. */
static void run_here(oracle *o, struct oracle_case *c)
{
    weft_cpu_state *s = o->m->state;
    s->msr = WEFT_MSR_SF;
    s->cr = __builtin_bswap32(c->cr);
    s->fpscr = (uint32_t)__builtin_bswap64(c->fpscr);
    s->xer = (uint32_t)__builtin_bswap64(c->xer);
    s->vscr = weft_load32(c->vscr + 12);
    for (unsigned i = 0; i < 8; i++) {
        s->r[3 + i] = __builtin_bswap64(c->r[i]);
    }
    for (unsigned i = 0; i < 4; i++) {
        s->f[1 + i] = __builtin_bswap64(c->f[i]);
        memcpy(s->v[i], c->v[i], 16);
    }
    uint32_t word = __builtin_bswap32(c->word);
    uint32_t exit = machine_run(o->m, &word, 1);
    assert_int_equal(exit, WEFT_CPU_SYSCALL);
    c->cr = __builtin_bswap32(s->cr);
    c->fpscr = __builtin_bswap64(s->fpscr);
    c->xer = __builtin_bswap64(s->xer);
    weft_store32(c->vscr + 12, s->vscr);
    for (unsigned i = 0; i < 8; i++) {
        c->r[i] = __builtin_bswap64(s->r[3 + i]);
    }
    for (unsigned i = 0; i < 4; i++) {
        c->f[i] = __builtin_bswap64(s->f[1 + i]);
        memcpy(c->v[i], s->v[i], 16);
    }
}

/* Feeds the cases to qemu through files, to keep pipes out of it. */
static void run_there(oracle *o, struct oracle_case *cases, size_t count)
{
    char in[300], out[300], command[1024];
    snprintf(in, sizeof in, "%s.in", o->harness);
    snprintf(out, sizeof out, "%s.out", o->harness);
    FILE *f = fopen(in, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(cases, sizeof *cases, count, f), count);
    fclose(f);
    snprintf(command, sizeof command, "qemu-ppc64 -cpu 970 '%s' <'%s' >'%s'", o->harness, in, out);
    assert_int_equal(system(command), 0);
    f = fopen(out, "rb");
    assert_non_null(f);
    assert_int_equal(fread(cases, sizeof *cases, count, f), count);
    fclose(f);
    unlink(in);
    unlink(out);
}

static int named(const ppc_row *row, const char *list)
{
    char text[32];
    snprintf(text, sizeof text, " %s ", row->name);
    return strstr(list, text) != NULL;
}

/* Bits of results that the ISA leaves undefined. */
static uint64_t gpr_mask(const ppc_row *row, const struct oracle_case *before, uint32_t word)
{
    uint64_t a = __builtin_bswap64(before->r[((word >> 16 & 31) - 3) & 7]);
    uint64_t b = __builtin_bswap64(before->r[((word >> 11 & 31) - 3) & 7]);
    if (named(row, " mulhw mulhwu ")) {
        return 0xFFFFFFFF;
    }
    if (named(row, " divw divwu ")) {
        return (uint32_t)b == 0 || ((uint32_t)a == 0x80000000 && (uint32_t)b == UINT32_MAX)
                   ? 0
                   : 0xFFFFFFFF;
    }
    if (named(row, " divd divdu ")) {
        return b == 0 || (a == UINT64_C(1) << 63 && b == UINT64_MAX) ? 0 : UINT64_MAX;
    }
    return UINT64_MAX;
}

static void compare(const ppc_row *row, const struct oracle_case *in,
                    const struct oracle_case *here, const struct oracle_case *there,
                    unsigned *shown, unsigned *bad)
{
    uint32_t word = __builtin_bswap32(in->word), cr_mask = UINT32_MAX;
    uint32_t fpscr_mask = ~UINT32_C(0x40000); /* FR */
    uint64_t f_mask = UINT64_MAX;
    uint32_t d = word >> 21 & 31;
    uint64_t r_mask =
        row->form == FORM_TAB || row->form == FORM_TA ? gpr_mask(row, in, word) : UINT64_MAX;
    if (r_mask != UINT64_MAX) {
        cr_mask = 0x0FFFFFFF; /* CR0 of an undefined result */
    }
    if (named(row, " fctiw fctiwz fctid fctidz ")) {
        fpscr_mask &= ~UINT32_C(0x1F000); /* FPRF undefined */
        f_mask = named(row, " fctid fctidz ") ? UINT64_MAX : 0xFFFFFFFF;
    }
    if (word >> 26 == 59 || named(row, " frsp ")) {
        /* qemu classifies single results as doubles, the ISA "on the target precision" (4.2.2); and
         * it cuts the payload of NaN operands, which the ISA copies but for frsp (4.4.1). */
        uint64_t result = __builtin_bswap64(here->f[(d - 1) & 3]);
        fpscr_mask &= ~UINT32_C(0x10000);
        f_mask = result << 1 > UINT64_C(0xFFE0000000000000) ? ~UINT64_C(0x1FFFFFFF) : f_mask;
    }
    if (named(row, " fcmpo ")) {
        fpscr_mask &= ~UINT32_C(0x10000); /* qemu sets C with VXVC; the ISA writes FPCC alone */
    }
    char what[64] = "";
    uint64_t x = 0, y = 0;
#define CHECK(label, index, h, t, mask)                                                            \
    if (((h) ^ (t)) & (mask)) {                                                                    \
        snprintf(what, sizeof what, label, index);                                                 \
        x = (h), y = (t);                                                                          \
    }
    for (unsigned i = 0; i < 8; i++) {
        CHECK("r%u", i + 3, __builtin_bswap64(here->r[i]), __builtin_bswap64(there->r[i]),
              i + 3 == d ? r_mask : UINT64_MAX)
    }
    for (unsigned i = 0; i < 4; i++) {
        CHECK("f%u", i + 1, __builtin_bswap64(here->f[i]), __builtin_bswap64(there->f[i]),
              i + 1 == d ? f_mask : UINT64_MAX)
        for (unsigned j = 0; j < 4; j++) {
            CHECK("v%u", i, weft_load32(here->v[i] + 4 * j), weft_load32(there->v[i] + 4 * j),
                  UINT32_MAX)
        }
    }
    CHECK("cr%s", "", __builtin_bswap32(here->cr), __builtin_bswap32(there->cr), cr_mask)
    CHECK("xer%s", "", __builtin_bswap64(here->xer), __builtin_bswap64(there->xer),
          UINT64_C(0xE000007F))
    CHECK("fpscr%s", "", __builtin_bswap64(here->fpscr), __builtin_bswap64(there->fpscr),
          fpscr_mask)
    CHECK("vscr%s", "", weft_load32(here->vscr + 12), weft_load32(there->vscr + 12), UINT32_MAX)
    if (what[0]) {
        ++*bad;
        if ((*shown)++ < 40) {
            print_error("%s %08x: %s is %016llx, qemu %016llx; in:", row->name, word, what,
                        (unsigned long long)x, (unsigned long long)y);
            if (row->form < FORM_FAB || row->form >= FORM_VLX) {
                print_error(
                    " r a=%016llx b=%016llx v a=%08x b=%08x c=%08x\n",
                    (unsigned long long)__builtin_bswap64(in->r[((word >> 16 & 31) - 3) & 7]),
                    (unsigned long long)__builtin_bswap64(in->r[((word >> 11 & 31) - 3) & 7]),
                    weft_load32(in->v[word >> 16 & 3]), weft_load32(in->v[word >> 11 & 3]),
                    weft_load32(in->v[word >> 6 & 3]));
            } else {
                print_error(
                    " a=%016llx b=%016llx c=%016llx rn=%u\n",
                    (unsigned long long)__builtin_bswap64(in->f[((word >> 16 & 31) - 1) & 3]),
                    (unsigned long long)__builtin_bswap64(in->f[((word >> 11 & 31) - 1) & 3]),
                    (unsigned long long)__builtin_bswap64(in->f[((word >> 6 & 31) - 1) & 3]),
                    (unsigned)__builtin_bswap64(in->fpscr) & 3);
            }
        }
    }
}

/* All rows first..last by name, but those of `except`. */
static void against_qemu(oracle *o, const char *first, const char *last, const char *except,
                         int floats)
{
    uint32_t count, used = 0, on = 0;
    const ppc_row *rows = ppc_rows(&count);
    if (!o->harness[0]) {
        print_message("qemu-ppc64 or powerpc64-linux-gnu-gcc is missing\n");
        skip();
    }
    struct oracle_case *in = calloc((size_t)count * EACH, sizeof *in);
    struct oracle_case *here = calloc((size_t)count * EACH, sizeof *in);
    struct oracle_case *there = calloc((size_t)count * EACH, sizeof *in);
    const ppc_row **of = calloc((size_t)count * EACH, sizeof *of);
    for (uint32_t i = 0; i < count; i++) {
        on |= strcmp(rows[i].name, first) == 0;
        if (on && !named(&rows[i], except)) {
            for (unsigned k = 0; k < EACH; k++) {
                make_case(o, &rows[i], &in[used], floats);
                of[used++] = &rows[i];
            }
        }
        if (strcmp(rows[i].name, last) == 0) {
            break;
        }
    }
    memcpy(here, in, used * sizeof *in);
    memcpy(there, in, used * sizeof *in);
    run_there(o, there, used);
    unsigned shown = 0, bad = 0;
    for (uint32_t i = 0; i < used; i++) {
        run_here(o, &here[i]);
        compare(of[i], &in[i], &here[i], &there[i], &shown, &bad);
    }
    free(in);
    free(here);
    free(there);
    free(of);
    assert_true(used > 0);
    assert_int_equal(bad, 0);
}

static void integer_rows(void **state)
{
    against_qemu(*state, "addi", "cmpld", " ", 0);
}

static void logic_and_shift_rows(void **state)
{
    against_qemu(*state, "ori", "sradi", " ", 0);
}

static void condition_register_rows(void **state)
{
    /* mfocrf leaves the other fields undefined */
    against_qemu(*state, "crand", "mtcrf", " mfocrf ", 0);
}

/* Estimates may differ within their bounds. fnmadd and fnmsub: qemu 7.2 negates before rounding
 * when rounding up or down (CPU-FACTS.md). */
static void float_rows(void **state)
{
    against_qemu(*state, "fmr", "fcmpo", " fres frsqrte fnmadd fnmadds fnmsub fnmsubs ", 0);
}

static void vector_integer_rows(void **state)
{
    against_qemu(*state, "vaddubm", "vsldoi",
                 " vaddfp vsubfp vrefp vrsqrtefp vexptefp vlogefp mfvscr mtvscr vmaxfp vminfp ", 0);
}

static void vector_float_rows(void **state)
{
    against_qemu(*state, "vaddubm", "vnmsubfp", " vrefp vrsqrtefp vexptefp vlogefp mtvscr mfvscr ",
                 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integer_rows),
        cmocka_unit_test(logic_and_shift_rows),
        cmocka_unit_test(condition_register_rows),
        cmocka_unit_test(float_rows),
        cmocka_unit_test(vector_integer_rows),
        cmocka_unit_test(vector_float_rows),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
