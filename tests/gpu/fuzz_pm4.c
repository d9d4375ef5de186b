/* Arbitrary bytes as command stream and memory. The input fills the ring from its start, and again
 * guest memory behind it, so that addresses in packets find packets; the fake's clock runs a
 * bounded number of firings, with a register read and write in between. */
#include <stdlib.h>
#include <string.h>

#include "fake.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MEMORY  (1u << 20) /* small, so that ends are near */
#define FIRINGS 200u

/* A swap slot by the input's last 32 bytes: fetch constant, width, height. The magic numbers that a
 * blind search would have to guess (signature, texture type) are given. */
static void swap_slot(fake *f, const uint8_t *data)
{
    uint32_t fetch[6], slot[XENOS_SWAP_SLOT];
    for (uint32_t i = 0; i < 6; i++) {
        fetch[i] = weft_load32(data + i * 4);
    }
    fetch[0] = (fetch[0] & ~UINT32_C(3)) | 2;
    fetch[1] &= data[24] & 0x80 ? 0xFFFFFFFF : 0x0007FFFF; /* else a base within memory */
    uint32_t width = weft_load16(data + 28), height = weft_load16(data + 30);
    xenos_swap_slot((uint8_t *)slot, fetch, fetch[1], width, height);
    f->ops->ring(f->gpu, FAKE_RING, 5);
    memcpy(f->bytes + FAKE_RING, slot, sizeof slot - 4);
    f->ops->register_write(f->gpu, 0x714, XENOS_SWAP_SLOT - 1, f->now);
    fake_settle(f, FIRINGS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 4) {
        return 0;
    }
    fake *f = fake_new_with(MEMORY);

    /* The first two bytes choose the ring's size and where its write pointer goes first. */
    uint32_t log2 = 4 + data[0] % 8;
    uint32_t ring = UINT32_C(1) << (log2 + 3);
    uint32_t first = data[1] * 4u;
    data += 2;
    size -= 2;
    size_t part = size < ring ? size : ring;
    memcpy(f->bytes + FAKE_RING, data, part);
    part = size < MEMORY / 2 ? size : MEMORY / 2;
    memcpy(f->bytes + MEMORY / 2, data, part);
    memcpy(f->bytes, data, part < FAKE_RING ? part : FAKE_RING);
    f->ops->ring(f->gpu, FAKE_RING, log2);
    f->ops->read_pointer_write_back(f->gpu, 0x8000, data[0] & 7);
    f->ops->register_write(f->gpu, 0x714, first, 0);
    fake_settle(f, FIRINGS);
    uint32_t dwords = (uint32_t)(size / 4);
    f->ops->register_write(f->gpu, 0x714, dwords < ring / 4 ? dwords : ring / 4 - 1, f->now);
    for (uint32_t i = 0; i < FIRINGS && f->pending_count > 0; i++) {
        fake_settle(f, 1);
        f->ops->register_read(f->gpu, weft_load16(data + i % (size - 1)), f->now);
        if (i % 16 == 3) {
            f->ops->register_write(f->gpu, weft_load16(data), 0x100, f->now);
            f->ops->vblank(f->gpu, i, f->now);
        }
    }
    if (size >= 32) {
        swap_slot(f, data + size - 32);
    }
    for (uint32_t i = 0; i < f->interrupt_count; i++) {
        if (f->interrupts[i].mask == 0 || f->interrupts[i].mask > 0x3F) {
            abort();
        }
    }
    f->ops->digest(f->gpu);
    fake_delete(f);
    return 0;
}
