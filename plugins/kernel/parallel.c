#include "parallel.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "sched.h"
#include "uncontended.h"

#define SECOND   UINT64_C(1000000000)
#define NAP      UINT64_C(50000)   /* ns that a hardware thread sleeps which gets nowhere */
#define PATIENCE 4                 /* slices without progress until it does */
#define HUNGER   UINT64_C(2000000) /* ns of waiting for the lock until others make way */
#define SOON     UINT64_C(2000000) /* ns: longer than a slice takes */
#define TRIES    100               /* to take it before sleeping: it is held for about 0.5 us */
#define TURNS    64                /* times that others yield to who has waited long */
#define NOBODY   WEFT_HW_COUNT

/* A hardware thread's host thread. All but `thread` of one that runs is the lock holder's. */
typedef struct cell {
    sem_t wake;
    pthread_t host;
    bool started;
    kthread *thread; /* whose instructions it executes, without the lock; NULL: none */
    bool alone;      /* nobody else was ready there when it began to */
    bool stop;       /* it was asked to end its slice */
    bool waiting;    /* for something to do */
    bool called;     /* and something has come */
} cell;

struct kparallel {
    pthread_mutex_t lock; /* the dispatcher lock */
    cell hw[WEFT_HW_COUNT];
    const weft_host_threads *threads;
    const weft_host_locks *order; /* NULL: the host keeps none */
    const weft_host *host;
    bool serial;           /* the CPU runs one state at a time: with the lock */
    uint64_t start;        /* the host's clock at tick 0 */
    uint64_t now;          /* the tick at which the lock was taken */
    uint32_t keeper;       /* the waiting hardware thread that minds the clock, or NOBODY */
    uint64_t keeper_until; /* and the tick until which it sleeps */
    uint32_t hungry;       /* atomic: host threads that have waited long for the lock */
};

typedef struct member {
    kernel *k;
    uint32_t index;
} member;

static uint64_t host_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec;
}

uint64_t kparallel_now(const kernel *k)
{
    return k->parallel->now;
}

uint64_t kparallel_clock(const kernel *k)
{
    return host_clock() - k->parallel->start;
}

/* ---- the lock ----------------------------------------------------------------------------------
 */

static struct timespec moment(uint64_t ns)
{
    return (struct timespec){(time_t)(ns / SECOND), (long)(ns % SECOND)};
}

static void refresh(struct kparallel *p)
{
    uint64_t now = host_clock() - p->start;
    p->now = now > p->now ? now : p->now;
}

/* The first of all locks: never from under a leaf lock, which the host sees to (weft/host.h). To take it
 * twice is an error that the mutex reports, too.
 *
 * Whoever comes first while it is free has it, since to hand it to who waits costs a change of host
 * threads each time; but one that has waited for long goes first. */
static void take(struct kparallel *p)
{
    if (p->order) {
        p->order->take(p->host, WEFT_LOCK_DISPATCHER, "the dispatcher lock");
    }
    for (int i = 0; i < TURNS && __atomic_load_n(&p->hungry, __ATOMIC_RELAXED); i++) {
        sched_yield();
    }
    int failed = EBUSY;
    for (int i = 0; i < TRIES && failed == EBUSY; i++) {
        failed = pthread_mutex_trylock(&p->lock);
    }
    if (failed == EBUSY) {
        struct timespec until; /* not by the monotonic clock: tsan does not know clocklock */
        clock_gettime(CLOCK_REALTIME, &until);
        until = moment((uint64_t)until.tv_sec * SECOND + (uint64_t)until.tv_nsec + HUNGER);
        failed = pthread_mutex_timedlock(&p->lock, &until);
        if (failed == ETIMEDOUT) {
            __atomic_fetch_add(&p->hungry, 1, __ATOMIC_RELAXED);
            failed = pthread_mutex_lock(&p->lock);
            __atomic_fetch_sub(&p->hungry, 1, __ATOMIC_RELAXED);
        }
    }
    assert(!failed);
    refresh(p);
}

static void give(struct kparallel *p)
{
    int failed = pthread_mutex_unlock(&p->lock);
    assert(!failed);
    (void)failed;
    if (p->order) {
        p->order->give(p->host, WEFT_LOCK_DISPATCHER);
    }
}

void kparallel_moment(kernel *k)
{
    refresh(k->parallel);
    k->running_hw->time = k->parallel->now;
}

static void stop(cell *c)
{
    if (!c->stop) {
        c->stop = true;
        __atomic_store_n(&c->thread->cpu->pending, 1, __ATOMIC_RELAXED);
    }
}

static void call(cell *c)
{
    if (c->waiting && !c->called) {
        c->called = true;
        sem_post(&c->wake);
    }
}

/* What an executing hardware thread's thread was stopped for: it may not go on, or somebody or
 * something goes first. */
static bool must_stop(const kernel *k, uint32_t index)
{
    const khw *hw = &k->hw[index];
    const kthread *t = k->parallel->hw[index].thread;
    return t->state != WEFT_THREAD_RUNNING || t->held || t->hw != index ||
           (ksched_dpc_deliverable(hw) && hw->first_dpc->tick <= k->parallel->now);
}

/* Before the lock is given back: whoever has something to do now is called, whoever executes what it
 * no longer should is stopped, and somebody minds the clock. Returns the tick of what comes next. */
static uint64_t settle(kernel *k)
{
    struct kparallel *p = k->parallel;
    uint64_t due = k->clock->next(k->clock);
    uint32_t ready = k->end != WEFT_END_NONE ? UINT32_MAX : 0, idle = NOBODY;
    bool busy = false; /* somebody executes, and looks at the clock after its slice */
    for (const kthread *t = k->live; t; t = t->live_next) {
        cell *c = &p->hw[t->hw];
        if (t->executing || !ksched_runnable(t)) {
            continue;
        }
        if (t->ready_at > p->now) {
            due = t->ready_at < due ? t->ready_at : due;
        } else if (!c->thread) {
            ready |= 1u << t->hw;
        } else if (!ksched_pinned(&k->hw[t->hw]) && !k->hw[t->hw].in_dpc &&
                   (c->alone || t->priority > c->thread->priority)) {
            stop(c);
        }
    }
    for (uint32_t i = 0; i < WEFT_HW_COUNT; i++) {
        cell *c = &p->hw[i];
        const kdpc *dpc = k->hw[i].first_dpc;
        if (c->thread) {
            busy = true;
            if (k->end != WEFT_END_NONE || must_stop(k, i)) {
                stop(c);
            }
            continue;
        }
        if (ksched_dpc_deliverable(&k->hw[i])) {
            ready |= dpc->tick <= p->now ? 1u << i : 0;
            due = dpc->tick > p->now && dpc->tick < due ? dpc->tick : due;
        }
        if (ready >> i & 1 || k->hw[i].in_dpc) {
            call(c);
        } else if (c->waiting && !c->called && idle == NOBODY) {
            idle = i;
        }
    }
    if (p->keeper != NOBODY && due < p->keeper_until) {
        call(&p->hw[p->keeper]);
    } else if (p->keeper == NOBODY && idle != NOBODY && !(busy && due > p->now + SOON)) {
        call(&p->hw[idle]); /* it looks around, and minds the clock */
    }
    return due;
}

/* ---- in and out of guest code ------------------------------------------------------------------
 */

/* The thread's registers are in the engine's hands from here on. */
static void leave(kernel *k, kthread *t)
{
    struct kparallel *p = k->parallel;
    t->seen_retired = t->cpu->retired;
    t->seen_msr = t->cpu->msr;
    t->executing = true;
    p->hw[t->cpu->hw].thread = t;
    kuncontended_leave(k, t);
    k->running = NULL;
    k->running_hw = NULL;
    (void)settle(k);
    if (!p->serial) {
        kuncontended_open(k);
        give(p);
    }
}

/* The host thread of `cpu`'s hardware thread takes the lock, and its thread is who acts. */
static kthread *enter(kernel *k, uint32_t index)
{
    struct kparallel *p = k->parallel;
    cell *c = &p->hw[index];
    if (p->serial) {
        refresh(p);
    } else {
        take(p);
    }
    kuncontended_flush(k, index);
    kthread *t = c->thread;
    t->executing = false;
    c->thread = NULL;
    k->running = t;
    k->running_hw = &k->hw[index];
    k->running_hw->time = p->now;
    k->reschedule = false;
    k->slice_end = WEFT_TICK_NEVER;
    return t;
}

/* A thread that somebody suspended or moved meanwhile makes no call; it is made again later. */
static bool may_act(const kernel *k, const kthread *t)
{
    return k->end == WEFT_END_NONE && t->state == WEFT_THREAD_RUNNING && t->hw == t->cpu->hw;
}

static uint32_t answer_of(const kernel *k, const kthread *t, uint32_t answer)
{
    return k->parallel->hw[t->cpu->hw].stop || !may_act(k, t) ? WEFT_CPU_STOP : answer;
}

static uint32_t syscall(void *context, weft_cpu_state *cpu, uint32_t lev)
{
    kernel *k = context;
    if (kuncontended_call(k, k->parallel->hw[cpu->hw].thread, cpu)) {
        return WEFT_CPU_CONTINUE;
    }
    kthread *t = enter(k, cpu->hw);
    uint32_t answer = may_act(k, t) ? kcall_syscall(k, cpu, lev) : WEFT_CPU_STOP;
    answer = answer_of(k, t, answer);
    leave(k, t);
    return answer;
}

static uint32_t mmio_read(void *context, weft_cpu_state *cpu, uint32_t address, uint32_t length,
                          uint8_t *bytes)
{
    kernel *k = context;
    kthread *t = enter(k, cpu->hw);
    uint32_t answer = answer_of(k, t, kvideo_mmio_read(k, cpu, address, length, bytes));
    leave(k, t);
    return answer;
}

static uint32_t mmio_write(void *context, weft_cpu_state *cpu, uint32_t address, uint32_t length,
                           const uint8_t *bytes)
{
    kernel *k = context;
    kthread *t = enter(k, cpu->hw);
    uint32_t answer = answer_of(k, t, kvideo_mmio_write(k, cpu, address, length, bytes));
    leave(k, t);
    return answer;
}

static void written(void *context, weft_cpu_state *cpu, uint32_t address, uint32_t length)
{
    kernel *k = context;
    kthread *t = enter(k, cpu->hw);
    kwritten(k, address, length);
    leave(k, t);
}

/* Without the lock: the host's clock goes back for nobody. */
static uint64_t timebase(void *context, weft_cpu_state *cpu)
{
    kernel *k = context;
    return ktime_base(k, kparallel_clock(k));
}

void kparallel_callbacks(kernel *k)
{
    k->cpu_calls.syscall = syscall;
    k->cpu_calls.mmio_read = mmio_read;
    k->cpu_calls.mmio_write = mmio_write;
    k->cpu_calls.timebase = timebase;
    k->cpu_calls.written = written;
}

/* Nobody else is ready on the thread's hardware thread. */
static bool alone(const kernel *k, const kthread *thread)
{
    for (const kthread *t = k->live; t; t = t->live_next) {
        if (t != thread && t->hw == thread->hw && ksched_runnable(t)) {
            return false;
        }
    }
    return true;
}

uint32_t kparallel_execute(kernel *k, kthread *t)
{
    weft_cpu_state *cpu = t->cpu;
    uint32_t index = cpu->hw, reason;
    cell *c = &k->parallel->hw[index];
    bool spins_alone = alone(k, t);
    c->alone = spins_alone;
    c->stop = false;
    __atomic_store_n(&cpu->pending, 0, __ATOMIC_RELAXED);
    leave(k, t);
    do {
        reason = k->cpu->run(k->cpu_instance, cpu);
        if (reason != WEFT_CPU_YIELD || !spins_alone || k->parallel->serial) {
            break;
        }
        sched_yield(); /* to the host's other threads: no guest thread waits for this one's place */
    } while (cpu->retired < cpu->limit && !__atomic_load_n(&cpu->pending, __ATOMIC_RELAXED));
    (void)enter(k, index);
    return reason;
}

/* ---- the loop of one hardware thread -----------------------------------------------------------
 */

/* Sleeps until it is called, at most until `due`. The lock is given back meanwhile. */
static void sleep_until(struct kparallel *p, cell *c, uint64_t due)
{
    struct timespec until = moment(p->start + due);
    c->waiting = true;
    c->called = false;
    give(p);
    int failed;
    do {
        failed = due == WEFT_TICK_NEVER ? sem_wait(&c->wake)
                                        : sem_clockwait(&c->wake, CLOCK_MONOTONIC, &until);
    } while (failed && errno == EINTR);
    take(p);
    c->waiting = false;
    if (failed && c->called) { /* too late: the call is not for the next sleep */
        (void)sem_trywait(&c->wake);
    }
}

/* One of those that have nothing to do wakes at the clock's next event, the others when called. */
static void wait_for_work(kernel *k, uint32_t index)
{
    struct kparallel *p = k->parallel;
    uint64_t due = settle(k);
    if (k->end != WEFT_END_NONE || due <= p->now) {
        return;
    }
    bool keeps = p->keeper == NOBODY;
    if (keeps) {
        p->keeper = index;
        p->keeper_until = due;
    }
    sleep_until(p, &p->hw[index], keeps ? due : WEFT_TICK_NEVER);
    if (keeps) {
        p->keeper = NOBODY;
    }
}

/* A slice that got nowhere, such as one try of a spin lock: others need the lock and the host's
 * time. */
static void rest(kernel *k, uint32_t index, uint32_t idle_slices)
{
    struct kparallel *p = k->parallel;
    uint64_t due = settle(k), nap = p->now + NAP;
    if (idle_slices >= PATIENCE) {
        sleep_until(p, &p->hw[index], due < nap && due > p->now ? due : nap);
    } else {
        give(p);
        sched_yield();
        take(p);
    }
}

/* Nothing to do here. True: look again; false: wait. Every hardware thread idle: may be for good. */
static bool look_again(kernel *k, const uint64_t *times)
{
    for (uint32_t i = 0; i < WEFT_HW_COUNT; i++) {
        if (times[i] != WEFT_TICK_NEVER || k->parallel->hw[i].thread) {
            return false;
        }
    }
    return ksched_all_idle(k);
}

static void loop(kernel *k, uint32_t index)
{
    struct kparallel *p = k->parallel;
    khw *hw = &k->hw[index];
    uint32_t idle_slices = 0;
    take(p);
    while (k->end == WEFT_END_NONE) {
        refresh(p);
        hw->time = p->now;
        if (ksched_limits_hold(k, p->now)) {
            break;
        }
        if (k->clock->next(k->clock) <= p->now) {
            ksched_advance(k, p->now);
            continue;
        }
        if (ksched_exchange_asked(k)) {
            kuncontended_close(k); /* what came before is not the newcomer's to be asked about */
            kpolicy_exchange_due(k, p->now);
        }
        const koutlook *next = ksched_look(k);
        if (next->times[index] > hw->time) {
            if (!look_again(k, next->times)) {
                wait_for_work(k, index);
            }
            continue;
        }
        bool progress = ksched_slice(k, index, WEFT_TICK_NEVER);
        idle_slices = progress ? 0 : idle_slices + 1;
        if (!progress && k->end == WEFT_END_NONE) {
            rest(k, index, idle_slices);
        } else if (p->serial) { /* else the slice has given it back already */
            (void)settle(k);
            give(p);
            sched_yield();
            take(p);
        }
    }
    (void)settle(k); /* the run has ended: all stop */
    give(p);
}

static void *host_thread(void *context)
{
    member *m = context;
    const weft_host_threads *threads = m->k->parallel->threads;
    char name[16];
    snprintf(name, sizeof name, "weft-hw%u", m->index);
    if (!threads || threads->enter(m->k->host, name) == WEFT_OK) {
        loop(m->k, m->index);
        if (threads) {
            threads->leave(m->k->host);
        }
    } else {
        take(m->k->parallel);
        kend(m->k, WEFT_END_PLUGIN, 0, "kernel-hle: the host has no room for a guest thread");
        (void)settle(m->k);
        give(m->k->parallel);
    }
    return NULL;
}

void kparallel_run(kernel *k)
{
    struct kparallel *p = k->parallel;
    member members[WEFT_HW_COUNT];
    p->serial = !(k->cpu->flags & WEFT_CPU_PARALLEL);
    p->threads = k->host->extension(k->host, WEFT_HOST_THREADS);
    p->order = k->host->extension(k->host, WEFT_HOST_LOCKS);
    p->host = k->host;
    p->start = host_clock() - k->clock->now(k->clock);
    p->now = 0;
    take(p);
    for (uint32_t i = 1; i < WEFT_HW_COUNT && k->end == WEFT_END_NONE; i++) {
        members[i] = (member){k, i};
        p->hw[i].started = pthread_create(&p->hw[i].host, NULL, host_thread, &members[i]) == 0;
        if (!p->hw[i].started) {
            kend(k, WEFT_END_PLUGIN, 0, "kernel-hle: no host thread for a hardware thread");
        }
    }
    give(p);
    loop(k, 0);
    for (uint32_t i = 1; i < WEFT_HW_COUNT; i++) {
        if (p->hw[i].started) {
            pthread_join(p->hw[i].host, NULL);
        }
    }
}

bool kparallel_create(kernel *k)
{
    struct kparallel *p = k->machine->mode == WEFT_MODE_PARALLEL ? calloc(1, sizeof *p) : NULL;
    if (!p) {
        return k->machine->mode != WEFT_MODE_PARALLEL;
    }
    pthread_mutexattr_t checks;
    pthread_mutexattr_init(&checks);
    pthread_mutexattr_settype(&checks, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_init(&p->lock, &checks);
    pthread_mutexattr_destroy(&checks);
    for (uint32_t i = 0; i < WEFT_HW_COUNT; i++) {
        sem_init(&p->hw[i].wake, 0, 0);
    }
    p->keeper = NOBODY;
    k->parallel = p;
    return kuncontended_create(k);
}

void kparallel_destroy(kernel *k)
{
    struct kparallel *p = k->parallel;
    for (uint32_t i = 0; p && i < WEFT_HW_COUNT; i++) {
        sem_destroy(&p->hw[i].wake);
    }
    if (p) {
        pthread_mutex_destroy(&p->lock);
    }
    free(p);
    k->parallel = NULL;
    kuncontended_destroy(k);
}
