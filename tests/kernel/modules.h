/* Small XEX modules made by the writer, for tests of loading. An image is three pages of 4 KiB; its
 * n-th import has its cell at base + 0x2000 + 4n and its thunk at base + 0x1400 + 16n. */
#ifndef WEFT_TEST_MODULES_H
#define WEFT_TEST_MODULES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define MODULE_BYTES   0x3000u
#define MODULE_CELL    0x2000u
#define MODULE_THUNK   0x1400u
#define MODULE_IMPORTS 4

typedef struct test_import {
    const char *library; /* NULL ends the list */
    uint32_t ordinal;
    uint32_t variable;
} test_import;

typedef struct test_module {
    uint32_t base;
    uint32_t entry;      /* address, 0: none */
    uint32_t title;      /* not a DLL */
    uint32_t first;      /* ordinal of the first export */
    uint32_t offsets[4]; /* of the exports from the base; 0 is a hole */
    const char *name;    /* of the first export, in a PE export directory; NULL: none */
    test_import imports[MODULE_IMPORTS];
} test_module;

/* Writes folder/file. */
void module_write(const char *folder, const char *file, const test_module *module);

#endif
