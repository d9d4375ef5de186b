/* The ring, indirect buffers, waits, interrupts, time, the CPU's view of the registers, and streams
 * that no title would send. Costs of the fake: 20 a packet, 2 a dword, 500 a draw, batch 5000, poll
 * 10000 (fake.h). */
#include <stdlib.h>
#include <string.h>

#include "test.h"

#define T3(opcode, count) XENOS_TYPE3(XENOS_PM4_##opcode, count)
#define RING_DWORDS       1024u /* fake.h: 1 << (9 + 3) bytes */

/* Pads the ring with type-2 packets up to a position. */
static void pad_to(fake *f, uint32_t position)
{
    while (f->put != position) {
        FAKE_PUT(f, XENOS_TYPE2);
    }
}

/* ---- ring ---- */

static void nothing_runs_before_the_write_pointer_moves(void **state)
{
    fake *f = *state;
    FAKE_PUT(f, XENOS_TYPE0(0x2100, 1), 1);
    assert_int_equal(f->pending_count, 0);
    fake_kick(f);
    assert_int_equal(f->pending_count, 1);
    fake_settle(f, 100);
    assert_int_equal(fake_register(f, 0x2100), 1);
    assert_int_equal(fake_register(f, 0x1C4), 2); /* CP_RB_RPTR */
    assert_int_equal(fake_register(f, 0x1C5), 2); /* CP_RB_WPTR */
}

/* LESSONS 61: 1 << (log2 + 3) bytes. A packet across the end of the 1024 dwords wraps to the start.
 */
static void packets_wrap_around_the_end(void **state)
{
    fake *f = *state;
    pad_to(f, RING_DWORDS - 2);
    fake_kick(f);
    fake_settle(f, 1000);
    FAKE_PUT(f, XENOS_TYPE0(0x2100, 3), 1, 2, 3);
    assert_int_equal(f->put, 2);
    fake_kick(f);
    fake_settle(f, 1000);
    assert_int_equal(fake_register(f, 0x2100), 1);
    assert_int_equal(fake_register(f, 0x2102), 3);
    assert_int_equal(fake_register(f, 0x1C4), 2);
}

static void the_ring_can_be_replaced(void **state)
{
    fake *f = *state;
    FAKE_PUT(f, XENOS_TYPE0(0x2100, 1), 1);
    fake_kick(f);
    assert_int_equal(f->ops->ring(f->gpu, 0x80000, 4), WEFT_OK);
    assert_int_equal(f->pending_count, 0);
    assert_int_equal(fake_register(f, 0x1C4), 0);
    fake_poke(f, 0x80000, XENOS_TYPE0(0x2101, 1));
    fake_poke(f, 0x80004, 8);
    f->ops->register_write(f->gpu, 0x714, 2, f->now);
    fake_settle(f, 100);
    assert_int_equal(fake_register(f, 0x2100), 0);
    assert_int_equal(fake_register(f, 0x2101), 8);
}

static void a_ring_outside_memory_is_refused(void **state)
{
    fake *f = *state;
    assert_int_equal(f->ops->ring(f->gpu, FAKE_MEMORY - 64, 4), WEFT_E_INVALID);
    assert_int_equal(f->ops->ring(f->gpu, 0, 40), WEFT_E_INVALID);
    assert_int_equal(f->fails, 2);
    FAKE_RUN(f, XENOS_TYPE0(0x2100, 1), 1); /* the old one goes on */
    assert_int_equal(fake_register(f, 0x2100), 1);
}

static void a_second_attach_is_refused(void **state)
{
    fake *f = *state;
    const weft_gpu_host calls = {.size = sizeof calls};
    assert_int_equal(f->ops->attach(f->gpu, &calls), WEFT_E_STATE);
}

static void a_packet_waits_for_its_last_dword(void **state)
{
    fake *f = *state;
    FAKE_RUN(f, XENOS_TYPE0(0x2100, 2), 1);
    assert_int_equal(fake_register(f, 0x2100), 0);
    assert_int_equal(f->pending_count, 0);
    FAKE_RUN(f, 2);
    assert_int_equal(fake_register(f, 0x2101), 2);
}

static void commands_behind_the_write_pointer_stay(void **state)
{
    fake *f = *state;
    FAKE_PUT(f, XENOS_TYPE0(0x2100, 1), 1);
    fake_kick(f);
    FAKE_PUT(f, XENOS_TYPE0(0x2101, 1), 2); /* not announced */
    fake_settle(f, 100);
    assert_int_equal(fake_register(f, 0x2101), 0);
}

/* LESSONS 67: until the write pointer, not a number of packets. */
static void a_full_ring_is_drained(void **state)
{
    fake *f = *state;
    pad_to(f, RING_DWORDS - 3);
    FAKE_PUT(f, XENOS_TYPE0(0x2100, 1), 5);
    fake_kick(f);
    assert_true(fake_settle(f, 10000));
    assert_int_equal(fake_register(f, 0x2100), 5);
    assert_int_equal(fake_stats(f).packets, RING_DWORDS - 3 + 1);
}

/* ---- read pointer ---- */

static void the_read_pointer_is_mirrored_when_the_ring_is_empty(void **state)
{
    fake *f = *state;
    f->ops->read_pointer_write_back(f->gpu, 0x4000, 6);
    FAKE_RUN(f, XENOS_TYPE0(0x2100, 1), 1);
    assert_int_equal(fake_peek(f, 0x4000), 2); /* big-endian */
}

/* Blocks of 1 << 6 dwords: with packets that each take a firing (waits that hold at once), the
 * mirror moves only after 64 dwords, or at the end. */
static void the_read_pointer_is_mirrored_by_blocks(void **state)
{
    fake *f = *state;
    f->ops->read_pointer_write_back(f->gpu, 0x4000, 6);
    for (uint32_t i = 0; i < 15; i++) {
        FAKE_PUT(f, T3(WAIT_REG_MEM, 5), 7, 0x2100, 0, 0, 0); /* 6 dwords, "always" */
    }
    fake_kick(f);
    while (fake_register(f, 0x1C4) < 60) {
        fake_settle(f, 1);
        assert_int_equal(fake_peek(f, 0x4000), 0);
    }
    fake_settle(f, 1);
    assert_int_equal(fake_register(f, 0x1C4), 66);
    assert_int_equal(fake_peek(f, 0x4000), 66);
    fake_settle(f, 1);
    assert_int_equal(fake_register(f, 0x1C4), 72);
    assert_int_equal(fake_peek(f, 0x4000), 66);
    fake_settle(f, 100);
    assert_int_equal(fake_peek(f, 0x4000), 90);
}

/* A block of 4 dwords is full with the second of two packets of 2. */
static void a_full_block_is_enough(void **state)
{
    fake *f = *state;
    f->ops->read_pointer_write_back(f->gpu, 0x4000, 2);
    FAKE_PUT(f, T3(INTERRUPT, 1), 1, T3(INTERRUPT, 1), 1, T3(INTERRUPT, 1), 1);
    fake_kick(f);
    fake_settle(f, 2);
    assert_int_equal(fake_peek(f, 0x4000), 0);
    fake_settle(f, 1);
    assert_int_equal(fake_peek(f, 0x4000), 4);
}

static void the_mirror_can_be_ended(void **state)
{
    fake *f = *state;
    f->ops->read_pointer_write_back(f->gpu, 0x4000, 0);
    f->ops->read_pointer_write_back(f->gpu, 0, 0);
    FAKE_RUN(f, XENOS_TYPE0(0x2100, 1), 1);
    assert_int_equal(f->written_calls, 0);
}

/* ---- indirect buffers ---- */

static void poke_all(fake *f, uint32_t address, const uint32_t *dwords, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        fake_poke(f, address + i * 4, dwords[i]);
    }
}
#define POKE(f, address, ...)                                                                      \
    do {                                                                                           \
        const uint32_t poke_[] = {__VA_ARGS__};                                                    \
        poke_all(f, address, poke_, sizeof poke_ / sizeof poke_[0]);                               \
    } while (0)

/* libxenon, Xe_pRBKickSegment: 0xC0013F00 {address, dwords}. */
static void an_indirect_buffer_is_read_and_left(void **state)
{
    fake *f = *state;
    POKE(f, 0x4000, XENOS_TYPE0(0x2100, 1), 1, XENOS_TYPE0(0x2101, 1), 2);
    FAKE_RUN(f, 0xC0013F00, 0x4000, 4, XENOS_TYPE0(0x2102, 1), 3);
    assert_int_equal(fake_register(f, 0x2100), 1);
    assert_int_equal(fake_register(f, 0x2101), 2);
    assert_int_equal(fake_register(f, 0x2102), 3);
}

/* Order across levels: each writes the same register to memory before the next changes it. */
static void nested_buffers_return_to_where_they_were_called(void **state)
{
    fake *f = *state;
    POKE(f, 0x5000, XENOS_TYPE0(0x2100, 1), 2, T3(REG_TO_MEM, 2), 0x2100, 0x6004 | 2);
    POKE(f, 0x4000, XENOS_TYPE0(0x2100, 1), 1, T3(REG_TO_MEM, 2), 0x2100, 0x6000 | 2,
         T3(INDIRECT_BUFFER_PFD, 2), 0x5000, 5, XENOS_TYPE0(0x2100, 1), 3, T3(REG_TO_MEM, 2),
         0x2100, 0x6008 | 2);
    FAKE_RUN(f, T3(INDIRECT_BUFFER, 2), 0x4000, 13, XENOS_TYPE0(0x2100, 1), 4, T3(REG_TO_MEM, 2),
             0x2100, 0x600C | 2);
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(fake_peek(f, 0x6000 + i * 4), i + 1);
    }
}

/* A buffer that ends in a call, at every level: all must be left (LESSONS 63). */
static void buffers_that_end_in_a_call_are_popped(void **state)
{
    fake *f = *state;
    POKE(f, 0x6000, XENOS_TYPE0(0x2100, 1), 1);
    POKE(f, 0x5000, T3(INDIRECT_BUFFER, 2), 0x6000, 2);
    POKE(f, 0x4000, T3(INDIRECT_BUFFER, 2), 0x5000, 3);
    for (uint32_t i = 0; i < 20; i++) {
        FAKE_RUN(f, T3(INDIRECT_BUFFER, 2), 0x4000, 3);
    }
    assert_int_equal(f->logs, 0);
    assert_int_equal(fake_stats(f).packets, 80);
}

static void an_empty_buffer_is_nothing(void **state)
{
    fake *f = *state;
    FAKE_RUN(f, T3(INDIRECT_BUFFER, 2), 0x4000, 0, XENOS_TYPE0(0x2100, 1), 1);
    assert_int_equal(fake_register(f, 0x2100), 1);
}

/* A buffer that calls itself first and then sets a register ends at the limit. */
static void endless_nesting_ends(void **state)
{
    fake *f = *state;
    POKE(f, 0x4000, T3(INDIRECT_BUFFER, 2), 0x4000, 5, XENOS_TYPE0(0x2100, 1), 1);
    FAKE_PUT(f, T3(INDIRECT_BUFFER, 2), 0x4000, 5, XENOS_TYPE0(0x2101, 1), 2);
    fake_kick(f);
    assert_true(fake_settle(f, 10000));
    assert_int_equal(f->logs, 1);
    assert_int_equal(fake_register(f, 0x2100), 1);
    assert_int_equal(fake_register(f, 0x2101), 2);
}

static void a_buffer_outside_memory_is_skipped(void **state)
{
    fake *f = *state;
    FAKE_RUN(f, T3(INDIRECT_BUFFER, 2), FAKE_MEMORY - 8, 3, XENOS_TYPE0(0x2100, 1), 1);
    assert_int_equal(f->logs, 1);
    assert_int_equal(fake_register(f, 0x2100), 1);
}

static void a_packet_longer_than_its_buffer_ends_it(void **state)
{
    fake *f = *state;
    POKE(f, 0x4000, XENOS_TYPE0(0x2100, 1), 1, XENOS_TYPE0(0x2101, 100), 2);
    FAKE_RUN(f, T3(INDIRECT_BUFFER, 2), 0x4000, 4, XENOS_TYPE0(0x2102, 1), 3);
    assert_int_equal(fake_register(f, 0x2100), 1);
    assert_int_equal(fake_register(f, 0x2101), 0);
    assert_int_equal(fake_register(f, 0x2102), 3);
    assert_int_equal(f->logs, 1);
}

/* ---- waits ---- */

static void a_wait_for_memory_ends_when_the_cpu_writes_it(void **state)
{
    fake *f = *state;
    FAKE_PUT(f, T3(WAIT_REG_MEM, 5), 0x13, 0x4000 | 2, 1, 0xFFFFFFFF, 0x100, XENOS_TYPE0(0x2100, 1),
             1);
    fake_kick(f);
    fake_until(f, 1000000);
    assert_int_equal(fake_register(f, 0x2100), 0);
    assert_int_equal(f->pending_count, 1);
    fake_poke(f, 0x4000, 1);
    fake_until(f, 1020000);
    assert_int_equal(fake_register(f, 0x2100), 1);
}

/* Kicked at 0, first look at 20 (packet_cost), then every 10000 ticks, and not more often. */
static void a_wait_looks_every_poll_interval(void **state)
{
    fake *f = *state;
    FAKE_PUT(f, T3(WAIT_REG_MEM, 5), 0x13, 0x4000 | 2, 1, 0xFFFFFFFF, 0x100);
    fake_kick(f);
    fake_until(f, 100019);
    assert_int_equal(f->fired, 10);
    fake_until(f, 100020);
    assert_int_equal(f->fired, 11);
    assert_int_equal(f->pending[0].tick, 110020);
}

/* The value is compared in the byte order of the address: 0x01000000 in memory is 1 without a swap.
 */
static void a_wait_honours_the_byte_order(void **state)
{
    fake *f = *state;
    fake_poke(f, 0x4000, 0x01000000);
    FAKE_RUN(f, T3(WAIT_REG_MEM, 5), 0x13, 0x4000 | 0, 1, 0xFFFFFFFF, 0, XENOS_TYPE0(0x2100, 1), 1);
    assert_int_equal(fake_register(f, 0x2100), 1);
}

static void a_wait_for_a_register_ends_when_the_cpu_writes_it(void **state)
{
    fake *f = *state;
    FAKE_PUT(f, T3(WAIT_REG_MEM, 5), 0x3, 0x57A, 0x40, 0xF0, 0, XENOS_TYPE0(0x2100, 1), 1);
    fake_kick(f);
    fake_until(f, 50000);
    f->ops->register_write(f->gpu, 0x57A * 4, 0x1234, f->now);
    fake_until(f, 100000);
    assert_int_equal(fake_register(f, 0x2100), 0);
    f->ops->register_write(f->gpu, 0x57A * 4, 0x1244, f->now);
    assert_true(fake_settle(f, 100));
    assert_int_equal(fake_register(f, 0x2100), 1);
}

/* libxenon, Xe_pInvalidateGpuCache_Primary: status, {size, base}, wait for bit 31 of 0xA31 to fall.
 */
static void the_coherency_wait_completes(void **state)
{
    fake *f = *state;
    FAKE_PUT(f, 0x00000A31, 0x01000000, 0x00010A2F, 0x2000, 0x4000, 0xC0043C00, 3, 0xA31, 0,
             0x80000000, 8, XENOS_TYPE0(0x2100, 1), 1);
    fake_kick(f);
    assert_true(fake_settle(f, 10));
    assert_int_equal(fake_register(f, 0x2100), 1);
    assert_int_equal(fake_register(f, 0xA2F), 0x2000);
    assert_int_equal(fake_register(f, 0xA31), 0); /* the request is taken, as a whole */
}

/* Mesa, freedreno a2xx: WAIT_REG_EQ {RBBM_STATUS, 0, 0x1000, 1}: the engines are idle. */
static void waits_for_an_idle_engine_hold(void **state)
{
    fake *f = *state;
    FAKE_PUT(f, T3(WAIT_REG_EQ, 4), 0x5D0, 0, 0x1000, 1, T3(WAIT_REG_GTE, 4), 0x5D0, 1, 0x1F, 1,
             T3(WAIT_FOR_IDLE, 1), 0, XENOS_TYPE0(0x2100, 1), 1);
    fake_kick(f);
    assert_true(fake_settle(f, 10));
    assert_int_equal(fake_register(f, 0x2100), 1);
}

static void a_wait_for_memory_that_does_not_exist_is_no_wait(void **state)
{
    fake *f = *state;
    FAKE_PUT(f, T3(WAIT_REG_MEM, 5), 0x13, FAKE_MEMORY | 2, 1, 0xFFFFFFFF, 0,
             XENOS_TYPE0(0x2100, 1), 1);
    fake_kick(f);
    assert_true(fake_settle(f, 10));
    assert_int_equal(f->logs, 1);
    assert_int_equal(fake_register(f, 0x2100), 1);
}

/* ---- interrupts ---- */

/* Source 1, one call with the packet's mask (LESSONS 27), at the packet's tick. */
static void an_interrupt_reaches_the_mask(void **state)
{
    fake *f = *state;
    FAKE_RUN(f, T3(INTERRUPT, 1), 0x24);
    assert_int_equal(f->interrupt_count, 1);
    assert_int_equal(f->interrupts[0].source, 1);
    assert_int_equal(f->interrupts[0].mask, 0x24);
    assert_int_equal(f->interrupts[0].tick, 20);
}

static void an_interrupt_for_nobody_is_none(void **state)
{
    fake *f = *state;
    FAKE_RUN(f, T3(INTERRUPT, 1), 0xFFFFFFC0);
    assert_int_equal(f->interrupt_count, 0);
}

/* ---- scratch registers (LESSONS 64) ---- */

static void scratch_registers_are_mirrored_where_the_mask_says(void **state)
{
    fake *f = *state;
    FAKE_RUN(f, XENOS_TYPE0(0x1DC, 2), 0x05, 0x4000, XENOS_TYPE0(0x578, 4), 1, 2, 3, 4);
    assert_int_equal(fake_peek(f, 0x4000), 1);
    assert_int_equal(fake_peek(f, 0x4004), 0);
    assert_int_equal(fake_peek(f, 0x4008), 3);
    assert_int_equal(fake_peek(f, 0x400C), 0);
    assert_int_equal(fake_register(f, 0x579), 2);
}

static void scratch_mirrors_also_what_the_cpu_writes(void **state)
{
    fake *f = *state;
    f->ops->register_write(f->gpu, 0x1DC * 4, 0x80, 0);
    f->ops->register_write(f->gpu, 0x1DD * 4, 0x4000, 0);
    f->ops->register_write(f->gpu, 0x57F * 4, 0xCAFE, 0);
    assert_int_equal(fake_peek(f, 0x401C), 0xCAFE);
}

/* ---- time ---- */

/* Three type-0 packets of 3 dwords cost 3 * (20 + 6) = 78; the fence runs when they are over. */
static void a_visible_packet_runs_at_its_own_tick(void **state)
{
    fake *f = *state;
    FAKE_PUT(f, XENOS_TYPE0(0x2100, 2), 1, 2, XENOS_TYPE0(0x2100, 2), 1, 2, XENOS_TYPE0(0x2100, 2),
             1, 2, T3(INTERRUPT, 1), 1);
    fake_kick(f);
    fake_until(f, 20 + 77);
    assert_int_equal(f->interrupt_count, 0);
    fake_until(f, 20 + 78);
    assert_int_equal(f->interrupt_count, 1);
    assert_int_equal(f->interrupts[0].tick, 98);
}

/* The read pointer moves when the time of the packets is over: 20 + 2 * 2 ticks after tick 20. */
static void the_read_pointer_moves_after_the_cost(void **state)
{
    fake *f = *state;
    FAKE_PUT(f, XENOS_TYPE0(0x2100, 1), 1);
    fake_kick(f);
    fake_until(f, 43);
    assert_int_equal(fake_register(f, 0x1C4), 0);
    fake_until(f, 44);
    assert_int_equal(fake_register(f, 0x1C4), 2);
}

/* Ten draws: 10 * (20 + 2 * 2 + 500) = 5240 ticks before the interrupt. */
static void draws_take_longer(void **state)
{
    fake *f = *state;
    for (uint32_t i = 0; i < 10; i++) {
        FAKE_PUT(f, T3(DRAW_INDX_2, 1), 0x00010081);
    }
    FAKE_RUN(f, T3(INTERRUPT, 1), 1);
    assert_int_equal(f->interrupts[0].tick, 20 + 5240);
}

/* A batch ends at 5000 ticks: 228 type-2 packets of 22 ticks; 1000 of them take 5 firings and one
 * to publish the read pointer. */
static void batches_bound_the_work_of_a_firing(void **state)
{
    fake *f = *state;
    pad_to(f, 1000);
    fake_kick(f);
    assert_true(fake_settle(f, 100));
    assert_int_equal(f->fired, 6);
    assert_int_equal(f->now, 20 + 1000 * 22);
}

/* Nothing starts before what ran before it, wherever a lagging hardware thread stands. */
static void a_late_kick_starts_after_the_latest_firing(void **state)
{
    fake *f = *state;
    f->now = 1000;
    FAKE_RUN(f, T3(INTERRUPT, 1), 1);
    uint64_t end = f->now;
    FAKE_PUT(f, T3(INTERRUPT, 1), 1);
    f->ops->register_write(f->gpu, 0x714, f->put, 900);
    fake_settle(f, 10);
    assert_int_equal(f->interrupts[1].tick, end + 20);
}

/* ---- the CPU's view ---- */

/* xenia graphics_system.cc, ReadRegister; LESSONS 66. */
static void constants_that_the_driver_reads(void **state)
{
    fake *f = *state;
    assert_int_equal(fake_register(f, 0x0F00), 0x08100748);
    assert_int_equal(fake_register(f, 0x0F01), 0x0000200E);
    assert_int_equal(fake_register(f, 0x1951), 1);
    assert_int_equal(fake_register(f, 0x1961), 0x050002D0);
}

/* 750 lines at 60 Hz (CEA-861): blank number k begins at floor(k * 1e9 / 60) with line 720; the
 * picture begins 30 lines later, at 30/750 of 16.67 ms = 666666.7 ns. */
static void the_scan_line_follows_guest_time(void **state)
{
    fake *f = *state;
    static const struct {
        uint64_t tick;
        uint32_t line;
    } rows[] = {{0, 720},
                {16666666, 720},
                {33333333, 720},
                {1000000000, 720},
                {16666665, 719},
                {666666, 0},
                {666665, 749},
                {666666 + 22223, 1},
                {8333333, 345},
                {50000000, 720},
                {UINT64_C(3600000000000), 720}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(f->ops->register_read(f->gpu, 0x194C * 4, rows[i].tick), rows[i].line);
    }
}

/* libxenon, Xe_pWaitReady and Xe_pWaitReady2: bit 31 falls, bit 18 stands. */
static void status_is_busy_while_packets_run_and_idle_after(void **state)
{
    fake *f = *state;
    assert_int_equal(fake_register(f, 0x5D0) >> 31, 0);
    assert_true(fake_register(f, 0x5D0) & 0x00040000);
    FAKE_PUT(f, XENOS_TYPE0(0x2100, 1), 1);
    fake_kick(f);
    assert_int_equal(fake_register(f, 0x5D0) >> 31, 1);
    fake_settle(f, 10);
    assert_int_equal(fake_register(f, 0x5D0) >> 31, 0);
    assert_int_equal(fake_register(f, 0x47F), 0);
}

static void the_read_pointer_cannot_be_written(void **state)
{
    fake *f = *state;
    f->ops->register_write(f->gpu, 0x710, 55, 0);
    assert_int_equal(fake_register(f, 0x1C4), 0);
}

/* LESSONS 62: the write pointer belongs to the primary ring; a packet cannot start anything. */
static void a_packet_cannot_move_the_write_pointer(void **state)
{
    fake *f = *state;
    FAKE_RUN(f, XENOS_TYPE0(0x1C5, 1), 500);
    assert_int_equal(fake_stats(f).packets, 1);
    assert_int_equal(fake_register(f, 0x1C4), 2);
}

static void registers_keep_what_the_cpu_writes(void **state)
{
    fake *f = *state;
    f->ops->register_write(f->gpu, 0x6110, 0x1F000000, 0); /* D1GRPH_PRIMARY_SURFACE_ADDRESS */
    assert_int_equal(f->ops->register_read(f->gpu, 0x6110, 0), 0x1F000000);
    assert_int_equal(fake_register(f, 0x1844), 0x1F000000);
}

static void the_digest_sees_state_and_nothing_else(void **state)
{
    fake *f = *state;
    fake *g = fake_new();
    assert_true(f->ops->digest(f->gpu) == g->ops->digest(g->gpu));
    FAKE_RUN(f, XENOS_TYPE0(0x2100, 1), 1);
    assert_true(f->ops->digest(f->gpu) != g->ops->digest(g->gpu));
    g->now = 5000000; /* the same later is the same */
    FAKE_RUN(g, XENOS_TYPE0(0x2100, 1), 1);
    assert_true(f->ops->digest(f->gpu) == g->ops->digest(g->gpu));
    fake_delete(g);
}

/* ---- hostile streams ---- */

static void a_packet_longer_than_the_ring_is_dropped(void **state)
{
    fake *f = *state;
    FAKE_RUN(f, XENOS_TYPE3(0x10, 0x4000), 1, 2, 3);
    assert_int_equal(f->pending_count, 0);
    assert_int_equal(fake_register(f, 0x1C4), 4);
    assert_int_equal(f->logs, 1);
    FAKE_RUN(f, XENOS_TYPE0(0x2100, 1), 6);
    assert_int_equal(fake_register(f, 0x2100), 6);
}

static void a_wild_write_pointer_stays_in_the_ring(void **state)
{
    fake *f = *state;
    f->ops->register_write(f->gpu, 0x714, 0xFFFFFFFF, 0);
    assert_true(fake_settle(f, 1000));
    assert_int_equal(fake_register(f, 0x1C4), RING_DWORDS - 1);
    assert_int_equal(f->logs, 1);
}

static void memory_beyond_the_end_is_not_written(void **state)
{
    fake *f = *state;
    FAKE_RUN(f, T3(MEM_WRITE, 3), (FAKE_MEMORY - 4) | 2, 7, 8, T3(EVENT_WRITE_SHD, 3), 0,
             0x1FFFFFFC, 1, XENOS_TYPE0(0x1DC, 2), 0xFF, 0x1FFFFFF0, XENOS_TYPE0(0x578, 1), 5);
    assert_int_equal(fake_peek(f, FAKE_MEMORY - 4), 7);
    assert_int_equal(f->written_calls, 1);
    assert_int_equal(f->logs, 1);
}

static void registers_beyond_the_end_are_not_written(void **state)
{
    fake *f = *state;
    FAKE_RUN(f, XENOS_TYPE0(0x7FFF, 2), 1, 2, T3(SET_CONSTANT2, 2), 0xFFFF, 3, T3(REG_TO_MEM, 2),
             0x12345678, 0x4000 | 2);
    assert_int_equal(f->logs, 1);
}

static void shaders_that_do_not_fit_are_refused(void **state)
{
    fake *f = *state;
    FAKE_RUN(f, T3(IM_LOAD, 2), (FAKE_MEMORY - 16) | 1, 0xFFFF, T3(IM_LOAD_IMMEDIATE, 3), 0, 0xFFFF,
             1, T3(IM_LOAD_IMMEDIATE, 2), 7, 0, T3(IM_LOAD, 2), 0x4003, 4);
    assert_int_equal(f->logs, 1);
}

static void constants_of_no_space_are_refused(void **state)
{
    fake *f = *state;
    FAKE_RUN(f, T3(SET_CONSTANT, 2), 0x00050000, 1, T3(LOAD_ALU_CONSTANT, 3), 0x4000, 0x00FF0000, 4,
             T3(LOAD_ALU_CONSTANT, 3), FAKE_MEMORY - 4, 0x00040100, 4);
    assert_int_equal(f->logs, 2);
}

static void without_a_ring_the_write_pointer_is_only_kept(void **state)
{
    xenos_cp *cp = calloc(1, sizeof *cp);
    fake *f = *state;
    const xenos_costs costs = {
        .packet = 20, .dword = 2, .draw = 500, .vertex = 0, .poll = 10000, .batch = 5000};
    xenos_cp_init(cp, &f->host, &costs, xenos_drawing_new(&f->host, cp, "null", 1));
    xenos_mmio_write(cp, 0x714, 8, 0);
    assert_true(cp->armed == WEFT_TICK_NEVER);
    assert_int_equal(xenos_mmio_read(cp, 0x714, 0), 8);
    xenos_cp_end(cp);
    free(cp);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAKE_TEST(nothing_runs_before_the_write_pointer_moves),
        FAKE_TEST(packets_wrap_around_the_end),
        FAKE_TEST(the_ring_can_be_replaced),
        FAKE_TEST(a_ring_outside_memory_is_refused),
        FAKE_TEST(a_second_attach_is_refused),
        FAKE_TEST(a_packet_waits_for_its_last_dword),
        FAKE_TEST(commands_behind_the_write_pointer_stay),
        FAKE_TEST(a_full_ring_is_drained),
        FAKE_TEST(the_read_pointer_is_mirrored_when_the_ring_is_empty),
        FAKE_TEST(the_read_pointer_is_mirrored_by_blocks),
        FAKE_TEST(a_full_block_is_enough),
        FAKE_TEST(the_mirror_can_be_ended),
        FAKE_TEST(an_indirect_buffer_is_read_and_left),
        FAKE_TEST(nested_buffers_return_to_where_they_were_called),
        FAKE_TEST(buffers_that_end_in_a_call_are_popped),
        FAKE_TEST(an_empty_buffer_is_nothing),
        FAKE_TEST(endless_nesting_ends),
        FAKE_TEST(a_buffer_outside_memory_is_skipped),
        FAKE_TEST(a_packet_longer_than_its_buffer_ends_it),
        FAKE_TEST(a_wait_for_memory_ends_when_the_cpu_writes_it),
        FAKE_TEST(a_wait_looks_every_poll_interval),
        FAKE_TEST(a_wait_honours_the_byte_order),
        FAKE_TEST(a_wait_for_a_register_ends_when_the_cpu_writes_it),
        FAKE_TEST(the_coherency_wait_completes),
        FAKE_TEST(waits_for_an_idle_engine_hold),
        FAKE_TEST(a_wait_for_memory_that_does_not_exist_is_no_wait),
        FAKE_TEST(an_interrupt_reaches_the_mask),
        FAKE_TEST(an_interrupt_for_nobody_is_none),
        FAKE_TEST(scratch_registers_are_mirrored_where_the_mask_says),
        FAKE_TEST(scratch_mirrors_also_what_the_cpu_writes),
        FAKE_TEST(a_visible_packet_runs_at_its_own_tick),
        FAKE_TEST(the_read_pointer_moves_after_the_cost),
        FAKE_TEST(draws_take_longer),
        FAKE_TEST(batches_bound_the_work_of_a_firing),
        FAKE_TEST(a_late_kick_starts_after_the_latest_firing),
        FAKE_TEST(constants_that_the_driver_reads),
        FAKE_TEST(the_scan_line_follows_guest_time),
        FAKE_TEST(status_is_busy_while_packets_run_and_idle_after),
        FAKE_TEST(the_read_pointer_cannot_be_written),
        FAKE_TEST(a_packet_cannot_move_the_write_pointer),
        FAKE_TEST(registers_keep_what_the_cpu_writes),
        FAKE_TEST(the_digest_sees_state_and_nothing_else),
        FAKE_TEST(a_packet_longer_than_the_ring_is_dropped),
        FAKE_TEST(a_wild_write_pointer_stays_in_the_ring),
        FAKE_TEST(memory_beyond_the_end_is_not_written),
        FAKE_TEST(registers_beyond_the_end_are_not_written),
        FAKE_TEST(shaders_that_do_not_fit_are_refused),
        FAKE_TEST(constants_of_no_space_are_refused),
        FAKE_TEST(without_a_ring_the_write_pointer_is_only_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
