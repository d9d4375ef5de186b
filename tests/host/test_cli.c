/* test_cli.c: the program as a process: exit codes and output as CONTRACTS.md has them. */
#include "support.h"

#include <cjson/cJSON.h>

typedef struct place {
    char folder[64];
} place;

/* A folder with a profile that names the fakes and an empty title. */
static int start(void **state)
{
    place *p = calloc(1, sizeof *p);
    char path[256];
    folder_start(p->folder);
    file_write(p->folder, "fake.ini", "[kernel]\nplugin = fake\n\n[tracer]\nplugin = none\n", path);
    file_write(p->folder, "title.xex", "no real title", path);
    *state = p;
    return 0;
}

static int end(void **state)
{
    place *p = *state;
    folder_end(p->folder);
    free(p);
    return 0;
}

/* weft run with the fake profile and more flags. */
static outcome run(const place *p, const char *flags)
{
    return process(p->folder, RUN_FOLDER "/weft run --profile fake.ini %s title.xex", flags);
}

static void expect(const place *p, const char *flags, int code, const char *message)
{
    outcome o = run(p, flags);
    if (o.code != code) {
        fail_msg("%s: exit code %d, expected %d\n%s", flags, o.code, code, o.err);
    }
    assert_contains(o.err, message);
    outcome_free(&o);
}

static void test_success_is_0(void **state)
{
    expect(*state, "", 0, "weft: warn: kernel-fake: fake runs");
}

static void test_failing_title_is_1(void **state)
{
    expect(
        *state, "--set kernel.code=3", 1,
        "weft: error: title.xex: title failed: the fake is done (found exit code 3, expected 0)");
}

static void test_bugcheck_is_1(void **state)
{
    expect(*state, "--set kernel.end=bugcheck", 1, "weft: error: title.xex: title failed");
}

static void test_exception_is_1(void **state)
{
    expect(*state, "--set kernel.end=exception", 1, "weft: error: title.xex: title failed");
}

static void test_unknown_key_is_2(void **state)
{
    expect(*state, "--set kernel.cod=3", 2,
           "weft: error: --set kernel.cod: unknown key in [kernel] (found cod, expected code)");
}

static void test_unknown_flag_is_2(void **state)
{
    expect(*state, "--frames-too x", 2,
           "weft: error: weft run: unknown option (found --frames-too, expected --frames-to)");
}

static void test_bad_condition_is_2(void **state)
{
    expect(*state, "--until pictures=3", 2, "weft: error: --until: condition is unknown");
    expect(*state, "--until frames=-3", 2, "weft: error: --until: limit is no number");
    expect(*state, "--until frames=3x", 2, "weft: error: --until: limit is no number");
}

static void test_malformed_title_is_3(void **state)
{
    expect(*state, "--set kernel.end=malformed", 3,
           "weft: error: title.xex: title is no title (found junk, expected a title)");
}

static void test_malformed_input_is_3(void **state)
{
    place *p = *state;
    char path[256];
    file_write(p->folder, "keys.txt", "0 0 buttons=0x1000\n1 9\n", path);
    expect(p, "--input keys.txt", 3,
           "weft: error: keys.txt:2: port is out of range (found 9, expected 0 to 3)");
}

static void test_deadlock_is_4(void **state)
{
    expect(*state, "--set kernel.end=deadlock", 4, "weft: error: title.xex: deadlock");
}

static void test_failing_plugin_is_5(void **state)
{
    expect(*state, "--set kernel.end=status", 5, "weft: error: kernel-fake: fake broke down");
    expect(*state, "--set kernel.end=refuse", 5, "weft: error: kernel-fake.create: fake does not");
}

static void test_tracer_that_cannot_open_is_5(void **state)
{
    expect(*state, "--set tracer.plugin=fake --set tracer.fault=open", 5,
           "weft: error: tracer-fake.open: no place to write (found none, expected one)");
}

static void test_tracer_that_cannot_close_is_5(void **state)
{
    expect(*state, "--set tracer.plugin=fake --set tracer.fault=close", 5,
           "weft: error: tracer-fake.close: disk is full");
}

static void test_window_that_cannot_open_is_5(void **state)
{
    expect(*state, "--set frontend.plugin=fake --set frontend.mode=blind", 5,
           "weft: error: frontend-fake.open: no display");
}

static void test_closed_window_ends_as_asked(void **state)
{
    expect(*state, "--set frontend.plugin=fake --set frontend.mode=closed --set kernel.end=spin", 0,
           "");
}

static void test_seconds_end_as_asked(void **state)
{
    expect(*state, "--set kernel.end=spin --until seconds=0.05", 0, "");
}

static void test_signal_ends_as_asked(void **state)
{
    place *p = *state;
    outcome o = process(p->folder, RUN_FOLDER
                        "/weft run --profile fake.ini --set kernel.end=spin --until seconds=60 "
                        "--json r.json title.xex 2>said.txt & until grep -q 'fake runs' said.txt; "
                        "do sleep 0.02; done; kill -INT $!; wait $!");
    assert_int_equal(o.code, 0);
    outcome_free(&o);
    char path[256];
    snprintf(path, sizeof path, "%s/r.json", p->folder);
    char *json = file_text(path);
    assert_contains(json, "\"reason\": \"interrupted by a signal\"");
    free(json);
}

static void test_print_goes_to_stdout(void **state)
{
    outcome o = run(*state, "--set kernel.print=yes");
    assert_string_equal(o.out, "hello from fake\n");
    outcome_free(&o);
}

static void test_log_level_hides_lines(void **state)
{
    outcome o = run(*state, "--set machine.log=error");
    assert_string_equal(o.err, "");
    outcome_free(&o);
}

/* The report of a run with more flags. */
static cJSON *report(const place *p, const char *flags)
{
    char all[512], path[256];
    snprintf(all, sizeof all, "--json report.json %s", flags);
    outcome o = run(p, all);
    assert_int_equal(o.code, 0);
    outcome_free(&o);
    snprintf(path, sizeof path, "%s/report.json", p->folder);
    char *text = file_text(path);
    cJSON *json = cJSON_Parse(text);
    assert_non_null(json);
    free(text);
    return json;
}

static const char *text_of(const cJSON *json, const char *key)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(json, key));
    assert_non_null(text);
    return text;
}

static double number_of(const cJSON *json, const char *key)
{
    const cJSON *item = cJSON_GetObjectItem(json, key);
    assert_true(cJSON_IsNumber(item));
    return item->valuedouble;
}

static void test_report_has_every_field(void **state)
{
    cJSON *json = report(*state, "--set kernel.frames=3");
    assert_string_equal(text_of(json, "title"), "title.xex");
    assert_int_equal(strlen(text_of(json, "profile_digest")), 32);
    assert_int_equal(strlen(text_of(json, "trace_digest")), 32);
    assert_int_equal(strlen(text_of(json, "state_digest")), 16);
    assert_int_equal(number_of(json, "exit_code"), 0);
    assert_string_equal(text_of(json, "reason"), "the fake is done");
    assert_int_equal(number_of(json, "instructions"), 300);
    assert_int_equal(number_of(json, "ticks"), 3000);
    assert_int_equal(number_of(json, "frames"), 3);
    assert_int_equal(number_of(json, "draws"), 0);
    assert_int_equal(number_of(json, "imports_called"), 10);
    assert_int_equal(number_of(json, "slices"), 7);
    assert_int_equal(number_of(json, "trace_events"), 10);
    assert_true(number_of(json, "seconds") >= 0);
    const cJSON *missing = cJSON_GetArrayItem(cJSON_GetObjectItem(json, "unimplemented"), 0);
    assert_string_equal(text_of(missing, "name"), "xboxkrnl.exe!NtFoo");
    assert_string_equal(text_of(missing, "first_caller"), "0x82001000");
    assert_int_equal(number_of(missing, "count"), 3);
    const cJSON *thread = cJSON_GetArrayItem(cJSON_GetObjectItem(json, "threads"), 0);
    assert_string_equal(text_of(thread, "name"), "thread:main");
    cJSON_Delete(json);
}

/* Runs twice and compares one field. */
static void compare(const place *p, const char *one, const char *two, const char *field, int equal)
{
    cJSON *a = report(p, one), *b = report(p, two);
    assert_int_equal(strcmp(text_of(a, field), text_of(b, field)) == 0, equal);
    cJSON_Delete(a);
    cJSON_Delete(b);
}

static void test_digests_do_not_depend_on_observers(void **state)
{
    static const char watched[] =
        "--set tracer.plugin=fake --set tracer.path=t.txt --set machine.checked=yes";
    compare(*state, "", watched, "trace_digest", 1);
    compare(*state, "", watched, "state_digest", 1);
    compare(*state, "", watched, "profile_digest", 1);
}

static void test_trace_digest_covers_events(void **state)
{
    compare(*state, "", "--set kernel.events=11", "trace_digest", 0);
}

static void test_profile_digest_covers_inputs(void **state)
{
    compare(*state, "", "--set machine.seed=1", "profile_digest", 0);
    place *p = *state;
    char path[256];
    cJSON *before = report(p, "");
    file_write(p->folder, "title.xex", "another title", path);
    cJSON *after = report(p, "");
    assert_string_not_equal(text_of(before, "profile_digest"), text_of(after, "profile_digest"));
    cJSON_Delete(before);
    cJSON_Delete(after);
}

static void test_frame_limit_is_exact(void **state)
{
    cJSON *json = report(*state, "--set kernel.frames=50 --until frames=7 --until ticks=999999");
    assert_int_equal(number_of(json, "frames"), 7);
    assert_string_equal(text_of(json, "reason"), "reached frames=7");
    cJSON_Delete(json);
}

static void test_first_limit_that_holds_ends(void **state)
{
    cJSON *json =
        report(*state, "--set kernel.frames=50 --until frames=7 --until instructions=400");
    assert_int_equal(number_of(json, "frames"), 4);
    cJSON_Delete(json);
}

static void test_input_script_reaches_the_kernel(void **state)
{
    place *p = *state;
    char path[256];
    file_write(p->folder, "keys.txt",
               "# A at vblank 1, released at 2\n1 0 buttons=0x1000\n"
               "2 0 buttons=0\n",
               path);
    cJSON *json = report(p, "--set kernel.frames=4 --input keys.txt");
    assert_int_equal(number_of(json, "trace_events"), 12); /* 10 calls, press, release */
    cJSON_Delete(json);
    compare(p, "--set kernel.frames=4", "--set kernel.frames=4 --input keys.txt", "profile_digest",
            0);
}

static void test_frontend_pads_are_events(void **state)
{
    cJSON *json = report(*state, "--set kernel.frames=4 --set frontend.plugin=fake");
    assert_int_equal(number_of(json, "trace_events"), 11); /* the controller appears once */
    cJSON_Delete(json);
}

static void test_checked_mode_catches_a_frontend(void **state)
{
    expect(*state,
           "--set machine.checked=yes --set frontend.plugin=fake --set frontend.mode=wrong "
           "--set kernel.end=spin --until seconds=20",
           5, "weft: error: frontend-fake.pump: answer is unknown (found 7, expected 0 or 1)");
}

static void test_checked_mode_catches_a_kernel(void **state)
{
    expect(*state, "--set machine.checked=yes --set kernel.end=none", 5,
           "weft: error: kernel-fake.result: end is unknown (found 77, expected 1 to 6)");
}

static void test_trace_chooses_its_tracer(void **state)
{
    expect(*state, "--trace t.jsonl", 2,
           "weft: error: --trace: [tracer] plugin: no such plugin (found tracer-jsonl");
    expect(*state, "--trace t.wtr", 2,
           "weft: error: --trace: [tracer] plugin: no such plugin (found tracer-binary");
    expect(*state, "--trace t.txt", 2, "weft: error: --trace: file's suffix chooses no tracer");
}

static void test_trace_keeps_a_named_tracer(void **state)
{
    place *p = *state;
    outcome o = run(p, "--trace t.jsonl --set tracer.plugin=tracer-fake");
    assert_int_equal(o.code, 0);
    outcome_free(&o);
    char path[256];
    snprintf(path, sizeof path, "%s/t.jsonl", p->folder);
    char *text = file_text(path);
    assert_contains(text, "open 0 title.xex 99aa06d3014798d86001c324468d497f\n"); /* XXH3 of none */
    assert_contains(text, "event 0 define 0\nevent 1 define 0\n");
    assert_contains(text, "import.call 9\nclose 12 ");
    free(text);
}

static void test_arguments_are_part_of_the_inputs(void **state)
{
    place *p = *state;
    outcome o =
        process(p->folder, RUN_FOLDER "/weft run --profile fake.ini --json a.json title.xex "
                                      "-- --rounds=3 x && " RUN_FOLDER
                                      "/weft run --profile fake.ini --json b.json "
                                      "title.xex && ! cmp -s a.json b.json");
    assert_int_equal(o.code, 0);
    outcome_free(&o);
}

static void test_info_as_json_and_as_text(void **state)
{
    place *p = *state;
    outcome o = process(p->folder, RUN_FOLDER "/weft info --profile fake.ini --json title.xex");
    assert_int_equal(o.code, 0);
    assert_string_equal(o.out,
                        "{\"kind\":\"fake\",\"imports\":[{\"name\":\"NtFoo\",\"ordinal\":7}]}\n");
    outcome_free(&o);
    o = process(p->folder, RUN_FOLDER "/weft info --profile fake.ini title.xex");
    assert_string_equal(o.out, "kind: fake\nimports: 1\n  name=NtFoo ordinal=7\n");
    outcome_free(&o);
    o = process(p->folder, RUN_FOLDER "/weft info --profile fake.ini missing.xex");
    assert_int_equal(o.code, 3);
    assert_contains(o.err, "weft: error: missing.xex: no such title");
    outcome_free(&o);
}

static void test_info_needs_the_kernel_alone(void **state)
{
    place *p = *state;
    char path[256];
    file_write(p->folder, "more.ini", "[kernel]\nplugin = fake\n[cpu]\nplugin = absent\n", path);
    outcome o = process(p->folder, RUN_FOLDER "/weft info --profile more.ini title.xex");
    assert_int_equal(o.code, 0);
    outcome_free(&o);
}

static void test_plugins_lists_all(void **state)
{
    place *p = *state;
    outcome o = process(p->folder, RUN_FOLDER "/weft plugins --json");
    assert_int_equal(o.code, 0);
    cJSON *json = cJSON_Parse(o.out);
    assert_true(cJSON_IsArray(json));
    int found = 0;
    const cJSON *item;
    cJSON_ArrayForEach(item, json)
    {
        if (strcmp(text_of(item, "id"), "kernel-fake") == 0) {
            const cJSON *option = cJSON_GetArrayItem(cJSON_GetObjectItem(item, "options"), 1);
            found = 1;
            assert_string_equal(text_of(item, "role"), "kernel");
            assert_string_equal(text_of(option, "key"), "code");
            assert_string_equal(text_of(option, "type"), "int");
            assert_string_equal(text_of(option, "default"), "0");
            assert_int_equal(number_of(option, "maximum"), 255);
        }
    }
    assert_true(found);
    cJSON_Delete(json);
    outcome_free(&o);
}

static void test_plugins_shows_one_file(void **state)
{
    place *p = *state;
    outcome o =
        process(p->folder, RUN_FOLDER "/weft plugins " RUN_FOLDER "/plugins/kernel-fake.so");
    assert_int_equal(o.code, 0);
    assert_contains(o.out, "kernel-fake 1.0 (kernel, ABI 0.1");
    assert_contains(o.out, "    code (int 0..255, default 0): the title's exit code\n");
    outcome_free(&o);
    o = process(p->folder, RUN_FOLDER "/weft plugins " BAD_FOLDER "/policy-flag.so");
    assert_int_equal(o.code, 5);
    outcome_free(&o);
}

static void test_profile_check_lists_every_error(void **state)
{
    place *p = *state;
    char path[256];
    file_write(p->folder, "bad.ini",
               "[kernel]\nplugin = fake\ncode = 999\n[kernle]\nx = 1\n"
               "[machine]\nwidht = 3\n",
               path);
    outcome o = process(p->folder, RUN_FOLDER "/weft profile check bad.ini");
    assert_int_equal(o.code, 2);
    assert_contains(o.err, "weft: error: bad.ini:3: [kernel] code has no such value (found 999, "
                           "expected an integer from 0 to 255)\n");
    assert_contains(o.err, "weft: error: bad.ini:5: unknown section (found [kernle], expected "
                           "[kernel])\n");
    assert_contains(o.err,
                    "weft: error: bad.ini:7: unknown key in [machine] (found widht, expected "
                    "width)\n");
    outcome_free(&o);
}

static void test_profile_check_output_is_a_profile(void **state)
{
    place *p = *state;
    outcome o = process(p->folder, RUN_FOLDER
                        "/weft profile check fake.ini > again.ini && " RUN_FOLDER
                        "/weft profile check again.ini | grep -v '^;' > two.txt && grep -v '^;' "
                        "again.ini | cmp - two.txt");
    if (o.code) {
        fail_msg("%s", o.err);
    }
    outcome_free(&o);
}

static void test_conform_exit_codes(void **state)
{
    place *p = *state;
    outcome o =
        process(p->folder, RUN_FOLDER "/weft conform " RUN_FOLDER "/plugins/policy-contrary.so");
    assert_int_equal(o.code, 6);
    assert_contains(o.out, "policy.pick_cpu: view 0: got 99, expected a legal answer\n");
    assert_contains(o.out, " failed, 0 loose\n");
    outcome_free(&o);
    o = process(p->folder, RUN_FOLDER "/weft conform " BAD_FOLDER "/policy-good.so");
    assert_int_equal(o.code, 0);
    assert_contains(o.out, " passed, 0 failed, 0 loose\n");
    outcome_free(&o);
    o = process(p->folder, RUN_FOLDER "/weft conform --json " RUN_FOLDER "/plugins/tracer-fake.so");
    assert_int_equal(o.code, 0);
    assert_contains(o.out, "{\"plugin\": \"tracer-fake\", \"passed\": ");
    outcome_free(&o);
    o = process(p->folder, RUN_FOLDER "/weft conform " BAD_FOLDER "/policy-major.so");
    assert_int_equal(o.code, 5);
    outcome_free(&o);
}

static void test_usage(void **state)
{
    place *p = *state;
    outcome o = process(p->folder, RUN_FOLDER "/weft");
    assert_int_equal(o.code, 2);
    outcome_free(&o);
    o = process(p->folder, RUN_FOLDER "/weft fly away");
    assert_int_equal(o.code, 2);
    assert_contains(o.err, "weft: error: weft: command is unknown (found fly, expected run, info, "
                           "plugins, profile, conform, trace, gpu or ctl)");
    outcome_free(&o);
    o = process(p->folder, RUN_FOLDER "/weft run --help");
    assert_int_equal(o.code, 0);
    assert_contains(o.out, "--frames-to DIR");
    outcome_free(&o);
    o = process(p->folder, RUN_FOLDER "/weft --version");
    assert_contains(o.out, "weft 0.1.0 (ABI 0.1)");
    outcome_free(&o);
}

static void test_refused_plugin_is_5(void **state)
{
    place *p = *state;
    outcome o = process(p->folder,
                        "mkdir plugins && cp " RUN_FOLDER "/weft . && cp " RUN_FOLDER
                        "/plugins/kernel-fake.so " BAD_FOLDER "/policy-minor.so plugins && ./weft "
                        "run --profile fake.ini --set policy.plugin=minor title.xex");
    assert_int_equal(o.code, 5);
    assert_contains(o.err, "weft: error: --set policy.plugin: [policy] plugin: ABI versions differ "
                           "(found plugin ABI 0.9, expected host ABI 0.1)");
    outcome_free(&o);
}

static void test_missing_profile_is_2(void **state)
{
    place *p = *state;
    outcome o = process(p->folder, RUN_FOLDER "/weft run --profile nowhere.ini title.xex");
    assert_int_equal(o.code, 2);
    assert_string_equal(o.err,
                        "weft: error: nowhere.ini: profile nowhere.ini cannot be read (found: "
                        "No such file or directory, expected a file of at most 1 MiB)\n");
    outcome_free(&o);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, start, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_success_is_0),
        CASE(test_failing_title_is_1),
        CASE(test_bugcheck_is_1),
        CASE(test_exception_is_1),
        CASE(test_unknown_key_is_2),
        CASE(test_unknown_flag_is_2),
        CASE(test_bad_condition_is_2),
        CASE(test_malformed_title_is_3),
        CASE(test_malformed_input_is_3),
        CASE(test_deadlock_is_4),
        CASE(test_failing_plugin_is_5),
        CASE(test_tracer_that_cannot_open_is_5),
        CASE(test_tracer_that_cannot_close_is_5),
        CASE(test_window_that_cannot_open_is_5),
        CASE(test_closed_window_ends_as_asked),
        CASE(test_seconds_end_as_asked),
        CASE(test_signal_ends_as_asked),
        CASE(test_print_goes_to_stdout),
        CASE(test_log_level_hides_lines),
        CASE(test_report_has_every_field),
        CASE(test_digests_do_not_depend_on_observers),
        CASE(test_trace_digest_covers_events),
        CASE(test_profile_digest_covers_inputs),
        CASE(test_frame_limit_is_exact),
        CASE(test_first_limit_that_holds_ends),
        CASE(test_input_script_reaches_the_kernel),
        CASE(test_frontend_pads_are_events),
        CASE(test_checked_mode_catches_a_frontend),
        CASE(test_checked_mode_catches_a_kernel),
        CASE(test_trace_chooses_its_tracer),
        CASE(test_trace_keeps_a_named_tracer),
        CASE(test_arguments_are_part_of_the_inputs),
        CASE(test_info_as_json_and_as_text),
        CASE(test_info_needs_the_kernel_alone),
        CASE(test_plugins_lists_all),
        CASE(test_plugins_shows_one_file),
        CASE(test_profile_check_lists_every_error),
        CASE(test_profile_check_output_is_a_profile),
        CASE(test_conform_exit_codes),
        CASE(test_usage),
        CASE(test_refused_plugin_is_5),
        CASE(test_missing_profile_is_2),
    };
    return cmocka_run_group_tests_name("host cli", tests, NULL, NULL);
}
