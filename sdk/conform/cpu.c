/* cpu.c: the conformance kit of the CPU role: contract checks of its own, then a vectors file. */
#include "cpu_kit.h"

#include <inttypes.h>

static uint32_t on_mmio(cpu_kit *kit, weft_cpu_state *state, uint32_t address, uint32_t length,
                        uint32_t store)
{
    kit->mmio_calls++;
    kit->mmio_address = address;
    kit->mmio_length = length;
    kit->mmio_store = store;
    kit->mmio_pc = state->pc;
    kit->mmio_retired = state->retired;
    if (kit->lower_limit) {
        state->limit = kit->lower_limit;
    }
    return kit->answer;
}

static uint32_t mmio_read(void *context, weft_cpu_state *state, uint32_t address, uint32_t length,
                          uint8_t *bytes)
{
    cpu_kit *kit = context;
    memcpy(bytes, kit->mmio_bytes, length);
    return on_mmio(kit, state, address, length, 0);
}

static uint32_t mmio_write(void *context, weft_cpu_state *state, uint32_t address, uint32_t length,
                           const uint8_t *bytes)
{
    cpu_kit *kit = context;
    memcpy(kit->mmio_bytes, bytes, length);
    return on_mmio(kit, state, address, length, 1);
}

static uint32_t on_syscall(void *context, weft_cpu_state *state, uint32_t lev)
{
    cpu_kit *kit = context;
    kit->syscalls++;
    if (lev == 2) { /* taken here: moves on */
        state->pc += 4;
        state->retired++;
        return WEFT_CPU_CONTINUE;
    }
    return WEFT_CPU_STOP;
}

void cpu_kit_expect(weft_conform_report *report, const char *what, uint64_t got, uint64_t expected)
{
    if (got == expected) {
        weft_conform_pass(report);
    } else {
        weft_conform_fail(report, "%s: got 0x%" PRIx64 ", expected 0x%" PRIx64, what, got,
                          expected);
    }
}

static void expect(cpu_kit *kit, const char *what, uint64_t got, uint64_t expected)
{
    cpu_kit_expect(kit->report, what, got, expected);
}

static uint64_t timebase(void *context, weft_cpu_state *state)
{
    return UINT64_C(0x123456789ABCDEF0);
}

void cpu_kit_code(cpu_kit *kit, uint32_t address, const uint32_t *words, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        weft_store32(kit->memory->base + address + 4 * i, words[i]);
    }
    kit->memory->written(kit->memory, address, count * 4);
}

weft_cpu_state *cpu_kit_state(cpu_kit *kit)
{
    weft_cpu_state *state = NULL;
    if (kit->ops->state_create(kit->engine, &state) != WEFT_OK || !state) {
        weft_conform_fail(kit->report, "state_create: no state");
        return NULL;
    }
    state->pc = KIT_CODE;
    state->lr = KIT_SENTINEL;
    return state;
}

uint32_t cpu_kit_run(cpu_kit *kit, weft_cpu_state *state, uint64_t limit)
{
    if (kit->ops->reload) {
        kit->ops->reload(kit->engine, state);
    }
    state->limit = limit;
    uint32_t exit = kit->ops->run(kit->engine, state);
    if (kit->ops->flush) {
        kit->ops->flush(kit->engine, state);
    }
    return exit;
}

#define CODE(kit, ...)                                                                             \
    cpu_kit_code((kit), KIT_CODE, (const uint32_t[]){__VA_ARGS__},                                 \
                 (uint32_t)(sizeof((const uint32_t[]){__VA_ARGS__}) / 4))

/* A fresh state is zero but for NJ. */
static void check_fresh(cpu_kit *kit)
{
    weft_cpu_state *s = cpu_kit_state(kit);
    if (s) {
        expect(kit, "fresh state: msr", s->msr, 0);
        expect(kit, "fresh state: vscr", s->vscr, 0x00010000);
        expect(kit, "fresh state: r31", s->r[31], 0);
        s->limit = 0;
        expect(kit, "run with limit <= retired", kit->ops->run(kit->engine, s), WEFT_CPU_LIMIT);
        kit->ops->state_destroy(kit->engine, s);
    }
    kit->ops->state_destroy(kit->engine, NULL);
}

/* A loop of five instructions, stopped after each possible count: pc, retired and r3 are those of
 * single steps. */
static void check_limit(cpu_kit *kit)
{
    CODE(kit, ADDI(3, 3, 1), NOP, ADDI(4, 4, 2), NOP, 0x4BFFFFF0u /* b KIT_CODE */);
    for (uint64_t n = 1; n <= 23; n++) {
        weft_cpu_state *s = cpu_kit_state(kit);
        if (!s) {
            return;
        }
        uint32_t exit = cpu_kit_run(kit, s, n);
        int same = exit == WEFT_CPU_LIMIT && s->retired == n && s->pc == KIT_CODE + 4 * (n % 5) &&
                   s->r[3] == (n + 4) / 5 && s->r[4] == 2 * ((n + 2) / 5);
        if (same) {
            weft_conform_pass(kit->report);
        } else {
            weft_conform_fail(kit->report,
                              "limit %" PRIu64 ": exit %u, retired %" PRIu64 ", pc 0x%08x", n, exit,
                              s->retired, s->pc);
        }
        kit->ops->state_destroy(kit->engine, s);
    }
}

/* pc and retired at an MMIO access; a limit lowered there holds; STOP retires the access. */
static void check_mmio(cpu_kit *kit)
{
    weft_cpu_state *s = cpu_kit_state(kit);
    if (!s) {
        return;
    }
    CODE(kit, NOP, NOP, LWZ(3, 5, 8), STW(3, 5, 12), NOP, BLR);
    s->r[5] = KIT_MMIO;
    memcpy(kit->mmio_bytes, "\x01\x02\x03\x04", 4);
    kit->answer = WEFT_CPU_STOP;
    expect(kit, "mmio read: exit", cpu_kit_run(kit, s, 100), WEFT_CPU_STOPPED);
    expect(kit, "mmio read: address", kit->mmio_address, KIT_MMIO + 8);
    expect(kit, "mmio read: length", kit->mmio_length, 4);
    expect(kit, "mmio read: pc at the callback", kit->mmio_pc, KIT_CODE + 8);
    expect(kit, "mmio read: retired at the callback", kit->mmio_retired, 2);
    expect(kit, "mmio read: value in guest order", s->r[3], 0x01020304);
    expect(kit, "mmio read: retired after STOP", s->retired, 3);
    expect(kit, "mmio read: pc after STOP", s->pc, KIT_CODE + 12);
    kit->answer = WEFT_CPU_CONTINUE;
    kit->lower_limit = 5;
    expect(kit, "mmio write: limit lowered", cpu_kit_run(kit, s, 100), WEFT_CPU_LIMIT);
    expect(kit, "mmio write: retired at the lowered limit", s->retired, 5);
    expect(kit, "mmio write: is a store", kit->mmio_store, 1);
    expect(kit, "mmio write: bytes", weft_load32(kit->mmio_bytes), 0x01020304);
    kit->lower_limit = 0;
    kit->ops->state_destroy(kit->engine, s);
}

/* Faults leave everything as it was. */
static void check_faults(cpu_kit *kit)
{
    weft_cpu_state *s = cpu_kit_state(kit);
    if (!s) {
        return;
    }
    CODE(kit, NOP, LWZU(3, 4, 4), BLR);
    s->r[3] = 7;
    s->r[4] = KIT_RAM;
    expect(kit, "load fault: exit", cpu_kit_run(kit, s, 100), WEFT_CPU_FAULT);
    expect(kit, "load fault: pc", s->pc, KIT_CODE + 4);
    expect(kit, "load fault: retired", s->retired, 1);
    expect(kit, "load fault: address", s->fault_address, KIT_RAM + 4);
    expect(kit, "load fault: flags", s->fault_flags, 0);
    expect(kit, "load fault: target kept", s->r[3], 7);
    expect(kit, "load fault: base kept", s->r[4], KIT_RAM);

    CODE(kit, STWU(3, 4, 2), BLR); /* crosses into the page after the RAM */
    s->pc = KIT_CODE;
    s->r[3] = UINT64_C(0xAABBCCDD);
    s->r[4] = KIT_RAM + KIT_RAM_SIZE - 4;
    expect(kit, "crossing store: exit", cpu_kit_run(kit, s, 100), WEFT_CPU_FAULT);
    expect(kit, "crossing store: flags", s->fault_flags, WEFT_FAULT_STORE);
    expect(kit, "crossing store: address", s->fault_address, KIT_RAM + KIT_RAM_SIZE);
    expect(kit, "crossing store: nothing written",
           weft_load16(kit->memory->base + KIT_RAM + KIT_RAM_SIZE - 2), 0);
    expect(kit, "crossing store: base kept", s->r[4], KIT_RAM + KIT_RAM_SIZE - 4);

    CODE(kit, 0x7C8903A6u /* mtctr r4 */, 0x4E800420u /* bctr */);
    s->pc = KIT_CODE;
    s->r[4] = KIT_RAM + 0x20;
    expect(kit, "fetch fault: exit", cpu_kit_run(kit, s, 100), WEFT_CPU_FAULT);
    expect(kit, "fetch fault: flags", s->fault_flags, WEFT_FAULT_FETCH);
    expect(kit, "fetch fault: pc", s->pc, KIT_RAM + 0x20);
    expect(kit, "fetch fault: branch has retired", s->retired, 3);
    kit->ops->state_destroy(kit->engine, s);
}

/* Stores into code act on the next instruction: the guest's own, and reported ones. */
static void check_coherence(cpu_kit *kit)
{
    weft_cpu_state *s = cpu_kit_state(kit);
    uint32_t word = ADDI(3, 3, 100);
    if (!s) {
        return;
    }
    /* round 1 executes `addi r3,r3,1` and replaces it; round 2 meets the new one */
    CODE(kit, ADDI(5, 5, -1), ADDI(3, 3, 1), STW(6, 7, 4), 0x2C050000u /* cmpwi r5,0 */,
         0x4082FFF0u /* bne KIT_CODE */, BLR);
    s->r[5] = 2;
    s->r[6] = word;
    s->r[7] = KIT_CODE;
    expect(kit, "store into code: exit", cpu_kit_run(kit, s, 100), WEFT_CPU_SYSCALL);
    expect(kit, "store into code: new word executed", s->r[3], 101);

    CODE(kit, STW(6, 7, 4), ADDI(3, 3, 1), BLR); /* replaces the very next word */
    s->pc = KIT_CODE;
    s->r[3] = 0;
    cpu_kit_run(kit, s, s->retired + 100);
    expect(kit, "store into the next instruction", s->r[3], 100);

    CODE(kit, ADDI(3, 3, 5), BLR);
    s->pc = KIT_CODE;
    s->r[3] = 0;
    cpu_kit_run(kit, s, s->retired + 100);
    expect(kit, "written() drops decoded code", s->r[3], 5);
    kit->ops->state_destroy(kit->engine, s);
}

/* Reservations: kept across own instructions, lost to another state's run and to clear. */
static void check_reservations(cpu_kit *kit)
{
    weft_cpu_state *s = cpu_kit_state(kit), *other = cpu_kit_state(kit);
    if (!s || !other) {
        return;
    }
    CODE(kit, LWARX(3, 0, 4), STWCX(5, 0, 4), BLR);
    s->r[4] = KIT_RAM + 0x2000;
    s->r[5] = 9;
    cpu_kit_run(kit, s, 100);
    expect(kit, "stwcx. after lwarx: CR0", s->cr >> 28, 2);
    expect(kit, "stwcx. after lwarx: memory", weft_load32(kit->memory->base + KIT_RAM + 0x2000), 9);

    s->pc = KIT_CODE;
    expect(kit, "lwarx alone: exit", cpu_kit_run(kit, s, s->retired + 1), WEFT_CPU_LIMIT);
    expect(kit, "reservation shows in the state", s->reservation, 1);
    other->pc = KIT_SENTINEL;
    cpu_kit_run(kit, other, 1);
    cpu_kit_run(kit, s, s->retired + 100);
    expect(kit, "another state's run drops the reservation", s->cr >> 28, 0);

    s->pc = KIT_CODE;
    cpu_kit_run(kit, s, s->retired + 1);
    kit->ops->reservation_clear(kit->engine, s);
    cpu_kit_run(kit, s, s->retired + 100);
    expect(kit, "reservation_clear drops it", s->cr >> 28, 0);

    CODE(kit, LWARX(3, 0, 4), BLR);
    s->pc = KIT_CODE;
    s->r[4] = KIT_RAM + 0x2002;
    expect(kit, "misaligned lwarx: exit", cpu_kit_run(kit, s, s->retired + 100),
           WEFT_CPU_ALIGNMENT);
    expect(kit, "misaligned lwarx: address", s->fault_address, KIT_RAM + 0x2002);
    kit->ops->state_destroy(kit->engine, other);
    kit->ops->state_destroy(kit->engine, s);
}

/* The other ways out. */
static void check_exits(cpu_kit *kit)
{
    weft_cpu_state *s = cpu_kit_state(kit);
    if (!s) {
        return;
    }
    CODE(kit, 0x7FFFFB78u /* db16cyc */, 0x0FE00014u /* twi 31,r0,20 */, NOP);
    expect(kit, "db16cyc: exit", cpu_kit_run(kit, s, 100), WEFT_CPU_YIELD);
    expect(kit, "db16cyc has retired", s->retired, 1);
    expect(kit, "db16cyc: pc behind it", s->pc, KIT_CODE + 4);
    expect(kit, "twi: exit", cpu_kit_run(kit, s, 100), WEFT_CPU_TRAP);
    expect(kit, "twi: pc at it", s->pc, KIT_CODE + 4);
    expect(kit, "twi: code", s->trap_code, 20);

    CODE(kit, NOP, 0x00000000u);
    s->pc = KIT_CODE;
    expect(kit, "illegal word: exit", cpu_kit_run(kit, s, 100), WEFT_CPU_ILLEGAL);
    expect(kit, "illegal word: pc at it", s->pc, KIT_CODE + 4);

    CODE(kit, 0x44000042u /* sc 2 */, NOP, KIT_SC);
    s->pc = KIT_CODE;
    uint64_t before = s->retired;
    expect(kit, "sc: exit", cpu_kit_run(kit, s, before + 100), WEFT_CPU_SYSCALL);
    expect(kit, "sc: pc at the one that stopped", s->pc, KIT_CODE + 8);
    expect(kit, "sc: not retired", s->retired, before + 2);

    CODE(kit, 0x7C610164u /* mtmsrd r3,1 */, NOP, BLR);
    s->pc = KIT_CODE;
    s->r[3] = WEFT_MSR_EE;
    s->interrupt = 1;
    before = s->retired;
    expect(kit, "mtmsrd sets EE: exit", cpu_kit_run(kit, s, before + 100), WEFT_CPU_INTERRUPT);
    expect(kit, "mtmsrd has retired", s->retired, before + 1);
    expect(kit, "mtmsrd: msr", s->msr & WEFT_MSR_EE, WEFT_MSR_EE);
    s->interrupt = 0;
    s->pending = 1;
    expect(kit, "pending: exit", cpu_kit_run(kit, s, s->retired + 100), WEFT_CPU_STOPPED);
    kit->ops->state_destroy(kit->engine, s);
}

/* flush and reload carry the tail in and out, vectors in guest byte order. */
static void check_tail(cpu_kit *kit)
{
    weft_cpu_state *s = cpu_kit_state(kit);
    if (!s) {
        return;
    }
    CODE(kit, 0x7C6018CEu /* lvx v3,0,r3 */, 0x7C8021CEu /* stvx v4,0,r4 */, BLR);
    for (unsigned i = 0; i < 16; i++) {
        kit->memory->base[KIT_RAM + 0x3000 + i] = (uint8_t)(i + 1);
        s->v[4][i] = (uint8_t)(0xF0 - i);
    }
    s->r[3] = KIT_RAM + 0x3000;
    s->r[4] = KIT_RAM + 0x3010;
    s->cr = 0x12345678;
    s->xer = 0xE0000005;
    cpu_kit_run(kit, s, 100);
    expect(kit, "tail: first byte of a loaded vector", s->v[3][0], 1);
    expect(kit, "tail: last byte of a loaded vector", s->v[3][15], 16);
    expect(kit, "tail: first byte of a stored vector", kit->memory->base[KIT_RAM + 0x3010], 0xF0);
    expect(kit, "tail: cr", s->cr, 0x12345678);
    expect(kit, "tail: xer", s->xer, 0xE0000005);
    kit->ops->state_destroy(kit->engine, s);
}

static int set_up(cpu_kit *kit, const weft_plugin_desc *desc, const weft_host *host)
{
    static const weft_view views[] = {
        {sizeof(weft_view), KIT_RAM, KIT_RAM_SIZE + 0x10000, WEFT_BACKING_PRIVATE, "ram"},
        {sizeof(weft_view), KIT_CODE, KIT_CODE_SIZE, WEFT_BACKING_PRIVATE, "code"},
    };
    const uint8_t rw = WEFT_PAGE_READ | WEFT_PAGE_WRITE;
    static const uint32_t sc = KIT_SC;
    weft_memory *m = host->memory;

    kit->memory = m;
    if (m->view_add(m, &views[0]) != WEFT_OK || m->view_add(m, &views[1]) != WEFT_OK ||
        m->protect(m, KIT_RAM + 0x1000, KIT_RAM_SIZE - 0x1000, rw) != WEFT_OK ||
        m->protect(m, KIT_CODE, KIT_CODE_SIZE, rw) != WEFT_OK ||
        m->mmio_add(m, KIT_MMIO, 0x1000) != WEFT_OK) {
        weft_conform_fail(kit->report, "%s: the kit got no guest memory", desc->id);
        return 0;
    }
    if (desc->create(host, &kit->engine) != WEFT_OK) {
        weft_conform_fail(kit->report, "%s: create failed", desc->id);
        return 0;
    }
    kit->calls = (weft_cpu_host){.size = sizeof kit->calls,
                                 .context = kit,
                                 .syscall = on_syscall,
                                 .mmio_read = mmio_read,
                                 .mmio_write = mmio_write,
                                 .timebase = timebase};
    if (kit->ops->attach(kit->engine, &kit->calls) != WEFT_OK) {
        weft_conform_fail(kit->report, "%s: attach failed", desc->id);
        return 0;
    }
    cpu_kit_code(kit, KIT_SENTINEL, &sc, 1);
    return 1;
}

int weft_conform_cpu(const weft_plugin_desc *desc, const weft_cpu_ops *ops, const weft_host *host,
                     const char *vectors, weft_conform_report *report)
{
    cpu_kit kit = {.ops = ops, .report = report};
    int status = 0;
    if (set_up(&kit, desc, host)) {
        check_fresh(&kit);
        check_limit(&kit);
        check_mmio(&kit);
        check_faults(&kit);
        check_coherence(&kit);
        check_reservations(&kit);
        check_exits(&kit);
        check_tail(&kit);
        if (vectors) {
            status = cpu_kit_vectors(&kit, vectors);
        }
    }
    if (kit.engine && desc->destroy) {
        desc->destroy(kit.engine);
    }
    if (kit.engine && ops->flags & WEFT_CPU_PARALLEL) {
        cpu_kit_parallel(desc, ops, host, report);
    }
    return status;
}
