/* trace_diff.c: `weft trace diff`: where two runs part. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../run.h"
#include "args.h"
#include "trace_command.h"
#include "trace_diff_report.h"

#define MAX_PAIRS 256

enum { MAP, IGNORE, ABSORB, CONES, FORMAT, MARKDOWN, JSON, OUT };

static const args_flag flags[] = {
    [MAP] = {"--map", "A=B,...", "compare thread A of REF with B of OURS, by thread id"},
    [IGNORE] = {"--ignore", "KIND,...", "leave events of these kinds out on both sides"},
    [ABSORB] =
        {"--absorb", "RULE,...",
         "pass over what the reference system's diff does, and name it: create, wait, nested; "
         "real differences hide there"},
    [CONES] = {"--cones", NULL, "tell what led to each divergence, not to the first alone"},
    [FORMAT] = {"--format", "F", "text, markdown or json"},
    [MARKDOWN] = {"--markdown", NULL, "the same as --format markdown"},
    [JSON] = {"--json", NULL, "the same as --format json"},
    [OUT] = {"--out", "FILE", "write the report there; FILE.md is Markdown, FILE.json JSON"},
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
    const char *paths[2], *out;
    int path_count, format; /* REPORT_*; -1: not said */
    weft_diff_options options;
    weft_trace_pair pairs[MAX_PAIRS];
} request;

static int take_format(request *q, const char *value)
{
    static const char *const names[] = {"text", "markdown", "json"};
    for (int i = 0; i < 3; i++) {
        if (strcmp(value, names[i]) == 0) {
            q->format = i;
            return 0;
        }
    }
    error_print("--format", "format is none (found %s, expected text, markdown or json)", value);
    return -1;
}

static int take(void *context, int index, const char *value)
{
    request *q = context;
    const char *bad;
    int count;
    switch (index) {
    case MAP:
        count = weft_trace_read_pairs(value, q->pairs, MAX_PAIRS);
        if (count < 0) {
            error_print("--map", "map cannot be read (found %s, expected A=B,... of thread ids)",
                        value);
            return -1;
        }
        q->options.map = q->pairs;
        q->options.map_count = (uint32_t)count;
        return 0;
    case IGNORE:
        if (!weft_diff_read_kinds(value, q->options.ignored, &bad)) {
            error_print("--ignore",
                        "kind is none (found %.*s, expected one that `weft trace kinds` "
                        "lists)",
                        (int)strcspn(bad, ","), bad);
            return -1;
        }
        return 0;
    case ABSORB:
        if (!weft_diff_read_absorb(value, &q->options.absorb, &bad)) {
            error_print("--absorb", "rule is none (found %.*s, expected create, wait or nested)",
                        (int)strcspn(bad, ","), bad);
            return -1;
        }
        return 0;
    case CONES:
        q->options.cones = 1;
        return 0;
    case FORMAT:
        return take_format(q, value);
    case MARKDOWN:
        q->format = REPORT_MARKDOWN;
        return 0;
    case JSON:
        q->format = REPORT_JSON;
        return 0;
    case OUT:
        q->out = value;
        return 0;
    default:
        q->paths[q->path_count++] = value;
        return 0;
    }
}

static void show_progress(uint64_t count)
{
    fprintf(stderr, "\rweft trace diff: %" PRIu64 " events", count);
}

/* What a file's name says of its format. */
static int format_of(const char *out)
{
    const char *dot = out ? strrchr(out, '.') : NULL;
    return dot && strcmp(dot, ".md") == 0     ? REPORT_MARKDOWN
           : dot && strcmp(dot, ".json") == 0 ? REPORT_JSON
                                              : REPORT_TEXT;
}

/* 0 where the report did not go where it should. */
static int write_report(const request *q, const weft_trace_diff *d)
{
    buffer b = {0};
    FILE *file = q->out ? fopen(q->out, "wb") : stdout;
    int good = file != NULL;
    if (good) {
        report_diff(&b, q->format < 0 ? format_of(q->out) : q->format, d, q->paths);
        good = fwrite(b.bytes, 1, b.length, file) == b.length;
        good = (q->out ? fclose(file) : fflush(file)) == 0 && good;
    }
    if (!good) {
        error_print(q->out ? q->out : "stdout", "report cannot be written (found %s, expected %s)",
                    strerror(errno), "a file that takes it");
    }
    buffer_free(&b);
    return good;
}

/* What the user should know of the files besides. */
static void warn(const request *q, const weft_trace_diff *d)
{
    for (int n = 0; n < 2; n++) {
        if (d->info[n].missing[0]) {
            fprintf(stderr, "weft: warning: %s: %s\n", q->paths[n], d->info[n].missing);
        }
        if (d->info[n].partial) {
            fprintf(stderr, "weft: warning: %s: filters of its run left events out\n", q->paths[n]);
        }
    }
    for (uint32_t k = 0; k < q->options.map_count; k++) {
        const weft_trace_pair *pair = &q->pairs[k];
        size_t i = 0;
        while (i < d->pair_count &&
               !(d->pairs[i].present[0] && d->pairs[i].present[1] &&
                 d->pairs[i].tids[0] == pair->reference && d->pairs[i].tids[1] == pair->ours)) {
            i++;
        }
        if (i == d->pair_count) {
            fprintf(stderr,
                    "weft: warning: --map: %" PRIu32 "=%" PRIu32
                    " pairs nothing: one of the traces has no such thread, or it is taken\n",
                    pair->reference, pair->ours);
        }
    }
}

int trace_diff(int argc, char **argv)
{
    request q = {.format = -1};
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
    q.options.progress = terminal ? show_progress : NULL;
    int good = weft_trace_diff_run(&d, q.paths, &q.options);
    if (terminal) {
        fprintf(stderr, "\r\033[K");
    }
    int code = EXIT_INPUT;
    if (!good) {
        error_print(d.where, "%s", d.error);
    } else {
        warn(&q, &d);
        code = !write_report(&q, &d) ? EXIT_USAGE : d.divergent ? EXIT_DIFFER : EXIT_ENDED;
    }
    weft_trace_diff_free(&d);
    return code;
}
