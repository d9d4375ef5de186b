/* policies.h: the policies of a run beside the profile's own: those of `[policy] swap_at`, and those
 * that weft ctl puts into service. Instances are made and ended on the main thread; the kernel takes
 * them over between two slices (weft/policy.h, "policy/1"). One that goes out of service is ended,
 * and its library unloaded where no other instance needs it. */
#ifndef WEFT_HOST_POLICIES_H
#define WEFT_HOST_POLICIES_H

#include "run.h"

typedef struct policy_instance {
    part part; /* must be first */
    profile_section section;
    weft_policy_exchange exchange;
    uint64_t slices;            /* given out before it took over */
    _Atomic uint64_t took_over; /* how many had before it, + 1; 0: it is not in service yet */
    struct policy_instance *next;
} policy_instance;

/* Told once an exchange is over. */
typedef void (*policies_told)(void *context, const policy_instance *now, const char *before);

typedef struct policies {
    policy_instance *list;    /* all that live */
    policy_instance *serving; /* NULL: the profile's own */
    uint64_t seen;            /* exchanges that were looked after */
    _Atomic uint64_t done;    /* exchanges that the kernel has made */
    const weft_policy_extension *kernel;
    void *kernel_instance;

    policy_instance **steps; /* of swap_at */
    size_t step_count;
    _Atomic size_t step; /* the guest's: the one that is waited for */
    int submitted;       /* the guest's: the kernel has it */

    policy_instance *swapping; /* asked for by ctl, on its way */
    policies_told told;
    void *context;
} policies;

/* Once all parts are made: makes the policies of swap_at. -1 after printing an error. */
int policies_start(run *r);

/* An instance that is not in service yet. NULL after adding to `list`, with the exit code in *code. */
policy_instance *policies_make(run *r, const tracer_wish *wish, errors *list, int *code);
void policies_drop(run *r, policy_instance *p);

/* Asks the kernel to take it over. -1: another one is on its way. */
int policies_swap_begin(run *r, policy_instance *next, policies_told told, void *context);

/* Looks after what the kernel has exchanged. */
void policies_pump(run *r);

/* A frame was shown: swap_at may wait for it. [guest] */
void policies_frame(run *r);

/* Id of the one in service. */
const char *policies_id(run *r);
/* Whether it was ejected, so that the built-in one serves. */
int policies_ejected(run *r);

/* After the run, while the kernel still is. What swap_at waited for in vain is told. */
void policies_end_run(run *r);
/* Once the kernel is no more. */
void policies_free(run *r);

#endif
