/* What the disassembler and the assembler share: names, attributes, and instructions as text. */
#ifndef XENOS_UCODE_TEXT_H
#define XENOS_UCODE_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "ucode.h"

/* ---- attributes of fetches: ", Name=value" behind the operands ---- */

enum { UCODE_BOOL, UCODE_NUMBER, UCODE_NAMES };

/* Which fetches have the attribute. */
#define UCODE_FULL    1u /* vfetch_full */
#define UCODE_MINI    2u
#define UCODE_SAMPLE  4u /* texture fetches whose mnemonic says the dimension */
#define UCODE_PLAIN   8u /* the other ones */
#define UCODE_VERTEX  (UCODE_FULL | UCODE_MINI)
#define UCODE_TEXTURE (UCODE_SAMPLE | UCODE_PLAIN)

typedef struct ucode_attribute {
    const char *name;
    uint8_t word, low, width; /* where its bits are */
    uint8_t kind;             /* UCODE_BOOL... */
    uint8_t fetches;          /* UCODE_FULL... */
    uint8_t is_signed;
    uint8_t unit;             /* UCODE_NUMBER: the field counts 1/unit: 1, 2, 16 */
    uint8_t bias;             /* what is written is the field plus this */
    uint8_t preset;           /* the field's value where nothing is written */
    const char *const *names; /* UCODE_NAMES: 1 << width; NULL: written as a number */
} ucode_attribute;

extern const ucode_attribute ucode_attributes[];
extern const uint32_t ucode_attribute_count;

extern const char *const ucode_dimensions[4]; /* "1D"... */
uint32_t ucode_coordinates(uint32_t dimension);

/* The number of a fetch's kind (UCODE_FULL...) and of its source's components. */
uint32_t ucode_fetch_kind(uint32_t opcode, uint32_t mini);
uint32_t ucode_fetch_components(uint32_t opcode, uint32_t dimension);
/* 0: setTexLOD and its like, which have neither destination nor constant. */
int ucode_fetch_has_dest(uint32_t opcode);

/* Name of an export register without its number, which goes to `number` (UINT32_MAX: none). NULL: the
 * stage has no such register. */
const char *ucode_export_name(uint32_t stage, uint32_t index, uint32_t *number);

/* ---- words ---- */

int ucode_is_exec(uint32_t opcode);
/* One that asks a bool constant. */
int ucode_asks_bool(uint32_t opcode);
/* An ALU instruction that makes its exec not "predicate clean". */
int ucode_sets_predicate(const uint32_t words[3]);
/* Of a fetch: any vertex fetch, and vfetch_full. */
int ucode_is_vertex_fetch(const uint32_t words[3]);
int ucode_is_full_fetch(const uint32_t words[3]);

/* ---- reading ---- */

/* A place in the text. Once `error` has text, nothing more is read. */
typedef struct ucode_cursor {
    const char *at, *end;
    uint32_t line; /* from 1 */
    char *error;   /* 256 bytes, "" at first */
} ucode_cursor;

/* Writes "line N: what (found X, expected Y)", X being what stands at the cursor. Returns 0. */
int ucode_fail(ucode_cursor *c, const char *what, const char *expected);
/* The same with X given. */
int ucode_fail_found(ucode_cursor *c, const char *what, const char *found, const char *expected);

void ucode_skip(ucode_cursor *c);     /* blanks and comments, not the end of a line */
int ucode_line_end(ucode_cursor *c);  /* skips; nothing more on this line */
int ucode_next_line(ucode_cursor *c); /* to the next line with something on it; 0: none */
int ucode_take(ucode_cursor *c, char what);
/* A name of letters, digits and _; 0 with an error where there is none. */
int ucode_word(ucode_cursor *c, char word[32], const char *expected);
/* Decimal or 0x, no sign. */
int ucode_number(ucode_cursor *c, uint32_t limit, uint32_t *value, const char *what);
int ucode_bool(ucode_cursor *c, uint32_t *value);
/* "(p0)" and "(!p0)": 1 and *condition; 0 where there is none or it is wrong. */
int ucode_predicate(ucode_cursor *c, uint32_t *condition);
/* Equal but for case. */
int ucode_same(const char *a, const char *b);

/* What lines depend on that stand before. */
typedef struct ucode_context {
    uint32_t stage;
    uint32_t full[3]; /* the last vfetch_full, which vfetch_mini repeats in part */
} ucode_context;

typedef struct ucode_line {
    uint32_t words[3];
    uint8_t fetch;
    uint8_t vertex_cache;   /* the exec's bit for it */
    uint8_t sets_predicate; /* the exec is not "predicate clean" */
} ucode_line;

/* One instruction, and the line behind it where that begins with '+'. 0: error. */
int ucode_read_instruction(ucode_cursor *c, ucode_context *context, ucode_line *out);

#endif
