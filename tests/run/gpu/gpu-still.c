/* gpu-still: registers and a ring that nobody reads: titles that do not draw run with it, and `weft conform`
 * tells what is missing. */
#include "weft/gpu.h"
#include "weft/host.h"
#include <stdlib.h>

typedef struct still {
    const weft_host *host;
    uint32_t registers[0x4000];
} still;

static weft_status create(const weft_host *host, void **instance)
{
    still *s = calloc(1, sizeof *s);
    if (!s) {
        return host->fail(host, WEFT_E_NO_MEMORY, "no memory for gpu-still");
    }
    s->host = host;
    *instance = s;
    return WEFT_OK;
}
static weft_status attach(void *p, const weft_gpu_host *calls)
{
    const weft_host *host = ((still *)p)->host;
    return host->option_bool(host, "refuse")
               ? host->fail(host, WEFT_E_STATE, "no attach (found refuse = yes, expected no)")
               : WEFT_OK;
}
static weft_status ring(void *p, uint32_t physical, uint32_t log2_quads)
{
    return WEFT_OK;
}
static void mirror(void *p, uint32_t physical, uint32_t log2_quads)
{
}
static uint32_t get(void *p, uint32_t offset, uint64_t tick)
{
    return ((still *)p)->registers[offset / 4 & 0x3FFF];
}
static void set(void *p, uint32_t offset, uint32_t value, uint64_t tick)
{
    ((still *)p)->registers[offset / 4 & 0x3FFF] = value;
}
static void stats(void *p, weft_gpu_stats *s)
{
    *s = (weft_gpu_stats){.size = sizeof *s};
}
static uint64_t digest(void *p)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (int i = 0; i < 0x4000; i++) {
        h = (h ^ ((still *)p)->registers[i]) * 0x100000001b3u;
    }
    return h;
}
static const weft_gpu_ops ops = {.size = sizeof ops,
                                 .attach = attach,
                                 .ring = ring,
                                 .read_pointer_write_back = mirror,
                                 .register_read = get,
                                 .register_write = set,
                                 .stats = stats,
                                 .digest = digest};
static const weft_option options[] = {
    {.key = "refuse", .type = WEFT_OPTION_BOOL, .default_value = "no", .help = "attach fails"}};
WEFT_EXPORT const weft_plugin_desc weft_plugin = {.size = sizeof weft_plugin,
                                                  .abi_major = WEFT_ABI_MAJOR,
                                                  .abi_minor = WEFT_ABI_MINOR,
                                                  .role = WEFT_ROLE_GPU,
                                                  .id = "gpu-still",
                                                  .version = "1",
                                                  .summary = "registers alone",
                                                  .sanitizers = WEFT_SANITIZERS,
                                                  .options = options,
                                                  .option_count = 1,
                                                  .option_stride = sizeof(weft_option),
                                                  .ops = &ops,
                                                  .create = create,
                                                  .destroy = free};
