/*
 * From a linked guest ELF to the flat PE image of an XEX: a big-endian ELF32 executable for
 * PowerPC, as powerpc64-linux-gnu-ld -m elf32ppc writes it, at the addresses where it will run.
 *
 * Sections become pages: code, read-only data and data must not share a page (64 KiB) in a way that
 * would make code writable. The PE headers go to the image base, so the first section must leave
 * them room. Sections named .tdata and .tbss become the TLS template, .pdata the PE exception
 * directory.
 *
 * .weft.imports is the stubs' list of imports and is not part of the image. Its records are 32
 * bytes, big-endian: u32 kind (0 variable, 1 function), u32 ordinal, u32 record address (a 4-byte
 * cell), u32 thunk address (16 bytes of code, 0 for a variable), char library[16].
 */
#ifndef WEFT_ELF_IMAGE_H
#define WEFT_ELF_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "xex_write.h"

#define WEFT_MKXEX_BASE 0x82000000u /* where titles are linked */

typedef struct weft_mkxex_export {
    uint32_t ordinal;
    const char *symbol;
} weft_mkxex_export;

/* A file that travels in the image and is found by name. */
typedef struct weft_mkxex_file {
    const char *name; /* at most 8 characters */
    const uint8_t *bytes;
    uint32_t size;
} weft_mkxex_file;

typedef struct weft_mkxex_options {
    uint32_t base; /* 0 means WEFT_MKXEX_BASE */
    const weft_mkxex_export *exports;
    uint32_t export_count;
    const weft_mkxex_file *files;
    uint32_t file_count;
} weft_mkxex_options;

/*
 * What the ELF gives: the specification's image, page kinds, entry, TLS, imports, export table and
 * resources are set and owned here; the rest of it is the caller's to set before weft_mkxex_write.
 */
typedef struct weft_mkxex_image {
    weft_mkxex_spec spec;
    uint8_t *bytes;
    uint8_t *page_kinds;
    weft_mkxex_import *imports;
    weft_mkxex_resource *resources;
} weft_mkxex_image;

/* 0 or a negative status of xex.h with one sentence in err (256 bytes or NULL). [any] */
int weft_mkxex_from_elf(const uint8_t *elf, size_t size, const weft_mkxex_options *options,
                        weft_mkxex_image *out, char *err);
void weft_mkxex_image_free(weft_mkxex_image *image);

#endif
