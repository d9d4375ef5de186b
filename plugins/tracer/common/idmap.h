/* idmap.h: a number for each 64-bit identity: open addressing, never shrinks. */
#ifndef WEFT_TRACER_IDMAP_H
#define WEFT_TRACER_IDMAP_H

#include <stddef.h>
#include <stdint.h>

typedef struct idmap {
    struct idmap_place {
        uint64_t id, value;
        uint32_t used;
    } * places;
    size_t room, used; /* room is 0 or a power of two */
} idmap;

/* The number of an identity, or NULL. */
uint64_t *idmap_find(const idmap *map, uint64_t id);

/* The same; a new identity starts with 0, and *fresh says so. NULL without memory. Moves when the
 * map grows: not to be kept. */
uint64_t *idmap_at(idmap *map, uint64_t id, int *fresh);

/* Forgets all, keeps the room. */
void idmap_clear(idmap *map);
void idmap_free(idmap *map);

#endif
