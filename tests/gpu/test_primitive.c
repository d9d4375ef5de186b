/* Indices to primitives: what is assembled is written out by hand from the Direct3D 9 and OpenGL
 * descriptions of the types. */
#include <stdio.h>
#include <string.h>

#include "primitive.h"
#include "state.h"
#include "test.h"

typedef struct stream {
    uint32_t registers[XENOS_REGISTER_COUNT];
    xenos_draw draw;
    uint8_t bytes[256];
    xenos_memory memory;
} stream;

static void start(stream *s, uint32_t type, uint32_t count)
{
    memset(s, 0, sizeof *s);
    s->registers[XENOS_VGT_MAX_VTX_INDX] = 0xFFFFFF;
    s->draw = (xenos_draw){
        .registers = s->registers,
        .primitive = type,
        .source = XENOS_INDICES_AUTO,
        .count = count,
    };
    s->memory = (xenos_memory){.bytes = s->bytes, .size = sizeof s->bytes};
}

/* All primitives as text: vertices, the provoking one in brackets, and the sides' bits. */
static const char *text(stream *s, char out[512])
{
    xenos_primitives reader;
    xenos_primitive p;
    size_t n = 0;
    out[0] = 0;
    xenos_primitives_begin(&reader, &s->draw, &s->memory);
    while (xenos_primitives_next(&reader, &p) && n < 450) {
        uint32_t count = p.shape > 3 ? 3 : p.shape;
        n += (size_t)snprintf(out + n, 512 - n, "%s", n ? " " : "");
        for (uint32_t i = 0; i < count; i++) {
            n += (size_t)snprintf(out + n, 512 - n, i == p.provoking ? "[%x]" : "%x", p.index[i]);
        }
        if (p.shape == XENOS_SHAPE_TRIANGLE) {
            n += (size_t)snprintf(out + n, 512 - n, "/%u", p.edges);
        }
    }
    return out;
}

static void types_become_shapes(void **state)
{
    (void)state;
    static const struct {
        uint32_t type, count, last;
        const char *expected;
    } rows[] = {
        {XENOS_POINTS, 3, 0, "[0] [1] [2]"},
        {XENOS_LINES, 5, 0, "[0]1 [2]3"},
        {XENOS_LINES, 4, 1, "0[1] 2[3]"},
        {XENOS_LINE_STRIP, 4, 0, "[0]1 [1]2 [2]3"},
        {XENOS_LINE_LOOP, 3, 0, "[0]1 [1]2 [2]0"},
        {XENOS_LINE_LOOP, 1, 0, ""},
        {XENOS_TRIANGLES, 8, 0, "[0]12/7 [3]45/7"},
        {XENOS_TRIANGLES, 3, 1, "01[2]/7"},
        {XENOS_TRIANGLES_W_FLAGS, 3, 0, "[0]12/7"},
        {XENOS_TRIANGLE_STRIP, 6, 0, "[0]12/7 2[1]3/7 [2]34/7 4[3]5/7"},
        {XENOS_TRIANGLE_STRIP, 5, 1, "01[2]/7 21[3]/7 23[4]/7"},
        {XENOS_TRIANGLE_FAN, 5, 0, "0[1]2/7 0[2]3/7 0[3]4/7"},
        {XENOS_TRIANGLE_FAN, 4, 1, "01[2]/7 02[3]/7"},
        {XENOS_RECTANGLES, 6, 0, "[0]12 [3]45"},
        {XENOS_QUADS, 9, 0, "[0]12/3 [0]23/6 [4]56/3 [4]67/6"},
        {XENOS_QUADS, 4, 1, "01[3]/5 12[3]/3"},
        {XENOS_QUAD_STRIP, 6, 0, "[0]13/3 [0]32/6 [2]35/3 [2]54/6"},
        {XENOS_QUAD_STRIP, 4, 1, "20[3]/5 01[3]/3"},
        {XENOS_POLYGON, 3, 0, "[0]12/7"},
        {XENOS_POLYGON, 5, 0, "[0]12/3 [0]23/2 [0]34/6"},
        {XENOS_POLYGON, 2, 0, ""},
        {0, 9, 0, ""},
        {9, 9, 0, ""},
        {63, 9, 0, ""},
    };
    static stream s;
    char out[512];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        start(&s, rows[i].type, rows[i].count);
        s.registers[XENOS_PA_SU_SC_MODE_CNTL] = rows[i].last << 19;
        assert_string_equal(text(&s, out), rows[i].expected);
    }
}

static void indices_come_from_memory(void **state)
{
    (void)state;
    static stream s;
    char out[512];
    /* Big-endian halves at an odd base: the lowest bit has no effect. */
    static const uint8_t narrow[] = {0x00, 0x01, 0x12, 0x34, 0xFF, 0xFE};
    start(&s, XENOS_POINTS, 3);
    memcpy(s.bytes + 16, narrow, sizeof narrow);
    s.draw.source = XENOS_INDICES_MEMORY;
    s.draw.base = 17;
    s.draw.endian = 1;
    assert_string_equal(text(&s, out), "[1] [1234] [fffe]");
    s.draw.endian = 2; /* as 8in16 (xenia primitive_processor.cc) */
    assert_string_equal(text(&s, out), "[1] [1234] [fffe]");
    s.draw.endian = 0;
    assert_string_equal(text(&s, out), "[100] [3412] [feff]");

    /* Big-endian words; the upper 8 bits have no effect. */
    static const uint8_t wide[] = {0xAB, 0x12, 0x34, 0x56, 0x00, 0x00, 0x00, 0x07};
    start(&s, XENOS_POINTS, 2);
    memcpy(s.bytes + 20, wide, sizeof wide);
    s.draw.source = XENOS_INDICES_MEMORY;
    s.draw.wide = 1;
    s.draw.base = 20;
    s.draw.endian = 2;
    assert_string_equal(text(&s, out), "[123456] [7]");

    /* Beyond memory there are zeros. */
    s.draw.base = 252;
    s.draw.count = 3;
    memset(s.bytes + 252, 0, 3);
    s.bytes[255] = 9;
    assert_string_equal(text(&s, out), "[9] [0] [0]");
    s.draw.base = 0xFFFFFFFC;
    assert_string_equal(text(&s, out), "[0] [0] [0]");
}

static void indices_come_in_the_packet(void **state)
{
    (void)state;
    static stream s;
    char out[512];
    static const uint32_t dwords[] = {0x00020001, 0xFFFF0003};
    start(&s, XENOS_POINTS, 5);
    s.draw.source = XENOS_INDICES_IMMEDIATE;
    s.draw.immediate = dwords;
    s.draw.immediate_dwords = 2;
    assert_string_equal(text(&s, out), "[1] [2] [3] [ffff] [0]");
    s.draw.wide = 1;
    s.draw.count = 3;
    assert_string_equal(text(&s, out), "[20001] [ff0003] [0]");
}

/* Reset, then offset, then clamp (xenia registers.h). */
static void indices_are_reset_offset_and_clamped(void **state)
{
    (void)state;
    static stream s;
    char out[512];
    static const uint32_t strip[] = {1, 2, 3, 0xFFFF, 4, 5, 6, 7};
    start(&s, XENOS_TRIANGLE_STRIP, 8);
    s.draw.source = XENOS_INDICES_IMMEDIATE;
    s.draw.immediate = strip;
    s.draw.immediate_dwords = 8;
    s.draw.wide = 1;
    s.registers[XENOS_VGT_MULTI_PRIM_IB_RESET_INDX] = 0xFFFF;
    s.registers[XENOS_PA_SU_SC_MODE_CNTL] = 1u << 21;
    assert_string_equal(text(&s, out), "[1]23/7 [4]56/7 6[5]7/7");

    /* 24 bits: 4 + 0xFFFFFE is 2, 1 + 0xFFFFFE is 0xFFFFFF. */
    s.registers[XENOS_VGT_INDX_OFFSET] = 0xFFFFFFFE;
    s.registers[XENOS_VGT_MIN_VTX_INDX] = 1;
    s.registers[XENOS_VGT_MAX_VTX_INDX] = 4;
    assert_string_equal(text(&s, out), "[4]11/7 [2]34/7 4[3]4/7");

    /* Not without MULTI_PRIM_IB_ENA; a list is reset as well. */
    start(&s, XENOS_TRIANGLES, 8);
    s.draw.source = XENOS_INDICES_IMMEDIATE;
    s.draw.immediate = strip;
    s.draw.immediate_dwords = 8;
    s.draw.wide = 1;
    s.registers[XENOS_VGT_MULTI_PRIM_IB_RESET_INDX] = 2;
    assert_string_equal(text(&s, out), "[1]23/7 [ffff]45/7");
    s.registers[XENOS_PA_SU_SC_MODE_CNTL] = 1u << 21;
    assert_string_equal(text(&s, out), "[3]ffff4/7 [5]67/7");
    /* The upper 8 bits of an index and of the register do not matter. */
    s.registers[XENOS_VGT_MULTI_PRIM_IB_RESET_INDX] = 0xAA000002;
    assert_string_equal(text(&s, out), "[3]ffff4/7 [5]67/7");
    /* A loop closes at a reset. */
    s.draw.primitive = XENOS_LINE_LOOP;
    s.registers[XENOS_VGT_MULTI_PRIM_IB_RESET_INDX] = 0xFFFF;
    s.draw.count = 6;
    assert_string_equal(text(&s, out), "[1]2 [2]3 [3]1 [4]5 [5]4");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_become_shapes),
        cmocka_unit_test(indices_come_from_memory),
        cmocka_unit_test(indices_come_in_the_packet),
        cmocka_unit_test(indices_are_reset_offset_and_clamped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
