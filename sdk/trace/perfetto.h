/* perfetto.h: the tracks of a trace (tracks.h) as a Perfetto trace, for ui.perfetto.dev and its
 * trace processor: TracePackets of the protobuf schema published in google/perfetto,
 * protos/perfetto/trace.
 *
 * Each track is a packet sequence of its own, with its own interned names, so that timestamps never
 * go back in a sequence. Timestamps are guest ticks (ns) on the trace's default clock: without a
 * clock snapshot there is nothing to convert to. What is written depends on the events alone. */
#ifndef WEFT_TRACE_PERFETTO_H
#define WEFT_TRACE_PERFETTO_H

#include <stddef.h>

#include "weft/tracer.h"

typedef struct weft_perfetto weft_perfetto;

/* Starts a trace on an open file, which stays the caller's. Bytes are gathered up to `buffer`
 * before a write. `begin` lives until weft_perfetto_free. NULL without memory. */
weft_perfetto *weft_perfetto_new(int file, const weft_trace_begin *begin, size_t buffer);

/* `show` and weft_perfetto_from are as weft_tracks_add and weft_tracks_show_from have them. */
void weft_perfetto_add(weft_perfetto *p, const weft_event *event, int show);
void weft_perfetto_from(weft_perfetto *p, uint64_t tick);

void weft_perfetto_flush(weft_perfetto *p);

/* Ends what is open, at the last tick or at `tick` where that is later, and writes all. */
void weft_perfetto_end(weft_perfetto *p, uint64_t tick);

/* errno of the first failed write or ENOMEM, 0: none; the bytes that reached the file; and the
 * events that limits left out. */
int weft_perfetto_error(const weft_perfetto *p, uint64_t *written, uint64_t *left_out);

void weft_perfetto_free(weft_perfetto *p);

#endif
