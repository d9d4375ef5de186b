/* line.h: one event as one line of JSON, schema v1 (docs/trace.md).
 *
 * The payload's fields follow the table in weft/event.h; the six kinds that schema v1 knows under
 * another shape (calls, returns, waits) have a writer each. */
#ifndef WEFT_TRACE_LINE_H
#define WEFT_TRACE_LINE_H

#include "out.h"
#include "weft/tracer.h"

#define LINE_MAX_FIELDS 8 /* thread.create has as many */

/* A field of a kind, cut out of the table's "name:type,..." text. */
typedef struct line_field {
    const char *name;
    uint32_t name_length;
    char type;
    int apart; /* 1: no part of the canonical form */
} line_field;

typedef struct line_kind {
    const weft_event_kind *row; /* NULL: no such kind */
    uint32_t count;
    line_field fields[LINE_MAX_FIELDS];
} line_kind;

typedef struct line_table {
    line_kind kinds[WEFT_EVENT_KIND_END];
} line_table;

/* Cuts the table apart, once per instance. */
void line_table_init(line_table *table);

/* Whether an event's payload is what the kind's row says, to the last word. */
int line_fits(const line_kind *kind, const weft_event *event);

/* An export's definition, "module!name(argument,...)#ordinal", cut into its parts. */
typedef struct line_export {
    const char *module, *name, *arguments;
    size_t module_length, name_length, arguments_length;
    uint64_t ordinal;
} line_export;

/* A text of another form is all name. */
line_export line_export_of(const char *text);

/* What stands in every line and in no event. */
typedef struct line_context {
    const line_table *table;
    const weft_trace_begin *begin;
    uint64_t host_ns;
    int parallel; /* 1: values of guest events may differ between runs */
} line_context;

/* The header line: kind schema_version. */
void line_begin(out *o, const line_context *context);

/* The members of an event's payload, without the braces. */
void line_payload(out *o, const line_context *context, const weft_event *event);

/* One event. */
void line_event(out *o, const line_context *context, const weft_event *event);

/* The last line: kind trace.end, with the sequence of the last event and the digest. */
void line_end(out *o, const line_context *context, uint64_t last, const char *digest);

#endif
