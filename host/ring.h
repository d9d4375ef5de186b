/* ring.h: events on their way from the one writer to the drain thread, lossless.
 *
 * A ring of 64-bit words for one writer and one reader. A record is a weft_event with its payload;
 * where a record would run over the end, a word of zero says that the rest is padding. A writer
 * that finds no room sleeps until the reader has made some: guest time stands still, so nothing
 * changes. */
#ifndef WEFT_HOST_RING_H
#define WEFT_HOST_RING_H

#include <pthread.h>
#include <stdatomic.h>

#include "weft/event.h"

typedef struct ring {
    uint64_t *words;
    uint64_t capacity;                  /* words; a power of two */
    _Alignas(64) _Atomic uint64_t head; /* words ever written */
    _Alignas(64) _Atomic uint64_t tail; /* words ever read */
    _Alignas(64) _Atomic uint32_t reader_sleeps, writer_sleeps;
    int poked;            /* ring_wake was called; under the lock */
    uint64_t stalls;      /* how often the writer had to wait; the writer's */
    pthread_mutex_t lock; /* for sleeping alone */
    pthread_cond_t filled, emptied;
} ring;

void ring_start(ring *r, uint32_t capacity_words);
void ring_end(ring *r);

/* Appends a copy; waits for room. */
void ring_write(ring *r, const weft_event *event);

/* The oldest record, or NULL; it stays in place until ring_release. */
weft_event *ring_peek(ring *r);
void ring_release(ring *r, const weft_event *event);

/* The reader sleeps until something was written, ring_wake was called or the time is over. */
void ring_wait(ring *r, uint32_t milliseconds);
void ring_wake(ring *r);

#endif
