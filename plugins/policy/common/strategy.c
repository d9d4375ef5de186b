/* strategy.c: see strategy.h. */
#include "strategy.h"

#include <stdlib.h>

void *strategy_create(const weft_host *host, size_t bytes, uint32_t who, weft_status *status)
{
    strategy *s = calloc(1, bytes);
    if (!s) {
        *status = host->fail(host, WEFT_E_NO_MEMORY, "no memory for a policy");
        return NULL;
    }
    turns_create(&s->turns, host);
    *status = replay_create(&s->replay, host, who);
    if (*status != WEFT_OK) {
        free(s);
        return NULL;
    }
    return s;
}

void strategy_destroy(void *instance)
{
    strategy *s = instance;
    replay_free(s->replay);
    free(s);
}

int32_t strategy_pick_next(void *instance, const weft_sched_view *view, uint32_t hw)
{
    return turns_next(&((strategy *)instance)->turns, view, hw);
}

uint64_t strategy_quantum(void *instance, const weft_sched_view *view, int32_t thread)
{
    return ((strategy *)instance)->turns.quantum;
}

uint32_t strategy_subscribe(void *instance)
{
    return replay_subscribe(((strategy *)instance)->replay);
}

void strategy_after(void *instance, const weft_sched_view *view, const weft_sync_op *op)
{
    replay_after(((strategy *)instance)->replay, view, op);
}

void strategy_thread_end(void *instance, uint64_t thread)
{
    strategy *s = instance;
    turns_forget(&s->turns, thread);
    replay_thread_end(s->replay, thread);
}
