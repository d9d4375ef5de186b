/* cube: a cube with a texture, lit from the front, over a floor; a second one that lets it shine through.
 *
 *     frames=N   ends after N frames (0 or absent: never)
 *
 * In frame 0 both cubes face the viewer; the first then turns by 1/128 round y and 1/256 round x each
 * frame. A point at depth z is drawn 180 / z times as large in pixels: the first one's front, at 4, is
 * 90 pixels wide. */
#include "constant_ps.h"
#include "lit_ps.h"
#include "lit_vs.h"
#include "scene.h"

#define WIDTH  320u
#define HEIGHT 180u
#define NEAR   1.0f
#define FAR    20.0f
#define ZOOM   2.0f

#define DEPTH_BASE 64u /* tiles of EDRAM; the colours take 4 * 12 */

typedef struct object {
    float place[3];
    float size;
    u32 turn_y, turn_x; /* 1/128 of a turn */
} object;

typedef struct scene {
    gpu g;
    gpu_texture texture;
    vertex *cube, *floor;
    u16 *indices;
} scene;

static const gpu_shader vertex_shader = GPU_SHADER(lit_vs);
static const gpu_shader lit_shader = GPU_SHADER(lit_ps);
static const gpu_shader flat_shader = GPU_SHADER(constant_ps);

/* c0..c3: from the object to clip space; c4..c6: the turn alone. */
static void place(gpu *g, const object *o)
{
    float sy = scene_sine(o->turn_y), cy = scene_cosine(o->turn_y);
    float sx = scene_sine(o->turn_x), cx = scene_cosine(o->turn_x);
    const float turn[3][3] = {{cy, 0, sy}, {sx * sy, cx, -sx * cy}, {-cx * sy, sx, cx * cy}};
    const float depth = FAR / (FAR - NEAR);
    float rows[7][4] = {{0}};
    for (u32 i = 0; i < 3; i++) {
        float s = o->size;
        rows[0][i] = ZOOM * HEIGHT / WIDTH * s * turn[0][i];
        rows[1][i] = ZOOM * s * turn[1][i];
        rows[2][i] = depth * s * turn[2][i];
        rows[3][i] = s * turn[2][i];
        for (u32 j = 0; j < 3; j++) {
            rows[4 + j][i] = turn[j][i];
        }
    }
    rows[0][3] = ZOOM * HEIGHT / WIDTH * o->place[0];
    rows[1][3] = ZOOM * o->place[1];
    rows[2][3] = depth * (o->place[2] - NEAR);
    rows[3][3] = o->place[2];
    gpu_set_vertex_constants(g, 0, rows, 7);
}

/* The direction to the light, its colour, and what comes from everywhere. */
static void light(gpu *g, float direct, float ambient)
{
    const float rows[3][4] = {
        {0, 0, -1, 0}, {direct, direct, direct, 0}, {ambient, ambient, ambient, 0}};
    gpu_set_pixel_constants(g, 0, rows, 3);
}

static void draw(scene *s, u32 frame)
{
    static const float sky[4] = {0.1f, 0.1f, 0.2f, 1.0f};
    static const float glass[1][4] = {{1.0f, 0.25f, 0.25f, 0.5f}};
    static const gpu_sampler smooth = {.linear = 1, .mip = 1};
    const object ground = {.place = {0, -1.5f, 0}, .size = 1};
    const object solid = {.place = {0, 0, 5}, .size = 1, .turn_y = frame, .turn_x = frame / 2};
    const object clear = {.place = {1, 0, 3.2f}, .size = 0.5f};
    gpu *g = &s->g;
    gpu_clear(g, 1, sky, true, 1.0f, 0);

    gpu_set_shaders(g, &vertex_shader, &lit_shader);
    gpu_set_texture(g, 0, &s->texture, &smooth);
    gpu_set_depth(g, GPU_LESS_EQUAL, 1);
    gpu_set_blend(g, 0, GPU_ONE, GPU_ZERO);
    gpu_set_vertices(g, 0, s->floor, FLOOR_VERTICES * sizeof(vertex));
    place(g, &ground);
    light(g, 0, 0.75f);
    gpu_draw(g, GPU_STRIP, FLOOR_VERTICES);

    gpu_set_vertices(g, 0, s->cube, CUBE_VERTICES * sizeof(vertex));
    place(g, &solid);
    light(g, 0.75f, 0.25f);
    gpu_draw_indexed(g, GPU_TRIANGLES, s->indices, CUBE_INDICES);

    gpu_set_shaders(g, &vertex_shader, &flat_shader);
    gpu_set_depth(g, GPU_LESS_EQUAL, 0);
    gpu_set_blend(g, 0, GPU_SRC_ALPHA, GPU_INV_SRC_ALPHA);
    gpu_set_pixel_constants(g, 0, glass, 1);
    place(g, &clear);
    gpu_draw_indexed(g, GPU_TRIANGLES, s->indices, CUBE_INDICES);
}

int main(int argc, char **argv)
{
    static const gpu_targets targets = {
        .width = WIDTH, .height = HEIGHT, .colors = 1, .depth_base = DEPTH_BASE};
    static scene s;
    const char *option = weft_option(argc, argv, "frames");
    u32 limit = option != NULL ? weft_number(option) : 0;
    if (!gpu_open(&s.g, WIDTH, HEIGHT) || !scene_texture(&s.texture)) {
        return 1;
    }
    s.cube = gpu_alloc(CUBE_VERTICES * sizeof(vertex));
    s.floor = gpu_alloc(FLOOR_VERTICES * sizeof(vertex));
    s.indices = gpu_alloc(CUBE_INDICES * sizeof(u16));
    if (s.cube == NULL || s.floor == NULL || s.indices == NULL) {
        return 1;
    }
    scene_cube(s.cube, s.indices);
    scene_floor(s.floor);
    gpu_set_targets(&s.g, &targets);
    gpu_set_cull(&s.g, GPU_CULL_COUNTER);
    bool good = true;
    u32 frame = 0;
    for (; good && (limit == 0 || frame < limit); frame++) {
        draw(&s, frame);
        good = gpu_present(&s.g);
    }
    DbgPrint("cube: %u frames\n", frame);
    return good ? 0 : 1;
}
