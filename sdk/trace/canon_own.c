/* canon_own.c: see canon_own.h; docs/trace.md, "Canonical form", is the same in words. */
#include "canon_own.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

static uint8_t shape_of(char type)
{
    switch (type) {
    case 'd':
        return CANON_ID;
    case 'p':
        return CANON_POINTER;
    case 's':
        return CANON_TEXT;
    case 'U':
    case 'X':
        return CANON_WORDS;
    case 'D':
        return CANON_IDS;
    case 'P':
        return CANON_POINTERS;
    default:
        return CANON_WORD;
    }
}

void canon_own_kinds(canon_kind kinds[WEFT_EVENT_KIND_END])
{
    memset(kinds, 0, WEFT_EVENT_KIND_END * sizeof *kinds);
    for (uint16_t number = 1; number < WEFT_EVENT_KIND_END; number++) {
        const weft_event_kind *row = weft_event_kind_of(number);
        canon_kind *kind = &kinds[number];
        kind->known = 1;
        kind->category = row->category;
        for (const char *p = strchr(row->fields, ':'); p; p = strchr(p + 1, ':')) {
            assert(kind->count < CANON_FIELDS);
            kind->shape[kind->count] = shape_of(p[1]);
            kind->apart[kind->count] = p[2] == '~';
            kind->named |= (p[1] == 'p' || p[1] == 'P') && p[2] != '~';
            kind->count++;
        }
        kind->engine = (row->flags & WEFT_KIND_ENGINE) != 0;
        kind->lasts = number != WEFT_EVENT_MEMORY_ALLOC && number != WEFT_EVENT_MEMORY_FREE &&
                      number != WEFT_EVENT_HANDLE_CREATE && number != WEFT_EVENT_HANDLE_DESTROY;
    }
}

/* Room for the canonical words of a payload: its kind, and at most two for each word. */
static int reserve(canon_words *of, uint32_t count)
{
    if (count >= of->room / 2) {
        uint32_t room = count < 512 ? 1024 + 2 : 2 * count + 2;
        uint64_t *words = realloc(of->words, room * sizeof *words);
        of->words = words ? words : of->words;
        canon_ref *refs = realloc(of->refs, room * sizeof *refs);
        of->refs = refs ? refs : of->refs;
        if (!words || !refs) {
            return 0;
        }
        of->room = room;
    }
    return 1;
}

/* Where names come from: what is live now, or the refs that a block has kept. */
typedef struct namer {
    live *live;
    const canon_ref *refs, *refs_end;
} namer;

static inline int name_of(namer *by, uint32_t place, uint64_t word, uint64_t *name, uint64_t *base)
{
    if (by->live) {
        return live_find_near(by->live, word, name, base);
    }
    if (by->refs < by->refs_end && by->refs->place == place) {
        *name = by->refs->name;
        *base = by->refs->base;
        by->refs++;
        return 1;
    }
    return 0;
}

static inline uint64_t *put_named(canon_words *of, namer *by, uint64_t *to, uint32_t place,
                                  uint64_t word)
{
    uint64_t name = 0, base = 0;
    if (name_of(by, place, word, &name, &base)) {
        of->refs[of->ref_count++] = (canon_ref){.place = place, .name = name, .base = base};
    }
    *to++ = name;
    *to++ = word - base;
    return to;
}

/* Whether a text of `length` bytes at `text` ends in zero padding. */
static inline int padded(const uint64_t *text, uint64_t length)
{
    return length % 8 == 0 || text[length / 8] >> length % 8 * 8 == 0;
}

/* The fields behind the kind's word; 0 where the payload does not fit the row. */
static inline int put_fields(canon_words *of, namer *by, const canon_kind *kind,
                             const uint64_t *words, uint32_t count)
{
    uint64_t *to = of->words + 1;
    uint32_t at = 0;
    for (uint32_t i = 0; i < kind->count; i++) {
        if (at == count) {
            return 0;
        }
        uint64_t word = words[at++];
        uint32_t shape = kind->shape[i];
        if (shape < CANON_TEXT) {
            if (kind->apart[i]) {
                continue;
            }
            if (shape == CANON_POINTER) {
                to = put_named(of, by, to, at - 1, word);
            } else {
                *to++ = word;
            }
            continue;
        }
        uint64_t length = word;
        if (shape == CANON_TEXT) {
            length = word / 8 + (word % 8 != 0);
            if (length > count - at || !padded(words + at, word)) {
                return 0;
            }
        }
        if (length > count - at) {
            return 0;
        }
        uint32_t end = at + (uint32_t)length;
        if (kind->apart[i]) {
            at = end;
            continue;
        }
        *to++ = word;
        if (shape == CANON_POINTERS) {
            for (; at < end; at++) {
                to = put_named(of, by, to, at, words[at]);
            }
        } else {
            while (at < end) {
                *to++ = words[at++];
            }
        }
    }
    of->count = (uint32_t)(to - of->words);
    return at == count;
}

int canon_own_fits(const canon_kind kinds[WEFT_EVENT_KIND_END], const weft_event *event)
{
    uint32_t count, at = 0;
    const uint64_t *words = weft_trace_words(event, &count);
    if (event->kind >= WEFT_EVENT_KIND_END || !kinds[event->kind].known) {
        return 0;
    }
    const canon_kind *kind = &kinds[event->kind];
    for (uint32_t i = 0; i < kind->count; i++) {
        if (at == count) {
            return 0;
        }
        uint64_t word = words[at++], length = 0;
        if (kind->shape[i] >= CANON_TEXT) {
            length = kind->shape[i] == CANON_TEXT ? word / 8 + (word % 8 != 0) : word;
        }
        if (length > count - at || (kind->shape[i] == CANON_TEXT && !padded(words + at, word))) {
            return 0;
        }
        at += (uint32_t)length;
    }
    return at == count;
}

/* 1: it fits its row; 0: it does not, and stands there word by word. */
static int put_event(canon_words *of, namer *by, const canon_kind *kinds, const weft_event *event)
{
    uint32_t count;
    const uint64_t *words = weft_trace_words(event, &count);
    of->words[0] = event->kind;
    of->ref_count = 0;
    int known = event->kind < WEFT_EVENT_KIND_END && kinds[event->kind].known;
    if (known && put_fields(of, by, &kinds[event->kind], words, count)) {
        return 1;
    }
    memcpy(of->words + 1, words, count * sizeof *words);
    of->count = 1 + count;
    of->ref_count = 0;
    return 0;
}

/* What the event changes of what is live. Its payload fits its row. */
static void follow(live *l, const weft_event *event)
{
    const uint64_t *w = (const uint64_t *)(event + 1);
    switch (event->kind) {
    case WEFT_EVENT_MEMORY_ALLOC: /* allocation, address, size, alias, ... */
        live_alloc(l, w[0], w[1], w[2], w[3]);
        break;
    case WEFT_EVENT_MEMORY_FREE:
        live_free(l, w[0]);
        break;
    case WEFT_EVENT_HANDLE_CREATE: /* identity, type, raw value */
        live_open(l, w[2], w[0]);
        break;
    case WEFT_EVENT_HANDLE_DESTROY: /* identity, raw value, ... */
        live_close(l, w[1]);
        break;
    default:
        break;
    }
}

static uint64_t hash_of(const canon_words *of)
{
    return XXH3_64bits(of->words, (size_t)of->count * sizeof *of->words);
}

static inline int is_memo(const canon_memo *m, uint64_t head, uint64_t since, const uint64_t *words,
                          uint32_t count)
{
    uint64_t differs = (m->head ^ head) | (m->since ^ since);
    for (uint32_t i = 0; i < count; i++) {
        differs |= m->words[i] ^ words[i];
    }
    return differs == 0;
}

static void remember(canon_own *c, canon_memo *m, const weft_event *event, uint64_t head,
                     uint64_t since, uint64_t hash)
{
    m->head = head;
    m->since = since;
    memcpy(m->words, event + 1, event->size - sizeof *event);
    m->hash = hash;
    m->count = (uint16_t)c->of.count;
    m->ref_count = (uint16_t)c->of.ref_count;
    m->fits = (uint16_t)c->fits;
    memcpy(m->canon, c->of.words, m->count * sizeof *m->canon);
    memcpy(m->refs, c->of.refs, m->ref_count * sizeof *m->refs);
}

/* An event that no memo has. */
static __attribute__((noinline)) int make(canon_own *c, const weft_event *event, canon_memo *m,
                                          uint64_t head, uint64_t since, uint64_t *hash)
{
    uint32_t count = (event->size - (uint32_t)sizeof *event) / 8;
    if (!reserve(&c->made, count)) {
        c->no_memory = 1;
        return 0;
    }
    namer by = {.live = &c->live};
    c->fits = put_event(&c->made, &by, c->kinds, event);
    c->of = c->made;
    *hash = hash_of(&c->of);
    if (c->fits) {
        follow(&c->live, event);
    }
    if (m) {
        remember(c, m, event, head, since, *hash);
    } else if (!c->memos) { /* clones that only keep a place need none */
        c->memos = aligned_alloc(_Alignof(canon_memo), CANON_MEMOS * sizeof *c->memos);
        if (!c->memos) {
            c->no_memory = 1;
            return 0;
        }
        memset(c->memos, 0, CANON_MEMOS * sizeof *c->memos);
    }
    return 1;
}

int canon_own_add(canon_own *c, const weft_event *event, uint64_t *hash)
{
    uint32_t count = (event->size - (uint32_t)sizeof *event) / 8;
    const uint64_t *words = (const uint64_t *)(event + 1);
    if (event->category != WEFT_CLASS_GUEST) {
        return 0;
    }
    const canon_kind *kind = &c->kinds[event->kind < WEFT_EVENT_KIND_END ? event->kind : 0];
    if (kind->engine) {
        return 0;
    }
    if (count > CANON_MEMO_WORDS || !kind->lasts || !c->memos) {
        return make(c, event, NULL, 0, 0, hash);
    }
    uint64_t head = (uint64_t)event->kind << 32 | count;
    uint64_t since = kind->named ? c->live.changes + 1 : 1;
    canon_memo *m = &c->memos[(canon_mix(head, words, count) >> 40) % CANON_MEMOS];
    if (!is_memo(m, head, since, words, count)) {
        return make(c, event, m, head, since, hash);
    }
    *hash = m->hash;
    c->of.words = m->canon;
    c->of.refs = m->refs;
    c->of.count = m->count;
    c->of.ref_count = m->ref_count;
    c->fits = m->fits;
    return 1;
}

int canon_own_hash(const canon_kind kinds[WEFT_EVENT_KIND_END], canon_words *of,
                   const weft_event *event, const canon_ref *refs, uint32_t ref_count,
                   uint64_t *hash)
{
    uint32_t count = (event->size - (uint32_t)sizeof *event) / 8;
    if (!reserve(of, count)) {
        return 0;
    }
    namer by = {.refs = refs, .refs_end = refs + ref_count};
    put_event(of, &by, kinds, event);
    *hash = hash_of(of);
    return of->ref_count == ref_count;
}

canon_own *canon_own_new(void)
{
    canon_own *c = calloc(1, sizeof *c);
    if (c) {
        canon_own_kinds(c->kinds);
    }
    return c;
}

canon_own *canon_own_clone(const canon_own *from)
{
    canon_own *c = canon_own_new();
    if (c) {
        c->no_memory = from->no_memory;
        if (!live_copy(&c->live, &from->live)) {
            free(c);
            return NULL;
        }
    }
    return c;
}

void canon_own_free(canon_own *c)
{
    if (c) {
        live_end(&c->live);
        free(c->made.words);
        free(c->made.refs);
        free(c->memos);
        free(c);
    }
}
