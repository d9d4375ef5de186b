/* The scenes, by file. */
#ifndef TESTS_GOLDEN_SCENES_H
#define TESTS_GOLDEN_SCENES_H

#include "scene.h"

/* scenes_shapes.c */
extern const scene_row scene_primitives, scene_clipping, scene_culling, scene_scissor, scene_points,
    scene_lines, scene_msaa, scene_interpolation;

/* scenes_depth.c */
extern const scene_row scene_depth, scene_planes, scene_offset, scene_stencil, scene_counts;

/* scenes_color.c */
extern const scene_row scene_formats, scene_blending, scene_targets, scene_alpha, scene_aliasing,
    scene_resolves, scene_gamma;

/* scenes_texture.c */
extern const scene_row scene_texture_formats, scene_texture_signs, scene_mips, scene_levels,
    scene_address, scene_dimensions, scene_byte_orders;

/* scenes_shader.c */
extern const scene_row scene_vertex_formats, scene_memexport, scene_flow, scene_operations;

/* scenes_techniques.c */
extern const scene_row scene_shadows, scene_hdr, scene_particles, scene_environment,
    scene_displaced, scene_slices, scene_tessellation;

#endif
