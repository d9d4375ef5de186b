/* tryenter: six threads look for a free one among four critical sections; who finds none after a
 * turn waits for the last. What each finds depends on the order, the sum over all does not.
 *
 *     rounds=N   successes of each thread (default 400) */
#include "threads.h"

#define TEAM     6u
#define SECTIONS 4u
#define TEAM_SUM 21u /* member i adds i + 1 */

static struct {
    u32 rounds;
    struct {
        critical_section section;
        volatile u32 inside, sum;
    } cells[SECTIONS];
    volatile u32 failed, waited, errors;
} hunt;

/* Enters a cell, the first that is free; its number. */
static u32 enter_one(u32 start)
{
    u32 at = start % SECTIONS;
    for (u32 i = 0; i < SECTIONS; i++) {
        at = (start + i) % SECTIONS;
        if (RtlTryEnterCriticalSection(&hunt.cells[at].section) != 0) {
            return at;
        }
        weft_atomic_add(&hunt.failed, 1);
    }
    weft_atomic_add(&hunt.waited, 1);
    RtlEnterCriticalSection(&hunt.cells[at].section);
    return at;
}

static u32 member(void *context)
{
    weft_member *m = context;
    u32 chance = m->index + 1;
    for (u32 r = 0; r < hunt.rounds; r++) {
        u32 at = enter_one(weft_random(&chance));
        bool again = RtlTryEnterCriticalSection(&hunt.cells[at].section) != 0; /* the owner may */
        hunt.cells[at].inside = hunt.cells[at].inside + 1;
        if (hunt.cells[at].inside != 1 || !again) {
            weft_atomic_add(&hunt.errors, 1);
        }
        hunt.cells[at].sum = hunt.cells[at].sum + m->index + 1;
        weft_work(weft_random(&chance) % 300);
        hunt.cells[at].inside = hunt.cells[at].inside - 1;
        if (again) {
            RtlLeaveCriticalSection(&hunt.cells[at].section);
        }
        RtlLeaveCriticalSection(&hunt.cells[at].section);
    }
    return 0;
}

int main(int argc, char **argv)
{
    static weft_team team;
    hunt.rounds = weft_option_number(argc, argv, "rounds", 400);
    for (u32 i = 0; i < SECTIONS; i++) {
        RtlInitializeCriticalSection(&hunt.cells[i].section);
    }
    if (!weft_team_start(&team, TEAM, member, 0)) {
        return 2;
    }
    weft_team_join(&team);
    u32 sum = 0;
    for (u32 i = 0; i < SECTIONS; i++) {
        sum += hunt.cells[i].sum;
    }
    weft_verdict v;
    weft_verdict_begin(&v, "tryenter");
    weft_check(&v, "sum", sum, TEAM_SUM * hunt.rounds);
    weft_check(&v, "errors", hunt.errors, 0);
    DbgPrint("tryenter: %u attempts failed, %u times none was free\n", hunt.failed, hunt.waited);
    return (int)weft_verdict_end(&v);
}
