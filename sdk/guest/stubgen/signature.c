#include "signature.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define FIRST_REGISTER 3
#define LAST_REGISTER  10

static bool fail(char *error, size_t capacity, const char *text, size_t at, const char *what)
{
    snprintf(error, capacity, "signature \"%s\", column %zu: %s", text, at + 1, what);
    return false;
}

static bool is_name(int c)
{
    return isalnum(c) || c == '_';
}

bool signature_parse(const char *text, signature *out, char *error, size_t capacity)
{
    memset(out, 0, sizeof *out);
    if (text[0] == '\0' || strchr("vuiphqd", text[0]) == NULL) {
        return fail(error, capacity, text, 0, "the result must be one of v u i p h q d");
    }
    out->result = text[0];
    if (text[1] != '(') {
        return fail(error, capacity, text, 1, "expected (");
    }
    size_t at = 2;
    while (text[at] != ')') {
        if (out->count > 0 || out->variadic) {
            if (text[at] != ',' || out->variadic) {
                return fail(error, capacity, text, at, out->variadic ? "expected )" : "expected ,");
            }
            at++;
        }
        if (strncmp(&text[at], "...", 3) == 0) {
            out->variadic = true;
            at += 3;
            continue;
        }
        if (out->count == SIGNATURE_ARGUMENTS) {
            return fail(error, capacity, text, at, "more than 16 arguments");
        }
        signature_argument *argument = &out->arguments[out->count];
        size_t length = 0;
        while (is_name((unsigned char)text[at + length])) {
            length++;
        }
        if (length == 0 || length >= SIGNATURE_NAME || isdigit((unsigned char)text[at])) {
            return fail(error, capacity, text, at, "expected a name of 1 to 31 letters");
        }
        memcpy(argument->name, &text[at], length);
        at += length;
        if (text[at] != ':') {
            return fail(error, capacity, text, at, "expected :");
        }
        at++;
        if (text[at] == '\0' || strchr("uiphqd", text[at]) == NULL) {
            return fail(error, capacity, text, at, "the type must be one of u i p h q d");
        }
        argument->type = text[at];
        at++;
        out->count++;
    }
    if (text[at + 1] != '\0') {
        return fail(error, capacity, text, at + 1, "expected the end");
    }
    for (unsigned i = 0; out->variadic && i < out->count; i++) {
        /* A variadic stub moves words without knowing what they are. */
        if (out->arguments[i].type == 'q' || out->arguments[i].type == 'd') {
            return fail(error, capacity, text, at, "a variadic export takes 32-bit arguments only");
        }
    }
    return true;
}

unsigned signature_places(const signature *s, signature_place *places)
{
    unsigned next_register = FIRST_REGISTER;
    unsigned next_stack = SYSV_STACK_BASE;
    unsigned slots = 0;
    for (unsigned i = 0; i < s->count; i++) {
        signature_place *place = &places[i];
        memset(place, 0, sizeof *place);
        place->type = s->arguments[i].type;
        if (i <= LAST_REGISTER - FIRST_REGISTER) {
            place->console_register = place->type == 'd' ? 0 : FIRST_REGISTER + i;
        } else {
            place->console_stack = CONSOLE_STACK_BASE + 8 * slots;
            slots++;
        }
        if (place->type == 'd') {
            continue;
        }
        unsigned words = place->type == 'q' ? 2 : 1;
        if (words == 2 && next_register % 2 == 0) {
            next_register++;
        }
        if (next_register + words - 1 <= LAST_REGISTER) {
            place->sysv_register = next_register;
            next_register += words;
            continue;
        }
        next_register = LAST_REGISTER + 1;
        if (words == 2) {
            next_stack = (next_stack + 7) & ~7u;
        }
        place->sysv_stack = next_stack;
        next_stack += 4 * words;
    }
    return slots;
}
