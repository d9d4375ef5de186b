/* targets: what is drawn besides the screen. Two colour targets and depth at once, then one target of
 * four samples; each is copied to a texture, the four are shown side by side, and read by the CPU.
 *
 *     frames=N   ends after N frames (0 or absent: never)
 *
 * Numbers of the first frame are printed: how many samples of three rectangles passed depth and stencil test, a
 * sum of each texture's words (word * (2 * index + 1), row by row), and how many pixels of the fourth
 * are covered wholly, by half and by a quarter. All can be computed by hand: tests/golden does. */
#include "gpu.h"

#include "constant_ps.h"
#include "position_vs.h"
#include "texture_ps.h"
#include "texture_vs.h"
#include "two_ps.h"

#define WIDTH  320u
#define HEIGHT 180u
#define PAGE_X 128u /* size of the other targets and of all textures */
#define PAGE_Y 64u

#define STENCIL 0x5Au

/* Pixels: edges lie on pixel centres, so a rectangle has (x1 - x0) * (y1 - y0) of them. */
typedef struct rectangle {
    float x0, y0, x1, y1, z;
    float color[2][4]; /* of the two targets */
} rectangle;

enum { COLOR_0, COLOR_1, DEPTH, EDGES, TEXTURES };

typedef struct page {
    gpu g;
    gpu_texture textures[TEXTURES];
    float *rectangles; /* three corners each, {x, y, z} */
    float *triangle;
    float *quads; /* four corners for each texture, {x, y, z, u, v} */
} page;

static const rectangle rectangles[] = {
    {8, 8, 72, 40, 0.25f, {{1, 0, 0, 1}, {0, 1, 0, 1}}},
    {40, 24, 104, 56, 0.5f, {{0, 0, 1, 1}, {1, 1, 0, 1}}},
    {0, 0, PAGE_X, PAGE_Y, 0.125f, {{0.2f, 0.2f, 0.2f, 1}, {0.4f, 0.4f, 0.4f, 1}}},
    {10, 8, 50, 40, 0, {{1, 1, 1, 1}}}, /* of the target with four samples */
};
#define RECTANGLES 4u
#define EDGE_QUERY 3u
#define EDGE_LIMIT 60u /* the triangle is to the right */

static const gpu_targets two = {
    .width = PAGE_X, .height = PAGE_Y, .colors = 2, .color_base = {0, 16}, .depth_base = 32};
static const gpu_targets four = {.width = PAGE_X,
                                 .height = PAGE_Y,
                                 .samples = GPU_4X,
                                 .colors = 1,
                                 .color_base = {64},
                                 .depth_base = 128};
static const gpu_targets screen = {
    .width = WIDTH, .height = HEIGHT, .colors = 1, .color_base = {256}, .depth_base = 512};

static const gpu_shader position_shader = GPU_SHADER(position_vs);
static const gpu_shader texture_vertex_shader = GPU_SHADER(texture_vs);
static const gpu_shader texture_shader = GPU_SHADER(texture_ps);
static const gpu_shader one_shader = GPU_SHADER(constant_ps);
static const gpu_shader two_shader = GPU_SHADER(two_ps);

/* From pixels to -1..1. */
static void put_position(float *to, float x, float y, float z, const gpu_targets *targets)
{
    to[0] = x * 2 / (float)targets->width - 1;
    to[1] = 1 - y * 2 / (float)targets->height;
    to[2] = z;
}

static bool make_vertices(page *p)
{
    static const u32 places[TEXTURES][2] = {{16, 16}, {176, 16}, {16, 100}, {176, 100}};
    p->rectangles = gpu_alloc(RECTANGLES * 9 * sizeof(float));
    p->triangle = gpu_alloc(9 * sizeof(float));
    p->quads = gpu_alloc(TEXTURES * 20 * sizeof(float));
    if (p->rectangles == NULL || p->triangle == NULL || p->quads == NULL) {
        return false;
    }
    for (u32 i = 0; i < RECTANGLES; i++) {
        const rectangle *r = &rectangles[i];
        for (u32 v = 0; v < 3; v++) {
            put_position(p->rectangles + 9 * i + 3 * v, v == 1 ? r->x1 : r->x0,
                         v == 2 ? r->y1 : r->y0, r->z, &two);
        }
    }
    put_position(p->triangle, 70, 8, 0, &four);
    put_position(p->triangle + 3, 120, 8, 0, &four);
    put_position(p->triangle + 6, 70, 56, 0, &four);
    for (u32 i = 0; i < TEXTURES * 4; i++) {
        float *to = p->quads + 5 * i;
        u32 right = (i & 3) == 1 || (i & 3) == 2;
        u32 down = (i & 3) >= 2;
        /* Half a pixel before the centre of the first one: a texel a pixel. */
        put_position(to, (float)(places[i / 4][0] + right * PAGE_X) - 0.5f,
                     (float)(places[i / 4][1] + down * PAGE_Y) - 0.5f, 0, &screen);
        to[3] = (float)right;
        to[4] = (float)down;
    }
    return true;
}

static bool make_textures(page *p)
{
    for (u32 i = 0; i < TEXTURES; i++) {
        p->textures[i] = (gpu_texture){
            .base = gpu_alloc(PAGE_X * PAGE_Y * 4),
            .width = PAGE_X,
            .height = PAGE_Y,
            .levels = 1,
            .format = i == DEPTH ? GPU_TEXTURE_24_8 : GPU_TEXTURE_8_8_8_8,
        };
        if (p->textures[i].base == NULL) {
            return false;
        }
    }
    return true;
}

static void resolve(page *p, u32 from, u32 texture)
{
    gpu_resolve(&p->g, from, &p->textures[texture], NULL);
}

static void draw_rectangle(page *p, u32 index)
{
    gpu_set_pixel_constants(&p->g, 0, rectangles[index].color, 2);
    gpu_set_vertices(&p->g, 0, p->rectangles + 9 * index, 9 * sizeof(float));
    gpu_query_begin(&p->g, index);
    gpu_draw(&p->g, GPU_RECTANGLES, 3);
    gpu_query_end(&p->g, index);
}

static const float black[4] = {0, 0, 0, 1};

static void draw_two(page *p)
{
    gpu *g = &p->g;
    gpu_set_targets(g, &two);
    gpu_clear(g, 3, black, true, 1.0f, STENCIL);
    gpu_set_shaders(g, &position_shader, &two_shader);
    gpu_set_depth(g, GPU_LESS_EQUAL, 1);
    for (u32 i = 0; i < 2; i++) {
        gpu_set_stencil(g, GPU_ALWAYS, i + 1, GPU_REPLACE);
        draw_rectangle(p, i);
    }
    gpu_set_stencil(g, GPU_EQUAL, STENCIL, GPU_KEEP); /* round them */
    draw_rectangle(p, 2);
    gpu_set_stencil(g, GPU_ALWAYS, 0, GPU_KEEP);
    gpu_set_depth(g, GPU_ALWAYS, 0);
    resolve(p, 0, COLOR_0);
    resolve(p, 1, COLOR_1);
    resolve(p, GPU_FROM_DEPTH, DEPTH);
}

static void draw_four(page *p)
{
    static const float orange[1][4] = {{1, 0.5f, 0, 1}};
    gpu *g = &p->g;
    gpu_set_targets(g, &four);
    gpu_clear(g, 1, black, false, 0, 0);
    gpu_set_shaders(g, &position_shader, &one_shader);
    draw_rectangle(p, EDGE_QUERY);
    gpu_set_pixel_constants(g, 0, orange, 1);
    gpu_set_vertices(g, 0, p->triangle, 9 * sizeof(float));
    gpu_draw(g, GPU_TRIANGLES, 3);
    resolve(p, 0, EDGES);
}

static void draw_screen(page *p)
{
    static const float grey[4] = {0.6f, 0.6f, 0.6f, 1};
    static const gpu_sampler nearest = {.mip = 2, .addresses = 2};
    gpu *g = &p->g;
    gpu_set_targets(g, &screen);
    gpu_clear(g, 1, grey, false, 0, 0);
    gpu_set_shaders(g, &texture_vertex_shader, &texture_shader);
    for (u32 i = 0; i < TEXTURES; i++) {
        gpu_set_texture(g, 0, &p->textures[i], &nearest);
        gpu_set_vertices(g, 0, p->quads + 20 * i, 20 * sizeof(float));
        gpu_draw(g, GPU_QUADS, 4);
    }
}

/* ---- what the CPU reads ----------------------------------------------------------------------- */

static u32 texel(const page *p, u32 texture, u32 x, u32 y)
{
    const u8 *base = p->textures[texture].base;
    return *(const volatile u32 *)(base + gpu_tile_offset(x, y, PAGE_X));
}

static u32 sum(const page *p, u32 texture)
{
    u32 total = 0;
    for (u32 i = 0; i < PAGE_X * PAGE_Y; i++) {
        total += texel(p, texture, i % PAGE_X, i / PAGE_X) * (2 * i + 1);
    }
    return total;
}

static void print_edges(const page *p)
{
    u32 counts[3] = {0, 0, 0}; /* whole, half, quarter */
    for (u32 i = 0; i < EDGE_LIMIT * PAGE_Y; i++) {
        u32 red = texel(p, EDGES, i % EDGE_LIMIT, i / EDGE_LIMIT) >> 16 & 0xFF;
        if (red == 255) {
            counts[0]++;
        } else if (red == 127 || red == 128) {
            counts[1]++;
        } else if (red == 63 || red == 64) {
            counts[2]++;
        } else if (red != 0) {
            DbgPrint("targets: a pixel is covered by %u/255\n", red);
        }
    }
    DbgPrint("targets: %u whole, %u half, %u quarter pixels, %u samples\n", counts[0], counts[1],
             counts[2], gpu_query_passed(&p->g, EDGE_QUERY));
}

static void print_numbers(const page *p)
{
    DbgPrint("targets: %u, %u, %u samples passed\n", gpu_query_passed(&p->g, 0),
             gpu_query_passed(&p->g, 1), gpu_query_passed(&p->g, 2));
    DbgPrint("targets: colours 0x%08x 0x%08x, depth 0x%08x\n", sum(p, COLOR_0), sum(p, COLOR_1),
             sum(p, DEPTH));
    print_edges(p);
}

int main(int argc, char **argv)
{
    static page p;
    const char *option = weft_option(argc, argv, "frames");
    u32 limit = option != NULL ? weft_number(option) : 0;
    if (!gpu_open(&p.g, WIDTH, HEIGHT) || !make_vertices(&p) || !make_textures(&p)) {
        return 1;
    }
    bool good = true;
    u32 frame = 0;
    for (; good && (limit == 0 || frame < limit); frame++) {
        draw_two(&p);
        draw_four(&p);
        good = gpu_wait(&p.g, gpu_fence(&p.g));
        if (good && frame == 0) {
            print_numbers(&p);
        }
        draw_screen(&p);
        good = gpu_present(&p.g) && good;
    }
    DbgPrint("targets: %u frames\n", frame);
    return good ? 0 : 1;
}
