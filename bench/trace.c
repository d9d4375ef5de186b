/* trace.c: `./dev bench trace`: what it costs to write down what happens. Three measurements:
 *
 *  1. The same run untraced and traced, in turns, whole processes by the wall clock; of each pair
 *     the ratio, of the ratios the median. Flat out, so that the guest's thread and the drain have
 *     a core each at best, and the slower of the two decides; once the title locks, which calls the
 *     kernel every few instructions, once plasma, which draws frames as a game does. An untraced
 *     run computes its digests too: the difference is what the tracer itself costs.
 *  2. What an event takes of the guest thread, building it and host->emit: the title's own
 *     events, in bursts that the ring has room for, with the drain and the tracer at work
 *     behind it.
 *  3. How many events a second each tracer takes: the title's own events, from memory, on one
 *     thread, from open to the end of close, with the file written. */
#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "host/run.h"
#include "trace.h"

#define FRAMES         300               /* of plasma */
#define BACKEND_EVENTS UINT64_C(4000000) /* each tracer gets at least so many, */
#define BACKEND_TIME   3.0               /* or as many as it takes in so many seconds */
#define BURST_EVENTS   UINT64_C(2000)    /* of some 90 bytes: a tenth of the ring */
#define BURSTS         400
#define TRACERS        32

typedef struct bench {
    char folder[256], trace[320], report[320];
    unsigned runs, rounds;
    double load_before, load_after;

    /* the title's events, one behind the other */
    weft_trace *source;
    uint64_t *words;
    size_t used, room;
    uint64_t events, guest, last_tick;
    cJSON *json;
} bench;

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Sorts; the value in the middle. */
static double median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, by_size);
    return values[count / 2];
}

static double load_now(void)
{
    double load = 0;
    return getloadavg(&load, 1) == 1 ? load : 0;
}

static void progress(const char *text)
{
    if (isatty(STDERR_FILENO)) {
        fprintf(stderr, "\r\033[K%s", text);
    }
}

static int failed(const char *where, const char *what)
{
    progress("");
    fprintf(stderr, "bench: error: %s: %s\n", where, what);
    return 0;
}

/* ----------------------------------------------------------------------------------- whole runs */

/* A title, and how long it runs. */
typedef struct work {
    const char *title;
    unsigned rounds, frames; /* one of them; 0: not said */
} work;

/* How a title is run. */
typedef struct way {
    const char *name;
    const char *tracer, *kinds; /* of [tracer]; NULL: not set */
    double *seconds, *ratio;    /* of each run; and of each pair, to the untraced one */
    double *cpu;                /* processor time of each run, all threads */
    double bytes;               /* of the file */
} way;

static double seconds_of(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec * 1e-6;
}

/* Runs the title once; its wall time, or below 0. */
static double run_once(const bench *b, const way *w, const work *of, double *cpu)
{
    char tracer[64], kinds[96], path[400], rounds[32], frames[32], title[400];
    snprintf(tracer, sizeof tracer, "tracer.plugin=%s", w->tracer ? w->tracer : "none");
    snprintf(kinds, sizeof kinds, "tracer.kinds=%s", w->kinds ? w->kinds : "");
    snprintf(path, sizeof path, "tracer.path=%s", b->trace);
    snprintf(rounds, sizeof rounds, "rounds=%u", of->rounds);
    snprintf(frames, sizeof frames, "frames=%u", of->frames);
    snprintf(title, sizeof title, "%s/titles/%s.xex", WEFT_BUILD_DIR, of->title);
    const char *arguments[24] = {WEFT_BUILD_DIR "/weft", "run", "--headless", "--json", b->report};
    int n = 5;
    arguments[n++] = "--set";
    arguments[n++] = tracer;
    arguments[n++] = "--set";
    arguments[n++] = kinds;
    if (w->tracer) {
        arguments[n++] = "--set";
        arguments[n++] = path;
    }
    if (of->frames) {
        arguments[n++] = "--until";
        arguments[n++] = frames;
    }
    arguments[n++] = title;
    if (of->rounds) {
        arguments[n++] = "--";
        arguments[n++] = rounds;
    }
    double start = now();
    pid_t child = fork();
    if (child == 0) {
        int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
        if (null < 0 || dup2(null, STDOUT_FILENO) < 0) {
            _exit(126);
        }
        execv(arguments[0], (char **)arguments);
        _exit(127);
    }
    int status = -1;
    struct rusage usage;
    if (child < 0 || wait4(child, &status, 0, &usage) != child || status != 0) {
        return -1;
    }
    *cpu = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
    return now() - start;
}

static double file_size(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 ? (double)info.st_size : 0;
}

/* A number of the latest run's report. */
static double report_number(const bench *b, const char *key)
{
    char text[65536];
    FILE *file = fopen(b->report, "r");
    size_t length = file ? fread(text, 1, sizeof text - 1, file) : 0;
    if (file) {
        fclose(file);
    }
    text[length] = 0;
    cJSON *json = cJSON_Parse(text);
    double value = cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(json, key));
    cJSON_Delete(json);
    return value;
}

enum { WAYS = 3 };

/* One table: each way in turns. */
static int measure_ways(bench *b, way ways[WAYS], const work *of)
{
    char text[96];
    double cpu;
    const work brief = {of->title, of->rounds ? 100 : 0, of->frames ? 1 : 0};
    /* warms the caches, and tells at once what is missing */
    int ok = run_once(b, &ways[0], &brief, &cpu) >= 0;
    for (unsigned turn = 0; turn < b->runs && ok; turn++) {
        for (unsigned i = 0; i < WAYS && ok; i++) {
            snprintf(text, sizeof text, "%s: run %u of %u, %s", of->title, turn + 1, b->runs,
                     ways[i].name);
            progress(text);
            ways[i].seconds[turn] = run_once(b, &ways[i], of, &ways[i].cpu[turn]);
            ways[i].ratio[turn] = ways[i].seconds[turn] / ways[0].seconds[turn];
            ways[i].bytes = ways[i].tracer ? file_size(b->trace) : 0;
            ok = ways[i].seconds[turn] >= 0;
        }
    }
    progress("");
    double total = ok ? report_number(b, "trace_events") : 0;
    if (!ok || !(total > 0)) {
        return failed("weft run", "the title could not be run");
    }
    cJSON *table = cJSON_AddObjectToObject(b->json, of->title);
    cJSON *rows = cJSON_AddArrayToObject(table, "runs");
    cJSON_AddNumberToObject(table, "events", total);
    printf("%s, %s=%u: %.0f events of class guest; medians of %u in turns\n", of->title,
           of->rounds ? "rounds" : "frames", of->rounds + of->frames, total, b->runs);
    printf("%-22s %9s %9s %20s %9s %9s %8s\n", "", "seconds", "cost", "smallest to largest",
           "CPU s", "CPU ns/ev", "B/event");
    double untraced = median(ways[0].cpu, b->runs);
    for (unsigned i = 0; i < WAYS; i++) {
        double cost = median(ways[i].ratio, b->runs) - 1;
        double low = ways[i].ratio[0] - 1, high = ways[i].ratio[b->runs - 1] - 1;
        double seconds = median(ways[i].seconds, b->runs), used = median(ways[i].cpu, b->runs);
        double each = (used - untraced) / total * 1e9, bytes = ways[i].bytes / total;
        cJSON *row = cJSON_CreateObject();
        cJSON_AddItemToArray(rows, row);
        cJSON_AddStringToObject(row, "name", ways[i].name);
        cJSON_AddNumberToObject(row, "seconds", seconds);
        cJSON_AddNumberToObject(row, "cpu_seconds", used);
        printf("%-22s %9.3f", ways[i].name, seconds);
        if (ways[i].tracer) {
            printf(" %+8.2f%% %+9.2f%% %+8.2f%% %9.3f %9.2f %8.3f\n", 100 * cost, 100 * low,
                   100 * high, used, each, bytes);
            cJSON_AddNumberToObject(row, "cost", cost);
            cJSON_AddNumberToObject(row, "cost_least", low);
            cJSON_AddNumberToObject(row, "cost_most", high);
            cJSON_AddNumberToObject(row, "cpu_ns_per_event", each);
            cJSON_AddNumberToObject(row, "bytes_per_event", bytes);
        } else {
            printf("%40.3f\n", used);
        }
    }
    putchar('\n');
    fflush(stdout);
    return 1;
}

static int measure_runs(bench *b)
{
    way ways[WAYS] = {
        {.name = "untraced"},
        {.name = "binary, kernel calls", .tracer = "binary", .kinds = "import.call,kernel.*"},
        {.name = "binary, all kinds", .tracer = "binary"},
    };
    for (unsigned i = 0; i < WAYS; i++) {
        ways[i].seconds = calloc(b->runs, sizeof(double));
        ways[i].ratio = calloc(b->runs, sizeof(double));
        ways[i].cpu = calloc(b->runs, sizeof(double));
    }
    const work locks = {.title = "locks", .rounds = b->rounds};
    const work plasma = {.title = "plasma", .frames = FRAMES};
    int ok = measure_ways(b, ways, &locks) && measure_ways(b, ways, &plasma);
    for (unsigned i = 0; i < WAYS; i++) {
        free(ways[i].seconds);
        free(ways[i].ratio);
        free(ways[i].cpu);
    }
    return ok;
}

/* ----------------------------------------------------------------------------------- the events */

/* Writes a trace of a shorter run and keeps its events. */
static int load_events(bench *b)
{
    way binary = {.tracer = "binary"};
    const work locks = {.title = "locks", .rounds = 500};
    double cpu;
    if (run_once(b, &binary, &locks, &cpu) < 0) {
        return failed("weft run", "the title could not be run");
    }
    b->source = weft_trace_open(b->trace);
    const weft_event *event;
    while ((event = weft_trace_next(b->source)) != NULL) {
        size_t count = event->size / 8;
        if (b->used + count > b->room) {
            b->room = (b->room + count) * 2;
            b->words = text_grow(b->words, b->room * 8);
        }
        memcpy(b->words + b->used, event, event->size);
        b->used += count;
        b->events++;
        b->guest += event->category == WEFT_CLASS_GUEST;
        b->last_tick = event->tick > b->last_tick ? event->tick : b->last_tick;
    }
    const char *where, *why = weft_trace_failed(b->source, &where);
    return why ? failed(where, why) : 1;
}

/* A part that is a tracer, outside of a run. */
typedef struct alone {
    loader loader;
    errors errors;
    ini text;
    profile profile;
    run run;
    part *part;
} alone;

static int declares(const weft_plugin_desc *d, const char *key)
{
    for (uint32_t i = 0; i < d->option_count; i++) {
        const weft_option *o =
            (const weft_option *)((const char *)d->options + i * d->option_stride);
        if (strcmp(o->key, key) == 0) {
            return 1;
        }
    }
    return 0;
}

/* Creates a tracer that writes to the bench's file, if to any. 0 where it cannot be. */
static int alone_start(alone *a, const bench *b, const char *id)
{
    char why[512], assignment[400];
    *a = (alone){0};
    loader_start(&a->loader, WEFT_BUILD_DIR "/plugins");
    a->text.errors = &a->errors;
    snprintf(assignment, sizeof assignment, "tracer.plugin=%s", id);
    ini_set(&a->text, assignment);
    ini_set(&a->text, "kernel.plugin=hle");
    plugin *p = loader_find(&a->loader, WEFT_ROLE_TRACER, id, why, sizeof why);
    if (p && declares(p->desc, "path")) {
        snprintf(assignment, sizeof assignment, "tracer.path=%s", b->trace);
        ini_set(&a->text, assignment);
    }
    static const run_options options = {.title = "locks.xex", .arguments = ""};
    int ok = p &&
             profile_resolve(&a->profile, &a->text, &a->loader, "bench",
                             UINT32_C(1) << WEFT_ROLE_TRACER) == 0 &&
             run_start(&a->run, &a->loader, &a->profile, &options) == 0;
    a->part = &a->run.parts[WEFT_ROLE_TRACER];
    return ok && run_create_part(&a->run, WEFT_ROLE_TRACER) == 0;
}

static void alone_end(alone *a)
{
    if (a->part) {
        run_end(&a->run);
    }
    profile_free(&a->profile);
    ini_free(&a->text);
    errors_free(&a->errors);
    loader_end(&a->loader);
}

/* --------------------------------------------------------------------------- the guest's thread */

/* Builds an event as the kernel does, field by field and word by word, and emits it. */
static void emit_again(const weft_host *host, const weft_event *from)
{
    weft_event_buffer event;
    uint32_t count;
    const uint64_t *words = weft_trace_words(from, &count);
    weft_event_begin(&event, from->kind);
    event.head.hw = from->hw;
    event.head.thread = from->thread;
    event.head.tick = from->tick;
    event.head.cycle = from->cycle;
    event.head.tid = from->tid;
    for (uint32_t i = 0; i < count; i++) {
        weft_event_word(&event, words[i]);
    }
    host->emit(host, &event.head);
}

/* Emits a burst from *at on; it goes round. */
static void burst(const bench *b, alone *a, size_t *at)
{
    for (uint64_t i = 0; i < BURST_EVENTS; i++) {
        const weft_event *event = (const weft_event *)(b->words + *at);
        *at += event->size / 8;
        *at = *at < b->used ? *at : 0;
        emit_again(&a->part->host, event);
    }
}

static int measure_emit(bench *b)
{
    static double times[BURSTS];
    alone a;
    size_t at = 0;
    if (!alone_start(&a, b, "tracer-binary")) {
        return failed("tracer-binary", "cannot be created");
    }
    events *e = &a.run.events;
    tracer_slot slot = {
        .ops = &a.part->ops.tracer, .instance = a.part->self, .id = "tracer-binary"};
    if (events_start(e, &slot, "locks.xex", "", 0) != WEFT_OK) {
        return failed("tracer-binary", "cannot be opened");
    }
    progress("events on the guest thread");
    for (unsigned i = 0; i < BURSTS; i++) {
        double start = now();
        burst(b, &a, &at);
        times[i] = (now() - start) / (double)BURST_EVENTS * 1e9;
        while (atomic_load(&e->ring.tail) != ring_head(&e->ring)) {
            usleep(100);
        }
    }
    uint64_t stalls = e->ring.stalls;
    events_finish(e);
    alone_end(&a);
    progress("");
    double middle = median(times, BURSTS);
    printf("guest thread: %.2f ns an event, built and emitted (median of %u bursts; nine in ten "
           "within %.2f)\n",
           middle, BURSTS, times[BURSTS * 9 / 10]);
    cJSON_AddNumberToObject(b->json, "guest_ns_per_event", middle);
    cJSON_AddNumberToObject(b->json, "guest_ns_per_event_p90", times[BURSTS * 9 / 10]);
    return stalls == 0 || failed("ring", "a burst did not fit");
}

/* ------------------------------------------------------------------------------------ backends */

static void no_digest(void *names, char hex[33])
{
    memset(hex, '0', 32);
    hex[32] = 0;
}

/* Hands the title's events on, again and again, as one run that goes on. Returns how many. */
static uint64_t feed(const bench *b, alone *a, double until)
{
    weft_event_buffer copy;
    uint64_t sent = 0;
    for (uint64_t turn = 0; sent < BACKEND_EVENTS && now() < until; turn++) {
        for (size_t at = 0; at < b->used;) {
            const weft_event *event = (const weft_event *)(b->words + at);
            memcpy(&copy, event, event->size);
            copy.head.sequence = sent++;
            copy.head.tick += turn * b->last_tick;
            /* the index of a thread goes on as if each had as many events as all together */
            copy.head.index += event->category == WEFT_CLASS_GUEST ? turn * b->guest : 0;
            a->part->ops.tracer.event(a->part->self, &copy.head);
            at += event->size / 8;
        }
    }
    return sent;
}

static void measure_backend(bench *b, cJSON *rows, const char *id)
{
    alone a;
    unlink(b->trace);
    progress(id);
    int ok = alone_start(&a, b, id);
    if (!ok || strcmp(a.part->plugin->desc->id, "tracer-none") == 0) {
        progress("");
        printf("%-22s left out: it does not run alone\n", id);
        alone_end(&a);
        return;
    }
    static const char zeros[] = "00000000000000000000000000000000";
    weft_trace_begin begin = {
        .size = sizeof begin,
        .engine = "weft",
        .build = WEFT_VERSION,
        .title = "locks.xex",
        .profile_digest = zeros,
        .digest = zeros,
        .name = weft_trace_name_of,
        .names = b->source,
        .digest_now = no_digest,
    };
    double start = now();
    weft_status status = a.part->ops.tracer.open(a.part->self, &begin);
    uint64_t sent = status == WEFT_OK ? feed(b, &a, start + BACKEND_TIME) : 0;
    status = status == WEFT_OK ? a.part->ops.tracer.close(a.part->self, sent - 1, zeros) : status;
    double seconds = now() - start;
    progress("");
    if (status != WEFT_OK) {
        char *why = part_sentence(a.part, "it does not run alone");
        printf("%-22s left out: %s\n", id, why);
        free(why);
    } else {
        double rate = (double)sent / seconds, bytes = file_size(b->trace) / (double)sent;
        printf("%-22s %9.2f million events/s %8.1f ns/event %9.3f B/event\n", id, rate * 1e-6,
               1e9 / rate, bytes);
        cJSON *row = cJSON_CreateObject();
        cJSON_AddItemToArray(rows, row);
        cJSON_AddStringToObject(row, "name", id);
        cJSON_AddNumberToObject(row, "events_per_second", rate);
        cJSON_AddNumberToObject(row, "bytes_per_event", bytes);
    }
    fflush(stdout);
    alone_end(&a);
}

static void measure_backends(bench *b)
{
    cJSON *rows = cJSON_AddArrayToObject(b->json, "backends");
    char **paths = loader_list(WEFT_BUILD_DIR "/plugins");
    printf("\ntracers, each alone on one thread\n");
    for (size_t i = 0; paths && paths[i]; i++) {
        char *id = text_file_name(paths[i]);
        char *suffix = strstr(id, ".so");
        if (strncmp(id, "tracer-", 7) == 0 && suffix) {
            *suffix = 0;
            measure_backend(b, rows, id);
        }
        free(id);
        free(paths[i]);
    }
    free(paths);
}

/* ---------------------------------------------------------------------------------------- main */

static int remove_one(const char *path, const struct stat *info, int flag, struct FTW *walk)
{
    return remove(path);
}

static int write_json(const bench *b, const char *path)
{
    char *text = cJSON_Print(b->json);
    FILE *file = fopen(path, "w");
    int ok = file && fprintf(file, "%s\n", text) > 0;
    ok = (!file || fclose(file) == 0) && ok;
    free(text);
    return ok || failed(path, "cannot be written");
}

static const char usage[] =
    "usage: bench trace [--json FILE] [--runs N] [--rounds N]\n"
    "Runs the titles locks and plasma untraced and with a binary trace, in turns, N times each\n"
    "(default 9); prints what the trace costs, what an event costs the guest's thread, and how "
    "many\n"
    "events a second each tracer takes. rounds is the length of a run of locks (default 40000).\n";

/* A number from 1 on; 0 where it is none. */
static unsigned number(const char *text)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    return *text >= '0' && *text <= '9' && !*end && value <= 10000000 ? (unsigned)value : 0;
}

static int parse(bench *b, int argc, char **argv, const char **json)
{
    for (int i = 1; i < argc; i++) {
        int more = i + 1 < argc;
        if (strcmp(argv[i], "--json") == 0 && more) {
            *json = argv[++i];
        } else if (strcmp(argv[i], "--runs") == 0 && more && number(argv[i + 1])) {
            b->runs = number(argv[++i]);
        } else if (strcmp(argv[i], "--rounds") == 0 && more && number(argv[i + 1])) {
            b->rounds = number(argv[++i]);
        } else {
            int asked = strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0;
            fputs(usage, asked ? stdout : stderr);
            return asked ? 0 : 2;
        }
    }
    return -1;
}

int main(int argc, char **argv)
{
    bench b = {.runs = 9, .rounds = 40000};
    const char *json = NULL;
    int asked = parse(&b, argc, argv, &json);
    if (asked >= 0) {
        return asked;
    }
    snprintf(b.folder, sizeof b.folder, "%s/bench-trace-XXXXXX", WEFT_BUILD_DIR);
    if (!mkdtemp(b.folder)) {
        return !failed(b.folder, strerror(errno));
    }
    snprintf(b.trace, sizeof b.trace, "%s/trace", b.folder);
    snprintf(b.report, sizeof b.report, "%s/report.json", b.folder);
    b.json = cJSON_CreateObject();
    b.load_before = load_now();
    int ok = measure_runs(&b) && load_events(&b) && measure_emit(&b);
    if (ok) {
        measure_backends(&b);
        b.load_after = load_now();
        long cores = sysconf(_SC_NPROCESSORS_ONLN);
        printf("\n%ld cores; load average %.2f before, %.2f after\n", cores, b.load_before,
               b.load_after);
        cJSON_AddNumberToObject(b.json, "cores", (double)cores);
        cJSON_AddNumberToObject(b.json, "load_before", b.load_before);
        cJSON_AddNumberToObject(b.json, "load_after", b.load_after);
        ok = !json || write_json(&b, json);
    }
    weft_trace_close(b.source);
    free(b.words);
    cJSON_Delete(b.json);
    nftw(b.folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    return !ok;
}
