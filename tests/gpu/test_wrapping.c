/* SQ_WRAPPING: components of a parameter that go the shorter way round (learn.microsoft.com, "Texture
 * Wrapping (Direct3D 9)": from 0.8 to 0.2 by 1, not by 0.5). */
#include "picture.h"

/* A rectangle of 320x180 pixels whose parameter goes from one value to another along x, in all
 * components, and the value of component 0 and 1 at a pixel: what is left of whole numbers. */
static void draw(picture *p, uint32_t primitive, float from, float to)
{
    const float v[32] = {0,    0,    0.5f, 1,   from, from, from, from, 320, 0,    0.5f,
                         1,    to,   to,   to,  to,   0,    180,  0.5f, 1,   from, from,
                         from, from, 320,  180, 0.5f, 1,    to,   to,   to,  to};
    picture_vertices(p, v, 32);
    picture_draw(p, primitive, primitive == XENOS_RECTANGLES ? 3 : 4);
}

static void assert_value(const picture *p, uint32_t x, uint32_t component, double expected)
{
    double found = (picture_color(p, x, 90) >> (8 * component) & 0xFF) / 255.0;
    expected -= (int)expected;
    if (found - expected > 0.005 || expected - found > 0.005) {
        fail_msg("component %u at %u is %g, expected %g", component, x, found, expected);
    }
}

#define PIXEL "xps_3_0\nexec\nfrc r0, r0\nalloc colors\nexece\nmax oC0, r0, r0\n"

static void the_shorter_way(void **state)
{
    static const uint32_t shapes[2] = {XENOS_RECTANGLES, XENOS_TRIANGLE_STRIP};
    static const float ends[4][2] = {{0.8f, 0.1f}, {0.1f, 0.8f}, {0.2f, 0.6f}, {0.6f, 0.2f}};
    for (uint32_t i = 0; i < 8; i++) {
        picture *p = picture_new(1);
        float from = ends[i / 2][0], to = ends[i / 2][1];
        picture_shaders(p, PICTURE_VERTEX, PIXEL);
        p->registers[XENOS_SQ_WRAPPING_0] = 1; /* x of parameter 0 */
        draw(p, shapes[i & 1], from, to);
        double way = (double)to - from;
        double shorter = way > 0.5 ? way - 1 : way < -0.5 ? way + 1 : way;
        for (uint32_t x = 0; x < 320; x += 20) {
            double t = (x + 0.5) / 320;
            assert_value(p, x, 0, from + t * shorter + 1);
            assert_value(p, x, 1, from + t * way);
        }
        picture_free(p);
    }
}

/* Each parameter has four bits: 8 and up are in the second register. Flat ones stay as they are. */
static void which_parameter(void **state)
{
    picture *p = picture_new(1);
    picture_shaders(p,
                    "xvs_3_0\nexec\n"
                    "vfetch_full r1, r0.x, vf95, DataFormat=FMT_32_32_32_32_FLOAT, Stride=8\n"
                    "vfetch_mini r2, DataFormat=FMT_32_32_32_32_FLOAT, Offset=4\n"
                    "alloc position\nexec\nmax oPos, r1, r1\n"
                    "alloc interpolators\nexece\nmax o1, r2, r2\nmax o9, r2, r2\n",
                    "xps_3_0\nexec\nfrc r1, r1\nfrc r9, r9\nmax r1.zw, r9.xxxy, r9.xxxy\n"
                    "alloc colors\nexece\nmax oC0, r1, r1\n");
    p->registers[XENOS_SQ_WRAPPING_0] = 2u << 4;
    p->registers[XENOS_SQ_WRAPPING_0 + 1] = 1u << 4;
    draw(p, XENOS_RECTANGLES, 0.8f, 0.1f);
    double t = 100.5 / 320, straight = 0.8 - 0.7 * t, round = 0.8 + 0.3 * t;
    assert_value(p, 100, 0, straight);
    assert_value(p, 100, 1, round);
    assert_value(p, 100, 2, round);
    assert_value(p, 100, 3, straight);
    /* The last vertex provokes: 0.1, not 1.1; the fraction is the same, so look at it whole. */
    picture_shaders(p, PICTURE_VERTEX, PICTURE_PIXEL);
    p->registers[XENOS_SQ_WRAPPING_0] = 15;
    p->registers[XENOS_SQ_INTERPOLATOR_CNTL] = 0xFFFFFFFE;
    p->registers[XENOS_PA_SU_SC_MODE_CNTL] |= 1u << 19;
    draw(p, XENOS_TRIANGLE_STRIP, 0.8f, 0.1f);
    assert_value(p, 300, 0, 0.1);
    picture_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_shorter_way),
        cmocka_unit_test(which_parameter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
