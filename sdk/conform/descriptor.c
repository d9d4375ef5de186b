/* descriptor.c: what every plugin of every role must hold to. What the loader refuses is not asked
 * again here. */
#include "conform.h"

#include <stdlib.h>
#include <string.h>

static void check(weft_conform_report *report, int holds, const char *name, const char *got,
                  const char *expected)
{
    if (holds) {
        weft_conform_pass(report);
    } else {
        weft_conform_fail(report, "descriptor: %s: got %s, expected %s", name, got, expected);
    }
}

static void check_texts(const weft_plugin_desc *desc, weft_conform_report *report)
{
    check(report, desc->version[0] != 0, "version", "an empty text", "a version");
    check(report, desc->summary[0] != 0 && !strchr(desc->summary, '\n'), "summary", desc->summary,
          "one line");
    for (uint32_t i = 0; i < desc->option_count; i++) {
        const weft_option *o =
            (const weft_option *)((const char *)desc->options + (size_t)i * desc->option_stride);
        check(report, o->help[0] != 0 && !strchr(o->help, '\n'), o->key, "no help",
              "one sentence of help");
        check(report, o->type != WEFT_OPTION_INT || o->minimum <= o->maximum, o->key,
              "an empty range", "minimum <= maximum");
    }
}

/* Two instances side by side: no globals. A SINGLE plugin is made once. */
static void check_instances(const weft_plugin_desc *desc, const weft_host *host,
                            weft_conform_report *report)
{
    void *one = NULL, *two = NULL;
    weft_status status = desc->create(host, &one);
    if (status == WEFT_E_UNSUPPORTED || status == WEFT_E_IO) {
        weft_conform_note(report, "create: this host lacks something (%s); instances not checked",
                          weft_status_name(status));
        return;
    }
    check(report, status == WEFT_OK, "create", weft_status_name(status), "ok");
    if (status != WEFT_OK) {
        return;
    }
    if (!(desc->flags & WEFT_PLUGIN_SINGLE)) {
        status = desc->create(host, &two);
        check(report, status == WEFT_OK, "create, second instance", weft_status_name(status), "ok");
        check(report, status != WEFT_OK || !one || one != two, "second instance",
              "the first one again", "another");
        if (status == WEFT_OK && desc->destroy) {
            desc->destroy(two);
        }
    }
    if (desc->extension) {
        check(report, desc->extension(one, "no-such-extension/1") == NULL, "extension",
              "an answer to an unknown name", "NULL");
    }
    if (desc->destroy) {
        desc->destroy(one);
    }
    weft_conform_pass(report);
}

int weft_conform_descriptor(const weft_plugin_desc *desc, const weft_host *host,
                            weft_conform_report *report)
{
    check_texts(desc, report);
    check_instances(desc, host, report);
    return 0;
}
