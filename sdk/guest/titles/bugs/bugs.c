/* bugs: titles that are wrong, each by one bug of order, which the stock schedule hides.
 *
 *     bug=NAME   init, early, lost, atomic, aba, deadlock, twice; without it: all in turn
 *     fixed      the same without the bug: never fails
 *     rounds=N   attempts, each with fresh threads (default 1)
 *     hang       a deadlock is left to the kernel, which ends the run with exit code 4
 *
 * Exit code 1, and a line that names the bug, where it showed. */
#include "bugs.h"

static const bug bugs[] = {
    {"init", 1, "a thread used what its creator had not initialised yet", init_shows},
    {"early", 1, "a thread was signalled before the data was there", early_shows},
    {"lost", 2, "a wake-up came between check and wait, and was lost", lost_shows},
    {"atomic", 2, "a sum was read in one critical section and written in the next", atomic_shows},
    {"aba", 2, "a head was taken and put back, and passed for unchanged", aba_shows},
    {"deadlock", 2, "two threads entered two critical sections in opposite order", deadlock_shows},
    {"twice", 3, "two threads took the same item", twice_shows},
};

typedef struct runner {
    u32 (*entry)(void *);
    u32 index;
    u32 gate;
} runner;

static u32 run(void *context)
{
    runner *r = context;
    weft_wait(r->gate, WEFT_FOREVER);
    return r->entry((void *)(uintptr_t)r->index);
}

bool pair_run(u32 (*first)(void *), u32 (*second)(void *), u32 ms, bool (*over)(void))
{
    u32 handles[2] = {0, 0};
    u32 gate = weft_event(NOTIFICATION, false);
    static runner runners[2];
    for (u32 i = 0; i < 2; i++) {
        runners[i] = (runner){.entry = i == 0 ? first : second, .index = i, .gate = gate};
        weft_thread_create(&handles[i], run, &runners[i], i, 0);
    }
    NtSetEvent(gate, 0);
    while (weft_wait_many(handles, 2, WAIT_ALL, ms) == STATUS_TIMEOUT) {
        if (over()) {
            return false;
        }
    }
    NtClose(handles[0]);
    NtClose(handles[1]);
    NtClose(gate);
    return true;
}

static bool shows(const bug *b, u32 rounds, attempt a)
{
    for (u32 r = 0; r < rounds; r++) {
        if (b->show(a)) {
            DbgPrint("bugs: %s showed in round %u: %s (depth %u)\n", b->name, r, b->what, b->depth);
            return true;
        }
    }
    return false;
}

int main(int argc, char **argv)
{
    const char *name = weft_option(argc, argv, "bug");
    attempt a = {
        .fixed = weft_option(argc, argv, "fixed") != NULL,
        .hang = weft_option(argc, argv, "hang") != NULL,
    };
    u32 rounds = weft_option_number(argc, argv, "rounds", 1);
    u32 tried = 0, showed = 0;
    for (u32 i = 0; i < sizeof bugs / sizeof bugs[0]; i++) {
        if (name == NULL || strcmp(name, bugs[i].name) == 0) {
            tried++;
            showed += shows(&bugs[i], rounds, a);
        }
    }
    if (tried == 0) {
        DbgPrint("bugs: no bug %s\n", name);
        return 2;
    }
    if (showed == 0) {
        DbgPrint("bugs: %u tried, none showed\n", tried);
    }
    return showed == 0 ? 0 : 1;
}
