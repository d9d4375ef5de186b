/* sems: what is built of semaphores. A barrier that six threads pass round by round, and a lock for
 * many readers or one writer.
 *
 *     rounds=N   rounds of each phase (default 200) */
#include "threads.h"

#define TEAM 6u

static struct {
    u32 rounds;
    volatile u32 errors;
} run;

/* ---- a barrier of two gates (Downey, "The Little Book of Semaphores", 3.7) ---------------------
 * Each writes its round, and behind the first gate finds that all have. */

static struct {
    u32 gates[2];
    volatile u32 inside;
    volatile u32 rounds[TEAM];
} barrier;

static u32 barrier_member(void *context)
{
    weft_member *m = context;
    u32 chance = m->index + 1;
    for (u32 r = 1; r <= run.rounds; r++) {
        weft_work(weft_random(&chance) % 400);
        barrier.rounds[m->index] = r;
        if (weft_atomic_add(&barrier.inside, 1) == TEAM) {
            NtReleaseSemaphore(barrier.gates[0], TEAM, 0);
        }
        weft_wait(barrier.gates[0], WEFT_FOREVER);
        for (u32 i = 0; i < TEAM; i++) {
            if (barrier.rounds[i] != r) {
                weft_atomic_add(&run.errors, 1);
            }
        }
        if (weft_atomic_add(&barrier.inside, 0xFFFFFFFFu) == 0) {
            NtReleaseSemaphore(barrier.gates[1], TEAM, 0);
        }
        weft_wait(barrier.gates[1], WEFT_FOREVER);
    }
    return 0;
}

/* ---- readers and writers ------------------------------------------------------------------------
 * A reader takes one permit of six, a writer all six, one writer at a time. Two words that a writer
 * changes one after the other are always found equal; two writers add R each. */

#define PERMITS TEAM
#define WRITERS 2u

static struct {
    u32 permits;
    u32 writers; /* mutant */
    volatile u32 first, second;
    volatile u32 reads;
} shelf;

static void write_once(void)
{
    weft_wait(shelf.writers, WEFT_FOREVER);
    for (u32 i = 0; i < PERMITS; i++) {
        weft_wait(shelf.permits, WEFT_FOREVER);
    }
    shelf.first = shelf.first + 1;
    weft_work(60);
    shelf.second = shelf.second + 1;
    u32 previous = 1;
    NtReleaseSemaphore(shelf.permits, PERMITS, &previous);
    if (previous != 0) {
        weft_atomic_add(&run.errors, 1);
    }
    NtReleaseMutant(shelf.writers, 0);
}

static void read_once(void)
{
    weft_wait(shelf.permits, WEFT_FOREVER);
    u32 first = shelf.first;
    weft_work(40);
    if (first != shelf.second) {
        weft_atomic_add(&run.errors, 1);
    }
    weft_atomic_add(&shelf.reads, 1);
    NtReleaseSemaphore(shelf.permits, 1, 0);
}

static u32 shelf_member(void *context)
{
    weft_member *m = context;
    for (u32 r = 0; r < run.rounds; r++) {
        if (m->index < WRITERS) {
            write_once();
        } else {
            read_once();
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    static weft_team team;
    weft_verdict v;
    run.rounds = weft_option_number(argc, argv, "rounds", 200);
    weft_verdict_begin(&v, "sems");

    barrier.gates[0] = weft_semaphore(0, TEAM);
    barrier.gates[1] = weft_semaphore(0, TEAM);
    if (weft_team_start(&team, TEAM, barrier_member, 0)) {
        weft_team_join(&team);
    }
    weft_check(&v, "barrier: inside", barrier.inside, 0);
    weft_check(&v, "barrier: open", weft_wait(barrier.gates[0], 0), STATUS_TIMEOUT);

    shelf.permits = weft_semaphore(PERMITS, PERMITS);
    shelf.writers = weft_mutant(false);
    if (weft_team_start(&team, TEAM, shelf_member, 0)) {
        weft_team_join(&team);
    }
    weft_check(&v, "shelf: first", shelf.first, WRITERS * run.rounds);
    weft_check(&v, "shelf: second", shelf.second, WRITERS * run.rounds);
    weft_check(&v, "shelf: reads", shelf.reads, (TEAM - WRITERS) * run.rounds);
    u32 previous = 0;
    weft_check(&v, "shelf: past the limit", NtReleaseSemaphore(shelf.permits, 1, &previous),
               STATUS_SEMAPHORE_LIMIT_EXCEEDED);
    weft_check(&v, "errors", run.errors, 0);
    return (int)weft_verdict_end(&v);
}
