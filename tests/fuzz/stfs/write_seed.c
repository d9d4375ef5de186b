/* fuzz-seeds-stfs DIR: packages of both formats, with one, two and three levels of hash tables, as
 * inputs of the fuzz target `stfs` (input.h). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "input.h"
#include "stfs_writer.h"

static char text[3 * INPUT_BLOCK + 5];

static const stfs_file some[] = {
    {.path = "default.xex", .bytes = text, .size = sizeof text},
    {.path = "Media", .folder = true},
    {.path = "Media\\back", .bytes = text, .size = sizeof text, .scattered = true},
    {.path = "Media\\Fonts", .folder = true},
    {.path = "Media\\Fonts\\a", .bytes = text, .size = 10},
};
static const stfs_file two_levels[] = {
    {.path = "order", .bytes = text, .size = 50, .hole = 200 * INPUT_BLOCK},
    {.path = "back", .bytes = text, .size = 50, .hole = 180 * INPUT_BLOCK, .scattered = true},
};
static const stfs_file three_levels[] = {
    {.path = "hole", .hole = 28800 * INPUT_BLOCK},
    {.path = "back", .bytes = text, .size = 50, .hole = 200 * INPUT_BLOCK, .scattered = true},
};

static const struct {
    const char *name;
    const stfs_file *files;
    size_t count;
    unsigned from, to; /* blocks in between are left out: the hash tables of a hole */
} seeds[] = {
    {"some", some, 5, 0, 0},
    {"two", two_levels, 2, 0, 0},
    {"three", three_levels, 2, 4, 28900},
};

static bool seed_write(FILE *package, FILE *seed, unsigned left_from, unsigned left_to)
{
    static const unsigned char zeros[INPUT_BLOCK];
    unsigned char bytes[INPUT_BLOCK];
    rewind(package);
    if (fread(bytes, 1, INPUT_HEADER, package) != INPUT_HEADER) {
        return false;
    }
    /* the blocks begin where the header ends, rounded up (Free60 wiki) */
    unsigned base = ((unsigned)bytes[0x342] << 8 | bytes[0x343]) / INPUT_BLOCK + 1;
    bytes[0x342] = INPUT_HEADER >> 8;
    bytes[0x343] = INPUT_HEADER & 0xFF;
    bool good = fwrite(bytes, 1, INPUT_HEADER, seed) == INPUT_HEADER &&
                fseeko(package, (off_t)base * INPUT_BLOCK, SEEK_SET) == 0;
    for (unsigned i = 0; good && fread(bytes, 1, INPUT_BLOCK, package) == INPUT_BLOCK; i++) {
        unsigned char place[2] = {(unsigned char)i, (unsigned char)(i >> 8)};
        if ((i < left_from || i >= left_to) && memcmp(bytes, zeros, INPUT_BLOCK) != 0) {
            good = fwrite(place, 1, 2, seed) == 2 &&
                   fwrite(bytes, 1, INPUT_BLOCK, seed) == INPUT_BLOCK;
        }
    }
    return good;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: fuzz-seeds-stfs DIR\n");
        return 2;
    }
    memset(text, 'x', sizeof text);
    for (size_t i = 0; i < 2 * sizeof seeds / sizeof seeds[0]; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s-%s", argv[1], seeds[i / 2].name,
                 i % 2 ? "single" : "double");
        FILE *package = tmpfile(), *seed = fopen(path, "wb");
        bool good = package && seed &&
                    stfs_write(package, seeds[i / 2].files, seeds[i / 2].count, i % 2) &&
                    seed_write(package, seed, seeds[i / 2].from, seeds[i / 2].to);
        if (package) {
            fclose(package);
        }
        if (!good || fclose(seed) != 0) {
            fprintf(stderr, "fuzz-seeds-stfs: %s: cannot be written\n", path);
            return 3;
        }
    }
    return 0;
}
