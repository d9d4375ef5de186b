/* fibers: eight fibers on three threads. A thread takes the next fiber of a queue, goes on with it
 * until it gives way, and puts it back: which thread runs which fiber depends on the order. What a
 * fiber keeps on its stack, and what all add under a critical section, does not.
 *
 *     rounds=N   times that each fiber gives way (default 100) */
#include "fiber.h"

#define FIBERS  8u
#define THREADS 3u
#define STACK   0x4000u

/* Offsets in the KTHREAD (xenia src/xenia/kernel/xthread.h). */
#define KTHREAD_STACK_BASE  0x5C
#define KTHREAD_STACK_LIMIT 0x60
#define KTHREAD_STACK_ALLOC 0xD0

void fiber_begin(void);

typedef struct worker {
    fiber body;
    fiber *volatile carrier; /* the thread that runs it */
    u32 index;
    u32 hash, moves;
    bool done;
} worker;

static struct {
    u32 rounds;
    critical_section section;
    worker *queue[FIBERS];
    u32 count, alive;
    u32 ready; /* semaphore */
    worker workers[FIBERS];
    u32 sum, errors;
} pool;

/* ---- fibers ------------------------------------------------------------------------------------
 */

static u32 current_thread(void)
{
    u32 thread;
    __asm__ volatile("lwz %0,0x100(13)" : "=r"(thread));
    return thread;
}

static u32 thread_word(u32 offset)
{
    return *(volatile u32 *)(uintptr_t)(current_thread() + offset);
}

void fiber_from_thread(fiber *f)
{
    f->alloc = thread_word(KTHREAD_STACK_ALLOC);
    f->high = thread_word(KTHREAD_STACK_BASE);
    f->low = thread_word(KTHREAD_STACK_LIMIT);
}

bool fiber_make(fiber *f, void (*entry)(void *), void *argument)
{
    u32 high = (u32)(uintptr_t)MmCreateKernelStack(STACK, 0);
    if (high == 0) {
        return false;
    }
    /* what fiber_switch finds: a frame that it left, whose caller is fiber_begin */
    u32 frame = high - FRAME_SIZE - 128; /* stubs may read above it */
    *(u32 *)(uintptr_t)(frame + FRAME_LR) = (u32)(uintptr_t)fiber_begin;
    *(u64 *)(uintptr_t)(frame + FRAME_GPR + (30 - 14) * 8) = (u32)(uintptr_t)entry;
    *(u64 *)(uintptr_t)(frame + FRAME_GPR + (31 - 14) * 8) = (u32)(uintptr_t)argument;
    *f = (fiber){.sp = frame, .alloc = high, .high = high, .low = high - STACK};
    return true;
}

void fiber_free(fiber *f)
{
    MmDeleteKernelStack((const void *)(uintptr_t)f->high, (const void *)(uintptr_t)f->low);
}

/* ---- what each does -----------------------------------------------------------------------------
 */

static u32 hash_step(u32 hash, u32 index, u32 round)
{
    return hash * 31 + weft_mix(index << 16 | round);
}

static void give_way(worker *w)
{
    fiber_switch(&w->body, w->carrier);
}

static void work(void *argument)
{
    worker *w = argument;
    u32 hash = 0, chance = w->index + 1, thread = current_thread();
    for (u32 r = 0; r < pool.rounds; r++) {
        hash = hash_step(hash, w->index, r);
        weft_work(weft_random(&chance) % 1000);
        RtlEnterCriticalSection(&pool.section);
        pool.sum += w->index + 1;
        /* the kernel says that this stack is the thread's */
        pool.errors += thread_word(KTHREAD_STACK_BASE) != w->body.high;
        RtlLeaveCriticalSection(&pool.section);
        give_way(w);
        w->moves += current_thread() != thread;
        thread = current_thread();
    }
    w->hash = hash;
    w->done = true;
    give_way(w);
}

static worker *queue_take(void)
{
    weft_wait(pool.ready, WEFT_FOREVER);
    RtlEnterCriticalSection(&pool.section);
    worker *w = NULL;
    if (pool.count > 0) {
        w = pool.queue[0];
        pool.count--;
        for (u32 i = 0; i < pool.count; i++) {
            pool.queue[i] = pool.queue[i + 1];
        }
    }
    RtlLeaveCriticalSection(&pool.section);
    return w;
}

static void queue_put(worker *w)
{
    bool done = w->done, last = false; /* once it is in the queue another may run it */
    RtlEnterCriticalSection(&pool.section);
    if (done) {
        last = --pool.alive == 0;
    } else {
        pool.queue[pool.count++] = w;
    }
    RtlLeaveCriticalSection(&pool.section);
    if (last) {
        NtReleaseSemaphore(pool.ready, (i32)THREADS, 0); /* they find nothing, and end */
    } else if (!done) {
        NtReleaseSemaphore(pool.ready, 1, 0);
    }
}

static u32 carry(void *context)
{
    (void)context;
    fiber self;
    fiber_from_thread(&self);
    for (worker *w; (w = queue_take()) != NULL;) {
        w->carrier = &self;
        fiber_switch(&self, &w->body);
        queue_put(w);
    }
    return 0;
}

int main(int argc, char **argv)
{
    static weft_team team;
    pool.rounds = weft_option_number(argc, argv, "rounds", 100);
    RtlInitializeCriticalSection(&pool.section);
    pool.alive = FIBERS;
    pool.ready = weft_semaphore(0, FIBERS + THREADS);
    for (u32 i = 0; i < FIBERS; i++) {
        pool.workers[i].index = i;
        if (!fiber_make(&pool.workers[i].body, work, &pool.workers[i])) {
            DbgPrint("fibers: no stack\n");
            return 2;
        }
        queue_put(&pool.workers[i]);
    }
    if (!weft_team_start(&team, THREADS, carry, 0)) {
        return 2;
    }
    weft_team_join(&team);
    weft_verdict v;
    weft_verdict_begin(&v, "fibers");
    u32 moves = 0;
    for (u32 i = 0; i < FIBERS; i++) {
        u32 expected = 0;
        for (u32 r = 0; r < pool.rounds; r++) {
            expected = hash_step(expected, i, r);
        }
        weft_check(&v, "hash", pool.workers[i].hash, expected);
        moves += pool.workers[i].moves;
        fiber_free(&pool.workers[i].body);
    }
    weft_check(&v, "sum", pool.sum, pool.rounds * FIBERS * (FIBERS + 1) / 2);
    weft_check(&v, "errors", pool.errors, 0);
    DbgPrint("fibers: moved to another thread %u times\n", moves);
    return (int)weft_verdict_end(&v);
}
