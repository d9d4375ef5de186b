#include "gpu.h"

#include <stddef.h>

/* As reference measurements of lavapipe were made: full-screen passes, a heavy shader, many small
 * triangles; and what a title adds to that. */
const gpu_load gpu_loads[] = {
    {"fill", GPU_COLOR, 4, 0, 0, 0, 1},       {"blend", GPU_COLOR, 4, 0, 1, 0, 1},
    {"texture", GPU_TEXTURED, 4, 0, 0, 0, 1}, {"alu60", GPU_HEAVY, 1, 0, 0, 0, 1},
    {"small", GPU_COLOR, 1, 1, 0, 1, 1},      {"small-alu60", GPU_HEAVY, 1, 1, 0, 1, 1},
    {"msaa4", GPU_COLOR, 1, 1, 0, 1, 4},
};

const uint32_t gpu_load_count = sizeof gpu_loads / sizeof gpu_loads[0];

static float *corner(float *to, uint32_t x, uint32_t y, uint32_t columns, uint32_t rows)
{
    float u = (float)x / (float)columns, v = (float)y / (float)rows;
    const float values[GPU_CORNER_FLOATS] = {
        u * (float)GPU_WIDTH, v * (float)GPU_HEIGHT, 0.25f + 0.5f * u, 1, u, v, 1 - u, 0.5f};
    for (uint32_t i = 0; i < GPU_CORNER_FLOATS; i++) {
        to[i] = values[i];
    }
    return to + GPU_CORNER_FLOATS;
}

uint32_t gpu_load_corners(const gpu_load *load, float *corners)
{
    static const uint8_t order[6][2] = {{0, 0}, {1, 0}, {0, 1}, {1, 0}, {1, 1}, {0, 1}};
    uint32_t columns = load->small ? GPU_CELLS_X : 1, rows = load->small ? GPU_CELLS_Y : 1;
    for (uint32_t cell = 0; cell < columns * rows && corners != NULL; cell++) {
        for (int i = 0; i < 6; i++) {
            corners = corner(corners, cell % columns + order[i][0], cell / columns + order[i][1],
                             columns, rows);
        }
    }
    return columns * rows * 6;
}
