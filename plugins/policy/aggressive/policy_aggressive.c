/* policy-aggressive: conservative's turns, and a contention manifest that is enforced: who comes to an
 * entry of the manifest and finds the critical section free is parked until another thread has done
 * something to it. That is what a contended entry looks like from outside, but nothing says that the
 * other one comes next: the run goes another way than the reference, and this policy is there to show
 * it (docs/policy.md). Whoever is parked in vain is let go by `stuck`, or by the kernel's limit. */
#include "roster.h"
#include "strategy.h"

typedef struct aggressive {
    strategy strategy; /* the first member */
    roster parked;     /* since: sequence of the object when it was parked; order: tick */
} aggressive;

static void destroy(void *instance)
{
    roster_free(&((aggressive *)instance)->parked);
    strategy_destroy(instance);
}

static weft_status create(const weft_host *host, void **instance)
{
    weft_status status;
    *instance = strategy_create(host, sizeof(aggressive), REPLAY_AGGRESSIVE, &status);
    return status;
}

/* What became of an entry of the manifest; if its thread was parked for that, it no longer is. */
static void settle(aggressive *p, const weft_sched_view *view, const weft_sync_op *op,
                   uint32_t outcome)
{
    const roster_entry *e = roster_find(&p->parked, op->thread);
    if (e) {
        uint64_t now = pick_time(view, op->thread);
        replay_parked(p->strategy.replay, now > e->order ? now - e->order : 0);
        roster_remove(&p->parked, op->thread);
    }
    replay_tell(p->strategy.replay, view, op, outcome);
}

static uint32_t before(void *instance, const weft_sched_view *view, const weft_sync_op *op,
                       uint64_t *amount)
{
    aggressive *p = instance;
    if (!p->strategy.replay || !replay_meets(p->strategy.replay, view, op)) {
        return WEFT_ANSWER_GO;
    }
    roster_entry *e = roster_find(&p->parked, op->thread);
    if (op->kind == WEFT_SYNC_ENTER && (!e || e->since == op->sequence)) {
        int fresh;
        e = roster_add(&p->parked, op->thread, &fresh);
        if (e && fresh) {
            e->since = op->sequence;
            e->order = pick_time(view, op->thread);
        }
        if (e) {
            return WEFT_ANSWER_HOLD;
        }
    }
    settle(p, view, op, REPLAY_REPLAYED);
    return WEFT_ANSWER_GO;
}

static void after(void *instance, const weft_sched_view *view, const weft_sync_op *op)
{
    aggressive *p = instance;
    if (p->strategy.replay && replay_meets(p->strategy.replay, view, op)) {
        settle(p, view, op, REPLAY_VAIN);
    }
    strategy_after(instance, view, op);
}

static void thread_end(void *instance, uint64_t thread)
{
    roster_remove(&((aggressive *)instance)->parked, thread);
    strategy_thread_end(instance, thread);
}

static const weft_option options[] = {STRATEGY_OPTIONS};

static const weft_policy_ops ops = {
    .size = sizeof ops,
    .pick_next = strategy_pick_next,
    .quantum = strategy_quantum,
    .subscribe = strategy_subscribe,
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
