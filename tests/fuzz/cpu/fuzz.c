/* fuzz.c: any words, any state, no harm: a libFuzzer target for the CPU plugin.
 *
 * One input runs on two machines: the first engine in one run, the last engine (another one when
 * the plugin has a choice) in slices. Whatever the words are, both must end in the same state and
 * memory, at the same instruction, for the same reason; and `retired` never passes `limit`. */
#include <stdlib.h>
#include <string.h>

#include "machine.h"
#include "oracle/oracle.h"

#define MOST_WORDS 96u
#define STEPS      400u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

extern const weft_plugin_desc weft_plugin;

typedef struct input {
    const uint8_t *at, *end;
} input;

static uint32_t byte(input *in)
{
    return in->at < in->end ? *in->at++ : 0;
}

static uint32_t word(input *in)
{
    uint32_t w = byte(in) << 24;
    w |= byte(in) << 16;
    w |= byte(in) << 8;
    return w | byte(in);
}

/* First and last choice of the option `engine`. */
static void choose_engines(char *first, char *last, size_t capacity)
{
    first[0] = last[0] = 0;
    for (uint32_t i = 0; i < weft_plugin.option_count; i++) {
        const weft_option *o = &weft_plugin.options[i];
        if (strcmp(o->key, "engine") != 0 || !o->choices) {
            continue;
        }
        size_t n = strcspn(o->choices, " ,|");
        const char *end = o->choices + strlen(o->choices);
        const char *start = end;
        while (start > o->choices && !strchr(" ,|", start[-1])) {
            start--;
        }
        if (n < capacity && (size_t)(end - start) < capacity) {
            memcpy(first, o->choices, n);
            first[n] = 0;
            memcpy(last, start, (size_t)(end - start) + 1);
        }
    }
}

/* A word as it comes, or of a table row with random operands, or one that touches memory. */
static uint32_t make_word(input *in)
{
    uint32_t count, kind = byte(in), w = word(in);
    const ppc_row *rows = ppc_rows(&count);
    if (kind < 32) {
        return w;
    }
    const ppc_row *row = &rows[(kind << 8 | byte(in)) % count];
    return (w & ~row->mask) | row->value;
}

/* The same state on both; addresses lie in RAM often. */
static void make_state(weft_cpu_state *s, const uint8_t *bytes, size_t size)
{
    static const uint64_t bases[] = {MACHINE_DATA + 0x800,
                                     MACHINE_CODE + 0x40,
                                     MACHINE_MMIO,
                                     MACHINE_DATA + 0xFFF8,
                                     MACHINE_DATA + MACHINE_SIZE - 4,
                                     0};
    input in = {bytes, bytes + size};
    memset(s->v, 0, sizeof s->v);
    for (unsigned i = 0; i < 32; i++) {
        uint32_t kind = byte(&in);
        s->r[i] = kind & 128 ? (uint64_t)word(&in) << (kind & 32) : bases[kind % 6] + (kind >> 4);
        s->f[i] = (uint64_t)word(&in) << 32 | kind;
        for (unsigned j = 0; j < 4; j++) {
            weft_store32(s->v[i * 4 + j], word(&in));
            weft_store32(s->v[i * 4 + j] + 8, (uint32_t)s->f[i] ^ j << 28);
        }
    }
    s->lr = MACHINE_CODE + (byte(&in) & 0x7F) * 4;
    s->ctr = byte(&in) & 1 ? MACHINE_CODE + (byte(&in) & 0x7F) * 4 : byte(&in);
    s->cr = word(&in);
    s->xer = word(&in) & 0xE000007F;
    s->fpscr = word(&in) & 0xFF;
    s->vscr = word(&in) & 0x10001;
    s->msr = (uint64_t)(byte(&in) & 1) << 63 | (byte(&in) & 1 ? 0x900u : 0);
    s->interrupt = byte(&in) == 1;
    s->pc = MACHINE_CODE;
    s->retired = s->pending = s->reservation = 0;
    s->fault_address = s->fault_flags = s->trap_code = s->vrsave = 0;
    memset(s->sprg, 0, sizeof s->sprg);
}

static void load_code(machine *m, const uint32_t *words)
{
    memset(machine_at(m, MACHINE_CODE), 0, MACHINE_SIZE);
    memset(machine_at(m, MACHINE_DATA), 0x55, MACHINE_SIZE);
    m->code_at = MACHINE_CODE;
    machine_code(m, words, MOST_WORDS);
    m->memory.written(&m->memory, MACHINE_CODE, MACHINE_SIZE);
    m->memory.written(&m->memory, MACHINE_DATA, MACHINE_SIZE);
    m->mmio_count = 0;
    m->syscall_answer = WEFT_CPU_CONTINUE;
    m->timebase = UINT64_C(0x123456789A);
}

/* Runs to STEPS in slices (0: one), or to an end that is neither limit nor yield. */
static uint32_t run(machine *m, input slices, int sliced)
{
    weft_cpu_state *s = m->state;
    uint32_t exit = WEFT_CPU_LIMIT;
    m->cpu->reload(m->engine, s);
    while (s->retired < STEPS) {
        uint64_t step = sliced ? 1 + (byte(&slices) & 15) : STEPS, before = s->retired;
        s->limit = before + step < STEPS ? before + step : STEPS;
        exit = m->cpu->run(m->engine, s);
        if (s->retired > s->limit || s->retired < before ||
            (exit == WEFT_CPU_LIMIT) != (s->retired == s->limit && exit == WEFT_CPU_LIMIT)) {
            abort();
        }
        if (exit != WEFT_CPU_LIMIT && exit != WEFT_CPU_YIELD && exit != WEFT_CPU_INTERRUPT) {
            break;
        }
    }
    m->cpu->flush(m->engine, s);
    return exit;
}

static int same(const weft_cpu_state *a, const weft_cpu_state *b)
{
    return memcmp(a->r, b->r, sizeof a->r) == 0 && memcmp(a->f, b->f, sizeof a->f) == 0 &&
           memcmp(a->v, b->v, sizeof a->v) == 0 && a->lr == b->lr && a->ctr == b->ctr &&
           a->msr == b->msr && a->retired == b->retired && a->pc == b->pc && a->cr == b->cr &&
           a->xer == b->xer && a->fpscr == b->fpscr && a->vscr == b->vscr &&
           a->vrsave == b->vrsave && a->reservation == b->reservation &&
           memcmp(a->sprg, b->sprg, sizeof a->sprg) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static machine *one, *two; /* made once: a process fuzzes for long */
    uint32_t words[MOST_WORDS];
    if (!one) {
        static char first[32], last[32];
        choose_engines(first, last, sizeof first);
        one = machine_make_engine(&weft_plugin, first[0] ? first : NULL);
        two = machine_make_engine(&weft_plugin, last[0] ? last : NULL);
    }
    input in = {data, data + size};
    for (unsigned i = 0; i < MOST_WORDS; i++) {
        words[i] = in.at < in.end ? make_word(&in) : 0x4BFFFF00; /* b .-256 */
    }
    load_code(one, words);
    load_code(two, words);
    make_state(one->state, data, size);
    make_state(two->state, data, size);
    uint32_t a = run(one, (input){data, data + size}, 0);
    uint32_t b = run(two, (input){data, data + size}, 1);
    if ((one->state->retired < STEPS && a != b) || !same(one->state, two->state) ||
        memcmp(machine_at(one, MACHINE_CODE), machine_at(two, MACHINE_CODE), MACHINE_SIZE) ||
        memcmp(machine_at(one, MACHINE_DATA), machine_at(two, MACHINE_DATA), MACHINE_SIZE)) {
        abort();
    }
    return 0;
}
