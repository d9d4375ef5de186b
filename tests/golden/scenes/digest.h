/* What must be the same on every host: a scene's frame, EDRAM and memory. */
#ifndef TESTS_GOLDEN_DIGEST_H
#define TESTS_GOLDEN_DIGEST_H

#include "scene.h"

typedef struct scene_digest {
    uint64_t frame, edram, memory; /* XXH3 */
} scene_digest;

/* 0 as scene_run. */
int scene_digest_of(const scene_row *row, const char *backend, uint32_t threads, scene_digest *out);
void scene_digest_take(scene *s, scene_digest *out);

/* "name frame edram memory", numbers of 16 digits, as tests/golden/scenes.digests has them. */
#define SCENE_DIGEST_LINE 128
void scene_digest_print(const scene_row *row, const scene_digest *digest,
                        char line[SCENE_DIGEST_LINE]);

#endif
