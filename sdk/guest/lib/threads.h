/* For titles of several threads: objects by handle, teams, chance that is the same in every run,
 * and the verdict at the end. A title lists ../lib/threads.c among its sources. */
#ifndef WEFT_GUEST_THREADS_H
#define WEFT_GUEST_THREADS_H

#include "weft_guest.h"

#define STATUS_ABANDONED_WAIT_0 0x80u
#define STATUS_USER_APC         0xC0u

/* ---- objects -----------------------------------------------------------------------------------
 * Handles; 0 where there is none. NtClose ends one. */
u32 weft_event(u32 type, bool set);
u32 weft_semaphore(u32 count, u32 limit);
u32 weft_mutant(bool owned);

/* ---- waits: NT statuses; `ms` is a limit in milliseconds or WEFT_FOREVER -----------------------
 */
#define WEFT_FOREVER 0xFFFFFFFFu
u32 weft_wait(u32 handle, u32 ms);
u32 weft_wait_alertable(u32 handle, u32 ms);
u32 weft_wait_many(const u32 *handles, u32 count, u32 type, u32 ms);
u32 weft_sleep(u32 ms);
u32 weft_sleep_alertable(u32 ms);

/* For a thread that polls: yields, and every eighth time sleeps for 10 us, so that the one that it
 * polls for runs also where yielding is no help. *turns counts. */
void weft_back_off(u32 *turns);

/* A time from now, as timers and waits take it: negative, in 100 ns. */
static inline i64 weft_relative(u32 ms)
{
    return -(i64)ms * 10000;
}

/* 100 ns since 1601. */
u64 weft_system_time(void);

/* ---- teams -------------------------------------------------------------------------------------
 * Threads that run the same function, the i-th on hardware thread i % 6. */
#define WEFT_TEAM_MAX 16u

typedef struct weft_member {
    u32 index;
    void *shared; /* what weft_team_start was given */
} weft_member;

typedef struct weft_team {
    u32 count;
    u32 handles[WEFT_TEAM_MAX];
    weft_member members[WEFT_TEAM_MAX];
} weft_team;

/* Starts entry(weft_member *) count times, all after the last one was made. False: one could not be
 * made (said); those before it stay suspended. */
bool weft_team_start(weft_team *team, u32 count, u32 (*entry)(void *), void *shared);

/* Waits until all have ended. */
void weft_team_join(weft_team *team);

/* ---- arithmetic --------------------------------------------------------------------------------
 */

/* The next number of a sequence that the first value of *state determines. */
u32 weft_random(u32 *state);

/* A number that depends on every bit of `value`. */
u32 weft_mix(u32 value);

/* About n instructions' worth of time. */
void weft_work(u32 n);

/* Stores `new` where `old` stands; false where it does not. */
bool weft_swap_if(volatile u32 *cell, u32 old, u32 new);

/* db16cyc: lets the other threads of the core run. */
static inline void weft_pause(void)
{
    __asm__ volatile("or 31,31,31" : : : "memory");
}

/* What was stored before is seen by whoever sees what is stored after. */
static inline void weft_publish(void)
{
    __asm__ volatile("lwsync" : : : "memory");
}

/* ---- the verdict -------------------------------------------------------------------------------
 * Each check folds what was found into the checksum, so that equal lines mean equal findings. What
 * may differ between two legal schedules is not checked, but told. */
typedef struct weft_verdict {
    const char *title;
    u32 checksum;
    u32 wrong;
} weft_verdict;

void weft_verdict_begin(weft_verdict *v, const char *title);
void weft_check(weft_verdict *v, const char *what, u64 found, u64 expected);

/* Prints `TITLE: checksum 0x... ok` or how many checks were wrong: the exit code. */
u32 weft_verdict_end(const weft_verdict *v);

/* The number behind `name=`, or `otherwise`. */
u32 weft_option_number(int argc, char **argv, const char *name, u32 otherwise);

#endif
