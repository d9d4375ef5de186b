/* canon.c: see canon.h: the two canonical forms under one name, and the chains over them. */
#include "canon.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "canon_own.h"
#include "canon_shared.h"

struct weft_canon {
    canon_own *own; /* one of the two */
    canon_shared *shared;
};

static weft_canon *wrap(canon_own *own, canon_shared *shared)
{
    weft_canon *c = own || shared ? malloc(sizeof *c) : NULL;
    if (!c) {
        canon_own_free(own);
        canon_shared_free(shared);
        return NULL;
    }
    *c = (weft_canon){.own = own, .shared = shared};
    return c;
}

weft_canon *weft_canon_new(int mode)
{
    return mode == WEFT_CANON_OWN ? wrap(canon_own_new(), NULL) : wrap(NULL, canon_shared_new());
}

weft_canon *weft_canon_clone(const weft_canon *c)
{
    return c->own ? wrap(canon_own_clone(c->own), NULL) : wrap(NULL, canon_shared_clone(c->shared));
}

size_t weft_canon_bytes(const weft_canon *c)
{
    return c->own ? live_bytes(&c->own->live) : 0;
}

void weft_canon_free(weft_canon *c)
{
    if (c) {
        canon_own_free(c->own);
        canon_shared_free(c->shared);
        free(c);
    }
}

int weft_canon_add(weft_canon *c, const weft_trace *trace, const weft_event *event, uint64_t *hash)
{
    return c->own ? canon_own_add(c->own, event, hash)
                  : canon_shared_add(c->shared, trace, event, hash);
}

const uint64_t *weft_canon_words(const weft_canon *c, const uint8_t **fields, uint32_t *count)
{
    if (!c->own) {
        return canon_shared_words(c->shared, fields, count);
    }
    *fields = NULL;
    *count = c->own->of.count;
    return c->own->of.words;
}

int weft_canon_name(const weft_canon *c, uint64_t word, uint64_t *name, uint64_t *base)
{
    return c->own && live_find(&c->own->live, word, name, base);
}

int weft_canon_no_memory(const weft_canon *c)
{
    return c->own ? c->own->no_memory || c->own->live.no_memory : canon_shared_no_memory(c->shared);
}

/* The length is a constant: inlined, nothing but the arithmetic for 16 bytes remains of XXH3. */
__attribute__((flatten)) uint64_t weft_canon_chain(uint64_t chain, uint64_t hash)
{
    const uint64_t both[2] = {chain, hash};
    return XXH3_64bits(both, sizeof both);
}

struct weft_canon_chains {
    live_map threads; /* by identity: number of events, chain */
    uint64_t thread;  /* the latest, and its values */
    uint64_t *values;
    int no_memory;
};

weft_canon_chains *weft_canon_chains_new(void)
{
    return calloc(1, sizeof(weft_canon_chains));
}

void weft_canon_chains_add(weft_canon_chains *c, uint64_t thread, uint64_t hash)
{
    if (!c->values || c->thread != thread) {
        c->values = live_map_find(&c->threads, thread);
        if (!c->values) {
            c->values = live_map_put(&c->threads, thread, (const uint64_t[]){0, 0});
        }
        c->thread = thread;
        if (!c->values) {
            c->no_memory = 1;
            return;
        }
    }
    c->values[0]++;
    c->values[1] = weft_canon_chain(c->values[1], hash);
}

void weft_canon_chains_set(weft_canon_chains *c, uint64_t thread, uint64_t count, uint64_t chain)
{
    c->no_memory |= !live_map_put(&c->threads, thread, (const uint64_t[]){count, chain});
    c->values = NULL;
}

static int by_key(const void *a, const void *b)
{
    const struct live_entry *x = a, *y = b;
    return x->key < y->key ? -1 : x->key > y->key;
}

void weft_canon_chains_digest(const weft_canon_chains *c, char hex[33])
{
    size_t count = c->threads.count, n = 0;
    struct live_entry *sorted = malloc((count + 1) * sizeof *sorted);
    uint64_t *words = malloc((count + 1) * 3 * sizeof *words);
    hex[0] = 0;
    if (sorted && words && !c->no_memory) {
        for (size_t i = 0; i < c->threads.room; i++) {
            if (c->threads.entries[i].used) {
                sorted[n++] = c->threads.entries[i];
            }
        }
        qsort(sorted, n, sizeof *sorted, by_key);
        for (size_t i = 0; i < n; i++) {
            words[3 * i] = sorted[i].key;
            words[3 * i + 1] = sorted[i].value[0];
            words[3 * i + 2] = sorted[i].value[1];
        }
        XXH128_hash_t hash = XXH3_128bits(words, n * 3 * sizeof *words);
        snprintf(hex, 33, "%016llx%016llx", (unsigned long long)hash.high64,
                 (unsigned long long)hash.low64);
    }
    free(sorted);
    free(words);
}

void weft_canon_chains_free(weft_canon_chains *c)
{
    if (c) {
        free(c->threads.entries);
        free(c);
    }
}
