/* Predicated tiling: a picture that EDRAM cannot hold is drawn in tiles. The same commands run once a
 * tile, with the window offset and the scissor of the tile, and draws that are not in it left out by
 * BIN_MASK and BIN_SELECT; each tile is resolved to its place in one texture (xenia registers.h,
 * PA_SC_WINDOW_OFFSET; draw_util.cc, GetResolveInfo: the destination is addressed from the tile's
 * corner). Where EDRAM can hold the whole, all ways must give the same bytes. */
#include <stdlib.h>

#include "format.h"
#include "state.h"
#include "test.h"
#include "tiling.h"
#include "ucode.h"

#define T3(opcode, count) XENOS_TYPE3(XENOS_PM4_##opcode, count)
#define MEMORY            (64u << 20)
#define VERTICES          0x100000u
#define CORNERS           0x180000u
#define TEXTURE           0x190000u
#define COMMANDS          0x200000u
#define COLOR             0x1000000u
#define DEPTH             0x2000000u
#define FORMAT_24_8       22u

/* A picture, the tiles it is cut into, samples as RB_SURFACE_INFO counts them. */
typedef struct layout {
    uint32_t width, height, columns, rows, tile_width, tile_height, msaa;
} layout;

typedef struct commands {
    fake *f;
    uint32_t count; /* dwords at COMMANDS */
    uint32_t vertices;
} commands;

static void put(commands *c, uint32_t word)
{
    fake_poke(c->f, COMMANDS + 4 * c->count++, word);
}

static void set(commands *c, uint32_t number, uint32_t value)
{
    put(c, XENOS_TYPE0(number, 1));
    put(c, value);
}

static void set_float(commands *c, uint32_t number, float value)
{
    set(c, number, xenos_float_bits(value));
}

static void shader(commands *c, uint32_t stage, const char *listing)
{
    char error[256] = "";
    uint32_t dwords, found;
    uint32_t *code = xenos_assemble(listing, strlen(listing), &found, &dwords, error);
    if (!code) {
        fail_msg("%s", error);
    }
    put(c, T3(IM_LOAD_IMMEDIATE, 2 + dwords));
    put(c, stage);
    put(c, dwords);
    for (uint32_t i = 0; i < dwords; i++) {
        put(c, code[i]);
    }
    free(code);
}

/* A vertex: pixels, depth, W, then what the pixel shader gets. */
typedef struct corner {
    float x, y, z, w, u, v, red, alpha;
} corner;

/* Draws with the bins that a title finds beforehand: a tile is named if the draw's box touches it. */
static void draw(commands *c, const layout *l, uint32_t primitive, const corner *v, uint32_t count)
{
    float x0 = v->x, x1 = v->x, y0 = v->y, y1 = v->y;
    uint32_t bins = 0, first = c->vertices;
    for (uint32_t i = 0; i < count; i++) {
        const float words[8] = {(v[i].x / ((float)l->width / 2) - 1) * v[i].w,
                                (1 - v[i].y / ((float)l->height / 2)) * v[i].w,
                                v[i].z * v[i].w,
                                v[i].w,
                                v[i].u,
                                v[i].v,
                                v[i].red,
                                v[i].alpha};
        for (uint32_t k = 0; k < 8; k++) {
            fake_poke(c->f, VERTICES + 32 * c->vertices + 4 * k, xenos_float_bits(words[k]));
        }
        c->vertices++;
        x0 = v[i].x < x0 ? v[i].x : x0;
        x1 = v[i].x > x1 ? v[i].x : x1;
        y0 = v[i].y < y0 ? v[i].y : y0;
        y1 = v[i].y > y1 ? v[i].y : y1;
    }
    for (uint32_t i = 0; i < l->columns * l->rows; i++) {
        float left = (float)(i % l->columns * l->tile_width);
        float top = (float)(i / l->columns * l->tile_height);
        /* Points and lines are wider than their vertices. */
        if (x1 + 8 >= left && x0 - 8 <= left + (float)l->tile_width && y1 + 8 >= top &&
            y0 - 8 <= top + (float)l->tile_height) {
            bins |= 1u << i;
        }
    }
    put(c, T3(SET_BIN_MASK_LO, 1));
    put(c, bins);
    set(c, XENOS_VGT_INDX_OFFSET, first);
    put(c, T3(DRAW_INDX_2, 1) | 1); /* predicated */
    put(c, primitive | XENOS_INDICES_AUTO << 6 | count << 16);
}

/* Numbers without a pattern (xorshift), 0..1. */
static float number(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return (float)(*state >> 8) / 16777216.0f;
}

/* What one tile's pass executes; everything but what depends on the tile. */
static void record(commands *c, const layout *l)
{
    static const uint32_t words[][2] = {
        {XENOS_RB_MODECONTROL, XENOS_MODE_COLOR_DEPTH},
        {XENOS_RB_COLOR_MASK, 0xF},
        {XENOS_RB_COLORCONTROL, XENOS_ALWAYS},
        {XENOS_PA_SC_SCREEN_SCISSOR_BR, 8192 | 8192u << 16},
        {XENOS_PA_SC_AA_MASK, 0xFFFF},
        {XENOS_PA_CL_VTE_CNTL, 0x43F},
        {XENOS_PA_SU_VTX_CNTL, 1 | 2 << 1 | 5 << 3},
        {XENOS_PA_SU_POINT_SIZE, 56u << 16 | 56}, /* 7 pixels */
        {XENOS_PA_SU_POINT_MINMAX, 0xFFFF0000},
        {XENOS_PA_SU_LINE_CNTL, 20},
        {XENOS_VGT_MAX_VTX_INDX, 0xFFFFFF},
        {XENOS_SQ_INTERPOLATOR_CNTL, 0xFFFFFFFF},
        {XENOS_SQ_VS_CONST, 255u << 12},
        {XENOS_SQ_PS_CONST, 255u << 12 | 256},
    };
    for (uint32_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        set(c, words[i][0], words[i][1]);
    }
    /* 4x: the sample positions of Direct3D are built in. Window offset moves vertices. */
    set(c, XENOS_PA_SU_SC_MODE_CNTL, 1u << 15 | 1u << 16);
    set_float(c, XENOS_PA_CL_VPORT_XSCALE, (float)l->width / 2);
    set_float(c, XENOS_PA_CL_VPORT_XOFFSET, (float)l->width / 2);
    set_float(c, XENOS_PA_CL_VPORT_YSCALE, -(float)l->height / 2);
    set_float(c, XENOS_PA_CL_VPORT_YOFFSET, (float)l->height / 2);
    set_float(c, XENOS_PA_CL_VPORT_ZSCALE, 1);
    set(c, XENOS_PA_CL_VPORT_ZOFFSET, 0);
    set(c, XENOS_CONSTANT_FETCH + 190, VERTICES | 3);
    set(c, XENOS_CONSTANT_FETCH + 191, 0x4000 << 2 | 2);
    /* Texture 0: 64x64, 8_8_8_8, rows of 64 texels, linear filters. */
    set(c, XENOS_CONSTANT_FETCH, 2 | 2u << 22);
    set(c, XENOS_CONSTANT_FETCH + 1, TEXTURE | XENOS_FORMAT_8_8_8_8);
    set(c, XENOS_CONSTANT_FETCH + 2, 63 | 63 << 13);
    set(c, XENOS_CONSTANT_FETCH + 3, 0x688 << 1 | 1u << 19 | 1u << 21);
    set(c, XENOS_CONSTANT_FETCH + 4, 0);
    set(c, XENOS_CONSTANT_FETCH + 5, 1 << 9);
    shader(c, 0,
           "xvs_3_0\nexec\n"
           "vfetch_full r1, r0.x, vf0, DataFormat=FMT_32_32_32_32_FLOAT, Stride=8\n"
           "vfetch_mini r2, DataFormat=FMT_32_32_32_32_FLOAT, Offset=4\n"
           "alloc position\nexec\nmax oPos, r1, r1\n"
           "alloc interpolators\nexece\nmax o0, r2, r2\n");
    shader(
        c, 1,
        "xps_3_0\nexec\ntfetch2D r1, r0.xy, tf0\nmul r1.xyz, r1.xyz, r0.z\nmax r1.w, r0.w, r0.w\n"
        "alloc colors\nexece\nmax oC0, r1, r1\n");

    float w = (float)l->width, h = (float)l->height;
    uint32_t random = 88172645u;
    /* Everything, far away. */
    set(c, XENOS_RB_DEPTHCONTROL, 6 | XENOS_ALWAYS << 4);
    set(c, XENOS_RB_BLENDCONTROL0, 0x00010001);
    const corner back[3] = {{0, 0, 0.99f, 1, 0, 0, 0.2f, 1},
                            {w, 0, 0.99f, 1, 1, 0, 0.2f, 1},
                            {0, h, 0.99f, 1, 0, 1, 0.2f, 1}};
    draw(c, l, XENOS_RECTANGLES, back, 3);
    /* Triangles that cross each other and the seams, at different distances. */
    set(c, XENOS_RB_DEPTHCONTROL, 6 | XENOS_LESS << 4);
    for (uint32_t i = 0; i < 24; i++) {
        corner v[3];
        float size = i < 8 ? 1.0f : 0.2f;
        float x = number(&random) * w, y = number(&random) * h;
        for (uint32_t k = 0; k < 3; k++) {
            v[k] = (corner){x + (number(&random) - 0.5f) * size * w,
                            y + (number(&random) - 0.5f) * size * h,
                            0.1f + 0.8f * number(&random),
                            0.5f + 8 * number(&random),
                            8 * number(&random),
                            8 * number(&random),
                            number(&random),
                            1};
        }
        draw(c, l, XENOS_TRIANGLES, v, 3);
    }
    /* Blended lines and points on the seams. */
    set(c, XENOS_RB_DEPTHCONTROL, 2 | XENOS_LESS_EQUAL << 4);
    set(c, XENOS_RB_BLENDCONTROL0, 0x07060706); /* SRC_ALPHA, INV_SRC_ALPHA */
    for (uint32_t i = 0; i < 16; i++) {
        const corner v[2] = {
            {number(&random) * w, h / 2 + 5 * number(&random) - 2.5f, 0.05f, 1, 0, 0, 1, 0.5f},
            {w / 2 + 5 * number(&random) - 2.5f, number(&random) * h, 0.05f, 1, 1, 1, 1, 0.5f}};
        draw(c, l, i & 1 ? XENOS_POINTS : XENOS_LINES, v, 2);
    }
    /* A draw in no bin. */
    put(c, T3(SET_BIN_MASK_LO, 1));
    put(c, 0);
    put(c, T3(DRAW_INDX_2, 1) | 1);
    put(c, XENOS_RECTANGLES | XENOS_INDICES_AUTO << 6 | 3 << 16);
}

static void put_register(fake *f, uint32_t number, uint32_t value)
{
    FAKE_PUT(f, XENOS_TYPE0(number, 1), value);
}

/* Colour (all samples) or depth (the first) of a tile to its place in the whole; both formats have 32
 * bits, and a tile begins at multiples of 32 texels, where offsets add up. */
static void resolve(fake *f, const layout *l, uint32_t x, uint32_t y, int is_depth)
{
    uint32_t base = (is_depth ? DEPTH : COLOR) + xenos_tiled_offset(x, y, l->width, 2);
    put_register(f, XENOS_RB_COPY_CONTROL, is_depth ? 4 : 6 << 4);
    put_register(f, XENOS_RB_COPY_DEST_BASE, base);
    put_register(f, XENOS_RB_COPY_DEST_PITCH, l->width | l->height << 16);
    put_register(f, XENOS_RB_COPY_DEST_INFO, (is_depth ? FORMAT_24_8 : XENOS_FORMAT_8_8_8_8) << 7);
    FAKE_PUT(f, XENOS_TYPE0(XENOS_CONSTANT_FETCH, 2), CORNERS | 3, 6 << 2 | 2);
    FAKE_PUT(f, T3(DRAW_INDX_2, 1), XENOS_RECTANGLES | XENOS_INDICES_AUTO << 6 | 3 << 16);
}

/* `windowed`: the scissor is in pixels of the picture, and moved as vertices are. */
static fake *draw_tiles(const layout *l, int windowed)
{
    fake *f = fake_new_drawing(MEMORY, "soft", 2);
    commands c = {.f = f};
    for (uint32_t i = 0; i < 64 * 64; i++) {
        fake_poke(f, TEXTURE + 4 * i, i * 0x9E3779B1u | 0xFF);
    }
    record(&c, l);
    uint32_t wide = l->tile_width << (l->msaa == 2), high = l->tile_height << (l->msaa > 0);
    uint32_t edram = (wide + 79) / 80 * ((high + 15) / 16);
    assert_in_range(edram, 1, 1024);
    for (uint32_t i = 0; i < l->columns * l->rows; i++) {
        uint32_t x = i % l->columns * l->tile_width, y = i / l->columns * l->tile_height;
        uint32_t right = x + l->tile_width < l->width ? x + l->tile_width : l->width;
        uint32_t bottom = y + l->tile_height < l->height ? y + l->tile_height : l->height;
        FAKE_PUT(f, T3(SET_BIN_SELECT, 2), 0, 1u << i);
        FAKE_PUT(f, T3(SET_BIN_MASK, 2), 0, 0);
        put_register(f, XENOS_RB_SURFACE_INFO, l->tile_width | l->msaa << 16);
        put_register(f, XENOS_RB_COLOR_INFO, 0);
        put_register(f, XENOS_RB_DEPTH_INFO, edram);
        put_register(f, XENOS_PA_SC_WINDOW_OFFSET, (-x & 0x7FFF) | (-y & 0x7FFF) << 16);
        if (windowed) {
            put_register(f, XENOS_PA_SC_WINDOW_SCISSOR_TL, x | y << 16);
            put_register(f, XENOS_PA_SC_WINDOW_SCISSOR_BR, right | bottom << 16);
        } else {
            put_register(f, XENOS_PA_SC_WINDOW_SCISSOR_TL, 1u << 31);
            put_register(f, XENOS_PA_SC_WINDOW_SCISSOR_BR, (right - x) | (bottom - y) << 16);
        }
        FAKE_PUT(f, T3(INDIRECT_BUFFER, 2), COMMANDS, c.count);
        const uint32_t around[6] = {x, y, right, y, right, bottom};
        for (uint32_t k = 0; k < 6; k++) {
            fake_poke(f, CORNERS + 4 * k, xenos_float_bits((float)around[k]));
        }
        put_register(f, XENOS_RB_MODECONTROL, XENOS_MODE_COPY);
        resolve(f, l, x, y, 0);
        resolve(f, l, x, y, 1);
        fake_kick(f);
        assert_true(fake_settle(f, 1000000));
    }
    assert_int_equal(f->logs, 0);
    return f;
}

static void assert_same(const fake *a, const fake *b, const layout *l)
{
    static const uint32_t bases[2] = {COLOR, DEPTH};
    for (uint32_t i = 0; i < 2; i++) {
        for (uint32_t y = 0; y < l->height; y++) {
            for (uint32_t x = 0; x < l->width; x++) {
                uint32_t at = bases[i] + xenos_tiled_offset(x, y, l->width, 2);
                if (fake_peek(a, at) != fake_peek(b, at)) {
                    fail_msg("%s at %u, %u: %08x, and %08x in tiles", i ? "depth" : "colour", x, y,
                             fake_peek(a, at), fake_peek(b, at));
                }
            }
        }
    }
}

/* The picture is not a plain one: samples of many colours, edges that were averaged. */
static void assert_varied(const fake *f, const layout *l)
{
    uint32_t changes = 0;
    for (uint32_t y = 0; y < l->height; y++) {
        for (uint32_t x = 1; x < l->width; x++) {
            changes += fake_peek(f, COLOR + xenos_tiled_offset(x, y, l->width, 2)) !=
                       fake_peek(f, COLOR + xenos_tiled_offset(x - 1, y, l->width, 2));
        }
    }
    assert_true(changes > l->width * l->height / 4);
}

static void tiles_have_no_seams(void **state)
{
    for (uint32_t msaa = 0; msaa <= 2; msaa++) {
        const layout cut[] = {
            {320, 192, 1, 1, 320, 192, msaa},
            {320, 192, 1, 2, 320, 96, msaa},
            {320, 192, 2, 2, 160, 96, msaa},
            {320, 192, 2, 3, 192, 64, msaa},
        };
        fake *whole = draw_tiles(&cut[0], 0);
        assert_varied(whole, &cut[0]);
        for (uint32_t i = 1; i < sizeof cut / sizeof cut[0]; i++) {
            for (int windowed = 0; windowed < 2; windowed++) {
                fake *tiled = draw_tiles(&cut[i], windowed);
                assert_same(whole, tiled, &cut[0]);
                fake_delete(tiled);
            }
        }
        fake_delete(whole);
    }
}

/* 1280x720 with four samples and depth are 29 MB: three tiles across, or two by two. */
static void a_frame_of_720_lines(void **state)
{
    const layout three = {1280, 720, 1, 3, 1280, 256, 2};
    const layout four = {1280, 720, 2, 2, 640, 384, 2};
    fake *a = draw_tiles(&three, 0), *b = draw_tiles(&four, 1);
    assert_varied(a, &three);
    assert_same(a, b, &three);
    fake_delete(a);
    fake_delete(b);
}

/* Extents of a draw are the picture's, whatever the scissor leaves of it, and also where nothing is
 * drawn (RB_MODECONTROL 0), so that what is found in the pass of one tile holds for the others. In 8
 * pixels: 40..150 and 100..180 are 5..19 and 12..23. */
static void extents_reach_beyond_the_tile(void **state)
{
    static const uint32_t modes[2] = {XENOS_MODE_COLOR_DEPTH, 0};
    const layout l = {320, 192, 1, 2, 320, 96, 0};
    for (uint32_t i = 0; i < 2; i++) {
        fake *f = fake_new_drawing(MEMORY, "soft", 1);
        commands c = {.f = f};
        record(&c, &l);
        const corner v[3] = {{40, 100, 0.5f, 1, 0, 0, 0, 1},
                             {150, 120, 0.5f, 1, 0, 0, 0, 1},
                             {60, 180, 0.5f, 1, 0, 0, 0, 1}};
        c.count = 0;
        draw(&c, &l, XENOS_TRIANGLES, v, 3);
        uint32_t one = c.count;
        c = (commands){.f = f};
        record(&c, &l); /* state, and other draws */
        put_register(f, XENOS_RB_SURFACE_INFO, 320);
        put_register(f, XENOS_PA_SC_WINDOW_SCISSOR_TL, 1u << 31);
        put_register(f, XENOS_PA_SC_WINDOW_SCISSOR_BR, 320 | 96 << 16); /* the upper tile */
        FAKE_RUN(f, T3(INDIRECT_BUFFER, 2), COMMANDS, c.count, T3(EVENT_WRITE_EXT, 2), 26,
                 CORNERS | 2);
        put_register(f, XENOS_RB_MODECONTROL, modes[i]);
        c.count = 0;
        draw(&c, &l, XENOS_TRIANGLES, v, 3);
        assert_int_equal(c.count, one);
        FAKE_RUN(f, T3(INDIRECT_BUFFER, 2), COMMANDS, c.count, T3(EVENT_WRITE_EXT, 2), 26,
                 CORNERS | 2);
        assert_int_equal(fake_peek(f, CORNERS), 5 | 19 << 16);
        assert_int_equal(fake_peek(f, CORNERS + 4), 12 | 23 << 16);
        fake_delete(f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tiles_have_no_seams),
        cmocka_unit_test(a_frame_of_720_lines),
        cmocka_unit_test(extents_reach_beyond_the_tile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
