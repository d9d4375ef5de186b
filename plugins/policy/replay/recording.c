/* recording.c: see recording.h. */
#include "recording.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "trace.h"

/* The place of an event's op; RECORDING_OPS: there is none. */
static uint32_t op_of(uint64_t word)
{
    if ((word & 0xFF) == WEFT_POLICY_OP_BEFORE) {
        return word >> 8 < WEFT_SYNC_KINDS ? recording_before((uint32_t)(word >> 8))
                                           : RECORDING_OPS;
    }
    return word < WEFT_POLICY_OPS ? (uint32_t)word : RECORDING_OPS;
}

static int keep(recording *r, const weft_event *event, char *why, size_t room)
{
    uint32_t count;
    const uint64_t *words = weft_trace_words(event, &count);
    uint32_t op = count == 6 ? op_of(words[0]) : RECORDING_OPS;
    if (op == RECORDING_OPS) {
        snprintf(why, room, "event %" PRIu64 " is no decision (expected a policy.answer of an op)",
                 event->sequence);
        return 0;
    }
    answers *a = &r->ops[op];
    if (words[5] == 0) {
        return 1; /* was not taken: the default was */
    }
    if (a->count > 0 && a->list[a->count - 1].nth >= words[4]) {
        snprintf(why, room,
                 "decisions are out of order at event %" PRIu64 " (found asking %" PRIu64
                 " of op %" PRIu64 ", expected more than %" PRIu64 ")",
                 event->sequence, words[4], words[0], a->list[a->count - 1].nth);
        return 0;
    }
    if (a->count == a->room) {
        size_t wanted = a->room ? a->room * 2 : 64;
        decision *more = realloc(a->list, wanted * sizeof *more);
        if (!more) {
            snprintf(why, room, "no memory for the decisions");
            return 0;
        }
        a->list = more;
        a->room = wanted;
    }
    a->list[a->count++] = (decision){
        .nth = words[4],
        .answer = words[1],
        .amount = words[3],
        .thread = event->thread,
    };
    r->decisions++;
    return 1;
}

/* What keeps a trace that can be read from being the recording of a run's decisions. */
static int is_usable(const weft_trace_info *info, char *why, size_t room)
{
    const char *what = info->parallel  ? "of parallel mode, whose order policy-follow keeps"
                       : info->partial ? "without all of its events"
                       : info->foreign ? "of another engine"
                       : info->first   ? "without its beginning"
                                       : NULL;
    if (what) {
        snprintf(why, room,
                 "recording has no whole schedule (found a trace %s, expected a whole "
                 "one of lockstep mode)",
                 what);
    }
    return !what;
}

int recording_read(recording *r, const char *path, char *why, size_t room)
{
    *r = (recording){0};
    weft_trace *trace = weft_trace_open(path);
    if (!trace) {
        snprintf(why, room, "no memory for the decisions");
        return 0;
    }
    int good = 1;
    const weft_event *event;
    while (good && (event = weft_trace_next(trace)) != NULL) {
        good = event->kind != WEFT_EVENT_POLICY_ANSWER || keep(r, event, why, room);
    }
    const char *where, *failed = weft_trace_failed(trace, &where);
    if (good && failed) {
        snprintf(why, room, "%s: %s", where, failed);
        good = 0;
    }
    good = good && is_usable(weft_trace_info_of(trace), why, room);
    weft_trace_close(trace);
    return good;
}

void recording_free(recording *r)
{
    for (uint32_t i = 0; i < RECORDING_OPS; i++) {
        free(r->ops[i].list);
    }
    *r = (recording){0};
}

const decision *recording_next(recording *r, uint32_t op)
{
    answers *a = &r->ops[op];
    uint64_t nth = a->askings++;
    if (a->next < a->count && a->list[a->next].nth == nth) {
        return &a->list[a->next++];
    }
    return NULL;
}
