/* ring.c: one writer, one reader. Sleeping uses the two-flag handshake: the sleeper sets its flag,
 * then looks again; the other side publishes, then looks at the flag; where it matters both orders
 * are sequentially consistent, so one of the two sees the other. The writer does so at each quarter
 * of the ring, the reader each time it gives back. */
#include "ring.h"

#include <assert.h>
#include <stdlib.h>
#include <time.h>

#include "lock.h"
#include "text.h"

void ring_start(ring *r, uint32_t capacity_words)
{
    assert((uintptr_t)r % _Alignof(ring) == 0); /* or both sides write to one cache line */
    memset(r, 0, sizeof *r);
    r->capacity = capacity_words < RING_LEAST_WORDS ? RING_LEAST_WORDS : capacity_words;
    r->words = text_need((size_t)r->capacity * 8);
    r->room_until = r->capacity;
    r->look_at = r->capacity / 4;
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->filled, &attributes);
    pthread_cond_init(&r->emptied, &attributes);
    pthread_condattr_destroy(&attributes);
}

void ring_end(ring *r)
{
    pthread_cond_destroy(&r->filled);
    pthread_cond_destroy(&r->emptied);
    pthread_mutex_destroy(&r->lock);
    free(r->words);
    r->words = NULL;
}

/* The tail that was seen last may be old: looks again, and sleeps only when that does not do. */
void ring_make_room(ring *r, uint64_t head, uint64_t words)
{
    uint64_t tail = atomic_load_explicit(&r->tail, memory_order_acquire);
    if (r->capacity - (head - tail) < words) {
        r->stalls++;
        ring_wake(r);
        leaf_take(&r->lock, "ring");
        atomic_store(&r->writer_sleeps, 1);
        while (r->capacity - (head - (tail = atomic_load(&r->tail))) < words) {
            pthread_cond_wait(&r->emptied, &r->lock);
        }
        atomic_store(&r->writer_sleeps, 0);
        leaf_give(&r->lock);
    }
    r->room_until = tail + r->capacity;
}

void ring_look(ring *r, uint64_t head)
{
    uint64_t quarter = r->capacity / 4;
    uint64_t tail = atomic_load_explicit(&r->tail, memory_order_acquire);
    r->room_until = tail + r->capacity;
    r->look_at = tail + quarter;
    if (head < r->look_at) {
        return;
    }
    r->look_at = head + quarter;
    atomic_store(&r->head, head); /* as it is; now in the one order of both handshakes */
    if (atomic_load(&r->reader_sleeps)) {
        r->wakes++;
        ring_wake(r);
    }
}

/* A sleeping writer is woken when half of the ring is free, not for each record's room. The reader
 * sleeps with less than a quarter in the ring only, so that half always comes. */
void ring_give_back(ring *r)
{
    atomic_store(&r->tail, r->at);
    if (atomic_load(&r->writer_sleeps) && ring_head(r) - r->at <= r->capacity / 2) {
        leaf_take(&r->lock, "ring");
        pthread_cond_signal(&r->emptied);
        leaf_give(&r->lock);
    }
}

void ring_wait(ring *r, uint32_t milliseconds)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += (long)(milliseconds % 1000) * 1000000;
    until.tv_sec += milliseconds / 1000 + until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    leaf_take(&r->lock, "ring");
    atomic_store(&r->reader_sleeps, 1);
    if (!r->poked && atomic_load(&r->head) - r->at < r->capacity / 4) {
        pthread_cond_timedwait(&r->filled, &r->lock, &until);
    }
    r->poked = 0;
    atomic_store(&r->reader_sleeps, 0);
    leaf_give(&r->lock);
}

void ring_wake(ring *r)
{
    leaf_take(&r->lock, "ring");
    r->poked = 1;
    pthread_cond_signal(&r->filled);
    leaf_give(&r->lock);
}
