/* `weft trace` on runs of the bundled title `hello`: what CONTRACTS say of dump, stat and digest.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "weft_run.h"

/* Traces hello into scratch()/NAME; the caller frees the path. The report's digest in `digest`. */
static char *traced(const char *name, char digest[64])
{
    char *path = scratch_file(name);
    weft_run r = weft_json("--trace", path, title("hello"), NULL);
    assert_int_equal(r.status, 0);
    snprintf(digest, 64, "%s %.0f", report_text(&r, "trace_digest"),
             report_number(&r, "trace_events"));
    weft_free(&r);
    return path;
}

static void write_file(const char *path, const char *text, size_t length)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, length, file), length);
    fclose(file);
}

static char *read_file(const char *path, size_t *length)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    char *text = calloc(1, 1 << 20);
    *length = fread(text, 1, (1 << 20) - 1, file);
    fclose(file);
    return text;
}

static void digest_equals_the_report_in_both_formats(void **state)
{
    char of_text[64], of_binary[64], expected[1024];
    char *text = traced("t.jsonl", of_text), *binary = traced("t.wtr", of_binary);
    assert_string_equal(of_text, of_binary);
    weft_run r = weft("trace", "digest", text, binary, NULL);
    snprintf(expected, sizeof expected, "%s %s\n%s %s\n", of_text, text, of_text, binary);
    assert_int_equal(r.status, 0);
    assert_string_equal(r.out, expected);
    assert_string_equal(r.err, "");
    weft_free(&r);
    free(text);
    free(binary);
}

static void equal_runs_leave_equal_binary_traces(void **state)
{
    char digest[64];
    size_t a_length, b_length;
    char *a = traced("a.wtr", digest), *b = traced("b.wtr", digest);
    char *of_a = read_file(a, &a_length), *of_b = read_file(b, &b_length);
    assert_int_equal(a_length, b_length);
    assert_memory_equal(of_a, of_b, a_length);
    free(a);
    free(b);
    free(of_a);
    free(of_b);
}

/* The binary trace holds all that the text does: dumped, it is the text, byte for byte. */
static void dump_of_the_binary_is_the_text(void **state)
{
    char digest[64];
    size_t length;
    char *text = traced("t.jsonl", digest), *binary = traced("t.wtr", digest);
    char *expected = read_file(text, &length);
    weft_run r = weft("trace", "dump", "--json", binary, NULL);
    assert_int_equal(r.status, 0);
    assert_string_equal(r.out, expected);
    weft_free(&r);
    free(expected);
    free(text);
    free(binary);
}

static void dump_shows_one_kind_of_one_thread(void **state)
{
    char digest[64];
    char *binary = traced("t.wtr", digest);
    weft_run r = weft("trace", "dump", "--kind", "kernel.call", "--thread", "1", binary, NULL);
    assert_int_equal(r.status, 0);
    assert_true(lines_with(r.out, " kernel.call  ") > 3);
    assert_int_equal(lines_with(r.out, "kernel.call"), lines_with(r.out, "thread:main"));
    assert_int_equal(lines_with(r.out, "kernel.return"), 0);
    weft_free(&r);
    free(binary);
}

static void stat_counts_as_the_report_does(void **state)
{
    char digest[64], found[128];
    char *binary = traced("t.wtr", digest);
    weft_run r = weft("trace", "stat", "--json", binary, NULL);
    cJSON *json = cJSON_Parse(r.out);
    assert_int_equal(r.status, 0);
    assert_non_null(json);
    snprintf(found, sizeof found, "%s %d", cJSON_GetObjectItem(json, "digest")->valuestring,
             cJSON_GetObjectItem(json, "guest_events")->valueint);
    assert_string_equal(found, digest);
    assert_true(cJSON_IsTrue(cJSON_GetObjectItem(json, "complete")));
    int events = 0;
    for (cJSON *k = cJSON_GetObjectItem(json, "kinds")->child; k; k = k->next) {
        events += k->valueint;
    }
    assert_int_equal(events, cJSON_GetObjectItem(json, "events")->valueint);
    cJSON_Delete(json);
    weft_free(&r);
    free(binary);
}

/* A pipe has no index: the same counts, read from front to back. */
static void stat_of_the_index_is_stat_of_the_events(void **state)
{
    static const char *const members[] = {"kinds", "threads", "exports", "kind_rates"};
    static const char *const numbers[] = {"events",     "guest_events", "missing_between",
                                          "first_tick", "last_tick",    "first"};
    char digest[64], command[1024];
    char *binary = traced("t.wtr", digest), *copy = scratch_file("piped.json");
    size_t length;
    weft_run r = weft("trace", "stat", "--json", binary, NULL);
    cJSON *index = cJSON_Parse(r.out);
    assert_true(cJSON_IsTrue(cJSON_GetObjectItem(index, "indexed")));
    snprintf(command, sizeof command, "'%s/weft' trace stat --json - <'%s' >'%s'", WEFT_BUILD_DIR,
             binary, copy);
    assert_int_equal(system(command), 0);
    char *text = read_file(copy, &length);
    cJSON *events = cJSON_Parse(text);
    assert_true(cJSON_IsFalse(cJSON_GetObjectItem(events, "indexed")));
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        assert_true(cJSON_Compare(cJSON_GetObjectItem(index, members[i]),
                                  cJSON_GetObjectItem(events, members[i]), 1));
    }
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        assert_true(cJSON_GetObjectItem(index, numbers[i])->valuedouble ==
                    cJSON_GetObjectItem(events, numbers[i])->valuedouble);
    }
    assert_string_equal(cJSON_GetObjectItem(index, "digest")->valuestring,
                        cJSON_GetObjectItem(events, "digest")->valuestring);
    cJSON_Delete(index);
    cJSON_Delete(events);
    weft_free(&r);
    free(text);
    free(copy);
    free(binary);
}

#define SMALL WEFT_SOURCE_DIR "/tests/trace/fixtures/small.jsonl"

/* Counted by hand in the file: 23 events, from tick 1000 to 2300 of class guest. A rate is a count
 * over 1.3 us; the bytes of the two logs' lines are wc's. */
static void stat_has_rates_and_sizes(void **state)
{
    char line[512];
    weft_run r = weft("trace", "stat", "--json", SMALL, NULL);
    cJSON *json = cJSON_Parse(r.out);
    assert_int_equal(cJSON_GetObjectItem(json, "events")->valueint, 23);
    assert_int_equal(cJSON_GetObjectItem(json, "first_tick")->valueint, 1000);
    assert_int_equal(cJSON_GetObjectItem(json, "last_tick")->valueint, 2300);
    assert_float_equal(
        cJSON_GetObjectItem(cJSON_GetObjectItem(json, "kind_rates"), "kernel.call")->valuedouble,
        3 / 1.3e-6, 1);
    cJSON *export = cJSON_GetArrayItem(cJSON_GetObjectItem(json, "exports"), 0);
    assert_int_equal(cJSON_GetObjectItem(export, "calls")->valueint, 1);
    FILE *pipe = popen("grep '\"kind\":\"log\"' '" SMALL "' | wc -c", "r");
    assert_non_null(fgets(line, sizeof line, pipe));
    pclose(pipe);
    assert_int_equal(cJSON_GetObjectItem(cJSON_GetObjectItem(json, "kind_bytes"), "log")->valueint,
                     atoi(line));
    cJSON_Delete(json);
    weft_free(&r);
    r = weft("trace", "stat", SMALL, NULL);
    assert_int_equal(lines_with(r.out, "ticks 1000 to 2300: 0.000001 s of guest time"), 1);
    assert_int_equal(lines_with(r.out, "  xboxkrnl.exe!NtClose#207"), 1);
    assert_int_equal(lines_with(r.out, "machine"), 1);
    assert_int_equal(lines_with(r.out, "whole: the end is there"), 1);
    weft_free(&r);
}

static void stat_states_the_loss_of_a_cut_file(void **state)
{
    char digest[64];
    size_t length;
    char *binary = traced("t.wtr", digest), *bytes = read_file(binary, &length);
    write_file(binary, bytes, length - 40);
    weft_run r = weft("trace", "stat", binary, NULL);
    assert_int_equal(r.status, 0);
    assert_int_equal(lines_with(r.out, "the file was cut"), 1);
    assert_int_equal(lines_with(r.err, "the file was cut"), 1);
    weft_free(&r);
    free(bytes);
    free(binary);
}

static void malformed_files_end_with_exit_code_3(void **state)
{
    static const char head[] = "{\"schema_version\":1,\"engine\":\"ours\",\"kind\":"
                               "\"schema_version\",\"payload\":{\"version\":1}}\nnonsense\n";
    static const char *const commands[] = {"dump", "stat", "digest"};
    char *path = scratch_file("bad.jsonl");
    write_file(path, head, sizeof head - 1);
    for (int i = 0; i < 3; i++) {
        weft_run r = weft("trace", commands[i], path, NULL);
        assert_int_equal(r.status, 3);
        assert_int_equal(lines_with(r.err, "bad.jsonl:2: "), 1);
        weft_free(&r);
    }
    free(path);
}

/* A binary trace's end has the digest of the run, whatever filters hid; a text is counted. */
static void stat_says_what_its_digest_is_of(void **state)
{
    static const char *const rows[][2] = {{"p.wtr", ", as the end says of the whole run"},
                                          {"p.jsonl", ", of what the filters left"}};
    for (int i = 0; i < 2; i++) {
        char *path = scratch_file(rows[i][0]), line[128];
        weft_run run =
            weft_json("--set", "tracer.kinds=wait.*", "--trace", path, title("hello"), NULL);
        assert_int_equal(run.status, 0);
        weft_run r = weft("trace", "stat", path, NULL);
        snprintf(line, sizeof line, "digest %s", report_text(&run, "trace_digest"));
        assert_int_equal(lines_with(r.out, line), i == 0);
        assert_int_equal(lines_with(r.out, rows[i][1]), 1);
        weft_free(&r);
        weft_free(&run);
        free(path);
    }
}

/* Of lines that were edited: one taken out, another one there twice. */
static void stat_tells_that_the_events_are_not_the_runs(void **state)
{
    size_t length;
    char *text = read_file(WEFT_SOURCE_DIR "/tests/trace/fixtures/small.jsonl", &length);
    char *path = scratch_file("edited.jsonl"), *lines[64];
    int count = 0;
    for (char *line = strtok(text, "\n"); line && count < 64; line = strtok(NULL, "\n")) {
        lines[count++] = line;
    }
    assert_true(count > 12 && count < 64);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (int i = 0; i < count; i++) {
        if (i != count - 3) {
            fprintf(file, "%s\n%s%s", lines[i], i == count - 5 ? lines[i] : "",
                    i == count - 5 ? "\n" : "");
        }
    }
    fclose(file);
    weft_run r = weft("trace", "stat", path, NULL);
    assert_int_equal(r.status, 0);
    assert_int_equal(lines_with(r.out, "1 sequence numbers are missing"), 1);
    assert_int_equal(lines_with(r.out, "1 events stand behind one with their sequence number"), 1);
    assert_int_equal(lines_with(r.out, "the events are not those of the run"), 1);
    weft_free(&r);
    free(path);
    free(text);
}

/* full(4): each write to /dev/full fails with ENOSPC. */
static void output_that_goes_nowhere_is_an_error(void **state)
{
    static const char *const commands[] = {"digest", "digest --chain", "digest --md5", "stat",
                                           "dump"};
    char line[1024];
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        snprintf(line, sizeof line, "%s trace %s %s/tests/trace/fixtures/small.jsonl", WEFT_PROGRAM,
                 commands[i], WEFT_SOURCE_DIR);
        size_t end = strlen(line);
        snprintf(line + end, sizeof line - end, " > /dev/null");
        assert_int_equal(WEXITSTATUS(system(line)), 0);
        snprintf(line + end, sizeof line - end, " > /dev/full 2> /dev/null");
        assert_int_equal(WEXITSTATUS(system(line)), 3);
    }
}

static void manifest_refuses_what_it_cannot_read_twice(void **state)
{
    char *pipe = scratch_file("pipe"), *out = scratch_file("m.json");
    assert_int_equal(mkfifo(pipe, 0600), 0);
    const char *const paths[] = {"-", pipe};
    for (int i = 0; i < 2; i++) {
        weft_run r = weft("trace", "manifest", "--out", out, paths[i], NULL);
        assert_int_equal(r.status, 2);
        assert_int_equal(lines_with(r.err, "file is read twice (found a pipe"), 1);
        weft_free(&r);
    }
    free(pipe);
    free(out);
}

static void missing_file_ends_with_exit_code_3(void **state)
{
    weft_run r = weft("trace", "digest", "/nonexistent.wtr", NULL);
    assert_int_equal(r.status, 3);
    assert_int_equal(lines_with(r.err, "weft: error: /nonexistent.wtr: cannot open"), 1);
    weft_free(&r);
}

#define FOREIGN(kind, tid, index, payload)                                                         \
    "{\"schema_version\":1,\"engine\":\"canary\",\"kind\":\"" kind "\",\"tid\":" #tid              \
    ",\"tid_event_idx\":" #index ",\"guest_cycle\":0,\"host_ns\":123456,\"deterministic\":true,"   \
    "\"payload\":{" payload "}}\n"

static void diff_of_a_run_with_itself_is_empty(void **state)
{
    char digest[64];
    char *text = traced("t.jsonl", digest), *binary = traced("t.wtr", digest);
    weft_run r = weft("trace", "diff", "--json", text, binary, NULL);
    cJSON *json = cJSON_Parse(r.out);
    assert_int_equal(r.status, 0);
    assert_true(cJSON_IsFalse(cJSON_GetObjectItem(json, "divergent")));
    cJSON_Delete(json);
    weft_free(&r);
    free(text);
    free(binary);
}

#define EVENT(engine, kind, tid, index, payload)                                                   \
    "{\"schema_version\":1,\"engine\":\"" engine "\",\"kind\":\"" kind "\",\"tid\":" #tid          \
    ",\"tid_event_idx\":" #index ",\"deterministic\":true,\"payload\":{" payload "}}\n"
#define HEADER(engine) EVENT(engine, "schema_version", 0, 0, "\"version\":1")
#define CALL(engine, tid, index, name)                                                             \
    EVENT(engine, "kernel.call", tid, index,                                                       \
          "\"name\":\"" name "\",\"args\":{},\"args_resolved\":{}")
#define RETURN(engine, tid, index, name, value)                                                    \
    EVENT(engine, "kernel.return", tid, index,                                                     \
          "\"name\":\"" name "\",\"return_value\":" value ",\"status\":\"\",\"side_effects\":[]")

/* Main is tid 6 here and 1 there; an allocation's answer differs and counts as equal; the third
 * return is what differs. */
static const char ref_log[] =
    HEADER("canary") CALL("canary", 6, 0, "NtClose") RETURN("canary", 6, 1, "NtClose", "0")
        EVENT("canary", "contention.observed", 6, 2, "\"cs_ptr\":\"0x1\",\"contended\":true")
            CALL("canary", 6, 3, "ExAllocatePool") RETURN("canary", 6, 4, "ExAllocatePool", "4096")
                CALL("canary", 6, 5, "NtOpenFile") RETURN("canary", 6, 6, "NtOpenFile", "0")
                    CALL("canary", 6, 7, "NtReadFile");
static const char our_log[] = HEADER("ours") CALL("ours", 1, 0, "NtClose")
    RETURN("ours", 1, 1, "NtClose", "0") CALL("ours", 1, 2, "ExAllocatePool")
        RETURN("ours", 1, 3, "ExAllocatePool", "8192") CALL("ours", 1, 4, "NtOpenFile")
            RETURN("ours", 1, 5, "NtOpenFile", "3221225524") CALL("ours", 1, 6, "NtClose");

static void check_diff(const char *map)
{
    char *ref = scratch_file("ref.jsonl"), *ours = scratch_file("ours.jsonl");
    write_file(ref, ref_log, sizeof ref_log - 1);
    write_file(ours, our_log, sizeof our_log - 1);
    weft_run r = map ? weft("trace", "diff", "--json", "--map", map, ref, ours, NULL)
                     : weft("trace", "diff", "--json", ref, ours, NULL);
    cJSON *json = cJSON_Parse(r.out);
    cJSON *pair = cJSON_GetArrayItem(cJSON_GetObjectItem(json, "threads"), 0);
    assert_int_equal(r.status, 6);
    assert_int_equal(cJSON_GetObjectItem(pair, "ref_tid")->valueint, 6);
    assert_int_equal(cJSON_GetObjectItem(pair, "ours_tid")->valueint, 1);
    assert_int_equal(cJSON_GetObjectItem(pair, "ref_total")->valueint, 7);
    assert_int_equal(cJSON_GetObjectItem(pair, "ours_total")->valueint, 7);
    assert_int_equal(cJSON_GetObjectItem(pair, "matched")->valueint, 5);
    assert_int_equal(cJSON_GetObjectItem(pair, "first_divergence_at")->valueint, 5);
    assert_string_equal(cJSON_GetObjectItem(pair, "field")->valuestring, "return_value");
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(pair, "before")), 5);
    assert_non_null(strstr(cJSON_GetObjectItem(pair, "ours_event")->valuestring, "3221225524"));
    assert_non_null(strstr(cJSON_GetObjectItem(pair, "ref_next")->valuestring, "NtReadFile"));
    assert_non_null(strstr(cJSON_GetObjectItem(pair, "ours_next")->valuestring, "NtClose"));
    cJSON_Delete(json);
    weft_free(&r);
    free(ref);
    free(ours);
}

static void diff_pairs_threads_by_their_first_call(void **state)
{
    check_diff(NULL);
}

static void diff_pairs_threads_by_the_map(void **state)
{
    check_diff("6=1");
}

static void manifest_refuses_a_map_that_is_none(void **state)
{
    static const char *const maps[] = {"",     "6",   "6=",      "=1",
                                       "6=1,", "6=x", "6=1;7=2", "6=4294967296"};
    for (size_t i = 0; i < sizeof maps / sizeof maps[0]; i++) {
        weft_run r = weft("trace", "manifest", "--out", "/dev/null", "--map", maps[i], "x", NULL);
        assert_int_equal(r.status, 2);
        assert_int_equal(lines_with(r.err, "--map"), 1);
        weft_free(&r);
    }
}

/* The line below without host_ns and guest_cycle; its MD5 by coreutils' md5sum. */
static void md5_leaves_out_host_time_and_cycles(void **state)
{
    static const char fields[] = "{\"schema_version\":1,\"engine\":\"canary\",\"kind\":"
                                 "\"thread.exit\",\"tid\":7,\"tid_event_idx\":31,"
                                 "\"deterministic\":true,\"payload\":{\"exit_code\":0}}\n";
    static const char log[] =
        FOREIGN("schema_version", 0, 0, "\"version\":1,\"emitter_build\":\"abc\"")
            FOREIGN("thread.exit", 7, 31, "\"exit_code\":0");
    char *path = scratch_file("md5.jsonl"), *plain = scratch_file("fields"), line[512], md5[33];
    write_file(path, log, sizeof log - 1);
    write_file(plain, fields, sizeof fields - 1);
    snprintf(line, sizeof line, "md5sum '%s'", plain);
    FILE *pipe = popen(line, "r");
    assert_int_equal(fscanf(pipe, "%32s", md5), 1);
    pclose(pipe);
    weft_run r = weft("trace", "digest", "--md5", path, NULL);
    snprintf(line, sizeof line, "%s 1 %s\n", md5, path);
    assert_int_equal(r.status, 0);
    assert_string_equal(r.out, line);
    weft_free(&r);
    free(path);
    free(plain);
}

static void unknown_subcommand_names_what_exists(void **state)
{
    weft_run r = weft("trace", "frobnicate", NULL);
    assert_int_equal(r.status, 2);
    assert_int_equal(lines_with(r.err, "(found frobnicate, expected dump, stat, "), 1);
    weft_free(&r);
}

static void help_lists_the_subcommands(void **state)
{
    weft_run r = weft("trace", "--help", NULL);
    assert_int_equal(r.status, 0);
    assert_int_equal(lines_with(r.out, "  digest "), 1);
    weft_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digest_equals_the_report_in_both_formats),
        cmocka_unit_test(equal_runs_leave_equal_binary_traces),
        cmocka_unit_test(dump_of_the_binary_is_the_text),
        cmocka_unit_test(dump_shows_one_kind_of_one_thread),
        cmocka_unit_test(stat_counts_as_the_report_does),
        cmocka_unit_test(stat_of_the_index_is_stat_of_the_events),
        cmocka_unit_test(stat_has_rates_and_sizes),
        cmocka_unit_test(stat_states_the_loss_of_a_cut_file),
        cmocka_unit_test(malformed_files_end_with_exit_code_3),
        cmocka_unit_test(stat_says_what_its_digest_is_of),
        cmocka_unit_test(stat_tells_that_the_events_are_not_the_runs),
        cmocka_unit_test(output_that_goes_nowhere_is_an_error),
        cmocka_unit_test(manifest_refuses_what_it_cannot_read_twice),
        cmocka_unit_test(missing_file_ends_with_exit_code_3),
        cmocka_unit_test(diff_of_a_run_with_itself_is_empty),
        cmocka_unit_test(diff_pairs_threads_by_their_first_call),
        cmocka_unit_test(diff_pairs_threads_by_the_map),
        cmocka_unit_test(manifest_refuses_a_map_that_is_none),
        cmocka_unit_test(md5_leaves_out_host_time_and_cycles),
        cmocka_unit_test(unknown_subcommand_names_what_exists),
        cmocka_unit_test(help_lists_the_subcommands),
    };
    return cmocka_run_group_tests_name("trace-command", tests, NULL, NULL);
}
