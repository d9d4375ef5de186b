/* trace_diff.c: `weft trace diff`: where two runs part. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../run.h"
#include "../text.h"
#include "args.h"
#include "diff.h"
#include "trace_command.h"

#define MAX_PAIRS 256

enum { MAP, JSON };

static const args_flag flags[] = {
    [MAP] = {"--map", "A=B,...", "compare thread A of REF with B of OURS, by thread id"},
    [JSON] = {"--json", NULL, "one JSON object"},
    {0},
};

static const args_command command = {
    .name = "trace diff",
    .positional = "REF OURS",
    .summary = "Compares two traces thread by thread. Exit code 6 where they diverge.",
    .flags = flags,
    .least = 2,
    .most = 2,
};

typedef struct request {
    const char *paths[2];
    int path_count, pair_count, json;
    weft_trace_pair pairs[MAX_PAIRS];
} request;

static int take(void *context, int index, const char *value)
{
    request *q = context;
    if (index == JSON) {
        q->json = 1;
    } else if (index == MAP) {
        q->pair_count = weft_trace_read_pairs(value, q->pairs, MAX_PAIRS);
        if (q->pair_count < 0) {
            error_print("--map", "map cannot be read (found %s, expected A=B,... of thread ids)",
                        value);
            return -1;
        }
    } else {
        q->paths[q->path_count++] = value;
    }
    return 0;
}

static void show_progress(uint64_t count)
{
    fprintf(stderr, "\rweft trace diff: %" PRIu64 " events", count);
}

static const char *name_of(const weft_trace_diff_pair *p, int n, char room[40])
{
    if (!p->present[n]) {
        return "(none)";
    }
    if (p->names[n]) {
        return p->names[n];
    }
    snprintf(room, 40, "%016" PRIx64, p->threads[n]);
    return p->threads[n] ? room : "the machine";
}

static void print_text(const weft_trace_diff *d)
{
    static const char *const sides[] = {"ref ", "ours"};
    char a[40], b[40];
    printf("%10s %10s %10s  threads\n", "matched", "ref", "ours");
    for (size_t i = 0; i < d->pair_count; i++) {
        const weft_trace_diff_pair *p = &d->pairs[i];
        printf("%10" PRIu64 " %10" PRIu64 " %10" PRIu64 "  %s (%" PRIu32 ") = %s (%" PRIu32 ")%s\n",
               p->matched, p->totals[0], p->totals[1], name_of(p, 0, a), p->tids[0],
               name_of(p, 1, b), p->tids[1], p->diverged ? "  DIVERGED" : "");
    }
    for (size_t i = 0; i < d->pair_count; i++) {
        const weft_trace_diff_pair *p = &d->pairs[i];
        if (!p->diverged) {
            continue;
        }
        printf("\n%s: event %" PRIu64 " differs in %.*s\n", name_of(p, 0, a), p->matched,
               (int)strcspn(p->field, ":"), p->field);
        for (int k = 0; k < DIFF_BEFORE; k++) {
            if (p->before[k]) {
                printf("   both  %s\n", p->before[k]);
            }
        }
        for (int n = 0; n < 2; n++) {
            printf("-> %s  %s\n", sides[n], p->at[n] ? p->at[n] : "(has ended)");
        }
        for (int n = 0; n < 2; n++) {
            printf("   %s  %s\n", sides[n], p->next[n] ? p->next[n] : "(has ended)");
        }
    }
    for (size_t i = 0; i < d->missing_count; i++) {
        printf("%sonly %s has %s %s, %" PRIu64 " times\n", i ? "" : "\n",
               d->missing[i].side ? "ours" : "ref", d->missing[i].what, d->missing[i].name,
               d->missing[i].times);
    }
}

static void json_text(buffer *b, const char *key, const char *text)
{
    buffer_format(b, "\"%s\": ", key);
    if (text) {
        buffer_json(b, text);
    } else {
        buffer_text(b, "null");
    }
}

static void json_pair(buffer *b, const weft_trace_diff_pair *p)
{
    static const char *const sides[] = {"ref", "ours"};
    char room[40];
    buffer_text(b, "{");
    for (int n = 0; n < 2; n++) {
        json_text(b, sides[n], p->present[n] ? name_of(p, n, room) : NULL);
        buffer_format(b, ", \"%s_tid\": %" PRIu32 ", \"%s_total\": %" PRIu64 ", ", sides[n],
                      p->tids[n], sides[n], p->totals[n]);
    }
    buffer_format(b, "\"matched\": %" PRIu64 ", \"first_divergence_at\": ", p->matched);
    if (!p->diverged) {
        buffer_text(b, "null}");
        return;
    }
    buffer_format(b, "%" PRIu64 ", \"field\": \"%.*s\", \"before\": [", p->matched,
                  (int)strcspn(p->field, ":"), p->field);
    for (int k = 0, any = 0; k < DIFF_BEFORE; k++) {
        if (p->before[k]) {
            buffer_text(b, any++ ? ", " : "");
            buffer_json(b, p->before[k]);
        }
    }
    buffer_text(b, "], ");
    json_text(b, "ref_event", p->at[0]);
    buffer_text(b, ", ");
    json_text(b, "ours_event", p->at[1]);
    buffer_text(b, ", ");
    json_text(b, "ref_next", p->next[0]);
    buffer_text(b, ", ");
    json_text(b, "ours_next", p->next[1]);
    buffer_text(b, "}");
}

static void print_json(const weft_trace_diff *d)
{
    buffer b = {0};
    buffer_format(&b, "{\"divergent\": %s, \"threads\": [", d->divergent ? "true" : "false");
    for (size_t i = 0; i < d->pair_count; i++) {
        buffer_text(&b, i ? ",\n" : "\n");
        json_pair(&b, &d->pairs[i]);
    }
    buffer_text(&b, "],\n\"missing\": [");
    for (size_t i = 0; i < d->missing_count; i++) {
        buffer_format(&b, "%s{\"only\": \"%s\", \"what\": \"%s\", \"times\": %" PRIu64 ", ",
                      i ? ", " : "", d->missing[i].side ? "ours" : "ref", d->missing[i].what,
                      d->missing[i].times);
        json_text(&b, "name", d->missing[i].name);
        buffer_text(&b, "}");
    }
    buffer_text(&b, "]}\n");
    fwrite(b.bytes, 1, b.length, stdout);
    buffer_free(&b);
}

int trace_diff(int argc, char **argv)
{
    request q = {0};
    weft_trace_diff d;
    int parsed = args_parse(&command, argc, argv, take, &q);
    if (parsed) {
        return parsed < 0 ? EXIT_USAGE : EXIT_ENDED;
    }
    for (int n = 0; n < 2; n++) {
        if (strcmp(q.paths[n], "-") == 0) {
            error_print("weft trace diff", "files are read twice (found -, expected a file)");
            return EXIT_USAGE;
        }
    }
    int terminal = isatty(2);
    int good = weft_trace_diff_run(&d, q.paths, q.pairs, (uint32_t)q.pair_count,
                                   terminal ? show_progress : NULL);
    if (terminal) {
        fprintf(stderr, "\r\033[K");
    }
    if (!good) {
        error_print(d.where, "%s", d.error);
    } else {
        (q.json ? print_json : print_text)(&d);
    }
    int code = !good ? EXIT_INPUT : d.divergent ? EXIT_DIFFER : EXIT_ENDED;
    weft_trace_diff_free(&d);
    return code;
}
