/* anyall: waits for any and for all of many objects of every kind.
 *
 *     rounds=N   waits of each thread in a phase (default 200) */
#include "threads.h"

#define TEAM 6u

static struct {
    u32 rounds;
    volatile u32 errors;
} run;

static void error_if(bool wrong)
{
    if (wrong) {
        weft_atomic_add(&run.errors, 1);
    }
}

/* ---- any of five: two automatic events, a mutant, a semaphore of two, one that is never set -----
 * Who got an object holds it for a while. N threads, R each: 6 R holdings. */

enum { EVENT_A, EVENT_B, MUTANT, SEMAPHORE, NEVER, OBJECTS };

static const u32 limits[OBJECTS] = {1, 1, 1, 2, 0}; /* holders at a time */

static struct {
    u32 handles[OBJECTS];
    volatile u32 holders[OBJECTS];
    volatile u32 holdings[OBJECTS];
} any;

static void give_back(u32 object)
{
    if (object == MUTANT) {
        NtReleaseMutant(any.handles[MUTANT], 0);
    } else if (object == SEMAPHORE) {
        NtReleaseSemaphore(any.handles[SEMAPHORE], 1, 0);
    } else {
        NtSetEvent(any.handles[object], 0);
    }
}

static u32 any_member(void *context)
{
    weft_member *m = context;
    u32 chance = m->index + 1;
    for (u32 r = 0; r < run.rounds; r++) {
        u32 object = weft_wait_many(any.handles, OBJECTS, WAIT_ANY, WEFT_FOREVER);
        if (object >= NEVER) {
            weft_atomic_add(&run.errors, 1);
            continue;
        }
        weft_atomic_add(&any.holdings[object], 1);
        error_if(weft_atomic_add(&any.holders[object], 1) > limits[object]);
        weft_work(weft_random(&chance) % 500);
        weft_atomic_add(&any.holders[object], 0xFFFFFFFFu);
        give_back(object);
    }
    return 0;
}

static void phase_any(weft_verdict *v, weft_team *team)
{
    any.handles[EVENT_A] = weft_event(SYNCHRONIZATION, true);
    any.handles[EVENT_B] = weft_event(SYNCHRONIZATION, true);
    any.handles[MUTANT] = weft_mutant(false);
    any.handles[SEMAPHORE] = weft_semaphore(2, 2);
    any.handles[NEVER] = weft_event(NOTIFICATION, false);
    if (weft_team_start(team, TEAM, any_member, 0)) {
        weft_team_join(team);
    }
    u32 sum = 0;
    for (u32 i = 0; i < OBJECTS; i++) {
        sum += any.holdings[i];
    }
    weft_check(v, "any: holdings", sum, TEAM * run.rounds);
    DbgPrint("anyall: %u %u %u %u of each object\n", any.holdings[0], any.holdings[1],
             any.holdings[2], any.holdings[3]);
}

/* ---- all of those four at once; the event that stays set does not matter -----------------------
 * Nobody else can be inside: 6 R added without atomics. */

static struct {
    u32 handles[5];
    volatile u32 sum;
} all;

static u32 all_member(void *context)
{
    (void)context;
    for (u32 r = 0; r < run.rounds; r++) {
        error_if(weft_wait_many(all.handles, 5, WAIT_ALL, WEFT_FOREVER) != STATUS_WAIT_0);
        u32 seen = all.sum;
        weft_work(30);
        all.sum = seen + 1;
        for (u32 i = 0; i < NEVER; i++) {
            give_back(i);
        }
    }
    return 0;
}

static void phase_all(weft_verdict *v, weft_team *team)
{
    for (u32 i = 0; i < NEVER; i++) {
        all.handles[i] = any.handles[i];
    }
    all.handles[4] = weft_event(NOTIFICATION, true);
    weft_wait(any.handles[SEMAPHORE], 0); /* one of the two: a single one is left */
    if (weft_team_start(team, TEAM, all_member, 0)) {
        weft_team_join(team);
    }
    weft_check(v, "all: sum", all.sum, TEAM * run.rounds);
}

/* ---- any of 64 events, NT's most, that another thread sets in an order of its own --------------
 * Each is found once. */

#define MANY 64u

static struct {
    u32 handles[MANY];
    u32 found[MANY];
} many;

static u32 many_member(void *context)
{
    (void)context;
    u32 at = 0;
    for (u32 i = 0; i < MANY; i++) {
        at = (at + 37) % MANY; /* odd: all 64 are met */
        NtSetEvent(many.handles[at], 0);
        weft_work(at * 8);
    }
    return 0;
}

static void phase_many(weft_verdict *v, weft_team *team)
{
    for (u32 i = 0; i < MANY; i++) {
        many.handles[i] = weft_event(SYNCHRONIZATION, false);
    }
    u32 once = 0;
    if (weft_team_start(team, 1, many_member, 0)) {
        for (u32 i = 0; i < MANY; i++) {
            u32 object = weft_wait_many(many.handles, MANY, WAIT_ANY, WEFT_FOREVER);
            once += object < MANY && ++many.found[object] == 1;
        }
        weft_team_join(team);
    }
    weft_check(v, "many: found once", once, MANY);
    for (u32 i = 0; i < MANY; i++) {
        NtClose(many.handles[i]);
    }
}

/* ---- the end of an owner: who waits for the mutant gets it, and is told ------------------------
 */

static u32 owner(void *context)
{
    u32 *handles = context;
    weft_wait(handles[0], WEFT_FOREVER);
    NtSetEvent(handles[1], 0);
    return 0;
}

static void phase_abandoned(weft_verdict *v)
{
    static u32 handles[2];
    u32 thread = 0;
    handles[0] = weft_mutant(false);
    handles[1] = weft_event(SYNCHRONIZATION, false);
    weft_thread_create(&thread, owner, handles, 1, 0);
    weft_wait(handles[1], WEFT_FOREVER); /* it owns it by now, or did */
    weft_check(v, "abandoned: status", weft_wait(handles[0], WEFT_FOREVER),
               STATUS_ABANDONED_WAIT_0);
    NtReleaseMutant(handles[0], 0);
    weft_check(v, "abandoned: once only", weft_wait(handles[0], 0), STATUS_WAIT_0);
    NtReleaseMutant(handles[0], 0);
    weft_wait(thread, WEFT_FOREVER);
    NtClose(thread);
}

int main(int argc, char **argv)
{
    static weft_team team;
    weft_verdict v;
    run.rounds = weft_option_number(argc, argv, "rounds", 200);
    weft_verdict_begin(&v, "anyall");
    phase_any(&v, &team);
    phase_all(&v, &team);
    phase_many(&v, &team);
    phase_abandoned(&v);
    weft_check(&v, "errors", run.errors, 0);
    return (int)weft_verdict_end(&v);
}
