/* Resolves: RB_MODECONTROL mode 6 copies a rectangle of EDRAM to tiled memory and clears it.
 *
 * Sources: xenia src/xenia/gpu/xenos.h ("Xenos copies EDRAM contents"), draw_util.cc
 * (GetResolveInfo, SanitizeCopySampleSelect), shaders/resolve.xesli. Microsoft, "Xbox 360 Surface
 * Formats": 8_8_8_8_GAMMA is turned into linear light where it is read.
 *
 * - The rectangle is the extent of the three vertices of vertex fetch constant 0, two floats each, in
 *   16.8 fixed point, within window offset and scissors, widened to multiples of 8 pixels and cut at
 *   the surface's pitch. It ends where it would go round the EDRAM a second time.
 * - Commands raw (0) and convert (1) are one: bits are copied where the formats store the same, one
 *   sample is taken and nothing is scaled, else colours are converted. Constant one (2) writes 1 in
 *   every component, and depth 1 with stencil 0. Null (3) copies nothing.
 * - Samples are averaged as ((s0 + s1) + s2) + s3 in single precision, times 1/2 or 1/4, times the
 *   exponent bias. Depth is never averaged: the first sample is taken. Gamma is
 *   averaged in linear light and encoded again.
 * - Fractions are unsigned unless RB_COPY_DEST_INFO's number is 1, signed repeating fraction; the
 *   integer numbers count as fractions. A depth resolve writes the words as they are.
 * - A swap of bytes wider than the texel does nothing. Texels beyond memory are not written. */
#include "../draw.h"
#include "../endian.h"
#include "../state.h"
#include "../tiling.h"
#include "color.h"
#include "copy_format.h"
#include "rop.h"
#include "soft.h"

enum { COMMAND_RAW, COMMAND_CONVERT, COMMAND_ONE, COMMAND_NULL };

typedef struct copy {
    const xenos_memory *memory;
    uint8_t *edram;
    xenos_rectangle area; /* pixels, multiples of 8, not empty */

    xenos_target source;
    uint32_t format;  /* storage format of a colour source */
    uint32_t words;   /* dwords of a source sample */
    uint32_t samples; /* bit n: sample n is taken */
    uint32_t raw;     /* bits are copied */
    uint32_t ones;    /* constant one */
    uint32_t gamma;   /* averaged in linear light */
    uint32_t swap;    /* red and blue change places */
    float mean;       /* 1 / samples */
    float scale;      /* 2^exponent bias */
    uint32_t one;     /* depth: the word of constant one */

    const soft_copy_format *to;
    uint32_t is_signed;
    uint32_t endian;
    uint32_t base, pitch, height, slice, array;
    uint32_t first, last; /* bytes written: first..last, last beyond */
} copy;

/* Rows of pixels that one worker does at a time. */
#define BAND  32
#define BANDS ((1 << 14) / BAND + 1) /* of the scissor's height */
#define FEW   (128 * 128)            /* pixels for which no thread is woken */

/* ---- rectangle ---- */

/* 16.8 fixed point, to nearest even, clamped; NaN gives 0 (Direct3D 11.3, 3.2.4.1). */
static int32_t to_fixed(float value)
{
    if (!(value > -32768.0f)) {
        return value == value ? -32768 * 256 : 0;
    }
    if (value >= 32768.0f - 1.0f / 256.0f) {
        return (1 << 23) - 1;
    }
    double rounded = ((double)value * 256.0 + 0x1.8p52) - 0x1.8p52;
    return (int32_t)rounded;
}

static int32_t clamp(int32_t value, int32_t low, int32_t high)
{
    return value < low ? low : value > high ? high : value;
}

/* 0: the vertices are not there. */
static int read_vertices(const uint32_t *registers, const xenos_memory *memory,
                         xenos_rectangle *out)
{
    uint32_t address = registers[XENOS_CONSTANT_FETCH] & 0x1FFFFFFC;
    uint32_t info = registers[XENOS_CONSTANT_FETCH + 1];
    if ((registers[XENOS_CONSTANT_FETCH] & 3) != 3 || xenos_bits(info, 2, 24) != 6 ||
        memory->size < 24 || address > memory->size - 24) {
        return 0;
    }
    float centre = registers[XENOS_PA_SU_VTX_CNTL] & 1 ? 0.0f : 0.5f;
    int32_t low[2] = {INT32_MAX, INT32_MAX};
    int32_t high[2] = {INT32_MIN, INT32_MIN};
    for (uint32_t i = 0; i < 6; i++) {
        uint32_t bits = xenos_swap32(xenos_load32(memory->bytes + address + 4 * i), info & 3);
        int32_t at = to_fixed(xenos_float(bits) + centre);
        low[i & 1] = at < low[i & 1] ? at : low[i & 1];
        high[i & 1] = at > high[i & 1] ? at : high[i & 1];
    }
    /* Pixel centres: .5 counts on the left and the top, not on the right and the bottom. */
    *out = (xenos_rectangle){(low[0] + 127) >> 8, (low[1] + 127) >> 8, (high[0] + 127) >> 8,
                             (high[1] + 127) >> 8};
    if (xenos_bits(registers[XENOS_PA_SU_SC_MODE_CNTL], 16, 1)) {
        uint32_t offset = registers[XENOS_PA_SC_WINDOW_OFFSET];
        int32_t dx = xenos_signed_bits(offset, 0, 15);
        int32_t dy = xenos_signed_bits(offset, 16, 15);
        *out = (xenos_rectangle){out->x0 + dx, out->y0 + dy, out->x1 + dx, out->y1 + dy};
    }
    return 1;
}

static int find_area(const uint32_t *registers, const xenos_memory *memory, xenos_rectangle *out)
{
    xenos_rectangle scissor;
    if (!read_vertices(registers, memory, out)) {
        return 0;
    }
    xenos_scissor(registers, &scissor);
    xenos_target surface;
    xenos_target_depth(&surface, registers); /* 32 bits a sample: the least pitch in tiles */
    int32_t width = (int32_t)(surface.width & ~7u);
    int32_t x0 = clamp(out->x0, scissor.x0, scissor.x1);
    int32_t y0 = clamp(out->y0, scissor.y0, scissor.y1);
    int32_t x1 = clamp(out->x1, scissor.x0, scissor.x1);
    int32_t y1 = clamp(out->y1, scissor.y0, scissor.y1);
    *out = (xenos_rectangle){x0 & ~7, y0 & ~7, clamp((x1 + 7) & ~7, 0, width), (y1 + 7) & ~7};
    if (x0 >= x1 || y0 >= y1 || out->x0 >= out->x1) {
        return 0;
    }
    uint32_t rows = (XENOS_EDRAM_TILES + surface.pitch - 1) / surface.pitch;
    int32_t most = (int32_t)(rows * XENOS_EDRAM_TILE_HEIGHT >> surface.y_log2);
    out->y1 = clamp(out->y1, out->y0, out->y0 + most);
    return 1;
}

/* ---- set-up ---- */

/* RB_COPY_CONTROL 6:4 as a set of samples that the surface has. */
static uint32_t choose_samples(uint32_t select, const xenos_target *source)
{
    static const uint8_t four[8] = {1, 2, 4, 8, 1 | 2, 4 | 8, 15, 15};
    static const uint8_t two[8] = {1, 2, 1, 2, 1 | 2, 1 | 2, 1 | 2, 1 | 2};
    return source->x_log2 ? four[select] : source->y_log2 ? two[select] : 1;
}

static float power_of_two(int32_t exponent)
{
    return xenos_float((uint32_t)(127 + exponent) << 23);
}

/* 0: nothing is copied. */
static int prepare(copy *c, const uint32_t *registers)
{
    static const soft_copy_format depth = {SOFT_COPY_FRACTION, 2, {8, 24}, 0};
    static const uint16_t color[4] = {XENOS_RB_COLOR_INFO, XENOS_RB_COLOR1_INFO,
                                      XENOS_RB_COLOR2_INFO, XENOS_RB_COLOR3_INFO};
    uint32_t control = registers[XENOS_RB_COPY_CONTROL];
    uint32_t info = registers[XENOS_RB_COPY_DEST_INFO];
    uint32_t command = xenos_bits(control, 20, 2);
    uint32_t index = xenos_bits(control, 0, 3);
    int is_depth = index >= 4;
    int32_t bias = xenos_signed_bits(info, 16, 6);
    if (command == COMMAND_NULL) {
        return 0;
    }
    c->words = 1;
    c->to = &depth;
    c->raw = 1;
    if (is_depth) {
        xenos_target_depth(&c->source, registers);
        bias = 0;
    } else {
        const xenos_color_format *format =
            xenos_color_format_of(xenos_bits(registers[color[index]], 16, 4));
        xenos_target_color(&c->source, registers, index);
        c->to = soft_copy_format_of(xenos_bits(info, 7, 6));
        if (format->name == NULL || c->to->kind == SOFT_COPY_NONE) {
            return 0;
        }
        c->words = 1u + format->wide;
        c->format = format->storage;
        c->swap = xenos_bits(info, 24, 1) && format->components == 4;
        c->is_signed = xenos_bits(info, 13, 3) == 1;
    }
    c->samples = choose_samples(xenos_bits(control, 4, 3), &c->source);
    int count = __builtin_popcount(c->samples);
    if (!is_depth) {
        c->raw = bias == 0 && count == 1 && !c->is_signed && (c->to->same >> c->format & 1);
        c->gamma = c->format == XENOS_COLOR_8_8_8_8_GAMMA && count > 1;
        if (c->format == XENOS_COLOR_8_8_8_8_GAMMA && count == 1) {
            c->format = XENOS_COLOR_8_8_8_8;
        }
    }
    c->ones = command == COMMAND_ONE;
    c->raw = c->raw && !c->ones;
    c->one = !is_depth ? 0 : registers[XENOS_RB_DEPTH_INFO] & 1u << 16 ? 0xF0000000 : 0xFFFFFF00;
    c->mean = 1.0f / (float)count;
    c->scale = power_of_two(bias);
    c->endian = xenos_bits(info, 0, 3);
    c->array = xenos_bits(info, 3, 1);
    c->slice = xenos_bits(info, 4, 3);
    c->base = registers[XENOS_RB_COPY_DEST_BASE];
    c->pitch = xenos_tile_align(xenos_bits(registers[XENOS_RB_COPY_DEST_PITCH], 0, 14));
    c->height = xenos_tile_align(xenos_bits(registers[XENOS_RB_COPY_DEST_PITCH], 16, 14));
    c->first = UINT32_MAX;
    return 1;
}

/* ---- colours ---- */

SOFT_INLINE void load_words(const copy *c, const soft_block *block, uint32_t sample, uint32_t n,
                            part_u word[2])
{
    for (uint32_t w = 0; w < c->words; w++) {
        word[w] =
            soft_block_load(block, block->stride, sample & 1, (sample >> 1) * c->words + w, n);
    }
}

static void average(const copy *c, const soft_block *block, uint32_t n, part_f out[4])
{
    int first = 1;
    for (uint32_t s = 0; s < 4; s++) {
        part_u word[2];
        part_f value[4];
        if (!(c->samples >> s & 1)) {
            continue;
        }
        load_words(c, block, s, n, word);
        soft_color_unpack(c->format, word, value);
        for (uint32_t i = 0; i < 4; i++) {
            if (first) {
                out[i] = value[i];
            } else {
                out[i] += value[i];
            }
        }
        first = 0;
    }
    for (uint32_t i = 0; i < 4; i++) {
        out[i] *= c->mean;
        if (c->gamma && i < 3) {
            out[i] = part_to_float(soft_pack_gamma(out[i])) / 255.0f;
        }
        out[i] *= c->scale;
    }
}

/* Packs into up to four dwords a texel; texels of less than 32 bits are in the low bits. */
static void pack(const copy *c, const part_f value[4], part_u word[4])
{
    uint32_t bit = 0;
    for (uint32_t i = 0; i < 4; i++) {
        word[i] = (part_u)part_integer(0);
    }
    for (uint32_t i = 0; i < 4 && c->to->width[i] != 0; i++) {
        uint32_t width = c->to->width[i];
        part_u bits;
        if (c->to->kind == SOFT_COPY_FLOAT) {
            bits = (part_u)value[i];
        } else if (c->to->kind == SOFT_COPY_HALF) {
            bits = soft_pack_half(value[i]);
        } else if (c->is_signed && width > 1) {
            float most = (float)((1u << (width - 1)) - 1);
            bits = soft_pack_signed(value[i], 1.0f, most) & ((1u << width) - 1);
        } else {
            bits = soft_pack_fraction(value[i], (float)((1u << width) - 1));
        }
        word[bit >> 5] |= bits << (bit & 31);
        bit += width;
    }
}

static void convert_part(const copy *c, const soft_block *block, uint32_t n, part_u word[4])
{
    part_f value[4];
    if (c->ones) {
        for (uint32_t i = 0; i < 4; i++) {
            value[i] = part_number(1.0f);
        }
    } else {
        average(c, block, n, value);
    }
    if (c->swap) {
        part_f red = value[0];
        value[0] = value[2];
        value[2] = red;
    }
    pack(c, value, word);
}

/* Red and blue of what is stored; the formats of four components. */
static void swap_raw(uint32_t format, part_u word[2])
{
    if (format == XENOS_COLOR_16_16_16_16 || format == XENOS_COLOR_16_16_16_16_FLOAT) {
        part_u red = word[0] & 0xFFFFu;
        word[0] = (word[0] & ~0xFFFFu) | (word[1] & 0xFFFFu);
        word[1] = (word[1] & ~0xFFFFu) | red;
        return;
    }
    uint32_t width = format == XENOS_COLOR_8_8_8_8 || format == XENOS_COLOR_8_8_8_8_GAMMA ? 8 : 10;
    uint32_t mask = (1u << width) - 1;
    word[0] = (word[0] & ~(mask | mask << 2 * width)) | (word[0] & mask) << 2 * width |
              (word[0] >> 2 * width & mask);
}

/* ---- memory ---- */

static void swap_bytes(const copy *c, part_u word[4])
{
    uint32_t count = c->to->bytes_log2 > 2 ? 1u << (c->to->bytes_log2 - 2) : 1;
    uint32_t mode = c->endian;
    if (c->to->bytes_log2 < 1 || (c->to->bytes_log2 == 1 && mode != XENOS_ENDIAN_8IN16)) {
        return;
    }
    if ((mode == 4 && count >= 2) || (mode == 5 && count == 4)) {
        uint32_t group = mode == 4 ? 2 : 4;
        for (uint32_t i = 0; i < count; i++) {
            uint32_t other = i ^ (group - 1);
            if (other > i) {
                part_u kept = word[i];
                word[i] = word[other];
                word[other] = kept;
            }
        }
        mode = XENOS_ENDIAN_8IN32;
    }
    for (uint32_t i = 0; i < count; i++) {
        part_u v = word[i];
        if (mode == XENOS_ENDIAN_8IN16 || mode == XENOS_ENDIAN_8IN32) {
            v = (v << 8 & 0xFF00FF00u) | (v >> 8 & 0x00FF00FFu);
        }
        if (mode == XENOS_ENDIAN_8IN32 || mode == XENOS_ENDIAN_16IN32) {
            v = v << 16 | v >> 16;
        }
        word[i] = v;
    }
}

/* Writes at an offset from the base, which may be before the texture's start so that (0, 0) is the
 * target's corner. */
SOFT_INLINE void store_run(copy *c, uint64_t offset, const void *bytes, uint32_t length)
{
    uint32_t at = (uint32_t)(c->base + offset) & 0x1FFFFFFF;
    if (c->memory->size < length || at > c->memory->size - length) {
        return;
    }
    memcpy(c->memory->bytes + at, bytes, length);
    c->first = at < c->first ? at : c->first;
    c->last = at + length > c->last ? at + length : c->last;
}

/* Row 2 * half + odd of sixteen dwords in the order of lanes.h. */
SOFT_INLINE soft_quad row_of(const soft_quad word[4], uint32_t half, uint32_t odd)
{
    soft_quad a = word[2 * half];
    soft_quad b = word[2 * half + 1];
    return odd ? SOFT_SHUFFLE(a, b, 2, 3, 6, 7) : SOFT_SHUFFLE(a, b, 0, 1, 4, 5);
}

/* A row of four texels; `offset` is that of each run of at most 16 bytes. */
SOFT_INLINE void store_row(copy *c, const uint64_t offset[4], const soft_quad word[4][4],
                           uint32_t half, uint32_t odd)
{
    uint32_t add = 16 * odd; /* rows 2n and 2n + 1 lie so far apart (tiling.h) */
    soft_quad r = row_of(word[0], half, odd);
    if (c->to->bytes_log2 == 2) {
        store_run(c, offset[0] + add, &r, 16);
    } else if (c->to->bytes_log2 == 1) {
        uint64_t both = (uint64_t)(r[0] | r[1] << 16) | (uint64_t)(r[2] | r[3] << 16) << 32;
        store_run(c, offset[0] + add, &both, 8);
    } else if (c->to->bytes_log2 == 0) {
        uint32_t all = r[0] | r[1] << 8 | r[2] << 16 | r[3] << 24;
        store_run(c, offset[0] + add, &all, 4);
    } else {
        soft_quad g = row_of(word[1], half, odd);
        soft_quad low = SOFT_SHUFFLE(r, g, 0, 4, 1, 5); /* red and green of two texels */
        soft_quad high = SOFT_SHUFFLE(r, g, 2, 6, 3, 7);
        if (c->to->bytes_log2 == 3) {
            store_run(c, offset[0] + add, &low, 16);
            store_run(c, offset[1] + add, &high, 16);
            return;
        }
        soft_quad b = row_of(word[2], half, odd);
        soft_quad a = row_of(word[3], half, odd);
        soft_quad low2 = SOFT_SHUFFLE(b, a, 0, 4, 1, 5);
        soft_quad high2 = SOFT_SHUFFLE(b, a, 2, 6, 3, 7);
        const soft_quad texel[4] = {
            SOFT_SHUFFLE(low, low2, 0, 1, 4, 5), SOFT_SHUFFLE(low, low2, 2, 3, 6, 7),
            SOFT_SHUFFLE(high, high2, 0, 1, 4, 5), SOFT_SHUFFLE(high, high2, 2, 3, 6, 7)};
        for (uint32_t i = 0; i < 4; i++) {
            store_run(c, offset[i] + add, &texel[i], 16);
        }
    }
}

static void store_block(copy *c, uint32_t x, uint32_t y, const soft_quad word[4][4])
{
    uint32_t log2 = c->to->bytes_log2;
    uint32_t runs = log2 > 2 ? 1u << (log2 - 2) : 1;
    for (uint32_t half = 0; half < 2; half++) {
        uint64_t offset[4];
        for (uint32_t i = 0; i < runs; i++) {
            uint32_t at_x = x + i * (4 / runs);
            uint32_t at_y = y + 2 * half;
            offset[i] = c->array
                            ? xenos_tiled_offset_3d(at_x, at_y, c->slice, c->pitch, c->height, log2)
                            : xenos_tiled_offset(at_x, at_y, c->pitch, log2);
        }
        store_row(c, offset, word, half, 0);
        store_row(c, offset, word, half, 1);
    }
}

static void copy_block(copy *c, uint32_t x, uint32_t y)
{
    soft_quad out[4][4] __attribute__((aligned(64)));
    soft_block block = soft_block_at(c->edram, &c->source, x, y);
    uint32_t first = (uint32_t)__builtin_ctz(c->samples);
    for (uint32_t n = 0; n < SOFT_PARTS; n++) {
        part_u word[4];
        if (c->raw) {
            load_words(c, &block, first, n, word);
            if (c->swap) {
                swap_raw(c->format, word);
            }
        } else if (c->one != 0) {
            word[0] = (part_u)part_integer((int32_t)c->one);
        } else {
            convert_part(c, &block, n, word);
        }
        swap_bytes(c, word);
        for (uint32_t b = 0; b < 1u << c->to->bytes_log2; b += 4) {
            memcpy(&out[b >> 2][n * (SOFT_PART / 4)], &word[b >> 2], sizeof word[0]);
        }
    }
    store_block(c, x, y, (const soft_quad(*)[4])out);
}

/* ---- bands ---- */

static uint32_t bands_of(const xenos_rectangle *area)
{
    return (uint32_t)(area->y1 - area->y0 + BAND - 1) / BAND;
}

static int few_pixels(const xenos_rectangle *area)
{
    return (area->x1 - area->x0) * (area->y1 - area->y0) < FEW;
}

static xenos_rectangle band_of(const xenos_rectangle *area, uint32_t item)
{
    xenos_rectangle band = *area;
    band.y0 += (int32_t)item * BAND;
    band.y1 = band.y1 < band.y0 + BAND ? band.y1 : band.y0 + BAND;
    return band;
}

static void run(struct soft_workers *workers, soft_job job, void *context,
                const xenos_rectangle *area, int ordered)
{
    if (workers) {
        soft_workers_run(workers, job, context, bands_of(area), ordered || few_pixels(area));
        return;
    }
    for (uint32_t i = 0; i < bands_of(area); i++) {
        job(context, NULL, i);
    }
}

/* 1: pixels that differ in position may have the same place in memory, so that the last of them has
 * to stay. Tiles of a plane as wide as the area have a place each, within the addresses' 512 MiB. */
static int overlaps(const copy *c)
{
    uint64_t rows = xenos_tile_align((uint32_t)c->area.y1);
    return c->array || (uint32_t)c->area.x1 > c->pitch ||
           (rows * c->pitch << c->to->bytes_log2) >= (UINT64_C(1) << 29);
}

typedef struct copy_job {
    const copy *copy;
    struct {
        uint32_t first, last;
    } band[BANDS];
} copy_job;

static void copy_band(void *context, soft_worker *worker, uint32_t item)
{
    copy_job *job = context;
    copy c = *job->copy;
    xenos_rectangle band = band_of(&c.area, item);
    for (uint32_t y = (uint32_t)band.y0; y < (uint32_t)band.y1; y += 4) {
        for (uint32_t x = (uint32_t)band.x0; x < (uint32_t)band.x1; x += 4) {
            copy_block(&c, x, y);
        }
    }
    job->band[item].first = c.first;
    job->band[item].last = c.last;
}

/* What was written lies between the lowest and the highest byte of all bands. */
static void copy_area(copy *c, struct soft_workers *workers)
{
    copy_job job;
    job.copy = c;
    run(workers, copy_band, &job, &c->area, overlaps(c));
    for (uint32_t i = 0; i < bands_of(&c->area); i++) {
        c->first = job.band[i].first < c->first ? job.band[i].first : c->first;
        c->last = job.band[i].last > c->last ? job.band[i].last : c->last;
    }
}

/* ---- clear ---- */

typedef struct clear_job {
    uint8_t *edram;
    xenos_target target;
    xenos_rectangle area;
    uint32_t line[16]; /* of 4 pixels' samples in a row */
} clear_job;

static void clear_band(void *context, soft_worker *worker, uint32_t item)
{
    const clear_job *job = context;
    const xenos_target *target = &job->target;
    xenos_rectangle band = band_of(&job->area, item);
    uint32_t bytes = 16u << target->x_log2 << target->wide;
    for (uint32_t y = (uint32_t)band.y0; y < (uint32_t)band.y1; y++) {
        for (uint32_t x = (uint32_t)band.x0; x < (uint32_t)band.x1; x += 4) {
            uint8_t *at = job->edram + xenos_target_offset(target, x, y);
            for (uint32_t down = 0; down < 1u << target->y_log2; down++) {
                memcpy(at + down * XENOS_EDRAM_ROW_BYTES, job->line, bytes);
            }
        }
    }
}

/* The area was cut so that a target of 32 bits does not go round the EDRAM twice; a wide one may. */
static void clear(clear_job *job, struct soft_workers *workers, uint32_t low, uint32_t high)
{
    for (uint32_t i = 0; i < 16; i++) {
        job->line[i] = job->target.wide && (i & 1) ? high : low;
    }
    run(workers, clear_band, job, &job->area, job->target.wide);
}

void soft_resolve(const uint32_t *registers, uint8_t *edram, const xenos_memory *memory,
                  struct soft_workers *workers, xenos_resolved *done)
{
    copy c = {.memory = memory, .edram = edram};
    *done = (xenos_resolved){0, 0};
    if (!find_area(registers, memory, &c.area)) {
        return;
    }
    if (prepare(&c, registers)) {
        copy_area(&c, workers);
        if (c.last > c.first) {
            *done = (xenos_resolved){c.first, c.last - c.first};
            if (memory->written != NULL) {
                memory->written(memory->context, c.first, c.last - c.first);
            }
        }
    }
    uint32_t control = registers[XENOS_RB_COPY_CONTROL];
    uint32_t index = xenos_bits(control, 0, 3);
    clear_job job = {.edram = edram, .area = c.area};
    if (xenos_bits(control, 8, 1) && index < 4) {
        xenos_target_color(&job.target, registers, index);
        clear(&job, workers, registers[XENOS_RB_COLOR_CLEAR], registers[XENOS_RB_COLOR_CLEAR_LO]);
    }
    if (xenos_bits(control, 9, 1)) {
        xenos_target_depth(&job.target, registers);
        clear(&job, workers, registers[XENOS_RB_DEPTH_CLEAR], 0);
    }
}
