/* content.h: hashes of what a run reads, for its profile digest. */
#ifndef WEFT_HOST_CONTENT_H
#define WEFT_HOST_CONTENT_H

/* A title. A file: XXH3-128 over its size and contents; of one larger than 64 MiB the first and
 * last 32 MiB. A folder: over the sorted names and sizes of everything below, and the contents of
 * its own files up to 64 MiB. `hex` holds 33 bytes; zeros when nothing can be read. */
void content_title(const char *path, char *hex);

/* Is the title one file of which content_title leaves something out? */
int content_partial(const char *path);

/* A folder of writable devices: over the sorted names, sizes and contents of everything below;
 * zeros when there is none. */
void content_folder(const char *path, char *hex);

#endif
