/* fuzz_ini.c: any bytes as a profile: parsed, typed against the built-in plugins, printed, and read
 * back. Nothing may crash, and what prints must parse. */
#include <stdlib.h>
#include <string.h>

#include "host/profile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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
    /* without a name, so that [include] opens no files */
    ini_read_memory(&text, NULL, (const char *)data, length);
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
