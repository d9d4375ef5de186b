/* check-tags.c: fails the build when an op in a public header does not say on which threads it may
 * be called.
 *
 * An op is a function pointer: a member `(*name)(...)` of a struct, or a typedef of one. The
 * comment directly before it must end in one or more of the tags that weft/threads.h defines.
 *
 *     check-tags HEADER...     prints FILE:LINE: NAME for each op without; exit 1 if there is one
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const tags[] = {"[main]", "[guest]", "[gpu]", "[drain]", "[any]"};

static char *read_all(const char *path, size_t *length)
{
    FILE *file = fopen(path, "rb");
    if (!file) {
        return NULL;
    }
    size_t room = 1 << 20;
    char *text = malloc(room + 1);
    *length = text ? fread(text, 1, room, file) : 0;
    fclose(file);
    if (text) {
        text[*length] = 0;
    }
    return text;
}

/* True when the comment [start, end) ends in tags, and in nothing but known ones. */
static int ends_in_tags(const char *start, const char *end)
{
    int found = 0;
    for (;;) {
        while (end > start && isspace((unsigned char)end[-1])) {
            end--;
        }
        int matched = 0;
        for (size_t i = 0; i < sizeof tags / sizeof tags[0] && !matched; i++) {
            size_t length = strlen(tags[i]);
            if ((size_t)(end - start) >= length && memcmp(end - length, tags[i], length) == 0) {
                end -= length;
                matched = 1;
            }
        }
        if (!matched) {
            return found;
        }
        found = 1;
    }
}

/* The name in `(*name)(` at p, or 0. */
static size_t pointer_name(const char *p, const char **name)
{
    if (p[0] != '(' || p[1] != '*') {
        return 0;
    }
    const char *from = p + 2;
    size_t length = strspn(from, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
    *name = from;
    return length > 0 && from[length] == ')' && from[length + 1] == '(' ? length : 0;
}

static int check_file(const char *path, int *ops)
{
    size_t length;
    char *text = read_all(path, &length);
    if (!text) {
        fprintf(stderr, "%s: cannot be read\n", path);
        return 1;
    }
    int line = 1, depth = 0, missing = 0;
    const char *comment = NULL, *comment_end = NULL; /* the one before this declaration */
    for (const char *p = text; *p; p++) {
        const char *name;
        size_t name_length;
        if (*p == '\n') {
            line++;
        } else if (p[0] == '/' && p[1] == '*') {
            const char *end = strstr(p + 2, "*/");
            end = end ? end : text + length - 2;
            comment = p + 2;
            comment_end = end;
            for (; p < end + 1; p++) {
                line += *p == '\n';
            }
        } else if (*p == ';' || *p == '{' || *p == '}' || *p == '#') {
            comment = comment_end = depth == 0 ? NULL : comment;
        } else if (depth == 0 && (name_length = pointer_name(p, &name)) > 0) {
            ++*ops;
            if (!comment || !ends_in_tags(comment, comment_end)) {
                fprintf(stderr, "%s:%d: %.*s has no comment that ends in a thread tag\n", path,
                        line, (int)name_length, name);
                missing = 1;
            }
            depth++;
        } else if (*p == '(') {
            depth++;
        } else if (*p == ')') {
            depth--;
        }
    }
    free(text);
    return missing;
}

int main(int argc, char **argv)
{
    int failed = 0, ops = 0;
    for (int i = 1; i < argc; i++) {
        failed |= check_file(argv[i], &ops);
    }
    printf("%d ops\n", ops);
    return failed;
}
