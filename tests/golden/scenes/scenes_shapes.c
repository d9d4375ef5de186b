/* Primitives, clipping, culling, scissors, points, lines, samples. */
#include "scenes.h"

static const float white[4] = {1, 1, 1, 1};
static const float grey[4] = {0.2f, 0.2f, 0.2f, 1}; /* 51 of 255 */

static void clear(scene *s)
{
    scene_whole(s);
    scene_fill(s, (scene_box){0, 0, (float)s->width, (float)s->height}, 0, grey);
}

/* Corners on a ring, coloured by their number: red, green, blue, yellow ... */
static void ring(float *v, uint32_t count, float radius)
{
    static const float circle[8][2] = {{0, -1}, {0.7f, -0.7f}, {1, 0},  {0.7f, 0.7f},
                                       {0, 1},  {-0.7f, 0.7f}, {-1, 0}, {-0.7f, -0.7f}};
    for (uint32_t i = 0; i < count; i++) {
        float *at = v + 8 * i;
        uint32_t color = i % 7 + 1;
        at[0] = 30.3f + radius * circle[i % 8][0];
        at[1] = 27.6f + radius * circle[i % 8][1];
        at[2] = 0.5f;
        at[3] = 1;
        at[4] = (float)(color & 1);
        at[5] = (float)(color >> 1 & 1);
        at[6] = (float)(color >> 2 & 1);
        at[7] = 1;
    }
}

/* A zigzag, for strips. */
static void zigzag(float *v, uint32_t count)
{
    ring(v, count, 1);
    for (uint32_t i = 0; i < count; i++) {
        v[8 * i] = 6.0f + 8.0f * (float)(i / 2);
        v[8 * i + 1] = i & 1 ? 48.5f : 10.25f;
    }
}

static void primitives_draw(scene *s)
{
    static const struct {
        uint32_t type, count, strip;
    } cells[15] = {
        {XENOS_POINTS, 8, 0},
        {XENOS_LINES, 8, 0},
        {XENOS_LINE_STRIP, 8, 0},
        {XENOS_TRIANGLES, 6, 0},
        {XENOS_TRIANGLE_FAN, 8, 0},
        {XENOS_TRIANGLE_STRIP, 8, 1},
        {XENOS_TRIANGLES_W_FLAGS, 6, 0},
        {XENOS_RECTANGLES, 3, 1},
        {XENOS_LINE_LOOP, 8, 0},
        {XENOS_QUADS, 8, 0},
        {XENOS_QUAD_STRIP, 8, 1},
        {XENOS_POLYGON, 8, 0},
        {XENOS_TRIANGLE_STRIP, 0, 1},
        {XENOS_LINE_STRIP, 1, 0},
        {XENOS_TRIANGLES, 2, 0},
    };
    static const uint32_t restart[8] = {0, 1, 2, 3, 0xFFFF, 4, 5, 6};
    static const uint32_t wide[9] = {0, 1, 2, 3, 4, 0xABFFFFFF, 5, 6, 7};
    static const uint32_t two[6] = {0, 3, 5, 1, 2, 4};
    float v[64];
    clear(s);
    scene_set(s, XENOS_PA_SU_POINT_SIZE, 40u << 16 | 40); /* 5 pixels across */
    scene_set(s, XENOS_PA_SU_LINE_CNTL, 12);              /* 1.5 pixels */
    for (uint32_t i = 0; i < 15; i++) {
        scene_cell(s, i % 5 * 64, i / 5 * 60, 64, 60);
        if (cells[i].strip) {
            zigzag(v, 8);
        } else {
            ring(v, 8, 24);
        }
        scene_vertices(s, v, 64);
        switch (i) {
        case 12:
            scene_set(s, XENOS_PA_SU_SC_MODE_CNTL, 1u << 15 | 1u << 21);
            scene_set(s, XENOS_VGT_MULTI_PRIM_IB_RESET_INDX, 0xFFFF);
            scene_draw_indexed(s, cells[i].type, restart, 8, 0);
            break;
        case 13: /* 24 bits of an index of 32 count */
            scene_set(s, XENOS_VGT_MULTI_PRIM_IB_RESET_INDX, 0xFFFFFF);
            scene_draw_indexed(s, cells[i].type, wide, 9, 1);
            break;
        case 14:
            scene_set(s, XENOS_PA_SU_SC_MODE_CNTL, 1u << 15);
            scene_draw_indexed(s, cells[i].type, two, 6, 0);
            break;
        default:
            scene_draw(s, cells[i].type, cells[i].count);
            break;
        }
    }
    scene_show(s);
}

/* The first point of the first cell: at (30.3, 3.6), 5 across, red; 6 pixels left of it is ground. The
 * rectangle of cell 7 has corners (6, 10.25) (6, 48.5) (14, 10.25). */
static const scene_probe primitives_probes[] = {
    {30, 3, 0xFF0000}, {24, 3, 0x333333}, {128 + 5, 60 + 20, 0x333333}};
SCENE(primitives, "every primitive type, index reset, both index sizes");

/* ---- clipping ---- */

static void clipping_draw(scene *s)
{
    /* x y z w of three corners; window 64x60, clip space turned to pixels by the viewport. */
    static const float corners[10][12] = {
        {-0.8f, -0.8f, 0.5f, 1, 0.8f, -0.8f, 0.5f, 1, 0, 0.8f, 0.5f, 1},
        {-0.8f, -0.8f, -0.5f, 1, 0.8f, -0.8f, 0.5f, 1, 0, 0.8f, 0.5f, 1},    /* near */
        {-0.8f, -0.8f, 1.5f, 1, 0.8f, -0.8f, 0.5f, 1, 0, 0.8f, 0.5f, 1},     /* far */
        {-0.8f, -0.8f, 0.5f, 1, 0.8f, -0.8f, 0.5f, 1, 0, 0.8f, 0.2f, -0.5f}, /* behind */
        {-5, -4, 0.5f, 1, 4, -6, 0.5f, 1, 0.3f, 9, 0.5f, 1},                 /* larger than all */
        {-300, -200, 0.5f, 1, 400, -900, 0.5f, 1, 0.3f, 70000, 0.5f, 1},     /* beyond the grid */
        {-0.8f, -0.8f, 0.5f, 1, 0.8f, -0.8f, 0.5f, 1, 0, 0.8f, 0.5f, 1},     /* user planes */
        {-0.8f, -0.8f, 0.5f, 1, 0.8f, -0.8f, 0.5f, 1, 0, 0.8f, 0.5f, 1},
        {-0.8f, -0.8f, 0.5f, 1, 3.2f, -3.2f, 0.5f, 4, 0, 0.8f, 0.5f, 1}, /* perspective */
        {-0.8f, -0.8f, -1, 1, 3.2f, -3.2f, 5, 4, 0, 0.8f, 0.5f, 1},      /* both z planes */
    };
    clear(s);
    scene_set(s, XENOS_PA_CL_VTE_CNTL, 0x43F); /* scale and offset of x, y, z; W as it is */
    scene_set_float(s, XENOS_PA_CL_VPORT_XSCALE, 32);
    scene_set_float(s, XENOS_PA_CL_VPORT_YSCALE, -30);
    scene_set_float(s, XENOS_PA_CL_VPORT_ZSCALE, 1);
    for (uint32_t i = 0; i < 15; i++) {
        const uint32_t x = i % 5 * 64, y = i / 5 * 60;
        float v[24];
        const float *c = corners[i % 10];
        for (int k = 0; k < 3; k++) {
            for (int j = 0; j < 4; j++) {
                v[8 * k + j] = c[4 * k + j];
                v[8 * k + 4 + j] = j == 3 || j == k;
            }
        }
        scene_set(s, XENOS_PA_CL_CLIP_CNTL, 1u << 19 | (i == 6 ? 1 : i == 7 ? 6 : 0));
        /* x + y > 0; x > -0.25 w and y < 0.25 w */
        const float planes[12] = {1, 1, 0, 0, 1, 0, 0, 0.25f, 0, -1, 0, 0.25f};
        for (uint32_t p = 0; p < 12; p++) {
            scene_set_float(s, XENOS_PA_CL_UCP_0_X + p, planes[p]);
        }
        scene_cell(s, x, y, 64, 60);
        scene_set_float(s, XENOS_PA_CL_VPORT_XOFFSET, (float)x + 32);
        scene_set_float(s, XENOS_PA_CL_VPORT_YOFFSET, (float)y + 30);
        if (i >= 10) { /* lines, with a guard band of 4 and 1.5 */
            scene_set_float(s, XENOS_PA_CL_GB_HORZ_CLIP_ADJ, 4);
            scene_set_float(s, XENOS_PA_CL_GB_VERT_CLIP_ADJ, 1.5f);
            scene_set(s, XENOS_PA_SU_LINE_CNTL, 16);
        }
        scene_vertices(s, v, 24);
        scene_draw(s, i >= 10 ? XENOS_LINE_LOOP : XENOS_TRIANGLES, 3);
    }
    scene_show(s);
}

/* The ground is asked: outside in cell 0, and what the near plane cut off in cell 1 (z 0 is at the middle of
 * the edge from corner 0). */
static const scene_probe clipping_probes[] = {{2, 2, 0x333333}, {64 + 10, 52, 0x333333}};
SCENE(clipping, "near, far, behind, guard band, user planes; lines too");

/* ---- culling ---- */

static void culling_draw(scene *s)
{
    float v[48];
    clear(s);
    scene_set(s, XENOS_PA_SU_LINE_CNTL, 8);
    scene_set(s, XENOS_PA_SU_POINT_SIZE, 48u << 16 | 48);
    for (uint32_t i = 0; i < 15; i++) {
        /* left clockwise, right counter-clockwise */
        static const float at[6][2] = {{4, 4}, {28, 6}, {14, 50}, {34, 4}, {46, 50}, {60, 8}};
        for (int k = 0; k < 6; k++) {
            float *p = v + 8 * k;
            p[0] = at[k][0];
            p[1] = at[k][1];
            p[2] = 0.5f;
            p[3] = 1;
            p[4] = k < 3 ? 1 : 0;
            p[5] = k % 3 == 1 ? 1 : 0.25f;
            p[6] = k < 3 ? 0 : 1;
            p[7] = 1;
        }
        uint32_t mode = 1u << 15 | (i & 7); /* cull front, cull back, face */
        if (i >= 8) {                       /* dual mode: front as points or lines, back filled */
            mode = 1u << 15 | 1u << 3 | (i - 8) % 3 << 5 | (i - 6) % 3 << 8 | (i >= 12 ? 4 : 0);
        }
        scene_set(s, XENOS_PA_SU_SC_MODE_CNTL, mode);
        scene_cell(s, i % 5 * 64, i / 5 * 60, 64, 60);
        scene_vertices(s, v, 48);
        scene_draw(s, XENOS_TRIANGLES, 6);
    }
    scene_show(s);
}

/* FACE 0: the front is counter-clockwise, which is the right triangle. Cell 1 culls the front, cell 2
 * the back, cell 3 both; FACE 1 in cells 4 and up turns that. */
static const scene_probe culling_probes[] = {{64 + 46, 20, 0x333333},
                                             {128 + 14, 20, 0x333333},
                                             {192 + 14, 20, 0x333333},
                                             {192 + 46, 20, 0x333333},
                                             {0 + 14, 60 + 20, 0x333333}};
SCENE(culling, "culling of either face, faces as points and lines");

/* ---- scissors ---- */

static void scissor_draw(scene *s)
{
    static const float red[4] = {1, 0, 0, 1}, green[4] = {0, 1, 0, 1}, blue[4] = {0, 0, 1, 1};
    const scene_box all = {-100, -100, 1000, 1000};
    clear(s);
    scene_set(s, XENOS_PA_SC_WINDOW_SCISSOR_TL, 1u << 31 | 10 | 20u << 16);
    scene_set(s, XENOS_PA_SC_WINDOW_SCISSOR_BR, 101 | 57u << 16);
    scene_fill(s, all, 0, red);
    /* Moved by the window offset (150, -7), and vertices with it. */
    scene_set(s, XENOS_PA_SC_WINDOW_OFFSET, 150 | (0x7FFFu & (uint32_t)-7) << 16);
    scene_set(s, XENOS_PA_SC_WINDOW_SCISSOR_TL, 10 | 20u << 16);
    scene_set(s, XENOS_PA_SU_SC_MODE_CNTL, 1u << 15 | 1u << 16);
    scene_fill(s, (scene_box){0, 0, 50, 100}, 0, green);
    /* Cut by the screen's scissor as well. */
    scene_set(s, XENOS_PA_SC_SCREEN_SCISSOR_TL, 40 | 100u << 16);
    scene_set(s, XENOS_PA_SC_SCREEN_SCISSOR_BR, 280 | 150u << 16);
    scene_set(s, XENOS_PA_SU_SC_MODE_CNTL, 1u << 15);
    scene_set(s, XENOS_PA_SC_WINDOW_OFFSET, 0);
    scene_set(s, XENOS_PA_SC_WINDOW_SCISSOR_TL, 1u << 31);
    scene_set(s, XENOS_PA_SC_WINDOW_SCISSOR_BR, 200 | 160u << 16);
    scene_fill(s, all, 0, blue);
    scene_set(s, XENOS_PA_SC_SCREEN_SCISSOR_TL, 0);
    scene_set(s, XENOS_PA_SC_SCREEN_SCISSOR_BR, 8192 | 8192u << 16);
    scene_show(s);
}

/* Red [10, 101) x [20, 57); green [160, 200) x [13, 50): the vertices end at 50 + 150; blue
 * [40, 200) x [100, 150). */
static const scene_probe scissor_probes[] = {
    {10, 20, 0xFF0000},  {9, 20, 0x333333},    {100, 56, 0xFF0000},  {101, 56, 0x333333},
    {100, 57, 0x333333}, {160, 13, 0x00FF00},  {159, 13, 0x333333},  {199, 49, 0x00FF00},
    {200, 49, 0x333333}, {199, 50, 0x333333},  {40, 100, 0x0000FF},  {39, 100, 0x333333},
    {40, 99, 0x333333},  {199, 149, 0x0000FF}, {200, 149, 0x333333}, {199, 150, 0x333333}};
SCENE(scissor, "window and screen scissors, window offset");

/* ---- points and lines ---- */

static void points_draw(scene *s)
{
    /* Size from c2 of the vertex; generated parameters in r1: place in the point in z and w. */
    static const char *const vertex =
        "xvs_3_0\nexec\n"
        "vfetch_full r1, r0.x, vf0, DataFormat=FMT_32_32_32_32_FLOAT, Stride=8\n"
        "vfetch_mini r2, DataFormat=FMT_32_32_32_32_FLOAT, Offset=4\n"
        "alloc position\nexec\nmov oPos, r1\nmov oPts.x, r2.w\n"
        "alloc interpolators\nexece\nmov o0, r2\n";
    static const char *const pixel = "xps_3_0\nexec\n"
                                     "mul r2.xy, r1_abs.zwww, r1_abs.zwww\n"
                                     "alloc colors\nexece\n"
                                     "add oC0.xyz, r0.xyz, -r2.xyy\n+ movs oC0.w, r1.z\n";
    float v[24 * 8];
    uint32_t seed = 5;
    clear(s);
    for (uint32_t i = 0; i < 24; i++) {
        float *p = v + 8 * i;
        p[0] = 20.0f + (float)(i % 8) * 40 + (float)(scene_random(&seed) % 64) / 16;
        p[1] = 30.0f + (float)(i / 8) * 60 + (float)(scene_random(&seed) % 64) / 16;
        p[2] = 0.5f;
        p[3] = 1;
        p[4] = (float)(i % 3) / 2;
        p[5] = (float)(i % 5) / 4;
        p[6] = (float)(i % 7) / 6;
        p[7] = (float)i * 1.75f; /* diameter */
    }
    scene_shaders(s, vertex, pixel);
    scene_set(s, XENOS_SQ_PROGRAM_CNTL, 1u << 18); /* PARAM_GEN */
    scene_set(s, XENOS_SQ_CONTEXT_MISC, 1u << 8);  /* to r1 */
    scene_set(s, XENOS_PA_SU_POINT_SIZE, 8u << 16 | 8);
    scene_set(s, XENOS_PA_SU_POINT_MINMAX, 260u << 16 | 16); /* 2 to 32.5 pixels */
    scene_vertices(s, v, 24 * 8);
    scene_draw(s, XENOS_POINTS, 24);
    scene_show(s);
}

static const scene_probe points_probes[] = {{1, 1, 0x333333}};
SCENE(points, "points of sizes from the shader, with their generated coordinates");

static void lines_draw(scene *s)
{
    float v[64 * 8];
    clear(s);
    for (uint32_t cell = 0; cell < 4; cell++) {
        for (uint32_t i = 0; i < 32; i++) {
            float *a = v + 16 * i;
            /* around a square */
            float along = (float)(i % 8) * 9.7f;
            uint32_t side = i / 8;
            float x = side == 0 ? along : side == 1 ? 78 : side == 2 ? 78 - along : 0;
            float y = side == 0 ? 0 : side == 1 ? along : side == 2 ? 78 : 78 - along;
            const float p[16] = {40.4f, 41.2f,    0.5f,     1,    1, 1, 0,
                                 1,     x + 1.2f, y + 2.3f, 0.5f, 1, 0, (float)i / 32,
                                 1,     1};
            for (int k = 0; k < 16; k++) {
                a[k] = p[k];
            }
        }
        scene_set(s, XENOS_PA_SU_LINE_CNTL, cell == 0 ? 8 : cell == 1 ? 4 : cell == 2 ? 24 : 60);
        scene_set(s, XENOS_PA_SC_LINE_CNTL, cell == 1 ? 1u << 10 : 0);
        scene_cell(s, cell * 80, 0, 80, 90);
        scene_vertices(s, v, 64 * 8);
        scene_draw(s, XENOS_LINES, cell == 3 ? 16 : 64);
        scene_cell(s, cell * 80, 90, 80, 90);
        scene_draw(s, XENOS_LINE_STRIP, 12);
    }
    scene_show(s);
}

static const scene_probe lines_probes[] = {{79, 89, 0x333333}};
SCENE(lines, "lines in all directions, of four widths");

/* ---- samples ---- */

static void msaa_draw(scene *s)
{
    /* Three pictures of 104 pixels, drawn with 1, 2 and 4 samples, side by side. */
    for (uint32_t log2 = 0; log2 < 3; log2++) {
        scene_surface(s, 104, log2);
        scene_set(s, XENOS_RB_COLOR_INFO, 200 + log2 * 200);
        scene_cell(s, 0, 0, 104, 180);
        scene_fill(s, (scene_box){0, 0, 104, 180}, 1, grey);
        scene_set(s, XENOS_RB_DEPTHCONTROL, 0);
        for (uint32_t i = 0; i < 12; i++) {
            float y = (float)i * 15, x = (float)(i % 3);
            const float v[24] = {
                2 + x, y + 2.3f,   0, 1, 1, 1, 1, 1, 100.5f, y + 3 + (float)i / 4, 0, 1, 1, 1, 0, 1,
                50.3f, y + 14 - x, 0, 1, 0, 1, 1, 1};
            scene_vertices(s, v, 24);
            scene_draw(s, XENOS_TRIANGLES, 3);
        }
        scene_fill(s, (scene_box){20.25f, 4.25f, 30.5f, 170.75f}, 0, white);
        scene_set(s, XENOS_PA_SC_AA_MASK, 0x1248);
        scene_fill(s, (scene_box){80, 90, 100, 170}, 0, white);
        scene_set(s, XENOS_PA_SC_AA_MASK, 0xFFFF);
        scene_resolve(s, (scene_box){0, 0, 104, 184},
                      (scene_copy){6u << 4, XENOS_FORMAT_8_8_8_8 << 7,
                                   SCENE_SCRATCH + log2 * 0x20000, 128, 192});
    }
    scene_surface(s, SCENE_WIDTH, 0);
    scene_set(s, XENOS_RB_COLOR_INFO, 0);
    clear(s);
    scene_shaders(s, NULL, SCENE_TEXEL("tfetch2D r0, r0.xy, tf1, UnnormalizedTextureCoords=true"));
    for (uint32_t i = 0; i < 3; i++) {
        scene_bind(s, 1,
                   &(scene_texture){.base = SCENE_SCRATCH + i * 0x20000,
                                    .format = XENOS_FORMAT_8_8_8_8,
                                    .width = 104,
                                    .height = 180,
                                    .pitch = 128,
                                    .tiled = 1,
                                    .clamp = 2,
                                    .swizzle = SCENE_XYZW});
        scene_quad(s, (scene_box){(float)i * 106, 0, (float)i * 106 + 104, 180},
                   (scene_box){0, 0, 104, 180}, NULL);
    }
    scene_show(s);
}

/* The white rectangle [20.25, 30.5): of the column at 30 nothing but the left half is covered: none of
 * one sample; of two those at 4/16 and 12/16: one, (1 + 0.2)/2 = 0.6 = 153; of four those at 2/16 and
 * 6/16, two of four: 153 too. Row 60, between triangles. */
static const scene_probe msaa_probes[] = {{25, 74, 0xFFFFFF},       {30, 74, 0x333333},
                                          {106 + 25, 74, 0xFFFFFF}, {106 + 30, 74, 0x999999},
                                          {212 + 25, 74, 0xFFFFFF}, {212 + 30, 74, 0x999999}};
SCENE(msaa, "one, two and four samples, resolved; sample masks");

/* ---- interpolation ---- */

static void interpolation_draw(scene *s)
{
    static const char *const checks =
        "xps_3_0\nexec\n"
        "mul r1.xy, r0.xy, c0.xy\nfrc r1.xy, r1.xy\nsge r1.xy, r1.xy, c0.zz\n"
        "add r1.x, r1.x, -r1.y\n"
        "alloc colors\nexece\nmul oC0.xyz, r1_abs.xxx, r0.xyz\n+ movs oC0.w, r0.w\n";
    clear(s);
    scene_constant(s, 256, 8, 8, 0.5f, 0);
    scene_shaders(s, NULL, checks);
    for (uint32_t i = 0; i < 4; i++) {
        /* a floor: the far side is six times as far away */
        const float v[32] = {10,  85, 0.5f, 1, 0, 0, 1, 1, 150, 85, 0.5f, 1, 1, 0, 1, 1,
                             100, 10, 0.5f, 6, 1, 1, 1, 1, 60,  10, 0.5f, 6, 0, 1, 1, 1};
        scene_cell(s, i % 2 * 160, i / 2 * 90, 160, 90);
        scene_set(s, XENOS_PA_SU_SC_MODE_CNTL,
                  1u << 15 | (i == 1 ? 1u << 20 : 0) | (i == 3 ? 1u << 19 : 0));
        scene_set(s, XENOS_SQ_INTERPOLATOR_CNTL, i < 2 ? 0xFFFFFFFF : 0xFFFFFFFE);
        if (i >= 2) {
            scene_shaders(s, NULL, SCENE_PIXEL); /* flat: first or last vertex */
        }
        scene_vertices(s, v, 32);
        scene_draw(s, XENOS_TRIANGLE_FAN, 4);
    }
    scene_show(s);
}

/* Flat: of the fan's triangles (0, 1, 2) and (0, 2, 3) Direct3D's provoking vertices are 1 and 2 and
 * those of OpenGL 2 and 3; (120, 80) is in the first triangle, (70, 20) in the second. */
static const scene_probe interpolation_probes[] = {{1, 1, 0x333333},
                                                   {120, 90 + 80, 0xFF00FF},
                                                   {70, 90 + 20, 0xFFFFFF},
                                                   {160 + 120, 90 + 80, 0xFFFFFF},
                                                   {160 + 70, 90 + 20, 0x00FFFF}};
SCENE(interpolation, "perspective, linear and flat parameters");
