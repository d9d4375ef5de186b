/* Memory export: eA names a stream, eM0..eM4 are its elements index..index + 4.
 *
 * eA is a float constant that holds integers in the mantissas of normal numbers (xenia xenos.h,
 * xe_gpu_memexport_stream_t, after the IPR2015-00325 sequencer specification): x the dword address
 * under 0b01, y the index under the exponent of 2^23, z the format, w the number of elements. An
 * export is dropped where x, y, z or w have other upper bits or the element lies beyond the stream.
 *
 * Choices where that is silent:
 * - Fixed-point values are clamped to what the field holds, NaN is 0, halves go away from zero
 *   (Direct3D's conversion; xenia spirv_shader_translator_memexport.cc rounds the same way).
 * - Byte swaps act inside an element: 8in128 of a 64-bit element is 8in64, and so on down.
 * - An alloc of any kind, the end of the shader and a pixel's death write out what is pending.
 * - Elements beyond memory are dropped. */
#include <string.h>

#include "../endian.h"
#include "../format.h"
#include "exec_private.h"
#include "vertex_format.h"

/* Color formats that are floats (xenia xenos.h, ColorFormat). */
enum {
    COLOR_16_FLOAT = 30,
    COLOR_16_16_FLOAT = 31,
    COLOR_16_16_16_16_FLOAT = 32,
    COLOR_32_FLOAT = 36,
    COLOR_32_32_FLOAT = 37,
    COLOR_32_32_32_32_FLOAT = 38,
};

/* Bytes of an element; 0: memory export has no such format. */
static uint32_t element_bytes(uint32_t format)
{
    switch (format) {
    case COLOR_16_FLOAT:
    case COLOR_16_16_FLOAT:
    case COLOR_16_16_16_16_FLOAT:
    case COLOR_32_FLOAT:
    case COLOR_32_32_FLOAT:
    case COLOR_32_32_32_32_FLOAT:
    case 24: /* 16 */
    case 25: /* 16_16 */
    case 26: /* 16_16_16_16 */
        return xenos_format_of(format)->bits / 8u;
    default: {
        const xenos_format *row = xenos_format_of(format);
        uint32_t sum = 0;
        for (uint32_t i = 0; i < row->components && i < 4; i++) {
            sum += row->width[i];
        }
        return sum == row->bits && sum <= 32 ? sum / 8u : 0;
    }
    }
}

/* Widths of a fixed-point format's fields. */
static void field_widths(uint32_t format, uint8_t width[4])
{
    memset(width, 0, 4);
    if (format >= 24 && format <= 26) { /* 16, 16_16, 16_16_16_16 */
        memset(width, 16, (size_t)1 << (format - 24));
        return;
    }
    const xenos_format *row = xenos_format_of(format);
    for (uint32_t i = 0; i < row->components && i < 4; i++) {
        width[i] = row->width[i];
    }
}

static uint32_t fixed(float value, uint32_t width, int is_signed, int integer)
{
    double v = value == value ? (double)value : 0.0;
    double top = (double)((UINT64_C(1) << (is_signed ? width - 1 : width)) - 1u);
    double bottom = 0.0;
    if (is_signed) {
        bottom = integer ? -top - 1.0 : -top;
    }
    if (!integer) {
        v = v < -1.0 ? -1.0 : v > 1.0 ? 1.0 : v;
        v *= top;
    }
    v = v < bottom ? bottom : v > top ? top : v;
    int64_t whole = (int64_t)(v < 0.0 ? v - 0.5 : v + 0.5);
    return (uint32_t)whole & (UINT32_MAX >> (32u - width));
}

/* Packs one element into dwords. */
static void pack(const uint32_t value[4], uint32_t format, uint32_t number, uint32_t out[4])
{
    memset(out, 0, 16);
    switch (format) {
    case COLOR_16_FLOAT:
    case COLOR_16_16_FLOAT:
    case COLOR_16_16_16_16_FLOAT:
        for (uint32_t i = 0; i < 4; i++) {
            out[i / 2] |= soft_float_to_half(value[i]) << (i % 2 * 16u);
        }
        return;
    case COLOR_32_FLOAT:
    case COLOR_32_32_FLOAT:
    case COLOR_32_32_32_32_FLOAT:
        memcpy(out, value, 16);
        return;
    default:
        break;
    }
    uint8_t width[4];
    field_widths(format, width);
    uint32_t at = 0;
    for (uint32_t i = 0; i < 4 && width[i] != 0; i++) {
        float v;
        memcpy(&v, &value[i], sizeof v);
        out[at >> 5] |= fixed(v, width[i], number & 1u, number >> 1 & 1u) << (at & 31u);
        at += width[i];
    }
}

/* Endian128: 0..3 as endian.h, 4 8in64, 5 8in128. */
static void swap(uint32_t words[4], uint32_t bytes, uint32_t mode)
{
    if (bytes == 1) {
        return;
    }
    if (mode == 5 && bytes == 16) {
        uint32_t w[4] = {words[3], words[2], words[1], words[0]};
        memcpy(words, w, sizeof w);
    } else if (mode >= 4 && bytes >= 8) {
        uint32_t w[4] = {words[1], words[0], words[3], words[2]};
        memcpy(words, w, sizeof w);
    }
    if (bytes == 2) {
        words[0] =
            xenos_swap16((uint16_t)words[0], mode == 3 || mode == 0 ? 0 : XENOS_ENDIAN_8IN16);
        return;
    }
    for (uint32_t i = 0; i < 4; i++) {
        words[i] = xenos_swap32(words[i], mode >= 4 ? XENOS_ENDIAN_8IN32 : mode);
    }
}

static void export_lane(soft_machine *m, uint32_t lane, uint32_t elements)
{
    const uint32_t(*exports)[4][SOFT_LANES] = (const uint32_t(*)[4][SOFT_LANES])m->group->exports;
    uint32_t a[4];
    for (uint32_t c = 0; c < 4; c++) {
        a[c] = exports[XENOS_EXPORT_ADDRESS][c][lane];
    }
    if (a[0] >> 30 != 1u || a[1] >> 23 != 0x96u || a[2] >> 23 != 0x96u || a[3] >> 23 != 0x96u) {
        return;
    }
    const xenos_memory *memory = m->stage->memory;
    uint32_t index = a[1] & 0x7FFFFFu, count = a[3] & 0x7FFFFFu;
    uint32_t format = a[2] >> 8 & 63u;
    uint32_t bytes = element_bytes(format);
    uint64_t base = (uint64_t)((a[0] << 2) & 0x1FFFFFFFu);
    for (uint32_t e = 0; e < 5; e++) {
        uint64_t start = base + (uint64_t)bytes * (index + e);
        if (!(elements >> e & 1) || bytes == 0 || index + e >= count ||
            start + bytes > memory->size) {
            continue;
        }
        uint32_t value[4], words[4];
        for (uint32_t c = 0; c < 4; c++) {
            uint32_t from = a[2] >> 19 & 1u && c != 1 && c != 3 ? 2 - c : c;
            value[c] = exports[XENOS_EXPORT_DATA0 + e][from][lane];
        }
        pack(value, format, a[2] >> 16 & 7u, words);
        swap(words, bytes, a[2] & 7u);
        uint8_t packed[16];
        for (uint32_t i = 0; i < 4; i++) {
            xenos_store32(packed + 4 * i, words[i]);
        }
        memcpy(memory->bytes + start, packed, bytes);
        if (memory->written != NULL) {
            memory->written(memory->context, (uint32_t)start, bytes);
        }
    }
}

void soft_memory_export(soft_machine *m, soft_mask mask)
{
    soft_mask pending = 0;
    for (uint32_t e = 0; e < 5; e++) {
        pending |= m->written[e];
    }
    soft_mask export = pending & mask & m->group->real & ~m->group->killed;
    for (uint32_t lane = 0; export != 0 && lane < SOFT_LANES; lane++) {
        if (!(export >> lane & 1)) {
            continue;
        }
        uint32_t elements = 0;
        for (uint32_t e = 0; e < 5; e++) {
            elements |= (m->written[e] >> lane & 1u) << e;
        }
        export_lane(m, lane, elements);
    }
    for (uint32_t e = 0; e < 5; e++) {
        m->written[e] &= ~mask;
    }
}
