/* weave_run.c: see weave.h. */
#include "weave.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST_ARGS 32

int weave_failed(const char *where, const char *why)
{
    fprintf(stderr, "bench: error: %s: %s\n", where, why);
    return 0;
}

char *weave_path(const bench *b, const char *name)
{
    char *path = NULL;
    return asprintf(&path, "%s/%s", b->folder, name) < 0 ? NULL : path;
}

/* Runs `weft ARGUMENTS...` (NULL-ended), its words into `log`. Its exit code; *cpu: processor time. */
static int weft(const bench *b, double *cpu, const char *const *arguments)
{
    const char *argv[MOST_ARGS + 2] = {"weft"};
    char *log = weave_path(b, "log.txt");
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

char *weave_read(const char *path)
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

cJSON *weave_json(const bench *b, const char *name)
{
    char *path = weave_path(b, name), *text = weave_read(path);
    cJSON *json = text ? cJSON_Parse(text) : NULL;
    free(text);
    free(path);
    return json;
}

uint64_t weave_number(const cJSON *json, const char *name)
{
    const cJSON *item = cJSON_GetObjectItem(json, name);
    return cJSON_IsNumber(item) ? (uint64_t)item->valuedouble : 0;
}

const char *weave_text(const cJSON *json, const char *name)
{
    const cJSON *item = cJSON_GetObjectItem(json, name);
    return cJSON_IsString(item) ? item->valuestring : "";
}

static int show_log(const bench *b, const char *what)
{
    char *path = weave_path(b, "log.txt"), *text = weave_read(path);
    fprintf(stderr, "%s", text ? text : "");
    free(text);
    free(path);
    return weave_failed(what, "did not end as it should");
}

/* ---- runs -------------------------------------------------------------------------------------- */

/* A run under `settings` (up to 8, NULL-ended), its report into run.json; with `trace`, its events too. */
int weave_run(const bench *b, const char *const *settings, const char *trace,
              const char *title_arguments, double *cpu)
{
    const char *argv[MOST_ARGS] = {"run", "--headless", "--set", "machine.log=info", "--json"};
    char *report = weave_path(b, "run.json"), *path = trace ? weave_path(b, trace) : NULL;
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

int weave_manifest(const bench *b, const char *kind, const char *value, const char *reference,
                   const char *name)
{
    double cpu;
    char *from = weave_path(b, reference), *to = weave_path(b, name);
    const char *argv[] = {
        "trace", "manifest", "--out", to, from, kind, value ? "--from-times" : NULL, value, NULL};
    int code = weft(b, &cpu, argv);
    free(from);
    free(to);
    return code == 0 || show_log(b, "weft trace manifest");
}

/* How far a trace goes as the reference, thread by thread. */
int weave_compare(const bench *b, const char *reference, const char *trace, match *m)
{
    double cpu;
    char *ref = weave_path(b, reference), *ours = weave_path(b, trace),
         *report = weave_path(b, "diff.json");
    const char *argv[] = {"trace", "diff", "--ignore", WEAVE_IGNORED, "--out",
                          report,  ref,    ours,       NULL};
    int code = weft(b, &cpu, argv);
    cJSON *json = code == 0 || code == 6 ? weave_json(b, "diff.json") : NULL;
    const cJSON *threads = cJSON_GetObjectItem(json, "threads");
    for (const cJSON *t = threads ? threads->child : NULL; t; t = t->next) {
        const char *name = weave_text(t, "ref");
        uint64_t total = weave_number(t, "ref_total"), ignored = weave_number(t, "ref_ignored");
        if (strncmp(name, "thread:", 7) == 0) {
            m->matched += weave_number(t, "matched");
            m->total += total - ignored;
        }
        if (strcmp(name, "thread:main") == 0) {
            m->main_matched = weave_number(t, "matched");
            m->main_total = total - ignored;
        }
    }
    cJSON_Delete(json);
    free(ref);
    free(ours);
    free(report);
    return (json && m->total > 0) || show_log(b, "weft trace diff");
}

double weave_per_cent(uint64_t part, uint64_t whole)
{
    return whole ? 100.0 * (double)part / (double)whole : 0;
}
