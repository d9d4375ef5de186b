/* A shader of hand-made instructions, sixteen lanes, and the oracle beside them. */
#ifndef TESTS_GPU_EXEC_TEST_H
#define TESTS_GPU_EXEC_TEST_H

#include "soft_test.h"

#include <stdlib.h>

#include "oracle.h"
#include "soft/exec.h"
#include "soft/texture.h"

#define FIXTURE_MEMORY 4096u

typedef struct fixture {
    soft_group group;
    uint32_t registers[XENOS_REGISTER_COUNT];
    uint8_t bytes[FIXTURE_MEMORY];
    xenos_memory memory;
    xenos_cf cf[64];
    xenos_instruction instructions[64];
    xenos_program program;
    soft_stage stage;
    uint32_t writes, write_start[64], write_length[64];
} fixture;

static inline void fixture_written(void *context, uint32_t start, uint32_t length)
{
    fixture *f = context;
    if (f->writes < 64) {
        f->write_start[f->writes] = start;
        f->write_length[f->writes] = length;
    }
    f->writes++;
}

static inline fixture *fixture_new(uint32_t stage)
{
    fixture *f = aligned_alloc(64, (sizeof *f + 63) / 64 * 64);
    memset(f, 0, sizeof *f);
    f->memory = (xenos_memory){
        .bytes = f->bytes, .size = FIXTURE_MEMORY, .context = f, .written = fixture_written};
    f->program = (xenos_program){.stage = stage, .cf = f->cf, .instructions = f->instructions};
    f->stage = (soft_stage){
        .program = &f->program,
        .registers = f->registers,
        .memory = &f->memory,
        .constant_base = stage == XENOS_STAGE_PIXEL ? 256 : 0,
        .constant_count = 256,
    };
    f->group.active = f->group.real = SOFT_ALL;
    return f;
}

static inline int pixel_setup(void **state)
{
    *state = fixture_new(XENOS_STAGE_PIXEL);
    return 0;
}

static inline int vertex_setup(void **state)
{
    *state = fixture_new(XENOS_STAGE_VERTEX);
    return 0;
}

static inline int fixture_teardown(void **state)
{
    free(*state);
    return 0;
}

#define PIXEL_TEST(F)  cmocka_unit_test_setup_teardown(F, pixel_setup, fixture_teardown)
#define VERTEX_TEST(F) cmocka_unit_test_setup_teardown(F, vertex_setup, fixture_teardown)

static inline void run(fixture *f)
{
    soft_program *code = soft_program_new(&f->program);
    f->stage.code = code;
    soft_exec(&f->stage, &f->group);
    f->stage.code = NULL;
    soft_program_free(code);
}

/* ---- writing programs ---- */

static inline xenos_cf *add_cf(fixture *f, uint32_t opcode)
{
    xenos_cf *cf = &f->cf[f->program.cf_count++];
    *cf = (xenos_cf){.opcode = (uint8_t)opcode, .first = f->program.instruction_count};
    return cf;
}

/* Adds to the last exec. */
static inline xenos_instruction *add_instruction(fixture *f, uint32_t kind)
{
    f->cf[f->program.cf_count - 1].count++;
    xenos_instruction *out = &f->instructions[f->program.instruction_count++];
    *out = (xenos_instruction){.kind = (uint8_t)kind};
    return out;
}

static inline xenos_source temporary(uint32_t index)
{
    return (xenos_source){.index = (uint8_t)index, .swizzle = {0, 1, 2, 3}};
}

static inline xenos_source constant(uint32_t index)
{
    return (xenos_source){.constant = 1, .index = (uint8_t)index, .swizzle = {0, 1, 2, 3}};
}

static inline xenos_source component(xenos_source source, uint32_t c)
{
    memset(source.swizzle, (int)c, 4);
    return source;
}

static inline xenos_alu *add_alu(fixture *f, uint32_t vector, uint32_t scalar)
{
    xenos_alu *alu = &add_instruction(f, XENOS_KIND_ALU)->alu;
    alu->vector_opcode = (uint8_t)vector;
    alu->scalar_opcode = (uint8_t)scalar;
    alu->source[0] = alu->source[1] = alu->source[2] = temporary(0);
    alu->scalar_temporary = temporary(0);
    return alu;
}

/* r[dest].mask = opcode(a, b, c) */
static inline xenos_alu *add_vector(fixture *f, uint32_t opcode, uint32_t dest, uint32_t mask,
                                    xenos_source a, xenos_source b, xenos_source c)
{
    xenos_alu *alu = add_alu(f, opcode, XENOS_S_RETAIN_PREV);
    alu->vector_dest = (uint8_t)dest;
    alu->vector_mask = (uint8_t)mask;
    alu->source[0] = a;
    alu->source[1] = b;
    alu->source[2] = c;
    return alu;
}

/* r[dest].mask = opcode(a = source.w, b = source.x) */
static inline xenos_alu *add_scalar(fixture *f, uint32_t opcode, uint32_t dest, uint32_t mask,
                                    xenos_source source)
{
    xenos_alu *alu = add_alu(f, XENOS_V_MAX, opcode);
    alu->scalar_dest = (uint8_t)dest;
    alu->scalar_mask = (uint8_t)mask;
    alu->source[2] = source;
    return alu;
}

static inline xenos_alu *add_move(fixture *f, uint32_t dest, uint32_t mask, xenos_source a)
{
    return add_vector(f, XENOS_V_MAX, dest, mask, a, a, a);
}

static inline void set_constant(fixture *f, uint32_t index, float x, float y, float z, float w)
{
    float v[4] = {x, y, z, w};
    memcpy(&f->registers[0x4000 + 4 * (f->stage.constant_base + index)], v, sizeof v);
}

static inline void set_all(fixture *f, uint32_t index, float x, float y, float z, float w)
{
    float v[4] = {x, y, z, w};
    for (int c = 0; c < 4; c++) {
        f->group.r[index].c[c] = soft_splat(v[c]);
    }
}

static inline float lane_of(const soft_f *v, int lane)
{
    return ((const float *)v)[lane];
}

#define R(F, INDEX, C, LANE) lane_of(&(F)->group.r[INDEX].c[C], LANE)
#define E(F, INDEX, C, LANE) lane_of(&(F)->group.exports[INDEX].c[C], LANE)

/* Runs the oracle on the same input and compares every bit of the active lanes. */
static inline void run_and_compare(fixture *f)
{
    oracle_stage stage = {
        .program = &f->program,
        .registers = f->registers,
        .memory = f->bytes,
        .memory_size = f->memory.size,
        .constant_base = f->stage.constant_base,
        .constant_count = f->stage.constant_count,
    };
    oracle_lane *lanes = calloc(SOFT_LANES, sizeof *lanes);
    uint64_t exported = 0;
    for (int lane = 0; lane < SOFT_LANES; lane++) {
        for (int n = 0; n < 64; n++) {
            for (int c = 0; c < 4; c++) {
                lanes[lane].r[n][c] = R(f, n, c, lane);
            }
        }
    }
    run(f);
    for (int lane = 0; lane < SOFT_LANES; lane++) {
        if (!(f->group.active >> lane & 1)) {
            continue;
        }
        oracle_run(&stage, &lanes[lane]);
        exported |= lanes[lane].exported;
        assert_int_equal(f->group.killed >> lane & 1, lanes[lane].killed);
        for (int n = 0; n < 64; n++) {
            for (int c = 0; c < 4; c++) {
                uint32_t want = float_bits(lanes[lane].r[n][c]);
                uint32_t got = float_bits(R(f, n, c, lane));
                if ((want & 0x7F800000u) == 0) {
                    want &= 0x80000000u; /* an input that nothing read may still be denormal */
                    got &= (got & 0x7F800000u) == 0 ? 0x80000000u : UINT32_MAX;
                }
                if (want != got) {
                    print_error("lane %d r%d.%c\n", lane, n, "xyzw"[c]);
                }
                assert_int_equal(got, want);
                if (exported >> n & 1) {
                    assert_int_equal(float_bits(E(f, n, c, lane)),
                                     float_bits(lanes[lane].exports[n][c]));
                }
            }
        }
    }
    free(lanes);
    assert_true(f->group.exported == exported);
}

/* ---- numbers ---- */

/* xorshift (Marsaglia 2003) */
static inline uint32_t draw(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return (uint32_t)(*seed >> 16);
}

/* Every kind of float, ordinary ones most. */
static inline float draw_float(uint64_t *seed)
{
    static const uint32_t special[] = {
        0x00000000u, 0x80000000u, 0x3F800000u, 0xBF800000u, 0x7F800000u, 0xFF800000u,
        0x7FC00000u, 0xFFC12345u, 0x00000001u, 0x807FFFFFu, 0x00800000u, 0x80800000u,
        0x7F7FFFFFu, 0xFF7FFFFFu, 0x3F000000u, 0xC0200000u, 0x4B000000u, 0xCB000001u,
        0x3F7FFFFFu, 0x40000000u, 0xC3800000u, 0x437F8000u, 0x7F812345u, 0x20000000u};
    uint32_t what = draw(seed) % 8;
    if (what == 0) {
        return bits_float(draw(seed));
    }
    if (what <= 3) {
        return bits_float(special[draw(seed) % (sizeof special / sizeof special[0])]);
    }
    return (float)((int32_t)(draw(seed) % 2048) - 1024) / (what <= 5 ? 64.0f : 1.0f);
}

#endif
