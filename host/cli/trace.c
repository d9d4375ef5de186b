/* trace.c: `weft trace`: what a trace holds, from its file alone (sdk/trace). A command is a row of
 * the table below and a file trace_NAME.c. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../run.h"
#include "../text.h"
#include "args.h"
#include "trace_command.h"

#define PROGRESS_EVENTS 65536 /* a sign of life every so many */
#define TAIL            8     /* bytes that a binary trace begins with, and a whole one ends with */

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
} commands[] = {
    {"dump", trace_dump, "print events, as text or JSONL"},
    {"stat", trace_stat, "count events by kind and thread"},
    {"digest", trace_digest, "the trace_digest of each file"},
    {"diff", trace_diff, "where two traces part"},
    {"export", trace_export, "as jsonl, wtr, perfetto, chrome or svg"},
    {"manifest", trace_manifest, "where a reference run met contention"},
    {"cut", trace_cut, "a part of a trace, or its other format"},
    {"kinds", trace_kinds, "the kinds of events and their fields"},
};
#define COMMANDS (sizeof commands / sizeof commands[0])

void reading_open(reading *r, const char *path)
{
    *r = (reading){.trace = weft_trace_open(path), .path = path, .terminal = isatty(2)};
    if (!r->trace) {
        abort(); /* as text_need does: no memory for a few hundred bytes */
    }
}

void reading_follow(reading *r, const char *path, weft_trace_wait_fn wait, void *context)
{
    *r = (reading){.trace = weft_trace_follow(path, wait, context), .path = path};
    if (!r->trace) {
        abort();
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

int trace_is_indexed(const char *path, uint64_t *bytes)
{
    char head[TAIL], tail[TAIL];
    FILE *file = strcmp(path, "-") == 0 ? NULL : fopen(path, "rb");
    int whole = file && fread(head, 1, TAIL, file) == TAIL &&
                memcmp(head, "WEFTWTR\n", TAIL) == 0 && fseeko(file, -TAIL, SEEK_END) == 0 &&
                fread(tail, 1, TAIL, file) == TAIL && memcmp(tail, "WTR-END\n", TAIL) == 0;
    *bytes = whole ? (uint64_t)ftello(file) : 0;
    if (file) {
        fclose(file);
    }
    return whole;
}

/* "dump, stat, digest, diff or manifest" */
static char *command_names(void)
{
    buffer b = {0};
    for (size_t i = 0; i < COMMANDS; i++) {
        buffer_text(&b, i == 0 ? "" : i + 1 == COMMANDS ? " or " : ", ");
        buffer_text(&b, commands[i].name);
    }
    buffer_add(&b, "", 1);
    return b.bytes;
}

int command_trace(int argc, char **argv)
{
    const char *name = argc > 0 ? argv[0] : "nothing";
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(commands[i].name, name) == 0) {
            return commands[i].run(argc - 1, argv + 1);
        }
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        printf("usage: weft trace COMMAND ...\n\n");
        for (size_t i = 0; i < COMMANDS; i++) {
            printf("  %-10s %s\n", commands[i].name, commands[i].summary);
        }
        return EXIT_ENDED;
    }
    char *names = command_names();
    error_print("weft trace", "subcommand is unknown (found %s, expected %s)", name, names);
    free(names);
    return EXIT_USAGE;
}
