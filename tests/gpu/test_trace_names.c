/* What `weft trace` calls packets and primitives are the names that the GPU has for them. */
#include "../../sdk/trace/gpu_names.h"
#include "draw.h"
#include "pm4.h"
#include "test.h"

static void packets_have_one_name(void **state)
{
    for (uint32_t opcode = 0; opcode < 128; opcode++) {
        const xenos_packet *row = xenos_packet_find(opcode);
        const char *name = gpu_packet_name(UINT32_C(3) << 30 | opcode << 8);
        if (row == NULL) {
            assert_null(name);
        } else {
            assert_non_null(name);
            assert_string_equal(name, row->name);
        }
    }
}

/* Types 0 to 2 of packets (xenia xenos.h). */
static void other_packets_are_told_apart(void **state)
{
    assert_string_equal(gpu_packet_name(0x00032000), "registers");
    assert_string_equal(gpu_packet_name(0x40002000), "two registers");
    assert_string_equal(gpu_packet_name(0x80000000), "filler");
}

/* Mesa a2xx.xml, enum pc_di_primtype; patches where the major mode is explicit (bits 9:8). */
static void primitives_are_named_by_the_initiator(void **state)
{
    assert_string_equal(gpu_primitive_name(0x240004), "triangles");
    assert_string_equal(gpu_primitive_name(0x30088), "rectangles");
    assert_string_equal(gpu_primitive_name(0x40000 | 1 << 8 | XENOS_QUAD_PATCHES), "quad patches");
    assert_null(gpu_primitive_name(0x40000 | XENOS_QUAD_PATCHES));
    assert_null(gpu_primitive_name(0));
    assert_null(gpu_primitive_name(0x13F));
}

/* RB_COPY_CONTROL 2:0 (xenia registers.h). */
static void resolves_name_what_they_copy(void **state)
{
    assert_string_equal(gpu_copy_source(0x100003), "colour 3");
    assert_string_equal(gpu_copy_source(4), "depth");
    assert_null(gpu_copy_source(5));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packets_have_one_name),
        cmocka_unit_test(other_packets_are_told_apart),
        cmocka_unit_test(primitives_are_named_by_the_initiator),
        cmocka_unit_test(resolves_name_what_they_copy),
    };
    return cmocka_run_group_tests_name("gpu-trace-names", tests, NULL, NULL);
}
