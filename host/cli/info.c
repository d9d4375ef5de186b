/* info.c: `weft info`: the kernel plugin describes a title; its JSON is printed as it is, or as
 * indented text. */
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "common.h"

enum { PROFILE, SET, JSON };

static const args_flag flags[] = {
    [PROFILE] = {"--profile", "INI", "whose kernel plugin is asked; default: stock.ini"},
    [SET] = {"--set", "sec.key=value", "override one key of the profile; may repeat"},
    [JSON] = {"--json", NULL, "the description as JSON"},
    {0},
};

static const args_command command = {
    .name = "info",
    .positional = "TITLE",
    .summary = "Describes a title without running it: header, sections, imports, hashes.",
    .flags = flags,
    .least = 1,
    .most = 1,
};

typedef struct request {
    const char *profile, *title;
    const char **sets;
    size_t set_count;
    int json;
} request;

static int take(void *context, int index, const char *value)
{
    request *q = context;
    switch (index) {
    case PROFILE:
        q->profile = value;
        break;
    case SET:
        q->sets = text_grow(q->sets, (q->set_count + 1) * sizeof *q->sets);
        q->sets[q->set_count++] = value;
        break;
    case JSON:
        q->json = 1;
        break;
    default:
        q->title = value;
        break;
    }
    return 0;
}

static void collect(void *context, const char *text, size_t length)
{
    buffer_add(context, text, length);
}

static void add_scalar(buffer *out, const cJSON *item)
{
    if (cJSON_IsString(item)) {
        buffer_text(out, item->valuestring);
    } else {
        char *text = cJSON_PrintUnformatted(item);
        buffer_text(out, text ? text : "");
        cJSON_free(text);
    }
}

/* Objects as `key: value` lines, lists of objects as one line each, whatever the keys are. */
static void add_value(buffer *out, const cJSON *item, int depth)
{
    const cJSON *child;
    cJSON_ArrayForEach(child, item)
    {
        buffer_format(out, "%*s", depth * 2, "");
        if (child->string) {
            buffer_format(out, "%s: ", child->string);
        }
        if (cJSON_IsArray(child)) {
            buffer_format(out, "%d\n", cJSON_GetArraySize(child));
            add_value(out, child, depth + 1);
        } else if (cJSON_IsObject(child)) {
            const cJSON *field;
            const char *gap = "";
            cJSON_ArrayForEach(field, child)
            {
                buffer_format(out, "%s%s=", gap, field->string);
                add_scalar(out, field);
                gap = " ";
            }
            buffer_text(out, "\n");
        } else {
            add_scalar(out, child);
            buffer_text(out, "\n");
        }
    }
}

static int print_answer(const request *q, const buffer *answer)
{
    if (q->json) {
        printf("%s%s", answer->bytes ? answer->bytes : "",
               answer->length && answer->bytes[answer->length - 1] == '\n' ? "" : "\n");
        return EXIT_ENDED;
    }
    cJSON *root = answer->bytes ? cJSON_Parse(answer->bytes) : NULL;
    if (!root) {
        error_print(q->title,
                    "kernel plugin's answer is no JSON (found %zu bytes, expected one "
                    "object)",
                    answer->length);
        return EXIT_PLUGIN;
    }
    buffer text = {0};
    add_value(&text, root, 0);
    fputs(text.bytes ? text.bytes : "", stdout);
    buffer_free(&text);
    cJSON_Delete(root);
    return EXIT_ENDED;
}

static int ask(setup *s, const request *q)
{
    run_options options = {.title = q->title, .arguments = ""};
    run *r = text_need(sizeof *r);
    part *kernel = &r->parts[WEFT_ROLE_KERNEL];
    int code = EXIT_PLUGIN;
    buffer answer = {0};
    if (run_start(r, &s->loader, &s->profile, &options) == 0 &&
        run_create_part(r, WEFT_ROLE_KERNEL) == 0) {
        weft_status status = kernel->ops.kernel.info(kernel->self, q->title, collect, &answer);
        if (status == WEFT_OK) {
            code = print_answer(q, &answer);
        } else {
            part_error(kernel, q->title, status);
            code = EXIT_INPUT;
        }
    }
    buffer_free(&answer);
    run_end(r);
    free(r);
    return code;
}

int command_info(int argc, char **argv)
{
    request q = {0};
    int parsed = args_parse(&command, argc, argv, take, &q);
    if (parsed) {
        free(q.sets);
        return parsed < 0 ? EXIT_USAGE : EXIT_ENDED;
    }
    setup s;
    setup_read(&s, q.profile, NULL);
    for (size_t i = 0; i < q.set_count; i++) {
        ini_set(&s.text, q.sets[i]);
    }
    int code = setup_resolve(&s, 1u << WEFT_ROLE_KERNEL);
    if (code == 0) {
        code = ask(&s, &q);
    }
    setup_free(&s);
    free(q.sets);
    return code;
}
