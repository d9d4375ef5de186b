/* turns.c: see turns.h.
 *
 * The order is the one that NT describes: the highest priority that can run, runs; equals take
 * turns of one quantum. Strict priorities alone let a spinning thread keep out the very one that it
 * waits for, so a thread that was ready for `starve_ms` without running is put first, and keeps its
 * hardware thread for one quantum of guest time (NT's balance set manager does the like). Whom and
 * until when is the only state. */
#include "turns.h"

#include <string.h>

void turns_create(turns *t, const weft_host *host)
{
    t->quantum = (uint64_t)host->option_int(host, "quantum_ms") * TICKS_PER_MS;
    t->starve = (uint64_t)host->option_int(host, "starve_ms") * TICKS_PER_MS;
}

/* Whether `a` goes before `b`: affinity, which a thread in the wrong queue lacks until the kernel
 * moves it, then priority, then the longer stand in the queue. Ties keep the order of creation. */
static int goes_before(const weft_sched_thread *a, const weft_sched_thread *b, uint32_t hw)
{
    if (pick_has_affinity(a, hw) != pick_has_affinity(b, hw)) {
        return pick_has_affinity(a, hw);
    }
    if (a->priority != b->priority) {
        return a->priority > b->priority;
    }
    return a->order < b->order;
}

/* Whom the hardware thread owes time: the boosted one while its time lasts, else the one that has
 * starved longest, which is boosted from here on; with nobody of the kind, who goes before all others.
 * One walk, which ends where nobody more is ready. */
int32_t turns_next(turns *t, const weft_sched_view *view, uint32_t hw)
{
    const weft_sched_hw *place = weft_view_hw(view, hw);
    uint64_t time = place->time, oldest_since = 0;
    boost *owed = &t->boosts[hw];
    int32_t best = -1, oldest = -1;
    uint32_t ready = place->ready;
    /* the one that ran last is often the only one */
    uint32_t first = ready == 1 && place->current >= 0 ? (uint32_t)place->current : 0;
    for (uint32_t i = first; i < view->thread_count && ready > 0; i++) {
        const weft_sched_thread *thread = weft_view_thread(view, i);
        if (!pick_can_run(thread, hw)) {
            continue;
        }
        ready--;
        if (best < 0 || goes_before(thread, weft_view_thread(view, (uint32_t)best), hw)) {
            best = (int32_t)i;
        }
        if (t->starve == 0 || !pick_has_affinity(thread, hw)) {
            continue;
        }
        if (thread->id == owed->thread && time < owed->until) {
            return (int32_t)i;
        }
        uint64_t since = thread->ready_since;
        int starved =
            thread->state == WEFT_THREAD_READY && since < time && time - since >= t->starve;
        if (starved && (oldest < 0 || since < oldest_since)) {
            oldest = (int32_t)i;
            oldest_since = since;
        }
    }
    if (oldest >= 0) {
        owed->thread = weft_view_thread(view, (uint32_t)oldest)->id;
        owed->until = pick_add(time, t->quantum);
    } else {
        owed->thread = 0;
    }
    return oldest >= 0 ? oldest : best;
}

void turns_forget(turns *t, uint64_t thread)
{
    for (uint32_t i = 0; i < WEFT_HW_COUNT; i++) {
        if (t->boosts[i].thread == thread) {
            memset(&t->boosts[i], 0, sizeof t->boosts[i]);
        }
    }
}

weft_status turns_save(const turns *t, void *buffer, uint64_t *length)
{
    if (buffer && *length < sizeof t->boosts) {
        return WEFT_E_LIMIT;
    }
    *length = sizeof t->boosts;
    if (buffer) {
        memcpy(buffer, t->boosts, sizeof t->boosts);
    }
    return WEFT_OK;
}

weft_status turns_load(turns *t, const void *buffer, uint64_t length)
{
    if (length != sizeof t->boosts) {
        return WEFT_E_FORMAT;
    }
    memcpy(t->boosts, buffer, sizeof t->boosts);
    return WEFT_OK;
}
