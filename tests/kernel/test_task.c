/* XAM's tasks: attributes, tables, what is refused. That they run is the title `tasks`' to show
 * (tests/run). Expectations: XAMTASKATTRIBUTES and XAMTASKMODIFY_* of homebrew's XAM headers. */
#include "fixture.h"

#include <stdlib.h>
#include <string.h>

#include "exports.h"
#include "xam.h"

#define U(x) ((uint64_t)(x))

#define OUT        0x100
#define ATTRIBUTES 0x200
#define PROCEDURE  0x82001000
#define PARAMETER  0x1234

enum { WAIT = 1, DEDICATED = 2, PERIODIC = 8 };
#define ONCE           0x01000000u
#define WAIT_ON_HANDLE 0x08000000u

static weft_status state_create(void *instance, weft_cpu_state **state)
{
    *state = calloc(1, sizeof **state);
    return *state ? WEFT_OK : WEFT_E_NO_MEMORY;
}

static void state_destroy(void *instance, weft_cpu_state *state)
{
    free(state);
}

static const weft_cpu_ops still = {
    .size = sizeof still,
    .state_create = state_create,
    .state_destroy = state_destroy,
};

static int setup(void **state)
{
    fixture *f = *state = fixture_open();
    f->k->cpu = &still;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    while (f->thread->next) {
        kthread *t = f->thread->next;
        f->thread->next = t->next;
        state_destroy(NULL, t->cpu);
        free(t);
    }
    free(f->k->thunks);
    fixture_close(f);
    return 0;
}

static uint32_t schedule(fixture *f, uint32_t properties, uint32_t second)
{
    set_word(f, f->scratch + ATTRIBUTES, properties);
    set_word(f, f->scratch + ATTRIBUTES + 4, second);
    return (uint32_t)invoke(f, ex_XamTaskSchedule, 4, U(PROCEDURE), U(PARAMETER),
                            U(f->scratch + ATTRIBUTES), U(f->scratch + OUT));
}

static uint32_t handle(const fixture *f)
{
    return word(f, f->scratch + OUT);
}

static void one_that_runs_once_is_its_procedure(void **state)
{
    fixture *f = *state;
    assert_int_equal(schedule(f, DEDICATED, 0), 0);
    const kthread *t = f->thread->next;
    assert_int_equal(t->cpu->pc, PROCEDURE);
    assert_int_equal(t->cpu->r[3], PARAMETER);
    assert_int_equal(invoke(f, ex_XamTaskGetAttributes, 2, U(handle(f)), U(f->scratch)), 0);
    assert_int_equal(word(f, f->scratch), DEDICATED);
}

/* The procedure stands in the worker's table, with a period of 20 ms in 100 ns, relative. */
static void a_periodic_one_has_a_worker(void **state)
{
    fixture *f = *state;
    assert_int_equal(schedule(f, PERIODIC, 20), 0);
    const kthread *t = f->thread->next;
    uint32_t table = (uint32_t)t->cpu->r[3];
    assert_int_equal(t->cpu->pc, f->k->xam.task_code);
    assert_int_equal(word(f, table + 8), 1);
    assert_int_equal(word(f, table + 0x0C), table + 0x20);
    assert_int_equal(word(f, table + 0x10), PROCEDURE);
    assert_int_equal(word(f, table + 0x14), PARAMETER);
    assert_int_equal(quad(f, table + 0x20), (uint64_t)-200000);
    assert_int_equal(schedule(f, PERIODIC, 0), 0); /* never no time at all */
    assert_int_equal(quad(f, (uint32_t)t->next->cpu->r[3] + 0x20), (uint64_t)-10000);
    assert_int_equal(t->next->cpu->pc, f->k->xam.task_code);
}

static void a_waiting_one_needs_an_object(void **state)
{
    fixture *f = *state;
    uint32_t event = (uint32_t)invoke(f, ex_CreateEventA, 4, U(0), U(0), U(0), U(0));
    kobject *o = khandle_get(f->k, f->thread, event, KOBJECT_EVENT);
    uint32_t before = o->references;
    assert_int_equal(schedule(f, WAIT | WAIT_ON_HANDLE | ONCE, event), 0);
    uint32_t table = (uint32_t)f->thread->next->cpu->r[3];
    assert_int_equal(word(f, table + 4), o->body);
    assert_int_equal(word(f, table + 8), 2);
    assert_int_equal(word(f, table + 0x0C), 0);
    assert_int_equal(word(f, table + 0x18), 1);
    assert_int_equal(o->references, before + 1);
    assert_int_equal(schedule(f, WAIT, o->body), 0); /* by pointer */
    assert_int_equal(schedule(f, WAIT | WAIT_ON_HANDLE, 12), 0x80070057);
    assert_int_equal(schedule(f, WAIT, 0x10), 0x80070057);
}

static void bad_calls_are_refused(void **state)
{
    fixture *f = *state;
    assert_int_equal((uint32_t)invoke(f, ex_XamTaskSchedule, 4, U(0), U(0), U(0), U(0)),
                     0x80070057);
    assert_int_equal((uint32_t)invoke(f, ex_XamTaskSchedule, 4, U(PROCEDURE), U(0), U(0), U(0x10)),
                     0x80070057);
    invoke(f, ex_XamTaskSchedule, 4, U(PROCEDURE), U(0), U(0x10), U(0));
    assert_true(f->call.faulted);
    assert_null(f->thread->next);
    assert_null(f->k->xam.tasks);
    assert_int_equal((uint32_t)invoke(f, ex_XamTaskGetStatus, 1, U(12)), 0x80070057);
    assert_int_equal((uint32_t)invoke(f, ex_XamTaskGetAttributes, 2, U(12), U(f->scratch)),
                     0x80070057);
    invoke(f, ex_XamTaskCancel, 1, U(12));
    invoke(f, ex_XamTaskWaitOnCompletion, 1, U(12));
    assert_int_equal(f->result, K_DONE);
    invoke(f, ex_XamTaskModify, 5, U(12), U(7), U(0), U(0), U(0));
    assert_false(f->call.faulted);
}

static void cancelling_is_told_and_signalled(void **state)
{
    fixture *f = *state;
    schedule(f, PERIODIC, 20);
    kthread *t = f->thread->next;
    uint32_t cancel = word(f, (uint32_t)t->cpu->r[3]);
    assert_int_equal(word(f, cancel + 4), 0);
    invoke(f, ex_XamTaskCancel, 1, U(handle(f)));
    assert_int_equal(word(f, cancel + 4), 1);
    assert_int_equal(invoke(f, ex_XamTaskShouldExit, 0), 0);
    kcall other = {.k = f->k, .thread = t, .cpu = t->cpu};
    ex_XamTaskShouldExit(&other);
    assert_int_equal(t->cpu->r[3], 1);
    assert_int_equal((uint32_t)invoke(f, ex_XamTaskGetStatus, 1, U(handle(f))), 0x8000000A);
    t->state = WEFT_THREAD_TERMINATED;
    assert_int_equal(invoke(f, ex_XamTaskGetStatus, 1, U(handle(f))), 0);
}

static void tasks_are_modified(void **state)
{
    fixture *f = *state;
    schedule(f, PERIODIC, 20);
    uint32_t table = (uint32_t)f->thread->next->cpu->r[3];
    set_word(f, f->scratch + ATTRIBUTES, DEDICATED); /* its kind stays */
    set_word(f, f->scratch + ATTRIBUTES + 4, 3);
    invoke(f, ex_XamTaskModify, 5, U(handle(f)), U(1), U(0x82002000), U(9),
           U(f->scratch + ATTRIBUTES));
    assert_int_equal(word(f, table + 0x10), 0x82002000);
    assert_int_equal(word(f, table + 0x14), PARAMETER);
    assert_int_equal(quad(f, table + 0x20), (uint64_t)-200000);
    invoke(f, ex_XamTaskModify, 5, U(handle(f)), U(6), U(0), U(9), U(f->scratch + ATTRIBUTES));
    assert_int_equal(word(f, table + 0x10), 0x82002000);
    assert_int_equal(word(f, table + 0x14), 9);
    assert_int_equal(quad(f, table + 0x20), (uint64_t)-30000);
    assert_int_equal(word(f, table + 0x0C), table + 0x20);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_that_runs_once_is_its_procedure), TEST(a_periodic_one_has_a_worker),
        TEST(a_waiting_one_needs_an_object),       TEST(bad_calls_are_refused),
        TEST(cancelling_is_told_and_signalled),    TEST(tasks_are_modified),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
