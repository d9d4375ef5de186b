/* canon_own.h: the canonical form between traces of Weft, with what the binary trace needs beyond
 * canon.h: which words of the payload were named, and how. */
#ifndef WEFT_TRACE_CANON_OWN_H
#define WEFT_TRACE_CANON_OWN_H

#include "live.h"
#include "trace.h"

typedef weft_event_name canon_ref; /* a word of the payload that has a name */

/* Where the fields of a kind are. Compiled from the table's text once. */
#define CANON_FIELDS 8
enum {
    CANON_WORD,     /* u, x, i */
    CANON_ID,       /* d */
    CANON_POINTER,  /* p */
    CANON_TEXT,     /* s; from here on the field begins with a length */
    CANON_WORDS,    /* U, X */
    CANON_IDS,      /* D */
    CANON_POINTERS, /* P */
};
typedef struct canon_kind {
    uint8_t known, count, category;
    uint8_t shape[CANON_FIELDS]; /* CANON_WORD and so on */
    uint8_t apart[CANON_FIELDS];
} canon_kind;

/* An event's canonical words: the kind, then fields, each p as (name, offset). */
typedef struct canon_words {
    uint64_t *words;
    canon_ref *refs;
    uint32_t count, ref_count;
    uint32_t room; /* of each */
} canon_words;

typedef struct canon_own {
    canon_kind kinds[WEFT_EVENT_KIND_END];
    live live;
    canon_words of; /* the latest event */
    int fits;       /* 1: its payload is what its row says */
    int no_memory;
} canon_own;

canon_own *canon_own_new(void);
void canon_own_free(canon_own *canon);
canon_own *canon_own_clone(const canon_own *canon);

/* 1 and the hash where the event has a canonical form; canon->of is it. */
int canon_own_add(canon_own *canon, const weft_event *event, uint64_t *hash);

/* The same hash from an event that was decoded, and the names that its words had (in the order of
 * their places); `of` is room to work in. 0 without memory, or where a name is given to what is no
 * p of the canonical form. Needs no state, so any block of a file can be read alone. */
int canon_own_hash(const canon_kind kinds[WEFT_EVENT_KIND_END], canon_words *of,
                   const weft_event *event, const canon_ref *refs, uint32_t ref_count,
                   uint64_t *hash);

/* 1 where the payload is what the kind's row says. */
int canon_own_fits(const canon_kind kinds[WEFT_EVENT_KIND_END], const weft_event *event);
void canon_own_kinds(canon_kind kinds[WEFT_EVENT_KIND_END]);

/* 1 where events like this one have a canonical form. */
static inline int canon_own_has(const weft_event *event)
{
    const weft_event_kind *row = weft_event_kind_of(event->kind);
    return event->category == WEFT_CLASS_GUEST && !(row && row->flags & WEFT_KIND_ENGINE);
}

#endif
