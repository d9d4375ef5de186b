/* Assembles a fetch; attributes come from the table that the disassembler prints them by. */
#include <stdio.h>
#include <string.h>

#include "ucode_operand.h"

int ucode_find_fetch(const char *word, ucode_fetch_name *name)
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

static int read_value(ucode_fields *f, const ucode_attribute *a)
{
    ucode_cursor *c = f->c;
    uint32_t field = 0;
    if (a->kind == UCODE_BOOL) {
        return ucode_bool(c, &field) && ucode_put(f, a->word, a->low, 1, field, a->name);
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
                return ucode_put(f, a->word, a->low, a->width, field, a->name);
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
    return ucode_put(f, a->word, a->low, a->width, (uint32_t)value, a->name);
}

static int read_attributes(ucode_fields *f, uint32_t kind, ucode_line *out)
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

static int read_fetch_dest(ucode_fields *f)
{
    ucode_cursor *c = f->c;
    char word[32], letters[5];
    uint32_t number, count, relative = 0;
    if (!ucode_split_name(c, word, &number, "a register r0..r63")) {
        return 0;
    }
    if (strcmp(word, "r") != 0 || (number != UINT32_MAX && number > 63)) {
        return ucode_fail_found(c, "a fetch's destination is wrong", word, "r0..r63");
    }
    if (number == UINT32_MAX &&
        (!ucode_take(c, '[') || !ucode_read_index(c, 63, &number, &relative))) {
        return ucode_fail(c, "a register has no number", "a number or [");
    }
    if (relative == XENOS_ADDRESS_A0) {
        return ucode_fail_found(c, "a register's index is wrong", "a0", "aL");
    }
    if (!ucode_read_letters(c, "xyzw01_", letters, &count)) {
        return 0;
    }
    static const char numbers[] = "xyzw01?_";
    for (uint32_t i = 0; i < 4; i++) {
        uint32_t value = i < count    ? (uint32_t)(strchr(numbers, letters[i]) - numbers)
                         : count == 0 ? i
                                      : XENOS_SWIZZLE_KEEP;
        ucode_put_default(f, 1, 3 * i, 3, value);
    }
    ucode_put_default(f, 0, 12, 6, number);
    ucode_put_default(f, 0, 18, 1, relative == XENOS_ADDRESS_LOOP);
    return 1;
}

static int read_fetch_source(ucode_fields *f, uint32_t low, uint32_t components)
{
    ucode_cursor *c = f->c;
    ucode_operand o;
    if (!ucode_read_operand(c, &o)) {
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
    ucode_put_default(f, 0, 5, 6, o.index);
    ucode_put_default(f, 0, 11, 1, o.relative == XENOS_ADDRESS_LOOP);
    for (uint32_t i = 0; i < components; i++) {
        ucode_put_default(f, 0, low + 2 * i, 2, (uint32_t)ucode_component(o.letters[i]));
    }
    return 1;
}

/* ", vf5" or ", tf5" */
static int read_fetch_constant(ucode_fields *f, const char *name, uint32_t limit, uint32_t *number)
{
    ucode_cursor *c = f->c;
    char word[32], expected[32];
    snprintf(expected, sizeof expected, "%s0..%s%u", name, name, limit);
    if (!ucode_comma(c) || !ucode_split_name(c, word, number, expected)) {
        return 0;
    }
    if (strcmp(word, name) != 0 || *number > limit) {
        return ucode_fail_found(c, "a fetch constant is wrong", word, expected);
    }
    return 1;
}

int ucode_read_fetch(ucode_cursor *c, const ucode_fetch_name *name, int predicated,
                     uint32_t condition, ucode_context *context, ucode_line *out)
{
    ucode_fields f = {.c = c};
    uint32_t kind = ucode_fetch_kind(name->opcode, name->mini), number;
    int vertex = name->opcode == XENOS_FETCH_VERTEX;
    out->fetch = 1;
    out->vertex_cache = (uint8_t)vertex;
    ucode_put_default(&f, 0, 0, 5, name->opcode);
    ucode_put_default(&f, 1, 31, 1, (uint32_t)predicated);
    ucode_put_default(&f, 2, 31, 1, condition);
    if (ucode_fetch_has_dest(name->opcode)) {
        if (!read_fetch_dest(&f) || (kind != UCODE_MINI && !ucode_comma(c))) {
            return 0;
        }
    } else {
        ucode_put_default(&f, 1, 0, 12, 0xFFF); /* nothing written */
    }
    uint32_t components = ucode_fetch_components(name->opcode, name->dimension);
    if (kind != UCODE_MINI && !read_fetch_source(&f, vertex ? 30 : 26, components)) {
        return 0;
    }
    if (vertex) {
        ucode_put_default(&f, 0, 19, 1, 1);
        ucode_put_default(&f, 1, 30, 1, name->mini);
        if (name->mini) { /* constant and source stand in both */
            uint32_t same = ucode_ones(20, 7) | ucode_ones(5, 7) | ucode_ones(30, 2);
            f.words[0] |= context->full[0] & same;
            f.known[0] |= same;
        } else {
            if (!read_fetch_constant(&f, "vf", 95, &number)) {
                return 0;
            }
            ucode_put_default(&f, 0, 20, 5, (95 - number) / 3);
            ucode_put_default(&f, 0, 25, 2, (95 - number) % 3);
        }
    } else if (ucode_fetch_has_dest(name->opcode)) {
        if (!read_fetch_constant(&f, "tf", 31, &number)) {
            return 0;
        }
        ucode_put_default(&f, 0, 20, 5, number);
    }
    if (kind == UCODE_SAMPLE) {
        ucode_put_default(&f, 2, 14, 2, name->dimension);
    }
    if (!read_attributes(&f, kind, out)) {
        return 0;
    }
    for (uint32_t i = 0; i < ucode_attribute_count; i++) {
        const ucode_attribute *a = &ucode_attributes[i];
        if (a->fetches & kind) {
            ucode_put_default(&f, a->word, a->low, a->width, a->preset);
        }
    }
    if (c->error[0] != '\0') {
        return 0;
    }
    memcpy(out->words, f.words, sizeof f.words);
    return 1;
}
