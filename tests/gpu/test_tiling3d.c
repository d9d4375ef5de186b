/* Tiling of volumes. */
#include "test.h"

#include "tiling.h"

/* The formula in the form that texture tools used before anybody named its parts (the 2D one is in
 * crunch inc/crn_decomp.h; the 3D one in xenia before texture_address.h): macro tile and micro tile
 * offsets added up, then bits moved apart. */
static uint64_t offset_by_sums(uint64_t x, uint64_t y, uint64_t z, uint64_t pitch, uint64_t height,
                               uint32_t log2)
{
    uint64_t outer = ((y >> 4) + (z >> 2) * (height >> 4)) * (pitch >> 5);
    uint64_t macro = ((x >> 5) + outer) << (log2 + 7);
    uint64_t micro = ((x & 7) + ((y & 6) << 2) + ((z & 3) << 5)) << log2;
    uint64_t flip = ((y >> 3) + (z >> 2)) & 1;
    uint64_t inner = macro + micro;
    uint64_t channel = ((x >> 3) + (flip << 1)) & 3;
    return (inner >> 8) * 4096 + flip * 2048 + ((inner >> 5) % 8) * 256 + channel * 64 +
           ((inner >> 4) % 2) * 32 + (y % 2) * 16 + inner % 16;
}

static void volume_agrees_with_sums(void **state)
{
    (void)state;
    for (uint32_t log2 = 0; log2 <= 4; log2++) {
        for (uint32_t z = 0; z < 13; z++) {
            for (uint32_t y = 0; y < 64; y++) {
                for (uint32_t x = 0; x < 96; x++) {
                    assert_int_equal(xenos_tiled_offset_3d(x, y, z, 96, 64, log2),
                                     offset_by_sums(x, y, z, 96, 64, log2));
                }
            }
        }
    }
}

/* 64x64x8 blocks of 4 bytes: each of the 32768 places is taken once. */
static void volume_is_a_permutation(void **state)
{
    (void)state;
    static uint8_t taken[64 * 64 * 8];
    memset(taken, 0, sizeof taken);
    for (uint32_t z = 0; z < 8; z++) {
        for (uint32_t y = 0; y < 64; y++) {
            for (uint32_t x = 0; x < 64; x++) {
                uint64_t at = xenos_tiled_offset_3d(x, y, z, 64, 64, 2);
                assert_int_equal(at % 4, 0);
                assert_true(at / 4 < sizeof taken);
                assert_int_equal(taken[at / 4], 0);
                taken[at / 4] = 1;
            }
        }
    }
}

/* xenia texture_util.h: origins of tiles of 32x32x4 blocks are X / 32 * 0x1000 * (bytes / 2) from 2
 * bytes on, and the pattern repeats every 8 slices and 32 rows. */
static void volume_origins(void **state)
{
    (void)state;
    assert_int_equal(xenos_tiled_offset_3d(32, 0, 0, 96, 64, 1), 0x1000);
    assert_int_equal(xenos_tiled_offset_3d(64, 0, 0, 96, 64, 2), 0x4000);
    assert_int_equal(xenos_tiled_offset_3d(32, 0, 0, 128, 64, 0), 0x400);
    assert_int_equal(xenos_tiled_offset_3d(64, 0, 0, 128, 64, 0), 0x1000);
    uint64_t eight = xenos_tiled_offset_3d(0, 0, 8, 32, 32, 2);
    assert_int_equal(eight, 32 * 32 * 8 * 4);
    for (uint32_t y = 0; y < 32; y++) {
        assert_int_equal(xenos_tiled_offset_3d(7, y, 11, 32, 32, 2),
                         eight + xenos_tiled_offset_3d(7, y, 3, 32, 32, 2));
    }
}

/* By hand from the bit table in tiling.h: x = 9, y = 10, z = 5, one macro tile wide, 4 bytes. Macro
 * tile: z >> 2 = 1, two rows of tiles a slice: tile 2. I = (2 * 128 + 1 * 32 + 1 * 8 + 1) * 4 = 0x4A4.
 * bank = 1 ^ 1 = 0; pipe = 1. Bits 3:0 = 4, bit 5 = 0, 10:8 = 5, 12.. = 4. */
static void volume_by_hand(void **state)
{
    (void)state;
    assert_int_equal(xenos_tiled_offset_3d(9, 10, 5, 32, 32, 2), 4 << 12 | 5 << 8 | 1 << 6 | 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(volume_agrees_with_sums),
        cmocka_unit_test(volume_is_a_permutation),
        cmocka_unit_test(volume_origins),
        cmocka_unit_test(volume_by_hand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
