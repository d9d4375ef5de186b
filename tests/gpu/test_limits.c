/* What a hostile draw may cost (soft.h, SOFT_DRAW_LIMIT): the rest is left out, the same whatever the
 * threads, and what was drawn before it stays. */
#include "picture.h"
#include "soft/soft.h"

/* A loop of 255 turns within one of 255. */
static const char *const endless = "xps_3_0\n"
                                   "loop i0, La\nlabel Lb\n"
                                   "loop i0, Lc\nlabel Ld\n"
                                   "exec\nadd r1, r1, r0\n"
                                   "endloop i0, Ld\nlabel Lc\n"
                                   "endloop i0, Lb\nlabel La\n"
                                   "alloc colors\nexece\nmax oC0, r0, r0\n";

static picture *new_hostile(uint32_t threads, const char *pixel)
{
    picture *p = picture_new(threads);
    picture_shaders(p, PICTURE_VERTEX, pixel);
    p->registers[XENOS_CONSTANT_LOOP] = 255;
    return p;
}

static int draw_limited(picture *p, uint32_t primitive, uint32_t count, uint64_t limit)
{
    xenos_draw draw = {
        .registers = p->registers,
        .vertex = p->vertex,
        .pixel = p->pixel,
        .primitive = primitive,
        .source = XENOS_INDICES_AUTO,
        .count = count,
        .limit = limit,
    };
    return xenos_soft_backend.draw(p->soft, &draw);
}

/* White rectangles over the whole picture, one behind the other. */
static void cover(picture *p, uint32_t count)
{
    static float v[64 * 24];
    for (uint32_t i = 0; i < count * 3; i++) {
        const float at[8] = {i % 3 == 1 ? 320 : 0, i % 3 == 2 ? 180 : 0, 0.5f, 1, 1, 1, 1, 1};
        memcpy(v + 8 * i, at, sizeof at);
    }
    picture_vertices(p, v, count * 24);
}

static uint64_t drawn(const picture *p)
{
    xenos_counts counts;
    xenos_soft_backend.counts(p->soft, &counts);
    return counts.total;
}

/* 320x180 are 3600 blocks of 16 samples. A block costs 32 and its shader's instruction: 33 times 2700 is for
 * 2700 blocks at most. */
static void a_draw_ends_at_its_limit(void **state)
{
    picture *p = new_hostile(1, PICTURE_PIXEL);
    cover(p, 64);
    assert_int_equal(draw_limited(p, XENOS_RECTANGLES, 64 * 3, 0), 1);
    assert_int_equal(drawn(p), 64 * 320 * 180);
    picture_free(p);
    p = new_hostile(1, PICTURE_PIXEL);
    cover(p, 64);
    assert_int_equal(draw_limited(p, XENOS_RECTANGLES, 64 * 3, 33 * 2700), 0);
    assert_in_range(drawn(p), 1, 16 * 2700);
    picture_free(p);
}

static void what_is_left_out_does_not_depend_on_threads(void **state)
{
    picture *one = NULL;
    for (uint32_t threads = 1; threads <= 3; threads++) {
        picture *p = new_hostile(threads, PICTURE_PIXEL);
        cover(p, 64);
        draw_limited(p, XENOS_RECTANGLES, 64 * 3, 200000);
        draw_limited(p, XENOS_RECTANGLES, 3, 20000);
        if (one == NULL) {
            one = p;
            continue;
        }
        assert_int_equal(drawn(one), drawn(p));
        assert_memory_equal(xenos_soft_backend.edram(one->soft), xenos_soft_backend.edram(p->soft),
                            XENOS_EDRAM_BYTES);
        picture_free(p);
    }
    picture_free(one);
}

/* 2^20 units for 15 tiles: each block would execute 21844 instructions up to SOFT_EXEC_LIMIT (65536
 * control-flow instructions, a third of them execs), so that 48 blocks and the last one of each tile are
 * the most. */
static void endless_shaders_end(void **state)
{
    picture *p = new_hostile(1, endless);
    cover(p, 1);
    assert_int_equal(draw_limited(p, XENOS_RECTANGLES, 3, UINT64_C(1) << 20), 0);
    assert_in_range(drawn(p), 16, 16 * (48 + 15 + 1));
    picture_free(p);
}

/* The draw that follows has a limit of its own. */
static void the_next_draw_is_whole(void **state)
{
    picture *p = new_hostile(1, PICTURE_PIXEL);
    cover(p, 1);
    draw_limited(p, XENOS_RECTANGLES, 3, 1);
    assert_int_equal(picture_color(p, 319, 179), 0);
    draw_limited(p, XENOS_RECTANGLES, 3, 0);
    for (uint32_t y = 0; y < 180; y++) {
        for (uint32_t x = 0; x < 320; x++) {
            assert_int_equal(picture_color(p, x, y), 0xFFFFFFFF);
        }
    }
    picture_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_draw_ends_at_its_limit),
        cmocka_unit_test(what_is_left_out_does_not_depend_on_threads),
        cmocka_unit_test(endless_shaders_end),
        cmocka_unit_test(the_next_draw_is_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
