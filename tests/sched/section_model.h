/* What a critical section or spin lock can do next, seen from its operations alone (docs/kernel.md, "The
 * order of operations"): who has it, who waits, whether it is being handed to one who does. Operations
 * whose numbers are not in the order in which they happened do not fit. */
#ifndef WEFT_TEST_SECTION_MODEL_H
#define WEFT_TEST_SECTION_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "weft/policy.h"

typedef struct section_model {
    uint64_t owner; /* thread; 0: nobody */
    uint32_t waiting;
    bool handed; /* left while somebody waits, who has not been told yet */
} section_model;

/* Takes the next operation; `got`: of a TRY, whether it succeeded. False: it cannot be the next. */
static inline bool section_follows(section_model *m, uint32_t kind, uint64_t thread, bool got)
{
    section_model was = *m;
    bool is_free = was.owner == 0 && !was.handed;
    switch (kind) {
    case WEFT_SYNC_ENTER:
        m->owner = thread;
        return is_free;
    case WEFT_SYNC_ENTER_CONTENDED:
        m->waiting++;
        return !is_free;
    case WEFT_SYNC_TRY:
        m->owner = got ? thread : was.owner;
        return is_free == got;
    case WEFT_SYNC_LEAVE:
        m->owner = 0;
        m->handed = was.waiting > 0;
        return was.owner == thread;
    case WEFT_SYNC_WAKE:
        m->owner = thread;
        m->waiting--;
        m->handed = false;
        return was.handed && was.waiting > 0;
    default:
        return false;
    }
}

#endif
