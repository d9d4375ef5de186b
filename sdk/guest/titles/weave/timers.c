/* timers: timers of both types, periodic ones, APC routines, alertable delays, suspended threads.
 * Times are lower bounds only: a schedule may be late, never early.
 *
 *     rounds=N   times that all of it is done (default 3) */
#include "threads.h"

#define MILLISECOND 10000u /* in 100 ns */

/* A clock may stand for a millisecond between two steps: elapsed times are taken short by one. */
static bool elapsed(u64 since, u32 ms)
{
    return weft_system_time() - since + MILLISECOND >= (u64)ms * MILLISECOND;
}

static u32 timer_create(u32 type)
{
    u32 timer = 0;
    NtCreateTimer(&timer, 0, type);
    return timer;
}

static void timer_set(u32 timer, u32 ms, u32 period, void (*routine)(u32 *, u32, u32), u32 *cell)
{
    i64 due = weft_relative(ms);
    NtSetTimerEx(timer, &due, (const void *)routine, USER_MODE, cell, 0, period, 0);
}

/* ---- both types ---------------------------------------------------------------------------------
 */

static void both_types(weft_verdict *v)
{
    u32 sticky = timer_create(NOTIFICATION), single = timer_create(SYNCHRONIZATION);
    u64 start = weft_system_time();
    timer_set(sticky, 2, 0, 0, 0);
    timer_set(single, 3, 0, 0, 0);
    u32 both[2] = {sticky, single};
    weft_check(v, "all of two", weft_wait_many(both, 2, WAIT_ALL, WEFT_FOREVER), STATUS_WAIT_0);
    weft_check(v, "3 ms", elapsed(start, 3), true);
    weft_check(v, "a notification timer stays set", weft_wait(sticky, 0), STATUS_WAIT_0);
    weft_check(v, "a synchronization timer does not", weft_wait(single, 0), STATUS_TIMEOUT);

    start = weft_system_time();
    timer_set(single, 1, 2, 0, 0);
    for (u32 i = 0; i < 4; i++) {
        weft_wait(single, WEFT_FOREVER);
    }
    /* one that nobody took becomes one with the next, so these are four at least */
    weft_check(v, "four firings", elapsed(start, 1 + 3 * 2), true);
    NtCancelTimer(single, 0);
    weft_wait(single, 0); /* what fired before that */
    weft_check(v, "cancelled", weft_wait(single, 5), STATUS_TIMEOUT);
    NtClose(single);
    NtClose(sticky);
}

/* ---- APC routines -------------------------------------------------------------------------------
 * They run in the thread that set the timer, in alertable waits only. */

static void count_up(u32 *cell, u32 time_low, u32 time_high)
{
    (void)time_low;
    (void)time_high;
    (*cell)++;
}

static void apc_routines(weft_verdict *v)
{
    volatile u32 count = 0;
    u32 timer = timer_create(SYNCHRONIZATION);
    timer_set(timer, 1, 1, count_up, (u32 *)&count);
    weft_sleep(4);
    weft_check(v, "none in a delay that is not alertable", count, 0);
    NtCancelTimer(timer, 0); /* takes the one that is queued along */
    weft_check(v, "none after the cancellation", weft_sleep_alertable(1), STATUS_SUCCESS);
    timer_set(timer, 1, 1, count_up, (u32 *)&count);
    u32 statuses = 0;
    while (count < 5) {
        u32 before = count;
        statuses += weft_sleep_alertable(1000) == STATUS_USER_APC;
        statuses -= count > before; /* each such delay ends by at least one */
    }
    weft_check(v, "alertable delays that an APC ended", statuses, 0);
    NtCancelTimer(timer, 0);
    u32 before = count;
    weft_check(v, "no APC after the cancellation", weft_sleep_alertable(3), STATUS_SUCCESS);
    weft_check(v, "none", count - before, 0);
    NtClose(timer);
}

/* ---- an APC from another thread ends a delay of a day -------------------------------------------
 */

#define DAY 86400000u

static struct {
    u32 status;
    u32 sum;
} sleeper_found;

static void sleeper_apc(u32 context, u32 first, u32 second)
{
    sleeper_found.sum += context + first + second;
}

static u32 sleeper(void *context)
{
    (void)context;
    sleeper_found.status = weft_sleep_alertable(DAY);
    return 0;
}

static void queued_apc(weft_verdict *v)
{
    u32 thread = 0;
    sleeper_found.sum = 0;
    weft_thread_create(&thread, sleeper, 0, 3, 0);
    weft_sleep(1);
    NtQueueApcThread(thread, (const void *)sleeper_apc, (const void *)1, 20, 300);
    weft_wait(thread, WEFT_FOREVER);
    weft_check(v, "the day's end", sleeper_found.status, STATUS_USER_APC);
    weft_check(v, "what the APC was given", sleeper_found.sum, 321);
    NtClose(thread);
}

/* ---- suspended threads --------------------------------------------------------------------------
 * One that is suspended n times runs after n resumes; a timer that is due meanwhile stays set. */

static struct {
    u32 timer;
    volatile u32 ran;
} held;

static u32 held_member(void *context)
{
    (void)context;
    weft_wait(held.timer, WEFT_FOREVER);
    weft_atomic_add(&held.ran, 1);
    return 0;
}

static void suspended(weft_verdict *v)
{
    u32 thread = 0, previous = 9, counts = 0;
    held.ran = 0;
    held.timer = timer_create(SYNCHRONIZATION);
    weft_thread_create(&thread, held_member, 0, 2, CREATE_SUSPENDED);
    timer_set(held.timer, 1, 0, 0, 0);
    NtSuspendThread(thread, &previous);
    counts = counts * 10 + previous;
    weft_sleep(2);
    NtResumeThread(thread, &previous);
    counts = counts * 10 + previous;
    weft_sleep(1);
    weft_check(v, "held", held.ran, 0);
    NtResumeThread(thread, &previous);
    counts = counts * 10 + previous;
    weft_wait(thread, WEFT_FOREVER);
    weft_check(v, "ran", held.ran, 1);
    weft_check(v, "counts", counts, 121);
    NtClose(thread);
    NtClose(held.timer);
}

int main(int argc, char **argv)
{
    u32 rounds = weft_option_number(argc, argv, "rounds", 3);
    weft_verdict v;
    weft_verdict_begin(&v, "timers");
    for (u32 r = 0; r < rounds; r++) {
        both_types(&v);
        apc_routines(&v);
        queued_apc(&v);
        suspended(&v);
    }
    return (int)weft_verdict_end(&v);
}
