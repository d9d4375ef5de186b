/* A machine of memory and a GPU without a title: scenes set registers, load shaders and draw by packets,
 * as a command stream does, and end in a frame.
 *
 * A scene begins with a target of its frame's size at tile 0 (8_8_8_8), depth D24S8 at tile DEPTH_TILE,
 * no tests, no blending, no clipping, positions in pixels with the pixel centre at .5, and the shaders
 * that hand a colour through. Vertices are eight floats: x y z w, then parameter 0. */
#ifndef TESTS_GOLDEN_SCENE_H
#define TESTS_GOLDEN_SCENE_H

#include <stdint.h>
#include <stdio.h>

#include "cp.h"
#include "draw.h"
#include "format.h"
#include "state.h"

#define SCENE_WIDTH   320u
#define SCENE_HEIGHT  180u
#define SCENE_MEMORY  (8u << 20)
#define SCENE_TARGET  0x700000u /* where scene_show resolves to */
#define SCENE_SCRATCH 0x600000u /* where scenes resolve to, 1 MiB */
#define DEPTH_TILE    1024u

typedef struct scene {
    weft_host host;
    weft_memory memory;
    uint64_t wanted[16]; /* kinds of events: none */
    xenos_cp *cp;
    uint32_t used;          /* of memory, from 0 */
    uint32_t width, height; /* of the frame */
    uint8_t *pixels;        /* red, green, blue, 255; NULL until the frame is shown */
    const char *name;
    FILE *record; /* NULL, or where packets and memory go (scene_record) */
} scene;

/* A pixel of the frame as 0xRRGGBB, found by hand. */
typedef struct scene_probe {
    uint16_t x, y;
    uint32_t color;
} scene_probe;

typedef struct scene_row {
    const char *name;
    const char *what;
    void (*draw)(scene *s);
    const scene_probe *probes;
    uint32_t probe_count;
} scene_row;

/* All scenes, by name; NULL behind the last. */
const scene_row *const *scene_table(void);

/* Draws a scene on a back-end that has pixels (drawing.h); NULL without memory, or where the host has no
 * such back-end. A scene that cannot be drawn ends the program with a message. */
scene *scene_run(const scene_row *row, const char *backend, uint32_t threads);
/* Draws on the null back-end and writes what was executed, dwords as the host has them: packets, and in
 * place of type 2, which does nothing, RECORD_MEMORY and a count, an address and that many dwords. */
#define RECORD_MEMORY 0x80000000u
int scene_record(const scene_row *row, FILE *out);
void scene_free(scene *s);
const uint8_t *scene_edram(scene *s);

/* ---- for scenes ---- */

_Noreturn void scene_fail(const scene *s, const char *what);

void scene_set(scene *s, uint32_t number, uint32_t value);
void scene_set_float(scene *s, uint32_t number, float value);
/* A float constant: 0..255 of the vertex shader, 256 and up of the pixel shader. */
void scene_constant_bits(scene *s, uint32_t index, const uint32_t bits[4]);
void scene_constant(scene *s, uint32_t index, float x, float y, float z, float w);
void scene_packet(scene *s, uint32_t opcode, const uint32_t *words, uint32_t count);
/* Listings; NULL: the one that is there stays. */
void scene_shaders(scene *s, const char *vertex, const char *pixel);

/* Room in memory, at a multiple of 4096. */
uint32_t scene_room(scene *s, uint32_t bytes);
uint8_t *scene_bytes(scene *s, uint32_t address);
/* Memory has changed without the GPU's doing. */
void scene_changed(scene *s, uint32_t address, uint32_t length);

/* Floats as big-endian words; vertex fetch constant 95 (vf0) names them. */
void scene_vertices(scene *s, const float *floats, uint32_t count);
/* `count` automatic indices. */
void scene_draw(scene *s, uint32_t primitive, uint32_t count);
/* Indices from memory, as big-endian numbers of 16 or 32 bits. */
void scene_draw_indexed(scene *s, uint32_t primitive, const uint32_t *indices, uint32_t count,
                        int wide);

typedef struct scene_box {
    float x0, y0, x1, y1;
} scene_box;

/* A rectangle in one colour. */
void scene_fill(scene *s, scene_box box, float z, const float color[4]);
/* A rectangle over which parameter 0 goes from (u0, v0) to (u1, v1); its z and w are `rest`. */
void scene_quad(scene *s, scene_box box, scene_box uv, const float rest[2]);
/* The coordinates that follow count from this pixel, and nothing is drawn outside the cell. */
void scene_cell(scene *s, uint32_t x, uint32_t y, uint32_t width, uint32_t height);
void scene_whole(scene *s);

/* RB_SURFACE_INFO: pitch and 0, 1, 2 for one, two, four samples. */
void scene_surface(scene *s, uint32_t pitch, uint32_t msaa);
void scene_blend(scene *s, uint32_t source, uint32_t operation, uint32_t dest);

/* A resolve: RB_COPY_CONTROL, RB_COPY_DEST_INFO, where to, its pitch and height in texels. */
typedef struct scene_copy {
    uint32_t control, info, base, pitch, height;
} scene_copy;
void scene_resolve(scene *s, scene_box box, scene_copy copy);

/* A texture's constant, by its usual fields; what has no field here is 0. */
typedef struct scene_texture {
    uint32_t base, format, width, height;
    uint32_t pitch;     /* texels, a multiple of 32 */
    uint32_t depth;     /* slices, 0: 1 */
    uint32_t dimension; /* 0: 2D; 1: 1D; 2: 3D; 3: cube */
    uint32_t tiled, endian, clamp, linear, mip_filter, levels, mips, aniso, border, number, signs;
    int32_t exponent, lod_bias;
    uint32_t swizzle;
    uint32_t stacked, packed;
} scene_texture;
#define SCENE_XYZW 0x688u /* the swizzle that changes nothing */
void scene_texture_words(const scene_texture *texture, uint32_t words[6]);
void scene_bind(scene *s, uint32_t number, const scene_texture *texture);

/* Numbers without a pattern (xorshift). */
uint32_t scene_random(uint32_t *state);

/* Resolves colour target 0 and shows it. */
void scene_show(scene *s);

#define SCENE_VERTEX                                                                               \
    "xvs_3_0\nexec\n"                                                                              \
    "vfetch_full r1, r0.x, vf0, DataFormat=FMT_32_32_32_32_FLOAT, Stride=8\n"                      \
    "vfetch_mini r2, DataFormat=FMT_32_32_32_32_FLOAT, Offset=4\n"                                 \
    "alloc position\nexec\nmov oPos, r1\n"                                                         \
    "alloc interpolators\nexece\nmov o0, r2\n"
#define SCENE_PIXEL        "xps_3_0\nalloc colors\nexece\nmov oC0, r0\n"
#define SCENE_TEXEL(fetch) "xps_3_0\nexec\n" fetch "\nalloc colors\nexece\nmov oC0, r0\n"

#define SCENE(id, text)                                                                            \
    const scene_row scene_##id = {                                                                 \
        .name = #id,                                                                               \
        .what = text,                                                                              \
        .draw = id##_draw,                                                                         \
        .probes = id##_probes,                                                                     \
        .probe_count = sizeof id##_probes / sizeof id##_probes[0],                                 \
    }

#endif
