/* vectors.c: writes CPU vectors (CONTRACTS.md) from qemu's answers to standard output.
 *   cpu-vectors SEED EACH [EVERY]   EACH cases for each row and mode, of which every EVERY-th line
 * What a vector cannot say is left out: branches, LR, VRSAVE, MSR, addresses below RAM, and cases
 * of which qemu's answer is known to be wrong (compare.c). */
#include "oracle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BATCH 112u /* windows within 0x10001000-0x1000ffff */

extern const weft_plugin_desc weft_plugin;

typedef struct writer {
    oracle *o;
    machine *m;
    oracle_case in[BATCH], here[BATCH], there[BATCH];
    const ppc_row *row[BATCH];
    uint32_t used;
    unsigned long every, lines, refused;
    uint8_t before[BATCH][ORACLE_WINDOW];
} writer;

static int is(const ppc_row *row, const char *list)
{
    char text[32];
    snprintf(text, sizeof text, " %s ", row->name);
    return strstr(list, text) != NULL;
}

static int can_be_said(const ppc_row *row, const oracle_case *c)
{
    uint32_t spr = (c->words[0] >> 16 & 31) | (c->words[0] >> 6 & 0x3E0);
    switch (row->form) {
    case FORM_I:
    case FORM_BCN:
    case FORM_BOBI:
    case FORM_SC:
    case FORM_MSRL:
        return 0;
    case FORM_TSPR:
    case FORM_SPRT:
        return spr == 1 || spr == 9;
    case FORM_LD:
    case FORM_LDS:
    case FORM_FLD:
        return c->words[0] >> 16 & 31; /* RA=0: low memory */
    default:
        return !(c->msr & ORACLE_FE) && !is(row, " mfmsr ");
    }
}

/* Registers that the instruction cannot name are zero, as in a vector's start state. */
static void forget_others(const ppc_row *row, oracle_case *c)
{
    uint32_t named = 0, w = c->words[0] | c->words[1];
    if (is(row, " lmw stmw lswi lswx stswi stswx ")) {
        return;
    }
    for (unsigned k = 0; k < 3; k++) {
        for (unsigned shift = 6; shift <= 21; shift += 5) {
            named |= UINT32_C(1) << (c->words[k] >> shift & 31);
        }
    }
    (void)w;
    for (unsigned i = 0; i < 32; i++) {
        if (!(named >> i & 1)) {
            c->r[i] = c->f[i] = 0;
            memset(c->v[i], 0, 16);
        }
    }
    c->lr = c->vrsave = 0;
}

static void hex(const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        printf("%02x", bytes[i]);
    }
}

/* The registers of `c`; with `than`, those alone that differ from it. */
static void print_registers(const oracle_case *c, const oracle_case *than)
{
    const char *gap = "";
#define WIDE(label, index, field)                                                                  \
    if (than ? c->field != than->field : c->field != 0) {                                          \
        printf("%s\"" label "\":\"%016llx\"", gap, index, (unsigned long long)c->field);           \
        gap = ",";                                                                                 \
    }
#define NARROW(label, value, format)                                                               \
    {                                                                                              \
        printf("%s\"" label "\":" format, gap, (unsigned)(value));                                 \
        gap = ",";                                                                                 \
    }
    for (unsigned i = 0; i < 32; i++) {
        static const uint8_t none[16] = {0};
        WIDE("r%u", i, r[i])
        WIDE("f%u", i, f[i])
        if (memcmp(c->v[i], than ? than->v[i] : none, 16) != 0) {
            printf("%s\"v%u\":\"", gap, i);
            hex(c->v[i], 16);
            printf("\"");
            gap = ",";
        }
    }
    WIDE("ctr%s", "", ctr)
    NARROW("cr", c->cr, "\"%08x\"")
    NARROW("fpscr", c->fpscr, "\"%08x\"")
    NARROW("xer.ca", c->xer >> 29 & 1, "%u")
    NARROW("xer.ov", c->xer >> 30 & 1, "%u")
    NARROW("xer.so", c->xer >> 31 & 1, "%u")
    NARROW("xer.count", c->xer & 127, "%u")
    NARROW("vscr.nj", c->vscr[13] & 1, "%u")
    NARROW("vscr.sat", c->vscr[15] & 1, "%u")
}

static void print_line(writer *w, uint32_t i)
{
    const oracle_case *in = &w->in[i];
    oracle_case out = w->there[i];
    uint32_t window = ORACLE_DATA + i * ORACLE_WINDOW, d = in->words[0] >> 21 & 31;
    oracle_mask m = oracle_mask_of(w->row[i], in, &w->here[i]);
    int trap = oracle_exit(&w->there[i]) == WEFT_CPU_TRAP;
    const uint8_t *after = oracle_at(w->o, window);
    out.fpscr =
        (w->here[i].fpscr & ~m.fpscr) | (w->here[i].fpscr & m.fpscr); /* with the right FX */
    out.cr = (out.cr & m.cr) | (w->here[i].cr & ~m.cr);
    if (in->msr >> 63 == 0) {
        for (unsigned k = 0; k < 32; k++) { /* updates keep the whole sum, unlike qemu's */
            out.r[k] = (uint32_t)out.r[k] == (uint32_t)w->here[i].r[k] ? w->here[i].r[k] : out.r[k];
        }
    }
    printf("{\"name\":\"%s %lu\",\"code\":\"", w->row[i]->name, w->lines);
    for (unsigned k = 0; k < ORACLE_WORDS && in->words[k]; k++) {
        printf("%08x", in->words[k]);
    }
    printf("4e800020\",\"sf\":%u,\"regs_in\":{", (unsigned)(in->msr >> 63));
    print_registers(in, NULL);
    printf("},\"regs_out\":{");
    if (!trap) {
        print_registers(&out, in);
    }
    printf("}");
    if (!trap) {
        printf(",\"out_mask\":{\"r%u\":\"%016llx\",\"f%u\":\"%016llx\",\"cr\":\"%08x\",\"fpscr\":"
               "\"%08x\"}",
               d, (unsigned long long)m.r, d, (unsigned long long)m.f, (unsigned)m.cr & 0xFFFFFFFF,
               (unsigned)m.fpscr);
    }
    printf("%s", trap                                     ? ",\"trap\":true"
                 : m.r == UINT64_MAX && m.f == UINT64_MAX ? ",\"clobber\":true"
                                                          : "");
    if (memcmp(after, w->before[i], ORACLE_WINDOW) != 0 || w->row[i]->name[0] == 'l') {
        printf(",\"mem_in\":{\"%08x\":\"", window + 96);
        hex(w->before[i] + 96, 384);
        printf("\"},\"mem_out\":{\"%08x\":\"", window + 96);
        hex(after + 96, 384);
        printf("\"}");
    }
    printf("}\n");
}

static void flush_batch(writer *w, generator *g)
{
    for (uint32_t i = 0; i < w->used; i++) {
        uint32_t window = ORACLE_DATA + i * ORACLE_WINDOW;
        for (uint32_t k = 0; k < ORACLE_WINDOW; k += 4) {
            weft_store32(w->before[i] + k, generate_single(g));
        }
        memcpy(oracle_at(w->o, window), w->before[i], ORACLE_WINDOW);
        memcpy(machine_at(w->m, window), w->before[i], ORACLE_WINDOW);
    }
    memcpy(w->here, w->in, sizeof w->in);
    memcpy(w->there, w->in, sizeof w->in);
    if (oracle_run(w->o, w->there, w->used) != 0) {
        exit(1);
    }
    for (uint32_t i = 0; i < w->used; i++) {
        char text[128];
        oracle_run_here(w->m, &w->here[i]);
        uint32_t exit = oracle_exit(&w->there[i]);
        int known_wrong = is(w->row[i], " fnmadd fnmadds fnmsub fnmsubs ") && w->in[i].fpscr & 2;
        if (known_wrong || (exit != WEFT_CPU_SYSCALL && exit != WEFT_CPU_TRAP) ||
            oracle_difference(w->row[i], &w->in[i], &w->here[i], &w->there[i], text, sizeof text)) {
            w->refused++;
        } else if (w->lines++ % w->every == 0) {
            print_line(w, i);
        }
    }
    w->used = 0;
}

int main(int argc, char **argv)
{
    generator g = {.random = argc > 1 ? strtoull(argv[1], NULL, 0) | 1 : 1};
    unsigned long each = argc > 2 ? strtoul(argv[2], NULL, 0) : 20;
    writer *w = calloc(1, sizeof *w);
    uint32_t count;
    const ppc_row *rows = ppc_rows(&count);
    char ram[64];
    snprintf(ram, sizeof ram, "tests/vectors-%ld.ram", (long)getpid());
    w->o = oracle_open("tests/cpu-oracle.bin", ram);
    w->every = argc > 3 ? strtoul(argv[3], NULL, 0) : 1;
    if (!w->o || w->every == 0) {
        fprintf(stderr, "cpu-vectors: qemu does not start; run in the build folder\n");
        return 1;
    }
    w->m = machine_make(&weft_plugin);
    oracle_prepare(w->m);
    for (uint32_t i = 0; i < count; i++) {
        /* what a 970 does not have, and estimates */
        if (rows[i].value >> 26 == 5 || rows[i].value >> 26 == 6 || strstr(rows[i].name, "128") ||
            strstr(rows[i].name, "dbrx") || strstr(rows[i].name, "vlx") ||
            strstr(rows[i].name, "vrx") ||
            is(&rows[i], " fres frsqrte vrefp vrsqrtefp vexptefp vlogefp ")) {
            continue;
        }
        for (unsigned long k = 0; k < 2 * each; k++) {
            g.sf = k & 1;
            if (generate_case(&g, &rows[i], w->used, &w->in[w->used]) &&
                can_be_said(&rows[i], &w->in[w->used])) {
                forget_others(&rows[i], &w->in[w->used]);
                w->row[w->used++] = &rows[i];
            }
            if (w->used == BATCH) {
                flush_batch(w, &g);
            }
        }
    }
    flush_batch(w, &g);
    fprintf(stderr, "%lu cases, %lu not written\n", w->lines, w->refused);
    oracle_close(w->o);
    machine_free(w->m);
    free(w);
    return 0;
}
