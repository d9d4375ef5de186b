/* The vertex shader: r0.x is the index (after offset and clamp) as a float, or r0 and r1 are what patch.c
 * says; other registers start at 0. What it exports becomes a soft_vertex. */
#include "soft.h"

void soft_vertex_shade(const soft_context *c, soft_worker *worker, const uint32_t *indices,
                       const soft_start *starts, uint32_t count, uint8_t *vertices)
{
    const xenos_program *program = c->vertex.program;
    soft_group *g = &worker->group;
    uint32_t used = program->temporaries ? program->temporaries : 1;
    used = used < XENOS_TEMPORARIES ? used : XENOS_TEMPORARIES;
    used = starts && used < 2 ? 2 : used;
    memset(g->r, 0, used * sizeof g->r[0]);
    for (uint32_t i = 0; i < count; i++) {
        if (!starts) {
            g->r[0].c[0][i] = (float)indices[i];
            continue;
        }
        for (uint32_t k = 0; k < 8; k++) {
            g->r[k / 4].c[k % 4][i] = starts[i][k];
        }
    }
    g->active = g->real = (1u << count) - 1;
    soft_exec(&c->vertex, g);

    int placed = program->exports >> XENOS_EXPORT_POSITION & 1;
    int misc = program->exports >> XENOS_EXPORT_MISC & 1;
    for (uint32_t i = 0; i < count; i++) {
        soft_vertex *v = (soft_vertex *)(vertices + i * c->stride);
        float position[4] = {0};
        memset(v, 0, sizeof *v);
        for (uint32_t k = 0; k < 4 && placed; k++) {
            position[k] = g->exports[XENOS_EXPORT_POSITION].c[k][i];
        }
        soft_vertex_position(c, v, position);
        v->size = -1.0f;
        if (misc) {
            /* Compared as integers: what is negative, with NaNs of that sign, is the least (xenia
             * spirv_shader_translator.cc). Kill: any bit but the sign (dxbc_shader_translator.cc). */
            uint32_t size = xenos_float_bits(g->exports[XENOS_EXPORT_MISC].c[0][i]);
            uint32_t most = xenos_float_bits(c->point_most);
            uint32_t least = xenos_float_bits(c->point_least);
            size = (int32_t)size < (int32_t)least ? least : size;
            size = (int32_t)size > (int32_t)most ? most : size;
            v->size = xenos_float(size);
            uint32_t kill = xenos_float_bits(g->exports[XENOS_EXPORT_MISC].c[2][i]);
            v->killed = (kill & 0x7FFFFFFF) != 0;
        }
        for (uint32_t k = 0; k < c->parameters; k++) {
            const soft_vec4 *from = &g->exports[c->parameter_export[k]];
            for (uint32_t j = 0; j < 4; j++) {
                v->parameter[k][j] = from->c[j][i];
            }
        }
    }
}
