/*
 * Inputs made by hand for the tests of the XEX library: a flat PE image, an ELF, and a
 * specification for mkxex's writer that wraps the image. All of them are small, so that loops over
 * every byte are cheap.
 */
#ifndef WEFT_TEST_XEX_SUPPORT_H
#define WEFT_TEST_XEX_SUPPORT_H

#include <stdint.h>

#include "xex.h"
#include "xex_write.h"

#define IMAGE_BASE 0x82000000u
#define IMAGE_SIZE 0x3000u /* three pages of 4 KiB */

/* A file that weft_mkxex_write made, opened; close with file_close. */
typedef struct test_file {
    uint8_t *bytes;
    size_t size;
    weft_xex *xex;
} test_file;

/*
 * Fills IMAGE_SIZE bytes: PE headers with .text at 0x1000 and .data at 0x2000 (and 0x800 of it
 * beyond the image), some code-like words, a page that is mostly zero.
 */
void make_image(uint8_t image[IMAGE_SIZE]);

/* A specification of that image with small pages and small headers: plain and uncompressed. */
weft_mkxex_spec make_spec(const uint8_t image[IMAGE_SIZE]);

/* Writes and opens; fails the test with the library's sentence if either does not work. */
test_file file_make(const weft_mkxex_spec *spec);
void file_close(test_file *file);

/* Pseudo-random bytes, the same ones everywhere (xorshift32). */
uint32_t random_next(uint32_t *state);

/* A growing big-endian ELF32 executable for PowerPC, written section by section. */
typedef struct test_elf {
    uint8_t bytes[0x8000];
    uint32_t size;
    struct {
        uint32_t name, type, flags, address, offset, size, link;
    } sections[16];
    uint32_t count;
    char names[256];
    uint32_t names_size;
    uint32_t entry;
} test_elf;

void elf_start(test_elf *elf, uint32_t entry);
/* type 1 is PROGBITS, 8 NOBITS; flags 1 write, 2 alloc, 4 execute, 0x400 TLS. bytes NULL: zeros. */
uint32_t elf_section(test_elf *elf, const char *name, uint32_t type, uint32_t flags,
                     uint32_t address, const void *bytes, uint32_t size);
/* One global symbol, defined in section 1; call at most once. */
void elf_symbol(test_elf *elf, const char *name, uint32_t address);
/* Section headers, section names and the file header; returns the file's size. */
uint32_t elf_finish(test_elf *elf);
/* 32 bytes of .weft.imports. */
void elf_import(uint8_t record[32], uint32_t kind, uint32_t ordinal, uint32_t record_address,
                uint32_t thunk_address, const char *library);

#endif
