/* block.c: events of one thread in columns, and back. */
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "wtr.h"

/* Words from 2^32 on are identities, hashes and texts, most of which come again: they go to a
 * dictionary of the block. The token's low bit says which it is. */
static void put_word(wtr_block *b, uint64_t word)
{
    if (word <= UINT32_MAX) {
        wtr_put_varint(&b->columns[COL_WORDS], word << 1);
        return;
    }
    size_t at = (size_t)(word * UINT64_C(0x9e3779b97f4a7c15) >> 52);
    if (b->hash[at].block != b->block || b->hash[at].word != word) {
        b->hash[at].word = word; /* a collision costs eight bytes, nothing else */
        b->hash[at].block = b->block;
        b->hash[at].place = b->dictionary++;
        wtr_put_u64(&b->columns[COL_DICTIONARY], word);
    }
    wtr_put_varint(&b->columns[COL_WORDS], (uint64_t)b->hash[at].place << 1 | 1);
}

static void put_delta(wtr_block *b, int column, uint64_t value, uint64_t expected)
{
    wtr_put_varint(&b->columns[column], wtr_zigzag(value - expected));
}

void wtr_block_add(wtr_block *b, const weft_event *event)
{
    uint32_t count = (event->size - (uint32_t)sizeof *event) / 8;
    const uint64_t *words = (const uint64_t *)(event + 1);
    if (b->events == 0) {
        b->first = event->sequence;
        b->block++;
    }
    wtr_put_varint(&b->columns[COL_KIND], event->kind);
    wtr_put_byte(&b->columns[COL_CLASS], event->category);
    wtr_put_byte(&b->columns[COL_HW], event->hw);
    put_delta(b, COL_SEQUENCE, event->sequence, b->next_sequence);
    put_delta(b, COL_INDEX, event->index, b->index);
    put_delta(b, COL_TICK, event->tick, b->tick);
    put_delta(b, COL_CYCLE, event->cycle, b->cycle);
    put_delta(b, COL_TID, event->tid, b->tid);
    wtr_put_varint(&b->columns[COL_COUNT], count);
    for (uint32_t i = 0; i < count; i++) {
        put_word(b, words[i]);
    }
    b->next_sequence = event->sequence + 1;
    b->index = event->index + (event->category == WEFT_CLASS_GUEST);
    b->tick = event->tick;
    b->cycle = event->cycle;
    b->tid = event->tid;
    b->words += count;
    b->events++;
}

/* The chain of a block: XXH3-128 of its predecessor's chain and its own columns. */
static void chain_on(uint64_t chain[2], const uint8_t *columns, size_t length)
{
    XXH3_state_t *state = XXH3_createState();
    if (state) {
        uint8_t before[16];
        for (int i = 0; i < 16; i++) {
            before[i] = (uint8_t)(chain[i / 8] >> 8 * (i % 8));
        }
        XXH3_128bits_reset(state);
        XXH3_128bits_update(state, before, sizeof before);
        XXH3_128bits_update(state, columns, length);
        XXH128_hash_t hash = XXH3_128bits_digest(state);
        chain[0] = hash.low64;
        chain[1] = hash.high64;
        XXH3_freeState(state);
    }
}

void wtr_block_end(wtr_block *b, wtr_bytes *raw)
{
    wtr_put_u64(raw, b->thread);
    wtr_put_u64(raw, b->chain[0]);
    wtr_put_u64(raw, b->chain[1]);
    size_t chain_at = raw->used;
    wtr_put_u64(raw, 0);
    wtr_put_u64(raw, 0);
    size_t start = raw->used;
    wtr_put_varint(raw, b->events);
    for (int i = 0; i < COLUMNS; i++) {
        wtr_put_varint(raw, b->columns[i].used);
        raw->no_memory |= b->columns[i].no_memory;
    }
    for (int i = 0; i < COLUMNS; i++) {
        wtr_put(raw, b->columns[i].at, b->columns[i].used);
        b->columns[i].used = 0;
    }
    if (!raw->no_memory) {
        chain_on(b->chain, raw->at + start, raw->used - start);
        size_t end = raw->used;
        raw->used = chain_at;
        wtr_put_u64(raw, b->chain[0]);
        wtr_put_u64(raw, b->chain[1]);
        raw->used = end;
    }
    b->events = 0;
    b->words = 0;
    b->dictionary = 0;
    b->next_sequence = b->index = b->tick = b->cycle = b->tid = 0;
}

void wtr_block_free(wtr_block *b)
{
    for (int i = 0; i < COLUMNS; i++) {
        wtr_bytes_free(&b->columns[i]);
    }
    free(b);
}

static int room_for(wtr_group *g, size_t words, size_t events)
{
    if (words > g->words_room - g->words_used) {
        size_t room = g->words_room ? g->words_room : 4096;
        while (room - g->words_used < words) {
            room *= 2;
        }
        uint64_t *more = realloc(g->words, room * sizeof *more);
        if (!more) {
            return 0;
        }
        g->words = more;
        g->words_room = room;
    }
    if (events > g->events_room - g->events) {
        size_t room = g->events_room ? g->events_room : 1024;
        while (room - g->events < events) {
            room *= 2;
        }
        struct wtr_place *more = realloc(g->places, room * sizeof *more);
        if (!more) {
            return 0;
        }
        g->places = more;
        g->events_room = room;
    }
    return 1;
}

/* The value of a delta column's next entry. */
static uint64_t take_delta(wtr_view *column, uint64_t expected)
{
    return expected + wtr_unzigzag(wtr_take_varint(column));
}

static uint64_t take_word(wtr_view *words, const wtr_view *dictionary)
{
    uint64_t token = wtr_take_varint(words);
    if (!(token & 1)) {
        return token >> 1;
    }
    if (token >> 1 >= (uint64_t)(dictionary->end - dictionary->at) / 8) {
        words->bad = 1;
        return 0;
    }
    wtr_view one = {.at = dictionary->at + (token >> 1) * 8, .end = dictionary->end};
    return wtr_take_u64(&one);
}

/* Decodes the events; 0 where a column says something impossible. */
static int take_events(wtr_group *g, wtr_view *columns, uint64_t events, uint64_t thread)
{
    weft_event before = {0};
    uint64_t next_sequence = 0, index = 0, tid = 0;
    size_t limit = WTR_GROUP_WORDS + (size_t)WTR_MAX_EVENT_WORDS +
                   (size_t)WTR_GROUP_EVENTS * sizeof(weft_event) / 8; /* of the whole group */
    for (uint64_t i = 0; i < events; i++) {
        uint64_t count = wtr_take_varint(&columns[COL_COUNT]);
        size_t size = sizeof(weft_event) / 8 + (size_t)count;
        if (count > WTR_MAX_EVENT_WORDS || g->words_used + size > limit || !room_for(g, size, 1)) {
            return 0;
        }
        weft_event *event = (weft_event *)(g->words + g->words_used);
        const uint8_t *category = wtr_take(&columns[COL_CLASS], 1);
        const uint8_t *hw = wtr_take(&columns[COL_HW], 1);
        uint64_t kind = wtr_take_varint(&columns[COL_KIND]);
        tid = take_delta(&columns[COL_TID], tid);
        *event = (weft_event){
            .size = (uint32_t)(size * 8),
            .kind = (uint16_t)kind,
            .category = category ? *category : 0,
            .hw = hw ? *hw : 0,
            .sequence = take_delta(&columns[COL_SEQUENCE], next_sequence),
            .thread = thread,
            .index = take_delta(&columns[COL_INDEX], index),
            .tick = take_delta(&columns[COL_TICK], before.tick),
            .cycle = take_delta(&columns[COL_CYCLE], before.cycle),
            .tid = (uint32_t)tid,
        };
        uint64_t *words = (uint64_t *)(event + 1);
        for (uint64_t w = 0; w < count; w++) {
            words[w] = take_word(&columns[COL_WORDS], &columns[COL_DICTIONARY]);
        }
        if (kind > UINT16_MAX || tid > UINT32_MAX || event->category > WEFT_CLASS_LOCAL) {
            return 0;
        }
        next_sequence = event->sequence + 1;
        index = event->index + (event->category == WEFT_CLASS_GUEST);
        before = *event;
        g->places[g->events] = (struct wtr_place){
            .sequence = event->sequence,
            .at = g->words_used,
            .order = g->events,
        };
        g->events++;
        g->words_used += size;
    }
    return 1;
}

const char *wtr_block_read(wtr_group *g, const wtr_bytes *raw, uint64_t *thread, uint64_t before[2],
                           uint64_t chain[2])
{
    wtr_view v = {.at = raw->at, .end = raw->at + raw->used};
    wtr_view columns[COLUMNS];
    uint64_t lengths[COLUMNS], said[2];
    *thread = wtr_take_u64(&v);
    before[0] = wtr_take_u64(&v);
    before[1] = wtr_take_u64(&v);
    said[0] = wtr_take_u64(&v);
    said[1] = wtr_take_u64(&v);
    const uint8_t *start = v.at;
    uint64_t events = wtr_take_varint(&v);
    for (int i = 0; i < COLUMNS; i++) {
        lengths[i] = wtr_take_varint(&v);
    }
    for (int i = 0; i < COLUMNS; i++) {
        columns[i].at = wtr_take(&v, lengths[i]);
        columns[i].end = columns[i].at ? columns[i].at + lengths[i] : NULL;
        columns[i].bad = 0;
    }
    if (v.bad || v.at != v.end) {
        return "its columns do not fill it";
    }
    chain[0] = before[0];
    chain[1] = before[1];
    chain_on(chain, start, (size_t)(v.end - start));
    if (chain[0] != said[0] || chain[1] != said[1]) {
        return "its digest does not match";
    }
    if (events == 0 || events > WTR_MAX_BLOCK_EVENTS || g->events + events > WTR_GROUP_EVENTS) {
        return "it has more events than a group may have";
    }
    int good = take_events(g, columns, events, *thread);
    for (int i = 0; i < COLUMNS; i++) {
        good &= !columns[i].bad && (i == COL_DICTIONARY || columns[i].at == columns[i].end);
    }
    return good ? NULL : "its columns do not give its events";
}
