/* digest.c: see digest.h. The state is made and used by code of one header alone. */
#include "digest.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "text.h"

static void update(void *state, const void *bytes, size_t length)
{
    XXH3_128bits_update(state, bytes, length);
}

int digest_start(digest_stream *d)
{
    d->state = XXH3_createState();
    d->update = update;
#ifdef WEFT_HAVE_AVX2
    if (__builtin_cpu_supports("avx2")) {
        d->update = digest_update_wide;
    }
#endif
    if (d->state) {
        XXH3_128bits_reset(d->state);
    }
    return d->state != NULL;
}

void digest_end(digest_stream *d)
{
    XXH3_freeState(d->state);
    d->state = NULL;
}

void digest_text(const digest_stream *d, char *hex)
{
    XXH128_hash_t hash = XXH3_128bits_digest(d->state);
    text_hash_hex(hash.high64, hash.low64, hex);
}
