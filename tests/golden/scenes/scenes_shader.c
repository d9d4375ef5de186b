/* Vertex formats, memory export, control flow, and every operation of the shader processor. */
#include <stdio.h>
#include <string.h>

#include "scenes.h"

static const float grey[4] = {0.2f, 0.2f, 0.2f, 1};

static void clear(scene *s)
{
    scene_whole(s);
    scene_fill(s, (scene_box){0, 0, (float)s->width, (float)s->height}, 0, grey);
}

/* ---- vertices ---- */

static void vertex_formats_draw(scene *s)
{
    static const uint32_t formats[15] = {6, 7, 16, 17, 25, 26, 31, 32, 33, 34, 35, 36, 37, 38, 57};
    static const char *const folded = "xps_3_0\nexec\nmul r0, r0_abs, c0.x\nfrc r1, r0\n"
                                      "alloc colors\nexece\nmov oC0, r1\n";
    uint32_t noise = scene_room(s, 4096), seed = 77;
    for (uint32_t i = 0; i < 4096; i++) {
        scene_bytes(s, noise)[i] = (uint8_t)(scene_random(&seed) >> 9);
    }
    for (uint32_t i = 0; i < 4096; i += 4) { /* singles: no giants */
        uint8_t *at = scene_bytes(s, noise + i);
        at[3] = (at[3] & 0x80) | 0x3F;
    }
    clear(s);
    float v[24 * 8];
    for (uint32_t k = 0; k < 24; k++) {
        const float p[8] = {
            1.0f + 2.6f * (float)(k / 2), k & 1 ? 20.0f : 1.0f, 0.5f, 1, 0, 0, 0, 0};
        memcpy(v + 8 * k, p, sizeof p);
    }
    for (uint32_t i = 0; i < 15; i++) {
        for (uint32_t row = 0; row < 8; row++) {
            char listing[1024];
            snprintf(listing, sizeof listing,
                     "xvs_3_0\nexec\n"
                     "vfetch_full r1, r0.x, vf0, DataFormat=FMT_32_32_32_32_FLOAT, Stride=8\n"
                     "vfetch_full r2, r0.x, vf1, DataFormat=%u, Stride=%u%s%s%s%s, ExpAdjust=%d\n"
                     "alloc position\nexec\nmov oPos, r1\n"
                     "alloc interpolators\nexece\nmov o0, r2\n",
                     formats[i], 4 + row, row & 1 ? ", Signed=true" : "",
                     row & 2 ? ", NumFormat=integer" : "", row & 4 ? ", SignedRFMode=no_zero" : "",
                     row == 3 ? ", RoundIndex=true" : "", (int)row - 3);
            scene_shaders(s, listing, folded);
            scene_constant(s, 256, row & 2 ? 0.013f : 3, 0, 0, 0);
            scene_set(s, XENOS_CONSTANT_FETCH + 188, noise | 3);
            scene_set(s, XENOS_CONSTANT_FETCH + 189, 1024u << 2 | row % 4);
            scene_cell(s, i * 21, row * 22, 21, 22);
            scene_vertices(s, v, 24 * 8);
            scene_set(s, XENOS_SQ_INTERPOLATOR_CNTL, row & 1 ? 0xFFFFFFFF : 0xFFFFFFFE);
            scene_draw(s, XENOS_TRIANGLE_STRIP, 24);
        }
    }
    scene_show(s);
}

static const scene_probe vertex_formats_probes[] = {{0, 0, 0x333333}};
SCENE(vertex_formats, "fifteen vertex formats, signed and not, integers, byte orders");

/* ---- memory export ---- */

static void memexport_draw(scene *s)
{
    /* Point n writes two elements of its own, from place 2 n on. */
    static const char *const exports = "xvs_3_0\nexec\n"
                                       "mul r1, r0.x, c1\nfrc r1, r1\nadd r2.x, r0.x, r0.x\n"
                                       "alloc export=2\nexec\n"
                                       "mad eA, r2.x, c2, c0\nmov eM0, r1\nadd eM1, c2.yyyy, -r1\n"
                                       "alloc position\nexece\nmov oPos, c3\n";
    static const struct {
        uint32_t format, texture, number, bytes;
    } cells[8] = {
        {6, 6, 0, 4},    {7, 7, 0, 4}, {26, 26, 0, 8}, {32, 32, 0, 8},
        {38, 38, 0, 16}, {4, 4, 0, 2}, {6, 6, 1, 4},   {36, 36, 0, 4},
    };
    clear(s);
    for (uint32_t i = 0; i < 8; i++) {
        uint32_t at = SCENE_SCRATCH + i * 0x8000, endian = i == 1 ? 2 : 0;
        scene_shaders(s, exports, SCENE_PIXEL);
        const uint32_t stream[4] = {
            0x40000000u | at >> 2, 0x4B000000u,
            0x4B000000u | cells[i].format << 8 | cells[i].number << 16 | endian,
            0x4B000000u | 1000u, /* elements: the last 24 are not written */
        };
        scene_constant_bits(s, 0, stream);
        scene_constant(s, 1, 1.0f / 16, 1.0f / 256, 1.0f / 37, 0.25f);
        scene_constant(s, 2, 0, 1, 0, 0);
        scene_constant(s, 3, 0, 0, -5, 1);
        scene_set(s, XENOS_SQ_PROGRAM_CNTL, 7u << 24); /* nothing is drawn */
        scene_draw(s, XENOS_POINTS, 512);
        scene_set(s, XENOS_SQ_PROGRAM_CNTL, 0);
        scene_shaders(s, SCENE_VERTEX, SCENE_TEXEL("tfetch2D r0, r0.xy, tf1"));
        scene_bind(s, 1,
                   &(scene_texture){.base = at,
                                    .format = cells[i].texture,
                                    .width = 32,
                                    .height = 32,
                                    .pitch = 128 / cells[i].bytes > 32 ? 128 / cells[i].bytes : 32,
                                    .endian = endian,
                                    .clamp = 2,
                                    .swizzle = SCENE_XYZW});
        scene_cell(s, i % 4 * 80, i / 4 * 90, 80, 90);
        scene_quad(s, (scene_box){1, 1, 79, 89}, (scene_box){0, 0, 1, 1}, NULL);
    }
    scene_show(s);
}

static const scene_probe memexport_probes[] = {{0, 0, 0x333333}};
SCENE(memexport, "streams that a vertex shader wrote, read as textures");

/* ---- control flow ---- */

static void flow_draw(scene *s)
{
    /* Left: the Mandelbrot set, by a loop. */
    static const char *const mandelbrot = "xps_3_0\n"
                                          "exec\n"
                                          "mad r1.xy, r0.xy, c0.xy, c0.zw\n"
                                          "mul r2, r0, c1.x\n"
                                          "mul r4, r0, c1.x\n"
                                          "loop i0, Lend\n"
                                          "label Lbody\n"
                                          "exec\n"
                                          "mul r3.xyz, r2.xyx, r2.xyy\n"
                                          "add r2.x, r3.x, -r3.y\n"
                                          "add r2.y, r3.z, r3.z\n"
                                          "add r2.xy, r2.xy, r1.xy\n"
                                          "dp2add r3.x, r2.xy, r2.xy, c1.x\n"
                                          "sge r3.y, c1.y, r3.x\n"
                                          "exec\n"
                                          "add r4.x, r4.x, r3.y\n"
                                          "max r2, r2, c1.w\n"
                                          "min r2, r2, -c1.w\n"
                                          "endloop i0, Lbody\n"
                                          "label Lend\n"
                                          "exec\n"
                                          "maxa r5, r4.x, r4.x\n"
                                          "alloc colors\n"
                                          "exece\n"
                                          "mov oC0, c[16+a0]\n";
    /* Middle: bool constants, jumps and calls; right: predicates and kills in nested loops over aL. */
    static const char *const jumps = "xps_3_0\n"
                                     "exec\n"
                                     "setp_gt r1.x, r0.x\n"
                                     "mul r2, r0, c1.x\n"
                                     "(p0) jmp Lright\n"
                                     "exec\n"
                                     "mov r2, c18\n"
                                     "cjmp b3, Ljoin\n"
                                     "exec\n"
                                     "mov r2, c19\n"
                                     "jmp Ljoin\n"
                                     "label Lright\n"
                                     "call Lsub\n"
                                     "ccall b0, Lsub\n"
                                     "ccall !b0, Lsub\n"
                                     "label Ljoin\n"
                                     "alloc colors\n"
                                     "exece\n"
                                     "mad oC0, r2, c2.x, r0_abs\n"
                                     "label Lsub\n"
                                     "exec\n"
                                     "add r2, r2, c20\n"
                                     "ret\n";
    static const char *const nested = "xps_3_0\n"
                                      "exec\n"
                                      "mul r2, r0, c1.x\n"
                                      "mul r6, r0, c2.y\n"
                                      "floor r6, r6\n"
                                      "loop i1, Lout\n"
                                      "label La\n"
                                      "loop i2, Lin\n"
                                      "label Lb\n"
                                      "exec\n"
                                      "mad r2.xyz, c[16+aL].xyz, c2.z, r2.xyz\n"
                                      "setp_ge r3.x, r2.x\n"
                                      "(p0) exec\n"
                                      "mul r2.x, r2.x, c2.w\n"
                                      "(!p0) exec\n"
                                      "add r2.y, r2.y, c2.z\n"
                                      "endloop i2, Lb\n"
                                      "label Lin\n"
                                      "endloop i1, La\n"
                                      "label Lout\n"
                                      "exec\n"
                                      "add r7.x, r6.x, r6.y\n"
                                      "mul r7.x, r7.x, c2.x\n"
                                      "frc r7.x, r7.x\n"
                                      "kill_gt r8._, r7.xxxx, c2.z\n"
                                      "alloc colors\n"
                                      "exece\n"
                                      "mov oC0, r2\n";
    clear(s);
    scene_constant(s, 256, 2.6f, 2.4f, -2.0f, -1.2f);
    scene_constant(s, 257, 0, 4, 1, -100);
    scene_constant(s, 258, 0.5f, 8, 0.125f, 0.75f);
    for (uint32_t i = 0; i < 33; i++) {
        scene_constant(s, 256 + 16 + i, (float)(i * 5 % 32) / 31, (float)(i * 11 % 32) / 31,
                       (float)i / 32, 1);
    }
    scene_set(s, XENOS_CONSTANT_LOOP + 0, 32);
    scene_set(s, XENOS_CONSTANT_LOOP + 1, 3 | 2u << 8 | 2u << 16);
    scene_set(s, XENOS_CONSTANT_LOOP + 2, 5 | 9u << 8 | 0xFFu << 16); /* down from 9 */
    scene_set(s, XENOS_CONSTANT_BOOL, 0);
    scene_set(s, XENOS_CONSTANT_BOOL + 4, 1); /* of the pixel shader: 128 and up */
    const char *const listings[3] = {mandelbrot, jumps, nested};
    for (uint32_t i = 0; i < 3; i++) {
        scene_shaders(s, NULL, listings[i]);
        scene_cell(s, i * 107, 0, 106, 180);
        scene_quad(s, (scene_box){1, 1, 105, 179},
                   i == 1 ? (scene_box){-0.5f, 0, 0.5f, 1} : (scene_box){0, 0, 1, 1}, NULL);
    }
    scene_show(s);
}

static const scene_probe flow_probes[] = {{0, 0, 0x333333}};
SCENE(flow, "loops, jumps, calls, predicates, kills, relative constants");

/* ---- operations ---- */

/* An operation on two ramps: r0 is x, y, z and w of the pixel, c0 a constant. */
static void draw_operation(scene *s, uint32_t cell, const char *line)
{
    char listing[512];
    snprintf(listing, sizeof listing,
             "xps_3_0\nexec\n"
             "mul r1, r0, c1.z\n%s\n"
             "exec\nmul r1, r1, c1.x\nfrc r2, r1\n"
             "alloc colors\nexece\nmov oC0, r2\n",
             line);
    scene_shaders(s, NULL, listing);
    scene_cell(s, cell % 10 * 32, cell / 10 * 20, 32, 20);
    const float v[32] = {0,  0,    0,     1,  -3.1f, -2.2f, 1.5f,  -0.7f, 31,   0,    0,
                         1,  4.3f, -1.9f, -8, 0.4f,  31,    19,    0,     1,    5.7f, 3.3f,
                         20, 2.9f, 0,     19, 0,     1,     -2.6f, 2.8f,  0.3f, 7.1f};
    scene_vertices(s, v, 32);
    scene_draw(s, XENOS_QUADS, 4);
}

static void operations_draw(scene *s)
{
    char line[160];
    uint32_t cell = 0;
    clear(s);
    scene_constant(s, 256, 0.7f, -1.3f, 2.1f, 0.4f);
    scene_constant(s, 257, 0.37f, 0, 0, 0);
    for (uint32_t op = 0; op < XENOS_V_COUNT; op++, cell++) {
        static const char *const operands[4] = {"", "r0", "r0, r0.yzwx", "r0, r0.yzwx, c0"};
        const xenos_alu_info *info = xenos_vector_info(op);
        /* Those that look for one component of which something holds get one. */
        const char *with =
            info->effects & ~XENOS_EFFECT_A0 ? "r0.xxxx, r0.yyyy" : operands[info->operands];
        snprintf(line, sizeof line, "%s r1, %s", info->name, with);
        draw_operation(s, cell, line);
    }
    for (uint32_t op = 0; op < XENOS_S_COUNT; op++) {
        static const char *const operands[4] = {"", ", r0.x", ", r0.xy", ", c0.y, r0.z"};
        const xenos_alu_info *info = xenos_scalar_info(op);
        if (info->name == NULL) {
            continue;
        }
        /* Something for those that look at the previous result. */
        snprintf(line, sizeof line, "maxs r1.y, r0.zz\n%s r1.x%s", info->name,
                 operands[info->operands]);
        draw_operation(s, cell++, line);
    }
    scene_show(s);
}

static const scene_probe operations_probes[] = {{31, 19, 0x333333}};
SCENE(operations, "every vector and scalar operation over ramps");
