/* tracer-parent.c: a tracer that hands everything on to a child (weft/tracer.h, tracers/1), and one
 * that can be asked for what it keeps (dump/1). */
#include <stdlib.h>
#include <string.h>

#include "weft/host.h"

typedef struct parent {
    const weft_host *host;
    const weft_host_tracers *tracers;
    const weft_tracer_ops *ops; /* the child's */
    void *child;
} parent;

static weft_status create(const weft_host *host, void **instance)
{
    parent *p = calloc(1, sizeof *p);
    p->host = host;
    p->tracers = host->extension(host, WEFT_HOST_TRACERS);
    weft_status status = p->tracers->make(host, host->option_text(host, "child"),
                                          host->option_text(host, "setting"), &p->ops, &p->child);
    if (status != WEFT_OK) {
        free(p);
        return status;
    }
    *instance = p;
    return WEFT_OK;
}

static void destroy(void *instance)
{
    parent *p = instance;
    if (p->host->option_bool(p->host, "tidy")) {
        p->tracers->end(p->host, p->child);
    }
    free(p);
}

static weft_status open_trace(void *instance, const weft_trace_begin *begin)
{
    parent *p = instance;
    return p->ops->open(p->child, begin);
}

static void event(void *instance, const weft_event *e)
{
    parent *p = instance;
    p->ops->event(p->child, e);
}

static void flush(void *instance)
{
    parent *p = instance;
    p->ops->flush(p->child);
}

static weft_status close_trace(void *instance, uint64_t last, const char *digest)
{
    parent *p = instance;
    return p->ops->close(p->child, last, digest);
}

static weft_status dump(void *instance, const char **path)
{
    parent *p = instance;
    if (strcmp(p->host->option_text(p->host, "dump"), "fail") == 0) {
        return p->host->fail(p->host, WEFT_E_IO, "nothing to dump (found none, expected some)");
    }
    *path = p->host->option_text(p->host, "dump");
    return WEFT_OK;
}

static const void *extension(void *instance, const char *name)
{
    static const weft_tracer_dump table = {.size = sizeof table, .dump = dump};
    return strcmp(name, WEFT_TRACER_DUMP) == 0 ? &table : NULL;
}

static const weft_option options[] = {
    {.key = "child", .type = WEFT_OPTION_STRING, .default_value = "fake", .help = "its id"},
    {.key = "setting", .type = WEFT_OPTION_STRING, .default_value = "", .help = "its setting"},
    {.key = "tidy", .type = WEFT_OPTION_BOOL, .default_value = "yes", .help = "ends the child"},
    {.key = "dump", .type = WEFT_OPTION_STRING, .default_value = "here", .help = "what it says"},
};

static const char *const needs[] = {WEFT_HOST_TRACERS, NULL};

static const weft_tracer_ops ops = {
    .size = sizeof ops, .open = open_trace, .event = event, .flush = flush, .close = close_trace};

WEFT_EXPORT const weft_plugin_desc weft_plugin = {
    .size = sizeof(weft_plugin_desc),
    .abi_major = WEFT_ABI_MAJOR,
    .abi_minor = WEFT_ABI_MINOR,
    .role = WEFT_ROLE_TRACER,
    .id = "tracer-parent",
    .version = "1.0",
    .summary = "a tracer with a child",
    .sanitizers = WEFT_SANITIZERS,
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .option_stride = sizeof(weft_option),
    .needs = needs,
    .ops = &ops,
    .create = create,
    .destroy = destroy,
    .extension = extension,
};
