/* chrome.h: the tracks of a trace (tracks.h) in the Trace Event Format, as JSON, which
 * chrome://tracing, ui.perfetto.dev and speedscope read: phases B and E for slices, X of no duration
 * for instants that a flow joins and i for others, s and f for flows, C for counters, M for names.
 * Times are guest microseconds, with three decimals. What is written depends on the events alone. */
#ifndef WEFT_TRACE_CHROME_H
#define WEFT_TRACE_CHROME_H

#include <stddef.h>

#include "weft/tracer.h"

typedef struct weft_chrome weft_chrome;

/* Starts a trace on an open file, which stays the caller's. Bytes are gathered up to `buffer`
 * before a write. `begin` lives until weft_chrome_free. NULL without memory. */
weft_chrome *weft_chrome_new(int file, const weft_trace_begin *begin, size_t buffer);

/* `show` and weft_chrome_from are as weft_tracks_add and weft_tracks_show_from have them. */
void weft_chrome_add(weft_chrome *c, const weft_event *event, int show);
void weft_chrome_from(weft_chrome *c, uint64_t tick);

void weft_chrome_flush(weft_chrome *c);

/* Ends what is open, at the last tick or at `tick` where that is later, and writes all. */
void weft_chrome_end(weft_chrome *c, uint64_t tick);

/* errno of the first failed write or ENOMEM, 0: none; the bytes that reached the file; and the
 * events that limits left out. */
int weft_chrome_error(const weft_chrome *c, uint64_t *written, uint64_t *left_out);

void weft_chrome_free(weft_chrome *c);

#endif
