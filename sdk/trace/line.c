/* line.c: see line.h. */
#include "line.h"

#include <assert.h>
#include <string.h>

#define RAW(o, literal) out_raw(o, literal, sizeof(literal) - 1)

void line_table_init(line_table *table)
{
    memset(table, 0, sizeof *table);
    for (uint16_t number = 1; number < WEFT_EVENT_KIND_END; number++) {
        line_kind *kind = &table->kinds[number];
        kind->row = weft_event_kind_of(number);
        const char *at = kind->row ? kind->row->fields : "";
        while (*at) {
            const char *colon = strchr(at, ':');
            assert(colon && kind->count < LINE_MAX_FIELDS);
            kind->fields[kind->count++] = (line_field){
                .name = at,
                .name_length = (uint32_t)(colon - at),
                .type = colon[1],
                .apart = colon[2] == '~',
            };
            at = colon + 2 + (colon[2] == '~');
            at += *at == ',';
        }
    }
}

/* A payload being read: words not yet taken. */
typedef struct words {
    const uint64_t *at;
    uint64_t left;
} words;

static uint64_t take(words *w)
{
    w->left--;
    return *w->at++;
}

/* A string's bytes; its length in *length. */
static const char *take_text(words *w, uint64_t *length)
{
    *length = take(w);
    const char *bytes = (const char *)w->at;
    uint64_t count = (*length + 7) / 8;
    w->at += count;
    w->left -= count;
    return bytes;
}

/* Whether a string of `length` bytes ends in zero padding; what the padding holds is digested, and
 * a JSON string could not bring it back. */
static int padding_is_zero(const char *bytes, uint64_t length)
{
    for (uint64_t i = length; i % 8 != 0; i++) {
        if (bytes[i] != 0) {
            return 0;
        }
    }
    return 1;
}

static int fits(const line_kind *kind, words w)
{
    for (uint32_t i = 0; i < kind->count; i++) {
        if (w.left == 0) {
            return 0;
        }
        uint64_t value = take(&w);
        uint64_t count = 0;
        if (kind->fields[i].type == 's') {
            if (value > w.left * 8 || !padding_is_zero((const char *)w.at, value)) {
                return 0;
            }
            count = (value + 7) / 8;
        } else if (strchr("UXDP", kind->fields[i].type)) {
            count = value;
        }
        if (count > w.left) {
            return 0;
        }
        w.at += count;
        w.left -= count;
    }
    return w.left == 0;
}

int line_fits(const line_kind *kind, const weft_event *event)
{
    return event->size >= sizeof *event &&
           fits(kind, (words){.at = (const uint64_t *)(event + 1),
                              .left = (event->size - sizeof *event) / 8});
}

static void write_scalar(out *o, char type, uint64_t value)
{
    switch (type) {
    case 'i':
        out_i64(o, (int64_t)value);
        break;
    case 'x':
    case 'X':
    case 'p':
    case 'P':
        out_hex(o, value, 1);
        break;
    case 'd':
    case 'D':
        out_id(o, value);
        break;
    default:
        out_u64(o, value);
        break;
    }
}

static void write_array(out *o, char type, words *w)
{
    uint64_t count = take(w);
    RAW(o, "[");
    for (uint64_t i = 0; i < count; i++) {
        if (i > 0) {
            RAW(o, ",");
        }
        write_scalar(o, type, take(w));
    }
    RAW(o, "]");
}

/* The fields of a row, in its order and under its names. */
static void write_fields(out *o, const line_kind *kind, words w)
{
    for (uint32_t i = 0; i < kind->count; i++) {
        const line_field *field = &kind->fields[i];
        out_raw(o, i ? ",\"" : "\"", i ? 2 : 1);
        out_raw(o, field->name, field->name_length);
        RAW(o, "\":");
        if (field->type == 's') {
            uint64_t length;
            const char *bytes = take_text(&w, &length);
            out_string(o, bytes, (size_t)length);
        } else if (strchr("UXDP", field->type)) {
            write_array(o, field->type, &w);
        } else {
            write_scalar(o, field->type, take(&w));
        }
    }
}

/* A payload that does not match its row, or of a kind without one: its words, so that none is
 * lost. */
static void write_words(out *o, words w)
{
    RAW(o, "\"words\":[");
    for (int first = 1; w.left > 0; first = 0) {
        if (!first) {
            RAW(o, ",");
        }
        out_hex(o, take(&w), 1);
    }
    RAW(o, "]");
}

line_export line_export_of(const char *text)
{
    line_export e = {.module = "", .name = text, .name_length = strlen(text), .arguments = ""};
    const char *bang = strchr(text, '!');
    const char *open = bang ? strchr(bang, '(') : NULL;
    const char *close = open ? strrchr(open, ')') : NULL;
    if (!close || close[1] != '#') {
        return e;
    }
    for (const char *digit = close + 2; *digit >= '0' && *digit <= '9'; digit++) {
        e.ordinal = e.ordinal * 10 + (uint64_t)(*digit - '0');
    }
    e.module = text;
    e.module_length = (size_t)(bang - text);
    e.name = bang + 1;
    e.name_length = (size_t)(open - e.name);
    e.arguments = open + 1;
    e.arguments_length = (size_t)(close - e.arguments);
    return e;
}

static line_export find_export(const line_context *context, uint64_t id)
{
    const weft_trace_begin *begin = context->begin;
    const char *text = begin->name ? begin->name(begin->names, id) : NULL;
    return line_export_of(text ? text : "");
}

static void write_name(out *o, const line_export *e)
{
    RAW(o, "\"name\":");
    out_string(o, e->name, e->name_length);
}

static void write_export_id(out *o, uint64_t id)
{
    RAW(o, ",\"export\":");
    out_id(o, id);
}

/* {"handle_out":1,"access":2}: values under the definition's names; a value that has none there (a
 * variadic one, an unknown export) is "argN", counted from 0. */
static void write_arguments(out *o, const line_export *e, words *w)
{
    const char *at = e->arguments;
    const char *end = at + e->arguments_length;
    uint64_t count = take(w);
    RAW(o, "{");
    for (uint64_t i = 0; i < count; i++) {
        const char *comma = at < end ? memchr(at, ',', (size_t)(end - at)) : NULL;
        size_t length = (size_t)((comma ? comma : end) - at);
        if (i > 0) {
            RAW(o, ",");
        }
        if (length == 0 || (length == 3 && memcmp(at, "...", 3) == 0)) {
            RAW(o, "\"arg");
            out_u64(o, i);
            RAW(o, "\"");
        } else {
            out_string(o, at, length);
        }
        RAW(o, ":");
        out_u64(o, take(w));
        at = comma ? comma + 1 : end;
    }
    RAW(o, "}");
}

static void write_import_call(out *o, const line_context *context, words w)
{
    uint64_t id = take(&w);
    line_export e = find_export(context, id);
    RAW(o, "\"module\":");
    out_string(o, e.module, e.module_length);
    RAW(o, ",\"ordinal\":");
    out_u64(o, e.ordinal);
    RAW(o, ",");
    write_name(o, &e);
    write_export_id(o, id);
    RAW(o, ",\"caller\":");
    out_hex(o, take(&w), 1);
}

static void write_kernel_call(out *o, const line_context *context, words w)
{
    uint64_t id = take(&w);
    line_export e = find_export(context, id);
    write_name(o, &e);
    RAW(o, ",\"args\":");
    write_arguments(o, &e, &w);
    uint64_t length;
    const char *path = take_text(&w, &length);
    RAW(o, ",\"args_resolved\":{");
    if (length > 0) {
        RAW(o, "\"path\":");
        out_string(o, path, (size_t)length);
    }
    RAW(o, "}");
    write_export_id(o, id);
}

static void write_kernel_return(out *o, const line_context *context, words w, int has_value)
{
    uint64_t id = take(&w);
    line_export e = find_export(context, id);
    write_name(o, &e);
    if (has_value) {
        uint64_t value = take(&w);
        RAW(o, ",\"return_value\":");
        out_u64(o, value);
        RAW(o, ",\"status\":");
        out_hex(o, (uint32_t)value, 8);
    }
    RAW(o, ",\"side_effects\":[]");
    write_export_id(o, id);
}

static void write_wait_begin(out *o, words w)
{
    RAW(o, "\"handles_semantic_ids\":");
    write_array(o, 'D', &w);
    RAW(o, ",\"timeout_ns\":");
    out_i64(o, (int64_t)take(&w));
    RAW(o, ",\"wait_type\":");
    uint64_t all = take(&w);
    if (all <= 1) {
        out_str(o, all ? "\"all\"" : "\"any\"");
    } else {
        out_u64(o, all); /* not a value the kernel knows, and not ours to hide */
    }
    RAW(o, ",\"alertable\":");
    out_u64(o, take(&w));
}

static void write_payload(out *o, const line_context *context, uint16_t number,
                          const line_kind *kind, words w)
{
    if (!kind || !fits(kind, w)) {
        write_words(o, w);
        return;
    }
    switch (number) {
    case WEFT_EVENT_IMPORT_CALL:
    case WEFT_EVENT_EXPORT_MISSING:
        write_import_call(o, context, w);
        break;
    case WEFT_EVENT_KERNEL_CALL:
        write_kernel_call(o, context, w);
        break;
    case WEFT_EVENT_KERNEL_RETURN:
        write_kernel_return(o, context, w, 1);
        break;
    case WEFT_EVENT_KERNEL_RETURN_VOID:
        write_kernel_return(o, context, w, 0);
        break;
    case WEFT_EVENT_WAIT_BEGIN:
        write_wait_begin(o, w);
        break;
    default:
        write_fields(o, kind, w);
        break;
    }
}

/* The common fields of schema v1, in its order, up to the payload's brace. */
static void write_head(out *o, const line_context *context, const char *kind, uint64_t unknown,
                       const weft_event *event, int deterministic)
{
    RAW(o, "{\"schema_version\":1,\"engine\":");
    out_string(o, context->begin->engine, strlen(context->begin->engine));
    RAW(o, ",\"kind\":\"");
    out_str(o, kind);
    if (unknown) {
        out_u64(o, unknown);
    }
    RAW(o, "\",\"tid\":");
    out_u64(o, event ? event->tid : 0);
    RAW(o, ",\"tid_event_idx\":");
    out_u64(o, event ? event->index : 0);
    RAW(o, ",\"guest_cycle\":");
    out_u64(o, event ? event->cycle : 0);
    RAW(o, ",\"host_ns\":");
    out_u64(o, context->host_ns);
    RAW(o, ",\"deterministic\":");
    out_str(o, deterministic ? "true" : "false");
    RAW(o, ",\"payload\":{");
}

void line_begin(out *o, const line_context *context)
{
    const weft_trace_begin *begin = context->begin;
    write_head(o, context, "schema_version", 0, NULL, 1);
    RAW(o, "\"version\":1,\"emitter_build\":");
    out_string(o, begin->build, strlen(begin->build));
    RAW(o, ",\"title\":");
    out_string(o, begin->title, strlen(begin->title));
    RAW(o, ",\"profile_digest\":");
    out_string(o, begin->profile_digest, strlen(begin->profile_digest));
    RAW(o, ",\"first\":");
    out_u64(o, begin->first);
    RAW(o, ",\"digest\":");
    out_string(o, begin->digest, strlen(begin->digest));
    RAW(o, ",\"partial\":");
    out_str(o, begin->partial ? "true}}\n" : "false}}\n");
}

void line_payload(out *o, const line_context *context, const weft_event *event)
{
    const line_kind *kind =
        event->kind < WEFT_EVENT_KIND_END ? &context->table->kinds[event->kind] : NULL;
    words w = {.at = (const uint64_t *)(event + 1), .left = (event->size - sizeof *event) / 8};
    write_payload(o, context, event->kind, kind && kind->row ? kind : NULL, w);
}

void line_event(out *o, const line_context *context, const weft_event *event)
{
    uint16_t number = event->kind;
    const line_kind *kind = number < WEFT_EVENT_KIND_END ? &context->table->kinds[number] : NULL;
    words w = {
        .at = (const uint64_t *)(event + 1),
        .left = event->size > sizeof *event ? (event->size - sizeof *event) / 8 : 0,
    };
    if (kind && !kind->row) {
        kind = NULL;
    }
    /* Host facts are in logs and swaps; in parallel mode guest values may depend on timing. */
    int deterministic =
        !context->parallel && number != WEFT_EVENT_LOG && number != WEFT_EVENT_TRACER_SWAP;
    if (!kind) {
        write_head(o, context, "kind.", number, event, deterministic);
    } else if (number == WEFT_EVENT_KERNEL_RETURN_VOID && fits(kind, w)) {
        write_head(o, context, "kernel.return", 0, event, deterministic);
    } else {
        write_head(o, context, kind->row->name, 0, event, deterministic);
    }
    write_payload(o, context, number, kind, w);
    RAW(o, "},\"hw\":");
    out_u64(o, event->hw);
    RAW(o, ",\"thread\":");
    out_id(o, event->thread);
    RAW(o, ",\"seq\":");
    out_u64(o, event->sequence);
    RAW(o, ",\"tick\":");
    out_u64(o, event->tick);
    RAW(o, "}\n");
}

void line_end(out *o, const line_context *context, uint64_t last, const char *digest)
{
    write_head(o, context, "trace.end", 0, NULL, 1);
    RAW(o, "\"last\":");
    out_u64(o, last);
    RAW(o, ",\"digest\":");
    out_string(o, digest, strlen(digest));
    RAW(o, "}}\n");
}
