/* The back-end compiled for wider registers draws what the plain one draws. */
#include "draw.h"
#include "soft_backend.h"

static const xenos_backend *picture_backend;
#define xenos_soft_backend (*picture_backend)
#include "picture.h"
#undef xenos_soft_backend

/* Arithmetic, tables of math.c, predicates, a loop of nothing, kills and depth. */
static const char *const pixels[] = {
    PICTURE_PIXEL,
    "xps_3_0\nexec\n"
    "mad r1, r0, r0.yzwx, -r0.wwww\n"
    "dp4 r2.xy__, r1, r0\n + exp r2.__z_, r0.x\n"
    "frc r3, r1.wzyx\n + rsq r2.___w, r0.y\n"
    "exec\n"
    "sin r3.x___, r1.x\n"
    "log r3._y__, r0.z\n"
    "cndge r1, r2, r3, r0\n"
    "floor r4, r1\n"
    "exec\n"
    "mul r4, r4, r3\n"
    "kill_gt r5, r4, r0.wxyz\n"
    "alloc colors\nexece\n"
    "add_sat oC0, r4, r1\n",
};

static uint32_t random_next(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* Between low and high. */
static float random_float(uint32_t *state, float low, float high)
{
    return low + (high - low) * (float)(random_next(state) >> 8) * 0x1p-24f;
}

static void draw_random(picture *p, uint32_t *state)
{
    uint32_t *r = p->registers;
    uint32_t format = random_next(state) % 16;
    uint32_t samples = random_next(state) % 3;
    r[XENOS_RB_SURFACE_INFO] = (PICTURE_WIDTH >> (samples == 2)) | samples << 16;
    r[XENOS_RB_COLOR_INFO] = format << 16;
    r[XENOS_RB_DEPTH_INFO] = PICTURE_DEPTH | (random_next(state) & 1) << 16;
    r[XENOS_RB_DEPTHCONTROL] = random_next(state) & 0xFFFF7F;
    r[XENOS_RB_STENCILREFMASK] = random_next(state);
    r[XENOS_RB_BLENDCONTROL0] = random_next(state) & 1 ? 0x07060706 : random_next(state);
    r[XENOS_RB_COLORCONTROL] = random_next(state) & 0x1F;
    r[XENOS_RB_ALPHA_REF] = xenos_float_bits(0.25f);
    r[XENOS_RB_COLOR_MASK] = random_next(state) % 4 == 0 ? random_next(state) & 15 : 15;
    float vertices[3 * 8];
    for (int i = 0; i < 3; i++) {
        float w = random_float(state, 0.5f, 4.0f);
        float *v = &vertices[8 * i];
        v[0] = random_float(state, -20, 340) * (r[XENOS_PA_CL_VTE_CNTL] & 0x100 ? 1 : w);
        v[1] = random_float(state, -20, 200) * (r[XENOS_PA_CL_VTE_CNTL] & 0x100 ? 1 : w);
        v[2] = random_float(state, 0, 1);
        v[3] = w;
        for (int c = 4; c < 8; c++) {
            v[c] = random_float(state, -0.5f, 1.5f);
        }
    }
    picture_vertices(p, vertices, 24);
    picture_draw(p, XENOS_TRIANGLES, 3);
}

#define DRAWS 120u

static picture *draw_all(const xenos_backend *backend)
{
    picture_backend = backend;
    picture *p = picture_new(1);
    uint32_t state = 2463534242u;
    for (uint32_t i = 0; i < DRAWS; i++) {
        if (i % (DRAWS / 2) == 0) {
            picture_shaders(p, PICTURE_VERTEX, pixels[i / (DRAWS / 2)]);
        }
        draw_random(p, &state);
    }
    return p;
}

static void test_sets_draw_the_same(void **unused)
{
    xenos_soft_set sets[3];
    uint32_t count = xenos_soft_sets(sets);
    assert_string_equal(sets[count - 1].name, "plain");
    picture *plain = draw_all(sets[count - 1].backend);
    const uint8_t *expected = picture_backend->edram(plain->soft);
    uint64_t drawn = 0;
    for (uint32_t i = 0; i < XENOS_EDRAM_BYTES; i++) {
        drawn += expected[i] != 0;
    }
    assert_true(drawn > 100000);
    for (uint32_t n = 0; n + 1 < count; n++) {
        picture *p = draw_all(sets[n].backend);
        xenos_counts a, b;
        sets[count - 1].backend->counts(plain->soft, &a);
        sets[n].backend->counts(p->soft, &b);
        assert_memory_equal(&a, &b, sizeof a);
        if (memcmp(expected, sets[n].backend->edram(p->soft), XENOS_EDRAM_BYTES) != 0) {
            fail_msg("%s draws something else than plain", sets[n].name);
        }
        picture_free(p);
    }
    picture_backend = sets[count - 1].backend;
    picture_free(plain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sets_draw_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
