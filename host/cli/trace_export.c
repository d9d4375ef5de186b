/* trace_export.c: `weft trace export`: a trace, or a part of it, in another form: the two formats
 * of traces, and those for looking at it. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../run.h"
#include "../text.h"
#include "args.h"
#include "chrome.h"
#include "line.h"
#include "perfetto.h"
#include "stream.h"
#include "timeline.h"
#include "trace_command.h"
#include "trace_select.h"
#include "writer.h"

#define BUFFER_BYTES 262144
#define GROUP_EVENTS 8192 /* of the binary trace: tracer-binary's default */

enum { FORMAT = SELECT_FLAGS, OUT };

static const args_flag flags[] = {
    SELECT_ROWS,
    [FORMAT] = {"--format", "F",
                "jsonl, wtr, perfetto, chrome or svg; without it, by the end of --out's "
                "FILE"},
    [OUT] = {"--out", "FILE", "file to write, replaced if it is there; stdout without it"},
    {0},
};

static const args_command command = {
    .name = "trace export",
    .positional = "FILE",
    .summary =
        "Writes a trace in another form: jsonl and wtr are traces again, perfetto and chrome\n"
        "open in ui.perfetto.dev, svg is a picture of a short range.",
    .flags = flags,
    .least = 1,
    .most = 1,
};

typedef struct request request;

/* What a format does. `show` 0: the event is before or behind the range. */
typedef struct format {
    const char *name;
    int binary;
    int (*make)(request *q, int file);
    void (*add)(request *q, const weft_event *event, int show);
    void (*end)(request *q);
    int (*error)(request *q, uint64_t *written, uint64_t *left_out);
    void (*destroy)(request *q);
} format;

struct request {
    const char *path, *out;
    const format *format;
    selection selection;
    reading reading;
    weft_trace_begin begin;
    void *writer;     /* of the format */
    weft_event *copy; /* of an event whose tick is another here */
    size_t copy_room;
    line_table *table;
    line_context lines;
};

/* ---------------------------------------------------------------------------------- as traces again
 */

static int jsonl_make(request *q, int file)
{
    stream *s = text_need(sizeof *s);
    *s = (stream){.file = file, .threshold = BUFFER_BYTES};
    q->table = text_need(sizeof *q->table);
    line_table_init(q->table);
    q->lines = (line_context){
        .table = q->table,
        .begin = &q->begin,
        .parallel = weft_trace_info_of(q->reading.trace)->parallel,
    };
    q->writer = s;
    line_begin(&s->buffer, &q->lines);
    return 1;
}

static void jsonl_add(request *q, const weft_event *event, int show)
{
    stream *s = q->writer;
    size_t length;
    const char *line = weft_trace_line(q->reading.trace, &length);
    if (!show) {
        return;
    }
    if (line) { /* as it stands: a line of another engine may hold more than an event does */
        out_raw(&s->buffer, line, length);
        out_str(&s->buffer, "\n");
    } else {
        line_event(&s->buffer, &q->lines, event);
    }
    stream_write(s, 0);
}

static void jsonl_end(request *q)
{
    stream *s = q->writer;
    const weft_trace_info *info = weft_trace_info_of(q->reading.trace);
    if (info->complete && info->digest[0]) {
        line_end(&s->buffer, &q->lines, info->last, info->digest);
    }
    stream_write(s, 1);
}

static int jsonl_error(request *q, uint64_t *written, uint64_t *left_out)
{
    const stream *s = q->writer;
    *written = s->written;
    *left_out = 0;
    return s->error;
}

static void jsonl_destroy(request *q)
{
    stream *s = q->writer;
    out_free(&s->buffer);
    free(s);
    free(q->table);
}

static int wtr_make(request *q, int file)
{
    int parallel = weft_trace_info_of(q->reading.trace)->parallel;
    q->writer = weft_trace_writer_new(file, &q->begin, parallel, GROUP_EVENTS);
    return q->writer != NULL;
}

static void wtr_add(request *q, const weft_event *event, int show)
{
    if (show) {
        weft_trace_writer_add(q->writer, event);
    }
}

static void wtr_end(request *q)
{
    const weft_trace_info *info = weft_trace_info_of(q->reading.trace);
    if (info->complete) {
        weft_trace_writer_end(q->writer, info->last, info->digest);
    }
}

static int wtr_error(request *q, uint64_t *written, uint64_t *left_out)
{
    *left_out = 0;
    return weft_trace_writer_error(q->writer, written);
}

static void wtr_destroy(request *q)
{
    weft_trace_writer_free(q->writer);
}

/* -------------------------------------------------------------------------------- to be looked at
 */

/* The tick that a range by ticks ends with, else 0: the last one shown. */
static uint64_t end_tick(const request *q)
{
    const span *ticks = &q->selection.ticks;
    return ticks->given && ticks->to != UINT64_MAX ? ticks->to : 0;
}

/* A log of another engine has no guest time (docs/trace.md): each event counts as a microsecond. */
static const weft_event *timed(request *q, const weft_event *event)
{
    if (!weft_trace_info_of(q->reading.trace)->foreign || event->tick != 0) {
        return event;
    }
    if (event->size > q->copy_room) {
        q->copy = text_grow(q->copy, event->size);
        q->copy_room = event->size;
    }
    memcpy(q->copy, event, event->size);
    q->copy->tick = event->sequence * 1000;
    return q->copy;
}

/* The three differ in name alone. */
#define PICTURE(name)                                                                              \
    static int name##_make(request *q, int file)                                                   \
    {                                                                                              \
        q->writer = weft_##name##_new(file, &q->begin, BUFFER_BYTES);                              \
        if (q->writer && q->selection.ticks.given) {                                               \
            weft_##name##_from(q->writer, q->selection.ticks.from);                                \
        }                                                                                          \
        return q->writer != NULL;                                                                  \
    }                                                                                              \
    static void name##_add(request *q, const weft_event *event, int show)                          \
    {                                                                                              \
        weft_##name##_add(q->writer, timed(q, event), show);                                       \
    }                                                                                              \
    static void name##_end(request *q)                                                             \
    {                                                                                              \
        weft_##name##_end(q->writer, end_tick(q));                                                 \
    }                                                                                              \
    static int name##_error(request *q, uint64_t *written, uint64_t *left_out)                     \
    {                                                                                              \
        return weft_##name##_error(q->writer, written, left_out);                                  \
    }                                                                                              \
    static void name##_destroy(request *q)                                                         \
    {                                                                                              \
        weft_##name##_free(q->writer);                                                             \
    }
PICTURE(perfetto)
PICTURE(chrome)
PICTURE(timeline)

#define ROW(text, is_binary, name)                                                                 \
    {                                                                                              \
        text, is_binary, name##_make, name##_add, name##_end, name##_error, name##_destroy         \
    }
enum { JSONL, WTR, PERFETTO, CHROME, SVG };
static const format formats[] = {
    [JSONL] = ROW("jsonl", 0, jsonl),          [WTR] = ROW("wtr", 1, wtr),
    [PERFETTO] = ROW("perfetto", 1, perfetto), [CHROME] = ROW("chrome", 0, chrome),
    [SVG] = ROW("svg", 0, timeline),
};

/* ----------------------------------------------------------------------------------------- options
 */

static int parse_format(request *q, const char *name)
{
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        if (strcmp(formats[i].name, name) == 0) {
            q->format = &formats[i];
            return 0;
        }
    }
    error_print("--format",
                "format is unknown (found %s, expected jsonl, wtr, perfetto, chrome or "
                "svg)",
                name);
    return -1;
}

/* The format that the end of a file's name stands for, or NULL. */
static const format *format_of_name(const char *path)
{
    static const struct {
        const char *end;
        int format;
    } ends[] = {{".jsonl", JSONL},      {".wtr", WTR},
                {".pftrace", PERFETTO}, {".perfetto-trace", PERFETTO},
                {".json", CHROME},      {".svg", SVG}};
    size_t length = path ? strlen(path) : 0;
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        size_t n = strlen(ends[i].end);
        if (length >= n && strcmp(path + length - n, ends[i].end) == 0) {
            return &formats[ends[i].format];
        }
    }
    return NULL;
}

static int take(void *context, int index, const char *value)
{
    request *q = context;
    switch (index) {
    case FORMAT:
        return parse_format(q, value);
    case OUT:
        q->out = value;
        break;
    case -1:
        q->path = value;
        break;
    default:
        return selection_take(&q->selection, index, value);
    }
    return 0;
}

/* --------------------------------------------------------------------------------------- the work
 */

/* Whether an event lies behind the end of the range: nothing there matters to a picture. */
static int is_behind(const selection *s, const weft_event *event)
{
    return (s->sequence.given && event->sequence > s->sequence.to) ||
           (s->ticks.given && event->tick > s->ticks.to);
}

/* The file is read to its end, which says whether it is whole. */
static void copy_events(request *q)
{
    const selection *s = &q->selection;
    const weft_event *event;
    uint64_t written, left_out;
    while ((event = reading_next(&q->reading)) != NULL) {
        int wanted = weft_filter_pass(s->filter, event, weft_trace_name_of, q->reading.trace);
        int defines = event->kind == WEFT_EVENT_DEFINE;
        if (defines || (wanted && !is_behind(s, event))) {
            q->format->add(q, event, defines || selection_reaches(s, event));
        }
        if (q->reading.events % 4096 == 0 && q->format->error(q, &written, &left_out)) {
            break; /* a full disk will not get emptier by reading on */
        }
    }
}

/* An open file for the output, or -1 after an error was printed. */
static int open_out(const request *q)
{
    struct stat in, there;
    if (q->out && strcmp(q->out, "-") != 0) {
        if (stat(q->path, &in) == 0 && stat(q->out, &there) == 0 && S_ISREG(in.st_mode) &&
            in.st_dev == there.st_dev && in.st_ino == there.st_ino) {
            error_print(q->out, "is the trace itself (expected another file for --out)");
            return -1;
        }
        int file = open(q->out, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        if (file < 0) {
            error_print(q->out, "cannot be written (found %s, expected a path with room)",
                        strerror(errno));
        }
        return file;
    }
    if (q->format->binary && isatty(STDOUT_FILENO)) {
        error_print("weft trace export", "%s is binary (found a terminal, expected --out FILE)",
                    q->format->name);
        return -1;
    }
    return dup(STDOUT_FILENO);
}

static int finish(request *q, int file)
{
    uint64_t written = 0, left_out = 0;
    int error = q->format->error(q, &written, &left_out);
    q->format->destroy(q);
    if (close(file) != 0 && error == 0) {
        error = errno;
    }
    const char *where = q->out ? q->out : "stdout";
    if (error) {
        error_print(
            where, "cannot be written (found %s, expected room beyond the first %" PRIu64 " bytes)",
            strerror(error), written);
        return EXIT_INPUT;
    }
    if (left_out) {
        fprintf(stderr,
                "weft: warning: %s: %" PRIu64 " events are left out: they are malformed or "
                "beyond what %s can show\n",
                where, left_out, q->format->name);
    }
    return EXIT_ENDED;
}

static int export_to(request *q, int file)
{
    const weft_trace_info *info = weft_trace_info_of(q->reading.trace);
    q->begin = (weft_trace_begin){
        .size = sizeof q->begin,
        .partial = (uint32_t)(info->partial || !selection_is_all(&q->selection)),
        .first = info->first,
        .engine = info->engine,
        .build = info->build,
        .title = info->title,
        .profile_digest = info->profile_digest,
        .digest = info->before,
        .name = weft_trace_name_of,
        .names = q->reading.trace,
    };
    if (!q->format->make(q, file)) {
        error_print(q->path, "no memory for the export");
        close(file);
        return EXIT_INPUT;
    }
    copy_events(q);
    q->format->end(q);
    return finish(q, file);
}

int trace_export(int argc, char **argv)
{
    request q = {0};
    int parsed = args_parse(&command, argc, argv, take, &q);
    if (parsed) {
        return parsed < 0 ? EXIT_USAGE : EXIT_ENDED;
    }
    q.format = q.format ? q.format : format_of_name(q.out);
    if (!q.format) {
        error_print("weft trace export", "option is missing (found no --format, expected jsonl, "
                                         "wtr, perfetto, chrome or svg)");
        return EXIT_USAGE;
    }
    if (selection_open(&q.selection)) {
        selection_end(&q.selection);
        return EXIT_USAGE;
    }
    reading_open(&q.reading, q.path);
    int code = EXIT_INPUT;
    const weft_trace_info *info = weft_trace_info_of(q.reading.trace);
    if (info->foreign && q.format == &formats[WTR]) {
        error_print(q.path,
                    "log cannot become a binary trace, which would lose what its lines say "
                    "(found engine %s, expected weft)",
                    info->engine);
        code = EXIT_USAGE;
    } else if (!weft_trace_failed(q.reading.trace, NULL)) { /* else no file is made */
        int file = open_out(&q);
        code = file < 0 ? EXIT_USAGE : export_to(&q, file);
    }
    int read = reading_close(&q.reading);
    free(q.copy);
    selection_end(&q.selection);
    return read ? read : code;
}
