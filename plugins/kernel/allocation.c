#include "allocation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel.h"

static const char *const whats[KALLOCATION_COUNT] = {
    [KALLOCATION_POOL] = "pool",         [KALLOCATION_VIRTUAL] = "virtual",
    [KALLOCATION_PHYSICAL] = "physical", [KALLOCATION_STACK] = "stack",
    [KALLOCATION_TLS] = "tls",           [KALLOCATION_THREAD] = "thread",
    [KALLOCATION_OBJECT] = "object",     [KALLOCATION_IMAGE] = "image",
    [KALLOCATION_MODULE] = "module",     [KALLOCATION_VARIABLE] = "variable",
    [KALLOCATION_SYSTEM] = "system",
};

/* ---- counting by site ------------------------------------------------------------------------ */

static uint64_t slot_of(uint64_t thread, uint32_t site)
{
    return thread ^ site * UINT64_C(0x9E3779B97F4A7C15);
}

static bool sites_grow(ksites *s)
{
    uint32_t capacity = s->capacity ? s->capacity * 2 : 256;
    ksite *grown = calloc(capacity, sizeof *grown);
    if (!grown) {
        return false;
    }
    for (uint32_t i = 0; i < s->capacity; i++) {
        if (s->slots[i].count) {
            uint64_t at = slot_of(s->slots[i].thread, s->slots[i].site);
            while (grown[at % capacity].count) {
                at++;
            }
            grown[at % capacity] = s->slots[i];
        }
    }
    free(s->slots);
    s->slots = grown;
    s->capacity = capacity;
    return true;
}

uint32_t ksite_next(ksites *s, uint64_t thread, uint32_t site)
{
    if (s->count * 2 >= s->capacity && !sites_grow(s)) {
        return 0;
    }
    for (uint64_t at = slot_of(thread, site);; at++) {
        ksite *slot = &s->slots[at % s->capacity];
        if (slot->count && (slot->thread != thread || slot->site != site)) {
            continue;
        }
        if (!slot->count) {
            slot->thread = thread;
            slot->site = site;
            s->count++;
        }
        return slot->count++;
    }
}

void ksites_free(ksites *s)
{
    free(s->slots);
    *s = (ksites){0};
}

/* ---- the table ------------------------------------------------------------------------------- */

/* Index of the first row at or above an address. */
static uint32_t lower(const kallocations *a, uint32_t address)
{
    uint32_t low = 0, high = a->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (a->rows[middle].address < address) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

const kallocation *kallocation_at(const kernel *k, uint32_t address)
{
    uint32_t i = lower(&k->given, address);
    return i < k->given.count && k->given.rows[i].address == address ? &k->given.rows[i] : NULL;
}

const kallocation *kallocation_around(const kernel *k, uint32_t address)
{
    const kallocation *found = kallocation_at(k, address);
    uint32_t i = lower(&k->given, address);
    if (!found && i > 0 && address - k->given.rows[i - 1].address < k->given.rows[i - 1].size) {
        found = &k->given.rows[i - 1];
    }
    return found;
}

static bool room(kallocations *a)
{
    if (a->count < a->capacity) {
        return true;
    }
    uint32_t capacity = a->capacity ? a->capacity * 2 : 256;
    kallocation *grown = realloc(a->rows, capacity * sizeof *grown);
    if (!grown) {
        return false;
    }
    a->rows = grown;
    a->capacity = capacity;
    return true;
}

/* ---- names and events ------------------------------------------------------------------------ */

static const char *owner_name(const kthread *owner)
{
    return owner ? owner->name : "kernel";
}

void kallocation_name(const kallocation *a, char *text, size_t capacity)
{
    bool divided = a->what == KALLOCATION_VIRTUAL || a->what == KALLOCATION_PHYSICAL;
    snprintf(text, capacity, "%s:%s/%08x/%u", divided ? "heap" : "alloc", owner_name(a->owner),
             a->site, a->nth);
}

static uint64_t identity(const kallocation *a)
{
    char text[128];
    int length = snprintf(text, sizeof text, "alloc:%s%s/%08x/%u", a->owner ? "thread:" : "",
                          owner_name(a->owner), a->site, a->nth);
    return weft_fnv1a(text, (size_t)length);
}

/* In the owner's name, or in that of the machine. */
static void emit_alloc(kernel *k, const kallocation *a)
{
    uint32_t physical = k->mm ? mm_physical(k->mm, a->address) : UINT32_MAX;
    weft_event_buffer event;
    weft_event_begin(&event, WEFT_EVENT_MEMORY_ALLOC);
    weft_event_word(&event, a->id);
    weft_event_word(&event, a->address);
    weft_event_word(&event, a->size);
    weft_event_word(&event, physical == UINT32_MAX ? 0 : physical);
    weft_event_word(&event, a->site);
    weft_event_word(&event, a->nth);
    weft_event_text(&event, whats[a->what], strlen(whats[a->what]));
    kemit(k, a->owner, &event);
}

bool kallocation_add(kernel *k, const kthread *owner, uint32_t site, uint32_t address,
                     uint32_t size, uint32_t what)
{
    kallocations *a = &k->given;
    if (!room(a)) {
        kend(k, WEFT_END_PLUGIN, 0, "kernel-hle: out of memory for the table of allocations");
        return false;
    }
    kallocation row = {
        .address = address,
        .size = size,
        .site = site,
        .nth = ksite_next(&a->sites, owner ? owner->id : 0, site),
        .owner = owner,
        .what = what,
    };
    row.id = identity(&row);
    uint32_t i = lower(a, address);
    memmove(&a->rows[i + 1], &a->rows[i], (a->count - i) * sizeof *a->rows);
    a->rows[i] = row;
    a->count++;
    emit_alloc(k, &row);
    return true;
}

void kallocation_remove(kernel *k, uint32_t address)
{
    kallocations *a = &k->given;
    uint32_t i = lower(a, address);
    if (i == a->count || a->rows[i].address != address) {
        return;
    }
    /* first: what others did to locks there comes before its end (order.c) */
    kobject_forget_range(k, address, a->rows[i].size);
    weft_event_buffer event;
    weft_event_begin(&event, WEFT_EVENT_MEMORY_FREE);
    weft_event_word(&event, a->rows[i].id);
    weft_event_word(&event, address);
    kemit(k, k->running, &event);
    a->count--;
    memmove(&a->rows[i], &a->rows[i + 1], (a->count - i) * sizeof *a->rows);
}

void kallocations_free(kernel *k)
{
    free(k->given.rows);
    ksites_free(&k->given.sites);
    k->given = (kallocations){0};
}
