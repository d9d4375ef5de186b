/* writer.h: writes a binary trace (.wtr) as its events come.
 *
 * Events are gathered in the order in which they come; each full group of them goes to the file at
 * once, so what a killed run loses is the group at hand, and what it leaves has no gaps. Where groups
 * end depends on the events alone: equal runs leave equal bytes. */
#ifndef WEFT_TRACE_WRITER_H
#define WEFT_TRACE_WRITER_H

#include "weft/tracer.h"

typedef struct weft_trace_writer weft_trace_writer;

/* Starts a trace on an open file, which stays the caller's. `parallel` is 1 where values may depend
 * on timing; a group ends with `group_events` events, 1..65536, or with a second of guest time. NULL
 * without memory. */
weft_trace_writer *weft_trace_writer_new(int file, const weft_trace_begin *begin, int parallel,
                                         uint32_t group_events);

void weft_trace_writer_add(weft_trace_writer *writer, const weft_event *event);

/* Writes what is still held, the last mark and the footer. */
void weft_trace_writer_end(weft_trace_writer *writer, uint64_t last, const char *digest);

/* errno of the first failed write or ENOMEM, 0: none; and the bytes that reached the file. */
int weft_trace_writer_error(const weft_trace_writer *writer, uint64_t *written);

/* Writes the group begun, without an end, if weft_trace_writer_end was not called; frees. */
void weft_trace_writer_free(weft_trace_writer *writer);

#endif
