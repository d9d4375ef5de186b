/* `weft trace cut`: parts of fixtures/small.jsonl (23 events, sequence 0 to 22) and of a run of `hello`.
 * That digests stay true is judged by `weft trace digest --chain`, which reads every event. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "weft_run.h"

#define SMALL  WEFT_SOURCE_DIR "/tests/trace/fixtures/small.jsonl"
#define CANARY WEFT_SOURCE_DIR "/tests/trace/fixtures/canary.jsonl"
#define DIGEST "5a82340ceefb277c978b1cdb8b447eb8" /* of small.jsonl, by xxh128sum */

/* Cuts `path` by up to two flags with values into scratch()/NAME; the caller frees its path. */
static char *cut(const char *path, const char *name, const char *flag, const char *value,
                 const char *flag2, const char *value2)
{
    char *out = scratch_file(name);
    weft_run r = weft("trace", "cut", "--out", out, path, flag, flag ? value : NULL,
                      flag ? flag2 : NULL, flag2 ? value2 : NULL, NULL);
    if (r.status != 0) {
        fail_msg("exit code %d: %s", r.status, r.err);
    }
    assert_int_equal(lines_with(r.out, name), 1);
    weft_free(&r);
    return out;
}

static cJSON *stat_of(const char *path)
{
    weft_run r = weft("trace", "stat", "--json", path, NULL);
    assert_int_equal(r.status, 0);
    cJSON *json = cJSON_Parse(r.out);
    assert_non_null(json);
    weft_free(&r);
    return json;
}

static int number(const cJSON *json, const char *name)
{
    return cJSON_GetObjectItem(json, name)->valueint;
}

static void check_partial(const char *path, int events)
{
    cJSON *json = stat_of(path);
    assert_true(cJSON_IsTrue(cJSON_GetObjectItem(json, "partial")));
    assert_true(cJSON_IsTrue(cJSON_GetObjectItem(json, "complete")));
    assert_int_equal(number(json, "events"), events);
    cJSON_Delete(json);
}

static int same_files(const char *a, const char *b)
{
    char command[1024];
    snprintf(command, sizeof command, "cmp -s '%s' '%s'", a, b);
    return system(command) == 0;
}

static char *traced(const char *name)
{
    char *path = scratch_file(name);
    weft_run r = weft("run", "--headless", "--trace", path, title("hello"), NULL);
    assert_int_equal(r.status, 0);
    weft_free(&r);
    return path;
}

/* Three neighbours in both formats are the run: same digest, no seam. */
static void neighbours_chain_to_the_whole(void **state)
{
    char *a = cut(SMALL, "a.wtr", "--range", "..7", NULL, NULL);
    char *b = cut(SMALL, "b.jsonl", "--range", "8..13", NULL, NULL);
    char *c = cut(SMALL, "c.wtr", "--range", "14..", NULL, NULL);
    weft_run r = weft("trace", "digest", "--chain", a, b, c, NULL);
    assert_int_equal(r.status, 0);
    assert_int_equal(lines_with(r.out, DIGEST " 15 "), 1);
    weft_free(&r);
    r = weft("trace", "digest", "--chain", a, c, NULL);
    assert_int_equal(r.status, 6);
    weft_free(&r);
    free(a);
    free(b);
    free(c);
}

/* Names from before the stretch are there; events are not. */
static void a_stretch_keeps_its_names(void **state)
{
    char *path = cut(SMALL, "stretch.wtr", "--range", "12..14", NULL, NULL);
    weft_run r = weft("trace", "dump", "--kind", "all", path, NULL);
    assert_int_equal(lines_with(r.out, "kernel.call         NtClose(handle=0xf8000004)"), 1);
    assert_int_equal(lines_with(r.out, "thread:main/0 "), 3);
    assert_int_equal(lines_with(r.out, " define "), 7);
    assert_int_equal(lines_with(r.out, ""), 10);
    weft_free(&r);
    cJSON *json = stat_of(path);
    assert_int_equal(number(json, "first"), 12);
    assert_int_equal(number(json, "missing_between"), 0);
    assert_true(cJSON_IsFalse(cJSON_GetObjectItem(json, "partial")));
    cJSON_Delete(json);
    free(path);
}

static void a_part_of_a_part_keeps_what_is_known(void **state)
{
    char *tail = cut(SMALL, "tail.jsonl", "--range", "12..", NULL, NULL);
    char *all = cut(tail, "again.wtr", "--range", "12..", NULL, NULL);
    cJSON *json = stat_of(all);
    assert_true(cJSON_IsFalse(cJSON_GetObjectItem(json, "partial")));
    assert_int_equal(number(json, "first"), 12);
    assert_string_equal(cJSON_GetObjectItem(json, "digest")->valuestring, DIGEST);
    cJSON_Delete(json);
    char *end = cut(tail, "end.wtr", "--range", "14..", NULL, NULL);
    /* `tail` has no digest of what is before 14. */
    check_partial(end, 7 + 9);
    free(tail);
    free(all);
    free(end);
}

/* Lists and ticks leave holes. small.jsonl has 7 definitions. */
static void anything_else_is_partial(void **state)
{
    const struct {
        const char *flag, *value, *flag2, *value2;
        int events;
    } cases[] = {
        {"--thread", "2", NULL, NULL, 7 + 3},
        {"--ticks", "1200..1300", NULL, NULL, 7 + 4},
        {"--kind", "kernel.*", "--range", "10..19", 7 + 3},
        {"--export", "NtClose", NULL, NULL, 7 + 3},
        {"--object", "file:*", NULL, NULL, 7 + 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *text =
            cut(SMALL, "p.jsonl", cases[i].flag, cases[i].value, cases[i].flag2, cases[i].value2);
        char *binary =
            cut(SMALL, "p.wtr", cases[i].flag, cases[i].value, cases[i].flag2, cases[i].value2);
        check_partial(text, cases[i].events);
        check_partial(binary, cases[i].events);
        free(text);
        free(binary);
    }
}

/* The whole of a run in the other format is what its tracer would have written there. */
static void the_other_format_is_the_other_tracers_file(void **state)
{
    char *text = traced("run.jsonl"), *binary = traced("run.wtr");
    char *as_binary = cut(text, "converted.wtr", NULL, NULL, NULL, NULL);
    char *as_text = cut(binary, "converted.jsonl", NULL, NULL, NULL, NULL);
    assert_true(same_files(as_binary, binary));
    assert_true(same_files(as_text, text));
    free(text);
    free(binary);
    free(as_binary);
    free(as_text);
}

/* What a killed run left becomes a whole trace up to there. */
static void a_cut_file_becomes_whole_up_to_where_it_goes(void **state)
{
    char *broken = scratch_file("broken.jsonl"), command[1024];
    snprintf(command, sizeof command, "head -n 11 '%s' >'%s'", SMALL, broken);
    assert_int_equal(system(command), 0);
    char *path = scratch_file("mended.wtr");
    weft_run r = weft("trace", "cut", "--out", path, broken, NULL);
    assert_int_equal(r.status, 0);
    assert_int_equal(lines_with(r.err, "ends without trace.end"), 1);
    weft_free(&r);
    cJSON *json = stat_of(path);
    assert_true(cJSON_IsTrue(cJSON_GetObjectItem(json, "complete")));
    assert_true(cJSON_IsFalse(cJSON_GetObjectItem(json, "partial")));
    assert_int_equal(number(json, "events"), 10);
    cJSON_Delete(json);
    r = weft("trace", "digest", "--chain", path, NULL);
    assert_int_equal(r.status, 0);
    weft_free(&r);
    free(broken);
    free(path);
}

/* Holes, or an end that the events deny: nothing is true of such a file but its events. */
static void an_edited_trace_has_no_true_digests(void **state)
{
    static const char *const edits[] = {"10d", "s/\"wait_ticks\":800/\"wait_ticks\":801/"};
    char *edited = scratch_file("edited.jsonl"), command[1024];
    for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++) {
        snprintf(command, sizeof command, "sed '%s' '%s' >'%s'", edits[i], SMALL, edited);
        assert_int_equal(system(command), 0);
        char *path = cut(edited, "of-edited.wtr", NULL, NULL, NULL, NULL);
        check_partial(path, i == 0 ? 22 : 23);
        free(path);
    }
    free(edited);
}

static void logs_of_other_engines_stay_text(void **state)
{
    char *path = cut(CANARY, "canary.jsonl", "--thread", "7", NULL, NULL);
    weft_run r = weft("trace", "stat", path, NULL);
    assert_int_equal(r.status, 0);
    assert_int_equal(lines_with(r.out, "17 events"), 1);
    assert_int_equal(lines_with(r.out, "engine canary"), 1);
    weft_free(&r);
    free(path);
    r = weft("trace", "cut", "--out", "/dev/null.wtr", CANARY, NULL);
    assert_int_equal(r.status, 2);
    assert_int_equal(lines_with(r.err, "found engine canary"), 1);
    weft_free(&r);
}

static void bad_requests_are_usage_errors(void **state)
{
    char *same = scratch_file("same.jsonl"), command[1024];
    snprintf(command, sizeof command, "cp '%s' '%s'", SMALL, same);
    assert_int_equal(system(command), 0);
    const char *const cases[][4] = {
        {SMALL, NULL, NULL, "found no --out"},
        {SMALL, "--out", "a.txt", "found a.txt"},
        {same, "--out", same, "the file that is read"},
        {"-", "--out", "a.wtr", "found stdin"},
        {SMALL, "--range", "5", "--range"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        weft_run r = weft("trace", "cut", cases[i][0], cases[i][1], cases[i][2], NULL);
        assert_int_equal(r.status, 2);
        assert_int_equal(lines_with(r.err, cases[i][3]), 1);
        weft_free(&r);
    }
    assert_true(same_files(same, SMALL));
    free(same);
}

/* Nothing is left of a part that could not be made, and what stood there stays. */
static void a_failure_leaves_no_file(void **state)
{
    char *bad = scratch_file("bad.jsonl"), *out = scratch_file("kept.jsonl"), command[1024];
    snprintf(command, sizeof command, "(head -n 9 '%s'; echo nonsense) >'%s'; cp '%s' '%s'", SMALL,
             bad, SMALL, out);
    assert_int_equal(system(command), 0);
    weft_run r = weft("trace", "cut", "--thread", "2", "--out", out, bad, NULL);
    assert_int_equal(r.status, 3);
    assert_int_equal(lines_with(r.err, "bad.jsonl:10: "), 1);
    weft_free(&r);
    snprintf(command, sizeof command, "%s.part", out);
    assert_int_equal(access(command, F_OK), -1);
    assert_true(same_files(out, SMALL));
    r = weft("trace", "cut", "--out", "/dev/full/x.wtr", SMALL, NULL);
    assert_int_equal(r.status, 3);
    assert_int_equal(lines_with(r.err, "cannot create"), 1);
    weft_free(&r);
    free(bad);
    free(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(neighbours_chain_to_the_whole),
        cmocka_unit_test(a_stretch_keeps_its_names),
        cmocka_unit_test(a_part_of_a_part_keeps_what_is_known),
        cmocka_unit_test(anything_else_is_partial),
        cmocka_unit_test(the_other_format_is_the_other_tracers_file),
        cmocka_unit_test(a_cut_file_becomes_whole_up_to_where_it_goes),
        cmocka_unit_test(an_edited_trace_has_no_true_digests),
        cmocka_unit_test(logs_of_other_engines_stay_text),
        cmocka_unit_test(bad_requests_are_usage_errors),
        cmocka_unit_test(a_failure_leaves_no_file),
    };
    return cmocka_run_group_tests_name("trace-cut", tests, NULL, NULL);
}
