/* case.h: small traces in memory, for the tests of sdk/trace. */
#ifndef TESTS_TRACE_CASE_H
#define TESTS_TRACE_CASE_H

#include "trace.h"

typedef struct bytes {
    char *at;
    size_t length;
} bytes;

/* Event number n of a small made-up run: five threads in turn, every kind of the table, texts and
 * arrays of several lengths, sequence n. */
void case_event(weft_event_buffer *event, uint64_t n);

/* That run's first `count` events as a binary trace; `ended`: with its footer. */
bytes case_wtr(uint64_t count, uint32_t group_events, int ended);

/* A reader of these bytes; `name` stands for the file's. */
weft_trace *case_open(const void *at, size_t length);

/* 1 where both have the same header but for `reserved`, and the same payload. */
int case_equal(const weft_event *a, const weft_event *b);

#endif
