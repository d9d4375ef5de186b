/* EDRAM: where a sample of a target lies in its 10 MiB, and what its bits mean.
 *
 * Facts: xenia src/xenia/gpu/xenos.h ("The EDRAM is an opaque block", ColorRenderTargetFormat,
 * Float7e3To32, Float32To20e4), shaders/edram.xesli. 2048 tiles of 80x16 samples of 32 bits; a tile's
 * rows lie behind one another. A base is in tiles; tile numbers wrap after 2048. A pixel of 2x is 1x2
 * samples, of 4x 2x2: sample bit 0 is down, bit 1 to the right. A sample of 64 bits takes two dwords
 * of one tile (40x16 of them fill it), so such a target has twice the tiles in a row. A depth target
 * has the left and the right 40 samples of each tile swapped.
 *
 * A block of 4x4 pixels at multiples of 4 never leaves a tile, and its rows are contiguous. */
#ifndef XENOS_EDRAM_H
#define XENOS_EDRAM_H

#include <stdint.h>

#define XENOS_EDRAM_TILES       2048u
#define XENOS_EDRAM_TILE_WIDTH  80u /* samples of 32 bits */
#define XENOS_EDRAM_TILE_HEIGHT 16u
#define XENOS_EDRAM_ROW_BYTES   320u /* from one row of a tile to the next */
#define XENOS_EDRAM_TILE_BYTES  5120u

/* RB_COLOR_INFO 19:16. The AS formats store what the plain ones do and blend at another speed. */
enum {
    XENOS_COLOR_8_8_8_8 = 0,
    XENOS_COLOR_8_8_8_8_GAMMA = 1,
    XENOS_COLOR_2_10_10_10 = 2,
    XENOS_COLOR_2_10_10_10_FLOAT = 3,
    XENOS_COLOR_16_16 = 4,
    XENOS_COLOR_16_16_16_16 = 5,
    XENOS_COLOR_16_16_FLOAT = 6,
    XENOS_COLOR_16_16_16_16_FLOAT = 7,
    XENOS_COLOR_2_10_10_10_AS_10_10_10_10 = 10,
    XENOS_COLOR_2_10_10_10_FLOAT_AS_16_16_16_16 = 12,
    XENOS_COLOR_32_FLOAT = 14,
    XENOS_COLOR_32_32_FLOAT = 15,
};

/* RB_DEPTH_INFO bit 16. The word is depth << 8 | stencil. */
enum { XENOS_DEPTH_D24S8 = 0, XENOS_DEPTH_D24FS8 = 1 };

typedef struct xenos_color_format {
    const char *name;   /* NULL: the number names no format, and nothing is written to it */
    uint8_t components; /* red upwards */
    uint8_t wide;       /* a sample takes 64 bits */
    uint8_t storage;    /* the format that stores the same bits without AS */
    uint8_t blends;     /* 0: the source is written as if blending were off */
    uint8_t width[4];   /* bits of the components, from bit 0 of the first dword up */
} xenos_color_format;

/* The row of a number below 16. */
const xenos_color_format *xenos_color_format_of(uint32_t number);

/* A target's place. */
typedef struct xenos_target {
    uint32_t base;   /* tiles, below 2048 */
    uint32_t pitch;  /* tiles from one row of tiles to the next */
    uint32_t width;  /* pixels; RB_SURFACE_INFO's pitch */
    uint8_t x_log2;  /* 1: two samples across (4x) */
    uint8_t y_log2;  /* 1: two samples down (2x and 4x) */
    uint8_t wide;    /* 1: 64 bits a sample */
    uint8_t swapped; /* 1: depth, the halves of each tile are swapped */
} xenos_target;

/* The targets that the registers name; `index` 0..3. RB_SURFACE_INFO's sample count 3 reads as 4x. */
void xenos_target_color(xenos_target *out, const uint32_t *registers, uint32_t index);
void xenos_target_depth(xenos_target *out, const uint32_t *registers);

/* Byte offset of sample 0 of pixel (x, y); x, y below 2^15. Any answer is inside the EDRAM. */
static inline uint32_t xenos_target_offset(const xenos_target *target, uint32_t x, uint32_t y)
{
    uint32_t across = x << target->x_log2 << target->wide; /* dwords */
    uint32_t down = y << target->y_log2;
    uint32_t column = across % XENOS_EDRAM_TILE_WIDTH;
    uint32_t tile = target->base + down / XENOS_EDRAM_TILE_HEIGHT * target->pitch +
                    across / XENOS_EDRAM_TILE_WIDTH;
    if (target->swapped) {
        column = column < 40 ? column + 40 : column - 40;
    }
    return tile % XENOS_EDRAM_TILES * XENOS_EDRAM_TILE_BYTES +
           down % XENOS_EDRAM_TILE_HEIGHT * XENOS_EDRAM_ROW_BYTES + column * 4;
}

/* What to add for sample 0..3. */
static inline uint32_t xenos_target_sample(const xenos_target *target, uint32_t sample)
{
    return (sample & 1) * XENOS_EDRAM_ROW_BYTES + (sample >> 1) * (4u << target->wide);
}

/* The rectangle that PA_SC_SCREEN_SCISSOR and PA_SC_WINDOW_SCISSOR leave, x1 and y1 beyond the last
 * pixel, never negative and never inverted (xenia draw_util.cc, GetScissor). */
typedef struct xenos_rectangle {
    int32_t x0, y0, x1, y1;
} xenos_rectangle;
void xenos_scissor(const uint32_t *registers, xenos_rectangle *out);

/* Numbers of 10 bits: 3 of exponent, 7 of mantissa, no sign; 0..31.875. Rounds to nearest even after
 * cutting denormals to 2^-25, as xenia's conversion after DirectXTex; NaN and below 0 give 0. */
float xenos_float_from_7e3(uint32_t bits);
uint32_t xenos_float_to_7e3(float value);

/* Depth of 24 bits: 4 of exponent, 20 of mantissa, no sign; 0..2. Rounds to nearest even after
 * cutting denormals to 2^-37, as the Direct3D 9 reference rasteriser (xenia xenos.cc). */
float xenos_float_from_20e4(uint32_t bits);
uint32_t xenos_float_to_20e4(float value);

/* Depth of 24 bits as a fraction: n / (2^24 - 1), to nearest even (xenia
 * spirv_shader_translator_rb.cc: the clear shader of 4D5307E6 needs that). Clamps; NaN gives 0. */
uint32_t xenos_float_to_unorm24(float value);

/* Halves: the console has no infinity and no NaN; exponent 31 is one more binade, up to 131008
 * (xenia base/math.h, "alternative encoding"). To nearest even; beyond clamps; NaN gives 0. */
float xenos_float_from_half(uint32_t bits);
uint32_t xenos_float_to_half(float value);

/* 8 bits of piecewise linear gamma to 0..1023 of linear light, and back from a fraction 0..1
 * (xenia xenos.cc, PWLGammaToLinear and LinearToPWLGamma, after Direct3D 9's own code). */
uint32_t xenos_gamma_to_linear(uint32_t gamma);
uint32_t xenos_gamma_from_linear(float linear);

#endif
