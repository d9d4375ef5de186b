/* profile.h: what a run is made of, typed and complete.
 *
 * profile_resolve turns text (ini.h) into sections whose every key has a value: given, or the
 * default of the plugin's declaration or of the host's own tables. After it returns nothing changes
 * any more; plugins are created from it. */
#ifndef WEFT_HOST_PROFILE_H
#define WEFT_HOST_PROFILE_H

#include "filter.h"
#include "ini.h"
#include "loader.h"
#include "option.h"

#define PROFILE_SCHEDULE WEFT_ROLE_COUNT       /* index of [schedule] */
#define PROFILE_MACHINE  (WEFT_ROLE_COUNT + 1) /* index of [machine] */
#define PROFILE_SECTIONS (WEFT_ROLE_COUNT + 2)

typedef struct profile_value {
    const weft_option *option;
    option_value value;
    char *where; /* who set it; NULL: the default */
} profile_value;

typedef struct profile_section {
    const char *name;
    plugin *plugin; /* NULL: the run has no such part */
    profile_value *values;
    size_t count;
} profile_section;

typedef struct profile {
    profile_section sections[PROFILE_SECTIONS]; /* by role; [0] is unused */
    weft_machine machine;
    uint32_t checked;
    uint32_t pace; /* hold guest time to the host's clock */
    uint32_t log;  /* WEFT_LOG_* */
} profile;

#define PROFILE_ALL_ROLES UINT32_MAX

/* -1 when `text->errors` gained a line. `name` stands where no line can be named. Bit 1 << ROLE of
 * `roles`: that part is wanted; what the profile says of the others is not looked at. */
int profile_resolve(profile *p, const ini *text, loader *l, const char *name, uint32_t roles);

/* A key's value in a section, or NULL. */
const profile_value *profile_get(const profile *p, uint32_t section, const char *key);

/* What a [tracer] section's kinds, threads, exports and objects let through. NULL with the reason in
 * `why` (`room` bytes); not after profile_resolve has accepted the section. The caller frees it. */
weft_filter *profile_tracer_filter(const profile_section *s, char *why, size_t room);

/* The whole profile as a valid INI, each key with what it may be and where it was set. */
void profile_print(const profile *p, buffer *out);

/* XXH3-128 over the canonical text of everything that a lockstep run depends on: plugins with their
 * versions, their options and the machine, sorted; without [tracer], [frontend], log, checked and pace.
 * `extra` is appended (hashes of title, input script, state). `hex` holds 33 bytes. */
void profile_digest(const profile *p, const char *extra, char *hex);

void profile_free(profile *p);

#endif
