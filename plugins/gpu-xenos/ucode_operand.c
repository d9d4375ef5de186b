/* Fields and operands of an instruction in a listing (docs/ucode.md). */
#include <stdio.h>
#include <string.h>

#include "ucode_operand.h"

uint32_t ucode_ones(uint32_t low, uint32_t width)
{
    return (uint32_t)(((UINT64_C(1) << width) - 1) << low);
}

int ucode_put(ucode_fields *f, uint32_t word, uint32_t low, uint32_t width, uint32_t value,
              const char *what)
{
    uint32_t mask = ucode_ones(low, width), bits = value << low & mask;
    if ((f->words[word] ^ bits) & mask & f->known[word]) {
        char message[96];
        snprintf(message, sizeof message, "%s differs from what shares its field", what);
        return ucode_fail(f->c, message, "the same in the whole instruction");
    }
    f->words[word] |= bits;
    f->known[word] |= mask;
    return 1;
}

void ucode_put_default(ucode_fields *f, uint32_t word, uint32_t low, uint32_t width, uint32_t value)
{
    f->words[word] |= value << low & ucode_ones(low, width) & ~f->known[word];
    f->known[word] |= ucode_ones(low, width);
}

int ucode_component(char c)
{
    const char *at = c != '\0' ? strchr("xyzw", c) : NULL;
    return at != NULL ? (int)(at - "xyzw") : -1;
}

int ucode_read_letters(ucode_cursor *c, const char *allowed, char letters[5], uint32_t *count)
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

int ucode_read_index(ucode_cursor *c, uint32_t limit, uint32_t *index, uint32_t *relative)
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

int ucode_split_name(ucode_cursor *c, char word[32], uint32_t *number, const char *expected)
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

int ucode_read_operand(ucode_cursor *c, ucode_operand *o)
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
        if (!ucode_read_index(c, limit, &o->index, &o->relative)) {
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
    return ucode_read_letters(c, "xyzw", o->letters, &o->count);
}

int ucode_comma(ucode_cursor *c)
{
    return ucode_take(c, ',') || ucode_fail(c, "an operand is missing", ",");
}
