/* canon_own.c: see canon_own.h; docs/trace.md, "Canonical form", is the same in words. */
#include "canon_own.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

void canon_own_kinds(canon_kind kinds[WEFT_EVENT_KIND_END])
{
    memset(kinds, 0, WEFT_EVENT_KIND_END * sizeof *kinds);
    for (uint16_t number = 1; number < WEFT_EVENT_KIND_END; number++) {
        const weft_event_kind *row = weft_event_kind_of(number);
        canon_kind *kind = &kinds[number];
        kind->known = 1;
        for (const char *p = strchr(row->fields, ':'); p; p = strchr(p + 1, ':')) {
            assert(kind->count < CANON_FIELDS);
            kind->type[kind->count] = p[1];
            kind->apart[kind->count++] = p[2] == '~';
        }
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

/* The fields behind the kind's word; 0 where the payload does not fit the row. */
static int put_fields(canon_words *of, namer *by, const canon_kind *kind, const uint64_t *words,
                      uint32_t count)
{
    uint64_t *to = of->words + 1;
    uint32_t at = 0;
    for (uint32_t i = 0; i < kind->count; i++) {
        if (at == count) {
            return 0;
        }
        uint64_t word = words[at], length = 0;
        switch (kind->type[i]) {
        case 'p':
            if (!kind->apart[i]) {
                to = put_named(of, by, to, at, word);
            }
            at++;
            continue;
        case 's':
            if (word > (uint64_t)(count - at - 1) * 8) {
                return 0;
            }
            length = (word + 7) / 8;
            if (word % 8 != 0 && words[at + length] >> word % 8 * 8 != 0) {
                return 0; /* padding that is none */
            }
            break;
        case 'U':
        case 'X':
        case 'D':
        case 'P':
            length = word;
            break;
        default:
            break;
        }
        if (length > count - at - 1) {
            return 0;
        }
        if (!kind->apart[i]) {
            *to++ = word;
            if (kind->type[i] == 'P') {
                for (uint32_t n = 1; n <= length; n++) {
                    to = put_named(of, by, to, at + n, words[at + n]);
                }
            } else {
                memcpy(to, words + at + 1, length * sizeof *to);
                to += length;
            }
        }
        at += 1 + (uint32_t)length;
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
        uint64_t word = words[at], left = count - at - 1, length = 0;
        if (kind->type[i] == 's') {
            length = (word + 7) / 8;
            if (word > left * 8 || (word % 8 != 0 && words[at + length] >> word % 8 * 8 != 0)) {
                return 0;
            }
        } else if (kind->type[i] < 'a') {
            length = word;
        }
        if (length > left) {
            return 0;
        }
        at += 1 + (uint32_t)length;
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

int canon_own_add(canon_own *c, const weft_event *event, uint64_t *hash)
{
    uint32_t count = (event->size - (uint32_t)sizeof *event) / 8;
    if (!canon_own_has(event)) {
        return 0;
    }
    if (!reserve(&c->of, count)) {
        c->no_memory = 1;
        return 0;
    }
    namer by = {.live = &c->live};
    c->fits = put_event(&c->of, &by, c->kinds, event);
    *hash = hash_of(&c->of);
    if (c->fits) {
        follow(&c->live, event);
    }
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
    canon_own *c = malloc(sizeof *c);
    if (c) {
        memcpy(c->kinds, from->kinds, sizeof c->kinds);
        c->of = (canon_words){0};
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
        free(c->of.words);
        free(c->of.refs);
        free(c);
    }
}
