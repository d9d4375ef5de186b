/* recording.h: the decisions of a recorded run, by what was asked and how often it was asked before
 * (docs/policy.md, "Decisions as events"). */
#ifndef WEFT_POLICY_RECORDING_H
#define WEFT_POLICY_RECORDING_H

#include "weft/policy.h"

/* An answer that was not the built-in policy's. */
typedef struct decision {
    uint64_t nth;
    uint64_t answer, amount;
    uint64_t thread; /* the one that it concerns, 0: none */
} decision;

/* The answers to one op; for BEFORE, to one kind of operation. */
typedef struct answers {
    decision *list; /* by nth, rising */
    size_t count, room;
    size_t next;      /* the first that was not given back */
    uint64_t askings; /* so far */
} answers;

#define RECORDING_OPS (WEFT_POLICY_OPS + WEFT_SYNC_KINDS)

typedef struct recording {
    answers ops[RECORDING_OPS]; /* WEFT_POLICY_OP_*, then BEFORE by kind */
    uint64_t decisions;
} recording;

/* Where BEFORE of a kind of operation has its answers. */
static inline uint32_t recording_before(uint32_t kind)
{
    return WEFT_POLICY_OPS + kind;
}

/* Reads a trace. 0 with the reason in `why`; recording_free is needed either way. */
int recording_read(recording *r, const char *path, char *why, size_t room);
void recording_free(recording *r);

/* This op is asked once more: what was answered then, or NULL for the default. */
const decision *recording_next(recording *r, uint32_t op);

#endif
