/* strategy.h: what the three strategies for contended entries are built on: conservative's turns, and a
 * contention manifest. A policy's instance begins with a strategy, and so can have the ops below. */
#ifndef WEFT_POLICY_STRATEGY_H
#define WEFT_POLICY_STRATEGY_H

#include <stddef.h>

#include "replay.h"
#include "turns.h"

typedef struct strategy {
    turns turns;
    replay *replay; /* NULL: no manifest */
} strategy;

/* An instance of `bytes`, zero but for its strategy; NULL, and *status, where that fails. */
void *strategy_create(const weft_host *host, size_t bytes, uint32_t who, weft_status *status);
void strategy_destroy(void *instance);

int32_t strategy_pick_next(void *instance, const weft_sched_view *view, uint32_t hw);
uint64_t strategy_quantum(void *instance, const weft_sched_view *view, int32_t thread);
uint32_t strategy_subscribe(void *instance);
/* As `after`; of a policy that has its own, the last that this calls. */
void strategy_after(void *instance, const weft_sched_view *view, const weft_sync_op *op);
void strategy_thread_end(void *instance, uint64_t thread);

#define STRATEGY_OPTIONS TURNS_OPTIONS, REPLAY_OPTIONS

#endif
