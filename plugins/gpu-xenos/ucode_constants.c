/* The float constants of a listing's def lines. Microcode does not hold them: whoever draws writes them
 * to the stage's constant registers. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ucode_text.h"

static int read_float(ucode_cursor *c, uint32_t *bits)
{
    char digits[48];
    size_t n = 0;
    ucode_skip(c);
    while (c->at + n < c->end && n < sizeof digits - 1 && c->at[n] != '\0' &&
           strchr("+-.eE0123456789", c->at[n]) != NULL) {
        digits[n] = c->at[n];
        n++;
    }
    digits[n] = '\0';
    char *end = digits;
    float value = strtof(digits, &end);
    if (n == 0 || *end != '\0' || isinf(value)) {
        return ucode_fail(c, "a number is wrong", "a decimal float");
    }
    memcpy(bits, &value, sizeof *bits);
    c->at += n;
    return 1;
}

static int read_def(ucode_cursor *c, xenos_constant *constant)
{
    ucode_skip(c);
    if (c->at == c->end || *c->at != 'c') {
        return ucode_fail(c, "a def names no constant", "c0..c255");
    }
    c->at++;
    if (!ucode_number(c, 255, &constant->index, "no such constant")) {
        return 0;
    }
    for (uint32_t i = 0; i < 4; i++) {
        if (!ucode_take(c, ',')) {
            return ucode_fail(c, "a def has too few numbers", "four");
        }
        if (!read_float(c, &constant->bits[i])) {
            return 0;
        }
    }
    return ucode_line_end(c) || ucode_fail(c, "a def goes on", "the end of the line");
}

int xenos_assemble_constants(const char *text, size_t length, xenos_constant constants[256],
                             uint32_t *count, char error[256])
{
    ucode_cursor c = {text, text + length, 1, error};
    error[0] = '\0';
    *count = 0;
    while (ucode_next_line(&c)) {
        if (c.end - c.at < 4 || memcmp(c.at, "def", 3) != 0 ||
            (c.at[3] != ' ' && c.at[3] != '\t')) {
            while (!ucode_line_end(&c)) {
                c.at++;
            }
            continue;
        }
        c.at += 3;
        xenos_constant constant;
        if (!read_def(&c, &constant)) {
            return 0;
        }
        for (uint32_t i = 0; i < *count; i++) {
            if (constants[i].index == constant.index) {
                char found[16];
                snprintf(found, sizeof found, "c%u again", constant.index);
                return ucode_fail_found(&c, "a constant is defined twice", found, "another one");
            }
        }
        constants[(*count)++] = constant;
    }
    return 1;
}
