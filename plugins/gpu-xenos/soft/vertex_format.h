/* Vertex formats: from the dwords that a vertex fetch reads to x, y, z, w. Layouts: xenia
 * src/xenia/gpu/xenos.h VertexFormat, shader_interpreter.cc; x is in the lowest bits.
 *
 * Choices where those are silent:
 * - Normalised values are the exact quotient, rounded once.
 * - Components that a format does not have are 0, and so is all of a format that does not exist.
 * - Halves have no infinities and NaN (the console's extended range, to 131008); denormal ones are 0. */
#ifndef SOFT_VERTEX_FORMAT_H
#define SOFT_VERTEX_FORMAT_H

#include <stdint.h>

#include "../ucode.h"
#include "lanes.h"

enum {
    SOFT_VERTEX_8_8_8_8 = 6,
    SOFT_VERTEX_2_10_10_10 = 7,
    SOFT_VERTEX_10_11_11 = 16,
    SOFT_VERTEX_11_11_10 = 17,
    SOFT_VERTEX_16_16 = 25,
    SOFT_VERTEX_16_16_16_16 = 26,
    SOFT_VERTEX_16_16_FLOAT = 31,
    SOFT_VERTEX_16_16_16_16_FLOAT = 32,
    SOFT_VERTEX_32 = 33,
    SOFT_VERTEX_32_32 = 34,
    SOFT_VERTEX_32_32_32_32 = 35,
    SOFT_VERTEX_32_FLOAT = 36,
    SOFT_VERTEX_32_32_FLOAT = 37,
    SOFT_VERTEX_32_32_32_32_FLOAT = 38,
    SOFT_VERTEX_32_32_32_FLOAT = 57,
};

/* Dwords of one element, 0..4; 0: no such format. */
uint32_t soft_vertex_dwords(uint32_t format);

/* Unpacks an element for each lane as `fetch` says (format, is_signed, integer, the two signed modes,
 * exponent). `data`: the element's dwords, aligned to 64 bytes; those that the format does not have are
 * not read. Denormals are flushed. */
void soft_vertex_unpack(const xenos_fetch *fetch, const uint32_t data[4][SOFT_LANES],
                        soft_vec4 *out);

/* A float's bits to the console's half: to the nearest, ties to even, beyond the range its end. */
uint32_t soft_float_to_half(uint32_t bits);

#endif
