/* trace_stat.c: `weft trace stat`: how much of what a trace holds, and whether it is whole. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../map.h"
#include "../run.h"
#include "../text.h"
#include "args.h"
#include "trace_command.h"

enum { STAT_JSON };

static const args_flag stat_flags[] = {
    [STAT_JSON] = {"--json", NULL, "one JSON object"},
    {0},
};

static const args_command stat_command = {
    .name = "trace stat",
    .positional = "FILE",
    .summary = "Counts the events of a trace by kind and thread, and says whether it is whole.",
    .flags = stat_flags,
    .least = 1,
    .most = 1,
};

typedef struct stat_thread {
    uint64_t id, events;
    uint32_t tid;
} stat_thread;

typedef struct stat_kind {
    char *name;
    uint64_t events;
} stat_kind;

typedef struct stats {
    const char *path;
    int json;
    map thread_places, kind_places;
    stat_thread *threads;
    stat_kind *kinds;
    size_t thread_count, kind_count;
    uint64_t events, guest, gaps, first_tick, last_tick, next;
    char digest[33];
} stats;

static int stat_take(void *context, int index, const char *value)
{
    stats *s = context;
    if (index == STAT_JSON) {
        s->json = 1;
    } else {
        s->path = value;
    }
    return 0;
}

/* The place of a key in a list that grows by doubling: 0.. */
static size_t stat_place(map *places, uint64_t key, void **list, size_t *count, size_t size)
{
    int fresh;
    uint64_t *place = map_at(places, key, &fresh);
    if (fresh) {
        if ((*count & (*count - 1)) == 0) { /* full: a power of two, or none */
            *list = text_grow(*list, (*count ? *count * 2 : 1) * size);
        }
        memset((char *)*list + *count * size, 0, size);
        *place = (*count)++;
    }
    return (size_t)*place;
}

static void stat_count(stats *s, const weft_trace *t, const weft_event *event)
{
    char room[16];
    void *list = s->threads;
    size_t at =
        stat_place(&s->thread_places, event->thread, &list, &s->thread_count, sizeof *s->threads);
    s->threads = list;
    s->threads[at].id = event->thread;
    s->threads[at].tid = event->tid;
    s->threads[at].events++;
    const char *name = weft_trace_kind(t, event, room);
    list = s->kinds;
    at = stat_place(&s->kind_places, weft_fnv1a(name, strlen(name)), &list, &s->kind_count,
                    sizeof *s->kinds);
    s->kinds = list;
    if (!s->kinds[at].name) {
        s->kinds[at].name = text_copy(name);
    }
    s->kinds[at].events++;
    if (event->sequence > s->next) {
        s->gaps += event->sequence - s->next;
    }
    if (event->sequence >= s->next) { /* else a define repeated after a swap of tracers */
        s->next = event->sequence + 1;
        s->first_tick = s->events ? s->first_tick : event->tick;
        s->last_tick = event->tick;
    }
    s->events++;
}

static void stat_print(const stats *s, const weft_trace *t)
{
    const weft_trace_info *info = weft_trace_info_of(t);
    uint64_t size, bytes = weft_trace_progress(t, &size);
    printf("%s: %s, engine %s %s, title %s, profile %s\n", s->path,
           info->binary ? "binary trace" : "JSONL trace", info->engine, info->build,
           info->title[0] ? info->title : "unknown",
           info->profile_digest[0] ? info->profile_digest : "unknown");
    printf("%" PRIu64 " events, %" PRIu64 " of class guest, %" PRIu64
           " bytes, %.1f an event, %" PRIu64 " ns of guest time\n",
           s->events, s->guest, bytes, s->events ? (double)bytes / (double)s->events : 0.0,
           s->last_tick - s->first_tick);
    printf("digest %s%s\n", s->digest, info->partial ? ", of what the filters left" : "");
    if (s->gaps) {
        printf("%" PRIu64 " sequence numbers are missing between the events\n", s->gaps);
    }
    printf("%s\n", weft_trace_failed(t, NULL) ? "malformed: counted up to the fault"
                   : info->missing[0]         ? info->missing
                                              : "whole: the end is there");
    for (size_t i = 0; i < s->kind_count; i++) {
        printf("%12" PRIu64 "  %s\n", s->kinds[i].events, s->kinds[i].name);
    }
    for (size_t i = 0; i < s->thread_count; i++) {
        const char *name = weft_trace_name(t, s->threads[i].id);
        printf("%12" PRIu64 "  thread %016" PRIx64 "  tid %" PRIu32 "  %s\n", s->threads[i].events,
               s->threads[i].id, s->threads[i].tid,
               name                    ? name
               : s->threads[i].id == 0 ? "the machine"
                                       : "");
    }
}

static void stat_print_json(const stats *s, const weft_trace *t)
{
    const weft_trace_info *info = weft_trace_info_of(t);
    uint64_t size;
    buffer b = {0};
    const char *why = weft_trace_failed(t, NULL);
    buffer_text(&b, "{\"file\": ");
    buffer_json(&b, s->path);
    buffer_format(&b, ", \"format\": \"%s\", \"engine\": ", info->binary ? "wtr" : "jsonl");
    buffer_json(&b, info->engine);
    buffer_text(&b, ", \"build\": ");
    buffer_json(&b, info->build);
    buffer_text(&b, ", \"title\": ");
    buffer_json(&b, info->title);
    buffer_text(&b, ", \"profile_digest\": ");
    buffer_json(&b, info->profile_digest);
    buffer_format(&b,
                  ", \"first\": %" PRIu64
                  ", \"partial\": %s, \"complete\": %s, \"events\": %" PRIu64
                  ", \"guest_events\": %" PRIu64 ", \"missing_between\": %" PRIu64
                  ", \"bytes\": %" PRIu64 ", \"ticks\": %" PRIu64 ", \"digest\": \"%s\"",
                  info->first, info->partial ? "true" : "false",
                  info->complete && !why ? "true" : "false", s->events, s->guest, s->gaps,
                  weft_trace_progress(t, &size), s->last_tick - s->first_tick, s->digest);
    buffer_text(&b, ", \"missing\": ");
    buffer_json(&b, why ? why : info->missing);
    buffer_text(&b, ", \"kinds\": {");
    for (size_t i = 0; i < s->kind_count; i++) {
        buffer_text(&b, i ? ", " : "");
        buffer_json(&b, s->kinds[i].name);
        buffer_format(&b, ": %" PRIu64, s->kinds[i].events);
    }
    buffer_text(&b, "}, \"threads\": [");
    for (size_t i = 0; i < s->thread_count; i++) {
        const char *name = weft_trace_name(t, s->threads[i].id);
        buffer_format(&b, "%s{\"thread\": \"%016" PRIx64 "\", \"tid\": %" PRIu32 ", \"name\": ",
                      i ? ", " : "", s->threads[i].id, s->threads[i].tid);
        buffer_json(&b, name ? name : "");
        buffer_format(&b, ", \"events\": %" PRIu64 "}", s->threads[i].events);
    }
    buffer_text(&b, "]}\n");
    fwrite(b.bytes, 1, b.length, stdout);
    buffer_free(&b);
}

int trace_stat(int argc, char **argv)
{
    stats s = {0};
    reading r;
    int parsed = args_parse(&stat_command, argc, argv, stat_take, &s);
    if (parsed) {
        return parsed < 0 ? EXIT_USAGE : EXIT_ENDED;
    }
    reading_open(&r, s.path);
    weft_trace_digest *digest = weft_trace_digest_new();
    const weft_event *event;
    s.next = weft_trace_info_of(r.trace)->first;
    while ((event = reading_next(&r)) != NULL) {
        stat_count(&s, r.trace, event);
        weft_trace_digest_add(digest, event);
    }
    s.guest = weft_trace_digest_end(digest, s.digest);
    if (s.events || !weft_trace_failed(r.trace, NULL)) {
        (s.json ? stat_print_json : stat_print)(&s, r.trace);
    }
    fflush(stdout);
    for (size_t i = 0; i < s.kind_count; i++) {
        free(s.kinds[i].name);
    }
    free(s.kinds);
    free(s.threads);
    map_free(&s.kind_places);
    map_free(&s.thread_places);
    return reading_close(&r);
}
