/* kernel_cpu.c: a CPU for the kit's titles: the few instructions that they and thunks are made of, one
 * after the other. What a kernel does with it is held against weft/cpu.h. */
#include <stdlib.h>
#include <string.h>

#include "kernel_kit.h"

#define FUSE UINT64_C(50000000) /* instructions: nothing in the kit asks for as many */

static weft_status attach(void *instance, const weft_cpu_host *calls)
{
    kit_machine *m = instance;
    if (m->attached++ || !calls || calls->size < offsetof(weft_cpu_host, mmio_read)) {
        kit_offence(m, KIT_OF_CPU, "cpu.attach: got another call or no callbacks, expected one");
        return WEFT_E_STATE;
    }
    memcpy(&m->calls, calls, calls->size < sizeof m->calls ? calls->size : sizeof m->calls);
    return WEFT_OK;
}

static weft_status state_create(void *instance, weft_cpu_state **state)
{
    kit_machine *m = instance;
    kit_state *s = calloc(1, sizeof *s);
    if (!m->attached) {
        kit_offence(m, KIT_OF_CPU, "cpu.state_create: got it before attach");
    }
    if (!s) {
        return WEFT_E_NO_MEMORY;
    }
    s->cpu.vscr = 0x00010000;
    m->states++;
    *state = &s->cpu;
    return WEFT_OK;
}

static void state_destroy(void *instance, weft_cpu_state *state)
{
    kit_machine *m = instance;
    m->states -= state != NULL;
    free(state);
}

static uint32_t refuse(weft_cpu_state *cpu, uint32_t address, uint32_t flags)
{
    cpu->fault_address = address;
    cpu->fault_flags = flags;
    return WEFT_CPU_FAULT;
}

static int allowed(const kit_machine *m, uint32_t address, uint32_t length, uint8_t access)
{
    return weft_memory_ok(&m->memory, address, length, access);
}

/* The loads and stores of 4 and 8 bytes. LIMIT: done. */
static uint32_t move(kit_machine *m, weft_cpu_state *cpu, uint32_t insn)
{
    uint32_t op = insn >> 26, r = insn >> 21 & 31, a = insn >> 16 & 31;
    int wide = op == 58 || op == 62, store = op == 36 || op == 62;
    uint32_t offset = (uint32_t)(int16_t)(wide ? insn & 0xFFFC : insn);
    uint32_t address = (a ? (uint32_t)cpu->r[a] : 0) + offset, length = wide ? 8 : 4;
    if (!allowed(m, address, length, store ? WEFT_PAGE_WRITE : WEFT_PAGE_READ)) {
        return refuse(cpu, address, store ? WEFT_FAULT_STORE : 0);
    }
    uint8_t *p = m->memory.base + address;
    if (store && wide) {
        weft_store64(p, cpu->r[r]);
    } else if (store) {
        weft_store32(p, (uint32_t)cpu->r[r]);
    } else {
        cpu->r[r] = wide ? weft_load64(p) : weft_load32(p);
    }
    if (store) {
        m->memory.written(&m->memory, address, length);
    }
    cpu->pc += 4;
    return WEFT_CPU_LIMIT;
}

/* Opcode 31: mflr, mtlr, mfctr, mtctr, or, tw. */
static uint32_t extended(weft_cpu_state *cpu, uint32_t insn)
{
    uint32_t r = insn >> 21 & 31, a = insn >> 16 & 31, b = insn >> 11 & 31;
    uint64_t *special = a == 8 && b == 0 ? &cpu->lr : a == 9 && b == 0 ? &cpu->ctr : NULL;
    switch (insn >> 1 & 0x3FF) {
    case 4:
        if (r != 31) {
            return WEFT_CPU_ILLEGAL;
        }
        cpu->trap_code = 0xFFFF;
        return WEFT_CPU_TRAP;
    case 339:
    case 467:
        if (!special) {
            return WEFT_CPU_ILLEGAL;
        }
        if ((insn >> 1 & 0x3FF) == 339) {
            cpu->r[r] = *special;
        } else {
            *special = cpu->r[r];
        }
        break;
    case 444:
        cpu->r[a] = cpu->r[r] | cpu->r[b];
        break;
    default:
        return WEFT_CPU_ILLEGAL;
    }
    cpu->pc += 4;
    return WEFT_CPU_LIMIT;
}

static uint32_t one(kit_machine *m, weft_cpu_state *cpu, uint32_t insn)
{
    uint32_t op = insn >> 26, r = insn >> 21 & 31, a = insn >> 16 & 31, next = cpu->pc + 4;
    uint64_t base = a ? cpu->r[a] : 0;
    switch (op) {
    case 14:
        cpu->r[r] = base + (uint64_t)(int64_t)(int16_t)insn;
        break;
    case 15:
        cpu->r[r] = base + (uint64_t)((int64_t)(int16_t)insn * 65536);
        break;
    case 24:
        cpu->r[a] = cpu->r[r] | (insn & 0xFFFF);
        break;
    case 18:
        next = ((insn & 0x3FFFFFC) ^ 0x2000000) - 0x2000000 + (insn & 2 ? 0 : cpu->pc);
        cpu->lr = insn & 1 ? cpu->pc + 4 : cpu->lr;
        break;
    case 19:
        if ((insn & ~1u) != 0x4E800020 && (insn & ~1u) != 0x4E800420) {
            return WEFT_CPU_ILLEGAL;
        }
        next = (uint32_t)(insn & 0x400 ? cpu->ctr : cpu->lr) & ~UINT32_C(3);
        cpu->lr = insn & 1 ? cpu->pc + 4 : cpu->lr;
        break;
    case 31:
        return extended(cpu, insn);
    case 32:
    case 36:
    case 58:
    case 62:
        return move(m, cpu, insn);
    default:
        return WEFT_CPU_ILLEGAL;
    }
    cpu->pc = next;
    return WEFT_CPU_LIMIT;
}

/* Where a thread of the title begins, its stack and its system registers are there. */
static void check_entry(kit_machine *m, const weft_cpu_state *cpu)
{
    if (cpu->pc != KIT_ENTRY || m->entered++) {
        return;
    }
    uint32_t stack = (uint32_t)cpu->r[1], system = (uint32_t)cpu->r[13];
    if (stack % 16 || !allowed(m, stack - 64, 64, WEFT_PAGE_READ | WEFT_PAGE_WRITE)) {
        kit_offence(m, KIT_OF_CPU,
                    "entry: got r1 0x%08x, expected a stack of the guest's, aligned to 16", stack);
    }
    if (!allowed(m, system, 4, WEFT_PAGE_READ)) {
        kit_offence(m, KIT_OF_CPU, "entry: got r13 0x%08x, expected what a thread can read",
                    system);
    }
    if (!allowed(m, (uint32_t)cpu->lr, 4, WEFT_PAGE_READ)) {
        kit_offence(m, KIT_OF_CPU, "entry: got lr 0x%08x, expected where a thread can return to",
                    (uint32_t)cpu->lr);
    }
    if (cpu->msr & WEFT_MSR_SF) {
        kit_offence(m, KIT_OF_CPU, "entry: got MSR[SF] 1, expected 0: titles are of 32 bits");
    }
}

static uint32_t execute(kit_machine *m, weft_cpu_state *cpu)
{
    while (cpu->retired < cpu->limit) {
        if (__atomic_load_n(&cpu->pending, __ATOMIC_RELAXED)) {
            return WEFT_CPU_STOPPED;
        }
        if (m->executed >= FUSE) {
            kit_offence(m, KIT_OF_CPU, "cpu.run: got %llu instructions, expected a run to end",
                        (unsigned long long)FUSE);
            return WEFT_CPU_ILLEGAL;
        }
        check_entry(m, cpu);
        if (cpu->pc % 4 || !allowed(m, cpu->pc, 4, WEFT_PAGE_READ)) {
            return refuse(cpu, cpu->pc, WEFT_FAULT_FETCH);
        }
        uint64_t before = cpu->retired;
        uint32_t insn = weft_load32(m->memory.base + cpu->pc);
        if (insn >> 26 == 17) {
            uint32_t answer = m->calls.syscall && (insn & 2)
                                  ? m->calls.syscall(m->calls.context, cpu, insn >> 5 & 0x7F)
                                  : WEFT_CPU_STOP;
            uint64_t more = cpu->retired - before;
            if (more > 1) {
                kit_offence(m, KIT_OF_CPU, "cpu_host.syscall: got retired + %llu, expected 0 or 1",
                            (unsigned long long)more);
            }
            m->executed += more;
            if (answer == WEFT_CPU_STOP) {
                return WEFT_CPU_SYSCALL;
            }
            continue;
        }
        uint32_t reason = one(m, cpu, insn);
        if (reason != WEFT_CPU_LIMIT) {
            return reason;
        }
        cpu->retired++;
        m->executed++;
    }
    return WEFT_CPU_LIMIT;
}

static uint32_t run(void *instance, weft_cpu_state *cpu)
{
    kit_machine *m = instance;
    kit_state *s = (kit_state *)cpu;
    if (s->busy) {
        kit_offence(m, KIT_OF_CPU, "cpu.run: got it from inside itself");
    }
    if (cpu->hw >= WEFT_HW_COUNT) {
        kit_offence(m, KIT_OF_CPU, "cpu.run: got hardware thread %u, expected 0 to 5", cpu->hw);
    }
    s->busy = 1;
    uint32_t reason = execute(m, cpu);
    s->busy = 0;
    return reason;
}

const weft_cpu_ops kit_cpu_ops = {
    .size = sizeof kit_cpu_ops,
    .attach = attach,
    .state_create = state_create,
    .state_destroy = state_destroy,
    .run = run,
};
