/* flag: one thread gives values to another through a word and a flag, both poll, no kernel object
 * is between them. Correct by volatile and lwsync; how often each polls, and what it calls
 * meanwhile, depends on the order.
 *
 *     rounds=N   values (default 500)
 *     polls=N    looks at the flag before a thread yields (default 2) */
#include "threads.h"

#define PAIRS 2u

static struct {
    u32 rounds, polls;
    struct {
        volatile u32 value, full;
        u32 sum, yields[2];
    } pairs[PAIRS];
} flag;

/* Waits until the flag is `wanted`; how often it yielded. */
static u32 poll(volatile u32 *full, u32 wanted)
{
    u32 yields = 0;
    for (u32 left = flag.polls; *full != wanted; left--) {
        weft_pause();
        if (left == 0) {
            weft_back_off(&yields);
            left = flag.polls + 1;
        }
    }
    weft_publish();
    return yields;
}

static u32 member(void *context)
{
    weft_member *m = context;
    u32 pair = m->index / 2, side = m->index % 2, chance = m->index + 1;
    for (u32 r = 0; r < flag.rounds; r++) {
        weft_work(weft_random(&chance) % 600);
        flag.pairs[pair].yields[side] += poll(&flag.pairs[pair].full, side);
        if (side == 0) {
            flag.pairs[pair].value = weft_mix(r);
        } else {
            flag.pairs[pair].sum += flag.pairs[pair].value * (r + 1);
        }
        weft_publish();
        flag.pairs[pair].full = 1 - side;
    }
    return 0;
}

int main(int argc, char **argv)
{
    static weft_team team;
    flag.rounds = weft_option_number(argc, argv, "rounds", 500);
    flag.polls = weft_option_number(argc, argv, "polls", 2);
    if (!weft_team_start(&team, PAIRS * 2, member, 0)) {
        return 2;
    }
    weft_team_join(&team);
    u32 expected = 0;
    for (u32 r = 0; r < flag.rounds; r++) {
        expected += weft_mix(r) * (r + 1);
    }
    weft_verdict v;
    weft_verdict_begin(&v, "flag");
    weft_check(&v, "first pair", flag.pairs[0].sum, expected);
    weft_check(&v, "second pair", flag.pairs[1].sum, expected);
    DbgPrint("flag: yielded %u %u %u %u times\n", flag.pairs[0].yields[0], flag.pairs[0].yields[1],
             flag.pairs[1].yields[0], flag.pairs[1].yields[1]);
    return (int)weft_verdict_end(&v);
}
