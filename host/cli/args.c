/* args.c: parsing by table. */
#include "args.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../text.h"

static void print_help(const args_command *c)
{
    printf("usage: weft %s", c->name);
    for (const args_flag *f = c->flags; f->name; f++) {
        printf(" [%s%s%s]", f->name, f->value ? " " : "", f->value ? f->value : "");
    }
    printf(" %s\n\n%s\n\n", c->positional, c->summary);
    for (const args_flag *f = c->flags; f->name; f++) {
        char left[64];
        snprintf(left, sizeof left, "%s %s", f->name, f->value ? f->value : "");
        printf("  %-26s %s\n", left, f->help);
    }
    printf("  %-26s %s\n", "--help", "this text");
}

static int unknown_flag(const args_command *c, const char *word)
{
    const char *names[32];
    size_t count = 0;
    for (const args_flag *f = c->flags; f->name && count < 31; f++) {
        names[count++] = f->name;
    }
    names[count++] = "--help";
    char *name = text_copy_n(word, strcspn(word, "="));
    const char *near = text_nearest(name, names, count);
    char *where = text_format("weft %s", c->name);
    error_print(where, "unknown option (found %s, expected %s)", name,
                near ? near : "one that --help lists");
    free(where);
    free(name);
    return -1;
}

int args_parse(const args_command *c, int argc, char **argv, args_fn fn, void *context)
{
    size_t positional = 0;
    for (int i = 0; i < argc; i++) {
        const char *word = argv[i];
        if (strcmp(word, "--") == 0) {
            break;
        }
        if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
            print_help(c);
            return 1;
        }
        if (word[0] != '-' || word[1] == 0) {
            if (positional++ >= c->most) {
                error_print(c->name, "too many arguments (found %s, expected %s)", word,
                            c->positional[0] ? c->positional : "none");
                return -1;
            }
            if (fn(context, -1, word)) {
                return -1;
            }
            continue;
        }
        int index = 0;
        size_t length = strcspn(word, "=");
        while (c->flags[index].name && (strlen(c->flags[index].name) != length ||
                                        strncmp(c->flags[index].name, word, length) != 0)) {
            index++;
        }
        const args_flag *flag = &c->flags[index];
        if (!flag->name) {
            return unknown_flag(c, word);
        }
        const char *value = word[length] ? word + length + 1 : NULL;
        if (flag->value && !value) {
            value = i + 1 < argc && strcmp(argv[i + 1], "--") != 0 ? argv[++i] : NULL;
        }
        if (!flag->value != !value) {
            error_print(flag->name, "option has %s value (found %s, expected %s)",
                        value ? "a" : "no", value ? value : "nothing",
                        flag->value ? flag->value : "nothing");
            return -1;
        }
        if (fn(context, index, value)) {
            return -1;
        }
    }
    if (positional < c->least) {
        error_print(c->name, "too few arguments (found %zu, expected %s)", positional,
                    c->positional);
        return -1;
    }
    return 0;
}
