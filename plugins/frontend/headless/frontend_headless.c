/* frontend-headless: no window and no hands. Frames are accepted and dropped (--frames-to is the
 * host's), no controller is connected; pump is left to the host, which sleeps. */
#include <stdlib.h>
#include <string.h>

#include "weft/host.h"

static weft_status create(const weft_host *host, void **instance)
{
    void *made = malloc(1); /* no state: a byte makes each instance one of its own */
    if (!made) {
        return host->fail(host, WEFT_E_NO_MEMORY, "no memory for frontend-headless");
    }
    *instance = made;
    return WEFT_OK;
}

static void present(void *instance, const weft_frame *frame)
{
}

static void pads(void *instance, weft_pad *out)
{
    memset(out, 0, WEFT_PAD_COUNT * sizeof *out);
}

static const weft_frontend_ops ops = {
    .size = sizeof ops,
    .present = present,
    .pads = pads,
};

WEFT_EXPORT const weft_plugin_desc weft_plugin = {
    .size = sizeof(weft_plugin_desc),
    .abi_major = WEFT_ABI_MAJOR,
    .abi_minor = WEFT_ABI_MINOR,
    .role = WEFT_ROLE_FRONTEND,
    .id = "frontend-headless",
    .version = "0.1",
    .summary = "no window: drops frames, has no controllers",
    .sanitizers = WEFT_SANITIZERS,
    .option_stride = sizeof(weft_option),
    .ops = &ops,
    .create = create,
    .destroy = free,
};
