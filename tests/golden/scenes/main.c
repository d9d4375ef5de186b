/* gpu-scenes: the golden scenes of the software Xenos, as digests and as pictures. */
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "digest.h"
#include "soft_backend.h"

static const char usage[] =
    "usage: gpu-scenes list | sets\n"
    "       gpu-scenes draw NAME FILE.png [--set SET] [--threads N]\n"
    "       gpu-scenes digest [NAME ...] [--set SET] [--threads N] [--times N]\n"
    "\n"
    "Draws scenes that cover the Xenos, without a title, on the software back-end.\n"
    "  list     names and what they show\n"
    "  sets     the instruction sets of this host that the back-end is compiled for\n"
    "  draw     the scene's frame as a picture\n"
    "  digest   a line for each scene: name, XXH3 of the frame, of EDRAM, of memory\n"
    "  --set SET    one of gpu-scenes sets, instead of the fastest\n"
    "  --threads N  worker threads of the back-end, 1 to 8 (default 1)\n"
    "  --times N    draw each scene so often, up to 1000, and fail if a digest changes\n";

typedef struct options {
    const char *names[64]; /* a command and what it is for */
    int count;
    uint32_t threads, times;
    char backend[32];
} options;

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

static int list_sets(void)
{
    xenos_soft_set sets[3];
    uint32_t count = xenos_soft_sets(sets);
    for (uint32_t i = 0; i < count; i++) {
        puts(sets[i].name);
    }
    return 0;
}

static int draw(const options *o, const char *path)
{
    scene *s = scene_run(find(o->names[1]), o->backend, o->threads);
    if (s == NULL) {
        return fail("cannot draw", "no memory, or no such set", "64 MiB, one of gpu-scenes sets");
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

static int digest(const scene_row *row, const options *o)
{
    scene_digest first = {0, 0, 0}, next;
    for (uint32_t i = 0; i < o->times; i++) {
        if (!scene_digest_of(row, o->backend, o->threads, &next)) {
            return fail("cannot draw", "no memory, or no such set",
                        "64 MiB, one of gpu-scenes sets");
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

static int digests(const options *o)
{
    int status = 0;
    for (const scene_row *const *row = scene_table(); *row != NULL && status == 0; row++) {
        int wanted = o->count == 1;
        for (int i = 1; i < o->count; i++) {
            wanted |= strcmp(o->names[i], (*row)->name) == 0;
        }
        status = wanted ? digest(*row, o) : 0;
    }
    return status;
}

static int number(const char *text, uint32_t most, uint32_t *out)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    *out = (uint32_t)value;
    return end != text && *end == '\0' && value >= 1 && value <= most;
}

/* 0, or the exit status. */
static int parse(options *o, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *next = i + 1 < argc ? argv[i + 1] : "nothing";
        if (strcmp(argv[i], "--threads") == 0) {
            if (!number(next, 8, &o->threads)) {
                return fail("--threads", next, "1 to 8");
            }
            i++;
        } else if (strcmp(argv[i], "--times") == 0) {
            if (!number(next, 1000, &o->times)) {
                return fail("--times", next, "1 to 1000");
            }
            i++;
        } else if (strcmp(argv[i], "--set") == 0) {
            snprintf(o->backend, sizeof o->backend, "soft-%s", next);
            i++;
        } else if (argv[i][0] == '-' || o->count == 64) {
            return fail("an option", argv[i], "see gpu-scenes --help");
        } else {
            o->names[o->count++] = argv[i];
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    options o = {.threads = 1, .times = 1, .backend = "soft"};
    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        fputs(usage, stdout);
        return 0;
    }
    int status = parse(&o, argc, argv);
    if (status != 0) {
        return status;
    }
    const char *command = o.count > 0 ? o.names[0] : "";
    int draws = strcmp(command, "draw") == 0 && o.count == 3;
    for (int i = 1; i < (draws ? 2 : o.count); i++) {
        if (find(o.names[i]) == NULL) {
            return fail("a scene", o.names[i], "a name that gpu-scenes list has");
        }
    }
    if (draws) {
        return draw(&o, o.names[2]);
    }
    if (strcmp(command, "digest") == 0) {
        return digests(&o);
    }
    if (strcmp(command, "list") == 0 && o.count == 1) {
        return list();
    }
    if (strcmp(command, "sets") == 0 && o.count == 1) {
        return list_sets();
    }
    fputs(usage, stderr);
    return 2;
}
