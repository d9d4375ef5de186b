/* Logs in the reference system's own form (fixtures/, made by hand after REFERENCE-SYSTEM.md 2): read,
 * shown, counted, compared; and what is malformed, refused with its line. Expectations were read off
 * the files, or are that page's. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trace.h"
#include "weft_run.h"

#define FIXTURE(name) WEFT_SOURCE_DIR "/tests/trace/fixtures/" name

static char *read_file(const char *path, size_t *length)
{
    char *text = calloc(1, 1 << 16);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    *length = fread(text, 1, (1 << 16) - 1, file);
    fclose(file);
    return text;
}

static void write_file(const char *path, const char *text, size_t length)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, length, file), length);
    fclose(file);
}

/* The n-th event of a kind; the trace stays open behind it. */
static const weft_event *find(weft_trace *t, const char *kind, int n)
{
    const weft_event *event;
    char room[16];
    while ((event = weft_trace_next(t)) != NULL) {
        if (strcmp(weft_trace_kind(t, event, room), kind) == 0 && n-- == 0) {
            return event;
        }
    }
    fail_msg("no event of kind %s", kind);
    return NULL;
}

static uint64_t word_of(const char *path, const char *kind, int n, uint32_t word)
{
    weft_trace *t = weft_trace_open(path);
    const weft_event *event = find(t, kind, n);
    uint32_t count;
    const uint64_t *words = weft_trace_words(event, &count);
    assert_true(word < count);
    uint64_t value = words[word];
    weft_trace_close(t);
    return value;
}

/* REFERENCE-SYSTEM 2.2, and one that nobody declared. Each must be met in one of the files, which are
 * read to their ends. */
static void every_kind_of_the_reference_system_is_read(void **state)
{
    static const char *const kinds[] = {
        "import.call",   "kernel.call",    "kernel.return",  "handle.create", "handle.destroy",
        "thread.create", "thread.exit",    "wait.begin",     "wait.end",      "contention.observed",
        "signal.match",  "wake.requested", "thread.suspend", "thread.resume", "vfs.open",
        "vfs.read",      "vfs.close",      "mem.write",      "xam.notify",    "probe.audit_068",
    };
    static const char *const files[] = {FIXTURE("canary.jsonl"), FIXTURE("ours.jsonl"),
                                        FIXTURE("declared.jsonl"), FIXTURE("quirks.jsonl"),
                                        FIXTURE("contention.jsonl")};
    int seen[sizeof kinds / sizeof kinds[0]] = {0};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        weft_trace *t = weft_trace_open(files[i]);
        const weft_event *event;
        char room[16];
        while ((event = weft_trace_next(t)) != NULL) {
            for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
                seen[k] |= strcmp(weft_trace_kind(t, event, room), kinds[k]) == 0;
            }
        }
        assert_null(weft_trace_failed(t, NULL));
        assert_true(weft_trace_info_of(t)->foreign);
        assert_true(weft_trace_info_of(t)->complete); /* schema v1 has no last line */
        weft_trace_close(t);
    }
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        if (!seen[k]) {
            fail_msg("no event of kind %s in any fixture", kinds[k]);
        }
    }
}

/* 2.3: FNV-1a; "foobar" is the reference system's own test vector. Shared-global: marker 0xC01AB005,
 * guest pointer, object type; widths and byte order are not known, here 4 bytes, low ones first. */
static void semantic_ids_are_kept_as_they_are(void **state)
{
    static const uint8_t recipe[12] = {0x05, 0xB0, 0x1A, 0xC0, 0x38, 0x48, 0x8f, 0x82, 1, 0, 0, 0};
    uint64_t shared = weft_fnv1a(recipe, sizeof recipe);
    assert_int_equal(word_of(FIXTURE("canary.jsonl"), "wait.begin", 1, 2),
                     UINT64_C(0x85944171f73967e8));
    assert_int_equal(weft_fnv1a("foobar", 6), UINT64_C(0x85944171f73967e8));
    assert_int_equal(word_of(FIXTURE("canary.jsonl"), "handle.create", 2, 0), shared);
    assert_int_equal(word_of(FIXTURE("ours.jsonl"), "handle.create", 2, 0), shared);
    assert_int_equal(word_of(FIXTURE("canary.jsonl"), "wait.begin", 2, 1), shared); /* tid 4 */
}

/* 2.2: return_value is r3, all 64 bits, which no double holds. */
static void return_values_keep_all_64_bits(void **state)
{
    assert_int_equal(word_of(FIXTURE("quirks.jsonl"), "kernel.return", 0, 1),
                     UINT64_C(0xffffffffc0000034));
}

static void returns_of_void_exports_have_no_value(void **state)
{
    assert_int_equal(word_of(FIXTURE("canary.jsonl"), "kernel.return.void", 0, 0),
                     weft_fnv1a("KeQuerySystemTime", 17));
}

/* 2.2: -1 is for ever; a relative time-out stays negative. */
static void timeouts_keep_their_sign(void **state)
{
    static const struct {
        const char *file;
        int n;
        uint32_t handles;
        int64_t timeout;
    } cases[] = {
        {FIXTURE("canary.jsonl"), 0, 1, -1},
        {FIXTURE("canary.jsonl"), 1, 2, -30000000},
        {FIXTURE("canary.jsonl"), 2, 1, 0},
        {FIXTURE("quirks.jsonl"), 0, 0, INT64_MIN},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t found =
            (int64_t)word_of(cases[i].file, "wait.begin", cases[i].n, 1 + cases[i].handles);
        assert_int_equal(found, cases[i].timeout);
    }
}

static void dump_shows_paths_arguments_and_unknown_kinds(void **state)
{
    static const char *const canary[] = {
        "kernel.call         NtOpenFile(r3=0x700001c0, r4=0x100001, r5=0x70000198) "
        "path=\"game:\\\\MEDIA\\\\a.bik\"",
        "path=\"\\\\Device\\\\Cdrom0\\\\default.xex\"",
        "kernel.return       NtOpenFile = 0xffffffffc0000034 (OBJECT_NAME_NOT_FOUND)",
        "tid:7               2  contention.observed cs_ptr=\"0x828f3ee8\" contended=true",
        "xam.notify          id=9 data=\"0x1\"",
        "wait_type=\"all\" alertable=true",
    };
    static const char *const quirks[] = {
        "NtOpenSymbolicLinkObject(r3=0x70000040, r4=0xffffffffffffffff, r5=0x1) "
        "path=\"\\\\??\\\\d:\"",
        "gpu.frame_limiter   late=[1,2.5,null]",
        "path=\"\\u00f0\\u009f\\u0098\\u0080\\u0000\\u00ff\"",
        "thread.exit         exit_code=-1",
    };
    weft_run r = weft("trace", "dump", FIXTURE("canary.jsonl"), NULL);
    assert_int_equal(r.status, 0);
    for (size_t i = 0; i < sizeof canary / sizeof canary[0]; i++) {
        assert_int_equal(lines_with(r.out, canary[i]), 1);
    }
    weft_free(&r);
    r = weft("trace", "dump", FIXTURE("quirks.jsonl"), NULL);
    assert_int_equal(r.status, 0);
    for (size_t i = 0; i < sizeof quirks / sizeof quirks[0]; i++) {
        assert_int_equal(lines_with(r.out, quirks[i]), 1);
    }
    weft_free(&r);
}

static void lists_hold_for_other_engines_too(void **state)
{
    weft_run r = weft("trace", "dump", "--export", "NtWait*", "--thread", "6", "--kind",
                      "!import.*", FIXTURE("canary.jsonl"), NULL);
    assert_int_equal(r.status, 0);
    assert_int_equal(lines_with(r.out, ""), 3); /* the call, its wait, its return */
    weft_free(&r);
    r = weft("trace", "dump", "--kind", "gpu.frame*", FIXTURE("quirks.jsonl"), NULL);
    assert_int_equal(lines_with(r.out, ""), 2);
    weft_free(&r);
}

/* The end of a line is no part of it. */
static void carriage_returns_change_nothing(void **state)
{
    size_t length, used = 0;
    char *path = scratch_file("lf.jsonl"), *text = read_file(FIXTURE("quirks.jsonl"), &length);
    for (size_t i = 0; i < length; i++) {
        if (text[i] != '\r') {
            text[used++] = text[i];
        }
    }
    assert_true(used < length);
    write_file(path, text, used);
    weft_run with = weft("trace", "digest", FIXTURE("quirks.jsonl"), NULL);
    weft_run without = weft("trace", "digest", path, NULL);
    assert_int_equal(with.status, 0);
    assert_memory_equal(with.out, without.out, 32);
    weft_free(&with);
    weft_free(&without);
    free(text);
    free(path);
}

/* Counted with grep -c. */
static void stat_counts_lines_by_kind_and_thread(void **state)
{
    weft_run r = weft("trace", "stat", "--json", FIXTURE("canary.jsonl"), NULL);
    cJSON *json = cJSON_Parse(r.out);
    assert_int_equal(r.status, 0);
    assert_non_null(json);
    cJSON *kinds = cJSON_GetObjectItem(json, "kinds");
    assert_int_equal(cJSON_GetObjectItem(json, "events")->valueint, 48);
    assert_string_equal(cJSON_GetObjectItem(json, "engine")->valuestring, "canary");
    assert_true(cJSON_IsTrue(cJSON_GetObjectItem(json, "complete")));
    assert_int_equal(cJSON_GetObjectItem(kinds, "import.call")->valueint, 12);
    assert_int_equal(cJSON_GetObjectItem(kinds, "kernel.return")->valueint, 10);
    assert_int_equal(cJSON_GetObjectItem(kinds, "kernel.return.void")->valueint, 2);
    assert_int_equal(cJSON_GetObjectItem(kinds, "xam.notify")->valueint, 1);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(json, "threads")), 3);
    cJSON_Delete(json);
    weft_free(&r);
}

/* What differs between the two files is what schema v1 does not compare. */
static void the_two_engines_agree(void **state)
{
    weft_run r = weft("trace", "diff", FIXTURE("canary.jsonl"), FIXTURE("ours.jsonl"), "--map",
                      "6=1,7=2,4=11", NULL);
    assert_int_equal(r.status, 0);
    weft_free(&r);
    r = weft("trace", "diff", FIXTURE("canary.jsonl"), FIXTURE("ours.jsonl"), NULL);
    assert_int_equal(r.status, 0);
    weft_free(&r);
}

static void one_other_answer_is_found(void **state)
{
    static const char was[] = "\"NtClose\",\"return_value\":0,";
    size_t length;
    char *path = scratch_file("other.jsonl"), *text = read_file(FIXTURE("ours.jsonl"), &length);
    char *at = strstr(text, was);
    assert_non_null(at);
    at[sizeof was - 3] = '5';
    write_file(path, text, length);
    weft_run r =
        weft("trace", "diff", FIXTURE("canary.jsonl"), path, "--map", "6=1,7=2,4=11", NULL);
    assert_int_equal(r.status, 6);
    assert_true(lines_with(r.out, "return_value") > 0);
    weft_free(&r);
    free(text);
    free(path);
}

#define HEADER                                                                                     \
    "{\"schema_version\":1,\"engine\":\"canary\",\"kind\":\"schema_version\",\"tid\":0,"           \
    "\"payload\":{\"version\":1}}\n"
#define LINE(members) "{\"schema_version\":1,\"engine\":\"canary\"," members "}\n"
#define EVENT         LINE("\"kind\":\"thread.exit\",\"tid\":6,\"payload\":{\"exit_code\":0}")

/* A file, the line that is wrong, and what the message says of it. */
static const struct {
    const char *text;
    int line;
    const char *what;
} malformed[] = {
    {"\n" HEADER, 1, "found its end at column 1"},
    {"hello\n", 1, "found byte 0x68 at column 1"},
    {"\xef\xbb\xbf" HEADER, 1, "found byte 0xef at column 1"},
    {EVENT, 1, "first line is no header"},
    {LINE("\"kind\":\"schema_version\""), 1, "first line is no header"},
    {LINE("\"kind\":\"schema_version\",\"payload\":{\"version\":2}"), 1, "found 2, expected 1"},
    {LINE("\"kind\":\"schema_version\",\"payload\":{}"), 1, "expected 1"},
    {"{\"schema_version\":1,\"engine\":\"ca", 1, "cut off"},
    {HEADER EVENT "nonsense\n", 3, "found byte 0x6e at column 1"},
    {HEADER EVENT "\n" EVENT, 3, "line is empty"},
    {HEADER EVENT "\r\n\n" EVENT, 3, "line is empty"},
    {HEADER "[1]\n", 2, "found no kind and payload"},
    {HEADER LINE("\"kind\":\"thread.exit\",\"tid\":6"), 2, "found no kind and payload"},
    {HEADER LINE("\"tid\":6,\"payload\":{}"), 2, "found no kind and payload"},
    {HEADER LINE("\"kind\":7,\"tid\":6,\"payload\":{}"), 2, "found no kind and payload"},
    {HEADER LINE("\"kind\":\"thread.exit\",\"tid\":6,\"payload\":\"x\""), 2, "no kind and payload"},
    {HEADER LINE("\"kind\":\"thread.exit\",\"tid\":-6,\"payload\":{}"), 2, "no usable tid,"},
    {HEADER LINE("\"kind\":\"thread.exit\",\"tid\":4294967296,\"payload\":{}"), 2,
     "no usable tid,"},
    {HEADER LINE("\"kind\":\"thread.exit\",\"tid\":\"6\",\"payload\":{}"), 2, "no usable tid,"},
    {HEADER LINE("\"kind\":\"thread.exit\",\"tid\":6,\"tid_event_idx\":1.5,\"payload\":{}"), 2,
     "no usable tid_event_idx"},
    {HEADER LINE("\"kind\":\"thread.exit\",\"tid\":6,\"tid_event_idx\":18446744073709551616,"
                 "\"payload\":{}"),
     2, "no usable tid_event_idx"},
    {HEADER LINE("\"kind\":\"a\\q\",\"tid\":6,\"payload\":{}"), 2, "expected an escape"},
    {HEADER LINE("\"kind\":\"a\x01\",\"tid\":6,\"payload\":{}"), 2, "found byte 0x01"},
    {HEADER LINE("\"kind\":\"a\xff\",\"tid\":6,\"payload\":{}"), 2, "expected UTF-8"},
    {HEADER LINE(
         "\"kind\":\"a\",\"tid\":6,\"payload\":{\"x\":[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]}"),
     2, "expected less nesting"},
    {HEADER EVENT "{\"kind\":\"a\",\"payload\":{}}}\n", 3, "expected the end of the line"},
    {HEADER EVENT "{\"kind\":\"a\",\"payload\":{}", 3, "cut off"},
    {HEADER EVENT "{\"kind\":\"a\",\"payload\":5}", 3, "found no kind and payload"},
    {HEADER EVENT "\n7", 4, "cut off"},
    {HEADER EVENT "{\"kind\":\"thread.exit\",\"tid\":6,\"payl", 3, "cut off"},
};

static void malformed_lines_end_with_exit_code_3_and_their_number(void **state)
{
    char *path = scratch_file("bad.jsonl"), where[32];
    for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++) {
        write_file(path, malformed[i].text, strlen(malformed[i].text));
        weft_run r = weft("trace", "stat", path, NULL);
        snprintf(where, sizeof where, "bad.jsonl:%d: ", malformed[i].line);
        if (r.status != 3 || lines_with(r.err, where) != 1 ||
            lines_with(r.err, malformed[i].what) != 1) {
            fail_msg("case %zu: exit code %d, %s", i, r.status, r.err);
        }
        weft_free(&r);
    }
    free(path);
}

static void every_command_refuses_malformed_lines(void **state)
{
    static const char bad[] = HEADER EVENT "nonsense\n";
    static const char *const commands[][3] = {
        {"dump"},
        {"dump", "--json"},
        {"stat"},
        {"stat", "--json"},
        {"digest"},
        {"digest", "--md5"},
        {"diff", FIXTURE("canary.jsonl")},
        {"manifest", "--out", "/dev/null"},
        {"cut", "--out", "x.jsonl"},
    };
    char *path = scratch_file("bad.jsonl");
    write_file(path, bad, sizeof bad - 1);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        weft_run r = weft("trace", commands[i][0], path, commands[i][1],
                          commands[i][1] ? commands[i][2] : NULL, NULL);
        if (r.status != 3 || lines_with(r.err, "bad.jsonl:3: ") != 1) {
            fail_msg("weft trace %s: exit code %d, %s", commands[i][0], r.status, r.err);
        }
        weft_free(&r);
    }
    free(path);
}

/* Cut behind any byte: either between two lines, or an error that names the line. Between two lines
 * is also before the bytes that end one, CR LF or LF. */
static void a_cut_anywhere_names_the_line(void **state)
{
    size_t length;
    char *text = read_file(FIXTURE("quirks.jsonl"), &length), expected[32];
    int line = 1;
    for (size_t cut = 1; cut < length; cut++) {
        FILE *file = fmemopen(text, cut, "rb");
        const char *where;
        weft_trace *t = weft_trace_from(file, "t");
        while (weft_trace_next(t)) {
        }
        const char *why = weft_trace_failed(t, &where);
        if (text[cut - 1] == '\n') {
            assert_null(why);
            line++;
        } else if (text[cut] == '\n' || (text[cut] == '\r' && text[cut + 1] == '\n')) {
            assert_null(why);
        } else {
            snprintf(expected, sizeof expected, "t:%d", line);
            assert_non_null(why);
            assert_string_equal(where, expected);
        }
        weft_trace_close(t);
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_the_reference_system_is_read),
        cmocka_unit_test(semantic_ids_are_kept_as_they_are),
        cmocka_unit_test(return_values_keep_all_64_bits),
        cmocka_unit_test(returns_of_void_exports_have_no_value),
        cmocka_unit_test(timeouts_keep_their_sign),
        cmocka_unit_test(dump_shows_paths_arguments_and_unknown_kinds),
        cmocka_unit_test(lists_hold_for_other_engines_too),
        cmocka_unit_test(carriage_returns_change_nothing),
        cmocka_unit_test(stat_counts_lines_by_kind_and_thread),
        cmocka_unit_test(the_two_engines_agree),
        cmocka_unit_test(one_other_answer_is_found),
        cmocka_unit_test(malformed_lines_end_with_exit_code_3_and_their_number),
        cmocka_unit_test(every_command_refuses_malformed_lines),
        cmocka_unit_test(a_cut_anywhere_names_the_line),
    };
    return cmocka_run_group_tests_name("trace-fixtures", tests, NULL, NULL);
}
