/* elf.h: a shared object's contents, read without running anything of it.
 *
 * dlopen runs constructors before anybody can ask what the file is. So the loader first lays the
 * file's segments out in memory, applies the relocations that data needs, and reads the plugin
 * descriptor there; the code in it is never executed. */
#ifndef WEFT_HOST_ELF_H
#define WEFT_HOST_ELF_H

#include <stddef.h>
#include <stdint.h>

typedef struct elf_image {
    uint8_t *bytes; /* the segments, at their addresses relative to the first */
    size_t length;
    size_t symbols, strings, strings_size; /* offsets of the dynamic tables in the image */
    size_t symbol_count;
} elf_image;

/* Reads `path`. On failure returns -1 and `why` holds "WHAT (found X, expected Y)". */
int elf_read(elf_image *image, const char *path, char *why, size_t room);

/* The data object called `name` that the file exports, with its size; NULL when it exports none. */
const void *elf_symbol(const elf_image *image, const char *name, size_t *size);

/* True when [p, p + length) lies inside the image. */
int elf_holds(const elf_image *image, const void *p, size_t length);

/* `text` when it is a NUL-ended string inside the image, else NULL. */
const char *elf_text(const elf_image *image, const char *text);

void elf_free(elf_image *image);

#endif
