/* block.c: a block's columns back into events, and a group of blocks in the run's order. */
#include <stdlib.h>
#include <string.h>

#include "wtr.h"

/* What decoding a block keeps; the same as encode.c's, from the other side. */
typedef struct wtr_decoder {
    uint64_t value[WTR_SLOTS];
    uint64_t naming[WTR_SLOTS];
    wtr_view columns[COLUMNS];
    uint64_t ids, names; /* how many were introduced, and how many there are to introduce */
    uint64_t id_count, name_count;
    canon_ref *refs; /* of the group's events, one behind the other */
    uint32_t ref_count, ref_room;
    uint32_t again_count;
    uint32_t again[WTR_GROUP_EVENTS]; /* by place: the event of the group that brought a payload */
} wtr_decoder;

static int room_for(wtr_group *g, size_t words)
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
    return 1;
}

static int room_for_events(wtr_group *g, size_t events)
{
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

static inline uint64_t take_varint(wtr_view *v)
{
    if (v->at < v->end && *v->at < 0x80) {
        return *v->at++;
    }
    return wtr_take_varint(v);
}

static inline uint64_t take_scalar(wtr_decoder *d, uint32_t slot)
{
    return d->value[slot] += wtr_unzigzag(take_varint(&d->columns[COL_WORDS]));
}

static uint64_t u64_at(const wtr_view *v, uint64_t at)
{
    uint64_t value;
    memcpy(&value, v->at + at, 8); /* events are little-endian, as the file is */
    return value;
}

/* An identity; 1 + its place in *place. */
static inline uint64_t take_id(wtr_decoder *d, uint32_t slot)
{
    uint64_t token = take_varint(&d->columns[COL_IDS]);
    uint64_t place = token == 0 ? d->value[slot] : token == 1 ? ++d->ids : token - 1;
    if (place == 0 || place > d->ids || d->ids > d->id_count) {
        d->columns[COL_IDS].bad = 1;
        return 0;
    }
    d->value[slot] = place;
    return u64_at(&d->columns[COL_DICTIONARY], (place - 1) * 8);
}

static int keep_ref(wtr_decoder *d, uint32_t place, uint64_t name)
{
    if (d->ref_count == d->ref_room) {
        uint32_t room = d->ref_room * 2;
        canon_ref *more = realloc(d->refs, room * sizeof *more);
        if (!more) {
            return 0;
        }
        d->refs = more;
        d->ref_room = room;
    }
    d->refs[d->ref_count++] = (canon_ref){
        .place = place,
        .name = u64_at(&d->columns[COL_PLACES], (name - 1) * 16),
        .base = u64_at(&d->columns[COL_PLACES], (name - 1) * 16 + 8),
    };
    return 1;
}

static inline uint64_t take_named(wtr_decoder *d, uint32_t slot, uint32_t place)
{
    uint64_t word = take_scalar(d, slot);
    uint64_t token = take_varint(&d->columns[COL_NAMES]);
    uint64_t name = token == 0 ? d->naming[slot] : token - 1;
    d->naming[slot] = name;
    if (name > d->name_count || (name != 0 && !keep_ref(d, place, name))) {
        d->columns[COL_NAMES].bad = 1;
    }
    return word;
}

/* A text's bytes behind its length; 0 where they are not there. */
static int take_text(wtr_group *g, size_t at, uint64_t length)
{
    const uint8_t *bytes = wtr_take(&g->decoder->columns[COL_TEXT], length);
    size_t words = (size_t)((length + 7) / 8);
    if (!bytes || !room_for(g, at - g->words_used + words)) {
        return 0;
    }
    if (words > 0) {
        g->words[at + words - 1] = 0;
        memcpy(&g->words[at], bytes, (size_t)length);
    }
    return 1;
}

/* The payload of an event that is what its row says, from `at` in the arena on. Returns how many
 * words it has, SIZE_MAX where the columns do not give it. */
static size_t take_fields(wtr_group *g, const canon_kind *kind, uint32_t number, int canonical,
                          size_t start)
{
    wtr_decoder *d = g->decoder;
    uint32_t slots = wtr_slots(number, 0), at = 0;
    for (uint32_t i = 0; i < kind->count; i++) {
        int named = canonical && !kind->apart[i];
        uint32_t slot = wtr_slot(slots, at);
        if (!room_for(g, start - g->words_used + at + 1)) {
            return SIZE_MAX;
        }
        uint64_t *to = &g->words[start + at++], count;
        switch (kind->shape[i]) {
        case CANON_ID:
            *to = take_id(d, slot);
            if (i == 0) {
                slots = wtr_slots(number, d->value[slot]);
            }
            break;
        case CANON_POINTER:
            *to = named ? take_named(d, slot, at - 1) : take_scalar(d, slot);
            break;
        case CANON_TEXT:
            count = *to = take_scalar(d, slot);
            if (count > (uint64_t)WTR_MAX_EVENT_WORDS * 8 || !take_text(g, start + at, count)) {
                return SIZE_MAX;
            }
            at += (uint32_t)((count + 7) / 8);
            break;
        case CANON_WORDS:
        case CANON_IDS:
        case CANON_POINTERS:
            count = *to = take_scalar(d, slot);
            if (count > WTR_MAX_EVENT_WORDS ||
                !room_for(g, start - g->words_used + at + (size_t)count)) {
                return SIZE_MAX;
            }
            for (uint32_t end = at + (uint32_t)count; at < end; at++) {
                slot = wtr_slot(slots, at);
                g->words[start + at] = kind->shape[i] == CANON_IDS ? take_id(d, slot)
                                       : kind->shape[i] == CANON_POINTERS && named
                                           ? take_named(d, slot, at)
                                           : take_scalar(d, slot);
            }
            break;
        default:
            *to = take_scalar(d, slot);
            break;
        }
    }
    return at;
}

static size_t take_loose(wtr_group *g, uint64_t count, size_t start)
{
    if (count > WTR_MAX_EVENT_WORDS || !room_for(g, start - g->words_used + (size_t)count)) {
        return SIZE_MAX;
    }
    for (uint32_t i = 0; i < count; i++) {
        g->words[start + i] = take_scalar(g->decoder, wtr_slot(wtr_slots(0, 0), i));
    }
    return (size_t)count;
}

/* The next event's payload is one from before: takes which; 0 where there is none. */
static int take_again(wtr_group *g, weft_event *event, const struct wtr_place **again)
{
    wtr_decoder *d = g->decoder;
    uint64_t place = take_varint(&d->columns[COL_KIND]);
    if (place >= d->again_count) {
        return 0;
    }
    *again = &g->places[d->again[place]];
    event->kind = ((const weft_event *)&g->words[(*again)->at])->kind;
    return 1;
}

/* The head of the next event; *loose is 1 + its payload's words where that fits no row, else 0;
 * *again the event that has its payload, or NULL. */
static int take_head(wtr_group *g, weft_event *before, uint64_t *sequence, weft_event *event,
                     uint64_t *loose, const struct wtr_place **again)
{
    wtr_decoder *d = g->decoder;
    uint64_t kind = take_varint(&d->columns[COL_KIND]);
    int odd = (int)(kind & 1);
    kind >>= 1;
    *event = (weft_event){
        .kind = (uint16_t)kind,
        .hw = before->hw,
        .thread = before->thread,
        .index = before->index,
        .tid = before->tid,
    };
    *loose = 0;
    *again = NULL;
    if (odd) {
        wtr_view *o = &d->columns[COL_ODD];
        const uint8_t *two = wtr_take(o, 2);
        event->category = two ? two[0] : 0;
        event->hw = two ? two[1] : 0;
        event->index += wtr_unzigzag(take_varint(o));
        uint64_t tid = take_varint(o);
        event->tid = (uint32_t)tid;
        *loose = take_varint(o);
        if (tid > UINT32_MAX || event->category > WEFT_CLASS_LOCAL) {
            return 0;
        }
    }
    if (kind == 0 && *loose == 0 && !take_again(g, event, again)) {
        return 0;
    }
    const weft_event_kind *row = kind <= UINT16_MAX ? weft_event_kind_of(event->kind) : NULL;
    if (!odd) {
        event->category = row ? row->category : WEFT_CLASS_LOCAL;
    }
    event->sequence = *sequence + wtr_unzigzag(take_varint(&d->columns[COL_SEQUENCE]));
    event->tick = before->tick + wtr_unzigzag(take_varint(&d->columns[COL_TICK]));
    event->cycle = before->cycle + wtr_unzigzag(take_varint(&d->columns[COL_CYCLE]));
    *sequence = event->sequence + 1;
    *before = *event;
    before->index += event->category == WEFT_CLASS_GUEST;
    return kind <= UINT16_MAX && (*loose > 0 || row);
}

/* A payload from before, once more; what class its event is of decides on its names. */
static size_t take_same(wtr_group *g, const struct wtr_place *from, const weft_event *event,
                        size_t start)
{
    const weft_event *earlier = (const weft_event *)&g->words[from->at];
    size_t count = earlier->size / 8 - sizeof *earlier / 8, at = from->at;
    if (earlier->category != event->category || !room_for(g, start - g->words_used + count)) {
        return SIZE_MAX;
    }
    memcpy(&g->words[start], &g->words[at + sizeof *earlier / 8], count * 8);
    return count;
}

/* Decodes the events; NULL, or what a column says that cannot be. */
static const char *take_events(wtr_group *g, const canon_kind *kinds, int hashed, wtr_block *b)
{
    wtr_decoder *d = g->decoder;
    weft_event before = {.thread = b->thread, .hw = WEFT_HW_NONE}, event;
    const size_t head = sizeof(weft_event) / 8;
    const size_t limit = WTR_GROUP_WORDS + (size_t)WTR_MAX_EVENT_WORDS +
                         (size_t)WTR_GROUP_EVENTS * head; /* of the whole group */
    uint64_t sequence = b->first, loose, canonical = 0, chain = b->canon_before;
    if (!room_for_events(g, (size_t)b->events)) {
        return "no memory";
    }
    for (uint64_t i = 0; i < b->events; i++) {
        const struct wtr_place *again;
        if (!take_head(g, &before, &sequence, &event, &loose, &again) || !room_for(g, head)) {
            return event.kind >= WEFT_EVENT_KIND_END
                       ? "it has a kind that this version does not know"
                       : "its columns do not give its events";
        }
        size_t start = g->words_used + head;
        int has = canon_own_has(&event);
        uint32_t refs = d->ref_count = hashed ? d->ref_count : 0;
        size_t count = again   ? take_same(g, again, &event, start)
                       : loose ? take_loose(g, loose - 1, start)
                               : take_fields(g, &kinds[event.kind], event.kind, has, start);
        if (count > WTR_MAX_EVENT_WORDS || start + count > limit) {
            return "its columns do not give its events";
        }
        event.size = (uint32_t)((head + count) * 8);
        memcpy(&g->words[g->words_used], &event, sizeof event);
        struct wtr_place *place = &g->places[g->events];
        *place = (struct wtr_place){
            .sequence = event.sequence,
            .at = g->words_used,
            .order = g->events,
            .canonical = has ? b->canonical_before + canonical : UINT64_MAX,
            .refs = again ? again->refs : refs,
            .ref_count = again ? again->ref_count : d->ref_count - refs,
            .hash = again ? again->hash : 0,
        };
        canonical += (uint64_t)has;
        if (has && !again && !loose && count <= WTR_AGAIN_WORDS) {
            d->again[d->again_count++] = (uint32_t)g->events;
        }
        if (hashed && has) {
            if (!again &&
                !canon_own_hash(kinds, &g->canon, (const weft_event *)&g->words[place->at],
                                d->refs + refs, place->ref_count, &place->hash)) {
                return "it names what has no name";
            }
            chain = weft_canon_chain(chain, place->hash);
        }
        g->events++;
        g->words_used = start + count;
    }
    if (canonical != b->canonical_count || (hashed && chain != b->canon_chain)) {
        return "its canonical chain does not match";
    }
    return NULL;
}

static int prepare(wtr_group *g)
{
    if (!g->decoder) {
        g->decoder = calloc(1, sizeof *g->decoder);
    }
    if (g->decoder && !g->decoder->refs) {
        g->decoder->ref_room = 64;
        g->decoder->refs = malloc(g->decoder->ref_room * sizeof *g->decoder->refs);
    }
    return g->decoder && g->decoder->refs;
}

const char *wtr_block_read(wtr_group *g, const canon_kind *kinds, const wtr_bytes *raw, int hashed,
                           wtr_block *b)
{
    wtr_view v = {.at = raw->at, .end = raw->at + raw->used};
    uint64_t lengths[COLUMNS], said[2];
    if (!prepare(g)) {
        return "no memory";
    }
    wtr_decoder *d = g->decoder;
    b->thread = wtr_take_u64(&v);
    b->before[0] = wtr_take_u64(&v);
    b->before[1] = wtr_take_u64(&v);
    said[0] = wtr_take_u64(&v);
    said[1] = wtr_take_u64(&v);
    const uint8_t *start = v.at;
    b->canon_before = wtr_take_u64(&v);
    b->canon_chain = wtr_take_u64(&v);
    b->canonical_before = wtr_take_varint(&v);
    b->canonical_count = wtr_take_varint(&v);
    b->events = wtr_take_varint(&v);
    b->first = wtr_take_varint(&v);
    for (int i = 0; i < COLUMNS; i++) {
        lengths[i] = wtr_take_varint(&v);
    }
    for (int i = 0; i < COLUMNS; i++) {
        d->columns[i].at = wtr_take(&v, lengths[i]);
        d->columns[i].end = d->columns[i].at ? d->columns[i].at + lengths[i] : NULL;
        d->columns[i].bad = 0;
    }
    if (v.bad || v.at != v.end) {
        return "its columns do not fill it";
    }
    b->chain[0] = b->before[0];
    b->chain[1] = b->before[1];
    wtr_chain_on(b->chain, start, (size_t)(v.end - start));
    if (b->chain[0] != said[0] || b->chain[1] != said[1]) {
        return "its digest does not match";
    }
    if (b->events == 0 || b->events > WTR_GROUP_EVENTS ||
        g->events + b->events > WTR_GROUP_EVENTS) {
        return "it has more events than a group may have";
    }
    memset(d->value, 0, sizeof d->value);
    memset(d->naming, 0, sizeof d->naming);
    d->ids = 0;
    d->again_count = 0;
    d->id_count = lengths[COL_DICTIONARY] / 8;
    d->name_count = lengths[COL_PLACES] / 16;
    const char *why = take_events(g, kinds, hashed, b);
    for (int i = 0; i < COLUMNS && !why; i++) {
        int whole = i == COL_DICTIONARY || i == COL_PLACES || d->columns[i].at == d->columns[i].end;
        if (d->columns[i].bad || !whole) {
            why = "its columns do not give its events";
        }
    }
    return why;
}

static int by_sequence(const void *a, const void *b)
{
    const struct wtr_place *x = a, *y = b;
    if (x->sequence != y->sequence) {
        return x->sequence < y->sequence ? -1 : 1;
    }
    return x->order < y->order ? -1 : x->order > y->order;
}

/* Sequences without a gap, the usual case, find their places without comparing. */
int wtr_group_sort(wtr_group *g)
{
    uint64_t low = UINT64_MAX;
    if (g->events == 0) {
        return 1;
    }
    for (size_t i = 0; i < g->events; i++) {
        low = g->places[i].sequence < low ? g->places[i].sequence : low;
    }
    struct wtr_place *sorted = calloc(g->events, sizeof *sorted);
    if (!sorted) {
        return 0;
    }
    size_t placed = 0;
    for (; placed < g->events; placed++) {
        uint64_t at = g->places[placed].sequence - low;
        if (at >= g->events || sorted[at].order) {
            break;
        }
        sorted[at] = g->places[placed];
        sorted[at].order++;
    }
    if (placed == g->events) {
        memcpy(g->places, sorted, g->events * sizeof *sorted);
    } else {
        qsort(g->places, g->events, sizeof *g->places, by_sequence);
    }
    free(sorted);
    return 1;
}

void wtr_group_empty(wtr_group *g)
{
    g->events = g->words_used = 0;
    if (g->decoder) {
        g->decoder->ref_count = 0;
    }
}

const uint64_t *wtr_group_canon(wtr_group *g, const canon_kind *kinds,
                                const struct wtr_place *place, uint32_t *count)
{
    uint64_t hash;
    if (place->canonical == UINT64_MAX ||
        !canon_own_hash(kinds, &g->canon, (const weft_event *)&g->words[place->at],
                        g->decoder->refs + place->refs, place->ref_count, &hash)) {
        return NULL;
    }
    *count = g->canon.count;
    return g->canon.words;
}

void wtr_group_end(wtr_group *g)
{
    if (g->decoder) {
        free(g->decoder->refs);
        free(g->decoder);
    }
    free(g->canon.words);
    free(g->canon.refs);
    free(g->words);
    free(g->places);
    *g = (wtr_group){0};
}
