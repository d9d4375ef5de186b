/* Writes STFS packages for tests, from the documents and not from the reader: Free60 wiki, STFS. */
#ifndef WEFT_TEST_STFS_WRITER_H
#define WEFT_TEST_STFS_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* A file is `hole` bytes of zeros, which take no room on the host's disk, and then `bytes`. */
typedef struct stfs_file {
    const char
        *path; /* "default.xex", "media\\fonts\\arial.xpr": folders come before their files */
    const void *bytes;
    uint32_t size; /* of bytes */
    uint32_t hole;
    bool folder;
    bool scattered; /* its blocks lie in descending order, and are not flagged as consecutive */
} stfs_file;

/* Read-only format: a LIVE package with each hash table once, header size 0xAD0E. Else a CON package
 * with each hash table twice, header size 0x971A, where of the tables of a level the first and the
 * second copy are valid in turn, and the invalid copies are filled with 0xEE. Both have block 0 at
 * 0xC000. `file` is open for writing and reading ("w+b") and empty. False if the host refuses, or if
 * a folder is missing. */
bool stfs_write(FILE *file, const stfs_file files[], size_t count, bool read_only_format);

#endif
