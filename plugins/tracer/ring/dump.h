/* dump.h: writes what a store holds as a trace of its own: header, the definitions that its events
 * need, the events, the end. */
#ifndef WEFT_RING_DUMP_H
#define WEFT_RING_DUMP_H

#include "idmap.h"
#include "store.h"

/* What a `define` event said, kept as it came. */
typedef struct ring_definition {
    weft_event *event;
    uint64_t id;
} ring_definition;

/* All identities so far. */
typedef struct ring_names {
    ring_definition *list;
    size_t count, room;
    idmap places; /* by identity: number in the list + 1 */
} ring_names;

/* Keeps what a `define` event says; the first one of an identity stays. 0 without memory. */
int ring_names_learn(ring_names *names, const weft_event *event);
void ring_names_free(ring_names *names);

typedef struct ring_dump {
    const store *store;
    const ring_names *names;
    const weft_trace_begin *begin; /* of the stream */
    int parallel;
    uint64_t last;      /* sequence of the last event handed on */
    const char *digest; /* trace_digest up to it, "" where it is not known */
} ring_dump;

/* Writes a file, JSONL where the path ends so, else the binary form. errno of what failed first, 0:
 * nothing; *written are the bytes that reached the file. */
int ring_dump_write(const ring_dump *dump, const char *path, uint64_t *written);

#endif
