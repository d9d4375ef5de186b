/* tracer_kit.h: what the checks of tracers share: a host that watches one instance, and a stream of
 * events that grows as a run's would. */
#ifndef WEFT_CONFORM_TRACER_KIT_H
#define WEFT_CONFORM_TRACER_KIT_H

#include "conform.h"

/* A host around the one of `weft conform`: another `path`, and a count of failures. */
typedef struct kit_host {
    weft_host host; /* first: a service gets the whole from it */
    const weft_host *inner;
    const char *path; /* value of the option `path`; NULL: as the inner host has it */
    uint32_t fails;
    char sentence[512]; /* of the latest failure */
} kit_host;

void kit_host_start(kit_host *kit, const weft_host *inner, const char *path);

/* 1 where the plugin declares an option `path` of type PATH: the file that it writes. */
int kit_has_path(const weft_plugin_desc *desc);

/* An instance being driven, and where its stream stands. */
typedef struct kit_stream {
    const weft_tracer_ops *ops;
    void *instance;
    weft_trace_begin begin;
    uint64_t sequence; /* of the next event */
    uint64_t index[4]; /* of the next GUEST event, by thread */
} kit_stream;

/* Fills `begin` for a stream whose first event is `first`, and calls open. With `told` the host knows
 * digests at any time. */
weft_status kit_open(kit_stream *s, uint64_t first, int told);

/* Hands an event on, in memory of its exact size that is gone when the op returns. `thread` is
 * 0..3; 0 is the machine. */
void kit_send(kit_stream *s, weft_event_buffer *event, uint32_t thread);

/* Every kind of the table; what its fields hold depends on `round`: 0 nothing and zeros, 1 usual
 * values, 2 the largest, 3 any bytes. */
void kit_send_kinds(kit_stream *s, uint32_t round);

/* Every kind, and numbers that are none, with payloads that do not match: missing, short, long, with
 * lengths and counts beyond the event, full. */
void kit_send_odd(kit_stream *s);

/* Definitions as they are told again to a tracer that is swapped in: with sequence 0. */
void kit_tell_definitions(kit_stream *s);

/* Calls and returns of one thread, `count` of them in all. */
void kit_send_calls(kit_stream *s, uint32_t count);

weft_status kit_close(kit_stream *s);

#endif
