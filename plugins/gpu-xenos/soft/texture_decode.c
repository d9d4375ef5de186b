/* From bytes in memory to texels: 64 formats, endian swaps, signs, swizzle. */
#include "texture_image.h"

#include <string.h>

#include "../endian.h"
#include "../state.h"

#define BLOCK_TEXELS 16

/* What a block's texels are before signs: the components' bits, or the bits of a single. */
typedef uint32_t texel_codes[4];

/* ---- single numbers ---- */

/* s10e5 without infinities: 65504 is not the end, 131008 is (xenia names the extended range,
 * spirv_shader_translator_fetch.cc). */
static float half_float(uint32_t bits)
{
    uint32_t sign = (bits & 0x8000) << 16;
    uint32_t exponent = bits >> 10 & 31;
    uint32_t mantissa = bits & 0x3FF;
    if (exponent == 0) {
        float small = (float)mantissa * 0x1p-24f;
        return sign != 0 ? -small : small;
    }
    return xenos_float(sign | (exponent + 112) << 23 | mantissa << 13);
}

/* 20e4: four bits of exponent biased by 15, no sign: below 2. */
static float depth_float(uint32_t bits)
{
    uint32_t exponent = bits >> 20 & 15;
    uint32_t mantissa = bits & 0xFFFFF;
    if (exponent == 0) {
        return (float)mantissa * 0x1p-34f;
    }
    return xenos_float((exponent + 112) << 23 | mantissa << 3);
}

/* v / (2^24 - 1), as xenia's UNorm24To32 has it: exact at both ends. */
static float depth_fixed(uint32_t v)
{
    return (float)(v + (v >> 23)) * 0x1p-24f;
}

/* The display curve's inverse in pieces: 8 bits in, 10 bits out. */
static uint32_t linear_from_gamma(uint32_t code, uint32_t width)
{
    uint32_t full = (1u << width) - 1;
    uint64_t g = (uint64_t)code * 255; /* in units of 1/full */
    uint64_t slope = g < 64u * full ? 1 : g < 96u * full ? 2 : g < 192u * full ? 4 : 8;
    uint32_t start = slope == 1 ? 0 : slope == 2 ? 64 : slope == 4 ? 256 : 1024;
    uint32_t linear = (uint32_t)(g * slope / full) - start;
    return linear + (uint32_t)(linear * slope / 1024);
}

static int32_t sign_extend(uint32_t code, uint32_t width)
{
    uint32_t top = 1u << (width - 1);
    return (int32_t)((code ^ top) - top);
}

static int32_t signed_max(uint32_t width)
{
    return width <= 1 ? 1 : (int32_t)((1u << (width - 1)) - 1);
}

/* The number that stands for a component of up to 16 bits. */
static uint32_t number_of(const soft_channel *channel, uint32_t code)
{
    if (channel->sign == SOFT_GAMMA) {
        return linear_from_gamma(code, channel->width);
    }
    if (channel->sign != SOFT_SIGNED) {
        return code;
    }
    int32_t value = sign_extend(code, channel->width);
    if (channel->integer) {
        return (uint32_t)(value + (1 << (channel->width - 1)));
    }
    int32_t limit = signed_max(channel->width);
    return (uint32_t)((value < -limit ? -limit : value) + limit);
}

/* A component of 32 bits, as the shader gets it but for the exponent. */
static float wide_value(const soft_channel *channel, uint32_t code)
{
    if (channel->sign == SOFT_SIGNED) {
        int32_t value = (int32_t)code;
        if (channel->integer) {
            return (float)value;
        }
        return (float)((value < -INT32_MAX ? -INT32_MAX : value) / 2147483647.0);
    }
    if (channel->sign == SOFT_BIASED) {
        return (float)((2.0 * code - 4294967295.0) / 4294967295.0);
    }
    return channel->integer ? (float)code : (float)(code / 4294967295.0);
}

/* ---- blocks ---- */

/* Four bits a texel, four texels a row from the lowest bits up: DXT3's alpha. */
static uint32_t nibble(const uint32_t words[2], uint32_t texel)
{
    return words[texel >> 3] >> (texel & 7) * 4 & 15;
}

/* DXT5's alpha: two ends and indices of three bits; eight steps, or six with the two limits. */
static void decode_alpha(const uint32_t words[2], int is_signed, texel_codes *out, uint32_t c)
{
    int32_t ends[2] = {(int32_t)(words[0] & 255), (int32_t)(words[0] >> 8 & 255)};
    uint64_t indices = (uint64_t)words[1] << 16 | words[0] >> 16;
    int32_t low = 0;
    int32_t high = 255;
    if (is_signed) {
        for (int i = 0; i < 2; i++) {
            ends[i] = sign_extend((uint32_t)ends[i], 8);
            ends[i] = ends[i] < -127 ? -127 : ends[i];
        }
        low = -127;
        high = 127;
    }
    int32_t values[8] = {ends[0], ends[1], 0, 0, 0, 0, low, high};
    int32_t steps = ends[0] > ends[1] ? 7 : 5;
    for (int32_t i = 1; i < steps; i++) {
        values[i + 1] = (ends[0] * (steps - i) + ends[1] * i) / steps;
    }
    for (uint32_t t = 0; t < BLOCK_TEXELS; t++) {
        out[t][c] = (uint32_t)values[indices >> t * 3 & 7] & 255;
    }
}

/* DXT colours: ends of 5, 6 and 5 bits widened to 8 by repeating their high bits. */
static void decode_colours(const uint32_t words[2], int can_be_clear, texel_codes *out)
{
    uint32_t colours[4][4] = {{0}};
    for (uint32_t i = 0; i < 2; i++) {
        uint32_t end = words[0] >> i * 16 & 0xFFFF;
        uint32_t r = end >> 11;
        uint32_t g = end >> 5 & 63;
        uint32_t b = end & 31;
        colours[i][0] = r << 3 | r >> 2;
        colours[i][1] = g << 2 | g >> 4;
        colours[i][2] = b << 3 | b >> 2;
    }
    int three = can_be_clear && (words[0] & 0xFFFF) <= words[0] >> 16;
    for (uint32_t c = 0; c < 3; c++) {
        uint32_t a = colours[0][c];
        uint32_t b = colours[1][c];
        colours[2][c] = three ? (a + b) / 2 : (2 * a + b) / 3;
        colours[3][c] = three ? 0 : (a + 2 * b) / 3;
    }
    colours[0][3] = colours[1][3] = colours[2][3] = 255;
    colours[3][3] = three ? 0 : 255;
    for (uint32_t t = 0; t < BLOCK_TEXELS; t++) {
        const uint32_t *from = colours[words[1] >> t * 2 & 3];
        out[t][0] = from[0];
        out[t][1] = from[1];
        out[t][2] = from[2];
        if (can_be_clear) {
            out[t][3] = from[3];
        }
    }
}

/* CTX1: in each end x is the higher byte. */
static void decode_ctx1(const uint32_t words[2], texel_codes *out)
{
    for (uint32_t c = 0; c < 2; c++) {
        uint32_t a = words[0] >> (c == 0 ? 8 : 0) & 255;
        uint32_t b = words[0] >> (c == 0 ? 24 : 16) & 255;
        uint32_t values[4] = {a, b, (2 * a + b) / 3, (a + 2 * b) / 3};
        for (uint32_t t = 0; t < BLOCK_TEXELS; t++) {
            out[t][c] = values[words[1] >> t * 2 & 3];
        }
    }
}

static void decode_fixed(const xenos_format *format, const uint32_t words[4], texel_codes *out)
{
    uint32_t bit = 0;
    for (uint32_t c = 0; c < format->stored; c++) {
        out[0][c] = xenos_bits(words[bit >> 5], bit & 31, format->width[c]);
        bit += format->width[c];
    }
}

static void decode_rare(const xenos_format *format, const uint32_t words[4], texel_codes *out)
{
    uint32_t stored = format->stored;
    switch (format->kind) {
    case XENOS_TEXELS_BITS:
    case XENOS_TEXELS_BITS_HIGH_FIRST:
        for (uint32_t t = 0; t < 8; t++) {
            out[t][0] = words[0] >> (format->kind == XENOS_TEXELS_BITS ? t : 7 - t) & 1;
        }
        break;
    case XENOS_TEXELS_BYTES:
        for (uint32_t i = 0; i < 4; i++) {
            out[i / stored][i % stored] = words[0] >> i * 8 & 255;
        }
        break;
    case XENOS_TEXELS_CR_Y1_CB_Y0:
    case XENOS_TEXELS_Y1_CR_Y0_CB: {
        uint32_t luma = format->kind == XENOS_TEXELS_CR_Y1_CB_Y0 ? 0 : 8;
        uint32_t chroma = 8 - luma;
        for (uint32_t t = 0; t < 2; t++) {
            out[t][0] = words[0] >> (16 + chroma) & 255;
            out[t][1] = words[0] >> (t * 16 + luma) & 255;
            out[t][2] = words[0] >> chroma & 255;
        }
        break;
    }
    case XENOS_TEXELS_DEPTH:
        out[0][0] = xenos_float_bits(depth_fixed(words[0] >> 8));
        break;
    case XENOS_TEXELS_DEPTH_FLOAT:
        out[0][0] = xenos_float_bits(depth_float(words[0] >> 8));
        break;
    case XENOS_TEXELS_FLOAT16:
        for (uint32_t c = 0; c < stored; c++) {
            out[0][c] = xenos_float_bits(half_float(words[c >> 1] >> (c & 1) * 16 & 0xFFFF));
        }
        break;
    default: /* FIXED32, FLOAT32 */
        memcpy(out[0], words, sizeof out[0]);
        break;
    }
}

static void decode_block(const soft_image *image, const uint32_t words[4], texel_codes *out)
{
    switch (image->format->kind) {
    case XENOS_TEXELS_NONE:
        break;
    case XENOS_TEXELS_FIXED:
        decode_fixed(image->format, words, out);
        break;
    case XENOS_TEXELS_DXT1:
        decode_colours(words, 1, out);
        break;
    case XENOS_TEXELS_DXT3:
        decode_colours(words + 2, 0, out);
        for (uint32_t t = 0; t < BLOCK_TEXELS; t++) {
            out[t][3] = nibble(words, t) * 17;
        }
        break;
    case XENOS_TEXELS_DXT5:
        decode_colours(words + 2, 0, out);
        decode_alpha(words, 0, out, 3);
        break;
    case XENOS_TEXELS_DXN:
        decode_alpha(words, image->signed_blocks & 1, out, 0);
        decode_alpha(words + 2, image->signed_blocks >> 1 & 1, out, 1);
        break;
    case XENOS_TEXELS_DXT3A:
        for (uint32_t t = 0; t < BLOCK_TEXELS; t++) {
            out[t][0] = nibble(words, t) * 17;
        }
        break;
    case XENOS_TEXELS_DXT5A:
        decode_alpha(words, image->signed_blocks & 1, out, 0);
        break;
    case XENOS_TEXELS_CTX1:
        decode_ctx1(words, out);
        break;
    case XENOS_TEXELS_DXT3A_BITS:
        for (uint32_t t = 0; t < BLOCK_TEXELS; t++) {
            for (uint32_t c = 0; c < 4; c++) {
                out[t][c] = nibble(words, t) >> (3 - c) & 1;
            }
        }
        break;
    default:
        decode_rare(image->format, words, out);
        break;
    }
}

/* The block's dwords after its swap; zeros for what is not in memory. */
static void load_block(const soft_image *image, uint32_t level, uint32_t x, uint32_t y,
                       uint32_t slice, uint32_t words[4])
{
    const xenos_memory *memory = image->memory;
    uint32_t bytes = image->layout.block_bytes;
    uint64_t at = xenos_texture_address(&image->layout, level, x, y, slice);
    words[0] = words[1] = words[2] = words[3] = 0;
    if (at + bytes > memory->size) {
        return;
    }
    const uint8_t *p = memory->bytes + at;
    if (bytes == 1) {
        words[0] = p[0];
    } else if (bytes == 2) {
        words[0] = xenos_swap16((uint16_t)(p[0] | p[1] << 8), image->layout.endian);
    } else {
        for (uint32_t i = 0; i < bytes / 4; i++) {
            words[i] = xenos_swap32(xenos_load32(p + (size_t)i * 4), image->layout.endian);
        }
    }
}

/* ---- from components to numbers ---- */

static uint32_t channel_number(const soft_channel *channel, const texel_codes codes)
{
    if (channel->constant) {
        return channel->number;
    }
    uint32_t code = codes[channel->component];
    return channel->width <= 8 ? channel->lut[code & 255] : number_of(channel, code);
}

static float channel_float(const soft_image *image, const soft_channel *channel,
                           const texel_codes codes)
{
    if (channel->constant) {
        return channel->number;
    }
    uint32_t code = codes[channel->component];
    if (image->format->kind == XENOS_TEXELS_FIXED32) {
        return wide_value(channel, code);
    }
    float value = xenos_float(code);
    return channel->sign == SOFT_BIASED ? value * 2.0f - 1.0f : value;
}

static void store_texel(const soft_image *image, const texel_codes codes, int32_t index)
{
    if (image->numbers == SOFT_BYTES) {
        uint32_t packed = 0;
        for (uint32_t o = 0; o < 4; o++) {
            packed |= channel_number(&image->channels[o], codes) << o * 8;
        }
        ((uint32_t *)image->texels)[index] = packed;
    } else if (image->numbers == SOFT_WORDS) {
        uint64_t packed = 0;
        for (uint32_t o = 0; o < 4; o++) {
            packed |= (uint64_t)channel_number(&image->channels[o], codes) << o * 16;
        }
        ((uint64_t *)image->texels)[index] = packed;
    } else {
        float *to = (float *)image->texels + (size_t)index * 4;
        for (uint32_t o = 0; o < 4; o++) {
            to[o] = channel_float(image, &image->channels[o], codes);
        }
    }
}

void soft_image_texel(const soft_image *image, uint32_t level, uint32_t x, uint32_t y,
                      uint32_t slice, float out[4])
{
    uint32_t words[4];
    texel_codes codes[BLOCK_TEXELS] = {{0}};
    uint32_t bw = image->layout.block_width;
    uint32_t bh = image->layout.block_height;
    load_block(image, level, x / bw, y / bh, slice, words);
    decode_block(image, words, codes);
    const uint32_t *texel = codes[y % bh * bw + x % bw];
    for (uint32_t o = 0; o < 4; o++) {
        const soft_channel *channel = &image->channels[o];
        out[o] = image->numbers == SOFT_FLOATS ? channel_float(image, channel, texel)
                                               : (float)channel_number(channel, texel);
    }
}

/* Texels of 32 bits whose bytes only change places, and unsigned ones: most render targets. */
static int is_shuffle(const soft_image *image)
{
    const xenos_format *format = image->format;
    if (format->kind != XENOS_TEXELS_FIXED || format->bits != 32 || format->width[0] != 8) {
        return 0;
    }
    for (uint32_t o = 0; o < 4; o++) {
        const soft_channel *channel = &image->channels[o];
        if (!channel->constant && channel->sign != SOFT_UNSIGNED && channel->sign != SOFT_BIASED) {
            return 0;
        }
    }
    return 1;
}

static void decode_shuffled_row(const soft_image *image, uint32_t level, uint32_t y, uint32_t slice,
                                uint32_t *out)
{
    uint32_t width = image->layout.levels[level].width;
    uint32_t shift[4], mask[4], constant = 0;
    for (uint32_t o = 0; o < 4; o++) {
        const soft_channel *channel = &image->channels[o];
        shift[o] = channel->component * 8u;
        mask[o] = channel->constant ? 0 : 255;
        constant |= channel->constant ? (uint32_t)channel->number << o * 8 : 0;
    }
    for (uint32_t x = 0; x < width; x += 4) { /* four texels are together, tiled or not */
        uint64_t at = xenos_texture_address(&image->layout, level, x, y, slice);
        uint32_t run = width - x < 4 ? width - x : 4;
        for (uint32_t i = 0; i < run; i++) {
            uint32_t v = 0;
            if (at + i * 4 + 4 <= image->memory->size) {
                v = xenos_swap32(xenos_load32(image->memory->bytes + at + (size_t)i * 4),
                                 image->layout.endian);
            }
            out[x + i] = constant | (v >> shift[0] & mask[0]) | (v >> shift[1] & mask[1]) << 8 |
                         (v >> shift[2] & mask[2]) << 16 | (v >> shift[3] & mask[3]) << 24;
        }
    }
}

static void decode_row(soft_image *image, uint32_t level, uint32_t y, uint32_t slice)
{
    const xenos_texture_level *size = &image->layout.levels[level];
    uint32_t bw = image->layout.block_width;
    uint32_t bh = image->layout.block_height;
    texel_codes codes[BLOCK_TEXELS] = {{0}};
    for (uint32_t x = 0; x < size->blocks_across; x++) {
        uint32_t words[4];
        load_block(image, level, x, y, slice, words);
        decode_block(image, words, codes);
        for (uint32_t t = 0; t < bw * bh; t++) {
            uint32_t tx = x * bw + t % bw;
            uint32_t ty = y * bh + t / bw;
            if (tx < size->width && ty < size->height) {
                uint32_t row = slice * size->height + ty;
                store_texel(image, codes[t],
                            image->first[level] + (int32_t)(row * size->width + tx));
            }
        }
    }
}

void soft_image_decode(soft_image *image)
{
    int shuffle = is_shuffle(image);
    for (uint32_t n = image->layout.min_level; n <= image->layout.max_level; n++) {
        const xenos_texture_level *level = &image->layout.levels[n];
        for (uint32_t slice = 0; slice < level->depth; slice++) {
            for (uint32_t y = 0; y < level->blocks_up; y++) {
                if (shuffle) {
                    uint32_t *row = (uint32_t *)image->texels + image->first[n];
                    decode_shuffled_row(image, n, y, slice,
                                        row + ((size_t)slice * level->height + y) * level->width);
                } else {
                    decode_row(image, n, y, slice);
                }
            }
        }
    }
}

/* ---- what a constant asks for ---- */

/* Bits of a component as the block decoder leaves it; 32 stands for floats too. */
static uint8_t component_width(const xenos_format *format, uint32_t component)
{
    switch (format->kind) {
    case XENOS_TEXELS_FIXED:
        return format->width[component];
    case XENOS_TEXELS_BITS:
    case XENOS_TEXELS_BITS_HIGH_FIRST:
    case XENOS_TEXELS_DXT3A_BITS:
        return 1;
    case XENOS_TEXELS_FIXED32:
    case XENOS_TEXELS_FLOAT16:
    case XENOS_TEXELS_FLOAT32:
    case XENOS_TEXELS_DEPTH:
    case XENOS_TEXELS_DEPTH_FLOAT:
        return 32;
    default:
        return 8;
    }
}

static void scale_channel(soft_image *image, uint32_t o, float adjust)
{
    const soft_channel *channel = &image->channels[o];
    float full = (float)((UINT64_C(1) << channel->width) - 1);
    image->offset[o] = 0;
    image->divisor[o] = 1;
    if (channel->constant) {
        return;
    }
    if (channel->width == 32) { /* is what it says already */
    } else if (channel->sign == SOFT_GAMMA) {
        image->divisor[o] = 1023;
    } else if (channel->sign == SOFT_BIASED) {
        image->offset[o] = image->divisor[o] = full * 0.5f;
    } else if (channel->sign == SOFT_SIGNED && channel->integer) {
        image->offset[o] = (float)(1u << (channel->width - 1));
    } else if (channel->sign == SOFT_SIGNED) {
        image->offset[o] = image->divisor[o] = (float)signed_max(channel->width);
    } else if (!channel->integer) {
        image->divisor[o] = full;
    }
    image->divisor[o] *= adjust;
}

static void set_channels(soft_image *image, const uint32_t fetch[6])
{
    const xenos_format *format = image->format;
    uint32_t last = format->stored != 0 ? format->stored - 1u : 0;
    int32_t exponent = xenos_signed_bits(fetch[3], 13, 6);
    float adjust = xenos_float((uint32_t)(127 - exponent) << 23);
    uint32_t numbers = SOFT_BYTES;
    for (uint32_t o = 0; o < 4; o++) {
        soft_channel *channel = &image->channels[o];
        uint32_t select = xenos_bits(fetch[3], 1 + o * 3, 3);
        memset(channel, 0, sizeof *channel);
        if (select >= 4 || format->stored == 0) {
            channel->constant = 1;
            channel->number = select >= 4 && (select & 1) != 0; /* 4: 0, 5: 1 */
        } else {
            channel->component = (uint8_t)(select < last ? select : last);
            channel->width = component_width(format, channel->component);
            channel->sign = (uint8_t)xenos_bits(fetch[0], 2 + select * 2, 2);
            channel->integer = fetch[3] & 1;
            uint32_t need = channel->width == 32                                ? SOFT_FLOATS
                            : channel->width > 8 || channel->sign == SOFT_GAMMA ? SOFT_WORDS
                                                                                : SOFT_BYTES;
            numbers = need > numbers ? need : numbers;
            for (uint32_t code = 0; channel->width <= 8 && code < 1u << channel->width; code++) {
                channel->lut[code] = (uint16_t)number_of(channel, code);
            }
        }
        scale_channel(image, o, adjust);
    }
    for (uint32_t c = 0; c < 2; c++) {
        image->signed_blocks |= (uint8_t)((xenos_bits(fetch[0], 2 + c * 2, 2) == SOFT_SIGNED) << c);
    }
    image->numbers = (uint8_t)numbers;
}

int soft_image_describe(soft_image *image, const uint32_t fetch[6], const xenos_memory *memory)
{
    static const uint8_t texel_bytes[] = {4, 8, 16};
    memset(image, 0, sizeof *image);
    if (!xenos_texture_decode(&image->layout, fetch)) {
        return 0;
    }
    image->format = xenos_format_of(image->layout.format);
    image->memory = memory;
    set_channels(image, fetch);
    uint64_t texels = 0;
    for (uint32_t n = image->layout.min_level; n <= image->layout.max_level; n++) {
        const xenos_texture_level *level = &image->layout.levels[n];
        uint64_t start, end;
        xenos_texture_range(&image->layout, n, &start, &end);
        uint64_t *range = image->range[n == 0 ? 0 : 1];
        range[0] = range[1] == 0 || start < range[0] ? start : range[0];
        range[1] = end > range[1] ? end : range[1];
        image->first[n] = (int32_t)(texels < INT32_MAX ? texels : 0);
        texels += (uint64_t)level->width * level->height * level->depth;
    }
    image->bytes = texels * texel_bytes[image->numbers];
    image->storage = image->numbers;
    return 1;
}
