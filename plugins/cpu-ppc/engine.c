/* engine.c: instances, states, the run loop. */
#include "threaded.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Instructions between two looks at `pending`; not visible otherwise. */
#define CHUNK UINT64_C(100000)

_Static_assert(offsetof(core, s) == offsetof(core, zero) + sizeof(uint64_t),
               "general register n is gpr(c)[n + 1]");

static core *core_of(weft_cpu_state *state)
{
    return (core *)((char *)state - offsetof(core, s));
}

void ppc_mode_update(core *c)
{
    c->mode_shift = c->s.msr & WEFT_MSR_SF ? 0 : 32;
}

uint32_t ppc_cr_pack(const core *c)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < 32; i++) {
        value = value << 1 | c->cr[i];
    }
    return value;
}

void ppc_cr_unpack(core *c, uint32_t value)
{
    for (unsigned i = 0; i < 32; i++) {
        c->cr[i] = value >> (31 - i) & 1;
    }
}

uint32_t ppc_xer_pack(const core *c)
{
    return (uint32_t)c->so << 31 | (uint32_t)c->ov << 30 | (uint32_t)c->ca << 29 | c->xer_count;
}

void ppc_xer_unpack(core *c, uint32_t value)
{
    c->so = value >> 31;
    c->ov = value >> 30 & 1;
    c->ca = value >> 29 & 1;
    c->xer_count = value & 0x7F;
}

/* Ways out of threaded code. Each leaves pc and retired exact. */

step ppc_leave(core *c, const op *o, uint64_t left, uint32_t exit)
{
    sync_head(c, o, left);
    c->exit = exit;
    return (step){NULL, 0};
}

step ppc_leave_chunk(PPC_ARGS)
{
    return ppc_leave(c, o, left, PPC_GO_ON);
}

step ppc_leave_to(core *c, uint32_t pc, uint64_t left)
{
    c->s.pc = pc;
    c->s.retired = c->until - left;
    c->exit = PPC_GO_ON;
    return (step){NULL, 0};
}

step ppc_leave_fault(core *c, const op *o, uint64_t left, uint32_t address, uint32_t flags)
{
    c->s.fault_address = address;
    c->s.fault_flags = flags;
    return ppc_leave(c, o, left, WEFT_CPU_FAULT);
}

HANDLER(op_illegal)
{
    return ppc_leave(c, o, left, WEFT_CPU_ILLEGAL);
}

/* Finds the op at s.pc, or leaves with a fetch fault. */
static const op *enter(core *c)
{
    engine *e = c->engine;
    uint32_t number = c->s.pc >> WEFT_PAGE_SHIFT;
    code_page *page = c->pages[number];
    if (!page_readable(e->memory->access, c->s.pc) ||
        (!page && !(page = ppc_page_make(e, c->cache, number)))) {
        c->s.fault_address = c->s.pc;
        c->s.fault_flags = WEFT_FAULT_FETCH;
        c->exit = WEFT_CPU_FAULT;
        return NULL;
    }
    c->ops = page->ops;
    c->page_pc = number << WEFT_PAGE_SHIFT;
    return &page->ops[c->s.pc >> 2 & (PPC_PAGE_OPS - 1)];
}

/* The decoded code that the state's hardware thread uses. Its reservation is lost where another
 * state ran last: in lockstep on any hardware thread, else on this one. */
static void enter_cache(engine *e, core *c)
{
    assert(!e->parallel || c->s.hw < WEFT_HW_COUNT);
    code_cache *k = e->caches[e->parallel ? c->s.hw : 0];
    if (k->last != c) {
        if (e->parallel) {
            c->s.reservation = 0;
        } else if (k->last) {
            k->last->s.reservation = 0;
        }
        k->last = c;
    }
    c->cache = k;
    c->pages = k->pages;
}

static uint32_t run(void *instance, weft_cpu_state *state)
{
    engine *e = instance;
    core *c = core_of(state);
    uint8_t *base = e->memory->base;
    const uint8_t *access = e->memory->access;

    enter_cache(e, c);
    for (;;) {
        if (state->retired >= state->limit) {
            return WEFT_CPU_LIMIT;
        }
        if (__atomic_load_n(&state->pending, __ATOMIC_RELAXED)) {
            return WEFT_CPU_STOPPED;
        }
        if (UNLIKELY(__atomic_load_n(&c->cache->posted, __ATOMIC_ACQUIRE))) {
            ppc_posts_take(e, c->cache);
        }
        ppc_mode_update(c);
        uint64_t left = state->limit - state->retired;
        left = left < CHUNK ? left : CHUNK;
        c->until = state->retired + left;
        const op *o = enter(c);
        if (!o) {
            return c->exit;
        }
#if PPC_TAIL_CALLS
        o->run(c, o, left, base, access);
#else
        while (o) {
            step next = o->run(c, o, left, base, access);
            o = next.op;
            left = next.left;
        }
#endif
        if (c->exit != PPC_GO_ON) {
            return c->exit;
        }
    }
}

static weft_status attach(void *instance, const weft_cpu_host *calls)
{
    engine *e = instance;
    if (e->calls) {
        return e->host->fail(e->host, WEFT_E_STATE, "cpu-ppc: attach was called twice");
    }
    weft_status status = e->memory->listen(e->memory, ppc_on_written, e);
    if (status != WEFT_OK) {
        return e->host->fail(e->host, status, "cpu-ppc: cannot listen to memory writes");
    }
    e->calls = calls;
    return WEFT_OK;
}

/* The tail in guest byte order. */
static void flush(void *instance, weft_cpu_state *state)
{
    core *c = core_of(state);
    state->cr = ppc_cr_pack(c);
    state->xer = ppc_xer_pack(c);
    for (unsigned i = 0; i < 128; i++) {
        weft_store64(state->v[i], c->v[i].d[1]);
        weft_store64(state->v[i] + 8, c->v[i].d[0]);
    }
}

static void reload(void *instance, weft_cpu_state *state)
{
    core *c = core_of(state);
    ppc_cr_unpack(c, state->cr);
    ppc_xer_unpack(c, state->xer);
    for (unsigned i = 0; i < 128; i++) {
        c->v[i].d[1] = weft_load64(state->v[i]);
        c->v[i].d[0] = weft_load64(state->v[i] + 8);
    }
}

static weft_status state_create(void *instance, weft_cpu_state **state)
{
    engine *e = instance;
    core *c = calloc(1, sizeof *c);
    if (!c) {
        return e->host->fail(e->host, WEFT_E_NO_MEMORY, "cpu-ppc: no memory for a state");
    }
    c->engine = e;
    c->s.vscr = UINT32_C(0x00010000); /* NJ, CPU-FACTS.md */
    *state = &c->s;
    return WEFT_OK;
}

static void state_destroy(void *instance, weft_cpu_state *state)
{
    engine *e = instance;
    if (!state) {
        return;
    }
    core *c = core_of(state);
    if (!e->parallel && e->caches[0]->last == c) {
        e->caches[0]->last = NULL;
    }
    free(c);
}

static void reservation_clear(void *instance, weft_cpu_state *state)
{
    state->reservation = 0;
}

static void disassemble(void *instance, uint32_t address, uint32_t word, char *text,
                        uint32_t capacity)
{
    engine *e = instance;
    ppc_disassemble(e->lookup, address, word, text, capacity);
}

const weft_cpu_ops ppc_ops = {
    .size = sizeof(weft_cpu_ops),
    .flags = WEFT_CPU_PARALLEL,
    .attach = attach,
    .state_create = state_create,
    .state_destroy = state_destroy,
    .run = run,
    .flush = flush,
    .reload = reload,
    .reservation_clear = reservation_clear,
    .disassemble = disassemble,
};

weft_status ppc_create(const weft_host *host, void **instance)
{
    engine *e = calloc(1, sizeof *e);
    uint16_t *lookup = ppc_lookup_make();
    int complete = e && lookup;
    uint32_t parallel = host->machine && host->machine->mode == WEFT_MODE_PARALLEL;
    for (uint32_t i = 0; complete && i < (parallel ? WEFT_HW_COUNT : 1); i++) {
        e->caches[i] = ppc_cache_make();
        complete = e->caches[i] != NULL;
    }
    if (!complete) {
        for (uint32_t i = 0; e && i < WEFT_HW_COUNT; i++) {
            ppc_cache_free(e->caches[i]);
        }
        free(e);
        free(lookup);
        return host->fail(host, WEFT_E_NO_MEMORY, "cpu-ppc: no memory for an instance");
    }
    e->host = host;
    e->memory = host->memory;
    e->lookup = lookup;
    e->parallel = parallel;
    e->locks = parallel && host->extension ? host->extension(host, WEFT_HOST_LOCKS) : NULL;
    e->blocks = strcmp(host->option_text(host, "engine"), "interp-plain") != 0;
#if defined(__x86_64__)
    e->fma = __builtin_cpu_supports("fma") != 0;
#else
    e->fma = 1;
#endif
    *instance = e;
    return WEFT_OK;
}

/* How the conditional stores of a parallel run went, for the log. */
static void tell_conditionals(const engine *e)
{
    uint64_t all = 0, lost = 0, changed = 0;
    for (uint32_t i = 0; e->parallel && i < WEFT_HW_COUNT; i++) {
        all += e->caches[i]->conditionals;
        lost += e->caches[i]->lost;
        changed += e->caches[i]->changed;
    }
    if (all && e->host->log) {
        char line[160];
        snprintf(line, sizeof line,
                 "%" PRIu64 " conditional stores: %" PRIu64
                 " without a reservation or after another's, %" PRIu64 " found another value",
                 all, lost, changed);
        e->host->log(e->host, WEFT_LOG_DEBUG, line);
    }
}

void ppc_destroy(void *instance)
{
    engine *e = instance;
    tell_conditionals(e);
    e->memory->unlisten(e->memory, ppc_on_written, e);
    for (uint32_t i = 0; i < WEFT_HW_COUNT; i++) {
        ppc_cache_free(e->caches[i]);
    }
    free(e->lookup);
    free(e);
}
