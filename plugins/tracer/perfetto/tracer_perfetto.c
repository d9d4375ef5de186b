/* tracer-perfetto: a run to look at: a Perfetto trace of tracks, slices, flows and counters in guest
 * time (docs/trace.md, "Looking at a trace"). The work is sdk/trace's; this is the plugin around it.
 * It is for eyes alone: it holds no digest and cannot be read back. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "perfetto.h"
#include "weft/host.h"

typedef struct tracer_perfetto {
    const weft_host *host;
    weft_perfetto *writer; /* NULL: no file is open */
    int file;
} tracer_perfetto;

static weft_status fail_io(tracer_perfetto *t, const char *what, int error, const char *expected)
{
    char sentence[512];
    snprintf(sentence, sizeof sentence, "cannot %s %.300s (found %s, expected %s)", what,
             t->host->option_text(t->host, "path"), strerror(error), expected);
    return t->host->fail(t->host, WEFT_E_IO, sentence);
}

static weft_status create(const weft_host *host, void **instance)
{
    tracer_perfetto *t = calloc(1, sizeof *t);
    if (!t) {
        return host->fail(host, WEFT_E_NO_MEMORY, "no memory for tracer-perfetto");
    }
    t->host = host;
    t->file = -1;
    *instance = t;
    return WEFT_OK;
}

/* Ends the writer and the file; errno of what failed first, or 0. */
static int end(tracer_perfetto *t, uint64_t *written, uint64_t *left_out)
{
    int error = 0;
    *written = *left_out = 0;
    if (t->writer) {
        weft_perfetto_flush(t->writer);
        error = weft_perfetto_error(t->writer, written, left_out);
        weft_perfetto_free(t->writer);
        t->writer = NULL;
    }
    if (t->file >= 0 && close(t->file) != 0 && error == 0) {
        error = errno; /* some file systems report a full disk here first */
    }
    t->file = -1;
    return error;
}

static void destroy(void *instance)
{
    uint64_t written, left_out;
    end(instance, &written, &left_out); /* the run broke off: slices stay open, as viewers allow */
    free(instance);
}

static weft_status tracer_open(void *instance, const weft_trace_begin *begin)
{
    tracer_perfetto *t = instance;
    uint64_t written, left_out;
    end(t, &written, &left_out);
    const char *path = t->host->option_text(t->host, "path");
    t->file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (t->file < 0) {
        return fail_io(t, "create", errno, "a path that can be written");
    }
    t->writer = weft_perfetto_new(t->file, begin,
                                  (size_t)t->host->option_int(t->host, "buffer_kib") * 1024);
    if (!t->writer) {
        return t->host->fail(t->host, WEFT_E_NO_MEMORY, "no memory for tracer-perfetto");
    }
    return WEFT_OK;
}

static void event(void *instance, const weft_event *record)
{
    tracer_perfetto *t = instance;
    if (t->writer) {
        weft_perfetto_add(t->writer, record, 1);
    }
}

static void flush(void *instance)
{
    tracer_perfetto *t = instance;
    if (t->writer) {
        weft_perfetto_flush(t->writer);
    }
}

static weft_status tracer_close(void *instance, uint64_t last, const char *digest)
{
    tracer_perfetto *t = instance;
    uint64_t written, left_out;
    if (!t->writer) {
        return WEFT_OK;
    }
    weft_perfetto_end(t->writer, 0);
    int error = end(t, &written, &left_out);
    if (error != 0) {
        char expected[64];
        snprintf(expected, sizeof expected, "room beyond the first %llu bytes",
                 (unsigned long long)written);
        return fail_io(t, "write", error, expected);
    }
    if (left_out > 0) { /* not host->log, which would be an event */
        fprintf(
            stderr,
            "weft: warning: tracer-perfetto: %llu events are left out: malformed, or beyond its "
            "limits of threads and calls within calls\n",
            (unsigned long long)left_out);
    }
    return WEFT_OK;
}

static const weft_option options[] = {
    {
        .key = "path",
        .type = WEFT_OPTION_PATH,
        .default_value = "trace.pftrace",
        .help = "file to write, replaced if it is there",
    },
    {
        .key = "buffer_kib",
        .type = WEFT_OPTION_INT,
        .default_value = "256",
        .minimum = 0,
        .maximum = 1 << 20,
        .help = "KiB that are gathered before a write; 0 writes each packet at once",
    },
};

static const weft_tracer_ops ops = {
    .size = sizeof ops,
    .open = tracer_open,
    .event = event,
    .flush = flush,
    .close = tracer_close,
};

WEFT_EXPORT const weft_plugin_desc weft_plugin = {
    .size = sizeof(weft_plugin_desc),
    .abi_major = WEFT_ABI_MAJOR,
    .abi_minor = WEFT_ABI_MINOR,
    .role = WEFT_ROLE_TRACER,
    .id = "tracer-perfetto",
    .version = "0.1",
    .summary = "writes a Perfetto trace, to look at",
    .sanitizers = WEFT_SANITIZERS,
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .option_stride = sizeof(weft_option),
    .ops = &ops,
    .create = create,
    .destroy = destroy,
};
