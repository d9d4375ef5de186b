/* Pseudo-threads: in whose name the machine's own sources act. Each has a stream of its own in the
 * trace, with tid 0, no hardware thread, and the identity of the text "source:NAME". */
#ifndef WEFT_KERNEL_SOURCE_H
#define WEFT_KERNEL_SOURCE_H

#include "weft/policy.h"

typedef struct kernel kernel;

enum {
    KSOURCE_VBLANK,
    KSOURCE_AUDIO,
    KSOURCE_TIMER, /* time-outs of waits, and timers */
    KSOURCE_IO,
    KSOURCE_CLOCK, /* KeTimeStampBundle: leaves no source.fire, which would be one a millisecond */
    KSOURCE_GPU,   /* whatever is on the clock and not the kernel's; fires without saying so */
    KSOURCE_COUNT,
};

typedef struct ksource {
    uint64_t id;                          /* identity */
    uint64_t fired;                       /* how often so far */
    uint64_t sync_index[WEFT_SYNC_KINDS]; /* its operations so far */
} ksource;

/* Names the pseudo-threads; before the first event. */
void ksource_init(kernel *k);
/* A source's handler begins: until ksource_end, what no thread does is done by it. Leaves
 * source.fire. Answers who acted before, for ksource_end. */
uint64_t ksource_begin(kernel *k, uint32_t source);
/* The same without source.fire. */
uint64_t ksource_act(kernel *k, uint32_t source);
void ksource_end(kernel *k, uint64_t before);
/* The operations so far, by kind, of the source that acts, or of the machine. */
uint64_t *ksource_counts(kernel *k);

#endif
