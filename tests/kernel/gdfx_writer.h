/* Writes disc images for tests, after A. de Quincey's "Xbox DVD Filesystem Details": a descriptor in
 * sector 32, tables of entries as balanced trees in the order of upper-case names, 0xFF between. */
#ifndef WEFT_TEST_GDFX_WRITER_H
#define WEFT_TEST_GDFX_WRITER_H

#include <stddef.h>
#include <stdint.h>

#define GDFX_SECTOR 2048u
#define GDFX_ROOT   33u /* sector of the root's table, whose first entry is its tree's top */

typedef struct gdfx_file {
    const char *path; /* "Media/a.txt"; folders come by being named, an empty one as "Empty/" */
    const void *bytes;
    size_t size;
} gdfx_file;

/* A game partition. The caller frees it. */
uint8_t *gdfx_make(const gdfx_file *files, unsigned count, size_t *size);
/* Offset of an entry in the image by its path; aborts if there is none. */
size_t gdfx_entry(const uint8_t *image, const char *path);
/* Writes it to a host file, `base` bytes behind its beginning. */
void gdfx_save(const char *file, uint64_t base, const uint8_t *image, size_t size);

#endif
