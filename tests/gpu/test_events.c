/* What the command processor leaves in the trace. Ticks are sums of the costs that fake.h names: the
 * first packet runs 20 after the write pointer moved, each costs 20 and 2 for each of its dwords, a
 * draw 500 more. Fields: VGT_DRAW_INITIATOR 31:16 is the number of indices, 7:6 their source (0
 * memory, 2 counted); RB_MODECONTROL 2:0 is 6 for a copy (xenia src/xenia/gpu/registers.h, xenos.h).
 */
#include <string.h>

#include "test.h"

#define T3(opcode, count) XENOS_TYPE3(XENOS_PM4_##opcode, count)
#define RECT_FROM_MEMORY  (UINT32_C(3) << 16 | 8) /* three indices, rectangles, source 0 */
#define COUNTED           (UINT32_C(6) << 16 | 2 << 6 | 4)

static uint64_t gpu_identity(void)
{
    return weft_fnv1a("source:gpu", 10);
}

/* An event of the GPU: kind, tick, and `count` words of payload. */
static void check(const fake_event *event, uint16_t kind, uint64_t tick, uint32_t count, ...)
{
    assert_int_equal(event->head.kind, kind);
    assert_int_equal(event->head.tick, tick);
    assert_true(event->head.thread == gpu_identity());
    assert_int_equal(event->head.hw, WEFT_HW_NONE);
    assert_int_equal(event->head.tid, 0);
    assert_int_equal(event->head.size, sizeof event->head + 8 * count);
    va_list list;
    va_start(list, count);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t expected = va_arg(list, uint32_t);
        assert_true(event->words[i] == expected);
    }
    va_end(list);
}

static void each_draw_is_told_at_its_time(void **state)
{
    fake *f = *state;
    FAKE_RUN(f, T3(DRAW_INDX, 4), 0, RECT_FROM_MEMORY, 0x40123456, 3, T3(DRAW_INDX_2, 1), COUNTED);
    assert_int_equal(f->emitted, 2);
    check(&f->kept[0], WEFT_EVENT_GPU_DRAW, 20, 4, 0, RECT_FROM_MEMORY, 3, 0x00123456);
    check(&f->kept[1], WEFT_EVENT_GPU_DRAW, 20 + 20 + 5 * 2 + 500, 4, 1, COUNTED, 6, 0);
    assert_int_equal(fake_stats(f).draws, 2);
}

/* A source that does not exist, and indices from memory that the packet does not name: neither is
 * drawn, counted or told. */
static void what_is_no_draw_is_not_told(void **state)
{
    fake *f = *state;
    FAKE_RUN(f, T3(DRAW_INDX_2, 1), 0xC4, T3(DRAW_INDX, 2), 0, RECT_FROM_MEMORY);
    assert_int_equal(f->emitted, 0);
    assert_int_equal(fake_stats(f).draws, 0);
}

static void copy_registers(fake *f, uint32_t select)
{
    FAKE_PUT(f, XENOS_TYPE0(0x2001, 4), 0x11110001, 0x22220002, 0x33330003, 0x44440004,
             XENOS_TYPE0(0x2208, 1), 6, XENOS_TYPE0(0x2318, 4), 0x00100000 | select, 0x1EC30000,
             720 << 16 | 1280, 0x01000303);
}

/* Each resolve is also the draw that makes it; the source is the colour or depth target's register.
 */
static void a_draw_in_copy_mode_is_a_resolve(void **state)
{
    static const struct {
        uint32_t select, source;
    } rows[] = {{0, 0x11110001}, {1, 0x33330003}, {2, 0x44440004}, {4, 0x22220002}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        fake *f = fake_new();
        copy_registers(f, rows[i].select);
        FAKE_RUN(f, T3(DRAW_INDX_2, 1), COUNTED);
        /* type 0 packets of 5, 2 and 5 dwords come first */
        uint64_t tick = 20 + 3 * 20 + 12 * 2;
        assert_int_equal(f->emitted, 2);
        check(&f->kept[0], WEFT_EVENT_GPU_DRAW, tick, 4, 0, COUNTED, 6, 0);
        check(&f->kept[1], WEFT_EVENT_GPU_RESOLVE, tick, 5, 0x00100000 | rows[i].select,
              rows[i].source, 0x1EC30000, 720 << 16 | 1280, 0x01000303);
        fake_delete(f);
    }
}

static void another_mode_resolves_nothing(void **state)
{
    fake *f = *state;
    copy_registers(f, 0);
    FAKE_RUN(f, XENOS_TYPE0(0x2208, 1), 4, T3(DRAW_INDX_2, 1), COUNTED);
    assert_int_equal(f->emitted, 1);
    assert_int_equal(f->kept[0].head.kind, WEFT_EVENT_GPU_DRAW);
}

/* It runs at the very tick to which the packets before it add up, whose batch ended. */
static void an_interrupt_packet_is_told_with_its_mask(void **state)
{
    fake *f = *state;
    FAKE_RUN(f, T3(NOP, 1), 0, T3(INTERRUPT, 1), 0x14);
    assert_int_equal(f->emitted, 1);
    check(&f->kept[0], WEFT_EVENT_GPU_INTERRUPT, 20 + 24, 1, 0x14);
    assert_int_equal(f->interrupt_count, 1);
    assert_int_equal(f->interrupts[0].tick, 20 + 24);
}

static void an_interrupt_for_nobody_is_not_told(void **state)
{
    fake *f = *state;
    FAKE_RUN(f, T3(INTERRUPT, 1), 0xC0);
    assert_int_equal(f->emitted, 0);
}

static void want_packets(fake *f)
{
    f->wanted[WEFT_EVENT_GPU_PACKET / 64] = UINT64_C(1) << WEFT_EVENT_GPU_PACKET % 64;
}

static void packets_are_told_to_who_asks(void **state)
{
    fake *f = *state;
    want_packets(f);
    FAKE_RUN(f, XENOS_TYPE0(0x2208, 2), 4, 5, XENOS_TYPE2, T3(NOP, 1), 7);
    assert_int_equal(f->emitted, 3);
    check(&f->kept[0], WEFT_EVENT_GPU_PACKET, 20, 4, FAKE_RING, XENOS_TYPE0(0x2208, 2), 0, 2);
    check(&f->kept[1], WEFT_EVENT_GPU_PACKET, 20 + 26, 4, FAKE_RING + 12, XENOS_TYPE2, 0, 0);
    check(&f->kept[2], WEFT_EVENT_GPU_PACKET, 20 + 26 + 22, 4, FAKE_RING + 16, T3(NOP, 1), 0x10, 1);
}

static void packets_of_indirect_buffers_lie_there(void **state)
{
    fake *f = *state;
    want_packets(f);
    fake_poke(f, 0x40000, T3(NOP, 1));
    fake_poke(f, 0x40004, 9);
    FAKE_RUN(f, T3(INDIRECT_BUFFER, 2), 0x40000, 2);
    assert_int_equal(f->emitted, 2);
    check(&f->kept[0], WEFT_EVENT_GPU_PACKET, 20, 4, FAKE_RING, T3(INDIRECT_BUFFER, 2), 0x3F, 2);
    check(&f->kept[1], WEFT_EVENT_GPU_PACKET, 20 + 26, 4, 0x40000, T3(NOP, 1), 0x10, 1);
}

/* Looked at again and again, taken once. */
static void a_packet_that_waits_is_told_once(void **state)
{
    fake *f = *state;
    want_packets(f);
    FAKE_PUT(f, T3(WAIT_REG_MEM, 5), 0x13, 0x50002, 1, 0xFFFFFFFF, 0, T3(NOP, 1), 0);
    fake_kick(f);
    fake_until(f, 100000);
    assert_int_equal(f->emitted, 1);
    fake_poke(f, 0x50000, 1);
    assert_true(fake_settle(f, 1000));
    assert_int_equal(f->emitted, 2);
    assert_int_equal(f->kept[1].words[2], 0x10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAKE_TEST(each_draw_is_told_at_its_time),
        FAKE_TEST(what_is_no_draw_is_not_told),
        cmocka_unit_test(a_draw_in_copy_mode_is_a_resolve),
        FAKE_TEST(another_mode_resolves_nothing),
        FAKE_TEST(an_interrupt_packet_is_told_with_its_mask),
        FAKE_TEST(an_interrupt_for_nobody_is_not_told),
        FAKE_TEST(packets_are_told_to_who_asks),
        FAKE_TEST(packets_of_indirect_buffers_lie_there),
        FAKE_TEST(a_packet_that_waits_is_told_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
