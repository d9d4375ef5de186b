/* Fetch instructions: from coordinates to filtered texels, sixteen lanes at a time.
 *
 * Coordinates become texels of the level in single precision and are then rounded to the nearest
 * 1/256 (Direct3D 11.3 functional specification 3.2.4.1; xenia adds 1.5/1024 of a texel for the same
 * end, spirv_shader_translator_fetch.cc): texel and weights are integers from there on. Weights are
 * 8 bits within a level and between layers, 6 between levels. A filter computes, in this order,
 * along x, y, z and levels, a * (1 - w) + b * w in single precision, and a alone where w is 0;
 * components of up to 8 bits stay exact within a level. The sum's number then becomes the value:
 * (number - offset) / divisor, texture_image.h.
 *
 * Choices where sources are silent: NaN coordinates count as minus infinity; offsets are of the level
 * that is fetched; layers of a stack clamp to the last; faces of a cube do not filter into each
 * other; border texels around a stored image, arbitrary filters, tri_clamp, aniso_bias and the
 * nearest clamp policy are not modelled. getBCF gives the fraction in x. */
#include "sampler.h"

#include <string.h>

static uint32_t chosen(uint32_t instruction, uint32_t constant)
{
    return instruction == XENOS_FILTER_CONSTANT ? constant : instruction;
}

static uint8_t is_linear(uint32_t instruction, uint32_t constant)
{
    return chosen(instruction, constant) != XENOS_FILTER_POINT;
}

static void set_filters(soft_sampling *s, const soft_texture *texture, const xenos_fetch *fetch)
{
    s->mip_filter = (uint8_t)chosen(fetch->mip_filter, texture->mip_filter);
    s->linear[0][0] = is_linear(fetch->mag_filter, texture->mag_filter);
    s->linear[0][1] = is_linear(fetch->min_filter, texture->min_filter);
    s->linear[1][0] =
        s->directions == 3 && is_linear(fetch->vol_mag_filter, texture->vol_mag_filter);
    s->linear[1][1] =
        s->directions == 3 && is_linear(fetch->vol_min_filter, texture->vol_min_filter);
}

/* The cube instruction leaves 1..2 in x and y, and the face in z. */
static void set_cube(soft_sampling *s, const xenos_fetch *fetch, uint32_t slices)
{
    int32_t last = slices < 6 ? (int32_t)slices - 1 : 5;
    s->mode[0] = s->mode[1] = SOFT_CLAMP_EDGE;
    for (int i = 0; i < SOFT_LANES; i++) {
        s->coordinate[0][i] -= 1.0f;
        s->coordinate[1][i] -= 1.0f;
        float face = s->coordinate[2][i] + (float)fetch->offset_z * 0.5f;
        s->slice[i] = face > 0.0f ? face < (float)last ? (int32_t)face : last : 0;
    }
}

/* Whether texel coordinates fit an integer without limits: 1024 times 8192 does. */
static int are_tame(const soft_sampling *s)
{
    const uint32_t wild = 0x44800000u; /* 1024.0 */
    for (int d = 0; d < s->directions; d++) {
        uint32_t bits[SOFT_LANES];
        uint32_t above = 0;
        memcpy(bits, s->coordinate[d], sizeof bits);
        for (int i = 0; i < SOFT_LANES; i++) {
            above |= wild - 1 - (bits[i] & 0x7FFFFFFFu);
        }
        if (above >> 31) {
            return 0;
        }
    }
    return 1;
}

static void set_up(soft_sampling *s, const soft_texture *texture, const xenos_fetch *fetch,
                   const soft_f coordinate[3], const soft_footprint *print)
{
    const xenos_texture *layout = &texture->image->layout;
    memcpy(s->coordinate, coordinate, sizeof s->coordinate);
    memset(s->slice, 0, sizeof s->slice);
    memcpy(s->lod, print->lod, sizeof s->lod);
    memcpy(s->mode, texture->clamp, sizeof s->mode);
    s->texture = texture;
    s->image = texture->image;
    s->normalized = !fetch->unnormalized;
    s->offset[0] = fetch->offset_x;
    s->offset[1] = fetch->offset_y;
    s->offset[2] = fetch->offset_z;
    s->base[0] = (float)layout->width;
    s->base[1] = (float)layout->height;
    s->base[2] = (float)layout->depth;
    s->directions = fetch->dimension == XENOS_DIMENSION_1D ? 1 : 2;
    if (fetch->dimension == XENOS_DIMENSION_3D) {
        s->directions = 3;
        if (layout->dimension != XENOS_TEXTURE_3D) {
            s->mode[2] = SOFT_CLAMP_EDGE;
        }
    } else if (fetch->dimension == XENOS_DIMENSION_CUBE) {
        set_cube(s, fetch, layout->depth);
    }
    s->flat = layout->depth == 1 || (s->directions < 3 && fetch->dimension != XENOS_DIMENSION_CUBE);
    s->tame = s->normalized && layout->width <= 8192 && are_tame(s);
    s->borders = 0;
    for (int d = 0; d < s->directions; d++) {
        s->borders |= s->mode[d] >= SOFT_CLAMP_HALFWAY;
    }
    set_filters(s, texture, fetch);
}

/* Several samples along the longer axis of the footprint; lanes have counts of their own. */
static void sample_along(soft_sampling *s, const soft_footprint *print, soft_vec4 *number)
{
    float centre[3][SOFT_LANES];
    memcpy(centre, s->coordinate, sizeof centre);
    memset(number, 0, sizeof *number);
    for (uint32_t n = 0; n < print->samples; n++) {
        for (int i = 0; i < SOFT_LANES; i++) {
            float step = ((float)n + 0.5f) / (float)print->count[i] - 0.5f;
            for (int d = 0; d < s->directions && print->count[i] > 1; d++) {
                s->coordinate[d][i] = centre[d][i] + print->axis[d][i] * step;
            }
        }
        soft_vec4 one;
        soft_sample(s, &one);
        soft_i counts;
        memcpy(&counts, print->count, sizeof counts);
        for (int c = 0; c < 4; c++) {
            number->c[c] += soft_select(counts > (int32_t)n, one.c[c], soft_splat(0));
        }
    }
    for (int c = 0; c < 4; c++) {
        for (int i = 0; i < SOFT_LANES; i++) {
            number->c[c][i] = number->c[c][i] / (float)print->count[i];
        }
    }
}

static void finish(const soft_image *image, soft_vec4 *number)
{
    for (int c = 0; c < 4; c++) {
        if (image->offset[c] != 0) {
            number->c[c] = number->c[c] - image->offset[c];
        }
        if (image->divisor[c] != 1) {
            number->c[c] = number->c[c] / image->divisor[c];
        }
    }
}

/* Derivatives of x and y along the screen's x and y, in xenia's order. */
static void fetch_gradients(const soft_f coordinate[3], soft_vec4 *result)
{
    for (int i = 0; i < SOFT_LANES; i++) {
        int first = i & ~3;
        for (int c = 0; c < 4; c++) {
            const soft_f *from = &coordinate[c >> 1];
            result->c[c][i] = (*from)[first + 1 + (c & 1)] - (*from)[first];
        }
    }
}

/* Nothing depends on the level of detail: one level, and one filter near and far. */
static int needs_no_footprint(const soft_texture *texture, const xenos_fetch *fetch)
{
    const xenos_texture *layout = &texture->image->layout;
    uint32_t aniso =
        fetch->aniso_filter == XENOS_ANISO_CONSTANT ? texture->aniso_filter : fetch->aniso_filter;
    return layout->min_level == layout->max_level && aniso <= 1 &&
           is_linear(fetch->mag_filter, texture->mag_filter) ==
               is_linear(fetch->min_filter, texture->min_filter) &&
           is_linear(fetch->vol_mag_filter, texture->vol_mag_filter) ==
               is_linear(fetch->vol_min_filter, texture->vol_min_filter);
}

static void fetch_from(const soft_texture *texture, const xenos_fetch *fetch,
                       const soft_footprint *print, const soft_f coordinate[3], soft_vec4 *result)
{
    soft_sampling sampling;
    set_up(&sampling, texture, fetch, coordinate, print);
    if (fetch->opcode != XENOS_FETCH_TEXTURE) {
        soft_f border;
        soft_sample_weights(&sampling, result, &border);
        if (fetch->opcode == XENOS_FETCH_BORDER_FRACTION) {
            memset(result, 0, sizeof *result);
            result->c[0] = border;
        }
        return;
    }
    if (print->samples > 1) {
        sample_along(&sampling, print, result);
    } else {
        soft_sample(&sampling, result);
    }
    finish(texture->image, result);
}

void soft_texture_fetch(const soft_texture *texture, const xenos_fetch *fetch,
                        const soft_fetch_state *state, const soft_f coordinate[3], soft_mask active,
                        soft_vec4 *result)
{
    (void)active; /* all lanes are computed; those that are not wanted harm nothing */
    int known =
        fetch->opcode == XENOS_FETCH_TEXTURE ||
        (fetch->opcode >= XENOS_FETCH_BORDER_FRACTION && fetch->opcode <= XENOS_FETCH_WEIGHTS);
    if (fetch->opcode == XENOS_FETCH_GRADIENTS) {
        fetch_gradients(coordinate, result);
        return;
    }
    if (!known || texture == NULL || texture->image == NULL) {
        memset(result, 0, sizeof *result);
        return;
    }
    soft_footprint print;
    if (fetch->opcode == XENOS_FETCH_TEXTURE && needs_no_footprint(texture, fetch)) {
        memset(&print, 0, sizeof print);
    } else {
        soft_texture_footprint(texture, fetch, state, coordinate, &print);
    }
    if (fetch->opcode == XENOS_FETCH_COMPUTED_LOD) {
        memset(result, 0, sizeof *result);
        for (int i = 0; i < SOFT_LANES; i++) {
            result->c[0][i] = (float)print.computed[i] * 0x1p-16f;
        }
        return;
    }
    fetch_from(texture, fetch, &print, coordinate, result);
}
