/* plugins.c: `weft plugins`: what descriptors say, read without running any plugin. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../loader.h"
#include "../option.h"
#include "../run.h"
#include "../text.h"
#include "args.h"

enum { JSON };

static const args_flag flags[] = {
    [JSON] = {"--json", NULL, "one JSON array"},
    {0},
};

static const args_command command = {
    .name = "plugins",
    .positional = "[PATH]",
    .summary =
        "Lists every plugin found, or those of a folder, or one file: role, version, options\n"
        "with type, default, range and help.",
    .flags = flags,
    .least = 0,
    .most = 1,
};

typedef struct request {
    const char *path;
    int json;
    buffer out;
    size_t listed;
} request;

static int take(void *context, int index, const char *value)
{
    request *q = context;
    if (index == JSON) {
        q->json = 1;
    } else {
        q->path = value;
    }
    return 0;
}

static const weft_option *option_at(const weft_plugin_desc *d, uint32_t i)
{
    return (const weft_option *)((const char *)d->options + (size_t)i * d->option_stride);
}

static void add_json(request *q, const plugin *p)
{
    const weft_plugin_desc *d = p->desc;
    buffer *out = &q->out;
    buffer_format(out,
                  "%s\n  {\"id\": \"%s\", \"role\": \"%s\", \"version\": ", q->listed++ ? "," : "",
                  d->id, role_name(d->role));
    buffer_json(out, d->version);
    buffer_text(out, ", \"summary\": ");
    buffer_json(out, d->summary);
    buffer_format(out, ", \"abi\": \"%u.%u\", \"sanitizers\": ", d->abi_major, d->abi_minor);
    buffer_json(out, d->sanitizers);
    buffer_format(out, ", \"single\": %s, \"permanent\": %s, \"path\": ",
                  d->flags & WEFT_PLUGIN_SINGLE ? "true" : "false",
                  d->flags & WEFT_PLUGIN_PERMANENT ? "true" : "false");
    buffer_json(out, p->path ? p->path : "");
    buffer_text(out, ", \"options\": [");
    for (uint32_t i = 0; i < d->option_count; i++) {
        const weft_option *o = option_at(d, i);
        buffer_format(out,
                      "%s\n    {\"key\": \"%s\", \"type\": \"%s\", \"default\": ", i ? "," : "",
                      o->key, option_type_name(o->type));
        buffer_json(out, o->default_value);
        if (o->type == WEFT_OPTION_INT) {
            buffer_format(out, ", \"minimum\": %" PRId64 ", \"maximum\": %" PRId64, o->minimum,
                          o->maximum);
        } else if (o->type == WEFT_OPTION_CHOICE) {
            buffer_text(out, ", \"choices\": ");
            buffer_json(out, o->choices);
        }
        buffer_text(out, ", \"help\": ");
        buffer_json(out, o->help);
        buffer_text(out, "}");
    }
    buffer_text(out, "]}");
}

static void add_text(request *q, const plugin *p)
{
    const weft_plugin_desc *d = p->desc;
    buffer *out = &q->out;
    q->listed++;
    buffer_format(out, "%s %s (%s, ABI %u.%u%s%s)\n    %s\n    %s\n", d->id, d->version,
                  role_name(d->role), d->abi_major, d->abi_minor, *d->sanitizers ? ", " : "",
                  d->sanitizers, d->summary, p->path ? p->path : "in the host");
    for (uint32_t i = 0; i < d->option_count; i++) {
        const weft_option *o = option_at(d, i);
        buffer_format(out, "    %s (%s", o->key, option_type_name(o->type));
        if (o->type == WEFT_OPTION_INT) {
            buffer_format(out, " %" PRId64 "..%" PRId64, o->minimum, o->maximum);
        } else if (o->type == WEFT_OPTION_CHOICE) {
            buffer_format(out, " %s", o->choices);
        }
        buffer_format(out, ", default %s): %s\n", *o->default_value ? o->default_value : "empty",
                      o->help);
    }
}

static int add_file(request *q, loader *l, const char *path)
{
    char why[512];
    const plugin *p = loader_find_file(l, path, why, sizeof why);
    if (!p) {
        error_print(path, "%s", why);
        return EXIT_PLUGIN;
    }
    (q->json ? add_json : add_text)(q, p);
    return EXIT_ENDED;
}

static int add_folder(request *q, loader *l, const char *folder)
{
    int code = EXIT_ENDED;
    char **list = loader_list(folder);
    for (char **path = list; *path; path++) {
        int failed = add_file(q, l, *path);
        code = failed ? failed : code;
        free(*path);
    }
    free(list);
    return code;
}

static int add_known(request *q, loader *l)
{
    int code = EXIT_ENDED;
    for (uint32_t role = 1; role < WEFT_ROLE_COUNT; role++) {
        for (plugin *p = l->plugins; p; p = p->next) {
            if (!p->path && p->desc->role == role) {
                (q->json ? add_json : add_text)(q, p);
            }
        }
    }
    for (uint32_t i = 0; i < l->folder_count; i++) {
        int failed = add_folder(q, l, l->folders[i]);
        code = failed ? failed : code;
    }
    return code;
}

int command_plugins(int argc, char **argv)
{
    request q = {0};
    int parsed = args_parse(&command, argc, argv, take, &q);
    if (parsed) {
        return parsed < 0 ? EXIT_USAGE : EXIT_ENDED;
    }
    loader l;
    struct stat status;
    loader_start(&l, NULL);
    int code;
    if (!q.path) {
        code = add_known(&q, &l);
    } else if (stat(q.path, &status)) {
        error_print(q.path, "no such file or folder (found none, expected plugins)");
        code = EXIT_USAGE;
    } else {
        code = S_ISDIR(status.st_mode) ? add_folder(&q, &l, q.path) : add_file(&q, &l, q.path);
    }
    if (q.json && (q.listed || code == EXIT_ENDED)) {
        printf("[%s\n]\n", q.out.bytes ? q.out.bytes : "");
    } else if (q.out.bytes) {
        fputs(q.out.bytes, stdout);
    }
    buffer_free(&q.out);
    loader_end(&l);
    return code;
}
