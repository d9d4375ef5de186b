/* What stubgen writes for one export. */
#ifndef WEFT_STUBGEN_STUB_H
#define WEFT_STUBGEN_STUB_H

#include <stdio.h>

#include "signature.h"

/* One row of plugins/kernel/exports.def, with its macro words as text. */
typedef struct stub_row {
    const char *module; /* KRNL, XAM */
    unsigned ordinal;
    const char *name;
    const char *signature;
    const char *status; /* FULL, PARTIAL, MISSING, VARIABLE */
    const char *remark;
} stub_row;

/* The name that a XEX header uses for the module, or NULL if there is no such module. */
const char *stub_library(const char *module);

/* Assembly for GNU as: the stub, its 16-byte thunk, the record cell and the import record. */
void stub_assembly(FILE *out, const stub_row *row, const signature *s);

/* The C declaration of the export. */
void stub_declaration(FILE *out, const stub_row *row, const signature *s);

#endif
