/* gpu-scenes: the golden scenes of the software Xenos, as digests and as pictures. */
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "digest.h"

static const char usage[] =
    "usage: gpu-scenes list\n"
    "       gpu-scenes draw NAME FILE.png [--threads N]\n"
    "       gpu-scenes digest [--threads N] [--times N] [NAME ...]\n"
    "\n"
    "Draws scenes that cover the Xenos, without a title, on the software back-end.\n"
    "  list     names and what they show\n"
    "  draw     the scene's frame as a picture\n"
    "  digest   a line for each scene: name, XXH3 of the frame, of EDRAM, of memory\n"
    "  --threads N  worker threads of the back-end, 1 to 8 (default 1)\n"
    "  --times N    draw each scene so often, and tell if a digest changes\n";

static int fail(const char *what, const char *found, const char *expected)
{
    fprintf(stderr, "gpu-scenes: error: %s (found %s, expected %s)\n", what, found, expected);
    return 2;
}

static const scene_row *find(const char *name)
{
    for (const scene_row *const *row = scene_table(); *row != NULL; row++) {
        if (strcmp((*row)->name, name) == 0) {
            return *row;
        }
    }
    return NULL;
}

static int list(void)
{
    for (const scene_row *const *row = scene_table(); *row != NULL; row++) {
        printf("%-16s %s\n", (*row)->name, (*row)->what);
    }
    return 0;
}

static int draw(const scene_row *row, const char *path, uint32_t threads)
{
    scene *s = scene_run(row, threads);
    if (s == NULL) {
        return fail("cannot draw", "no memory", "64 MiB");
    }
    png_image image = {
        .version = PNG_IMAGE_VERSION,
        .width = s->width,
        .height = s->height,
        .format = PNG_FORMAT_RGB,
    };
    uint8_t *rgb = malloc((size_t)s->width * s->height * 3);
    int done = 0;
    if (rgb != NULL) {
        for (uint32_t i = 0; i < s->width * s->height; i++) {
            memcpy(rgb + 3 * i, s->pixels + 4 * i, 3);
        }
        done = png_image_write_to_file(&image, path, 0, rgb, 0, NULL);
    }
    free(rgb);
    scene_free(s);
    return done ? 0 : fail("cannot write the picture", path, "a file that can be written");
}

static int digest(const scene_row *row, uint32_t threads, uint32_t times)
{
    scene_digest first = {0, 0, 0}, next;
    for (uint32_t i = 0; i < times; i++) {
        if (!scene_digest_of(row, threads, &next)) {
            return fail("cannot draw", "no memory", "64 MiB");
        }
        if (i > 0 && memcmp(&first, &next, sizeof first) != 0) {
            return fail("a scene differs from turn to turn", row->name, "the same digest");
        }
        first = next;
    }
    char line[SCENE_DIGEST_LINE];
    scene_digest_print(row, &first, line);
    puts(line);
    return 0;
}

int main(int argc, char **argv)
{
    uint32_t threads = 1, times = 1;
    const char *names[64];
    int count = 0;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            fputs(usage, stdout);
            return 0;
        }
        if (strcmp(argv[i], "--threads") == 0 || strcmp(argv[i], "--times") == 0) {
            uint32_t *to = argv[i][4] == 'r' ? &threads : &times;
            const char *text = i + 1 < argc ? argv[++i] : "nothing";
            char *end;
            unsigned long value = strtoul(text, &end, 10);
            if (*end != '\0' || value < 1 || value > (to == &threads ? 8 : 1000)) {
                return fail("a number of threads or times", text,
                            "1 to 8 threads, 1 to 1000 times");
            }
            *to = (uint32_t)value;
        } else if (argv[i][0] == '-' || count == 64) {
            return fail("an option", argv[i], "see gpu-scenes --help");
        } else {
            names[count++] = argv[i];
        }
    }
    if (count == 1 && strcmp(names[0], "list") == 0) {
        return list();
    }
    for (int i = 1; i < (count == 3 && strcmp(names[0], "draw") == 0 ? 2 : count); i++) {
        if (find(names[i]) == NULL) {
            return fail("a scene", names[i], "a name that gpu-scenes list has");
        }
    }
    if (count == 3 && strcmp(names[0], "draw") == 0) {
        return draw(find(names[1]), names[2], threads);
    }
    if (count == 0 || strcmp(names[0], "digest") != 0) {
        fputs(usage, stderr);
        return 2;
    }
    int status = 0;
    for (const scene_row *const *row = scene_table(); *row != NULL && status == 0; row++) {
        int wanted = count == 1;
        for (int i = 1; i < count; i++) {
            wanted |= strcmp(names[i], (*row)->name) == 0;
        }
        status = wanted ? digest(*row, threads, times) : 0;
    }
    return status;
}
