/* plugin.c: the descriptor of cpu-ppc. */
#include "ppc.h"

static const weft_option options[] = {
    {.key = "engine",
     .type = WEFT_OPTION_CHOICE,
     .default_value = "interp-blocks",
     .choices = "interp-plain|interp-blocks",
     .help = "How guest instructions are executed; every engine gives the same guest state."},
};

WEFT_EXPORT const weft_plugin_desc weft_plugin = {
    .size = sizeof(weft_plugin_desc),
    .abi_major = WEFT_ABI_MAJOR,
    .abi_minor = WEFT_ABI_MINOR,
    .role = WEFT_ROLE_CPU,
    .id = "cpu-ppc",
    .version = "0.1",
    .summary = "PowerPC with VMX128: predecoded, threaded interpreters",
    .sanitizers = WEFT_SANITIZERS,
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .option_stride = sizeof(weft_option),
    .ops = &ppc_ops,
    .create = ppc_create,
    .destroy = ppc_destroy,
};
