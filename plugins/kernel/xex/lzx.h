/*
 * LZX as XEX files use it: the variant of Microsoft's cabinet files, as one continuous stream.
 *
 * Sources: Microsoft's "LZX data compression format" (the cabinet SDK) and libmspack's notes on
 * its errors (block lengths are 24 bits; the aligned tree precedes the main tree). Debian's
 * libmspack exports no raw LZX, hence this decoder; tests hold it against libmspack's cabinets.
 *
 * Shape of a stream: little-endian 16-bit words, bits taken from the top of each. A first bit says
 * whether a 32-bit size for E8 translation follows. Then blocks (3 bits of type, 24 bits of
 * length), which run on across frames of 32 KiB of output; after each frame the input realigns to a
 * word. No match crosses the end of a frame or of its block.
 */
#ifndef WEFT_LZX_H
#define WEFT_LZX_H

#include <stddef.h>
#include <stdint.h>

#define WEFT_LZX_WINDOW_MIN 0x8000u
#define WEFT_LZX_WINDOW_MAX 0x200000u
#define WEFT_LZX_FRAME      0x8000u
#define WEFT_LZX_MAX_SLOTS  50u
#define WEFT_LZX_MAIN_MAX   (256u + 8u * WEFT_LZX_MAX_SLOTS)
#define WEFT_LZX_LENGTHS    249u
#define WEFT_LZX_PRETREE    20u
#define WEFT_LZX_ALIGNED    8u
#define WEFT_LZX_MIN_MATCH  2u
#define WEFT_LZX_MAX_MATCH  257u

enum { WEFT_LZX_VERBATIM = 1, WEFT_LZX_ALIGNED_BLOCK = 2, WEFT_LZX_UNCOMPRESSED = 3 };

/* Number of verbatim bits after position slot `slot`. */
static inline unsigned weft_lzx_extra_bits(unsigned slot)
{
    return slot < 4 ? 0 : slot < 36 ? slot / 2 - 1 : 17;
}

/*
 * Fills base[0..slots] with the first formatted offset of each position slot and returns the number
 * of slots of a window: 30 for 32 KiB up to 50 for 2 MiB.
 */
static inline unsigned weft_lzx_slots(uint32_t window, uint32_t base[WEFT_LZX_MAX_SLOTS + 1])
{
    uint32_t position = 0;
    unsigned slot = 0;
    while (slot < WEFT_LZX_MAX_SLOTS && position < window) {
        base[slot] = position;
        position += 1u << weft_lzx_extra_bits(slot);
        slot++;
    }
    base[slot] = position;
    return slot;
}

/*
 * Decodes exactly out_size bytes from in (frames laid end to end). window is a power of two from
 * 32 KiB to 2 MiB. Returns 0, or WEFT_XEX_E_FORMAT with one sentence in err (256 bytes or NULL);
 * the content of out is then undefined. Reads nothing outside in, writes nothing outside out. [any]
 */
int weft_lzx_decode(const uint8_t *in, size_t in_size, uint32_t window, uint8_t *out,
                    size_t out_size, char *err);

#endif
