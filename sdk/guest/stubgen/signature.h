/* The signatures of the kernel's export table, and where their arguments lie in two calling
 * conventions: SysV's for 32-bit PowerPC, which the cross compiler uses, and the console's.
 *
 * SysV (System V ABI, PowerPC Processor Supplement, 3-18): words in r3..r10, then from 8(r1) every
 * 4 bytes; a 64-bit value takes two registers of which the first is odd, or 8 aligned bytes on the
 * stack, and after one that did not fit no register is used any more.
 * Console (LESSONS 24, xenia src/xenia/kernel/util/shim_utils.h): every argument takes one 64-bit
 * slot; slots 0..7 are r3..r10, the ninth is at 0x50(r1), then every 8 bytes, a word in the slot's
 * low half (0x54). A double goes in f1.. in both, and uses up a console slot. */
#ifndef WEFT_STUBGEN_SIGNATURE_H
#define WEFT_STUBGEN_SIGNATURE_H

#include <stdbool.h>
#include <stddef.h>

#define SIGNATURE_ARGUMENTS 16
#define SIGNATURE_NAME      32

#define CONSOLE_STACK_BASE 0x50 /* of the ninth slot, from the caller's r1 */
#define SYSV_STACK_BASE    8    /* of the first word on the stack, from the caller's r1 */

typedef struct signature_argument {
    char type;                 /* u i p h q d */
    char name[SIGNATURE_NAME]; /* a C identifier */
} signature_argument;

typedef struct signature {
    char result; /* v u i p h q d */
    bool variadic;
    unsigned count;
    signature_argument arguments[SIGNATURE_ARGUMENTS];
} signature;

/* Where one argument lies. Registers are numbers of GPRs; 0 means that it is on the stack (or, for
 * a double, in its FPR, where nothing needs to move). */
typedef struct signature_place {
    char type;
    unsigned sysv_register; /* of the value, or of its high half */
    unsigned sysv_stack;    /* byte offset from the caller's r1 */
    unsigned console_register;
    unsigned console_stack; /* byte offset of the 8-byte slot from the callee's r1 at entry */
} signature_place;

/* Parses "ret(name:type,...)". False: `error` gets one line that says what is wrong where. */
bool signature_parse(const char *text, signature *out, char *error, size_t capacity);

/* Fills one place for each argument; returns how many console stack slots they need. */
unsigned signature_places(const signature *s, signature_place *places);

#endif
