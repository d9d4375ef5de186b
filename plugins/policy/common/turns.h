/* turns.h: strict priorities, round robin within a priority, nobody starves. What conservative is,
 * and what the policies beside it do where they have nothing else to say. */
#ifndef WEFT_POLICY_TURNS_H
#define WEFT_POLICY_TURNS_H

#include "pick.h"

/* One hardware thread's starved thread, being made up to. */
typedef struct boost {
    uint64_t thread; /* identity; 0: none */
    uint64_t until;  /* tick of the hardware thread at which it ends */
} boost;

typedef struct turns {
    uint64_t quantum; /* ticks */
    uint64_t starve;  /* ticks; 0: never */
    boost boosts[WEFT_HW_COUNT];
} turns;

/* Reads the options below. */
void turns_create(turns *t, const weft_host *host);
/* weft_policy_ops.pick_next's answer, -1 where nobody can run. */
int32_t turns_next(turns *t, const weft_sched_view *view, uint32_t hw);
/* Forgets a boost of the thread that ends: identities are not reused, but state should not name what
 * is gone. */
void turns_forget(turns *t, uint64_t thread);
/* weft_policy_ops.save and load: the boosts. Options come back from the profile. */
weft_status turns_save(const turns *t, void *buffer, uint64_t *length);
weft_status turns_load(turns *t, const void *buffer, uint64_t length);

/* Rows of the option table. starve_ms is below the host's own starve_ticks, 100 ms by default. */
#define TURNS_OPTIONS                                                                              \
    {                                                                                              \
        .key = "quantum_ms",                                                                       \
        .type = WEFT_OPTION_INT,                                                                   \
        .default_value = "20",                                                                     \
        .minimum = 1,                                                                              \
        .maximum = 10000,                                                                          \
        .help = "ms of guest time that a thread runs before it goes behind its equals",            \
    },                                                                                             \
    {                                                                                              \
        .key = "starve_ms", .type = WEFT_OPTION_INT, .default_value = "80", .minimum = 0,          \
        .maximum = 100000,                                                                         \
        .help = "a thread ready for so many ms gets one quantum before all others; 0: never",      \
    }

#endif
