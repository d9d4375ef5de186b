/* branch.c: a bytecode machine that runs a random program: a jump table, and branches on data. */
#include "kernel.h"

enum { PROGRAM = 1024 };

static uint8_t program[PROGRAM];

KERNEL(branch)
{
    uint32_t seed = 7, sum = 0;
    for (uint32_t i = 0; i < PROGRAM; i++) {
        program[i] = (uint8_t)(draw(&seed) >> 4);
    }
    for (uint32_t round = 0; round < count; round++) {
        int32_t x = (int32_t)round, y = 1;
        for (uint32_t at = 0; at < PROGRAM; at++) {
            uint32_t code = program[at];
            switch (code & 7) {
            case 0:
                x += y;
                break;
            case 1:
                y ^= x >> 3;
                break;
            case 2:
                if (x > y) {
                    at += code >> 6;
                } else {
                    y++;
                }
                break;
            case 3:
                x = x < 0 ? -x : x - (int32_t)code;
                break;
            case 4:
                if (x & 1 && y & 2) {
                    x = x * 3 + 1;
                } else if (x & 4) {
                    x >>= 1;
                }
                break;
            case 5:
                y = (y & 0xFFFF) + (int32_t)(code >> 3);
                break;
            case 6:
                if ((uint32_t)x % 5 == 0) {
                    y -= x;
                }
                break;
            default:
                x = (int32_t)((uint32_t)x ^ (uint32_t)y << 1);
                break;
            }
        }
        sum = mix(sum, (uint32_t)x + (uint32_t)y);
    }
    return sum;
}
