/* encode.c: a thread's part of a group into a block's columns (docs/trace.md, "Blocks").
 *
 * Most events say what their thread has said before: those are a few bytes of the heads, put as they
 * come, and nothing is left of them to copy or to look at again. The other payloads wait for the
 * group's end, since the columns of a block share what the encoder keeps.
 *
 * Nothing that puts checks for room: the columns get what their longest contents could take, before
 * the first byte. */
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "wtr.h"

static __attribute__((noinline)) uint8_t *long_varint(uint8_t *to, uint64_t value)
{
    for (; value >= 0x80; value >>= 7) {
        *to++ = (uint8_t)(value | 0x80);
    }
    *to++ = (uint8_t)value;
    return to;
}

/* Returns where the next byte goes. Most values take one, many two. */
static inline uint8_t *varint(uint8_t *to, uint64_t value)
{
    to[0] = (uint8_t)value;
    if (value < 0x80) {
        return to + 1;
    }
    if (value >= 0x4000) {
        return long_varint(to, value);
    }
    to[0] = (uint8_t)(value | 0x80);
    to[1] = (uint8_t)(value >> 7);
    return to + 2;
}

static inline void put_u64(uint8_t **at, uint64_t value)
{
    memcpy(*at, &value, 8); /* events are little-endian, as the file is */
    *at += 8;
}

/* Bytes that each column can take at most: heads of each event, the others of each word of payload. */
static const uint8_t widest[COLUMNS] = {
    [COL_KIND] = 4,   [COL_ODD] = 27,       [COL_SEQUENCE] = 10, [COL_TICK] = 10,
    [COL_CYCLE] = 10, [COL_WORDS] = 10,     [COL_IDS] = 5,       [COL_NAMES] = 5,
    [COL_TEXT] = 8,   [COL_DICTIONARY] = 8, [COL_PLACES] = 16,
};

#define HEADS_FIRST 8 /* events: a title may make very many threads that say little */
#define HEADS_KEPT  (UINT64_C(1) << 26) /* bytes of heads that threads may keep between groups */

static int begin(wtr_encoder *e, const wtr_thread *t)
{
    for (int i = WTR_HEADS; i < COLUMNS; i++) {
        size_t need = widest[i] * t->words + 8;
        if (need > e->column_room[i]) {
            free(e->columns[i]);
            e->columns[i] = malloc(need * 2);
            e->column_room[i] = e->columns[i] ? need * 2 : 0;
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

/* A payload that waits: this, its words, its refs and one for no place. */
typedef struct wtr_held {
    uint64_t what; /* what_it_is of its event */
    uint32_t next; /* where the part's next one is; 0: there is none */
    uint32_t refs : 30;
    uint32_t fits : 1; /* the payload is what the row says */
    uint32_t canonical : 1;
} wtr_held;

_Static_assert(sizeof(wtr_held) == 16, "words follow");

static inline uint32_t words_in(const weft_event *event)
{
    return (event->size - (uint32_t)sizeof *event) / 8;
}

/* Size, kind and class as they stand there: the first word of an event but for its hardware thread. */
static inline uint64_t what_it_is(const weft_event *event)
{
    return event->size | (uint64_t)event->kind << 32 | (uint64_t)event->category << 48;
}

static inline uint32_t count_of(const wtr_held *held)
{
    return ((uint32_t)held->what - (uint32_t)sizeof(weft_event)) / 8;
}

static inline uint16_t kind_of(const wtr_held *held)
{
    return (uint16_t)(held->what >> 32);
}

static inline const uint64_t *words_of(const wtr_held *held)
{
    return (const uint64_t *)(held + 1);
}

static inline const canon_ref *refs_of(const wtr_held *held)
{
    return (const canon_ref *)(words_of(held) + count_of(held));
}

/* Of two events that both fit and have a canonical form. */
static inline int says_the_same(const wtr_held *held, const weft_event *event, uint32_t count,
                                const weft_event_canon *canon)
{
    uint64_t differs = (held->what ^ what_it_is(event)) | (held->refs ^ canon->named_count);
    if (differs) {
        return 0;
    }
    const uint64_t *a = words_of(held), *b = (const uint64_t *)(event + 1);
    for (uint32_t i = 0; i < count; i++) {
        differs |= a[i] ^ b[i];
    }
    const canon_ref *x = (const canon_ref *)(a + count), *y = canon->named;
    for (uint32_t i = 0; i < canon->named_count; i++) {
        differs |= (x[i].name ^ y[i].name) | (x[i].base ^ y[i].base) | (x[i].place ^ y[i].place);
    }
    return differs == 0;
}

/* Keeps a payload till the group's end; where it is, 0 without memory. */
static __attribute__((noinline)) uint32_t hold(wtr_encoder *e, wtr_thread *t,
                                               const weft_event *event,
                                               const weft_event_canon *canon, int canonical)
{
    uint32_t count = words_in(event), refs = canon->named_count;
    size_t need = sizeof(wtr_held) / 8 + count + (refs + 1) * sizeof(canon_ref) / 8;
    if (e->used + need > e->room) {
        size_t room = e->room ? e->room : 4096;
        while (room < e->used + need) {
            room *= 2;
        }
        uint64_t *more = realloc(e->arena, room * sizeof *more);
        if (!more) {
            return 0;
        }
        e->arena = more;
        e->room = room;
    }
    uint32_t at = (uint32_t)e->used;
    wtr_held *held = (wtr_held *)&e->arena[at];
    *held = (wtr_held){
        .what = what_it_is(event),
        .refs = refs & 0x3FFFFFFF,
        .fits = canon->fits & 1,
        .canonical = canonical & 1,
    };
    uint64_t *words = (uint64_t *)(held + 1);
    memcpy(words, event + 1, count * sizeof *words);
    canon_ref *named = (canon_ref *)(words + count);
    for (uint32_t i = 0; i < refs; i++) {
        named[i] = canon->named[i];
    }
    named[refs] = (canon_ref){.place = UINT32_MAX};
    if (t->first == 0) {
        t->first = at;
    } else {
        ((wtr_held *)&e->arena[t->last])->next = at;
    }
    t->last = at;
    t->words += count;
    e->used += need;
    return at;
}

/* Where an earlier event of the part that said the same may be found. */
static inline struct wtr_again *again_of(wtr_encoder *e, uint32_t thread, uint64_t hash)
{
    return &e->again[(hash + thread * UINT64_C(0x9e3779b97f4a7c15)) % WTR_AGAIN_PLACES];
}

static __attribute__((noinline)) int more_heads(wtr_encoder *e, wtr_thread *t)
{
    uint32_t room = t->head_room ? t->head_room * 2 : HEADS_FIRST;
    for (int i = 0; i < WTR_HEADS; i++) {
        size_t used = t->head_room ? (size_t)(t->head_at[i] - t->heads[i]) : 0;
        uint8_t *more = realloc(t->heads[i], (size_t)widest[i] * room);
        if (!more) {
            return 0;
        }
        t->heads[i] = more;
        t->head_at[i] = more + used;
        e->head_bytes += (size_t)widest[i] * (room - t->head_room);
    }
    t->head_room = room;
    return 1;
}

/* A payload that may be told again is numbered; one that lost its entry is put in full again. */
int wtr_encoder_add(wtr_encoder *e, const canon_kind *kinds, uint32_t thread, wtr_thread *t,
                    const weft_event *event, const weft_event_canon *canon, int canonical)
{
    uint32_t count = words_in(event), fits = canon->fits;
    if (t->events == t->head_room && !more_heads(e, t)) {
        return 0;
    }
    if (t->events == 0) {
        t->begin = t->sequence = t->low = t->high = event->sequence;
        t->hw = WEFT_HW_NONE;
    }
    int odd = !fits || event->category != kinds[event->kind].category || event->hw != t->hw ||
              event->tid != t->tid || event->index != t->index;
    int repeats = (fits & (uint32_t)canonical) && count <= WTR_AGAIN_WORDS;
    struct wtr_again *again = repeats ? again_of(e, thread, canon->hash) : NULL;
    uint8_t *to = t->head_at[COL_KIND];
    if (repeats && again->group == e->group && again->thread == thread &&
        says_the_same((const wtr_held *)&e->arena[again->at], event, count, canon)) {
        *to = (uint8_t)odd;
        to = varint(to + 1, again->place);
    } else {
        uint32_t at = hold(e, t, event, canon, canonical);
        if (!at) {
            return 0;
        }
        if (repeats) {
            *again = (struct wtr_again){at, thread, t->told++, e->group};
        }
        to = varint(to, (uint64_t)event->kind << 1 | (uint64_t)odd);
    }
    t->head_at[COL_KIND] = to;
    if (odd) {
        to = t->head_at[COL_ODD];
        *to++ = event->category;
        *to++ = event->hw;
        to = varint(to, wtr_zigzag(event->index - t->index));
        to = varint(to, event->tid);
        t->head_at[COL_ODD] = varint(to, fits ? 0 : (uint64_t)count + 1);
        t->hw = event->hw;
        t->tid = event->tid;
    }
    t->head_at[COL_SEQUENCE] =
        varint(t->head_at[COL_SEQUENCE], wtr_zigzag(event->sequence - t->sequence));
    t->head_at[COL_TICK] = varint(t->head_at[COL_TICK], wtr_zigzag(event->tick - t->tick));
    t->head_at[COL_CYCLE] = varint(t->head_at[COL_CYCLE], wtr_zigzag(event->cycle - t->cycle));
    t->index = event->index + (event->category == WEFT_CLASS_GUEST);
    t->tick = event->tick;
    t->cycle = event->cycle;
    t->sequence = event->sequence + 1;
    t->low = event->sequence < t->low ? event->sequence : t->low;
    t->high = event->sequence > t->high ? event->sequence : t->high;
    t->events++;
    t->canonical += (uint32_t)canonical;
    return 1;
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
                    wtr_bytes *raw)
{
    const uint8_t *columns[COLUMNS];
    size_t lengths[COLUMNS];
    for (int i = 0; i < COLUMNS; i++) {
        columns[i] = i < WTR_HEADS ? t->heads[i] : e->columns[i];
        lengths[i] = (size_t)((i < WTR_HEADS ? t->head_at[i] : e->at[i]) - columns[i]);
    }
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
    wtr_put_varint(raw, t->begin);
    for (int i = 0; i < COLUMNS; i++) {
        wtr_put_varint(raw, lengths[i]);
    }
    for (int i = 0; i < COLUMNS; i++) {
        wtr_put(raw, columns[i], lengths[i]);
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

void wtr_block_put(wtr_encoder *e, const canon_kind *kinds, uint64_t id, wtr_thread *t,
                   uint64_t canon_chain, wtr_bytes *raw)
{
    if (!begin(e, t)) {
        raw->no_memory = 1;
        return;
    }
    cursor c = {e->at[COL_WORDS], e->at[COL_IDS], e->at[COL_NAMES]};
    for (uint32_t at = t->first; at != 0;) {
        const wtr_held *held = (const wtr_held *)&e->arena[at];
        const uint64_t *words = words_of(held);
        if (held->fits) {
            put_fields(e, &c, &kinds[kind_of(held)], kind_of(held), held->canonical, words,
                       refs_of(held));
        }
        for (uint32_t i = 0; !held->fits && i < count_of(held); i++) {
            put_scalar(e, &c, wtr_slot(wtr_slots(0, 0), i), words[i]);
        }
        at = held->next;
    }
    e->at[COL_WORDS] = c.words;
    e->at[COL_IDS] = c.ids;
    e->at[COL_NAMES] = c.names;
    put_raw(e, id, t, canon_chain, raw);
}

void wtr_thread_end(wtr_thread *t)
{
    for (int i = 0; i < WTR_HEADS; i++) {
        free(t->heads[i]);
    }
    *t = (wtr_thread){0};
}

void wtr_thread_next(wtr_encoder *e, wtr_thread *t, uint64_t canon_chain, uint64_t canon)
{
    wtr_thread next = {
        .chain = {t->chain[0], t->chain[1]},
        .canon_chain = canon_chain,
        .canon = canon,
    };
    if (e->head_bytes > HEADS_KEPT) {
        for (int i = 0; i < WTR_HEADS; i++) {
            e->head_bytes -= (size_t)widest[i] * t->head_room;
        }
        wtr_thread_end(t);
    }
    next.head_room = t->head_room;
    for (int i = 0; i < WTR_HEADS; i++) {
        next.heads[i] = next.head_at[i] = t->heads[i];
    }
    *t = next;
}

void wtr_encoder_next(wtr_encoder *e)
{
    e->used = 1;
    e->group++;
}

wtr_encoder *wtr_encoder_new(void)
{
    wtr_encoder *e = calloc(1, sizeof *e);
    if (e) {
        wtr_encoder_next(e);
    }
    return e;
}

void wtr_encoder_free(wtr_encoder *e)
{
    if (e) {
        for (int i = WTR_HEADS; i < COLUMNS; i++) {
            free(e->columns[i]);
        }
        free(e->arena);
        free(e);
    }
}
