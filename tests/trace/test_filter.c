/* filter.h: which events a list lets pass. Expectations are that header's and docs/trace.md's,
 * "Filters". */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "filter.h"

static const char *const texts[] = {
    "thread:main",
    "thread:main/0",
    "source:vblank",
    "xboxkrnl.exe!NtClose(handle)#207",
    "xboxkrnl.exe!NtCreateFile(handle_out,access)#210",
    "xboxkrnl.exe!RtlEnterCriticalSection(cs)#293",
    "event:thread:main/82000100/0",
    "event:thread:main/82000200/0",
    "made.up",
};

static uint64_t id_of(const char *text)
{
    return weft_fnv1a(text, strlen(text));
}

static const char *name_of(void *names, uint64_t id)
{
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (id_of(texts[i]) == id) {
            return texts[i];
        }
    }
    return NULL;
}

#define NT_CLOSE  texts[3]
#define NT_CREATE texts[4]
#define RTL_ENTER texts[5]
#define EVENT_A   texts[6]
#define EVENT_B   texts[7]

static weft_filter *filter(const char *kinds, const char *threads, const char *exports,
                           const char *objects)
{
    char why[256] = "";
    weft_filter_texts lists = {kinds, threads, exports, objects};
    weft_filter *f = weft_filter_new(&lists, why, sizeof why);
    assert_string_equal(why, "");
    assert_non_null(f);
    return f;
}

static int pass(weft_filter *f, const weft_event_buffer *event)
{
    return weft_filter_pass(f, &event->head, name_of, NULL);
}

/* An event of main (tid 1) whose payload is `count` words. */
static weft_event_buffer event_of(uint16_t kind, const uint64_t *words, uint32_t count)
{
    weft_event_buffer e;
    weft_event_begin(&e, kind);
    e.head.thread = id_of("thread:main");
    e.head.tid = 1;
    for (uint32_t i = 0; i < count; i++) {
        weft_event_word(&e, words[i]);
    }
    return e;
}

static int kind_passes(weft_filter *f, uint16_t kind)
{
    weft_event_buffer e = event_of(kind, NULL, 0);
    return pass(f, &e);
}

static int call_passes(weft_filter *f, uint16_t kind, const char *export)
{
    weft_event_buffer e = event_of(kind, (uint64_t[]){id_of(export), 0, 0}, 3);
    return pass(f, &e);
}

/* Whether an event of main's passes that has neither export nor object. */
static int other_passes(weft_filter *f)
{
    weft_event_buffer e = event_of(WEFT_EVENT_MEMORY_FREE, (uint64_t[]){1, 2}, 2);
    return pass(f, &e);
}

static int thread_passes(weft_filter *f, const char *text, uint32_t tid)
{
    weft_event_buffer e = event_of(WEFT_EVENT_THREAD_EXIT, (uint64_t[]){0}, 1);
    e.head.thread = text ? id_of(text) : 0;
    e.head.tid = tid;
    return pass(f, &e);
}

static int object_passes(weft_filter *f, const char *text)
{
    weft_event_buffer e =
        event_of(WEFT_EVENT_HANDLE_CREATE, (uint64_t[]){id_of(text), 1, 0xf8000004}, 3);
    return pass(f, &e);
}

static void empty_lists_pass_all_but_what_must_be_asked_for(void **state)
{
    weft_filter *f = filter("", NULL, " ", NULL);
    uint64_t bits[2];
    weft_filter_kinds(f, bits, 2);
    assert_true(weft_filter_is_empty(f));
    for (uint16_t kind = 1; kind < WEFT_EVENT_KIND_END; kind++) {
        int asked = kind == WEFT_EVENT_GPU_PACKET || kind == WEFT_EVENT_MEM_WRITE;
        assert_int_equal(kind_passes(f, kind), !asked);
        assert_int_equal(bits[kind / 64] >> kind % 64 & 1, !asked);
    }
    assert_true(kind_passes(f, 999)); /* without a row */
    weft_filter_free(f);
}

static void kinds_are_matched_whole_or_by_wildcard(void **state)
{
    weft_filter *f = filter("kernel.call, *.create", NULL, NULL, NULL);
    assert_false(weft_filter_is_empty(f));
    assert_true(kind_passes(f, WEFT_EVENT_KERNEL_CALL));
    assert_true(kind_passes(f, WEFT_EVENT_HANDLE_CREATE));
    assert_true(kind_passes(f, WEFT_EVENT_THREAD_CREATE));
    assert_false(kind_passes(f, WEFT_EVENT_KERNEL_RETURN));
    assert_false(kind_passes(f, WEFT_EVENT_LOG));
    weft_filter_free(f);
}

static void a_list_that_takes_away_first_begins_with_all(void **state)
{
    weft_filter *f = filter("!kernel.*,kernel.call", NULL, NULL, NULL);
    assert_true(kind_passes(f, WEFT_EVENT_KERNEL_CALL));
    assert_false(kind_passes(f, WEFT_EVENT_KERNEL_RETURN));
    assert_true(kind_passes(f, WEFT_EVENT_LOG));
    assert_false(kind_passes(f, WEFT_EVENT_GPU_PACKET));
    weft_filter_free(f);
}

static void later_entries_take_away_what_earlier_ones_gave(void **state)
{
    weft_filter *f = filter("gpu.*,!gpu.draw", NULL, NULL, NULL);
    assert_true(kind_passes(f, WEFT_EVENT_GPU_PACKET)); /* asked for by its wildcard */
    assert_true(kind_passes(f, WEFT_EVENT_GPU_SWAP));
    assert_false(kind_passes(f, WEFT_EVENT_GPU_DRAW));
    weft_filter_free(f);
}

static void all_has_the_kinds_that_must_be_asked_for(void **state)
{
    weft_filter *f = filter("all", NULL, NULL, NULL);
    uint64_t bits[2];
    weft_filter_kinds(f, bits, 2);
    for (uint16_t kind = 1; kind < WEFT_EVENT_KIND_END; kind++) {
        assert_true(kind_passes(f, kind));
        assert_true(bits[kind / 64] >> kind % 64 & 1);
    }
    assert_true(weft_filter_is_empty(f));
    weft_filter_free(f);
}

/* In a line both are kind kernel.return. */
static void kernel_return_has_those_without_a_value(void **state)
{
    weft_filter *f = filter("kernel.return", NULL, NULL, NULL);
    assert_true(kind_passes(f, WEFT_EVENT_KERNEL_RETURN));
    assert_true(kind_passes(f, WEFT_EVENT_KERNEL_RETURN_VOID));
    weft_filter_free(f);
    f = filter("kernel.return.void", NULL, NULL, NULL);
    assert_false(kind_passes(f, WEFT_EVENT_KERNEL_RETURN));
    assert_true(kind_passes(f, WEFT_EVENT_KERNEL_RETURN_VOID));
    weft_filter_free(f);
}

static void kinds_without_a_row_are_named_by_number_or_wildcard(void **state)
{
    weft_filter *f = filter("kind.999,made.*", NULL, NULL, NULL);
    weft_event_buffer foreign = event_of(0, (uint64_t[]){id_of("made.up"), 5}, 2);
    assert_true(kind_passes(f, 999));
    assert_false(kind_passes(f, 998));
    assert_true(pass(f, &foreign));
    weft_filter_free(f);
    f = filter("kernel.*", NULL, NULL, NULL);
    assert_false(pass(f, &foreign));
    weft_filter_free(f);
}

static void definitions_always_pass(void **state)
{
    weft_filter *f = filter("log,!define", "7", "NtClose", "event:x");
    uint64_t bits[2];
    weft_filter_kinds(f, bits, 2);
    assert_true(kind_passes(f, WEFT_EVENT_DEFINE));
    assert_true(bits[0] >> WEFT_EVENT_DEFINE & 1);
    weft_filter_free(f);
}

static void threads_are_named_by_tid_identity_or_text(void **state)
{
    char id[24];
    weft_filter *f = filter(NULL, "7", NULL, NULL);
    assert_true(thread_passes(f, "thread:main/0", 7));
    assert_false(thread_passes(f, "thread:main", 1));
    assert_true(thread_passes(f, "thread:main", 7)); /* the same identity, another id */
    weft_filter_free(f);
    snprintf(id, sizeof id, "%016llx", (unsigned long long)id_of("thread:main"));
    f = filter(NULL, id, NULL, NULL);
    assert_true(thread_passes(f, "thread:main", 1));
    assert_false(thread_passes(f, "thread:main/0", 7));
    weft_filter_free(f);
    f = filter(NULL, "thread:main/*,source:vblank", NULL, NULL);
    assert_false(thread_passes(f, "thread:main", 1));
    assert_true(thread_passes(f, "thread:main/0", 7));
    assert_true(thread_passes(f, "source:vblank", 0));
    weft_filter_free(f);
}

static void machine_is_the_thread_without_identity(void **state)
{
    weft_filter *f = filter(NULL, "machine", NULL, NULL);
    assert_true(thread_passes(f, NULL, 0));
    assert_false(thread_passes(f, "source:vblank", 0));
    weft_filter_free(f);
    f = filter(NULL, "!machine", NULL, NULL);
    assert_false(thread_passes(f, NULL, 0));
    assert_true(thread_passes(f, "source:vblank", 0));
    weft_filter_free(f);
}

static void exports_leave_their_calls_and_what_stands_within(void **state)
{
    weft_filter *f = filter(NULL, NULL, "NtC*", NULL);
    assert_false(other_passes(f));
    assert_true(call_passes(f, WEFT_EVENT_IMPORT_CALL, NT_CREATE));
    assert_false(other_passes(f)); /* not yet begun */
    assert_true(call_passes(f, WEFT_EVENT_KERNEL_CALL, NT_CREATE));
    assert_true(other_passes(f));
    assert_false(thread_passes(f, "thread:main/0", 7)); /* another thread meanwhile */
    assert_true(call_passes(f, WEFT_EVENT_KERNEL_RETURN, NT_CREATE));
    assert_false(other_passes(f));
    assert_false(call_passes(f, WEFT_EVENT_KERNEL_CALL, RTL_ENTER));
    assert_false(other_passes(f));
    assert_false(call_passes(f, WEFT_EVENT_KERNEL_RETURN_VOID, RTL_ENTER));
    weft_filter_free(f);
}

static void other_exports_within_a_call_do_not_pass(void **state)
{
    weft_filter *f = filter(NULL, NULL, "NtCreateFile", NULL);
    call_passes(f, WEFT_EVENT_KERNEL_CALL, NT_CREATE);
    assert_false(call_passes(f, WEFT_EVENT_KERNEL_CALL, NT_CLOSE));
    assert_true(other_passes(f));
    assert_false(call_passes(f, WEFT_EVENT_KERNEL_RETURN, NT_CLOSE));
    assert_true(other_passes(f));
    call_passes(f, WEFT_EVENT_KERNEL_RETURN, NT_CREATE);
    assert_false(other_passes(f));
    weft_filter_free(f);
}

/* An unwinding guest leaves NtClose without a return; the outer return ends both. */
static void a_return_ends_the_calls_within_it(void **state)
{
    weft_filter *f = filter(NULL, NULL, "Nt*", NULL);
    call_passes(f, WEFT_EVENT_KERNEL_CALL, NT_CREATE);
    call_passes(f, WEFT_EVENT_KERNEL_CALL, NT_CLOSE);
    call_passes(f, WEFT_EVENT_KERNEL_RETURN, NT_CREATE);
    assert_false(other_passes(f));
    weft_filter_free(f);
}

static void the_end_of_a_thread_ends_its_calls(void **state)
{
    weft_filter *f = filter(NULL, NULL, "NtClose", NULL);
    call_passes(f, WEFT_EVENT_KERNEL_CALL, NT_CLOSE);
    assert_true(thread_passes(f, "thread:main", 1)); /* thread.exit within the call */
    assert_false(other_passes(f));
    weft_filter_free(f);
}

/* Calls without end, as hostile input has them, neither grow nor lose the latest. */
static void calls_without_return_are_forgotten_from_the_oldest(void **state)
{
    weft_filter *f = filter(NULL, NULL, "Nt*", NULL);
    for (int i = 0; i < 1000; i++) {
        call_passes(f, WEFT_EVENT_KERNEL_CALL, NT_CREATE);
    }
    call_passes(f, WEFT_EVENT_KERNEL_CALL, NT_CLOSE);
    call_passes(f, WEFT_EVENT_KERNEL_RETURN, NT_CLOSE);
    assert_true(other_passes(f));
    for (int i = 0; i < 15; i++) { /* 16 are kept, and NtClose was one */
        call_passes(f, WEFT_EVENT_KERNEL_RETURN, NT_CREATE);
    }
    assert_false(other_passes(f));
    weft_filter_free(f);
}

/* The calls are followed even where other lists hide them. */
static void lists_hold_together(void **state)
{
    weft_filter *f = filter("memory.*", "1", "NtClose", NULL);
    assert_false(call_passes(f, WEFT_EVENT_KERNEL_CALL, NT_CLOSE));
    assert_true(other_passes(f));
    assert_false(call_passes(f, WEFT_EVENT_KERNEL_RETURN, NT_CLOSE));
    assert_false(other_passes(f));
    weft_filter_free(f);
}

static void objects_are_found_in_fields_and_arrays(void **state)
{
    weft_filter *f = filter(NULL, NULL, NULL, "event:*82000100*");
    weft_event_buffer e = event_of(WEFT_EVENT_WAIT_BEGIN,
                                   (uint64_t[]){2, id_of(EVENT_B), id_of(EVENT_A), 0, 0, 0}, 6);
    weft_event_buffer without =
        event_of(WEFT_EVENT_WAIT_BEGIN, (uint64_t[]){1, id_of(EVENT_B), id_of(EVENT_A), 0, 0}, 5);
    assert_true(object_passes(f, EVENT_A));
    assert_false(object_passes(f, EVENT_B));
    assert_true(pass(f, &e));
    assert_false(pass(f, &without)); /* there the word is the timeout */
    assert_false(other_passes(f));
    weft_filter_free(f);
}

static void objects_are_named_by_identity_too(void **state)
{
    char id[24];
    snprintf(id, sizeof id, "%016llX", (unsigned long long)id_of("nobody defined this"));
    weft_filter *f = filter(NULL, NULL, NULL, id);
    assert_true(object_passes(f, "nobody defined this"));
    assert_false(object_passes(f, EVENT_A));
    weft_filter_free(f);
}

static void an_object_taken_away_takes_its_events(void **state)
{
    weft_filter *f = filter(NULL, NULL, NULL, "!event:thread:main/82000200/0");
    weft_event_buffer both = event_of(WEFT_EVENT_WAIT_BEGIN,
                                      (uint64_t[]){2, id_of(EVENT_A), id_of(EVENT_B), 0, 0, 0}, 6);
    assert_true(object_passes(f, EVENT_A));
    assert_false(object_passes(f, EVENT_B));
    assert_false(pass(f, &both));
    assert_true(other_passes(f));
    weft_filter_free(f);
}

/* Counts and lengths beyond the payload are what a hostile file has. */
static void payloads_that_do_not_fit_their_row_are_survived(void **state)
{
    weft_filter *f = filter(NULL, NULL, NULL, EVENT_A);
    static const uint64_t lengths[] = {0, 1, UINT64_MAX, UINT64_MAX - 7, UINT64_C(1) << 61};
    for (uint16_t kind = 0; kind < WEFT_EVENT_KIND_END + 2; kind++) {
        for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
            uint64_t words[] = {lengths[i], lengths[i]};
            for (uint32_t count = 0; count <= 2; count++) {
                weft_event_buffer e = event_of(kind, words, count);
                weft_event *exact = malloc(e.head.size); /* so that ASan sees what lies behind */
                memcpy(exact, &e, e.head.size);
                int passed = weft_filter_pass(f, exact, name_of, NULL);
                free(exact);
                assert_int_equal(passed, kind == WEFT_EVENT_DEFINE);
            }
        }
    }
    weft_filter_free(f);
}

/* Row by row: the lists, and what the reason must say. */
static void bad_lists_are_refused_by_name(void **state)
{
    char many[400] = "a";
    for (int i = 0; i < 64; i++) {
        strcat(many, ",a");
    }
    const struct {
        weft_filter_texts lists;
        const char *found, *expected;
    } cases[] = {
        {{.kinds = "kernal.call"}, "kind is none (found \"kernal.call\"", "expected kernel.call)"},
        {{.kinds = "!wait.start"}, "\"wait.start\"", "expected wait."},
        {{.kinds = "log,"}, "kind is none (found \"\"", "expected a name)"},
        {{.threads = "1,,2"}, "thread is none (found \"\"", "expected a name)"},
        {{.threads = "4294967296"}, "\"4294967296\"", "thread id below 2^32"},
        {{.exports = "!"}, "export is none (found \"\"", "expected a name)"},
        {{.objects = many}, "list of objects is too long", "64 entries"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char why[256] = "";
        assert_null(weft_filter_new(&cases[i].lists, why, sizeof why));
        assert_non_null(strstr(why, cases[i].found));
        assert_non_null(strstr(why, cases[i].expected));
    }
}

static void kinds_without_an_object_cannot_pass_a_list_of_objects(void **state)
{
    weft_filter *f = filter(NULL, NULL, NULL, "event:*");
    uint64_t bits[2];
    weft_filter_kinds(f, bits, 2);
    assert_true(bits[0] >> WEFT_EVENT_WAIT_BEGIN & 1);
    assert_false(bits[0] >> WEFT_EVENT_LOG & 1);
    assert_false(weft_filter_is_empty(f));
    weft_filter_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_lists_pass_all_but_what_must_be_asked_for),
        cmocka_unit_test(kinds_are_matched_whole_or_by_wildcard),
        cmocka_unit_test(a_list_that_takes_away_first_begins_with_all),
        cmocka_unit_test(later_entries_take_away_what_earlier_ones_gave),
        cmocka_unit_test(all_has_the_kinds_that_must_be_asked_for),
        cmocka_unit_test(kernel_return_has_those_without_a_value),
        cmocka_unit_test(kinds_without_a_row_are_named_by_number_or_wildcard),
        cmocka_unit_test(definitions_always_pass),
        cmocka_unit_test(threads_are_named_by_tid_identity_or_text),
        cmocka_unit_test(machine_is_the_thread_without_identity),
        cmocka_unit_test(exports_leave_their_calls_and_what_stands_within),
        cmocka_unit_test(other_exports_within_a_call_do_not_pass),
        cmocka_unit_test(a_return_ends_the_calls_within_it),
        cmocka_unit_test(the_end_of_a_thread_ends_its_calls),
        cmocka_unit_test(calls_without_return_are_forgotten_from_the_oldest),
        cmocka_unit_test(lists_hold_together),
        cmocka_unit_test(objects_are_found_in_fields_and_arrays),
        cmocka_unit_test(objects_are_named_by_identity_too),
        cmocka_unit_test(an_object_taken_away_takes_its_events),
        cmocka_unit_test(payloads_that_do_not_fit_their_row_are_survived),
        cmocka_unit_test(bad_lists_are_refused_by_name),
        cmocka_unit_test(kinds_without_an_object_cannot_pass_a_list_of_objects),
    };
    return cmocka_run_group_tests_name("trace-filter", tests, NULL, NULL);
}
