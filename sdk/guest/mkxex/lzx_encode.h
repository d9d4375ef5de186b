/*
 * An LZX encoder for the streams that lzx.h of the XEX library decodes: hash-chain matching with
 * one step of laziness, repeated offsets, and per block the cheapest of verbatim, aligned and
 * uncompressed. The same input and options give the same bytes.
 */
#ifndef WEFT_LZX_ENCODE_H
#define WEFT_LZX_ENCODE_H

#include <stddef.h>
#include <stdint.h>

typedef struct weft_lzx_options {
    uint32_t window;     /* power of two, 32 KiB to 2 MiB */
    uint32_t block_size; /* input bytes of a block, below 16 MiB; 0 is 64 KiB */
    unsigned block_type; /* WEFT_LZX_VERBATIM, ...; 0 takes the cheapest for each block */
    /*
     * Written as the E8 translation size; 0 writes none. The input is taken as translated already:
     * PowerPC code has no use for it, tests of decoders have.
     */
    uint32_t e8_size;
} weft_lzx_options;

/* One stream. frame_ends[i] is the offset behind frame i; cabinets and XEX files store frames
 * apart. */
typedef struct weft_lzx_stream {
    uint8_t *bytes;
    size_t size;
    size_t *frame_ends;
    uint32_t frame_count;
} weft_lzx_stream;

/* 0, or -1 without memory. The caller ends with weft_lzx_stream_free. [any] */
int weft_lzx_encode(const uint8_t *in, size_t size, const weft_lzx_options *options,
                    weft_lzx_stream *out);
void weft_lzx_stream_free(weft_lzx_stream *stream);

#endif
