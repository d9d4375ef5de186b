/* One lane of the shader processor, written down from the public descriptions (xenia
 * src/xenia/gpu/ucode.h and the documents it names; soft/exec.h for what is Weft's choice) without a
 * look at speed, to compare with. */
#ifndef TESTS_GPU_ORACLE_H
#define TESTS_GPU_ORACLE_H

#include <stdint.h>

#include "ucode.h"

typedef struct oracle_lane {
    float r[64][4];
    float exports[64][4];
    uint64_t exported;
    int killed;
} oracle_lane;

typedef struct oracle_stage {
    const xenos_program *program;
    const uint32_t *registers;
    const uint8_t *memory;
    uint32_t memory_size;
    uint32_t constant_base, constant_count;
} oracle_stage;

/* Texture fetches give 0; memory is not written. */
void oracle_run(const oracle_stage *stage, oracle_lane *lane);

/* One element of a vertex format. */
void oracle_unpack(const xenos_fetch *fetch, const uint32_t data[4], float out[4]);

#endif
