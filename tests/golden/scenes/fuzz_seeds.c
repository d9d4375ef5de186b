/* fuzz-seeds-gpu DIR: the golden scenes as inputs of fuzz_gpu.c. */
#include <stdio.h>

#include "scene.h"

int main(int argc, char **argv)
{
    if (argc != 2) {
        fputs("usage: fuzz-seeds-gpu DIR\n", stderr);
        return 2;
    }
    for (const scene_row *const *row = scene_table(); *row != NULL; row++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", argv[1], (*row)->name);
        FILE *out = fopen(path, "wb");
        if (out == NULL || !scene_record(*row, out) || fclose(out) != 0) {
            fprintf(stderr, "fuzz-seeds-gpu: error: %s cannot be written\n", path);
            return 1;
        }
    }
    return 0;
}
