/* A whole picture from a command stream: registers, shaders, a clear, an indexed triangle, a resolve
 * into memory. */
#include <stdlib.h>

#include "state.h"
#include "test.h"
#include "tiling.h"
#include "ucode.h"

#define T3(opcode, count) XENOS_TYPE3(XENOS_PM4_##opcode, count)
#define VERTICES          0x200000u
#define INDICES           0x201000u
#define CORNERS           0x202000u
#define PICTURE           0x300000u
#define WIDTH             128u
#define HEIGHT            64u

static void shader(fake *f, uint32_t stage, const char *listing)
{
    char error[256] = "";
    uint32_t dwords, found;
    uint32_t *code = xenos_assemble(listing, strlen(listing), &found, &dwords, error);
    if (!code) {
        fail_msg("%s", error);
    }
    FAKE_PUT(f, T3(IM_LOAD_IMMEDIATE, 2 + dwords), stage, dwords);
    fake_put(f, code, dwords);
    free(code);
}

static void poke_floats(fake *f, uint32_t address, const float *values, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        fake_poke(f, address + 4 * i, xenos_float_bits(values[i]));
    }
}

static void set(fake *f, uint32_t number, uint32_t value)
{
    FAKE_PUT(f, XENOS_TYPE0(number, 1), value);
}

static void scene(fake *f)
{
    /* Position and colour: a rectangle that clears, a triangle. */
    const float v[30] = {
        0,  0, 0, 0, 0.2f, /**/ 128, 0,  0, 0, 0.2f, /**/ 0,  64, 0, 0, 0.2f, /* blue */
        10, 8, 1, 0, 0,    /**/ 110, 20, 0, 1, 0,    /**/ 30, 60, 0, 0, 1,
    };
    const float corners[6] = {0, 0, 128, 0, 128, 64};
    poke_floats(f, VERTICES, v, 30);
    poke_floats(f, CORNERS, corners, 6);
    fake_poke(f, INDICES, 0x00030004); /* 16 bits each */
    fake_poke(f, INDICES + 4, 0x00050000);

    set(f, XENOS_RB_MODECONTROL, XENOS_MODE_COLOR_DEPTH);
    set(f, XENOS_RB_SURFACE_INFO, 160);
    set(f, XENOS_RB_COLOR_INFO, 0);
    set(f, XENOS_RB_COLOR_MASK, 0xF);
    set(f, XENOS_RB_DEPTHCONTROL, 0);
    set(f, XENOS_RB_BLENDCONTROL0, 0x00010001);
    set(f, XENOS_RB_COLORCONTROL, XENOS_ALWAYS);
    set(f, XENOS_PA_SC_WINDOW_SCISSOR_TL, 1u << 31);
    set(f, XENOS_PA_SC_WINDOW_SCISSOR_BR, WIDTH | HEIGHT << 16);
    set(f, XENOS_PA_SC_SCREEN_SCISSOR_BR, 8192 | 8192u << 16);
    set(f, XENOS_PA_CL_VTE_CNTL, 0x300); /* W is given as 1 / W, which is 1 */
    set(f, XENOS_PA_CL_CLIP_CNTL, 1u << 16);
    set(f, XENOS_PA_SU_VTX_CNTL, 1 | 2 << 1);
    set(f, XENOS_PA_SU_SC_MODE_CNTL, 0);
    set(f, XENOS_VGT_MAX_VTX_INDX, 0xFFFF);
    set(f, XENOS_SQ_INTERPOLATOR_CNTL, 0xFFFFFFFF);
    FAKE_PUT(f, XENOS_TYPE0(XENOS_CONSTANT_FETCH, 2), VERTICES | 3, 30 << 2 | 2);
    shader(f, 0,
           "xvs_3_0\nexec\n"
           "vfetch_full r1.xy01, r0.x, vf95, DataFormat=FMT_32_32_FLOAT, Stride=5\n"
           "vfetch_mini r2.xyz1, DataFormat=FMT_32_32_32_FLOAT, Offset=2\n"
           "alloc position\nexec\nmax oPos, r1, r1\n"
           "alloc interpolators\nexece\nmax o0, r2, r2\n");
    shader(f, 1, "xps_3_0\nalloc colors\nexece\nmax oC0, r0, r0\n");
    FAKE_PUT(f, T3(DRAW_INDX_2, 1), XENOS_RECTANGLES | XENOS_INDICES_AUTO << 6 | 3 << 16);
    FAKE_PUT(f, T3(DRAW_INDX, 4), 0, XENOS_TRIANGLES | XENOS_INDICES_MEMORY << 6 | 3 << 16, INDICES,
             1u << 30 | 3);

    /* To memory: 8_8_8_8, tiled, 8in32. */
    set(f, XENOS_RB_MODECONTROL, XENOS_MODE_COPY);
    set(f, XENOS_RB_COPY_CONTROL, 0);
    set(f, XENOS_RB_COPY_DEST_BASE, PICTURE);
    set(f, XENOS_RB_COPY_DEST_PITCH, WIDTH | HEIGHT << 16);
    set(f, XENOS_RB_COPY_DEST_INFO, 2 | 6 << 7);
    FAKE_PUT(f, XENOS_TYPE0(XENOS_CONSTANT_FETCH, 2), CORNERS | 3, 6 << 2 | 2);
    FAKE_PUT(f, T3(DRAW_INDX_2, 1), XENOS_RECTANGLES | XENOS_INDICES_AUTO << 6 | 3 << 16);
    fake_kick(f);
    fake_settle(f, 100000);
}

/* With 8in32 the processor loads the GPU's dword (endian.h): red is lowest. */
static uint32_t pixel(const fake *f, uint32_t x, uint32_t y)
{
    return fake_peek(f, PICTURE + xenos_tiled_offset(x, y, WIDTH, 2));
}

static void a_stream_draws_a_triangle(void **state)
{
    for (uint32_t threads = 1; threads <= 2; threads++) {
        fake *f = fake_new_drawing(16u << 20, "soft", threads);
        scene(f);
        const double corner[3][2] = {{110, 20}, {10, 8}, {30, 60}}; /* green, red, blue */
        double area = (corner[1][0] - corner[0][0]) * (corner[2][1] - corner[0][1]) -
                      (corner[2][0] - corner[0][0]) * (corner[1][1] - corner[0][1]);
        uint32_t inside = 0;
        for (uint32_t y = 0; y < HEIGHT; y++) {
            for (uint32_t x = 0; x < WIDTH; x++) {
                double l[3];
                int out = 0, near = 0;
                for (int i = 0; i < 3; i++) {
                    const double *a = corner[(i + 1) % 3], *b = corner[(i + 2) % 3];
                    l[i] = ((b[0] - a[0]) * (y + 0.5 - a[1]) - (b[1] - a[1]) * (x + 0.5 - a[0])) /
                           area;
                    out |= l[i] < 0;
                    near |= l[i] < 1e-9 && l[i] > -1e-9;
                }
                uint32_t found = pixel(f, x, y);
                if (near) {
                    continue;
                }
                if (out) {
                    assert_int_equal(found, 0xFF000000 | 51 << 16); /* 0.2 of 255 */
                    continue;
                }
                inside++;
                const double expected[3] = {l[1], l[0], l[2]};
                for (int i = 0; i < 3; i++) {
                    double difference = (double)(found >> (8 * i) & 0xFF) - expected[i] * 255;
                    assert_true(difference < 0.75 && difference > -0.75);
                }
            }
        }
        assert_true(inside > 2000);
        fake_delete(f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stream_draws_a_triangle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
