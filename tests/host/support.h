/* support.h: files, folders and processes for the host's tests. */
#ifndef WEFT_TESTS_HOST_SUPPORT_H
#define WEFT_TESTS_HOST_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* Where the test programs' plugins lie: a copy of weft with fake plugins beside it. */
#define RUN_FOLDER WEFT_BUILD_DIR "/tests/host-run"
#define BAD_FOLDER WEFT_BUILD_DIR "/tests/bad-plugins"

/* A fresh folder, removed by folder_end. */
static inline void folder_start(char folder[64])
{
    strcpy(folder, "/tmp/weft-test-XXXXXX");
    assert_non_null(mkdtemp(folder));
}

static inline void folder_end(const char *folder)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    assert_int_equal(system(command), 0);
}

/* Writes FOLDER/NAME; `path` (256 bytes) receives its full name. */
static inline void file_write(const char *folder, const char *name, const char *text, char *path)
{
    snprintf(path, 256, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    fclose(file);
}

/* The whole of a file, allocated; NULL when there is none. */
static inline char *file_text(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file) {
        return NULL;
    }
    char *text = calloc(1, 1 << 20);
    size_t length = fread(text, 1, (1 << 20) - 1, file);
    text[length] = 0;
    fclose(file);
    return text;
}

/* What a finished program left. */
typedef struct outcome {
    int code; /* exit code, or -signal */
    char *out, *err;
} outcome;

/* Runs a command line through the shell inside `folder`. */
static inline outcome process(const char *folder, const char *format, ...)
{
    char line[4096], command[8192];
    va_list list;
    va_start(list, format);
    vsnprintf(line, sizeof line, format, list);
    va_end(list);
    snprintf(command, sizeof command, "cd '%s' && { %s ; } >out.txt 2>err.txt", folder, line);
    int status = system(command);
    char path[256];
    outcome o;
    o.code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    snprintf(path, sizeof path, "%s/out.txt", folder);
    o.out = file_text(path);
    snprintf(path, sizeof path, "%s/err.txt", folder);
    o.err = file_text(path);
    return o;
}

static inline void outcome_free(outcome *o)
{
    free(o->out);
    free(o->err);
}

/* `text` must contain `part`; prints both when it does not. */
static inline void assert_contains(const char *text, const char *part)
{
    if (!text || !strstr(text, part)) {
        fail_msg("expected to find: %s\nin: %s", part, text ? text : "nothing");
    }
}

#endif
