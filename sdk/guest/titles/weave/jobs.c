/* jobs: six workers, a stack of jobs under a critical section, a semaphore that counts them. A job
 * n gives two more, n - 1 and n - 2, and one below 2 adds n to the sum: the sum is the n-th
 * Fibonacci number, in any order.
 *
 *     rounds=N   times that the tree is worked off (default 10)
 *     n=N        its root (default 10, at most 20) */
#include "threads.h"

#define WORKERS  6u
#define CAPACITY 16384u /* jobs of a tree whose root is 20: 2 * 10946 - 1, half of them at a time */
#define STOP     0xFFFFFFFFu

static struct {
    critical_section section;
    u32 stack[CAPACITY];
    u32 count;
    u32 ready; /* semaphore */
    u32 done;  /* automatic event: the tree is worked off */
    volatile u32 open, sum, jobs;
    volatile u32 share[WORKERS];
} pool;

static void push(u32 job)
{
    RtlEnterCriticalSection(&pool.section);
    pool.stack[pool.count++] = job;
    RtlLeaveCriticalSection(&pool.section);
    NtReleaseSemaphore(pool.ready, 1, 0);
}

static u32 pop(void)
{
    weft_wait(pool.ready, WEFT_FOREVER);
    RtlEnterCriticalSection(&pool.section);
    u32 job = pool.stack[--pool.count];
    RtlLeaveCriticalSection(&pool.section);
    return job;
}

static u32 worker(void *context)
{
    weft_member *m = context;
    for (u32 job; (job = pop()) != STOP;) {
        weft_work(20 * job);
        weft_atomic_add(&pool.jobs, 1);
        pool.share[m->index]++;
        if (job < 2) {
            weft_atomic_add(&pool.sum, job);
        } else {
            weft_atomic_add(&pool.open, 2);
            push(job - 1);
            push(job - 2);
        }
        if (weft_atomic_add(&pool.open, 0xFFFFFFFFu) == 0) {
            NtSetEvent(pool.done, 0);
        }
    }
    return 0;
}

static u32 fibonacci(u32 n)
{
    u32 a = 0, b = 1;
    for (; n > 0; n--) {
        u32 next = a + b;
        a = b;
        b = next;
    }
    return a;
}

int main(int argc, char **argv)
{
    u32 rounds = weft_option_number(argc, argv, "rounds", 10);
    u32 root = weft_option_number(argc, argv, "n", 10);
    if (root > 20) {
        DbgPrint("jobs: n=%u is more than 20\n", root);
        return 2;
    }
    RtlInitializeCriticalSection(&pool.section);
    pool.ready = weft_semaphore(0, CAPACITY);
    pool.done = weft_event(SYNCHRONIZATION, false);
    static weft_team team;
    if (!weft_team_start(&team, WORKERS, worker, 0)) {
        return 2;
    }
    weft_verdict v;
    weft_verdict_begin(&v, "jobs");
    for (u32 r = 0; r < rounds; r++) {
        pool.sum = pool.jobs = 0;
        pool.open = 1;
        push(root);
        weft_wait(pool.done, WEFT_FOREVER);
        weft_check(&v, "sum", pool.sum, fibonacci(root));
        /* T(n) = 1 + T(n - 1) + T(n - 2) with T(0) = T(1) = 1 */
        weft_check(&v, "jobs", pool.jobs, 2 * fibonacci(root + 1) - 1);
    }
    for (u32 i = 0; i < WORKERS; i++) {
        push(STOP);
    }
    weft_team_join(&team);
    DbgPrint("jobs: %u %u %u %u %u %u by each worker\n", pool.share[0], pool.share[1],
             pool.share[2], pool.share[3], pool.share[4], pool.share[5]);
    return (int)weft_verdict_end(&v);
}
