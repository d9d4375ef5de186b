/* diff_event.c: events of a comparison as text, and what differs between two of them. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "canon_shared.h"
#include "diff_parts.h"

#define NAMES_SHOWN 4 /* of an array's identities */

int weft_diff_is_weak(const char *text)
{
    const char *colon = text ? strchr(text, ':') : NULL;
    return colon && strncmp(colon + 1, "heap:", 5) == 0;
}

/* weft_trace_source_name in the form that weft_trace_begin.name has. */
static const char *name_in_source(void *source, uint64_t id)
{
    return weft_trace_source_name(source, id);
}

static const line_kind *kind_of(const diff_work *w, uint16_t kind)
{
    const line_kind *row = kind < WEFT_EVENT_KIND_END ? &w->lines.kinds[kind] : NULL;
    return row && row->row ? row : NULL;
}

/* How a schema v1 line calls the kind. */
static const char *kind_name(const diff_work *w, int side, const weft_event *event, char room[16])
{
    const line_kind *row = kind_of(w, event->kind);
    uint32_t count;
    const uint64_t *words = weft_trace_words(event, &count);
    const char *name = event->kind == 0 && count > 0
                           ? weft_trace_source_name(w->sides[side].source, words[0])
                           : NULL;
    if (event->kind == WEFT_EVENT_KERNEL_RETURN_VOID) {
        return "kernel.return";
    }
    if (row || name) {
        return row ? row->row->name : name;
    }
    snprintf(room, 16, "kind.%u", event->kind);
    return room;
}

/* Words of a payload that belong to a field: 1, and what follows the first one. */
static uint64_t field_length(char type, uint64_t first, uint64_t left)
{
    uint64_t more = type == 's' ? first / 8 + (first % 8 != 0) : strchr("UXDP", type) ? first : 0;
    return more < left ? more + 1 : left;
}

static int is_name(const line_field *field)
{
    return (field->type == 'd' || field->type == 'D') &&
           !(field->name_length == 6 &&
             (memcmp(field->name, "export", 6) == 0 || memcmp(field->name, "pixels", 6) == 0)) &&
           !(field->name_length == 2 && memcmp(field->name, "id", 2) == 0);
}

/* Behind the payload: the texts of the identities in it. */
static void show_names(out *o, const diff_work *w, int side, const weft_event *event)
{
    const line_kind *kind = kind_of(w, event->kind);
    uint32_t count, at = 0;
    const uint64_t *words = weft_trace_words(event, &count);
    for (uint32_t i = 0; kind && i < kind->count && at < count; i++) {
        const line_field *field = &kind->fields[i];
        uint32_t length = (uint32_t)field_length(field->type, words[at], count - at);
        uint32_t first = at + (field->type == 'D');
        for (uint32_t k = first; is_name(field) && k < at + length && k < first + NAMES_SHOWN;
             k++) {
            const char *text = weft_trace_source_name(w->sides[side].source, words[k]);
            if (text) {
                out_raw(o, " ", 1);
                out_raw(o, field->name, field->name_length);
                out_raw(o, "=", 1);
                out_str(o, text);
                out_str(o, weft_diff_is_weak(text) ? " (weak)" : "");
            }
        }
        at += length;
    }
}

void diff_show(diff_work *w, int side, const diff_kept *kept, weft_diff_event *to)
{
    const weft_event *event = kept->event;
    char head[96], room[16];
    weft_trace_begin begin = {
        .engine = "weft", .name = name_in_source, .names = w->sides[side].source};
    line_context context = {.table = &w->lines, .begin = &begin};
    out o = {0};
    snprintf(head, sizeof head, "%" PRIu64 " %" PRIu64 " ", event->sequence, event->index);
    out_str(&o, head);
    out_str(&o, kind_name(w, side, event, room));
    if (kept->payload) {
        out_str(&o, " ");
        out_str(&o, kept->payload);
    } else {
        out_str(&o, " {");
        line_payload(&o, &context, event);
        out_str(&o, "}");
    }
    show_names(&o, w, side, event);
    out_raw(&o, "", 1);
    w->no_memory |= o.no_memory;
    *to = (weft_diff_event){.text = o.no_memory ? NULL : o.bytes,
                            .sequence = event->sequence,
                            .index = event->index,
                            .tick = event->tick,
                            .canonical = kept->canonical};
    if (o.no_memory) {
        out_free(&o);
    }
}

void diff_kept_free(diff_kept *kept)
{
    free(kept->event);
    free(kept->words);
    free(kept->fields);
    free(kept->payload);
}

void diff_list_free(diff_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        diff_kept_free(&list->at[i]);
    }
    free(list->at);
    *list = (diff_list){0};
}

/* Which field each canonical word of an event of Weft is of (canon.h: the kind, then each field that
 * counts; a word of type p takes two). */
static void find_fields(const diff_work *w, const weft_event *event, uint8_t *fields,
                        uint32_t count)
{
    const line_kind *kind = kind_of(w, event->kind);
    uint32_t words_left, at = 1;
    const uint64_t *words = weft_trace_words(event, &words_left);
    memset(fields, UINT8_MAX, count);
    for (uint32_t i = 0; kind && i < kind->count && words_left > 0; i++) {
        char type = kind->fields[i].type;
        uint32_t length = (uint32_t)field_length(type, words[0], words_left);
        uint32_t wide = type == 'p' ? 2 : type == 'P' ? 2 * length - 1 : length;
        for (uint32_t k = 0; !kind->fields[i].apart && k < wide && at < count; k++) {
            fields[at++] = (uint8_t)i;
        }
        words += length;
        words_left -= length;
    }
}

#define PAYLOAD_SHOWN 400 /* bytes; hundreds of threads may have events to show */

/* The payload of another engine's line, whose members have names that our rows do not know. */
static char *payload_of(diff_side *s, const weft_trace *trace)
{
    size_t length;
    const char *line = weft_trace_info_of(trace)->foreign ? weft_trace_line(trace, &length) : NULL;
    const json_node *root = line ? json_read(&s->tree, line, length) : NULL;
    const json_node *payload = root ? json_get(&s->tree, root, "payload") : NULL;
    return payload && payload->to - payload->from <= PAYLOAD_SHOWN
               ? strndup(line + payload->from, payload->to - payload->from)
               : NULL;
}

int diff_keep(diff_work *w, int side, diff_list *list, const weft_trace *trace,
              const weft_event *event, uint64_t canonical, uint64_t hash)
{
    if (list->count == list->room) {
        size_t room = list->room ? list->room * 2 : 16;
        diff_kept *more = realloc(list->at, room * sizeof *more);
        if (!more) {
            return 0;
        }
        list->at = more;
        list->room = room;
    }
    const uint8_t *fields;
    uint32_t count;
    const uint64_t *words = weft_trace_source_words(w->sides[side].source, &fields, &count);
    diff_kept *kept = &list->at[list->count];
    *kept = (diff_kept){.canonical = canonical, .hash = hash, .event = malloc(event->size)};
    kept->payload = payload_of(&w->sides[side], trace);
    if (words && canonical != UINT64_MAX) {
        kept->words = malloc(count * sizeof *words);
        kept->fields = malloc(count);
        kept->word_count = count;
    }
    list->count++;
    if (!kept->event || (words && canonical != UINT64_MAX && (!kept->words || !kept->fields))) {
        return 0;
    }
    memcpy(kept->event, event, event->size);
    if (kept->words) {
        memcpy(kept->words, words, count * sizeof *words);
        if (fields) {
            memcpy(kept->fields, fields, count);
        } else {
            find_fields(w, event, kept->fields, count);
        }
    }
    return 1;
}

const char *diff_export_name(const diff_work *w, int side, const weft_event *event, size_t *length)
{
    uint32_t count;
    const uint64_t *words = weft_trace_words(event, &count);
    const line_kind *kind = kind_of(w, event->kind);
    int has = kind && count > 0 && strncmp(kind->fields[0].name, "export:", 7) == 0;
    const char *text = has ? weft_trace_source_name(w->sides[side].source, words[0]) : NULL;
    *length = 0;
    return text ? canon_shared_export(text, length) : "";
}

/* The place and length of a field in a payload; 0 words where it is not there. */
static const uint64_t *field_words(const line_kind *kind, const weft_event *event, uint32_t field,
                                   uint32_t *length)
{
    uint32_t left;
    const uint64_t *words = weft_trace_words(event, &left);
    for (uint32_t i = 0; i < kind->count && left > 0; i++) {
        *length = (uint32_t)field_length(kind->fields[i].type, words[0], left);
        if (i == field) {
            return words;
        }
        words += *length;
        left -= *length;
    }
    *length = 0;
    return words;
}

/* The first field in which the canonical forms differ, and the element of an array or -1. 0: the
 * canonical forms do not tell. */
static int canonical_difference(const diff_work *w, const diff_kept *a, const diff_kept *b,
                                uint32_t *field, int64_t *element)
{
    uint32_t i = 1, least = a->word_count < b->word_count ? a->word_count : b->word_count;
    if (!a->words || !b->words) {
        return 0;
    }
    while (i < least && a->words[i] == b->words[i]) {
        i++;
    }
    const diff_kept *longer = a->word_count > b->word_count ? a : b;
    if (i == longer->word_count || longer->fields[i] == UINT8_MAX) {
        return 0;
    }
    uint32_t first = i;
    while (longer->fields[first - 1] == longer->fields[i] && first > 1) {
        first--;
    }
    *field = longer->fields[i];
    char type = kind_of(w, longer->event->kind)->fields[*field].type;
    int wide = type == 'P' && w->mode == WEFT_CANON_OWN; /* a name and an offset each */
    *element = strchr("UXDP", type) && i > first ? (int64_t)(i - first - 1) / (wide ? 2 : 1) : -1;
    return 1;
}

/* Fields that are not compared between engines; the kinds' rows have those that never are. */
static int is_skipped(const diff_work *w, const line_field *field)
{
    static const char other[] = " caller handle_semantic_id handles_semantic_ids child alertable "
                                "stack_size affinity suspended ";
    char key[64];
    snprintf(key, sizeof key, " %.*s ", (int)field->name_length, field->name);
    return field->apart || (w->mode == WEFT_CANON_SHARED && strstr(other, key));
}

/* The same by the payloads as they stand. */
static int plain_difference(const diff_work *w, const diff_kept *a, const diff_kept *b,
                            uint32_t *field, int64_t *element)
{
    const line_kind *kind = kind_of(w, a->event->kind);
    for (uint32_t i = 0; kind && i < kind->count; i++) {
        uint32_t la, lb, k = 0;
        const uint64_t *wa = field_words(kind, a->event, i, &la);
        const uint64_t *wb = field_words(kind, b->event, i, &lb);
        if (is_skipped(w, &kind->fields[i])) {
            continue;
        }
        while (k < la && k < lb && wa[k] == wb[k]) {
            k++;
        }
        if (k < la || k < lb) {
            *field = i;
            *element = strchr("UXDP", kind->fields[i].type) && k > 0 ? (int64_t)k - 1 : -1;
            return 1;
        }
    }
    return 0;
}

/* "pool:thread:main/0/3+0x10" where a kept event's word has such a name; between engines "handle 2 of
 * the thread". `word` is as it stands. */
static void show_place(out *o, const diff_work *w, int side, const diff_kept *kept, uint32_t field,
                       int64_t element, uint64_t word)
{
    uint32_t at = 1;
    while (kept->words && at < kept->word_count && kept->fields[at] != field) {
        at++;
    }
    if (!kept->words) {
        return;
    }
    if (w->mode != WEFT_CANON_OWN) {
        char name[64] = "";
        at += element >= 0 ? 1 + (uint32_t)element : 0;
        if (at < kept->word_count && kept->words[at] != word) {
            canon_shared_show(kept->words[at], name);
        }
        out_str(o, name[0] ? " = " : "");
        out_str(o, name);
        return;
    }
    at += element >= 0 ? 1 + 2 * (uint32_t)element : 0;
    const char *text = at + 1 < kept->word_count && kept->words[at]
                           ? weft_trace_source_name(w->sides[side].source, kept->words[at])
                           : NULL;
    if (text) {
        char offset[32];
        snprintf(offset, sizeof offset, "+0x%" PRIx64, kept->words[at + 1]);
        out_str(o, " = ");
        out_str(o, text);
        out_str(o, offset);
        out_str(o, weft_diff_is_weak(text) ? " (weak)" : "");
    }
}

/* A field's value, or one element of it. */
static char *show_value(const diff_work *w, int side, const diff_kept *kept, uint32_t field,
                        int64_t element)
{
    const line_kind *kind = kind_of(w, kept->event->kind);
    uint32_t length;
    const uint64_t *words = field_words(kind, kept->event, field, &length);
    char type = kind->fields[field].type;
    uint64_t at = element < 0 ? 0 : (uint64_t)element + 1;
    out o = {0};
    if (length == 0 || at >= length) {
        out_str(&o, "nothing");
    } else if (type == 's') {
        uint64_t room = (length - 1) * UINT64_C(8);
        out_string(&o, (const char *)(words + 1), (size_t)(words[0] < room ? words[0] : room));
    } else if (strchr("UXDP", type) && element < 0) {
        out_u64(&o, words[0]);
        out_str(&o, " values");
    } else if (type == 'i') {
        out_i64(&o, (int64_t)words[at]);
    } else if (type == 'd' || type == 'D') {
        const char *text = weft_trace_source_name(w->sides[side].source, words[at]);
        if (text) {
            out_str(&o, text);
            out_str(&o, weft_diff_is_weak(text) ? " (weak)" : "");
        } else {
            char digits[20];
            snprintf(digits, sizeof digits, "%016" PRIx64, words[at]);
            out_str(&o, digits);
        }
    } else if (type == 'u' || type == 'U') {
        out_u64(&o, words[at]);
    } else {
        char digits[24];
        snprintf(digits, sizeof digits, "0x%" PRIx64, words[at]);
        out_str(&o, digits);
        if (type == 'p' || type == 'P') {
            show_place(&o, w, side, kept, field, element, words[at]);
        }
    }
    out_raw(&o, "", 1);
    return o.no_memory ? (out_free(&o), NULL) : o.bytes;
}

/* The n-th argument's name in "module!name(a,b)#1"; 0 where it has none. */
static int argument_name(const diff_work *w, int side, const weft_event *event, int64_t n, char *to,
                         size_t room)
{
    const char *text =
        weft_trace_source_name(w->sides[side].source, ((const uint64_t *)(event + 1))[0]);
    line_export e = line_export_of(text ? text : "");
    const char *at = e.arguments, *end = e.arguments + e.arguments_length;
    for (; n > 0 && at < end; n--) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        at = comma ? comma + 1 : end;
    }
    const char *comma = at < end ? memchr(at, ',', (size_t)(end - at)) : NULL;
    int length = (int)((comma ? comma : end) - at);
    return length > 0 && *at != '.' && snprintf(to, room, "args.%.*s", length, at) > 0;
}

/* A field as a line calls it. */
static void name_field(const diff_work *w, const diff_kept *a, uint32_t field, int64_t element,
                       char *to, size_t room)
{
    const line_field *f = &kind_of(w, a->event->kind)->fields[field];
    if (a->event->kind == WEFT_EVENT_KERNEL_CALL && field == 2) {
        snprintf(to, room, "args_resolved.path");
    } else if (f->name_length == 6 && memcmp(f->name, "export", 6) == 0) {
        snprintf(to, room, "name");
    } else if (f->name_length == 8 && memcmp(f->name, "wait_all", 8) == 0) {
        snprintf(to, room, "wait_type");
    } else if (element < 0) {
        snprintf(to, room, "%.*s", (int)f->name_length, f->name);
    } else if (a->event->kind != WEFT_EVENT_KERNEL_CALL ||
               (!argument_name(w, 0, a->event, element, to, room))) {
        snprintf(to, room, "%.*s[%" PRIi64 "]", (int)f->name_length, f->name, element);
    }
}

static char *copy_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

static char *copy_format(const char *format, ...)
{
    char *text;
    va_list list;
    va_start(list, format);
    int length = vasprintf(&text, format, list);
    va_end(list);
    return length < 0 ? NULL : text;
}

/* Why there is no event: the thread may live, but the trace tells no more of it. */
static const char *ended(const diff_work *w, int n)
{
    return w->diff->info[n].complete ? "nothing more" : "nothing more, since the file was cut";
}

void diff_describe(diff_work *w, const diff_kept *a, const diff_kept *b, weft_trace_diff_pair *pair)
{
    char rooms[2][16];
    const diff_kept *both[2] = {a, b};
    const char *kinds[2], *exports[2];
    size_t lengths[2];
    for (int n = 0; n < 2; n++) {
        kinds[n] = both[n] ? kind_name(w, n, both[n]->event, rooms[n]) : "";
        lengths[n] = 0;
        exports[n] = both[n] ? diff_export_name(w, n, both[n]->event, &lengths[n]) : "";
    }
    int same_export = lengths[0] == lengths[1] && memcmp(exports[0], exports[1], lengths[0]) == 0;
    uint32_t field;
    int64_t element;
    int here = a ? 0 : 1;
    if (!a || !b) {
        snprintf(pair->field, sizeof pair->field, "end");
        for (int n = 0; n < 2; n++) {
            pair->values[n] = both[n] ? copy_format("%s%s%.*s", kinds[n], lengths[n] ? " " : "",
                                                    (int)lengths[n], exports[n])
                                      : copy_format("%s", ended(w, n));
        }
    } else if (strcmp(kinds[0], kinds[1]) != 0) {
        snprintf(pair->field, sizeof pair->field, "kind");
        for (int n = 0; n < 2; n++) {
            pair->values[n] = copy_format("%s%s%.*s", kinds[n], lengths[n] ? " " : "",
                                          (int)lengths[n], exports[n]);
        }
    } else if (!same_export) {
        snprintf(pair->field, sizeof pair->field, "name");
        for (int n = 0; n < 2; n++) {
            pair->values[n] = copy_format("%.*s", (int)lengths[n], exports[n]);
        }
    } else if (a->event->kind != b->event->kind) {
        snprintf(pair->field, sizeof pair->field, "return_value");
        for (int n = 0; n < 2; n++) {
            pair->values[n] = both[n]->event->kind == WEFT_EVENT_KERNEL_RETURN
                                  ? show_value(w, n, both[n], 1, -1)
                                  : copy_format("nothing");
        }
    } else if (kind_of(w, a->event->kind) && (canonical_difference(w, a, b, &field, &element) ||
                                              plain_difference(w, a, b, &field, &element))) {
        name_field(w, a, field, element, pair->field, sizeof pair->field);
        for (int n = 0; n < 2; n++) {
            pair->values[n] = show_value(w, n, both[n], field, element);
        }
    } else {
        snprintf(pair->field, sizeof pair->field, "payload");
    }
    pair->category = copy_format("[%s mismatch] %s%s%.*s", pair->field, kinds[here],
                                 lengths[here] ? " name=" : "", (int)lengths[here], exports[here]);
    w->no_memory |= !pair->category;
}
