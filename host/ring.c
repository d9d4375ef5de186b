/* ring.c: one writer, one reader. Sleeping uses the two-flag handshake: the sleeper sets its flag,
 * then looks again; the other side publishes, then looks at the flag; both orders are sequentially
 * consistent, so one of the two sees the other. */
#include "ring.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "text.h"

void ring_start(ring *r, uint32_t capacity_words)
{
    memset(r, 0, sizeof *r);
    r->capacity = capacity_words;
    r->words = text_need((size_t)capacity_words * 8);
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

static void wait_for_room(ring *r, uint64_t head, uint64_t words)
{
    r->stalls++;
    pthread_mutex_lock(&r->lock);
    atomic_store(&r->writer_sleeps, 1);
    while (r->capacity - (head - atomic_load(&r->tail)) < words) {
        pthread_cond_wait(&r->emptied, &r->lock);
    }
    atomic_store(&r->writer_sleeps, 0);
    pthread_mutex_unlock(&r->lock);
}

void ring_write(ring *r, const weft_event *event)
{
    uint64_t words = event->size / 8;
    uint64_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
    uint64_t at = head & (r->capacity - 1);
    uint64_t pad = at + words > r->capacity ? r->capacity - at : 0;
    uint64_t tail = atomic_load_explicit(&r->tail, memory_order_acquire);
    if (r->capacity - (head - tail) < words + pad) {
        wait_for_room(r, head, words + pad);
    }
    if (pad) {
        r->words[at] = 0; /* no event has size 0 */
        at = 0;
    }
    memcpy(&r->words[at], event, event->size);
    atomic_store(&r->head, head + pad + words);
    if (atomic_load(&r->reader_sleeps)) {
        ring_wake(r);
    }
}

weft_event *ring_peek(ring *r)
{
    uint64_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
    uint64_t head = atomic_load_explicit(&r->head, memory_order_acquire);
    if (tail == head) {
        return NULL;
    }
    uint64_t at = tail & (r->capacity - 1);
    if (r->words[at] == 0) {
        atomic_store(&r->tail, tail + (r->capacity - at)); /* a record always follows padding */
        at = 0;
    }
    return (weft_event *)&r->words[at];
}

void ring_release(ring *r, const weft_event *event)
{
    uint64_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
    atomic_store(&r->tail, tail + event->size / 8);
    if (atomic_load(&r->writer_sleeps)) {
        pthread_mutex_lock(&r->lock);
        pthread_cond_signal(&r->emptied);
        pthread_mutex_unlock(&r->lock);
    }
}

void ring_wait(ring *r, uint32_t milliseconds)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += (long)(milliseconds % 1000) * 1000000;
    until.tv_sec += milliseconds / 1000 + until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&r->lock);
    atomic_store(&r->reader_sleeps, 1);
    if (!r->poked &&
        atomic_load(&r->head) == atomic_load_explicit(&r->tail, memory_order_relaxed)) {
        pthread_cond_timedwait(&r->filled, &r->lock, &until);
    }
    r->poked = 0;
    atomic_store(&r->reader_sleeps, 0);
    pthread_mutex_unlock(&r->lock);
}

void ring_wake(ring *r)
{
    pthread_mutex_lock(&r->lock);
    r->poked = 1;
    pthread_cond_signal(&r->filled);
    pthread_mutex_unlock(&r->lock);
}
