/* canon.h: the canonical form of events: what they say that does not depend on the mode, on guest
 * time, or on where an allocator put things (weft/event.h, "Canonical form"; docs/trace.md has it
 * to the bit).
 *
 * A canoniser sees all events of a trace in sequence order. It keeps the live allocations
 * (memory.alloc, memory.free) and handles (handle.create, handle.destroy), so that a word of type p
 * can be named: a word inside a live allocation by the allocation's identity and its offset there,
 * a live handle by the object's identity with offset 0.
 *
 * Of each canonical event comes one 64-bit hash; a thread's chain is the running hash over them;
 * the canon_digest is a hash over the chains of all threads in the order of their identities. */
#ifndef WEFT_TRACE_CANON_H
#define WEFT_TRACE_CANON_H

#include "trace.h"

/* How events are put into canonical form. */
enum {
    /* Between traces of Weft: by identity. */
    WEFT_CANON_OWN,
    /* Between engines: what schema v1 compares (REFERENCE: exports by name, no identities, none of
     * the fields that the reference system skips; the n-th pointer of an allocating export is the
     * n-th, wherever it lies). */
    WEFT_CANON_SHARED,
};

typedef struct weft_canon weft_canon;

/* NULL without memory. */
weft_canon *weft_canon_new(int mode);
void weft_canon_free(weft_canon *canon);

/* The same state once more, to go on from here a second time. NULL without memory. */
weft_canon *weft_canon_clone(const weft_canon *canon);

/* About how many bytes a clone takes, where that can be known, else 0. */
size_t weft_canon_bytes(const weft_canon *canon);

/* Takes the next event. 1 and its hash where the event has a canonical form, else 0. `trace` gives
 * the names that WEFT_CANON_SHARED compares by; WEFT_CANON_OWN does not look at it. */
int weft_canon_add(weft_canon *canon, const weft_trace *trace, const weft_event *event,
                   uint64_t *hash);

/* Names a word as it stands after the latest event: 1 where it is `base` + offset inside what `name`
 * identifies. WEFT_CANON_OWN. */
int weft_canon_name(const weft_canon *canon, uint64_t word, uint64_t *name, uint64_t *base);

/* The latest event that had a form: its kind, then what counts of its payload, word by word.
 * *fields: the field of the kind's row that each is of; NULL for WEFT_CANON_OWN, where each field has
 * its words and each word of type p two. Valid until the next call. */
const uint64_t *weft_canon_words(const weft_canon *canon, const uint8_t **fields, uint32_t *count);

/* 1 once an allocation of memory failed: what came since is not to be relied on. */
int weft_canon_no_memory(const weft_canon *canon);

/* One step of a thread's chain; a chain begins with 0. */
uint64_t weft_canon_chain(uint64_t chain, uint64_t hash);

/* Chains of threads by identity, and the canon_digest over them. */
typedef struct weft_canon_chains weft_canon_chains;
weft_canon_chains *weft_canon_chains_new(void);
void weft_canon_chains_add(weft_canon_chains *chains, uint64_t thread, uint64_t hash);

/* A thread's chain as somebody else has counted it, instead of what was added. */
void weft_canon_chains_set(weft_canon_chains *chains, uint64_t thread, uint64_t count,
                           uint64_t chain);

/* "" without memory. */
void weft_canon_chains_digest(const weft_canon_chains *chains, char hex[33]);
void weft_canon_chains_free(weft_canon_chains *chains);

#endif
