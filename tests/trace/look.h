/* look.h: made-up runs for the tests of sdk/trace's pictures, and what a viewer would make of the
 * files: a list of marks, the same for every format. */
#ifndef TESTS_TRACE_LOOK_H
#define TESTS_TRACE_LOOK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "weft/tracer.h"

/* A run: texts of identities, and the writer that gets the events. */
typedef struct look {
    weft_trace_begin begin;
    FILE *file;
    void *writer;
    void (*add)(void *writer, const weft_event *event, int show);
    const char *texts[32];
    uint32_t text_count;
    uint64_t sequence;
    int hidden; /* 1: events are not to be shown */
    char room[64];
} look;

void look_start(look *l, const char *title);

/* The identity of a text, known to the run from here on. */
uint64_t look_id(look *l, const char *text);

/* Identity number n of many: its text is "lib.xex!NameN()#1". */
uint64_t look_many(uint32_t n);

/* One event with these words (`count` uint64_t) behind its header. */
void look_put(look *l, uint16_t kind, uint64_t thread, uint64_t tick, int count, ...);

/* A call without arguments, and its return. */
void look_call(look *l, uint64_t thread, uint64_t tick, uint64_t export_id);
void look_return(look *l, uint64_t thread, uint64_t tick, uint64_t export_id);

/* An endless wait for one object, and its end. */
void look_wait(look *l, uint64_t thread, uint64_t tick, uint64_t object);
void look_woken(look *l, uint64_t thread, uint64_t tick, uint64_t object);

/* `count` events of a run without sense: calls, waits, signals, files, switches of a few threads, in
 * an order that only `seed` knows, with ticks that go back now and then. */
void look_nonsense(look *l, uint32_t seed, uint32_t count);

/* The file's bytes, ended by a NUL; the caller frees. */
char *look_bytes(const look *l, size_t *length);

/* A mark as a viewer sees it. */
typedef struct look_mark {
    char type; /* B, E, i, C */
    uint64_t track, sequence, ns;
    char name[300];
    char args[1024];        /* "name=value;..." */
    uint64_t out[8], in[8]; /* flows */
    uint32_t out_count, in_count;
    int64_t value; /* of a counter */
} look_mark;

typedef struct look_marks {
    look_mark *at;
    size_t count, room;
    struct {
        uint64_t track;
        char name[512];
    } * tracks;
    size_t track_count;
    int forget;        /* 1: marks are checked one by one and not kept */
    look_mark latest;  /* where they are then */
    uint32_t restarts; /* sequences whose state was cleared a second time (Perfetto) */
} look_marks;

look_mark *look_add(look_marks *m);
void look_add_track(look_marks *m, uint64_t track, const char *name, size_t length);
const char *look_track(const look_marks *m, uint64_t track);
void look_free(look_marks *m);

/* The first mark with this type, track name and name, or NULL. */
const look_mark *look_find(const look_marks *m, char type, const char *track, const char *name);

/* What every picture keeps: slices nest and end, ticks of a track and of a sequence never go back,
 * a flow begins once and ends once, later; tracks and slices have names; texts are UTF-8 without
 * control characters. */
void look_check(const look_marks *m);
void look_check_utf8(const char *text, size_t length);

/* Decodes a Perfetto trace with nothing but the rules of the wire format (protobuf.dev,
 * "Encoding") and the published field numbers. `m` is zero before, but for `forget`. */
void look_perfetto(look_marks *m, const char *bytes, size_t length);

#endif
