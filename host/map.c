/* map.c: keys are FNV-1a hashes already; the multiply spreads those that are not. */
#include "map.h"

#include <stdlib.h>

#include "text.h"

static map_slot *probe(const map *m, uint64_t key)
{
    uint64_t at = (key * UINT64_C(0x9E3779B97F4A7C15)) >> 20;
    for (;; at++) {
        map_slot *s = &m->slots[at & (m->room - 1)];
        if (!s->used || s->key == key) {
            return s;
        }
    }
}

static void grow(map *m)
{
    map old = *m;
    m->room = old.room ? old.room * 2 : 64;
    m->slots = text_need(m->room * sizeof *m->slots);
    for (uint64_t i = 0; i < old.room; i++) {
        if (old.slots[i].used) {
            *probe(m, old.slots[i].key) = old.slots[i];
        }
    }
    free(old.slots);
}

uint64_t *map_at(map *m, uint64_t key, int *fresh)
{
    if (m->count * 2 >= m->room) {
        grow(m);
    }
    map_slot *s = probe(m, key);
    if (fresh) {
        *fresh = !s->used;
    }
    if (!s->used) {
        *s = (map_slot){.key = key, .used = 1};
        m->count++;
    }
    return &s->value;
}

uint64_t *map_find(const map *m, uint64_t key)
{
    if (!m->room) {
        return NULL;
    }
    map_slot *s = probe(m, key);
    return s->used ? &s->value : NULL;
}

void map_free(map *m)
{
    free(m->slots);
    *m = (map){0};
}
