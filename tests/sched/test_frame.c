/* Guest code that the kernel calls in the middle of a call, seen with APCs, and what exports that
 * are not there answer. Expectations: NT's documentation, LESSONS 26, xenia's XAPC layout
 * (src/xenia/kernel/xthread.h). */
#include <string.h>

#include "ordinals.h"
#include "script.h"

#define CURRENT    UINT32_C(0xFFFFFFFE)
#define PROGRAM(n) (SCRIPT_BASE + (n)*4 * SCRIPT_STEPS)

static script *s;
static uint32_t T, OUT, APC, EVENT;

static int setup(void **state)
{
    s = script_open();
    T = s->scratch + 0x10;
    OUT = s->scratch + 0x20;
    EVENT = s->scratch + 0x40;
    APC = s->scratch + 0x80;
    set_quad(s, T, RELATIVE_MS(1));
    return 0;
}

static int teardown(void **state)
{
    script_close(s);
    return 0;
}

/* An APC may use every register: the interrupted call finds its own again, f and vector ones too.
 */
static void registers_come_back(void **state)
{
    const script_step p[] = {CALL(NtQueueApcThread, CURRENT, PROGRAM(1), 0, 0, 0),
                             CALL(KeDelayExecutionThread, 1, 1, T), WORK(1 * MS), END};
    const script_step routine[] = {CLOBBER, END};
    s->programs[1] = routine;
    kthread *t = script_thread(s, 0, p, 0);
    for (uint64_t i = 14; i < 30; i++) {
        t->cpu->r[i] = i << 32 | i;
    }
    for (uint64_t i = 0; i < 32; i++) {
        t->cpu->f[i] = i * 3;
    }
    t->cpu->ctr = 0x123456789;
    t->cpu->cr = 0x48000001;
    memset(t->cpu->v[1], 7, 16);
    s->k->cpu->reload(s, t->cpu);
    script_run(s, 500000);
    s->k->cpu->flush(s, t->cpu);
    for (uint64_t i = 14; i < 30; i++) {
        assert_int_equal(t->cpu->r[i], i << 32 | i);
    }
    for (uint64_t i = 0; i < 32; i++) {
        assert_int_equal(t->cpu->f[i], i * 3);
    }
    assert_int_equal(t->cpu->ctr, 0x123456789);
    assert_int_equal(t->cpu->cr, 0x48000001);
    assert_int_equal(t->cpu->v[1][0], 7);
    assert_int_equal(s->returned[0][1], STATUS_USER_APC);
}

/* LESSONS 26: a callee saves at [r1-8] and below; what lies under the interrupted stack pointer
 * stays as it was. 16-byte alignment is the ABI's. */
static void stack_pointer_leaves_a_gap(void **state)
{
    const script_step p[] = {CALL(NtQueueApcThread, CURRENT, PROGRAM(1), 0, 0, 0),
                             CALL(KeDelayExecutionThread, 1, 1, T), END};
    const script_step routine[] = {ARG(1), END};
    s->programs[1] = routine;
    kthread *t = script_thread(s, 0, p, 0);
    uint32_t sp = (uint32_t)t->cpu->r[1];
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_true(s->log[0] <= sp - 0x120);
    assert_int_equal(s->log[0] & 15, 0);
}

/* NtQueueApcThread(thread, routine, context, argument1, argument2): routine gets the last three. */
static void user_apc_gets_its_arguments(void **state)
{
    const script_step p[] = {CALL(NtQueueApcThread, CURRENT, PROGRAM(1), 11, 22, 33),
                             CALL(KeDelayExecutionThread, 1, 1, T), END};
    const script_step routine[] = {ARG(3), ARG(4), ARG(5), END};
    s->programs[1] = routine;
    script_thread(s, 0, p, 0);
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    const uint32_t expected[] = {11, 22, 33};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(s->log[i], expected[i]);
    }
}

static void apcs_run_in_order(void **state)
{
    const script_step p[] = {CALL(NtQueueApcThread, CURRENT, PROGRAM(1), 1, 0, 0),
                             CALL(NtQueueApcThread, CURRENT, PROGRAM(1), 2, 0, 0),
                             CALL(NtQueueApcThread, CURRENT, PROGRAM(1), 3, 0, 0),
                             CALL(KeDelayExecutionThread, 1, 1, T),
                             MARK(4),
                             END};
    const script_step routine[] = {ARG(3), END};
    s->programs[1] = routine;
    script_thread(s, 0, p, 0);
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(s->log[i], i + 1);
    }
}

/* An APC that waits alertably itself lets the next one in, and both come back. */
static void apcs_nest(void **state)
{
    const script_step p[] = {CALL(NtQueueApcThread, CURRENT, PROGRAM(1), 0, 0, 0),
                             CALL(NtQueueApcThread, CURRENT, PROGRAM(2), 0, 0, 0),
                             CALL(KeDelayExecutionThread, 1, 1, T), MARK(4), END};
    const script_step first[] = {MARK(1), CALL(KeDelayExecutionThread, 1, 1, T), MARK(3), END};
    const script_step second[] = {MARK(2), END};
    s->programs[1] = first;
    s->programs[2] = second;
    script_thread(s, 0, p, 0);
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(s->log[i], i + 1);
    }
    assert_int_equal(s->returned[0][2], STATUS_USER_APC);
    assert_int_equal(s->returned[1][1], STATUS_USER_APC);
}

/* An APC that waits for good, and whose interrupted wait then ends with the APC. */
static void apc_may_block(void **state)
{
    const script_step p[] = {CALL(NtCreateEvent, EVENT, 0, 1, 0),
                             CALL(NtQueueApcThread, CURRENT, PROGRAM(1), 0, 0, 0),
                             CALL(NtWaitForSingleObjectEx, AT(EVENT), 1, 1, 0), MARK(2), END};
    const script_step routine[] = {CALL(KeDelayExecutionThread, 0, 0, T), MARK(1), END};
    s->programs[1] = routine;
    script_thread(s, 0, p, 0);
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->log[0], 1);
    assert_true(s->log_ticks[0] >= 1 * MS);
    assert_int_equal(s->returned[0][2], STATUS_USER_APC);
    assert_int_equal(s->returned[1][0], STATUS_SUCCESS);
}

/* A thread that ends in an APC ends; what it was called from is dropped with it. */
static void thread_may_end_in_an_apc(void **state)
{
    const script_step p[] = {CALL(NtQueueApcThread, CURRENT, PROGRAM(1), 0, 0, 0),
                             CALL(KeDelayExecutionThread, 1, 1, T), MARK(1), END};
    const script_step routine[] = {CALL(ExTerminateThread, 9), END};
    s->programs[1] = routine;
    script_thread(s, 0, p, 0);
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->k->exit_code, 9);
    assert_int_equal(s->log_count, 0);
}

/* APCs that queue themselves for ever use up the frames: a guest error, not the host's. */
static void endless_nesting_ends_the_title(void **state)
{
    const script_step p[] = {CALL(NtQueueApcThread, CURRENT, PROGRAM(1), 0, 0, 0),
                             CALL(KeDelayExecutionThread, 1, 1, T), END};
    const script_step routine[] = {CALL(NtQueueApcThread, CURRENT, PROGRAM(1), 0, 0, 0),
                                   CALL(KeDelayExecutionThread, 1, 1, T), END};
    s->programs[1] = routine;
    script_thread(s, 0, p, 0);
    assert_int_equal(script_run(s, 0), WEFT_END_EXCEPTION);
}

/* Microsoft, "Disabling APCs": none is delivered in a critical region. */
static void critical_region_keeps_apcs_out(void **state)
{
    const script_step p[] = {CALL(NtQueueApcThread, CURRENT, PROGRAM(1), 0, 0, 0),
                             CALL(KeEnterCriticalRegion),
                             CALL(KeDelayExecutionThread, 1, 1, T),
                             MARK(1),
                             CALL(KeLeaveCriticalRegion),
                             CALL(KeDelayExecutionThread, 1, 1, T),
                             END};
    const script_step routine[] = {MARK(2), END};
    s->programs[1] = routine;
    script_thread(s, 0, p, 0);
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->log[0], 1);
    assert_int_equal(s->log[1], 2);
    assert_int_equal(s->returned[0][2], STATUS_SUCCESS);
}

/* A delay of 0 that is alertable takes a waiting APC. */
static void alertable_delay_of_zero_takes_apcs(void **state)
{
    set_quad(s, T, 0);
    const script_step p[] = {CALL(NtQueueApcThread, CURRENT, PROGRAM(1), 0, 0, 0),
                             CALL(KeDelayExecutionThread, 1, 0, T),
                             CALL(KeDelayExecutionThread, 1, 1, T), END};
    const script_step routine[] = {MARK(1), END};
    s->programs[1] = routine;
    script_thread(s, 0, p, 0);
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->returned[0][1], STATUS_SUCCESS);
    assert_int_equal(s->returned[0][2], STATUS_USER_APC);
}

/* ---- KAPC --------------------------------------------------------------------------------------
 */

static void kapc_has_its_layout(void **state)
{
    const script_step p[] = {CALL(KeInitializeApc, APC, 0x1111, 0x2222, 0x3333, 0x4444, 1, 0x5555),
                             END};
    script_thread(s, 0, p, 0);
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(word(s, APC), 18u << 24 | 1u << 8);
    const uint32_t expected[] = {0x1111, 0, 0, 0x2222, 0x3333, 0x4444, 0x5555, 0, 0};
    for (uint32_t i = 0; i < 9; i++) {
        assert_int_equal(word(s, APC + 4 + 4 * i), expected[i]);
    }
}

/* Without a normal routine there is no normal context (xenia KeInitializeApc). */
static void kapc_without_routine_has_no_context(void **state)
{
    const script_step p[] = {CALL(KeInitializeApc, APC, 0x1111, 0x2222, 0, 0, 1, 0x5555), END};
    script_thread(s, 0, p, 0);
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(word(s, APC + 0x1C), 0);
}

/* KernelRoutine(Apc, &NormalRoutine, &NormalContext, &Argument1, &Argument2), then
 * NormalRoutine(NormalContext, Argument1, Argument2). */
static void kapc_runs_both_routines(void **state)
{
    const script_step p[] = {
        CALL(ObReferenceObjectByHandle, CURRENT, 0, OUT),
        CALL(KeInitializeApc, APC, AT(OUT), PROGRAM(1), 0, PROGRAM(2), 1, 0x55),
        CALL(KeInsertQueueApc, APC, 66, 77, 0),
        CALL(KeInsertQueueApc, APC, 1, 2, 0),
        CALL(KeDelayExecutionThread, 1, 1, T),
        CALL(KeRemoveQueueApc, APC),
        END};
    const script_step kernel_routine[] = {ARG(3), END};
    const script_step normal[] = {ARG(3), ARG(4), ARG(5), END};
    s->programs[1] = kernel_routine;
    s->programs[2] = normal;
    script_thread(s, 0, p, 0);
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    const uint32_t expected[] = {APC, 0x55, 66, 77};
    assert_int_equal(s->log_count, 4);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(s->log[i], expected[i]);
    }
    assert_int_equal(s->returned[0][2], 1);
    assert_int_equal(s->returned[0][3], 0); /* queued already */
    assert_int_equal(s->returned[0][5], 0); /* no longer queued */
    assert_int_equal(word(s, APC) & 0xFF, 0);
}

static void removed_kapc_does_not_run(void **state)
{
    const script_step p[] = {CALL(ObReferenceObjectByHandle, CURRENT, 0, OUT),
                             CALL(KeInitializeApc, APC, AT(OUT), 0, 0, PROGRAM(1), 1, 0),
                             CALL(KeInsertQueueApc, APC, 0, 0, 0),
                             CALL(KeRemoveQueueApc, APC),
                             CALL(KeDelayExecutionThread, 1, 1, T),
                             END};
    const script_step routine[] = {MARK(1), END};
    s->programs[1] = routine;
    script_thread(s, 0, p, 0);
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->returned[0][3], 1);
    assert_int_equal(s->returned[0][4], STATUS_SUCCESS);
    assert_int_equal(s->log_count, 0);
}

/* ---- exports that are not there ----------------------------------------------------------------
 */

/* winsock: SOCKET_ERROR and INVALID_SOCKET are all ones; WSAStartup answers an error code itself.
 */
static void missing_sockets_answer_socket_error(void **state)
{
    assert_int_equal(kmissing_answer(KMODULE_XAM, "NetDll_socket"), UINT32_MAX);
    assert_int_equal(kmissing_answer(KMODULE_XAM, "NetDll_recv"), UINT32_MAX);
    assert_int_equal(kmissing_answer(KMODULE_XAM, "NetDll_WSAStartup"), 10091);
    assert_int_equal(kmissing_answer(KMODULE_XAM, "NetDll_WSAStartupEx"), 10091);
    assert_int_equal(kmissing_answer(KMODULE_XAM, "NetDll_XNetGetEthernetLinkStatus"), 0);
}

/* [MS-ERREF]: ERROR_CALL_NOT_IMPLEMENTED is 120; E_NOTIMPL and statuses are negative. */
static void missing_exports_answer_their_familys_error(void **state)
{
    assert_int_equal(kmissing_answer(KMODULE_XAM, "XamContentClose"), 120);
    assert_int_equal(kmissing_answer(KMODULE_XAM, "?"), 120);
    assert_int_equal(kmissing_answer(KMODULE_XAM, "CreateFileA"), UINT32_MAX);
    assert_int_equal(kmissing_answer(KMODULE_XAM, "CreateThread"), 0);
    assert_int_equal(kmissing_answer(KMODULE_XAM, "XamNotifyCreateListener"), 0);
    assert_int_equal(kmissing_answer(KMODULE_XAM, "XuiSceneCreate"), UINT64_C(0xFFFFFFFF80004001));
    assert_int_equal(kmissing_answer(KMODULE_KRNL, "IoCreateDevice"), UINT64_C(0xFFFFFFFFC0000002));
    assert_int_equal(kmissing_answer(KMODULE_KRNL, "?"), UINT64_C(0xFFFFFFFFC0000002));
    assert_int_equal(kmissing_answer(KMODULE_KRNL, "XeKeysObfuscate"), 0);
}

/* Called: import.call and export.missing, no kernel.call, one log line, the count in the report. */
static void missing_export_is_reported(void **state)
{
    const script_step p[] = {CALL(ExRegisterThreadNotification, 0, 0),
                             CALL(ExRegisterThreadNotification, 0, 0), END};
    script_thread(s, 0, p, 0);
    assert_int_equal(script_run(s, 0), WEFT_END_EXIT);
    assert_int_equal(s->fake->events[WEFT_EVENT_IMPORT_CALL], 2);
    assert_int_equal(s->fake->events[WEFT_EVENT_EXPORT_MISSING], 2);
    assert_int_equal(s->fake->events[WEFT_EVENT_KERNEL_CALL], 0);
    assert_int_equal(s->fake->events[WEFT_EVENT_KERNEL_RETURN], 0);
    assert_int_equal(s->fake->events[WEFT_EVENT_KERNEL_RETURN_VOID], 0);
    assert_int_equal(s->k->missing_count, 1);
    assert_int_equal(s->k->missing[0].site_count, 2);
    assert_non_null(strstr(s->fake->logged, "xboxkrnl.exe!ExRegisterThreadNotification"));
    assert_int_equal(s->k->missing[0].count, 2);
    assert_int_equal(s->k->missing[0].first_caller, SCRIPT_BASE + 4);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(registers_come_back),
        T(stack_pointer_leaves_a_gap),
        T(user_apc_gets_its_arguments),
        T(apcs_run_in_order),
        T(apcs_nest),
        T(apc_may_block),
        T(thread_may_end_in_an_apc),
        T(endless_nesting_ends_the_title),
        T(critical_region_keeps_apcs_out),
        T(alertable_delay_of_zero_takes_apcs),
        T(kapc_has_its_layout),
        T(kapc_without_routine_has_no_context),
        T(kapc_runs_both_routines),
        T(removed_kapc_does_not_run),
        T(missing_sockets_answer_socket_error),
        T(missing_exports_answer_their_familys_error),
        T(missing_export_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
