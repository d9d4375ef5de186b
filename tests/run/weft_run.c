#include "weft_run.h"

#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGUMENTS_MAX 32
#define SECONDS_MAX   120

static char *slurp(const char *path)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    rewind(file);
    char *text = malloc((size_t)size + 1);
    assert_non_null(text);
    text[fread(text, 1, (size_t)size, file)] = 0;
    fclose(file);
    return text;
}

static int remove_one(const char *path, const struct stat *info, int flag, struct FTW *walk)
{
    return remove(path);
}

static char folder[64];

static void scratch_remove(void)
{
    nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *scratch(void)
{
    if (!*folder) {
        strcpy(folder, "/tmp/weft-run-XXXXXX");
        assert_non_null(mkdtemp(folder));
        atexit(scratch_remove);
    }
    return folder;
}

char *scratch_file(const char *name)
{
    char *path = malloc(strlen(scratch()) + strlen(name) + 2);
    assert_non_null(path);
    sprintf(path, "%s/%s", scratch(), name);
    return path;
}

static void redirect(const char *path, int to)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd < 0 || dup2(fd, to) < 0) {
        _exit(126);
    }
}

static weft_run execute(char **arguments)
{
    weft_run run = {.status = -1};
    char *out = scratch_file("stdout"), *err = scratch_file("stderr");
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        alarm(SECONDS_MAX);
        redirect(out, STDOUT_FILENO);
        redirect(err, STDERR_FILENO);
        execv(WEFT_PROGRAM, arguments);
        _exit(127);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    run.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    run.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    run.out = slurp(out);
    run.err = slurp(err);
    free(out);
    free(err);
    return run;
}

static int gather(char **arguments, int used, const char *first, va_list list)
{
    for (const char *a = first; a; a = va_arg(list, const char *)) {
        assert_true(used < ARGUMENTS_MAX);
        arguments[used++] = (char *)a;
    }
    return used;
}

weft_run weft(const char *first, ...)
{
    char *arguments[ARGUMENTS_MAX + 1] = {WEFT_PROGRAM};
    va_list list;
    va_start(list, first);
    gather(arguments, 1, first, list);
    va_end(list);
    return execute(arguments);
}

weft_run weft_json(const char *first, ...)
{
    char *report = scratch_file("report.json");
    unlink(report);
    char *arguments[ARGUMENTS_MAX + 1] = {WEFT_PROGRAM, "run", "--headless", "--json", report};
    va_list list;
    va_start(list, first);
    gather(arguments, 5, first, list);
    va_end(list);
    weft_run run = execute(arguments);
    if (access(report, R_OK) == 0) {
        char *text = slurp(report);
        run.json = cJSON_Parse(text);
        free(text);
    }
    free(report);
    return run;
}

void weft_free(weft_run *run)
{
    free(run->out);
    free(run->err);
    cJSON_Delete(run->json);
    memset(run, 0, sizeof *run);
}

int lines_with(const char *text, const char *part)
{
    int count = 0;
    for (const char *line = text; *line;) {
        const char *end = strchr(line, '\n');
        size_t length = end ? (size_t)(end - line) : strlen(line);
        count += memmem(line, length, part, strlen(part)) != NULL;
        line += length + (end != NULL);
    }
    return count;
}

const char *title(const char *name)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/titles/%s.xex", WEFT_BUILD_DIR, name);
    if (access(path, R_OK) != 0) {
        print_message("no %s: built without the guest compiler\n", path);
        skip();
    }
    return path;
}

const char *report_text(const weft_run *run, const char *key)
{
    assert_non_null(run->json);
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(run->json, key));
    assert_non_null(text);
    return text;
}

double report_number(const weft_run *run, const char *key)
{
    assert_non_null(run->json);
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(run->json, key);
    assert_true(cJSON_IsNumber(item));
    return item->valuedouble;
}
