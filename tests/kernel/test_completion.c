/* Completion ports, read-write locks, sequenced lists, fibers. Expectations: NT's documentation of
 * NtRemoveIoCompletion and NtSetInformationFile, of ExAcquireResource (readers together, writers
 * alone, a waiting writer keeps new readers out) and of SLIST_HEADER; offsets from xenia's
 * xboxkrnl_threading.cc and xthread.h. */
#include "fixture.h"

#include <stdlib.h>
#include <string.h>

#include "exports.h"

#define U(x) ((uint64_t)(x))

static int setup(void **state)
{
    *state = fixture_open();
    return 0;
}

static int teardown(void **state)
{
    fixture_close(*state);
    return 0;
}

static uint32_t make_port(fixture *f)
{
    assert_int_equal(invoke(f, ex_NtCreateIoCompletion, 4, U(f->scratch), U(0), U(0), U(0)), 0);
    return word(f, f->scratch);
}

static kstatus post(fixture *f, uint32_t port, uint32_t key, uint32_t context)
{
    return (kstatus)invoke(f, ex_NtSetIoCompletion, 5, U(port), U(key), U(context),
                           U(STATUS_END_OF_FILE), U(77));
}

/* Key, context and status block land at scratch + 0x100, 0x104, 0x108. */
static kstatus take(fixture *f, uint32_t port, uint32_t timeout)
{
    uint32_t out = f->scratch + 0x100;
    return (kstatus)invoke(f, ex_NtRemoveIoCompletion, 5, U(port), U(out), U(out + 4), U(out + 8),
                           U(timeout));
}

/* NT: a packet comes from the pool, and without one the answer is STATUS_INSUFFICIENT_RESOURCES
 * (ReactOS ntoskrnl/io/iomgr/iocomp.c). No title can make a port take the host's memory. */
static void a_full_port_refuses_packets(void **state)
{
    fixture *f = *state;
    uint32_t port = make_port(f), posted = 0;
    while (posted < 1000000 && post(f, port, posted, 0) == STATUS_SUCCESS) {
        posted++;
    }
    assert_in_range(posted, 1000, 100000);
    assert_int_equal(post(f, port, 1, 0), STATUS_INSUFFICIENT_RESOURCES);
    assert_int_equal(take(f, port, 0), STATUS_SUCCESS);
    assert_int_equal(word(f, f->scratch + 0x100), 0);
    assert_int_equal(post(f, port, 1, 0), STATUS_SUCCESS);
}

/* NT: a KAPC comes from the pool, and without one the answer is STATUS_NO_MEMORY (ReactOS
 * ntoskrnl/ps/state.c). */
static void a_full_queue_refuses_apcs(void **state)
{
    fixture *f = *state;
    const uint64_t self = 0xFFFFFFFE;
    f->thread->object = kobject_create(f->k, NULL, KOBJECT_THREAD, 0, 0xAB0);
    f->thread->object->data = f->thread;
    uint32_t queued = 0;
    while (queued < 1000000 && invoke(f, ex_NtQueueApcThread, 5, self, U(0x82000000), U(0), U(0),
                                      U(0)) == STATUS_SUCCESS) {
        queued++;
    }
    assert_in_range(queued, 1000, 100000);
    assert_int_equal((kstatus)f->thread->cpu->r[3], STATUS_NO_MEMORY);
    while (f->thread->first_apc) {
        kapc *next = f->thread->first_apc->next;
        free(f->thread->first_apc);
        f->thread->first_apc = next;
    }
}

static void packets_come_in_order(void **state)
{
    fixture *f = *state;
    uint32_t port = make_port(f), out = f->scratch + 0x100;
    assert_int_equal(post(f, port, 1, 0x11), STATUS_SUCCESS);
    assert_int_equal(post(f, port, 2, 0x22), STATUS_SUCCESS);
    assert_int_equal(take(f, port, 0), STATUS_SUCCESS);
    assert_int_equal(word(f, out), 1);
    assert_int_equal(word(f, out + 4), 0x11);
    assert_int_equal(word(f, out + 8), STATUS_END_OF_FILE);
    assert_int_equal(word(f, out + 12), 77);
    assert_int_equal(take(f, port, 0), STATUS_SUCCESS);
    assert_int_equal(word(f, out), 2);
}

static void an_empty_port_times_out(void **state)
{
    fixture *f = *state;
    uint32_t port = make_port(f), zero = f->scratch + 0x200;
    set_word(f, f->scratch + 0x100, 0x55);
    assert_int_equal(take(f, port, zero), STATUS_TIMEOUT);
    assert_int_equal(word(f, f->scratch + 0x100), 0x55);
    assert_int_equal(take(f, 0xF8001000, zero), STATUS_INVALID_HANDLE);
}

static void a_waiting_thread_is_given_the_packet(void **state)
{
    fixture *f = *state;
    uint32_t port = make_port(f);
    take(f, port, 0);
    assert_int_equal(f->result, K_WAIT);
    kobject *o = khandle_get(f->k, f->thread, port, 0);
    assert_int_equal(word(f, o->body + 4), 0);
    post(f, port, 9, 0x99);
    assert_int_equal(word(f, o->body + 4), 0); /* it is the waiter's already */
    post(f, port, 10, 0xAA);
    assert_true(resume(f));
    assert_int_equal((kstatus)f->thread->cpu->r[3], STATUS_SUCCESS);
    assert_int_equal(word(f, f->scratch + 0x100), 9);
    assert_int_equal(take(f, port, 0), STATUS_SUCCESS);
    assert_int_equal(word(f, f->scratch + 0x100), 10);
}

/* It is the waiter's also while another thread asks before the waiter runs on. */
static void nobody_takes_the_packet_of_another(void **state)
{
    fixture *f = *state;
    uint32_t port = make_port(f), zero = f->scratch + 0x200;
    take(f, port, 0);
    post(f, port, 9, 0x99);
    post(f, port, 10, 0xAA);
    kthread *other = calloc(1, sizeof *other);
    weft_cpu_state *cpu = calloc(1, sizeof *cpu);
    assert_non_null(other);
    assert_non_null(cpu);
    *other = (kthread){.k = f->k, .id = 2, .tid = 2, .cpu = cpu, .state = WEFT_THREAD_RUNNING};
    uint32_t out = f->scratch + 0x300;
    const uint32_t arguments[] = {port, out, out + 4, out + 8, zero};
    for (unsigned i = 0; i < 5; i++) {
        cpu->r[3 + i] = arguments[i];
    }
    kcall call = {.k = f->k, .thread = other, .cpu = cpu};
    assert_int_equal(ex_NtRemoveIoCompletion(&call), K_DONE);
    assert_int_equal(word(f, out), 10);
    assert_true(resume(f));
    assert_int_equal(word(f, f->scratch + 0x100), 9);
    free(cpu);
    free(other);
}

/* A file without VFS_SYNCHRONOUS tells its port, with the APC context of the transfer. */
static void a_transfer_tells_the_port(void **state)
{
    fixture *f = *state;
    char *folder = folder_make();
    folder_file(folder, "data.bin", "abcdef", 6);
    assert_int_equal(vfs_mount_title(f->k->vfs, folder), STATUS_SUCCESS);
    uint32_t at0 = f->scratch + 0x400, port = make_port(f), out = f->scratch + 0x100;
    uint32_t text = set_text(f, at0 + 0x40, "game:\\data.bin");
    weft_store16(at(f, at0 + 0x20), 14);
    weft_store16(at(f, at0 + 0x22), 15);
    set_word(f, at0 + 0x24, text);
    set_word(f, at0, 0);
    set_word(f, at0 + 4, at0 + 0x20);
    assert_int_equal(
        invoke(f, ex_NtOpenFile, 5, U(f->scratch), U(0x80000000), U(at0), U(f->scratch + 8), U(0)),
        0);
    uint32_t file = word(f, f->scratch);
    set_word(f, at0 + 0x80, port);
    set_word(f, at0 + 0x84, 0x1234);
    for (int again = 0; again < 2; again++) { /* once a file */
        assert_int_equal((kstatus)invoke(f, ex_NtSetInformationFile, 5, U(file), U(f->scratch + 8),
                                         U(at0 + 0x80), U(8), U(30)),
                         again ? STATUS_INVALID_PARAMETER : STATUS_SUCCESS);
    }
    assert_int_equal((kstatus)invoke(f, ex_NtReadFile, 8, U(file), U(0), U(0), U(0x5678),
                                     U(f->scratch + 16), U(f->scratch + 0x1000), U(6), U(0)),
                     STATUS_PENDING);
    pass(f, 1000000000);
    assert_int_equal(take(f, port, f->scratch + 0x200), STATUS_SUCCESS);
    assert_int_equal(word(f, out), 0x1234);
    assert_int_equal(word(f, out + 4), 0x5678);
    assert_int_equal(word(f, out + 8), STATUS_SUCCESS);
    assert_int_equal(word(f, out + 12), 6);
    invoke(f, ex_NtClose, 1, U(file));
    folder_remove(folder);
}

static void readers_share_and_a_writer_is_alone(void **state)
{
    fixture *f = *state;
    uint32_t lock = f->scratch;
    invoke(f, ex_ExInitializeReadWriteLock, 1, U(lock));
    assert_int_equal(word(f, lock), UINT32_MAX);
    invoke(f, ex_ExAcquireReadWriteLockShared, 1, U(lock));
    invoke(f, ex_ExAcquireReadWriteLockShared, 1, U(lock));
    assert_int_equal(f->result, K_DONE);
    assert_int_equal(word(f, lock + 0xC), 2);
    assert_int_equal(invoke(f, ex_ExTryToAcquireReadWriteLockExclusive, 1, U(lock)), 0);
    invoke(f, ex_ExReleaseReadWriteLock, 1, U(lock));
    invoke(f, ex_ExReleaseReadWriteLock, 1, U(lock));
    assert_int_equal(word(f, lock), UINT32_MAX);
    assert_int_equal(invoke(f, ex_ExTryToAcquireReadWriteLockExclusive, 1, U(lock)), 1);
    assert_int_equal(invoke(f, ex_ExTryToAcquireReadWriteLockShared, 1, U(lock)), 0);
    invoke(f, ex_ExReleaseReadWriteLock, 1, U(lock));
    assert_int_equal(word(f, lock), UINT32_MAX);
}

/* From writer to writer, and no reader comes in before a writer that waits. */
static void a_waiting_writer_is_next(void **state)
{
    fixture *f = *state;
    uint32_t lock = f->scratch;
    invoke(f, ex_ExInitializeReadWriteLock, 1, U(lock));
    invoke(f, ex_ExAcquireReadWriteLockExclusive, 1, U(lock));
    assert_int_equal(f->result, K_DONE);
    invoke(f, ex_ExAcquireReadWriteLockExclusive, 1, U(lock));
    assert_int_equal(f->result, K_WAIT);
    assert_int_equal(word(f, lock + 4), 1);
    invoke(f, ex_ExReleaseReadWriteLock, 1, U(lock));
    assert_true(resume(f));
    assert_int_equal(word(f, lock), 0);
    assert_int_equal(word(f, lock + 4), 0);
    invoke(f, ex_ExReleaseReadWriteLock, 1, U(lock));
    assert_int_equal(word(f, lock), UINT32_MAX);
}

static void a_writer_lets_all_waiting_readers_in(void **state)
{
    fixture *f = *state;
    uint32_t lock = f->scratch;
    invoke(f, ex_ExInitializeReadWriteLock, 1, U(lock));
    invoke(f, ex_ExAcquireReadWriteLockExclusive, 1, U(lock));
    invoke(f, ex_ExAcquireReadWriteLockShared, 1, U(lock));
    assert_int_equal(f->result, K_WAIT);
    invoke(f, ex_ExReleaseReadWriteLock, 1, U(lock));
    assert_true(resume(f));
    assert_int_equal(word(f, lock + 8), 0);
    assert_int_equal(word(f, lock + 0xC), 1);
}

static void a_lock_in_no_memory_faults(void **state)
{
    fixture *f = *state;
    invoke(f, ex_ExAcquireReadWriteLockShared, 1, U(0x10));
    assert_true(f->call.faulted);
    invoke(f, ex_ExReleaseReadWriteLock, 1, U(f->scratch + 0x40000)); /* zeros: no lock */
    assert_true(f->call.faulted);
}

static void a_list_is_last_in_first_out(void **state)
{
    fixture *f = *state;
    uint32_t list = f->scratch, a = f->scratch + 0x40, b = f->scratch + 0x80;
    assert_int_equal(invoke(f, ex_InterlockedPopEntrySList, 1, U(list)), 0);
    assert_int_equal(invoke(f, ex_InterlockedPushEntrySList, 2, U(list), U(a)), 0);
    assert_int_equal(invoke(f, ex_InterlockedPushEntrySList, 2, U(list), U(b)), a);
    assert_int_equal(word(f, list + 4), 0x00020002); /* depth, sequence */
    assert_int_equal(word(f, b), a);
    assert_int_equal(invoke(f, ex_InterlockedPopEntrySList, 1, U(list)), b);
    assert_int_equal(word(f, list + 4), 0x00010002);
    assert_int_equal(invoke(f, ex_InterlockedFlushSList, 1, U(list)), a);
    assert_int_equal(quad(f, list), 0);
}

static void a_fiber_goes_on_with_its_stack(void **state)
{
    fixture *f = *state;
    kobject *o = kobject_create(f->k, NULL, KOBJECT_THREAD, 0, 0xAB0);
    f->thread->object = o;
    f->k->hw[0].pcr = f->scratch + 0x8000;
    uint32_t base = f->scratch + 0x20000, limit = f->scratch + 0x10000;
    invoke(f, ex_KeSetCurrentStackPointers, 5, U(base - 0x80), U(o->body), U(base), U(base),
           U(limit));
    assert_int_equal(f->result, K_DONE);
    assert_int_equal(f->thread->cpu->r[1], base - 0x80);
    assert_int_equal(word(f, o->body + 0x5C), base);
    assert_int_equal(word(f, o->body + 0x60), limit);
    assert_int_equal(word(f, f->scratch + 0x8000 + 0x70), base);
    assert_int_equal(word(f, f->scratch + 0x8000 + 0x74), limit);
    kthread_dispatch(f->k, f->thread, 0); /* also after another thread ran */
    assert_int_equal(word(f, f->scratch + 0x8000 + 0x70), base);
    f->thread->object = NULL;
    kobject_release(f->k, o);
}

/* STATUS_INSUFFICIENT_RESOURCES, and no thread is left behind that nobody could name. */
static void no_thread_without_a_handle(void **state)
{
    fixture *f = *state;
    kobject *o = kobject_create(f->k, NULL, KOBJECT_EVENT, 0, 16);
    while (khandle_open(f->k, f->thread, o) != 0) {
    }
    kobject_release(f->k, o);
    uint32_t count = f->k->thread_count;
    assert_int_equal((kstatus)invoke(f, ex_ExCreateThread, 7, U(f->scratch), U(0), U(0), U(0),
                                     U(0x82000000), U(0), U(0)),
                     STATUS_INSUFFICIENT_RESOURCES);
    assert_int_equal(f->k->thread_count, count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(packets_come_in_order, setup, teardown),
        cmocka_unit_test_setup_teardown(an_empty_port_times_out, setup, teardown),
        cmocka_unit_test_setup_teardown(a_waiting_thread_is_given_the_packet, setup, teardown),
        cmocka_unit_test_setup_teardown(nobody_takes_the_packet_of_another, setup, teardown),
        cmocka_unit_test_setup_teardown(a_transfer_tells_the_port, setup, teardown),
        cmocka_unit_test_setup_teardown(readers_share_and_a_writer_is_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(a_waiting_writer_is_next, setup, teardown),
        cmocka_unit_test_setup_teardown(a_writer_lets_all_waiting_readers_in, setup, teardown),
        cmocka_unit_test_setup_teardown(a_lock_in_no_memory_faults, setup, teardown),
        cmocka_unit_test_setup_teardown(a_full_port_refuses_packets, setup, teardown),
        cmocka_unit_test_setup_teardown(a_full_queue_refuses_apcs, setup, teardown),
        cmocka_unit_test_setup_teardown(a_list_is_last_in_first_out, setup, teardown),
        cmocka_unit_test_setup_teardown(a_fiber_goes_on_with_its_stack, setup, teardown),
        cmocka_unit_test_setup_teardown(no_thread_without_a_handle, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
