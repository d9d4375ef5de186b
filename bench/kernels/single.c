/* single.c: a filter over singles, whose numbers are small integers and quarters, so that each step
 * is exact and the result does not hang on whether multiply and add are contracted. */
#include "kernel.h"

enum { SAMPLES = 512, TAPS = 16 };

static float samples[SAMPLES + TAPS], taps[TAPS], filtered[SAMPLES];

KERNEL(single)
{
    uint32_t seed = 11, sum = 0;
    for (uint32_t i = 0; i < SAMPLES + TAPS; i++) {
        samples[i] = (float)((int32_t)(draw(&seed) & 0x3FF) - 512);
    }
    for (uint32_t i = 0; i < TAPS; i++) {
        taps[i] = (float)((int32_t)(draw(&seed) & 0x1F) - 16) * 0.25f;
    }
    for (uint32_t round = 0; round < count; round++) {
        for (uint32_t i = 0; i < SAMPLES; i++) {
            float y = 0;
            for (uint32_t k = 0; k < TAPS; k++) {
                y += samples[i + k] * taps[k];
            }
            filtered[i] = y > 0 ? y : y * 0.5f;
        }
        for (uint32_t i = 0; i < SAMPLES; i += 32) {
            sum = mix(sum, (uint32_t)(int32_t)(filtered[i] * 8));
        }
        samples[round % SAMPLES] = -samples[(round * 7) % SAMPLES];
    }
    return sum;
}
