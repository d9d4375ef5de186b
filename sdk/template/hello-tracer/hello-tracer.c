/* hello-tracer: counts the events of each kind and prints a table when it is closed, on stderr:
 * stdout is the title's.
 *
 *     gcc -std=c11 -fPIC -shared -I/usr/include hello-tracer.c -o tracer-hello.so
 *     weft conform tracer-hello.so */
#include <stdio.h>
#include <stdlib.h>
#include <weft/host.h>

/* Kinds of a newer weft than this file was compiled for are counted together, under 0. */
typedef struct counts {
    uint64_t of_kind[WEFT_EVENT_KIND_END];
} counts;

static weft_status create(const weft_host *host, void **instance)
{
    counts *made = calloc(1, sizeof *made);
    if (!made) {
        return host->fail(host, WEFT_E_NO_MEMORY, "no memory for tracer-hello");
    }
    *instance = made;
    return WEFT_OK;
}

static void event(void *instance, const weft_event *record)
{
    counts *c = instance;
    c->of_kind[record->kind < WEFT_EVENT_KIND_END ? record->kind : 0]++;
}

static weft_status close_table(void *instance, uint64_t last, const char *digest)
{
    counts *c = instance;
    for (uint16_t kind = 0; kind < WEFT_EVENT_KIND_END; kind++) {
        const weft_event_kind *row = weft_event_kind_of(kind);
        if (c->of_kind[kind] > 0) {
            fprintf(stderr, "%-20s %12llu\n", row ? row->name : "unknown",
                    (unsigned long long)c->of_kind[kind]);
        }
        c->of_kind[kind] = 0;
    }
    return WEFT_OK;
}

static const weft_tracer_ops ops = {
    .size = sizeof ops,
    .event = event,
    .close = close_table,
};

WEFT_EXPORT const weft_plugin_desc weft_plugin = {
    .size = sizeof weft_plugin,
    .abi_major = WEFT_ABI_MAJOR,
    .abi_minor = WEFT_ABI_MINOR,
    .role = WEFT_ROLE_TRACER,
    .id = "tracer-hello",
    .version = "1",
    .summary = "counts events by kind and prints a table at the end",
    .sanitizers = WEFT_SANITIZERS,
    .ops = &ops,
    .create = create,
    .destroy = free,
};
