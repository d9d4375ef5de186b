/* info.c: `weft info`: the kernel plugin describes a title; its JSON is printed as it is, or as
 * indented text. With --disasm the CPU plugin spells out words that the kernel plugin reads. */
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "common.h"
#include "weft/memory.h"

#define DISASM_WORDS 16u        /* as many as fit a glance, when the request does not say */
#define DISASM_MOST  0x4000000u /* words of the largest image */

enum { PROFILE, SET, JSON, DISASM };

static const args_flag flags[] = {
    [PROFILE] = {"--profile", "INI", "whose kernel plugin is asked; default: stock.ini"},
    [SET] = {"--set", "sec.key=value", "override one key of the profile; may repeat"},
    [JSON] = {"--json", NULL, "the description as JSON"},
    [DISASM] = {"--disasm", "ADDR[,N]", "N instructions at a guest address instead; default: 16"},
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
    const char *disasm; /* the text of ADDR[,N], or NULL */
    uint32_t address, words;
} request;

/* ADDR[,N], each decimal or 0x hex; -1 and a sentence when it is not that. */
static int parse_range(request *q, const char *text)
{
    char *end;
    unsigned long long address = strtoull(text, &end, 0), words = DISASM_WORDS;
    int good = end != text && address <= UINT32_MAX && address % 4 == 0 && text[0] != '-';
    if (good && *end == ',') {
        const char *count = end + 1;
        words = strtoull(count, &end, 0);
        good = end != count && words > 0 && words <= DISASM_MOST && count[0] != '-';
    }
    if (!good || *end) {
        error_print("--disasm",
                    "cannot be read (found %s, expected ADDR[,N], ADDR a multiple of 4)", text);
        return -1;
    }
    q->address = (uint32_t)address;
    q->words = (uint32_t)words;
    return 0;
}

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
    case DISASM:
        q->disasm = value;
        return parse_range(q, value);
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

static void print_word(const request *q, uint32_t address, uint32_t word, const char *text,
                       int first)
{
    if (q->json) {
        printf("%s{\"address\":%u,\"word\":\"%08x\",\"text\":\"%s\"}", first ? "[" : ",", address,
               word, text);
    } else {
        printf("%08x  %08x  %s\n", address, word, text);
    }
}

/* Reads through the kernel plugin's extension, spells out with the CPU plugin. */
static int disassemble(run *r, const request *q)
{
    part *kernel = &r->parts[WEFT_ROLE_KERNEL], *cpu = &r->parts[WEFT_ROLE_CPU];
    const weft_plugin_desc *desc = kernel->plugin->code;
    const weft_image_extension *image =
        desc->extension ? desc->extension(kernel->instance, WEFT_IMAGE_EXTENSION) : NULL;
    if (!image) {
        error_print(desc->id, "plugin cannot read images (expected the extension %s)",
                    WEFT_IMAGE_EXTENSION);
        return EXIT_PLUGIN;
    }
    if (!cpu->plugin || !cpu->ops.cpu.disassemble) {
        error_print(cpu->plugin ? cpu->plugin->desc->id : "[cpu]",
                    "plugin has no disassembler (expected the op disassemble)");
        return EXIT_PLUGIN;
    }
    uint8_t *bytes = text_need((size_t)q->words * 4);
    uint32_t done = 0;
    weft_status status =
        image->read(kernel->instance, q->title, q->address, q->words * 4, bytes, &done);
    if (status != WEFT_OK) {
        part_error(kernel, q->title, status);
        free(bytes);
        return status == WEFT_E_INVALID ? EXIT_USAGE : EXIT_INPUT;
    }
    for (uint32_t at = 0; at + 4 <= done; at += 4) {
        char text[128];
        uint32_t word = weft_load32(bytes + at);
        cpu->ops.cpu.disassemble(cpu->self, q->address + at, word, text, sizeof text);
        print_word(q, q->address + at, word, text, at == 0);
    }
    fputs(q->json ? "]\n" : "", stdout);
    free(bytes);
    return EXIT_ENDED;
}

static int ask(setup *s, const request *q)
{
    run_options options = {.title = q->title, .arguments = ""};
    run *r = run_new();
    part *kernel = &r->parts[WEFT_ROLE_KERNEL];
    int code = EXIT_PLUGIN;
    buffer answer = {0};
    if (run_start(r, &s->loader, &s->profile, &options) == 0 &&
        run_create_part(r, WEFT_ROLE_KERNEL) == 0 &&
        (!q->disasm || run_create_part(r, WEFT_ROLE_CPU) == 0)) {
        if (q->disasm) {
            code = disassemble(r, q);
            run_end(r);
            free(r);
            return code;
        }
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
    int code = setup_resolve(&s, 1u << WEFT_ROLE_KERNEL | (q.disasm ? 1u << WEFT_ROLE_CPU : 0));
    if (code == 0) {
        code = ask(&s, &q);
    }
    setup_free(&s);
    free(q.sets);
    return code;
}
