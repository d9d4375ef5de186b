/* Which triangles each 64x64 tile has, in their order. */
#ifndef SOFT_BINS_H
#define SOFT_BINS_H

#include "soft.h"

typedef struct soft_bins soft_bins;

soft_bins *soft_bins_new(void); /* NULL: no memory */
void soft_bins_free(soft_bins *bins);

/* Adds a triangle to the tiles that it may touch. 0: there is no room, nothing was added; empty bins
 * have room for any triangle. */
int soft_bins_add(soft_bins *bins, const soft_triangle *triangles, uint32_t index);

/* Tiles that have triangles; pixels of their boxes, for who decides whether threads are worth it. */
uint32_t soft_bins_tiles(const soft_bins *bins);
uint64_t soft_bins_pixels(const soft_bins *bins);

/* Triangles of a tile, and of all. */
uint32_t soft_bins_triangles(const soft_bins *bins, uint32_t tile);
uint64_t soft_bins_entries(const soft_bins *bins);

/* Draws one of them. */
void soft_bins_draw(const soft_bins *bins, const soft_context *c, soft_worker *worker,
                    const soft_triangle *triangles, uint32_t tile);
void soft_bins_clear(soft_bins *bins);

#endif
