/* pretty.c: see pretty.h. */
#include "pretty.h"

#include <inttypes.h>
#include <string.h>

#include "gpu_names.h"

#define LEAST_THREAD 12
#define MOST_THREAD  40
#define KIND_WIDTH   19
#define MOST_STRING  1024 /* bytes of a string that are shown */

/* One event on its way out. */
typedef struct view {
    out *o;
    pretty *p;
    const weft_trace *trace;
    const weft_event *event;
    const line_kind *kind;
    const uint64_t *words;
    const json_node *payload; /* of another engine's line, else NULL */
} view;

/* [MS-ERREF] 2.3.1, those that titles meet. */
static const struct {
    uint32_t value;
    const char *name;
} statuses[] = {
    {0x00000000, "SUCCESS"},
    {0x00000080, "ABANDONED"},
    {0x000000C0, "USER_APC"},
    {0x00000101, "ALERTED"},
    {0x00000102, "TIMEOUT"},
    {0x00000103, "PENDING"},
    {0x80000003, "BREAKPOINT"},
    {0x80000005, "BUFFER_OVERFLOW"},
    {0x80000006, "NO_MORE_FILES"},
    {0xC0000001, "UNSUCCESSFUL"},
    {0xC0000002, "NOT_IMPLEMENTED"},
    {0xC0000003, "INVALID_INFO_CLASS"},
    {0xC0000004, "INFO_LENGTH_MISMATCH"},
    {0xC0000005, "ACCESS_VIOLATION"},
    {0xC0000008, "INVALID_HANDLE"},
    {0xC000000D, "INVALID_PARAMETER"},
    {0xC000000F, "NO_SUCH_FILE"},
    {0xC0000010, "INVALID_DEVICE_REQUEST"},
    {0xC0000011, "END_OF_FILE"},
    {0xC0000017, "NO_MEMORY"},
    {0xC000001D, "ILLEGAL_INSTRUCTION"},
    {0xC0000022, "ACCESS_DENIED"},
    {0xC0000023, "BUFFER_TOO_SMALL"},
    {0xC0000024, "OBJECT_TYPE_MISMATCH"},
    {0xC0000033, "OBJECT_NAME_INVALID"},
    {0xC0000034, "OBJECT_NAME_NOT_FOUND"},
    {0xC0000035, "OBJECT_NAME_COLLISION"},
    {0xC000003A, "OBJECT_PATH_NOT_FOUND"},
    {0xC0000043, "SHARING_VIOLATION"},
    {0xC0000046, "MUTANT_NOT_OWNED"},
    {0xC0000047, "SEMAPHORE_LIMIT_EXCEEDED"},
    {0xC0000094, "INTEGER_DIVIDE_BY_ZERO"},
    {0xC00000BB, "NOT_SUPPORTED"},
    {0xC00000FD, "STACK_OVERFLOW"},
};

static void put_format(out *o, const char *format, uint64_t value)
{
    char text[40];
    snprintf(text, sizeof text, format, value);
    out_str(o, text);
}

static void put_hex(out *o, uint64_t value)
{
    put_format(o, "0x%" PRIx64, value);
}

/* A colour's sequence, where there are colours at all: its SGR parameters, "0" to end it. */
static void colour(const view *v, const char *parameters)
{
    if (v->p->colours) {
        out_str(v->o, "\033[");
        out_str(v->o, parameters);
        out_str(v->o, "m");
    }
}

static void put_status(const view *v, uint64_t value, int small_too)
{
    uint32_t low = (uint32_t)value;
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        if (statuses[i].value == low && (small_too || low >> 31)) {
            out_str(v->o, " (");
            out_str(v->o, statuses[i].name);
            out_str(v->o, ")");
        }
    }
}

/* Bytes from a file may hold a terminal's commands: only what is printable stands as it is. */
static void put_bytes(const view *v, const char *bytes, size_t length)
{
    size_t shown = length < MOST_STRING ? length : MOST_STRING;
    for (size_t i = 0; i < shown; i++) {
        int printable = bytes[i] >= 0x20 && bytes[i] < 0x7F;
        out_raw(v->o, printable ? &bytes[i] : "?", 1);
    }
    out_str(v->o, shown < length ? "..." : "");
}

static void put_text(const view *v, const char *text)
{
    put_bytes(v, text, strlen(text));
}

static void put_identity(const view *v, uint64_t id)
{
    const char *name = id ? weft_trace_name(v->trace, id) : "-";
    if (name && name[0]) {
        put_text(v, name);
    } else {
        put_format(v->o, "%016" PRIx64, id);
    }
}

static void put_scalar(const view *v, char type, uint64_t value)
{
    switch (type) {
    case 'd':
    case 'D':
        if (v->event->kind == WEFT_EVENT_DEFINE) {
            put_format(v->o, "%016" PRIx64, value); /* its text stands behind it */
        } else {
            put_identity(v, value);
        }
        break;
    case 'i':
        out_i64(v->o, (int64_t)value);
        break;
    case 'u':
    case 'U':
        out_u64(v->o, value);
        break;
    default:
        put_hex(v->o, value);
        break;
    }
}

static void put_string(const view *v, const char *bytes, uint64_t length)
{
    out_string(v->o, bytes, length < MOST_STRING ? (size_t)length : MOST_STRING);
    out_str(v->o, length > MOST_STRING ? "..." : "");
}

/* The bare name of the export that the first word identifies. */
static line_export put_export(const view *v)
{
    const char *text = weft_trace_name(v->trace, v->words[0]);
    line_export e = line_export_of(text ? text : "");
    if (e.name_length > 0) {
        put_bytes(v, e.name, e.name_length);
    } else {
        put_format(v->o, "%016" PRIx64, v->words[0]);
    }
    return e;
}

static void put_import(const view *v)
{
    const char *text = weft_trace_name(v->trace, v->words[0]);
    line_export e = line_export_of(text ? text : "");
    if (e.module_length > 0) {
        put_bytes(v, e.module, e.module_length);
        out_str(v->o, "!");
    }
    put_export(v);
    if (e.module_length > 0) {
        put_format(v->o, "#%" PRIu64, e.ordinal);
    }
    if (!v->payload || json_get(&v->p->tree, v->payload, "caller")) {
        out_str(v->o, " caller=");
        put_hex(v->o, v->words[1]);
    }
}

/* The next argument's name out of "a,b,c", or "argN". */
static void put_argument_name(const view *v, const char **at, const char *end, uint64_t index)
{
    const char *comma = *at < end ? memchr(*at, ',', (size_t)(end - *at)) : NULL;
    size_t length = (size_t)((comma ? comma : end) - *at);
    if (length == 0 || (length == 3 && memcmp(*at, "...", 3) == 0)) {
        put_format(v->o, "arg%" PRIu64, index);
    } else {
        put_bytes(v, *at, length);
    }
    if (length != 3 || memcmp(*at, "...", 3) != 0) { /* else the rest has no names either */
        *at = comma ? comma + 1 : end;
    }
}

static void put_call(const view *v)
{
    const json_node *args = json_get(&v->p->tree, v->payload, "args");
    const json_node *arg = args ? json_child(&v->p->tree, args) : NULL;
    line_export e = put_export(v);
    const char *at = e.arguments, *end = at + e.arguments_length;
    uint64_t count = v->words[1];
    out_str(v->o, "(");
    for (uint64_t i = 0; i < count; i++) {
        if (e.module_length > 0 && at == end) {
            break; /* registers behind the last argument of an export that is known */
        }
        out_str(v->o, i ? ", " : "");
        if (arg && arg->key) { /* another engine's line has the names itself */
            put_bytes(v, arg->key, arg->key_length);
            arg = json_next(&v->p->tree, arg);
        } else {
            put_argument_name(v, &at, end, i);
        }
        out_str(v->o, "=");
        put_hex(v->o, v->words[2 + i]);
    }
    out_str(v->o, ")");
    if (v->words[2 + count] > 0) {
        out_str(v->o, " path=");
        put_string(v, (const char *)&v->words[3 + count], v->words[2 + count]);
    }
}

static void put_return(const view *v)
{
    put_export(v);
    if (v->event->kind == WEFT_EVENT_KERNEL_RETURN) {
        out_str(v->o, " = ");
        put_hex(v->o, v->words[1]);
        put_status(v, v->words[1], 0);
    }
}

static int named(const line_field *field, const char *name)
{
    return strlen(name) == field->name_length && memcmp(field->name, name, field->name_length) == 0;
}

static void put_array(const view *v, char type, const uint64_t *words)
{
    out_str(v->o, "[");
    for (uint64_t i = 0; i < words[0]; i++) {
        out_str(v->o, i ? ", " : "");
        put_scalar(v, type, words[1 + i]);
    }
    out_str(v->o, "]");
}

/* Words of the GPU's registers and packets, in other words. */
static void put_gpu_name(const view *v, const line_field *field, uint64_t value)
{
    const char *name = NULL;
    if (v->event->kind == WEFT_EVENT_GPU_PACKET && named(field, "header")) {
        name = gpu_packet_name(value);
    } else if (v->event->kind == WEFT_EVENT_GPU_DRAW && named(field, "initiator")) {
        name = gpu_primitive_name(value);
    } else if (v->event->kind == WEFT_EVENT_GPU_RESOLVE && named(field, "control")) {
        name = gpu_copy_source(value);
    }
    if (name) {
        out_str(v->o, " (");
        out_str(v->o, name);
        out_str(v->o, ")");
    }
}

static void put_fields(const view *v)
{
    const uint64_t *at = v->words;
    for (uint32_t i = 0; i < v->kind->count; i++) {
        const line_field *field = &v->kind->fields[i];
        int array = strchr("UXDP", field->type) != NULL;
        uint64_t more = field->type == 's' ? (*at + 7) / 8 : array ? *at : 0;
        out_str(v->o, i ? " " : "");
        out_raw(v->o, field->name, field->name_length);
        out_str(v->o, "=");
        if (field->type == 's') {
            put_string(v, (const char *)(at + 1), *at);
        } else if (array) {
            put_array(v, field->type, at);
        } else {
            put_scalar(v, field->type, *at);
        }
        if (named(field, "status") || named(field, "code")) {
            put_status(v, *at, 1);
        } else if (named(field, "timeout_ns") && *at == UINT64_MAX) {
            out_str(v->o, " (for ever)");
        }
        put_gpu_name(v, field, *at);
        at += 1 + more;
    }
}

/* A payload that does not fit its row, or has none. */
static void put_words(const view *v)
{
    uint32_t count;
    weft_trace_words(v->event, &count);
    out_str(v->o, "words=[");
    for (uint32_t i = 0; i < count; i++) {
        out_str(v->o, i ? ", " : "");
        put_hex(v->o, v->words[i]);
    }
    out_str(v->o, "]");
}

/* What another engine's line says, under its own names, of which the row may know none. */
static void put_members(const view *v, const char *line)
{
    const json_node *n = json_child(&v->p->tree, v->payload);
    for (const char *space = ""; n; n = json_next(&v->p->tree, n), space = " ") {
        out_str(v->o, space);
        if (n->key) {
            put_bytes(v, n->key, n->key_length);
            out_str(v->o, "=");
        }
        put_bytes(v, line + n->from, n->to - n->from);
    }
}

static void put_payload(const view *v, const char *line)
{
    int fits = v->kind && line_fits(v->kind, v->event);
    switch (fits ? v->event->kind : 0) {
    case WEFT_EVENT_IMPORT_CALL:
    case WEFT_EVENT_EXPORT_MISSING:
        put_import(v);
        break;
    case WEFT_EVENT_KERNEL_CALL:
        put_call(v);
        break;
    case WEFT_EVENT_KERNEL_RETURN:
    case WEFT_EVENT_KERNEL_RETURN_VOID:
        put_return(v);
        break;
    default:
        if (v->payload) {
            put_members(v, line);
        } else if (fits) {
            put_fields(v);
        } else {
            put_words(v);
        }
        break;
    }
}

static void pad(out *o, size_t from, size_t width)
{
    while (o->used - from < width && !o->no_memory) {
        out_str(o, " ");
    }
}

static void put_thread(const view *v)
{
    size_t from = v->o->used;
    if (v->event->thread == 0) {
        out_str(v->o, "machine");
    } else {
        put_identity(v, v->event->thread);
    }
    size_t width = v->o->used - from;
    if (width > v->p->thread_width && width <= MOST_THREAD) {
        v->p->thread_width = width;
    }
    pad(v->o, from, v->p->thread_width);
}

/* Red for what went wrong, cyan for calls, yellow for decisions, dim for the host's own. */
static const char *kind_colour(const weft_event *event)
{
    switch (event->kind) {
    case WEFT_EVENT_EXPORT_MISSING:
    case WEFT_EVENT_FAULT:
    case WEFT_EVENT_EXCEPTION:
    case WEFT_EVENT_POLICY_EJECTED:
        return "31";
    case WEFT_EVENT_KERNEL_CALL:
        return "36";
    default:
        return event->category == WEFT_CLASS_DECISION ? "33"
               : event->category == WEFT_CLASS_LOCAL  ? "2"
                                                      : "0";
    }
}

void pretty_init(pretty *p, int colours)
{
    memset(p, 0, sizeof *p);
    p->colours = colours;
    p->thread_width = LEAST_THREAD;
    line_table_init(&p->table);
}

void pretty_end(pretty *p)
{
    json_free(&p->tree);
}

void pretty_event(out *o, pretty *p, const weft_trace *trace, const weft_event *event)
{
    size_t length;
    uint32_t count;
    char room[16];
    const char *line = weft_trace_info_of(trace)->foreign ? weft_trace_line(trace, &length) : NULL;
    const json_node *root = line ? json_read(&p->tree, line, length) : NULL;
    int known = event->kind < WEFT_EVENT_KIND_END && p->table.kinds[event->kind].row;
    view v = {.o = o,
              .p = p,
              .trace = trace,
              .event = event,
              .kind = known ? &p->table.kinds[event->kind] : NULL,
              .words = weft_trace_words(event, &count),
              .payload = root ? json_get(&p->tree, root, "payload") : NULL};
    colour(&v, "2");
    put_format(o, "%10" PRIu64, event->sequence);
    put_format(o, " %14" PRIu64, event->tick);
    colour(&v, "0");
    out_str(o, "  ");
    put_thread(&v);
    put_format(o, " %8" PRIu64 "  ", event->index);
    colour(&v, kind_colour(event));
    size_t from = o->used;
    put_text(&v, weft_trace_kind(trace, event, room));
    pad(o, from, KIND_WIDTH);
    colour(&v, "0");
    out_str(o, " ");
    put_payload(&v, line);
}
