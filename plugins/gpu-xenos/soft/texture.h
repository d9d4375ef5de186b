/* Texture units: from fetch constant, memory and coordinates to texels. */
#ifndef SOFT_TEXTURE_H
#define SOFT_TEXTURE_H

#include "../draw.h"
#include "lanes.h"

typedef struct soft_texture soft_texture;   /* a fetch constant made ready, read-only for workers */
typedef struct soft_textures soft_textures; /* those that are kept from draw to draw */

soft_textures *soft_textures_new(const xenos_memory *memory); /* NULL: no memory */
void soft_textures_free(soft_textures *textures);

/* Makes a fetch constant ready: everything that workers will read is decoded and in place when it
 * returns. A constant that is no texture, or does not lie in memory, gives one that reads as zero.
 * The answer lives until the next `prepare` after a `release`. NULL: no memory. */
const soft_texture *soft_textures_prepare(soft_textures *textures, const uint32_t fetch[6]);
/* The draw is over: what was prepared may be dropped when room is needed. */
void soft_textures_release(soft_textures *textures);
/* Memory changed. */
void soft_textures_written(soft_textures *textures, uint32_t start, uint32_t length);

/* What setTexLOD and setGradients left in a group's texture unit, and what the lanes are. */
typedef struct soft_fetch_state {
    int vertices; /* lanes are vertices: there are no neighbours, so no computed level of detail */
    soft_f lod;
    soft_f gradient_h[3], gradient_v[3];
} soft_fetch_state;

/* Executes a fetch with opcode XENOS_FETCH_TEXTURE .. XENOS_FETCH_WEIGHTS for the lanes of `active`.
 * `coordinate` is the source, swizzled; quads are as lanes.h says. The result is before the
 * destination swizzle. */
void soft_texture_fetch(const soft_texture *texture, const xenos_fetch *fetch,
                        const soft_fetch_state *state, const soft_f coordinate[3], soft_mask active,
                        soft_vec4 *result);

#endif
