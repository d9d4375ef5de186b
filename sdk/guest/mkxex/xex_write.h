/*
 * Writes an XEX2 file around a flat PE image: page digests, import records, optional headers,
 * compression, encryption. The numbers of the format are those of the reader's xex_layout.h.
 * There is no clock and no random source here: the same specification gives the same bytes.
 */
#ifndef WEFT_XEX_WRITE_H
#define WEFT_XEX_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lzx_encode.h"

enum { WEFT_MKXEX_NONE = 0, WEFT_MKXEX_BASIC = 1, WEFT_MKXEX_LZX = 2 };
enum { WEFT_MKXEX_PLAIN = 0, WEFT_MKXEX_DEVKIT = 1, WEFT_MKXEX_RETAIL = 2 };

/* One import: a word (record) in the image, and for a function 16 bytes of thunk in its code. */
typedef struct weft_mkxex_import {
    char library[16]; /* "xboxkrnl.exe", NUL-terminated */
    uint32_t kind;    /* 0 variable, 1 function */
    uint32_t ordinal;
    uint32_t record_address;
    uint32_t thunk_address; /* 0 for a variable */
} weft_mkxex_import;

typedef struct weft_mkxex_resource {
    char name[9];
    uint32_t address;
    uint32_t size;
} weft_mkxex_resource;

/* An optional header given as bytes: the value's 4 bytes or the structure, as its key says. */
typedef struct weft_mkxex_header {
    uint32_t key;
    const uint8_t *bytes;
    uint32_t size;
} weft_mkxex_header;

/* What to write. Pointers are borrowed for the call; zero means none or the default. */
typedef struct weft_mkxex_spec {
    const uint8_t *image; /* PE headers first; filled up with zeros to whole pages */
    uint32_t image_size;
    uint32_t base;
    uint32_t entry;
    bool small_pages;          /* 4 KiB pages instead of 64 KiB */
    const uint8_t *page_kinds; /* XEX_PAGE_* per page; NULL: all of them data */
    uint32_t module_flags;     /* 0 means a title */
    uint32_t header_align;     /* of the headers' size; 0 means 4096 */

    unsigned compression; /* WEFT_MKXEX_NONE, _BASIC, _LZX */
    unsigned encryption;  /* WEFT_MKXEX_PLAIN, _DEVKIT, _RETAIL */
    weft_lzx_options lzx; /* window 0 means one that fits the image */
    uint32_t lzx_block;   /* least size of a file block before the next begins; 0 means 32 KiB */

    const char *name; /* original PE name */
    uint32_t stack_size;
    uint32_t system_flags;
    bool has_title_id;
    uint32_t title_id;
    bool has_tls;
    uint32_t tls[4]; /* slots, address, size, initialised size */
    uint32_t export_table;

    const weft_mkxex_import *imports;
    uint32_t import_count;
    const weft_mkxex_resource *resources;
    uint32_t resource_count;
    const weft_mkxex_header *headers; /* further ones */
    uint32_t header_count;
} weft_mkxex_spec;

/*
 * Writes the file to a malloc'ed buffer, the caller's. Returns 0, or a negative status of xex.h
 * with one sentence in err (256 bytes or NULL). [any]
 */
int weft_mkxex_write(const weft_mkxex_spec *spec, uint8_t **out, size_t *size, char *err);

#endif
