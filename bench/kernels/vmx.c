/* vmx.c: skinning: each vertex goes through a blend of two 3x4 matrices, four lanes at a time.
 * Small integers and eighths keep every step exact, whether multiply and add are contracted or not.
 */
#include "kernel.h"

typedef float lanes __attribute__((vector_size(16)));

enum { VERTICES = 256, BONES = 16 };

typedef struct bone {
    lanes column[4]; /* x, y, z and the translation */
} bone;

static bone bones[BONES];
static lanes vertices[VERTICES], skinned[VERTICES];
static lanes weights[VERTICES];
static uint8_t first[VERTICES], second[VERTICES];

static inline lanes all(float f)
{
    return (lanes){f, f, f, f};
}

static void skin(void)
{
    for (uint32_t i = 0; i < VERTICES; i++) {
        const bone *a = &bones[first[i]], *b = &bones[second[i]];
        lanes w = weights[i], v = vertices[i];
        lanes x = all(v[0]), y = all(v[1]), z = all(v[2]);
        lanes p = a->column[0] * x + a->column[3];
        lanes q = b->column[0] * x + b->column[3];
        p = a->column[1] * y + p;
        q = b->column[1] * y + q;
        p = a->column[2] * z + p;
        q = b->column[2] * z + q;
        skinned[i] = (p - q) * w + q;
    }
}

KERNEL(vmx)
{
    uint32_t seed = 13, sum = 0;
    for (uint32_t i = 0; i < BONES; i++) {
        for (uint32_t k = 0; k < 16; k++) {
            bones[i].column[k / 4][k % 4] = (float)((int32_t)(draw(&seed) & 15) - 8);
        }
    }
    for (uint32_t i = 0; i < VERTICES; i++) {
        for (uint32_t k = 0; k < 3; k++) {
            vertices[i][k] = (float)((int32_t)(draw(&seed) & 255) - 128);
        }
        weights[i] = all((float)(int32_t)(draw(&seed) & 7) * 0.125f);
        first[i] = draw(&seed) & (BONES - 1);
        second[i] = draw(&seed) & (BONES - 1);
    }
    for (uint32_t round = 0; round < count; round++) {
        skin();
        lanes total = all(0);
        for (uint32_t i = 0; i < VERTICES; i++) {
            total += skinned[i];
        }
        bones[round & (BONES - 1)].column[round & 3] =
            -bones[round & (BONES - 1)].column[round & 3];
        for (uint32_t k = 0; k < 3; k++) {
            sum = mix(sum, (uint32_t)(int32_t)(total[k] * 8));
        }
    }
    return sum;
}
