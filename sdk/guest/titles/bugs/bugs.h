/* What the planted bugs share. Each shows itself only if its threads meet in an order that the
 * stock schedule does not have; `depth` is the number of ordering constraints that make it show, as
 * PCT counts them (Burckhardt et al., "A Randomized Scheduler with Probabilistic Guarantees of
 * Finding Bugs", 2010, 2): 1 is one thread before another, each preemption at the wrong place is
 * one more. */
#ifndef BUGS_H
#define BUGS_H

#include "threads.h"

typedef struct attempt {
    bool fixed; /* without the bug */
    bool hang;  /* a deadlock is the kernel's to find */
} attempt;

typedef struct bug {
    const char *name;
    u32 depth;
    const char *what;        /* said when it shows */
    bool (*show)(attempt a); /* with fresh threads: whether it showed */
} bug;

/* Runs two threads, on hardware threads 0 and 1, which pass one gate together, so that it does not
 * matter where main stands between them. Waits until both have ended: true. Every `ms`
 * (WEFT_FOREVER: never) it asks whether they cannot end any more: false, and they stay as they
 * are. */
bool pair_run(u32 (*first)(void *), u32 (*second)(void *), u32 ms, bool (*over)(void));

/* order.c: depth 1. */
bool init_shows(attempt a);
bool early_shows(attempt a);

/* window.c: depth 2, one preemption inside a window. */
bool lost_shows(attempt a);
bool atomic_shows(attempt a);
bool aba_shows(attempt a);
bool deadlock_shows(attempt a);

/* window.c: depth 3, both inside their windows. */
bool twice_shows(attempt a);

#endif
