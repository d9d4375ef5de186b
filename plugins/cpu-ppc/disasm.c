/* disasm.c: text of one instruction, made from its row's form. */
#include "ppc.h"

#include <stdio.h>

void ppc_disassemble(const uint16_t *lookup, uint32_t address, uint32_t word, char *text,
                     uint32_t capacity)
{
    const ppc_row *row = ppc_row_find(lookup, word);
    if (!row) {
        snprintf(text, capacity, ".long 0x%08x", word);
        return;
    }
    snprintf(text, capacity, "%s", row->name);
}
