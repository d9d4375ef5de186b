/* roster.c: see roster.h. Titles have tens of threads: a list is searched. */
#include "roster.h"

#include <stdlib.h>
#include <string.h>

roster_entry *roster_find(const roster *r, uint64_t id)
{
    for (uint32_t i = 0; i < r->count; i++) {
        if (r->entries[i].id == id) {
            return &r->entries[i];
        }
    }
    return NULL;
}

roster_entry *roster_add(roster *r, uint64_t id, int *fresh)
{
    roster_entry *found = roster_find(r, id);
    *fresh = found == NULL;
    if (found) {
        return found;
    }
    if (r->count == r->room) {
        uint32_t room = r->room ? r->room * 2 : 32;
        roster_entry *more = realloc(r->entries, room * sizeof *more);
        if (!more) {
            return NULL;
        }
        r->entries = more;
        r->room = room;
    }
    found = &r->entries[r->count++];
    memset(found, 0, sizeof *found);
    found->id = id;
    return found;
}

void roster_remove(roster *r, uint64_t id)
{
    roster_entry *found = roster_find(r, id);
    if (found) {
        memmove(found, found + 1, (size_t)(&r->entries[--r->count] - found) * sizeof *found);
    }
}

void roster_free(roster *r)
{
    free(r->entries);
}
