/* Saved games from a title's call to the host's folder: the title `saves` (docs/titles.md). What it
 * writes, byte i of slot s being i * 7 + s * 13 + (i >> 8), is computed here again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "weft_run.h"

#define VERDICT "saves: checksum 0x9232b03d ok\n" /* of every run with the default arguments */

/* Path of a file that a title without an id has in a folder of the machine's state. */
static char *package_file(const char *folder, const char *rest)
{
    char *path;
    assert_true(asprintf(&path, "%s/content/0000000000000000/00000000/%s", folder, rest) > 0);
    return path;
}

static char *state_folder(const char *name)
{
    char *folder = scratch_file(name);
    mkdir(folder, 0777);
    return folder;
}

static weft_run with_state(const char *folder, const char *arguments)
{
    char *set;
    assert_true(asprintf(&set, "machine.state=%s", folder) > 0);
    weft_run r = weft("run", "--headless", "--set", set, title("saves"), "--", arguments, NULL);
    free(set);
    return r;
}

static void packages_are_made_listed_read_and_deleted(void **state)
{
    weft_run r = weft_json(title("saves"), NULL);
    assert_int_equal(r.status, 0);
    assert_string_equal(r.err, "");
    assert_string_equal(r.out,
                        "saves: nobody is signed in\nsaves: 0 packages were there\n" VERDICT);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(r.json, "unimplemented")), 0);
    weft_free(&r);
}

static void a_user_changes_no_finding(void **state)
{
    weft_run r = weft("run", "--headless", "--set", "kernel.user=Ann Bee", title("saves"), NULL);
    assert_int_equal(r.status, 0);
    assert_string_equal(r.out,
                        "saves: Ann Bee is signed in\nsaves: 0 packages were there\n" VERDICT);
    weft_free(&r);
    r = weft("run", "--headless", "--set", "kernel.user=a/b", title("saves"), NULL);
    assert_int_not_equal(r.status, 0);
    assert_int_equal(lines_with(r.err, "weft: error:"), 1);
    assert_non_null(strstr(r.err, "a/b"));
    weft_free(&r);
}

static void nothing_is_kept_without_a_folder(void **state)
{
    for (int i = 0; i < 2; i++) {
        weft_run r = weft("run", "--headless", title("saves"), "--", "keep", NULL);
        assert_non_null(strstr(r.out, "saves: 0 packages were there\n"));
        weft_free(&r);
    }
}

static void a_folder_keeps_them(void **state)
{
    char *folder = state_folder("state");
    weft_run r = with_state(folder, "keep");
    assert_int_equal(r.status, 0);
    weft_free(&r);

    char *path = package_file(folder, "00000001/slot-C/world.bin");
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    for (unsigned i = 0; i < 10000; i++) {
        assert_int_equal(fgetc(file), (i * 7 + 2 * 13 + (i >> 8)) & 0xFF);
    }
    assert_int_equal(fgetc(file), EOF);
    fclose(file);
    free(path);

    r = with_state(folder, "slots=3");
    assert_int_equal(r.status, 0);
    assert_non_null(strstr(r.out, "saves: 3 packages were there\n" VERDICT));
    weft_free(&r);
    path = package_file(folder, "00000001/slot-C");
    struct stat info;
    assert_int_not_equal(stat(path, &info), 0); /* deleted */
    free(path);
    free(folder);
}

/* A folder that somebody else has filled: files where packages should be, long names. */
static void a_strange_folder_is_looked_at(void **state)
{
    char *folder = state_folder("strange"), *path;
    static const char *const steps[] = {"", "/content", "/content/0000000000000000",
                                        "/content/0000000000000000/00000000",
                                        "/content/0000000000000000/00000000/00000001"};
    for (size_t i = 1; i < sizeof steps / sizeof steps[0]; i++) {
        assert_true(asprintf(&path, "%s%s", folder, steps[i]) > 0);
        mkdir(path, 0777);
        free(path);
    }
    path = package_file(folder, "00000001/a-name-that-is-longer-than-forty-two-characters-are");
    mkdir(path, 0777);
    free(path);
    path = package_file(folder, "00000001/no-package");
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fclose(file);
    free(path);
    path = package_file(folder, "00000001/without-header");
    mkdir(path, 0777);
    free(path);
    weft_run r = with_state(folder, "keep");
    assert_non_null(strstr(r.out, "saves: 1 packages were there\n"));
    assert_int_equal(r.status, 0);
    weft_free(&r);
    free(folder);
}

static void runs_are_equal(void **state)
{
    weft_run a = weft_json(title("saves"), NULL), b = weft_json(title("saves"), NULL);
    weft_run c = weft_json("--set", "kernel.user=Ann", title("saves"), NULL);
    weft_run d = weft_json("--set", "kernel.user=Ann", title("saves"), NULL);
    assert_string_equal(report_text(&a, "trace_digest"), report_text(&b, "trace_digest"));
    assert_string_equal(report_text(&c, "trace_digest"), report_text(&d, "trace_digest"));
    assert_string_not_equal(report_text(&a, "trace_digest"), report_text(&c, "trace_digest"));
    assert_string_equal(report_text(&c, "state_digest"), report_text(&d, "state_digest"));
    weft_free(&a);
    weft_free(&b);
    weft_free(&c);
    weft_free(&d);
}

static void parallel_mode_finds_the_same(void **state)
{
    weft_run r = weft("run", "--headless", "--set", "schedule.mode=parallel", title("saves"), "--",
                      "bytes=1000", NULL);
    assert_int_equal(r.status, 0);
    assert_int_equal(lines_with(r.out, " ok"), 1);
    weft_free(&r);
}

/* XAM's tasks: what they come to is the same in each schedule (docs/titles.md). */
static void tasks_run(void **state)
{
    static const char *const settings[] = {"policy.plugin=conservative", "schedule.mode=parallel",
                                           "cpu.engine=interp-plain"};
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        weft_run r = weft("run", "--headless", "--set", settings[i], title("tasks"), NULL);
        assert_int_equal(r.status, 0);
        assert_string_equal(r.out, "tasks: checksum 0x00597073 ok\n");
        weft_free(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packages_are_made_listed_read_and_deleted),
        cmocka_unit_test(a_user_changes_no_finding),
        cmocka_unit_test(nothing_is_kept_without_a_folder),
        cmocka_unit_test(a_folder_keeps_them),
        cmocka_unit_test(a_strange_folder_is_looked_at),
        cmocka_unit_test(runs_are_equal),
        cmocka_unit_test(parallel_mode_finds_the_same),
        cmocka_unit_test(tasks_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
