/* test_events.c: the event stream: order, digest, back-pressure, names, change of tracer. */
#include "support.h"

#include <xxhash.h>

#include "host/events.h"

/* A tracer that remembers; what it saw is looked at after events_finish or a swap. */
typedef struct recorder {
    uint64_t first, last, next, count, guest, defines, index_errors, gaps;
    uint64_t thread_index[4];
    uint32_t delay_us, opened, closed, partial;
    _Atomic uint32_t flushed; /* while the drain runs */
    weft_status open_status, close_status;
    int32_t (*canon)(void *names, weft_event_canon *canon);
    void *canon_names;
    canon_own *own; /* NULL: canonical forms are not looked at */
    uint64_t canonical, canon_errors;
    char begin_digest[33], end_digest[33], last_text[32], names[2][64];
} recorder;

static weft_status rec_open(void *instance, const weft_trace_begin *begin)
{
    recorder *r = instance;
    r->opened++;
    if (r->open_status) {
        return r->open_status;
    }
    r->first = r->next = begin->first;
    r->partial = begin->partial;
    r->canon = begin->canon;
    r->canon_names = begin->names;
    memcpy(r->begin_digest, begin->digest, 33);
    const char *name = begin->name(begin->names, weft_fnv1a("thread:a", 8));
    snprintf(r->names[0], sizeof r->names[0], "%s", name ? name : "unknown");
    return WEFT_OK;
}

/* The host's canonical form against one made here. */
static void compare_canon(recorder *r, const weft_event *e)
{
    weft_event_canon told = {0}, made = {0};
    uint64_t hash = 0;
    int told_is = r->canon(r->canon_names, &told);
    int made_is = canon_own_add(r->own, e, &hash);
    if (made_is) {
        canon_own_latest(r->own, hash, &made);
        r->canon_errors += told.hash != made.hash || told.fits != made.fits ||
                           told.named_count != made.named_count ||
                           (told.named_count > 0 &&
                            memcmp(told.named, made.named, told.named_count * sizeof *told.named));
    }
    r->canon_errors += told_is != made_is;
    r->canonical += made_is != 0;
}

static void rec_event(void *instance, const weft_event *e)
{
    recorder *r = instance;
    if (r->own) {
        compare_canon(r, e);
    }
    const uint64_t *words = (const uint64_t *)(e + 1);
    if (r->delay_us) {
        usleep(r->delay_us);
    }
    if (e->kind == WEFT_EVENT_DEFINE) {
        r->defines++;
    }
    if (e->kind == WEFT_EVENT_DEFINE && e->sequence == 0 && r->next != 0) {
        return; /* a repeat after a swap: part of no numbering */
    }
    r->gaps += e->sequence != r->next++;
    r->count++;
    if (e->category == WEFT_CLASS_GUEST) {
        r->guest++;
        r->index_errors += e->index != r->thread_index[e->thread & 3]++;
    }
    if (e->kind == WEFT_EVENT_LOG || e->kind == WEFT_EVENT_TRACER_SWAP) {
        const uint64_t *text = e->kind == WEFT_EVENT_LOG ? words + 1 : words;
        snprintf(r->last_text, sizeof r->last_text, "%.*s", (int)text[0], (const char *)&text[1]);
    }
}

static void rec_flush(void *instance)
{
    ((recorder *)instance)->flushed++;
}

static weft_status rec_close(void *instance, uint64_t last, const char *digest)
{
    recorder *r = instance;
    r->closed++;
    r->last = last;
    memcpy(r->end_digest, digest, 33);
    return r->close_status;
}

static const weft_tracer_ops rec_ops = {.size = sizeof rec_ops,
                                        .open = rec_open,
                                        .event = rec_event,
                                        .flush = rec_flush,
                                        .close = rec_close};

static tracer_slot slot(recorder *r, const char *id)
{
    return (tracer_slot){.ops = &rec_ops, .instance = r, .id = id};
}

static void call(events *e, uint64_t thread, uint64_t tick, uint64_t value)
{
    weft_event_buffer event;
    weft_event_begin(&event, WEFT_EVENT_IMPORT_CALL);
    event.head.hw = 2;
    event.head.thread = thread;
    event.head.tick = tick;
    event.head.cycle = value * 3; /* not digested */
    weft_event_word(&event, value);
    weft_event_word(&event, 0x82000000);
    events_emit(e, &event.head);
}

static void test_sequence_index_and_ends(void **state)
{
    recorder r = {0};
    events e;
    tracer_slot s = slot(&r, "tracer-r");
    assert_int_equal(events_start(&e, &s, "t.xex", "0", 0), WEFT_OK);
    for (uint64_t i = 0; i < 300; i++) {
        call(&e, i % 3, i, i);
    }
    assert_int_equal(events_finish(&e), WEFT_OK);
    assert_int_equal(r.count, 300);
    assert_int_equal(r.gaps, 0);
    assert_int_equal(r.index_errors, 0);
    assert_int_equal(r.thread_index[1], 100);
    assert_int_equal(r.last, 299);
    assert_int_equal(r.closed, 1);
    events_free(&e);
}

static void test_no_event_at_all(void **state)
{
    recorder r = {0};
    events e;
    tracer_slot s = slot(&r, "tracer-r");
    events_start(&e, &s, "t.xex", "0", 0);
    events_finish(&e);
    assert_int_equal(r.last, UINT64_MAX);                                  /* tracer.h: first - 1 */
    assert_string_equal(r.end_digest, "99aa06d3014798d86001c324468d497f"); /* XXH3-128 of nothing */
    events_free(&e);
}

static void test_digest_by_hand(void **state)
{
    recorder r = {0};
    events e;
    char hex[33], expected[33];
    tracer_slot s = slot(&r, "tracer-r");
    events_start(&e, &s, "t.xex", "0", 0);
    events_define(&e, "thread", "thread:a"); /* LOCAL: not digested */
    call(&e, 7, 100, 5);
    call(&e, 7, 101, 6);
    events_finish(&e);
    events_digest(&e, hex);
    /* event.h: kind, hw, thread, index, tick as 8-byte little-endian words, then the payload */
    const uint64_t words[] = {3, 2, 7, 0, 100, 5, 0x82000000, 3, 2, 7, 1, 101, 6, 0x82000000};
    XXH128_hash_t hash = XXH3_128bits(words, sizeof words);
    snprintf(expected, sizeof expected, "%016llx%016llx", (unsigned long long)hash.high64,
             (unsigned long long)hash.low64);
    assert_string_equal(hex, expected);
    assert_string_equal(r.end_digest, expected);
    assert_int_equal(e.guest, 2);
    events_free(&e);
}

/* Emits `count` events into a ring of 2,048 words, read by a tracer that takes its time. */
static void digest_with(uint32_t ring_words, uint32_t delay_us, uint64_t count, char hex[33],
                        uint64_t *stalls)
{
    recorder r = {.delay_us = delay_us};
    events e;
    tracer_slot s = slot(&r, "tracer-r");
    events_start(&e, &s, "t.xex", "0", ring_words);
    for (uint64_t i = 0; i < count; i++) {
        call(&e, i & 1, i, i);
        if (i % 7 == 0) {
            weft_event_buffer big;
            weft_event_begin(&big, WEFT_EVENT_DEBUG_PRINT);
            static const char text[2000] = "long";
            weft_event_text(&big, text, i % 2000);
            events_emit(&e, &big.head);
        }
    }
    events_finish(&e);
    assert_int_equal(r.gaps, 0);
    assert_int_equal(r.count, count + (count + 6) / 7);
    *stalls = e.ring.stalls;
    events_digest(&e, hex);
    events_free(&e);
}

static void test_back_pressure_loses_nothing(void **state)
{
    char fast[33], slow[33];
    uint64_t stalls;
    digest_with(0, 0, 3000, fast, &stalls);
    digest_with(2048, 20, 3000, slow, &stalls);
    assert_true(stalls > 0);
    assert_string_equal(fast, slow);
}

static void test_large_and_small_events_wrap(void **state)
{
    char a[33], b[33];
    uint64_t stalls;
    digest_with(1024, 0, 20000, a, &stalls);
    digest_with(0, 0, 20000, b, &stalls);
    assert_string_equal(a, b);
}

/* The longest record, behind every amount of padding that the smallest ring can need. */
static void test_longest_events_fit_the_smallest_ring(void **state)
{
    recorder r = {0};
    events e;
    tracer_slot s = slot(&r, "tracer-r");
    weft_event_buffer big;
    weft_event_begin(&big, WEFT_EVENT_DEBUG_PRINT);
    while (big.head.size < sizeof big) {
        weft_event_word(&big, 0);
    }
    events_start(&e, &s, "t.xex", "0", 1024);
    for (uint64_t i = 0; i < 500; i++) {
        call(&e, 1, i, i);
        events_emit(&e, &big.head);
    }
    events_finish(&e);
    assert_int_equal(r.count, 1000);
    assert_int_equal(r.gaps, 0);
    events_free(&e);
}

static void wait_for_flushes(recorder *r, uint32_t count)
{
    for (int i = 0; i < 10000 && atomic_load(&r->flushed) < count; i++) {
        usleep(1000);
    }
    assert_true(atomic_load(&r->flushed) >= count);
}

/* Nothing wakes the drain for one event: it finds it by itself, and has the tracer hand it on. */
static void test_an_idle_run_is_flushed(void **state)
{
    recorder r = {0};
    events e;
    tracer_slot s = slot(&r, "tracer-r");
    events_start(&e, &s, "t.xex", "0", 0);
    call(&e, 1, 1, 1);
    wait_for_flushes(&r, 1);
    assert_int_equal(ring_head(&e.ring), e.ring.at);
    assert_int_equal(e.ring.wakes, 0);
    events_finish(&e);
    events_free(&e);
}

/* Events that trickle in keep the run from ever being idle; what is held goes on all the same. */
static void test_a_slow_run_is_flushed(void **state)
{
    recorder r = {0};
    events e;
    tracer_slot s = slot(&r, "tracer-r");
    events_start(&e, &s, "t.xex", "0", 0);
    for (uint64_t i = 0; i < 5000 && atomic_load(&r.flushed) < 2; i++) {
        call(&e, 1, i, i);
        usleep(2000);
    }
    assert_true(atomic_load(&r.flushed) >= 2);
    events_finish(&e);
    events_free(&e);
}

static uint64_t bit(uint16_t kind)
{
    return UINT64_C(1) << kind;
}

/* A filter acts behind the digest: the tracer sees less, the run's digest is the same. */
static void test_a_filter_hides_events_but_not_from_the_digest(void **state)
{
    recorder r[2] = {{0}, {0}};
    char hex[2][33], why[128];
    for (int filtered = 0; filtered < 2; filtered++) {
        events e;
        tracer_slot s = slot(&r[filtered], "tracer-r");
        weft_filter_texts texts = {.kinds = "debug.print,gpu.packet"};
        s.filter = filtered ? weft_filter_new(&texts, why, sizeof why) : NULL;
        events_start(&e, &s, "t.xex", "0", 0);
        assert_int_equal(e.wanted[0] & bit(WEFT_EVENT_GPU_PACKET),
                         filtered ? bit(WEFT_EVENT_GPU_PACKET) : 0); /* ASKED: only if named */
        assert_int_equal(e.wanted[0] & bit(WEFT_EVENT_LOG), filtered ? 0 : bit(WEFT_EVENT_LOG));
        assert_true(e.wanted[0] & bit(WEFT_EVENT_IMPORT_CALL)); /* host.h: GUEST kinds always */
        events_define(&e, "thread", "thread:a");
        for (uint64_t i = 0; i < 50; i++) {
            call(&e, 1, i, i);
            weft_event_buffer print;
            weft_event_begin(&print, WEFT_EVENT_DEBUG_PRINT);
            print.head.thread = 1;
            weft_event_text(&print, "x", 1);
            events_emit(&e, &print.head);
        }
        events_finish(&e);
        events_digest(&e, hex[filtered]);
        assert_string_equal(r[filtered].end_digest, hex[filtered]);
        assert_int_equal(r[filtered].last, 100); /* one definition, 100 events, from 0 */
        events_free(&e);
        weft_filter_free(s.filter);
    }
    assert_string_equal(hex[0], hex[1]);
    assert_int_equal(r[0].count, 101);
    assert_int_equal(r[0].partial, 0);
    assert_int_equal(r[1].count, 51); /* definitions always pass */
    assert_int_equal(r[1].partial, 1);
    assert_non_null(r[1].canon); /* tracer.h: it saw the run's first event */
}

static void emit_words(events *e, uint16_t kind, const uint64_t *words, uint32_t count)
{
    weft_event_buffer event;
    weft_event_begin(&event, kind);
    event.head.thread = 1;
    for (uint32_t i = 0; i < count; i++) {
        weft_event_word(&event, words[i]);
    }
    events_emit(e, &event.head);
}

/* A tracer of the whole run is told the canonical form that it would make itself. */
static void test_canonical_forms_are_told(void **state)
{
    recorder r = {.own = canon_own_new()};
    events e;
    tracer_slot s = slot(&r, "tracer-r");
    events_start(&e, &s, "t.xex", "0", 0);
    assert_non_null(r.canon);
    /* event.h: allocation, address, size, alias, site, nth, what (no text) */
    const uint64_t alloc[] = {0xA110C, 0x40000000, 0x1000, 0, 0x82000000, 0, 0};
    const uint64_t returned[] = {0xE8, 0x40000010};            /* export, a pointer into it */
    const uint64_t contention[] = {0x40000020, 1, 0x82000004}; /* flag ENGINE: has no form */
    events_define(&e, "thread", "thread:a");                   /* class LOCAL: has none either */
    for (int i = 0; i < 10; i++) {
        emit_words(&e, WEFT_EVENT_MEMORY_ALLOC, alloc, 7);
        emit_words(&e, WEFT_EVENT_KERNEL_RETURN, returned, 2);
        emit_words(&e, WEFT_EVENT_CONTENTION_OBSERVED, contention, 3);
        emit_words(&e, WEFT_EVENT_MEMORY_FREE, alloc, 2);
        emit_words(&e, WEFT_EVENT_KERNEL_RETURN, returned, 2);
        emit_words(&e, WEFT_EVENT_KERNEL_RETURN, returned, 1); /* does not fit its row */
    }
    events_finish(&e);
    assert_int_equal(r.canonical, 50);
    assert_int_equal(r.canon_errors, 0);
    events_free(&e);
    canon_own_free(r.own);
}

static void test_define_is_told_once(void **state)
{
    recorder r = {0};
    events e;
    tracer_slot s = slot(&r, "tracer-r");
    events_start(&e, &s, "t.xex", "0", 0);
    assert_int_equal(events_define(&e, "x", "foobar"), UINT64_C(0x85944171f73967e8)); /* event.h */
    events_define(&e, "x", "foobar");
    events_define(&e, "x", "foobaz");
    events_finish(&e);
    assert_int_equal(r.defines, 2);
    assert_int_equal(r.count, 2);
    events_free(&e);
}

static void *log_aside(void *context)
{
    events *e = context;
    for (int i = 0; i < 500; i++) {
        weft_event_buffer event;
        weft_event_begin(&event, WEFT_EVENT_LOG);
        weft_event_word(&event, 2);
        weft_event_text(&event, "aside", 5);
        events_emit_aside(e, &event.head);
    }
    return NULL;
}

static void test_other_threads_do_not_change_the_digest(void **state)
{
    recorder r = {0};
    events e;
    char with[33], without[33];
    uint64_t stalls;
    tracer_slot s = slot(&r, "tracer-r");
    pthread_t thread;
    events_start(&e, &s, "t.xex", "0", 0);
    pthread_create(&thread, NULL, log_aside, &e);
    for (uint64_t i = 0; i < 3000; i++) {
        call(&e, i & 1, i, i);
    }
    pthread_join(thread, NULL);
    events_finish(&e);
    assert_int_equal(r.count, 3500);
    assert_int_equal(r.gaps, 0);
    assert_string_equal(r.last_text, "aside");
    events_digest(&e, with);
    events_free(&e);
    recorder r2 = {0};
    s = slot(&r2, "tracer-r");
    events_start(&e, &s, "t.xex", "0", 0);
    for (uint64_t i = 0; i < 3000; i++) {
        call(&e, i & 1, i, i);
    }
    events_finish(&e);
    events_digest(&e, without);
    events_free(&e);
    (void)stalls;
    assert_string_equal(with, without);
}

/* A writer that goes on while the test exchanges tracers. */
typedef struct writer {
    events *e;
    uint64_t count;
} writer;

static void *write_calls(void *context)
{
    writer *w = context;
    events_define(w->e, "thread", "thread:a");
    events_define(w->e, "thread", "thread:b");
    for (uint64_t i = 0; i < w->count; i++) {
        call(w->e, i & 1, i, i);
    }
    return NULL;
}

static void test_swap_loses_no_event(void **state)
{
    recorder r[4] = {{0}, {.delay_us = 1}, {0}, {0}};
    static const char *const ids[] = {"tracer-0", "tracer-1", "tracer-2", "tracer-3"};
    events e;
    tracer_slot s = slot(&r[0], ids[0]);
    events_start(&e, &s, "t.xex", "0", 4096);
    writer w = {&e, 20000};
    pthread_t thread;
    pthread_create(&thread, NULL, write_calls, &w);
    for (int i = 1; i < 4; i++) {
        usleep(1000);
        s = slot(&r[i], ids[i]);
        assert_int_equal(events_swap(&e, &s), WEFT_OK);
    }
    pthread_join(thread, NULL);
    events_finish(&e);
    uint64_t total = 0;
    for (int i = 0; i < 4; i++) {
        assert_int_equal(r[i].opened, 1);
        assert_int_equal(r[i].closed, 1);
        assert_int_equal(r[i].gaps, 0);
        assert_int_equal(r[i].last + 1, r[i].next);
        if (i > 0) {
            assert_int_equal(r[i].first, r[i - 1].last + 1);
            assert_string_equal(r[i].begin_digest, r[i - 1].end_digest); /* digests chain */
            /* the form depends on what came before: only who saw the first event is told it */
            assert_true((r[i].canon == NULL) == (r[i].first > 0));
        }
        total += r[i].guest;
    }
    assert_int_equal(total, 20000);
    events_free(&e);
}

static void test_swap_replays_names(void **state)
{
    recorder r[2] = {{0}, {0}};
    events e;
    tracer_slot s = slot(&r[0], "tracer-0");
    events_start(&e, &s, "t.xex", "0", 0);
    events_define(&e, "thread", "thread:a");
    events_define(&e, "thread", "thread:b");
    call(&e, 1, 1, 1);
    while (atomic_load(&e.ring.tail) != ring_head(&e.ring)) {
        usleep(100);
    }
    s = slot(&r[1], "tracer-1");
    assert_int_equal(events_swap(&e, &s), WEFT_OK);
    events_finish(&e);
    assert_string_equal(r[0].names[0], "unknown");
    assert_string_equal(r[1].names[0], "thread:a");
    assert_int_equal(r[1].defines, 2);
    assert_int_equal(r[1].count, 1); /* the swap itself */
    assert_string_equal(r[1].last_text, "tracer-0");
    events_free(&e);
}

static void test_swap_to_a_broken_tracer_keeps_the_old_one(void **state)
{
    recorder r[2] = {{0}, {.open_status = WEFT_E_IO}};
    events e;
    tracer_slot s = slot(&r[0], "tracer-0");
    events_start(&e, &s, "t.xex", "0", 0);
    call(&e, 1, 1, 1);
    s = slot(&r[1], "tracer-1");
    assert_int_equal(events_swap(&e, &s), WEFT_E_IO);
    call(&e, 1, 2, 2);
    assert_int_equal(events_finish(&e), WEFT_OK);
    assert_int_equal(r[0].guest, 2);
    assert_int_equal(r[0].closed, 1);
    assert_int_equal(r[1].closed, 0);
    events_free(&e);
}

static void test_tracer_failures_are_reported(void **state)
{
    recorder r = {.open_status = WEFT_E_IO};
    events e;
    tracer_slot s = slot(&r, "tracer-r");
    assert_int_equal(events_start(&e, &s, "t.xex", "0", 0), WEFT_E_IO);
    assert_string_equal(e.failed, "tracer-r.open");
    events_free(&e);
    r = (recorder){.close_status = WEFT_E_LIMIT};
    assert_int_equal(events_start(&e, &s, "t.xex", "0", 0), WEFT_OK);
    assert_int_equal(events_finish(&e), WEFT_E_LIMIT);
    assert_string_equal(e.failed, "tracer-r.close");
    events_free(&e);
}

static void test_wanted_kinds(void **state)
{
    recorder r = {0};
    events e;
    tracer_slot s = slot(&r, "tracer-none");
    s.deaf = 1;
    events_start(&e, &s, "t.xex", "0", 0);
    assert_true(e.wanted[0] >> WEFT_EVENT_IMPORT_CALL & 1); /* host.h: GUEST kinds always */
    assert_true(e.wanted[0] >> WEFT_EVENT_DEFINE & 1);
    assert_false(e.wanted[0] >> WEFT_EVENT_LOG & 1);
    assert_false(e.wanted[0] >> WEFT_EVENT_POLICY_ANSWER & 1);
    tracer_slot other = slot(&r, "tracer-r");
    events_swap(&e, &other);
    assert_true(e.wanted[0] >> WEFT_EVENT_LOG & 1);
    assert_true(e.wanted[0] >> WEFT_EVENT_POLICY_ANSWER & 1);
    events_free(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sequence_index_and_ends),
        cmocka_unit_test(test_no_event_at_all),
        cmocka_unit_test(test_digest_by_hand),
        cmocka_unit_test(test_back_pressure_loses_nothing),
        cmocka_unit_test(test_large_and_small_events_wrap),
        cmocka_unit_test(test_longest_events_fit_the_smallest_ring),
        cmocka_unit_test(test_an_idle_run_is_flushed),
        cmocka_unit_test(test_a_slow_run_is_flushed),
        cmocka_unit_test(test_a_filter_hides_events_but_not_from_the_digest),
        cmocka_unit_test(test_canonical_forms_are_told),
        cmocka_unit_test(test_define_is_told_once),
        cmocka_unit_test(test_other_threads_do_not_change_the_digest),
        cmocka_unit_test(test_swap_loses_no_event),
        cmocka_unit_test(test_swap_replays_names),
        cmocka_unit_test(test_swap_to_a_broken_tracer_keeps_the_old_one),
        cmocka_unit_test(test_tracer_failures_are_reported),
        cmocka_unit_test(test_wanted_kinds),
    };
    return cmocka_run_group_tests_name("host events", tests, NULL, NULL);
}
