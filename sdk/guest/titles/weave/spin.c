/* spin: threads that spin for a while, with db16cyc, and then block. A lock of the title's own
 * whose state is 0 free, 1 held, 2 held and perhaps waited for, with an automatic event to wait on
 * (Drepper, "Futexes Are Tricky", mutex 2); and a critical section with a spin count.
 *
 *     rounds=N   entries of each thread (default 300)
 *     spin=N     turns before a thread blocks (default 40) */
#include "threads.h"

#define TEAM     6u
#define TEAM_SUM 21u /* member i adds i + 1 */

static struct {
    u32 rounds, spin;
    volatile u32 state;
    u32 event;
    volatile u32 sum;
    volatile u32 at_once, spun, blocked;
    critical_section section;
    volatile u32 section_sum;
} lock;

static u32 exchange(volatile u32 *cell, u32 value)
{
    u32 old;
    do {
        old = *cell;
    } while (!weft_swap_if(cell, old, value));
    return old;
}

static void acquire(void)
{
    for (u32 i = 0; i <= lock.spin; i++) {
        if (lock.state == 0 && weft_swap_if(&lock.state, 0, 1)) {
            weft_atomic_add(i == 0 ? &lock.at_once : &lock.spun, 1);
            return;
        }
        weft_pause();
    }
    weft_atomic_add(&lock.blocked, 1);
    while (exchange(&lock.state, 2) != 0) {
        weft_wait(lock.event, WEFT_FOREVER);
    }
}

static void release(void)
{
    weft_publish();
    if (exchange(&lock.state, 0) == 2) {
        NtSetEvent(lock.event, 0);
    }
}

static u32 member(void *context)
{
    weft_member *m = context;
    u32 chance = m->index + 1;
    i64 ten_us = -100;
    for (u32 r = 0; r < lock.rounds; r++) {
        acquire();
        u32 seen = lock.sum;
        weft_work(weft_random(&chance) % 256); /* now shorter, now longer than the others spin */
        if (chance % 8 == 0) {                 /* or much longer */
            KeDelayExecutionThread(USER_MODE, 0, &ten_us);
        }
        lock.sum = seen + m->index + 1;
        release();
        weft_work(weft_random(&chance) % 512);
        RtlEnterCriticalSection(&lock.section);
        seen = lock.section_sum;
        weft_work(weft_random(&chance) % 256);
        lock.section_sum = seen + m->index + 1;
        RtlLeaveCriticalSection(&lock.section);
    }
    return 0;
}

int main(int argc, char **argv)
{
    static weft_team team;
    lock.rounds = weft_option_number(argc, argv, "rounds", 300);
    lock.spin = weft_option_number(argc, argv, "spin", 40);
    lock.event = weft_event(SYNCHRONIZATION, false);
    RtlInitializeCriticalSectionAndSpinCount(&lock.section, 1024);
    if (!weft_team_start(&team, TEAM, member, 0)) {
        return 2;
    }
    weft_team_join(&team);
    weft_verdict v;
    weft_verdict_begin(&v, "spin");
    weft_check(&v, "own lock", lock.sum, TEAM_SUM * lock.rounds);
    weft_check(&v, "critical section", lock.section_sum, TEAM_SUM * lock.rounds);
    weft_check(&v, "entries", lock.at_once + lock.spun + lock.blocked, TEAM * lock.rounds);
    DbgPrint("spin: %u at once, %u after spinning, %u after blocking\n", lock.at_once, lock.spun,
             lock.blocked);
    return (int)weft_verdict_end(&v);
}
