/* encode.c: a thread's part of a group into a block's columns (docs/trace.md, "Blocks").
 *
 * Nothing here checks for room: the columns get what their longest contents could take, before the
 * first byte. */
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "wtr.h"

/* Returns where the next byte goes. Most values take one. */
static inline uint8_t *varint(uint8_t *to, uint64_t value)
{
    for (; value >= 0x80; value >>= 7) {
        *to++ = (uint8_t)(value | 0x80);
    }
    *to++ = (uint8_t)value;
    return to;
}

static inline void put_u64(uint8_t **at, uint64_t value)
{
    memcpy(*at, &value, 8); /* events are little-endian, as the file is */
    *at += 8;
}

/* Bytes that each column can take at most: of each event, and of each word of payload. */
static const struct {
    uint8_t event, word;
} widest[COLUMNS] = {
    [COL_KIND] = {4, 0},       [COL_ODD] = {27, 0},    [COL_SEQUENCE] = {10, 0},
    [COL_TICK] = {10, 0},      [COL_CYCLE] = {10, 0},  [COL_WORDS] = {0, 10},
    [COL_IDS] = {0, 5},        [COL_NAMES] = {0, 5},   [COL_TEXT] = {0, 8},
    [COL_DICTIONARY] = {0, 8}, [COL_PLACES] = {0, 16},
};

static int begin(wtr_encoder *e, const wtr_thread *t)
{
    for (int i = 0; i < COLUMNS; i++) {
        size_t need = (size_t)widest[i].event * t->events + widest[i].word * t->words + 8;
        if (need > e->room[i]) {
            free(e->columns[i]);
            e->columns[i] = malloc(need * 2);
            e->room[i] = e->columns[i] ? need * 2 : 0;
            if (!e->columns[i]) {
                return 0;
            }
        }
        e->at[i] = e->columns[i];
    }
    memset(e->value, 0, sizeof e->value);
    memset(e->naming, 0, sizeof e->naming);
    e->block++;
    e->id_count = 0;
    e->name_count = 0;
    e->again_count = 0;
    return 1;
}

/* Where the columns of a payload stand while it is put: copies of e->at, which the compiler may keep in
 * registers though bytes are written. */
typedef struct cursor {
    uint8_t *words, *ids, *names;
} cursor;

static inline void put_scalar(wtr_encoder *e, cursor *c, uint32_t slot, uint64_t word)
{
    c->words = varint(c->words, wtr_zigzag(word - e->value[slot]));
    e->value[slot] = word;
}

/* The slots of identities keep 1 + the place in the dictionary. One that lost its place in the hash
 * gets a second one, which costs eight bytes and nothing else. */
static inline uint64_t put_id(wtr_encoder *e, cursor *c, uint32_t slot, uint64_t id)
{
    size_t at = (size_t)(id * UINT64_C(0x9e3779b97f4a7c15) >> 54);
    uint64_t token;
    if (e->ids[at].id != id || e->ids[at].block != e->block) {
        e->ids[at].id = id;
        e->ids[at].block = e->block;
        e->ids[at].place = ++e->id_count;
        put_u64(&e->at[COL_DICTIONARY], id);
        token = 1;
    } else {
        token = e->value[slot] == e->ids[at].place ? 0 : (uint64_t)e->ids[at].place + 1;
    }
    c->ids = varint(c->ids, token);
    return e->value[slot] = e->ids[at].place;
}

static inline uint32_t place_of_name(wtr_encoder *e, const canon_ref *ref)
{
    size_t at = (size_t)((ref->name ^ ref->base) * UINT64_C(0x9e3779b97f4a7c15) >> 56);
    if (e->names[at].block != e->block || e->names[at].name != ref->name ||
        e->names[at].base != ref->base) {
        e->names[at].name = ref->name;
        e->names[at].base = ref->base;
        e->names[at].block = e->block;
        e->names[at].place = ++e->name_count;
        put_u64(&e->at[COL_PLACES], ref->name);
        put_u64(&e->at[COL_PLACES], ref->base);
    }
    return e->names[at].place;
}

/* A word that may have a name: its value, then how it is named. */
static inline const canon_ref *put_named(wtr_encoder *e, cursor *c, uint32_t slot, uint32_t place,
                                         uint64_t word, const canon_ref *ref)
{
    uint32_t name = ref->place == place ? place_of_name(e, ref) : 0;
    put_scalar(e, c, slot, word);
    c->names = varint(c->names, name == e->naming[slot] ? 0 : (uint64_t)name + 1);
    e->naming[slot] = name;
    return ref + (name != 0);
}

/* A payload that is what its row says. Behind the last ref stands one for no place. */
static __attribute__((noinline)) void put_fields(wtr_encoder *e, cursor *c, const canon_kind *kind,
                                                 uint32_t number, int canonical,
                                                 const uint64_t *words, const canon_ref *ref)
{
    uint32_t slots = wtr_slots(number, 0), at = 0;
    for (uint32_t i = 0; i < kind->count; i++) {
        uint32_t slot = wtr_slot(slots, at);
        uint64_t word = words[at++];
        switch (kind->shape[i]) {
        case CANON_ID: {
            uint64_t place = put_id(e, c, slot, word);
            if (i == 0) {
                slots = wtr_slots(number, place);
            }
            break;
        }
        case CANON_POINTER:
            if (canonical && !kind->apart[i]) {
                ref = put_named(e, c, slot, at - 1, word, ref);
            } else {
                put_scalar(e, c, slot, word);
            }
            break;
        case CANON_TEXT:
            put_scalar(e, c, slot, word);
            if (word > 0) {
                memcpy(e->at[COL_TEXT], &words[at], word);
                e->at[COL_TEXT] += word;
                at += (uint32_t)((word + 7) / 8);
            }
            break;
        case CANON_WORDS:
            put_scalar(e, c, slot, word);
            for (uint32_t end = at + (uint32_t)word; at < end; at++) {
                put_scalar(e, c, wtr_slot(slots, at), words[at]);
            }
            break;
        case CANON_IDS:
            put_scalar(e, c, slot, word);
            for (uint32_t end = at + (uint32_t)word; at < end; at++) {
                put_id(e, c, wtr_slot(slots, at), words[at]);
            }
            break;
        case CANON_POINTERS:
            put_scalar(e, c, slot, word);
            for (uint32_t end = at + (uint32_t)word; at < end; at++) {
                if (canonical && !kind->apart[i]) {
                    ref = put_named(e, c, wtr_slot(slots, at), at, words[at], ref);
                } else {
                    put_scalar(e, c, wtr_slot(slots, at), words[at]);
                }
            }
            break;
        default:
            put_scalar(e, c, slot, word);
            break;
        }
    }
}

/* An event that waits in the arena. Behind its refs stands one for no place. */
typedef struct held_event {
    const wtr_held *held;
    const canon_ref *refs;
    const weft_event *event;
    const uint64_t *words;
    uint32_t count; /* of the payload's words */
} held_event;

static inline held_event held_at(const uint64_t *arena, uint32_t at)
{
    held_event h;
    h.held = (const wtr_held *)(arena + at);
    h.refs = (const canon_ref *)(h.held + 1);
    h.event = (const weft_event *)(h.refs + h.held->refs + 1);
    h.words = (const uint64_t *)(h.event + 1);
    h.count = (h.event->size - (uint32_t)sizeof *h.event) / 8;
    return h;
}

/* Size, kind and class. */
static inline uint64_t what_it_is(const weft_event *event)
{
    return event->size | (uint64_t)event->kind << 32 | (uint64_t)event->category << 48;
}

static inline int says_the_same(const uint64_t *arena, const struct wtr_again *before,
                                const held_event *h, uint64_t what)
{
    uint64_t differs = (before->what ^ what) | (before->refs ^ h->held->refs);
    if (differs) {
        return 0;
    }
    const canon_ref *refs = (const canon_ref *)(arena + before->at);
    const uint64_t *words = (const uint64_t *)(refs + before->refs + 1) + sizeof *h->event / 8;
    for (uint32_t i = 0; i < h->count; i++) {
        differs |= words[i] ^ h->words[i];
    }
    for (uint32_t i = 0; i < before->refs; i++) {
        const canon_ref *x = &refs[i], *y = &h->refs[i];
        differs |= (x->name ^ y->name) | (x->base ^ y->base) | (x->place ^ y->place);
    }
    return differs == 0;
}

/* 1 and the place where an earlier event of the block said the same; else this one gets the next
 * place. One that lost its entry to another is put in full again. */
static inline int said_before(wtr_encoder *e, const uint64_t *arena, const held_event *h,
                              uint32_t *place)
{
    uint64_t what = what_it_is(h->event);
    uint64_t mix = canon_mix(what, h->words, h->count);
    struct wtr_again *before = &e->again[(mix >> 40) % WTR_AGAIN_PLACES];
    if (before->block == e->block && says_the_same(arena, before, h, what)) {
        *place = before->place;
        return 1;
    }
    *before = (struct wtr_again){
        .what = what,
        .at = (uint32_t)((const uint64_t *)h->refs - arena),
        .refs = h->held->refs,
        .place = e->again_count++,
        .block = e->block,
    };
    return 0;
}

/* The chain of a block: XXH3-128 of its predecessor's chain and what follows it. */
void wtr_chain_on(uint64_t chain[2], const uint8_t *bytes, size_t length)
{
    XXH3_state_t *state = XXH3_createState();
    if (state) {
        uint8_t before[16];
        for (int i = 0; i < 16; i++) {
            before[i] = (uint8_t)(chain[i / 8] >> 8 * (i % 8));
        }
        XXH3_128bits_reset(state);
        XXH3_128bits_update(state, before, sizeof before);
        XXH3_128bits_update(state, bytes, length);
        XXH128_hash_t hash = XXH3_128bits_digest(state);
        chain[0] = hash.low64;
        chain[1] = hash.high64;
        XXH3_freeState(state);
    }
}

/* The block's head and columns, one behind the other. */
static void put_raw(const wtr_encoder *e, uint64_t id, wtr_thread *t, uint64_t canon_chain,
                    uint64_t first_sequence, wtr_bytes *raw)
{
    wtr_put_u64(raw, id);
    wtr_put_u64(raw, t->chain[0]);
    wtr_put_u64(raw, t->chain[1]);
    size_t chain_at = raw->used;
    wtr_put_u64(raw, 0);
    wtr_put_u64(raw, 0);
    size_t start = raw->used;
    wtr_put_u64(raw, t->canon_chain);
    wtr_put_u64(raw, canon_chain);
    wtr_put_varint(raw, t->canon);
    wtr_put_varint(raw, t->canonical);
    wtr_put_varint(raw, t->events);
    wtr_put_varint(raw, first_sequence);
    for (int i = 0; i < COLUMNS; i++) {
        wtr_put_varint(raw, (uint64_t)(e->at[i] - e->columns[i]));
    }
    for (int i = 0; i < COLUMNS; i++) {
        wtr_put(raw, e->columns[i], (size_t)(e->at[i] - e->columns[i]));
    }
    if (!raw->no_memory) {
        wtr_chain_on(t->chain, raw->at + start, raw->used - start);
        size_t end = raw->used;
        raw->used = chain_at;
        wtr_put_u64(raw, t->chain[0]);
        wtr_put_u64(raw, t->chain[1]);
        raw->used = end;
    }
}

void wtr_block_put(wtr_encoder *e, const canon_kind *kinds, const uint64_t *arena, uint64_t id,
                   wtr_thread *t, uint64_t canon_chain, wtr_bytes *raw, uint64_t *first,
                   uint64_t *last)
{
    weft_event before = {.hw = WEFT_HW_NONE};
    uint64_t sequence = 0;
    *first = UINT64_MAX;
    *last = 0;
    if (!begin(e, t)) {
        raw->no_memory = 1;
        return;
    }
    uint32_t next = t->first;
    uint64_t first_sequence = 0;
    uint8_t *kinds_at = e->at[COL_KIND], *odd_at = e->at[COL_ODD];
    uint8_t *sequence_at = e->at[COL_SEQUENCE], *tick_at = e->at[COL_TICK];
    uint8_t *cycle_at = e->at[COL_CYCLE];
    cursor c = {e->at[COL_WORDS], e->at[COL_IDS], e->at[COL_NAMES]};
    for (uint32_t n = 0; n < t->events; n++) {
        const held_event h = held_at(arena, next);
        const weft_event *event = h.event;
        uint32_t fits = h.held->fits, place;
        __builtin_prefetch(arena + h.held->next);
        int odd = !fits || event->category != kinds[event->kind].category ||
                  event->hw != before.hw || event->tid != before.tid ||
                  event->index != before.index;
        int again = (fits & h.held->canonical) && h.count <= WTR_AGAIN_WORDS &&
                    said_before(e, arena, &h, &place);
        if (n == 0) {
            first_sequence = sequence = event->sequence;
        }
        if (again) {
            *kinds_at++ = (uint8_t)odd;
            kinds_at = varint(kinds_at, place);
        } else {
            kinds_at = varint(kinds_at, (uint64_t)event->kind << 1 | (uint64_t)odd);
        }
        if (odd) {
            *odd_at++ = event->category;
            *odd_at++ = event->hw;
            odd_at = varint(odd_at, wtr_zigzag(event->index - before.index));
            odd_at = varint(odd_at, event->tid);
            odd_at = varint(odd_at, fits ? 0 : (uint64_t)h.count + 1);
        }
        sequence_at = varint(sequence_at, wtr_zigzag(event->sequence - sequence));
        tick_at = varint(tick_at, wtr_zigzag(event->tick - before.tick));
        cycle_at = varint(cycle_at, wtr_zigzag(event->cycle - before.cycle));
        if (fits && !again) {
            put_fields(e, &c, &kinds[event->kind], event->kind, (int)h.held->canonical, h.words,
                       h.refs);
        }
        for (uint32_t i = 0; !fits && i < h.count; i++) {
            put_scalar(e, &c, wtr_slot(wtr_slots(0, 0), i), h.words[i]);
        }
        sequence = event->sequence + 1;
        before.hw = event->hw;
        before.tid = event->tid;
        before.tick = event->tick;
        before.cycle = event->cycle;
        before.index = event->index + (event->category == WEFT_CLASS_GUEST);
        *first = event->sequence < *first ? event->sequence : *first;
        *last = event->sequence > *last ? event->sequence : *last;
        next = h.held->next;
    }
    e->at[COL_KIND] = kinds_at;
    e->at[COL_ODD] = odd_at;
    e->at[COL_SEQUENCE] = sequence_at;
    e->at[COL_TICK] = tick_at;
    e->at[COL_CYCLE] = cycle_at;
    e->at[COL_WORDS] = c.words;
    e->at[COL_IDS] = c.ids;
    e->at[COL_NAMES] = c.names;
    put_raw(e, id, t, canon_chain, first_sequence, raw);
}

void wtr_encoder_end(wtr_encoder *e)
{
    for (int i = 0; i < COLUMNS; i++) {
        free(e->columns[i]);
        e->columns[i] = NULL;
        e->room[i] = 0;
    }
}
