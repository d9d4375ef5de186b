/* details: what games use and the other titles do not: two samples a pixel, a stencil test for each face, alpha
 * test and alpha to mask, a compressed texture with its mips in fog, a cube and a volume.
 *
 *     frames=N   ends after N frames (0 or absent: never)
 *
 * Of the first frame the CPU reads samples and pixels, and compares them with numbers that follow from
 * where things are drawn: each line tells one that is wrong, the last how many are right. */
#include "pictures.h"

#include "constant_ps.h"
#include "cube_ps.h"
#include "fog_ps.h"
#include "place_vs.h"
#include "position_vs.h"
#include "texture_ps.h"
#include "volume_ps.h"

#define WIDTH  320u
#define HEIGHT 180u

/* Of a target of its own with two samples a pixel, shown nowhere. */
#define PAGE_X 64u
#define PAGE_Y 32u

/* Places on the screen: left edges, of what lies side by side from the same height on. */
#define STENCIL_X 8u
#define STENCIL_Y 8u
#define ALPHA_X   120u
#define MIPS_Y    56u
#define FOG_X     200u
#define FACES_Y   136u
#define SIDE      16u /* of a face or slice on the screen */
#define STENCIL   8u  /* before anything */

enum { EDGES, MASK, MORE, LESS, ALPHA };

/* {x, y, z, u, v, w} */
typedef struct place {
    float position[3], texture[3];
} place;
#define QUADS_MOST 32u

typedef struct page {
    gpu g;
    pictures pictures;
    gpu_texture edges;
    place *quads;   /* four corners each, of all frames alike */
    float *corners; /* {x, y, z} of the others */
    u32 used, right, wrong;
} page;

static const gpu_targets two_samples = {
    .width = PAGE_X, .height = PAGE_Y, .samples = GPU_2X, .colors = 1, .color_base = {128}};
static const gpu_targets screen = {
    .width = WIDTH, .height = HEIGHT, .colors = 1, .color_base = {0}, .depth_base = 64};

static const gpu_shader place_shader = GPU_SHADER(place_vs);
static const gpu_shader position_shader = GPU_SHADER(position_vs);
static const gpu_shader constant_shader = GPU_SHADER(constant_ps);
static const gpu_shader texture_shader = GPU_SHADER(texture_ps);
static const gpu_shader fog_shader = GPU_SHADER(fog_ps);
static const gpu_shader cube_shader = GPU_SHADER(cube_ps);
static const gpu_shader volume_shader = GPU_SHADER(volume_ps);

static const gpu_sampler nearest = {.addresses = 2};

static void put(float *to, float x, float y, const gpu_targets *targets)
{
    to[0] = x * 2 / (float)targets->width - 1;
    to[1] = 1 - y * 2 / (float)targets->height;
    to[2] = 0;
}

/* ---- two samples ------------------------------------------------------------------------------ */

static void draw_edges(page *p)
{
    static const float black[4] = {0, 0, 0, 1};
    static const float red[1][4] = {{1, 0, 0, 1}};
    static const float half[1][4] = {{1, 1, 1, 0.5f}};
    gpu *g = &p->g;
    for (u32 v = 0; v < 3; v++) {
        put(p->corners + 3 * v, v == 1 ? 40 : 8, v == 2 ? 24 : 8, &two_samples);
    }
    gpu_set_targets(g, &two_samples);
    gpu_clear(g, 1, black, false, 0, 0);
    gpu_set_shaders(g, &position_shader, &constant_shader);
    gpu_set_pixel_constants(g, 0, red, 1);
    gpu_set_vertices(g, 0, p->corners, 9 * sizeof(float));
    gpu_query_begin(g, EDGES);
    gpu_draw(g, GPU_RECTANGLES, 3);
    gpu_query_end(g, EDGES);
    gpu_resolve(g, 0, &p->edges, NULL);
    /* Half of alpha is one sample of two. */
    gpu_set_alpha_to_mask(g, true);
    gpu_set_pixel_constants(g, 0, half, 1);
    gpu_query_begin(g, MASK);
    gpu_draw(g, GPU_RECTANGLES, 3);
    gpu_query_end(g, MASK);
    gpu_set_alpha_to_mask(g, false);
}

/* ---- quads on the screen ---------------------------------------------------------------------- */

static const u8 right_of[4] = {0, 1, 1, 0};
static const u8 below[4] = {0, 0, 1, 1};

/* A quad of whole pixels with a corner {u, v, w} and what it gains to the right and downwards. Turned: its
 * corners go round the other way, so that it shows its back. */
static void draw_quad(page *p, u32 x, u32 y, u32 side, const float texture[3][3], bool turned)
{
    place *q = p->quads + 4 * p->used;
    p->used = (p->used + 1) % QUADS_MOST;
    for (u32 i = 0; i < 4; i++) {
        u32 corner = turned ? 3 - i : i;
        u32 r = right_of[corner];
        u32 b = below[corner];
        put(q[i].position, (float)(x + r * side) - 0.5f, (float)(y + b * side) - 0.5f, &screen);
        for (u32 c = 0; c < 3; c++) {
            q[i].texture[c] = texture[0][c] + (r ? texture[1][c] : 0) + (b ? texture[2][c] : 0);
        }
    }
    gpu_set_vertices(&p->g, 0, q, 4 * sizeof *q);
    gpu_draw(&p->g, GPU_QUADS, 4);
}

static const float whole[3][3] = {{0, 0, 0}, {1, 0, 0}, {0, 1, 0}};

/* Front faces count up and back faces down; then what has more, and what has less, is coloured. */
static void draw_stencil(page *p)
{
    static const float colors[2][1][4] = {{{1, 0, 0, 1}}, {{0, 0, 1, 1}}};
    static const u32 references[2] = {STENCIL + 1, STENCIL - 1};
    gpu_stencil up = {
        .compare = GPU_ALWAYS, .mask = 0xFF, .write_mask = 0xFF, .pass = GPU_INCREMENT};
    gpu_stencil down = up;
    down.pass = GPU_DECREMENT;
    gpu *g = &p->g;
    gpu_set_shaders(g, &place_shader, &constant_shader);
    gpu_set(g, RB_COLOR_MASK, 0);
    gpu_set_stencil_faces(g, &up, &down);
    draw_quad(p, STENCIL_X, STENCIL_Y, 32, whole, false);
    draw_quad(p, STENCIL_X + 16, STENCIL_Y, 32, whole, true);
    gpu_set(g, RB_COLOR_MASK, 15);
    for (u32 i = 0; i < 2; i++) {
        gpu_stencil test = {.compare = GPU_EQUAL, .reference = references[i], .mask = 0xFF};
        gpu_set_stencil_faces(g, &test, &test);
        gpu_set_pixel_constants(g, 0, colors[i], 1);
        gpu_query_begin(g, MORE + i);
        draw_quad(p, STENCIL_X, STENCIL_Y, 64, whole, i == 1);
        gpu_query_end(g, MORE + i);
    }
    gpu_set_stencil(g, GPU_ALWAYS, 0, GPU_KEEP);
}

static void draw_alpha(page *p)
{
    gpu *g = &p->g;
    gpu_set_shaders(g, &place_shader, &texture_shader);
    gpu_set_texture(g, 0, &p->pictures.alpha, &nearest);
    gpu_set_alpha_test(g, GPU_GREATER, 0.5f);
    gpu_query_begin(g, ALPHA);
    draw_quad(p, ALPHA_X, STENCIL_Y, ALPHA_SIZE, whole, false);
    gpu_query_end(g, ALPHA);
    gpu_set_alpha_test(g, GPU_ALWAYS, 0);
}

/* Level n where it has as many texels as pixels; and level 0 again, a quarter in blue fog. */
static void draw_mips(page *p)
{
    static const float fog[2][4] = {{0.5f, -0.25f}, {0, 0, 1, 1}}; /* from distance 0.5 to 2.5 */
    static const float far[3][3] = {{0, 0, 1}, {1, 0, 0}, {0, 1, 0}};
    gpu *g = &p->g;
    gpu_set_shaders(g, &place_shader, &fog_shader);
    gpu_set_pixel_constants(g, 0, fog, 2);
    gpu_set_texture(g, 0, &p->pictures.mipped, &nearest);
    for (u32 n = 0, x = STENCIL_X; n < MIPPED_LEVELS; n++) {
        draw_quad(p, x, MIPS_Y, MIPPED_SIZE >> n, whole, false);
        x += MIPPED_SIZE >> n;
    }
    draw_quad(p, FOG_X, MIPS_Y, MIPPED_SIZE, far, false);
}

static void draw_faces(page *p)
{
    static const float middle[1][4] = {{1.5f}};
    gpu *g = &p->g;
    gpu_set_shaders(g, &place_shader, &cube_shader);
    gpu_set_pixel_constants(g, 0, middle, 1);
    gpu_set_texture(g, 0, &p->pictures.cube, &nearest);
    for (u32 n = 0; n < FACES; n++) {
        float direction[3][3] = {{0}};
        direction[0][n / 2] = n % 2 == 0 ? 1 : -1;
        draw_quad(p, STENCIL_X + n * SIDE, FACES_Y, SIDE, direction, false);
    }
    gpu_set_shaders(g, &place_shader, &volume_shader);
    gpu_set_texture(g, 0, &p->pictures.volume, &nearest);
    for (u32 n = 0; n < SLICES; n++) {
        const float slice[3][3] = {{0, 0, ((float)n + 0.5f) / SLICES}, {1, 0, 0}, {0, 1, 0}};
        draw_quad(p, STENCIL_X + (FACES + n) * SIDE, FACES_Y, SIDE, slice, false);
    }
}

static void draw(page *p)
{
    static const float grey[4] = {0.4f, 0.4f, 0.4f, 1};
    draw_edges(p);
    gpu_set_targets(&p->g, &screen);
    gpu_clear(&p->g, 1, grey, true, 1.0f, STENCIL);
    draw_stencil(p);
    draw_alpha(p);
    draw_mips(p);
    draw_faces(p);
    gpu_resolve(&p->g, 0, &p->pictures.seen, NULL);
}

/* ---- what the CPU reads ----------------------------------------------------------------------- */

static void check(page *p, const char *what, u32 found, u32 expected)
{
    if (found == expected) {
        p->right++;
    } else {
        p->wrong++;
        DbgPrint("details: %s: found 0x%x, expected 0x%x\n", what, found, expected);
    }
}

static u32 seen(const page *p, u32 x, u32 y)
{
    return *(const volatile u32 *)gpu_texel(&p->pictures.seen, 0, x, y, 0);
}

/* Samples lie a quarter of a pixel left of and above a pixel's centre, and right of and below it (Direct3D
 * 10.1's pattern). Edges go through centres: each sample of a pixel is in 32 x 16 pixels, not the same. */
static void check_edges(page *p)
{
    u32 covered[2] = {0, 0}; /* wholly, by half */
    for (u32 i = 0; i < PAGE_X * PAGE_Y; i++) {
        const u32 *texel = gpu_texel(&p->edges, 0, i % PAGE_X, i / PAGE_X, 0);
        u32 red = *(const volatile u32 *)texel >> 16 & 0xFF;
        covered[0] += red == 255;
        covered[1] += red == 127 || red == 128;
    }
    check(p, "samples", gpu_query_passed(&p->g, EDGES), 2 * 32 * 16);
    check(p, "samples of alpha", gpu_query_passed(&p->g, MASK), 32 * 16);
    check(p, "whole pixels", covered[0], 31 * 15);
    check(p, "half pixels", covered[1], 2 * (32 * 16 - 31 * 15));
}

static void check_all(page *p)
{
    check_edges(p);
    check(p, "front faces", gpu_query_passed(&p->g, MORE), 16 * 32);
    check(p, "back faces", gpu_query_passed(&p->g, LESS), 16 * 32);
    check(p, "front", seen(p, STENCIL_X, STENCIL_Y), picture_color(1));
    check(p, "back", seen(p, STENCIL_X + 47, STENCIL_Y + 31), picture_color(4));
    check(p, "both", seen(p, STENCIL_X + 24, STENCIL_Y), 0xFF666666);
    check(p, "alpha", gpu_query_passed(&p->g, ALPHA), ALPHA_SIZE / 2 * ALPHA_SIZE);
    for (u32 n = 0, x = STENCIL_X; n < MIPPED_LEVELS; n++) {
        check(p, "level", seen(p, x + (MIPPED_SIZE >> n) - 1, MIPS_Y), picture_color(n + 1));
        x += MIPPED_SIZE >> n;
    }
    /* Red 255 * 0.75 = 191.25, blue 255 * 0.25 = 63.75. */
    check(p, "fog", seen(p, FOG_X, MIPS_Y), 0xFFBF0040);
    for (u32 n = 0; n < FACES + SLICES; n++) {
        check(p, n < FACES ? "face" : "slice", seen(p, STENCIL_X + n * SIDE + SIDE / 2, FACES_Y),
              picture_color(n < FACES ? n + 1 : n - FACES + 1));
    }
    DbgPrint("details: %u of %u right\n", p->right, p->right + p->wrong);
}

static bool make(page *p)
{
    p->edges = (gpu_texture){
        .width = PAGE_X, .height = PAGE_Y, .levels = 1, .format = GPU_TEXTURE_8_8_8_8};
    p->quads = gpu_alloc(QUADS_MOST * 4 * sizeof(place));
    p->corners = gpu_alloc(9 * sizeof(float));
    return p->quads != NULL && p->corners != NULL && gpu_texture_make(&p->edges) &&
           pictures_make(&p->pictures, WIDTH, HEIGHT);
}

int main(int argc, char **argv)
{
    static page p;
    const char *option = weft_option(argc, argv, "frames");
    u32 limit = option != NULL ? weft_number(option) : 0;
    if (!gpu_open(&p.g, WIDTH, HEIGHT) || !make(&p)) {
        return 1;
    }
    bool good = true;
    u32 frame = 0;
    for (; good && (limit == 0 || frame < limit); frame++) {
        p.used = 0;
        draw(&p);
        good = gpu_wait(&p.g, gpu_fence(&p.g));
        if (good && frame == 0) {
            check_all(&p);
        }
        good = gpu_present(&p.g) && good;
    }
    DbgPrint("details: %u frames\n", frame);
    return good && p.wrong == 0 ? 0 : 1;
}
