/* trace_dump.c: `weft trace dump`: the events of a trace, for people or as JSONL. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../run.h"
#include "../text.h"
#include "line.h"
#include "pretty.h"
#include "source.h"
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

static void put_event(dump *d, out *o, const weft_trace *t, const weft_event *event)
{
    size_t length;
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
    const weft_trace *t = d->reading.trace;
    if (d->json && event->kind == WEFT_EVENT_DEFINE) {
        put_event(d, &d->out, t, event); /* what is kept needs its names */
        return 1;
    }
    if (event->sequence < n->sequence) {
        if (wanted && n->count > 0) {
            out *text = &n->texts[n->next++ % n->count];
            text->used = 0;
            put_event(d, text, t, event);
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
            put_event(d, &d->out, t, event);
            return n->count > 0;
        }
    }
    if (wanted) {
        put_event(d, &d->out, t, event);
        n->behind++;
    }
    return n->behind < n->count;
}

/* People see the texts of definitions where they are used. */
static int is_hidden(const dump *d, const weft_event *event)
{
    int named = d->near.given && event->sequence == d->near.sequence;
    return event->kind == WEFT_EVENT_DEFINE && !d->json && !named &&
           !(d->selection.definitions && selection_reaches(&d->selection, event));
}

static void put_events(dump *d)
{
    const weft_event *event;
    while ((event = reading_next(&d->reading)) != NULL && !ferror(stdout)) {
        int wanted = selection_wants(&d->selection, d->reading.trace, event);
        if (wanted < 0 && (!d->near.given || d->near.met)) {
            break;
        }
        if (is_hidden(d, event)) {
            continue;
        }
        if (d->near.given) {
            if (!put_near(d, event, wanted > 0)) {
                break;
            }
        } else if (wanted > 0) {
            put_event(d, &d->out, d->reading.trace, event);
        }
        if (d->out.used >= OUT_BYTES) {
            flush(d);
        }
    }
}

static void start_printing(dump *d)
{
    const char *term = getenv("TERM");
    int plain = getenv("NO_COLOR") || !term || strcmp(term, "dumb") == 0;
    pretty_init(&d->pretty, isatty(1) && !plain);
}

/* What both ways end with: EXIT_ENDED, or EXIT_INPUT where stdout took no more. */
static int finish(dump *d, int failed)
{
    const near_events *n = &d->near;
    int lost = ferror(stdout) || d->out.no_memory;
    if (n->given && n->met != 1 && !failed) {
        fprintf(stderr, "weft: warning: %s: no event has sequence %" PRIu64 "\n", d->path,
                n->sequence);
    }
    out_free(&d->out);
    pretty_end(&d->pretty);
    if (lost) {
        error_print("stdout", "cannot write (expected room for the dump)");
    }
    return lost ? EXIT_INPUT : EXIT_ENDED;
}

static void open_reading(dump *d)
{
    if (d->follow) {
        reading_follow(&d->reading, d->path, wait_for_more, d);
    } else {
        reading_open(&d->reading, d->path);
    }
    const weft_trace_info *info = weft_trace_info_of(d->reading.trace);
    start_printing(d);
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
    int lost = finish(d, weft_trace_failed(d->reading.trace, NULL) != NULL);
    for (uint64_t i = 0; i < n->count; i++) {
        out_free(&n->texts[i]);
    }
    free(n->texts);
    int code = reading_close(&d->reading);
    return code ? code : lost;
}

static int put_found(void *context, size_t window, const weft_trace *trace, const weft_event *event,
                     uint64_t canonical, uint64_t hash)
{
    dump *d = context;
    if (selection_wants(&d->selection, trace, event) > 0 && !is_hidden(d, event)) {
        put_event(d, &d->out, trace, event);
    }
    d->near.met |= event->sequence == d->near.sequence;
    if (d->out.used >= OUT_BYTES) {
        flush(d);
    }
    return !ferror(stdout);
}

/* The stretch of sequence numbers that holds all that is asked for; 0 where it is not known
 * beforehand, or events before it matter. */
static int stretch(const dump *d, span *s)
{
    const near_events *n = &d->near;
    *s = d->selection.sequence;
    if (d->json || d->follow || d->selection.texts.exports) {
        return 0;
    }
    if (n->given && selection_is_all(&d->selection)) {
        s->from = n->sequence > n->count ? n->sequence - n->count : 0;
        s->to = n->sequence < UINT64_MAX - n->count ? n->sequence + n->count : UINT64_MAX;
        return 1;
    }
    return s->given && s->from > 0 && !n->given;
}

/* Asks a whole binary trace's index for a stretch in place of reading it from the front. Returns the
 * exit code, -1 where the index cannot answer. */
static int dump_stretch(dump *d)
{
    span s;
    uint64_t bytes;
    if (!stretch(d, &s) || !trace_is_indexed(d->path, &bytes)) {
        return -1;
    }
    weft_trace_source *source = weft_trace_source_open(d->path, WEFT_CANON_OWN, NULL);
    int failed = !source || weft_trace_source_failed(source, NULL);
    const weft_trace_info *info = failed ? NULL : &weft_trace_source_summary(source)->info;
    if (failed ||
        (d->near.given && info->partial)) { /* neighbours need not have the next numbers */
        weft_trace_source_close(source);
        return -1;
    }
    s.to = s.to < info->last ? s.to : info->last;
    start_printing(d);
    if (s.from <= s.to && info->last != UINT64_MAX) {
        weft_trace_window window = {WEFT_TRACE_ALL, s.from, s.to - s.from + 1};
        weft_trace_source_fetch(source, &window, 1, put_found, d);
    }
    flush(d);
    const char *where, *why = weft_trace_source_failed(source, &where);
    int code = finish(d, why != NULL);
    if (why) {
        error_print(where, "%s", why);
        code = EXIT_INPUT;
    }
    weft_trace_source_close(source);
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
        int found = code ? code : dump_stretch(d);
        code = found >= 0 ? found : dump_file(d);
        selection_end(&d->selection);
    }
    free(d);
    return code;
}
