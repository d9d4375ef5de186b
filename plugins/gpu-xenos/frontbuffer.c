#include "frontbuffer.h"

#include <string.h>

#include "endian.h"
#include "format.h"
#include "tiling.h"

#define LINEAR_ROW_ALIGN 256u /* bytes (xenia xenos.h, kTextureLinearRowAlignmentBytes) */

void xenos_surface_decode(xenos_surface *surface, const uint32_t fetch[6])
{
    surface->type = fetch[0] & 3;
    surface->pitch = (fetch[0] >> 22 & 0x1FF) * 32;
    surface->tiled = fetch[0] >> 31;
    surface->format = fetch[1] & 0x3F;
    surface->endian = fetch[1] >> 6 & 3;
    surface->base = fetch[1] & 0x1FFFF000u;
    surface->width = (fetch[2] & 0x1FFF) + 1;
    surface->height = (fetch[2] >> 13 & 0x1FFF) + 1;
    surface->swizzle = fetch[3] >> 1 & 0xFFF;
}

static uint32_t bytes_log2(const xenos_format *format)
{
    return format->bits == 64 ? 3 : format->bits == 32 ? 2 : format->bits == 16 ? 1 : 0;
}

/* Texels from one row to the next: the field, or the width where it is 0; whole tiles. */
static uint32_t pitch_of(const xenos_surface *surface)
{
    return xenos_tile_align(surface->pitch != 0 ? surface->pitch : surface->width);
}

static uint64_t linear_row(const xenos_surface *surface, uint32_t log2)
{
    uint64_t bytes = (uint64_t)pitch_of(surface) << log2;
    return (bytes + LINEAR_ROW_ALIGN - 1) & ~(uint64_t)(LINEAR_ROW_ALIGN - 1);
}

const char *xenos_surface_problem(const xenos_surface *surface, uint32_t width, uint32_t height,
                                  uint32_t memory_size)
{
    const xenos_format *format = xenos_format_of(surface->format);
    if (surface->type != 2) {
        return "fetch constant 0 is not a texture (type 2)";
    }
    if (format->components < 3) {
        return "the format of the front buffer is not red, green, blue of fixed point";
    }
    if (width == 0 || height == 0 || width > XENOS_FRAME_MAX || height > XENOS_FRAME_MAX) {
        return "the size of the frame is not 1..4096 in both directions";
    }
    if (width > pitch_of(surface)) {
        return "the frame is wider than the surface's pitch";
    }
    uint32_t log2 = bytes_log2(format);
    uint64_t extent = surface->tiled
                          ? xenos_tiled_extent(pitch_of(surface), width, height, log2)
                          : linear_row(surface, log2) * (height - 1) + ((uint64_t)width << log2);
    if (surface->base + extent > memory_size) {
        return "the front buffer reaches beyond physical memory";
    }
    return NULL;
}

/* How one output channel is made from a pixel: bits, or a constant. */
typedef struct channel {
    uint32_t shift;
    uint32_t mask;
    uint8_t lut[1024]; /* by the component's top 10 bits */
} channel;

static void channel_setup(channel *out, const xenos_surface *surface, const xenos_format *format,
                          uint32_t index, const xenos_gamma *gamma)
{
    uint32_t select = surface->swizzle >> (index * 3) & 7;
    memset(out, 0, sizeof *out);
    if (select >= 4) {
        out->lut[0] = xenos_gamma_apply(gamma, index, select == 5 ? 255 : 0, 8);
        return;
    }
    /* A component that the format lacks repeats its last one. */
    select = select < format->components ? select : format->components - 1u;
    for (uint32_t c = 0; c < select; c++) {
        out->shift += format->width[c];
    }
    uint32_t bits = format->width[select];
    if (bits > 10) {
        out->shift += bits - 10;
        bits = 10;
    }
    out->mask = (1u << bits) - 1;
    for (uint32_t v = 0; v <= out->mask; v++) {
        out->lut[v] = xenos_gamma_apply(gamma, index, v, bits);
    }
}

static uint64_t load_pixel(const uint8_t *p, uint32_t log2, uint32_t endian)
{
    if (log2 == 1) {
        return xenos_swap16((uint16_t)(p[0] | p[1] << 8), endian);
    }
    uint64_t low = xenos_swap32(xenos_load32(p), endian);
    return log2 == 2 ? low : low | (uint64_t)xenos_swap32(xenos_load32(p + 4), endian) << 32;
}

#define BAND 32u /* rows of one item */

typedef struct reading {
    const xenos_surface *surface;
    const uint8_t *base;
    uint32_t width, height, log2;
    channel channels[3];
    uint8_t *rgba;
} reading;

/* The conversion, inlined once for each `log2` and `endian` that is worth a loop of its own. */
static inline __attribute__((always_inline)) void
read_rows(const reading *r, uint32_t first, uint32_t last, uint32_t log2, uint32_t endian)
{
    const xenos_surface *surface = r->surface;
    const uint8_t *base = r->base;
    const channel *channels = r->channels;
    uint32_t width = r->width;
    uint8_t *restrict rgba = r->rgba + (size_t)first * width * 4;
    /* in registers: a store to rgba could change what channels points to */
    uint32_t shift0 = channels[0].shift, shift1 = channels[1].shift, shift2 = channels[2].shift;
    uint32_t mask0 = channels[0].mask, mask1 = channels[1].mask, mask2 = channels[2].mask;
    uint32_t pitch = pitch_of(surface);
    uint64_t row_bytes = linear_row(surface, log2);
    uint32_t run = 16u >> log2; /* a tiled row is contiguous in runs of 16 bytes */
    for (uint32_t y = first; y < last; y++) {
        const uint8_t *row = base + y * row_bytes;
        for (uint32_t x = 0; x < width; x += run) {
            const uint8_t *p = surface->tiled ? base + xenos_tiled_offset(x, y, pitch, log2)
                                              : row + ((size_t)x << log2);
            uint32_t count = run < width - x ? run : width - x;
            for (uint32_t i = 0; i < count; i++, p += (size_t)1 << log2, rgba += 4) {
                uint64_t pixel = load_pixel(p, log2, endian);
                rgba[0] = channels[0].lut[pixel >> shift0 & mask0];
                rgba[1] = channels[1].lut[pixel >> shift1 & mask1];
                rgba[2] = channels[2].lut[pixel >> shift2 & mask2];
                rgba[3] = 255;
            }
        }
    }
}

static void read_band(void *context, uint32_t item)
{
    const reading *r = context;
    uint32_t first = item * BAND;
    uint32_t last = r->height - first < BAND ? r->height : first + BAND;
    if (r->log2 == 2 && r->surface->endian == 2) { /* 8in32: what nearly every title shows */
        read_rows(r, first, last, 2, 2);
    } else {
        read_rows(r, first, last, r->log2, r->surface->endian);
    }
}

void xenos_surface_read(const xenos_surface *surface, const uint8_t *memory, uint32_t width,
                        uint32_t height, const xenos_gamma *gamma, const xenos_runner *runner,
                        uint8_t *rgba)
{
    const xenos_format *format = xenos_format_of(surface->format);
    reading r = {
        .surface = surface,
        .base = memory + surface->base,
        .width = width,
        .height = height,
        .log2 = bytes_log2(format),
        .rgba = rgba,
    };
    for (uint32_t c = 0; c < 3; c++) {
        channel_setup(&r.channels[c], surface, format, c, gamma);
    }
    uint32_t items = (height + BAND - 1) / BAND;
    if (runner != NULL) {
        runner->run(runner->self, read_band, &r, items);
        return;
    }
    for (uint32_t i = 0; i < items; i++) {
        read_band(&r, i);
    }
}
