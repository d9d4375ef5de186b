/* Assembles a whole listing (docs/ucode.md): control flow, labels, the instructions of execs in the
 * order in which they stand, and what follows them.
 *
 * Control flow comes first, two to a triple, then the execs' instructions. Behind them the console's
 * compilers leave one triple of zeros or of a checksum; .data lines say another one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ucode_text.h"

#define CF_MAX      8192u /* 13 bits of a jump */
#define TRIPLES_MAX 4096u /* 12 bits of an exec */
#define EXEC_MAX    6u    /* triples that its sequence bits reach */

typedef struct cf_entry {
    uint32_t low, high;
    uint32_t first, count; /* exec: its triples among the instructions */
    uint32_t sequence, vertex_cache;
    uint32_t line;
    int32_t label; /* jumps: number of the name; -1 none */
    uint8_t exec;
    uint8_t raw;    /* .cf: as it is */
    uint8_t placed; /* exec: Address= */
    uint8_t clean;  /* exec: PredicateClean= + 1, or 0 */
    uint8_t sets_predicate;
    uint8_t has_clean; /* the instruction has the bit; else two opcodes differ by it */
} cf_entry;

typedef struct label {
    char name[32];
    uint32_t index; /* UINT32_MAX: not yet */
    uint32_t line;  /* where it is used first */
} label;

typedef struct array {
    void *items;
    uint32_t count, room;
} array;

typedef struct assembler {
    ucode_cursor c;
    ucode_context context;
    array cfs;     /* cf_entry */
    array triples; /* uint32_t[3] */
    array data;    /* uint32_t[3] */
    array labels;  /* label */
    int has_data;
    int serialize; /* the next instruction does */
} assembler;

static void *grow(assembler *a, array *of, size_t size, uint32_t limit, const char *what)
{
    if (of->count == limit) {
        char found[32];
        snprintf(found, sizeof found, "more than %u", limit);
        ucode_fail_found(&a->c, what, found, "fewer");
        return NULL;
    }
    if (of->count == of->room) {
        uint32_t room = of->room ? 2 * of->room : 32;
        void *items = realloc(of->items, room * size);
        if (items == NULL) {
            ucode_fail_found(&a->c, "no memory", "none", "some");
            return NULL;
        }
        of->items = items;
        of->room = room;
    }
    void *item = (char *)of->items + size * of->count++;
    memset(item, 0, size);
    return item;
}

static cf_entry *cf_of(assembler *a, uint32_t index)
{
    return (cf_entry *)a->cfs.items + index;
}

static cf_entry *new_cf(assembler *a, uint32_t opcode)
{
    cf_entry *cf = grow(a, &a->cfs, sizeof *cf, CF_MAX, "too many control-flow instructions");
    if (cf != NULL) {
        cf->high = opcode << 12;
        cf->line = a->c.line;
        cf->label = -1;
        cf->first = a->triples.count;
    }
    return cf;
}

/* ---- labels ---- */

static int32_t label_number(assembler *a, const char *name)
{
    label *labels = a->labels.items;
    for (uint32_t i = 0; i < a->labels.count; i++) {
        if (strcmp(labels[i].name, name) == 0) {
            return (int32_t)i;
        }
    }
    label *new_label = grow(a, &a->labels, sizeof *new_label, CF_MAX, "too many labels");
    if (new_label == NULL) {
        return -1;
    }
    strcpy(new_label->name, name);
    new_label->index = UINT32_MAX;
    new_label->line = a->c.line;
    return (int32_t)(a->labels.count - 1);
}

static int read_label_use(assembler *a, cf_entry *cf)
{
    char name[32];
    if (!ucode_word(&a->c, name, "a label")) {
        return 0;
    }
    cf->label = label_number(a, name);
    return cf->label >= 0;
}

static int define_label(assembler *a, const char *name)
{
    int32_t number = label_number(a, name);
    if (number < 0) {
        return 0;
    }
    label *l = (label *)a->labels.items + number;
    if (l->index != UINT32_MAX) {
        return ucode_fail_found(&a->c, "a label stands twice", name, "another name");
    }
    l->index = a->cfs.count;
    return 1;
}

/* ---- control flow ---- */

/* "b5" or "!b5", and a letter before a number in general. */
static int read_numbered(assembler *a, char letter, uint32_t limit, uint32_t *number)
{
    char expected[32];
    snprintf(expected, sizeof expected, "%c0..%c%u", letter, letter, limit);
    ucode_skip(&a->c);
    if (a->c.at == a->c.end || *a->c.at != letter) {
        return ucode_fail(&a->c, "a constant is wrong", expected);
    }
    a->c.at++;
    return ucode_number(&a->c, limit, number, "no such constant");
}

static int read_bool_condition(assembler *a, cf_entry *cf)
{
    uint32_t number, condition = !ucode_take(&a->c, '!');
    if (!read_numbered(a, 'b', 255, &number)) {
        return 0;
    }
    cf->high |= number << 2 | condition << 10;
    return 1;
}

static int comma(assembler *a)
{
    return ucode_take(&a->c, ',') || ucode_fail(&a->c, "an operand is missing", ",");
}

/* The attributes of control flow, with or without commas between. */
static int read_attributes(assembler *a, cf_entry *cf)
{
    char word[32];
    static const struct {
        const char *name;
        uint8_t opcodes; /* 1 exec, 2 loop, 4 jump, 8 alloc */
        uint8_t high, bit;
    } rows[] = {
        {"Yield", 1, 0, 15},
        {"Repeat", 2, 0, 13},
        {"ForwardOnly", 4, 1, 1},
        {"DoNotSerialize", 8, 1, 8},
    };
    uint32_t opcode = cf->high >> 12;
    uint8_t kind = cf->exec                        ? 1
                   : opcode == XENOS_CF_LOOP_START ? 2
                   : opcode == XENOS_CF_COND_JMP   ? 4
                   : opcode == XENOS_CF_ALLOC      ? 8
                                                   : 0;
    while (ucode_take(&a->c, ','), !ucode_line_end(&a->c)) {
        uint32_t value;
        if (!ucode_word(&a->c, word, "an attribute")) {
            return 0;
        }
        if (!ucode_take(&a->c, '=')) {
            return ucode_fail(&a->c, "an attribute has no value", "=");
        }
        if (cf->exec && ucode_same(word, "Address")) {
            if (!ucode_number(&a->c, TRIPLES_MAX - 1, &value, "no such address")) {
                return 0;
            }
            cf->low = (cf->low & ~0xFFFu) | value;
            cf->placed = 1;
            continue;
        }
        if (!ucode_bool(&a->c, &value)) {
            return 0;
        }
        if (cf->exec && ucode_same(word, "PredicateClean")) {
            cf->clean = (uint8_t)(value + 1);
            continue;
        }
        if (ucode_same(word, "Addressing") && opcode != XENOS_CF_NOP && opcode != XENOS_CF_ALLOC &&
            opcode != XENOS_CF_MARK_VS_FETCH_DONE) {
            cf->high |= value << 11;
            continue;
        }
        size_t i = 0;
        while (i < sizeof rows / sizeof *rows &&
               !((rows[i].opcodes & kind) && ucode_same(rows[i].name, word))) {
            i++;
        }
        if (i == sizeof rows / sizeof *rows) {
            return ucode_fail_found(&a->c, "there is no such attribute here", word,
                                    "Yield, Repeat, ForwardOnly, DoNotSerialize...");
        }
        *(rows[i].high ? &cf->high : &cf->low) |= value << rows[i].bit;
    }
    return 1;
}

static int read_exec(assembler *a, int predicated, uint32_t condition, int conditional, int end)
{
    uint32_t opcode = predicated    ? XENOS_CF_COND_EXEC_PRED
                      : conditional ? XENOS_CF_COND_EXEC
                                    : XENOS_CF_EXEC;
    cf_entry *cf = new_cf(a, opcode + (uint32_t)end);
    if (cf == NULL) {
        return 0;
    }
    cf->exec = 1;
    cf->has_clean = !conditional;
    if (predicated) {
        cf->high |= condition << 10;
    }
    if (conditional && !read_bool_condition(a, cf)) {
        return 0;
    }
    return read_attributes(a, cf);
}

static int read_alloc(assembler *a)
{
    char word[32];
    cf_entry *cf = new_cf(a, XENOS_CF_ALLOC);
    if (cf == NULL) {
        return 0;
    }
    int pixel = a->context.stage == XENOS_STAGE_PIXEL;
    static const char *const kinds[] = {"none", "position", NULL, "export"};
    if (!ucode_word(&a->c, word,
                    pixel ? "colors or export" : "position, interpolators or export")) {
        return 0;
    }
    uint32_t kind = 0, size = 0;
    for (; kind < 4; kind++) {
        const char *name = kinds[kind] != NULL ? kinds[kind] : pixel ? "colors" : "interpolators";
        if (strcmp(name, word) == 0) {
            break;
        }
    }
    if (kind == 4) {
        return ucode_fail_found(&a->c, "no such allocation", word,
                                pixel ? "colors or export" : "position, interpolators or export");
    }
    if (ucode_take(&a->c, '=')) {
        if (!ucode_number(&a->c, 7, &size, "a count is wrong")) {
            return 0;
        }
    } else if (kind == XENOS_ALLOC_MEMORY) {
        return ucode_fail(&a->c, "an allocation has no count", "=");
    }
    cf->low = size;
    cf->high |= kind << 9;
    return read_attributes(a, cf);
}

static int read_loop(assembler *a, int start, int predicated, uint32_t condition)
{
    uint32_t number;
    cf_entry *cf = new_cf(a, start ? XENOS_CF_LOOP_START : XENOS_CF_LOOP_END);
    if (cf == NULL || !read_numbered(a, 'i', 31, &number) || !comma(a) || !read_label_use(a, cf)) {
        return 0;
    }
    cf->low = number << 16 | (uint32_t)predicated << 21;
    cf->high |= condition << 10;
    return read_attributes(a, cf);
}

/* call, ccall, jmp, cjmp */
static int read_branch(assembler *a, uint32_t opcode, int conditional, int predicated,
                       uint32_t condition)
{
    cf_entry *cf = new_cf(a, opcode);
    if (cf == NULL) {
        return 0;
    }
    if (conditional) {
        if (!read_bool_condition(a, cf) || !comma(a)) {
            return 0;
        }
    } else if (predicated) {
        cf->low |= 1u << 14;
        cf->high |= condition << 10;
    } else {
        cf->low |= 1u << 13;
    }
    return read_label_use(a, cf) && read_attributes(a, cf);
}

/* ---- lines ---- */

static int read_words(assembler *a, uint32_t *words)
{
    for (int i = 0; i < 3; i++) {
        if ((i > 0 && !comma(a)) ||
            !ucode_number(&a->c, UINT32_MAX, &words[i], "a word is wrong")) {
            return 0;
        }
    }
    return 1;
}

/* ".cf HIGH, LOW" and ".data [W, W, W]"; 2: neither. */
static int read_directive(assembler *a)
{
    ucode_cursor start = a->c;
    char word[32];
    if (!ucode_take(&a->c, '.') || !ucode_word(&a->c, word, "a directive")) {
        return 0;
    }
    if (strcmp(word, "data") == 0) {
        a->has_data = 1;
        if (ucode_line_end(&a->c)) {
            return 1;
        }
        uint32_t *words = grow(a, &a->data, 12, TRIPLES_MAX, "too much data");
        return words != NULL && read_words(a, words);
    }
    if (strcmp(word, "cf") == 0) {
        cf_entry *cf = new_cf(a, 0);
        if (cf == NULL) {
            return 0;
        }
        cf->raw = 1;
        return ucode_number(&a->c, 0xFFFF, &cf->high, "a word is wrong") && comma(a) &&
               ucode_number(&a->c, UINT32_MAX, &cf->low, "a word is wrong");
    }
    a->c = start;
    return 2;
}

/* Declarations say what the container around the microcode says: nothing here. */
static int is_declaration(const char *word)
{
    static const char *const words[] = {"config", "def", "defi", "defb", "defconst"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(words[i], word) == 0) {
            return 1;
        }
    }
    return strncmp(word, "dcl_", 4) == 0;
}

static int read_body_line(assembler *a)
{
    ucode_cursor start = a->c;
    a->c = start;
    if (*a->c.at == '.') {
        int done = read_directive(a);
        if (done != 2) {
            return done;
        }
    } else {
        uint32_t condition = 0;
        int predicated = ucode_predicate(&a->c, &condition);
        char word[32];
        if (a->c.error[0] != '\0' || !ucode_word(&a->c, word, "an instruction")) {
            return 0;
        }
        if (!predicated) {
            if (is_declaration(word)) {
                while (!ucode_line_end(&a->c)) {
                    a->c.at++;
                }
                return 1;
            }
            if (strcmp(word, "label") == 0) {
                return ucode_word(&a->c, word, "a label") && define_label(a, word);
            }
            if (ucode_take(&a->c, ':')) {
                return define_label(a, word);
            }
            if (strcmp(word, "serialize") == 0) {
                a->serialize = 1;
                return 1;
            }
            uint32_t opcode = strcmp(word, "cnop") == 0         ? XENOS_CF_NOP
                              : strcmp(word, "ret") == 0        ? XENOS_CF_RETURN
                              : strcmp(word, "vfetchdone") == 0 ? XENOS_CF_MARK_VS_FETCH_DONE
                                                                : 16u;
            if (opcode < 16u) {
                cf_entry *cf = new_cf(a, opcode);
                return cf != NULL && read_attributes(a, cf);
            }
            if (strcmp(word, "cexec") == 0 || strcmp(word, "cexece") == 0) {
                return read_exec(a, 0, 0, 1, word[5] == 'e');
            }
            if (strcmp(word, "ccall") == 0 || strcmp(word, "cjmp") == 0) {
                return read_branch(a, word[1] == 'c' ? XENOS_CF_COND_CALL : XENOS_CF_COND_JMP, 1, 0,
                                   0);
            }
            if (strcmp(word, "alloc") == 0) {
                return read_alloc(a);
            }
            if (strcmp(word, "loop") == 0) {
                return read_loop(a, 1, 0, 0);
            }
        }
        if (strcmp(word, "exec") == 0 || strcmp(word, "exece") == 0) {
            return read_exec(a, predicated, condition, 0, word[4] == 'e');
        }
        if (strcmp(word, "call") == 0 || strcmp(word, "jmp") == 0) {
            return read_branch(a, word[0] == 'c' ? XENOS_CF_COND_CALL : XENOS_CF_COND_JMP, 0,
                               predicated, condition);
        }
        if (strcmp(word, "endloop") == 0) {
            return read_loop(a, 0, predicated, condition);
        }
        a->c = start;
    }

    /* An instruction of the last exec. */
    cf_entry *cf = a->cfs.count > 0 ? cf_of(a, a->cfs.count - 1) : NULL;
    if (cf == NULL || !cf->exec) {
        return ucode_fail(&a->c, "an instruction stands outside an exec", "exec before it");
    }
    if (cf->count == EXEC_MAX) {
        return ucode_fail(&a->c, "an exec is full", "another exec after six instructions");
    }
    ucode_line line;
    if (!ucode_read_instruction(&a->c, &a->context, &line)) {
        return 0;
    }
    uint32_t *words = grow(a, &a->triples, 12, TRIPLES_MAX, "too many instructions");
    if (words == NULL) {
        return 0;
    }
    memcpy(words, line.words, 12);
    cf->sequence |= (line.fetch | (uint32_t)a->serialize << 1) << 2 * cf->count;
    cf->vertex_cache |= (uint32_t)line.vertex_cache << cf->count;
    cf->sets_predicate |= line.sets_predicate;
    cf->count++;
    a->serialize = 0;
    return 1;
}

static int read_stage(assembler *a)
{
    char word[32];
    if (!ucode_next_line(&a->c) || !ucode_word(&a->c, word, "xvs_3_0 or xps_3_0")) {
        return ucode_fail(&a->c, "a listing begins with its stage", "xvs_3_0 or xps_3_0");
    }
    if (strcmp(word, "xvs_3_0") == 0 || strcmp(word, "vs_3_0") == 0) {
        a->context.stage = XENOS_STAGE_VERTEX;
    } else if (strcmp(word, "xps_3_0") == 0 || strcmp(word, "ps_3_0") == 0) {
        a->context.stage = XENOS_STAGE_PIXEL;
    } else {
        return ucode_fail_found(&a->c, "no such stage", word, "xvs_3_0 or xps_3_0");
    }
    return ucode_line_end(&a->c) ||
           ucode_fail(&a->c, "the stage's line goes on", "the end of the line");
}

static int read_listing(assembler *a)
{
    if (!read_stage(a)) {
        return 0;
    }
    while (ucode_next_line(&a->c)) {
        if (!read_body_line(a) || a->c.error[0] != '\0') {
            return 0;
        }
        if (!ucode_line_end(&a->c)) {
            return ucode_fail(&a->c, "a line goes on", "the end of the line");
        }
    }
    if (a->c.error[0] != '\0') {
        return 0;
    }
    if (a->serialize) {
        return ucode_fail(&a->c, "serialize has no instruction", "one behind it");
    }
    return 1;
}

/* ---- words ---- */

static int finish_cf(assembler *a, cf_entry *cf, uint32_t cf_triples, uint64_t *bits)
{
    if (!cf->raw && cf->exec) {
        uint32_t address = cf_triples + cf->first;
        if (!cf->placed) {
            if (address >= TRIPLES_MAX) {
                a->c.line = cf->line;
                return ucode_fail_found(&a->c, "an exec lies too far away",
                                        "more than 4095 triples", "a shorter shader");
            }
            cf->low |= address;
        }
        uint32_t clean = cf->clean ? cf->clean - 1u : !cf->sets_predicate;
        cf->low |= cf->count << 12 | cf->sequence << 16 | cf->vertex_cache << 28;
        cf->high |= cf->vertex_cache >> 4;
        if (cf->has_clean) {
            cf->high |= clean << 9;
        } else if (clean) { /* 3 and 4 become 13 and 14 */
            cf->high += (XENOS_CF_COND_EXEC_PRED_CLEAN - XENOS_CF_COND_EXEC) << 12;
        }
    }
    if (cf->label >= 0) {
        const label *l = (const label *)a->labels.items + cf->label;
        if (l->index == UINT32_MAX) {
            a->c.line = cf->line;
            return ucode_fail_found(&a->c, "a label stands nowhere", l->name, "label NAME");
        }
        if (l->index >= CF_MAX) {
            a->c.line = cf->line;
            return ucode_fail_found(&a->c, "a label lies too far away", l->name,
                                    "at most 8191 before it");
        }
        cf->low |= l->index;
    }
    *bits = (uint64_t)cf->high << 32 | cf->low;
    return 1;
}

static uint32_t *finish(assembler *a, uint32_t *dwords)
{
    uint32_t cf_triples = (a->cfs.count + 1) / 2;
    uint32_t rest = a->has_data ? a->data.count : 1;
    uint32_t triples = cf_triples + a->triples.count + rest;
    if (triples > TRIPLES_MAX) {
        char found[32];
        snprintf(found, sizeof found, "%u", triples);
        ucode_fail_found(&a->c, "a shader is too long", found, "at most 4096 triples");
        return NULL;
    }
    uint32_t *words = calloc(triples ? triples : 1, 12);
    if (words == NULL) {
        ucode_fail_found(&a->c, "no memory", "none", "some");
        return NULL;
    }
    for (uint32_t i = 0; i < a->cfs.count; i++) {
        uint64_t bits = 0;
        if (!finish_cf(a, cf_of(a, i), cf_triples, &bits)) {
            free(words);
            return NULL;
        }
        uint32_t *w = words + 3 * (size_t)(i / 2);
        if (i % 2 == 0) {
            w[0] = (uint32_t)bits;
            w[1] = (uint32_t)(bits >> 32);
        } else {
            w[1] |= (uint32_t)bits << 16;
            w[2] = (uint32_t)(bits >> 16);
        }
    }
    if (a->triples.count) {
        memcpy(words + 3 * (size_t)cf_triples, a->triples.items, 12 * (size_t)a->triples.count);
    }
    if (a->data.count) {
        memcpy(words + 3 * (size_t)(cf_triples + a->triples.count), a->data.items,
               12 * (size_t)a->data.count);
    }
    *dwords = 3 * triples;
    return words;
}

uint32_t *xenos_assemble(const char *text, size_t length, uint32_t *stage, uint32_t *dwords,
                         char error[256])
{
    assembler a = {.c = {text, text + length, 1, error}};
    uint32_t *words = NULL;
    error[0] = '\0';
    *stage = XENOS_STAGE_VERTEX;
    *dwords = 0;
    if (read_listing(&a)) {
        *stage = a.context.stage;
        words = finish(&a, dwords);
    }
    free(a.cfs.items);
    free(a.triples.items);
    free(a.data.items);
    free(a.labels.items);
    return words;
}
