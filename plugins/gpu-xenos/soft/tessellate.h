/* Cutting a patch whose sides have levels of their own: the pattern of Direct3D 11 with fractional even
 * partitioning (microsoft.github.io/DirectX-Specs, "Direct3D 11.3 Functional Specification", 11.7),
 * which xenia takes for the console's continuous and adaptive modes
 * (src/xenia/gpu/shaders/continuous_*.hlsli, adaptive_*.hs.hlsl).
 *
 * Points lie on rings around the middle. A side of the outermost ring has its own factor, the rings
 * inside one for each direction: the smaller of the sides' along it (adaptive_quad.hs.hlsl). A side
 * always has an even number of segments; half of it grows by a point at a time, which comes out of its
 * neighbour and moves to its place while the factor grows by 2. Coordinates are fixed point, 1 is
 * 0x10000, and a side seen from both its ends has the same points: patches join without cracks. */
#ifndef SOFT_TESSELLATE_H
#define SOFT_TESSELLATE_H

#include <stdint.h>

#define SOFT_SEGMENTS         16u /* of a side at most */
#define SOFT_CUT_POINTS       289u
#define SOFT_CUT_TRIANGLES    512u
#define SOFT_FACTOR(segments) ((uint32_t)(segments) << 16)

typedef struct soft_cutting {
    uint32_t points, triangles;
    /* Three corners: weights of corners 0 and 1; that of corner 2 is what is left of 1. Four: u, v. */
    uint32_t point[SOFT_CUT_POINTS][2];
    uint16_t triangle[SOFT_CUT_TRIANGLES][3]; /* wound as the patch is */
} soft_cutting;

/* Cuts a patch of 3 or 4 corners. Factor n is that of the side from corner n to the next, in 1/65536
 * segments; below 2 and above SOFT_SEGMENTS it is taken as those. Corners of four: (0, 0), (1, 0),
 * (1, 1), (0, 1). */
void soft_tessellate(uint32_t corners, const uint32_t factor[4], soft_cutting *out);

#endif
