/* gpu-xenos: the role's ops over the command processor. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture.h"
#include "replay.h"

typedef struct gpu {
    xenos_cp cp;
    uint32_t source; /* on the clock */
    uint32_t attached;
    uint64_t handle; /* of the pending firing; 0: none */
} gpu;

static void arm(gpu *g)
{
    weft_clock *clock = g->cp.host->clock;
    if (g->handle == 0 && g->cp.armed != WEFT_TICK_NEVER) {
        g->handle = clock->schedule(clock, g->source, g->cp.armed, 0);
    }
}

static void fire(void *context, uint64_t tick, uint64_t argument)
{
    gpu *g = context;
    g->handle = 0;
    xenos_cp_run(&g->cp, tick);
    arm(g);
}

static weft_status gpu_attach(void *instance, const weft_gpu_host *calls)
{
    gpu *g = instance;
    const weft_host *host = g->cp.host;
    if (g->attached) {
        return host->fail(host, WEFT_E_STATE,
                          "gpu-xenos is attached already (expected one attach)");
    }
    weft_status status =
        host->clock->source_add(host->clock, "gpu", WEFT_RANK_GPU, fire, g, &g->source);
    if (status != WEFT_OK) {
        return host->fail(host, status, "gpu-xenos gets no source on the clock");
    }
    g->cp.calls = *calls;
    g->cp.identity = host->define(host, "source", "source:gpu");
    g->attached = 1;
    return WEFT_OK;
}

static weft_status gpu_ring(void *instance, uint32_t physical, uint32_t log2_quads)
{
    gpu *g = instance;
    const weft_host *host = g->cp.host;
    if (!g->attached) {
        return host->fail(host, WEFT_E_STATE, "a ring for gpu-xenos before attach");
    }
    if (g->handle != 0) {
        host->clock->cancel(host->clock, g->handle);
        g->handle = 0;
    }
    weft_status status = xenos_cp_ring(&g->cp, physical, log2_quads);
    if (status != WEFT_OK) {
        arm(g);
        return host->fail(host, status, "the ring does not lie in physical memory");
    }
    return WEFT_OK;
}

static void gpu_read_pointer_write_back(void *instance, uint32_t physical, uint32_t log2_quads)
{
    xenos_cp_mirror(&((gpu *)instance)->cp, physical, log2_quads);
}

static uint32_t gpu_register_read(void *instance, uint32_t offset, uint64_t tick)
{
    return xenos_mmio_read(&((gpu *)instance)->cp, offset, tick);
}

static void gpu_register_write(void *instance, uint32_t offset, uint32_t value, uint64_t tick)
{
    gpu *g = instance;
    xenos_mmio_write(&g->cp, offset, value, tick);
    arm(g);
}

static void gpu_vblank(void *instance, uint64_t count, uint64_t tick)
{
    ((gpu *)instance)->cp.counter++;
}

static void gpu_gamma(void *instance, const uint32_t *table)
{
    xenos_gamma_table(&((gpu *)instance)->cp.gamma, table);
}

static void gpu_stats(void *instance, weft_gpu_stats *stats)
{
    *stats = ((gpu *)instance)->cp.stats;
}

static uint64_t gpu_digest(void *instance)
{
    return xenos_cp_digest(&((gpu *)instance)->cp);
}

static void gpu_destroy(void *instance)
{
    gpu *g = instance;
    xenos_cp_end(&g->cp);
    free(g);
}

static weft_status gpu_create(const weft_host *host, void **instance)
{
    gpu *g = calloc(1, sizeof *g);
    xenos_drawing *drawing = NULL;
    if (g != NULL) {
        drawing = xenos_drawing_new(host, &g->cp, host->option_text(host, "backend"),
                                    (uint32_t)host->option_int(host, "threads"));
    }
    if (drawing == NULL) {
        free(g);
        return host->fail(host, WEFT_E_NO_MEMORY, "no memory for gpu-xenos");
    }
    xenos_costs costs = {
        .packet = (uint64_t)host->option_int(host, "packet_cost"),
        .dword = (uint64_t)host->option_int(host, "dword_cost"),
        .draw = (uint64_t)host->option_int(host, "draw_cost"),
        .vertex = (uint64_t)host->option_int(host, "vertex_cost"),
        .poll = (uint64_t)host->option_int(host, "poll_interval"),
        .batch = (uint64_t)host->option_int(host, "batch"),
        .vsync = (uint32_t)host->option_int(host, "vsync"),
    };
    xenos_cp_init(&g->cp, host, &costs, drawing);
    const char *path = host->option_text(host, "capture");
    if (path != NULL && path[0] != 0) {
        g->cp.capture = xenos_capture_new(path, (uint64_t)host->option_int(host, "capture_frame"));
        if (g->cp.capture == NULL) {
            char text[512];
            snprintf(text, sizeof text,
                     "capture %s cannot be written (found: %s, expected a place for it)", path,
                     strerror(errno));
            gpu_destroy(g);
            return host->fail(host, WEFT_E_IO, text);
        }
    }
    *instance = g;
    return WEFT_OK;
}

/* ---- tools ---- */

static weft_status tools_replay(void *instance, const char *path, uint32_t times,
                                void (*frame)(void *context, const weft_frame *frame),
                                void *context, weft_gpu_replayed *done)
{
    const weft_host *host = ((gpu *)instance)->cp.host;
    return xenos_replay(host, path, host->option_text(host, "backend"),
                        (uint32_t)host->option_int(host, "threads"), times, frame, context, done);
}

/* A stream whose text goes to a print function. */
typedef struct printer {
    weft_print_fn print;
    void *context;
} printer;

static ssize_t print_piece(void *cookie, const char *text, size_t length)
{
    const printer *p = cookie;
    p->print(p->context, text, length);
    return (ssize_t)length;
}

static FILE *open_printer(printer *p)
{
    return fopencookie(p, "w", (cookie_io_functions_t){.write = print_piece});
}

static weft_status tools_dump(void *instance, const char *path, weft_print_fn print, void *context)
{
    const weft_host *host = ((gpu *)instance)->cp.host;
    printer p = {print, context};
    FILE *out = open_printer(&p);
    if (out == NULL) {
        return host->fail(host, WEFT_E_NO_MEMORY, "no memory to print a capture");
    }
    weft_status status = xenos_dump(host, path, out);
    fclose(out);
    return status;
}

static weft_status tools_disassemble(void *instance, const char *path, const char *stage,
                                     weft_print_fn print, void *context)
{
    const weft_host *host = ((gpu *)instance)->cp.host;
    printer p = {print, context};
    FILE *out = open_printer(&p);
    if (out == NULL) {
        return host->fail(host, WEFT_E_NO_MEMORY, "no memory to print a shader");
    }
    weft_status status = xenos_disassemble_file(host, path, stage, out);
    fclose(out);
    return status;
}

static const weft_gpu_tools tools = {
    .size = sizeof tools,
    .replay = tools_replay,
    .dump = tools_dump,
    .disassemble = tools_disassemble,
};

static const void *gpu_extension(void *instance, const char *name)
{
    return strcmp(name, WEFT_GPU_TOOLS) == 0 ? &tools : NULL;
}

static const weft_option options[] = {
    {
        .key = "backend",
        .type = WEFT_OPTION_CHOICE,
        .default_value = "soft",
        .choices = "soft|null",
        .help = "What draws: soft, everything, in software; null, nothing at all.",
    },
    {
        .key = "threads",
        .type = WEFT_OPTION_INT,
        .flags = WEFT_OPTION_HOST,
        .default_value = "0",
        .minimum = 0,
        .maximum = 64,
        .help =
            "Threads that draw; 0: as the host has cores, at most 8. Frames do not depend on it.",
    },
    {
        .key = "packet_cost",
        .type = WEFT_OPTION_INT,
        .default_value = "20",
        .minimum = 1,
        .maximum = 1000000,
        .help = "Ticks (ns) that the command processor spends on a packet.",
    },
    {
        .key = "dword_cost",
        .type = WEFT_OPTION_INT,
        .default_value = "2",
        .minimum = 1,
        .maximum = 1000000,
        .help = "Ticks for each dword of a packet or of what it loads.",
    },
    {
        .key = "draw_cost",
        .type = WEFT_OPTION_INT,
        .default_value = "500",
        .minimum = 1,
        .maximum = 1000000000,
        .help = "Ticks for a draw, besides its packet.",
    },
    {
        .key = "vertex_cost",
        .type = WEFT_OPTION_INT,
        .default_value = "2",
        .minimum = 0,
        .maximum = 1000000,
        .help = "Ticks for each index of a draw.",
    },
    {
        .key = "poll_interval",
        .type = WEFT_OPTION_INT,
        .default_value = "10000",
        .minimum = 1,
        .maximum = 1000000000,
        .help = "Ticks from one look at a wait's condition to the next.",
    },
    {
        .key = "batch",
        .type = WEFT_OPTION_INT,
        .default_value = "5000",
        .minimum = 1,
        .maximum = 1000000000,
        .help = "Ticks of packets without visible effect that are executed together.",
    },
    {
        .key = "vsync",
        .type = WEFT_OPTION_BOOL,
        .default_value = "no",
        .help = "Show at most one frame a vertical blank, whatever the title asks for.",
    },
    {
        .key = "capture",
        .type = WEFT_OPTION_PATH,
        .flags = WEFT_OPTION_HOST,
        .default_value = "",
        .help =
            "File for a captured frame, for `weft gpu`; empty: none. `weft run --capture` sets it.",
    },
    {
        .key = "capture_frame",
        .type = WEFT_OPTION_INT,
        .flags = WEFT_OPTION_HOST,
        .default_value = "1",
        .minimum = 1,
        .maximum = INT32_MAX,
        .help = "Which frame is captured; the first is 1.",
    },
};

static const weft_gpu_ops ops = {
    .size = sizeof ops,
    .attach = gpu_attach,
    .ring = gpu_ring,
    .read_pointer_write_back = gpu_read_pointer_write_back,
    .register_read = gpu_register_read,
    .register_write = gpu_register_write,
    .vblank = gpu_vblank,
    .gamma = gpu_gamma,
    .stats = gpu_stats,
    .digest = gpu_digest,
};

WEFT_EXPORT const weft_plugin_desc weft_plugin = {
    .size = sizeof weft_plugin,
    .abi_major = WEFT_ABI_MAJOR,
    .abi_minor = WEFT_ABI_MINOR,
    .role = WEFT_ROLE_GPU,
    .id = "gpu-xenos",
    .version = "0.1",
    .summary = "Xenos: command processor, shaders, EDRAM; draws exactly, in software",
    .sanitizers = WEFT_SANITIZERS,
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .option_stride = sizeof options[0],
    .ops = &ops,
    .create = gpu_create,
    .destroy = gpu_destroy,
    .extension = gpu_extension,
};
