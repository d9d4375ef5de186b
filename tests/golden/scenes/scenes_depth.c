/* Depth, stencil, polygon offset, counts. */
#include "pm4.h"
#include "scenes.h"

static const float grey[4] = {0.2f, 0.2f, 0.2f, 1};

/* RB_DEPTHCONTROL: test, write, function. */
#define Z_TEST        2u
#define Z_WRITE       4u
#define Z_FUNCTION(f) ((uint32_t)(f) << 4)
#define CLEARS        (Z_TEST | Z_WRITE | Z_FUNCTION(XENOS_ALWAYS))

static void clear(scene *s, float z)
{
    scene_whole(s);
    scene_set(s, XENOS_RB_DEPTHCONTROL, CLEARS);
    scene_fill(s, (scene_box){0, 0, (float)s->width, (float)s->height}, z, grey);
}

/* A quad whose depth goes from z0 on the left to z1 on the right, and its colour with it. */
static void ramp(scene *s, scene_box b, float z0, float z1, float blue)
{
    const float v[32] = {b.x0, b.y0, z0, 1, 1, 0, blue, 1, b.x1, b.y0, z1, 1, 0, 1, blue, 1,
                         b.x1, b.y1, z1, 1, 0, 1, blue, 1, b.x0, b.y1, z0, 1, 1, 0, blue, 1};
    scene_vertices(s, v, 32);
    scene_draw(s, XENOS_QUADS, 4);
}

/* ---- depth ---- */

static void depth_draw(scene *s)
{
    for (uint32_t is_float = 0; is_float < 2; is_float++) {
        scene_set(s, XENOS_RB_DEPTH_INFO, (DEPTH_TILE + is_float * 256) | is_float << 16);
        scene_set(s, XENOS_RB_DEPTHCONTROL, CLEARS);
        scene_cell(s, 0, is_float * 90, 320, 90);
        scene_fill(s, (scene_box){0, 0, 320, 90}, 0.5f, grey);
        for (uint32_t f = 0; f < 8; f++) {
            scene_cell(s, f * 40, is_float * 90, 40, 90);
            scene_set(s, XENOS_RB_DEPTHCONTROL, Z_TEST | Z_WRITE | Z_FUNCTION(f));
            ramp(s, (scene_box){2, 4, 34, 20}, 0, 1, 0);
            ramp(s, (scene_box){2, 24, 34, 40}, 0.5f, 0.5f, 1);
            /* Steps of depth so fine that the format decides which are equal. */
            scene_set(s, XENOS_RB_DEPTHCONTROL, CLEARS);
            ramp(s, (scene_box){2, 44, 34, 84}, 0.9999990f, 0.9999999f, 0.5f);
            scene_set(s, XENOS_RB_DEPTHCONTROL, Z_TEST | Z_FUNCTION(f));
            ramp(s, (scene_box){2, 52, 34, 84}, 0.9999999f, 0.9999990f, 1);
        }
    }
    scene_show(s);
}

/* The first row's depth at pixel 2 + n + .5 is (n + .5) / 32: 8 is nearer than 0.5, 28 farther; the
 * second is equal: never, less, equal, less or equal, greater, not equal, greater or equal, always. */
static const scene_probe depth_probes[] = {
    {8, 10, 0x333333},       {28, 10, 0x333333},       {40 + 28, 10, 0x333333},
    {80 + 8, 10, 0x333333},  {120 + 28, 10, 0x333333}, {160 + 8, 10, 0x333333},
    {40 + 8, 30, 0x333333},  {160 + 8, 30, 0x333333},  {200 + 8, 30, 0x333333},
    {240 + 8, 10, 0x333333}, {40 + 28, 100, 0x333333}};
SCENE(depth, "eight functions in both depth formats");

static void planes_draw(scene *s)
{
    /* Three planes that cut each other, and shells that differ by little, with the pixel shader's depth in
     * the lower half. */
    static const char *const writes = "xps_3_0\nexec\n"
                                      "mul r1.x, r0.z, c0.x\nfrc r1.x, r1.x\n"
                                      "alloc colors\nexece\nmov oC0, r0\nmov oDepth, r1.x\n";
    clear(s, 1);
    for (uint32_t half = 0; half < 2; half++) {
        scene_cell(s, 0, half * 90, 320, 90);
        scene_set(s, XENOS_RB_DEPTH_INFO, DEPTH_TILE | half << 16);
        if (half) {
            scene_shaders(s, NULL, writes);
            scene_constant(s, 256, 7, 0, 0, 0);
            scene_set(s, XENOS_RB_DEPTHCONTROL, CLEARS);
            scene_fill(s, (scene_box){0, 0, 320, 90}, 1, (const float[4]){0.2f, 0.2f, 0.13f, 1});
        }
        scene_set(s, XENOS_RB_DEPTHCONTROL, Z_TEST | Z_WRITE | Z_FUNCTION(XENOS_LESS));
        for (uint32_t i = 0; i < 9; i++) {
            float f = (float)i, a = 0.1f + 0.09f * f, b = 0.95f - 0.1f * f;
            const float v[24] = {10 + 20 * f,  5,          a,    1, f / 9, 0,     1,     1,
                                 310 - 12 * f, 20 + 3 * f, b,    2, 0,     f / 9, 0.5f,  1,
                                 100 + 11 * f, 88 - f,     0.5f, 3, 1,     1,     f / 9, 1};
            scene_vertices(s, v, 24);
            scene_draw(s, XENOS_TRIANGLES, 3);
        }
    }
    scene_show(s);
}

static const scene_probe planes_probes[] = {{1, 1, 0x333333}};
SCENE(planes, "planes that cut each other; depth from the shader");

static void offset_draw(scene *s)
{
    clear(s, 1);
    for (uint32_t i = 0; i < 8; i++) {
        scene_cell(s, i % 4 * 80, i / 4 * 90, 80, 90);
        scene_set(s, XENOS_RB_DEPTH_INFO, DEPTH_TILE | (i >= 4 ? 1u << 16 : 0));
        scene_set(s, XENOS_RB_DEPTHCONTROL, CLEARS);
        scene_set(s, XENOS_PA_SU_SC_MODE_CNTL, 1u << 15);
        ramp(s, (scene_box){4, 4, 76, 84}, 0.25f, 0.75f, 0);
        /* The same plane, lifted: by nothing, a constant, the slope; last by face. */
        static const float lift[4][4] = {
            {0, 0, 0, 0}, {0, -0.0000005f, 0, 0}, {-16, 0, 16, 0}, {16, -0.01f, -32, 0.002f}};
        for (uint32_t k = 0; k < 4; k++) {
            scene_set_float(s, XENOS_PA_SU_POLY_OFFSET_FRONT_SCALE + k, lift[i % 4][k]);
        }
        scene_set(s, XENOS_PA_SU_SC_MODE_CNTL, 1u << 15 | 1u << 11 | 1u << 12);
        scene_set(s, XENOS_RB_DEPTHCONTROL, Z_TEST | Z_WRITE | Z_FUNCTION(XENOS_LESS));
        ramp(s, (scene_box){10, 10, 70, 40}, 0.25f + 6.0f / 144, 0.75f - 6.0f / 144, 1);
        ramp(s, (scene_box){70, 50, 10, 80}, 0.75f - 6.0f / 144, 0.25f + 6.0f / 144, 1);
    }
    scene_show(s);
}

/* Cell 1: the front is counter-clockwise, which the quads whose corners run right first are not on a
 * screen with y down: they are backs, and not lifted; the lower ones, drawn from right to left, are
 * fronts, nearer by 5e-7 of 2^24 steps: 8. Blue is 255 where they won. Left of the middle red is more. */
static const scene_probe offset_probes[] = {{1, 1, 0x333333}};
SCENE(offset, "polygon offset by constant and slope, front and back");

/* ---- stencil ---- */

/* Shows values: bands where the stencil is at least n * 36. */
static void show_stencil(scene *s, scene_box b)
{
    for (uint32_t n = 0; n < 8; n++) {
        const float c[4] = {(float)n / 7, (float)(n & 1), 1 - (float)n / 7, 1};
        scene_set(s, XENOS_RB_STENCILREFMASK, n * 36 | 0xFF00);
        scene_set(s, XENOS_RB_DEPTHCONTROL, 1 | XENOS_LESS_EQUAL << 8);
        scene_fill(s, b, 0, c);
    }
}

static void stencil_draw(scene *s)
{
    clear(s, 0.5f);
    for (uint32_t op = 0; op < 8; op++) {
        for (uint32_t row = 0; row < 3; row++) { /* fail, depth fail, pass */
            scene_cell(s, op * 40, row * 60, 40, 60);
            /* Start: 4, 80, 160, 255 in four columns. */
            static const uint32_t start[4] = {0, 80, 160, 255};
            for (uint32_t k = 0; k < 4; k++) {
                scene_set(s, XENOS_RB_STENCILREFMASK, start[k] | 0xFFFF00);
                scene_set(s, XENOS_RB_DEPTHCONTROL,
                          1 | XENOS_ALWAYS << 8 | 2u << 11 | 2u << 14 | 2u << 17);
                scene_fill(s, (scene_box){2 + 9 * (float)k, 2, 11 + 9 * (float)k, 58}, 0, grey);
            }
            uint32_t function = row == 0 ? XENOS_NEVER : XENOS_ALWAYS;
            uint32_t ops = row == 0 ? op << 3 : row == 1 ? op << 9 : op << 6;
            uint32_t other = (op + 3) % 8;
            uint32_t back = row == 0 ? other << 3 : row == 1 ? other << 9 : other << 6;
            scene_set(s, XENOS_RB_STENCILREFMASK, 100 | 0xFFFF00);
            scene_set(s, XENOS_RB_STENCILREFMASK_BF, 200 | 0x7FFF00);
            scene_set(s, XENOS_RB_DEPTHCONTROL,
                      1 | Z_TEST | Z_FUNCTION(XENOS_LESS) | 1u << 7 | (function | ops) << 8 |
                          (function | back) << 20);
            float z = row == 1 ? 0.75f : 0.25f;
            ramp(s, (scene_box){2, 22, 38, 40}, z, z, 0); /* back */
            ramp(s, (scene_box){38, 40, 2, 58}, z, z, 0); /* front */
            show_stencil(s, (scene_box){2, 2, 38, 58});
        }
    }
    scene_show(s);
}

/* Operation 1 (zero) of cell 1, row "pass": columns of 0..255 become 0: band 0, blue. In its upper part
 * nothing was drawn: the last column is 255: band 7, (1, 1, 0). */
static const scene_probe stencil_probes[] = {
    {40 + 34, 120 + 50, 0x0000FF}, {40 + 34, 120 + 10, 0xFFFF00}, {40 + 4, 120 + 10, 0x0000FF}};
SCENE(stencil, "eight stencil operations on fail, depth fail and pass, two-sided");

/* ---- counts ---- */

static void counts_draw(scene *s)
{
    const uint32_t results = SCENE_SCRATCH;
    clear(s, 0.5f);
    for (uint32_t i = 0; i < 6; i++) {
        scene_surface(s, 320, i % 3 == 2 ? 2 : i % 3);
        scene_cell(s, 0, 0, 80, 80);
        scene_set(s, XENOS_RB_COLOR_INFO, 500);
        scene_set(s, XENOS_RB_DEPTH_INFO, 1300);
        scene_set(s, XENOS_RB_DEPTHCONTROL, CLEARS);
        scene_fill(s, (scene_box){0, 0, 80, 80}, 0.5f, grey);
        scene_set(s, XENOS_RB_SAMPLE_COUNT_CTL, 1);
        scene_set(s, XENOS_RB_SAMPLE_COUNT_ADDR, results + 64 * i);
        scene_set(s, XENOS_RB_DEPTHCONTROL,
                  Z_TEST | Z_FUNCTION(XENOS_LESS) | (i >= 3 ? 1u | XENOS_NOT_EQUAL << 8 : 0));
        const uint32_t begin = i, end = i | 0x100, zpd = 21;
        scene_packet(s, XENOS_PM4_VIZ_QUERY, &begin, 1);
        ramp(s, (scene_box){0, 0, 64, 10}, 0, 1, 0);
        scene_packet(s, XENOS_PM4_VIZ_QUERY, &end, 1);
        scene_packet(s, XENOS_PM4_EVENT_WRITE_ZPD, &zpd, 1);
        const uint32_t extents[2] = {31, results + 64 * i + 32};
        scene_packet(s, XENOS_PM4_EVENT_WRITE_EXT, extents, 2);
    }
    scene_surface(s, 320, 0);
    scene_set(s, XENOS_RB_COLOR_INFO, 0);
    scene_set(s, XENOS_RB_DEPTHCONTROL, 0);
    /* The numbers as a texture: a byte a texel, 64 to a row; the queries as squares. */
    scene_shaders(s, NULL, SCENE_TEXEL("tfetch2D r0, r0.xy, tf1, UnnormalizedTextureCoords=true"));
    scene_bind(s, 1,
               &(scene_texture){.base = results,
                                .format = 2,
                                .width = 64,
                                .height = 6,
                                .pitch = 64,
                                .clamp = 2,
                                .swizzle = 0xA00 /* x x x 1 */});
    scene_whole(s);
    scene_quad(s, (scene_box){0, 0, 320, 120}, (scene_box){0, 0, 64, 6}, NULL);
    scene_shaders(s, NULL, SCENE_PIXEL);
    for (uint32_t i = 0; i < 6; i++) {
        static const float yes[4] = {0, 1, 0, 1};
        if (s->cp->registers[XENOS_VIZ_QUERY_STATUS_0] >> i & 1) {
            scene_fill(s, (scene_box){10 + 50 * (float)i, 130, 40 + 50 * (float)i, 160}, 0, yes);
        }
    }
    scene_show(s);
}

/* 64x10 pixels, depth (x + .5) / 64: half are nearer than 0.5: total 640 (0x280, bytes 0x80 0x02), z
 * fail 320 (0x140), pass 320. Numbers are little-endian, A and B of each kind; a byte takes 5x20 pixels.
 * With stencil NOT_EQUAL all fail at 0 against 0, so that no query is visible. */
static const scene_probe counts_probes[] = {
    {2, 10, 0x808080},  {7, 10, 0x020202},  {42, 10, 0x404040},  {47, 10, 0x010101},
    {82, 10, 0x404040}, {87, 10, 0x010101}, {20, 140, 0x00FF00}, {220, 140, 0x333333}};
SCENE(counts, "sample counts, extents and visibility queries, by samples a pixel");
