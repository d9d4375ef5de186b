/* `./dev bench weave`, its table: with a reference in lockstep, so that it is the same each time. What is
 * expected is what docs/policy.md ("The founding experiment") promises of the strategies, whatever the
 * numbers are. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "weft_run.h"

#define PROGRAM WEFT_BUILD_DIR "/bench/bench-weave"

static int bench(const char *arguments)
{
    char command[1024];
    snprintf(command, sizeof command, PROGRAM " %s >%s/out.txt 2>&1", arguments, scratch());
    int status = system(command);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static char *text_in(const char *name)
{
    char *path = scratch_file(name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    char *text = calloc(1, 1 << 20);
    assert_non_null(text);
    assert_true(fread(text, 1, (1 << 20) - 1, file) > 0);
    fclose(file);
    free(path);
    return text;
}

static double value(const cJSON *row, const char *key)
{
    const cJSON *item = cJSON_GetObjectItem(row, key);
    if (!cJSON_IsNumber(item)) {
        fail_msg("no %s in %s", key, cJSON_GetObjectItem(row, "name")->valuestring);
    }
    return item->valuedouble;
}

static const cJSON *row_of(const cJSON *json, const char *name)
{
    for (const cJSON *r = cJSON_GetObjectItem(json, "rows")->child; r; r = r->next) {
        if (strcmp(cJSON_GetObjectItem(r, "name")->valuestring, name) == 0) {
            return r;
        }
    }
    fail_msg("no row %s", name);
    return NULL;
}

/* Made by the first test that asks. */
static const cJSON *table(void **state)
{
    cJSON **json = *state;
    char arguments[600];
    title("wedge"); /* skips where there is none */
    if (*json) {
        return *json;
    }
    snprintf(arguments, sizeof arguments, "--table --lockstep --rounds 20 --json %s/weave.json",
             scratch());
    if (bench(arguments) != 0) {
        fail_msg("%s", text_in("out.txt"));
    }
    char *text = text_in("weave.json");
    *json = cJSON_Parse(text);
    free(text);
    assert_non_null(*json);
    return *json;
}

static int make_place(void **state)
{
    *state = calloc(1, sizeof(cJSON *));
    return *state ? 0 : -1;
}

static int free_place(void **state)
{
    cJSON_Delete(*(cJSON **)*state);
    free(*state);
    return 0;
}

static void conservative_keeps_everything_and_aggressive_does_not(void **state)
{
    const cJSON *json = table(state);
    const cJSON *reference = cJSON_GetArrayItem(cJSON_GetObjectItem(json, "references"), 0);
    const cJSON *nothing = row_of(reference, "nothing"),
                *natural = row_of(reference, "contention, conservative"),
                *forced = row_of(reference, "contention, aggressive");
    assert_string_equal(cJSON_GetObjectItem(nothing, "trace_digest")->valuestring,
                        cJSON_GetObjectItem(natural, "trace_digest")->valuestring);
    assert_true(value(natural, "main_matched") == value(nothing, "main_matched"));
    assert_true(value(natural, "matched") == value(nothing, "matched"));
    assert_true(value(natural, "kept_per_cent") == 100);
    assert_true(value(natural, "times") == 1);
    assert_true(value(natural, "parks") == 0);
    assert_true(value(forced, "parks") > 0);
    assert_true(value(forced, "parked_ticks") > 0);
    assert_true(value(forced, "main_kept_per_cent") < 100);
    assert_true(value(forced, "kept_per_cent") < 100);
    assert_true(value(forced, "times") != 1);
}

/* Every entry of the manifest has one outcome. */
static void outcomes_add_up(void **state)
{
    static const char *const outcomes[] = {
        "replayed", "free", "self_owned", "pointer_differs", "site_differs", "in_vain", "not_met"};
    static const char *const names[] = {"contention, conservative", "contention, aggressive",
                                        "contention, per_cs_yield"};
    const cJSON *json = table(state);
    const cJSON *reference = cJSON_GetArrayItem(cJSON_GetObjectItem(json, "references"), 0);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        double sum = 0;
        for (size_t k = 0; k < sizeof outcomes / sizeof outcomes[0]; k++) {
            sum += value(row_of(json, names[i]), outcomes[k]);
        }
        assert_true(sum > 0);
        assert_true(sum == value(row_of(json, names[i]), "entries"));
        assert_true(sum == value(reference, "contended"));
    }
}

/* The one kind of knowledge that is enough. */
static void order_by_numbers_is_the_reference(void **state)
{
    const cJSON *json = table(state);
    const cJSON *row = row_of(json, "order by numbers");
    assert_true(value(row, "matched") == value(row, "events"));
    assert_true(value(row, "relaxed") == 0);
    assert_true(cJSON_IsTrue(cJSON_GetObjectItem(row, "stable")));
}

static void bad_arguments_are_refused(void **state)
{
    assert_int_equal(bench("--references 0"), 2);
    assert_int_equal(bench("--references 100"), 2);
    assert_int_equal(bench("--nonsense"), 2);
    char *text = text_in("out.txt");
    assert_non_null(strstr(text, "usage: bench weave"));
    free(text);
    assert_int_equal(bench("--help"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conservative_keeps_everything_and_aggressive_does_not),
        cmocka_unit_test(outcomes_add_up),
        cmocka_unit_test(order_by_numbers_is_the_reference),
        cmocka_unit_test(bad_arguments_are_refused),
    };
    return cmocka_run_group_tests_name("weave", tests, make_place, free_place);
}
