#include "script.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct script_state {
    weft_cpu_state head;
    uint32_t worked; /* of the present WORK step */
    uint32_t cr; /* what flush and reload move: the head's is stale in between, as an engine's */
    uint8_t v1[16];
    uint64_t waiting[16]; /* by program: bit n, the result of a CALL is to be seen at step n */
    uint32_t busy;        /* in `run` */
} script_state;

static script *of(void *instance)
{
    return instance;
}

static weft_status attach(void *instance, const weft_cpu_host *calls)
{
    return WEFT_OK;
}

static weft_status state_create(void *instance, weft_cpu_state **state)
{
    script_state *s = calloc(1, sizeof *s);
    *state = &s->head;
    return s ? WEFT_OK : WEFT_E_NO_MEMORY;
}

static void state_destroy(void *instance, weft_cpu_state *state)
{
    free(state);
}

/* Guest time, which only the lock's holder knows. */
static uint64_t ticks_now(script *s)
{
    return s->k->parallel ? 0 : know(s->k);
}

static void note(script *s, uint32_t number)
{
    uint64_t now = ticks_now(s);
    uint32_t at = __atomic_fetch_add(&s->log_count, 1, __ATOMIC_RELAXED);
    s->log_ticks[at] = now;
    s->log[at] = number;
}

/* At most 5 s, so that a kernel that does not run them at once fails and does not hang. */
static void meet(script *s, uint32_t number)
{
    __atomic_fetch_add(&s->met, 1, __ATOMIC_ACQ_REL);
    for (int i = 0; i < 5000 && __atomic_load_n(&s->met, __ATOMIC_ACQUIRE) < number; i++) {
        usleep(1000);
    }
}

/* Executes one step; false when run has to return `*reason`. */
static int step(script *s, script_state *t, uint32_t *reason)
{
    weft_cpu_state *cpu = &t->head;
    uint32_t program = (cpu->pc - SCRIPT_BASE) / (4 * SCRIPT_STEPS);
    uint32_t index = (cpu->pc - SCRIPT_BASE) / 4 % SCRIPT_STEPS;
    assert_true(program < 16 && s->programs[program]);
    const script_step *st = &s->programs[program][index];
    if (t->waiting[program] >> index & 1) { /* not in an APC that came first */
        s->returned[program][index - 1] = cpu->r[3];
        t->waiting[program] &= ~(UINT64_C(1) << index);
    }
    if (!s->k->parallel && st->kind != STEP_WORK && st->kind != STEP_MSR) {
        s->ticks[program][index] = know(s->k);
    }
    switch (st->kind) {
    case STEP_END:
        cpu->pc = (uint32_t)cpu->lr;
        /* the programs keep no stack: what a CALL left in lr belongs to the caller's caller */
        break;
    case STEP_WORK: {
        uint64_t left = st->number - t->worked, room = cpu->limit - cpu->retired;
        uint64_t now = left < room ? left : room;
        cpu->retired += now;
        t->worked += (uint32_t)now;
        if (t->worked < st->number) {
            return 1;
        }
        t->worked = 0;
        cpu->pc += 4;
        return 1;
    }
    case STEP_CALL:
        for (unsigned i = 0; i < 8; i++) {
            uint64_t a = st->arguments[i];
            cpu->r[3 + i] = a >> 48 == AT_TAG >> 48 ? word(s, (uint32_t)a) : a;
        }
        cpu->r[30] = cpu->lr; /* callee-saved, restored below */
        cpu->lr = cpu->pc + 4;
        t->waiting[program] |= UINT64_C(1) << (index + 1);
        cpu->pc = s->k->parallel ? s->thunks[st->number] : kthunk(s->k, KMODULE_KRNL, st->number);
        assert_int_not_equal(cpu->pc, 0);
        break;
    case STEP_MARK:
        note(s, st->number);
        cpu->pc += 4;
        break;
    case STEP_SPIN:
        if (word(s, (uint32_t)st->arguments[0]) == st->number) {
            cpu->pc += 4;
        }
        break;
    case STEP_MSR:
        cpu->msr = st->number ? WEFT_MSR_EE : 0;
        cpu->pc += 4;
        if (st->number && __atomic_load_n(&cpu->interrupt, __ATOMIC_RELAXED)) {
            cpu->retired++;
            *reason = WEFT_CPU_INTERRUPT;
            return 0;
        }
        break;
    case STEP_ARG:
        note(s, (uint32_t)cpu->r[st->number]);
        cpu->pc += 4;
        break;
    case STEP_CLOBBER:
        for (unsigned i = 0; i < 32; i++) {
            cpu->r[i] = i == 1 || i == 13 ? cpu->r[i] : 0xBAD;
            cpu->f[i] = 0xBAD;
        }
        cpu->ctr = 0xBAD;
        t->cr = 0xBAD;
        memset(t->v1, 0xBA, sizeof t->v1);
        cpu->pc += 4;
        break;
    case STEP_MEET:
        meet(s, st->number);
        cpu->pc += 4;
        break;
    case STEP_STORE:
        set_word(s, (uint32_t)st->arguments[0], st->number);
        cpu->pc += 4;
        break;
    }
    cpu->retired++;
    return 1;
}

static uint32_t execute(script *s, weft_cpu_state *cpu)
{
    script_state *t = (script_state *)cpu;
    while (cpu->retired < cpu->limit) {
        uint32_t reason = WEFT_CPU_STOPPED;
        if (!s->deaf && __atomic_load_n(&cpu->pending, __ATOMIC_RELAXED)) {
            return WEFT_CPU_STOPPED;
        }
        if (cpu->pc >= SCRIPT_BASE && cpu->pc < SCRIPT_BASE + 16 * SCRIPT_STEPS * 4) {
            if (!step(s, t, &reason)) {
                return reason;
            }
            continue;
        }
        uint32_t insn = word(s, cpu->pc);
        if (insn == UINT32_C(0x44000002)) {
            if (s->k->cpu_calls.syscall(s->k, cpu, 0) == WEFT_CPU_STOP) {
                return WEFT_CPU_SYSCALL;
            }
        } else {
            assert_int_equal(insn, UINT32_C(0x4E800020)); /* blr of a thunk */
            cpu->pc = (uint32_t)cpu->lr;
            cpu->lr = cpu->r[30];
            cpu->retired++;
        }
    }
    return WEFT_CPU_LIMIT;
}

static uint32_t run(void *instance, weft_cpu_state *cpu)
{
    script *s = of(instance);
    script_state *t = (script_state *)cpu;
    uint32_t inside = __atomic_add_fetch(&s->inside, 1, __ATOMIC_ACQ_REL);
    uint32_t most = __atomic_load_n(&s->most_inside, __ATOMIC_RELAXED);
    while (inside > most && !__atomic_compare_exchange_n(&s->most_inside, &most, inside, 1,
                                                         __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
    if (__atomic_exchange_n(&t->busy, 1, __ATOMIC_RELAXED)) {
        __atomic_fetch_add(&s->overlaps, 1, __ATOMIC_RELAXED);
    }
    uint32_t reason = execute(s, cpu);
    __atomic_store_n(&t->busy, 0, __ATOMIC_RELAXED);
    __atomic_fetch_sub(&s->inside, 1, __ATOMIC_ACQ_REL);
    return reason;
}

static void flush(void *instance, weft_cpu_state *cpu)
{
    script_state *t = (script_state *)cpu;
    cpu->cr = t->cr;
    memcpy(cpu->v[1], t->v1, sizeof t->v1);
}

static void reload(void *instance, weft_cpu_state *cpu)
{
    script_state *t = (script_state *)cpu;
    t->cr = cpu->cr;
    memcpy(t->v1, cpu->v[1], sizeof t->v1);
}

static const weft_cpu_ops cpu_ops = {
    .size = sizeof cpu_ops,
    .attach = attach,
    .state_create = state_create,
    .state_destroy = state_destroy,
    .run = run,
    .flush = flush,
    .reload = reload,
};

static const weft_cpu_ops parallel_ops = {
    .size = sizeof parallel_ops,
    .flags = WEFT_CPU_PARALLEL,
    .attach = attach,
    .state_create = state_create,
    .state_destroy = state_destroy,
    .run = run,
    .flush = flush,
    .reload = reload,
};

/* ---- a GPU that does nothing -------------------------------------------------------------------
 */

static weft_status gpu_attach(void *instance, const weft_gpu_host *calls)
{
    return WEFT_OK;
}

static uint32_t gpu_read(void *instance, uint32_t offset, uint64_t tick)
{
    return 0;
}

static void gpu_write(void *instance, uint32_t offset, uint32_t value, uint64_t tick)
{
}

static uint64_t gpu_digest(void *instance)
{
    return 0;
}

static const weft_gpu_ops gpu_ops = {
    .size = sizeof gpu_ops,
    .attach = gpu_attach,
    .register_read = gpu_read,
    .register_write = gpu_write,
    .digest = gpu_digest,
};

/* ---- the fixture -------------------------------------------------------------------------------
 */

static script *open_in(uint32_t mode, uint32_t cpu_flags)
{
    script *s = calloc(1, sizeof *s);
    assert_non_null(s);
    s->fake = fake_host_create();
    kernel *k = s->k = calloc(1, sizeof *k);
    assert_non_null(k);
    k->host = &s->fake->host;
    k->memory = &s->fake->memory;
    k->clock = &s->fake->clock;
    k->machine = &s->fake->machine;
    k->cpu = cpu_flags ? &parallel_ops : &cpu_ops;
    s->fake->machine.mode = mode;
    k->cpu_instance = s;
    k->gpu = &gpu_ops;
    assert_int_equal(kboot(k), WEFT_OK);
    uint32_t size = 0x10000;
    assert_int_equal(mm_virtual_alloc(k->mm, NULL, &s->scratch, &size, MM_COMMIT | MM_RESERVE,
                                      MM_PAGE_READWRITE),
                     STATUS_SUCCESS);
    return s;
}

script *script_open(void)
{
    return open_in(WEFT_MODE_LOCKSTEP, 0);
}

script *script_open_parallel(uint32_t cpu_flags)
{
    return open_in(WEFT_MODE_PARALLEL, cpu_flags);
}

void script_close(script *s)
{
    kshutdown(s->k);
    free(s->k);
    fake_host_destroy(s->fake);
    free(s);
}

uint32_t script_entry(uint32_t program)
{
    return SCRIPT_BASE + program * SCRIPT_STEPS * 4;
}

kthread *script_thread(script *s, uint32_t program, const script_step *steps, uint32_t flags)
{
    s->programs[program] = steps;
    for (int i = 0; s->k->parallel && i < SCRIPT_STEPS && steps[i].kind != STEP_END; i++) {
        if (steps[i].kind == STEP_CALL) {
            s->thunks[steps[i].number] = kthunk(s->k, KMODULE_KRNL, steps[i].number);
        }
    }
    kthread_request request = {
        .stack_size = 0x4000,
        .entry = script_entry(program),
        .flags = flags,
    };
    kthread *t = kthread_create(s->k, &request);
    assert_non_null(t);
    if (!s->k->first_thread) {
        s->k->first_thread = t;
    }
    return t;
}

uint32_t script_run(script *s, uint64_t ticks)
{
    weft_run_limits limits = {.size = sizeof limits, .ticks = ticks};
    assert_int_equal(ksched_run(s->k, &limits), WEFT_OK);
    return s->k->end;
}

uint32_t word(script *s, uint32_t address)
{
    const uint32_t *at = (const uint32_t *)(const void *)(s->k->memory->base + address);
    return __builtin_bswap32(__atomic_load_n(at, __ATOMIC_ACQUIRE));
}

void set_word(script *s, uint32_t address, uint32_t value)
{
    uint32_t *at = (uint32_t *)(void *)(s->k->memory->base + address);
    __atomic_store_n(at, __builtin_bswap32(value), __ATOMIC_RELEASE);
}

void set_quad(script *s, uint32_t address, uint64_t value)
{
    weft_store64(s->k->memory->base + address, value);
}
