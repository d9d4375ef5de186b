/* Arbitrary RB_ and PA_ registers, pixels and resolves: nothing outside EDRAM and memory is touched.
 * Input: bytes of registers 0x2000..0x23FF, then of a block of pixels; short input is repeated. */
#include <stdlib.h>
#include <string.h>

#include "registers.h"
#include "soft/rop.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void *aligned(size_t size)
{
    size = (size + 63) & ~(size_t)63;
    return memset(aligned_alloc(64, size), 0, size);
}

/* `length` bytes of the input from `at` on, going round. */
static void take(void *out, size_t length, const uint8_t *data, size_t size, size_t at)
{
    for (size_t i = 0; i < length; i++) {
        ((uint8_t *)out)[i] = data[(at + i) % size];
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const size_t memory_size = 1u << 20;
    if (size == 0 || size > 1u << 14) {
        return 0;
    }
    uint32_t *registers = calloc(XENOS_REGISTER_COUNT, 4);
    uint8_t *edram = calloc(1, XENOS_EDRAM_BYTES);
    uint8_t *bytes = calloc(1, memory_size);
    soft_rop *rop = aligned(soft_rop_size());
    soft_fragment *fragment = aligned(sizeof *fragment);
    xenos_counts counts = {0};
    xenos_program pixel;
    xenos_resolved done;
    const xenos_memory memory = {.bytes = bytes, .size = (uint32_t)memory_size};

    take(registers + 0x2000, 0x1000, data, size, 0);
    take(fragment, sizeof *fragment, data, size, 0x1000);
    take(bytes, 4096, data, size, 7);
    memset(&pixel, 0, sizeof pixel);
    pixel.exports = data[0];
    fragment->x &= 0x3FFC;
    fragment->y &= 0x3FFC;
    for (int s = 0; s < 4; s++) {
        fragment->coverage[s] &= SOFT_ALL;
    }
    registers[XENOS_RB_MODECONTROL] = 4;
    soft_rop_prepare(rop, registers, data[size / 2] & 1 ? &pixel : NULL, edram);
    soft_rop_alpha(rop, fragment);
    soft_rop_depth(rop, fragment, &counts);
    soft_rop_color(rop, fragment, data[size - 1]);
    registers[XENOS_CONSTANT_FETCH] = 3;
    registers[XENOS_CONSTANT_FETCH + 1] = 6u << 2 | (data[0] & 3);
    soft_resolve(registers, edram, &memory, NULL, &done);
    if (done.start > memory_size || done.length > memory_size - done.start) {
        abort();
    }
    free(registers);
    free(edram);
    free(bytes);
    free(rop);
    free(fragment);
    return 0;
}
