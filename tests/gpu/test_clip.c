/* Clip space, viewport and window: where vertices come to lie, and what is cut away. */
#include <stdio.h>

#include "soft_case.h"

/* 128x128 pixels around (128, 128), y up in clip space, depth 0..1, W in the shader's W. */
static soft_case *viewport(void)
{
    soft_case *c = case_new();
    uint32_t *r = c->registers;
    r[XENOS_PA_CL_VTE_CNTL] = 0x43F;
    r[XENOS_PA_CL_CLIP_CNTL] = 1u << 19;
    r[XENOS_PA_CL_VPORT_XSCALE] = xenos_float_bits(64);
    r[XENOS_PA_CL_VPORT_XOFFSET] = xenos_float_bits(128);
    r[XENOS_PA_CL_VPORT_YSCALE] = xenos_float_bits(-64);
    r[XENOS_PA_CL_VPORT_YOFFSET] = xenos_float_bits(128);
    r[XENOS_PA_CL_VPORT_ZSCALE] = xenos_float_bits(1);
    return c;
}

static void assert_near(double value, double expected)
{
    double difference = value > expected ? value - expected : expected - value;
    if (!(difference <= 1e-9)) {
        fail_msg("found %.17g, expected %.17g", value, expected);
    }
}

/* PA_CL_VTE_CNTL 10:8: is W W or 1/W, are Z and XY divided already? All eight describe (3, -1, 1, 4),
 * which is (0.75, -0.25, 0.25) divided: x = 128 + 48, y = 128 + 16. */
static void formats_of_positions(void **state)
{
    (void)state;
    soft_case *c = viewport();
    for (uint32_t bits = 0; bits < 8; bits++) {
        c->registers[XENOS_PA_CL_VTE_CNTL] = 0x3F | bits << 8;
        case_prepare(c);
        float by = bits & 1 ? 0.25f : 1.0f;
        float x = 3 * by, y = -1 * by;
        float z = bits & 2 ? 0.25f : 1.0f, w = bits & 4 ? 4.0f : 0.25f;
        soft_vertex v = case_vertex(c, x, y, z, w);
        assert_near(v.x, 176);
        assert_near(v.y, 144);
        assert_near(v.z, 0.25);
        assert_near(v.inverse_w, 0.25);
        assert_near(v.clip[0], 3);
        assert_near(v.clip[1], -1);
        assert_near(v.clip[2], 1);
        assert_near(v.clip[3], 4);
        assert_true(v.inside);
    }
    /* Each part of the viewport has its own switch. */
    c->registers[XENOS_PA_CL_VTE_CNTL] = 0x401 | 0x8;
    case_prepare(c);
    soft_vertex v = case_vertex(c, 0.5f, 0.5f, 0.5f, 1);
    assert_near(v.x, 32);
    assert_near(v.y, 128.5);
    assert_near(v.z, 0.5);
    /* The window's offset (-3, 5) moves vertices when it is enabled. */
    c->registers[XENOS_PA_SC_WINDOW_OFFSET] = 0x7FFD | 5 << 16;
    c->registers[XENOS_PA_SU_SC_MODE_CNTL] |= 1u << 16;
    case_prepare(c);
    v = case_vertex(c, 0.5f, 0.5f, 0.5f, 1);
    assert_near(v.x, 29);
    assert_near(v.y, 133.5);
    case_free(c);
}

static uint32_t total(void)
{
    uint32_t n = 0;
    for (int y = 0; y < CASE_HEIGHT; y++) {
        for (int x = 0; x < CASE_WIDTH; x++) {
            n += case_covered[0][y][x];
        }
    }
    return n;
}

static void draw(soft_case *c, const float p[12])
{
    soft_vertex v[3];
    for (int i = 0; i < 3; i++) {
        v[i] = case_vertex(c, p[4 * i], p[4 * i + 1], p[4 * i + 2], p[4 * i + 3]);
    }
    case_shape(c, XENOS_SHAPE_TRIANGLE, &v[0], &v[1], &v[2]);
}

/* Z from 0 on the left to 1 on the right over x -1..1; scaled to run from -1 to 2, only the middle
 * third is left with Direct3D's clip space, and all from -1 with OpenGL's. */
static void near_and_far_cut(void **state)
{
    (void)state;
    soft_case *c = viewport();
    const float a[12] = {-1, 1, -1, 1, 1, 1, 2, 1, -1, -1, -1, 1};
    const float b[12] = {1, 1, 2, 1, 1, -1, 2, 1, -1, -1, -1, 1};
    case_prepare(c);
    case_clear();
    draw(c, a);
    draw(c, b);
    case_raster(c);
    /* The square is x 64..192, z = 0 at 64 + 128/3 = 106.67 and 1 at 149.33: columns 107..148. */
    assert_int_equal(total(), 42 * 128);
    for (int y = 64; y < 192; y++) {
        assert_int_equal(case_covered[0][y][106], 0);
        assert_int_equal(case_covered[0][y][107], 1);
        assert_int_equal(case_covered[0][y][148], 1);
        assert_int_equal(case_covered[0][y][149], 0);
    }
    c->registers[XENOS_PA_CL_CLIP_CNTL] = 0;
    case_prepare(c);
    case_clear();
    draw(c, a);
    draw(c, b);
    case_raster(c);
    assert_int_equal(total(), 85 * 128);            /* 64..148 */
    c->registers[XENOS_PA_CL_CLIP_CNTL] = 1u << 16; /* CLIP_DISABLE */
    case_prepare(c);
    case_clear();
    draw(c, a);
    draw(c, b);
    case_raster(c);
    assert_int_equal(total(), 128 * 128);
    case_free(c);
}

/* A floor from under the camera to the horizon: one corner behind the eye. In clip space x = y = +-w
 * bound the picture; the guard band is larger, the scissor cuts. Every point of the floor,
 * (X, -1, Z) with w = Z, projects to y = 1/Z: rows under the horizon are covered, none above. */
static void corners_behind_the_eye(void **state)
{
    (void)state;
    soft_case *c = viewport();
    c->registers[XENOS_PA_CL_GB_HORZ_CLIP_ADJ] = xenos_float_bits(100);
    c->registers[XENOS_PA_CL_GB_VERT_CLIP_ADJ] = xenos_float_bits(100);
    c->registers[XENOS_PA_CL_GB_HORZ_DISC_ADJ] = xenos_float_bits(100);
    c->registers[XENOS_PA_CL_GB_VERT_DISC_ADJ] = xenos_float_bits(100);
    case_prepare(c);
    case_clear();
    /* z = w / 2: always between near and far in front. */
    draw(c, (const float[]){-1000, -1, -25, -50, 1000, -1, -25, -50, 0, -1, 2000, 4000});
    draw(c, (const float[]){1000, -1, -25, -50, 8000, -1, 2000, 4000, 0, -1, 2000, 4000});
    draw(c, (const float[]){-1000, -1, -25, -50, 0, -1, 2000, 4000, -8000, -1, 2000, 4000});
    case_raster(c);
    for (int y = 0; y < CASE_HEIGHT; y++) {
        for (int x = 64; x < 192; x++) {
            if (y < 128) {
                assert_int_equal(case_covered[0][y][x], 0);
            } else if (y > 130) {
                assert_int_equal(case_covered[0][y][x], 1);
            }
        }
    }
    case_free(c);
}

static int near_to(uint8_t at[CASE_HEIGHT][CASE_WIDTH], int x, int y)
{
    int any = 0;
    for (int j = y > 0 ? y - 1 : 0; j <= y + 1 && j < CASE_HEIGHT; j++) {
        for (int i = x > 0 ? x - 1 : 0; i <= x + 1 && i < CASE_WIDTH; i++) {
            any |= at[j][i];
        }
    }
    return any;
}

/* Random triangles: what clipping leaves of a triangle inside one plane is what is inside the
 * triangle and the plane. The plane is x + 2 y >= 0.3 w; with W 1 it is the same line on the screen. */
static void user_planes_cut(void **state)
{
    (void)state;
    soft_case *c = viewport();
    static uint8_t whole[CASE_HEIGHT][CASE_WIDTH];
    const float plane[4] = {1, 2, 0, -0.3f};
    for (int i = 0; i < 4; i++) {
        c->registers[XENOS_PA_CL_UCP_0_X + 8 + i] = xenos_float_bits(plane[i]);
    }
    uint32_t seed = 99;
    for (int n = 0; n < 40; n++) {
        float p[12];
        for (int i = 0; i < 12; i++) {
            p[i] = i % 4 == 3   ? 1.0f
                   : i % 4 == 2 ? 0.5f
                                : (float)(case_random(&seed) % 2001) / 1000.0f - 1.0f;
        }
        c->registers[XENOS_PA_CL_CLIP_CNTL] = 1u << 19;
        case_prepare(c);
        case_clear();
        draw(c, p);
        case_raster(c);
        memcpy(whole, case_covered[0], sizeof whole);
        c->registers[XENOS_PA_CL_CLIP_CNTL] = 1u << 19 | 1u << 2;
        case_prepare(c);
        case_clear();
        draw(c, p);
        case_raster(c);
        uint32_t cut = total();
        for (int y = 0; y < CASE_HEIGHT; y++) {
            for (int x = 0; x < CASE_WIDTH; x++) {
                double side = (x + 0.5 - 128) / 64 - 2 * (y + 0.5 - 128) / 64 - 0.3;
                /* New corners are rounded to 1/16 pixel, which bends the sides that were cut: at most
                 * the next pixel appears. */
                if (side > 0.01 && case_covered[0][y][x] > whole[y][x] && !near_to(whole, x, y)) {
                    fail_msg("pixel %d %d appeared", x, y);
                }
                if (side < -0.01) {
                    assert_int_equal(case_covered[0][y][x], 0);
                }
                assert_true(case_covered[0][y][x] <= 1);
            }
        }
        /* UCP_CULL_ONLY_ENA: all or nothing. */
        c->registers[XENOS_PA_CL_CLIP_CNTL] |= 1u << 17;
        case_prepare(c);
        case_clear();
        draw(c, p);
        case_raster(c);
        int any = 0;
        for (int i = 0; i < 3; i++) {
            any |= p[4 * i] + 2 * p[4 * i + 1] >= 0.3f;
        }
        uint32_t all = 0;
        for (int y = 0; y < CASE_HEIGHT; y++) {
            for (int x = 0; x < CASE_WIDTH; x++) {
                all += whole[y][x];
            }
        }
        assert_int_equal(total(), any ? all : 0);
        assert_true(cut <= all + 64);
    }
    case_free(c);
}

/* Corners that a plane makes lie on the side, and carry what the side has there. */
static void cut_corners_are_on_the_side(void **state)
{
    (void)state;
    soft_case *c = viewport();
    c->vertex.exports = 1;
    xenos_program pixel = {.temporaries = 1};
    case_prepare(c);
    c->context.shades = 1;
    c->context.pixel.program = &pixel;
    c->context.parameters = 0;
    soft_vertex_prepare(&c->context);
    assert_int_equal(c->context.parameters, 1);
    static union {
        soft_vertex v;
        uint8_t room[sizeof(soft_vertex) + 64];
    } in[3];
    /* Linear in clip space: parameter = x + 10 y + 100 z + 1000 w. */
    const float p[3][4] = {{-2, 0, -1, 2}, {1, 1, 1.5f, 2}, {1, -3, 1, 4}};
    const soft_vertex *corner[SOFT_POLYGON];
    for (int i = 0; i < 3; i++) {
        soft_vertex_position(&c->context, &in[i].v, p[i]);
        in[i].v.parameter[0][0] = p[i][0] + 10 * p[i][1] + 100 * p[i][2] + 1000 * p[i][3];
        corner[i] = &in[i].v;
    }
    uint32_t count = soft_clip(&c->context, &c->setup.cuts, corner, 3);
    assert_int_equal(count, 4); /* the first is beyond near, nothing else is cut */
    uint32_t fresh = 0;
    for (uint32_t i = 0; i < count; i++) {
        const soft_vertex *v = corner[i];
        double expected = v->clip[0] + 10 * v->clip[1] + 100 * v->clip[2] + 1000 * v->clip[3];
        double difference = v->parameter[0][0] - expected;
        assert_true(difference < 1e-3 && difference > -1e-3);
        if (v != &in[0].v && v != &in[1].v && v != &in[2].v) {
            fresh++;
            assert_near(v->clip[2], 0);
        }
    }
    assert_int_equal(fresh, 2);
    /* (-2,0,-1,2) to (1,1,1.5,2) crosses z = 0 at 0.4: (-0.8, 0.4, 0, 2). */
    int found = 0;
    for (uint32_t i = 0; i < count; i++) {
        found += corner[i]->clip[0] > -0.8001 && corner[i]->clip[0] < -0.7999 &&
                 corner[i]->clip[1] > 0.3999 && corner[i]->clip[1] < 0.4001;
    }
    assert_int_equal(found, 1);
    case_free(c);
}

/* Whatever the shader says, nothing is drawn outside and nothing traps. */
static void positions_may_be_anything(void **state)
{
    (void)state;
    soft_case *c = viewport();
    static const uint32_t odd[] = {0x7F800000, 0xFF800000, 0x7FC00000, 0xFFC00001, 0x7F7FFFFF,
                                   0xFF7FFFFF, 0x00000001, 0x80000000, 0x00000000, 0x3F800000,
                                   0xBF800000, 0x00800000, 0x5F000000, 0xDF000000, 0x42000000};
    uint32_t seed = 5;
    for (uint32_t n = 0; n < 6000; n++) {
        if (n % 100 == 0) {
            uint32_t *r = c->registers;
            r[XENOS_PA_CL_VTE_CNTL] = case_random(&seed);
            r[XENOS_PA_CL_CLIP_CNTL] = case_random(&seed);
            r[XENOS_PA_SU_SC_MODE_CNTL] = case_random(&seed);
            r[XENOS_PA_SU_VTX_CNTL] = case_random(&seed);
            r[XENOS_PA_SU_POINT_SIZE] = case_random(&seed);
            r[XENOS_PA_SU_LINE_CNTL] = case_random(&seed);
            for (int i = 0; i < 6; i++) {
                r[XENOS_PA_CL_VPORT_XSCALE + i] =
                    n % 200 ? odd[case_random(&seed) % 15] : xenos_float_bits(100);
            }
            case_prepare(c);
        }
        float p[12];
        for (int i = 0; i < 12; i++) {
            p[i] = xenos_float(odd[case_random(&seed) % 15]);
        }
        soft_vertex v[3];
        for (int i = 0; i < 3; i++) {
            v[i] = case_vertex(c, p[4 * i], p[4 * i + 1], p[4 * i + 2], p[4 * i + 3]);
            v[i].size = p[i] > 0 && p[i] < 8191 ? p[i] : -1;
        }
        case_shape(c, 1 + n % 4, &v[0], &v[1], &v[2]);
        case_outside = 0;
        case_raster(c);
        assert_int_equal(case_outside, 0);
    }
    case_free(c);
}

static void killed_vertices_take_primitives_away(void **state)
{
    (void)state;
    soft_case *c = viewport();
    for (uint32_t n = 0; n < 16; n++) {
        uint32_t any = n >> 3;
        c->registers[XENOS_PA_CL_CLIP_CNTL] = 1u << 19 | any << 21;
        case_prepare(c);
        case_clear();
        soft_vertex v[3] = {case_vertex(c, 0, 0, 0.5f, 1), case_vertex(c, 0, 1, 0.5f, 1),
                            case_vertex(c, 1, 0, 0.5f, 1)};
        for (int i = 0; i < 3; i++) {
            v[i].killed = n >> i & 1;
        }
        case_shape(c, XENOS_SHAPE_TRIANGLE, &v[0], &v[1], &v[2]);
        case_raster(c);
        /* VTX_KILL_OR: one is enough, else it takes all three. */
        assert_int_equal(total() == 0, any ? (n & 7) != 0 : (n & 7) == 7);
    }
    case_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats_of_positions),
        cmocka_unit_test(near_and_far_cut),
        cmocka_unit_test(corners_behind_the_eye),
        cmocka_unit_test(user_planes_cut),
        cmocka_unit_test(cut_corners_are_on_the_side),
        cmocka_unit_test(positions_may_be_anything),
        cmocka_unit_test(killed_vertices_take_primitives_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
