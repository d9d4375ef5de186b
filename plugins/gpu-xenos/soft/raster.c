/* Coverage: 64x64 tiles, 16x16 regions, 4x4 blocks, samples.
 *
 * An edge that does not cross a tile is decided there, in 64 bits. One that does is at most
 * 2 * 64 * 16 * 2^19 away from 0 in the tile (setup.c bounds the coordinates), so 32 bits hold it. */
#include "part.h"
#include "soft.h"

#define REGION 16
#define BLOCK  4

/* Pixels of a block whose x (y) is at least n. */
static const uint16_t columns[5] = {0xFFFF, 0xFAFA, 0xF0F0, 0xA0A0, 0};
static const uint16_t rows[5] = {0xFFFF, 0xFFCC, 0xFF00, 0xCC00, 0};

/* How far an edge function can rise and fall over a square of a size in pixels. */
static int64_t rise(const soft_triangle *t, int e, int32_t size)
{
    int64_t x = t->dx[e] > 0 ? t->dx[e] : 0, y = t->dy[e] > 0 ? t->dy[e] : 0;
    return (x + y) * size * SOFT_SUB;
}

static int64_t fall(const soft_triangle *t, int e, int32_t size)
{
    int64_t x = t->dx[e] < 0 ? t->dx[e] : 0, y = t->dy[e] < 0 ? t->dy[e] : 0;
    return (x + y) * size * SOFT_SUB;
}

static int64_t value(const soft_triangle *t, int e, int32_t x, int32_t y)
{
    return t->c[e] + (int64_t)t->dx[e] * x * SOFT_SUB + (int64_t)t->dy[e] * y * SOFT_SUB;
}

int soft_raster_touches(const soft_triangle *t, int32_t x, int32_t y)
{
    for (int e = 0; e < t->edges; e++) {
        if (value(t, e, x, y) + rise(t, e, (int32_t)SOFT_TILE) < 0) {
            return 0;
        }
    }
    return 1;
}

/* An edge that crosses the tile. */
typedef struct crossing {
    int32_t at;        /* at the tile's corner */
    int32_t dx, dy;    /* per pixel */
    int32_t region[2]; /* fall and rise over a region */
    int32_t block[2];  /* over a block */
    int32_t sample[4]; /* from a pixel's corner to its samples */
    /* From a region's corner to its blocks, row by row, and from a block's to its pixels. */
    int32_t blocks[SOFT_LANES] __attribute__((aligned(64)));
    int32_t pixels[SOFT_LANES] __attribute__((aligned(64)));
} crossing;

typedef int32_t four __attribute__((vector_size(16), may_alias));

/* Each of 16 lanes: value + limit >= 0. */
static soft_mask above(const int32_t *value, int32_t limit)
{
    part_i condition[SOFT_PARTS];
    for (int n = 0; n < SOFT_PARTS; n++) {
        condition[n] = ((const part_i *)value)[n] + limit >= 0;
    }
    return part_gather(condition);
}

typedef struct walk {
    const soft_context *c;
    soft_worker *worker;
    int32_t x0, y0, x1, y1; /* of the triangle in the tile */
    int32_t edges;
    crossing edge[4];
} walk;

static void block(const walk *w, int32_t x, int32_t y, const int32_t at[4], uint32_t live)
{
    soft_mask limit = SOFT_ALL;
    if (x < w->x0 || y < w->y0 || x + BLOCK > w->x1 || y + BLOCK > w->y1) {
        limit &= x < w->x0 ? columns[w->x0 - x] : SOFT_ALL;
        limit &= y < w->y0 ? rows[w->y0 - y] : SOFT_ALL;
        limit &= x + BLOCK > w->x1 ? ~(uint32_t)columns[w->x1 - x] : SOFT_ALL;
        limit &= y + BLOCK > w->y1 ? ~(uint32_t)rows[w->y1 - y] : SOFT_ALL;
    }
    soft_mask coverage[4] = {0};
    uint32_t samples = w->c->samples;
    soft_mask any = 0;
    for (uint32_t s = 0; s < samples; s++) {
        coverage[s] = limit & w->c->mask[s];
        any |= coverage[s];
    }
    if (live) {
        any = 0;
        for (uint32_t s = 0; s < samples; s++) {
            for (int e = 0; e < w->edges; e++) {
                if (live >> e & 1) {
                    coverage[s] &= above(w->edge[e].pixels, at[e] + w->edge[e].sample[s]);
                }
            }
            any |= coverage[s];
        }
    }
    if (any && !soft_group_done(&w->worker->group)) {
        w->worker->group.executed += SOFT_BLOCK_COST;
        soft_pixel_block(w->c, w->worker, x, y, coverage);
    }
}

static void region(const walk *w, int32_t tile_x, int32_t tile_y, int32_t x, int32_t y)
{
    /* Blocks of the region that the triangle's box has. */
    int32_t bx0 = w->x0 > x ? (w->x0 - x) / BLOCK : 0, by0 = w->y0 > y ? (w->y0 - y) / BLOCK : 0;
    int32_t bx1 = (w->x1 - x + BLOCK - 1) / BLOCK, by1 = (w->y1 - y + BLOCK - 1) / BLOCK;
    soft_mask row = (0xFu << bx0 & 0xFu) & (bx1 < 4 ? (1u << bx1) - 1 : 0xFu);
    soft_mask open = 0;
    for (int32_t by = by0; by < by1 && by < 4; by++) {
        open |= row << (4 * by);
    }
    int32_t at[4];
    soft_mask crossed[4];
    uint32_t live = 0;
    for (int e = 0; e < w->edges; e++) {
        const crossing *k = &w->edge[e];
        at[e] = k->at + k->dx * (x - tile_x) + k->dy * (y - tile_y);
        if (at[e] + k->region[1] < 0) {
            return;
        }
        if (at[e] + k->region[0] >= 0) {
            continue;
        }
        open &= above(k->blocks, at[e] + k->block[1]);
        crossed[e] = ~above(k->blocks, at[e] + k->block[0]);
        live |= 1u << e;
    }
    while (open) {
        uint32_t b = (uint32_t)__builtin_ctz(open);
        open &= open - 1;
        int32_t dx = (int32_t)(b & 3) * BLOCK, dy = (int32_t)(b >> 2) * BLOCK;
        uint32_t edges = 0;
        int32_t from[4];
        for (int e = 0; e < w->edges; e++) {
            if (live >> e & 1 && crossed[e] >> b & 1) {
                edges |= 1u << e;
                from[e] = at[e] + w->edge[e].dx * dx + w->edge[e].dy * dy;
            }
        }
        block(w, x + dx, y + dy, from, edges);
    }
}

void soft_raster_tile(const soft_context *c, soft_worker *worker, const soft_triangle *t, int32_t x,
                      int32_t y)
{
    const int32_t size = (int32_t)SOFT_TILE;
    walk w = {
        .c = c,
        .worker = worker,
        .x0 = t->x0 > x ? t->x0 : x,
        .y0 = t->y0 > y ? t->y0 : y,
        .x1 = t->x1 < x + size ? t->x1 : x + size,
        .y1 = t->y1 < y + size ? t->y1 : y + size,
    };
    if (w.x0 >= w.x1 || w.y0 >= w.y1 || soft_group_done(&worker->group)) {
        return;
    }
    for (int e = 0; e < t->edges; e++) {
        int64_t at = value(t, e, x, y);
        if (at + rise(t, e, size) < 0) {
            return;
        }
        if (at + fall(t, e, size) >= 0) {
            continue;
        }
        crossing *k = &w.edge[w.edges++];
        k->at = (int32_t)at;
        k->dx = t->dx[e] * SOFT_SUB;
        k->dy = t->dy[e] * SOFT_SUB;
        k->region[0] = (int32_t)fall(t, e, REGION);
        k->region[1] = (int32_t)rise(t, e, REGION);
        k->block[0] = (int32_t)fall(t, e, BLOCK);
        k->block[1] = (int32_t)rise(t, e, BLOCK);
        const int32_t dx = k->dx, dy = k->dy;
        const four row = {0, dx * BLOCK, dx * BLOCK * 2, dx * BLOCK * 3};
        const four quad = {0, dx, dy, dx + dy};
        for (int n = 0; n < 4; n++) {
            ((four *)k->blocks)[n] = row + dy * BLOCK * n;
            ((four *)k->pixels)[n] = quad + (dx * 2 * (n & 1) + dy * 2 * (n >> 1));
        }
        for (uint32_t s = 0; s < c->samples; s++) {
            k->sample[s] = t->dx[e] * c->sample[s][0] + t->dy[e] * c->sample[s][1];
        }
    }
    soft_pixel_begin(c, worker, t);
    for (int32_t ry = y + ((w.y0 - y) & ~(REGION - 1)); ry < w.y1; ry += REGION) {
        for (int32_t rx = x + ((w.x0 - x) & ~(REGION - 1)); rx < w.x1; rx += REGION) {
            region(&w, x, y, rx, ry);
        }
    }
}
