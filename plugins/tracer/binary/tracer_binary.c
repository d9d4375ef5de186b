/* tracer-binary: the event log as columns, compressed: a .wtr file (docs/trace.md, "The binary
 * trace"). The work is sdk/trace's; this is the plugin around it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "weft/host.h"
#include "writer.h"

typedef struct tracer_binary {
    const weft_host *host;
    weft_trace_writer *writer; /* NULL: no file is open */
    int file;
} tracer_binary;

static weft_status fail_io(tracer_binary *t, const char *what, int error, const char *expected)
{
    char sentence[512];
    snprintf(sentence, sizeof sentence, "cannot %s %.300s (found %s, expected %s)", what,
             t->host->option_text(t->host, "path"), strerror(error), expected);
    return t->host->fail(t->host, WEFT_E_IO, sentence);
}

static weft_status create(const weft_host *host, void **instance)
{
    tracer_binary *t = calloc(1, sizeof *t);
    if (!t) {
        return host->fail(host, WEFT_E_NO_MEMORY, "no memory for tracer-binary");
    }
    t->host = host;
    t->file = -1;
    *instance = t;
    return WEFT_OK;
}

/* Ends the writer and the file; errno of what failed first, or 0. */
static int end(tracer_binary *t, uint64_t *written)
{
    int error = 0;
    *written = 0;
    if (t->writer) {
        error = weft_trace_writer_error(t->writer, written);
        weft_trace_writer_free(t->writer);
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
    uint64_t written;
    end(instance, &written); /* the run broke off: what was held is written, without an end */
    free(instance);
}

static weft_status tracer_open(void *instance, const weft_trace_begin *begin)
{
    tracer_binary *t = instance;
    uint64_t written;
    end(t, &written);
    const char *path = t->host->option_text(t->host, "path");
    t->file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (t->file < 0) {
        return fail_io(t, "create", errno, "a path that can be written");
    }
    int parallel = t->host->machine && t->host->machine->mode == WEFT_MODE_PARALLEL;
    t->writer = weft_trace_writer_new(t->file, begin, parallel,
                                      (uint32_t)t->host->option_int(t->host, "group_events"));
    if (!t->writer) {
        return t->host->fail(t->host, WEFT_E_NO_MEMORY, "no memory for tracer-binary");
    }
    return WEFT_OK;
}

static void event(void *instance, const weft_event *record)
{
    tracer_binary *t = instance;
    if (t->writer) {
        weft_trace_writer_add(t->writer, record);
    }
}

/* There is no flush op: the host flushes when it happens to be idle, and a group that ended there
 * would make the file depend on the host's speed. */

static weft_status tracer_close(void *instance, uint64_t last, const char *digest)
{
    tracer_binary *t = instance;
    uint64_t written;
    if (!t->writer) {
        return WEFT_OK;
    }
    weft_trace_writer_end(t->writer, last, digest);
    int error = end(t, &written);
    if (error != 0) {
        char expected[64];
        snprintf(expected, sizeof expected, "room beyond the first %llu bytes",
                 (unsigned long long)written);
        return fail_io(t, "write", error, expected);
    }
    return WEFT_OK;
}

static const weft_option options[] = {
    {
        .key = "path",
        .type = WEFT_OPTION_PATH,
        .default_value = "trace.wtr",
        .help = "file to write, replaced if it is there",
    },
    {
        .key = "group_events",
        .type = WEFT_OPTION_INT,
        .default_value = "8192",
        .minimum = 1,
        .maximum = 65536,
        .help = "events that are gathered before they are written; what a killed run loses",
    },
};

static const weft_tracer_ops ops = {
    .size = sizeof ops,
    .open = tracer_open,
    .event = event,
    .close = tracer_close,
};

WEFT_EXPORT const weft_plugin_desc weft_plugin = {
    .size = sizeof(weft_plugin_desc),
    .abi_major = WEFT_ABI_MAJOR,
    .abi_minor = WEFT_ABI_MINOR,
    .role = WEFT_ROLE_TRACER,
    .id = "tracer-binary",
    .version = "0.1",
    .summary = "writes events in compressed columns, .wtr",
    .sanitizers = WEFT_SANITIZERS,
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .option_stride = sizeof(weft_option),
    .ops = &ops,
    .create = create,
    .destroy = destroy,
};
