/* The titles' vertex shaders do what their comments say: assembled, run, compared with results by hand. */
#include <stdlib.h>
#include <string.h>

#include "soft/exec.h"
#include "test.h"

#define MEMORY 4096u
#define BASE   256u /* of the stream */

typedef struct machine {
    uint8_t bytes[MEMORY];
    uint32_t registers[XENOS_REGISTER_COUNT];
    soft_group *group;
} machine;

static void put_float(machine *m, uint32_t dword, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, 4);
    for (int i = 0; i < 4; i++) {
        m->bytes[BASE + 4 * dword + (uint32_t)i] = (uint8_t)(bits >> (24 - 8 * i));
    }
}

static void set_constant(machine *m, uint32_t index, float x, float y, float z, float w)
{
    const float v[4] = {x, y, z, w};
    memcpy(&m->registers[0x4000 + 4 * index], v, sizeof v);
}

static machine *new_machine(void)
{
    machine *m = calloc(1, sizeof *m);
    m->group = aligned_alloc(64, (sizeof *m->group + 63) / 64 * 64);
    memset(m->group, 0, sizeof *m->group);
    m->group->active = m->group->real = SOFT_ALL;
    for (uint32_t lane = 0; lane < SOFT_LANES; lane++) {
        m->group->r[0].c[0][lane] = (float)(lane % 2);
    }
    return m;
}

/* Vertex fetch constant 95 (vf0): type 3, address; dwords, big-endian words (8 in 32). */
static void run(machine *m, const char *name, uint32_t dwords)
{
    char path[512], text[8192], error[256];
    snprintf(path, sizeof path, WEFT_SOURCE_DIR "/sdk/guest/titles/gpu/%s.ucode", name);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t length = fread(text, 1, sizeof text, f);
    fclose(f);
    uint32_t stage, count;
    uint32_t *words = xenos_assemble(text, length, &stage, &count, error);
    if (words == NULL) {
        fail_msg("%s: %s", name, error);
    }
    xenos_program *program = xenos_program_new(stage, words, count);
    free(words);
    m->registers[0x4800 + 2 * 95] = BASE | 3;
    m->registers[0x4800 + 2 * 95 + 1] = dwords << 2 | 2;
    xenos_memory memory = {.bytes = m->bytes, .size = MEMORY};
    const struct soft_texture *textures[32] = {NULL};
    soft_stage s = {
        .program = program,
        .registers = m->registers,
        .memory = &memory,
        .textures = textures,
        .constant_count = 256,
    };
    soft_exec(&s, m->group);
    xenos_program_free(program);
}

static void assert_export(const machine *m, uint32_t index, uint32_t lane, float x, float y,
                          float z, float w)
{
    const float want[4] = {x, y, z, w};
    assert_true(m->group->exported >> index & 1);
    for (int i = 0; i < 4; i++) {
        float got = m->group->exports[index].c[i][lane];
        if (got != want[i]) {
            fail_msg("export %u, lane %u, component %d: %g, not %g", index, lane, i, got, want[i]);
        }
    }
}

static void delete_machine(machine *m)
{
    free(m->group);
    free(m);
}

static void positions_go_out_as_they_are(void **state)
{
    machine *m = new_machine();
    for (uint32_t i = 0; i < 6; i++) {
        put_float(m, i, (float)i + 0.5f);
    }
    run(m, "position_vs", 6);
    assert_export(m, XENOS_EXPORT_POSITION, 0, 0.5f, 1.5f, 2.5f, 1);
    assert_export(m, XENOS_EXPORT_POSITION, 3, 3.5f, 4.5f, 5.5f, 1);
    delete_machine(m);
}

/* Colour 0xFF8000C0 is alpha 255, red 128, green 0, blue 192. */
static void colours_are_argb(void **state)
{
    machine *m = new_machine();
    for (uint32_t i = 0; i < 3; i++) {
        put_float(m, i, (float)(i + 1));
        put_float(m, 4 + i, 0);
    }
    static const uint8_t argb[4] = {0xFF, 0x80, 0x00, 0xC0};
    memcpy(m->bytes + BASE + 12, argb, 4);
    set_constant(m, 0, 1, 0, 0, 10); /* x + 10 */
    set_constant(m, 1, 0, 2, 0, 0);  /* 2 y */
    set_constant(m, 2, 0, 0, 0, 5);  /* 5 */
    set_constant(m, 3, 1, 1, 1, 1);  /* x + y + z + 1 */
    run(m, "colour_vs", 8);
    assert_export(m, XENOS_EXPORT_POSITION, 0, 11, 4, 5, 7);
    assert_export(m, 0, 0, 128.0f / 255, 0, 192.0f / 255, 1);
    assert_export(m, 0, 1, 0, 0, 0, 0);
    delete_machine(m);
}

static void textures_get_their_coordinates(void **state)
{
    machine *m = new_machine();
    for (uint32_t i = 0; i < 10; i++) {
        put_float(m, i, (float)i);
    }
    run(m, "texture_vs", 10);
    assert_export(m, XENOS_EXPORT_POSITION, 1, 5, 6, 7, 1);
    assert_export(m, 0, 1, 8, 9, 0, 0);
    delete_machine(m);
}

static void normals_are_turned(void **state)
{
    machine *m = new_machine();
    for (uint32_t i = 0; i < 16; i++) {
        put_float(m, i, (float)i);
    }
    for (uint32_t i = 0; i < 4; i++) {
        set_constant(m, i, i == 0, i == 1, i == 2, i == 3);
    }
    set_constant(m, 4, 0, 1, 0, 99); /* x becomes y, y becomes -x; w is not used */
    set_constant(m, 5, -1, 0, 0, 99);
    set_constant(m, 6, 0, 0, 1, 99);
    run(m, "lit_vs", 16);
    assert_export(m, XENOS_EXPORT_POSITION, 0, 0, 1, 2, 1);
    assert_export(m, 0, 0, 6, 7, 0, 0);
    assert_export(m, 1, 0, 4, -3, 5, 1);
    assert_export(m, 1, 1, 12, -11, 13, 1);
    delete_machine(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(positions_go_out_as_they_are),
        cmocka_unit_test(colours_are_argb),
        cmocka_unit_test(textures_get_their_coordinates),
        cmocka_unit_test(normals_are_turned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
