/* plugin.c: runs cases on the plugin, in the terms of the oracle. */
#include "oracle.h"

void oracle_prepare(machine *m)
{
    weft_memory *memory = &m->memory;
    const uint8_t rw = WEFT_PAGE_READ | WEFT_PAGE_WRITE;
    memory->protect(memory, ORACLE_CODE, 0x10000, rw);
    memory->protect(memory, ORACLE_DATA, ORACLE_BATCH * ORACLE_WINDOW, rw);
    memory->protect(memory, ORACLE_LOW, 0x1000, rw);
    memory->protect(memory, ORACLE_ZERO, 0x10000, rw);
}

/* The interrupt that the exit stands for, as oracle_exit reads it back. */
static void say_exit(oracle_case *c, const weft_cpu_state *s, uint32_t exit)
{
    static const struct {
        uint32_t exit, cause, srr1;
    } causes[] = {
        {WEFT_CPU_SYSCALL, 0xC00, 0},
        {WEFT_CPU_ALIGNMENT, 0x600, 0},
        {WEFT_CPU_FP, 0x700, 0x100000},
        {WEFT_CPU_ILLEGAL, 0x700, 0x80000},
        {WEFT_CPU_PRIVILEGED, 0x700, 0x40000},
        {WEFT_CPU_TRAP, 0x700, 0x20000},
        {WEFT_CPU_FAULT, 0x300, 0},
    };
    c->cause = 0;
    c->srr0 = s->pc + (exit == WEFT_CPU_SYSCALL ? 4u : 0u);
    c->srr1 = s->msr & ~UINT64_C(0x1E0000);
    c->dar = exit == WEFT_CPU_FAULT || exit == WEFT_CPU_ALIGNMENT ? s->fault_address : 0;
    for (unsigned i = 0; i < sizeof causes / sizeof *causes; i++) {
        if (causes[i].exit == exit) {
            c->cause = causes[i].cause;
            c->srr1 |= causes[i].srr1;
        }
    }
}

void oracle_run_here(machine *m, oracle_case *c)
{
    weft_cpu_state *s = m->state;
    uint32_t at = (uint32_t)c->slot;
    for (unsigned i = 0; i < ORACLE_WORDS; i++) {
        weft_store32(machine_at(m, at + 4 * i), i && !c->words[i] ? WORD_SC : c->words[i]);
    }
    m->memory.written(&m->memory, at, 4 * ORACLE_WORDS);
    s->pc = at;
    s->msr = c->msr;
    s->cr = (uint32_t)c->cr;
    s->xer = (uint32_t)c->xer;
    s->lr = c->lr;
    s->ctr = c->ctr;
    s->fpscr = (uint32_t)c->fpscr;
    s->vrsave = (uint32_t)c->vrsave;
    s->vscr = weft_load32(c->vscr + 12);
    s->reservation = 0;
    memcpy(s->r, c->r, sizeof c->r);
    memcpy(s->f, c->f, sizeof c->f);
    memcpy(s->v, c->v, sizeof c->v);
    m->syscall_answer = WEFT_CPU_STOP;
    uint32_t exit = machine_continue(m, 64);
    say_exit(c, s, exit);
    c->cr = s->cr;
    c->xer = s->xer;
    c->lr = s->lr;
    c->ctr = s->ctr;
    c->fpscr = s->fpscr;
    c->vrsave = s->vrsave;
    memset(c->vscr, 0, 12);
    weft_store32(c->vscr + 12, s->vscr);
    memcpy(c->r, s->r, sizeof c->r);
    memcpy(c->f, s->f, sizeof c->f);
    memcpy(c->v, s->v, sizeof c->v);
}
