/* Textures: formats, signs, levels, address modes, dimensions, byte orders. */
#include <string.h>

#include "scenes.h"
#include "texture_layout.h"

static const float grey[4] = {0.2f, 0.2f, 0.2f, 1};

static void clear(scene *s)
{
    scene_whole(s);
    scene_fill(s, (scene_box){0, 0, (float)s->width, (float)s->height}, 0, grey);
}

/* One texel or block: `bytes` of them at `to`. */
typedef void (*texel_writer)(uint8_t *to, uint32_t bytes, uint32_t level, uint32_t slice,
                             uint32_t x, uint32_t y);

/* Writes every block of every level where the layout has it. */
static void write_texture(scene *s, const scene_texture *texture, texel_writer write)
{
    uint32_t words[6];
    xenos_texture layout;
    scene_texture_words(texture, words);
    if (!xenos_texture_decode(&layout, words)) {
        scene_fail(s, "a texture is none");
    }
    for (uint32_t level = layout.min_level; level <= layout.max_level; level++) {
        const xenos_texture_level *at = &layout.levels[level];
        for (uint32_t z = 0; z < at->depth; z++) {
            for (uint32_t y = 0; y < at->blocks_up; y++) {
                for (uint32_t x = 0; x < at->blocks_across; x++) {
                    uint64_t address = xenos_texture_address(&layout, level, x, y, z);
                    if (address + layout.block_bytes > SCENE_SCRATCH) {
                        scene_fail(s, "a texture reaches beyond memory");
                    }
                    write(scene_bytes(s, (uint32_t)address), layout.block_bytes, level, z, x, y);
                }
            }
        }
    }
    scene_changed(s, 0, SCENE_SCRATCH);
}

static void write_noise(uint8_t *to, uint32_t bytes, uint32_t level, uint32_t slice, uint32_t x,
                        uint32_t y)
{
    uint32_t state =
        (x + 1) * 0x9E3779B1u ^ (y + 1) * 0x85EBCA6Bu ^ (level + slice * 16 + 1) * 0xC2B2AE35u;
    for (uint32_t i = 0; i < bytes; i++) {
        to[i] = (uint8_t)(scene_random(&state) >> 13);
    }
}

/* Singles of 0.5 to 1 and minus that: noise would be NaNs and giants. */
static void write_singles(uint8_t *to, uint32_t bytes, uint32_t level, uint32_t slice, uint32_t x,
                          uint32_t y)
{
    write_noise(to, bytes, level, slice, x, y);
    for (uint32_t i = 3; i < bytes; i += 4) {
        to[i] = (uint8_t)(to[i] & 0x80) | 0x3F;
        to[i - 1] &= 0x7F;
    }
}

/* Ramps: each byte counts up along x, y or both. */
static void write_ramp(uint8_t *to, uint32_t bytes, uint32_t level, uint32_t slice, uint32_t x,
                       uint32_t y)
{
    for (uint32_t i = 0; i < bytes; i++) {
        to[i] = (uint8_t)(i % 3 == 0 ? x * 16 + 8 : i % 3 == 1 ? y * 16 + 8 : (x + y) * 8 + i);
    }
}

/* 8_8_8_8: a chequer of white and the level's or slice's colour. */
static void write_checker(uint8_t *to, uint32_t bytes, uint32_t level, uint32_t slice, uint32_t x,
                          uint32_t y)
{
    static const uint8_t colors[8][3] = {{255, 0, 0},   {0, 255, 0},   {0, 0, 255},   {255, 255, 0},
                                         {255, 0, 255}, {0, 255, 255}, {255, 128, 0}, {0, 128, 64}};
    const uint8_t *color = colors[(level + slice) & 7];
    for (uint32_t i = 0; i < bytes; i++) {
        to[i] = (x ^ y) & 1 || i == 3 ? 255 : color[i];
    }
}

#define TEXEL_2D SCENE_TEXEL("tfetch2D r0, r0.xy, tf1")

static uint32_t block_bits(uint32_t format)
{
    return xenos_format_of(format)->bits;
}

/* ---- formats ---- */

static void texture_formats_draw(scene *s)
{
    clear(s);
    scene_shaders(s, NULL, TEXEL_2D);
    for (uint32_t f = 0; f < 64; f++) {
        uint32_t block = xenos_format_of(f)->block_width;
        scene_texture t = {.format = f,
                           .width = 12 * (block > 1 ? 2u : 1),
                           .height = 8 * (block > 1 ? 2u : 1),
                           .pitch = 32 * (block > 1 ? block : 1),
                           .tiled = block_bits(f) != 96,
                           .linear = f & 1,
                           .clamp = 2,
                           .swizzle = SCENE_XYZW};
        t.base = scene_room(s, 32 * 32 * 16);
        if (block_bits(f) != 0) {
            write_texture(s, &t,
                          f == 36 || f == 37 || f == 38 || f == 57 ? write_singles : write_noise);
        }
        scene_bind(s, 1, &t);
        scene_cell(s, f % 8 * 40, f / 8 * 22, 40, 22);
        scene_quad(s, (scene_box){1, 1, 39, 21}, (scene_box){0, 0, 1, 1}, NULL);
    }
    scene_show(s);
}

/* Between cells is the ground. */
static const scene_probe texture_formats_probes[] = {{0, 0, 0x333333}, {39, 21, 0x333333}};
SCENE(texture_formats, "noise in all 64 texture formats, every other one filtered");

/* ---- signs ---- */

static void texture_signs_draw(scene *s)
{
    static const char *const halved = "xps_3_0\nexec\ntfetch2D r0, r0.xy, tf1\n"
                                      "alloc colors\nexece\nmad oC0, r0, c0.x, c0.y\n";
    static const uint32_t formats[10] = {6, 7, 2, 26, 49, 4, 59, 25, 16, 33};
    clear(s);
    scene_shaders(s, NULL, halved);
    for (uint32_t i = 0; i < 10; i++) {
        uint32_t base = scene_room(s, 32 * 32 * 16);
        for (uint32_t row = 0; row < 8; row++) {
            uint32_t sign = row & 3, integer = row >> 2;
            uint32_t widest = xenos_format_of(formats[i])->width[0];
            widest = widest != 0 ? widest : formats[i] == 33 ? 32 : 8;
            scene_texture t = {.base = base,
                               .format = formats[i],
                               .width = 16,
                               .height = 16,
                               .pitch = 32 * xenos_format_of(formats[i])->block_width,
                               .tiled = 1,
                               .linear = 1,
                               .clamp = 2,
                               .swizzle = SCENE_XYZW,
                               .number = integer,
                               .signs = sign * 0x55,
                               .exponent = (int32_t)i % 3 - 1};
            write_texture(s, &t, write_ramp);
            scene_bind(s, 1, &t);
            /* -1..1 to 0..1; integers by their range */
            float scale = integer && sign < 2 ? 0.5f / (float)((UINT64_C(1) << widest) - 1) : 0.5f;
            scene_constant(s, 256, scale, 0.5f, 0, 0);
            scene_cell(s, i * 32, row * 22, 32, 22);
            scene_quad(s, (scene_box){1, 1, 31, 21}, (scene_box){0, 0, 1, 1}, NULL);
        }
    }
    scene_show(s);
}

static const scene_probe texture_signs_probes[] = {{0, 0, 0x333333}};
SCENE(texture_signs, "unsigned, signed, biased and gamma numbers, integers, exponents");

/* ---- levels ---- */

/* A floor towards the horizon, in perspective; the texture repeats. */
static void draw_floor(scene *s, float width, float height, float repeat)
{
    const float v[32] = {0,
                         height,
                         0.5f,
                         1,
                         0,
                         0,
                         0,
                         1,
                         width,
                         height,
                         0.5f,
                         1,
                         repeat,
                         0,
                         0,
                         1,
                         width * 0.7f,
                         4,
                         0.5f,
                         12,
                         repeat,
                         repeat * 3,
                         0,
                         1,
                         width * 0.3f,
                         4,
                         0.5f,
                         12,
                         0,
                         repeat * 3,
                         0,
                         1};
    scene_vertices(s, v, 32);
    scene_draw(s, XENOS_TRIANGLE_FAN, 4);
}

static void mips_draw(scene *s)
{
    clear(s);
    scene_texture t = {.format = 6,
                       .width = 64,
                       .height = 64,
                       .pitch = 64,
                       .tiled = 1,
                       .levels = 6,
                       .swizzle = SCENE_XYZW};
    t.base = scene_room(s, 64 * 64 * 4);
    t.mips = scene_room(s, 8 * 4096);
    write_texture(s, &t, write_checker);
    scene_texture packed = t;
    packed.packed = 1;
    packed.base = scene_room(s, 64 * 64 * 4);
    packed.mips = scene_room(s, 8 * 4096);
    write_texture(s, &packed, write_checker);
    for (uint32_t i = 0; i < 12; i++) {
        scene_texture use = i >= 9 ? packed : t;
        /* columns: point, linear, linear between levels; rows: as it is, bias -1.25, basemap, packed */
        use.linear = i % 3 != 0;
        use.mip_filter = i / 3 == 2 ? 2 : i % 3 == 2;
        use.lod_bias = i / 3 == 1 ? -40 : 0;
        scene_shaders(s, NULL, TEXEL_2D);
        scene_bind(s, 1, &use);
        scene_cell(s, i % 3 * 106, i / 3 * 45, 104, 44);
        draw_floor(s, 104, 44, 3);
    }
    scene_show(s);
}

static const scene_probe mips_probes[] = {{1, 1, 0x333333}};
SCENE(mips, "levels by distance: filters, bias, packed tails");

static void levels_draw(scene *s)
{
    static const char *const by_register = "xps_3_0\nexec\n"
                                           "setTexLOD r0.z\n"
                                           "tfetch2D r0, r0.xy, tf1, UseRegisterLOD=true\n"
                                           "alloc colors\nexece\nmov oC0, r0\n";
    static const char *const gradients = "xps_3_0\nexec\n"
                                         "mul r1.xyz, r0.zzz, c0.xyz\nmul r2.xyz, r0.zzz, c0.yxz\n"
                                         "setGradientH r1.xyz\nsetGradientV r2.xyz\n"
                                         "tfetch2D r0, r0.xy, tf1, UseRegisterGradients=true\n"
                                         "alloc colors\nexece\nmov oC0, r0\n";
    static const char *const asks = "xps_3_0\nexec\n"
                                    "getCompTexLOD2D r1.x, r0.xy, tf1\n"
                                    "getWeights2D r2.xy, r0.xy, tf1\n"
                                    "alloc colors\nexece\n"
                                    "mul oC0.x, r1.x, c0.x\nmov oC0.yz, r2.xxyy\nmov oC0.w, r0.w\n";
    clear(s);
    scene_texture t = {.format = 6,
                       .width = 64,
                       .height = 64,
                       .pitch = 64,
                       .tiled = 1,
                       .levels = 6,
                       .linear = 1,
                       .mip_filter = 1,
                       .swizzle = SCENE_XYZW};
    t.base = scene_room(s, 64 * 64 * 4);
    t.mips = scene_room(s, 8 * 4096);
    write_texture(s, &t, write_checker);
    for (uint32_t i = 0; i < 6; i++) { /* anisotropic: off, 1 to 16 */
        scene_texture use = t;
        use.aniso = i;
        scene_shaders(s, NULL, TEXEL_2D);
        scene_bind(s, 1, &use);
        scene_cell(s, i % 3 * 106, i / 3 * 60, 104, 58);
        draw_floor(s, 104, 58, 4);
    }
    scene_bind(s, 1, &t);
    const char *const listings[3] = {by_register, gradients, asks};
    scene_constant(s, 256, 0.25f, 0.015625f, 0, 0);
    for (uint32_t i = 0; i < 3; i++) {
        scene_shaders(s, NULL, listings[i]);
        scene_cell(s, i * 106, 120, 104, 60);
        const float v[32] = {0,   0,  0, 1, 0, 0, 0, 1, 104, 0,  0, 1, 2, 0, 6, 1,
                             104, 58, 0, 1, 2, 1, 6, 1, 0,   58, 0, 1, 0, 1, 0, 1};
        scene_vertices(s, v, 32);
        scene_draw(s, XENOS_QUADS, 4);
    }
    scene_show(s);
}

static const scene_probe levels_probes[] = {{1, 1, 0x333333}};
SCENE(levels,
      "anisotropic filters, levels and gradients from registers, getCompTexLOD, getWeights");

/* ---- address modes ---- */

static void address_draw(scene *s)
{
    clear(s);
    scene_shaders(s, NULL, TEXEL_2D);
    scene_texture t = {
        .format = 6, .width = 8, .height = 8, .pitch = 32, .tiled = 1, .swizzle = SCENE_XYZW};
    t.base = scene_room(s, 4096);
    write_texture(s, &t, write_checker);
    /* A mark in the first texel, so that turns can be told apart. */
    memset(scene_bytes(s, t.base), 0, 3);
    scene_changed(s, t.base, 4);
    for (uint32_t i = 0; i < 32; i++) {
        t.clamp = i % 8;
        t.linear = i / 8 & 1;
        t.border = i / 8;
        scene_bind(s, 1, &t);
        scene_cell(s, i % 8 * 40, i / 8 * 45, 40, 45);
        scene_quad(s, (scene_box){1, 1, 39, 43}, (scene_box){-1.5f, -1.25f, 2.5f, 2.25f}, NULL);
    }
    scene_show(s);
}

/* Point sampling, repeated: u = -1.5 + (x + .5 - 1) * 4 / 38, texel floor(8 u). At (20, 22) in cell 0:
 * u = 0.5526, v = -1.25 + 21.5 * 3.5 / 42 = 0.5417: texel (4, 4): red. At (3, 22) with the border
 * (cell 6, mode 6, colour 0: black): u = -1.24. */
static const scene_probe address_probes[] = {
    {20, 22, 0xFF0000}, {240 + 20, 22, 0xFF0000}, {240 + 3, 22, 0x000000}, {0, 0, 0x333333}};
SCENE(address, "eight address modes with four border colours");

/* ---- dimensions ---- */

static void dimensions_draw(scene *s)
{
    static const char *const volume = SCENE_TEXEL("tfetch3D r0, r0.xyz, tf1");
    static const char *const line = SCENE_TEXEL("tfetch1D r0, r0.x, tf1");
    static const char *const moved =
        SCENE_TEXEL("tfetch3D r0, r0.xyz, tf1, OffsetX=1.5, OffsetY=-2, OffsetZ=0.5");
    static const char *const cube = "xps_3_0\nexec\n"
                                    "cube r1, r0.zzxy, r0.yxzz\nrcp r2.x, r1_abs.z\n"
                                    "mad r1.xy, r1.xy, r2.x, c0.x\n"
                                    "tfetchCube r0, r1.yxw, tf1\n"
                                    "alloc colors\nexece\nmov oC0, r0\n";
    clear(s);
    scene_constant(s, 256, 1.5f, 0, 0, 0);
    for (uint32_t i = 0; i < 8; i++) {
        scene_texture t = {.format = 6,
                           .width = 16,
                           .height = 16,
                           .pitch = 32,
                           .tiled = 1,
                           .linear = i & 1,
                           .swizzle = SCENE_XYZW};
        const char *shader = volume;
        uint32_t pages = 8;
        switch (i / 2) {
        case 0:
            t.dimension = 1;
            t.tiled = 0;
            t.height = 1;
            shader = line;
            break;
        case 1:
            t.dimension = 2;
            t.depth = 8;
            break;
        case 2:
            t.stacked = 1;
            t.depth = 5;
            shader = i & 1 ? moved : volume;
            break;
        default:
            t.dimension = 3;
            t.depth = 6;
            t.clamp = 2;
            shader = cube;
            break;
        }
        t.base = scene_room(s, pages * 4096);
        write_texture(s, &t, write_checker);
        scene_shaders(s, NULL, shader);
        scene_bind(s, 1, &t);
        scene_cell(s, i % 4 * 80, i / 4 * 90, 80, 90);
        if (i >= 6) { /* directions over three sides */
            const float v[56] = {40, 2, 0,  1,  -1, 1,  1,  1,  78, 22, 0,  1,  1,  1,
                                 1,  1, 40, 42, 0,  1,  1,  1,  -1, 1,  2,  22, 0,  1,
                                 -1, 1, -1, 1,  2,  66, 0,  1,  -1, -1, -1, 1,  78, 66,
                                 0,  1, 1,  -1, 1,  1,  40, 86, 0,  1,  1,  -1, -1, 1};
            static const uint32_t sides[12] = {0, 1, 2, 3, 3, 2, 6, 4, 2, 1, 5, 6};
            scene_vertices(s, v, 56);
            scene_draw_indexed(s, XENOS_QUADS, sides, 12, 0);
        } else {
            /* z goes along x and y */
            const float v[32] = {2,  2,  0, 1, 0, 0, 0,    1, 78, 2,  0, 1, 2, 0, 0.5f, 1,
                                 78, 88, 0, 1, 2, 2, 1.2f, 1, 2,  88, 0, 1, 0, 2, 0.7f, 1};
            scene_vertices(s, v, 32);
            scene_draw(s, XENOS_QUADS, 4);
        }
    }
    scene_show(s);
}

static const scene_probe dimensions_probes[] = {{0, 0, 0x333333}};
SCENE(dimensions, "lines, volumes, stacks and cubes, point and linear");

/* ---- byte orders ---- */

static void byte_orders_draw(scene *s)
{
    static const uint32_t formats[8] = {6, 26, 4, 2, 18, 20, 32, 10};
    clear(s);
    scene_shaders(s, NULL, TEXEL_2D);
    for (uint32_t i = 0; i < 8; i++) {
        uint32_t base = scene_room(s, 32 * 32 * 16);
        for (uint32_t endian = 0; endian < 4; endian++) {
            for (uint32_t tiled = 0; tiled < 2; tiled++) {
                scene_texture t = {.base = base,
                                   .format = formats[i],
                                   .width = 16,
                                   .height = 16,
                                   .pitch = 32 * xenos_format_of(formats[i])->block_width,
                                   .tiled = tiled,
                                   .endian = endian,
                                   .clamp = 2,
                                   .swizzle =
                                       endian == 3 ? 0x60A /* z y x 1 less one */ : SCENE_XYZW};
                write_texture(s, &t, write_ramp);
                scene_bind(s, 1, &t);
                scene_cell(s, i * 40, (endian * 2 + tiled) * 22, 40, 22);
                scene_quad(s, (scene_box){1, 1, 39, 21}, (scene_box){0, 0, 1, 1}, NULL);
            }
        }
    }
    scene_show(s);
}

/* 8_8_8_8 without a swap, texel (8, 8): x * 16 + 8, y * 16 + 8, (x + y) * 8 + 2: 0x88, 0x88, 0x82; with
 * 8in32 (row 4) red is byte 3: i % 3 == 0: 0x88, green byte 2: 0x82, blue byte 1: 0x88. At (20, 11) of a
 * cell: u = 19.5 / 38 * 16 = 8.2, v = 10.5 / 20 * 16 = 8.4. */
static const scene_probe byte_orders_probes[] = {
    {20, 11, 0x888882}, {20, 22 + 11, 0x888882}, {20, 88 + 11, 0x888288}, {20, 110 + 11, 0x888288}};
SCENE(byte_orders, "four byte orders, tiled and linear");
