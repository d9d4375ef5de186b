/* Drawing with the GPU, as a game's Direct3D does it: a ring with indirect command buffers, fences,
 * state, shaders, draws, clears, resolves and the swap.
 *
 * Commands go to one of two buffers, frame by frame, and to the GPU with gpu_flush, gpu_fence or
 * gpu_present. When a buffer is used again its fence has passed. Everything that the GPU reads is
 * physical memory from gpu_alloc, stored by the CPU as it is (big-endian). */
#ifndef WEFT_GUEST_GPU_H
#define WEFT_GUEST_GPU_H

#include "gpu_registers.h"
#include "weft_guest.h"

#define GPU_COMMAND_DWORDS 0x8000u /* of a command buffer */
#define GPU_CONTEXT_FIRST  0x2000u /* registers that are remembered */
#define GPU_CONTEXT_COUNT  0x400u

/* A shader as ucasm writes it to a header: GPU_SHADER(lit_vs). Constants that it defines are the
 * title's to set. */
typedef struct gpu_shader {
    const u32 *code;
    u32 dwords, registers, outputs; /* interpolators or colours */
} gpu_shader;
#define GPU_SHADER(name)                                                                           \
    {                                                                                              \
        (const u32 *)name##_code, name##_DWORDS, name##_REGISTERS, name##_PARAMETERS               \
    }

/* Sample counts, for RB_SURFACE_INFO. */
enum { GPU_1X = 0, GPU_2X = 1, GPU_4X = 2 };

/* Formats of colour targets and of textures; 24_8 is a depth target resolved. */
enum {
    GPU_COLOR_8_8_8_8 = 0,
    GPU_COLOR_8_8_8_8_GAMMA = 1,
    GPU_COLOR_2_10_10_10 = 2,
    GPU_COLOR_2_10_10_10_FLOAT = 3,
    GPU_COLOR_16_16 = 4, /* -32 to 32 */
    GPU_COLOR_16_16_16_16 = 5,
    GPU_COLOR_16_16_FLOAT = 6,
    GPU_COLOR_16_16_16_16_FLOAT = 7,
    GPU_COLOR_32_FLOAT = 14,
    GPU_COLOR_32_32_FLOAT = 15
};
enum {
    GPU_TEXTURE_8 = 2, /* red, green and blue alike */
    GPU_TEXTURE_8_8_8_8 = 6,
    GPU_TEXTURE_2_10_10_10 = 7,
    GPU_TEXTURE_DXT1 = 18,
    GPU_TEXTURE_DXT2_3 = 19,
    GPU_TEXTURE_DXT4_5 = 20,
    GPU_TEXTURE_24_8 = 22,
    GPU_TEXTURE_16_16 = 25,
    GPU_TEXTURE_16_16_16_16 = 26,
    GPU_TEXTURE_16_16_FLOAT = 31,
    GPU_TEXTURE_16_16_16_16_FLOAT = 32,
    GPU_TEXTURE_32_FLOAT = 36,
    GPU_TEXTURE_32_32_FLOAT = 37
};
enum { GPU_UNSIGNED = 0, GPU_SIGNED = 1, GPU_GAMMA = 3 };

/* Targets in EDRAM, which has 2048 tiles of 80x16 samples of 32 bits; bases are tiles. */
typedef struct gpu_targets {
    u32 width, height, samples;
    u32 colors; /* how many */
    u32 color_base[4], color_format[4];
    u32 depth_base;
} gpu_targets;

/* A tiled texture. Mips down to 32 texels are behind one another at `mips`, those whose shorter side has
 * 16 or less share the tiles behind them; gpu_texel knows where. A block of DXT1 is four u16: two
 * colours, then rows 0 and 1, rows 2 and 3 of indices. */
enum { GPU_2D, GPU_3D, GPU_CUBE }; /* a volume has one level */
typedef struct gpu_texture {
    void *base, *mips; /* mips: where `levels` is more than 1 */
    u32 width, height, levels, format;
    u32 sign;     /* of red, green and blue; of alpha too if GPU_SIGNED */
    i32 exponent; /* memory holds what a shader gets, times 2^-exponent */
    u32 kind;     /* GPU_2D, ... */
    u32 depth;    /* slices of a volume */
} gpu_texture;

typedef struct gpu_sampler {
    u32 linear;    /* 0: nearest texel */
    u32 mip;       /* 0: nearest level, 1: between two, 2: level 0 always */
    u32 addresses; /* outside 0..1: 0 repeat, 1 mirror, 2 the last texel */
} gpu_sampler;

/* Primitive types, comparisons, factors, faces as the registers have them. */
enum {
    GPU_POINTS = 1,
    GPU_LINES = 2,
    GPU_TRIANGLES = 4,
    GPU_STRIP = 6,
    GPU_RECTANGLES = 8,
    GPU_QUADS = 13
};
enum {
    GPU_NEVER,
    GPU_LESS,
    GPU_EQUAL,
    GPU_LESS_EQUAL,
    GPU_GREATER,
    GPU_NOT_EQUAL,
    GPU_GREATER_EQUAL,
    GPU_ALWAYS
};
enum {
    GPU_ZERO = 0,
    GPU_ONE = 1,
    GPU_SRC_COLOR = 4,
    GPU_INV_SRC_COLOR = 5,
    GPU_SRC_ALPHA = 6,
    GPU_INV_SRC_ALPHA = 7
};
enum { GPU_KEEP = 0, GPU_REPLACE = 2, GPU_INCREMENT = 3, GPU_DECREMENT = 4, GPU_INVERT = 5 };
enum { GPU_CULL_NONE = 0, GPU_CULL_CLOCKWISE = 1, GPU_CULL_COUNTER = 2 }; /* as seen on screen */

/* What gpu_resolve copies. */
enum { GPU_FROM_DEPTH = 4 }; /* or 0..3, a colour target */
typedef struct gpu {
    u32 width, height; /* of the picture */
    volatile u32 *ring, *read_back, *status;
    u32 ring_write;
    u32 *commands[2]; /* GPU_COMMAND_DWORDS each */
    u32 fences[2];    /* the last of each */
    u32 current, used, flushed;
    u32 fence; /* the last that was asked for */
    u8 *front[2];
    u32 back; /* the front buffer that is not shown */
    volatile u32 vblanks;
    kevent vblank, retired;
    kdpc vblank_dpc, retired_dpc;
    u32 system_buffer[0x94 / 4]; /* VdGetSystemCommandBuffer clears so much */
    u32 system_token;
    u32 failed; /* the GPU stopped, or there was no memory: nothing is sent any more */

    u32 registers[GPU_CONTEXT_COUNT];
    u32 fetch0[6]; /* constant 0, which clears and resolves use too */
    gpu_targets targets;
    const gpu_shader *vertex, *pixel;
    u32 cull;
} gpu;

/* ---- gpu.c: memory, commands, time ------------------------------------------------------------
 */

/* Takes over the GPU and the display, with a picture of that size (width a multiple of 32). False:
 * out of memory (said on the debug output). */
bool gpu_open(gpu *g, u32 width, u32 height);

/* Physical memory, whole pages, of zeros. NULL: none left (said on the debug output). */
void *gpu_alloc(u32 bytes);
u32 gpu_address(const volatile void *memory);

void gpu_emit(gpu *g, u32 word);
/* Room for that many dwords in a row, already counted. */
u32 *gpu_reserve(gpu *g, u32 dwords);
/* Registers in a row, as they are. */
void gpu_write(gpu *g, u32 first, const u32 *values, u32 count);
/* Words that the GPU can read, among the commands. */
u32 *gpu_inline(gpu *g, u32 dwords);

/* Sends what is there. */
void gpu_flush(gpu *g);
/* Sends it with a fence behind it, and answers its number. */
u32 gpu_fence(gpu *g);
/* Sleeps until the fence has passed. False: it did not within a second. */
bool gpu_wait(gpu *g, u32 fence);

/* Shows colour target 0, waits for the next vertical blank, and begins a frame. */
bool gpu_present(gpu *g);

/* ---- gpu_draw.c -------------------------------------------------------------------------------
 */

/* What Direct3D sets at its start; gpu_open does it. */
void gpu_defaults(gpu *g);

/* One register from GPU_CONTEXT_FIRST on, remembered. */
void gpu_set(gpu *g, u32 number, u32 value);
static inline u32 gpu_get(const gpu *g, u32 number)
{
    return g->registers[number - GPU_CONTEXT_FIRST];
}

/* Also sets viewport and scissor to all of them. */
void gpu_set_targets(gpu *g, const gpu_targets *targets);
void gpu_set_viewport(gpu *g, u32 x, u32 y, u32 width, u32 height);
void gpu_set_scissor(gpu *g, u32 x0, u32 y0, u32 x1, u32 y1);
void gpu_set_depth(gpu *g, u32 compare, u32 write); /* GPU_ALWAYS and 0: off */
/* Compares the reference with what is there, and does `pass` where depth passes too; GPU_ALWAYS and
 * GPU_KEEP: off. */
void gpu_set_stencil(gpu *g, u32 compare, u32 reference, u32 pass);
/* The whole of it, for front and back faces. `back` NULL: back faces as front ones. gpu_set_stencil goes
 * back to one test for both. */
typedef struct gpu_stencil {
    u32 compare, reference, mask, write_mask;
    u32 fail, depth_fail, pass; /* GPU_KEEP, ... */
} gpu_stencil;
void gpu_set_stencil_faces(gpu *g, const gpu_stencil *front, const gpu_stencil *back);
/* Draws pixels whose alpha of target 0 compares so with the reference; GPU_ALWAYS: all. */
void gpu_set_alpha_test(gpu *g, u32 compare, float reference);
/* Of a target with several samples: alpha says how many a pixel covers. */
void gpu_set_alpha_to_mask(gpu *g, bool on);
void gpu_set_blend(gpu *g, u32 target, u32 source, u32 destination); /* GPU_ONE, GPU_ZERO: off */
void gpu_set_cull(gpu *g, u32 cull);
void gpu_set_shaders(gpu *g, const gpu_shader *vertex, const gpu_shader *pixel);
void gpu_set_vertex_constants(gpu *g, u32 first, const float (*rows)[4], u32 count);
void gpu_set_pixel_constants(gpu *g, u32 first, const float (*rows)[4], u32 count);
/* What `def` lines of a listing say: stage 0 vertex, 1 pixel; NAME_constants, NAME_CONSTANTS. */
void gpu_set_defined(gpu *g, u32 stage, const u32 (*rows)[5], u32 count);
/* Stream 0 is vf0. */
void gpu_set_vertices(gpu *g, u32 stream, const void *vertices, u32 bytes);

void gpu_draw(gpu *g, u32 primitive, u32 count);
void gpu_draw_indexed(gpu *g, u32 primitive, const u16 *indices, u32 count);

/* Clears the colour targets of the mask within the scissor, and depth and stencil if asked. */
void gpu_clear(gpu *g, u32 colors, const float color[4], bool depth_too, float depth, u32 stencil);
/* Copies the target's upper left part to all of a texture's level 0, samples of colours averaged; NULL:
 * copies nothing. `clear`: and fills what it copied, or all of the target, with a word of it, or two for
 * colours of 64 bits. NULL: leaves it. */
void gpu_resolve(gpu *g, u32 from, const gpu_texture *to, const u32 clear[2]);
/* What the GPU keeps of that memory is read anew. */
void gpu_sync(gpu *g, const void *memory, u32 bytes);

/* Sample counts of the draws between: the count is at gpu_query_passed(g, slot) once a fence behind the
 * end has passed. Slots are 0 to 7. */
void gpu_query_begin(gpu *g, u32 slot);
void gpu_query_end(gpu *g, u32 slot);
u32 gpu_query_passed(const gpu *g, u32 slot);

/* ---- gpu_texture.c ----------------------------------------------------------------------------
 */

/* Bytes of level 0, and of the others. */
u32 gpu_texture_bytes(const gpu_texture *t);
u32 gpu_mip_bytes(const gpu_texture *t);
/* Gives it storage for all of its levels, of zeros. False: out of memory (said on the debug output). */
bool gpu_texture_make(gpu_texture *t);
/* The texel at x, y of a level; z is the slice of a volume or the face of a cube (+x, -x, +y, -y, +z,
 * -z). Of DXT formats the block that holds the texel. */
void *gpu_texel(const gpu_texture *t, u32 level, u32 x, u32 y, u32 z);
/* What was stored in it since a draw read it is read anew after gpu_sync. */
void gpu_set_texture(gpu *g, u32 slot, const gpu_texture *texture, const gpu_sampler *sampler);
/* Byte offset of a texel of 32 bits in a tiled surface. */
u32 gpu_tile_offset(u32 x, u32 y, u32 width);

static inline u32 gpu_bits(float value)
{
    union {
        float number;
        u32 bits;
    } both = {value};
    return both.bits;
}

#endif
