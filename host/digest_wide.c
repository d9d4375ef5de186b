/* digest_wide.c: the one step of digest.c that takes time, built with -mavx2 where that exists. */
#include "digest.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

void digest_update_wide(void *state, const void *bytes, size_t length)
{
    XXH3_128bits_update(state, bytes, length);
}
