/* What raises: leaves and small functions in assembly, bodies for seh_try and seh_finally. */
#ifndef WEFT_TITLE_RAISE_H
#define WEFT_TITLE_RAISE_H

#include "seh.h"

/* argument: u32[2] */
u32 raise_store(void *words);    /* *words[0] = words[1]; answers the word that is there then */
u32 raise_divide(void *words);   /* words[0] / words[1], trapping where the divisor is zero */
u32 raise_overflow(void *words); /* likewise where a quotient overflows: words[0] = 0xFFFFFFFF */
u32 raise_illegal(void *unused);
u32 raise_trap(void *unused);      /* 7 if it is stepped over */
u32 raise_misaligned(void *words); /* lwarx at words[0] */
/* RtlRaiseException(record), from a frame of its own; 5 if it comes back. */
u32 raise_record(void *record);
/* The same, behind a frame that saves every register that a callee saves, and changes them all. */
u32 raise_deep(void *record);
/* A termination handler that raises block->user. */
void raise_in_finally(u32 abnormal, seh_block *block);
/* Calls RtlUnwind(frame of seh_keep, behind its call): like a longjmp out of try blocks. */
u32 raise_jump(void *unused);
/* Calls body(argument), and is what raise_jump comes back to: answers 77 then. */
u32 raise_landing(void *block);
/* RtlCaptureContext with r20 = 0x1122334455667788 and f20 = 1.5. */
void raise_capture(exception_context *context);
/* Sums r14-r31 and f14-f31 after a raise under raise_deep: the registers as they should be? */
u32 raise_preserved(seh_block *block);

/* throw.S, throw.c: what a C++ compiler would make of throw, catch and destructors. */
void throw_test(void);
void seh_check(bool good, const char *what);

#endif
