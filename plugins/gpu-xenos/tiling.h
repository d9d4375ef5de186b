/* Tiled surfaces: where a block of a texture or render target lies in memory.
 *
 * Facts for both kinds: xenia src/xenia/gpu/texture_address.h, after crunch's crn_decomp.h and AMD's AddrLib. A
 * surface is rows of macro tiles of 32x32 blocks; a block is one texel, or 4x4 texels of a
 * compressed format. Pitch and height are rounded up to 32 blocks. Within a macro tile the low bits
 * of x and y are spread over the address so that neighbours fall into different memory channels:
 *
 *     bits 3:0   bits 3:0 of I      I = (macro tile * 64 + y[3:1] * 8 + x[2:0]) * bytes per block
 *     bit  4     y[0]
 *     bit  5     bit 4 of I
 *     bits 7:6   x[4] ^ y[3], x[3]  (pipe)
 *     bits 10:8  bits 7:5 of I
 *     bit  11    y[4]               (bank)
 *     bits 12..  bits 8.. of I
 *
 * Volumes have macro tiles of 32x16x4 blocks, in rows along x, then y, then z; four slices lie
 * together, and the next four have their pipes and banks exchanged:
 *
 *     I = (macro tile * 128 + z[1:0] * 32 + y[2:1] * 8 + x[2:0]) * bytes per block
 *     bits 7:6   x[4] ^ y[3] ^ z[2], x[3]
 *     bit  11    y[3] ^ z[2]
 */
#ifndef XENOS_TILING_H
#define XENOS_TILING_H

#include <stdint.h>

#define XENOS_TILE       32u /* blocks; alignment of pitch and height */
#define XENOS_TILE_DEPTH 4u  /* slices; alignment of a volume's depth */

/* Rounds blocks up to whole macro tiles. */
static inline uint32_t xenos_tile_align(uint32_t blocks)
{
    return (blocks + XENOS_TILE - 1) & ~(XENOS_TILE - 1);
}

/* Byte offset of block (x, y). `pitch` is in blocks, a multiple of 32; `bytes_log2` is 0..4 (1 to
 * 16 bytes per block). x, y, pitch < 2^14. */
uint64_t xenos_tiled_offset(uint32_t x, uint32_t y, uint32_t pitch, uint32_t bytes_log2);

/* Byte offset of block (x, y, z) of a volume. `pitch` and `height` are in blocks, multiples of 32. */
uint64_t xenos_tiled_offset_3d(uint32_t x, uint32_t y, uint32_t z, uint32_t pitch, uint32_t height,
                               uint32_t bytes_log2);

/* The way back, for an offset that is a multiple of the block's size. */
void xenos_tiled_position(uint64_t offset, uint32_t pitch, uint32_t bytes_log2, uint32_t *x,
                          uint32_t *y);

/* Copies width x height blocks out of a tiled surface into rows of `out_stride` bytes, or back into
 * it. The surface has `size` bytes; 0 when a block would lie outside, and nothing is copied then.
 */
int xenos_untile(uint8_t *out, uint64_t out_stride, const uint8_t *tiled, uint64_t size,
                 uint32_t pitch, uint32_t width, uint32_t height, uint32_t bytes_log2);
int xenos_tile(uint8_t *tiled, uint64_t size, const uint8_t *in, uint64_t in_stride, uint32_t pitch,
               uint32_t width, uint32_t height, uint32_t bytes_log2);

/* Bytes from the surface's start that blocks 0..width x 0..height may reach: exact from 4 bytes per
 * block on, else up to the end of the last 4 KiB page, to which surfaces are aligned anyway. */
uint64_t xenos_tiled_extent(uint32_t pitch, uint32_t width, uint32_t height, uint32_t bytes_log2);

#endif
