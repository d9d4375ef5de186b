/* State, shaders, draws, clears, resolves and queries, as Direct3D writes them: register values that are
 * not said otherwise are those that the XDK sample's Direct3D leaves in its command buffers. */
#include "gpu.h"

#include "gpu_clear_ps.h"
#include "gpu_clear_vs.h"
#include "gpu_copy_vs.h"

#define ONE          0x3F800000u /* 1.0f */
#define EDRAM_TILE_X 80u
#define CULL_BASE    0x00000004u /* PA_SU_SC_MODE_CNTL: clockwise is the front */
#define STREAM_0     95u         /* its fetch constant; stream n is n before it */
#define QUERY_DWORDS 8u
#define QUERY_FIRST  16u /* dword of the status page */
#define QUERIES      8u
#define QUERY_PASSED 4u /* z pass, of two render back-ends */

static const gpu_shader clear_vertex = GPU_SHADER(gpu_clear_vs);
static const gpu_shader clear_pixel = GPU_SHADER(gpu_clear_ps);
static const gpu_shader copy_vertex = GPU_SHADER(gpu_copy_vs);

/* ---- defaults ---------------------------------------------------------------------------------
 */

static const struct {
    u16 first, count;
    u32 values[38];
} defaults[] = {
    {0x2000, 16, {[15] = 0x20002000}}, /* surfaces; screen scissor */
    {0x2080, 3, {0, 0, 0x20002000}},   /* window offset and scissor */
    {0x2100,
     21,
     {0x00FFFFFF, 0, 0, 0xFFFF, 0xF, ONE, ONE, ONE, ONE, 0, 0, 0, 0x00FFFF00, 0x00FFFF00}},
    {0x2180, 5, {0}}, /* programs, interpolators */
    {0x2200,
     12,
     {0x00700730, 0x00010001, 0x87000007, 0, CLIP_DX_SPACE, 0x00018004, VTE_VIEWPORT, 0,
      MODE_COLOR_DEPTH, 0x00010001, 0x00010001, 0x00010001}},
    {0x2280,
     21,
     {0x00080008, 0x04000010, 8, 0, 0, 1, ONE, ONE, 14}}, /* points, lines, tessellation */
    {0x2300,
     38,
     {0x400, 0, 4, 0x40000000, ONE, 0x40000000, ONE, 0x000FF000,
      0x000FF100, [0x12] = 0xFFFF, [0x16] = 14, [0x17] = 16, [0x24] = 2}},
    {0x2380, 4, {0}}, /* polygon offset */
};

static void remember(gpu *g, u32 first, const u32 *values, u32 count)
{
    memcpy(&g->registers[first - GPU_CONTEXT_FIRST], values, count * 4);
    gpu_write(g, first, values, count);
}

void gpu_defaults(gpu *g)
{
    for (u32 i = 0; i < sizeof defaults / sizeof defaults[0]; i++) {
        remember(g, defaults[i].first, defaults[i].values, defaults[i].count);
    }
}

void gpu_set(gpu *g, u32 number, u32 value)
{
    remember(g, number, &value, 1);
}

/* A register for a while, which `restore` sets back. */
static void lend(gpu *g, u32 number, u32 value)
{
    gpu_write(g, number, &value, 1);
}

static void restore(gpu *g, const u16 *numbers, u32 count)
{
    for (u32 i = 0; i < count; i++) {
        lend(g, numbers[i], gpu_get(g, numbers[i]));
    }
}

/* ---- targets ----------------------------------------------------------------------------------
 */

void gpu_set_viewport(gpu *g, u32 x, u32 y, u32 width, u32 height)
{
    float w = (float)width * 0.5f;
    float h = (float)height * 0.5f;
    const u32 values[6] = {
        gpu_bits(w), gpu_bits((float)x + w), gpu_bits(-h), gpu_bits((float)y + h), ONE, 0};
    remember(g, PA_CL_VPORT_XSCALE, values, 6);
}

void gpu_set_scissor(gpu *g, u32 x0, u32 y0, u32 x1, u32 y1)
{
    const u32 values[3] = {0, x0 | y0 << 16, x1 | y1 << 16};
    remember(g, PA_SC_WINDOW_OFFSET, values, 3);
}

static u32 color_info(const gpu_targets *targets, u32 index)
{
    return targets->color_base[index] | targets->color_format[index] << 16;
}

void gpu_set_targets(gpu *g, const gpu_targets *targets)
{
    /* PA_SC_AA_CONFIG: log2 of the samples, and how far from the centre they are, in sixteenths. */
    static const u32 aa[3] = {0, 1 | 4 << 13, 3 | 6 << 13};
    g->targets = *targets;
    u32 pitch = (targets->width + EDRAM_TILE_X - 1) / EDRAM_TILE_X * EDRAM_TILE_X;
    u32 mask = 0;
    gpu_set(g, RB_SURFACE_INFO, pitch | targets->samples << 16 | pitch << 18);
    gpu_set(g, RB_DEPTH_INFO, targets->depth_base);
    for (u32 i = 0; i < targets->colors; i++) {
        gpu_set(g, i == 0 ? RB_COLOR_INFO : RB_COLOR1_INFO + i - 1, color_info(targets, i));
        mask |= 15u << (4 * i);
    }
    gpu_set(g, RB_COLOR_MASK, mask);
    gpu_set(g, PA_SC_AA_CONFIG, aa[targets->samples]);
    gpu_set_viewport(g, 0, 0, targets->width, targets->height);
    gpu_set_scissor(g, 0, 0, targets->width, targets->height);
}

/* ---- state ------------------------------------------------------------------------------------
 */

void gpu_set_depth(gpu *g, u32 compare, u32 write)
{
    u32 control = gpu_get(g, RB_DEPTHCONTROL) & ~0x76u;
    gpu_set(g, RB_DEPTHCONTROL,
            control | (compare != GPU_ALWAYS || write ? 2u : 0) | (write ? 4u : 0) | compare << 4);
}

void gpu_set_stencil(gpu *g, u32 compare, u32 reference, u32 pass)
{
    u32 control = gpu_get(g, RB_DEPTHCONTROL) & 0x76u;
    u32 enable = compare != GPU_ALWAYS || pass != GPU_KEEP;
    gpu_set(g, RB_STENCILREFMASK, 0x00FFFF00 | reference);
    gpu_set(g, RB_DEPTHCONTROL, control | enable | compare << 8 | pass << 14);
}

/* RB_DEPTHCONTROL's fields of one face, from its bit 8 or 20 on. */
static u32 stencil_control(const gpu_stencil *s)
{
    return s->compare | s->fail << 3 | s->pass << 6 | s->depth_fail << 9;
}

static u32 stencil_masks(const gpu_stencil *s)
{
    return s->reference | s->mask << 8 | s->write_mask << 16;
}

void gpu_set_stencil_faces(gpu *g, const gpu_stencil *front, const gpu_stencil *back)
{
    u32 control = (gpu_get(g, RB_DEPTHCONTROL) & 0x76u) | 1u | stencil_control(front) << 8;
    if (back != NULL) {
        control |= STENCIL_BACK | stencil_control(back) << 20;
        gpu_set(g, RB_STENCILREFMASK_BF, stencil_masks(back));
    }
    gpu_set(g, RB_STENCILREFMASK, stencil_masks(front));
    gpu_set(g, RB_DEPTHCONTROL, control);
}

void gpu_set_alpha_test(gpu *g, u32 compare, float reference)
{
    u32 control = gpu_get(g, RB_COLORCONTROL) & ~0xFu;
    gpu_set(g, RB_ALPHA_REF, gpu_bits(reference));
    gpu_set(g, RB_COLORCONTROL, control | compare | (compare != GPU_ALWAYS ? ALPHA_TEST : 0));
}

void gpu_set_alpha_to_mask(gpu *g, bool on)
{
    u32 control = gpu_get(g, RB_COLORCONTROL) & ~ALPHA_TO_MASK;
    gpu_set(g, RB_COLORCONTROL, control | (on ? ALPHA_TO_MASK : 0));
}

void gpu_set_blend(gpu *g, u32 target, u32 source, u32 destination)
{
    u32 half = source | destination << 8;
    gpu_set(g, target == 0 ? RB_BLENDCONTROL0 : RB_BLENDCONTROL1 + target - 1, half | half << 16);
}

void gpu_set_cull(gpu *g, u32 cull)
{
    gpu_set(g, PA_SU_SC_MODE_CNTL, MODE_WINDOW | MODE_MSAA | CULL_BASE | cull);
}

static void load_shader(gpu *g, u32 stage, const gpu_shader *shader)
{
    u32 *to = gpu_reserve(g, 3 + shader->dwords);
    to[0] = PACKET3(PM4_IM_LOAD_IMMEDIATE, 2 + shader->dwords);
    to[1] = stage;
    to[2] = shader->dwords;
    memcpy(to + 3, shader->code, shader->dwords * 4);
}

/* Both shaders, and what the pipeline is told of them. `pixel` NULL: as for a resolve. */
static void bind(gpu *g, const gpu_shader *vertex, const gpu_shader *pixel)
{
    gpu_emit(g, PACKET3(PM4_INVALIDATE_STATE, 1u));
    gpu_emit(g, pixel != NULL ? 0x300 : 0x100); /* vertex shader, pixel shader */
    load_shader(g, 0, vertex);
    u32 last_parameter = vertex->outputs != 0 ? vertex->outputs - 1 : 0;
    u32 program = (vertex->registers - 1) | 1u << 16 | last_parameter << 20;
    if (pixel != NULL) {
        u32 registers = pixel->registers != 0 ? pixel->registers - 1 : 0;
        load_shader(g, 1, pixel);
        program |= registers << 8 | pixel->outputs << 28;
    }
    u32 smooth = (1u << (last_parameter + 1)) - 1;
    const u32 values[3] = {program, 4, smooth | smooth << 16}; /* 4: sampled at centres */
    gpu_write(g, SQ_PROGRAM_CNTL, values, 3);
}

void gpu_set_shaders(gpu *g, const gpu_shader *vertex, const gpu_shader *pixel)
{
    g->vertex = vertex;
    g->pixel = pixel;
    bind(g, vertex, pixel);
}

void gpu_set_vertex_constants(gpu *g, u32 first, const float (*rows)[4], u32 count)
{
    gpu_write(g, CONSTANT_ALU + 4 * first, (const u32 *)rows, 4 * count);
}

void gpu_set_pixel_constants(gpu *g, u32 first, const float (*rows)[4], u32 count)
{
    gpu_write(g, CONSTANT_ALU + 4 * (256 + first), (const u32 *)rows, 4 * count);
}

void gpu_set_defined(gpu *g, u32 stage, const u32 (*rows)[5], u32 count)
{
    for (u32 i = 0; i < count; i++) {
        gpu_write(g, CONSTANT_ALU + 4 * (256 * stage + rows[i][0]), &rows[i][1], 4);
    }
}

/* Two dwords for vertices. */
static void fetch_vertices(u32 fetch[2], const void *vertices, u32 bytes)
{
    fetch[0] = gpu_address(vertices) | FETCH_VERTEX;
    fetch[1] = FETCH_REQUEST | (bytes & ~3u) | ENDIAN_8_IN_32;
}

void gpu_set_vertices(gpu *g, u32 stream, const void *vertices, u32 bytes)
{
    u32 fetch[2];
    fetch_vertices(fetch, vertices, bytes);
    gpu_write(g, CONSTANT_FETCH + 2 * (STREAM_0 - stream), fetch, 2);
}

/* ---- draws ------------------------------------------------------------------------------------
 */

void gpu_draw(gpu *g, u32 primitive, u32 count)
{
    u32 *to = gpu_reserve(g, 3);
    to[0] = PACKET3(PM4_DRAW_INDX, 2u);
    to[1] = 0; /* no visibility query */
    to[2] = primitive | DRAW_SOURCE_AUTO | count << 16;
}

void gpu_draw_indexed(gpu *g, u32 primitive, const u16 *indices, u32 count)
{
    u32 *to = gpu_reserve(g, 5);
    to[0] = PACKET3(PM4_DRAW_INDX, 4u);
    to[1] = 0;
    to[2] = primitive | count << 16;
    to[3] = gpu_address(indices);
    to[4] = ENDIAN_8_IN_16 << 30 | count;
}

/* A rectangle list of one, whose vertices constant 0 names; without clipping and viewport. */
static void draw_rectangle(gpu *g, const u32 *vertices, u32 dwords)
{
    u32 fetch[6] = {0};
    fetch_vertices(fetch, vertices, dwords * 4);
    lend(g, PA_CL_CLIP_CNTL, CLIP_DISABLE);
    lend(g, PA_SU_SC_MODE_CNTL, MODE_WINDOW);
    lend(g, PA_CL_VTE_CNTL, VTE_SCREEN);
    gpu_write(g, CONSTANT_FETCH, fetch, 6);
    gpu_emit(g, PACKET3(PM4_DRAW_INDX_2, 1u));
    gpu_emit(g, DRAW_RECTANGLES | DRAW_SOURCE_AUTO | 3u << 16);
    gpu_write(g, CONSTANT_FETCH, g->fetch0, 6);
    if (g->vertex != NULL) {
        bind(g, g->vertex, g->pixel);
    }
}

/* Corner i of three, half a pixel to the left of and above the first pixel's centre, which has whole
 * coordinates (PA_SU_VTX_CNTL's bit 0 is 0, as in Direct3D 9). */
static void corner(u32 to[2], u32 i, u32 width, u32 height)
{
    to[0] = gpu_bits(i == 1 ? (float)width - 0.5f : -0.5f);
    to[1] = gpu_bits(i == 2 ? (float)height - 0.5f : -0.5f);
}

/* Each colour is target 0 for one rectangle; depth and stencil go with the last. */
void gpu_clear(gpu *g, u32 colors, const float color[4], bool depth_too, float depth, u32 stencil)
{
    static const u16 changed[] = {RB_COLOR_INFO,    RB_COLOR_MASK,      RB_COLORCONTROL,
                                  RB_BLENDCONTROL0, RB_STENCILREFMASK,  RB_DEPTHCONTROL,
                                  PA_CL_CLIP_CNTL,  PA_SU_SC_MODE_CNTL, PA_CL_VTE_CNTL};
    u32 last = g->targets.colors != 0 ? g->targets.colors : 1;
    for (u32 i = 0; i < last; i++) {
        bool with_depth = depth_too && i + 1 == last;
        bool with_color = (colors >> i & 1) != 0;
        if (!with_color && !with_depth) {
            continue;
        }
        u32 *vertices = gpu_inline(g, 21);
        for (u32 v = 0; v < 3; v++) {
            corner(&vertices[7 * v], v, g->targets.width, g->targets.height);
            vertices[7 * v + 2] = gpu_bits(depth);
            memcpy(&vertices[7 * v + 3], color, 16);
        }
        lend(g, RB_COLOR_INFO, color_info(&g->targets, i));
        lend(g, RB_COLOR_MASK, with_color ? 15 : 0);
        lend(g, RB_COLORCONTROL, 0);
        lend(g, RB_BLENDCONTROL0, 0x00010001);
        lend(g, RB_STENCILREFMASK, 0x00FF0000 | stencil);
        lend(g, RB_DEPTHCONTROL, with_depth ? 0x00008777 : 0); /* write always, replace stencil */
        bind(g, &clear_vertex, &clear_pixel);
        draw_rectangle(g, vertices, 21);
    }
    restore(g, changed, sizeof changed / sizeof changed[0]);
}

void gpu_sync(gpu *g, const void *memory, u32 bytes)
{
    const u32 range[2] = {(bytes + 0xFFF) & ~0xFFFu, gpu_address(memory)};
    u32 all = 0x01000000;
    gpu_write(g, COHER_STATUS_HOST, &all, 1);
    gpu_write(g, COHER_SIZE_HOST, range, 2);
    u32 *to = gpu_reserve(g, 6);
    to[0] = PACKET3(PM4_WAIT_REG_MEM, 5u);
    to[1] = 3; /* a register, equal */
    to[2] = COHER_STATUS_HOST;
    to[3] = 0;
    to[4] = 0x80000000; /* pending */
    to[5] = 8;
}

void gpu_resolve(gpu *g, u32 from, const gpu_texture *to, const u32 clear[2])
{
    static const u16 changed[] = {RB_COPY_CONTROL, RB_COPY_DEST_INFO, RB_MODECONTROL,
                                  RB_DEPTHCONTROL, PA_CL_CLIP_CNTL,   PA_SU_SC_MODE_CNTL,
                                  PA_CL_VTE_CNTL};
    /* Samples of colours: 0 the first, 4 and 6 the mean of two and four. */
    static const u32 mean[3] = {0, 4, 6};
    bool is_depth = from == GPU_FROM_DEPTH;
    u32 width = to != NULL ? to->width : g->targets.width;
    u32 height = to != NULL ? to->height : g->targets.height;
    u32 copy[4] = {from | (is_depth ? 0 : mean[g->targets.samples] << 4), 0, width | height << 16,
                   0};
    copy[0] |= clear == NULL ? 0 : is_depth ? COPY_DEPTH_CLEAR : COPY_COLOR_CLEAR;
    copy[0] |= to != NULL ? COPY_CONVERT : COPY_NULL;
    if (to != NULL) {
        u32 swap = to->format == GPU_TEXTURE_8_8_8_8 ? COPY_SWAP : 0; /* ARGB in memory */
        copy[1] = gpu_address(to->base);
        copy[3] = ENDIAN_8_IN_32 | to->format << 7 | (to->sign == GPU_SIGNED ? COPY_SIGNED : 0) |
                  ((u32)-to->exponent & 63) << 16 | swap;
    }
    u32 *vertices = gpu_inline(g, 6);
    for (u32 v = 0; v < 3; v++) {
        corner(&vertices[2 * v], v, width, height);
    }
    gpu_write(g, RB_COPY_CONTROL, copy, 4);
    if (clear != NULL && is_depth) {
        lend(g, RB_DEPTH_CLEAR, clear[0]);
    } else if (clear != NULL) {
        gpu_write(g, RB_COLOR_CLEAR, clear, 2);
    }
    lend(g, RB_MODECONTROL, MODE_COPY);
    lend(g, RB_DEPTHCONTROL, 0);
    bind(g, &copy_vertex, NULL);
    draw_rectangle(g, vertices, 6);
    gpu_emit(g, PACKET3(PM4_EVENT_WRITE, 1u));
    gpu_emit(g, EVENT_CACHE_FLUSH);
    restore(g, changed, sizeof changed / sizeof changed[0]);
    if (to != NULL) {
        gpu_sync(g, to->base, gpu_texture_bytes(to));
    }
}

/* ---- queries ----------------------------------------------------------------------------------
 */

static volatile u32 *query_block(const gpu *g, u32 slot, u32 end)
{
    return g->status + QUERY_FIRST + (2 * (slot % QUERIES) + end) * QUERY_DWORDS;
}

static void count_samples(gpu *g, u32 slot, u32 end)
{
    lend(g, RB_SAMPLE_COUNT_ADDR, gpu_address(query_block(g, slot, end)));
    gpu_emit(g, PACKET3(PM4_EVENT_WRITE_ZPD, 1u));
    gpu_emit(g, EVENT_ZPASS_DONE);
}

void gpu_query_begin(gpu *g, u32 slot)
{
    count_samples(g, slot, 0);
}

void gpu_query_end(gpu *g, u32 slot)
{
    count_samples(g, slot, 1);
}

static u32 little(u32 value)
{
    return value << 24 | (value & 0xFF00) << 8 | (value >> 8 & 0xFF00) | value >> 24;
}

u32 gpu_query_passed(const gpu *g, u32 slot)
{
    u32 passed = 0;
    for (u32 i = QUERY_PASSED; i < QUERY_PASSED + 2; i++) {
        passed += little(query_block(g, slot, 1)[i]) - little(query_block(g, slot, 0)[i]);
    }
    return passed;
}
