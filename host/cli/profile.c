/* profile.c: `weft profile check`. */
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "common.h"

enum { SET, PLUGINS };

static const args_flag flags[] = {
    [SET] = {"--set", "sec.key=value", "override one key of the profile; may repeat"},
    [PLUGINS] = {"--plugins", "DIR", "look for plugins here first"},
    {0},
};

static const args_command command = {
    .name = "profile check",
    .positional = "INI",
    .summary =
        "Prints the full effective profile, itself a valid one, or every error with its line.",
    .flags = flags,
    .least = 1,
    .most = 1,
};

typedef struct request {
    const char *path, *plugins;
    const char **sets;
    size_t set_count;
} request;

static int take(void *context, int index, const char *value)
{
    request *q = context;
    if (index == SET) {
        q->sets = text_grow(q->sets, (q->set_count + 1) * sizeof *q->sets);
        q->sets[q->set_count++] = value;
    } else if (index == PLUGINS) {
        q->plugins = value;
    } else {
        q->path = value;
    }
    return 0;
}

/* What is printed must read back; a value from --set may hold what a profile cannot. */
static int prints_back(const buffer *text)
{
    errors list = {0};
    ini again = {.errors = &list};
    int failed = ini_read_memory(&again, "--set", text->bytes, text->length);
    errors_print(&list, stderr);
    errors_free(&list);
    ini_free(&again);
    return failed;
}

int command_profile(int argc, char **argv)
{
    request q = {0};
    if (argc > 0 && strcmp(argv[0], "check") == 0) {
        argc--;
        argv++;
    } else if (argc == 0 || strcmp(argv[0], "--help") != 0) {
        error_print("weft profile", "subcommand is unknown (found %s, expected check)",
                    argc ? argv[0] : "nothing");
        return EXIT_USAGE;
    }
    int parsed = args_parse(&command, argc, argv, take, &q);
    if (parsed) {
        free(q.sets);
        return parsed < 0 ? EXIT_USAGE : EXIT_ENDED;
    }
    setup s;
    setup_read(&s, q.path, q.plugins);
    for (size_t i = 0; i < q.set_count; i++) {
        ini_set(&s.text, q.sets[i]);
    }
    int code = setup_resolve(&s, PROFILE_ALL_ROLES);
    if (code == 0) {
        buffer text = {0};
        profile_print(&s.profile, &text);
        if (prints_back(&text)) {
            code = EXIT_USAGE;
        } else {
            fwrite(text.bytes, 1, text.length, stdout);
        }
        buffer_free(&text);
    }
    setup_free(&s);
    free(q.sets);
    return code;
}
