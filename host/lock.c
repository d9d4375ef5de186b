#include "lock.h"

#include <stdio.h>
#include <stdlib.h>

/* What the calling thread holds, by rank. A thread's own: no instance has it. */
static _Thread_local const char *held[WEFT_LOCK_RANKS];

static void violation(uint32_t rank, const char *what, uint32_t above)
{
    fprintf(stderr,
            "weft: error: locks: a thread takes them in the wrong order (found %s, rank %u, under "
            "%s, rank %u, expected a higher rank)\n",
            what, rank, held[above], above);
    abort();
}

void lock_order_take(uint32_t rank, const char *what)
{
    for (uint32_t above = rank; above < WEFT_LOCK_RANKS; above++) {
        if (held[above]) {
            violation(rank, what, above);
        }
    }
    held[rank] = what;
}

void lock_order_give(uint32_t rank)
{
    held[rank] = NULL;
}

static void take(const weft_host *host, uint32_t rank, const char *what)
{
    lock_order_take(rank, what);
}

static void give(const weft_host *host, uint32_t rank)
{
    lock_order_give(rank);
}

const weft_host_locks *lock_extension(void)
{
    static const weft_host_locks locks = {.size = sizeof locks, .take = take, .give = give};
    return &locks;
}
