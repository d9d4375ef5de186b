/* frontend-fake.c: a controller that holds A down, a window that fails or asks to be closed.
 * SINGLE, as frontends over SDL are. */
#include <string.h>

#include "weft/host.h"

static weft_status create(const weft_host *host, void **instance)
{
    *instance = (void *)host;
    return WEFT_OK;
}

static weft_status open_window(void *instance, const char *title)
{
    const weft_host *host = instance;
    if (strcmp(host->option_text(host, "mode"), "blind") == 0) {
        return host->fail(host, WEFT_E_IO, "no display (found none, expected one)");
    }
    return WEFT_OK;
}

static int32_t pump(void *instance, uint32_t milliseconds)
{
    const weft_host *host = instance;
    return strcmp(host->option_text(host, "mode"), "closed") == 0  ? 1
           : strcmp(host->option_text(host, "mode"), "wrong") == 0 ? 7
                                                                   : 0;
}

static void pads(void *instance, weft_pad *pad)
{
    memset(pad, 0, WEFT_PAD_COUNT * sizeof *pad);
    pad[0].connected = 1;
    pad[0].buttons = 0x1000;
}

static const weft_option options[] = {
    {.key = "mode",
     .type = WEFT_OPTION_CHOICE,
     .default_value = "open",
     .choices = "open|blind|closed|wrong",
     .help = "what the window does"},
};

static const weft_frontend_ops ops = {
    .size = sizeof ops, .open = open_window, .pump = pump, .pads = pads};

WEFT_EXPORT const weft_plugin_desc weft_plugin = {
    .size = sizeof(weft_plugin_desc),
    .abi_major = WEFT_ABI_MAJOR,
    .abi_minor = WEFT_ABI_MINOR,
    .role = WEFT_ROLE_FRONTEND,
    .flags = WEFT_PLUGIN_SINGLE,
    .id = "frontend-fake",
    .version = "1.0",
    .summary = "a frontend for tests",
    .sanitizers = WEFT_SANITIZERS,
    .options = options,
    .option_count = 1,
    .option_stride = sizeof(weft_option),
    .ops = &ops,
    .create = create,
};
