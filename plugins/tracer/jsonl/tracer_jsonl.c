/* tracer-jsonl: the event log as text, one JSON object a line, schema v1 (docs/trace.md).
 *
 * Lines gather in a buffer and leave it whole: when it is full, or after some 40 ms, when the
 * host has it flushed. Where the disk filled up, the half line at the end is taken back. With
 * host_time=no the bytes are a function of the run alone: equal runs give equal files. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "line.h"
#include "weft/host.h"

typedef struct tracer_jsonl {
    const weft_host *host;
    line_table table;
    line_context context;
    out buffer;
    size_t threshold;  /* bytes from which the buffer is written */
    uint64_t written;  /* bytes that reached the file */
    uint64_t start_ns; /* host clock at open, with host_time=yes */
    int32_t host_time;
    int file;  /* -1: none is open */
    int error; /* errno of the first failed write, 0: none so far */
} tracer_jsonl;

static uint64_t host_clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Takes the half line back that a failed write left: `done` bytes of the buffer, which begins
 * with a whole line, are in the file. Does nothing to a pipe, which has no end to cut. */
static void cut_half_line(tracer_jsonl *t, size_t done)
{
    size_t whole = done;
    while (whole > 0 && t->buffer.bytes[whole - 1] != '\n') {
        whole--;
    }
    if (whole < done && ftruncate(t->file, (off_t)(t->written + whole)) == 0) {
        t->written -= done - whole;
    }
}

/* Hands the buffer to the file. After an error nothing more is written: a hole in the middle would
 * be worse than a missing end. */
static void write_buffer(tracer_jsonl *t)
{
    size_t done = 0;
    while (done < t->buffer.used && t->error == 0) {
        ssize_t n = write(t->file, t->buffer.bytes + done, t->buffer.used - done);
        if (n > 0) {
            done += (size_t)n;
        } else if (n < 0 && errno != EINTR) {
            t->error = errno;
        }
    }
    if (done < t->buffer.used && t->error != 0) {
        cut_half_line(t, done);
    }
    t->written += done;
    t->buffer.used = 0;
    if (t->buffer.no_memory && t->error == 0) {
        t->error = ENOMEM;
    }
}

static weft_status fail_io(tracer_jsonl *t, const char *what, int error, const char *expected)
{
    char sentence[512];
    snprintf(sentence, sizeof sentence, "cannot %s %.300s (found %s, expected %s)", what,
             t->host->option_text(t->host, "path"), strerror(error), expected);
    return t->host->fail(t->host, WEFT_E_IO, sentence);
}

static weft_status create(const weft_host *host, void **instance)
{
    tracer_jsonl *t = calloc(1, sizeof *t);
    if (!t) {
        return host->fail(host, WEFT_E_NO_MEMORY, "no memory for tracer-jsonl");
    }
    t->host = host;
    t->file = -1;
    t->threshold = (size_t)host->option_int(host, "buffer_kib") * 1024;
    t->host_time = host->option_bool(host, "host_time");
    line_table_init(&t->table);
    *instance = t;
    return WEFT_OK;
}

static void close_file(tracer_jsonl *t)
{
    if (t->file > STDERR_FILENO && close(t->file) != 0 && t->error == 0) {
        t->error = errno; /* some file systems report a full disk here first */
    }
    t->file = -1;
}

static void destroy(void *instance)
{
    tracer_jsonl *t = instance;
    if (t->file >= 0) {
        write_buffer(t); /* the run broke off between open and close: keep what there is */
    }
    close_file(t);
    out_free(&t->buffer);
    free(t);
}

/* Opens the path, or stdout for "-". The number is kept above those of the standard streams, so
 * that close_file can tell them apart even where the program was started with one of them closed.
 */
static int open_path(const char *path)
{
    if (strcmp(path, "-") == 0) {
        return STDOUT_FILENO;
    }
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (file >= 0 && file <= STDERR_FILENO) {
        int higher = fcntl(file, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        close(file);
        return higher;
    }
    return file;
}

static weft_status tracer_open(void *instance, const weft_trace_begin *begin)
{
    tracer_jsonl *t = instance;
    close_file(t);
    t->error = 0;
    t->written = 0;
    t->buffer.used = 0;
    t->buffer.no_memory = 0;
    const char *path = t->host->option_text(t->host, "path");
    t->file = open_path(path);
    if (t->file < 0) {
        return fail_io(t, "create", errno, "a path that can be written");
    }
    t->start_ns = t->host_time ? host_clock_ns() : 0;
    t->context = (line_context){
        .table = &t->table,
        .begin = begin,
        .parallel = t->host->machine && t->host->machine->mode == WEFT_MODE_PARALLEL,
    };
    line_begin(&t->buffer, &t->context);
    write_buffer(t); /* a run that is killed before its first flush leaves a trace too */
    return WEFT_OK;
}

static void event(void *instance, const weft_event *record)
{
    tracer_jsonl *t = instance;
    if (t->file < 0 || t->error != 0) {
        return;
    }
    t->context.host_ns = t->host_time ? host_clock_ns() - t->start_ns : 0;
    line_event(&t->buffer, &t->context, record);
    if (t->buffer.used >= t->threshold || t->buffer.no_memory) {
        write_buffer(t);
    }
}

static void flush(void *instance)
{
    tracer_jsonl *t = instance;
    if (t->file >= 0) {
        write_buffer(t);
    }
}

static weft_status tracer_close(void *instance, uint64_t last, const char *digest)
{
    tracer_jsonl *t = instance;
    if (t->file < 0) {
        return WEFT_OK;
    }
    t->context.host_ns = t->host_time ? host_clock_ns() - t->start_ns : 0;
    line_end(&t->buffer, &t->context, last, digest);
    write_buffer(t);
    close_file(t);
    out_free(&t->buffer);
    if (t->error != 0) {
        char expected[64];
        snprintf(expected, sizeof expected, "room beyond the first %llu bytes",
                 (unsigned long long)t->written);
        return fail_io(t, "write", t->error, expected);
    }
    return WEFT_OK;
}

static const weft_option options[] = {
    {
        .key = "path",
        .type = WEFT_OPTION_PATH,
        .default_value = "trace.jsonl",
        .help = "file to write, replaced if it is there; - is stdout",
    },
    {
        .key = "buffer_kib",
        .type = WEFT_OPTION_INT,
        .default_value = "256",
        .minimum = 0,
        .maximum = 1 << 20,
        .help = "KiB that are gathered before a write; 0 writes each line at once",
    },
    {
        .key = "host_time",
        .type = WEFT_OPTION_BOOL,
        .default_value = "no",
        .help = "fill host_ns with ns since open; files of equal runs then differ",
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
    .id = "tracer-jsonl",
    .version = "0.1",
    .summary = "writes events as JSON lines, schema v1",
    .sanitizers = WEFT_SANITIZERS,
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .option_stride = sizeof(weft_option),
    .ops = &ops,
    .create = create,
    .destroy = destroy,
};
