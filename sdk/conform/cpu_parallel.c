/* cpu_parallel.c: the CPU kit's checks of parallel mode: six states on six host threads hammer one
 * memory. What the host's scheduler makes of it is any order; the results are exact all the same. */
#include <pthread.h>
#include <sched.h>

#include "cpu_kit.h"

#define STATES WEFT_HW_COUNT
#define CAP    (UINT64_C(1) << 28) /* instructions after which a state counts as lost */

/* Where the programs lie, and what they share: each in a granule of its own. */
#define AT_COUNT  KIT_CODE
#define AT_STACK  (KIT_CODE + 0x100)
#define AT_LOCK   (KIT_CODE + 0x200)
#define AT_WRITER (KIT_CODE + 0x300)
#define AT_READER (KIT_CODE + 0x400)
#define AT_SPIN   (KIT_CODE + 0x500)
#define AT_CALLED (KIT_CODE + 0x4000) /* is written while it is called */
#define COUNT     (KIT_RAM + 0x2000)
#define COUNT64   (KIT_RAM + 0x2080)
#define HEAD      (KIT_RAM + 0x2100)
#define NODES     (KIT_RAM + 0x2180)
#define LOCK      (KIT_RAM + 0x2400)
#define SHARED    (KIT_RAM + 0x2480)
#define FLAG      (KIT_RAM + 0x2500)

#define COUNT_ROUNDS 40000u
#define STACK_ROUNDS 30000u
#define STACK_NODES  4u
#define NODE_SIZE    16u
#define LOCK_ROUNDS  500u
#define CODE_ROUNDS  150u

#define BC(bo, bi, to) (0x40000000u | (bo) << 21 | (bi) << 16 | ((uint32_t)(to)&0xFFFC))
#define BNE(to)        BC(4u, 2u, to)
#define BEQ(to)        BC(12u, 2u, to)
#define BGE(to)        BC(4u, 0u, to)
#define BDNZ(to)       BC(16u, 0u, to)
#define B(to)          (0x48000000u | ((uint32_t)(to)&0x3FFFFFC))
#define BL(to)         (B(to) | 1u)
#define CMPW(a, b)     (0x7C000000u | (a) << 16 | (b) << 11)
#define CMPWI(a, imm)  (0x2C000000u | (a) << 16 | ((uint32_t)(imm)&0xFFFF))
#define OR(d, a, b)    (0x7C000378u | (a) << 21 | (d) << 16 | (b) << 11)
#define LDARX(d, a, b) (0x7C0000A8u | (d) << 21 | (a) << 16 | (b) << 11)
#define STDCX(s, a, b) (0x7C0001ADu | (s) << 21 | (a) << 16 | (b) << 11)
#define DCBST(a, b)    (0x7C00006Cu | (a) << 16 | (b) << 11)
#define ICBI(a, b)     (0x7C0007ACu | (a) << 16 | (b) << 11)
#define SYNC           0x7C0004ACu
#define LWSYNC         0x7C2004ACu
#define ISYNC          0x4C00012Cu
#define DB16CYC        0x7FFFFB78u

typedef struct parallel {
    const weft_cpu_ops *ops;
    weft_memory *memory;
    void *engine;
    weft_cpu_host calls;
    weft_conform_report *report;
    pthread_mutex_t lock; /* the dispatcher lock */
    uint32_t arrived;     /* atomic: host threads that have started; they begin when as many have */
    uint32_t awaited;     /* as this, atomic */
    weft_cpu_state *states[STATES];
    uint32_t exits[STATES];
} parallel;

typedef struct member {
    parallel *p;
    uint32_t index;
} member;

static void on_written(void *context, weft_cpu_state *state, uint32_t address, uint32_t length)
{
    parallel *p = context;
    pthread_mutex_lock(&p->lock);
    p->memory->written(p->memory, address, length);
    pthread_mutex_unlock(&p->lock);
}

/* Runs one state until something ends it for good. */
static void *host_thread(void *context)
{
    member *m = context;
    parallel *p = m->p;
    weft_cpu_state *s = p->states[m->index];
    uint32_t exit;
    __atomic_fetch_add(&p->arrived, 1, __ATOMIC_RELAXED);
    while (__atomic_load_n(&p->arrived, __ATOMIC_RELAXED) <
           __atomic_load_n(&p->awaited, __ATOMIC_RELAXED)) {
        sched_yield();
    }
    do {
        exit = p->ops->run(p->engine, s);
        if (exit == WEFT_CPU_YIELD) {
            sched_yield();
        }
    } while (exit == WEFT_CPU_YIELD && s->retired < s->limit);
    p->exits[m->index] = exit;
    return NULL;
}

static void put(parallel *p, uint32_t address, const uint32_t *words, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        weft_store32(p->memory->base + address + 4 * i, words[i]);
    }
    p->memory->written(p->memory, address, count * 4);
}
#define PUT(p, address, ...)                                                                       \
    put((p), (address), (const uint32_t[]){__VA_ARGS__},                                           \
        (uint32_t)(sizeof((const uint32_t[]){__VA_ARGS__}) / 4))

static uint32_t word(const parallel *p, uint32_t address)
{
    return weft_load32(p->memory->base + address);
}

static void expect(parallel *p, const char *what, uint64_t got, uint64_t expected)
{
    cpu_kit_expect(p->report, what, got, expected);
}

/* Sends the states off, each at its pc, and waits for all to come to the sentinel's sc. */
static void run_all(parallel *p, const char *what)
{
    pthread_t threads[STATES];
    member members[STATES];
    uint32_t started = 0;
    for (uint32_t i = 0; i < STATES; i++) {
        weft_cpu_state *s = p->states[i];
        s->lr = KIT_SENTINEL;
        s->limit = s->retired + CAP;
        if (p->ops->reload) {
            p->ops->reload(p->engine, s);
        }
        members[i] = (member){p, i};
    }
    p->arrived = 0;
    p->awaited = STATES;
    while (started < STATES &&
           pthread_create(&threads[started], NULL, host_thread, &members[started]) == 0) {
        started++;
    }
    if (started < STATES) {
        weft_conform_fail(p->report, "%s: the host gave no thread", what);
        __atomic_store_n(&p->awaited, started, __ATOMIC_RELAXED);
    }
    for (uint32_t i = 0; i < started; i++) {
        pthread_join(threads[i], NULL);
        expect(p, what, p->exits[i], WEFT_CPU_SYSCALL);
    }
}

/* Six states count one word and one doubleword up. */
static void check_counters(parallel *p)
{
    PUT(p, AT_COUNT, LWARX(3u, 0u, 4u), ADDI(3u, 3u, 1), STWCX(3u, 0u, 4u), BNE(-12),
        LDARX(6u, 0u, 5u), ADDI(6u, 6u, 1), STDCX(6u, 0u, 5u), BNE(-12), BDNZ(-32), BLR);
    PUT(p, COUNT, 0);
    PUT(p, COUNT64, 0, 0);
    for (uint32_t i = 0; i < STATES; i++) {
        weft_cpu_state *s = p->states[i];
        s->pc = AT_COUNT;
        s->r[4] = COUNT;
        s->r[5] = COUNT64;
        s->ctr = COUNT_ROUNDS;
    }
    run_all(p, "parallel counters: exit");
    expect(p, "parallel lwarx/stwcx. counter", word(p, COUNT), STATES * COUNT_ROUNDS);
    expect(p, "parallel ldarx/stdcx. counter", weft_load64(p->memory->base + COUNT64),
           STATES * COUNT_ROUNDS);
}

/* Nodes of a list are popped, counted up by plain loads and stores, and pushed: what was popped and
 * pushed again between lwarx and stwcx. has another successor, and must not be taken for the same. */
static void check_stack(parallel *p)
{
    PUT(p, AT_STACK, LWARX(3u, 0u, 4u), CMPWI(3u, 0), BEQ(64), LWZ(6u, 3u, 0), STWCX(6u, 0u, 4u),
        BNE(-20), ISYNC, LWZ(7u, 3u, 4), ADDI(7u, 7u, 1), STW(7u, 3u, 4), LWSYNC, /* pushes it */
        LWARX(6u, 0u, 4u), STW(6u, 3u, 0), LWSYNC, STWCX(3u, 0u, 4u), BNE(-16), BDNZ(-64), BLR,
        DB16CYC, B(-76));
    for (uint32_t i = 0; i < STACK_NODES; i++) {
        uint32_t next = i + 1 < STACK_NODES ? NODES + NODE_SIZE * (i + 1) : 0;
        PUT(p, NODES + NODE_SIZE * i, next, 0);
    }
    PUT(p, HEAD, NODES);
    for (uint32_t i = 0; i < STATES; i++) {
        weft_cpu_state *s = p->states[i];
        s->pc = AT_STACK;
        s->r[4] = HEAD;
        s->ctr = STACK_ROUNDS;
    }
    run_all(p, "parallel list: exit");
    uint32_t length = 0, sum = 0;
    for (uint32_t at = word(p, HEAD); at >= NODES && at < NODES + STACK_NODES * NODE_SIZE;
         at = word(p, at)) {
        sum += word(p, at + 4);
        if (++length > STACK_NODES) {
            break;
        }
    }
    expect(p, "parallel list: every node is on it once", length, STACK_NODES);
    expect(p, "parallel list: nobody's count was lost", sum, STATES * STACK_ROUNDS);
}

/* A lock around two words, taken with isync and given back with lwsync. */
static void check_lock(parallel *p)
{
    PUT(p, AT_LOCK, LWARX(3u, 0u, 4u), CMPWI(3u, 0), BNE(56), STWCX(8u, 0u, 4u), BNE(-16), ISYNC,
        LWZ(6u, 5u, 0), LWZ(7u, 5u, 4), ADDI(6u, 6u, 1), ADDI(7u, 7u, 1), STW(6u, 5u, 0),
        STW(7u, 5u, 4), LWSYNC, STW(9u, 4u, 0), BDNZ(-56), BLR, DB16CYC, B(-68));
    PUT(p, LOCK, 0);
    PUT(p, SHARED, 0, 0);
    for (uint32_t i = 0; i < STATES; i++) {
        weft_cpu_state *s = p->states[i];
        s->pc = AT_LOCK;
        s->r[4] = LOCK;
        s->r[5] = SHARED;
        s->r[8] = 1;
        s->r[9] = 0;
        s->ctr = LOCK_ROUNDS;
    }
    run_all(p, "parallel lock: exit");
    expect(p, "parallel lock: first word", word(p, SHARED), STATES * LOCK_ROUNDS);
    expect(p, "parallel lock: second word", word(p, SHARED + 4), STATES * LOCK_ROUNDS);
}

/* One state rewrites a function that all call. It sees each rewrite at once; the others see at least
 * what was there when the flag that they read was stored (dcbst, sync, icbi, sync; isync). */
static void check_code(parallel *p)
{
    PUT(p, AT_CALLED, ADDI(3u, 0u, 0), BLR);
    PUT(p, AT_WRITER, ADDI(7u, 7u, 1), OR(8u, 6u, 7u), STW(8u, 4u, 0),
        BL(AT_CALLED - (AT_WRITER + 12)), CMPW(3u, 7u), BEQ(8), ADDI(20u, 20u, 1), DCBST(0u, 4u),
        SYNC, ICBI(0u, 4u), SYNC, ISYNC, STW(7u, 5u, 0), BDNZ(-52), KIT_SC);
    PUT(p, AT_READER, LWZ(9u, 5u, 0), CMPW(9u, 9u), BNE(4), ISYNC, BL(AT_CALLED - (AT_READER + 16)),
        CMPW(3u, 9u), BGE(8), ADDI(20u, 20u, 1), CMPW(9u, 10u), BNE(-36), CMPW(3u, 10u), BEQ(8),
        ADDI(20u, 20u, 1), KIT_SC);
    PUT(p, FLAG, 0);
    for (uint32_t i = 0; i < STATES; i++) {
        weft_cpu_state *s = p->states[i];
        s->pc = i ? AT_READER : AT_WRITER;
        s->r[4] = AT_CALLED;
        s->r[5] = FLAG;
        s->r[6] = ADDI(3u, 0u, 0);
        s->r[7] = 0;
        s->r[10] = CODE_ROUNDS;
        s->r[20] = 0;
        s->ctr = CODE_ROUNDS;
    }
    run_all(p, "parallel stores into code: exit");
    expect(p, "parallel stores into code: old words after the own store", p->states[0]->r[20], 0);
    for (uint32_t i = 1; i < STATES; i++) {
        expect(p, "parallel stores into code: old words after isync", p->states[i]->r[20], 0);
    }
}

/* `pending` ends the run of a state that does nothing but branch. */
static void check_stop(parallel *p)
{
    pthread_t thread;
    weft_cpu_state *s = p->states[0];
    member m = {p, 0};
    p->awaited = 0;
    PUT(p, AT_SPIN, STW(8u, 5u, 0), B(0));
    PUT(p, FLAG, 0);
    s->pc = AT_SPIN;
    s->r[5] = FLAG;
    s->r[8] = UINT32_C(0xFFFFFFFF);
    s->limit = UINT64_MAX;
    if (pthread_create(&thread, NULL, host_thread, &m)) {
        weft_conform_fail(p->report, "parallel stop: the host gave no thread");
        return;
    }
    const void *flag = p->memory->base + FLAG;
    while (!__atomic_load_n((const uint32_t *)flag, __ATOMIC_RELAXED)) {
        sched_yield();
    }
    __atomic_store_n(&s->pending, 1, __ATOMIC_RELAXED);
    pthread_join(thread, NULL);
    expect(p, "parallel stop: exit", p->exits[0], WEFT_CPU_STOPPED);
    expect(p, "parallel stop: pc", s->pc, AT_SPIN + 4);
    s->pending = 0;
}

void cpu_kit_parallel(const weft_plugin_desc *desc, const weft_cpu_ops *ops, const weft_host *host,
                      weft_conform_report *report)
{
    weft_machine machine = {.size = sizeof machine, .mode = WEFT_MODE_PARALLEL};
    weft_host own = *host;
    parallel p = {.ops = ops, .memory = host->memory, .report = report};
    static const uint32_t sc = KIT_SC;
    uint32_t made = 0;

    if (host->machine) {
        machine = *host->machine;
        machine.mode = WEFT_MODE_PARALLEL;
    }
    own.machine = &machine;
    p.calls = (weft_cpu_host){.size = sizeof p.calls, .context = &p, .written = on_written};
    pthread_mutex_init(&p.lock, NULL);
    if (desc->create(&own, &p.engine) != WEFT_OK || ops->attach(p.engine, &p.calls) != WEFT_OK) {
        weft_conform_fail(report, "%s: no instance for parallel mode", desc->id);
    } else {
        while (made < STATES && ops->state_create(p.engine, &p.states[made]) == WEFT_OK) {
            p.states[made]->hw = made;
            made++;
        }
        expect(&p, "parallel states", made, STATES);
    }
    if (made == STATES) {
        put(&p, KIT_SENTINEL, &sc, 1);
        check_counters(&p);
        check_stack(&p);
        check_lock(&p);
        check_code(&p);
        check_stop(&p);
    }
    while (made) {
        ops->state_destroy(p.engine, p.states[--made]);
    }
    if (p.engine && desc->destroy) {
        desc->destroy(p.engine);
    }
    pthread_mutex_destroy(&p.lock);
}
