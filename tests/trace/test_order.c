/* The order manifest, version 2: traces made by hand, whose vectors were worked out by hand from the
 * numbers (docs/kernel.md, "The order of operations"; docs/trace.md, "Order manifest, version 2"). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "order.h"
#include "story.h"
#include "weft/policy.h"

#define SECTION UINT64_C(0x5ec)
#define EVENT   UINT64_C(0xe4e)
#define E       WEFT_SYNC_ENTER
#define C       WEFT_SYNC_ENTER_CONTENDED
#define L       WEFT_SYNC_LEAVE
#define W       WEFT_SYNC_WAIT
#define S       WEFT_SYNC_SIGNAL
#define K       WEFT_SYNC_WAKE

static size_t op(story *s, unsigned thread, uint32_t kind, uint64_t object, uint64_t number)
{
    const uint64_t words[] = {kind, object, number, 0};
    return story_add(s, thread, WEFT_EVENT_SYNC_OP, words, 4);
}

static weft_order *order_of_mapped(story *s, uint64_t resolution, const char *from, const char *to)
{
    char *path = story_write(s, "order.wtr");
    weft_trace *trace = weft_trace_open(path);
    weft_order_builder *b = weft_order_builder_new(resolution);
    const weft_event *event;
    if (from) {
        assert_int_equal(weft_order_builder_map(b, weft_fnv1a(from, strlen(from)),
                                                weft_fnv1a(to, strlen(to)), to),
                         1);
    }
    while ((event = weft_trace_next(trace)) != NULL) {
        if (!resolution) {
            assert_int_equal(weft_order_builder_add(b, trace, event), 1);
        }
    }
    for (size_t i = 0; resolution && i < s->count; i++) { /* a story's file has ticks of its own */
        assert_int_equal(weft_order_builder_add(b, trace, &s->events[i].head), 1);
    }
    assert_null(weft_trace_failed(trace, &(const char *){NULL}));
    weft_order *order = weft_order_builder_end(b);
    assert_non_null(order);
    weft_order_builder_free(b);
    weft_trace_close(trace);
    story_free(s);
    free(path);
    return order;
}

static weft_order *order_of(story *s, uint64_t resolution)
{
    return order_of_mapped(s, resolution, NULL, NULL);
}

static char *written(const weft_order *order)
{
    char *text = NULL;
    size_t length;
    FILE *file = open_memstream(&text, &length);
    assert_int_equal(weft_order_write(order, file, "ref.wtr", "00"), 1);
    fclose(file);
    return text;
}

/* "order":"..." of the n-th object, as it stands in the file. */
static void assert_order(const weft_order *order, int n, const char *expected)
{
    char *text = written(order), *at = text;
    for (int i = 0; i <= n; i++) {
        at = strstr(at + 1, "\"order\":\"");
        assert_non_null(at);
    }
    at += strlen("\"order\":\"");
    *strchr(at, '"') = 0;
    assert_string_equal(at, expected);
    free(text);
}

/* Main enters, 1 queues up, main leaves and hands over: the wake has number 3, but its event comes after
 * main's next operation, which has number 4. */
static story hand_over(void)
{
    story s = {0};
    op(&s, 0, E, SECTION, 0);
    op(&s, 1, C, SECTION, 1);
    op(&s, 0, L, SECTION, 2);
    op(&s, 0, C, SECTION, 4);
    op(&s, 1, K, SECTION, 3);
    op(&s, 1, L, SECTION, 5);
    op(&s, 0, K, SECTION, 6);
    return s;
}

static void numbers_make_the_order(void **state)
{
    story s = hand_over();
    static const uint32_t expected[] = {0 << 8 | E, 1 << 8 | C, 0 << 8 | L, 1 << 8 | K,
                                        0 << 8 | C, 1 << 8 | L, 0 << 8 | K};
    weft_order *order = order_of(&s, 0);
    assert_int_equal(order->object_count, 1);
    assert_int_equal(order->thread_count, 2);
    assert_int_equal(order->threads[0].id, story_thread(0));
    assert_int_equal(order->threads[1].id, story_thread(1));
    assert_int_equal(order->threads[0].operations, 4);
    assert_int_equal(order->objects[0].id, SECTION);
    assert_int_equal(order->objects[0].count, 7);
    assert_memory_equal(order->objects[0].operations, expected, sizeof expected);
    assert_int_equal(order->operations, 7);
    assert_int_equal(order->missing + order->duplicates + order->soft, 0);
    weft_order_free(order);
}

static void threads_and_letters_make_the_file(void **state)
{
    story s = hand_over();
    weft_order *order = order_of(&s, 0);
    assert_order(order, 0, "0e1c0l1k0c1l0k");
    weft_order_free(order);
}

static void objects_have_vectors_of_their_own(void **state)
{
    story s = {0};
    op(&s, 0, E, SECTION, 0);
    op(&s, 1, W, EVENT, 0);
    op(&s, 0, S, EVENT, 1);
    op(&s, 0, L, SECTION, 1);
    op(&s, 1, K, EVENT, 2);
    weft_order *order = order_of(&s, 0);
    assert_order(order, 0, "0el");
    assert_order(order, 1, "1w0s1k");
    weft_order_free(order);
}

/* Nobody can be ordered by a delay: it is on no object. */
static void wait_begins(story *s, unsigned thread, uint64_t a, uint64_t b, uint64_t all)
{
    const uint64_t words[] = {2, a, b, UINT64_MAX, all, 0};
    story_add(s, thread, WEFT_EVENT_WAIT_BEGIN, words, 6);
}

static void wait_ends(story *s, unsigned thread)
{
    const uint64_t words[] = {0, 0, 0};
    story_add(s, thread, WEFT_EVENT_WAIT_END, words, 3);
}

/* Thread 1 waits for both; main signals the one, thread 2 the other, which ends the wait; only while it
 * lasts are the objects' operations one sequence. */
static story wait_for_both(uint64_t all)
{
    story s = {0};
    wait_begins(&s, 1, EVENT, SECTION, all);
    op(&s, 1, W, EVENT, 0);
    op(&s, 1, W, SECTION, 0);
    op(&s, 0, S, EVENT, 1);
    op(&s, 2, S, SECTION, 1);
    op(&s, 1, K, EVENT, 2);
    op(&s, 1, K, SECTION, 2);
    wait_ends(&s, 1);
    op(&s, 0, S, EVENT, 3);
    op(&s, 2, S, SECTION, 3);
    return s;
}

/* docs/trace.md, `after`. By hand: EVENT is object 0, SECTION object 1; the waiter is thread 0 of the list. EVENT's signal comes after
 * SECTION's wait, SECTION's signal after EVENT's; a thread's own order needs no link. */
static void wait_for_all_links_its_objects(void **state)
{
    story s = wait_for_both(1);
    weft_order *order = order_of(&s, 0);
    char *text = written(order);
    assert_non_null(strstr(text, "\"order\":\"0w1s0k1s\",\"after\":\"1<1.0\"}"));
    assert_non_null(strstr(text, "\"order\":\"0w2s0k2s\",\"after\":\"1<0.1\"}"));
    assert_int_equal(order->links, 2);
    weft_order_free(order);
    char why[160];
    size_t at;
    order = weft_order_read(text, strlen(text), why, sizeof why, &at);
    assert_non_null(order);
    assert_int_equal(order->links, 2);
    assert_int_equal(order->objects[1].links[0].entry, 1);
    assert_int_equal(order->objects[1].links[0].after_object, 0);
    assert_int_equal(order->objects[1].links[0].after_entry, 1);
    weft_order_free(order);
    free(text);
}

static void wait_for_any_links_nothing(void **state)
{
    story s = wait_for_both(0);
    weft_order *order = order_of(&s, 0);
    assert_int_equal(order->links, 0);
    assert_int_equal(order->operations, 8);
    weft_order_free(order);
}

static void delays_are_left_out(void **state)
{
    story s = {0};
    op(&s, 0, W, 0, 0);
    op(&s, 0, E, SECTION, 0);
    weft_order *order = order_of(&s, 0);
    assert_int_equal(order->object_count, 1);
    assert_int_equal(order->operations, 1);
    weft_order_free(order);
}

/* 500 times enter and leave, with another in between after 300 of them. */
static void repetitions_are_written_once(void **state)
{
    story s = {0};
    for (uint64_t i = 0; i < 500; i++) {
        op(&s, 0, E, SECTION, 2 * i + (i >= 300 ? 2 : 0));
        op(&s, 0, L, SECTION, 2 * i + (i >= 300 ? 3 : 1));
    }
    op(&s, 1, E, SECTION, 600);
    op(&s, 1, L, SECTION, 601);
    weft_order *order = order_of(&s, 0);
    assert_order(order, 0, "0el.300 1el0el.200 ");
    weft_order_free(order);
}

static void gaps_and_duplicates_are_counted(void **state)
{
    story s = {0};
    op(&s, 0, E, SECTION, 3); /* a trace without its beginning */
    op(&s, 0, L, SECTION, 4);
    op(&s, 1, E, SECTION, 8); /* 5, 6, 7 are missing */
    op(&s, 2, L, SECTION, 8);
    weft_order *order = order_of(&s, 0);
    assert_int_equal(order->objects[0].first, 3);
    assert_int_equal(order->missing, 3);
    assert_int_equal(order->duplicates, 1);
    assert_int_equal(order->operations, 3);
    assert_order(order, 0, "0el1e");
    weft_order_free(order);
}

static void threads_are_renamed(void **state)
{
    story s = hand_over();
    weft_order *order = order_of_mapped(&s, 0, "thread:main/1", "thread:main/7");
    assert_int_equal(order->threads[1].id, weft_fnv1a("thread:main/7", 13));
    assert_string_equal(order->threads[1].name, "thread:main/7");
    weft_order_free(order);
}

/* Whatever is written is read as the same. */
static void file_is_read_back(void **state)
{
    story s = {0};
    uint64_t seed = 7, numbers[3] = {0};
    for (int i = 0; i < 4000; i++) {
        static const uint32_t kinds[] = {
            E, C, L, W, S, K, WEFT_SYNC_TRY, WEFT_SYNC_RESET, WEFT_SYNC_TIMEOUT};
        seed = seed * UINT64_C(6364136223846793005) + 1;
        uint64_t object = seed >> 40 & 1, thread = seed >> 44 & (i / 1000);
        op(&s, (unsigned)thread, kinds[(seed >> 50) % (i < 2000 ? 2 : 9)], 100 + object,
           numbers[object]++);
    }
    weft_order *order = order_of(&s, 0);
    char *text = written(order), why[256] = "";
    size_t at;
    weft_order *again = weft_order_read(text, strlen(text), why, sizeof why, &at);
    assert_string_equal(why, "");
    assert_non_null(again);
    assert_int_equal(again->operations, 4000);
    assert_int_equal(again->thread_count, order->thread_count);
    assert_int_equal(again->object_count, 2);
    for (uint32_t i = 0; i < 2; i++) {
        const weft_order_object *a = &order->objects[i], *b = &again->objects[i];
        assert_int_equal(a->id, b->id);
        assert_int_equal(a->count, b->count);
        assert_memory_equal(a->operations, b->operations, a->count * sizeof *a->operations);
        assert_int_equal(weft_order_place(a, a->count - 1), weft_order_place(b, b->count - 1));
        assert_int_equal(weft_order_place(a, 16), weft_order_place(b, 16));
    }
    weft_order_free(order);
    weft_order_free(again);
    free(text);
}

/* ---- from times -------------------------------------------------------------------------------- */

static size_t at_tick(story *s, size_t event, uint64_t tick)
{
    s->events[event].head.tick = tick;
    return event;
}

static void call(story *s, unsigned thread, uint32_t kind, uint64_t begins, uint64_t ends,
                 uint64_t number)
{
    const uint64_t begin[] = {1, 0, 0}, end[] = {1};
    at_tick(s, story_add(s, thread, WEFT_EVENT_KERNEL_CALL, begin, 3), begins);
    at_tick(s, op(s, thread, kind, SECTION, number), begins);
    at_tick(s, story_add(s, thread, WEFT_EVENT_KERNEL_RETURN_VOID, end, 1), ends);
}

/* 1 asks at 150 for what main holds from 100 to 300, and gets it at 310: it entered after main left,
 * though it called before. Numbers say otherwise, and are not looked at. */
static void acquisitions_count_by_their_end(void **state)
{
    story s = {0};
    call(&s, 0, E, 100, 110, 9);
    call(&s, 1, E, 150, 310, 8);
    call(&s, 0, L, 300, 320, 7);
    call(&s, 1, L, 400, 410, 6);
    weft_order *order = order_of(&s, 1);
    assert_int_equal(order->resolution, 1);
    assert_int_equal(order->soft, 0); /* the leave is what made the enter possible */
    assert_order(order, 0, "0el1el");
    weft_order_free(order);
}

/* Two signals whose calls overlap may have come either way round; a third did not. */
static void overlaps_are_soft(void **state)
{
    story s = {0};
    call(&s, 0, S, 100, 130, 0);
    call(&s, 1, S, 120, 150, 1);
    call(&s, 0, S, 200, 230, 2);
    weft_order *order = order_of(&s, 1);
    assert_int_equal(order->soft, 2);
    assert_order(order, 0, "0S1S0s");
    weft_order_free(order);
}

/* In steps of 100 ticks all three touch. */
static void coarse_times_are_soft(void **state)
{
    story s = {0};
    call(&s, 0, S, 100, 110, 0);
    call(&s, 1, S, 120, 150, 1);
    call(&s, 0, S, 160, 210, 2);
    weft_order *order = order_of(&s, 100);
    assert_int_equal(order->soft, 3);
    weft_order_free(order);
}

/* What the file has first gives nothing away: at the same time nobody knows. */
static void places_in_the_file_are_not_looked_at(void **state)
{
    story s = {0};
    call(&s, 0, S, 100, 110, 0);
    call(&s, 1, S, 220, 230, 1); /* in the file before main's, which is in the same step */
    call(&s, 0, S, 240, 250, 2);
    weft_order *order = order_of(&s, 100);
    assert_order(order, 0, "0sS1S");
    weft_order_free(order);
}

/* Main queued at 100 and was served by the signal at 200, that of 1 at 210; that 1 came out of its call
 * first says nothing. They overlap, so it is a guess. */
static void waits_count_by_their_beginning(void **state)
{
    story s = {0};
    call(&s, 0, W, 100, 300, 0);
    call(&s, 1, W, 150, 220, 1);
    call(&s, 2, S, 200, 205, 2);
    call(&s, 2, S, 210, 215, 3);
    weft_order *order = order_of(&s, 1);
    assert_int_equal(order->soft, 4);
    assert_order(order, 0, "0W1W2SS");
    weft_order_free(order);
}

/* ---- what cannot be read ----------------------------------------------------------------------- */

#define HEAD                                                                                       \
    "{\"version\":2,\"resolution\":0,\"threads\":[{\"id\":\"00000000000000aa\"}],\"objects\":["
#define TAIL    "]}"
#define OBJECT1 "{\"id\":\"00000000000000bb\",\"first\":0,\"operations\":"

static void hostile_files_are_refused(void **state)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"", ""},
        {"{\"version\":2", ""},
        {"{\"version\":1}", "found version 1, expected 2"},
        {"{\"version\":2}", "no usable resolution"},
        {"{\"version\":2,\"resolution\":0}", "no list of threads"},
        {"{\"version\":2,\"resolution\":0,\"threads\":[]}", "no list of objects"},
        {"{\"version\":2,\"resolution\":0,\"threads\":[{\"id\":\"xyz\"}]}",
         "thread 0 has no usable"},
        {HEAD "{}" TAIL, "object 0 has no usable id"},
        {HEAD OBJECT1 "1}" TAIL, "object 0 has no usable first, operations, at or order"},
        {HEAD OBJECT1 "1,\"at\":\"\",\"order\":\"0e\"}" TAIL, "found 0 places, expected 1"},
        {HEAD OBJECT1 "1,\"at\":\"1 2\",\"order\":\"0e\"}" TAIL, "more places than operations"},
        {HEAD OBJECT1 "2,\"at\":\"1\",\"order\":\"0e\"}" TAIL, "found 1, expected 2"},
        {HEAD OBJECT1 "1,\"at\":\"1\",\"order\":\"0el\"}" TAIL, "at byte 2 of its order"},
        {HEAD OBJECT1 "1,\"at\":\"1\",\"order\":\"1e\"}" TAIL, "a thread that is not there"},
        {HEAD OBJECT1 "1,\"at\":\"1\",\"order\":\"e\"}" TAIL, "at byte 0 of its order"},
        {HEAD OBJECT1 "1,\"at\":\"1\",\"order\":\"0?\"}" TAIL, "found 0x3f"},
        {HEAD OBJECT1 "1,\"at\":\"1\",\"order\":\"0e\",\"after\":\"0\"}" TAIL, "at byte 0"},
        {HEAD OBJECT1 "1,\"at\":\"1\",\"order\":\"0e\",\"after\":\"1<0.0\"}" TAIL, "at byte 0"},
        {HEAD OBJECT1 "1,\"at\":\"1\",\"order\":\"0e\",\"after\":\"0<0.0 \"}" TAIL, "at byte 5"},
        {HEAD OBJECT1 "2,\"at\":\"1\",\"order\":\"0el\",\"after\":\"1<0.0 0<0.0\"}" TAIL,
         "at byte 5"},
        {HEAD OBJECT1 "1,\"at\":\"1\",\"order\":\"0e\",\"after\":\"0<0.1\"}" TAIL,
         "to an operation that is not there (found 0.1)"},
        {HEAD OBJECT1 "1,\"at\":\"1\",\"order\":\"0e\",\"after\":\"0<1.0\"}" TAIL,
         "to an operation that is not there (found 1.0)"},
        {HEAD OBJECT1 "9,\"at\":\"1\",\"order\":\"0el.5 \"}" TAIL, "a repetition that cannot be"},
        {HEAD OBJECT1 "9,\"at\":\"1\",\"order\":\"0.5 \"}" TAIL, "a repetition that cannot be"},
        {HEAD OBJECT1 "9,\"at\":\"1\",\"order\":\"0e.99999999999999999999\"}" TAIL,
         "a repetition that cannot be"},
        {HEAD OBJECT1 "99999999999,\"at\":\"1\",\"order\":\"0e\"}" TAIL, "too many operations"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char why[256] = "";
        size_t at;
        assert_null(weft_order_read(cases[i].text, strlen(cases[i].text), why, sizeof why, &at));
        assert_string_not_equal(why, "");
        if (!strstr(why, cases[i].why)) {
            fail_msg("%s: found \"%s\", expected \"%s\"", cases[i].text, why, cases[i].why);
        }
    }
}

static void places_are_spread_between_the_known(void **state)
{
    uint64_t places[] = {100, 260};
    weft_order_object o = {.count = 20, .places = places};
    assert_int_equal(weft_order_place(&o, 0), 100);
    assert_int_equal(weft_order_place(&o, 4), 140); /* a quarter of the way */
    assert_int_equal(weft_order_place(&o, 16), 260);
    assert_int_equal(weft_order_place(&o, 19), 263);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_make_the_order),
        cmocka_unit_test(threads_and_letters_make_the_file),
        cmocka_unit_test(objects_have_vectors_of_their_own),
        cmocka_unit_test(wait_for_all_links_its_objects),
        cmocka_unit_test(wait_for_any_links_nothing),
        cmocka_unit_test(delays_are_left_out),
        cmocka_unit_test(repetitions_are_written_once),
        cmocka_unit_test(gaps_and_duplicates_are_counted),
        cmocka_unit_test(threads_are_renamed),
        cmocka_unit_test(file_is_read_back),
        cmocka_unit_test(acquisitions_count_by_their_end),
        cmocka_unit_test(overlaps_are_soft),
        cmocka_unit_test(coarse_times_are_soft),
        cmocka_unit_test(places_in_the_file_are_not_looked_at),
        cmocka_unit_test(waits_count_by_their_beginning),
        cmocka_unit_test(hostile_files_are_refused),
        cmocka_unit_test(places_are_spread_between_the_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
