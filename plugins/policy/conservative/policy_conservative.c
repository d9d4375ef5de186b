/* policy-conservative: strict priorities, round robin within a priority, nobody starves
 * (common/turns.h).
 *
 * With a contention manifest it replays the reference's contended entries, but only where the natural
 * path agrees: it changes no order, and says of each entry what became of it. */
#include "strategy.h"

static weft_status create(const weft_host *host, void **instance)
{
    weft_status status;
    *instance = strategy_create(host, sizeof(strategy), REPLAY_CONSERVATIVE, &status);
    return status;
}

static uint32_t before(void *instance, const weft_sched_view *view, const weft_sync_op *op,
                       uint64_t *amount)
{
    replay *r = ((strategy *)instance)->replay;
    if (r && replay_meets(r, view, op)) {
        int contended = op->kind == WEFT_SYNC_ENTER_CONTENDED;
        replay_tell(r, view, op, contended ? REPLAY_REPLAYED : REPLAY_FREE);
    }
    return WEFT_ANSWER_GO;
}

/* With a manifest: how far each thread is would have to be saved too, and is not. */
static weft_status save(void *instance, void *buffer, uint64_t *length)
{
    strategy *s = instance;
    return s->replay ? WEFT_E_UNSUPPORTED : turns_save(&s->turns, buffer, length);
}

static weft_status load(void *instance, const void *buffer, uint64_t length)
{
    strategy *s = instance;
    return s->replay ? WEFT_E_UNSUPPORTED : turns_load(&s->turns, buffer, length);
}

static const weft_option options[] = {STRATEGY_OPTIONS};

static const weft_policy_ops ops = {
    .size = sizeof ops,
    .pick_next = strategy_pick_next,
    .quantum = strategy_quantum,
    .subscribe = strategy_subscribe,
    .before = before,
    .after = strategy_after,
    .thread_end = strategy_thread_end,
    .save = save,
    .load = load,
};

WEFT_EXPORT const weft_plugin_desc weft_plugin = {
    .size = sizeof(weft_plugin_desc),
    .abi_major = WEFT_ABI_MAJOR,
    .abi_minor = WEFT_ABI_MINOR,
    .role = WEFT_ROLE_POLICY,
    .id = "policy-conservative",
    .version = "0.2",
    .summary = "priorities, round robin within a priority, no starvation",
    .sanitizers = WEFT_SANITIZERS,
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .option_stride = sizeof(weft_option),
    .ops = &ops,
    .create = create,
    .destroy = strategy_destroy,
};
