/* trace_case.h: a tracer-jsonl under test, its file, and the names that a host would know. */
#ifndef TESTS_TRACE_CASE_H
#define TESTS_TRACE_CASE_H

#include "fake_host.h"

#define TRACE_CREATE_FILE "xboxkrnl.exe!NtCreateFile(handle_out,access,attrs)#210"
#define TRACE_CLOSE       "xboxkrnl.exe!NtClose(handle)#207"
#define TRACE_PRINT       "xboxkrnl.exe!DbgPrint(format,...)#3"

typedef struct trace_case {
    fake_host fake;
    const weft_tracer_ops *ops;
    weft_trace_begin begin;
    char path[64];
    char *text; /* the file, after trace_text */
} trace_case;

/* Loads the plugin with path = a new file, and creates an instance. */
void trace_setup(trace_case *c);

/* Opens with sequence 0; checks that it went well. */
void trace_open(trace_case *c);

/* An event with every header field set, of `kind`, to be filled and handed to trace_event. */
void trace_start(weft_event_buffer *event, uint16_t kind);

void trace_event(trace_case *c, const weft_event_buffer *event);

/* Closes after `last`; checks that it went well. */
void trace_close(trace_case *c, uint64_t last);

/* The file's text as it is now. */
const char *trace_text(trace_case *c);

/* The n-th line of trace_text, from 0, without its newline; lives until the next call. */
char *trace_line(trace_case *c, unsigned n);

/* From open to close around one event: its line. */
char *trace_one(trace_case *c, const weft_event_buffer *event);

void trace_teardown(trace_case *c);

#endif
