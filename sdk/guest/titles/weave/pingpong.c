/* pingpong: three pairs of threads, each with two automatic events, pass a token to and fro: one
 * pair by handles, one by NtSignalAndWaitForSingleObjectEx, one by KEVENTs in memory. Only who has
 * the token touches the hash, so its value is known; how the pairs mix is not.
 *
 *     rounds=N   passes of each thread (default 500) */
#include "threads.h"

#define PAIRS 3u

enum { BY_HANDLE, BY_SIGNAL_AND_WAIT, BY_POINTER };

static struct {
    u32 rounds;
    u32 events[PAIRS][2]; /* of each side */
    kevent bodies[2];     /* of the pair BY_POINTER */
    volatile u32 hash[PAIRS];
} game;

static void wait_turn(u32 pair, u32 side)
{
    if (pair == BY_POINTER) {
        KeWaitForSingleObject(&game.bodies[side], 3, USER_MODE, 0, NULL);
    } else {
        weft_wait(game.events[pair][side], WEFT_FOREVER);
    }
}

static void give_turn(u32 pair, u32 side)
{
    if (pair == BY_POINTER) {
        KeSetEvent(&game.bodies[1 - side], 0, 0);
    } else {
        NtSetEvent(game.events[pair][1 - side], 0);
    }
}

static u32 step(u32 hash, u32 side)
{
    return hash * 31 + side + 1;
}

static u32 player(void *context)
{
    weft_member *m = context;
    u32 pair = m->index / 2, side = m->index % 2;
    wait_turn(pair, side);
    for (u32 r = 1; r <= game.rounds; r++) {
        game.hash[pair] = step(game.hash[pair], side);
        bool last = r == game.rounds;
        if (pair == BY_SIGNAL_AND_WAIT && !last) {
            NtSignalAndWaitForSingleObjectEx(game.events[pair][1 - side], game.events[pair][side],
                                             0, USER_MODE, NULL);
        } else {
            give_turn(pair, side);
            if (!last) {
                wait_turn(pair, side);
            }
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    game.rounds = weft_option_number(argc, argv, "rounds", 500);
    if (game.rounds == 0) {
        game.rounds = 1;
    }
    for (u32 pair = 0; pair < PAIRS; pair++) {
        for (u32 side = 0; side < 2; side++) {
            game.events[pair][side] = weft_event(SYNCHRONIZATION, side == 0);
        }
    }
    KeInitializeEvent(&game.bodies[0], SYNCHRONIZATION, 1);
    KeInitializeEvent(&game.bodies[1], SYNCHRONIZATION, 0);
    static weft_team team;
    if (!weft_team_start(&team, PAIRS * 2, player, 0)) {
        return 2;
    }
    weft_team_join(&team);
    u32 expected = 0;
    for (u32 r = 0; r < game.rounds; r++) {
        expected = step(step(expected, 0), 1);
    }
    weft_verdict v;
    weft_verdict_begin(&v, "pingpong");
    weft_check(&v, "by handle", game.hash[BY_HANDLE], expected);
    weft_check(&v, "by signal and wait", game.hash[BY_SIGNAL_AND_WAIT], expected);
    weft_check(&v, "by pointer", game.hash[BY_POINTER], expected);
    return (int)weft_verdict_end(&v);
}
