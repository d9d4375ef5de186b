/* hello-policy: the smallest scheduling policy. The threads of a hardware thread take turns,
 * whatever their priorities; what this file leaves out (pick_cpu, quantum, before, ...) is the
 * default written beside each op in weft/policy.h.
 *
 *     gcc -std=c11 -fPIC -shared -I/usr/include hello-policy.c -o policy-hello.so
 *     weft conform policy-hello.so */
#include <stdlib.h>
#include <weft/host.h>

/* This policy remembers nothing; a byte makes each instance one of its own. */
static weft_status create(const weft_host *host, void **instance)
{
    void *made = malloc(1);
    if (!made) {
        return host->fail(host, WEFT_E_NO_MEMORY, "no memory for policy-hello");
    }
    *instance = made;
    return WEFT_OK;
}

/* `order` rises each time a thread becomes ready or used up its quantum: the least has waited
 * longest. */
static int32_t pick_next(void *instance, const weft_sched_view *view, uint32_t hw)
{
    int32_t best = -1;
    for (uint32_t i = 0; i < view->thread_count; i++) {
        const weft_sched_thread *thread = weft_view_thread(view, i);
        int legal = thread->hw == hw && thread->state <= WEFT_THREAD_RUNNING;
        if (legal && (best < 0 || thread->order < weft_view_thread(view, (uint32_t)best)->order)) {
            best = (int32_t)i;
        }
    }
    return best;
}

static const weft_policy_ops ops = {
    .size = sizeof ops,
    .pick_next = pick_next,
};

WEFT_EXPORT const weft_plugin_desc weft_plugin = {
    .size = sizeof weft_plugin,
    .abi_major = WEFT_ABI_MAJOR,
    .abi_minor = WEFT_ABI_MINOR,
    .role = WEFT_ROLE_POLICY,
    .id = "policy-hello",
    .version = "1",
    .summary = "every thread in turn, whatever its priority",
    .sanitizers = WEFT_SANITIZERS,
    .ops = &ops,
    .create = create,
    .destroy = free,
};
