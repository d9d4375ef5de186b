/* From clipped vertices to edges in fixed point.
 *
 * Vertices are rounded to the draw's grid (PA_SU_VTX_CNTL.QUANT_MODE, 1/16 to 1 pixel), then moved by
 * half a pixel where pixel centres are at whole coordinates (PIX_CENTER, Direct3D 9), so that centres
 * are at 8/16 ever after. Points, lines and rectangles are parallelograms with the plane of their
 * first three corners. */
#include "soft.h"

void soft_setup_prepare(soft_context *c)
{
    const uint32_t *r = c->draw->registers;
    c->mode = r[XENOS_PA_SU_SC_MODE_CNTL];
    uint32_t vtx = r[XENOS_PA_SU_VTX_CNTL];
    uint32_t quant = xenos_bits(vtx, 3, 3);
    c->step = quant > 4 ? 4 : 4 - quant; /* 1/16, 1/8, 1/4, 1/2, 1 */
    c->rounding = xenos_bits(vtx, 1, 2);
    c->center = xenos_bits(vtx, 0, 1) ? 0 : SOFT_SUB / 2;

    /* Half sizes in 12.4 (xenia registers.h; Mesa fd2_rasterizer.c halves a line's width too). */
    c->point[0] = (int32_t)xenos_bits(r[XENOS_PA_SU_POINT_SIZE], 16, 16);
    c->point[1] = (int32_t)xenos_bits(r[XENOS_PA_SU_POINT_SIZE], 0, 16);
    c->point_least = (float)xenos_bits(r[XENOS_PA_SU_POINT_MINMAX], 0, 16) * (2.0f / 16.0f);
    c->point_most = (float)xenos_bits(r[XENOS_PA_SU_POINT_MINMAX], 16, 16) * (2.0f / 16.0f);
    c->line = (int32_t)xenos_bits(r[XENOS_PA_SU_LINE_CNTL], 0, 16);

    c->start = SOFT_SUB / 2;
    c->end = xenos_bits(r[XENOS_PA_SC_LINE_CNTL], 10, 1) ? SOFT_SUB / 2 : -SOFT_SUB / 2;

    /* Offset: scale * slope + offset, absolute in both depth formats; the scale counts 1/16 (xenia
     * draw_util.h and xenos.h, kPolygonOffsetScaleSubpixelUnit). Points and lines take the front's. */
    static const uint32_t first[3] = {XENOS_PA_SU_POLY_OFFSET_FRONT_SCALE,
                                      XENOS_PA_SU_POLY_OFFSET_BACK_SCALE,
                                      XENOS_PA_SU_POLY_OFFSET_FRONT_SCALE};
    for (uint32_t i = 0; i < 3; i++) {
        if (c->mode >> (11 + i) & 1) {
            c->slope[i] = xenos_float(r[first[i]]) * (1.0 / 16.0);
            c->bias[i] = xenos_float(r[first[i] + 1]);
        }
    }

    /* Scissors (xenia draw_util.cc, GetScissor). */
    uint32_t tl = r[XENOS_PA_SC_WINDOW_SCISSOR_TL], br = r[XENOS_PA_SC_WINDOW_SCISSOR_BR];
    int32_t x0 = (int32_t)xenos_bits(tl, 0, 14), y0 = (int32_t)xenos_bits(tl, 16, 14);
    int32_t x1 = (int32_t)xenos_bits(br, 0, 14), y1 = (int32_t)xenos_bits(br, 16, 14);
    if (!xenos_bits(tl, 31, 1)) {
        int32_t dx = xenos_signed_bits(r[XENOS_PA_SC_WINDOW_OFFSET], 0, 15);
        int32_t dy = xenos_signed_bits(r[XENOS_PA_SC_WINDOW_OFFSET], 16, 15);
        x0 += dx;
        x1 += dx;
        y0 += dy;
        y1 += dy;
    }
    uint32_t stl = r[XENOS_PA_SC_SCREEN_SCISSOR_TL], sbr = r[XENOS_PA_SC_SCREEN_SCISSOR_BR];
    int32_t sx0 = xenos_signed_bits(stl, 0, 15), sy0 = xenos_signed_bits(stl, 16, 15);
    int32_t sx1 = xenos_signed_bits(sbr, 0, 15), sy1 = xenos_signed_bits(sbr, 16, 15);
    int32_t pitch = (int32_t)soft_rop_pitch(c->rop);
    int32_t most = (int32_t)(SOFT_GRID * SOFT_TILE);
    c->x0 = x0 > sx0 ? x0 : sx0;
    c->y0 = y0 > sy0 ? y0 : sy0;
    c->x1 = x1 < sx1 ? x1 : sx1;
    c->y1 = y1 < sy1 ? y1 : sy1;
    c->x0 = c->x0 > 0 ? c->x0 : 0;
    c->y0 = c->y0 > 0 ? c->y0 : 0;
    c->x1 = c->x1 < pitch ? c->x1 : pitch;
    c->x1 = c->x1 < most ? c->x1 : most;
    c->y1 = c->y1 < most ? c->y1 : most;
}

int32_t soft_setup_snap(const soft_context *c, double pixels)
{
    /* Exact: a power of two times a value below 2^14, then at most 2^18 whole steps. */
    double scaled = pixels * (double)(1u << c->step);
    int32_t whole = (int32_t)scaled;
    double rest = scaled - whole; /* its sign is the value's */
    int32_t away = scaled < 0 ? -1 : 1;
    double size = rest < 0 ? -rest : rest;
    int odd = whole & 1;
    switch (c->rounding) { /* xenia xenos.h, VertexRounding */
    case 0:
        break;
    case 1:
        whole += size >= 0.5 ? away : 0;
        break;
    case 2:
        whole += size > 0.5 || (size == 0.5 && odd) ? away : 0;
        break;
    default:
        whole += size > 0.5 || (size == 0.5 && !odd) ? away : 0;
        break;
    }
    return whole * (int32_t)(SOFT_SUB >> c->step) + c->center;
}

/* The depth plane's offset for a slope in pixels. */
static double lift(const soft_context *c, const soft_triangle *t, uint32_t which)
{
    int last = t->edges - 1;
    double zx = (t->dz[0] * t->dx[last] + t->dz[1] * t->dx[0]) * SOFT_SUB;
    double zy = (t->dz[0] * t->dy[last] + t->dz[1] * t->dy[0]) * SOFT_SUB;
    zx = zx < 0 ? -zx : zx;
    zy = zy < 0 ? -zy : zy;
    double value = c->slope[which] * (zx > zy ? zx : zy) + c->bias[which];
    return value - value == 0.0 ? value : 0.0;
}

enum { FILLED = 0, POINT = 1, LINE = 2 };

/* Screen extents are those before the window scissor: a title that draws in tiles may take them in the
 * pass of one tile to leave draws out of the others. Only the screen scissor cuts them. */
static void extend(const soft_setup *s, const int32_t box[4], const soft_vertex *const v[3])
{
    const uint32_t *r = s->context->draw->registers;
    uint32_t tl = r[XENOS_PA_SC_SCREEN_SCISSOR_TL], br = r[XENOS_PA_SC_SCREEN_SCISSOR_BR];
    int32_t screen[4] = {xenos_signed_bits(tl, 0, 15), xenos_signed_bits(tl, 16, 15),
                         xenos_signed_bits(br, 0, 15), xenos_signed_bits(br, 16, 15)};
    int32_t cut[4];
    for (int i = 0; i < 2; i++) {
        int32_t least = screen[i] > 0 ? screen[i] : 0;
        cut[i] = box[i] > least ? box[i] : least;
        cut[i + 2] = box[i + 2] < screen[i + 2] ? box[i + 2] : screen[i + 2];
        if (cut[i] >= cut[i + 2]) {
            return;
        }
    }
    xenos_extents *e = s->extents;
    e->x0 = (uint32_t)cut[0] < e->x0 ? (uint32_t)cut[0] : e->x0;
    e->y0 = (uint32_t)cut[1] < e->y0 ? (uint32_t)cut[1] : e->y0;
    e->x1 = (uint32_t)cut[2] > e->x1 ? (uint32_t)cut[2] : e->x1;
    e->y1 = (uint32_t)cut[3] > e->y1 ? (uint32_t)cut[3] : e->y1;
    for (int i = 0; i < 3; i++) {
        double z = v[i]->z > 0 ? v[i]->z : 0;
        float f = z < 1 ? (float)z : 1.0f;
        e->z0 = f < e->z0 ? f : e->z0;
        e->z1 = f > e->z1 ? f : e->z1;
    }
}

/* Appends a convex shape: `x` and `y` hold `edges` corners in order, corner 0, 1 and the last of
 * which are the vertices v[0], v[1] and v[2]. */
static void append(soft_setup *s, const int32_t x[4], const int32_t y[4], int32_t edges,
                   const soft_vertex *const v[3], const soft_vertex *flat, int kind, uint32_t back)
{
    const soft_context *c = s->context;
    if (s->triangles == s->limit) {
        return;
    }
    soft_triangle *t = &s->triangle[s->triangles];
    int64_t area = (int64_t)(x[1] - x[0]) * (y[edges - 1] - y[0]) -
                   (int64_t)(x[edges - 1] - x[0]) * (y[1] - y[0]);
    if (area == 0) {
        return;
    }
    /* Turned so that the inside is on the right of each edge, y down. */
    static const uint8_t forth[4] = {0, 1, 2, 3};
    static const uint8_t turned[2][4] = {{0, 2, 1, 0}, {0, 3, 2, 1}};
    const uint8_t *order = area > 0 ? forth : turned[edges - 3];
    int32_t left = INT32_MAX, top = INT32_MAX, right = INT32_MIN, bottom = INT32_MIN;
    for (int i = 0; i < edges; i++) {
        left = x[i] < left ? x[i] : left;
        right = x[i] > right ? x[i] : right;
        top = y[i] < top ? y[i] : top;
        bottom = y[i] > bottom ? y[i] : bottom;
    }
    if (kind == LINE) {
        left -= SOFT_SUB / 2;
        top -= SOFT_SUB / 2;
        right += SOFT_SUB / 2;
        bottom += SOFT_SUB / 2;
    }
    const int32_t box[4] = {left >> 4, top >> 4, (right >> 4) + 1, (bottom >> 4) + 1};
    if (s->extents) {
        const int32_t outline[4] = {box[0], box[1], (right + SOFT_SUB - 1) >> 4,
                                    (bottom + SOFT_SUB - 1) >> 4};
        extend(s, outline, v);
    }
    t->x0 = box[0] > c->x0 ? box[0] : c->x0;
    t->y0 = box[1] > c->y0 ? box[1] : c->y0;
    t->x1 = box[2] < c->x1 ? box[2] : c->x1;
    t->y1 = box[3] < c->y1 ? box[3] : c->y1;
    if (t->x0 >= t->x1 || t->y0 >= t->y1) {
        return;
    }
    t->edges = edges;
    int ends = 0, open_end = 0;
    for (int i = 0; i < edges; i++) {
        int a = order[i], b = order[(i + 1) % edges];
        t->dx[i] = y[a] - y[b];
        t->dy[i] = x[b] - x[a];
        int64_t at = -((int64_t)t->dx[i] * x[a] + (int64_t)t->dy[i] * y[a]);
        if (kind == LINE) {
            /* An end of a line, between corners 0 and 3 or 1 and 2: its plane is moved along. */
            int start = a + b == 3 && (a == 0 || b == 0), end = a + b == 3 && !start;
            int32_t steep = t->dx[i] + t->dy[i];
            t->c[i] = at + (steep < 0 ? -steep : steep) * (start ? c->start : end ? c->end : 0);
            ends |= (start | end) << i;
            open_end |= start << i;
        }
        if (i == 0) {
            t->weight_c[1] = at;
        } else if (i == edges - 1) {
            t->weight_c[0] = at;
        }
        /* Samples on an edge are in where it is a top or a left one. */
        int in = t->dx[i] > 0 || (t->dx[i] == 0 && t->dy[i] > 0);
        if (ends >> i & 1) {
            t->c[i] -= open_end >> i & 1;
        } else {
            t->c[i] = at - !in;
        }
    }
    int swap = area < 0;
    t->v[0] = v[0];
    t->v[1] = v[swap ? 2 : 1];
    t->v[2] = v[swap ? 1 : 2];
    t->flat = flat;
    t->area = (double)(area < 0 ? -area : area);
    t->z = v[0]->z;
    t->dz[0] = (t->v[1]->z - t->z) / t->area;
    t->dz[1] = (t->v[2]->z - t->z) / t->area;

    const double *w[3] = {&t->v[0]->inverse_w, &t->v[1]->inverse_w, &t->v[2]->inverse_w};
    t->perspective = !xenos_bits(c->mode, 20, 1) && !(*w[0] == *w[1] && *w[0] == *w[2]) &&
                     *w[0] > 0 && *w[1] > 0 && *w[2] > 0;
    double least = t->area;
    for (int i = 0; i < 3; i++) {
        t->k[i] = t->perspective ? *w[i] : 1.0;
        least = t->k[i] * t->area < least || i == 0 ? t->k[i] * t->area : least;
    }
    t->least = least * 0x1p-20;
    t->back = (uint8_t)back;
    t->point = kind == POINT;
    t->line = kind == LINE;
    t->z += lift(c, t, kind != FILLED ? 2 : back);
    s->triangles++;
}

static void triangle(soft_setup *s, const soft_vertex *const v[3], const soft_vertex *flat,
                     uint32_t back)
{
    int32_t x[4], y[4];
    for (int i = 0; i < 3; i++) {
        x[i] = soft_setup_snap(s->context, v[i]->x);
        y[i] = soft_setup_snap(s->context, v[i]->y);
    }
    append(s, x, y, 3, v, flat, FILLED, back);
}

static void point(soft_setup *s, const soft_vertex *v)
{
    const soft_context *c = s->context;
    if (!v->inside) {
        return;
    }
    int32_t rx = c->point[0], ry = c->point[1];
    if (v->size >= 0) {
        rx = ry = (int32_t)(v->size * 8.0f); /* at most 2^16: clamped to PA_SU_POINT_MINMAX */
    }
    int32_t cx = soft_setup_snap(c, v->x), cy = soft_setup_snap(c, v->y);
    int32_t x[4] = {cx - rx, cx + rx, cx + rx, cx - rx};
    int32_t y[4] = {cy - ry, cy - ry, cy + ry, cy + ry};
    const soft_vertex *corner[3] = {v, v, v};
    append(s, x, y, 4, corner, v, POINT, 0);
}

/* A parallelogram whose ends are cut along the minor axis. A pixel belongs to the line when the line
 * leaves it, which is at half a pixel past its centre on the major axis; so both ends are half a pixel
 * early, the first excluded, the second included. Where PA_SC_LINE_CNTL.LAST_PIXEL is set, the pixel in
 * which the line ends belongs to it too: the second end is half a pixel late. With a width of 1 there
 * is one pixel in each column or row (learn.microsoft.com, "Rasterization Rules", lines: the diamonds
 * are taken as wide everywhere as they are in the middle). */
static void line(soft_setup *s, const soft_vertex *a, const soft_vertex *b, const soft_vertex *flat)
{
    const soft_context *c = s->context;
    if (!a->inside || !b->inside) {
        const soft_vertex *corner[SOFT_POLYGON] = {a, b};
        if (soft_clip(c, &s->cuts, corner, 2) != 2) {
            return;
        }
        a = corner[0];
        b = corner[1];
    }
    int32_t x[2] = {soft_setup_snap(c, a->x), soft_setup_snap(c, b->x)};
    int32_t y[2] = {soft_setup_snap(c, a->y), soft_setup_snap(c, b->y)};
    int32_t dx = x[1] - x[0], dy = y[1] - y[0];
    int flat_x = (dx < 0 ? -dx : dx) >= (dy < 0 ? -dy : dy);
    int32_t hx = flat_x ? 0 : c->line, hy = flat_x ? c->line : 0;
    int32_t px[4] = {x[0] - hx, x[1] - hx, x[1] + hx, x[0] + hx};
    int32_t py[4] = {y[0] - hy, y[1] - hy, y[1] + hy, y[0] + hy};
    const soft_vertex *corner[3] = {a, b, a};
    append(s, px, py, 4, corner, flat, LINE, 0);
}

/* Which way three vertices turn on the screen; y down, above 0: clockwise. */
static double turn(const soft_context *c, const soft_vertex *const v[3])
{
    int64_t x[3], y[3];
    for (int i = 0; i < 3; i++) {
        x[i] = soft_setup_snap(c, v[i]->x);
        y[i] = soft_setup_snap(c, v[i]->y);
    }
    return (double)((x[1] - x[0]) * (y[2] - y[0]) - (x[2] - x[0]) * (y[1] - y[0]));
}

static void polygon(soft_setup *s, const soft_vertex *const v[3], const xenos_primitive *p)
{
    const soft_context *c = s->context;
    const soft_vertex *corner[SOFT_POLYGON] = {v[0], v[1], v[2]};
    uint32_t count = 3;
    if (!(v[0]->inside && v[1]->inside && v[2]->inside)) {
        count = soft_clip(c, &s->cuts, corner, 3);
    }
    double area = 0.0;
    for (uint32_t i = 2; i < count; i++) {
        area += turn(c, (const soft_vertex *[]){corner[0], corner[i - 1], corner[i]});
    }
    if (count < 3 || area == 0.0) {
        return;
    }
    /* FACE 0: the front is counter-clockwise as it is seen. */
    uint32_t back = (area < 0) != !xenos_bits(c->mode, 2, 1);
    if (xenos_bits(c->mode, back, 1)) {
        return;
    }
    uint32_t fill = xenos_bits(c->mode, 3, 2) == 1 ? xenos_bits(c->mode, back ? 8 : 5, 3) : 2;
    const soft_vertex *flat = v[p->provoking];
    if (fill == 0) {
        for (int i = 0; i < 3; i++) {
            point(s, v[i]);
        }
    } else if (fill == 1) {
        for (int i = 0; i < 3; i++) {
            if (p->edges >> i & 1) {
                line(s, v[i], v[(i + 1) % 3], flat);
            }
        }
    } else {
        for (uint32_t i = 2; i < count; i++) {
            triangle(s, (const soft_vertex *[]){corner[0], corner[i - 1], corner[i]}, flat, back);
        }
    }
}

/* The fourth corner lies across the longest side on the screen (xenia vulkan_pipeline_cache.cc,
 * kRectangleList). Neither side is culled, as if it were always the front (draw_util.h). */
static void rectangle(soft_setup *s, const soft_vertex *const v[3], const xenos_primitive *p)
{
    const soft_context *c = s->context;
    double length[3];
    for (int i = 0; i < 3; i++) {
        double dx = v[(i + 2) % 3]->x - v[(i + 1) % 3]->x;
        double dy = v[(i + 2) % 3]->y - v[(i + 1) % 3]->y;
        length[i] = dx * dx + dy * dy;
    }
    int first = length[0] >= length[1] && length[0] >= length[2] ? 0
                : length[1] >= length[2]                         ? 1
                                                                 : 2;
    const soft_vertex *a = v[first], *b = v[(first + 1) % 3], *d = v[(first + 2) % 3];
    const soft_vertex *flat = v[p->provoking];
    if (a->inside && b->inside && d->inside && a->inverse_w == b->inverse_w &&
        a->inverse_w == d->inverse_w) {
        int32_t x[4] = {soft_setup_snap(c, a->x), soft_setup_snap(c, b->x), 0,
                        soft_setup_snap(c, d->x)};
        int32_t y[4] = {soft_setup_snap(c, a->y), soft_setup_snap(c, b->y), 0,
                        soft_setup_snap(c, d->y)};
        x[2] = x[1] + x[3] - x[0];
        y[2] = y[1] + y[3] - y[0];
        append(s, x, y, 4, (const soft_vertex *[]){a, b, d}, flat, FILLED, 0);
        return;
    }
    if (s->cuts.used == s->cuts.limit) {
        return;
    }
    soft_vertex *e = (soft_vertex *)(s->cuts.bytes + s->cuts.used++ * c->stride);
    memset(e, 0, sizeof *e);
    for (int i = 0; i < 4; i++) {
        e->clip[i] = b->clip[i] + d->clip[i] - a->clip[i];
    }
    for (uint32_t k = 0; k < c->parameters; k++) {
        for (int i = 0; i < 4; i++) {
            e->parameter[k][i] =
                (float)((double)b->parameter[k][i] + d->parameter[k][i] - a->parameter[k][i]);
        }
    }
    soft_vertex_place(c, e);
    const soft_vertex *half[2][3] = {{a, b, d}, {b, e, d}};
    for (int i = 0; i < 2; i++) {
        const soft_vertex *corner[SOFT_POLYGON] = {half[i][0], half[i][1], half[i][2]};
        uint32_t count = soft_clip(c, &s->cuts, corner, 3);
        for (uint32_t k = 2; k < count; k++) {
            triangle(s, (const soft_vertex *[]){corner[0], corner[k - 1], corner[k]}, flat, 0);
        }
    }
}

/* SQ_WRAPPING_0 and 1, four bits a parameter (Mesa a2xx.xml): components that go the shorter way round
 * from 0 to 1, which are the same place (learn.microsoft.com, "Texture Wrapping (Direct3D 9)"). What is
 * more than 1/2 away from the first vertex's moves by 1. A copy of the vertex, or NULL without room. */
static const soft_vertex *wrapped(soft_setup *s, const soft_vertex *first, const soft_vertex *v)
{
    const soft_context *c = s->context;
    if (s->cuts.used == s->cuts.limit) {
        return NULL;
    }
    soft_vertex *copy = (soft_vertex *)(s->cuts.bytes + s->cuts.used++ * c->stride);
    memcpy(copy, v, c->stride);
    for (uint32_t i = 0; i < 4 * c->parameters; i++) {
        float *to = &copy->parameter[i / 4][i % 4];
        float way = *to - first->parameter[i / 4][i % 4];
        if (c->wraps >> i & 1) {
            *to += way > 0.5f ? -1.0f : way < -0.5f ? 1.0f : 0.0f;
        }
    }
    return copy;
}

void soft_setup_primitive(soft_setup *s, const xenos_primitive *p, const soft_vertex *const v[3])
{
    const soft_context *c = s->context;
    const soft_vertex *around[3] = {v[0]};
    uint32_t count = p->shape == XENOS_SHAPE_POINT ? 1 : p->shape == XENOS_SHAPE_LINE ? 2 : 3;
    uint32_t outside = UINT32_MAX, killed = 0, bad = 0;
    for (uint32_t i = 0; i < count; i++) {
        outside &= v[i]->outside;
        killed += v[i]->killed;
        bad |= v[i]->bad;
    }
    /* VTX_KILL_OR: one killed vertex is enough, else all of them. A rectangle's fourth corner may lie
     * on the other side of a plane. */
    if (bad || (c->kill_any ? killed > 0 : killed == count) ||
        (outside && p->shape != XENOS_SHAPE_RECTANGLE)) {
        return;
    }
    if (c->wraps && count > 1) {
        around[1] = wrapped(s, v[0], v[1]);
        around[2] = wrapped(s, v[0], v[2]);
        if (!around[1] || !around[2]) {
            return;
        }
        v = around;
    }
    switch (p->shape) {
    case XENOS_SHAPE_POINT:
        point(s, v[0]);
        break;
    case XENOS_SHAPE_LINE:
        line(s, v[0], v[1], v[p->provoking]);
        break;
    case XENOS_SHAPE_TRIANGLE:
        polygon(s, v, p);
        break;
    default:
        rectangle(s, v, p);
        break;
    }
}
