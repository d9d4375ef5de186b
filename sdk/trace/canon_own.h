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
    uint8_t named;               /* 1: a word of its canonical form may have a name */
    uint8_t lasts;               /* 1: it changes nothing of what is live */
    uint8_t engine;              /* 1: it has no canonical form */
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

/* What short payloads gave the last time: titles say the same few things again and again. A payload
 * with the same words has the same form as long as nothing begins or ends that its words may mean. */
#define CANON_MEMO_WORDS 8
#define CANON_MEMOS      512

typedef struct canon_memo {     /* what finding one takes lies in its first line, or two */
    _Alignas(64) uint64_t head; /* kind, and number of words */
    uint64_t since; /* live.changes + 1; 1 where no word may have a name; 0: nothing is here */
    uint64_t hash;
    uint16_t count, ref_count, fits, reserved;
    uint64_t words[CANON_MEMO_WORDS];
    canon_ref refs[CANON_MEMO_WORDS];
    uint64_t canon[1 + 2 * CANON_MEMO_WORDS];
} canon_memo;

typedef struct canon_own {
    canon_kind kinds[WEFT_EVENT_KIND_END];
    live live;
    canon_words of;   /* the latest event, its words and refs in `made` or in a memo */
    canon_words made; /* room to work in */
    canon_memo *memos;
    int fits; /* 1: its payload is what its row says */
    int no_memory;
} canon_own;

/* Bits of which the upper ones tell short payloads apart: `count` is at most CANON_MEMO_WORDS. The
 * products do not wait for each other. */
static inline uint64_t canon_mix(uint64_t head, const uint64_t *words, uint32_t count)
{
    static const uint64_t by[CANON_MEMO_WORDS] = {
        UINT64_C(0x9e3779b97f4a7c15), UINT64_C(0xc2b2ae3d27d4eb4f), UINT64_C(0x165667b19e3779f9),
        UINT64_C(0xff51afd7ed558ccd), UINT64_C(0xd6e8feb86659fd93), UINT64_C(0xa0761d6478bd642f),
        UINT64_C(0xe7037ed1a0b428db), UINT64_C(0x8ebc6af09c88c6e3),
    };
    uint64_t mix = head * UINT64_C(0x589965cc75374cc3);
    for (uint32_t i = 0; i < count; i++) {
        mix += words[i] * by[i];
    }
    return mix;
}

canon_own *canon_own_new(void);
void canon_own_free(canon_own *canon);
canon_own *canon_own_clone(const canon_own *canon);

/* 1 and the hash where the event has a canonical form; canon->of is it. */
int canon_own_add(canon_own *canon, const weft_event *event, uint64_t *hash);

/* The form of the event for which canon_own_add returned 1 with `hash`; valid until the next one. */
static inline void canon_own_latest(const canon_own *canon, uint64_t hash, weft_event_canon *latest)
{
    latest->hash = hash;
    latest->named = canon->of.refs;
    latest->named_count = canon->of.ref_count;
    latest->fits = (uint32_t)canon->fits;
}

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
