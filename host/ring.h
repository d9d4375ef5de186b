/* ring.h: events on their way from the one writer to the drain thread, lossless.
 *
 * A ring of 64-bit words for one writer and one reader. A record is a weft_event with its
 * payload; where a record would run over the end, a word of zero says that the rest is padding.
 * A writer that finds no room sleeps until the reader has made some: guest time stands still,
 * so nothing changes.
 *
 * A record is visible as soon as it is written, at the price of one plain store. The reader is
 * not woken for it: it looks by itself every few milliseconds, and a writer wakes it only where
 * the ring is a quarter full. Both sides therefore touch each other's cache lines once in many
 * records. */
#ifndef WEFT_HOST_RING_H
#define WEFT_HOST_RING_H

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "weft/event.h"

#define RING_LEAST_WORDS UINT32_C(2048) /* the longest record fits beside its padding */

typedef struct ring {
    uint64_t *words;
    uint64_t capacity; /* words; a power of two */

    /* the writer's line */
    _Alignas(64) _Atomic uint64_t head; /* words ever written */
    uint64_t room_until; /* head may come this far: the tail as last seen + capacity */
    uint64_t look_at;    /* from here on, see whether the reader should be woken */
    uint64_t stalls;     /* how often the writer had to wait */
    uint64_t wakes;      /* how often it woke the reader */

    /* the reader's line */
    _Alignas(64) _Atomic uint64_t tail; /* words read and given back */
    uint64_t at;                        /* words read */

    _Alignas(64) _Atomic uint32_t reader_sleeps, writer_sleeps;
    int poked;            /* ring_wake was called; under the lock */
    pthread_mutex_t lock; /* for sleeping alone */
    pthread_cond_t filled, emptied;
} ring;

/* `capacity_words` is a power of two, and raised to RING_LEAST_WORDS. */
void ring_start(ring *r, uint32_t capacity_words);
void ring_end(ring *r);

/* The two rare turns of ring_write. */
void ring_make_room(ring *r, uint64_t head, uint64_t words);
void ring_look(ring *r, uint64_t head);

/* Copies a header field by field, as it was filled a moment ago: a wider load has to wait until all
 * the narrow stores have left the store buffer, which takes longer than the rest of ring_write. The
 * volatile keeps the compiler from joining the loads. */
static inline void ring_copy_head(weft_event *to, const weft_event *event)
{
    const volatile weft_event *from = event;
    uint64_t size = from->size, kind = from->kind, category = from->category, hw = from->hw;
    uint64_t tid = from->tid, reserved = from->reserved;
    uint64_t *words = (uint64_t *)to;
    words[0] = size | kind << 32 | category << 48 | hw << 56; /* hosts are little-endian */
    words[6] = tid | reserved << 32;
    to->sequence = event->sequence;
    to->thread = event->thread;
    to->index = event->index;
    to->tick = event->tick;
    to->cycle = event->cycle;
}

/* Appends a copy; waits for room. */
static inline void ring_write(ring *r, const weft_event *event)
{
    uint64_t words = event->size / 8;
    uint64_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
    uint64_t at = head & (r->capacity - 1);
    uint64_t pad = at + words > r->capacity ? r->capacity - at : 0;
    if (head + pad + words > r->room_until) {
        ring_make_room(r, head, pad + words);
    }
    if (pad) {
        r->words[at] = 0; /* no event has size 0 */
        at = 0;
    }
    uint64_t *to = r->words + at;
    const uint64_t *from = (const uint64_t *)event;
    ring_copy_head((weft_event *)to, event);
    for (uint64_t i = sizeof *event / 8; i < words; i++) {
        to[i] = from[i];
    }
    head += pad + words;
    atomic_store_explicit(&r->head, head, memory_order_release);
    if (head >= r->look_at) {
        ring_look(r, head);
    }
}

/* How far the writer has come. */
static inline uint64_t ring_head(const ring *r)
{
    return atomic_load_explicit(&r->head, memory_order_acquire);
}

/* The oldest record that was not read yet, or NULL where `head`, from ring_head, is reached. It
 * stays in place until ring_give_back. */
static inline weft_event *ring_read(ring *r, uint64_t head)
{
    if (r->at == head) {
        return NULL;
    }
    uint64_t at = r->at & (r->capacity - 1);
    if (r->words[at] == 0) {
        r->at += r->capacity - at; /* a record always follows padding */
        at = 0;
    }
    weft_event *event = (weft_event *)&r->words[at];
    r->at += event->size / 8;
    return event;
}

/* The writer may have the room of all that was read. */
void ring_give_back(ring *r);

/* The reader sleeps until the ring is a quarter full, ring_wake was called or the time is over. */
void ring_wait(ring *r, uint32_t milliseconds);
void ring_wake(ring *r);

#endif
