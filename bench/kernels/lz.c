/* lz.c: decompression of an LZ77 stream, byte by byte: a token's high nibble counts literals, the
 * low one the match's length less 3; a match has a distance of two bytes. */
#include "kernel.h"

enum { PACKED = 1 << 15, PLAIN = 1 << 17 };

static uint8_t packed[PACKED + 64], plain[PLAIN + 64];

/* A stream that decodes without looking outside: distances reach back to what is there. */
static uint32_t stream_make(void)
{
    uint32_t seed = 3, in = 0, out = 0;
    while (in < PACKED && out < PLAIN) {
        uint32_t literals = out ? draw(&seed) & 7 : 15, length = draw(&seed) & 15;
        packed[in++] = (uint8_t)(literals << 4 | length);
        for (uint32_t i = 0; i < literals; i++) {
            packed[in++] = (uint8_t)(draw(&seed) & 0x3F);
        }
        out += literals;
        uint32_t reach = out < 4000 ? out : 4000, distance = 1 + draw(&seed) % reach;
        packed[in++] = (uint8_t)(distance >> 8);
        packed[in++] = (uint8_t)distance;
        out += length + 3;
    }
    return in;
}

static uint32_t unpack(uint32_t size)
{
    const uint8_t *in = packed, *end = packed + size;
    uint8_t *out = plain;
    while (in < end) {
        uint32_t token = *in++;
        for (uint32_t n = token >> 4; n > 0; n--) {
            *out++ = *in++;
        }
        const uint8_t *from = out - (in[0] << 8 | in[1]);
        in += 2;
        for (uint32_t n = (token & 15) + 3; n > 0; n--) {
            *out++ = *from++;
        }
    }
    return (uint32_t)(out - plain);
}

KERNEL(lz)
{
    uint32_t size = stream_make(), sum = 0;
    for (uint32_t round = 0; round < count; round++) {
        packed[1] = (uint8_t)round;
        uint32_t length = unpack(size);
        for (uint32_t i = 0; i < length; i += 16) {
            sum = mix(sum, plain[i]);
        }
    }
    return sum;
}
