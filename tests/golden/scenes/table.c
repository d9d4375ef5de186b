#include <stddef.h>

#include "scenes.h"

const scene_row *const *scene_table(void)
{
    static const scene_row *const rows[] = {
        &scene_primitives,     &scene_clipping,      &scene_culling,
        &scene_scissor,        &scene_points,        &scene_lines,
        &scene_msaa,           &scene_interpolation, &scene_depth,
        &scene_planes,         &scene_offset,        &scene_stencil,
        &scene_counts,         &scene_formats,       &scene_blending,
        &scene_targets,        &scene_alpha,         &scene_aliasing,
        &scene_resolves,       &scene_gamma,         &scene_texture_formats,
        &scene_texture_signs,  &scene_mips,          &scene_levels,
        &scene_address,        &scene_dimensions,    &scene_byte_orders,
        &scene_vertex_formats, &scene_memexport,     &scene_flow,
        &scene_operations,     &scene_shadows,       &scene_hdr,
        &scene_particles,      &scene_environment,   &scene_displaced,
        &scene_slices,         &scene_tessellation,  NULL,
    };
    return rows;
}
