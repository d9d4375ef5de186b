/* policy-replay: makes a recorded run again from its decisions, without the policy that took them.
 *
 * The trace of a run has each answer that was not the built-in policy's, and how often the same was
 * asked before; all others are the built-in policy's, which is what a policy without an answer gets. A
 * decision that does not fit what is asked ends the replay: from there on the built-in policy serves,
 * and the log says where that was. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "recording.h"
#include "weft/host.h"

/* policy.replay `what` (docs/policy.md, "policy-replay") */
#define DOES_NOT_FIT UINT64_C(32)

/* A thread's quantum stays until another is answered. */
typedef struct quantum_of {
    uint64_t thread, ticks;
} quantum_of;

typedef struct policy_replay {
    const weft_host *host;
    recording recording;
    int lost; /* 1: a decision did not fit */
    uint64_t given;
    quantum_of *quanta;
    size_t quantum_count, quantum_room;
} policy_replay;

/* ---- what does not fit ------------------------------------------------------------------------- */

static void lose(policy_replay *p, const weft_sched_view *view, uint32_t op, const decision *d)
{
    static const char *const names[WEFT_POLICY_OPS] = {
        [WEFT_POLICY_OP_PICK_CPU] = "pick_cpu", [WEFT_POLICY_OP_PICK_NEXT] = "pick_next",
        [WEFT_POLICY_OP_QUANTUM] = "quantum",   [WEFT_POLICY_OP_BEFORE] = "before",
        [WEFT_POLICY_OP_DELAY] = "delay",       [WEFT_POLICY_OP_STUCK] = "stuck",
        [WEFT_POLICY_OP_PLACE] = "place",
    };
    char line[256];
    weft_event_buffer event;
    p->lost = 1;
    weft_event_begin(&event, WEFT_EVENT_POLICY_REPLAY);
    event.head.thread = d->thread;
    event.head.tick = view && view->now != WEFT_TICK_NEVER ? view->now : 0;
    weft_event_word(&event, DOES_NOT_FIT);
    weft_event_word(&event, op);
    weft_event_word(&event, 0);
    weft_event_word(&event, d->nth);
    p->host->emit(p->host, &event.head);
    snprintf(line, sizeof line,
             "recording does not fit from tick %" PRIu64 " on: decision %" PRIu64 " of %" PRIu64
             ", %s number %" PRIu64 "; the built-in policy serves",
             event.head.tick, p->given, p->recording.decisions,
             names[op < WEFT_POLICY_OPS ? op : WEFT_POLICY_OP_BEFORE], d->nth);
    p->host->log(p->host, WEFT_LOG_WARN, line);
}

/* The recorded answer, if there is one and it `fits`; else NULL. */
static const decision *give(policy_replay *p, const weft_sched_view *view, uint32_t op,
                            const decision *d, int fits)
{
    if (!d) {
        return NULL;
    }
    if (!fits) {
        lose(p, view, op, d);
        return NULL;
    }
    p->given++;
    return d;
}

static const decision *asked(policy_replay *p, uint32_t op)
{
    return p->lost ? NULL : recording_next(&p->recording, op);
}

/* ---- who runs ---------------------------------------------------------------------------------- */

static uint32_t pick_cpu(void *instance, const weft_sched_view *view, uint64_t *slice)
{
    policy_replay *p = instance;
    const decision *d = asked(p, WEFT_POLICY_OP_PICK_CPU);
    int fits = d && d->answer < WEFT_HW_COUNT && d->amount > 0 &&
               weft_view_hw(view, (uint32_t)d->answer)->ready > 0;
    if (give(p, view, WEFT_POLICY_OP_PICK_CPU, d, fits)) {
        *slice = d->amount;
        return (uint32_t)d->answer;
    }
    uint32_t best = 0;
    int found = 0;
    for (uint32_t i = 0; i < WEFT_HW_COUNT; i++) {
        const weft_sched_hw *hw = weft_view_hw(view, i);
        if (hw->ready > 0 && (!found || hw->time < weft_view_hw(view, best)->time)) {
            best = i;
            found = 1;
        }
    }
    return best;
}

static int32_t pick_next(void *instance, const weft_sched_view *view, uint32_t hw)
{
    policy_replay *p = instance;
    const decision *d = asked(p, WEFT_POLICY_OP_PICK_NEXT);
    const weft_sched_thread *top = NULL;
    int32_t best = -1, chosen = -1;
    for (uint32_t i = 0; i < view->thread_count; i++) {
        const weft_sched_thread *t = weft_view_thread(view, i);
        if (t->hw != hw || t->state > WEFT_THREAD_RUNNING) {
            continue;
        }
        if (!top || t->priority > top->priority ||
            (t->priority == top->priority && t->order < top->order)) {
            top = t;
            best = (int32_t)i;
        }
        chosen = d && t->id == d->answer ? (int32_t)i : chosen;
    }
    d = give(p, view, WEFT_POLICY_OP_PICK_NEXT, d, chosen >= 0 && d && d->amount == hw);
    return d ? chosen : best;
}

/* The quantum that a thread had last; a place for it with 0 if it had none, NULL without memory. */
static quantum_of *last_quantum(policy_replay *p, uint64_t thread)
{
    for (size_t i = 0; i < p->quantum_count; i++) {
        if (p->quanta[i].thread == thread) {
            return &p->quanta[i];
        }
    }
    if (p->quantum_count == p->quantum_room) {
        size_t room = p->quantum_room ? p->quantum_room * 2 : 32;
        quantum_of *more = realloc(p->quanta, room * sizeof *more);
        if (!more) {
            return NULL;
        }
        p->quanta = more;
        p->quantum_room = room;
    }
    p->quanta[p->quantum_count] = (quantum_of){.thread = thread};
    return &p->quanta[p->quantum_count++];
}

static uint64_t quantum(void *instance, const weft_sched_view *view, int32_t thread)
{
    policy_replay *p = instance;
    uint64_t id = weft_view_thread(view, (uint32_t)thread)->id;
    const decision *d = asked(p, WEFT_POLICY_OP_QUANTUM);
    d = give(p, view, WEFT_POLICY_OP_QUANTUM, d, d && d->thread == id);
    quantum_of *last = p->lost ? NULL : last_quantum(p, id);
    if (d && last) {
        last->ticks = d->answer;
    }
    return last ? last->ticks : 0;
}

static uint64_t delay(void *instance, uint32_t kind, uint64_t thread, uint64_t natural)
{
    policy_replay *p = instance;
    const decision *d = asked(p, WEFT_POLICY_OP_DELAY);
    d = give(p, NULL, WEFT_POLICY_OP_DELAY, d, d && d->thread == thread && d->amount == kind);
    return d ? d->answer : natural;
}

static uint32_t place(void *instance, const weft_sched_view *view, int32_t thread)
{
    policy_replay *p = instance;
    const weft_sched_thread *t = weft_view_thread(view, (uint32_t)thread);
    const decision *d = asked(p, WEFT_POLICY_OP_PLACE);
    d = give(p, view, WEFT_POLICY_OP_PLACE, d,
             d && d->thread == t->id && d->answer < WEFT_HW_COUNT);
    if (d) {
        return (uint32_t)d->answer;
    }
    for (uint32_t hw = 0; !(t->affinity >> t->hw & 1) && hw < WEFT_HW_COUNT; hw++) {
        if (t->affinity >> hw & 1) {
            return hw;
        }
    }
    return t->hw;
}

/* ---- operations -------------------------------------------------------------------------------- */

/* Kinds of operations that the recording has answers to; of others nobody needs to be asked. */
static uint32_t subscribe(void *instance)
{
    const policy_replay *p = instance;
    uint32_t mask = WEFT_SYNC_NO_VIEW | WEFT_SYNC_SOURCES;
    for (uint32_t kind = 0; kind < WEFT_SYNC_KINDS; kind++) {
        mask |= p->recording.ops[recording_before(kind)].count > 0 ? UINT32_C(1) << kind : 0;
    }
    return mask;
}

static uint32_t before(void *instance, const weft_sched_view *view, const weft_sync_op *op,
                       uint64_t *amount)
{
    policy_replay *p = instance;
    uint32_t place = recording_before(op->kind);
    const decision *d = asked(p, place);
    d = give(p, view, place, d, d && d->thread == op->thread);
    *amount = d ? d->amount : 0;
    return d ? (uint32_t)d->answer : WEFT_ANSWER_GO;
}

static uint64_t stuck(void *instance, const weft_sched_view *view)
{
    policy_replay *p = instance;
    const decision *d = asked(p, WEFT_POLICY_OP_STUCK);
    int there = 0;
    for (uint32_t i = 0; d && i < view->thread_count; i++) {
        const weft_sched_thread *t = weft_view_thread(view, i);
        there |= t->id == d->answer && t->state == WEFT_THREAD_WAITING;
    }
    d = give(p, view, WEFT_POLICY_OP_STUCK, d, there);
    return d ? d->answer : 0;
}

/* ---- life -------------------------------------------------------------------------------------- */

static void release(policy_replay *p)
{
    recording_free(&p->recording);
    free(p->quanta);
    free(p);
}

static weft_status create(const weft_host *host, void **instance)
{
    char why[512], sentence[900];
    const char *path = host->option_text(host, "schedule");
    policy_replay *p = calloc(1, sizeof *p);
    if (!p) {
        return host->fail(host, WEFT_E_NO_MEMORY, "no memory for policy-replay");
    }
    p->host = host;
    if (!*path) {
        host->log(host, WEFT_LOG_WARN, "there is no run to make again: the built-in policy serves");
    } else if (!recording_read(&p->recording, path, why, sizeof why)) {
        release(p);
        snprintf(sentence, sizeof sentence, "schedule %.300s: %s", path, why);
        return host->fail(host, WEFT_E_FORMAT, sentence);
    }
    *instance = p;
    return WEFT_OK;
}

static void destroy(void *instance)
{
    policy_replay *p = instance;
    char line[160];
    snprintf(line, sizeof line,
             "schedule of the recording: %" PRIu64 " of %" PRIu64 " decisions given back%s",
             p->given, p->recording.decisions,
             p->lost                             ? ", then one that does not fit"
             : p->given < p->recording.decisions ? "; the run ended before the recorded one"
                                                 : "");
    if (p->recording.decisions > 0) {
        p->host->log(p->host, WEFT_LOG_INFO, line);
    }
    release(p);
}

static const weft_option options[] = {
    {
        .key = "schedule",
        .type = WEFT_OPTION_PATH,
        .default_value = "",
        .help = "trace of the run to make again, .wtr or .jsonl, with all its policy.answer; none: "
                "no run",
    },
};

static const weft_policy_ops ops = {
    .size = sizeof ops,
    .pick_cpu = pick_cpu,
    .pick_next = pick_next,
    .quantum = quantum,
    .subscribe = subscribe,
    .before = before,
    .delay = delay,
    .stuck = stuck,
    .place = place,
};

WEFT_EXPORT const weft_plugin_desc weft_plugin = {
    .size = sizeof(weft_plugin_desc),
    .abi_major = WEFT_ABI_MAJOR,
    .abi_minor = WEFT_ABI_MINOR,
    .role = WEFT_ROLE_POLICY,
    .id = "policy-replay",
    .version = "0.1",
    .summary = "the decisions of a recorded run, one by one",
    .sanitizers = WEFT_SANITIZERS,
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .option_stride = sizeof(weft_option),
    .ops = &ops,
    .create = create,
    .destroy = destroy,
};
