/* What two engines are compared by: the rules of REFERENCE-SYSTEM 2.2 and 3. Each test holds a line
 * of one engine against that of another: equal hashes mean that the events count as equal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "canon.h"
#include "case.h"
#include "shared_log.h"

#define C(kind, tid, index, payload) SHARED_LINE("canary", kind, tid, index, payload)
#define O(kind, tid, index, payload) SHARED_LINE("ours", kind, tid, index, payload)
#define C_HEAD                       SHARED_HEAD("canary")
#define O_HEAD                       SHARED_HEAD("ours")

#define NO_FORM UINT64_MAX

/* The hash of each event of a log. */
static size_t hashes(const char *text, uint64_t *to, size_t room)
{
    weft_trace *t = case_open(text, strlen(text));
    weft_canon *c = weft_canon_new(WEFT_CANON_SHARED);
    const weft_event *event;
    size_t count = 0;
    while (count < room && (event = weft_trace_next(t)) != NULL) {
        to[count] = NO_FORM;
        weft_canon_add(c, t, event, &to[count++]);
    }
    assert_null(weft_trace_failed(t, NULL));
    assert_int_equal(weft_canon_no_memory(c), 0);
    weft_canon_free(c);
    weft_trace_close(t);
    return count;
}

/* Whether the last events of both logs are the same. */
static int same(const char *a, const char *b)
{
    uint64_t x[32], y[32];
    size_t m = hashes(a, x, 32), n = hashes(b, y, 32);
    assert_true(m > 0 && n > 0 && x[m - 1] != NO_FORM && y[n - 1] != NO_FORM);
    return x[m - 1] == y[n - 1];
}

static void the_thread_and_its_counters_do_not_count(void **state)
{
    assert_true(same(C_HEAD C("thread.exit", 6, 17, "\"exit_code\":3"),
                     O_HEAD O("thread.exit", 1, 4, "\"exit_code\":3")));
    assert_false(same(C_HEAD C("thread.exit", 6, 17, "\"exit_code\":3"),
                      O_HEAD O("thread.exit", 6, 17, "\"exit_code\":4")));
}

static void raw_handle_and_identity_are_skipped(void **state)
{
    assert_true(same(C_HEAD SHARED_HANDLE("canary", 6, 0, "85944171f73967e8", "1", "4160749584"),
                     O_HEAD SHARED_HANDLE("ours", 1, 0, "0000000000000001", "1", "4160749600")));
    assert_false(same(C_HEAD SHARED_HANDLE("canary", 6, 0, "85944171f73967e8", "1", "4160749584"),
                      O_HEAD SHARED_HANDLE("ours", 6, 0, "85944171f73967e8", "5", "4160749584")));
    assert_true(same(C_HEAD C("handle.destroy", 6, 0,
                              "\"handle_semantic_id\":\"1\",\"raw_handle_id\":7,"
                              "\"prior_refcount\":1"),
                     O_HEAD O("handle.destroy", 6, 0,
                              "\"handle_semantic_id\":\"2\",\"raw_handle_id\":8,"
                              "\"prior_refcount\":1")));
}

static void of_a_wait_the_timeout_counts(void **state)
{
    assert_true(same(C_HEAD SHARED_WAIT("canary", 6, 0, "85944171f73967e8", "-1"),
                     O_HEAD SHARED_WAIT("ours", 6, 0, "0000000000000001", "-1")));
    assert_false(same(C_HEAD SHARED_WAIT("canary", 6, 0, "85944171f73967e8", "-1"),
                      O_HEAD SHARED_WAIT("ours", 6, 0, "85944171f73967e8", "-3000000")));
}

static void an_export_goes_by_its_name_alone(void **state)
{
    static const char weft[] =
        SHARED_HEAD("weft") SHARED_LINE("weft", "define", 0, 0,
                                        "\"id\":\"00000000000000aa\",\"what\":\"export\",\"text\":"
                                        "\"xboxkrnl.exe!NtClose(handle)#207\"")
            SHARED_LINE("weft", "import.call", 1, 0,
                        "\"module\":\"xboxkrnl.exe\",\"ordinal\":207,\"name\":\"NtClose\","
                        "\"export\":\"00000000000000aa\",\"caller\":\"0x82001234\"");
    assert_true(same(C_HEAD SHARED_IMPORT("canary", 6, 0, "NtClose"), weft));
    assert_true(same(C_HEAD SHARED_IMPORT("canary", 6, 0, "xboxkrnl.exe!NtClose"), weft));
    assert_false(same(C_HEAD SHARED_IMPORT("canary", 6, 0, "NtOpenFile"), weft));
}

static void arguments_and_path_are_strict(void **state)
{
#define CALL(engine, value, path)                                                                  \
    SHARED_HEAD(engine)                                                                            \
    SHARED_LINE(engine, "kernel.call", 6, 0,                                                       \
                "\"name\":\"NtOpenFile\",\"args\":{\"r3\":" value ",\"r4\":2},"                    \
                "\"args_resolved\":{\"path\":\"" path "\"}")
    assert_true(same(CALL("canary", "5", "game:\\\\a"), CALL("ours", "\"0x5\"", "game:\\\\a")));
    assert_false(same(CALL("canary", "5", "game:\\\\a"), CALL("ours", "6", "game:\\\\a")));
    assert_false(same(CALL("canary", "5", "game:\\\\a"), CALL("ours", "5", "GAME:\\\\a")));
}

/* C+1: r3 behind a void export is garbage. One engine logs it, the other does not. */
static void what_a_void_export_leaves_does_not_count(void **state)
{
    assert_true(same(C_HEAD SHARED_RETURN("canary", 6, 0, "KeQuerySystemTime", "18446744072"),
                     O_HEAD SHARED_RETURN("ours", 6, 0, "KeQuerySystemTime", "5")));
    assert_true(same(C_HEAD SHARED_RETURN("canary", 6, 0, "RtlLeaveCriticalSection", "7"),
                     O_HEAD O("kernel.return", 6, 0,
                              "\"name\":\"RtlLeaveCriticalSection\",\"side_effects\":[]")));
    assert_false(same(C_HEAD SHARED_RETURN("canary", 6, 0, "NtClose", "0"),
                      O_HEAD SHARED_RETURN("ours", 6, 0, "NtClose", "3221225480")));
}

/* C+2: the n-th answer of an allocator on a thread is the n-th. The addresses are REFERENCE's. */
#define ALLOCATE(engine, tid, index, value)                                                        \
    SHARED_RETURN(engine, tid, index, "ExAllocatePoolWithTag", value)
#define FREE(engine, tid, index, value)                                                            \
    SHARED_CALL(engine, tid, index, "ExFreePool", "\"r3\":" value)

static void the_nth_allocation_is_the_nth(void **state)
{
    assert_true(same(C_HEAD ALLOCATE("canary", 6, 0, "3160721552"),
                     O_HEAD ALLOCATE("ours", 1, 0, "1079265424")));
    assert_false(same(C_HEAD ALLOCATE("canary", 6, 0, "3160721552"),
                      O_HEAD ALLOCATE("ours", 1, 0, "1079265424")
                          ALLOCATE("ours", 1, 1, "1079269424")));
    /* no memory on one side is a difference */
    assert_false(
        same(C_HEAD ALLOCATE("canary", 6, 0, "3160721552"), O_HEAD ALLOCATE("ours", 1, 0, "0")));
}

static void an_allocation_keeps_its_name_as_an_argument(void **state)
{
    assert_true(same(C_HEAD ALLOCATE("canary", 6, 0, "3160721552")
                         ALLOCATE("canary", 6, 1, "3160725552") FREE("canary", 6, 2, "3160721552"),
                     O_HEAD ALLOCATE("ours", 1, 0, "1079265424")
                         ALLOCATE("ours", 1, 1, "1079269424") FREE("ours", 1, 2, "1079265424")));
    assert_false(same(C_HEAD ALLOCATE("canary", 6, 0, "3160721552")
                          ALLOCATE("canary", 6, 1, "3160725552") FREE("canary", 6, 2, "3160721552"),
                      O_HEAD ALLOCATE("ours", 1, 0, "1079265424")
                          ALLOCATE("ours", 1, 1, "1079269424") FREE("ours", 1, 2, "1079269424")));
}

static void an_address_given_out_again_is_the_new_allocation(void **state)
{
    assert_true(same(C_HEAD ALLOCATE("canary", 6, 0, "65536") FREE("canary", 6, 1, "65536")
                         ALLOCATE("canary", 6, 2, "65536") FREE("canary", 6, 3, "65536"),
                     O_HEAD ALLOCATE("ours", 1, 0, "131072") FREE("ours", 1, 1, "131072")
                         ALLOCATE("ours", 1, 2, "196608") FREE("ours", 1, 3, "196608")));
}

static void an_allocation_of_another_thread_is_that(void **state)
{
    assert_true(same(C_HEAD ALLOCATE("canary", 7, 0, "3160721552")
                         FREE("canary", 6, 0, "3160721552"),
                     O_HEAD ALLOCATE("ours", 2, 0, "1079265424") FREE("ours", 1, 0, "1079265424")));
    assert_false(
        same(C_HEAD ALLOCATE("canary", 7, 0, "3160721552") FREE("canary", 6, 0, "3160721552"),
             O_HEAD ALLOCATE("ours", 1, 0, "1079265424") FREE("ours", 1, 1, "1079265424")));
}

static void a_handle_keeps_its_name_as_an_argument(void **state)
{
    assert_true(same(C_HEAD SHARED_HANDLE("canary", 6, 0, "a", "1", "4160749584")
                         SHARED_CALL("canary", 6, 1, "NtClose", "\"r3\":4160749584"),
                     O_HEAD SHARED_HANDLE("ours", 1, 0, "b", "1", "4160749600")
                         SHARED_CALL("ours", 1, 1, "NtClose", "\"r3\":4160749600")));
}

/* C+22b: ctx_ptr is named in a space of its own; a small integer is the title's, and strict. */
#define CREATE(engine, tid, index, entry, context, parent)                                         \
    SHARED_LINE(engine, "thread.create", tid, index,                                               \
                "\"parent_tid\":" parent ",\"entry_pc\":" entry ",\"ctx_ptr\":" context            \
                ",\"stack_size\":65536,\"affinity\":0")

static void a_context_pointer_is_the_nth_context_pointer(void **state)
{
    assert_true(same(C_HEAD CREATE("canary", 6, 0, "2181042176", "3160721552", "6"),
                     O_HEAD CREATE("ours", 1, 0, "2181042176", "1079265424", "1")));
    assert_true(same(C_HEAD ALLOCATE("canary", 6, 0, "3160721552")
                         CREATE("canary", 6, 1, "2181042176", "3160721552", "6"),
                     O_HEAD CREATE("ours", 1, 0, "2181042176", "1079265424", "1")));
    assert_false(same(C_HEAD CREATE("canary", 6, 0, "2181042176", "3", "6"),
                      O_HEAD CREATE("ours", 1, 0, "2181042176", "4", "1")));
    assert_false(same(C_HEAD CREATE("canary", 6, 0, "2181042176", "3160721552", "6"),
                      O_HEAD CREATE("ours", 1, 0, "2181042180", "3160721552", "6")));
}

static void kinds_of_one_engine_alone_have_no_form(void **state)
{
    static const char log[] =
        C_HEAD C("contention.observed", 6, 0, "\"cs_ptr\":\"0x1\",\"contended\":true")
            C("signal.match", 6, 1, "\"handle\":1") C("wake.requested", 6, 2, "\"target_tid\":7")
                C("wait.end", 6, 3, "\"wait_duration_cycles\":7")
                    C("shader.cached", 6, 4, "\"a\":1") C("vfs.open", 6, 5, "\"path\":\"a\"")
                        C("mem.write", 6, 6, "\"address\":1");
    uint64_t found[16];
    assert_int_equal(hashes(log, found, 16), 7);
    for (int i = 0; i < 7; i++) {
        assert_true(found[i] == NO_FORM);
    }
}

/* From a clone on, the same hashes come as from the original. */
static void a_clone_goes_on_as_the_original(void **state)
{
    static const char log[] = C_HEAD ALLOCATE("canary", 6, 0, "3160721552")
        SHARED_HANDLE("canary", 6, 1, "a", "1", "4160749584")
            CREATE("canary", 6, 2, "2181042176", "3160725552", "6")
                ALLOCATE("canary", 6, 3, "3160821552") FREE("canary", 6, 4, "3160721552")
                    SHARED_CALL("canary", 6, 5, "NtClose", "\"r3\":4160749584")
                        CREATE("canary", 6, 6, "2181042176", "3160785552", "6");
    for (int cut = 0; cut < 7; cut++) {
        weft_trace *t = case_open(log, sizeof log - 1);
        weft_canon *c = weft_canon_new(WEFT_CANON_SHARED), *clone = NULL;
        for (int n = 0; n < 7; n++) {
            uint64_t a, b;
            const weft_event *event = weft_trace_next(t);
            if (n == cut) {
                clone = weft_canon_clone(c);
            }
            assert_int_equal(weft_canon_add(c, t, event, &a), 1);
            if (clone) {
                assert_int_equal(weft_canon_add(clone, t, event, &b), 1);
                assert_true(a == b);
            }
        }
        weft_canon_free(c);
        weft_canon_free(clone);
        weft_trace_close(t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_thread_and_its_counters_do_not_count),
        cmocka_unit_test(raw_handle_and_identity_are_skipped),
        cmocka_unit_test(of_a_wait_the_timeout_counts),
        cmocka_unit_test(an_export_goes_by_its_name_alone),
        cmocka_unit_test(arguments_and_path_are_strict),
        cmocka_unit_test(what_a_void_export_leaves_does_not_count),
        cmocka_unit_test(the_nth_allocation_is_the_nth),
        cmocka_unit_test(an_allocation_keeps_its_name_as_an_argument),
        cmocka_unit_test(an_address_given_out_again_is_the_new_allocation),
        cmocka_unit_test(an_allocation_of_another_thread_is_that),
        cmocka_unit_test(a_handle_keeps_its_name_as_an_argument),
        cmocka_unit_test(a_context_pointer_is_the_nth_context_pointer),
        cmocka_unit_test(kinds_of_one_engine_alone_have_no_form),
        cmocka_unit_test(a_clone_goes_on_as_the_original),
    };
    return cmocka_run_group_tests_name("trace-diff-shared", tests, NULL, NULL);
}
