/* The contention manifest, version 1 (REFERENCE-SYSTEM 5.1), from fixtures/contention.jsonl: what must
 * be in it was counted there by hand. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "manifest.h"
#include "weft_run.h"

#define LOG WEFT_SOURCE_DIR "/tests/trace/fixtures/contention.jsonl"

static cJSON *manifest_of(const char *map)
{
    char *path = scratch_file("m.json"), *text = calloc(1, 1 << 16);
    weft_run r = weft("trace", "manifest", "--out", path, LOG, map ? "--map" : NULL, map, NULL);
    assert_int_equal(r.status, 0);
    assert_string_equal(r.err, "");
    weft_free(&r);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_true(fread(text, 1, (1 << 16) - 1, file) > 0);
    fclose(file);
    cJSON *json = cJSON_Parse(text);
    assert_non_null(json);
    free(text);
    free(path);
    return json;
}

static int number(const cJSON *json, const char *name)
{
    const cJSON *member = cJSON_GetObjectItem(json, name);
    assert_true(cJSON_IsNumber(member));
    return member->valueint;
}

static const char *text(const cJSON *json, const char *name)
{
    const cJSON *member = cJSON_GetObjectItem(json, name);
    assert_true(cJSON_IsString(member));
    return member->valuestring;
}

static void names_of(const cJSON *json, const char *expected)
{
    char found[256] = "";
    for (const cJSON *n = json->child; n; n = n->next) {
        strcat(strcat(found, " "), n->string);
    }
    assert_string_equal(found, expected);
}

static void has_exactly_the_fields_of_version_1(void **state)
{
    cJSON *json = manifest_of("6=1,7=2,12=7");
    names_of(json, " version source_canary_jsonl source_canary_sha256 built_at_host_unix summary "
                   "entries");
    names_of(cJSON_GetObjectItem(json, "summary"),
             " total_input_events total_contention_events_kept skipped_bad_lines "
             "skipped_duplicate_keys per_tid_counts");
    names_of(cJSON_GetArrayItem(cJSON_GetObjectItem(json, "entries"), 0),
             " tid tid_event_idx site_sid cs_ptr contended");
    assert_int_equal(number(json, "version"), 1);
    assert_string_equal(text(json, "source_canary_jsonl"), LOG);
    double built = cJSON_GetObjectItem(json, "built_at_host_unix")->valuedouble;
    assert_true(built > (double)time(NULL) - 60 && built <= (double)time(NULL));
    cJSON_Delete(json);
}

/* By coreutils' sha256sum. */
static void names_its_source_by_sha256(void **state)
{
    char sha[65];
    cJSON *json = manifest_of(NULL);
    FILE *pipe = popen("sha256sum '" LOG "'", "r");
    assert_int_equal(fscanf(pipe, "%64s", sha), 1);
    pclose(pipe);
    assert_string_equal(text(json, "source_canary_sha256"), sha);
    cJSON_Delete(json);
}

/* 15 lines behind the header; 9 whole and contended, of which 2 repeat a key and one is of thread 9,
 * which the map leaves out; 6 lack something: cs_ptr, a readable one, contended, site_sid,
 * tid_event_idx, a cs_ptr that is not 0. */
static void sums_up_what_was_kept_and_why_not(void **state)
{
    cJSON *json = manifest_of("6=1,7=2,12=7");
    cJSON *summary = cJSON_GetObjectItem(json, "summary");
    assert_int_equal(number(summary, "total_input_events"), 15);
    assert_int_equal(number(summary, "total_contention_events_kept"), 4);
    assert_int_equal(number(summary, "skipped_bad_lines"), 6);
    assert_int_equal(number(summary, "skipped_duplicate_keys"), 2);
    cJSON *counts = cJSON_GetObjectItem(summary, "per_tid_counts");
    names_of(counts, " 1 2 7");
    assert_int_equal(number(counts, "1"), 2);
    assert_int_equal(number(counts, "2"), 1);
    assert_int_equal(number(counts, "7"), 1);
    cJSON_Delete(json);
}

static void entries_are_sorted_and_the_first_of_a_key_stays(void **state)
{
    static const struct {
        int tid, index;
        const char *pointer, *site;
    } expected[] = {
        {1, 4, "0x82a00010", "00000000000000aa"},
        {1, 12, "0x82a00010", "00000000000000aa"},
        {2, 30, "0x82a00020", "00000000000000aa"},
        {7, 2, "0x82a00030", "cc37aef52f88b149"},
    };
    cJSON *json = manifest_of("6=1,7=2,12=7");
    cJSON *entries = cJSON_GetObjectItem(json, "entries");
    assert_int_equal(cJSON_GetArraySize(entries), 4);
    for (int i = 0; i < 4; i++) {
        cJSON *entry = cJSON_GetArrayItem(entries, i);
        assert_int_equal(number(entry, "tid"), expected[i].tid);
        assert_int_equal(number(entry, "tid_event_idx"), expected[i].index);
        assert_string_equal(text(entry, "cs_ptr"), expected[i].pointer);
        assert_string_equal(text(entry, "site_sid"), expected[i].site);
        assert_true(cJSON_IsTrue(cJSON_GetObjectItem(entry, "contended")));
    }
    cJSON_Delete(json);
}

static void without_a_map_every_thread_stays(void **state)
{
    cJSON *json = manifest_of(NULL);
    cJSON *counts = cJSON_GetObjectItem(cJSON_GetObjectItem(json, "summary"), "per_tid_counts");
    names_of(counts, " 6 7 9 12");
    cJSON_Delete(json);
}

/* Nobody else's line may be skipped in silence. */
static void a_line_that_cannot_be_read_is_no_skipped_line(void **state)
{
    char *log = scratch_file("bad.jsonl"), *path = scratch_file("none.json"), command[1024];
    snprintf(command, sizeof command, "(head -n 5 '%s'; echo '{\"kind\":'; tail -n +6 '%s') >'%s'",
             LOG, LOG, log);
    assert_int_equal(system(command), 0);
    weft_run r = weft("trace", "manifest", "--out", path, log, NULL);
    assert_int_equal(r.status, 3);
    assert_int_equal(lines_with(r.err, "bad.jsonl:6: line is not JSON"), 1);
    assert_null(fopen(path, "rb"));
    weft_free(&r);
    free(log);
    free(path);
}

static void what_was_written_is_read_back(void **state)
{
    char *path = scratch_file("m.json"), expected[1024];
    cJSON_Delete(manifest_of("6=1,7=2,12=7"));
    weft_run r = weft("trace", "manifest", "--check", path, NULL);
    snprintf(expected, sizeof expected, "%s: version 1, 4 entries of 3 threads\n", path);
    assert_int_equal(r.status, 0);
    assert_string_equal(r.out, expected);
    weft_free(&r);
    free(path);
}

#define ENTRY(tid, index, site, pointer, contended)                                                \
    "{\"tid\":" tid ",\"tid_event_idx\":" index ",\"site_sid\":" site ",\"cs_ptr\":" pointer       \
    ",\"contended\":" contended "}"
#define GOOD       ENTRY("1", "2", "\"00000000000000aa\"", "\"0x82a00010\"", "true")
#define ENTRIES(x) "{\"version\":1,\"entries\":[" x "]}"

/* What a loader must refuse (REFERENCE-SYSTEM 5.1: version mismatch, missing fields, cs_ptr parse). */
static void bad_manifests_are_refused_with_the_reason(void **state)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"", "line is not JSON"},
        {"{\"version\":1,\n\"entries\":[\n" GOOD ",\n}", "expected a value"},
        {"[]", "found version 0, expected 1"},
        {"{\"version\":2,\"entries\":[]}", "found version 2, expected 1"},
        {"{\"version\":\"1\",\"entries\":[]}", "expected 1"},
        {"{\"version\":1}", "no array of entries"},
        {"{\"version\":1,\"entries\":{}}", "no array of entries"},
        {ENTRIES("7"), "entry 0 has no usable tid"},
        {ENTRIES(GOOD ",{}"), "entry 1 has no usable tid"},
        {ENTRIES(ENTRY("4294967296", "2", "\"aa\"", "\"0x1\"", "true")), "no usable tid "},
        {ENTRIES(ENTRY("1", "-2", "\"aa\"", "\"0x1\"", "true")), "no usable tid_event_idx"},
        {ENTRIES(ENTRY("1", "1.5", "\"aa\"", "\"0x1\"", "true")), "no usable tid_event_idx"},
        {ENTRIES(ENTRY("1", "2", "\"xyz\"", "\"0x1\"", "true")), "no usable site_sid"},
        {ENTRIES(ENTRY("1", "2", "null", "\"0x1\"", "true")), "no usable site_sid"},
        {ENTRIES(ENTRY("1", "2", "\"aa\"", "\"82a00010\"", "true")), "no usable cs_ptr"},
        {ENTRIES(ENTRY("1", "2", "\"aa\"", "\"0x\"", "true")), "no usable cs_ptr"},
        {ENTRIES(ENTRY("1", "2", "\"aa\"", "\"0x0\"", "true")), "no usable cs_ptr"},
        {ENTRIES(ENTRY("1", "2", "\"aa\"", "\"0x11112222333344445\"", "true")), "no usable cs_ptr"},
        {ENTRIES(ENTRY("1", "2", "\"aa\"", "\"0x1\"", "false")), "no usable contended"},
        {ENTRIES(GOOD "," GOOD), "1 duplicates, expected none"},
    };
    char why[256];
    size_t at;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        why[0] = 0;
        assert_null(
            weft_trace_manifest_read(cases[i].text, strlen(cases[i].text), why, sizeof why, &at));
        assert_non_null(strstr(why, cases[i].why));
    }
}

static void a_manifest_that_is_no_json_is_refused_by_line(void **state)
{
    char *path = scratch_file("cut.json");
    FILE *file = fopen(path, "wb");
    fputs("{\"version\":1,\n\"entries\":[\n" GOOD ",\n", file);
    fclose(file);
    weft_run r = weft("trace", "manifest", "--check", path, NULL);
    assert_int_equal(r.status, 3);
    assert_int_equal(lines_with(r.err, "cut.json:4: "), 1);
    weft_free(&r);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_exactly_the_fields_of_version_1),
        cmocka_unit_test(names_its_source_by_sha256),
        cmocka_unit_test(sums_up_what_was_kept_and_why_not),
        cmocka_unit_test(entries_are_sorted_and_the_first_of_a_key_stays),
        cmocka_unit_test(without_a_map_every_thread_stays),
        cmocka_unit_test(a_line_that_cannot_be_read_is_no_skipped_line),
        cmocka_unit_test(what_was_written_is_read_back),
        cmocka_unit_test(bad_manifests_are_refused_with_the_reason),
        cmocka_unit_test(a_manifest_that_is_no_json_is_refused_by_line),
    };
    return cmocka_run_group_tests_name("trace-manifest", tests, NULL, NULL);
}
