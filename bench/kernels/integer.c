/* integer.c: linked lists, a state machine, a CRC and a small matrix product: CoreMark's mix. */
#include "kernel.h"

struct node {
    struct node *next;
    int16_t key, data;
};

static struct node nodes[64];
static int16_t a[8][8], b[8][8];

static uint32_t crc16(uint32_t value, uint32_t crc)
{
    for (uint32_t i = 0; i < 16; i++) {
        uint32_t carry = (crc ^ value) & 1;
        crc >>= 1;
        value >>= 1;
        if (carry) {
            crc ^= 0xA001;
        }
    }
    return crc;
}

static struct node *reversed(struct node *list)
{
    struct node *done = 0;
    while (list) {
        struct node *next = list->next;
        list->next = done;
        done = list;
        list = next;
    }
    return done;
}

static uint32_t walk(const struct node *n, int16_t key, uint32_t *found)
{
    uint32_t state = 0;
    for (; n; n = n->next) {
        *found += n->key == key;
        switch (state) {
        case 0:
            state = n->key & 1 ? 1 : 2;
            break;
        case 1:
            state = n->key > 0 ? 0 : 3;
            break;
        case 2:
            state = n->data & 4 ? 3 : 1;
            break;
        default:
            state = 0;
            break;
        }
    }
    return state;
}

static uint32_t products(void)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < 8; i++) {
        for (uint32_t j = 0; j < 8; j++) {
            int32_t dot = 0;
            for (uint32_t k = 0; k < 8; k++) {
                dot += a[i][k] * b[k][j];
            }
            sum += (uint32_t)dot;
        }
    }
    return sum;
}

KERNEL(integer)
{
    uint32_t sum = 0, seed = 1;
    for (uint32_t i = 0; i < 64; i++) {
        nodes[i].next = i + 1 < 64 ? &nodes[i + 1] : 0;
        nodes[i].key = (int16_t)draw(&seed);
        nodes[i].data = (int16_t)i;
        a[i / 8][i % 8] = (int16_t)(draw(&seed) & 0xFFF);
        b[i / 8][i % 8] = (int16_t)(draw(&seed) & 0xFFF);
    }
    for (uint32_t round = 0; round < count; round++) {
        uint32_t found = 0;
        uint32_t state = walk(nodes, (int16_t)round, &found);
        reversed(reversed(nodes));
        sum += products();
        a[round & 7][round >> 3 & 7]++;
        sum = crc16(sum ^ found ^ state, sum);
    }
    return sum;
}
