/* rebuild.c: see rebuild.h. */
#include "rebuild.h"

#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "weft/event.h"

typedef struct sink {
    uint64_t *words;
    int count;
    int bad;
} sink;

static void put(sink *s, uint64_t word)
{
    if (s->count < REBUILD_MAX_WORDS) {
        s->words[s->count++] = word;
    } else {
        s->bad = 1;
    }
}

/* cJSON keeps a number as a double, which has 53 bits, and ends strings at a NUL. So numbers are
 * put in quotes before it sees them, and U+0000 becomes U+0100, which no trace contains. */
static char *prepare(const char *line)
{
    char *text = malloc(strlen(line) * 3 + 1);
    char *to = text;
    int in_string = 0;
    for (const char *at = line; *at; at++) {
        if (in_string && at[0] == '\\') {
            if (strncmp(at, "\\u0000", 6) == 0) {
                memcpy(to, "\\u0100", 6);
                to += 6;
                at += 5;
            } else {
                *to++ = *at++;
                *to++ = *at;
            }
        } else if (!in_string && strchr("-0123456789", *at)) {
            size_t length = strspn(at, "-0123456789");
            *to++ = '"';
            memcpy(to, at, length);
            to += length;
            *to++ = '"';
            at += length - 1;
        } else {
            in_string ^= *at == '"';
            *to++ = *at;
        }
    }
    *to = 0;
    return text;
}

static void put_number(sink *s, const cJSON *item, int base)
{
    char *end = "x";
    if (cJSON_IsString(item) && *item->valuestring) {
        const char *text = item->valuestring;
        put(s, *text == '-' ? (uint64_t)strtoll(text, &end, base) : strtoull(text, &end, base));
    }
    s->bad |= *end != 0;
}

/* A string's code points are its bytes; cJSON hands them over as UTF-8. */
static void put_text(sink *s, const cJSON *item)
{
    char bytes[8 * REBUILD_MAX_WORDS] = {0};
    size_t length = 0;
    if (!cJSON_IsString(item)) {
        s->bad = 1;
        return;
    }
    for (const unsigned char *at = (const unsigned char *)item->valuestring; *at; at++) {
        unsigned point = *at;
        if (point >= 0xC0) {
            point = (point & 0x1F) << 6 | (*++at & 0x3F);
        }
        bytes[length++] = (char)point; /* U+0100 gives 0, see prepare */
    }
    put(s, length);
    for (size_t at = 0; at < length; at += 8) {
        uint64_t word;
        memcpy(&word, bytes + at, 8);
        put(s, word);
    }
}

static void put_array(sink *s, const cJSON *array, int base)
{
    s->bad |= !array;
    put(s, (uint64_t)cJSON_GetArraySize(array));
    const cJSON *item;
    cJSON_ArrayForEach(item, array)
    {
        put_number(s, item, base);
    }
}

/* One field of the table, from the payload's member of the same name, or from where schema v1 keeps
 * it instead. */
static void put_field(sink *s, const cJSON *payload, const char *name, char type)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(payload, name);
    if (strcmp(name, "args") == 0) {
        put_array(s, item, 10);
    } else if (strcmp(name, "path") == 0 && !item) {
        const cJSON *resolved = cJSON_GetObjectItemCaseSensitive(payload, "args_resolved");
        const cJSON *path = cJSON_GetObjectItemCaseSensitive(resolved, "path");
        if (path) {
            put_text(s, path);
        } else {
            put(s, 0);
        }
    } else if (strcmp(name, "wait_all") == 0) {
        const cJSON *wait = cJSON_GetObjectItemCaseSensitive(payload, "wait_type");
        const char *text = cJSON_IsString(wait) ? wait->valuestring : "";
        if (strcmp(text, "any") == 0 || strcmp(text, "all") == 0) {
            put(s, text[1] == 'l');
        } else {
            put_number(s, wait, 10);
        }
    } else if (strcmp(name, "return_value") == 0) {
        put_number(s, item, 10);
    } else if (type == 's') {
        put_text(s, item);
    } else if (type == 'U' || type == 'X' || type == 'D' || type == 'P') {
        put_array(s, item, type == 'U' ? 10 : 16);
    } else {
        put_number(s, item, type == 'x' || type == 'd' || type == 'p' ? 16 : 10);
    }
}

static void put_fields(sink *s, const cJSON *payload, const char *fields)
{
    char text[256];
    char *rest = NULL;
    strncpy(text, fields, sizeof text - 1);
    text[sizeof text - 1] = 0;
    for (char *at = strtok_r(text, ",", &rest); at; at = strtok_r(NULL, ",", &rest)) {
        char *colon = strchr(at, ':');
        *colon = 0;
        put_field(s, payload, at, colon[1]);
    }
}

/* The kind's number: by name, "kind.N" for one without a row, kernel.return by whether it returns
 * anything. */
static uint64_t kind_number(const char *name, const cJSON *payload)
{
    if (strncmp(name, "kind.", 5) == 0) {
        return strtoull(name + 5, NULL, 10);
    }
    if (strcmp(name, "kernel.return") == 0 && !cJSON_GetObjectItem(payload, "return_value") &&
        !cJSON_GetObjectItem(payload, "words")) {
        return WEFT_EVENT_KERNEL_RETURN_VOID;
    }
    for (uint16_t number = 1; number < WEFT_EVENT_KIND_END; number++) {
        const weft_event_kind *row = weft_event_kind_of(number);
        if (row && strcmp(row->name, name) == 0) {
            return number;
        }
    }
    return 0;
}

int rebuild_line(const char *line, uint64_t words[REBUILD_MAX_WORDS])
{
    char *text = prepare(line);
    cJSON *object = cJSON_Parse(text);
    free(text);
    const cJSON *kind = cJSON_GetObjectItemCaseSensitive(object, "kind");
    const cJSON *payload = cJSON_GetObjectItemCaseSensitive(object, "payload");
    int count = -1;
    if (cJSON_IsString(kind) && cJSON_IsObject(payload)) {
        sink s = {.words = words};
        if (cJSON_GetObjectItemCaseSensitive(object, "seq")) {
            const cJSON *raw = cJSON_GetObjectItemCaseSensitive(payload, "words");
            uint64_t number = kind_number(kind->valuestring, payload);
            put(&s, number);
            put_number(&s, cJSON_GetObjectItemCaseSensitive(object, "hw"), 10);
            put_number(&s, cJSON_GetObjectItemCaseSensitive(object, "thread"), 16);
            put_number(&s, cJSON_GetObjectItemCaseSensitive(object, "tid_event_idx"), 10);
            put_number(&s, cJSON_GetObjectItemCaseSensitive(object, "tick"), 10);
            if (raw) {
                const cJSON *item;
                cJSON_ArrayForEach(item, raw)
                {
                    put_number(&s, item, 16);
                }
            } else if (number != 0) {
                put_fields(&s, payload, weft_event_kind_of((uint16_t)number)->fields);
            } else {
                s.bad = 1;
            }
        }
        count = s.bad ? -1 : s.count;
    }
    cJSON_Delete(object);
    return count;
}
