/* call.c: recursion, calls through pointers, and functions that save registers. */
#include "kernel.h"

#define CALLED __attribute__((noinline))

typedef struct shape shape;
struct shape {
    uint32_t (*area)(const shape *, uint32_t);
    uint32_t width, height;
    const shape *parts[2];
};

CALLED static uint32_t fibonacci(uint32_t n)
{
    return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

CALLED static uint32_t rectangle(const shape *s, uint32_t scale)
{
    return s->width * s->height + scale;
}

CALLED static uint32_t triangle(const shape *s, uint32_t scale)
{
    return (s->width * s->height >> 1) ^ scale;
}

CALLED static uint32_t group(const shape *s, uint32_t scale)
{
    uint32_t first = s->parts[0]->area(s->parts[0], scale + 1);
    return first + s->parts[1]->area(s->parts[1], first);
}

KERNEL(call)
{
    shape leaf[2] = {{rectangle, 3, 5, {0, 0}}, {triangle, 7, 4, {0, 0}}};
    shape inner[2] = {{group, 0, 0, {&leaf[0], &leaf[1]}}, {group, 0, 0, {&leaf[1], &leaf[1]}}};
    shape root = {group, 0, 0, {&inner[0], &inner[1]}};
    uint32_t sum = 0;
    for (uint32_t round = 0; round < count; round++) {
        sum += fibonacci(10 + (round & 7));
        for (uint32_t i = 0; i < 64; i++) {
            leaf[i & 1].width = sum & 0xFF;
            sum = mix(sum, root.area(&root, i));
        }
    }
    return sum;
}
