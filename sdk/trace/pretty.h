/* pretty.h: an event as one aligned line for people: sequence, guest ns, thread, index, kind, and what
 * it says, with identities by their texts, arguments by their names, addresses in hex and well-known
 * statuses by name. docs/trace.md has the exact forms; this one is free to change. */
#ifndef WEFT_TRACE_PRETTY_H
#define WEFT_TRACE_PRETTY_H

#include "json.h"
#include "line.h"
#include "trace.h"

typedef struct pretty {
    int colours;         /* 1: with the colours of a terminal */
    size_t thread_width; /* of the widest thread so far */
    line_table table;
    json_tree tree; /* of another engine's line */
} pretty;

void pretty_init(pretty *p, int colours);

/* The latest event of a trace, without a newline. */
void pretty_event(out *o, pretty *p, const weft_trace *trace, const weft_event *event);
void pretty_end(pretty *p);

#endif
