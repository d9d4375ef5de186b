/* The bundled policies, and a stranger's, on the bundled titles. Each title checks itself: whatever the
 * order, its checksum is one known beforehand, and a wrong one ends it with another exit code. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "weft_run.h"

#include "tracer/template_build.h"

static const char *const policies[] = {
    "conservative", "aggressive",  "per_cs_yield", "xenon",
    "host_like",    "round_robin", "pct",          "chaos",
};
#define POLICIES (sizeof policies / sizeof policies[0])

static const char *const titles[] = {
    "hello", "seh",  "modules",  "locks",    "wedge", "jobs",  "pingpong", "anyall",    "sems",
    "spin",  "flag", "tryenter", "lockfree", "alloc", "audio", "timers",   "inversion", "random",
};
#define TITLES (sizeof titles / sizeof titles[0])

static weft_run play(const char *policy, const char *name, const char *setting)
{
    char choice[64];
    snprintf(choice, sizeof choice, "policy.plugin=%s", policy);
    weft_run r = setting ? weft_json("--set", choice, "--set", setting, title(name), NULL)
                         : weft_json("--set", choice, title(name), NULL);
    if (r.status != 0 || strstr(r.err, "error")) {
        fail_msg("%s under %s: exit code %d, %s%s", name, policy, r.status, r.out, r.err);
    }
    return r;
}

/* Every title and every policy; a third of the pairs, so that it does not take long. */
static void titles_come_out_right_under_every_policy(void **state)
{
    for (size_t p = 0; p < POLICIES; p++) {
        for (size_t t = p % 3; t < TITLES; t += 3) {
            weft_run r = play(policies[p], titles[t], NULL);
            weft_free(&r);
        }
    }
}

static void equal_runs_have_equal_digests(void **state)
{
    for (size_t p = 0; p < POLICIES; p++) {
        weft_run a = play(policies[p], "wedge", NULL), b = play(policies[p], "wedge", NULL);
        assert_string_equal(report_text(&a, "trace_digest"), report_text(&b, "trace_digest"));
        weft_free(&a);
        weft_free(&b);
    }
}

static void another_seed_is_another_run(void **state)
{
    static const char *const seeded[] = {"pct", "chaos"};
    for (int i = 0; i < 2; i++) {
        weft_run a = play(seeded[i], "wedge", "policy.seed=1");
        weft_run b = play(seeded[i], "wedge", "policy.seed=2");
        assert_string_not_equal(report_text(&a, "trace_digest"), report_text(&b, "trace_digest"));
        weft_free(&a);
        weft_free(&b);
    }
}

static void every_policy_conforms(void **state)
{
    for (size_t p = 0; p < POLICIES; p++) {
        char path[512];
        snprintf(path, sizeof path, WEFT_BUILD_DIR "/plugins/policy-%s.so", policies[p]);
        weft_run r = weft("conform", path, NULL);
        if (r.status != 0) {
            fail_msg("%s", r.out);
        }
        assert_non_null(strstr(r.out, " passed, 0 failed, 0 loose\n"));
        weft_free(&r);
    }
}

/* sdk/template/hello-policy, built out of tree by its README's command. */
static void strangers_policy_runs_all_titles(void **state)
{
    char path[512];
    template_build("hello-policy", "policy-hello", "", path);
    char *folder = strdup(path);
    *strrchr(folder, '/') = 0;
    weft_run c = weft("conform", path, NULL);
    assert_int_equal(c.status, 0);
    weft_free(&c);
    for (size_t t = 0; t < TITLES; t++) {
        weft_run r =
            weft_json("--plugins", folder, "--set", "policy.plugin=hello", title(titles[t]), NULL);
        if (r.status != 0) {
            fail_msg("%s: exit code %d, %s%s", titles[t], r.status, r.out, r.err);
        }
        weft_free(&r);
    }
    free(folder);
    template_remove(path);
}

/* ---- search ------------------------------------------------------------------------------------ */

static weft_run attempt(const char *policy, int seed, const char *bug)
{
    char choice[64], number[64], which[64];
    snprintf(choice, sizeof choice, "policy.plugin=%s", policy);
    snprintf(number, sizeof number, "policy.seed=%d", seed);
    snprintf(which, sizeof which, "bug=%s", bug);
    return weft_json("--set", choice, "--set", number, title("bugs"), "--", which, NULL);
}

/* The loop of docs/policy.md: the first of 200 seeds that shows a bug shows it each time. */
static void seed_that_shows_a_bug_shows_it_again(void **state)
{
    static const struct {
        const char *policy, *bug;
    } cases[] = {{"pct", "atomic"}, {"pct", "lost"}, {"chaos", "init"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        weft_run r = {0};
        int seed = 0;
        while (r.status != 1 && seed < 200) {
            weft_free(&r);
            r = attempt(cases[i].policy, ++seed, cases[i].bug);
        }
        assert_int_equal(r.status, 1);
        assert_non_null(strstr(r.out, "showed in round 0"));
        print_message("%s: seed %d of %s\n", cases[i].bug, seed, cases[i].policy);
        weft_run again = attempt(cases[i].policy, seed, cases[i].bug);
        assert_string_equal(r.out, again.out);
        assert_string_equal(report_text(&r, "trace_digest"), report_text(&again, "trace_digest"));
        weft_free(&r);
        weft_free(&again);
    }
}

/* ---- contention -------------------------------------------------------------------------------- */

/* A run under chaos is the reference. */
static void make_manifest(char **manifest, const char *option)
{
    char *trace = scratch_file("reference.wtr");
    *manifest = scratch_file("manifest.json");
    weft_run r = weft_json("--set", "policy.plugin=chaos", "--trace", trace, title("wedge"), NULL);
    assert_int_equal(r.status, 0);
    weft_free(&r);
    r = option ? weft("trace", "manifest", option, "--out", *manifest, trace, NULL)
               : weft("trace", "manifest", "--out", *manifest, trace, NULL);
    assert_int_equal(r.status, 0);
    weft_free(&r);
    free(trace);
}

static weft_run replay(const char *policy, const char *manifest)
{
    char *option = malloc(strlen(manifest) + 32);
    sprintf(option, "policy.manifest=%s", manifest);
    char choice[64];
    snprintf(choice, sizeof choice, "policy.plugin=%s", policy);
    weft_run r = weft_json("--set", choice, "--set", option, "--set", "machine.log=info",
                           title("wedge"), NULL);
    free(option);
    assert_int_equal(r.status, 0);
    return r;
}

/* Replaying contended entries where the natural path agrees changes nothing; enforcing them does. */
static void only_enforced_entries_change_the_run(void **state)
{
    static const char *const keys[] = {NULL, "--enters"};
    for (int i = 0; i < 2; i++) {
        char *manifest;
        make_manifest(&manifest, keys[i]);
        weft_run plain = play("conservative", "wedge", NULL);
        weft_run a = replay("conservative", manifest), b = replay("conservative", manifest);
        weft_run forced = replay("aggressive", manifest);
        assert_string_equal(report_text(&plain, "trace_digest"), report_text(&a, "trace_digest"));
        assert_string_equal(report_text(&a, "trace_digest"), report_text(&b, "trace_digest"));
        assert_string_not_equal(report_text(&a, "trace_digest"),
                                report_text(&forced, "trace_digest"));
        assert_int_equal(lines_with(a.err, "policy-conservative: manifest: "), 1);
        assert_int_equal(lines_with(forced.err, "policy-aggressive: manifest: "), 1);
        weft_free(&plain);
        weft_free(&a);
        weft_free(&b);
        weft_free(&forced);
        free(manifest);
    }
}

/* A manifest counts by what is in it, wherever it lies. */
static void manifest_enters_the_profile_digest_by_its_contents(void **state)
{
    char *manifest, *copy = scratch_file("copy.json"), command[1200];
    make_manifest(&manifest, NULL);
    snprintf(command, sizeof command, "cp %s %s", manifest, copy);
    assert_int_equal(system(command), 0);
    weft_run plain = play("conservative", "wedge", NULL);
    weft_run a = replay("conservative", manifest), b = replay("conservative", copy);
    snprintf(command, sizeof command, "echo >> %s", copy);
    assert_int_equal(system(command), 0);
    weft_run c = replay("conservative", copy);
    assert_string_equal(report_text(&a, "profile_digest"), report_text(&b, "profile_digest"));
    assert_string_not_equal(report_text(&a, "profile_digest"), report_text(&c, "profile_digest"));
    assert_string_not_equal(report_text(&a, "profile_digest"),
                            report_text(&plain, "profile_digest"));
    weft_free(&plain);
    weft_free(&a);
    weft_free(&b);
    weft_free(&c);
    free(manifest);
    free(copy);
}

/* The reference's own policy meets each entry. */
static void own_manifest_is_replayed_whole(void **state)
{
    static const char *const keys[] = {NULL, "--enters"};
    for (int i = 0; i < 2; i++) {
        char *trace = scratch_file("own.wtr"), *manifest = scratch_file("own.json"), option[600];
        weft_run r = weft_json("--trace", trace, title("locks"), NULL);
        assert_int_equal(r.status, 0);
        weft_free(&r);
        r = keys[i] ? weft("trace", "manifest", keys[i], "--out", manifest, trace, NULL)
                    : weft("trace", "manifest", "--out", manifest, trace, NULL);
        assert_int_equal(r.status, 0);
        weft_free(&r);
        snprintf(option, sizeof option, "policy.manifest=%s", manifest);
        r = weft_json("--set", option, "--set", "machine.log=info", title("locks"), NULL);
        unsigned entries = 0, replayed = 0;
        const char *line = strstr(r.err, "manifest: ");
        assert_non_null(line);
        assert_int_equal(sscanf(line, "manifest: %u entries: %u replayed", &entries, &replayed), 2);
        assert_true(entries > 50);
        assert_int_equal(entries, replayed);
        weft_free(&r);
        free(trace);
        free(manifest);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(titles_come_out_right_under_every_policy),
        cmocka_unit_test(equal_runs_have_equal_digests),
        cmocka_unit_test(another_seed_is_another_run),
        cmocka_unit_test(every_policy_conforms),
        cmocka_unit_test(strangers_policy_runs_all_titles),
        cmocka_unit_test(seed_that_shows_a_bug_shows_it_again),
        cmocka_unit_test(only_enforced_entries_change_the_run),
        cmocka_unit_test(manifest_enters_the_profile_digest_by_its_contents),
        cmocka_unit_test(own_manifest_is_replayed_whole),
    };
    return cmocka_run_group_tests_name("policies-run", tests, NULL, NULL);
}
