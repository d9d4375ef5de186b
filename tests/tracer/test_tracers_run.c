/* The tracers in whole runs of the bundled title `locks`, as a user starts them. What one tracer says
 * is held against what another one wrote, and against the report of the run. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "run/weft_run.h"
#include "trace.h"

/* "KEY" + VALUE, for --set. The caller frees it. */
static char *join(const char *key, const char *value)
{
    char *text = malloc(strlen(key) + strlen(value) + 1);
    assert_non_null(text);
    return strcat(strcpy(text, key), value);
}

static cJSON *read_json(const char *path)
{
    static char text[1 << 16];
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    cJSON *json = cJSON_Parse(text);
    assert_non_null(json);
    return json;
}

static double number(const cJSON *json, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, key);
    assert_true(cJSON_IsNumber(item));
    return item->valuedouble;
}

/* trace_digest of a file's events before a sequence, and their number. */
static uint64_t digest_before(const char *path, uint64_t end, char hex[33])
{
    weft_trace_digest *digest = weft_trace_digest_new();
    weft_trace *trace = weft_trace_open(path);
    const weft_event *event;
    while ((event = weft_trace_next(trace)) != NULL && event->sequence < end) {
        weft_trace_digest_add(digest, event);
    }
    weft_trace_close(trace);
    return weft_trace_digest_end(digest, hex);
}

/* Reads a file to its end. */
static weft_trace_info info_of(const char *path, uint64_t *events)
{
    const char *where;
    weft_trace *trace = weft_trace_open(path);
    *events = 0;
    while (weft_trace_next(trace)) {
        ++*events;
    }
    assert_null(weft_trace_failed(trace, &where));
    weft_trace_info info = *weft_trace_info_of(trace);
    weft_trace_close(trace);
    return info;
}

/* One run with all of them: each file tells of the same run. */
static void tee_feeds_several_tracers_the_same_run(void **state)
{
    char *whole = scratch_file("whole.wtr"), *text = scratch_file("text.jsonl");
    char *flight = scratch_file("flight.wtr"), *count = scratch_file("count.json");
    char to[1024], hex[33];
    uint64_t events;
    snprintf(
        to, sizeof to,
        "tracer.to=binary path=%s and jsonl path=%s and ring path=%s events=1600 dump_on=close "
        "and count path=%s format=json interval_ms=0",
        whole, text, flight, count);
    weft_run run = weft_json("--set", "tracer.plugin=tee", "--set", to, title("locks"), NULL);
    assert_int_equal(run.status, 0);
    const char *expected = report_text(&run, "trace_digest");

    assert_int_equal(digest_before(whole, UINT64_MAX, hex), report_number(&run, "trace_events"));
    assert_string_equal(hex, expected);
    digest_before(text, UINT64_MAX, hex);
    assert_string_equal(hex, expected);

    weft_trace_info info = info_of(flight, &events);
    assert_true(info.complete);
    assert_true(info.first > 1600);                  /* the run is longer than what is kept */
    assert_in_range(events, 1600, 1600 + 100 + 400); /* a sixteenth more, and definitions */
    assert_string_equal(info.digest, expected);
    digest_before(whole, info.first, hex);
    assert_string_equal(info.before, hex);

    cJSON *json = read_json(count);
    assert_true(number(json, "last") == (double)info.last);
    assert_true(number(json, "events") == number(json, "last") + 1);
    cJSON_Delete(json);
    weft_free(&run);
    free(whole);
    free(text);
    free(flight);
    free(count);
}

/* A link whose file is not there yet, another one that leads to it, and a ring of links. */
static void two_names_of_one_file_are_refused(void **state)
{
    char *one = scratch_file("one.wtr"), *two = scratch_file("two.wtr");
    char *three = scratch_file("three.wtr"), *ring = scratch_file("ring.wtr"), to[1024];
    assert_int_equal(symlink("one.wtr", two), 0);
    assert_int_equal(symlink(two, three), 0);
    assert_int_equal(symlink("ring.wtr", ring), 0);
    const char *const others[] = {one, two, three};
    for (int i = 0; i < 3; i++) {
        snprintf(to, sizeof to, "tracer.to=binary path=%s and jsonl path=%s", one, others[i]);
        weft_run run = weft("run", "--headless", "--set", "tracer.plugin=tee", "--set", to,
                            title("hello"), NULL);
        assert_int_equal(run.status, 5);
        assert_int_equal(lines_with(run.err, "file is another tracer's of this run"), 1);
        assert_int_equal(access(one, F_OK), -1);
        weft_free(&run);
    }
    snprintf(to, sizeof to, "tracer.path=%s", ring);
    weft_run run = weft("run", "--headless", "--set", "tracer.plugin=binary", "--set", to,
                        title("hello"), NULL);
    assert_int_equal(run.status, 5);
    assert_int_equal(lines_with(run.err, "tracer-binary.open: cannot create"), 1);
    weft_free(&run);
    free(one);
    free(two);
    free(three);
    free(ring);
}

static void run_agrees_with_its_own_trace(void **state)
{
    char *reference = scratch_file("reference.wtr"), *report = scratch_file("comparison.json");
    char *set = join("tracer.reference=", reference), *path = join("tracer.path=", report);
    weft_run first = weft("run", "--headless", "--trace", reference, title("locks"), NULL);
    assert_int_equal(first.status, 0);
    weft_run run = weft_json("--set", "tracer.plugin=live-diff", "--set", set, "--set", path,
                             title("locks"), NULL);
    assert_int_equal(run.status, 0);
    cJSON *json = read_json(report);
    assert_true(number(json, "diverged") == 0);
    assert_true(number(json, "extra") == 0);
    assert_true(number(json, "missing") == 0);
    assert_true(number(json, "shorter") == 0);
    assert_true(number(json, "equal") > 10); /* locks has dozens of threads */
    assert_true(number(json, "events_equal") == number(json, "events_there"));
    cJSON_Delete(json);
    weft_free(&first);
    weft_free(&run);
    free(reference);
    free(report);
    free(set);
    free(path);
}

/* The recorder is swapped in while the title runs; what it dumps goes on where the other ended. */
static void dump_after_a_swap_leaves_no_seam(void **state)
{
    char *first = scratch_file("seam1.wtr"), *second = scratch_file("seam2.wtr");
    char *path = join("tracer.path=", first), rule[512];
    snprintf(rule, sizeof rule,
             "tracer.swap_at=events=20000 ring path=%s dump_on=close events=1000000", second);
    weft_run run = weft_json("--set", "tracer.plugin=binary", "--set", path, "--set", rule,
                             title("locks"), NULL);
    assert_int_equal(run.status, 0);
    weft_run chain = weft("trace", "digest", "--chain", first, second, NULL);
    assert_int_equal(chain.status, 0);
    assert_memory_equal(chain.out, report_text(&run, "trace_digest"), 32);
    weft_free(&run);
    weft_free(&chain);
    free(first);
    free(second);
    free(path);
}

static void run_is_stopped_at_its_first_divergence(void **state)
{
    char *reference = scratch_file("reference.jsonl");
    char *set = join("tracer.reference=", reference);
    weft_run first = weft_json("--trace", reference, title("locks"), NULL);
    assert_int_equal(first.status, 0);
    /* Calls take fifty times as long, so that threads meet in another order. */
    weft_run run =
        weft_json("--set", "tracer.plugin=live-diff", "--set", set, "--set", "tracer.stop=yes",
                  "--set", "machine.call_cost=5000", title("locks"), NULL);
    assert_int_equal(run.status, 0);
    assert_string_equal(report_text(&run, "end"), "condition");
    assert_non_null(
        strstr(report_text(&run, "reason"), "diverged from the reference: thread:main"));
    assert_int_equal(lines_with(run.err, " diverges at its event "), 1);
    assert_true(report_number(&run, "instructions") < report_number(&first, "instructions"));
    weft_free(&first);
    weft_free(&run);
    free(reference);
    free(set);
}

static const cJSON *find_thread(const cJSON *list, const char *name)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, list)
    {
        const cJSON *text = cJSON_GetObjectItemCaseSensitive(item, "name");
        if (cJSON_IsString(text) && strcmp(text->valuestring, name) == 0) {
            return item;
        }
    }
    return NULL;
}

/* `weft trace diff` reads two files when both runs are over, with none of the plugin's code. */
static void comparison_agrees_with_trace_diff(void **state)
{
    char *reference = scratch_file("ref.wtr"), *ours = scratch_file("ours.wtr");
    char *report = scratch_file("both.json"), to[512];
    weft_run first = weft("run", "--headless", "--trace", reference, title("locks"), NULL);
    assert_int_equal(first.status, 0);
    snprintf(to, sizeof to, "tracer.to=binary path=%s and live-diff reference=%s path=%s context=0",
             ours, reference, report);
    weft_run run = weft("run", "--headless", "--set", "tracer.plugin=tee", "--set", to, "--set",
                        "machine.call_cost=5000", title("locks"), NULL);
    assert_int_equal(run.status, 0);
    weft_run diff = weft("trace", "diff", "--json", reference, ours, NULL);
    assert_int_equal(diff.status, 6);
    cJSON *theirs = cJSON_Parse(diff.out), *live = read_json(report);
    const cJSON *mine = cJSON_GetObjectItemCaseSensitive(live, "threads"), *item;
    unsigned compared = 0, diverged = 0;
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(theirs, "threads"))
    {
        const cJSON *name = cJSON_GetObjectItemCaseSensitive(item, "ours");
        const cJSON *thread = cJSON_IsString(name) ? find_thread(mine, name->valuestring) : NULL;
        if (thread) {
            assert_true(number(item, "matched") == number(thread, "equal"));
            assert_true(number(item, "ours_total") == number(thread, "here"));
            assert_true(number(item, "ref_total") == number(thread, "there"));
            diverged += number(item, "matched") < number(item, "ours_total");
            compared++;
        }
    }
    assert_true(compared > 10);
    assert_true(diverged > 1);
    assert_true(number(live, "diverged") == diverged);
    cJSON_Delete(theirs);
    cJSON_Delete(live);
    weft_free(&first);
    weft_free(&run);
    weft_free(&diff);
    free(reference);
    free(ours);
    free(report);
}

static void failed_run_leaves_its_last_events(void **state)
{
    char *flight = scratch_file("failed.wtr");
    char *set = join("tracer.path=", flight);
    uint64_t events;
    weft_run good = weft("run", "--headless", "--set", "tracer.plugin=ring", "--set", set,
                         title("hello"), NULL);
    assert_int_equal(good.status, 0);
    assert_int_equal(access(flight, F_OK), -1);
    /* `seh unhandled` raises an exception that nobody handles: exit code 1 */
    weft_run bad = weft("run", "--headless", "--set", "tracer.plugin=ring", "--set", set,
                        title("seh"), "--", "unhandled", NULL);
    assert_int_equal(bad.status, 1);
    assert_true(lines_with(bad.err, "weft: tracer-ring: ") > 0);
    assert_true(info_of(flight, &events).complete);
    assert_true(events > 0);
    weft_free(&good);
    weft_free(&bad);
    free(flight);
    free(set);
}

static void each_tracer_that_lost_output_is_named(void **state)
{
    char *good = scratch_file("good.wtr"), to[512];
    uint64_t events;
    snprintf(to, sizeof to,
             "tracer.to=jsonl path=/dev/full and binary path=%s and count path=/dev/full", good);
    weft_run run =
        weft("run", "--headless", "--set", "tracer.plugin=tee", "--set", to, title("hello"), NULL);
    assert_int_equal(run.status, 5); /* CONTRACTS: a plugin failed */
    assert_non_null(strstr(run.err, "tracer-jsonl: cannot write /dev/full (found No space left"));
    assert_non_null(strstr(run.err, "; tracer-count: cannot write /dev/full (found No space left"));
    assert_true(info_of(good, &events).complete);
    weft_free(&run);
    free(good);
}

/* Each as `weft plugins` finds it, and those that need an option with one. */
static void bundled_tracers_conform(void **state)
{
    static const char *const ids[] = {"binary", "count", "jsonl",    "live-diff",
                                      "null",   "ring",  "perfetto", "tee"};
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        char path[512];
        snprintf(path, sizeof path, WEFT_BUILD_DIR "/plugins/tracer-%s.so", ids[i]);
        weft_run run = weft("conform", path, NULL);
        if (run.status != 0) {
            fail_msg("%s: exit code %d\n%s%s", ids[i], run.status, run.out, run.err);
        }
        assert_non_null(strstr(run.out, " passed, 0 failed, 0 loose\n"));
        weft_free(&run);
    }
    weft_run tee = weft("conform", "--set", "to=null and count",
                        WEFT_BUILD_DIR "/plugins/tracer-tee.so", NULL);
    assert_int_equal(tee.status, 0);
    assert_null(strstr(tee.out, "refused"));
    weft_free(&tee);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tee_feeds_several_tracers_the_same_run),
        cmocka_unit_test(two_names_of_one_file_are_refused),
        cmocka_unit_test(run_agrees_with_its_own_trace),
        cmocka_unit_test(dump_after_a_swap_leaves_no_seam),
        cmocka_unit_test(run_is_stopped_at_its_first_divergence),
        cmocka_unit_test(comparison_agrees_with_trace_diff),
        cmocka_unit_test(failed_run_leaves_its_last_events),
        cmocka_unit_test(each_tracer_that_lost_output_is_named),
        cmocka_unit_test(bundled_tracers_conform),
    };
    return cmocka_run_group_tests_name("tracers in runs", tests, NULL, NULL);
}
