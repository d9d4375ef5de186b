/* Colour targets, blending, alpha, aliasing, resolves, gamma. */
#include "edram.h"
#include "scenes.h"

static const float grey[4] = {0.2f, 0.2f, 0.2f, 1};

static void clear(scene *s)
{
    scene_whole(s);
    scene_fill(s, (scene_box){0, 0, (float)s->width, (float)s->height}, 0, grey);
}

/* Draws what was resolved to SCENE_SCRATCH + `at` into a box. */
static void paste(scene *s, scene_box box, uint32_t at, uint32_t format, uint32_t width,
                  uint32_t height, uint32_t pitch)
{
    scene_bind(s, 1,
               &(scene_texture){.base = SCENE_SCRATCH + at,
                                .format = format,
                                .width = width,
                                .height = height,
                                .pitch = pitch,
                                .tiled = 1,
                                .clamp = 2,
                                .swizzle = SCENE_XYZW});
    scene_quad(s, box, (scene_box){0, 0, (float)width, (float)height}, NULL);
}

#define SCALED_TEXEL                                                                               \
    "xps_3_0\nexec\ntfetch2D r0, r0.xy, tf1, UnnormalizedTextureCoords=true\n"                     \
    "alloc colors\nexece\nmul oC0, r0, c0\n"

/* ---- every format ---- */

static void formats_draw(scene *s)
{
    static const char *const scaled = "xps_3_0\nalloc colors\nexece\nmul oC0, r0, c0\n";
    static const struct {
        uint32_t format, texture;
        float range;
    } cells[12] = {
        {XENOS_COLOR_8_8_8_8, 6, 1},
        {XENOS_COLOR_8_8_8_8_GAMMA, 6, 1},
        {XENOS_COLOR_2_10_10_10, 7, 1},
        {XENOS_COLOR_2_10_10_10_FLOAT, 32, 31},
        {XENOS_COLOR_16_16, 31, 30},
        {XENOS_COLOR_16_16_16_16, 32, 30},
        {XENOS_COLOR_16_16_FLOAT, 31, 3000},
        {XENOS_COLOR_16_16_16_16_FLOAT, 32, 3000},
        {XENOS_COLOR_2_10_10_10_AS_10_10_10_10, 7, 1},
        {XENOS_COLOR_2_10_10_10_FLOAT_AS_16_16_16_16, 32, 31},
        {XENOS_COLOR_32_FLOAT, 36, 1},
        {XENOS_COLOR_32_32_FLOAT, 37, 1},
    };
    clear(s);
    for (uint32_t i = 0; i < 12; i++) {
        float range = cells[i].range;
        scene_surface(s, 80, i % 3);
        scene_set(s, XENOS_RB_COLOR_INFO, 300 | cells[i].format << 16);
        scene_cell(s, 0, 0, 80, 56);
        scene_shaders(s, NULL, scaled);
        scene_constant(s, 256, range, range, range, 1);
        scene_blend(s, 1, 0, 0);
        scene_quad(s, (scene_box){0, 0, 80, 56}, (scene_box){0, 0, 1, 1},
                   (const float[]){0.25f, 1});
        scene_blend(s, 6, 0, 7); /* alpha, 1 - alpha */
        scene_fill(s, (scene_box){5, 5, 40, 30}, 0, (const float[]){1, 0.5f, 0.25f, 0.5f});
        scene_blend(s, 1, 0, 1); /* added */
        scene_fill(s, (scene_box){30, 20, 60, 50}, 0, (const float[]){0.3f, 0.3f, 0.3f, 0.25f});
        scene_blend(s, 1, 4, 1); /* taken from what is there */
        scene_fill(s, (scene_box){50.5f, 10.5f, 75.5f, 40.5f}, 0,
                   (const float[]){0.5f, 0.7f, 0.1f, 0});
        scene_blend(s, 1, 0, 0);
        scene_resolve(s, (scene_box){0, 0, 80, 56},
                      (scene_copy){6u << 4, cells[i].texture << 7, SCENE_SCRATCH, 96, 64});
        scene_surface(s, 320, 0);
        scene_set(s, XENOS_RB_COLOR_INFO, 0);
        scene_whole(s);
        scene_shaders(s, NULL, SCALED_TEXEL);
        scene_constant(s, 256, 1 / range, 1 / range, 1 / range, 1);
        float x = (float)(i % 4) * 80, y = (float)(i / 4) * 60;
        paste(s, (scene_box){x, y, x + 80, y + 56}, 0, cells[i].texture, 80, 56, 96);
    }
    scene_show(s);
}

/* 8_8_8_8, at (8, 50): red (8.5 / 80) * 255 = 27.1, green 50.5 / 56 * 255 = 229.96, blue 63.75. */
static const scene_probe formats_probes[] = {{8, 50, 0x1BE640}, {1, 58, 0x333333}};
SCENE(formats, "blending in every colour format, resolved and shown");

/* ---- blending ---- */

static void blending_draw(scene *s)
{
    static const uint32_t factors[] = {0, 1, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    clear(s);
    scene_set_float(s, XENOS_RB_BLEND_RED, 0.75f);
    scene_set_float(s, XENOS_RB_BLEND_GREEN, 0.25f);
    scene_set_float(s, XENOS_RB_BLEND_BLUE, 0.5f);
    scene_set_float(s, XENOS_RB_BLEND_ALPHA, 0.6f);
    for (uint32_t i = 0; i < 15; i++) {
        for (uint32_t j = 0; j < 15; j++) {
            scene_cell(s, i * 21, j * 12, 20, 11);
            scene_set(s, XENOS_RB_BLENDCONTROL0, 0x00010001);
            scene_quad(s, (scene_box){0, 0, 20, 11}, (scene_box){0, 0, 1, 1},
                       (const float[]){0.5f, 0.4f});
            uint32_t operation = (i + j) % 5;
            scene_set(s, XENOS_RB_BLENDCONTROL0,
                      factors[i] | operation << 5 | factors[j] << 8 |
                          (factors[j] | (4 - operation) << 5 | factors[i] << 8) << 16);
            scene_fill(s, (scene_box){3, 3, 17, 8}, 0, (const float[]){0.9f, 0.6f, 0.3f, 0.7f});
        }
    }
    scene_show(s);
}

/* (1, 0) at cell 1, 0 with operation 1 (source less destination): 0.9 * 1 - d * 0: 230, 153, 77 (229.5 and
 * 76.5 both round to even: 0.9f and 0.3f lie a little below and above: 229.500005 and 76.500003). */
static const scene_probe blending_probes[] = {{20, 0, 0x333333}};
SCENE(blending, "all pairs of factors, with the five operations");

/* ---- masks and several targets ---- */

static void targets_draw(scene *s)
{
    static const char *const four = "xps_3_0\nalloc colors\nexece\n"
                                    "mov oC0, r0\nmov oC1, r0.yzxw\nmov oC2, r0.zxyw\n"
                                    "add oC3, c0, -r0\n";
    static const uint32_t info[4] = {XENOS_RB_COLOR_INFO, XENOS_RB_COLOR1_INFO,
                                     XENOS_RB_COLOR2_INFO, XENOS_RB_COLOR3_INFO};
    scene_surface(s, 160, 0);
    scene_cell(s, 0, 0, 160, 88);
    scene_constant(s, 256, 1, 1, 1, 1);
    for (uint32_t i = 0; i < 4; i++) {
        scene_set(s, info[i], 200 + 100 * i);
    }
    scene_shaders(s, NULL, four);
    scene_set(s, XENOS_RB_COLOR_MASK, 0xFFFF);
    scene_fill(s, (scene_box){0, 0, 160, 88}, 0, grey);
    scene_set(s, XENOS_RB_COLOR_MASK, 0xE9D7);        /* rgb-, rg-a ... */
    scene_set(s, XENOS_RB_BLENDCONTROL1, 0x01060106); /* added, by alpha */
    scene_set(s, XENOS_RB_BLENDCONTROL2, 0x01860186); /* the larger */
    const float v[24] = {5, 5, 0, 1, 1,  0,  0.5f, 0.5f, 155,   20,    0, 1,
                         0, 1, 0, 1, 60, 85, 0,    1,    0.25f, 0.25f, 1, 0.75f};
    scene_vertices(s, v, 24);
    scene_draw(s, XENOS_TRIANGLES, 3);
    for (uint32_t i = 0; i < 4; i++) {
        scene_resolve(
            s, (scene_box){0, 0, 160, 88},
            (scene_copy){i, XENOS_FORMAT_8_8_8_8 << 7, SCENE_SCRATCH + i * 0x10000, 160, 96});
    }
    scene_surface(s, 320, 0);
    scene_set(s, XENOS_RB_COLOR_INFO, 0);
    scene_set(s, XENOS_RB_COLOR_MASK, 0xF);
    scene_shaders(s, NULL, SCENE_PIXEL);
    clear(s);
    scene_shaders(s, NULL, SCALED_TEXEL);
    for (uint32_t i = 0; i < 4; i++) {
        float x = (float)(i & 1) * 160, y = (float)(i / 2) * 90;
        paste(s, (scene_box){x, y, x + 160, y + 88}, i * 0x10000, 6, 160, 88, 160);
    }
    scene_show(s);
}

/* The fourth target holds 1 less grey: 0.8 = 204. */
static const scene_probe targets_probes[] = {{1, 1, 0x333333}, {161, 91, 0xCCCCCC}};
SCENE(targets, "four targets with masks and blending of their own");

/* ---- alpha ---- */

static void alpha_draw(scene *s)
{
    scene_surface(s, 320, 2);
    clear(s);
    scene_set_float(s, XENOS_RB_ALPHA_REF, 0.5f);
    for (uint32_t i = 0; i < 16; i++) {
        uint32_t control = i < 8 ? 8 | i : 16 | XENOS_ALWAYS;
        if (i >= 8) { /* to mask: offsets of four pixels */
            static const uint32_t offsets[8] = {0, 0x1B, 0x4E, 0xFF, 0x93, 0x72, 0x27, 0x55};
            control |= offsets[i - 8] << 24;
        }
        scene_set(s, XENOS_RB_COLORCONTROL, control);
        scene_cell(s, i % 8 * 40, i / 8 * 90, 40, 90);
        const float v[32] = {2,  4,  0, 1, 1, 1, 0, 0, 34, 4,  0, 1, 0, 1, 1, 1,
                             34, 84, 0, 1, 0, 1, 1, 1, 2,  84, 0, 1, 1, 1, 0, 0};
        scene_vertices(s, v, 32);
        scene_draw(s, XENOS_QUADS, 4);
    }
    scene_set(s, XENOS_RB_COLORCONTROL, XENOS_ALWAYS);
    scene_show(s);
}

/* Alpha (x - 2 + .5) / 32: below the reference at 10, above at 28. Never; less; not less ... */
static const scene_probe alpha_probes[] = {{10, 40, 0x333333},
                                           {40 + 28, 40, 0x333333},
                                           {160 + 10, 40, 0x333333},
                                           {240 + 10, 40, 0x333333}};
SCENE(alpha, "alpha test and alpha to mask, four samples");

/* ---- aliasing ---- */

static void aliasing_draw(scene *s)
{
    const uint32_t depth_tile = 600;
    /* Left: depth and stencil written as depth, read as colour. */
    scene_surface(s, 80, 0);
    scene_cell(s, 0, 0, 80, 80);
    scene_set(s, XENOS_RB_DEPTH_INFO, depth_tile);
    scene_set(s, XENOS_RB_DEPTHCONTROL, 1 | 6 | XENOS_ALWAYS << 4 | XENOS_ALWAYS << 8 | 2u << 14);
    scene_set(s, XENOS_RB_STENCILREFMASK, 0xFFFF40);
    const float v[32] = {0,  0,  0, 1, 1, 0, 0, 1, 80, 0,  0.25f, 1, 1, 0, 0, 1,
                         80, 80, 1, 1, 1, 0, 0, 1, 0,  80, 0.75f, 1, 1, 0, 0, 1};
    scene_set(s, XENOS_RB_COLOR_INFO, 700);
    scene_vertices(s, v, 32);
    scene_draw(s, XENOS_TRIANGLE_FAN, 4);
    scene_set(s, XENOS_RB_DEPTHCONTROL, 0);
    scene_set(s, XENOS_RB_COLOR_INFO, depth_tile);
    scene_resolve(s, (scene_box){0, 0, 80, 80}, (scene_copy){0, 6 << 7, SCENE_SCRATCH, 96, 96});
    /* Depth resolved as depth. */
    scene_resolve(s, (scene_box){0, 0, 80, 80},
                  (scene_copy){4, 22 << 7, SCENE_SCRATCH + 0x10000, 96, 96});
    /* Written as halves, read as bytes. */
    scene_set(s, XENOS_RB_COLOR_INFO, 650 | XENOS_COLOR_16_16_FLOAT << 16);
    scene_quad(s, (scene_box){0, 0, 80, 80}, (scene_box){-2, 0, 2, 1000}, NULL);
    scene_set(s, XENOS_RB_COLOR_INFO, 650);
    scene_resolve(s, (scene_box){0, 0, 80, 80},
                  (scene_copy){0, 6 << 7, SCENE_SCRATCH + 0x20000, 96, 96});
    /* Colour that is also the depth buffer of the same draw. */
    scene_set(s, XENOS_RB_COLOR_INFO, 800);
    scene_set(s, XENOS_RB_DEPTH_INFO, 800);
    scene_set(s, XENOS_RB_DEPTHCONTROL, 6 | XENOS_GREATER_EQUAL << 4);
    scene_set(s, XENOS_RB_COLOR_INFO, 800 | XENOS_COLOR_8_8_8_8 << 16);
    for (uint32_t i = 0; i < 5; i++) {
        scene_fill(s, (scene_box){(float)i * 9, (float)i * 7, 80 - (float)i * 5, 80 - (float)i * 9},
                   0.2f * (float)(5 - i), (const float[]){0.1f * (float)i, 0.9f, 0.5f, 0.6f});
    }
    scene_set(s, XENOS_RB_DEPTHCONTROL, 0);
    scene_resolve(s, (scene_box){0, 0, 80, 80},
                  (scene_copy){0, 6 << 7, SCENE_SCRATCH + 0x30000, 96, 96});
    /* A target that goes round the end of EDRAM, four samples written, one read. */
    scene_surface(s, 80, 2);
    scene_set(s, XENOS_RB_COLOR_INFO, 2040);
    scene_fill(s, (scene_box){0, 0, 80, 80}, 0, grey);
    scene_vertices(s, v, 32);
    scene_draw(s, XENOS_TRIANGLES, 3);
    scene_surface(s, 160, 0);
    scene_cell(s, 0, 0, 160, 160);
    scene_resolve(s, (scene_box){0, 0, 160, 160},
                  (scene_copy){0, 6 << 7, SCENE_SCRATCH + 0x40000, 160, 160});
    scene_surface(s, 320, 0);
    scene_set(s, XENOS_RB_COLOR_INFO, 0);
    clear(s);
    scene_shaders(s, NULL, SCALED_TEXEL);
    scene_constant(s, 256, 1, 1, 1, 1);
    paste(s, (scene_box){0, 0, 80, 80}, 0, 6, 80, 80, 96);
    paste(s, (scene_box){80, 0, 160, 80}, 0x10000, 22, 80, 80, 96);
    paste(s, (scene_box){0, 90, 80, 170}, 0x20000, 6, 80, 80, 96);
    paste(s, (scene_box){80, 90, 160, 170}, 0x30000, 6, 80, 80, 96);
    paste(s, (scene_box){160, 0, 320, 160}, 0x40000, 6, 160, 160, 160);
    scene_show(s);
}

/* Depth words as colours: red is the stencil, 0x40; the halves of each tile are swapped, so that pixel 0
 * has what depth has at 40. */
static const scene_probe aliasing_probes[] = {{4, 172, 0x333333}};
SCENE(aliasing, "EDRAM written in one format and read in another");

/* ---- resolves ---- */

static void resolves_draw(scene *s)
{
    static const struct {
        uint32_t control, info, texture;
        int32_t exponent;
    } cells[20] = {
        {0, 6 << 7, 6, 0},
        {0, 6 << 7 | 1 << 24, 6, 0}, /* red and blue change places */
        {0, 6 << 7 | 2, 6, 0},       /* 8in32, read without */
        {0, 4 << 7 | 1, 4, 0},       /* 5_6_5, 8in16 */
        {0, 3 << 7, 3, 0},
        {0, 15 << 7, 15, 0},
        {0, 7 << 7, 7, 0},
        {0, 16 << 7, 16, 0},
        {0, 17 << 7, 17, 0},
        {0, 2 << 7, 2, 0},
        {0, 10 << 7, 10, 0},
        {0, 26 << 7, 26, 0},
        {0, 32 << 7 | 3u << 16, 32, -3}, /* halves, times 8 */
        {0, 38 << 7 | 62u << 16, 38, 2}, /* singles, times 1/4 */
        {1 << 4, 6 << 7, 6, 0},          /* single samples of four */
        {4 << 4, 6 << 7, 6, 0},          /* two of them */
        {6 << 4, 6 << 7, 6, 0},
        {2 << 20, 6 << 7, 6, 0}, /* ones */
        {1 << 8, 6 << 7, 6, 0},  /* clears behind */
        {0, 6 << 7, 6, 0},       /* what was cleared */
    };
    scene_surface(s, 320, 0);
    scene_set(s, XENOS_RB_COLOR_CLEAR, 0xFF804020);
    clear(s);
    for (uint32_t i = 0; i < 20; i++) {
        uint32_t at = (i + (i > 13)) * 0x8000; /* singles take two places */
        scene_surface(s, 80, i >= 14 ? 2 : 0);
        scene_set(s, XENOS_RB_COLOR_INFO, 500);
        scene_cell(s, 0, 0, 64, 40);
        if (i != 19) {
            scene_shaders(s, NULL, SCENE_PIXEL);
            scene_fill(s, (scene_box){0, 0, 64, 40}, 0, (const float[]){0, 0, 0, 0});
            scene_quad(s, (scene_box){1.25f, 0.5f, 62.5f, 39.25f}, (scene_box){0, 0, 1, 1},
                       (const float[]){0.75f, 1});
            const float v[24] = {5, 3, 0, 1, 1,  1,  1, 0.5f, 60, 30, 0, 1,
                                 0, 1, 1, 1, 20, 38, 0, 1,    1,  0,  1, 1};
            scene_vertices(s, v, 24);
            scene_draw(s, XENOS_TRIANGLES, 3);
        }
        scene_resolve(s, (scene_box){8, 0, 64, 40},
                      (scene_copy){cells[i].control, cells[i].info, SCENE_SCRATCH + at, 64, 64});
        scene_surface(s, 320, 0);
        scene_set(s, XENOS_RB_COLOR_INFO, 0);
        scene_whole(s);
        scene_shaders(s, NULL, SCALED_TEXEL);
        float scale = cells[i].exponent == 2 ? 4 : cells[i].exponent == -3 ? 0.125f : 1;
        scene_constant(s, 256, scale, scale, scale, 1);
        float x = (float)(i % 5) * 64, y = (float)(i / 5) * 45;
        paste(s, (scene_box){x, y, x + 64, y + 40}, at, cells[i].texture, 64, 40, 64);
    }
    scene_show(s);
}

/* Cell 17 is ones; cell 19 was cleared to 0xFF804020: red is the lowest byte. */
static const scene_probe resolves_probes[] = {{2 * 64 + 30, 135 + 20, 0xFFFFFF},
                                              {4 * 64 + 30, 135 + 20, 0x204080},
                                              {4 * 64 + 2, 135 + 20, 0x000000}};
SCENE(resolves, "formats, byte orders, exponents, samples, ones, clears");

/* ---- gamma ---- */

static void gamma_draw(scene *s)
{
    clear(s);
    scene_cell(s, 0, 0, 320, 40);
    scene_quad(s, (scene_box){0, 0, 320, 40}, (scene_box){0, 0, 1, 1}, (const float[]){0.5f, 1});
    scene_set(s, XENOS_RB_COLOR_INFO, XENOS_COLOR_8_8_8_8_GAMMA << 16);
    scene_cell(s, 0, 45, 320, 40);
    scene_quad(s, (scene_box){0, 0, 320, 40}, (scene_box){0, 0, 1, 1}, (const float[]){0.5f, 1});
    scene_blend(s, 6, 0, 7);
    scene_fill(s, (scene_box){0, 10, 320, 20}, 0, (const float[]){1, 1, 1, 0.5f});
    scene_blend(s, 1, 0, 0);
    scene_set(s, XENOS_RB_COLOR_INFO, 0);
    scene_cell(s, 0, 90, 320, 90);
    scene_quad(s, (scene_box){0, 0, 320, 90}, (scene_box){0, 0, 1, 0}, (const float[]){0.25f, 1});
    /* The display's table: red squared, green turned round, blue as it is; ten bits each. */
    scene_set(s, XENOS_DC_LUT_RW_INDEX, 0);
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t red = i * i * 1023 / (255 * 255), green = 1023 - i * 1023 / 255;
        scene_set(s, XENOS_DC_LUT_30_COLOR, red << 20 | green << 10 | i * 1023 / 255);
    }
    scene_show(s);
}

/* Ground 51: red 51 * 51 * 1023 / 65025 = 40.9 -> 40, >> 2: 10; green 1023 - 204 = 819 >> 2: 204; blue
 * 204 >> 2: 51. */
static const scene_probe gamma_probes[] = {{5, 42, 0x0ACC33}};
SCENE(gamma, "the gamma target and the display's gamma table");
