/* libmspack as an oracle: an LZX stream wrapped as a cabinet in memory, and decoded by it. */
#ifndef WEFT_TEST_CABINET_H
#define WEFT_TEST_CABINET_H

#include <stdbool.h>

#include "lzx_encode.h"

/*
 * Decodes size bytes of the stream (frames as it says) into out with libmspack's cabinet decoder.
 * False if libmspack finds an error.
 */
bool cabinet_decode(const weft_lzx_stream *stream, uint32_t window, uint8_t *out, size_t size);

#endif
