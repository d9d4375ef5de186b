/* trace.c: `weft trace`: what a trace holds, from its file alone (sdk/trace). */
#include <inttypes.h>
#include <mbedtls/md.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../map.h"
#include "../run.h"
#include "../text.h"
#include "args.h"
#include "line.h"
#include "trace_command.h"

#define PROGRESS_EVENTS 65536 /* a sign of life every so many */
#define OUT_BYTES       65536

void reading_open(reading *r, const char *path)
{
    *r = (reading){.trace = weft_trace_open(path), .path = path, .terminal = isatty(2)};
    if (!r->trace) {
        abort(); /* as text_need does: no memory for a few hundred bytes */
    }
}

const weft_event *reading_next(reading *r)
{
    const weft_event *event = weft_trace_next(r->trace);
    if (event && ++r->events % PROGRESS_EVENTS == 0 && r->terminal) {
        uint64_t size, bytes = weft_trace_progress(r->trace, &size);
        fprintf(stderr, "\r%s: %" PRIu64 " events", r->path, r->events);
        if (size > 0) {
            fprintf(stderr, ", %u %%", (unsigned)((double)bytes / (double)size * 100));
        }
    } else if (!event && r->terminal && r->events >= PROGRESS_EVENTS) {
        fprintf(stderr, "\r\033[K");
    }
    return event;
}

int reading_close(reading *r)
{
    const char *where, *why = weft_trace_failed(r->trace, &where);
    const weft_trace_info *info = weft_trace_info_of(r->trace);
    if (why) {
        error_print(where, "%s", why);
    } else if (info->missing[0]) {
        fprintf(stderr, "weft: warning: %s: %s\n", r->path, info->missing);
    }
    weft_trace_close(r->trace);
    return why ? EXIT_INPUT : EXIT_ENDED;
}

/* ------------------------------------------------------------------------------------------ dump
 */

enum { DUMP_JSON, DUMP_THREAD, DUMP_KIND };

static const args_flag dump_flags[] = {
    [DUMP_JSON] = {"--json", NULL, "a trace in JSONL, whatever FILE is"},
    [DUMP_THREAD] = {"--thread", "T", "one thread: its tid, its identity or its identity's text"},
    [DUMP_KIND] = {"--kind", "K,...", "events of these kinds alone"},
    {0},
};

static const args_command dump_command = {
    .name = "trace dump",
    .positional = "FILE",
    .summary = "Prints the events of a trace: sequence, guest ns, thread, index, kind, payload.",
    .flags = dump_flags,
    .least = 1,
    .most = 1,
};

typedef struct dump_request {
    const char *path, *thread, *kinds;
    int json;
} dump_request;

static int dump_take(void *context, int index, const char *value)
{
    dump_request *q = context;
    switch (index) {
    case DUMP_JSON:
        q->json = 1;
        break;
    case DUMP_THREAD:
        q->thread = value;
        break;
    case DUMP_KIND:
        q->kinds = value;
        break;
    default:
        q->path = value;
        break;
    }
    return 0;
}

static int thread_is(const weft_trace *t, const weft_event *event, const char *wanted)
{
    char text[24];
    const char *name = weft_trace_name(t, event->thread);
    snprintf(text, sizeof text, "%" PRIu32, event->tid);
    if (strcmp(text, wanted) == 0) {
        return 1;
    }
    snprintf(text, sizeof text, "%016" PRIx64, event->thread);
    return strcmp(text, wanted) == 0 || (name && strcmp(name, wanted) == 0);
}

static int in_list(const char *name, const char *list)
{
    size_t length = strlen(name);
    for (const char *at = list; *at; at += *at == ',') {
        size_t n = strcspn(at, ",");
        if (n == length && memcmp(at, name, n) == 0) {
            return 1;
        }
        at += n;
    }
    return 0;
}

static int wanted(const weft_trace *t, const weft_event *event, const dump_request *q)
{
    char room[16];
    if (q->thread && !thread_is(t, event, q->thread)) {
        return 0;
    }
    return !q->kinds || in_list(weft_trace_kind(t, event, room), q->kinds) ||
           (event->kind == WEFT_EVENT_KERNEL_RETURN_VOID && in_list("kernel.return", q->kinds));
}

static void print_event(out *o, const weft_trace *t, const line_context *context,
                        const weft_event *event)
{
    char head[128], room[16];
    const char *name = weft_trace_name(t, event->thread);
    snprintf(head, sizeof head, "%10" PRIu64 " %14" PRIu64 " ", event->sequence, event->tick);
    out_str(o, head);
    if (!name) {
        snprintf(head, sizeof head, "%016" PRIx64, event->thread);
    }
    out_str(o, event->thread == 0 ? "-" : name ? name : head);
    snprintf(head, sizeof head, " %" PRIu64 " ", event->index);
    out_str(o, head);
    out_str(o, weft_trace_kind(t, event, room));
    out_str(o, " {");
    line_payload(o, context, event);
    out_str(o, "}\n");
}

static void dump_flush(out *o)
{
    if (o->used) { /* before the first event there are no bytes at all */
        fwrite(o->bytes, 1, o->used, stdout);
        o->used = 0;
    }
}

static void dump_event(out *o, const dump_request *q, const weft_trace *t,
                       const line_context *context, const weft_event *event)
{
    size_t length;
    const char *line = weft_trace_line(t, &length);
    if (!q->json) {
        print_event(o, t, context, event);
    } else if (line) {
        out_raw(o, line, length);
        out_str(o, "\n");
    } else {
        line_event(o, context, event);
    }
}

static int trace_dump(int argc, char **argv)
{
    dump_request q = {0};
    reading r;
    int parsed = args_parse(&dump_command, argc, argv, dump_take, &q);
    if (parsed) {
        return parsed < 0 ? EXIT_USAGE : EXIT_ENDED;
    }
    reading_open(&r, q.path);
    const weft_trace_info *info = weft_trace_info_of(r.trace);
    line_table *table = text_need(sizeof *table);
    line_table_init(table);
    weft_trace_begin begin = {.size = sizeof begin,
                              .partial = (uint32_t)(info->partial || q.thread || q.kinds),
                              .first = info->first,
                              .engine = info->engine,
                              .build = info->build,
                              .title = info->title,
                              .profile_digest = info->profile_digest,
                              .digest = info->before,
                              .name = weft_trace_name_of,
                              .names = r.trace};
    line_context context = {.table = table, .begin = &begin, .parallel = info->parallel};
    out o = {0};
    const weft_event *event;
    if (q.json && !weft_trace_failed(r.trace, NULL)) {
        line_begin(&o, &context);
    }
    while ((event = reading_next(&r)) != NULL && !ferror(stdout)) {
        if (wanted(r.trace, event, &q)) {
            dump_event(&o, &q, r.trace, &context, event);
            if (o.used >= OUT_BYTES) {
                dump_flush(&o);
            }
        }
    }
    if (q.json && info->complete && !info->foreign) {
        line_end(&o, &context, info->last, info->digest);
    }
    dump_flush(&o);
    out_free(&o);
    free(table);
    int failed = fflush(stdout) != 0 || ferror(stdout);
    int code = reading_close(&r);
    if (failed) {
        error_print("stdout", "cannot write (expected room for the dump)");
        return code ? code : EXIT_INPUT;
    }
    return code;
}

/* ------------------------------------------------------------------------------------------ stat
 */

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

static int trace_stat(int argc, char **argv)
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

/* ---------------------------------------------------------------------------------------- digest
 */

enum { DIGEST_MD5 };

static const args_flag digest_flags[] = {
    [DIGEST_MD5] = {"--md5", NULL, "the MD5 of what is deterministic in a JSONL log's lines"},
    {0},
};

static const args_command digest_command = {
    .name = "trace digest",
    .positional = "FILE...",
    .summary = "Prints DIGEST TOTAL_EVENTS FILE for each file: the trace_digest of its events of "
               "class guest,\nand how many these are. Equal for both formats, and to run --json.",
    .flags = digest_flags,
    .least = 1,
    .most = SIZE_MAX,
};

typedef struct digest_request {
    const char **paths;
    size_t count;
    int md5;
} digest_request;

static int digest_take(void *context, int index, const char *value)
{
    digest_request *q = context;
    if (index == DIGEST_MD5) {
        q->md5 = 1;
        return 0;
    }
    q->paths = text_grow(q->paths, (q->count + 1) * sizeof *q->paths);
    q->paths[q->count++] = value;
    return 0;
}

/* A whole file's digest may differ from what its end says only if it was edited or is a part. */
static void digest_warn(const char *path, const weft_trace_info *info, const char *digest)
{
    if (info->partial || info->first > 0) {
        fprintf(stderr, "weft: warning: %s: digest is of the events in the file alone (%s)\n", path,
                info->partial ? "filters hid others" : "it begins after a swap of tracers");
    } else if (info->digest[0] && strcmp(info->digest, digest) != 0) {
        fprintf(stderr,
                "weft: warning: %s: digest is not what the end says (found %s, expected "
                "%s)\n",
                path, digest, info->digest);
    }
}

static int digest_file(const char *path)
{
    char hex[33];
    reading r;
    reading_open(&r, path);
    weft_trace_digest *digest = weft_trace_digest_new();
    const weft_event *event;
    while ((event = reading_next(&r)) != NULL) {
        weft_trace_digest_add(digest, event);
    }
    uint64_t count = weft_trace_digest_end(digest, hex);
    if (!weft_trace_failed(r.trace, NULL)) {
        printf("%s %" PRIu64 " %s\n", hex, count, path);
        fflush(stdout);
        digest_warn(path, weft_trace_info_of(r.trace), hex);
    }
    return reading_close(&r);
}

/* MD5 over the event lines of a JSONL log without host_ns and guest_cycle (docs/trace.md). */
static int md5_file(const char *path)
{
    unsigned char hash[16];
    size_t length;
    reading r;
    reading_open(&r, path);
    if (weft_trace_info_of(r.trace)->binary) {
        weft_trace_close(r.trace);
        error_print(path, "--md5 is of lines (found a binary trace, expected JSONL)");
        return EXIT_USAGE;
    }
    mbedtls_md_context_t md;
    mbedtls_md_init(&md);
    int good = mbedtls_md_setup(&md, mbedtls_md_info_from_type(MBEDTLS_MD_MD5), 0) == 0 &&
               mbedtls_md_starts(&md) == 0;
    while (good && reading_next(&r)) {
        const char *fields = weft_trace_fields(r.trace, &length);
        good = fields && mbedtls_md_update(&md, (const unsigned char *)fields, length) == 0 &&
               mbedtls_md_update(&md, (const unsigned char *)"\n", 1) == 0;
    }
    good = good && mbedtls_md_finish(&md, hash) == 0;
    mbedtls_md_free(&md);
    uint64_t count = r.events;
    int code = reading_close(&r);
    if (code == EXIT_ENDED && !good) {
        error_print(path, "MD5 cannot be computed (expected a library that has it)");
        return EXIT_INPUT;
    }
    if (code == EXIT_ENDED) {
        for (int i = 0; i < 16; i++) {
            printf("%02x", hash[i]);
        }
        printf(" %" PRIu64 " %s\n", count, path);
    }
    return code;
}

static int trace_digest(int argc, char **argv)
{
    digest_request q = {0};
    int code = EXIT_ENDED;
    int parsed = args_parse(&digest_command, argc, argv, digest_take, &q);
    if (parsed) {
        free(q.paths);
        return parsed < 0 ? EXIT_USAGE : EXIT_ENDED;
    }
    for (size_t i = 0; i < q.count; i++) {
        int one = (q.md5 ? md5_file : digest_file)(q.paths[i]);
        code = one ? one : code;
    }
    free(q.paths);
    return code;
}

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
} subcommands[] = {
    {"dump", trace_dump, "print events, as text or JSONL"},
    {"stat", trace_stat, "count events by kind and thread"},
    {"digest", trace_digest, "the trace_digest of each file"},
    {"diff", trace_diff, "where two traces part"},
    {"manifest", trace_manifest, "where a reference run met contention"},
};
#define SUBCOMMANDS (sizeof subcommands / sizeof subcommands[0])

int command_trace(int argc, char **argv)
{
    const char *name = argc > 0 ? argv[0] : "nothing";
    for (size_t i = 0; i < SUBCOMMANDS; i++) {
        if (strcmp(subcommands[i].name, name) == 0) {
            return subcommands[i].run(argc - 1, argv + 1);
        }
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        printf("usage: weft trace COMMAND ...\n\n");
        for (size_t i = 0; i < SUBCOMMANDS; i++) {
            printf("  %-10s %s\n", subcommands[i].name, subcommands[i].summary);
        }
        return EXIT_ENDED;
    }
    error_print("weft trace",
                "subcommand is unknown (found %s, expected dump, stat, digest, diff or manifest)",
                name);
    return EXIT_USAGE;
}
