/* The policy of a running title is exchanged: by a rule of the profile, which makes the same run
 * each time, and by weft ctl. docs/policy.md ("Exchanging the policy of a running title"). */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "weft_run.h"

static weft_run locks(const char *swap_at)
{
    char set[512];
    snprintf(set, sizeof set, "policy.swap_at=%s", swap_at);
    return weft_json("--set", set, "--set", "machine.checked=yes", title("locks"), NULL);
}

/* locks says the same sum under every policy, and its exit code says whether it did. */
static void digest_of(const char *swap_at, char digest[33])
{
    weft_run run = locks(swap_at);
    assert_int_equal(run.status, 0);
    snprintf(digest, 33, "%s", report_text(&run, "trace_digest"));
    weft_free(&run);
}

static void swap_to_the_same_changes_nothing(void **state)
{
    char without[33], with[33];
    digest_of("", without);
    digest_of("decisions=1 conservative then ticks=3000000 conservative then decisions=9000 "
              "conservative then ticks=20000000 conservative",
              with);
    assert_string_equal(with, without);
}

/* policy-odd lets time pass before entries: the run goes otherwise, and the same way each time. */
static void swap_at_a_decision_is_the_same_each_time(void **state)
{
    char without[33], first[33], second[33];
    const char *rule = "decisions=5000 odd every=2 then ticks=20000000 conservative";
    digest_of("", without);
    digest_of(rule, first);
    digest_of(rule, second);
    assert_string_equal(first, second);
    assert_string_not_equal(first, without);
}

static void swap_at_a_frame(void **state)
{
    char *trace = scratch_file("frames.jsonl");
    weft_run run = weft_json("--trace", trace, "--set", "tracer.kinds=gpu.swap,policy.swap",
                             "--set", "policy.swap_at=frames=2 policy-default", "--until",
                             "frames=4", title("plasma"), NULL);
    assert_int_equal(run.status, 0);
    weft_free(&run);
    run = weft("trace", "dump", trace, NULL);
    free(trace);
    const char *swap = strstr(run.out, "policy-default");
    assert_non_null(swap);
    const char *second = strstr(run.out, "frame=2"), *third = strstr(run.out, "frame=3");
    assert_non_null(second);
    assert_non_null(third);
    assert_true(second < swap && swap < third);
    weft_free(&run);
}

static void what_is_not_reached_is_told(void **state)
{
    weft_run run = locks("decisions=99999999 conservative");
    assert_int_equal(run.status, 0);
    assert_non_null(
        strstr(run.err, "[policy] swap_at: the run did not come to decisions=99999999\n"));
    weft_free(&run);
}

static void rules_are_checked(void **state)
{
    static const char *const rows[][2] = {
        {"events=5 conservative", "condition is unknown (found events=5, expected decisions=N, "
                                  "ticks=N or frames=N)"},
        {"decisions=5", "expected the id of a policy"},
        {"decisions=5 no-such", "no such plugin (found policy-no-such"},
        {"decisions=5 conservative quantum=3", "unknown key in [policy] (found quantum, expected "
                                               "quantum_ms)"},
        {"decisions=5 conservative swap_at=x", "unknown key in [policy]"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        weft_run run = locks(rows[i][0]);
        assert_int_equal(run.status, 2);
        assert_non_null(strstr(run.err, rows[i][1]));
        weft_free(&run);
    }
}

/* ---- policies that break -----------------------------------------------------------------------
 */

/* Ejected with that reason; the title goes on and gets its sum right. */
static void assert_ejected(const char *fault, const char *reason, char digest[33])
{
    char set[64];
    char *trace = scratch_file("broken.jsonl");
    snprintf(set, sizeof set, "policy.fault=%s", fault);
    weft_run run = weft_json("--set", "policy.plugin=odd", "--set", set, "--set",
                             "machine.checked=yes", "--trace", trace, title("locks"), NULL);
    assert_int_equal(run.status, 0);
    assert_non_null(strstr(run.err, reason));
    assert_int_equal(lines_with(run.err, "the built-in policy serves"), 1);
    snprintf(digest, 33, "%s", report_text(&run, "trace_digest"));
    weft_free(&run);
    run = weft("trace", "dump", "--kind", "policy.ejected", trace, NULL);
    assert_int_equal(lines_with(run.out, reason), 1);
    weft_free(&run);
    free(trace);
}

/* Whichever way it breaks, it is the same place in the run, and the same run from there on. */
static void broken_policy_is_ejected(void **state)
{
    char crashed[33], divided[33], again[33];
    assert_ejected("crash", "policy-odd crashed in pick_next", crashed);
    assert_ejected("divide", "policy-odd divided by zero in pick_next", divided);
    assert_ejected("crash", "policy-odd crashed in pick_next", again);
    assert_string_equal(crashed, again);
    assert_string_equal(crashed, divided);
}

/* Not only by a fault of the processor. */
static void other_ways_to_break(void **state)
{
    static const char *const rows[][2] = {
        {"abort", "policy-odd called abort in pick_next"},
        {"exit", "policy-odd called exit in pick_next"},
        {"stack", "policy-odd crashed in pick_next"},
        {"view", "policy-odd wrote into the view of pick_next"},
    };
    char crashed[33], other[33];
    assert_ejected("crash", "policy-odd crashed in pick_next", crashed);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_ejected(rows[i][0], rows[i][1], other);
        assert_string_equal(crashed, other);
    }
}

static void sleeping_policy_is_ejected(void **state)
{
    char crashed[33], slept[33];
    assert_ejected("crash", "policy-odd crashed in pick_next", crashed);
    assert_ejected("sleep", "policy-odd did not come back from pick_next", slept);
    assert_string_equal(crashed, slept);
}

/* A thread that would start in 584 years starts when it should. */
static void endless_delays_are_nonsense(void **state)
{
    char first[33], second[33];
    assert_ejected("delay", "too many illegal answers", first);
    assert_ejected("delay", "too many illegal answers", second);
    assert_string_equal(first, second);
}

static void broken_create_is_refused(void **state)
{
    weft_run run = weft_json("--set", "policy.plugin=odd", "--set", "policy.fault=create", "--set",
                             "machine.checked=yes", title("locks"), NULL);
    assert_int_equal(run.status, 5);
    assert_int_equal(lines_with(run.err, "policy-odd called abort in create"), 1);
    weft_free(&run);
}

static void broken_destroy_is_told(void **state)
{
    weft_run run = weft_json("--set", "policy.plugin=odd", "--set", "policy.fault=destroy", "--set",
                             "machine.checked=yes", title("locks"), NULL);
    assert_int_equal(run.status, 0);
    assert_int_equal(lines_with(run.err, "policy-odd called abort in destroy"), 1);
    weft_free(&run);
}

static void endless_policy_is_ejected(void **state)
{
    char crashed[33], looped[33];
    assert_ejected("crash", "policy-odd crashed in pick_next", crashed);
    assert_ejected("loop", "policy-odd did not come back from pick_next", looped);
    assert_string_equal(crashed, looped);
}

static void nonsense_is_ejected(void **state)
{
    char first[33], second[33];
    assert_ejected("nonsense", "too many illegal answers", first);
    assert_ejected("nonsense", "too many illegal answers", second);
    assert_string_equal(first, second);
}

/* ---- weft ctl ----------------------------------------------------------------------------------
 */

static pid_t launch(void)
{
    const char *locks_path = title("locks");
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        alarm(60);
        if (freopen("/dev/null", "w", stdout)) {
            execl(WEFT_PROGRAM, "weft", "run", "--headless", locks_path, "--", "rounds=200000",
                  (char *)NULL);
        }
        _exit(127);
    }
    return pid;
}

static void asked_from_outside(void **state)
{
    setenv("XDG_RUNTIME_DIR", scratch(), 1);
    pid_t pid = launch();
    weft_run run;
    for (int i = 0; i < 500; i++) {
        run = weft("ctl", "policy", "status", NULL);
        if (run.status == 0) {
            break;
        }
        weft_free(&run);
        usleep(10000);
    }
    assert_string_equal(run.out, "policy policy-conservative\n");
    weft_free(&run);
    for (int i = 0; i < 3; i++) {
        run = weft("ctl", "policy", "swap", "default", NULL);
        assert_int_equal(run.status, 0);
        assert_int_equal(
            strncmp(run.out, "policy-default took over from policy-conservative after ", 56), 0);
        weft_free(&run);
        run = weft("ctl", "policy", "swap", "conservative", "--set", "quantum_ms=3", NULL);
        assert_int_equal(run.status, 0);
        weft_free(&run);
    }
    run = weft("ctl", "policy", "swap", "conservative", "--set", "quantum_ms=x", NULL);
    assert_int_equal(run.status, 2);
    assert_non_null(strstr(run.err, "quantum_ms has no such value"));
    weft_free(&run);
    run = weft("ctl", "policy", "swap", "odd", "--set", "fault=nonsense", NULL);
    assert_int_equal(run.status, 0);
    weft_free(&run);
    for (int i = 0; i < 500; i++) { /* until it has answered 16 times */
        run = weft("ctl", "policy", "status", NULL);
        if (strstr(run.out, "ejected")) {
            break;
        }
        weft_free(&run);
        usleep(10000);
    }
    assert_string_equal(run.out, "policy policy-odd, ejected: the built-in policy serves\n");
    weft_free(&run);
    run = weft("ctl", "quit", NULL);
    assert_int_equal(run.status, 0);
    weft_free(&run);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void)
{
    /* what a broken policy had in its hands is lost by design */
    setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(swap_to_the_same_changes_nothing),
        cmocka_unit_test(swap_at_a_decision_is_the_same_each_time),
        cmocka_unit_test(swap_at_a_frame),
        cmocka_unit_test(what_is_not_reached_is_told),
        cmocka_unit_test(rules_are_checked),
        cmocka_unit_test(broken_policy_is_ejected),
        cmocka_unit_test(endless_policy_is_ejected),
        cmocka_unit_test(nonsense_is_ejected),
        cmocka_unit_test(other_ways_to_break),
        cmocka_unit_test(sleeping_policy_is_ejected),
        cmocka_unit_test(endless_delays_are_nonsense),
        cmocka_unit_test(broken_create_is_refused),
        cmocka_unit_test(broken_destroy_is_told),
        cmocka_unit_test(asked_from_outside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
