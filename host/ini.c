/* ini.c: reading profiles with inih.
 *
 * Debian's inih gives its handler no line numbers, splits lines at 200 bytes, takes an indented
 * line as more of the value before, cuts a value at blank-semicolon, and ignores what stands behind
 * a section's bracket. The reader below hands it one line at a time, counts them, and refuses the
 * lines that inih would change; so nothing that is written in a profile is silently lost. */
#include "ini.h"

#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SECTION_LIMIT 49  /* bytes; inih cuts longer names */
#define BAD_SECTION   "?" /* stands for a section whose line was refused; its keys are dropped */

typedef struct source {
    ini *text;
    const char *name; /* file name for messages */
    const char *bytes;
    size_t length, at;
    uint32_t line;
    ini_entry *own; /* kept aside until its end: includes come first */
    size_t own_count;
    const char *const *chain; /* real paths of the files being read, outermost first */
    uint32_t depth;
    int failed;
} source;

static void refuse(source *s, const char *what, const char *found, const char *expected)
{
    char *where = text_format("%s:%u", s->name, s->line);
    errors_add(s->text->errors, where, "%s (found %s, expected %s)", what, found, expected);
    free(where);
    s->failed = 1;
}

/* Checks one line, without its newline. 0: inih will read it as written. */
static int check_line(source *s, const char *line, size_t length)
{
    if (length > INI_LINE_LIMIT) {
        char found[32];
        snprintf(found, sizeof found, "%zu bytes", length);
        refuse(s, "line is too long", found, "at most 198 bytes");
        return -1;
    }
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)line[i];
        if ((c < 0x20 && c != '\t' && !(c == '\r' && i + 1 == length)) || c == 0x7f) {
            char found[16];
            snprintf(found, sizeof found, "byte 0x%02x", c);
            refuse(s, "line holds a control character", found, "text");
            return -1;
        }
    }
    size_t start = 0;
    while (start < length && isspace((unsigned char)line[start])) {
        start++;
    }
    if (start == length || line[start] == ';' || line[start] == '#') {
        return 0;
    }
    if (start > 0) {
        refuse(s, "line is indented", "leading blanks", "a key or section in the first column");
        return -1;
    }
    for (size_t i = 1; i < length; i++) {
        if (line[i] == ';' && isspace((unsigned char)line[i - 1])) {
            refuse(s, "comment behind a value", "' ;'", "the comment on a line of its own");
            return -1;
        }
    }
    if (line[0] == '[') {
        const char *end = memchr(line, ']', length);
        if (!end) {
            refuse(s, "section has no end", "no ']'", "[section]");
            return -1;
        }
        if ((size_t)(end - line) - 1 > SECTION_LIMIT) {
            refuse(s, "section name is too long", "more than 49 bytes", "a known section");
            return -1;
        }
        for (const char *p = end + 1; p < line + length; p++) {
            if (!isspace((unsigned char)*p)) {
                refuse(s, "text behind a section", p, "nothing after ']'");
                return -1;
            }
        }
        return 0;
    }
    if (!memchr(line, '=', length) && !memchr(line, ':', length)) {
        refuse(s, "line is no assignment", line, "key = value");
        return -1;
    }
    return 0;
}

/* inih's ini_reader: one line into `into` (`room` bytes), as fgets would. */
static char *read_line(char *into, int room, void *stream)
{
    source *s = stream;
    if (s->at >= s->length || room < 3) {
        return NULL;
    }
    const char *from = s->bytes + s->at;
    const char *newline = memchr(from, '\n', s->length - s->at);
    size_t length = newline ? (size_t)(newline - from) : s->length - s->at;
    s->at += length + (newline != NULL);
    s->line++;
    if (s->line == 1 && length >= 3 && memcmp(from, "\xEF\xBB\xBF", 3) == 0) {
        from += 3; /* byte order mark */
        length -= 3;
    }
    char copy[INI_LINE_LIMIT + 1]; /* ended by a NUL for messages */
    size_t kept = length < INI_LINE_LIMIT ? length : INI_LINE_LIMIT;
    memcpy(copy, from, kept);
    copy[kept] = 0;
    if (check_line(s, length > INI_LINE_LIMIT ? from : copy, length) || length + 2 > (size_t)room) {
        const char *instead = length > 0 && from[0] == '[' ? "[" BAD_SECTION "]\n" : "\n";
        memcpy(into, instead, strlen(instead) + 1);
        return into;
    }
    memcpy(into, copy, length);
    memcpy(into + length, "\n", 2);
    return into;
}

static void entry_free(ini_entry *entry)
{
    free(entry->section);
    free(entry->key);
    free(entry->value);
    free(entry->where);
}

static void entry_push(ini_entry **list, size_t *count, ini_entry entry)
{
    *list = text_grow(*list, (*count + 1) * sizeof **list);
    (*list)[(*count)++] = entry;
}

static int read_source(ini *text, const char *name, const char *bytes, size_t length,
                       const char *const *chain, uint32_t depth);
static int read_path(ini *text, const char *path, const char *where, const char *const *chain,
                     uint32_t depth);

static void include(source *s, const char *value)
{
    if (s->depth >= INI_INCLUDE_DEPTH) {
        refuse(s, "includes are nested too deep", value, "at most 16 files in a chain");
        return;
    }
    if (s->depth == 0) {
        refuse(s, "include in a text without a folder", value, "a profile file");
        return;
    }
    char *folder = text_folder(s->name);
    char *path = value[0] == '/' ? text_copy(value) : text_format("%s/%s", folder, value);
    char *where = text_format("%s:%u", s->name, s->line);
    if (read_path(s->text, path, where, s->chain, s->depth)) {
        s->failed = 1;
    }
    free(where);
    free(path);
    free(folder);
}

/* inih's ini_handler. */
static int handle(void *user, const char *section, const char *key, const char *value)
{
    source *s = user;
    if (strcmp(section, BAD_SECTION) == 0) {
        return 1;
    }
    if (strcmp(section, "include") == 0) {
        if (strcmp(key, "file") != 0) {
            refuse(s, "unknown key in [include]", key, "file");
        } else {
            include(s, value);
        }
        return 1;
    }
    for (size_t i = 0; i < s->own_count; i++) {
        if (strcmp(s->own[i].section, section) == 0 && strcmp(s->own[i].key, key) == 0) {
            char *found = text_format("[%s] %s again", section, key);
            char *expected = text_format("only the one at %s", s->own[i].where);
            refuse(s, "key is set twice", found, expected);
            free(found);
            free(expected);
            return 1;
        }
    }
    entry_push(&s->own, &s->own_count,
               (ini_entry){.section = text_copy(section),
                           .key = text_copy(key),
                           .value = text_copy(value),
                           .where = text_format("%s:%u", s->name, s->line)});
    return 1;
}

static int read_source(ini *text, const char *name, const char *bytes, size_t length,
                       const char *const *chain, uint32_t depth)
{
    source s = {.text = text,
                .name = name,
                .bytes = bytes,
                .length = length,
                .chain = chain,
                .depth = depth};
    int bad = ini_parse_stream(read_line, &s, handle, &s);
    if (bad && !s.failed) {
        s.line = bad > 0 ? (uint32_t)bad : 0;
        refuse(&s, "line cannot be read", "no assignment", "key = value");
    }
    for (size_t i = 0; i < s.own_count; i++) {
        s.own[i].layer = text->layers;
        entry_push(&text->entries, &text->count, s.own[i]);
    }
    text->layers++;
    free(s.own);
    return s.failed ? -1 : 0;
}

static int read_path(ini *text, const char *path, const char *where, const char *const *chain,
                     uint32_t depth)
{
    char *real = realpath(path, NULL);
    size_t length;
    char *bytes = real ? text_read_file(real, INI_FILE_LIMIT, &length) : NULL;
    if (!bytes) {
        int reason = errno;
        errors_add(text->errors, where ? where : path,
                   "profile %s cannot be read (found: %s, "
                   "expected a file of at most 1 MiB)",
                   path, strerror(reason));
        free(real);
        return -1;
    }
    const char *next[INI_INCLUDE_DEPTH];
    int failed = 0;
    for (uint32_t i = 0; i < depth; i++) {
        next[i] = chain[i];
        if (strcmp(chain[i], real) == 0) {
            errors_add(text->errors, where,
                       "include goes in a circle (found %s, expected a file "
                       "that is not being read)",
                       path);
            failed = -1;
        }
    }
    if (!failed) {
        next[depth] = real;
        failed = read_source(text, path, bytes, length, next, depth + 1);
    }
    free(bytes);
    free(real);
    return failed;
}

int ini_read_file(ini *text, const char *path)
{
    return read_path(text, path, NULL, NULL, 0);
}

int ini_read_memory(ini *text, const char *name, const char *bytes, size_t length)
{
    const char *chain[INI_INCLUDE_DEPTH] = {name};
    return read_source(text, name ? name : "text", bytes, length, chain, name ? 1 : 0);
}

void ini_override(ini *text, const char *where, const char *section, const char *key,
                  const char *value)
{
    entry_push(&text->entries, &text->count,
               (ini_entry){.section = text_copy(section),
                           .key = text_copy(key),
                           .value = text_copy(value),
                           .where = text_copy(where),
                           .layer = text->layers++});
}

int ini_set(ini *text, const char *assignment)
{
    const char *dot = strchr(assignment, '.');
    const char *equals = strchr(assignment, '=');
    if (!dot || !equals || dot > equals || dot == assignment || dot + 1 == equals) {
        errors_add(text->errors, "--set",
                   "option is no assignment (found %s, expected "
                   "section.key=value)",
                   assignment);
        return -1;
    }
    char *section = text_copy_n(assignment, (size_t)(dot - assignment));
    char *key = text_copy_n(dot + 1, (size_t)(equals - dot - 1));
    char *where = text_format("--set %s.%s", section, key);
    ini_override(text, where, section, key, equals + 1);
    free(where);
    free(section);
    free(key);
    return 0;
}

const ini_entry *ini_find(const ini *text, const char *section, const char *key)
{
    for (size_t i = text->count; i-- > 0;) {
        const ini_entry *entry = &text->entries[i];
        if (strcmp(entry->section, section) == 0 && strcmp(entry->key, key) == 0) {
            return entry;
        }
    }
    return NULL;
}

void ini_free(ini *text)
{
    for (size_t i = 0; i < text->count; i++) {
        entry_free(&text->entries[i]);
    }
    free(text->entries);
    *text = (ini){.errors = text->errors};
}
