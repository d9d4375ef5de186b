/* bad.c: a policy plugin in which CMakeLists.txt breaks one thing at a time. Its constructor leaves
 * a mark in the environment: a host that refuses it must never have run it. */
#include <stdlib.h>

#include "weft/policy.h"

#ifndef BAD_SIZE
#define BAD_SIZE sizeof(weft_plugin_desc)
#endif
#ifndef BAD_MAJOR
#define BAD_MAJOR WEFT_ABI_MAJOR
#endif
#ifndef BAD_MINOR
#define BAD_MINOR WEFT_ABI_MINOR
#endif
#ifndef BAD_ROLE
#define BAD_ROLE WEFT_ROLE_POLICY
#endif
#ifndef BAD_FLAGS
#define BAD_FLAGS 0
#endif
#ifndef BAD_SANITIZERS
#define BAD_SANITIZERS ""
#endif
#ifndef BAD_OPS_SIZE
#define BAD_OPS_SIZE sizeof(weft_policy_ops)
#endif
#ifndef BAD_STRIDE
#define BAD_STRIDE sizeof(weft_option)
#endif
#ifndef BAD_DEFAULT
#define BAD_DEFAULT "5"
#endif
#ifndef BAD_KEY
#define BAD_KEY "second"
#endif
#ifndef BAD_TYPE
#define BAD_TYPE WEFT_OPTION_INT
#endif
#ifndef BAD_OPTION_FLAGS
#define BAD_OPTION_FLAGS 0
#endif
#ifndef BAD_CREATE
#define BAD_CREATE create
#endif
#ifndef BAD_NEEDS
#define BAD_NEEDS NULL
#else
static const char *const needs[] = {BAD_NEEDS, NULL};
#undef BAD_NEEDS
#define BAD_NEEDS needs
#endif
#ifndef BAD_SYMBOL
#define BAD_SYMBOL weft_plugin
#endif

__attribute__((constructor)) static void leave_a_mark(void)
{
    setenv("WEFT_BAD_PLUGIN_RAN", "yes", 1);
}

/* One op pointer of any role's table behind `size`: all NULL. */
static const weft_policy_ops ops = {.size = BAD_OPS_SIZE};

__attribute__((unused)) static weft_status create(const weft_host *host, void **instance)
{
    leave_a_mark();
    *instance = NULL;
    return WEFT_OK;
}

static const weft_option options[] = {
    {.key = "first",
     .type = BAD_TYPE,
     .flags = BAD_OPTION_FLAGS,
     .default_value = BAD_DEFAULT,
     .minimum = 1,
     .maximum = 9,
     .help = "a number"},
    {.key = BAD_KEY, .type = WEFT_OPTION_BOOL, .default_value = "no", .help = "a switch"},
};

WEFT_EXPORT const weft_plugin_desc BAD_SYMBOL = {
    .size = BAD_SIZE,
    .abi_major = BAD_MAJOR,
    .abi_minor = BAD_MINOR,
    .role = BAD_ROLE,
    .flags = BAD_FLAGS,
    .id = BAD_ID,
    .version = "1",
    .summary = "breaks one rule",
    .sanitizers = BAD_SANITIZERS,
    .options = options,
    .option_count = 2,
    .option_stride = BAD_STRIDE,
    .needs = BAD_NEEDS,
    .ops = &ops,
    .create = BAD_CREATE,
};
