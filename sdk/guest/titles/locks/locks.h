/* What the phases of `locks` share: the team of six threads, and a phase's verdict. */
#ifndef LOCKS_H
#define LOCKS_H

#include "weft_guest.h"

#define TEAM 6u /* one thread for each hardware thread */

typedef struct locks locks;

typedef struct member {
    locks *l;
    u32 index; /* 0..5 */
} member;

struct locks {
    u32 rounds;
    u32 handles[TEAM];
    member members[TEAM];
    volatile u32 errors; /* states that a member saw and that cannot be */
};

/* What a phase came to and what it had to come to whatever the interleaving. */
typedef struct verdict {
    u64 found;
    u64 expected;
} verdict;

typedef struct phase {
    const char *name;
    verdict (*run)(locks *l);
} phase;

/* Starts entry(member) on each hardware thread. False: no thread (said). */
bool team_start(locks *l, u32 (*entry)(void *));

/* Waits until all six have ended. */
void team_join(locks *l);

/* Both, one after the other. */
bool team_run(locks *l, u32 (*entry)(void *));

/* Counts an error. */
void team_error(locks *l);

u32 event_create(u32 type, u32 state);
u32 semaphore_create(u32 count, u32 limit);

/* Waits for one object; `milliseconds` WAIT_FOREVER or a limit. Returns the NT status. */
#define WAIT_FOREVER 0xFFFFFFFFu
u32 wait_one(u32 handle, u32 milliseconds);
u32 wait_many(const u32 *handles, u32 count, u32 type, u32 milliseconds);
void sleep_ms(u32 milliseconds);

/* shared.c: memory that all touch. */
verdict phase_sections(locks *l);
verdict phase_try_enter(locks *l);
verdict phase_words(locks *l);
verdict phase_doublewords(locks *l);
verdict phase_spin(locks *l);
verdict phase_mutant(locks *l);
verdict phase_tls(locks *l);

/* waits.c: threads that wait for each other. */
verdict phase_token(locks *l);
verdict phase_gates(locks *l);
verdict phase_buffer(locks *l);
verdict phase_forks(locks *l);
verdict phase_any_all(locks *l);
verdict phase_timers(locks *l);
verdict phase_suspend(locks *l);

#endif
