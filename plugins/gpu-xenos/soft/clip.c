/* Clipping against the planes of clip space: near, far, in front, the guard band, the user's, and the
 * window that fixed-point coordinates can say.
 *
 * In double, on clip coordinates. A side that a plane cuts is cut starting from its inner end, so that
 * both triangles of a shared side get the same corner. */
#include "soft.h"

/* The least W that is in front: 1 / W stays finite. */
#define FRONT 0x1p-100

typedef struct plane {
    double n[4];
    double d;
} plane;

static double distance(const plane *p, const soft_vertex *v)
{
    const double *c = v->clip;
    return p->n[0] * c[0] + p->n[1] * c[1] + p->n[2] * c[2] + p->n[3] * c[3] - p->d;
}

static uint32_t collect(const soft_context *c, plane out[17], double sign)
{
    uint32_t n = 0;
    if (c->clips) {
        out[n++] = (plane){{0, 0, 0, 1}, FRONT};
        out[n++] = (plane){{0, 0, 1, c->dx_space ? 0 : 1}, 0};
        out[n++] = (plane){{0, 0, -1, 1}, 0};
        out[n++] = (plane){{1, 0, 0, c->guard[0]}, 0};
        out[n++] = (plane){{-1, 0, 0, c->guard[0]}, 0};
        out[n++] = (plane){{0, 1, 0, c->guard[1]}, 0};
        out[n++] = (plane){{0, -1, 0, c->guard[1]}, 0};
        for (uint32_t i = 0; i < 6 && !c->cull_only; i++) {
            if (c->planes >> i & 1) {
                const double *p = c->plane[i];
                out[n++] = (plane){{p[0], p[1], p[2], p[3]}, 0};
            }
        }
    }
    /* |x scale + (offset + window) w| <= far w, and the same for y; a pixel's margin for rounding. */
    const double reach = SOFT_FAR - 1.0;
    for (int axis = 0; axis < 2; axis++) {
        double scale = c->scale[axis] * sign;
        double offset = c->offset[axis] + c->window[axis];
        plane low = {{0, 0, 0, (reach + offset) * sign}, 0};
        plane high = {{0, 0, 0, (reach - offset) * sign}, 0};
        low.n[axis] = scale;
        high.n[axis] = -scale;
        out[n++] = low;
        out[n++] = high;
    }
    return n;
}

/* The corner where a side leaves: t of the way from `in` to `out`. */
static const soft_vertex *cut(const soft_context *c, soft_cuts *cuts, const soft_vertex *in,
                              const soft_vertex *out, double t)
{
    if (cuts->used == cuts->limit) {
        return NULL;
    }
    soft_vertex *v = (soft_vertex *)(cuts->bytes + cuts->used++ * c->stride);
    memset(v, 0, sizeof *v);
    for (int i = 0; i < 4; i++) {
        v->clip[i] = in->clip[i] + t * (out->clip[i] - in->clip[i]);
    }
    for (uint32_t k = 0; k < c->parameters; k++) {
        for (int i = 0; i < 4; i++) {
            double a = in->parameter[k][i], b = out->parameter[k][i];
            float between = (float)(a + t * (b - a));
            v->parameter[k][i] = between == between ? between : xenos_float(UINT32_MAX);
        }
    }
    v->size = in->size;
    soft_vertex_place(c, v);
    return v;
}

uint32_t soft_clip(const soft_context *c, soft_cuts *cuts, const soft_vertex *corner[SOFT_POLYGON],
                   uint32_t count)
{
    double sign = 1.0;
    if (!c->clips) {
        /* Nothing holds W above 0 here; where its sign changes there is no polygon on the screen. */
        for (uint32_t i = 0; i < count; i++) {
            double s = corner[i]->clip[3] < 0 ? -1.0 : 1.0;
            if (i > 0 && s != sign) {
                return 0;
            }
            sign = s;
        }
    }
    plane planes[17];
    uint32_t n = collect(c, planes, sign);
    const soft_vertex *kept[SOFT_POLYGON];
    for (uint32_t p = 0; p < n; p++) {
        double d[SOFT_POLYGON];
        uint32_t outside = 0;
        for (uint32_t i = 0; i < count; i++) {
            d[i] = distance(&planes[p], corner[i]);
            outside += !(d[i] >= 0.0);
        }
        if (outside == count) {
            return 0;
        }
        if (outside == 0) {
            continue;
        }
        uint32_t left = 0;
        /* A line has one side, not two. */
        for (uint32_t i = 0; i < count; i++) {
            uint32_t j = (i + 1) % count;
            int in = d[i] >= 0.0, next = d[j] >= 0.0;
            if (in && left < SOFT_POLYGON) {
                kept[left++] = corner[i];
            }
            if (in != next && left < SOFT_POLYGON && !(count == 2 && i == 1)) {
                double from = in ? d[i] : d[j], to = in ? d[j] : d[i];
                const soft_vertex *v =
                    cut(c, cuts, corner[in ? i : j], corner[in ? j : i], from / (from - to));
                if (!v) {
                    return 0;
                }
                kept[left++] = v;
            }
        }
        count = left;
        memcpy(corner, kept, left * sizeof kept[0]);
    }
    for (uint32_t i = 0; i < count; i++) {
        const soft_vertex *v = corner[i];
        if (!(v->x >= -SOFT_FAR && v->x <= SOFT_FAR && v->y >= -SOFT_FAR && v->y <= SOFT_FAR) ||
            !(v->inverse_w - v->inverse_w == 0.0)) {
            return 0;
        }
    }
    return count;
}
