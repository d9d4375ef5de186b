/* survey.h: what a trace holds, gathered as its events come: for the footer that writer.c writes, and
 * for source.c, which has to read a file without one. */
#ifndef WEFT_TRACE_SURVEY_H
#define WEFT_TRACE_SURVEY_H

#include "live.h"
#include "source.h"

typedef struct survey_thread {
    uint64_t id, events, guest, canonical, chain;
    uint64_t first_export; /* identity of the first export it calls; 0: it calls none */
    uint32_t tid;
    uint64_t *steps;
    size_t step_count, step_room;
} survey_thread;

/* Kinds that are counted by what they are of. */
enum { SURVEY_UNKNOWN, SURVEY_CALL, SURVEY_SIGNAL, SURVEY_TALLIES };
extern const uint16_t survey_tally_kinds[SURVEY_TALLIES];

typedef struct survey {
    survey_thread *threads; /* in order of first appearance */
    size_t thread_count, thread_room;
    live_map places; /* of threads by identity */
    size_t last;     /* place of the latest event's thread */
    live_map tallies[SURVEY_TALLIES];
    uint64_t kinds[WEFT_EVENT_KIND_END];
    uint64_t events, guest;
    uint64_t first_tick, last_tick; /* lowest and highest of class GUEST */
    int no_memory;
} survey;

/* Takes an event; `canonical` is 1 where it has the hash. Returns the place of its thread, SIZE_MAX
 * without memory. */
size_t survey_add(survey *s, const weft_event *event, int canonical, uint64_t hash);

/* The place of a thread, SIZE_MAX where it is none. */
size_t survey_find(const survey *s, uint64_t thread);

/* The canon_digest of the chains; "" without memory. */
void survey_digest(const survey *s, char hex[33]);

/* Moves what was gathered into a summary, with texts that `trace` knows. 0 without memory. */
int survey_finish(survey *s, const weft_trace *trace, weft_trace_summary *to);

void survey_free(survey *s);
void survey_free_summary(weft_trace_summary *summary);

#endif
