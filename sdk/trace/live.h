/* live.h: what a title holds at a moment of its trace: allocations and handles, and which of them a
 * word means. canon.c keeps one; nothing here knows of events. */
#ifndef WEFT_TRACE_LIVE_H
#define WEFT_TRACE_LIVE_H

#include <stddef.h>
#include <stdint.h>

/* Two words by key: open addressing, removal without tombstones. */
typedef struct live_map {
    struct live_entry {
        uint64_t key, value[2], used;
    } * entries;
    size_t room, count;
} live_map;

uint64_t *live_map_find(const live_map *map, uint64_t key); /* value[2], or NULL */
uint64_t *live_map_put(live_map *map, uint64_t key, const uint64_t value[2]); /* NULL: no memory */
void live_map_remove(live_map *map, uint64_t key);

/* Ranges of addresses that do not overlap, ordered: leaves of up to LIVE_LEAF ranges, and the first
 * address of each leaf in one array. A look-up is two binary searches; an insertion moves one leaf's
 * tail, and the array of leaves once in some 32 times. */
#define LIVE_LEAF 64

typedef struct live_leaf {
    uint32_t count;
    uint64_t first[LIVE_LEAF], last[LIVE_LEAF]; /* both within the range */
    uint64_t name[LIVE_LEAF];
} live_leaf;

#define LIVE_NEAR 64 /* answers kept: titles ask for the same few again and again */

typedef struct live {
    live_leaf *leaves;
    uint32_t *order;  /* leaves by address */
    uint64_t *firsts; /* their first addresses */
    size_t leaf_count, leaf_room;
    live_map allocations; /* by identity: address, alias (the address again: none) */
    live_map handles;     /* by raw value: identity */
    uint64_t handle_low, handle_high;
    uint64_t generation; /* counts changes of ranges; answers of another one are stale */
    uint64_t changes;    /* counts the calls that may have changed anything */
    struct live_near {
        uint64_t generation, first, last, name; /* name 0: nothing is in that stretch */
    } near[LIVE_NEAR];
    int no_memory;
} live;

/* An allocation begins: `size` bytes at `address`, once more at `alias` where that is not 0. What it
 * overlaps is over. Identity 0 names nothing. */
void live_alloc(live *l, uint64_t id, uint64_t address, uint64_t size, uint64_t alias);
void live_free(live *l, uint64_t id);
void live_open(live *l, uint64_t handle, uint64_t id);
void live_close(live *l, uint64_t handle);

/* 1 where the word is `base` + offset in what `name` identifies. */
int live_find(const live *l, uint64_t word, uint64_t *name, uint64_t *base);

/* The same, keeping the answer for the next time. */
int live_find_near(live *l, uint64_t word, uint64_t *name, uint64_t *base);

int live_copy(live *to, const live *from); /* 0 without memory */
size_t live_bytes(const live *l);          /* that a copy takes */
void live_end(live *l);

#endif
