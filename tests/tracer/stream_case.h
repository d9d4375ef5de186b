/* stream_case.h: a tracer under test, fed with a made-up run, and a folder for its files. */
#ifndef TESTS_STREAM_CASE_H
#define TESTS_STREAM_CASE_H

#include "fake_host.h"

#define STREAM_THREAD "thread:main/0"
#define STREAM_CLOSE  "xboxkrnl.exe!NtClose(handle)#207"

typedef struct stream_case {
    fake_host fake;
    const weft_tracer_ops *ops;
    weft_trace_begin begin;
    char folder[64], path[128];
    uint64_t next;     /* sequence of the next event */
    uint64_t index;    /* of the next GUEST event */
    int32_t exit_code; /* what run/1 says */
    uint32_t stops;    /* calls of run/1 stop, and the latest reason */
    char reason[512];
    char digest[33]; /* of begin */
    char *text;      /* of stream_text */
} stream_case;

/* Loads a plugin, makes the folder; `path` is FOLDER/name, and set as the option `path` unless name
 * is NULL. The digest "after n events" is n in 32 hex digits, so that a test can say which it saw. */
void stream_setup(stream_case *c, const char *id, const char *name);

/* Creates the instance (once the options are set) and opens it; `first` is 0 for a run's start. */
void stream_open(stream_case *c, uint64_t first);

/* Sends an event as the host would: numbered, of class GUEST counted. */
void stream_send(stream_case *c, weft_event_buffer *event);

/* A definition, in its place (repeat 0) or told again after a swap (repeat 1). */
uint64_t stream_define(stream_case *c, const char *what, const char *text, int repeat);

/* A kernel.return of STREAM_THREAD: export, value. At tick = sequence * 1000. */
void stream_return(stream_case *c, uint64_t value);

/* Any kind with scalars alone. */
void stream_words(stream_case *c, uint16_t kind, const uint64_t *words, uint32_t count);

/* Closes; the op's status. */
weft_status stream_close(stream_case *c);

/* A file of the folder as text, NULL where there is none; lives until the next call. */
const char *stream_text(stream_case *c, const char *name);

/* FOLDER/name in `room`. */
const char *stream_path(const stream_case *c, const char *name, char room[128]);

/* Ends the instance, removes the folder. */
void stream_teardown(stream_case *c);

/* What a call writes to stderr goes to FOLDER/stderr between these two. */
int stream_catch(stream_case *c);
const char *stream_caught(stream_case *c, int saved);

#endif
