/* Functions with exception handlers, in the form that the XDK's compiler gives them: macros for
 * assembly (included before it), structures for C. What the tables mean stands in
 * plugins/kernel/unwind.h; the conventions of handlers in plugins/kernel/exception.c.
 *
 * A function is
 *         seh_function NAME, HANDLER, DATA      (both 0: none)
 *         ... prologue ...
 *         seh_prologue_end NAME
 *         ... body ...
 *         seh_function_end NAME
 * and its order in .text must be that of its entries in .pdata: one file, one section. */
#ifndef WEFT_GUEST_SEH_H
#define WEFT_GUEST_SEH_H

#ifdef __ASSEMBLER__
/* clang-format off */

    .macro seh_function name, handler=0, data=0
    .section .text
    .balign 8
    .ifnc \handler,0
    .long \handler, \data
    .set .Lflags_\name, 0xC0000000
    .else
    .set .Lflags_\name, 0x40000000
    .endif
    .globl \name
    .type \name,@function
\name:
    .endm

    .macro seh_prologue_end name
.Lprologue_\name:
    .endm

    .macro seh_function_end name
.Lend_\name:
    .size \name,.-\name
    .section .pdata,"a",@progbits
    .long \name
    .long .Lflags_\name + ((.Lend_\name - \name) / 4) * 256 + (.Lprologue_\name - \name) / 4
    .section .text
    .endm

/* Routines that save or restore for others have neither flag, or only the exception flag. */
    .macro seh_routine_end name, flags
    .section .pdata,"a",@progbits
    .long \name
    .long \flags + ((.Lend_\name - \name) / 4) * 257
    .section .text
    .endm

/* clang-format on */
#else

#include "weft_guest.h"

#define EXCEPTION_ACCESS_VIOLATION      0xC0000005u
#define EXCEPTION_DATATYPE_MISALIGNMENT 0x80000002u
#define EXCEPTION_BREAKPOINT            0x80000003u
#define EXCEPTION_ILLEGAL_INSTRUCTION   0xC000001Du
#define EXCEPTION_PRIVILEGED            0xC0000096u
#define EXCEPTION_INT_DIVIDE_BY_ZERO    0xC0000094u
#define EXCEPTION_INT_OVERFLOW          0xC0000095u
#define EXCEPTION_CXX                   0xE06D7363u

#define EXCEPTION_NONCONTINUABLE     1u
#define EXCEPTION_UNWINDING          2u
#define EXCEPTION_TARGET_UNWIND      0x20u

/* A filter's answers. */
#define EXCEPTION_EXECUTE_HANDLER    1
#define EXCEPTION_CONTINUE_SEARCH    0
#define EXCEPTION_CONTINUE_EXECUTION (-1)

typedef struct exception_record {
    u32 code;
    u32 flags;
    struct exception_record *record;
    u32 address;
    u32 count;
    u32 parameters[15];
} exception_record;

typedef struct exception_context {
    u32 flags, msr, iar, lr;
    u64 ctr;
    u64 gpr[32];
    u32 cr, xer;
    u64 fpscr, fpr[32];
    u32 user_mode_control, fill;
    u32 vscr[4], vr[128][4];
} exception_context;

typedef struct exception_pointers {
    exception_record *record;
    exception_context *context;
} exception_pointers;

typedef struct dispatcher_context {
    u32 control_pc;
    const u32 *function; /* its table entry: begin, lengths and flags */
    u32 frame;
    exception_context *context;
} dispatcher_context;

_Static_assert(sizeof(exception_record) == 0x50, "layout");
_Static_assert(offsetof(exception_context, fpr) == 0x128, "layout");
_Static_assert(sizeof(exception_context) == 0xA40, "layout");

/* A __try block over a call, for code that a C compiler made without tables. `body` may itself be
 * seh_try or seh_finally with another block as its argument. Between the block and what raises there
 * may be only functions with table entries, and a leaf. */
typedef struct seh_block {
    u32 (*body)(void *argument);
    void *argument;
    int (*filter)(exception_pointers *pointers, struct seh_block *block); /* of seh_try */
    void (*finally)(u32 abnormal, struct seh_block *block);               /* of seh_finally */
    u32 code; /* what the __except block found in r3; 0: it did not run */
    u32 user;
} seh_block;

/* The body's result, or the exception's code if the filter took it. */
u32 seh_try(void *block);
/* The body's result; `finally` runs also when the stack is unwound past it. */
u32 seh_finally(void *block);

#endif
#endif
