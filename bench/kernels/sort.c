/* sort.c: quicksort with insertion below 12 elements, then a heap sort of the same numbers. */
#include "kernel.h"

enum { COUNT = 4096 };

static int32_t numbers[COUNT];

static void insertion(int32_t *first, int32_t *last)
{
    for (int32_t *i = first + 1; i <= last; i++) {
        int32_t value = *i, *j = i;
        for (; j > first && j[-1] > value; j--) {
            *j = j[-1];
        }
        *j = value;
    }
}

static void quick(int32_t *first, int32_t *last)
{
    while (last - first >= 12) {
        int32_t pivot = first[(last - first) / 2], *i = first, *j = last;
        while (i <= j) {
            while (*i < pivot) {
                i++;
            }
            while (*j > pivot) {
                j--;
            }
            if (i <= j) {
                int32_t t = *i;
                *i++ = *j;
                *j-- = t;
            }
        }
        quick(first, j);
        first = i;
    }
    insertion(first, last);
}

static void sink(uint32_t root, uint32_t end)
{
    int32_t value = numbers[root];
    for (uint32_t child; (child = 2 * root + 1) < end; root = child) {
        if (child + 1 < end && numbers[child] < numbers[child + 1]) {
            child++;
        }
        if (numbers[child] <= value) {
            break;
        }
        numbers[root] = numbers[child];
    }
    numbers[root] = value;
}

static void heap(void)
{
    for (uint32_t i = COUNT / 2; i-- > 0;) {
        sink(i, COUNT);
    }
    for (uint32_t end = COUNT; --end > 0;) {
        int32_t top = numbers[0];
        numbers[0] = numbers[end];
        numbers[end] = top;
        sink(0, end);
    }
}

static uint32_t filled(uint32_t seed)
{
    for (uint32_t i = 0; i < COUNT; i++) {
        numbers[i] = (int32_t)(draw(&seed) << 8);
    }
    return seed;
}

static uint32_t checked(uint32_t sum)
{
    for (uint32_t i = 1; i < COUNT; i++) {
        sum = mix(sum, (uint32_t)numbers[i]) + (numbers[i - 1] > numbers[i]);
    }
    return sum;
}

KERNEL(sort)
{
    uint32_t sum = 0;
    for (uint32_t round = 0; round < count; round++) {
        filled(round);
        quick(numbers, numbers + COUNT - 1);
        sum = checked(sum);
        filled(round);
        heap();
        sum = checked(sum);
    }
    return sum;
}
