/* roster.h: what a policy remembers of each thread, in order of first mention. */
#ifndef WEFT_POLICY_ROSTER_H
#define WEFT_POLICY_ROSTER_H

#include <stdint.h>

/* One thread. What the numbers mean is the policy's. */
typedef struct roster_entry {
    uint64_t id;
    uint64_t priority;
    uint64_t order; /* weft_sched_thread.order when last looked at */
    uint64_t since; /* tick */
    uint32_t count;
    uint32_t held; /* 1: told to wait at an operation; shows as WAITING, but could run */
} roster_entry;

typedef struct roster {
    roster_entry *entries;
    uint32_t count, room;
} roster;

/* The thread's entry, NULL if it has none. Good until the next roster_add. */
roster_entry *roster_find(const roster *r, uint64_t id);
/* The same, added (zero but for id, *fresh 1) where it has none. NULL without memory. */
roster_entry *roster_add(roster *r, uint64_t id, int *fresh);
void roster_remove(roster *r, uint64_t id);
void roster_free(roster *r);

#endif
