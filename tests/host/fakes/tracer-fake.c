/* tracer-fake.c: one line of text per op into a file, and failures on request. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "weft/host.h"

#ifndef FAKE_VERSION
#define FAKE_VERSION "1.0"
#endif

typedef struct fake {
    const weft_host *host;
    FILE *file;
} fake;

static weft_status create(const weft_host *host, void **instance)
{
    fake *f = calloc(1, sizeof *f);
    f->host = host;
    *instance = f;
    return WEFT_OK;
}

static void destroy(void *instance)
{
    fake *f = instance;
    if (f->file) {
        fclose(f->file);
    }
    free(f);
}

static weft_status open_trace(void *instance, const weft_trace_begin *begin)
{
    fake *f = instance;
    const char *fault = f->host->option_text(f->host, "fault");
    if (strcmp(fault, "open") == 0) {
        return f->host->fail(f->host, WEFT_E_IO, "no place to write (found none, expected one)");
    }
    const char *path = f->host->option_text(f->host, "path");
    f->file = *path ? fopen(path, "w") : NULL;
    if (*path && !f->file) {
        return f->host->fail(f->host, WEFT_E_IO, "no file (found none, expected one)");
    }
    if (f->file) {
        fprintf(f->file, "open %" PRIu64 " %s %s\n", begin->first, begin->title, begin->digest);
    }
    return WEFT_OK;
}

static void event(void *instance, const weft_event *e)
{
    fake *f = instance;
    int64_t slow = f->host->option_int(f->host, "slow_us");
    if (slow) {
        usleep((useconds_t)slow);
    }
    if (f->file) {
        const weft_event_kind *kind = weft_event_kind_of(e->kind);
        fprintf(f->file, "event %" PRIu64 " %s %" PRIu64 "\n", e->sequence,
                kind ? kind->name : "unknown", e->index);
    }
}

static weft_status close_trace(void *instance, uint64_t last, const char *digest)
{
    fake *f = instance;
    if (f->file) {
        fprintf(f->file, "close %" PRId64 " %s\n", (int64_t)last, digest);
        int lost = ferror(f->file);
        lost |= fclose(f->file) != 0;
        f->file = NULL;
        if (lost) {
            return f->host->fail(f->host, WEFT_E_IO,
                                 "lines are lost (found no room, expected some)");
        }
    }
    if (strcmp(f->host->option_text(f->host, "fault"), "close") == 0) {
        return f->host->fail(f->host, WEFT_E_IO, "disk is full (found no room, expected some)");
    }
    return WEFT_OK;
}

static const weft_option options[] = {
    {.key = "path", .type = WEFT_OPTION_PATH, .default_value = "", .help = "where to write"},
    {.key = "fault",
     .type = WEFT_OPTION_CHOICE,
     .default_value = "none",
     .choices = "none|open|close",
     .help = "which op fails"},
    {.key = "slow_us",
     .type = WEFT_OPTION_INT,
     .default_value = "0",
     .minimum = 0,
     .maximum = 100000,
     .help = "microseconds per event"},
};

static const weft_tracer_ops ops = {
    .size = sizeof ops, .open = open_trace, .event = event, .close = close_trace};

WEFT_EXPORT const weft_plugin_desc weft_plugin = {
    .size = sizeof(weft_plugin_desc),
    .abi_major = WEFT_ABI_MAJOR,
    .abi_minor = WEFT_ABI_MINOR,
    .role = WEFT_ROLE_TRACER,
    .id = "tracer-fake",
    .version = FAKE_VERSION,
    .summary = "a tracer for tests",
    .sanitizers = WEFT_SANITIZERS,
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .option_stride = sizeof(weft_option),
    .ops = &ops,
    .create = create,
    .destroy = destroy,
};
