/* Tessellation, discrete and continuous: one level for the whole draw, VGT_HOS_MAX_TESS_LEVEL + 1, at
 * most 16 (xenia d3d12_command_processor.cc). Triangles become the console's uniform grid (xenia
 * discrete_triangle.hlsli). What the vertex shader starts with, by type (dxbc_shader_translator.cc,
 * StartVertexOrDomainShader):
 *
 *     triangles          r0.xyz weights of corners 2, 1, 0; r1.xyz their indices 0, 1, 2
 *     triangle patches   r0.xyz the same; r1.x the patch, r1.y 0 (order of the weights)
 *     quads              r0.xy u, v; r0.z, r1.xyz indices of corners 0 to 3
 *     quad patches       r0.x the patch; r0.yz u, v; r1.x 0
 *
 * Discrete levels are rounded up. Continuous ones have an even number of segments, all of them
 * 1 / level long but the two in the middle, which share what is left. */
#include "soft.h"

#define MOST 16.0f

static float level(const xenos_draw *draw)
{
    float value = xenos_float(draw->registers[XENOS_VGT_HOS_MAX_TESS_LEVEL]) + 1.0f;
    value = value > 1.0f ? value : 1.0f;
    return value < MOST ? value : MOST;
}

static int continuous(const xenos_draw *draw)
{
    return xenos_bits(draw->registers[XENOS_VGT_HOS_CNTL], 0, 2) == 1;
}

uint32_t soft_patch_segments(const xenos_draw *draw)
{
    float value = level(draw);
    uint32_t n = (uint32_t)value;
    n += (float)n < value;
    return continuous(draw) ? (n + 1) & ~1u : n;
}

/* Where a side's k-th of n + 1 points lies, 0..1. */
static float at(const xenos_draw *draw, uint32_t n, uint32_t k)
{
    if (!continuous(draw) || 2 * k == n) {
        return (float)k / (float)n;
    }
    float value = level(draw);
    value = value < 2.0f ? 2.0f : value;
    return 2 * k < n ? (float)k / value : 1.0f - (float)(n - k) / value;
}

static uint32_t cut_triangle(const xenos_draw *draw, const xenos_patch *patch, uint32_t first,
                             soft_start *starts, uint32_t *start_count, uint32_t (*slots)[3])
{
    uint32_t n = soft_patch_segments(draw), vertices = 0, count = 0;
    /* Row i has i + 1 vertices, from the side of corner 1 to that of corner 2; row 0 is corner 0. */
    for (uint32_t i = 0; i <= n; i++) {
        for (uint32_t j = 0; j <= i; j++) {
            float *s = starts[vertices++];
            s[0] = (float)j / (float)n;
            s[1] = (float)(i - j) / (float)n;
            s[2] = (float)(n - i) / (float)n;
            for (int k = 0; k < 3; k++) {
                s[4 + k] = k == 0 || patch->indexed ? (float)patch->index[k] : 0.0f;
            }
            s[3] = s[7] = 0.0f;
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

uint32_t soft_patch_cut(const xenos_draw *draw, const xenos_patch *patch, uint32_t first,
                        soft_start *starts, uint32_t *start_count, uint32_t (*slots)[3])
{
    if (patch->corners == 3) {
        return cut_triangle(draw, patch, first, starts, start_count, slots);
    }
    uint32_t n = soft_patch_segments(draw), vertices = 0, count = 0;
    for (uint32_t j = 0; j <= n; j++) {
        for (uint32_t i = 0; i <= n; i++) {
            float u = at(draw, n, i), v = at(draw, n, j);
            const soft_start corners = {u,
                                        v,
                                        (float)patch->index[0],
                                        0.0f,
                                        (float)patch->index[1],
                                        (float)patch->index[2],
                                        (float)patch->index[3],
                                        0.0f};
            const soft_start whole = {(float)patch->index[0], u, v};
            memcpy(starts[vertices++], patch->indexed ? corners : whole, sizeof corners);
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
