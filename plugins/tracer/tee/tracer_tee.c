/* tracer-tee: hands everything on to several tracers (docs/trace.md, "tracer-tee"). The host makes
 * the instances, by its extension tracers/1, and checks them as it checks a profile. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "children.h"
#include "weft/host.h"

typedef struct child {
    const weft_tracer_ops *ops;
    void *instance;
    const weft_tracer_dump *dump; /* NULL: it keeps nothing that could be asked for */
    void *dump_target;
    int opened;
} child;

typedef struct tracer_tee {
    const weft_host *host;
    const weft_host_tracers *tracers; /* NULL where there are no children */
    child *children;
    size_t count;
} tracer_tee;

static void destroy(void *instance)
{
    tracer_tee *t = instance;
    for (size_t i = 0; i < t->count; i++) {
        t->tracers->end(t->host, t->children[i].instance);
    }
    free(t->children);
    free(t);
}

static weft_status make(tracer_tee *t, const child_text *list, size_t count)
{
    t->children = calloc(count, sizeof *t->children);
    if (!t->children) {
        return t->host->fail(t->host, WEFT_E_NO_MEMORY, "no memory for tracer-tee");
    }
    for (size_t i = 0; i < count; i++) {
        child *c = &t->children[i];
        weft_status status =
            t->tracers->make(t->host, list[i].id, list[i].settings, &c->ops, &c->instance);
        if (status != WEFT_OK) {
            return status; /* the sentence is there */
        }
        t->count++;
        c->dump = t->tracers->extension(t->host, c->instance, WEFT_TRACER_DUMP, &c->dump_target);
    }
    return WEFT_OK;
}

static weft_status create(const weft_host *host, void **instance)
{
    char why[256];
    child_text *list;
    size_t count;
    tracer_tee *t = calloc(1, sizeof *t);
    if (!t) {
        return host->fail(host, WEFT_E_NO_MEMORY, "no memory for tracer-tee");
    }
    t->host = host;
    weft_status status = WEFT_OK;
    if (children_parse(host->option_text(host, "to"), &list, &count, why, sizeof why)) {
        status = host->fail(host, WEFT_E_INVALID, why);
    } else if (count > 0) {
        t->tracers = host->extension ? host->extension(host, WEFT_HOST_TRACERS) : NULL;
        status = t->tracers ? make(t, list, count)
                            : host->fail(host, WEFT_E_UNSUPPORTED,
                                         "host makes no further tracers (found no extension, "
                                         "expected " WEFT_HOST_TRACERS ")");
        children_free(list, count);
    }
    if (status != WEFT_OK) {
        destroy(t);
        return status;
    }
    *instance = t;
    return WEFT_OK;
}

/* Closes all that are open; the first failure. */
static weft_status close_all(tracer_tee *t, uint64_t last, const char *digest)
{
    weft_status first = WEFT_OK;
    for (size_t i = 0; i < t->count; i++) {
        child *c = &t->children[i];
        if (c->opened) {
            weft_status status = c->ops->close(c->instance, last, digest);
            c->opened = 0;
            first = first == WEFT_OK ? status : first;
        }
    }
    return first;
}

/* All or none: a trace that cannot be begun is to be known before the title runs. */
static weft_status tee_open(void *instance, const weft_trace_begin *begin)
{
    tracer_tee *t = instance;
    if (t->count == 0) {
        return t->host->fail(t->host, WEFT_E_INVALID,
                             "no tracers are named (found an empty `to`, expected ID KEY=VALUE... "
                             "and ID ...)");
    }
    for (size_t i = 0; i < t->count; i++) {
        child *c = &t->children[i];
        weft_status status = c->ops->open(c->instance, begin);
        if (status != WEFT_OK) {
            close_all(t, begin->first - 1, begin->digest);
            return status;
        }
        c->opened = 1;
    }
    return WEFT_OK;
}

static void event(void *instance, const weft_event *record)
{
    tracer_tee *t = instance;
    for (size_t i = 0; i < t->count; i++) {
        if (t->children[i].opened) {
            t->children[i].ops->event(t->children[i].instance, record);
        }
    }
}

static void flush(void *instance)
{
    tracer_tee *t = instance;
    for (size_t i = 0; i < t->count; i++) {
        if (t->children[i].opened) {
            t->children[i].ops->flush(t->children[i].instance);
        }
    }
}

static weft_status tee_close(void *instance, uint64_t last, const char *digest)
{
    return close_all(instance, last, digest);
}

/* Asks each child that can; the path is the last one's. */
static weft_status dump_children(void *instance, const char **path)
{
    tracer_tee *t = instance;
    weft_status first = WEFT_OK;
    size_t asked = 0;
    for (size_t i = 0; i < t->count; i++) {
        child *c = &t->children[i];
        if (c->dump) {
            weft_status status = c->dump->dump(c->dump_target, path);
            first = first == WEFT_OK ? status : first;
            asked++;
        }
    }
    return asked > 0 ? first
                     : t->host->fail(t->host, WEFT_E_UNSUPPORTED,
                                     "none of the tracers keeps events (found no " WEFT_TRACER_DUMP
                                     ", expected one, as tracer-ring has)");
}

static const void *extension(void *instance, const char *name)
{
    static const weft_tracer_dump dump_extension = {
        .size = sizeof dump_extension,
        .dump = dump_children,
    };
    return strcmp(name, WEFT_TRACER_DUMP) == 0 ? &dump_extension : NULL;
}

static const weft_option options[] = {
    {
        .key = "to",
        .type = WEFT_OPTION_STRING,
        .default_value = "",
        .help = "ID KEY=VALUE... and ID KEY=VALUE..., such as: binary path=a.wtr and ring",
    },
};

static const weft_tracer_ops ops = {
    .size = sizeof ops,
    .open = tee_open,
    .event = event,
    .flush = flush,
    .close = tee_close,
};

WEFT_EXPORT const weft_plugin_desc weft_plugin = {
    .size = sizeof(weft_plugin_desc),
    .abi_major = WEFT_ABI_MAJOR,
    .abi_minor = WEFT_ABI_MINOR,
    .role = WEFT_ROLE_TRACER,
    .id = "tracer-tee",
    .version = "0.1",
    .summary = "hands every event on to several tracers",
    .sanitizers = WEFT_SANITIZERS,
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .option_stride = sizeof(weft_option),
    .ops = &ops,
    .create = create,
    .destroy = destroy,
    .extension = extension,
};
