/* Phases in which threads wait for each other. R is the number of rounds. */
#include "locks.h"

/* ---- automatic events: a token goes round the six threads R times ------------------------------
 * Only its holder touches the hash, so the order of the steps is fixed: hash = 31 hash + i + 1. */

static struct {
    u32 events[TEAM];
    volatile u32 hash;
} token;

static u32 token_step(u32 hash, u32 index)
{
    return hash * 31 + index + 1;
}

static u32 token_member(void *context)
{
    member *m = context;
    for (u32 r = 0; r < m->l->rounds; r++) {
        wait_one(token.events[m->index], WAIT_FOREVER);
        token.hash = token_step(token.hash, m->index);
        NtSetEvent(token.events[(m->index + 1) % TEAM], 0);
    }
    return 0;
}

verdict phase_token(locks *l)
{
    token.hash = 0;
    for (u32 i = 0; i < TEAM; i++) {
        token.events[i] = event_create(SYNCHRONIZATION, i == 0);
    }
    team_run(l, token_member);
    for (u32 i = 0; i < TEAM; i++) {
        NtClose(token.events[i]);
    }
    u32 expected = 0;
    for (u32 r = 0; r < l->rounds; r++) {
        for (u32 i = 0; i < TEAM; i++) {
            expected = token_step(expected, i);
        }
    }
    return (verdict){token.hash, expected};
}

/* ---- manual events: four gates, each lets all six pass: 24; nobody passes a closed one ----------
 */

#define GATES 4u

static struct {
    u32 gates[GATES];
    u32 arrived; /* semaphore */
    volatile u32 passed;
} gated;

static u32 gates_member(void *context)
{
    (void)context;
    for (u32 g = 0; g < GATES; g++) {
        NtReleaseSemaphore(gated.arrived, 1, 0);
        wait_one(gated.gates[g], WAIT_FOREVER);
        weft_atomic_add(&gated.passed, 1);
    }
    return 0;
}

verdict phase_gates(locks *l)
{
    gated.passed = 0;
    gated.arrived = semaphore_create(0, TEAM);
    for (u32 g = 0; g < GATES; g++) {
        gated.gates[g] = event_create(NOTIFICATION, 1);
        NtClearEvent(gated.gates[g]);
    }
    if (!team_start(l, gates_member)) {
        return (verdict){0, 1};
    }
    for (u32 g = 0; g < GATES; g++) {
        for (u32 i = 0; i < TEAM; i++) {
            wait_one(gated.arrived, WAIT_FOREVER);
        }
        if (gated.passed != TEAM * g) {
            team_error(l);
        }
        u32 previous = 1;
        NtSetEvent(gated.gates[g], &previous);
        if (previous != 0) {
            team_error(l);
        }
    }
    team_join(l);
    for (u32 g = 0; g < GATES; g++) {
        if (wait_one(gated.gates[g], 0) != STATUS_WAIT_0) { /* still open */
            team_error(l);
        }
        NtClose(gated.gates[g]);
    }
    NtClose(gated.arrived);
    return (verdict){gated.passed, TEAM * GATES};
}

/* ---- semaphores: three producers, three consumers, a buffer of four ----------------------------
 * Producer p puts p R, p R + 1, ... p R + R - 1: all values 0 .. 3R - 1, sum 3R (3R - 1) / 2. */

#define SLOTS     4u
#define PRODUCERS 3u

static struct {
    critical_section section;
    u32 free, filled; /* semaphores */
    u32 values[SLOTS];
    u32 first, count;
    volatile u64 sum;
} buffer;

static void buffer_put(locks *l, u32 value)
{
    wait_one(buffer.free, WAIT_FOREVER);
    RtlEnterCriticalSection(&buffer.section);
    if (buffer.count == SLOTS) {
        team_error(l);
    }
    buffer.values[(buffer.first + buffer.count) % SLOTS] = value;
    buffer.count++;
    RtlLeaveCriticalSection(&buffer.section);
    NtReleaseSemaphore(buffer.filled, 1, 0);
}

static void buffer_take(locks *l)
{
    wait_one(buffer.filled, WAIT_FOREVER);
    RtlEnterCriticalSection(&buffer.section);
    if (buffer.count == 0) {
        team_error(l);
    }
    buffer.sum += buffer.values[buffer.first];
    buffer.first = (buffer.first + 1) % SLOTS;
    buffer.count--;
    RtlLeaveCriticalSection(&buffer.section);
    NtReleaseSemaphore(buffer.free, 1, 0);
}

static u32 buffer_member(void *context)
{
    member *m = context;
    u32 rounds = m->l->rounds;
    for (u32 r = 0; r < rounds; r++) {
        if (m->index < PRODUCERS) {
            buffer_put(m->l, m->index * rounds + r);
        } else {
            buffer_take(m->l);
        }
    }
    return 0;
}

verdict phase_buffer(locks *l)
{
    memset(&buffer, 0, sizeof buffer);
    RtlInitializeCriticalSection(&buffer.section);
    buffer.free = semaphore_create(SLOTS, SLOTS);
    buffer.filled = semaphore_create(0, SLOTS);
    if (NtReleaseSemaphore(buffer.free, 1, 0) != STATUS_SEMAPHORE_LIMIT_EXCEEDED) {
        team_error(l);
    }
    team_run(l, buffer_member);
    NtClose(buffer.filled);
    NtClose(buffer.free);
    u64 n = (u64)PRODUCERS * l->rounds;
    return (verdict){buffer.sum, n == 0 ? 0 : n * (n - 1) / 2};
}

/* ---- wait for all of two: the six philosophers
 * --------------------------------------------------- A fork is an automatic event; each eats R / 2
 * times with both neighbours' forks taken in one wait, and each fork is used by two: 6 * 2 * (R /
 * 2). Taking one fork before the other would deadlock. */

static struct {
    u32 forks[TEAM];
    volatile u32 held[TEAM];
    volatile u32 meals[TEAM];
} table;

static void fork_use(locks *l, u32 fork)
{
    table.held[fork] = table.held[fork] + 1;
    table.meals[fork] = table.meals[fork] + 1;
    if (table.held[fork] != 1) {
        team_error(l);
    }
    table.held[fork] = table.held[fork] - 1;
}

static u32 forks_member(void *context)
{
    member *m = context;
    u32 left = m->index;
    u32 right = (m->index + 1) % TEAM;
    u32 both[2] = {table.forks[left], table.forks[right]};
    for (u32 r = 0; r < m->l->rounds / 2; r++) {
        wait_many(both, 2, WAIT_ALL, WAIT_FOREVER);
        fork_use(m->l, left);
        fork_use(m->l, right);
        NtSetEvent(both[0], 0);
        NtSetEvent(both[1], 0);
    }
    return 0;
}

verdict phase_forks(locks *l)
{
    memset(&table, 0, sizeof table);
    for (u32 i = 0; i < TEAM; i++) {
        table.forks[i] = event_create(SYNCHRONIZATION, 1);
    }
    team_run(l, forks_member);
    u64 meals = 0;
    for (u32 i = 0; i < TEAM; i++) {
        meals += table.meals[i];
        NtClose(table.forks[i]);
    }
    return (verdict){meals, (u64)TEAM * 2 * (l->rounds / 2)};
}

/* ---- any or all, seen from one thread: the statuses that NT's documentation gives, 4 bits each
 * --- any with the second and third set: 1, then 2, then time-out (15); all with one missing:
 * time-out and nothing is taken; then 0, 0 for the two that were set; all with all set: 0. */

verdict phase_any_all(locks *l)
{
    (void)l;
    u32 events[3];
    for (u32 i = 0; i < 3; i++) {
        events[i] = event_create(SYNCHRONIZATION, i > 0);
    }
    u32 statuses[8];
    u32 n = 0;
    statuses[n++] = wait_many(events, 3, WAIT_ANY, WAIT_FOREVER);
    statuses[n++] = wait_many(events, 3, WAIT_ANY, WAIT_FOREVER);
    statuses[n++] = wait_many(events, 3, WAIT_ANY, 1);
    NtSetEvent(events[0], 0);
    NtSetEvent(events[2], 0);
    statuses[n++] = wait_many(events, 3, WAIT_ALL, 1);
    statuses[n++] = wait_one(events[0], 0);
    statuses[n++] = wait_one(events[2], 0);
    for (u32 i = 0; i < 3; i++) {
        NtSetEvent(events[i], 0);
    }
    statuses[n++] = wait_many(events, 3, WAIT_ALL, WAIT_FOREVER);
    statuses[n++] = wait_many(events, 3, WAIT_ANY, 0);
    u32 found = 0;
    for (u32 i = 0; i < n; i++) {
        found = found << 4 | (statuses[i] == STATUS_TIMEOUT ? 15 : statuses[i] & 15);
    }
    for (u32 i = 0; i < 3; i++) {
        NtClose(events[i]);
    }
    return (verdict){found, 0x12FF000F};
}

/* ---- timers: how many of these hold, all 5 -----------------------------------------------------
 */

#define MILLISECOND 10000u /* in 100 ns */

static u64 system_time(void)
{
    u64 time = 0;
    KeQuerySystemTime(&time);
    return time;
}

/* A clock may stand for a millisecond between two steps, so elapsed times are taken short by one.
 */
static bool elapsed(u64 since, u32 milliseconds)
{
    return system_time() - since + MILLISECOND >= (u64)milliseconds * MILLISECOND;
}

verdict phase_timers(locks *l)
{
    (void)l;
    u64 found = 0;
    u32 timer = 0;
    i64 due = -2 * (i64)MILLISECOND;
    NtCreateTimer(&timer, 0, SYNCHRONIZATION);
    u64 start = system_time();
    NtSetTimerEx(timer, &due, 0, USER_MODE, 0, 0, 3, 0);
    found += wait_one(timer, WAIT_FOREVER) == STATUS_WAIT_0 && elapsed(start, 2);
    u32 fired = 0;
    for (u32 i = 0; i < 3; i++) {
        fired += wait_one(timer, WAIT_FOREVER) == STATUS_WAIT_0;
    }
    found += fired == 3 && elapsed(start, 2 + 3 * 3);
    NtCancelTimer(timer, 0);
    wait_one(timer, 0); /* what fired before the cancellation */
    start = system_time();
    found += wait_one(timer, 5) == STATUS_TIMEOUT;
    found += elapsed(start, 5);
    NtClose(timer);
    start = system_time();
    sleep_ms(4);
    found += elapsed(start, 4);
    return (verdict){found, 5};
}

/* ---- suspended threads: they do not run before their count is 0 --------------------------------
 * Previous counts as digits: suspend 1, resume 2, resume 1; six threads each; then all six ran. */

static volatile u32 ran;

static u32 suspend_member(void *context)
{
    (void)context;
    weft_atomic_add(&ran, 1);
    return 0;
}

verdict phase_suspend(locks *l)
{
    u32 counts = 0;
    ran = 0;
    for (u32 i = 0; i < TEAM; i++) {
        weft_thread_create(&l->handles[i], suspend_member, 0, i, CREATE_SUSPENDED);
    }
    for (u32 i = 0; i < TEAM; i++) {
        u32 previous[3] = {0, 0, 0};
        NtSuspendThread(l->handles[i], &previous[0]);
        NtResumeThread(l->handles[i], &previous[1]);
        sleep_ms(1);
        if (ran != i) {
            team_error(l);
        }
        NtResumeThread(l->handles[i], &previous[2]);
        counts += previous[0] * 100 + previous[1] * 10 + previous[2];
        wait_one(l->handles[i], WAIT_FOREVER);
    }
    for (u32 i = 0; i < TEAM; i++) {
        NtClose(l->handles[i]);
    }
    return (verdict){(u64)ran << 32 | counts, (u64)TEAM << 32 | TEAM * 121};
}
