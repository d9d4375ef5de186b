/* From the position that a shader wrote to clip coordinates and the screen.
 *
 * X / W and the viewport are computed in double, one rounding each; X that the shader wrote divided
 * (PA_CL_VTE_CNTL.VTX_XY_FMT) goes to the viewport as it is. A position with an infinity or a NaN in
 * X, Y or W takes its primitives away; Z that is none becomes 0. */
#include "soft.h"

enum {
    OUT_NEAR = 1u << 0,
    OUT_FAR = 1u << 1,
    OUT_LEFT = 1u << 2,
    OUT_RIGHT = 1u << 3,
    OUT_TOP = 1u << 4,
    OUT_BOTTOM = 1u << 5,
    OUT_BEHIND = 1u << 6,
    OUT_USER = 1u << 7, /* and five more */
};

/* Guard band: a factor of W, at least 1. */
static double guard(uint32_t bits)
{
    float value = xenos_float(bits);
    return value > 1.0f && value - value == 0.0f ? value : 1.0;
}

void soft_vertex_prepare(soft_context *c)
{
    const uint32_t *r = c->draw->registers;
    /* PA_CL_VTE_CNTL (xenia registers.h; spirv_shader_translator.cc for W's format). */
    uint32_t vte = r[XENOS_PA_CL_VTE_CNTL];
    for (uint32_t i = 0; i < 3; i++) {
        c->scale[i] = vte >> (2 * i) & 1 ? xenos_float(r[XENOS_PA_CL_VPORT_XSCALE + 2 * i]) : 1.0;
        c->offset[i] =
            vte >> (2 * i + 1) & 1 ? xenos_float(r[XENOS_PA_CL_VPORT_XOFFSET + 2 * i]) : 0.0;
    }
    c->xy_divided = xenos_bits(vte, 8, 1);
    c->z_divided = xenos_bits(vte, 9, 1);
    c->w_direct = xenos_bits(vte, 10, 1);
    if (xenos_bits(r[XENOS_PA_SU_SC_MODE_CNTL], 16, 1)) {
        c->window[0] = xenos_signed_bits(r[XENOS_PA_SC_WINDOW_OFFSET], 0, 15);
        c->window[1] = xenos_signed_bits(r[XENOS_PA_SC_WINDOW_OFFSET], 16, 15);
    }

    uint32_t clip = r[XENOS_PA_CL_CLIP_CNTL];
    c->clips = !xenos_bits(clip, 16, 1);
    c->cull_only = xenos_bits(clip, 17, 1);
    c->dx_space = xenos_bits(clip, 19, 1);
    c->kill_any = xenos_bits(clip, 21, 1);
    c->guard[0] = guard(r[XENOS_PA_CL_GB_HORZ_CLIP_ADJ]);
    c->guard[1] = guard(r[XENOS_PA_CL_GB_VERT_CLIP_ADJ]);
    c->discard[0] = guard(r[XENOS_PA_CL_GB_HORZ_DISC_ADJ]);
    c->discard[1] = guard(r[XENOS_PA_CL_GB_VERT_DISC_ADJ]);
    c->planes = c->clips ? xenos_bits(clip, 0, 6) : 0;
    for (uint32_t i = 0; i < 24; i++) {
        c->plane[i / 4][i % 4] = xenos_float(r[XENOS_PA_CL_UCP_0_X + i]);
    }

    /* Parameters that the pixel shader can read. */
    uint64_t written = c->draw->vertex->exports;
    uint32_t most = c->shades ? c->pixel.program->temporaries : 0;
    for (uint32_t i = 0; i < 16 && i < most; i++) {
        if (written >> i & 1) {
            uint64_t wrap = xenos_bits(r[XENOS_SQ_WRAPPING_0 + i / 8], 4 * (i % 8), 4);
            int flat = !xenos_bits(r[XENOS_SQ_INTERPOLATOR_CNTL], i, 1);
            c->wraps |= flat ? 0 : wrap << (4 * c->parameters);
            c->parameter_export[c->parameters++] = (uint8_t)i;
        }
    }
    size_t bytes = sizeof(soft_vertex) + c->parameters * 4 * sizeof(float);
    c->stride = (bytes + 15) & ~(size_t)15;
}

static int finite(double value)
{
    return value - value == 0.0;
}

/* Screen position from clip coordinates; x and y may come divided. */
static void project(const soft_context *c, soft_vertex *v, double x, double y, double z)
{
    v->x = x * c->scale[0] + c->offset[0] + c->window[0];
    v->y = y * c->scale[1] + c->offset[1] + c->window[1];
    v->z = z * c->scale[2] + c->offset[2];
    if (!finite(v->z)) {
        v->z = 0.0;
    }
    double w = v->clip[3];
    double cx = v->clip[0], cy = v->clip[1], cz = v->clip[2];
    uint32_t out = 0;
    int inside = v->x >= -SOFT_FAR && v->x <= SOFT_FAR && v->y >= -SOFT_FAR && v->y <= SOFT_FAR;
    if (c->clips) {
        out |= cz < (c->dx_space ? 0.0 : -w) ? OUT_NEAR : 0;
        out |= cz > w ? OUT_FAR : 0;
        out |= w <= 0.0 ? OUT_BEHIND : 0;
        for (uint32_t i = 0; i < 6; i++) {
            const double *p = c->plane[i];
            if (c->planes >> i & 1 && p[0] * cx + p[1] * cy + p[2] * cz + p[3] * w < 0.0) {
                out |= OUT_USER << i;
            }
        }
        inside = inside && (out & (c->cull_only ? OUT_USER - 1 : UINT32_MAX)) == 0;
        inside = inside && cx >= -c->guard[0] * w && cx <= c->guard[0] * w &&
                 cy >= -c->guard[1] * w && cy <= c->guard[1] * w;
        out |= cx < -c->discard[0] * w ? OUT_LEFT : 0;
        out |= cx > c->discard[0] * w ? OUT_RIGHT : 0;
        out |= cy < -c->discard[1] * w ? OUT_TOP : 0;
        out |= cy > c->discard[1] * w ? OUT_BOTTOM : 0;
    }
    v->outside = (uint16_t)out;
    v->inside = (uint8_t)inside;
}

void soft_vertex_place(const soft_context *c, soft_vertex *v)
{
    double w = v->clip[3];
    v->inverse_w = 1.0 / w;
    project(c, v, v->clip[0] / w, v->clip[1] / w, v->clip[2] / w);
}

void soft_vertex_position(const soft_context *c, soft_vertex *v, const float position[4])
{
    double x = position[0], y = position[1], z = position[2], w = position[3];
    double inverse = c->w_direct ? 1.0 / w : w;
    w = c->w_direct ? w : 1.0 / w;
    v->inverse_w = inverse;
    v->clip[0] = c->xy_divided ? x * w : x;
    v->clip[1] = c->xy_divided ? y * w : y;
    v->clip[2] = c->z_divided ? z * w : z;
    v->clip[3] = w;
    v->bad = !finite(v->clip[0]) || !finite(v->clip[1]) || !finite(w);
    if (v->bad) {
        return;
    }
    if (!finite(v->clip[2])) {
        v->clip[2] = z = 0.0;
    }
    if (c->w_direct) {
        project(c, v, c->xy_divided ? x : x / w, c->xy_divided ? y : y / w,
                c->z_divided ? z : z / w);
    } else {
        project(c, v, c->xy_divided ? x : x * inverse, c->xy_divided ? y : y * inverse,
                c->z_divided ? z : z * inverse);
    }
    if (!c->clips && !(finite(inverse) && finite(v->x) && finite(v->y))) {
        v->bad = 1;
    }
}
