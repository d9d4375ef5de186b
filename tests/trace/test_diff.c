/* The comparison of two traces (docs/trace.md, "Comparing two traces"): runs made up here, one of two
 * equal ones changed in a known way, and what is found held against that change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "shared_log.h"
#include "story.h"

#define CLOSE "xboxkrnl.exe!NtClose(handle)#207"
#define OPEN  "xboxkrnl.exe!NtOpenFile(handle_out,access)#223"
#define READ  "xboxkrnl.exe!NtReadFile(handle)#240"
#define ENTER "xboxkrnl.exe!RtlEnterCriticalSection(cs)#293"
#define LEAVE "xboxkrnl.exe!RtlLeaveCriticalSection(cs)#304"
#define WAIT  "xboxkrnl.exe!KeWaitForSingleObject(object)#176"

static void define_all(story *s)
{
    static const char *const exports[] = {CLOSE, OPEN, READ, ENTER, LEAVE, WAIT};
    for (size_t i = 0; i < sizeof exports / sizeof *exports; i++) {
        story_define(s, "export", exports[i]);
    }
    story_define(s, "thread", "thread:main");
    story_define(s, "thread", "thread:main/1");
    story_define(s, "thread", "thread:main/2");
}

/* `calls` calls on each of `threads` threads in turn: 3 events a call. The handle and the answer say
 * which call it is. */
static story run(unsigned threads, unsigned calls)
{
    story s = {0};
    define_all(&s);
    for (unsigned k = 0; k < calls; k++) {
        for (unsigned n = 0; n < threads; n++) {
            story_call(&s, n, k % 3 == 0 ? OPEN : CLOSE, k, k % 5);
        }
    }
    return s;
}

/* The place of event `index` of class guest of thread n. */
static size_t at(const story *s, unsigned n, size_t index)
{
    for (size_t i = 0; i < s->count; i++) {
        if (s->events[i].head.category == WEFT_CLASS_GUEST &&
            s->events[i].head.thread == story_thread(n) && index-- == 0) {
            return i;
        }
    }
    fail_msg("no such event");
    return 0;
}

static weft_trace_diff compare_files(const char *a, const char *b, const weft_diff_options *options)
{
    static const weft_diff_options none;
    const char *paths[2] = {a, b};
    weft_trace_diff d;
    if (!weft_trace_diff_run(&d, paths, options ? options : &none)) {
        fail_msg("%s: %s", d.where, d.error);
    }
    return d;
}

static weft_trace_diff compare(const story *a, const story *b)
{
    char *x = story_write(a, "a.wtr"), *y = story_write(b, "b.jsonl");
    weft_trace_diff d = compare_files(x, y, NULL);
    free(x);
    free(y);
    return d;
}

static weft_trace_diff compare_texts(const char *a, const char *b, const weft_diff_options *options)
{
    char *x = story_text("x.jsonl", a), *y = story_text("y.jsonl", b);
    weft_trace_diff d = compare_files(x, y, options);
    free(x);
    free(y);
    return d;
}

/* The pair of thread n of the reference. */
static weft_trace_diff_pair *pair_of(weft_trace_diff *d, unsigned n)
{
    for (size_t i = 0; i < d->pair_count; i++) {
        if (d->pairs[i].present[0] && d->pairs[i].threads[0] == story_thread(n)) {
            return &d->pairs[i];
        }
    }
    fail_msg("thread %u is in no pair", n);
    return NULL;
}

static void equal_traces_match_to_the_end(void **state)
{
    story s = run(3, 20);
    weft_trace_diff d = compare(&s, &s);
    assert_int_equal(d.divergent, 0);
    assert_int_equal(d.missing_count, 0);
    assert_true(d.first == SIZE_MAX);
    for (unsigned n = 0; n < 3; n++) {
        weft_trace_diff_pair *p = pair_of(&d, n);
        assert_int_equal(p->matched, 60);
        assert_int_equal(p->totals[0], 60);
        assert_int_equal(p->totals[1], 60);
        assert_string_equal(p->how, "identity");
    }
    weft_trace_diff_free(&d);
    story_free(&s);
}

static void both_formats_compare_in_any_mix(void **state)
{
    static const char *const names[] = {"m.wtr", "m.jsonl"};
    static const char *const others[] = {"n.wtr", "n.jsonl"};
    story a = run(2, 20), b = story_copy(&a);
    b.events[at(&b, 1, 44)].words[1] = 99; /* the answer of call 14 */
    for (int i = 0; i < 4; i++) {
        char *x = story_write(&a, names[i / 2]), *y = story_write(&b, others[i % 2]);
        weft_trace_diff d = compare_files(x, y, NULL);
        assert_int_equal(d.divergent, 1);
        assert_int_equal(pair_of(&d, 0)->diverged, 0);
        assert_int_equal(pair_of(&d, 1)->diverged, 1);
        assert_int_equal(pair_of(&d, 1)->matched, 44);
        assert_string_equal(pair_of(&d, 1)->field, "return_value");
        weft_trace_diff_free(&d);
        free(x);
        free(y);
    }
    story_free(&a);
    story_free(&b);
}

/* Call 14 of thread 1 answers 14 % 5 = 4; here 0x63. Its return is event 14 * 3 + 2 = 44. */
static void a_changed_answer_is_named_with_both_values(void **state)
{
    story a = run(2, 20), b = story_copy(&a);
    size_t place = at(&b, 1, 44);
    b.events[place].words[1] = 0x63;
    weft_trace_diff d = compare(&a, &b);
    weft_trace_diff_pair *p = pair_of(&d, 1);
    assert_string_equal(p->values[0], "0x4");
    assert_string_equal(p->values[1], "0x63");
    assert_string_equal(p->category, "[return_value mismatch] kernel.return name=NtClose");
    assert_true(d.first == (size_t)(p - d.pairs));
    for (int k = 0; k < DIFF_BEFORE; k++) {
        assert_non_null(p->before[k].text);
        assert_int_equal(p->before[k].index, 39 + k);
    }
    for (int n = 0; n < 2; n++) {
        assert_int_equal(p->at[n].index, 44);
        assert_int_equal(p->at[n].sequence, place);
        assert_int_equal(p->at[n].tick, place * 100);
        assert_int_equal(p->next[n].index, 45);
        assert_non_null(strstr(p->next[n].text, "import.call"));
    }
    assert_non_null(strstr(p->at[0].text, "\"return_value\":4,"));
    assert_non_null(strstr(p->at[1].text, "\"return_value\":99,"));
    weft_trace_diff_free(&d);
    story_free(&a);
    story_free(&b);
}

/* Behind one changed event everything matches again: the 15 events 45..59 of thread 1. */
static void what_follows_a_changed_event_matches_again(void **state)
{
    story a = run(2, 20), b = story_copy(&a);
    b.events[at(&b, 1, 44)].words[1] = 0x63;
    weft_trace_diff d = compare(&a, &b);
    weft_trace_diff_pair *p = pair_of(&d, 1);
    assert_int_equal(p->resynced, 1);
    assert_int_equal(p->resync[0], 45);
    assert_int_equal(p->resync[1], 45);
    assert_int_equal(p->again, 15);
    assert_int_equal(p->later, 0);
    assert_int_equal(p->change_count, 1);
    assert_int_equal(p->changes[0].what, '~');
    weft_trace_diff_free(&d);
    story_free(&a);
    story_free(&b);
}

/* A whole call more in ours, before event 30 of thread 0; what comes then is the same, shifted. */
static void inserted_events_are_listed_as_inserted(void **state)
{
    story a = run(2, 20), b = story_copy(&a), extra = {0};
    size_t place = at(&b, 0, 30);
    story_call(&extra, 0, READ, 7, 0);
    for (int i = 2; i >= 0; i--) {
        story_insert(&b, place, &extra.events[i]);
    }
    weft_trace_diff d = compare(&a, &b);
    weft_trace_diff_pair *p = pair_of(&d, 0);
    assert_int_equal(p->matched, 30);
    assert_int_equal(p->resync[0], 30);
    assert_int_equal(p->resync[1], 33);
    assert_int_equal(p->again, 30);
    assert_int_equal(p->change_count, 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(p->changes[i].what, '+');
        assert_null(p->changes[i].events[0].text);
        assert_non_null(strstr(p->changes[i].events[1].text, "NtReadFile"));
    }
    assert_string_equal(p->field, "name");
    assert_string_equal(p->values[0], "NtClose");
    assert_string_equal(p->values[1], "NtReadFile");
    weft_trace_diff_free(&d);
    /* and as removed the other way round */
    d = compare(&b, &a);
    p = pair_of(&d, 0);
    assert_int_equal(p->resync[0], 33);
    assert_int_equal(p->resync[1], 30);
    assert_int_equal(p->changes[0].what, '-');
    assert_null(p->changes[0].events[1].text);
    weft_trace_diff_free(&d);
    story_free(&a);
    story_free(&b);
    story_free(&extra);
}

/* One event removed from ours: only the reference has it. */
static void a_removed_event_is_listed_as_removed(void **state)
{
    story a = run(2, 20), b = story_copy(&a);
    story_remove(&b, at(&b, 0, 31));
    weft_trace_diff d = compare(&a, &b);
    weft_trace_diff_pair *p = pair_of(&d, 0);
    assert_int_equal(p->matched, 31);
    assert_int_equal(p->change_count, 1);
    assert_int_equal(p->changes[0].what, '-');
    assert_int_equal(p->changes[0].events[0].index, 31);
    assert_int_equal(p->again, 28);
    assert_string_equal(p->field, "kind");
    assert_string_equal(p->values[0], "kernel.call NtClose");
    assert_string_equal(p->values[1], "kernel.return NtClose");
    weft_trace_diff_free(&d);
    story_free(&a);
    story_free(&b);
}

/* 65 events more: farther than what is looked through. */
static void beyond_the_gap_nothing_is_said_to_match(void **state)
{
    story a = run(1, 40), b = story_copy(&a), extra = {0};
    size_t place = at(&b, 0, 30);
    for (unsigned i = 0; i < DIFF_GAP + 1; i++) {
        story_add(&extra, 0, WEFT_EVENT_THREAD_EXIT, (const uint64_t[]){i}, 1);
    }
    for (unsigned i = 0; i < DIFF_GAP; i++) {
        story_insert(&b, place, &extra.events[i]);
    }
    weft_trace_diff d = compare(&a, &b);
    assert_int_equal(pair_of(&d, 0)->resynced, 1);
    assert_int_equal(pair_of(&d, 0)->change_count, DIFF_GAP);
    weft_trace_diff_free(&d);
    story_insert(&b, place, &extra.events[DIFF_GAP]);
    d = compare(&a, &b);
    assert_int_equal(pair_of(&d, 0)->resynced, 0);
    assert_int_equal(pair_of(&d, 0)->change_count, 0);
    weft_trace_diff_free(&d);
    story_free(&a);
    story_free(&b);
    story_free(&extra);
}

/* Events 10, 30 and 50 of 60 changed: two more divergences behind the first, 19 + 19 + 9 that match. */
static void later_divergences_are_counted(void **state)
{
    story a = run(1, 20), b = story_copy(&a);
    for (int k = 10; k < 60; k += 20) {
        b.events[at(&b, 0, (size_t)k)].words[1] ^= 0x1000;
    }
    weft_trace_diff d = compare(&a, &b);
    weft_trace_diff_pair *p = pair_of(&d, 0);
    assert_int_equal(p->matched, 10);
    assert_int_equal(p->later, 2);
    assert_int_equal(p->again, 47);
    weft_trace_diff_free(&d);
    story_free(&a);
    story_free(&b);
}

static void a_thread_that_ends_early_is_a_divergence_at_its_end(void **state)
{
    story a = run(2, 20), b = story_copy(&a);
    for (int k = 59; k >= 50; k--) {
        story_remove(&b, at(&b, 1, (size_t)k));
    }
    weft_trace_diff d = compare(&a, &b);
    weft_trace_diff_pair *p = pair_of(&d, 1);
    assert_int_equal(p->matched, 50);
    assert_int_equal(p->totals[1], 50);
    assert_string_equal(p->field, "end");
    assert_non_null(p->at[0].text);
    assert_null(p->at[1].text);
    assert_string_equal(p->values[1], "nothing more");
    weft_trace_diff_free(&d);
    story_free(&a);
    story_free(&b);
}

static void what_only_one_side_has_is_listed(void **state)
{
    story a = run(2, 20), b = story_copy(&a);
    uint64_t object = story_define(&a, "object", "event:main@story.xex+0x10#0");
    story_add(&a, 0, WEFT_EVENT_SIGNAL_MATCH, (const uint64_t[]){object, story_thread(1)}, 2);
    story_call(&b, 0, READ, 1, 0);
    story_call(&b, 2, CLOSE, 1, 0);
    weft_trace_diff d = compare(&a, &b);
    assert_int_equal(d.divergent, 1);
    assert_int_equal(d.missing_count, 3);
    for (size_t i = 0; i < 3; i++) {
        const weft_trace_diff_missing *m = &d.missing[i];
        const char *name = strcmp(m->what, "thread") == 0   ? "thread:main/2"
                           : strcmp(m->what, "export") == 0 ? "NtReadFile"
                                                            : "event:main@story.xex+0x10#0";
        assert_string_equal(m->name, name);
        assert_int_equal(m->side, strcmp(m->what, "signal") != 0);
        assert_int_equal(m->times, strcmp(m->what, "thread") == 0 ? 3 : 1);
    }
    assert_int_equal(d.pairs[d.pair_count - 1].present[0], 0);
    assert_string_equal(d.pairs[d.pair_count - 1].how, "only in ours");
    weft_trace_diff_free(&d);
    story_free(&a);
    story_free(&b);
}

/* The same calls of each thread, woven differently. */
static void the_order_between_threads_is_not_compared(void **state)
{
    story a = run(3, 20), b = {0};
    define_all(&b);
    for (unsigned n = 3; n-- > 0;) {
        for (unsigned k = 0; k < 20; k++) {
            story_call(&b, n, k % 3 == 0 ? OPEN : CLOSE, k, k % 5);
        }
    }
    weft_trace_diff d = compare(&a, &b);
    assert_int_equal(d.divergent, 0);
    weft_trace_diff_free(&d);
    story_free(&a);
    story_free(&b);
}

/* An allocation that lies elsewhere; then pointers into it and the free. */
static story allocating(uint64_t base, uint64_t offset, int which)
{
    story s = {0};
    define_all(&s);
    uint64_t ids[2] = {story_define(&s, "alloc", "pool:main/story.xex+0x10/0"),
                       story_define(&s, "alloc", "pool:main/story.xex+0x10/1")};
    for (unsigned i = 0; i < 2; i++) {
        story_add(&s, 0, WEFT_EVENT_MEMORY_ALLOC,
                  (const uint64_t[]){ids[i], base + i * 0x1000, 0x100, 0, 0x82000010, i, 4,
                                     0x6c6f6f70 /* "pool" */},
                  8);
    }
    story_call(&s, 0, READ, base + (unsigned)which * 0x1000 + offset, base);
    story_add(&s, 0, WEFT_EVENT_MEMORY_FREE, (const uint64_t[]){ids[0], base}, 2);
    return s;
}

static void allocations_are_compared_by_identity(void **state)
{
    story a = allocating(0x40544000, 0x10, 0), b = allocating(0xbc65c000, 0x10, 0);
    weft_trace_diff d = compare(&a, &b);
    assert_int_equal(d.divergent, 0);
    assert_int_equal(pair_of(&d, 0)->matched, 6);
    weft_trace_diff_free(&d);
    story_free(&a);
    story_free(&b);
}

/* The same word on both sides, but inside another allocation; and another offset in the same one. */
static void a_pointer_is_shown_by_what_it_points_into(void **state)
{
    story a = allocating(0x40544000, 0x10, 1), b = allocating(0x40545000, 0x10, 0);
    weft_trace_diff d = compare(&a, &b);
    weft_trace_diff_pair *p = pair_of(&d, 0);
    assert_int_equal(p->matched, 3);
    assert_string_equal(p->field, "args.handle");
    assert_string_equal(p->values[0], "0x40545010 = pool:main/story.xex+0x10/1+0x10");
    assert_string_equal(p->values[1], "0x40545010 = pool:main/story.xex+0x10/0+0x10");
    weft_trace_diff_free(&d);
    story_free(&a);
    story_free(&b);
}

/* docs/trace.md: weak where the text behind the first colon begins with heap:. */
static void weak_names_are_marked(void **state)
{
    story a = run(1, 2), b;
    uint64_t weak = story_define(&a, "object", "event:heap:main/story.xex+0x10/0+0x40~0");
    uint64_t firm = story_define(&a, "object", "event:main@story.xex+0x10#0");
    story_add(&a, 0, WEFT_EVENT_WAIT_BEGIN, (const uint64_t[]){1, weak, UINT64_MAX, 0, 0}, 5);
    b = story_copy(&a);
    b.events[b.count - 1].words[1] = firm;
    weft_trace_diff d = compare(&a, &b);
    weft_trace_diff_pair *p = pair_of(&d, 0);
    assert_string_equal(p->field, "handles_semantic_ids[0]");
    assert_string_equal(p->values[0], "event:heap:main/story.xex+0x10/0+0x40~0 (weak)");
    assert_string_equal(p->values[1], "event:main@story.xex+0x10#0");
    assert_non_null(strstr(p->at[0].text, "+0x40~0 (weak)"));
    assert_null(strstr(p->at[1].text, "(weak)"));
    weft_trace_diff_free(&d);
    story_free(&a);
    story_free(&b);
}

/* Twelve thousand events of one thread are several steps of its chain; the change is in the last. */
static void a_late_divergence_is_found_in_both_formats(void **state)
{
    static const char *const names[] = {"l.wtr", "l.jsonl"};
    static const char *const others[] = {"k.wtr", "k.jsonl"};
    story a = run(1, 4000), b = story_copy(&a);
    b.events[at(&b, 0, 11990)].words[1] ^= 1;
    for (int i = 0; i < 2; i++) {
        char *x = story_write(&a, names[i]), *y = story_write(&b, others[i]);
        weft_trace_diff d = compare_files(x, y, NULL);
        assert_int_equal(pair_of(&d, 0)->matched, 11990);
        assert_int_equal(pair_of(&d, 0)->at[0].index, 11990);
        assert_int_equal(pair_of(&d, 0)->again, 9);
        weft_trace_diff_free(&d);
        free(x);
        free(y);
    }
    story_free(&a);
    story_free(&b);
}

/* A divergence right where a step of the chain ends and the next begins. */
static void divergences_around_a_step_are_exact(void **state)
{
    story a = run(1, 3000);
    for (uint64_t place = WEFT_TRACE_STEP - 1; place <= WEFT_TRACE_STEP + 1; place++) {
        story b = story_copy(&a);
        b.events[at(&b, 0, place)].words[0] ^= 1;
        weft_trace_diff d = compare(&a, &b);
        assert_int_equal(pair_of(&d, 0)->matched, place);
        weft_trace_diff_free(&d);
        story_free(&b);
    }
    story_free(&a);
}

static void ignored_kinds_are_left_out_on_both_sides(void **state)
{
    story a = run(1, 20), b = story_copy(&a), extra = {0};
    story_add(&extra, 0, WEFT_EVENT_DEBUG_PRINT, (const uint64_t[]){0}, 1);
    story_insert(&b, at(&b, 0, 30), &extra.events[0]);
    story_insert(&b, at(&b, 0, 10), &extra.events[0]);
    char *x = story_write(&a, "i.wtr"), *y = story_write(&b, "j.wtr");
    weft_diff_options options = {.cones = 0};
    const char *bad;
    assert_int_equal(weft_diff_read_kinds("fault,debug.print", options.ignored, &bad), 1);
    weft_trace_diff d = compare_files(x, y, &options);
    assert_int_equal(d.divergent, 0);
    assert_int_equal(pair_of(&d, 0)->matched, 60);
    assert_int_equal(pair_of(&d, 0)->ignored[0], 0);
    assert_int_equal(pair_of(&d, 0)->ignored[1], 2);
    weft_trace_diff_free(&d);
    /* what is left is still compared */
    assert_int_equal(weft_diff_read_kinds("fault", options.ignored, &bad), 1);
    d = compare_files(x, y, &options);
    assert_int_equal(pair_of(&d, 0)->matched, 10);
    weft_trace_diff_free(&d);
    assert_int_equal(weft_diff_read_kinds("fault,nonsense", options.ignored, &bad), 0);
    assert_string_equal(bad, "nonsense");
    free(x);
    free(y);
    story_free(&a);
    story_free(&b);
    story_free(&extra);
}

/* ---- what led there --------------------------------------------------------------------------- */

static void wake(story *s, unsigned by, unsigned whom, uint64_t object)
{
    story_add(s, by, WEFT_EVENT_SIGNAL_MATCH, (const uint64_t[]){object, story_thread(whom)}, 2);
    story_add(s, by, WEFT_EVENT_WAKE_REQUESTED,
              (const uint64_t[]){story_thread(whom), object, 1, 0, whom + 1, 0}, 6);
}

static void wait_end(story *s, unsigned n, uint64_t object)
{
    story_add(s, n, WEFT_EVENT_WAIT_END, (const uint64_t[]){0, object, 5}, 3);
}

/* Thread 0 creates 1 and 2. Thread 2 leaves a critical section that 1 then enters; 1 wakes 0, which
 * reads a value. In ours it is thread 0 itself that left it before, so that 1 did not wait for 2. */
static story causal(int ours)
{
    story s = {0};
    define_all(&s);
    uint64_t object = story_define(&s, "object", "event:main@story.xex+0x10#0");
    for (unsigned n = 1; n < 3; n++) {
        story_add(&s, 0, WEFT_EVENT_THREAD_CREATE,
                  (const uint64_t[]){story_thread(n), 1, n + 1, 0x82000000, 0, 0x10000, 0, 0}, 8);
    }
    story_call(&s, 0, LEAVE, 0x82a00040, 0);
    story_begin_call(&s, 0, WAIT, 0x82a00010);
    if (!ours) {
        story_call(&s, 2, LEAVE, 0x82a00040, 0);
    }
    story_call(&s, 1, ENTER, 0x82a00040, 0);
    if (ours) {
        story_call(&s, 2, LEAVE, 0x82a00040, 0);
    }
    wake(&s, 1, 0, object);
    wait_end(&s, 0, object);
    story_end_call(&s, 0, WAIT, 0);
    story_call(&s, 0, READ, 5, ours ? 6 : 5);
    return s;
}

static void expect_edge(const weft_diff_edge *e, const char *what, unsigned from, unsigned to,
                        int alone)
{
    assert_string_equal(e->what, what);
    assert_true(e->threads[0] == story_thread(from));
    assert_true(e->threads[1] == story_thread(to));
    assert_int_equal(e->alone, alone);
    assert_non_null(e->events[0].text);
    assert_non_null(e->events[1].text);
}

static void edges_that_lead_to_a_divergence_are_listed_nearest_first(void **state)
{
    story a = causal(0), b = causal(1);
    weft_trace_diff d = compare(&a, &b);
    weft_trace_diff_pair *p = pair_of(&d, 0);
    assert_string_equal(p->values[0], "0x5");
    assert_true(d.first == (size_t)(p - d.pairs));
    const weft_diff_cone *c = p->cones;
    assert_int_equal(c[0].whole, 1);
    assert_int_equal(c[0].looked_at, at(&a, 0, 11) + 1);
    /* the wait of 0 ended by 1, which had entered behind 2, which 0 had started, as it had 1 */
    assert_int_equal(c[0].count, 4);
    expect_edge(&c[0].edges[0], "wake", 1, 0, 0);
    expect_edge(&c[0].edges[1], "release", 2, 1, 1);
    expect_edge(&c[0].edges[2], "start", 0, 1, 0);
    expect_edge(&c[0].edges[3], "start", 0, 2, 0);
    assert_int_equal(c[1].count, 3);
    expect_edge(&c[1].edges[0], "wake", 1, 0, 0);
    expect_edge(&c[1].edges[1], "release", 0, 1, 1);
    expect_edge(&c[1].edges[2], "start", 0, 1, 0);
    weft_trace_diff_free(&d);
    story_free(&a);
    story_free(&b);
}

/* A file operation ends on its source; the wait of the thread that asked for it ends by that. */
static void a_completed_operation_leads_to_the_wait_for_it(void **state)
{
    story a = run(1, 1), b;
    uint64_t file = story_define(&a, "object", "file:game:/a#0");
    story_begin_call(&a, 0, WAIT, 4);
    story_add(&a, 5, WEFT_EVENT_IO_COMPLETE, (const uint64_t[]){file, story_thread(0), 0, 512}, 4);
    wait_end(&a, 0, file);
    story_end_call(&a, 0, WAIT, 0);
    story_call(&a, 0, READ, 1, 512);
    b = story_copy(&a);
    b.events[b.count - 1].words[1] = 256;
    weft_trace_diff d = compare(&a, &b);
    const weft_diff_cone *c = pair_of(&d, 0)->cones;
    assert_int_equal(c[0].count, 1);
    expect_edge(&c[0].edges[0], "io", 5, 0, 0);
    weft_trace_diff_free(&d);
    story_free(&a);
    story_free(&b);
}

/* Only the first divergence of the run has a cone, unless all are asked for. */
static void the_first_divergence_is_that_of_the_least_sequence(void **state)
{
    story a = run(3, 20), b = story_copy(&a);
    b.events[at(&b, 0, 44)].words[1] = 99;
    b.events[at(&b, 2, 20)].words[1] = 99;
    weft_trace_diff d = compare(&a, &b);
    assert_true(d.first == (size_t)(pair_of(&d, 2) - d.pairs));
    assert_int_equal(pair_of(&d, 2)->cones[0].present, 1);
    assert_int_equal(pair_of(&d, 0)->cones[0].present, 0);
    weft_trace_diff_free(&d);
    char *x = story_write(&a, "c.wtr"), *y = story_write(&b, "d.wtr");
    d = compare_files(x, y, &(weft_diff_options){.cones = 1});
    assert_int_equal(pair_of(&d, 0)->cones[0].present, 1);
    assert_int_equal(pair_of(&d, 0)->cones[1].present, 1);
    weft_trace_diff_free(&d);
    free(x);
    free(y);
    story_free(&a);
    story_free(&b);
}

/* ---- between engines ------------------------------------------------------------------------- */

#define C_CALL(tid, name, arg)     SHARED_CALL("canary", tid, 0, name, "\"r3\":" arg)
#define O_CALL(tid, name, arg)     SHARED_CALL("ours", tid, 0, name, "\"r3\":" arg)
#define C_RETURN(tid, name, v)     SHARED_RETURN("canary", tid, 0, name, v)
#define O_RETURN(tid, name, v)     SHARED_RETURN("ours", tid, 0, name, v)
#define C_WHOLE(tid, name, arg, v) C_CALL(tid, name, arg) C_RETURN(tid, name, v)
#define O_WHOLE(tid, name, arg, v) O_CALL(tid, name, arg) O_RETURN(tid, name, v)

static void engines_are_paired_by_first_call_or_map(void **state)
{
    static const char ref[] = SHARED_HEAD("canary") SHARED_IMPORT("canary", 6, 0, "NtClose")
        C_WHOLE(6, "NtClose", "1", "0") SHARED_IMPORT("canary", 7, 0, "NtOpenFile")
            C_WHOLE(7, "NtOpenFile", "1", "0");
    static const char ours[] = SHARED_HEAD("ours") SHARED_IMPORT("ours", 2, 0, "NtOpenFile")
        O_WHOLE(2, "NtOpenFile", "1", "0") SHARED_IMPORT("ours", 1, 0, "NtClose")
            O_WHOLE(1, "NtClose", "1", "0");
    static const weft_trace_pair map[] = {{6, 2}};
    weft_trace_diff d = compare_texts(ref, ours, NULL);
    assert_int_equal(d.divergent, 0);
    assert_int_equal(d.shared, 1);
    assert_int_equal(d.pair_count, 2);
    assert_int_equal(d.pairs[0].tids[0], 6);
    assert_int_equal(d.pairs[0].tids[1], 1);
    assert_string_equal(d.pairs[0].how, "first call NtClose, same events");
    weft_trace_diff_free(&d);
    d = compare_texts(ref, ours, &(weft_diff_options){.map = map, .map_count = 1});
    assert_int_equal(d.pairs[0].tids[1], 2);
    assert_string_equal(d.pairs[0].how, "map");
    assert_int_equal(d.pairs[0].matched, 0);
    assert_int_equal(d.pair_count, 3); /* threads 7 and 1 are alone then */
    weft_trace_diff_free(&d);
}

/* A binary trace of ours against a log by hand: what only Weft writes down is passed by, addresses of
 * allocations go by their order, and the last answer differs. */
static void a_binary_trace_compares_with_a_log_of_another_engine(void **state)
{
    static const char ref[] = SHARED_HEAD("canary") SHARED_IMPORT("canary", 6, 0, "NtClose")
        C_WHOLE(6, "NtClose", "5", "0") SHARED_WAIT("canary", 6, 3, "77", "-1")
            SHARED_IMPORT("canary", 6, 4, "ExAllocatePool")
                C_WHOLE(6, "ExAllocatePool", "64", "3160721552")
                    SHARED_IMPORT("canary", 6, 7, "NtClose")
                        C_WHOLE(6, "NtClose", "3160721552", "1");
    static const char allocate[] = "xboxkrnl.exe!ExAllocatePool(size)#9";
    story s = {0};
    define_all(&s);
    story_define(&s, "export", allocate);
    story_call(&s, 0, CLOSE, 5, 0);
    story_add(&s, 0, WEFT_EVENT_WAIT_BEGIN, (const uint64_t[]){1, 99, UINT64_MAX, 0, 0}, 5);
    wait_end(&s, 0, 99);
    story_begin_call(&s, 0, allocate, 64);
    story_add(&s, 0, WEFT_EVENT_MEMORY_ALLOC,
              (const uint64_t[]){9, 0x40544890, 64, 0, 0, 0, 4, 0x6c6f6f70}, 8);
    story_end_call(&s, 0, allocate, 0x40544890);
    story_call(&s, 0, CLOSE, 0x40544890, 0);
    char *x = story_text("canary.jsonl", ref), *y = story_write(&s, "weft.wtr");
    weft_trace_diff d = compare_files(x, y, NULL);
    assert_int_equal(d.pair_count, 1);
    assert_string_equal(d.pairs[0].how, "first call NtClose");
    assert_int_equal(d.pairs[0].totals[0], 10);
    assert_int_equal(d.pairs[0].totals[1], 10);
    assert_int_equal(d.pairs[0].matched, 9);
    assert_string_equal(d.pairs[0].category, "[return_value mismatch] kernel.return name=NtClose");
    weft_trace_diff_free(&d);
    free(x);
    free(y);
    story_free(&s);
}

/* More threads than are looked at together, each with its own divergence. */
static void every_divergence_of_many_threads_is_found(void **state)
{
    story a = {0}, b;
    define_all(&a);
    for (unsigned n = 0; n < 150; n++) {
        for (unsigned k = 0; k < 3; k++) {
            story_call(&a, n, CLOSE, k, 0);
        }
    }
    b = story_copy(&a);
    for (unsigned n = 0; n < 150; n++) {
        b.events[at(&b, n, n % 9)].words[0] ^= 1;
    }
    weft_trace_diff d = compare(&a, &b);
    for (unsigned n = 0; n < 150; n++) {
        assert_int_equal(pair_of(&d, n)->diverged, 1);
        assert_int_equal(pair_of(&d, n)->matched, n % 9);
        assert_non_null(pair_of(&d, n)->at[1].text);
    }
    weft_trace_diff_free(&d);
    story_free(&a);
    story_free(&b);
}

/* A log without import.call says nothing of what is imported; the name is known all the same. */
static void a_log_without_imports_lacks_no_exports(void **state)
{
    static const char ref[] = SHARED_HEAD("canary") C_WHOLE(6, "NtClose", "1", "0");
    static const char ours[] =
        SHARED_HEAD("ours") SHARED_IMPORT("ours", 1, 0, "NtClose") O_WHOLE(1, "NtClose", "1", "0");
    weft_diff_options options = {.cones = 0};
    const char *bad;
    weft_diff_read_kinds("import.call", options.ignored, &bad);
    weft_trace_diff d = compare_texts(ref, ours, &options);
    assert_int_equal(d.divergent, 0);
    assert_int_equal(d.missing_count, 0);
    assert_string_equal(d.pairs[0].how, "first call NtClose");
    weft_trace_diff_free(&d);
}

/* Two workers that begin alike, in another order: what they do later tells them apart. */
static void workers_that_begin_alike_are_paired_by_what_they_do(void **state)
{
    static const char ref[] = SHARED_HEAD("canary") C_WHOLE(7, "NtClose", "1", "0")
        C_WHOLE(8, "NtClose", "1", "0") C_WHOLE(8, "NtReadFile", "1", "0");
    static const char ours[] = SHARED_HEAD("ours") O_WHOLE(2, "NtClose", "1", "0")
        O_WHOLE(2, "NtReadFile", "1", "0") O_WHOLE(3, "NtClose", "1", "0");
    weft_trace_diff d = compare_texts(ref, ours, NULL);
    assert_int_equal(d.divergent, 0);
    assert_int_equal(d.pairs[0].tids[1], 3);
    assert_int_equal(d.pairs[1].tids[1], 2);
    weft_trace_diff_free(&d);
}

/* A void return that no table knows: one side gives a value, the other calls it void. Counted, and
 * what comes then is compared. */
static void a_return_that_one_side_calls_void_is_tolerated(void **state)
{
    static const char ref[] = SHARED_HEAD("canary") C_CALL(6, "XNewVoid", "1")
        C_RETURN(6, "XNewVoid", "1234567") C_WHOLE(6, "NtClose", "1", "0");
    static const char ours[] = SHARED_HEAD("ours") O_CALL(1, "XNewVoid", "1")
        SHARED_LINE("ours", "kernel.return", 1, 0, "\"name\":\"XNewVoid\",\"side_effects\":[]")
            O_WHOLE(1, "NtClose", "1", "7");
    weft_trace_diff d = compare_texts(ref, ours, NULL);
    assert_int_equal(d.pairs[0].matched, 3);
    assert_int_equal(d.pairs[0].tolerated, 1);
    assert_string_equal(d.pairs[0].field, "return_value");
    weft_trace_diff_free(&d);
}

/* The path of a file, as REFERENCE has its category. */
static void a_path_that_differs_has_its_category(void **state)
{
#define OPENS(engine, tid, path)                                                                   \
    SHARED_HEAD(engine)                                                                            \
    SHARED_LINE(                                                                                   \
        engine, "kernel.call", tid, 0,                                                             \
        "\"name\":\"NtCreateFile\",\"args\":{\"r5\":1},\"args_resolved\":{\"path\":\"" path "\"}")
    weft_trace_diff d =
        compare_texts(OPENS("canary", 6, "game:\\\\a"), OPENS("ours", 1, "d:\\\\a"), NULL);
    assert_string_equal(d.pairs[0].category,
                        "[args_resolved.path mismatch] kernel.call name=NtCreateFile");
    assert_string_equal(d.pairs[0].values[0], "\"game:\\\\a\"");
    assert_string_equal(d.pairs[0].values[1], "\"d:\\\\a\"");
    weft_trace_diff_free(&d);
}

/* ---- absorbers: REFERENCE-SYSTEM 3, A to C ---------------------------------------------------- */

/* Two threads that have to do with the object of identity 5; `extra` is what one side has more. */
#define TWO_SIDES(engine, name, extra)                                                             \
    SHARED_HEAD(engine)                                                                            \
    SHARED_CALL(engine, 6, 0, "KeSetEvent", "\"r3\":1")                                            \
    SHARED_WAIT(engine, 7, 0, "5", "-1")                                                           \
    extra SHARED_RETURN(engine, 6, 3, "KeSetEvent", "0") SHARED_CALL(engine, 6, 4, name, "\"r3\":1")
#define SHARED_CREATE(engine)  SHARED_HANDLE(engine, 6, 2, "5", "1", "64")
#define OWN_CREATE(engine)     SHARED_HANDLE(engine, 6, 2, "9", "1", "64")
#define SHARED_WAITING(engine) SHARED_WAIT(engine, 6, 2, "5", "-1")
#define OWN_WAITING(engine)    SHARED_WAIT(engine, 6, 2, "9", "-1")

static void check_absorbed(const char *a, const char *b, unsigned rule, const char *name, int side,
                           size_t count)
{
    static const weft_trace_pair map[] = {{6, 6}, {7, 7}};
    weft_diff_options options = {.map = map, .map_count = 2, .cones = 0};
    for (unsigned absorb = 0; absorb < 8; absorb++) {
        options.absorb = absorb;
        weft_trace_diff d = compare_texts(a, b, &options);
        const weft_trace_diff_pair *p = &d.pairs[0];
        assert_int_equal(p->tids[0], 6);
        if (absorb & rule) {
            assert_int_equal(d.divergent, 0);
            assert_int_equal(p->absorbed_count, count);
            for (size_t i = 0; i < count; i++) {
                assert_string_equal(p->absorbed[i].rule, name);
                assert_int_equal(p->absorbed[i].side, side);
                assert_non_null(p->absorbed[i].event.text);
            }
        } else {
            assert_int_equal(d.divergent, 1);
            assert_int_equal(p->absorbed_count, 0);
        }
        weft_trace_diff_free(&d);
    }
}

static void a_shared_create_of_one_side_is_absorbed_where_asked(void **state)
{
    check_absorbed(TWO_SIDES("canary", "NtClose", SHARED_CREATE("canary")),
                   TWO_SIDES("ours", "NtClose", ""), DIFF_ABSORB_CREATE, "create", 0, 1);
    check_absorbed(TWO_SIDES("canary", "NtClose", ""),
                   TWO_SIDES("ours", "NtClose", SHARED_CREATE("ours")), DIFF_ABSORB_CREATE,
                   "create", 1, 1);
}

static void a_shared_wait_of_one_side_is_absorbed_where_asked(void **state)
{
    check_absorbed(TWO_SIDES("canary", "NtClose", SHARED_WAITING("canary")),
                   TWO_SIDES("ours", "NtClose", ""), DIFF_ABSORB_WAIT, "wait", 0, 1);
    check_absorbed(TWO_SIDES("canary", "NtClose", ""),
                   TWO_SIDES("ours", "NtClose", SHARED_WAITING("ours")), DIFF_ABSORB_WAIT, "wait",
                   1, 1);
}

/* What one thread alone has to do with is its own affair, and never absorbed; nor is an event that
 * both sides have and that differs. */
static void what_is_not_shared_is_not_absorbed(void **state)
{
    static const struct {
        const char *a, *b;
    } cases[] = {
        {TWO_SIDES("canary", "NtClose", OWN_CREATE("canary")), TWO_SIDES("ours", "NtClose", "")},
        {TWO_SIDES("canary", "NtClose", OWN_WAITING("canary")), TWO_SIDES("ours", "NtClose", "")},
        {TWO_SIDES("canary", "NtClose", SHARED_CREATE("canary")),
         TWO_SIDES("ours", "NtClose", SHARED_HANDLE("ours", 6, 2, "5", "2", "64"))},
        {TWO_SIDES("canary", "NtClose", SHARED_WAITING("canary")),
         TWO_SIDES("ours", "NtClose", SHARED_WAIT("ours", 6, 2, "5", "0"))},
        {TWO_SIDES("canary", "NtClose", SHARED_CREATE("canary")),
         TWO_SIDES("ours", "NtOpenFile", "")},
    };
    static const weft_trace_pair map[] = {{6, 6}, {7, 7}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        weft_diff_options options = {.map = map, .map_count = 2, .absorb = 7};
        weft_trace_diff d = compare_texts(cases[i].a, cases[i].b, &options);
        assert_int_equal(d.pairs[0].diverged, 1);
        weft_trace_diff_free(&d);
    }
}

/* REFERENCE: 0xC01AB005, guest pointer, object type name an object by where it lies. By hand, with an
 * independent FNV-1a: 05 b0 1a c0 00 00 a0 82 01 00 00 00 for the pointer 0x82a00000, type 1. */
static void an_object_named_by_its_address_is_shared(void **state)
{
    static const uint8_t recipe[] = {0x05, 0xb0, 0x1a, 0xc0, 0, 0, 0xa0, 0x82, 1, 0, 0, 0};
    uint64_t hash = UINT64_C(14695981039346656037);
    char create[512], with[4096];
    for (size_t i = 0; i < sizeof recipe; i++) {
        hash = (hash ^ recipe[i]) * UINT64_C(1099511628211);
    }
    snprintf(create, sizeof create,
             SHARED_LINE("canary", "handle.create", 6, 2,
                         "\"handle_semantic_id\":\"%016llx\",\"object_type\":1,"
                         "\"raw_handle_id\":\"0x82a00000\""),
             (unsigned long long)hash);
    snprintf(with, sizeof with, "%s%s%s",
             SHARED_HEAD("canary") SHARED_CALL("canary", 6, 0, "KeSetEvent", "\"r3\":1")
                 SHARED_WAIT("canary", 7, 0, "5", "-1"),
             create,
             SHARED_RETURN("canary", 6, 3, "KeSetEvent", "0")
                 SHARED_CALL("canary", 6, 4, "NtClose", "\"r3\":1"));
    check_absorbed(with, TWO_SIDES("ours", "NtClose", ""), DIFF_ABSORB_CREATE, "create", 0, 1);
}

/* E E L L against E L, then NtClose, behind a wait. */
#define SECTION(engine, name)                                                                      \
    SHARED_IMPORT(engine, 6, 0, name)                                                              \
    SHARED_CALL(engine, 6, 0, name, "\"r3\":2191523840")                                           \
    SHARED_RETURN(engine, 6, 0, name, "0")
#define E(engine) SECTION(engine, "RtlEnterCriticalSection")
#define L(engine) SECTION(engine, "RtlLeaveCriticalSection")
#define CLEAN_UP(engine, before, sections)                                                         \
    SHARED_HEAD(engine)                                                                            \
    before sections SHARED_IMPORT(engine, 6, 0, "NtClose")                                         \
        SHARED_CALL(engine, 6, 0, "NtClose", "\"r3\":1")
#define WAITED(engine) SHARED_WAIT(engine, 6, 0, "9", "-1")

static void a_nested_section_behind_a_wait_is_absorbed_where_asked(void **state)
{
    check_absorbed(
        CLEAN_UP("canary", WAITED("canary"), E("canary") E("canary") L("canary") L("canary")),
        CLEAN_UP("ours", WAITED("ours"), E("ours") L("ours")), DIFF_ABSORB_NESTED, "nested", 0, 6);
    check_absorbed(CLEAN_UP("canary", WAITED("canary"), E("canary") L("canary")),
                   CLEAN_UP("ours", WAITED("ours"), E("ours") E("ours") L("ours") L("ours")),
                   DIFF_ABSORB_NESTED, "nested", 1, 6);
}

static void a_nested_section_without_a_wait_is_a_difference(void **state)
{
    static const weft_trace_pair map[] = {{6, 6}};
    weft_diff_options options = {.map = map, .map_count = 1, .absorb = 7};
    weft_trace_diff d =
        compare_texts(CLEAN_UP("canary", "", E("canary") E("canary") L("canary") L("canary")),
                      CLEAN_UP("ours", "", E("ours") L("ours")), &options);
    assert_int_equal(d.pairs[0].diverged, 1);
    assert_int_equal(d.pairs[0].matched, 3);
    weft_trace_diff_free(&d);
}

static void unknown_rules_are_refused(void **state)
{
    unsigned absorb;
    const char *bad;
    assert_int_equal(weft_diff_read_absorb("create,wait,nested", &absorb, &bad), 1);
    assert_int_equal(absorb, 7);
    assert_int_equal(weft_diff_read_absorb("wait", &absorb, &bad), 1);
    assert_int_equal(absorb, DIFF_ABSORB_WAIT);
    assert_int_equal(weft_diff_read_absorb("create,waits", &absorb, &bad), 0);
    assert_int_equal(weft_diff_read_absorb("", &absorb, &bad), 0);
}

/* ---- files ------------------------------------------------------------------------------------ */

static void a_file_that_cannot_be_read_is_named(void **state)
{
    static const char bad[] = SHARED_HEAD("canary") C_WHOLE(6, "NtClose", "1", "0") "nonsense\n";
    static const weft_diff_options none;
    story s = run(1, 3);
    char *x = story_write(&s, "g.jsonl"), *y = story_text("bad.jsonl", bad);
    const char *const paths[2] = {x, y};
    weft_trace_diff d;
    assert_int_equal(weft_trace_diff_run(&d, paths, &none), 0);
    assert_non_null(strstr(d.where, "bad.jsonl:4"));
    assert_non_null(strstr(d.error, "not JSON"));
    weft_trace_diff_free(&d);
    const char *const absent[2] = {"/nonexistent.wtr", x};
    assert_int_equal(weft_trace_diff_run(&d, absent, &none), 0);
    assert_string_equal(d.where, "/nonexistent.wtr");
    weft_trace_diff_free(&d);
    free(x);
    free(y);
    story_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_traces_match_to_the_end),
        cmocka_unit_test(both_formats_compare_in_any_mix),
        cmocka_unit_test(a_changed_answer_is_named_with_both_values),
        cmocka_unit_test(what_follows_a_changed_event_matches_again),
        cmocka_unit_test(inserted_events_are_listed_as_inserted),
        cmocka_unit_test(a_removed_event_is_listed_as_removed),
        cmocka_unit_test(beyond_the_gap_nothing_is_said_to_match),
        cmocka_unit_test(later_divergences_are_counted),
        cmocka_unit_test(a_thread_that_ends_early_is_a_divergence_at_its_end),
        cmocka_unit_test(what_only_one_side_has_is_listed),
        cmocka_unit_test(the_order_between_threads_is_not_compared),
        cmocka_unit_test(allocations_are_compared_by_identity),
        cmocka_unit_test(a_pointer_is_shown_by_what_it_points_into),
        cmocka_unit_test(weak_names_are_marked),
        cmocka_unit_test(a_late_divergence_is_found_in_both_formats),
        cmocka_unit_test(divergences_around_a_step_are_exact),
        cmocka_unit_test(ignored_kinds_are_left_out_on_both_sides),
        cmocka_unit_test(edges_that_lead_to_a_divergence_are_listed_nearest_first),
        cmocka_unit_test(a_completed_operation_leads_to_the_wait_for_it),
        cmocka_unit_test(the_first_divergence_is_that_of_the_least_sequence),
        cmocka_unit_test(engines_are_paired_by_first_call_or_map),
        cmocka_unit_test(a_binary_trace_compares_with_a_log_of_another_engine),
        cmocka_unit_test(every_divergence_of_many_threads_is_found),
        cmocka_unit_test(a_log_without_imports_lacks_no_exports),
        cmocka_unit_test(workers_that_begin_alike_are_paired_by_what_they_do),
        cmocka_unit_test(a_return_that_one_side_calls_void_is_tolerated),
        cmocka_unit_test(a_path_that_differs_has_its_category),
        cmocka_unit_test(a_shared_create_of_one_side_is_absorbed_where_asked),
        cmocka_unit_test(a_shared_wait_of_one_side_is_absorbed_where_asked),
        cmocka_unit_test(what_is_not_shared_is_not_absorbed),
        cmocka_unit_test(an_object_named_by_its_address_is_shared),
        cmocka_unit_test(a_nested_section_behind_a_wait_is_absorbed_where_asked),
        cmocka_unit_test(a_nested_section_without_a_wait_is_a_difference),
        cmocka_unit_test(unknown_rules_are_refused),
        cmocka_unit_test(a_file_that_cannot_be_read_is_named),
    };
    return cmocka_run_group_tests_name("trace-diff", tests, NULL, NULL);
}
