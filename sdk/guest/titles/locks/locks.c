/* locks: six threads contend for everything that the kernel can be asked to wait for.
 *
 *     rounds=N   work of each phase (default 500)
 *
 * Each phase ends in a number that arithmetic determines whatever the interleaving was; the formula
 * stands above the phase. The checksum folds what was found, so it depends on N alone. Exit code 0
 * when every phase found what it had to, else 1. */
#include "locks.h"

#define DEFAULT_ROUNDS 500u

static const phase phases[] = {
    {"critical section", phase_sections},
    {"try enter", phase_try_enter},
    {"lwarx and stwcx.", phase_words},
    {"ldarx and stdcx.", phase_doublewords},
    {"spin lock", phase_spin},
    {"mutant", phase_mutant},
    {"thread local storage", phase_tls},
    {"automatic events", phase_token},
    {"manual events", phase_gates},
    {"semaphores", phase_buffer},
    {"wait for all of two", phase_forks},
    {"wait for any or all", phase_any_all},
    {"timers", phase_timers},
    {"suspended threads", phase_suspend},
};

bool team_start(locks *l, u32 (*entry)(void *))
{
    for (u32 i = 0; i < TEAM; i++) {
        l->members[i].l = l;
        l->members[i].index = i;
        u32 status = weft_thread_create(&l->handles[i], entry, &l->members[i], i, CREATE_SUSPENDED);
        if (status != STATUS_SUCCESS) {
            DbgPrint("locks: no thread %u, status 0x%08x\n", i, status);
            return false;
        }
    }
    for (u32 i = 0; i < TEAM; i++) {
        NtResumeThread(l->handles[i], 0);
    }
    return true;
}

void team_join(locks *l)
{
    wait_many(l->handles, TEAM, WAIT_ALL, WAIT_FOREVER);
    for (u32 i = 0; i < TEAM; i++) {
        NtClose(l->handles[i]);
    }
}

bool team_run(locks *l, u32 (*entry)(void *))
{
    if (!team_start(l, entry)) {
        return false;
    }
    team_join(l);
    return true;
}

void team_error(locks *l)
{
    weft_atomic_add(&l->errors, 1);
}

u32 event_create(u32 type, u32 state)
{
    u32 handle = 0;
    NtCreateEvent(&handle, 0, type, state);
    return handle;
}

u32 semaphore_create(u32 count, u32 limit)
{
    u32 handle = 0;
    NtCreateSemaphore(&handle, 0, (i32)count, (i32)limit);
    return handle;
}

/* Relative times are negative, in 100 ns. */
static i64 relative(u32 milliseconds)
{
    return -(i64)milliseconds * 10000;
}

u32 wait_one(u32 handle, u32 milliseconds)
{
    i64 timeout = relative(milliseconds);
    return NtWaitForSingleObjectEx(handle, USER_MODE, 0,
                                   milliseconds == WAIT_FOREVER ? NULL : &timeout);
}

u32 wait_many(const u32 *handles, u32 count, u32 type, u32 milliseconds)
{
    i64 timeout = relative(milliseconds);
    return NtWaitForMultipleObjectsEx(count, handles, type, USER_MODE, 0,
                                      milliseconds == WAIT_FOREVER ? NULL : &timeout);
}

void sleep_ms(u32 milliseconds)
{
    i64 interval = relative(milliseconds);
    KeDelayExecutionThread(USER_MODE, 0, &interval);
}

/* FNV-1a over the eight bytes of what a phase found, the most significant first. */
static u32 fold(u32 checksum, u64 found)
{
    for (u32 i = 0; i < 8; i++) {
        checksum = (checksum ^ (u32)(found >> (56 - 8 * i) & 0xFF)) * 0x01000193u;
    }
    return checksum;
}

int main(int argc, char **argv)
{
    static locks l;
    const char *option = weft_option(argc, argv, "rounds");
    l.rounds = option != NULL ? weft_number(option) : DEFAULT_ROUNDS;
    u32 checksum = 0x811C9DC5u;
    u32 wrong = 0;
    for (u32 i = 0; i < sizeof phases / sizeof phases[0]; i++) {
        l.errors = 0;
        verdict v = phases[i].run(&l);
        checksum = fold(checksum, v.found);
        if (v.found != v.expected || l.errors != 0) {
            DbgPrint("locks: %s: found 0x%08x%08x, expected 0x%08x%08x, %u errors\n",
                     phases[i].name, (u32)(v.found >> 32), (u32)v.found, (u32)(v.expected >> 32),
                     (u32)v.expected, l.errors);
            wrong++;
        }
    }
    if (wrong != 0) {
        DbgPrint("locks: checksum 0x%08x, %u phases wrong\n", checksum, wrong);
        return 1;
    }
    DbgPrint("locks: checksum 0x%08x ok\n", checksum);
    return 0;
}
