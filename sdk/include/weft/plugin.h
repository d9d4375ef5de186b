/* weft/plugin.h: what a shared object is to Weft.
 *
 * A plugin is a .so with one exported data symbol:
 *
 *     WEFT_EXPORT const weft_plugin_desc weft_plugin = { .size = sizeof(weft_plugin_desc), ... };
 *
 * The host reads the descriptor and decides, before it calls anything in the plugin, whether the
 * two fit: equal ABI major, host minor >= plugin minor, and while major is 0 equal minor; a
 * sanitizer build loads only into a host built with the same sanitizers. A refusal names both
 * sides. `weft plugins FILE.so` prints all that the descriptor says.
 *
 * Growth: every struct that crosses starts with `size`, and grows only at the tail; arrays carry a
 * stride. A pointer past the plugin's `size` reads as NULL, which means the default written at the
 * member.
 *
 * Lifetimes: the descriptor and all that it points to until the .so is unloaded; an instance from
 * create to destroy; what an op is passed until the op returns, if its comment says nothing else.
 * No globals: two instances of any plugin can live in one process, but WEFT_PLUGIN_SINGLE ones. */
#ifndef WEFT_PLUGIN_H
#define WEFT_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#include "status.h"
#include "threads.h"

#ifdef __cplusplus
extern "C" {
#endif

/* History of the version: 0.1 first version. */
#define WEFT_ABI_MAJOR 0
#define WEFT_ABI_MINOR 1

#if defined(__GNUC__)
#define WEFT_EXPORT __attribute__((visibility("default")))
#else
#define WEFT_EXPORT
#endif

/* Size and offset assertions of this SDK; the numbers are the ABI on every 64-bit host. */
#ifdef __cplusplus
#define WEFT_STATIC_ASSERT(condition, text) static_assert(condition, text)
#else
#define WEFT_STATIC_ASSERT(condition, text) _Static_assert(condition, text)
#endif

typedef struct weft_host weft_host; /* host.h */

/* Roles. A profile has one section per role; a plugin has exactly one. */
#define WEFT_ROLE_CPU      UINT32_C(1)
#define WEFT_ROLE_KERNEL   UINT32_C(2)
#define WEFT_ROLE_GPU      UINT32_C(3)
#define WEFT_ROLE_TRACER   UINT32_C(4)
#define WEFT_ROLE_POLICY   UINT32_C(5)
#define WEFT_ROLE_FRONTEND UINT32_C(6)
#define WEFT_ROLE_COUNT    7 /* one past the last; 0 is no role */

/* Descriptor flags; an unknown flag is refused. */
#define WEFT_PLUGIN_SINGLE    UINT32_C(1) /* a second instance in the process is refused */
#define WEFT_PLUGIN_PERMANENT UINT32_C(2) /* never unloaded (libraries with global state) */

/* Option types. Values travel as text in the profile and are checked against these. */
#define WEFT_OPTION_INT    UINT32_C(1) /* decimal or 0x; minimum..maximum inclusive */
#define WEFT_OPTION_BOOL   UINT32_C(2) /* yes/no, true/false, on/off, 1/0 */
#define WEFT_OPTION_STRING UINT32_C(3) /* any text */
#define WEFT_OPTION_CHOICE UINT32_C(4) /* one word of `choices`, which are separated by '|' */
#define WEFT_OPTION_PATH   UINT32_C(5) /* host path; a relative one starts at the working folder */

/* Option flags; an unknown flag is refused. */
#define WEFT_OPTION_HOST                                                                           \
    UINT32_C(1) /* nothing that the guest sees depends on it: no part of the profile digest */

/* One key that the plugin's section of a profile may hold. */
typedef struct weft_option {
    const char *key;           /* [a-z0-9_.]+, unique in the plugin */
    uint32_t type;             /* WEFT_OPTION_* */
    uint32_t flags;            /* WEFT_OPTION_HOST, or 0 */
    const char *default_value; /* as a profile would write it; never NULL */
    int64_t minimum, maximum;  /* of INT; ignored elsewhere */
    const char *choices;       /* of CHOICE: "a|b|c"; else NULL */
    const char *help;          /* one sentence; never NULL */
} weft_option;

typedef struct weft_plugin_desc {
    uint32_t size;                 /* sizeof(weft_plugin_desc) as the plugin was compiled */
    uint16_t abi_major, abi_minor; /* WEFT_ABI_MAJOR, WEFT_ABI_MINOR */
    uint32_t role;                 /* WEFT_ROLE_* */
    uint32_t flags;                /* WEFT_PLUGIN_* */
    const char *id;                /* "ROLE-NAME", equal to the file's name without .so */
    const char *version;           /* the plugin's own, free text */
    const char *summary;           /* one line */
    const char *sanitizers;        /* WEFT_SANITIZERS of this build: "" for a plain one */
    const weft_option *options;    /* option_count records, option_stride bytes apart */
    uint32_t option_count;
    uint32_t option_stride;   /* sizeof(weft_option) */
    const char *const *needs; /* host extensions it cannot do without, NULL-ended; or NULL */
    const void *ops;          /* the role's weft_ROLE_ops; `size` is its first member */

    /* Makes an instance. Options are read through host. On failure: host->fail was called, *instance
     * is untouched, and nothing is left allocated. [main] */
    weft_status (*create)(const weft_host *host, void **instance);

    /* Ends an instance; no op runs, and none follows. What it owes the user and cannot leave behind,
     * such as a file, it says with host->fail: the run's exit code is then 5. NULL: nothing to free.
     * [main] */
    void (*destroy)(void *instance);

    /* Answers "name/rev" with a typed const struct that lives as long as the instance, or NULL for
     * one it does not know. NULL: no extensions. [any] */
    const void *(*extension)(void *instance, const char *name);
} weft_plugin_desc;

WEFT_STATIC_ASSERT(sizeof(weft_option) == 56, "ABI: weft_option");
WEFT_STATIC_ASSERT(sizeof(weft_plugin_desc) == 104, "ABI: weft_plugin_desc");
WEFT_STATIC_ASSERT(offsetof(weft_plugin_desc, id) == 16, "ABI: weft_plugin_desc.id");
WEFT_STATIC_ASSERT(offsetof(weft_plugin_desc, ops) == 72, "ABI: weft_plugin_desc.ops");

/* The sanitizers that this translation unit is built with, for weft_plugin_desc.sanitizers. */
#if defined(__SANITIZE_ADDRESS__)
#define WEFT_SANITIZERS "address"
#elif defined(__SANITIZE_THREAD__)
#define WEFT_SANITIZERS "thread"
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WEFT_SANITIZERS "address"
#elif __has_feature(thread_sanitizer)
#define WEFT_SANITIZERS "thread"
#else
#define WEFT_SANITIZERS ""
#endif
#else
#define WEFT_SANITIZERS ""
#endif

#ifdef __cplusplus
}
#endif
#endif
