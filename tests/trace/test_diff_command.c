/* `weft trace diff` as a user meets it: exit codes, the three forms of the report, refusals. */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared_log.h"
#include "story.h"
#include "weft_run.h"

#define CLOSE "xboxkrnl.exe!NtClose(handle)#207"

/* Two runs of ten calls; in the second one the answer of the sixth differs: event 5 * 3 + 2 = 17. */
static void write_pair(char **ref, char **ours)
{
    story s = {0};
    story_define(&s, "export", CLOSE);
    story_define(&s, "thread", "thread:main");
    for (unsigned k = 0; k < 10; k++) {
        story_call(&s, 0, CLOSE, k, 0);
    }
    *ref = story_write(&s, "ref.wtr");
    s.events[2 + 17].words[1] = 0xc0000008;
    *ours = story_write(&s, "ours.jsonl");
    story_free(&s);
}

static const cJSON *member(const cJSON *object, const char *name)
{
    const cJSON *m = cJSON_GetObjectItem(object, name);
    if (!m) {
        fail_msg("the report has no %s", name);
    }
    return m;
}

static void json_has_all_that_the_report_says(void **state)
{
    char *ref, *ours;
    write_pair(&ref, &ours);
    weft_run r = weft("trace", "diff", "--json", ref, ours, NULL);
    assert_int_equal(r.status, 6);
    cJSON *json = cJSON_Parse(r.out);
    assert_non_null(json);
    /* the machine, whose events define the names, is the first thread */
    const cJSON *pair = cJSON_GetArrayItem(member(json, "threads"), 1);
    assert_true(cJSON_IsTrue(member(json, "divergent")));
    assert_string_equal(member(json, "ref")->valuestring, ref);
    assert_string_equal(member(json, "ref_engine")->valuestring, "weft");
    assert_int_equal(member(json, "first")->valueint, 1);
    assert_int_equal(cJSON_GetArraySize(member(json, "missing")), 0);
    assert_string_equal(member(pair, "ref")->valuestring, "thread:main");
    assert_string_equal(member(pair, "how")->valuestring, "identity");
    assert_int_equal(member(pair, "ref_tid")->valueint, 1);
    assert_int_equal(member(pair, "ours_total")->valueint, 30);
    assert_int_equal(member(pair, "matched")->valueint, 17);
    assert_int_equal(member(pair, "first_divergence_at")->valueint, 17);
    assert_string_equal(member(pair, "field")->valuestring, "return_value");
    assert_string_equal(member(pair, "category")->valuestring,
                        "[return_value mismatch] kernel.return name=NtClose");
    assert_string_equal(member(pair, "ref_value")->valuestring, "0x0");
    assert_string_equal(member(pair, "ours_value")->valuestring, "0xc0000008");
    assert_int_equal(member(pair, "ref_index")->valueint, 17);
    assert_int_equal(member(pair, "ours_sequence")->valueint, 19);
    assert_int_equal(member(pair, "ours_tick")->valueint, 1900);
    assert_int_equal(cJSON_GetArraySize(member(pair, "before")), 5);
    assert_non_null(strstr(member(pair, "ours_event")->valuestring, "3221225480"));
    assert_non_null(strstr(member(pair, "ref_next")->valuestring, "import.call"));
    const cJSON *resync = member(pair, "resync");
    assert_int_equal(member(resync, "matched")->valueint, 12);
    assert_int_equal(member(resync, "divergences")->valueint, 0);
    const cJSON *change = cJSON_GetArrayItem(member(resync, "changes"), 0);
    assert_string_equal(member(change, "what")->valuestring, "changed");
    assert_int_equal(cJSON_GetArraySize(member(pair, "absorbed")), 0);
    assert_true(cJSON_IsTrue(member(member(member(pair, "cone"), "ref"), "whole")));
    cJSON_Delete(json);
    weft_free(&r);
    free(ref);
    free(ours);
}

static void text_names_the_field_and_both_values(void **state)
{
    char *ref, *ours;
    write_pair(&ref, &ours);
    weft_run r = weft("trace", "diff", ref, ours, NULL);
    assert_int_equal(r.status, 6);
    assert_string_equal(r.err, "");
    assert_int_equal(lines_with(r.out, "thread:main (1) = thread:main (1), by identity  DIVERGED"),
                     1);
    assert_int_equal(lines_with(r.out, "[return_value mismatch] kernel.return name=NtClose"), 1);
    assert_int_equal(lines_with(r.out, "ref 0x0, ours 0xc0000008"), 1);
    assert_int_equal(lines_with(r.out, "   both  "), 5);
    assert_int_equal(lines_with(r.out, "-> "), 2);
    weft_free(&r);
    r = weft("trace", "diff", ref, ref, NULL);
    assert_int_equal(r.status, 0);
    assert_int_equal(lines_with(r.out, "DIVERGED"), 0);
    weft_free(&r);
    free(ref);
    free(ours);
}

/* REFERENCE-SYSTEM 3, "Outputs": the summary table, then one section per pair. */
static void markdown_has_the_summary_table_and_a_section_per_pair(void **state)
{
    char *ref, *ours, *out = scratch_file("report.md"), text[8192] = "";
    write_pair(&ref, &ours);
    weft_run r = weft("trace", "diff", "--out", out, ref, ours, NULL);
    assert_int_equal(r.status, 6);
    assert_string_equal(r.out, "");
    FILE *file = fopen(out, "rb");
    assert_non_null(file);
    assert_true(fread(text, 1, sizeof text - 1, file) > 0);
    fclose(file);
    weft_free(&r);
    assert_non_null(strstr(text, "| ref_tid | ours_tid | matched | ref_total | ours_total | "
                                 "first_divergence_at | floating_create (r/o) | "
                                 "floating_wait (r/o) |"));
    assert_non_null(strstr(text, "\n| 1 | 1 | 17 | 30 | 30 | 17 | 0/0 | 0/0 |"));
    assert_non_null(strstr(text, "\n## thread:main = thread:main\n"));
    r = weft("trace", "diff", "--markdown", ref, ours, NULL);
    assert_string_equal(r.out, text);
    weft_free(&r);
    r = weft("trace", "diff", "--format", "markdown", ref, ours, NULL);
    assert_string_equal(r.out, text);
    weft_free(&r);
    free(out);
    free(ref);
    free(ours);
}

/* Members of a payload have their own names and order; what is long is shown in Weft's form. */
static void events_of_other_engines_are_shown_as_they_stand(void **state)
{
    static char wide[2000], ours_text[4096];
    memset(wide, 'x', 500);
    snprintf(ours_text, sizeof ours_text,
             SHARED_HEAD("ours") SHARED_CALL("ours", 1, 0, "NtClose", "\"handle\":-1")
                 SHARED_LINE("ours", "thread.exit", 1, 1, "\"why\":\"%s\",\"exit_code\":2"),
             wide);
    char *ref = story_text(
             "ref.jsonl",
             SHARED_HEAD("canary") SHARED_CALL("canary", 6, 0, "NtClose", "\"handle\":-1")
                 SHARED_LINE("canary", "thread.exit", 6, 1, "\"why\":[1,null],\"exit_code\":1")),
         *ours = story_text("ours.jsonl", ours_text);
    weft_run r = weft("trace", "diff", ref, ours, NULL);
    assert_int_equal(r.status, 6);
    assert_int_equal(lines_with(r.out, "   both  0 0 kernel.call {\"name\":\"NtClose\",\"args\":"
                                       "{\"handle\":-1},\"args_resolved\":{}}"),
                     1);
    assert_int_equal(
        lines_with(r.out, "-> ref   1 1 thread.exit {\"why\":[1,null],\"exit_code\":1}"), 1);
    assert_int_equal(lines_with(r.out, "-> ours  1 1 thread.exit {\"exit_code\":\"0x2\"}"), 1);
    weft_free(&r);
    free(ref);
    free(ours);
}

/* The same number means a handle to one of the two alone. */
static void values_between_engines_are_shown_with_what_they_mean(void **state)
{
    char *ref =
             story_text("ref.jsonl",
                        SHARED_HEAD("canary") SHARED_HANDLE("canary", 6, 0, "aa", "1", "4160749584")
                            SHARED_CALL("canary", 6, 1, "NtClose", "\"handle\":4160749584")),
         *ours = story_text("ours.jsonl",
                            SHARED_HEAD("ours") SHARED_HANDLE("ours", 1, 0, "bb", "1", "4160749600")
                                SHARED_CALL("ours", 1, 1, "NtClose", "\"handle\":4160749584"));
    weft_run r = weft("trace", "diff", "--map", "6=1", ref, ours, NULL);
    assert_int_equal(r.status, 6);
    assert_int_equal(lines_with(r.out, "ref 0xf8000010 = handle 0 of the thread, ours 0xf8000010"),
                     1);
    weft_free(&r);
    free(ref);
    free(ours);
}

/* Weft's machine makes the first thread, before that calls anything; no other engine tells of it. */
static void the_machine_is_not_compared_between_engines(void **state)
{
#define OURS "\"hw\":255,\"thread\":\"0000000000000000\",\"seq\":0,\"tick\":0}\n"
    char *ref = story_text("ref.jsonl",
                           SHARED_HEAD("canary") SHARED_CALL("canary", 6, 0, "NtClose", "\"h\":7")),
         *ours = story_text(
             "ours.jsonl",
             SHARED_HEAD("weft") "{\"schema_version\":1,\"engine\":\"weft\",\"kind\":"
                                 "\"thread.create\",\"tid\":0,\"tid_event_idx\":0,\"guest_cycle\":"
                                 "0,\"host_ns\":0,\"deterministic\":true,\"payload\":{\"child\":"
                                 "\"00000000000000aa\",\"parent_tid\":0,\"child_tid\":1,"
                                 "\"entry_pc\":\"0x82000000\",\"ctx_ptr\":\"0x0\",\"stack_size\":0,"
                                 "\"affinity\":\"0x1\",\"suspended\":0}," OURS SHARED_LINE(
                                     "weft", "define", 0, 0,
                                     "\"id\":\"00000000000000ab\",\"what\":\"export\",\"text\":"
                                     "\"xboxkrnl.exe!NtClose(handle)#207\"")
                                     SHARED_LINE(
                                         "weft", "kernel.call", 1, 0,
                                         "\"name\":\"NtClose\",\"args\":{\"handle\":7},"
                                         "\"args_resolved\":{},\"export\":\"00000000000000ab\""));
    weft_run r = weft("trace", "diff", "--map", "6=1", ref, ours, NULL);
    if (r.status != 0) {
        fail_msg("%s%s", r.out, r.err);
    }
    weft_free(&r);
    free(ref);
    free(ours);
}

static void what_is_absorbed_is_told_with_a_warning(void **state)
{
    static const char ref[] = SHARED_HEAD("canary") SHARED_CALL("canary", 6, 0, "KeSetEvent", "")
        SHARED_WAIT("canary", 7, 0, "5", "-1") SHARED_HANDLE("canary", 6, 1, "5", "1", "64")
            SHARED_RETURN("canary", 6, 2, "KeSetEvent", "0");
    static const char ours[] = SHARED_HEAD("ours") SHARED_CALL("ours", 1, 0, "KeSetEvent", "")
        SHARED_WAIT("ours", 2, 0, "5", "-1") SHARED_RETURN("ours", 1, 1, "KeSetEvent", "0");
    char *x = story_text("r.jsonl", ref), *y = story_text("o.jsonl", ours);
    weft_run r = weft("trace", "diff", "--map", "6=1,7=2", x, y, NULL);
    assert_int_equal(r.status, 6);
    weft_free(&r);
    r = weft("trace", "diff", "--map", "6=1,7=2", "--absorb", "create", x, y, NULL);
    assert_int_equal(r.status, 0);
    assert_int_equal(lines_with(r.out, "Absorbers were asked for."), 1);
    assert_int_equal(lines_with(r.out, "absorbed by create, only in ref, behind 1 matches: 2 1 "
                                       "handle.create {"),
                     1);
    weft_free(&r);
    free(x);
    free(y);
}

static void a_map_that_pairs_nothing_is_told(void **state)
{
    char *ref, *ours;
    write_pair(&ref, &ours);
    weft_run r = weft("trace", "diff", "--map", "1=1,9=2", ref, ours, NULL);
    assert_int_equal(r.status, 6);
    assert_int_equal(lines_with(r.err, "9=2 pairs nothing"), 1);
    assert_int_equal(lines_with(r.err, "1=1 pairs nothing"), 0);
    assert_int_equal(lines_with(r.out, "thread:main (1) = thread:main (1), by map  DIVERGED"), 1);
    weft_free(&r);
    free(ref);
    free(ours);
}

static void kinds_are_ignored_by_name(void **state)
{
    char *ref, *ours;
    write_pair(&ref, &ours);
    weft_run r = weft("trace", "diff", "--ignore", "kernel.return", ref, ours, NULL);
    assert_int_equal(r.status, 0);
    assert_int_equal(lines_with(r.out, "ignored: 10 of ref, 10 of ours"), 1);
    weft_free(&r);
    free(ref);
    free(ours);
}

static void flags_that_are_none_are_refused(void **state)
{
    static const char *const flags[][2] = {
        {"--map", "6"},        {"--map", "6=1;7=2"}, {"--absorb", "everything"},
        {"--absorb", ""},      {"--ignore", "kind"}, {"--ignore", "kernel.call,"},
        {"--format", "plain"},
    };
    char *ref, *ours;
    write_pair(&ref, &ours);
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        weft_run r = weft("trace", "diff", flags[i][0], flags[i][1], ref, ours, NULL);
        assert_int_equal(r.status, 2);
        assert_int_equal(lines_with(r.err, "weft: error: --"), 1);
        weft_free(&r);
    }
    weft_run r = weft("trace", "diff", "-", ours, NULL);
    assert_int_equal(r.status, 2);
    weft_free(&r);
    r = weft("trace", "diff", "--out", "/nonexistent/report.md", ref, ours, NULL);
    assert_int_equal(r.status, 2);
    assert_int_equal(lines_with(r.err, "/nonexistent/report.md: report cannot be written"), 1);
    weft_free(&r);
    free(ref);
    free(ours);
}

/* Malformed in the middle, cut within a line, no trace, not there, no file: exit code 3, by name. */
static void files_that_cannot_be_read_end_with_exit_code_3(void **state)
{
    static const char *const texts[] = {
        SHARED_HEAD("canary") SHARED_CALL("canary", 6, 0, "NtClose", "") "nonsense\n",
        SHARED_HEAD("canary") "{\"schema_version\":1,\"eng",
        "nonsense\n",
        "",
    };
    static const char *const where[] = {
        "bad.jsonl:3: ", "bad.jsonl:2: ", "bad.jsonl:1: ", "bad.jsonl: "};
    char *ref, *ours;
    write_pair(&ref, &ours);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char *bad = story_text("bad.jsonl", texts[i]);
        for (int side = 0; side < 2; side++) {
            weft_run r = weft("trace", "diff", side ? ref : bad, side ? bad : ref, NULL);
            assert_int_equal(r.status, 3);
            assert_int_equal(lines_with(r.err, where[i]), 1);
            assert_string_equal(r.out, "");
            weft_free(&r);
        }
        free(bad);
    }
    char *pipe = scratch_file("pipe");
    assert_int_equal(mkfifo(pipe, 0600), 0);
    const char *const others[] = {"/nonexistent.wtr", "/dev/null", "/tmp", pipe};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        weft_run r = weft("trace", "diff", ref, others[i], NULL);
        assert_int_equal(r.status, 3);
        assert_int_equal(lines_with(r.err, others[i]), 1);
        weft_free(&r);
    }
    free(pipe);
    free(ref);
    free(ours);
}

/* A trace that was cut between two events is compared as far as it goes, and the loss is told. */
static void a_cut_trace_is_compared_as_far_as_it_goes(void **state)
{
    char *ref, *ours;
    write_pair(&ref, &ours);
    FILE *file = fopen(ours, "rb");
    static char text[1 << 16];
    size_t length = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    char *end = strstr(text, "\"seq\":15,");
    assert_true(length > 0 && end);
    strchr(end, '\n')[1] = 0;
    char *cut = story_text("cut.jsonl", text);
    weft_run r = weft("trace", "diff", ref, cut, NULL);
    assert_int_equal(r.status, 6);
    assert_int_equal(lines_with(r.err, "cut.jsonl: the file ends without trace.end"), 1);
    assert_int_equal(lines_with(r.out, "event 14 differs in end"), 1);
    assert_int_equal(lines_with(r.out, "ours nothing more, since the file was cut"), 1);
    weft_free(&r);
    free(cut);
    free(ref);
    free(ours);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_has_all_that_the_report_says),
        cmocka_unit_test(text_names_the_field_and_both_values),
        cmocka_unit_test(markdown_has_the_summary_table_and_a_section_per_pair),
        cmocka_unit_test(events_of_other_engines_are_shown_as_they_stand),
        cmocka_unit_test(values_between_engines_are_shown_with_what_they_mean),
        cmocka_unit_test(the_machine_is_not_compared_between_engines),
        cmocka_unit_test(what_is_absorbed_is_told_with_a_warning),
        cmocka_unit_test(a_map_that_pairs_nothing_is_told),
        cmocka_unit_test(kinds_are_ignored_by_name),
        cmocka_unit_test(flags_that_are_none_are_refused),
        cmocka_unit_test(files_that_cannot_be_read_end_with_exit_code_3),
        cmocka_unit_test(a_cut_trace_is_compared_as_far_as_it_goes),
    };
    return cmocka_run_group_tests_name("trace-diff-command", tests, NULL, NULL);
}
