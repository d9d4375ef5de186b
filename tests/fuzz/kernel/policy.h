/* A policy that answers by a generator: mostly what is legal, now and then what is not. */
#ifndef WEFT_FUZZ_KERNEL_POLICY_H
#define WEFT_FUZZ_KERNEL_POLICY_H

#include "weft/policy.h"

typedef struct fuzz_policy {
    uint64_t state; /* the generator's: the seed */
} fuzz_policy;

const weft_policy_ops *fuzz_policy_ops(void);

#endif
