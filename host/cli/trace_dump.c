/* trace_dump.c: `weft trace dump`: the events of a trace, for people or as JSONL. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../run.h"
#include "../text.h"
#include "line.h"
#include "pretty.h"
#include "trace_command.h"
#include "trace_select.h"

#define OUT_BYTES   65536
#define NEAR_EVENTS 10
#define MOST_NEAR   100000

enum { JSON = SELECT_FLAGS, AROUND, FOLLOW };

static const args_flag flags[] = {
    SELECT_ROWS,
    [JSON] = {"--json", NULL, "a trace in JSONL, whatever FILE is"},
    [AROUND] = {"--around", "SEQ[,N]", "event SEQ and N (10) wanted ones before and behind it"},
    [FOLLOW] = {"--follow", NULL, "wait for more until the trace ends or nobody writes it"},
    {0},
};

static const args_command command = {
    .name = "trace dump",
    .positional = "FILE",
    .summary = "Prints the events of a trace: sequence, guest ns, thread, index, kind, payload.",
    .flags = flags,
    .least = 1,
    .most = 1,
};

/* The texts of the latest wanted events before the one that --around names. */
typedef struct near_events {
    out *texts;
    uint64_t sequence, count, next, behind;
    int given, met;
} near_events;

typedef struct dump {
    selection selection;
    const char *path;
    int json, follow, told;
    near_events near;
    reading reading;
    pretty pretty;
    weft_trace_begin begin;
    line_context context;
    out out;
} dump;

static int read_around(near_events *n, const char *value)
{
    char text[64];
    span s;
    const char *comma = strchr(value, ',');
    size_t length = comma ? (size_t)(comma - value) : strlen(value);
    n->given = 1;
    n->count = NEAR_EVENTS;
    if (length == 0 || length > 20 || (comma && (comma[1] == 0 || strlen(comma) > 20))) {
        return 0;
    }
    snprintf(text, sizeof text, "..%.*s", (int)length, value);
    if (!span_read(&s, text)) {
        return 0;
    }
    n->sequence = s.to;
    if (comma) {
        snprintf(text, sizeof text, "..%s", comma + 1);
        if (!span_read(&s, text) || s.to > MOST_NEAR) {
            return 0;
        }
        n->count = s.to;
    }
    return 1;
}

static int take(void *context, int index, const char *value)
{
    dump *d = context;
    switch (index) {
    case JSON:
        d->json = 1;
        break;
    case FOLLOW:
        d->follow = 1;
        break;
    case AROUND:
        if (!read_around(&d->near, value)) {
            error_print("--around",
                        "event cannot be read (found %s, expected SEQ or SEQ,N with N up to %d)",
                        value, MOST_NEAR);
            return -1;
        }
        break;
    case -1:
        d->path = value;
        break;
    default:
        return selection_take(&d->selection, index, value);
    }
    return 0;
}

static void flush(dump *d)
{
    if (d->out.used) { /* before the first event there are no bytes at all */
        fwrite(d->out.bytes, 1, d->out.used, stdout);
        d->out.used = 0;
    }
    fflush(stdout);
}

/* What is there is shown before more is waited for; a reader that went away ends the wait. */
static int wait_for_more(void *context, int there)
{
    dump *d = context;
    flush(d);
    if (!there && !d->told) {
        fprintf(stderr, "weft: %s is not there yet: waiting for it\n", d->path);
        d->told = 1;
    }
    return !ferror(stdout);
}

static void put_event(dump *d, out *o, const weft_event *event)
{
    size_t length;
    const weft_trace *t = d->reading.trace;
    const char *line = weft_trace_line(t, &length);
    if (!d->json) {
        if (d->near.given) {
            out_str(o, event->sequence == d->near.sequence ? ">" : " ");
        }
        pretty_event(o, &d->pretty, t, event);
        out_str(o, "\n");
    } else if (line) {
        out_raw(o, line, length);
        out_str(o, "\n");
    } else {
        line_event(o, &d->context, event);
    }
}

/* Keeps the events before the named one, prints them with it and those behind. 0: all are. */
static int put_near(dump *d, const weft_event *event, int wanted)
{
    near_events *n = &d->near;
    if (d->json && event->kind == WEFT_EVENT_DEFINE) {
        put_event(d, &d->out, event); /* what is kept needs its names */
        return 1;
    }
    if (event->sequence < n->sequence) {
        if (wanted && n->count > 0) {
            out *text = &n->texts[n->next++ % n->count];
            text->used = 0;
            put_event(d, text, event);
        }
        return 1;
    }
    if (!n->met) {
        n->met = event->sequence == n->sequence ? 1 : 2;
        uint64_t kept = n->next < n->count ? n->next : n->count;
        for (uint64_t i = n->next - kept; i < n->next; i++) {
            out_raw(&d->out, n->texts[i % n->count].bytes, n->texts[i % n->count].used);
        }
        if (n->met == 1) {
            put_event(d, &d->out, event);
            return n->count > 0;
        }
    }
    if (wanted) {
        put_event(d, &d->out, event);
        n->behind++;
    }
    return n->behind < n->count;
}

static void put_events(dump *d)
{
    const weft_event *event;
    while ((event = reading_next(&d->reading)) != NULL && !ferror(stdout)) {
        int wanted = selection_wants(&d->selection, d->reading.trace, event);
        if (wanted < 0 && (!d->near.given || d->near.met)) {
            break;
        }
        int named = d->near.given && event->sequence == d->near.sequence;
        if (event->kind == WEFT_EVENT_DEFINE && !d->json && !named &&
            !(d->selection.definitions && selection_reaches(&d->selection, event))) {
            continue; /* people see the texts where they are used */
        }
        if (d->near.given) {
            if (!put_near(d, event, wanted > 0)) {
                break;
            }
        } else if (wanted > 0) {
            put_event(d, &d->out, event);
        }
        if (d->out.used >= OUT_BYTES) {
            flush(d);
        }
    }
}

static void open_reading(dump *d)
{
    if (d->follow) {
        reading_follow(&d->reading, d->path, wait_for_more, d);
    } else {
        reading_open(&d->reading, d->path);
    }
    const weft_trace_info *info = weft_trace_info_of(d->reading.trace);
    const char *term = getenv("TERM");
    int plain = getenv("NO_COLOR") || !term || strcmp(term, "dumb") == 0;
    pretty_init(&d->pretty, isatty(1) && !plain);
    d->begin = (weft_trace_begin){
        .size = sizeof d->begin,
        .partial = (uint32_t)(info->partial || d->near.given || !selection_is_all(&d->selection)),
        .first = info->first,
        .engine = info->engine,
        .build = info->build,
        .title = info->title,
        .profile_digest = info->profile_digest,
        .digest = info->before,
        .name = weft_trace_name_of,
        .names = d->reading.trace};
    d->context =
        (line_context){.table = &d->pretty.table, .begin = &d->begin, .parallel = info->parallel};
}

static int dump_file(dump *d)
{
    near_events *n = &d->near;
    open_reading(d);
    const weft_trace_info *info = weft_trace_info_of(d->reading.trace);
    n->texts = text_need((n->count + 1) * sizeof *n->texts);
    memset(n->texts, 0, (n->count + 1) * sizeof *n->texts);
    if (d->json && !weft_trace_failed(d->reading.trace, NULL)) {
        line_begin(&d->out, &d->context);
    }
    put_events(d);
    if (d->json && info->complete && !info->foreign) {
        line_end(&d->out, &d->context, info->last, info->digest);
    }
    flush(d);
    int failed = ferror(stdout) || d->out.no_memory;
    if (n->given && n->met != 1 && !weft_trace_failed(d->reading.trace, NULL)) {
        fprintf(stderr, "weft: warning: %s: no event has sequence %" PRIu64 "\n", d->path,
                n->sequence);
    }
    for (uint64_t i = 0; i < n->count; i++) {
        out_free(&n->texts[i]);
    }
    free(n->texts);
    out_free(&d->out);
    pretty_end(&d->pretty);
    int code = reading_close(&d->reading);
    if (failed) {
        error_print("stdout", "cannot write (expected room for the dump)");
        return code ? code : EXIT_INPUT;
    }
    return code;
}

int trace_dump(int argc, char **argv)
{
    dump *d = text_need(sizeof *d);
    *d = (dump){0};
    int parsed = args_parse(&command, argc, argv, take, d);
    int code = parsed < 0 ? EXIT_USAGE : EXIT_ENDED;
    if (parsed == 0) {
        code = selection_open(&d->selection);
        code = code ? code : dump_file(d);
        selection_end(&d->selection);
    }
    free(d);
    return code;
}
