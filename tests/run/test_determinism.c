/* Same title, profile and inputs: same digests, whatever watches or checks the run. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "weft_run.h"

/* Title and end of the run that the others are compared with. */
static const char *const plasma_until = "frames=12";

static weft_run plasma(const char *set)
{
    return set ? weft_json("--set", set, "--until", plasma_until, title("plasma"), NULL)
               : weft_json("--until", plasma_until, title("plasma"), NULL);
}

static void assert_same(const weft_run *a, const weft_run *b)
{
    assert_int_equal(a->status, 0);
    assert_int_equal(b->status, 0);
    assert_string_equal(report_text(a, "trace_digest"), report_text(b, "trace_digest"));
    assert_string_equal(report_text(a, "state_digest"), report_text(b, "state_digest"));
    assert_true(report_number(a, "instructions") == report_number(b, "instructions"));
    assert_true(report_number(a, "ticks") == report_number(b, "ticks"));
}

static void compare_plasma(const char *set)
{
    weft_run a = plasma(NULL), b = plasma(set);
    assert_same(&a, &b);
    weft_free(&a);
    weft_free(&b);
}

static void two_runs_are_equal(void **state)
{
    compare_plasma(NULL);
}

static void checked_mode_changes_nothing(void **state)
{
    compare_plasma("machine.checked=yes");
}

static void a_tracer_changes_nothing(void **state)
{
    char *trace = scratch_file("t.jsonl");
    weft_run a = plasma(NULL);
    weft_run b = weft_json("--trace", trace, "--until", plasma_until, title("plasma"), NULL);
    assert_same(&a, &b);
    assert_true(access(trace, R_OK) == 0);
    free(trace);
    weft_free(&a);
    weft_free(&b);
}

static void traces_are_equal_byte_for_byte(void **state)
{
    char *one = scratch_file("1.jsonl"), *two = scratch_file("2.jsonl"), command[512];
    weft_run a = weft_json("--trace", one, title("locks"), NULL);
    weft_run b = weft_json("--trace", two, title("locks"), NULL);
    assert_same(&a, &b);
    snprintf(command, sizeof command, "cmp -s %s %s", one, two);
    assert_int_equal(system(command), 0);
    free(one);
    free(two);
    weft_free(&a);
    weft_free(&b);
}

static void one_frame_less_is_another_state(void **state)
{
    weft_run a = weft_json("--until", "frames=12", title("plasma"), NULL);
    weft_run b = weft_json("--until", "frames=11", title("plasma"), NULL);
    assert_string_not_equal(report_text(&a, "state_digest"), report_text(&b, "state_digest"));
    weft_free(&a);
    weft_free(&b);
}

/* With the other core busy and this one shared. */
static void load_changes_nothing(void **state)
{
    weft_run a = weft_json(title("locks"), NULL);
    pid_t children[3];
    for (int i = 0; i < 3; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            alarm(60);
            for (volatile unsigned n = 0;; n++) {
            }
        }
    }
    weft_run b = weft_json(title("locks"), NULL);
    for (int i = 0; i < 3; i++) {
        kill(children[i], SIGKILL);
        waitpid(children[i], NULL, 0);
    }
    assert_same(&a, &b);
    weft_free(&a);
    weft_free(&b);
}

/* Stopping at an instruction is exact, and so is what is found there. */
static void instruction_limit_is_exact(void **state)
{
    weft_run a = weft_json("--until", "instructions=1000003", title("locks"), NULL);
    weft_run b = weft_json("--until", "instructions=1000003", title("locks"), NULL);
    assert_true(report_number(&a, "instructions") == 1000003);
    assert_same(&a, &b);
    weft_free(&a);
    weft_free(&b);
}

static void tick_limit_is_kept(void **state)
{
    weft_run a = weft_json("--until", "ticks=50000000", title("plasma"), NULL);
    assert_int_equal(a.status, 0);
    assert_in_range((uint64_t)report_number(&a, "ticks"), 50000000u, 50000100u);
    weft_free(&a);
}

/* Another seed, clock or cost is another run, and the profile digest says so. */
static void profile_digest_names_the_experiment(void **state)
{
    weft_run a = weft_json(title("hello"), NULL);
    weft_run b = weft_json("--set", "machine.rtc=2006-01-01T00:00:00Z", title("hello"), NULL);
    weft_run c = weft_json("--set", "machine.log=error", title("hello"), NULL);
    assert_string_not_equal(report_text(&a, "profile_digest"), report_text(&b, "profile_digest"));
    assert_string_equal(report_text(&a, "profile_digest"), report_text(&c, "profile_digest"));
    weft_free(&a);
    weft_free(&b);
    weft_free(&c);
}

/* hello-policy, built as a stranger builds it: another schedule, the same result. */
static void hello_policy_gives_the_same_checksum(void **state)
{
    char *folder = scratch_file("plugins"), command[1024];
    snprintf(command, sizeof command,
             "mkdir -p %s && gcc -std=c11 -fPIC -shared -I%s/sdk/include "
             "%s/sdk/template/hello-policy/hello-policy.c -o %s/policy-hello.so",
             folder, WEFT_SOURCE_DIR, WEFT_SOURCE_DIR, folder);
    assert_int_equal(system(command), 0);
    weft_run a = weft_json(title("locks"), NULL);
    weft_run b =
        weft_json("--plugins", folder, "--set", "policy.plugin=hello", title("locks"), NULL);
    assert_int_equal(b.status, 0);
    assert_string_equal(a.out, b.out);
    assert_true(report_number(&a, "exit_code") == report_number(&b, "exit_code"));
    assert_string_not_equal(report_text(&a, "profile_digest"), report_text(&b, "profile_digest"));
    free(folder);
    weft_free(&a);
    weft_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_runs_are_equal),
        cmocka_unit_test(checked_mode_changes_nothing),
        cmocka_unit_test(a_tracer_changes_nothing),
        cmocka_unit_test(traces_are_equal_byte_for_byte),
        cmocka_unit_test(one_frame_less_is_another_state),
        cmocka_unit_test(load_changes_nothing),
        cmocka_unit_test(instruction_limit_is_exact),
        cmocka_unit_test(tick_limit_is_kept),
        cmocka_unit_test(profile_digest_names_the_experiment),
        cmocka_unit_test(hello_policy_gives_the_same_checksum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
