/* Fetch constants to levels, slices and addresses. */
#include "test.h"

#include "texels.h"

static void decode(const texels_constant *c, xenos_texture *out)
{
    uint32_t fetch[6];
    texels_pack(c, fetch);
    assert_int_equal(xenos_texture_decode(out, fetch), 1);
}

/* A constant as the XDK's resource compiler wrote it: 64x64 DXT1_AS_16_16_16_16, tiled, 8in16, whole
 * chain, packed. The next texture in that file is 0x6000 bytes behind: 0x2000 for level 0, 0x2000 for
 * level 1 and 0x2000 for the tail from level 2. */
static void a_constant_of_a_resource_file(void **state)
{
    (void)state;
    const uint32_t fetch[6] = {0x810000FE, 0x00100073, 0x0007E03F,
                               0x00000D10, 0x00000180, 0x00102A00};
    xenos_texture t;
    assert_int_equal(xenos_texture_decode(&t, fetch), 1);
    assert_int_equal(t.format, 51);
    assert_int_equal(t.endian, 1);
    assert_int_equal(t.tiled, 1);
    assert_int_equal(t.packed, 1);
    assert_int_equal(t.width, 64);
    assert_int_equal(t.height, 64);
    assert_int_equal(t.depth, 1);
    assert_int_equal(t.min_level, 0);
    assert_int_equal(t.max_level, 6);
    assert_int_equal(t.levels[0].start, 0x100000);
    assert_int_equal(t.levels[0].slice_bytes, 0x2000);
    assert_int_equal(t.levels[1].start, 0x102000);
    assert_int_equal(t.levels[2].start, 0x104000);
    assert_int_equal(t.levels[2].slice_bytes, 0x2000);
    for (uint32_t n = 3; n <= 6; n++) {
        assert_int_equal(t.levels[n].start, 0x104000);
    }
}

/* The same file's 256x256 one: level 0 has 0x8000 bytes, and four storages of 0x2000 hold levels 1, 2,
 * 3 and the tail: the next texture is 0x10000 behind. */
static void a_longer_chain(void **state)
{
    (void)state;
    const uint32_t fetch[6] = {0x820000FE, 0x00106073, 0x001FE0FF,
                               0x00000D10, 0x00000200, 0x0010EA00};
    xenos_texture t;
    assert_int_equal(xenos_texture_decode(&t, fetch), 1);
    assert_int_equal(t.levels[0].slice_bytes, 0x8000);
    assert_int_equal(t.max_level, 8);
    assert_int_equal(t.levels[4].start + t.levels[4].slice_bytes, 0x116000);
    assert_int_equal(t.levels[8].start, t.levels[4].start);
}

/* xenia texture_util.cc's picture of the tail of a square texture, in texels: 16x16 at (16, 0), 8x8
 * at (8, 0), 4x4 at (4, 0), 2x2 at (0, 8), 1x1 at (0, 4). */
static void square_tail(void **state)
{
    (void)state;
    static const uint32_t where[5][2] = {{16, 0}, {8, 0}, {4, 0}, {0, 8}, {0, 4}};
    uint32_t x, y, z;
    assert_int_equal(xenos_texture_packed_level(64, 64), 2);
    for (uint32_t n = 0; n < 5; n++) {
        xenos_texture_packed_offset(64, 64, 1, n + 2, &x, &y, &z);
        assert_int_equal(x, where[n][0]);
        assert_int_equal(y, where[n][1]);
        assert_int_equal(z, 0);
    }
    xenos_texture_packed_offset(64, 64, 1, 1, &x, &y, &z);
    assert_int_equal(x | y | z, 0);
}

/* xenia texture_util.cc names a title's 2x2 k_8_8_8_8 with packed mips: its base is at (16, 0), its
 * 1x1 level at (8, 0). Rows of the linear tail are 32 texels, 128 bytes; of mips 256. */
static void a_texture_that_is_all_tail(void **state)
{
    (void)state;
    texels_constant c = texels_plain(6, 2, 2);
    c.packed = 1;
    c.mips = TEXELS_MIPS;
    c.max_level = 1;
    xenos_texture t;
    decode(&c, &t);
    assert_int_equal(xenos_texture_address(&t, 0, 0, 0, 0), TEXELS_BASE + 16 * 4);
    assert_int_equal(xenos_texture_address(&t, 0, 1, 1, 0), TEXELS_BASE + 128 + 17 * 4);
    assert_int_equal(xenos_texture_address(&t, 1, 0, 0, 0), TEXELS_MIPS + 8 * 4);
    assert_int_equal(t.levels[1].row_bytes, 256);
}

/* Wider than tall: the tail goes down first (y = 16, 8, 4) and then along x. */
static void wide_and_tall_tails(void **state)
{
    (void)state;
    uint32_t x, y, z;
    xenos_texture_packed_offset(128, 32, 1, 1, &x, &y, &z);
    assert_int_equal(x, 0);
    assert_int_equal(y, 16);
    xenos_texture_packed_offset(128, 32, 1, 4, &x, &y, &z); /* (128 >> 1) >> 1 */
    assert_int_equal(x, 32);
    assert_int_equal(y, 0);
    xenos_texture_packed_offset(32, 128, 1, 1, &x, &y, &z);
    assert_int_equal(x, 16);
    assert_int_equal(y, 0);
    xenos_texture_packed_offset(32, 128, 1, 4, &x, &y, &z);
    assert_int_equal(x, 0);
    assert_int_equal(y, 32);
}

/* Levels of a deep volume that have no room left beside the others go along z: from 8x8x64 the level of
 * number 4 would be at 8 >> 2 = 2, inside the one before; it is at slice (6 - 4) * 4, and with 16
 * slices at slice 4. */
static void tails_of_volumes(void **state)
{
    (void)state;
    uint32_t x, y, z;
    xenos_texture_packed_offset(8, 8, 64, 3, &x, &y, &z);
    assert_int_equal(y, 4);
    assert_int_equal(z, 0);
    xenos_texture_packed_offset(8, 8, 64, 4, &x, &y, &z);
    assert_int_equal(y, 2);
    assert_int_equal(z, 8);
    xenos_texture_packed_offset(8, 8, 16, 4, &x, &y, &z);
    assert_int_equal(z, 4);
}

/* xenia texture_util.cc: an 80x260 tiled texture with packed mips from level 3 on; its storage there
 * is that of a 128x512 texture: 16x64 texels, in whole tiles 32x64. */
static void odd_sizes_round_up_to_powers_of_two(void **state)
{
    (void)state;
    texels_constant c = texels_plain(6, 80, 260);
    c.tiled = 1;
    c.packed = 1;
    c.mips = TEXELS_MIPS;
    c.max_level = 8;
    xenos_texture t;
    decode(&c, &t);
    assert_int_equal(xenos_texture_packed_level(80, 260), 3);
    assert_int_equal(t.levels[3].pitch, 32);
    assert_int_equal(t.levels[3].rows, 64);
    assert_int_equal(t.levels[3].width, 10);
    assert_int_equal(t.levels[3].height, 32);
    /* level 1: 64x256 texels of 4 bytes; level 2: 32x128 */
    assert_int_equal(t.levels[2].start, TEXELS_MIPS + 64 * 256 * 4);
    assert_int_equal(t.levels[3].start, TEXELS_MIPS + 64 * 256 * 4 + 32 * 128 * 4);
}

/* A cube of 64x64 texels of 4 bytes: faces are 16 KiB apart; level 1 begins each face of 32x32. */
static void faces_of_a_cube(void **state)
{
    (void)state;
    texels_constant c = texels_plain(6, 64, 64);
    c.dimension = XENOS_TEXTURE_CUBE;
    c.depth = 6;
    c.tiled = 1;
    c.mips = TEXELS_MIPS;
    c.max_level = 2;
    xenos_texture t;
    decode(&c, &t);
    assert_int_equal(t.depth, 6);
    assert_int_equal(xenos_texture_address(&t, 0, 0, 0, 5), TEXELS_BASE + 5 * 0x4000);
    assert_int_equal(xenos_texture_address(&t, 1, 0, 0, 3), TEXELS_MIPS + 3 * 0x1000);
    assert_int_equal(t.levels[2].start, TEXELS_MIPS + 6 * 0x1000);
}

/* A stack keeps its layers in every level; without `stacked` the field means nothing. */
static void layers_of_a_stack(void **state)
{
    (void)state;
    texels_constant c = texels_plain(6, 32, 32);
    c.depth = 5;
    c.stacked = 1;
    c.mips = TEXELS_MIPS;
    c.max_level = 2;
    xenos_texture t;
    decode(&c, &t);
    assert_int_equal(t.depth, 5);
    assert_int_equal(t.levels[2].depth, 5);
    assert_int_equal(xenos_texture_address(&t, 0, 0, 0, 4), TEXELS_BASE + 4 * 0x1000);
    c.stacked = 0;
    decode(&c, &t);
    assert_int_equal(t.depth, 1);
}

/* A linear volume: slices are 32 rows of blocks apart, the next level 4 slices' padding on. */
static void slices_of_a_volume(void **state)
{
    (void)state;
    texels_constant c = texels_plain(6, 8, 8);
    c.dimension = XENOS_TEXTURE_3D;
    c.depth = 8;
    c.mips = TEXELS_MIPS;
    c.max_level = 3;
    xenos_texture t;
    decode(&c, &t);
    assert_int_equal(t.levels[0].depth, 8);
    assert_int_equal(t.levels[1].depth, 4);
    assert_int_equal(xenos_texture_address(&t, 0, 0, 1, 0), TEXELS_BASE + 128);
    assert_int_equal(xenos_texture_address(&t, 0, 0, 0, 1), TEXELS_BASE + 128 * 32);
    assert_int_equal(t.levels[2].start, TEXELS_MIPS + 256 * 32 * 4);
}

static void lines_are_long(void **state)
{
    (void)state;
    texels_constant c = texels_plain(6, 100000, 1);
    c.dimension = XENOS_TEXTURE_1D;
    c.pitch = 0;
    c.tiled = 1; /* has no meaning here */
    xenos_texture t;
    decode(&c, &t);
    assert_int_equal(t.width, 100000);
    assert_int_equal(t.height, 1);
    assert_int_equal(xenos_texture_address(&t, 0, 99999, 0, 0), TEXELS_BASE + 99999 * 4);
}

/* Rows of a linear texture follow the constant's pitch. */
static void pitch_may_exceed_the_width(void **state)
{
    (void)state;
    texels_constant c = texels_plain(20, 1280, 16); /* DXT4_5 */
    c.pitch = 1408 / 32;
    xenos_texture t;
    decode(&c, &t);
    assert_int_equal(xenos_texture_address(&t, 0, 0, 1, 0), TEXELS_BASE + 1408 / 4 * 16);
}

static void levels_need_an_address(void **state)
{
    (void)state;
    xenos_texture t;
    uint32_t fetch[6];
    texels_constant c = texels_plain(6, 64, 64);
    c.max_level = 6;
    decode(&c, &t);
    assert_int_equal(t.max_level, 0); /* no mip address */
    c.mips = TEXELS_MIPS;
    c.base = 0;
    decode(&c, &t);
    assert_int_equal(t.min_level, 1); /* no base address */
    c.max_level = 0;
    texels_pack(&c, fetch);
    assert_int_equal(xenos_texture_decode(&t, fetch), 0);
    c = texels_plain(6, 64, 64);
    texels_pack(&c, fetch);
    fetch[0] = (fetch[0] & ~3u) | 3; /* a vertex constant */
    assert_int_equal(xenos_texture_decode(&t, fetch), 0);
}

/* No block of a level is outside the range that is watched for it. */
static void ranges_hold_all_blocks(void **state)
{
    (void)state;
    static const uint32_t formats[] = {2, 4, 6, 26, 18, 20, 38};
    static const uint32_t dimensions[] = {XENOS_TEXTURE_2D, XENOS_TEXTURE_3D, XENOS_TEXTURE_CUBE};
    for (size_t f = 0; f < sizeof formats / sizeof formats[0]; f++) {
        for (uint32_t variant = 0; variant < 12; variant++) {
            texels_constant c = texels_plain(formats[f], 72, 40);
            c.dimension = dimensions[variant % 3];
            c.depth = 6;
            c.tiled = variant / 3 & 1;
            c.packed = variant / 6;
            c.mips = TEXELS_MIPS;
            c.max_level = 6;
            xenos_texture t;
            decode(&c, &t);
            for (uint32_t n = t.min_level; n <= t.max_level; n++) {
                const xenos_texture_level *level = &t.levels[n];
                uint64_t start, end;
                xenos_texture_range(&t, n, &start, &end);
                for (uint32_t i = 0; i < level->blocks_across * level->blocks_up * level->depth;
                     i++) {
                    uint32_t x = i % level->blocks_across;
                    uint32_t y = i / level->blocks_across % level->blocks_up;
                    uint32_t z = i / level->blocks_across / level->blocks_up;
                    uint64_t at = xenos_texture_address(&t, n, x, y, z);
                    assert_true(at >= start && at + t.block_bytes <= end);
                }
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_constant_of_a_resource_file),
        cmocka_unit_test(a_longer_chain),
        cmocka_unit_test(square_tail),
        cmocka_unit_test(a_texture_that_is_all_tail),
        cmocka_unit_test(wide_and_tall_tails),
        cmocka_unit_test(tails_of_volumes),
        cmocka_unit_test(odd_sizes_round_up_to_powers_of_two),
        cmocka_unit_test(faces_of_a_cube),
        cmocka_unit_test(layers_of_a_stack),
        cmocka_unit_test(slices_of_a_volume),
        cmocka_unit_test(lines_are_long),
        cmocka_unit_test(pitch_may_exceed_the_width),
        cmocka_unit_test(levels_need_an_address),
        cmocka_unit_test(ranges_hold_all_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
