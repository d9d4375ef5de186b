/* Runs a program: each thread interprets its own. */
#include "random.h"

#define BLOCKS 8u  /* that a thread keeps */
#define BOX    16u /* more than threads: how far a giver can be ahead of its taker */

/* One way only: written by the thread before, read by the one behind it. */
typedef struct mailbox {
    u32 filled; /* semaphore */
    volatile u32 *volatile values[BOX];
} mailbox;

typedef struct machine machine;

typedef struct walker {
    machine *m;
    u32 index;
    u32 repetition;
    u32 given, taken; /* exchanges */
    u32 *blocks[BLOCKS];
} walker;

struct machine {
    const program *p;
    critical_section sections[SECTIONS];
    u32 handles[RESOURCES]; /* of those that have one */
    u32 inside[RESOURCES];  /* holders, where one at a time may be inside */
    u32 turns[RESOURCES];
    volatile u32 sums[SUMS];
    volatile u32 errors;
    u32 gate; /* notification event: all start together */
    mailbox boxes[THREADS_MAX];
    walker walkers[THREADS_MAX];
    volatile u32 shared[4]; /* races, if the program has some */
};

static void error_if(machine *m, bool wrong)
{
    if (wrong) {
        weft_atomic_add(&m->errors, 1);
    }
}

/* ---- resources --------------------------------------------------------------------------------
 */

static bool exclusive(u32 rank)
{
    return rank < RANK_PERMIT || rank >= RANK_MUTANT;
}

static void acquire(machine *m, u32 rank)
{
    if (rank < SECTIONS) {
        RtlEnterCriticalSection(&m->sections[rank]);
    } else {
        weft_wait(m->handles[rank], WEFT_FOREVER);
    }
}

static void release(machine *m, u32 rank)
{
    if (rank < SECTIONS) {
        RtlLeaveCriticalSection(&m->sections[rank]);
    } else if (rank < RANK_PERMIT) {
        NtSetEvent(m->handles[rank], 0);
    } else if (rank < RANK_MUTANT) {
        NtReleaseSemaphore(m->handles[rank], 1, 0);
    } else {
        NtReleaseMutant(m->handles[rank], 0);
    }
}

/* With the resource held. Where one alone may be inside the addition needs no atomics, and a second
 * one inside would show. */
static void add(machine *m, u32 rank, u32 value)
{
    if (!exclusive(rank)) {
        weft_atomic_add(&m->sums[rank], value);
        return;
    }
    error_if(m, m->inside[rank]++ != 0);
    u32 sum = m->sums[rank];
    weft_work(16);
    m->sums[rank] = sum + value;
    m->turns[rank]++;
    m->inside[rank]--;
}

/* ---- operations -------------------------------------------------------------------------------
 */

static void do_lock(machine *m, const instruction *i)
{
    acquire(m, i->a);
    add(m, i->a, i->value);
    release(m, i->a);
}

static void do_nest(machine *m, const instruction *i)
{
    acquire(m, i->a);
    acquire(m, i->b);
    add(m, i->a, i->value);
    add(m, i->b, i->value);
    release(m, i->b);
    release(m, i->a);
}

static void do_branch(machine *m, const instruction *i)
{
    acquire(m, i->a);
    add(m, i->a, i->value);
    if (exclusive(i->a) && (m->turns[i->a] & 1) != 0) {
        acquire(m, i->b);
        add(m, i->b, 0);
        release(m, i->b);
    }
    release(m, i->a);
}

static void do_try(machine *m, const instruction *i)
{
    if (RtlTryEnterCriticalSection(&m->sections[i->a]) == 0) {
        weft_work(200);
        RtlEnterCriticalSection(&m->sections[i->a]);
    }
    add(m, i->a, i->value);
    release(m, i->a);
}

static void do_limit(machine *m, const instruction *i)
{
    if (weft_wait(m->handles[i->a], i->b) == STATUS_TIMEOUT) {
        acquire(m, i->a);
    }
    add(m, i->a, i->value);
    release(m, i->a);
}

static void do_any(machine *m, const instruction *i)
{
    u32 count = TOKENS + PERMITS;
    u32 which = weft_wait_many(&m->handles[RANK_TOKEN], count, WAIT_ANY, WEFT_FOREVER);
    error_if(m, which >= count);
    if (which < count) {
        add(m, RANK_TOKEN + which, 0);
        weft_atomic_add(&m->sums[SUM_ANY], i->value);
        release(m, RANK_TOKEN + which);
    }
}

static void do_all(machine *m, const instruction *i)
{
    u32 handles[3] = {m->handles[i->a], m->handles[i->b], m->handles[RANK_PERMIT]};
    error_if(m, weft_wait_many(handles, 3, WAIT_ALL, WEFT_FOREVER) != STATUS_WAIT_0);
    add(m, i->a, i->value);
    add(m, i->b, i->value);
    release(m, RANK_PERMIT);
    release(m, i->b);
    release(m, i->a);
}

/* The n-th wait here needs the n-th gift of the thread before, which that gives before its own n-th
 * wait: by induction over n nobody waits for ever, as all have as many exchanges and hold nothing.
 * A giver is ahead of its taker by at most as many gifts as there are threads, for the same
 * reason. */
static void do_exchange(machine *m, walker *w)
{
    mailbox *to = &m->boxes[(w->index + 1) % m->p->threads], *from = &m->boxes[w->index];
    u32 *gift = ExAllocatePool(8);
    gift[0] = exchange_value(m->p, w->index, w->given);
    to->values[w->given++ % BOX] = gift;
    weft_publish();
    NtReleaseSemaphore(to->filled, 1, 0);
    weft_wait(from->filled, WEFT_FOREVER);
    u32 before = (w->index + m->p->threads - 1) % m->p->threads;
    volatile u32 *found = from->values[w->taken % BOX];
    error_if(m, found[0] != exchange_value(m->p, before, w->taken));
    weft_atomic_add(&m->sums[SUM_EXCHANGED], found[0]);
    w->taken++;
    ExFreePool((const void *)found);
}

/* A block is {its size in words, value, value, ...}. */
static void block_drop(machine *m, u32 *block)
{
    for (u32 i = 2; i < block[0]; i++) {
        error_if(m, block[i] != block[1]);
    }
    weft_atomic_add(&m->sums[SUM_ALLOCATED], block[1]);
    ExFreePool(block);
}

static void do_allocate(machine *m, walker *w, u32 at, const instruction *i)
{
    u32 words = 4 + i->a / 4;
    u32 *block = ExAllocatePool(words * 4);
    block[0] = words;
    for (u32 n = 1; n < words; n++) {
        block[n] = block_value(m->p, w->index, at);
    }
    u32 place = i->value % BLOCKS;
    if (w->blocks[place] != NULL) {
        block_drop(m, w->blocks[place]);
    }
    w->blocks[place] = block;
}

typedef struct child {
    machine *m;
    const instruction *i;
} child;

static u32 child_run(void *context)
{
    child *c = context;
    acquire(c->m, c->i->a);
    add(c->m, c->i->a, c->i->value);
    release(c->m, c->i->a);
    weft_atomic_add(&c->m->sums[SUM_SPAWNED], 1);
    return 0;
}

static void do_spawn(machine *m, walker *w, const instruction *i)
{
    child c = {m, i};
    u32 thread = 0;
    if (weft_thread_create(&thread, child_run, &c, (w->index + 1) % 6, 0) != STATUS_SUCCESS) {
        error_if(m, true);
        return;
    }
    weft_wait(thread, WEFT_FOREVER);
    NtClose(thread);
}

/* What it finds depends on what others stored meanwhile; what it does then, too. */
static void do_racy(machine *m, const instruction *i)
{
    volatile u32 *cell = &m->shared[i->a % 4];
    u32 seen = *cell;
    weft_work(seen % 64);
    *cell = seen + i->value;
    if ((seen & 3) == 0) {
        NtYieldExecution();
    } else if ((seen & 3) == 1) {
        acquire(m, 0);
        release(m, 0);
    }
}

static void step(machine *m, walker *w, u32 at)
{
    static const i64 ten_us = -100;
    const instruction *i = &m->p->code[w->index][at];
    if ((w->repetition & i->rare) != 0) {
        return;
    }
    switch ((operation)i->op) {
    case OP_LOCK:
        do_lock(m, i);
        break;
    case OP_NEST:
        do_nest(m, i);
        break;
    case OP_BRANCH:
        do_branch(m, i);
        break;
    case OP_TRY:
        do_try(m, i);
        break;
    case OP_LIMIT:
        do_limit(m, i);
        break;
    case OP_ANY:
        do_any(m, i);
        break;
    case OP_ALL:
        do_all(m, i);
        break;
    case OP_EXCHANGE:
        do_exchange(m, w);
        break;
    case OP_ALLOCATE:
        do_allocate(m, w, at, i);
        break;
    case OP_ATOMIC:
        weft_atomic_add(&m->sums[SUM_ATOMIC], i->value);
        break;
    case OP_WORK:
        weft_work(4u * i->a);
        break;
    case OP_YIELD:
        NtYieldExecution();
        break;
    case OP_SLEEP:
        KeDelayExecutionThread(USER_MODE, 0, &ten_us);
        break;
    case OP_SPAWN:
        do_spawn(m, w, i);
        break;
    case OP_RACY:
        do_racy(m, i);
        break;
    case OPERATIONS:
        break;
    }
}

static u32 walk(void *context)
{
    walker *w = context;
    machine *m = w->m;
    weft_wait(m->gate, WEFT_FOREVER);
    for (w->repetition = 0; w->repetition < m->p->repetitions; w->repetition++) {
        for (u32 at = 0; at < LENGTH; at++) {
            step(m, w, at);
        }
    }
    for (u32 i = 0; i < BLOCKS; i++) {
        if (w->blocks[i] != NULL) {
            block_drop(m, w->blocks[i]);
        }
    }
    return 0;
}

/* ---- the whole --------------------------------------------------------------------------------
 */

static void resources_make(machine *m)
{
    for (u32 rank = 0; rank < RESOURCES; rank++) {
        if (rank < SECTIONS) {
            RtlInitializeCriticalSectionAndSpinCount(&m->sections[rank], rank % 2 * 256);
        } else if (rank < RANK_PERMIT) {
            m->handles[rank] = weft_event(SYNCHRONIZATION, true);
        } else if (rank < RANK_MUTANT) {
            m->handles[rank] = weft_semaphore(2, 2);
        } else {
            m->handles[rank] = weft_mutant(false);
        }
    }
    m->gate = weft_event(NOTIFICATION, false);
    for (u32 t = 0; t < m->p->threads; t++) {
        m->boxes[t].filled = weft_semaphore(0, BOX);
    }
}

bool program_run(const program *p, u32 *sums, u32 *errors)
{
    static machine m;
    u32 handles[THREADS_MAX];
    m.p = p;
    resources_make(&m);
    for (u32 t = 0; t < p->threads; t++) {
        walker *w = &m.walkers[t];
        w->m = &m;
        w->index = t;
        if (weft_thread_create(&handles[t], walk, w, t % 6, 0) != STATUS_SUCCESS) {
            DbgPrint("random: no thread %u\n", t);
            return false;
        }
    }
    NtSetEvent(m.gate, 0);
    weft_wait_many(handles, p->threads, WAIT_ALL, WEFT_FOREVER);
    for (u32 i = 0; i < SUMS; i++) {
        sums[i] = m.sums[i];
    }
    *errors = m.errors;
    return true;
}
