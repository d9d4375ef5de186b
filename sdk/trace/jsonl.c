/* jsonl.c: lines of schema v1 back into events (docs/trace.md, "From a line to the canonical
 * bytes"), those of the reference system included, which lack hw, thread, seq and tick. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "jsonl.h"

#define LINE_LIMIT (1u << 20) /* the longest event of ours takes 32 KiB as text */
#define READ_BYTES (1u << 18) /* few enough to stay in a core's cache until they are parsed */

/* Whether the file's last bytes, which no newline ends, are a line all the same: an object that is
 * whole. Programs that put newlines between lines leave one, and so do people. */
static int is_whole(jsonl_reader *r, size_t length)
{
    const json_node *root = json_read(&r->tree, r->buffer + r->at, length);
    return root && root->type == JSON_OBJECT;
}

/* Finds the next line: 1, 0 at the end, -1 after a failure. Empty ones may stand at the end alone. */
static int next_line(weft_trace *t, jsonl_reader *r)
{
    size_t searched = 0;
    uint64_t empty = 0; /* the first empty line */
    for (;;) {
        char *from = r->buffer + r->at;
        char *newline = memchr(from + searched, '\n', r->end - r->at - searched);
        if (newline) {
            r->line = from;
            r->length = (size_t)(newline - from);
            r->at += r->length + 1;
            r->number++;
            r->whole = 0;
            if (r->length > 0 && r->line[r->length - 1] == '\r') {
                r->length--;
            }
            if (r->length == 0 && r->number > 1) {
                empty = empty ? empty : r->number;
                searched = 0;
                continue;
            }
            if (empty) {
                trace_fail_line(t, empty,
                                "line is empty (found another one behind it, expected an "
                                "event or the end)");
                return -1;
            }
            return 1;
        }
        searched = r->end - r->at;
        if (searched > LINE_LIMIT) {
            trace_fail_line(t, r->number + 1,
                            "line is too long (found over %u bytes, expected at most that)",
                            LINE_LIMIT);
            return -1;
        }
        if (r->eof) {
            if (searched > 0 && is_whole(r, searched)) {
                r->buffer[r->end++] = '\n'; /* a line's length below `room`, as is what follows */
                memset(r->buffer + r->end, 0, JSONL_PADDING);
                searched = 0;
                continue;
            }
            if (searched > 0) {
                trace_fail_line(t, r->number + 1,
                                "line is cut off (found the end of the file after %zu bytes, "
                                "expected a newline)",
                                searched);
                return -1;
            }
            return 0;
        }
        memmove(r->buffer, from, searched);
        r->at = 0;
        r->end = searched;
        size_t room = r->room - r->end;
        size_t got = trace_read(t, r->buffer + r->end, room < READ_BYTES ? room : READ_BYTES);
        r->end += got;
        memset(r->buffer + r->end, 0, JSONL_PADDING);
        r->eof = got == 0;
    }
}

static void put(jsonl_reader *r, uint64_t word)
{
    if (r->words == r->words_room) {
        size_t room = r->words_room * 2;
        weft_event *event = realloc(r->event, sizeof *event + room * 8);
        if (!event) {
            r->no_memory = 1;
            return;
        }
        r->event = event;
        r->words_room = room;
    }
    ((uint64_t *)(r->event + 1))[r->words++] = word;
}

static void put_text(jsonl_reader *r, const char *bytes, size_t length)
{
    put(r, length);
    for (size_t at = 0; at < length; at += 8) {
        uint64_t word = 0;
        memcpy(&word, bytes + at, length - at < 8 ? length - at : 8);
        put(r, word);
    }
}

/* "0x1f" or, where `bare`, "1f"; all of the text or nothing. */
static int hex_text(const json_node *node, int bare, uint64_t *value)
{
    const char *at = node->text;
    uint32_t left = node->length;
    if (left > 2 && at[0] == '0' && (at[1] == 'x' || at[1] == 'X')) {
        at += 2;
        left -= 2;
    } else if (!bare) {
        return 0;
    }
    if (left == 0 || left > 16) {
        return 0;
    }
    for (*value = 0; left > 0; left--, at++) {
        char c = *at;
        uint64_t digit = c >= '0' && c <= '9'                 ? (uint64_t)(c - '0')
                         : (c | 32) >= 'a' && (c | 32) <= 'f' ? (uint64_t)((c | 32) - 'a' + 10)
                                                              : 16;
        if (digit > 15) {
            return 0;
        }
        *value = *value << 4 | digit;
    }
    return 1;
}

/* A scalar of any type. Integers may stand as such or as "0x...", identities as bare hex; booleans
 * are 0 and 1. A foreign log may have a word of its own there, which counts by its hash. */
static int scalar(const weft_trace *t, const json_node *node, char type, uint64_t *value)
{
    *value = 0;
    if (!node) {
        return t->info.foreign;
    }
    switch (node->type) {
    case JSON_NUMBER:
        *value = node->number;
        return node->exact && (!node->negative || type == 'i' || t->info.foreign);
    case JSON_FALSE:
    case JSON_TRUE:
        *value = node->type == JSON_TRUE;
        return 1;
    case JSON_STRING:
        if (hex_text(node, type == 'd' || type == 'D', value)) {
            return 1;
        }
        *value = weft_fnv1a(node->text, node->length);
        return t->info.foreign;
    default:
        return t->info.foreign;
    }
}

static int put_scalar(weft_trace *t, const json_node *node, char type)
{
    uint64_t value;
    int good = scalar(t, node, type, &value);
    put(t->jsonl, value);
    return good;
}

static int put_array(weft_trace *t, const json_node *node, char type)
{
    jsonl_reader *r = t->jsonl;
    int good = node ? node->type == JSON_ARRAY || node->type == JSON_OBJECT : t->info.foreign;
    put(r, good && node ? node->count : 0);
    if (good) {
        for (const json_node *n = json_child(&r->tree, node); n; n = json_next(&r->tree, n)) {
            good &= put_scalar(t, n, type);
        }
    }
    return good;
}

/* An export's identity; a log without one names it, and the name is the identity's text then. */
static int put_export(weft_trace *t, const json_node *payload)
{
    jsonl_reader *r = t->jsonl;
    const json_node *id = json_get(&r->tree, payload, "export");
    const json_node *name = json_get(&r->tree, payload, "name");
    if (id || !t->info.foreign) {
        return id && put_scalar(t, id, 'd');
    }
    if (!name || name->type != JSON_STRING) {
        put(r, 0);
        return 1;
    }
    uint64_t hash = weft_fnv1a(name->text, name->length);
    r->no_memory |= !names_add(&t->names, hash, name->text, name->length);
    put(r, hash);
    return 1;
}

/* Where a field stands in a line: under its name, but for the shapes that schema v1 has. */
static int put_field(weft_trace *t, const json_node *payload, const line_field *field)
{
    jsonl_reader *r = t->jsonl;
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)field->name_length, field->name);
    const json_node *node = json_get(&r->tree, payload, name);
    if (strcmp(name, "export") == 0) {
        return put_export(t, payload);
    }
    if (strcmp(name, "path") == 0 && !node) { /* of kernel.call */
        node = json_get(&r->tree, json_get(&r->tree, payload, "args_resolved"), "path");
        int text = node && node->type == JSON_STRING;
        put_text(r, text ? node->text : "", text ? node->length : 0);
        return !node || text || t->info.foreign;
    }
    if (strcmp(name, "wait_all") == 0) {
        node = json_get(&r->tree, payload, "wait_type");
        if (json_is(node, "all") || json_is(node, "any")) {
            put(r, (uint64_t)json_is(node, "all"));
            return 1;
        }
    }
    if (!node && t->info.foreign && strcmp(name, "site") == 0) {
        node = json_get(&r->tree, payload, "site_sid");
        return put_scalar(t, node, 'd');
    }
    if (field->type == 's') {
        int text = node && node->type == JSON_STRING;
        put_text(r, text ? node->text : "", text ? node->length : 0);
        return text || t->info.foreign;
    }
    return strchr("UXDP", field->type) ? put_array(t, node, field->type)
                                       : put_scalar(t, node, field->type);
}

/* The kind's number, or 0: by name, "kind.N" for one without a row, kernel.return by whether it
 * returns anything. */
static uint16_t kind_number(jsonl_reader *r, const json_node *kind, const json_node *payload)
{
    if (json_is(kind, "kernel.return") && !json_get(&r->tree, payload, "return_value") &&
        !json_get(&r->tree, payload, "words")) {
        return WEFT_EVENT_KERNEL_RETURN_VOID;
    }
    if (kind->length > 5 && kind->length <= 10 && memcmp(kind->text, "kind.", 5) == 0) {
        uint32_t number = 0;
        for (uint32_t i = 5; i < kind->length; i++) {
            if (kind->text[i] < '0' || kind->text[i] > '9') {
                return 0;
            }
            number = number * 10 + (uint32_t)(kind->text[i] - '0');
        }
        return number <= UINT16_MAX ? (uint16_t)number : 0;
    }
    for (uint16_t number = 1; number < WEFT_EVENT_KIND_END; number++) {
        if (r->table.kinds[number].row && json_is(kind, r->table.kinds[number].row->name)) {
            return number;
        }
    }
    return 0;
}

static int put_payload(weft_trace *t, const json_node *payload, uint16_t number, const char **bad)
{
    jsonl_reader *r = t->jsonl;
    const json_node *words = json_get(&r->tree, payload, "words");
    const line_kind *kind = number < WEFT_EVENT_KIND_END ? &r->table.kinds[number] : NULL;
    if (words && words->type == JSON_ARRAY) {
        *bad = "words";
        for (const json_node *n = json_child(&r->tree, words); n; n = json_next(&r->tree, n)) {
            if (!put_scalar(t, n, 'x')) {
                return 0;
            }
        }
        return 1;
    }
    if (!kind || !kind->row) {
        *bad = "words";
        return 0;
    }
    for (uint32_t i = 0; i < kind->count; i++) {
        *bad = kind->fields[i].name;
        if (!put_field(t, payload, &kind->fields[i])) {
            return 0;
        }
    }
    return 1;
}

/* The four fields that only our lines have; without `seq` a line is of plain schema v1, where the
 * thread is known by its tid and the position by the line. */
static int read_place(weft_trace *t, const json_node *root, weft_event *head, const char **bad)
{
    static const char *const members[] = {"hw", "thread", "seq", "tick"};
    jsonl_reader *r = t->jsonl;
    uint64_t values[4];
    if (!json_get(&r->tree, root, "seq")) {
        char text[32];
        int length = snprintf(text, sizeof text, "tid:%u", head->tid);
        head->hw = WEFT_HW_NONE;
        head->thread = weft_fnv1a(text, (size_t)length);
        head->sequence = r->events;
        r->no_memory |= !names_add(&t->names, head->thread, text, (size_t)length);
        return 1;
    }
    for (int i = 0; i < 4; i++) {
        const json_node *node = json_get(&r->tree, root, members[i]);
        *bad = members[i];
        if (!node || !scalar(t, node, i == 1 ? 'd' : 'u', &values[i])) {
            return 0;
        }
    }
    *bad = members[0];
    head->hw = (uint8_t)values[0];
    head->thread = values[1];
    head->sequence = values[2];
    head->tick = values[3];
    return values[0] <= UINT8_MAX;
}

/* A member that must be an integer; 0 where it is not there, which a line edited by hand may do. */
static int integer(jsonl_reader *r, const json_node *root, const char *name, uint64_t most,
                   uint64_t *value)
{
    const json_node *node = json_get(&r->tree, root, name);
    *value = node ? node->number : 0;
    return !node || (node->type == JSON_NUMBER && node->exact && !node->negative && *value <= most);
}

static const weft_event *malformed(weft_trace *t, const json_node *kind, const char *bad)
{
    return trace_fail_line(t, t->jsonl->number,
                           "event %.*s cannot be read (found no usable %.*s, expected what "
                           "docs/trace.md says)",
                           kind ? (int)(kind->length < 40 ? kind->length : 40) : 0,
                           kind ? kind->text : "", (int)strcspn(bad, ":"), bad);
}

static void copy_text(char *to, size_t room, const json_node *node)
{
    size_t length = node && node->type == JSON_STRING ? node->length : 0;
    length = length < room ? length : room - 1;
    memcpy(to, length ? node->text : "", length);
    to[length] = 0;
}

static const weft_event *read_event(weft_trace *t, const json_node *root, const json_node *kind,
                                    const json_node *payload)
{
    jsonl_reader *r = t->jsonl;
    weft_event head = {0};
    uint64_t tid, cycle;
    const char *bad = "tid";
    if (!integer(r, root, "tid", UINT32_MAX, &tid)) {
        return malformed(t, kind, bad);
    }
    if (!integer(r, root, "tid_event_idx", UINT64_MAX, &head.index)) {
        return malformed(t, kind, "tid_event_idx");
    }
    integer(r, root, "guest_cycle", UINT64_MAX, &cycle);
    head.tid = (uint32_t)tid;
    head.cycle = cycle;
    head.kind = kind_number(r, kind, payload);
    if (!read_place(t, root, &head, &bad)) {
        return malformed(t, kind, bad);
    }
    const weft_event_kind *row = weft_event_kind_of(head.kind);
    head.category = row ? row->category : WEFT_CLASS_LOCAL;
    r->words = 0;
    if (head.kind != 0) {
        if (!put_payload(t, payload, head.kind, &bad)) {
            return malformed(t, kind, bad);
        }
    } else if (!t->info.foreign) {
        return malformed(t, kind, "kind");
    } else {
        uint64_t id = weft_fnv1a(kind->text, kind->length);
        r->no_memory |= !names_add(&t->names, id, kind->text, kind->length);
        put(r, id);
        put(r, XXH3_64bits(r->line + payload->from, payload->to - payload->from));
        head.category = WEFT_CLASS_GUEST;
    }
    head.size = (uint32_t)(sizeof head + r->words * 8);
    if (r->no_memory) {
        return trace_fail_line(t, r->number, "no memory for an event");
    }
    *r->event = head;
    r->events++;
    return r->event;
}

static int read_end(weft_trace *t, const json_node *payload)
{
    jsonl_reader *r = t->jsonl;
    uint64_t last;
    if (!integer(r, payload, "last", UINT64_MAX, &last)) {
        trace_fail_line(t, r->number, "end has no usable last (expected an integer)");
        return 0;
    }
    t->info.last = last;
    copy_text(t->info.digest, sizeof t->info.digest, json_get(&r->tree, payload, "digest"));
    t->info.complete = 1;
    r->ended = 1;
    return 1;
}

/* At the end of the file: a trace of ours without its last line was cut. */
static const weft_event *finish(weft_trace *t)
{
    if (!t->jsonl->ended && !t->info.foreign) {
        snprintf(t->info.missing, sizeof t->info.missing,
                 "the file ends without trace.end: it was cut after line %llu, and how much is "
                 "missing cannot be known",
                 (unsigned long long)t->jsonl->number);
    } else if (t->info.foreign) {
        t->info.complete = 1;
    }
    return NULL;
}

/* The current line as a tree. */
static const json_node *whole_line(jsonl_reader *r)
{
    r->whole = 1;
    return json_read(&r->tree, r->line, r->length);
}

const weft_event *jsonl_next(weft_trace *t)
{
    jsonl_reader *r = t->jsonl;
    for (;;) {
        int found = next_line(t, r);
        if (found <= 0) {
            return found == 0 ? finish(t) : NULL;
        }
        const weft_event *event = jsonl_fast(t);
        if (event) {
            return event;
        }
        const json_node *root = whole_line(r);
        const json_node *kind = root ? json_get(&r->tree, root, "kind") : NULL;
        const json_node *payload = root ? json_get(&r->tree, root, "payload") : NULL;
        if (!root) {
            return trace_fail_line(t, r->number, "%s", r->tree.error);
        }
        if (!kind || kind->type != JSON_STRING || !payload || payload->type != JSON_OBJECT) {
            return trace_fail_line(t, r->number,
                                   "line is no event (found no kind and payload, expected both)");
        }
        if (r->ended) {
            return trace_fail_line(t, r->number,
                                   "line after the end (found %.*s, expected no line behind "
                                   "trace.end)",
                                   (int)(kind->length < 40 ? kind->length : 40), kind->text);
        }
        if (!json_is(kind, "trace.end")) {
            return read_event(t, root, kind, payload);
        }
        if (!read_end(t, payload)) {
            return NULL;
        }
    }
}

static void read_header(weft_trace *t)
{
    jsonl_reader *r = t->jsonl;
    uint64_t version = 0;
    int found = next_line(t, r);
    const json_node *root = found > 0 ? json_read(&r->tree, r->line, r->length) : NULL;
    const json_node *payload = root ? json_get(&r->tree, root, "payload") : NULL;
    if (found <= 0) {
        trace_fail_line(t, 1, "file is no trace (found no line, expected a header)");
    } else if (!root) {
        trace_fail_line(t, 1, "%s", r->tree.error);
    } else if (!json_is(json_get(&r->tree, root, "kind"), "schema_version") || !payload) {
        trace_fail_line(t, 1, "first line is no header (expected kind schema_version)");
    } else if (!integer(r, payload, "version", UINT64_MAX, &version) || version != 1) {
        trace_fail_line(t, 1, "version cannot be read (found %llu, expected 1)",
                        (unsigned long long)version);
    } else {
        const json_node *partial = json_get(&r->tree, payload, "partial");
        weft_trace_info *info = &t->info;
        copy_text(info->engine, sizeof info->engine, json_get(&r->tree, root, "engine"));
        copy_text(info->build, sizeof info->build, json_get(&r->tree, payload, "emitter_build"));
        copy_text(info->title, sizeof info->title, json_get(&r->tree, payload, "title"));
        copy_text(info->profile_digest, sizeof info->profile_digest,
                  json_get(&r->tree, payload, "profile_digest"));
        copy_text(info->before, sizeof info->before, json_get(&r->tree, payload, "digest"));
        integer(r, payload, "first", UINT64_MAX, &info->first);
        info->partial = partial && partial->type == JSON_TRUE;
        info->foreign = strcmp(info->engine, "weft") != 0;
    }
}

jsonl_reader *jsonl_open(weft_trace *t, const char *head, size_t length)
{
    jsonl_reader *r = calloc(1, sizeof *r);
    if (!r) {
        return trace_fail_line(t, 1, "no memory for a reader");
    }
    r->room = LINE_LIMIT + READ_BYTES;
    r->buffer = malloc(r->room + JSONL_PADDING);
    r->words_room = 64;
    r->event = malloc(sizeof *r->event + r->words_room * 8);
    if (!r->buffer || !r->event) {
        jsonl_close(r);
        return trace_fail_line(t, 1, "no memory for a reader");
    }
    if (fileno(t->file) >= 0) { /* read ahead farther where the file is not in memory */
        posix_fadvise(fileno(t->file), 0, 0, POSIX_FADV_SEQUENTIAL);
    }
    memcpy(r->buffer, head, length);
    memset(r->buffer + length, 0, JSONL_PADDING);
    r->end = length;
    line_table_init(&r->table);
    t->jsonl = r;
    read_header(t);
    if (!t->error[0]) {
        jsonl_fast_init(t);
    }
    return r;
}

void jsonl_plain(weft_trace *t)
{
    if (t->jsonl) {
        t->jsonl->plain = 1;
    }
}

void jsonl_place(const weft_trace *t, uint64_t *offset, uint64_t *line)
{
    *offset = t->bytes - (t->jsonl->end - t->jsonl->at);
    *line = t->jsonl->number;
}

int jsonl_seek(weft_trace *t, uint64_t offset, uint64_t line)
{
    jsonl_reader *r = t->jsonl;
    if (offset > INT64_MAX || fseeko(t->file, (off_t)offset, SEEK_SET) != 0) {
        trace_fail_line(t, line, "cannot go back to a line (found %s, expected a file)",
                        strerror(errno));
        return 0;
    }
    r->at = r->end = 0;
    r->buffer[0] = 0;
    r->eof = r->ended = r->whole = 0;
    r->number = line;
    r->events = line - 1; /* behind the header each line is an event */
    t->bytes = offset;
    t->info.complete = 0;
    return 1;
}

const char *jsonl_line(const jsonl_reader *r, size_t *length)
{
    *length = r->length;
    return r->line;
}

const char *jsonl_fields(jsonl_reader *r, size_t *length)
{
    const json_node *root = r->whole ? r->tree.nodes : whole_line(r);
    r->fields.used = 0;
    out_raw(&r->fields, "{", 1);
    for (const json_node *n = json_child(&r->tree, root); n; n = json_next(&r->tree, n)) {
        if ((n->key_length == 7 && memcmp(n->key, "host_ns", 7) == 0) ||
            (n->key_length == 11 && memcmp(n->key, "guest_cycle", 11) == 0)) {
            continue;
        }
        if (r->fields.used > 1) {
            out_raw(&r->fields, ",", 1);
        }
        out_string(&r->fields, n->key, n->key_length);
        out_raw(&r->fields, ":", 1);
        out_raw(&r->fields, r->line + n->from, n->to - n->from);
    }
    out_raw(&r->fields, "}", 1);
    *length = r->fields.used;
    return r->fields.no_memory ? NULL : r->fields.bytes;
}

void jsonl_close(jsonl_reader *r)
{
    if (r) {
        out_free(&r->fields);
        json_free(&r->tree);
        free(r->buffer);
        free(r->event);
        free(r->kinds);
        free(r);
    }
}
