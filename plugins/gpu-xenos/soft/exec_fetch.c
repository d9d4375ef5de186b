/* Vertex fetches, and the way to the texture units.
 *
 * Choices where the documents are silent:
 * - A vertex fetch constant of type 1 (invalid vertex buffer) is used like one of type 3: titles draw
 *   with them (xenia src/xenia/gpu/gpu_flags.cc, gpu_allow_invalid_fetch_constants). One that is a
 *   texture reads as 0.
 * - Dwords outside the constant's size or outside memory read as 0, each for itself (xenia
 *   spirv_shader_translator_fetch.cc tells the same of Adreno 200).
 * - A mini fetch follows the full one that its lane executed last.
 * - Fetches of an opcode without a name do nothing; a destination swizzle of 6 gives 0. */
#include <stddef.h>
#include <string.h>

#include "../endian.h"
#include "exec_private.h"
#include "vertex_format.h"

/* A vertex fetch constant taken apart: xenia xenos.h, xe_gpu_vertex_fetch_t. */
typedef struct stream {
    uint32_t first, end; /* dwords */
    uint32_t endian;
} stream;

static stream stream_of(const soft_stage *stage, uint32_t constant)
{
    const uint32_t *words = &stage->registers[XENOS_CONSTANT_FETCH + 2u * (constant % 96u)];
    stream s = {.first = (words[0] & 0x1FFFFFFFu) >> 2, .endian = words[1] & 3u};
    uint32_t size = words[1] >> 2 & 0xFFFFFFu;
    uint32_t memory = stage->memory->size >> 2;
    s.end = s.first + size;
    s.end = s.end < memory ? s.end : memory;
    if ((words[0] & 1u) == 0) { /* types 0 and 2 are textures */
        s.end = 0;
    }
    return s;
}

/* floor(index), or the nearest integer (halves up), times the stride. Indices end at 32 bits, far
 * beyond memory; NaN counts as the lowest. */
static int64_t offset_of(float index, const xenos_fetch *fetch)
{
    double whole = (double)index;
    if (fetch->round_index) {
        whole = (double)(index + 0.5f);
    }
    whole = whole >= -2147483648.0 ? whole : -2147483648.0;
    whole = whole > 2147483647.0 ? 2147483647.0 : whole;
    int64_t below = (int64_t)whole;
    below -= (double)below > whole;
    return below * fetch->stride;
}

/* Writes a fetch's result where its destination swizzle wants it. */
static void store(soft_machine *m, const xenos_fetch *fetch, soft_mask mask)
{
    soft_vec4 *to = &m->group->r[soft_temporary(m, fetch->dest, fetch->dest_relative)];
    soft_i lanes = soft_expand(mask);
    for (uint32_t c = 0; c < 4; c++) {
        uint32_t swizzle = fetch->dest_swizzle[c];
        if (swizzle == XENOS_SWIZZLE_KEEP) {
            continue;
        }
        for (int i = 0; i < SOFT_PARTS; i++) {
            part_f value = part_splat(swizzle == XENOS_SWIZZLE_1 ? 0x3F800000u : 0);
            if (swizzle < 4) {
                value = part_flush(((const part_f *)&m->result.c[swizzle])[i]);
            }
            part_f *at = (part_f *)&to->c[c] + i;
            *at = part_select(((const part_i *)&lanes)[i], value, *at);
        }
    }
}

/* Where the lanes' elements begin, as a mini fetch will want to know again. */
static void set_addresses(soft_machine *m, const xenos_fetch *fetch, soft_mask mask)
{
    const soft_vec4 *source =
        &m->group->r[soft_temporary(m, fetch->source, fetch->source_relative)];
    const float *index = (const float *)&source->c[fetch->source_swizzle[0] & 3u];
    for (uint32_t lane = 0; lane < SOFT_LANES; lane++) {
        if (mask >> lane & 1) {
            m->vertex_address[lane] = offset_of(index[lane], fetch);
            m->vertex_constant[lane] = fetch->constant;
        }
    }
}

static void vertex_fetch(soft_machine *m, const xenos_fetch *fetch, soft_mask mask)
{
    if (!fetch->mini) {
        set_addresses(m, fetch, mask);
    }
    uint32_t data[4][SOFT_LANES] __attribute__((aligned(64)));
    uint32_t dwords = soft_vertex_dwords(fetch->format);
    memset(data, 0, dwords * sizeof data[0]);
    const uint8_t *bytes = m->stage->memory->bytes;
    uint32_t constant = UINT32_MAX;
    stream s = {0};
    for (uint32_t lane = 0; lane < SOFT_LANES; lane++) {
        if (!(mask >> lane & 1)) {
            continue;
        }
        if (m->vertex_constant[lane] != constant) {
            constant = m->vertex_constant[lane];
            s = stream_of(m->stage, constant);
        }
        int64_t at = (int64_t)s.first + m->vertex_address[lane] + fetch->offset;
        for (uint32_t i = 0; i < dwords; i++) {
            if (at + i >= s.first && at + i < s.end) {
                uint32_t word = xenos_load32(bytes + 4 * (size_t)(at + i));
                data[i][lane] = s.endian == XENOS_ENDIAN_8IN32
                                    ? xenos_swap32(word, XENOS_ENDIAN_8IN32)
                                    : xenos_swap32(word, s.endian);
            }
        }
    }
    soft_vertex_unpack(fetch, (const uint32_t(*)[SOFT_LANES])data, &m->result);
    store(m, fetch, mask);
}

/* setTexLOD and setGradients: what the next fetches use. */
static void set_state(soft_f *to, const soft_f *from, uint32_t count, soft_mask mask)
{
    soft_i lanes = soft_expand(mask);
    for (uint32_t c = 0; c < count; c++) {
        to[c] = soft_select(lanes, from[c], to[c]);
    }
}

static void texture_fetch(soft_machine *m, const xenos_fetch *fetch, soft_mask mask)
{
    const soft_vec4 *source =
        &m->group->r[soft_temporary(m, fetch->source, fetch->source_relative)];
    soft_f coordinate[3];
    for (uint32_t c = 0; c < 3; c++) {
        coordinate[c] = source->c[fetch->source_swizzle[c] & 3u];
    }
    switch (fetch->opcode) {
    case XENOS_FETCH_SET_LOD:
        set_state(&m->fetch.lod, coordinate, 1, mask);
        return;
    case XENOS_FETCH_SET_GRADIENTS_H:
        set_state(m->fetch.gradient_h, coordinate, 3, mask);
        return;
    case XENOS_FETCH_SET_GRADIENTS_V:
        set_state(m->fetch.gradient_v, coordinate, 3, mask);
        return;
    default:
        break;
    }
    const struct soft_texture *texture =
        m->stage->textures != NULL ? m->stage->textures[fetch->constant & 31u] : NULL;
    if (texture == NULL) {
        m->result = (soft_vec4){0};
    } else {
        soft_texture_fetch(texture, fetch, &m->fetch, coordinate, mask, &m->result);
        m->group->executed += SOFT_FETCH_COST - 1;
    }
    store(m, fetch, mask);
}

void soft_fetch_run(soft_machine *m, const xenos_fetch *fetch, soft_mask mask)
{
    mask = soft_predicated(m, fetch->predicated, fetch->condition, mask);
    if (mask == 0 || xenos_fetch_name(fetch->opcode) == NULL) {
        return;
    }
    if (fetch->opcode == XENOS_FETCH_VERTEX) {
        vertex_fetch(m, fetch, mask);
    } else {
        texture_fetch(m, fetch, mask);
    }
}
