/* policy-replay: titles run under policies, and once more from their traces alone. What must come out is
 * the same run, so the same trace_digest (docs/policy.md, "Decisions as events"). */
#include <unistd.h>

#include "run/weft_run.h"
#include "tracer/fake_host.h"

static char *setting(const char *key, const char *path)
{
    char text[512];
    snprintf(text, sizeof text, "%s=%s", key, path);
    return strdup(text);
}

/* Runs a title under `policy` (and one option more), and again from the trace. */
static void runs_again(const char *name, const char *policy, const char *option, const char *file,
                       const char *arguments)
{
    char *trace = scratch_file(file), *schedule = setting("policy.schedule", trace);
    char *plugin = setting("policy.plugin", policy);
    weft_run first = weft_json("--set", plugin, "--set", option, "--trace", trace, title(name),
                               "--", arguments, NULL);
    weft_run again = weft_json("--set", "policy.plugin=replay", "--set", schedule, "--set",
                               "machine.log=info", title(name), "--", arguments, NULL);
    assert_int_equal(first.status, 0);
    assert_int_equal(again.status, 0);
    assert_string_equal(report_text(&first, "trace_digest"), report_text(&again, "trace_digest"));
    assert_string_equal(report_text(&first, "state_digest"), report_text(&again, "state_digest"));
    assert_int_equal(lines_with(again.err, "decisions given back"), 1);
    assert_int_equal(lines_with(again.err, "schedule of the recording: 0 of"), 0);
    assert_int_equal(lines_with(again.err, "does not fit"), 0);
    weft_free(&first);
    weft_free(&again);
    free(plugin);
    free(schedule);
    free(trace);
}

/* Quanta of 1 ms: other turns than the built-in policy's 20. */
static void quanta_are_given_back(void **state)
{
    runs_again("locks", "conservative", "policy.quantum_ms=1", "quanta.wtr", "");
}

static void text_traces_do_as_well(void **state)
{
    runs_again("locks", "conservative", "policy.quantum_ms=1", "quanta.jsonl", "");
}

/* It puts threads elsewhere, and time-outs too. */
static void host_like_is_given_back(void **state)
{
    runs_again("timers", "host_like", "policy.cores=2", "host_like.wtr", "");
}

/* Nearly every op of a policy, by chance. */
static void chaos_is_given_back(void **state)
{
    runs_again("jobs", "chaos", "policy.seed=3", "chaos.wtr", "");
}

/* What policy-follow holds back, and lets go when nobody could go on. */
static void holds_are_given_back(void **state)
{
    char *reference = scratch_file("ref.wtr"), *manifest = scratch_file("m.json");
    weft_run run = weft("run", "--headless", "--set", "schedule.lookahead=2000", "--trace",
                        reference, title("wedge"), "--", "rounds=20", NULL);
    weft_run made = weft("trace", "manifest", "--order", "--out", manifest, reference, NULL);
    char *order = setting("policy.order", manifest);
    assert_int_equal(run.status, 0);
    assert_int_equal(made.status, 0);
    runs_again("wedge", "follow", order, "holds.wtr", "rounds=20");
    weft_free(&run);
    weft_free(&made);
    free(order);
    free(manifest);
    free(reference);
}

/* The recording of another run: from some decision on it does not fit, and the run goes on. */
static void what_does_not_fit_is_said(void **state)
{
    char *trace = scratch_file("other.wtr"), *schedule = setting("policy.schedule", trace);
    weft_run first = weft_json("--set", "policy.plugin=conservative", "--set",
                               "policy.quantum_ms=1", "--trace", trace, title("locks"), NULL);
    weft_run again = weft_json("--set", "policy.plugin=replay", "--set", schedule, "--set",
                               "machine.call_cost=900", title("locks"), NULL);
    assert_int_equal(again.status, 0); /* the title is right under every schedule */
    assert_int_equal(lines_with(again.err, "recording does not fit from tick "), 1);
    weft_free(&first);
    weft_free(&again);
    free(schedule);
    free(trace);
}

static void refuses(const char *path, const char *why)
{
    fake_host fake;
    fake_load(&fake, "policy-replay");
    fake_set(&fake, "schedule", path);
    assert_int_equal(fake.desc->create(&fake.host, &fake.instance), WEFT_E_FORMAT);
    if (!strstr(fake.sentence, why)) {
        fail_msg("found \"%s\", expected \"%s\"", fake.sentence, why);
    }
    fake.instance = NULL;
    fake_close(&fake);
}

static void what_is_no_recording_is_refused(void **state)
{
    char *path = scratch_file("no.jsonl");
    refuses("/nowhere/x.wtr", "/nowhere/x.wtr");
    FILE *file = fopen(path, "wb");
    fputs("{\"schema_version\":1,\"engine\":\"canary\",\"kind\":\"schema_version\",\"tid\":0,"
          "\"tid_event_idx\":0,\"guest_cycle\":0,\"host_ns\":0,\"deterministic\":true,"
          "\"payload\":{\"version\":1,\"emitter_build\":\"x\"}}\n",
          file);
    fclose(file);
    refuses(path, "of another engine");
    free(path);
}

/* A filtered trace may lack decisions, and one of parallel mode has none that would make the run. */
static void traces_without_a_whole_schedule_are_refused(void **state)
{
    char *part = scratch_file("part.wtr"), *parallel = scratch_file("parallel.wtr");
    weft_run filtered =
        weft_json("--set", "tracer.kinds=sync.op", "--trace", part, title("hello"), NULL);
    weft_run many =
        weft_json("--set", "schedule.mode=parallel", "--trace", parallel, title("hello"), NULL);
    assert_int_equal(filtered.status, 0);
    assert_int_equal(many.status, 0);
    refuses(part, "without all of its events");
    refuses(parallel, "of parallel mode");
    weft_free(&filtered);
    weft_free(&many);
    free(part);
    free(parallel);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quanta_are_given_back),
        cmocka_unit_test(text_traces_do_as_well),
        cmocka_unit_test(chaos_is_given_back),
        cmocka_unit_test(host_like_is_given_back),
        cmocka_unit_test(holds_are_given_back),
        cmocka_unit_test(what_does_not_fit_is_said),
        cmocka_unit_test(what_is_no_recording_is_refused),
        cmocka_unit_test(traces_without_a_whole_schedule_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
