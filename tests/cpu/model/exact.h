/* exact.h: scalar and vector floating point by definition: exact values, rounded once by the ISA's
 * rules (PowerISA 2.03 book I, 4.2 to 4.6; AltiVec PEM 3.2). Slow, and independent of the plugin's
 * arithmetic: an exact value is only ever compared with q * 2^k. */
#ifndef EXACT_H
#define EXACT_H

#include <stdint.h>

/* Numbers below 2^2300 in steps of 2^-2300, enough for every product of doubles. */
#define BIG_WORDS 74
#define BIG_POINT 2304

typedef struct big {
    uint64_t w[BIG_WORDS]; /* least significant first */
} big;

/* |value|: num * 2^-BIG_POINT / den, or the square root of that. */
typedef struct exact {
    big num;
    uint64_t den;
    int root, negative, zero;
} exact;

typedef struct format {
    int precision, emin, emax, wrap;
} format;
extern const format exact_double, exact_single;

/* How a value rounds: bits of the double that holds the result, and FPSCR bits (OX UX XX FI FR). */
typedef struct rounded {
    uint64_t bits;
    uint32_t flags;
    int undefined; /* an exponent that was wrapped still does not fit a double */
} rounded;

exact exact_of(uint64_t bits); /* a finite double */
exact exact_of_integer(int64_t value);
exact exact_sum(exact a, exact b);           /* of values without den and root */
exact exact_product(uint64_t a, uint64_t b); /* of finite doubles */
exact exact_quotient(uint64_t a, uint64_t b);
exact exact_root(uint64_t a);
/* -1, 0, 1: |x| against q * 2^k. */
int exact_compare(const exact *x, uint64_t q, int k);

/* mode 0 nearest, 1 zero, 2 up, 3 down; enables: FPSCR[OE] 0x40, [UE] 0x20, [NI] 4. `zero_sign` is
 * the sign of an exact zero. */
rounded exact_round(const exact *x, const format *f, uint32_t fpscr);
/* To a signed integer of `width` bits; flags XX FI FR VXCVI. */
rounded exact_to_integer(const exact *x, unsigned width, unsigned mode);

/* The model of an instruction: FPSCR before -> after, the target's bits. Operands as in the
 * instruction's description (fd the old target). 0: not a row of this model. */
typedef struct fp_model {
    uint64_t target;
    uint32_t fpscr;
    uint32_t cr_field; /* of compares */
    int undefined;     /* target and FPRF are */
} fp_model;
int model_float(const char *name, uint64_t a, uint64_t b, uint64_t c, uint64_t old, uint32_t fpscr,
                fp_model *out);

/* One element of a vector operation in single precision. */
uint32_t model_vector_float(const char *name, uint32_t a, uint32_t b, uint32_t c, int nj);
#endif
