/* A texture unit for shaders that fetch none. */
#include "soft/texture.h"

void soft_texture_fetch(const soft_texture *texture, const xenos_fetch *fetch,
                        const soft_fetch_state *state, const soft_f coordinate[3], soft_mask active,
                        soft_vec4 *result)
{
    *result = (soft_vec4){0};
}
