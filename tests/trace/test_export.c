/* `weft trace export` on runs of bundled titles: what docs/trace.md says of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "weft_run.h"

/* Traces a title into scratch()/NAME; the caller frees the path. */
static char *traced(const char *of, const char *name)
{
    char *path = scratch_file(name);
    weft_run r = weft_json("--until", "frames=2", "--trace", path, title(of), NULL);
    assert_int_equal(r.status, 0);
    weft_free(&r);
    return path;
}

/* `weft trace export --format FORMAT --out scratch()/NAME MORE... FILE`; the caller frees the path. */
static char *exported(const char *format, const char *name, const char *file, const char *flag,
                      const char *value)
{
    char *path = scratch_file(name);
    weft_run r =
        flag ? weft("trace", "export", "--format", format, "--out", path, flag, value, file, NULL)
             : weft("trace", "export", "--format", format, "--out", path, file, NULL);
    assert_string_equal(r.err, "");
    assert_int_equal(r.status, 0);
    weft_free(&r);
    return path;
}

static char *read_file(const char *path, size_t *length)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    char *text = calloc(1, 1 << 22);
    *length = fread(text, 1, (1 << 22) - 1, file);
    fclose(file);
    return text;
}

/* "DIGEST EVENTS" of a file, as `weft trace digest` says. */
static void digest_of(const char *path, char digest[64])
{
    weft_run r = weft("trace", "digest", path, NULL);
    assert_int_equal(r.status, 0);
    assert_true(strlen(r.out) > 40);
    snprintf(digest, 64, "%.*s", (int)strcspn(r.out, "/"), r.out);
    weft_free(&r);
}

static void forms_of_traces_turn_into_each_other(void **state)
{
    char expected[64], found[64];
    size_t a_length, b_length;
    char *binary = traced("hello", "t.wtr"), *jsonl = exported("jsonl", "a.jsonl", binary, 0, 0);
    char *again = exported("wtr", "b.wtr", jsonl, 0, 0);
    char *once_more = exported("jsonl", "c.jsonl", again, 0, 0);
    digest_of(binary, expected);
    digest_of(jsonl, found);
    assert_string_equal(found, expected);
    digest_of(again, found);
    assert_string_equal(found, expected);
    char *a = read_file(jsonl, &a_length), *b = read_file(once_more, &b_length);
    assert_int_equal(a_length, b_length);
    assert_memory_equal(a, b, a_length);
    free(a);
    free(b);
    free(binary);
    free(jsonl);
    free(again);
    free(once_more);
}

/* The binary file that tracer-binary wrote, and the one made of the text that tracer-jsonl would
 * have written: the same bytes, since both depend on the events alone. */
static void binary_made_of_text_is_the_binary(void **state)
{
    size_t a_length, b_length;
    char *binary = traced("hello", "t.wtr"), *text = traced("hello", "t.jsonl");
    char *made = exported("wtr", "made.wtr", text, 0, 0);
    char *a = read_file(binary, &a_length), *b = read_file(made, &b_length);
    assert_int_equal(a_length, b_length);
    assert_memory_equal(a, b, a_length);
    free(a);
    free(b);
    free(binary);
    free(text);
    free(made);
}

static void part_is_marked_partial(void **state)
{
    static const char *const parts[][2] = {{"--kind", "kernel.call"},
                                           {"--thread", "1"},
                                           {"--range", "10..20"},
                                           {"--ticks", "0..5000"}};
    char *binary = traced("hello", "t.wtr");
    for (int i = 0; i < 4; i++) {
        char *path = exported(i % 2 ? "wtr" : "jsonl", "part", binary, parts[i][0], parts[i][1]);
        weft_run r = weft("trace", "stat", "--json", path, NULL);
        cJSON *json = cJSON_Parse(r.out);
        assert_int_equal(r.status, 0);
        assert_non_null(json);
        assert_true(cJSON_IsTrue(cJSON_GetObjectItem(json, "partial")));
        assert_true(cJSON_GetObjectItem(json, "events")->valueint > 0);
        cJSON_Delete(json);
        weft_free(&r);
        free(path);
    }
    free(binary);
}

static void range_has_its_events_and_their_names(void **state)
{
    char *binary = traced("hello", "t.wtr");
    weft_run r = weft("trace", "export", "--format", "jsonl", "--range", "30..40", binary, NULL);
    assert_int_equal(r.status, 0);
    int inside = 0;
    for (char *line = strtok(r.out, "\n"); line; line = strtok(NULL, "\n")) {
        const char *sequence = strstr(line, "\"seq\":");
        if (sequence && !strstr(line, "\"kind\":\"define\"")) {
            assert_in_range(atoi(sequence + 6), 30, 40);
            inside++;
        }
    }
    assert_true(inside > 0);
    weft_free(&r);
    free(binary);
}

static void pictures_are_made_of_a_run(void **state)
{
    size_t length;
    char *binary = traced("plasma", "p.wtr");
    char *perfetto = exported("perfetto", "p.pftrace", binary, 0, 0);
    char *chrome = exported("chrome", "p.json", binary, 0, 0);
    char *svg = exported("svg", "p.svg", binary, "--ticks", "8000000..20000000");
    char *bytes = read_file(perfetto, &length);
    assert_int_equal(bytes[0], 0x0a); /* Trace.packet */
    assert_non_null(memmem(bytes, length, "VdSwap", 6));
    free(bytes);
    bytes = read_file(chrome, &length);
    cJSON *json = cJSON_Parse(bytes);
    assert_non_null(json);
    assert_true(cJSON_GetArraySize(cJSON_GetObjectItem(json, "traceEvents")) > 50);
    cJSON_Delete(json);
    free(bytes);
    bytes = read_file(svg, &length);
    assert_memory_equal(bytes, "<svg ", 5);
    assert_non_null(strstr(bytes, ">frame 2</text>"));
    assert_non_null(strstr(bytes, "guest time, 8 ms to 20 ms"));
    free(bytes);
    free(binary);
    free(perfetto);
    free(chrome);
    free(svg);
}

/* The plugin writes while the title runs what the export makes of its trace. */
static void export_is_what_the_tracer_writes(void **state)
{
    size_t a_length, b_length;
    char *binary = traced("plasma", "p.wtr"), *live = scratch_file("live.pftrace");
    char *made = exported("perfetto", "made.pftrace", binary, 0, 0);
    char option[512];
    snprintf(option, sizeof option, "tracer.path=%s", live);
    weft_run r = weft_json("--until", "frames=2", "--set", "tracer.plugin=tracer-perfetto", "--set",
                           option, title("plasma"), NULL);
    assert_int_equal(r.status, 0);
    weft_free(&r);
    char *a = read_file(live, &a_length), *b = read_file(made, &b_length);
    assert_int_equal(a_length, b_length);
    assert_memory_equal(a, b, a_length);
    free(a);
    free(b);
    free(binary);
    free(live);
    free(made);
}

static void stdout_is_the_file_without_out(void **state)
{
    size_t length;
    char *binary = traced("hello", "t.wtr"), *file = exported("jsonl", "a.jsonl", binary, 0, 0);
    char *expected = read_file(file, &length);
    weft_run r = weft("trace", "export", "--format", "jsonl", binary, NULL);
    assert_int_equal(r.status, 0);
    assert_string_equal(r.out, expected);
    weft_free(&r);
    free(expected);
    free(binary);
    free(file);
}

/* A trace that was cut has no end, and neither has what is made of it; the loss is told. */
static void cut_trace_is_exported_up_to_the_cut(void **state)
{
    size_t length;
    char *text = traced("hello", "t.jsonl"), *bytes = read_file(text, &length);
    char *last = strstr(bytes, "\"kind\":\"trace.end\"");
    assert_non_null(last);
    while (last > bytes && last[-1] != '\n') {
        last--;
    }
    FILE *file = fopen(text, "wb");
    assert_int_equal(fwrite(bytes, 1, (size_t)(last - bytes), file), last - bytes);
    fclose(file);
    char *made = scratch_file("made.wtr");
    weft_run r = weft("trace", "export", "--format", "wtr", "--out", made, text, NULL);
    assert_int_equal(r.status, 0);
    assert_int_equal(lines_with(r.err, "weft: warning: "), 1);
    weft_free(&r);
    r = weft("trace", "stat", made, NULL);
    assert_int_equal(lines_with(r.out, "whole: the end is there"), 0);
    weft_free(&r);
    free(bytes);
    free(text);
    free(made);
}

/* A log of another engine: its lines as they stand; no binary trace, which holds less than they; and
 * a picture in which each event counts as a microsecond, since it has no guest time. */
static void log_of_another_engine_is_drawn(void **state)
{
    static const char log[] = WEFT_SOURCE_DIR "/tests/trace/fixtures/canary.jsonl";
    size_t length;
    char *lines = read_file(log, &length);
    weft_run r = weft("trace", "export", "--format", "jsonl", log, NULL);
    assert_int_equal(r.status, 0);
    const char *first = strchr(lines, '\n') + 1; /* the header is written anew */
    assert_non_null(strstr(r.out, "\n"));
    assert_string_equal(strchr(r.out, '\n') + 1, first);
    weft_free(&r);
    free(lines);
    r = weft("trace", "export", "--format", "wtr", log, NULL);
    assert_int_equal(r.status, 2);
    assert_int_equal(lines_with(r.err, "found engine canary"), 1);
    weft_free(&r);
    r = weft("trace", "export", "--format", "chrome", log, NULL);
    assert_int_equal(r.status, 0);
    cJSON *json = cJSON_Parse(r.out), *e;
    double latest = 0;
    cJSON_ArrayForEach(e, cJSON_GetObjectItem(json, "traceEvents"))
    {
        double ts = cJSON_GetObjectItem(e, "ts")->valuedouble;
        latest = ts > latest ? ts : latest;
    }
    assert_true(latest >= 20 && latest == (double)(long)latest);
    cJSON_Delete(json);
    weft_free(&r);
}

/* Without --format the name of the file says it. */
static void format_is_that_of_the_name(void **state)
{
    static const struct {
        const char *name, *begins;
    } cases[] = {{"x.jsonl", "{\"schema_version\""},
                 {"x.wtr", "WEFTWTR\n"},
                 {"x.pftrace", "\x0a"},
                 {"x.perfetto-trace", "\x0a"},
                 {"x.json", "{\"displayTimeUnit\""},
                 {"x.svg", "<svg "}};
    char *binary = traced("hello", "t.wtr");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t length;
        char *path = scratch_file(cases[i].name);
        weft_run r = weft("trace", "export", "--out", path, binary, NULL);
        assert_int_equal(r.status, 0);
        char *bytes = read_file(path, &length);
        assert_memory_equal(bytes, cases[i].begins, strlen(cases[i].begins));
        weft_free(&r);
        free(bytes);
        free(path);
    }
    free(binary);
}

static void errors_are_one_line_with_their_exit_code(void **state)
{
    char *binary = traced("hello", "t.wtr");
    const struct {
        const char *arguments[6], *says;
        int status;
    } cases[] = {
        {{binary}, "--format", 2},
        {{"--out", "/tmp/t.gif", binary}, "--format", 2},
        {{"--format", "gif", binary}, "found gif", 2},
        {{"--format", "svg", "--range", "9..1", binary}, "--range", 2},
        {{"--format", "svg", "--kind", "nonsense", binary}, "nonsense", 2},
        {{"--format", "wtr", "--out", binary, binary}, "is the trace itself", 2},
        {{"--format", "svg", "--out", "/nonexistent/x.svg", binary}, "/nonexistent/x.svg", 2},
        {{"--format", "svg", "/nonexistent/t.wtr"}, "/nonexistent/t.wtr", 3},
        {{"--format", "jsonl", "--out", "/dev/full", binary}, "/dev/full", 3},
        {{"--format", "perfetto", "--out", "/dev/full", binary}, "/dev/full", 3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *const *a = cases[i].arguments;
        weft_run r = weft("trace", "export", a[0], a[1], a[2], a[3], a[4], NULL);
        assert_int_equal(r.status, cases[i].status);
        assert_int_equal(lines_with(r.err, "weft: error: "), 1);
        assert_int_equal(lines_with(r.err, cases[i].says), 1);
        weft_free(&r);
    }
    struct stat there;
    assert_int_equal(stat(binary, &there), 0);
    assert_true(there.st_size > 500); /* it was not written over */
    free(binary);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms_of_traces_turn_into_each_other),
        cmocka_unit_test(binary_made_of_text_is_the_binary),
        cmocka_unit_test(part_is_marked_partial),
        cmocka_unit_test(range_has_its_events_and_their_names),
        cmocka_unit_test(pictures_are_made_of_a_run),
        cmocka_unit_test(export_is_what_the_tracer_writes),
        cmocka_unit_test(stdout_is_the_file_without_out),
        cmocka_unit_test(cut_trace_is_exported_up_to_the_cut),
        cmocka_unit_test(log_of_another_engine_is_drawn),
        cmocka_unit_test(format_is_that_of_the_name),
        cmocka_unit_test(errors_are_one_line_with_their_exit_code),
    };
    return cmocka_run_group_tests_name("export", tests, NULL, NULL);
}
