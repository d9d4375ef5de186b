/* timeline.h: the tracks of a trace (tracks.h) as a picture, SVG: for documents, and for a look at
 * a short stretch. A stretch that is too long for it is drawn up to the limits below, and says so.
 *
 * The picture needs the whole stretch before it can be drawn, so memory grows up to the limits:
 * some 40 MiB. */
#ifndef WEFT_TRACE_TIMELINE_H
#define WEFT_TRACE_TIMELINE_H

#include "tracks.h"

#define WEFT_TIMELINE_MARKS 50000 /* slices, and as many instants and arrows */
#define WEFT_TIMELINE_LANES 64

typedef struct weft_timeline weft_timeline;

/* `begin` lives until weft_timeline_free. NULL without memory. */
weft_timeline *weft_timeline_new(int file, const weft_trace_begin *begin, size_t buffer);

/* As weft_tracks_add and weft_tracks_show_from have them. */
void weft_timeline_add(weft_timeline *t, const weft_event *event, int show);
void weft_timeline_from(weft_timeline *t, uint64_t tick);

/* Draws, up to the last tick shown or `tick` where that is later. */
void weft_timeline_end(weft_timeline *t, uint64_t tick);

/* errno of the first failed write or ENOMEM, 0: none; the bytes that reached the file; and what the
 * limits left out, events and marks. */
int weft_timeline_error(const weft_timeline *t, uint64_t *written, uint64_t *left_out);

void weft_timeline_free(weft_timeline *t);

#endif
