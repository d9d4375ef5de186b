#include "scene.h"

#define TURN 128u

/* The series to x^13, whose next term is below 3e-8 up to a quarter of a turn. */
static float series(u32 steps)
{
    double x = (double)steps * (6.283185307179586 / TURN);
    double term = x;
    double sum = x;
    for (u32 n = 3; n <= 13; n += 2) {
        term = -term * x * x * (1.0 / (double)(n * (n - 1)));
        sum += term;
    }
    return (float)sum;
}

float scene_sine(u32 steps)
{
    steps %= TURN;
    u32 half = steps % (TURN / 2);
    float value = series(half > TURN / 4 ? TURN / 2 - half : half);
    return steps >= TURN / 2 ? -value : value;
}

float scene_cosine(u32 steps)
{
    return scene_sine(steps + TURN / 4);
}

static void cross(float out[3], const float a[3], const float b[3])
{
    for (u32 i = 0; i < 3; i++) {
        u32 j = (i + 1) % 3;
        u32 k = (i + 2) % 3;
        out[i] = a[j] * b[k] - a[k] * b[j];
    }
}

void scene_cube(vertex *vertices, u16 *indices)
{
    static const float normals[6][3] = {{0, 0, -1}, {0, 0, 1}, {1, 0, 0},
                                        {-1, 0, 0}, {0, 1, 0}, {0, -1, 0}};
    static const float across[4] = {-1, 1, 1, -1};
    static const float up[4] = {1, 1, -1, -1};
    static const u8 corners[6] = {0, 1, 2, 0, 2, 3};
    for (u32 f = 0; f < 6; f++) {
        const float *n = normals[f];
        const float top[3] = {0, n[1] == 0 ? 1.0f : 0.0f, n[1]};
        float right[3];
        cross(right, n, top);
        for (u32 c = 0; c < 4; c++) {
            vertex *v = &vertices[4 * f + c];
            v->x = n[0] + across[c] * right[0] + up[c] * top[0];
            v->y = n[1] + across[c] * right[1] + up[c] * top[1];
            v->z = n[2] + across[c] * right[2] + up[c] * top[2];
            memcpy(v->normal, n, sizeof v->normal);
            v->u = across[c] > 0 ? 1.0f : 0.0f;
            v->v = up[c] > 0 ? 0.0f : 1.0f;
        }
        for (u32 i = 0; i < 6; i++) {
            indices[6 * f + i] = (u16)(4 * f + corners[i]);
        }
    }
}

void scene_floor(vertex *vertices)
{
    for (u32 i = 0; i < FLOOR_VERTICES; i++) {
        float right = i & 1 ? 1.0f : 0.0f;
        float far = i & 2 ? 0.0f : 1.0f;
        vertices[i] = (vertex){
            .x = 16 * right - 8,
            .z = 2 + 16 * far,
            .normal = {0, 1, 0},
            .u = 8 * right,
            .v = 8 * (1 - far),
        };
    }
}

static volatile u32 *texel(const gpu_texture *t, u32 level, u32 x, u32 y)
{
    return gpu_texel(t, level, x, y, 0);
}

/* The mean of four texels, each component rounded. */
static u32 mean(const gpu_texture *t, u32 level, u32 x, u32 y)
{
    u32 result = 0;
    for (u32 shift = 0; shift < 32; shift += 8) {
        u32 sum = 2;
        for (u32 i = 0; i < 4; i++) {
            sum += *texel(t, level, 2 * x + (i & 1), 2 * y + (i >> 1)) >> shift & 0xFF;
        }
        result |= sum >> 2 << shift;
    }
    return result;
}

bool scene_texture(gpu_texture *t)
{
    *t = (gpu_texture){
        .width = TEXTURE_SIZE,
        .height = TEXTURE_SIZE,
        .levels = TEXTURE_LEVELS,
        .format = GPU_TEXTURE_8_8_8_8,
    };
    if (!gpu_texture_make(t)) {
        return false;
    }
    for (u32 level = 0; level < TEXTURE_LEVELS; level++) {
        u32 size = TEXTURE_SIZE >> level;
        for (u32 i = 0; i < size * size; i++) {
            u32 x = i % size;
            u32 y = i / size;
            bool dark = ((x / CHECK + y / CHECK) & 1) != 0;
            *texel(t, level, x, y) = level > 0 ? mean(t, level - 1, x, y)
                                     : dark    ? CHECK_DARK
                                               : CHECK_LIGHT;
        }
    }
    return true;
}
