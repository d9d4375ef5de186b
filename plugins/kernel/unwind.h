/* Frames of guest code, found by the function table (.pdata) and undone by reading prologues.
 *
 * An image's exception directory is an array of 8-byte entries, sorted by address: {begin, prologue
 * length in instructions (bits 0-7), function length in instructions (bits 8-29), 32-bit flag (bit
 * 30), exception flag (bit 31)}. With the exception flag the two words before the function are its
 * handler and the handler's data (PE/COFF specification, "The .pdata Section", Windows CE format;
 * the same in code that the XDK's compiler made). Entries without the 32-bit flag are the routines
 * that save (exception flag clear) or restore (set) runs of registers: __savegprlr_14 and its like.
 *
 * Nothing here trusts the table, the code or the stack: they are the guest's. */
#ifndef WEFT_KERNEL_UNWIND_H
#define WEFT_KERNEL_UNWIND_H

#include <stdbool.h>
#include <stdint.h>

#include "weft/cpu.h"
#include "weft/memory.h"

#define KFUNCTION_PLAIN   0
#define KFUNCTION_SAVE    1 /* saves registers for its caller's prologue */
#define KFUNCTION_RESTORE 2 /* restores them for its caller's epilogue */

typedef struct kfunction {
    uint32_t entry;         /* guest address of the table entry */
    uint32_t word;          /* its second word */
    uint32_t begin, end;    /* end: behind the last instruction */
    uint32_t prologue;      /* end of the prologue */
    uint32_t kind;          /* KFUNCTION_* */
    uint32_t handler, data; /* 0 if it has none */
} kfunction;

/* One image's function table; `base` and `size` bound what its entries may name. */
typedef struct kfunction_table {
    const weft_memory *memory;
    uint32_t base, size;
    uint32_t entries, count; /* guest address of the array, entries in it */
} kfunction_table;

/* Finds the table of the PE image at `base`; false if it has none. */
bool kunwind_table(const weft_memory *memory, uint32_t base, uint32_t size, kfunction_table *table);

/* The function around `pc`. False: none; a leaf that saves nothing needs no entry. */
bool kunwind_lookup(const kfunction_table *table, uint32_t pc, kfunction *function);

/* Takes `state`, stopped at state->pc inside `function`, back to its caller: r1, the registers that
 * the prologue saved, pc and lr as after the return. `called`: pc is behind a call, not at an
 * instruction that is about to execute. False: the code or the stack cannot be read. `state` is
 * then undefined. In a register-saving routine, state->pc and lr are left such that the caller is
 * to be looked up and unwound next: *again is set. */
bool kunwind_frame(const kfunction_table *table, const kfunction *function, bool called,
                   weft_cpu_state *state, bool *again);

#endif
