/* formats: the same picture in each format that a colour target can have, resolved to a texture that can
 * hold it, and shown at half its brightness, so that 2.0 is white.
 *
 *     frames=N   ends after N frames (0 or absent: never)
 *
 * Cells of 64x80, five in a row, all drawn in the same place of EDRAM: above a ramp of red to the right, green
 * downwards and blue to the left; then red 2, green 0.5, blue 0.25; below purple, 0.5 of red and blue, over
 * the right half of which green 1 is blended with alpha 0.5 (formats of floats do not blend, and show
 * the green). What is right of pixel 56 is cleared by a resolve that copies nothing. */
#include "gpu.h"

#include "colour_ps.h"
#include "colour_vs.h"
#include "constant_ps.h"
#include "position_vs.h"
#include "texture_vs.h"
#include "tinted_ps.h"

#define WIDTH   320u
#define HEIGHT  180u
#define CELL_X  64u
#define CELL_Y  80u
#define USED_X  56u
#define ROWS_AT 5u /* of the first cell; the second row of cells is HEIGHT / 2 below */
#define COLUMNS 5u
#define CELLS   10u

typedef struct cell {
    u32 color, texture;
    u32 sign;
    i32 exponent;
    u32 bytes; /* of a texel */
} cell;

static const cell cells[CELLS] = {
    {GPU_COLOR_8_8_8_8, GPU_TEXTURE_8_8_8_8, GPU_UNSIGNED, 0, 4},
    {GPU_COLOR_8_8_8_8_GAMMA, GPU_TEXTURE_8_8_8_8, GPU_GAMMA, 0, 4},
    {GPU_COLOR_2_10_10_10, GPU_TEXTURE_2_10_10_10, GPU_UNSIGNED, 0, 4},
    {GPU_COLOR_2_10_10_10_FLOAT, GPU_TEXTURE_16_16_16_16_FLOAT, GPU_UNSIGNED, 0, 8},
    {GPU_COLOR_16_16, GPU_TEXTURE_16_16, GPU_SIGNED, 5, 4},
    {GPU_COLOR_16_16_16_16, GPU_TEXTURE_16_16_16_16, GPU_SIGNED, 5, 8},
    {GPU_COLOR_16_16_FLOAT, GPU_TEXTURE_16_16_FLOAT, GPU_UNSIGNED, 0, 4},
    {GPU_COLOR_16_16_16_16_FLOAT, GPU_TEXTURE_16_16_16_16_FLOAT, GPU_UNSIGNED, 0, 8},
    {GPU_COLOR_32_FLOAT, GPU_TEXTURE_32_FLOAT, GPU_UNSIGNED, 0, 4},
    {GPU_COLOR_32_32_FLOAT, GPU_TEXTURE_32_32_FLOAT, GPU_UNSIGNED, 0, 8},
};

/* Pixels; edges lie on pixel centres. */
typedef struct bar {
    float x0, y0, x1, y1;
    float color[1][4];
} bar;
enum { BRIGHT, PURPLE, GREEN, BARS };
static const bar bars[BARS] = {
    {0, 40, USED_X, 60, {{2.0f, 0.5f, 0.25f, 1}}},
    {0, 60, USED_X, CELL_Y, {{0.5f, 0, 0.5f, 1}}},
    {USED_X / 2, 60, USED_X, CELL_Y, {{0, 1, 0, 0.5f}}},
};

typedef struct ramp_vertex {
    float x, y, z; /* pixels */
    u32 argb;
} ramp_vertex;
static const ramp_vertex ramp[4] = {{0, 0, 0, 0xFF0000FF},
                                    {USED_X, 0, 0, 0xFFFF0000},
                                    {USED_X, 40, 0, 0xFFFFFF00},
                                    {0, 40, 0, 0xFF00FFFF}};

typedef struct page {
    gpu g;
    gpu_texture textures[CELLS];
    ramp_vertex *ramp;
    float *bars;  /* three corners each, {x, y, z} */
    float *quads; /* four corners for each texture, {x, y, z, u, v} */
} page;

static const gpu_targets screen = {
    .width = WIDTH, .height = HEIGHT, .colors = 1, .color_base = {256}};

static const gpu_shader ramp_vertex_shader = GPU_SHADER(colour_vs);
static const gpu_shader ramp_shader = GPU_SHADER(colour_ps);
static const gpu_shader bar_vertex_shader = GPU_SHADER(position_vs);
static const gpu_shader bar_shader = GPU_SHADER(constant_ps);
static const gpu_shader cell_vertex_shader = GPU_SHADER(texture_vs);
static const gpu_shader cell_shader = GPU_SHADER(tinted_ps);

static void put_position(float *to, float x, float y, u32 width, u32 height)
{
    to[0] = x * 2 / (float)width - 1;
    to[1] = 1 - y * 2 / (float)height;
    to[2] = 0;
}

static void make_quad(float *to, u32 index)
{
    u32 left = index % COLUMNS * CELL_X;
    u32 top = ROWS_AT + index / COLUMNS * (HEIGHT / 2);
    for (u32 i = 0; i < 4; i++) {
        u32 right = i == 1 || i == 2;
        u32 down = i >= 2;
        /* Half a pixel before the centre of the first one: a texel a pixel. */
        put_position(to + 5 * i, (float)(left + right * CELL_X) - 0.5f,
                     (float)(top + down * CELL_Y) - 0.5f, WIDTH, HEIGHT);
        to[5 * i + 3] = (float)right;
        to[5 * i + 4] = (float)down;
    }
}

static bool make(page *p)
{
    p->ramp = gpu_alloc(sizeof ramp);
    p->bars = gpu_alloc(BARS * 9 * sizeof(float));
    p->quads = gpu_alloc(CELLS * 20 * sizeof(float));
    if (p->ramp == NULL || p->bars == NULL || p->quads == NULL) {
        return false;
    }
    memcpy(p->ramp, ramp, sizeof ramp);
    for (u32 i = 0; i < BARS * 3; i++) {
        const bar *b = &bars[i / 3];
        put_position(p->bars + 3 * i, i % 3 == 1 ? b->x1 : b->x0, i % 3 == 2 ? b->y1 : b->y0,
                     CELL_X, CELL_Y);
    }
    for (u32 i = 0; i < CELLS; i++) {
        make_quad(p->quads + 20 * i, i);
        p->textures[i] = (gpu_texture){
            .base = gpu_alloc(CELL_X * (CELL_Y + 16) * cells[i].bytes), /* whole tiles */
            .width = CELL_X,
            .height = CELL_Y,
            .levels = 1,
            .format = cells[i].texture,
            .sign = cells[i].sign,
            .exponent = cells[i].exponent,
        };
        if (p->textures[i].base == NULL) {
            return false;
        }
    }
    return true;
}

static void draw_bar(page *p, u32 index)
{
    gpu_set_pixel_constants(&p->g, 0, bars[index].color, 1);
    gpu_set_vertices(&p->g, 0, p->bars + 9 * index, 9 * sizeof(float));
    gpu_draw(&p->g, GPU_RECTANGLES, 3);
}

static void draw_cell(page *p, u32 index)
{
    static const u32 nothing[2] = {0, 0};
    static const float rows[4][4] = {
        {2.0f / CELL_X, 0, 0, -1}, {0, -2.0f / CELL_Y, 0, 1}, {0, 0, 1, 0}, {0, 0, 0, 1}};
    const gpu_targets targets = {
        .width = CELL_X, .height = CELL_Y, .colors = 1, .color_format = {cells[index].color}};
    gpu *g = &p->g;
    gpu_set_targets(g, &targets);
    gpu_resolve(g, 0, NULL, nothing);

    gpu_set_shaders(g, &ramp_vertex_shader, &ramp_shader);
    gpu_set_vertex_constants(g, 0, rows, 4);
    gpu_set_vertices(g, 0, p->ramp, sizeof ramp);
    gpu_draw(g, GPU_QUADS, 4);

    gpu_set_shaders(g, &bar_vertex_shader, &bar_shader);
    draw_bar(p, BRIGHT);
    draw_bar(p, PURPLE);
    gpu_set_blend(g, 0, GPU_SRC_ALPHA, GPU_INV_SRC_ALPHA);
    draw_bar(p, GREEN);
    gpu_set_blend(g, 0, GPU_ONE, GPU_ZERO);
    gpu_resolve(g, 0, &p->textures[index], NULL);
}

static void draw_screen(page *p)
{
    static const float black[4] = {0, 0, 0, 1};
    static const float half[1][4] = {{0.5f, 0.5f, 0.5f, 1}};
    static const gpu_sampler nearest = {.mip = 2, .addresses = 2};
    gpu *g = &p->g;
    gpu_set_targets(g, &screen);
    gpu_clear(g, 1, black, false, 0, 0);
    gpu_set_shaders(g, &cell_vertex_shader, &cell_shader);
    gpu_set_pixel_constants(g, 0, half, 1);
    for (u32 i = 0; i < CELLS; i++) {
        gpu_set_texture(g, 0, &p->textures[i], &nearest);
        gpu_set_vertices(g, 0, p->quads + 20 * i, 20 * sizeof(float));
        gpu_draw(g, GPU_QUADS, 4);
    }
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
        for (u32 i = 0; i < CELLS; i++) {
            draw_cell(&p, i);
        }
        draw_screen(&p);
        good = gpu_present(&p.g);
    }
    DbgPrint("formats: %u frames\n", frame);
    return good ? 0 : 1;
}
