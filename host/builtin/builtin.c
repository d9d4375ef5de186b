/* builtin.c: the plugins that live in the host, so that it never needs a .so to stay alive: a
 * tracer that drops everything, a policy that leaves every answer to its default, a frontend
 * without eyes. */
#include "../loader.h"

static weft_status create(const weft_host *host, void **instance)
{
    *instance = NULL;
    return WEFT_OK;
}

static void drop_event(void *instance, const weft_event *event)
{
}

static const weft_tracer_ops tracer_ops = {.size = sizeof tracer_ops, .event = drop_event};
static const weft_policy_ops policy_ops = {.size = sizeof policy_ops};
static const weft_frontend_ops frontend_ops = {.size = sizeof frontend_ops};

#define BUILTIN(role_number, name, text, table)                                                    \
    {                                                                                              \
        .size = sizeof(weft_plugin_desc), .abi_major = WEFT_ABI_MAJOR,                             \
        .abi_minor = WEFT_ABI_MINOR, .role = role_number, .id = name, .version = "0.1",            \
        .summary = text, .sanitizers = "", .option_stride = sizeof(weft_option), .ops = table,     \
        .create = create,                                                                          \
    }

const weft_plugin_desc *builtin_plugin(uint32_t index)
{
    static const weft_plugin_desc plugins[] = {
        BUILTIN(WEFT_ROLE_TRACER, "tracer-none", "built in: drops every event", &tracer_ops),
        BUILTIN(WEFT_ROLE_POLICY, "policy-default", "built in: every answer is the default",
                &policy_ops),
        BUILTIN(WEFT_ROLE_FRONTEND, "frontend-none", "built in: shows nothing, no controllers",
                &frontend_ops),
    };
    return index < sizeof plugins / sizeof plugins[0] ? &plugins[index] : NULL;
}
