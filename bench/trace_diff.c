/* trace_diff.c: `./dev bench diff`: how long two large traces take to be told apart.
 *
 * Traffic of eight threads that call the kernel is made up (seeded, own arithmetic), and written down
 * twice in each format: as it is, and with one answer changed near the end. `weft trace diff` compares
 * them, a process of its own each time; what it finds must be the event that was changed. Time is by
 * the wall clock, from the start of the process to its end; memory is the process's peak. What had to
 * come from the disk is told too: it says more of the disk than of the comparison. */
#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "line.h"
#include "writer.h"

#define THREADS    8
#define MOST_RUNS  32
#define LINE_BYTES UINT64_C(300) /* a line of such traffic takes less */

/* What is called: how often among 100 calls, and what happens within. */
typedef struct callee {
    const char *text;
    uint32_t often, arguments;
    enum { PLAIN, VOID, WAITS, OPENS, CLOSES, SIGNALS, ALLOCATES } does;
} callee;

static const callee callees[] = {
    {"xboxkrnl.exe!RtlEnterCriticalSection(cs)#293", 27, 1, VOID},
    {"xboxkrnl.exe!RtlLeaveCriticalSection(cs)#304", 27, 1, VOID},
    {"xboxkrnl.exe!KeQueryPerformanceFrequency()#131", 2, 0, PLAIN},
    {"xboxkrnl.exe!NtWaitForSingleObjectEx(handle,mode,alertable,timeout)#253", 8, 4, WAITS},
    {"xboxkrnl.exe!NtSetEvent(event,previous_out)#242", 8, 2, SIGNALS},
    {"xboxkrnl.exe!KeAcquireSpinLockAtRaisedIrql(lock)#77", 5, 1, VOID},
    {"xboxkrnl.exe!KeReleaseSpinLockFromRaisedIrql(lock)#137", 5, 1, VOID},
    {"xboxkrnl.exe!NtReadFile(handle,event,apc,context,iosb,buffer,length,offset)#240", 4, 8,
     PLAIN},
    {"xboxkrnl.exe!NtCreateFile(handle_out,access,attributes,iosb,size,flags,share,mode)#210", 2, 8,
     OPENS},
    {"xboxkrnl.exe!NtClose(handle)#207", 2, 1, CLOSES},
    {"xboxkrnl.exe!ExAllocatePoolTypeWithTag(size,tag,type)#11", 3, 3, ALLOCATES},
    {"xboxkrnl.exe!KeRaiseIrqlToDpcLevel()#129", 4, 0, PLAIN},
    {"xboxkrnl.exe!XamInputGetState(user,flags,state)#401", 3, 3, PLAIN},
};

#define CALLEES (sizeof callees / sizeof *callees)

typedef struct traffic {
    uint64_t seed, sequence, tick, count;
    uint64_t export_ids[CALLEES], threads[THREADS], indices[THREADS], cycles[THREADS];
    uint64_t objects[64];
    uint64_t opened, allocated;
    uint64_t plant_at; /* the first answer from this event on is changed; UINT64_MAX: none */
    uint64_t planted;  /* its sequence */
    uint32_t planted_tid;

    weft_trace_writer *writer;
    int lines;
    out text;
    line_table table;
    weft_trace_begin begin;
    int failed;
} traffic;

typedef struct bench {
    char folder[256];
    const char *json;
    uint64_t events, planted;
    uint32_t planted_tid;
    unsigned runs;
} bench;

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static int failed(const char *where, const char *why)
{
    fprintf(stderr, "bench: error: %s: %s\n", where, why);
    return 0;
}

/* splitmix64, after its public-domain description (Vigna 2015). */
static uint64_t next(traffic *t)
{
    uint64_t z = t->seed += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static uint64_t below(traffic *t, uint64_t limit)
{
    return next(t) % limit;
}

/* ---- events ----------------------------------------------------------------------------------- */

static void write_lines(traffic *t, size_t least)
{
    if (t->text.used < least) {
        return;
    }
    size_t done = 0;
    while (done < t->text.used && !t->failed) {
        ssize_t n = write(t->lines, t->text.bytes + done, t->text.used - done);
        t->failed |= n < 0 && errno != EINTR;
        done += n > 0 ? (size_t)n : 0;
    }
    t->text.used = 0;
}

/* Numbers an event of thread n, and writes it in both formats. */
static void emit(traffic *t, unsigned n, weft_event_buffer *event)
{
    const line_context context = {.table = &t->table, .begin = &t->begin};
    weft_event *head = &event->head;
    head->sequence = t->sequence++;
    head->tick = t->tick += 20 + below(t, 400);
    if (head->category == WEFT_CLASS_GUEST) {
        head->thread = t->threads[n];
        head->tid = n + 1;
        head->hw = (uint8_t)(n % 6);
        head->index = t->indices[n]++;
        head->cycle = t->cycles[n] += 10 + below(t, 300);
    }
    if (head->kind == WEFT_EVENT_KERNEL_RETURN && head->sequence >= t->plant_at && !t->planted) {
        t->planted = head->sequence;
        t->planted_tid = head->tid;
        event->words[1] ^= 1;
    }
    weft_trace_writer_add(t->writer, head);
    line_event(&t->text, &context, head);
    write_lines(t, 1 << 20);
}

static void event_of(traffic *t, unsigned n, uint16_t kind, const uint64_t *words, uint32_t count)
{
    weft_event_buffer event;
    weft_event_begin(&event, kind);
    for (uint32_t i = 0; i < count; i++) {
        weft_event_word(&event, words[i]);
    }
    emit(t, n, &event);
}

static uint64_t define(traffic *t, const char *what, const char *text)
{
    uint64_t id = weft_fnv1a(text, strlen(text));
    weft_event_buffer event;
    weft_event_begin(&event, WEFT_EVENT_DEFINE);
    weft_event_word(&event, id);
    weft_event_text(&event, what, strlen(what));
    weft_event_text(&event, text, strlen(text));
    emit(t, 0, &event);
    return id;
}

static void call(traffic *t, unsigned n)
{
    uint64_t pick = below(t, 100), answer = below(t, 20) ? 0 : UINT64_C(0xffffffffc0000034);
    size_t which = 0;
    while (pick >= callees[which].often) {
        pick -= callees[which++].often;
    }
    const callee *c = &callees[which];
    uint64_t id = t->export_ids[which], object = t->objects[below(t, 64)];
    weft_event_buffer event;
    event_of(t, n, WEFT_EVENT_IMPORT_CALL, (const uint64_t[]){id, 0x82000000 + below(t, 4096) * 4},
             2);
    weft_event_begin(&event, WEFT_EVENT_KERNEL_CALL);
    weft_event_word(&event, id);
    weft_event_word(&event, c->arguments);
    for (uint32_t i = 0; i < c->arguments; i++) {
        uint64_t kinds[3] = {0x82a00000 + below(t, 512) * 32, 0x70000000 + n * 0x10000 + i * 16,
                             below(t, 16)};
        weft_event_word(&event, kinds[i == 0 ? 0 : 1 + below(t, 2)]);
    }
    char path[64];
    int length = snprintf(path, sizeof path, "game:\\media\\part%02u.bin", (unsigned)below(t, 40));
    weft_event_text(&event, path, c->does == OPENS ? (size_t)length : 0);
    emit(t, n, &event);
    switch (c->does) {
    case WAITS:
        event_of(t, n, WEFT_EVENT_WAIT_BEGIN, (const uint64_t[]){1, object, 30000000, 0, 0}, 5);
        event_of(t, n, WEFT_EVENT_WAIT_END, (const uint64_t[]){0, object, below(t, 9000)}, 3);
        break;
    case SIGNALS:
        event_of(t, n, WEFT_EVENT_SIGNAL_MATCH,
                 (const uint64_t[]){object, t->threads[(n + 1) % THREADS]}, 2);
        break;
    case OPENS:
        event_of(t, n, WEFT_EVENT_HANDLE_CREATE,
                 (const uint64_t[]){object, 1, 0xf8000000 + 4 * (t->opened++ % 256)}, 3);
        break;
    case CLOSES:
        event_of(t, n, WEFT_EVENT_HANDLE_DESTROY,
                 (const uint64_t[]){object, 0xf8000000 + 4 * below(t, 256), 1}, 3);
        break;
    case ALLOCATES:
        answer = 0x40000000 + t->allocated % 1024 * 0x1000;
        event_of(t, n, WEFT_EVENT_MEMORY_ALLOC,
                 (const uint64_t[]){(t->allocated + 1) * UINT64_C(0x9e3779b97f4a7c15), answer,
                                    0x800, 0, 0x82000100, t->allocated, 4, 0x6c6f6f70 /* "pool" */},
                 8);
        t->allocated++;
        break;
    default:
        break;
    }
    event_of(t, n, c->does == VOID ? WEFT_EVENT_KERNEL_RETURN_VOID : WEFT_EVENT_KERNEL_RETURN,
             (const uint64_t[]){id, answer}, c->does == VOID ? 1 : 2);
}

/* The text of an export, for its lines. */
static const char *name(void *names, uint64_t id)
{
    const traffic *t = names;
    for (size_t i = 0; i < CALLEES; i++) {
        if (t->export_ids[i] == id) {
            return callees[i].text;
        }
    }
    return NULL;
}

static void show(const char *text, uint64_t done, uint64_t all)
{
    if (isatty(STDERR_FILENO)) {
        fprintf(stderr, "\r\033[K%s %" PRIu64 " %%", text, done * 100 / all);
    }
}

/* One run in both formats. */
static int make(bench *b, int planted)
{
    char paths[2][320];
    int files[2];
    static const char *const ends[] = {"wtr", "jsonl"};
    for (int i = 0; i < 2; i++) {
        snprintf(paths[i], sizeof paths[i], "%s/%s.%s", b->folder, planted ? "ours" : "ref",
                 ends[i]);
        files[i] = open(paths[i], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (files[i] < 0) {
            return failed(paths[i], strerror(errno));
        }
    }
    traffic *t = calloc(1, sizeof *t);
    if (!t) {
        return failed("bench diff", "no memory");
    }
    t->seed = 2005;
    t->lines = files[1];
    t->plant_at = planted ? b->events - b->events / 1000 - 1 : UINT64_MAX;
    t->begin = (weft_trace_begin){.size = sizeof t->begin,
                                  .engine = "weft",
                                  .build = "bench",
                                  .title = "traffic.xex",
                                  .profile_digest = "00000000000000000000000000000000",
                                  .digest = "99aa06d3014798d86001c324468d497f",
                                  .name = name,
                                  .names = t};
    const line_context context = {.table = &t->table, .begin = &t->begin};
    line_table_init(&t->table);
    t->writer = weft_trace_writer_new(files[0], &t->begin, 0, 65536);
    line_begin(&t->text, &context);
    for (size_t i = 0; i < CALLEES; i++) {
        t->export_ids[i] = define(t, "export", callees[i].text);
    }
    for (unsigned n = 0; n < 64; n++) {
        char text[64];
        snprintf(text, sizeof text, "event:main@traffic.xex+0x10#%u", n);
        t->objects[n] = define(t, "object", text);
        snprintf(text, sizeof text, "thread:main/%u", n);
        if (n < THREADS) {
            t->threads[n] = define(t, "thread", text);
        }
    }
    while (t->sequence < b->events && !t->failed) {
        unsigned n = (unsigned)below(t, THREADS);
        for (uint64_t burst = 1 + below(t, 40); burst > 0; burst--) {
            call(t, n);
        }
        if (below(t, 512) == 0) {
            show(planted ? "changed traces" : "traces", t->sequence, b->events);
        }
    }
    weft_trace_writer_end(t->writer, t->sequence - 1, "");
    line_end(&t->text, &context, t->sequence - 1, "");
    write_lines(t, 0);
    int error = weft_trace_writer_error(t->writer, &(uint64_t){0});
    weft_trace_writer_free(t->writer);
    int good = !error && !t->failed && !t->text.no_memory;
    b->planted = t->planted;
    b->planted_tid = t->planted_tid;
    out_free(&t->text);
    free(t);
    good = close(files[0]) == 0 && close(files[1]) == 0 && good;
    return good ? 1 : failed(b->folder, "cannot write the traces");
}

/* ---- comparing -------------------------------------------------------------------------------- */

typedef struct measured {
    double seconds[MOST_RUNS], cpu, memory; /* the largest; memory in MiB */
    double disk;                            /* MB that were not in the page cache, the least */
    uint64_t bytes;
} measured;

/* The event that the report calls the first divergence. */
static int check(const bench *b, const char *report)
{
    FILE *file = fopen(report, "rb");
    struct stat status;
    if (!file || fstat(fileno(file), &status) != 0) {
        return failed(report, "no report");
    }
    char *text = calloc(1, (size_t)status.st_size + 1);
    size_t length = text ? fread(text, 1, (size_t)status.st_size, file) : 0;
    fclose(file);
    cJSON *json = length ? cJSON_Parse(text) : NULL;
    free(text);
    const cJSON *first = cJSON_GetObjectItem(json, "first");
    const cJSON *pair =
        cJSON_IsNumber(first)
            ? cJSON_GetArrayItem(cJSON_GetObjectItem(json, "threads"), (int)first->valuedouble)
            : NULL;
    const cJSON *at = cJSON_GetObjectItem(pair, "ours_sequence");
    const cJSON *field = cJSON_GetObjectItem(pair, "field");
    const cJSON *tid = cJSON_GetObjectItem(pair, "ours_tid");
    int good = cJSON_IsNumber(at) && (uint64_t)at->valuedouble == b->planted &&
               cJSON_IsNumber(tid) && (uint32_t)tid->valuedouble == b->planted_tid &&
               cJSON_IsString(field) && strcmp(field->valuestring, "return_value") == 0;
    if (!good) {
        fprintf(stderr, "bench: error: %s: found event %.0f, planted %" PRIu64 "\n", report,
                cJSON_IsNumber(at) ? at->valuedouble : -1, b->planted);
    }
    cJSON_Delete(json);
    return good;
}

static int compare(const bench *b, const char *end, measured *m, unsigned run)
{
    char ref[320], ours[320], report[320];
    struct stat status;
    struct rusage usage;
    int code;
    snprintf(ref, sizeof ref, "%s/ref.%s", b->folder, end);
    snprintf(ours, sizeof ours, "%s/ours.%s", b->folder, end);
    snprintf(report, sizeof report, "%s/report.json", b->folder);
    m->bytes = stat(ref, &status) == 0 ? (uint64_t)status.st_size : 0;
    double begin = now();
    pid_t child = fork();
    if (child == 0) {
        execl(WEFT_BUILD_DIR "/weft", "weft", "trace", "diff", "--out", report, ref, ours,
              (char *)NULL);
        _exit(127);
    }
    if (child < 0 || wait4(child, &code, 0, &usage) != child) {
        return failed("weft trace diff", strerror(errno));
    }
    m->seconds[run] = now() - begin;
    double cpu = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                 (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
    double memory = (double)usage.ru_maxrss / 1024;
    m->cpu = cpu > m->cpu ? cpu : m->cpu;
    m->memory = memory > m->memory ? memory : m->memory;
    double disk = (double)usage.ru_inblock * 512 / 1e6;
    m->disk = run == 0 || disk < m->disk ? disk : m->disk;
    if (!WIFEXITED(code) || WEXITSTATUS(code) != 6) {
        return failed("weft trace diff", "did not end with exit code 6");
    }
    return check(b, report);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static int measure(const bench *b, cJSON *json)
{
    static const struct {
        const char *end;
        double aim, limit;
    } formats[] = {{"wtr", 0.05, 1}, {"jsonl", 3, 10}};
    printf("%-6s %8s %8s %8s %8s %10s %10s %8s\n", "format", "MB each", "s", "cpu s", "disk MB",
           "aim/limit", "peak MiB", "found");
    for (int i = 0; i < 2; i++) {
        measured m = {.memory = 0};
        for (unsigned run = 0; run < b->runs; run++) {
            if (!compare(b, formats[i].end, &m, run)) {
                return 0;
            }
        }
        qsort(m.seconds, b->runs, sizeof *m.seconds, by_size);
        double seconds = m.seconds[b->runs / 2];
        printf("%-6s %8.0f %8.3f %8.3f %8.0f %4g/%-5g %10.1f %8" PRIu64 "\n", formats[i].end,
               (double)m.bytes / 1e6, seconds, m.cpu, m.disk, formats[i].aim, formats[i].limit,
               m.memory, b->planted);
        cJSON *row = cJSON_AddObjectToObject(json, formats[i].end);
        cJSON_AddNumberToObject(row, "bytes", (double)m.bytes);
        cJSON_AddNumberToObject(row, "seconds", seconds);
        cJSON_AddNumberToObject(row, "cpu_seconds", m.cpu);
        cJSON_AddNumberToObject(row, "disk_mb", m.disk);
        cJSON_AddNumberToObject(row, "peak_mib", m.memory);
    }
    return 1;
}

static int write_json(const cJSON *json, const char *path)
{
    char *text = cJSON_Print(json);
    FILE *file = fopen(path, "wb");
    int good = text && file && fputs(text, file) >= 0 && fputc('\n', file) >= 0;
    good = file && fclose(file) == 0 && good;
    free(text);
    return good ? 1 : failed(path, strerror(errno));
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    return remove(path);
}

static const char usage[] =
    "usage: bench diff [--events N] [--runs N] [--folder DIR] [--json FILE]\n"
    "       Times `weft trace diff` on two traces with one event changed near the end.\n"
    "  --events N     events of each trace (18000000, which needs 12.5 GB for a while)\n"
    "  --runs N       comparisons of each format, of which the median counts (3)\n"
    "  --folder DIR   where the traces are for that while (the build's)\n"
    "  --json FILE    the numbers once more\n";

static int parse(bench *b, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        int more = i + 1 < argc;
        char *end = NULL;
        if (strcmp(argv[i], "--events") == 0 && more) {
            b->events = strtoull(argv[++i], &end, 10);
        } else if (strcmp(argv[i], "--runs") == 0 && more) {
            b->runs = (unsigned)strtoul(argv[++i], &end, 10);
        } else if (strcmp(argv[i], "--folder") == 0 && more) {
            snprintf(b->folder, sizeof b->folder, "%s", argv[++i]);
        } else if (strcmp(argv[i], "--json") == 0 && more) {
            b->json = argv[++i];
        } else {
            int asked = strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0;
            fputs(usage, asked ? stdout : stderr);
            return asked ? 0 : 2;
        }
        if ((end && *end) || b->events < 1000 || b->runs < 1 || b->runs > MOST_RUNS) {
            fputs(usage, stderr);
            return 2;
        }
    }
    return -1;
}

int main(int argc, char **argv)
{
    bench b = {.events = 18000000, .runs = 3, .folder = WEFT_BUILD_DIR};
    int asked = parse(&b, argc, argv);
    if (asked >= 0) {
        return asked;
    }
    size_t length = strlen(b.folder);
    snprintf(b.folder + length, sizeof b.folder - length, "/bench-diff-XXXXXX");
    if (!mkdtemp(b.folder)) {
        return !failed(b.folder, strerror(errno));
    }
    struct statvfs room;
    uint64_t needed = 2 * b.events * LINE_BYTES;
    int good = statvfs(b.folder, &room) == 0 && (uint64_t)room.f_bavail * room.f_frsize > needed;
    if (!good) {
        fprintf(stderr, "bench: error: %s: not enough room (expected %" PRIu64 " MB)\n", b.folder,
                needed / 1000000);
    }
    cJSON *json = cJSON_CreateObject();
    cJSON_AddNumberToObject(json, "events", (double)b.events);
    double load = 0;
    good = good && make(&b, 0) && make(&b, 1);
    if (isatty(STDERR_FILENO)) {
        fprintf(stderr, "\r\033[K");
    }
    getloadavg(&load, 1);
    good = good && measure(&b, json);
    printf("%ld cores; load average %.2f before\n", sysconf(_SC_NPROCESSORS_ONLN), load);
    good = good && (!b.json || write_json(json, b.json));
    cJSON_Delete(json);
    nftw(b.folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    return !good;
}
