#include "digest.h"

#include <inttypes.h>
#include <stdio.h>
#include <xxhash.h>

void scene_digest_take(scene *s, scene_digest *out)
{
    out->frame = XXH3_64bits(s->pixels, (size_t)s->width * s->height * 4);
    out->edram = XXH3_64bits(scene_edram(s), XENOS_EDRAM_BYTES);
    out->memory = XXH3_64bits(s->memory.physical, SCENE_MEMORY);
}

int scene_digest_of(const scene_row *row, const char *backend, uint32_t threads, scene_digest *out)
{
    scene *s = scene_run(row, backend, threads);
    if (s == NULL) {
        return 0;
    }
    scene_digest_take(s, out);
    scene_free(s);
    return 1;
}

void scene_digest_print(const scene_row *row, const scene_digest *digest,
                        char line[SCENE_DIGEST_LINE])
{
    snprintf(line, SCENE_DIGEST_LINE, "%-16s %016" PRIx64 " %016" PRIx64 " %016" PRIx64, row->name,
             digest->frame, digest->edram, digest->memory);
}
