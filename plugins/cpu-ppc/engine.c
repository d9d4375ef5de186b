/* engine.c: instances, states, the run loop, pages of decoded code. */
#include "threaded.h"

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

HANDLER(op_page_end)
{
    return ppc_leave_to(c, pc_of(c, o), left);
}

/* First execution of a word since it was last written: decodes it in place, then executes it. */
static PPC_NOINLINE void decode_here(core *c, const op *o)
{
    engine *e = c->engine;
    uint32_t pc = pc_of(c, o);
    code_page *page = c->pages[pc >> WEFT_PAGE_SHIFT];
    if (!page->watched) {
        page->watched = 1;
        e->memory->watch(e->memory, pc & ~(WEFT_PAGE_SIZE - 1), WEFT_PAGE_SIZE);
    }
    uint32_t index = pc >> 2 & (PPC_PAGE_OPS - 1);
    if (e->blocks && c->ops == page->ops) {
        ppc_fuse(e, page, index);
    } else {
        op *ops = e->blocks ? page->plain : page->ops;
        ppc_decode(e->lookup, pc, weft_load32(e->memory->base + pc), &ops[index]);
    }
}

HANDLER(op_undecoded)
{
    decode_here(c, o);
    GO(o);
}

static code_page *page_make(engine *e, uint32_t number)
{
    code_page *page = malloc(sizeof *page + (e->blocks ? sizeof page->ops : 0));
    if (!page) {
        return NULL;
    }
    for (uint32_t i = 0; i <= PPC_PAGE_OPS; i++) {
        op empty = {.run = i < PPC_PAGE_OPS ? op_undecoded : op_page_end};
        page->ops[i] = empty;
        if (e->blocks) {
            page->plain[i] = empty;
        }
    }
    page->number = number;
    page->watched = 0;
    e->pages[number] = page;
    return page;
}

/* Bytes of a page with decoded code changed, which used up the page's watch. After an own store the
 * watch is renewed before the next instruction (ppc_rewatch), so that only the written words have
 * to be forgotten. After anybody else's, more writes may follow unreported: the whole page goes. */
static void written(void *context, uint32_t start, uint32_t length)
{
    engine *e = context;
    if (length == 0) {
        return;
    }
    uint32_t last = start + (length - 1);
    for (uint32_t number = start >> WEFT_PAGE_SHIFT; number <= last >> WEFT_PAGE_SHIFT; number++) {
        code_page *page = e->pages[number];
        if (!page || !page->watched) {
            continue;
        }
        uint32_t first_byte = number << WEFT_PAGE_SHIFT;
        uint32_t from = 0, to = PPC_PAGE_OPS - 1;
        if (e->storing && e->rewatch_count < PPC_REWATCH) {
            from = start > first_byte ? (start - first_byte) / 4 : 0;
            to = last - first_byte < WEFT_PAGE_SIZE ? (last - first_byte) / 4 : to;
            e->rewatch[e->rewatch_count++] = number;
        } else {
            page->watched = 0;
        }
        for (uint32_t i = from; e->blocks && i <= to; i++) {
            page->plain[i].run = op_undecoded;
        }
        from -= e->blocks && from >= PPC_FUSED ? PPC_FUSED - 1 : e->blocks ? from : 0;
        for (uint32_t i = from; i <= to; i++) {
            page->ops[i].run = op_undecoded;
        }
    }
}

void ppc_written(engine *e, uint32_t start, uint32_t length)
{
    e->storing = 1;
    e->memory->written(e->memory, start, length);
    e->storing = 0;
    while (e->rewatch_count) {
        uint32_t number = e->rewatch[--e->rewatch_count];
        e->memory->watch(e->memory, number << WEFT_PAGE_SHIFT, WEFT_PAGE_SIZE);
    }
}

/* Finds the op at s.pc, or leaves with a fetch fault. */
static const op *enter(core *c)
{
    engine *e = c->engine;
    uint32_t number = c->s.pc >> WEFT_PAGE_SHIFT;
    code_page *page = e->pages[number];
    if (!page_readable(e->memory->access, c->s.pc) || (!page && !(page = page_make(e, number)))) {
        c->s.fault_address = c->s.pc;
        c->s.fault_flags = WEFT_FAULT_FETCH;
        c->exit = WEFT_CPU_FAULT;
        return NULL;
    }
    c->ops = page->ops;
    c->page_pc = number << WEFT_PAGE_SHIFT;
    return &page->ops[c->s.pc >> 2 & (PPC_PAGE_OPS - 1)];
}

static uint32_t run(void *instance, weft_cpu_state *state)
{
    engine *e = instance;
    core *c = core_of(state);
    uint8_t *base = e->memory->base;
    const uint8_t *access = e->memory->access;

    if (e->last != c) {
        if (e->last) {
            e->last->s.reservation = 0;
        }
        e->last = c;
    }
    for (;;) {
        if (state->retired >= state->limit) {
            return WEFT_CPU_LIMIT;
        }
        if (__atomic_load_n(&state->pending, __ATOMIC_RELAXED)) {
            return WEFT_CPU_STOPPED;
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
    weft_status status = e->memory->listen(e->memory, written, e);
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
    c->pages = e->pages;
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
    if (e->last == c) {
        e->last = NULL;
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
    if (!e || !lookup) {
        free(e);
        free(lookup);
        return host->fail(host, WEFT_E_NO_MEMORY, "cpu-ppc: no memory for an instance");
    }
    e->host = host;
    e->memory = host->memory;
    e->lookup = lookup;
    e->blocks = strcmp(host->option_text(host, "engine"), "interp-plain") != 0;
#if defined(__x86_64__)
    e->fma = __builtin_cpu_supports("fma") != 0;
#else
    e->fma = 1;
#endif
    *instance = e;
    return WEFT_OK;
}

void ppc_destroy(void *instance)
{
    engine *e = instance;
    e->memory->unlisten(e->memory, written, e);
    for (uint32_t i = 0; i < WEFT_PAGE_COUNT; i++) {
        free(e->pages[i]);
    }
    free(e->lookup);
    free(e);
}
