/* common.h: what several commands do first: find a profile, layer the overrides on it, type it. */
#ifndef WEFT_HOST_COMMON_H
#define WEFT_HOST_COMMON_H

#include "../run.h"

/* A profile on its way to a run. */
typedef struct setup {
    loader loader;
    errors errors;
    ini text;
    profile profile;
    char *name; /* the profile's path */
} setup;

/* Reads `path`, or the default stock.ini when it is NULL. Errors are collected. */
void setup_read(setup *s, const char *path, const char *plugins);

/* Types what the roles need (bits as profile_resolve has them). Returns 0, or the exit code after
 * printing every error. */
int setup_resolve(setup *s, uint32_t roles);
void setup_free(setup *s);

#endif
