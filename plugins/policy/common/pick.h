/* pick.h: what several policies ask of a view, and where they get chance from. */
#ifndef WEFT_POLICY_PICK_H
#define WEFT_POLICY_PICK_H

#include "weft/host.h"

#define TICKS_PER_US UINT64_C(1000)
#define TICKS_PER_MS UINT64_C(1000000)

/* Operations that take a critical section or spin lock, as bits of subscribe's answer. */
#define ENTERS (1u << WEFT_SYNC_ENTER | 1u << WEFT_SYNC_ENTER_CONTENDED)

/* READY or RUNNING, and queued on `hw`. */
static inline int pick_can_run(const weft_sched_thread *thread, uint32_t hw)
{
    return thread->hw == hw && thread->state <= WEFT_THREAD_RUNNING;
}

static inline int pick_has_affinity(const weft_sched_thread *thread, uint32_t hw)
{
    return (thread->affinity >> hw & 1) != 0;
}

/* The hardware thread with the least time, then the lowest number, of those that have work. */
static inline uint32_t pick_least_time(const weft_sched_view *view)
{
    uint32_t best = 0, found = 0;
    uint64_t least = 0;
    for (uint32_t i = 0; i < WEFT_HW_COUNT; i++) {
        const weft_sched_hw *hw = weft_view_hw(view, i);
        uint32_t ready = hw->ready > 0, better = ready & (!found | (hw->time < least));
        best = better ? i : best; /* no branch: which one it is is hard to foretell */
        least = better ? hw->time : least;
        found |= ready;
    }
    return best;
}

/* The one of its queue that stood in it longest, whatever the priorities; -1: nobody. */
static inline int32_t pick_first_in_line(const weft_sched_view *view, uint32_t hw)
{
    int32_t best = -1;
    for (uint32_t i = 0; i < view->thread_count; i++) {
        const weft_sched_thread *thread = weft_view_thread(view, i);
        if (pick_can_run(thread, hw) &&
            (best < 0 || thread->order < weft_view_thread(view, (uint32_t)best)->order)) {
            best = (int32_t)i;
        }
    }
    return best;
}

/* Where the kernel would queue it by its affinity. */
static inline uint32_t pick_natural_place(const weft_sched_thread *thread)
{
    for (uint32_t hw = 0; !pick_has_affinity(thread, thread->hw) && hw < WEFT_HW_COUNT; hw++) {
        if (pick_has_affinity(thread, hw)) {
            return hw;
        }
    }
    return thread->hw;
}

/* The record of a thread, or NULL. */
static inline const weft_sched_thread *pick_thread(const weft_sched_view *view, uint64_t id)
{
    for (uint32_t i = 0; i < view->thread_count; i++) {
        const weft_sched_thread *thread = weft_view_thread(view, i);
        if (thread->id == id) {
            return thread;
        }
    }
    return NULL;
}

/* Time of the hardware thread that it is on; 0: it is not there. */
static inline uint64_t pick_time(const weft_sched_view *view, uint64_t id)
{
    const weft_sched_thread *thread = pick_thread(view, id);
    return thread ? weft_view_hw(view, thread->hw)->time : 0;
}

static inline uint64_t pick_add(uint64_t ticks, uint64_t more)
{
    return ticks > UINT64_MAX - more ? UINT64_MAX : ticks + more;
}

/* Chance: the x-th number of a stream is pick_mix(seed + x * PICK_STRIDE). A stream for each purpose
 * keeps a draw for one from shifting those for another (splitmix64: Steele, Lea, Flood, "Fast
 * Splittable Pseudorandom Number Generators", 2014). */
#define PICK_STRIDE UINT64_C(0x9E3779B97F4A7C15)

static inline uint64_t pick_mix(uint64_t x)
{
    x += PICK_STRIDE;
    x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
    return x ^ x >> 31;
}

static inline uint64_t pick_draw(uint64_t seed, uint64_t stream, uint64_t x)
{
    return pick_mix(pick_mix(seed ^ stream << 56) + x * PICK_STRIDE);
}

#endif
