/* policy-contrary.c: answers out of every range; the conformance kit must say so. */
#include "weft/policy.h"

static weft_status create(const weft_host *host, void **instance)
{
    *instance = NULL;
    return WEFT_OK;
}

static uint32_t pick_cpu(void *instance, const weft_sched_view *view, uint64_t *slice)
{
    return 99;
}

static const weft_policy_ops ops = {.size = sizeof ops, .pick_cpu = pick_cpu};

WEFT_EXPORT const weft_plugin_desc weft_plugin = {
    .size = sizeof(weft_plugin_desc),
    .abi_major = WEFT_ABI_MAJOR,
    .abi_minor = WEFT_ABI_MINOR,
    .role = WEFT_ROLE_POLICY,
    .id = "policy-contrary",
    .version = "1.0",
    .summary = "picks hardware threads that do not exist",
    .sanitizers = WEFT_SANITIZERS,
    .option_stride = sizeof(weft_option),
    .ops = &ops,
    .create = create,
};
