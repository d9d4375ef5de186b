/* What titles build out of several draws: shadows, high dynamic range, particles, environment maps,
 * displacement, slices of a volume, tessellation. Each picture has pixels that were found by hand. */
#include <string.h>

#include "edram.h"
#include "scenes.h"

static const float grey[4] = {0.2f, 0.2f, 0.2f, 1};

static void clear(scene *s)
{
    scene_whole(s);
    scene_fill(s, (scene_box){0, 0, (float)s->width, (float)s->height}, 0, grey);
}

/* A target of 80 pixels a row at tile 500, depth in `info`; coordinates count from its corner. */
static void to_side(scene *s, uint32_t color_format, uint32_t depth_info)
{
    scene_surface(s, 80, 0);
    scene_set(s, XENOS_RB_COLOR_INFO, 500 | color_format << 16);
    scene_set(s, XENOS_RB_DEPTH_INFO, depth_info);
    scene_cell(s, 0, 0, 80, 80);
}

static void to_frame(scene *s)
{
    scene_surface(s, s->width, 0);
    scene_set(s, XENOS_RB_COLOR_INFO, 0);
    scene_set(s, XENOS_RB_DEPTH_INFO, DEPTH_TILE);
    scene_whole(s);
}

/* ---- shadows ---- */

/* Depth from the light, with casters at 1/4 and on a ramp from 0 to 1, resolved and read by the
 * ground, which is 1/2 away: red is light, 1 or 1/4, green and blue are the depth. Left D24S8 as 24_8,
 * right D24FS8 as 24_8_FLOAT; below with linear filters. */
static void shadows_draw(scene *s)
{
    static const char *const ground = "xps_3_0\nexec\ntfetch2D r1, r0.xy, tf1\n"
                                      "sge r2.x, r1.x, r0.z\nmad r3.x, r2.x, c0.x, c0.y\n"
                                      "mov r3.yz, r1.xxx\nmov r3.w, c0.z\n"
                                      "alloc colors\nexece\nmov oC0, r3\n";
    clear(s);
    scene_constant(s, 256, 0.75f, 0.25f, 1, 0);
    for (uint32_t i = 0; i < 2; i++) {
        uint32_t at = SCENE_SCRATCH + i * 0x10000;
        to_side(s, 0, 1500 | i << 16);
        scene_shaders(s, NULL, SCENE_PIXEL);
        scene_set(s, XENOS_RB_MODECONTROL, XENOS_MODE_DEPTH);
        scene_set(s, XENOS_RB_DEPTHCONTROL, 6 | XENOS_ALWAYS << 4);
        scene_fill(s, (scene_box){0, 0, 64, 64}, 1, grey);
        scene_set(s, XENOS_RB_DEPTHCONTROL, 6 | XENOS_LESS << 4);
        scene_fill(s, (scene_box){8, 8, 24, 24}, 0.25f, grey);
        const float ramp[32] = {32, 16, 0, 1, 0, 0, 0, 0, 64, 16, 1, 1, 0, 0, 0, 0,
                                64, 56, 1, 1, 0, 0, 0, 0, 32, 56, 0, 1, 0, 0, 0, 0};
        scene_vertices(s, ramp, 32);
        scene_draw(s, XENOS_QUADS, 4);
        scene_set(s, XENOS_RB_DEPTHCONTROL, 0);
        scene_resolve(s, (scene_box){0, 0, 64, 64}, (scene_copy){4, (22 + i) << 7, at, 64, 64});
        to_frame(s);
        scene_shaders(s, NULL, ground);
        for (uint32_t linear = 0; linear < 2; linear++) {
            scene_bind(s, 1,
                       &(scene_texture){.base = at,
                                        .format = 22 + i,
                                        .width = 64,
                                        .height = 64,
                                        .pitch = 64,
                                        .tiled = 1,
                                        .linear = linear,
                                        .clamp = 2,
                                        .swizzle = SCENE_XYZW});
            float x = (float)(i * 160), y = (float)(linear * 90);
            scene_quad(s, (scene_box){x, y, x + 128, y + 88}, (scene_box){0, 0, 1, 1},
                       (const float[]){0.5f, 1});
        }
    }
    scene_show(s);
}

/* Two pixels across a texel: (32, 22) is texel (16, 16), in the caster. 0.25 is 63.75 of 255. The ramp
 * passes 1/2 in its middle, texel 48; texel 40 is at (8 + 1/2) / 32 of it: 67.7. */
static const scene_probe shadows_probes[] = {
    {32, 22, 0x404040}, {4, 4, 0xFFFFFF},    {192, 22, 0x404040},  {300, 152, 0x333333},
    {80, 50, 0x404444}, {240, 50, 0x404444}, {192, 112, 0x404040}, {164, 94, 0xFFFFFF}};
SCENE(shadows, "shadow maps in both depth formats, by resolve and fetch");

/* ---- high dynamic range ---- */

/* Light of 3 and, over its right half, 2.5 more, in targets that hold more than 1; resolved as halves
 * and divided by 8 in a shader, and by an exponent bias of -3 to bytes. */
static void hdr_draw(scene *s)
{
    static const struct {
        uint32_t format, blends;
    } cells[5] = {
        {XENOS_COLOR_2_10_10_10_FLOAT, 1},
        {XENOS_COLOR_2_10_10_10_FLOAT_AS_16_16_16_16, 1},
        {XENOS_COLOR_16_16_16_16_FLOAT, 0},
        {XENOS_COLOR_16_16_16_16, 1}, /* fixed point, -32 to 32 */
        {XENOS_COLOR_32_32_FLOAT, 0},
    };
    static const float light[4] = {3, 1.5f, 0.75f, 1}, more[4] = {2.5f, 0.5f, 0.25f, 1},
                       both[4] = {5.5f, 2, 1, 1};
    clear(s);
    scene_constant(s, 256, 1.0f / 8, 1, 0, 0);
    for (uint32_t i = 0; i < 5; i++) {
        to_side(s, cells[i].format, DEPTH_TILE);
        scene_shaders(s, NULL, SCENE_PIXEL);
        scene_fill(s, (scene_box){0, 0, 64, 80}, 0, light);
        scene_blend(s, 1, 0, cells[i].blends); /* ONE, add, ONE or ZERO */
        scene_fill(s, (scene_box){32, 0, 64, 80}, 0, cells[i].blends ? more : both);
        scene_blend(s, 1, 0, 0);
        scene_resolve(s, (scene_box){0, 0, 64, 80},
                      (scene_copy){0, 32 << 7, SCENE_SCRATCH, 64, 80});
        scene_resolve(s, (scene_box){0, 0, 64, 80},
                      (scene_copy){0, 6 << 7 | (-3 & 63u) << 16, SCENE_SCRATCH + 0x10000, 64, 80});
        to_frame(s);
        for (uint32_t bytes = 0; bytes < 2; bytes++) {
            scene_bind(s, 1,
                       &(scene_texture){.base = SCENE_SCRATCH + bytes * 0x10000,
                                        .format = bytes ? 6 : 32,
                                        .width = 64,
                                        .height = 80,
                                        .pitch = 64,
                                        .tiled = 1,
                                        .swizzle = SCENE_XYZW});
            float x = (float)(i * 64), y = (float)(bytes * 90);
            scene_shaders(s, NULL,
                          bytes ? SCENE_TEXEL("tfetch2D r0, r0.xy, tf1")
                                : SCENE_TEXEL("tfetch2D r0, r0.xy, tf1\nmul r0.xyz, r0, c0.x"));
            scene_quad(s, (scene_box){x, y, x + 60, y + 80}, (scene_box){0, 0, 60.0f / 64, 1},
                       NULL);
        }
    }
    scene_show(s);
}

/* 3 / 8, 1.5 / 8, 0.75 / 8 of 255 are 95.6, 47.8, 23.9; 5.5, 2, 1 eighths 175.3, 63.75, 31.9. */
static const scene_probe hdr_probes[] = {
    {10, 40, 0x603018},   {50, 40, 0xAF4020},   {74, 40, 0x603018},  {114, 40, 0xAF4020},
    {138, 40, 0x603018},  {178, 40, 0xAF4020},  {10, 130, 0x603018}, {50, 130, 0xAF4020},
    {138, 130, 0x603018}, {178, 130, 0xAF4020}, {202, 40, 0x603018}, {242, 130, 0xAF4020},
    {266, 40, 0x603000},  {306, 130, 0xAF4000}, {62, 40, 0x333333}};
SCENE(hdr, "targets beyond 1, blended, resolved as halves and by exponent");

/* ---- particles ---- */

/* Place and speed of each particle lie in memory. A draw that paints nothing moves all by their speed
 * and exports them to where they were; another draws them as points. Three times. */
static void particles_draw(scene *s)
{
    static const char *const step =
        "xvs_3_0\nexec\n"
        "vfetch_full r1, r0.x, vf1, DataFormat=FMT_32_32_32_32_FLOAT, Stride=4\n"
        "add r1.xy, r1.xy, r1.zw\n"
        "alloc export=1\nexec\nmad eA, r0.x, c1, c0\nmov eM0, r1\n"
        "alloc position\nexece\nmov oPos, c2\n";
    static const char *const show =
        "xvs_3_0\nexec\n"
        "vfetch_full r1, r0.x, vf1, DataFormat=FMT_32_32_32_32_FLOAT, Stride=4\n"
        "mul r2.x, r0.x, c3.x\n"
        "alloc position\nexec\nmov oPos.xy, r1.xy\nmov oPos.zw, c2.zw\n"
        "alloc interpolators\nexece\nmad o0, r2.x, c5, c4\n";
    const uint32_t count = 32, at = scene_room(s, count * 16);
    float v[32 * 4];
    for (uint32_t i = 0; i < count; i++) {
        v[4 * i] = 20 + 9 * (float)i;
        v[4 * i + 1] = 20;
        v[4 * i + 2] = i & 1 ? -3 : 3;
        v[4 * i + 3] = 5 + (float)(i % 8) * 5;
    }
    for (uint32_t i = 0; i < count * 4; i++) {
        uint32_t bits = xenos_float_bits(v[i]);
        for (uint32_t k = 0; k < 4; k++) {
            scene_bytes(s, at)[4 * i + k] = (uint8_t)(bits >> (24 - 8 * k));
        }
    }
    scene_changed(s, at, count * 16);
    clear(s);
    scene_set(s, XENOS_CONSTANT_FETCH + 188, at | 3);
    scene_set(s, XENOS_CONSTANT_FETCH + 189, count * 4 << 2 | 2);
    scene_constant(s, 1, 0, 1, 0, 0);
    scene_constant(s, 2, 0, 0, 0, 1);
    scene_constant(s, 3, 1.0f / 32, 0, 0, 0);
    scene_constant(s, 4, 1, 0, 0, 1);
    scene_constant(s, 5, -1, 1, 0, 0);
    scene_set(s, XENOS_PA_SU_POINT_SIZE, 32u << 16 | 32); /* 4 pixels */
    scene_set(s, XENOS_PA_SU_POINT_MINMAX, 0xFFFF0000);
    for (uint32_t pass = 0; pass < 3; pass++) {
        const uint32_t packet[5] = {XENOS_CONSTANT_ALU | 3u << 16, 0x40000000u | at >> 2,
                                    0x4B000000u, 0x4B000000u | 38u << 8 | 2, 0x4B000000u | count};
        scene_shaders(s, step, SCENE_PIXEL);
        xenos_cp_execute(s->cp, packet, 5);
        scene_set(s, XENOS_SQ_PROGRAM_CNTL, 7u << 24); /* nothing is drawn */
        scene_draw(s, XENOS_POINTS, count);
        scene_set(s, XENOS_SQ_PROGRAM_CNTL, 0);
        scene_shaders(s, show, NULL);
        scene_draw(s, XENOS_POINTS, count);
    }
    scene_show(s);
}

/* Particle 0 goes from (20, 20) by (3, 5); particle 16 from (164, 20) likewise, and is half green. */
static const scene_probe particles_probes[] = {
    {23, 25, 0xFF0000}, {26, 30, 0xFF0000},  {29, 35, 0xFF0000},  {32, 40, 0x333333},
    {20, 20, 0x333333}, {170, 30, 0x808000}, {173, 35, 0x808000}, {176, 40, 0x333333}};
SCENE(particles, "particles that a vertex shader moves in memory");

/* ---- an environment map ---- */

/* The sides of a cube drawn and resolved one by one, then looked at: a colour each. */
static void environment_draw(scene *s)
{
    static const char *const cube = "xps_3_0\nexec\n"
                                    "cube r1, r0.zzxy, r0.yxzz\nrcp r2.x, r1_abs.z\n"
                                    "mad r1.xy, r1.xy, r2.x, c0.x\n"
                                    "tfetchCube r0, r1.yxw, tf1\n"
                                    "alloc colors\nexece\nmov oC0, r0\n";
    static const float color[6][4] = {{1, 0, 0, 1}, {0, 1, 1, 1}, {0, 1, 0, 1},
                                      {1, 0, 1, 1}, {0, 0, 1, 1}, {1, 1, 0, 1}};
    static const float white[4] = {1, 1, 1, 1};
    const scene_texture map = {.base = SCENE_SCRATCH,
                               .format = 6,
                               .width = 32,
                               .height = 32,
                               .pitch = 32,
                               .depth = 6,
                               .dimension = 3,
                               .tiled = 1,
                               .clamp = 2,
                               .swizzle = SCENE_XYZW};
    clear(s);
    for (uint32_t i = 0; i < 6; i++) {
        to_side(s, 0, DEPTH_TILE);
        scene_fill(s, (scene_box){0, 0, 32, 32}, 0, color[i]);
        scene_fill(s, (scene_box){0, 0, 8, 8}, 0, white); /* the corner u = v = 0 */
        scene_resolve(s, (scene_box){0, 0, 32, 32},
                      (scene_copy){0, 6 << 7, SCENE_SCRATCH + i * 4096, 32, 32});
    }
    to_frame(s);
    scene_constant(s, 256, 1.5f, 0, 0, 0);
    scene_shaders(s, NULL, cube);
    scene_bind(s, 1, &map);
    for (uint32_t i = 0; i < 6; i++) {
        /* Directions of corners (u, v) = (0, 0), (1, 0), (1, 1), (0, 1) of each side (Direct3D's
         * cube: +X looks along -Z to the right, and so on). */
        static const float right[6][3] = {{0, 0, -1}, {0, 0, 1}, {1, 0, 0},
                                          {1, 0, 0},  {1, 0, 0}, {-1, 0, 0}};
        static const float down[6][3] = {{0, -1, 0}, {0, -1, 0}, {0, 0, 1},
                                         {0, 0, -1}, {0, -1, 0}, {0, -1, 0}};
        static const float at[6][3] = {{1, 0, 0},  {-1, 0, 0}, {0, 1, 0},
                                       {0, -1, 0}, {0, 0, 1},  {0, 0, -1}};
        float v[32], x = (float)(i % 3) * 106, y = (float)(i / 3) * 90;
        for (uint32_t k = 0; k < 4; k++) {
            float a = k == 1 || k == 2 ? 0.99f : -0.99f, b = k >= 2 ? 0.99f : -0.99f;
            const float p[8] = {x + (a > 0 ? 100.0f : 0.0f),
                                y + (b > 0 ? 86.0f : 0.0f),
                                0,
                                1,
                                at[i][0] + a * right[i][0] + b * down[i][0],
                                at[i][1] + a * right[i][1] + b * down[i][1],
                                at[i][2] + a * right[i][2] + b * down[i][2],
                                1};
            memcpy(v + 8 * k, p, sizeof p);
        }
        scene_vertices(s, v, 32);
        scene_draw(s, XENOS_QUADS, 4);
    }
    scene_show(s);
}

/* Of each side the middle, and the corner that was painted white: upper left. */
static const scene_probe environment_probes[] = {
    {50, 43, 0xFF0000},   {156, 43, 0x00FFFF},  {262, 43, 0x00FF00},  {50, 133, 0xFF00FF},
    {156, 133, 0x0000FF}, {262, 133, 0xFFFF00}, {10, 10, 0xFFFFFF},   {116, 10, 0xFFFFFF},
    {222, 10, 0xFFFFFF},  {10, 100, 0xFFFFFF},  {116, 100, 0xFFFFFF}, {222, 100, 0xFFFFFF},
    {90, 10, 0xFF0000},   {196, 100, 0x0000FF}, {90, 70, 0xFF0000}};
SCENE(environment, "a cube drawn side by side, resolved and looked at");

/* ---- displacement ---- */

/* Heights from a texture that the vertex shader reads: a strip of 40 columns. */
static void displaced_draw(scene *s)
{
    static const char *const vertex =
        "xvs_3_0\nexec\n"
        "vfetch_full r1, r0.x, vf0, DataFormat=FMT_32_32_32_32_FLOAT, Stride=8\n"
        "vfetch_mini r2, DataFormat=FMT_32_32_32_32_FLOAT, Offset=4\n"
        "tfetch2D r3, r2.xy, tf1, UseComputedLOD=false\n"
        "mad r1.y, r3.x, r2.z, r1.y\n"
        "alloc position\nexec\nmov oPos, r1\n"
        "alloc interpolators\nexece\nmov o0, r3\n";
    static float v[82 * 8];
    clear(s);
    uint32_t at = scene_room(s, 32 * 128);
    for (uint32_t i = 0; i < 32 * 32; i++) { /* 0, 1/4, 1/2, 3/4, 0 ... along a row */
        uint32_t bits = xenos_float_bits((float)(i % 4) / 4);
        for (uint32_t k = 0; k < 4; k++) {
            scene_bytes(s, at)[4 * i + k] = (uint8_t)(bits >> 8 * k);
        }
    }
    scene_changed(s, at, 32 * 128);
    scene_bind(s, 1,
               &(scene_texture){.base = at,
                                .format = 36,
                                .width = 32,
                                .height = 32,
                                .pitch = 32,
                                .swizzle = 0}); /* red in all */
    for (uint32_t i = 0; i < 82; i++) {
        const float p[8] = {8 * (float)(i / 2),
                            i & 1 ? 170.0f : 130.0f,
                            0,
                            1,
                            ((float)(i / 2) + 0.5f) / 32,
                            0.5f,
                            i & 1 ? 0.0f : -120.0f,
                            1};
        memcpy(v + 8 * i, p, sizeof p);
    }
    scene_shaders(s, vertex, SCENE_PIXEL);
    scene_vertices(s, v, 82 * 8);
    scene_draw(s, XENOS_TRIANGLE_STRIP, 82);
    scene_show(s);
}

/* Column n is at 8 n, 120 (n % 4) / 4 pixels high above 130. The fourth (x = 24) reaches up to 40; half a
 * pixel on, the edge has fallen by 90 / 16 to 45.6, and 3/4 by a sixteenth: 179.3 of 255. Half a pixel
 * behind the first, 0 has risen to 1/64. */
static const scene_probe displaced_probes[] = {{24, 43, 0x333333},
                                               {24, 47, 0xB3B3B3},
                                               {24, 160, 0xB3B3B3},
                                               {0, 150, 0x040404},
                                               {32, 122, 0x333333}};
SCENE(displaced, "heights that a vertex shader fetches from a texture");

/* ---- a volume ---- */

/* Eight pictures resolved into slices of a 3D texture; then cut obliquely. */
static void slices_draw(scene *s)
{
    clear(s);
    for (uint32_t i = 0; i < 8; i++) {
        const float color[4] = {(float)(i & 1), (float)(i >> 1 & 1), (float)(i >> 2), 1};
        to_side(s, 0, DEPTH_TILE);
        scene_shaders(s, NULL, SCENE_PIXEL);
        scene_fill(s, (scene_box){0, 0, 32, 32}, 0, color);
        /* 3D: array, slice within its group of eight. */
        scene_resolve(s, (scene_box){0, 0, 32, 32},
                      (scene_copy){0, 6 << 7 | 1 << 3 | i << 4, SCENE_SCRATCH, 32, 32});
    }
    to_frame(s);
    scene_shaders(s, NULL, SCENE_TEXEL("tfetch3D r0, r0.xyz, tf1"));
    for (uint32_t linear = 0; linear < 2; linear++) {
        scene_bind(s, 1,
                   &(scene_texture){.base = SCENE_SCRATCH,
                                    .format = 6,
                                    .width = 32,
                                    .height = 32,
                                    .pitch = 32,
                                    .depth = 8,
                                    .dimension = 2,
                                    .tiled = 1,
                                    .linear = linear,
                                    .clamp = 2,
                                    .swizzle = SCENE_XYZW});
        float y = (float)(linear * 90);
        const float v[32] = {0,   y,      0, 1, 0, 0, 0, 1, 320, y,      0, 1, 1, 0, 1, 1,
                             320, y + 80, 0, 1, 1, 1, 1, 1, 0,   y + 80, 0, 1, 0, 1, 0, 1};
        scene_vertices(s, v, 32);
        scene_draw(s, XENOS_QUADS, 4);
    }
    scene_show(s);
}

/* A slice is 40 pixels; each one's middle is at 20 + 40 n. */
static const scene_probe slices_probes[] = {
    {20, 40, 0x000000},  {60, 40, 0xFF0000},  {100, 40, 0x00FF00}, {140, 40, 0xFFFF00},
    {180, 40, 0x0000FF}, {220, 40, 0xFF00FF}, {260, 40, 0x00FFFF}, {300, 40, 0xFFFFFF},
    {39, 10, 0x000000},  {40, 10, 0xFF0000},  {5, 130, 0x000000},  {319, 130, 0xFFFFFF}};
SCENE(slices, "pictures resolved into slices of a volume");

/* ---- tessellation ---- */

/* Sides as lines. Above: discrete triangles of level 0, 2.5 and 6; quads, continuous, of level 1.5, 3,
 * 5.7. Below: adaptive patches of both kinds, and a bent surface, filled. */
static void tessellation_draw(scene *s)
{
    /* Patches without vertices: corners are constants, and the patch's number moves it along. */
    static const char *const triangle = "xvs_3_0\nexec\nmul r2, c1, r0.z\nmad r2, c2, r0.y, r2\n"
                                        "mad r2, c3, r0.x, r2\n"
                                        "alloc position\nexec\nmov oPos, r2\n"
                                        "alloc interpolators\nexece\nmov o0, c4\n";
    static const char *const quad = "xvs_3_0\nalloc position\nexec\nmad oPos, r0.yzyy, c2, c1\n"
                                    "alloc interpolators\nexece\nmov o0, c4\n";
    static const char *const bent =
        "xvs_3_0\nexec\n"
        "mad r2.xy, -r0.yz, r0.yz, r0.yz\nmul r3.x, r2.x, r2.y\n"
        "mad r4.xy, r0.yz, c2.xy, c1.xy\nmad r4.y, r3.x, c3.x, r4.y\nmov r4.zw, c1.zw\n"
        "alloc position\nexec\nmov oPos, r4\n"
        "alloc interpolators\nexece\nmul o0, r3.x, c3.y\n";
    static const float levels[6] = {0, 2.5f, 6, 1.5f, 3, 5.7f};
    static const float sides[3][4] = {{9, 0, 3, 0}, {1, 7, 3.5f, 14}, {15, 15, 15, 15}};
    clear(s);
    scene_constant(s, 4, 1, 1, 1, 1);
    scene_set(s, XENOS_VGT_OUTPUT_PATH_CNTL, 1);
    scene_set(s, XENOS_PA_SU_LINE_CNTL, 8);
    for (uint32_t i = 0; i < 9; i++) {
        uint32_t adaptive = i >= 6, quads = i >= 3 && i != 6;
        float x = i < 6 ? (float)i * 53 + 4 : (float)(i - 6) * 106 + 4, y = i < 6 ? 4 : 84;
        float w = i < 6 ? 44 : 98, h = i < 6 ? 72 : 88;
        scene_set(s, XENOS_VGT_HOS_CNTL, i < 3 ? 0 : adaptive ? 2 : 1);
        scene_set_float(s, XENOS_VGT_HOS_MAX_TESS_LEVEL, adaptive ? 15 : levels[i]);
        scene_set(s, XENOS_PA_SU_SC_MODE_CNTL,
                  1u << 15 | (i < 8 ? 1u << 3 | 1u << 5 | 1u << 8 : 0));
        scene_shaders(s, i == 8 ? bent : quads ? quad : triangle, NULL);
        scene_constant(s, 1, x, y, 0, 1);
        if (quads) {
            scene_constant(s, 2, w, h, 0, 0);
            scene_constant(s, 3, 16 * 40, 16, 0, 0);
        } else {
            scene_constant(s, 2, x + w, y + h / 4, 0, 1);
            scene_constant(s, 3, x + w / 3, y + h, 0, 1);
        }
        uint32_t type = quads ? XENOS_QUAD_PATCHES : XENOS_TRIANGLE_PATCHES;
        if (!adaptive) {
            scene_draw(s, type, 1);
            continue;
        }
        uint32_t bits[4];
        for (uint32_t k = 0; k < 4; k++) {
            bits[k] = xenos_float_bits(sides[i - 6][k]);
        }
        scene_draw_indexed(s, type, bits, quads ? 4 : 3, 1);
    }
    scene_set(s, XENOS_VGT_OUTPUT_PATH_CNTL, 0);
    scene_set(s, XENOS_PA_SU_SC_MODE_CNTL, 1u << 15);
    scene_show(s);
}

/* The first triangle is empty; the second, of level 2.5, has four segments a side, and a point at
 * (1/2, 1/4, 1/4) of its corners (57, 4), (101, 22), (71.7, 76). The bent surface hangs below its square,
 * by 640 u (1 - u) v (1 - v), to 180 in its middle and not at its sides. */
static const scene_probe tessellation_probes[] = {
    {24, 30, 0x333333}, {71, 26, 0xFFFFFF}, {219, 15, 0x333333}, {220, 177, 0x333333}};
SCENE(tessellation, "patches: discrete, continuous, adaptive levels");
