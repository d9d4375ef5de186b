/* live.c: see live.h. */
#include "live.h"

#include <stdlib.h>
#include <string.h>

#define SMALL UINT64_C(0x10000) /* values below are counts, flags and sizes, never names */

static size_t home_of(const live_map *m, uint64_t key)
{
    return (size_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (m->room - 1);
}

static size_t place_of(const live_map *m, uint64_t key)
{
    size_t at = home_of(m, key);
    while (m->entries[at].used && m->entries[at].key != key) {
        at = (at + 1) & (m->room - 1);
    }
    return at;
}

uint64_t *live_map_find(const live_map *m, uint64_t key)
{
    if (m->count == 0) {
        return NULL;
    }
    struct live_entry *e = &m->entries[place_of(m, key)];
    return e->used ? e->value : NULL;
}

uint64_t *live_map_put(live_map *m, uint64_t key, const uint64_t value[2])
{
    if (m->count * 2 >= m->room) {
        live_map bigger = {.room = m->room ? m->room * 2 : 64, .count = m->count};
        bigger.entries = calloc(bigger.room, sizeof *bigger.entries);
        if (!bigger.entries) {
            return NULL;
        }
        for (size_t i = 0; i < m->room; i++) {
            if (m->entries[i].used) {
                bigger.entries[place_of(&bigger, m->entries[i].key)] = m->entries[i];
            }
        }
        free(m->entries);
        *m = bigger;
    }
    struct live_entry *e = &m->entries[place_of(m, key)];
    m->count += !e->used;
    *e = (struct live_entry){.key = key, .value = {value[0], value[1]}, .used = 1};
    return e->value;
}

void live_map_remove(live_map *m, uint64_t key)
{
    if (!live_map_find(m, key)) {
        return;
    }
    size_t hole = place_of(m, key);
    m->count--;
    /* Entries that a search would no longer reach across the hole move into it. */
    for (size_t at = (hole + 1) & (m->room - 1); m->entries[at].used;
         at = (at + 1) & (m->room - 1)) {
        size_t home = home_of(m, m->entries[at].key);
        if (((at - home) & (m->room - 1)) >= ((at - hole) & (m->room - 1))) {
            m->entries[hole] = m->entries[at];
            hole = at;
        }
    }
    m->entries[hole].used = 0;
}

/* How many of the sorted values are not above `word`. */
static size_t upto(const uint64_t *values, size_t count, uint64_t word)
{
    size_t low = 0;
    while (count > 0) {
        size_t half = count / 2;
        int right = values[low + half] <= word;
        low = right ? low + half + 1 : low;
        count = right ? count - half - 1 : half;
    }
    return low;
}

/* The range with the highest first address that is not above `word`: its leaf's place in `order`,
 * and its place in the leaf. 0 where there is none. */
static int at_or_below(const live *l, uint64_t word, size_t *leaf, size_t *slot)
{
    size_t n = upto(l->firsts, l->leaf_count, word);
    if (n == 0) {
        return 0;
    }
    const live_leaf *f = &l->leaves[l->order[n - 1]];
    *leaf = n - 1;
    *slot = upto(f->first, f->count, word) - 1;
    return 1;
}

static void remove_at(live *l, size_t leaf, size_t slot)
{
    live_leaf *f = &l->leaves[l->order[leaf]];
    size_t tail = --f->count - slot;
    memmove(&f->first[slot], &f->first[slot + 1], tail * 8);
    memmove(&f->last[slot], &f->last[slot + 1], tail * 8);
    memmove(&f->name[slot], &f->name[slot + 1], tail * 8);
    if (f->count > 0) {
        l->firsts[leaf] = f->first[0];
        return;
    }
    /* An empty leaf goes behind the others, where the next one to be needed is taken from. */
    uint32_t empty = l->order[leaf];
    tail = --l->leaf_count - leaf;
    memmove(&l->order[leaf], &l->order[leaf + 1], tail * sizeof *l->order);
    memmove(&l->firsts[leaf], &l->firsts[leaf + 1], tail * sizeof *l->firsts);
    l->order[l->leaf_count] = empty;
}

/* Puts an empty leaf before the `at`-th. */
static int add_leaf(live *l, size_t at)
{
    if (l->leaf_count == l->leaf_room) {
        size_t room = l->leaf_room ? l->leaf_room * 2 : 8;
        live_leaf *leaves = realloc(l->leaves, room * sizeof *leaves);
        l->leaves = leaves ? leaves : l->leaves;
        uint32_t *order = realloc(l->order, room * sizeof *order);
        l->order = order ? order : l->order;
        uint64_t *firsts = realloc(l->firsts, room * sizeof *firsts);
        l->firsts = firsts ? firsts : l->firsts;
        if (!leaves || !order || !firsts) {
            l->no_memory = 1;
            return 0;
        }
        for (size_t i = l->leaf_room; i < room; i++) {
            l->order[i] = (uint32_t)i;
        }
        l->leaf_room = room;
    }
    uint32_t fresh = l->order[l->leaf_count];
    size_t tail = l->leaf_count++ - at;
    memmove(&l->order[at + 1], &l->order[at], tail * sizeof *l->order);
    memmove(&l->firsts[at + 1], &l->firsts[at], tail * sizeof *l->firsts);
    l->order[at] = fresh;
    l->leaves[fresh].count = 0;
    return 1;
}

/* Adds a range that overlaps none. */
static void insert(live *l, uint64_t first, uint64_t last, uint64_t name)
{
    size_t leaf = 0, slot = 0;
    if (l->leaf_count == 0 && !add_leaf(l, 0)) {
        return;
    }
    if (at_or_below(l, first, &leaf, &slot)) {
        slot++;
    }
    if (l->leaves[l->order[leaf]].count == LIVE_LEAF) {
        if (!add_leaf(l, leaf + 1)) {
            return;
        }
        live_leaf *full = &l->leaves[l->order[leaf]], *half = &l->leaves[l->order[leaf + 1]];
        half->count = full->count = LIVE_LEAF / 2;
        memcpy(half->first, &full->first[LIVE_LEAF / 2], LIVE_LEAF / 2 * 8);
        memcpy(half->last, &full->last[LIVE_LEAF / 2], LIVE_LEAF / 2 * 8);
        memcpy(half->name, &full->name[LIVE_LEAF / 2], LIVE_LEAF / 2 * 8);
        l->firsts[leaf + 1] = half->first[0];
        if (slot > LIVE_LEAF / 2) {
            slot -= LIVE_LEAF / 2;
            leaf++;
        }
    }
    live_leaf *f = &l->leaves[l->order[leaf]];
    size_t tail = f->count++ - slot;
    memmove(&f->first[slot + 1], &f->first[slot], tail * 8);
    memmove(&f->last[slot + 1], &f->last[slot], tail * 8);
    memmove(&f->name[slot + 1], &f->name[slot], tail * 8);
    f->first[slot] = first;
    f->last[slot] = last;
    f->name[slot] = name;
    l->firsts[leaf] = f->first[0];
}

static void remove_range(live *l, uint64_t first, uint64_t name)
{
    size_t leaf, slot;
    if (at_or_below(l, first, &leaf, &slot)) {
        const live_leaf *f = &l->leaves[l->order[leaf]];
        if (f->first[slot] == first && f->name[slot] == name) {
            remove_at(l, leaf, slot);
        }
    }
}

void live_free(live *l, uint64_t id)
{
    l->changes++;
    const uint64_t *places = live_map_find(&l->allocations, id);
    if (places) {
        uint64_t address = places[0], alias = places[1];
        remove_range(l, address, id);
        remove_range(l, alias, id);
        live_map_remove(&l->allocations, id);
        l->generation++;
    }
}

/* Ends every allocation that has a part of first..last. */
static void clear(live *l, uint64_t first, uint64_t last)
{
    size_t leaf, slot;
    while (at_or_below(l, last, &leaf, &slot) && l->leaves[l->order[leaf]].last[slot] >= first) {
        live_free(l, l->leaves[l->order[leaf]].name[slot]);
    }
}

static uint64_t end_of(uint64_t first, uint64_t size)
{
    return size - 1 > UINT64_MAX - first ? UINT64_MAX : first + (size - 1);
}

void live_alloc(live *l, uint64_t id, uint64_t address, uint64_t size, uint64_t alias)
{
    l->changes++;
    live_free(l, id);
    if (size == 0) {
        return;
    }
    uint64_t last = end_of(address, size), alias_last = end_of(alias, size);
    int twice = alias != 0 && (alias > last || alias_last < address);
    clear(l, address, last);
    if (twice) {
        clear(l, alias, alias_last);
    }
    if (id == 0) {
        return;
    }
    if (!live_map_put(&l->allocations, id, (const uint64_t[]){address, twice ? alias : address})) {
        l->no_memory = 1;
        return;
    }
    insert(l, address, last, id);
    if (twice) {
        insert(l, alias, alias_last, id);
    }
    l->generation++;
}

void live_open(live *l, uint64_t handle, uint64_t id)
{
    l->changes++;
    if (id == 0) {
        live_close(l, handle);
        return;
    }
    if (l->handles.count == 0) {
        l->handle_low = l->handle_high = handle;
    }
    l->handle_low = handle < l->handle_low ? handle : l->handle_low;
    l->handle_high = handle > l->handle_high ? handle : l->handle_high;
    if (!live_map_put(&l->handles, handle, (const uint64_t[]){id, 0})) {
        l->no_memory = 1;
    }
}

void live_close(live *l, uint64_t handle)
{
    l->changes++;
    live_map_remove(&l->handles, handle);
}

static int find_handle(const live *l, uint64_t word, uint64_t *name, uint64_t *base)
{
    if (l->handles.count == 0 || word < l->handle_low || word > l->handle_high) {
        return 0;
    }
    const uint64_t *value = live_map_find(&l->handles, word);
    if (value) {
        *name = value[0];
        *base = word;
    }
    return value != NULL;
}

/* The range or gap that a word lies in; name 0 for a gap. */
static void find_range(const live *l, uint64_t word, struct live_near *found)
{
    size_t leaf, slot;
    *found = (struct live_near){.first = 0, .last = UINT64_MAX};
    if (!at_or_below(l, word, &leaf, &slot)) {
        found->last = l->leaf_count ? l->firsts[0] - 1 : UINT64_MAX;
        return;
    }
    const live_leaf *f = &l->leaves[l->order[leaf]];
    if (word <= f->last[slot]) {
        found->first = f->first[slot];
        found->last = f->last[slot];
        found->name = f->name[slot];
        return;
    }
    found->first = f->last[slot] + 1;
    if (slot + 1 < f->count) {
        found->last = f->first[slot + 1] - 1;
    } else if (leaf + 1 < l->leaf_count) {
        found->last = l->firsts[leaf + 1] - 1;
    }
}

int live_find(const live *l, uint64_t word, uint64_t *name, uint64_t *base)
{
    struct live_near found;
    if (word < SMALL) {
        return 0;
    }
    if (find_handle(l, word, name, base)) {
        return 1;
    }
    find_range(l, word, &found);
    *name = found.name;
    *base = found.name ? found.first : 0;
    return found.name != 0;
}

int live_find_near(live *l, uint64_t word, uint64_t *name, uint64_t *base)
{
    if (word < SMALL) {
        return 0;
    }
    if (find_handle(l, word, name, base)) {
        return 1;
    }
    struct live_near *near = &l->near[(word >> 8 ^ word >> 16) % LIVE_NEAR];
    if (near->generation != l->generation + 1 || word < near->first || word > near->last) {
        find_range(l, word, near);
        near->generation = l->generation + 1; /* 0 is an answer that was never given */
    }
    *name = near->name;
    *base = near->name ? near->first : 0;
    return near->name != 0;
}

/* A copy of an array; NULL for an empty one, and NULL with *good 0 without memory. */
static void *copy(const void *from, size_t bytes, int *good)
{
    void *to = bytes > 0 ? malloc(bytes) : NULL;
    if (to) {
        memcpy(to, from, bytes);
    }
    *good &= bytes == 0 || to;
    return to;
}

static live_map copy_map(const live_map *from, int *good)
{
    live_map to = *from;
    to.entries = copy(from->entries, from->room * sizeof *from->entries, good);
    return to;
}

int live_copy(live *to, const live *from)
{
    int good = 1;
    *to = *from;
    to->leaves = copy(from->leaves, from->leaf_room * sizeof *from->leaves, &good);
    to->order = copy(from->order, from->leaf_room * sizeof *from->order, &good);
    to->firsts = copy(from->firsts, from->leaf_room * sizeof *from->firsts, &good);
    to->allocations = copy_map(&from->allocations, &good);
    to->handles = copy_map(&from->handles, &good);
    if (!good) {
        live_end(to);
    }
    return good;
}

size_t live_bytes(const live *l)
{
    return sizeof *l + l->leaf_room * (sizeof *l->leaves + sizeof *l->order + sizeof *l->firsts) +
           (l->allocations.room + l->handles.room) * sizeof(struct live_entry);
}

void live_end(live *l)
{
    free(l->leaves);
    free(l->order);
    free(l->firsts);
    free(l->allocations.entries);
    free(l->handles.entries);
    memset(l, 0, sizeof *l);
}
