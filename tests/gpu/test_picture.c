/* Draws from registers to EDRAM, beside the same arithmetic done here one pixel at a time. */
#include "picture.h"

static double absolute(double v)
{
    return v < 0 ? -v : v;
}

/* A byte of a UNORM colour, up to one step. */
static void assert_byte(uint32_t word, int shift, double expected)
{
    double found = word >> shift & 0xFF;
    double value = expected < 0 ? 0 : expected > 1 ? 255 : expected * 255;
    if (absolute(found - value) > 0.75) {
        fail_msg("byte %d of %08x, expected %g", shift / 8, word, value);
    }
}

static void clear(picture *p, float red, float depth)
{
    const float v[24] = {0,   0, depth, 1, red, 0,   0,     1, 320, 0, depth, 1,
                         red, 0, 0,     1, 0,   180, depth, 1, red, 0, 0,     1};
    picture_vertices(p, v, 24);
    uint32_t control = p->registers[XENOS_RB_DEPTHCONTROL];
    p->registers[XENOS_RB_DEPTHCONTROL] = 6 | XENOS_ALWAYS << 4;
    picture_draw(p, XENOS_RECTANGLES, 3);
    p->registers[XENOS_RB_DEPTHCONTROL] = control;
}

static void a_rectangle_clears_colour_and_depth(void **state)
{
    picture *p = picture_new(1);
    picture_shaders(p, PICTURE_VERTEX, PICTURE_PIXEL);
    clear(p, 1.0f, 0.5f);
    for (uint32_t y = 0; y < PICTURE_HEIGHT; y++) {
        for (uint32_t x = 0; x < PICTURE_WIDTH; x++) {
            assert_int_equal(picture_color(p, x, y), 0xFF0000FF);
            /* 0.5 of 2^24 - 1 is 0x7FFFFF.8: either neighbour. */
            uint32_t z = picture_word(p, PICTURE_DEPTH, 1, x, y) >> 8;
            assert_in_range(z, 0x7FFFFF, 0x800000);
        }
    }
    xenos_counts counts;
    xenos_soft_backend.counts(p->soft, &counts);
    assert_int_equal(counts.z_pass, PICTURE_WIDTH * PICTURE_HEIGHT);
    xenos_extents e;
    xenos_soft_backend.extents(p->soft, &e, 1);
    assert_int_equal(e.x0, 0);
    assert_int_equal(e.x1, PICTURE_WIDTH);
    assert_int_equal(e.y1, PICTURE_HEIGHT);
    xenos_soft_backend.extents(p->soft, &e, 0);
    assert_int_equal(e.x1, 0);
    picture_free(p);
}

/* Corners at different distances, x and y divided already. */
static const float corners[24] = {
    20,  10,  0.2f, 1, 1, 0, 0, 1, /* red */
    300, 40,  0.4f, 4, 0, 1, 0, 1, /* green */
    90,  170, 0.9f, 2, 0, 0, 1, 1, /* blue */
};

static void check_triangle(const picture *p, int perspective)
{
    const float *v = corners;
    double area = (v[8] - v[0]) * (v[17] - v[1]) - (v[16] - v[0]) * (v[9] - v[1]);
    uint32_t inside = 0;
    for (uint32_t y = 0; y < PICTURE_HEIGHT; y++) {
        for (uint32_t x = 0; x < PICTURE_WIDTH; x++) {
            double px = x + 0.5, py = y + 0.5, l[3], w[3], sum = 0, z = 0;
            int out = 0, edge = 0;
            for (int i = 0; i < 3; i++) {
                const float *a = v + 8 * ((i + 1) % 3), *b = v + 8 * ((i + 2) % 3);
                l[i] = ((b[0] - a[0]) * (py - a[1]) - (b[1] - a[1]) * (px - a[0])) / area;
                out |= l[i] < 0;
                edge |= absolute(l[i]) < 1e-9; /* test_raster.c's affair */
                w[i] = perspective ? l[i] / v[8 * i + 3] : l[i];
                sum += w[i];
                z += l[i] * v[8 * i + 2];
            }
            if (edge) {
                continue;
            }
            if (out) {
                assert_int_equal(picture_color(p, x, y), 0);
                continue;
            }
            inside++;
            for (int i = 0; i < 3; i++) {
                assert_byte(picture_color(p, x, y), 8 * i, w[i] / sum);
            }
            double stored = picture_word(p, PICTURE_DEPTH, 1, x, y) >> 8;
            assert_true(absolute(stored - z * 16777215) <= 1.5);
        }
    }
    assert_true(inside > 20000);
}

static void triangles_interpolate(void **state)
{
    for (int perspective = 0; perspective < 2; perspective++) {
        picture *p = picture_new(1);
        picture_shaders(p, PICTURE_VERTEX, PICTURE_PIXEL);
        p->registers[XENOS_RB_DEPTHCONTROL] = 6 | XENOS_ALWAYS << 4;
        p->registers[XENOS_PA_SU_SC_MODE_CNTL] |= perspective ? 0 : 1u << 20;
        picture_vertices(p, corners, 24);
        picture_draw(p, XENOS_TRIANGLES, 3);
        check_triangle(p, perspective);
        picture_free(p);
    }
}

/* PARAM_SHADE 0: the provoking vertex's colour everywhere. */
static void flat_parameters_are_the_provoking_vertex(void **state)
{
    for (uint32_t last = 0; last < 2; last++) {
        picture *p = picture_new(1);
        picture_shaders(p, PICTURE_VERTEX, PICTURE_PIXEL);
        p->registers[XENOS_SQ_INTERPOLATOR_CNTL] = 0xFFFFFFFE;
        p->registers[XENOS_PA_SU_SC_MODE_CNTL] |= last << 19;
        picture_vertices(p, corners, 24);
        picture_draw(p, XENOS_TRIANGLES, 3);
        assert_int_equal(picture_color(p, 100, 60), last ? 0xFFFF0000 : 0xFF0000FF);
        picture_free(p);
    }
}

/* The nearer triangle wins, in either order. */
static void depth_decides(void **state)
{
    for (int order = 0; order < 2; order++) {
        picture *p = picture_new(1);
        picture_shaders(p, PICTURE_VERTEX, PICTURE_PIXEL);
        clear(p, 0, 1);
        p->registers[XENOS_RB_DEPTHCONTROL] = 6 | XENOS_LESS << 4;
        for (int i = 0; i < 2; i++) {
            float z = i == order ? 0.25f : 0.75f, g = i == order ? 1.0f : 0.0f;
            const float v[24] = {0, 0, z, 1, 0, g,   1, 1, 200, 0, z, 1,
                                 0, g, 1, 1, 0, 170, z, 1, 0,   g, 1, 1};
            picture_vertices(p, v, 24);
            picture_draw(p, XENOS_TRIANGLES, 3);
        }
        assert_int_equal(picture_color(p, 20, 20), 0xFFFFFF00);
        xenos_counts counts;
        xenos_soft_backend.counts(p->soft, &counts);
        assert_int_equal(counts.z_fail == 0, order == 1);
        picture_free(p);
    }
}

/* Slope 1/16 of a pixel's steepest change, plus a constant, by face. */
static void polygons_are_offset(void **state)
{
    picture *p = picture_new(1);
    picture_shaders(p, PICTURE_VERTEX, PICTURE_PIXEL);
    p->registers[XENOS_RB_DEPTHCONTROL] = 6 | XENOS_ALWAYS << 4;
    p->registers[XENOS_PA_SU_SC_MODE_CNTL] |= 1u << 11 | 1u << 12 | 1u << 2;
    p->registers[XENOS_PA_SU_POLY_OFFSET_FRONT_SCALE] = xenos_float_bits(48.0f);
    p->registers[XENOS_PA_SU_POLY_OFFSET_FRONT_OFFSET] = xenos_float_bits(0.125f);
    p->registers[XENOS_PA_SU_POLY_OFFSET_BACK_SCALE] = 0;
    p->registers[XENOS_PA_SU_POLY_OFFSET_BACK_OFFSET] = xenos_float_bits(-0.0625f);
    /* z = x / 1024: 3 * 1/1024 for the slope of 48/16. Clockwise is the front (FACE 1). */
    const float front[24] = {0, 0, 0, 1, 0, 0,   0, 1, 256, 0, 0.25f, 1,
                             0, 0, 0, 1, 0, 128, 0, 1, 0,   0, 0,     1};
    const float back[24] = {0, 0, 0, 1, 0,   0, 0,     1, 0, 128, 0, 1,
                            0, 0, 0, 1, 256, 0, 0.25f, 1, 0, 0,   0, 1};
    for (int i = 0; i < 2; i++) {
        picture_vertices(p, i ? back : front, 24);
        picture_draw(p, XENOS_TRIANGLES, 3);
        double expected = 100.5 / 1024 + (i ? -0.0625 : 0.125 + 3.0 / 1024);
        double stored = picture_word(p, PICTURE_DEPTH, 1, 100, 3) >> 8;
        assert_true(absolute(stored - expected * 16777215) <= 1.5);
    }
    picture_free(p);
}

/* SQ_CONTEXT_MISC.PARAM_GEN_POS 1: |x|, |y| the pixel; signs back face, point, line; z, w the place in
 * a point. The shader writes x / 320, y / 180 and the signs. */
static void pixel_parameters(void **state)
{
    static const char *const place = "xps_3_0\nalloc colors\nexece\n"
                                     "mul oC0, r1_abs, c0\n";
    static const char *const signs = "xps_3_0\nexec\n"
                                     "sge r2, -r1, c1\n" /* 1 where not above 0 */
                                     "alloc colors\nexece\nmax oC0, r2, r2\n";
    static const char *const in_point = "xps_3_0\nalloc colors\nexece\n"
                                        "max oC0, r1_abs.zwzw, r1_abs.zwzw\n";
    picture *p = picture_new(1);
    uint32_t *r = p->registers;
    r[XENOS_SQ_PROGRAM_CNTL] = 1u << 18;
    r[XENOS_SQ_CONTEXT_MISC] = 1u << 8;
    r[XENOS_PA_SU_POINT_SIZE] = 160u << 16 | 160; /* 20x20 */
    r[XENOS_PA_SU_SC_MODE_CNTL] |= 1u << 2;
    const float scale[4] = {1.0f / 320, 1.0f / 180, 1, 1};
    for (int i = 0; i < 4; i++) {
        r[XENOS_CONSTANT_ALU + 4 * 256 + i] = xenos_float_bits(scale[i]);
    }
    picture_shaders(p, PICTURE_VERTEX, place);
    picture_vertices(p, corners, 24);
    picture_draw(p, XENOS_TRIANGLES, 3);
    assert_byte(picture_color(p, 111, 66), 0, 111.0 / 320);
    assert_byte(picture_color(p, 111, 66), 8, 66.0 / 180);

    picture_shaders(p, PICTURE_VERTEX, signs);
    picture_draw(p, XENOS_TRIANGLES, 3); /* clockwise: the front */
    assert_int_equal(picture_color(p, 111, 66) & 0xFFFF, 0);
    r[XENOS_PA_SU_SC_MODE_CNTL] &= ~4u;
    picture_draw(p, XENOS_TRIANGLES, 3);
    assert_int_equal(picture_color(p, 111, 66) & 0xFFFF, 0x00FF);
    r[XENOS_PA_SU_SC_MODE_CNTL] |= 4u;
    const float point[8] = {200, 100, 0, 1, 0, 0, 0, 1};
    picture_vertices(p, point, 8);
    picture_draw(p, XENOS_POINTS, 1);
    assert_int_equal(picture_color(p, 199, 99) & 0xFFFF, 0xFF00);

    picture_shaders(p, PICTURE_VERTEX, in_point);
    picture_draw(p, XENOS_POINTS, 1);
    for (uint32_t y = 90; y < 110; y++) {
        for (uint32_t x = 190; x < 210; x++) {
            assert_byte(picture_color(p, x, y), 0, (x - 190 + 0.5) / 20);
            assert_byte(picture_color(p, x, y), 8, (y - 90 + 0.5) / 20);
        }
    }
    picture_free(p);
}

static uint32_t random_next(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* 3,000 triangles and more than a chunk of them, blended, with depth. */
static void crowd(picture *p)
{
    static float v[9000 * 8];
    uint32_t seed = 11;
    picture_shaders(p, PICTURE_VERTEX, PICTURE_PIXEL);
    clear(p, 0.25f, 1);
    p->registers[XENOS_RB_DEPTHCONTROL] = 6 | XENOS_LESS_EQUAL << 4;
    p->registers[XENOS_RB_BLENDCONTROL0] = 0x07060706; /* SRC_ALPHA, ONE_MINUS_SRC_ALPHA */
    for (uint32_t i = 0; i < 9000; i++) {
        float *at = v + 8 * i;
        for (int k = 0; k < 8; k++) {
            at[k] = (float)(random_next(&seed) & 0xFFFF) / 65536.0f;
        }
        uint32_t tip = i / 3 * 3;
        at[0] = i == tip ? at[0] * 400 - 40 : v[8 * tip] + at[0] * 60 - 30;
        at[1] = i == tip ? at[1] * 240 - 30 : v[8 * tip + 1] + at[1] * 60 - 30;
        at[3] = 1 + at[3] * 4;
    }
    p->used = PICTURE_MEMORY / 2;
    memset(p->bytes, 0, sizeof p->bytes);
    picture_vertices(p, v, 9000 * 8);
    picture_draw(p, XENOS_TRIANGLES, 9000);
}

static void threads_change_nothing(void **state)
{
    picture *one = picture_new(1);
    crowd(one);
    xenos_counts a, b;
    xenos_soft_backend.counts(one->soft, &a);
    assert_true(a.z_fail > 100000 && a.z_pass > 100000);
    for (uint32_t threads = 2; threads <= 5; threads += 3) {
        picture *many = picture_new(threads);
        crowd(many);
        assert_memory_equal(xenos_soft_backend.edram(one->soft),
                            xenos_soft_backend.edram(many->soft), XENOS_EDRAM_BYTES);
        xenos_soft_backend.counts(many->soft, &b);
        assert_memory_equal(&a, &b, sizeof a);
        picture_free(many);
    }
    picture_free(one);
}

/* Sample s of a pixel of a 4x target: bit 0 of s is down, bit 1 to the right (edram.h). */
static uint32_t sample(const picture *p, uint32_t x, uint32_t y, uint32_t s)
{
    uint32_t sx = 2 * x + (s >> 1), sy = 2 * y + (s & 1);
    const uint8_t *at = xenos_soft_backend.edram(p->soft) + (sy / 16 * 8 + sx / 80) * 5120 +
                        sy % 16 * 320 + sx % 80 * 4;
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/* A rectangle to x = 10.5 with 4x: of pixel 10 the two left samples. Its red is x / 11: in the centre
 * 10.5 / 11, at the centroid, which is the first sample, 10.375 / 11. */
static void samples_and_centroids(void **state)
{
    const float v[24] = {0,          0, 0.5f, 1, 0, 0,  0,    1, 10.5f, 0, 0.5f, 1,
                         10.5f / 11, 0, 0,    1, 0, 20, 0.5f, 1, 0,     0, 0,    1};
    for (uint32_t centers = 0; centers < 2; centers++) {
        picture *p = picture_new(1);
        picture_shaders(p, PICTURE_VERTEX, PICTURE_PIXEL);
        p->registers[XENOS_RB_SURFACE_INFO] = PICTURE_WIDTH | 2 << 16;
        p->registers[XENOS_SQ_CONTEXT_MISC] = centers << 2;
        picture_vertices(p, v, 24);
        picture_draw(p, XENOS_RECTANGLES, 3);
        for (uint32_t s = 0; s < 4; s++) {
            assert_byte(sample(p, 9, 5, s), 0, 9.5 / 11);
            assert_int_equal(sample(p, 10, 5, s) != 0, s < 2);
            if (s < 2) {
                assert_byte(sample(p, 10, 5, s), 0, (centers ? 10.5 : 10.375) / 11);
            }
        }
        picture_free(p);
    }
    /* MSAA_ENABLE off: all samples are at the centre, which is on the rectangle's right side: out. With
     * a mask of sample 2 alone, only that one is written. */
    picture *p = picture_new(1);
    picture_shaders(p, PICTURE_VERTEX, PICTURE_PIXEL);
    p->registers[XENOS_RB_SURFACE_INFO] = PICTURE_WIDTH | 2 << 16;
    p->registers[XENOS_PA_SU_SC_MODE_CNTL] &= ~(1u << 15);
    p->registers[XENOS_PA_SC_AA_MASK] = 0x4444;
    picture_vertices(p, v, 24);
    picture_draw(p, XENOS_RECTANGLES, 3);
    for (uint32_t s = 0; s < 4; s++) {
        assert_int_equal(sample(p, 9, 5, s) != 0, s == 2);
        assert_int_equal(sample(p, 10, 5, s), 0);
    }
    picture_free(p);
}

/* VGT_OUTPUT_PATH_CNTL 1: patches without vertices, whose shaders make positions out of the weights.
 * A quad patch over 160x90 pixels is full, each pixel once (additive blending), and red is u. A triangle
 * with corners 0 (0, 0), 1 (160, 0), 2 (0, 90) covers half; green is the weight of corner 1. */
static void patches_are_cut(void **state)
{
    static const char *const quad = "xvs_3_0\nalloc position\nexec\nmad oPos, r0.yzyy, c0, c1\n"
                                    "alloc interpolators\nexece\nmax o0, r0.yzyz, r0.yzyz\n";
    static const char *const triangle = "xvs_3_0\nalloc position\nexec\nmad oPos, r0.yxyy, c0, c1\n"
                                        "alloc interpolators\nexece\nmax o0, r0.xyzz, r0.xyzz\n";
    for (uint32_t n = 0; n < 12; n++) {
        uint32_t is_quad = n & 1, mode = n >> 1 & 1;
        picture *p = picture_new(1);
        uint32_t *r = p->registers;
        picture_shaders(p, is_quad ? quad : triangle, PICTURE_PIXEL);
        const float c[8] = {160, 90, 0, 0, 0, 0, 0.5f, 1};
        for (int i = 0; i < 8; i++) {
            r[XENOS_CONSTANT_ALU + i] = xenos_float_bits(c[i]);
        }
        r[XENOS_VGT_OUTPUT_PATH_CNTL] = 1;
        r[XENOS_VGT_HOS_CNTL] = mode;
        r[XENOS_VGT_HOS_MAX_TESS_LEVEL] = xenos_float_bits((float)(n >> 2) * 3.3f);
        r[XENOS_RB_BLENDCONTROL0] = 0x01010101; /* ONE, ONE */
        picture_draw(p, is_quad ? XENOS_QUAD_PATCHES : XENOS_TRIANGLE_PATCHES, 1);
        for (uint32_t y = 0; y < PICTURE_HEIGHT; y++) {
            for (uint32_t x = 0; x < PICTURE_WIDTH; x++) {
                double u = (x + 0.5) / 160, v = (y + 0.5) / 90;
                uint32_t found = picture_color(p, x, y);
                if (u > 1 || v > 1 || (!is_quad && u + v > 1 + 1e-9)) {
                    assert_int_equal(found, 0);
                } else if (is_quad || u + v < 1 - 0.01) {
                    /* Corners are rounded to 1/16 pixel: 1/16 of 255 / 90 off at most, and 0.5. */
                    assert_true(absolute((found & 0xFF) - (is_quad ? u : v) * 255) < 0.95);
                    assert_true(absolute((found >> 8 & 0xFF) - (is_quad ? v : u) * 255) < 0.95);
                }
            }
        }
        picture_free(p);
    }
}

/* Depth only: the same depth, no colour, and a pixel shader that would write depth is not run. */
static void depth_only_draws_no_colour(void **state)
{
    picture *p = picture_new(1), *q = picture_new(1);
    for (int i = 0; i < 2; i++) {
        picture *at = i ? q : p;
        picture_shaders(
            at, PICTURE_VERTEX,
            i ? "xps_3_0\nexec\nmax oDepth.x, c0, c0\nalloc colors\nexece\nmax oC0, r0, r0\n"
              : PICTURE_PIXEL);
        at->registers[XENOS_RB_DEPTHCONTROL] = 6 | XENOS_ALWAYS << 4;
        at->registers[XENOS_RB_MODECONTROL] = i ? XENOS_MODE_DEPTH : XENOS_MODE_COLOR_DEPTH;
        picture_vertices(at, corners, 24);
        picture_draw(at, XENOS_TRIANGLES, 3);
    }
    const uint8_t *a = xenos_soft_backend.edram(p->soft), *b = xenos_soft_backend.edram(q->soft);
    assert_memory_equal(a + PICTURE_DEPTH * 5120, b + PICTURE_DEPTH * 5120, 48 * 5120);
    assert_int_equal(picture_color(q, 100, 60), 0);
    assert_int_not_equal(picture_color(p, 100, 60), 0);
    picture_free(p);
    picture_free(q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rectangle_clears_colour_and_depth),
        cmocka_unit_test(triangles_interpolate),
        cmocka_unit_test(flat_parameters_are_the_provoking_vertex),
        cmocka_unit_test(depth_decides),
        cmocka_unit_test(polygons_are_offset),
        cmocka_unit_test(pixel_parameters),
        cmocka_unit_test(threads_change_nothing),
        cmocka_unit_test(samples_and_centroids),
        cmocka_unit_test(patches_are_cut),
        cmocka_unit_test(depth_only_draws_no_colour),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
