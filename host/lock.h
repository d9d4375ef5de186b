/* lock.h: the order in which one thread may take locks (ARCHITECTURE.md: one dispatcher lock, and leaf
 * locks under it), held in every build, since it costs about a nanosecond.
 *
 * A thread may take a lock whose rank is above that of all it holds. So the kernel's dispatcher lock
 * comes first, one leaf may follow, and under a leaf nothing is taken: no circle can come about. A
 * violation ends the process where it happens, with what is held and what was wanted. */
#ifndef WEFT_HOST_LOCK_H
#define WEFT_HOST_LOCK_H

#include <pthread.h>

#include "weft/host.h"

/* The calling thread takes, or has given back, a lock of a rank (WEFT_LOCK_*). `what` names it for
 * messages, and lives as long as it is held. */
void lock_order_take(uint32_t rank, const char *what);
void lock_order_give(uint32_t rank);

/* The same for plugins: host extension WEFT_HOST_LOCKS. */
const weft_host_locks *lock_extension(void);

/* A leaf of the host's. To sleep on a condition while one is held is to hold it: nothing is taken
 * meanwhile. */
static inline void leaf_take(pthread_mutex_t *leaf, const char *what)
{
    lock_order_take(WEFT_LOCK_LEAF, what);
    pthread_mutex_lock(leaf);
}

static inline void leaf_give(pthread_mutex_t *leaf)
{
    pthread_mutex_unlock(leaf);
    lock_order_give(WEFT_LOCK_LEAF);
}

#endif
