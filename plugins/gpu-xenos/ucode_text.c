/* Names of what the listing shows. They are those of the console's own assembler as far as published
 * listings and xenia's shader_translator_disasm.cc show them; docs/ucode.md says which are ours. */
#include "ucode_text.h"

#include <stdio.h>
#include <string.h>

static const char *const formats[64] = {
    [6] = "FMT_8_8_8_8",
    [7] = "FMT_2_10_10_10",
    [16] = "FMT_10_11_11",
    [17] = "FMT_11_11_10",
    [25] = "FMT_16_16",
    [26] = "FMT_16_16_16_16",
    [31] = "FMT_16_16_FLOAT",
    [32] = "FMT_16_16_16_16_FLOAT",
    [33] = "FMT_32",
    [34] = "FMT_32_32",
    [35] = "FMT_32_32_32_32",
    [36] = "FMT_32_FLOAT",
    [37] = "FMT_32_32_FLOAT",
    [38] = "FMT_32_32_32_32_FLOAT",
    [57] = "FMT_32_32_32_FLOAT",
};
static const char *const num_formats[2] = {"fraction", "integer"};
static const char *const signed_modes[2] = {"zero_clamp_minus_one", "no_zero"};
static const char *const filters[4] = {"point", "linear", "basemap", "keep"};
static const char *const aniso_filters[8] = {"disabled", "max1to1",  "max2to1", "max4to1",
                                             "max8to1",  "max16to1", NULL,      "keep"};
static const char *const arbitrary_filters[8] = {"filter2x4_sym",
                                                 "filter2x4_asym",
                                                 "filter4x2_sym",
                                                 "filter4x2_asym",
                                                 "filter4x4_sym",
                                                 "filter4x4_asym",
                                                 NULL,
                                                 "keep"};
static const char *const locations[2] = {"centroid", "center"};
const char *const ucode_dimensions[4] = {"1D", "2D", "3D", "Cube"};

/* What nothing is written for is what compiled shaders have there. */
const ucode_attribute ucode_attributes[] = {
    {"DataFormat", 1, 16, 6, UCODE_NAMES, UCODE_VERTEX, 0, 1, 0, 0, formats},
    {"Stride", 2, 0, 8, UCODE_NUMBER, UCODE_VERTEX, 0, 1, 0, 0, NULL},
    {"Offset", 2, 8, 23, UCODE_NUMBER, UCODE_VERTEX, 1, 1, 0, 0, NULL},
    {"Signed", 1, 12, 1, UCODE_BOOL, UCODE_VERTEX, 0, 1, 0, 0, NULL},
    {"NumFormat", 1, 13, 1, UCODE_NAMES, UCODE_VERTEX, 0, 1, 0, 0, num_formats},
    {"SignedRFMode", 1, 14, 1, UCODE_NAMES, UCODE_VERTEX, 0, 1, 0, 0, signed_modes},
    {"ExpAdjust", 1, 24, 6, UCODE_NUMBER, UCODE_VERTEX, 1, 1, 0, 0, NULL},
    {"PrefetchCount", 0, 27, 3, UCODE_NUMBER, UCODE_VERTEX, 0, 1, 1, 0, NULL},
    {"RoundIndex", 1, 15, 1, UCODE_BOOL, UCODE_VERTEX, 0, 1, 0, 0, NULL},
    {"Dimension", 2, 14, 2, UCODE_NAMES, UCODE_PLAIN, 0, 1, 0, 1, ucode_dimensions},
    {"FetchValidOnly", 0, 19, 1, UCODE_BOOL, UCODE_TEXTURE, 0, 1, 0, 1, NULL},
    {"UnnormalizedTextureCoords", 0, 25, 1, UCODE_BOOL, UCODE_TEXTURE, 0, 1, 0, 0, NULL},
    {"MagFilter", 1, 12, 2, UCODE_NAMES, UCODE_TEXTURE, 0, 1, 0, 3, filters},
    {"MinFilter", 1, 14, 2, UCODE_NAMES, UCODE_TEXTURE, 0, 1, 0, 3, filters},
    {"MipFilter", 1, 16, 2, UCODE_NAMES, UCODE_TEXTURE, 0, 1, 0, 3, filters},
    {"AnisoFilter", 1, 18, 3, UCODE_NAMES, UCODE_TEXTURE, 0, 1, 0, 7, aniso_filters},
    {"ArbitraryFilter", 1, 21, 3, UCODE_NAMES, UCODE_TEXTURE, 0, 1, 0, 0, arbitrary_filters},
    {"VolMagFilter", 1, 24, 2, UCODE_NAMES, UCODE_TEXTURE, 0, 1, 0, 3, filters},
    {"VolMinFilter", 1, 26, 2, UCODE_NAMES, UCODE_TEXTURE, 0, 1, 0, 3, filters},
    {"UseComputedLOD", 1, 28, 1, UCODE_BOOL, UCODE_TEXTURE, 0, 1, 0, 1, NULL},
    {"UseRegisterLOD", 1, 29, 1, UCODE_BOOL, UCODE_TEXTURE, 0, 1, 0, 0, NULL},
    {"UseRegisterGradients", 2, 0, 1, UCODE_BOOL, UCODE_TEXTURE, 0, 1, 0, 0, NULL},
    {"SampleLocation", 2, 1, 1, UCODE_NAMES, UCODE_TEXTURE, 0, 1, 0, 0, locations},
    {"LODBias", 2, 2, 7, UCODE_NUMBER, UCODE_TEXTURE, 1, 16, 0, 0, NULL},
    {"OffsetX", 2, 16, 5, UCODE_NUMBER, UCODE_TEXTURE, 1, 2, 0, 0, NULL},
    {"OffsetY", 2, 21, 5, UCODE_NUMBER, UCODE_TEXTURE, 1, 2, 0, 0, NULL},
    {"OffsetZ", 2, 26, 5, UCODE_NUMBER, UCODE_TEXTURE, 1, 2, 0, 0, NULL},
};
const uint32_t ucode_attribute_count = sizeof ucode_attributes / sizeof *ucode_attributes;

uint32_t ucode_coordinates(uint32_t dimension)
{
    return dimension < XENOS_DIMENSION_3D ? dimension + 1 : 3;
}

uint32_t ucode_fetch_kind(uint32_t opcode, uint32_t mini)
{
    switch (opcode) {
    case XENOS_FETCH_VERTEX:
        return mini ? UCODE_MINI : UCODE_FULL;
    case XENOS_FETCH_TEXTURE:
    case XENOS_FETCH_BORDER_FRACTION:
    case XENOS_FETCH_COMPUTED_LOD:
    case XENOS_FETCH_WEIGHTS:
        return UCODE_SAMPLE;
    default:
        return UCODE_PLAIN;
    }
}

uint32_t ucode_fetch_components(uint32_t opcode, uint32_t dimension)
{
    switch (opcode) {
    case XENOS_FETCH_VERTEX:
    case XENOS_FETCH_SET_LOD:
        return 1;
    case XENOS_FETCH_GRADIENTS:
        return 2;
    case XENOS_FETCH_SET_GRADIENTS_H:
    case XENOS_FETCH_SET_GRADIENTS_V:
        return 3;
    default:
        return ucode_coordinates(dimension);
    }
}

int ucode_fetch_has_dest(uint32_t opcode)
{
    return opcode < XENOS_FETCH_SET_LOD;
}

const char *ucode_export_name(uint32_t stage, uint32_t index, uint32_t *number)
{
    *number = UINT32_MAX;
    if (index == XENOS_EXPORT_ADDRESS) {
        return "eA";
    }
    if (index >= XENOS_EXPORT_DATA0 && index < XENOS_EXPORT_DATA0 + 5) {
        *number = index - XENOS_EXPORT_DATA0;
        return "eM";
    }
    if (stage == XENOS_STAGE_PIXEL) {
        if (index < 4) {
            *number = index;
            return "oC";
        }
        return index == XENOS_EXPORT_DEPTH ? "oDepth" : NULL;
    }
    if (index < 16) {
        *number = index;
        return "o";
    }
    return index == XENOS_EXPORT_POSITION ? "oPos" : index == XENOS_EXPORT_MISC ? "oPts" : NULL;
}

/* ---- words ---- */

int ucode_is_exec(uint32_t opcode)
{
    return (opcode >= XENOS_CF_EXEC && opcode <= XENOS_CF_COND_EXEC_PRED_END) ||
           opcode == XENOS_CF_COND_EXEC_PRED_CLEAN || opcode == XENOS_CF_COND_EXEC_PRED_CLEAN_END;
}

int ucode_asks_bool(uint32_t opcode)
{
    return opcode == XENOS_CF_COND_EXEC || opcode == XENOS_CF_COND_EXEC_END ||
           opcode == XENOS_CF_COND_EXEC_PRED_CLEAN || opcode == XENOS_CF_COND_EXEC_PRED_CLEAN_END;
}

int ucode_sets_predicate(const uint32_t words[3])
{
    xenos_alu alu;
    xenos_alu_decode(words, &alu);
    uint32_t effects = xenos_vector_info(alu.vector_opcode)->effects |
                       xenos_scalar_info(alu.scalar_opcode)->effects;
    return (effects & XENOS_EFFECT_PREDICATE) != 0;
}

int ucode_is_vertex_fetch(const uint32_t words[3])
{
    return (words[0] & 0x1F) == XENOS_FETCH_VERTEX;
}

int ucode_is_full_fetch(const uint32_t words[3])
{
    return ucode_is_vertex_fetch(words) && !(words[1] >> 30 & 1);
}

/* ---- reading ---- */

int ucode_fail_found(ucode_cursor *c, const char *what, const char *found, const char *expected)
{
    if (c->error[0] == '\0') {
        snprintf(c->error, 256, "line %u: %s (found %s, expected %s)", c->line, what, found,
                 expected);
    }
    c->at = c->end;
    return 0;
}

int ucode_fail(ucode_cursor *c, const char *what, const char *expected)
{
    char found[32] = "the end";
    size_t n = 0;
    if (c->at < c->end && *c->at == '\n') {
        strcpy(found, "the end of the line");
    } else if (c->at < c->end) {
        found[n++] = '\'';
        while (c->at + n - 1 < c->end && n < 24 && c->at[n - 1] >= ' ' && c->at[n - 1] < 127) {
            found[n] = c->at[n - 1];
            n++;
        }
        while (n > 1 && found[n - 1] == ' ') {
            n--;
        }
        found[n++] = '\'';
        found[n] = '\0';
    }
    return ucode_fail_found(c, what, found, expected);
}

void ucode_skip(ucode_cursor *c)
{
    while (c->at < c->end) {
        size_t left = (size_t)(c->end - c->at);
        if (*c->at == ' ' || *c->at == '\t' || *c->at == '\r') {
            c->at++;
        } else if (left >= 2 && c->at[0] == '/' && c->at[1] == '/') {
            const char *end = memchr(c->at, '\n', left);
            c->at = end != NULL ? end : c->end;
        } else if (left >= 2 && c->at[0] == '/' && c->at[1] == '*') {
            c->at += 2;
            while (c->end - c->at >= 2 && (c->at[0] != '*' || c->at[1] != '/')) {
                c->line += *c->at++ == '\n';
            }
            c->at = c->end - c->at >= 2 ? c->at + 2 : c->end;
        } else {
            return;
        }
    }
}

int ucode_line_end(ucode_cursor *c)
{
    ucode_skip(c);
    return c->at == c->end || *c->at == '\n';
}

int ucode_next_line(ucode_cursor *c)
{
    while (ucode_line_end(c)) {
        if (c->at == c->end) {
            return 0;
        }
        c->at++;
        c->line++;
    }
    return 1;
}

int ucode_take(ucode_cursor *c, char what)
{
    ucode_skip(c);
    if (c->at == c->end || *c->at != what) {
        return 0;
    }
    c->at++;
    return 1;
}

static int is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

int ucode_word(ucode_cursor *c, char word[32], const char *expected)
{
    ucode_skip(c);
    size_t n = 0;
    while (c->at + n < c->end && (is_letter(c->at[n]) || (n > 0 && is_digit(c->at[n])))) {
        if (n == 31) {
            return ucode_fail(c, "a name is too long", "at most 31 characters");
        }
        word[n] = c->at[n];
        n++;
    }
    word[n] = '\0';
    if (n == 0) {
        return ucode_fail(c, "a name is missing", expected);
    }
    c->at += n;
    return 1;
}

static uint32_t digit_of(char c)
{
    return is_digit(c)              ? (uint32_t)(c - '0')
           : (c >= 'a' && c <= 'f') ? (uint32_t)(c - 'a' + 10)
           : (c >= 'A' && c <= 'F') ? (uint32_t)(c - 'A' + 10)
                                    : 16u;
}

int ucode_number(ucode_cursor *c, uint32_t limit, uint32_t *value, const char *what)
{
    ucode_skip(c);
    char expected[48];
    snprintf(expected, sizeof expected, "a number from 0 to %u", limit);
    const char *at = c->at;
    uint32_t base = 10;
    if (c->end - at > 2 && at[0] == '0' && (at[1] == 'x' || at[1] == 'X')) {
        base = 16;
        at += 2;
    }
    uint64_t sum = 0;
    const char *start = at;
    while (at < c->end && digit_of(*at) < base) {
        sum = sum * base + digit_of(*at++);
        if (sum > limit) {
            return ucode_fail(c, what, expected);
        }
    }
    if (at == start) {
        return ucode_fail(c, what, expected);
    }
    c->at = at;
    *value = (uint32_t)sum;
    return 1;
}

int ucode_same(const char *a, const char *b)
{
    for (; *a != '\0' && *b != '\0'; a++, b++) {
        char x = *a >= 'A' && *a <= 'Z' ? (char)(*a + 32) : *a;
        char y = *b >= 'A' && *b <= 'Z' ? (char)(*b + 32) : *b;
        if (x != y) {
            return 0;
        }
    }
    return *a == *b;
}

int ucode_bool(ucode_cursor *c, uint32_t *value)
{
    char word[32];
    ucode_cursor start = *c;
    ucode_skip(&start);
    if (start.at < start.end && is_digit(*start.at)) {
        return ucode_number(c, 1, value, "a truth value is wrong");
    }
    if (!ucode_word(c, word, "true or false")) {
        return 0;
    }
    *value = (uint32_t)ucode_same(word, "true");
    return *value || ucode_same(word, "false") ||
           ucode_fail_found(c, "a truth value is wrong", word, "true or false");
}

int ucode_predicate(ucode_cursor *c, uint32_t *condition)
{
    if (!ucode_take(c, '(')) {
        return 0;
    }
    char word[32];
    *condition = !ucode_take(c, '!');
    if (!ucode_word(c, word, "p0")) {
        return 0;
    }
    if (strcmp(word, "p0") != 0) {
        return ucode_fail_found(c, "no such predicate", word, "p0");
    }
    return ucode_take(c, ')') || ucode_fail(c, "a predicate does not end", ")");
}
