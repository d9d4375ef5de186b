/* gpu.c: `weft gpu`: captured frames and shader binaries, through the GPU plugin's tools. */
#include <cjson/cJSON.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../frames.h"
#include "args.h"
#include "common.h"
#include "weft/gpu_tools.h"

enum { PROFILE, SET, PLUGINS, FRAMES_TO, TIMES, JSON, STAGE };

#define FLAG_PROFILE                                                                               \
    {                                                                                              \
        "--profile", "INI", "whose GPU plugin is asked; default: stock.ini"                        \
    }
#define FLAG_SET                                                                                   \
    {                                                                                              \
        "--set", "sec.key=value", "override one key of the profile; may repeat"                    \
    }

#define FLAG_PLUGINS                                                                               \
    {                                                                                              \
        "--plugins", "DIR", "look for plugins in DIR first"                                        \
    }

static const args_flag replay_flags[] = {
    [PROFILE] = FLAG_PROFILE,
    [SET] = FLAG_SET,
    [PLUGINS] = FLAG_PLUGINS,
    [FRAMES_TO] = {"--frames-to", "DIR", "write each frame as a PNG file"},
    [TIMES] = {"--times", "N", "draw it N times over, and say how long it took"},
    [JSON] = {"--json", NULL, "the result as JSON"},
    {0},
};

static const args_flag dump_flags[] = {
    [PROFILE] = FLAG_PROFILE, [SET] = FLAG_SET, [PLUGINS] = FLAG_PLUGINS, {0}};

/* Without --frames-to, --times and --json, but at the same places. */
static const args_flag disasm_flags[] = {
    [PROFILE] = FLAG_PROFILE,
    [SET] = FLAG_SET,
    [PLUGINS] = FLAG_PLUGINS,
    [FRAMES_TO] = {"--stage", "STAGE", "vertex or pixel, where the file does not say it"},
    {0},
};

static const args_command commands[] = {
    {
        .name = "gpu replay",
        .positional = "CAPTURE",
        .summary =
            "Draws a frame again that `weft run --capture` wrote. Exit code 6 when its pixels\n"
            "are not those of the run.",
        .flags = replay_flags,
        .least = 1,
        .most = 1,
    },
    {
        .name = "gpu dump",
        .positional = "CAPTURE",
        .summary = "Prints a captured frame: registers, packets, shaders, draws.",
        .flags = dump_flags,
        .least = 1,
        .most = 1,
    },
    {
        .name = "gpu disasm",
        .positional = "FILE",
        .summary = "Prints the microcode of a shader binary: the XDK's container, or bare words.",
        .flags = disasm_flags,
        .least = 1,
        .most = 1,
    },
};
enum { REPLAY, DUMP, DISASM, COMMANDS };

typedef struct request {
    int command;
    const char *profile, *plugins, *file, *frames_to, *stage;
    const char **sets;
    size_t set_count;
    uint32_t times;
    int json;
} request;

static int take_times(request *q, const char *value)
{
    char *end;
    unsigned long times = strtoul(value, &end, 10);
    if (*value < '0' || *value > '9' || *end || times == 0 || times > 1000000) {
        error_print("--times", "cannot be read (found %s, expected 1 to 1000000)", value);
        return -1;
    }
    q->times = (uint32_t)times;
    return 0;
}

static int take_stage(request *q, const char *value)
{
    if (strcmp(value, "vertex") != 0 && strcmp(value, "pixel") != 0) {
        error_print("--stage", "stage is unknown (found %s, expected vertex or pixel)", value);
        return -1;
    }
    q->stage = value;
    return 0;
}

static int take(void *context, int index, const char *value)
{
    request *q = context;
    switch (index) {
    case PROFILE:
        q->profile = value;
        return 0;
    case SET:
        q->sets = text_grow(q->sets, (q->set_count + 1) * sizeof *q->sets);
        q->sets[q->set_count++] = value;
        return 0;
    case PLUGINS:
        q->plugins = value;
        return 0;
    case FRAMES_TO:
        if (q->command == DISASM) {
            return take_stage(q, value);
        }
        q->frames_to = value;
        return 0;
    case TIMES:
        return take_times(q, value);
    case JSON:
        q->json = 1;
        return 0;
    default:
        q->file = value;
        return 0;
    }
}

static void take_frame(void *context, const weft_frame *frame)
{
    const request *q = context;
    char why[256];
    if (q->frames_to && frame_write(q->frames_to, frame, why, sizeof why)) {
        error_print(q->frames_to, "frame cannot be written (found: %s, expected room for a file)",
                    why);
    }
}

static void print_text(void *context, const char *text, size_t length)
{
    fwrite(text, 1, length, stdout);
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void print_result(const request *q, const weft_gpu_replayed *done, double each)
{
    if (q->json) {
        cJSON *root = cJSON_CreateObject();
        cJSON_AddStringToObject(root, "file", q->file);
        cJSON_AddNumberToObject(root, "frames", done->frames);
        cJSON_AddNumberToObject(root, "compared", done->compared);
        cJSON_AddNumberToObject(root, "equal", done->equal);
        cJSON_AddNumberToObject(root, "packets", (double)done->packets);
        cJSON_AddNumberToObject(root, "draws", (double)done->draws);
        cJSON_AddNumberToObject(root, "seconds", each);
        char *text = cJSON_PrintUnformatted(root);
        printf("%s\n", text ? text : "");
        cJSON_free(text);
        cJSON_Delete(root);
        return;
    }
    printf("%s: %llu packets, %llu draws, %u frames, %u of %u as in the run", q->file,
           (unsigned long long)done->packets, (unsigned long long)done->draws, done->frames,
           done->equal, done->compared);
    if (q->times > 1) {
        printf("; %.3f ms each time", each * 1e3);
    }
    putchar('\n');
}

static int exit_of(weft_status status)
{
    return status == WEFT_E_FORMAT || status == WEFT_E_IO || status == WEFT_E_VERSION ? EXIT_INPUT
                                                                                      : EXIT_PLUGIN;
}

static int ask_tools(const request *q, part *gpu)
{
    const weft_plugin_desc *desc = gpu->plugin->code;
    const weft_gpu_tools *tools =
        desc->extension ? desc->extension(gpu->instance, WEFT_GPU_TOOLS) : NULL;
    weft_gpu_replayed done = {.size = sizeof done};
    weft_status status;
    if (!tools) {
        error_print(desc->id, "plugin has no tools (found none, expected the extension %s)",
                    WEFT_GPU_TOOLS);
        return EXIT_PLUGIN;
    }
    if (q->command == REPLAY) {
        double start = seconds();
        status = tools->replay(gpu->instance, q->file, q->times, take_frame, (void *)(uintptr_t)q,
                               &done);
        if (status == WEFT_OK) {
            print_result(q, &done, (seconds() - start) / q->times);
        }
    } else if (q->command == DUMP) {
        status = tools->dump(gpu->instance, q->file, print_text, NULL);
    } else {
        status = tools->disassemble(gpu->instance, q->file, q->stage, print_text, NULL);
    }
    if (status != WEFT_OK) {
        part_error(gpu, q->file, status);
        return exit_of(status);
    }
    return done.equal == done.compared ? EXIT_ENDED : EXIT_DIFFER;
}

static int ask(setup *s, const request *q)
{
    run_options options = {.title = q->file, .arguments = "", .frames_to = q->frames_to};
    run *r = run_new();
    int code = EXIT_PLUGIN;
    if (q->frames_to && folder_make(q->frames_to)) {
        error_print(q->frames_to, "folder cannot be made (found: %s, expected a folder)",
                    strerror(errno));
        code = EXIT_USAGE;
    } else if (run_start(r, &s->loader, &s->profile, &options) == 0 &&
               run_create_part(r, WEFT_ROLE_GPU) == 0) {
        code = ask_tools(q, &r->parts[WEFT_ROLE_GPU]);
    }
    run_end(r);
    free(r);
    return code;
}

static int run_command(int which, int argc, char **argv)
{
    request q = {.command = which, .times = 1};
    int parsed = args_parse(&commands[which], argc, argv, take, &q);
    if (parsed) {
        free(q.sets);
        return parsed < 0 ? EXIT_USAGE : EXIT_ENDED;
    }
    setup s;
    setup_read(&s, q.profile, q.plugins);
    for (size_t i = 0; i < q.set_count; i++) {
        ini_set(&s.text, q.sets[i]);
    }
    int code = setup_resolve(&s, 1u << WEFT_ROLE_GPU);
    if (code == 0) {
        code = ask(&s, &q);
    }
    if ((fflush(stdout) || ferror(stdout)) && code == EXIT_ENDED) {
        error_print("stdout", "text cannot be written (found: %s, expected room for it)",
                    strerror(errno));
        code = EXIT_INPUT;
    }
    setup_free(&s);
    free(q.sets);
    return code;
}

int command_gpu(int argc, char **argv)
{
    const char *name = argc > 0 ? argv[0] : "nothing";
    for (int i = 0; i < COMMANDS; i++) {
        if (strcmp(commands[i].name + strlen("gpu "), name) == 0) {
            return run_command(i, argc - 1, argv + 1);
        }
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        printf("usage: weft gpu COMMAND ...\n\n"
               "  replay     draw a captured frame again\n"
               "  dump       print a captured frame\n"
               "  disasm     print a shader's microcode\n");
        return EXIT_ENDED;
    }
    error_print("weft gpu", "subcommand is unknown (found %s, expected replay, dump or disasm)",
                name);
    return EXIT_USAGE;
}
