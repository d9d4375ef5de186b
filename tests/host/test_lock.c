/* The order of locks: weft/host.h, "locks/1": a lock of a rank above all that the thread holds may be
 * taken, anything else ends the process with a message. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/lock.h"

/* Runs a function in a process of its own; its wait status, and in `said` its stderr. */
static int alone(void (*work)(void), char *said, size_t room)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        signal(SIGABRT, SIG_DFL); /* cmocka's handler would jump back into the test */
        dup2(ends[1], STDERR_FILENO);
        work();
        _exit(0);
    }
    close(ends[1]);
    size_t length = 0;
    ssize_t got;
    while (length + 1 < room && (got = read(ends[0], said + length, room - 1 - length)) > 0) {
        length += (size_t)got;
    }
    said[length] = 0;
    close(ends[0]);
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void aborts(void (*work)(void), const char *found, const char *under)
{
    char said[512];
    int status = alone(work, said, sizeof said);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
    assert_non_null(strstr(said, "weft: error: locks: "));
    assert_non_null(strstr(said, found));
    assert_non_null(strstr(said, under));
}

static void dispatcher_under_a_leaf(void)
{
    lock_order_take(WEFT_LOCK_LEAF, "memory map");
    lock_order_take(WEFT_LOCK_DISPATCHER, "the dispatcher lock");
}

static void leaf_under_a_leaf(void)
{
    lock_order_take(WEFT_LOCK_LEAF, "memory map");
    lock_order_take(WEFT_LOCK_LEAF, "code cache");
}

static void dispatcher_twice(void)
{
    lock_order_take(WEFT_LOCK_DISPATCHER, "the dispatcher lock");
    lock_order_take(WEFT_LOCK_DISPATCHER, "the dispatcher lock");
}

static void in_order(void)
{
    pthread_mutex_t leaf = PTHREAD_MUTEX_INITIALIZER, other = PTHREAD_MUTEX_INITIALIZER;
    const weft_host_locks *locks = lock_extension();
    for (int i = 0; i < 2; i++) {
        locks->take(NULL, WEFT_LOCK_DISPATCHER, "the dispatcher lock");
        leaf_take(&leaf, "memory map");
        leaf_give(&leaf);
        leaf_take(&other, "code cache");
        leaf_give(&other);
        locks->give(NULL, WEFT_LOCK_DISPATCHER);
        leaf_take(&leaf, "memory map");
        leaf_give(&leaf);
    }
}

static void *takes_the_dispatcher(void *held)
{
    lock_order_take(WEFT_LOCK_DISPATCHER, "the dispatcher lock");
    lock_order_give(WEFT_LOCK_DISPATCHER);
    return held;
}

static void another_thread(void)
{
    pthread_t thread;
    lock_order_take(WEFT_LOCK_LEAF, "memory map");
    pthread_create(&thread, NULL, takes_the_dispatcher, NULL);
    pthread_join(thread, NULL);
}

static void dispatcher_lock_is_never_taken_under_a_leaf(void **state)
{
    aborts(dispatcher_under_a_leaf, "found the dispatcher lock, rank 0",
           "under memory map, rank 1");
}

static void nothing_is_taken_under_a_leaf(void **state)
{
    aborts(leaf_under_a_leaf, "found code cache, rank 1", "under memory map, rank 1");
}

static void no_lock_is_taken_twice(void **state)
{
    aborts(dispatcher_twice, "found the dispatcher lock, rank 0",
           "under the dispatcher lock, rank 0");
}

static void leaves_follow_the_dispatcher_lock(void **state)
{
    char said[512];
    assert_int_equal(alone(in_order, said, sizeof said), 0);
    assert_string_equal(said, "");
}

/* What one thread holds binds no other. */
static void each_thread_has_its_own_order(void **state)
{
    char said[512];
    assert_int_equal(alone(another_thread, said, sizeof said), 0);
    assert_string_equal(said, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dispatcher_lock_is_never_taken_under_a_leaf),
        cmocka_unit_test(nothing_is_taken_under_a_leaf),
        cmocka_unit_test(no_lock_is_taken_twice),
        cmocka_unit_test(leaves_follow_the_dispatcher_lock),
        cmocka_unit_test(each_thread_has_its_own_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
