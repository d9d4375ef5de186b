/* out.h: a growing buffer of bytes, and the JSON scalars that are written into it.
 *
 * Nothing here formats through stdio: a run makes millions of lines, and printf would cost more
 * than the run. A failed allocation is remembered, and from then on everything is dropped. */
#ifndef WEFT_TRACE_OUT_H
#define WEFT_TRACE_OUT_H

#include <stddef.h>
#include <stdint.h>

typedef struct out {
    char *bytes;
    size_t used;
    size_t capacity;
    int no_memory; /* 1: an allocation failed, what follows is lost */
} out;

/* Frees the bytes and returns to the empty state. */
void out_free(out *o);

/* Makes room for `more` bytes; 0 if there is none. */
int out_reserve(out *o, size_t more);

/* Bytes as they are. */
void out_raw(out *o, const char *bytes, size_t length);

/* A C string as it is. */
void out_str(out *o, const char *text);

/* Decimal. */
void out_u64(out *o, uint64_t value);
void out_i64(out *o, int64_t value);

/* "0x" and at least `digits` lower-case hex digits, in quotes. */
void out_hex(out *o, uint64_t value, unsigned digits);

/* 16 hex digits in quotes. */
void out_id(out *o, uint64_t id);

/* `length` bytes as a JSON string with quotes. Byte values map one to one to the code points
 * U+0000..U+00FF, so that any JSON parser gives the bytes back, whatever they are: 0x20..0x7E stand
 * as themselves (but for '"' and '\'), all others are escaped. */
void out_string(out *o, const char *bytes, size_t length);

#endif
