/* map.h: from a 64-bit identity to a 64-bit value; open addressing, grows, forgets nothing. */
#ifndef WEFT_HOST_MAP_H
#define WEFT_HOST_MAP_H

#include <stdint.h>

typedef struct map_slot {
    uint64_t key, value;
    uint32_t used;
} map_slot;

typedef struct map {
    map_slot *slots;
    uint64_t room, count;
} map;

/* The place of a key's value, made as 0 when it is new. Valid until the next map_at. *fresh, when
 * not NULL, says whether it is new. */
uint64_t *map_at(map *m, uint64_t key, int *fresh);

/* The place of a key's value, or NULL. */
uint64_t *map_find(const map *m, uint64_t key);

void map_free(map *m);

#endif
