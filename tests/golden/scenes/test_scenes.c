/* Golden scenes: digests and pictures as recorded in ../scenes.digests and frames/, pixels as found by
 * hand, and the same bytes with any number of threads. New digests:
 *     build/tests/gpu-scenes digest >tests/golden/scenes.digests
 * after looking at the pictures (gpu-scenes draw NAME tests/golden/scenes/frames/NAME.png). */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <inttypes.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "digest.h"
#include "soft_backend.h"

#define DIGESTS  WEFT_SOURCE_DIR "/tests/golden/scenes.digests"
#define FAILURES WEFT_SOURCE_DIR "/tests/golden/expected-failures"
#define FRAMES   WEFT_SOURCE_DIR "/tests/golden/scenes/frames"

/* The recorded line of a scene: 0: none. */
static int recorded(const char *name, scene_digest *out)
{
    char line[256], found[64];
    FILE *in = fopen(DIGESTS, "r");
    int there = 0;
    assert_non_null(in);
    while (!there && fgets(line, sizeof line, in) != NULL) {
        there = sscanf(line, "%63s %" SCNx64 " %" SCNx64 " %" SCNx64, found, &out->frame,
                       &out->edram, &out->memory) == 4 &&
                strcmp(found, name) == 0;
    }
    fclose(in);
    return there;
}

/* Whether ../expected-failures has a line "scene-NAME REASON". */
static int expected_to_fail(const char *name)
{
    char line[512], wanted[80];
    int listed = 0;
    FILE *in = fopen(FAILURES, "r");
    assert_non_null(in);
    snprintf(wanted, sizeof wanted, "scene-%s ", name);
    while (fgets(line, sizeof line, in) != NULL) {
        listed |= strncmp(line, wanted, strlen(wanted)) == 0;
    }
    fclose(in);
    return listed;
}

/* Says where a frame leaves its picture; 1: nowhere. */
static int is_picture(const scene *s)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s.png", FRAMES, s->name);
    png_image image = {.version = PNG_IMAGE_VERSION};
    if (!png_image_begin_read_from_file(&image, path) || image.width != s->width ||
        image.height != s->height) {
        print_error("%s: no picture of %u x %u\n", path, s->width, s->height);
        png_image_free(&image);
        return 0;
    }
    image.format = PNG_FORMAT_RGBA;
    uint8_t *rgba = malloc(PNG_IMAGE_SIZE(image));
    assert_non_null(rgba);
    int equal = png_image_finish_read(&image, NULL, rgba, 0, NULL);
    uint32_t different = 0;
    for (uint32_t i = 0; equal && i < s->width * s->height; i++) {
        if (memcmp(rgba + 4 * i, s->pixels + 4 * i, 3) != 0 && different++ == 0) {
            print_error("%s: pixel (%u, %u) is %02x%02x%02x, the picture has %02x%02x%02x\n",
                        s->name, i % s->width, i / s->width, s->pixels[4 * i], s->pixels[4 * i + 1],
                        s->pixels[4 * i + 2], rgba[4 * i], rgba[4 * i + 1], rgba[4 * i + 2]);
        }
    }
    free(rgba);
    return equal && different == 0;
}

static int has_probes(const scene *s, const scene_row *row)
{
    uint32_t wrong = 0;
    for (uint32_t i = 0; i < row->probe_count; i++) {
        const scene_probe *p = &row->probes[i];
        const uint8_t *at = s->pixels + 4 * (p->y * s->width + p->x);
        uint32_t found = (uint32_t)at[0] << 16 | (uint32_t)at[1] << 8 | at[2];
        if (found != p->color) {
            print_error("%s: pixel (%u, %u) is %06x, by hand %06x\n", row->name, p->x, p->y, found,
                        p->color);
            wrong++;
        }
    }
    return wrong == 0;
}

/* Digest, picture and pixels of every scene; those that are listed must fail. */
static void scenes_are_as_recorded(void **state)
{
    uint32_t wrong = 0, count = 0;
    for (const scene_row *const *row = scene_table(); *row != NULL; row++, count++) {
        scene_digest golden, found;
        char line[SCENE_DIGEST_LINE];
        scene *s = scene_run(*row, "soft", 1);
        assert_non_null(s);
        scene_digest_take(s, &found);
        int good = has_probes(s, *row);
        good = is_picture(s) && good;
        if (!recorded((*row)->name, &golden) || memcmp(&golden, &found, sizeof golden) != 0) {
            scene_digest_print(*row, &found, line);
            print_error("found, and not recorded: %s\n", line);
            good = 0;
        }
        int listed = expected_to_fail((*row)->name);
        if (good && listed) {
            print_error("%s: unexpected pass: take it out of expected-failures\n", (*row)->name);
        }
        wrong += good == listed;
        scene_free(s);
    }
    assert_int_equal(wrong, 0);
    assert_true(count >= 30);
}

static int is_scene(const char *name)
{
    int found = 0;
    for (const scene_row *const *row = scene_table(); *row != NULL; row++) {
        found |= strcmp((*row)->name, name) == 0;
    }
    return found;
}

/* The lines of both files name scenes that exist. */
static void lists_name_scenes(void **state)
{
    static const struct {
        const char *path, *form;
    } files[2] = {{DIGESTS, "%63s"}, {FAILURES, "scene-%63s"}};
    for (int i = 0; i < 2; i++) {
        char line[512], name[64];
        FILE *in = fopen(files[i].path, "r");
        assert_non_null(in);
        while (fgets(line, sizeof line, in) != NULL) {
            if (sscanf(line, files[i].form, name) == 1 && !is_scene(name)) {
                fail_msg("%s: no scene is called %s", files[i].path, name);
            }
        }
        fclose(in);
    }
}

static void threads_change_nothing(void **state)
{
    for (const scene_row *const *row = scene_table(); *row != NULL; row++) {
        scene_digest one, many;
        assert_true(scene_digest_of(*row, "soft", 1, &one));
        for (uint32_t threads = 2; threads <= 3; threads++) {
            assert_true(scene_digest_of(*row, "soft", threads, &many));
            if (memcmp(&one, &many, sizeof one) != 0) {
                fail_msg("%s differs with %u threads", (*row)->name, threads);
            }
        }
    }
}

/* Every instruction set of this host, with an odd number of threads. */
static void instruction_sets_change_nothing(void **state)
{
    xenos_soft_set sets[3];
    uint32_t count = xenos_soft_sets(sets);
    for (const scene_row *const *row = scene_table(); *row != NULL; row++) {
        scene_digest one, other;
        assert_true(scene_digest_of(*row, "soft", 1, &one));
        for (uint32_t i = 0; i < count; i++) {
            char backend[32];
            snprintf(backend, sizeof backend, "soft-%s", sets[i].name);
            assert_true(scene_digest_of(*row, backend, 3, &other));
            if (memcmp(&one, &other, sizeof one) != 0) {
                fail_msg("%s differs on %s", (*row)->name, backend);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scenes_are_as_recorded),
        cmocka_unit_test(lists_name_scenes),
        cmocka_unit_test(threads_change_nothing),
        cmocka_unit_test(instruction_sets_change_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
