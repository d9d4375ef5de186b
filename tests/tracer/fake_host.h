/* fake_host.h: as much of a host as a small plugin needs, for the tests of tracers, policies and
 * frontends. Options come from the descriptor's defaults and from `fake_set`; failures and log
 * lines are kept; everything that such a plugin has no business calling stays NULL. */
#ifndef TESTS_FAKE_HOST_H
#define TESTS_FAKE_HOST_H

#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "weft/host.h"

#define FAKE_MAX_SET 8

typedef struct fake_host {
    weft_host host;
    weft_machine machine;
    void *library;
    const weft_plugin_desc *desc;
    void *instance;
    const char *keys[FAKE_MAX_SET], *values[FAKE_MAX_SET];
    uint32_t set_count;
    uint32_t fails; /* how often host->fail was called */
    weft_status fail_status;
    char sentence[1024];
    uint32_t logs;
    char log_text[8192]; /* all lines, each with its newline */
} fake_host;

static inline const char *fake_option_text(const weft_host *host, const char *key)
{
    fake_host *fake = host->impl;
    for (uint32_t i = fake->set_count; i-- > 0;) { /* the latest wins */
        if (strcmp(fake->keys[i], key) == 0) {
            return fake->values[i];
        }
    }
    for (uint32_t i = 0; i < fake->desc->option_count; i++) {
        const weft_option *option = &fake->desc->options[i];
        if (strcmp(option->key, key) == 0) {
            return option->default_value;
        }
    }
    return "";
}

static inline int64_t fake_option_int(const weft_host *host, const char *key)
{
    return strtoll(fake_option_text(host, key), NULL, 0);
}

static inline int32_t fake_option_bool(const weft_host *host, const char *key)
{
    return strcmp(fake_option_text(host, key), "yes") == 0;
}

static inline weft_status fake_fail(const weft_host *host, weft_status status, const char *sentence)
{
    fake_host *fake = host->impl;
    fake->fails++;
    fake->fail_status = status;
    snprintf(fake->sentence, sizeof fake->sentence, "%s", sentence);
    return status;
}

static inline void fake_log(const weft_host *host, uint32_t level, const char *line)
{
    fake_host *fake = host->impl;
    size_t used = strlen(fake->log_text);
    fake->logs++;
    snprintf(fake->log_text + used, sizeof fake->log_text - used, "%s\n", line);
}

/* Opens a .so and checks that its descriptor speaks this header's ABI. */
static inline void fake_open(fake_host *fake, const char *path)
{
    memset(fake, 0, sizeof *fake);
    fake->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!fake->library) {
        fail_msg("%s", dlerror());
    }
    fake->desc = dlsym(fake->library, "weft_plugin");
    assert_non_null(fake->desc);
    assert_int_equal(fake->desc->size, sizeof(weft_plugin_desc));
    assert_int_equal(fake->desc->abi_major, WEFT_ABI_MAJOR);
    assert_int_equal(fake->desc->abi_minor, WEFT_ABI_MINOR);
    fake->machine = (weft_machine){
        .size = sizeof fake->machine,
        .mode = WEFT_MODE_LOCKSTEP,
        .width = 640,
        .height = 360,
        .state_folder = "",
    };
    fake->host = (weft_host){
        .size = sizeof fake->host,
        .impl = fake,
        .machine = &fake->machine,
        .fail = fake_fail,
        .log = fake_log,
        .option_int = fake_option_int,
        .option_bool = fake_option_bool,
        .option_text = fake_option_text,
    };
}

/* The same for a plugin of this build. */
static inline void fake_load(fake_host *fake, const char *id)
{
    char path[512];
    snprintf(path, sizeof path, WEFT_BUILD_DIR "/plugins/%s.so", id);
    fake_open(fake, path);
    assert_string_equal(fake->desc->id, id);
}

/* An option's value, as a profile would write it; before fake_create. */
static inline void fake_set(fake_host *fake, const char *key, const char *value)
{
    assert_true(fake->set_count < FAKE_MAX_SET);
    fake->keys[fake->set_count] = key;
    fake->values[fake->set_count++] = value;
}

static inline const void *fake_create(fake_host *fake)
{
    assert_int_equal(fake->desc->create(&fake->host, &fake->instance), WEFT_OK);
    assert_non_null(fake->instance);
    return fake->desc->ops;
}

static inline void fake_close(fake_host *fake)
{
    if (fake->instance && fake->desc->destroy) {
        fake->desc->destroy(fake->instance);
    }
    dlclose(fake->library);
}

#endif
