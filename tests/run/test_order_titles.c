/* The titles for what order does (docs/titles.md). What their threads come to is fixed by
 * arithmetic, which they check themselves; here some of it is computed again, and all of it is held
 * against other engines and other schedules. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "weft_run.h"

/* Each with an argument that keeps it short. */
static const struct {
    const char *title, *argument;
} titles[] = {
    {"wedge", "rounds=20"},       {"wedge", "variant=try"},  {"wedge", "variant=progress"},
    {"wedge", "variant=counter"}, {"jobs", "rounds=2"},      {"pingpong", "rounds=50"},
    {"anyall", "rounds=20"},      {"sems", "rounds=20"},     {"timers", "rounds=1"},
    {"spin", "rounds=40"},        {"tryenter", "rounds=40"}, {"lockfree", "rounds=100"},
    {"flag", "rounds=50"},        {"alloc", "rounds=20"},    {"audio", "rounds=10"},
    {"audio", "driver"},          {"inversion", "us=50"},    {"fibers", "rounds=10"},
    {"random", "steps=2000"},     {"random", "racy=1"},
};
#define TITLES (sizeof titles / sizeof titles[0])

static weft_run again(size_t i)
{
    return weft_json(title(titles[i].title), "--", titles[i].argument, NULL);
}

static weft_run kept[TITLES];

/* The run that the others are compared with, made once. */
static const weft_run *stock(size_t i)
{
    if (kept[i].json == NULL) {
        kept[i] = again(i);
    }
    return &kept[i];
}

static int stock_free(void **state)
{
    for (size_t i = 0; i < TITLES; i++) {
        weft_free(&kept[i]);
    }
    return 0;
}

static weft_run set_run(size_t i, const char *set)
{
    return weft_json("--set", set, title(titles[i].title), "--", titles[i].argument, NULL);
}

/* A schedule by chance (policy-dice): `seed` and `length` are its options. */
static weft_run dice_run(const char *name, const char *seed, const char *length,
                         const char *argument, const char *second)
{
    return weft_json("--plugins", WEFT_BUILD_DIR "/tests/plugins", "--set", "policy.plugin=dice",
                     "--set", seed, "--set", length, "--set", "policy.changes=6", title(name), "--",
                     argument, second, NULL);
}

/* The last line is `NAME: checksum 0x... ok`. */
static const char *verdict(const weft_run *r, const char *name)
{
    char end[64];
    snprintf(end, sizeof end, "\n%s: checksum 0x", name);
    const char *line = strstr(r->out, end + (strncmp(r->out, end + 1, strlen(end) - 1) == 0));
    if (r->status != 0 || line == NULL) {
        fail_msg("%s: status %d, %s%s", name, r->status, r->out, r->err);
    }
    line += *line == '\n';
    assert_non_null(strstr(line, " ok\n"));
    assert_string_equal(strchr(line, '\n'), "\n");
    return line;
}

static void each_title_is_right_and_repeats(void **state)
{
    for (size_t i = 0; i < TITLES; i++) {
        const weft_run *a = stock(i);
        weft_run b = again(i);
        verdict(a, titles[i].title);
        assert_string_equal(a->out, b.out);
        assert_string_equal(report_text(a, "trace_digest"), report_text(&b, "trace_digest"));
        assert_string_equal(report_text(a, "state_digest"), report_text(&b, "state_digest"));
        assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(a->json, "unimplemented")), 0);
        weft_free(&b);
    }
}

static void engines_and_checks_change_nothing(void **state)
{
    static const char *const sets[] = {"cpu.engine=interp-plain", "machine.checked=yes"};
    for (size_t i = 0; i < TITLES; i++) {
        weft_run b = set_run(i, sets[i % 2]);
        assert_string_equal(stock(i)->out, b.out);
        assert_string_equal(report_text(stock(i), "trace_digest"), report_text(&b, "trace_digest"));
        weft_free(&b);
    }
}

/* Another schedule is another trace, and the same checksum. */
static void schedules_change_the_trace_and_not_the_verdict(void **state)
{
    for (size_t i = 0; i < TITLES; i++) {
        const weft_run *a = stock(i);
        weft_run b = dice_run(titles[i].title, "policy.seed=7", "policy.length=1000",
                              titles[i].argument, NULL);
        assert_string_equal(verdict(a, titles[i].title), verdict(&b, titles[i].title));
        assert_string_not_equal(report_text(a, "trace_digest"), report_text(&b, "trace_digest"));
        weft_free(&b);
    }
}

/* FNV-1a over 64-bit numbers, the most significant byte first. */
static uint32_t fold(const uint64_t *numbers, size_t count)
{
    uint32_t hash = 0x811C9DC5u;
    for (size_t i = 0; i < count; i++) {
        for (int shift = 56; shift >= 0; shift -= 8) {
            hash = (hash ^ (uint8_t)(numbers[i] >> shift)) * 0x01000193u;
        }
    }
    return hash;
}

/* jobs: fib(10) = 55 and 2 fib(11) - 1 = 177 calls. spin, tryenter: 21 = 1 + ... + 6 for each
 * round. sems: nobody left inside, a closed gate (STATUS_TIMEOUT), 2 writers, 4 readers, a full
 * semaphore (STATUS_SEMAPHORE_LIMIT_EXCEEDED), no errors. */
static void checksums_are_of_what_arithmetic_gives(void **state)
{
    static const struct {
        const char *title;
        uint64_t numbers[8];
        size_t count;
    } cases[] = {
        {"jobs", {55, 177, 55, 177, 55, 177}, 6},
        {"spin", {21 * 3, 21 * 3, 6 * 3}, 3},
        {"tryenter", {21 * 3, 0}, 2},
        {"sems", {0, 0x102, 2 * 3, 2 * 3, 4 * 3, 0xC0000047, 0}, 7},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        weft_run r = weft_json(title(cases[i].title), "--", "rounds=3", NULL);
        char line[80];
        snprintf(line, sizeof line, "%s: checksum 0x%08x ok\n", cases[i].title,
                 fold(cases[i].numbers, cases[i].count));
        assert_string_equal(verdict(&r, cases[i].title), line);
        weft_free(&r);
    }
}

/* What main of wedge calls is decided by the order of others' pushes: at main's critical section
 * another schedule is another number of entries, also without any race on memory. */
static void wedge_main_depends_on_the_order(void **state)
{
    weft_run a = weft_json(title("wedge"), "--", "rounds=50", NULL);
    weft_run b = dice_run("wedge", "policy.seed=1", "policy.length=1000", "rounds=50", NULL);
    int a_cleanups = atoi(strchr(a.out, ' ')), b_cleanups = atoi(strchr(b.out, ' '));
    assert_true(a_cleanups > 0);
    assert_true(b_cleanups > 0);
    assert_int_not_equal(a_cleanups, b_cleanups);
    weft_free(&a);
    weft_free(&b);
}

static const char *const bugs[] = {"bug=init", "bug=early",    "bug=lost", "bug=atomic",
                                   "bug=aba",  "bug=deadlock", "bug=twice"};
#define BUGS (sizeof bugs / sizeof bugs[0])

static void the_stock_schedule_hides_the_bugs(void **state)
{
    weft_run r = weft_json(title("bugs"), "--", "rounds=20", NULL);
    assert_int_equal(r.status, 0);
    assert_string_equal(r.out, "bugs: 7 tried, none showed\n");
    weft_free(&r);
}

/* Each is found within 200 schedules by chance, the same schedule shows it again, and the corrected
 * form passes under it. */
static void other_schedules_show_the_bugs(void **state)
{
    for (size_t i = 0; i < BUGS; i++) {
        char seed[32], line[64];
        weft_run r = {.status = 0};
        int n = 0;
        do {
            weft_free(&r);
            snprintf(seed, sizeof seed, "policy.seed=%d", ++n);
            r = dice_run("bugs", seed, "policy.length=400", bugs[i], "rounds=8");
        } while (r.status == 0 && n < 200);
        snprintf(line, sizeof line, "bugs: %s showed in round ", bugs[i] + strlen("bug="));
        assert_int_equal(r.status, 1);
        assert_int_equal((int)report_number(&r, "exit_code"), 1);
        assert_int_equal(strncmp(r.out, line, strlen(line)), 0);
        weft_run again = dice_run("bugs", seed, "policy.length=400", bugs[i], "rounds=8");
        assert_string_equal(report_text(&r, "trace_digest"), report_text(&again, "trace_digest"));
        weft_run fixed = dice_run("bugs", seed, "policy.length=400", bugs[i], "fixed");
        assert_int_equal(fixed.status, 0);
        weft_free(&r);
        weft_free(&again);
        weft_free(&fixed);
    }
}

/* A deadlock that the title leaves alone is the kernel's to find: CONTRACTS, exit code 4. */
static void a_planted_deadlock_is_found_by_the_kernel(void **state)
{
    weft_run r = {.status = 0};
    for (int n = 1; r.status == 0 && n <= 200; n++) {
        char seed[32];
        weft_free(&r);
        snprintf(seed, sizeof seed, "policy.seed=%d", n);
        r = dice_run("bugs", seed, "policy.length=80", "bug=deadlock", "hang");
    }
    assert_int_equal(r.status, 4);
    assert_int_equal(lines_with(r.err, "weft: error:"), 1);
    weft_free(&r);
}

/* A seed stands for a program: 6 threads of 64 instructions; none waits for a lower rank than it
 * holds. */
static void a_seed_is_a_program(void **state)
{
    weft_run a = weft_json(title("random"), "--", "seed=5", "print", NULL);
    weft_run b = weft_json(title("random"), "--", "seed=5", "print", "steps=20000", NULL);
    weft_run c = weft_json(title("random"), "--", "seed=6", "print", NULL);
    assert_int_equal(a.status, 0);
    assert_int_equal(lines_with(a.out, "random: "), 6 * 64);
    assert_int_equal(lines_with(a.out, " exchange "), 6 * 4);
    assert_string_equal(a.out, b.out);
    assert_string_not_equal(a.out, c.out);
    for (const char *line = a.out; *line; line = strchr(line, '\n') + 1) {
        unsigned thread, at, low, high;
        char name[16];
        assert_int_equal(sscanf(line, "random: %u.%u %15s %u %u", &thread, &at, name, &low, &high),
                         5);
        if (strcmp(name, "nest") == 0 || strcmp(name, "branch") == 0 || strcmp(name, "all") == 0) {
            assert_true(low < high);
        }
    }
    weft_free(&a);
    weft_free(&b);
    weft_free(&c);
}

/* Few threads and many: right under the stock schedule and under one by chance. */
static void programs_by_chance_are_right(void **state)
{
    for (int seed = 10; seed <= 20; seed += 2) {
        char number[32], threads[32], policy[32];
        snprintf(number, sizeof number, "seed=%d", seed);
        snprintf(threads, sizeof threads, "threads=%d", seed - 8);
        snprintf(policy, sizeof policy, "policy.seed=%d", seed);
        weft_run a =
            weft_json(title("random"), "--", number, threads, "steps=1000", "racy=1", NULL);
        weft_run b = dice_run("random", policy, "policy.length=1000", number, threads);
        verdict(&a, "random");
        verdict(&b, "random");
        weft_free(&a);
        weft_free(&b);
    }
}

static void wrong_arguments_are_told(void **state)
{
    static const char *const cases[][2] = {{"wedge", "variant=none"},
                                           {"bugs", "bug=none"},
                                           {"random", "threads=13"},
                                           {"random", "steps=10"},
                                           {"jobs", "n=21"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        weft_run r = weft_json(title(cases[i][0]), "--", cases[i][1], NULL);
        assert_int_equal(r.status, 1);
        assert_int_equal((int)report_number(&r, "exit_code"), 2);
        assert_int_equal(lines_with(r.out, cases[i][0]), 1);
        weft_free(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_title_is_right_and_repeats),
        cmocka_unit_test(engines_and_checks_change_nothing),
        cmocka_unit_test(schedules_change_the_trace_and_not_the_verdict),
        cmocka_unit_test(checksums_are_of_what_arithmetic_gives),
        cmocka_unit_test(wedge_main_depends_on_the_order),
        cmocka_unit_test(the_stock_schedule_hides_the_bugs),
        cmocka_unit_test(other_schedules_show_the_bugs),
        cmocka_unit_test(a_planted_deadlock_is_found_by_the_kernel),
        cmocka_unit_test(a_seed_is_a_program),
        cmocka_unit_test(programs_by_chance_are_right),
        cmocka_unit_test(wrong_arguments_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, stock_free);
}
