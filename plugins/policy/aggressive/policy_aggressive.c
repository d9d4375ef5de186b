/* policy-aggressive: conservative's turns, and a contention manifest that is enforced: who comes to an
 * entry of the manifest and finds the critical section free is parked until another thread has done
 * something to it. That is what a contended entry looks like from outside, but nothing says that the
 * other one comes next: the run goes another way than the reference, and this policy is there to show
 * it (docs/policy.md). Whoever is parked in vain is let go by `stuck`, or by the kernel's limit. */
#include <stdlib.h>

#include "replay.h"
#include "roster.h"
#include "turns.h"

typedef struct aggressive {
    turns turns;
    replay *replay; /* NULL: no manifest */
    roster parked;  /* since: sequence of the object when it was parked */
} aggressive;

static void destroy(void *instance)
{
    aggressive *p = instance;
    replay_free(p->replay);
    roster_free(&p->parked);
    free(p);
}

static weft_status create(const weft_host *host, void **instance)
{
    aggressive *p = calloc(1, sizeof *p);
    if (!p) {
        return host->fail(host, WEFT_E_NO_MEMORY, "no memory for policy-aggressive");
    }
    turns_create(&p->turns, host);
    weft_status status = replay_create(&p->replay, host, REPLAY_AGGRESSIVE);
    if (status != WEFT_OK) {
        destroy(p);
        return status;
    }
    *instance = p;
    return WEFT_OK;
}

static int32_t pick_next(void *instance, const weft_sched_view *view, uint32_t hw)
{
    return turns_next(&((aggressive *)instance)->turns, view, hw);
}

static uint64_t quantum(void *instance, const weft_sched_view *view, int32_t thread)
{
    return ((aggressive *)instance)->turns.quantum;
}

static uint32_t subscribe(void *instance)
{
    return replay_subscribe(((aggressive *)instance)->replay);
}

static uint32_t before(void *instance, const weft_sched_view *view, const weft_sync_op *op,
                       uint64_t *amount)
{
    aggressive *p = instance;
    if (!p->replay || !replay_meets(p->replay, view, op)) {
        return WEFT_ANSWER_GO;
    }
    int fresh;
    roster_entry *e = roster_add(&p->parked, op->thread, &fresh);
    if (op->kind == WEFT_SYNC_ENTER && e && (fresh || op->sequence == e->since)) {
        e->since = op->sequence;
        return WEFT_ANSWER_HOLD;
    }
    roster_remove(&p->parked, op->thread);
    replay_tell(p->replay, view, op, REPLAY_REPLAYED);
    return WEFT_ANSWER_GO;
}

static void after(void *instance, const weft_sched_view *view, const weft_sync_op *op)
{
    aggressive *p = instance;
    if (p->replay && replay_meets(p->replay, view, op)) {
        roster_remove(&p->parked, op->thread);
        replay_tell(p->replay, view, op, REPLAY_VAIN);
    }
    replay_after(p->replay, view, op);
}

static void thread_end(void *instance, uint64_t thread)
{
    aggressive *p = instance;
    turns_forget(&p->turns, thread);
    roster_remove(&p->parked, thread);
    replay_thread_end(p->replay, thread);
}

static const weft_option options[] = {TURNS_OPTIONS, REPLAY_OPTIONS};

static const weft_policy_ops ops = {
    .size = sizeof ops,
    .pick_next = pick_next,
    .quantum = quantum,
    .subscribe = subscribe,
    .before = before,
    .after = after,
    .thread_end = thread_end,
};

WEFT_EXPORT const weft_plugin_desc weft_plugin = {
    .size = sizeof(weft_plugin_desc),
    .abi_major = WEFT_ABI_MAJOR,
    .abi_minor = WEFT_ABI_MINOR,
    .role = WEFT_ROLE_POLICY,
    .id = "policy-aggressive",
    .version = "0.1",
    .summary = "conservative, and contended entries of a manifest are enforced",
    .sanitizers = WEFT_SANITIZERS,
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .option_stride = sizeof(weft_option),
    .ops = &ops,
    .create = create,
    .destroy = destroy,
};
