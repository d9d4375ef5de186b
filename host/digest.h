/* digest.h: the XXH3-128 of a stream, with the widest vectors that the processor has. The shared
 * library of a distribution is built for the oldest processor, which costs half of the speed. */
#ifndef WEFT_HOST_DIGEST_H
#define WEFT_HOST_DIGEST_H

#include <stddef.h>
#include <stdint.h>

typedef struct digest_stream {
    void *state;
    void (*update)(void *state, const void *bytes, size_t length);
} digest_stream;

int digest_start(digest_stream *d); /* 0 without memory */
void digest_end(digest_stream *d);

static inline void digest_add(digest_stream *d, const void *bytes, size_t length)
{
    d->update(d->state, bytes, length);
}

/* Of all so far; more may follow. `hex` holds 33 bytes, high half first. */
void digest_text(const digest_stream *d, char *hex);

/* digest_wide.c, where it is built for: needs AVX2 */
void digest_update_wide(void *state, const void *bytes, size_t length);

#endif
