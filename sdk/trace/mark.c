/* mark.c: see mark.h. */
#include "mark.h"

#include <stdio.h>
#include <string.h>

/* Registers below are counts, flags and modes to a reader; from here on addresses and masks. */
#define SMALL UINT64_C(0x10000)

void mark_start(mark *m, uint32_t track, uint64_t tick, const char *category)
{
    m->head = (weft_track_mark){
        .track = track,
        .tick = tick,
        .category = category,
        .args = m->args,
    };
    m->used = 0;
}

/* Bytes of UTF-8 that a byte needs: ASCII 1, Latin-1 2, the picture of a control character 3. */
static size_t put_byte(char *to, unsigned char byte)
{
    if (byte >= 0x20 && byte < 0x7F) {
        to[0] = (char)byte;
        return 1;
    }
    if (byte >= 0xA0) {
        to[0] = (char)(0xC0 | byte >> 6);
        to[1] = (char)(0x80 | (byte & 0x3F));
        return 2;
    }
    /* U+2400 + byte for C0, U+2421 for DEL, U+FFFD for C1, which has no pictures */
    memcpy(to, byte < 0x80 ? "\xE2\x90\x80" : "\xEF\xBF\xBD", 3);
    if (byte < 0x20) {
        to[2] = (char)(0x80 | byte);
    } else if (byte == 0x7F) {
        to[2] = (char)0xA1;
    }
    return 3;
}

size_t mark_utf8(char *to, size_t size, const char *bytes, size_t length)
{
    size_t used = 0;
    for (size_t i = 0; i < length && used + 3 <= size; i++) {
        used += put_byte(to + used, (unsigned char)bytes[i]);
    }
    return used;
}

const char *mark_text(mark *m, const char *bytes, size_t length, size_t *written)
{
    const char *start = m->text + m->used;
    *written = mark_utf8(m->text + m->used, sizeof m->text - m->used, bytes, length);
    m->used += *written;
    return start;
}

void mark_name(mark *m, const char *first, const char *bytes, size_t length)
{
    size_t head, tail;
    m->head.name = mark_text(m, first, strlen(first), &head);
    mark_text(m, bytes, length < 256 ? length : 256, &tail);
    m->head.name_length = head + tail;
}

static weft_track_arg *add(mark *m, const char *name, size_t length, char type)
{
    weft_track_arg *arg = &m->args[m->head.arg_count]; /* behind the last: room that is not told */
    m->head.arg_count += m->head.arg_count < MARK_ARGS;
    *arg = (weft_track_arg){.name = name, .name_length = (uint32_t)length, .type = type};
    return arg;
}

static void add_word(mark *m, const char *name, size_t length, char type, uint64_t value)
{
    add(m, name, length, type)->value = value;
}

static void add_string(mark *m, const char *name, size_t name_length, const char *bytes,
                       size_t length)
{
    weft_track_arg *arg = add(m, name, name_length, 's');
    arg->text = mark_text(m, bytes, length < MARK_STRING ? length : MARK_STRING, &arg->length);
}

void mark_word(mark *m, const char *name, char type, uint64_t value)
{
    add_word(m, name, strlen(name), type, value);
}

void mark_string(mark *m, const char *name, const char *bytes, size_t length)
{
    add_string(m, name, strlen(name), bytes, length);
}

const char *mark_identity_text(const mark *m, uint64_t id, char room[17])
{
    const char *text = m->begin->name ? m->begin->name(m->begin->names, id) : NULL;
    if (!text) {
        snprintf(room, 17, "%016llx", (unsigned long long)id);
    }
    return text ? text : room;
}

static void add_identity(mark *m, const char *name, size_t length, uint64_t id)
{
    char room[17];
    const char *text = mark_identity_text(m, id, room);
    if (id == 0) {
        text = "none";
    }
    add_string(m, name, length, text, strlen(text));
}

void mark_identity(mark *m, const char *name, uint64_t id)
{
    add_identity(m, name, strlen(name), id);
}

/* An array as one text: "a, b, c, ... (40)". */
static void add_array(mark *m, const char *name, size_t name_length, char type,
                      const uint64_t *words)
{
    char line[MARK_STRING], room[24];
    uint64_t count = words[0];
    size_t used = 0;
    for (uint64_t i = 0; i < count && i < MARK_ITEMS && used < sizeof line; i++) {
        const char *item = room;
        if (type == 'D') {
            item = mark_identity_text(m, words[1 + i], room);
        } else if (type == 'U') {
            snprintf(room, sizeof room, "%llu", (unsigned long long)words[1 + i]);
        } else {
            snprintf(room, sizeof room, "%llx", (unsigned long long)words[1 + i]);
        }
        int n = snprintf(line + used, sizeof line - used, "%s%s%.200s", i ? ", " : "",
                         type == 'X' || type == 'P' ? "0x" : "", item);
        used += (size_t)n;
    }
    if (count > MARK_ITEMS && used < sizeof line) {
        used += (size_t)snprintf(line + used, sizeof line - used, ", ... (%llu)",
                                 (unsigned long long)count);
    }
    add_string(m, name, name_length, line, used < sizeof line ? used : sizeof line - 1);
}

void mark_identities(mark *m, const char *name, const uint64_t *words)
{
    add_array(m, name, strlen(name), 'D', words);
}

void mark_fields(mark *m, const weft_event *event, uint32_t from)
{
    const line_kind *kind = &m->table->kinds[event->kind];
    const uint64_t *w = (const uint64_t *)(event + 1);
    for (uint32_t i = 0; i < kind->count; i++) {
        const line_field *field = &kind->fields[i];
        char type = field->type;
        int shown = i >= from;
        uint64_t more = 0; /* words behind the first */
        if (type == 's') {
            more = (w[0] + 7) / 8;
            if (shown) {
                add_string(m, field->name, field->name_length, (const char *)(w + 1), (size_t)w[0]);
            }
        } else if (strchr("UXDP", type)) {
            more = w[0];
            if (shown) {
                add_array(m, field->name, field->name_length, type, w);
            }
        } else if (shown && type == 'd') {
            add_identity(m, field->name, field->name_length, w[0]);
        } else if (shown) {
            add_word(m, field->name, field->name_length, type == 'p' ? 'x' : type, w[0]);
        }
        w += 1 + more;
    }
}

void mark_call(mark *m, const weft_event *event, const line_export *text)
{
    static const char numbered[MARK_ITEMS][6] = {
        "arg0", "arg1", "arg2",  "arg3",  "arg4",  "arg5",  "arg6",  "arg7",
        "arg8", "arg9", "arg10", "arg11", "arg12", "arg13", "arg14", "arg15",
    };
    const uint64_t *w = (const uint64_t *)(event + 1) + 1; /* behind the export */
    uint64_t count = *w++;
    const char *at = text->arguments, *end = at + text->arguments_length;
    int named = text->module_length > 0 && !memmem(at, text->arguments_length, "...", 3);
    for (uint64_t i = 0; i < count && i < MARK_ITEMS; i++) {
        if (named && at == end) {
            break; /* registers that the export does not take */
        }
        const char *comma = at < end ? memchr(at, ',', (size_t)(end - at)) : NULL;
        size_t length = (size_t)((comma ? comma : end) - at);
        int plain = length > 0 && length < 64 && !(length == 3 && memcmp(at, "...", 3) == 0);
        size_t shown;
        const char *name = plain ? mark_text(m, at, length, &shown) : numbered[i];
        add_word(m, name, plain ? shown : strlen(name), w[i] < SMALL ? 'u' : 'x', w[i]);
        at = comma ? comma + 1 : end;
    }
    w += count;
    if (w[0] > 0) {
        mark_string(m, "path", (const char *)(w + 1), (size_t)w[0]);
    }
}
