/* Vertex fetches, memory exports, and what reaches the texture units. */
#include "exec_test.h"

#include <float.h>
#include <math.h>

#include "endian.h"
#include "soft/vertex_format.h"

static const uint8_t formats[] = {6, 7, 16, 17, 25, 26, 31, 32, 33, 34, 35, 36, 37, 38, 57};

/* ---- formats ---- */

/* One element, in some lane. */
static void unpack(const xenos_fetch *fetch, const uint32_t element[4], float out[4])
{
    uint32_t data[4][SOFT_LANES] __attribute__((aligned(64))) = {{0}};
    soft_vec4 result;
    for (int i = 0; i < 4; i++) {
        data[i][6] = element[i];
    }
    soft_vertex_unpack(fetch, (const uint32_t(*)[SOFT_LANES])data, &result);
    for (int c = 0; c < 4; c++) {
        memcpy(&out[c], (const float *)&result.c[c] + 6, sizeof out[c]);
    }
}

static void test_vertex_formats_against_the_oracle(void **state)
{
    (void)state;
    uint64_t seed = 0x243F6A8885A308D3u;
    for (int round = 0; round < 40000; round++) {
        xenos_fetch fetch = {
            .format = formats[(unsigned)round % sizeof formats],
            .is_signed = (uint8_t)(draw(&seed) & 1),
            .integer = (uint8_t)(draw(&seed) & 1),
            .zero_clamp_minus_one_free = (uint8_t)(draw(&seed) & 1),
            .exponent = (int8_t)(draw(&seed) % 3 ? 0 : (int)(draw(&seed) % 64) - 32),
        };
        uint32_t data[4];
        float got[4], want[4];
        for (int i = 0; i < 4; i++) {
            static const uint32_t ends[] = {0,           0x80008000u, 0x80000000u, 0x7FFF7FFFu,
                                            0x7FFFFFFFu, 0x80010001u, 0x80808080u, UINT32_MAX};
            data[i] = draw(&seed) % 4 ? draw(&seed) : ends[draw(&seed) % 8];
        }
        unpack(&fetch, data, got);
        oracle_unpack(&fetch, data, want);
        for (int c = 0; c < 4; c++) {
            assert_int_equal(float_bits(got[c]), float_bits(want[c]));
        }
    }
}

/* By hand: the ends of the ranges. */
static void test_normalised_ends(void **state)
{
    (void)state;
    float v[4];
    xenos_fetch fetch = {.format = 6};
    unpack(&fetch, (uint32_t[4]){0x80FF0100u}, v);
    assert_true(v[0] == 0 && v[1] == 1.0f / 255 && v[2] == 1 && v[3] == 128.0f / 255);
    fetch.is_signed = 1;
    unpack(&fetch, (uint32_t[4]){0x7F80FF00u}, v);
    assert_true(v[0] == 0 && v[1] == -1.0f / 127 && v[2] == -1 && v[3] == 1);
    fetch.zero_clamp_minus_one_free = 1;
    unpack(&fetch, (uint32_t[4]){0x7F80FF00u}, v);
    assert_true(v[0] == 1.0f / 255 && v[1] == -1.0f / 255 && v[2] == -1 && v[3] == 1);
    fetch = (xenos_fetch){.format = 7, .integer = 1};
    unpack(&fetch, (uint32_t[4]){0xC00FFC05u}, v);
    assert_true(v[0] == 5 && v[1] == 1023 && v[2] == 0 && v[3] == 3);
    fetch = (xenos_fetch){.format = 36, .exponent = -3};
    unpack(&fetch, (uint32_t[4]){0x41000000u}, v);
    assert_true(v[0] == 1 && v[1] == 0 && v[2] == 0 && v[3] == 0);
}

static float half(uint32_t bits)
{
    float v[4];
    unpack(&(xenos_fetch){.format = SOFT_VERTEX_16_16_FLOAT}, (uint32_t[4]){bits}, v);
    return v[0];
}

/* The console's halves have no infinities (xenia base/math.h, xenos_half_to_float). */
static void test_halves(void **state)
{
    (void)state;
    assert_true(half(0x7C00) == 65536.0f);
    assert_true(half(0xFFFF) == -131008.0f);
    assert_true(half(0x3C01) == 1.0f + 0x1p-10f);
    assert_bits(half(0x83FF), 0x80000000u);
    for (uint32_t h = 0; h < 0x10000; h++) {
        uint32_t want = h & 0x7C00 ? h : h & 0x8000;
        assert_int_equal(soft_float_to_half(float_bits(half(h))), want);
    }
    assert_int_equal(soft_float_to_half(float_bits(1.0f + 0x1p-11f)), 0x3C00); /* tie to even */
    assert_int_equal(soft_float_to_half(float_bits(1.0f + 0x1.8p-10f)), 0x3C02);
    assert_int_equal(soft_float_to_half(float_bits(131040.0f)), 0x7FFF);
    assert_int_equal(soft_float_to_half(float_bits(-INFINITY)), 0xFFFF);
    assert_int_equal(soft_float_to_half(0x7FC00000u), 0x7FFF);
    assert_int_equal(soft_float_to_half(float_bits(0x1.fffffep-15f)), 0);
}

/* ---- vertex fetches ---- */

static void set_stream(fixture *f, uint32_t number, uint32_t address, uint32_t dwords,
                       uint32_t endian)
{
    f->registers[0x4800 + 2 * number] = address | 3;
    f->registers[0x4800 + 2 * number + 1] = dwords << 2 | endian;
}

static xenos_fetch *add_vertex_fetch(fixture *f, uint32_t dest, uint32_t format, uint32_t stream,
                                     uint32_t stride, int32_t offset)
{
    xenos_fetch *fetch = &add_instruction(f, XENOS_KIND_FETCH)->fetch;
    *fetch = (xenos_fetch){
        .opcode = XENOS_FETCH_VERTEX,
        .dest = (uint8_t)dest,
        .dest_swizzle = {0, 1, 2, 3},
        .constant = (uint8_t)stream,
        .format = (uint8_t)format,
        .integer = 1,
        .stride = (uint8_t)stride,
        .offset = offset,
    };
    return fetch;
}

static void set_indices(fixture *f)
{
    for (int lane = 0; lane < SOFT_LANES; lane++) {
        f->group.r[0].c[0][lane] = (float)lane;
    }
}

/* Big-endian floats and bytes, as titles lay them out (8in32). */
static void test_a_vertex_is_fetched(void **state)
{
    fixture *f = *state;
    set_indices(f);
    set_stream(f, 3, 0x100, 16 * 3, XENOS_ENDIAN_8IN32);
    for (uint32_t n = 0; n < 16; n++) {
        uint8_t *at = f->bytes + 0x100 + 12 * n;
        uint32_t bits = float_bits((float)n + 0.5f);
        for (int i = 0; i < 4; i++) {
            at[i] = (uint8_t)(bits >> (24 - 8 * i));
            at[8 + i] = (uint8_t)(10 * i + (int)n);
        }
    }
    add_cf(f, XENOS_CF_EXEC_END);
    add_vertex_fetch(f, 1, SOFT_VERTEX_32_FLOAT, 3, 3, 0);
    xenos_fetch *mini = add_vertex_fetch(f, 2, SOFT_VERTEX_8_8_8_8, 77, 99, 2);
    mini->mini = 1; /* address, constant and stride of the one before */
    memcpy(mini->dest_swizzle, (uint8_t[4]){3, XENOS_SWIZZLE_1, XENOS_SWIZZLE_0, 7}, 4);
    set_all(f, 2, 9, 9, 9, 9);
    run(f);
    for (int lane = 0; lane < SOFT_LANES; lane++) {
        assert_true(R(f, 1, 0, lane) == (float)lane + 0.5f);
        assert_true(R(f, 2, 0, lane) == (float)lane); /* the first byte is the highest: w */
        assert_true(R(f, 2, 1, lane) == 1 && R(f, 2, 2, lane) == 0 && R(f, 2, 3, lane) == 9);
    }
}

static void test_reads_beyond_the_stream_are_zero(void **state)
{
    fixture *f = *state;
    memset(f->bytes, 1, sizeof f->bytes);
    static const float index[SOFT_LANES] = {0,         1,     2,     3,      -1,  -0.5f,
                                            1e9f,      -1e9f, 1e30f, -1e30f, NAN, INFINITY,
                                            -INFINITY, 0.99f, 2.5f,  -1e-40f};
    for (int lane = 0; lane < SOFT_LANES; lane++) {
        f->group.r[0].c[0][lane] = index[lane];
    }
    set_stream(f, 0, 0x40, 5, 0); /* two and a half elements */
    add_cf(f, XENOS_CF_EXEC_END);
    add_vertex_fetch(f, 1, SOFT_VERTEX_32_32, 0, 2, 0);
    run(f);
    static const int there[SOFT_LANES] = {2, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 1, 2};
    for (int lane = 0; lane < SOFT_LANES; lane++) {
        assert_true(R(f, 1, 0, lane) == (there[lane] > 0 ? (float)0x01010101 : 0));
        assert_true(R(f, 1, 1, lane) == (there[lane] > 1 ? (float)0x01010101 : 0));
    }
    set_stream(f, 0, FIXTURE_MEMORY - 4, 0xFFFFFF, 0); /* one dword inside memory */
    run(f);
    assert_true(R(f, 1, 0, 0) == (float)0x01010101 && R(f, 1, 1, 0) == 0);
    f->registers[0x4800] = 0x40 | 2; /* a texture */
    run(f);
    assert_true(R(f, 1, 0, 0) == 0);
}

static void test_an_index_can_be_rounded(void **state)
{
    fixture *f = *state;
    for (uint32_t n = 0; n < 16; n++) {
        f->bytes[4 * n] = (uint8_t)(n + 1);
    }
    set_all(f, 0, 1.5f, 0, 0, 0);
    set_stream(f, 0, 0, 16, 0);
    add_cf(f, XENOS_CF_EXEC_END);
    add_vertex_fetch(f, 1, SOFT_VERTEX_32, 0, 1, 0);
    add_vertex_fetch(f, 2, SOFT_VERTEX_32, 0, 1, 0)->round_index = 1;
    run(f);
    assert_true(R(f, 1, 0, 0) == 2 && R(f, 2, 0, 0) == 3);
}

static void test_random_vertex_fetches_against_the_oracle(void **state)
{
    fixture *f = *state;
    uint64_t seed = 0xB7E151628AED2A6Bu;
    for (int round = 0; round < 1500; round++) {
        f->program.cf_count = f->program.instruction_count = 0;
        for (uint32_t n = 0; n < FIXTURE_MEMORY; n++) {
            f->bytes[n] = (uint8_t)draw(&seed);
        }
        for (uint32_t n = 0; n < 3; n++) {
            set_stream(f, n, draw(&seed) % (FIXTURE_MEMORY + 64) & ~3u, draw(&seed) % 300,
                       draw(&seed) & 3);
        }
        for (int n = 0; n < 8; n++) {
            for (int c = 0; c < 4; c++) {
                for (int lane = 0; lane < SOFT_LANES; lane++) {
                    ((float *)&f->group.r[n].c[c])[lane] =
                        draw(&seed) % 4 ? (float)(draw(&seed) % 4000) / 32.0f : draw_float(&seed);
                }
            }
        }
        add_cf(f, XENOS_CF_EXEC);
        add_scalar(f, XENOS_S_SETP_GT, 7, 1, temporary(6));
        add_cf(f, XENOS_CF_EXEC_END);
        for (int n = 0; n < 6; n++) {
            xenos_fetch *fetch =
                add_vertex_fetch(f, draw(&seed) % 7, formats[draw(&seed) % sizeof formats],
                                 draw(&seed) % 3, draw(&seed) % 9, (int32_t)(draw(&seed) % 9) - 4);
            fetch->source = (uint8_t)(draw(&seed) % 7);
            fetch->source_swizzle[0] = (uint8_t)(draw(&seed) % 4);
            fetch->mini = draw(&seed) % 3 == 0;
            fetch->round_index = (uint8_t)(draw(&seed) & 1);
            fetch->is_signed = (uint8_t)(draw(&seed) & 1);
            fetch->integer = (uint8_t)(draw(&seed) & 1);
            fetch->zero_clamp_minus_one_free = (uint8_t)(draw(&seed) & 1);
            fetch->predicated = draw(&seed) % 3 == 0;
            fetch->condition = (uint8_t)(draw(&seed) & 1);
            for (int c = 0; c < 4; c++) {
                fetch->dest_swizzle[c] = (uint8_t)(draw(&seed) % 8);
            }
        }
        run_and_compare(f);
    }
}

/* ---- texture units ---- */

/* Stands for the texture unit: gives back what it was called with. */
void soft_texture_fetch(const soft_texture *texture, const xenos_fetch *fetch,
                        const soft_fetch_state *fetch_state, const soft_f coordinate[3],
                        soft_mask active, soft_vec4 *result)
{
    (void)texture;
    result->c[0] = coordinate[0] + coordinate[1] * 100.0f;
    result->c[1] = fetch_state->lod + fetch_state->gradient_h[2] + fetch_state->gradient_v[1];
    result->c[2] = soft_splat((float)active);
    result->c[3] = soft_splat((float)(fetch->opcode + 100 * fetch_state->vertices));
}

static xenos_fetch *add_texture_fetch(fixture *f, uint32_t opcode, uint32_t dest, uint32_t source)
{
    xenos_fetch *fetch = &add_instruction(f, XENOS_KIND_FETCH)->fetch;
    *fetch = (xenos_fetch){
        .opcode = (uint8_t)opcode,
        .dest = (uint8_t)dest,
        .dest_swizzle = {0, 1, 2, 3},
        .source = (uint8_t)source,
        .source_swizzle = {0, 1, 2},
        .constant = 4,
    };
    return fetch;
}

static void test_textures_are_asked_with_state_and_lanes(void **state)
{
    fixture *f = *state;
    const struct soft_texture *textures[32] = {[4] = (const void *)f};
    f->stage.textures = textures;
    set_all(f, 0, 3.0f, 2.0f, 5.0f, 0.0f);
    for (int lane = 0; lane < SOFT_LANES; lane++) {
        f->group.r[3].c[3][lane] = (float)(lane & 1);
    }
    add_cf(f, XENOS_CF_EXEC_END);
    add_scalar(f, XENOS_S_SETP_NE, 2, 1, temporary(3));
    add_texture_fetch(f, XENOS_FETCH_SET_LOD, 0, 0);
    add_texture_fetch(f, XENOS_FETCH_SET_GRADIENTS_H, 0, 0)->predicated = 1;
    f->instructions[2].fetch.condition = 1;
    add_texture_fetch(f, XENOS_FETCH_SET_GRADIENTS_V, 0, 0);
    xenos_fetch *fetch = add_texture_fetch(f, XENOS_FETCH_TEXTURE, 1, 0);
    memcpy(fetch->source_swizzle, (uint8_t[3]){1, 0, 0}, 3);
    add_texture_fetch(f, XENOS_FETCH_WEIGHTS, 2, 0)->predicated = 1;
    f->instructions[5].fetch.condition = 1;
    run(f);
    for (int lane = 0; lane < SOFT_LANES; lane++) {
        assert_true(R(f, 1, 0, lane) == 302.0f);
        assert_true(R(f, 1, 1, lane) == 3.0f + (lane & 1 ? 5.0f : 0.0f) + 2.0f);
        assert_true(R(f, 1, 2, lane) == (float)SOFT_ALL);
        assert_true(R(f, 1, 3, lane) == XENOS_FETCH_TEXTURE);
        assert_true(R(f, 2, 2, lane) == (lane & 1 ? (float)0xAAAA : 0.0f));
    }
    f->program.stage = XENOS_STAGE_VERTEX;
    run(f);
    assert_true(R(f, 1, 3, 0) == 101.0f);
    f->stage.textures = NULL;
    run(f);
    assert_true(R(f, 1, 3, 0) == 0.0f);
}

/* ---- memory export ---- */

/* The stream constant of xenia xenos.h, xe_gpu_memexport_stream_t, and the instruction that titles
 * use: mad eA, r0.x, const0100, stream. */
static void add_export_address(fixture *f, uint32_t stream, uint32_t address, uint32_t format,
                               uint32_t count)
{
    set_constant(f, stream, bits_float(0x40000000u | address >> 2), 0x1p23f,
                 bits_float(0x4B000000u | format), bits_float(0x4B000000u | count));
    set_constant(f, 9, 0, 1, 0, 0);
    add_cf(f, XENOS_CF_ALLOC)->alloc = XENOS_ALLOC_MEMORY;
    add_cf(f, XENOS_CF_EXEC);
    xenos_alu *alu = add_vector(f, XENOS_V_MAD, XENOS_EXPORT_ADDRESS, 15,
                                component(temporary(0), 0), constant(9), constant(stream));
    alu->exports = 1;
}

static void add_export_data(fixture *f, uint32_t element, xenos_source source)
{
    add_move(f, XENOS_EXPORT_DATA0 + element, 15, source)->exports = 1;
}

static uint32_t dword(const fixture *f, uint32_t address)
{
    const uint8_t *p = f->bytes + address;
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void test_floats_are_exported(void **state)
{
    fixture *f = *state;
    set_indices(f);
    set_all(f, 1, 1.0f, -2.0f, 0.5f, 4.0f);
    f->group.real = 0x7FFF;
    add_export_address(f, 0, 0x200, 38u << 8 | 7u << 16 | XENOS_ENDIAN_8IN32, 15);
    add_export_data(f, 0, temporary(1));
    add_export_data(f, 1, temporary(1)); /* each lane writes over what the one before left */
    run(f);
    assert_int_equal(dword(f, 0x200), 0x0000803F); /* 1.0 as the CPU reads it */
    assert_int_equal(dword(f, 0x204), 0x000000C0);
    assert_int_equal(dword(f, 0x200 + 14 * 16 + 12), 0x00008040);
    assert_int_equal(dword(f, 0x200 + 15 * 16), 0); /* beyond the count; lane 15 is not real */
    assert_int_equal(f->writes, 15 + 14);
    assert_int_equal(f->write_start[0], 0x200);
    assert_int_equal(f->write_start[1], 0x210);
    assert_int_equal(f->write_start[2], 0x210);
    assert_int_equal(f->write_length[2], 16);
}

/* Expected by the field layouts, by hand. */
static void test_export_formats(void **state)
{
    fixture *f = *state;
    static const struct {
        uint32_t format;
        float value[4];
        uint32_t want, want_high;
    } rows[] = {
        {6u << 8, {1, 0.5f, 0, 2}, 0xFF0080FFu, 0},                 /* unorm */
        {6u << 8 | 1u << 16, {1, -1, -2, 0.5f}, 0x4081817Fu, 0},    /* snorm */
        {6u << 8 | 2u << 16, {3, 300, -5, 1.5f}, 0x0200FF03u, 0},   /* uint */
        {6u << 8 | 3u << 16, {-3, -300, 127, NAN}, 0x007F80FDu, 0}, /* sint */
        {6u << 8 | 1u << 19, {1, 0, 0.2f, 0}, 0x00FF0033u, 0},      /* red and blue */
        {7u << 8, {1, 0, 1, 1.0f / 3}, 0x7FF003FFu, 0},             /* 2_10_10_10 */
        {4u << 8, {1, 0, 1, 0}, 0xF81Fu, 0},                        /* 5_6_5 */
        {2u << 8 | 2u << 16, {200, 0, 0, 0}, 0xC8u, 0},             /* 8 */
        {26u << 8 | 2u << 16, {1, 65535, 3, 4}, 0xFFFF0001u, 0x00040003u},
        {26u << 8 | 2u << 16 | 1, {1, 65535, 3, 4}, 0xFFFF0100u, 0x04000300u}, /* 8in16 */
        {26u << 8 | 2u << 16 | 4, {1, 2, 3, 4}, 0x03000400u, 0x01000200u},     /* 8in64 */
        {25u << 8 | 2u << 16 | 3, {1, 2, 0, 0}, 0x00010002u, 0},               /* 16in32 */
        {24u << 8 | 2u << 16 | 1, {258, 0, 0, 0}, 0x0201u, 0},                 /* 16 */
        {30u << 8 | 7u << 16, {1, 0, 0, 0}, 0x3C00u, 0},                       /* 16_FLOAT */
        {32u << 8 | 7u << 16, {1, -2, 1e9f, 0}, 0xC0003C00u, 0x00007FFFu},
        {37u << 8 | 7u << 16 | 5, {1, 2, 0, 0}, 0x00000040u, 0x0000803Fu}, /* 8in128 of 64 bits */
        {18u << 8, {1, 1, 1, 1}, 0, 0}, /* DXT1: no such export */
    };
    for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++) {
        memset(f->bytes, 0, sizeof f->bytes);
        f->program.cf_count = f->program.instruction_count = 0;
        f->group.active = 2;
        const float *v = rows[n].value;
        set_all(f, 0, 0, 0, 0, 0);
        set_all(f, 1, v[0], v[1], v[2], v[3]);
        add_export_address(f, 0, 0x200, rows[n].format, 1);
        add_export_data(f, 0, temporary(1));
        run(f);
        assert_int_equal(dword(f, 0x200), rows[n].want);
        assert_int_equal(dword(f, 0x204), rows[n].want_high);
    }
}

static void test_exports_that_make_no_sense_are_dropped(void **state)
{
    fixture *f = *state;
    set_all(f, 1, 1.0f, 1.0f, 1.0f, 1.0f);
    add_export_address(f, 0, FIXTURE_MEMORY - 8, 36u << 8, 100);
    add_export_data(f, 0, temporary(1));
    static const float index[SOFT_LANES] = {0,          1,        2,   50,    -1,
                                            8388608.0f, INFINITY, NAN, -1e9f, 0x1p22f};
    for (int lane = 0; lane < SOFT_LANES; lane++) {
        f->group.r[0].c[0][lane] = index[lane];
    }
    f->group.active = 0x03FF;
    run(f);
    assert_int_equal(f->writes, 2); /* indices 0 and 1 lie in memory */
    static const uint32_t broken[4][4] = {{0x80000000u, 0x4B000000u, 0x4B002400u, 0x4B000064u},
                                          {0x40000000u, 0x4B800000u, 0x4B002400u, 0x4B000064u},
                                          {0x40000000u, 0x4B000000u, 0x3F002400u, 0x4B000064u},
                                          {0x40000000u, 0x4B000000u, 0x4B002400u, 0xCB000064u}};
    for (int n = 0; n < 4; n++) {
        f->writes = 0;
        set_all(f, 0, 0, 0, 0, 0);
        memcpy(&f->registers[0x4000 + 4 * f->stage.constant_base], broken[n], 16);
        run(f);
        assert_int_equal(f->writes, 0);
    }
}

/* An alloc closes an export; a pixel that dies keeps what it exported before, and exports no more. */
static void test_killed_pixels_export_no_more(void **state)
{
    fixture *f = *state;
    set_indices(f);
    set_all(f, 1, 1.0f, 1.0f, 1.0f, 1.0f);
    for (int lane = 0; lane < SOFT_LANES; lane++) {
        f->group.r[2].c[3][lane] = lane == 3 ? 1.0f : 0.0f;
    }
    add_export_address(f, 0, 0x200, 36u << 8, 100);
    add_export_data(f, 0, temporary(1));
    add_scalar(f, XENOS_S_KILLS_GT, 4, 1, temporary(2));
    add_export_data(f, 0, component(temporary(0), 0));
    add_export_address(f, 1, 0x300, 36u << 8, 100);
    add_export_data(f, 1, temporary(1));
    run(f);
    assert_int_equal(f->write_start[0], 0x200 + 4 * 3); /* before it died */
    assert_int_equal(dword(f, 0x200 + 4 * 3), 0x3F800000u);
    assert_int_equal(dword(f, 0x200 + 4 * 5), float_bits(5.0f));
    assert_int_equal(dword(f, 0x300 + 4 * 4), 0); /* element 1 of lane 3 */
    assert_int_equal(dword(f, 0x300 + 4 * 5), 0x3F800000u);
    assert_int_equal(f->writes, 1 + 15 + 15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vertex_formats_against_the_oracle),
        cmocka_unit_test(test_normalised_ends),
        cmocka_unit_test(test_halves),
        VERTEX_TEST(test_a_vertex_is_fetched),
        VERTEX_TEST(test_reads_beyond_the_stream_are_zero),
        VERTEX_TEST(test_an_index_can_be_rounded),
        VERTEX_TEST(test_random_vertex_fetches_against_the_oracle),
        PIXEL_TEST(test_textures_are_asked_with_state_and_lanes),
        VERTEX_TEST(test_floats_are_exported),
        VERTEX_TEST(test_export_formats),
        VERTEX_TEST(test_exports_that_make_no_sense_are_dropped),
        PIXEL_TEST(test_killed_pixels_export_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
