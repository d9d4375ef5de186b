/* stream.h: bytes on their way to an open file, gathered before they are written. After a failed
 * write nothing more is: a hole in the middle would be worse than a missing end. */
#ifndef WEFT_TRACE_STREAM_H
#define WEFT_TRACE_STREAM_H

#include "out.h"

typedef struct stream {
    int file;         /* the caller's */
    int error;        /* errno of the first failed write or ENOMEM, 0: none so far */
    size_t threshold; /* bytes from which they are written */
    uint64_t written; /* bytes that reached the file */
    out buffer;
} stream;

/* Writes what is there where it is enough, or with `now` in any case. */
void stream_write(stream *s, int now);

#endif
