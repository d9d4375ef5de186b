/* How a frame gets from VdSwap to the display.
 *
 * A title's D3D reserves 64 dwords in its command stream and calls VdSwap, which fills them and
 * does nothing else: it moves no write pointer and raises no interrupt (LESSONS 65; xenia
 * src/xenia/kernel/xboxkrnl/xboxkrnl_video.cc). The slot, big-endian dwords:
 *
 *     dword  value
 *     0      0x00054800   type 0, 6 registers from 0x4800: fetch constant 0
 *     1..6   the texture fetch constant of the front buffer, with its base a physical address
 *     7      0xC0036400   type 3, opcode 0x64, 4 dwords
 *     8      0x53574150   'SWAP'
 *     9      physical address of the front buffer
 *     10     width, pixels
 *     11     height, pixels
 *     12..63 0x80000000   type 2
 *
 * The command processor executes it like everything else, at its tick. The fetch constant says
 * where and how the pixels lie (base, pitch, tiling, byte order, format, component order), dwords
 * 10 and 11 how many are shown. A swap whose surface does not lie in memory, or has a format that a
 * display cannot show, is logged and is no swap: no frame, no event, no count. */
#ifndef XENOS_SWAP_H
#define XENOS_SWAP_H

#include <stdint.h>

#include "weft/memory.h"

#define XENOS_SWAP_SLOT      64u /* dwords */
#define XENOS_SWAP_SIGNATURE UINT32_C(0x53574150)

/* Fills a slot. `fetch` is the constant in host order, its base physical already. */
static inline void xenos_swap_slot(uint8_t *slot, const uint32_t fetch[6], uint32_t front_buffer,
                                   uint32_t width, uint32_t height)
{
    weft_store32(slot, 0x00054800);
    for (uint32_t i = 0; i < 6; i++) {
        weft_store32(slot + 4 + i * 4, fetch[i]);
    }
    weft_store32(slot + 28, 0xC0036400);
    weft_store32(slot + 32, XENOS_SWAP_SIGNATURE);
    weft_store32(slot + 36, front_buffer);
    weft_store32(slot + 40, width);
    weft_store32(slot + 44, height);
    for (uint32_t i = 12; i < XENOS_SWAP_SLOT; i++) {
        weft_store32(slot + i * 4, 0x80000000);
    }
}

#endif
