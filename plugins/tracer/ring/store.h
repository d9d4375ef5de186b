/* store.h: the last events of a stream, and where a file of them may begin.
 *
 * Events lie in segments, in order. A segment is dropped as a whole, and remembers the trace_digest
 * of everything before it: so whatever is kept begins where the digest is known, at no cost for each
 * event. */
#ifndef WEFT_RING_STORE_H
#define WEFT_RING_STORE_H

#include "weft/tracer.h"

/* Segments that make up the wanted number of events, and at most as many at once: each closed one
 * has its share of the events or of the bytes. */
#define STORE_SHARE    16
#define STORE_SEGMENTS (2 * STORE_SHARE + 4)

typedef struct store_segment {
    uint8_t *bytes;
    size_t used, room;
    uint64_t events;
    uint64_t first;  /* sequence that follows the segment before, or that the stream began with */
    char before[33]; /* trace_digest of all before `first`; "" where it is not known */
} store_segment;

typedef struct store {
    uint64_t wanted; /* events that are kept at least, where there were so many */
    uint64_t limit;  /* bytes that are kept at most */
    store_segment segments[STORE_SEGMENTS];
    uint32_t oldest, count; /* the segments in use, in a circle */
    uint64_t events, bytes; /* in all of them */
    uint8_t *spare;         /* buffer of the segment dropped last, for the next */
    size_t spare_room;
    uint64_t next_first; /* `first` and `before` of the segment to come */
    char next_before[33];
    void (*digest_now)(void *names, char hex[33]); /* as weft_trace_begin has it, or NULL */
    void *names;
} store;

/* Empty, at the beginning of a stream, with what it is to keep. */
void store_start(store *s, const weft_trace_begin *begin, uint64_t wanted, uint64_t limit);

/* Appends a copy. 0 without memory. */
int store_add(store *s, const weft_event *event);

/* A pass over all events, oldest first: start with a zeroed cursor; NULL at the end. */
typedef struct store_cursor {
    uint32_t segment;
    size_t at;
} store_cursor;
const weft_event *store_next(const store *s, store_cursor *cursor);

/* The oldest segment in use; NULL where nothing was added. */
const store_segment *store_oldest(const store *s);

void store_free(store *s);

#endif
