/* common.c: the way from flags to a frozen profile. */
#include "common.h"

#include <stdlib.h>
#include <unistd.h>

#ifndef WEFT_CONFIG_PLACE /* installed profiles, relative to the program; set by the build */
#define WEFT_CONFIG_PLACE "../share/weft/configs"
#endif

/* stock.ini beside the program's build, or where it was installed. */
static char *default_profile(const loader *l)
{
    static const char *const places[] = {"configs", "../configs", WEFT_CONFIG_PLACE};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        char *path = text_format("%s/%s/stock.ini", l->program_folder, places[i]);
        if (access(path, R_OK) == 0) {
            return path;
        }
        free(path);
    }
    return text_format("%s/configs/stock.ini", l->program_folder);
}

void setup_read(setup *s, const char *path, const char *plugins)
{
    *s = (setup){0};
    loader_start(&s->loader, plugins);
    s->text.errors = &s->errors;
    s->name = path ? text_copy(path) : default_profile(&s->loader);
    ini_read_file(&s->text, s->name);
}

int setup_resolve(setup *s, uint32_t roles)
{
    if (s->text.layers > 0) { /* something was read: more can be said about it */
        profile_resolve(&s->profile, &s->text, &s->loader, s->name, roles);
    }
    if (s->errors.count == 0) {
        return 0;
    }
    errors_print(&s->errors, stderr);
    return s->loader.refused > 0 ? EXIT_PLUGIN : EXIT_USAGE;
}

void setup_free(setup *s)
{
    profile_free(&s->profile);
    ini_free(&s->text);
    errors_free(&s->errors);
    loader_end(&s->loader);
    free(s->name);
}
