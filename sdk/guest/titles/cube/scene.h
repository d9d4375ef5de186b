/* What cube draws: a cube of 24 vertices and 36 indices, a floor, and a checked texture with mips. */
#ifndef CUBE_SCENE_H
#define CUBE_SCENE_H

#include "gpu.h"

#define TEXTURE_SIZE   64u
#define TEXTURE_LEVELS 7u
#define CHECK          8u /* texels */
#define CHECK_LIGHT    0xFFE0C040u
#define CHECK_DARK     0xFF204080u

#define CUBE_VERTICES  24u
#define CUBE_INDICES   36u
#define FLOOR_VERTICES 4u

typedef struct vertex {
    float x, y, z;
    float normal[3];
    float u, v;
} vertex;

/* Sides from -1 to 1, texture once on each; clockwise from outside, x to the right, y up, z away. */
void scene_cube(vertex *vertices, u16 *indices);
/* Two triangles as a strip: 16 wide and 16 long, texture 8 times. */
void scene_floor(vertex *vertices);
/* False: out of memory. */
bool scene_texture(gpu_texture *texture);

/* sin and cos of steps / 128 of a turn. */
float scene_sine(u32 steps);
float scene_cosine(u32 steps);

#endif
