/* Coverage against an exact reference, in whole numbers of 1/16 pixel. */
#include "soft_case.h"

/* Is the sample inside? A sample on a side belongs to the triangle whose inside is reached by going an
 * infinitesimal step right, and for level sides a far smaller step down: that is what the top-left
 * rule means (learn.microsoft.com, "Rasterization Rules"). */
static int inside(const int64_t v[6], int64_t x, int64_t y)
{
    __int128 area =
        (__int128)(v[2] - v[0]) * (v[5] - v[1]) - (__int128)(v[4] - v[0]) * (v[3] - v[1]);
    if (area == 0) {
        return 0;
    }
    for (int i = 0; i < 3; i++) {
        int j = (i + 1) % 3;
        __int128 ex = v[2 * j] - v[2 * i], ey = v[2 * j + 1] - v[2 * i + 1];
        __int128 at = ex * (y - v[2 * i + 1]) - ey * (x - v[2 * i]);
        __int128 right = -ey, down = ex;
        __int128 first = at != 0 ? at : right != 0 ? right : down;
        if (area < 0) {
            first = -first;
        }
        if (first <= 0) {
            return 0;
        }
    }
    return 1;
}

static void check(const int64_t v[6])
{
    for (int y = 0; y < CASE_HEIGHT; y++) {
        for (int x = 0; x < CASE_WIDTH; x++) {
            for (uint32_t s = 0; s < case_samples; s++) {
                const int *at = case_positions[case_samples][s];
                int expected = inside(v, x * 16 + at[0], y * 16 + at[1]);
                if (case_covered[s][y][x] != expected) {
                    fail_msg("pixel %d %d sample %u: covered %d, expected %d", x, y, s,
                             case_covered[s][y][x], expected);
                }
            }
        }
    }
}

static void random_triangles_are_exact(void **state)
{
    (void)state;
    soft_case *c = case_new();
    uint32_t seed = 1;
    for (int n = 0; n < 90; n++) {
        case_samples = 1u << n % 3;
        case_prepare(c);
        case_clear();
        /* Small, middle and much larger than the picture; often on whole pixels. */
        int64_t range = n % 5 == 0 ? 64 : n % 5 == 1 ? 100000 : 6000;
        int64_t grain = n % 4 == 0 ? 8 : 1;
        int64_t v[6];
        float p[6];
        for (int i = 0; i < 6; i++) {
            v[i] = ((int64_t)(case_random(&seed) % (uint32_t)range) - range / 4) / grain * grain;
            p[i] = (float)v[i] / 16.0f;
        }
        case_triangle(c, p);
        check(v);
        assert_int_equal(case_outside, 0);
    }
    case_samples = 1;
    case_free(c);
}

static void shared_sides_cover_each_sample_once(void **state)
{
    (void)state;
    soft_case *c = case_new();
    uint32_t seed = 7;
    for (case_samples = 1; case_samples <= 4; case_samples *= 2) {
        case_prepare(c);
        case_clear();
        /* A mesh of jittered cells from beyond one corner of the picture to beyond the other. */
        enum { CELLS = 12, SIZE = 24 };
        float x[CELLS + 1][CELLS + 1], y[CELLS + 1][CELLS + 1];
        for (int i = 0; i <= CELLS; i++) {
            for (int j = 0; j <= CELLS; j++) {
                x[i][j] = (float)(j * SIZE - 10) + (float)(case_random(&seed) % 128) / 16.0f;
                y[i][j] = (float)(i * SIZE - 10) + (float)(case_random(&seed) % 128) / 16.0f;
            }
        }
        for (int i = 0; i < CELLS; i++) {
            for (int j = 0; j < CELLS; j++) {
                const float a[6] = {x[i][j],     y[i][j],         x[i][j + 1],
                                    y[i][j + 1], x[i + 1][j + 1], y[i + 1][j + 1]};
                const float b[6] = {x[i][j],         y[i][j],     x[i + 1][j + 1],
                                    y[i + 1][j + 1], x[i + 1][j], y[i + 1][j]};
                case_triangle(c, a);
                case_triangle(c, b);
            }
        }
        for (uint32_t s = 0; s < case_samples; s++) {
            for (int py = 0; py < CASE_HEIGHT; py++) {
                for (int px = 0; px < CASE_WIDTH; px++) {
                    assert_int_equal(case_covered[s][py][px], 1);
                }
            }
        }
    }
    case_samples = 1;
    case_free(c);
}

/* Vertices so far away that they are cut: a fan around a point in the picture still covers each
 * sample once. */
static void far_vertices_leave_no_gap(void **state)
{
    (void)state;
    soft_case *c = case_new();
    case_prepare(c);
    case_clear();
    const float far[4][2] = {
        {-3.0e6f, -2.0e6f}, {2.5e7f, -1.0e6f}, {4.0e5f, 9.0e6f}, {-6.0e8f, 3.0e7f}};
    for (int i = 0; i < 4; i++) {
        int j = (i + 1) % 4;
        case_triangle(c,
                      (const float[]){101.3f, 77.7f, far[i][0], far[i][1], far[j][0], far[j][1]});
    }
    for (int y = 0; y < CASE_HEIGHT; y++) {
        for (int x = 0; x < CASE_WIDTH; x++) {
            assert_int_equal(case_covered[0][y][x], 1);
        }
    }
    case_free(c);
}

static uint32_t covered(int x0, int y0, int x1, int y1)
{
    uint32_t n = 0;
    for (int y = y0; y < y1; y++) {
        for (int x = x0; x < x1; x++) {
            n += case_covered[0][y][x] == 1;
        }
    }
    return n;
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

/* Three corners in any order and either direction: the same 30x20 pixels (xenia
 * vulkan_pipeline_cache.cc, kRectangleList: the fourth is across the longest side). */
static void rectangles_have_four_corners(void **state)
{
    (void)state;
    soft_case *c = case_new();
    c->registers[XENOS_PA_SU_SC_MODE_CNTL] |= 3; /* culling both faces does not touch them */
    case_prepare(c);
    static const int order[6][3] = {{0, 1, 2}, {1, 2, 0}, {2, 0, 1},
                                    {0, 2, 1}, {2, 1, 0}, {1, 0, 2}};
    const float x[3] = {10, 40, 10}, y[3] = {50, 50, 70};
    for (int i = 0; i < 6; i++) {
        case_clear();
        soft_vertex v[3];
        for (int k = 0; k < 3; k++) {
            v[k] = case_vertex(c, x[order[i][k]], y[order[i][k]], 0.5f, 1.0f);
        }
        case_shape(c, XENOS_SHAPE_RECTANGLE, &v[0], &v[1], &v[2]);
        case_raster(c);
        assert_int_equal(covered(10, 50, 40, 70), 600);
        assert_int_equal(total(), 600);
    }
    case_free(c);
}

/* PA_SU_POINT_SIZE holds half sizes in 1/16: 2.5 and 1.5 pixels make 5x3. */
static void points_are_boxes_around_their_centre(void **state)
{
    (void)state;
    soft_case *c = case_new();
    c->registers[XENOS_PA_SU_POINT_SIZE] = 40u << 16 | 24;
    case_prepare(c);
    case_clear();
    soft_vertex v = case_vertex(c, 20.5f, 30.5f, 0.5f, 1.0f);
    case_shape(c, XENOS_SHAPE_POINT, &v, &v, &v);
    case_raster(c);
    assert_int_equal(covered(18, 29, 23, 32), 15);
    assert_int_equal(total(), 15);

    /* The shader's size is a diameter: 4 pixels. */
    case_clear();
    v.size = 4.0f;
    case_shape(c, XENOS_SHAPE_POINT, &v, &v, &v);
    case_raster(c);
    assert_int_equal(total(), 16);
    case_free(c);
}

/* Half a width of 8/16 is a line of one pixel: one in each column, ten columns. */
static void lines_have_a_pixel_in_each_step(void **state)
{
    (void)state;
    soft_case *c = case_new();
    c->registers[XENOS_PA_SU_LINE_CNTL] = 8;
    case_prepare(c);
    case_clear();
    soft_vertex a = case_vertex(c, 10.5f, 20.5f, 0.5f, 1.0f);
    soft_vertex b = case_vertex(c, 20.5f, 24.5f, 0.5f, 1.0f);
    case_shape(c, XENOS_SHAPE_LINE, &a, &b, &b);
    case_raster(c);
    for (int x = 10; x < 20; x++) {
        assert_int_equal(covered(x, 0, x + 1, CASE_HEIGHT), 1);
    }
    assert_int_equal(total(), 10);

    /* Down: one in each row; drawn up the last is the first one's. LAST_PIXEL adds one at the end, also
     * of a line that ends before a centre. */
    for (int n = 0; n < 4; n++) {
        int up = n & 1, last = n >> 1;
        c->registers[XENOS_PA_SC_LINE_CNTL] = last ? 1u << 10 : 0;
        case_prepare(c);
        case_clear();
        soft_vertex d = case_vertex(c, 12.25f, last && !up ? 35.25f : 35.5f, 0.5f, 1.0f);
        case_shape(c, XENOS_SHAPE_LINE, up ? &d : &a, up ? &a : &d, &a);
        case_raster(c);
        int first = up && !last ? 21 : 20, end = up || last ? 36 : 35;
        for (int y = first; y < end; y++) {
            assert_int_equal(covered(0, y, CASE_WIDTH, y + 1), 1);
        }
        assert_int_equal(total(), end - first);
    }
    case_free(c);
}

/* Two lines that meet anywhere share no pixel and leave none out. */
static void lines_join(void **state)
{
    (void)state;
    soft_case *c = case_new();
    c->registers[XENOS_PA_SU_LINE_CNTL] = 8;
    case_prepare(c);
    uint32_t seed = 3;
    for (int n = 0; n < 200; n++) {
        float x[3], y = 50 + (float)(case_random(&seed) % 64) / 16.0f;
        for (int i = 0; i < 3; i++) {
            x[i] =
                20 + 60.0f * (float)(n & 1 ? 2 - i : i) + (float)(case_random(&seed) % 64) / 16.0f;
        }
        case_clear();
        soft_vertex v[3];
        for (int i = 0; i < 3; i++) {
            v[i] = case_vertex(c, x[i], y, 0.5f, 1.0f);
        }
        case_shape(c, XENOS_SHAPE_LINE, &v[0], &v[1], &v[1]);
        case_shape(c, XENOS_SHAPE_LINE, &v[1], &v[2], &v[2]);
        case_raster(c);
        int low = (int)(x[0] < x[2] ? x[0] : x[2]) + 1, high = (int)(x[0] < x[2] ? x[2] : x[0]);
        for (int px = low; px < high; px++) {
            assert_int_equal(covered(px, 0, px + 1, CASE_HEIGHT), 1);
        }
        assert_true(total() <= (uint32_t)(high - low) + 2);
    }
    case_free(c);
}

static void scissors_cut(void **state)
{
    (void)state;
    soft_case *c = case_new();
    const float all[6] = {-10, -10, 1000, -10, -10, 1000};
    c->registers[XENOS_PA_SC_WINDOW_SCISSOR_TL] = 5 | 7 << 16 | 1u << 31;
    c->registers[XENOS_PA_SC_WINDOW_SCISSOR_BR] = 18 | 31 << 16;
    case_prepare(c);
    case_clear();
    case_triangle(c, all);
    assert_int_equal(covered(5, 7, 18, 31), 13 * 24);
    assert_int_equal(total(), 13 * 24);

    /* With the window offset (3, -2) they move, the vertices do not (VTX_WINDOW_OFFSET_ENABLE off). */
    c->registers[XENOS_PA_SC_WINDOW_SCISSOR_TL] = 5 | 7 << 16;
    c->registers[XENOS_PA_SC_WINDOW_OFFSET] = 3 | 0x7FFEu << 16;
    case_prepare(c);
    case_clear();
    case_triangle(c, all);
    assert_int_equal(covered(8, 5, 21, 29), 13 * 24);
    assert_int_equal(total(), 13 * 24);

    /* The screen's corner at (10, 6). */
    c->registers[XENOS_PA_SC_SCREEN_SCISSOR_TL] = 10 | 6 << 16;
    case_prepare(c);
    case_clear();
    case_triangle(c, all);
    assert_int_equal(covered(10, 6, 21, 29), 11 * 23);
    assert_int_equal(total(), 11 * 23);
    case_free(c);
}

static void faces_are_culled_as_they_turn(void **state)
{
    (void)state;
    soft_case *c = case_new();
    /* Seen with y down, (0,0) (10,0) (0,10) turns clockwise. */
    const float clockwise[6] = {0, 0, 10, 0, 0, 10}, counter[6] = {0, 0, 0, 10, 10, 0};
    for (uint32_t bits = 0; bits < 8; bits++) {
        uint32_t cull_front = bits & 1, cull_back = bits >> 1 & 1, face = bits >> 2;
        c->registers[XENOS_PA_SU_SC_MODE_CNTL] = bits | 1u << 15;
        case_prepare(c);
        case_clear();
        case_triangle(c, clockwise);
        /* FACE 1: clockwise is the front (xenia registers.h). */
        assert_int_equal(total() != 0, !(face ? cull_front : cull_back));
        case_clear();
        case_triangle(c, counter);
        assert_int_equal(total() != 0, !(face ? cull_back : cull_front));
    }
    case_free(c);
}

/* PA_SU_VTX_CNTL: rounding of 2.5 and 3.5 sixteenths, of steps of one pixel, and the half pixel that
 * Direct3D 9's centres add. */
static void vertices_are_rounded(void **state)
{
    (void)state;
    soft_case *c = case_new();
    static const struct {
        uint32_t control;
        double value; /* pixels */
        int32_t expected;
    } rows[] = {
        {1 | 0 << 1, 2.5 / 16, 2},       {1 | 0 << 1, -2.5 / 16, -2},
        {1 | 1 << 1, 2.5 / 16, 3},       {1 | 1 << 1, -2.5 / 16, -3},
        {1 | 2 << 1, 2.5 / 16, 2},       {1 | 2 << 1, 3.5 / 16, 4},
        {1 | 3 << 1, 2.5 / 16, 3},       {1 | 3 << 1, 3.5 / 16, 3},
        {1 | 2 << 1, 2.51 / 16, 3},      {1 | 2 << 1, -2.51 / 16, -3},
        {1 | 2 << 1 | 4 << 3, 1.7, 32},  {0 | 2 << 1 | 4 << 3, 1.7, 40},
        {0 | 2 << 1, 1.0, 24},           {1 | 2 << 1 | 1 << 3, 1.0 / 16, 0},
        {1 | 1 << 1 | 2 << 3, 0.125, 4},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        c->registers[XENOS_PA_SU_VTX_CNTL] = rows[i].control;
        case_prepare(c);
        assert_int_equal(soft_setup_snap(&c->context, rows[i].value), rows[i].expected);
    }
    case_free(c);
}

/* POLY_MODE 1 with lines: the outline of a 21x21 right triangle, without its inside. */
static void polygons_as_lines_and_points(void **state)
{
    (void)state;
    soft_case *c = case_new();
    c->registers[XENOS_PA_SU_LINE_CNTL] = 8;
    c->registers[XENOS_PA_SU_POINT_SIZE] = 8u << 16 | 8;
    c->registers[XENOS_PA_SU_SC_MODE_CNTL] |= 1 << 3 | 1 << 5 | 1 << 8;
    case_prepare(c);
    case_clear();
    const float p[6] = {10.5f, 10.5f, 30.5f, 10.5f, 10.5f, 30.5f};
    case_triangle(c, p);
    assert_int_equal(covered(11, 10, 30, 11), 19);
    assert_int_equal(covered(10, 11, 11, 30), 19);
    assert_int_equal(covered(12, 12, 18, 18), 0);
    c->registers[XENOS_PA_SU_SC_MODE_CNTL] = 1u << 15 | 1 << 3;
    case_prepare(c);
    case_clear();
    case_triangle(c, p);
    assert_int_equal(total(), 3);
    /* 2 is reserved, and fills (xenia xenos.h, PolygonModeEnable). */
    c->registers[XENOS_PA_SU_SC_MODE_CNTL] = 1u << 15 | 2 << 3;
    case_prepare(c);
    case_clear();
    case_triangle(c, p);
    assert_true(total() > 150);
    case_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_triangles_are_exact),
        cmocka_unit_test(shared_sides_cover_each_sample_once),
        cmocka_unit_test(far_vertices_leave_no_gap),
        cmocka_unit_test(rectangles_have_four_corners),
        cmocka_unit_test(points_are_boxes_around_their_centre),
        cmocka_unit_test(lines_have_a_pixel_in_each_step),
        cmocka_unit_test(lines_join),
        cmocka_unit_test(scissors_cut),
        cmocka_unit_test(faces_are_culled_as_they_turn),
        cmocka_unit_test(vertices_are_rounded),
        cmocka_unit_test(polygons_as_lines_and_points),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
