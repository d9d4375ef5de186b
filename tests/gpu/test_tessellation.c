/* Tessellation: the points of a side, patches whose sides differ, and draws of them. Expectations: the
 * rules of fractional even partitioning (Direct3D 11.3 Functional Specification, 11.7.3) by hand, and
 * that triangles fill a patch without gap or overlap. */
#include "endian.h"
#include "picture.h"
#include "primitive.h"
#include "soft/tessellate.h"

#define ONE 65536

static void cut(uint32_t corners, double a, double b, double c, double d, soft_cutting *out)
{
    const uint32_t factor[4] = {(uint32_t)(a * ONE), (uint32_t)(b * ONE), (uint32_t)(c * ONE),
                                (uint32_t)(d * ONE)};
    soft_tessellate(corners, factor, out);
}

/* The coordinates of the points of side v = 0, which come first. */
static void assert_side(double factor, const uint32_t *expected, uint32_t count)
{
    soft_cutting out;
    cut(4, factor, 2, 2, 2, &out);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(out.point[i][0], expected[i]);
        assert_int_equal(out.point[i][1], 0);
    }
    assert_int_equal(out.point[count][0], ONE); /* where the next side begins */
}

/* Half of a side goes from floor(n / 2) to floor(n / 2) + 1 segments while n grows by 2. With 2, 4, 8
 * segments they are even. At 3 the new point has come half of the way from 1/2 to 1/4. At 5 all have
 * gone half of the way from (0, 1/4, 1/4, 1/2) to (0, 1/6, 2/6, 1/2): 5/24, 7/24. At 7, half of the
 * way from (0, 1/6, 2/6, 3/6, 1/2) to eighths, as the second point of its generation lies nearer the
 * middle: 7/48, 14/48, 7/16. 1/6 is 10923 there (0x10000 / 6, rounded). */
static void sides_grow_by_a_point(void **state)
{
    assert_side(2, (uint32_t[]){0, ONE / 2}, 2);
    assert_side(4, (uint32_t[]){0, ONE / 4, ONE / 2, 3 * ONE / 4}, 4);
    assert_side(8,
                (uint32_t[]){0, ONE / 8, ONE / 4, 3 * ONE / 8, ONE / 2, 5 * ONE / 8, 3 * ONE / 4,
                             7 * ONE / 8},
                8);
    assert_side(3, (uint32_t[]){0, 3 * ONE / 8, ONE / 2, 5 * ONE / 8}, 4);
    uint32_t a = (16384 + 10923 + 1) / 2, b = (16384 + 21846 + 1) / 2;
    assert_side(5, (uint32_t[]){0, a, b, ONE / 2, ONE - b, ONE - a}, 6);
    uint32_t c = (10923 + 8192 + 1) / 2, d = (21846 + 16384 + 1) / 2, e = (32769 + 24576 + 1) / 2;
    assert_side(7, (uint32_t[]){0, c, d, e, ONE / 2, ONE - e, ONE - d, ONE - c}, 8);
    /* Out of range. */
    assert_side(0, (uint32_t[]){0, ONE / 2}, 2);
    assert_side(1.5, (uint32_t[]){0, ONE / 2}, 2);
    soft_cutting out;
    cut(4, 100, 100, 100, 100, &out);
    assert_int_equal(out.points, 17 * 17);
    assert_int_equal(out.triangles, 2 * 16 * 16);
}

/* Two segments a side: a square with its middle is eight triangles, a triangle six. */
static void the_least_patch(void **state)
{
    soft_cutting out;
    cut(4, 2, 2, 2, 2, &out);
    assert_int_equal(out.points, 9);
    assert_int_equal(out.triangles, 8);
    cut(3, 2, 2, 2, 2, &out);
    assert_int_equal(out.points, 7);
    assert_int_equal(out.triangles, 6);
    /* Weights of corners 0 and 1: corner 0, the middle of 0 and 1, corner 1, ... and the middle. */
    const uint32_t expected[7][2] = {{ONE, 0}, {ONE / 2, ONE / 2}, {0, ONE},      {0, ONE / 2},
                                     {0, 0},   {ONE / 2, 0},       {21845, 21845}};
    assert_memory_equal(out.point, expected, sizeof expected);
}

static int64_t twice_area(const soft_cutting *c, const uint16_t t[3])
{
    int64_t x[3], y[3];
    for (int i = 0; i < 3; i++) {
        x[i] = c->point[t[i]][0];
        y[i] = c->point[t[i]][1];
    }
    return (x[1] - x[0]) * (y[2] - y[0]) - (x[2] - x[0]) * (y[1] - y[0]);
}

/* Every side of a triangle is that of one other, the other way round, or lies on the outline; with no
 * triangle turned over, and the patch's area in all, they fill it once. */
static void assert_filled(uint32_t corners, const soft_cutting *c)
{
    static uint8_t side[SOFT_CUT_POINTS][SOFT_CUT_POINTS];
    memset(side, 0, sizeof side);
    int64_t area = 0;
    assert_in_range(c->points, 1, SOFT_CUT_POINTS);
    assert_in_range(c->triangles, 1, SOFT_CUT_TRIANGLES);
    for (uint32_t i = 0; i < c->triangles; i++) {
        const uint16_t *t = c->triangle[i];
        int64_t one = twice_area(c, t);
        assert_true(one >= 0);
        area += one;
        for (int k = 0; k < 3; k++) {
            assert_int_equal(side[t[k]][t[(k + 1) % 3]]++, 0);
        }
    }
    assert_true(area == (INT64_C(1) << 32) * (corners == 3 ? 1 : 2));
    uint32_t outline = 0;
    for (uint32_t i = 0; i < c->points; i++) {
        for (uint32_t k = 0; k < c->points; k++) {
            if (side[i][k] && !side[k][i]) {
                const uint32_t *p = c->point[i], *q = c->point[k];
                int on = corners == 4 ? (p[0] == q[0] && p[0] % ONE == 0) ||
                                            (p[1] == q[1] && p[1] % ONE == 0)
                                      : (p[0] + q[0] == 0) || (p[1] + q[1] == 0) ||
                                            (p[0] + p[1] == ONE && q[0] + q[1] == ONE);
                assert_true(on);
                outline++;
            }
        }
    }
    assert_in_range(outline, corners * 2, corners * 16);
}

static uint32_t number(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static void patches_are_filled_once(void **state)
{
    uint32_t random = 2463534242u;
    soft_cutting out;
    for (uint32_t i = 0; i < 600; i++) {
        uint32_t corners = 3 + (i & 1), factor[4];
        for (int k = 0; k < 4; k++) {
            /* Whole numbers, halves and anything, from below 2 to above 16. */
            uint32_t f = number(&random) % (18 * ONE);
            factor[k] = i % 3 == 0 ? f & ~0xFFFFu : i % 3 == 1 ? f & ~0x7FFFu : f;
        }
        soft_tessellate(corners, factor, &out);
        assert_filled(corners, &out);
    }
}

/* A side's points are the same from both ends, so that a neighbour's fit. */
static void sides_fit_their_neighbours(void **state)
{
    soft_cutting a, b;
    for (uint32_t f = 2 * ONE; f <= 16 * ONE; f += 7919) {
        const uint32_t one[4] = {f, 3 * ONE, 9 * ONE, 16 * ONE};
        const uint32_t other[4] = {5 * ONE, f, 2 * ONE, 4 * ONE};
        soft_tessellate(4, one, &a);
        soft_tessellate(3, other, &b);
        uint32_t count = 0;
        while (a.point[count][1] == 0) {
            count++; /* side v = 0 with both ends */
        }
        /* The triangle's side 1, where the weight of corner 0 is 0. */
        uint32_t start = 0;
        while (b.point[start][0] != 0) {
            start++;
        }
        for (uint32_t i = 0; i < count; i++) {
            assert_int_equal(b.point[start + i][0], 0);
            assert_int_equal(b.point[start + i][1], a.point[count - 1 - i][0]);
            assert_int_equal(a.point[i][0] + a.point[count - 1 - i][0], ONE);
        }
    }
}

/* Inside, a quad has in each direction what the smaller of the two sides along it has: between 8 and
 * 4 there are 3 inner points across, between 6 and 12 there are 5 up. */
static void the_inside_goes_by_the_smaller_side(void **state)
{
    soft_cutting out;
    cut(4, 8, 6, 4, 12, &out);
    assert_int_equal(out.points, 8 + 6 + 4 + 12 + 3 * 5);
    /* 4 x 6 cells inside have 2 triangles each, a side one more for each segment that it has more. */
    assert_int_equal(out.triangles, 2 * 4 * 6 + (8 - 4) + (12 - 6));
    assert_filled(4, &out);
    cut(3, 16, 6, 10, 0, &out);
    /* Rings of 6, 4, 2, 0 segments a side. */
    assert_int_equal(out.points, 16 + 6 + 10 + 3 * 4 + 3 * 2 + 1);
    assert_filled(3, &out);
}

/* ---- draws ---- */

static void read_all(uint32_t primitive, uint32_t count, uint32_t last, const uint32_t *expected,
                     uint32_t patches, uint32_t corners)
{
    picture *p = picture_new(1);
    uint32_t *r = p->registers;
    r[XENOS_VGT_OUTPUT_PATH_CNTL] = 1;
    r[XENOS_VGT_DRAW_INITIATOR] = 1u << 8; /* explicit major mode */
    r[XENOS_VGT_INDX_OFFSET] = 10;
    r[XENOS_PA_SU_SC_MODE_CNTL] |= last << 19;
    const xenos_draw draw = {
        .registers = r,
        .primitive = primitive,
        .source = XENOS_INDICES_AUTO,
        .count = count,
    };
    assert_true(xenos_patches_known(&draw));
    xenos_primitives reader;
    xenos_primitives_begin(&reader, &draw, &p->memory);
    xenos_patch patch;
    for (uint32_t i = 0; i < patches; i++) {
        assert_true(xenos_patches_next(&reader, &patch));
        assert_int_equal(patch.corners, corners);
        assert_int_equal(patch.indexed, primitive < XENOS_LINE_PATCHES);
        uint32_t numbers = patch.indexed ? corners : 1;
        for (uint32_t k = 0; k < numbers; k++) {
            assert_int_equal(patch.index[k], 10 + expected[numbers * i + k]);
        }
    }
    assert_false(xenos_patches_next(&reader, &patch));
    picture_free(p);
}

/* Strips turn every second triangle, and a quad of a strip is first, second, fourth, third, as without
 * tessellation; a patch counts for itself. */
static void patches_are_read(void **state)
{
    for (uint32_t last = 0; last < 2; last++) {
        read_all(XENOS_TRIANGLES, 7, last, (uint32_t[]){0, 1, 2, 3, 4, 5}, 2, 3);
        read_all(XENOS_TRIANGLE_STRIP, 5, last, (uint32_t[]){0, 1, 2, 2, 1, 3, 2, 3, 4}, 3, 3);
        read_all(XENOS_TRIANGLE_FAN, 5, last, (uint32_t[]){0, 1, 2, 0, 2, 3, 0, 3, 4}, 3, 3);
        read_all(XENOS_QUADS, 9, last, (uint32_t[]){0, 1, 2, 3, 4, 5, 6, 7}, 2, 4);
        read_all(XENOS_QUAD_STRIP, 7, last, (uint32_t[]){0, 1, 3, 2, 2, 3, 5, 4}, 2, 4);
        read_all(XENOS_TRIANGLE_PATCHES, 2, last, (uint32_t[]){0, 1}, 2, 3);
        read_all(XENOS_QUAD_PATCHES, 2, last, (uint32_t[]){0, 1}, 2, 4);
    }
}

/* The register is looked at in explicit major mode only; adaptive levels are 32-bit "indices". */
static void what_is_tessellated(void **state)
{
    picture *p = picture_new(1);
    uint32_t *r = p->registers;
    xenos_draw draw = {.registers = r, .primitive = XENOS_TRIANGLES, .count = 3};
    r[XENOS_VGT_OUTPUT_PATH_CNTL] = 1;
    assert_false(xenos_patches_known(&draw));
    r[XENOS_VGT_DRAW_INITIATOR] = 1u << 8;
    assert_true(xenos_patches_known(&draw));
    r[XENOS_VGT_HOS_CNTL] = XENOS_PATCHES_ADAPTIVE;
    assert_false(xenos_patches_known(&draw));
    draw.primitive = XENOS_TRIANGLE_PATCHES;
    assert_false(xenos_patches_known(&draw));
    draw.wide = 1;
    assert_true(xenos_patches_known(&draw));
    draw.source = XENOS_INDICES_AUTO;
    assert_false(xenos_patches_known(&draw));
    r[XENOS_VGT_HOS_CNTL] = XENOS_PATCHES_CONTINUOUS;
    assert_true(xenos_patches_known(&draw));
    r[XENOS_VGT_OUTPUT_PATH_CNTL] = 0;
    assert_false(xenos_patches_known(&draw));
    draw.primitive = XENOS_POINTS;
    r[XENOS_VGT_OUTPUT_PATH_CNTL] = 1;
    assert_false(xenos_patches_known(&draw));
    picture_free(p);
}

static void poke_floats(picture *p, uint32_t address, const float *values, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t bits = xenos_float_bits(values[i]);
        for (int k = 0; k < 4; k++) {
            p->bytes[address + 4 * i + (uint32_t)k] = (uint8_t)(bits >> (24 - 8 * k));
        }
    }
}

static void draw_adaptive(picture *p, uint32_t primitive, const float *levels, uint32_t count,
                          float least, float most)
{
    const uint32_t address = PICTURE_MEMORY - 4096;
    poke_floats(p, address, levels, count);
    uint32_t *r = p->registers;
    r[XENOS_VGT_OUTPUT_PATH_CNTL] = 1;
    r[XENOS_VGT_HOS_CNTL] = XENOS_PATCHES_ADAPTIVE;
    r[XENOS_VGT_HOS_MIN_TESS_LEVEL] = xenos_float_bits(least);
    r[XENOS_VGT_HOS_MAX_TESS_LEVEL] = xenos_float_bits(most);
    const xenos_draw draw = {
        .registers = r,
        .vertex = p->vertex,
        .pixel = p->pixel,
        .primitive = primitive,
        .count = count,
        .wide = 1,
        .endian = XENOS_ENDIAN_8IN32,
        .base = address,
    };
    xenos_soft_backend.draw(p->soft, &draw);
}

/* The shader of a game: the patch's three corners from memory, weighed. Colour is a constant. */
#define CORNERS                                                                                    \
    "xvs_3_0\nexec\n"                                                                              \
    "mul r2.x, r1.x, c2.x\n"                                                                       \
    "vfetch_full r3.xy01, r2.x, vf95, DataFormat=FMT_32_32_FLOAT, Stride=2\n"                      \
    "vfetch_full r4.xy01, r2.x, vf95, DataFormat=FMT_32_32_FLOAT, Stride=2, Offset=2\n"            \
    "vfetch_full r5.xy01, r2.x, vf95, DataFormat=FMT_32_32_FLOAT, Stride=2, Offset=4\n"            \
    "exec\nmul r6, r3, r0.z\nmad r6, r4, r0.y, r6\nmad r6, r5, r0.x, r6\n"                         \
    "alloc position\nexec\nmax oPos, r6, r6\n"                                                     \
    "alloc interpolators\nexece\nmax o0, c3, c3\n"

static void set_constant(picture *p, uint32_t index, float x, float y, float z, float w)
{
    const float c[4] = {x, y, z, w};
    for (uint32_t i = 0; i < 4; i++) {
        p->registers[XENOS_CONSTANT_ALU + 4 * index + i] = xenos_float_bits(c[i]);
    }
}

/* Two patches make a square of 128 pixels and share a side whose level is the same in both (factors
 * go from corner to corner, each patch in its own order): added up, every pixel is covered once.
 * Positions are exact: weights have 16 bits of fraction, corners 8. */
static void adaptive_patches_join(void **state)
{
    /* (0, 0), (128, 0), (128, 128); then (0, 128), (0, 0), (128, 128): its side 1 is the other's 2. */
    const float corner[12] = {0, 0, 128, 0, 128, 128, 0, 128, 0, 0, 128, 128};
    const float shared[6] = {0, 0.5f, 1.7f, 4.2f, 9.9f, 15};
    for (uint32_t i = 0; i < 6; i++) {
        picture *p = picture_new(1);
        picture_shaders(p, CORNERS, PICTURE_PIXEL);
        picture_vertices(p, corner, 12);
        set_constant(p, 2, 3, 0, 0, 0);
        set_constant(p, 3, 51 / 255.0f, 0, 0, 1);
        p->registers[XENOS_RB_BLENDCONTROL0] = 0x01010101; /* ONE, ONE */
        const float levels[6] = {3, 14.5f, shared[i], 6.1f, shared[i], -1};
        draw_adaptive(p, XENOS_TRIANGLE_PATCHES, levels, 6, 0, 15);
        for (uint32_t y = 0; y < PICTURE_HEIGHT; y++) {
            for (uint32_t x = 0; x < PICTURE_WIDTH; x++) {
                uint32_t expected = x < 128 && y < 128 ? 51 : 0;
                assert_int_equal(picture_color(p, x, y) & 0xFF, expected);
            }
        }
        picture_free(p);
    }
}

/* Which factor is which: a shader that moves the inner points of all four sides outwards, by a parabola
 * that is 1/4 of the square high in the middle. A side of level 0 has one inner point and becomes a
 * tent; with level 15 it is nearly the parabola. A quarter along a side the one is 1/8 high, the other
 * 3/16: 12.5 and 18.75 of the square's 100 pixels upwards, 16 and 24 of its 128 across. */
static void factors_belong_to_sides(void **state)
{
    static const char *const bent = "xvs_3_0\nexec\n"
                                    "mad r2.xy, -r0.yz, r0.yz, r0.yz\n" /* u (1 - u), v (1 - v) */
                                    "mad r3.xy, r0.yz, c2.x, -c2.y\n"   /* 2u - 1, 2v - 1 */
                                    "mad r4.xy, r2.yx, r3.xy, r0.yz\n"
                                    "mad r5, r4.xyyy, c0, c1\n"
                                    "alloc position\nexec\nmax oPos, r5, r5\n"
                                    "alloc interpolators\nexece\nmax o0, c3, c3\n";
    for (uint32_t sides = 0; sides < 16; sides++) {
        picture *p = picture_new(1);
        picture_shaders(p, bent, PICTURE_PIXEL);
        set_constant(p, 0, 128, 100, 0, 0);
        set_constant(p, 1, 40, 40, 0.5f, 1);
        set_constant(p, 2, 2, 1, 0, 0);
        set_constant(p, 3, 1, 0, 0, 1);
        float levels[4];
        for (uint32_t i = 0; i < 4; i++) {
            levels[i] = sides >> i & 1 ? 15.0f : 0.0f;
        }
        draw_adaptive(p, XENOS_QUAD_PATCHES, levels, 4, 0, 15);
        /* The square is (40, 40) to (168, 140). Sides: v = 0, u = 1, v = 1, u = 0. */
        const uint32_t at[4][2][2] = {{{72, 24}, {136, 24}},
                                      {{188, 65}, {188, 115}},
                                      {{72, 155}, {136, 155}},
                                      {{19, 65}, {19, 115}}};
        for (uint32_t i = 0; i < 4; i++) {
            for (uint32_t k = 0; k < 2; k++) {
                assert_int_equal(picture_color(p, at[i][k][0], at[i][k][1]) != 0, sides >> i & 1);
            }
        }
        assert_int_not_equal(picture_color(p, 104, 17), 0); /* the middle: 25 high in any case */
        assert_int_not_equal(picture_color(p, 104, 162), 0);
        assert_int_not_equal(picture_color(p, 10, 90), 0);
        assert_int_not_equal(picture_color(p, 197, 90), 0);
        assert_int_equal(picture_color(p, 104, 13), 0);
        picture_free(p);
    }
}

/* Levels from memory may be anything. */
static void wild_levels_are_bounded(void **state)
{
    const float zero = 0;
    const float levels[12] = {zero / zero, 1 / zero, -1 / zero, 1e30f,  -1e30f, 16,
                              -0.0f,       1e-40f,   14.99f,    -0.99f, 3,      zero / zero};
    const float bounds[5] = {0, 15, zero / zero, 1 / zero, -1 / zero};
    for (uint32_t i = 0; i < 25; i++) {
        picture *p = picture_new(1);
        picture_shaders(p, CORNERS, PICTURE_PIXEL);
        const float corner[24] = {0, 0, 128, 0, 128, 128};
        picture_vertices(p, corner, 24);
        set_constant(p, 2, 0, 0, 0, 0); /* all the same patch */
        set_constant(p, 3, 1, 0, 0, 1);
        draw_adaptive(p, XENOS_TRIANGLE_PATCHES, levels, 12, bounds[i / 5], bounds[i % 5]);
        assert_int_equal(picture_color(p, 100, 50), 0xFF0000FF);
        picture_free(p);
    }
}

/* From a command stream: patches are drawn without complaint, the 2D engine's types of the same numbers
 * with one. */
static void patches_are_not_complained_of(void **state)
{
    const uint32_t draw = XENOS_TYPE3(XENOS_PM4_DRAW_INDX_2, 1);
    for (uint32_t path = 0; path < 2; path++) {
        fake *f = fake_new();
        FAKE_RUN(f, XENOS_TYPE0(XENOS_VGT_OUTPUT_PATH_CNTL, 1), path, draw,
                 XENOS_QUAD_PATCHES | XENOS_INDICES_AUTO << 6 | 1 << 16);
        assert_int_equal(f->logs, !path);
        fake_delete(f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sides_grow_by_a_point),
        cmocka_unit_test(the_least_patch),
        cmocka_unit_test(patches_are_filled_once),
        cmocka_unit_test(sides_fit_their_neighbours),
        cmocka_unit_test(the_inside_goes_by_the_smaller_side),
        cmocka_unit_test(patches_are_read),
        cmocka_unit_test(what_is_tessellated),
        cmocka_unit_test(adaptive_patches_join),
        cmocka_unit_test(factors_belong_to_sides),
        cmocka_unit_test(wild_levels_are_bounded),
        cmocka_unit_test(patches_are_not_complained_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
