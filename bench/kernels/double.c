/* double.c: bodies that attract each other: doubles, with a root and a division each pair. Built
 * without contraction, so that every machine rounds alike. */
#include "kernel.h"

enum { BODIES = 5 };

static double position[BODIES][3], speed[BODIES][3], mass[BODIES];

static void pull(uint32_t i, uint32_t j, double step)
{
    double d[3], square = 0.01;
    for (uint32_t k = 0; k < 3; k++) {
        d[k] = position[i][k] - position[j][k];
        square += d[k] * d[k];
    }
    double scale = step / (square * __builtin_sqrt(square));
    for (uint32_t k = 0; k < 3; k++) {
        speed[i][k] -= d[k] * mass[j] * scale;
        speed[j][k] += d[k] * mass[i] * scale;
    }
}

KERNEL(double)
{
    uint32_t seed = 5, sum = 0;
    for (uint32_t i = 0; i < BODIES; i++) {
        for (uint32_t k = 0; k < 3; k++) {
            position[i][k] = (double)(int32_t)(draw(&seed) & 0xFFFF) / 4096;
            speed[i][k] = (double)(int32_t)(draw(&seed) & 0xFF) / 256;
        }
        mass[i] = 1 + (double)(int32_t)i / 4;
    }
    for (uint32_t round = 0; round < count; round++) {
        for (uint32_t i = 0; i < BODIES; i++) {
            for (uint32_t j = i + 1; j < BODIES; j++) {
                pull(i, j, 0.001);
            }
        }
        for (uint32_t i = 0; i < BODIES; i++) {
            for (uint32_t k = 0; k < 3; k++) {
                position[i][k] += speed[i][k] * 0.001;
            }
        }
    }
    for (uint32_t i = 0; i < BODIES; i++) {
        for (uint32_t k = 0; k < 3; k++) {
            sum = mix(sum, (uint32_t)(int32_t)(position[i][k] * 65536));
        }
    }
    return sum;
}
