/* triangle: one triangle with a colour at each corner, which moves to the right pixel by pixel.
 *
 *     frames=N   ends after N frames (0 or absent: never)
 *     times=N    draws it N times over, each time handed to the GPU alone (absent: once)
 *
 * In frame n, from 0, the corners are at (160 + n % 64, 30), (70 + n % 64, 150) and (250 + n % 64, 150)
 * in pixels, and are red, green and blue. */
#include "gpu.h"

#include "colour_ps.h"
#include "colour_vs.h"

#define WIDTH  320u
#define HEIGHT 180u
#define STEPS  64u

typedef struct vertex {
    float x, y, z; /* pixels; the constants turn them to -1..1 */
    u32 argb;
} vertex;

static const gpu_shader vertex_shader = GPU_SHADER(colour_vs);
static const gpu_shader pixel_shader = GPU_SHADER(colour_ps);

static void draw(gpu *g, u32 frame, u32 times)
{
    static const float background[4] = {0.0f, 0.0f, 0.2f, 1.0f};
    float shift = (float)(frame % STEPS);
    const float rows[4][4] = {
        {2.0f / WIDTH, 0, 0, 2.0f / WIDTH * shift - 1.0f},
        {0, -2.0f / HEIGHT, 0, 1.0f},
        {0, 0, 1.0f, 0},
        {0, 0, 0, 1.0f},
    };
    gpu_clear(g, 1, background, false, 0, 0);
    for (u32 i = 0; i < times; i++) {
        gpu_flush(g);
        gpu_set_vertex_constants(g, 0, rows, 4);
        gpu_draw(g, GPU_TRIANGLES, 3);
    }
}

int main(int argc, char **argv)
{
    static const vertex corners[3] = {
        {160, 30, 0, 0xFFFF0000}, {250, 150, 0, 0xFF0000FF}, {70, 150, 0, 0xFF00FF00}};
    static const gpu_targets targets = {.width = WIDTH, .height = HEIGHT, .colors = 1};
    static gpu g;
    const char *option = weft_option(argc, argv, "frames");
    u32 limit = option != NULL ? weft_number(option) : 0;
    option = weft_option(argc, argv, "times");
    u32 times = option != NULL ? weft_number(option) : 1;
    if (!gpu_open(&g, WIDTH, HEIGHT)) {
        return 1;
    }
    vertex *vertices = gpu_alloc(sizeof corners);
    if (vertices == NULL) {
        return 1;
    }
    memcpy(vertices, corners, sizeof corners);
    gpu_set_targets(&g, &targets);
    gpu_set_shaders(&g, &vertex_shader, &pixel_shader);
    gpu_set_vertices(&g, 0, vertices, sizeof corners);
    gpu_set_cull(&g, GPU_CULL_COUNTER);
    bool good = true;
    u32 frame = 0;
    for (; good && (limit == 0 || frame < limit); frame++) {
        draw(&g, frame, times);
        good = gpu_present(&g);
    }
    DbgPrint("triangle: %u frames\n", frame);
    return good ? 0 : 1;
}
