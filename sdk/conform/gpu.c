/* gpu.c: the kit of GPUs (weft/gpu.h): registers, the ring and its read pointer, packets without draws,
 * fences, interrupts, waits, and streams that make no sense. Nothing is drawn: pixels are the tests' of
 * the plugin itself.
 *
 * Packets and registers: Mesa adreno_pm4.xml and a2xx.xml, xenia src/xenia/gpu/{xenos.h,
 * register_table.inc}. Memory is big-endian; bits 1:0 of an address in a packet are the byte order, of
 * which 2 leaves dwords as the CPU sees them. */
#include "weft/gpu.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel_kit.h"

#define PHYSICAL   UINT32_C(0x20000000) /* bytes: the console's */
#define VIEW       UINT32_C(0xA0000000) /* where the guest sees the first 256 MiB */
#define VIEW_BYTES UINT32_C(0x10000000)

#define RING        UINT32_C(0x100000)
#define RING_LOG2   7u /* 1 << (7 + 3) bytes */
#define RING_DWORDS 256u
#define MIRROR      UINT32_C(0x200000)
#define BUFFER      UINT32_C(0x210000) /* an indirect buffer */
#define DATA        UINT32_C(0x220000) /* what packets write */
#define AS_THE_CPU  2u                 /* byte order */
#define MILLISECOND UINT64_C(1000000)

/* Byte offsets of registers. */
#define CP_RB_RPTR   UINT32_C(0x710)
#define CP_RB_WPTR   UINT32_C(0x714)
#define SCRATCH_REG2 UINT32_C(0x15E8)
#define SCRATCH_REG3 UINT32_C(0x15EC)
#define SCRATCH_2    UINT32_C(0x57A) /* the same by number */
#define SCRATCH_3    UINT32_C(0x57B)

#define TYPE0(first, count)  (((count)-1u) << 16 | (first))
#define TYPE1(first, second) (UINT32_C(0x40000000) | (second) << 11 | (first))
#define TYPE2                UINT32_C(0x80000000)
#define TYPE3(opcode, count) (UINT32_C(0xC0000000) | ((count)-1u) << 16 | (opcode) << 8)
enum {
    NOP = 0x10,
    REG_RMW = 0x21,
    WAIT_REG_MEM = 0x3C,
    MEM_WRITE = 0x3D,
    REG_TO_MEM = 0x3E,
    INDIRECT_BUFFER = 0x3F,
    INTERRUPT = 0x54,
    EVENT_WRITE_SHD = 0x58,
    UNKNOWN = 0x7F,
};

#define CHANCE_ROUNDS 24
#define CHANCE_DWORDS 120u

typedef struct subject {
    const weft_gpu_ops *ops;
    void *instance;
    kit_machine *m;
    uint64_t tick;  /* now */
    uint32_t write; /* dwords */
    uint32_t interrupts, cpu_mask, cause;
    uint64_t interrupt_tick;
    uint32_t fence_then; /* what lay at DATA when the interrupt came */
} subject;

typedef struct kit {
    const weft_plugin_desc *desc;
    const weft_gpu_ops *ops;
    const weft_host *host;
    weft_conform_report *report;
} kit;

static void check(const kit *k, uint64_t got, uint64_t expected, const char *what)
{
    if (got == expected) {
        weft_conform_pass(k->report);
    } else {
        weft_conform_fail(k->report, "gpu.%s: got 0x%llx, expected 0x%llx", what,
                          (unsigned long long)got, (unsigned long long)expected);
    }
}

/* ---- a GPU in a machine ------------------------------------------------------------------------ */

static uint32_t memory_get(const subject *s, uint32_t physical)
{
    return weft_load32(s->m->memory.physical + physical);
}

static void memory_put(subject *s, uint32_t physical, uint32_t value)
{
    weft_store32(s->m->memory.physical + physical, value);
    s->m->memory.written_physical(&s->m->memory, physical, 4);
}

static void on_interrupt(void *context, uint32_t source, uint32_t cpu_mask, uint64_t tick)
{
    subject *s = context;
    s->interrupts++;
    s->cause = source;
    s->cpu_mask = cpu_mask;
    s->interrupt_tick = tick;
    s->fence_then = memory_get(s, DATA);
}

static void end(const kit *k, subject *s)
{
    if (k->desc->destroy && s->instance) {
        k->desc->destroy(s->instance);
    }
    if (s->m) {
        kit_machine_destroy(s->m);
    }
}

/* An instance with a ring and its mirror. 0 after a failure that is reported. */
static int start(const kit *k, subject *s)
{
    *s = (subject){.ops = k->ops, .m = kit_machine_create(k->host)};
    if (!s->m) {
        weft_conform_fail(k->report, "gpu: got no memory for the kit, expected some");
        return 0;
    }
    weft_memory *memory = &s->m->memory;
    const weft_view view = {
        .size = sizeof view, .base = VIEW, .length = VIEW_BYTES, .backing = 0, .name = "physical"};
    const weft_gpu_host calls = {.size = sizeof calls, .context = s, .interrupt = on_interrupt};
    weft_status status = memory->declare_physical(memory, PHYSICAL);
    if (status != WEFT_OK || memory->view_add(memory, &view) != WEFT_OK) {
        weft_conform_fail(k->report, "gpu: got no memory for the kit, expected 512 MiB");
        end(k, s);
        return 0;
    }
    memory->protect(memory, VIEW, VIEW_BYTES, WEFT_PAGE_READ | WEFT_PAGE_WRITE);
    status = k->desc->create(&s->m->host, &s->instance);
    if (status != WEFT_OK) {
        s->instance = NULL;
    }
    if (status == WEFT_OK) {
        status = k->ops->attach(s->instance, &calls);
    }
    if (status == WEFT_OK) {
        status = k->ops->ring(s->instance, RING, RING_LOG2);
    }
    if (status != WEFT_OK) {
        weft_conform_fail(k->report, "gpu: create, attach or ring: got %s: %s, expected ok",
                          weft_status_name(status), s->m->failed);
        end(k, s);
        return 0;
    }
    k->ops->read_pointer_write_back(s->instance, MIRROR, 2);
    return 1;
}

static uint32_t register_get(const subject *s, uint32_t offset)
{
    return s->ops->register_read(s->instance, offset, s->tick);
}

static void register_put(subject *s, uint32_t offset, uint32_t value)
{
    s->ops->register_write(s->instance, offset, value, s->tick);
}

/* Dwords of the ring, which begins again where it ends. */
static void emit(subject *s, uint32_t count, ...)
{
    va_list list;
    va_start(list, count);
    for (uint32_t i = 0; i < count; i++) {
        memory_put(s, RING + s->write * 4, va_arg(list, uint32_t));
        s->write = (s->write + 1) % RING_DWORDS;
    }
    va_end(list);
}

static void kick(subject *s)
{
    register_put(s, CP_RB_WPTR, s->write);
}

static void advance(subject *s, uint64_t ticks)
{
    s->tick += ticks;
    s->m->clock.advance(&s->m->clock, s->tick);
}

static void run(subject *s)
{
    kick(s);
    advance(s, 10 * MILLISECOND);
}

/* ---- checks ------------------------------------------------------------------------------------ */

static void check_registers(const kit *k, subject *s)
{
    register_put(s, SCRATCH_REG2, 0x12345678);
    register_put(s, SCRATCH_REG3, 0x9ABCDEF0);
    check(k, register_get(s, SCRATCH_REG2), 0x12345678, "register_write, SCRATCH_REG2 read again");
    check(k, register_get(s, SCRATCH_REG3), 0x9ABCDEF0, "register_write, SCRATCH_REG3 read again");
    emit(s, 3, TYPE0(SCRATCH_2, 2), 0x11111111u, 0x22222222u);
    run(s);
    check(k, register_get(s, SCRATCH_REG2), 0x11111111, "type 0 packet, its first register");
    check(k, register_get(s, SCRATCH_REG3), 0x22222222, "type 0 packet, its second register");
    /* type 1 has 11 bits for each register */
    emit(s, 4, TYPE2, TYPE1(SCRATCH_2, SCRATCH_3), 0x33333333u, 0x44444444u);
    run(s);
    check(k, register_get(s, SCRATCH_REG2), 0x33333333, "type 1 packet, its first register");
    check(k, register_get(s, SCRATCH_REG3), 0x44444444, "type 1 packet, its second register");
    /* the register, and-ed with one operand, or-ed with the other */
    emit(s, 4, TYPE3(REG_RMW, 3), SCRATCH_2, 0xFFFF0000u, 0x0000ABCDu);
    emit(s, 3, TYPE3(REG_TO_MEM, 2), SCRATCH_2, (DATA + 8) | AS_THE_CPU);
    run(s);
    check(k, memory_get(s, DATA + 8), 0x3333ABCD, "REG_RMW and REG_TO_MEM");
}

/* weft/gpu.h: what the guest can see changes only when the clock fires. */
static void check_time(const kit *k, subject *s)
{
    uint32_t before = s->write;
    memory_put(s, DATA, 0);
    emit(s, 3, TYPE3(MEM_WRITE, 2), DATA | AS_THE_CPU, 0xFEEDFACEu);
    kick(s);
    check(k, memory_get(s, DATA), 0, "register_write, memory before the clock");
    check(k, register_get(s, CP_RB_RPTR), before, "register_write, CP_RB_RPTR before the clock");
    advance(s, 10 * MILLISECOND);
    check(k, memory_get(s, DATA), 0xFEEDFACE, "MEM_WRITE");
    check(k, register_get(s, CP_RB_RPTR), s->write, "CP_RB_RPTR of a ring that is empty");
    check(k, memory_get(s, MIRROR), s->write, "read_pointer_write_back of a ring that is empty");
    s->ops->read_pointer_write_back(s->instance, 0, 0);
    memory_put(s, MIRROR, 0xAAAAAAAA);
    emit(s, 2, TYPE3(NOP, 1), 0u);
    run(s);
    check(k, memory_get(s, MIRROR), 0xAAAAAAAA, "read_pointer_write_back of address 0");
    s->ops->read_pointer_write_back(s->instance, MIRROR, 2);
}

static void check_fence(const kit *k, subject *s)
{
    uint64_t from = s->tick;
    uint32_t before = s->interrupts;
    memory_put(s, DATA, 0);
    emit(s, 4, TYPE3(EVENT_WRITE_SHD, 3), 3u, DATA | AS_THE_CPU, 77u);
    emit(s, 2, TYPE3(INTERRUPT, 1), 0x12u);
    run(s);
    check(k, memory_get(s, DATA), 77, "EVENT_WRITE_SHD");
    check(k, s->interrupts - before, 1, "INTERRUPT, how often");
    check(k, s->cause, WEFT_GPU_INTERRUPT_CP, "INTERRUPT, its source");
    check(k, s->cpu_mask, 0x12, "INTERRUPT, its hardware threads");
    check(k, s->interrupt_tick > from && s->interrupt_tick <= s->tick, 1, "INTERRUPT, in its time");
    check(k, s->fence_then, 77, "EVENT_WRITE_SHD, before the INTERRUPT behind it");
}

static void check_wait(const kit *k, subject *s)
{
    memory_put(s, DATA, 0);
    memory_put(s, DATA + 4, 0);
    /* memory (bit 4), equal (3); address, reference, mask, interval */
    emit(s, 6, TYPE3(WAIT_REG_MEM, 5), 0x13u, DATA | AS_THE_CPU, 5u, 0xFFu, 1u);
    emit(s, 3, TYPE3(MEM_WRITE, 2), (DATA + 4) | AS_THE_CPU, 1u);
    run(s);
    check(k, memory_get(s, DATA + 4), 0, "WAIT_REG_MEM, while it does not hold");
    memory_put(s, DATA, 0x105);
    advance(s, 10 * MILLISECOND);
    check(k, memory_get(s, DATA + 4), 1, "WAIT_REG_MEM, when it holds");
}

static void check_buffers(const kit *k, subject *s)
{
    memory_put(s, BUFFER, TYPE3(MEM_WRITE, 3));
    memory_put(s, BUFFER + 4, DATA | AS_THE_CPU);
    memory_put(s, BUFFER + 8, 0x51515151);
    memory_put(s, BUFFER + 12, 0x52525252);
    emit(s, 3, TYPE3(INDIRECT_BUFFER, 2), BUFFER, 4u);
    emit(s, 3, TYPE3(UNKNOWN, 2), 0xFFFFFFFFu, 0xFFFFFFFFu);
    emit(s, 3, TYPE3(MEM_WRITE, 2), (DATA + 8) | AS_THE_CPU, 0x53535353u);
    run(s);
    check(k, memory_get(s, DATA), 0x51515151, "INDIRECT_BUFFER, a MEM_WRITE in it");
    check(k, memory_get(s, DATA + 4), 0x52525252, "MEM_WRITE of two dwords");
    check(k, memory_get(s, DATA + 8), 0x53535353, "the packet behind one that nobody knows");
}

/* A packet that begins at the ring's last dword. */
static void check_end_of_ring(const kit *k, subject *s)
{
    while (s->write != RING_DWORDS - 1) {
        emit(s, 1, TYPE2);
    }
    run(s);
    memory_put(s, DATA, 0);
    emit(s, 3, TYPE3(MEM_WRITE, 2), DATA | AS_THE_CPU, 0x54545454u);
    run(s);
    check(k, memory_get(s, DATA), 0x54545454, "a packet round the end of the ring");
    check(k, register_get(s, CP_RB_RPTR), 2, "CP_RB_RPTR behind the end of the ring");
}

static void check_counters(const kit *k, subject *s)
{
    weft_gpu_stats stats = {.size = sizeof stats};
    s->ops->stats(s->instance, &stats);
    check(k, stats.packets > 10, 1, "stats, packets counted");
    check(k, stats.draws, 0, "stats, draws");
    check(k, stats.swaps, 0, "stats, swaps");
    check(k, s->ops->digest(s->instance) == s->ops->digest(s->instance), 1, "digest, asked twice");
    uint64_t before = s->ops->digest(s->instance);
    register_put(s, SCRATCH_REG2, register_get(s, SCRATCH_REG2) ^ 1);
    check(k, s->ops->digest(s->instance) != before, 1, "digest, after a register changed");
}

static void do_all(const kit *k, subject *s)
{
    static const uint32_t ramp[256] = {0x3FFFFFFF};
    check_registers(k, s);
    check_time(k, s);
    check_fence(k, s);
    if (s->ops->vblank) {
        s->ops->vblank(s->instance, 1, s->tick);
    }
    if (s->ops->gamma) {
        s->ops->gamma(s->instance, ramp);
        s->ops->gamma(s->instance, NULL);
    }
    check_wait(k, s);
    check_buffers(k, s);
    check_end_of_ring(k, s);
    check_counters(k, s);
}

/* ---- streams of chance ------------------------------------------------------------------------- */

static uint32_t chance(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33);
}

/* Mostly headers that begin some packet, with registers and opcodes by chance. */
static uint32_t chance_dword(uint64_t *state)
{
    uint32_t any = chance(state) << 1 ^ chance(state);
    switch (chance(state) % 4) {
    case 0:
        return TYPE3(any & 0x7F, 1 + (any >> 8 & 7));
    case 1:
        return TYPE0(any & 0x7FFF, 1 + (any >> 16 & 7));
    case 2:
        return any & 0xFFFF;
    default:
        return any;
    }
}

/* The state that streams leave: GPU and memory. Nothing but ending well and equally is asked. */
static uint64_t play(const kit *k, subject *s)
{
    uint64_t state = 1;
    for (uint32_t round = 0; round < CHANCE_ROUNDS; round++) {
        if (k->ops->ring(s->instance, RING, RING_LOG2) != WEFT_OK) {
            weft_conform_fail(k->report, "gpu.ring, again: got %s, expected ok", s->m->failed);
            return 0;
        }
        s->write = 0;
        for (uint32_t i = 0; i < CHANCE_DWORDS; i++) {
            emit(s, 1, chance_dword(&state));
        }
        kick(s);
        advance(s, MILLISECOND);
        for (uint32_t i = 0; i < 8; i++) {
            uint32_t offset = chance(&state) % 0x10000 & ~3u;
            register_get(s, offset);
            if (offset != CP_RB_WPTR) {
                register_put(s, offset, chance(&state));
            }
        }
        advance(s, MILLISECOND);
    }
    return s->ops->digest(s->instance) ^ s->m->memory.digest(&s->m->memory);
}

static void ignore(weft_conform_report *report, const char *line)
{
}

int weft_conform_gpu(const weft_plugin_desc *desc, const weft_gpu_ops *ops, const weft_host *host,
                     weft_conform_report *report)
{
    const kit k = {desc, ops, host, report};
    subject first;
    subject second;
    if (!start(&k, &first)) {
        return 0;
    }
    do_all(&k, &first);
    /* A second one is told what the first was, and must be like it. */
    if (start(&k, &second)) {
        weft_conform_report other = {.print = ignore}; /* the first has said it all */
        const kit quiet = {desc, ops, host, &other};
        do_all(&quiet, &second);
        check(&k, ops->digest(second.instance), ops->digest(first.instance),
              "digest of a second instance with the same input");
        check(&k, second.m->memory.digest(&second.m->memory),
              first.m->memory.digest(&first.m->memory), "memory after the same input");
        uint64_t one = play(&k, &first);
        check(&k, play(&k, &second), one, "state after the same streams of chance");
        end(&k, &second);
    }
    for (uint32_t i = 0; i < KIT_OFFENCES; i++) {
        if (first.m->offence[i][0]) {
            weft_conform_fail(report, "gpu: %s", first.m->offence[i]);
        } else {
            weft_conform_pass(report);
        }
    }
    end(&k, &first);
    return 0;
}
