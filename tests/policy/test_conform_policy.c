/* The kit of policies finds what it is there to find: one faulty policy for each check, and the line that
 * names the fault. */
#include "conform.h"
#include "tracer/fake_host.h"

#undef fail /* cmocka's, in the way of host->fail */

enum fault {
    NONE,
    NO_SECOND,      /* no second instance */
    WRONG_CPU,      /* a hardware thread without work */
    NO_SLICE,       /* a slice of nothing */
    OUT_OF_LIST,    /* a thread that is not there */
    WAITING_THREAD, /* one that waits */
    FIXED_STRIDE,   /* walks the view by its own idea of a record */
    SMALL_WORLD,    /* has room for 4 threads; of more it answers the fifth, wherever that is */
    NUMBER,         /* the answer depends on which instance it is */
    NO_ANSWER,      /* `before` answers 9 */
    BLOCKS,         /* BLOCK where nothing is contended */
    LATER_KINDS,    /* subscribes to kinds that do not exist */
    NEWCOMER,       /* after a swap it answers nonsense */
    FORGETS,        /* load takes nothing over */
    REFUSES,        /* load refuses what save wrote */
    FAULTS
};

typedef struct faulty {
    enum fault fault;
    uint32_t *instances;
    uint32_t number, asked;
} faulty;

typedef struct world {
    fake_host fake;
    weft_plugin_desc desc;
    enum fault fault;
    uint32_t instances, made;
    char lines[16384];
} world;

static weft_status create(const weft_host *host, void **instance)
{
    world *w = (world *)host->impl; /* `fake` is its first member */
    if (w->fault == NO_SECOND && w->instances > 0) {
        return host->fail(host, WEFT_E_STATE, "there is one already");
    }
    faulty *f = calloc(1, sizeof *f);
    f->fault = w->fault;
    f->instances = &w->instances;
    f->number = w->made++;
    w->instances++;
    *instance = f;
    return WEFT_OK;
}

static void destroy(void *instance)
{
    --*((faulty *)instance)->instances;
    free(instance);
}

static uint32_t pick_cpu(void *instance, const weft_sched_view *view, uint64_t *slice)
{
    const faulty *f = instance;
    uint32_t hw = 0;
    while (hw < WEFT_HW_COUNT && (weft_view_hw(view, hw)->ready == 0) == (f->fault != WRONG_CPU)) {
        hw++;
    }
    *slice = f->fault == NO_SLICE ? 0 : *slice;
    return hw;
}

static int32_t pick_next(void *instance, const weft_sched_view *view, uint32_t hw)
{
    faulty *f = instance;
    int32_t last = -1;
    if (f->fault == OUT_OF_LIST || (f->fault == NEWCOMER && f->number == 2)) {
        return (int32_t)view->thread_count;
    }
    if (f->fault == SMALL_WORLD && view->thread_count > 500) {
        return 4;
    }
    for (uint32_t i = 0; i < view->thread_count; i++) {
        const weft_sched_thread *t =
            f->fault == FIXED_STRIDE ? &view->threads[i] : weft_view_thread(view, i);
        uint32_t most = f->fault == WAITING_THREAD ? WEFT_THREAD_WAITING : WEFT_THREAD_RUNNING;
        if (t->hw == hw && t->state <= most) {
            last = (int32_t)i;
            if (f->fault == NUMBER && f->number % 2) {
                break;
            }
        }
    }
    return last;
}

static uint32_t subscribe(void *instance)
{
    return ((const faulty *)instance)->fault == LATER_KINDS ? 1u << 20 : 1u << WEFT_SYNC_WAIT;
}

static uint32_t before(void *instance, const weft_sched_view *view, const weft_sync_op *op,
                       uint64_t *amount)
{
    faulty *f = instance;
    *amount = ++f->asked;
    return f->fault == NO_ANSWER ? 9 : f->fault == BLOCKS ? WEFT_ANSWER_BLOCK : WEFT_ANSWER_SPIN;
}

static weft_status save(void *instance, void *buffer, uint64_t *length)
{
    if (buffer) {
        memcpy(buffer, &((faulty *)instance)->asked, 4);
    }
    *length = 4;
    return WEFT_OK;
}

static weft_status load(void *instance, const void *buffer, uint64_t length)
{
    faulty *f = instance;
    if (f->fault == REFUSES) {
        return WEFT_E_FORMAT;
    }
    assert_int_equal(length, 4);
    if (f->fault != FORGETS) {
        memcpy(&f->asked, buffer, 4);
    }
    return WEFT_OK;
}

static const weft_policy_ops faulty_ops = {
    .size = sizeof faulty_ops,
    .pick_cpu = pick_cpu,
    .pick_next = pick_next,
    .subscribe = subscribe,
    .before = before,
    .save = save,
    .load = load,
};

static void print(weft_conform_report *report, const char *line)
{
    world *w = report->context;
    size_t used = strlen(w->lines);
    snprintf(w->lines + used, sizeof w->lines - used, "%s\n", line);
}

static weft_conform_report run_kit(world *w, enum fault fault, const weft_policy_ops *ops)
{
    weft_conform_report report = {.print = print, .context = w};
    memset(w, 0, sizeof *w);
    w->fault = fault;
    w->desc = (weft_plugin_desc){.create = create, .destroy = destroy};
    w->fake.host.impl = w;
    w->fake.host.fail = fake_fail;
    weft_conform_policy(&w->desc, ops, &w->fake.host, &report);
    assert_int_equal(w->instances, 0); /* whatever goes wrong, all are destroyed */
    return report;
}

static void sound_policy_passes(void **state)
{
    world *w = *state;
    weft_conform_report report = run_kit(w, NONE, &faulty_ops);
    assert_int_equal(report.failed, 0);
    assert_true(report.passed > 2000);
    assert_string_equal(w->lines,
                        "policy.pick_next: a spinning thread of higher priority keeps one "
                        "of 3 from running for 2000 ms; the kernel lets it run after 100\n");
}

static void policy_without_ops_passes(void **state)
{
    static const weft_policy_ops none = {.size = sizeof none};
    weft_conform_report report = run_kit(*state, NONE, &none);
    assert_int_equal(report.failed, 0);
}

static void each_fault_is_named(void **state)
{
    static const char *const lines[FAULTS] = {
        [NO_SECOND] = "policy.create: got a failure, expected a second instance\n",
        [WRONG_CPU] = "policy.pick_cpu: view 0: got ",
        [NO_SLICE] = "policy.pick_cpu slice: view 0: got 0, expected a legal answer\n",
        [OUT_OF_LIST] = "policy.pick_next: view 0: got ",
        [WAITING_THREAD] = "policy.pick_next: view 5: got ", /* most are held */
        [FIXED_STRIDE] = "policy.pick_next: view 7: got ",
        [SMALL_WORLD] = "policy.pick_next: view 3: got 4, expected a legal answer\n",
        [NEWCOMER] = "after a swap, expected a legal answer\n",
        [NUMBER] = "from two instances, expected equal answers\n",
        [NO_ANSWER] = "policy.before: view 0: got 9, expected a legal answer\n",
        [BLOCKS] = "policy.before: view 0: got 4, expected a legal answer\n",
        [LATER_KINDS] = "policy.subscribe: got 0x100000, expected bits 0 to 9\n",
        [FORGETS] = "from one that loaded the other's state, expected equal answers\n",
        [REFUSES] = "policy.load: got a failure, expected it to take 4 bytes that save wrote\n",
    };
    for (enum fault fault = NO_SECOND; fault < FAULTS; fault++) {
        world *w = *state;
        weft_conform_report report = run_kit(w, fault, &faulty_ops);
        if (!strstr(w->lines, lines[fault]) || report.failed == 0) {
            print_error("fault %d: %.300s\n", (int)fault, w->lines);
            assert_true(0);
        }
    }
}

static int setup(void **state)
{
    *state = calloc(1, sizeof(world));
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(sound_policy_passes, setup, teardown),
        cmocka_unit_test_setup_teardown(policy_without_ops_passes, setup, teardown),
        cmocka_unit_test_setup_teardown(each_fault_is_named, setup, teardown),
    };
    return cmocka_run_group_tests_name("conform-policy", tests, NULL, NULL);
}
