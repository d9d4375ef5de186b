/* idmap.c: see idmap.h. */
#include "idmap.h"

#include <stdlib.h>
#include <string.h>

/* Identities are hashes, but those of a hostile stream need not be: they are mixed once more. */
static size_t place_of(const idmap *map, uint64_t id)
{
    uint64_t mixed = (id ^ id >> 32) * UINT64_C(0x9e3779b97f4a7c15);
    size_t at = (size_t)(mixed >> 20) & (map->room - 1);
    while (map->places[at].used && map->places[at].id != id) {
        at = (at + 1) & (map->room - 1);
    }
    return at;
}

static int grow(idmap *map)
{
    idmap bigger = {.room = map->room ? map->room * 2 : 64, .used = map->used};
    bigger.places = calloc(bigger.room, sizeof *bigger.places);
    if (!bigger.places) {
        return 0;
    }
    for (size_t i = 0; i < map->room; i++) {
        if (map->places[i].used) {
            bigger.places[place_of(&bigger, map->places[i].id)] = map->places[i];
        }
    }
    free(map->places);
    *map = bigger;
    return 1;
}

uint64_t *idmap_find(const idmap *map, uint64_t id)
{
    if (map->room == 0) {
        return NULL;
    }
    struct idmap_place *place = &map->places[place_of(map, id)];
    return place->used ? &place->value : NULL;
}

uint64_t *idmap_at(idmap *map, uint64_t id, int *fresh)
{
    if (map->used * 2 >= map->room && !grow(map)) {
        return NULL;
    }
    struct idmap_place *place = &map->places[place_of(map, id)];
    *fresh = !place->used;
    if (!place->used) {
        *place = (struct idmap_place){.id = id, .used = 1};
        map->used++;
    }
    return &place->value;
}

void idmap_clear(idmap *map)
{
    if (map->room > 0) {
        memset(map->places, 0, map->room * sizeof *map->places);
    }
    map->used = 0;
}

void idmap_free(idmap *map)
{
    free(map->places);
    *map = (idmap){0};
}
