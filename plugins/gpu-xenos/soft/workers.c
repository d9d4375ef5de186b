/* Threads that take items of a job from a counter. They are made once, and wait in a short spin, then
 * on a condition; the calling thread works too and returns when the last item is done. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "soft.h"

#define MOST  16u
#define SPINS 4000u

typedef struct thread {
    pthread_t id;
    struct soft_workers *owner;
    uint32_t index;
} thread;

struct soft_workers {
    uint32_t count; /* with the caller, who is worker 0 */
    soft_worker *worker[MOST];
    thread threads[MOST];
    pthread_mutex_t lock;
    pthread_cond_t wake, done;
    soft_job job;
    void *context;
    uint32_t items;
    uint32_t busy; /* under the lock: threads that have not finished the round */
    int stop;
    atomic_uint next;
    atomic_uint round;
};

static void take(soft_workers *w, soft_worker *worker)
{
    for (;;) {
        uint32_t item = atomic_fetch_add_explicit(&w->next, 1, memory_order_relaxed);
        if (item >= w->items) {
            return;
        }
        w->job(w->context, worker, item);
    }
}

static void *work(void *argument)
{
    thread *self = argument;
    soft_workers *w = self->owner;
    uint32_t seen = 0;
    for (;;) {
        for (uint32_t i = 0; i < SPINS; i++) {
            if (atomic_load_explicit(&w->round, memory_order_relaxed) != seen) {
                break;
            }
        }
        pthread_mutex_lock(&w->lock);
        while (atomic_load_explicit(&w->round, memory_order_relaxed) == seen && !w->stop) {
            pthread_cond_wait(&w->wake, &w->lock);
        }
        seen = atomic_load_explicit(&w->round, memory_order_relaxed);
        int stop = w->stop;
        pthread_mutex_unlock(&w->lock);
        if (stop) {
            return NULL;
        }
        take(w, w->worker[self->index]);
        pthread_mutex_lock(&w->lock);
        if (--w->busy == 0) {
            pthread_cond_signal(&w->done);
        }
        pthread_mutex_unlock(&w->lock);
    }
}

soft_workers *soft_workers_new(uint32_t threads)
{
    if (threads == 0) {
        long cores = sysconf(_SC_NPROCESSORS_ONLN);
        threads = cores < 1 ? 1 : cores > 8 ? 8 : (uint32_t)cores;
    }
    threads = threads > MOST ? MOST : threads;
    soft_workers *w = calloc(1, sizeof *w);
    if (!w) {
        return NULL;
    }
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->wake, NULL);
    pthread_cond_init(&w->done, NULL);
    for (uint32_t i = 0; i < threads; i++) {
        size_t bytes = (sizeof(soft_worker) + 63) & ~(size_t)63;
        w->worker[i] = aligned_alloc(64, bytes);
        if (!w->worker[i]) {
            soft_workers_free(w);
            return NULL;
        }
        memset(w->worker[i], 0, bytes);
    }
    /* A thread that the host does not give is one fewer; the picture is the same. */
    w->count = 1;
    for (uint32_t i = 1; i < threads; i++) {
        w->threads[i] = (thread){.owner = w, .index = i};
        if (pthread_create(&w->threads[i].id, NULL, work, &w->threads[i]) != 0) {
            break;
        }
        w->count = i + 1;
    }
    return w;
}

void soft_workers_free(soft_workers *w)
{
    if (!w) {
        return;
    }
    pthread_mutex_lock(&w->lock);
    w->stop = 1;
    pthread_cond_broadcast(&w->wake);
    pthread_mutex_unlock(&w->lock);
    for (uint32_t i = 1; i < w->count; i++) {
        pthread_join(w->threads[i].id, NULL);
    }
    for (uint32_t i = 0; i < MOST; i++) {
        free(w->worker[i]);
    }
    pthread_cond_destroy(&w->done);
    pthread_cond_destroy(&w->wake);
    pthread_mutex_destroy(&w->lock);
    free(w);
}

void soft_workers_run(soft_workers *w, soft_job job, void *context, uint32_t items, int alone)
{
    if (alone || w->count == 1 || items < 2) {
        for (uint32_t i = 0; i < items; i++) {
            job(context, w->worker[0], i);
        }
        return;
    }
    pthread_mutex_lock(&w->lock);
    w->job = job;
    w->context = context;
    w->items = items;
    w->busy = w->count - 1;
    atomic_store_explicit(&w->next, 0, memory_order_relaxed);
    atomic_fetch_add_explicit(&w->round, 1, memory_order_relaxed);
    pthread_cond_broadcast(&w->wake);
    pthread_mutex_unlock(&w->lock);
    take(w, w->worker[0]);
    pthread_mutex_lock(&w->lock);
    while (w->busy != 0) {
        pthread_cond_wait(&w->done, &w->lock);
    }
    pthread_mutex_unlock(&w->lock);
}

uint32_t soft_workers_count(const soft_workers *w)
{
    return w->count;
}

soft_worker *soft_workers_at(soft_workers *w, uint32_t index)
{
    return w->worker[index];
}
