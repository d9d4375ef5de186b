#include "tessellate.h"

#define ONE        0x10000u
#define TWO_THIRDS 0xAAAAu
#define MOST_HALF  (SOFT_SEGMENTS / 2)
#define ROW        (SOFT_SEGMENTS + 1)

/* One direction: where its points lie. */
typedef struct axis {
    uint32_t half;           /* segments of half a side */
    uint32_t fraction;       /* how far the newest point has come, of 0x10000 */
    uint32_t newest;         /* which it is; beyond `half` where there is none */
    uint32_t before, behind; /* a segment's length without it and when it has arrived */
} axis;

static uint32_t clamped(uint32_t factor)
{
    factor = factor < SOFT_FACTOR(2) ? SOFT_FACTOR(2) : factor;
    return factor < SOFT_FACTOR(SOFT_SEGMENTS) ? factor : SOFT_FACTOR(SOFT_SEGMENTS);
}

static uint32_t smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* 1 / segments, rounded. */
static uint32_t length(uint32_t segments)
{
    return (2 * ONE + segments) / (2 * segments);
}

/* Points of half a side appear in the order in which halving it again and again would make them: the
 * n-th, from 1, is the k-th of its generation, k = n less its highest bit, and the 2k + 1st in place. */
static axis axis_of(uint32_t factor)
{
    uint32_t half = (clamped(factor) + 1) / 2;
    uint32_t floor = half >> 16, top = 1;
    while (top * 2 <= floor) {
        top *= 2;
    }
    axis a = {
        .half = (half + ONE - 1) >> 16,
        .fraction = half & (ONE - 1),
        .newest = MOST_HALF + 1,
        .before = length(2 * floor),
    };
    if (a.fraction) {
        a.newest = (floor - top) * 2 + 1;
    }
    a.behind = length(2 * a.half);
    return a;
}

/* Where the n-th of the 2 half + 1 points lies. */
static uint32_t at(const axis *a, uint32_t n)
{
    if (n > a->half) {
        return ONE - at(a, 2 * a->half - n);
    }
    if (n == a->half) {
        return ONE / 2;
    }
    uint32_t without = n > a->newest ? n - 1 : n;
    if (a->newest > MOST_HALF) {
        return n * a->before;
    }
    return (without * a->before * (ONE - a->fraction) + n * a->behind * a->fraction + ONE / 2) >>
           16;
}

static uint16_t add_point(soft_cutting *out, uint32_t x, uint32_t y)
{
    out->point[out->points][0] = x;
    out->point[out->points][1] = y;
    return (uint16_t)out->points++;
}

static void add_triangle(soft_cutting *out, uint16_t a, uint16_t b, uint16_t c)
{
    uint16_t *t = out->triangle[out->triangles++];
    t[0] = a;
    t[1] = b;
    t[2] = c;
}

/* Two rows of points, walked side by side. */
typedef struct strip {
    soft_cutting *out;
    const uint16_t *outer, *inner; /* the next point of each */
} strip;

static void step_outer(strip *s)
{
    add_triangle(s->out, s->outer[0], s->outer[1], s->inner[0]);
    s->outer++;
}

static void step_inner(strip *s)
{
    add_triangle(s->out, s->inner[0], s->outer[0], s->inner[1]);
    s->inner++;
}

/* Fills the strip between a side of a ring and that of the ring inside it. The halves are of whole
 * sides; the inner row lacks the first and last point. Points of both rows meet in the order of their
 * places, as `place` has it: the point that appears n-th. */
static void fill(soft_cutting *out, const uint16_t *outer, uint32_t outer_half,
                 const uint16_t *inner, uint32_t inner_half)
{
    static const uint8_t place[MOST_HALF - 1] = {4, 2, 5, 1, 6, 3, 7};
    strip s = {out, outer, inner};
    step_outer(&s);
    for (uint32_t i = 0; i < MOST_HALF - 1; i++) {
        if (place[i] < inner_half) {
            step_inner(&s);
        }
        if (place[i] < outer_half) {
            step_outer(&s);
        }
    }
    for (uint32_t i = MOST_HALF - 1; i-- > 0;) {
        if (place[i] < outer_half) {
            step_outer(&s);
        }
        if (place[i] < inner_half) {
            step_inner(&s);
        }
    }
    step_outer(&s);
}

/* A ring of a triangle: the points of each side, both ends among them. */
typedef struct ring {
    uint16_t row[3][ROW];
} ring;

/* The ring that is `depth` points inside; each side's points by its own axis. Pushed inwards, a side
 * loses half of what it moves at each end. */
static void triangle_ring(soft_cutting *out, const axis side[3], uint32_t depth, uint32_t inward,
                          ring *r)
{
    uint16_t first = (uint16_t)out->points;
    for (uint32_t i = 0; i < 3; i++) {
        uint32_t end = 2 * side[i].half - depth, n = 0;
        for (uint32_t k = depth; k < end; k++) {
            /* Along a side the weight of its first corner falls; side 2 goes by that of its second. */
            uint32_t along = at(&side[i], i == 2 ? k : end + depth - k) - (inward + 1) / 2;
            uint32_t rest = ONE - along - inward;
            const uint32_t weight[3][2] = {{along, rest}, {inward, along}, {along, inward}};
            r->row[i][n++] = add_point(out, weight[i][0], weight[i][1]);
        }
        r->row[i][n] = i == 2 ? first : (uint16_t)out->points;
    }
}

static void cut_triangle(const uint32_t factor[4], soft_cutting *out)
{
    axis side[3];
    for (uint32_t i = 0; i < 3; i++) {
        side[i] = axis_of(factor[i]);
    }
    axis inside = axis_of(smaller(smaller(factor[0], factor[1]), factor[2]));
    const axis same[3] = {inside, inside, inside};
    ring rings[2];
    triangle_ring(out, side, 0, 0, &rings[0]);
    for (uint32_t depth = 0; depth < inside.half; depth++) {
        const ring *outer = &rings[depth & 1];
        ring *inner = &rings[(depth + 1) & 1];
        if (depth + 1 < inside.half) {
            uint32_t inward = (at(&inside, depth + 1) * TWO_THIRDS + ONE / 2) >> 16;
            triangle_ring(out, same, depth + 1, inward, inner);
        } else {
            uint16_t middle = add_point(out, ONE / 3, ONE / 3);
            for (uint32_t i = 0; i < 3; i++) {
                inner->row[i][0] = middle;
            }
        }
        for (uint32_t i = 0; i < 3; i++) {
            uint32_t left = inside.half - depth;
            fill(out, outer->row[i], depth ? left : side[i].half, inner->row[i], left);
        }
    }
}

/* The points of a quad: its sides, and a grid inside. */
typedef struct grid {
    soft_cutting *out;
    axis side[4], u, v;
    uint16_t edge[4][ROW];
    uint16_t first; /* inner point (1, 1) */
} grid;

static uint16_t inner_point(const grid *g, uint32_t i, uint32_t j)
{
    return (uint16_t)(g->first + (j - 1) * (2 * g->u.half - 1) + i - 1);
}

/* The row of side `i` of the ring `depth` points inside. */
static void quad_row(const grid *g, uint32_t i, uint32_t depth, uint16_t row[ROW])
{
    uint32_t right = 2 * g->u.half - depth, top = 2 * g->v.half - depth, n = 0;
    for (uint32_t k = depth; k <= (i & 1 ? top : right); k++) {
        uint32_t x[4] = {k, right, right + depth - k, depth};
        uint32_t y[4] = {depth, k, top, top + depth - k};
        row[n++] = inner_point(g, x[i], y[i]);
    }
}

static void cut_quad(const uint32_t factor[4], soft_cutting *out)
{
    grid g = {
        .out = out,
        .u = axis_of(smaller(factor[0], factor[2])),
        .v = axis_of(smaller(factor[1], factor[3])),
    };
    for (uint32_t i = 0; i < 4; i++) {
        g.side[i] = axis_of(factor[i]);
        for (uint32_t k = 0; k < 2 * g.side[i].half; k++) {
            uint32_t t = at(&g.side[i], k);
            const uint32_t p[4][2] = {{t, 0}, {ONE, t}, {ONE - t, ONE}, {0, ONE - t}};
            g.edge[i][k] = add_point(out, p[i][0], p[i][1]);
        }
        g.edge[i][2 * g.side[i].half] = i == 3 ? 0 : (uint16_t)out->points;
    }
    g.first = (uint16_t)out->points;
    for (uint32_t j = 1; j < 2 * g.v.half; j++) {
        for (uint32_t i = 1; i < 2 * g.u.half; i++) {
            add_point(out, at(&g.u, i), at(&g.v, j));
        }
    }
    for (uint32_t depth = 0; depth < smaller(g.u.half, g.v.half); depth++) {
        for (uint32_t i = 0; i < 4; i++) {
            uint16_t outer[ROW], inner[ROW];
            uint32_t left = (i & 1 ? g.v.half : g.u.half) - depth;
            if (depth) {
                quad_row(&g, i, depth, outer);
            }
            quad_row(&g, i, depth + 1, inner);
            fill(out, depth ? outer : g.edge[i], depth ? left : g.side[i].half, inner, left);
        }
    }
}

void soft_tessellate(uint32_t corners, const uint32_t factor[4], soft_cutting *out)
{
    out->points = out->triangles = 0;
    if (corners == 3) {
        cut_triangle(factor, out);
    } else {
        cut_quad(factor, out);
    }
}
