/* Pixels of a block: interpolation, depth, shader, and the calls of rop.h.
 *
 * Weights: with E1 and E2 the triangle's edge functions at a point (exact integers, in double), E0 the
 * area less both, and k0, k1, k2 the 1/W of the vertices (all 1 where they are equal or
 * PERSP_CORR_DIS is set),
 *     I = E1 k1 q,  J = E2 k2 q,  q = 1 / (E0 k0 + E1 k1 + E2 k2)
 * each operation in double, then rounded to float once. A parameter is
 *     P0 + I (P1 - P0) + J (P2 - P0)
 * in float, from the left. Depth is z0 + E1 (z1 - z0) / area + E2 (z2 - z0) / area in double, with
 * the polygon offset in z0, held to 0..1 and rounded once.
 *
 * Sample positions are those of Direct3D 10.1, numbered so that a pixel's samples lie in EDRAM from
 * top to bottom, then left to right (xenia draw_util.h and spirv_shader_translator_rb.cc); that they lie
 * at most 6/16 off the centre is what Direct3D writes to PA_SC_AA_CONFIG.MAX_SAMPLE_DIST with 4x. With MSAA_ENABLE off all samples are at the centre. A centroid is
 * the centre where all samples are covered, else the first sample that is. */
#include "part.h"
#include "soft.h"

static const double lane_x[SOFT_LANES]
    __attribute__((aligned(64))) = {0, 1, 0, 1, 2, 3, 2, 3, 0, 1, 0, 1, 2, 3, 2, 3};
static const double lane_y[SOFT_LANES]
    __attribute__((aligned(64))) = {0, 0, 1, 1, 0, 0, 1, 1, 2, 2, 3, 3, 2, 2, 3, 3};
static const soft_f float_x = {0, 1, 0, 1, 2, 3, 2, 3, 0, 1, 0, 1, 2, 3, 2, 3};
static const soft_f float_y = {0, 0, 1, 1, 0, 0, 1, 1, 2, 2, 3, 3, 2, 2, 3, 3};

#define CENTER (SOFT_SUB / 2)

static void interpolators(soft_context *c)
{
    const uint32_t *r = c->draw->registers;
    uint32_t misc = r[XENOS_SQ_CONTEXT_MISC];
    uint32_t control = r[XENOS_SQ_INTERPOLATOR_CNTL];
    /* PARAM_SHADE 1: Gouraud, 0: flat (Mesa writes all ones for smooth). SAMPLING_PATTERN 0:
     * centroid, 1: centre, asked where SC_SAMPLE_CNTL is 2 (xenia xenos.h). */
    uint32_t pattern = xenos_bits(control, 16, 16);
    uint32_t sampling = xenos_bits(misc, 2, 2);
    pattern = c->samples == 1 || sampling == 1 ? 0xFFFF : sampling == 0 ? 0 : pattern;
    c->generated = -1;
    if (xenos_bits(r[XENOS_SQ_PROGRAM_CNTL], 18, 1) && xenos_bits(misc, 8, 8) < 16) {
        c->generated = (int32_t)xenos_bits(misc, 8, 8);
    }
    for (uint32_t i = 0; i < c->parameters; i++) {
        uint32_t reg = c->parameter_export[i];
        if ((int32_t)reg == c->generated) {
            continue;
        }
        uint32_t centroid = !(pattern >> reg & 1);
        c->interpolator[c->interpolators++] = (soft_interpolator){
            .reg = (uint8_t)reg,
            .slot = (uint8_t)i,
            .flat = !(control >> reg & 1),
            .centroid = (uint8_t)centroid,
        };
    }
}

void soft_pixel_prepare(soft_context *c)
{
    static const uint8_t positions[4][4][2] = {
        [0] = {{8, 8}},
        [1] = {{4, 4}, {12, 12}},
        [3] = {{6, 2}, {2, 10}, {14, 6}, {10, 14}},
    };
    const uint32_t *r = c->draw->registers;
    c->samples = soft_rop_samples(c->rop);
    for (uint32_t s = 0; s < c->samples; s++) {
        int at_center = !xenos_bits(r[XENOS_PA_SU_SC_MODE_CNTL], 15, 1);
        for (int i = 0; i < 2; i++) {
            c->sample[s][i] = at_center ? CENTER : positions[(c->samples - 1) & 3][s][i];
        }
    }
    /* With several samples a bit of PA_SC_AA_MASK for each: four for each pixel of a quad, as R6xx's
     * eight. Direct3D sets all. */
    for (uint32_t s = 0; s < 4; s++) {
        c->mask[s] = c->samples == 1 ? SOFT_ALL : 0;
        for (uint32_t lane = 0; lane < SOFT_LANES && c->samples > 1; lane++) {
            c->mask[s] |= (r[XENOS_PA_SC_AA_MASK] >> (4 * (lane & 3) + s) & 1u) << lane;
        }
    }
    interpolators(c);
}

void soft_pixel_begin(const soft_context *c, soft_worker *w, const soft_triangle *t)
{
    w->triangle = t;
    int last = t->edges - 1;
    const double d[2][2] = {{t->dx[last], t->dy[last]}, {t->dx[0], t->dy[0]}};
    for (int i = 0; i < 2; i++) {
        const double x = d[i][0] * SOFT_SUB, y = d[i][1] * SOFT_SUB;
        const double center = (d[i][0] + d[i][1]) * CENTER;
        for (int n = 0; n < SOFT_HALVES; n++) {
            ((half_d *)w->weight[i])[n] =
                ((const half_d *)lane_x)[n] * x + ((const half_d *)lane_y)[n] * y + center;
        }
        for (uint32_t s = 0; s < c->samples; s++) {
            w->shift[s][i] =
                (c->sample[s][0] - CENTER) * d[i][0] + (c->sample[s][1] - CENTER) * d[i][1];
        }
    }
    w->fragment.back = t->back;
}

/* Depth before it is rounded, of half n of the lanes. */
SOFT_INLINE half_d plane(const soft_worker *w, const soft_triangle *t, const double at[2], int n)
{
    half_d a = ((const half_d *)w->weight[0])[n] + at[0];
    half_d b = ((const half_d *)w->weight[1])[n] + at[1];
    return t->z + a * t->dz[0] + b * t->dz[1];
}

static void depth(const soft_context *c, soft_worker *w, const double at[2])
{
    const soft_triangle *t = w->triangle;
    double shift[4];
    for (uint32_t s = 0; s < c->samples; s++) {
        shift[s] = w->shift[s][0] * t->dz[0] + w->shift[s][1] * t->dz[1];
    }
    for (int n = 0; n < SOFT_PARTS; n++) {
        half_d a = plane(w, t, at, 2 * n), b = plane(w, t, at, 2 * n + 1);
        for (uint32_t s = 0; s < c->samples; s++) {
            half_f low = __builtin_convertvector(a + shift[s], half_f);
            half_f high = __builtin_convertvector(b + shift[s], half_f);
            ((part_f *)&w->fragment.depth[s])[n] = part_saturate(PART_JOIN(low, high));
        }
    }
}

/* I and J of half n of the lanes. */
SOFT_INLINE void flat_weights(double q, const soft_lanes_d e[2], const double at[2], int n,
                              half_f out[2])
{
    for (int k = 0; k < 2; k++) {
        out[k] = __builtin_convertvector((((const half_d *)e[k])[n] + at[k]) * q, half_f);
    }
}

SOFT_INLINE void deep_weights(const soft_triangle *t, const soft_lanes_d e[2], const double at[2],
                              int n, half_f out[2])
{
    const half_d least = (half_d){0} + t->least;
    half_d a = ((const half_d *)e[0])[n] + at[0];
    half_d b = ((const half_d *)e[1])[n] + at[1];
    half_d rest = (t->area - a - b) * t->k[0];
    a *= t->k[1];
    b *= t->k[2];
    half_d divisor = rest + a + b;
    /* Beyond the horizon there is no weight; what is covered is never there. */
    half_l good = (half_l)(divisor > least);
    half_d q = 1.0 / (half_d)((good & (half_l)divisor) | (~good & (half_l)least));
    out[0] = __builtin_convertvector(a * q, half_f);
    out[1] = __builtin_convertvector(b * q, half_f);
}

/* I and J of lanes whose edge functions are e[i] + at[i]. */
static void weights(const soft_triangle *t, const soft_lanes_d e[2], const double at[2],
                    soft_f out[2])
{
    const double q = 1.0 / t->area;
    for (int n = 0; n < SOFT_PARTS; n++) {
        half_f low[2], high[2];
        if (t->perspective) {
            deep_weights(t, e, at, 2 * n, low);
            deep_weights(t, e, at, 2 * n + 1, high);
        } else {
            flat_weights(q, e, at, 2 * n, low);
            flat_weights(q, e, at, 2 * n + 1, high);
        }
        for (int k = 0; k < 2; k++) {
            ((part_f *)&out[k])[n] = PART_JOIN(low[k], high[k]);
        }
    }
}

/* Moves the edge functions of lanes to their centroids. */
static void move_to_centroids(const soft_context *c, const soft_worker *w,
                              const soft_mask coverage[4], soft_lanes_d e[2])
{
    soft_mask all = SOFT_ALL, any = 0;
    for (uint32_t s = 0; s < c->samples; s++) {
        all &= coverage[s];
        any |= coverage[s];
    }
    soft_mask open = any & ~all;
    for (uint32_t s = 0; s < c->samples && open; s++) {
        for (uint32_t rest = open & coverage[s]; rest; rest &= rest - 1) {
            int lane = __builtin_ctz(rest);
            e[0][lane] += w->shift[s][0];
            e[1][lane] += w->shift[s][1];
        }
        open &= ~coverage[s];
    }
}

/* xenia registers.h, SQ_CONTEXT_MISC: |X| and |Y| the pixel, Z and W the place in a point; signs of
 * X back face, of Y point, of Z line. */
static void generate(const soft_context *c, soft_worker *w, int32_t x, int32_t y,
                     const soft_f place[2])
{
    const soft_triangle *t = w->triangle;
    soft_vec4 *r = &w->group.r[c->generated];
    const soft_i sign = soft_splat_i(INT32_MIN);
    r->c[0] = float_x + (float)x;
    r->c[1] = float_y + (float)y;
    r->c[2] = t->point ? place[0] : soft_splat(0.0f);
    r->c[3] = t->point ? place[1] : soft_splat(0.0f);
    if (t->back) {
        r->c[0] = soft_as_f(soft_as_i(r->c[0]) | sign);
    }
    if (t->point) {
        r->c[1] = soft_as_f(soft_as_i(r->c[1]) | sign);
    }
    if (t->line) {
        r->c[2] = soft_as_f(soft_as_i(r->c[2]) | sign);
    }
}

static void locate(const soft_context *c, const soft_worker *w, const soft_mask coverage[4],
                   const double e[2], int centroid, soft_f out[2])
{
    if (!centroid) {
        weights(w->triangle, w->weight, e, out);
        return;
    }
    soft_lanes_d moved[2];
    memcpy(moved, w->weight, sizeof moved);
    move_to_centroids(c, w, coverage, moved);
    weights(w->triangle, moved, e, out);
}

static void interpolate(const soft_context *c, soft_worker *w, int32_t x, int32_t y,
                        const soft_mask coverage[4], const double e[2])
{
    const soft_triangle *t = w->triangle;
    soft_f at[2][2]; /* centre, centroid; when a parameter first needs them */
    int known[2] = {0};
    for (uint32_t n = 0; n < c->interpolators; n++) {
        const soft_interpolator *in = &c->interpolator[n];
        soft_vec4 *to = &w->group.r[in->reg];
        const float *p0 = in->flat ? t->flat->parameter[in->slot] : t->v[0]->parameter[in->slot];
        const float *p1 = t->v[1]->parameter[in->slot];
        const float *p2 = t->v[2]->parameter[in->slot];
        const part_f *i = (const part_f *)&at[in->centroid][0];
        const part_f *j = (const part_f *)&at[in->centroid][1];
        for (int k = 0; k < 4; k++) {
            part_f *out = (part_f *)&to->c[k];
            float d1 = p1[k] - p0[k], d2 = p2[k] - p0[k];
            if (in->flat || (d1 == 0.0f && d2 == 0.0f)) {
                part_f same = part_splat(xenos_float_bits(p0[k]));
                for (int m = 0; m < SOFT_PARTS; m++) {
                    out[m] = same;
                }
                continue;
            }
            if (!known[in->centroid]) {
                known[in->centroid] = 1;
                locate(c, w, coverage, e, in->centroid, at[in->centroid]);
            }
            for (int m = 0; m < SOFT_PARTS; m++) {
                part_f v = p0[k] + i[m] * d1 + j[m] * d2;
                out[m] = (part_f)((part_i)v | (v != v)); /* one NaN, as exec.h has */
            }
        }
    }
    if (c->generated >= 0) {
        if (t->point && !known[0]) {
            locate(c, w, coverage, e, 0, at[0]);
        }
        generate(c, w, x, y, at[0]);
    }
}

/* Whole quads of which some pixel is set. */
static soft_mask quads(soft_mask mask)
{
    mask |= mask >> 1 & 0x7777;
    mask |= mask >> 2 & 0x3333;
    mask &= 0x1111;
    return mask * 0xF;
}

static soft_mask sum(const soft_context *c, const soft_mask coverage[4])
{
    soft_mask any = 0;
    for (uint32_t s = 0; s < c->samples; s++) {
        any |= coverage[s];
    }
    return any;
}

void soft_pixel_block(const soft_context *c, soft_worker *w, int32_t x, int32_t y,
                      const soft_mask coverage[4])
{
    const soft_triangle *t = w->triangle;
    soft_fragment *f = &w->fragment;
    int last = t->edges - 1;
    const int64_t sx = (int64_t)x * SOFT_SUB, sy = (int64_t)y * SOFT_SUB;
    const double e[2] = {
        (double)(t->weight_c[0] + t->dx[last] * sx + t->dy[last] * sy),
        (double)(t->weight_c[1] + t->dx[0] * sx + t->dy[0] * sy),
    };
    f->x = (uint32_t)x;
    f->y = (uint32_t)y;
    for (uint32_t s = 0; s < 4; s++) {
        f->coverage[s] = s < c->samples ? coverage[s] : 0;
    }
    if (c->tests_depth && !c->writes_depth) {
        depth(c, w, e);
    }
    if (c->early) {
        soft_rop_depth(c->rop, f, &w->counts);
        if (sum(c, f->coverage) == 0) {
            return;
        }
    }
    if (c->shades) {
        const xenos_program *program = c->pixel.program;
        soft_group *g = &w->group;
        soft_mask real = sum(c, f->coverage);
        memset(g->r, 0, c->clear * sizeof g->r[0]);
        interpolate(c, w, x, y, coverage, e);
        g->active = quads(real);
        g->real = real;
        soft_exec(&c->pixel, g);
        for (uint32_t s = 0; s < c->samples && c->kills; s++) {
            f->coverage[s] &= ~g->killed;
        }
        for (uint32_t i = 0; i < 4; i++) {
            if (program->exports >> i & 1) {
                f->color[i] = g->exports[i];
            }
        }
        if (c->writes_depth) {
            const part_f *z = (const part_f *)&g->exports[XENOS_EXPORT_DEPTH].c[0];
            for (uint32_t s = 0; s < c->samples; s++) {
                for (int n = 0; n < SOFT_PARTS; n++) {
                    ((part_f *)&f->depth[s])[n] = part_saturate(z[n]);
                }
            }
        }
    }
    if (!c->early) {
        if (c->shades) {
            soft_rop_alpha(c->rop, f);
        }
        soft_rop_depth(c->rop, f, &w->counts);
    }
    if (c->writes_color) {
        soft_rop_color(c->rop, f, w->group.exported);
    }
}
