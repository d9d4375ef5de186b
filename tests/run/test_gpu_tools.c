/* `weft run --capture` and `weft gpu` as a process: what they say of wrong arguments and files, and
 * their exit codes (CONTRACTS: 2 usage, 3 malformed input, 5 a plugin, 6 differs). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "weft_run.h"

/* A capture of the second frame of triangle, made once. */
static const char *capture(void)
{
    static char *path;
    if (path == NULL) {
        char argument[512];
        path = scratch_file("triangle.cap");
        snprintf(argument, sizeof argument, "%s@frame=2", path);
        weft_run r = weft("run", "--headless", "--until", "frames=2", "--capture", argument,
                          title("triangle"), NULL);
        assert_string_equal(r.err, "");
        assert_int_equal(r.status, 0);
        weft_free(&r);
    }
    return path;
}

/* Writes a file and answers its path. */
static char *file_of(const char *name, const void *bytes, size_t length)
{
    char *path = scratch_file(name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    fclose(file);
    return path;
}

/* One line `weft: error: ...` that has `part` and says what it found and expected; ends the run. */
static void expect(weft_run *r, int status, const char *part)
{
    if (r->status != status || strstr(r->err, part) == NULL || lines_with(r->err, "") != 1 ||
        strncmp(r->err, "weft: error: ", 13) != 0 || strstr(r->err, "(found") == NULL ||
        strstr(r->err, "expected") == NULL) {
        fail_msg("exit code %d and \"%s\", expected %d and one line with \"%s\"", r->status, r->err,
                 status, part);
    }
    weft_free(r);
}

static void expect_gpu(const char *tool, const char *path, int status, const char *part)
{
    weft_run r = weft("gpu", tool, path, NULL);
    expect(&r, status, part);
}

static void a_replay_is_told_as_json(void **state)
{
    weft_run r = weft("gpu", "replay", "--json", capture(), NULL);
    cJSON *json = cJSON_Parse(r.out);
    assert_non_null(json);
    assert_int_equal(cJSON_GetObjectItem(json, "frames")->valueint, 1);
    assert_int_equal(cJSON_GetObjectItem(json, "compared")->valueint, 1);
    assert_int_equal(cJSON_GetObjectItem(json, "equal")->valueint, 1);
    assert_int_equal(r.status, 0);
    cJSON_Delete(json);
    weft_free(&r);
}

static void a_replay_without_pixels_differs(void **state)
{
    weft_run r = weft("gpu", "replay", "--set", "gpu.backend=null", capture(), NULL);
    assert_non_null(strstr(r.out, "0 of 1 as in the run"));
    assert_int_equal(r.status, 6);
    weft_free(&r);
}

static void an_unknown_backend_is_2(void **state)
{
    weft_run r = weft("gpu", "replay", "--set", "gpu.backend=foo", capture(), NULL);
    expect(&r, 2, "backend has no such value (found foo, expected one of soft|null)");
}

static void files_that_are_no_captures_are_3(void **state)
{
    char *json = file_of("text.jsonl", "{\"schema\":1}\n", 13);
    char *empty = file_of("empty", "", 0);
    static const char *const tools[] = {"replay", "dump"};
    for (int i = 0; i < 2; i++) {
        expect_gpu(tools[i], json, 3, "not a capture (found {\"sc, expected HEAD)");
        expect_gpu(tools[i], empty, 3, "not a capture (found its end");
        expect_gpu(tools[i], "no-such-file", 3,
                   "no-such-file: capture cannot be read (found: No such file or directory");
        expect_gpu(tools[i], scratch(), 3, "cannot be read (found: Is a directory");
    }
    free(json);
    free(empty);
}

static void a_capture_that_is_cut_off_is_3(void **state)
{
    static char bytes[1 << 20];
    FILE *file = fopen(capture(), "rb");
    size_t length = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    char *cut = file_of("cut.cap", bytes, length / 2);
    weft_run r = weft("gpu", "replay", cut, NULL);
    expect(&r, 3, "capture is cut off (found its end");
    free(cut);
}

static void a_captured_frame_must_come(void **state)
{
    char argument[512];
    char *path = scratch_file("late.cap");
    snprintf(argument, sizeof argument, "%s@frame=9", path);
    weft_run r = weft("run", "--headless", "--until", "frames=2", "--capture", argument,
                      title("triangle"), NULL);
    expect(&r, 5, "its frame did not come (found 2 frames, expected 9)");
    assert_int_not_equal(access(path, F_OK), 0);
    free(path);
}

/* Whose profile names it, but has not come to its frame: a run that ends early, and any tool. */
static void a_capture_that_is_there_stays(void **state)
{
    char bytes[16] = "";
    char *path = file_of("kept.cap", "kept", 4);
    char set[512];
    char argument[512];
    snprintf(set, sizeof set, "gpu.capture=%s", path);
    snprintf(argument, sizeof argument, "%s@frame=9", path);
    weft_run r = weft("gpu", "replay", "--set", set, capture(), NULL);
    assert_int_equal(r.status, 0);
    weft_free(&r);
    r = weft("run", "--headless", "--until", "frames=2", "--capture", argument, title("triangle"),
             NULL);
    expect(&r, 5, "its frame did not come");
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fread(bytes, 1, sizeof bytes, file), 4);
    assert_string_equal(bytes, "kept");
    fclose(file);
    free(path);
}

/* full(4): each write to /dev/full fails with ENOSPC. */
static void a_capture_needs_room(void **state)
{
    weft_run r = weft("run", "--headless", "--until", "frames=1", "--capture", "/dev/full",
                      title("triangle"), NULL);
    expect(&r, 5, "cannot be written (found: No space left on device");
    assert_int_equal(access("/dev/full", F_OK), 0);
}

static void text_needs_room(void **state)
{
    static const char *const tools[] = {"dump", "replay"};
    for (int i = 0; i < 2; i++) {
        char line[512];
        snprintf(line, sizeof line, WEFT_BUILD_DIR "/weft gpu %s %s >/dev/full 2>/dev/null",
                 tools[i], capture());
        int status = system(line);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 3); /* as `weft trace dump` */
    }
}

static void a_capture_needs_a_place(void **state)
{
    weft_run r = weft("run", "--headless", "--until", "frames=1", "--capture", "/no-such/a.cap",
                      title("triangle"), NULL);
    expect(&r, 5, "/no-such/a.cap cannot be written (found: No such file or directory");
}

static void a_capture_argument_is_checked(void **state)
{
    static const char *const wrong[] = {"@frame=2", "a.cap@frme=2", "a.cap@frame=0",
                                        "a.cap@frame=x", "a.cap@frame="};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        weft_run r = weft("run", "--headless", "--until", "frames=1", "--capture", wrong[i],
                          title("triangle"), NULL);
        expect(&r, 2, "--capture");
    }
}

static void a_shader_is_named_or_refused(void **state)
{
    char *part = file_of("part.bin", "12345", 5);
    char *empty = file_of("empty", "", 0);
    /* the container's first word and nothing else */
    char *head = file_of("head.bin", "\x10\x2A\x11\x00", 4);
    expect_gpu("disasm", part, 3, "expected --stage vertex or --stage pixel)");
    expect_gpu("disasm", empty, 3, "not a shader (found nothing");
    expect_gpu("disasm", head, 3, "container is cut off");
    expect_gpu("disasm", scratch(), 3, "cannot be read (found: Is a directory");
    weft_run r = weft("gpu", "disasm", "--stage", "pixel", part, NULL);
    expect(&r, 3, "bare microcode is cut off");
    r = weft("gpu", "disasm", "--stage", "pixal", part, NULL);
    expect(&r, 2, "stage is unknown (found pixal");
    free(part);
    free(empty);
    free(head);
}

/* Pixels cost no guest time (docs/gpu.md, "Time"): these titles do not look at counts. */
static void back_ends_keep_the_same_time(void **state)
{
    static const char *const names[] = {"triangle", "cube", "formats"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        weft_run soft = weft_json("--until", "frames=3", title(names[i]), NULL);
        weft_run null =
            weft_json("--until", "frames=3", "--set", "gpu.backend=null", title(names[i]), NULL);
        assert_int_equal(soft.status, 0);
        assert_int_equal(null.status, 0);
        assert_true(report_number(&soft, "ticks") == report_number(&null, "ticks"));
        assert_true(report_number(&soft, "draws") == report_number(&null, "draws"));
        assert_string_not_equal(report_text(&soft, "profile_digest"),
                                report_text(&null, "profile_digest"));
        weft_free(&soft);
        weft_free(&null);
    }
}

/* triangle's first draw clears by a rectangle, its second is the triangle; frame 1 is copied from target 0. */
static void a_dump_names_what_the_gpu_does(void **state)
{
    char *path = scratch_file("gpu.wtr");
    weft_run r = weft("run", "--headless", "--until", "frames=1", "--set", "tracer.kinds=gpu.*",
                      "--trace", path, title("triangle"), NULL);
    assert_int_equal(r.status, 0);
    weft_free(&r);
    r = weft("trace", "dump", path, NULL);
    assert_non_null(strstr(r.out, "number=0 initiator=0x30088 (rectangles)"));
    assert_non_null(strstr(r.out, "initiator=0x30084 (triangles)"));
    assert_non_null(strstr(r.out, "control=0x100000 (colour 0)"));
    assert_non_null(strstr(r.out, "header=0xc0013f00 (INDIRECT_BUFFER)"));
    weft_free(&r);
    free(path);
}

/* The title compares what it finds with numbers that follow from where it draws. */
static void details_finds_all_right(void **state)
{
    weft_run r = weft_json(title("details"), "--", "frames=1", NULL);
    assert_string_equal(r.out, "details: 28 of 28 right\ndetails: 1 frames\n");
    assert_int_equal(r.status, 0);
    weft_free(&r);
}

static void the_gpu_conforms(void **state)
{
    static const char *const backends[] = {"backend=soft", "backend=null"};
    for (int i = 0; i < 2; i++) {
        weft_run r =
            weft("conform", "--set", backends[i], WEFT_BUILD_DIR "/plugins/gpu-xenos.so", NULL);
        assert_non_null(strstr(r.out, " 0 failed, 0 loose\n"));
        assert_int_equal(r.status, 0);
        weft_free(&r);
    }
}

/* gpu-still keeps registers and reads no ring: its source says so. */
static void a_gpu_that_reads_no_ring_does_not_conform(void **state)
{
    weft_run r = weft("conform", WEFT_BUILD_DIR "/tests/plugins/gpu-still.so", NULL);
    assert_non_null(strstr(r.out, "gpu.MEM_WRITE: got 0x0, expected 0xfeedface\n"));
    assert_non_null(strstr(r.out, "gpu.INTERRUPT, how often: got 0x0, expected 0x1\n"));
    assert_int_equal(lines_with(r.out, "register_write, SCRATCH_REG2"), 0);
    assert_int_equal(r.status, 6);
    weft_free(&r);
    r = weft_json("--plugins", WEFT_BUILD_DIR "/tests/plugins", "--set", "gpu.plugin=still",
                  title("hello"), NULL);
    assert_int_equal(r.status, 0);
    weft_free(&r);
}

static void a_gpu_that_does_not_attach_ends_the_run(void **state)
{
    weft_run r = weft("run", "--headless", "--plugins", WEFT_BUILD_DIR "/tests/plugins", "--set",
                      "gpu.plugin=still", "--set", "gpu.refuse=yes", title("hello"), NULL);
    expect(&r, 5, "no attach (found refuse = yes, expected no)");
}

static void a_gpu_without_tools_is_5(void **state)
{
    weft_run r = weft("gpu", "replay", "--plugins", WEFT_BUILD_DIR "/tests/plugins", "--set",
                      "gpu.plugin=still", capture(), NULL);
    expect(&r, 5, "gpu-still: plugin has no tools (found none, expected the extension");
}

static void threads_are_no_part_of_the_run(void **state)
{
    weft_run one =
        weft_json("--until", "frames=2", "--set", "gpu.threads=1", title("triangle"), NULL);
    weft_run two =
        weft_json("--until", "frames=2", "--set", "gpu.threads=2", title("triangle"), NULL);
    static const char *const digests[] = {"profile_digest", "trace_digest", "state_digest"};
    for (size_t i = 0; i < sizeof digests / sizeof digests[0]; i++) {
        assert_string_equal(report_text(&one, digests[i]), report_text(&two, digests[i]));
    }
    weft_free(&one);
    weft_free(&two);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_replay_is_told_as_json),
        cmocka_unit_test(a_replay_without_pixels_differs),
        cmocka_unit_test(an_unknown_backend_is_2),
        cmocka_unit_test(files_that_are_no_captures_are_3),
        cmocka_unit_test(a_capture_that_is_cut_off_is_3),
        cmocka_unit_test(a_captured_frame_must_come),
        cmocka_unit_test(a_capture_that_is_there_stays),
        cmocka_unit_test(a_capture_needs_room),
        cmocka_unit_test(text_needs_room),
        cmocka_unit_test(a_capture_needs_a_place),
        cmocka_unit_test(a_capture_argument_is_checked),
        cmocka_unit_test(a_shader_is_named_or_refused),
        cmocka_unit_test(back_ends_keep_the_same_time),
        cmocka_unit_test(a_dump_names_what_the_gpu_does),
        cmocka_unit_test(details_finds_all_right),
        cmocka_unit_test(the_gpu_conforms),
        cmocka_unit_test(a_gpu_that_reads_no_ring_does_not_conform),
        cmocka_unit_test(a_gpu_that_does_not_attach_ends_the_run),
        cmocka_unit_test(a_gpu_without_tools_is_5),
        cmocka_unit_test(threads_are_no_part_of_the_run),
    };
    return cmocka_run_group_tests_name("run-gpu_tools", tests, NULL, NULL);
}
