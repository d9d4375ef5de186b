/* kinds.c: see kinds.h. A kind that event.h has and kinds.def lacks does not compile. */
#include "kinds.h"

#include <string.h>

#include "line.h"

enum {
#define WHAT(symbol, remark) +1
    REMARKS = 0
#include "kinds.def"
#undef WHAT
};
WEFT_STATIC_ASSERT(REMARKS == WEFT_EVENT_KIND_END - 1,
                   "each row of WEFT_EVENT_TABLE needs a remark in kinds.def");

const char *weft_trace_kind_what(uint16_t kind)
{
    static const char *const remarks[WEFT_EVENT_KIND_END] = {
#define WHAT(symbol, remark) [WEFT_EVENT_##symbol] = remark,
#include "kinds.def"
#undef WHAT
    };
    return kind < WEFT_EVENT_KIND_END ? remarks[kind] : NULL;
}

const char *weft_trace_class_name(uint8_t category)
{
    static const char *const names[] = {
        [WEFT_CLASS_GUEST] = "guest",
        [WEFT_CLASS_DECISION] = "decision",
        [WEFT_CLASS_LOCAL] = "local",
    };
    return category < sizeof names / sizeof names[0] ? names[category] : "unknown";
}

const char *weft_trace_flag_name(uint16_t flags)
{
    return flags & WEFT_KIND_ENGINE ? "engine" : flags & WEFT_KIND_ASKED ? "asked" : "";
}

static void pad(out *o, const char *text, size_t width)
{
    out_str(o, text);
    for (size_t n = strlen(text); n < width; n++) {
        out_str(o, " ");
    }
}

/* Two lines a kind: the fields are longer than what is left of the first. */
void weft_trace_kinds_text(out *o)
{
    for (uint16_t kind = 1; kind < WEFT_EVENT_KIND_END; kind++) {
        const weft_event_kind *row = weft_event_kind_of(kind);
        out_str(o, kind < 10 ? " " : "");
        out_u64(o, kind);
        out_str(o, "  ");
        pad(o, row->name, 21);
        pad(o, weft_trace_class_name(row->category), 10);
        pad(o, weft_trace_flag_name(row->flags), 8);
        out_str(o, row->fields);
        out_str(o, "\n    ");
        out_str(o, weft_trace_kind_what(kind));
        out_str(o, "\n");
    }
}

void weft_trace_kinds_markdown(out *o)
{
    out_str(o, "| # | kind | class | flags | fields | what |\n|---|---|---|---|---|---|\n");
    for (uint16_t kind = 1; kind < WEFT_EVENT_KIND_END; kind++) {
        const weft_event_kind *row = weft_event_kind_of(kind);
        out_str(o, "| ");
        out_u64(o, kind);
        out_str(o, " | `");
        out_str(o, row->name);
        out_str(o, "` | ");
        out_str(o, weft_trace_class_name(row->category));
        out_str(o, " | ");
        out_str(o, weft_trace_flag_name(row->flags));
        out_str(o, row->flags ? " | `" : "| `");
        out_str(o, row->fields);
        out_str(o, "` | ");
        out_str(o, weft_trace_kind_what(kind));
        out_str(o, " |\n");
    }
}

static void member(out *o, const char *name, const char *text)
{
    out_str(o, name);
    out_string(o, text, strlen(text));
}

static void fields_json(out *o, const line_kind *kind)
{
    for (uint32_t i = 0; i < kind->count; i++) {
        const line_field *field = &kind->fields[i];
        out_str(o, i ? ", {\"name\": " : "{\"name\": ");
        out_string(o, field->name, field->name_length);
        out_str(o, ", \"type\": ");
        out_string(o, &field->type, 1);
        out_str(o, field->apart ? ", \"canonical\": false}" : ", \"canonical\": true}");
    }
}

void weft_trace_kinds_json(out *o)
{
    line_table table;
    line_table_init(&table);
    for (uint16_t kind = 1; kind < WEFT_EVENT_KIND_END; kind++) {
        const weft_event_kind *row = table.kinds[kind].row;
        out_str(o, kind == 1 ? "[\n{\"number\": " : ",\n{\"number\": ");
        out_u64(o, kind);
        member(o, ", \"kind\": ", row->name);
        member(o, ", \"class\": ", weft_trace_class_name(row->category));
        member(o, ", \"flags\": ", weft_trace_flag_name(row->flags));
        out_str(o, ", \"fields\": [");
        fields_json(o, &table.kinds[kind]);
        member(o, "], \"what\": ", weft_trace_kind_what(kind));
        out_str(o, "}");
    }
    out_str(o, "\n]\n");
}
