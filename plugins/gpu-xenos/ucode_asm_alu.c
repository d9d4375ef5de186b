/* Assembles an ALU pair.
 *
 * It shares fields: the third source, the predicate, the export register, one bit that makes all
 * constants absolute, two that make them relative. So every field is put once; where it is put twice
 * with different values, the two operations do not go together. What no text says gets what the
 * console's compilers leave there (published binaries beside listings): unused sources are r0, an idle
 * vector operation is max r0, r0, an idle scalar one retain_prev. */
#include <stdio.h>
#include <string.h>

#include "ucode_operand.h"

/* Everything but the swizzle. `number` 0..2. */
static int put_operand(ucode_fields *f, uint32_t number, const ucode_operand *o)
{
    int constants_before = 0;
    for (uint32_t i = 0; i < number; i++) { /* sources before this one are all known */
        constants_before |= !(f->words[2] >> (31 - i) & 1);
    }
    int ok = ucode_put(f, 2, 31 - number, 1, !o->constant, "the third operand's kind") &&
             ucode_put(f, 1, 26 - number, 1, o->negate, "a sign");
    if (o->constant) {
        ok = ok && ucode_put(f, 2, 16 - 8 * number, 8, o->index, "the third operand") &&
             ucode_put(f, 0, 7, 1, o->absolute, "a constant's _abs") &&
             ucode_put(f, 1, constants_before ? 30 : 31, 1, o->relative != XENOS_ADDRESS_ABSOLUTE,
                       "a constant's relative index");
        if (ok && o->relative != XENOS_ADDRESS_ABSOLUTE) {
            ok = ucode_put(f, 1, 29, 1, o->relative == XENOS_ADDRESS_A0, "a0 or aL");
        }
        return ok;
    }
    uint32_t reg = o->index | (o->relative ? 0x40u : 0u) | (o->absolute ? 0x80u : 0u);
    return ok && ucode_put(f, 2, 16 - 8 * number, 8, reg, "the third operand");
}

/* Swizzles count from the component that reads. */
static uint32_t turned(uint32_t component, uint32_t reader)
{
    return (component - reader) & 3u;
}

static int put_vector_operand(ucode_fields *f, uint32_t number, const ucode_operand *o)
{
    if (!put_operand(f, number, o)) {
        return 0;
    }
    for (uint32_t i = 0; i < 4; i++) {
        uint32_t component = i;
        if (o->count != 0) {
            component = (uint32_t)ucode_component(o->letters[i < o->count ? i : o->count - 1]);
        }
        if (!ucode_put(f, 1, 16 - 8 * number + 2 * i, 2, turned(component, i),
                       "the third swizzle")) {
            return 0;
        }
    }
    return 1;
}

/* ---- destinations ---- */

typedef struct dest {
    uint32_t exports, index, relative;
    uint32_t mask, zero, one;
    int clamp;
} dest;

static int read_mask(ucode_cursor *c, dest *d)
{
    char letters[5];
    uint32_t count;
    if (!ucode_read_letters(c, d->exports ? "xyzw01_" : "xyzw_", letters, &count)) {
        return 0;
    }
    if (count == 0) {
        d->mask = 0xF;
        return 1;
    }
    if (strcmp(letters, "_") == 0) {
        return 1;
    }
    int by_place = count == 4 && strpbrk(letters, "01_") != NULL;
    for (uint32_t i = 0; i < count; i++) {
        int component = ucode_component(letters[i]);
        if (by_place && letters[i] == '_') {
            continue;
        }
        if (by_place && component < 0) {
            *(letters[i] == '1' ? &d->one : &d->zero) |= 1u << i;
            continue;
        }
        if (component < 0 || (by_place ? (uint32_t)component != i : d->mask >> component != 0)) {
            return ucode_fail_found(c, "a mask is wrong", letters,
                                    "components in order, or four with _, 0 and 1 in place");
        }
        d->mask |= 1u << component;
    }
    return 1;
}

static int read_dest(ucode_cursor *c, uint32_t stage, dest *d)
{
    char word[32];
    uint32_t number;
    memset(d, 0, sizeof *d);
    const char *expected = stage == XENOS_STAGE_PIXEL
                               ? "r0..r63, oC0..oC3, oDepth, eA or eM0..eM4"
                               : "r0..r63, o0..o15, oPos, oPts, eA or eM0..eM4";
    if (!ucode_split_name(c, word, &number, expected)) {
        return 0;
    }
    if (strcmp(word, "r") == 0) {
        if (number == UINT32_MAX) {
            if (!ucode_take(c, '[')) {
                return ucode_fail(c, "a register has no number", "a number or [");
            }
            uint32_t relative;
            if (!ucode_read_index(c, 63, &d->index, &relative)) {
                return 0;
            }
            if (relative == XENOS_ADDRESS_A0) {
                return ucode_fail_found(c, "a register's index is wrong", "a0", "aL");
            }
            d->relative = relative == XENOS_ADDRESS_LOOP;
        } else if (number > 63) {
            return ucode_fail_found(c, "no such register", word, expected);
        } else {
            d->index = number;
        }
        return read_mask(c, d);
    }
    d->exports = 1;
    for (d->index = 0; d->index < 64; d->index++) {
        uint32_t n;
        const char *name = ucode_export_name(stage, d->index, &n);
        if (name != NULL && strcmp(name, word) == 0 && n == number) {
            return read_mask(c, d);
        }
    }
    return ucode_fail_found(c, "a destination is wrong", word, expected);
}

/* ---- ALU ---- */

typedef struct half {
    int present;
    uint32_t opcode;
    dest dest;
} half;

/* Other names of operations whose operands are the same. */
static const struct {
    const char *name, *means;
} twins[] = {{"mov", "max"}, {"movs", "maxs"}, {"movas", "maxas"}, {"movasf", "maxasf"}};

static const char *twin_of(const char *name)
{
    for (size_t i = 0; i < sizeof twins / sizeof *twins; i++) {
        if (strcmp(twins[i].name, name) == 0) {
            return twins[i].means;
        }
    }
    return NULL;
}

static int find_vector(const char *name, uint32_t *opcode)
{
    for (*opcode = 0; *opcode < 32; ++*opcode) {
        const char *other = xenos_vector_info(*opcode)->name;
        if (other != NULL && strcmp(other, name) == 0) {
            return 1;
        }
    }
    return 0;
}

static int find_scalar(const char *name, uint32_t *opcode)
{
    for (*opcode = 0; *opcode < 64; ++*opcode) {
        const char *other = xenos_scalar_info(*opcode)->name;
        if (other != NULL && strcmp(other, name) == 0) {
            return 1;
        }
    }
    return 0;
}

static int read_vector(ucode_fields *f, uint32_t stage, int twin, half *h)
{
    ucode_cursor *c = f->c;
    uint32_t operands = xenos_vector_info(h->opcode)->operands;
    h->present = 1;
    if (!read_dest(c, stage, &h->dest)) {
        return 0;
    }
    ucode_operand o;
    for (uint32_t i = 0; i < operands; i++) {
        if (!twin || i == 0) {
            if (!ucode_comma(c) || !ucode_read_operand(c, &o)) {
                return 0;
            }
        }
        if (!put_vector_operand(f, i, &o)) {
            return 0;
        }
    }
    return 1;
}

static void put_unused_sources(ucode_fields *f, uint32_t first, uint32_t end)
{
    for (uint32_t i = first; i < end; i++) {
        ucode_put_default(f, 2, 31 - i, 1, 1);
        ucode_put_default(f, 2, 16 - 8 * i, 8, 0);
        ucode_put_default(f, 1, 16 - 8 * i, 8, 0);
        ucode_put_default(f, 1, 26 - i, 1, 0);
    }
}

/* Operations with a constant and a register keep the register's number in pieces. */
static int put_mixed(ucode_fields *f, half *h)
{
    ucode_cursor *c = f->c;
    ucode_operand constant, reg;
    if (!ucode_comma(c) || !ucode_read_operand(c, &constant)) {
        return 0;
    }
    if (!constant.constant || constant.count != 1) {
        return ucode_fail_found(c, "the first operand is wrong", constant.letters,
                                "one component of a constant");
    }
    if (!ucode_comma(c) || !ucode_read_operand(c, &reg)) {
        return 0;
    }
    if (reg.constant || reg.relative || reg.count != 1) {
        return ucode_fail_found(c, "the second operand is wrong", reg.letters,
                                "one component of a register");
    }
    if (reg.negate != constant.negate || reg.absolute != constant.absolute) {
        return ucode_fail(c, "the operands' signs differ", "the same - and _abs on both");
    }
    h->opcode += reg.index & 1u;
    uint32_t swizzle = turned((uint32_t)ucode_component(constant.letters[0]), 3) << 6 |
                       (reg.index & 0x3Cu) | (uint32_t)ucode_component(reg.letters[0]);
    int constants_before = (f->words[2] >> 30 & 3) != 3;
    int ok = ucode_put(f, 2, 29, 1, reg.index >> 1 & 1, "the third operand's kind") &&
             ucode_put(f, 1, 24, 1, constant.negate, "a sign") &&
             ucode_put(f, 2, 0, 8, constant.index, "the third operand") &&
             ucode_put(f, 0, 7, 1, constant.absolute, "a constant's _abs") &&
             ucode_put(f, 1, constants_before ? 30 : 31, 1, constant.relative != 0,
                       "a constant's relative index") &&
             ucode_put(f, 1, 0, 8, swizzle, "the third swizzle");
    if (ok && constant.relative != XENOS_ADDRESS_ABSOLUTE) {
        ok = ucode_put(f, 1, 29, 1, constant.relative == XENOS_ADDRESS_A0, "a0 or aL");
    }
    return ok;
}

static int read_scalar(ucode_fields *f, uint32_t stage, int twin, half *h)
{
    ucode_cursor *c = f->c;
    uint32_t operands = xenos_scalar_info(h->opcode)->operands;
    h->present = 1;
    if (!read_dest(c, stage, &h->dest)) {
        return 0;
    }
    if (h->dest.zero | h->dest.one) {
        return ucode_fail(c, "a scalar operation writes constants",
                          "0 and 1 in the vector operation's mask");
    }
    if (operands == 0) {
        return 1;
    }
    if (operands == 3) {
        return put_mixed(f, h);
    }
    ucode_operand o;
    if (!ucode_comma(c) || !ucode_read_operand(c, &o) || !put_operand(f, 2, &o)) {
        return 0;
    }
    uint32_t most = twin ? 1 : operands;
    if (o.count == 0 || o.count > most) {
        return ucode_fail_found(c, "a scalar operand is wrong",
                                o.count ? o.letters : "no components",
                                most == 2 ? "one or two components" : "one component");
    }
    uint32_t a = (uint32_t)ucode_component(o.letters[0]);
    uint32_t b = (uint32_t)ucode_component(o.letters[o.count - 1]);
    if (!ucode_put(f, 1, 6, 2, turned(a, 3), "the third swizzle") ||
        (operands == 2 && !ucode_put(f, 1, 0, 2, b, "the third swizzle"))) {
        return 0;
    }
    ucode_put_default(f, 1, 0, 2, b);
    ucode_put_default(f, 1, 2, 2, turned(b, 1));
    ucode_put_default(f, 1, 4, 2, turned(a, 2));
    return 1;
}

/* An operation's name without _sat, and what it is. */
static int read_operation(ucode_fields *f, const char *word, uint32_t stage, half *vector,
                          half *scalar)
{
    char name[32];
    strcpy(name, word);
    size_t n = strlen(name);
    int clamp = n > 4 && strcmp(name + n - 4, "_sat") == 0;
    if (clamp) {
        name[n - 4] = '\0';
    }
    const char *means = twin_of(name);
    uint32_t opcode;
    if (find_vector(means != NULL ? means : name, &opcode) && !vector->present &&
        !scalar->present) {
        vector->opcode = opcode;
        int ok = read_vector(f, stage, means != NULL, vector);
        vector->dest.clamp = clamp;
        return ok;
    }
    if (find_scalar(means != NULL ? means : name, &opcode) && !scalar->present) {
        scalar->opcode = opcode;
        /* What stands before the third source says which constant that is. */
        put_unused_sources(f, vector->present ? xenos_vector_info(vector->opcode)->operands : 0, 2);
        int ok = read_scalar(f, stage, means != NULL, scalar);
        scalar->dest.clamp = clamp;
        return ok;
    }
    return ucode_fail_found(f->c, "no such operation", word,
                            vector->present ? "a scalar operation" : "an instruction");
}

/* Puts what the two halves say together. */
static int put_halves(ucode_fields *f, const half *vector, const half *scalar)
{
    ucode_cursor *c = f->c;
    const dest *v = &vector->dest, *s = &scalar->dest;
    uint32_t exports = vector->present ? v->exports : s->exports;
    if (vector->present && scalar->present &&
        (v->exports != s->exports || (exports && v->index != s->index))) {
        return ucode_fail(c, "the operations export differently",
                          "both into the same export register");
    }
    if (exports) {
        uint32_t written = v->mask | s->mask | v->one;
        if ((v->mask | v->one | v->zero) & s->mask) {
            return ucode_fail(c, "both operations write a component", "one writer");
        }
        if (v->zero != 0 && v->zero != (0xFu & ~written)) {
            return ucode_fail(c, "a 0 stands beside a component that nothing writes",
                              "0 in all components that nothing else writes");
        }
        ucode_put_default(f, 0, 0, 6, vector->present ? v->index : s->index);
        ucode_put_default(f, 0, 14, 1, v->zero != 0);
        ucode_put_default(f, 0, 15, 1, 1);
        ucode_put_default(f, 0, 16, 4, v->mask | v->one);
        ucode_put_default(f, 0, 20, 4, s->mask | v->one);
    } else {
        ucode_put_default(f, 0, 0, 6, v->index);
        ucode_put_default(f, 0, 6, 1, v->relative);
        ucode_put_default(f, 0, 8, 6, s->index);
        ucode_put_default(f, 0, 14, 1, s->relative);
        ucode_put_default(f, 0, 16, 4, v->mask);
        ucode_put_default(f, 0, 20, 4, s->mask);
    }
    ucode_put_default(f, 0, 24, 1, (uint32_t)v->clamp);
    ucode_put_default(f, 0, 25, 1, (uint32_t)s->clamp);
    ucode_put_default(f, 0, 26, 6, scalar->present ? scalar->opcode : XENOS_S_RETAIN_PREV);
    ucode_put_default(f, 2, 24, 5, vector->present ? vector->opcode : XENOS_V_MAX);
    put_unused_sources(f, 0, 3);
    return 1;
}

/* The scalar operation on a line of its own, behind '+'. */
static int read_second(ucode_fields *f, uint32_t stage, int predicated, uint32_t condition,
                       half *vector, half *scalar)
{
    ucode_cursor ahead = *f->c;
    if (!ucode_next_line(&ahead) || !ucode_take(&ahead, '+')) {
        return 1;
    }
    *f->c = ahead;
    uint32_t again;
    if (ucode_predicate(f->c, &again) && (!predicated || again != condition)) {
        return ucode_fail(f->c, "the predicates differ", "the first operation's");
    }
    char word[32];
    return ucode_word(f->c, word, "a scalar operation") &&
           read_operation(f, word, stage, vector, scalar);
}

int ucode_read_alu(ucode_cursor *c, const char *word, uint32_t stage, int predicated,
                   uint32_t condition, ucode_line *out)
{
    ucode_fields f = {.c = c};
    half vector = {0}, scalar = {0};
    ucode_put_default(&f, 1, 28, 1, (uint32_t)predicated);
    ucode_put_default(&f, 1, 27, 1, condition);
    if (strcmp(word, "nop") != 0) {
        if (!read_operation(&f, word, stage, &vector, &scalar)) {
            return 0;
        }
        if (!ucode_line_end(c)) {
            return ucode_fail(c, "an instruction goes on", "the end of the line");
        }
        if (!read_second(&f, stage, predicated, condition, &vector, &scalar)) {
            return 0;
        }
    }
    if (!put_halves(&f, &vector, &scalar) || c->error[0] != '\0') {
        return 0;
    }
    memcpy(out->words, f.words, sizeof f.words);
    out->sets_predicate = (uint8_t)ucode_sets_predicate(out->words);
    return 1;
}
