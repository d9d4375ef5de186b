/* The bundled titles in parallel mode. Each judges itself: it prints "NAME: checksum 0x... ok" or "0
 * checks failed" from what it computes apart from threads, and ends with 0. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "weft_run.h"

#define PARALLEL "--set", "schedule.mode=parallel"
#define RUNS     3

static void ends_well(const char *name, const char *verdict)
{
    for (int i = 0; i < RUNS; i++) {
        weft_run r = weft_json(PARALLEL, title(name), NULL);
        assert_int_equal(lines_with(r.err, "weft: error:"), 0);
        assert_non_null(strstr(r.out, verdict));
        assert_int_equal(r.status, 0);
        weft_free(&r);
    }
}

#define CHECKSUM(name)                                                                             \
    static void name##_is_right(void **state)                                                      \
    {                                                                                              \
        ends_well(#name, " ok\n");                                                                 \
    }

CHECKSUM(locks)
CHECKSUM(wedge)
CHECKSUM(jobs)
CHECKSUM(pingpong)
CHECKSUM(anyall)
CHECKSUM(sems)
CHECKSUM(timers)
CHECKSUM(spin)
CHECKSUM(tryenter)
CHECKSUM(lockfree)
CHECKSUM(flag)
CHECKSUM(alloc)
CHECKSUM(audio)
CHECKSUM(inversion)
CHECKSUM(random)

static void single_threaded_titles_are_right(void **state)
{
    ends_well("hello", "hello: ends with 0\n");
    ends_well("modules", "modules: 0 checks failed\n");
    ends_well("seh", "seh: 0 checks failed\n");
}

static void frames_are_counted(void **state)
{
    weft_run r = weft_json(PARALLEL, "--until", "frames=10", title("plasma"), NULL);
    assert_int_equal(r.status, 0);
    assert_true(report_number(&r, "frames") >= 10);
    assert_string_equal(report_text(&r, "reason"), "reached frames=10");
    weft_free(&r);
}

/* docs/kernel.md, "Parallel mode": at least so many. */
static void instructions_are_a_lower_bound(void **state)
{
    weft_run r = weft_json(PARALLEL, "--until", "instructions=3000000", title("plasma"), NULL);
    assert_int_equal(r.status, 0);
    assert_string_equal(report_text(&r, "reason"), "instruction limit reached");
    assert_true(report_number(&r, "instructions") >= 3000000);
    weft_free(&r);
}

/* Guest time is the host's: a title that ran for 100 ms of it took no less of the host's. */
static void ticks_are_the_hosts(void **state)
{
    weft_run r = weft_json(PARALLEL, "--until", "ticks=100000000", title("plasma"), NULL);
    assert_int_equal(r.status, 0);
    assert_true(report_number(&r, "seconds") >= 0.1);
    weft_free(&r);
}

static void checked_parts_keep_their_contracts(void **state)
{
    weft_run r = weft_json(PARALLEL, "--set", "machine.checked=yes", title("locks"), NULL);
    assert_string_equal(r.err, "");
    assert_int_equal(r.status, 0);
    weft_free(&r);
}

typedef struct numbers {
    char object[17];
    uint64_t count, sum; /* of its operations */
} numbers;

static numbers *numbers_of(numbers *all, uint32_t room, const char *object)
{
    for (uint32_t i = 0; i < room; i++) {
        if (!all[i].object[0] || strcmp(all[i].object, object) == 0) {
            snprintf(all[i].object, sizeof all[i].object, "%s", object);
            return &all[i];
        }
    }
    fail();
    return NULL;
}

/* docs/trace.md: no value of a guest event is promised to be the same again. docs/kernel.md, "The
 * order of operations": an object's n operations have the numbers 0 to n-1, whose sum is n(n-1)/2. */
static void trace_says_so_and_orders_every_operation(void **state)
{
    static numbers all[1024];
    char *file = scratch_file("parallel.jsonl"), line[16384];
    weft_run r = weft_json(PARALLEL, "--trace", file, title("sems"), NULL);
    assert_int_equal(r.status, 0);
    weft_free(&r);
    FILE *f = fopen(file, "r");
    assert_non_null(f);
    uint64_t operations = 0;
    while (fgets(line, sizeof line, f)) {
        if (!strstr(line, "\"kind\":\"sync.op\"")) {
            continue;
        }
        assert_non_null(strstr(line, "\"deterministic\":false"));
        cJSON *json = cJSON_Parse(line);
        const cJSON *payload = cJSON_GetObjectItem(json, "payload");
        numbers *n = numbers_of(all, sizeof all / sizeof all[0],
                                cJSON_GetStringValue(cJSON_GetObjectItem(payload, "object")));
        n->sum += (uint64_t)cJSON_GetNumberValue(cJSON_GetObjectItem(payload, "sequence"));
        n->count++;
        operations++;
        cJSON_Delete(json);
    }
    fclose(f);
    free(file);
    assert_true(operations > 100);
    for (uint32_t i = 0; i < sizeof all / sizeof all[0] && all[i].object[0]; i++) {
        if (strtoull(all[i].object, NULL, 16)) { /* a delay has no object, and no numbers */
            assert_true(all[i].sum == all[i].count * (all[i].count - 1) / 2);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(locks_is_right),
        cmocka_unit_test(wedge_is_right),
        cmocka_unit_test(jobs_is_right),
        cmocka_unit_test(pingpong_is_right),
        cmocka_unit_test(anyall_is_right),
        cmocka_unit_test(sems_is_right),
        cmocka_unit_test(timers_is_right),
        cmocka_unit_test(spin_is_right),
        cmocka_unit_test(tryenter_is_right),
        cmocka_unit_test(lockfree_is_right),
        cmocka_unit_test(flag_is_right),
        cmocka_unit_test(alloc_is_right),
        cmocka_unit_test(audio_is_right),
        cmocka_unit_test(inversion_is_right),
        cmocka_unit_test(random_is_right),
        cmocka_unit_test(single_threaded_titles_are_right),
        cmocka_unit_test(frames_are_counted),
        cmocka_unit_test(instructions_are_a_lower_bound),
        cmocka_unit_test(ticks_are_the_hosts),
        cmocka_unit_test(checked_parts_keep_their_contracts),
        cmocka_unit_test(trace_says_so_and_orders_every_operation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
