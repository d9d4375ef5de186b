/* Pieces of one instruction that is being assembled: fields that are put once, and operands. */
#ifndef XENOS_UCODE_OPERAND_H
#define XENOS_UCODE_OPERAND_H

#include "ucode_text.h"

/* The words, and which of their bits have been said. */
typedef struct ucode_fields {
    uint32_t words[3], known[3];
    ucode_cursor *c;
} ucode_fields;

uint32_t ucode_ones(uint32_t low, uint32_t width);
/* 0 with an error where it has been put with another value. */
int ucode_put(ucode_fields *f, uint32_t word, uint32_t low, uint32_t width, uint32_t value,
              const char *what);
/* Only where nothing has been put. */
void ucode_put_default(ucode_fields *f, uint32_t word, uint32_t low, uint32_t width,
                       uint32_t value);

/* r5, c[5+aL] and so on with their letters behind the dot. */
typedef struct ucode_operand {
    uint32_t constant, index, relative, absolute, negate;
    char letters[5];
    uint32_t count; /* of letters */
} ucode_operand;

/* [-] r5 | r5_abs | r[5+aL] | r_abs[5] | c5 ... [.letters] */
int ucode_read_operand(ucode_cursor *c, ucode_operand *o);
/* "[5+aL]", "[a0]", "[aL+5]", "[5]"; the bracket has been taken. */
int ucode_read_index(ucode_cursor *c, uint32_t limit, uint32_t *index, uint32_t *relative);
/* The letters behind a dot; 0 letters where there is no dot. */
int ucode_read_letters(ucode_cursor *c, const char *allowed, char letters[5], uint32_t *count);
/* A name and the number at its end; UINT32_MAX: no number. */
int ucode_split_name(ucode_cursor *c, char word[32], uint32_t *number, const char *expected);
int ucode_comma(ucode_cursor *c);
int ucode_component(char letter); /* 0..3; -1: none */

/* An ALU instruction whose first word has been read, with what stands behind '+'. */
int ucode_read_alu(ucode_cursor *c, const char *word, uint32_t stage, int predicated,
                   uint32_t condition, ucode_line *out);

typedef struct ucode_fetch_name {
    uint32_t opcode, mini, dimension;
} ucode_fetch_name;

/* 0: the word is no fetch. */
int ucode_find_fetch(const char *word, ucode_fetch_name *name);
int ucode_read_fetch(ucode_cursor *c, const ucode_fetch_name *name, int predicated,
                     uint32_t condition, ucode_context *context, ucode_line *out);

#endif
