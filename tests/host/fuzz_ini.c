/* fuzz_ini.c: any bytes as a profile: parsed, typed against the built-in plugins, printed, and read
 * back. Nothing may crash, and what prints must parse. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/profile.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A few files to include; the process's working folder becomes theirs. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static const char *const files[][2] = {
        {"a", "[machine]\nseed = 4\n[include]\nfile = b\n"},
        {"b", "[tracer]\nplugin = none\n[include]\nfile = c\n"},
        {"c", "[include]\nfile = a\n"}, /* a circle */
        {"d", "[schedule]\nlookahead = 5\n"},
    };
    char folder[] = "/tmp/weft-fuzz-XXXXXX";
    if (!mkdtemp(folder) || chdir(folder)) {
        abort();
    }
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        FILE *file = fopen(files[i][0], "w");
        if (!file || fputs(files[i][1], file) < 0 || fclose(file)) {
            abort();
        }
    }
    return 0;
}

/* Splits the input at the first NUL: a profile, then a --set. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    loader l;
    errors list = {0};
    profile p;
    ini text = {.errors = &list};
    const uint8_t *nul = memchr(data, 0, size);
    size_t length = nul ? (size_t)(nul - data) : size;
    loader_start(&l, NULL);
    /* absolute includes would read whatever the machine has, devices too: no name, no includes */
    int opens = memmem(data, length, "/", 1) == NULL;
    ini_read_memory(&text, opens ? "fuzz.ini" : NULL, (const char *)data, length);
    if (nul) {
        char *set = text_copy_n((const char *)nul + 1, size - length - 1);
        ini_set(&text, set);
        free(set);
    }
    profile_resolve(&p, &text, &l, "fuzz", PROFILE_ALL_ROLES);
    if (list.count == 1 && strstr(list.lines[0], "[kernel] plugin is missing") && !nul) {
        buffer out = {0};
        ini again = {.errors = &list};
        profile_print(&p, &out);
        if (ini_read_memory(&again, NULL, out.bytes, out.length)) {
            abort();
        }
        ini_free(&again);
        buffer_free(&out);
    }
    profile_free(&p);
    ini_free(&text);
    errors_free(&list);
    loader_end(&l);
    return 0;
}
