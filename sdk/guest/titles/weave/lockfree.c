/* lockfree: a stack of nodes without a lock. Its head is a node's number and a counter that each
 * change raises, in one word that lwarx and stwcx. exchange: without the counter a head that was
 * taken and put back meanwhile would pass for the same (ABA; the title bugs plants that).
 *
 *     rounds=N   nodes that each thread takes and puts back (default 1000) */
#include "threads.h"

#define TEAM  6u
#define NODES 4u /* few, so that the same ones are met again soon, and sometimes none */
#define NONE  0xFFFFu

static struct {
    u32 rounds;
    volatile u32 head;        /* counter << 16 | node */
    volatile u32 next[NODES]; /* node below */
    volatile u32 owner[NODES];
    volatile u32 taken, empty, errors;
} stack;

static void push(u32 node)
{
    u32 head;
    do {
        head = stack.head;
        stack.next[node] = head & 0xFFFF;
        weft_publish();
    } while (!weft_swap_if(&stack.head, head, (head & 0xFFFF0000u) + 0x10000u + node));
}

static u32 pop(void)
{
    for (;;) {
        u32 head = stack.head, node = head & 0xFFFF;
        if (node == NONE) {
            return NONE;
        }
        u32 below = stack.next[node];
        if (weft_swap_if(&stack.head, head, (head & 0xFFFF0000u) + 0x10000u + below)) {
            return node;
        }
    }
}

static u32 member(void *context)
{
    weft_member *m = context;
    u32 chance = m->index + 1;
    for (u32 r = 0; r < stack.rounds; r++) {
        u32 node, turns = 0;
        while ((node = pop()) == NONE) {
            weft_atomic_add(&stack.empty, 1);
            weft_back_off(&turns);
        }
        bool free = stack.owner[node] == 0;
        stack.owner[node] = m->index + 1;
        weft_work(weft_random(&chance) % 64);
        if (!free || stack.owner[node] != m->index + 1) {
            weft_atomic_add(&stack.errors, 1);
        }
        stack.owner[node] = 0;
        push(node);
        weft_atomic_add(&stack.taken, 1);
    }
    return 0;
}

int main(int argc, char **argv)
{
    static weft_team team;
    stack.rounds = weft_option_number(argc, argv, "rounds", 1000);
    stack.head = NONE;
    for (u32 i = 0; i < NODES; i++) {
        push(i);
    }
    if (!weft_team_start(&team, TEAM, member, 0)) {
        return 2;
    }
    weft_team_join(&team);
    u32 seen = 0;
    for (u32 i = 0; i < NODES; i++) {
        u32 node = pop();
        seen |= node == NONE ? 0 : 1u << node;
    }
    weft_verdict v;
    weft_verdict_begin(&v, "lockfree");
    weft_check(&v, "taken", stack.taken, TEAM * stack.rounds);
    weft_check(&v, "nodes", seen, (1u << NODES) - 1);
    weft_check(&v, "nothing more", pop(), NONE);
    weft_check(&v, "errors", stack.errors, 0);
    DbgPrint("lockfree: %u times empty\n", stack.empty);
    return (int)weft_verdict_end(&v);
}
