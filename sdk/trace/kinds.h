/* kinds.h: the table of kinds, for people: weft/event.h's rows, each with what it says. docs/trace.md's
 * table and `weft trace kinds` are made from here. */
#ifndef WEFT_TRACE_KINDS_H
#define WEFT_TRACE_KINDS_H

#include "out.h"

/* What a kind says, in a sentence of Markdown; NULL for a kind without a row. */
const char *weft_trace_kind_what(uint16_t kind);

/* "guest", "decision" or "local". */
const char *weft_trace_class_name(uint8_t category);

/* "engine", "asked", or "" for none: the flags of a kind. */
const char *weft_trace_flag_name(uint16_t flags);

/* The whole table: aligned columns, a table of Markdown, an array of JSON. */
void weft_trace_kinds_text(out *o);
void weft_trace_kinds_markdown(out *o);
void weft_trace_kinds_json(out *o);

#endif
