/* main.c: the `weft` program: which command it is. */
#include <stdio.h>
#include <string.h>

#include "cli/args.h"
#include "run.h"

typedef struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
} command;

static const command commands[] = {
    {"run", command_run, "run a title"},
    {"info", command_info, "describe a title"},
    {"plugins", command_plugins, "list plugins with their options"},
    {"profile", command_profile, "profile check: print a whole profile, or its errors"},
    {"conform", command_conform, "run the conformance kit on a plugin"},
    {"trace", command_trace, "read traces: dump, stat, digest, diff, manifest"},
    {"gpu", command_gpu, "captured frames: replay, dump; shaders: disasm"},
    {"ctl", command_ctl, "ask a running weft: status, quit, exchange its tracer"},
};
#define COMMAND_COUNT (sizeof commands / sizeof commands[0])

static void print_help(void)
{
    printf("usage: weft COMMAND ...\n\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        printf("  %-10s %s\n", commands[i].name, commands[i].summary);
    }
    printf("\n`weft COMMAND --help` says more; `weft --version` prints the version.\n");
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        print_help();
        return EXIT_ENDED;
    }
    if (strcmp(name, "--version") == 0) {
        printf("weft %s (ABI %u.%u)\n", WEFT_VERSION, WEFT_ABI_MAJOR, WEFT_ABI_MINOR);
        return EXIT_ENDED;
    }
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(commands[i].name, name) == 0) {
            return commands[i].run(argc - 2, argv + 2);
        }
    }
    error_print("weft",
                "command is unknown (found %s, expected run, info, plugins, profile, "
                "conform, trace, gpu or ctl)",
                *name ? name : "none");
    return EXIT_USAGE;
}
