/* test_clock.c: the event queue as weft/clock.h promises it. */
#include "support.h"

#include "host/clock.h"

/* What fired, as letters of the arguments. */
typedef struct fired {
    weft_clock *clock;
    char order[64];
    uint64_t ticks[64];
    uint32_t count, source;
} fired;

static void note(void *context, uint64_t tick, uint64_t argument)
{
    fired *f = context;
    assert_int_equal(f->clock->now(f->clock), tick);
    f->ticks[f->count] = tick;
    f->order[f->count++] = (char)argument;
}

/* Upper-case arguments schedule their lower-case letter: X at once, Y in the past. */
static void note_and_schedule(void *context, uint64_t tick, uint64_t argument)
{
    fired *f = context;
    note(context, tick, argument);
    if (argument == 'X') {
        f->clock->schedule(f->clock, f->source, tick, 'x');
    } else if (argument == 'Y') {
        f->clock->schedule(f->clock, f->source, 3, 'y');
    }
}

static void start(fired *f, weft_clock_fn fn, uint32_t ranks[4], uint32_t ids[4])
{
    static const char *const names[] = {"a", "b", "c", "d"};
    memset(f, 0, sizeof *f);
    f->clock = clock_create();
    for (int i = 0; i < 4; i++) {
        assert_int_equal(f->clock->source_add(f->clock, names[i], ranks[i], fn, f, &ids[i]),
                         WEFT_OK);
        assert_int_equal(ids[i], i); /* small and dense */
    }
    f->source = ids[0];
}

static void test_order_of_ticks(void **state)
{
    fired f;
    uint32_t ids[4];
    start(&f, note, (uint32_t[]){10, 10, 10, 10}, ids);
    weft_clock *c = f.clock;
    assert_int_equal(c->next(c), WEFT_TICK_NEVER);
    c->schedule(c, ids[0], 30, 'c');
    c->schedule(c, ids[0], 10, 'a');
    c->schedule(c, ids[0], 20, 'b');
    c->schedule(c, ids[0], 31, 'd');
    assert_int_equal(c->next(c), 10);
    assert_int_equal(c->advance(c, 30), 3);
    assert_string_equal(f.order, "abc");
    assert_int_equal(c->next(c), 31);
    assert_int_equal(c->now(c), 30);
    clock_destroy(c);
}

static void test_ties_go_by_rank_source_and_order(void **state)
{
    fired f;
    uint32_t ids[4];
    start(&f, note, (uint32_t[]){WEFT_RANK_VBLANK, WEFT_RANK_TIMER, WEFT_RANK_GPU, WEFT_RANK_GPU},
          ids);
    weft_clock *c = f.clock;
    c->schedule(c, ids[3], 5, 'e');
    c->schedule(c, ids[0], 5, 'f');
    c->schedule(c, ids[2], 5, 'c');
    c->schedule(c, ids[1], 5, 'a');
    c->schedule(c, ids[2], 5, 'd');
    c->schedule(c, ids[1], 5, 'b');
    c->advance(c, 5);
    assert_string_equal(f.order, "abcdef");
    clock_destroy(c);
}

static void test_handlers_schedule(void **state)
{
    fired f;
    uint32_t ids[4];
    start(&f, note_and_schedule, (uint32_t[]){10, 10, 10, 10}, ids);
    weft_clock *c = f.clock;
    c->schedule(c, ids[1], 5, 'X');
    c->schedule(c, ids[2], 6, 'Y');
    c->schedule(c, ids[2], 7, 'z');
    assert_int_equal(c->advance(c, 7), 5);
    assert_string_equal(f.order, "XxYyz");
    assert_int_equal(f.ticks[3], 3); /* a tick in the past fires next, at its own tick */
    clock_destroy(c);
}

static void test_cancel(void **state)
{
    fired f;
    uint32_t ids[4];
    start(&f, note, (uint32_t[]){10, 10, 10, 10}, ids);
    weft_clock *c = f.clock;
    uint64_t a = c->schedule(c, ids[0], 1, 'a'), b = c->schedule(c, ids[0], 2, 'b');
    assert_true(a != 0 && b != 0 && a != b);
    assert_int_equal(c->cancel(c, a), 1);
    assert_int_equal(c->cancel(c, a), 0);
    assert_int_equal(c->cancel(c, 0), 0);
    assert_int_equal(c->cancel(c, UINT64_MAX), 0);
    uint64_t again = c->schedule(c, ids[0], 3, 'c'); /* may reuse a's place, never its handle */
    assert_int_not_equal(again, a);
    assert_int_equal(c->cancel(c, a), 0);
    c->advance(c, 10);
    assert_string_equal(f.order, "bc");
    assert_int_equal(c->cancel(c, b), 0);
    clock_destroy(c);
}

/* 2,000 events with ticks from a recurrence, a third cancelled: the rest comes sorted. */
static void count_up(void *context, uint64_t tick, uint64_t argument)
{
    uint64_t *last = context;
    assert_true(tick >= last[0]);
    last[0] = tick;
    last[1]++;
}

static void test_many_events(void **state)
{
    uint64_t last[2] = {0}, handles[2000], seed = 1;
    weft_clock *c = clock_create();
    uint32_t id;
    c->source_add(c, "many", 10, count_up, last, &id);
    for (uint32_t i = 0; i < 2000; i++) {
        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
        handles[i] = c->schedule(c, id, seed >> 50, i);
    }
    for (uint32_t i = 0; i < 2000; i += 3) {
        assert_int_equal(c->cancel(c, handles[i]), 1);
    }
    assert_int_equal(c->advance(c, UINT64_MAX - 1), 1333);
    assert_int_equal(last[1], 1333);
    assert_int_equal(c->next(c), WEFT_TICK_NEVER);
    clock_destroy(c);
}

static void test_sources_are_limited(void **state)
{
    weft_clock *c = clock_create();
    uint32_t id;
    for (int i = 0; i < 64; i++) {
        assert_int_equal(c->source_add(c, "s", 1, note, NULL, &id), WEFT_OK);
    }
    assert_int_equal(c->source_add(c, "s", 1, note, NULL, &id), WEFT_E_LIMIT);
    clock_destroy(c);
}

static void test_periodic_by_exact_arithmetic(void **state)
{
    /* floor(k * 10^9 / 60): Python gives 16666666, 33333333, 50000000 for k = 1, 2, 3 */
    assert_int_equal(weft_clock_periodic(1, 1000000000, 60), 16666666);
    assert_int_equal(weft_clock_periodic(2, 1000000000, 60), 33333333);
    assert_int_equal(weft_clock_periodic(3, 1000000000, 60), 50000000);
    /* 256 samples at 48 kHz: k = 10^12 + 1; (k * 256 * 10^9) // 48000 in Python */
    assert_int_equal(weft_clock_periodic(UINT64_C(1000000000001), UINT64_C(256000000000), 48000),
                     UINT64_C(5333333333338666666));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_of_ticks),
        cmocka_unit_test(test_ties_go_by_rank_source_and_order),
        cmocka_unit_test(test_handlers_schedule),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_many_events),
        cmocka_unit_test(test_sources_are_limited),
        cmocka_unit_test(test_periodic_by_exact_arithmetic),
    };
    return cmocka_run_group_tests_name("host clock", tests, NULL, NULL);
}
