/* store.c: see store.h. */
#include "store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static store_segment *segment_at(store *s, uint32_t number)
{
    return &s->segments[(s->oldest + number) % STORE_SEGMENTS];
}

static void drop_oldest(store *s)
{
    store_segment *oldest = segment_at(s, 0);
    s->events -= oldest->events;
    s->bytes -= oldest->used;
    free(s->spare);
    s->spare = oldest->bytes;
    s->spare_room = oldest->room;
    oldest->bytes = NULL;
    oldest->room = 0;
    s->oldest = (s->oldest + 1) % STORE_SEGMENTS;
    s->count--;
}

void store_start(store *s, const weft_trace_begin *begin, uint64_t wanted, uint64_t limit)
{
    s->wanted = wanted;
    s->limit = limit;
    s->digest_now = begin->digest_now;
    s->names = begin->names;
    s->next_first = begin->first;
    snprintf(s->next_before, sizeof s->next_before, "%s", begin->digest);
    while (s->count > 0) {
        drop_oldest(s);
    }
}

static int is_full(const store *s, const store_segment *segment)
{
    return segment->events >= (s->wanted + STORE_SHARE - 1) / STORE_SHARE ||
           segment->used >= s->limit / STORE_SHARE;
}

static int reserve(store_segment *segment, size_t more)
{
    if (segment->room - segment->used >= more) {
        return 1;
    }
    size_t room = segment->room ? segment->room * 2 : 4096;
    while (room - segment->used < more) {
        room *= 2;
    }
    uint8_t *bytes = realloc(segment->bytes, room);
    if (!bytes) {
        return 0;
    }
    segment->bytes = bytes;
    segment->room = room;
    return 1;
}

int store_add(store *s, const weft_event *event)
{
    if (s->count == 0 || is_full(s, segment_at(s, s->count - 1))) {
        if (s->count == STORE_SEGMENTS) {
            drop_oldest(s);
        }
        store_segment *fresh = segment_at(s, s->count++);
        *fresh = (store_segment){.bytes = s->spare, .room = s->spare_room, .first = s->next_first};
        s->spare = NULL;
        s->spare_room = 0;
        memcpy(fresh->before, s->next_before, sizeof fresh->before);
    }
    store_segment *last = segment_at(s, s->count - 1);
    if (!reserve(last, event->size)) {
        return 0;
    }
    memcpy(last->bytes + last->used, event, event->size);
    last->used += event->size;
    last->events++;
    s->events++;
    s->bytes += event->size;
    if (is_full(s, last)) { /* the digest of now is that of before the next */
        s->next_first = event->sequence + 1;
        s->next_before[0] = 0;
        if (s->digest_now) {
            s->digest_now(s->names, s->next_before);
        }
    }
    while (s->count > 1 &&
           (s->events - segment_at(s, 0)->events >= s->wanted || s->bytes > s->limit)) {
        drop_oldest(s);
    }
    return 1;
}

const weft_event *store_next(const store *s, store_cursor *cursor)
{
    while (cursor->segment < s->count) {
        const store_segment *segment = &s->segments[(s->oldest + cursor->segment) % STORE_SEGMENTS];
        if (cursor->at < segment->used) {
            const weft_event *event = (const weft_event *)(segment->bytes + cursor->at);
            cursor->at += event->size;
            return event;
        }
        cursor->segment++;
        cursor->at = 0;
    }
    return NULL;
}

const store_segment *store_oldest(const store *s)
{
    return s->count > 0 ? &s->segments[s->oldest] : NULL;
}

void store_free(store *s)
{
    for (uint32_t i = 0; i < STORE_SEGMENTS; i++) {
        free(s->segments[i].bytes);
    }
    free(s->spare);
    *s = (store){0};
}
