#include "scene.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "endian.h"
#include "pm4.h"

#define RECORD_MOST 1024u                 /* bytes of one change */
#define CORNERS     (SCENE_MEMORY - 4096) /* a resolve's rectangle */

static weft_status host_fail(const weft_host *host, weft_status status, const char *text)
{
    scene_fail(host->impl, text);
}

static void host_log(const weft_host *host, uint32_t level, const char *text)
{
    scene_fail(host->impl, text); /* a scene has nothing to complain about */
}

static void host_emit(const weft_host *host, weft_event *event)
{
}

static void host_present(const weft_host *host, weft_frame *frame)
{
    scene *s = host->impl;
    size_t row = (size_t)frame->width * 4;
    uint8_t *pixels = realloc(s->pixels, row * frame->height);
    if (pixels == NULL) {
        scene_fail(s, "no memory for the frame");
    }
    s->pixels = pixels;
    for (uint32_t y = 0; y < frame->height; y++) {
        memcpy(pixels + y * row, (const uint8_t *)frame->pixels + (size_t)y * frame->stride, row);
    }
}

static void memory_written(weft_memory *memory, uint32_t start, uint32_t length)
{
}

static weft_status memory_watch(weft_memory *memory, uint32_t start, uint32_t length)
{
    return WEFT_OK;
}

static weft_status memory_listen(weft_memory *memory, weft_written_fn fn, void *context)
{
    return WEFT_E_LIMIT; /* scene_changed tells instead */
}

void scene_fail(const scene *s, const char *what)
{
    fprintf(stderr, "gpu-scenes: error: scene %s: %s\n", s->name, what);
    exit(1);
}

/* ---- packets ---- */

static void execute(scene *s, const uint32_t *packet, uint32_t dwords)
{
    if (s->record != NULL) {
        fwrite(packet, 4, dwords, s->record);
    }
    xenos_cp_execute(s->cp, packet, dwords);
}

void scene_set(scene *s, uint32_t number, uint32_t value)
{
    const uint32_t packet[2] = {number, value};
    execute(s, packet, 2);
}

void scene_set_float(scene *s, uint32_t number, float value)
{
    scene_set(s, number, xenos_float_bits(value));
}

void scene_constant_bits(scene *s, uint32_t index, const uint32_t bits[4])
{
    uint32_t packet[5] = {XENOS_CONSTANT_ALU + index * 4 + (3u << 16)};
    memcpy(packet + 1, bits, 4 * sizeof *bits);
    execute(s, packet, 5);
}

void scene_constant(scene *s, uint32_t index, float x, float y, float z, float w)
{
    const uint32_t bits[4] = {xenos_float_bits(x), xenos_float_bits(y), xenos_float_bits(z),
                              xenos_float_bits(w)};
    scene_constant_bits(s, index, bits);
}

void scene_packet(scene *s, uint32_t opcode, const uint32_t *words, uint32_t count)
{
    uint32_t packet[4096];
    if (count == 0 || count > 4095) {
        scene_fail(s, "a packet has too many dwords");
    }
    packet[0] = 0xC0000000u | (count - 1) << 16 | opcode << 8;
    memcpy(packet + 1, words, count * sizeof *words);
    execute(s, packet, count + 1);
}

static void load_shader(scene *s, const char *listing)
{
    char error[256] = "";
    uint32_t stage, dwords, words[2048];
    uint32_t *code = xenos_assemble(listing, strlen(listing), &stage, &dwords, error);
    if (code == NULL || dwords > 2046) {
        fprintf(stderr, "%s\n", listing);
        scene_fail(s, code == NULL ? error : "a shader is too long");
    }
    words[0] = stage;
    words[1] = dwords;
    memcpy(words + 2, code, dwords * sizeof *code);
    free(code);
    scene_packet(s, XENOS_PM4_IM_LOAD_IMMEDIATE, words, dwords + 2);
}

void scene_shaders(scene *s, const char *vertex, const char *pixel)
{
    if (vertex != NULL) {
        load_shader(s, vertex);
    }
    if (pixel != NULL) {
        load_shader(s, pixel);
    }
}

/* ---- memory ---- */

uint8_t *scene_bytes(scene *s, uint32_t address)
{
    return s->memory.physical + address;
}

void scene_changed(scene *s, uint32_t address, uint32_t length)
{
    xenos_drawing_changed(s->cp->drawing, address, length);
    if (s->record != NULL) { /* the beginning is enough to go on from */
        const uint32_t dwords = length < RECORD_MOST ? length / 4 : RECORD_MOST / 4;
        const uint32_t head[2] = {RECORD_MEMORY | dwords, address};
        fwrite(head, 4, 2, s->record);
        fwrite(scene_bytes(s, address), 4, dwords, s->record);
    }
}

uint32_t scene_room(scene *s, uint32_t bytes)
{
    uint32_t address = s->used;
    if (bytes > SCENE_SCRATCH - address) {
        scene_fail(s, "memory is full");
    }
    s->used += (bytes + 4095) & ~4095u;
    return address;
}

static void store_big(uint8_t *to, uint32_t word)
{
    xenos_store32(to, xenos_swap32(word, XENOS_ENDIAN_8IN32));
}

void scene_vertices(scene *s, const float *floats, uint32_t count)
{
    uint32_t address = scene_room(s, count * 4);
    for (uint32_t i = 0; i < count; i++) {
        store_big(scene_bytes(s, address + 4 * i), xenos_float_bits(floats[i]));
    }
    scene_changed(s, address, count * 4);
    /* Type 3; address; 8in32; dwords (xenia xenos.h, xe_gpu_vertex_fetch_t). */
    scene_set(s, XENOS_CONSTANT_FETCH + 190, address | 3);
    scene_set(s, XENOS_CONSTANT_FETCH + 191, count << 2 | XENOS_ENDIAN_8IN32);
}

/* ---- draws ---- */

void scene_draw(scene *s, uint32_t primitive, uint32_t count)
{
    const uint32_t word = primitive | XENOS_INDICES_AUTO << 6 | count << 16;
    scene_packet(s, XENOS_PM4_DRAW_INDX_2, &word, 1);
}

void scene_draw_indexed(scene *s, uint32_t primitive, const uint32_t *indices, uint32_t count,
                        int wide)
{
    uint32_t address = scene_room(s, count * 4);
    for (uint32_t i = 0; i < count; i++) {
        uint8_t *to = scene_bytes(s, address);
        if (wide) {
            store_big(to + 4 * i, indices[i]);
        } else {
            to[2 * i] = (uint8_t)(indices[i] >> 8);
            to[2 * i + 1] = (uint8_t)indices[i];
        }
    }
    scene_changed(s, address, count * 4);
    const uint32_t words[4] = {
        0,
        primitive | (wide ? 1u << 11 : 0) | count << 16,
        address,
        count | (wide ? 2u : 1u) << 30, /* 8in32, 8in16 */
    };
    scene_packet(s, XENOS_PM4_DRAW_INDX, words, 4);
}

void scene_fill(scene *s, scene_box b, float z, const float c[4])
{
    const float v[24] = {b.x0, b.y0, z,    1,    c[0], c[1], c[2], c[3], b.x1, b.y0, z,    1,
                         c[0], c[1], c[2], c[3], b.x0, b.y1, z,    1,    c[0], c[1], c[2], c[3]};
    scene_vertices(s, v, 24);
    scene_draw(s, XENOS_RECTANGLES, 3);
}

void scene_quad(scene *s, scene_box b, scene_box t, const float rest[2])
{
    const float z = rest != NULL ? rest[0] : 0, w = rest != NULL ? rest[1] : 1;
    const float v[24] = {b.x0, b.y0, 0, 1, t.x0, t.y0, z, w, b.x1, b.y0, 0, 1,
                         t.x1, t.y0, z, w, b.x0, b.y1, 0, 1, t.x0, t.y1, z, w};
    scene_vertices(s, v, 24);
    scene_draw(s, XENOS_RECTANGLES, 3);
}

/* ---- state ---- */

void scene_cell(scene *s, uint32_t x, uint32_t y, uint32_t width, uint32_t height)
{
    scene_set_float(s, XENOS_PA_CL_VPORT_XOFFSET, (float)x);
    scene_set_float(s, XENOS_PA_CL_VPORT_YOFFSET, (float)y);
    scene_set(s, XENOS_PA_SC_WINDOW_SCISSOR_TL, 1u << 31 | x | y << 16);
    scene_set(s, XENOS_PA_SC_WINDOW_SCISSOR_BR, (x + width) | (y + height) << 16);
}

void scene_whole(scene *s)
{
    scene_cell(s, 0, 0, s->width, s->height);
}

void scene_surface(scene *s, uint32_t pitch, uint32_t msaa)
{
    scene_set(s, XENOS_RB_SURFACE_INFO, pitch | msaa << 16);
}

void scene_blend(scene *s, uint32_t source, uint32_t operation, uint32_t dest)
{
    uint32_t half = source | operation << 5 | dest << 8;
    scene_set(s, XENOS_RB_BLENDCONTROL0, half | half << 16);
}

void scene_resolve(scene *s, scene_box b, scene_copy copy)
{
    const float corner[6] = {b.x0, b.y0, b.x1, b.y0, b.x0, b.y1};
    for (uint32_t i = 0; i < 6; i++) {
        store_big(scene_bytes(s, CORNERS + 4 * i), xenos_float_bits(corner[i]));
    }
    scene_changed(s, CORNERS, sizeof corner);
    scene_set(s, XENOS_CONSTANT_FETCH, CORNERS | 3);
    scene_set(s, XENOS_CONSTANT_FETCH + 1, 6 << 2 | XENOS_ENDIAN_8IN32);
    scene_set(s, XENOS_RB_COPY_CONTROL, copy.control);
    scene_set(s, XENOS_RB_COPY_DEST_BASE, copy.base);
    scene_set(s, XENOS_RB_COPY_DEST_PITCH, copy.pitch | copy.height << 16);
    scene_set(s, XENOS_RB_COPY_DEST_INFO, copy.info);
    scene_set(s, XENOS_RB_MODECONTROL, XENOS_MODE_COPY);
    scene_draw(s, XENOS_RECTANGLES, 3);
    scene_set(s, XENOS_RB_MODECONTROL, XENOS_MODE_COLOR_DEPTH);
}

/* Fields: xenia xenos.h, xe_gpu_texture_fetch_t. */
void scene_texture_words(const scene_texture *t, uint32_t out[6])
{
    static const uint32_t data_dimension[4] = {1, 0, 2, 3};
    uint32_t last = t->depth != 0 ? t->depth - 1 : 0;
    uint32_t size = (t->width - 1) | (t->height - 1) << 13 | last << 26;
    if (t->dimension == 1) {
        size = t->width - 1;
    } else if (t->dimension == 2) {
        size = (t->width - 1) | (t->height - 1) << 11 | last << 22;
    }
    out[0] = 2 | t->signs << 2 | t->clamp << 10 | t->clamp << 13 | t->clamp << 16 |
             (t->pitch / 32) << 22 | t->tiled << 31;
    out[1] = t->format | t->endian << 6 | t->stacked << 10 | t->base;
    out[2] = size;
    out[3] = t->number | t->swizzle << 1 | ((uint32_t)t->exponent & 63) << 13 | t->linear << 19 |
             t->linear << 21 | t->mip_filter << 23 | t->aniso << 25;
    out[4] = t->linear | t->linear << 1 | t->levels << 6 | ((uint32_t)t->lod_bias & 1023) << 12;
    out[5] = t->border | data_dimension[t->dimension] << 9 | t->packed << 11 | t->mips;
}

void scene_bind(scene *s, uint32_t number, const scene_texture *texture)
{
    uint32_t packet[7] = {(XENOS_CONSTANT_FETCH + number * 6) | 5u << 16};
    scene_texture_words(texture, packet + 1);
    execute(s, packet, 7);
}

uint32_t scene_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

void scene_show(scene *s)
{
    scene_whole(s);
    scene_resolve(s, (scene_box){0, 0, (float)s->width, (float)s->height},
                  (scene_copy){
                      .control = 6u << 4, /* all samples */
                      .info = XENOS_FORMAT_8_8_8_8 << 7,
                      .base = SCENE_TARGET,
                      .pitch = s->width,
                      .height = s->height,
                  });
    const scene_texture front = {
        .base = SCENE_TARGET,
        .format = XENOS_FORMAT_8_8_8_8,
        .width = s->width,
        .height = s->height,
        .pitch = s->width,
        .tiled = 1,
        .swizzle = SCENE_XYZW,
    };
    scene_bind(s, 0, &front);
    const uint32_t swap[4] = {0x53574150, SCENE_TARGET, s->width, s->height};
    scene_packet(s, XENOS_PM4_XE_SWAP, swap, 4);
}

/* ---- life ---- */

static void set_defaults(scene *s)
{
    static const uint32_t words[][2] = {
        {XENOS_RB_MODECONTROL, XENOS_MODE_COLOR_DEPTH},
        {XENOS_RB_DEPTH_INFO, DEPTH_TILE},
        {XENOS_RB_COLOR_MASK, 0xF},
        {XENOS_RB_BLENDCONTROL0, 0x00010001}, /* ONE, ZERO */
        {XENOS_RB_BLENDCONTROL1, 0x00010001},
        {XENOS_RB_BLENDCONTROL2, 0x00010001},
        {XENOS_RB_BLENDCONTROL3, 0x00010001},
        {XENOS_RB_COLORCONTROL, XENOS_ALWAYS},
        {XENOS_PA_SC_SCREEN_SCISSOR_BR, 8192 | 8192u << 16},
        {XENOS_PA_CL_VTE_CNTL, 0x700 | 1 << 1 | 1 << 3}, /* divided; offsets of x and y */
        {XENOS_PA_CL_CLIP_CNTL, 1u << 16},
        {XENOS_PA_SU_VTX_CNTL, 1 | 2 << 1},
        {XENOS_PA_SU_SC_MODE_CNTL, 1u << 15},
        {XENOS_VGT_MAX_VTX_INDX, 0xFFFFFF},
        {XENOS_PA_SC_AA_MASK, 0xFFFF},
        {XENOS_SQ_INTERPOLATOR_CNTL, 0xFFFFFFFF},
        {XENOS_SQ_VS_CONST, 255u << 12},
        {XENOS_SQ_PS_CONST, 255u << 12 | 256},
    };
    for (uint32_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        scene_set(s, words[i][0], words[i][1]);
    }
    scene_surface(s, s->width, 0);
    scene_whole(s);
    scene_shaders(s, SCENE_VERTEX, SCENE_PIXEL);
}

static scene *scene_new(const scene_row *row, const char *backend, uint32_t threads)
{
    static const xenos_costs free_of_charge = {1, 1, 1, 1, 1, 1, 0};
    scene *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return NULL;
    }
    s->name = row->name;
    s->width = SCENE_WIDTH;
    s->height = SCENE_HEIGHT;
    s->memory = (weft_memory){
        .size = sizeof s->memory,
        .physical_size = SCENE_MEMORY,
        .physical = calloc(1, SCENE_MEMORY),
        .written_physical = memory_written,
        .watch_physical = memory_watch,
        .listen = memory_listen,
    };
    s->host = (weft_host){
        .size = sizeof s->host,
        .impl = s,
        .memory = &s->memory,
        .wanted = s->wanted,
        .fail = host_fail,
        .log = host_log,
        .emit = host_emit,
        .present = host_present,
    };
    s->cp = calloc(1, sizeof *s->cp);
    xenos_drawing *drawing =
        s->cp != NULL ? xenos_drawing_new(&s->host, s->cp, backend, threads) : NULL;
    if (s->memory.physical == NULL || drawing == NULL) {
        xenos_drawing_free(drawing);
        free(s->cp);
        s->cp = NULL;
        scene_free(s);
        return NULL;
    }
    xenos_cp_init(s->cp, &s->host, &free_of_charge, drawing);
    return s;
}

static void draw_row(scene *s, const scene_row *row)
{
    set_defaults(s);
    row->draw(s);
    if (s->pixels == NULL) {
        scene_fail(s, "showed no frame");
    }
}

scene *scene_run(const scene_row *row, const char *backend, uint32_t threads)
{
    scene *s = scene_new(row, backend, threads);
    if (s != NULL) {
        draw_row(s, row);
    }
    return s;
}

int scene_record(const scene_row *row, FILE *out)
{
    scene *s = scene_new(row, "null", 1);
    if (s == NULL) {
        return 0;
    }
    s->record = out;
    draw_row(s, row);
    scene_free(s);
    return 1;
}

const uint8_t *scene_edram(scene *s)
{
    return xenos_drawing_edram(s->cp->drawing);
}

void scene_free(scene *s)
{
    if (s == NULL) {
        return;
    }
    if (s->cp != NULL) {
        xenos_cp_end(s->cp);
    }
    free(s->cp);
    free(s->memory.physical);
    free(s->pixels);
    free(s);
}
