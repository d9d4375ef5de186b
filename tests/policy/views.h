/* views.h: hand-made and random scheduling views. */
#ifndef TESTS_VIEWS_H
#define TESTS_VIEWS_H

#include <string.h>

#include "weft/policy.h"

#define VIEWS_MAX_THREADS 40

/* Records of a later, longer struct: a policy must go by the view's strides. */
typedef struct views_thread_record {
    weft_sched_thread thread;
    uint64_t later_member;
} views_thread_record;

typedef struct views {
    weft_sched_view view;
    weft_sched_thread threads[VIEWS_MAX_THREADS];
    weft_sched_hw hw[WEFT_HW_COUNT];
    views_thread_record strided[VIEWS_MAX_THREADS];
} views;

/* No threads, all times 0. */
static inline void views_init(views *v)
{
    memset(v, 0, sizeof *v);
    v->view = (weft_sched_view){
        .size = sizeof v->view,
        .thread_stride = sizeof v->threads[0],
        .hw_stride = sizeof v->hw[0],
        .next_deadline = UINT64_MAX,
        .threads = v->threads,
        .hw = v->hw,
    };
    for (int i = 0; i < WEFT_HW_COUNT; i++) {
        v->hw[i].current = -1;
    }
}

/* Adds a READY thread that may run anywhere; its index. */
static inline uint32_t views_thread(views *v, uint32_t hw, int32_t priority, uint64_t order)
{
    uint32_t i = v->view.thread_count++;
    v->threads[i] = (weft_sched_thread){
        .id = UINT64_C(0xa0) + i,
        .order = order,
        .state = WEFT_THREAD_READY,
        .hw = hw,
        .affinity = 0x3f,
        .priority = priority,
        .tid = i + 1,
    };
    v->hw[hw].ready++;
    return i;
}

/* Makes a thread the one that ran last on its hardware thread. */
static inline void views_run(views *v, uint32_t i)
{
    v->threads[i].state = WEFT_THREAD_RUNNING;
    v->hw[v->threads[i].hw].current = (int32_t)i;
}

/* xorshift64* (Vigna 2014). */
static inline uint64_t views_next(uint64_t *seed)
{
    *seed ^= *seed >> 12;
    *seed ^= *seed << 25;
    *seed ^= *seed >> 27;
    return *seed * UINT64_C(0x2545f4914f6cdd1d);
}

/* Any view that a kernel could show, and some that it should not (affinities that leave out the
 * queue a thread is in, ready_since in the future). Half of them have longer records. */
static inline void views_random(views *v, uint64_t *seed)
{
    views_init(v);
    uint64_t count = views_next(seed) % (VIEWS_MAX_THREADS + 1);
    for (uint64_t i = 0; i < count; i++) {
        uint32_t hw = (uint32_t)(views_next(seed) % WEFT_HW_COUNT);
        uint32_t at = views_thread(v, hw, (int32_t)(views_next(seed) % 32), views_next(seed) % 64);
        weft_sched_thread *thread = &v->threads[at];
        thread->id = views_next(seed);
        thread->affinity = (uint32_t)(views_next(seed) % 64);
        thread->ready_since = views_next(seed) % 2000000000;
        switch (views_next(seed) % 4) {
        case 0:
            thread->state = WEFT_THREAD_WAITING + (uint32_t)(views_next(seed) % 2);
            v->hw[hw].ready--;
            break;
        case 1:
            if (v->hw[hw].current < 0) {
                views_run(v, at);
            }
            break;
        default:
            break;
        }
    }
    v->view.now = UINT64_MAX;
    for (int i = 0; i < WEFT_HW_COUNT; i++) {
        v->hw[i].time = views_next(seed) % 2000000000;
        if (v->hw[i].ready && v->hw[i].time < v->view.now) {
            v->view.now = v->hw[i].time;
        }
    }
    if (views_next(seed) >> 63) {
        for (uint64_t i = 0; i < count; i++) {
            v->strided[i].thread = v->threads[i];
            v->strided[i].later_member = UINT64_MAX;
        }
        v->view.threads = &v->strided[0].thread;
        v->view.thread_stride = sizeof v->strided[0];
    }
}

/* Whether pick_next may answer so (weft/policy.h). */
static inline int views_legal(const views *v, uint32_t hw, int32_t answer)
{
    return answer >= 0 && (uint32_t)answer < v->view.thread_count && v->threads[answer].hw == hw &&
           v->threads[answer].state <= WEFT_THREAD_RUNNING;
}

#endif
