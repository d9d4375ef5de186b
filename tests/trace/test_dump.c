/* `weft trace dump` on fixtures/small.jsonl, a trace of Weft's written by hand after docs/trace.md; its
 * digest is xxh128sum's (xxHash's own tool) of the canonical bytes. What must be printed was read off
 * that file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "weft_run.h"

#define SMALL WEFT_SOURCE_DIR "/tests/trace/fixtures/small.jsonl"

static void check_lines(const char *first, const char *value, const char *expected)
{
    weft_run r = weft("trace", "dump", first, value, SMALL, NULL);
    assert_int_equal(r.status, 0);
    assert_string_equal(r.err, "");
    assert_string_equal(r.out, expected);
    weft_free(&r);
}

/* The first words of each line, as "5 7 8": the sequences. */
static void check_sequences(const char *const *arguments, const char *expected)
{
    char found[512] = "";
    weft_run r =
        weft("trace", "dump", SMALL, arguments[0], arguments[1], arguments[1] ? arguments[2] : NULL,
             arguments[1] && arguments[2] ? arguments[3] : NULL, NULL);
    assert_int_equal(r.status, 0);
    for (char *at = r.out; *at; at = strchr(at, '\n') + 1) {
        char word[32];
        int named = *at == '>';
        assert_int_equal(sscanf(at + named, "%31s", word), 1);
        snprintf(found + strlen(found), sizeof found - strlen(found), "%s%s%s", found[0] ? " " : "",
                 named ? ">" : "", word);
    }
    assert_string_equal(found, expected);
    weft_free(&r);
}

static void calls_have_named_arguments_and_paths(void **state)
{
    check_lines("--kind", "kernel.call",
                "         6           1000  thread:main         1  kernel.call         "
                "NtCreateFile(handle_out=0x70000000, access=0x80000001) path=\"game:\\\\a.txt\"\n"
                "        13           1200  thread:main/0        1  kernel.call         "
                "NtClose(handle=0xf8000004)\n"
                "        19           2100  thread:main          7  kernel.call         "
                "DbgPrint(format=0x82010000, arg1=0x2a)\n");
}

static void returns_name_the_statuses_that_fail(void **state)
{
    check_lines(
        "--kind", "kernel.return",
        "         9           1100  thread:main         3  kernel.return       "
        "NtCreateFile = 0x0\n"
        "        14           1300  thread:main/0        2  kernel.return       "
        "NtClose = 0xc0000008 (INVALID_HANDLE)\n"
        "        21           2200  thread:main          9  kernel.return.void  DbgPrint\n");
}

static void waits_show_objects_by_text_and_the_end_by_name(void **state)
{
    check_lines("--kind", "wait.*",
                "        10           1200  thread:main         4  wait.begin          "
                "handles_semantic_ids=[file:main@t.xex+0x100#0, 07314e08f37808df] timeout_ns=-1 "
                "(for ever) wait_all=0 alertable=0\n"
                "        16           2000  thread:main         5  wait.end            "
                "status=0x102 (TIMEOUT) woken_by_semantic_id=- wait_ticks=800\n");
}

static void lists_choose_the_events(void **state)
{
    const struct {
        const char *arguments[5];
        const char *expected;
    } cases[] = {
        {{"--thread", "2"}, "12 13 14"},
        {{"--thread", "thread:main/*,source:*"}, "12 13 14 15"},
        {{"--thread", "machine", "--kind", "log,define"}, "0 1 2 3 4 7 11 17"},
        {{"--export", "NtCreate*"}, "5 6 8 9"},
        {{"--export", "DbgPrint"}, "18 19 20 21"},
        {{"--object", "file:*"}, "8 10"},
        {{"--object", "07314e08f37808df"}, "10"},
        {{"--kind", "!import.call,!kernel.*,!source.fire"}, "8 10 16 17 20 22"},
        {{"--export", "NtCreateFile", "--kind", "handle.*"}, "8"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        check_sequences(cases[i].arguments, cases[i].expected);
    }
}

static void ranges_include_both_ends(void **state)
{
    const struct {
        const char *arguments[5];
        const char *expected;
    } cases[] = {
        {{"--range", "11..14"}, "11 12 13 14"},
        {{"--range", "20.."}, "20 21 22"},
        {{"--range", "..1"}, "0 1"},
        {{"--range", "12..16", "--kind", "kernel.*"}, "13 14"},
        {{"--ticks", "1200..1300", "--kind", "!x*"}, "10 12 13 14"},
        {{"--ticks", "2200..", "--thread", "1"}, "21 22"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        check_sequences(cases[i].arguments, cases[i].expected);
    }
}

/* The named event is marked, and there even where the lists leave it out. */
static void around_shows_wanted_neighbours(void **state)
{
    check_sequences((const char *[]){"--around", "13,1", "--kind", "kernel.*"}, "9 >13 14");
    check_sequences((const char *[]){"--around", "13,2", "--thread", "1"}, "9 10 >13 16 18");
    check_sequences((const char *[]){"--around", "5,0", NULL}, ">5");
    check_sequences((const char *[]){"--around", "2", "--kind", "import.call"}, ">2 5 12 18");
}

static void around_says_where_there_is_no_such_event(void **state)
{
    weft_run r = weft("trace", "dump", "--around", "99", SMALL, NULL);
    assert_int_equal(r.status, 0);
    assert_int_equal(lines_with(r.err, "no event has sequence 99"), 1);
    weft_free(&r);
}

static void bad_selections_are_usage_errors(void **state)
{
    static const char *const cases[][3] = {
        {"--range", "5", "--range"},          {"--range", "..", "--range"},
        {"--range", "9..5", "--range"},       {"--range", "a..5", "--range"},
        {"--ticks", "5..1e3", "--ticks"},     {"--range", "..18446744073709551616", "--range"},
        {"--around", "x", "--around"},        {"--around", "5,", "--around"},
        {"--around", "5,999999", "--around"}, {"--kind", "kernal.call", "expected kernel.call"},
        {"--thread", ",", "thread is none"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        weft_run r = weft("trace", "dump", cases[i][0], cases[i][1], SMALL, NULL);
        assert_int_equal(r.status, 2);
        assert_int_equal(lines_with(r.err, cases[i][2]), 1);
        assert_string_equal(r.out, "");
        weft_free(&r);
    }
}

/* A part of a trace is one: it can be read, with all names, and says that it is a part. */
static void json_of_a_selection_is_a_partial_trace(void **state)
{
    char *part = scratch_file("part.jsonl");
    weft_run r = weft("trace", "dump", "--json", "--thread", "2", SMALL, NULL);
    assert_int_equal(r.status, 0);
    assert_int_equal(lines_with(r.out, "\"partial\":true"), 1);
    FILE *file = fopen(part, "wb");
    fputs(r.out, file);
    fclose(file);
    weft_free(&r);
    r = weft("trace", "dump", "--kind", "kernel.call", part, NULL);
    assert_int_equal(r.status, 0);
    assert_int_equal(lines_with(r.out, "NtClose(handle=0xf8000004)"), 1);
    assert_int_equal(lines_with(r.out, ""), 1);
    weft_free(&r);
    free(part);
}

/* A whole binary trace is asked by its index, text is read from the front: the same is shown. */
static void a_binary_trace_shows_the_same(void **state)
{
    static const char *const cases[][4] = {
        {"--range", "8..13", NULL, NULL},
        {"--range", "20..", NULL, NULL},
        {"--range", "9..99", "--thread", "1"},
        {"--range", "99..", NULL, NULL},
        {"--range", "1..22", "--ticks", "2000.."},
        {"--around", "8,2", NULL, NULL},
        {"--around", "0", NULL, NULL},
        {"--around", "99", NULL, NULL},
        {"--range", "5..9", "--export", "Nt*"},
        {"--range", "9..12", "--kind", "define"},
    };
    char *binary = scratch_file("small.wtr");
    weft_run r = weft("trace", "cut", "--out", binary, SMALL, NULL);
    assert_int_equal(r.status, 0);
    weft_free(&r);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        weft_run of_text =
            weft("trace", "dump", SMALL, cases[i][0], cases[i][1], cases[i][2], cases[i][3], NULL);
        r = weft("trace", "dump", binary, cases[i][0], cases[i][1], cases[i][2], cases[i][3], NULL);
        assert_int_equal(r.status, 0);
        assert_string_equal(r.out, of_text.out);
        assert_int_equal(lines_with(r.err, ""), lines_with(of_text.err, ""));
        weft_free(&r);
        weft_free(&of_text);
    }
    free(binary);
}

static void json_of_all_is_the_file(void **state)
{
    char *text = calloc(1, 1 << 16);
    FILE *file = fopen(SMALL, "rb");
    assert_true(fread(text, 1, (1 << 16) - 1, file) > 0);
    fclose(file);
    check_lines("--json", "--kind=all", text);
    free(text);
}

/* No terminal: no colours. */
static void a_pipe_gets_no_colours(void **state)
{
    weft_run r = weft("trace", "dump", SMALL, NULL);
    assert_null(strchr(r.out, '\033'));
    weft_free(&r);
}

/* What a file says may be a terminal's command: a window title here. */
static void control_characters_of_a_file_stay_out(void **state)
{
    static const char log[] =
        "{\"schema_version\":1,\"engine\":\"canary\",\"kind\":\"schema_version\",\"tid\":0,"
        "\"payload\":{\"version\":1}}\n"
        "{\"schema_version\":1,\"engine\":\"canary\",\"kind\":\"a\\u001b]0;b\\u0007\",\"tid\":6,"
        "\"payload\":{\"x\":\"\\u001b[2J\"}}\n"
        "{\"schema_version\":1,\"engine\":\"canary\",\"kind\":\"kernel.call\",\"tid\":6,"
        "\"payload\":{\"name\":\"Nt\\u001b[31m\",\"args\":{\"a\\u001b\":1},\"args_resolved\":{"
        "\"path\":\"\\u009b\"}}}\n";
    char *path = scratch_file("control.jsonl");
    FILE *file = fopen(path, "wb");
    fputs(log, file);
    fclose(file);
    weft_run r = weft("trace", "dump", path, NULL);
    assert_int_equal(r.status, 0);
    assert_int_equal(lines_with(r.out, ""), 2);
    for (const char *at = r.out; *at; at++) {
        assert_true(*at == '\n' || (*at >= 0x20 && *at < 0x7F));
    }
    assert_int_equal(lines_with(r.out, "Nt?[31m(a?=0x1)"), 1);
    weft_free(&r);
    free(path);
}

/* The file comes into being, and grows, while dump waits. */
static void follow_shows_a_file_as_it_grows(void **state)
{
    char *path = scratch_file("grows.jsonl"), command[1024];
    snprintf(command, sizeof command,
             "(sleep 0.1; exec >'%s'; head -n 8 '%s'; sleep 0.1; tail -n +9 '%s') &", path, SMALL,
             SMALL);
    assert_int_equal(system(command), 0);
    weft_run r = weft("trace", "dump", "--follow", "--kind", "log,kernel.call", path, NULL);
    assert_int_equal(r.status, 0);
    assert_int_equal(lines_with(r.out, ""), 4);
    assert_int_equal(lines_with(r.err, "is not there yet: waiting for it"), 1);
    assert_int_equal(lines_with(r.err, ""), 1);
    weft_free(&r);
    free(path);
}

static void follow_ends_when_the_writer_is_gone(void **state)
{
    char *path = scratch_file("gone.jsonl"), command[1024];
    snprintf(command, sizeof command, "(exec >'%s'; head -n 8 '%s'; sleep 0.1) & sleep 0.02", path,
             SMALL);
    assert_int_equal(system(command), 0);
    weft_run r = weft("trace", "dump", "--follow", path, NULL);
    assert_int_equal(r.status, 0);
    assert_int_equal(lines_with(r.out, ""), 7);
    assert_int_equal(lines_with(r.err, "ends without trace.end"), 1);
    weft_free(&r);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_have_named_arguments_and_paths),
        cmocka_unit_test(returns_name_the_statuses_that_fail),
        cmocka_unit_test(waits_show_objects_by_text_and_the_end_by_name),
        cmocka_unit_test(lists_choose_the_events),
        cmocka_unit_test(ranges_include_both_ends),
        cmocka_unit_test(around_shows_wanted_neighbours),
        cmocka_unit_test(around_says_where_there_is_no_such_event),
        cmocka_unit_test(bad_selections_are_usage_errors),
        cmocka_unit_test(json_of_a_selection_is_a_partial_trace),
        cmocka_unit_test(a_binary_trace_shows_the_same),
        cmocka_unit_test(json_of_all_is_the_file),
        cmocka_unit_test(a_pipe_gets_no_colours),
        cmocka_unit_test(control_characters_of_a_file_stay_out),
        cmocka_unit_test(follow_shows_a_file_as_it_grows),
        cmocka_unit_test(follow_ends_when_the_writer_is_gone),
    };
    return cmocka_run_group_tests_name("trace-dump", tests, NULL, NULL);
}
