/* Tessellated draws: how finely a patch is cut, and what the vertex shader starts with, by type (xenia
 * dxbc_shader_translator.cc, StartVertexOrDomainShader):
 *
 *     triangles          r0.xyz weights of corners 2, 1, 0; r1.xyz their indices 0, 1, 2
 *     triangle patches   r0.xyz the same; r1.x the patch, r1.y 0 (order of the weights)
 *     quads              r0.xy u, v; r0.z, r1.xyz indices of corners 0 to 3
 *     quad patches       r0.x the patch; r0.yz u, v; r1.x 0 (order of u and v)
 *
 * A level is one less than a side's segments, which are 1 to 16 (d3d12_command_processor.cc,
 * "Tessellation factor range"; AMD_vertex_shader_tessellator ends at 15).
 *
 * Discrete: VGT_HOS_MAX_TESS_LEVEL rounded up, for the whole draw, and a uniform grid whose diagonals
 * are parallel (discrete_triangle.hlsli; the figures of AMD_vertex_shader_tessellator). Continuous:
 * the same level as it is, cut by tessellate.c. Adaptive: each side's level from the "indices", no
 * less than VGT_HOS_MIN_TESS_LEVEL and no more than MAX; what is not a number is the least
 * (tessellation_adaptive.vs.hlsl). No level culls a patch. */
#include "soft.h"

#include "tessellate.h"

static float register_level(const xenos_draw *draw, uint32_t number)
{
    return xenos_float(draw->registers[number]) + 1.0f;
}

static uint32_t mode_of(const xenos_draw *draw)
{
    return xenos_bits(draw->registers[XENOS_VGT_HOS_CNTL], 0, 2);
}

/* Segments of a discrete draw. */
static uint32_t segments(const xenos_draw *draw)
{
    float value = register_level(draw, XENOS_VGT_HOS_MAX_TESS_LEVEL);
    value = value > 1.0f ? value : 1.0f;
    value = value < (float)SOFT_SEGMENTS ? value : (float)SOFT_SEGMENTS;
    uint32_t n = (uint32_t)value;
    return n + ((float)n < value);
}

/* Segments to 1/65536. */
static uint32_t fixed(float value)
{
    value = value > 0.0f ? value : 0.0f;
    value = value < (float)SOFT_SEGMENTS ? value : (float)SOFT_SEGMENTS;
    return (uint32_t)((double)value * SOFT_FACTOR(1) + 0.5);
}

static void side_factors(const xenos_draw *draw, const xenos_patch *patch, uint32_t factor[4])
{
    float least = register_level(draw, XENOS_VGT_HOS_MIN_TESS_LEVEL);
    float most = register_level(draw, XENOS_VGT_HOS_MAX_TESS_LEVEL);
    for (uint32_t i = 0; i < 4; i++) {
        float value = most;
        if (mode_of(draw) == XENOS_PATCHES_ADAPTIVE) {
            value = xenos_float(patch->factor[i]) + 1.0f;
            value = value > least ? value : least;
            value = value < most ? value : most;
        }
        factor[i] = fixed(value);
    }
}

/* The start of a point of a triangle, from the weights of its corners. */
static void start_triangle(const xenos_patch *patch, const float weight[3], float *s)
{
    for (int k = 0; k < 3; k++) {
        s[k] = weight[2 - k];
        s[4 + k] = k == 0 || patch->indexed ? (float)patch->index[k] : 0.0f;
    }
    s[3] = s[7] = 0.0f;
}

static void start_quad(const xenos_patch *patch, float u, float v, float *s)
{
    const soft_start corners = {u,
                                v,
                                (float)patch->index[0],
                                0.0f,
                                (float)patch->index[1],
                                (float)patch->index[2],
                                (float)patch->index[3],
                                0.0f};
    const soft_start whole = {(float)patch->index[0], u, v};
    memcpy(s, patch->indexed ? corners : whole, sizeof corners);
}

static uint32_t cut_triangle(uint32_t n, const xenos_patch *patch, uint32_t first,
                             soft_start *starts, uint32_t *start_count, uint32_t (*slots)[3])
{
    uint32_t vertices = 0, count = 0;
    /* Row i has i + 1 vertices, from the side of corner 1 to that of corner 2; row 0 is corner 0. */
    for (uint32_t i = 0; i <= n; i++) {
        for (uint32_t j = 0; j <= i; j++) {
            const float weight[3] = {(float)(n - i) / (float)n, (float)(i - j) / (float)n,
                                     (float)j / (float)n};
            start_triangle(patch, weight, starts[vertices++]);
        }
    }
    for (uint32_t i = 0; i < n; i++) {
        uint32_t row = first + i * (i + 1) / 2, below = row + i + 1;
        for (uint32_t j = 0; j <= i; j++) {
            const uint32_t up[3] = {row + j, below + j, below + j + 1};
            memcpy(slots[count++], up, sizeof up);
            if (j < i) {
                const uint32_t down[3] = {row + j, below + j + 1, row + j + 1};
                memcpy(slots[count++], down, sizeof down);
            }
        }
    }
    *start_count = vertices;
    return count;
}

static uint32_t cut_quad(uint32_t n, const xenos_patch *patch, uint32_t first, soft_start *starts,
                         uint32_t *start_count, uint32_t (*slots)[3])
{
    uint32_t vertices = 0, count = 0;
    for (uint32_t j = 0; j <= n; j++) {
        for (uint32_t i = 0; i <= n; i++) {
            start_quad(patch, (float)i / (float)n, (float)j / (float)n, starts[vertices++]);
        }
    }
    for (uint32_t j = 0; j < n; j++) {
        for (uint32_t i = 0; i < n; i++) {
            uint32_t a = first + j * (n + 1) + i, b = a + 1, c = a + n + 2, d = a + n + 1;
            const uint32_t halves[2][3] = {{a, b, c}, {a, c, d}};
            memcpy(slots[count++], halves[0], sizeof halves[0]);
            memcpy(slots[count++], halves[1], sizeof halves[1]);
        }
    }
    *start_count = vertices;
    return count;
}

static uint32_t cut_by_side(const xenos_draw *draw, const xenos_patch *patch, uint32_t first,
                            soft_start *starts, uint32_t *start_count, uint32_t (*slots)[3])
{
    soft_cutting cutting;
    uint32_t factor[4];
    side_factors(draw, patch, factor);
    soft_tessellate(patch->corners, factor, &cutting);
    for (uint32_t i = 0; i < cutting.points; i++) {
        const uint32_t *p = cutting.point[i];
        float x = (float)p[0] / 65536.0f, y = (float)p[1] / 65536.0f;
        if (patch->corners == 3) {
            const float weight[3] = {x, y, (float)(65536u - p[0] - p[1]) / 65536.0f};
            start_triangle(patch, weight, starts[i]);
        } else {
            start_quad(patch, x, y, starts[i]);
        }
    }
    for (uint32_t i = 0; i < cutting.triangles; i++) {
        for (uint32_t k = 0; k < 3; k++) {
            slots[i][k] = first + cutting.triangle[i][k];
        }
    }
    *start_count = cutting.points;
    return cutting.triangles;
}

uint32_t soft_patch_cut(const xenos_draw *draw, const xenos_patch *patch, uint32_t first,
                        soft_start *starts, uint32_t *start_count, uint32_t (*slots)[3])
{
    if (mode_of(draw) != XENOS_PATCHES_DISCRETE) {
        return cut_by_side(draw, patch, first, starts, start_count, slots);
    }
    return (patch->corners == 3 ? cut_triangle : cut_quad)(segments(draw), patch, first, starts,
                                                           start_count, slots);
}
