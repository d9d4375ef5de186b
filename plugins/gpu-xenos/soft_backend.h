/* The software back-end once for each instruction set of the host it was compiled for. Frames do not
 * depend on which one draws: arithmetic is the same operation by operation, only as many lanes at a
 * time as its registers have. */
#ifndef XENOS_SOFT_BACKEND_H
#define XENOS_SOFT_BACKEND_H

#include "draw.h"

typedef struct xenos_soft_set {
    const char *name; /* "plain", "avx2", "avx512" */
    const xenos_backend *backend;
} xenos_soft_set;

/* Those that this host can execute, the fastest first; the last is "plain", which every host can.
 * Returns how many. */
uint32_t xenos_soft_sets(xenos_soft_set sets[3]);

#endif
