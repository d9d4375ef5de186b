/* tracer-count: counts events by kind and calls by export, and shows the table while the title runs
 * (docs/trace.md, "tracer-count"). On a terminal the table is redrawn in place; elsewhere each
 * interval leaves one line. The table at the end goes to stderr or to a file.
 *
 * The host's clock says when to draw, and gives the rates "per s" on stderr; nothing of it reaches
 * a file. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "table.h"
#include "weft/host.h"

#define LOOK_EVERY 64 /* events between two looks at the clock */

typedef struct tracer_count {
    const weft_host *host;
    table table;
    int opened;
    int file;       /* of `path`; -1: stderr */
    int terminal;   /* 1: stderr is one */
    uint32_t drawn; /* lines of the table that stand on the terminal */
    uint64_t interval_ns;
    uint64_t start_ns, mark_ns; /* host time of open, and of the display before */
} tracer_count;

static uint64_t host_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static weft_status create(const weft_host *host, void **instance)
{
    tracer_count *t = calloc(1, sizeof *t);
    if (!t) {
        return host->fail(host, WEFT_E_NO_MEMORY, "no memory for tracer-count");
    }
    t->host = host;
    t->file = -1;
    t->interval_ns = (uint64_t)host->option_int(host, "interval_ms") * 1000000u;
    *instance = t;
    return WEFT_OK;
}

static int close_file(tracer_count *t)
{
    int error = t->file > STDERR_FILENO && close(t->file) != 0 ? errno : 0;
    t->file = -1;
    return error;
}

static void destroy(void *instance)
{
    tracer_count *t = instance;
    close_file(t);
    table_free(&t->table);
    free(t);
}

static weft_status fail_io(tracer_count *t, const char *what, int error, const char *expected)
{
    char sentence[512];
    snprintf(sentence, sizeof sentence, "cannot %s %.300s (found %s, expected %s)", what,
             t->host->option_text(t->host, "path"), strerror(error), expected);
    return t->host->fail(t->host, WEFT_E_IO, sentence);
}

/* The file that the last table goes to: -1 for stderr. Kept above the standard streams, so that
 * close_file can tell them apart even where the program was started with one of them closed. */
static int open_path(const char *path, int *error)
{
    *error = 0;
    if (path[0] == 0) {
        return -1;
    }
    if (strcmp(path, "-") == 0) {
        return STDOUT_FILENO;
    }
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (file >= 0 && file <= STDERR_FILENO) {
        int higher = fcntl(file, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        close(file);
        file = higher;
    }
    *error = file < 0 ? errno : 0;
    return file;
}

static weft_status count_open(void *instance, const weft_trace_begin *begin)
{
    tracer_count *t = instance;
    int error;
    close_file(t);
    t->file = open_path(t->host->option_text(t->host, "path"), &error);
    if (error) {
        return fail_io(t, "create", error, "a path that can be written");
    }
    table_start(&t->table, begin);
    t->opened = 1;
    t->terminal = isatty(STDERR_FILENO);
    t->drawn = 0;
    t->start_ns = t->mark_ns = host_ns();
    return WEFT_OK;
}

/* errno, or 0. */
static int write_all(int file, const out *o)
{
    size_t done = 0;
    if (o->no_memory) {
        return ENOMEM;
    }
    while (done < o->used) {
        ssize_t n = write(file, o->bytes + done, o->used - done);
        if (n > 0) {
            done += (size_t)n;
        } else if (n < 0 && errno != EINTR) {
            return errno;
        }
    }
    return 0;
}

/* The cursor goes up to where the table began; each line clears what stood behind it. */
static void draw(tracer_count *t, const table_look *look)
{
    out o = {0};
    table_look fitted = *look;
    struct winsize window;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_row > 1) {
        fitted.rows = window.ws_row - 1u;
        fitted.columns = window.ws_col > 1 ? window.ws_col - 1u : 0;
    }
    fitted.line_end = "\x1b[K\n";
    if (t->drawn > 0) {
        char up[32];
        snprintf(up, sizeof up, "\x1b[%uA\r", t->drawn);
        out_str(&o, up);
    }
    t->drawn = table_text(&t->table, &fitted, &o);
    out_str(&o, "\x1b[J");
    write_all(STDERR_FILENO, &o); /* for the eye: a failure changes nothing */
    out_free(&o);
}

static void show(tracer_count *t, uint64_t now)
{
    const table_look look = {
        .interval = 1,
        .host_ns = now - t->mark_ns,
        .top = (uint32_t)t->host->option_int(t->host, "top"),
        .line_end = "\n",
    };
    if (t->terminal) {
        draw(t, &look);
    } else {
        out o = {0};
        table_brief(&t->table, &look, &o);
        write_all(STDERR_FILENO, &o);
        out_free(&o);
    }
    table_mark(&t->table);
    t->mark_ns = now;
}

static void look_at_clock(tracer_count *t)
{
    if (t->opened && t->interval_ns > 0) {
        uint64_t now = host_ns();
        if (now - t->mark_ns >= t->interval_ns) {
            show(t, now);
        }
    }
}

static void event(void *instance, const weft_event *record)
{
    tracer_count *t = instance;
    if (!t->opened || (record->kind == WEFT_EVENT_DEFINE && record->sequence == 0 &&
                       t->table.begin->first != 0)) {
        return; /* an identity from before a swap, told again, is no event */
    }
    table_add(&t->table, record);
    if (t->table.events % LOOK_EVERY == 0) {
        look_at_clock(t);
    }
}

static void flush(void *instance)
{
    look_at_clock(instance);
}

static weft_status count_close(void *instance, uint64_t last, const char *digest)
{
    tracer_count *t = instance;
    uint32_t top = (uint32_t)t->host->option_int(t->host, "top");
    int on_stderr = t->file < 0;
    out o = {0};
    if (!t->opened) {
        return WEFT_OK;
    }
    t->opened = 0;
    if (strcmp(t->host->option_text(t->host, "format"), "json") == 0) {
        table_json(&t->table, top, last, &o);
    } else {
        const table_look look = {
            .host_ns = on_stderr ? host_ns() - t->start_ns : 0,
            .top = top,
            .line_end = "\n",
        };
        if (t->drawn > 0) { /* the last table takes the place of the live one */
            char up[32];
            snprintf(up, sizeof up, "\x1b[%uA\r\x1b[J", t->drawn);
            out_str(&o, up);
        }
        table_text(&t->table, &look, &o);
    }
    int error = write_all(on_stderr ? STDERR_FILENO : t->file, &o);
    int closed = close_file(t);
    out_free(&o);
    if (on_stderr || (!error && !closed)) {
        return WEFT_OK; /* a lost stderr loses no trace */
    }
    return fail_io(t, "write", error ? error : closed, "room for a table");
}

static const weft_option options[] = {
    {
        .key = "path",
        .type = WEFT_OPTION_PATH,
        .default_value = "",
        .help = "file for the table at the end, replaced if it is there; empty: stderr; -: stdout",
    },
    {
        .key = "format",
        .type = WEFT_OPTION_CHOICE,
        .default_value = "text",
        .choices = "text|json",
        .help = "form of the table at the end",
    },
    {
        .key = "interval_ms",
        .type = WEFT_OPTION_INT,
        .default_value = "1000",
        .minimum = 0,
        .maximum = 3600000,
        .help = "host time between two displays on stderr; 0: only the table at the end",
    },
    {
        .key = "top",
        .type = WEFT_OPTION_INT,
        .default_value = "20",
        .minimum = 0,
        .maximum = TABLE_EXPORTS,
        .help = "exports with a row of their own, the most called ones",
    },
};

static const weft_tracer_ops ops = {
    .size = sizeof ops,
    .open = count_open,
    .event = event,
    .flush = flush,
    .close = count_close,
};

WEFT_EXPORT const weft_plugin_desc weft_plugin = {
    .size = sizeof(weft_plugin_desc),
    .abi_major = WEFT_ABI_MAJOR,
    .abi_minor = WEFT_ABI_MINOR,
    .role = WEFT_ROLE_TRACER,
    .id = "tracer-count",
    .version = "0.1",
    .summary = "a live table: events by kind, calls by export, rates",
    .sanitizers = WEFT_SANITIZERS,
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .option_stride = sizeof(weft_option),
    .ops = &ops,
    .create = create,
    .destroy = destroy,
};
