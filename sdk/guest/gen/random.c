/* random: a program that a seed stands for. Its threads lock, wait, try, allocate, exchange and
 * make more threads; none can wait for ever, and what the sums come to is known before, whatever
 * the schedule. What they call, and when, is not: some branches depend on whose turn it is.
 *
 *     seed=N      which program (default 1)
 *     threads=N   2 to 12 (default 6)
 *     steps=N     instructions of all threads together, 1000 to 10000000 (default 10000)
 *     racy=1      and some that read, add and branch without a lock
 *     print       shows the program and does not run it */
#include "random.h"

static const char *sum_name(u32 i)
{
    return i < SECTIONS         ? "critical section"
           : i < RANK_PERMIT    ? "automatic event"
           : i < RANK_MUTANT    ? "semaphore"
           : i < RESOURCES      ? "mutant"
           : i == SUM_ANY       ? "wait for any"
           : i == SUM_ATOMIC    ? "lwarx and stwcx."
           : i == SUM_EXCHANGED ? "exchange"
           : i == SUM_ALLOCATED ? "allocation"
                                : "threads";
}

int main(int argc, char **argv)
{
    static program p;
    u32 seed = weft_option_number(argc, argv, "seed", 1);
    u32 threads = weft_option_number(argc, argv, "threads", 6);
    u32 steps = weft_option_number(argc, argv, "steps", 10000);
    bool racy = weft_option_number(argc, argv, "racy", 0) != 0;
    if (threads < 2 || threads > THREADS_MAX || steps < 1000 || steps > 10000000) {
        DbgPrint("random: threads=%u steps=%u, expected 2 to 12 and 1000 to 10000000\n", threads,
                 steps);
        return 2;
    }
    program_make(&p, seed, threads, steps, racy);
    if (weft_option(argc, argv, "print") != NULL) {
        program_print(&p);
        return 0;
    }
    u32 found[SUMS], expected[SUMS], errors = 0;
    program_expect(&p, expected);
    if (!program_run(&p, found, &errors)) {
        return 2;
    }
    weft_verdict v;
    weft_verdict_begin(&v, "random");
    for (u32 i = 0; i < SUMS; i++) {
        weft_check(&v, sum_name(i), found[i], expected[i]);
    }
    weft_check(&v, "errors", errors, 0);
    DbgPrint("random: seed %u, %u threads, %u steps\n", seed, threads,
             p.repetitions * LENGTH * threads);
    return (int)weft_verdict_end(&v);
}
