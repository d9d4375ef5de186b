/* run.c: `weft run`. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../ctl.h"
#include "args.h"
#include "common.h"

enum { PROFILE, SET, PLUGINS, UNTIL, HEADLESS, TRACE, FRAMES_TO, CAPTURE, INPUT, JSON, CTL };

static const args_flag flags[] = {
    [PROFILE] = {"--profile", "INI", "what the run is made of; default: stock.ini"},
    [SET] = {"--set", "sec.key=value", "override one key of the profile; may repeat"},
    [PLUGINS] = {"--plugins", "DIR", "look for plugins here first"},
    [UNTIL] = {"--until", "COND",
               "instructions=N, frames=N, ticks=N, seconds=N or exit; may repeat"},
    [HEADLESS] = {"--headless", NULL, "no window: frontend-headless"},
    [TRACE] = {"--trace", "FILE", "write a trace; .jsonl or .wtr chooses the tracer"},
    [FRAMES_TO] = {"--frames-to", "DIR", "write each frame as a PNG file"},
    [CAPTURE] = {"--capture", "FILE[@frame=N]", "write a frame's commands, the first or the N-th"},
    [INPUT] = {"--input", "FILE", "controllers follow a script (docs/input.md)"},
    [JSON] = {"--json", "FILE", "write a report at the end"},
    [CTL] = {"--ctl", "SOCKET", "where weft ctl finds the run; none: nowhere"},
    {0},
};

static const args_command command = {
    .name = "run",
    .positional = "TITLE [-- ARGS]",
    .summary =
        "Runs a title: an .xex, a disc image, an STFS package, or a folder with default.xex.\n"
        "What stands behind -- becomes its command line.",
    .flags = flags,
    .least = 1,
    .most = 1,
};

typedef struct request {
    const char *profile, *plugins, *trace, *capture, *json, *ctl;
    const char **sets;
    size_t set_count;
    int headless;
    run_options options;
} request;

static int parse_until(request *q, const char *text)
{
    const char *equals = strchr(text, '=');
    size_t length = equals ? (size_t)(equals - text) : strlen(text);
    uint64_t *whole = NULL;
    char *end = NULL;
    if (strcmp(text, "exit") == 0) {
        return 0; /* the title's end always ends the run */
    }
    if (equals && length == 12 && memcmp(text, "instructions", length) == 0) {
        whole = &q->options.until_instructions;
    } else if (equals && length == 6 && memcmp(text, "frames", length) == 0) {
        whole = &q->options.until_frames;
    } else if (equals && length == 5 && memcmp(text, "ticks", length) == 0) {
        whole = &q->options.until_ticks;
    } else if (!equals || length != 7 || memcmp(text, "seconds", length) != 0) {
        error_print("--until",
                    "condition is unknown (found %s, expected instructions=N, frames=N, "
                    "ticks=N, seconds=N or exit)",
                    text);
        return -1;
    }
    errno = 0;
    if (whole) {
        unsigned long long value = strtoull(equals + 1, &end, 10);
        if (equals[1] >= '0' && equals[1] <= '9' && !*end && !errno && value > 0) {
            *whole = *whole && *whole < value ? *whole : value;
            return 0;
        }
    } else {
        double value = strtod(equals + 1, &end);
        if (end != equals + 1 && !*end && value > 0 && value < 1e9) {
            double old = q->options.until_seconds;
            q->options.until_seconds = old > 0 && old < value ? old : value;
            return 0;
        }
    }
    error_print("--until", "limit is no number (found %s, expected one above 0)", text);
    return -1;
}

static int take(void *context, int index, const char *value)
{
    request *q = context;
    switch (index) {
    case PROFILE:
        q->profile = value;
        return 0;
    case SET:
        q->sets = text_grow(q->sets, (q->set_count + 1) * sizeof *q->sets);
        q->sets[q->set_count++] = value;
        return 0;
    case PLUGINS:
        q->plugins = value;
        return 0;
    case UNTIL:
        return parse_until(q, value);
    case HEADLESS:
        q->headless = 1;
        return 0;
    case TRACE:
        q->trace = value;
        return 0;
    case FRAMES_TO:
        q->options.frames_to = value;
        return 0;
    case CAPTURE:
        q->capture = value;
        return 0;
    case INPUT:
        q->options.input = value;
        return 0;
    case JSON:
        q->json = value;
        return 0;
    case CTL:
        q->ctl = value;
        return 0;
    default:
        q->options.title = value;
        return 0;
    }
}

/* --trace: the file's suffix chooses the tracer unless the command line named one. */
static void apply_trace(setup *s, const request *q)
{
    int named = 0;
    for (size_t i = 0; i < q->set_count; i++) {
        named |= strncmp(q->sets[i], "tracer.plugin=", 14) == 0;
    }
    const ini_entry *chosen = ini_find(&s->text, "tracer", "plugin");
    named |= chosen && strcmp(chosen->value, "none") != 0 &&
             strcmp(chosen->value, "tracer-none") != 0 && strcmp(chosen->value, "null") != 0 &&
             strcmp(chosen->value, "tracer-null") != 0;
    const char *id = tracers_for_file(q->trace);
    if (!named && !id) {
        errors_add(&s->errors, "--trace",
                   "file's suffix chooses no tracer (found %s, expected "
                   ".jsonl, .wtr or --set tracer.plugin=ID)",
                   q->trace);
        return;
    }
    if (!named) {
        ini_override(&s->text, "--trace", "tracer", "plugin", id);
    }
    ini_override(&s->text, "--trace", "tracer", "path", q->trace);
}

/* --capture: FILE, or FILE@frame=N. -1 after printing an error. */
static int apply_capture(setup *s, const char *value)
{
    static const char mark[] = "@frame=";
    const char *at = strstr(value, mark);
    for (const char *next = at; next; next = strstr(next + 1, mark)) {
        at = next; /* the last: a name may hold the others */
    }
    char *path = strdup(value);
    if (!path) {
        abort();
    }
    if (at) {
        path[at - value] = 0;
        ini_override(&s->text, "--capture", "gpu", "capture_frame", at + strlen(mark));
    }
    ini_override(&s->text, "--capture", "gpu", "capture", path);
    const char *tail = strrchr(path, '@');
    int wrong = !path[0] || (tail && strchr(tail, '=') && !strchr(tail, '/'));
    if (wrong) {
        error_print("--capture", "cannot be read (found %s, expected FILE or FILE@frame=N)", value);
    }
    free(path);
    return wrong ? -1 : 0;
}

/* What stands behind `--`, joined by blanks, as one command line. */
static char *join_arguments(int argc, char **argv)
{
    buffer line = {0};
    int i = 0;
    while (i < argc && strcmp(argv[i], "--") != 0) {
        i++;
    }
    for (int first = ++i; i < argc; i++) {
        buffer_format(&line, "%s%s", i > first ? " " : "", argv[i]);
    }
    buffer_text(&line, "");
    return line.bytes;
}

static int write_report(const run *r, const char *path)
{
    buffer json = {0};
    run_report_json(r, &json);
    FILE *file = strcmp(path, "-") == 0 ? stdout : fopen(path, "w");
    int failed = !file || fwrite(json.bytes, 1, json.length, file) != json.length;
    if (file && file != stdout) {
        failed |= fclose(file) != 0;
    }
    if (failed) {
        error_print(path, "report cannot be written (found: %s, expected a file)", strerror(errno));
    }
    buffer_free(&json);
    return failed;
}

/* The run's socket. A run goes on without one that nobody asked for. -1 after printing an error. */
static int listen_for_ctl(run *r, const setup *s, const request *q, ctl **c)
{
    errors list = {0};
    *c = NULL;
    if (q->ctl && strcmp(q->ctl, "none") == 0) {
        return 0;
    }
    *c = ctl_start(r, q->ctl, &list);
    if (!*c && q->ctl) {
        errors_print(&list, stderr);
    } else if (!*c && s->profile.log >= WEFT_LOG_WARN) {
        fprintf(stderr, "weft: warning: no weft ctl for this run: %s\n", list.lines[0]);
    }
    errors_free(&list);
    r->options.pumped = *c ? ctl_serve : NULL;
    r->options.pumped_context = *c;
    return !*c && q->ctl ? -1 : 0;
}

static int run_with(setup *s, request *q)
{
    run *r = run_new();
    ctl *c;
    int code = EXIT_USAGE;
    if (run_start(r, &s->loader, &s->profile, &q->options) == 0 &&
        listen_for_ctl(r, s, q, &c) == 0) {
        code = run_title(r);
        if (c) {
            ctl_end(c);
        }
        if (q->json && write_report(r, q->json) && code == EXIT_ENDED) {
            code = EXIT_USAGE;
        }
        if (s->profile.log >= WEFT_LOG_INFO && r->report.has_result) {
            fprintf(stderr, "weft: info: %s; %llu instructions, %llu frames, trace %s\n",
                    r->report.reason, (unsigned long long)r->report.result.instructions,
                    (unsigned long long)r->report.frames, r->report.trace_digest);
        }
    }
    run_end(r);
    free(r);
    return code;
}

int command_run(int argc, char **argv)
{
    request q = {.options = {.watch_signals = 1}};
    int parsed = args_parse(&command, argc, argv, take, &q);
    if (parsed) {
        free(q.sets);
        return parsed < 0 ? EXIT_USAGE : EXIT_ENDED;
    }
    char *arguments = join_arguments(argc, argv);
    q.options.arguments = arguments;
    setup s;
    setup_read(&s, q.profile, q.plugins);
    if (q.headless) {
        ini_override(&s.text, "--headless", "frontend", "plugin", "frontend-headless");
        ini_override(&s.text, "--headless", "machine", "pace", "no");
    }
    for (size_t i = 0; i < q.set_count; i++) {
        ini_set(&s.text, q.sets[i]);
    }
    if (q.trace) {
        apply_trace(&s, &q);
    }
    int code = q.capture && apply_capture(&s, q.capture) ? EXIT_USAGE : 0;
    if (code == 0) {
        code = setup_resolve(&s, PROFILE_ALL_ROLES);
    }
    if (code == 0) {
        code = run_with(&s, &q);
    }
    setup_free(&s);
    free(arguments);
    free(q.sets);
    return code;
}
