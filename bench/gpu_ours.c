/* The loads as a title's command stream would have them: registers, microcode, draws, resolves and a
 * swap, all as packets. With 4x MSAA EDRAM holds 256 rows, so the picture is drawn in three bands. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format.h"
#include "gpu.h"
#include "gpu_sandbox.h"
#include "pm4.h"
#include "state.h"
#include "swap.h"
#include "texture_layout.h"
#include "tiling.h"
#include "ucode.h"

#define FRONT     0x01000000u /* physical addresses */
#define CORNERS   0x02000000u
#define RECTANGLE 0x03000000u
#define TEXTURE   0x03100000u

#define BAND        256u /* rows, with MSAA */
#define DEPTH_TILE  1024u
#define DWORDS_MOST 0x4002u

typedef struct ours {
    gpu_bench bench;
    gpu_sandbox sandbox;
    const gpu_load *load;
    uint32_t corners;
    uint32_t *packet;
    uint32_t dwords;
} ours;

/* ---- packets ---- */

static void put(ours *o, uint32_t dword)
{
    o->packet[o->dwords++] = dword;
}

static void run(ours *o)
{
    xenos_cp_execute(o->sandbox.cp, o->packet, o->dwords);
    o->dwords = 0;
}

/* `count` registers from `first` on. */
static void set_many(ours *o, uint32_t first, const uint32_t *values, uint32_t count)
{
    put(o, (count - 1) << 16 | first);
    for (uint32_t i = 0; i < count; i++) {
        put(o, values[i]);
    }
    run(o);
}

static void set(ours *o, uint32_t number, uint32_t value)
{
    set_many(o, number, &value, 1);
}

static void call(ours *o, uint32_t opcode, const uint32_t *arguments, uint32_t count)
{
    put(o, 0xC0000000u | (count - 1) << 16 | opcode << 8);
    for (uint32_t i = 0; i < count; i++) {
        put(o, arguments[i]);
    }
    run(o);
}

static int load_shader(ours *o, const char *listing)
{
    char error[256] = "";
    uint32_t stage, dwords;
    uint32_t *words = xenos_assemble(listing, strlen(listing), &stage, &dwords, error);
    if (words == NULL) {
        fprintf(stderr, "bench: error: gpu: shader: %s\n", error);
        return 0;
    }
    put(o, 0xC0000000u | (dwords + 1) << 16 | XENOS_PM4_IM_LOAD_IMMEDIATE << 8);
    put(o, stage);
    put(o, dwords);
    for (uint32_t i = 0; i < dwords; i++) {
        put(o, words[i]);
    }
    free(words);
    run(o);
    return 1;
}

/* ---- what lies in memory ---- */

static void store_floats(ours *o, uint32_t address, const float *floats, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        weft_store32(o->sandbox.memory.physical + address + 4 * i, xenos_float_bits(floats[i]));
    }
}

/* Vertex fetch constant 0: type 3, byte order 8in32. */
static void set_stream(ours *o, uint32_t address, uint32_t dwords)
{
    set_many(o, XENOS_CONSTANT_FETCH, (const uint32_t[]){address | 3, dwords << 2 | 2}, 2);
}

/* A tiled 8_8_8_8 surface of 2D in 8in32: pitch, base, size, and red lowest. */
static void surface(uint32_t fetch[6], uint32_t base, uint32_t width, uint32_t height)
{
    fetch[0] = 2 | (width / 32) << 22 | 1u << 31;
    fetch[1] = base | 6 | 2 << 6;
    fetch[2] = (width - 1) | (height - 1) << 13;
    fetch[3] = 0u << 1 | 1u << 4 | 2u << 7 | 3u << 10 | 1u << 19 | 1u << 21;
    fetch[4] = 0;
    fetch[5] = (uint32_t)XENOS_TEXTURE_2D << 9;
}

static void make_texture(ours *o)
{
    uint8_t *bytes = o->sandbox.memory.physical + TEXTURE;
    for (uint32_t y = 0; y < GPU_TEXTURE; y++) {
        for (uint32_t x = 0; x < GPU_TEXTURE; x++) {
            weft_store32(bytes + xenos_tiled_offset(x, y, GPU_TEXTURE, 2), gpu_texel(x, y));
        }
    }
    uint32_t fetch[6];
    surface(fetch, TEXTURE, GPU_TEXTURE, GPU_TEXTURE);
    set_many(o, XENOS_CONSTANT_FETCH + 6, fetch, 6);
}

/* ---- state ---- */

static int load_shaders(ours *o)
{
    static const char *const vertex =
        "xvs_3_0\nexec\n"
        "vfetch_full r1, r0.x, vf95, DataFormat=FMT_32_32_32_32_FLOAT, Stride=8\n"
        "vfetch_mini r2, DataFormat=FMT_32_32_32_32_FLOAT, Offset=4\n"
        "alloc position\nexec\nmax oPos, r1, r1\n"
        "alloc interpolators\nexece\nmax o0, r2, r2\n";
    static const char *const color = "xps_3_0\nalloc colors\nexece\nmax oC0, r0, r0\n";
    static const char *const textured = "xps_3_0\nexec\ntfetch2D r1, r0.xy, tf1\n"
                                        "alloc colors\nexece\nmul oC0, r1, r0\n";
    char heavy[4096] = "xps_3_0\nexec\ntfetch2D r1, r0.xy, tf1\n";
    for (uint32_t i = 0; i < 60; i++) {
        strcat(heavy, i % 6 == 0 ? "exec\n" : "");
        strcat(heavy, i % 2 == 0 ? "mad r2, r1.yzwx, r0, c0\n" : "mad r1, r2.yzwx, r0, c0\n");
    }
    strcat(heavy, "alloc colors\nexece\nmax oC0, r1, r1\n");
    const char *pixel = o->load->shader == GPU_COLOR      ? color
                        : o->load->shader == GPU_TEXTURED ? textured
                                                          : heavy;
    return load_shader(o, vertex) && load_shader(o, pixel);
}

static void set_state(ours *o)
{
    const gpu_load *l = o->load;
    uint32_t constant = xenos_float_bits(0.125f);
    const uint32_t constants[4] = {constant, constant, constant, constant};
    set_many(o, XENOS_CONSTANT_ALU + 4 * 256, constants, 4);
    set(o, XENOS_RB_SURFACE_INFO, GPU_WIDTH | (l->samples == 4 ? 2u : 0u) << 16);
    set(o, XENOS_RB_COLOR_INFO, 0);
    set(o, XENOS_RB_DEPTH_INFO, DEPTH_TILE);
    set(o, XENOS_RB_COLOR_MASK, 0xF);
    set(o, XENOS_RB_BLENDCONTROL0, l->blend ? 0x07060706 : 0x00010001);
    set(o, XENOS_RB_COLORCONTROL, XENOS_ALWAYS);
    set(o, XENOS_RB_DEPTHCONTROL, l->depth ? 6 | XENOS_LESS_EQUAL << 4 : 0);
    set(o, XENOS_RB_DEPTH_CLEAR, 0xFFFFFF00u);
    set(o, XENOS_RB_COLOR_CLEAR, 0xFF000000u);
    set(o, XENOS_PA_SC_SCREEN_SCISSOR_BR, 8192 | 8192u << 16);
    set(o, XENOS_PA_CL_VTE_CNTL, 0x700); /* positions are pixels, divided; W as it is */
    set(o, XENOS_PA_CL_CLIP_CNTL, 1u << 16);
    set(o, XENOS_PA_SU_VTX_CNTL, 1 | 2 << 1);
    set(o, XENOS_PA_SU_SC_MODE_CNTL, 1u << 15 | 1u << 16); /* MSAA, window offset */
    set(o, XENOS_VGT_MAX_VTX_INDX, 0xFFFFFF);
    set(o, XENOS_PA_SC_AA_MASK, 0xFFFF);
    set(o, XENOS_SQ_INTERPOLATOR_CNTL, 0xFFFFFFFF);
    set(o, XENOS_SQ_VS_CONST, 255u << 12);
    set(o, XENOS_SQ_PS_CONST, 255u << 12 | 256);
    set(o, XENOS_RB_COPY_DEST_PITCH, GPU_WIDTH | GPU_HEIGHT << 16);
    set(o, XENOS_RB_COPY_DEST_INFO, 2 | XENOS_FORMAT_8_8_8_8 << 7); /* 8in32 */
}

/* ---- a frame ---- */

static void draw(ours *o, uint32_t primitive, uint32_t count)
{
    uint32_t initiator = primitive | XENOS_INDICES_AUTO << 6 | count << 16;
    call(o, XENOS_PM4_DRAW_INDX_2, &initiator, 1);
}

/* Rows of the picture from `first` on; the window begins there. */
static void band(ours *o, uint32_t first, uint32_t rows)
{
    const gpu_load *l = o->load;
    set(o, XENOS_RB_MODECONTROL, XENOS_MODE_COLOR_DEPTH);
    set(o, XENOS_PA_SC_WINDOW_OFFSET, ((0u - first) & 0x7FFF) << 16);
    set(o, XENOS_PA_SC_WINDOW_SCISSOR_TL, 1u << 31);
    set(o, XENOS_PA_SC_WINDOW_SCISSOR_BR, GPU_WIDTH | rows << 16);
    set_stream(o, CORNERS, o->corners * GPU_CORNER_FLOATS);
    for (uint32_t i = 0; i < l->passes; i++) {
        draw(o, XENOS_TRIANGLES, o->corners);
    }
    /* Copies the colours to the front buffer and clears what was drawn to. */
    const float extent[6] = {-0.5f, -0.5f, (float)GPU_WIDTH - 0.5f,
                             -0.5f, -0.5f, (float)rows - 0.5f};
    store_floats(o, RECTANGLE, extent, 6);
    set_stream(o, RECTANGLE, 6);
    set(o, XENOS_PA_SC_WINDOW_OFFSET, 0);
    set(o, XENOS_RB_MODECONTROL, XENOS_MODE_COPY);
    set(o, XENOS_RB_COPY_CONTROL,
        (l->samples == 4 ? 6u : 0u) << 4 | 1u << 8 | l->depth << 9 | 1u << 20);
    set(o, XENOS_RB_COPY_DEST_BASE, FRONT + first * GPU_WIDTH * 4);
    draw(o, XENOS_RECTANGLES, 3);
}

static int frame(gpu_bench *bench)
{
    ours *o = (ours *)bench;
    uint32_t rows = o->load->samples == 4 ? BAND : GPU_HEIGHT;
    uint32_t before = o->sandbox.frames, fetch[6];
    for (uint32_t y = 0; y < GPU_HEIGHT; y += rows) {
        band(o, y, rows < GPU_HEIGHT - y ? rows : GPU_HEIGHT - y);
    }
    surface(fetch, FRONT, GPU_WIDTH, GPU_HEIGHT);
    set_many(o, XENOS_CONSTANT_FETCH, fetch, 6);
    call(o, XENOS_PM4_XE_SWAP,
         (const uint32_t[]){XENOS_SWAP_SIGNATURE, FRONT, GPU_WIDTH, GPU_HEIGHT}, 4);
    bench->middle = o->sandbox.middle;
    return o->sandbox.frames == before + 1;
}

static void end(gpu_bench *bench)
{
    ours *o = (ours *)bench;
    gpu_sandbox_end(&o->sandbox);
    free(o->packet);
    free(o);
}

gpu_bench *gpu_ours(const gpu_load *load, uint32_t threads)
{
    ours *o = calloc(1, sizeof *o);
    o->bench = (gpu_bench){.frame = frame, .end = end};
    o->load = load;
    o->packet = malloc(DWORDS_MOST * sizeof *o->packet);
    o->corners = gpu_load_corners(load, NULL);
    float *corners = malloc(o->corners * GPU_CORNER_FLOATS * sizeof *corners);
    if (o->packet == NULL || corners == NULL || !gpu_sandbox_begin(&o->sandbox, threads) ||
        !load_shaders(o)) {
        free(corners);
        end(&o->bench);
        return NULL;
    }
    gpu_load_corners(load, corners);
    store_floats(o, CORNERS, corners, o->corners * GPU_CORNER_FLOATS);
    free(corners);
    make_texture(o);
    set_state(o);
    return &o->bench;
}
