/* Runs under qemu-ppc64: calls import stubs as a title does, compiled for the titles' convention,
 * and writes what arrived in the console's registers and stack slots to its standard output. */
#include <stdint.h>

#include "probe_rows.h"

uint64_t probe_record[PROBE_CALLS][PROBE_CALL];
uint64_t *probe_next = probe_record[0]; /* where probe_capture writes */
void probe_capture(void);

uint32_t Words(uint32_t a, int32_t b, uint32_t c, const void *d);
void PairInside(uint32_t a, uint64_t b, uint32_t c);
uint64_t PairResult(uint64_t a);
uint32_t NineWords(uint32_t a, uint32_t b, uint32_t c, uint32_t d, uint32_t e, uint32_t f,
                   uint32_t g, uint32_t h, int32_t i);
void FivePairs(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e);
void SplitPair(uint32_t a, uint32_t b, uint32_t c, uint32_t d, uint32_t e, uint32_t f, uint32_t g,
               uint64_t h, uint32_t i);
uint64_t PairOnStack(uint32_t a, uint32_t b, uint32_t c, uint32_t d, uint32_t e, uint32_t f,
                     uint32_t g, uint32_t h, uint32_t i, uint64_t j, int32_t k);
uint32_t DoubleInside(uint32_t a, double b, uint32_t c);
uint32_t Variadic(const void *a, ...);

/* What the console's loader does to a thunk: its first two words become a load of r11. */
static void patch(uint32_t *thunk)
{
    uint32_t target = (uint32_t)probe_capture;
    thunk[0] = 0x3D600000u | target >> 16;      /* lis r11,target@h */
    thunk[1] = 0x616B0000u | (target & 0xFFFF); /* ori r11,r11,target@l */
}

#define PATCH(name, signature)                                                                     \
    {                                                                                              \
        extern uint32_t __thunk_##name[];                                                          \
        patch(__thunk_##name);                                                                     \
    }

static uint64_t *slot(unsigned call)
{
    probe_next = probe_record[call];
    return &probe_record[call][PROBE_RESULT];
}

/* A constant is built with its sign in the upper half of the register (lis), a value from memory
 * without: what a stub must not let through is the first for unsigned, the second for signed. */
#define HIGH 0x80000001u
static volatile int32_t minus_two = -2;

void probe_main(void)
{
    PROBE_ROWS(PATCH)
    uint64_t *result;
    result = slot(0);
    *result = Words(HIGH, minus_two, 0xFFFFFFFEu, (const void *)0x90000000u);
    slot(1);
    PairInside(1, 0x1122334455667788u, 3);
    result = slot(2);
    *result = PairResult(0xFEDCBA9876543210u);
    result = slot(3);
    *result = NineWords(1, 2, 3, 4, 5, 6, 7, 8, -9);
    slot(4);
    FivePairs(0x100000001u, 0x200000002u, 0x300000003u, 0x400000004u, 0x500000005u);
    slot(5);
    SplitPair(1, 2, 3, 4, 5, 6, 7, 0x800000008u, 9);
    result = slot(6);
    *result = PairOnStack(1, 2, 3, 4, 5, 6, 7, 8, HIGH, 0xA0000000Au, -11);
    result = slot(7);
    *result = DoubleInside(1, 2.5, 3);
    result = slot(8);
    *result = Variadic((const void *)0xA0000000u, 2, 3, 4, 5, 6, 7, 8, 9, 10, -11, 12);
}
