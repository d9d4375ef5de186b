/* Import stubs at work: probe.c calls them as a title would, compiled by the titles' compiler,
 * which places arguments by the System V ABI; an assembly routine stands for the export and stores
 * what it finds in the console's registers and stack slots; qemu runs both. So neither side of a
 * conversion is Weft's own reading: expected values are the arguments in probe.c, one 64-bit slot
 * each. */
#include "test.h"

#include "probe_rows.h"

typedef uint64_t record[PROBE_CALL];

static record records[PROBE_CALLS];

static int run_probe(void **state)
{
#ifdef PROBE_COMMAND
    static uint8_t bytes[sizeof records + 1];
    FILE *pipe = popen(PROBE_COMMAND, "r");
    size_t length = pipe != NULL ? fread(bytes, 1, sizeof bytes, pipe) : 0;
    if (pipe == NULL || pclose(pipe) != 0 || length != sizeof records) {
        fprintf(stderr, "%s gave %zu bytes, expected %zu\n", PROBE_COMMAND, length, sizeof records);
        return -1;
    }
    uint64_t *words = &records[0][0];
    for (size_t i = 0; i < length; i++) {
        words[i / 8] = words[i / 8] << 8 | bytes[i];
    }
#endif
    return 0;
}

#ifdef PROBE_COMMAND
#define NEEDS_PROBE
#else
#define NEEDS_PROBE skip()
#endif

static void expect(unsigned call, unsigned first, const uint64_t *values, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(records[call][first + i], values[i]);
    }
}

static void words_are_extended_by_their_type(void **state)
{
    NEEDS_PROBE;
    const uint64_t values[] = {0x80000001, (uint64_t)-2, 0xFFFFFFFE, 0x90000000};
    expect(0, 0, values, 4);
}

static void a_word_result_comes_back(void **state)
{
    NEEDS_PROBE;
    assert_int_equal(records[0][PROBE_RESULT], (uint32_t)PROBE_ANSWER);
}

static void a_pair_becomes_one_register(void **state)
{
    NEEDS_PROBE;
    const uint64_t values[] = {1, 0x1122334455667788, 3};
    expect(1, 0, values, 3);
}

static void a_64_bit_result_becomes_a_pair(void **state)
{
    NEEDS_PROBE;
    assert_int_equal(records[2][0], 0xFEDCBA9876543210);
    assert_int_equal(records[2][PROBE_RESULT], PROBE_ANSWER);
}

static void the_ninth_word_moves_to_0x54(void **state)
{
    NEEDS_PROBE;
    const uint64_t values[] = {1, 2, 3, 4, 5, 6, 7, 8, (uint64_t)-9};
    expect(3, 0, values, 9);
}

static void five_pairs_fit_the_consoles_registers(void **state)
{
    NEEDS_PROBE;
    const uint64_t values[] = {0x100000001, 0x200000002, 0x300000003, 0x400000004, 0x500000005};
    expect(4, 0, values, 5);
}

static void a_pair_from_the_stack_comes_into_a_register(void **state)
{
    NEEDS_PROBE;
    const uint64_t values[] = {1, 2, 3, 4, 5, 6, 7, 0x800000008, 9};
    expect(5, 0, values, 9);
}

static void words_and_pairs_move_between_the_stacks(void **state)
{
    NEEDS_PROBE;
    const uint64_t values[] = {1, 2, 3, 4, 5, 6, 7, 8, 0x80000001, 0xA0000000A, (uint64_t)-11};
    expect(6, 0, values, 11);
    assert_int_equal(records[6][PROBE_RESULT], PROBE_ANSWER);
}

static void a_double_stays_and_skips_a_register(void **state)
{
    NEEDS_PROBE;
    assert_int_equal(records[7][0], 1);
    assert_int_equal(records[7][2], 3);
    assert_int_equal(records[7][PROBE_FLOAT], 0x4004000000000000); /* 2.5 */
}

static void variable_arguments_are_words_in_slots(void **state)
{
    NEEDS_PROBE;
    const uint64_t values[] = {0xA0000000, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0xFFFFFFF5, 12};
    expect(8, 0, values, 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_extended_by_their_type),
        cmocka_unit_test(a_word_result_comes_back),
        cmocka_unit_test(a_pair_becomes_one_register),
        cmocka_unit_test(a_64_bit_result_becomes_a_pair),
        cmocka_unit_test(the_ninth_word_moves_to_0x54),
        cmocka_unit_test(five_pairs_fit_the_consoles_registers),
        cmocka_unit_test(a_pair_from_the_stack_comes_into_a_register),
        cmocka_unit_test(words_and_pairs_move_between_the_stacks),
        cmocka_unit_test(a_double_stays_and_skips_a_register),
        cmocka_unit_test(variable_arguments_are_words_in_slots),
    };
    return cmocka_run_group_tests(tests, run_probe, NULL);
}
