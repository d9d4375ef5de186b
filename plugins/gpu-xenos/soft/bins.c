#include "bins.h"

#include <stdlib.h>

#define ENTRIES 13u
#define NONE    UINT32_MAX

typedef struct entries {
    uint32_t next;
    uint32_t count;
    uint32_t triangle[ENTRIES];
} entries;

struct soft_bins {
    uint32_t first[SOFT_GRID * SOFT_GRID]; /* of each tile; NONE: no triangle */
    uint32_t last[SOFT_GRID * SOFT_GRID];
    uint32_t tiles[SOFT_GRID * SOFT_GRID]; /* those that have triangles */
    uint32_t tile_count;
    uint32_t used; /* of `pool` */
    uint64_t pixels;
    uint64_t triangles; /* in all tiles */
    entries pool[SOFT_BLOCKS];
};

soft_bins *soft_bins_new(void)
{
    soft_bins *b = malloc(sizeof *b);
    if (b) {
        memset(b->first, 0xFF, sizeof b->first);
        b->tile_count = b->used = 0;
        b->pixels = b->triangles = 0;
    }
    return b;
}

void soft_bins_free(soft_bins *b)
{
    free(b);
}

static void add(soft_bins *b, uint32_t tile, uint32_t index)
{
    uint32_t at = b->last[tile];
    if (b->first[tile] == NONE || b->pool[at].count == ENTRIES) {
        uint32_t fresh = b->used++;
        b->pool[fresh].next = NONE;
        b->pool[fresh].count = 0;
        if (b->first[tile] == NONE) {
            b->first[tile] = fresh;
            b->tiles[b->tile_count++] = tile;
        } else {
            b->pool[at].next = fresh;
        }
        b->last[tile] = at = fresh;
    }
    b->pool[at].triangle[b->pool[at].count++] = index;
    b->triangles++;
}

int soft_bins_add(soft_bins *b, const soft_triangle *triangles, uint32_t index)
{
    const soft_triangle *t = &triangles[index];
    uint32_t x0 = (uint32_t)t->x0 >> SOFT_TILE_LOG2, x1 = (uint32_t)(t->x1 - 1) >> SOFT_TILE_LOG2;
    uint32_t y0 = (uint32_t)t->y0 >> SOFT_TILE_LOG2, y1 = (uint32_t)(t->y1 - 1) >> SOFT_TILE_LOG2;
    uint32_t most = (x1 - x0 + 1) * (y1 - y0 + 1);
    if (most > SOFT_BLOCKS - b->used) {
        return 0;
    }
    b->pixels += (uint64_t)(t->x1 - t->x0) * (uint64_t)(t->y1 - t->y0);
    for (uint32_t y = y0; y <= y1; y++) {
        for (uint32_t x = x0; x <= x1; x++) {
            if (most == 1 || soft_raster_touches(t, (int32_t)(x << SOFT_TILE_LOG2),
                                                 (int32_t)(y << SOFT_TILE_LOG2))) {
                add(b, y * SOFT_GRID + x, index);
            }
        }
    }
    return 1;
}

uint32_t soft_bins_tiles(const soft_bins *b)
{
    return b->tile_count;
}

uint64_t soft_bins_pixels(const soft_bins *b)
{
    return b->pixels;
}

uint32_t soft_bins_triangles(const soft_bins *b, uint32_t tile)
{
    uint32_t count = 0;
    for (uint32_t at = b->first[b->tiles[tile]]; at != NONE; at = b->pool[at].next) {
        count += b->pool[at].count;
    }
    return count;
}

uint64_t soft_bins_entries(const soft_bins *b)
{
    return b->triangles;
}

void soft_bins_draw(const soft_bins *b, const soft_context *c, soft_worker *worker,
                    const soft_triangle *triangles, uint32_t tile)
{
    uint32_t number = b->tiles[tile];
    int32_t x = (int32_t)(number % SOFT_GRID << SOFT_TILE_LOG2);
    int32_t y = (int32_t)(number / SOFT_GRID << SOFT_TILE_LOG2);
    for (uint32_t at = b->first[number]; at != NONE; at = b->pool[at].next) {
        for (uint32_t i = 0; i < b->pool[at].count; i++) {
            soft_raster_tile(c, worker, &triangles[b->pool[at].triangle[i]], x, y);
        }
    }
}

void soft_bins_clear(soft_bins *b)
{
    for (uint32_t i = 0; i < b->tile_count; i++) {
        b->first[b->tiles[i]] = NONE;
    }
    b->tile_count = b->used = 0;
    b->pixels = b->triangles = 0;
}
