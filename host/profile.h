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
    int further; /* of a tracer beside the profile's own; 2: of one without filters of its own */
} profile_section;

/* A tracer or policy that takes over while the title runs: a rule of swap_at. */
typedef struct profile_swap {
    uint32_t what; /* SWAP_AT_* (swap.h) */
    uint64_t at;
    profile_section section;
} profile_swap;

typedef struct profile {
    profile_section sections[PROFILE_SECTIONS]; /* by role; [0] is unused */
    weft_machine machine;
    profile_swap *swaps; /* in the order in which they come */
    size_t swap_count;
    profile_swap *policy_swaps;
    size_t policy_swap_count;
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

/* What a [tracer] section's kinds, threads, exports and objects let through. NULL with the
 * reason in `why` (`room` bytes); not after profile_resolve has accepted the section. The
 * caller frees it. */
weft_filter *profile_tracer_filter(const profile_section *s, char *why, size_t room);

/* A tracer, or a policy, that somebody asks for beside the profile's own. */
typedef struct tracer_wish {
    const char *where; /* stands before every error; NULL: "--set KEY" */
    const char *id;
    char *const *settings; /* "key=value" */
    size_t count;
    int child; /* another tracer hands it events, which have passed that one's filters */
} tracer_wish;

/* Types its settings as profile_resolve does; the filters (kinds and so on) are the profile's where
 * it does not name them. -1 after adding to `list`. profile_section_free ends `s`. */
int profile_tracer(profile_section *s, const profile *base, const tracer_wish *wish, errors *list,
                   loader *l);
void profile_section_free(profile_section *s);

/* The same for a policy that takes over; `child` has no meaning. */
int profile_policy(profile_section *s, const tracer_wish *wish, errors *list, loader *l);
profile_section profile_section_copy(const profile_section *s);

/* The whole profile as a valid INI, each key with what it may be and where it was set. */
void profile_print(const profile *p, buffer *out);

/* XXH3-128 over the canonical text of everything that a lockstep run depends on: plugins with
 * their versions, their options and the machine, sorted; without [tracer], [frontend], log,
 * checked and pace. `extra` is appended (hashes of title, input script, state). `hex` holds 33
 * bytes. */
void profile_digest(const profile *p, const char *extra, char *hex);

void profile_free(profile *p);

#endif
