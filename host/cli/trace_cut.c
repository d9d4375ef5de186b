/* trace_cut.c: `weft trace cut`: a part of a trace as a trace of its own, in either format.
 *
 * A stretch of sequence numbers without holes keeps true digests: what comes before it and up to its
 * end is known from the events themselves, and `weft trace digest --chain` finds no seam between
 * neighbours. Definitions from before the stretch stand at its beginning with sequence 0, as after an
 * exchange of tracers. Anything else is marked partial, and keeps its definitions where they were. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../run.h"
#include "../text.h"
#include "line.h"
#include "trace_command.h"
#include "trace_select.h"
#include "writer.h"

#define OUT_BYTES    65536
#define GROUP_EVENTS 8192 /* as tracer-binary gathers by default */

enum { OUT = SELECT_FLAGS };

static const args_flag flags[] = {
    SELECT_ROWS,
    [OUT] = {"--out", "PATH", "the part: a .wtr or a .jsonl file; required"},
    {0},
};

static const args_command command = {
    .name = "trace cut",
    .positional = "FILE",
    .summary =
        "Writes the events that are asked for as a trace of their own. A --range alone keeps "
        "true digests;\nanything else is marked partial. Without either, a trace is put into "
        "the other format.",
    .flags = flags,
    .least = 1,
    .most = 1,
};

typedef struct cut {
    selection selection;
    const char *path, *out;
    char *part; /* where it is written until it is whole */
    int binary; /* the part is */
    int exact;  /* its digests are true */
    uint64_t first, last, events;
    char before[40], digest[40];
    int ended; /* it gets an end, with `last` and `digest` */
    line_table table;
    line_context context;
    weft_trace_begin begin;
    out text;
    weft_trace_writer *writer;
    int file, error; /* errno of the first failed write */
} cut;

static int take(void *context, int index, const char *value)
{
    cut *c = context;
    if (index == OUT) {
        c->out = value;
    } else if (index == -1) {
        c->path = value;
    } else {
        return selection_take(&c->selection, index, value);
    }
    return 0;
}

/* First reading: whether the stretch has no holes from the run's first event on, and its digests. */
static int survey(cut *c)
{
    reading r;
    const weft_event *event;
    const span *s = &c->selection.sequence;
    reading_open(&r, c->path);
    const weft_trace_info *info = weft_trace_info_of(r.trace);
    uint64_t next = info->first;
    int holes = 0, reached = !s->given || s->from <= info->first;
    weft_trace_digest *digest = weft_trace_digest_new();
    if (!digest) {
        abort();
    }
    c->first = reached ? info->first : s->from;
    snprintf(c->before, sizeof c->before, "%s", info->before);
    while ((event = reading_next(&r)) != NULL && !(s->given && event->sequence > s->to)) {
        if (info->first > 0 && next == info->first && event->sequence == 0 &&
            event->kind == WEFT_EVENT_DEFINE) {
            continue; /* a definition repeated after an exchange of tracers */
        }
        if (!reached && event->sequence >= s->from) {
            weft_trace_digest_now(digest, c->before);
            reached = 1;
        }
        holes |= event->sequence != next;
        next = event->sequence + 1;
        weft_trace_digest_add(digest, event);
    }
    int to_the_end = event == NULL && info->complete;
    c->last = next - 1;
    weft_trace_digest_end(digest, c->digest);
    c->exact = !info->foreign && !info->partial && !holes && reached;
    if (info->first > 0) { /* the digest of what is not in the file can be kept, not gone on with */
        c->exact = c->exact && c->first == info->first && to_the_end;
        snprintf(c->digest, sizeof c->digest, "%s", info->digest);
    } else if (to_the_end && strcmp(c->digest, info->digest) != 0) {
        c->exact = 0; /* edited: the digests are true of nothing */
    }
    if (event) { /* the rest of the file is nobody's loss */
        weft_trace_close(r.trace);
        return EXIT_ENDED;
    }
    return reading_close(&r);
}

static void flush(cut *c)
{
    for (size_t at = 0; at < c->text.used && !c->error;) {
        ssize_t done = write(c->file, c->text.bytes + at, c->text.used - at);
        c->error = done > 0 || (done < 0 && errno == EINTR) ? 0 : errno ? errno : EIO;
        at += done > 0 ? (size_t)done : 0;
    }
    c->text.used = 0;
}

static void put(cut *c, const weft_trace *trace, const weft_event *event, int copied)
{
    size_t length;
    const char *line = copied ? NULL : weft_trace_line(trace, &length);
    if (c->writer) {
        weft_trace_writer_add(c->writer, event);
    } else if (line) {
        out_raw(&c->text, line, length);
        out_str(&c->text, "\n");
    } else {
        line_event(&c->text, &c->context, event);
    }
    if (c->text.used >= OUT_BYTES) {
        flush(c);
    }
}

/* A definition from before the stretch, at its beginning. */
static void put_definition(cut *c, const weft_trace *trace, const weft_event *event)
{
    weft_event *copy = text_need(event->size);
    memcpy(copy, event, event->size);
    copy->sequence = 0;
    put(c, trace, copy, 1);
    free(copy);
}

static void put_events(cut *c, reading *r)
{
    const weft_event *event;
    int wanted;
    while (!c->error && (event = reading_next(r)) != NULL &&
           (wanted = selection_wants(&c->selection, r->trace, event)) >= 0) {
        if (!wanted) {
            continue;
        }
        if (c->exact && event->sequence < c->first) {
            put_definition(c, r->trace, event); /* nothing else is wanted from there */
            continue;
        }
        put(c, r->trace, event, 0);
        c->events += event->kind != WEFT_EVENT_DEFINE || c->exact;
    }
}

static int begin(cut *c, const weft_trace *trace)
{
    const weft_trace_info *info = weft_trace_info_of(trace);
    c->begin = (weft_trace_begin){.size = sizeof c->begin,
                                  .partial = (uint32_t)!c->exact,
                                  .first = c->exact ? c->first : info->first,
                                  .engine = info->engine,
                                  .build = info->build,
                                  .title = info->title,
                                  .profile_digest = info->profile_digest,
                                  .digest = c->exact ? c->before : info->before,
                                  .name = weft_trace_name_of,
                                  .names = (void *)(uintptr_t)trace};
    line_table_init(&c->table);
    c->context = (line_context){.table = &c->table, .begin = &c->begin, .parallel = info->parallel};
    if (c->binary) {
        c->writer = weft_trace_writer_new(c->file, &c->begin, info->parallel, GROUP_EVENTS);
        return c->writer != NULL;
    }
    line_begin(&c->text, &c->context);
    return 1;
}

static void end(cut *c, const weft_trace_info *info)
{
    uint64_t written, last = c->exact ? c->last : info->last;
    const char *digest = c->exact ? c->digest : info->digest;
    c->ended = c->exact || (info->complete && !info->foreign);
    if (c->writer) {
        if (c->ended) {
            weft_trace_writer_end(c->writer, last, digest);
        }
        int error = weft_trace_writer_error(c->writer, &written);
        weft_trace_writer_free(c->writer);
        c->error = c->error ? c->error : error;
        return;
    }
    if (c->ended) {
        line_end(&c->text, &c->context, last, digest);
    }
    c->error = c->text.no_memory ? ENOMEM : c->error;
    flush(c);
}

/* Second reading: writes the part, and gives it its name once it is whole. */
static int write_part(cut *c)
{
    reading r;
    c->part = text_format("%s.part", c->out);
    c->file = open(c->part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (c->file < 0) {
        error_print(c->part, "cannot create (found %s, expected a path with room)",
                    strerror(errno));
        return EXIT_INPUT;
    }
    reading_open(&r, c->path);
    int begun = begin(c, r.trace);
    if (begun) {
        put_events(c, &r);
    }
    /* What the end of the whole file says is not known before it is reached. */
    while (!c->exact && begun && !c->error && reading_next(&r)) {
    }
    const weft_trace_info info = *weft_trace_info_of(r.trace);
    int failed = weft_trace_failed(r.trace, NULL) != NULL;
    if (begun) {
        end(c, &info);
    }
    r.terminal = 0;
    int code = EXIT_ENDED;
    if (failed) {
        code = reading_close(&r);
    } else {
        weft_trace_close(r.trace); /* what is missing was told at the first reading */
    }
    if (close(c->file) != 0 && !c->error) {
        c->error = errno;
    }
    if (!code && (!begun || c->error || rename(c->part, c->out) != 0)) {
        error_print(c->out, "cannot write (found %s, expected a path with room)",
                    strerror(c->error ? c->error
                             : begun  ? errno
                                      : ENOMEM));
        code = EXIT_INPUT;
    }
    if (code) {
        unlink(c->part);
    } else if (c->exact) {
        printf("%s: %" PRIu64 " events, %" PRIu64 " to %" PRIu64 ", digest %s\n", c->out, c->events,
               c->first, c->last, c->digest);
    } else {
        printf("%s: %" PRIu64 " events, partial\n", c->out, c->events);
    }
    out_free(&c->text);
    return code;
}

/* Whether the command can be done at all: 0, or the exit code after a message. */
static int check(cut *c)
{
    struct stat from, to;
    const char *suffix = c->out ? strrchr(c->out, '.') : NULL;
    c->binary = suffix && strcmp(suffix, ".wtr") == 0;
    if (!c->binary && !(suffix && strcmp(suffix, ".jsonl") == 0)) {
        error_print("weft trace cut",
                    "format is not known (found %s, expected --out PATH with .wtr "
                    "or .jsonl)",
                    c->out ? c->out : "no --out");
        return EXIT_USAGE;
    }
    if (stat(c->path, &from) == 0 && stat(c->out, &to) == 0 && from.st_dev == to.st_dev &&
        from.st_ino == to.st_ino) {
        error_print(c->out, "cannot write into the file that is read (expected another path)");
        return EXIT_USAGE;
    }
    if (strcmp(c->path, "-") == 0) {
        error_print("weft trace cut", "file is read twice (found stdin, expected a file)");
        return EXIT_USAGE;
    }
    return EXIT_ENDED;
}

/* Another engine's events have their names in their lines alone. */
static int check_engine(const cut *c)
{
    weft_trace *t = weft_trace_open(c->path);
    int foreign = t && !weft_trace_failed(t, NULL) && weft_trace_info_of(t)->foreign;
    if (foreign && c->binary) {
        error_print(c->path,
                    "log cannot become a binary trace (found engine %s, expected weft, or "
                    "--out PATH.jsonl)",
                    weft_trace_info_of(t)->engine);
    }
    weft_trace_close(t);
    return foreign && c->binary ? EXIT_USAGE : EXIT_ENDED;
}

int trace_cut(int argc, char **argv)
{
    cut *c = text_need(sizeof *c);
    *c = (cut){0};
    int parsed = args_parse(&command, argc, argv, take, c);
    int code = parsed < 0 ? EXIT_USAGE : EXIT_ENDED;
    if (parsed == 0) {
        code = check(c);
        code = code ? code : selection_open(&c->selection);
        code = code ? code : check_engine(c);
        if (!code && !selection_has_lists(&c->selection) && !c->selection.ticks.given) {
            code = survey(c);
        }
        code = code ? code : write_part(c);
        selection_end(&c->selection);
    }
    free(c->part);
    free(c);
    return code;
}
