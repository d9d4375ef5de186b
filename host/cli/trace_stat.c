/* trace_stat.c: `weft trace stat`: how much of what a trace holds, and whether it is whole. A whole
 * binary trace answers from its index (sdk/trace/source.h); any other file is read. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../run.h"
#include "../text.h"
#include "args.h"
#include "survey.h"
#include "trace_command.h"

#define SHOWN_EXPORTS 20 /* for people; JSON has all */

enum { JSON };

static const args_flag flags[] = {
    [JSON] = {"--json", NULL, "one JSON object"},
    {0},
};

static const args_command command = {
    .name = "trace stat",
    .positional = "FILE",
    .summary = "Counts the events of a trace by kind, thread and export, with rates and sizes, and "
               "says whether\nit is whole.",
    .flags = flags,
    .least = 1,
    .most = 1,
};

typedef struct stats {
    const char *path;
    int json;
    const weft_trace_summary *summary;
    weft_trace_summary read; /* where the file was read */
    weft_trace_source *source;
    const char *why;                          /* malformed: the reason, else NULL */
    uint64_t bytes;                           /* of the file, as far as it was read */
    uint64_t gaps, next;                      /* sequence numbers that no event has; the next one */
    uint64_t repeated;                        /* events behind one with the same number or more */
    uint64_t kind_bytes[WEFT_EVENT_KIND_END]; /* of lines of JSONL, newlines included */
    int has_kind_bytes;
    char digest[40];
    const weft_trace_tally **exports; /* most calls first */
    size_t export_count;
    double seconds; /* of guest time; 0: not known */
} stats;

static int take(void *context, int index, const char *value)
{
    stats *s = context;
    if (index == JSON) {
        s->json = 1;
    } else {
        s->path = value;
    }
    return 0;
}

static void count(stats *s, survey *v, const weft_trace *t, const weft_event *event)
{
    size_t length;
    if (survey_add(v, event, 0, 0) == SIZE_MAX) {
        abort(); /* as text_need does */
    }
    if (weft_trace_line(t, &length) && event->kind < WEFT_EVENT_KIND_END) {
        s->kind_bytes[event->kind] += length + 1;
        s->has_kind_bytes = 1;
    }
    if (event->sequence > s->next) {
        s->gaps += event->sequence - s->next;
    }
    if (event->sequence >= s->next) {
        s->next = event->sequence + 1;
    } else if (event->kind != WEFT_EVENT_DEFINE) { /* which is repeated after a swap of tracers */
        s->repeated++;
    }
}

/* Reads the file from front to back. Returns the exit code. */
static int read_events(stats *s)
{
    reading r;
    survey v = {0};
    const weft_event *event;
    uint64_t size;
    reading_open(&r, s->path);
    weft_trace_digest *digest = weft_trace_digest_new();
    s->next = weft_trace_info_of(r.trace)->first;
    while ((event = reading_next(&r)) != NULL) {
        count(s, &v, r.trace, event);
        weft_trace_digest_add(digest, event);
    }
    weft_trace_digest_end(digest, s->digest);
    if (!survey_finish(&v, r.trace, &s->read)) {
        abort();
    }
    survey_free(&v);
    s->read.info = *weft_trace_info_of(r.trace);
    s->read.canon_digest[0] = 0; /* nothing was put into canonical form */
    s->summary = &s->read;
    s->bytes = weft_trace_progress(r.trace, &size);
    const char *why = weft_trace_failed(r.trace, NULL);
    s->why = why ? text_copy(why) : NULL;
    return reading_close(&r);
}

/* Answers from the index; 0 where it cannot be used, and reading will say why. */
static int ask_index(stats *s)
{
    s->source = trace_is_indexed(s->path, &s->bytes)
                    ? weft_trace_source_open(s->path, WEFT_CANON_OWN, NULL)
                    : NULL;
    if (!s->source || weft_trace_source_failed(s->source, NULL)) {
        return 0;
    }
    s->summary = weft_trace_source_summary(s->source);
    const weft_trace_info *info = &s->summary->info;
    uint64_t expected = info->last + 1 - info->first;
    s->gaps = expected > s->summary->events ? expected - s->summary->events : 0;
    snprintf(s->digest, sizeof s->digest, "%s", info->digest);
    return 1;
}

/* The digest that the end of the file says, where it is of the events counted and another one. */
static const char *other_digest(const stats *s)
{
    const weft_trace_info *info = &s->summary->info;
    int of_all = !info->partial && info->first == 0 && info->complete && !s->why;
    return of_all && info->digest[0] && strcmp(info->digest, s->digest) != 0 ? info->digest : NULL;
}

static int by_calls(const void *a, const void *b)
{
    const weft_trace_tally *x = *(const weft_trace_tally *const *)a;
    const weft_trace_tally *y = *(const weft_trace_tally *const *)b;
    return x->times != y->times ? (x->times < y->times ? 1 : -1)
           : x->id < y->id      ? -1
                                : x->id > y->id;
}

static void sort_exports(stats *s)
{
    const weft_trace_summary *m = s->summary;
    s->exports = text_need((m->tally_count + 1) * sizeof *s->exports);
    for (size_t i = 0; i < m->tally_count; i++) {
        if (m->tallies[i].kind == WEFT_EVENT_IMPORT_CALL) {
            s->exports[s->export_count++] = &m->tallies[i];
        }
    }
    if (s->export_count > 0) {
        qsort(s->exports, s->export_count, sizeof *s->exports, by_calls);
    }
    s->seconds = m->last_tick > m->first_tick ? (double)(m->last_tick - m->first_tick) / 1e9 : 0;
}

/* "module!name(argument,...)#ordinal" without its arguments; a copy. */
static char *export_name(const weft_trace_tally *tally)
{
    const char *text = tally->name ? tally->name : "";
    const char *open = strchr(text, '!') ? strchr(text, '(') : NULL;
    const char *close = open ? strrchr(open, ')') : NULL;
    return tally->name ? text_format("%.*s%s", (int)(close ? open - text : (long)strlen(text)),
                                     text, close ? close + 1 : "")
                       : text_format("%016" PRIx64, tally->id);
}

/* Events a second of guest time, as text: empty where that is not known. */
static const char *rate(const stats *s, uint64_t n, char room[32])
{
    if (s->seconds <= 0) {
        snprintf(room, 32, "-");
    } else {
        snprintf(room, 32, "%.0f/s", (double)n / s->seconds);
    }
    return room;
}

static void print_kind(const stats *s, const char *name, uint64_t n, uint64_t bytes)
{
    char room[32];
    printf("%12" PRIu64 " %12s", n, rate(s, n, room));
    if (s->has_kind_bytes) {
        printf(" %9.1f B", n ? (double)bytes / (double)n : 0);
    }
    printf("  %s\n", name);
}

static void print_kinds(const stats *s)
{
    const weft_trace_summary *m = s->summary;
    printf("\n      events         rate%s  kind\n", s->has_kind_bytes ? "     a line" : "");
    uint64_t others = m->events;
    for (uint16_t kind = 1; kind < WEFT_EVENT_KIND_END; kind++) {
        others -= m->kinds[kind];
        if (m->kinds[kind]) {
            print_kind(s, weft_event_kind_of(kind)->name, m->kinds[kind], s->kind_bytes[kind]);
        }
    }
    for (size_t i = 0; i < m->tally_count; i++) {
        const weft_trace_tally *tally = &m->tallies[i];
        if (tally->kind == 0) {
            print_kind(s, tally->name ? tally->name : "?", tally->times,
                       m->kinds[0] ? s->kind_bytes[0] / m->kinds[0] * tally->times : 0);
            others -= tally->times < others ? tally->times : others;
        }
    }
    if (others) {
        print_kind(s, "kinds without a row", others, 0);
    }
}

static void print_threads(const stats *s)
{
    const weft_trace_summary *m = s->summary;
    char room[32];
    printf("\n      events         rate  thread            tid\n");
    for (size_t i = 0; i < m->thread_count; i++) {
        const weft_trace_thread *t = &m->threads[i];
        printf("%12" PRIu64 " %12s  %016" PRIx64 "  %-4" PRIu32 " %s\n", t->events,
               rate(s, t->events, room), t->id, t->tid,
               t->name      ? t->name
               : t->id == 0 ? "machine"
                            : "");
    }
}

static void print_exports(const stats *s)
{
    char room[32];
    if (s->export_count > 0) {
        printf("\n       calls         rate  export\n");
    }
    for (size_t i = 0; i < s->export_count && i < SHOWN_EXPORTS; i++) {
        char *name = export_name(s->exports[i]);
        printf("%12" PRIu64 " %12s  %s\n", s->exports[i]->times,
               rate(s, s->exports[i]->times, room), name);
        free(name);
    }
    if (s->export_count > SHOWN_EXPORTS) {
        printf("%39s%zu more\n", "", s->export_count - SHOWN_EXPORTS);
    }
}

static void print(const stats *s)
{
    const weft_trace_summary *m = s->summary;
    const weft_trace_info *info = &m->info;
    char room[32];
    printf("%s: %s, engine %s %s, title %s, profile %s\n", s->path,
           info->binary ? "binary trace" : "JSONL trace", info->engine, info->build,
           info->title[0] ? info->title : "unknown",
           info->profile_digest[0] ? info->profile_digest : "unknown");
    printf("%" PRIu64 " events, %" PRIu64 " of class guest, %" PRIu64 " bytes, %.1f an event\n",
           m->events, m->guest, s->bytes, m->events ? (double)s->bytes / (double)m->events : 0.0);
    printf("ticks %" PRIu64 " to %" PRIu64 ": %.6f s of guest time, %s\n", m->first_tick,
           m->last_tick, s->seconds, rate(s, m->events, room));
    printf("digest %s%s\n", s->digest[0] ? s->digest : "not known",
           s->source ? info->partial ? ", as the end says of the whole run" : ", as the end says"
           : info->partial ? ", of what the filters left"
           : info->first   ? ", of the events in this file alone"
                           : "");
    if (other_digest(s)) {
        printf("the end says digest %s: the events are not those of the run\n", other_digest(s));
    }
    if (m->canon_digest[0]) {
        printf("canon_digest %s\n", m->canon_digest);
    }
    if (info->first) {
        printf("begins at event %" PRIu64 ", after digest %s\n", info->first, info->before);
    }
    if (info->partial) {
        printf("partial: events were left out by filters\n");
    }
    if (s->gaps) {
        printf("%" PRIu64 " sequence numbers are missing between the events\n", s->gaps);
    }
    if (s->repeated) {
        printf("%" PRIu64 " events stand behind one with their sequence number or a later one\n",
               s->repeated);
    }
    printf("%s\n", s->why             ? "malformed: counted up to the fault"
                   : info->missing[0] ? info->missing
                                      : "whole: the end is there");
    print_kinds(s);
    print_threads(s);
    print_exports(s);
}

static void json_rate(const stats *s, buffer *b, uint64_t n)
{
    if (s->seconds > 0) {
        buffer_format(b, "%.3f", (double)n / s->seconds);
    } else {
        buffer_text(b, "null");
    }
}

/* One of the objects with a member for each kind: counts, rates or bytes. */
static void json_kinds(const stats *s, buffer *b, int what)
{
    const weft_trace_summary *m = s->summary;
    const char *comma = "";
    for (uint16_t kind = 1; kind < WEFT_EVENT_KIND_END; kind++) {
        if (m->kinds[kind]) {
            buffer_format(b, "%s\"%s\": ", comma, weft_event_kind_of(kind)->name);
            if (what == 1) {
                json_rate(s, b, m->kinds[kind]);
            } else {
                buffer_format(b, "%" PRIu64, what ? s->kind_bytes[kind] : m->kinds[kind]);
            }
            comma = ", ";
        }
    }
    for (size_t i = 0; i < m->tally_count && what < 2; i++) {
        if (m->tallies[i].kind == 0) {
            buffer_text(b, comma);
            buffer_json(b, m->tallies[i].name ? m->tallies[i].name : "?");
            buffer_text(b, ": ");
            if (what == 1) {
                json_rate(s, b, m->tallies[i].times);
            } else {
                buffer_format(b, "%" PRIu64, m->tallies[i].times);
            }
            comma = ", ";
        }
    }
}

static void json_head(const stats *s, buffer *b)
{
    const weft_trace_summary *m = s->summary;
    const weft_trace_info *info = &m->info;
    const struct {
        const char *name, *value;
    } texts[] = {
        {"file", s->path},
        {"format", info->binary ? "wtr" : "jsonl"},
        {"engine", info->engine},
        {"build", info->build},
        {"title", info->title},
        {"profile_digest", info->profile_digest},
        {"before", info->before},
        {"digest", s->digest},
        {"end_digest", info->digest},
        {"canon_digest", m->canon_digest},
        {"missing", s->why ? s->why : info->missing},
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        buffer_format(b, "%s\"%s\": ", i ? ", " : "{", texts[i].name);
        buffer_json(b, texts[i].value);
    }
    buffer_format(b,
                  ", \"first\": %" PRIu64 ", \"partial\": %s, \"complete\": %s, \"indexed\": %s"
                  ", \"events\": %" PRIu64 ", \"guest_events\": %" PRIu64
                  ", \"missing_between\": %" PRIu64 ", \"repeated\": %" PRIu64
                  ", \"bytes\": %" PRIu64 ", \"bytes_per_event\": %.3f, \"first_tick\": %" PRIu64
                  ", \"last_tick\": %" PRIu64 ", \"ticks\": %" PRIu64 ", \"events_per_second\": ",
                  info->first, info->partial ? "true" : "false",
                  info->complete && !s->why ? "true" : "false", s->source ? "true" : "false",
                  m->events, m->guest, s->gaps, s->repeated, s->bytes,
                  m->events ? (double)s->bytes / (double)m->events : 0.0, m->first_tick,
                  m->last_tick, m->last_tick - m->first_tick);
    json_rate(s, b, m->events);
}

static void print_json(const stats *s)
{
    const weft_trace_summary *m = s->summary;
    buffer b = {0};
    json_head(s, &b);
    buffer_text(&b, ",\n\"kinds\": {");
    json_kinds(s, &b, 0);
    buffer_text(&b, "},\n\"kind_rates\": {");
    json_kinds(s, &b, 1);
    if (s->has_kind_bytes) {
        buffer_text(&b, "},\n\"kind_bytes\": {");
        json_kinds(s, &b, 2);
    }
    buffer_text(&b, "},\n\"threads\": [");
    for (size_t i = 0; i < m->thread_count; i++) {
        const weft_trace_thread *t = &m->threads[i];
        buffer_format(&b, "%s\n{\"thread\": \"%016" PRIx64 "\", \"tid\": %" PRIu32 ", \"name\": ",
                      i ? "," : "", t->id, t->tid);
        buffer_json(&b, t->name ? t->name : "");
        buffer_format(&b, ", \"events\": %" PRIu64 ", \"guest_events\": %" PRIu64 ", \"rate\": ",
                      t->events, t->guest);
        json_rate(s, &b, t->events);
        buffer_text(&b, "}");
    }
    buffer_text(&b, "],\n\"exports\": [");
    for (size_t i = 0; i < s->export_count; i++) {
        char *name = export_name(s->exports[i]);
        buffer_text(&b, i ? ",\n{\"export\": " : "\n{\"export\": ");
        buffer_json(&b, name);
        buffer_format(&b, ", \"calls\": %" PRIu64 ", \"rate\": ", s->exports[i]->times);
        json_rate(s, &b, s->exports[i]->times);
        buffer_text(&b, "}");
        free(name);
    }
    buffer_text(&b, "]}\n");
    fwrite(b.bytes, 1, b.length, stdout);
    buffer_free(&b);
}

int trace_stat(int argc, char **argv)
{
    stats *s = text_need(sizeof *s);
    *s = (stats){0};
    int parsed = args_parse(&command, argc, argv, take, s);
    int code = parsed < 0 ? EXIT_USAGE : EXIT_ENDED;
    if (parsed == 0) {
        code = ask_index(s) ? EXIT_ENDED : read_events(s);
        sort_exports(s);
        if (s->summary->events || code == EXIT_ENDED) {
            (s->json ? print_json : print)(s);
        }
        if (fflush(stdout) != 0 && code == EXIT_ENDED) {
            error_print("stdout", "cannot write (expected room for the counts)");
            code = EXIT_INPUT;
        }
        weft_trace_source_close(s->source);
        survey_free_summary(&s->read);
    }
    free((void *)(uintptr_t)s->why);
    free(s->exports);
    free(s);
    return code;
}
