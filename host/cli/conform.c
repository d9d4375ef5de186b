/* conform.c: `weft conform`: runs a role's kit (sdk/conform) on any plugin. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../run.h"
#include "args.h"
#include "conform.h"

enum { VECTORS, SET, JSON };

static const args_flag flags[] = {
    [VECTORS] = {"--vectors", "FILE", "CPU vectors, one JSON object a line"},
    [SET] = {"--set", "key=value", "an option of the plugin; may repeat"},
    [JSON] = {"--json", NULL, "the result as one JSON object"},
    {0},
};

static const args_command command = {
    .name = "conform",
    .positional = "PLUGIN.so",
    .summary = "Runs the conformance kit of the plugin's role. Exit code 6 when a check failed.",
    .flags = flags,
    .least = 1,
    .most = 1,
};

typedef struct request {
    const char *path, *vectors;
    const char **sets;
    size_t set_count;
    int json;
    buffer lines; /* of failures, for --json */
} request;

static int take(void *context, int index, const char *value)
{
    request *q = context;
    if (index == JSON) {
        q->json = 1;
    } else if (index == VECTORS) {
        q->vectors = value;
    } else if (index == SET) {
        q->sets = text_grow(q->sets, (q->set_count + 1) * sizeof *q->sets);
        q->sets[q->set_count++] = value;
    } else {
        q->path = value;
    }
    return 0;
}

static void print_line(weft_conform_report *report, const char *line)
{
    request *q = report->context;
    if (q->json) {
        buffer_text(&q->lines, q->lines.length ? ", " : "");
        buffer_json(&q->lines, line);
    } else {
        puts(line);
    }
}

/* A profile of nothing but this plugin with its defaults and what --set says. 0 or an exit code. */
static int lone_profile(profile *out, loader *l, plugin *p, const request *q)
{
    errors list = {0};
    ini text = {.errors = &list};
    char *folder = text_folder(p->path);
    free(l->folders[0]);
    l->folders[0] = folder;
    ini_override(&text, p->path, role_name(p->desc->role), "plugin", p->desc->id);
    for (size_t i = 0; i < q->set_count; i++) {
        char *whole = text_format("%s.%s", role_name(p->desc->role), q->sets[i]);
        ini_set(&text, whole);
        free(whole);
    }
    profile_resolve(out, &text, l, p->path, 1u << p->desc->role);
    int failed = out->sections[p->desc->role].plugin ? 0 : EXIT_PLUGIN;
    if (failed) {
        errors_print(&list, stderr);
    }
    for (size_t i = 0; i < list.count && !failed; i++) { /* the others are of parts not asked for */
        if (strncmp(list.lines[i], "--set ", 6) == 0) {
            fprintf(stderr, "weft: error: %s\n", list.lines[i]);
            failed = EXIT_USAGE;
        }
    }
    errors_free(&list);
    ini_free(&text);
    return failed;
}

static int run_kit(const part *p, const request *q, weft_conform_report *report)
{
    const weft_plugin_desc *d = p->plugin->code;
    int failed = weft_conform_descriptor(d, &p->host, report);
    switch (d->role) {
    case WEFT_ROLE_CPU:
        return weft_conform_cpu(d, &p->plugin->ops.cpu, &p->host, q->vectors, report) || failed;
    case WEFT_ROLE_KERNEL:
        return weft_conform_kernel(d, &p->plugin->ops.kernel, &p->host, report) || failed;
    case WEFT_ROLE_GPU:
        return weft_conform_gpu(d, &p->plugin->ops.gpu, &p->host, report) || failed;
    case WEFT_ROLE_POLICY:
        return weft_conform_policy(d, &p->plugin->ops.policy, &p->host, report) || failed;
    case WEFT_ROLE_TRACER:
        return weft_conform_tracer(d, &p->plugin->ops.tracer, &p->host, report) || failed;
    default:
        return failed;
    }
}

static int conform(loader *l, plugin *p, request *q)
{
    profile lone;
    run_options options = {.title = q->path, .arguments = ""};
    weft_conform_report report = {.print = print_line, .context = q};
    char why[512];
    run *r = run_new();
    int refused = lone_profile(&lone, l, p, q);
    int code = refused ? refused : EXIT_PLUGIN;
    if (!refused && run_start(r, l, &lone, &options) == 0) {
        part *subject = &r->parts[p->desc->role];
        if (plugin_open(p, why, sizeof why)) {
            error_print(q->path, "%s", why);
        } else {
            services_start(subject);
            int broken = run_kit(subject, q, &report);
            code = broken || report.malformed ? EXIT_INPUT
                   : report.failed            ? EXIT_DIFFER
                                              : EXIT_ENDED;
        }
        if (q->json) {
            printf("{\"plugin\": \"%s\", \"passed\": %" PRIu64 ", \"failed\": %" PRIu64
                   ", \"loose\": %" PRIu64 ", \"lines\": [%s]}\n",
                   p->desc->id, report.passed, report.failed, report.loose,
                   q->lines.bytes ? q->lines.bytes : "");
        } else if (code != EXIT_PLUGIN) {
            printf("%" PRIu64 " passed, %" PRIu64 " failed, %" PRIu64 " loose\n", report.passed,
                   report.failed, report.loose);
        }
    }
    run_end(r);
    free(r);
    profile_free(&lone);
    return code;
}

int command_conform(int argc, char **argv)
{
    request q = {0};
    int parsed = args_parse(&command, argc, argv, take, &q);
    if (parsed) {
        return parsed < 0 ? EXIT_USAGE : EXIT_ENDED;
    }
    loader l;
    char why[512];
    loader_start(&l, NULL);
    plugin *p = loader_find_file(&l, q.path, why, sizeof why);
    int code = EXIT_PLUGIN;
    if (!p) {
        error_print(q.path, "%s", why);
    } else if (q.vectors && p->desc->role != WEFT_ROLE_CPU) {
        error_print("--vectors", "vectors are for a CPU plugin (found %s, expected cpu)",
                    role_name(p->desc->role));
        code = EXIT_USAGE;
    } else {
        code = conform(&l, p, &q);
    }
    buffer_free(&q.lines);
    free(q.sets);
    loader_end(&l);
    return code;
}
