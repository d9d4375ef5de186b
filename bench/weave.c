/* weave.c: `./dev bench weave`: the founding experiment as a table (docs/policy.md, "policy-follow").
 *
 * A title's run in parallel mode is the reference: host threads weave its guest threads as they please.
 * Lockstep runs of the same title are held against it, under policies that know more and more of it:
 * nothing, contended entries, time stamps of several resolutions, numbers. What matches is counted per
 * thread, up to the first event that differs in canonical form; kinds that say whether somebody happened
 * to wait are left out. Each row runs three times, and must come out the same. */
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
#include <sys/wait.h>
#include <unistd.h>

#define IGNORED   "wake.requested,signal.match"
#define MOST_ARGS 32
#define REPEATS   3
#define COST_RUNS 9

typedef struct bench {
    char folder[256];
    const char *title, *json;
    char arguments[64], long_arguments[64];
    int lockstep; /* 1: the reference is a lockstep run with another lookahead */
} bench;

/* What a run against the reference came to. */
typedef struct result {
    uint64_t main_matched, main_total, matched, total; /* of guest threads */
    uint64_t relaxed, early;
    char digest[40];
    int stable;
} result;

static int failed(const char *where, const char *why)
{
    fprintf(stderr, "bench: error: %s: %s\n", where, why);
    return 0;
}

static char *in_folder(const bench *b, const char *name)
{
    char *path = NULL;
    return asprintf(&path, "%s/%s", b->folder, name) < 0 ? NULL : path;
}

/* Runs `weft ARGUMENTS...` (NULL-ended), its words into `log`. Its exit code; *cpu: processor time. */
static int weft(const bench *b, double *cpu, const char *const *arguments)
{
    const char *argv[MOST_ARGS + 2] = {"weft"};
    char *log = in_folder(b, "log.txt");
    struct rusage usage;
    int code;
    for (int i = 0; arguments[i] && i < MOST_ARGS; i++) {
        argv[i + 1] = arguments[i];
    }
    pid_t child = fork();
    if (child == 0) {
        int file = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        dup2(file, 1);
        dup2(file, 2);
        execv(WEFT_BUILD_DIR "/weft", (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    free(log);
    if (child < 0 || wait4(child, &code, 0, &usage) != child || !WIFEXITED(code)) {
        return -1;
    }
    *cpu = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
    return WEXITSTATUS(code);
}

static char *read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct stat status;
    char *text = NULL;
    if (file && fstat(fileno(file), &status) == 0 &&
        (text = calloc(1, (size_t)status.st_size + 1)) != NULL) {
        if (fread(text, 1, (size_t)status.st_size, file) != (size_t)status.st_size) {
            free(text);
            text = NULL;
        }
    }
    if (file) {
        fclose(file);
    }
    return text;
}

static cJSON *read_json(const bench *b, const char *name)
{
    char *path = in_folder(b, name), *text = read_file(path);
    cJSON *json = text ? cJSON_Parse(text) : NULL;
    free(text);
    free(path);
    return json;
}

static uint64_t number(const cJSON *json, const char *name)
{
    const cJSON *item = cJSON_GetObjectItem(json, name);
    return cJSON_IsNumber(item) ? (uint64_t)item->valuedouble : 0;
}

static const char *text_of(const cJSON *json, const char *name)
{
    const cJSON *item = cJSON_GetObjectItem(json, name);
    return cJSON_IsString(item) ? item->valuestring : "";
}

static int show_log(const bench *b, const char *what)
{
    char *path = in_folder(b, "log.txt"), *text = read_file(path);
    fprintf(stderr, "%s", text ? text : "");
    free(text);
    free(path);
    return failed(what, "did not end as it should");
}

/* ---- runs -------------------------------------------------------------------------------------- */

/* A run under `settings` (up to 8, NULL-ended), its report into run.json; with `trace`, its events too. */
static int run_title(const bench *b, const char *const *settings, const char *trace,
                     const char *title_arguments, double *cpu)
{
    const char *argv[MOST_ARGS] = {"run", "--headless", "--set", "machine.log=info", "--json"};
    char *report = in_folder(b, "run.json"), *path = trace ? in_folder(b, trace) : NULL;
    int n = 5;
    argv[n++] = report;
    for (int i = 0; settings[i]; i++) {
        argv[n++] = "--set";
        argv[n++] = settings[i];
    }
    if (path) {
        argv[n++] = "--trace";
        argv[n++] = path;
    }
    argv[n++] = b->title;
    argv[n++] = "--";
    argv[n++] = title_arguments;
    int code = weft(b, cpu, argv);
    free(report);
    free(path);
    return code == 0 || show_log(b, "weft run");
}

static int make_manifest(const bench *b, const char *kind, const char *value, const char *reference,
                         const char *name)
{
    double cpu;
    char *from = in_folder(b, reference), *to = in_folder(b, name);
    const char *argv[] = {
        "trace", "manifest", "--out", to, from, kind, value ? "--from-times" : NULL, value, NULL};
    int code = weft(b, &cpu, argv);
    free(from);
    free(to);
    return code == 0 || show_log(b, "weft trace manifest");
}

/* How far a trace goes as the reference, thread by thread. */
static int compare(const bench *b, const char *reference, const char *trace, result *r)
{
    double cpu;
    char *ref = in_folder(b, reference), *ours = in_folder(b, trace),
         *report = in_folder(b, "diff.json");
    const char *argv[] = {"trace", "diff", "--ignore", IGNORED, "--out", report, ref, ours, NULL};
    int code = weft(b, &cpu, argv);
    cJSON *json = code == 0 || code == 6 ? read_json(b, "diff.json") : NULL;
    const cJSON *threads = cJSON_GetObjectItem(json, "threads");
    for (const cJSON *t = threads ? threads->child : NULL; t; t = t->next) {
        const char *name = text_of(t, "ref");
        uint64_t total = number(t, "ref_total"), ignored = number(t, "ref_ignored");
        if (strncmp(name, "thread:", 7) == 0) {
            r->matched += number(t, "matched");
            r->total += total - ignored;
        }
        if (strcmp(name, "thread:main") == 0) {
            r->main_matched = number(t, "matched");
            r->main_total = total - ignored;
        }
    }
    cJSON_Delete(json);
    free(ref);
    free(ours);
    free(report);
    return (json && r->total > 0) || show_log(b, "weft trace diff");
}

/* "N WORD" in the log, or 0. */
static uint64_t from_log(const char *text, const char *word)
{
    const char *at = text ? strstr(text, word) : NULL;
    if (!at || at == text) {
        return 0;
    }
    at--; /* the space before it */
    while (at > text && at[-1] >= '0' && at[-1] <= '9') {
        at--;
    }
    return strtoull(at, NULL, 10);
}

/* Three runs under the same settings; the first is compared. */
static int measure(const bench *b, const char *const *settings, result *r)
{
    *r = (result){.stable = 1};
    for (int i = 0; i < REPEATS; i++) {
        double cpu;
        if (!run_title(b, settings, i == 0 ? "ours.wtr" : NULL, b->arguments, &cpu)) {
            return 0;
        }
        cJSON *json = read_json(b, "run.json");
        const char *digest = text_of(json, "trace_digest");
        r->stable &= i == 0 || strcmp(digest, r->digest) == 0;
        snprintf(r->digest, sizeof r->digest, "%s", digest);
        cJSON_Delete(json);
    }
    char *path = in_folder(b, "log.txt"), *log = read_file(path);
    r->relaxed = from_log(log, "relaxed");
    r->early = from_log(log, "early");
    free(log);
    free(path);
    return compare(b, "ref.wtr", "ours.wtr", r);
}

/* ---- the table --------------------------------------------------------------------------------- */

static double per_cent(uint64_t part, uint64_t whole)
{
    return whole ? 100.0 * (double)part / (double)whole : 0;
}

static int has_policy(const char *id)
{
    char path[512];
    snprintf(path, sizeof path, WEFT_BUILD_DIR "/plugins/policy-%s.so", id);
    return access(path, R_OK) == 0;
}

static void put_row(const char *name, const result *r, cJSON *rows)
{
    printf("%-30s %7" PRIu64 " %6.2f %% %9" PRIu64 " %6.2f %% %8" PRIu64 " %6" PRIu64 "  %s\n",
           name, r->main_matched, per_cent(r->main_matched, r->main_total), r->matched,
           per_cent(r->matched, r->total), r->relaxed, r->early, r->stable ? "yes" : "NO");
    fflush(stdout);
    cJSON *row = cJSON_CreateObject();
    cJSON_AddStringToObject(row, "name", name);
    cJSON_AddNumberToObject(row, "main_matched", (double)r->main_matched);
    cJSON_AddNumberToObject(row, "main_events", (double)r->main_total);
    cJSON_AddNumberToObject(row, "matched", (double)r->matched);
    cJSON_AddNumberToObject(row, "events", (double)r->total);
    cJSON_AddNumberToObject(row, "relaxed", (double)r->relaxed);
    cJSON_AddNumberToObject(row, "early", (double)r->early);
    cJSON_AddBoolToObject(row, "stable", r->stable);
    cJSON_AddItemToArray(rows, row);
}

/* Identities of the title's critical sections, which are named by a place in the image, with commas. */
static char *sections_of(const bench *b)
{
    cJSON *json = read_json(b, "order.json");
    const cJSON *objects = cJSON_GetObjectItem(json, "objects");
    char *list = calloc(1, 1024);
    for (const cJSON *o = objects ? objects->child : NULL; list && o; o = o->next) {
        if (strncmp(text_of(o, "name"), "event:", 6) == 0 && !strchr(text_of(o, "name"), '@') &&
            strlen(list) + 20 < 1024) {
            strcat(strcat(list, *list ? "," : ""), text_of(o, "id"));
        }
    }
    cJSON_Delete(json);
    return list;
}

static int table(const bench *b, cJSON *json)
{
    static const struct {
        const char *name, *policy, *option, *file, *times;
    } rows[] = {
        {"nothing", "conservative", NULL, NULL, NULL},
        {"contention, conservative", "conservative", "manifest", "contention.json", NULL},
        {"contention, aggressive", "aggressive", "manifest", "contention.json", NULL},
        {"per_cs_yield, all sections", "per_cs_yield", "sections", NULL, NULL},
        {"order from times, 100 us", "follow", "order", "times.json", "100"},
        {"order from times, 10 us", "follow", "order", "times.json", "10"},
        {"order from times, 1 us", "follow", "order", "times.json", "1"},
        {"order from times, 0.1 us", "follow", "order", "times.json", "0.1"},
        {"order by numbers", "follow", "order", "order.json", NULL},
    };
    cJSON *list = cJSON_AddArrayToObject(json, "rows");
    result first = {0}, r;
    int good = 1;
    printf("%-30s %7s %8s %9s %8s %8s %6s  %s\n", "what lockstep knows", "main", "", "all", "",
           "relaxed", "early", "three alike");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char policy[64], option[1400] = "";
        if (!has_policy(rows[i].policy)) {
            printf("%-30s skipped: there is no policy-%s\n", rows[i].name, rows[i].policy);
            continue;
        }
        if (rows[i].times && !make_manifest(b, "--order", rows[i].times, "ref.wtr", rows[i].file)) {
            return 0;
        }
        snprintf(policy, sizeof policy, "policy.plugin=%s", rows[i].policy);
        if (rows[i].option) {
            char *value = rows[i].file ? in_folder(b, rows[i].file) : sections_of(b);
            snprintf(option, sizeof option, "policy.%s=%s", rows[i].option, value);
            free(value);
        }
        const char *settings[] = {policy, *option ? option : NULL, NULL};
        if (!measure(b, settings, &r)) {
            return 0;
        }
        put_row(rows[i].name, &r, list);
        good &= r.stable;
        if (i == 0) {
            first = r;
        } else if (i == 1 && r.matched != first.matched) {
            good = failed(rows[i].name, "changed what matches (expected it not to)");
        }
    }
    return good;
}

/* ---- cost --------------------------------------------------------------------------------------
 * Processor time, of the user and of the system, of whole runs; medians over COST_RUNS rounds in each of
 * which every kind of run takes its turn, so that what else the machine does is shared. */

/* One kind of run, and what it took. */
typedef struct kind {
    const char *settings[3]; /* NULL-ended */
    const char *arguments;
    double seconds[COST_RUNS];
    uint64_t events, slices;
    char digest[40];
} kind;

static int by_size(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static double median(const double *values)
{
    double sorted[COST_RUNS];
    memcpy(sorted, values, sizeof sorted);
    qsort(sorted, COST_RUNS, sizeof *sorted, by_size);
    return sorted[COST_RUNS / 2];
}

static int take_turns(const bench *b, kind *kinds, int count)
{
    for (int i = 0; i < COST_RUNS; i++) {
        for (int j = 0; j < count; j++) {
            kind *k = &kinds[j];
            if (!run_title(b, k->settings, NULL, k->arguments, &k->seconds[i])) {
                return 0;
            }
            cJSON *json = read_json(b, "run.json");
            k->events = number(json, "trace_events");
            k->slices = number(json, "slices");
            snprintf(k->digest, sizeof k->digest, "%s", text_of(json, "trace_digest"));
            cJSON_Delete(json);
            if (k->events == 0) {
                return failed("weft run", "told of no events");
            }
        }
    }
    return 1;
}

/* Median of how much longer than `alone` a kind took, less what reading its manifest did, in per cent;
 * `events`: for each event. */
static double dearer(const kind *alone, const kind *k, double reading, int events)
{
    double ratios[COST_RUNS];
    double scale = events ? (double)alone->events / (double)k->events : 1;
    for (int i = 0; i < COST_RUNS; i++) {
        ratios[i] = 100 * ((k->seconds[i] - reading) * scale / alone->seconds[i] - 1);
    }
    return median(ratios);
}

enum { ALONE, OWN, REFERENCE, SHORT, SHORT_OWN, SHORT_REFERENCE, KINDS };

/* A run of each kind, alone and following; then a long reference matched against. */
static int cost(const bench *b, const char *const *reference, cJSON *json)
{
    double cpu;
    result r = {0};
    char *order = in_folder(b, "long.json"), *own_order = in_folder(b, "own.json");
    char option[320], own_option[320];
    snprintf(option, sizeof option, "policy.order=%s", order);
    snprintf(own_option, sizeof own_option, "policy.order=%s", own_order);
    free(order);
    free(own_order);
    const char *none[] = {NULL}, *following[] = {"policy.plugin=follow", option, NULL};
    if (!run_title(b, reference, "long.wtr", b->long_arguments, &cpu) ||
        !make_manifest(b, "--order", NULL, "long.wtr", "long.json") ||
        !run_title(b, following, "long-ours.wtr", b->long_arguments, &cpu) ||
        !compare(b, "long.wtr", "long-ours.wtr", &r) ||
        !run_title(b, none, "own.wtr", b->long_arguments, &cpu) ||
        !make_manifest(b, "--order", NULL, "own.wtr", "own.json")) {
        return 0;
    }
    kind kinds[KINDS] = {
        [ALONE] = {.arguments = b->long_arguments},
        [OWN] = {.settings = {"policy.plugin=follow", own_option}, .arguments = b->long_arguments},
        [REFERENCE] = {.settings = {"policy.plugin=follow", option},
                       .arguments = b->long_arguments},
        [SHORT] = {.arguments = "rounds=1"},
        [SHORT_OWN] = {.settings = {"policy.plugin=follow", own_option}, .arguments = "rounds=1"},
        [SHORT_REFERENCE] = {.settings = {"policy.plugin=follow", option}, .arguments = "rounds=1"},
    };
    if (!take_turns(b, kinds, KINDS)) {
        return 0;
    }
    double start = median(kinds[SHORT].seconds);
    double reading_own = median(kinds[SHORT_OWN].seconds) - start;
    double reading = median(kinds[SHORT_REFERENCE].seconds) - start;
    const kind *alone = &kinds[ALONE], *own = &kinds[OWN], *ref = &kinds[REFERENCE];
    int same = strcmp(alone->digest, own->digest) == 0;
    double same_cost = dearer(alone, own, reading_own, 0), cost = dearer(alone, ref, reading, 1);
    printf("\n%s: %" PRIu64 " events in the order of the reference: %" PRIu64 " of %" PRIu64
           " matched, %.3f %%\n",
           b->long_arguments, ref->events, r.matched, r.total, per_cent(r.matched, r.total));
    printf(
        "\nprocessor time (user + system), medians of %d runs in turns; manifests are read before "
        "the run, in %.1f and %.1f ms\n",
        COST_RUNS, reading_own * 1e3, reading * 1e3);
    printf("%-44s %9s %8s %8s %9s\n", "", "events", "slices", "ms", "cost");
    printf("%-44s %9" PRIu64 " %8" PRIu64 " %8.1f\n", "alone", alone->events, alone->slices,
           median(alone->seconds) * 1e3);
    printf("%-44s %9" PRIu64 " %8" PRIu64 " %8.1f %+7.1f %%  %s\n", "following its own order",
           own->events, own->slices, median(own->seconds) * 1e3, same_cost,
           same ? "of the same events: the digests are equal" : "DIGESTS DIFFER");
    printf("%-44s %9" PRIu64 " %8" PRIu64
           " %8.1f %+7.1f %%  for each event, of which it has others\n",
           "following the reference", ref->events, ref->slices, median(ref->seconds) * 1e3, cost);
    cJSON_AddNumberToObject(json, "long_events", (double)ref->events);
    cJSON_AddNumberToObject(json, "long_matched", (double)r.matched);
    cJSON_AddNumberToObject(json, "long_total", (double)r.total);
    cJSON_AddNumberToObject(json, "alone_seconds", median(alone->seconds));
    cJSON_AddNumberToObject(json, "own_seconds", median(own->seconds));
    cJSON_AddNumberToObject(json, "own_reading_seconds", reading_own);
    cJSON_AddNumberToObject(json, "own_cost_per_cent", same_cost);
    cJSON_AddNumberToObject(json, "follow_seconds", median(ref->seconds));
    cJSON_AddNumberToObject(json, "follow_reading_seconds", reading);
    cJSON_AddNumberToObject(json, "follow_cost_per_cent", cost);
    return same || failed("following its own order", "changed the run (expected the same digest)");
}

/* What a switch costs: the same work in many more slices, and passes of a token between threads that
 * wait for it. */
static int switches(const bench *b, cJSON *json)
{
    bench work = *b, pass = *b;
    work.title = WEFT_BUILD_DIR "/titles/lockfree.xex";
    pass.title = WEFT_BUILD_DIR "/titles/pingpong.xex";
    kind kinds[] = {
        {.settings = {"schedule.lookahead=20000"}, .arguments = "rounds=60000"},
        {.settings = {"schedule.lookahead=100"}, .arguments = "rounds=60000"},
    };
    kind passes = {.arguments = "rounds=50000"};
    if (!take_turns(&work, kinds, 2) || !take_turns(&pass, &passes, 1)) {
        return 0;
    }
    double ns[COST_RUNS];
    for (int i = 0; i < COST_RUNS; i++) {
        ns[i] = (kinds[1].seconds[i] - kinds[0].seconds[i]) * 1e9 /
                (double)(kinds[1].slices - kinds[0].slices);
    }
    double whole = median(passes.seconds) * 1e9 / (double)passes.slices;
    printf("\na switch: %.0f ns (lockfree, the same work in %" PRIu64 " slices and in %" PRIu64
           "); with a signal, a wait and %.0f events: %.0f ns (pingpong, whole run)\n",
           median(ns), kinds[0].slices, kinds[1].slices,
           (double)passes.events / (double)passes.slices, whole);
    cJSON_AddNumberToObject(json, "switch_ns", median(ns));
    cJSON_AddNumberToObject(json, "pass_ns", whole);
    return 1;
}

/* ---- the program ------------------------------------------------------------------------------- */

static int weave(const bench *b, cJSON *json)
{
    double cpu;
    const char *reference[] = {b->lockstep ? "schedule.lookahead=2000" : "schedule.mode=parallel",
                               NULL};
    printf("%s, %s; reference: a run %s\n", strrchr(b->title, '/') + 1, b->arguments,
           b->lockstep ? "in lockstep with another lookahead" : "in parallel mode");
    printf("events of canonical form matched up to the first that differs, without " IGNORED
           "\n\n");
    if (!run_title(b, reference, "ref.wtr", b->arguments, &cpu) ||
        !make_manifest(b, "--order", NULL, "ref.wtr", "order.json") ||
        !make_manifest(b, "--enters", NULL, "ref.wtr", "contention.json")) {
        return 0;
    }
    cJSON_AddStringToObject(json, "reference", b->lockstep ? "lookahead" : "parallel");
    cJSON *contention = read_json(b, "contention.json");
    printf("contended entries in the reference: %" PRIu64 "\n\n",
           number(cJSON_GetObjectItem(contention, "summary"), "total_contention_events_kept"));
    cJSON_Delete(contention);
    return table(b, json) & cost(b, reference, json) & switches(b, json);
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status, (void)type, (void)walk;
    return remove(path);
}

int main(int argc, char **argv)
{
    bench b = {.title = WEFT_BUILD_DIR "/titles/wedge.xex"};
    unsigned rounds = 200, long_rounds = 3000;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0 && i + 1 < argc) {
            b.json = argv[++i];
        } else if (strcmp(argv[i], "--rounds") == 0 && i + 1 < argc) {
            rounds = (unsigned)strtoul(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--long-rounds") == 0 && i + 1 < argc) {
            long_rounds = (unsigned)strtoul(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--title") == 0 && i + 1 < argc) {
            b.title = argv[++i];
        } else if (strcmp(argv[i], "--lockstep") == 0) {
            b.lockstep = 1;
        } else {
            printf("usage: bench weave [--title T.xex] [--rounds N] [--long-rounds N] [--lockstep] "
                   "[--json FILE]\n");
            return strcmp(argv[i], "--help") == 0 ? 0 : 2;
        }
    }
    snprintf(b.arguments, sizeof b.arguments, "rounds=%u", rounds);
    snprintf(b.long_arguments, sizeof b.long_arguments, "rounds=%u", long_rounds);
    const char *place = getenv("TMPDIR");
    snprintf(b.folder, sizeof b.folder, "%s/weft-weave-XXXXXX", place ? place : "/tmp");
    if (!strchr(b.title, '/') || access(b.title, R_OK) != 0) {
        return failed(b.title, "cannot be read (expected a title by its path)"), 1;
    }
    if (!mkdtemp(b.folder)) {
        return failed(b.folder, strerror(errno)), 1;
    }
    cJSON *json = cJSON_CreateObject();
    int good = weave(&b, json);
    if (b.json) {
        char *text = cJSON_Print(json);
        FILE *file = fopen(b.json, "wb");
        good &= file && fputs(text, file) >= 0;
        good &= file && fclose(file) == 0;
        free(text);
    }
    cJSON_Delete(json);
    nftw(b.folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    return good ? 0 : 1;
}
