/* text.h: strings, diagnostics and the little arithmetic of words that the whole host shares. */
#ifndef WEFT_HOST_TEXT_H
#define WEFT_HOST_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Memory or the end of the process: the host has no way on without a few hundred bytes. */
void *text_need(size_t bytes);
void *text_need_aligned(size_t bytes, size_t alignment); /* `bytes` is a multiple of it */
void *text_grow(void *old, size_t bytes);
char *text_copy(const char *text);
char *text_copy_n(const char *text, size_t length);
char *text_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Diagnostics collected before they are printed, each `WHERE: WHAT (found X, expected Y)`. */
typedef struct errors {
    char **lines;
    size_t count;
} errors;

/* Adds one line; control characters in it become '?', so that it stays one line. */
void errors_add(errors *list, const char *where, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Prints each as `weft: error: LINE`. */
void errors_print(const errors *list, FILE *file);
void errors_free(errors *list);

/* Prints one diagnostic at once. */
void error_print(const char *where, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The candidate with the least edit distance to `word`, or NULL when none is close. */
const char *text_nearest(const char *word, const char *const *candidates, size_t count);

/* Folder part of a path ("." when it has none), and the rest; both allocated. */
char *text_folder(const char *path);
char *text_file_name(const char *path);

/* Growing byte buffer, for JSON and canonical texts. */
typedef struct buffer {
    char *bytes;
    size_t length, room;
} buffer;

void buffer_add(buffer *b, const void *bytes, size_t length);
void buffer_text(buffer *b, const char *text);
void buffer_format(buffer *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buffer_json(buffer *b,
                 const char *text); /* quoted and escaped; bytes that are not UTF-8 as \u00xx */
void buffer_free(buffer *b);

/* The whole of a file, at most `limit` bytes, ended by a NUL that is not counted. NULL with errno
 * set; EFBIG when it is larger. */
char *text_read_file(const char *path, size_t limit, size_t *length);

/* 128-bit hash as 32 hex digits, high half first; `hex` holds 33 bytes. */
void text_hash_hex(uint64_t high, uint64_t low, char *hex);

#endif
