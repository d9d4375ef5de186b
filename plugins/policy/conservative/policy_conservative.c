/* policy-conservative: strict priorities, round robin within a priority, nobody starves
 * (common/turns.h).
 *
 * With a contention manifest it replays the reference's contended entries, but only where the natural
 * path agrees: it changes no order, and says of each entry what became of it. */
#include <stdlib.h>

#include "replay.h"
#include "turns.h"

typedef struct policy_conservative {
    turns turns;
    replay *replay; /* NULL: no manifest */
} policy_conservative;

static void destroy(void *instance)
{
    policy_conservative *p = instance;
    replay_free(p->replay);
    free(p);
}

static weft_status create(const weft_host *host, void **instance)
{
    policy_conservative *p = calloc(1, sizeof *p);
    if (!p) {
        return host->fail(host, WEFT_E_NO_MEMORY, "no memory for policy-conservative");
    }
    turns_create(&p->turns, host);
    weft_status status = replay_create(&p->replay, host, REPLAY_CONSERVATIVE);
    if (status != WEFT_OK) {
        destroy(p);
        return status;
    }
    *instance = p;
    return WEFT_OK;
}

static int32_t pick_next(void *instance, const weft_sched_view *view, uint32_t hw)
{
    return turns_next(&((policy_conservative *)instance)->turns, view, hw);
}

static uint64_t quantum(void *instance, const weft_sched_view *view, int32_t thread)
{
    return ((policy_conservative *)instance)->turns.quantum;
}

static uint32_t subscribe(void *instance)
{
    return replay_subscribe(((policy_conservative *)instance)->replay);
}

static uint32_t before(void *instance, const weft_sched_view *view, const weft_sync_op *op,
                       uint64_t *amount)
{
    replay *r = ((policy_conservative *)instance)->replay;
    if (r && replay_meets(r, view, op)) {
        int contended = op->kind == WEFT_SYNC_ENTER_CONTENDED;
        replay_tell(r, view, op, contended ? REPLAY_REPLAYED : REPLAY_FREE);
    }
    return WEFT_ANSWER_GO;
}

static void after(void *instance, const weft_sched_view *view, const weft_sync_op *op)
{
    replay_after(((policy_conservative *)instance)->replay, view, op);
}

static void thread_end(void *instance, uint64_t thread)
{
    policy_conservative *p = instance;
    turns_forget(&p->turns, thread);
    replay_thread_end(p->replay, thread);
}

/* With a manifest: how far each thread is would have to be saved too, and is not. */
static weft_status save(void *instance, void *buffer, uint64_t *length)
{
    policy_conservative *p = instance;
    return p->replay ? WEFT_E_UNSUPPORTED : turns_save(&p->turns, buffer, length);
}

static weft_status load(void *instance, const void *buffer, uint64_t length)
{
    policy_conservative *p = instance;
    return p->replay ? WEFT_E_UNSUPPORTED : turns_load(&p->turns, buffer, length);
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
    .destroy = destroy,
};
