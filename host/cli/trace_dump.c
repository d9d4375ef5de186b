/* trace_dump.c: `weft trace dump`: the events of a trace, for people or as JSONL. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../run.h"
#include "../text.h"
#include "args.h"
#include "line.h"
#include "trace_command.h"

#define OUT_BYTES 65536

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

int trace_dump(int argc, char **argv)
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
