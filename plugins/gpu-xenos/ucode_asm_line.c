/* Assembles one instruction: an ALU pair, a fetch, or words as they are.
 *
 * A pair shares fields: the third source, the predicate, the export register, one bit that makes all
 * constants absolute, two that make them relative. So every field is put once; where it is put twice
 * with different values, the two operations do not go together. What no text says gets what the
 * console's compilers leave there (published binaries beside listings): unused sources are r0, an idle
 * vector operation is max r0, r0, an idle scalar one retain_prev. */
#include <stdio.h>
#include <string.h>

#include "ucode_text.h"

typedef struct fields {
    uint32_t words[3], known[3];
    ucode_cursor *c;
} fields;

static uint32_t ones(uint32_t low, uint32_t width)
{
    return (uint32_t)(((UINT64_C(1) << width) - 1) << low);
}

static int put(fields *f, uint32_t word, uint32_t low, uint32_t width, uint32_t value,
               const char *what)
{
    uint32_t mask = ones(low, width), bits = value << low & mask;
    if ((f->words[word] ^ bits) & mask & f->known[word]) {
        char message[96];
        snprintf(message, sizeof message, "%s differs from what shares its field", what);
        return ucode_fail(f->c, message, "the same in the whole instruction");
    }
    f->words[word] |= bits;
    f->known[word] |= mask;
    return 1;
}

/* Where nothing has been put. */
static void put_default(fields *f, uint32_t word, uint32_t low, uint32_t width, uint32_t value)
{
    f->words[word] |= value << low & ones(low, width) & ~f->known[word];
    f->known[word] |= ones(low, width);
}

static int component_of(char c)
{
    const char *at = c != '\0' ? strchr("xyzw", c) : NULL;
    return at != NULL ? (int)(at - "xyzw") : -1;
}

/* The letters behind a dot; 0 letters where there is no dot. */
static int read_letters(ucode_cursor *c, const char *allowed, char letters[5], uint32_t *count)
{
    *count = 0;
    letters[0] = '\0';
    if (!ucode_take(c, '.')) {
        return 1;
    }
    while (c->at < c->end && *count < 4 && *c->at != '\0' && strchr(allowed, *c->at) != NULL) {
        letters[(*count)++] = *c->at++;
    }
    letters[*count] = '\0';
    if (*count == 0 || (c->at < c->end && *c->at != '\0' && strchr("xyzw01_", *c->at) != NULL)) {
        return ucode_fail(c, "components are wrong", allowed);
    }
    return 1;
}

/* "[5+aL]", "[a0]", "[aL+5]", "[5]"; the bracket has been taken. */
static int read_index(ucode_cursor *c, uint32_t limit, uint32_t *index, uint32_t *relative)
{
    int have_number = 0, have_register = 0;
    *index = 0;
    *relative = XENOS_ADDRESS_ABSOLUTE;
    do {
        ucode_skip(c);
        if (c->at < c->end && *c->at >= '0' && *c->at <= '9' && !have_number) {
            have_number = 1;
            if (!ucode_number(c, limit, index, "no such register")) {
                return 0;
            }
            continue;
        }
        char word[32];
        if (have_register || !ucode_word(c, word, "a0 or aL")) {
            return ucode_fail(c, "an index is wrong", "a number, a0 or aL");
        }
        have_register = 1;
        *relative = strcmp(word, "aL") == 0   ? XENOS_ADDRESS_LOOP
                    : strcmp(word, "a0") == 0 ? XENOS_ADDRESS_A0
                                              : 3u;
        if (*relative == 3u) {
            return ucode_fail_found(c, "an index is wrong", word, "a0 or aL");
        }
    } while (ucode_take(c, '+'));
    return ucode_take(c, ']') || ucode_fail(c, "an index does not end", "]");
}

/* A name and the number at its end; UINT32_MAX: no number. */
static int split_name(ucode_cursor *c, char word[32], uint32_t *number, const char *expected)
{
    if (!ucode_word(c, word, expected)) {
        return 0;
    }
    size_t n = strlen(word);
    while (n > 0 && word[n - 1] >= '0' && word[n - 1] <= '9') {
        n--;
    }
    *number = UINT32_MAX;
    if (word[n] != '\0') {
        if (strlen(word + n) > 3) {
            return ucode_fail_found(c, "no such register", word, expected);
        }
        *number = 0;
        for (size_t i = n; word[i] != '\0'; i++) {
            *number = *number * 10 + (uint32_t)(word[i] - '0');
        }
        word[n] = '\0';
    }
    return 1;
}

/* ---- operands ---- */

/* letters: behind the dot; r and c as in the text. */
typedef struct operand {
    uint32_t constant, index, relative, absolute, negate;
    char letters[5];
    uint32_t count;
} operand;

/* [-] r5 | r5_abs | r[5+aL] | r_abs[5] | c5 ... [.letters] */
static int read_operand(ucode_cursor *c, operand *o)
{
    char word[32];
    memset(o, 0, sizeof *o);
    o->negate = (uint32_t)ucode_take(c, '-');
    const char *expected = "a register r0..r63 or a constant c0..c255";
    if (!ucode_word(c, word, expected)) {
        return 0;
    }
    size_t n = strlen(word);
    if (n > 4 && strcmp(word + n - 4, "_abs") == 0) {
        o->absolute = 1;
        word[n - 4] = '\0';
    }
    o->constant = word[0] == 'c';
    uint32_t limit = o->constant ? 255 : 63;
    if (word[0] != 'r' && word[0] != 'c') {
        return ucode_fail_found(c, "an operand is wrong", word, expected);
    }
    if (word[1] == '\0') {
        if (!ucode_take(c, '[')) {
            return ucode_fail(c, "an operand has no number", "a number or [");
        }
        if (!read_index(c, limit, &o->index, &o->relative)) {
            return 0;
        }
        if (c->end - c->at >= 4 && memcmp(c->at, "_abs", 4) == 0) {
            o->absolute = 1;
            c->at += 4;
        }
    } else {
        for (size_t i = 1; word[i] != '\0'; i++) {
            if (word[i] < '0' || word[i] > '9' || i > 3) {
                return ucode_fail_found(c, "an operand is wrong", word, expected);
            }
            o->index = o->index * 10 + (uint32_t)(word[i] - '0');
        }
        if (o->index > limit) {
            return ucode_fail_found(c, "no such register", word, expected);
        }
    }
    if (!o->constant && o->relative == XENOS_ADDRESS_A0) {
        return ucode_fail_found(c, "a register's index is wrong", "a0", "aL");
    }
    return read_letters(c, "xyzw", o->letters, &o->count);
}

/* Everything but the swizzle. `number` 0..2. */
static int put_operand(fields *f, uint32_t number, const operand *o)
{
    int constants_before = 0;
    for (uint32_t i = 0; i < number; i++) { /* sources before this one are all known */
        constants_before |= !(f->words[2] >> (31 - i) & 1);
    }
    int ok = put(f, 2, 31 - number, 1, !o->constant, "the third operand's kind") &&
             put(f, 1, 26 - number, 1, o->negate, "a sign");
    if (o->constant) {
        ok = ok && put(f, 2, 16 - 8 * number, 8, o->index, "the third operand") &&
             put(f, 0, 7, 1, o->absolute, "a constant's _abs") &&
             put(f, 1, constants_before ? 30 : 31, 1, o->relative != XENOS_ADDRESS_ABSOLUTE,
                 "a constant's relative index");
        if (ok && o->relative != XENOS_ADDRESS_ABSOLUTE) {
            ok = put(f, 1, 29, 1, o->relative == XENOS_ADDRESS_A0, "a0 or aL");
        }
        return ok;
    }
    uint32_t reg = o->index | (o->relative ? 0x40u : 0u) | (o->absolute ? 0x80u : 0u);
    return ok && put(f, 2, 16 - 8 * number, 8, reg, "the third operand");
}

/* Swizzles count from the component that reads. */
static uint32_t turned(uint32_t component, uint32_t reader)
{
    return (component - reader) & 3u;
}

static int put_vector_operand(fields *f, uint32_t number, const operand *o)
{
    if (!put_operand(f, number, o)) {
        return 0;
    }
    for (uint32_t i = 0; i < 4; i++) {
        uint32_t component = i;
        if (o->count != 0) {
            component = (uint32_t)component_of(o->letters[i < o->count ? i : o->count - 1]);
        }
        if (!put(f, 1, 16 - 8 * number + 2 * i, 2, turned(component, i), "the third swizzle")) {
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
    if (!read_letters(c, d->exports ? "xyzw01_" : "xyzw_", letters, &count)) {
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
        int component = component_of(letters[i]);
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
    if (!split_name(c, word, &number, expected)) {
        return 0;
    }
    if (strcmp(word, "r") == 0) {
        if (number == UINT32_MAX) {
            if (!ucode_take(c, '[')) {
                return ucode_fail(c, "a register has no number", "a number or [");
            }
            uint32_t relative;
            if (!read_index(c, 63, &d->index, &relative)) {
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

static int comma(ucode_cursor *c)
{
    return ucode_take(c, ',') || ucode_fail(c, "an operand is missing", ",");
}

static int read_vector(fields *f, uint32_t stage, int twin, half *h)
{
    ucode_cursor *c = f->c;
    uint32_t operands = xenos_vector_info(h->opcode)->operands;
    h->present = 1;
    if (!read_dest(c, stage, &h->dest)) {
        return 0;
    }
    operand o;
    for (uint32_t i = 0; i < operands; i++) {
        if (!twin || i == 0) {
            if (!comma(c) || !read_operand(c, &o)) {
                return 0;
            }
        }
        if (!put_vector_operand(f, i, &o)) {
            return 0;
        }
    }
    return 1;
}

static void put_unused_sources(fields *f, uint32_t first, uint32_t end)
{
    for (uint32_t i = first; i < end; i++) {
        put_default(f, 2, 31 - i, 1, 1);
        put_default(f, 2, 16 - 8 * i, 8, 0);
        put_default(f, 1, 16 - 8 * i, 8, 0);
        put_default(f, 1, 26 - i, 1, 0);
    }
}

/* Operations with a constant and a register keep the register's number in pieces. */
static int put_mixed(fields *f, half *h)
{
    ucode_cursor *c = f->c;
    operand constant, reg;
    if (!comma(c) || !read_operand(c, &constant)) {
        return 0;
    }
    if (!constant.constant || constant.count != 1) {
        return ucode_fail_found(c, "the first operand is wrong", constant.letters,
                                "one component of a constant");
    }
    if (!comma(c) || !read_operand(c, &reg)) {
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
    uint32_t swizzle = turned((uint32_t)component_of(constant.letters[0]), 3) << 6 |
                       (reg.index & 0x3Cu) | (uint32_t)component_of(reg.letters[0]);
    int constants_before = (f->words[2] >> 30 & 3) != 3;
    int ok = put(f, 2, 29, 1, reg.index >> 1 & 1, "the third operand's kind") &&
             put(f, 1, 24, 1, constant.negate, "a sign") &&
             put(f, 2, 0, 8, constant.index, "the third operand") &&
             put(f, 0, 7, 1, constant.absolute, "a constant's _abs") &&
             put(f, 1, constants_before ? 30 : 31, 1, constant.relative != 0,
                 "a constant's relative index") &&
             put(f, 1, 0, 8, swizzle, "the third swizzle");
    if (ok && constant.relative != XENOS_ADDRESS_ABSOLUTE) {
        ok = put(f, 1, 29, 1, constant.relative == XENOS_ADDRESS_A0, "a0 or aL");
    }
    return ok;
}

static int read_scalar(fields *f, uint32_t stage, int twin, half *h)
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
    operand o;
    if (!comma(c) || !read_operand(c, &o) || !put_operand(f, 2, &o)) {
        return 0;
    }
    uint32_t most = twin ? 1 : operands;
    if (o.count == 0 || o.count > most) {
        return ucode_fail_found(c, "a scalar operand is wrong",
                                o.count ? o.letters : "no components",
                                most == 2 ? "one or two components" : "one component");
    }
    uint32_t a = (uint32_t)component_of(o.letters[0]);
    uint32_t b = (uint32_t)component_of(o.letters[o.count - 1]);
    if (!put(f, 1, 6, 2, turned(a, 3), "the third swizzle") ||
        (operands == 2 && !put(f, 1, 0, 2, b, "the third swizzle"))) {
        return 0;
    }
    put_default(f, 1, 0, 2, b);
    put_default(f, 1, 2, 2, turned(b, 1));
    put_default(f, 1, 4, 2, turned(a, 2));
    return 1;
}

/* An operation's name without _sat, and what it is. */
static int read_operation(fields *f, const char *word, uint32_t stage, half *vector, half *scalar)
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
static int put_halves(fields *f, const half *vector, const half *scalar)
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
        put_default(f, 0, 0, 6, vector->present ? v->index : s->index);
        put_default(f, 0, 14, 1, v->zero != 0);
        put_default(f, 0, 15, 1, 1);
        put_default(f, 0, 16, 4, v->mask | v->one);
        put_default(f, 0, 20, 4, s->mask | v->one);
    } else {
        put_default(f, 0, 0, 6, v->index);
        put_default(f, 0, 6, 1, v->relative);
        put_default(f, 0, 8, 6, s->index);
        put_default(f, 0, 14, 1, s->relative);
        put_default(f, 0, 16, 4, v->mask);
        put_default(f, 0, 20, 4, s->mask);
    }
    put_default(f, 0, 24, 1, (uint32_t)v->clamp);
    put_default(f, 0, 25, 1, (uint32_t)s->clamp);
    put_default(f, 0, 26, 6, scalar->present ? scalar->opcode : XENOS_S_RETAIN_PREV);
    put_default(f, 2, 24, 5, vector->present ? vector->opcode : XENOS_V_MAX);
    put_unused_sources(f, 0, 3);
    return 1;
}

/* The scalar operation on a line of its own, behind '+'. */
static int read_second(fields *f, uint32_t stage, int predicated, uint32_t condition, half *vector,
                       half *scalar)
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

static int read_alu(ucode_cursor *c, const char *word, uint32_t stage, int predicated,
                    uint32_t condition, ucode_line *out)
{
    fields f = {.c = c};
    half vector = {0}, scalar = {0};
    put_default(&f, 1, 28, 1, (uint32_t)predicated);
    put_default(&f, 1, 27, 1, condition);
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
    uint32_t effects = vector.present ? xenos_vector_info(vector.opcode)->effects : 0;
    effects |= scalar.present ? xenos_scalar_info(scalar.opcode)->effects : 0;
    out->sets_predicate = (effects & XENOS_EFFECT_PREDICATE) != 0;
    return 1;
}

/* ---- fetches ---- */

typedef struct fetch_name {
    uint32_t opcode, mini, dimension;
} fetch_name;

static int find_fetch(const char *word, fetch_name *name)
{
    memset(name, 0, sizeof *name);
    if (strcmp(word, "vfetch") == 0 || strcmp(word, "vfetch_full") == 0) {
        return 1;
    }
    if (strcmp(word, "vfetch_mini") == 0) {
        name->mini = 1;
        return 1;
    }
    for (name->opcode = 1; name->opcode < 32; name->opcode++) {
        const char *base = xenos_fetch_name(name->opcode);
        if (base == NULL || strncmp(word, base, strlen(base)) != 0) {
            continue;
        }
        const char *rest = word + strlen(base);
        if (ucode_fetch_kind(name->opcode, 0) == UCODE_PLAIN) {
            name->dimension = XENOS_DIMENSION_2D;
            if (*rest == '\0') {
                return 1;
            }
            continue;
        }
        for (uint32_t i = 0; i < 4; i++) {
            if (strcmp(rest, ucode_dimensions[i]) == 0) {
                name->dimension = i;
                return 1;
            }
        }
    }
    return 0;
}

/* A decimal in steps of 1/unit. */
static int read_fraction(ucode_cursor *c, uint32_t unit, int32_t *value)
{
    uint32_t whole, thousands = 0;
    int negative = ucode_take(c, '-');
    if (!ucode_number(c, 9999999, &whole, "a number is wrong")) {
        return 0;
    }
    if (c->at < c->end && *c->at == '.') {
        c->at++;
        uint32_t scale = 1000;
        for (; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++, scale /= 10) {
            if (scale == 0 && *c->at != '0') {
                return ucode_fail(c, "a number has too many digits", "four behind the point");
            }
            thousands += (uint32_t)(*c->at - '0') * scale;
        }
    }
    if (thousands * unit % 10000 != 0) {
        char step[32];
        snprintf(step, sizeof step, "a multiple of 1/%u", unit);
        return ucode_fail(c, "a number lies between steps", step);
    }
    int64_t sum = (int64_t)whole * unit + thousands * unit / 10000;
    *value = (int32_t)(negative ? -sum : sum);
    return 1;
}

static int read_value(fields *f, const ucode_attribute *a)
{
    ucode_cursor *c = f->c;
    uint32_t field = 0;
    if (a->kind == UCODE_BOOL) {
        return ucode_bool(c, &field) && put(f, a->word, a->low, 1, field, a->name);
    }
    ucode_skip(c);
    int digit = c->at < c->end && ((*c->at >= '0' && *c->at <= '9') || *c->at == '-');
    if (a->kind == UCODE_NAMES && !(digit && a->names != ucode_dimensions)) {
        char word[32];
        const char *from = c->at;
        size_t n = 0;
        while (c->at < c->end && n < 31 &&
               ((*c->at >= '0' && *c->at <= '9') || (*c->at >= 'a' && *c->at <= 'z') ||
                (*c->at >= 'A' && *c->at <= 'Z') || *c->at == '_')) {
            word[n++] = *c->at++;
        }
        word[n] = '\0';
        for (; field < 1u << a->width; field++) {
            if (a->names[field] != NULL && ucode_same(a->names[field], word)) {
                return put(f, a->word, a->low, a->width, field, a->name);
            }
        }
        c->at = from;
        char what[64];
        snprintf(what, sizeof what, "%s has no such value", a->name);
        return ucode_fail_found(c, what, n ? word : "nothing",
                                a->names[a->preset] != NULL ? a->names[a->preset]
                                                            : "a format's name");
    }
    int32_t value = 0;
    if (!read_fraction(c, a->unit, &value)) {
        return 0;
    }
    value -= a->bias;
    int32_t low = a->is_signed ? -(1 << (a->width - 1)) : 0;
    int32_t high = a->is_signed ? (1 << (a->width - 1)) - 1 : (1 << a->width) - 1;
    if (value < low || value > high) {
        char what[64], expected[64];
        snprintf(what, sizeof what, "%s is out of range", a->name);
        snprintf(expected, sizeof expected, "%g to %g", (double)(low + a->bias) / a->unit,
                 (double)(high + a->bias) / a->unit);
        return ucode_fail(c, what, expected);
    }
    return put(f, a->word, a->low, a->width, (uint32_t)value, a->name);
}

static int read_attributes(fields *f, uint32_t kind, ucode_line *out)
{
    ucode_cursor *c = f->c;
    char word[32];
    while (ucode_take(c, ',')) {
        ucode_next_line(c); /* a list may go on behind a comma */
        if (!ucode_word(c, word, "an attribute")) {
            return 0;
        }
        if (!ucode_take(c, '=')) {
            return ucode_fail(c, "an attribute has no value", "=");
        }
        if (ucode_same(word, "UseTextureCache") && (kind & UCODE_VERTEX)) {
            uint32_t value;
            if (!ucode_bool(c, &value)) {
                return 0;
            }
            out->vertex_cache = !value;
            continue;
        }
        uint32_t i = 0;
        while (i < ucode_attribute_count && !((ucode_attributes[i].fetches & kind) &&
                                              ucode_same(ucode_attributes[i].name, word))) {
            i++;
        }
        if (i == ucode_attribute_count) {
            return ucode_fail_found(c, "this fetch has no such attribute", word,
                                    kind & UCODE_VERTEX ? "DataFormat, Stride, Offset..."
                                                        : "MagFilter, LODBias, OffsetX...");
        }
        if (!read_value(f, &ucode_attributes[i])) {
            return 0;
        }
    }
    return 1;
}

static int read_fetch_dest(fields *f)
{
    ucode_cursor *c = f->c;
    char word[32], letters[5];
    uint32_t number, count, relative = 0;
    if (!split_name(c, word, &number, "a register r0..r63")) {
        return 0;
    }
    if (strcmp(word, "r") != 0 || (number != UINT32_MAX && number > 63)) {
        return ucode_fail_found(c, "a fetch's destination is wrong", word, "r0..r63");
    }
    if (number == UINT32_MAX && (!ucode_take(c, '[') || !read_index(c, 63, &number, &relative))) {
        return ucode_fail(c, "a register has no number", "a number or [");
    }
    if (relative == XENOS_ADDRESS_A0) {
        return ucode_fail_found(c, "a register's index is wrong", "a0", "aL");
    }
    if (!read_letters(c, "xyzw01_", letters, &count)) {
        return 0;
    }
    static const char numbers[] = "xyzw01?_";
    for (uint32_t i = 0; i < 4; i++) {
        uint32_t value = i < count    ? (uint32_t)(strchr(numbers, letters[i]) - numbers)
                         : count == 0 ? i
                                      : XENOS_SWIZZLE_KEEP;
        put_default(f, 1, 3 * i, 3, value);
    }
    put_default(f, 0, 12, 6, number);
    put_default(f, 0, 18, 1, relative == XENOS_ADDRESS_LOOP);
    return 1;
}

static int read_fetch_source(fields *f, uint32_t low, uint32_t components)
{
    ucode_cursor *c = f->c;
    operand o;
    if (!read_operand(c, &o)) {
        return 0;
    }
    if (o.constant || o.negate || o.absolute) {
        return ucode_fail(c, "a fetch's source is wrong", "a register without - or _abs");
    }
    if (o.count != components) {
        char expected[32];
        snprintf(expected, sizeof expected, "%u components", components);
        return ucode_fail_found(c, "a fetch's source is wrong",
                                o.count ? o.letters : "no components", expected);
    }
    put_default(f, 0, 5, 6, o.index);
    put_default(f, 0, 11, 1, o.relative == XENOS_ADDRESS_LOOP);
    for (uint32_t i = 0; i < components; i++) {
        put_default(f, 0, low + 2 * i, 2, (uint32_t)component_of(o.letters[i]));
    }
    return 1;
}

/* ", vf5" or ", tf5" */
static int read_fetch_constant(fields *f, const char *name, uint32_t limit, uint32_t *number)
{
    ucode_cursor *c = f->c;
    char word[32], expected[32];
    snprintf(expected, sizeof expected, "%s0..%s%u", name, name, limit);
    if (!comma(c) || !split_name(c, word, number, expected)) {
        return 0;
    }
    if (strcmp(word, name) != 0 || *number > limit) {
        return ucode_fail_found(c, "a fetch constant is wrong", word, expected);
    }
    return 1;
}

static int read_fetch(ucode_cursor *c, const fetch_name *name, int predicated, uint32_t condition,
                      ucode_context *context, ucode_line *out)
{
    fields f = {.c = c};
    uint32_t kind = ucode_fetch_kind(name->opcode, name->mini), number;
    int vertex = name->opcode == XENOS_FETCH_VERTEX;
    out->fetch = 1;
    out->vertex_cache = (uint8_t)vertex;
    put_default(&f, 0, 0, 5, name->opcode);
    put_default(&f, 1, 31, 1, (uint32_t)predicated);
    put_default(&f, 2, 31, 1, condition);
    if (ucode_fetch_has_dest(name->opcode)) {
        if (!read_fetch_dest(&f) || (kind != UCODE_MINI && !comma(c))) {
            return 0;
        }
    } else {
        put_default(&f, 1, 0, 12, 0xFFF); /* nothing written */
    }
    uint32_t components = ucode_fetch_components(name->opcode, name->dimension);
    if (kind != UCODE_MINI && !read_fetch_source(&f, vertex ? 30 : 26, components)) {
        return 0;
    }
    if (vertex) {
        put_default(&f, 0, 19, 1, 1);
        put_default(&f, 1, 30, 1, name->mini);
        if (name->mini) { /* constant and source stand in both */
            uint32_t same = ones(20, 7) | ones(5, 7) | ones(30, 2);
            f.words[0] |= context->full[0] & same;
            f.known[0] |= same;
        } else {
            if (!read_fetch_constant(&f, "vf", 95, &number)) {
                return 0;
            }
            put_default(&f, 0, 20, 5, (95 - number) / 3);
            put_default(&f, 0, 25, 2, (95 - number) % 3);
        }
    } else if (ucode_fetch_has_dest(name->opcode)) {
        if (!read_fetch_constant(&f, "tf", 31, &number)) {
            return 0;
        }
        put_default(&f, 0, 20, 5, number);
    }
    if (kind == UCODE_SAMPLE) {
        put_default(&f, 2, 14, 2, name->dimension);
    }
    if (!read_attributes(&f, kind, out)) {
        return 0;
    }
    for (uint32_t i = 0; i < ucode_attribute_count; i++) {
        const ucode_attribute *a = &ucode_attributes[i];
        if (a->fetches & kind) {
            put_default(&f, a->word, a->low, a->width, a->preset);
        }
    }
    if (c->error[0] != '\0') {
        return 0;
    }
    memcpy(out->words, f.words, sizeof f.words);
    return 1;
}

/* ---- any instruction ---- */

/* ".alu W, W, W" and ".fetch W, W, W" */
static int read_raw(ucode_cursor *c, ucode_line *out)
{
    char word[32];
    if (!ucode_word(c, word, "alu or fetch")) {
        return 0;
    }
    out->fetch = strcmp(word, "fetch") == 0;
    if (!out->fetch && strcmp(word, "alu") != 0) {
        return ucode_fail_found(c, "no such directive", word, "alu or fetch");
    }
    for (int i = 0; i < 3; i++) {
        if ((i > 0 && !comma(c)) ||
            !ucode_number(c, UINT32_MAX, &out->words[i], "a word is wrong")) {
            return 0;
        }
    }
    if (out->fetch) {
        uint32_t no_cache = 0;
        out->vertex_cache = (out->words[0] & 0x1F) == XENOS_FETCH_VERTEX;
        if (ucode_take(c, ',')) {
            if (!ucode_word(c, word, "UseTextureCache") || !ucode_same(word, "UseTextureCache") ||
                !ucode_take(c, '=') || !ucode_bool(c, &no_cache)) {
                return ucode_fail(c, "an attribute is wrong", "UseTextureCache=true");
            }
            out->vertex_cache = !no_cache;
        }
    } else {
        xenos_alu alu;
        xenos_alu_decode(out->words, &alu);
        out->sets_predicate = ((xenos_vector_info(alu.vector_opcode)->effects |
                                xenos_scalar_info(alu.scalar_opcode)->effects) &
                               XENOS_EFFECT_PREDICATE) != 0;
    }
    return 1;
}

int ucode_read_instruction(ucode_cursor *c, ucode_context *context, ucode_line *out)
{
    memset(out, 0, sizeof *out);
    int ok;
    if (ucode_take(c, '.')) {
        ok = read_raw(c, out);
    } else {
        uint32_t condition = 0;
        int predicated = ucode_predicate(c, &condition);
        char word[32];
        fetch_name name;
        if (c->error[0] != '\0' || !ucode_word(c, word, "an instruction")) {
            return 0;
        }
        ok = find_fetch(word, &name)
                 ? read_fetch(c, &name, predicated, condition, context, out)
                 : read_alu(c, word, context->stage, predicated, condition, out);
    }
    if (ok && !ucode_line_end(c)) {
        return ucode_fail(c, "an instruction goes on", "the end of the line");
    }
    if (ok && out->fetch && (out->words[0] & 0x1F) == XENOS_FETCH_VERTEX &&
        !(out->words[1] >> 30 & 1)) {
        memcpy(context->full, out->words, sizeof out->words);
    }
    return ok;
}
