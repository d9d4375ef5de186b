/* From VdSwap's slot to the frame (swap.h). */
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "test.h"
#include "tiling.h"

#define FRONT        0x100000u
#define SWIZZLE_ARGB (2u | 1u << 3 | 0u << 6 | 3u << 9)

/* A tiled 8_8_8_8 surface of the pitch, 8in32, red in z: what D3D's X8R8G8B8 front buffer is. */
static void swap_of(fake *f, uint32_t base, uint32_t pitch, uint32_t width, uint32_t height)
{
    const uint32_t fetch[6] = {2u | (pitch / 32) << 22 | 1u << 31,
                               6u | 2u << 6 | base,
                               (width - 1) | (height - 1) << 13,
                               SWIZZLE_ARGB << 1,
                               0,
                               1u << 9};
    uint8_t slot[XENOS_SWAP_SLOT * 4];
    xenos_swap_slot(slot, fetch, base, width, height);
    for (uint32_t i = 0; i < XENOS_SWAP_SLOT; i++) {
        FAKE_PUT(f, weft_load32(slot + i * 4));
    }
}

static void swap_now(fake *f, uint32_t base, uint32_t pitch, uint32_t width, uint32_t height)
{
    swap_of(f, base, pitch, width, height);
    fake_kick(f);
    fake_settle(f, 100);
}

/* The dwords that xenia's VdSwap writes: type 0 to 0x4800 x 6, type 3 0x64 x 4, type 2. */
static void the_slot_is_laid_out_as_documented(void **state)
{
    const uint32_t fetch[6] = {1, 2, 3, 4, 5, 6};
    uint8_t slot[256];
    xenos_swap_slot(slot, fetch, 0x1F000000, 1280, 720);
    assert_int_equal(weft_load32(slot), 0x00054800);
    assert_int_equal(weft_load32(slot + 24), 6);
    assert_int_equal(weft_load32(slot + 28), 0xC0036400);
    assert_memory_equal(slot + 32, "SWAP", 4);
    assert_int_equal(weft_load32(slot + 36), 0x1F000000);
    assert_int_equal(weft_load32(slot + 40), 1280);
    assert_int_equal(weft_load32(slot + 44), 720);
    assert_int_equal(weft_load32(slot + 48), 0x80000000);
    assert_int_equal(weft_load32(slot + 252), 0x80000000);
}

/* A picture whose pixel says its place, stored tiled as the GPU would: red x, green y, blue 7. */
static void a_tiled_picture_becomes_a_frame(void **state)
{
    fake *f = *state;
    for (uint32_t y = 0; y < 90; y++) {
        for (uint32_t x = 0; x < 160; x++) {
            fake_poke(f, FRONT + (uint32_t)xenos_tiled_offset(x, y, 192, 2),
                      0xFF000007 | x << 16 | y << 8);
        }
    }
    swap_now(f, FRONT, 192, 160, 90);
    assert_int_equal(f->presented, 1);
    assert_int_equal(f->frame.width, 160);
    assert_int_equal(f->frame.height, 90);
    assert_int_equal(f->frame.stride, 640);
    for (uint32_t y = 0; y < 90; y++) {
        for (uint32_t x = 0; x < 160; x++) {
            const uint8_t expected[4] = {(uint8_t)x, (uint8_t)y, 7, 255};
            assert_memory_equal(f->frame.pixels + y * 640 + x * 4, expected, 4);
        }
    }
    assert_int_equal(fake_stats(f).swaps, 1);
}

/* Packet 1 (type 0, 7 dwords) costs 20 + 14; the swap stands behind it: 20 + 34. */
static void the_event_names_the_frame(void **state)
{
    fake *f = *state;
    fake_poke(f, FRONT, 0xFF123456);
    swap_now(f, FRONT, 32, 8, 4);
    assert_int_equal(f->emitted, 1);
    assert_int_equal(f->event.head.kind, WEFT_EVENT_GPU_SWAP);
    assert_int_equal(f->event.head.category, WEFT_CLASS_GUEST);
    assert_int_equal(f->event.head.tick, 54);
    assert_int_equal(f->frame.tick, 54);
    assert_int_equal(f->event.words[0], 1);
    assert_int_equal(f->event.words[1], FRONT);
    assert_int_equal(f->event.words[2], 8);
    assert_int_equal(f->event.words[3], 4);
    uint8_t pixels[8 * 4 * 4] = {0};
    for (uint32_t i = 0; i < 32; i++) {
        pixels[i * 4 + 3] = 255;
    }
    memcpy(pixels, (uint8_t[]){0x12, 0x34, 0x56, 255}, 4);
    assert_true(f->event.words[4] == XXH3_64bits(pixels, sizeof pixels));
}

/* LESSONS 65. */
static void a_swap_raises_no_interrupt_and_moves_no_pointer(void **state)
{
    fake *f = *state;
    swap_now(f, FRONT, 32, 8, 4);
    assert_int_equal(f->interrupt_count, 0);
    assert_int_equal(fake_register(f, 0x1C5), 64);
    assert_int_equal(fake_register(f, 0x1C4), 64);
    assert_int_equal(f->written_calls, 0);
}

static void frames_count_up(void **state)
{
    fake *f = *state;
    for (uint32_t i = 1; i <= 20; i++) {
        swap_now(f, FRONT, 32, 8, 4);
        assert_int_equal(f->event.words[0], i);
    }
    assert_int_equal(fake_stats(f).swaps, 20);
    assert_int_equal(f->logs, 0);
}

/* The counter of EVENT_WRITE_SHD also counts swaps. */
static void swaps_advance_the_counter(void **state)
{
    fake *f = *state;
    swap_now(f, FRONT, 32, 8, 4);
    FAKE_RUN(f, XENOS_TYPE3(XENOS_PM4_EVENT_WRITE_SHD, 3), 0x80000004, 0x4000 | 2, 0);
    assert_int_equal(fake_peek(f, 0x4000), 1);
}

static void a_gamma_ramp_changes_the_frame(void **state)
{
    fake *f = *state;
    uint32_t table[256];
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t inverse = (255 - i) << 2;
        table[i] = inverse << 20 | inverse << 10 | inverse;
    }
    fake_poke(f, FRONT, 0xFF102030);
    f->ops->gamma(f->gpu, table);
    swap_now(f, FRONT, 32, 1, 1);
    assert_memory_equal(f->frame.pixels, ((uint8_t[]){0xEF, 0xDF, 0xCF, 255}), 4);
    f->ops->gamma(f->gpu, NULL);
    swap_now(f, FRONT, 32, 1, 1);
    assert_memory_equal(f->frame.pixels, ((uint8_t[]){0x10, 0x20, 0x30, 255}), 4);
}

/* A title sets its ramp through packets: index, then 30-bit entries (xenia, DC_LUT_30_COLOR). */
static void a_gamma_ramp_may_come_through_the_ring(void **state)
{
    fake *f = *state;
    fake_poke(f, FRONT, 0xFF102030);
    FAKE_RUN(f, XENOS_TYPE0(0x1922, 1), 0x10, XENOS_TYPE0(0x1925, 1), 0x3FF00000);
    assert_int_equal(fake_register(f, 0x1922), 0x11);
    swap_now(f, FRONT, 32, 1, 1);
    assert_memory_equal(f->frame.pixels, ((uint8_t[]){255, 0x20, 0x30, 255}), 4);
}

static void hostile_sizes_show_nothing(void **state)
{
    static const uint32_t sizes[][2] = {
        {0, 4},  {4, 0},    {0xFFFFFFFF, 0xFFFFFFFF}, {0x10000, 0x10000},
        {33, 4}, {8, 5000}, {0x80000000, 1}};
    fake *f = *state;
    swap_now(f, FRONT, 32, 8, 4); /* leaves a fetch constant behind */
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        FAKE_RUN(f, XENOS_TYPE3(XENOS_PM4_XE_SWAP, 4), XENOS_SWAP_SIGNATURE, FRONT, sizes[i][0],
                 sizes[i][1]);
    }
    assert_int_equal(f->presented, 1);
    assert_int_equal(f->emitted, 1);
    assert_int_equal(fake_stats(f).swaps, 1);
    assert_int_equal(f->logs, 1);
}

static void a_front_buffer_beyond_memory_shows_nothing(void **state)
{
    fake *f = *state;
    swap_now(f, FAKE_MEMORY - 4096, 64, 64, 64);
    swap_now(f, 0x1FFFF000, 64, 64, 64);
    assert_int_equal(f->presented, 0);
    assert_int_equal(f->logs, 1);
}

static void a_swap_without_signature_or_fetch_constant_shows_nothing(void **state)
{
    fake *f = *state;
    FAKE_RUN(f, XENOS_TYPE3(XENOS_PM4_XE_SWAP, 4), XENOS_SWAP_SIGNATURE, FRONT, 8, 4);
    assert_int_equal(f->presented, 0);
    FAKE_RUN(f, XENOS_TYPE3(XENOS_PM4_XE_SWAP, 4), 0x12345678, FRONT, 8, 4);
    assert_int_equal(f->presented, 0);
    assert_int_equal(f->logs, 2);
}

/* xenia command_processor.cc: predicated swaps are never valid. */
static void a_predicated_swap_is_skipped(void **state)
{
    fake *f = *state;
    swap_now(f, FRONT, 32, 8, 4);
    FAKE_RUN(f, XENOS_TYPE3(XENOS_PM4_XE_SWAP, 4) | 1, XENOS_SWAP_SIGNATURE, FRONT, 8, 4);
    assert_int_equal(f->presented, 1);
}

/* The stream of a frame as D3D and VdSwap leave it: an indirect buffer with draws, a fence and the
 * swap slot, then the interrupt that releases the title. */
static void a_frame_loop_comes_round(void **state)
{
    fake *f = *state;
    f->ops->read_pointer_write_back(f->gpu, 0x8000, 4);
    for (uint32_t frame = 1; frame <= 50; frame++) {
        FAKE_PUT(f, XENOS_TYPE0(0x2000, 2), 1280, 0, XENOS_TYPE3(XENOS_PM4_DRAW_INDX_2, 1),
                 0x00030088, XENOS_TYPE3(XENOS_PM4_EVENT_WRITE_SHD, 3), 4, 0x8010 | 2, frame);
        swap_of(f, FRONT, 32, 8, 4);
        FAKE_RUN(f, XENOS_TYPE3(XENOS_PM4_INTERRUPT, 1), 1 << 2);
        assert_int_equal(fake_peek(f, 0x8010), frame);
        assert_int_equal(fake_peek(f, 0x8000), f->put);
        assert_int_equal(f->presented, frame);
        assert_int_equal(f->interrupt_count, frame);
    }
    assert_int_equal(fake_stats(f).draws, 50);
    assert_int_equal(f->logs, 0);
}

/* vsync: at most one from a vertical blank to the next; the k-th is at floor(k * 1e9 / 60). */
static void vsync_holds_a_second_swap_back(void **state)
{
    (void)state;
    fake *f = fake_new_synced();
    const uint64_t shown[] = {54, 16666666, 33333333, 50000000};
    for (uint32_t i = 0; i < 4; i++) {
        swap_of(f, FRONT, 32, 8, 4);
    }
    fake_kick(f);
    for (uint32_t i = 0; i < 4; i++) {
        fake_until(f, shown[i] - 1);
        assert_int_equal(f->presented, i);
        fake_until(f, shown[i]);
        assert_int_equal(f->presented, i + 1);
        assert_int_equal(f->frame.tick, shown[i]);
    }
    fake_delete(f);
}

/* The first since a vertical blank does not wait. */
static void vsync_lets_a_late_swap_pass(void **state)
{
    (void)state;
    fake *f = fake_new_synced();
    swap_now(f, FRONT, 32, 8, 4);
    fake_until(f, 40000000);
    swap_now(f, FRONT, 32, 8, 4);
    assert_int_equal(f->presented, 2);
    assert_int_equal(f->frame.tick, 40000054);
    swap_now(f, FRONT, 32, 8, 4);
    assert_int_equal(f->frame.tick, 50000000);
    fake_delete(f);
}

static void without_vsync_swaps_follow_at_once(void **state)
{
    fake *f = *state;
    for (uint32_t i = 0; i < 4; i++) {
        swap_now(f, FRONT, 32, 8, 4);
    }
    assert_int_equal(f->presented, 4);
    assert_true(f->frame.tick < 16666666);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_slot_is_laid_out_as_documented),
        FAKE_TEST(a_tiled_picture_becomes_a_frame),
        FAKE_TEST(the_event_names_the_frame),
        FAKE_TEST(a_swap_raises_no_interrupt_and_moves_no_pointer),
        FAKE_TEST(frames_count_up),
        FAKE_TEST(swaps_advance_the_counter),
        FAKE_TEST(a_gamma_ramp_changes_the_frame),
        FAKE_TEST(a_gamma_ramp_may_come_through_the_ring),
        FAKE_TEST(hostile_sizes_show_nothing),
        FAKE_TEST(a_front_buffer_beyond_memory_shows_nothing),
        FAKE_TEST(a_swap_without_signature_or_fetch_constant_shows_nothing),
        FAKE_TEST(a_predicated_swap_is_skipped),
        FAKE_TEST(a_frame_loop_comes_round),
        cmocka_unit_test(vsync_holds_a_second_swap_back),
        cmocka_unit_test(vsync_lets_a_late_swap_pass),
        FAKE_TEST(without_vsync_swaps_follow_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
