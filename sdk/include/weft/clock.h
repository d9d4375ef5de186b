/* weft/clock.h: guest time, and the queue of what happens when.
 *
 * A tick is 1 ns of guest time since power-on. Nothing in lockstep mode reads a host clock: time is
 * what the kernel's scheduler says it is, and everything periodic or delayed (vblank, timers, DPC
 * deadlines, file completion, the GPU's command processor) is a source here. Events are ordered by
 * (tick, source rank, order of scheduling). */
#ifndef WEFT_CLOCK_H
#define WEFT_CLOCK_H

#include "plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

#define WEFT_TICKS_PER_SECOND UINT64_C(1000000000)
#define WEFT_TICK_NEVER       UINT64_MAX

/* Ranks: which source goes first at equal ticks. Lower first; equal ranks by source id. */
#define WEFT_RANK_TIMER  UINT32_C(10) /* wait deadlines and kernel timers */
#define WEFT_RANK_IO     UINT32_C(20) /* file and device completion */
#define WEFT_RANK_GPU    UINT32_C(30) /* command processor */
#define WEFT_RANK_VBLANK UINT32_C(40) /* display */
#define WEFT_RANK_AUDIO  UINT32_C(50)
#define WEFT_RANK_HOST   UINT32_C(90) /* limits, ctl */

/* Runs when its tick has come, between slices. It may schedule, also at the same tick. [guest] */
typedef void (*weft_clock_fn)(void *context, uint64_t tick, uint64_t argument);

typedef struct weft_clock {
    uint32_t size; /* sizeof(weft_clock) */
    uint32_t reserved;
    void *impl; /* the host's */

    /* Registers a source. `name` lives as long as the clock. *id is small and dense. At most 64.
     * [main][guest] */
    weft_status (*source_add)(struct weft_clock *clock, const char *name, uint32_t rank,
                              weft_clock_fn fn, void *context, uint32_t *id);

    /* Schedules one firing. A tick in the past fires next, at its own tick. Returns a handle for
     * cancel, never 0. [guest] */
    uint64_t (*schedule)(struct weft_clock *clock, uint32_t source, uint64_t tick,
                         uint64_t argument);

    /* Takes a firing back; 1 if it was pending. [guest] */
    int32_t (*cancel)(struct weft_clock *clock, uint64_t handle);

    /* The earliest pending tick, or WEFT_TICK_NEVER. [guest] */
    uint64_t (*next)(struct weft_clock *clock);

    /* Fires everything with tick <= until, in order; also what handlers add meanwhile. Returns the
     * number fired. Only the kernel's scheduler calls it. [guest] */
    uint64_t (*advance)(struct weft_clock *clock, uint64_t until);

    /* The tick of the event being fired, else of the latest `advance`. [guest] */
    uint64_t (*now)(struct weft_clock *clock);
} weft_clock;

WEFT_STATIC_ASSERT(sizeof(weft_clock) == 64, "ABI: weft_clock");

/* The tick of the k-th firing of a source with num/den ticks per period: floor(k*num/den), without
 * overflow for k < 2^40 and num < 2^40. [any] */
static inline uint64_t weft_clock_periodic(uint64_t k, uint64_t num, uint64_t den)
{
    return k / den * num + k % den * num / den;
}

#ifdef __cplusplus
}
#endif
#endif
