/* A machine with nothing but memory and a command processor, for the benchmarks of the GPU. */
#ifndef BENCH_GPU_SANDBOX_H
#define BENCH_GPU_SANDBOX_H

#include "cp.h"

typedef struct gpu_sandbox {
    weft_host host;
    weft_memory memory;
    weft_machine machine;
    uint64_t wanted[16]; /* kinds of events: none */
    xenos_cp *cp;
    uint32_t frames;
    uint32_t middle; /* of the latest frame */
    uint64_t hash;   /* of its pixels, where `hashes` is set */
    int hashes;
} gpu_sandbox;

/* 0: no memory. */
int gpu_sandbox_begin(gpu_sandbox *s, uint32_t threads);
void gpu_sandbox_end(gpu_sandbox *s);

#endif
