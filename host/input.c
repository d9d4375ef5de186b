/* input.c: the input script's lines, each `VBLANK PORT key=value...`. */
#include "input.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define INPUT_FILE_LIMIT (16u << 20)

/* The keys, where they go in a pad, and what they may be. */
typedef struct field {
    const char *key;
    size_t offset;
    uint32_t bytes;
    long minimum, maximum;
} field;

static const field fields[] = {
    {"connected", offsetof(weft_pad, connected), 4, 0, 1},
    {"buttons", offsetof(weft_pad, buttons), 2, 0, 0xFFFF},
    {"lt", offsetof(weft_pad, left_trigger), 1, 0, 255},
    {"rt", offsetof(weft_pad, right_trigger), 1, 0, 255},
    {"lx", offsetof(weft_pad, left_x), 2, -32768, 32767},
    {"ly", offsetof(weft_pad, left_y), 2, -32768, 32767},
    {"rx", offsetof(weft_pad, right_x), 2, -32768, 32767},
    {"ry", offsetof(weft_pad, right_y), 2, -32768, 32767},
};
#define FIELD_COUNT (sizeof fields / sizeof fields[0])

static int parse_number(const char *text, long minimum, long maximum, long *value)
{
    char *end;
    int hex = strncmp(text, "0x", 2) == 0 || strncmp(text, "0X", 2) == 0;
    if (!isxdigit((unsigned char)text[*text == '-' ? 1 : hex ? 2 : 0])) {
        return -1;
    }
    errno = 0;
    *value = strtol(text, &end, hex ? 16 : 10);
    return errno || *end || *value < minimum || *value > maximum ? -1 : 0;
}

/* One `key=value`; a message in `why` when it is none. */
static int parse_field(char *word, weft_pad *pad, char *why, size_t room)
{
    char *equals = strchr(word, '=');
    if (!equals) {
        snprintf(why, room, "word is no assignment (found %.40s, expected key=value)", word);
        return -1;
    }
    *equals = 0;
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        const field *f = &fields[i];
        long value;
        if (strcmp(f->key, word) != 0) {
            continue;
        }
        if (parse_number(equals + 1, f->minimum, f->maximum, &value)) {
            snprintf(why, room, "%s is out of range (found %.40s, expected %ld to %ld)", word,
                     equals + 1, f->minimum, f->maximum);
            return -1;
        }
        memcpy((char *)pad + f->offset, &value, f->bytes); /* little-endian hosts only (event.h) */
        return 0;
    }
    const char *keys[FIELD_COUNT];
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        keys[i] = fields[i].key;
    }
    const char *near = text_nearest(word, keys, FIELD_COUNT);
    snprintf(why, room, "unknown key (found %.40s, expected %s)", word,
             near ? near : "connected, buttons, lt, rt, lx, ly, rx or ry");
    return -1;
}

static int parse_line(char *line, input_step *step, weft_pad *pads, uint64_t vblank, char *why,
                      size_t room)
{
    char *rest = NULL;
    char *word = strtok_r(line, " \t\r", &rest);
    long value;
    if (parse_number(word, 0, INT64_MAX, &value) || (uint64_t)value < vblank) {
        snprintf(why, room,
                 "vblank is no number or falls (found %.40s, expected %" PRIu64 " or more)", word,
                 vblank);
        return -1;
    }
    step->vblank = (uint64_t)value;
    word = strtok_r(NULL, " \t\r", &rest);
    if (!word || parse_number(word, 0, WEFT_PAD_COUNT - 1, &value)) {
        snprintf(why, room, "port is out of range (found %.40s, expected 0 to %u)",
                 word ? word : "nothing", WEFT_PAD_COUNT - 1);
        return -1;
    }
    step->port = (uint32_t)value;
    weft_pad *pad = &pads[step->port];
    pad->connected = 1;
    while ((word = strtok_r(NULL, " \t\r", &rest)) != NULL) {
        if (parse_field(word, pad, why, room)) {
            return -1;
        }
    }
    if (!pad->connected) {
        *pad = (weft_pad){0};
    }
    step->pad = *pad;
    return 0;
}

int input_parse(input_script *script, const char *name, const char *bytes, size_t length,
                errors *list)
{
    *script = (input_script){0};
    size_t before = list->count;
    weft_pad pads[WEFT_PAD_COUNT] = {{0}};
    uint64_t vblank = 0;
    uint32_t number = 0;
    for (size_t at = 0; at < length;) {
        const char *newline = memchr(bytes + at, '\n', length - at);
        size_t end = newline ? (size_t)(newline - bytes) : length;
        char *line = text_copy_n(bytes + at, end - at);
        size_t start = strspn(line, " \t\r");
        number++;
        if (line[start] && line[start] != '#') {
            input_step step = {0};
            char why[200];
            int failed = strlen(line) != end - at;
            snprintf(why, sizeof why, "line holds a NUL byte (found one, expected text)");
            if (failed || parse_line(line + start, &step, pads, vblank, why, sizeof why)) {
                char *where = text_format("%s:%u", name, number);
                errors_add(list, where, "%s", why);
                free(where);
            } else {
                vblank = step.vblank;
                script->steps =
                    text_grow(script->steps, (script->count + 1) * sizeof *script->steps);
                script->steps[script->count++] = step;
            }
        }
        free(line);
        at = end + 1;
    }
    XXH128_hash_t hash = XXH3_128bits(bytes, length);
    text_hash_hex(hash.high64, hash.low64, script->digest);
    return list->count > before ? -1 : 0;
}

int input_read(input_script *script, const char *path, errors *list)
{
    size_t length;
    char *bytes = text_read_file(path, INPUT_FILE_LIMIT, &length);
    *script = (input_script){0};
    if (!bytes) {
        errors_add(list, path, "input script cannot be read (found: %s, expected a text file)",
                   strerror(errno));
        return -1;
    }
    int failed = input_parse(script, path, bytes, length, list);
    free(bytes);
    return failed;
}

void input_apply(input_script *script, uint64_t vblank, weft_pad *pads)
{
    while (script->next < script->count && script->steps[script->next].vblank <= vblank) {
        const input_step *step = &script->steps[script->next++];
        pads[step->port] = step->pad;
    }
}

void input_free(input_script *script)
{
    free(script->steps);
    *script = (input_script){0};
}
