/* Writes sound disc images into the folder that is named. */
#include <stdio.h>
#include <stdlib.h>

#include "gdfx_writer.h"

int main(int count, char **arguments)
{
    static const gdfx_file files[] = {
        {"default.xex", "XEX2", 4}, {"a/b/c/d.txt", "deep", 4}, {"a/b/e.txt", "e", 1},
        {"media/one.bin", "1", 1},  {"media/two.bin", "2", 1},  {"media/three.bin", "3", 1},
        {"media/empty", NULL, 0},   {"none/", NULL, 0},         {"zzz", "z", 1},
    };
    static const unsigned takes[] = {0, 1, 3, 9};
    if (count != 2) {
        fprintf(stderr, "usage: fuzz-seeds-gdfx FOLDER\n");
        return 2;
    }
    for (unsigned i = 0; i < sizeof takes / sizeof takes[0]; i++) {
        char path[4096];
        size_t size;
        uint8_t *image = gdfx_make(files, takes[i], &size);
        snprintf(path, sizeof path, "%s/%u.iso", arguments[1], takes[i]);
        gdfx_save(path, 0, image, size);
        free(image);
    }
    return 0;
}
